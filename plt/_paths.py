"""What names of files mean: URLs, and home folders."""

from __future__ import annotations

import os
import re

__all__ = ["home_path", "is_url"]

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")


def is_url(name: str) -> bool:
    """Whether a name is a URL."""
    return URL.match(name) is not None


def home_path(path: str) -> str:
    """A path in which ~ or ~name at the start is that home folder, unless there is such a file."""
    return os.path.expanduser(path) if path[:1] == "~" and not os.path.lexists(path) else path
