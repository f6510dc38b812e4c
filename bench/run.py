"""The benchmarks: measure, print tables, and put them on doc's page on performance.

    python bench/run.py [--quick] [PART...]

Without parts all are measured, in about ten minutes.  --quick takes small traces and three
rounds, to see whether all works: its numbers are worth little, and the page is left as it is.  The
traces are made when they are first needed and kept in bench/data: they take 3 GB.
"""

import argparse
import time

import machine
import report
import tables
from comparisons import COMPARISONS, QUICK, Sizes
from growth import GROWTH
from measure import Rounds, rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", metavar="PART", nargs="*", help=", ".join(COMPARISONS | GROWTH))
    parser.add_argument("--quick", action="store_true", help="small traces; leave the page alone")
    args = parser.parse_args()
    every = [*COMPARISONS, *GROWTH]
    parts = args.parts or every
    if unknown := {*parts} - {*every}:
        parser.error(f"no part is named {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    sizes = QUICK if args.quick else Sizes()

    began = time.monotonic()
    print(machine.described())
    for tool in machine.missing():
        print(f"{tool} is not installed: left out")
    sections: dict[str, str] = {}
    taken: dict[str, Rounds] = {}
    for part in parts:
        if part in COMPARISONS:
            comparison = COMPARISONS[part](sizes)
            jobs = comparison.feasible()
            if not jobs:
                print(f"\n{comparison.title}: nothing to compare with")
                continue
            taken[part] = rounds(jobs, sizes.rounds, comparison.judge)
            table = report.compared(comparison, taken[part])
        else:
            table = GROWTH[part](sizes)
        print(table.text(), flush=True)
        sections[part] = table.markdown()
    if taken.keys() >= {*report.SUMMED}:
        table = report.summary(sizes.packets, taken)
        print(table.text())
        sections["summary"] = table.markdown()
    if parts == every:
        sections["machine"] = machine.described()
    print(f"\nMedians of {sizes.rounds} rounds; {time.monotonic() - began:.0f} seconds in all.")
    if not args.quick:
        tables.rewrite(sections)


if __name__ == "__main__":
    main()
