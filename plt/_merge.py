"""The packets of several traces in the order of time."""

from __future__ import annotations

import heapq
from collections import deque
from typing import Self

from . import _plt
from ._progress import Progress, Tell, measured
from ._sources import Source, Sources, sources_of

__all__ = ["Merged", "merge"]


class Merged:
    """The packets of several traces by time, as an iterator; closing it closes what it opened.

    After a LibtraceError, which ends the trace that it is of, the packets of the others go on.
    """

    def __init__(
        self, sources: list[Source], filter: _plt.filter | str | None, progress: Progress | None
    ) -> None:
        if isinstance(filter, str):
            filter = _plt.filter(filter)
        self._filter = filter
        self._progress = progress
        self._opened: list[_plt.trace] = []
        self._traces = [self._trace(source) for source in sources]
        #: the number of the trace is next to the time: it decides where times are the same
        self._heads: list[tuple[int, int, _plt.packet]] = []
        self._due = deque(range(len(self._traces)))  # of which a packet is to be read
        self._closed = False

    def _trace(self, source: Source) -> _plt.trace:
        if isinstance(source, _plt.trace):
            return source
        trace = _plt.trace(source, filter=self._filter)
        self._opened.append(trace)
        return trace

    def _accepts(self, trace: _plt.trace, packet: _plt.packet) -> bool:
        """Whether a packet of a trace that was given matches; ours filter for themselves."""
        return self._filter is None or trace in self._opened or packet.apply_filter(self._filter)

    def _read(self, number: int) -> None:
        """Take the next packet of a trace, which is closed at its end."""
        trace = self._traces[number]
        trace.start()
        for packet in trace:
            if self._accepts(trace, packet):
                heapq.heappush(self._heads, (packet.time_ns, number, packet))
                return
        if trace in self._opened:
            trace.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _plt.packet:
        while self._due:
            try:
                self._read(self._due[0])
            except _plt.LibtraceError:
                self._due.popleft()
                raise
            self._due.popleft()
        if self._closed or not self._heads:
            self._tell_end()
            raise StopIteration
        _, number, packet = heapq.heappop(self._heads)
        self._due.append(number)
        return packet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        number = len(self._traces)
        return f"<plt.merge of {number} trace{'s' * (number != 1)}>"

    def close(self) -> None:
        """Give no more packets, and close the traces that were opened for this."""
        self._closed = True
        self._due.clear()
        self._heads.clear()
        for trace in self._opened:
            trace.close()
        self._tell_end()

    def _tell_end(self) -> None:
        if self._progress is not None:
            self._progress.close()


def merge(
    sources: Sources, *, filter: _plt.filter | str | None = None, progress: Tell = None
) -> Merged:
    """The packets of several traces in the order of time, one after another.

    sources are what plt.columns() takes; a plt.trace is started where it is not, and stays open.
    Packets of the same time come in the order of the sources.  A trace whose time goes back keeps
    its order: such a packet comes at once after the one before it.  filter lets only packets
    through that match; progress is that of plt.columns().  All traces are open at the same time.

    ValueError where there are no sources; LibtraceError where a trace can't be read, with which
    that trace ends: asked again, the packets of the others go on.
    """
    found = sources_of(sources)
    if not found:
        raise ValueError("no sources to read")
    counted, told = measured(found, progress)
    return Merged(counted, filter, told)
