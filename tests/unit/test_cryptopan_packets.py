"""natkit.CryptoPan on packets.

A packet's test makes it twice: with its addresses, and with what they become.  Anonymising the
first must give the second, checksums included, which the maker computes from scratch.
"""

import struct
from pathlib import Path

import packets
import pytest
from addressed import (
    PAN,
    SAMPLE_KEY,
    A,
    B,
    C,
    D,
    Map,
    arp,
    as_is,
    keys,
    mapped,
    over4,
    rewritten,
    tcp4,
    udp4,
)
from catalogue import NESTED, PACKETS, SIGNALLING
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import ethernet, icmp, ipv4, udp

from natkit import CryptoPan


@pytest.mark.parametrize("name", PACKETS)
def test_packet_becomes_what_is_made_with_other_addresses(name: str) -> None:
    make = PACKETS[name]
    for key in (SAMPLE_KEY, b"secret", b"another"):
        pan = CryptoPan(key)
        assert rewritten(make(as_is), pan) == make(lambda a, pan=pan: mapped(a, pan))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(PACKETS)), keys)
def test_packet_with_any_key(name: str, key: bytes) -> None:
    pan = CryptoPan(key)
    assert rewritten(PACKETS[name](as_is), pan) == PACKETS[name](lambda a: mapped(a, pan))


def test_arp(tmp_path: Path) -> None:
    packet = packets.packet_of(ethernet(arp(as_is), 0x0806), tmp_path)
    assert PAN.packet(packet, signalling=False) == 0
    assert bytes(packet) == ethernet(arp(as_is), 0x0806)
    assert PAN.packet(packet) == 2
    assert bytes(packet) == ethernet(arp(mapped), 0x0806)


@pytest.mark.parametrize("name", SIGNALLING)
def test_signalling_can_be_left_alone(name: str) -> None:
    data = SIGNALLING[name](as_is)
    result = rewritten(data, src=False, dst=False, signalling=False)
    assert result == data
    size = 4 if data[0] >> 4 == 4 else 16
    at = 12 if size == 4 else 8
    partly = rewritten(data, signalling=False)
    assert partly[at : at + 2 * size] == rewritten(data)[at : at + 2 * size]
    assert partly != rewritten(data)


@pytest.mark.parametrize(("src", "dst"), [(True, False), (False, True)])
def test_one_end_alone(src: bool, dst: bool) -> None:
    """In a quote the ends change places: whose packet it was is who is told."""

    def ends(m_src: Map, m_dst: Map) -> list[bytes]:
        def simple(a: str, b: str) -> bytes:
            return over4(17, 6, udp(b"hello"), a, b)

        quoted = simple(m_dst(A), m_src(B))
        return [
            simple(m_src(A), m_dst(B)),
            ipv4(icmp(3, 0, bytes(4), quoted), 1, src=m_src(C), dst=m_dst(A)),
            ipv4(simple(m_src(C), m_dst(D)), 4, src=m_src(A), dst=m_dst(B)),
        ]

    wanted = ends(mapped if src else as_is, mapped if dst else as_is)
    assert [rewritten(data, src=src, dst=dst) for data in ends(as_is, as_is)] == wanted


def test_number_of_addresses(tmp_path: Path) -> None:
    frame = ethernet(NESTED["error in a tunnel"](as_is))
    assert PAN.packet(packets.packet_of(frame, tmp_path)) == 6
    assert PAN.packet(packets.packet_of(frame, tmp_path), src=False) == 3
    assert PAN.packet(packets.packet_of(ethernet(b"x" * 40, 0x88CC), tmp_path)) == 0
    assert PAN.packet(packets.packet_of(ethernet(), tmp_path)) == 0


def test_link_layers(tmp_path: Path) -> None:
    tag = struct.pack(">HH", 5, 0x0800)
    for start, dlt in (
        (packets.MAC + b"\x81\0" + tag, 1),  # 802.1Q
        (packets.MAC + b"\x88\x47\0\0\x11\x40", 1),  # MPLS
        (b"", 101),  # raw IP
        (bytes.fromhex("0000090000000000 00") + bytes.fromhex("0800" + "00" * 22), 127),
    ):
        if dlt == 127:  # radiotap of an odd length, before data in 802.11
            start += b"\xaa\xaa\3\0\0\0\x08\0"  # noqa: PLW2901
        packet = packets.packet_of(start + tcp4(as_is), tmp_path, dlt)
        assert packet.ip is not None
        PAN.packet(packet)
        assert bytes(packet) == start + tcp4(mapped)


def test_layers_stand_for_their_packet(tmp_path: Path) -> None:
    frame = ethernet(NESTED["unreachable"](as_is))
    for layer in ("layer2", "layer3", "transport", "ip", "icmp"):
        packet = packets.packet_of(frame, tmp_path)
        PAN.packet(getattr(packet, layer))
        assert bytes(packet) == ethernet(NESTED["unreachable"](mapped))
        assert str(packet.ip.src_prefix) == mapped(C)
    packet = packets.packet_of(frame, tmp_path)
    PAN.packet(packet.icmp.payload)
    assert bytes(packet)[14 + 28 :] == udp4(mapped)
    assert bytes(packet)[: 14 + 28] == frame[: 14 + 28]
