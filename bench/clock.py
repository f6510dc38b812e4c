"""What a job measures of itself: seconds, the memory at its peak, and how long it took to start."""

import resource
import time
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


class Clock:
    """Adds up the time of the blocks that it is entered for: `with clock: ...`"""

    def __init__(self, start: float = 0.0) -> None:
        self.start = start  # seconds before the work: imports, or a program's empty run
        self.seconds = 0.0
        self.peak = 0
        self.turns = 1  # how often the work is done over
        self.notes: dict[str, float] = {}  # what else a job measures
        self._began = 0.0

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.seconds += time.perf_counter() - self._began
        # with children: the biggest of them, which is all that the kernel tells
        biggest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.peak = max(self.peak, own_peak() + biggest)
