"""How far the reading of sources is: bytes read of the bytes that their files have.

The bytes are those of the files as they are, compressed or not: so there is an end.
"""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeAlias

from ._plt import trace
from ._sources import Source, local_path

__all__ = ["Progress", "Tell", "measured"]

#: A function that gets the bytes that were read and those that there are, None where that is not
#: known; or True for a bar of tqdm's.
Tell: TypeAlias = Callable[[int, int | None], object] | bool | None

EVERY = 0.1  # seconds between two calls, at least


def tqdm_teller() -> tuple[Callable[[int, int | None], object], Callable[[], object]]:
    """What shows a bar of tqdm's, and what ends it."""
    try:
        tqdm = import_module("tqdm.auto").tqdm
    except ImportError:
        raise ImportError(
            "progress=True needs the package tqdm: pip install 'python-libtrace[progress]'"
        ) from None
    bar: list[Any] = []

    def tell(done: int, total: int | None) -> None:
        if not bar:
            bar.append(tqdm(total=total, unit="B", unit_scale=True))
        bar[0].update(done - bar[0].n)

    def end() -> None:
        for shown in bar:
            shown.close()
        bar.clear()

    return tell, end


class Progress:
    """Counts bytes and tells of them; the threads that read call it."""

    def __init__(self, tell: Callable[[int, int | None], object] | bool) -> None:
        self._end: Callable[[], object] = lambda: None
        if tell is True:
            self._tell, self._end = tqdm_teller()
        elif callable(tell):
            self._tell = tell
        else:
            kind = type(tell).__name__
            raise TypeError(f"progress must be True or callable, not {kind}")
        #: The bytes that there are, None where that is not known.
        self.total: int | None = 0
        self._done = 0
        self._next = 0.0
        self._ended = False
        self._lock = threading.RLock()

    def count(self, size: int) -> None:
        """So many bytes more were read."""
        with self._lock:
            self._done += size

    def tell(self) -> None:
        """Tell how far it is, where that was not told just before."""
        with self._lock:
            now = time.monotonic()
            if now >= self._next and not self._ended:
                self._next = now + EVERY
                self._tell(*self._state())

    def close(self) -> None:
        """Tell it a last time."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            try:
                self._tell(*self._state())
            finally:
                self._end()

    def _state(self) -> tuple[int, int | None]:
        # what is read twice, because only its turn told how, counts once
        done = self._done if self.total is None else min(self._done, self.total)
        return done, self.total


class Counted(io.RawIOBase):
    """A file whose bytes are counted as they are read."""

    def __init__(self, file: Any, progress: Progress, by_reader: bool) -> None:
        self.file = file
        self.progress = progress
        self.by_reader = by_reader  # who reads tells, too
        self.lost = False

    def readinto(self, buffer: Any, /) -> int:
        if self.lost:
            raise OSError("an interrupt lost the place in the file")
        self.lost = True  # unless it gets by here
        size = self.file.readinto(buffer) or 0
        self.progress.count(size)
        if self.by_reader:
            self.progress.tell()
        self.lost = False
        return int(size)

    def seekable(self) -> bool:
        return bool(self.file.seekable())

    def seek(self, at: int, whence: int = os.SEEK_SET, /) -> int:
        return int(self.file.seek(at, whence))

    def fileno(self) -> int:
        return int(self.file.fileno())

    def close(self) -> None:
        self.file.close()


class Measured:
    """A source of which the bytes are counted: what opens it wraps its file by `counted`."""

    def __init__(self, source: Any, progress: Progress, by_reader: bool) -> None:
        self.source = source
        self.progress = progress
        self.by_reader = by_reader

    def counted(self, file: Any) -> Counted:
        """An open file of this source."""
        return Counted(file, self.progress, self.by_reader)


class MeasuredPath(Measured):
    """One that is a URI or path."""

    def __fspath__(self) -> str:
        return os.fsdecode(self.source)


class MeasuredFile(Measured):
    """One that is an open file."""

    @property
    def name(self) -> str:
        name = getattr(self.source, "name", None)
        return name if isinstance(name, str) else f"<{type(self.source).__name__}>"

    @property
    def read(self) -> Any:
        """Its own: what has it is taken for a file."""
        return self.source.read


def size_of(source: Source) -> int | None:
    """The bytes of a file that are to be read, None where that is not known."""
    if hasattr(source, "read"):
        try:
            at = source.tell()  # type: ignore[union-attr]
            size = source.seek(0, os.SEEK_END)  # type: ignore[union-attr]
            source.seek(at)  # type: ignore[union-attr]
        except (OSError, AttributeError):
            return None
        return int(size) - int(at)
    path = local_path(source)
    try:
        found = os.stat(path) if path is not None else None
    except (OSError, ValueError):  # which its reader tells
        return 0
    return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else None


def measured(
    sources: Sequence[Source], tell: Tell, by_reader: bool = True
) -> tuple[list[Source], Progress | None]:
    """The sources so that their bytes are counted, and what tells of them.

    With by_reader the threads that read tell as they read; else who has the Progress does.
    """
    if tell is None or tell is False:
        return list(sources), None
    progress = Progress(tell)
    found: list[Source] = []
    for source in sources:
        if isinstance(source, trace):  # it is open, or will be by its owner
            size, one = None, source
        else:
            size = size_of(source)
            kind = MeasuredFile if hasattr(source, "read") else MeasuredPath
            one = kind(source, progress, by_reader)  # type: ignore[assignment]
        progress.total = None if size is None or progress.total is None else progress.total + size
        found.append(one)
    return found, progress
