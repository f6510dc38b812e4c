"""The batches of several sources in order, read one after another or ahead by threads.

What reads a source is a Reader; how the sources of one plt.columns() or pldns.columns() are read is
a Reading.  A source that is read ahead, by a thread or on another machine, is read before it is
known what the sources before it hold: where that matters, its reader gives what `Reading.in_order`
makes batches of when its turn comes.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

from . import _plt
from ._inparts import InParts, PartReader
from ._parts import Part, splitting
from ._progress import Progress
from ._sources import Source, is_file
from ._threads import Crew, Work

#: What threads read ahead of the consumer at most, all together; but each of them two batches.
ROWS_AHEAD = 1 << 22
BATCHES_AHEAD = 1024
#: Batches whose memory each thread that reads parts of a file uses again.
BATCHES_KEPT = 128


class Reader(Protocol):
    """What reads one source: an iterator of batches, or of what `Reading.in_order` takes."""

    def __next__(self) -> Any: ...
    def rest(self) -> Any:
        """What is left, or some of it; None at the end."""

    def close(self) -> None: ...


@runtime_checkable
class BatchReader(Protocol):
    """A reader whose batches may become larger."""

    def set_batch(self, rows: int, /) -> None: ...


@runtime_checkable
class StopReader(Protocol):
    """A reader that can end in the midst of a batch."""

    def stop(self) -> None:
        """Read no more: what was read of a batch comes, and then the end."""


class Readers(Protocol):
    """Readers of sources, in order."""

    def __next__(self) -> Reader: ...


class AheadReader(Reader, StopReader, Protocol):
    """What reads a source ahead of its turn, in a thread that ends soon when it is stopped."""


class Lane(Reader, Protocol):
    """The consumer's end of a source that is read ahead: it gives what the AheadReader gives."""

    def again(self, **settings: Any) -> None:
        """Go on with what Reading.ahead reads of the source with these settings, once more."""

    def give_up(self) -> None:
        """End all that is read ahead: what this gave was lost."""


def _as_it_is(lane: Lane) -> Reader:
    return lane


@dataclass
class Rows:
    """The most rows of a batch, and of one for who keeps them all."""

    most: int
    most_kept: int = 0

    def keep(self) -> None:
        """From now on batches are kept."""
        self.most = max(self.most, self.most_kept)


class Reading(NamedTuple):
    """How sources are read."""

    #: A batch without rows.
    empty: _plt._Batch
    #: A reader of a source whose turn has come, and of up to so many rows, -1 for all.
    open: Callable[[Source, int], Reader]
    #: The same ahead of its turn, with more keywords for `Lane.again()`; pickle takes it.
    ahead: Callable[..., AheadReader]
    #: A reader of batches made of a lane when its turn has come: what was read ahead holds there,
    #: or is looked at again.
    in_order: Callable[[Lane], Reader] = _as_it_is
    #: Formats of files of which `open` may read parts at the same time.
    splits: Collection[str] = ()
    #: The most rows of its batches.
    batch: Rows = Rows(1)


class Limit:
    """How many rows are left of a limit over all sources."""

    def __init__(self, rows: int | None) -> None:
        self.rows = rows

    def left(self) -> int:
        """That many, -1 without a limit."""
        return -1 if self.rows is None else self.rows

    def count(self, batch: _plt._Batch) -> None:
        """Take the rows of a batch off it."""
        if self.rows is not None:
            self.rows -= len(batch)


class InTurn:
    """The batches of several readers, one reader after the other; for any thread.

    Ctrl-C ends them all, with `stop` also what is read ahead.
    """

    def __init__(
        self,
        readers: Readers,
        limit: Limit,
        stop: Callable[[], None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.reader = next(readers)
        self.readers = readers
        self.limit = limit
        self.stop = stop
        self.progress = progress
        self.lock = threading.RLock()

    def __iter__(self) -> Iterator[_plt._Batch]:
        return self

    def __next__(self) -> _plt._Batch:
        with self.lock:
            try:
                while (batch := next(self.reader, None)) is None:
                    self.reader = self._following()
                return self._counted(batch)
            except BaseException as error:
                self._end_at(error)
                raise

    def rest(self) -> Iterator[_plt._Batch]:
        """What is left, as few batches as can be."""
        with self.lock:
            try:
                while True:
                    # asked again, a reader raises what came after the last batch
                    while (batch := self.reader.rest()) is not None:
                        yield self._counted(batch)
                    try:
                        self.reader = self._following()
                    except StopIteration:
                        self._tell_end()
                        return
            except BaseException as error:
                self._end_at(error)
                raise

    def set_batch(self, rows: int) -> None:
        """Let the reader that is open give batches of up to so many rows from now on."""
        with self.lock:
            if isinstance(self.reader, BatchReader):
                self.reader.set_batch(rows)

    def finish(self) -> None:
        """Read no more: what was read of a batch comes, and then the end."""
        if isinstance(self.reader, StopReader):
            self._end_ahead()
            self.reader.stop()
        else:
            self.close()

    def _following(self) -> Reader:
        if self.limit.left() == 0:
            raise StopIteration
        return next(self.readers)

    def _counted(self, batch: _plt._Batch) -> _plt._Batch:
        self.limit.count(batch)
        return batch

    def _end_at(self, error: BaseException) -> None:
        """After an error of one source comes the next; Ctrl-C ends all, but for what was read."""
        if isinstance(error, Exception):
            if isinstance(error, StopIteration):
                self._tell_end()
        elif self.stop is None or isinstance(self.reader, StopReader):
            self._end_ahead()
            self._tell_end()
        else:
            self.close()

    def _end_ahead(self) -> None:
        """Open no more sources, and end what is read ahead."""
        self.readers = iter(())
        if self.stop is not None:
            self.stop()

    def _tell_end(self) -> None:
        if self.progress is not None:
            self.progress.close()

    def close(self) -> None:
        """Read no more; LibtraceError where another thread reads, but not what it was given."""
        self._end_ahead()
        self.reader.close()
        self._tell_end()


class OneByOne:
    """Readers of sources, each opened in its turn; after one that can't be, the next.

    With several workers these read parts of a file at the same time, where there is no limit.
    """

    def __init__(
        self, reading: Reading, sources: Sequence[Source], limit: Limit, workers: int = 1
    ) -> None:
        self._reading = reading
        self._sources = iter(sources)
        self._limit = limit
        self._workers = workers

    def __next__(self) -> Reader:
        source = next(self._sources)
        if self._workers > 1 and self._reading.splits:
            whole = splitting(source, self._reading.splits)
            if whole is not None:
                make_memory = partial(
                    self._reading.empty.memory, BATCHES_KEPT, self._reading.batch.most
                )
                return InParts(whole, self._open_part, self._workers, make_memory)
        return self._reading.open(source, self._limit.left())

    def _open_part(self, part: Part) -> PartReader:
        return cast(PartReader, self._reading.ahead(part, -1))


# --- Ahead by threads -------------------------------------------------------------------------


class _Task:
    """What a thread does for a source: opens it, then reads some of it with each call."""

    def __init__(self, open: Callable[..., AheadReader]) -> None:
        self.open = open
        self.reader: AheadReader | None = None
        self.ended = False
        self.at_once = False  # as few batches as can be

    def read(self) -> Any:
        if self.reader is None and not self.ended:
            self.reader = self._opened()
        if self.reader is None or self.ended:  # it may have been ended while the source was opened
            return None
        return self.reader.rest() if self.at_once else next(self.reader, None)

    def _opened(self) -> AheadReader:
        try:
            return self.open()
        except BaseException:
            self.ended = True
            raise

    def stop(self) -> None:
        self.ended = True
        if self.reader is not None:
            self.reader.stop()

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()


class _Job:
    """A source in hand."""

    def __init__(self, reading: Reading, source: Source, room: int, least: int) -> None:
        self.source = source
        # else the consumer's own thread reads it in its turn
        self.for_thread = is_file(source, least)
        self.task = task = _Task(partial(reading.ahead, source, -1))
        self.work: Work[Any] = Work(task.read, room, task.stop, task.close)
        self.given = False  # to the threads

    def hurry(self) -> None:
        """Let all of it be read, with no bound."""
        self.task.at_once = True
        self.work.unbound()


class _ThreadLane:
    """The consumer's end of a source that a thread reads."""

    def __init__(self, owner: InThreads, job: _Job) -> None:
        self.owner = owner
        self.job = job
        self.ended = False
        self.second: AheadReader | None = None  # of this thread, where it reads the source again

    def __next__(self) -> Any:
        item = next(self.second, None) if self.second is not None else self._handed_over()
        if item is None:
            raise StopIteration
        return item

    def rest(self) -> Any:
        self.owner.hurry()
        return self.second.rest() if self.second is not None else self._handed_over()

    def _handed_over(self) -> Any:
        crew, work = self.owner.crew, self.job.work
        if not self.job.given:
            self.owner.look_ahead()
        if self.ended or crew.stopped:
            return None
        if crew.is_forked and work.out.empty():
            self.ended = True
            raise _plt.LibtraceError("the threads that read are in the process that was forked")
        try:
            item = work.get()
        except BaseException:  # a signal's: whether an item was lost is unknown
            self.give_up()
            raise
        if isinstance(item, BaseException):
            try:
                raise item
            finally:
                del item  # or it and this frame would keep each other
        self.ended = item is None
        return item

    def again(self, **settings: Any) -> None:
        self.ended = True
        self.owner.crew.drop(self.job.work)
        self.second = self.job.task.open(**settings)

    def give_up(self) -> None:
        self.owner.close()

    def close(self) -> None:
        if self.second is not None:
            self.second.close()
        if not self.job.given:
            self.job.task.close()


class InThreads:
    """Readers of sources that some threads read ahead, in the order of the sources.

    Threads read files alone, of so many bytes at least: to hand over a small one takes as long as
    to read it.  That, a trace that is open, a pipe or an interface is read by the consumer's own
    thread in its turn.  No thread begins before the first batch is asked for.
    """

    def __init__(
        self, reading: Reading, sources: Sequence[Source], workers: int, batch: int, least: int = 0
    ) -> None:
        self.reading = reading
        self._least = least
        self._sources = deque(sources)
        self._most = min(workers, len(sources))  # sources in hand
        #: Batches that a thread may read ahead of the consumer.
        self.room = max(2, min(ROWS_AHEAD // batch, BATCHES_AHEAD) // self._most)
        self._hurried = False
        self._begun = False
        self.jobs: deque[_Job] = deque()  # the consumer's first
        self.crew = Crew(self._most, "plt-columns")

    def __next__(self) -> Reader:
        jobs = self.jobs
        if self._begun and jobs:
            self.crew.drop(jobs.popleft().work)
        if self.crew.stopped or not (jobs or self._sources):
            raise StopIteration
        if self._begun:
            with contextlib.suppress(RuntimeError):  # no thread: the lane tries again, and tells
                self.look_ahead()
        if not jobs:
            jobs.append(self._job())
        first, self._begun, job = not self._begun, True, jobs[0]
        if not job.for_thread:
            return self.reading.open(job.source, -1)
        if first:
            job.task.reader = job.task.open()  # what is wrong with it is told at once
        return self.reading.in_order(_ThreadLane(self, job))

    def look_ahead(self) -> None:
        """Give as many sources to the threads as may be in hand.

        No source waits for a thread that waits for room in a later one: they are read in order.
        """
        while self._sources and (self._hurried or len(self.jobs) < self._most):
            self.jobs.append(self._job())
        for job in self.jobs:
            if job.for_thread and not (job.given or self.crew.stopped or self.crew.is_forked):
                self.crew.give(job.work)
                job.given = True

    def hurry(self) -> None:
        """Let all be read, with no bound but the number of threads."""
        if not self._hurried:
            self._hurried = True
            for job in self.jobs:
                job.hurry()
            self.look_ahead()

    def close(self) -> None:
        """End the threads."""
        self.crew.close()

    def _job(self) -> _Job:
        job = _Job(self.reading, self._sources.popleft(), self.room, self._least)
        if self._hurried:
            job.hurry()
        return job
