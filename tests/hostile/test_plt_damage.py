"""Traces that are missing, cut or damaged: all that is whole, then an error that says where."""

import bz2
import gzip
import lzma
import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import packets
import pytest
from packets import EPOCH, Record, block, enhanced, interface, option, section, simple, until_error

import plt

FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(bytes([i]) * i, ports=(i, 53)))) for i in range(1, 6)
]
IP = packets.ipv4(packets.tcp(b"payload"), packets.TCP)


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing here may print, neither we nor libtrace."""
    yield
    assert capfd.readouterr() == ("", "")


def told(uri: object, words: str, *, count: int = 0, number: int | None = None) -> str:
    """Read a trace: `count` packets, then a LibtraceError with the URI, the number and words."""
    found, message = until_error(uri)
    assert len(found) == count
    assert str(uri) in message
    assert words in message
    if number is not None:
        assert f"packet {number}" in message
    return message


# --- No trace at all -------------------------------------------------------------------------

PREFIXES = ["", "pcapfile:", "pcap:", "pcapng:", "erf:", "tsh:", "duck:", "legacyeth:"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_missing_empty_and_directory(prefix: str, tmp_path: Path) -> None:
    told(f"{prefix}{tmp_path}/none", "No such file or directory")
    told(f"{prefix}{tmp_path}", "directory")
    empty = f"{prefix}{packets.write(tmp_path / 'empty', b'')}"
    if prefix in ("erf:", "tsh:", "legacyeth:"):  # no file header: there are no packets
        assert packets.read(empty) == []
    else:
        told(empty, "empty")
    (tmp_path / "loop").symlink_to("loop")
    told(f"{prefix}{tmp_path}/loop", "symbolic link")
    told(f"{prefix}{packets.write(tmp_path / 'file', b'x')}/below", "Not a directory")


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_nothing_and_nonsense(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    told(packets.write(tmp_path / "empty", compress(b"")), "empty")
    told(packets.write(tmp_path / "text", compress(b"hello, world\n" * 99)), "68 65 6c 6c 6f")
    told(
        packets.write(tmp_path / "cut", compress(b"hello")[:5]),
        "cut" if compress is not bz2.compress else "",
    )


@pytest.mark.parametrize(
    "content", [b"x", b"\n", b"hello, world\n" * 99, bytes(5000), b"\xff" * 5000, b"\xd4\xc3\xb2"]
)
def test_not_a_trace(content: bytes, tmp_path: Path) -> None:
    path = packets.write(tmp_path / "file", content)
    begin = content[:4].hex(" ")
    for prefix in ("", "pcapfile:", "pcap:", "pcapng:"):
        assert begin in told(f"{prefix}{path}", "Couldn't start trace: ")


def test_odd_uris() -> None:
    for uri in ("", ":", "nosuch:file", "pcapfile:", "x" * 5000, "pcapfile", "\ud800", "-:-"):
        found, message = until_error(uri)
        assert found == []
        assert message.startswith("Couldn't start trace: ")
    assert "'nosuch' is no format" in until_error("nosuch:file")[1]


@pytest.mark.parametrize("name", ["rt", "dag", "dpdk", "wag", "wtf", "legacynzix", "atmhdr", "bpf"])
def test_formats_that_need_hardware_or_a_server(name: str, tmp_path: Path) -> None:
    text = packets.write(tmp_path / "text", b"hello")
    for path in (tmp_path / "none", tmp_path, text):
        found, message = until_error(f"{name}:{path}")
        assert found == []
        assert str(path) in message


# --- Cut anywhere ----------------------------------------------------------------------------

PAD2 = b"\0\0"
WHOLE: dict[str, list[bytes]] = {  # a header, then one record each, or more
    "pcap": [packets.pcap([])] + [packets.pcap([f])[24:] for f in FRAMES],
    "pcapng": [section(), interface()]
    + [enhanced(f, options=option(1, b"comment")) for f in FRAMES]
    + [simple(FRAMES[0]), block(5, bytes(12))],
    "erf": [packets.erf(2, PAD2 + f, padding=3) for f in FRAMES],
    "tsh": [packets.tsh(IP) for _ in FRAMES],
    "legacyeth": [
        (struct.pack("<IIH", 0, EPOCH, len(f)) + f).ljust(64, b"\0") for f in FRAMES
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_cut_at_every_byte(name: str, tmp_path: Path) -> None:
    parts = WHOLE[name]
    content = b"".join(parts)
    borders = {0: 0}
    for i in range(1, len(parts) + 1):
        before = sum(map(len, parts[:i]))
        borders[before] = len(packets.read_bytes(content[:before], tmp_path, f"{name}:"))
    all_packets = [bytes(p) for p in packets.read_bytes(content, tmp_path, f"{name}:")]
    assert len(all_packets) >= 5
    path = tmp_path / "cut"
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        expected = max(count for border, count in borders.items() if border <= length)
        found, message = until_error(f"{name}:{path}")
        assert [bytes(p) for p in found] == all_packets[:expected]
        assert (message == "") == (length in borders)
        if message and (found or length > len(parts[0])):
            assert f"packet {expected + 1}: the trace is cut within " in message


def test_the_error_stays(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES)[:-1])
    with plt.trace(path) as trace:
        assert len([next(trace) for _ in range(4)]) == 4
        messages = set()
        for _ in range(3):
            with pytest.raises(plt.LibtraceError) as caught:
                next(trace)
            messages.add(str(caught.value))
            with pytest.raises(plt.LibtraceError):
                trace.read_packet(plt.packet())
        assert len(messages) == 1
        assert trace.pkt_accepts() == 4


def test_packets_before_the_damage_stay_valid(tmp_path: Path) -> None:
    found, message = until_error(packets.write(tmp_path / "t", packets.pcap(FRAMES)[:-1]))
    assert "packet 5" in message
    assert [p.udp.src_port for p in found] == [1, 2, 3, 4]


# --- Compressed and damaged ------------------------------------------------------------------

NOISE = [random.Random(i).randbytes(300) for i in range(2000)]
LONG = packets.pcap(NOISE)
RECORD = 16 + 300


def whole_in(stream: bytes) -> int:
    """How many packets a piece of LONG holds."""
    return max(0, (len(stream) - 24) // RECORD)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_and_cut(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = compress(LONG)
    opened: dict = {gzip.compress: lambda: zlib.decompressobj(31), bz2.compress:
                    bz2.BZ2Decompressor, lzma.compress: lzma.LZMADecompressor}  # fmt: skip
    for length in [*range(100, len(content), len(content) // 15), len(content) - 1]:
        path = packets.write(tmp_path / "t", content[:length])
        found, message = until_error(f"pcapfile:{path}")
        expected = whole_in(opened[compress]().decompress(content[:length]))
        assert [bytes(p) for p in found] == NOISE[:expected]
        assert "cut" in message


@pytest.mark.parametrize("at", [0.01, 0.2, 0.5, 0.9, 0.999])
def test_gzip_damaged_in_the_middle(at: float, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(LONG))
    hole = int(len(content) * at)
    content[hole : hole + 8] = b"\xff" * 8
    path = packets.write(tmp_path / "t", content)
    # what a decompressor gives before it meets the hole
    before = zlib.decompressobj(31).decompress(content[:hole])
    found, message = until_error(f"pcapfile:{path}")
    assert "damaged" in message or "packet" in message
    assert len(found) >= whole_in(before)
    assert [bytes(p) for p in found[: whole_in(before)]] == NOISE[: whole_in(before)]


def test_gzip_with_a_wrong_check_sum_gives_all_packets_first(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(LONG))
    content[-8] ^= 1
    found, message = until_error(packets.write(tmp_path / "t", content))
    assert [bytes(p) for p in found] == NOISE
    assert "damaged" in message
    assert "after packet 2000" in message


ORDER = [bytes(random.Random(i).choices((0, 1), (60, 1), k=300)) for i in range(2000)]


@pytest.mark.parametrize(
    ("kind", "content"),
    [("bz2", NOISE), ("xz", NOISE), ("xz", ORDER)],
    ids=["bz2", "xz", "small xz"],
)
def test_blocks_before_a_damaged_one_are_read(
    kind: str, content: list[bytes], tmp_path: Path
) -> None:
    """Blocks of 100 kB (bzip2) and streams (xz), of which the last is damaged."""
    plain = packets.pcap(content)
    if kind == "bz2":
        compressed = bytearray(bz2.compress(plain, 1))
    else:
        compressed = bytearray(
            b"".join(lzma.compress(plain[i : i + 99_999]) for i in range(0, len(plain), 99_999))
        )
    hole = len(compressed) - 900
    compressed[hole : hole + 8] = b"\xff" * 8
    found, message = until_error(packets.write(tmp_path / "t", compressed))
    assert "damaged" in message
    assert len(found) >= whole_in(plain[: len(plain) // 100_000 * 100_000 - 100_000])
    assert [bytes(p) for p in found] == content[: len(found)]


# --- Wrong lengths ---------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [128 * 2**20 + 1, 2**31 - 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_claims_too_much(claim: int, order: str, tmp_path: Path) -> None:
    content = packets.pcap(FRAMES, order=order)
    content += struct.pack(order + "IIII", EPOCH, 0, claim, claim) + bytes(1000)
    message = told(packets.write(tmp_path / "t", content), str(claim), count=5, number=6)
    assert "capture length" in message


@pytest.mark.parametrize("claim", [1001, 70_000, 128 * 2**20])
def test_pcap_claims_more_than_there_is(claim: int, tmp_path: Path) -> None:
    content = packets.pcap(FRAMES) + struct.pack("<IIII", EPOCH, 0, claim, claim) + bytes(1000)
    told(packets.write(tmp_path / "t", content), "cut within a packet", count=5, number=6)


def wrong_blocks() -> dict[str, bytes]:
    good = enhanced(FRAMES[0])

    def patched(at: int, value: int, of: bytes = good) -> bytes:
        return of[:at] + struct.pack("<I", value) + of[at + 4 :]

    claims = {f"length {n}": patched(4, n) for n in (0, 4, 8, 11, 13, len(good) + 1, 2**32 - 1)}
    claims |= {f"trailer {n}": patched(len(good) - 4, n) for n in (0, 12, len(good) + 4, 2**32 - 1)}
    captured = {f"captured {n}": patched(20, n) for n in (1000, 2**31, 2**32 - 1)}
    interfaces = {f"interface {n}": patched(8, n) for n in (1, 0xFFFF, 2**32 - 1)}
    short = {f"body of {n}": block(6, bytes(n)) for n in (0, 4, 8, 16)}
    old = {f"old body of {n}": block(2, bytes(n)) for n in (0, 16)}
    none = {"simple without a length": block(3, b""), "interface too short": block(1, b"\1\0\0\0")}
    sections = {"section without magic": block(0x0A0D0D0A, bytes(16))}
    return claims | captured | interfaces | short | old | none | sections


@pytest.mark.parametrize("name", wrong_blocks())
def test_pcapng_blocks_with_wrong_lengths(name: str, tmp_path: Path) -> None:
    content = section() + interface() + enhanced(FRAMES[0]) * 2
    path = packets.write(tmp_path / "t", content + wrong_blocks()[name] + bytes(200))
    told(path, "", count=2, number=3)


@pytest.mark.parametrize("length", [0, 1, 15])
def test_erf_records_shorter_than_their_header(length: int, tmp_path: Path) -> None:
    record = bytearray(packets.erf(2, PAD2 + FRAMES[0]))
    struct.pack_into(">H", record, 10, length)
    path = packets.write(tmp_path / "t", packets.erf(2, PAD2 + FRAMES[1]) * 2 + record)
    told(f"erf:{path}", f"record length of {length}", count=2, number=3)


def test_erf_extension_headers_without_end(tmp_path: Path) -> None:
    content = packets.erf(0x82, b"\x80" + bytes(7) + (b"\x80" + bytes(7)) * 9, wire=1000)
    content += packets.erf(2, PAD2 + FRAMES[0])
    first, second = packets.read_bytes(content, tmp_path, "erf:")
    assert len(first) == 0
    assert second.udp.src_port == 1


MEASURE = """
import sys, packets
found, message = packets.until_error(sys.argv[1])
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(len(found), peak // 1024)
print(message)
"""
FIVE = section() + interface() + b"".join(map(enhanced, FRAMES))
ZEROS = 160 << 20


def bomb(compressor: object) -> bytes:
    """Five packets, a block of very many zeros, and damage."""
    out = [compressor.compress(FIVE + struct.pack("<II", 0x0BAD, ZEROS + 12))]
    out += [compressor.compress(bytes(1 << 20)) for _ in range(ZEROS >> 20)]
    out += [compressor.compress(struct.pack("<I", ZEROS + 12) + b"xxxx"), compressor.flush()]
    return b"".join(out)


CLAIMS: dict[str, Callable[[], bytes]] = {
    "pcap": lambda: packets.pcap(FRAMES) + struct.pack("<IIII", 1, 0, 128 << 20, 128 << 20),
    "pcapng": lambda: FIVE + struct.pack("<II", 6, 128 << 20) + bytes(1000),
    "unknown block": lambda: FIVE + struct.pack("<II", 0xBAD, 2**32 - 4) + bytes(1000),
    "gzip": lambda: bomb(zlib.compressobj(1, wbits=31)),
    "bzip2": lambda: bomb(bz2.BZ2Compressor()),
    "xz": lambda: bomb(lzma.LZMACompressor(preset=0)),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_memory_follows_what_is_there_not_what_is_claimed(name: str, tmp_path: Path) -> None:
    """A file of some kilobytes may not take hundreds of megabytes, compressed or not."""
    path = packets.write(tmp_path / "t", CLAIMS[name]())
    run = packets.child(MEASURE, path)
    assert run.returncode == 0
    count, megabytes = map(int, run.stdout.split("\n")[0].split())
    assert count == 5
    assert "packet 6" in run.stdout
    if not os.environ.get("PLT_ASAN"):
        assert megabytes < 120


# --- Sizes -----------------------------------------------------------------------------------


def test_packets_of_no_bytes(tmp_path: Path) -> None:
    for dlt in (0, 1, 9, 50, 101, 105, 113, 117, 119, 127, 192, 239, 258, 276, 65000):
        content = packets.pcap([Record(b"", wire=60), FRAMES[0], b""], dlt)
        first, _, third = packets.read_bytes(content, tmp_path)
        for packet in (first, third):
            assert (len(packet), packet.capture_len, packet.data) == (0, 0, bytearray())
            assert (packet.layer3, packet.ip, packet.ip6, packet.transport) == (None,) * 4
            assert (packet.ethertype, packet.proto, packet.vlan_id) == (0, 0, 0)
            assert packet.wire_len in (60, 64) if packet is first else packet.wire_len in (0, 4)
            assert "0 bytes" in repr(packet)


@pytest.mark.parametrize("size", [65_535, 65_536, 70_000, 262_144, 5_000_000])
def test_packets_larger_than_libtrace_s_buffer(size: int, tmp_path: Path) -> None:
    ip = packets.ipv4(packets.udp(bytes(size - 42), length=0), length=0)
    frame = packets.ethernet(ip)
    for content in (packets.pcap([frame, FRAMES[0]]), section() + interface() + enhanced(frame)):
        packet, *_ = packets.read_bytes(content, tmp_path)
        assert (packet.capture_len, packet.wire_len) == (size, size + 4)
        assert bytes(packet) == frame
        assert len(packet.udp.payload) == size - 42


@pytest.mark.parametrize("wire", [65_531, 65_532, 65_536, 2**31 - 1, 2**31, 2**32 - 1])
def test_wire_lengths_beyond_libtrace_s(wire: int, tmp_path: Path) -> None:
    packet = packets.packet_of(FRAMES[0], tmp_path, wire=wire)
    assert packet.wire_len == wire + 4
    assert packet.udp.src_port == 1
