"""Writes a pcap trace of any length to standard output: what it holds is known by arithmetic.

    python traffic.py GROUPS

A group is a TCP connection of nine packets, whole and in order, and a DNS query with two responses.
Groups begin a millisecond apart, each between addresses and ports of its own for 16 million groups.
"""

import os
import sys
from itertools import count, takewhile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import dns_messages as dns
from packets import EPOCH, TCP, UDP, V4, ipv4, pcap, tcp, udp

CLIENT, SERVER = V4
REQUEST = b"GET / HTTP/1.1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100
SYN, ACK, FIN, PSH = 2, 16, 1, 8
RAW = 101

#: Whether the client sends a packet, and its payload's header: a group.
Sent = tuple[bool, bytes]


def segment(from_client: bool, seq: int, ack: int, flags: int, data: bytes = b"") -> Sent:
    ports = (4000, 80) if from_client else (80, 4000)
    return from_client, tcp(data, ports=ports, seq=seq, ack=ack, flags=flags)


END, LAST = 1 + len(REQUEST), 1 + 2 * len(ANSWER)
CONNECTION = [
    segment(True, 0, 0, SYN),
    segment(False, 0, 1, SYN | ACK),
    segment(True, 1, 1, ACK),
    segment(True, 1, 1, ACK | PSH, REQUEST),
    segment(False, 1, END, ACK, ANSWER),
    segment(False, 1 + len(ANSWER), END, ACK | PSH, ANSWER),
    segment(True, END, LAST, ACK | FIN),
    segment(False, LAST, END + 1, ACK | FIN),
    segment(True, END + 1, LAST + 1, ACK),
]
QUERY = dns.message(ident=5)
RESPONSE = dns.message(ident=5, flags=0x8180)
LOOKUP = [
    (True, udp(QUERY, ports=(4000, 53))),
    (False, udp(RESPONSE, ports=(53, 4000))),
    (False, udp(RESPONSE, ports=(53, 4000))),
]
GROUP = [ipv4(data, TCP, src=CLIENT if up else SERVER, dst=SERVER if up else CLIENT)
         for up, data in CONNECTION] + [
         ipv4(data, UDP, src=CLIENT if up else SERVER, dst=SERVER if up else CLIENT)
         for up, data in LOOKUP]  # fmt: skip
UPWARD = [up for up, _ in CONNECTION + LOOKUP]

#: Groups that are made at once.
BLOCK = 8192


def group_bytes() -> tuple[bytes, list[int]]:
    """A group as records of a pcap file, and where they begin."""
    records = [pcap([packet], RAW)[24:] for packet in GROUP]
    return b"".join(records), [0, *np.cumsum([len(one) for one in records]).tolist()[:-1]]


def blocks(groups: int):
    """The bytes of so many groups, some at a time."""
    whole, starts = group_bytes()
    block = np.tile(np.frombuffer(whole, np.uint8), (BLOCK, 1))

    def put(at: int, values: np.ndarray, order: str) -> None:
        block[:, at : at + 4] = values.astype(order).view(np.uint8).reshape(-1, 4)

    for first in takewhile(lambda n: n < groups, count(0, BLOCK)):
        number = np.arange(first, first + BLOCK, dtype=np.int64)
        client = 0x0A000000 | number & 0xFFFFFF  # in 10.0.0.0/8
        for at, up in zip(starts, UPWARD, strict=True):
            put(at, EPOCH + number // 1000, "<u4")
            put(at + 4, number % 1000 * 1000, "<u4")
            put(at + 16 + (12 if up else 16), client, ">u4")
        yield block[: min(BLOCK, groups - first)].tobytes()


def write(data: bytes) -> None:
    """Write all: a buffered file of CPython 3.11 loses bytes where the process is stopped."""
    left = memoryview(data)
    while left:
        left = left[os.write(1, left) :]


def main() -> None:
    write(pcap([], RAW))
    for block in blocks(int(sys.argv[1])):
        write(block)


if __name__ == "__main__":
    main()
