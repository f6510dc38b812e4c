"""The bytes of TCP connections, put in order, of one trace or several."""

from __future__ import annotations

import math
import operator
import os
import threading
from collections.abc import Iterator
from typing import SupportsIndex

import plt
from natkit._natkit import Stream, _StreamReader
from plt.shared import (
    Progress,
    SharedFilter,
    Source,
    Sources,
    Tell,
    measured,
    shared_filter,
    sources_of,
)

__all__ = ["streams"]

#: Offsets into bytes and sums of them stay far from what 64 bits hold.
MOST = 1 << 48


def _size(name: str, value: SupportsIndex, least: int = 1) -> int:
    """A number of bytes; ValueError where it is out of range."""
    number = operator.index(value)
    if not least <= number <= MOST:
        raise ValueError(f"{name} is {least} to 2**48 bytes, not {number}")
    return number


def streams(
    source: Sources,
    *,
    filter: plt.filter | str | None = None,
    way_limit: SupportsIndex = 1 << 24,
    memory: SupportsIndex = 1 << 28,
    window: SupportsIndex = 1 << 20,
    idle_timeout: float = 600.0,
    progress: Tell = None,
) -> Iterator[Stream]:
    """The bytes that both ends of each TCP connection sent, in order: an iterator of Stream.

    source is what plt.columns() takes: a trace, a URI, a path, an open binary file, a folder, or a
    list of these, read in order as one; filter lets only packets through that match, progress is
    that of plt.columns(). A stream comes when its connection is over: 5 seconds of the trace's time
    after a FIN each way or a RST, with the SYN of another connection between the same ends, after
    idle_timeout seconds without a packet; the rest at the end, in the order in which they began.
    Fragments of IP packets are put together first. Checksums are not looked at.

    Of bytes that came twice the first are kept. way_limit is how many bytes of each way are kept,
    from the first on. A segment that begins more than window bytes after all before it is dropped,
    unless a second one follows on it, as after many lost packets. `StreamWay.dropped` counts the
    bytes of both. All streams in hand take memory bytes at most, to which 24 bytes a segment count:
    the one without a packet for the longest time ends early then.

    ValueError for a number out of range; LibtraceError where a trace can't be read: the iterator
    goes on with what was read before it, and the next trace.
    """
    if not 0 < idle_timeout < 1e9:
        raise ValueError(
            f"idle_timeout is more than 0 seconds and less than 10**9, not {idle_timeout}"
        )
    sources = sources_of(source)
    if not sources:
        raise ValueError("no sources to read")
    reader = _StreamReader(
        os.urandom(16),
        _size("way_limit", way_limit),
        _size("window", window, 0),
        _size("memory", memory),
        math.ceil(idle_timeout * 1e9),
    )
    counted, told = measured(sources, progress)
    return _Streams(reader, counted, shared_filter(filter), told)


class _Streams:
    """Reads one source after another; for any thread."""

    def __init__(
        self,
        reader: _StreamReader,
        sources: list[Source],
        filter: SharedFilter,
        progress: Progress | None,
    ) -> None:
        self._reader = reader
        self._sources = iter(sources)
        self._number = len(sources)
        self._opened = 0
        self._filter = filter
        self._progress = progress
        self._finished = False
        self._lock = threading.RLock()

    def __iter__(self) -> Iterator[Stream]:
        return self

    def __repr__(self) -> str:
        state = "at its end" if self._finished else f"{self._opened} opened"
        return f"<natkit.streams of {self._number} source{'s' * (self._number != 1)}, {state}>"

    def __next__(self) -> Stream:
        with self._lock:
            while (stream := next(self._reader, None)) is None:
                if self._finished:
                    raise StopIteration
                self._go_on()
            return stream

    def _go_on(self) -> None:
        """Open the next source, or end all streams after the last."""
        for source in self._sources:
            self._reader.open(source, self._filter)
            self._opened += 1
            return
        self._reader.finish()
        self._finished = True
        if self._progress is not None:
            self._progress.close()
