"""natkit.CryptoPan on packets that are cut short, damaged or made of chance."""

import struct
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
    as_is,
    mapped,
    over4,
    packed,
    rewritten,
    tcp4,
    tcp6,
    udp4,
    udp6,
    with_sum,
)
from catalogue import NESTED, PACKETS
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import ethernet, ipv4

import plt
from ipp import IPprefix


def checksum_places(name: str) -> set[int]:
    """Where the packet and its anonymised form differ and no address is: in checksums."""
    data, becomes = PACKETS[name](as_is), PACKETS[name](mapped)
    places = {i for i in range(len(data)) if data[i] != becomes[i]}
    for address in (A, B, C, D, E, F, G, H):
        size = len(packed(address))
        for i in range(len(data) - size + 1):
            if data[i : i + size] == packed(address):
                places -= set(range(i, i + size))
    # a checksum of which one byte happens to stay
    places |= {i + 1 for i in places} | {i - 1 for i in places}
    # ICMP's, which stays where all within it was adjusted too
    if data[0] >> 4 == 4 and data[9] == 1:
        places |= {22, 23}
    return places


@pytest.mark.parametrize("name", PACKETS)
def test_packets_cut_anywhere(name: str) -> None:
    """What is left of the addresses becomes what it would in the whole packet."""
    data, becomes = PACKETS[name](as_is), PACKETS[name](mapped)
    places = checksum_places(name)
    if "router" in name or "redirect6" in name or "neighbour" in name:
        network = data.find(packed("2001:db8:1::"))
        places -= set(range(network, network + 16)) if network >= 0 else set()
    for length in range(1, len(data)):
        result = rewritten(data[:length])
        assert len(result) == length
        differing = {i for i in range(length) if result[i] != becomes[i]}
        assert differing <= places, length


def test_checksums_do_not_need_the_payload() -> None:
    for make, header in ((udp4, 28), (tcp4, 44), (udp6, 48), (tcp6, 60)):
        for length in range(header, len(make(as_is))):
            assert rewritten(make(as_is)[:length]) == make(mapped)[:length]


def test_depth_is_bounded() -> None:
    """Levels past the ninth are left; the time does not depend on how many there are."""

    def nested(outer: Map, inner: Map, levels: int) -> bytes:
        data = b""
        for level in range(levels, 0, -1):
            m = outer if level <= 9 else inner
            data = ipv4(data, 4, src=m(A), dst=m(B))
        return data

    assert rewritten(nested(as_is, as_is, 12)) == nested(mapped, as_is, 12)
    assert rewritten(nested(as_is, as_is, 3000)) == nested(mapped, as_is, 3000)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.sampled_from([4, 6]))
def test_random_bytes(data: bytes, version: int) -> None:
    data = bytes([data[0] & 0x0F | version << 4]) + data[1:]
    result = rewritten(data)
    assert len(result) == len(data)
    assert result[:8] == data[:8]
    size, at = (4, 12) if version == 4 else (16, 8)
    whole = data[at : at + size]
    if len(whole) == size:
        assert result[at : at + size] == PAN.anonymise(IPprefix(version, whole)).addr


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(PACKETS)), st.data())
def test_damaged_packets_keep_their_length(name: str, data: st.DataObject) -> None:
    """Any few bytes overwritten: what comes out has the same length, and is the same again."""
    packet = bytearray(PACKETS[name](as_is))
    for _ in range(data.draw(st.integers(1, 6))):
        packet[data.draw(st.integers(1, len(packet) - 1))] = data.draw(st.integers(0, 255))
    length = data.draw(st.integers(1, len(packet)))
    once = rewritten(bytes(packet[:length]))
    assert len(once) == length
    assert once == rewritten(bytes(packet[:length]))


def test_ethernet_cut_anywhere(tmp_path: Path) -> None:
    frame = ethernet(NESTED["gre, Ethernet"](as_is))
    records = [packets.Record(frame[:length], wire=len(frame)) for length in range(len(frame))]
    path = packets.write(tmp_path / "t", packets.pcap(records))
    for length, packet in enumerate(packets.read(path)):
        PAN.packet(packet)
        assert len(bytes(packet)) == length
        assert bytes(packet)[:24] == frame[: min(24, length)]


def tcp_of_words(m: Map, words: int) -> bytes:
    """A segment whose header says that it has so many words of 32 bits; its checksum is right."""
    header = bytearray(packets.tcp(b"hello!"))
    header[12] = words << 4
    return over4(6, 16, bytes(header), m(A), m(B))


@pytest.mark.parametrize("words", range(5))
def test_a_tcp_header_that_says_it_is_shorter_than_any(words: int) -> None:
    """The payload, which can be zeroed, begins after 20 bytes all the same (RFC 9293 3.1)."""
    assert rewritten(tcp_of_words(as_is, words)) == tcp_of_words(mapped, words)
    zeroed = rewritten(tcp_of_words(as_is, words), payload="zero")
    assert zeroed[40:] == bytes(6)
    assert zeroed[20:36] == tcp_of_words(as_is, words)[20:36]


@pytest.mark.parametrize("words", [0, 1, 3])
def test_a_dccp_header_that_says_it_is_shorter_than_any(words: int) -> None:
    """Ports, and data offset in words at the fifth byte (RFC 4340 section 5.1)."""

    def made(m: Map) -> bytes:
        message = struct.pack(">HHBBHI", 5, 6, words, 0, 0, 7) + b"payload!"
        return over4(33, 6, message, m(A), m(B))

    assert rewritten(made(as_is)) == made(mapped)


def test_what_follows_no_next_header_is_payload() -> None:
    """RFC 8200 section 4.7: octets past it are passed on unchanged; here they can be zeroed."""
    packet = packets.ipv6(b"left over", 59, src=E, dst=F)
    assert rewritten(packet) == packets.ipv6(b"left over", 59, src=mapped(E), dst=mapped(F))
    assert rewritten(packet, payload="zero")[40:] == bytes(9)


def test_minimal_encapsulation_as_deep_as_can_be() -> None:
    """RFC 2004: each header has an original destination; levels past the eighth are left."""

    def nested(inner: Map, levels: int) -> bytes:
        body = packets.udp(b"end")
        proto = 17
        for level in range(levels, 0, -1):
            m = mapped if level <= 9 and inner is mapped else as_is
            body = with_sum(bytes([proto, 0, 0, 0]) + packed(m(B)), 2) + body
            proto = 55
        m = mapped if inner is mapped else as_is
        return packets.ipv4(body, 55, src=m(A), dst=m(D))

    deep = rewritten(nested(as_is, 20))
    assert deep[:20] == nested(mapped, 20)[:20]
    assert deep[-40:] == nested(as_is, 20)[-40:]
    assert len(deep) == len(nested(as_is, 20))


def test_an_object_made_of_a_transport_header_s_bytes() -> None:
    """There are no addresses in it, and no checksum is changed; its payload can be zeroed."""
    segment = packets.tcp(b"secret")
    memory = bytearray(segment)
    assert PAN.packet(plt.tcp(memory), payload="zero") == 0
    assert bytes(memory[20:]) == bytes(6)
    assert bytes(memory[:16]) == segment[:16]
