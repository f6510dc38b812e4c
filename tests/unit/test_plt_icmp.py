"""ICMP (RFC 792, RFC 950) and ICMPv6 (RFC 4443, RFC 4861): parts, quotes, cuts."""

import struct
from ipaddress import ip_address
from pathlib import Path

import packets
import pytest
from packets import ICMP, ICMP6, TCP

import plt

QUOTED = packets.ipv4(packets.udp(ports=(68, 67)), src="10.0.0.1", dst="10.0.0.2")
QUOTED6 = packets.ipv6(packets.tcp(ports=(1025, 443)), TCP)
ECHO_TYPES = {0, 8, 13, 14, 15, 16, 17, 18}
PARTS = ("echo", "redirect")
PARTS6 = ("echo", "toobig", "param", "neighbour")


def message(kind: int, rest: bytes = bytes(4), payload: bytes = b"") -> plt.icmp:
    return plt.icmp(packets.icmp(kind, 3, rest, payload))


def message6(kind: int, rest: bytes = bytes(4), payload: bytes = b"") -> plt.icmp6:
    return plt.icmp6(packets.icmp(kind, 3, rest, payload))


def test_every_type_has_its_parts_and_payload() -> None:
    for kind in range(256):
        layer = message(kind, b"\x12\x34\x56\x78", QUOTED)
        assert (layer.type, layer.code) == (kind, 3)
        parts = {name for name in PARTS if getattr(layer, name) is not None}
        assert parts == ({"echo"} if kind in ECHO_TYPES else {"redirect"} if kind == 5 else set())
        if kind in (3, 4, 5, 11, 12):
            assert type(layer.payload) is plt.ip
            assert bytes(layer.payload) == QUOTED
        else:
            assert layer.payload == bytearray(QUOTED)
            assert type(layer.payload) is bytearray


def test_every_type_of_version_6_has_its_parts_and_payload() -> None:
    for kind in range(256):
        layer = message6(kind, b"\x12\x34\x56\x78", QUOTED6)
        assert (layer.type, layer.code) == (kind, 3)
        expected = {128: "echo", 129: "echo", 2: "toobig", 4: "param"}
        expected |= {135: "neighbour", 136: "neighbour", 137: "neighbour"}
        parts = {name for name in PARTS6 if getattr(layer, name) is not None}
        assert parts == ({expected[kind]} if kind in expected else set())
        if 1 <= kind <= 4:
            assert type(layer.payload) is plt.ip6
            assert bytes(layer.payload) == QUOTED6
        else:
            assert layer.payload == bytearray(QUOTED6)


def test_echo() -> None:
    for layer in (message(8, b"\x12\x34\x56\x78"), message6(128, b"\x12\x34\x56\x78")):
        assert (layer.echo.ident, layer.echo.sequence) == (0x1234, 0x5678)
        assert layer.echo.type == layer.type
        assert isinstance(layer.echo, type(layer))


def test_redirect() -> None:
    layer = message(5, ip_address("192.0.2.254").packed, QUOTED)
    assert str(layer.redirect.gateway) == "192.0.2.254"
    assert layer.redirect.gateway.length is None


def test_toobig_and_parameter_problem() -> None:
    assert message6(2, struct.pack(">I", 1280)).toobig.mtu == 1280
    assert message6(4, struct.pack(">I", 0xFFFFFFFE)).param.pointer == 0xFFFFFFFE


def test_neighbour_discovery() -> None:  # RFC 4861 sections 4.3 to 4.5
    target, destination = (ip_address(a).packed for a in ("fe80::1", "2001:db8::99"))
    for kind in (135, 136, 137):
        part = message6(kind, payload=target + destination).neighbour
        assert str(part.target_prefix) == "fe80::1"
        assert (part.dest_prefix and str(part.dest_prefix)) == (
            "2001:db8::99" if kind == 137 else None
        )
        for length in range(16):
            cut = message6(kind, payload=target[:length]).neighbour
            with pytest.raises(ValueError, match=r"^Data too short for target_prefix$"):
                _ = cut.target_prefix
    for length in range(16):
        cut = message6(137, payload=target + destination[:length]).neighbour
        assert str(cut.target_prefix) == "fe80::1"
        with pytest.raises(ValueError, match=r"^Data too short for dest_prefix$"):
            _ = cut.dest_prefix


def test_quoted_packets_are_packets() -> None:
    quote = message(3, payload=QUOTED).payload
    assert (str(quote.src_prefix), str(quote.dst_prefix)) == ("10.0.0.1", "10.0.0.2")
    assert (quote.udp.src_port, quote.udp.dst_port) == (68, 67)
    assert quote.tcp is None
    quote6 = message6(3, payload=QUOTED6).payload
    assert (quote6.tcp.src_port, quote6.tcp.dst_port) == (1025, 443)
    assert str(quote6.src_prefix) == packets.V6[0]


def test_quotes_cut_anywhere() -> None:
    for make, kind, quoted in ((message, 11, QUOTED), (message6, 1, QUOTED6)):
        header = 20 if quoted is QUOTED else 40
        for length in range(len(quoted) + 1):
            quote = make(kind, payload=quoted[:length]).payload
            if length == 0:
                assert quote is None
                continue
            found = quote.udp if quoted is QUOTED else quote.tcp
            assert bytes(quote) == quoted[:length]
            assert (found is not None) == (length >= header + 2)
            if length < header:
                with pytest.raises(ValueError, match=r"^Data too short for dst_prefix$"):
                    _ = quote.dst_prefix


#: RFC 4884 section 7, RFC 4950 section 3: version 2, an object of 8 bytes with a label.
EXTENSION = bytes.fromhex("20000000 00080101 01234101")
LONG = packets.ipv4(packets.udp(b"A" * 200, ports=(68, 67)))[:128]
LONG6 = packets.ipv6(packets.udp(b"A" * 200, ports=(68, 67)))[:128]


@pytest.mark.parametrize("kind", [3, 11, 12])
def test_a_quote_ends_before_the_extension_after_it(kind: int) -> None:
    # RFC 4884 sections 4.1 to 4.3: 32 words of 4 bytes, in the sixth byte of the message
    quote = message(kind, b"\0\x20\0\0", LONG + EXTENSION).payload
    assert bytes(quote) == LONG
    assert bytes(quote.udp.payload) == b"A" * 100


@pytest.mark.parametrize("kind", [1, 3])
def test_a_quote_of_version_6_ends_before_the_extension_after_it(kind: int) -> None:
    # RFC 4884 sections 4.4 and 4.5: 16 words of 8 bytes, in the fifth
    quote = message6(kind, b"\x10\0\0\0", LONG6 + EXTENSION).payload
    assert bytes(quote) == LONG6
    assert bytes(quote.udp.payload) == b"A" * 80


def test_no_other_message_tells_the_length_of_its_quote() -> None:
    for kind in (4, 5):
        assert bytes(message(kind, b"\0\x20\0\0", LONG + EXTENSION).payload) == LONG + EXTENSION
    for kind in (2, 4):
        quote = message6(kind, b"\x10\0\0\0", LONG6 + EXTENSION).payload
        assert bytes(quote) == LONG6 + EXTENSION


def test_a_quote_is_no_longer_than_what_there_is() -> None:
    for words in (0, 35, 36, 255):  # 140 bytes follow the header
        quote = message(3, bytes([0, words, 0, 0]), LONG + EXTENSION).payload
        assert bytes(quote) == LONG + EXTENSION
    for length in range(1, 12):
        assert bytes(message(3, b"\0\x20\0\0", LONG[:length]).payload) == LONG[:length]


def test_a_short_quote_is_padded_with_zeros_before_the_extension() -> None:
    padded = QUOTED.ljust(128, b"\0")  # RFC 4884 section 3
    quote = message(3, b"\0\x20\0\0", padded + EXTENSION).payload
    assert bytes(quote) == padded
    assert quote.udp.payload is None


def test_payload_of_a_cut_header_is_an_error() -> None:
    for make, kinds in ((plt.icmp, (0, 3, 5, 8, 11)), (plt.icmp6, (1, 2, 128, 135))):
        for kind in kinds:
            for length in range(1, 8):
                with pytest.raises(ValueError, match=r"^Data too short for payload$"):
                    _ = make(packets.icmp(kind)[:length]).payload


def test_quotes_in_quotes() -> None:
    """An ICMP error may quote an ICMP error that an attacker made up."""
    content = QUOTED
    for _ in range(200):
        content = packets.ipv4(packets.icmp(3, payload=content), ICMP)
    layer = plt.ip(content)
    for _ in range(200):
        layer = layer.icmp.payload
    assert bytes(layer) == QUOTED
    content6 = QUOTED6
    for _ in range(200):
        content6 = packets.ipv6(packets.icmp(1, payload=content6), ICMP6)
    layer = plt.ip6(content6)
    for _ in range(200):
        layer = layer.icmp6.payload
    assert bytes(layer) == QUOTED6


def test_a_quote_is_part_of_its_packet(tmp_path: Path) -> None:
    frame = packets.ethernet(packets.ipv4(packets.icmp(3, payload=QUOTED), ICMP))
    packet = packets.packet_of(frame, tmp_path)
    quote = packet.icmp.payload
    assert quote.ts_sec == packets.EPOCH
    assert quote.wire_len == len(frame) + 4
    assert str(quote.src_prefix) == "10.0.0.1"
    assert str(packet.icmp.src_prefix) == packets.V4[0]  # the ICMP message's own IP header
    quote.ttl = 9
    assert bytes(packet)[14 + 20 + 8 + 8] == 9
    del packet
    assert quote.udp.dst_port == 67


@pytest.mark.parametrize("kind", [3, 8])
def test_a_message_that_was_overwritten_by_a_shorter_packet(kind: int, tmp_path: Path) -> None:
    """Its header is after the end of the IP packet that is there now."""
    message = packets.icmp(kind, payload=QUOTED)
    frame = packets.ethernet(packets.ipv4(message, ICMP, options=bytes(40)))
    packet = packets.packet_of(frame, tmp_path)
    layer = packet.icmp
    assert layer.payload
    packet.data = packets.ethernet(packets.ipv4(packets.udp()))
    assert packet.icmp is None
    with pytest.raises(ValueError, match=r"^Data too short for payload$"):
        _ = layer.payload


def test_icmp_answers_for_its_ip_header() -> None:
    layer = plt.ip(packets.ipv4(packets.icmp(8), ICMP, ttl=7)).icmp
    assert (layer.ttl, layer.ident, layer.checksum) == (7, 0x1234, 0xF7FF)  # ~0x0800
    assert layer.hdr_checksum == plt.ip(packets.ipv4(packets.icmp(8), ICMP, ttl=7)).checksum
    assert layer.proto == ICMP
