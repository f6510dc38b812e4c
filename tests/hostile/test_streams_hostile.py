"""Streams, fragments and DNS messages put together, of damaged and of all sorts of traces."""

import contextlib
import gzip
import random
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import packets
import pytest

import natkit
import pldns
import plt

pytest.importorskip("numpy")

DNS = Path(__file__).parents[2] / "tutorial" / "traces" / "dns-1k.pcap.gz"


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


def check_way(way: natkit.StreamWay, limit: int) -> None:
    """What is true of any way: no gap is out of bounds, or touches another."""
    data = way.data
    assert len(data) == len(way) <= limit
    end = -1
    for start, length in way.gaps:
        assert start > end
        assert length > 0
        end = start + length
        assert way.time_at(start) is None
        assert data[start:end] == bytes(length)
    assert end <= len(data)


def read_all(path: Path) -> None:
    limit = 1 << 16
    with contextlib.suppress(plt.LibtraceError):
        for stream in natkit.streams(path, way_limit=limit, memory=1 << 20):
            check_way(stream.fwd, limit)
            check_way(stream.rev, limit)
    with contextlib.suppress(plt.LibtraceError), plt.trace(path) as trace:
        count = sum(1 for _ in trace)
        assert sum(1 for _ in plt.defragment(path)) <= count
    with contextlib.suppress(plt.LibtraceError):
        table = pldns.columns(path, reassemble=True, ports=range(65536)).table()
        assert (table["length"] <= 65535).all()


def records(trace: bytes) -> list[bytes]:
    """The packets of a pcap file of this machine's byte order."""
    out, at = [], 24
    while at < len(trace):
        (size,) = struct.unpack_from("<I", trace, at + 8)
        out.append(trace[at + 16 : at + 16 + size])
        at += 16 + size
    return out


def test_mutations_do_not_crash(tmp_path: Path) -> None:
    rng = random.Random(11)
    frames = records(gzip.decompress(DNS.read_bytes()))
    for _ in range(12):
        changed = []
        for frame in rng.sample(frames, len(frames)):
            data = bytearray(frame)
            for _ in range(rng.randrange(3)):
                data[rng.randrange(min(len(data), 70))] = rng.randrange(256)
            changed.append(
                bytes(data[: rng.randint(14, len(data))] if rng.random() < 0.1 else data)
            )
        read_all(packets.write(tmp_path / "trace.pcap", packets.pcap(changed)))


def test_every_trace_of_the_corpus(trace_name: str, corpus: Path) -> None:
    read_all(corpus / "traces" / trace_name)


def test_what_is_dropped_half_way() -> None:
    for _ in range(50):
        next(natkit.streams(DNS))
        next(plt.defragment(DNS))
        next(iter(pldns.columns(DNS, reassemble=True, batch=10)))
    with pytest.raises(TypeError):
        natkit.Stream()
    with pytest.raises(TypeError):
        natkit.StreamWay()


def test_streams_that_ended_and_were_not_asked_for(tmp_path: Path) -> None:
    """A segment as large as all before it ends them at once, and only the first is taken."""
    small = [packets.tcp(b"x", ports=(1000 + n, 80), seq=1) for n in range(30)]
    large = packets.tcp(b"y" * 60_000, ports=(2000, 80), seq=1)
    frames = [packets.ethernet(packets.ipv4(data, 6)) for data in (*small, large)]
    path = packets.write(tmp_path / "trace.pcap", packets.pcap(frames))
    found = natkit.streams(path, memory=60_000)
    assert (next(found).src_port, next(found).end) == (1000, "memory")
    del found
    ends = [stream.end for stream in natkit.streams(path, memory=60_000)]
    assert ends == ["memory"] * 31


def test_a_way_outlives_its_stream_and_the_iterator() -> None:
    ways = [stream.rev for stream in natkit.streams(DNS)]
    assert len(ways) == 22  # by tshark's tcp.stream
    assert [way.data for way in ways] == [stream.rev.data for stream in natkit.streams(DNS)]


def test_threads_share_an_iterator() -> None:
    """Each stream goes to one of them."""
    found = natkit.streams(DNS)
    streams: list[natkit.Stream] = []
    threads = [threading.Thread(target=lambda: streams.extend(found)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(stream) for stream in streams}) == len(streams) == 22
