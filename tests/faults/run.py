"""Makes calls of malloc(), read() and their like fail, one at a time, in scenarios of all the API.

    python run.py [--list] [--own] [--limit N] [--ways N] [--jobs N] [NAME ...]

What `make faults` calls.  Each scenario runs in a process of its own, so that one that dies is a
finding, too, with the place where it died.  Prints the findings, then how many calls failed, by
whose they were.  The status is 1 where something was found that is not known.
"""

import argparse
import faulthandler
import itertools
import json
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

#: Seconds without an attempt that ends, after which a scenario is taken to hang.
PATIENCE = 120

#: What CPython prints where it has no memory for a bytearray: it frees one that is not yet made.
#: NumPy counts references to a dtype wrongly then.  libtrace prints why it can't read from an
#: interface, which LibtraceError says, too, and why it can't have all packets of one.
OTHERS = (
    r"^(MemoryError|SystemError: deallocated bytearray object has exported buffers|"
    r"read packet\(\w+\): recvmsg: .*|setsockopt\(PROMISC\): .*|"
    r"\*\*\* Reference count error detected: an attempt was made to deallocate the dtype .*)$"
)

#: What it prints of a thread that ends before it has called anything but the threading module.
NOT_BEGUN = (
    r"^Exception in thread .*:\nTraceback .*\n"
    r'(?:  File ".*(?:threading|injector)\.py", line .*\n    .*\n)*(?:MemoryError\n)?(?!  File)'
)

DIED = r"died in:\n(    (inject|libc)\b.*\n)*"
#: What the interpreter does for itself, between its loop and malloc().
CPYTHON = r"(    (libpython|python|libc).*\n)*?    libpython.*_PyEval_EvalFrame"

#: Libraries that end the process where they have no memory, and what tells of that: what they
#: print, or the frames in which the process died.
DIES = {
    "pcap_compile()": rf"^out of dynamic memory in yy|{DIED}    libpcap",
    "NumPy": rf"{DIED}    (multiarray|_multiarray)_umath",
    "backports.zstd": rf"{DIED}(    (inject|libc|_zstd).*\n)*    zstd: ZstdCompressor_dealloc",
    "pyarrow": r"^terminate called after throwing an instance of 'std::bad_alloc'",
    "Polars": r"^thread '.*' \(\d+\) panicked at ",
    "libtrace": rf"^Out of memory$|{DIED}    libtrace",
    "ldns_wire2rr()": rf"{DIED}    libldns.*\n(    libldns.*\n)*    libldns.*ldns_wire2rr",
    "CPython": rf"{DIED}{CPYTHON}.*\n(    .*\n)*failed in:\n(    inject.*\n)*{CPYTHON}",
}

#: How often a scenario that dies is gone on with after the place where it died, but for deaths in
#: these libraries: after each of them it goes on farther on, so that it comes to its end.
DEATHS = 40


def preload() -> Path:
    """Compile inject.c where it is newer, and give the library."""
    library = ROOT / "build" / "faults" / "inject.so"
    source = HERE / "inject.c"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        library.parent.mkdir(parents=True, exist_ok=True)
        compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
        new = library.with_suffix(f".{os.getpid()}")  # another run may have the old one in memory
        command = [compiler, "-std=c11", "-O1", "-g", "-fPIC", "-shared", "-o", new, source]
        subprocess.run([*command, "-ldl"], check=True)
        new.rename(library)
    return library


def with_injector() -> None:
    """Run this program anew, with the library preloaded, where it is not."""
    library = str(preload())
    if os.environ.get("LD_PRELOAD") == library:
        return
    environment = os.environ | {
        "LD_PRELOAD": library,
        "PYTHONMALLOC": "malloc",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(":")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)


# --- In the process of a scenario ------------------------------------------------------------


class Progress:
    """What both processes see of where a scenario is: kind, error, how many at once, which call.

    And how far it is from that call to the next that is to fail.
    """

    FORM = struct.Struct("qqqqq")

    def __init__(self) -> None:
        self.shared = mmap.mmap(-1, mmap.PAGESIZE)
        self.seen = b""
        self.since = time.monotonic()

    def put(self, *place: int) -> None:
        self.shared[: self.FORM.size] = self.FORM.pack(*place)

    def get(self) -> tuple[int, int, int, int, int]:
        return self.FORM.unpack_from(self.shared, 0)

    def age(self) -> float:
        """Seconds for which it has been where it is, as far as was looked."""
        now = self.shared[: self.FORM.size]
        if now != self.seen:
            self.seen, self.since = now, time.monotonic()
        return time.monotonic() - self.since


def plan(kinds: dict[str, list[int]]) -> list[tuple[int, int, int]]:
    """Which kinds of calls fail with which errors, and how many in a row."""
    steps = []
    for number, errors in enumerate(kinds.values()):
        for error in errors:
            for count in (1, 2):
                steps.append((number, error, count))
    return steps


class Ways:
    """The ways through the modules to calls that failed, and how often each was taken."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        self.taken: Counter[tuple[int, ...]] = Counter()

    def left(self, step: tuple[int, int, int], ways: dict[int, list[int]]) -> list[tuple[int, int]]:
        """Calls that are still to fail, the first and the last by each way, and the way."""
        return sorted(
            (number, way)
            for way, numbers in ways.items()
            if self.taken[*step, way] < self.tries
            for number in {numbers[0], numbers[-1]}
        )


#: Scenarios in which matplotlib, Polars or pandas make nearly all calls, and end the process.
OTHERS_CALLS = (
    "natkit.plot.",
    "plt.Table.to_polars",
    "plt.Table.to_pandas",
    "plt.Table.write_parquet",
)


def is_by_others(scenario: Any) -> bool:
    """Whether a scenario has calls of another number each time, or mostly those of others."""
    return scenario.threads or scenario.name.startswith(OTHERS_CALLS)


def left_to_fail(
    trial: Any, step: tuple[int, int, int], start: int, stride: int, ways: Ways | None
) -> Iterator[tuple[int, int]]:
    """Which of the calls that were made are to fail, from a number on; and their ways, or 0."""
    if ways is not None:
        yield from (call for call in ways.left(step, trial.injector.ways()) if call[0] >= start)
    else:
        yield from ((number, 0) for number in itertools.count(start, stride))


def tried(
    name: str,
    begin: tuple[int, int, int, int],
    progress: Progress,
    limit: int,
    ways: Ways | None,
) -> Iterator:
    """Try a scenario from a place on; gives findings and counts."""
    import injector  # noqa: PLC0415
    import scenarios  # noqa: PLC0415

    kinds = list(injector.KINDS)
    tool = injector.Injector()
    tool.tell_deaths()
    tool.spare_starts()
    if ways is not None:
        tool.note_ways()
    scenario = scenarios.ALL[name]
    step, error, count, first = begin
    progress.put(*begin, 1)
    trial = injector.Trial(tool, scenario)
    if first == 0:
        yield {"expected": str(trial.expected)}
    steps = plan(injector.KINDS)
    place = steps.index((step, error, count))
    with injector.without_collector():
        for number, failing, times in steps[place:]:
            kind = kinds[number]
            start, first = max(1, first), 0
            seen = trial.count(kind)
            if not seen:
                continue
            # from a limit on not all are to fail
            stride = max(1, seen // limit) if ways is None else 1
            for nth, way in left_to_fail(trial, (number, failing, times), start, stride, ways):
                progress.put(number, failing, times, nth, stride)
                if way:
                    yield {"way": [number, failing, times, way]}
                failed, problems = trial.step(kind, nth, times, failing)
                if not failed:
                    break
                yield {"tally": {f"{kind} of {trial.owner()}": failed}}
                for problem in problems:
                    trial.attempt(kind, nth, times, failing)
                    whose, frames = trial.origin()
                    yield asdict(
                        injector.Finding(
                            name, kind, failing, nth, times, problem, whose, tuple(frames)
                        )
                    )
    yield {"seen": trial.count("memory")}


def unraisable(args: "sys.UnraisableHookArgs") -> None:
    """What Python tells of exceptions that nothing can catch: those of failures are expected."""
    if not isinstance(args.exc_value, (MemoryError, OSError)):
        sys.__unraisablehook__(args)


def child(
    name: str,
    begin: tuple,
    progress: Progress,
    pipe: int,
    log: int,
    limit: int,
    ways: Ways | None,
) -> None:
    """What the process of a scenario does; it does not return."""
    status = 1
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.unraisablehook = unraisable
        faulthandler.register(signal.SIGUSR1, all_threads=True)
        with os.fdopen(pipe, "w") as out:
            for item in tried(name, begin, progress, limit, ways):
                out.write(json.dumps(item) + "\n")
                out.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


# --- In the process that starts them ----------------------------------------------------------


class Job:
    """A scenario, and the process that it is in."""

    def __init__(self, name: str, limit: int, ways: Ways | None) -> None:
        self.name = name
        self.limit = limit
        self.ways = ways
        self.progress = Progress()
        self.findings: list[dict] = []
        self.tally: Counter[str] = Counter()
        self.seen = 0
        self.deaths = 0
        self.deaths_here = 0  # by a kind, an error and a number of calls in a row
        self.expected = ""
        import injector  # noqa: PLC0415

        self.kinds = injector.KINDS
        self.start((*plan(self.kinds)[0], 0))

    def start(self, begin: tuple) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        self.begin = begin
        self.progress.put(*begin, 1)
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            log = self.log.fileno()
            child(self.name, begin, self.progress, writer, log, self.limit, self.ways)
        os.close(writer)
        os.set_blocking(reader, False)
        self.pipe = reader
        self.text = b""
        self.killed = False

    def drain(self) -> None:
        try:
            while some := os.read(self.pipe, 1 << 16):
                self.text += some
        except BlockingIOError:
            pass

    def is_over(self) -> bool:
        """Look after the process; whether the scenario is done."""
        self.drain()
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            if self.progress.age() > PATIENCE and not self.killed:
                self.killed = True
                os.kill(self.pid, signal.SIGUSR1)
                time.sleep(1)
                os.kill(self.pid, signal.SIGABRT)
            return False
        self.drain()
        os.close(self.pipe)
        for line in self.text.decode().splitlines():
            self.take(json.loads(line))
        self.log.seek(0)
        log = self.log.read().decode(errors="replace")
        self.log.close()
        if status == 0:
            log = re.sub(OTHERS, "", re.sub(NOT_BEGUN, "", log, flags=re.M), flags=re.M).strip()
            if log:
                self.found(f"printed: {log[:600]}", 0)
            return True
        return self.died(status, log)

    def died(self, status: int, log: str) -> bool:
        number, error, count, nth, stride = self.progress.get()
        exit_code = os.waitstatus_to_exitcode(status)
        said = symbolised(log)
        how = signal.Signals(-exit_code).name if exit_code < 0 else f"exit status {exit_code}"
        what = "hangs" if self.killed else f"ends the process: {how}"
        library = next((name for name, words in DIES.items() if re.search(words, said, re.M)), None)
        if self.killed or not library:
            self.found(f"{what}\n{said}", nth)
            self.deaths += 1
        else:
            self.tally[f"{library} ended the process"] += 1
        if nth == 0 or self.deaths > DEATHS or (exit_code == 1 and not library):
            return True
        here = (number, error, count)
        self.deaths_here = self.deaths_here + 1 if here == self.begin[:3] else 1
        self.start((*here, nth + stride * self.deaths_here))
        return False

    def found(self, what: str, nth: int) -> None:
        number, error, count, *_ = self.progress.get()
        kind = list(self.kinds)[number]
        self.findings.append(
            {
                "scenario": self.name, "kind": kind, "error": error, "number": nth,
                "count": count, "what": what, "whose": "?", "frames": (),
            }
        )  # fmt: skip

    def take(self, item: dict) -> None:
        if "tally" in item:
            self.tally.update(item["tally"])
        elif "seen" in item:
            self.seen = item["seen"]
        elif "way" in item and self.ways is not None:
            self.ways.taken[tuple(item["way"])] += 1
        elif "expected" in item:
            self.expected = item["expected"]
        else:
            self.findings.append(item)


def symbolised(log: str) -> str:
    """The frames in what a process said as it died, with functions and lines."""
    import injector  # noqa: PLC0415

    def line(match: re.Match[str]) -> str:
        return f"    {injector.owner_of(match[1])}: {injector.line_of(match[1], int(match[2], 16))}"

    text = re.sub(r"^(\S+)\(\+(0x[0-9a-f]+)\).*$", line, log, flags=re.M)
    text = re.sub(r"^(\S+)\([^)]*?\)\s?\[(0x[0-9a-f]+)\]$", absolute, text, flags=re.M)
    return re.sub(r"((?:^    .*\n){16})(?:^    .*\n)*", r"\1", text, flags=re.M)


def absolute(match: re.Match[str]) -> str:
    """A frame as backtrace_symbols() writes it where it knows the function."""
    return f"    {Path(match[1]).name}: {match[0].partition('(')[2].partition(')')[0]}"


def run(names: list[str], jobs: int, limit: int, ways: Ways | None, verbose: bool) -> list[Job]:
    waiting, running, done = list(names), [], []
    while waiting or running:
        while waiting and len(running) < jobs:
            running.append(Job(waiting.pop(0), limit, ways))
        time.sleep(0.01)
        for job in running.copy():
            if job.is_over():
                running.remove(job)
                done.append(job)
                if verbose:
                    print(f"{job.name}: {job.tally.total()} failed; {job.seen} allocations; "
                          f"{job.expected[:150]}", flush=True)  # fmt: skip
                tell(job.findings)
    return done


def tell(findings: list[dict]) -> None:
    """Print findings, of those that are alike only two."""
    import injector  # noqa: PLC0415

    shown: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        one = injector.Finding(**finding)
        key = one.kind, re.sub(r"\d+", "", one.what)[:60]
        shown[key] += 1
        if shown[key] <= 2:
            print(one, end="\n\n", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of scenarios")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument(
        "--own", action="store_true",
        help="without scenarios in threads, and those whose calls are mostly of other projects",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, default=4000, help="calls of a kind in a scenario")
    parser.add_argument(
        "--ways", type=int, metavar="N",
        help="only calls that the modules lead to, by each way N times or a few more",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    with_injector()
    import scenarios  # noqa: PLC0415

    ways = Ways(options.ways) if options.ways else None
    names = [
        name
        for name in scenarios.ALL
        if (not options.names or any(part in name for part in options.names))
        and not ((ways or options.own) and is_by_others(scenarios.ALL[name]))
    ]
    if options.list:
        print(*names, sep="\n")
        return 0
    began = time.monotonic()
    jobs = run(names, options.jobs, options.limit, ways, options.verbose)
    print()
    tally: Counter[str] = Counter()
    for job in jobs:
        tally.update(job.tally)
    for whose, count in tally.most_common():
        print(f"{count:9,} {whose}")
    found = sum(len(job.findings) for job in jobs)
    print(f"{len(jobs)} scenarios, {tally.total():,} calls failed, {found} findings, "
          f"{time.monotonic() - began:.0f} s")  # fmt: skip
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
