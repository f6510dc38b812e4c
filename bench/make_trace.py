"""Made-up traces for the benchmarks: the same seed makes the same bytes.

    python bench/make_trace.py PATH [PACKETS]

A plain pcap file of Ethernet packets, snapped to 80 bytes: TCP and UDP over IPv4 and IPv6, several
thousand flows in both directions between a home network (192.0.2.0/24, 2001:db8:1::/64) and
servers outside, a few flows with most of the packets.  TCP's sequence numbers go on as they should:
who follows them (tshark, natkit.FlowTable) finds no retransmissions.
"""

import argparse
import random
import struct
from ipaddress import ip_address
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

SNAP = 80
SIZES = (80, 80, 120, 580, 1514, 1514)  # bytes on the wire, without the FCS
CHUNK = 10_000  # packets written at once
START = 1_700_000_000  # seconds since the epoch
GAP = 50  # the most microseconds between two packets

End = tuple[str, int]  # an address and a port


class Record(NamedTuple):
    """A packet of a flow as it is in the file, without its time and its sequence numbers."""

    before: bytes
    after: bytes  # the two sequence numbers; empty where there are none
    way: int  # 0 from the flow's first end, 1 to it
    payload: int  # bytes of it on the wire


#: A flow's packets, and the sequence numbers of its ends.
Flow = tuple[list[Record], list[int]]


def file_header(snap: int, link: int = 1) -> bytes:
    """That of a pcap file with microseconds, of Ethernet unless told."""
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, link)


def checksum(header: bytes) -> int:
    """That of an IPv4 header (RFC 791 section 3.1) whose checksum field is 0."""
    total: int = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def headers(src: End, dst: End, proto: int, size: int) -> bytes:
    """Those of a TCP (6) or UDP (17) packet of so many bytes on the wire."""
    from_, to = ip_address(src[0]), ip_address(dst[0])
    if from_.version == 4:
        ethertype = 0x0800
        network = struct.pack(">BBHHHBBH", 0x45, 0, size - 14, 1, 0x4000, 64, proto, 0)
        network += from_.packed + to.packed
        network = network[:10] + checksum(network).to_bytes(2, "big") + network[12:]
    else:
        ethertype = 0x86DD
        network = struct.pack(">IHBB", 6 << 28, size - 54, proto, 64) + from_.packed + to.packed
    link = bytes.fromhex("020000000001020000000002") + ethertype.to_bytes(2, "big")
    if proto == 6:
        transport = struct.pack(">HHIIBBHHH", src[1], dst[1], 1, 1, 5 << 4, 0x10, 65535, 0, 0)
    else:
        length = size - len(link) - len(network)
        transport = struct.pack(">HHHH", src[1], dst[1], length, 0)
    return link + network + transport


def record(src: End, dst: End, proto: int, size: int, way: int, snap: int) -> Record:
    """A packet's record."""
    head = headers(src, dst, proto, size)
    data = head.ljust(size, b"\0")[:snap]
    whole = struct.pack("<II", len(data), size) + data
    if proto != 6:
        return Record(whole, b"", way, size - len(head))
    numbers = 8 + len(head) - 16  # where they are, 4 bytes into the TCP header of 20
    return Record(whole[:numbers], whole[numbers + 8 :], way, size - len(head))


def flow_ends(rng: random.Random, number: int) -> tuple[End, End, int]:
    """Two ends and the protocol of a flow; no two flows of a trace are the same."""
    proto = 6 if rng.random() < 0.8 else 17
    port = (443, 80, 25, 22)[number % 4] if proto == 6 else (53, 443, 123, 5060)[number % 4]
    # the number is in the client's address and port, so that each flow has its own
    host, client = number % 250 + 1, 1024 + number // 250
    server = rng.randrange(1, 255)
    if rng.random() < 0.1:
        return (f"2001:db8:1::{host:x}", client), (f"2001:db8:ff::{server:x}", port), proto
    outside = rng.choice(("198.51.100", "203.0.113"))
    return (f"192.0.2.{host}", client), (f"{outside}.{server}", port), proto


def flow_records(rng: random.Random, number: int, snap: int) -> tuple[list[Record], list[int]]:
    """The packets that a flow may have, and the next sequence number of each of its ends."""
    one, other, proto = flow_ends(rng, number)
    there = [record(one, other, proto, size, 0, snap) for size in SIZES]
    back = [record(other, one, proto, size, 1, snap) for size in SIZES]
    return there + back, [1 + number, 1 + 2 * number]


def write_packets(
    path: Path,
    packets: int,
    rng: random.Random,
    flows: list[Flow],
    weights: list[float],
    snap: int,
) -> None:
    """Write a pcap file of packets of flows, each as often as its weight has it.

    The weights are cumulative.
    """
    micros = 0
    with path.open("wb") as out:
        out.write(file_header(snap))
        for first in range(0, packets, CHUNK):
            count = min(CHUNK, packets - first)
            chunk = []
            for records, numbers in rng.choices(flows, cum_weights=weights, k=count):
                micros += 1 + int(rng.random() * GAP)
                before, after, way, payload = records[int(rng.random() * len(records))]
                chunk.append(struct.pack("<II", START + micros // 1_000_000, micros % 1_000_000))
                chunk.append(before)
                if after:
                    chunk.append(struct.pack(">II", numbers[way], numbers[1 - way]))
                    chunk.append(after)
                    numbers[way] = (numbers[way] + payload) & 0xFFFFFFFF
            out.write(b"".join(chunk))


def make_trace(
    path: Path, packets: int, flows: int = 5000, seed: int = 1, snap: int = SNAP
) -> None:
    """Write a pcap file of so many packets; of the flows each is in it, given packets enough."""
    rng = random.Random(seed)
    known = [flow_records(rng, number, snap) for number in range(flows)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(flows)))
    write_packets(path, packets, rng, known, weights, snap)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("path", type=Path)
    parser.add_argument("packets", type=int, nargs="?", default=2_000_000)
    args = parser.parse_args()
    make_trace(args.path, args.packets)
