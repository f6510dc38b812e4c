"""Output traces: what was written is read back, and by tshark; errors."""

import gzip
import os
import struct
import subprocess
import sys
from pathlib import Path

import packets
import pytest
from packets import EPOCH, Record
from present import tool

import plt

FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(bytes([i]) * (i * 37), ports=(i, 53))))
    for i in range(1, 40)
]
RECORDS = [Record(frame, EPOCH + i, i * 1000 + 7, 1500) for i, frame in enumerate(FRAMES)]


@pytest.fixture
def source(tmp_path: Path) -> list[plt.packet]:
    return packets.read_bytes(packets.pcap(RECORDS), tmp_path)


def described(found: list[plt.packet]) -> list[tuple]:
    return [(bytes(p), p.time_ns // 1000, p.wire_len, p.capture_len) for p in found]


def write(uri: str | Path, found: list[plt.packet], **conf: int) -> None:
    output = plt.output_trace(uri)
    for name, value in conf.items():
        getattr(output, f"conf_{name}")(value)
    output.start_output()
    for packet in found:
        assert output.write_packet(packet) is None
    output.close_output()


def test_pcapfile(source: list[plt.packet], tmp_path: Path, tshark: str) -> None:
    path = tmp_path / "out.pcap"
    write(f"pcapfile:{path}", source)
    assert described(packets.read(path)) == described(source)
    out = subprocess.run(
        [tshark, "-r", path, "-Tfields", "-eframe.time_epoch", "-eframe.cap_len", "-eframe.len"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows == [[f"{r.sec}.{r.fraction:06d}000", str(len(r.data)), "1500"] for r in RECORDS]


def test_erf(source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.erf"
    write(f"erf:{path}", source)
    got = packets.read(f"erf:{path}")
    assert [bytes(p)[: len(f)] for p, f in zip(got, FRAMES, strict=True)] == FRAMES
    assert [p.wire_len for p in got] == [1504] * len(FRAMES)
    # its clock is binary: the microsecond may be the one before
    assert all(
        0 <= r.sec * 10**9 + r.fraction * 1000 - p.time_ns < 1000
        for p, r in zip(got, RECORDS, strict=True)
    )


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_gzip(source: list[plt.packet], level: int, tmp_path: Path) -> None:
    path = tmp_path / "out.pcap.gz"
    write(f"pcapfile:{path}", source, compress_type=plt.ZLIB_COMPRESSION, compress_level=level)
    if level:
        assert gzip.decompress(path.read_bytes())[:4] == struct.pack("=I", 0xA1B2C3D4)
    assert described(packets.read(path)) == described(source)


def test_bzip2(source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.pcap.bz2"
    write(f"pcapfile:{path}", source, compress_type=plt.BZIP2_COMPRESSION, compress_level=5)
    assert path.read_bytes()[:3] == b"BZh"
    assert described(packets.read(path)) == described(source)


def test_with(source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    with plt.output_trace(uri=f"pcapfile:{path}") as output:
        output.write_packet(source[0])
        assert "started" in repr(output)
    assert "closed" in repr(output)
    assert len(packets.read(path)) == 1


def test_a_file_without_packets(tmp_path: Path) -> None:
    for name, prefix in (("a", "pcapfile:"), ("b", "erf:")):
        write(f"{prefix}{tmp_path / name}", [])
    assert (tmp_path / "b").read_bytes() == b""


def test_what_was_there_is_overwritten(source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.erf"
    write(f"erf:{path}", source[:5])
    write(f"erf:{path}", source[5:7])
    assert [p.udp.src_port for p in packets.read(f"erf:{path}")] == [6, 7]


@pytest.mark.parametrize("compression", [plt.NO_COMPRESSION, plt.ZLIB_COMPRESSION])
def test_append(compression: int, source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    for part in (source[5:7], source[7:10]):
        write(f"pcapfile:{path}", part, file_flags=plt.O_APPEND, compress_type=compression)
    assert [p.udp.src_port for p in packets.read(path)] == [6, 7, 8, 9, 10]


@pytest.mark.parametrize("name", ["out.pcap", "out.pcap.gz", "out.pcap.bz2", "out.pcap.xz"])
def test_append_in_the_compression_that_is_there(
    name: str, source: list[plt.packet], tmp_path: Path
) -> None:
    """Whatever its name is; another one that is asked for is refused, and nothing is changed."""
    path, other = tmp_path / name, tmp_path / "other.pcap"
    write(path, source[5:7])
    for target in (path, f"pcapfile:{path}"):
        write(target, source[7:8], file_flags=plt.O_APPEND)
    path.rename(other)
    write(other, source[8:10], file_flags=plt.O_APPEND)
    assert [p.udp.src_port for p in packets.read(other)] == [6, 7, 8, 8, 9, 10]
    before = other.read_bytes()
    asked = plt.BZIP2_COMPRESSION if name != "out.pcap.bz2" else plt.ZLIB_COMPRESSION
    with pytest.raises(plt.LibtraceError, match=r"what is there is .*, what would be appended"):
        write(other, source[:1], file_flags=plt.O_APPEND, compress_type=asked)
    assert other.read_bytes() == before


@pytest.mark.parametrize("access", [os.O_RDONLY, os.O_WRONLY, os.O_RDWR])
def test_files_are_opened_to_be_written(
    access: int, source: list[plt.packet], tmp_path: Path
) -> None:
    write(f"pcapfile:{tmp_path / 'out'}", source[5:7], file_flags=access)
    assert [p.udp.src_port for p in packets.read(tmp_path / "out")] == [6, 7]


def test_a_packet_that_is_refused_decides_nothing(tmp_path: Path) -> None:
    """A pcap file's link type and clock are those of the first packet that it holds."""
    path = tmp_path / "out.pcap"
    early = plt.packet.from_bytes(b"\x45" + bytes(30), plt.TRACE_TYPE_NONE, time_ns=-5)
    exact = plt.packet.from_bytes(FRAMES[0], time_ns=1_700_000_000_123_456_789)
    with plt.output_trace(path) as out:
        with pytest.raises(plt.LibtraceError, match="no room for the packet's time"):
            out.write_packet(early)
        out.write_packet(exact)
    (packet,) = packets.read(path)
    assert (packet.time_ns, bytes(packet)) == (1_700_000_000_123_456_789, FRAMES[0])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1), (0xA1B2CD34, None), (0x1C0001AC, None)]
)
def test_append_to_each_variant_of_pcap(
    magic: int, unit: int | None, order: str, source: list[plt.packet], tmp_path: Path
) -> None:
    """In its byte order and its clock's unit; of the others nothing is known."""
    path = tmp_path / "out.pcap"
    before = packets.pcap([Record(FRAMES[0], EPOCH, 1)], order=order, magic=magic)
    if magic == 0x1C0001AC:
        before = before[:24] + bytes(4) + before[24:]
    path.write_bytes(before)
    if unit is None:
        with pytest.raises(
            plt.LibtraceError, match="nothing can be appended to a pcap file of this"
        ):
            write(f"pcapfile:{path}", source[1:3], file_flags=plt.O_APPEND)
        assert path.read_bytes() == before
        return
    write(f"pcapfile:{path}", source[1:3], file_flags=plt.O_APPEND)
    got = packets.read(path)
    assert described(got[1:]) == described(source[1:3])
    assert got[0].time_ns == EPOCH * 10**9 + unit
    assert path.read_bytes()[:4] == struct.pack(order + "I", magic)
    header = path.read_bytes()[len(before) : len(before) + 16]
    time = RECORDS[1].fraction * 1000 // unit
    length = len(FRAMES[1])
    assert header == struct.pack(order + "IIII", RECORDS[1].sec, time, length, 1500)


@pytest.mark.parametrize("name", ["10:02.pcap", "out-10:02:30.pcapng.gz"])
def test_a_colon_in_a_name(
    name: str, source: list[plt.packet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for traces that are read: what stands before it is no format."""
    monkeypatch.chdir(tmp_path)
    write(name, source[:3])
    assert len(packets.read(name)) == 3
    for path, words in (
        ("duck:out.pcap", "there is no writer for this format"),
        ("10:02", "no format is written to a file of that name"),
    ):
        with pytest.raises(ValueError, match=words):
            plt.output_trace(path)


def test_append_to_what_is_no_pcap_file(source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing to append a packet to")
    with pytest.raises(plt.LibtraceError, match="no pcap file"):
        write(f"pcapfile:{path}", source[:1], file_flags=plt.O_APPEND)
    assert path.read_text() == "nothing to append a packet to"


@pytest.mark.parametrize("name", ["out.pcap", "out.pcapng", "out.erf", "out.pcap.gz"])
def test_nothing_is_appended_behind_a_packet_that_is_cut(
    name: str, source: list[plt.packet], tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path, source)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(plt.LibtraceError, match="what would be appended could not be read"):
        write(path, source[:1], file_flags=plt.O_APPEND)
    assert path.read_bytes() == whole[:-9]


def test_append_to_an_empty_file(source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    path.touch()
    write(path, source[:2], file_flags=plt.O_APPEND)
    assert described(packets.read(path)) == described(source[:2])


@pytest.mark.parametrize("place", ["a FIFO", "a pipe's descriptor"])
def test_append_to_a_pipe(place: str, source: list[plt.packet], tmp_path: Path) -> None:
    """What went into it before can't be known: a trace begins."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(fifo, os.O_WRONLY)
    try:
        to = fifo if place == "a FIFO" else Path(f"/dev/fd/{writer}")
        write(f"pcapfile:{to}", source[:2], file_flags=plt.O_APPEND)
        got = packets.read_bytes(os.read(reader, 1 << 16), tmp_path)
    finally:
        os.close(writer)
        os.close(reader)
    assert described(got) == described(source[:2])


@pytest.mark.parametrize("compression", [plt.NO_COMPRESSION, plt.ZLIB_COMPRESSION])
def test_append_to_erf(compression: int, source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.erf"
    for part in (source[5:7], source[7:10]):
        write(f"erf:{path}", part, file_flags=plt.O_APPEND, compress_type=compression)
    assert [p.udp.src_port for p in packets.read(f"erf:{path}")] == [6, 7, 8, 9, 10]


def test_changes_are_written(tmp_path: Path) -> None:
    packet = packets.packet_of(FRAMES[0], tmp_path)
    packet.ip.ttl = 3
    packet.ip.set_checksums()
    path = tmp_path / "out.pcap"
    write(f"pcapfile:{path}", [packet, packet])
    assert [p.ip.ttl for p in packets.read(path)] == [3, 3]
    assert all(p.ip.test_l3_cksm() for p in packets.read(path))


def test_a_layer_stands_for_its_packet(source: list[plt.packet], tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    write(f"pcapfile:{path}", [source[0].udp, source[1].ip, source[2].udp.payload])
    assert [bytes(p) for p in packets.read(path)] == FRAMES[:3]


def test_while_iterating(tmp_path: Path) -> None:
    first, second = tmp_path / "in.pcap", tmp_path / "out.pcap"
    first.write_bytes(packets.pcap(RECORDS))
    with plt.trace(first) as trace, plt.output_trace(f"pcapfile:{second}") as output:
        for packet in trace:
            if packet.udp.src_port % 2:
                output.write_packet(packet)
    assert [p.udp.src_port for p in packets.read(second)] == list(range(1, 40, 2))


@pytest.mark.parametrize("dlt", [1, 9, 50, 101, 104, 105, 108, 113, 117, 127])
def test_link_types(dlt: int, tmp_path: Path) -> None:
    data = bytes(range(100))
    packet = packets.packet_of(data, tmp_path, dlt)
    path = tmp_path / "out.pcap"
    write(f"pcapfile:{path}", [packet])
    [got] = packets.read(path)
    assert bytes(got) == data
    assert (got.wire_len, got.linktype) == (packet.wire_len, packet.linktype)


VXLAN = bytes([8, 0, 0, 0, 0, 0, 5, 0])  # RFC 7348 section 5


def in_vxlan(frame: bytes) -> plt.packet:
    """The packet of a frame that came in a tunnel: it has no FCS, and counts none."""
    datagram = packets.udp(VXLAN + frame, ports=(49152, 4789))
    inner = plt.packet.from_bytes(packets.ethernet(packets.ipv4(datagram))).inner
    assert inner is not None
    return inner


def lengths_by_tshark(tshark: str, path: Path) -> list[list[str]]:
    command = [tshark, "-r", path, "-Tfields", "-eframe.cap_len", "-eframe.len"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in out.splitlines()]


@pytest.mark.parametrize("first", ["inner", "plain"])
def test_packets_of_tunnels_and_others_in_one_pcap_file(
    first: str, tmp_path: Path, tshark: str
) -> None:
    found = [in_vxlan(FRAMES[3]), plt.packet.from_bytes(FRAMES[4])]
    if first == "plain":
        found.reverse()
    path = tmp_path / "out.pcap"
    write(f"pcapfile:{path}", found)
    assert path.read_bytes()[20:24] == struct.pack("=I", packets.ETH)  # no FCS bits
    lengths = [len(bytes(packet)) for packet in found]
    assert lengths_by_tshark(tshark, path) == [[str(size)] * 2 for size in lengths]
    # with the FCS that a pcap file does not count: doc/traces.md, Lengths
    assert [p.wire_len for p in packets.read(path)] == [size + 4 for size in lengths]


def test_append_to_a_pcap_file_that_says_it_has_an_fcs_of_no_bytes(
    source: list[plt.packet], tmp_path: Path
) -> None:
    """Bit 26 of the network field with a length of 0 (draft-ietf-opsawg-pcap section 4)."""
    path = packets.write(tmp_path / "out.pcap", packets.pcap(RECORDS[:1], 1 | 1 << 26))
    write(f"pcapfile:{path}", [in_vxlan(FRAMES[3]), source[4]], file_flags=plt.O_APPEND)
    assert [bytes(p) for p in packets.read(path)] == [FRAMES[0], FRAMES[3], FRAMES[4]]


LARGE = """
import sys, packets, plt
from pathlib import Path
folder, uri, size, wire = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
small = packets.ethernet(packets.ipv4(packets.udp(b"small")))
large = packets.ethernet(packets.ipv4(packets.udp(bytes(size - 42))))
written = [small]
with plt.output_trace(uri) as output:
    output.write_packet(packets.packet_of(small, folder))
    try:
        output.write_packet(packets.packet_of(large, folder, wire=wire))
        written.append(large)
    except plt.LibtraceError as error:
        assert uri in str(error)
got = packets.read(uri)
assert [bytes(p)[:len(f)] for p, f in zip(got, written, strict=True)] == written
print(len(written), got[-1].wire_len)
"""


@pytest.mark.parametrize(
    ("prefix", "size", "wire", "written"),
    [
        ("pcapfile", 65_000, 65_000, {2}),
        ("pcapfile", 100, 65_531, {2}),
        ("pcapfile", 100, 65_532, {2}),
        ("pcapfile", 100, 70_000, {2}),
        ("pcapfile", 100, 2**32 - 1, {2}),
        ("pcapfile", 65_535, 65_535, {2}),
        ("pcapfile", 65_536, 65_536, {2}),
        ("pcapfile", 70_000, 70_000, {2}),
        ("pcapfile", 200_000, 200_000, {2}),
        ("erf", 65_000, 65_000, {2}),
        ("erf", 65_519, 65_519, {1, 2}),
        ("erf", 70_000, 70_000, {1}),
        ("erf", 100, 70_000, {1, 2}),
    ],
)
def test_large_packets(
    prefix: str, size: int, wire: int, written: set[int], tmp_path: Path
) -> None:
    """Written as they are, or refused by name where the format has no room for their lengths."""
    run = packets.child(LARGE, tmp_path, f"{prefix}:{tmp_path / 'out'}", size, wire)
    assert (run.returncode, run.stderr) == (0, "")
    count, wire_len = map(int, run.stdout.split())
    assert count in written
    if prefix == "pcapfile":
        assert wire_len == wire + 4


@pytest.mark.parametrize(
    ("size", "stated", "snap_length"),
    [
        (100, 96, 262_144),
        (100, 262_144, 262_144),
        (300_000, 0, 300_000),
        (300_000, 1 << 27, 1 << 27),  # what libpcap captures D-Bus with
        (100, 1 << 27, 1 << 27),
        (100, 2**32 - 1, 1 << 27),  # its limit
    ],
)
def test_the_snap_length_of_a_pcap_file(
    size: int, stated: int, snap_length: int, tmp_path: Path, tshark: str
) -> None:
    """No packet is longer (draft-ietf-opsawg-pcap section 4): libpcap cuts those that are."""
    content = bytearray(packets.pcap([bytes(size)], 231))  # D-Bus
    content[16:20] = struct.pack("<I", stated)
    found = packets.read_bytes(bytes(content), tmp_path)
    path = tmp_path / "out.pcap"
    write(f"pcapfile:{path}", found)
    assert path.read_bytes()[16:20] == struct.pack("=I", snap_length)
    assert described(packets.read(path)) == described(found)
    assert lengths_by_tshark(tshark, path) == [[str(size)] * 2]


@pytest.mark.parametrize("name", ["out.pcap", "out.pcapng"])
def test_packets_that_wireshark_does_not_read(name: str, tmp_path: Path) -> None:
    """Its limit for most link types, WTAP_MAX_PACKET_SIZE_STANDARD, is not the formats'."""
    for size, is_read in ((262_144, True), (262_145, False)):
        path = tmp_path / name
        with plt.output_trace(path) as output:
            output.write_packet(plt.packet.from_bytes(bytes(size)))
        assert [len(bytes(packet)) for packet in packets.read(path)] == [size]
        done = subprocess.run([tool("capinfos"), path], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is is_read, done.stderr
        assert (f"{size}" in done.stderr) is not is_read


# --- Errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", ["", "x", ":", "pcapfile:", ":x", "nosuch:x", "/tmp/x", "erf"])
def test_a_bad_uri_is_an_error_at_once(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"^Couldn't create outputTrace: "):
        plt.output_trace(uri)
    assert capfd.readouterr() == ("", "")


ENDS = """
import gc, sys, packets, plt
from pathlib import Path
folder, uri, steps = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
try:
    output = plt.output_trace(uri)
    if "s" in steps:
        output.start_output()
    if "w" in steps:
        output.write_packet(packets.packet_of(packets.ethernet(packets.ipv4()), folder))
    if "c" in steps:
        output.close_output()
except (ValueError, plt.LibtraceError) as error:
    assert uri in str(error), error
output = None
gc.collect()
print("done")
"""


@pytest.mark.parametrize(
    ("name", "steps", "writable"),
    [
        ("pcapfile", "", True),
        ("pcapfile", "s", True),
        ("pcapfile", "swc", True),
        ("pcapfile", "s", False),
        ("pcapfile", "sw", False),
        ("erf", "", True),
        ("erf", "s", True),
        ("erf", "s", False),
        ("pcap", "", True),
        ("pcap", "c", True),
        ("pcap", "s", True),
        ("pcap", "swc", True),
        ("pcap", "sw", False),
        ("duck", "", True),
        ("duck", "c", True),
        ("duck", "sw", True),
        ("duck", "s", False),
    ],
)
def test_every_end_of_an_output(name: str, steps: str, writable: bool, tmp_path: Path) -> None:
    path = tmp_path / ("out" if writable else "no such folder/out")
    run = packets.child(ENDS, tmp_path, f"{name}:{path}", steps)
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")


def test_formats_that_can_not_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("tsh", "legacyeth", "legacyatm", "legacypos", "rt"):
        with pytest.raises(ValueError, match=r"^Couldn't create outputTrace: "):
            plt.output_trace(f"{name}:{tmp_path / 'x'}")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("ending", "modules", "needs"),
    [
        ("zst", ("compression.zstd", "backports.zstd"), "the package backports.zstd"),
        ("lz4", ("lz4.frame",), "LZ4 needs the package lz4"),
    ],
)
def test_a_compressor_that_is_not_installed(
    ending: str,
    modules: tuple[str, ...],
    needs: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is named, and no file is begun."""
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    output = plt.output_trace(tmp_path / f"x.pcap.{ending}")
    with pytest.raises(plt.LibtraceError, match=needs + r": pip install 'python-libtrace\[comp"):
        output.start_output()
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(source: list[plt.packet], tmp_path: Path) -> None:
    for wrong in (None, 3, object()):
        with pytest.raises(TypeError):
            plt.output_trace(wrong)
    with pytest.raises(TypeError):
        plt.output_trace()
    output = plt.output_trace(f"pcapfile:{tmp_path / 'x'}")
    for conf in (output.conf_file_flags, output.conf_compress_type, output.conf_compress_level):
        for wrong in (None, "1", 1.0):
            with pytest.raises(TypeError):
                conf(wrong)
        for wrong in (-1, 2**40):
            with pytest.raises(ValueError, match=r"must be in"):
                conf(wrong)
    with pytest.raises(ValueError, match=r"0\.\.9"):
        output.conf_compress_level(10)
    output.start_output()
    for wrong in (None, b"", 3, "x", output):
        with pytest.raises(TypeError, match=r"takes a packet"):
            output.write_packet(wrong)
    for made in (plt.ip(bytes(20)), plt.packet()):
        with pytest.raises(ValueError, match="came from a trace"):
            output.write_packet(made)
    with pytest.raises(plt.LibtraceError, match="before it is started"):
        output.conf_compress_level(1)
    output.write_packet(source[0])
    output.close_output()


def test_states(source: list[plt.packet], tmp_path: Path) -> None:
    output = plt.output_trace(f"pcapfile:{tmp_path / 'x'}")
    with pytest.raises(plt.LibtraceError, match=r"^OutputTrace not started$"):
        output.write_packet(source[0])
    output.start_output()
    output.start_output()
    output.write_packet(source[0])
    output.close_output()
    output.close_output()
    with pytest.raises(plt.LibtraceError, match=r"^OutputTrace not started$"):
        output.write_packet(source[0])
    with pytest.raises(plt.LibtraceError, match="closed"):
        output.start_output()
    with pytest.raises(plt.LibtraceError, match="before it is started"):
        output.conf_compress_level(1)
    assert len(packets.read(tmp_path / "x")) == 1


def test_a_path_that_can_not_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "no" / "such" / "folder", tmp_path):
        output = plt.output_trace(f"pcapfile:{path}")
        try:
            output.start_output()
            packet = packets.packet_of(FRAMES[0], tmp_path)
            output.write_packet(packet)
        except plt.LibtraceError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            pytest.fail("it was written")
        output.close_output()
    assert capfd.readouterr() == ("", "")


def test_link_types_do_not_mix(source: list[plt.packet], tmp_path: Path) -> None:
    other = packets.packet_of(packets.ipv4(), tmp_path, 101)
    with plt.output_trace(f"pcapfile:{tmp_path / 'out'}") as output:
        output.write_packet(source[0])
        with pytest.raises(
            plt.LibtraceError, match="pcap file of link type 1; a pcapng file holds both"
        ):
            output.write_packet(other)
        output.write_packet(source[1])
    assert described(packets.read(tmp_path / "out")) == described(source[:2])


def test_a_link_type_that_libtrace_does_not_know(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    packet = packets.packet_of(bytes(80), tmp_path, 220)
    output = plt.output_trace(f"erf:{tmp_path / 'out'}")
    output.start_output()
    with pytest.raises(plt.LibtraceError, match="link type 220"):
        output.write_packet(packet)
    output.close_output()
    write(f"pcapfile:{tmp_path / 'out'}", [packet])  # pcap files have room for any
    assert described(packets.read(tmp_path / "out")) == described([packet])
    assert capfd.readouterr() == ("", "")


FULL = """
import sys, packets, plt
from pathlib import Path
packet = packets.packet_of(bytes(60_000), Path(sys.argv[1]))
output = plt.output_trace("pcapfile:/dev/full")
try:
    output.start_output()
    for _ in range(200):
        output.write_packet(packet)
    output.close_output()
except plt.LibtraceError as error:
    print(error)
"""


def test_a_full_disk(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    run = packets.child(FULL, tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "/dev/full" in run.stdout
