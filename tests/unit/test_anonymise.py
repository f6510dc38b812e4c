"""CryptoPan.packet() on tunnels, on what routers say, and on layers that it doesn't look through.

As in test_cryptopan_packets.py a packet is made twice: with its addresses, and with what they
become.
"""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import packets
import pytest
from addressed import (
    PAN,
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    Map,
    arp,
    as_is,
    gre,
    icmp4,
    icmp6,
    mapped,
    over4,
    over6,
    packed,
    rewritten,
    tcp4,
    tcp6,
    udp4,
    udp6,
    with_sum,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import (
    ethernet,
    icmp,
    internet_sum,
    ipv4,
    ipv6,
    pseudo4,
    pseudo6,
    snap,
    tcp,
    udp,
    wireless,
)

import plt
from natkit import Anonymised, CryptoPan


def crc32c(data: bytes) -> int:
    """RFC 9260 appendix A."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def test_crc32c_is_that_of_rfc_3720() -> None:
    assert crc32c(bytes(32)) == 0x8A9136AA  # appendix B.4
    assert crc32c(bytes(range(32))) == 0x46DD794E


# --- Packets


def at_port(m: Map, port: int, payload: bytes) -> bytes:
    return over4(17, 6, udp(payload, ports=(50000, port)), m(A), m(B))


def carried(m: Map, proto: int, payload: bytes) -> bytes:
    return ipv4(payload, proto, src=m(A), dst=m(B))


def inner(m: Map) -> bytes:
    return tcp4(m, C, D)


def frame(m: Map) -> bytes:
    return ethernet(inner(m))


def ppp(m: Map, start: bytes = b"\xff\3\0\x21") -> bytes:
    return start + inner(m)


def gtp(m: Map) -> bytes:
    """With a sequence number and two extension headers: 3GPP TS 29.281 section 5.2."""
    rest = b"\0\1\0\x85" + b"\1\0\0\x40" + b"\2\0\0\0\0\0\0\0" + udp6(m)
    return b"\x36\xff" + struct.pack(">HI", len(rest), 7) + rest


def teredo(m: Map) -> bytes:
    """Authentication and an origin indication, its address with all bits inverted: RFC 4380."""
    authentication = b"\0\1\2\3" + b"id" + b"abc" + bytes(9)
    inverted = bytes(byte ^ 0xFF for byte in packed(m(C)))
    return authentication + b"\0\0\x12\x34" + inverted + udp6(m)


def minimal(m: Map, source: bool) -> bytes:
    """RFC 2004: the transport's checksum is over the packet as it was."""
    message = with_sum(udp(b"hello"), 6, pseudo4(17, 13, m(C) if source else m(A), m(D)))
    header = bytes([17, 0x80 if source else 0, 0, 0]) + packed(m(D))
    return carried(m, 55, with_sum(header + (packed(m(C)) if source else b""), 2) + message)


def authenticated(m: Map) -> bytes:
    message = with_sum(udp(b"hello"), 6, pseudo4(17, 13, m(A), m(B)))
    return carried(m, 51, bytes([17, 4, 0, 0]) + bytes(20) + message)


def sctp(m: Map, *chunks: bytes) -> bytes:
    message = struct.pack(">HHII", 1, 2, 3, 0) + b"".join(chunks)
    message = message[:8] + struct.pack("<I", crc32c(message)) + message[12:]
    return carried(m, 132, message)


def chunk(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, 4 + len(body)) + body + bytes(-len(body) % 4)


def parameter(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, 4 + len(body)) + body + bytes(-len(body) % 4)


def pim(m: Map, kind: int, body: bytes) -> bytes:
    return carried(m, 103, with_sum(bytes([0x20 | kind, 0, 0, 0]) + body, 2))


def unicast(m: Map, address: str) -> bytes:
    return bytes([1 if len(packed(address)) == 4 else 2, 0]) + packed(m(address))


def group(m: Map, address: str) -> bytes:
    return unicast(m, address)[:2] + b"\0\x20" + packed(m(address))


def home_address(m: Map) -> bytes:
    """RFC 6275: to a home address (type 2 routing header), from another."""
    option = bytes([43, 2, 1, 2, 0, 0, 0xC9, 16]) + packed(m(G))
    route = bytes([17, 2, 2, 1, 0, 0, 0, 0]) + packed(m(H))
    message = with_sum(udp(b"hello"), 6, pseudo6(17, 13, m(G), m(H)))
    return ipv6(option + route + message, 60, src=m(E), dst=m(F))


def binding_update(m: Map) -> bytes:
    """RFC 6275 sections 6.1.7 and 6.2.5; the checksum has the home address for its source."""
    option = bytes([135, 2, 1, 2, 0, 0, 0xC9, 16]) + packed(m(G))
    message = bytes([59, 3, 5, 0, 0, 0]) + bytes(6) + b"\1\0" + b"\3\x10" + packed(m(H))
    message = with_sum(message, 4, pseudo6(135, len(message), m(G), m(F)))
    return ipv6(option + message, 60, src=m(E), dst=m(F))


def vrrp3(m: Map, *, pseudo: bool = True) -> bytes:
    message = bytes([0x31, 1, 100, 2, 0, 100, 0, 0]) + packed(m(C)) + packed(m(D))
    before = pseudo4(112, len(message), m(A), m(B)) if pseudo else b""
    return carried(m, 112, with_sum(message, 6, before))


def vrrp6(m: Map) -> bytes:
    message = bytes([0x31, 1, 100, 1, 0, 100, 0, 0]) + packed(m(G))
    return over6(112, 6, message, m(E), m(F))


def ospf(m: Map) -> bytes:
    hello = b"\xff\xff\xff\0\0\x0a\2\1\0\0\0\x28" + b"".join(packed(m(a)) for a in (C, D, B, A))
    message = struct.pack(">BBH", 2, 1, 24 + len(hello)) + packed(m(A)) + bytes(16)
    return carried(m, 89, with_sum(message + hello, 12))


def ospf3(m: Map) -> bytes:
    hello = b"\0\0\0\5\1\0\0\x13\0\x0a\0\x28" + b"".join(packed(m(a)) for a in (C, D, B))
    message = struct.pack(">BBH", 3, 1, 16 + len(hello)) + packed(m(A)) + bytes(8) + hello
    return over6(89, 12, message, m(E), m(F))


def mptcp(m: Map, address: str, rest: bytes = b"") -> bytes:
    option = packed(m(address)) + rest
    option = bytes([1, 30, 4 + len(option), 0x34, 1]) + option
    return over4(6, 16, tcp(options=option + bytes(-len(option) % 4)), m(A), m(B))


def unreachable_with_extension(m: Map) -> bytes:
    """RFC 4884: the quote of 128 bytes, then an MPLS label (RFC 4950)."""
    label = with_sum(b"\x20\0\0\0" + b"\0\x08\1\1" + b"\0\1\1\1", 2)
    return icmp4(m, 11, udp4(m).ljust(128, b"\0") + label, b"\0\x20\0\0")


def extended(m: Map, objects: bytes) -> bytes:
    """RFC 4884: the quote of 128 bytes, then objects."""
    extension = with_sum(b"\x20\0\0\0" + objects, 2)
    return icmp4(m, 11, udp4(m).ljust(128, b"\0") + extension, b"\0\x20\0\0")


def mobility(m: Map, kind: int, body: bytes) -> bytes:
    """RFC 6275 section 6.1.1."""
    message = bytes([59, (6 + len(body)) // 8 - 1, kind, 0, 0, 0]) + body
    message = with_sum(message, 4, pseudo6(135, len(message), m(E), m(F)))
    return ipv6(message, 135, src=m(E), dst=m(F))


def segments(m: Map, options: bytes) -> bytes:
    """RFC 8754 section 2: one segment, then options."""
    header = bytes([59, (16 + len(options)) // 8, 4, 0, 0, 0, 0, 0])
    return ipv6(header + packed(m(G)) + options, 43, src=m(E), dst=m(F))


def route_information(m: Map) -> bytes:
    """RFC 4191 section 2.3: of the prefix only its bits are an address's."""
    prefix = packed(m("2001:db8:0:1::"))[:8] + bytes(8)
    return icmp6(m, 134, bytes(12) + bytes([24, 3, 64, 0]) + bytes(4) + prefix)


def sum_of_zero(m: Map) -> bytes:
    """A packet whose new UDP checksum is zero, which RFC 768 has sent as all ones."""
    empty = udp(bytes(2))
    payload = internet_sum(pseudo4(17, 10, mapped(A), mapped(B)) + empty)
    return over4(17, 6, udp(struct.pack(">H", payload)), m(A), m(B))


def odd(m: Map) -> bytes:
    """An inner packet at an odd place, over which GRE's checksum and UDP's go."""
    return at_port(m, 4754, gre(b"\x21" + inner(m), 0x880B, full=True))


def extension(proto: int, options: bytes) -> Callable[[Map], bytes]:
    """Hop-by-hop (0) or destination options (60), of a length that fits: RFC 8200 section 4.3."""
    assert (2 + len(options)) % 8 == 0
    header = bytes([59, (2 + len(options)) // 8 - 1]) + options
    return lambda m: ipv6(header, proto, src=m(E), dst=m(F))


def hello(m: Map, *options: tuple[int, bytes]) -> bytes:
    """RFC 7761 section 4.9.2."""
    return pim(m, 0, b"".join(struct.pack(">HH", n, len(o)) + o for n, o in options))


def nsh(m: Map, kind: int, metadata: bytes) -> bytes:
    """RFC 8300 section 2, with IPv4 in it."""
    return bytes([0, 2 + len(metadata) // 4, kind, 1]) + b"\0\0\1\xff" + metadata + inner(m)


def geneve(m: Map, *options: bytes) -> bytes:
    """RFC 8926 sections 3.4 and 3.5."""
    words = sum(map(len, options)) // 4
    return at_port(m, 6081, bytes([words]) + b"\0\x65\x58\0\0\5\0" + b"".join(options) + frame(m))


def gtp_with(m: Map, kind: int, content: bytes) -> bytes:
    """An extension header: 3GPP TS 29.281 section 5.2.1."""
    rest = b"\0\1\0" + bytes([kind, (2 + len(content)) // 4]) + content + b"\0" + inner(m)
    return at_port(m, 2152, b"\x34\xff" + struct.pack(">HI", len(rest), 7) + rest)


ERSPAN_2 = struct.pack(">HHII", 0x1000, 0x88BE, 1, 0x10010001) + bytes(4)
ERSPAN_3 = struct.pack(">HHII", 0x1000, 0x22EB, 1, 0x20010001)
GENEVE = b"\2\0\x65\x58\0\0\5\0" + bytes(8)

KNOWN: dict[str, Callable[[Map], bytes]] = {
    "vxlan": lambda m: at_port(m, 4789, b"\x08\0\0\0\0\0\5\0" + frame(m)),
    "vxlan, Linux": lambda m: at_port(m, 8472, b"\x08\0\0\0\0\0\5\0" + frame(m)),
    "vxlan without checksum": lambda m: carried(
        m, 17, udp(b"\x08\0\0\0\0\0\5\0" + frame(m), ports=(1, 4789))
    ),
    "gpe, IPv4": lambda m: at_port(m, 4790, b"\x0c\0\0\1\0\0\5\0" + inner(m)),
    "gpe, IPv6": lambda m: at_port(m, 4790, b"\x0c\0\0\2\0\0\5\0" + tcp6(m)),
    "gpe, Ethernet": lambda m: at_port(m, 4790, b"\x0c\0\0\3\0\0\5\0" + frame(m)),
    "gpe, NSH": lambda m: at_port(
        m, 4790, b"\x0c\0\0\4\0\0\5\0" + b"\0\2\2\1\0\0\1\xff" + inner(m)
    ),
    "geneve": lambda m: at_port(m, 6081, GENEVE + frame(m)),
    "geneve, IPv6": lambda m: at_port(m, 6081, b"\0\0\x86\xdd\0\0\5\0" + tcp6(m)),
    "gtp": lambda m: at_port(m, 2152, b"\x30\xff\0\x32\0\0\0\7" + inner(m)),
    "gtp, extension headers": lambda m: at_port(m, 2152, gtp(m)),
    "gtp, echo": lambda m: at_port(m, 2152, b"\x32\2\0\6\0\0\0\0\0\1\0\0\x0e\0"),
    "teredo": lambda m: at_port(m, 3544, udp6(m)),
    "teredo, origin": lambda m: at_port(m, 3544, teredo(m)),
    "l2tp": lambda m: at_port(m, 1701, b"\0\2\0\1\0\1" + ppp(m)),
    "l2tp, all fields": lambda m: at_port(
        m, 1701, b"\x4a\2\0\x40\0\1\0\1\0\1\0\2\0\2xx" + ppp(m, b"\0\x21")
    ),
    "l2tp 3": lambda m: carried(m, 115, b"\0\0\0\5" + frame(m)),
    "l2tp 3, cookie": lambda m: carried(m, 115, b"\0\0\0\5" + b"cookieco" + frame(m)),
    "lisp": lambda m: at_port(m, 4341, b"\xc0" + bytes(7) + inner(m)),
    "gre in udp": lambda m: at_port(m, 4754, gre(inner(m))),
    "gue": lambda m: at_port(m, 6080, b"\1\4\0\0more" + inner(m)),
    "gue, IPv6": lambda m: at_port(m, 6080, b"\0\x29\0\0" + tcp6(m)),
    "gue, no header": lambda m: at_port(m, 6080, inner(m)),
    "capwap, 802.11": lambda m: at_port(
        m, 5247, b"\0\x10\3\0\0\0\0\0" + wireless(snap(inner(m)), 1, 8)
    ),
    "capwap": lambda m: at_port(m, 5247, b"\0\x10\2\0\0\0\0\0" + frame(m)),
    "an application at WireGuard's port": lambda m: at_port(m, 51820, b"\x12\x34\1\0\0\1"),
    "mpls in udp": lambda m: at_port(m, 6635, b"\0\1\1\x40" + inner(m)),
    "mpls in ip": lambda m: carried(m, 137, b"\0\1\1\x40" + udp6(m)),
    "tzsp": lambda m: at_port(m, 37008, b"\1\0\0\1\x0a\1\5\0\1" + frame(m)),
    "an odd place": odd,
    "gre, mpls": lambda m: carried(m, 47, gre(b"\0\1\1\x40" + inner(m), 0x8847)),
    "gre, pseudowire": lambda m: carried(m, 47, gre(b"\0\1\1\x40" + bytes(4) + frame(m), 0x8847)),
    "gre, pseudowire without control word": lambda m: carried(
        m, 47, gre(b"\0\1\1\x40" + frame(m), 0x8847)
    ),
    "gre, ARP": lambda m: carried(m, 47, gre(ethernet(arp(m), 0x0806), 0x6558)),
    "gre, VLAN": lambda m: carried(m, 47, gre(ethernet(b"\0\5\x08\0" + inner(m), 0x8100), 0x6558)),
    "nvgre": lambda m: carried(m, 47, b"\x20\0\x65\x58\0\0\5\1" + frame(m)),
    "pptp": lambda m: carried(m, 47, b"\x30\x81\x88\x0b\0\x22\0\1\0\0\0\1\0\0\0\2" + ppp(m)),
    "erspan 1": lambda m: carried(m, 47, gre(frame(m), 0x88BE)),
    "erspan 2": lambda m: carried(m, 47, ERSPAN_2 + frame(m)),
    "erspan 3": lambda m: carried(m, 47, ERSPAN_3 + bytes(8) + frame(m)),
    "erspan 3, subheader": lambda m: carried(
        m, 47, ERSPAN_3 + bytes(7) + b"\1" + bytes(8) + frame(m)
    ),
    "erspan 3, IP": lambda m: carried(m, 47, ERSPAN_3 + b"\0\0\0\0\0\0\x08\0" + inner(m)),
    "wccp": lambda m: carried(m, 47, gre(inner(m), 0x883E)),
    "wccp 2": lambda m: carried(m, 47, gre(b"\0\0\0\0" + inner(m), 0x883E)),
    "gre, NSH": lambda m: carried(m, 47, gre(b"\0\2\2\3\0\0\1\xff" + frame(m), 0x894F)),
    "ethernet in ip": lambda m: carried(m, 143, frame(m)),
    "ethernet in ip, ARP": lambda m: carried(m, 143, ethernet(arp(m), 0x0806)),
    "lwapp": lambda m: at_port(
        m, 12222, b"\0\0\0\x48\0\0" + wireless(snap(inner(m)), 8, 1)
    ),
    "etherip": lambda m: carried(m, 97, b"\x30\0" + frame(m)),
    "ah": authenticated,
    "ah, IPv6": lambda m: ipv6(
        bytes([41, 4, 0, 0]) + bytes(20) + udp6(m, F, G), 51, src=m(E), dst=m(F)
    ),
    "minimal encapsulation": lambda m: minimal(m, False),
    "minimal encapsulation, source": lambda m: minimal(m, True),
    "pim register": lambda m: carried(
        m, 103, with_sum(b"\x21\0\0\0\0\0\0\0", 2) + inner(m)
    ),
    "pim register, summed whole": lambda m: pim(m, 1, bytes(4) + inner(m)),
    "pim register stop": lambda m: pim(m, 2, group(m, D) + unicast(m, C)),
    "pim hello": lambda m: pim(
        m, 0, b"\0\1\0\2\0\x69" + struct.pack(">HH", 24, 24) + unicast(m, C) + unicast(m, G)
    ),
    "pim join": lambda m: pim(
        m,
        3,
        unicast(m, C) + b"\0\2\0\xd2" + group(m, D) + b"\0\1\0\1" + group(m, A) + group(m, B)
        + group(m, C) + b"\0\0\0\1" + group(m, A),
    ),
    "pim assert": lambda m: pim(m, 5, group(m, D) + unicast(m, C) + bytes(8)),
    "pim assert, IPv6": lambda m: over6(
        103, 2, b"\x25\0\0\0" + group(m, H) + unicast(m, G) + bytes(8), m(E), m(F)
    ),
    "ospf": ospf,
    "ospf 3": ospf3,
    "vrrp 2": lambda m: carried(
        m, 112, with_sum(b"\x21\1\x64\1\0\1\0\0" + packed(m(C)) + bytes(8), 6)
    ),
    "vrrp 3": vrrp3,
    "vrrp 3 without pseudo-header": lambda m: vrrp3(m, pseudo=False),
    "vrrp 3, IPv6": vrrp6,
    "hsrp": lambda m: at_port(m, 1985, bytes(8) + b"password" + packed(m(D))),
    "mptcp": lambda m: mptcp(m, C),
    "mptcp, port and digest": lambda m: mptcp(m, C, bytes(10)),
    "mptcp, IPv6": lambda m: mptcp(m, G),
    "sctp init": lambda m: sctp(
        m,
        chunk(1, bytes(16) + parameter(5, packed(m(C))) + parameter(6, packed(m(G)))),
    ),
    "sctp asconf": lambda m: sctp(
        m,
        chunk(0, bytes(12) + b"data!"),
        chunk(
            0xC1,
            bytes(4)
            + parameter(5, packed(m(C)))
            + parameter(0xC001, bytes(4) + parameter(5, packed(m(D)))),
        ),
    ),
    "home address": home_address,
    "binding update": binding_update,
    "home agents": lambda m: icmp6(m, 145, bytes(4) + packed(m(G)) + packed(m(H))),
    "unreachable, extension": unreachable_with_extension,
    "binding error": lambda m: mobility(m, 7, b"\1\0" + packed(m(G))),
    "mobility options": lambda m: mobility(
        m, 5, bytes(6) + b"\0\1\1\0\3\x10" + packed(m(H)) + b"\1\4" + bytes(4)
    ),
    "padded home address": lambda m: ipv6(
        bytes([59, 2, 0, 1, 0, 0, 0xC9, 16]) + packed(m(G)), 60, src=m(E), dst=m(F)
    ),
    "segments, padded": lambda m: segments(m, b"\0\4\5\0\0\0\0\0"),
    "shim6, payload": lambda m: ipv6(
        bytes([41, 0, 0x80, 0, 0, 0, 0, 7]) + udp6(m, F, G), 140, src=m(E), dst=m(F)
    ),
    "no next header": lambda m: ipv6(b"data", 59, src=m(E), dst=m(F)),
    "a NAT's keep-alive": lambda m: at_port(m, 4500, b"\xff"),
    "a checksum of zero": sum_of_zero,
    "timestamps alone": lambda m: over4(
        17, 6, udp(b"x"), m(A), m(B), options=bytes([68, 8, 5, 0]) + b"time"
    ),
    "source quench": lambda m: icmp4(m, 4, udp4(m, B, C)),
    "icmp timestamp": lambda m: icmp4(m, 13, bytes(12)),
    "icmp router solicitation": lambda m: icmp4(m, 10, b""),
    "an extension object of no size": lambda m: extended(m, bytes(8)),
    "igmp, multicast router": lambda m: ipv4(
        with_sum(b"\x30\x14\0\0", 2), 2, src=m(A), dst=m(D)
    ),
    "route information": route_information,
    "mobile prefix solicitation": lambda m: icmp6(m, 146, bytes(4)),
    "mobile prefix advertisement": lambda m: icmp6(m, 147, bytes(4) + b"\1\1" + bytes(6)),
    "multicast router": lambda m: icmp6(m, 151, bytes(4)),
    "sctp, interleaved data": lambda m: sctp(m, chunk(64, bytes(16) + b"data!")),
    "timestamps, prespecified": lambda m: over4(
        17, 6, udp(b"x"), m(A), m(B), options=bytes([68, 12, 5, 3]) + packed(m(C)) + bytes(4)
    ),
    "an option of no size": lambda m: over4(17, 6, udp(b"x"), m(A), m(B), options=b"\7\0\0\0"),
    "an option that is cut": lambda m: over4(17, 6, udp(b"x"), m(A), m(B), options=b"\1\1\7\3"),
    "a TCP option of no size": lambda m: over4(6, 16, tcp(options=b"\2\0\0\0"), m(A), m(B)),
    "a TCP option that is cut": lambda m: over4(6, 16, tcp(options=b"\1\1\1\2"), m(A), m(B)),
    "mptcp without a subtype": lambda m: over4(6, 16, tcp(options=b"\1\1\x1e\2"), m(A), m(B)),
    "mptcp, join": lambda m: over4(6, 16, tcp(options=b"\x1e\4\x10\1"), m(A), m(B)),
    "a UDP length that is too short": lambda m: over4(17, 6, udp(b"x", length=3), m(A), m(B)),
    "ospf, digest": lambda m: carried(  # RFC 2328 appendix D.3: instead of a checksum
        m,
        89,
        b"\2\1\0\x2c" + packed(m(A)) + bytes(6) + b"\0\2" + b"\0\0\1\x10\0\0\0\7"
        + b"\xff\xff\xff\0\0\x0a\2\1\0\0\0\x28" + packed(m(C)) + packed(m(D)) + bytes(range(16)),
    ),
    "sctp asconf, delete and set primary": lambda m: sctp(
        m,
        chunk(
            0xC1,
            bytes(4)
            + parameter(0xC002, bytes(4) + parameter(5, packed(m(C))))
            + parameter(0xC004, bytes(4) + parameter(6, packed(m(G))))
            + parameter(0xC006, bytes(4)),
        ),
    ),
    "sctp without a checksum": lambda m: carried(  # RFC 9653
        m, 132, struct.pack(">HHII", 1, 2, 3, 0) + chunk(1, bytes(16) + parameter(5, packed(m(C))))
    ),
    "a router advertisement of no entries": lambda m: icmp4(m, 9, b"", b"\1\0\0\7"),
    "a neighbour option of no size": lambda m: icmp6(m, 133, bytes(4) + b"\1\0" + bytes(6)),
    "hop-by-hop options": extension(0, b"\5\2\0\0" + b"\0" + b"\x63\4\0\1\2\3" + b"\1\1\0"),
    "sctp, unrecognized parameters": lambda m: sctp(
        m, chunk(2, bytes(16) + parameter(8, parameter(5, packed(m(C)))) + parameter(12, b"\0\5"))
    ),
    "pim hello, priority": lambda m: hello(m, (19, b"\0\0\0\1"), (20, b"\1\2\3\4"), (25, b"")),
    "nsh without metadata": lambda m: carried(m, 145, nsh(m, 2, b"")),
    "traceroute option": lambda m: over4(
        17, 6, udp(b"x"), m(A), m(B), options=bytes([82, 12]) + bytes(6) + packed(m(C))
    ),
}  # fmt: skip


def result_of(data: bytes, **options: str) -> tuple[bytes, Anonymised]:
    memory = bytearray(data)
    packet = (plt.ip if data[0] >> 4 == 4 else plt.ip6)(memory)
    result = PAN.packet(packet, **options)
    return bytes(memory), result


def words_swapped(address: bytes) -> bytes:
    return bytes(address[i ^ 1] for i in range(len(address)))


@pytest.mark.parametrize("name", KNOWN)
def test_known_encapsulation(name: str) -> None:
    data = KNOWN[name](as_is)
    result, told = result_of(data)
    assert result == KNOWN[name](mapped)
    assert told.understood
    assert told.unknown == ()
    for address in map(packed, (A, B, C, D, E, F, G, H)):
        assert address not in result
        assert words_swapped(address) not in result


@pytest.mark.parametrize("name", KNOWN)
def test_nothing_told_is_nothing_that_zeroes(name: str) -> None:
    assert result_of(KNOWN[name](as_is), unknown="zero")[0] == KNOWN[name](mapped)


FRAMES: dict[str, Callable[[Map], bytes]] = {
    "nsh": lambda m: ethernet(b"\2\2\2\1\0\0\0\0" + inner(m), 0x894F),
    "nsh, Ethernet": lambda m: ethernet(b"\0\2\2\3\0\0\1\xff" + frame(m), 0x894F),
    "nsh, nsh": lambda m: ethernet(b"\0\2\2\4\0\0\1\xff" + nsh(m, 2, b""), 0x894F),
    "pseudowire": lambda m: ethernet(b"\0\1\1\x40" + bytes(4) + frame(m), 0x8847),
    "pseudowire without control word": lambda m: ethernet(b"\0\1\1\x40" + frame(m), 0x8847),
    # RFC 2684 section 5.2: with its FCS or without, after 2 bytes of padding
    "snap, bridged": lambda m: ethernet(
        snap(b"\0\0" + ethernet(arp(m), 0x0806), 7, 0x0080C2), 8 + 2 + 14 + 28
    ),
    "snap, bridged with FCS": lambda m: ethernet(
        snap(b"\0\0" + ethernet(arp(m), 0x0806) + b"seen", 1, 0x0080C2), 8 + 2 + 14 + 28 + 4
    ),
    "transparent bridging": lambda m: ethernet(ethernet(arp(m), 0x0806), 0x6558),
    "trill": lambda m: ethernet(b"\0\x3f\0\2\0\3" + frame(m), 0x22F3),
    "snap": lambda m: packets.MAC + b"\0\x24\xaa\xaa\3\0\0\0\x08\6" + arp(m),
}


@pytest.mark.parametrize("name", FRAMES)
def test_known_encapsulation_in_ethernet(name: str, tmp_path: Path) -> None:
    packet = packets.packet_of(FRAMES[name](as_is), tmp_path)
    assert PAN.packet(packet).understood
    assert bytes(packet) == FRAMES[name](mapped)


#: Where a network service header may be.
AROUND_NSH: dict[str, Callable[[bytes], bytes]] = {
    "Ethernet": lambda header: ethernet(header, 0x894F),
    "VLAN": lambda header: ethernet(b"\0\5\x89\x4f" + header, 0x8100),
    "NSH": lambda header: ethernet(b"\0\2\2\4\0\0\1\xff" + header, 0x894F),
    "Ethernet in NSH": lambda header: ethernet(
        b"\0\2\2\3\0\0\1\xff" + ethernet(header, 0x894F), 0x894F
    ),
    "pseudowire": lambda header: ethernet(
        b"\0\1\1\x40" + bytes(4) + ethernet(header, 0x894F), 0x8847
    ),
    "VXLAN-GPE": lambda header: ethernet(
        carried(mapped, 17, udp(b"\x0c\0\0\4\0\0\5\0" + header, ports=(1, 4790)))
    ),
}


@pytest.mark.parametrize("name", AROUND_NSH)
def test_metadata_is_told_wherever_its_header_is(name: str, tmp_path: Path) -> None:
    def made(m: Map, metadata: bytes) -> bytes:
        content = AROUND_NSH[name](nsh(m, 1, metadata))
        if name == "VXLAN-GPE":  # only what is in the tunnel is compared
            return content[42:]
        return content

    whole = AROUND_NSH[name](nsh(as_is, 1, 2 * ADDRESSES))
    start = len(whole) - len(made(as_is, 2 * ADDRESSES))
    packet = packets.packet_of(whole, tmp_path)
    assert PAN.packet(packet).unknown == ("NSH metadata",)
    assert bytes(packet)[start:] == made(mapped, 2 * ADDRESSES)
    PAN.packet(packet, src=False, dst=False, unknown="zero")
    assert bytes(packet)[start:] == made(mapped, bytes(16))


def any_frame(packet: bytes) -> bytes:
    return ethernet(packet, 0x0800 if packet[0] >> 4 == 4 else 0x86DD)


def any_ppp(packet: bytes) -> bytes:
    """With a protocol of one byte: what follows is at an odd place."""
    return b"\x21" + packet if packet[0] >> 4 == 4 else b"\x57" + packet


def at_port6(m: Map, port: int, payload: bytes) -> bytes:
    return over6(17, 6, udp(payload, ports=(50000, port)), m(E), m(F))


WRAPPERS: list[Callable[[Map, bytes], bytes]] = [
    lambda m, p: carried(m, 4 if p[0] >> 4 == 4 else 41, p),
    lambda m, p: ipv6(p, 4 if p[0] >> 4 == 4 else 41, src=m(E), dst=m(F)),
    lambda m, p: carried(m, 47, gre(any_frame(p), 0x6558, full=True)),
    lambda m, p: ipv6(gre(any_ppp(p), 0x880B, full=True), 47, src=m(E), dst=m(F)),
    lambda m, p: at_port(m, 4789, b"\x08\0\0\0\0\0\5\0" + any_frame(p)),
    lambda m, p: at_port6(m, 6081, GENEVE + any_frame(p)),
    lambda m, p: at_port(m, 1701, b"\0\2\0\1\0\1" + any_ppp(p)),
    lambda m, p: at_port6(m, 2152, b"\x30\xff\0\0\0\0\0\7" + p),
    lambda m, p: at_port(m, 4341, bytes(8) + p),
    lambda m, p: at_port6(m, 4754, gre(b"\0\1\1\x40" + any_frame(p), 0x8847, full=True)),
    lambda m, p: carried(m, 97, b"\x30\0" + any_frame(p)),
    lambda m, p: carried(m, 51, bytes([4 if p[0] >> 4 == 4 else 41, 4, 0, 0]) + bytes(20) + p),
    lambda m, p: pim(m, 1, bytes(4) + p),
    lambda m, p: icmp4(m, 3, p) if p[0] >> 4 == 4 else icmp6(m, 1, bytes(4) + p),
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(WRAPPERS), min_size=2, max_size=5),
    st.sampled_from(sorted(KNOWN)),
    st.sampled_from([PAN, CryptoPan("another")]),
)
def test_tunnels_in_tunnels(
    wrappers: list[Callable[[Map, bytes], bytes]], name: str, pan: CryptoPan
) -> None:
    """All checksums on the way are right, as the packet is made anew with the other addresses."""

    def make(m: Map) -> bytes:
        packet = KNOWN[name](m)
        for wrap in wrappers:
            packet = wrap(m, packet)
        return packet

    memory = bytearray(make(as_is))
    told = pan.packet((plt.ip if memory[0] >> 4 == 4 else plt.ip6)(memory))
    assert memory == make(lambda address: mapped(address, pan))
    assert told.understood


# --- What is not looked through

ADDRESSES = packed(C) + packed(D)

UNKNOWN: dict[str, tuple[Callable[[Map], bytes], bytes, int]] = {
    # the text, then the packet but for what is unknown, and the place of the checksum over it
    "ESP": (lambda m: carried(m, 50, ADDRESSES), ADDRESSES, 0),
    "IPComp": (lambda m: carried(m, 108, ADDRESSES), ADDRESSES, 0),
    "EIGRP": (lambda m: carried(m, 88, ADDRESSES), ADDRESSES, 0),
    "IP protocol 253": (lambda m: carried(m, 253, ADDRESSES), ADDRESSES, 0),
    "RIP": (lambda m: at_port(m, 520, ADDRESSES), ADDRESSES, 26),
    "WireGuard": (
        lambda m: at_port(m, 51820, b"\4\0\0\0" + ADDRESSES), b"\4\0\0\0" + ADDRESSES, 26,
    ),
    "GUE payload 6": (
        lambda m: at_port(m, 6080, b"\0\6\0\0" + ADDRESSES), ADDRESSES, 26,
    ),
    "CAPWAP": (lambda m: at_port(m, 5247, b"\0\x10\3\0\0\0\0\0" + ADDRESSES), ADDRESSES, 26),
    "LWAPP": (lambda m: at_port(m, 12222, b"\4\0\0\x48\0\0" + ADDRESSES), ADDRESSES, 26),
    "802.11 data": (  # encrypted
        lambda m: at_port(m, 5247, b"\0\x10\3\0\0\0\0\0" + wireless(ADDRESSES, 0x41, 8)),
        ADDRESSES, 26,
    ),
    "DHCP": (lambda m: at_port(m, 67, ADDRESSES), ADDRESSES, 26),
    "BGP": (lambda m: over4(6, 16, tcp(ADDRESSES, ports=(179, 5)), m(A), m(B)), ADDRESSES, 36),
    "L2TP control": (lambda m: at_port(m, 1701, b"\xc8\2" + ADDRESSES), ADDRESSES, 26),
    "GTP-U message 26": (
        lambda m: at_port(m, 2152, b"\x30\x1a\0\x08\0\0\0\0" + ADDRESSES), ADDRESSES, 26,
    ),
    "LISP": (lambda m: at_port(m, 4341, bytes(8) + b"\x10" + ADDRESSES), b"\x10" + ADDRESSES, 26),
    "ethertype 0x2001": (lambda m: carried(m, 47, gre(ADDRESSES, 0x2001)), ADDRESSES, 0),
    "OSPF type 4": (
        lambda m: carried(
            m, 89,
            with_sum(b"\2\4\0\x20" + packed(m(A)) + bytes(16) + ADDRESSES, 12),
        ), ADDRESSES, 32,
    ),
    "ICMP type 40": (lambda m: icmp4(m, 40, ADDRESSES), ADDRESSES, 22),
    "ICMPv6 type 155": (lambda m: icmp6(m, 155, bytes(4) + ADDRESSES), ADDRESSES, 42),
    "IPv4 option 147": (
        lambda m: over4(17, 6, udp(b"x"), m(A), m(B), options=b"\x93\x0a" + ADDRESSES + b"\0\0"),
        ADDRESSES, 10,
    ),
    "TCP option 76": (
        lambda m: over4(6, 16, tcp(options=b"\x4c\x0a" + ADDRESSES + b"\0\0"), m(A), m(B)),
        ADDRESSES, 36,
    ),
    "SCTP chunk 4": (lambda m: sctp(m, chunk(4, ADDRESSES)), ADDRESSES, 0),
    "IPv6 routing header 3": (
        lambda m: ipv6(bytes([59, 1, 3, 0]) + b"addr" + ADDRESSES, 43, src=m(E), dst=m(F)),
        b"addr" + ADDRESSES, 0,
    ),
    "segment routing option 77": (
        lambda m: segments(m, bytes([77, 8]) + ADDRESSES + b"\0\4\3\0\0\0"), ADDRESSES, 0,
    ),
    "mobility message 20": (
        lambda m: mobility(m, 20, b"ab" + ADDRESSES), b"ab" + ADDRESSES, 44,
    ),
    "mobility option 9": (
        lambda m: mobility(m, 6, bytes(6) + bytes([9, 8]) + ADDRESSES + b"\1\0"), ADDRESSES, 44,
    ),
    "HIP": (
        lambda m: ipv6(bytes([59, 1, 1, 0]) + b"sums" + ADDRESSES, 139, src=m(E), dst=m(F)),
        b"sums" + ADDRESSES, 0,
    ),
    "shim6": (
        lambda m: ipv6(bytes([59, 1, 0, 0]) + b"sums" + ADDRESSES, 140, src=m(E), dst=m(F)),
        b"sums" + ADDRESSES, 0,
    ),
    "IGMP": (lambda m: ipv6(ADDRESSES, 2, src=m(E), dst=m(F)), ADDRESSES, 0),
    "IGMP type 64": (
        lambda m: carried(m, 2, with_sum(b"\x40\0\0\0" + ADDRESSES, 2)), ADDRESSES, 22,
    ),
    "ICMP": (lambda m: ipv6(ADDRESSES, 1, src=m(E), dst=m(F)), ADDRESSES, 0),
    "ICMPv6": (lambda m: carried(m, 58, ADDRESSES), ADDRESSES, 0),
    # the sum over the extension keeps that over the message as it was
    "ICMP extension 2": (
        lambda m: extended(m, b"\0\x0c\2\0" + ADDRESSES), ADDRESSES, 158,
    ),
    "neighbour discovery option 60": (
        lambda m: icmp6(m, 133, bytes(4) + bytes([60, 2]) + b"option" + ADDRESSES),
        b"option" + ADDRESSES, 42,
    ),
    "minimal encapsulation": (
        lambda m: ipv6(ADDRESSES, 55, src=m(E), dst=m(F)), ADDRESSES, 0,
    ),
    "OSPF version 4": (
        lambda m: carried(m, 89, b"\4\1\0\x0c" + ADDRESSES), b"\4\1\0\x0c" + ADDRESSES, 0,
    ),
    "PIM version 1": (
        lambda m: carried(m, 103, b"\x12\1\1\1" + ADDRESSES), b"\x12\1\1\1" + ADDRESSES, 0,
    ),
    "PIM type 0": (  # of its addresses none is of another family than IP's and IPv6's
        lambda m: pim(m, 0, struct.pack(">HH", 24, 16) + unicast(m, C) + b"\3\0" + ADDRESSES),
        b"\3\0" + ADDRESSES, 22,
    ),
    "PIM type 2": (
        lambda m: pim(m, 2, group(m, D) + b"\1\1" + ADDRESSES), b"\1\1" + ADDRESSES, 22,
    ),
    "PIM type 3": (
        lambda m: pim(m, 3, b"\3\0" + ADDRESSES), b"\3\0" + ADDRESSES, 22,
    ),
    "PIM type 4": (lambda m: pim(m, 4, ADDRESSES), ADDRESSES, 22),
    "PIM type 5": (
        lambda m: pim(m, 5, b"\3\0\0\x20" + ADDRESSES), b"\3\0\0\x20" + ADDRESSES, 22,
    ),
    "VRRP version 1": (
        lambda m: carried(m, 112, b"\x11\1\1\1" + ADDRESSES), b"\x11\1\1\1" + ADDRESSES, 0,
    ),
    "HSRP version 1": (
        lambda m: at_port(m, 1985, b"\1\0\0\0" + ADDRESSES), b"\1\0\0\0" + ADDRESSES, 26,
    ),
    "HSRP message 3": (
        lambda m: at_port(m, 1985, b"\0\3\0\0" + ADDRESSES), b"\3\0\0" + ADDRESSES, 26,
    ),
    "HSRP version 0": (
        lambda m: at_port6(m, 1985, bytes(8) + ADDRESSES), bytes(8) + ADDRESSES, 46,
    ),
    "ICMPv6 type 0": (lambda m: icmp6(m, 0, bytes(4) + ADDRESSES), ADDRESSES, 42),
    "SCTP parameter 11": (
        lambda m: sctp(m, chunk(2, bytes(16) + parameter(11, ADDRESSES))), ADDRESSES, 0,
    ),
    "IKE": (
        lambda m: at_port(m, 4500, bytes(4) + ADDRESSES), bytes(4) + ADDRESSES, 26,
    ),
    "MPTCP ADD_ADDR": (
        lambda m: over4(
            6, 16, tcp(options=bytes([30, 12, 0x30, 1]) + ADDRESSES), m(A), m(B)
        ), ADDRESSES, 36,
    ),
    "SCTP parameter 7": (
        lambda m: sctp(m, chunk(1, bytes(16) + parameter(7, ADDRESSES))), ADDRESSES, 0,
    ),
    "SCTP parameter 5": (
        lambda m: sctp(m, chunk(1, bytes(16) + b"\0\5\0\2" + ADDRESSES)),
        b"\0\5\0\2" + ADDRESSES, 0,
    ),
    "SCTP chunk 66": (
        lambda m: sctp(m, b"\x42\0\0\2" + ADDRESSES), b"\x42\0\0\2" + ADDRESSES, 0,
    ),
    "IPv6 option 109": (  # MPL, RFC 7731, then PadN
        extension(0, b"\x6d\x08" + ADDRESSES + b"\1\2\0\0"), ADDRESSES, 0,
    ),
    "IPv6 option 8": (extension(60, b"\0\1\0\0\x08\x08" + ADDRESSES), ADDRESSES, 0),
    "IPv6 option 201": (  # a home address is no hop-by-hop option
        extension(0, b"\1\2\0\0\xc9\x10" + 2 * ADDRESSES), 2 * ADDRESSES, 0,
    ),
    "IPv6 option 30": (extension(60, b"\x1e\xff" + ADDRESSES + bytes(4)), ADDRESSES + bytes(4), 0),
    "SCTP parameter 0x8123": (
        lambda m: sctp(
            m, chunk(1, bytes(16) + parameter(0x8123, ADDRESSES) + parameter(5, packed(m(C)))),
        ), ADDRESSES, 0,
    ),
    "SCTP parameter 0xc003": (  # an error that has the wrong parameter in it, RFC 5061
        lambda m: sctp(m, chunk(0xC1, bytes(4) + parameter(0xC003, b"causes: " + ADDRESSES))),
        b"causes: " + ADDRESSES, 0,
    ),
    "SCTP parameter 0x8124": (
        lambda m: sctp(m, chunk(2, bytes(16) + parameter(8, parameter(0x8124, ADDRESSES)))),
        ADDRESSES, 0,
    ),
    "PIM hello option 31": (  # RFC 6395: an interface and the router that it is of
        lambda m: hello(m, (1, b"\0\x69"), (31, ADDRESSES), (24, unicast(m, C))), ADDRESSES, 22,
    ),
    "PIM hello option 0xfde9": (lambda m: hello(m, (65001, ADDRESSES)), ADDRESSES, 22),
    "Geneve option class 0x0102": (
        lambda m: geneve(m, b"\0\1\1\0", b"\1\2\x80\2" + ADDRESSES, b"\0\1\1\0"), ADDRESSES, 26,
    ),
    "Geneve option class 5": (  # it is longer than all options
        lambda m: geneve(m, b"\0\5\x80\x1f" + ADDRESSES), ADDRESSES, 26,
    ),
    "NSH metadata": (lambda m: carried(m, 145, nsh(m, 1, 2 * ADDRESSES)), 2 * ADDRESSES, 0),
    "NSH metadata class 0x0103": (
        lambda m: carried(
            m, 145, nsh(m, 2, b"\0\0\7\0" + b"\1\3\1\x09" + ADDRESSES + b"!\0\0\0" + bytes(4)),
        ), ADDRESSES + b"!", 0,
    ),
    "NSH metadata class 6": (  # it is longer than all metadata; in GRE
        lambda m: carried(m, 47, gre(nsh(m, 2, b"\0\6\1\x7f" + ADDRESSES), 0x894F)), ADDRESSES, 0,
    ),
    "GTP-U extension 193": (lambda m: gtp_with(m, 0xC1, ADDRESSES + b"ab"), ADDRESSES + b"ab", 26),
    "later fragment": (
        lambda m: ipv4(ADDRESSES, 17, src=m(A), dst=m(B), fragment=3), ADDRESSES, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_layer_is_told(name: str) -> None:
    make = UNKNOWN[name][0]
    result, told = result_of(make(as_is))
    assert result == make(mapped)
    assert not told.understood
    assert told.unknown == (name,)
    assert ADDRESSES in result


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_layer_becomes_zero(name: str) -> None:
    """And the checksum over it is that of zeroes."""
    make, rest, checksum = UNKNOWN[name]
    whole = make(mapped)
    at = whole.index(rest)
    wanted = bytearray(whole[:at] + bytes(len(rest)) + whole[at + len(rest) :])
    result, told = result_of(make(as_is), unknown="zero")
    assert told.unknown == (name,)
    if name.startswith("SCTP"):
        wanted[28:32] = bytes(4)
        wanted[28:32] = struct.pack("<I", crc32c(bytes(wanted[20:])))
    elif checksum:
        # RFC 1624 eqn. 3, over what was cleared; there is no such sum in an IPv6 header
        shift = rest if at % 2 == 0 else b"\0" + rest
        old = int.from_bytes(wanted[checksum : checksum + 2], "big")
        change = ~internet_sum(shift) & 0xFFFF
        total = old + change
        wanted[checksum : checksum + 2] = struct.pack(">H", (total & 0xFFFF) + (total >> 16))
    assert result == bytes(wanted)


@pytest.mark.parametrize(
    ("content", "dlt", "told"),
    [
        (ethernet(b"\1" * 40, 0x88B5), 1, ("ethertype 0x88b5",)),
        (ethernet(b"\1" * 40, 0x88CC), 1, ("LLDP",)),
        (packets.MAC + b"\0\x26\xfe\xfe\3" + b"\x83" * 35, 1, ("IS-IS",)),
        (packets.MAC + b"\0\x26\x42\x42\3" + bytes(35), 1, ()),
        (packets.MAC + b"\0\x26\xaa\xaa\3\x08\0\x07\x80\x9b" + bytes(30), 1, ("SNAP",)),
        (packets.MAC + b"\0\x26\6\6\3" + bytes(35), 1, ("LLC 6",)),
        (packets.MAC + b"\0\2\6\6", 1, ()),
        (
            ethernet(struct.pack(">HHBBH", 1, 0x809B, 6, 4, 1) + bytes(20), 0x0806),
            1,
            ("ARP for ethertype 0x809b",),
        ),
        (
            ethernet(struct.pack(">HHBBH", 1, 0x0800, 6, 6, 1) + bytes(24), 0x0806),
            1,
            ("ARP for ethertype 0x0800",),
        ),
        (packets.MAC + b"\0\x26\xaa\xaa\3\0\0\0\5\xdc" + bytes(30), 1, ("SNAP",)),
        (packets.MAC + b"\0\5\xaa\xaa\3\0\0", 1, ("SNAP",)),
        (ethernet(b"\1" * 40, 0x8863), 1, ()),
        (ethernet(), 1, ()),
        (b"\1" * 40, 147, ("link layer",)),
        (b"\x80" + b"\1" * 60, 105, ()),  # a beacon
        (b"\xb4" + b"\1" * 15, 105, ()),  # request to send
        (b"\x48" + b"\1" * 23, 105, ()),  # null function
        (b"\x08\x40" + b"\1" * 60, 105, ("802.11 data",)),  # protected
    ],
)
def test_link_layers_that_hold_no_ip(
    content: bytes, dlt: int, told: tuple[str, ...], tmp_path: Path
) -> None:
    packet = packets.packet_of(content, tmp_path, dlt)
    result = PAN.packet(packet)
    assert (result, result.unknown, result.understood) == (0, told, not told)
    assert bytes(packet) == content


def test_a_header_that_is_too_short_is_told() -> None:
    data = bytearray(udp4(as_is))
    data[0] = 0x43
    result, told = result_of(bytes(data))
    assert (told, told.unknown) == (2, ("IPv4 header length 3",))
    assert result[12:20] == udp4(mapped)[12:20]
    assert result[20:] == data[20:]


def test_esp_in_udp_is_told() -> None:  # RFC 3948
    result, told = result_of(at_port(as_is, 4500, b"\1\2\3\4" + ADDRESSES))
    assert (result, told.unknown) == (at_port(mapped, 4500, b"\1\2\3\4" + ADDRESSES), ("ESP",))


def test_at_most_eight_are_named() -> None:
    chunks = [chunk(kind, b"abcd") for kind in range(0x30, 0x40)]
    _, told = result_of(sctp(as_is, *chunks, *chunks))
    assert told.unknown == tuple(f"SCTP chunk {kind}" for kind in range(0x30, 0x38))


def test_deep_nesting_is_told() -> None:
    data = inner(as_is)
    for _ in range(9):
        data = ipv4(data, 4)
    _, told = result_of(data)
    assert told.unknown == ("nesting",)
    data = inner(as_is)
    for _ in range(9):
        data = carried(as_is, 47, gre(data))
    _, told = result_of(data)
    assert told.unknown == ("nesting",)
    data = udp4(as_is)[20:]
    for _ in range(100):
        data = bytes([51 if len(data) > 13 else 17, 1, 0, 0]) + bytes(8) + data
    _, told = result_of(ipv4(data, 51))
    assert told.unknown == ("nesting",)


# --- What applications carry


@pytest.mark.parametrize(
    ("make", "header"),
    [
        (lambda p: over4(17, 6, udp(p), A, B), 28),
        (lambda p: over6(17, 6, udp(p), E, F), 48),
        (lambda p: over4(6, 16, tcp(p), A, B), 40),
        (lambda p: over6(6, 16, tcp(p), E, F), 60),
        (lambda p: icmp4(as_is, 8, p), 28),
        (lambda p: icmp6(as_is, 128, bytes(4) + p), 48),
        (lambda p: over4(136, 6, udp(p), A, B), 28),
        (
            lambda p: at_port(
                as_is, 4789, b"\x08\0\0\0\0\0\5\0" + ethernet(over4(17, 6, udp(p), C, D))
            ), 78,
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("payload", [b"", b"x", b"some words", b"\xff" * 301])
def test_payload_becomes_zero(make: Callable[[bytes], bytes], header: int, payload: bytes) -> None:
    data = make(payload)
    kept, told = result_of(data)
    assert told.understood
    assert kept[header:] == payload
    memory = bytearray(data)
    packet = (plt.ip if data[0] >> 4 == 4 else plt.ip6)(memory)
    PAN.packet(packet, src=False, dst=False, signalling=False, payload="zero")
    assert memory == make(bytes(len(payload)))


def test_sctp_data_becomes_zero() -> None:
    def make(data: bytes) -> bytes:
        return sctp(as_is, chunk(0, bytes(12) + data), chunk(3, bytes(12)))

    result, _ = result_of(make(b"secret"), payload="zero")
    assert result[20:] == make(bytes(6))[20:]


def test_padding_goes_with_the_payload(tmp_path: Path) -> None:
    content = ethernet(udp4(as_is)) + b"192.0.2.1"
    packet = packets.packet_of(content, tmp_path)
    assert PAN.packet(packet).understood
    assert bytes(packet).endswith(b"192.0.2.1")
    PAN.packet(packet, payload="zero")
    assert bytes(packet).endswith(bytes(14))


@pytest.mark.parametrize("size", [0, 8, 10, 15, 18])
def test_partly_covered_payload(size: int) -> None:
    """RFC 3828 section 3.1: the checksum of UDP-Lite is over as many bytes as it says."""

    def make(m: Map, payload: bytes) -> bytes:
        message = udp(payload, length=size)
        covered = with_sum(message[: size or 18], 6, pseudo4(136, 18, m(A), m(B)))
        return carried(m, 136, covered + message[size or 18 :])

    result, _ = result_of(make(as_is, b"some words"), payload="zero")
    assert result == make(mapped, bytes(10))


def test_payload_without_checksum() -> None:
    result, _ = result_of(ipv4(udp(b"secret")), payload="zero")
    assert result[20:] == udp(bytes(6))


def trailed(m: Map, payload: bytes, trailer: bytes) -> bytes:
    """A UDP datagram that ends before its IP packet does, as its length says (RFC 768)."""
    message = with_sum(udp(payload), 6, pseudo4(17, 8 + len(payload), m(A), m(B)))
    return carried(m, 17, message + trailer)


def test_what_follows_a_udp_datagram_is_payload_without_a_checksum() -> None:
    result, told = result_of(trailed(as_is, b"hello", b"trailer"))
    assert result == trailed(mapped, b"hello", b"trailer")
    assert told.understood
    zeroed, _ = result_of(trailed(as_is, b"hello", b"trailer"), payload="zero")
    assert zeroed == trailed(mapped, bytes(5), bytes(7))


def test_payload_is_dropped(tmp_path: Path) -> None:
    """As a snap length would: all lengths and checksums stay those of the whole packet."""
    content = ethernet(at_port(as_is, 4789, b"\x08\0\0\0\0\0\5\0" + ethernet(udp4(as_is))))
    wanted = ethernet(at_port(mapped, 4789, b"\x08\0\0\0\0\0\5\0" + ethernet(udp4(mapped))))
    packet = packets.packet_of(content, tmp_path)
    layer = packet.udp
    shown = memoryview(packet)
    assert PAN.packet(packet, payload="drop") == 4
    assert bytes(packet) == wanted[:-5]  # "hello"
    assert (packet.capture_len, packet.wire_len) == (len(wanted) - 5, len(wanted) + 4)
    assert len(packet) == len(wanted) - 5
    assert packet.ip.pkt_len == len(wanted) - 14
    assert packet.udp.payload.data == wanted[42:-5]
    # what was there before
    assert layer.payload.data == wanted[42:]
    assert shown == wanted
    with plt.output_trace(f"pcapfile:{tmp_path / 'cut.pcap'}") as output:
        output.write_packet(packet)
    again = packets.read(tmp_path / "cut.pcap")[0]
    assert bytes(again) == wanted[:-5]
    assert again.wire_len == len(wanted) + 4


@pytest.mark.parametrize("left", [tcp4(as_is)[:44], ipv4(b"", 6), ipv6(b"", 59)])
def test_without_payload_nothing_but_padding_is_dropped(left: bytes, tmp_path: Path) -> None:
    left = left[:2] + (struct.pack(">H", len(left)) if left[0] >> 4 == 4 else left[2:4]) + left[4:]
    content = ethernet(left, 0x0800 if left[0] >> 4 == 4 else 0x86DD)
    packet = packets.packet_of(content + b"padding", tmp_path)
    PAN.packet(packet, payload="drop")
    assert len(packet) == len(content)
    PAN.packet(packet, payload="drop")
    assert len(packet) == len(content)


def test_packets_of_a_loop_are_dropped_one_by_one(tmp_path: Path) -> None:
    frames = [ethernet(ipv4(udp(b"x" * size))) for size in (9, 900, 0, 90)]
    path = packets.write(tmp_path / "t", packets.pcap(frames))
    with plt.trace(path) as trace:
        for packet in trace:
            PAN.packet(packet, payload="drop")
            assert len(packet) == 42
            assert packet.udp.payload is None
    for packet in packets.read(path):
        PAN.packet(packet, payload="drop")
        assert len(bytes(packet)) == 42


def test_only_whole_packets_are_cut(tmp_path: Path) -> None:
    content = ethernet(udp4(as_is))
    packet = packets.packet_of(content, tmp_path)
    tunnelled = packets.packet_of(ethernet(ipv4(udp4(as_is), 4)), tmp_path)
    within = tunnelled.inner
    for wrong in (packet.ip, packet.udp, plt.ip(bytearray(udp4(as_is))), within):
        with pytest.raises(TypeError, match="only a packet of a trace can be cut, not "):
            PAN.packet(wrong, payload="drop")
    assert bytes(packet) == content


# --- What is told


def test_result_is_an_int() -> None:
    _, told = result_of(udp4(as_is))
    assert isinstance(told, int)
    assert (told, told + 1, str(told), f"{told:03d}", hash(told)) == (2, 3, "2", "002", hash(2))
    assert sum([told, told]) == 4
    assert repr(Anonymised(3, ("ESP",))) == "Anonymised(3, unknown=('ESP',))"
    for name in ("understood", "unknown", "other"):
        with pytest.raises(AttributeError, match="can't be changed"):
            setattr(told, name, False)
        with pytest.raises(AttributeError, match="can't be changed"):
            delattr(told, name)
    again = pickle.loads(pickle.dumps(Anonymised(3, ("ESP",))))
    assert (again, again.unknown, again.understood) == (3, ("ESP",), False)


@pytest.mark.parametrize(
    ("name", "words"), [("unknown", "'keep' or 'zero'"), ("payload", "'keep', 'zero' or 'drop'")]
)
def test_wrong_choices(name: str, words: str) -> None:
    data = bytearray(udp4(as_is))
    for wrong, error in (("wipe", ValueError), ("", ValueError), (True, TypeError)):
        with pytest.raises(error, match=f"{name} must be {words}, not {wrong!r}"):
            PAN.packet(plt.ip(data), **{name: wrong})
    assert data == udp4(as_is)


# --- Damage


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(KNOWN)), st.data())
def test_damaged_tunnels(name: str, data: st.DataObject) -> None:
    packet = bytearray(KNOWN[name](as_is))
    for _ in range(data.draw(st.integers(0, 5))):
        packet[data.draw(st.integers(20, len(packet) - 1))] = data.draw(st.integers(0, 255))
    length = data.draw(st.integers(1, len(packet)))
    choices = {n: data.draw(st.sampled_from(["keep", "zero"])) for n in ("unknown", "payload")}
    once, told = result_of(bytes(packet[:length]), **choices)
    assert len(once) == length
    assert (once, told) == result_of(bytes(packet[:length]), **choices)


@pytest.mark.parametrize("name", KNOWN)
def test_tunnels_cut_anywhere(name: str) -> None:
    """No address that was captured whole is left."""
    data = KNOWN[name](as_is)
    for length in range(1, len(data)):
        result, told = result_of(data[:length])
        assert len(result) == length
        if told.understood:
            for address in map(packed, (A, B, C, D, E, F, G, H)):
                assert address not in result


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_layers_cut_anywhere(name: str) -> None:
    """What is unknown is told as soon as any of it was captured, and nothing of it is left."""
    make = UNKNOWN[name][0]
    data = make(as_is)
    for length in range(1, len(data)):
        result, told = result_of(data[:length], unknown="zero", payload="zero")
        assert len(result) == length
        if ADDRESSES in data[:length]:
            assert not told.understood
            assert ADDRESSES not in result


@pytest.mark.parametrize("name", ["sctp init", "sctp asconf"])
def test_a_wrong_crc_stays_wrong_by_as_much(name: str) -> None:
    data = bytearray(KNOWN[name](as_is))
    data[28] ^= 0x40
    wanted = bytearray(KNOWN[name](mapped))
    wanted[28] ^= 0x40
    assert result_of(bytes(data))[0] == bytes(wanted)
    data[28:32] = bytes(4)  # RFC 9653: none
    wanted[28:32] = bytes(4)
    assert result_of(bytes(data))[0] == bytes(wanted)


def test_a_crc_of_a_cut_packet() -> None:
    """Right over the whole packet, of which the rest was not captured."""

    def make(m: Map) -> bytes:
        return sctp(m, chunk(1, bytes(16) + parameter(5, packed(m(C)))), chunk(0, bytes(99)))

    assert result_of(make(as_is)[:80])[0] == make(mapped)[:80]


def test_a_crc_where_it_is_unknown_how_much_is_missing() -> None:
    """A total length of 0 is that of segmentation offload: the CRC stays as it is."""

    def made(m: Map) -> bytes:
        checksum = sctp(as_is, chunk(1, bytes(16) + parameter(5, packed(C))))[28:32]
        body = chunk(1, bytes(16) + parameter(5, packed(m(C))))
        message = struct.pack(">HHI", 1, 2, 3) + checksum + body
        return ipv4(message, 132, src=m(A), dst=m(B), length=0)

    assert result_of(made(as_is))[0] == made(mapped)


def test_signalling_alone_can_be_left() -> None:
    for make in KNOWN.values():
        data = make(as_is)
        assert rewritten(data, src=False, dst=False, signalling=False) == data


def test_one_end_of_minimal_encapsulation_alone() -> None:
    """Its header has the ends of the packet within; a quoted packet went the other way."""

    def named(*names: str) -> Map:
        return lambda address: mapped(address) if address in names else address

    def quoted(m: Map) -> bytes:
        packet = minimal(m, True)  # from A to B, within from C to D
        return ipv4(icmp(3, 0, bytes(4), packet), 1, src=m(ROUTER), dst=m(A))

    assert rewritten(minimal(as_is, True), dst=False) == minimal(named(A, C), True)
    assert rewritten(minimal(as_is, True), src=False) == minimal(named(B, D), True)
    assert rewritten(quoted(as_is), dst=False) == quoted(named(ROUTER, B, D))
    assert rewritten(quoted(as_is), src=False) == quoted(named(A, C))


ROUTER = "203.0.113.99"


# --- What is malformed or rare

#: Kinds of TCP options (IANA) that hold no address, and those beside them.
QUIET_OPTIONS = (2, 29, 34, 69, 172, 173, 174, 253, 254)
OTHER_OPTIONS = (31, 33, 35, 68, 70, 171, 175, 252)


@pytest.mark.parametrize("kind", QUIET_OPTIONS + OTHER_OPTIONS)
def test_tcp_options_without_addresses_are_known(kind: int) -> None:
    def made(m: Map) -> bytes:
        option = bytes([kind, 10]) + ADDRESSES + b"\0\0"
        return over4(6, 16, tcp(options=option), m(A), m(B))

    result, told = result_of(made(as_is))
    assert result == made(mapped)
    assert told.unknown == (() if kind in QUIET_OPTIONS else (f"TCP option {kind}",))


#: Options of IPv6 that hold no address, by their RFCs, and those beside them.
QUIET_OPTIONS_6 = (1, 4, 5, 7, 15, 18, 35, 38, 48, 50, 99, 139, 194, 238)
OTHER_OPTIONS_6 = (2, 3, 6, 8, 14, 16, 17, 19, 34, 36, 49, 98, 100, 109, 138, 140, 193, 195, 239)


@pytest.mark.parametrize("proto", [0, 60])
@pytest.mark.parametrize("kind", QUIET_OPTIONS_6 + OTHER_OPTIONS_6)
def test_ipv6_options_without_addresses_are_known(kind: int, proto: int) -> None:
    made = extension(proto, bytes([kind, 8]) + ADDRESSES + b"\1\2\0\0")
    result, told = result_of(made(as_is))
    assert result == made(mapped)
    assert told.unknown == (() if kind in QUIET_OPTIONS_6 else (f"IPv6 option {kind}",))


#: Parameters of SCTP, options of PIM hellos and extension headers of GTP-U that hold no address.
QUIET: dict[str, tuple[Callable[[Map, int], bytes], tuple[int, ...], tuple[int, ...]]] = {
    "SCTP parameter": (
        lambda m, kind: sctp(m, chunk(1, bytes(16) + parameter(kind, ADDRESSES))),
        (9, 12, *range(0x8000, 0x8006), 0x8008, 0xC000, 0xC005, 0xC006),
        (1, 10, 13, 0x8006, 0x8007, 0x8009, 0xC003, 0xC007),
    ),
    "PIM hello option": (
        lambda m, kind: hello(m, (kind, ADDRESSES)),
        (1, 2, 19, 20, 21, 22),
        (3, 18, 23, 25, 27, 29, 31, 35),
    ),
    "GTP-U extension": (
        lambda m, kind: gtp_with(m, kind, ADDRESSES + b"ab"),
        (0x03, 0x20, 0x40, *range(0x81, 0x86), 0xC0),
        (0x01, 0x02, 0x21, 0x41, 0x80, 0x86, 0xC1, 0xC2),
    ),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_else_is_known_to_hold_no_address(name: str) -> None:
    make, quiet, others = QUIET[name]
    for kind in quiet + others:
        result, told = result_of(make(as_is, kind))
        assert result == make(mapped, kind)
        number = f"0x{kind:04x}" if kind > 0xFF else kind
        assert told.unknown == (() if kind in quiet else (f"{name} {number}",))


def test_a_home_address_of_another_length_is_told() -> None:
    """RFC 6275 section 6.3: the length is 16."""
    make = extension(60, b"\xc9\x0c" + packed(G)[:4] + ADDRESSES)
    result, told = result_of(make(as_is))
    assert (result, told.unknown) == (make(mapped), ("IPv6 option 201",))


def test_sctp_data_of_all_ones_becomes_zero() -> None:
    """A change that no one's complement sum sees, but the CRC does."""
    data = chunk(0, bytes(12) + b"\xff" * 8)
    result, _ = result_of(sctp(as_is, data), payload="zero")
    assert result == sctp(mapped, chunk(0, bytes(20)))


def test_more_addresses_than_any_other_packet_has() -> None:
    """A query of IGMP with 300 sources: RFC 3376 section 4.1."""
    sources = [f"10.9.{n // 256}.{n % 256}" for n in range(300)]

    def made(m: Map) -> bytes:
        message = b"\x11\0\0\0" + packed(m(D)) + b"\0\0" + struct.pack(">H", 300)
        message += b"".join(packed(m(source)) for source in sources)
        return ipv4(with_sum(message, 2), 2, src=m(A), dst=m(D))

    result, told = result_of(made(as_is))
    assert (result, told, told.understood) == (made(mapped), 303, True)


def test_a_later_fragment_of_what_has_no_next_header() -> None:
    """Of RFC 8200 section 4.5; it is no payload that follows, but the midst of something."""

    def made(m: Map) -> bytes:
        return ipv6(bytes([59, 0, 0, 9, 0, 0, 0, 7]) + ADDRESSES, 44, src=m(E), dst=m(F))

    result, told = result_of(made(as_is), payload="zero")
    assert (result, told.unknown) == (made(mapped), ("later fragment",))


@pytest.mark.parametrize("payload", [b"\xfe", b"\0\0", b"\xff\xff"])
def test_esp_that_was_cut_is_told(payload: bytes) -> None:
    result, told = result_of(at_port(as_is, 4500, payload))
    assert (result, told.unknown) == (at_port(mapped, 4500, payload), ("ESP",))


@pytest.mark.parametrize("payload", [b"\1\0\0", bytes(9), b"\5\0\0\0", b"\1\0\0\1"])
def test_what_is_at_wireguard_s_port_and_no_message_of_it_is_payload(payload: bytes) -> None:
    result, told = result_of(at_port(as_is, 51820, payload), payload="zero")
    assert (result, told.unknown) == (at_port(mapped, 51820, bytes(len(payload))), ())


def test_the_first_of_several_payloads_is_where_a_packet_is_cut(tmp_path: Path) -> None:
    packet = packets.packet_of(
        ethernet(sctp(as_is, *[chunk(0, bytes(12) + b"data")] * 3)), tmp_path
    )
    PAN.packet(packet, payload="drop")
    assert len(packet) == 14 + 20 + 12 + 16


def test_what_wireshark_exports_before_a_packet(tmp_path: Path) -> None:
    """Fields 20 to 23 are addresses, 33 is a text, 12 names the dissector of the packet."""

    def exported(m: Map, text: bytes) -> bytes:
        fields = [(20, packed(m(A))), (21, packed(m(B))), (22, packed(m(E))), (23, packed(m(F)))]
        fields += [(25, b"\0\0\0\x35"), (33, text), (12, b"ip\0\0"), (0, b"")]
        before = b"".join(struct.pack(">HH", n, len(value)) + value for n, value in fields)
        return before + inner(m)

    packet = packets.packet_of(exported(as_is, b"from A"), tmp_path, 252)
    found = PAN.packet(packet)
    assert (int(found), found.unknown) == (6, ("exported field 33",))
    assert bytes(packet) == exported(mapped, b"from A")
    packet = packets.packet_of(exported(as_is, b"from A"), tmp_path, 252)
    PAN.packet(packet, dst=False, unknown="zero")
    assert bytes(packet) == exported(
        lambda address: mapped(address) if address in (A, C, E) else address, bytes(6)
    )


def test_sctp_without_ip(tmp_path: Path) -> None:
    data = struct.pack(">HHII", 1234, 5678, 7, 0) + b"\x0b\0\0\4"  # its cookie is accepted
    packet = packets.packet_of(data, tmp_path, 248)
    assert PAN.packet(packet) == 0
    assert bytes(packet) == data
