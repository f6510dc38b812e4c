"""A thread that decompresses a file ahead of who reads it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

from ._threads import Crew, Work

__all__ = ["LOST_PLACE", "ReadAhead"]

#: Bytes that the thread hands over at once, at least, and how many times it does so ahead.
AT_ONCE = 1 << 18
TIMES_AHEAD = 4

LOST_PLACE = "an interrupt lost the place in the compressed data"


class ReadAhead:
    """What a function gives and raises, call for call, called by a thread ahead of time.

    The function gives some bytes, none at the end.
    """

    def __init__(self, read_some: Callable[[], bytes]) -> None:
        self._work: Work[bytes] = Work(_Pieces(read_some), TIMES_AHEAD)
        self._crew = Crew(1, "plt-read-ahead")
        self._crew.give(self._work)
        # what it ended with; an exception without a traceback, whose frames would hold the trace
        self._end: bytes | Exception | None = None

    def get(self) -> bytes | None:
        """Some bytes, none at the end; None where the interpreter ends: who asks must go on."""
        if self._end is None:
            item = self._item()
            if item is None:
                return None
            if item and isinstance(item, bytes):
                return item
            self._end = item
        if isinstance(self._end, Exception):
            raise copy(self._end)
        return self._end

    def _item(self) -> bytes | Exception | None:
        """The next that the thread handed over."""
        if not (self._crew.stopped or self._crew.is_forked):
            try:
                item = self._work.get()
            except BaseException:  # a signal's: whether an item was lost is unknown
                self._end = OSError(LOST_PLACE)
                raise
            if item is not None:
                return _exception(item)
        self._crew.wait()  # what it still reads it hands over
        item = self._work.left()
        if item is None and self._crew.is_forked:
            return OSError("the thread that decompresses is in the process that was forked")
        return _exception(item)

    def stop(self) -> None:
        """Let the thread end, and wait until it calls no more."""
        if self._end is None:
            self._end = b""
        self._crew.stop()


def _exception(item: bytes | BaseException | None) -> bytes | Exception | None:
    """The item; what is no Exception is raised."""
    if isinstance(item, BaseException) and not isinstance(item, Exception):
        raise item
    return item


class _Pieces:
    """What a function gives, some calls at once; at the end no bytes, then None."""

    def __init__(self, read_some: Callable[[], bytes]) -> None:
        self.read_some = read_some
        self.last: bytes | Exception | None = None  # what comes after the bytes
        self.ended = False

    def __call__(self) -> bytes | None:
        if self.ended:
            return None
        if self.last is None and (some := self.several()):
            return some
        self.ended = True
        if isinstance(self.last, Exception):
            raise self.last
        return self.last

    def several(self) -> bytes:
        """Some bytes; where there are fewer than are worth it, `last` is what comes after them."""
        parts: list[bytes] = []
        size = 0
        try:
            while size < AT_ONCE:
                part = self.read_some()
                if not part:
                    self.last = b""
                    break
                parts.append(part)
                size += len(part)
        except Exception as error:
            self.last = error.with_traceback(None)
        return b"".join(parts)
