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

import pace
import pytest
from live import on_lo

import natkit
import plt

FORMATS = ["int", "ring", "pcapint"]


pytestmark = on_lo


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


def configured(name: str, sender: Sender) -> plt.trace:
    """A trace of lo that shows what the sender sends."""
    trace = plt.trace(f"{name}:lo")
    if name != "pcapint":  # its filters have a test of their own
        trace.conf_filter(sender.filter)
    trace.conf_timeout(60)
    return trace


@contextlib.contextmanager
def capture(name: str, sender: Sender, **conf: float) -> Iterator[plt.trace]:
    trace = configured(name, sender)
    for key, value in conf.items():
        getattr(trace, f"conf_{key}")(value)
    with trace:
        yield trace


def own(trace: plt.trace, sender: Sender) -> Iterator[plt.packet]:
    """The sender's packets alone: others may talk on lo too."""
    for packet in trace:
        udp = packet.udp
        if udp is not None and (udp.src_port, udp.dst_port) == sender.ports:
            yield packet


def take(trace: plt.trace, sender: Sender, *payloads: bytes) -> list[plt.packet]:
    """Packets up to the one with the last payload, each payload's first one only."""
    found: dict[bytes, plt.packet] = {}
    for packet in own(trace, sender):  # lo may show them twice, going out and coming in
        found.setdefault(bytes(packet.udp.payload), packet)
        if payloads[-1] in found:
            break
    return [found[payload] for payload in payloads]


@pytest.mark.parametrize("name", FORMATS)
def test_packets(name: str, sender: Sender, capfd: pytest.CaptureFixture[str]) -> None:
    payloads = (b"first", b"second" * 100, b"third")
    with capture(name, sender) as trace:
        before = time.time()
        sender.send(*payloads)
        got = take(trace, sender, *payloads)
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


@pytest.mark.parametrize("name", FORMATS)
def test_a_condition_as_filter(name: str, sender: Sender, other: Sender) -> None:
    """No kernel knows it: the reader asks it of each packet."""
    condition = "udp and src_port == {} and dst_port == {}"
    trace = plt.trace(f"{name}:lo", filter=plt.where(condition.format(*sender.ports)))
    trace.conf_timeout(60)
    with trace:
        other.send(b"another")
        sender.send(b"first", b"last")
        assert until(trace, b"last") == [b"first", b"last"]
        trace.conf_filter(plt.where(condition.format(*other.ports)))
        sender.send(b"not now")
        other.send(b"another's")
        assert until(trace, b"another's")[-1:] == [b"another's"]


@pytest.mark.parametrize("name", ["int", "ring"])
def test_direction(name: str, sender: Sender) -> None:
    with capture(name, sender) as trace:
        sender.send(b"x")
        mine = own(trace, sender)
        directions = {next(mine).direction, next(mine).direction}
    assert directions == {plt.TRACE_DIR_OUTGOING, plt.TRACE_DIR_INCOMING}


@pytest.mark.parametrize("name", FORMATS)
def test_kept_packets_are_not_overwritten(name: str, sender: Sender) -> None:
    payloads = [b"%04d" % i for i in range(300)]
    kept = []
    with capture(name, sender) as trace:
        for payload in payloads:
            sender.send(payload)
            kept += take(trace, sender, payload)
    assert [bytes(packet.udp.payload) for packet in kept] == payloads


@pytest.mark.parametrize("name", ["int", "ring", "pcapint"])
def test_snap_length(name: str, sender: Sender) -> None:
    with capture(name, sender, snaplen=60) as trace:
        sender.send(b"x" * 500)
        packet = next(own(trace, sender))
    assert packet.capture_len == 60
    assert packet.wire_len == 42 + 500 + 4
    assert bytes(packet.udp.payload) == b"x" * 18


@pytest.mark.parametrize("name", FORMATS)
def test_timeout(name: str, sender: Sender) -> None:
    with capture(name, sender, timeout=0.3) as trace:
        for _ in range(2):
            start = time.monotonic()
            with pytest.raises(plt.LibtraceError, match=r"^timeout in trace read\(\)$"):
                take(trace, sender, b"never sent")
            assert time.monotonic() - start > 0.25
        sender.send(b"late")
        assert len(take(trace, sender, b"late")) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_streams_go_on_after_a_timeout(name: str, sender: Sender) -> None:
    with capture(name, sender, filter=sender.filter, timeout=0.3) as trace:
        read = natkit.streams(trace)
        for _ in range(2):
            with pytest.raises(plt.LibtraceError, match=r"^timeout in trace read\(\)$"):
                next(read)
        del read  # gives the trace back


@pytest.mark.parametrize("name", FORMATS)
def test_pause_and_start(name: str, sender: Sender) -> None:
    trace = configured(name, sender)
    trace.start()
    sender.send(b"one")
    [first] = take(trace, sender, b"one")
    trace.pause()
    with pytest.raises(plt.LibtraceError, match=r"^Trace not started$"):
        next(trace)
    assert bytes(first.udp.payload) == b"one"
    trace.conf_timeout(4)
    trace.start()
    sender.send(b"two")
    [second] = take(trace, sender, b"two")
    trace.close()
    assert [bytes(p.udp.payload) for p in (first, second)] == [b"one", b"two"]


@pytest.mark.parametrize("name", FORMATS)
def test_closing_in_a_pause(name: str, sender: Sender) -> None:
    trace = configured(name, sender)
    trace.start()
    sender.send(b"one")
    assert len(take(trace, sender, b"one")) == 1
    trace.pause()
    accepted = trace.pkt_accepts()
    trace.close()
    assert (trace.pkt_accepts(), trace.pkt_drops()) == (accepted, 0)


# --- Configuring after start() ---------------------------------------------------------------


@pytest.fixture
def other() -> Iterator[Sender]:
    found = Sender()
    with found.sink, found.source:
        yield found


def payload_of(packet: plt.packet) -> bytes:
    return bytes(packet.udp_payload or b"")


def until(trace: plt.trace, last: bytes) -> list[bytes]:
    """The payloads up to the last one, once each: lo may show a packet twice."""
    found: list[bytes] = []
    for packet in trace:
        if payload_of(packet) not in found:
            found.append(payload_of(packet))
        if found[-1] == last:
            break
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_a_first_filter_after_start(name: str, sender: Sender, other: Sender) -> None:
    with plt.trace(f"{name}:lo") as trace:
        trace.conf_timeout(5)
        sender.send(b"captured before", b"the filter")
        trace.conf_filter(other.filter)
        sender.send(b"captured after")
        other.send(b"right", b"too")
        assert until(trace, b"too") == [b"right", b"too"]
        accepted = trace.pkt_accepts()
        trace.conf_filter(sender.filter)
        other.send(b"wrong now")
        sender.send(b"last")
        assert until(trace, b"last")[-1:] == [b"last"]
        assert accepted < trace.pkt_accepts() <= accepted + 3  # lo may show two twice


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_a_filter_is_changed_while_capturing(
    name: str, paused: bool, sender: Sender, other: Sender
) -> None:
    both = plt.filter(f"({sender.filter.expression}) or ({other.filter.expression})")
    with capture(name, sender, filter=sender.filter) as trace:
        for round_, (chosen, shown) in enumerate(
            ((other.filter, ["other"]), (both, ["sender", "other"]), (sender.filter, ["sender"]))
        ):
            if paused:
                trace.pause()
            trace.conf_filter(chosen)
            if paused:
                trace.start()
            sender.send(b"sender %d" % round_)
            other.send(b"other %d" % round_)
            expected = [f"{name} {round_}".encode() for name in shown]
            assert [
                got for got in until(trace, expected[-1]) if got[-1:] == expected[0][-1:]
            ] == expected


@pytest.mark.parametrize("name", FORMATS)
def test_what_both_filters_accept_is_not_lost(name: str, sender: Sender, other: Sender) -> None:
    both = plt.filter(f"({sender.filter.expression}) or ({other.filter.expression})")
    with capture(name, sender, filter=sender.filter) as trace:
        sender.send(b"first", b"second")
        other.send(b"filtered")
        trace.conf_filter(both)
        other.send(b"third")
        assert until(trace, b"third") == [b"first", b"second", b"third"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_bad_filter_while_capturing(name: str, sender: Sender) -> None:
    def use(trace: plt.trace) -> None:
        trace.conf_filter(plt.filter("no such thing"))
        sender.send(b"x")
        next(trace)

    with capture(name, sender, filter=sender.filter) as trace:
        with pytest.raises(plt.LibtraceError, match="syntax error"):
            use(trace)
        trace.conf_filter(sender.filter)
        sender.send(b"y")
        assert until(trace, b"y")[-1] == b"y"


@pytest.mark.parametrize("name", FORMATS)
def test_a_snap_length_while_capturing(name: str, sender: Sender) -> None:
    with capture(name, sender, filter=sender.filter) as trace:
        sender.send(b"x" * 500)  # captured before, read after
        trace.conf_snaplen(60)
        for _ in range(2):  # lo may show a packet twice
            sender.send(b"y" * 500)
            packet = next(trace)
            assert (packet.capture_len, packet.wire_len) == (60, 42 + 500 + 4)
        trace.conf_snaplen(100)
        sender.send(b"z" * 500)
        [packet] = (p for p in [next(p for p in trace if payload_of(p)[:1] == b"z")])
        assert (packet.capture_len, packet.wire_len) == (100, 42 + 500 + 4)


@pytest.mark.parametrize("name", FORMATS)
def test_a_longer_snap_length_while_capturing(name: str, sender: Sender) -> None:
    with capture(name, sender, filter=sender.filter, snaplen=60) as trace:
        sender.send(b"x" * 500)
        assert next(trace).capture_len == 60
        for length, captured in ((400, 400), (0, 542), (80, 80), (542, 542)):
            trace.conf_snaplen(length)
            sender.send(b"%d" % length + b"y" * (500 - len(b"%d" % length)))
            packet = next(p for p in trace if payload_of(p).startswith(b"%dy" % length))
            assert (packet.capture_len, packet.wire_len) == (captured, 546)


@pytest.mark.parametrize("name", FORMATS)
def test_promiscuous_while_capturing(name: str, sender: Sender) -> None:
    with capture(name, sender, filter=sender.filter) as trace:
        for promiscuous in (True, True, False):
            trace.conf_promisc(promiscuous)
            sender.send(b"%d" % promiscuous)
            assert until(trace, b"%d" % promiscuous)[-1] == b"%d" % promiscuous


@pytest.mark.parametrize("name", FORMATS)
def test_a_timeout_while_capturing(name: str, sender: Sender) -> None:
    with capture(name, sender, filter=sender.filter, timeout=0) as trace:
        trace.conf_timeout(0.2)
        with pytest.raises(plt.LibtraceError, match=r"^timeout in trace read\(\)$"):
            next(trace)
        trace.conf_timeout(0)
        later = threading.Timer(0.5, sender.send, [b"late"])
        later.start()
        assert payload_of(next(trace)) == b"late"
        later.join()


@pytest.mark.parametrize("name", FORMATS)
def test_a_live_trace_that_columns_read_is_not_configured(name: str, sender: Sender) -> None:
    with capture(name, sender, filter=sender.filter) as trace:
        sender.send(b"x")
        reading = iter(plt.columns(trace, ["wire_len"], batch=1))
        next(reading)
        with pytest.raises(plt.LibtraceError, match="in use by another thread, or by columns"):
            trace.conf_filter(sender.filter)
        del reading


@pytest.mark.parametrize("name", FORMATS)
def test_read_packet(name: str, sender: Sender) -> None:
    packet = plt.packet()
    held = []
    with capture(name, sender) as trace:
        for payload in (b"payload", b"another"):
            sender.send(payload)
            while trace.read_packet(packet):
                if packet.udp_payload and bytes(packet.udp_payload) == payload:
                    break
            held.append(packet.udp.payload)
    assert [bytes(payload) for payload in held] == [b"payload", b"another"]


@pytest.mark.parametrize("name", [*FORMATS, "bpf"])
def test_no_such_interface(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    for interface in ("nosuch0", "x" * 300, "lo/../x"):
        trace = plt.trace(f"{name}:{interface}")
        with pytest.raises(plt.LibtraceError, match=r"^Couldn't start trace: .*\w{3}"):
            trace.start()
        trace.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["int", "ring", "pcapint"])
def test_a_bad_filter(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    trace = plt.trace(f"{name}:lo")
    trace.conf_filter(plt.filter("no such thing"))
    trace.conf_timeout(1)
    with pytest.raises(plt.LibtraceError, match="syntax error"):
        trace.start()
    trace.close()
    assert capfd.readouterr() == ("", "")


FILTERED = """
import sys, plt
trace = plt.trace("pcapint:lo")
trace.conf_filter(plt.filter(sys.argv[1]))
trace.conf_timeout(0.3)
trace.start()
try:
    next(trace)
except plt.LibtraceError as error:
    print(error)
"""


def test_a_filter_of_pcapint(sender: Sender) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FILTERED, sender.filter.expression], stdout=subprocess.PIPE
    ) as child:
        try:
            out, _ = child.communicate(timeout=pace.NEVER)
        except subprocess.TimeoutExpired:
            child.kill()
            pytest.fail("it waits for ever")
    assert out == b"timeout in trace read()\n"


@pytest.mark.parametrize("name", FORMATS)
def test_a_second_thread_is_refused(name: str, sender: Sender) -> None:
    with capture(name, sender) as trace:
        reader = threading.Thread(target=take, args=(trace, sender, b"x"))
        reader.start()
        pace.wait_until_it_waits(thread=reader.native_id)  # for a packet
        for action in (
            lambda: next(trace),
            lambda: trace.read_packet(plt.packet()),
            trace.pause,
            trace.close,
        ):
            with pytest.raises(plt.LibtraceError, match="in use by another thread"):
                action()
        sender.send(b"x")
        reader.join(pace.NEVER)
        assert not reader.is_alive()


BLOCKED = """
import sys, plt
trace = plt.trace(sys.argv[1])
if not sys.argv[1].startswith("pcapint"):
    trace.conf_filter(plt.filter("udp port 1 and udp port 2"))
trace.start()
try:
    print("reading", flush=True)
    for packet in trace:
        pass
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
        pace.wait_until_it_waits(child.pid)
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
        assert child.stderr.read() == ""
    assert child.returncode == 0


def test_a_capture_written_to_a_file(sender: Sender, tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    with capture("ring", sender) as trace, plt.output_trace(f"pcapfile:{path}") as output:
        sender.send(b"to be kept")
        [packet] = take(trace, sender, b"to be kept")
        output.write_packet(packet)
    with plt.trace(path) as again:
        [read] = list(again)
    assert bytes(read) == bytes(packet)
    assert read.wire_len == packet.wire_len
    assert read.time_ns == packet.time_ns
