"""natkit.FlowTable: packets, traces, callbacks and threads."""

import io
import json
import os
import pickle
import random
import sys
import threading

import pace
import pytest
from flow_traces import ACK, HERE, SECOND, SYN, back, fragments, only, there, trace
from packets import (
    EPOCH,
    RAW,
    Record,
    Watched,
    child,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    pcap,
    read_bytes,
    tcp,
    udp,
    write,
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


#: What the straight path takes, and what it leaves to the decoders: TCP with and without options, a
#: later fragment, IPv4 options, a destination option, tags, a tunnel (VXLAN), ports of SCTP, ARP.
TIMESTAMPS = b"\1\1\x08\x0a" + bytes(8)
SEGMENTS = [
    tcp(flags=SYN, options=b"\2\4\5\xb4\1\3\3\7"),
    tcp(b"abc", options=TIMESTAMPS),
    tcp(flags=ACK, options=b"\1\1\5\x0a" + bytes(8)),
    tcp(b"d", flags=0x11),
]
FRAMES = [
    *(ethernet(ipv4(segment, 6)) for segment in SEGMENTS),
    *(ethernet(ipv6(segment, 6), 0x86DD) for segment in SEGMENTS),
    ethernet(b"\0\7" + b"\x08\0" + ipv4(udp(b"ab")), 0x8100),
    ethernet(ipv4(udp(b"abc", ports=(9, 9), length=9))),
    ethernet(ipv4(udp(b"abc"), src="192.0.2.9", fragment=0x2000)),
    ethernet(ipv4(b"defghijk", src="192.0.2.9", fragment=1)),
    ethernet(ipv4(udp(), options=b"\1\1\1\0")),
    ethernet(ipv6(b"\x11\0\1\4\0\0\0\0" + udp(), 60), 0x86DD),
    ethernet(ipv4(udp(b"\x08" + bytes(7) + ethernet(ipv4(udp(b"in"))), ports=(1, 4789)))),
    ethernet(ipv4(b"\0\1\0\2" + bytes(8), 132)),
    ethernet(ipv4(b"", 6)),
    ethernet(bytes(28), 0x0806),
]


@pytest.mark.parametrize("settings", [{}, {"vlan": True}, {"decap": True}, {"idle_timeout": 3}])
def test_damaged_packets_are_read_alike(tmp_path, settings):
    """One by one they go through layers that are found first, of a trace most are read at once."""
    chance = random.Random(12)
    records = []
    for n in range(4000):
        frame = bytearray(chance.choice(FRAMES))
        for _ in range(chance.choice((0, 0, 1, 1, 3))):
            frame[chance.randrange(12, len(frame))] = chance.randrange(256)
        wire = len(frame) + chance.choice((0, 0, 0, 30))
        cut = chance.choice((len(frame), chance.randrange(len(frame) + 1)))
        records.append(Record(bytes(frame[:cut]), sec=EPOCH + n // 100, wire=wire))
    path = write(tmp_path / "x", pcap(records))
    made = [FlowTable(tcp=True, statistics=True, **settings) for _ in range(2)]
    with plt.trace(path) as opened:
        for pkt in opened:
            made[0].add(pkt)
    made[1].add_trace(path)
    one, other = ((t.packets, t.not_ip, t.too_short, *t.expired(), *t) for t in made)
    assert one == other
    assert pickle.dumps(made[0]) == pickle.dumps(made[1])


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
    for told in (None, lambda *_: None):
        with pytest.raises(plt.LibtraceError):
            table.add_trace(tmp_path / "missing", progress=told)
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
    assert FlowTable().add_trace(path, progress=False) == 3000

    class Unsure:
        @property
        def update(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FlowTable().add_trace(path, progress=Unsure())
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


def test_a_file_may_not_use_the_table_that_reads_it(tmp_path):
    """Whatever it asks for: it is asked for more bytes while the table is in use."""
    content = pcap([Record(there(port=n % 500 + 1)) for n in range(5000)], RAW)
    table, other = FlowTable(), FlowTable()
    (packet,) = read_bytes(pcap([Record(there(port=1))], RAW), tmp_path)
    table.add(packet)
    flows = iter(table)
    flow = next(iter(table))
    uses = [
        len, list, iter, pickle.dumps, FlowTable.expired, FlowTable.flush, FlowTable.columns,
        FlowTable.__arrow_c_stream__, FlowTable.__array__, sys.getsizeof, FlowTable._merged,
        lambda _: next(flows),
        lambda table: table[flow],
        lambda table: flow in table,
        lambda table: table.top(1),
        lambda table: table.add(packet),
        lambda table: table.add_trace(io.BytesIO(content)),
        lambda table: table.merge(other),
        lambda table: other.merge(table),
    ]  # fmt: skip
    refused = [0] * len(uses)

    def look() -> None:
        for n, use in enumerate(uses):
            with pytest.raises(RuntimeError, match="the flow table is in use by another thread"):
                use(table)
            refused[n] += 1

    assert table.add_trace(Watched(content, look)) == 5000
    assert min(refused) > 1
    assert (table.packets, len(table), next(flows).packets) == (5001, 500, 11)


def test_a_table_that_another_thread_took_while_the_file_was_opened(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    table, results = FlowTable(), []
    other = threading.Thread(target=lambda: results.append(table.add_trace(f"pcapfile:{fifo}")))
    content = pcap([Record(there())], RAW)

    class Slow(io.BytesIO):
        """When it is opened, the other thread begins; it has the table until its own file ends."""

        def read1(self, size: int | None = -1, /) -> bytes:
            if not other.is_alive():
                other.start()
                feed.append(fifo.open("wb", buffering=0))
                feed[0].write(content[:-1])
                pace.wait_until(is_taken)
            return super().read1(size)

    def is_taken() -> bool:
        try:
            len(table)
        except RuntimeError:
            return True
        return False

    feed: list[io.FileIO] = []
    with pytest.raises(RuntimeError, match="the flow table is in use by another thread"):
        table.add_trace(Slow(content))
    feed[0].write(content[-1:])
    feed[0].close()
    other.join()
    assert results == [1]
    assert (table.packets, only(table).packets) == (1, 1)


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
