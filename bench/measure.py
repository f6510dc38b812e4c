"""Run jobs in processes of their own, in turns, and tell medians and ratios."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import floor
from machine import Others
from shared import Result

HERE = Path(__file__).resolve().parent
FLOOR = "floor"

#: What a module of bench/jobs needs besides this project, and what one of its functions does.
MODULES = {
    "with_columns": "numpy",
    "with_dnspython": "dnspython",
    "with_dpkt": "dpkt",
    "with_nfstream": "nfstream",
    "with_pyarrow": "pyarrow",
    "with_scapy": "scapy",
    "with_traceanon": "traceanon",
    "with_tshark": "tshark",
}
EXTRAS = {"with_pyarrow.tshark": "tshark"}


@dataclass(frozen=True)
class Job:
    """A tool's program, and the trace that it gets."""

    title: str
    run: str  # MODULE.FUNCTION of bench/jobs, or FLOOR
    path: Path
    limit: float | None = None  # of the ratio to what it is compared with

    def needs(self) -> set[str]:
        """The tools that it can't do without."""
        module = self.run.partition(".")[0]
        return {tool for tool in (MODULES.get(module), EXTRAS.get(self.run)) if tool}


@dataclass(frozen=True)
class Run:
    """What one run of a job took and found."""

    seconds: float
    start: float
    peak: int
    turns: int
    result: Result
    notes: dict[str, float]
    others: float  # the share of the processors that other programs took

    @property
    def each(self) -> float:
        """Nanoseconds for each of what was counted."""
        return self.seconds * 1e9 / self.turns / self.result["count"]


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
    if job.run == FLOOR:
        reading = floor.read(job.path)
        found = {"count": reading.packets}
        return Run(reading.seconds, 0.0, reading.peak, 1, found, {}, others.share())
    program, began = str(HERE / "job.py"), str(time.perf_counter())
    command = [sys.executable, program, job.run, str(job.path), began]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
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


def rounds(jobs: Sequence[Job], times: int, judge: str | None = None) -> Rounds:
    """Run the jobs in turns, so many times; first the judge, which tells what each is to find."""
    truths: dict[Path, Result] = {}
    if judge:
        truths = {path: run(Job("judge", judge, path)).result for path in {j.path for j in jobs}}
    else:
        for path in {job.path for job in jobs}:
            floor.read(path)  # it is in memory from here on
    measured: Rounds = {job: [] for job in jobs}
    for _ in range(times):
        for job in jobs:
            one = run(job)
            if judge:
                check(job, one.result, truths[job.path])
            measured[job].append(one)
    return measured


def ratios(own: list[Run], base: list[Run]) -> Spread:
    """How many times the base's time each takes, of each round.

    Not of the medians: what else the machine does then weighs on both alike.
    """
    return Spread.of([one.each / other.each for one, other in zip(own, base, strict=True)])


def load(measured: Rounds) -> str:
    """A sentence on the other programs."""
    shares = [one.others for runs in measured.values() for one in runs]
    return (
        f"Other programs took {statistics.mean(shares):.0%} of the processors meanwhile, "
        f"{max(shares):.0%} at worst."
    )
