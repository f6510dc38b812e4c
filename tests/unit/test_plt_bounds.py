"""Traces that end by themselves, with a filter from the start, or of a file that is open."""

import bz2
import gzip
import io
import socket
import sys
import time
from pathlib import Path

import packets
import pytest
from live import on_lo
from packets import EPOCH, Record

import natkit
import plt

#: Ten datagrams and ten segments in turn, a quarter of a second apart.
UDP = packets.ethernet(packets.ipv4(packets.udp(b"x")))
TCP = packets.ethernet(packets.ipv4(packets.tcp(), proto=packets.TCP))
CONTENT = packets.pcap(
    [Record((UDP, TCP)[i % 2], EPOCH + i // 4, i % 4 * 250_000) for i in range(20)]
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return packets.write(tmp_path / "trace.pcap", CONTENT)


def seen(trace: plt.trace) -> list[float]:
    """The times of the packets, in seconds since the first one of the file."""
    with trace:
        return [(pkt.time_ns - EPOCH * 10**9) / 10**9 for pkt in trace]


# --- Filters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("filter", ["tcp", plt.filter("tcp"), plt.where("tcp")])
def test_filter_from_the_start(path: Path, filter: str | plt.filter) -> None:
    assert seen(plt.trace(path, filter=filter)) == [0.25 + 0.5 * i for i in range(10)]
    assert len(plt.columns(plt.trace(path, filter=filter).__enter__(), ["time"]).table()) == 10


def test_filter_of_a_text_later(path: Path) -> None:
    trace = plt.trace(path, filter="tcp")
    trace.conf_filter("udp")
    assert seen(trace) == [0.5 * i for i in range(10)]


def test_filters_that_are_none(path: Path) -> None:
    assert len(seen(plt.trace(path, filter=None))) == 20
    for wrong in (1, b"tcp", ["tcp"]):
        with pytest.raises(TypeError, match=r"trace\(\) takes a plt.filter, not "):
            plt.trace(path, filter=wrong)
        with pytest.raises(TypeError, match=r"conf_filter\(\) takes a plt.filter, not "):
            plt.trace(path).conf_filter(wrong)
    with pytest.raises(ValueError, match="ASCII"):
        plt.trace(path, filter="tcp\0")
    with (
        pytest.raises(plt.LibtraceError, match='Unable to compile the filter "tpc"'),
        plt.trace(path, filter="tpc") as trace,
    ):
        next(trace)


# --- Ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 7, 20, 21, sys.maxsize])
def test_count(path: Path, count: int) -> None:
    assert seen(plt.trace(path, count=count)) == [0.25 * i for i in range(min(count, 20))]


def test_count_is_of_accepted_packets(path: Path) -> None:
    trace = plt.trace(path, count=3, filter="tcp")
    assert seen(trace) == [0.25, 0.75, 1.25]
    assert trace.pkt_accepts() == 3


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.25, 1), (0.26, 2), (1, 4), (1.75, 7), (1e9, 20), (1e-9, 1)]
)
def test_duration_of_a_file_counts_from_its_first_packet(
    path: Path, seconds: float, expected: int
) -> None:
    assert seen(plt.trace(path, duration=seconds)) == [0.25 * i for i in range(expected)]
    with plt.trace(path, duration=seconds) as trace:
        assert len(plt.columns(trace, ["time"]).table()) == expected
    with plt.trace(path, duration=seconds) as trace:
        assert natkit.FlowTable().add_trace(trace) == expected


@pytest.mark.parametrize(
    ("nanoseconds", "is_in_time"),
    [
        (1_499_999_999, True),
        (1_500_000_000, False),
        (1_500_000_001, False),
        (2_000_000_000, False),
        (10**10, False),
    ],
)
def test_the_end_of_a_duration_is_exact(nanoseconds: int, is_in_time: bool, tmp_path: Path) -> None:
    """A second and a half after a packet at 0.7 s: the sum of the fractions is carried."""
    later = 700_000_000 + nanoseconds
    records = [
        Record(UDP, EPOCH, 700_000_000),
        Record(TCP, EPOCH + later // 10**9, later % 10**9),
    ]
    path = packets.write(tmp_path / "two.pcap", packets.pcap(records, magic=0xA1B23C4D))
    assert len(seen(plt.trace(path, duration=1.5))) == 1 + is_in_time


def test_an_end_stays_an_end(path: Path) -> None:
    with plt.trace(path, count=2) as trace:
        assert len(list(trace)) == 2
        assert list(trace) == []
        assert trace.read_packet(plt.packet()) is False
        assert len(plt.columns(trace, ["time"]).table()) == 0
    with plt.trace(path, duration=1) as trace:
        assert len(list(trace)) == 4
        assert list(trace) == []
        assert len(plt.columns(trace, ["time"]).table()) == 0


@pytest.mark.parametrize(
    ("bound", "error", "words"),
    [
        ({"count": -1}, ValueError, "count must be 0 or more"),
        ({"count": 1.5}, TypeError, "integer"),
        ({"count": 2**70}, OverflowError, None),
        ({"duration": 0}, ValueError, "duration must be more than 0 seconds"),
        ({"duration": -1}, ValueError, "duration must be more than 0 seconds"),
        ({"duration": float("nan")}, ValueError, "duration must be more than 0 seconds"),
        (
            {"duration": 1.1e9},
            ValueError,
            "duration must be more than 0 seconds, 10\\*\\*9 at most",
        ),
        ({"duration": float("inf")}, ValueError, "duration must be more than 0 seconds"),
        ({"duration": "1"}, TypeError, None),
    ],
)
def test_ends_that_are_none(
    path: Path, bound: dict[str, object], error: type[Exception], words: str | None
) -> None:
    with pytest.raises(error, match=words):
        plt.trace(path, **bound)


@on_lo
@pytest.mark.parametrize("format", ["int", "ring", "pcapint"])
def test_a_live_source_ends_where_no_packet_comes(format: str) -> None:
    nothing = "ether proto 0x88b6"
    started = time.monotonic()
    with plt.trace(f"{format}:lo", filter=nothing, duration=0.3) as trace:
        assert list(trace) == []
    assert time.monotonic() - started >= 0.3
    with plt.trace(f"{format}:lo", filter=nothing, duration=0.3) as trace:
        assert len(plt.columns(trace, ["time"]).table()) == 0


@on_lo
@pytest.mark.parametrize("format", ["int", "ring", "pcapint"])
def test_a_pause_does_not_make_a_live_trace_last_longer(format: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]
        trace = plt.trace(f"{format}:lo", filter=f"udp dst port {port}", duration=0.2)
        trace.start()
        trace.pause()
        time.sleep(0.25)
        trace.start()
        sink.sendto(b"too late", sink.getsockname())
        assert list(trace) == []
        trace.close()


@on_lo
def test_a_live_trace_gives_what_comes_before_its_end() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]
        trace = plt.trace("pcapint:lo", filter=f"udp dst port {port}", duration=60)
        with trace:
            sink.sendto(b"in time", sink.getsockname())
            assert bytes(next(trace).udp_payload) == b"in time"


@on_lo
def test_a_live_source_ends_after_so_many_packets() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]
        with plt.trace("pcapint:lo", filter=f"udp dst port {port}", count=3) as trace:
            for i in range(5):
                sink.sendto(bytes([i]), ("127.0.0.1", port))
            assert [bytes(pkt.udp.payload) for pkt in trace] == [b"\0", b"\1", b"\2"]


# --- Open files ------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
def test_open_files(path: Path, compress) -> None:
    path.write_bytes(compress(CONTENT))
    memory = io.BytesIO(path.read_bytes())
    with open(path, "rb") as file, open(path, "rb", buffering=0) as raw:
        for source in (memory, file, raw):
            assert len(seen(plt.trace(source))) == 20
            assert not source.closed
            source.seek(0)
            assert len(plt.columns(source, ["time"]).table()) == 20
            source.seek(0)
            assert natkit.FlowTable().add_trace(source) == 20
            source.seek(0)
            assert natkit.flows(source).packets == 20
        assert plt.trace(file).uri == str(path)
    assert plt.trace(memory).uri == "<_io.BytesIO>"


def test_an_open_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"something else" + gzip.compress(CONTENT) + b"\0garbage")
    file.seek(len("something else"))
    found, error = 0, ""
    with plt.trace(file) as trace:
        try:
            for _ in trace:
                found += 1
        except plt.LibtraceError as damage:
            error = str(damage)
    assert found == 20
    assert error.startswith("<_io.BytesIO>: the gzip data is damaged")


class Named(io.BytesIO):
    """A file with a name, or without one that can be got."""

    def __init__(self, name: object) -> None:
        super().__init__(CONTENT)
        self.answer = name

    @property
    def name(self) -> object:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("some.pcap", "some.pcap"),
        ("", "<Named>"),
        (5, "<Named>"),  # a descriptor, as of tempfile.TemporaryFile()
        (b"some.pcap", "<Named>"),
        (None, "<Named>"),
        (ValueError("it is detached"), "<Named>"),
    ],
)
def test_what_an_open_file_is_called(name: object, uri: str) -> None:
    trace = plt.trace(Named(name))
    assert trace.uri == uri
    assert len(seen(trace)) == 20


def test_ctrl_c_while_an_open_file_says_its_name() -> None:
    with pytest.raises(KeyboardInterrupt):
        plt.trace(Named(KeyboardInterrupt()))


@pytest.mark.parametrize("name", ["__fspath__", "read"])
def test_ctrl_c_while_an_object_says_what_it_is(name: str) -> None:
    class Interrupted:
        def __getattr__(self, wanted: str) -> object:
            if wanted == name:
                raise KeyboardInterrupt
            raise AttributeError(wanted)

    with pytest.raises(KeyboardInterrupt):
        plt.trace(Interrupted())


class OnlyRead:
    """The least that a file may have."""

    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self.file.read(min(size, 7))


def test_a_file_that_can_only_be_read() -> None:
    assert len(seen(plt.trace(OnlyRead(CONTENT)))) == 20
    assert len(seen(plt.trace(OnlyRead(gzip.compress(CONTENT))))) == 20


def test_open_files_that_are_no_trace(path: Path) -> None:
    with open(path) as text, pytest.raises(plt.LibtraceError, match="mode 'rb'"):
        plt.trace(text).start()
    with pytest.raises(plt.LibtraceError, match=r"<_io\.BytesIO>: the file is empty"):
        plt.trace(io.BytesIO()).start()
    for wrong in (None, 1, CONTENT.__len__, [str(path)]):
        with pytest.raises(TypeError):
            plt.trace(wrong)


class Failing(io.RawIOBase):
    """A file whose reads raise what a program's own code raises."""

    def readinto(self, _buffer: object) -> int:
        raise RuntimeError("my own")


def test_what_a_file_raises_is_the_program_s() -> None:
    with pytest.raises(RuntimeError, match="my own"):
        plt.trace(Failing()).start()
