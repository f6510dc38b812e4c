"""CryptoPan.packet() on 802.11 A-MSDUs: several packets in one frame, IEEE 802.11-2020 9.3.2.2."""

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
    Map,
    arp,
    as_is,
    icmp4,
    mapped,
    over4,
    packed,
    rewritten,
    tcp4,
    udp4,
    udp6,
)
from packets import snap, udp, wireless

import plt

QOS, TO_DS, FROM_DS, ORDER = 0x88, 1, 2, 0x80
WIRELESS, RADIOTAP = 105, 127


def subframe(packet: bytes, ethertype: int = 0x0800) -> bytes:
    """Addresses, length, 802.2; padded to 4 bytes, but for the last one."""
    data = snap(packet, ethertype)
    return packets.MAC + struct.pack(">H", len(data)) + data


def aggregate(*subframes: bytes, flags: int = FROM_DS, more: bytes = b"\x80\0") -> bytes:
    padded = [each + bytes(-len(each) % 4) for each in subframes[:-1]]
    return wireless(b"".join(padded) + subframes[-1], QOS, flags, more)


def both(m: Map) -> bytes:
    return aggregate(subframe(udp4(m)), subframe(tcp4(m, C, D)))


def long(m: Map) -> bytes:
    """A packet of 1500 bytes, with 802.2 longer than any length of Ethernet."""
    return over4(17, 6, udp(bytes(range(256)) * 5 + bytes(192)), m(A), m(B))


def padded_radiotap(m: Map) -> bytes:
    """Flags with 0x20: the header of 26 bytes is padded to 28."""
    frame = both(m)
    return struct.pack("<BBHIB", 0, 0, 9, 2, 0x20) + frame[:26] + b"\0\0" + frame[26:]


def in_capwap(m: Map) -> bytes:
    message = udp(b"\0\x10\3\0\0\0\0\0" + both(m), ports=(50000, 5247))
    return over4(17, 6, message, m(A), m(B))


def in_tzsp(m: Map) -> bytes:
    """The frame begins at an odd place of what the checksum is over."""
    message = udp(b"\1\0\0\x12\1" + both(m), ports=(50000, 37008))
    return over4(17, 6, message, m(A), m(B))


KNOWN: dict[str, tuple[int, Callable[[Map], bytes]]] = {
    "two": (WIRELESS, both),
    "one": (WIRELESS, lambda m: aggregate(subframe(udp4(m)))),
    "three": (
        WIRELESS,
        lambda m: aggregate(
            subframe(tcp4(m)), subframe(udp6(m), 0x86DD), subframe(icmp4(m, 3, udp4(m)))
        ),
    ),
    "ARP first": (
        WIRELESS,
        lambda m: aggregate(subframe(arp(m), 0x0806), subframe(udp4(m, C, D))),
    ),
    "EAPOL first": (
        WIRELESS,
        lambda m: aggregate(subframe(b"\2\0\0\0", 0x888E), subframe(udp4(m, C, D))),
    ),
    "an empty one first": (
        WIRELESS, lambda m: aggregate(subframe(b"", 0x888E), subframe(udp4(m, C, D))),
    ),
    "ARP": (WIRELESS, lambda m: aggregate(subframe(udp4(m)), subframe(arp(m), 0x0806))),
    "VLAN": (
        WIRELESS,
        lambda m: aggregate(subframe(udp4(m)), subframe(b"\0\5\x08\0" + udp4(m), 0x8100)),
    ),
    "long": (WIRELESS, lambda m: aggregate(*[subframe(long(m))] * 3)),
    "HT control": (
        WIRELESS,
        lambda m: aggregate(
            *[subframe(udp4(m))] * 2, flags=FROM_DS | ORDER, more=b"\x80\0" + bytes(4)
        ),
    ),
    "four addresses": (
        WIRELESS,
        lambda m: aggregate(
            *[subframe(udp4(m))] * 2, flags=TO_DS | FROM_DS, more=packets.MAC[:6] + b"\x80\0"
        ),
    ),
    "a frame check sequence": (WIRELESS, lambda m: both(m) + b"seen"),
    "padded radiotap": (RADIOTAP, padded_radiotap),
    "cooked": (  # hardware type 801
        113, lambda m: struct.pack(">HHH8sH", 0, 801, 6, packets.MAC[:8], 25) + both(m),
    ),
    "Ethernet": (1, lambda m: packets.ethernet(both(m), 0x2452)),
    "TZSP's link type": (128, lambda m: b"\1\0\0\x12\1" + both(m)),
    "CAPWAP": (packets.RAW, in_capwap),
    "TZSP": (packets.RAW, in_tzsp),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_all_packets_of_an_aggregate(name: str, tmp_path: Path) -> None:
    dlt, make = KNOWN[name]
    for unknown in ("keep", "zero"):
        packet = packets.packet_of(make(as_is), tmp_path, dlt)
        told = PAN.packet(packet, unknown=unknown)
        assert bytes(packet) == make(mapped)
        assert told.unknown == ()


@pytest.mark.parametrize("name", KNOWN)
def test_aggregates_cut_anywhere(name: str, tmp_path: Path) -> None:
    """No address that was captured whole is left."""
    dlt, make = KNOWN[name]
    content = make(as_is)
    lengths = range(1, len(content), 1 if len(content) < 1000 else 37)
    records = [packets.Record(content[:length], wire=len(content)) for length in lengths]
    path = packets.write(tmp_path / "t", packets.pcap(records, dlt))
    for length, packet in zip(lengths, packets.read(path), strict=True):
        told = PAN.packet(packet)
        assert len(bytes(packet)) == length
        if told.understood:
            for address in map(packed, (A, B, C, D, E, F)):
                assert address not in bytes(packet)


def test_payloads_of_all_packets_become_zero(tmp_path: Path) -> None:
    packet = packets.packet_of(both(as_is) + b"seen", tmp_path, WIRELESS)
    PAN.packet(packet, payload="zero")
    for text in (b"hello", b"hello!", b"seen"):
        assert text not in bytes(packet)
    # of both packets the headers are left, with right checksums
    first = over4(17, 6, udp(bytes(5)), mapped(A), mapped(B))
    assert bytes(packet).startswith(aggregate(subframe(first)))
    assert rewritten(tcp4(as_is, C, D), payload="zero") in bytes(packet)


def test_an_aggregate_is_cut_before_its_first_payload(tmp_path: Path) -> None:
    packet = packets.packet_of(both(as_is), tmp_path, WIRELESS)
    PAN.packet(packet, payload="drop")
    assert bytes(packet) == both(mapped)[: 26 + 14 + 8 + 28]


ADDRESSES = packed(C) + packed(D)


@pytest.mark.parametrize(
    ("ethertype", "name"),
    [(0x88B5, "ethertype 0x88b5"), (0x88CC, "LLDP"), (0x0100, "SNAP")],
)
def test_an_unknown_packet_in_an_aggregate(ethertype: int, name: str, tmp_path: Path) -> None:
    def made(m: Map, rest: bytes) -> bytes:
        return aggregate(subframe(udp4(m)), subframe(rest, ethertype), subframe(tcp4(m)))

    packet = packets.packet_of(made(as_is, ADDRESSES), tmp_path, WIRELESS)
    assert PAN.packet(packet).unknown == (name,)
    assert bytes(packet) == made(mapped, ADDRESSES)
    packet = packets.packet_of(made(as_is, ADDRESSES), tmp_path, WIRELESS)
    PAN.packet(packet, unknown="zero")
    assert ADDRESSES not in bytes(packet)
    assert bytes(packet).endswith(subframe(tcp4(mapped)))


def test_a_first_packet_without_an_ethertype(tmp_path: Path) -> None:
    """A bridge's 802.2, 0x42: the packet after it is anonymised all the same."""
    first = packets.MAC + struct.pack(">H", 3 + 8) + b"\x42\x42\3" + ADDRESSES
    content = aggregate(first, subframe(udp4(as_is)))
    packet = packets.packet_of(content, tmp_path, WIRELESS)
    assert PAN.packet(packet).unknown == ("802.11 data",)
    assert bytes(packet) == aggregate(first, subframe(udp4(mapped)))


@pytest.mark.parametrize("length", [0, 4, 7, 20, 37])
def test_a_length_in_which_there_is_no_packet_is_told(length: int, tmp_path: Path) -> None:
    def made(m: Map) -> bytes:
        first = packets.MAC + struct.pack(">H", length) + snap(udp4(m))
        return aggregate(first, subframe(udp4(as_is, C, D)))

    packet = packets.packet_of(made(as_is), tmp_path, WIRELESS)
    assert PAN.packet(packet).unknown == ("802.11 A-MSDU",)
    assert bytes(packet) == made(mapped)
    PAN.packet(packet, unknown="zero")
    assert bytes(packet) == made(mapped)[:40].ljust(len(packet), b"\0")


def mesh(addresses: int) -> bytes:
    """Mesh control: flags, TTL, number, other addresses."""
    return struct.pack("<BBI", addresses, 31, 7) + packets.MAC[:6] * addresses


@pytest.mark.parametrize("addresses", [0, 1, 2])
@pytest.mark.parametrize("counted", [True, False])
def test_further_packets_of_a_mesh_are_told(addresses: int, counted: bool, tmp_path: Path) -> None:
    """Senders differ in whether a subframe's length counts its mesh control."""

    def one(packet: bytes) -> bytes:
        data = mesh(addresses) + snap(packet)
        length = len(data) if counted else len(data) - len(mesh(addresses))
        return packets.MAC + struct.pack(">H", length) + data

    def made(m: Map, *others: bytes) -> bytes:
        return aggregate(one(udp4(m)), *others, more=b"\x80\1")

    alone = packets.packet_of(made(as_is), tmp_path, WIRELESS)
    assert PAN.packet(alone).unknown == ()
    assert bytes(alone) == made(mapped)
    packet = packets.packet_of(made(as_is, one(udp4(as_is, C, D))), tmp_path, WIRELESS)
    assert PAN.packet(packet).unknown == ("802.11 A-MSDU",)
    assert bytes(packet) == made(mapped, one(udp4(as_is, C, D)))
    PAN.packet(packet, src=False, dst=False, unknown="zero")
    assert bytes(packet).startswith(made(mapped))
    assert packed(C) not in bytes(packet)
    assert packed(D) not in bytes(packet)


@pytest.mark.parametrize("layer", ["ip", "udp"])
def test_an_object_of_the_first_packet_is_of_the_whole_frame(layer: str, tmp_path: Path) -> None:
    packet = packets.packet_of(both(as_is), tmp_path, WIRELESS)
    assert PAN.packet(getattr(packet, layer)) == 4
    assert bytes(packet) == both(mapped)


def test_a_packet_that_is_made_of_bytes() -> None:
    packet = plt.packet.from_bytes(both(as_is), plt.TRACE_TYPE_80211)
    assert PAN.packet(packet) == 4
    assert bytes(packet) == both(mapped)


def test_an_aggregate_in_another_is_named(tmp_path: Path) -> None:
    def frame(m: Map) -> bytes:
        return aggregate(subframe(both(as_is), 0x2452), subframe(udp4(m)))

    packet = packets.packet_of(frame(as_is), tmp_path, WIRELESS)
    assert PAN.packet(packet).unknown == ("ethertype 0x2452",)
    assert bytes(packet) == frame(mapped)
