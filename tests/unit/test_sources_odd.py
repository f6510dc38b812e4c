"""Objects that do not keep what their type promises: files, outputs, buffers, arguments."""

import io
import mmap
import sys
from collections.abc import Callable
from pathlib import Path

import packets
import pytest

import ipp
import natkit
import plt

FRAME = packets.ethernet(packets.ipv4(packets.udp(b"data")))
PCAP = packets.pcap([FRAME])


class Output:
    """A standard output whose write() gives these answers, one after another, then works."""

    def __init__(self, *answers: object) -> None:
        self.buffer = self
        self.answers = list(answers)
        self.taken = b""

    def write(self, data: bytes) -> object:
        answer = self.answers.pop(0) if self.answers else len(data)
        if isinstance(answer, int):
            self.taken += bytes(data[:answer])
        return answer

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


@pytest.mark.parametrize("answer", [0, -1, -3, 1 << 40])
def test_an_output_that_takes_no_bytes_or_too_many(
    answer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Output(answer))
    output = plt.output_trace("pcapfile:-")
    output.start_output()
    output.write_packet(plt.packet.from_bytes(FRAME))
    with pytest.raises(plt.LibtraceError, match="the file takes no more"):
        output.close_output()


def test_an_output_whose_answer_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Output("all"))
    output = plt.output_trace("pcapfile:-")
    output.start_output()
    output.write_packet(plt.packet.from_bytes(FRAME))
    with pytest.raises((TypeError, plt.LibtraceError)):
        output.close_output()


def test_an_output_that_takes_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Output(1, 23, 16, 5)
    monkeypatch.setattr(sys, "stdout", out)
    with plt.output_trace("pcapfile:-") as output:
        output.write_packet(plt.packet.from_bytes(FRAME))
    assert len(out.taken) == 24 + 16 + len(FRAME)
    assert out.taken[40:] == FRAME


class Input(io.BytesIO):
    """A file that reads a trace's first bytes, then gives these answers, one after another."""

    def __init__(self, *answers: object) -> None:
        super().__init__(PCAP[:30])
        self.answers = list(answers)

    def readinto1(self, buffer: memoryview) -> object:
        return super().readinto(buffer) or (self.answers.pop(0) if self.answers else 0)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (1 << 40, plt.LibtraceError),
        (-1, plt.LibtraceError),
        (1 << 80, plt.LibtraceError),
        ("all", TypeError),
        (1.5, TypeError),
    ],
)
def test_a_file_whose_answer_is_no_number_of_bytes_that_it_could_read(
    answer: object, error: type[Exception]
) -> None:
    with plt.trace(Input(answer)) as trace:
        with pytest.raises(error):
            next(trace)
        # it says then that it ended, within a packet's header
        with pytest.raises(plt.LibtraceError, match="cut within a packet header: 6 of 16 bytes"):
            next(trace)


def test_columns_can_not_be_made_writable() -> None:
    """NumPy asks what the array's memory is of."""
    array = plt.columns(io.BytesIO(PCAP), ["src_port"]).table()["src_port"]
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.setflags(write=True)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 7
    assert array.tolist() == [49152]


@pytest.fixture
def huge() -> mmap.mmap:
    """More bytes than 32 bits count; none is touched, so that they take no memory."""
    return mmap.mmap(-1, (1 << 32) + 1, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)


@pytest.mark.parametrize(
    "kind", [plt.packet.from_bytes, plt.ip, plt.tcp], ids=["packet", "ip", "tcp"]
)
def test_a_packet_has_no_more_bytes_than_its_length_can_say(
    kind: Callable[[mmap.mmap], object], huge: mmap.mmap
) -> None:
    with (
        huge,
        pytest.raises(ValueError, match=f"{len(huge)} bytes are more than a packet can have"),
    ):
        kind(huge)


@pytest.mark.parametrize(
    "read",
    [
        lambda uri: natkit.FlowTable().add_trace(uri, 5),
        lambda uri: list(natkit.streams(uri, filter=5)),
        lambda uri: plt.columns(uri, filter=5).table(),
        lambda uri: plt.trace(uri).conf_filter(5),
    ],
    ids=["add_trace", "streams", "columns", "trace"],
)
def test_what_is_no_filter(read: Callable[[str], object], tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t.pcap", PCAP)
    with pytest.raises(TypeError, match="filter"):
        read(str(path))


@pytest.mark.parametrize("icmp", [b"", b"\x08", b"\x08\0\0"])
def test_the_type_and_code_of_a_flow_are_two_bytes(icmp: bytes) -> None:
    key = natkit.IPflow(plt.packet.from_bytes(FRAME)).fwd_key
    with pytest.raises(ValueError, match=f"a type and a code, not {len(icmp)}"):
        natkit.IPflow.from_key(key, icmp=icmp)
    with pytest.raises(TypeError):
        natkit.IPflow.from_key(key, icmp="\x08\0")


def test_prefixes_of_objects_that_are_no_networks() -> None:
    class Network:
        """It has what tells an ipaddress network, and values that no network has."""

        version = 4
        prefixlen = "24"

    for value in (Network(), 5, "192.0.2.0/24", None):
        with pytest.raises(TypeError):
            ipp.IPprefix.from_ipaddress(value)
