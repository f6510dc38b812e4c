"""Packets and files that a format has no place for, and what ERF has a place for but IP has not."""

import struct
from pathlib import Path

import packets
import pytest
from packets import Record

import plt

IP = packets.ipv4(packets.udp(b"data"))
FRAME = packets.ethernet(IP)
ATM = bytes(4) + bytes.fromhex("aaaa03000000 0800") + IP  # a cell's header, RFC 2684 section 5.2


def written(uri: str, *found: plt.packet) -> None:
    with plt.output_trace(uri) as output:
        for packet in found:
            output.write_packet(packet)


def refused(uri: str, *found: plt.packet) -> str:
    """Why the last of these can't be written, where the others can."""
    with plt.output_trace(uri) as output:
        for packet in found[:-1]:
            output.write_packet(packet)
        with pytest.raises(plt.LibtraceError) as caught:
            output.write_packet(found[-1])
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "data"),
    [(3, ATM[:12] + bytes(40)), (4, ATM), (27, bytes.fromhex("0001 0004 00000001"))],
    ids=["ATM", "AAL5", "META"],
)
def test_erf_keeps_records_that_no_other_format_has(kind: int, data: bytes, tmp_path: Path) -> None:
    record = packets.erf(kind, data, flags=1)
    found = packets.read_bytes(record, tmp_path, "erf:")
    written(f"erf:{tmp_path / 'out'}", *found)
    assert (tmp_path / "out").read_bytes() == record
    for name in ("pcapfile", "pcapng"):
        assert "no link type for this packet" in refused(f"{name}:{tmp_path / name}", *found)


def test_a_record_is_never_shorter_on_the_wire_than_in_the_file(tmp_path: Path) -> None:
    """Readers of ERF take what is beyond the wire length for padding."""
    [packet] = packets.read_bytes(packets.pcap([Record(IP, wire=20)], 101), tmp_path)
    written(f"erf:{tmp_path / 'out'}", packet)
    assert struct.unpack_from(">H", (tmp_path / "out").read_bytes(), 14) == (len(IP),)


@pytest.mark.parametrize(
    ("dlt", "data"),
    [
        (9, b"\x00\x21" + IP),  # PPP without address and control
        (50, b"\x00\x21" + IP),
        (113, struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x0806) + bytes(28)),  # cooked ARP
        (276, struct.pack(">HHIHBB8s", 0x0806, 0, 1, 1, 0, 6, bytes(8)) + bytes(28)),
        (113, bytes(9)),
    ],
)
def test_erf_has_no_record_for_it(dlt: int, data: bytes, tmp_path: Path) -> None:
    packet = packets.packet_of(data, tmp_path, dlt)
    assert f"no record type for this packet of link type {dlt}" in refused(
        f"erf:{tmp_path / 'out'}", packet
    )


@pytest.mark.parametrize("name", ["pcapfile", "erf"])
@pytest.mark.parametrize("second", [-1, 1 << 32])
def test_times_beyond_32_bits_of_seconds(name: str, second: int, tmp_path: Path) -> None:
    packet = plt.packet.from_bytes(FRAME, plt.TRACE_TYPE_ETH, second * 10**9)
    assert "no room for the packet's time" in refused(f"{name}:{tmp_path / 'out'}", packet)


def test_frames_with_their_check_sequence_and_others_do_not_mix(tmp_path: Path) -> None:
    """A pcap file's header says it of all its packets: bit 26 and, from bit 28, 16-bit words."""
    with_fcs = packets.packet_of(FRAME + bytes(4), tmp_path, 1 | 1 << 26 | 2 << 28)
    without = packets.packet_of(FRAME, tmp_path, 1)
    assert "frame check sequence and others; a pcapng file can" in refused(
        f"pcapfile:{tmp_path / 'out'}", with_fcs, without
    )
    [again] = packets.read(tmp_path / "out")
    assert (bytes(again), again.wire_len) == (FRAME + bytes(4), len(FRAME) + 4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "version"),
    [(0xA1B2CD34, (2, 4)), (0xA1B2C3D4, (2, 3)), (0xA1B2C3D4, (2, 2)), (0xA1B2C3D4, (543, 0))],
)
def test_nothing_is_appended_to_a_variant_with_other_headers(
    magic: int, version: tuple[int, int], order: str, tmp_path: Path
) -> None:
    content = packets.pcap([FRAME], magic=magic, version=version, order=order)
    path = packets.write(tmp_path / "old.pcap", content)
    output = plt.output_trace(f"pcapfile:{path}")
    output.conf_file_flags(plt.O_APPEND)
    with pytest.raises(plt.LibtraceError, match="appended to a pcap file of this variant"):
        output.start_output()
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("prefix", "content", "why"),
    [
        ("duck", struct.pack("<I", 77) + bytes(200), "not a DUCK file: it begins with version 77"),
        ("duck", b"", "the file is empty"),
        ("pcapfile", b"\x01\x02\x03\x04" + bytes(60), "begins with 01 02 03 04"),
        ("pcapng", packets.interface() + packets.enhanced(FRAME), "not a pcapng file"),
    ],
)
def test_a_file_that_is_not_of_the_named_format(
    prefix: str, content: bytes, why: str, tmp_path: Path
) -> None:
    path = packets.write(tmp_path / "file", content)
    with pytest.raises(plt.LibtraceError, match=why):
        packets.read(f"{prefix}:{path}")


def test_a_pcapng_packet_before_any_interface(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "x.pcapng", packets.section() + packets.enhanced(FRAME))
    found, error = packets.until_error(path)
    assert found == []
    assert "interface" in error


def test_a_simple_packet_that_was_cut_to_the_snap_length(tmp_path: Path) -> None:
    """A simple block has no captured length: it is the snap length where the packet was longer."""
    content = (
        packets.section() + packets.interface(snaplen=20) + packets.simple(FRAME[:20], wire=60)
    )
    [packet] = packets.read_bytes(content, tmp_path)
    assert (bytes(packet), packet.wire_len) == (FRAME[:20], 60 + 4)
    content = packets.section() + packets.interface() + packets.simple(FRAME[:20], wire=60)
    [packet] = packets.read_bytes(content, tmp_path)
    assert bytes(packet) == FRAME[:20]
