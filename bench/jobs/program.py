"""A program of its own, run on a trace: what it prints, and its time without that to start.

The same command on a trace without packets, three times, tells what it takes to start.  What it
prints is read as it comes, where there are two processors by the second.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clock import Clock, typical
from shared import Result, empty_trace

STARTS = 3  # of which the median is taken off: the first may have to read the disk

Command = Callable[[Path], list[str]]


@contextmanager
def output(command: list[str], errors: int) -> Iterator[IO[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as run:
        assert run.stdout is not None
        yield run.stdout
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)


@contextmanager
def timed(
    clock: Clock, path: Path, command: Command, errors: int = subprocess.DEVNULL
) -> Iterator[IO[bytes]]:
    """What the command prints of a trace; `errors` is STDOUT for those that print there."""
    with empty_trace() as empty:
        starts = [Clock() for _ in range(STARTS)]
        for one in starts:
            with one, output(command(empty), errors) as printed:
                printed.read()
    starting = typical(starts)
    with clock, output(command(path), errors) as printed:
        yield printed
    clock.start = starting.seconds
    clock.take_off(starting)


def found_as_json(clock: Clock, path: Path, command: Command) -> Result:
    """What the command found in a trace, which it prints as JSON."""
    with timed(clock, path, command) as printed:
        found: Result = json.load(printed)
    return found
