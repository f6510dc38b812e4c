"""The captures at the edge, and the traces that are derived from them."""

from __future__ import annotations

import gzip
import signal
import struct
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from sandbox import STATE, inside, run, start_daemon

EDGE_CAPTURE, LINKS_CAPTURE = STATE / "edge.pcap", STATE / "links.pcap"
NODE, INTERFACE = "edge", "wan0"

MAGIC = 0xA1B2C3D4
LINKTYPE_ETHERNET = 1
FILE_HEADER = struct.Struct("=IHHiIII")
RECORD_HEADER = struct.Struct("=IIII")

# A filter looks for a port behind a tag only where it is told that a tag may be.
DNS_FILTER = "port 53 or (vlan and port 53)"

EDGE_PACKETS, EDGE_SNAP_LENGTH = 10_000, 80
DNS_PACKETS, LINKS_PACKETS, WHOLE_PACKETS = 1_000, 3_000, 262_144


class Packet(NamedTuple):
    """A record of a trace: its time, its length on the wire, what was kept of it."""

    seconds: int
    microseconds: int
    wire_length: int
    data: bytes


def start(path: Path) -> subprocess.Popen[bytes]:
    """Start tcpdump on the edge's link to its provider; it captures into `path` from now on."""
    command = ["tcpdump", "-i", INTERFACE, "-s", "0", "-B", "16384", "-U", "-Z", "root"]
    tcpdump = start_daemon("tcpdump", *inside(NODE, *command, "-w", str(path)))
    for _ in range(100):
        if path.exists():
            return tcpdump
        time.sleep(0.1)
    raise SystemExit("tcpdump did not start:\n" + (STATE / "tcpdump.log").read_text())


def stop(tcpdump: subprocess.Popen[bytes]) -> str:
    """Stop tcpdump when the last packets have arrived; what it says of packets and drops."""
    time.sleep(1.5)
    tcpdump.send_signal(signal.SIGINT)
    tcpdump.wait(timeout=10)
    return (STATE / "tcpdump.log").read_text()


def read(path: Path) -> list[Packet]:
    """All packets of a pcap file that tcpdump of this machine wrote."""
    trace = path.read_bytes()
    if FILE_HEADER.unpack_from(trace)[0] != MAGIC:
        raise SystemExit(f"{path} is not a pcap file with microseconds")
    packets = []
    offset = FILE_HEADER.size
    while offset < len(trace):
        seconds, microseconds, kept, wire_length = RECORD_HEADER.unpack_from(trace, offset)
        offset += RECORD_HEADER.size
        packets.append(Packet(seconds, microseconds, wire_length, trace[offset : offset + kept]))
        offset += kept
    return packets


def write(path: Path, packets: list[Packet], snap_length: int) -> None:
    """Write packets, each cut to the snap length, as a gzip file that carries no name or time."""
    parts = [struct.pack("<IHHiIII", MAGIC, 2, 4, 0, 0, snap_length, LINKTYPE_ETHERNET)]
    for packet in packets:
        data = packet.data[:snap_length]
        header = (packet.seconds, packet.microseconds, len(data), packet.wire_length)
        parts += [struct.pack("<IIII", *header), data]
    path.write_bytes(gzip.compress(b"".join(parts), 9, mtime=0))


def enough(packets: list[Packet], needed: int, of: str) -> list[Packet]:
    """The first so many of the packets; SystemExit where there are fewer."""
    print(f"{len(packets)} packets {of}")
    if len(packets) < needed:
        raise SystemExit("too few packets for the traces: run the lab for more --seconds")
    return packets[:needed]


def derive_edge(folder: Path) -> None:
    """Write edge-10k and dns-1k, each the first so many packets of the first capture."""
    dns_capture = STATE / "dns.pcap"
    run("tcpdump", "-Z", "root", "-r", str(EDGE_CAPTURE), "-w", str(dns_capture), DNS_FILTER)
    edge = enough(read(EDGE_CAPTURE), EDGE_PACKETS, "at the edge")
    dns = enough(read(dns_capture), DNS_PACKETS, "of nameservers")
    write(folder / "edge-10k.pcap.gz", edge, EDGE_SNAP_LENGTH)
    write(folder / "dns-1k.pcap.gz", dns, WHOLE_PACKETS)


def derive_links(folder: Path) -> None:
    """Write links-3k, the first so many packets of the second capture."""
    links = enough(read(LINKS_CAPTURE), LINKS_PACKETS, "of tunnels, hellos and a lossy link")
    write(folder / "links-3k.pcap.gz", links, WHOLE_PACKETS)
