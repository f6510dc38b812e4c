"""Run fuzzers, each for some seconds, and say what came of it: what `make fuzz` calls.

usage: python tests/fuzz/run.py [--seconds N] [--cpu-minutes N] [--smoke] [FUZZER...]

Findings and grown inputs are in .fuzz/, what was built in build/fuzz/.  The exit status is 1 where
there was a finding.  With --cpu-minutes each fuzzer runs again and again, for --seconds each time,
until it has had so much of the processors' time, that of earlier runs of this kind with it; what
they came to is in .fuzz/NAME.json.  With --smoke every fuzzer reads its seeds once, and nothing is
changed.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILT = ROOT / "build" / "fuzz"
KEPT = ROOT / ".fuzz"
SEEDS = BUILT / "seeds"

#: The longest input; where there is nothing, DEFAULT_LENGTH.
DEFAULT_LENGTH = 2048
LENGTHS = {"where": 512, "addresses": 512, "flowtable": 1024, "dns": 1024}
OPTIONS = [
    "-timeout=20",
    "-rss_limit_mb=3072",
    "-print_final_stats=1",
    "-entropic=0",  # it takes a fifth of the time
]
#: Modules in api/, run by the program python.
API = sorted(path.stem for path in (HERE / "api").glob("api_*.py"))
SHARED = ("packets", "reading", "flows", "mutate_pcapng", "mutate_dns", "python")
PLAIN = sorted(path.stem for path in HERE.glob("*.c") if path.stem not in SHARED)


class Outcome(NamedTuple):
    """What a run came to."""

    executions: int
    cpu: float  # seconds
    coverage: int  # edges
    features: int
    findings: list[str]


NOTHING = Outcome(0, 0.0, 0, 0, [])


def environment(name: str) -> dict[str, str]:
    """Sanitizers that say where, and what a Python in the process finds its modules by."""
    values = dict(os.environ)
    asan = "quarantine_size_mb=8:allocator_may_return_null=1:detect_stack_use_after_return=0"
    values |= {"UBSAN_OPTIONS": "print_stacktrace=1"}
    if name in API:
        folders = [BUILT / "lib", HERE / "api", HERE.parent, sysconfig.get_path("purelib")]
        values |= {
            "FUZZ_API": name,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "PYTHONMALLOC": "malloc",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "ARROW_DEFAULT_MEMORY_POOL": "system",
        }
        asan += ":detect_leaks=0"  # an interpreter never frees all it took
    return values | {"ASAN_OPTIONS": asan}


def command_of(name: str) -> list[str]:
    program = BUILT / ("python" if name in API else name)
    command = [str(program), f"-max_len={LENGTHS.get(name, DEFAULT_LENGTH)}", *OPTIONS]
    if name in API:
        command.append("-detect_leaks=0")
    return [*command, f"-artifact_prefix={KEPT}/findings/{name}-"]


def number(pattern: str, text: str) -> int:
    """The last number that a pattern finds, 0 without."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(name: str, arguments: list[str]) -> Outcome:
    """Run a fuzzer to its end; its words are in .fuzz/NAME.log."""
    findings = KEPT / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    log = KEPT / f"{name}.log"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with log.open("w") as out:
        status = subprocess.run(
            [*command_of(name), *arguments],
            stdout=out,
            stderr=out,
            env=environment(name),
            check=False,
        ).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = log.read_text(errors="replace")
    found = re.findall(r"Test unit written to (\S+)", text)
    if status and not found:
        found = [f"exit status {status}, see {log.relative_to(ROOT)}"]
    return Outcome(
        number(r"stat::number_of_executed_units: (\d+)", text) or number(r"#(\d+)\s", text),
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        number(r"cov: (\d+)", text),
        number(r"ft: (\d+)", text),
        found,
    )


def fuzz(name: str, seconds: int) -> Outcome:
    """Go on with what was found to be of interest before, and with the seeds."""
    corpus = KEPT / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    return run(name, [f"-max_total_time={seconds}", str(corpus), str(SEEDS / name)])


def both(earlier: Outcome, later: Outcome) -> Outcome:
    """What two runs came to, of which the later went on with the inputs of the earlier."""
    return Outcome(
        earlier.executions + later.executions,
        earlier.cpu + later.cpu,
        max(earlier.coverage, later.coverage),
        max(earlier.features, later.features),
        later.findings,
    )


def fuzz_for(name: str, seconds: int, minutes: float) -> Outcome:
    """Until it has had so many minutes of the processors' time, or until there is a finding."""
    kept = KEPT / f"{name}.json"
    total = Outcome(*json.loads(kept.read_text()), []) if kept.exists() else NOTHING
    while total.cpu < minutes * 60 and not total.findings:
        total = both(total, fuzz(name, seconds))
        kept.write_text(json.dumps(total[:-1]))
    return total


def read_seeds(name: str) -> Outcome:
    """Run every seed once."""
    return run(name, ["-runs=0", str(SEEDS / name)])


def main() -> int:
    """Run what is asked for, print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--cpu-minutes", type=float, default=0)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("fuzzers", nargs="*", default=[*PLAIN, *API])
    args = parser.parse_args()
    unknown = set(args.fuzzers) - {*PLAIN, *API}
    if unknown:
        parser.error(f"no such fuzzer: {', '.join(sorted(unknown))}; there are {PLAIN + API}")
    found = 0
    print(
        f"{'fuzzer':16} {'CPU min':>7} {'executions':>12} {'a CPU s':>8} {'edges':>6} "
        f"{'features':>8} findings"
    )
    for name in args.fuzzers:
        if args.smoke:
            outcome = read_seeds(name)
        elif args.cpu_minutes:
            outcome = fuzz_for(name, args.seconds, args.cpu_minutes)
        else:
            outcome = fuzz(name, args.seconds)
        rate = outcome.executions / outcome.cpu if outcome.cpu else 0
        print(
            f"{name:16} {outcome.cpu / 60:7.1f} {outcome.executions:12,} {rate:8,.0f} "
            f"{outcome.coverage:6} {outcome.features:8} {len(outcome.findings)}",
            flush=True,
        )
        for finding in outcome.findings:
            print(f"    {finding}")
        found += len(outcome.findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
