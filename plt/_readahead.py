"""A thread that decompresses a file ahead of who reads it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from ._threads import start

__all__ = ["ReadAhead"]

#: Bytes that the thread hands over at once, at least, and how many times it does so ahead.
AT_ONCE = 1 << 18
TIMES_AHEAD = 4


class ReadAhead:
    """What a function gives and raises, call for call, called by a thread ahead of time.

    The function gives some bytes, none at the end.
    """

    def __init__(self, read_some: Callable[[], bytes]) -> None:
        self._out: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._room: SimpleQueue[bool] = SimpleQueue()  # an item for each that may be put out
        self._gone: SimpleQueue[None] = SimpleQueue()  # an item when the thread calls no more
        self._end: bytes | Exception | None = None  # what it ended with
        for _ in range(TIMES_AHEAD):
            self._room.put(True)
        queues = self._out, self._room, self._gone
        self._thread = threading.Thread(
            target=_run, args=(read_some, *queues), name="plt-read-ahead", daemon=True
        )
        start(self._thread)

    def get(self) -> bytes:
        """Some bytes, none at the end."""
        if self._end is None and not self._thread.is_alive() and self._out.empty():
            self._end = OSError("the thread that decompresses is in the process that was forked")
        if self._end is None:
            try:
                item = self._out.get()
                self._room.put(True)
            except BaseException:  # Ctrl-C: nobody knows whether an item was lost
                self._end = OSError("an interrupt lost the place in the compressed data")
                raise
            if item and isinstance(item, bytes):
                return item
            self._end = item
        if isinstance(self._end, Exception):
            raise self._end
        return self._end

    def stop(self) -> None:
        """Let the thread end, and wait until it calls no more.

        The collector may call this anywhere: to wait for the end of the thread itself could need
        a lock of the threading module that is taken.
        """
        if self._end is None:
            self._end = b""
        self._room.put(False)
        if self._thread.is_alive():
            self._gone.get()
            self._gone.put(None)


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
