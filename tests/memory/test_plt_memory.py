"""What is kept costs what was promised, what is not kept costs nothing, nothing leaks."""

import struct
from pathlib import Path

import packets
import pytest
from asan import by_size

pytestmark = by_size
COUNT = 100_000
PACKET = packets.ethernet(packets.ipv4(packets.udp(b"x" * 38)))  # 80 bytes
STATUS = """
import gc, sys, tracemalloc
import packets, plt

def status(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many packets of 80 bytes."""
    assert len(PACKET) == 80
    record = struct.pack("<IIII", packets.EPOCH, 0, 80, 80) + PACKET
    path = tmp_path_factory.mktemp("memory") / "large.pcap"
    path.write_bytes(packets.pcap([]) + record * COUNT)
    return path


def numbers(code: str, *args: object) -> list[int]:
    """What a program in a process of its own prints."""
    run = packets.child(STATUS + code, *args)
    assert (run.returncode, run.stderr) == (0, "")
    return [int(word) for word in run.stdout.split()]


def test_a_kept_packet_costs_600_bytes_and_its_own(large: Path) -> None:
    code = """
before = status("VmRSS")
tracemalloc.start()
with plt.trace(sys.argv[1]) as trace:
    kept = list(trace)
traced = tracemalloc.get_traced_memory()[0]
tracemalloc.stop()
del kept
with plt.trace(sys.argv[1]) as trace:
    kept = list(trace)
print(len(kept), traced // len(kept))
"""
    count, traced = numbers(code, large)
    assert count == COUNT
    assert traced <= 680
    code = """
before = status("VmRSS")
with plt.trace(sys.argv[1]) as trace:
    kept = list(trace)
print((status("VmRSS") - before) // len(kept))
"""
    [resident] = numbers(code, large)
    assert resident <= 680


def test_the_loop_s_memory_does_not_grow_with_the_trace(large: Path) -> None:
    code = """
def loop():
    with plt.trace(sys.argv[1]) as trace:
        for packet in trace:
            tcp = packet.udp
            assert tcp.dst_port == 53 and packet.wire_len == 84
loop()
peak = status("VmHWM")
for _ in range(5):
    loop()
print(status("VmHWM") - peak, peak)
"""
    grown, peak = numbers(code, large)
    assert grown < 1 << 20
    assert peak < 60 << 20


def test_small_packets_among_large_ones_are_kept_small(tmp_path: Path) -> None:
    """A kept packet doesn't keep the memory of the large packet before it."""
    content = packets.pcap([b"y" * 60_000, PACKET] * 2000 + [PACKET] * 2000)
    path = packets.write(tmp_path / "t", content)
    code = """
tracemalloc.start()
kept = []
with plt.trace(sys.argv[1]) as trace:
    for packet in trace:
        if len(packet) == 80:
            kept.append(packet)
del packet
print(len(kept), tracemalloc.get_traced_memory()[0] // len(kept))
"""
    count, each = numbers(code, path)
    assert count == 4000
    assert each <= 800


def test_a_layer_of_each_packet_keeps_its_packet_and_no_more(large: Path) -> None:
    code = """
tracemalloc.start()
with plt.trace(sys.argv[1]) as trace:
    kept = [packet.udp for packet in trace]
print(len(kept), tracemalloc.get_traced_memory()[0] // len(kept))
"""
    count, each = numbers(code, large)
    assert count == COUNT
    assert each <= 680


ACTIONS = {
    "whole reads and every attribute": """
def work():
    for packet in packets.read(sys.argv[1]):
        for name in dir(packet):
            value = getattr(packet, name)
            for inner in dir(value) if isinstance(value, plt.packet) else ():
                try:
                    made = getattr(value, inner)
                    if callable(made) and inner in ("info", "dump", "_repr_html_", "__copy__"):
                        made()
                except ValueError:
                    pass
""",
    "errors of attributes": """
def work():
    for make in (plt.ip, plt.ip6, plt.tcp, plt.udp, plt.icmp, plt.icmp6, plt.sctp):
        for length in range(0, 60, 29):
            obj = make(bytearray(b"\\x45" * length))
            for name in dir(obj):
                if name.startswith("__"):
                    continue
                for value in (None, 1 << 70):
                    try:
                        setattr(obj, name, value)
                    except (ValueError, TypeError, AttributeError):
                        pass
                try:
                    getattr(obj, name)(1, 2)
                except (ValueError, TypeError):
                    pass
        try:
            make("text")
        except ValueError:
            pass
""",
    "traces that fail": """
def work():
    for uri in ("/none", "/", "nosuch:x", "int:nosuch0", "erf:/none", "atmhdr:/none"):
        assert packets.until_error(uri)[1]
    with open(sys.argv[1], "rb") as f:
        content = f.read(1000)
    for end in range(0, 1000, 333):
        with open(sys.argv[1] + ".cut", "wb") as f:
            f.write(content[:end])
        packets.until_error("pcapfile:" + sys.argv[1] + ".cut")
""",
    "filters": """
def work():
    [packet, *_] = packets.read(sys.argv[1])
    for i in range(5):
        assert packet.apply_filter(plt.filter("udp port 53 and not port %d" % (i + 100)))
        for bad in ("no such thing", "host"):
            try:
                packet.apply_filter(plt.filter(bad))
            except plt.LibtraceError:
                pass
    trace = plt.trace(sys.argv[1])
    trace.conf_filter(plt.filter("udp"))
    with trace:
        next(trace)
""",
    "output": """
def work():
    found = packets.read(sys.argv[1])
    for prefix, compress in (("pcapfile:", 0), ("pcapfile:", 1), ("erf:", 0)):
        output = plt.output_trace(prefix + sys.argv[1] + ".out")
        output.conf_compress_type(compress)
        with output:
            for packet in found:
                output.write_packet(packet)
    for bad in ("", "x", "nosuch:x", "tsh:x"):
        try:
            plt.output_trace(bad)
        except ValueError:
            pass
""",
    "kept over a close": """
def work():
    trace = plt.trace(sys.argv[1])
    trace.start()
    held = [(p, p.ip, p.udp.payload, memoryview(p)) for p in trace]
    packet = plt.packet()
    with plt.trace(sys.argv[1]) as again:
        while again.read_packet(packet):
            held.append((packet.udp, memoryview(packet.ip)))
""",
}


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_leaks(action: str, tmp_path: Path) -> None:
    """Memory, Python's and the process', stays where it is when the same is done again.

    Python's cache of attribute names is emptied, for what it holds grows for hundreds of runs.
    One calm window proves that no run leaves anything behind: what leaks does so in each.
    """
    path = packets.write(tmp_path / "t.pcap", packets.pcap([PACKET] * 20))
    code = """
clear_caches = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
def traced():
    clear_caches()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]

tracemalloc.start()
for _ in range(5):
    work()
least, resident = 1 << 30, status("VmRSS")
for _ in range(6):
    before = traced()
    for _ in range(10):
        work()
    least = min(least, traced() - before)
print(least, status("VmRSS") - resident)
"""
    least, resident = numbers(ACTIONS[action] + code, path)
    assert least < 10 * 30  # less than the smallest object a run
    assert resident < 1 << 20
