"""A packet in each kind of tunnel, built by the RFCs, and what the tunnel's header says."""

import struct
from dataclasses import dataclass

from packets import ethernet, ipv4, ipv6, snap, tcp, udp, wireless

OUTER = ("192.0.2.1", "198.51.100.2")
OUTER6 = ("2001:db8::1", "2001:db8:1::2")
INNER = ("10.0.0.1", "10.0.0.2")
INNER6 = ("fd00::1", "fd00::2")


def inner4(payload: bytes = b"seen", ports: tuple[int, int] = (40000, 80)) -> bytes:
    return ipv4(tcp(payload, ports=ports), 6, src=INNER[0], dst=INNER[1])


def inner6(payload: bytes = b"seen", ports: tuple[int, int] = (40000, 80)) -> bytes:
    return ipv6(tcp(payload, ports=ports), 6, src=INNER6[0], dst=INNER6[1])


def over_udp(payload: bytes, port: int, source: int = 50000) -> bytes:
    return ethernet(ipv4(udp(payload, ports=(source, port)), 17))


def over_ip(payload: bytes, proto: int) -> bytes:
    return ethernet(ipv4(payload, proto))


def vxlan(frame: bytes, vni: int) -> bytes:  # RFC 7348 section 5
    return struct.pack(">II", 0x08000000, vni << 8) + frame


def vxlan_gpe(payload: bytes, vni: int, following: int) -> bytes:  # draft section 3.1
    return struct.pack(">II", 0x0C000000 | following, vni << 8) + payload


def geneve(payload: bytes, vni: int, protocol: int, options: bytes = b"") -> bytes:
    """RFC 8926 section 3.4"""
    return struct.pack(">BBHI", len(options) // 4, 0, protocol, vni << 8) + options + payload


def gre(payload: bytes, protocol: int, *, key: int | None = None, seq: int | None = None) -> bytes:
    """RFC 2784, RFC 2890"""
    flags = (0x2000 if key is not None else 0) | (0x1000 if seq is not None else 0)
    more = [struct.pack(">I", value) for value in (key, seq) if value is not None]
    return struct.pack(">HH", flags, protocol) + b"".join(more) + payload


def pptp(payload: bytes, call: int) -> bytes:  # RFC 2637 section 4.1
    return struct.pack(">HHHHI", 0x3001, 0x880B, len(payload), call, 1) + payload


def gtp(payload: bytes, teid: int, extension: bytes = b"") -> bytes:  # TS 29.281 section 5.1
    more = struct.pack(">HBB", 0, 0, 0x85) + extension if extension else b""
    flags = 0x34 if extension else 0x30
    return struct.pack(">BBHI", flags, 255, len(more) + len(payload), teid) + more + payload


def erspan2(frame: bytes, session: int) -> bytes:  # draft-foschiano-erspan section 4.2
    return struct.pack(">HHI", 0x1000, session, 0) + frame


def erspan3(frame: bytes, session: int) -> bytes:  # section 4.3
    return struct.pack(">HHIHH", 0x2000, session, 0, 0, 0) + frame


def l2tp(payload: bytes, tunnel: int, session: int) -> bytes:  # RFC 2661 section 3.1
    return struct.pack(">HHHH", 0x4002, 8 + len(payload), tunnel, session) + payload


def ppp(packet: bytes, protocol: int = 0x0021) -> bytes:  # RFC 1661, RFC 1662
    return struct.pack(">HH", 0xFF03, protocol) + packet


def pppoe(packet: bytes, session: int, protocol: int = 0x0021) -> bytes:  # RFC 2516 section 4
    return struct.pack(">BBHHH", 0x11, 0, session, len(packet) + 2, protocol) + packet


def nsh(payload: bytes, path: int, following: int) -> bytes:  # RFC 8300 section 2, MD type 2
    return struct.pack(">HBBI", 0x0FC2, 2, following, path << 8 | 255) + payload


def label(value: int, bottom: bool = True) -> bytes:  # RFC 3032 section 2.1
    return struct.pack(">I", value << 12 | bottom << 8 | 64)


@dataclass(frozen=True)
class Case:
    """A frame with a tunnel, and what is in its header."""

    kind: str
    id: int | None
    frame: bytes
    outer: tuple[str, str] | None = OUTER
    inner: tuple[str, str] = INNER


FRAME = ethernet(inner4())
SEGMENT = bytes.fromhex("20010db8000100000000000000000002")
#: An Ethernet header with a vendor's addresses: tshark looks for those within MPLS.
VENDOR = bytes.fromhex("000c29000001 000c29000002 0800") + inner4()

CASES = {
    "IPIP": Case("ipip", None, over_ip(inner4(), 4)),
    "6in4": Case("6in4", None, over_ip(inner6(), 41), inner=INNER6),
    "4in6": Case("4in6", None, ethernet(ipv6(inner4(), 4), 0x86DD), OUTER6),
    "6in6": Case("6in6", None, ethernet(ipv6(inner6(), 41), 0x86DD), OUTER6, INNER6),
    "GRE": Case("gre", None, over_ip(gre(inner4(), 0x0800), 47)),
    "GRE with IPv6": Case("gre", None, over_ip(gre(inner6(), 0x86DD), 47), inner=INNER6),
    "GRE with a key": Case("gre", 0xCAFE01, over_ip(gre(inner4(), 0x0800, key=0xCAFE01), 47)),
    "GRE with Ethernet": Case("gre", 7, over_ip(gre(FRAME, 0x6558, key=7), 47)),
    "PPTP": Case("pptp", 99, over_ip(pptp(ppp(inner4()), 99), 47)),
    "ERSPAN I": Case("erspan", None, over_ip(gre(FRAME, 0x88BE), 47)),
    "ERSPAN II": Case("erspan", 12, over_ip(gre(erspan2(FRAME, 12), 0x88BE, seq=5), 47)),
    "ERSPAN III": Case("erspan", 13, over_ip(gre(erspan3(FRAME, 13), 0x22EB, seq=5), 47)),
    "EtherIP": Case("etherip", None, over_ip(b"\x30\0" + FRAME, 97)),
    # RFC 8986 section 10.1: after a segment routing header (RFC 8754 section 2), or without
    "Ethernet in IPv4": Case("ethernet", None, over_ip(FRAME, 143)),
    "Ethernet in SRv6": Case(
        "ethernet",
        None,
        ethernet(ipv6(b"\x8f\2\4\0" + bytes(4) + SEGMENT + FRAME, 43, dst=OUTER6[1]), 0x86DD),
        OUTER6,
    ),
    "MPLS in IP": Case("mpls", 77, over_ip(label(77) + inner4(), 137)),
    "L2TPv2": Case("l2tp", 3 << 16 | 4, over_udp(l2tp(ppp(inner4()), 3, 4), 1701, 1701)),
    "L2TPv3": Case("l2tp", 9, over_ip(struct.pack(">I", 9) + FRAME, 115)),
    "L2TPv3 over UDP": Case("l2tp", 9, over_udp(struct.pack(">HHI", 3, 0, 9) + FRAME, 1701)),
    "L2TPv3 with a VLAN": Case(
        "l2tp", 9, over_ip(struct.pack(">I", 9) + ethernet(b"\0\7\x08\0" + inner4(), 0x8100), 115)
    ),
    "VXLAN": Case("vxlan", 5001, over_udp(vxlan(FRAME, 5001), 4789)),
    "VXLAN-GPE": Case("vxlan-gpe", 6, over_udp(vxlan_gpe(inner4(), 6, 1), 4790)),
    "VXLAN-GPE with MPLS": Case(
        "vxlan-gpe", 6, over_udp(vxlan_gpe(label(18) + inner4(), 6, 5), 4790)
    ),
    "LISP": Case("lisp", 5, over_udp(struct.pack(">II", 0x08000000, 5 << 8) + inner4(), 4341)),
    "Geneve": Case("geneve", 8, over_udp(geneve(FRAME, 8, 0x6558), 6081)),
    "Geneve with options": Case(
        "geneve", 9, over_udp(geneve(inner4(), 9, 0x0800, b"\1\2\3\1abcd"), 6081)
    ),
    "GTP-U": Case("gtp", 0xABCD1234, over_udp(gtp(inner4(), 0xABCD1234), 2152, 2152)),
    "GTP-U with an extension": Case(
        "gtp", 5, over_udp(gtp(inner4(), 5, b"\1\x10\1\0"), 2152, 2152)
    ),
    # RFC 5415 section 4.3: a native frame, of IEEE 802.11; access points swap its first two bytes
    "CAPWAP with 802.11": Case(
        "capwap", None, over_udp(b"\0\x10\3\0" + bytes(4) + wireless(snap(inner4()), 1, 8), 5247)
    ),
    # RFC 5412 section 3.3
    "LWAPP": Case(
        "lwapp", None, over_udp(b"\0\0\0\x48\0\0" + wireless(snap(inner4()), 8, 1), 12222)
    ),
    "TZSP with 802.11": Case(
        "tzsp", None, over_udp(b"\1\0\0\x12\1" + wireless(snap(inner4()), 8, 1), 37008)
    ),
    # RFC 7761 section 4.9.3; the checksum is over the first eight bytes
    "PIM": Case("pim", None, over_ip(bytes.fromhex("2100defe00000000") + inner4(), 103)),
    "Teredo": Case("teredo", None, over_udp(inner6(), 3544), inner=INNER6),
    "PPPoE": Case("pppoe", 17, ethernet(pppoe(inner4(), 17), 0x8864), None),
    "a pseudowire": Case("mpls", 19, ethernet(label(18, False) + label(19) + VENDOR, 0x8847), None),
    "NSH": Case("nsh", 21, ethernet(nsh(FRAME, 21, 3), 0x894F), None),
}
