"""SCTP's chunks (RFC 9260 section 3.2): padding, cuts, wrong lengths."""

import struct
from pathlib import Path

import packets
import pytest
from packets import SCTP

import plt


def chunk(kind: int, value: bytes, flags: int = 0, length: int | None = None) -> bytes:
    size = 4 + len(value) if length is None else length
    return struct.pack(">BBH", kind, flags, size) + value + b"\0" * (-len(value) % 4)


def header() -> bytes:
    return struct.pack(">HHII", 5060, 36412, 0xCAFEF00D, 0x12345678)


def sctp(*chunks: bytes) -> plt.sctp:
    return plt.sctp(header() + b"".join(chunks))


def shown(layer: plt.sctp) -> list[tuple]:
    return [(c.type, c.flags, c.length, c.is_ok, bytes(c.bytes)) for c in layer.chunks]


def test_header() -> None:
    layer = sctp()
    assert (layer.src_port, layer.dst_port) == (5060, 36412)
    assert (layer.verification_tag, layer.checksum) == (0xCAFEF00D, 0x12345678)
    assert layer.chunks == []


def test_chunks_are_padded_to_4_bytes() -> None:
    layer = sctp(chunk(3, b"a"), chunk(0, b"bc", 3), chunk(4, b"def"), chunk(5, b"ghij"))
    assert shown(layer) == [
        (3, 0, 5, True, b"a"),
        (0, 3, 6, True, b"bc"),
        (4, 0, 7, True, b"def"),
        (5, 0, 8, True, b"ghij"),
    ]


def test_chunks_without_a_value() -> None:
    layer = sctp(chunk(11, b""), chunk(14, b"", 1))
    assert shown(layer) == [(11, 0, 4, True, b""), (14, 1, 4, True, b"")]
    assert type(layer.chunks[0].bytes) is bytearray
    assert layer.chunks is not layer.chunks


@pytest.mark.parametrize("length", range(4))
def test_a_length_below_its_own_header_ends_the_list(length: int) -> None:
    layer = sctp(chunk(3, b"abcd"), chunk(9, b"", length=length), chunk(4, b"abcd"))
    assert shown(layer) == [(3, 0, 8, True, b"abcd")]


def test_cut_anywhere() -> None:
    whole = header() + chunk(0, b"abcdef", 3) + chunk(3, bytes(12))  # 12, 12 with padding, 16
    for length in range(2, len(whole) + 1):
        layer = plt.sctp(whole[:length])
        if length < 16:
            assert layer.chunks == []
            continue
        first, *more = shown(layer)
        assert first == (0, 3, 10, length >= 22, whole[16 : min(length, 22)])
        assert len(more) == (length >= 28)
        if more:
            assert more == [(3, 0, 16, length == 40, bytes(length - 28))]


def test_a_length_that_lies_is_a_cut_chunk() -> None:
    for length in (9, 100, 0xFFFF):
        assert shown(sctp(chunk(0, b"abcd", length=length))) == [(0, 0, length, False, b"abcd")]


def test_ethernet_s_padding_is_no_chunk(tmp_path: Path) -> None:
    frame = packets.ethernet(packets.ipv4(header() + chunk(11, b""), SCTP)).ljust(60, b"\x07")
    packet = packets.packet_of(frame, tmp_path)
    assert [c.type for c in packet.sctp.chunks] == [11]


def test_a_chunk_answers_for_the_layers_above_it(tmp_path: Path) -> None:
    content = header() + chunk(0, b"payload")
    packet = packets.packet_of(packets.ethernet(packets.ipv4(content, SCTP)), tmp_path)
    [found] = packet.sctp.chunks
    assert isinstance(found, plt.sctp)
    assert (found.src_port, found.proto) == (5060, SCTP)
    assert str(found.src_prefix) == packets.V4[0]
    assert found.ts_sec == packets.EPOCH
    assert bytes(found) == struct.pack(">BBH", 0, 0, 11) + b"payload"
    found.data = b"\x05"
    assert packet.sctp.chunks[0].type == 5


def test_many_chunks() -> None:
    layer = sctp(*(chunk(i % 256, b"") for i in range(15_000)))
    assert [c.type for c in layer.chunks] == [i % 256 for i in range(15_000)]


def test_chunks_of_a_packet_that_is_sctp_no_more(tmp_path: Path) -> None:
    """The link layer's bytes are overwritten while an sctp object is held."""
    frame = packets.ethernet(packets.ipv4(header() + chunk(0, b"payload"), SCTP))
    packet = packets.packet_of(frame, tmp_path)
    held = packet.sctp
    packet.data = packets.ethernet(b"\0\x08\0\x08" * 9, 0x0806)
    assert packet.sctp is None
    assert held.chunks == []
