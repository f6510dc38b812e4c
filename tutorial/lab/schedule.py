"""The schedule: commands to be started at set times in set nodes, each with a limit on its life."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field

from sandbox import inside

# The last commands start so long before the end that most of them have ended then.
LAST_START = 6.0
POLL = 0.02


@dataclass(frozen=True, order=True)
class Job:
    """A command to start `at` seconds in `node`, and to kill if it runs for `limit` seconds."""

    at: float
    node: str
    command: tuple[str, ...]
    limit: float


@dataclass
class Schedule:
    """Jobs over so many `seconds`; `random` decides what the plan leaves open."""

    seconds: float
    random: random.Random
    jobs: list[Job] = field(default_factory=list)

    def at(self, at: float, node: str, *command: object, limit: float = 12) -> None:
        """Plan a command for a set time, given for a schedule of 75 seconds."""
        scaled = at * self.seconds / 75
        self.jobs.append(Job(scaled, node, tuple(map(str, command)), limit))

    def some_time(self, node: str, *command: object, limit: float = 12) -> None:
        """Plan a command for any time."""
        at = self.random.uniform(0, self.seconds - LAST_START)
        self.jobs.append(Job(at, node, tuple(map(str, command)), limit))

    def times(self, for_75_seconds: float) -> range:
        """How often something happens that happens so often in 75 seconds."""
        return range(max(1, round(for_75_seconds * self.seconds / 75)))

    def run(self) -> str:
        """Start all jobs in time, kill those over their limit, leave none; what happened."""
        running: list[tuple[subprocess.Popen[bytes], Job, float]] = []
        ended: Counter[str] = Counter()
        late = 0.0
        begin = time.monotonic()
        jobs = sorted(self.jobs)
        while (now := time.monotonic() - begin) < self.seconds and (jobs or running):
            for entry in running[:]:
                process, job, limit = entry
                if now > limit:
                    kill(process)
                if process.poll() is not None:
                    running.remove(entry)
                    ended[f"{job.command[0]}: {status(process)}"] += 1
            while jobs and jobs[0].at <= now:
                job = jobs.pop(0)
                late = max(late, now - job.at)
                running.append((launch(job), job, now + job.limit))
            time.sleep(POLL)
        for process, job, _ in running:
            kill(process)
            ended[f"{job.command[0]}: {status(process)}"] += 1
        lines = [f"{len(self.jobs)} commands, started at most {late:.2f} s late"]
        return "\n".join([*lines, *(f"{n:5} {what}" for what, n in sorted(ended.items()))])


def launch(job: Job) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        inside(job.node, *job.command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a job and what it started; each is the leader of a process group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def status(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return "killed at its limit" if code == -signal.SIGKILL else f"status {code}"
