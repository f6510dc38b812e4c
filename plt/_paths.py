"""What names of files mean: URLs, home folders, and their order."""

from __future__ import annotations

import os
import re

__all__ = ["home_path", "is_url", "natural"]

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")


def is_url(name: str) -> bool:
    """Whether a name is a URL."""
    return URL.match(name) is not None


def home_path(path: str) -> str:
    """A path in which ~ or ~name at the start is that home folder, unless there is such a file."""
    return os.path.expanduser(path) if path[:1] == "~" and not os.path.lexists(path) else path


def natural(name: str) -> tuple[str, str]:
    """What names are sorted by, so that cap.pcap2 of tcpdump -C is before cap.pcap10."""
    return re.sub("[0-9]+", lambda number: number[0].zfill(40), name), name
