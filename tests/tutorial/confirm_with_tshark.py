#!/usr/bin/env python3
"""Compute with tshark what p01 to p08 print of our traces, and compare.

    confirm_with_tshark.py          compare tshark's numbers with expected/*.txt and the scripts
    confirm_with_tshark.py --pin    the same; where script and tshark agree, rewrite expected/

Every number is made here a second time from tshark's fields, with no use of plt.
Exits 1 where anything differs.
"""

import argparse
import collections
import difflib
import functools
import ipaddress
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
TUTORIAL = HERE.parent.parent / "tutorial"
EXPECTED = HERE / "expected"
sys.path.insert(0, str(HERE.parent / "compat"))

from tshark_fields import Frame, frames  # noqa: E402

FIN, RST = 0x01, 0x04
ETHERTYPES = {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6"}
PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "IPv6 tunnel", 58: "ICMPv6", 132: "SCTP"}


class Segment(NamedTuple):
    """What p05 to p08 look at of a TCP packet; None where it was cut off."""

    ports: frozenset[int] | None
    flags: int | None
    wire_len: int


def segments(packets: list[Frame]) -> list[Segment]:
    """The packets that have a TCP header right above their outermost IP header."""
    found = []
    for frame in packets:
        if frame.transport == "tcp":
            ends = frame.number("tcp.srcport"), frame.number("tcp.dstport")
            ports = None if None in ends else frozenset(ends)
            found.append(Segment(ports, frame.number("tcp.flags"), frame.wire_len))
    return found


def tcp_line(packets: list[Frame], cut: int) -> str:
    return f"{len(packets)} packets, {len(segments(packets))} of them TCP; {cut} cut short"


def p01(packets: list[Frame]) -> Iterator[str]:
    captured = sum(frame.number("frame.cap_len") for frame in packets)
    yield f"{len(packets)} packets, {captured} bytes captured"


def p02(packets: list[Frame]) -> Iterator[str]:
    yield f"{len(packets)} packets"
    for et, count in sorted(collections.Counter(f.ethertype for f in packets).items()):
        yield f"0x{et:04x} {ETHERTYPES.get(et, '?'):5} {count:8}"


def p03(packets: list[Frame]) -> Iterator[str]:
    versions = collections.Counter(frame.version for frame in packets)
    counts = collections.Counter(frame.proto for frame in packets if frame.version)
    cut = counts.pop(None, 0)
    kinds = f"{versions[4]} IPv4, {versions[6]} IPv6, {versions[None]} neither"
    yield f"{len(packets)} packets: {kinds}; {cut} cut short"
    for proto, count in counts.most_common():
        yield f"{proto:3} {PROTOCOLS.get(proto, '?'):12} {count:8}"


def p04(packets: list[Frame], home_text: str = "192.0.2.0/24") -> Iterator[str]:
    home = ipaddress.ip_network(home_text)
    n_ip = cut = 0
    directions: collections.Counter[tuple[bool, bool]] = collections.Counter()
    foreign: dict[tuple[str, str], None] = {}  # a set that keeps the order
    for frame in packets:
        if frame.version != 4:
            continue
        n_ip += 1
        src, dst = frame.text("ip.src"), frame.text("ip.dst")
        if src is None or dst is None:
            cut += 1
            continue
        ends = (ipaddress.ip_address(src) in home, ipaddress.ip_address(dst) in home)
        directions[ends] += 1
        if ends == (False, False):
            foreign[src, dst] = None
    yield from (f"foreign: {src + '/32':18} -> {dst}/32" for src, dst in foreign)
    yield f"{len(packets)} packets, {n_ip} of them IPv4; {cut} cut short"
    leaving, entering = directions[True, False], directions[False, True]
    inside, transit = directions[True, True], directions[False, False]
    ends_text = f"{leaving} leaving, {entering} entering, {inside} inside, {transit} in transit"
    yield f"home {home}: {ends_text}"


def p05(packets: list[Frame]) -> Iterator[str]:
    flags = [s.flags for s in segments(packets)]
    yield tcp_line(packets, flags.count(None))
    fins = sum(bool(f & FIN) for f in flags if f is not None)
    yield f"{fins} FIN, {sum(bool(f & RST) for f in flags if f is not None)} RST"


def whole(packets: list[Frame]) -> list[Segment]:
    """The TCP headers whose ports and flags were captured."""
    return [s for s in segments(packets) if s.ports is not None and s.flags is not None]


def p06(packets: list[Frame]) -> Iterator[str]:
    known = whole(packets)
    yield tcp_line(packets, len(segments(packets)) - len(known))
    for name, is_http in (("HTTP:", True), ("other:", False)):
        flags = [s.flags for s in known if (80 in s.ports) == is_http]
        fins, resets = (sum(bool(f & bit) for f in flags) for bit in (FIN, RST))
        yield f"{name:6} {len(flags):6} packets {fins:6} FIN {resets:6} RST"


def p07(packets: list[Frame]) -> Iterator[str]:
    packets_of: collections.Counter[int] = collections.Counter()
    bytes_of: collections.Counter[int] = collections.Counter()
    cut = 0
    for segment in segments(packets):
        cut += segment.ports is None
        for port in segment.ports or ():
            packets_of[port] += 1
            bytes_of[port] += segment.wire_len
    yield f"{tcp_line(packets, cut)}; {len(bytes_of)} ports"
    for port in sorted(bytes_of, key=lambda p: (-bytes_of[p], p))[:10]:
        yield f"port {port:5} {packets_of[port]:8} packets {bytes_of[port]:10} bytes"


def p08(packets: list[Frame]) -> Iterator[str]:
    known = whole(packets)
    flags_of: dict[int, list[int]] = collections.defaultdict(list)
    for segment in known:
        for port in segment.ports:
            flags_of[port].append(segment.flags)
    cut = len(segments(packets)) - len(known)
    yield f"{tcp_line(packets, cut)}; {len(flags_of)} ports"
    for port in sorted(flags_of, key=lambda p: (-len(flags_of[p]), p))[:10]:
        flags = flags_of[port]
        fins, resets = (sum(bool(f & bit) for f in flags) for bit in (FIN, RST))
        yield f"port {port:5} {len(flags):8} packets {fins:5} FIN {resets:5} RST"


class Run(NamedTuple):
    """One pinned run of a script: its expected output is expected/NAME.txt."""

    name: str
    script: str
    lines: Callable[[list[Frame]], Iterator[str]]
    trace: str = "edge-10k.pcap.gz"  # the scripts' own default
    arguments: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """The command that makes the output."""
        return [sys.executable, str(TUTORIAL / self.script), *self.arguments]


OUTSIDE = "203.0.113.0/24"  # seen from there, much of the trace is foreign
EDGE = str(TUTORIAL / "traces" / "edge-10k.pcap.gz")
RUNS = (
    Run("p01", "p01_read_test.py", p01),
    Run("p02", "p02_count_ethertypes.py", p02),
    Run("p03", "p03_count_protos.py", p03),
    Run("p04", "p04_transit_ip_pkts.py", p04),
    Run(
        "p04-other-home",
        "p04_transit_ip_pkts.py",
        functools.partial(p04, home_text=OUTSIDE),
        arguments=(EDGE, OUTSIDE),
    ),
    Run("p05", "p05_tcp_fin_vs_reset.py", p05),
    Run("p06", "p06_http_fin_vs_reset.py", p06),
    Run("p07", "p07_tcp_port_counts.py", p07),
    Run("p08", "p08_ports_fin_vs_reset.py", p08),
)


def differ(name: str, wanted: str, got: str, of: str) -> bool:
    """Whether GOT is not what tshark WANTED; the difference is printed."""
    diff = difflib.unified_diff(wanted.splitlines(), got.splitlines(), "tshark", of, lineterm="")
    text = "\n".join(diff)
    if text:
        print(f"{name}: {of} differs from tshark\n{text}")
    return bool(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pin", action="store_true", help="rewrite expected/ where both agree")
    pin = parser.parse_args().pin
    bad = 0
    seen: dict[str, list[Frame]] = {}
    for run in RUNS:
        if run.trace not in seen:
            seen[run.trace] = list(frames(TUTORIAL / "traces" / run.trace))
        wanted = "".join(f"{line}\n" for line in run.lines(seen[run.trace]))
        done = subprocess.run(run.command(), capture_output=True, text=True, check=False)
        wrong = differ(run.name, wanted, done.stdout + done.stderr, run.script)
        file = EXPECTED / f"{run.name}.txt"
        if pin and not wrong:
            file.write_text(wanted)
        pinned = file.read_text() if file.exists() else ""
        wrong |= differ(run.name, wanted, pinned, file.name)
        bad += wrong
    print(f"{len(RUNS) - bad} of {len(RUNS)} runs agree with tshark")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
