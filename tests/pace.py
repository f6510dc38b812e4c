"""Waiting, interrupting and measuring in tests, at the pace of whatever machine runs them.

A test that waits does so for what is to happen, not for a time.  What is to end soon is measured
by the work that the process did, which is the same on a slow machine and on a busy one.
"""

import ctypes
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

#: Seconds after which what has not happened is taken for something that never will.
NEVER = 300

#: Seconds for which what must not happen is watched for.
LINGER = 0.2

#: Sanitizers make C slower, but not the loop that work is counted in.
SLOWED = 10 if "PLT_ASAN" in os.environ else 1

#: What may be done after Ctrl-C before it is noticed: 0.2 seconds' work of three threads, in turns.
PROMPT = 60


def threads(name: str) -> list[threading.Thread]:
    """Those of a name that run.

    CPython's own start() may be interrupted such that the thread never begins: it keeps a lock.
    """
    return [thread for thread in threading.enumerate() if thread.name == name and thread.is_alive()]


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + NEVER
    while not condition():
        assert time.monotonic() < end, "it never happens"
        time.sleep(0.005)


def assert_stays(condition: Callable[[], object]) -> None:
    """That a condition goes on to hold: what other processes do can be watched only for a while."""
    end = time.monotonic() + LINGER
    while time.monotonic() < end:
        assert condition()
        time.sleep(0.005)


def wait_until_it_reads(pid: int, paths: Iterable[Path]) -> None:
    """Wait until a process has one of these files open, and has read some of it."""
    wanted = set(map(os.path.realpath, paths))

    def reads() -> bool:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(link) in wanted:
                    info = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text()
                    return int(info.split()[1]) > 0  # "pos:", then how far it is read
            except FileNotFoundError:  # closed meanwhile
                continue
        return False

    wait_until(reads)


def wait_until_it_waits(pid: int | None = None, thread: int | None = None) -> None:
    """Wait until a process, or the thread with this native id, waits for something from outside.

    Nobody holds Python's lock meanwhile, so that a thread of this process does not wait for that.
    """
    pid = pid or os.getpid()
    stat = f"/proc/{pid}/task/{thread or pid}/stat"
    asleep = 0
    end = time.monotonic() + NEVER
    while asleep < 5:
        assert time.monotonic() < end, "it never waits"
        time.sleep(0.01)
        with open(stat) as file:
            state = file.read().rpartition(")")[2].split()[0]
        asleep = asleep + 1 if state == "S" else 0


def processor_time(pid: int) -> float:
    """What a process has used of the processors, on the clock that is its time.process_time()."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes it


def turns(seconds: float) -> float:
    """How many million turns of an empty loop are made in so many seconds of processor time."""
    rounds = []
    for _ in range(3):
        began = time.process_time()
        for _ in range(1_000_000):
            pass
        rounds.append(time.process_time() - began)
    return seconds / min(rounds) / SLOWED


def effort(work: Callable[[], object]) -> float:
    """What WORK takes, counted in million turns of an empty loop."""
    began = time.process_time()
    work()
    return turns(time.process_time() - began)


class Came(Exception):
    """A signal came."""


def with_signal(work: Callable[[], object]) -> object:
    """Do WORK, which is written in C, when a signal has just come whose handler raises Came.

    Between the signal and it no bytecode is run, after which Python would look for signals.
    """

    def come(*_: object) -> None:
        raise Came

    send = partial(getattr(ctypes.CDLL(None), "raise"), signal.SIGUSR1)
    before = signal.signal(signal.SIGUSR1, come)
    try:
        return list(map(partial.__call__, (send, partial(work))))[1]
    finally:
        signal.signal(signal.SIGUSR1, before)


class Alarms:
    """Interrupts work at random moments; half of them come before it ends, however fast it is."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.longest = 0.02
        self.came = 0
        self.end = time.monotonic() + NEVER

    def during(self, work: Callable[[], object], when: Callable[[], object] = lambda: True) -> bool:
        """Whether an alarm, which waits for WHEN, ended WORK before that was done."""

        def later() -> None:
            signal.setitimer(signal.ITIMER_REAL, self.dice.uniform(1e-6, self.longest))

        def interrupt(*_: object) -> None:
            if when():
                raise KeyboardInterrupt
            later()

        assert time.monotonic() < self.end, "no alarm comes in time"
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            try:
                later()
                work()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            self.came += 1
            self.longest *= 1.1
            return True
        finally:
            signal.signal(signal.SIGALRM, before)
        self.longest /= 1.1
        return False
