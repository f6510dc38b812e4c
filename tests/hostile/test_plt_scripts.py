"""What scripts may do to objects in use: they get a value or an exception, not others' memory."""

import contextlib
import copy
import gc
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import packets as pk
import pytest
from packets import EPOCH, Record

import ipp
import natkit
import pldns
import plt
import plt._output

SMALL = pk.ethernet(pk.ipv4(pk.ipv4(pk.udp(b"small")), 4))
LARGE = pk.ethernet(pk.ipv4(pk.udp(bytes(1400))))
MODULES = (plt._plt, natkit._natkit, ipp._ipp, pldns._pldns)
KINDS = {value for module in MODULES for value in vars(module).values() if isinstance(value, type)}
TYPES = {kind for kind in KINDS if not issubclass(kind, BaseException)}


@pytest.mark.parametrize("kind", sorted(TYPES, key=repr), ids=repr)
def test_types_can_not_be_changed(kind: type) -> None:
    """With another __new__ a script could have objects in which nothing is set."""
    for name in ("__new__", "__init__", "__del__", "note"):
        with pytest.raises(TypeError, match="immutable type"):
            setattr(kind, name, lambda *_: 3)


def test_a_format_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt._output, "format_of", lambda _: ("none", "out.pcap"))
    with pytest.raises(ValueError, match="no format of the name none"):
        plt.output_trace("out.pcap")


def test_a_number_that_raises() -> None:
    class Number:
        def __index__(self) -> int:
            raise ZeroDivisionError

    packet = plt.packet.from_bytes(SMALL)
    with pytest.raises(ZeroDivisionError):
        packet.ip.ttl = Number()
    with pytest.raises(ZeroDivisionError):
        plt.packet.from_bytes(SMALL, time_ns=Number())
    assert packet.ip.ttl == 64


class Keeps(io.RawIOBase):
    """A file that keeps the memory it was given, and writes to it after that."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)
        self.kept: list[Any] = []

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)

    def readinto(self, memory: Any) -> int:
        for kept in self.kept:
            kept[:] = b"\xff" * len(kept)
        self.kept.append(memoryview(memory))
        return self.file.readinto(memory)


def test_a_file_that_keeps_the_memory_it_is_given() -> None:
    data = pk.pcap([Record(LARGE, EPOCH + i) for i in range(3000)])
    file = Keeps(data)
    with plt.trace(file) as trace:
        assert all(bytes(packet) == LARGE for packet in trace)
    assert len(file.kept) > 10
    for kept in file.kept:
        kept[:] = b"\xff" * len(kept)


@pytest.mark.parametrize("count", [-1, 1 << 40])
def test_a_file_that_says_what_can_not_be(count: int) -> None:
    class Lies(Keeps):
        def readinto(self, memory: Any) -> int:
            return count if super().readinto(memory) == 0 else len(memory)

    with (
        pytest.raises(plt.LibtraceError, match=f"says it read {count}"),
        plt.trace(Lies(pk.pcap([SMALL]))) as trace,
    ):
        list(trace)


def replacing(packet: plt.packet, tmp_path: Path) -> Callable[[], None]:
    """What reads a larger packet into one, which lets go of its memory, and uses that."""
    trace = plt.trace(pk.write(tmp_path / "large.pcap", pk.pcap([LARGE] * 3)))
    trace.start()

    def replace() -> None:
        trace.read_packet(packet)
        replace.junk = [b"\x45" * size for size in range(30, 600, 2) for _ in range(40)]

    return replace


@pytest.mark.parametrize("use", ["a subclass", "tunnels"])
def test_a_packet_that_is_read_into_while_it_is_used(use: str, tmp_path: Path) -> None:
    """The collector runs code of a script's where memory is taken for an object."""

    class Ip(plt.ip):
        pass

    with plt.trace(pk.write(tmp_path / "small.pcap", pk.pcap([SMALL]))) as trace:
        packet = plt.packet()
        trace.read_packet(packet)
    replace = replacing(packet, tmp_path)
    done: list[str] = []

    def collected(phase: str, _info: dict) -> None:
        if phase == "start" and not done:
            done.append(phase)
            replace()

    gc.collect()
    before = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        result = Ip(packet) if use == "a subclass" else packet.tunnels
    finally:
        gc.callbacks.remove(collected)
        gc.set_threshold(*before)
    if use == "a subclass":
        assert bytes(result) in (SMALL[14:], LARGE[14:])
    else:
        assert [tunnel.kind for tunnel in result] in ([], ["ipip"])


def test_a_trace_that_is_closed_by_what_a_packet_lets_go_of(tmp_path: Path) -> None:
    class Closes(bytearray):
        def __del__(self) -> None:
            trace.close()
            Closes.junk = [bytearray(b"A" * (1 << 18)) for _ in range(4)]

    trace = plt.trace(pk.write(tmp_path / "t.pcap", pk.pcap([LARGE])))
    trace.start()
    inner = plt.ip(Closes(pk.ipv4(pk.ipv4(pk.udp(b"x")), 4))).inner
    assert trace.read_packet(inner)
    assert bytes(inner) == LARGE


def test_a_comment_that_is_taken_away_while_it_is_written(tmp_path: Path) -> None:
    """A pipe that is full makes the writer wait, without the GIL."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    written = [plt.packet.from_bytes(bytes(60)) for _ in range(4)]
    for packet in written:
        packet.comment = "c" * 60_000
    got: list[bytes] = []

    def read() -> None:
        with fifo.open("rb") as file:
            time.sleep(0.2)  # the pipe is full
            for packet in written:
                packet.comment = None
            read.junk = [bytearray(b"SECRET!!" * 7501) for _ in range(50)]
            got.append(file.read())

    thread = threading.Thread(target=read)
    thread.start()
    with plt.output_trace(f"pcapng:{fifo}") as out:
        for packet in written:
            out.write_packet(packet)
    thread.join()
    assert b"SECRET" not in got[0]


def over_memoryviews(layer: plt.ip) -> plt.ip:
    for _ in range(200_000):
        layer = plt.ip(memoryview(layer))
    return layer


def over_transports(layer: plt.ip) -> plt.ip:
    while layer.transport and (inner := plt.ip(layer.transport)):
        layer = inner
    return layer


@pytest.mark.parametrize("nest", [over_memoryviews, over_transports])
def test_objects_over_each_other_without_end(nest: Callable[[plt.ip], plt.ip]) -> None:
    """As many as that are let go of without a stack as deep."""
    header = pk.ipv4(b"", 4, length=0)
    layer = nest(plt.ip(header * 200_000))
    assert layer.version == 4
    with contextlib.suppress(RecursionError):  # how deep it may be is CPython's to say
        assert bytes(copy.copy(layer)) == bytes(layer)
    del layer


def test_defragmenting_what_was_defragmented_without_end() -> None:
    packets: Iterator[plt.packet] = iter([])
    for _ in range(200_000):
        packets = plt.defragment(packets)
    with contextlib.suppress(RecursionError):
        assert next(packets, None) is None
    del packets
