"""Threads: how many processors there are for them, and a crew of them that works ahead.

A Work is what a thread does: it calls a function again and again, and hands over what that gives
and raises, in order.  A Crew is some threads that take works in the order in which they are given.

Threads are daemons, and end before the interpreter does: Python 3.13 and later stop daemon threads
wherever they are then, and what waits for one would wait for ever.  A process that was forked has
none of the threads: it gets what was handed over before, then ForkedError.  Signals may come at any
moment: nothing here waits but for queues and locks of its own, which stay whole.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

__all__ = ["Crew", "ForkedError", "Work", "processors"]

#: Seconds after which who waits for an item looks for signals.
WAKE = 0.05

Item = TypeVar("Item")
Argument = TypeVar("Argument")

# --- Processors -------------------------------------------------------------------------------


def processors() -> int:
    """How many processors this process may use: by its affinity, and its cgroup's quota.

    One in an interpreter that can have no crew: isolated ones allow no daemon threads.
    """
    if not _are_daemons_allowed():
        return 1
    if hasattr(os, "process_cpu_count"):  # Python 3.13; -X cpu_count sets it
        count = os.process_cpu_count()
    elif hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count()
    return max(1, min(count or 1, cgroup_quota()))


@cache
def _are_daemons_allowed() -> bool:
    """Whether this interpreter has daemon threads: others would be waited for before they end."""
    try:
        threading.Thread(daemon=True)
    except RuntimeError:
        return False
    return True


@cache
def cgroup_quota(of: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> int:
    """The processors' worth of time that cgroup v2 grants, rounded up; sys.maxsize for no limit."""
    from pathlib import Path  # noqa: PLC0415  it takes long to import, and not all have threads

    least = sys.maxsize
    try:
        lines = Path(of).read_text().splitlines()
        own = next(line[3:] for line in lines if line.startswith("0::"))
    except (OSError, StopIteration):
        return least
    group = Path(own)
    for level in (group, *group.parents):
        try:
            quota, period = Path(root, *level.parts[1:], "cpu.max").read_text().split()
            least = min(least, math.ceil(int(quota) / int(period)))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return least


# --- Works ------------------------------------------------------------------------------------


class ForkedError(OSError):
    """The threads are in the process that this one was forked from."""


def _nothing() -> None:
    """The end: what an ended work calls."""


class Work(Generic[Item]):
    """A function that a thread calls until it gives None or raises no Exception.

    With `room` no more items than that wait for who takes them.  `stop` lets a call that is under
    way end soon; `close` is called by the thread at the end.
    """

    def __init__(
        self,
        call: Callable[[], Item | None],
        room: int | None = None,
        stop: Callable[[], None] = _nothing,
        close: Callable[[], None] = _nothing,
    ) -> None:
        self._call = call
        self._stop = stop
        self._close = close
        self._bounded = room is not None
        self._free = room or 0  # items that may be handed over before one is taken
        self._not_begun = [True]
        self.stopped = False
        #: Whether the thread does no more, and what it could not hand over for want of memory.
        self.ended = False
        self.failed: Exception | None = None
        #: What was handed over; None at the end.
        self.out: SimpleQueue[Item | BaseException | None] = SimpleQueue()
        #: An item for each that was taken since: one more may be handed over.
        self.room: SimpleQueue[None] = SimpleQueue()

    def unbound(self) -> None:
        """Let any number of items wait."""
        self._bounded = False
        self.room.put(None)

    def stop(self) -> None:
        """Let its thread end, and who waits for an item go."""
        self.stopped = True
        self._stop()
        self.room.put(None)
        self.out.put(None)

    def claim(self) -> bool:
        """Begin it, unless a thread or another caller has; whether it was this call that did."""
        try:
            return self._not_begun.pop()
        except IndexError:
            return False

    def run(self) -> None:
        """Do it, once: an interrupt may have a work given twice.  What the thread calls."""
        if not self.claim():
            return
        try:
            while self._once():
                pass
            self._close()
        except Exception as error:
            error.__traceback__ = None  # whose frames would hold the reader
            self.failed = error
        finally:
            self._call = self._stop = self._close = _nothing  # they may hold who holds this
            self.ended = True
            self.out.put(None)

    def _once(self) -> bool:
        if self._free > 0:
            self._free -= 1
        elif self._bounded:
            self.room.get()
        if self.stopped:
            return False
        try:
            item = self._call()
        except BaseException as error:
            self.out.put(error.with_traceback(None))  # whose frames would hold the reader
            return isinstance(error, Exception)
        if item is not None:
            self.out.put(item)
        return item is not None

    def get(self) -> Item | BaseException | None:
        """The next item or exception, None at the end.

        Where a signal's handler raises in here, an item may be lost.
        """
        item = self._waited_for()
        self.room.put(None)
        return self._failure() if item is None else item

    def _failure(self) -> Exception | None:
        """What could not be handed over, once."""
        error, self.failed = self.failed, None
        return error

    def _waited_for(self) -> Item | BaseException | None:
        # CPython does not look for signals between taking its lock and waiting: one that came just
        # before is seen when this wakes
        while True:
            try:
                return self.out.get(timeout=WAKE)
            except Empty:
                if self.ended and self.out.empty():  # there was no memory to tell of the end
                    return None

    def left(self) -> Item | BaseException | None:
        """The next that was handed over already, None where there is no more."""
        try:
            while (item := self.out.get_nowait()) is None:
                pass
        except Empty:
            return self._failure()
        return item

    def take(self) -> Item | None:
        """The next item, None at the end; raises what the function raised."""
        item = self.get()
        if isinstance(item, BaseException):
            try:
                raise item
            finally:
                del item  # or it and this frame would keep each other
        return item


# --- Crews ------------------------------------------------------------------------------------


def _run(todo: SimpleQueue[Work[object] | None], gone: threading.Lock) -> None:
    """What a thread does.  It goes on after works for whose calls there was no memory."""
    try:
        while True:
            work = None
            try:
                work = todo.get()
                if work is None:
                    return
                work.run()
            except Exception as error:
                if work is not None:
                    error.__traceback__ = None
                    work.failed, work.ended = error, True
    finally:
        gone.release()


def _start(thread: threading.Thread) -> None:
    """Start a thread; the exception of a signal's handler comes through as itself.

    The threading module waits until the thread runs.  Interrupted at the wrong moment of that, its
    own lock raises RuntimeError ("release unlocked lock") in place of the handler's exception.
    """
    try:
        thread.start()
    except RuntimeError as error:
        if error.__context__ is not None:
            raise error.__context__ from None
        raise


#: A thread, and a lock that it holds until it ends.
_Member = tuple[threading.Thread, threading.Lock]


class _Members:
    """The threads of a crew and the works in hand.  It knows nothing of who owns it."""

    def __init__(self, most: int, name: str, patience: float | None) -> None:
        self.most = most
        self.name = name
        self.patience = patience
        self.process = os.getpid()
        self.threads: list[_Member] = []
        self.works: deque[Work[object]] = deque()
        self.todo: SimpleQueue[Work[object] | None] = SimpleQueue()
        self.stopped = False

    def add_thread(self) -> None:
        """Start one more thread, if there may be and can be one more; without any, the error."""
        if len(self.threads) >= self.most:
            return
        gone = threading.Lock()
        gone.acquire()
        thread = threading.Thread(target=_run, args=(self.todo, gone), name=self.name, daemon=True)
        self.threads.append((thread, gone))
        try:
            _start(thread)
        except Exception as error:
            if thread in threading.enumerate():  # it begins all the same
                raise
            self.threads.pop()  # it would be taken for one that works
            if not (self.threads and isinstance(error, RuntimeError)):
                raise
            self.most = len(self.threads)  # the system has no more

    def others(self) -> list[_Member]:
        """The threads that there are, but for this one; of a parent process there are none."""
        this = threading.current_thread()
        return [one for one in self.threads if one[0].is_alive() and one[0] is not this]

    def tell(self) -> None:
        """Tell the threads that they are to end; once more does no harm."""
        self.stopped = True
        for work in self.works.copy():
            work.stop()
        for _ in self.threads:
            self.todo.put(None)

    def wait(self) -> None:
        """Wait until the threads call nothing more, but no longer than the crew's patience.

        The collector may call this anywhere: to wait for the end of a thread itself could need a
        lock of the threading module that is taken.
        """
        for patience, (_, gone) in self.with_patience():
            if not sys.is_finalizing():  # a thread does not go on then
                if not gone.acquire(timeout=-1 if patience is None else patience):
                    return
                gone.release()

    def join(self) -> None:
        """Wait until the threads are gone, but no longer than that."""
        for patience, (thread, _) in self.with_patience():
            thread.join(patience)

    def with_patience(self) -> Iterator[tuple[float | None, _Member]]:
        """The other threads, each with the seconds that are left to wait for it."""
        end = None if self.patience is None else time.monotonic() + self.patience
        for one in self.others():
            yield None if end is None else max(0.0, end - time.monotonic()), one

    def stop(self) -> None:
        """Let the threads end, and wait until they call nothing more."""
        self.tell()
        self.wait()


class Crew:
    """Up to `most` threads, begun as works are given.

    They end with the crew, with `close()` and before the interpreter ends.  `patience` is how many
    seconds they get for that at most: a thread that waits for a disk is then left to itself.
    """

    def __init__(self, most: int, name: str, patience: float | None = None) -> None:
        self._members = _Members(most, name, patience)
        self._at_end = weakref.finalize(self, self._members.stop)  # also at the interpreter's

    @property
    def stopped(self) -> bool:
        """Whether the threads were told to end."""
        return self._members.stopped

    @property
    def is_forked(self) -> bool:
        """Whether this is another process than that which has the threads."""
        return self._members.process != os.getpid()

    def give(self, work: Work[Item]) -> None:
        """Give a work to the threads; they take works in order.

        RuntimeError or MemoryError where not even one thread can be started.  After the end of the
        crew a work ends at once.
        """
        if self.stopped:
            work.stop()
            return
        if self.is_forked:
            raise ForkedError("the threads are in the process that was forked")
        self._members.add_thread()
        self._members.works.append(work)  # type: ignore[arg-type]
        self._members.todo.put(work)  # type: ignore[arg-type]

    def take(self, work: Work[Item]) -> Item | None:
        """The next item of a work, None at the end; raises what the work's function raised."""
        if self.is_forked and work.out.empty():
            raise ForkedError("the threads are in the process that was forked")
        return work.take()

    def drop(self, work: Work[Item]) -> None:
        """End a work; what it handed over is of no more use."""
        if work in self._members.works:
            self._members.works.remove(work)  # type: ignore[arg-type]
            work.stop()

    def in_order(
        self, function: Callable[[Argument], Item], arguments: Iterable[Argument], ahead: int
    ) -> Iterator[Item]:
        """What a function gives for each argument, in order; so many are in hand at once."""
        left = iter(arguments)
        works: deque[Work[Item]] = deque()
        while True:
            while len(works) < ahead and (argument := next(left, left)) is not left:
                works.append(Work(once(function, argument)))  # type: ignore[arg-type]
                self.give(works[-1])
            if not works:
                return
            item = self.take(works[0])
            self.drop(works.popleft())
            if item is None:  # the crew was stopped
                return
            yield item

    def stop(self) -> None:
        """Let the threads end, and wait until they call nothing more."""
        self._members.stop()

    def wait(self) -> None:
        """Wait until the threads call nothing more: they were told to end, or never were here."""
        self._members.wait()

    def close(self) -> None:
        """End the threads."""
        self._members.tell()
        self._members.join()
        self._at_end.detach()


def once(function: Callable[[Argument], Item], argument: Argument) -> Callable[[], Item | None]:
    """What a work calls to hand over what a function gives for an argument, and then to end."""
    calls = iter((partial(function, argument),))
    return lambda: next(calls, _nothing)()
