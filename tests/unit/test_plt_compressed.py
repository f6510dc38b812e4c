"""Compressed traces: what decompresses them faster gives the same packets and the same errors."""

import gzip
import importlib
import io
import os
import random
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
import packets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import RAW, Record, ipv4, udp

import plt
from plt import _compression, _streams

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FIELDS = ["time", "wire_len", "udp.checksum"]


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_streams, "processors", lambda: 2)


def trace_of(count: int, size: int, seed: int = 5) -> bytes:
    """Packets whose payloads are half random, so that they compress by some bits of each byte."""
    rng = random.Random(seed)
    letters = bytes(range(32, 48))
    return packets.pcap(
        [
            Record(ipv4(udp(bytes(rng.choices(letters, k=size))), 17), 1_600_000_000 + i, i)
            for i in range(count)
        ],
        RAW,
    )


def bgzf(data: bytes, block: int = 20_000) -> bytes:
    """Gzip members with their sizes, the last one empty: section 4.1 of the SAM specification."""
    out = []
    for start in range(0, len(data) + block, block):
        part = data[start : start + block]
        compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = compressor.compress(part) + compressor.flush()
        header = b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff\x06\x00BC\x02\x00"
        size = struct.pack("<H", len(header) + 2 + len(body) + 8 - 1)
        out.append(header + size + body + struct.pack("<II", zlib.crc32(part), len(part)))
    return b"".join(out)


def in_frames(compress: Callable[[bytes], bytes], size: int) -> Callable[[bytes], bytes]:
    return lambda data: b"".join(compress(data[at : at + size]) for at in range(0, len(data), size))


MEMBERS: dict[str, Callable[[bytes], bytes]] = {
    "BGZF": bgzf,
    "Zstandard": in_frames(zstd.compress, 50_000),
    # a block has 128 kB at most: RFC 8878 section 3.1.1.2.4
    "Zstandard of several blocks": lambda data: (
        in_frames(zstd.compress, 140_000)(data) + zstd.compress(b"")
    ),
    "LZ4": in_frames(lz4.frame.compress, 50_000),
    "LZ4 with all that is optional": in_frames(
        lambda data: lz4.frame.compress(
            data, content_checksum=True, block_checksum=True, store_size=True
        ),
        50_000,
    ),
}


@pytest.fixture(scope="module")
def plain() -> bytes:
    """Large enough that it is worth threads, compressed: more than a megabyte."""
    return trace_of(12_000, 200)


def read_in_bulk(path: Path) -> tuple[int, bytes, str]:
    """How many packets columns give of a file, what is in them, and the error at the end."""
    try:
        table, error = plt.columns(path, FIELDS).table(), ""
    except plt.LibtraceError as raised:
        table, error = raised.table, str(raised)
    return len(table), b"".join(table[name].tobytes() for name in FIELDS), error


# --- Members whose sizes are known -------------------------------------------------------------


@pytest.fixture
def sized(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many bytes of a file came from members that threads decompressed, of each file."""
    used: list[int] = []
    left = _streams.Members.left

    def noting(self: _streams.Members) -> bytes:
        used.append(self.used)
        return left(self)

    monkeypatch.setattr(_streams.Members, "left", noting)
    return used


@pytest.mark.parametrize("kind", MEMBERS)
def test_members_of_known_sizes(kind: str, tmp_path: Path, plain: bytes, sized: list[int]) -> None:
    data = MEMBERS[kind](plain)
    path = packets.write(tmp_path / "x", data)
    assert read_in_bulk(path) == read_in_bulk(packets.write(tmp_path / "plain", plain))
    # the first member is in use already when the threads begin
    assert len(sized) == 1
    assert len(data) * 0.9 < sized[0] < len(data)


@pytest.mark.parametrize("kind", MEMBERS)
def test_other_bytes_between_and_after_members(
    kind: str, tmp_path: Path, plain: bytes, sized: list[int]
) -> None:
    """Zeros, a member without a size, and at last what is no member."""
    middle = len(plain) // 2
    halves = [MEMBERS[kind](plain[:middle]), MEMBERS[kind](plain[middle:])]
    between = [bytes(100), gzip.compress(b"") if kind == "BGZF" else b""]
    data = halves[0] + b"".join(between) + halves[1] + b"no member"
    path = packets.write(tmp_path / "x", data)
    count, _, error = read_in_bulk(path)
    assert count == 12_000
    assert (count, error) == packets.count_to_error(path)
    assert "is damaged" in error
    assert 0 < sized[0] < len(halves[0])


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize("seed", range(6))
def test_damaged_members(kind: str, seed: int, tmp_path: Path, plain: bytes) -> None:
    """As many packets as a loop reads, which has no threads, and the same error."""
    if kind.startswith("LZ4") and "PLT_ASAN" in os.environ:
        pytest.skip("the sanitizer takes long over the megabyte that lz4 asks for at each byte")
    rng = random.Random(seed)
    data = bytearray(MEMBERS[kind](plain))
    at = rng.randrange(len(data) // 8, len(data))
    if seed % 2:
        data[at] ^= 1 << rng.randrange(8)
    else:
        del data[at:]
    path = packets.write(tmp_path / "x", bytes(data))
    count, _, error = read_in_bulk(path)
    assert (count, error) == packets.count_to_error(path)
    assert count > 0


def test_a_size_that_leads_into_a_payload(tmp_path: Path, plain: bytes) -> None:
    """A member that is shorter than its header says: the rest is where it ends, not there."""
    data = bgzf(plain)
    second = data.index(b"BC\x02\x00", 100) - 12
    third = data.index(b"BC\x02\x00", second + 100) - 12
    wrong = bytearray(data)
    wrong[second + 16 : second + 18] = struct.pack("<H", third - second + 40)
    path = packets.write(tmp_path / "x", bytes(wrong))
    assert read_in_bulk(path)[::2] == (12_000, "")


@pytest.mark.parametrize("name", ["plt-read-ahead", "plt-members"])
def test_the_system_has_no_more_threads(
    name: str, tmp_path: Path, plain: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the file is read without: by one thread, or by none."""
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    path = packets.write(tmp_path / "x", bgzf(plain))
    assert read_in_bulk(path) == read_in_bulk(packets.write(tmp_path / "plain", plain))


def test_an_exception_of_progress_while_members_are_read(
    tmp_path: Path, plain: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes through as itself, after the members before."""
    path = packets.write(tmp_path / "x", bgzf(plain))
    size = path.stat().st_size

    def fail(done: int, _total: int | None) -> None:
        if done > size // 2:
            raise LookupError("mine")

    monkeypatch.setattr("plt._progress.EVERY", 0)
    lengths: list[int] = []
    with pytest.raises(LookupError, match="mine"):
        lengths.extend(map(len, plt.columns(path, FIELDS, batch=100, progress=fail)))
    assert 0 < sum(lengths) < 12_000


def test_an_exit_while_a_thread_reads(tmp_path: Path, plain: bytes) -> None:
    """What is no error goes to who reads, too."""

    class Exits(io.FileIO):
        def readinto(self, buffer: bytearray) -> int | None:
            if self.tell() > 500_000:
                raise SystemExit("mine")
            return super().readinto(buffer)

    path = packets.write(tmp_path / "x.gz", gzip.compress(plain))
    with Exits(path) as file, pytest.raises(SystemExit, match="mine"):
        plt.columns(file, FIELDS).table()


def test_a_file_that_is_mended_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was damage stays that, though it is not found where the member is read anew."""
    whole = gzip.compress(SMALL)
    path = packets.write(tmp_path / "x.gz", whole[:-8] + bytes(8))
    damaged = _streams.Compressed.damaged

    def mended(self: _streams.Compressed, error: Exception) -> bytes:
        path.write_bytes(whole)
        return damaged(self, error)

    monkeypatch.setattr(_streams.Compressed, "damaged", mended)
    count, error = packets.count_to_error(path)
    assert count == 400
    assert "the gzip data is damaged: " in error


# --- zlib-ng -----------------------------------------------------------------------------------

SMALL = trace_of(400, 60)
GZIPPED = {
    "level 1": gzip.compress(SMALL, 1, mtime=0),
    "level 9": gzip.compress(SMALL, 9, mtime=0),
    "stored": gzip.compress(SMALL, 0, mtime=0),
    "two members": gzip.compress(SMALL[:9000], mtime=0) + gzip.compress(SMALL[9000:], mtime=0),
    "BGZF": bgzf(SMALL, 3000),
}


def read_with(module: object, path: Path) -> tuple[list[bytes], str]:
    found: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_compression, "fast_zlib", lambda: module)
        try:
            with plt.trace(path) as trace:
                found.extend(packet.data for packet in trace)
        except plt.LibtraceError as error:
            return found, str(error)
    return found, ""


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(list(GZIPPED)),
    flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=3),
    cut=st.floats(0, 1) | st.just(1.0),
    more=st.binary(max_size=20),
)
def test_zlib_ng_does_as_zlib_does(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    flips: list[tuple[float, int]],
    cut: float,
    more: bytes,
) -> None:
    """Bytes changed, cut off and added: the same packets, and the same words of the error."""
    zlib_ng = importlib.import_module("zlib_ng.zlib_ng")
    data = bytearray(GZIPPED[kind])
    for at, bits in flips:
        data[int(at * (len(data) - 1))] ^= bits
    data = data[: int(cut * len(data))] + more
    path = packets.write(tmp_path_factory.getbasetemp() / "changed.gz", bytes(data))
    assert read_with(zlib_ng, path) == read_with(zlib, path)


def test_zlib_ng_is_used_where_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zlib_ng = importlib.import_module("zlib_ng.zlib_ng")
    _compression.fast_zlib.cache_clear()
    assert _compression.fast_zlib() is zlib_ng
    monkeypatch.setitem(sys.modules, "zlib_ng", None)
    monkeypatch.setitem(sys.modules, "zlib_ng.zlib_ng", None)
    _compression.fast_zlib.cache_clear()
    assert _compression.fast_zlib() is zlib
    path = packets.write(tmp_path / "x.gz", GZIPPED["level 9"])
    assert packets.count_to_error(path) == (400, "")
    _compression.fast_zlib.cache_clear()


# --- What expands far --------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, lz4.frame.compress])
def test_a_member_after_one_that_expands_far(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Some bytes that hold megabytes, with the next member after them in the same read."""
    zeros = packets.pcap([Record(ipv4(udp(bytes(60_000)), 17))] * 200, RAW)
    tail = packets.pcap([Record(ipv4(udp(b"x" * 100), 17))] * 7, RAW)[24:]
    path = packets.write(tmp_path / "x", compress(zeros) + compress(tail))
    assert path.stat().st_size < 100_000
    assert packets.count_to_error(path) == (207, "")


def test_many_members_that_expand_far(tmp_path: Path, plain: bytes, sized: list[int]) -> None:
    """Threads leave those to be read in turn that are too large to be held all at once."""
    compress = MEMBERS["Zstandard"]
    zeros = packets.pcap([Record(ipv4(udp(bytes(60_000)), 17))] * 50, RAW)[24:]
    path = packets.write(tmp_path / "x", compress(plain) + zstd.compress(zeros) * 8)
    count, values, error = read_in_bulk(path)
    assert (count, error) == (12_000 + 8 * 50, "")
    assert len(values) == count * (8 + 4 + 2)  # a time, a length and a check sum each
    assert sized[0] < path.stat().st_size
