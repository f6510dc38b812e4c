#!/usr/bin/env python3
"""Compute without our code what p09 to p16 print of our traces, and compare.

    confirm_p09_to_p16.py            compare what is found here with expected/*.txt and the scripts
    confirm_p09_to_p16.py --write    the same; where script and numbers agree, rewrite expected/

tshark tells addresses, ports, payloads, and where messages in TCP streams end; dnspython reads
the DNS messages; keys, tables and statistics are put together by hand.
Exits 1 where anything differs.
"""

import argparse
import functools
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "compat")]

from confirm_with_tshark import EDGE, EXPECTED, TUTORIAL, Run, differ  # noqa: E402
from foreign_dns import p09, p10, p11, p12, p13  # noqa: E402
from foreign_flows import p14, p15, p16  # noqa: E402
from foreign_packets import Packet, packets_of  # noqa: E402

DNS = TUTORIAL / "traces" / "dns-1k.pcap.gz"
RESOLVER = "203.0.113.9"
RUNS = (
    Run("p09", "p09_pldns_demo.py", p09, "dns-1k.pcap.gz"),
    Run("p09-cut-short", "p09_pldns_demo.py", p09, "edge-10k.pcap.gz", (EDGE,)),
    Run("p10", "p10_pldns_count_dnssec.py", p10, "dns-1k.pcap.gz"),
    Run("p11", "p11_dns_find_our_servers.py", p11, "dns-1k.pcap.gz"),
    Run("p11-cut-short", "p11_dns_find_our_servers.py", p11, "edge-10k.pcap.gz", (EDGE,)),
    Run("p12", "p12_dns_server_users.py", p12, "dns-1k.pcap.gz"),
    Run(
        "p12-other-server",
        "p12_dns_server_users.py",
        functools.partial(p12, server=RESOLVER),
        "dns-1k.pcap.gz",
        (str(DNS), RESOLVER),
    ),
    Run(
        "p13",
        "p13_dns_response_lengths.py",
        p13,
        "dns-1k.pcap.gz",
        (str(DNS), "{image}"),
    ),
    Run("p14", "p14_ipflow_demo.py", p14),
    Run("p15", "p15_find_biggest_flows.py", p15),
    Run("p16", "p16_biggest_home_flows.py", p16),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite expected/ where both agree")
    write = parser.parse_args().write
    bad = 0
    seen: dict[str, list[Packet]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for run in RUNS:
            if run.trace not in seen:
                seen[run.trace] = packets_of(TUTORIAL / "traces" / run.trace)
            wanted = "".join(f"{line}\n" for line in run.lines(seen[run.trace]))
            command = [part.format(image=Path(folder) / "x.png") for part in run.command()]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            wrong = differ(run.name, wanted, done.stdout + done.stderr, run.script)
            file = EXPECTED / f"{run.name}.txt"
            if write and not wrong:
                file.write_text(wanted)
            pinned = file.read_text() if file.exists() else ""
            wrong |= differ(run.name, wanted, pinned, file.name)
            bad += wrong
    print(f"{len(RUNS) - bad} of {len(RUNS)} runs agree with what was computed without our code")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
