"""natkit.FlowTable: packets, traces, callbacks and threads."""

import json
import os
import pickle
import threading

import pace
import pytest
from flow_traces import HERE, SECOND, SYN, back, fragments, only, there, trace
from packets import (
    EPOCH,
    child,
    icmp,
    ipv4,
    ipv6,
    udp,
)

import plt
from natkit import FlowTable, IPflow

# --- Adding packets ------------------------------------------------------------------------------


def test_add_is_add_trace(tmp_path):
    sent = [(0, there(flags=SYN)), (1, back()), *enumerate(fragments(3)), (30, ipv6(udp()))]
    path = trace(tmp_path / "x", sent)
    one, other = FlowTable(idle_timeout=9), FlowTable(idle_timeout=9)
    with plt.trace(path) as opened:
        for pkt in opened:
            one.add(pkt)
    assert other.add_trace(path) == len(sent)
    assert (one.packets, list(one), list(one.expired())) == (
        len(sent),
        list(other),
        list(other.expired()),
    )


def test_add_a_quoted_packet(tmp_path):
    """The packet that an ICMP error quotes counts in its own flow."""
    quote = icmp(3, 1, payload=there()[:28])
    path = trace(tmp_path / "x", [(5, ipv4(quote, 1, src="203.0.113.9", dst=HERE))])
    table = FlowTable()
    with plt.trace(path) as opened:
        for pkt in opened:
            table.add(pkt.icmp.payload)
    flow = only(table)
    assert (flow.proto, flow.src_port, flow.dst_port) == (6, 1025, 80)
    assert flow.first_time_ns == (EPOCH + 5) * SECOND


def test_add_errors():
    table = FlowTable()
    with pytest.raises(ValueError, match="an object made from bytes has no arrival time"):
        table.add(plt.ip(there()))
    with pytest.raises(ValueError, match="nothing was read into this packet"):
        table.add(plt.packet())
    for bad in (None, there(), IPflow(plt.ip(there()))):
        with pytest.raises(ValueError, match="takes packet and layer objects of plt, not"):
            table.add(bad)
    assert (table.packets, table.time_ns) == (0, None)


def test_sources_and_filters(tmp_path):
    path = trace(tmp_path / "x.pcap", [(0, there()), (1, there(port=2)), (2, ipv6(udp()))])
    for source in (path, str(path), f"pcapfile:{path}"):
        table = FlowTable()
        assert table.add_trace(source, filter="tcp and port 2") == 1
        assert only(table).src_port == 2
    table = FlowTable()
    opened = plt.trace(path)
    opened.conf_filter(plt.filter("ip"))
    opened.start()
    next(opened)
    assert table.add_trace(source=opened, filter=plt.filter("tcp")) == 1
    assert only(table).src_port == 2
    with pytest.raises(plt.LibtraceError):
        table.add_trace(path, "no such filter")
    with pytest.raises(plt.LibtraceError):
        table.add_trace(tmp_path / "missing")
    with pytest.raises(TypeError):
        table.add_trace()
    assert table.packets == 1


def test_a_trace_that_breaks_off(tmp_path):
    path = trace(tmp_path / "x", ((n, there(port=n + 1)) for n in range(20)))
    path.write_bytes(path.read_bytes()[:-5])
    table = FlowTable()
    with pytest.raises(plt.LibtraceError, match="cut within"):
        table.add_trace(path)
    assert (table.packets, len(table)) == (19, 19)
    table.add_trace(trace(tmp_path / "y", [(30, there(port=1))]))
    assert table[IPflow(plt.ip(there(port=1)))].packets == 2


class Bar:
    """As much of a bar of tqdm's as is used."""

    def __init__(self) -> None:
        self.updates: list[int] = []

    def update(self, n: int) -> None:
        self.updates.append(n)


def test_progress(tmp_path):
    path = trace(tmp_path / "x", ((n / 1000, there()) for n in range(3000)))
    told, bar = [], Bar()
    FlowTable().add_trace(path, progress=lambda *state: told.append(state))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
    assert told == sorted(told)
    FlowTable().add_trace(path, progress=bar)
    assert sum(bar.updates) == 3000
    for bad in (1, "x"):
        with pytest.raises(TypeError, match="progress must be callable or have an update method"):
            FlowTable().add_trace(path, progress=bad)
        with pytest.raises(TypeError, match="on_expired must be callable, not"):
            FlowTable().add_trace(path, on_expired=bad)


def test_exceptions_of_callbacks(tmp_path):
    path = trace(tmp_path / "x", ((n, there(port=n + 1)) for n in range(100)))

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    for name in ("progress", "on_expired"):
        table = FlowTable(idle_timeout=2)
        with pytest.raises(ZeroDivisionError):
            table.add_trace(path, **{name: fail})
        assert table.packets == 100
        assert len(table) == 3
        assert len(table.expired()) == (97 if name == "progress" else 0)


def test_callbacks_may_use_the_table(tmp_path):
    path = trace(tmp_path / "x", ((n, there(port=n + 1)) for n in range(100)))
    other = trace(tmp_path / "y", [(200, there())])
    table, seen = FlowTable(idle_timeout=2), []
    table.add_trace(path, on_expired=lambda flows: seen.append((len(flows), len(table), *table)))
    assert seen[0][:2] == (97, 3)
    table.add_trace(other, progress=lambda *_: table.add_trace(other))
    assert table.packets == 102


# --- Threads and Ctrl-C --------------------------------------------------------------------------


def test_a_second_thread_is_refused(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    content = trace(tmp_path / "x", ((n, there()) for n in range(10))).read_bytes()
    table, results = FlowTable(), []
    reader = threading.Thread(target=lambda: results.append(table.add_trace(f"pcapfile:{fifo}")))
    reader.start()

    def refused() -> bool:
        try:
            len(table)
        except RuntimeError:
            return True
        return False

    with fifo.open("wb", buffering=0) as pipe:
        pipe.write(content[:100])
        pace.wait_until(refused)
        for use in (iter, list, FlowTable.expired, FlowTable.columns, pickle.dumps):
            with pytest.raises(RuntimeError, match="the flow table is in use by another thread"):
                use(table)
        with pytest.raises(RuntimeError):
            FlowTable().merge(table)
        pipe.write(content[100:])
    reader.join()
    assert results == [10]
    assert only(table).packets == 10


INTERRUPTED = """
import json, os, signal, sys, threading, time
import natkit, pace
table, sent = natkit.FlowTable(idle_timeout=60), []
def later():
    pace.wait_until(lambda: table.packets > 0)
    sent.append(time.process_time())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=later, daemon=True).start()
try:
    while True:
        table.add_trace(sys.argv[1])
except KeyboardInterrupt:
    took = time.process_time() - sent[0]
sums = [sum(getattr(f, n) for f in table) for n in ("packets", "bytes", "payload_bytes")]
print(json.dumps([pace.turns(took), table.packets, *sums]))
"""


def test_ctrl_c(tmp_path):
    """It ends at once, and all that was counted is whole packets."""
    path = trace(tmp_path / "x", ((0, there(b"abc", port=n % 60000 + 1)) for n in range(100_000)))
    run = child(INTERRUPTED, path, timeout=pace.NEVER)
    assert (run.returncode, run.stderr) == (0, "")
    took, packets, counted, size, payload = json.loads(run.stdout)
    assert took < pace.PROMPT
    assert 0 < packets == counted
    assert (size, payload) == (43 * packets, 3 * packets)
