"""Files at URLs, which fsspec opens: an extra of this project."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

from ._paths import natural
from ._plt import LibtraceError

__all__ = ["matching_urls", "open_url"]

EXTRA = "pip install 'python-libtrace[remote]'"


def fsspec() -> Any:
    """The package."""
    try:
        return import_module("fsspec")
    except ImportError:
        raise OSError(f"a URL is opened by the package fsspec: {EXTRA}") from None


def told(error: Exception) -> OSError:
    """What a file system's exception says, as an error of this package's own."""
    if isinstance(error, FileNotFoundError):
        return OSError("there is no such file")
    text = str(error) or type(error).__name__
    return OSError(f"{text} ({EXTRA})" if isinstance(error, ImportError) else text)


def matching_urls(pattern: str) -> list[str]:
    """The URLs of the files that a pattern matches, sorted."""
    try:
        system, path = fsspec().core.url_to_fs(pattern)
        return sorted(map(system.unstrip_protocol, system.glob(path)), key=natural)
    except Exception as error:
        raise LibtraceError(f"{pattern}: {told(error)}") from None


class Remote(io.RawIOBase):
    """A file of another file system, whose exceptions become OSErrors of this package."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def seekable(self) -> bool:
        return bool(self.file.seekable())

    def seek(self, at: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return int(self.file.seek(at, whence))
        except Exception as error:
            raise told(error) from None

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self.file.read(len(buffer))
        except Exception as error:
            raise told(error) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.file.close()


def open_url(url: str) -> Remote:
    """What is at a URL, opened; OSError where it can't be."""
    package = fsspec()
    try:
        return Remote(package.open(url, "rb").open())
    except Exception as error:
        raise told(error) from None
