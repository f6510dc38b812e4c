"""The shipped traces hold what their README says, and the lab that made them is in order.

The counts come from tshark and from a reader of this file's own, never from the project's modules.
"""

from __future__ import annotations

import gzip
import importlib.util
import ipaddress
import re
import shutil
import struct
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

TUTORIAL = Path(__file__).resolve().parents[2] / "tutorial"
LAB, TRACES = TUTORIAL / "lab", TUTORIAL / "traces"
EDGE, DNS = TRACES / "edge-10k.pcap.gz", TRACES / "dns-1k.pcap.gz"
LINKS = TRACES / "links-3k.pcap.gz"

HOME = ipaddress.ip_network("192.0.2.0/24")
DOCUMENTATION_4 = [
    ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
OTHER_6 = [ipaddress.ip_network(n) for n in ("2001:db8::/32", "fe80::/10", "ff00::/8", "::/128")]

IPV4, IPV6, ARP, VLAN = 0x0800, 0x86DD, 0x0806, 0x8100
TCP, UDP = 6, 17


class Record(NamedTuple):
    """A packet of a trace: its time in microseconds, lengths, bytes."""

    time: int
    wire_length: int
    data: bytes

    @property
    def tag(self) -> int | None:
        tpid, tci = struct.unpack_from("!HH", self.data, 12)
        return tci & 0xFFF if tpid == VLAN else None

    @property
    def ethertype(self) -> int:
        offset = 12 if self.tag is None else 16
        return int.from_bytes(self.data[offset : offset + 2], "big")

    @property
    def ip(self) -> bytes:
        return self.data[14 if self.tag is None else 18 :]

    @property
    def addresses(self) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        if self.ethertype == IPV4:
            return [ipaddress.IPv4Address(self.ip[n : n + 4]) for n in (12, 16)]
        if self.ethertype == IPV6:
            return [ipaddress.IPv6Address(self.ip[n : n + 16]) for n in (8, 24)]
        return []

    @property
    def protocol(self) -> int:
        return self.ip[9] if self.ethertype == IPV4 else self.ip[6]

    @property
    def is_udp(self) -> bool:
        return self.ethertype in (IPV4, IPV6) and self.protocol == UDP

    @property
    def transport(self) -> bytes:
        return self.ip[(self.ip[0] & 15) * 4 if self.ethertype == IPV4 else 40 :]


@cache
def records(trace: Path) -> list[Record]:
    packets, _ = contents(trace)
    return packets


def contents(trace: Path) -> tuple[list[Record], int]:
    """The packets and the snap length of a little-endian pcap file."""
    data = gzip.decompress(trace.read_bytes())
    magic, major, minor, _, _, snap_length, link_type = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor, link_type) == (0xA1B2C3D4, 2, 4, 1)
    packets = []
    offset = 24
    while offset < len(data):
        seconds, microseconds, kept, wire_length = struct.unpack_from("<IIII", data, offset)
        time = seconds * 1_000_000 + microseconds
        packets.append(Record(time, wire_length, data[offset + 16 : offset + 16 + kept]))
        assert len(packets[-1].data) == kept
        offset += 16 + kept
    return packets, snap_length


@cache
def documented(trace: str) -> dict[str, tuple[str, int]]:
    """The README's table of a trace: what is counted -> its display filter and count."""
    section = (TRACES / "README.md").read_text().partition(f"### {trace}")[2].partition("###")[0]
    rows = re.findall(r"^\| (.+?) \| `(.+?)` \| ([\d,]+) \|$", section, re.M)
    return {what: (text, int(count.replace(",", ""))) for what, text, count in rows}


def said(trace: Path, what: str) -> int:
    return documented(trace.name)[what][1]


def lab_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"lab_{name}", LAB / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_traces_are_small_and_their_gzip_headers_say_nothing() -> None:
    for trace in (EDGE, DNS, LINKS):
        assert trace.stat().st_size < 1_000_000
        header = trace.read_bytes()[:10]
        # RFC 1952: no name, comment or extra field, and no modification time.
        assert header[:8] == b"\x1f\x8b\x08\x00" + bytes(4)


def test_the_edge_trace_has_ten_thousand_packets_cut_at_80_bytes() -> None:
    packets, snap_length = contents(EDGE)
    assert (len(packets), snap_length) == (10_000, 80)
    assert all(len(p.data) == min(p.wire_length, 80) for p in packets)


def test_the_dns_trace_has_a_thousand_whole_packets() -> None:
    packets, snap_length = contents(DNS)
    assert (len(packets), snap_length) == (1_000, 262_144)
    assert all(len(p.data) == p.wire_length for p in packets)
    assert {p.protocol for p in packets} == {TCP, UDP}
    # Neither "more fragments" nor an offset. In IPv6 a fragment would be of protocol 44.
    assert not any(p.ethertype == IPV4 and (p.ip[6] & 0x3F) | p.ip[7] for p in packets)
    assert all(53 in struct.unpack_from("!HH", p.transport) for p in packets)


@pytest.mark.parametrize("trace", [EDGE, DNS, LINKS], ids=lambda p: p.name)
def test_packets_are_in_the_order_of_time(trace: Path) -> None:
    times = [p.time for p in records(trace)]
    assert times == sorted(times)
    assert times[-1] - times[0] < 120_000_000


@pytest.mark.parametrize("trace", [EDGE, DNS, LINKS], ids=lambda p: p.name)
def test_only_addresses_for_documentation_occur(trace: Path) -> None:
    for packet in records(trace):
        for address in packet.addresses:
            allowed = DOCUMENTATION_4 if address.version == 4 else OTHER_6
            assert any(address in network for network in allowed), address
        for mac in (packet.data[:6], packet.data[6:12]):
            # RFC 7042, section 2.1.2, or a group address.
            assert mac[:5] == bytes.fromhex("00005e0053") or mac[0] & 1, mac.hex()


def test_the_edge_trace_has_the_links_it_says() -> None:
    packets = records(EDGE)
    ethertypes = Counter(p.ethertype for p in packets)
    assert set(ethertypes) == {IPV4, IPV6, ARP}
    assert Counter(p.tag for p in packets)[20] == said(EDGE, "802.1Q, VLAN 20")
    assert ethertypes[ARP] == said(EDGE, "ARP")
    assert ethertypes[IPV4] == said(EDGE, "IPv4, inside a tag or not")
    in_tunnels = sum(p.ethertype == IPV4 and p.protocol == 41 for p in packets)
    assert in_tunnels == said(EDGE, "6in4")
    assert 0 < in_tunnels <= said(EDGE, "IPv6, inside a tag or a tunnel or not") - ethertypes[IPV6]


def test_the_edge_trace_has_traffic_out_of_home_into_home_and_in_transit() -> None:
    kinds: Counter[tuple[bool, ...]] = Counter()
    for packet in records(EDGE):
        if packet.ethertype == IPV4:
            kinds[tuple(a in HOME for a in packet.addresses)] += 1
    assert kinds[False, False] == said(EDGE, "IPv4 in transit") > 1000
    assert kinds[True, False] == said(EDGE, "IPv4 out of home") > 1000
    assert kinds[False, True] == said(EDGE, "IPv4 into home") > 1000
    assert kinds[True, True] == 0


def test_the_edge_trace_has_what_ends_connections() -> None:
    flags = [
        p.transport[13]
        for p in records(EDGE)
        if p.ethertype in (IPV4, IPV6) and p.protocol == TCP and len(p.transport) > 13
    ]
    # In the tunnel there are more.
    assert 0.8 * said(EDGE, "FIN") < sum(f & 1 for f in flags) <= said(EDGE, "FIN")
    assert 0.8 * said(EDGE, "RST") < sum(bool(f & 4) for f in flags) <= said(EDGE, "RST")


def test_the_dns_trace_has_the_messages_it_says() -> None:
    messages: Counter[str] = Counter()
    for packet in records(DNS):
        if packet.protocol == UDP:
            flags, response = struct.unpack_from("!H", packet.transport, 10)[0], 0x8000
            messages["responses" if flags & response else "queries"] += 1
            messages["truncated"] += bool(flags & 0x0200)
            messages["NXDOMAIN"] += bool(flags & response) and flags & 15 == 3
    assert messages["queries"] == said(DNS, "queries over UDP")
    assert messages["responses"] == said(DNS, "responses over UDP")
    assert messages["truncated"] == said(DNS, "truncated responses")
    assert 0 < messages["NXDOMAIN"] <= said(DNS, "NXDOMAIN")


def test_the_links_trace_has_three_thousand_whole_packets() -> None:
    packets, snap_length = contents(LINKS)
    assert (len(packets), snap_length) == (3_000, 262_144)
    assert all(len(p.data) == p.wire_length for p in packets)
    # RFC 768 has 0 for no checksum; those around the tunnels have one, too.
    assert all(p.transport[6:8] != bytes(2) for p in packets if p.is_udp)


def test_the_links_trace_has_the_tunnels_it_says() -> None:
    packets = records(LINKS)
    ports = [struct.unpack_from("!H", p.transport, 2)[0] for p in packets if p.is_udp]
    assert ports.count(4789) == said(LINKS, "VXLAN, UDP port 4789") > 100
    assert ports.count(6081) == said(LINKS, "Geneve, UDP port 6081, over IPv6") > 100
    protocols = Counter(p.protocol for p in packets if p.ethertype == IPV4)
    assert protocols[47] == said(LINKS, "GRE") > 100
    assert protocols[41] == said(LINKS, "6in4") > 50


def inside(packet: Record) -> Record | None:
    """What travels in a tunnel, with an Ethernet header where it has none."""
    data = packet.transport
    if packet.is_udp:
        size = {4789: 8, 6081: 16}.get(struct.unpack_from("!H", data, 2)[0])  # RFC 7348, 8926
        return packet._replace(data=data[8 + size :]) if size else None
    if packet.ethertype == IPV4 and packet.protocol in (41, 47):
        ethertype = struct.pack("!H", IPV6) if packet.protocol == 41 else data[2:4]
        inner = data if packet.protocol == 41 else data[12:]  # a key and a number: RFC 2890
        return packet._replace(data=packet.data[:12] + ethertype + inner)
    return None


def test_only_addresses_for_documentation_are_in_tunnels() -> None:
    found = [packet for packet in map(inside, records(LINKS)) if packet is not None]
    assert {p.ethertype for p in found} == {IPV4, IPV6, ARP}
    for packet in found:
        for address in packet.addresses:
            allowed = DOCUMENTATION_4 if address.version == 4 else OTHER_6
            assert any(address in network for network in allowed), address
        for mac in (packet.data[:6], packet.data[6:12]):
            assert mac[:5] == bytes.fromhex("00005e0053") or mac[0] & 1, mac.hex()


def test_nothing_that_the_readme_counts_is_missing() -> None:
    rows = [*documented(EDGE.name).items(), *documented(DNS.name).items()]
    rows += documented(LINKS.name).items()
    assert len(rows) > 110
    assert [what for what, (_, count) in rows if count == 0] == []


def shown(trace: Path, text: str) -> int:
    """How many packets pass a display filter of tshark's."""
    command = ["tshark", "-n", "-r", str(trace), "-Y", text, "-T", "fields", "-e", "frame.number"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return len(done.stdout.splitlines())


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize(
    ("trace", "what"),
    [
        (EDGE, "IPv4 in transit"),
        (EDGE, "ICMP errors: destination unreachable"),
        (DNS, "queries into home"),
        (DNS, "messages with RRSIG"),
        (DNS, "NXDOMAIN with NSEC3"),
        (LINKS, "IPv6 in IPv4"),
        (LINKS, "TCP in tunnels"),
        (LINKS, "TLS client hellos"),
        (LINKS, "of them, hello retry requests"),
        (LINKS, "QUIC client hellos of version 1"),
        (LINKS, "DNS messages over TCP"),
    ],
)
def test_tshark_counts_what_the_readme_says(trace: Path, what: str) -> None:
    text, expected = documented(trace.name)[what]
    assert shown(trace, text) == expected


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_counts_the_late_segments_that_the_readme_says() -> None:
    """Which of them were sent again, and which came out of order, tshark 4.4 tells otherwise."""
    rows = [documented(EDGE.name)[f"TCP {what}"] for what in ("retransmissions", "out of order")]
    expected = sum(count for _, count in rows)
    # 4.4 takes one that 4.0 has for out of order for neither
    assert shown(EDGE, " or ".join(text for text, _ in rows)) in (expected, expected - 1)


@pytest.mark.parametrize("script", sorted(LAB.glob("*.py")), ids=lambda p: p.name)
def test_the_scripts_compile(script: Path) -> None:
    compile(script.read_text(), script, "exec", dont_inherit=True)
    assert script.read_text().count("\n") <= 300


@pytest.mark.skipif(shutil.which("ruff") is None, reason="ruff is not installed")
def test_the_scripts_are_clean() -> None:
    done = subprocess.run(
        ["ruff", "check", "--no-cache", str(LAB)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n")


def test_the_plan_is_consistent() -> None:
    plan = lab_module("plan")
    ends = [end for wire in plan.WIRES for end in (wire.a, wire.b)]
    assert len(ends) == len(set(ends))
    tagged = [f"{end}.{plan.VLAN_ID}" for end in plan.VLAN_ENDS]
    tunnels = [f"{end.node}:{end.ifname}" for end in plan.TUNNELS]
    bridges = [f"{node}:{bridge}" for node, found in plan.BRIDGES.items() for bridge in found]
    known = {*ends, *tagged, *tunnels, *bridges, "edge:lo"}
    assert {f"{node}:{ifname}" for node, ifname, _ in plan.addresses()} <= known
    ports = [f"{n}:{p}" for n, found in plan.BRIDGES.items() for b in found.values() for p in b]
    assert set(ports) <= set(ends)
    assert {node for node, _ in plan.routes()} <= set(plan.NODES)


def test_the_plan_has_only_addresses_for_documentation_each_once() -> None:
    plan = lab_module("plan")
    interfaces = [ipaddress.ip_interface(address) for _, _, address in plan.addresses()]
    own = [i.ip for i in interfaces]
    assert len(own) == len(set(own))
    for address in own:
        allowed = DOCUMENTATION_4 if address.version == 4 else OTHER_6[:1]
        assert any(address in network for network in allowed), address


def test_a_host_makes_its_address_of_its_mac() -> None:
    plan = lab_module("plan")
    # h3 is at the fifth end of a wire. RFC 4291, appendix A: ff-fe amid it, bit 2 inverted.
    assert plan.mac("h3:eth0") == "00:00:5e:00:53:05"
    assert plan.slaac("h3") == "2001:db8:1:0:200:5eff:fe00:5305"
