"""Packets for the tests of anonymising: made with their addresses, or with what those become."""

import struct
from collections.abc import Callable
from ipaddress import ip_address

import packets
from hypothesis import strategies as st
from packets import icmp, internet_sum, ipv4, ipv6, pseudo4, pseudo6, tcp, udp

import plt
from ipp import IPprefix, from_s
from natkit import CryptoPan

#: The key of the sample that comes with the paper's program.
SAMPLE_KEY = bytes(
    [
        *(21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16),
        *(216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2),
    ]
)
PAN = CryptoPan(SAMPLE_KEY)

#: Lines of the trace that comes with the paper's program.
SAMPLE = {
    "128.11.68.132": "135.242.180.132",
    "129.118.74.4": "134.136.186.123",
    "130.132.252.244": "133.68.164.234",
    "141.223.7.43": "141.167.8.160",
    "152.163.225.39": "151.140.114.167",
    "166.107.77.190": "160.132.178.185",
    "192.102.249.13": "252.138.62.131",
    "195.205.63.100": "255.186.223.5",
    "207.105.49.5": "241.118.205.138",
    "208.147.89.59": "227.237.98.191",
    "208.52.56.122": "227.8.63.165",
}
#: Of the same key, as other programs with IPv6 have it.
SAMPLE6 = {
    "::1": "78ff:f001:9fc0:20df:8380:b1f1:704:ed",
    "::2": "78ff:f001:9fc0:20df:8380:b1f1:704:ef",
    "2001:db8::1": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e",
}

addresses4 = st.binary(min_size=4, max_size=4)
addresses6 = st.binary(min_size=16, max_size=16)
any_address = addresses4 | addresses6
keys = st.binary(min_size=1, max_size=32)

A, B, C, D = "192.0.2.1", "198.51.100.2", "203.0.113.3", "10.1.2.3"
E, F, G, H = "2001:db8::1", "2001:db8:ff::2", "fe80::3", "ff02::1:ff00:2"

Map = Callable[[str], str]  # what stands for an address in a packet


def prefix(addr: bytes) -> IPprefix:
    return IPprefix(4 if len(addr) == 4 else 6, addr)


def packed(address: str) -> bytes:
    return ip_address(address).packed


def with_sum(message: bytes, at: int, pseudo: bytes = b"") -> bytes:
    """A message with its checksum at a place."""
    total = internet_sum(pseudo + message)
    if at == 6 and total == 0:
        total = 0xFFFF
    return message[:at] + struct.pack(">H", total) + message[at + 2 :]


def over4(proto: int, at: int, message: bytes, src: str, dst: str, **more: object) -> bytes:
    """A transport with its checksum, in IPv4."""
    summed = with_sum(message, at, pseudo4(proto, len(message), src, dst))
    return ipv4(summed, proto, src=src, dst=dst, **more)


def over6(proto: int, at: int, message: bytes, src: str, dst: str) -> bytes:
    summed = with_sum(message, at, pseudo6(proto, len(message), src, dst))
    return ipv6(summed, proto, src=src, dst=dst)


def udp4(m: Map, src: str = A, dst: str = B) -> bytes:
    return over4(17, 6, udp(b"hello"), m(src), m(dst))


def tcp4(m: Map, src: str = A, dst: str = B) -> bytes:
    return over4(6, 16, tcp(b"hello!", options=b"\2\4\5\xb4"), m(src), m(dst))


def udp6(m: Map, src: str = E, dst: str = F) -> bytes:
    return over6(17, 6, udp(b"hello"), m(src), m(dst))


def tcp6(m: Map, src: str = E, dst: str = F) -> bytes:
    return over6(6, 16, tcp(b"hello"), m(src), m(dst))


def icmp6(m: Map, kind: int, body: bytes, src: str = E, dst: str = F) -> bytes:
    return over6(58, 2, bytes([kind, 0, 0, 0]) + body, m(src), m(dst))


def icmp4(m: Map, kind: int, payload: bytes, rest: bytes = bytes(4)) -> bytes:
    return ipv4(icmp(kind, 0, rest, payload), 1, src=m(C), dst=m(A))


def igmp(m: Map, message: bytes) -> bytes:
    return ipv4(with_sum(message, 2), 2, src=m(A), dst=m(D))


def gre(inner: bytes, protocol: int = 0x0800, *, full: bool = False) -> bytes:
    if not full:
        return struct.pack(">HH", 0, protocol) + inner
    return with_sum(struct.pack(">HHIII", 0xB000, protocol, 0, 7, 8) + inner, 4)


def arp(m: Map) -> bytes:
    head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1)
    return head + packets.MAC[:6] + packed(m(A)) + bytes(6) + packed(m(B))


def mapped(address: str, pan: CryptoPan = PAN) -> str:
    return str(pan.anonymise(from_s(address)))


def as_is(address: str) -> str:
    return address


def rewritten(data: bytes, pan: CryptoPan = PAN, **flags: bool | str) -> bytes:
    """What an IP packet becomes."""
    memory = bytearray(data)
    packet = (plt.ip if data[0] >> 4 == 4 else plt.ip6)(memory)
    assert packet is not None
    pan.packet(packet, **flags)
    return bytes(memory)
