"""Made-up traces as they come from a link that carries everything: whole packets, 650 bytes each in
the mean.

The kinds of packets, and how many in a hundred each has, are those of KINDS: most of it is TCP with
timestamps and QUIC, a third is IPv6, one in eight has a VLAN tag, two in a hundred are in a tunnel,
and one in two hundred is a fragment.  Clients send mostly acknowledgements, servers mostly full
packets.  Payloads are random, as encrypted ones are.
"""

import random
import struct
from collections.abc import Callable
from ipaddress import ip_address
from itertools import accumulate
from pathlib import Path

from make_trace import End, Flow, Record, checksum, write_packets

FULL = 1514  # bytes of a frame without tags
TIMESTAMPS = 12  # bytes of a TCP option
NOISE = random.Random(3).randbytes(1 << 16)
MACS = bytes.fromhex("020000000001020000000002")
TCP, UDP, GRE, SIX_IN_FOUR, ICMP, ICMP6 = 6, 17, 47, 41, 1, 58
IPV4, IPV6, ARP, VLAN, SERVICE_VLAN, MPLS = 0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8, 0x8847
MORE_FRAGMENTS, DONT_FRAGMENT, FRAGMENT = 0x2000, 0x4000, 44
VXLAN_PORT = 4789

#: Each way: how many in a hundred packets have which size, or a size between two.
UP = ((72, 66, 66), (16, 67, 500), (12, FULL, FULL))
DOWN = ((66, FULL, FULL), (22, 66, 66), (12, 200, 1500))

Wrap = Callable[[bytes], bytes]  # a frame from one of IP in Ethernet


# --- Headers


def ip_header(src: str, dst: str, proto: int, payload: int, fragment: int = DONT_FRAGMENT) -> bytes:
    """That of a packet with so many bytes of payload; an IPv6 one has no fragments here."""
    from_, to = ip_address(src), ip_address(dst)
    if from_.version == 6:
        return struct.pack(">IHBB", 6 << 28, payload, proto, 64) + from_.packed + to.packed
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + payload, 7, fragment, 64, proto, 0)
    head += from_.packed + to.packed
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:]


def ethernet(packet: bytes) -> bytes:
    return MACS + (IPV6 if packet[0] >> 4 == 6 else IPV4).to_bytes(2, "big") + packet


def plain(frame: bytes) -> bytes:
    return frame


def tagged(frame: bytes) -> bytes:
    return frame[:12] + struct.pack(">HH", VLAN, 20) + frame[12:]


def tagged_twice(frame: bytes) -> bytes:
    return frame[:12] + struct.pack(">HHHH", SERVICE_VLAN, 300, VLAN, 20) + frame[12:]


def labelled(frame: bytes) -> bytes:
    return MACS + struct.pack(">HI", MPLS, 1000 << 12 | 1 << 8 | 64) + frame[14:]


def in_gre(frame: bytes) -> bytes:
    inner = frame[12:14] + frame[14:]  # GRE's protocol is Ethernet's type
    payload = b"\0\0" + inner
    return ethernet(ip_header("198.51.100.1", "203.0.113.1", GRE, len(payload)) + payload)


def in_vxlan(frame: bytes) -> bytes:
    inner = struct.pack(">II", 0x08000000, 4021 << 8) + frame
    udp = struct.pack(">HHHH", 50_000, VXLAN_PORT, 8 + len(inner), 0)
    payload = udp + inner
    return ethernet(ip_header("198.51.100.2", "203.0.113.2", UDP, len(payload)) + payload)


def six_in_four(frame: bytes) -> bytes:
    payload = frame[14:]
    head = ip_header("198.51.100.3", "203.0.113.3", SIX_IN_FOUR, len(payload))
    return ethernet(head + payload)


# --- Flows


def noise(rng: random.Random, size: int) -> bytes:
    at = rng.randrange(len(NOISE) - FULL)
    return NOISE[at : at + size]


def any_size(rng: random.Random, way: int) -> int:
    """Of a frame."""
    shares = DOWN if way else UP
    _, least, most = rng.choices(shares, [share for share, _, _ in shares])[0]
    return rng.randint(least, most)


def ends(rng: random.Random, number: int, version: int, ports: tuple[int, ...]) -> tuple[End, End]:
    """Those of a flow; the number makes the client's address and port its own."""
    host, client = number % 250 + 1, 1024 + number // 250
    server, port = rng.randrange(1, 255), ports[number % len(ports)]
    if version == 6:
        return (f"2001:db8:1::{host:x}", client), (f"2001:db8:ff::{server:x}", port)
    return (f"192.0.2.{host}", client), (f"203.0.113.{server}", port)


def piece(frame: bytes, way: int, at: int = 0, payload: int = 0) -> Record:
    """A frame whose sequence numbers are there, or that has none."""
    whole = struct.pack("<II", len(frame), len(frame)) + frame
    if not at:
        return Record(whole, b"", way, payload)
    return Record(whole[: 8 + at], whole[8 + at + 8 :], way, payload)


def tcp_piece(rng: random.Random, src: End, dst: End, way: int, wrap: Wrap) -> Record:
    room = FULL - (len(wrap(bytes(FULL))) - FULL if wrap not in (tagged, tagged_twice) else 0)
    version = ip_address(src[0]).version
    head = 14 + (20 if version == 4 else 40) + 20 + TIMESTAMPS
    size = max(min(any_size(rng, way), room), head)
    option = struct.pack(">BBBBII", 1, 1, 8, 10, 1, 1)
    flags = 0x18 if size > head and rng.random() < 0.2 else 0x10
    tcp = struct.pack(">HHIIBBHHH", src[1], dst[1], 1, 1, 8 << 4, flags, 501, 0, 0) + option
    packet = ip_header(src[0], dst[0], TCP, size - head + len(tcp)) + tcp
    frame = wrap(ethernet(packet + noise(rng, size - head)))
    sequence = len(frame) - (size - head) - len(tcp) + 4
    return piece(frame, way, sequence, size - head)


def udp_piece(rng: random.Random, src: End, dst: End, way: int, wrap: Wrap) -> Record:
    """QUIC's sizes: what is full has 1,242 to 1,292 bytes."""
    size = min(any_size(rng, way), 1292)
    room = max(size - 14 - (20 if ip_address(src[0]).version == 4 else 40) - 8, 20)
    udp = struct.pack(">HHHH", src[1], dst[1], 8 + room, 0) + noise(rng, room)
    return piece(wrap(ethernet(ip_header(src[0], dst[0], UDP, len(udp)) + udp)), way)


def dns_piece(rng: random.Random, src: End, dst: End, way: int, wrap: Wrap) -> Record:
    name = bytes([7 + rng.randrange(9)])
    question = name + b"abcdefghijklmno"[: name[0]] + b"\7example\3com\0\0\1\0\1"
    answer = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xcb\0\x71\1" * (rng.randrange(1, 4) * way)
    counts = (1, len(answer) // 16, 0, 0)
    message = struct.pack(">HH4H", rng.randrange(65536), 0x8180 if way else 0x0100, *counts)
    message += question + answer
    udp = struct.pack(">HHHH", src[1], dst[1], 8 + len(message), 0) + message
    return piece(wrap(ethernet(ip_header(src[0], dst[0], UDP, len(udp)) + udp)), way)


def echo_piece(rng: random.Random, src: End, dst: End, way: int, wrap: Wrap) -> Record:
    version = ip_address(src[0]).version
    kind = (0 if way else 8) if version == 4 else (129 if way else 128)
    echo = struct.pack(">BBHHH", kind, 0, 0, src[1] & 0xFFFF, 1) + noise(rng, 56)
    proto = ICMP if version == 4 else ICMP6
    return piece(wrap(ethernet(ip_header(src[0], dst[0], proto, len(echo)) + echo)), way)


def arp_piece(_: random.Random, src: End, dst: End, way: int, __: Wrap) -> Record:
    body = struct.pack(">HHBBH", 1, IPV4, 6, 4, 2 if way else 1)
    body += MACS[6:] + ip_address(src[0]).packed + MACS[:6] + ip_address(dst[0]).packed
    return piece((MACS + ARP.to_bytes(2, "big") + body).ljust(60, b"\0"), way)


def fragment_piece(rng: random.Random, src: End, dst: End, way: int, wrap: Wrap) -> Record:
    """Half of them first fragments, which have the ports, half of them last ones."""
    first = rng.random() < 0.5
    size = 1448 if first else rng.randrange(40, 1000)
    udp = struct.pack(">HHHH", src[1], dst[1], 8 + 2000, 0) if first else b""
    payload = udp + noise(rng, size - len(udp))
    if ip_address(src[0]).version == 4:
        where = MORE_FRAGMENTS if first else 1448 // 8
        head = ip_header(src[0], dst[0], UDP, size, where)
    else:
        where = 1 if first else 1448
        extension = struct.pack(">BBHI", UDP, 0, where, 7)
        head = ip_header(src[0], dst[0], FRAGMENT, 8 + size) + extension
    return piece(wrap(ethernet(head + payload)), way)


Make = Callable[[random.Random, End, End, int, Wrap], Record]
WEB, QUIC, NAMES, ANY = (443, 443, 443, 80, 22, 993), (443,), (53,), (7,)
#: How many in a thousand packets, how many flows, the IP version, what they are, in what.
KINDS: tuple[tuple[int, int, int, Make, tuple[int, ...], Wrap], ...] = (
    (425, 2400, 4, tcp_piece, WEB, plain),
    (205, 1200, 6, tcp_piece, WEB, plain),
    (104, 600, 4, udp_piece, QUIC, plain),
    (66, 300, 6, udp_piece, QUIC, plain),
    (90, 500, 4, tcp_piece, WEB, tagged),
    (30, 200, 6, tcp_piece, WEB, tagged),
    (5, 20, 4, tcp_piece, WEB, tagged_twice),
    (5, 20, 4, tcp_piece, WEB, labelled),
    (8, 20, 4, tcp_piece, WEB, in_gre),
    (8, 20, 4, tcp_piece, WEB, in_vxlan),
    (4, 20, 6, tcp_piece, WEB, six_in_four),
    (22, 900, 4, dns_piece, NAMES, plain),
    (9, 400, 6, dns_piece, NAMES, plain),
    (6, 100, 4, echo_piece, ANY, plain),
    (6, 100, 6, echo_piece, ANY, plain),
    (2, 40, 4, arp_piece, ANY, plain),
    (4, 40, 4, fragment_piece, QUIC, plain),
    (1, 10, 6, fragment_piece, QUIC, plain),
)
PIECES = 8  # that a flow has each way


def make_real(path: Path, packets: int, seed: int = 4) -> None:
    """Write a pcap file of so many packets."""
    rng = random.Random(seed)
    flows: list[Flow] = []
    weights: list[float] = []
    for share, number, version, make, ports, wrap in KINDS:
        ranks = [1 / (rank + 10) for rank in range(number)]
        weights += [share * rank / sum(ranks) for rank in ranks]
        for _ in range(number):
            one, other = ends(rng, len(flows), version, ports)
            there = [make(rng, one, other, 0, wrap) for _ in range(PIECES)]
            back = [make(rng, other, one, 1, wrap) for _ in range(PIECES)]
            flows.append((there + back, [1 + len(flows), 1 + 2 * len(flows)]))
    chances = list(accumulate(weights))
    write_packets(path, packets, rng, flows, chances, 65535)
