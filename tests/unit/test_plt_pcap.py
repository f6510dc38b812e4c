"""pcap, ERF, TSH and legacy files packed by hand; compression; URIs, paths, pipes."""

import bz2
import gzip
import lzma
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pace
import packets
import present
import pytest
from packets import EPOCH, Record

import plt

FRAME = packets.ethernet(packets.ipv4(packets.udp(b"payload")))
OTHER = packets.ethernet(packets.ipv6(packets.tcp(b"x" * 33), packets.TCP), 0x86DD)
#: Ethernet's FCS, which libtrace counts as part of the wire length.
FCS = 4


# --- pcap ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1), (0xA1B2CD34, 1000)]
)
@pytest.mark.parametrize("version", [(2, 4), (2, 3), (2, 2), (2, 0), (543, 0)])
@pytest.mark.parametrize("prefix", ["", "pcapfile:", "pcap:"])
def test_pcap(
    order: str, magic: int, unit: int, version: tuple[int, int], prefix: str, tmp_path: Path
) -> None:
    records = [Record(FRAME, EPOCH, 999_999, 1500), Record(OTHER, EPOCH + 1, 1)]
    content = packets.pcap(records, order=order, magic=magic, version=version)
    first, second = packets.read_bytes(content, tmp_path, prefix)
    assert (bytes(first), bytes(second)) == (FRAME, OTHER)
    assert first.time_ns == EPOCH * 10**9 + 999_999 * unit
    assert second.time_ns == (EPOCH + 1) * 10**9 + unit
    assert (first.ts_sec, second.ts_sec) == (EPOCH, EPOCH + 1)
    assert (first.wire_len, second.wire_len) == (1500 + FCS, len(OTHER) + FCS)
    assert (first.capture_len, second.capture_len) == (len(FRAME), len(OTHER))
    assert first.linktype == plt.TRACE_TYPE_ETH
    assert first.direction == plt.TRACE_DIR_UNKNOWN
    assert second.seconds == pytest.approx(EPOCH + 1 + unit * 1e-9, abs=1e-6)


def seen(packet: plt.packet) -> list[str]:
    """What `tshark_sees()` gives of it."""
    fcs = FCS if packet.linktype == plt.TRACE_TYPE_ETH else 0
    seconds, fraction = divmod(packet.time_ns, 10**9)
    lengths = [str(packet.capture_len), str(packet.wire_len - fcs)]
    return [f"{seconds}.{fraction:09}", *lengths, bytes(packet.udp.payload).hex()]


def tshark_sees(tshark: str, content: bytes, folder: Path) -> list[list[str]]:
    path = packets.write(folder / "trace", content)
    fields = ["-eframe.time_epoch", "-eframe.cap_len", "-eframe.len", "-eudp.payload"]
    done = subprocess.run(
        [tshark, "-r", path, "-Tfields", *fields], capture_output=True, text=True, check=False
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


#: The interfaces of AIX, by the numbers of RFC 1573 (ifType): a packet, what is before each.
AIX = {
    6: (FRAME, b""),
    9: (b"\x10\x40" + packets.MAC + packets.snap(FRAME[14:]), b""),
    15: (b"\x50" + packets.MAC + packets.snap(FRAME[14:]), bytes(3)),
    24: (b"\0\0\0\2" + FRAME[14:], b""),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("interface", AIX)
def test_aix(interface: int, order: str, tmp_path: Path, tshark: str) -> None:
    """Version 2.2 with an ifType in place of the link type, nanoseconds, FDDI with 3 bytes more."""
    data, before = AIX[interface]
    wire = len(before) + 100
    records = [
        Record(before + data, EPOCH, 123_456_789, wire),
        Record(before + data, EPOCH + 1, 5),
        Record(before + data, EPOCH + 2, 999_999_999, 1500),
    ]
    content = packets.pcap(records, interface, order=order, version=(2, 2))
    found = packets.read_bytes(content, tmp_path)
    assert [bytes(packet) for packet in found] == [data] * 3
    assert [packet.time_ns for packet in found] == [
        record.sec * 10**9 + record.fraction for record in records
    ]
    assert [seen(packet) for packet in found] == tshark_sees(tshark, content, tmp_path)
    assert len({packet.linktype for packet in found}) == 1
    path = packets.write(tmp_path / "trace", content)
    assert times_by_blocks(path) == [123_456_789, 1_000_000_005, 2_999_999_999]


def times_by_blocks(path: Path) -> list[int]:
    """Times after EPOCH, read by blocks of records."""
    times = plt.columns(path, ["time_ns"]).table()["time_ns"]
    return [int(time) - EPOCH * 10**9 for time in times]


@pytest.mark.parametrize(
    ("magic", "version", "network"),
    [
        (0xA1B2C3D4, (2, 4), 6),
        (0xA1B2C3D4, (2, 1), 6),
        (0xA1B2C3D4, (2, 2), 1),
        (0xA1B2C3D4, (2, 2), 1 << 26 | 6),
        (0xA1B23C4D, (2, 2), 6),
        (0xA1B2CD34, (2, 2), 6),
    ],
)
def test_what_is_not_of_aix(
    magic: int, version: tuple[int, int], network: int, tmp_path: Path, tshark: str
) -> None:
    content = packets.pcap([Record(FRAME, EPOCH, 5)], network, magic=magic, version=version)
    [packet] = packets.read_bytes(content, tmp_path)
    assert bytes(packet) == FRAME
    assert (packet.linktype == plt.TRACE_TYPE_ETH) is (network == 1)
    assert packet.time_ns == EPOCH * 10**9 + (5 if magic == 0xA1B23C4D else 5000)
    [row] = tshark_sees(tshark, content, tmp_path)
    times = {f"{packet.ts_sec}.{packet.time_ns % 10**9:09}"}
    if magic == 0xA1B23C4D:  # tshark 4.6 takes them for microseconds in this version
        times.add(f"{packet.ts_sec}.000005000")
    assert row[0] in times


def test_fddi_of_aix_with_less_than_its_padding(tmp_path: Path) -> None:
    records = [Record(bytes(size), EPOCH, size) for size in range(5)]
    found = packets.read_bytes(packets.pcap(records, 15, version=(2, 2)), tmp_path)
    assert [len(bytes(packet)) for packet in found] == [0, 0, 0, 0, 1]
    assert [packet.wire_len for packet in found] == [0, 0, 0, 0, 1]
    assert [packet.time_ns % 10**9 for packet in found] == list(range(5))


def test_lengths_of_version_2_3_come_in_either_order(tmp_path: Path, tshark: str) -> None:
    """libpcap's and Wireshark's rule: the captured length of a packet is the smaller one."""
    content = packets.pcap([], version=(2, 3))
    for second, lengths in enumerate([(len(FRAME), 100), (100, len(FRAME)), (len(FRAME),) * 2]):
        content += struct.pack("<IIII", EPOCH + second, 7, *lengths) + FRAME
    found = packets.read_bytes(content, tmp_path)
    assert [bytes(packet) for packet in found] == [FRAME] * 3
    assert [packet.wire_len for packet in found] == [100 + FCS, 100 + FCS, len(FRAME) + FCS]
    assert [seen(packet) for packet in found] == tshark_sees(tshark, content, tmp_path)


@pytest.mark.parametrize("version", [(2, 2), (2, 4)])
def test_the_order_of_lengths_is_certain_in_other_versions(
    version: tuple[int, int], tmp_path: Path, tshark: str
) -> None:
    """A length on the wire that is below the captured one stays it, as by tshark."""
    content = packets.pcap([Record(FRAME, EPOCH, 7, 30)], version=version)
    [packet] = packets.read_bytes(content, tmp_path)
    assert (bytes(packet), packet.wire_len) == (FRAME, 30 + FCS)
    [row] = tshark_sees(tshark, content, tmp_path)
    assert row[1:3] == [str(len(FRAME)), "30"]


@pytest.mark.parametrize("version", [(0, 4), (1, 4), (3, 0), (543, 1)])
def test_another_major_version_is_not_read(version: tuple[int, int], tmp_path: Path) -> None:
    # draft-ietf-opsawg-pcap section 4: it changes where older programs can't read the file
    path = packets.write(tmp_path / "trace", packets.pcap([FRAME], version=version))
    got, error = packets.until_error(path)
    assert got == []
    assert error.endswith(f"pcap of version {version[0]}.{version[1]}, which is not known")


def test_the_fcs_bits_of_the_link_type_are_no_link_type(tmp_path: Path) -> None:
    # draft-ietf-opsawg-pcap section 4: bit 26 says that bits 28 to 31 hold the FCS' length
    content = packets.pcap([FRAME], 1 | 1 << 26 | 2 << 28)
    [packet] = packets.read_bytes(content, tmp_path)
    assert packet.linktype == plt.TRACE_TYPE_ETH
    assert str(packet.ip.src_prefix) == packets.V4[0]


@pytest.mark.parametrize("linktype", [0x10000, 0x10001, 0x10004, 0x10006, 0x3FF0001])
def test_a_link_type_of_more_than_16_bits_is_none_that_is_known(
    linktype: int, tmp_path: Path
) -> None:
    """tcpdump.org/linktypes.html has none; a low half that is Ethernet's does not make it that."""
    data = b"\xff\x03\0\x21" + packets.ipv4(packets.udp(b"payload"))
    packet = packets.packet_of(data, tmp_path, linktype)
    assert bytes(packet) == data
    assert (packet.linktype, packet.ethertype, packet.layer3, packet.ip) == (-1, 0, None, None)
    assert packet.apply_filter(plt.filter("ip")) is False
    output = plt.output_trace(f"pcapfile:{tmp_path / 'out'}")
    output.start_output()
    with pytest.raises(plt.LibtraceError, match="no link type for this packet"):
        output.write_packet(packet)
    output.close_output()


def test_a_file_header_alone_is_a_trace_without_packets(tmp_path: Path) -> None:
    for prefix in ("", "pcapfile:"):
        assert packets.read_bytes(packets.pcap([]), tmp_path, prefix) == []


def test_times_at_the_ends_of_their_range(tmp_path: Path) -> None:
    content = packets.pcap([Record(FRAME, 0, 0), Record(FRAME, 0xFFFFFFFF, 999_999)])
    first, last = packets.read_bytes(content, tmp_path)
    assert (first.time_ns, first.erf_time) == (0, 0)
    assert last.time_ns == 0xFFFFFFFF * 10**9 + 999_999_000
    assert last.ts_sec == 0xFFFFFFFF
    if present.last_time() < 0xFFFFFFFF:
        with pytest.raises(ValueError, match="time 4294967295 s is outside"):
            _ = last.time
    else:
        assert last.time.microsecond == 999_999
        assert last.time.timestamp() == 0xFFFFFFFF + 0.999999


def test_microseconds_past_the_second_are_carried(tmp_path: Path) -> None:
    [packet] = packets.read_bytes(packets.pcap([Record(FRAME, EPOCH, 2_500_000)]), tmp_path)
    assert packet.time_ns == (EPOCH + 2) * 10**9 + 500_000_000


# --- ERF -------------------------------------------------------------------------------------

PAD2 = b"\0\0"  # before Ethernet in ERF
IP4 = packets.ipv4(packets.udp(b"payload"))
CISCO = b"\x0f\x00\x08\x00" + IP4
PPP = b"\xff\x03\x00\x21" + IP4
ATM = b"\0\0\0\0" + b"\xaa\xaa\x03\0\0\0\x08\0" + IP4
MULTI = b"\0\0\0\0"  # a multi-channel header


@pytest.mark.parametrize(
    ("kind", "data", "linktype"),
    [
        (2, PAD2 + FRAME, "ETH"),
        (11, PAD2 + FRAME, "ETH"),
        (16, PAD2 + FRAME, "ETH"),
        (20, PAD2 + FRAME, "ETH"),
        (1, CISCO, "HDLC_POS"),
        (1, PPP, "HDLC_POS"),
        (10, PPP, "HDLC_POS"),
        (15, CISCO, "HDLC_POS"),
        (19, PPP, "HDLC_POS"),
        (5, MULTI + PPP, "HDLC_POS"),
        (17, MULTI + CISCO, "HDLC_POS"),
        (3, ATM, "ATM"),
        (7, MULTI + ATM, "ATM"),
        (4, ATM, "AAL5"),
        (9, MULTI + ATM, "AAL5"),
        (22, IP4, "NONE"),
        (23, packets.ipv6(packets.udp(b"payload")), "NONE"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "erf:"])
def test_erf_types(kind: int, data: bytes, linktype: str, prefix: str, tmp_path: Path) -> None:
    content = packets.erf(kind, data, wire=len(data) + 7, padding=5)
    for extensions in (b"", b"\x05" + bytes(7), b"\x85" + bytes(7) + b"\x06" + bytes(7)):
        flag = 0x80 if extensions else 0
        content += packets.erf(
            kind | flag, data, wire=len(data) + 7, padding=5, extensions=extensions
        )
    got = packets.read_bytes(content, tmp_path, prefix)
    assert len(got) == 4
    for packet in got:
        assert packet.linktype == getattr(plt, "TRACE_TYPE_" + linktype)
        assert packet.wire_len == len(data) + 7
        assert bytes(packet.udp.payload)[:7] == b"payload"


def test_erf_clock_direction_and_losses(tmp_path: Path) -> None:
    # the fraction is binary: 2**31 of 2**32 is half a second
    records = [(0x80000000, 0, 3), (0x40000000, 1, 0), (1, 2, 4), (0xFFFFFFFF, 3, 0)]
    content = b"".join(
        packets.erf(2, PAD2 + FRAME, sec=EPOCH + i, fraction=f, flags=4 | d, lost=lost)
        for i, (f, d, lost) in enumerate(records)
    )
    path = packets.write(tmp_path / "erf", content)
    trace = plt.trace(f"erf:{path}")
    trace.start()
    got = list(trace)
    assert [p.time_ns % 10**9 for p in got] == [500_000_000, 250_000_000, 0, 0]
    assert [p.erf_time for p in got] == [(EPOCH + i) << 32 | r[0] for i, r in enumerate(records)]
    assert [p.direction for p in got] == [0, 1, 2, 3]
    assert trace.pkt_drops() == 7
    trace.close()
    assert trace.pkt_drops() == 7


def test_erf_pads_are_no_packets(tmp_path: Path) -> None:
    pad = packets.erf(48, bytes(48), wire=0)
    content = pad + packets.erf(2, PAD2 + FRAME) + pad + pad + packets.erf(2, PAD2 + OTHER) + pad
    got = packets.read_bytes(content, tmp_path, "erf:")
    assert [len(p.ip or p.ip6) for p in got] == [len(FRAME) - 14, len(OTHER) - 14]


def test_erf_meta_and_unknown_types_are_packets_without_layers(tmp_path: Path) -> None:
    content = packets.erf(27, bytes(32)) + packets.erf(33, bytes(32)) + packets.erf(2, PAD2 + FRAME)
    meta, unknown, ethernet = packets.read_bytes(content, tmp_path, "erf:")
    assert meta.linktype == plt.TRACE_TYPE_METADATA
    assert unknown.linktype == plt.TRACE_TYPE_UNKNOWN
    assert (meta.layer3, unknown.layer3, meta.layer2, unknown.layer2) == (None,) * 4
    assert ethernet.udp is not None


# --- Records of one size ---------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "tsh:"])
def test_tsh(prefix: str, tmp_path: Path) -> None:
    packet = packets.ipv4(packets.tcp(b"x" * 99, ports=(7, 9)), packets.TCP)
    content = packets.tsh(packet, usec=999_999, direction=1) + packets.tsh(packet, EPOCH + 1)
    first, second = packets.read_bytes(content, tmp_path, prefix)
    assert first.time_ns == EPOCH * 10**9 + 999_999_000
    assert second.ts_sec == EPOCH + 1
    assert bytes(first) == packet[:36]
    assert (first.capture_len, first.wire_len) == (36, len(packet))
    assert (first.tcp.src_port, first.tcp.dst_port) == (7, 9)
    with pytest.raises(ValueError, match=r"^Data too short for urg_ptr$"):
        _ = first.tcp.urg_ptr


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", ["legacyeth", "legacypos", "legacyatm"])
def test_legacy(name: str, named: bool, tmp_path: Path) -> None:
    clock = struct.pack("<II", 0x80000000, EPOCH)
    framing, wire = {
        "legacyeth": (clock + struct.pack("<H", len(FRAME)), len(FRAME) + FCS),
        "legacypos": (clock + struct.pack(">II", 0x40, len(CISCO)), len(CISCO)),
        "legacyatm": (clock + b"\0\0\0\0", 53),
    }[name]
    body = {"legacyeth": FRAME, "legacypos": CISCO, "legacyatm": ATM}[name]
    content = (framing + body).ljust(64, b"\0")[:64] * 3
    got = packets.read_bytes(content, tmp_path, f"{name}:" if named else "")
    assert len(got) == 3
    for packet in got:
        assert packet.time_ns == EPOCH * 10**9 + 500_000_000
        assert packet.wire_len == wire
        assert str(packet.ip.dst_prefix) == packets.V4[1]
        assert packet.udp.dst_port == 53


# --- Compression -----------------------------------------------------------------------------

COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
PLAIN = {
    "pcap": packets.pcap([FRAME, OTHER] * 5),
    "pcapng": packets.section() + packets.interface() + packets.enhanced(FRAME) * 10,
    "erf": packets.erf(2, PAD2 + FRAME) * 10,
    "tsh": packets.tsh(IP4) * 10,
}


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("name", PLAIN)
def test_compressed(name: str, compression: str, tmp_path: Path) -> None:
    plain = [(bytes(p), p.time_ns) for p in packets.read_bytes(PLAIN[name], tmp_path)]
    assert len(plain) == 10
    content = COMPRESS[compression](PLAIN[name])
    for prefix in ("", f"{name}:"):
        got = packets.read_bytes(content, tmp_path, prefix)
        assert [(bytes(p), p.time_ns) for p in got] == plain


@pytest.mark.parametrize("compression", COMPRESS)
def test_several_members(compression: str, tmp_path: Path) -> None:
    whole = PLAIN["pcap"]
    for cut in (1, 23, 24, 25, 100, len(whole) - 1):
        parts = (whole[:cut], b"", whole[cut:])
        content = b"".join(COMPRESS[compression](part) for part in parts)
        assert len(packets.read_bytes(content, tmp_path)) == 10
    many = b"".join(COMPRESS[compression](whole[i : i + 29]) for i in range(0, len(whole), 29))
    assert len(packets.read_bytes(many, tmp_path)) == 10


def test_padding_behind_a_member_is_no_damage(tmp_path: Path) -> None:
    content = gzip.compress(PLAIN["pcap"]) + bytes(512)
    assert len(packets.read_bytes(content, tmp_path)) == 10


# --- Paths -----------------------------------------------------------------------------------


class PathLike(os.PathLike):
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def test_paths_of_all_sorts(tmp_path: Path) -> None:
    for name in ("a", "with space", "with:colon", "ünïcödé", "int:lo"):
        path = packets.write(tmp_path / name, PLAIN["pcap"])
        for uri in (path, str(path), os.fsencode(path), PathLike(path), f"pcapfile:{path}"):
            assert len(packets.read(uri)) == 10
    odd = os.fsencode(tmp_path) + b"/\xff\xfe"
    with open(odd, "wb") as f:
        f.write(PLAIN["pcap"])
    assert len(packets.read(odd)) == 10
    assert len(packets.read(os.fsdecode(odd))) == 10


def test_pcapfile_may_be_pcapng_and_the_other_way_round(tmp_path: Path) -> None:
    for name in ("pcap", "pcapng"):
        for prefix in ("pcap:", "pcapfile:", "pcapng:"):
            assert len(packets.read_bytes(PLAIN[name], tmp_path, prefix)) == 10


def test_uri_is_a_keyword_too_and_no_other_type() -> None:
    assert plt.trace(uri="pcapfile:x").uri == "pcapfile:x"
    for wrong in (None, 3, object(), ["pcapfile:x"]):
        with pytest.raises(TypeError):
            plt.trace(wrong)
    for args in ((), ("a", "b")):
        with pytest.raises(TypeError):
            plt.trace(*args)
    with pytest.raises(ValueError, match="null"):
        plt.trace("a\0b")


COUNT = """
import sys, plt
with plt.trace(sys.argv[1]) as trace:
    for packet in trace:
        print(len(packet), flush=True)
"""


@pytest.mark.parametrize("uri", ["-", "pcapfile:-", "pcap:-"])
@pytest.mark.parametrize("compression", ["", *COMPRESS])
def test_standard_input(uri: str, compression: str) -> None:
    content = COMPRESS.get(compression, bytes)(PLAIN["pcap"])
    run = subprocess.run(
        [sys.executable, "-c", COUNT, uri], input=content, capture_output=True, check=False
    )
    assert run.stdout.split() == [b"%d" % len(f) for f in (FRAME, OTHER)] * 5
    assert (run.returncode, run.stderr) == (0, b"")


@pytest.mark.parametrize("prefix", ["", "pcapfile:"])
@pytest.mark.parametrize("compression", ["", "gz"])
def test_named_pipe(prefix: str, compression: str, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    content = COMPRESS.get(compression, bytes)(packets.pcap([FRAME] * 10_000))
    writer = threading.Thread(target=fifo.write_bytes, args=(content,))
    writer.start()
    assert len(packets.read(f"{prefix}{fifo}")) == 10_000
    writer.join()


@pytest.mark.parametrize(
    "uri",
    [
        "-",
        "pcap:-",
        "FIFO",
        "pcap:FIFO",
    ],
)
def test_a_packet_is_given_as_soon_as_it_is_there(uri: str, tmp_path: Path) -> None:
    """As in `tcpdump -U -w - | script`: what was written comes out while the pipe is open."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    piped = "FIFO" not in uri
    child = subprocess.Popen(
        [sys.executable, "-c", COUNT, uri.replace("FIFO", str(fifo))],
        stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    target = child.stdin if piped else fifo.open("wb")
    try:
        target.write(packets.pcap([FRAME]))
        target.flush()
        os.set_blocking(child.stdout.fileno(), False)
        printed = bytearray()
        pace.wait_until(lambda: printed.extend(child.stdout.read() or b"") or b"\n" in printed)
        assert printed == b"%d\n" % len(FRAME)
        assert child.poll() is None
    finally:
        target.close()
        child.wait()
        child.stdout.close()
