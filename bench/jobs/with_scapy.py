"""Packets with scapy, which is Python throughout and dissects all of a packet."""

from pathlib import Path

from clock import Clock
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet
from scapy.utils import PcapReader, RawPcapReader
from shared import FCS, Result, port_summary


def wire_len(packet: Packet) -> int:
    return (packet.wirelen or 0) + FCS


def count_raw(path: Path, clock: Clock) -> Result:
    """Without dissecting."""
    number = octets = 0
    with clock:
        for _, about in RawPcapReader(str(path)):
            number += 1
            octets += about.wirelen + FCS
    return {"count": number, "bytes": octets}


def count(path: Path, clock: Clock) -> Result:
    number = octets = 0
    with clock:
        for packet in PcapReader(str(path)):
            number += 1
            octets += wire_len(packet)
    return {"count": number, "bytes": octets}


def ports(path: Path, clock: Clock) -> Result:
    number = 0
    sizes: dict[int, int] = {}
    with clock:
        for packet in PcapReader(str(path)):
            number += 1
            if TCP in packet:
                port = packet[TCP].dport
                sizes[port] = sizes.get(port, 0) + wire_len(packet)
    return port_summary(number, sizes)


def columns(path: Path, clock: Clock) -> Result:
    """Into lists."""
    times, sizes, sources, targets, protos, src_ports, dst_ports, flags = ([] for _ in range(8))
    with clock:
        for packet in PcapReader(str(path)):
            internet = packet[IP] if IP in packet else packet[IPv6]
            tcp = TCP in packet
            transport = packet[TCP] if tcp else packet[UDP]
            times.append(packet.time)
            sizes.append(wire_len(packet))
            sources.append(internet.src)
            targets.append(internet.dst)
            protos.append(internet.proto if internet.version == 4 else internet.nh)
            src_ports.append(transport.sport)
            dst_ports.append(transport.dport)
            flags.append(int(transport.flags) if tcp else 0)
    return {
        "count": len(times),
        "wire_len": sum(sizes),
        "proto": sum(protos),
        "src_port": sum(src_ports),
        "dst_port": sum(dst_ports),
        "tcp.flags": sum(flags),
    }
