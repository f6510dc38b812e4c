"""Threads, signals, pipes that block, interpreters that come and go."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pace
import packets
import pytest

import plt

FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(b"x" * 30, ports=(i, 53)))) for i in range(1, 2001)
]
IN_USE = "in use by another thread"


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


@pytest.fixture
def blocked(fifo: Path) -> Iterator[tuple[plt.trace, threading.Thread, list]]:
    """A trace that a thread reads from a pipe in which there is one packet, and then none."""
    trace = plt.trace(f"pcapfile:{fifo}")
    found: list[plt.packet] = []

    def read() -> None:
        trace.start()
        found.extend(trace)

    reader = threading.Thread(target=read)
    reader.start()
    with fifo.open("wb", buffering=0) as writer:
        writer.write(packets.pcap(FRAMES[:1]))
        pace.wait_until(lambda: trace.pkt_accepts() == 1)
        pace.wait_until_it_waits(thread=reader.native_id)  # for the next
        yield trace, reader, found
        writer.write(packets.pcap(FRAMES[1:3])[24:])
    reader.join(pace.NEVER)
    assert not reader.is_alive()
    assert [p.udp.src_port for p in found] == [1, 2, 3]
    trace.close()


def test_a_busy_trace_is_refused_to_others(
    blocked: tuple[plt.trace, threading.Thread, list],
) -> None:
    trace, *_ = blocked
    for action in (
        lambda: next(trace),
        lambda: trace.read_packet(plt.packet()),
        lambda: list(trace),
        trace.close,
        trace.pause,
        lambda: trace.__exit__(None, None, None),
        lambda: trace.conf_filter(plt.filter("ip")),
    ):
        with pytest.raises(plt.LibtraceError, match=IN_USE):
            action()
    assert trace.pkt_accepts() == 1
    assert trace.pkt_drops() == 0
    assert "started" in repr(trace)
    trace.start()  # nothing to do


def test_others_run_while_one_waits(blocked: tuple[plt.trace, threading.Thread, list]) -> None:
    assert sum(range(100_000)) == 4_999_950_000
    assert blocked[1].is_alive()


def test_starting_a_trace_that_another_thread_starts(fifo: Path) -> None:
    trace = plt.trace(f"pcapfile:{fifo}")
    starter = threading.Thread(target=trace.start)
    starter.start()
    pace.wait_until_it_waits(thread=starter.native_id)  # in open(), for a writer
    for action in (trace.start, trace.close, trace.__enter__):
        with pytest.raises(plt.LibtraceError, match=IN_USE):
            action()
    with pytest.raises(plt.LibtraceError, match=IN_USE):
        next(trace)
    fifo.write_bytes(packets.pcap(FRAMES[:2]))
    starter.join(pace.NEVER)
    assert len(list(trace)) == 2
    trace.close()


def test_one_trace_read_by_many_threads(tmp_path: Path) -> None:
    """Each packet is given out once; a thread that comes in between is told so."""
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    trace = plt.trace(path)
    trace.start()
    ports: list[int] = []
    others: list[BaseException] = []

    def read() -> None:
        while True:
            try:
                for packet in trace:
                    ports.append(packet.udp.src_port)
            except plt.LibtraceError as error:
                if IN_USE not in str(error):
                    others.append(error)
                    return
            else:
                return

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trace.close()
    assert others == []
    assert sorted(ports) == list(range(1, 2001))


def test_many_traces_and_packets_in_many_threads(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    shared = packets.read(path)
    wanted = plt.filter("udp src port 7 or udp src port 1999")
    results: list[tuple[int, int, int]] = []

    def work() -> None:
        with plt.trace(path) as trace:
            own = sum(packet.udp.src_port for packet in trace)
        seen = sum(packet.udp.src_port for packet in shared)
        results.append((own, seen, sum(packet.apply_filter(wanted) for packet in shared)))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(2_001_000, 2_001_000, 2)] * 6


def test_packets_pass_between_threads(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    found: list = []

    def read() -> None:
        with plt.trace(path) as trace:
            found.extend(packet.udp for packet in trace)

    reader = threading.Thread(target=read)
    reader.start()
    reader.join()
    assert [udp.src_port for udp in found] == list(range(1, 2001))


OUTPUT = """
import sys, threading, pace, plt
output = plt.output_trace("pcapfile:" + sys.argv[1])
starter = threading.Thread(target=output.start_output)
starter.start()
pace.wait_until_it_waits(thread=starter.native_id)
try:
    output.close_output()
except plt.LibtraceError as error:
    print(error, flush=True)
with open(sys.argv[1], "rb") as reader:
    starter.join()
    output.close_output()
    output = None
print("done")
"""


def test_closing_an_output_that_another_thread_starts(fifo: Path) -> None:
    run = packets.child(OUTPUT, fifo, timeout=pace.NEVER)
    assert (run.returncode, run.stderr) == (0, "")
    assert IN_USE in run.stdout
    assert "done" in run.stdout


# --- Signals ---------------------------------------------------------------------------------

READS = """
import sys, plt
trace = plt.trace(sys.argv[1])
try:
    print("ready", flush=True)
    with trace:
        for packet in trace:
            print("packet", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def interrupted(uri: str, target: Path | None, content: bytes, packets_first: int) -> None:
    """A child that reads is interrupted, after what was there, while it waits for more."""
    stdin = subprocess.PIPE if target is None else subprocess.DEVNULL
    with subprocess.Popen(
        [sys.executable, "-c", READS, uri], stdin=stdin, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout.readline() == b"ready\n"
        writer = child.stdin if target is None else target.open("wb", buffering=0)
        writer.write(content)
        writer.flush()
        for _ in range(packets_first):
            assert child.stdout.readline() == b"packet\n"
        pace.wait_until_it_waits(child.pid)
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == b"interrupted\n"
        writer.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


@pytest.mark.parametrize("prefix", ["pcapfile:", "erf:", ""])
def test_ctrl_c_while_a_pipe_is_empty(prefix: str, fifo: Path) -> None:
    content = packets.pcap(FRAMES[:3])
    count = 3
    if prefix == "erf:":
        content = packets.erf(2, b"\0\0" + FRAMES[0]) * 3
    interrupted(f"{prefix}{fifo}", fifo, content, count)


def test_ctrl_c_while_standard_input_is_empty() -> None:
    interrupted("pcapfile:-", None, packets.pcap(FRAMES[:3]), 3)


WITHOUT_SIGINT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
options = ["-q", "-p", "no:cacheprovider"]
os.execv(sys.executable, [sys.executable, "-m", "pytest", *options, sys.argv[1]])
"""


def test_ctrl_c_where_the_tests_are_started_without_it() -> None:
    """In the background of a script SIGINT is ignored, and what is ignored is inherited."""
    test = f"{__file__}::{test_ctrl_c_while_standard_input_is_empty.__name__}"
    run = packets.child(WITHOUT_SIGINT, test, timeout=300)
    assert (run.returncode, run.stderr) == (0, "")
    assert "1 passed" in run.stdout


@pytest.mark.parametrize("base", [BaseException, Exception])
def test_reading_goes_on_after_ctrl_c(base: type[BaseException], fifo: Path) -> None:
    """A signal handler that raises leaves the trace where it was."""

    class Alarm(base):
        pass

    def ring(*_: object) -> None:
        raise Alarm

    def feed() -> None:
        with fifo.open("wb", buffering=0) as writer, contextlib.suppress(BrokenPipeError):
            writer.write(packets.pcap(FRAMES[:2]))
            interrupted.wait(pace.NEVER)
            writer.write(packets.pcap(FRAMES[2:4])[24:])

    interrupted = threading.Event()
    old = signal.signal(signal.SIGALRM, ring)
    feeder = threading.Thread(target=feed)
    feeder.start()
    ports = []
    try:
        with plt.trace(f"pcapfile:{fifo}") as trace:
            ports += [next(trace).udp.src_port, next(trace).udp.src_port]
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Alarm):
                next(trace)
            interrupted.set()
            ports += [packet.udp.src_port for packet in trace]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        interrupted.set()
        feeder.join()
    assert ports == [1, 2, 3, 4]


# --- Lifetimes -------------------------------------------------------------------------------


def test_cycles_are_collected(tmp_path: Path) -> None:
    class Packet(plt.packet):
        pass

    class Trace(plt.trace):
        pass

    path = packets.write(tmp_path / "t", packets.pcap(FRAMES[:3]))
    trace, packet = Trace(path), Packet()
    trace.start()
    assert trace.read_packet(packet)
    trace.self, packet.self, packet.trace = trace, packet, trace
    gone = weakref.ref(trace), weakref.ref(packet)
    del trace, packet
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_types_are_not_kept_nor_lost(tmp_path: Path) -> None:
    """Making and dropping objects leaves the reference counts of their types as they were."""
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))

    def work() -> None:
        with plt.trace(path) as trace:
            for packet in trace:
                layers = packet.layer2, packet.layer3, packet.transport, packet.ip, packet.udp
                assert all(layers)
                assert packet.tcp is packet.ip6 is packet.udp.payload.tcp is None
                plt.ip(packet), plt.udp(packet.ip), plt.tcp(b""), packet.udp_payload

    def counts() -> dict[str, int]:
        gc.collect()
        return {k: sys.getrefcount(v) for k, v in vars(plt).items() if isinstance(v, type)}

    work()
    before = counts()
    for _ in range(3):
        work()
    changed = {name for name, count in counts().items() if abs(count - before[name]) > 3}
    assert changed == set()


AT_EXIT = """
import sys, plt
traces = [plt.trace(sys.argv[1]) for _ in range(3)]
for trace in traces:
    trace.start()
kept = [next(trace) for trace in traces]
layers = [packet.udp for packet in kept]
view = memoryview(layers[0])
iterator = iter(traces[0])
sys.modules["held"] = (traces, kept, layers, view, plt.filter("ip"), plt.ip(bytearray(20)))
print("done")
"""


def test_an_interpreter_that_ends_with_objects_alive(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    run = packets.child(AT_EXIT, path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")


def test_without_standard_streams(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    code = (
        "import sys; sys.stdin = sys.stdout = sys.stderr = None; import plt, packets;"
        "raise SystemExit(len(packets.read(sys.argv[1])) == 2000 and 7)"
    )
    run = packets.child(code, path)
    assert (run.returncode, run.stdout, run.stderr) == (7, "", "")
    code = "import sys; sys.stdin = None; import packets; print(packets.until_error('-')[1])"
    run = packets.child(code)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("Couldn't start trace: -: ")


SUBINTERPRETERS = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
import plt
with plt.trace({!r}) as trace:
    kept = list(trace)
assert [p.udp.src_port for p in kept] == list(range(1, 2001))
assert isinstance(kept[0].ip.src_prefix, plt.IPprefix)
'''.format(sys.argv[1])
import plt
for _ in range(3):
    number = interpreters.create("legacy") if sys.version_info >= (3, 13) else interpreters.create(isolated=False)
    failed = interpreters.run_string(number, code)
    assert not failed, failed
    interpreters.destroy(number)
with plt.trace(sys.argv[1]) as trace:
    print(sum(1 for packet in trace))
"""  # noqa: E501


def test_subinterpreters(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    run = packets.child(SUBINTERPRETERS, path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "2000\n", "")
