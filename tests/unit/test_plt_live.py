"""Live captures of the loopback interface, with datagrams that the tests send."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import plt

FORMATS = ["int", "ring", "pcapint"]


def permitted() -> bool:
    """Whether this process may open packet sockets, and has the loopback interface."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
            raw.bind(("lo", 0))
    except (AttributeError, OSError):
        return False
    return True


pytestmark = pytest.mark.skipif(
    not permitted(), reason="capturing on lo needs Linux and CAP_NET_RAW"
)


class Sender:
    """A UDP socket of which only we know the port, and one that it sends to."""

    def __init__(self) -> None:
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.bind(("127.0.0.1", 0))
        self.source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.source.bind(("127.0.0.1", 0))
        self.ports = (self.source.getsockname()[1], self.sink.getsockname()[1])
        self.filter = plt.filter("udp src port {} and udp dst port {}".format(*self.ports))

    def send(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.source.sendto(payload, self.sink.getsockname())


@pytest.fixture
def sender() -> Iterator[Sender]:
    found = Sender()
    with found.sink, found.source:
        yield found


@contextlib.contextmanager
def capture(name: str, sender: Sender, **conf: float) -> Iterator[plt.trace]:
    trace = plt.trace(f"{name}:lo")
    trace.conf_filter(sender.filter)
    trace.conf_timeout(5)
    for key, value in conf.items():
        getattr(trace, f"conf_{key}")(value)
    with trace:
        yield trace


def take(trace: plt.trace, *payloads: bytes) -> list[plt.packet]:
    """Packets up to the one with the last payload, each payload's first one only."""
    found: dict[bytes, plt.packet] = {}
    for packet in trace:  # lo shows most packets twice, going out and coming in
        payload = packet.udp.payload
        found.setdefault(bytes(payload) if payload else b"", packet)
        if payloads[-1] in found:
            break
    return [found[payload] for payload in payloads]


@pytest.mark.parametrize("name", FORMATS)
def test_packets(name: str, sender: Sender, capfd: pytest.CaptureFixture[str]) -> None:
    payloads = (b"first", b"second" * 100, b"third")
    with capture(name, sender) as trace:
        before = time.time()
        sender.send(*payloads)
        got = take(trace, *payloads)
        assert trace.pkt_accepts() >= 3
    after = time.time()
    for packet, payload in zip(got, payloads, strict=True):
        assert (packet.udp.src_port, packet.udp.dst_port) == sender.ports
        assert bytes(packet.udp.payload) == payload
        assert packet.capture_len == 42 + len(payload)
        assert packet.wire_len == packet.capture_len + 4
        assert packet.linktype == plt.TRACE_TYPE_ETH
        assert str(packet.ip.src_prefix) == str(packet.ip.dst_prefix) == "127.0.0.1"
        assert before - 1 <= packet.seconds <= after + 1
        assert abs(packet.time.timestamp() - packet.seconds) < 1e-5
    assert trace.pkt_drops() == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["int", "ring"])
def test_direction(name: str, sender: Sender) -> None:
    with capture(name, sender) as trace:
        sender.send(b"x")
        directions = {next(trace).direction, next(trace).direction}
    assert directions == {plt.TRACE_DIR_OUTGOING, plt.TRACE_DIR_INCOMING}


@pytest.mark.parametrize("name", FORMATS)
def test_kept_packets_are_not_overwritten(name: str, sender: Sender) -> None:
    payloads = [b"%04d" % i for i in range(300)]
    kept = []
    with capture(name, sender) as trace:
        for payload in payloads:
            sender.send(payload)
            kept += take(trace, payload)
    assert [bytes(packet.udp.payload) for packet in kept] == payloads


@pytest.mark.parametrize("name", FORMATS)
def test_snap_length(name: str, sender: Sender) -> None:
    with capture(name, sender, snaplen=60) as trace:
        sender.send(b"x" * 500)
        packet = next(trace)
    assert packet.capture_len == 60
    assert packet.wire_len == 42 + 500 + 4
    assert bytes(packet.udp.payload) == b"x" * 18


@pytest.mark.parametrize("name", FORMATS)
def test_timeout(name: str, sender: Sender) -> None:
    with capture(name, sender, timeout=0.3) as trace:
        for _ in range(2):
            start = time.monotonic()
            with pytest.raises(plt.LibtraceError, match=r"^timeout in trace read\(\)$"):
                next(trace)
            assert 0.25 < time.monotonic() - start < 1.5
        sender.send(b"late")
        assert bytes(next(trace).udp.payload) == b"late"


@pytest.mark.parametrize("name", FORMATS)
def test_pause_and_start(name: str, sender: Sender) -> None:
    trace = plt.trace(f"{name}:lo")
    trace.conf_filter(sender.filter)
    trace.conf_timeout(5)
    trace.start()
    sender.send(b"one")
    [first] = take(trace, b"one")
    trace.pause()
    with pytest.raises(plt.LibtraceError, match=r"^Trace not started$"):
        next(trace)
    assert bytes(first.udp.payload) == b"one"
    trace.conf_timeout(4)
    trace.start()
    sender.send(b"two")
    [second] = take(trace, b"two")
    trace.close()
    assert [bytes(p.udp.payload) for p in (first, second)] == [b"one", b"two"]


@pytest.mark.parametrize("name", FORMATS)
def test_read_packet(name: str, sender: Sender) -> None:
    packet = plt.packet()
    with capture(name, sender) as trace:
        sender.send(b"payload")
        assert trace.read_packet(packet) is True
        held = packet.udp.payload
        sender.send(b"another")
        while bytes(packet.udp.payload) != b"another":
            assert trace.read_packet(packet) is True
    assert bytes(held) == b"payload"


@pytest.mark.parametrize("name", [*FORMATS, "bpf"])
def test_no_such_interface(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    for interface in ("nosuch0", "", "x" * 300, "lo/../x"):
        trace = plt.trace(f"{name}:{interface}")
        with pytest.raises(plt.LibtraceError, match=r"^Couldn't start trace: .*\w{3}"):
            trace.start()
        trace.close()
    assert capfd.readouterr() == ("", "")


def test_a_bad_filter(capfd: pytest.CaptureFixture[str]) -> None:
    for name in FORMATS:
        trace = plt.trace(f"{name}:lo")
        trace.conf_filter(plt.filter("no such thing"))
        trace.conf_timeout(1)
        with pytest.raises(plt.LibtraceError, match="no such thing|syntax error|filter"):
            trace.start()
            next(trace)
        trace.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", FORMATS)
def test_a_second_thread_is_refused(name: str, sender: Sender) -> None:
    with capture(name, sender) as trace:
        reader = threading.Thread(target=next, args=(trace,))
        reader.start()
        time.sleep(0.2)  # it waits for a packet now
        for action in (
            lambda: next(trace),
            lambda: trace.read_packet(plt.packet()),
            trace.pause,
            trace.close,
        ):
            with pytest.raises(plt.LibtraceError, match="in use by another thread"):
                action()
        sender.send(b"x")
        reader.join(5)
        assert not reader.is_alive()


BLOCKED = """
import sys, plt
trace = plt.trace(sys.argv[1])
trace.conf_filter(plt.filter("udp port 1 and udp port 2"))
trace.start()
print("reading", flush=True)
try:
    next(trace)
except KeyboardInterrupt:
    print("interrupted", flush=True)
trace.close()
"""


@pytest.mark.parametrize("name", FORMATS)
def test_ctrl_c(name: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", BLOCKED, f"{name}:lo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout.readline() == "reading\n"
        time.sleep(0.3)
        start = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 1
        assert child.stderr.read() == ""
    assert child.returncode == 0


def test_a_capture_written_to_a_file(sender: Sender, tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    with capture("ring", sender) as trace, plt.output_trace(f"pcapfile:{path}") as output:
        sender.send(b"to be kept")
        [packet] = take(trace, b"to be kept")
        output.write_packet(packet)
    with plt.trace(path) as again:
        [read] = list(again)
    assert bytes(read) == bytes(packet)
    assert read.wire_len == packet.wire_len
    assert read.time_ns == packet.time_ns // 1000 * 1000
