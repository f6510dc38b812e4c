"""natkit.FlowTable: long traces, of which one thread reads the packets that another counts."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from packets import EPOCH, RAW, Record, ipv4, pcap, udp, write

import plt
from natkit import Flow, FlowTable

PACKETS = 150_000
PORTS = 50_000


@pytest.fixture(scope="module")
def long_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packet each millisecond; a port is used again after 50 seconds."""
    datagrams = [ipv4(udp(b"abc", ports=(port + 1, 53)), 17) for port in range(PORTS)]
    records = (
        Record(datagrams[n % PORTS], sec=EPOCH + n // 1000, fraction=n % 1000 * 1000)
        for n in range(PACKETS)
    )
    return write(tmp_path_factory.mktemp("long") / "long.pcap", pcap(records, RAW))


def threads() -> set[str]:
    """The threads of this process, those that Python does not know of too."""
    return {path.name for path in Path("/proc/self/task").iterdir()}


def test_all_packets_are_counted_in_their_flows(long_trace):
    table = FlowTable()
    assert table.add_trace(long_trace) == PACKETS
    assert [(f.number, f.src_port, f.packets, f.payload_bytes) for f in table] == [
        (port, port + 1, 3, 9) for port in range(PORTS)
    ]
    assert table.time_ns == (EPOCH * 1000 + PACKETS - 1) * 10**6


def test_flows_are_handed_over_in_order(long_trace):
    """An idle flow ends in 0.4 seconds: 401 packets later at the latest packet's time."""
    ended: list[Flow] = []
    table = FlowTable(idle_timeout=0.4)
    table.add_trace(long_trace, on_expired=ended.extend)
    assert [flow.number for flow in table] == list(range(PACKETS - 401, PACKETS))
    assert [flow.number for flow in ended] == list(range(PACKETS - 401))


def test_callbacks_see_all_that_was_read(long_trace):
    """The second thread has counted all and is gone whenever the table can be looked at."""
    table = FlowTable(idle_timeout=0.4)
    ended, calls, before = [0], [], threads()

    def look(flows: Sequence[Flow]) -> None:
        ended[0] += sum(flow.packets for flow in flows)
        calls.append(table.packets - ended[0] - sum(flow.packets for flow in table))
        assert threads() == before
        if table.packets > 100_000:
            raise InterruptedError("that will do")

    with pytest.raises(InterruptedError, match="that will do"):
        table.add_trace(long_trace, on_expired=look)
    assert len(calls) > 5
    assert not any(calls)
    assert threads() == before


def test_a_trace_that_breaks_off_after_much(long_trace, tmp_path):
    broken = write(tmp_path / "broken.pcap", long_trace.read_bytes()[:-1])
    table = FlowTable()
    with pytest.raises(plt.LibtraceError, match="cut within"):
        table.add_trace(broken)
    assert sum(flow.packets for flow in table) == table.packets == PACKETS - 1


def test_memory_a_flow(long_trace):
    """No more than 200 bytes for each of many IPv4 flows, by the table's word and the kernel's."""

    def resident() -> int:
        rollup = Path("/proc/self/smaps_rollup").read_text()
        return next(int(x.split()[1]) * 1024 for x in rollup.splitlines() if x.startswith("Rss:"))

    FlowTable().add_trace(long_trace)  # what reading takes
    before = resident()
    table = FlowTable()
    table.add_trace(long_trace)
    grown = resident() - before
    assert PORTS * 184 < sys.getsizeof(table) < PORTS * 200 + 2**20
    assert grown < PORTS * 200 + 2**20


INTERRUPTED = """
import os, signal, sys, threading, time
import natkit
sent = []
def later():
    time.sleep(0.3)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=later).start()
try:
    natkit.flows([sys.argv[1]] * 2000, workers=int(sys.argv[2]))
except KeyboardInterrupt:
    print(time.monotonic() - sent[0], threading.active_count())
"""


@pytest.mark.parametrize("workers", ["1", "3"])
def test_ctrl_c_ends_many_files(long_trace, workers):
    """Within 0.2 seconds, more on a busy machine, and no thread stays behind."""
    command = [sys.executable, "-c", INTERRUPTED, long_trace, workers]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    took, threads_left = run.stdout.split()
    assert float(took) < 0.6
    assert threads_left == "1"
    assert run.stderr == ""
