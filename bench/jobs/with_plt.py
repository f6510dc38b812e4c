"""Loops over packets with plt."""

from pathlib import Path

from clock import Clock, resident
from shared import Result, port_summary

import plt

KEPT = 500_000  # packets, at most


def opened(path: Path) -> plt.trace:
    trace = plt.trace(path)
    trace.start()
    return trace


def count_packets(path: Path, clock: Clock) -> Result:
    packets = 0
    with clock:
        for _ in opened(path):
            packets += 1
    return {"count": packets}


def count(path: Path, clock: Clock) -> Result:
    packets = octets = 0
    with clock:
        for pkt in opened(path):
            packets += 1
            octets += pkt.wire_len
    return {"count": packets, "bytes": octets}


def ports(path: Path, clock: Clock) -> Result:
    packets = 0
    sizes: dict[int, int] = {}
    with clock:
        for pkt in opened(path):
            packets += 1
            tcp = pkt.tcp
            if tcp:
                port = tcp.dst_port
                sizes[port] = sizes.get(port, 0) + pkt.wire_len
    return port_summary(packets, sizes)


def all_ports(path: Path, clock: Clock) -> Result:
    """Of a trace with tunnels and fragments, where tools need not find the same ports."""
    return {"count": ports(path, clock)["count"]}


def dst_ports(path: Path, clock: Clock) -> Result:
    """The sum of the destination ports of TCP."""
    packets = total = 0
    with clock:
        for pkt in opened(path):
            packets += 1
            tcp = pkt.tcp
            if tcp:
                total += tcp.dst_port
    return {"count": packets, "total": total}


def keep(path: Path, clock: Clock) -> Result:
    """Keep packets in a list: what one takes besides its bytes."""
    packets: list[plt.packet] = []
    before = 0
    with clock:
        for pkt in opened(path):
            packets.append(pkt)
            if len(packets) == 1000:
                before = resident()
            if len(packets) == KEPT:
                break
    octets = sum(pkt.capture_len for pkt in packets[1000:])
    clock.notes["bytes"] = (resident() - before - octets) / (len(packets) - 1000)
    return {"count": len(packets)}


def drop(path: Path, clock: Clock) -> Result:
    """Drop each packet: by how much the process grows meanwhile."""
    packets = before = 0
    with clock:
        for _ in opened(path):
            packets += 1
            if packets == 1000:
                before = resident()
    clock.notes["bytes"] = max(resident() - before, 0)
    return {"count": packets}
