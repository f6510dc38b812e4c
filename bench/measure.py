"""Run jobs in processes of their own, in turns, and tell medians and ratios."""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import programs
import traces
from machine import Others, processors
from shared import Result

HERE = Path(__file__).resolve().parent
IN_C = "c"  # the module of the programs in C
FLOOR = f"{IN_C}.hop"

#: What a module of bench/jobs needs besides this project, and what one of its functions does.
MODULES = {
    "with_columns": "numpy",
    "with_cypcap": "cypcap",
    "with_dnscap": "dnscap",
    "with_dnsjit": "dnsjit",
    "with_dnspython": "dnspython",
    "with_dpkt": "dpkt",
    "with_gopacket": "gopacket",
    "with_nfstream": "nfstream",
    "with_pyarrow": "pyarrow",
    "with_scapy": "scapy",
    "with_tcpdump": "tcpdump",
    "with_traceanon": "traceanon",
    "with_tshark": "tshark",
    "with_zlib_ng": "zlib-ng",
}
EXTRAS = {
    "with_exporters.nfpcapd": "nfpcapd",
    "with_exporters.softflowd": "softflowd",
    "with_pyarrow.tshark": "tshark",
    "with_unpackers.gzip": "gzip",
    "with_unpackers.xz": "xz",
    "with_unpackers.zstd": "zstd",
}
#: NumPy's library of linear algebra has a thread for each processor, which none of the jobs needs.
#: Python keeps the bytecode of what it imports, as it does where packages are installed: else what
#: is imported while the clock runs is compiled each time, which takes tens of milliseconds.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(traces.DATA / "bytecode"),
}


@dataclass(frozen=True)
class Job:
    """A tool's program, and the trace that it gets."""

    title: str
    run: str  # MODULE.FUNCTION of bench/jobs, or of a program in C
    path: Path
    ours: bool = False  # and has a limit
    floor: Path | None = None  # the trace whose floor it stands on, where that is not the first
    processors: int | None = None  # that it may use: all

    def needs(self) -> set[str]:
        """The tools that it can't do without."""
        module = self.run.partition(".")[0]
        return {tool for tool in (MODULES.get(module), EXTRAS.get(self.run)) if tool}

    def command(self) -> list[str]:
        module, _, function = self.run.partition(".")
        if module == IN_C:
            words = programs.command(function, traces.files(self.path))
        else:
            program, began = str(HERE / "job.py"), str(time.perf_counter())
            words = [sys.executable, program, self.run, str(self.path), began]
        if self.processors:
            numbers = ",".join(map(str, processors(self.processors)))
            words = ["taskset", "-c", numbers, *words]
        return words


@dataclass(frozen=True)
class Run:
    """What one run of a job took and found."""

    seconds: float
    user: float
    system: float
    start: float
    peak: int
    turns: int
    result: Result
    notes: dict[str, float]
    others: float  # the share of the processors that other programs took

    def _each(self, seconds: float) -> float:
        """Nanoseconds for each of what was counted."""
        return seconds * 1e9 / self.turns / self.result["count"]

    @property
    def wall(self) -> float:
        return self._each(self.seconds)

    @property
    def cpu(self) -> float:
        """User and system time."""
        return self._each(self.user + self.system)

    @property
    def kernel(self) -> float:
        """System time."""
        return self._each(self.system)


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Spread":
        return cls(statistics.median(numbers), min(numbers), max(numbers))


Rounds = dict[Job, list[Run]]


def run(job: Job) -> Run:
    """Run a job once."""
    others = Others()
    done = subprocess.run(
        job.command(), stdout=subprocess.PIPE, check=True, env={**os.environ, **ENVIRONMENT}
    )
    return Run(**json.loads(done.stdout), others=others.share())


class Disagreement(Exception):
    """Two tools found different things in the same trace: comparing their times is void."""


def check(job: Job, result: Result, expected: Result) -> None:
    """Disagreement where two results differ in what both have."""
    for name in expected.keys() & result.keys():
        if result[name] != expected[name]:
            raise Disagreement(
                f"{job.title} ({job.run}) found {name} {result[name]} in {job.path.name}, "
                f"where {expected[name]} are"
            )


def rounds(
    jobs: Sequence[Job], times: int, judge: str | None = None, in_memory: bool = True
) -> Rounds:
    """Run the jobs in turns, so many times; first the judge, which tells what each is to find."""
    truths: dict[Path, Result] = {}
    for path in {job.path for job in jobs}:
        if in_memory:
            traces.read_through(path)
        if judge:
            truths[path] = run(Job("judge", judge, path)).result
    measured: Rounds = {job: [] for job in jobs}
    for _ in range(times):
        for job in jobs:
            one = run(job)
            if judge:
                check(job, one.result, truths[job.path])
            measured[job].append(one)
    return measured


def ratios(own: list[Run], base: list[Run], what: str = "cpu") -> Spread:
    """How many times the base's CPU time each takes, or its `wall` time, of each round.

    Not of the medians: what else the machine does then weighs on both alike.
    """
    pairs = (
        (getattr(one, what), getattr(other, what)) for one, other in zip(own, base, strict=True)
    )
    return Spread.of([mine / theirs if theirs else math.inf for mine, theirs in pairs])


def load(measured: Rounds) -> str:
    """A sentence on the other programs."""
    shares = [one.others for runs in measured.values() for one in runs]
    return (
        f"Other programs took {statistics.mean(shares):.0%} of the processors meanwhile, "
        f"{max(shares):.0%} at worst."
    )
