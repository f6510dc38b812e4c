"""A progress bar on the standard error of those who wait."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import plt

if TYPE_CHECKING:
    from rich.progress import Progress

Tick = Callable[[int], object]

PATIENCE = 1.0  # seconds before a bar is shown
PAUSE = 0.1  # seconds from one look at the files to the next


def ignore(_packets: int) -> None:
    """The progress of what nobody looks at."""


class Bar:
    """Packets and bytes read so far, once that takes long."""

    def __init__(self, sources: Sequence[str]) -> None:
        paths = [os.path.realpath(source) for source in sources]
        self.sizes = {path: os.path.getsize(path) for path in paths if os.path.isfile(path)}
        self.total = sum(self.sizes.values()) if len(self.sizes) == len(paths) else None
        self.positions: dict[str, int] = {}
        self.next = time.monotonic() + PATIENCE
        self.progress: Progress | None = None

    def __call__(self, packets: int) -> None:
        """Show how far the reading is."""
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + PAUSE
        # what was open and is no more was read to its end
        ended = {path: self.sizes[path] for path in self.positions}
        self.positions |= ended | positions(self.sizes)
        done = sum(self.positions.values())
        if self.progress is None:
            self.progress = shown(self.total)
        self.progress.update(self.progress.task_ids[0], completed=done, packets=f"{packets:,}")

    def close(self) -> None:
        """Take the bar away."""
        if self.progress is not None:
            self.progress.stop()


def positions(paths: Iterable[str]) -> dict[str, int]:
    """How far those of some files that are open were read; Linux tells."""
    wanted = set(paths)
    found: dict[str, int] = {}
    with contextlib.suppress(OSError):
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                path = os.readlink(f"/proc/self/fd/{number}")
                if path in wanted:
                    with open(f"/proc/self/fdinfo/{number}") as info:
                        at = int(info.readline().split()[1])
                    found[path] = max(at, found.get(path, 0))
    return found


def shown(total: int | None) -> Progress:
    """A bar on standard error: with an end where there is one."""
    from rich.console import Console  # noqa: PLC0415  only who waits needs it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    ended: list[ProgressColumn] = [BarColumn(), DownloadColumn(), TimeRemainingColumn()]
    progress = Progress(
        *(ended if total else [BarColumn(), TimeElapsedColumn()]),
        TextColumn("{task.fields[packets]} packets"),
        console=Console(stderr=True),
        transient=True,
    )
    progress.add_task("", total=total, packets="0")
    progress.start()
    return progress


@contextlib.contextmanager
def bar(sources: Sequence[str], *, printing: bool = False) -> Iterator[Tick]:
    """What shows progress on a terminal, but not amid rows that are printed meanwhile to one."""
    amid = printing and not (sys.stdout.seekable() and not sys.stdout.isatty())
    if sys.stderr is None or not sys.stderr.isatty() or amid:
        yield ignore
        return
    shown = Bar(sources)
    try:
        yield shown
    finally:
        shown.close()


def counting(packets: Iterable[plt.packet], tick: Tick) -> Iterator[plt.packet]:
    """Packets, counted as they go by."""
    for read, packet in enumerate(packets, 1):
        yield packet
        if not read & 0xFFF:
            tick(read)
