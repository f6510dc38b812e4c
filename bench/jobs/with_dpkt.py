"""Packets, flows and DNS with dpkt, which is Python throughout.

Its reader tells the captured bytes of a packet, not those on the wire: these come from the IP
header, to which Ethernet's header and frame check are added.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import dpkt
from clock import Clock
from shared import FCS, Result, port_summary

ETHERNET = 14 + FCS

Internet: TypeAlias = dpkt.ip.IP | dpkt.ip6.IP6


def packets(path: Path) -> Iterator[tuple[float, bytes]]:
    with path.open("rb") as file:
        yield from dpkt.pcap.Reader(file)


def wire_len(internet: Internet) -> int:
    if isinstance(internet, dpkt.ip.IP):
        return int(internet.len) + ETHERNET
    return int(internet.plen) + 40 + ETHERNET


def count(path: Path, clock: Clock) -> Result:
    """Packets and captured bytes; nothing is decoded."""
    number = octets = 0
    with clock:
        for _, data in packets(path):
            number += 1
            octets += len(data)
    return {"count": number, "captured": octets}


def ports(path: Path, clock: Clock) -> Result:
    number = 0
    sizes: dict[int, int] = {}
    with clock:
        for _, data in packets(path):
            number += 1
            internet = dpkt.ethernet.Ethernet(data).data
            tcp = internet.data
            if isinstance(tcp, dpkt.tcp.TCP):
                sizes[tcp.dport] = sizes.get(tcp.dport, 0) + wire_len(internet)
    return port_summary(number, sizes)


def columns(path: Path, clock: Clock) -> Result:
    """Into lists."""
    times, sizes, sources, targets, protos, src_ports, dst_ports, flags = ([] for _ in range(8))
    with clock:
        for time, data in packets(path):
            internet = dpkt.ethernet.Ethernet(data).data
            transport = internet.data
            times.append(time)
            sizes.append(wire_len(internet))
            sources.append(internet.src)
            targets.append(internet.dst)
            protos.append(internet.p)
            src_ports.append(transport.sport)
            dst_ports.append(transport.dport)
            flags.append(transport.flags if isinstance(transport, dpkt.tcp.TCP) else 0)
    return {
        "count": len(times),
        "wire_len": sum(sizes),
        "proto": sum(protos),
        "src_port": sum(src_ports),
        "dst_port": sum(dst_ports),
        "tcp.flags": sum(flags),
    }


def flows(path: Path, clock: Clock) -> Result:
    """A dict of [packets, bytes] forward and reverse, by five-tuple."""
    known: dict[tuple[bytes, bytes, int, int, int], list[int]] = {}
    with clock:
        for _, data in packets(path):
            internet = dpkt.ethernet.Ethernet(data).data
            src, dst, proto, transport = internet.src, internet.dst, internet.p, internet.data
            key = (src, dst, transport.sport, transport.dport, proto)
            way = 0
            flow = known.get(key)
            if flow is None:
                way = 2
                flow = known.get((dst, src, transport.dport, transport.sport, proto))
                if flow is None:
                    way = 0
                    flow = known[key] = [0, 0, 0, 0]
            flow[way] += 1
            flow[way + 1] += wire_len(internet)
    number = sum(flow[0] + flow[2] for flow in known.values())
    octets = sum(flow[1] + flow[3] for flow in known.values())
    return {"count": number, "bytes": octets, "flows": len(known)}


def dns(path: Path, clock: Clock) -> Result:
    """Each message of a trace that is all DNS."""
    messages = responses = answers = letters = 0
    with clock:
        for _, data in packets(path):
            message = dpkt.dns.DNS(dpkt.ethernet.Ethernet(data).data.data.data)
            messages += 1
            responses += message.qr
            answers += len(message.an)
            letters += len(message.qd[0].name)
    return {"count": messages, "responses": responses, "answers": answers, "letters": letters}
