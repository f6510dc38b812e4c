"""natkit.packets() against tshark's streams and relative numbers, and against natkit.flows()."""

import gc
import io
import random
import subprocess
import weakref
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import packets as pk
import pytest
from tshark_exceptions import UNREADABLE

import natkit
import plt

np = pytest.importorskip("numpy")

TRACES = Path(__file__).resolve().parents[2] / "tutorial/traces"
TCP, UDP = 6, 17
OF_FLOW = ("flow", "way", "tcp.rel_seq", "tcp.rel_ack")


class Row(NamedTuple):
    """What tshark says of a packet: TCP's or UDP's stream, and relative numbers."""

    alone: bool  # no packet is within it, and it is within none
    tcp: str
    udp: str
    seq: str
    ack: str
    has_ack: bool


def tshark_rows(path: Path, tshark: str) -> list[Row]:
    names = ["frame.encap_type", "frame.protocols", "tcp.stream", "udp.stream", "tcp.seq"]
    names += ["tcp.ack", "tcp.flags.ack"]
    command = [tshark, "-n", "-r", str(path), "-T", "fields"]
    command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    command += [word for name in names for word in ("-e", name)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = []
    for line in run.stdout.splitlines():
        encap, layers, tcp, udp, seq, ack, has_ack = line.split("\t")
        if encap:
            listed = layers.split(":")
            alone = sum(layer in ("ip", "ipv6") for layer in listed) == 1
            rows.append(Row(alone, tcp, udp, seq, ack, has_ack in ("1", "True")))
    return rows


class Found(NamedTuple):
    """How our flows and tshark's streams differ."""

    split: int  # streams that are several of our flows
    joined: int  # flows that are several of tshark's streams
    numbers: list[str]  # relative numbers that differ, in flows that are one stream
    compared: int


def differences(uri: str, path: Path, tshark: str, *, of_joined: bool = False) -> Found:
    table = natkit.packets(uri, [*OF_FLOW, "proto", "ip.frag_offset"]).table()
    values = {name: table[name].tolist() for name in table}
    absent = {name: table.mask(name).tolist() for name in table}
    rows = tshark_rows(path, tshark)
    assert len(rows) == len(table)
    flows, streams = defaultdict(set), defaultdict(set)
    compared = []
    for at, row in enumerate(rows):
        proto = values["proto"][at]
        stream = row.tcp if proto == TCP else row.udp if proto == UDP else ""
        if not (row.alone and stream) or absent["flow"][at] or values["ip.frag_offset"][at]:
            continue
        flows[(proto, stream)].add(values["flow"][at])
        streams[values["flow"][at]].add((proto, stream))
        compared.append((at, row, (proto, stream)))
    numbers = []
    for at, row, stream in compared:
        if stream[0] != TCP or len(flows[stream]) > 1:
            continue
        if len(streams[values["flow"][at]]) > 1 and not of_joined:
            continue
        ours = [None if absent[n][at] else values[n][at] for n in ("tcp.rel_seq", "tcp.rel_ack")]
        theirs = [int(row.seq), int(row.ack) if row.has_ack else None]
        if ours != theirs:
            numbers.append(f"packet {at + 1}: {ours}, not {theirs}")
    return Found(
        sum(len(found) > 1 for found in flows.values()),
        sum(len(found) > 1 for found in streams.values()),
        numbers[:10],
        len(compared),
    )


#: How many streams are several of our flows, and how many of our flows are several streams.
KNOWN = {
    # a SYN is sent again with its old number after it was answered by a RST, which ended our flow;
    # tshark's dissector of SNMP takes a request and its response for two streams
    "edge-10k.pcap.gz": (1, 4),
    # tshark's dissector of VNC begins a stream in the midst of a connection, twice
    "vnc.pcap": (0, 2),
}
#: Traces whose relative numbers are not compared.
NUMBERS_LEFT_OUT = {
    "ajp.pcap": "packets are there twice, within Cisco FabricPath and without: tshark's "
    "analysis leaves the former out",
    "reasm_crash_anon.pcapng": "two TCP headers have wrong lengths: tshark reads no further",
    "100_sll.pcap": "the cooked protocol holds an Ethernet frame: tshark does not open it",
}


def check_against_tshark(uri: str, path: Path, tshark: str) -> int:
    found = differences(uri, path, tshark)
    assert (found.split, found.joined) == KNOWN.get(path.name, (0, 0))
    if path.name not in NUMBERS_LEFT_OUT:
        assert found.numbers == []
    return found.compared


@pytest.mark.parametrize("name", ["edge-10k", "links-3k", "dns-1k"])
def test_the_tutorials_traces(name: str, tshark: str) -> None:
    path = TRACES / f"{name}.pcap.gz"
    assert check_against_tshark(str(path), path, tshark) > 500


def test_the_corpus(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str], tshark: str
) -> None:
    path = corpus / "traces" / trace_name
    if trace_name in UNREADABLE:
        pytest.skip(UNREADABLE[trace_name])
    check_against_tshark(trace_uri(path), path, tshark)


def segment(way: int, flags: int, seq: int, ack: int, payload: bytes = b"") -> bytes:
    ports = ((1000, 80), (80, 1000))[way]
    ends = (("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1"))[way]
    data = pk.tcp(payload, ports=ports, flags=flags, seq=seq, ack=ack)
    return pk.ethernet(pk.ipv4(data, TCP, src=ends[0], dst=ends[1]))


@pytest.mark.parametrize("seed", range(5))
def test_relative_numbers_of_any_segments(tmp_path: Path, tshark: str, seed: int) -> None:
    """Connections that are seen from the midst on, lose their SYN, or wrap around."""
    rng = random.Random(seed)
    frames: list[pk.Record | bytes] = []
    for _ in range(60):
        port = rng.randrange(1024, 65535)
        bases = [rng.choice([0, 5, 2**31, 2**32 - 2, rng.randrange(2**32)]) for _ in "ab"]
        for _ in range(rng.randrange(1, 9)):
            way = rng.randrange(2)
            flags = rng.choice([0x10, 0x18, 0x08, 0x11, 0x14, 0x04, 0x02, 0x12])
            seq = (bases[way] + (0 if flags & 2 else rng.randrange(1, 3000))) % 2**32
            ack = (bases[1 - way] + rng.randrange(1, 3000)) % 2**32
            ports = (port, 80) if way == 0 else (80, port)
            ends = ("192.0.2.1", "192.0.2.2") if way == 0 else ("192.0.2.2", "192.0.2.1")
            data = pk.tcp(b"x" * rng.randrange(3), ports=ports, flags=flags, seq=seq, ack=ack)
            packet = pk.ethernet(pk.ipv4(data, TCP, src=ends[0], dst=ends[1]))
            frames.append(pk.Record(packet, pk.EPOCH + len(frames)))
    path = pk.write(tmp_path / "x.pcap", pk.pcap(frames))
    # a SYN with any other number begins another stream for tshark, and so do relative numbers here
    found = differences(str(path), path, tshark, of_joined=True)
    assert found.numbers == []
    assert found.compared > 200


# --- Against flow tables ---------------------------------------------------------------------


def check_against_flows(uri: str, **settings: object) -> None:
    """The flows are those of a flow table, and the packets of each are its packets."""
    columns = natkit.packets(uri, ["number", "flow", "way", "wire_len"], **settings)  # type: ignore[arg-type]
    table, flows = columns.table(), columns.flows()
    settings.pop("batch", None)
    whole = natkit.FlowTable(**settings)  # type: ignore[arg-type]
    whole.add_trace(uri)
    parts = [whole.expired().columns(), whole.columns()]
    numbers = np.concatenate([part["number"] for part in parts])
    order = np.argsort(numbers)
    for name in flows:
        values = np.concatenate([part[name] for part in parts])[order]
        masks = np.concatenate([part.mask(name) for part in parts])[order]
        assert (flows.mask(name) == masks).all(), name
        assert (flows[name] == values).all(), name
    there = ~table.mask("flow")
    flow, way = table["flow"][there].astype(int), table["way"][there]
    count = len(flows)
    assert (np.bincount(flow, minlength=count) == flows["packets"]).all()
    assert (np.bincount(flow[way == 0], minlength=count) == flows["fwd_packets"]).all()
    sizes = table["wire_len"][there]
    assert (np.bincount(flow, sizes, minlength=count) == flows["bytes"]).all()
    first = np.full(count, -1)
    first[flow[::-1]] = np.flatnonzero(there)[::-1]
    assert (first == flows["number"]).all()
    assert (np.diff(first) > 0).all()


SETTINGS = [
    {},
    {"idle_timeout": 0.5, "batch": 7},
    {"idle_timeout": 3.0, "active_timeout": 5.0, "tcp": True},
    {"vlan": True, "decap": True},
    {"home": natkit.FlowHome("10.0.0.0/8", "192.0.2.0/24")},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", ["edge-10k", "links-3k", "dns-1k"])
def test_flows_are_those_of_a_table(name: str, settings: dict[str, object]) -> None:
    check_against_flows(str(TRACES / f"{name}.pcap.gz"), **settings)


#: Traces with fragments that came before the first of their packet: a flow table lets them wait.
FRAGMENTS_WAIT = {"vlan.pcap"}


@pytest.mark.parametrize("settings", SETTINGS[:4:3])
def test_flows_of_the_corpus(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str], settings: dict[str, object]
) -> None:
    if trace_name in FRAGMENTS_WAIT:
        pytest.skip("fragments that come before their first one wait in a flow table")
    check_against_flows(trace_uri(corpus / "traces" / trace_name), **settings)


# --- By hand ---------------------------------------------------------------------------------


def joined(path: Path, **settings: object) -> list[tuple[int | None, ...]]:
    table = natkit.packets(path, OF_FLOW, **settings).table()  # type: ignore[arg-type]
    missing = {name: table.mask(name) for name in OF_FLOW}
    return [
        tuple(None if missing[name][at] else int(table[name][at]) for name in OF_FLOW)
        for at in range(len(table))
    ]


SYN, RST, ACK = 0x02, 0x04, 0x10


def test_a_flow_that_begins_again_has_another_number(tmp_path: Path) -> None:
    frames = [
        segment(0, SYN, 100, 0),
        segment(1, SYN | ACK, 500, 101),
        pk.ethernet(bytes(28), 0x0806),
        segment(0, ACK, 101, 501, b"abc"),
        segment(1, RST, 501, 0),
        pk.ethernet(pk.ipv4(pk.udp(b"x"), UDP)),
        segment(0, SYN, 9000, 0),
        segment(1, SYN | ACK, 7, 9001),
    ]
    path = pk.write(tmp_path / "x.pcap", pk.pcap(frames))
    assert joined(path) == [
        (0, 0, 0, None),
        (0, 1, 0, 1),
        (None, None, None, None),
        (0, 0, 1, 1),
        (0, 1, 1, None),
        (1, 0, None, None),
        (2, 0, 0, None),
        (2, 1, 0, 1),
    ]
    columns = natkit.packets(path)
    assert columns.fields[-2:] == ("flow", "way")
    columns.table()
    assert columns.flows("packets")["packets"].tolist() == [4, 1, 2]


def test_batches_filters_limits_and_sources() -> None:
    path = TRACES / "edge-10k.pcap.gz"
    whole = natkit.packets(path, ["flow", "tcp.rel_seq"]).table()
    for batch in (1, 63, 64, 65, 1000):
        parts = list(natkit.packets(path, ["flow", "tcp.rel_seq"], batch=batch, limit=2000))
        assert {len(part) for part in parts[:-1]} == {batch}
        for name in ("flow", "tcp.rel_seq"):
            found = np.concatenate([part[name] for part in parts])
            assert (found == whole[name][:2000]).all()
    columns = natkit.packets(path, ["number", "flow"], filter=plt.where("proto == 17"))
    table = columns.table()
    assert len(table) == len(plt.columns(path, ["time"], filter=plt.where("proto == 17")).table())
    assert (np.unique(table["flow"]) == np.arange(len(columns.flows()))).all()
    twice = natkit.packets([path, path], ["number", "flow"])
    both = twice.table()
    assert both["number"].tolist() == [*range(1, 10_001)] * 2
    once = natkit.packets(path, ["flow"])
    once.table()
    packets_of = [columns.flows("packets")["packets"].sum() for columns in (once, twice)]
    assert packets_of[1] == 2 * packets_of[0]


def test_fragments_do_not_wait(tmp_path: Path) -> None:
    datagram = pk.udp(bytes(64), ports=(1000, 53))
    first = pk.ethernet(pk.ipv4(datagram[:32], UDP, fragment=0x2000))
    later = pk.ethernet(pk.ipv4(datagram[32:], UDP, fragment=4))
    path = pk.write(tmp_path / "x.pcap", pk.pcap([later, first, later]))
    assert [row[0] for row in joined(path)] == [0, 1, 1]
    assert natkit.packets(path).flows("src_port")["src_port"].tolist() == []


def test_what_was_read_before_an_error(tmp_path: Path) -> None:
    content = pk.pcap([segment(0, SYN, 1, 0), segment(1, SYN | ACK, 5, 2)])
    path = pk.write(tmp_path / "x.pcap", content[:-3])
    columns = natkit.packets([path, path], ["flow"])
    with pytest.raises(plt.LibtraceError) as caught:
        columns.table()
    assert caught.value.table["flow"].tolist() == [0]
    assert columns.flows("packets")["packets"].tolist() == [1]
    with pytest.raises(plt.LibtraceError):
        columns.table()
    assert columns.flows("packets")["packets"].tolist() == [2]


def test_a_file_may_not_use_what_it_is_read_into() -> None:
    """Neither the columns nor the flows, nor may others be read into the same flows."""
    content = pk.pcap([segment(0, ACK, n, 0) for n in range(3000)])
    found: list[natkit.Packets] = []
    refused = 0

    def another() -> None:
        natkit._natkit._PacketReader(found[0]._table, "x.pcap", ("flow",), None, -1, 1, 10, 0)

    def look() -> None:
        nonlocal refused
        for use in (found[0].flows, found[0].close, lambda: next(iter(found[0])), another):
            with pytest.raises((RuntimeError, plt.LibtraceError), match="in use by another thread"):
                use()
            refused += 1

    found.append(natkit.packets(pk.Watched(content, look), ["flow"]))
    assert len(found[0].table()) == 3000
    assert refused > 4
    assert found[0].flows("packets")["packets"].tolist() == [3000]


def test_a_cycle_of_packets_and_their_trace_is_collected() -> None:
    class Trace(plt.trace):
        pass

    trace = Trace(io.BytesIO(pk.pcap([segment(0, SYN, 1, 0)] * 3)))
    trace.start()
    trace.columns = natkit.packets(trace, ["flow"], batch=1)  # type: ignore[attr-defined]
    assert next(iter(trace.columns))["flow"].tolist() == [0]  # type: ignore[attr-defined]
    gone = weakref.ref(trace.columns)  # type: ignore[attr-defined]
    kept: list[object] = [trace.columns._batches.reader]  # type: ignore[attr-defined]
    kept.append(kept)  # else the reader goes when the first of the cycle lets go
    del trace, kept
    gc.collect()
    assert gone() is None


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match=r"'flows'; near: flow.*\(natkit.packet_fields\(\)"):
        natkit.packets("x.pcap", ["flows"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="at least one row"):
        natkit.packets("x.pcap", batch=0)
    with pytest.raises(ValueError, match="idle_timeout"):
        natkit.packets("x.pcap", idle_timeout=-1)
    with pytest.raises(plt.LibtraceError, match=r"nothing\.pcap"):
        natkit.packets("/nothing.pcap")
    for arguments in ((), (5, "x.pcap", ("flow",), None, -1, 1, 10, 0)):
        with pytest.raises(TypeError):
            natkit._natkit._PacketReader(*arguments)  # type: ignore[arg-type]
    used = natkit.FlowTable()
    used.add(pk.packet_of(segment(0, SYN, 1, 0), Path("/tmp")))
    with pytest.raises(RuntimeError, match="new table"):
        natkit._natkit._PacketReader(used, "x.pcap", ("flow",), None, -1, 1, 10, 0)


def test_arrow_and_representations() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    columns = natkit.packets(TRACES / "dns-1k.pcap.gz", ["src", "flow", "tcp.rel_seq"])
    assert repr(columns) == "<natkit.packets of src, flow, tcp.rel_seq>"
    assert "tcp.rel_seq" in columns._repr_html_()
    found = pyarrow.table(columns)
    assert found.column_names == ["src", "flow", "tcp.rel_seq"]
    assert found.num_rows == 1000
    assert natkit.packet_fields().keys() == {*plt.column_fields(), *OF_FLOW}
