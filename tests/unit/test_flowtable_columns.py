"""Flows as columns, for NumPy and for Arrow's consumers; and tables as bytes."""

import copy
import ipaddress
import pickle
import sys
from datetime import UTC, datetime
from functools import partial

import pace
import pytest
from packets import EPOCH, RAW, Record, ipv4, ipv6, pcap, tcp, udp, write

import natkit
import plt
from ipp import from_s
from natkit import FlowHome, Flows, FlowTable

numpy = pytest.importorskip("numpy")

HERE, THERE = "192.0.2.1", "198.51.100.2"
SYN, ACK, RST = 0x02, 0x10, 0x04
SECOND = 10**9

#: each column that is no attribute of the same name
RENAMED = {
    name: f"{name}_ns"
    for name in (
        *("first_time", "last_time", "duration", "rtt"),
        *("fwd_first_time", "rev_first_time", "fwd_last_time", "rev_last_time"),
        *("server_rtt", "client_rtt"),
        *(
            f"{way}_{name}"
            for way in ("fwd", "rev")
            for name in (
                *("rtt_min", "rtt_mean", "rtt_max", "rtt_std"),
                *("longest_silence", "first_payload_time"),
            )
        ),
        *(
            f"{way}gap_{name}"
            for way in ("", "fwd_", "rev_")
            for name in ("min", "mean", "std", "max")
        ),
        "first_gaps",
    )
}


@pytest.fixture
def path(tmp_path):
    def connection(flags, seconds, *, server=False):
        ends = (THERE, HERE) if server else (HERE, THERE)
        ports = (80, 1025) if server else (1025, 80)
        data = tcp(b"x" * 7, ports=ports, flags=flags)
        packet = ipv4(data, 6, src=ends[0], dst=ends[1])
        return Record(packet, sec=EPOCH + seconds, fraction=250_000)

    records = [
        connection(SYN, 0),
        connection(SYN | ACK, 1, server=True),
        connection(ACK, 1),
        Record(ipv6(udp(b"q" * 5, ports=(53, 4000)), 17), sec=EPOCH + 2),
        Record(ipv4(b"gre", 47), sec=EPOCH + 2),
        connection(RST, 3, server=True),
        connection(ACK, 90),
    ]
    return write(tmp_path / "x.pcap", pcap(records, RAW))


@pytest.fixture
def table(path):
    counted = FlowTable()
    counted.add_trace(path)
    return counted


def value_of(flow, name):
    """What a column should have for a flow, None where it is missing."""
    value = getattr(flow, RENAMED.get(name, name))
    if name in ("src_prefix", "dst_prefix"):
        return ipaddress.ip_address(bytes(value.addr)).packed.ljust(16, b"\0")
    return value


def test_columns_are_the_attributes(path):
    table = FlowTable(tcp=True, decap=True, first=3, statistics=True)
    table.add_trace(path)
    columns = table.columns()
    assert type(columns) is plt.Table
    flows = list(table)
    assert len(columns) == len(flows) == 3
    for name in columns:
        values, mask = columns[name], columns.mask(name)
        for n, flow in enumerate(flows):
            expected = value_of(flow, name)
            assert mask[n] == (expected is None), name
            if expected is None:
                continue
            got = values[n]
            if isinstance(expected, tuple):
                assert tuple(got.astype("int64")) == expected, name
                continue
            if values.dtype.kind in "mM":
                got = got.astype("int64")
            assert (got.tobytes() if name.endswith("_prefix") else got) == expected, name
    attributes = {name for name in dir(flows[0]) if not name.startswith("_")}
    attributes -= {"fwd_key", "rev_key", "ipflow", "community_id"}
    assert {RENAMED.get(name, name) for name in columns} == attributes


def test_types_of_columns(table):
    columns = table.columns()
    assert columns["first_time"].dtype == "datetime64[ns]"
    assert columns["rtt"].dtype == "timedelta64[ns]"
    assert columns["src_port"].dtype == "uint16"
    assert columns["fwd_bytes"].dtype == "uint64"
    assert columns["src_prefix"].shape == (3, 16)
    assert columns["first_time"][0] == numpy.datetime64(EPOCH * SECOND + SECOND // 4, "ns")
    assert columns["rtt"][0] == numpy.timedelta64(1, "s")
    assert list(columns["state"]) == ["reset", None, None]


def test_some_columns(table):
    columns = table.columns(["bytes", "proto"])
    assert list(columns) == ["bytes", "proto"]
    assert columns["proto"].tolist() == [6, 17, 47]
    assert list(table.columns(fields="state")) == ["state"]
    assert len(table.columns([])) == 3
    with pytest.raises(ValueError, match="a flow has no 'byte'; near: bytes"):
        table.columns(["byte"])
    names = ", ".join(table.columns())
    with pytest.raises(ValueError, match=f"a flow has no 'zz'; there are: {names}"):
        table.columns(["zz"])
    with pytest.raises(ValueError, match="'proto' is asked for twice"):
        table.columns(["proto", "bytes", "proto"])
    for bad in (4, [4], [None]):
        with pytest.raises(TypeError):
            table.columns(bad)


def test_no_flows():
    columns = FlowTable().columns()
    assert len(columns) == 0
    assert columns["bytes"].shape == (0,)
    assert len(FlowTable().expired().columns()) == 0


def test_arrow(table, path):
    pyarrow = pytest.importorskip("pyarrow")
    arrow = pyarrow.table(table)
    flows = list(table)
    assert arrow.num_rows == 3
    assert arrow.schema == pyarrow.schema(table)
    assert arrow["packets"].to_pylist() == [5, 1, 1]
    assert arrow["state"].to_pylist() == [flow.state for flow in flows]
    assert arrow["end_reason"].to_pylist() == [3, None, None]
    assert arrow["rtt"].to_pylist()[1:] == [None, None]
    assert arrow["first_time"].to_pylist()[1] == datetime.fromtimestamp(EPOCH + 2, UTC)
    assert arrow["src_prefix"].to_pylist() == [str(flow.src_prefix) for flow in flows]
    idle = FlowTable(idle_timeout=10)
    idle.add_trace(path)
    expired = idle.expired()
    assert pyarrow.table(expired)["number"].to_pylist() == [0, 3, 4]
    assert pyarrow.schema(expired) == arrow.schema
    # what Arrow has outlives the table
    del table, idle, expired
    assert arrow["bytes"].to_pylist()[2] == 23


def test_expired_flows_as_columns(path):
    table = FlowTable(idle_timeout=10)
    table.add_trace(path)
    expired = table.expired()
    assert type(expired) is natkit.Flows
    assert repr(expired) == "<natkit.Flows: 3>"
    assert expired.columns(["end_reason"])["end_reason"].tolist() == [3, 1, 1]
    assert expired.columns()["packets"].tolist() == [flow.packets for flow in expired] == [4, 1, 1]
    assert expired[-1] == expired[2] == list(expired)[2]
    for n in (3, -4):
        with pytest.raises(IndexError):
            expired[n]
    with pytest.raises(ValueError, match="a flow has no"):
        expired.columns(["nothing"])
    with pytest.raises(TypeError):
        natkit.Flows()


# --- Pickle --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies(path, copied):
    home = FlowHome(from_s("192.0.2.0/24"))
    table = FlowTable(home, idle_timeout=10, active_timeout=100)
    table.add_trace(path)
    again = copied(table)
    assert type(again) is FlowTable
    assert again.home.prefixes == home.prefixes
    assert (again.idle_timeout, again.active_timeout) == (10, 100)
    for name in ("packets", "not_ip", "too_short", "time_ns"):
        assert getattr(again, name) == getattr(table, name)
    assert pickle.dumps(again) == pickle.dumps(table)
    for counted in (table, again):
        counted.add_trace(path)
    assert list(again) == list(table)
    assert list(again.expired()) == list(table.expired())


def test_flows_outlive_their_table(path):
    table = FlowTable()
    table.add_trace(path)
    flows = list(table)
    states = [pickle.loads(pickle.dumps(flow)) for flow in flows]
    del table
    assert states == flows
    assert [flow.state for flow in states] == ["reset", None, None]
    assert copy.copy(flows[1]) == flows[1]
    assert copy.copy(flows[1]) != flows[0]


# --- Flows ---------------------------------------------------------------------------------------


def ended_flows(tmp_path) -> Flows:
    """Seven flows, of IPv4 and IPv6 in turn."""
    packets = [
        (ipv6 if n % 2 else ipv4)(udp(ports=(n + 1, 53)), 17) for n in range(7)
    ]  # fmt: skip
    table = FlowTable()
    table.add_trace(write(tmp_path / "seven.pcap", pcap([Record(p) for p in packets], RAW)))
    table.flush()
    return table.expired()


def test_flows_are_a_sequence(tmp_path):
    flows = ended_flows(tmp_path)
    ports = [flow.src_port for flow in flows]
    assert ports == [1, 2, 3, 4, 5, 6, 7]
    assert flows[-1].src_port == 7
    assert isinstance(flows[1:3], Flows)
    for part in (slice(1, 3), slice(None, None, -2), slice(9, None), slice(-3, None)):
        assert [flow.src_port for flow in flows[part]] == ports[part]
    assert flows[0] in flows
    for bad in (7, -8, 10**30):
        with pytest.raises(IndexError):
            flows[bad]
    with pytest.raises(TypeError, match="flows are numbered by integers, not by str"):
        flows["0"]
    with pytest.raises(ValueError, match="slice step cannot be zero"):
        flows[::0]
    table = FlowTable()
    for use in (flows.columns, table.columns, flows.__arrow_c_stream__, table.__arrow_c_stream__):
        with pytest.raises(TypeError):
            use(None, None)
    assert sys.getsizeof(flows) > 7 * 184


def test_flows_that_ended_stay_in_the_table_where_a_signal_s_handler_raises(tmp_path):
    """They would be lost with what was to be handed over."""
    packets = [Record(ipv4(udp(ports=(n + 1, 53)), 17)) for n in range(5)]
    table = FlowTable()
    table.add_trace(write(tmp_path / "five.pcap", pcap(packets, RAW)))
    table.flush()
    with pytest.raises(pace.Came):
        pace.with_signal(table.expired)
    assert [flow.src_port for flow in table.expired()] == [1, 2, 3, 4, 5]
    assert len(table.expired()) == 0


def test_a_signal_s_handler_ends_what_makes_columns(tmp_path):
    flows = ended_flows(tmp_path)
    for work in (flows.columns, flows.__arrow_c_stream__, partial(pickle.dumps, FlowTable())):
        with pytest.raises(pace.Came):
            pace.with_signal(work)
    assert len(flows.columns()) == 7


def test_flows_take_the_memory_of_what_they_have(tmp_path):
    """More with TCP's quality and with statistics; up to 16 bytes of each first packet."""
    path = write(tmp_path / "one.pcap", pcap([Record(ipv4(tcp(), 6))], RAW))
    sizes = []
    for settings in ({}, {"tcp": True}, {"statistics": True}, {"first": 100}):
        table = FlowTable(**settings)
        table.add_trace(path)
        table.flush()
        sizes.append(sys.getsizeof(table.expired()))
    more = [size - sizes[0] for size in sizes[1:]]
    assert min(more) > 0
    assert 1200 <= more[2] <= 1600


def test_flows_are_pickled(tmp_path):
    flows = ended_flows(tmp_path)
    for some in (flows, flows[2:5], flows[:0]):
        again = pickle.loads(pickle.dumps(some))
        assert list(again) == list(some)
        assert list(again.columns()["src_port"]) == [flow.src_port for flow in some]
    state = bytes(flows.__reduce__()[1][0])
    for cut in range(0, len(state), 7):
        with pytest.raises(ValueError, match="no pickled flow"):
            Flows._from_bytes(state[:cut])
    with pytest.raises(ValueError, match="there is more behind it"):
        Flows._from_bytes(state + b"\0")
    with pytest.raises(ValueError, match="no pickled flow, but 7"):
        type(flows[0])._from_bytes(state)
    for arguments in ((), (state, None, None)):
        with pytest.raises(TypeError):
            FlowTable._from_bytes(*arguments)


def test_names_that_run_code():
    """Whatever naming the columns does, it comes before the table is looked at."""

    class Name(str):
        def __iter__(self):
            names.clear()
            return iter("abc")

        def __len__(self):
            return 3

    names = [Name("no such" * 9)]
    table = FlowTable()
    with pytest.raises(ValueError, match="a flow has no 'no suchno such"):
        table.columns(names)
    assert table.columns(name for name in ("packets", "rtt") if len(table) == 0).names == [
        "packets",
        "rtt",
    ]
    assert table.columns(["rtt_ns", "first_time_ns"]).names == ["rtt", "first_time"]
    assert table.top(3, by="rev_last_time_ns") == []
    for bad in ("bytes_ns", "rtt_n", "rtt_ns_", ""):
        with pytest.raises(ValueError, match="a flow has no"):
            table.top(1, by=bad)
