"""The benchmarks: measure, print tables, and put them on doc's page on performance.

    python bench/run.py [--quick] [--set-limits] [PART...]

Without parts all are measured, in about twenty minutes, but for those that are measured only where
they are named.  --quick takes small traces and three rounds, to see whether all works: its numbers
are worth little, and the page is left as it is.  --set-limits sets the limits anew, 15 % above what
is measured; without it a limit that does not hold is named, and the exit status is 1.  The traces
are made when they are first needed and kept in bench/data: they take 6 GB.
"""

import argparse
import sys
import time

import limits
import machine
import picture
import report
import tables
from comparisons import COMPARISONS, ON_DEMAND, QUICK, Sizes
from growth import GROWTH
from measure import Rounds, rounds


def chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    every = [*COMPARISONS, *GROWTH]
    parser.add_argument("parts", metavar="PART", nargs="*", help=", ".join(every))
    parser.add_argument("--quick", action="store_true", help="small traces; leave the page alone")
    parser.add_argument("--set-limits", action="store_true", help="15 %% above what is measured")
    args = parser.parse_args()
    if unknown := {*args.parts} - {*every}:
        parser.error(f"no part is named {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    if args.quick and args.set_limits:
        parser.error("limits are not set by quick runs")
    args.whole = not args.parts
    named = args.parts or [part for part in every if part not in ON_DEMAND]
    args.parts = list(dict.fromkeys(named))
    return args


class Outcome:
    """What the parts that were measured add up to."""

    def __init__(self) -> None:
        self.sections: dict[str, str] = {}  # of the page
        self.taken: dict[str, Rounds] = {}  # by part
        self.limits = limits.load()
        self.regressions: list[str] = []

    def compare(self, part: str, sizes: Sizes, set_limits: bool) -> tables.Table | None:
        """None where nothing can be compared; it is told why."""
        comparison = COMPARISONS[part](sizes)
        if comparison is None:
            print(f"\n{part}: the disk has no room for it")
            return None
        jobs = comparison.feasible()
        if not jobs:
            print(f"\n{comparison.title}: nothing to compare with")
            return None
        times = sizes.rounds if comparison.in_memory else 1
        measured = rounds(jobs, times, comparison.judge, comparison.in_memory)
        if not comparison.in_memory:
            jobs[0].path.unlink()
        self.taken[part] = measured
        if set_limits:
            self.limits[part] = report.new_limits(comparison, measured)
        allowed = self.limits.get(part, {})
        self.regressions += report.regressions(comparison, measured, allowed)
        return report.compared(comparison, measured, allowed)


def main() -> int:
    args = chosen()
    sizes = QUICK if args.quick else Sizes()
    began = time.monotonic()
    outcome = Outcome()
    print(machine.described())
    for tool in machine.missing():
        print(f"{tool} is not installed: left out")
    for part in args.parts:
        if part in GROWTH:
            table: tables.Table | None = GROWTH[part](sizes)
        else:
            table = outcome.compare(part, sizes, args.set_limits)
        if table:
            print(table.text(), flush=True)
            outcome.sections[part] = table.markdown()
    if outcome.taken.keys() >= {*report.GOAL_PARTS}:
        table = report.goals(outcome.taken)
        print(table.text())
        outcome.sections["goals"] = table.markdown()
    short = {}
    if outcome.taken.keys() >= {*report.SUMMED}:
        tools = report.of_tools(outcome.taken)
        table = report.summary(tools)
        print(table.text())
        outcome.sections["summary"] = table.markdown()
        short["short"] = report.short(outcome.taken).markdown()
    if args.whole:
        outcome.sections["machine"] = machine.described()
    print(f"\nMedians of {sizes.rounds} rounds; {time.monotonic() - began:.0f} seconds in all.")
    if not args.quick:
        if args.set_limits:
            limits.save(outcome.limits)
        tables.rewrite(outcome.sections)
        tables.rewrite(short, tables.README)
        if short:
            picture.draw(tools)
    for line in outcome.regressions:
        print(f"beyond its limit: {line}")
    return 1 if outcome.regressions and not args.quick else 0


if __name__ == "__main__":
    sys.exit(main())
