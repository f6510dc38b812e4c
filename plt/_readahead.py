"""A thread that decompresses a file ahead of who reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy

from ._threads import Crew, Work

__all__ = ["LOST_PLACE", "ReadAhead"]

#: Bytes that the thread hands over at once, at least, and how many times it does so ahead.
AT_ONCE = 1 << 18
TIMES_AHEAD = 4
MARGIN = 1 << 16  # for the last of what is handed over at once

LOST_PLACE = "an interrupt lost the place in the compressed data"


#: What is handed over: a part of a buffer that is used again, or what did not fit into one.
Bytes = bytes | memoryview


class ReadAhead:
    """What a function gives and raises, in order, called by a thread ahead of time.

    The function gives some bytes, none at the end.
    """

    def __init__(self, read_some: Callable[[], bytes]) -> None:
        self._pieces = _Pieces(read_some)
        self._given: Bytes = b""  # what is to be freed
        self._work: Work[Bytes] = Work(self._pieces, TIMES_AHEAD)
        self._crew = Crew(1, "plt-read-ahead")
        self._crew.give(self._work)
        # what it ended with; an exception without a traceback, whose frames would hold the trace
        self._end: Bytes | Exception | None = None

    def free(self) -> None:
        """What `get()` gave last is not used any more."""
        given, self._given = self._given, b""
        if isinstance(given, memoryview):
            self._pieces.buffers.append(given.obj)  # type: ignore[arg-type]

    def get(self) -> Bytes | None:
        """Some bytes, none at the end; None where the interpreter ends: who asks must go on.

        They stay as they are until `free()` is called.
        """
        if self._end is None:
            item = self._item()
            if item is None:
                return None
            if item and not isinstance(item, Exception):
                self._given = item
                return item
            self._end = item
        if isinstance(self._end, Exception):
            raise copy(self._end)
        return self._end

    def _item(self) -> Bytes | Exception | None:
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


def _exception(item: Bytes | BaseException | None) -> Bytes | Exception | None:
    """The item; what is no Exception is raised."""
    if isinstance(item, BaseException) and not isinstance(item, Exception):
        raise item
    return item


class _Pieces:
    """What a function gives, some calls at once; at the end no bytes, then None.

    What is given is in buffers that are used again: fresh memory has to be zeroed by the kernel.
    """

    def __init__(self, read_some: Callable[[], bytes]) -> None:
        self.read_some = read_some
        self.buffers: deque[bytearray] = deque()  # that are free
        self.over: bytes | Exception | None = None  # what comes after those in a buffer
        self.ended = False

    def __call__(self) -> Bytes | None:
        if self.ended:
            return None
        if self.over is None and (some := self.several()):
            return some
        over, self.over = self.over, None
        self.ended = not (over and isinstance(over, bytes))
        if isinstance(over, Exception):
            raise over
        return over

    def several(self) -> Bytes:
        """Some bytes; `over` is what comes after them, where that is known."""
        try:
            buffer = self.buffers.pop()
        except IndexError:
            buffer = bytearray(AT_ONCE + MARGIN)
        size = 0
        try:
            while size < AT_ONCE:
                part = self.read_some()
                if not part or len(part) > len(buffer) - size:
                    self.over = part
                    break
                buffer[size : size + len(part)] = part
                size += len(part)
        except Exception as error:
            self.over = error.with_traceback(None)
        if size == 0:
            self.buffers.append(buffer)
        return memoryview(buffer)[:size]
