"""A flow table in plain Python, over the per-packet API: slow, short, and made to be compared with.

It keeps every packet of every flow, and counts when it is asked.  Timeouts are looked at for all
flows at every packet; nothing is clever.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lengths import ip_length, payload_length

import ipp
import natkit
import plt

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
REASSEMBLY = LATE = 60 * 10**9
FRAGMENTS = 8192
HELD = 4096
NO_TIME = -(2**63)
TCP, UDP = 6, 17
LATEST = (2**63 - 1) // 10**9 * 10**9  # a damaged trace tells of later times


@dataclass
class Packet:
    """What of a packet counts."""

    number: int
    time: int | None
    clock: int
    key: bytes
    wire: int
    length: int
    payload: int
    vlan: int
    flags: int | None
    seq: int


@dataclass
class Flow:
    """The packets of a flow."""

    forward: bytes
    packets: list[Packet] = field(default_factory=list)
    end_reason: int | None = None

    def first(self) -> Packet:
        """That which the trace has first; a fragment may be counted after others."""
        return min(self.packets, key=lambda p: p.number)

    def ways(self) -> tuple[list[Packet], list[Packet]]:
        fwd = [p for p in self.packets if p.key == self.forward]
        return fwd, [p for p in self.packets if p.key != self.forward]

    def closed(self) -> bool:
        flags = [{p.flags or 0 for p in way} for way in self.ways()]
        reset = any(f & RST for way in flags for f in way)
        return reset or all(any(f & FIN for f in way) for way in flags)


def reverse(key: bytes) -> bytes:
    size = 4 if key[0] == 4 else 16
    return key[:2] + key[4:6] + key[2:4] + key[6 + size :] + key[6 : 6 + size]


def retransmits(way: list[Packet]) -> tuple[int, int | None]:
    """How many segments go no further than others before, and how far they went."""
    count, highest = 0, None
    for p in way:
        if p.flags is None:
            continue
        takes = p.payload + bool(p.flags & SYN) + bool(p.flags & FIN)
        if not takes:
            continue
        end = (p.seq + takes) % 2**32
        if p.flags & SYN and highest is not None and 0 < (p.seq - highest) % 2**32 < 2**31:
            continue
        ahead = highest is None or 0 < (end - highest) % 2**32 < 2**31
        if ahead:
            highest = end
        elif takes > 1 or not p.payload:
            count += 1
    return count, highest


def is_new(syn: Packet, flow: Flow) -> bool:
    """Whether a SYN is not that of the segments that its end has sent before."""
    way = [p for p in flow.packets if p.key == syn.key]
    highest = retransmits(way)[1]
    if highest is None:
        return any(p.flags is not None and p.flags & ACK and not p.flags & SYN for p in way)
    first = next(p for p in flow.packets if retransmits([p])[1] is not None)
    known = retransmits([first])[1] if first.key == syn.key else highest
    assert known is not None
    return (known - (syn.seq + 1)) % 2**32 > 2**17


def state(flow: Flow) -> str | None:
    seen = [(p.flags, p.key) for p in flow.packets if p.flags is not None]
    if any(f & RST for f, _ in seen):
        return "reset"
    fins = [[i for i, (f, k) in enumerate(seen) if f & FIN and (k == flow.forward) is way]
            for way in (True, False)]  # fmt: skip
    if all(fins):
        acked = [
            any(i > fins[n][0] and f & ACK and (k == flow.forward) is not way
                for i, (f, k) in enumerate(seen))
            for n, way in enumerate((True, False))
        ]  # fmt: skip
        return "closed" if all(acked) else "closing"
    if any(fins):
        return "fin_wait"
    if any(f & ACK and not f & SYN for f, _ in seen):
        return "established"
    if any(f & SYN and f & ACK for f, _ in seen):
        return "syn_received"
    return "syn_sent" if any(f & SYN for f, _ in seen) else None


def rtt(flow: Flow) -> int | None:
    syn = None
    for p in flow.packets:
        if p.flags is None or not p.flags & SYN or p.flags & RST or p.time is None:
            continue
        if not p.flags & ACK:
            syn = p.time
        else:
            return None if syn is None or p.time < syn else p.time - syn
    return None


def facts(flow: Flow) -> dict[str, Any]:
    """All that natkit.Flow says of a flow."""
    first = flow.first()
    fwd, rev = flow.ways()
    tcp = first.key[1] == TCP
    reason = flow.end_reason
    if reason is None and flow.closed():
        reason = 3
    out: dict[str, Any] = {
        "fwd_key": flow.forward,
        "rev_key": reverse(flow.forward),
        "vlan_id": first.vlan,
        "number": first.number,
        "state": state(flow) if tcp else None,
        "rtt_ns": rtt(flow),
        "end_reason": reason,
        "retransmits": retransmits(fwd)[0] + retransmits(rev)[0] if tcp else None,
    }
    for name, way in (("", flow.packets), ("fwd_", fwd), ("rev_", rev)):
        times = [p.time for p in way if p.time is not None]
        out[name + "packets"] = len(way)
        out[name + "bytes"] = sum(p.wire for p in way)
        out[name + "ip_bytes"] = sum(p.length for p in way)
        out[name + "payload_bytes"] = sum(p.payload for p in way)
        out[name + "first_time_ns"] = min(times, default=None)
        out[name + "last_time_ns"] = max(times, default=None)
        if name:
            flags = 0
            for p in way:
                flags |= p.flags or 0
            out[name + "tcp_flags"] = flags if tcp else None
            out[name + "retransmits"] = retransmits(way)[0] if tcp else None
    first_time, last_time = out["first_time_ns"], out["last_time_ns"]
    duration = None if first_time is None else last_time - first_time
    out["duration_ns"] = duration if duration is None or duration < 2**63 else None
    return out


# --- Packets ---------------------------------------------------------------------------------


def captured(value: Any, name: str) -> Any:
    """An attribute, None where it was not captured."""
    try:
        return getattr(value, name)
    except ValueError:
        return None


def fragment_of(pkt: plt.packet) -> tuple[bytes, int, bool] | None:
    """Of a fragment what identifies its packet, its offset, and whether more follow."""
    if pkt.ip is not None:
        more, offset = captured(pkt.ip, "has_mf"), captured(pkt.ip, "frag_offset")
        if not more and not offset:
            return None
        head = bytes(pkt.ip.data)
        return head[12:20] + head[4:6] + head[9:10], offset, more
    head = bytes(pkt.ip6.data)
    at, following = 40, head[6]
    while following in (0, 43, 44, 51, 60, 135, 139, 140) and len(head) >= at + 8:
        if following == 44:
            bits = int.from_bytes(head[at + 2 : at + 4], "big")
            if bits & ~6 == 0:
                return None
            return head[8:40] + head[at + 4 : at + 8], bits >> 3, bool(bits & 1)
        size = (head[at + 1] + 2) * 4 if following == 51 else (head[at + 1] + 1) * 8
        at, following = at + size, head[at]
    return None


class Reference:
    """A flow table."""

    def __init__(
        self,
        home: natkit.FlowHome | None = None,
        idle: int | None = None,
        active: int | None = None,
        by_vlan: bool = False,
    ) -> None:
        self.by_vlan = by_vlan
        self.home, self.idle, self.active = home, idle, active
        self.flows: dict[tuple[bytes, int], Flow] = {}
        self.ended: list[Flow] = []
        self.fragments: list[tuple[bytes, int, bytes]] = []
        self.held: list[tuple[bytes, int, Packet]] = []
        self.wait = min(REASSEMBLY, *(t for t in (idle, active) if t is not None), REASSEMBLY)
        self.packets = self.not_ip = self.too_short = 0
        self.clock = NO_TIME

    def over(self, flow: Flow) -> bool:
        idle, active = self.deadlines(flow)
        return self.clock > min(idle, active)

    def deadlines(self, flow: Flow) -> tuple[float, float]:
        never = float("inf")
        idle = never if self.idle is None else flow.packets[-1].clock + self.idle
        active = never if self.active is None else flow.packets[0].clock + self.active
        return idle, active

    def end_what_is_over(self) -> None:
        for key, flow in list(self.flows.items()):
            if self.over(flow):
                idle, active = self.deadlines(flow)
                flow.end_reason = 3 if flow.closed() else 1 if idle <= active else 2
                self.ended.append(self.flows.pop(key))

    def key_of(self, pkt: plt.packet, ipflow: natkit.IPflow) -> tuple[bytes, bool]:
        """A packet's key, and whether it waits for its first fragment, which tells the ports."""
        key = ipflow.fwd_key
        fragment = fragment_of(pkt)
        if fragment is None:
            return key, False
        ident, offset = self.ident(pkt, fragment[0]), fragment[1]
        if offset == 0:
            self.fragments = [*self.fragments, (ident, self.clock, key[1:6])][-FRAGMENTS:]
            return key, False
        for known, clock, proto_and_ports in reversed(self.fragments):
            if known == ident:
                old = self.clock - clock > REASSEMBLY
                if old:
                    break
                return key[:1] + proto_and_ports + key[6:], False
        return key, True

    def ident(self, pkt: plt.packet, ident: bytes) -> bytes:
        return ident + pkt.vlan_id.to_bytes(2, "big") if self.by_vlan else ident

    def waits(self, clock: int) -> bool:
        return 0 <= self.clock - clock <= self.wait

    def count_held(self, held: tuple[bytes, int, Packet], key: bytes) -> None:
        self.held.remove(held)
        payload = held[2].payload if key[1] in (TCP, UDP) else 0
        self.count(replace(held[2], key=key, clock=self.clock, payload=payload))

    def count_found(self, pkt: plt.packet, key: bytes) -> None:
        """After a first fragment: those of its packet that waited for it."""
        fragment = fragment_of(pkt)
        if fragment is not None and fragment[1] == 0:
            for held in reversed(self.held.copy()):
                if held[0] == self.ident(pkt, fragment[0]) and self.waits(held[1]):
                    self.count_held(held, held[2].key[:1] + key[1:6] + held[2].key[6:])

    def count_lost(self) -> None:
        """Those that waited for too long, or are too many."""
        while self.held and (len(self.held) >= HELD or not self.waits(self.held[0][1])):
            self.count_held(self.held[0], self.held[0][2].key)

    def lengths(self, pkt: plt.packet, key: bytes) -> tuple[int, int, int | None, int]:
        """IP length, payload, TCP flags and sequence number."""
        layer3 = bytes(pkt.layer3.data)
        length = ip_length(pkt)
        fragment = fragment_of(pkt)
        if fragment is not None and fragment[1]:
            if key[0] == 4:
                header = pkt.ip.hdr_len * 4
                whole = 20 <= header <= len(layer3)
                return length, max(length - header, 0) if whole else 0, None, 0
            return length, max(length - self.behind_fragment_header(layer3), 0), None, 0
        payload = payload_length(pkt) or 0
        transport = pkt.tcp
        if transport is None:
            return length, payload, None, 0
        at = len(layer3) - len(bytes(transport.data))
        if min(length, len(layer3)) - at < 14:
            return length, payload, None, 0
        return length, payload, transport.flags, transport.seq_nbr

    @staticmethod
    def behind_fragment_header(layer3: bytes) -> int:
        at, following = 40, layer3[6]
        while following != 44:
            size = (layer3[at + 1] + 2) * 4 if following == 51 else (layer3[at + 1] + 1) * 8
            at, following = at + size, layer3[at]
        return at + 8

    def add(self, pkt: plt.packet) -> None:
        number, self.packets = self.packets, self.packets + 1
        time: int | None = pkt.time_ns if 10**9 - LATEST <= pkt.time_ns < LATEST else None
        if time == 0:  # of pcapng's simple packet blocks, and no trace of the corpus has others
            time = None
        # a packet that is more than a minute late is right, and those before it had wrong times
        if time is not None and not 0 <= self.clock - time <= LATE:
            self.clock = time
        try:
            ipflow = natkit.IPflow(pkt)
        except ValueError:
            self.too_short += 1
            self.count_lost()
            return
        if not ipflow:
            self.not_ip += 1
            self.count_lost()
            return
        key, waits = self.key_of(pkt, ipflow)
        length, payload, flags, seq = self.lengths(pkt, key)
        fragment = fragment_of(pkt)
        later = fragment is not None and fragment[1]
        packet = Packet(number, time, self.clock, key, pkt.wire_len, length, payload,
                        pkt.vlan_id, flags, seq)  # fmt: skip
        if waits:
            self.held.append((self.ident(pkt, fragment[0]), self.clock, packet))
        else:
            carries = not later or key[1] in (TCP, UDP)
            self.count(packet if carries else replace(packet, payload=0))
            self.count_found(pkt, key)
        self.count_lost()

    def count(self, packet: Packet) -> None:
        key = packet.key
        self.end_what_is_over()
        both = min(key, reverse(key)), packet.vlan if self.by_vlan else 0
        flow = self.flows.get(both)
        flags = packet.flags
        syn = flags is not None and flags & (SYN | ACK | RST) == SYN
        if flow is not None and self.too_long([*flow.packets, packet]):
            flow.end_reason = 3 if flow.closed() else 2
            self.ended.append(self.flows.pop(both))
            flow = None
        if flow is not None and syn and (flow.closed() or is_new(packet, flow)):
            flow.end_reason = 3
            self.ended.append(self.flows.pop(both))
            flow = None
        if flow is None:
            flow = self.flows[both] = Flow(key)
        flow.packets.append(packet)
        flow.forward = flow.first().key
        if self.home is not None and not self.at_home(flow.forward):
            flow.forward = reverse(flow.forward)

    def too_long(self, packets: list[Packet]) -> bool:
        times = [p.time for p in packets if p.time is not None]
        return self.active is not None and bool(times) and max(times) - min(times) > self.active

    def at_home(self, key: bytes) -> bool:
        size = 4 if key[0] == 4 else 16
        dst = ipp.IPprefix(key[0], bytearray(key[6 + size :]), 8 * size)
        return any(p.version == key[0] and p.is_prefix(dst) for p in self.home.prefixes)

    def read(self, packets: Iterable[plt.packet]) -> None:
        """All packets; fragments that still wait for their first are counted without it."""
        for pkt in packets:
            self.add(pkt)
        self.end_what_is_over()
        for held in self.held.copy():
            self.count_held(held, held[2].key)

    def everything(self) -> list[dict[str, Any]]:
        """All flows, in the order of their first packets."""
        flows = [*self.ended, *self.flows.values()]
        return [facts(flow) for flow in sorted(flows, key=lambda flow: flow.first().number)]


def facts_of(flow: natkit.Flow) -> dict[str, Any]:
    """The same of one of natkit's flows: what any table counts."""
    counted = {*natkit.FlowTable().columns().names, "fwd_key", "rev_key"}
    names = [name for name in dir(flow) if {name, name.removesuffix("_ns")} & counted]
    left_out = {"version", "proto", "src_prefix", "dst_prefix", "src_port", "dst_port"}
    return {name: getattr(flow, name) for name in names if name not in left_out}


def all_facts(table: natkit.FlowTable) -> list[dict[str, Any]]:
    """All flows of a table, those that ended too, in the order of their first packets."""
    flows: Iterator[natkit.Flow] = iter([*list(table), *table.expired()])
    return sorted(map(facts_of, flows), key=lambda flow: flow["number"])
