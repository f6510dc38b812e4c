"""What a file is, by its content: text, ERF, compressed data of every kind."""

import contextlib
import gzip
import io
import lzma
import random
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import lz4.frame
import packets
import present
import pytest
from packets import EPOCH, Record

import natkit
import pldns
import plt

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NO_TRACE = "no trace of a format that is known"


def trace_of(count: int, size: int = 400) -> bytes:
    """A pcap file of packets with random payloads, which hardly compress."""
    rng = random.Random(4)
    frames = [
        packets.ethernet(packets.ipv4(packets.udp(rng.randbytes(size)))) for _ in range(count)
    ]
    return packets.pcap([Record(frame, EPOCH) for frame in frames])


# --- Text ------------------------------------------------------------------------------------

TEXTS = {
    "prose": "Lorem ipsum dolor sit amet, consectetur adipisici elit.\n",
    "CSV": "time,src,dst,bytes\n1700000000.5,192.0.2.1,198.51.100.2,1500\n",
    "HTML": "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n",
    "JSON": '{"packets": [1, 2, 3], "time": 1700000000}\n',
    "XML": '<?xml version="1.0"?>\n<pdml version="0"/>\n',
    "tcpdump": "12:00:00.000000 IP 192.0.2.1.1234 > 198.51.100.2.53: UDP, length 20\n",
    "hex": "0000  02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00\n" * 3,
    "digits": "0" * 80,
    "blank lines": "\n\n\r\n\t\n",
    "a word": "x",
    "accents": "Größe, naïveté, café\n" * 3,
    "escapes": "\x1b[31mred\x1b[0m and more text after it\n",
    # its times, type and length are such as records have: "aaaa" is a second of 2021
    "like records": "aaaaaaaa\t\t  0 " * 40,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig", "utf-16", "utf-16-be"])
def test_text_is_no_trace(tmp_path: Path, text: str, encoding: str) -> None:
    path = packets.write(tmp_path / "text", text.encode(encoding))
    count, error = packets.count_to_error(path)
    assert count == 0
    assert NO_TRACE in error
    if text.strip() and len(text) > 3 and "ö" not in text:
        assert f"which is text: {text[:32]!r}" in error
    count, error = packets.count_to_error(f"erf:{path}")
    assert count == 0
    assert error


def test_no_text_is_a_trace(tmp_path: Path) -> None:
    rng = random.Random(7)
    letters = bytes(range(32, 127)) + b"\n\t"
    for _ in range(2000):
        data = bytes(rng.choices(letters, k=rng.randrange(1, 200)))
        path = packets.write(tmp_path / "text", data)
        assert NO_TRACE in packets.count_to_error(path)[1], data


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("snoop", "snoop (RFC 1761)"),
        ("netmon1", "a Network Monitor 1 capture"),
        ("netmon2", "a Network Monitor 2 capture"),
        ("ngsniffer", "a Sniffer capture"),
        ("ngwsniffer_1_1", "a NetXRay or Windows Sniffer capture"),
        ("ngwsniffer_2_0", "a NetXRay or Windows Sniffer capture"),
        ("visual", "a Visual Networks capture"),
    ],
)
def test_captures_that_editcap_converts(tmp_path: Path, form: str, name: str) -> None:
    """They are named, and what is said to make pcap of them does."""
    pcap = packets.write(tmp_path / "pcap", trace_of(3))
    other, back = tmp_path / "other", tmp_path / "back"
    editcap = present.tool("editcap")
    subprocess.run([editcap, "-F", form, pcap, other], check=True)
    count, error = packets.count_to_error(other)
    assert count == 0
    assert f"which is {name}: editcap -F pcap" in error
    subprocess.run([editcap, "-F", "pcap", other, back], check=True)
    assert [bytes(p) for p in packets.read(back)] == [bytes(p) for p in packets.read(pcap)]


def test_parquet_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pcap = packets.write(tmp_path / "pcap", trace_of(3))
    plt.columns(pcap, ["src"]).table().write_parquet(tmp_path / "t.parquet")
    count, error = packets.count_to_error(tmp_path / "t.parquet")
    assert count == 0
    assert error.endswith("which is Parquet: read it by pyarrow, pandas or Polars")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_archive_is_named(tmp_path: Path, mode: str) -> None:
    pcap = packets.write(tmp_path / "t.pcap", trace_of(3))
    with tarfile.open(tmp_path / "t.tar", mode) as archive:
        archive.add(pcap, "t.pcap")
    count, error = packets.count_to_error(tmp_path / "t.tar")
    assert count == 0
    assert error.endswith("which is a tar archive: unpack it first")


def erf(seconds: float, kind: int = 2, size: int = 64, wlen: int = 60) -> bytes:
    """A record of ERF (Endace's documentation of it, as in tshark's wiretap)."""
    head = struct.pack("<QBB", int(seconds * 2**32), kind, 4)
    return head + struct.pack(">HHH", 16 + size, 0, wlen) + bytes(size)


def test_what_makes_a_file_erf(tmp_path: Path) -> None:
    good = erf(EPOCH)
    path = tmp_path / "file"
    for data, count in [
        (good, 1),
        (good + erf(EPOCH + 3600), 2),
        (good + erf(EPOCH - 0.001), 2),  # interfaces are not in order of each other
        (erf(0, 48, 16) + good, 1),  # padding has no time
        (good + erf(EPOCH, 0x82, 72), 2),  # an extension header of zeros
        (erf(EPOCH, 27, 80, 0), 1),  # meta data
    ]:
        packets.write(path, data)
        assert packets.count_to_error(path) == (count, ""), data.hex()
    for data in [
        erf(EPOCH, 29),  # no type of a record
        erf(EPOCH, 47),
        erf(0),  # 1970
        erf(0, 48, 16),  # nothing but padding
        erf(EPOCH, 2, 9000, 60),  # much more captured than there was
        good + erf(EPOCH + 10 * 366 * 86400),  # ten years later
        good + b"0123456789abcdef",
        good[:15],
    ]:
        packets.write(path, data)
        assert NO_TRACE in packets.count_to_error(path)[1], data.hex()
    packets.write(path, good + good[:40])  # cut, but ERF
    assert packets.count_to_error(path)[0] == 1
    assert "cut within a record" in packets.count_to_error(path)[1]


# --- Compressed ------------------------------------------------------------------------------

SKIPPED = b"\x5a\x2a\x4d\x18\5\0\0\0hello"  # RFC 8878 section 3.1.2, the same in LZ4's frames


def zstd_frame(data: bytes) -> bytes:
    options = {zstd.CompressionParameter.checksum_flag: 1}
    return bytes(zstd.compress(data, options=options))


def lz4_frame(data: bytes) -> bytes:
    return bytes(lz4.frame.compress(data, content_checksum=True, block_checksum=True))


COMPRESS = {"Zstandard": zstd_frame, "LZ4": lz4_frame}


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("count", [0, 1, 100, 5000])
def test_zstandard_and_lz4_are_read(tmp_path: Path, kind: str, count: int) -> None:
    path = packets.write(tmp_path / "trace", COMPRESS[kind](trace_of(count)))
    assert packets.count_to_error(path) == (count, "")
    assert packets.count_to_error(f"pcapfile:{path}") == (count, "")
    assert len(plt.columns(path, ["wire_len"]).table()) == count


@pytest.mark.parametrize("kind", COMPRESS)
def test_several_frames_and_frames_that_are_skipped(tmp_path: Path, kind: str) -> None:
    data = trace_of(100)
    compress = COMPRESS[kind]
    parts = [SKIPPED, compress(data[:999]), SKIPPED, compress(data[999:]), SKIPPED]
    path = packets.write(tmp_path / "trace", b"".join(parts))
    assert packets.count_to_error(path) == (100, "")


@pytest.mark.parametrize("kind", COMPRESS)
def test_zeros_that_expand_far(tmp_path: Path, kind: str) -> None:
    record = Record(packets.ethernet(packets.ipv4(packets.udp(bytes(60000)))), EPOCH)
    path = packets.write(tmp_path / "trace", COMPRESS[kind](packets.pcap([record] * 500)))
    assert path.stat().st_size < 300_000
    assert packets.count_to_error(path) == (500, "")


def packets_in(kind: str, data: bytes) -> int:
    """How many whole packets a library finds that is given a byte at a time, up to an error."""
    library = zstd.ZstdDecompressor() if kind == "Zstandard" else lz4.frame.LZ4FrameDecompressor()
    size = 0
    with contextlib.suppress(zstd.ZstdError, RuntimeError):
        for byte in data:
            size += len(library.decompress(bytes([byte])))
    return (size - 24) // (16 + 14 + 20 + 8 + 400)


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("at", [0.3, 0.9])
def test_cut_and_damaged(tmp_path: Path, kind: str, at: float) -> None:
    whole = COMPRESS[kind](trace_of(2000))
    cut = int(len(whole) * at)
    count, error = packets.count_to_error(packets.write(tmp_path / "cut", whole[:cut]))
    assert f"the {kind} data is cut" in error
    assert 0 < count == packets_in(kind, whole[:cut])
    damaged = whole[:cut] + bytes(64) + whole[cut + 64 :]
    count, error = packets.count_to_error(packets.write(tmp_path / "damaged", damaged))
    assert f"the {kind} data is damaged" in error
    assert 0 < count == packets_in(kind, damaged)


@pytest.mark.parametrize(
    ("kind", "modules", "package"),
    [
        ("Zstandard", ["compression.zstd", "backports", "backports.zstd"], "backports.zstd"),
        ("LZ4", ["lz4", "lz4.frame"], "lz4"),
    ],
)
def test_without_the_package(tmp_path: Path, kind: str, modules: list[str], package: str) -> None:
    path = packets.write(tmp_path / "trace", COMPRESS[kind](trace_of(3)))
    code = f"import sys; sys.modules |= dict.fromkeys({modules!r})\n"
    code += "import plt; plt.trace(sys.argv[1]).start()"
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert f"{kind}-compressed files need" in last
    assert f"the package {package}: pip install 'python-libtrace[compression]'" in last


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    data = trace_of(3)
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("trace.pcap", data)
    files = {
        "lzma (.lzma)": lzma.compress(data, lzma.FORMAT_ALONE),
        "LZ4 in its legacy format": b"\x02\x21\x4c\x18" + bytes(20),
        "LZO (lzop)": bytes.fromhex("894c5a4f000d0a1a0a 1040"),
        "lzip": b"LZIP\x01\x0c" + bytes(30),
        "compress (.Z)": b"\x1f\x9d\x90" + bytes(30),
        "Snappy": b"\xff\6\0\0sNaPpY" + bytes(30),
        "7-Zip": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(30),
        "Zip": (tmp_path / "zip").read_bytes(),
    }
    for name, content in files.items():
        path = packets.write(tmp_path / "trace", content)
        for uri in (path, f"pcapfile:{path}"):
            count, error = packets.count_to_error(uri)
            assert count == 0
            assert f"compressed with {name}, which is not read" in error, error


def test_lzma_of_other_settings(tmp_path: Path) -> None:
    data = trace_of(30)
    for preset in (0, 1, 6, 9):
        alone = lzma.compress(data, lzma.FORMAT_ALONE, preset=preset)
        path = packets.write(tmp_path / "trace", alone)
        assert "compressed with lzma (.lzma)" in packets.count_to_error(path)[1]
        sized = alone[:5] + struct.pack("<Q", len(data)) + alone[13:]  # as xz -F lzma writes it
        packets.write(path, sized)
        assert "compressed with lzma (.lzma)" in packets.count_to_error(path)[1]


def test_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(plt.LibtraceError, match="this process has no standard input"):
        plt.trace("-").start()


@pytest.mark.parametrize("wrong", [5, None, {"a.pcap": 1}])
def test_what_is_no_source(wrong: object) -> None:
    for read in (plt.columns, plt.merge, natkit.flows, pldns.columns, natkit.streams):
        with pytest.raises(TypeError, match=r"expected str, bytes or os\.PathLike object"):
            list(read(wrong))  # type: ignore[operator]


def test_a_file_that_was_opened_as_text(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", trace_of(1))
    with (
        open(path, encoding="latin-1") as file,
        pytest.raises(plt.LibtraceError, match="opened as text: open it with mode 'rb'"),
    ):
        plt.trace(file).start()


def test_a_file_that_can_only_be_read() -> None:
    """As objects of other libraries may be: they have read(), and nothing else."""
    data = io.BytesIO(trace_of(3))

    class Readable:
        def read(self, size: int) -> bytes:
            return data.read(min(size, 7))

    for content in (trace_of(3), gzip.compress(trace_of(3))):
        data = io.BytesIO(content)
        found = plt.columns(Readable(), ["wire_len"]).table()  # type: ignore[arg-type]
        assert found["wire_len"].tolist() == [14 + 20 + 8 + 400 + 4] * 3  # with the FCS


def test_a_format_that_there_is_not_is_named() -> None:
    with pytest.raises(plt.LibtraceError, match=r"no file .* 'pcpa' is no format that libtrace"):
        plt.trace("pcpa:/no/such/file").start()
    with pytest.raises(plt.LibtraceError, match=r"^Couldn't start trace: /no/a:b: No such file"):
        plt.trace("/no/a:b").start()
    with pytest.raises(plt.LibtraceError, match="surrogates not allowed"):  # no name has these
        plt.trace("\ud800").start()
