"""Made-up traces of other kinds: one packet of each of many flows, IPv4 headers, TCP streams."""

import random
import struct
from pathlib import Path

from make_trace import START, file_header

SPREAD = 2_654_435_761  # a prime: its multiples come to all flows, far from each other
CHUNK = 100_000  # packets written at once


def flow_packet(number: int) -> bytes:
    """A record of flow `number` without its time: a TCP segment of 10 bytes, snapped to 54."""
    client = struct.pack(">I", 0x0A000000 | number >> 8) + b"\xc6\x33\x64\x01"
    network = b"\x45\0\0\x32\0\1\x40\0\x40\6\0\0" + client
    transport = struct.pack(">HHIIBBHHH", 1024 + (number & 0xFF), 443, 1, 1, 5 << 4, 0x10, 0, 0, 0)
    link = bytes.fromhex("0200000000010200000000020800")
    return struct.pack("<II", 54, 64) + link + network + transport


def make_many_flows(path: Path, flows: int) -> None:
    """One packet of each of so many flows, none near its like: a processor's caches are no use."""
    with path.open("wb") as out:
        out.write(file_header(54))
        for first in range(0, flows, CHUNK):
            stamp = struct.pack("<II", START + first // CHUNK, 0)
            numbers = (n * SPREAD % flows for n in range(first, min(first + CHUNK, flows)))
            out.write(b"".join(stamp + flow_packet(number) for number in numbers))


def make_headers(path: Path, packets: int) -> None:
    """IPv4 headers and nothing else, no address twice but by chance."""
    ends = random.Random(1).randbytes(8 * packets)
    start = struct.pack("<IIII", START, 0, 20, 20) + b"\x45\0\0\x14" + bytes(8)
    with path.open("wb") as out:
        out.write(file_header(65535, link=101))
        out.write(b"".join(start + ends[i : i + 8] for i in range(0, len(ends), 8)))


def make_streams(path: Path, packets: int) -> None:
    """TCP segments of 1,448 bytes to a server, 64 connections at a time of 1,000 segments each."""
    payload = random.Random(2).randbytes(1448)
    at_once, length = 64, 1000
    with path.open("wb") as out:
        out.write(file_header(65535))
        for n in range(packets):
            group, rest = divmod(n, at_once * length)
            number, one = divmod(rest, at_once)  # of the segment, of the connection
            port = 1024 + (group * at_once + one) % 60_000
            network = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 1488, 1, 0, 64, 6, 0, b"\xc0\0\2\1", b"\xc6\x33\x64\1"
            )
            flags = 0x11 if number == length - 1 else 0x10
            seq = 1 + number * len(payload)
            transport = struct.pack(">HHIIBBHHH", port, 80, seq, 1, 0x50, flags, 8192, 0, 0)
            data = bytes(12) + b"\x08\x00" + network + transport + payload
            seconds, micros = divmod(n * 20, 1_000_000)
            out.write(struct.pack("<IIII", START + seconds, micros, len(data), len(data)) + data)
