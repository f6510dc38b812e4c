"""What p17 to p22 and p25 print of a trace, made from tshark's packets, without our code."""

import collections
import statistics
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dns.message
from foreign_dns import percentile
from foreign_packets import Address, Packet, at_home, packets_of, tshark_rows
from tshark_fields import PREFERENCES, Frame, frames, number

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
TCP, UDP = 6, 17
NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "IPv6 tunnel", 58: "ICMPv6", 132: "SCTP"}
SECOND, MS = 10**9, 10**6


class Seen(NamedTuple):
    """A packet, with what flow tables count of it; None where it is not there or was cut off."""

    packet: Packet
    time: int
    proto: int | None
    key: bytes | None  # of the flow that it counts in: a later fragment's is that of the first
    flags: int | None
    seq: int
    carried: int  # bytes of TCP's or UDP's payload, captured or not


def carried(frame: Frame) -> int:
    """By the lengths in the headers, of which no fragment has all."""
    extensions, _ = frame.above_ip() if frame.version else ([], [])
    if frame.number("ip.frag_offset") or frame.number("ip.flags.mf") or extensions:
        return 0
    if frame.transport == "udp":
        return frame.number("udp.length") - 8
    if frame.transport != "tcp" or frame.number("tcp.hdr_len") is None:
        return 0
    size = frame.number("ipv6.plen")
    if frame.version == 4:
        size = frame.number("ip.len") - frame.number("ip.hdr_len")
    return size - frame.number("tcp.hdr_len")


def fragments(path: Path, tshark: str) -> dict[int, tuple[str, int]]:
    """Of each fragment, by its packet's number: what it is a fragment of, and its offset."""
    options = [part for name in PREFERENCES for part in ("-o", name)]
    fields = ("frame.number", "ip.id", "ip.flags.mf", "ip.frag_offset")
    fields += ("ipv6.fraghdr.ident", "ipv6.fraghdr.offset")
    found = {}
    for row in tshark_rows(path, fields, *options, tshark=tshark):
        here, ident, more, offset, ident6, offset6 = (cells[0] if cells else "" for cells in row)
        if ident6:
            found[int(here)] = ident6, number(offset6)
        elif ident and (number(more) or number(offset)):
            found[int(here)] = ident, number(offset)
    return found


def seen(path: Path, tshark: str = "tshark") -> list[Seen]:
    """Every packet of the trace PATH."""
    parts = fragments(path, tshark)
    found = packets_of(path, tshark)
    firsts = {
        (parts[p.number][0], p.src, p.dst): p.key
        for p in found
        if p.number in parts and not parts[p.number][1]
    }
    result = []
    for packet, frame in zip(found, frames(path, tshark), strict=True):
        key = packet.key
        if key is not None and packet.number in parts:
            key = firsts.get((parts[packet.number][0], packet.src, packet.dst), key)
        is_tcp = frame.transport == "tcp"
        flags = frame.number("tcp.flags") if is_tcp else None
        seq = (frame.number("tcp.seq") or 0) if is_tcp else 0
        result.append(Seen(packet, frame.time_ns, frame.proto, key, flags, seq, carried(frame)))
    return result


# --- p17 and p18: columns ---------------------------------------------------------------------


def p17(rows: list[Seen]) -> Iterator[str]:
    packets = [row.packet for row in rows]
    versions = collections.Counter(p.version for p in packets)
    kinds = f"{versions[4]} IPv4, {versions[6]} IPv6, {versions[None]} neither"
    counts = collections.Counter(row.proto for row in rows if row.packet.version)
    cut = counts.pop(None, 0)
    yield f"{len(packets)} packets: {kinds}; {cut} cut short"
    for proto in sorted(counts, key=lambda p: (-counts[p], p)):
        yield f"{proto:3} {NAMES.get(proto, '?'):12} {counts[proto]:8}"
    tcp = [p for p in packets if p.transport == "tcp"]
    whole = [p for p in tcp if p.ports is not None]
    packets_at: collections.Counter[int] = collections.Counter()
    bytes_at: collections.Counter[int] = collections.Counter()
    for p in whole:
        for port in set(p.ports):
            packets_at[port] += 1
            bytes_at[port] += p.wire_len
    line = f"{len(packets)} packets, {len(tcp)} of them TCP; {len(tcp) - len(whole)} cut short"
    yield f"{line}; {len(bytes_at)} ports"
    for port in sorted(bytes_at, key=lambda p: (-bytes_at[p], p))[:10]:
        yield f"port {port:5} {packets_at[port]:8} packets {bytes_at[port]:10} bytes"


def p18(rows: list[Seen]) -> Iterator[str]:
    first = min((row.time for row in rows), default=0)
    sums: dict[int, list[int]] = {}
    ways: list[list[Packet]] = [[], []]
    for row in rows:
        sums.setdefault((row.time - first) // SECOND, [0, 0])
        p = row.packet
        ends = [end is not None and at_home(end) for end in (p.src, p.dst)]
        if ends[0] != ends[1]:
            ways[ends[0]].append(p)
            sums[(row.time - first) // SECOND][ends[0]] += p.wire_len
    come, go = map(len, ways)
    octets = [sum(p.wire_len for p in way) for way in ways]
    yield f"{len(rows)} packets, {come} of them come in, {go} go out"
    yield f"{octets[0]} bytes in, {octets[1]} bytes out"
    if rows:
        busiest = [max(sorted(sums), key=lambda s, way=way: sums[s][way]) for way in (0, 1)]
        yield f"busiest: second {busiest[0]} in, second {busiest[1]} out"
        yield "second  bytes in bytes out"
    for second in sorted(sums):
        yield f"{second:6} {sums[second][0]:9} {sums[second][1]:9}"


# --- p19, p20, p22 and p25: flows -------------------------------------------------------------


def reverse(key: bytes) -> bytes:
    size = 4 if key[0] == 4 else 16
    return key[:2] + key[4:6] + key[2:4] + key[6 + size :] + key[6 : 6 + size]


class Flow:
    """The packets of a flow, in the order of the trace; forward is the first one's direction."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.rows: list[Seen] = []

    def way(self, forward: bool) -> list[Seen]:
        return [row for row in self.rows if (row.key == self.key) is forward]

    def bytes(self, forward: bool) -> int:
        return sum(row.packet.wire_len for row in self.way(forward))

    @property
    def ends(self) -> tuple[tuple[Address, int], tuple[Address, int]]:
        first = self.rows[0].packet
        ports = struct.unpack("!HH", self.key[2:6])
        return (first.src, ports[0]), (first.dst, ports[1])

    def flags(self, forward: bool | None = None) -> list[tuple[int, int, bool]]:
        """Place, flags and direction of each TCP header."""
        found = [(n, r.flags, r.key == self.key) for n, r in enumerate(self.rows) if r.flags]
        return [entry for entry in found if forward is None or entry[2] is forward]

    @property
    def state(self) -> str:
        flags = self.flags()
        if not flags:
            return ""
        if any(f & RST for _, f, _ in flags):
            return "reset"
        fins = [next((n for n, f, _ in self.flags(w) if f & FIN), None) for w in (True, False)]
        if None not in fins:
            acked = [
                any(n > fin and f & ACK and w is not way for n, f, w in flags)
                for fin, way in zip(fins, (True, False), strict=True)
            ]
            return "closed" if all(acked) else "closing"
        return "fin_wait" if fins != [None, None] else "established"

    @property
    def handshake(self) -> int | None:
        """From the last SYN before the first SYN-ACK to that."""
        asked = None
        for row in self.rows:
            if row.flags is not None and row.flags & (SYN | RST) == SYN:
                if row.flags & ACK:
                    return None if asked is None else row.time - asked
                asked = row.time
        return None

    @property
    def again(self) -> int:
        """Segments that end no later than one before them; keep-alives, of one byte, are none."""
        count = 0
        for forward in (True, False):
            highest = None
            for row in self.way(forward):
                takes = row.carried + bool(row.flags & SYN) + bool(row.flags & FIN)
                end = (row.seq + takes) % 2**32
                if takes and (highest is None or 0 < (end - highest) % 2**32 < 2**31):
                    highest = end
                elif takes and (takes > 1 or not row.carried):
                    count += 1
        return count


def flows(rows: list[Seen]) -> list[Flow]:
    """The flows, in the order in which they began."""
    table: dict[bytes, Flow] = {}
    for row in rows:
        if row.key is not None:
            key = row.key if row.key in table or reverse(row.key) not in table else None
            table.setdefault(key or reverse(row.key), Flow(row.key)).rows.append(row)
    return list(table.values())


def p19(rows: list[Seen]) -> Iterator[str]:
    table = flows(rows)
    ip = [row for row in rows if row.packet.version]
    cut = sum(row.key is None for row in ip)
    yield f"{len(rows)} packets, {len(ip)} of them IP; {cut} cut short; {len(table)} flows"
    for flow in sorted(table, key=lambda f: -f.bytes(True) - f.bytes(False))[:10]:
        line = f"{flow.bytes(True):9} {flow.bytes(False):9} {flow.state:11}"
        version, proto = flow.key[:2]
        if proto in (TCP, UDP):
            ends = " to ".join(f"{addr} port {port}" for addr, port in flow.ends)
            yield f"{line} {NAMES[proto]} {ends}"
        else:
            ends = " to ".join(str(addr) for addr, _ in flow.ends)
            yield f"{line} IPv{version} protocol {proto}, {ends}"


def p20(rows: list[Seen]) -> Iterator[str]:
    servers: dict[tuple[Address, int], list[Flow]] = {}
    for flow in flows(rows):
        if flow.key[1] == TCP and flow.handshake is not None:
            servers.setdefault(flow.ends[1], []).append(flow)
    count = sum(map(len, servers.values()))
    yield f"{len(rows)} packets; {count} connections, {len(servers)} servers"
    yield "connections  network  server ms  again  slowest part  server"
    for (addr, port), found in sorted(servers.items(), key=lambda kv: -len(kv[1]))[:10]:
        network = statistics.median(f.handshake for f in found) / MS
        again = sum(f.again for f in found) / sum(len(f.rows) for f in found)
        waits = []
        for flow in found:
            said = [[row.time for row in flow.way(w) if row.carried] for w in (True, False)]
            if all(said) and min(said[0]) < min(said[1]):
                waits.append(max(min(said[1]) - min(said[0]) - flow.handshake, 0) / MS)
        server = statistics.median(waits or [0])
        blame = "loss" if again >= 0.03 else "server" if server > network else "network"
        line = f"{len(found):11} {network:8.1f} {server:10.1f} {again:6.1%}  {blame:12}"
        yield f"{line}  {addr} {port}"


def p22(rows: list[Seen]) -> Iterator[str]:
    doors: dict[Address, set[tuple]] = {}
    opened: dict[Address, set[tuple]] = {}
    for flow in flows(rows):
        (src, _), (dst, port) = flow.ends
        if flow.key[1] not in (TCP, UDP) or at_home(src) or not at_home(dst):
            continue
        doors.setdefault(src, set()).add((dst, flow.key[1], port))
        answered = flow.way(False) if flow.key[1] == UDP else flow.handshake is not None
        if answered:
            opened.setdefault(src, set()).add((dst, flow.key[1], port))
    yield f"{len(rows)} packets; {len(doors)} addresses of the world began something at home"
    shut = {a: len(tried - opened.get(a, set())) for a, tried in doors.items()}
    scanners = [a for a in doors if shut[a] >= 5]
    yield f"{len(scanners)} of them tried 5 doors or more that did not open"
    yield "doors  open  kind      address"
    for addr in sorted(scanners, key=lambda a: (-len(doors[a]), a.version, a)):
        tried = doors[addr]
        hosts, ports = ({door[n] for door in tried} for n in (0, 2))
        kind = "one host" if len(hosts) == 1 else "one port" if len(ports) == 1 else "both"
        yield f"{len(tried):5} {len(tried) - shut[addr]:5}  {kind:8}  {addr}"


def p25(rows: list[Seen]) -> Iterator[str]:
    """Without the largest flow: flows that nothing came of for 5 s of the trace have ended."""
    period, idle = 10 * SECOND, 5 * SECOND
    start = rows[0].time if rows else 0
    due, now, packets, octets, ended = start + period, start, 0, 0, 0
    active: dict[bytes, Flow] = {}

    def report() -> str:
        line = f"{(now - start) / 1e9:6.1f} s {packets:6} packets {octets:9} bytes"
        return f"{line} {len(active):5} flows active {ended:5} ended"

    for row in rows:
        now = row.time
        if now >= due:
            yield report()
            packets = octets = ended = 0
            while due <= now:
                due += period
        over = [key for key, flow in active.items() if now - flow.rows[-1].time > idle]
        packets += 1
        octets += row.packet.wire_len
        if row.key is not None:
            both = min(row.key, reverse(row.key))
            syn = row.flags is not None and row.flags & (SYN | ACK) == SYN
            if syn and both in active and active[both].state in ("closed", "reset"):
                over.append(both)  # another connection between the same ports
        ended += len(over)
        for key in over:
            del active[key]
        if row.key is not None:
            active.setdefault(both, Flow(row.key)).rows.append(row)
    yield report()


# --- p21: DNS ---------------------------------------------------------------------------------


class Message(NamedTuple):
    """A DNS message; its time is that of its first byte's packet."""

    number: int
    time: int
    src: Address
    dst: Address
    ports: tuple[int, int]
    proto: int
    wire: bytes

    @property
    def ident(self) -> int:
        return int.from_bytes(self.wire[:2], "big")

    @property
    def is_response(self) -> bool:
        return bool(self.wire[2] & 0x80)

    @property
    def question(self) -> str:
        if self.wire[4:6] == b"\0\0":
            return ""
        return dns.message.from_wire(self.wire, question_only=True).question[0].to_text().lower()


def streams(rows: list[Seen]) -> Iterator[Message]:
    """The messages in TCP, whose segments are put in order and counted once."""
    segments: dict[bytes, dict[int, Seen]] = {}
    for row in rows:
        if row.packet.transport == "tcp" and 53 in (row.packet.ports or ()):
            ways = segments.setdefault(row.key, {})
            if row.flags & SYN:
                ways[-1] = row
            elif row.packet.payload:
                ways.setdefault((row.seq - ways[-1].seq - 1) % 2**32, row)
    for ways in segments.values():
        joined, starts = b"", []
        for offset in sorted(ways):
            if offset == len(joined):
                starts.append((offset, ways[offset]))
                joined += ways[offset].packet.payload
        at = 0
        while at + 2 <= len(joined):
            end = at + 2 + int.from_bytes(joined[at : at + 2], "big")
            first = max((entry for entry in starts if entry[0] <= at), key=lambda entry: entry[0])
            p = first[1].packet
            wire = joined[at + 2 : end]
            yield Message(p.number, first[1].time, p.src, p.dst, p.ports, TCP, wire)
            at = end


def messages(rows: list[Seen]) -> list[Message]:
    found = [
        Message(p.number, row.time, p.src, p.dst, p.ports, UDP, p.payload)
        for row, p in ((row, row.packet) for row in rows)
        if p.transport == "udp" and 53 in (p.ports or ()) and p.payload
    ]
    return sorted([*found, *streams(rows)], key=lambda m: m.number)


def p21(rows: list[Seen]) -> Iterator[str]:
    waiting: dict[tuple, list[Message]] = {}
    times: dict[Address, list[float]] = {}
    answered = set()
    queries = []
    found = messages(rows)
    for m in found:
        ends = (m.src, m.ports[0], m.dst, m.ports[1])
        if not m.is_response:
            queries.append(m)
            waiting.setdefault((*ends, m.proto, m.ident), []).append(m)
            continue
        asked = waiting.get((*ends[2:], *ends[:2], m.proto, m.ident), [])
        # A server that did not understand the question may leave it out
        query = next((q for q in asked if m.question in ("", q.question)), None)
        if query:
            asked.remove(query)
            answered.add(query)
            times.setdefault(m.src, []).append((m.time - query.time) / MS)
    line = f"{len(queries)} queries, {len(answered)} of them answered"
    yield f"{len(found)} messages: {line}"
    yield "answers  median ms  95% ms   max ms  server"
    for addr in sorted(times, key=lambda a: (-len(times[a]), str(a)))[:5]:
        took = sorted(times[addr])
        line = f"{len(took):7} {percentile(took, 50):10.1f} {percentile(took, 95):7.1f}"
        yield f"{line} {took[-1]:8.1f}  {addr}"
    incoming = [m for m in queries if at_home(m.dst) and not at_home(m.src)]
    asked = {m.dst for m in incoming}
    silent = asked - {m.dst for m in incoming if m in answered}
    yield f"{len(silent)} hosts at home are asked and never answer, {len(asked - silent)} do"
    yield "hosts asked  silent  queries unanswered  client"
    lines = []
    for addr in {m.src for m in incoming}:
        hosts = {m.dst for m in incoming if m.src == addr}
        missing = sum(m not in answered for m in incoming if m.src == addr)
        lines.append((-len(hosts & silent), -missing, str(addr), len(hosts)))
    for quiet, missing, addr, hosts in sorted(lines):
        yield f"{hosts:11} {-quiet:7} {-missing:19}  {addr}"
