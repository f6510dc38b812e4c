"""Streams, fragments and DNS messages put together, of damaged and of all sorts of traces."""

import contextlib
import gzip
import itertools
import random
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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


# --- Fragments by chance -------------------------------------------------------------------------


@dataclass
class Fragment:
    """A frame, and where it is of one whole: where its data is, and what puts that into a frame."""

    frame: bytes
    key: tuple[object, ...]
    at: int
    data: bytes
    more: bool
    whole: Callable[[bytes], bytes]

    @property
    def end(self) -> int:
        return self.at + len(self.data)


@dataclass
class Waiting:
    """The fragments of a packet, the first of which came that second; none where it is broken."""

    since: int
    came: list[Fragment] = field(default_factory=list)
    broken: bool = False

    def total(self) -> int | None:
        return next((one.end for one in self.came if not one.more), None)

    def takes(self, new: Fragment) -> bool:
        """Whether it fits those that came: RFC 5722, and no two ends."""
        for one in self.came:
            if (one.at, one.data) == (new.at, new.data):
                return new.more == one.more
        bounds = [(one.at, one.end) for one in self.came]
        total = self.total()
        if any(start // 8 < -(-new.end // 8) and new.at < end for start, end in bounds):
            return False
        if not new.more and total not in (None, new.end):
            return False
        total = total if new.more else new.end
        return total is None or max([new.end, *(end for _, end in bounds)]) <= total

    def body(self) -> bytes | None:
        """What they carry together, None where some of it is missing."""
        body = b""
        for one in sorted({(one.at, one.data) for one in self.came}):
            if one[0] != len(body):
                return None
            body += one[1]
        return body if len(body) == self.total() else None


def plainly(sent: list[tuple[int, Fragment | bytes]]) -> list[bytes]:
    """What plt.defragment() should give."""
    out: list[bytes] = []
    waiting: dict[tuple[object, ...], Waiting] = {}
    clock = 0
    for second, packet in sent:
        clock = max(clock, second)
        if isinstance(packet, bytes):
            out.append(packet)
        else:
            one = waiting.get(packet.key)
            if one is not None and clock - one.since > 60:
                out += [old.frame for old in waiting.pop(packet.key).came]
            one = waiting.setdefault(packet.key, Waiting(clock))
            if one.broken:
                out.append(packet.frame)
            else:
                one.broken = not one.takes(packet)
                one.came.append(packet)
                body = one.body()
                if one.broken:
                    out += [old.frame for old in one.came]
                    one.came = []
                elif body is not None:
                    first = next(old for old in one.came if old.at == 0)  # RFC 8200 section 4.5
                    out.append(first.whole(body))
                    del waiting[packet.key]
        for key, one in list(waiting.items()):
            if clock - one.since > 60:
                out += [old.frame for old in waiting.pop(key).came]
    return out + [old.frame for one in waiting.values() for old in one.came]


def in_fragments(rng: random.Random) -> list[Fragment]:
    """A packet of few ends, now and then with a fragment more, or one that overlaps another."""
    v6, vlan, ident = rng.random() < 0.5, rng.choice([None, 1, 2]), rng.randrange(3)
    src = rng.choice(["fd00::1", "fd00::2"] if v6 else ["10.0.0.1", "10.0.0.2"])
    proto = rng.choice([17, 50])
    body = rng.randbytes(rng.choice([17, 24, 40]))

    def frame(ip: bytes) -> bytes:
        ethertype = 0x86DD if v6 else 0x0800
        if vlan is None:
            return packets.ethernet(ip, ethertype)
        return packets.ethernet(struct.pack(">HH", vlan, ethertype) + ip, 0x8100)

    def whole(data: bytes) -> bytes:
        if v6:
            return frame(packets.ipv6(data, proto, src=src))
        return frame(packets.ipv4(data, proto, src=src, ident=ident))

    def part(start: int, end: int, more: bool) -> Fragment:
        data = body[start:end]
        if v6:
            header = struct.pack(">BBHI", proto, 0, start | more, ident)
            ip = packets.ipv6(header + data, 44, src=src)
        else:
            flag = more << 13
            ip = packets.ipv4(data, proto, src=src, ident=ident, fragment=start // 8 | flag)
        key = (v6, vlan, ident, src, None if v6 else proto)
        return Fragment(frame(ip), key, start, data, more, whole)

    cuts = sorted(rng.sample(range(8, len(body), 8), rng.choice([1, 1, 2])))
    bounds = list(itertools.pairwise([0, *cuts, len(body)]))
    parts = [part(start, end, end < len(body)) for start, end in bounds]
    if rng.random() < 0.2:  # another end, or what overlaps
        parts.append(part(8, 16, rng.random() < 0.5))
    if rng.random() < 0.3:
        parts.append(rng.choice(parts))
    if rng.random() < 0.2:
        del parts[rng.randrange(len(parts))]
    rng.shuffle(parts)
    return parts


@pytest.mark.parametrize("seed", range(150))
def test_any_fragments_come_as_a_plain_model_says(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    found: list[Fragment | bytes] = []
    for _ in range(rng.choice([3, 30])):
        place = rng.randrange(max(0, len(found) - 4), len(found) + 1)
        found[place:place] = in_fragments(rng)
        if rng.random() < 0.2:
            found.append(packets.ethernet(packets.ipv4(packets.udp(rng.randbytes(4)))))
    second, sent = packets.EPOCH, []
    for packet in found:
        second += rng.choice([0, 1, -1, 20]) if seed % 2 else 0
        sent.append((second, packet))
    records = [
        packets.Record(packet if isinstance(packet, bytes) else packet.frame, sec=second)
        for second, packet in sent
    ]
    path = packets.write(tmp_path / "trace.pcap", packets.pcap(records))
    assert [bytes(packet) for packet in plt.defragment(path)] == plainly(sent)
