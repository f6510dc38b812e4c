"""IPv4 and IPv6 to the transport: options, extension headers, fragments, and all of it cut."""

import random
import struct
import subprocess
from pathlib import Path

import packets
import pytest
from packets import ICMP6, SCTP, TCP, UDP

import plt

HOP, ROUTING, FRAGMENT, ESP, AH, NONE, DESTINATION, MOBILITY = 0, 43, 44, 50, 51, 59, 60, 135


def options(following: int, size: int = 8) -> bytes:  # RFC 8200 section 4.2
    return bytes([following, size // 8 - 1]) + b"\x01" + bytes([size - 4]) + bytes(size - 4)


def routing(following: int, hops: int = 1) -> bytes:  # RFC 8200 section 4.4
    return struct.pack(">BBBBI", following, 2 * hops, 0, 0, 0) + bytes(16) * hops


def fragment(following: int, offset: int, more: bool, ident: int = 7) -> bytes:  # section 4.5
    return struct.pack(">BBHI", following, 0, offset << 3 | more, ident)


def authentication(following: int, words: int = 4) -> bytes:  # RFC 4302 section 2
    return struct.pack(">BBHII", following, words - 2 + 1, 0, 9, 1) + bytes(4 * words - 8)


CHAINS: dict[str, tuple[int, bytes, int]] = {
    "none": (UDP, b"", UDP),
    "hop-by-hop": (HOP, options(UDP), UDP),
    "long hop-by-hop": (HOP, options(UDP, 256), UDP),
    "destination": (DESTINATION, options(TCP, 16), TCP),
    "routing": (ROUTING, routing(UDP), UDP),
    "authentication": (AH, authentication(UDP), UDP),
    "mobility": (MOBILITY, options(UDP), UDP),
    "first fragment": (FRAGMENT, fragment(UDP, 0, True), UDP),
    "atomic fragment": (FRAGMENT, fragment(TCP, 0, False), TCP),
    "all of RFC 8200 section 4.1": (
        HOP,
        options(DESTINATION)
        + options(ROUTING, 24)
        + routing(FRAGMENT, 2)
        + fragment(AH, 0, False)
        + authentication(DESTINATION)
        + options(UDP),
        UDP,
    ),
    "twenty": (DESTINATION, options(DESTINATION) * 19 + options(UDP), UDP),
}
HEADERS = {UDP: packets.udp(b"payload"), TCP: packets.tcp(b"payload")}


@pytest.mark.parametrize("name", CHAINS)
def test_extension_headers(name: str) -> None:
    first, chain, proto = CHAINS[name]
    layer = plt.ip6(packets.ipv6(chain + HEADERS[proto], first))
    assert layer.next_hdr == first
    assert layer.proto == proto
    assert bytes(layer.payload) == HEADERS[proto] == bytes(layer.transport)
    found = layer.udp if proto == UDP else layer.tcp
    assert bytes(found.payload) == b"payload"
    assert (layer.tcp is None) == (proto == UDP)


@pytest.mark.parametrize("name", CHAINS)
def test_extension_headers_cut_anywhere(name: str) -> None:
    first, chain, proto = CHAINS[name]
    whole = packets.ipv6(chain + HEADERS[proto], first)
    transport = 40 + len(chain)
    for length in range(1, len(whole) + 1):
        layer = plt.ip6(whole[:length])
        found = layer.udp if proto == UDP else layer.tcp
        assert (layer.transport is not None) == (length >= transport)
        assert (found is not None) == (length >= transport + 2)  # its source port
        if length < transport:
            with pytest.raises(ValueError, match=r"^Data too short for payload$"):
                _ = layer.payload
        else:
            assert layer.payload == whole[transport:length]
        if length >= 7:
            assert layer.next_hdr == first


def test_extension_headers_through_a_trace(tmp_path: Path, tshark: str) -> None:
    """The same chains as packets, against tshark's dissection."""
    frames = [
        packets.ethernet(packets.ipv6(chain + HEADERS[proto], first), 0x86DD)
        for first, chain, proto in CHAINS.values()
        if first != MOBILITY  # for tshark nothing follows it, as RFC 6275 has it today
    ]
    path = packets.write(tmp_path / "t.pcap", packets.pcap(frames))
    out = subprocess.run(
        [tshark, "-r", path, "-oipv6.defragment:FALSE", "-Tfields", "-eudp.dstport",
         "-etcp.dstport"],
        capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    got = packets.read(path)
    mine = [[p.udp and str(p.udp.dst_port), p.tcp and str(p.tcp.dst_port)] for p in got]
    theirs = [[port or None for port in line.split("\t")] for line in out[: len(frames)]]
    assert mine == theirs


@pytest.mark.parametrize("more", [False, True])
def test_ipv6_fragments_but_the_first_have_no_transport(more: bool) -> None:
    content = packets.ipv6(fragment(TCP, 185, more) + packets.tcp(b"x"), FRAGMENT)
    layer = plt.ip6(content)
    assert layer.proto == TCP
    assert (layer.tcp, layer.transport) == (None, None)
    assert layer.payload == packets.tcp(b"x")


def test_encrypted_and_nothing() -> None:
    esp = plt.ip6(packets.ipv6(options(ESP) + bytes(24), HOP))  # RFC 4303
    assert (esp.proto, esp.udp, esp.tcp) == (ESP, None, None)
    assert bytes(esp.transport) == bytes(24)
    nothing = plt.ip6(packets.ipv6(b"ignored", NONE))  # RFC 8200 section 4.7
    assert (nothing.proto, nothing.transport) == (NONE, None)
    assert nothing.payload == b"ignored"


def test_an_extension_header_longer_than_the_packet() -> None:
    for size in (1, 4, 255):
        wrong = plt.ip6(packets.ipv6(bytes([UDP, size]) + packets.udp(), HOP))
        assert (wrong.udp, wrong.transport) == (None, None)
        with pytest.raises(ValueError, match="payload"):
            _ = wrong.payload


def test_a_wrong_payload_length() -> None:
    """What the length leaves out is no header; one that is 0 or too long is not used."""
    body = packets.udp(b"payload")
    for length in (0, 1, 7, 9, 0xFFFF):
        layer = plt.ip6(packets.ipv6(body, UDP, length=length))
        assert layer.payload_len == length
        told = len(body) if length in {0, 0xFFFF} else length
        assert layer.payload == body[:told]
        assert (layer.udp is None) == (told < 2)


# --- IPv4 ------------------------------------------------------------------------------------


def test_an_authentication_header_is_the_transport_of_ipv4() -> None:
    """Its protocol is that in the IP header, 51 (RFC 4302 section 3.1)."""
    header = authentication(UDP)
    packet = plt.ip(packets.ipv4(header + packets.udp(b"payload"), AH))
    assert packet.proto == AH
    assert packet.udp is None
    assert packet.payload == header + packets.udp(b"payload")


def test_ipv4_options_are_skipped() -> None:
    for size in range(0, 44, 4):
        layer = plt.ip(packets.ipv4(packets.udp(b"payload"), options=b"\x01" * size))
        assert layer.hdr_len == 5 + size // 4
        assert layer.payload == packets.udp(b"payload")
        assert bytes(layer.udp.payload) == b"payload"


def test_ipv4_cut_anywhere() -> None:
    for size in (0, 8, 40):
        whole = packets.ipv4(packets.tcp(b"x"), TCP, options=b"\x01" * size)
        header = 20 + size
        for length in range(1, len(whole) + 1):
            layer = plt.ip(whole[:length])
            assert (layer.transport is not None) == (length >= header)
            assert (layer.tcp is not None) == (length >= header + 2)
            if length < header:
                with pytest.raises(ValueError, match=r"^Data too short for payload$"):
                    _ = layer.payload
            else:
                assert layer.payload == whole[header:length]


def test_a_header_length_that_lies() -> None:
    whole = bytearray(packets.ipv4(packets.udp(b"payload")))
    for words in (0, 1, 4, 14, 15):  # below 5, and past the end
        whole[0] = 0x40 | words
        layer = plt.ip(whole)
        assert layer.hdr_len == words
        assert (layer.udp, layer.transport) == (None, None)
        with pytest.raises(ValueError, match="payload"):
            _ = layer.payload
        assert layer.test_l3_cksm() is None


def test_a_wrong_total_length() -> None:
    """One longer than the packet is not used; after one shorter than the header is nothing."""
    body = packets.udp(b"payload")
    for length in (0, 1, 19, 20, 27, 0xFFFF):
        layer = plt.ip(packets.ipv4(body, length=length))
        assert layer.pkt_len == length
        told = max(length - 20, 0) if 0 < length < 28 else len(body)
        assert layer.payload == body[:told]
        assert (layer.udp is None) == (told < 2)


def test_ipv4_fragments(tmp_path: Path) -> None:
    """RFC 791: flags and offset; only the first has the transport's header."""
    body = packets.udp(b"0123456789abcdef" * 3)
    parts = [(0, True), (16, True), (32, True), (48, False)]
    frames = [
        packets.ethernet(
            packets.ipv4(body[at : at + 16 if more else 99], fragment=at // 8 | more << 13)
        )
        for at, more in parts
    ]
    got = packets.read_bytes(packets.pcap(frames), tmp_path)
    assert [p.ip.frag_offset for p in got] == [0, 2, 4, 6]
    assert [p.ip.has_mf for p in got] == [True, True, True, False]
    assert [p.udp is None for p in got] == [False, True, True, True]
    assert [p.transport is None for p in got] == [False, True, True, True]
    assert {p.proto for p in got} == {UDP}
    assert got[0].udp.src_port == 49152
    assert got[0].ip.payload == body[:16]
    with pytest.raises(ValueError, match="not the first fragment"):
        _ = got[1].ip.payload


def test_flags() -> None:
    for bits, flags in {0x8000: "rf", 0x4000: "df", 0x2000: "mf"}.items():
        layer = plt.ip(packets.ipv4(fragment=bits))
        assert [name for name in ("rf", "df", "mf") if getattr(layer, f"has_{name}")] == [flags]


@pytest.mark.parametrize(
    ("proto", "name"), [(1, "icmp"), (6, "tcp"), (17, "udp"), (58, "icmp6"), (132, "sctp")]
)
@pytest.mark.parametrize("version", [4, 6])
def test_each_protocol_has_its_layer(version: int, proto: int, name: str) -> None:
    make = packets.ipv4 if version == 4 else packets.ipv6
    layer = (plt.ip if version == 4 else plt.ip6)(make(bytes(40), proto))
    found = {n for n in ("icmp", "tcp", "udp", "icmp6", "sctp") if getattr(layer, n) is not None}
    assert found == {name}
    assert layer.proto == proto
    assert layer.transport.proto == proto


def test_payload_objects(tmp_path: Path) -> None:
    tcp = packets.packet_of(packets.ethernet(packets.ipv4(packets.tcp(b"abc"), TCP)), tmp_path)
    udp = packets.packet_of(packets.ethernet(packets.ipv6(packets.udp(b"abc")), 0x86DD), tmp_path)
    assert type(tcp.tcp.payload) is plt.Data
    assert type(udp.udp.payload) is plt.Data
    assert type(tcp.tcp_payload) is type(udp.udp_payload) is plt.Transport
    assert bytes(tcp.tcp_payload) == bytes(udp.udp_payload) == tcp.tcp.payload.data == b"abc"
    assert (tcp.udp_payload, udp.tcp_payload) == (None, None)
    empty = packets.packet_of(packets.ethernet(packets.ipv4(packets.udp())), tmp_path)
    assert (empty.udp.payload, empty.udp_payload) == (None, None)


def test_payload_of_a_cut_header_is_an_error() -> None:
    for length in range(2, 8):
        with pytest.raises(ValueError, match=r"^Data too short for payload$"):
            _ = plt.udp(packets.udp(b"abc")[:length]).payload
    whole = packets.tcp(b"abc", options=b"\x01" * 8)
    for length in range(2, 28):
        with pytest.raises(ValueError, match=r"^Data too short for payload$"):
            _ = plt.tcp(whole[:length]).payload
    assert plt.tcp(whole[:28]).payload is None
    for doff in range(5):
        with pytest.raises(ValueError, match="payload"):
            _ = plt.tcp(packets.tcp(b"abc", doff=doff)).payload


def test_a_transport_header_that_goes_beyond_its_ip_packet(tmp_path: Path) -> None:
    """Captured it was, as padding of Ethernet: the IP header's length ends the packet."""
    segment = packets.tcp(b"data", options=bytes(20))
    for length in range(22, 65):
        frame = packets.ethernet(packets.ipv4(segment, TCP, length=length))
        packet = packets.packet_of(frame, tmp_path)
        if length < 60:
            assert packet.tcp_payload is None
            with pytest.raises(ValueError, match="Data too short for payload"):
                _ = packet.tcp.payload
        else:
            assert bytes(packet.tcp.payload or b"") == b"data"[: length - 60]
    datagram = packets.udp(b"data")
    for length in range(22, 28):
        packet = packets.packet_of(
            packets.ethernet(packets.ipv4(datagram, length=length)), tmp_path
        )
        with pytest.raises(ValueError, match="Data too short for payload"):
            _ = packet.udp.payload


def test_what_was_cut_agrees_with_the_whole() -> None:
    """What a cut packet answers is what the whole one does, or that it is too short."""
    names = ("src_prefix", "dst_prefix", "proto", "traffic_class", "hop_limit", "version")
    chance = random.Random(2)
    for _ in range(300):
        first, chain, proto = chance.choice(list(CHAINS.values()))
        whole = packets.ipv6(chain + HEADERS[proto], first, hops=chance.randrange(256))
        full, cut = plt.ip6(whole), plt.ip6(whole[: chance.randrange(1, len(whole))])
        for name in names:
            try:
                value = getattr(cut, name)
            except ValueError as error:
                assert str(error) == f"Data too short for {name}"  # noqa: PT017
                continue
            if name != "proto":
                assert value == getattr(full, name)
            else:  # as far as the chain was captured
                assert value in (proto, HOP, ROUTING, FRAGMENT, AH, DESTINATION, MOBILITY)


def test_ports_of_other_protocols_are_none() -> None:
    for proto in (ICMP6, SCTP, 47, 50, 89, 255):
        layer = plt.ip(packets.ipv4(bytes(60), proto))
        assert (layer.tcp, layer.udp, layer.icmp) == (None, None, None)
        assert bytes(layer.transport) == bytes(60)
