"""What p14 to p16 print of a trace, made from tshark's packets, without our code."""

from collections.abc import Iterator

from foreign_packets import Packet, at_home

PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "6in4", 58: "ICMPv6", 132: "SCTP"}


def ends(packet: Packet) -> tuple[str, str]:
    """Source and destination, each with its port."""
    src_port, dst_port = packet.ports or (0, 0)
    return f"{packet.src} {src_port}", f"{packet.dst} {dst_port}"


def reverse(packet: Packet) -> bytes:
    """The key of a packet that goes the other way."""
    ports = packet.ports and packet.ports[::-1]
    return packet._replace(src=packet.dst, dst=packet.src, ports=ports).key


def p14(packets: list[Packet]) -> Iterator[str]:
    kinds, keys, flows = set(), set(), set()
    none = 0
    for packet in packets:
        if packet.key is None:
            none += 1
            kind = packet.ethertype
            if kind not in kinds:
                what = f"packet {packet.number} (ethertype 0x{kind:04x}) has no flow"
                missing = "src" if packet.src is None else "dst"
                short = f"Data too short for {missing}_prefix"
                why = short if packet.version else f"not an IP packet: ethertype 0x{kind:04x}"
                yield f"{what}: {why}"
        else:
            kind = (packet.version, packet.proto)
            keys.add(packet.key)
            flows.add(frozenset((packet.key, reverse(packet))))
            if kind not in kinds:
                src, dst = (end.replace(" ", " port ") for end in ends(packet))
                yield f"packet {packet.number}: IP version {kind[0]}, protocol {kind[1]}"
                yield f"  from {src}"
                yield f"  to   {dst}"
                yield f"  fwd_key {packet.key.hex()}"
                yield f"  rev_key {reverse(packet).hex()}"
        kinds.add(kind)
    yield f"{len(packets)} packets, {none} of them without a flow"
    yield f"{len(keys)} keys, {len(flows)} flows when both directions count as one"


def flow_table(packets: list[Packet]) -> dict[frozenset, list[Packet]]:
    """The packets of every flow, both directions, in the order in which the flows began."""
    table: dict[frozenset, list[Packet]] = {}
    for packet in packets:
        if packet.key is not None:
            table.setdefault(frozenset((packet.key, reverse(packet))), []).append(packet)
    return table


def ip_line(packets: list[Packet]) -> str:
    ip = [p for p in packets if p.version]
    cut = sum(p.key is None for p in ip)
    return f"{len(packets)} packets, {len(ip)} of them IP; {cut} cut short"


def p15(packets: list[Packet]) -> Iterator[str]:
    table = flow_table(packets)
    yield f"{ip_line(packets)}; {len(table)} flows"
    yield "fwd bytes rev bytes  flow"
    biggest = sorted(table.values(), key=lambda flow: -sum(p.wire_len for p in flow))
    for flow in biggest[:10]:
        first = flow[0]
        fwd = sum(p.wire_len for p in flow if p.key == first.key)
        rev = sum(p.wire_len for p in flow) - fwd
        proto = PROTOCOLS.get(first.proto, first.proto)
        yield f"{fwd:9} {rev:9}  {proto:6} {' -> '.join(ends(first))}"


def p16(packets: list[Packet]) -> Iterator[str]:
    known = [p for p in packets if p.key is not None]
    crossing = [p for p in known if at_home(p.src) != at_home(p.dst)]
    table = flow_table(crossing)
    yield f"{ip_line(packets)}; {len(known) - len(crossing)} do not cross the border"
    yield f"{len(table)} flows between home and the world"
    yield " bytes in bytes out  flow"
    biggest = sorted(table.values(), key=lambda flow: -sum(p.wire_len for p in flow))
    for flow in biggest[:10]:
        inward = sum(p.wire_len for p in flow if at_home(p.dst))
        outward = sum(p.wire_len for p in flow if at_home(p.src))
        pair = ends(flow[0]) if at_home(flow[0].src) else ends(flow[0])[::-1]
        proto = PROTOCOLS.get(flow[0].proto, flow[0].proto)
        yield f"{inward:9} {outward:9}  {proto:6} {' <-> '.join(pair)}"
