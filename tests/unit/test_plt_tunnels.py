"""Packets within packets: `inner` and `tunnels`, by the RFCs' headers and by tshark."""

import copy
import pickle
import struct
import subprocess
from pathlib import Path

import packets
import pytest
import tunnelled
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import ethernet, ipv4, ipv6, tcp, udp
from tunnelled import (
    CASES,
    FRAME,
    INNER,
    INNER6,
    OUTER,
    Case,
    erspan2,
    erspan3,
    geneve,
    gre,
    gtp,
    inner4,
    inner6,
    l2tp,
    label,
    nsh,
    over_ip,
    over_udp,
    ppp,
    pppoe,
    vxlan,
    vxlan_gpe,
)

import plt

DEPTH = 16


def innermost(packet: plt.packet) -> plt.packet:
    while (inner := packet.inner) is not None:
        packet = inner
    return packet


def ends(packet: plt.packet) -> tuple[str, str] | None:
    header = packet.ip or packet.ip6
    return (str(header.src_prefix), str(header.dst_prefix)) if header else None


# --- Each kind


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_packet_in_each_kind_of_tunnel(case: Case, tmp_path: Path) -> None:
    packet = packets.packet_of(case.frame, tmp_path)
    (tunnel,) = packet.tunnels
    assert (tunnel.kind, tunnel.id) == (case.kind, case.id)
    if case.outer is None:
        assert (tunnel.src, tunnel.dst) == (None, None)
    else:
        assert (str(tunnel.src), str(tunnel.dst)) == case.outer
    inner = packet.inner
    assert isinstance(inner, plt.packet)
    assert inner.inner is None
    assert inner.tunnels == ()
    assert ends(inner) == case.inner
    assert (inner.tcp.src_port, inner.tcp.dst_port) == (40000, 80)
    assert bytes(inner.tcp_payload) == b"seen"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_inner_packet_has_the_time_and_lengths_of_its_own(case: Case, tmp_path: Path) -> None:
    packet = packets.packet_of(case.frame, tmp_path)
    inner = packet.inner
    assert (inner.time_ns, inner.time, inner.erf_time) == (
        packet.time_ns, packet.time, packet.erf_time
    )  # fmt: skip
    assert inner.wire_len == inner.capture_len == len(bytes(inner))
    assert case.frame.endswith(bytes(inner))
    # all that follows the IP header: 20 or 40 bytes, TCP's 20, 4 of payload
    header = 40 if ":" in case.inner[0] else 20
    assert len(bytes(inner.layer3)) == header + 24


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_packet_that_was_cut_in_the_inner_payload(case: Case, tmp_path: Path) -> None:
    packet = packets.packet_of(case.frame[:-2], tmp_path, wire=len(case.frame))
    inner = packet.inner
    assert inner.capture_len == len(bytes(inner)) == inner.wire_len - 2
    assert inner.tcp.dst_port == 80
    assert inner.wire_len == packets.packet_of(case.frame, tmp_path).inner.wire_len


#: Where tshark has the id of a tunnel, by our name of its kind.
ID_FIELDS = {
    "gre": "gre.key", "pptp": "gre.key.call_id", "erspan": "erspan.spanid", "vxlan": "vxlan.vni",
    "vxlan-gpe": "vxlan.vni", "geneve": "geneve.vni", "gtp": "gtp.teid", "mpls": "mpls.label",
    "pppoe": "pppoe.session_id", "nsh": "nsh.spi",
}  # fmt: skip


def tshark_rows(tshark: str, path: Path, fields: list[str]) -> list[list[list[str]]]:
    """All values of fields in each packet."""
    command = [tshark, "-n", "-r", str(path), "-Tfields", "-Eoccurrence=a", "-Eseparator=;"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return [
        [value.split(",") if value else [] for value in line.split(";")]
        for line in done.stdout.splitlines()
    ]


def ends_by_tshark(row: list[list[str]]) -> list[str]:
    """The innermost addresses, and ports."""
    ip_src, ip_dst, ip6_src, ip6_dst, *ports = row
    return [*ip_src[-1:], *ip_dst[-1:], *ip6_src[-1:], *ip6_dst[-1:], *(p[-1] for p in ports if p)]


ADDRESSES = ["ip.src", "ip.dst", "ipv6.src", "ipv6.dst"]


def test_tshark_finds_the_same_ids_and_inner_addresses(tshark: str, tmp_path: Path) -> None:
    # what an L2TPv3 session carries tshark has from control messages alone
    cases = {name: case for name, case in CASES.items() if not name.startswith("L2TPv3")}
    path = packets.write(tmp_path / "t.pcap", packets.pcap(c.frame for c in cases.values()))
    ids = sorted(set(ID_FIELDS.values()))
    rows = tshark_rows(tshark, path, [*ADDRESSES, "tcp.srcport", "tcp.dstport", *ids])
    assert len(rows) == len(cases)
    for (name, case), row, packet in zip(cases.items(), rows, packets.read(path), strict=True):
        inner = innermost(packet)
        source, destination = ends(inner) or ("", "")
        last4, last6 = row[0][-1:] + row[1][-1:], row[2][-1:] + row[3][-1:]
        assert [source, destination] == (last6 if inner.ip6 else last4), name
        assert row[4:6] == [[str(inner.tcp.src_port)], [str(inner.tcp.dst_port)]], name
        field = ID_FIELDS.get(case.kind)
        if field and case.id is not None:
            found = row[6 + ids.index(field)][-1]
            assert int(found, 0) == packet.tunnels[-1].id, name


#: Tunnels of the corpus, and tshark's name of what carries the inner packet.
TRACES = ["vxlan.pcap", "teredo.pcap", "4in4tunnel.pcap", "6in4tunnel.pcap", "4in6tunnel.pcap"]


@pytest.mark.parametrize("name", TRACES)
def test_tshark_finds_the_same_inner_packets_in_the_corpus(
    name: str, corpus: Path, tshark: str
) -> None:
    path = corpus / "traces" / name
    fields = [*ADDRESSES, "tcp.srcport", "tcp.dstport", "frame.protocols"]
    for row, packet in zip(tshark_rows(tshark, path, fields), packets.read(path), strict=True):
        inner = innermost(packet)
        assert len(packet.tunnels) == 1
        last4, last6 = row[0][-1:] + row[1][-1:], row[2][-1:] + row[3][-1:]
        protocols = row[6][0].split(":")
        if inner.ip is None and inner.ip6 is None:
            assert protocols[-1] == "arp"
            continue
        # an error quotes a packet, whose addresses tshark lists too
        mine = list(ends(inner) or ())
        pairs4 = list(map(list, zip(row[0], row[1], strict=True)))
        pairs6 = list(map(list, zip(row[2], row[3], strict=True)))
        assert mine in (pairs6 if inner.ip6 else pairs4)
        if "icmp" not in protocols and "icmpv6" not in protocols:
            assert mine == (last6 if inner.ip6 else last4)
        if inner.tcp:
            assert [row[4][-1], row[5][-1]] == [str(inner.tcp.src_port), str(inner.tcp.dst_port)]


def test_tshark_finds_the_same_frames_in_capwap(corpus: Path, tshark: str) -> None:
    """Native ones of IEEE 802.11, whose first two bytes are swapped, with and without IP."""
    path = corpus / "traces" / "capwap.pcap"
    rows = tshark_rows(tshark, path, [*ADDRESSES, "wlan.fc.type_subtype", "capwap.header.flags.t"])
    found = 0
    for row, packet in zip(rows, packets.read(path), strict=True):
        if not {"1", "True"} & set(row[5]):
            continue
        found += 1
        assert [tunnel.kind for tunnel in packet.tunnels] == ["capwap"]
        assert packet.inner.linktype == plt.TRACE_TYPE_80211
        # the outer packet is IPv4
        inner = row[0][1:] + row[1][1:] + row[2] + row[3]
        assert list(ends(packet.inner) or ()) == inner
    assert found > 100


#: Headers with fields that are often absent, and of kinds without a tshark that knows their ids.
RARER: dict[str, tuple[str, int | None, bytes]] = {
    # RFC 2784, RFC 2890; RFC 2637 section 4.1
    "GRE with a checksum": ("gre", None, over_ip(b"\x80\0\x08\0" + bytes(4) + inner4(), 47)),
    "GRE with all": (
        "gre", 7, over_ip(b"\xb0\0\x08\0" + struct.pack(">III", 0, 7, 1) + inner4(), 47),
    ),
    "PPTP with an acknowledgment": (
        "pptp", 99,
        over_ip(struct.pack(">HHHHII", 0x3081, 0x880B, 48, 99, 1, 2) + ppp(inner4()), 47),
    ),
    # RFC 4302 sections 2 and 3.1.2: next header, length in words less 2, a check value of 12 bytes
    "IPIP, authenticated": ("ipip", None, over_ip(b"\x04\4" + bytes(22) + inner4(), 51)),
    "IPIP, authenticated twice": (
        "ipip", None, over_ip(b"\x33\4" + bytes(22) + b"\x04\4" + bytes(22) + inner4(), 51),
    ),
    "GRE, authenticated": (
        "gre", 7, over_ip(b"\x2f\4" + bytes(22) + gre(inner4(), 0x0800, key=7), 51),
    ),
    # RFC 4023 section 3
    "GRE with a label": ("gre", None, over_ip(gre(label(19) + inner4(), 0x8847), 47)),
    "GRE with a label of a group": ("gre", None, over_ip(gre(label(19) + inner4(), 0x8848), 47)),
    # draft-mclaggan-wccp-v2rev1 section 4.12
    "WCCP": ("gre", None, over_ip(gre(inner4(), 0x883E), 47)),
    "WCCP of version 2": ("gre", None, over_ip(gre(bytes(4) + inner4(), 0x883E), 47)),
    # draft-foschiano-erspan section 4.3
    "ERSPAN III with IP": (
        "erspan", 13,
        over_ip(gre(struct.pack(">HHIHH", 0x2000, 13, 0, 0, 0x800) + inner4(), 0x22EB, seq=5), 47),
    ),
    "ERSPAN III with a subheader": (
        "erspan", 13,
        over_ip(gre(struct.pack(">HHIHH8x", 0x2000, 13, 0, 0, 1) + FRAME, 0x22EB, seq=5), 47),
    ),
    "two labels in IP": ("mpls", 19, over_ip(label(18, False) + label(19) + inner4(), 137)),
    "MPLS over UDP": ("mpls", 19, over_udp(label(19) + inner4(), 6635)),  # RFC 7510
    "GRE over UDP": ("gre", 7, over_udp(gre(inner4(), 0x0800, key=7), 4754)),  # RFC 8086
    # RFC 2661 section 3.1: length, sequence numbers, an offset of 3 bytes
    "L2TPv2 with all": (
        "l2tp", 3 << 16 | 4,
        over_udp(struct.pack(">HHHHHHH3x", 0x4A02, 65, 3, 4, 1, 1, 3) + ppp(inner4()), 1701),
    ),
    # RFC 3931 section 4.1: a cookie of 4 or 8 bytes, a sublayer of 4
    "L2TPv3 with a short cookie": ("l2tp", 9, over_ip(struct.pack(">I4x", 9) + FRAME, 115)),
    "L2TPv3 with a cookie": ("l2tp", 9, over_ip(struct.pack(">I8x", 9) + FRAME, 115)),
    "L2TPv3 with cookie and sublayer": ("l2tp", 9, over_ip(struct.pack(">I12x", 9) + FRAME, 115)),
    # 3GPP TS 29.281 section 5.1
    "GTP with a number": (
        "gtp", 5, over_udp(struct.pack(">BBHIHBB", 0x32, 255, 48, 5, 1, 0, 0) + inner4(), 2152),
    ),
    "GTP with extensions": ("gtp", 5, over_udp(gtp(inner4(), 5, b"\1\0\0\xc0\1\0\0\0"), 2152)),
    # IANA's "Assigned Internet Protocol Numbers"
    "NSH in IP": ("nsh", 21, over_ip(nsh(FRAME, 21, 3), 145)),
    "LISP without an instance": ("lisp", None, over_udp(bytes(8) + inner4(), 4341)),
    # draft-ietf-intarea-gue section 3
    "GUE": ("gue", None, over_udp(b"\0\4\0\0" + inner4(), 6080)),
    "GUE with a field": ("gue", None, over_udp(b"\1\4\0\0" + bytes(4) + inner4(), 6080)),
    "GUE of variant 1": ("gue", None, over_udp(inner4(), 6080)),
    # RFC 5415 section 4.3: its length in words is in 5 bits after the first byte
    "CAPWAP": ("capwap", None, over_udp(b"\0\x10\0\0" + bytes(4) + FRAME, 5247)),
    "CAPWAP with 802.11 as it is": (
        "capwap", None,
        over_udp(b"\0\x10\3\0" + bytes(4) + packets.wireless(packets.snap(inner4()), 8, 2), 5247),
    ),
    "CAPWAP with an address": ("capwap", None, over_udp(b"\0\x20\0\0" + bytes(12) + FRAME, 5247)),
    "LWAPP with its bytes swapped": (
        "lwapp", None,
        over_udp(b"\0\0\0\x48\0\0" + packets.wireless(packets.snap(inner4()), 1, 8), 12222),
    ),
    "TZSP": ("tzsp", None, over_udp(b"\1\0\0\1\1" + FRAME, 37008)),
    "TZSP with fields": ("tzsp", None, over_udp(b"\1\1\0\1\x0a\1\5\0\1" + FRAME, 37008)),
}  # fmt: skip


@pytest.mark.parametrize("name", RARER)
def test_headers_in_their_rarer_forms(name: str, tmp_path: Path) -> None:
    kind, number, frame = RARER[name]
    packet = packets.packet_of(frame, tmp_path)
    assert [(tunnel.kind, tunnel.id) for tunnel in packet.tunnels] == [(kind, number)]
    assert (str(packet.tunnels[0].src), str(packet.tunnels[0].dst)) == OUTER
    assert ends(packet.inner) == INNER
    assert bytes(packet.inner.tcp_payload) == b"seen"


@pytest.mark.parametrize(
    ("frame", "ethertype"),
    [
        (ethernet(inner6(), 0x86DD), 0x86DD),
        (ethernet(bytes(28), 0x0806), 0x0806),
        (ethernet(b"\0\7\x08\0" + inner4(), 0x88A8), 0x0800),
    ],
    ids=["IPv6", "ARP", "a provider's VLAN"],
)
def test_what_ethernet_in_a_session_is_known_by(
    frame: bytes, ethertype: int, tmp_path: Path
) -> None:
    packet = packets.packet_of(over_ip(struct.pack(">I", 9) + frame, 115), tmp_path)
    assert bytes(packet.inner) == frame
    assert packet.inner.ethertype == ethertype


FRAMES = {name: case.frame for name, case in CASES.items()}
FRAMES |= {name: frame for name, (_, _, frame) in RARER.items()}


@pytest.mark.parametrize("name", FRAMES)
def test_a_header_that_was_cut_anywhere(name: str, tmp_path: Path) -> None:
    """What is there of the inner packet is its first bytes; without a byte of it there is none."""
    frame = FRAMES[name]
    lengths = range(14, len(frame) + 1)
    records = [packets.Record(frame[:n], wire=len(frame)) for n in lengths]
    *cut, whole = packets.read_bytes(packets.pcap(records), tmp_path)
    inner = bytes(whole.inner)
    for n, packet in zip(lengths, cut, strict=False):
        there = n - (len(frame) - len(inner))
        if packet.inner is None:
            assert packet.tunnels == ()
        else:
            assert there > 0
            assert bytes(packet.inner) == inner[:there]
            assert packet.inner.wire_len == whole.inner.wire_len
            assert packet.tunnels[0].kind == whole.tunnels[0].kind
    assert cut[-1].inner is not None


# --- Within each other


def test_tunnels_are_listed_outermost_first(tmp_path: Path) -> None:
    mirrored = over_ip(tunnelled.gre(tunnelled.erspan2(over_udp(vxlan(FRAME, 3), 4789), 2),
                                     0x88BE, seq=1), 47)  # fmt: skip
    packet = packets.packet_of(mirrored, tmp_path)
    assert [(tunnel.kind, tunnel.id) for tunnel in packet.tunnels] == [("erspan", 2), ("vxlan", 3)]
    assert packet.inner.tunnels == packet.tunnels[1:]
    assert ends(packet.inner) == OUTER
    assert ends(packet.inner.inner) == INNER
    assert ends(innermost(packet)) == INNER


def test_no_more_than_sixteen_are_entered(tmp_path: Path) -> None:
    data = inner4()
    for _ in range(200):
        data = ipv4(data, 4)
    packet = packets.packet_of(ethernet(data), tmp_path)
    assert [tunnel.kind for tunnel in packet.tunnels] == ["ipip"] * DEPTH
    depth = 0
    while packet.inner is not None:
        packet = packet.inner
        depth += 1
    assert depth == DEPTH
    assert packet.wire_len == 20 * (201 - DEPTH) + 24
    assert packet.tunnels == ()


def test_quoted_packets_may_be_tunnels(tmp_path: Path) -> None:
    quoted = over_ip(inner4(), 4)[14:]
    packet = packets.packet_of(ethernet(ipv4(packets.icmp(3, 1, payload=quoted), 1)), tmp_path)
    assert packet.inner is None
    within = packet.icmp.payload
    assert within.tunnels[0].kind == "ipip"
    assert ends(within.inner) == INNER
    assert within.inner.time_ns == packet.time_ns


@pytest.mark.parametrize("start", [b"\xff\x03", b""], ids=["with address", "compressed"])
def test_control_packets_of_ppp_are_packets_without_ip(start: bytes, tmp_path: Path) -> None:
    control = start + b"\xc0\x21\1\1\0\4"  # RFC 1661 section 5: LCP's Configure-Request
    packet = packets.packet_of(over_udp(l2tp(control, 3, 4), 1701, 1701), tmp_path)
    assert [tunnel.kind for tunnel in packet.tunnels] == ["l2tp"]
    assert bytes(packet.inner) == control
    assert packet.inner.linktype == plt.TRACE_TYPE_PPP
    assert (packet.inner.ip, packet.inner.ip6, packet.inner.inner) == (None, None, None)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (over_ip(gre(pppoe(inner4(), 17), 0x8864), 47), "gre"),
        (over_udp(vxlan_gpe(nsh(inner4(), 21, 1), 6, 4), 4790), "vxlan-gpe"),
        (over_udp(vxlan_gpe(nsh(FRAME, 21, 3), 6, 4), 4790), "vxlan-gpe"),
    ],
    ids=["PPPoE in GRE", "NSH in VXLAN-GPE", "NSH and Ethernet in VXLAN-GPE"],
)
def test_headers_between_a_tunnel_and_its_packet(frame: bytes, kind: str, tmp_path: Path) -> None:
    packet = packets.packet_of(frame, tmp_path)
    assert packet.tunnels[0].kind == kind
    assert ends(innermost(packet)) == INNER
    assert bytes(innermost(packet).tcp_payload) == b"seen"


@pytest.mark.parametrize(
    ("frame", "link", "tunnels"),
    [
        (over_ip(gre(pppoe(inner4(), 17), 0x8864), 47), 1, [("gre", None), ("pppoe", 17)]),
        (pppoe(inner4(), 17), 51, [("pppoe", 17)]),  # LINKTYPE_PPP_ETHER
        (over_ip(label(18, False) + label(19) + FRAME, 137), 1, [("mpls", 19)]),  # RFC 4448
        (over_udp(label(19) + FRAME, 6635), 1, [("mpls", 19)]),
    ],
    ids=["PPPoE in GRE", "PPPoE alone", "a pseudowire in IP", "a pseudowire over UDP"],
)
def test_each_header_of_a_tunnel_is_listed_once(
    frame: bytes, link: int, tunnels: list[tuple[str, int | None]], tmp_path: Path
) -> None:
    packet = packets.packet_of(frame, tmp_path, link)
    assert [(tunnel.kind, tunnel.id) for tunnel in packet.tunnels] == tunnels
    assert ends(innermost(packet)) == INNER
    assert frame.endswith(bytes(innermost(packet)))


def test_pppoe_over_atm(tmp_path: Path) -> None:
    """A cell has no other length than its own: the packet in it ends where PPPoE's length says."""
    datagram = ipv4(udp(b"ab"), 17)
    cell = bytes(4) + packets.snap(pppoe(datagram, 17), 0x8864)
    path = packets.write(tmp_path / "atm.erf", packets.erf(3, cell.ljust(53, b"\0"), wire=53))
    with plt.trace(path) as trace:
        (packet,) = trace
    assert [(tunnel.kind, tunnel.id) for tunnel in packet.tunnels] == [("pppoe", 17)]
    assert packet.inner.wire_len == 2 + len(datagram)  # with PPP's protocol
    assert packet.inner.udp.payload.data == b"ab"


def test_the_packet_in_mpls_begins_after_its_labels(tmp_path: Path) -> None:
    packet = packets.packet_of(over_udp(label(18, False) + label(19) + inner4(), 6635), tmp_path)
    assert bytes(packet.inner) == inner4()


def test_a_frame_with_a_length_is_a_packet_without_ip(tmp_path: Path) -> None:
    frame = ethernet(SPANNING_TREE, 38)
    packet = packets.packet_of(over_udp(vxlan(frame, 1), 4789), tmp_path)
    assert bytes(packet.inner) == frame
    assert (packet.inner.ethertype, packet.inner.ip) == (38, None)


def test_pppoe_without_ip_in_a_tunnel(tmp_path: Path) -> None:
    control = b"\1\1\0\4"  # LCP
    frame = ethernet(pppoe(control, 17, 0xC021), 0x8864)
    packet = packets.packet_of(over_udp(vxlan(frame, 1), 4789), tmp_path)
    assert [(tunnel.kind, tunnel.id) for tunnel in packet.tunnels] == [("vxlan", 1), ("pppoe", 17)]
    assert bytes(packet.inner) == frame
    assert bytes(packet.inner.inner) == b"\xc0\x21" + control


@pytest.mark.parametrize("before", [b"", b"\0\1\2\3idkey" + bytes(9)], ids=["", "authentication"])
@pytest.mark.parametrize("origin", [b"", b"\0\0\x12\x34" + bytes(4)], ids=["", "origin"])
def test_indications_before_the_packet_of_teredo(
    before: bytes, origin: bytes, tmp_path: Path
) -> None:
    """RFC 4380 section 5.1.1: an id of 2 bytes, a value of 3, a nonce, a byte; then the origin."""
    packet = packets.packet_of(over_udp(before + origin + inner6(), 3544), tmp_path)
    assert [tunnel.kind for tunnel in packet.tunnels] == ["teredo"]
    assert ends(packet.inner) == INNER6


def test_an_extension_header_longer_than_its_ip_packet(tmp_path: Path) -> None:
    """RFC 8200: 8 bytes of options, of which the length counts 4; what follows is padding."""
    frame = ethernet(ipv6(bytes([4, 0, 1, 4, 0, 0, 0, 0]) + inner4(), 0, length=4), 0x86DD)
    packet = packets.packet_of(frame, tmp_path)
    assert (packet.inner, packet.tunnels) == (None, ())


def test_an_inner_header_whose_checksum_is_left_to_the_card(tmp_path: Path) -> None:
    inner = ipv4(tcp(b"seen"), 6, src=INNER[0], dst=INNER[1], checksum=0)
    packet = packets.packet_of(over_udp(vxlan(ethernet(inner), 1), 4789), tmp_path)
    assert [tunnel.kind for tunnel in packet.tunnels] == ["vxlan"]
    assert ends(packet.inner) == INNER


# --- What is none


def test_a_packet_without_a_tunnel(tmp_path: Path) -> None:
    packet = packets.packet_of(FRAME, tmp_path)
    assert packet.inner is None
    assert packet.tunnels == ()
    assert plt.packet().inner is None
    assert plt.packet().tunnels == ()


GOOD = inner4()
SPANNING_TREE = b"\x42\x42\x03" + bytes(35)  # IEEE 802.1D, in 802.2
WIRELESS = packets.wireless(packets.snap(inner4()), 8, 1)
VERSION_1 = packets.wireless(packets.snap(GOOD), 9, 9)  # of IEEE 802.11, which has version 0 alone
NOT_INNER = {
    "text at VXLAN's port": over_udp(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" * 2, 4789),
    "text at GTP's port": over_udp(b"0\xff plain text that is longer than a header", 2152),
    "zeros at Teredo's port": over_udp(bytes(80), 3544),
    "version 5": over_ip(b"\x55" + GOOD[1:], 4),
    "a header of 16 bytes": over_ip(b"\x44" + GOOD[1:], 4),
    "shorter than its header": over_ip(GOOD[:2] + b"\0\x13" + GOOD[4:], 4),
    "longer than its tunnel": over_ip(GOOD[:2] + b"\xff\xff" + GOOD[4:], 4),
    "an IPv6 packet longer than its tunnel": over_ip(
        ipv6(tcp(b"x"), 6, length=5000), 41
    ),
    "a wrong IPv4 checksum over UDP": over_udp(
        vxlan(ethernet(ipv4(tcp(), 6, checksum=0x1234)), 1), 4789
    ),
    "VXLAN without a network": over_udp(bytes(8) + FRAME, 4789),
    "GRE of version 2": over_ip(b"\0\2\x08\0" + GOOD, 47),
    "GRE with another protocol": over_ip(b"\0\0\x81\x37" + GOOD, 47),
    "an echo of GTP": over_udp(struct.pack(">BBHIHBB", 0x32, 1, 4, 0, 1, 0, 0), 2152),
    "L2TP control": over_udp(struct.pack(">HHHHHH", 0xC802, 12, 1, 0, 0, 0), 1701),
    "L2TP of version 1": over_udp(b"\0\1" + bytes(4) + ppp(GOOD), 1701),
    "L2TPv3 control": over_ip(bytes(4) + FRAME, 115),
    "NSH of 4 bytes": over_udp(vxlan_gpe(b"\0\1\2\1" + bytes(4) + GOOD, 6, 4), 4790),
    "ERSPAN II of version 3": over_ip(gre(b"\x30" + erspan2(FRAME, 5)[1:], 0x88BE, seq=5), 47),
    "ERSPAN III of version 1": over_ip(gre(b"\x10" + erspan3(FRAME, 5)[1:], 0x22EB, seq=5), 47),
    "a VLAN tag in GRE, and nothing after it": over_ip(gre(b"\0\7\x08\0", 0x8100), 47),
    # RFC 1661 section 2: a protocol's first byte is even, its second odd
    "a VLAN tag in VXLAN, and nothing after it": over_udp(
        vxlan(ethernet(b"\0\7\x08\6", 0x8100), 1), 4789
    ),
    "an even protocol of PPP": over_udp(l2tp(ppp(GOOD, 0x4142), 3, 4), 1701, 1701),
    "an odd first byte of PPP": over_udp(l2tp(ppp(GOOD, 0x4143), 3, 4), 1701, 1701),
    "an even protocol without address": over_udp(l2tp(b"\x40\x42" + GOOD, 3, 4), 1701, 1701),
    "one byte of PPP": over_udp(l2tp(b"\xc0", 3, 4), 1701, 1701),
    "PPP's address alone": over_udp(l2tp(b"\xff\x03", 3, 4), 1701, 1701),
    "GRE with a route": over_ip(b"\x40\0\x08\0" + bytes(8) + GOOD, 47),  # RFC 1701
    "ERSPAN III of a kind that is reserved": over_ip(
        gre(struct.pack(">HHIHH", 0x2000, 13, 0, 0, 1 << 10) + GOOD, 0x22EB, seq=5), 47
    ),
    "WCCP without IP": over_ip(gre(bytes(12), 0x883E), 47),
    "L2TPv3 without Ethernet": over_ip(struct.pack(">I", 9) + bytes(16) + FRAME, 115),
    "VXLAN with a reserved byte": over_udp(struct.pack(">II", 8 << 24, 5 << 8 | 1) + FRAME, 4789),
    "VXLAN-GPE without flags": over_udp(bytes(8) + FRAME, 4790),
    "VXLAN-GPE with another protocol": over_udp(vxlan_gpe(GOOD, 6, 9), 4790),
    "Geneve of version 1": over_udp(b"\x40" + geneve(FRAME, 8, 0x6558)[1:], 6081),
    "GTP of version 2": over_udp(b"\x48" + gtp(GOOD, 5)[1:], 2152),
    "an error indication of GTP": over_udp(b"\x30\x1a" + gtp(GOOD, 5)[2:], 2152),
    "an answer to GTP's echo": over_udp(b"\x30\x02" + gtp(GOOD, 5)[2:], 2152),
    "GTP's list of extensions": over_udp(b"\x30\x1f" + gtp(GOOD, 5)[2:], 2152),
    "an end marker of GTP": over_udp(b"\x30\xfe" + gtp(GOOD, 5)[2:], 2152),
    "a header of 16 bytes over UDP": over_udp(gtp(b"\x44" + GOOD[1:], 5), 2152),
    "a datagram shorter than its header": ethernet(ipv4(udp(b"", ports=(1, 4789))[:6], 17)),
    "an extension of GTP of length 0": over_udp(gtp(GOOD, 5, b"\0\0\0\0"), 2152),
    "an extension of GTP past the end": over_udp(gtp(GOOD, 5, b"\x40\0\0\0"), 2152),
    "GUE of variant 2": over_udp(b"\x80\4\0\0" + GOOD, 6080),
    "GUE with another protocol": over_udp(b"\0\x2f\0\0" + gre(GOOD, 0x0800), 6080),
    "LWAPP of version 1": over_udp(b"\x40\0\0\x48\0\0" + WIRELESS, 12222),
    "LWAPP control": over_udp(b"\4\0\0\x48\0\0" + WIRELESS, 12222),
    "a fragment of LWAPP": over_udp(b"\2\0\0\x48\0\0" + WIRELESS, 12222),
    "LWAPP with 802.11 of version 1": over_udp(b"\0\0\0\x48\0\0" + VERSION_1, 12222),
    "LWAPP of 5 bytes": over_udp(bytes(5), 12222),
    "Ethernet in IP of a length that is wrong": over_ip(packets.MAC + b"\5\xdc" + bytes(9), 143),
    "CAPWAP of 4 bytes": over_udp(b"\0\x08\0\0" + bytes(4) + FRAME, 5247),
    "CAPWAP with another radio's frame": over_udp(b"\0\x10\1\0" + bytes(4) + FRAME, 5247),
    "CAPWAP with 802.11 of version 1": over_udp(b"\0\x10\3\0" + bytes(4) + VERSION_1, 5247),
    "CAPWAP with 802.11 that is cut": over_udp(b"\0\x10\3\0" + bytes(4) + b"\x08\0", 5247),
    "CAPWAP without a frame": over_udp(b"\0\x10\3\0" + bytes(4), 5247),
    "a fragment of CAPWAP": over_udp(b"\0\x10\0\x80" + bytes(4) + FRAME, 5247),
    "a sign of life of CAPWAP": over_udp(b"\0\x10\0\x08" + bytes(4) + FRAME, 5247),
    "encrypted CAPWAP": over_udp(b"\1\0\0\0" + bytes(4) + FRAME, 5247),
    "a null register of PIM": over_ip(bytes.fromhex("21009efe40000000") + inner4(b""), 103),
    "PIM version 1": over_ip(bytes.fromhex("1100eefe00000000") + GOOD, 103),
    "a hello of PIM": over_ip(bytes.fromhex("2000dfff") + GOOD, 103),
    "a register of PIM that is cut": over_ip(bytes.fromhex("2100defe000000"), 103),
    "TZSP of version 2": over_udp(b"\2\0\0\1\1" + FRAME, 37008),
    "TZSP without a frame": over_udp(b"\1\4\0\1\1" + FRAME, 37008),
    "TZSP without an end of its fields": over_udp(b"\1\0\0\1\x0a\x80" + bytes(20), 37008),
    "802.3 longer than its frame": over_udp(vxlan(ethernet(SPANNING_TREE, 39), 1), 4789),
    "GUE control": over_udp(b"\x20\4\0\0" + GOOD, 6080),
    "TZSP with 802.11 of version 1": over_udp(b"\1\0\0\x12\1" + VERSION_1, 37008),
    "TZSP of another type": over_udp(b"\1\0\0\x77\1" + FRAME, 37008),
    "nothing in it": over_ip(b"", 4),
    "one byte in it": over_ip(b"\x45", 4),
    "EtherIP of version 2": over_ip(b"\x20\0" + FRAME, 97),
    "a later fragment": ethernet(ipv4(GOOD, 4, fragment=5)),
}  # fmt: skip


@pytest.mark.parametrize("frame", NOT_INNER.values(), ids=NOT_INNER)
def test_what_only_looks_like_a_tunnel_is_an_outer_packet(frame: bytes, tmp_path: Path) -> None:
    packet = packets.packet_of(frame, tmp_path)
    assert packet.inner is None
    assert packet.tunnels == ()
    assert packet.ip is not None


def test_the_inner_packet_of_a_first_fragment_is_as_long_as_it_says(tmp_path: Path) -> None:
    whole = inner4(bytes(1000))
    packet = packets.packet_of(ethernet(ipv4(whole[:600], 4, fragment=0x2000)), tmp_path)
    assert packet.inner.wire_len == len(whole) == 1040
    assert packet.inner.capture_len == 600


def test_a_first_fragment_that_holds_all_of_the_inner_frame(tmp_path: Path) -> None:
    outer = gre(FRAME + bytes(2), 0x6558)
    packet = packets.packet_of(ethernet(ipv4(outer, 47, fragment=0x2000)), tmp_path)
    assert packet.inner.wire_len == packet.inner.capture_len == len(FRAME) + 2
    assert bytes(packet.inner.tcp_payload) == b"seen"


def test_a_file_that_says_less_of_the_wire_than_it_has(tmp_path: Path) -> None:
    frame = CASES["PPPoE"].frame
    packet = packets.packet_of(frame, tmp_path, wire=30)
    assert packet.inner.wire_len == packet.inner.capture_len == len(frame) - 14 - 6


def test_a_first_fragment_in_a_tunnel_is_whole(tmp_path: Path) -> None:
    fragment = ipv4(inner4(bytes(1000))[:600], 4, src=INNER[0], dst=INNER[1], fragment=0x2000)
    packet = packets.packet_of(ethernet(pppoe(fragment, 17), 0x8864), tmp_path)
    assert packet.inner.wire_len == packet.inner.capture_len == 2 + 620  # with PPP's protocol
    assert packet.inner.inner.wire_len == 1040


def test_bytes_of_the_outer_packet_after_the_inner_one(tmp_path: Path) -> None:
    packet = packets.packet_of(over_ip(inner4() + bytes(10), 4), tmp_path)
    assert packet.inner.wire_len == packet.inner.capture_len == len(bytes(packet.inner)) == 44
    assert bytes(packet.inner.tcp_payload) == b"seen"


def test_the_inner_frame_of_a_first_fragment_is_as_long_as_its_ip_header_says(
    tmp_path: Path,
) -> None:
    outer = gre(ethernet(inner4(bytes(1000))), 0x6558)
    packet = packets.packet_of(ethernet(ipv4(outer[:600], 47, fragment=0x2000)), tmp_path)
    # Ethernet's 14 bytes, 20 of IP, 20 of TCP and 1000; of 600 bytes GRE's header takes 4
    assert packet.inner.wire_len == 14 + 1040
    assert packet.inner.capture_len == 596
    assert ends(packet.inner) == INNER


def test_padding_after_the_outer_packet_is_no_part_of_the_inner_one(tmp_path: Path) -> None:
    small = over_ip(ipv4(udp(b"", ports=(1, 2)), 17, src=INNER[0], dst=INNER[1]), 4)
    packet = packets.packet_of(small + bytes(10), tmp_path)
    assert packet.inner.wire_len == len(bytes(packet.inner)) == 28


# --- Below the first IP header

ECHO = bytes([9, 1, 0, 8, 1, 2, 3, 4])  # of LCP: RFC 1661 section 5.8
#: PPPoE's payload begins with PPP's protocol, 2 bytes (RFC 2516 section 4).
SHORT = {"IP": (pppoe(ipv4(b"", 59), 7), 2 + 20), "LCP": (pppoe(ECHO, 7, 0xC021), 2 + 8)}


@pytest.mark.parametrize("name", SHORT)
def test_pppoe_ends_before_padding(name: str, tmp_path: Path) -> None:
    session, size = SHORT[name]
    frame = ethernet(session, 0x8864)
    packet = packets.packet_of(frame.ljust(60, b"\0"), tmp_path)
    inner = packet.inner
    assert inner.wire_len == inner.capture_len == len(bytes(inner)) == size
    assert frame.endswith(bytes(inner))
    cut = packets.packet_of(frame[:-2], tmp_path, wire=60).inner
    assert (cut.wire_len, cut.capture_len, len(bytes(cut))) == (size, size - 2, size - 2)


def test_tshark_reads_the_same_length_of_pppoe(tshark: str, tmp_path: Path) -> None:
    frames = [ethernet(session, 0x8864).ljust(60, b"\0") for session, _ in SHORT.values()]
    path = packets.write(tmp_path / "trace.pcap", packets.pcap(frames))
    told = [int(row[0][0]) for row in tshark_rows(tshark, path, ["pppoe.payload_length"])]
    assert [packet.inner.wire_len for packet in packets.read(path)] == told


@pytest.mark.parametrize("told", [0, 1, 65535])
def test_a_length_of_pppoe_that_can_not_be_right(told: int, tmp_path: Path) -> None:
    frame = ethernet(pppoe(inner4(), 7), 0x8864)
    packet = packets.packet_of(frame[:18] + struct.pack(">H", told) + frame[20:], tmp_path)
    assert bytes(packet.inner) == frame[20:]
    assert packet.inner.wire_len == len(frame) - 20


def test_an_ip_packet_longer_than_its_pppoe_says(tmp_path: Path) -> None:
    frame = ethernet(pppoe(inner4(), 7), 0x8864)
    packet = packets.packet_of(frame[:18] + struct.pack(">H", 30) + frame[20:], tmp_path)
    assert packet.inner is None
    assert packet.tcp.dst_port == 80


def test_pppoe_after_a_tag_in_gre_ends_before_padding(tmp_path: Path) -> None:
    tagged = struct.pack(">HH", 5, 0x8864) + pppoe(ECHO, 7, 0xC021)
    packet = packets.packet_of(over_ip(gre(tagged + bytes(30), 0x8100), 47), tmp_path)
    assert bytes(packet.inner) == b"\xc0\x21" + ECHO
    assert packet.inner.wire_len == 10


@pytest.mark.parametrize("captured", [0, 2, 4])
@pytest.mark.parametrize("name", ["PPPoE", "a pseudowire", "NSH"])
def test_a_frame_check_sequence_is_no_part_of_it(name: str, captured: int, tmp_path: Path) -> None:
    frame = CASES[name].frame
    whole = packets.packet_of(frame, tmp_path).inner
    has_fcs = 0x04000000 | 2 << 28  # of the link type: 2 words of 2 bytes were captured
    record = packets.Record(frame + b"\1\2\3\4"[:captured], wire=len(frame) + 4)
    (packet,) = packets.read_bytes(packets.pcap([record], 1 | has_fcs), tmp_path)
    inner = packet.inner
    assert bytes(inner) == bytes(whole)
    assert (inner.wire_len, inner.capture_len) == (whole.wire_len, whole.capture_len)


# --- Objects


def test_an_inner_packet_keeps_its_bytes(tmp_path: Path) -> None:
    inner = packets.packet_of(CASES["VXLAN"].frame, tmp_path).inner
    assert bytes(inner) == FRAME
    twin = copy.copy(inner)
    assert bytes(twin) == FRAME
    assert (twin.wire_len, twin.time_ns) == (inner.wire_len, inner.time_ns)


def test_an_inner_packet_can_be_written_and_filtered(tmp_path: Path) -> None:
    inner = packets.packet_of(CASES["VXLAN"].frame, tmp_path).inner
    assert inner.apply_filter(plt.filter("tcp port 80 and host 10.0.0.2"))
    assert plt.where("dst_port == 80").matches(inner)
    with plt.output_trace(f"pcapfile:{tmp_path / 'out.pcap'}") as out:
        out.write_packet(inner)
        out.write_packet(inner.tcp)
    again = packets.read(tmp_path / "out.pcap")
    assert [bytes(packet) for packet in again] == [FRAME, FRAME]
    assert again[0].time_ns == inner.time_ns


def test_a_layer_tells_the_tunnels_of_its_packet(tmp_path: Path) -> None:
    packet = packets.packet_of(CASES["VXLAN"].frame, tmp_path)
    assert packet.udp.tunnels == packet.tunnels
    assert ends(packet.udp.inner) == INNER


def test_an_object_made_from_bytes_has_no_time_in_its_tunnel_either() -> None:
    inner = plt.ip(over_ip(inner4(), 4)[14:]).inner
    assert ends(inner) == INNER
    with pytest.raises(ValueError, match="no time_ns: this object was made from bytes"):
        _ = inner.time_ns


def test_a_tunnel_is_a_named_tuple_that_can_be_pickled(tmp_path: Path) -> None:
    (tunnel,) = packets.packet_of(CASES["VXLAN"].frame, tmp_path).tunnels
    assert isinstance(tunnel, plt.Tunnel)
    assert tunnel._fields == ("kind", "id", "src", "dst")
    assert pickle.loads(pickle.dumps(tunnel)) == tunnel


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(sorted(CASES)),
    changes=st.lists(st.tuples(st.integers(14, 120), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 120),
)
def test_mutations_do_not_crash(
    name: str, changes: list[tuple[int, int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(CASES[name].frame)
    for at, value in changes:
        data[at % len(data)] = value
    folder = tmp_path_factory.mktemp("mutated")
    packet = packets.packet_of(bytes(data[: max(14, len(data) - cut)]), folder, wire=len(data))
    depth = len(packet.tunnels)
    while packet.inner is not None:
        outer, packet = packet, packet.inner
        depth -= 1
        assert packet.capture_len <= packet.wire_len
        assert bytes(packet) in bytes(outer)
    assert depth == 0
