"""The answers that doc/recipes.md shows, counted by a loop over the bytes of the files."""

import gzip
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPE = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"^\{\.output\}\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANSWERS = {
    title: "".join(OUTPUT.findall(text))
    for title, text in RECIPE.findall((ROOT / "doc/recipes.md").read_text())
}
FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass
class Packet:
    """What Ethernet, 802.1Q (by IEEE 802.1Q section 9.3), IP and TCP say of a packet."""

    ns: int
    wire: int  # with the FCS, as wire_len has it
    version: int = 0
    src: str = ""
    dst: str = ""
    proto: int = -1
    ttl: int = 0
    length: int = 0  # of what is in IP, by its header
    above: bytes = b""  # what is in IP, as far as it was captured; of a later fragment nothing
    ident: bytes = b""  # of a fragment, what its packet's others have too

    @property
    def is_tcp(self) -> bool:
        return self.proto == 6 and len(self.above) >= 14

    @property
    def flags(self) -> int:
        return self.above[13] if self.is_tcp else 0

    @property
    def ports(self) -> tuple[int, int]:
        known = self.proto in (6, 17) and len(self.above) >= 4
        return struct.unpack(">HH", self.above[:4]) if known else (0, 0)

    @property
    def ends(self) -> tuple[object, ...]:
        return self.src, self.ports[0], self.dst, self.ports[1]

    @property
    def back(self) -> tuple[object, ...]:
        return self.ends[2:] + self.ends[:2]

    @property
    def seq(self) -> int:
        return int.from_bytes(self.above[4:8], "big")


def decoded(ns: int, wire: int, frame: bytes) -> Packet:
    packet = Packet(ns, wire)
    at = 12
    while frame[at : at + 2] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    kind, ip = frame[at : at + 2], frame[at + 2 :]
    if kind == b"\x08\0":
        packet.version, packet.ttl, packet.proto = 4, ip[8], ip[9]
        packet.src, packet.dst = str(ip_address(ip[12:16])), str(ip_address(ip[16:20]))
        size = (ip[0] & 15) * 4
        total, fragment = struct.unpack(">H2xH", ip[2:8])
        packet.length = total - size
        packet.above = b"" if fragment & 0x1FFF else ip[size:total]
        packet.ident = ip[4:6] + ip[9:10] + ip[12:20] if fragment & 0x3FFF else b""
    elif kind == b"\x86\xdd":
        packet.version, packet.proto, packet.ttl = 6, ip[6], ip[7]
        packet.src, packet.dst = str(ip_address(ip[8:24])), str(ip_address(ip[24:40]))
        packet.length, packet.above = int.from_bytes(ip[4:6], "big"), ip[40:]
        while packet.proto in (0, 43, 60):  # options and routing headers: RFC 8200 section 4
            packet.proto, size = packet.above[0], (packet.above[1] + 1) * 8
            packet.length, packet.above = packet.length - size, packet.above[size:]
    return packet


def packets(name: str) -> Iterator[Packet]:
    """Those of a pcap file (draft-ietf-opsawg-pcap) of Ethernet in microseconds."""
    data = gzip.decompress((ROOT / "tutorial/traces" / name).read_bytes())
    magic, link = struct.unpack("<I16xI", data[:24])
    assert (magic, link) == (0xA1B2C3D4, 1)
    at = 24
    while at < len(data):
        sec, micro, captured, wire = struct.unpack_from("<IIII", data, at)
        yield decoded(sec * 10**9 + micro * 1000, wire + 4, data[at + 16 : at + 16 + captured])
        at += 16 + captured


@pytest.fixture(scope="module")
def edge() -> list[Packet]:
    return list(packets("edge-10k.pcap.gz"))


@pytest.fixture(scope="module")
def dns() -> list[Packet]:
    return list(packets("dns-1k.pcap.gz"))


Trace = list[Packet]
CHECKS: dict[str, Callable[[Trace, Trace], str]] = {}


def answers(title: str) -> Callable[[Callable[[Trace, Trace], str]], None]:
    def keep(function: Callable[[Trace, Trace], str]) -> None:
        CHECKS[title] = function

    return keep


def lines(*texts: object) -> str:
    return "".join(f"{text}\n" for text in texts)


@answers("Who sends the most?")
def _(edge: Trace, _dns: Trace) -> str:
    octets = Counter()
    for p in edge:
        octets[p.src] += p.wire if p.version else 0
    return lines(*(f"{src} {n}" for src, n in octets.most_common(3)))


@answers("How many packets and bytes a second?")
def _(edge: Trace, _dns: Trace) -> str:
    start = min(p.ns for p in edge) // 10**9
    seconds = [[p.wire for p in edge if p.ns // 10**9 == start + s] for s in range(3)]
    return lines(*(f"second {s}: {len(w)} packets, {sum(w)} bytes" for s, w in enumerate(seconds)))


@answers("How much is IPv6?")
def _(edge: Trace, _dns: Trace) -> str:
    total = sum(p.wire for p in edge)
    shares = [sum(p.wire for p in edge if p.version == v) / total * 100 for v in (0, 4, 6)]
    return lines(*(f"version {v}: {s:.1f} %" for v, s in zip((0, 4, 6), shares, strict=True)))


@answers("Which connections were refused?")
def _(edge: Trace, _dns: Trace) -> str:
    asked, refused = set(), Counter()
    for p in edge:
        if p.flags & (SYN | ACK) == SYN:
            asked.add(p.ends)
        elif p.flags & RST and not p.flags & SYN and p.seq == 0 and p.back in asked:
            refused[p.ports[0]] += 1
    return lines(*(f"port {port}: {n} refused" for port, n in refused.most_common(3)))


@answers("How long does a handshake take?")
def _(edge: Trace, _dns: Trace) -> str:
    sent, took = {}, []
    for p in edge:
        if p.flags & (SYN | ACK) == SYN:
            sent.setdefault(p.ends, p.ns)
        elif p.flags & SYN and p.back in sent:
            took.append(p.ns - sent.pop(p.back))
    return lines(f"{len(took)} handshakes, median {median(took) / 1e6:.1f} ms")


@answers("Which connections lost packets?")
def _(edge: Trace, _dns: Trace) -> str:
    count, again, first, highest = Counter(), Counter(), {}, {}
    for p in edge:
        if p.proto != 6:
            continue
        flow = frozenset([p.ends, p.back])
        first.setdefault(flow, p)
        count[flow] += 1
        if not p.is_tcp:
            continue
        payload = p.length - (p.above[12] >> 4) * 4
        takes = payload + bool(p.flags & SYN) + bool(p.flags & FIN)
        end = p.seq + takes
        if takes and (p.ends not in highest or 0 < (end - highest[p.ends]) % 2**32 < 2**31):
            highest[p.ends] = end
        elif takes > 1 or (takes and not payload):
            again[flow] += 1
    out = []
    for flow, n in again.most_common(3):
        src, _, dst, port = first[flow].ends
        out.append(f"{src} to {dst} port {port}: {n / count[flow]:.1%} again")
    return lines(*out)


@answers("What share of the bytes do the largest flows have?")
def _(edge: Trace, _dns: Trace) -> str:
    octets = Counter()
    first = {p.ident: p for p in edge if p.ident and p.above}
    for p in edge:
        if p.version:
            known = first.get(p.ident, p)
            octets[known.proto, frozenset([known.ends, known.back])] += p.wire
    sizes = sorted(octets.values(), reverse=True)
    shares = {n: sum(sizes[:n]) / sum(sizes) for n in (10, 100)}
    return lines(*(f"{n} of {len(sizes)} flows: {share:.0%}" for n, share in shares.items()))


@answers("What segment size do hosts offer?")
def _(edge: Trace, _dns: Trace) -> str:
    sizes: Counter[int | None] = Counter()
    for p in edge:
        if not p.flags & SYN:
            continue
        end = (p.above[12] >> 4) * 4
        # as the page says, options that are not all there count as none
        options = p.above[20:end] if len(p.above) >= end else b""
        mss = None
        while options and options[0] and mss is None:
            if options[0] == 2 and len(options) >= 4:
                mss = int.from_bytes(options[2:4], "big")
            size = 1 if options[0] == 1 else options[1] if len(options) > 1 else len(options)
            options = options[size:]
        sizes[mss] += 1
    return lines(sizes.most_common(4))


@answers("Who sends ICMP errors, and about what?")
def _(edge: Trace, _dns: Trace) -> str:
    errors: Counter[tuple[int, int, int]] = Counter()
    for p in edge:
        if p.version == 4 and p.proto == 1 and p.above[0] in (3, 11):
            errors[p.above[0], p.above[1], p.above[8 + 9]] += 1
    return lines(
        *(
            f"type {kind} code {code}, quoting protocol {proto}: {n}"
            for (kind, code, proto), n in errors.most_common(4)
        )
    )


@answers("How far away are the senders?")
def _(edge: Trace, _dns: Trace) -> str:
    first: dict[str, int] = {}
    for p in edge:
        if p.version == 4 and ip_address(p.src) not in ip_network("192.0.2.0/24"):
            first.setdefault(p.src, p.ttl)
    hops = Counter(min(s - ttl for s in (32, 64, 128, 255) if s >= ttl) for ttl in first.values())
    return lines(sorted(hops.items()))


@answers("What is inside the tunnel?")
def _(edge: Trace, _dns: Trace) -> str:
    inside = Counter(p.above[6] for p in edge if p.version == 4 and p.proto == 41)
    return lines(inside.most_common())


@answers("How do I cut one conversation out of a trace?")
def _(_edge: Trace, dns: Trace) -> str:
    wanted = next(p for p in dns if p.is_tcp)
    found = [p for p in dns if p.is_tcp and wanted.ends in (p.ends, p.back)]
    return lines(f"{len(found)} packets")


@answers("How do I cut ten seconds out?")
def _(edge: Trace, _dns: Trace) -> str:
    times = [p.ns - edge[0].ns for p in edge]
    return lines(f"{sum(10 * 10**9 <= t < 20 * 10**9 for t in times)} packets")


@answers("How do I change addresses in a trace?")
def _(_edge: Trace, dns: Trace) -> str:
    sources = [ip_address(p.src) for p in dns if p.version == 4]
    home = sum(src in ip_network("192.0.2.0/24") for src in sources)
    return lines(f"{len(sources)} packets with right checksums", f"{home} of them from 10.0.0.0/24")


def question(message: bytes) -> str:
    """The name that is asked for (RFC 1035 section 4.1.2), which is not compressed."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels) + "."


def messages(dns: Trace) -> Iterator[tuple[Packet, bytes]]:
    return ((p, p.above[8:]) for p in dns if p.proto == 17 and 53 in p.ports)


@answers("Which names do not exist?")
def _(_edge: Trace, dns: Trace) -> str:
    names = Counter(question(m) for _, m in messages(dns) if m[2] & 0x80 and m[3] & 15 == 3)
    return lines(*(f"{n} {name}" for name, n in names.most_common(3)))


@answers("How fast do nameservers answer?")
def _(_edge: Trace, dns: Trace) -> str:
    asked, took = {}, []
    for p, message in messages(dns):
        if not message[2] & 0x80:
            asked[p.ends, message[:2]] = p.ns
        elif (p.back, message[:2]) in asked:
            took.append((p.ns - asked.pop((p.back, message[:2]))) / 1e6)
    return lines(
        f"{len(took)} answers, median {median(took):.1f} ms, {len(asked)} queries without one"
    )


@answers("How long are DNS responses by TCP?")
def _(_edge: Trace, dns: Trace) -> str:
    """Each stream is laid out by its sequence numbers as a whole, and cut up then."""
    streams: dict[tuple[object, ...], bytearray] = {}
    begins = {p.ends: p.seq + 1 for p in dns if p.ports[0] == 53 and p.flags & SYN}
    for p in dns:
        if p.is_tcp and p.ends in begins and not p.flags & SYN:
            at, payload = (p.seq - begins[p.ends]) % 2**32, p.above[(p.above[12] >> 4) * 4 :]
            stream = streams.setdefault(p.ends, bytearray())
            stream.extend(bytes(max(0, at + len(payload) - len(stream))) if payload else b"")
            stream[at : at + len(payload)] = payload
    lengths, unfinished = [], 0
    for stream in streams.values():
        at = 0
        while at < len(stream):
            lengths.append(int.from_bytes(stream[at : at + 2], "big"))
            at += 2 + lengths[-1]
        unfinished += at > len(stream)
    shown = f"{len(lengths)} responses from {min(lengths)} to {max(lengths)} bytes"
    return lines(f"{shown}, median {median(lengths)}; {unfinished} streams unfinished")


@answers("How are packets spaced?")
def _(edge: Trace, _dns: Trace) -> str:
    gaps = [(b.ns - a.ns) / 1000 for a, b in pairwise(edge)]
    return lines(f"median gap {median(gaps)} microseconds, longest {max(gaps)}")


@answers("Which features of flows do I give a classifier?")
def _(_edge: Trace, dns: Trace) -> str:
    flows: dict[tuple[int, frozenset[object]], list[Packet]] = {}
    for p in dns:
        if p.version:
            flows.setdefault((p.proto, frozenset([p.ends, p.back])), []).append(p)
    first: dict[int, list[list[int]]] = {17: [], 6: []}
    for (proto, _ends), sent in flows.items():
        sizes = [
            (p.length + {4: 20, 6: 40}[p.version]) * (1 if p.ends == sent[0].ends else -1)
            for p in sent[:5]
        ]
        first.get(proto, []).append(sizes + [0] * (5 - len(sizes)))
    medians = {
        proto: [float(median(n)) for n in zip(*first[proto], strict=True)] for proto in first
    }
    return lines(f"{len(flows)} flows of 15 features", f"UDP {medians[17]}", f"TCP {medians[6]}")


@answers("How do I read many files as one?")
def _(edge: Trace, dns: Trace) -> str:
    return lines(f"{len(edge) + len(dns)} packets")


def test_every_recipe_has_a_loop() -> None:
    assert set(CHECKS) == set(ANSWERS)


@pytest.mark.parametrize("title", CHECKS)
def test_the_answer_is_that_of_a_loop(title: str, edge: Trace, dns: Trace) -> None:
    assert CHECKS[title](edge, dns) == ANSWERS[title]
