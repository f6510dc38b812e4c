#!/usr/bin/env python3
"""Build a small internet, let real programs talk in it, capture at a home network's edge.

Run as root: `tutorial/lab/lab.py --out FOLDER`. README.md beside this file has the picture.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
from pathlib import Path

import capture
import packages
import sandbox
import services
import summary
import topology
from dns_traffic import plan_dns_traffic
from link_traffic import plan_link_traffic
from schedule import Schedule
from traffic import plan_traffic

# Name -> how long it lasts, who plans it, where it is captured, and what makes traces of that.
TRAFFIC = {
    "edge": (75, (plan_traffic, plan_dns_traffic), capture.EDGE_CAPTURE, capture.derive_edge),
    "links": (30, (plan_link_traffic,), capture.LINKS_CAPTURE, capture.derive_links),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    out = Path(__file__).parent / "out"
    parser.add_argument("--out", type=Path, default=out, help="where the traces go")
    parser.add_argument("--only", choices=TRAFFIC, help="the one kind of traffic to make")
    parser.add_argument("--seconds", type=float, help="how long each kind of traffic lasts")
    parser.add_argument("--seed", type=int, default=11, help="what decides who does what when")
    parser.add_argument("--cache", type=Path, help="a folder that keeps the fetched packages")
    parser.add_argument(
        "--keep", action="store_true", help="copy the whole capture and the logs to the folder too"
    )
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def inside(options: argparse.Namespace) -> None:
    """What process 1 of the sandbox does."""
    sandbox.settle()
    print("fetching packages", flush=True)
    packages.fetch(options.cache)
    sandbox.leave_network()
    sandbox.use_unpacked_packages()
    packages.check_programs()
    print("building", flush=True)
    wires = topology.build()
    daemons = services.start(random.Random(options.seed))
    if not topology.add_filters():
        print("the kernel has no nf_tables: no NAT and no firewalls in this run")
    topology.wait_for_slaac()
    for name, (seconds, plans, path, derive) in TRAFFIC.items():
        if options.only in (None, name):
            schedule = Schedule(options.seconds or seconds, random.Random(options.seed))
            for plan_some in plans:
                plan_some(schedule)
            print(f"{name}: {schedule.seconds:.0f} s of traffic", flush=True)
            tcpdump = capture.start(path)
            print(schedule.run())
            print(capture.stop(tcpdump), end="")
            if options.keep:
                keep(options.out, path)
            options.out.mkdir(parents=True, exist_ok=True)
            derive(options.out)
    wires.terminate()
    wires.wait()
    print("wires:", (sandbox.STATE / "wires.log").read_text(), end="")
    ended = [name for name, process in daemons.items() if process.poll() is not None]
    if ended:
        print("ended before their time:", ", ".join(ended))
    print(summary.summary(options.out))


def keep(folder: Path, captured: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in (captured, *sandbox.STATE.glob("*.log")):
        shutil.copy(path, folder)


def main() -> int:
    options = arguments()
    if options.inside:
        inside(options)
        return 0
    if os.geteuid() != 0:
        raise SystemExit("the lab makes namespaces: run it as root")
    packages.check_machine()
    # The sandbox has its own /run; what the caller names must be found from there all the same.
    for path in (options.out, options.cache):
        if path and path.resolve().is_relative_to("/run"):
            raise SystemExit(f"{path} lies in /run, which the lab hides from itself")
    return sandbox.start(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
