"""pcapng files packed by hand: sections, interfaces, clocks, blocks of all sorts, options."""

import struct
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import packets
import present
import pytest
from packets import EPOCH, block, enhanced, interface, option, section, simple

import plt

FRAME = packets.ethernet(packets.ipv4(packets.udp(b"payload")))
PACKET = packets.ipv4(packets.tcp(b"x", ports=(7, 9)), packets.TCP)
COOKED = b"\0\4\0\1\0\6" + packets.MAC[:6] + b"\0\0\x08\x00" + PACKET  # Linux cooked, outgoing
FCS = 4
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def resolution(value: int, order: str = "<") -> bytes:
    return option(9, bytes([value]), order)  # if_tsresol


def obsolete(data: bytes, ticks: int, order: str, *, on: int = 0, options: bytes = b"") -> bytes:
    """A packet block, obsolete: 16 bits of interface, 16 of drops."""
    fields = struct.pack(order + "HHIIII", on, 3, ticks >> 32, ticks & 0xFFFFFFFF, len(data), 1500)
    return block(2, fields + data + b"\0" * (-len(data) % 4) + options, order)


@ORDERS
@pytest.mark.parametrize("prefix", ["", "pcapfile:", "pcapng:"])
def test_enhanced_packets(order: str, prefix: str, tmp_path: Path) -> None:
    ticks = EPOCH * 10**6 + 123_456
    content = (
        section(order)
        + interface(1, order)
        + enhanced(FRAME, ticks, order, wire=1500)
        + enhanced(FRAME[:15], ticks + 1, order)  # 15 bytes and one of padding
    )
    first, second = packets.read_bytes(content, tmp_path, prefix)
    assert first.time_ns == ticks * 1000
    assert second.time_ns == ticks * 1000 + 1000
    assert (first.wire_len, second.wire_len) == (1500 + FCS, 15 + FCS)
    assert (bytes(first), bytes(second)) == (FRAME, FRAME[:15])
    assert first.udp.dst_port == 53


@ORDERS
@pytest.mark.parametrize(
    "code", [0, 1, 3, 6, 9, 10, 12, 15, 18, 0x80, 0x8A, 0x94, 0x9E, 0xA0, 0xA8, 0xBF]
)
def test_resolutions(order: str, code: int, tmp_path: Path) -> None:
    """if_tsresol: a power of 10, or of 2 where the first bit is set."""
    per_second = 2 ** (code & 0x7F) if code & 0x80 else 10**code
    whole = EPOCH if EPOCH * per_second < 2**64 else 1
    ticks = whole * per_second + per_second // 3
    assert ticks < 2**64
    content = section(order) + interface(1, order, resolution(code, order))
    [packet] = packets.read_bytes(content + enhanced(FRAME, ticks, order), tmp_path)
    assert packet.time_ns == Fraction(ticks, per_second) * 10**9 // 1
    assert packet.ts_sec == whole


@pytest.mark.parametrize("code", [19, 20, 25, 38, 39, 64, 127, 0xC0, 0xC1, 0xDD, 0xDE, 0xFF])
def test_clocks_finer_than_any(code: int, tmp_path: Path) -> None:
    per_second = 2 ** (code & 0x7F) if code & 0x80 else 10**code
    for ticks in (0, 1, 10**18, 2**64 - 1):
        content = section() + interface(1, "<", resolution(code)) + enhanced(FRAME, ticks)
        [packet] = packets.read_bytes(content, tmp_path)
        assert packet.time_ns == Fraction(ticks, per_second) * 10**9 // 1


@ORDERS
@pytest.mark.parametrize("offset", [1, 3600, -3600, 2**33, -EPOCH])
def test_time_offsets(order: str, offset: int, tmp_path: Path) -> None:
    options = option(14, struct.pack(order + "q", offset), order)  # if_tsoffset, seconds
    content = section(order) + interface(1, order, options)
    [packet] = packets.read_bytes(content + enhanced(FRAME, EPOCH * 10**6, order), tmp_path)
    assert packet.time_ns == (EPOCH + offset) * 10**9


def test_times_before_the_epoch_and_beyond_datetime(tmp_path: Path) -> None:
    for offset in (-EPOCH - 1, 2**40, 2**62, -(2**62)):
        options = option(14, struct.pack("<q", offset))
        content = section() + interface(1, "<", options)
        [packet] = packets.read_bytes(content + enhanced(FRAME, EPOCH * 10**6), tmp_path)
        assert packet.time_ns == (EPOCH + offset) * 10**9
        assert packet.ts_sec == EPOCH + offset
        if offset > 0:
            with pytest.raises(ValueError, match="outside datetime's range"):
                _ = packet.time


@pytest.mark.skipif(present.last_time() < 2**32 - 1, reason="time_t has 32 bits")
def test_the_years_of_datetime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 to 9999, of the proleptic Gregorian calendar as of time_t."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    first = datetime(1, 1, 1, tzinfo=UTC)
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    ends = [(moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) for moment in
            (first, last)]  # fmt: skip
    try:
        for second, year in (
            (ends[0], 1),
            (ends[0] - 1, None),
            (ends[1], 9999),
            (ends[1] + 1, None),
        ):
            options = option(14, struct.pack("<q", second))
            content = section() + interface(1, "<", options) + enhanced(FRAME, 0)
            [packet] = packets.read_bytes(content, tmp_path)
            assert packet.ts_sec == second
            if year is None:
                with pytest.raises(ValueError, match="outside datetime's range"):
                    _ = packet.time
            else:
                assert packet.time.year == year
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("kind", [simple, enhanced])
def test_a_packet_of_no_interface(kind: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", section() + kind(FRAME))
    got, error = packets.until_error(path)
    assert got == []
    assert error.endswith("packet 1: its block names interface 0 of 0")


@ORDERS
def test_statistics_of_no_interface_say_nothing(order: str, tmp_path: Path) -> None:
    drops = option(5, struct.pack(order + "Q", 7), order)  # isb_ifdrop
    content = section(order) + interface(1, order)
    for body in (b"", bytes(4), bytes(8), struct.pack(order + "III", 1, 0, 0) + drops):
        content += block(5, body, order)
    content += block(5, struct.pack(order + "III", 0, 0, 0) + drops, order) + enhanced(
        FRAME, 0, order
    )
    with plt.trace(packets.write(tmp_path / "trace", content)) as trace:
        assert [bytes(packet) for packet in trace] == [FRAME]
        assert trace.pkt_drops() == 7


@ORDERS
def test_interfaces_of_several_link_types_and_clocks(order: str, tmp_path: Path) -> None:
    nano = option(2, b"eth0\0", order) + resolution(9, order) + option(0, b"", order)
    content = (
        section(order)
        + interface(1, order)
        + interface(113, order, nano)
        + interface(101, order, resolution(0x8A, order))
        + enhanced(FRAME, EPOCH * 10**6, order)
        + enhanced(COOKED, EPOCH * 10**9 + 1, order, on=1)
        + interface(105, order)  # interfaces may come late
        + enhanced(PACKET, EPOCH * 1024 + 512, order, on=2)
        + enhanced(b"\x08\0" + bytes(30), EPOCH * 10**6, order, on=3)
    )
    ethernet, cooked, raw, wireless = packets.read_bytes(content, tmp_path)
    assert ethernet.linktype == plt.TRACE_TYPE_ETH
    assert cooked.time_ns == EPOCH * 10**9 + 1
    assert cooked.direction == plt.TRACE_DIR_OUTGOING
    assert raw.linktype == plt.TRACE_TYPE_NONE
    assert raw.time_ns == EPOCH * 10**9 + 500_000_000
    assert [p.tcp.dst_port for p in (cooked, raw)] == [9, 9]
    assert wireless.linktype == plt.TRACE_TYPE_80211


def test_sections_of_both_byte_orders(tmp_path: Path) -> None:
    content = b""
    for order, dlt, data in (("<", 1, FRAME), (">", 101, PACKET), ("<", 113, COOKED)):
        content += section(order, option(4, b"a test\0", order)) + interface(dlt, order)
        content += enhanced(data, EPOCH * 10**6, order)
    got = packets.read_bytes(content, tmp_path)
    assert [bytes(p) for p in got] == [FRAME, PACKET, COOKED]
    assert [p.proto for p in got] == [17, 6, 6]
    assert {p.time_ns for p in got} == {EPOCH * 10**9}


def test_a_section_forgets_the_interfaces_of_the_last(tmp_path: Path) -> None:
    content = section() + interface() + enhanced(FRAME) + section() + enhanced(FRAME)
    path = packets.write(tmp_path / "t", content)
    got, message = packets.until_error(path)
    assert len(got) == 1
    assert "packet 2" in message
    assert "interface 0 of 0" in message


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [(0, 1), (1, 1), (1, 3), (2, 0)])
def test_a_section_of_another_version_is_not_read(
    version: tuple[int, int], order: str, tmp_path: Path
) -> None:
    # draft-ietf-opsawg-pcapng section 4.1: one with other blocks than those of 1.0
    content = section() + interface() + enhanced(FRAME)
    content += section(order, version=version) + interface(1, order) + enhanced(FRAME, 0, order)
    path = packets.write(tmp_path / "trace", content)
    got, error = packets.until_error(path)
    assert [bytes(packet) for packet in got] == [FRAME]
    assert error.endswith(f"pcapng of version {version[0]}.{version[1]}, which is not known")


def test_a_section_header_without_its_length(tmp_path: Path) -> None:
    # section 4.1: 16 bytes come before its options
    cut = block(0x0A0D0D0A, struct.pack("<IHH", 0x1A2B3C4D, 1, 0))
    path = packets.write(tmp_path / "trace", cut + interface() + enhanced(FRAME))
    got, error = packets.until_error(path)
    assert got == []
    assert error.endswith("a section header of 8 bytes is too short")


def test_version_1_2_is_read_as_1_0(tmp_path: Path) -> None:
    # section 4.1: some programs wrote it for the same format
    content = section(version=(1, 2)) + interface() + enhanced(FRAME)
    [packet] = packets.read_bytes(content, tmp_path)
    assert bytes(packet) == FRAME


@ORDERS
def test_simple_packets(order: str, tmp_path: Path) -> None:
    content = (
        section(order)
        + interface(1, order, snaplen=40)
        + simple(FRAME, order)  # cut by what the interface says: 40 bytes
        + simple(FRAME[:40], order, wire=1500)
        + simple(FRAME[:33], order)  # 3 bytes of padding
    )
    # a writer with a snap length stores no more than it
    stored = section(order) + interface(1, order) + simple(FRAME, order)
    assert bytes(packets.read_bytes(stored, tmp_path)[0]) == FRAME
    got = packets.read_bytes(content, tmp_path)
    assert [bytes(p) for p in got] == [FRAME[:40], FRAME[:40], FRAME[:33]]
    assert [p.wire_len for p in got] == [len(FRAME) + FCS, 1500 + FCS, 33 + FCS]
    assert {p.time_ns for p in got} == {0}


@ORDERS
def test_obsolete_packets(order: str, tmp_path: Path) -> None:
    content = section(order) + interface(1, order) + interface(101, order, resolution(9, order))
    content += obsolete(FRAME, EPOCH * 10**6, order) + obsolete(PACKET, EPOCH * 10**9, order, on=1)
    first, second = packets.read_bytes(content, tmp_path)
    assert (bytes(first), bytes(second)) == (FRAME, PACKET)
    assert first.time_ns == second.time_ns == EPOCH * 10**9
    assert (first.wire_len, second.wire_len) == (1500 + FCS, 1500)


@ORDERS
def test_blocks_that_are_no_packets_are_passed(order: str, tmp_path: Path) -> None:
    def custom(kind: int) -> bytes:
        return block(kind, struct.pack(order + "I", 32473) + b"private data", order)

    others = [
        block(4, struct.pack(order + "HHHH", 0, 0, 0, 0), order),  # name resolution
        block(10, struct.pack(order + "II", 0x544C534B, 5) + b"KEYS\n", order),  # secrets
        block(9, b"journal entry", order),
        custom(0xBAD),
        custom(0x40000BAD),
        block(0x0BAD_F00D, b"", order),
        block(0x8000_0001, bytes(3_000_000), order),  # larger than any buffer
    ]
    content = section(order) + b"".join(others) + interface(1, order)
    for other in others:
        content += other + enhanced(FRAME, EPOCH * 10**6, order)
    got = packets.read_bytes(content + others[0], tmp_path)
    assert [bytes(p) for p in got] == [FRAME] * len(others)


@ORDERS
def test_options_of_packets_are_passed(order: str, tmp_path: Path) -> None:
    options = (
        option(1, b"a comment", order)
        + option(2, struct.pack(order + "I", 1), order)  # flags: inbound
        + option(2988, struct.pack(order + "I", 32473) + b"custom", order)
        + option(0, b"", order)
    )
    content = section(order, options) + interface(1, order, options)
    content += enhanced(FRAME, 5, order, options=options) * 3
    assert [bytes(p) for p in packets.read_bytes(content, tmp_path)] == [FRAME] * 3


def flags(word: int, order: str = "<") -> bytes:
    """The option epb_flags (draft-ietf-opsawg-pcapng section 4.3)."""
    return option(2, struct.pack(order + "I", word), order) + option(0, b"", order)


def test_the_direction_in_the_flags_is_not_that_of_the_packet(tmp_path: Path) -> None:
    """As the golden dump of mpeg.pcap has it; a cooked header says 4, sent by the host."""
    content = section() + interface(1) + enhanced(FRAME, options=flags(1))
    content += section() + interface(113) + enhanced(COOKED, options=flags(1))
    found = packets.read_bytes(content, tmp_path)
    assert [p.direction for p in found] == [plt.TRACE_DIR_UNKNOWN, plt.TRACE_DIR_OUTGOING]


@ORDERS
@pytest.mark.parametrize("told", [None, 0, 2, 4])
@pytest.mark.parametrize("fcs", [0, 1, 2, 4, 8])
def test_the_fcs_of_a_packet(
    fcs: int, told: int | None, order: str, tmp_path: Path, tshark: str
) -> None:
    """Bits 5 to 8 of its flags, in bytes, come before if_fcslen, but for 0 (section 4.3.1)."""
    options = b"" if told is None else option(13, bytes([told]), order) + option(0, b"", order)
    captured = fcs or told or 0
    # of length 0, as by segmentation offload: it ends where the FCS begins
    data = packets.ethernet(packets.ipv4(b"x" * 48, 253, length=0)) + bytes(captured)
    content = section(order) + interface(1, order, options)
    content += enhanced(data, 5, order, options=flags(fcs << 5, order))
    [packet] = packets.read_bytes(content, tmp_path)
    assert bytes(packet) == data
    assert bytes(packet.ip.payload) == b"x" * 48
    says_none = fcs == 0 and told is None
    assert packet.wire_len == len(data) + (FCS if says_none else 0)
    command = [tshark, "-r", packets.write(tmp_path / "trace", content), "-Tfields", "-edata.len"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "48\n"


@pytest.mark.parametrize("length", [0, 1, 3])
def test_flags_that_are_too_short(length: int, tmp_path: Path) -> None:
    content = section() + interface(1) + enhanced(FRAME, options=option(2, b"\xff" * length))
    [packet] = packets.read_bytes(content, tmp_path)
    assert (packet.direction, packet.wire_len) == (plt.TRACE_DIR_UNKNOWN, len(FRAME) + FCS)


def test_malformed_options_are_as_if_absent(tmp_path: Path) -> None:
    malformed = [
        b"\x09\0\xff\xff\x09\0\0\0",  # longer than the block
        b"\x09\0\0\0",  # if_tsresol without a value
        b"\x09\0\x01",  # cut
        b"\0\0\0\0" + resolution(9),  # after the end of the options
        option(14, b"\1\2\3\4"),  # if_tsoffset too short
    ]
    for options in malformed:
        content = section() + interface(1, "<", options) + enhanced(FRAME, EPOCH * 10**6)
        [packet] = packets.read_bytes(content, tmp_path)
        assert packet.time_ns == EPOCH * 10**9


def test_many_statistics_of_many_interfaces(tmp_path: Path) -> None:
    """The time they take grows with their number, not with its square: 40,000,000,000 steps."""
    count = 200_000

    def statistics(interface_id: int, dropped: int) -> bytes:
        return block(
            5, struct.pack("<III", interface_id, 0, 0) + option(5, struct.pack("<Q", dropped))
        )

    content = section() + interface() * count
    content += b"".join(statistics(i, 5) + statistics(i, 3) for i in range(count))
    with plt.trace(packets.write(tmp_path / "t", content + enhanced(FRAME))) as trace:
        assert len(list(trace)) == 1
        assert trace.pkt_drops() == 3 * count  # the later statistics count


@ORDERS
def test_drops_are_those_of_the_last_statistics(order: str, tmp_path: Path) -> None:
    def statistics(interface_id: int, dropped: int, by_system: int) -> bytes:
        options = option(5, struct.pack(order + "Q", dropped), order)
        options += option(7, struct.pack(order + "Q", by_system), order)
        return block(5, struct.pack(order + "III", interface_id, 0, 0) + options, order)

    content = section(order) + interface(1, order) * 2 + enhanced(FRAME, 1, order)
    content += statistics(0, 1, 0) + statistics(0, 3, 4) + statistics(1, 20, 10)
    content += statistics(9, 1000, 0)  # of no interface
    content += section(order) + interface(1, order) + statistics(0, 100, 0)
    trace = plt.trace(packets.write(tmp_path / "t", content))
    trace.start()
    assert len(list(trace)) == 1
    assert trace.pkt_drops() == 3 + 4 + 20 + 10 + 100
    assert trace.pkt_accepts() == 1
    trace.close()


def test_tshark_agrees(tmp_path: Path, tshark: str) -> None:
    """Times and lengths of a file with two sections, three clocks and all packet blocks."""
    content = section("<") + interface(1) + interface(101, "<", resolution(9))
    content += enhanced(FRAME, EPOCH * 10**6 + 7) + simple(FRAME)
    content += enhanced(PACKET, EPOCH * 10**9 + 987_654_321, on=1, wire=70)
    content += section(">") + interface(113, ">", resolution(0x94, ">"))
    content += enhanced(COOKED, EPOCH * 2**20 + 2**19, ">") + obsolete(COOKED, EPOCH << 20, ">")
    path = packets.write(tmp_path / "t.pcapng", content)
    fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "ip.proto"]
    out = subprocess.run(
        [tshark, "-r", path, "-Tfields", *(f"-e{field}" for field in fields)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split("\t") for line in out.splitlines()]
    got = packets.read(path)
    assert len(rows) == len(got) == 5
    for row, packet in zip(rows, got, strict=True):
        fcs = FCS if packet.linktype == plt.TRACE_TYPE_ETH else 0
        if row[0]:  # a simple packet has none
            assert Fraction(row[0]) * 10**9 == packet.time_ns
        assert [int(n) for n in row[1:]] == [
            packet.wire_len - fcs,
            packet.capture_len,
            packet.ip.proto,
        ]


NO_MEMORY = """
import sys
import _testcapi
import plt

def read(failing):
    with plt.trace(sys.argv[1]) as trace:
        packets, failed = [], 0
        while True:
            if failing:
                _testcapi.set_nomemory(failing, failing + 1)
            try:
                packet = next(trace, None)
            except MemoryError:
                failed, failing = 1, 0
                continue
            finally:
                _testcapi.remove_mem_hooks()
            if packet is None:
                return packets, failed
            packets.append((packet.time_ns, bytes(packet)))
            failing = 0

whole, _ = read(0)
print(len(whole))
failures = 0
for call in range(1, 30):
    packets, failed = read(call)
    assert packets == whole, (call, packets)
    failures += failed
print(failures > 0)
"""


def test_an_interface_waits_for_memory(tmp_path: Path) -> None:
    """Its block is read again: the packets after it have their interface."""
    pytest.importorskip("_testcapi")
    content = section() + b"".join(interface() + enhanced(FRAME, n, on=n) for n in range(9))
    run = packets.child(NO_MEMORY, packets.write(tmp_path / "t", content))
    assert (run.stdout.split(), run.stderr) == (["9", "True"], "")
