"""natkit.streams(): the bytes of TCP connections, put in order."""

import gzip
import io
import random
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import (
    EPOCH,
    TCP,
    V4,
    V6,
    Record,
    Watched,
    enhanced,
    ethernet,
    interface,
    ipv4,
    ipv6,
    option,
    pcap,
    section,
    tcp,
    udp,
    write,
)

import natkit
import pldns
import plt

FIN, SYN, RST, ACK = 1, 2, 4, 16
CLIENT, SERVER = 49152, 80
DNS = Path(__file__).parents[2] / "tutorial" / "traces" / "dns-1k.pcap.gz"


@dataclass(frozen=True)
class Segment:
    """A segment from the client to the server, or back; it comes so many seconds after EPOCH."""

    payload: bytes = b""
    seq: int = 0
    flags: int = ACK
    ack: int = 0
    back: bool = False
    sec: int = 0
    client: int = CLIENT
    v6: bool = False
    cut: int | None = None

    def record(self) -> Record:
        ports, ends = (self.client, SERVER), V6 if self.v6 else V4
        if self.back:
            ports, ends = ports[::-1], ends[::-1]
        segment = tcp(
            self.payload, ports=ports, seq=self.seq % 2**32, ack=self.ack % 2**32, flags=self.flags
        )
        src, dst = ends[:2]
        if self.v6:
            packet = ethernet(ipv6(segment, TCP, src=src, dst=dst), 0x86DD)
        else:
            packet = ethernet(ipv4(segment, TCP, src=src, dst=dst))
        return Record(packet[: self.cut], sec=EPOCH + self.sec, wire=len(packet))


def trace(path: Path, segments: Iterable[Segment]) -> Path:
    return write(path / "trace.pcap", pcap(segment.record() for segment in segments))


def streams(path: Path, segments: Iterable[Segment], **settings: int) -> list[natkit.Stream]:
    return list(natkit.streams(trace(path, segments), **settings))


def opening(isn: int = 1000, **more: int) -> Segment:
    return Segment(seq=isn, flags=SYN, **more)  # type: ignore[arg-type]


# --- Both ways --------------------------------------------------------------------------------


@pytest.mark.parametrize("v6", [False, True])
def test_both_ways_of_a_connection(tmp_path: Path, v6: bool) -> None:
    (stream,) = streams(
        tmp_path,
        [
            Segment(seq=999, flags=SYN, v6=v6),
            Segment(seq=4999, ack=1000, flags=SYN | ACK, back=True, sec=1, v6=v6),
            Segment(b"question", seq=1000, ack=5000, sec=2, v6=v6),
            Segment(b"answer", seq=5000, ack=1008, back=True, sec=3, v6=v6),
            Segment(seq=1008, ack=5006, flags=FIN | ACK, sec=4, v6=v6),
            Segment(seq=5006, ack=1009, flags=FIN | ACK, back=True, sec=5, v6=v6),
        ],
    )
    src, dst = (V6 if v6 else V4)[:2]
    assert (stream.version, stream.src_port, stream.dst_port) == (6 if v6 else 4, CLIENT, SERVER)
    assert [str(stream.src_prefix), str(stream.dst_prefix)] == [src, dst]
    assert stream.src_prefix.length is None  # as a packet's and a flow's
    assert (stream.fwd.data, stream.rev.data) == (b"question", b"answer")
    assert stream.fwd.is_whole
    assert stream.rev.is_whole
    assert (stream.fwd.gaps, stream.fwd.dropped, len(stream.fwd)) == ([], 0, 8)
    assert stream.rev.time_at(5) == (EPOCH + 3) * 10**9
    assert (stream.first_time_ns, stream.last_time_ns) == (EPOCH * 10**9, (EPOCH + 5) * 10**9)
    assert stream.end == "closed"
    assert str(CLIENT) in repr(stream)
    assert "8 bytes, 0 gaps" in repr(stream.fwd)


@pytest.mark.parametrize("ports", [(5000, 80), (80, 5000)])
def test_a_host_that_talks_to_itself(tmp_path: Path, ports: tuple[int, int]) -> None:
    """Its addresses are the same, and only the ports tell its ends apart."""

    def segment(payload: bytes, seq: int, flags: int, back: bool = False) -> bytes:
        data = tcp(payload, ports=ports[:: -1 if back else 1], seq=seq, flags=flags)
        return ethernet(ipv4(data, TCP, src="127.0.0.1", dst="127.0.0.1"))

    frames = [
        segment(b"", 9, SYN),
        segment(b"", 99, SYN | ACK, back=True),
        segment(b"question", 10, ACK),
        segment(b"answer", 100, ACK, back=True),
    ]
    (stream,) = natkit.streams(write(tmp_path / "trace.pcap", pcap(frames)))
    assert (stream.src_port, stream.dst_port) == ports
    assert (stream.fwd.data, stream.rev.data) == (b"question", b"answer")


def test_an_answer_alone_tells_who_opened(tmp_path: Path) -> None:
    segments = [
        Segment(seq=7, flags=SYN | ACK, back=True),
        Segment(b"x", seq=8, back=True),
    ]
    (stream,) = streams(tmp_path, segments)
    assert (stream.src_port, stream.fwd.data, stream.rev.data) == (CLIENT, b"", b"x")
    assert not stream.fwd.has_start
    assert stream.rev.has_start


def test_data_of_a_syn_comes_first(tmp_path: Path) -> None:  # RFC 7413
    (stream,) = streams(tmp_path, [Segment(b"early ", seq=9, flags=SYN), Segment(b"data", seq=16)])
    assert stream.fwd.data == b"early data"


def test_packets_without_data_make_no_stream(tmp_path: Path) -> None:
    assert streams(tmp_path, [Segment(seq=5), Segment(seq=6, flags=FIN | ACK)]) == []
    assert streams(tmp_path, [Segment(b"bye", seq=5, flags=RST)]) == []


# --- Segments ---------------------------------------------------------------------------------


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[int, bytes, list[tuple[int, int]]]:
    """An initial sequence number, what is sent, and which parts of it come, in which order."""
    data = draw(st.binary(min_size=1, max_size=300))
    part = st.tuples(st.integers(0, len(data) - 1), st.integers(1, 80))
    isn = draw(
        st.sampled_from([0, 2**31 - 100, 2**32 - 1, 2**32 - 150]) | st.integers(0, 2**32 - 1)
    )
    return isn, data, draw(st.lists(part, min_size=1, max_size=40))


@given(deliveries(), st.booleans())
def test_any_segmentation_gives_the_bytes_that_were_sent(
    tmp_path_factory: pytest.TempPathFactory,
    delivery: tuple[int, bytes, list[tuple[int, int]]],
    other_copies: bool,
) -> None:
    isn, data, parts = delivery
    segments = [opening(isn)]
    expected: dict[int, tuple[int, int]] = {}  # of a byte: its value and time
    for sec, (start, size) in enumerate(parts):
        payload = data[start : start + size]
        if other_copies:  # each is another: the first is kept
            payload = bytes((byte + sec) % 256 for byte in payload)
        segments.append(Segment(payload, seq=isn + 1 + start, sec=sec))
        for i, byte in enumerate(payload):
            expected.setdefault(start + i, (byte, (EPOCH + sec) * 10**9))
    (stream,) = streams(tmp_path_factory.mktemp("trace"), segments)
    way = stream.fwd
    length = max(expected) + 1
    assert len(way) == length
    assert way.data == bytes(expected.get(i, (0, 0))[0] for i in range(length))
    missing = [i for i in range(length) if i not in expected]
    assert [i for start, size in way.gaps for i in range(start, start + size)] == missing
    assert [way.time_at(i) for i in range(length)] == [
        expected[i][1] if i in expected else None for i in range(length)
    ]
    came = [(start + i, time) for start, size, time in way.pieces for i in range(size)]
    assert came == [(i, expected[i][1]) for i in sorted(expected)]


def in_pieces(data: bytes, sizes: Sequence[int], isn: int) -> list[Segment]:
    """The data in segments of these sizes, again and again."""
    segments, at = [opening(isn)], 0
    while at < len(data):
        size = sizes[len(segments) % len(sizes)]
        segments.append(Segment(data[at : at + size], seq=isn + 1 + at))
        at += size
    return segments


@pytest.mark.parametrize("order", ["as sent", "backwards", "every other first"])
def test_megabytes_past_the_wrap(tmp_path: Path, order: str) -> None:
    data = b"".join(struct.pack(">I", i) for i in range(1 << 18))  # 1 MiB
    syn, *segments = in_pieces(data, [1448, 1, 4096, 700], 2**32 - 500_000)
    if order == "backwards":
        segments.reverse()
    elif order == "every other first":
        segments = segments[::2] + segments[1::2]
    (stream,) = streams(tmp_path, [syn, *segments])
    assert stream.fwd.data == data
    assert (stream.fwd.gaps, stream.fwd.dropped) == ([], 0)


def test_a_syn_that_comes_after_data(tmp_path: Path) -> None:
    segments = [Segment(b"later", seq=1006), opening(1000), Segment(b"first", seq=1001)]
    (stream,) = streams(tmp_path, segments)
    assert stream.fwd.data == b"firstlater"
    assert stream.fwd.has_start


def test_segments_before_the_first_of_a_trace(tmp_path: Path) -> None:
    segments = [Segment(b"cd", seq=102), Segment(b"ab", seq=100), Segment(b"ef", seq=104)]
    (stream,) = streams(tmp_path, segments)
    assert stream.fwd.data == b"abcdef"


def test_a_segment_long_before_the_first_of_a_trace_is_not_of_it(tmp_path: Path) -> None:
    """After 16 KiB what is before the first byte is no late start."""
    early = Segment(b"early", seq=995)
    more = [Segment(bytes(8192), seq=1000 + 8192 * n) for n in range(2)]
    (stream,) = streams(tmp_path, [more[0], early, more[1]])
    assert (len(stream.fwd), stream.fwd.dropped) == (5 + 2 * 8192, 0)
    (stream,) = streams(tmp_path, [*more, early])
    assert (len(stream.fwd), stream.fwd.dropped) == (2 * 8192, 5)


def test_what_a_snap_length_cut_off_is_a_gap(tmp_path: Path) -> None:
    whole = Segment(b"0123456789", seq=1001)
    headers = 14 + 20 + 20
    cut = Segment(whole.payload, seq=1001, cut=headers + 4)
    (stream,) = streams(tmp_path, [opening(), cut, Segment(b"abc", seq=1011)])
    assert stream.fwd.gaps == [(4, 6)]
    assert stream.fwd.data == b"0123\0\0\0\0\0\0abc"
    assert bytes(stream.fwd) == b"0123"
    assert stream.fwd.time_at(4) is None


def test_a_segment_from_before_the_start_that_was_cut_there(tmp_path: Path) -> None:
    """Five of its ten bytes are before the first of the stream; two were captured."""
    early = Segment(b"0123456789", seq=996, cut=14 + 20 + 20 + 2)
    (stream,) = streams(tmp_path, [opening(1000), early, Segment(b"abc", seq=1006)])
    assert (stream.fwd.data, stream.fwd.gaps) == (bytes(5) + b"abc", [(0, 5)])
    assert stream.fwd.dropped == 5


def test_a_segment_without_a_time_came_at_that_of_the_packet_before(tmp_path: Path) -> None:
    seconds = option(9, b"\0") + option(0, b"")  # the clock's unit, of which 64 bits are too many
    sent = [
        (5, opening()), (2**63, Segment(b"a", seq=1001)), (7, Segment(b"b", seq=1002)),
    ]  # fmt: skip
    blocks = [enhanced(segment.record().data, time) for time, segment in sent]
    content = section() + interface(options=seconds) + b"".join(blocks)
    (stream,) = natkit.streams(write(tmp_path / "trace.pcapng", content))
    assert [stream.fwd.time_at(i) for i in range(2)] == [5 * 10**9, 7 * 10**9]


def test_a_gap_at_the_end_is_told_by_the_fin(tmp_path: Path) -> None:
    segments = [opening(), Segment(b"abc", seq=1001), Segment(seq=1010, flags=FIN | ACK)]
    (stream,) = streams(tmp_path, segments)
    assert stream.fwd.gaps == [(3, 6)]
    assert stream.fwd.has_end
    assert not stream.fwd.is_whole


ABC, DEF = Segment(b"abc", seq=1001), Segment(b"def", seq=1004)


@pytest.mark.parametrize(
    ("segments", "limit", "data", "has_start", "has_end", "whole"),
    [
        ([opening(), ABC, Segment(seq=1004, flags=FIN | ACK)], 99, b"abc", True, True, True),
        ([opening(), ABC, Segment(b"def", 1004, FIN | ACK)], 99, b"abcdef", True, True, True),
        ([opening(), ABC, DEF], 99, b"abcdef", True, False, False),
        ([ABC, Segment(seq=1004, flags=FIN | ACK)], 99, b"abc", False, True, False),
        ([opening(), ABC, Segment(seq=1006, flags=FIN)], 99, b"abc\0\0", True, True, False),
        ([opening(), ABC, Segment(seq=1004, flags=FIN), DEF], 99, b"abcdef", True, True, False),
        ([opening(), ABC, Segment(seq=1004, flags=FIN | ACK)], 2, b"ab", True, True, False),
    ],
)
def test_a_way_is_whole_from_its_syn_to_its_fin(
    tmp_path: Path,
    segments: list[Segment],
    limit: int,
    data: bytes,
    has_start: bool,
    has_end: bool,
    whole: bool,
) -> None:
    (stream,) = streams(tmp_path, segments, way_limit=limit)
    way = stream.fwd
    assert (way.data, way.has_start, way.has_end, way.is_whole) == (data, has_start, has_end, whole)


def test_offsets_that_are_not_there(tmp_path: Path) -> None:
    (stream,) = streams(tmp_path, [opening(), Segment(b"abc", seq=1001)])
    for offset in (-1, 3, 2**70):
        with pytest.raises(IndexError):
            stream.fwd.time_at(offset)
    with pytest.raises(TypeError):
        stream.fwd.time_at(1.5)  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="no byte 0 in a stream of 0"):
        stream.rev.time_at(0)


# --- Forged segments --------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [(1 << 20) + 3, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 20])
def test_a_segment_far_away_is_dropped(tmp_path: Path, jump: int) -> None:
    (stream,) = streams(
        tmp_path,
        [
            opening(),
            Segment(b"ab", seq=1001),
            Segment(b"forged", seq=1001 + jump),
            Segment(b"cd", seq=1003),
        ],
    )
    assert (stream.fwd.data, stream.fwd.gaps, stream.fwd.dropped) == (b"abcd", [], 6)


def test_a_window_is_counted_from_the_end_of_all(tmp_path: Path) -> None:
    segments = [opening(), Segment(b"ab", seq=1001), Segment(b"x", seq=1003 + 100)]
    assert streams(tmp_path, segments, window=100)[0].fwd.gaps == [(2, 100)]
    assert streams(tmp_path, segments, window=99)[0].fwd.dropped == 1


def test_after_a_loss_of_much_the_stream_goes_on(tmp_path: Path) -> None:
    far = 1001 + (3 << 20)
    (stream,) = streams(
        tmp_path,
        [
            opening(),
            Segment(b"ab", seq=1001),
            Segment(b"x" * 50, seq=far),
            Segment(b"cd", seq=far + 50),
        ],
    )
    assert stream.fwd.gaps == [(2, (3 << 20) + 48)]
    assert stream.fwd.data[-2:] == b"cd"
    assert stream.fwd.dropped == 50


def test_a_rst_outside_the_window_ends_nothing(tmp_path: Path) -> None:
    middle = [opening(), Segment(b"ab", seq=1001)]
    rest = [Segment(b"cd", seq=1003, sec=1)]
    (stream,) = streams(tmp_path, [*middle, Segment(seq=2**31, flags=RST), *rest])
    assert (stream.fwd.data, stream.end) == (b"abcd", "last")
    (stream,) = streams(tmp_path, [*middle, Segment(seq=1003, flags=RST), *rest])
    assert (stream.fwd.data, stream.end) == (
        b"abcd",
        "reset",
    )  # it may be forged: 5 seconds of grace
    after = [Segment(b"ef", seq=1005, sec=7)]
    first, second = streams(tmp_path, [*middle, Segment(seq=1003, flags=RST), *rest, *after])
    assert (first.fwd.data, first.end) == (b"abcd", "reset")
    assert (second.fwd.data, second.fwd.has_start) == (b"ef", False)


@pytest.mark.parametrize(("at", "end"), [(0, "last"), (89, "last"), (90, "reset"), (110, "reset")])
def test_a_rst_more_than_a_window_before_what_is_expected_ends_nothing(
    tmp_path: Path, at: int, end: str
) -> None:
    segments = in_pieces(bytes(100), [10], 1000)
    reset = Segment(seq=1001 + at, flags=RST)
    (stream,) = streams(tmp_path, [*segments, reset], window=10)
    assert (stream.end, len(stream.fwd)) == (end, 100)


def test_a_second_answer_to_a_syn_changes_nothing(tmp_path: Path) -> None:
    answer = Segment(seq=70, ack=1001, flags=SYN | ACK, back=True)
    forged = Segment(b"evil", seq=900, ack=1001, flags=SYN | ACK, back=True)
    (stream,) = streams(tmp_path, [opening(), answer, forged, Segment(b"good", seq=71, back=True)])
    assert stream.rev.data == b"good"


# --- The end of a stream ----------------------------------------------------------------------


def test_the_same_ends_again(tmp_path: Path) -> None:
    first, second = streams(
        tmp_path,
        [
            opening(1000),
            Segment(b"one", seq=1001),
            opening(1000),  # sent again: the same connection
            opening(5000),
            Segment(b"two", seq=5001),
            Segment(seq=1004, flags=FIN | ACK),  # of the first, too late
        ],
    )
    assert (first.fwd.data, first.end) == (b"one", "reused")
    assert (second.fwd.data, second.end) == (b"two", "last")


# 4 bytes of a download, of which the client's ACKs alone, the server's alone, or both were captured
HALVES = [
    [Segment(b"old1", seq=900, ack=50, back=True), Segment(seq=50, ack=904)],
    [Segment(b"old1", seq=900, ack=50, back=True)],
    [Segment(b"old1", seq=900, flags=0, back=True), Segment(seq=50, ack=904)],
]


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("isn", [50, 777_000, 2**32 - 2**14])
def test_the_same_ends_again_where_one_of_them_had_sent_no_data(
    tmp_path: Path, half: list[Segment], isn: int
) -> None:
    """A SYN's number is before those that the end's ACKs had, where it is the same connection's."""
    first, second = streams(
        tmp_path,
        [
            *half,
            opening(isn),
            Segment(seq=888_000, ack=isn + 1, flags=SYN | ACK, back=True),
            Segment(b"get", seq=isn + 1, ack=888_001),
            Segment(b"new", seq=888_001, ack=isn + 4, back=True),
        ],
    )
    assert (first.fwd.data, first.rev.data, first.end) == (b"old1", b"", "reused")
    assert (second.fwd.data, second.rev.data, second.end) == (b"get", b"new", "last")


def test_a_syn_that_comes_after_its_answer_and_an_ack(tmp_path: Path) -> None:
    (stream,) = streams(
        tmp_path,
        [
            Segment(seq=70, ack=1001, flags=SYN | ACK, back=True),
            Segment(seq=1001, ack=71),
            opening(1000),
            Segment(b"data", seq=1001, ack=71),
        ],
    )
    assert (stream.fwd.data, stream.fwd.has_start, stream.rev.has_start) == (b"data", True, True)


def test_an_ack_of_an_older_connection_hides_no_answer(tmp_path: Path) -> None:
    """RFC 9293 section 3.5.1: a SYN while the other end has still a connection open."""
    (stream,) = streams(
        tmp_path,
        [
            opening(5),
            Segment(seq=888_000, ack=777_004, back=True),
            opening(5, sec=1),
            Segment(seq=98, ack=6, flags=SYN | ACK, back=True, sec=1),
            Segment(b"data", seq=99, ack=6, back=True, sec=1),
        ],
    )
    assert (stream.rev.data, stream.rev.has_start) == (b"data", True)


def test_who_was_refused_asks_again_with_the_same_number(tmp_path: Path) -> None:
    """The second SYN is answered, and 8 seconds later the connection still goes on."""
    refused, accepted = streams(
        tmp_path,
        [
            opening(1000),
            Segment(seq=0, ack=1001, flags=RST | ACK, back=True),
            opening(1000, sec=1),
            Segment(seq=70, ack=1001, flags=SYN | ACK, back=True, sec=1),
            Segment(b"hello", seq=1001, ack=71, sec=1),
            Segment(b"again", seq=1006, ack=71, sec=9),
        ],
    )
    assert (refused.fwd.data, refused.end) == (b"", "reset")
    assert (accepted.fwd.data, accepted.fwd.has_start) == (b"helloagain", True)
    assert (accepted.rev.has_start, accepted.end) == (True, "last")


def test_a_late_segment_of_a_closed_connection_belongs_to_it(tmp_path: Path) -> None:
    closed = [
        opening(),
        Segment(seq=70, ack=1001, flags=SYN | ACK, back=True),
        Segment(seq=1005, ack=71, flags=FIN | ACK),
        Segment(seq=71, ack=1006, flags=FIN | ACK, back=True, sec=1),
        Segment(seq=1006, ack=72, sec=1),
        Segment(b"late", seq=1001, ack=71, sec=2),
    ]
    other = Segment(b"x", seq=1, client=50000, sec=8)
    stream, _ = streams(tmp_path, [*closed, other])
    assert (stream.fwd.data, stream.end) == (b"late", "closed")
    assert stream.fwd.is_whole


def closing(*, last_ack: bool, sec: int = 2) -> list[Segment]:
    """A connection whose server's last four bytes were not captured; port 50000 is before it."""
    return [
        opening(client=50000),
        opening(),
        Segment(seq=70, ack=1001, flags=SYN | ACK, back=True),
        Segment(b"ask", seq=1001, ack=71, sec=1),
        Segment(seq=1004, ack=71, flags=FIN | ACK, sec=1),
        Segment(seq=75, ack=1005, flags=FIN | ACK, back=True, sec=1),
        *([Segment(seq=1005, ack=76, sec=1)] if last_ack else []),
        Segment(b"late", seq=71, ack=1005, back=True, sec=sec),
        Segment(seq=1005, ack=76, sec=sec),
    ]


@pytest.mark.parametrize("window", [4, 1 << 20])
def test_a_connection_is_over_when_each_fin_was_acknowledged(tmp_path: Path, window: int) -> None:
    """Within 5 seconds more may come; it is handed out before one that began earlier."""
    other = Segment(b"x", seq=1001, client=50000, sec=8)
    found = streams(tmp_path, [*closing(last_ack=True), other], window=window)
    assert [(s.src_port, s.rev.data, s.end) for s in found] == [
        (CLIENT, b"late", "closed"), (50000, b"", "last"),
    ]  # fmt: skip


def test_what_is_sent_again_because_a_fin_was_not_acknowledged_is_of_the_stream(
    tmp_path: Path,
) -> None:
    """RFC 9293 section 3.8.1: an end sends again what was not acknowledged, for minutes."""
    found = streams(tmp_path, closing(last_ack=False, sec=62))
    assert [(s.src_port, s.rev.data, s.end) for s in found] == [
        (50000, b"", "last"), (CLIENT, b"late", "closed"),
    ]  # fmt: skip
    assert found[1].rev.is_whole


def test_a_connection_whose_fins_were_not_acknowledged_ends_by_silence(tmp_path: Path) -> None:
    sent = closing(last_ack=False)[1:6]
    found = streams(tmp_path, [*sent, Segment(b"x", seq=1001, client=50000, sec=603)])
    assert [(s.src_port, s.end) for s in found] == [(CLIENT, "closed"), (50000, "last")]


def test_silence_ends_a_stream(tmp_path: Path) -> None:
    segments = [
        opening(),
        Segment(b"one", seq=1001),
        Segment(b"two", seq=1004, sec=601),
    ]
    assert [s.end for s in streams(tmp_path, segments)] == ["timeout", "last"]
    assert [s.fwd.data for s in streams(tmp_path, segments, idle_timeout=601)] == [b"onetwo"]


def test_streams_left_at_the_end_come_in_the_order_they_began(tmp_path: Path) -> None:
    segments = [opening(client=port) for port in (50009, 50001, 50005)]
    segments += [Segment(b"x", seq=1001, client=50009)]
    assert [s.src_port for s in streams(tmp_path, segments)] == [50009, 50001, 50005]


# --- Bounds -----------------------------------------------------------------------------------


def test_no_more_than_way_limit_is_kept(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    (stream,) = streams(tmp_path, in_pieces(data, [1000], 77), way_limit=2500)
    assert (stream.fwd.data, stream.fwd.gaps) == (data[:2500], [])
    assert stream.fwd.dropped == len(data) - 2500
    assert not stream.fwd.is_whole


def test_no_more_than_memory_is_taken(tmp_path: Path) -> None:
    segments = [Segment(b"x" * 1000, seq=1, client=1024 + i) for i in range(300)]
    found = streams(tmp_path, segments, memory=100_000)
    early = [s for s in found if s.end == "memory"]
    assert [s.src_port for s in early] == [1024 + i for i in range(len(early))]
    assert 200 < len(early) < 300  # each takes from 1,000 to 2,000 bytes and its own structure
    assert sorted(s.src_port for s in found) == [1024 + i for i in range(300)]
    assert {s.fwd.data for s in found} == {b"x" * 1000}


def test_what_is_over_goes_first_where_there_is_no_more_memory(tmp_path: Path) -> None:
    def data(client: int) -> Segment:
        return Segment(b"x" * 1000, seq=1, client=client)

    closed = [
        data(1001),
        Segment(seq=1001, ack=9, flags=FIN | ACK, client=1001),
        Segment(seq=9, ack=1002, flags=FIN | ACK, client=1001, back=True),
        Segment(seq=1002, ack=10, client=1001),
    ]
    others = [data(2000 + n) for n in range(100)]
    found = streams(tmp_path, [data(1000), *closed, *others], memory=100_000)
    assert [(s.src_port, s.end) for s in found[:3]] == [
        (1001, "closed"), (1000, "memory"), (2000, "memory"),
    ]  # fmt: skip


def test_one_byte_segments_count_with_their_times(tmp_path: Path) -> None:
    segments = [Segment(b"x", seq=2 * i, sec=i % 2) for i in range(20_000)]
    found = streams(tmp_path, segments, memory=100_000)
    assert [s.end for s in found[:-1]] == ["memory"] * (len(found) - 1)
    assert sum(len(s.fwd.gaps) + 1 for s in found) == 20_000
    assert len(found) >= 20_000 * 24 // 100_000


def test_one_byte_segments_backwards(tmp_path: Path) -> None:
    count = 60_000
    places = [*range(1, count, 2)][::-1] + [*range(0, count, 2)][::-1]
    segments = [Segment(bytes([i % 251]), seq=1001 + i) for i in places]
    (stream,) = streams(tmp_path, [opening(), *segments])
    assert stream.fwd.data == bytes(i % 251 for i in range(count))


# --- Sources ----------------------------------------------------------------------------------


def test_sources_are_read_as_one(tmp_path: Path) -> None:
    one = write(tmp_path / "1.pcap", pcap([opening().record(), Segment(b"a", seq=1001).record()]))
    two = write(tmp_path / "2.pcap", pcap([Segment(b"b", seq=1002).record()]))
    (stream,) = natkit.streams([one, str(two)])
    assert stream.fwd.data == b"ab"
    with plt.trace(one) as open_trace:
        assert [s.fwd.data for s in natkit.streams(open_trace)] == [b"a"]


def test_sources_are_those_of_columns(tmp_path: Path) -> None:
    one = write(tmp_path / "1.pcap", pcap([opening().record(), Segment(b"a", seq=1001).record()]))
    with one.open("rb") as file:
        for source in (file, io.BytesIO(one.read_bytes()), tmp_path, str(tmp_path / "*.pcap")):
            assert [s.fwd.data for s in natkit.streams(source)] == [b"a"]
    with pytest.raises(plt.LibtraceError, match="no file matches"):
        natkit.streams(tmp_path / "*.pcapng")


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    path = trace(tmp_path, [opening(), Segment(b"a", seq=1001)])
    told: list[tuple[int, int | None]] = []
    found = natkit.streams([path, path], progress=lambda *state: told.append(state))
    assert sum(1 for _ in found) == 1
    assert next(found, None) is None
    size = path.stat().st_size
    assert told[-1] == (2 * size, 2 * size)


def test_a_filter_leaves_packets_out(tmp_path: Path) -> None:
    segments = [opening(), opening(client=50000)]
    (stream,) = natkit.streams(trace(tmp_path, segments), filter="port 50000")
    assert stream.src_port == 50000


def test_after_damage_comes_what_was_read_before(tmp_path: Path) -> None:
    path = trace(tmp_path, [opening(), Segment(b"abc", seq=1001), Segment(b"lost", seq=1004)])
    path.write_bytes(path.read_bytes()[:-1])
    found = natkit.streams(path)
    with pytest.raises(plt.LibtraceError):
        next(found)
    assert [s.fwd.data for s in found] == [b"abc"]


def test_a_file_may_not_use_the_streams_that_read_it() -> None:
    content = pcap([Record(ethernet(ipv4(udp(b"x" * 99)))) for _ in range(3000)])
    refused = 0

    def look() -> None:
        nonlocal refused
        for use in (lambda: next(found), reader.finish, lambda: reader.open(DNS, None)):
            with pytest.raises(RuntimeError, match="the streams are in use by another thread"):
                use()
            refused += 1

    found = natkit.streams([Watched(content, look), DNS])
    reader = found._reader  # type: ignore[attr-defined]
    assert len(list(found)) == 22  # by tshark's tcp.stream
    assert refused > 3


def test_the_parts_in_c_used_wrongly() -> None:
    reader = natkit._natkit._StreamReader
    for seed in (b"", bytes(15), bytes(17)):
        with pytest.raises(ValueError, match=f"a seed has 16 bytes, not {len(seed)}"):
            reader(seed, 1, 1, 1, 1)
    for arguments in ((), ("0" * 16, 1, 1, 1), (bytes(16), 1, 1, 1, "1")):
        with pytest.raises(TypeError):
            reader(*arguments)  # type: ignore[arg-type]
    made = reader(bytes(16), 1, 1, 1, 1)
    for arguments in ((), (DNS,), (DNS, None, None)):
        with pytest.raises(TypeError):
            made.open(*arguments)  # type: ignore[call-arg]
    assert next(made, None) is None


def test_numbers_out_of_range() -> None:
    for name in ("way_limit", "memory", "window"):
        with pytest.raises(ValueError, match=f"^{name} is"):
            natkit.streams(DNS, **{name: -1})  # type: ignore[arg-type]
    for timeout in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="idle_timeout is more than 0"):
            natkit.streams(DNS, idle_timeout=timeout)
    with pytest.raises(ValueError, match="no sources"):
        natkit.streams([])
    with pytest.raises(TypeError):
        natkit.streams(DNS, way_limit="1")  # type: ignore[arg-type]
    with pytest.raises(plt.LibtraceError):
        next(natkit.streams("pcapfile:/nowhere"))


# --- DNS --------------------------------------------------------------------------------------


def test_messages_of_streams_are_whole() -> None:
    """tshark -r dns-1k.pcap.gz -Y 'dns && tcp' counts 52 messages."""
    messages = [
        message
        for stream in natkit.streams(DNS)
        for way in (stream.fwd, stream.rev)
        for message in pldns.messages(way)
    ]
    assert len(messages) == 52
    assert all(message.is_ok() for message in messages)


def test_thousands_of_connections_at_once(tmp_path: Path) -> None:
    """Each stream has its own bytes, in the order in which the connections began."""
    count = 2500
    first = [ipv4(tcp(b"%05d" % n, ports=(10_000 + n, 80), seq=1), TCP) for n in range(count)]
    then = [ipv4(tcp(b" more", ports=(10_000 + n, 80), seq=6), TCP) for n in range(count)]
    records = [Record(ethernet(data)) for data in (*first, *then)]
    found = list(natkit.streams(write(tmp_path / "t.pcap", pcap(records))))
    assert [bytes(stream.fwd.data) + bytes(stream.rev.data) for stream in found] == [
        b"%05d more" % n for n in range(count)
    ]


def test_connections_are_told_apart_by_each_end_and_the_version(tmp_path: Path) -> None:
    """Thousands at once, of which many differ in one number alone."""

    def frame(n: int, payload: bytes, seq: int) -> bytes:
        ports = {1: (9, 10_000 + n), 2: (10_000 + n, 9)}.get(n % 5, (9, 99))
        data = tcp(payload, ports=ports, seq=seq)
        if n % 5 == 4:
            return ethernet(ipv6(data, TCP, src=f"2001:db8::{n:x}"), 0x86DD)
        ends = {0: {"src": f"10.9.{n >> 8}.{n & 255}"}, 3: {"dst": f"10.8.{n >> 8}.{n & 255}"}}
        return ethernet(ipv4(data, TCP, **ends.get(n % 5, {})))

    count = 4000
    frames = [frame(n, b"%05d" % n, 1) for n in range(count)]
    frames += [frame(n, b" more", 6) for n in range(count)]
    found = natkit.streams(write(tmp_path / "trace.pcap", pcap(frames)))
    assert [bytes(stream.fwd.data) for stream in found] == [b"%05d more" % n for n in range(count)]


def test_how_far_streams_are_is_shown(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}.pcap", pcap([])) for n in range(2)]
    found = natkit.streams(paths)
    assert repr(found) == "<natkit.streams of 2 sources, 0 opened>"
    assert list(found) == []
    assert repr(found) == "<natkit.streams of 2 sources, at its end>"
    assert repr(natkit.streams(paths[0])) == "<natkit.streams of 1 source, 0 opened>"


@pytest.mark.parametrize("damage", ["cut", "check sum"])
def test_damaged_compression_ends_a_trace_once(damage: str, tmp_path: Path) -> None:
    """What was read before it comes, and so does the next trace."""
    payloads = [random.Random(n).randbytes(1400) for n in range(200)]
    segments = [Segment(data, seq=1000 + 1400 * n) for n, data in enumerate(payloads)]
    packed = gzip.compress(trace(tmp_path, [opening(999), *segments]).read_bytes())
    packed = packed[:-3000] if damage == "cut" else packed[:-8] + bytes(8)
    bad = write(tmp_path / "bad.pcap.gz", packed)
    good = trace(tmp_path, [opening(99, client=5), Segment(b"x", seq=100, client=5)])
    read = natkit.streams([bad, good])
    found, errors = [], 0
    while True:
        try:
            found.append(next(read))
        except plt.LibtraceError:
            errors += 1
        except StopIteration:
            break
    assert errors == 1
    assert len(found) == 2
    assert b"".join(payloads).startswith(found[0].fwd.data)
    assert len(found[0].fwd) >= 1400 * 190
