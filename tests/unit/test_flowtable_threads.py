"""natkit.FlowTable: long traces, of which one thread reads the packets that another counts."""

import gzip
import os
import pickle
import resource
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pace
import pytest
from asan import by_size, forks
from packets import EPOCH, RAW, Record, child, environment, ipv4, pcap, tcp, udp, write
from resident import resident

import natkit
import plt
from natkit import Flow, FlowTable

PACKETS = 150_000
PORTS = 50_000
MOST_STACK = resource.getrlimit(resource.RLIMIT_STACK)[1]


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


def test_a_compressed_trace_has_the_same_flows(long_trace, tmp_path):
    """What decompresses it has a thread of its own, where there are processors for three."""
    path = write(tmp_path / "long.pcap.gz", gzip.compress(long_trace.read_bytes(), 1))
    table, plain = FlowTable(), FlowTable()
    assert table.add_trace(path) == plain.add_trace(long_trace) == PACKETS
    assert table.columns()["src_port"].tolist() == plain.columns()["src_port"].tolist()
    assert (len(table), table.time_ns) == (PORTS, plain.time_ns)


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


@by_size
def test_memory_a_flow(long_trace):
    """No more than 200 bytes for each of many IPv4 flows, by the table's word and the kernel's."""
    FlowTable().add_trace(long_trace)  # what reading takes
    before = resident()
    table = FlowTable()
    table.add_trace(long_trace)
    grown = resident() - before
    assert PORTS * 184 < sys.getsizeof(table) < PORTS * 200 + 2**20
    assert grown < PORTS * 200 + 2**20


def test_a_merged_table_takes_no_more_memory(long_trace):
    """With what merging needs it would take 2 MB more: each flow has segments in its log."""
    table = FlowTable._to_be_merged()
    table._merged()
    table.add_trace(long_trace)
    assert PORTS * 184 < sys.getsizeof(table) < PORTS * 200 + 2**20


def tcp_trace(path: Path) -> Path:
    """2000 connections of 20 segments each: more than a table keeps of them that isn't merged.

    And a flow of UDP, of which it keeps nothing for that.
    """
    records = [
        Record(ipv4(tcp(b"x" * 9, ports=(port + 1, 80), seq=n * 9 + 1), 6), sec=EPOCH + n)
        for n in range(20)
        for port in range(2000)
    ]
    return write(path, pcap([*records, Record(ipv4(udp(b"y")), sec=EPOCH + 20)], RAW))


def test_what_merging_needs_goes(tmp_path):
    path = tcp_trace(tmp_path / "x.pcap")
    plain, table = FlowTable(), FlowTable._to_be_merged()
    plain.add_trace(path)
    table.add_trace(path)
    assert sys.getsizeof(table) >= sys.getsizeof(plain) + 64 * 1024
    table._merged()
    assert sys.getsizeof(table) <= sys.getsizeof(plain)
    assert list(table) == list(plain)
    later = FlowTable()
    later.add_trace(path)
    for one in (plain, table):  # their logs are short: what was sent again is unknown
        assert FlowTable().merge(one) is True
        assert later.merge(one) is False


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")
def test_a_merged_table_reads_with_two_threads(long_trace, tmp_path):
    datagrams = [ipv4(udp(ports=(n, 53)), 17) for n in (1, 2)]
    paths = [
        write(tmp_path / f"{n}.pcap", pcap([Record(d, sec=EPOCH + n - 2)], RAW))
        for n, d in enumerate(datagrams)
    ]
    table = natkit.flows(paths, workers=2)
    before, seen = threads(), []

    def watch() -> None:
        pace.wait_until(lambda: len(threads() - before) > 1)  # the watcher is one itself
        seen.append(True)

    watcher = threading.Thread(target=watch)
    watcher.start()
    while watcher.is_alive():  # it may have read before the watcher looks
        assert table.add_trace(long_trace) == PACKETS
    assert seen


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")
@forks
def test_a_signal_whose_handler_forks(tmp_path):
    """The child has no second thread: its table can't be used any more, but it goes on.

    Parent and child share the file and how far it is read; so it is one that is read at once.
    """
    records = [Record(ipv4(udp(), 17), sec=EPOCH)] * PACKETS
    path = write(tmp_path / "x.pcap.gz", gzip.compress(pcap(records, RAW)))
    assert path.stat().st_size < 2**15
    # Python 3.12 and later warn of a fork beside threads, which is what this is about.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, path]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=pace.NEVER)
    assert (run.returncode, run.stderr) == (0, "")
    assert sorted(run.stdout.splitlines()) == [
        "child: the flow table is in use by another thread",
        "child: the process was forked while a flow table was read",
        f"parent: {PACKETS} 0",
    ]


@pytest.fixture(scope="module")
def many_flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packet each of more flows than are looked through between two looks for signals."""
    records = [
        Record(ipv4(udp(ports=(n % 35_000 + 1, 53)), 17, src=f"10.0.0.{n // 35_000}"))
        for n in range(70_000)
    ]
    return write(tmp_path_factory.mktemp("many") / "many.pcap", pcap(records, RAW))


@pytest.mark.parametrize("what", ["top 3", "top", "expired", "columns", "pickle", "merge"])
def test_a_signal_s_handler_ends_what_looks_through_many_flows(many_flows, what):
    """And the table is as it was."""
    table, other = FlowTable(), FlowTable()
    table.add_trace(many_flows)
    other.add_trace(many_flows)
    if what == "expired":
        table.flush()
    work = {
        "top 3": partial(table.top, 3),
        "top": partial(table.top, 70_000),
        "expired": table.expired,
        "columns": table.columns,
        "pickle": partial(pickle.dumps, table),
        "merge": partial(table.merge, other),
    }[what]
    with pytest.raises(pace.Came):
        pace.with_signal(work)
    assert len(table.expired()) == (70_000 if what == "expired" else 0)
    assert len(table) == (0 if what == "expired" else 70_000)
    assert table.packets == 70_000
    assert [flow.packets for flow in table.top(2)] == ([] if what == "expired" else [1, 1])


#: Reads a trace with what there is, and tells the most threads that there were meanwhile.
WATCHED = """
import os, sys
import natkit, packets
if sys.argv[2] == "one processor":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
threads = []
def look():
    threads.append(len(os.listdir("/proc/self/task")))
with open(sys.argv[1], "rb") as file:
    content = file.read()
make = natkit.FlowTable._to_be_merged if sys.argv[2] == "to be merged" else natkit.FlowTable
table = make()
read = table.add_trace(packets.Watched(content, look))
print(read, sum(flow.packets for flow in table), max(threads) > 1)
"""


any_stack = pytest.mark.skipif(
    "PLT_ASAN" in os.environ or MOST_STACK != resource.RLIM_INFINITY,
    reason="stacks can't be of any size",
)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("anywhere", True),
        ("one processor", False),
        ("to be merged", False),  # others read for other tables
        pytest.param("no room for stacks", False, marks=any_stack),
    ],
)
def test_a_second_thread_where_there_is_a_processor_for_it(long_trace, where, expected):
    """And where the system starts one: a stack of 128 TB has no room in the address space."""

    def no_room() -> None:
        if where == "no room for stacks":  # threads get the main one's, as it is at the start
            resource.setrlimit(resource.RLIMIT_STACK, (2**47, MOST_STACK))

    run = subprocess.run(
        [sys.executable, "-c", WATCHED, long_trace, where],
        env=environment(),
        preexec_fn=no_room,
        capture_output=True,
        text=True,
        check=False,
        timeout=pace.NEVER,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == [str(PACKETS), str(PACKETS), str(expected)]


FORKED = """
import os, signal, sys
import natkit
children = []
def fork(*_):
    try:
        len(table)
    except RuntimeError:  # in use
        if len(os.listdir("/proc/self/task")) > 1:
            children.append(os.fork())
            return
    signal.setitimer(signal.ITIMER_REAL, 0.003)  # once: a signal in the midst would fork again
signal.signal(signal.SIGALRM, fork)
table = natkit.FlowTable()
read = set()
try:
    signal.setitimer(signal.ITIMER_REAL, 0.003)
    while not children:
        read.add(table.add_trace(sys.argv[1]))
except RuntimeError as error:
    assert children == [0]
    print("child:", error, flush=True)
    try:
        len(table)
    except RuntimeError as again:
        print("child:", again, flush=True)
    del table
    sys.exit()
signal.setitimer(signal.ITIMER_REAL, 0)
print("parent:", *read, os.waitpid(children[0], 0)[1])
"""

INTERRUPTED = """
import os, signal, sys, threading, time
import natkit, pace
sent = []
def later():
    pace.wait_until_it_reads(os.getpid(), sys.argv[1:2])
    sent.append(time.process_time())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=later).start()
try:
    natkit.flows([sys.argv[1]] * 20_000, workers=int(sys.argv[2]))
except KeyboardInterrupt:
    took = time.process_time() - sent[0]
    print(pace.turns(took), threading.active_count())
"""


STUCK = """
import os, signal, sys, threading, time
import natkit, pace
from natkit import _flows
_flows.is_file = lambda _, least: True
def later():
    pace.wait_until_it_waits()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=later).start()
try:
    natkit.flows(sys.argv[1:], workers=2)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_does_not_wait_for_a_disk(long_trace, tmp_path):
    """A pipe that nobody writes stands for a file system that hangs: the process ends."""
    os.mkfifo(tmp_path / "stuck")
    run = child(STUCK, long_trace, tmp_path / "stuck", long_trace, timeout=pace.NEVER)
    assert (run.returncode, run.stdout, run.stderr) == (0, "interrupted\n", "")


@pytest.mark.parametrize("workers", ["1", "3"])
def test_ctrl_c_ends_many_files(long_trace, workers):
    """At once, and no thread is left."""
    run = child(INTERRUPTED, long_trace, workers, timeout=pace.NEVER)
    assert (run.returncode, run.stderr) == (0, "")
    took, threads_left = run.stdout.split()
    assert float(took) < pace.PROMPT
    assert threads_left == "1"
