"""A thread that decompresses a file ahead of who reads it."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from copy import copy
from queue import SimpleQueue

from ._threads import start

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
        self._out: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._room: SimpleQueue[bool] = SimpleQueue()  # an item for each that may be put out
        self._gone: SimpleQueue[None] = SimpleQueue()  # an item when the thread calls no more
        # what it ended with; an exception without a traceback, whose frames would hold the trace
        self._end: bytes | Exception | None = None
        for _ in range(TIMES_AHEAD):
            self._room.put(True)
        queues = self._out, self._room, self._gone
        self._thread = threading.Thread(
            target=_run, args=(read_some, *queues), name="plt-read-ahead", daemon=True
        )
        start(self._thread)
        # at the interpreter's end, before that freezes the thread in the middle of a call
        self._at_exit = weakref.finalize(self, _stop, self._thread, self._room, self._gone)

    def get(self) -> bytes | None:
        """Some bytes, none at the end; None where the interpreter ends: who asks must go on."""
        if self._end is None and not (self._at_exit.alive and self._thread.is_alive()):
            _wait(self._thread, self._gone)  # what it still reads it puts out
            if self._out.empty() and not self._at_exit.alive:
                return None
            if self._out.empty():
                self._end = OSError(
                    "the thread that decompresses is in the process that was forked"
                )
        if self._end is None:
            try:
                item = self._out.get()
                self._room.put(True)
            except BaseException:  # a signal's: whether an item was lost is unknown
                self._end = OSError(LOST_PLACE)
                raise
            if item and isinstance(item, bytes):
                return item
            self._end = item
        if isinstance(self._end, Exception):
            raise copy(self._end)
        return self._end

    def stop(self) -> None:
        """Let the thread end, and wait until it calls no more."""
        if self._end is None:
            self._end = b""
        self._at_exit.detach()
        _stop(self._thread, self._room, self._gone)


def _stop(thread: threading.Thread, room: SimpleQueue[bool], gone: SimpleQueue[None]) -> None:
    """Let the thread end, and wait until it calls no more.

    The collector may call this anywhere: to wait for the end of the thread itself could need a
    lock of the threading module that is taken.  A thread of an interpreter that is finalized
    does not go on, and is not waited for.
    """
    room.put(False)
    _wait(thread, gone)


def _wait(thread: threading.Thread, gone: SimpleQueue[None]) -> None:
    """Wait until the thread calls no more."""
    if thread.is_alive() and not sys.is_finalizing():
        gone.get()
        gone.put(None)


def _run(
    read_some: Callable[[], bytes],
    out: SimpleQueue[bytes | Exception],
    room: SimpleQueue[bool],
    gone: SimpleQueue[None],
) -> None:
    """What the thread does."""
    try:
        while room.get() and _read(read_some, out):
            pass
    finally:
        gone.put(None)


def _read(read_some: Callable[[], bytes], out: SimpleQueue[bytes | Exception]) -> bool:
    """Put out some bytes and, where that is all, what comes behind them; whether it is not."""
    parts: list[bytes] = []
    last: bytes | Exception = b""
    size = 0
    try:
        while size < AT_ONCE and (last := read_some()):
            parts.append(last)
            size += len(last)
    except Exception as error:
        last = error.with_traceback(None)
    if parts:
        out.put(b"".join(parts))
    if size >= AT_ONCE and isinstance(last, bytes):
        return True
    out.put(last)
    return False
