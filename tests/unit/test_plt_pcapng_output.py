"""pcapng files that are written, which tshark and capinfos read back, and packets' comments."""

import copy
import errno
import gc
import os
import struct
import subprocess
from pathlib import Path

import packets
import pytest
from packets import EPOCH, ETH, RAW, Record
from present import tool

import plt

IP = packets.ipv4(packets.udp(b"payload"))
FRAME = packets.ethernet(IP)
COMMENT = 1  # opt_comment
END = packets.option(0, b"")


def tshark_rows(tshark: str, path: Path, *fields: str) -> list[list[str]]:
    """Some fields of each packet."""
    options = [f"-e{field}" for field in fields]
    command = [tshark, "-r", path, "-Tfields", *options]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def capinfos(path: Path) -> str:
    return subprocess.run(
        [tool("capinfos"), path], capture_output=True, text=True, check=True
    ).stdout


def written(path: Path, found: list[plt.packet]) -> Path:
    with plt.output_trace(path) as out:
        for packet in found:
            out.write_packet(packet)
    return path


def commented(comment: bytes | None, order: str = "<", folder: Path = Path()) -> plt.packet:
    """A packet that came with a comment."""
    options = b"" if comment is None else packets.option(COMMENT, comment, order) + END
    content = packets.section(order) + packets.interface(ETH, order)
    content += packets.enhanced(FRAME, 1, order, options=options)
    return packets.read_bytes(content, folder)[0]


# --- Files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", ".lz4"])
def test_packets_times_and_lengths_are_those_that_tshark_reads(
    suffix: str, tmp_path: Path, tshark: str
) -> None:
    records = [Record(FRAME[: 20 + i], EPOCH + i, 123_456_789 + i, 1500 + i) for i in range(20)]
    source = packets.read_bytes(packets.pcap(records, magic=0xA1B23C4D), tmp_path)
    path = written(tmp_path / f"out.pcapng{suffix}", source)
    assert tshark_rows(tshark, path, "frame.time_epoch", "frame.cap_len", "frame.len") == [
        [f"{EPOCH + i}.{123_456_789 + i}", str(20 + i), str(1500 + i)] for i in range(20)
    ]
    again = packets.read(path)
    assert [(bytes(p), p.time_ns, p.wire_len) for p in again] == [
        (r.data, r.sec * 10**9 + r.fraction, r.wire_len + 4) for r in records
    ]


def test_the_blocks_are_those_of_the_draft(tmp_path: Path) -> None:
    source = packets.read_bytes(packets.pcap([Record(FRAME, EPOCH, 1)]), tmp_path)
    source[0].comment = "abc"
    order = "<" if struct.pack("=H", 1) == struct.pack("<H", 1) else ">"
    resolution = packets.option(9, b"\x09", order)
    assert written(tmp_path / "out.pcapng", source).read_bytes() == (
        packets.section(order, packets.option(4, b"python-libtrace", order) + END)
        + packets.interface(ETH, order, resolution + END, snaplen=262144)
        + packets.enhanced(
            FRAME,
            EPOCH * 10**9 + 1000,
            order,
            options=packets.option(COMMENT, b"abc", order) + END,
        )
    )


def test_an_interface_for_each_link_type_and_snap_length(tmp_path: Path, tshark: str) -> None:
    content = packets.section() + packets.interface(ETH, snaplen=96)
    content += packets.interface(RAW) + packets.interface(ETH, snaplen=1500)
    content += b"".join(
        packets.enhanced(data, i, on=on)
        for i, (data, on) in enumerate([(FRAME, 0), (IP, 1), (FRAME, 2), (IP, 1), (FRAME, 0)])
    )
    path = written(tmp_path / "out.pcapng", packets.read_bytes(content, tmp_path))
    rows = tshark_rows(tshark, path, "frame.interface_id", "frame.encap_type", "udp.payload")
    # encapsulations of Wireshark's: 1 Ethernet, 7 raw IP
    assert [row[:2] for row in rows] == [["0", "1"], ["1", "7"], ["2", "1"], ["1", "7"], ["0", "1"]]
    assert {row[2] for row in rows} == {b"payload".hex()}
    told = capinfos(path)
    assert "Number of interfaces in file: 3" in told
    lengths = [line.split("= ")[1] for line in told.splitlines() if "Capture length" in line]
    assert lengths[0] == "96"
    assert lengths[2] == "1500"


def test_a_packet_longer_than_its_snap_length(tmp_path: Path) -> None:
    content = packets.section() + packets.interface(ETH, snaplen=8) + packets.enhanced(FRAME)
    path = written(tmp_path / "out.pcapng", packets.read_bytes(content, tmp_path))
    assert path.read_bytes().count(struct.pack("=I", 8) + struct.pack("=HH", 9, 1)) == 0
    assert [bytes(p) for p in packets.read(path)] == [FRAME]


def test_frame_check_sequences(tmp_path: Path) -> None:
    fcs = packets.option(13, b"\x04") + END
    content = packets.section() + packets.interface(ETH, options=fcs)
    content += packets.enhanced(FRAME + b"\1\2\3\4")
    source = packets.read_bytes(content, tmp_path)
    again = packets.read(written(tmp_path / "out.pcapng", source))
    for packet in (source[0], again[0]):
        assert (packet.wire_len, packet.capture_len) == (len(FRAME) + 4, len(FRAME) + 4)


def test_an_interface_for_each_frame_check_sequence(tmp_path: Path) -> None:
    """More of them than there was room for at first; of each the packets that it had."""
    content = packets.section()
    told = [None, 0, 2, 4, 6, 8]
    for fcs in told:
        options = b"" if fcs is None else packets.option(13, bytes([fcs])) + END
        content += packets.interface(ETH, options=options)
    for on in [*range(6), *range(6)]:
        content += packets.enhanced(FRAME + bytes(told[on] or 0), on=on)
    source = packets.read_bytes(content, tmp_path)
    path = written(tmp_path / "out.pcapng", source)
    assert "Number of interfaces in file: 6" in capinfos(path)
    again = packets.read(path)
    assert [(bytes(p), p.wire_len) for p in again] == [(bytes(p), p.wire_len) for p in source]


def test_directions_are_those_that_tshark_reads(tmp_path: Path, tshark: str) -> None:
    """The flags word (draft-ietf-opsawg-pcapng section 4.3.1): 1 inbound, 2 outbound."""
    directions = (plt.TRACE_DIR_OUTGOING, plt.TRACE_DIR_INCOMING, plt.TRACE_DIR_OTHER)
    records = [packets.erf(22, IP, flags=direction) for direction in directions]
    source = packets.read_bytes(b"".join(records), tmp_path, "erf:")
    source += packets.read_bytes(packets.pcap([FRAME]), tmp_path)
    source[1].comment = "inbound"
    path = written(tmp_path / "out.pcapng", source)
    rows = tshark_rows(tshark, path, "frame.packet_flags_direction", "frame.comment")
    assert [[text.removeprefix("0x0000000") for text in row] for row in rows] == [
        ["2", ""], ["1", "inbound"], ["", ""], ["", ""],
    ]  # fmt: skip
    assert [packet.comment for packet in packets.read(path)] == [None, "inbound", None, None]


def test_the_direction_of_a_packet_in_a_tunnel_is_that_of_the_one_around_it(
    tmp_path: Path, tshark: str
) -> None:
    cooked = struct.pack(">HHH8sH", 4, 1, 6, bytes(8), 0x0800)  # sent by the host
    outer = packets.packet_of(cooked + packets.ipv4(IP, 4), tmp_path, 113)
    path = written(tmp_path / "out.pcapng", [outer, outer.inner])
    rows = tshark_rows(tshark, path, "frame.packet_flags_direction")
    assert [row[0][-1:] for row in rows] == [
        "",
        "2",
    ]  # what the cooked header says is in the packet


def test_times_and_lengths_that_a_block_has_no_room_for(tmp_path: Path) -> None:
    """64 bits of nanoseconds end in 2554; a length on the wire is 32 bits, and the longest."""
    last = (2**64 - 1) // 10**9
    content = packets.section()
    for second in (last - 1, last, 2**40):
        content += packets.interface(RAW, options=packets.option(14, struct.pack("<q", second)))
    content += packets.enhanced(IP, on=0) + packets.enhanced(IP, on=1) + packets.enhanced(IP, on=2)
    source = packets.read_bytes(content, tmp_path)
    path = tmp_path / "out.pcapng"
    with plt.output_trace(path) as output:
        output.write_packet(source[0])
        for packet in source[1:]:
            with pytest.raises(plt.LibtraceError, match="no room for the packet's time"):
                output.write_packet(packet)
        output.write_packet(packets.packet_of(FRAME, tmp_path, wire=2**32 - 1))
    first, second = packets.read(path)
    assert first.time_ns == (last - 1) * 10**9
    assert second.wire_len == 2**32 - 1 + 4


def test_no_packets(tmp_path: Path, tshark: str) -> None:
    path = written(tmp_path / "out.pcapng", [])
    assert packets.read(path) == []
    assert tshark_rows(tshark, path, "frame.number") == []


def test_appending_adds_a_section(tmp_path: Path, tshark: str) -> None:
    source = packets.read_bytes(packets.pcap([FRAME, FRAME]), tmp_path)
    path = written(tmp_path / "out.pcapng", source)
    out = plt.output_trace(path)
    out.conf_file_flags(plt.O_APPEND)
    with out:
        out.write_packet(source[0])
    assert path.read_bytes().count(struct.pack("=I", 0x1A2B3C4D)) == 2
    assert len(tshark_rows(tshark, path, "frame.number")) == len(packets.read(path)) == 3


def test_named_by_its_format(tmp_path: Path) -> None:
    source = packets.read_bytes(packets.pcap([FRAME]), tmp_path)
    with plt.output_trace(f"pcapng:{tmp_path / 'x.pcap.gz'}") as out:
        out.write_packet(source[0])
    assert (tmp_path / "x.pcap.gz").read_bytes().startswith(b"\x0a\x0d\x0d\x0a")


def test_a_time_before_1970_has_no_place(tmp_path: Path) -> None:
    offset = packets.option(14, struct.pack("<q", -10)) + END
    content = packets.section() + packets.interface(options=offset) + packets.enhanced(FRAME, 1)
    source = packets.read_bytes(content, tmp_path)
    with (
        plt.output_trace(tmp_path / "out.pcapng") as out,
        pytest.raises(plt.LibtraceError, match="no room for the packet's time"),
    ):
        out.write_packet(source[0])


def test_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    packet = plt.packet.from_bytes(bytes(60000))
    out = plt.output_trace("pcapng:/dev/full")
    out.start_output()
    reason = os.strerror(errno.ENOSPC)
    out.write_packet(packet)  # gathered, as the next one does not fit beside it
    with pytest.raises(plt.LibtraceError, match=reason):
        out.write_packet(packet)
    with pytest.raises(plt.LibtraceError, match=reason):
        out.close_output()


# --- Bare paths ------------------------------------------------------------------------------

MAGICS = {
    "x.pcap": struct.pack("=I", 0xA1B2C3D4),
    "x.pcapng": b"\x0a\x0d\x0d\x0a",
    "x.pcap.gz": b"\x1f\x8b",
    "x.erf.bz2": b"BZh",
    "x.pcapng.xz": b"\xfd7zXZ\0",
    "x.pcap.zst": b"\x28\xb5\x2f\xfd",
    "x.pcapng.lz4": b"\x04\x22\x4d\x18",
    "a:b/x.pcapng": b"\x0a\x0d\x0d\x0a",
}


@pytest.mark.parametrize("name", MAGICS)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_s_end_tells_format_and_compression(name: str, kind: type, tmp_path: Path) -> None:
    if name.endswith(("zst", "lz4")):
        pytest.importorskip("lz4.frame")  # the extra compression brings both
    frames = [packets.ethernet(packets.ipv4(bytes([i]) * 900)) for i in range(256)]
    source = packets.read_bytes(packets.pcap(frames), tmp_path)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    written(kind(path), source)
    assert path.read_bytes().startswith(MAGICS[name])
    again = [bytes(p)[: len(frames[0])] for p in packets.read(path)]
    assert again == frames


def test_what_is_configured_comes_before_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng.gz"
    out = plt.output_trace(path)
    out.conf_compress_type(plt.NO_COMPRESSION)
    with out:
        pass
    assert path.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
    out = plt.output_trace(path)
    out.conf_compress_level(0)
    with out:
        pass
    assert path.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")


@pytest.mark.parametrize("name", ["x", "x.txt", "x.gz", "x.pcap.Z", "x.tsh", "/tmp/.pcap", "~"])
def test_other_names_list_what_can_be_written(name: str) -> None:
    with pytest.raises(ValueError, match=r"^Couldn't create outputTrace: ") as error:
        plt.output_trace(name)
    for part in (".pcap,", ".pcapng", ".erf", ".gz", ".bz2", ".xz", ".zst", ".lz4", "pcapng:"):
        assert part in str(error.value)


# --- Comments --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_comment_is_read(order: str, tmp_path: Path) -> None:
    text = "zwölf Boxkämpfer 🥊"
    packet = commented(text.encode(), order, tmp_path)
    assert packet.comment == packet.ip.comment == packet.udp.payload.comment == text
    assert copy.copy(packet).comment == text


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (None, None),
        (b"", ""),
        (b"a\0b", "a"),
        (b"\0", ""),
        (b"ends\0", "ends"),
        (b"\xff\xfe", None),
        (b"\xed\xa0\x80", None),
    ],
)
def test_comments_that_are_none(
    comment: bytes | None, expected: str | None, tmp_path: Path
) -> None:
    assert commented(comment, folder=tmp_path).comment == expected


@pytest.mark.parametrize(
    "options",
    [
        struct.pack("<HH", COMMENT, 400) + b"abcd",  # longer than its block
        struct.pack("<HH", COMMENT, 5) + b"abcd",
        b"\1\0\3",
        END + packets.option(COMMENT, b"after the end"),
        struct.pack("<HH", 2, 65535) + b"abcd" + packets.option(COMMENT, b"within another"),
    ],
    ids=["past the block", "past its padding", "cut", "after the end", "within another"],
)
def test_options_that_are_damaged(options: bytes, tmp_path: Path) -> None:
    content = packets.section() + packets.interface()
    content += packets.enhanced(FRAME, options=options) + packets.enhanced(FRAME)
    found = packets.read_bytes(content, tmp_path)
    assert [(bytes(p), p.comment) for p in found] == [(FRAME, None)] * 2


def test_each_packet_has_its_own(tmp_path: Path) -> None:
    texts = ["one", None, "three", None, None, "six"]
    content = packets.section() + packets.interface()
    for text in texts:
        options = packets.option(COMMENT, text.encode()) if text else b""
        content += packets.enhanced(FRAME, options=options)
    path = packets.write(tmp_path / "trace", content)
    with plt.trace(path) as trace:
        assert [packet.comment for packet in trace] == texts
    with plt.trace(path) as trace:
        packet, found = plt.packet(), []
        while trace.read_packet(packet):
            found.append(packet.comment)
    assert found == texts


def test_the_first_of_several(tmp_path: Path) -> None:
    options = packets.option(2, bytes(4)) + packets.option(COMMENT, b"first")
    options += packets.option(COMMENT, b"second") + END
    content = packets.section() + packets.interface() + packets.enhanced(FRAME, options=options)
    assert packets.read_bytes(content, tmp_path)[0].comment == "first"


def test_tshark_reads_the_comments_that_were_set(tmp_path: Path, tshark: str) -> None:
    source = packets.read_bytes(packets.pcap([FRAME] * 4), tmp_path)
    source[0].comment = "first, zwölf 🥊"
    source[2].ip.comment = "of its IP header"
    source[3].comment = "x" * 65535
    rows = tshark_rows(tshark, written(tmp_path / "out.pcapng", source), "frame.comment")
    assert rows[:3] == [["first, zwölf 🥊"], [""], ["of its IP header"]]
    again = packets.read(tmp_path / "out.pcapng")
    assert [p.comment for p in again] == [p.comment for p in source]
    again[0].comment = None
    written(tmp_path / "less.pcapng", again)
    assert packets.read(tmp_path / "less.pcapng")[0].comment is None


def test_what_no_comment_can_be(tmp_path: Path) -> None:
    packet = commented(b"kept", folder=tmp_path)
    for wrong in (1, b"bytes", ["text"]):
        with pytest.raises(TypeError, match="comment must be a str or None, not "):
            packet.comment = wrong
    with pytest.raises(TypeError, match="deleted"):
        del packet.comment
    with pytest.raises(ValueError, match="65536 bytes is longer than 65535"):
        packet.comment = "x" * 65536
    with pytest.raises(ValueError, match="131070 bytes"):
        packet.comment = "ö" * 65535
    with pytest.raises(UnicodeEncodeError):
        packet.comment = "\ud800"
    with pytest.raises(ValueError, match="can't have a NUL character"):
        packet.comment = "a\0b"
    assert packet.comment == "kept"
    with pytest.raises(ValueError, match="nothing was read"):
        plt.packet().comment  # noqa: B018
    with pytest.raises(ValueError, match="made from bytes"):
        plt.ip(IP).comment = "x"
    gc.collect()
