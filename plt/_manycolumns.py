"""The batches of columns of several sources in order, one after another or ahead by threads.

What reads a source is a Reader.  InThreads is an iterator of readers that begins with later sources
while the consumer is at an earlier one.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from . import _plt
from ._threads import start

Source = str | bytes | os.PathLike[str] | _plt.trace

#: What threads read ahead of the consumer at most, all together; but each of them two batches.
ROWS_AHEAD = 1 << 22
BATCHES_AHEAD = 1024


class Reader(Protocol):
    """What reads one source."""

    def __next__(self) -> _plt._Batch: ...
    def rest(self) -> _plt._Batch | None:
        """What is left, or some of it; nothing or an empty batch at the end."""

    def empty(self) -> _plt._Batch: ...
    def close(self) -> None: ...


class Limit:
    """How many rows are left of a limit over all sources."""

    def __init__(self, rows: int) -> None:
        self.left = rows


class InTurn:
    """The batches of several readers, one reader after the other; for any thread.

    With `stop`, which ends what is read ahead, Ctrl-C ends them all.
    """

    def __init__(
        self,
        readers: Iterator[Reader],
        limit: Limit | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self.reader = next(readers)
        self.readers = readers
        self.limit = limit
        self.stop = stop
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
                    # asked again, a reader raises what came behind the last batch
                    while batch := self.reader.rest():
                        yield self._counted(batch)
                    try:
                        self.reader = self._following()
                    except StopIteration:
                        return
            except BaseException as error:
                self._end_at(error)
                raise

    def _following(self) -> Reader:
        if self.limit is not None and self.limit.left == 0:
            raise StopIteration
        return next(self.readers)

    def _counted(self, batch: _plt._Batch) -> _plt._Batch:
        if self.limit is not None:
            self.limit.left -= len(batch)
        return batch

    def _end_at(self, error: BaseException) -> None:
        """Ctrl-C ends what is read ahead; behind what is wrong with one source goes on the next."""
        if self.stop is not None and not isinstance(error, Exception):
            self.close()

    def close(self) -> None:
        """Read no more; LibtraceError where another thread reads, but not what it was given."""
        self.readers = iter(())
        if self.stop is not None:
            self.stop()
        self.reader.close()


# --- Ahead by threads -------------------------------------------------------------------------


class _Job:
    """A source that a thread reads: its batches and errors, at the end None, go into a queue.

    Nothing here but queues waits: what interrupts them leaves them whole.
    """

    def __init__(self, open: Callable[[], Reader], for_thread: bool, room: int) -> None:
        self.open = open
        self.for_thread = for_thread  # else the consumer's own thread reads it in its turn
        self.given = False  # to the threads
        self.stopped = False
        self.endless = False  # there is room for all of it
        self.reader: Reader | None = None
        self.out: SimpleQueue[_plt._Batch | Exception | None] = SimpleQueue()
        self.room: SimpleQueue[None] = SimpleQueue()  # an item for each that may be put out
        for _ in range(room):
            self.room.put(None)

    def hurry(self) -> None:
        """Let all of it be read, as few batches as can be."""
        self.endless = True
        self.room.put(None)

    def stop(self) -> None:
        """Let its thread and its consumer go."""
        self.stopped = True
        if isinstance(self.reader, _plt._ColumnReader):
            self.reader.stop()
        self.room.put(None)
        self.out.put(None)

    def read(self) -> None:
        """Read it: what the thread does."""
        try:
            while self._read_one():
                pass
            if self.reader is not None:
                self.reader.close()
        finally:
            self.out.put(None)

    def _read_one(self) -> bool:
        if not self.endless:
            self.room.get()
        try:
            if self.reader is None and not self.stopped:
                self.reader = self.open()
            if self.reader is None or self.stopped:
                return False
            batch = self.reader.rest() if self.endless else next(self.reader, None)
        except Exception as error:
            self.out.put(error.with_traceback(None))
            return self.reader is not None
        if batch:
            self.out.put(batch)
        return bool(batch)


class _Crew:
    """Some threads and the jobs in hand, the consumer's first.  It knows nothing of who owns it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.threads: list[threading.Thread] = []
        self.jobs: deque[_Job] = deque()
        self.todo: SimpleQueue[_Job | None] = SimpleQueue()
        self.gone: SimpleQueue[None] = SimpleQueue()  # an item for each thread that reads no more
        self.stopped = False

    def give(self, job: _Job) -> None:
        """Give a job to the threads.

        They take them in order: no job waits for a thread that waits for room in a later one.
        """
        if job.given or not job.for_thread or self.stopped:
            return
        if len(self.threads) < self.most:
            thread = threading.Thread(
                target=_work, args=(self.todo, self.gone), name="plt-columns", daemon=True
            )
            self.threads.append(thread)
            try:
                start(thread)
            except Exception as error:
                self.threads.pop()  # it would be taken for one that reads
                if not (self.threads and isinstance(error, RuntimeError)):
                    raise
                self.most = len(self.threads)  # the system has no more
        job.given = True
        self.todo.put(job)

    def stop(self) -> None:
        """Let the threads end, and wait until they read no more.

        The collector may call this anywhere: waiting for the end of a thread itself could need a
        lock of the threading module that is taken.
        """
        self.tell()
        for _ in self._others():
            self.gone.get()

    def tell(self) -> None:
        """Tell the threads that they are to end; once more does no harm."""
        self.stopped = True
        for job in self.jobs.copy():
            job.stop()
        for _ in self.threads:
            self.todo.put(None)

    def join(self) -> None:
        """Wait until the threads are gone."""
        for thread in self._others():
            thread.join()

    def _others(self) -> list[threading.Thread]:
        """The threads that there are, but for this one; of a parent process there are none."""
        this = threading.current_thread()
        return [thread for thread in self.threads if thread.is_alive() and thread is not this]


def _work(todo: SimpleQueue[_Job | None], gone: SimpleQueue[None]) -> None:
    try:
        while (job := todo.get()) is not None:
            job.read()
    finally:
        gone.put(None)


class _Lane:
    """The consumer's end of a job: a reader."""

    def __init__(self, owner: InThreads, job: _Job) -> None:
        self.owner = owner
        self.job = job
        self.ended = False

    def __next__(self) -> _plt._Batch:
        if not self.job.given:
            self.owner.look_ahead()
        if self.ended or self.owner.crew.stopped:
            raise StopIteration
        try:
            item = self.job.out.get()
            self.job.room.put(None)
        except BaseException:  # a signal's: nobody knows whether an item was lost
            self.owner.close()
            raise
        if item is None:
            self.ended = True
            raise StopIteration
        if isinstance(item, Exception):
            try:
                raise item
            finally:
                del item  # or it and this frame would keep each other
        return item

    def rest(self) -> _plt._Batch | None:
        self.owner.hurry()
        return next(self, None)

    def empty(self) -> _plt._Batch:
        assert self.job.reader is not None
        return self.job.reader.empty()

    def close(self) -> None:
        if not self.job.given and self.job.reader is not None:
            self.job.reader.close()


class InThreads:
    """Readers of sources that some threads read ahead, in the order of the sources.

    Threads read files alone.  A trace that is open, a pipe or an interface is read by the
    consumer's own thread in its turn.  No thread begins before the first batch is asked for.
    """

    def __init__(
        self, open: Callable[[Source], Reader], sources: Sequence[Source], workers: int, batch: int
    ) -> None:
        self._open = open
        self._sources = deque(sources)
        self._most = min(workers, len(sources))  # sources in hand
        self._room = max(2, min(ROWS_AHEAD // batch, BATCHES_AHEAD) // self._most)
        self._endless = False
        self._begun = False
        self.crew = _Crew(self._most)
        self._stop = weakref.finalize(self, self.crew.stop)  # also at the interpreter's end

    def __iter__(self) -> Iterator[Reader]:
        return self

    def __next__(self) -> Reader:
        jobs = self.crew.jobs
        if self._begun and jobs:
            jobs.popleft()
        if self.crew.stopped or not (jobs or self._sources):
            raise StopIteration
        if self._begun:
            with contextlib.suppress(RuntimeError):  # no thread: the lane tries again, and tells
                self.look_ahead()
        if not jobs:
            jobs.append(self._job())
        first, self._begun, job = not self._begun, True, jobs[0]
        if not job.for_thread:
            return job.open()
        if first:
            job.reader = job.open()  # what is wrong with it is told at once
        return _Lane(self, job)

    def look_ahead(self) -> None:
        """Give as many sources to the threads as may be in hand."""
        jobs = self.crew.jobs
        while self._sources and (self._endless or len(jobs) < self._most):
            jobs.append(self._job())
        for job in jobs:
            self.crew.give(job)

    def hurry(self) -> None:
        """Let all be read, with no bound but the number of threads."""
        if not self._endless:
            self._endless = True
            for job in self.crew.jobs:
                job.hurry()
            self.look_ahead()

    def close(self) -> None:
        """End the threads."""
        self._stop()
        self.crew.tell()  # Ctrl-C may have ended that, which is done once
        self.crew.join()

    def _job(self) -> _Job:
        source = self._sources.popleft()
        job = _Job(partial(self._open, source), is_file(source), self._room)
        job.endless = self._endless
        return job


def is_file(source: Source) -> bool:
    """Whether a source is a file, which opens at once and is read by nobody else."""
    from ._formats import FILE_FORMATS, LIBTRACE_FORMATS  # noqa: PLC0415  the decompressors

    if isinstance(source, _plt.trace):
        return False
    try:
        name = os.fsdecode(source)
    except Exception:  # its reader says what is wrong, in its turn
        return False
    prefix, colon, path = name.partition(":")
    if colon and prefix in LIBTRACE_FORMATS:
        return False
    return os.path.isfile(path if colon and prefix in FILE_FORMATS else name)
