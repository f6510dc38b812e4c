"""What a job measures of itself: time, the memory at its peak, and how long it took to start."""

import resource
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


def own_peak() -> int:
    """The most memory that this process has had, in bytes.

    The kernel's ru_maxrss would not do: a process begins with that of its parent there.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("the kernel tells of no VmHWM")


def resident() -> int:
    """The memory that this process has now, in bytes."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise OSError("the kernel tells of no Rss")


def spent() -> tuple[float, float, float]:
    """Seconds of the wall's clock, and of user and system time.

    The last two are those of all threads, and of children that have ended and were waited for.
    """
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    user, system = own.ru_utime + children.ru_utime, own.ru_stime + children.ru_stime
    return time.perf_counter(), user, system


class Clock:
    """Adds up the time of the blocks that it is entered for: `with clock: ...`"""

    def __init__(self, start: float = 0.0) -> None:
        self.start = start  # seconds before the work: imports, or a program's empty run
        self.seconds = self.user = self.system = 0.0
        self.peak = 0
        self.turns = 1  # how often the work is done over
        self.notes: dict[str, float] = {}  # what else a job measures
        self._began = (0.0, 0.0, 0.0)

    def __enter__(self) -> Self:
        self._began = spent()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        wall, user, system = (now - then for now, then in zip(spent(), self._began, strict=True))
        self.seconds += wall
        self.user += user
        self.system += system
        # with children: the biggest of them, which is all that the kernel tells
        biggest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.peak = max(self.peak, own_peak() + biggest)

    def take_off(self, other: "Clock") -> None:
        """Take off the time of another clock, as that of a program that had nothing to read.

        What is left may be below 0, where that took about as long: it is not made 0, which would
        look like a fast program.
        """
        self.seconds -= other.seconds
        self.user -= other.user
        self.system -= other.system


def typical(clocks: Sequence[Clock]) -> Clock:
    """A clock with the medians of some."""
    middle = Clock()
    middle.seconds = statistics.median(one.seconds for one in clocks)
    middle.user = statistics.median(one.user for one in clocks)
    middle.system = statistics.median(one.system for one in clocks)
    return middle
