#!/usr/bin/env python3
"""Compute without our code what p17 to p25 print of our traces, and compare.

    confirm_p17_to_p25.py            compare what is found here with expected/*.txt and the scripts
    confirm_p17_to_p25.py --write    the same; where script and numbers agree, rewrite expected/

tshark tells times, addresses, ports, flags and lengths; flows, rates, response times and scans are
put together by hand; SQLite asks p24's questions.  Exits 1 where anything differs.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "compat")]

from confirm_with_tshark import EXPECTED, TUTORIAL, differ  # noqa: E402
from foreign_files import p23, p24  # noqa: E402
from foreign_tables import Seen, p17, p18, p19, p20, p21, p22, p25, seen  # noqa: E402

TRACES = TUTORIAL / "traces"
EDGE, DNS = TRACES / "edge-10k.pcap.gz", TRACES / "dns-1k.pcap.gz"
LINKS = TRACES / "links-3k.pcap.gz"


@cache
def packets(trace: Path) -> list[Seen]:
    """The packets of a trace, by tshark."""
    return seen(trace)


class Run(NamedTuple):
    """One pinned run of a script: its expected output is expected/NAME.txt."""

    name: str
    script: str
    lines: Callable[[Path], Iterator[str]]  # given the folder that the script may have written to
    arguments: tuple[str, ...] = ()

    def command(self, folder: Path) -> list[str]:
        """The command that makes the output."""
        arguments = [part.format(folder=folder) for part in self.arguments]
        return [sys.executable, str(TUTORIAL / self.script), *arguments]

    def of(self, output: str) -> str:
        """What of a script's output is confirmed: all but p25's names of flows."""
        lines = output.splitlines(keepends=True)
        return "".join(line for line in lines if "largest active" not in line)


def all_traces(_folder: Path) -> Iterator[str]:
    paths = sorted(TRACES.glob("*.pcap*"))
    return p24({path.name.partition(".pcap")[0]: packets(path) for path in paths})


RUNS = (
    Run("p17", "p17_columns.py", lambda _: p17(packets(EDGE))),
    Run("p18", "p18_home_rates.py", lambda _: p18(packets(EDGE))),
    Run("p19", "p19_flow_table.py", lambda _: p19(packets(EDGE))),
    Run("p20", "p20_network_or_server.py", lambda _: p20(packets(EDGE))),
    Run(
        "p20-links",
        "p20_network_or_server.py",
        lambda _: p20(packets(LINKS)),
        (str(LINKS),),
    ),
    Run("p21", "p21_dns_response_times.py", lambda _: p21(packets(DNS))),
    Run("p22", "p22_who_scans_us.py", lambda _: p22(packets(EDGE))),
    Run(
        "p23",
        "p23_share_a_trace.py",
        lambda folder: p23(DNS, folder / "addresses.pcapng", folder / "cleared.pcapng"),
        (str(DNS), "{folder}"),
    ),
    Run("p24", "p24_parquet_and_sql.py", all_traces),
    Run("p25", "p25_watch_live.py", lambda _: p25(packets(EDGE))),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite expected/ where both agree")
    write = parser.parse_args().write
    bad = 0
    for run in RUNS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            command = run.command(folder)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            output = done.stdout + done.stderr
            wanted = "".join(f"{line}\n" for line in run.lines(folder))
        wrong = differ(run.name, wanted, run.of(output), run.script)
        file = EXPECTED / f"{run.name}.txt"
        if write and not wrong:
            file.write_text(output)
        pinned = file.read_text() if file.exists() else ""
        wrong |= differ(run.name, wanted, run.of(pinned), file.name)
        bad += wrong
    print(f"{len(RUNS) - bad} of {len(RUNS)} runs agree with what was computed without our code")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
