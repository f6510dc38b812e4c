"""A signal handler's exception gets through as itself, wherever it comes; a stream's does not."""

import bz2
import contextlib
import ctypes
import gc
import gzip
import lzma
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import packets
import pytest
from live import on_lo

import natkit
import pldns
import plt
from plt import _parts, _streams

KINDS = [TimeoutError("mine"), OSError(5, "mine"), ConnectionError("mine"), EOFError("mine"),
         ValueError("mine"), KeyboardInterrupt("mine")]  # fmt: skip
FRAME = packets.ethernet(packets.ipv4(packets.udp(b"payload")))


def one_by_one(trace: plt.trace) -> None:
    packet = plt.packet()
    while trace.read_packet(packet):
        pass


#: How a trace is read, by the name of the way.
WAYS: dict[str, Callable[[plt.trace], object]] = {
    "loop": list,
    "read_packet": one_by_one,
    "columns": lambda trace: list(plt.columns(trace, ["wire_len"])),
    "flow table": lambda trace: natkit.FlowTable().add_trace(trace),
    "dns columns": lambda trace: list(pldns.columns(trace, ["id"])),
}


@contextlib.contextmanager
def raising(error: BaseException) -> Iterator[None]:
    """SIGUSR1 and SIGALRM raise an exception meanwhile."""

    def handler(*_: object) -> None:
        raise error

    before = [
        (number, signal.signal(number, handler)) for number in (signal.SIGUSR1, signal.SIGALRM)
    ]
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, old in before:
            signal.signal(number, old)


def interrupted(read: Callable[[], object], error: BaseException) -> None:
    """A read that waits for ever raises what the alarm's handler does.

    Not so where the alarm comes in the collector's callback of a test tool: it is lost there.
    """
    gc.disable()
    try:
        with raising(error):
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            with pytest.raises(type(error)) as caught:
                read()
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        gc.enable()
    assert caught.value is error


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Path]:
    """A FIFO with a trace's beginning, whose writer writes no more and does not end."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    os.write(descriptor, packets.pcap([FRAME]))
    yield path
    os.close(descriptor)


@pytest.mark.parametrize("error", KINDS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("way", WAYS)
def test_while_a_pipe_is_empty(way: str, error: BaseException, fifo: Path) -> None:
    with plt.trace(fifo) as trace:
        assert bytes(next(trace)) == FRAME
        interrupted(lambda: WAYS[way](trace), error)
    assert trace.pkt_accepts() == 1


def test_while_a_pipe_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for uri in (tmp_path / "fifo", f"pcapfile:{tmp_path / 'fifo'}"):
        for error in (TimeoutError("mine"), FileNotFoundError("mine"), ValueError("mine")):
            interrupted(plt.trace(uri).start, error)


def test_a_pipe_is_read_on_after_an_interrupt(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    content = packets.pcap([FRAME, FRAME])
    os.write(descriptor, content[:-9])
    with plt.trace(path) as trace:
        next(trace)
        interrupted(lambda: next(trace), TimeoutError("mine"))
        os.write(descriptor, content[-9:])
        assert bytes(next(trace)) == FRAME
    os.close(descriptor)


# --- Within decompressors --------------------------------------------------------------------


class Signalling:
    """A decompressor during whose next call a signal comes, where it is armed."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.armed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def decompress(self, data: bytes, *limit: int) -> Any:
        out = self.inner.decompress(data, *limit)
        if self.armed:
            self.armed = False
            signal.raise_signal(signal.SIGUSR1)
        return out


#: A trace of more than a megabyte that can't be made shorter: long enough for a thread.
LONG = packets.pcap(
    packets.ethernet(packets.ipv4(packets.udp(os.urandom(1400)))) for _ in range(900)
)
COMPRESSED = {"gzip": gzip.compress(LONG), "bzip2": bz2.compress(LONG), "xz": lzma.compress(LONG)}


@pytest.mark.parametrize("error", KINDS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", COMPRESSED)
def test_in_a_decompressor(
    kind: str, way: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = _streams.DECOMPRESSORS[kind]
    made: list[Signalling] = []

    def signalling() -> Signalling:
        made.append(Signalling(new()))
        return made[-1]

    path = packets.write(tmp_path / "trace", COMPRESSED[kind])
    monkeypatch.setitem(_streams.DECOMPRESSORS, kind, signalling)
    monkeypatch.setattr(_streams, "processors", lambda: 1)  # no thread: it would get no signal
    with plt.trace(path) as trace:
        made[0].armed = True
        with raising(error), pytest.raises(type(error)) as caught:
            WAYS[way](trace)
        assert caught.value is error
        with pytest.raises(plt.LibtraceError, match="an interrupt lost the place"):
            WAYS[way](trace)


@pytest.mark.parametrize("way", ["columns", "flow table", "dns columns"])
def test_while_a_thread_decompresses(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    class Waiting(Signalling):
        def decompress(self, data: bytes, *limit: int) -> Any:
            if threading.current_thread() is not threading.main_thread():
                go_on.wait()
            return self.inner.decompress(data, *limit)

    path = packets.write(tmp_path / "trace", COMPRESSED["gzip"])
    new = _streams.DECOMPRESSORS["gzip"]
    monkeypatch.setitem(_streams.DECOMPRESSORS, "gzip", lambda: Waiting(new()))
    monkeypatch.setattr(_streams, "processors", lambda: 2)
    with plt.trace(path) as trace:
        interrupted(lambda: WAYS[way](trace), TimeoutError("mine"))
        go_on.set()


# --- Elsewhere ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "caller"),
    [
        ("plt._parts.Shared", None),
        ("os.fstat", "is_long"),
        ("os.fstat", "waits_on"),
        ("plt._streams.Compressed.anew", None),
    ],
)
def test_while_a_file_is_looked_at(
    where: str, caller: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For its parts, for its size, and for where the damage in it is."""
    monkeypatch.setattr(_parts, "LEAST", 1)
    monkeypatch.setattr(_streams, "processors", lambda: 2)
    content = packets.pcap([FRAME] * 1000)
    if where != "plt._parts.Shared":
        content = gzip.compress(content)[:-6] + bytes(6)  # the check sum is wrong
    path = packets.write(tmp_path / "trace", content)
    fstat = os.fstat

    def interrupted(*arguments: Any) -> Any:
        if caller is not None and sys._getframe(1).f_code.co_name != caller:
            return fstat(*arguments)
        raise TimeoutError("mine")

    with monkeypatch.context() as patch:
        patch.setattr(where, interrupted)
        with pytest.raises(TimeoutError, match="mine"):
            plt.columns(path, ["wire_len"], workers=2).table()


def test_an_exception_from_another_thread(fifo: Path) -> None:
    """Such a one has no frame and no arguments."""
    set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
    main = ctypes.c_ulong(threading.main_thread().ident or 0)
    path = packets.write(fifo.parent / "x.gz", gzip.compress(packets.pcap([FRAME])))
    read_some = _streams.Compressed.read_some

    def and_an_exception(self: _streams.Compressed) -> bytes:
        set_exception(main, ctypes.py_object(TimeoutError))
        return read_some(self)

    with plt.trace(path) as trace, pytest.MonkeyPatch.context() as patch:
        next(trace)
        patch.setattr(_streams.Compressed, "read_some", and_an_exception)
        with pytest.raises(TimeoutError):
            next(trace)


def test_a_stream_s_own_error_is_the_trace_s(tmp_path: Path) -> None:
    damaged = bytearray(gzip.compress(packets.pcap([FRAME] * 2000)))
    damaged[len(damaged) // 2] ^= 0xFF
    path = packets.write(tmp_path / "x.gz", bytes(damaged))
    for read in WAYS.values():
        with pytest.raises(plt.LibtraceError, match="the gzip data is"), plt.trace(path) as trace:
            read(trace)
    with pytest.raises(plt.LibtraceError, match="No such file or directory"):
        plt.trace(tmp_path / "none").start()
    with pytest.raises(plt.LibtraceError, match="is a directory"):
        plt.trace(tmp_path).start()


@on_lo
@pytest.mark.parametrize("name", ["int", "ring", "pcapint"])
def test_a_live_trace(name: str) -> None:
    for read in WAYS.values():
        trace = plt.trace(f"{name}:lo")
        trace.conf_filter(plt.filter("udp src port 1 and udp dst port 1"))
        with trace:
            for error in (TimeoutError("mine"), OSError(100, "mine")):
                interrupted(lambda read=read, trace=trace: read(trace), error)
