"""Every trace of the corpus is read whole, and compression changes nothing."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

import plt

COMPRESSORS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
SMALL = 16_384  # bytes: larger traces take the same way, only longer


def contents(uri: str) -> list[tuple[int, int, bytes]]:
    """Time, wire length and bytes of every packet."""
    trace = plt.trace(uri)
    trace.start()
    packets = [(pkt.time_ns, pkt.wire_len, bytes(pkt.data)) for pkt in trace]
    trace.close()
    return packets


def test_every_packet_is_read(
    trace_name: str,
    corpus: Path,
    trace_uri: Callable[[Path], str],
    packet_counts: dict[str, int],
) -> None:
    trace = plt.trace(trace_uri(corpus / "traces" / trace_name))
    trace.start()
    count = sum(1 for _ in trace)
    trace.close()
    assert count == packet_counts[trace_name]


def test_manifest_lists_every_trace(corpus: Path, packet_counts: dict[str, int]) -> None:
    files = {path.name for path in (corpus / "traces").iterdir()} - {"MANIFEST.tsv"}
    assert files == packet_counts.keys()


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_compressed_copies_give_the_same_packets(
    suffix: str,
    tmp_path: Path,
    corpus: Path,
    trace_uri: Callable[[Path], str],
    packet_counts: dict[str, int],
) -> None:
    copied = 0
    for name in sorted(packet_counts):
        path = corpus / "traces" / name
        if path.suffix in (".gz", ".bz2", ".xz") or path.stat().st_size > SMALL:
            continue
        copy = tmp_path / f"{name}.{suffix}"
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):  # compressed under a name that does not say so
            continue
        copy.write_bytes(COMPRESSORS[suffix](content))
        uri = trace_uri(path)
        expected = contents(uri)
        assert len(expected) == packet_counts[name]
        assert contents(uri.replace(str(path), str(copy))) == expected, name
        copied += 1
    assert copied > 50
