"""Flow tables of damaged traces and damaged pickles, misused, and under pressure."""

import contextlib
import gc
import os
import pickle
import random
import subprocess
import sys
import threading
from pathlib import Path

import pace
import pytest
from asan import by_size
from packets import EPOCH, ETH, RAW, Record, ethernet, icmp, ipv4, ipv6, pcap, tcp, udp, write
from resident import resident

import natkit
import plt
from natkit import Flow, FlowTable

ALL = natkit.Flow.__dict__


def check(table: FlowTable) -> None:
    """All of a table can be looked at, and its packets are all somewhere."""
    lost = table.not_ip + table.too_short
    active = list(table)
    assert len(active) == len(table)
    for flow in active:
        assert table[flow] == table[flow.rev_key] == flow
    assert table.top(3) == sorted(active, key=lambda flow: (-flow.bytes, flow.number))[:3]
    table.flush()
    flows = table.expired()
    assert sum(flow.packets for flow in flows) == table.packets - lost
    for flow in flows:
        for name in ALL:
            if not name.startswith("_"):
                getattr(flow, name)
        assert pickle.loads(pickle.dumps(flow)) == flow
    flows.columns()


def some_packets() -> list[bytes]:
    """One of each kind, as Ethernet frames."""
    fragment = ipv4(udp(b"u" * 16), 17, ident=7, fragment=0x2000)
    later = ipv4(b"v" * 8, 17, ident=7, fragment=0x0003)
    hop_by_hop = bytes([44, 0, 1, 4, 0, 0, 0, 0])
    fragment6 = ipv6(hop_by_hop + bytes([6, 0, 0, 1, 0, 0, 0, 9]) + tcp(b"six"), 0)
    later6 = ipv6(hop_by_hop + bytes([6, 0, 0, 24, 0, 0, 0, 9]) + b"seven", 0)
    return [
        ethernet(ipv4(tcp(b"payload", flags=0x18, options=b"\1\1\1\1"), 6)),
        ethernet(ipv4(tcp(flags=0x02), 6)),
        ethernet(ipv4(udp(b"query"), 17, options=b"\1\1\1\0")),
        ethernet(ipv4(icmp(3, payload=ipv4(tcp(), 6)), 1)),
        ethernet(ipv6(tcp(b"six"), 6), 0x86DD),
        ethernet(ipv6(udp(b"six"), 17), 0x86DD),
        ethernet(fragment),
        ethernet(later),
        ethernet(fragment6, 0x86DD),
        ethernet(later6, 0x86DD),
        ethernet(ipv4(b"v" * 8, 17, ident=8, fragment=0x0003)),
        ethernet(b"\0\7\x08\x00" + ipv4(tcp(), 6), 0x8100),
    ]


@pytest.mark.parametrize(
    "settings", [{}, {"idle_timeout": 0.5, "active_timeout": 2}, {"tcp": True}]
)
def test_every_length_of_every_packet(tmp_path, settings):
    records = [
        Record(packet[:n], sec=EPOCH + i, wire=len(packet))
        for i, packet in enumerate(some_packets())
        for n in range(len(packet) + 1)
    ]
    table = FlowTable(**settings)
    path = write(tmp_path / "x.pcap", pcap(records, ETH))
    assert table.add_trace(path) == len(records)
    check(table)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_packets(tmp_path, seed):
    rng = random.Random(seed)
    packets = some_packets()
    records = []
    for _ in range(400):
        data = bytearray(rng.choice(packets))
        for _ in range(rng.choice([0, 1, 3, 9])):
            data[rng.randrange(len(data))] = rng.choice(
                [0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)]
            )
        del data[rng.randrange(len(data) + 1) if rng.random() < 0.1 else len(data) :]
        when = rng.choice([0, EPOCH, EPOCH + rng.randrange(100), 2**32 - 1])
        records.append(Record(bytes(data), sec=when, wire=rng.choice([None, 0, 2**32 - 1])))
    path = write(tmp_path / "x.pcap", pcap(records, ETH))
    settings = rng.choice([{}, {"idle_timeout": 1e-9}, {"idle_timeout": 20, "active_timeout": 4e9}])
    settings["tcp"] = rng.random() < 0.5
    tables = [FlowTable(**settings) for _ in range(3)]
    for table in tables:
        assert table.add_trace(path) == 400
    tables[0].merge(tables[1])
    assert tables[0].packets == 800
    again = pickle.loads(pickle.dumps(tables[0]))
    for table in (*tables, again):
        check(table)


# --- Pickles -------------------------------------------------------------------------------------


def state_of(table: FlowTable) -> bytes:
    return table.__reduce__()[1][0]


@pytest.fixture(params=[False, True], ids=["plain", "tcp"])
def state(tmp_path, request) -> bytes:
    records = [Record(packet, sec=EPOCH + n) for n, packet in enumerate(2 * some_packets())]
    table = FlowTable(idle_timeout=9, tcp=request.param)
    table.add_trace(write(tmp_path / "x.pcap", pcap(records, ETH)))
    return state_of(table)


def test_pickles_that_are_cut_or_too_long(state):
    for end in range(len(state)):
        with pytest.raises(ValueError, match="no pickled flow table"):
            FlowTable._from_bytes(state[:end])
    with pytest.raises(ValueError, match="there is more behind it"):
        FlowTable._from_bytes(state + b"\0")
    assert state_of(FlowTable._from_bytes(state)) == state
    assert state_of(FlowTable._from_bytes(memoryview(bytearray(state)))) == state


def test_pickles_of_another_kind(state):
    version = state[:16] + (6).to_bytes(4, "little") + state[20:]
    with pytest.raises(ValueError, match="version 6, not 5"):
        FlowTable._from_bytes(version)
    swapped = state[:20] + state[20:24][::-1] + state[24:]
    with pytest.raises(ValueError, match="another byte order"):
        FlowTable._from_bytes(swapped)
    flow = next(iter(FlowTable._from_bytes(state)))
    of_flow = flow.__reduce__()[1][0]
    for wrong, kind in ((of_flow, FlowTable), (state, Flow), (b"", Flow), (b"x" * 500, FlowTable)):
        with pytest.raises(ValueError, match="it does not begin as one"):
            kind._from_bytes(wrong)
    for end in range(len(of_flow)):
        with pytest.raises(ValueError, match="no pickled flow table"):
            Flow._from_bytes(of_flow[:end])
    for kind in (FlowTable, Flow):
        with pytest.raises(TypeError):
            kind._from_bytes("text")
    with pytest.raises(TypeError, match="home must be a FlowHome"):
        FlowTable._from_bytes(state, 4)


def test_damaged_pickles(state, tmp_path):
    """Each is refused, or is a table that can be used like any other."""
    path = write(
        tmp_path / "y.pcap", pcap([Record(p, sec=EPOCH + 30) for p in some_packets()], ETH)
    )
    rng = random.Random(4)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(state)
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(len(damaged))
            damaged[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, damaged[at] ^ 1 << rng.randrange(8)])
        try:
            table = FlowTable._from_bytes(bytes(damaged))
        except ValueError:
            refused += 1
            continue
        assert state_of(FlowTable._from_bytes(state_of(table))) == state_of(table)
        table.add_trace(path)
        timeouts = {"idle_timeout": table.idle_timeout, "active_timeout": table.active_timeout}
        other = FlowTable(**timeouts, tcp=table.tcp)
        other.add_trace(path)
        # the damage may have been to its settings, and a timeout to no float
        with contextlib.suppress(ValueError):
            other.merge(table)
            table.merge(other)
        for used in (table, other):
            list(used)
            used.flush()
            used.expired().columns()
    assert 0 < refused < 3000


def test_a_pickle_with_a_flow_twice(tmp_path):
    """The same key may not be active twice: the second would never be found."""
    table = FlowTable()
    table.add_trace(write(tmp_path / "x.pcap", pcap([ethernet(ipv4(udp(), 17))] * 2, ETH)))
    state = state_of(table)
    size = len(state_of(FlowTable()))
    header, flow = bytearray(state[:size]), bytearray(state[size:])
    assert header[104:112] == (1).to_bytes(8, "little")  # flows
    header[104] = 2
    again = bytearray(flow)
    again[104] = 1  # its number
    with pytest.raises(ValueError, match="two flows have the same key"):
        FlowTable._from_bytes(header + flow + again)
    with pytest.raises(ValueError, match="its flows are in no order"):
        FlowTable._from_bytes(header + flow + flow)
    again[16 + 125] = 1  # one that ended may be there beside it
    assert len(FlowTable._from_bytes(header + flow + again).expired()) == 1


#: Where a field of eight bytes begins in what a pickle has before its flows (src/flowtable/save.c),
#: and two of a flow's own.
TRACKS_TCP, DECAP, EARLY, PORTS = 152, 160, 176, 184
LOGGED, TUNNEL = 1, 8


def changed(state: bytes, at: int, value: int, size: int = 1) -> bytes:
    return state[:at] + value.to_bytes(size, sys.byteorder) + state[at + size :]


def test_a_flow_alone_that_can_not_be(tmp_path):
    """What only a table's flow has, or what the header of the pickle says that flows have not."""
    gre = ethernet(ipv4(bytes.fromhex("2000080000000007") + ipv4(tcp(b"x"), 6), 47))
    table = FlowTable(tcp=True, decap=True)
    table.add_trace(write(tmp_path / "x.pcap", pcap([gre], ETH)))
    (flow,) = table
    assert (flow.tunnel_kind, flow.tunnel_id) == ("gre", 7)
    state = flow.__reduce__()[1][0]
    size = len(state_of(FlowTable()))
    assert Flow._from_bytes(state) == flow
    assert state[TRACKS_TCP] == state[DECAP] == 1
    for wrong, said in [
        (changed(state, size + LOGGED, 1), "a flow alone has no log"),
        (changed(state, DECAP, 0), "a flow has no such tunnel"),
        (changed(state, size + TUNNEL, 2**64 - 1, 8), "a flow has no such tunnel"),
        (changed(state, TRACKS_TCP, 0), "a flow has no such TCP"),
    ]:
        with pytest.raises(ValueError, match=f"no pickled flow table: {said}"):
            Flow._from_bytes(wrong)


def test_ports_of_tunnels_that_can_not_be():
    """A table that does not look into tunnels has none; else each has a port and a kind."""
    plain, looking = state_of(FlowTable()), state_of(FlowTable(decap=True))
    assert (plain[DECAP], looking[DECAP]) == (0, 1)
    assert FlowTable._from_bytes(looking).decap
    for wrong in (
        changed(plain, PORTS, 1),
        changed(looking, PORTS, 255),
        changed(looking, PORTS, 255, len(looking) - PORTS),
        changed(looking, EARLY, 1025, 8),
    ):
        with pytest.raises(ValueError, match="no pickled flow table: its counters can't be"):
            FlowTable._from_bytes(wrong)


@pytest.mark.parametrize("ip", [ipv4, ipv6])
def test_a_pickle_of_a_flow_whose_ends_have_one_address(tmp_path, ip):
    """The order of its ports is that of its key: the lower end has the lower port."""
    host = "192.0.2.1" if ip is ipv4 else "2001:db8::1"
    table = FlowTable()
    packet = ip(udp(b"x", ports=(7, 5353)), 17, src=host, dst=host)
    table.add_trace(write(tmp_path / "x.pcap", pcap([packet], RAW)))
    state = state_of(table)
    (again,) = FlowTable._from_bytes(state)
    assert (again.src_port, again.dst_port, again.packets) == (7, 5353, 1)
    if ip is ipv4:  # whose addresses and ports are not next to each other
        return
    size = len(state_of(FlowTable()))
    ports = (7).to_bytes(2, sys.byteorder), (5353).to_bytes(2, sys.byteorder)
    at = {pair: state.find(pair[0] + pair[1], size) for pair in (ports, ports[::-1])}
    ((pair, place),) = [(pair, place) for pair, place in at.items() if place >= 0]
    swapped = state[:place] + pair[1] + pair[0] + state[place + 4 :]
    with pytest.raises(ValueError, match="no pickled flow table: a flow has no key"):
        FlowTable._from_bytes(swapped)


# --- Misuse --------------------------------------------------------------------------------------


def many(path: Path, count: int, flows: int) -> Path:
    packets = [
        ipv4(udp(ports=(n % 60000 + 1, 53)), 17, src=f"10.0.{n // 60000}.1") for n in range(flows)
    ]
    records = (Record(packets[n % flows], sec=EPOCH + n // 1000) for n in range(count))
    return write(path, pcap(records, RAW))


def test_callbacks_that_end_what_they_are_called_from(tmp_path):
    path = many(tmp_path / "x.pcap", 50_000, 100)
    table, opened = FlowTable(idle_timeout=1), plt.trace(path)
    opened.start()

    def close(*_: object) -> None:
        opened.close()

    for name in ("progress", "on_expired"):
        with contextlib.suppress(plt.LibtraceError):
            table.add_trace(opened, **{name: close})
    check(table)


def test_flows_outlive_all_else(tmp_path):
    table = FlowTable(idle_timeout=1)
    table.add_trace(many(tmp_path / "x.pcap", 5000, 2500))
    flows, active, columns = table.expired(), iter(table), table.columns()
    del table
    gc.collect()
    assert sum(flow.packets for flow in [*flows, *active]) == 5000
    assert len(columns) > 0


def test_many_threads_on_one_table(tmp_path):
    """Each call does all that it says, or RuntimeError and nothing."""
    path = many(tmp_path / "x.pcap", 20_000, 3000)
    table, done, failed = FlowTable(), [], []

    def use() -> None:
        for n in range(6):
            try:
                done.append(table.add_trace(path))
                table.top(5)
                list(table)
                pickle.dumps(table)
            except RuntimeError as error:
                failed.append(str(error))
            except BaseException as error:
                done.append(error)
            assert n < 6

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {20_000} == set(done)
    assert set(failed) <= {"the flow table is in use by another thread"}
    assert table.packets == 20_000 * len(done)
    check(table)


def in_use(table: FlowTable) -> bool:
    try:
        len(table)
    except RuntimeError:
        return True
    return False


@pytest.mark.parametrize("work", ["merge", "dumps", "top", "expired"])
def test_signals_in_the_midst(tmp_path, work):
    """A handler may end what works on a table, and finds that in use; the table stays whole."""
    full = FlowTable()
    full.add_trace(many(tmp_path / "x.pcap", 200_000, 200_000))
    if work == "expired":
        full.flush()
    state = pickle.dumps(full)
    taken: list[natkit.Flows] = []
    works = {
        "merge": lambda table: table.merge(full),
        "dumps": pickle.dumps,
        "top": lambda table: table.top(10**7),
        "expired": lambda table: taken.append(table.expired()),
    }

    def check_packets() -> None:
        flows = [flow for found in [*taken, table.expired(), table] for flow in found]
        assert sum(flow.packets for flow in flows) == table.packets

    alarms, table = pace.Alarms(9), pickle.loads(state)
    while alarms.came < 5:
        if alarms.during(lambda table=table: works[work](table), lambda table=table: in_use(table)):
            assert (table.packets, len(table), taken) == (full.packets, len(full), [])
        elif work in ("merge", "expired"):  # nothing of it is left to end
            check_packets()
            taken.clear()
            table = pickle.loads(state)
    check_packets()


def test_signals_while_a_table_is_made_do_not_crash(tmp_path):
    table = FlowTable()
    table.add_trace(many(tmp_path / "x.pcap", 200_000, 200_000))
    state = state_of(table)
    alarms = pace.Alarms(11)
    while alarms.came < 5:
        alarms.during(lambda: FlowTable._from_bytes(state))


OUT_OF_MEMORY = """
import resource, sys
from natkit import FlowTable
def room(megabytes):
    size = next(line for line in open("/proc/self/status") if line.startswith("VmSize"))
    limit = int(size.split()[1]) * 1024 + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, -1))
def counted(table):
    flows = [*table.expired(), *table]
    return table.packets - table.not_ip - table.too_short - sum(flow.packets for flow in flows)
full = FlowTable()
full.add_trace(sys.argv[1])
for settings in ({}, {"idle_timeout": 50}):
    for megabytes in (8, 20, 33, 42):
        table, merged = FlowTable(**settings), FlowTable()
        merged.add_trace(sys.argv[2])
        before = merged.packets
        failed = ""
        room(megabytes)
        try:
            table.add_trace(sys.argv[1])
        except MemoryError:
            failed += "r"
        try:
            merged.merge(full)
        except MemoryError:
            failed += "m"
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        print(failed, counted(table), counted(merged), merged.packets - before)
        del table, merged
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="its memory is another")
def test_too_little_memory(tmp_path):
    """Each packet that the table tells of is in a flow; what can't be merged is not at all."""
    paths = [many(tmp_path / "x.pcap", 300_000, 300_000), many(tmp_path / "y.pcap", 9, 3)]
    run = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, *paths], capture_output=True, text=True, check=True
    )
    lines = run.stdout.splitlines()
    assert len(lines) == 8
    for line in lines:
        failed, *missing, merged = line.split(" ")
        assert missing == ["0", "0"]
        assert merged == ("0" if "m" in failed else "300000")
    assert any("r" in line for line in lines)
    assert any("m" in line for line in lines)


def test_flushed_tables_keep_nothing(tmp_path):
    """Nor the places in the wheel of flows that ended early, by a merging."""
    syn = [ipv4(tcp(ports=(n + 1, 80), flags=0x02), 6) for n in range(1000)]
    reset = [ipv4(tcp(ports=(n + 1, 80), flags=0x04), 6) for n in range(1000)]
    one = write(tmp_path / "x.pcap", pcap([Record(p, sec=EPOCH) for p in syn], RAW))
    two = write(tmp_path / "y.pcap", pcap([Record(p, sec=EPOCH + 1) for p in reset], RAW))
    table, sizes = FlowTable(idle_timeout=100), []
    for _ in range(5):
        later = FlowTable(idle_timeout=100)
        later.add_trace(two)
        later.flush()
        table.add_trace(one)
        table.merge(later)
        table.flush()
        assert len(table.expired()) == 1000
        sizes.append(sys.getsizeof(table))
    assert sizes[-1] == sizes[0]


@by_size
def test_memory_stays_flat(tmp_path):
    """Five million packets of 300,000 flows a time, all of which end: nothing piles up."""
    path = many(tmp_path / "x.pcap", 300_000, 300_000)
    handed = []
    table = FlowTable(idle_timeout=2)

    def count(flows: natkit.Flows) -> None:
        handed.append(len(flows))

    sizes = []
    for _ in range(16):
        table.add_trace(path, on_expired=count)
        table.flush()
        handed.append(len(table.expired()))
        sizes.append(resident())
    assert sum(handed) == 16 * 300_000
    assert sizes[-1] - sizes[2] < 16 << 20


@by_size
def test_tables_are_freed(tmp_path):
    path = many(tmp_path / "x.pcap", 20_000, 20_000)
    sizes = []
    for _ in range(12):
        for _ in range(5):
            table = FlowTable(idle_timeout=5)
            table.add_trace(path)
            table.merge(pickle.loads(pickle.dumps(table)))
            table.columns()
            with pytest.raises(ValueError, match="no pickled"):
                FlowTable._from_bytes(state_of(table)[:-1])
        sizes.append(resident())
    assert sizes[-1] - sizes[3] < 16 << 20
