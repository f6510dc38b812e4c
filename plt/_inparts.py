"""Columns of one file whose parts several threads read at the same time."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

from . import _parts, _plt
from ._parts import Part, Splitting
from ._threads import Crew, ForkedError, Work, once

__all__ = ["InParts", "PartReader"]

#: How many times as many parts a file has whose batches are not all kept: those that wait for the
#: consumer should fit into a processor's cache.
BY_BATCHES = 4


class PartReader(Protocol):
    """What reads a part."""

    def __next__(self) -> _plt._Batch: ...
    def rest(self) -> _plt._Batch | None: ...
    def skip(self, rows: int, /) -> None: ...
    def expect_many(self, memory: object, /) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Readings:
    """How parts are read, by threads and by the consumer."""

    def __init__(
        self, open: Callable[[Part], PartReader], make_memory: Callable[[], object]
    ) -> None:
        self._open = open
        self._make_memory = make_memory
        self._own = threading.local()  # a processor's cache has what its thread read last
        self.at_once = False  # as few batches as can be
        self.ended = False
        self.readers: set[PartReader] = set()

    def opened(self, part: Part) -> PartReader:
        """What reads a part, into memory of the thread's batches that were let go of."""
        reader = self._open(part)
        if not hasattr(self._own, "memory"):
            self._own.memory = self._make_memory()
        reader.expect_many(self._own.memory)
        return reader

    def read(self, part: Part) -> PartRead:
        """Read a part.  What a thread calls."""
        batches: list[_plt._Batch] = []
        try:
            reader = self.opened(part)
            self.readers.add(reader)
            while not self.ended and (batch := self.next_of(reader)) is not None:
                batches.append(batch)
            self.readers.discard(reader)
            reader.close()
        except Exception as error:
            return PartRead(batches, error.with_traceback(None))
        return PartRead(batches)

    def next_of(self, reader: PartReader) -> _plt._Batch | None:
        return reader.rest() if self.at_once else next(reader, None)

    def stop(self) -> None:
        """Let threads that read end soon."""
        self.ended = True
        for reader in self.readers.copy():
            reader.stop()


@dataclass
class PartRead:
    """What a thread read of a part."""

    batches: list[_plt._Batch]
    error: Exception | None = None


class InHand(NamedTuple):
    """A part that a thread reads, or the consumer where it comes to it before a thread does."""

    part: Part
    work: Work[PartRead]


@dataclass
class Here:
    """A part, or all that is left, which the consumer reads batch by batch."""

    part: Part
    reader: PartReader
    is_last: bool  # it goes on to the end of the file
    rows: int = 0  # that it gave


class InParts:
    """Batches of a file that is read part by part: a reader, as `_inorder.Reader` says.

    The consumer's own thread is one of the workers.  It hands on each batch at once, so that their
    memory stays in the processor's cache, while threads read the parts after that one.  Of as many
    parts as there are workers they leave it the first, but take that too where it does not come: it
    may have more to do with its batches.
    """

    def __init__(
        self,
        whole: Splitting,
        open: Callable[[Part], PartReader],
        workers: int,
        make_memory: Callable[[], object],
    ) -> None:
        self._whole = whole
        self._workers = workers
        self._at = whole.start  # of the next record
        self._packets = 0  # before it
        self._readings = Readings(open, make_memory)
        self._crew = Crew(workers - 1, "plt-parts")
        self._pieces = BY_BATCHES
        self._guesses: Iterator[Part] | None = None
        self._hand: deque[InHand] = deque()
        self._batches: deque[_plt._Batch] = deque()
        self._here: Here | None = None
        self._ended = False

    def __next__(self) -> _plt._Batch:
        batch = self._next()
        if batch is None:
            raise StopIteration
        return batch

    def rest(self) -> _plt._Batch | None:
        """What is left, or some of it; None at the end."""
        self._readings.at_once = True
        self._pieces = 1
        return self._next()

    def set_batch(self, rows: int, /) -> None:  # noqa: ARG002  which those that it opens know
        """Batches are kept from now on: as few as can be."""
        self._pieces = 1

    def _next(self) -> _plt._Batch | None:
        batch = None
        try:
            while batch is None and not self._batches and not self._ended:
                if self._here is not None:
                    batch = self._next_of(self._here)
                else:
                    self._take()
        except BaseException:  # what a thread read may be lost
            self.close()
            raise
        return self._batches.popleft() if self._batches else batch

    def _take(self) -> None:
        """Take the next part: what a thread read of it, or begin to read it here."""
        self._look_ahead()
        if not self._hand:
            self._read_left()
            return
        part, work = self._hand.popleft()
        if part.stop is not None and part.stop <= self._at:
            self._crew.drop(work)  # one record goes over all of it
        elif work.claim():
            self._crew.drop(work)
            self._read_here(part.stop)
        else:
            self._take_from_thread(part, work)

    def _look_ahead(self) -> None:
        """Have as many parts in hand as there are workers, and as many after those.

        Of these the first, which the consumer is to read, is the last that threads come to.
        """
        if self._guesses is None:
            self._guesses = self._whole.parts(size=_parts.SIZE // self._pieces)
        while len(self._hand) <= self._workers:
            parts = islice(self._guesses, self._workers)
            more = [InHand(part, Work(once(self._readings.read, part))) for part in parts]
            if not more:
                return
            self._hand.extend(more)
            with contextlib.suppress(ForkedError, RuntimeError):  # the system has no more threads
                for one in (*more[1:], more[0]):
                    self._crew.give(one.work)

    def _take_from_thread(self, part: Part, work: Work[PartRead]) -> None:
        """Take what a thread read of a part; of one that is not as it was guessed read it again."""
        try:
            read = self._crew.take(work)
        except ForkedError:
            read = None
        self._crew.drop(work)
        if read is None:  # that thread is no more
            self._read_left()
        elif part.start != self._at or part.state != self._whole.state:
            self._read_here(part.stop)
        elif read.error is not None and not isinstance(read.error, _plt.LibtraceError):
            raise read.error
        elif read.error is not None or not self._pass(part):
            self._read_left()
        else:
            self._batches.extend(read.batches)

    def _pass(self, part: Part) -> bool:
        """Go on after a part that was read; False where it is not known where its records end."""
        stream = part.stream
        if stream is None or stream.end is None:
            return False
        self._at = stream.end
        self._packets += stream.packets
        self._whole.state = stream.state
        if part.stop is None:
            self._end()
        return True

    def _read_here(self, stop: int | None) -> None:
        """Begin to read what is up to an offset here."""
        part = self._whole.part(self._at, stop)
        self._here = Here(part, self._readings.opened(part), is_last=False)

    def _read_left(self, given: int = 0) -> None:
        """Read all that is left by one reader, which meets what is wrong with it.

        It leaves out so many rows, which were given.
        """
        self._crew.stop()
        part = self._whole.part(self._at, None, self._packets)
        reader = self._readings.opened(part)
        self._here = Here(part, reader, is_last=True)
        reader.skip(given)

    def _next_of(self, here: Here) -> _plt._Batch | None:
        """The next batch of what is read here; None at its end."""
        try:
            batch = self._readings.next_of(here.reader)
        except _plt.LibtraceError:
            if here.is_last:
                raise
            self._read_left(here.rows)
            return None
        if batch is not None:
            here.rows += len(batch)
        elif here.is_last:
            self._end()
        else:
            here.reader.close()
            self._here = None
            if not self._pass(here.part):
                self._read_left(here.rows)
        return batch

    def _end(self) -> None:
        self._ended = True
        self._crew.close()

    def close(self) -> None:
        """Read no more."""
        self._batches.clear()
        self._readings.stop()
        self._end()
        if self._here is not None:
            self._here.reader.close()
