"""A catalogue of packets with addresses in them: plain, nested, and those of signalling.

Each is made twice: with its addresses, and with what they become.
"""

from collections.abc import Callable

import packets
from addressed import (
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    Map,
    gre,
    icmp4,
    icmp6,
    igmp,
    over4,
    over6,
    packed,
    tcp4,
    tcp6,
    udp4,
    udp6,
    with_sum,
)
from packets import ethernet, ipv4, ipv6, pseudo4, pseudo6, tcp, udp


def routed6(m: Map, kind: int, left: int, hops: list[str], final: str) -> bytes:
    """UDP behind a routing header; RFC 8200 section 8.1 on the pseudo-header."""
    last = len(hops) - 1 if kind == 4 else 0
    header = bytes([17, 2 * len(hops), kind, left, last, 0, 0, 0])
    header += b"".join(packed(m(hop)) for hop in hops)
    message = udp(b"hello")
    summed = with_sum(message, 6, pseudo6(17, len(message), m(E), m(final)))
    return ipv6(header + summed, 43, src=m(E), dst=m(F))


def routed4(m: Map, options: bytes, final: str) -> bytes:
    message = udp(b"hello")
    summed = with_sum(message, 6, pseudo4(17, len(message), m(A), m(final)))
    return ipv4(summed, 17, src=m(A), dst=m(B), options=options)


def options6(m: Map) -> bytes:
    """Options of neighbour discovery: an Ethernet address, a prefix, servers."""
    link = b"\1\1" + packets.MAC[:6]
    network = bytearray(packed("2001:db8:1::"))
    network[:8] = packed(m("2001:db8:1::"))[:8]
    information = bytes([3, 4, 64, 0xC0]) + bytes(12) + network
    servers = bytes([25, 5, 0, 0]) + bytes(4) + packed(m(E)) + packed(m(F))
    return link + information + servers


def redirected6(m: Map) -> bytes:
    quoted = udp6(m, F, E)
    quoted += bytes(-len(quoted) % 8)
    return bytes([4, 1 + len(quoted) // 8]) + bytes(6) + quoted


def report6(m: Map) -> bytes:
    record = bytes([1, 1, 0, 2]) + packed(m(H)) + packed(m(E)) + packed(m(F)) + b"more"
    return bytes([0, 0, 0, 2]) + record + bytes([2, 0, 0, 0]) + packed(m(G))


def report4(m: Map) -> bytes:
    record = bytes([1, 1, 0, 1]) + packed(m(D)) + packed(m(B)) + b"more"
    return bytes([0x22, 0, 0, 0, 0, 0, 0, 2]) + record + bytes([2, 0, 0, 0]) + packed(m(C))


def five_deep(m: Map) -> bytes:
    packet = udp6(m)
    packet = ipv4(gre(packet, 0x86DD), 47, src=m(C), dst=m(D))
    packet = ipv6(packet, 4, src=m(E), dst=m(F))
    packet = ipv4(packet, 41, src=m(B), dst=m(C))
    return ipv4(packet, 4, src=m(A), dst=m(B))


PLAIN: dict[str, Callable[[Map], bytes]] = {
    "udp4": udp4,
    "tcp4": tcp4,
    "udp6": udp6,
    "tcp6": tcp6,
    "udp4 without checksum": lambda m: ipv4(udp(b"hello"), 17, src=m(A), dst=m(B)),
    "udp-lite": lambda m: over4(136, 6, udp(b"hello"), m(A), m(B)),
    "dccp": lambda m: over6(33, 6, bytes(range(16)), m(E), m(F)),
    "sctp": lambda m: ipv4(bytes(range(16)), 132, src=m(A), dst=m(B)),
    "echo": lambda m: icmp4(m, 8, b"ping"),
    "echo6": lambda m: icmp6(m, 128, b"\0\1\0\2ping"),
    "first fragment": lambda m: over4(17, 6, udp(b"hello"), m(A), m(B), fragment=0x2000),
    "later fragment": lambda m: ipv4(bytes(24), 17, src=m(A), dst=m(B), fragment=3),
    "options": lambda m: over4(6, 16, tcp(), m(A), m(B), options=b"\x94\4\0\0"),
}
NESTED: dict[str, Callable[[Map], bytes]] = {
    "unreachable": lambda m: icmp4(m, 3, udp4(m, A, B)),
    "unreachable, cut by the sender": lambda m: icmp4(m, 3, tcp4(m, A, B)[:28]),
    "time exceeded": lambda m: icmp4(m, 11, tcp4(m, A, B)),
    "parameter problem": lambda m: icmp4(m, 12, ipv4(b"", 6, src=m(A), dst=m(B))),
    "quote of a quote": lambda m: icmp4(m, 3, icmp4(m, 3, udp4(m, C, D))),
    "unreachable6": lambda m: icmp6(m, 1, bytes(4) + udp6(m, F, E)),
    "too big": lambda m: icmp6(m, 2, b"\0\0\5\0" + tcp6(m, F, E)[:60]),
    "parameter problem 6": lambda m: icmp6(m, 4, bytes(4) + udp6(m, G, E)),
    "4in4": lambda m: ipv4(tcp4(m, C, D), 4, src=m(A), dst=m(B)),
    "6in4": lambda m: ipv4(tcp6(m), 41, src=m(A), dst=m(B)),
    "4in6": lambda m: ipv6(udp4(m), 4, src=m(E), dst=m(F)),
    "6in6": lambda m: ipv6(udp6(m, F, G), 41, src=m(E), dst=m(F)),
    "gre": lambda m: ipv4(gre(tcp4(m, C, D)), 47, src=m(A), dst=m(B)),
    "gre6": lambda m: ipv4(gre(udp6(m), 0x86DD), 47, src=m(A), dst=m(B)),
    "gre with all fields": lambda m: ipv6(gre(tcp4(m), full=True), 47, src=m(E), dst=m(F)),
    "gre, Ethernet": lambda m: ipv4(
        gre(ethernet(udp4(m, C, D)), 0x6558, full=True), 47, src=m(A), dst=m(B)
    ),
    "error in a tunnel": lambda m: ipv4(icmp4(m, 3, tcp4(m)), 4, src=m(C), dst=m(D)),
    "error on a tunnel": lambda m: icmp4(m, 3, ipv4(tcp6(m), 41, src=m(A), dst=m(B))),
    "five deep": five_deep,
}


SIGNALLING: dict[str, Callable[[Map], bytes]] = {
    "redirect": lambda m: icmp4(m, 5, udp4(m, A, B), packed(m(D))),
    "router advertisement 4": lambda m: icmp4(
        m, 9, packed(m(B)) + bytes(4) + packed(m(C)) + bytes(4), b"\2\2\0\7"
    ),
    "router solicitation": lambda m: icmp6(m, 133, bytes(4) + options6(m)),
    "router advertisement": lambda m: icmp6(m, 134, bytes(12) + options6(m)),
    "neighbour solicitation": lambda m: icmp6(m, 135, bytes(4) + packed(m(G)) + options6(m), G, H),
    "neighbour advertisement": lambda m: icmp6(m, 136, bytes(4) + packed(m(G)), G, E),
    "redirect6": lambda m: icmp6(
        m, 137, bytes(4) + packed(m(G)) + packed(m(E)) + options6(m) + redirected6(m)
    ),
    "listener query": lambda m: icmp6(
        m, 130, bytes(4) + packed(m(H)) + b"\0\0\0\2" + packed(m(E)) + packed(m(F))
    ),
    "listener report": lambda m: icmp6(m, 131, bytes(4) + packed(m(H))),
    "listener report 2": lambda m: icmp6(m, 143, report6(m)),
    "igmp query": lambda m: igmp(
        m, b"\x11\0\0\0" + packed(m(D)) + b"\0\0\0\2" + packed(m(B)) + packed(m(C))
    ),
    "igmp report": lambda m: igmp(m, b"\x16\0\0\0" + packed(m(D))),
    "igmp report 3": lambda m: igmp(m, report4(m)),
    "record route": lambda m: routed4(
        m, bytes([7, 11, 8]) + packed(m(C)) + packed(m(D)) + b"\0", B
    ),
    "loose route": lambda m: routed4(m, bytes([1, 131, 11, 4]) + packed(m(C)) + packed(m(D)), D),
    "strict route, used up": lambda m: routed4(m, bytes([137, 7, 8]) + packed(m(C)) + b"\0", B),
    "timestamps": lambda m: routed4(m, bytes([68, 12, 13, 1]) + packed(m(C)) + bytes(4), B),
    "routing 0": lambda m: routed6(m, 0, 2, [G, H, E], E),
    "routing 0, used up": lambda m: routed6(m, 0, 0, [G, E], F),
    "routing 2": lambda m: routed6(m, 2, 1, [G], G),
    "segments": lambda m: routed6(m, 4, 1, [G, F], G),
}
PACKETS = PLAIN | NESTED | SIGNALLING
