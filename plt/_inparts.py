"""Columns of one file whose parts several threads read at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from . import _plt
from ._parts import Part, Splitting
from ._threads import Crew, ForkedError

__all__ = ["InParts", "PartReader"]


class PartReader(Protocol):
    """What reads a part."""

    def __next__(self) -> _plt._Batch: ...
    def rest(self) -> _plt._Batch | None: ...
    def expect_many(self, memory: object, /) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Readings:
    """How the threads read parts, and what they are at."""

    def __init__(self, open: Callable[[Part], PartReader], memory: object) -> None:
        self.open = open
        self.memory = memory  # that batches of all parts use again
        self.at_once = False  # as few batches as can be
        self.ended = False
        self.readers: set[PartReader] = set()

    def read(self, part: Part) -> PartRead:
        """Read a part."""
        batches: list[_plt._Batch] = []
        try:
            reader = self.open(part)
            self.readers.add(reader)
            reader.expect_many(self.memory)
            while not self.ended and (batch := self.next_of(reader)) is not None:
                batches.append(batch)
            self.readers.discard(reader)
            reader.close()
        except Exception as error:
            return PartRead(part, batches, error.with_traceback(None))
        return PartRead(part, batches)

    def next_of(self, reader: PartReader) -> _plt._Batch | None:
        return reader.rest() if self.at_once else next(reader, None)

    def stop(self) -> None:
        """Let threads that read end soon."""
        self.ended = True
        for reader in self.readers.copy():
            reader.stop()


@dataclass
class PartRead:
    """What was read of a part."""

    part: Part
    batches: list[_plt._Batch]
    error: Exception | None = None


class InParts:
    """Batches of a file that threads read part by part: a reader, as `_inorder.Reader` says."""

    def __init__(
        self,
        whole: Splitting,
        open: Callable[[Part], PartReader],
        workers: int,
        memory: object,
    ) -> None:
        self._whole = whole
        self._at = whole.start  # of the next record
        self._packets = 0  # before it
        self._readings = Readings(open, memory)
        self._crew = Crew(workers, "plt-parts")
        self._parts = self._crew.in_order(self._readings.read, whole.parts(), workers + 1)
        self._batches: deque[_plt._Batch] = deque()
        self._left: PartReader | None = None  # what reads all that is left
        self._ended = False

    def __next__(self) -> _plt._Batch:
        batch = self._next()
        if batch is None:
            raise StopIteration
        return batch

    def rest(self) -> _plt._Batch | None:
        """What is left, or some of it; None at the end."""
        self._readings.at_once = True
        return self._next()

    def _next(self) -> _plt._Batch | None:
        while not (self._batches or self._ended or self._left is not None):
            try:
                self._take()
            except BaseException:  # what a thread read may be lost
                self.close()
                raise
        if self._left is not None:
            return self._readings.next_of(self._left)
        return self._batches.popleft() if self._batches else None

    def _take(self) -> None:
        """Take a part that was read; of one that is not as it was guessed read what there is."""
        read = self._following()
        if read is not None and read.part.stop is not None and read.part.stop <= self._at:
            return  # one record goes over all of it
        if read is not None and not self._is_next(read.part):
            part = self._whole.part(self._at, read.part.stop)
            read = self._readings.read(part)
        if read is not None and read.error is not None:
            if not isinstance(read.error, _plt.LibtraceError):
                raise read.error
            read = None
        stream = None if read is None else read.part.stream
        if read is None or stream is None or stream.end is None:
            self._read_left()
            return
        self._batches.extend(read.batches)
        self._at = stream.end
        self._packets += stream.packets
        self._whole.state = stream.state
        if read.part.stop is None:
            self._end()

    def _following(self) -> PartRead | None:
        """The next part that was read; None where threads read no more."""
        try:
            return next(self._parts, None)
        except (ForkedError, RuntimeError):  # the system has no more threads
            return None

    def _is_next(self, part: Part) -> bool:
        return part.start == self._at and part.state == self._whole.state

    def _read_left(self) -> None:
        """Read all that is left by one reader, which meets what is wrong with it."""
        self._crew.stop()
        self._left = self._readings.open(self._whole.part(self._at, None, self._packets))

    def _end(self) -> None:
        self._ended = True
        self._crew.close()

    def close(self) -> None:
        """Read no more."""
        self._batches.clear()
        self._readings.stop()
        self._end()
        if self._left is not None:
            self._left.close()
