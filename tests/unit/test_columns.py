"""plt.columns() as NumPy arrays, against headers packed by hand and against the packets."""

import ctypes
import gc
import hashlib
import io
import struct
import sys
import threading
import weakref
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import packets as pk
import per_packet
import pytest

import ipp
import plt

np = pytest.importorskip("numpy")

ALL = tuple(plt.column_fields())

UINT8 = {
    "proto", "version", "traffic_class", "hop_limit", "ttl", "hdr_len", "ip6.next_hdr", "tcp.doff",
    "icmp.type", "icmp.code", "icmp6.type", "icmp6.code", "tunnel.depth",
    "dscp", "ecn", "vlan_pcp", "inner_vlan_pcp", "arp.hardware_len", "arp.protocol_len",
    "tcp.wscale",
}  # fmt: skip
UINT32 = {
    "wire_len", "capture_len", "payload_len", "ip6.flow_label", "tcp.seq_nbr", "tcp.ack_nbr",
    "sctp.verification_tag", "sctp.checksum", "tunnel.id", "tcp.ts_val", "tcp.ts_ecr",
}  # fmt: skip
OTHER = {
    "time": "datetime64[ns]",
    "time_ns": "int64",
    "ts": "datetime64[ns]",
    "seconds": "float64",
    "ts_sec": "int64",
    "erf_time": "uint64",
    "number": "uint64",
    "community_id": "object",
    "layer2.src": "object",
    "layer2.dst": "object",
    "arp.sender_mac": "object",
    "arp.target_mac": "object",
    "linktype": "int16",
    "direction": "int8",
    "tunnel.kind": "object",
}
ADDRESSES = {"src", "dst", "tunnel.src", "tunnel.dst"}
FLAGS = {
    "ip.has_rf", "ip.has_df", "ip.has_mf", "tcp.urg_flag", "tcp.ack_flag", "tcp.psh_flag",
    "tcp.rst_flag", "tcp.syn_flag", "tcp.fin_flag", "tcp.sack_ok",
}  # fmt: skip

TCP4 = pk.ethernet(pk.ipv4(pk.tcp(b"hello", ports=(49152, 443), flags=0x12, seq=7), pk.TCP, ttl=9))
UDP6 = pk.ethernet(pk.ipv6(pk.udp(b"abc", ports=(5353, 53)), pk.UDP, hops=3, flow=0xABCDE), 0x86DD)
ICMP4 = pk.ethernet(pk.ipv4(pk.icmp(8, 1), pk.ICMP))
ICMP6 = pk.ethernet(pk.ipv6(pk.icmp(128, 2), pk.ICMP6), 0x86DD)
SCTP4 = pk.ethernet(pk.ipv4(bytes.fromhex("0b590b5a 00000007 00000009"), pk.SCTP))
ARP = pk.ethernet(bytes(28), 0x0806)
MIXED = [TCP4, UDP6, ICMP4, ICMP6, SCTP4, ARP]


@pytest.fixture
def pcap(tmp_path: Path) -> Callable[..., Path]:
    """Writes a pcap file of some packets; the files are trace1, trace2, ..."""
    written: list[Path] = []

    def write(items: list[pk.Record | bytes], **kwargs: int) -> Path:
        written.append(tmp_path / f"trace{len(written) + 1}")
        return pk.write(written[-1], pk.pcap(items, **kwargs))

    return write


def numbered(count: int, start: int = 0) -> list[pk.Record | bytes]:
    """UDP packets whose source ports count up, a second apart."""
    datagrams = [pk.udp(ports=((start + n) & 0xFFFF, 53)) for n in range(count)]
    return [pk.Record(pk.ethernet(pk.ipv4(d)), pk.EPOCH + n) for n, d in enumerate(datagrams)]


def ports(columns: plt.Columns | plt.Table) -> list[int]:
    table = columns.table() if isinstance(columns, plt.Columns) else columns
    result: list[int] = table["src_port"].tolist()
    return result


# --- Names and kinds -----------------------------------------------------------------------------


def test_every_row_of_the_header_tables_is_a_column() -> None:
    layers = {"arp", "ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6"}
    rows = [(row["type"].__name__, row["name"]) for row in plt._plt._fields()]
    wanted = {f"{layer}.{name}" for layer, name in rows if layer in layers}
    assert len(wanted) == 44
    wanted |= {f"tunnel.{name}" for name in ("kind", "id", "depth", "src", "dst")}
    wanted |= {"layer2.src", "layer2.dst"}
    wanted |= {f"arp.{end}_{kind}" for end in ("sender", "target") for kind in ("mac", "prefix")}
    wanted |= {f"tcp.{name}" for name in ("mss", "wscale", "sack_ok", "ts_val", "ts_ecr")}
    assert {name for name in ALL if "." in name} == wanted


def test_a_column_for_what_packets_answer_for() -> None:
    plain = {name for name in ALL if "." not in name}
    on_packets = {
        "time", "time_ns", "seconds", "ts_sec", "erf_time", "wire_len", "capture_len", "linktype",
        "ethertype", "vlan_id", "direction", "proto", "number", "vlan_pcp", "inner_vlan_id",
        "inner_vlan_pcp", "community_id",
    }  # fmt: skip
    assert plain == (
        on_packets | per_packet.INTERNET | set(per_packet.ALIASES)
        | {"src_port", "dst_port", "payload_len"}
    )  # fmt: skip
    assert all(doc.endswith(".") for doc in plt.column_fields().values())


def test_kinds(pcap: Callable[..., Path]) -> None:
    table = plt.columns(pcap(MIXED), ALL).table()
    for name in ALL:
        expected = OTHER.get(name) or (
            "bool" if name in FLAGS
            else "uint32" if name in UINT32
            else "uint8" if name in UINT8 or "prefix" in name or name in ADDRESSES
            else "uint16"
        )  # fmt: skip
        assert table[name].dtype == expected, name
        assert table.mask(name).dtype == bool
        assert table.mask(name).shape == (6,)
        is_address = "prefix" in name or name in ADDRESSES
        assert table[name].shape == ((6, 16) if is_address else (6,))


def test_default_fields(pcap: Callable[..., Path]) -> None:
    columns = plt.columns(pcap([TCP4]))
    assert columns.fields == (
        "time", "wire_len", "version", "proto", "src_prefix", "dst_prefix", "src_port", "dst_port",
        "tcp.flags", "payload_len",
    )  # fmt: skip
    assert list(columns.table()) == list(columns.fields)


def test_fields_may_be_any_iterable(pcap: Callable[..., Path]) -> None:
    path = pcap([TCP4])
    for fields in (["proto", "time"], ("proto", "time"), iter(["proto", "time"])):
        assert plt.columns(path, fields).fields == ("proto", "time")
    assert plt.columns(path, "proto").fields == ("proto",)
    assert len(plt.columns(path, ()).table()) == 1


# --- Values --------------------------------------------------------------------------------------


def test_values(pcap: Callable[..., Path]) -> None:
    t = plt.columns(pcap(MIXED), ALL).table()
    missing = {name: t.mask(name).tolist() for name in ALL}
    assert t["capture_len"].tolist() == [len(data) for data in MIXED]
    assert t["wire_len"].tolist() == [len(data) + 4 for data in MIXED]  # libtrace counts the FCS
    assert t["linktype"].tolist() == [plt.TRACE_TYPE_ETH] * 6
    assert t["ethertype"].tolist() == [0x0800, 0x86DD, 0x0800, 0x86DD, 0x0800, 0x0806]
    assert t["version"].tolist() == [4, 6, 4, 6, 4, 0]
    assert missing["version"] == [False] * 5 + [True]
    assert t["proto"].tolist() == [6, 17, 1, 58, 132, 0]
    assert t["ttl"].tolist() == t["hop_limit"].tolist() == [9, 3, 64, 64, 64, 0]
    assert t["hdr_len"].tolist() == [5, 0, 5, 0, 5, 0]
    assert missing["hdr_len"] == missing["pkt_len"] == [False, True, False, True, False, True]
    assert t["pkt_len"].tolist() == [45, 0, 28, 0, 32, 0]
    assert t["src_port"].tolist() == [49152, 5353, 0, 0, 0x0B59, 0]
    assert t["dst_port"].tolist() == [443, 53, 0, 0, 0x0B5A, 0]
    assert missing["src_port"] == [False, False, True, True, False, True]
    assert t["payload_len"].tolist() == [5, 3, 0, 0, 0, 0]
    assert missing["payload_len"] == [False, False, True, True, True, True]
    assert t["tcp.flags"].tolist() == [0x5012 & 0xFFF, 0, 0, 0, 0, 0]
    assert t["tcp.syn_flag"].tolist() == t["tcp.ack_flag"].tolist() == [True] + [False] * 5
    assert t["tcp.fin_flag"].tolist() == [False] * 6
    assert missing["tcp.syn_flag"] == missing["tcp.fin_flag"] == [False] + [True] * 5
    assert t["tcp.seq_nbr"].tolist() == [7, 0, 0, 0, 0, 0]
    assert t["ip6.flow_label"].tolist() == [0, 0xABCDE, 0, 0, 0, 0]
    assert t["udp.len"].tolist() == [0, 11, 0, 0, 0, 0]
    assert t["icmp.type"].tolist() == [0, 0, 8, 0, 0, 0]
    assert missing["icmp.type"] == [True, True, False, True, True, True]
    assert t["icmp6.type"].tolist() == [0, 0, 0, 128, 0, 0]
    assert t["sctp.verification_tag"].tolist() == [0, 0, 0, 0, 7, 0]
    assert t["direction"].tolist() == [-1] * 6
    assert missing["direction"] == missing["proto"] == missing["ethertype"] == [False] * 6


def test_addresses(pcap: Callable[..., Path]) -> None:
    t = plt.columns(pcap(MIXED), ("src_prefix", "dst_prefix", "src", "dst", "version")).table()
    for name, end in (("src_prefix", 0), ("dst_prefix", 1)):
        four, six = ip_address(pk.V4[end]).packed.ljust(16, b"\0"), ip_address(pk.V6[end]).packed
        assert [bytes(row) for row in t[name]] == [four, six, four, six, four, bytes(16)]
        assert t.mask(name).tolist() == [False] * 5 + [True]
    assert (t["src"] == t["src_prefix"]).all()
    assert (t["dst"] == t["dst_prefix"]).all()
    assert ipp.format(t["src"], t["version"]) == [*([pk.V4[0], pk.V6[0]] * 3)[:5], None]
    inside = ipp.from_s("192.0.2.0/24").contains(t["src"], t["version"])
    assert inside.tolist() == [True, False, True, False, True, False]


def test_times(pcap: Callable[..., Path]) -> None:
    records = [
        pk.Record(TCP4, 0, 0),
        pk.Record(TCP4, pk.EPOCH, 123_456_789),
        pk.Record(TCP4, 2**32 - 1, 1),
    ]
    t = plt.columns(pcap(records, magic=0xA1B23C4D), ("time", "ts", "seconds", "ts_sec")).table()
    expected = np.array(
        ["1970-01-01T00:00:00", "2010-01-01T00:00:00.123456789", "2106-02-07T06:28:15.000000001"],
        "datetime64[ns]",
    )
    assert t["time"].tolist() == expected.tolist()
    assert t["ts"].tolist() == expected.tolist()
    assert t["ts_sec"].tolist() == [0, pk.EPOCH, 2**32 - 1]
    assert t["seconds"].tolist() == pytest.approx([0, pk.EPOCH + 0.123456789, 2**32 - 1])
    assert not t.mask("time").any()


def test_a_time_that_64_bits_of_nanoseconds_do_not_hold_is_missing(tmp_path: Path) -> None:
    seconds = pk.interface(options=pk.option(9, b"\0"))  # if_tsresol: 10**0
    blocks = [pk.enhanced(TCP4, 1 << 40), pk.enhanced(TCP4, 5)]
    path = pk.write(tmp_path / "t", pk.section() + seconds + b"".join(blocks))
    t = plt.columns(path, ("time", "ts_sec")).table()
    assert t["ts_sec"].tolist() == [1 << 40, 5]
    assert t.mask("time").tolist() == [True, False]
    assert t["time"].view("int64").tolist() == [0, 5 * 10**9]


def test_a_wire_length_beyond_32_bits_is_missing(pcap: Callable[..., Path]) -> None:
    t = plt.columns(pcap([pk.Record(TCP4, wire=2**32 - 1), TCP4]), ("wire_len",)).table()
    assert t.mask("wire_len").tolist() == [True, False]
    assert t["wire_len"].tolist() == [0, len(TCP4) + 4]


@pytest.mark.parametrize(
    ("packet", "cut", "expected"),
    [
        (pk.ipv4(pk.tcp(b"12345"), pk.TCP), 0, 5),
        (pk.ipv4(pk.tcp(b"12345", options=bytes(8)), pk.TCP, options=bytes(12)), 0, 5),
        (pk.ipv4(pk.tcp(b""), pk.TCP) + bytes(6), 0, 0),  # Ethernet's padding
        (pk.ipv4(pk.udp(b"123")), 0, 3),
        (pk.ipv6(pk.tcp(b"12345", options=bytes(4)), pk.TCP), 0, 5),
        (pk.ipv6(bytes([17, 0]) + bytes(6) + pk.udp(b"123"), 0), 0, 3),  # hop-by-hop options
        (pk.ipv4(pk.tcp(b"12345"), pk.TCP, length=0), 0, 5),  # segmentation offload
        (pk.ipv4(pk.tcp(b"12345"), pk.TCP, length=0), 1000, 1005),
        (pk.ipv6(pk.tcp(b"12345"), pk.TCP, length=0), 0, 5),
        (pk.ipv4(pk.tcp(b"12345"), pk.TCP, length=1040), 995, 1000),
        (pk.ipv4(pk.tcp(b"12345"), pk.TCP, length=65535), 0, 5),  # more than the wire had
        (pk.ipv4(pk.tcp(b"12345"), pk.TCP, length=19), 0, None),  # less than a header
        (pk.ipv4(pk.tcp(b"12345")[:13], pk.TCP, length=45), 12, 5),
        (pk.ipv4(pk.tcp(b"12345")[:12], pk.TCP, length=45), 13, None),  # no data offset
        (pk.ipv4(pk.tcp(b"12345", doff=4), pk.TCP), 0, None),  # malformed
        (pk.ipv4(pk.tcp(b"12345", doff=15), pk.TCP), 0, None),  # the header ends after the packet
        (pk.ipv4(pk.udp(b"123", length=9)), 0, 1),  # UDP's own length ends before IP's
        (pk.ipv4(pk.udp(b"123", length=0)), 0, 3),  # offload, jumbograms: RFC 2675 section 4
        (pk.ipv4(pk.udp(b"123", length=7)), 0, 0),  # less than a header
        (pk.ipv4(pk.udp(b"123", length=2000), fragment=0x2000), 0, 3),  # of a longer datagram
        (pk.ipv4(pk.udp(b"123"), fragment=1), 0, None),
        (pk.ipv4(pk.icmp(8), pk.ICMP), 0, None),
    ],
)
def test_payload_length(
    packet: bytes, cut: int, expected: int | None, pcap: Callable[..., Path]
) -> None:
    """What TCP or UDP carries, of packets of which the last `cut` bytes were not captured."""
    ethertype = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    frame = pk.ethernet(packet, ethertype)
    path = pcap([pk.Record(frame, wire=len(frame) + cut)])
    t = plt.columns(path, ("payload_len",)).table()
    assert t.mask("payload_len").tolist() == [expected is None]
    assert t["payload_len"].tolist() == [expected or 0]


@pytest.mark.parametrize("number", range(len(MIXED)))
def test_every_column_of_packets_cut_anywhere(number: int, pcap: Callable[..., Path]) -> None:
    cut: list[pk.Record | bytes] = [
        pk.Record(MIXED[number][:size], wire=len(MIXED[number]))
        for size in range(len(MIXED[number]) + 1)
    ]
    path = pcap(cut)
    table = plt.columns(path, ALL).table()
    assert per_packet.differences(pk.read(path), table) == []
    assert table["capture_len"].tolist() == list(range(len(MIXED[number]) + 1))


def test_masked_arrays(pcap: Callable[..., Path]) -> None:
    t = plt.columns(pcap([TCP4, ARP, UDP6]), ("src_port", "src_prefix", "proto")).table()
    assert t.masked("src_port").tolist() == [49152, None, 5353]
    assert t.masked("src_port").sum() == 49152 + 5353
    assert t.masked("src_prefix").mask.all(axis=1).tolist() == [False, True, False]
    assert t.masked("proto").count() == 3


def test_missing_values_are_zero_in_reused_and_grown_memory(pcap: Callable[..., Path]) -> None:
    """70,000 rows are more than the memory that reading begins with."""
    t = plt.columns(pcap([TCP4, ARP] * 35_000), ("src_port", "src_prefix", "tcp.seq_nbr")).table()
    assert len(t) == 70_000
    assert t["src_port"].tolist() == [49152, 0] * 35_000
    assert t.mask("src_port").tolist() == [False, True] * 35_000
    assert t["src_prefix"][1::2].max() == 0
    assert (t["src_prefix"][::2, :4] == list(ip_address(pk.V4[0]).packed)).all()
    assert t["tcp.seq_nbr"].sum() == 7 * 35_000


# --- Tables and batches --------------------------------------------------------------------------


def test_table_is_a_mapping_of_names(pcap: Callable[..., Path]) -> None:
    t = plt.columns(pcap([TCP4, UDP6]), ("proto", "time")).table()
    assert len(t) == 2
    assert list(t) == t.names == ["proto", "time"]
    assert "proto" in t
    assert "src_port" not in t
    assert t["proto"] is t["proto"]
    assert repr(t).startswith("2 rows and 2 columns\n")
    for read in (t.__getitem__, t.mask, t.masked):
        with pytest.raises(KeyError, match="'src_port' is none of the columns proto, time"):
            read("src_port")


def test_batches(pcap: Callable[..., Path]) -> None:
    path = pcap(numbered(10))
    whole = plt.columns(path, ("src_port",))
    for size, sizes in ((3, [3, 3, 3, 1]), (5, [5, 5]), (10, [10]), (1 << 20, [10])):
        columns = plt.columns(path, ("src_port",), batch=size)
        batches = list(columns)
        assert [len(batch) for batch in batches] == sizes
        assert [port for batch in batches for port in ports(batch)] == list(range(10))
        assert all(isinstance(batch, plt.Batch) for batch in batches)
        assert list(columns) == []
        assert len(columns.table()) == 0
    assert repr(batches[0]).startswith("10 rows and 1 column\n")
    assert repr(whole) == "<plt.columns of src_port>"
    assert repr(plt.columns(path, [])) == "<plt.columns of no fields>"
    assert ports(whole) == list(range(10))


def test_batches_are_small_enough_for_a_cache(pcap: Callable[..., Path]) -> None:
    path = pcap([TCP4] * 70_000)
    # a port takes 2 bytes and its mask one; 65,536 is the most
    assert [len(batch) for batch in plt.columns(path, ["src_port"])] == [65_536, 4_464]
    # an address takes 16, its version and its mask: 512 KiB hold 14,563 rows of two
    sizes = [len(batch) for batch in plt.columns(path, ["src", "dst"])]
    assert sizes == [8_192] * 8 + [4_464]


def test_table_is_what_iterating_left(pcap: Callable[..., Path]) -> None:
    columns = plt.columns(pcap(numbered(10)), ("src_port",), batch=4)
    assert ports(next(iter(columns))) == [0, 1, 2, 3]
    assert ports(next(iter(columns))) == [4, 5, 6, 7]
    assert ports(columns) == [8, 9]
    assert ports(columns) == []


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_has_rows(size: int, pcap: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match="a batch has at least one row"):
        plt.columns(pcap([TCP4]), batch=size)


def test_limit(pcap: Callable[..., Path]) -> None:
    path = pcap(numbered(10))
    for limit, expected in ((0, 0), (1, 1), (9, 9), (10, 10), (11, 10), (sys.maxsize, 10)):
        assert ports(plt.columns(path, ("src_port",), limit=limit)) == list(range(expected))
        batches = list(plt.columns(path, ("src_port",), limit=limit, batch=4))
        assert [p for batch in batches for p in ports(batch)] == list(range(expected))
    with pytest.raises(ValueError, match="limit must be 0 or more"):
        plt.columns(path, limit=-1)
    with pytest.raises(OverflowError):
        plt.columns(path, limit=1 << 80)


@pytest.mark.parametrize("keyword", ["limit", "batch"])
def test_limit_and_batch_are_integers(keyword: str, pcap: Callable[..., Path]) -> None:
    path = pcap([TCP4])
    for wrong in ("1", 1.5, [1]):
        with pytest.raises(TypeError):
            plt.columns(path, **{keyword: wrong})  # type: ignore[arg-type]


def test_empty_trace(pcap: Callable[..., Path]) -> None:
    path = pcap([])
    assert list(plt.columns(path)) == []
    t = plt.columns(path, ALL).table()
    assert len(t) == 0
    assert t
    assert t["src_prefix"].shape == (0, 16)
    assert t["time"].dtype == "datetime64[ns]"
    assert t["tcp.syn_flag"].dtype == bool
    assert t.mask("time").shape == t["time"].shape == (0,)
    assert t.masked("src_prefix").shape == (0, 16)


# --- Filters -------------------------------------------------------------------------------------


def test_filter(pcap: Callable[..., Path]) -> None:
    path = pcap(MIXED * 2)
    expression = "tcp or ip6"
    wanted = [p.proto for p in pk.read(path) if p.apply_filter(plt.filter(expression))]
    assert wanted == [6, 17, 58] * 2
    for given in (expression, plt.filter(expression)):
        assert plt.columns(path, ("proto",), filter=given).table()["proto"].tolist() == wanted
    table = plt.columns(path, ("proto",), filter=expression, limit=4).table()
    assert table["proto"].tolist() == wanted[:4]
    assert len(plt.columns(path, filter="tcp port 1").table()) == 0


def test_filter_behind_that_of_the_trace(pcap: Callable[..., Path]) -> None:
    trace = plt.trace(pcap(MIXED))
    trace.conf_filter(plt.filter("ip6"))
    with trace:
        t = plt.columns(trace, ("proto",), filter="udp or tcp").table()
    assert t["proto"].tolist() == [17]


def test_a_filter_in_use_elsewhere(pcap: Callable[..., Path]) -> None:
    """A plt.filter is compiled anew for columns, so that it may be used meanwhile."""
    expression = plt.filter("udp")
    columns = plt.columns(pcap(MIXED), ("proto",), filter=expression, batch=1)
    first = next(iter(columns))
    assert [p.apply_filter(expression) for p in pk.read(pcap([TCP4, UDP6]))] == [False, True]
    assert first["proto"].tolist() == [17]
    assert len(columns.table()) == 0


# --- Sources -------------------------------------------------------------------------------------


def test_names_of_sources(pcap: Callable[..., Path]) -> None:
    path = pcap([TCP4])
    for source in (path, str(path), bytes(path), f"pcapfile:{path}", plt.trace(path)):
        if isinstance(source, plt.trace):
            source.start()
        assert plt.columns(source, ("proto",)).table()["proto"].tolist() == [6]


def test_several_sources(pcap: Callable[..., Path]) -> None:
    trace = plt.trace(pcap(numbered(2, 20)))
    trace.start()
    sources = [pcap(numbered(3)), pcap([]), trace, pcap(numbered(2, 30))]
    assert ports(plt.columns(sources[:2] + sources[3:], ("src_port",))) == [0, 1, 2, 30, 31]
    columns = plt.columns(tuple(sources), ("src_port",), batch=2)
    assert [ports(batch) for batch in columns] == [[0, 1], [2], [20, 21], [30, 31]]
    with pytest.raises(ValueError, match="no sources to read"):
        plt.columns([])
    assert ports(plt.columns([sources[0], sources[3]], ("src_port",), limit=4)) == [0, 1, 2, 30]
    assert len(plt.columns(sources[:1], limit=2).table()) == 2


def test_a_trace_is_read_from_where_it_stands(pcap: Callable[..., Path]) -> None:
    trace = plt.trace(pcap(numbered(10)))
    trace.start()
    assert [next(trace).udp.src_port for _ in range(2)] == [0, 1]
    assert ports(plt.columns(trace, ("src_port",), limit=3)) == [2, 3, 4]
    assert next(trace).udp.src_port == 5
    assert trace.pkt_accepts() == 6
    columns = plt.columns(trace, ("src_port",), batch=2)
    assert ports(next(iter(columns))) == [6, 7]
    columns.close()
    assert ports(columns) == []
    assert [pkt.udp.src_port for pkt in trace] == [8, 9]
    assert trace.pkt_accepts() == 10
    assert len(plt.columns(trace).table()) == 0
    trace.close()


def test_a_trace_in_use(pcap: Callable[..., Path]) -> None:
    trace = plt.trace(pcap(numbered(10)))
    trace.start()
    with plt.columns(trace, ("src_port",), batch=2) as columns:
        assert ports(next(iter(columns))) == [0, 1]
        for use in (lambda: next(trace), trace.close, lambda: plt.columns(trace)):
            with pytest.raises(plt.LibtraceError, match="in use"):
                use()
    assert next(trace).udp.src_port == 2


def test_columns_that_are_dropped_give_their_trace_back(pcap: Callable[..., Path]) -> None:
    trace = plt.trace(pcap(numbered(10)))
    trace.start()
    gc.disable()  # it must not take the collector
    try:
        for batch in plt.columns(trace, ("src_port",), batch=2):
            assert ports(batch) == [0, 1]
            break
        assert next(trace).udp.src_port == 2
        del trace
    finally:
        gc.enable()


def test_a_trace_that_can_not_be_read(pcap: Callable[..., Path]) -> None:
    trace = plt.trace(pcap([TCP4]))
    with pytest.raises(plt.LibtraceError, match="Trace not started"):
        plt.columns(trace)
    trace.start()
    assert len(plt.columns(trace).table()) == 1
    trace.close()
    with pytest.raises(plt.LibtraceError, match="Trace not started"):
        plt.columns(trace)


def test_a_source_that_is_not_there(pcap: Callable[..., Path], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(plt.LibtraceError, match=r"Couldn't start trace: .*gone: No such file"):
        plt.columns(gone)
    columns = plt.columns([pcap(numbered(2)), gone, pcap(numbered(1, 5))], ("src_port",))
    with pytest.raises(plt.LibtraceError, match="gone: No such file") as caught:
        columns.table()
    assert ports(caught.value.table) == [0, 1]
    assert ports(columns) == [5]


def test_close_leaves_nothing_to_read(pcap: Callable[..., Path]) -> None:
    columns = plt.columns([pcap(numbered(4)), pcap(numbered(2, 10))], ("src_port",), batch=2)
    batches = iter(columns)
    assert ports(next(batches)) == [0, 1]
    columns.close()
    columns.close()
    assert list(batches) == []
    assert ports(columns) == []


# --- Errors half-way -----------------------------------------------------------------------------


def test_an_error_comes_behind_what_was_read(pcap: Callable[..., Path]) -> None:
    path = pcap(numbered(5))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(plt.LibtraceError, match=r"trace1: packet 5: .*cut") as caught:
        plt.columns(path, ("src_port",)).table()
    assert ports(caught.value.table) == [0, 1, 2, 3]
    for size, expected in ((2, [[0, 1], [2, 3]]), (3, [[0, 1, 2], [3]]), (9, [[0, 1, 2, 3]])):
        batches = iter(plt.columns(path, ("src_port",), batch=size))
        assert [ports(next(batches)) for _ in expected] == expected
        with pytest.raises(plt.LibtraceError, match="packet 5"):
            next(batches)
        assert list(batches) == []


def test_an_error_before_the_first_packet(pcap: Callable[..., Path]) -> None:
    path = pcap(numbered(1))
    path.write_bytes(path.read_bytes()[:30])
    columns = plt.columns(path, ("src_port",))
    with pytest.raises(plt.LibtraceError, match="packet 1") as caught:
        columns.table()
    assert ports(caught.value.table) == []
    assert list(columns) == []


def test_an_error_that_iterating_left(pcap: Callable[..., Path]) -> None:
    path = pcap(numbered(3))
    path.write_bytes(path.read_bytes()[:-1])
    columns = plt.columns(path, ("src_port",))
    assert ports(next(iter(columns))) == [0, 1]
    with pytest.raises(plt.LibtraceError, match="packet 3") as caught:
        columns.table()
    assert len(caught.value.table) == 0
    columns = plt.columns(path, ("src_port",))
    assert ports(next(iter(columns))) == [0, 1]
    columns.close()
    assert len(columns.table()) == 0


def test_behind_an_error_comes_the_next_source(pcap: Callable[..., Path]) -> None:
    path = pcap(numbered(3))
    path.write_bytes(path.read_bytes()[:-1])
    columns = plt.columns([path, pcap(numbered(2, 10))], ("src_port",))
    with pytest.raises(plt.LibtraceError, match="packet 3") as caught:
        columns.table()
    assert ports(caught.value.table) == [0, 1]
    assert ports(columns) == [10, 11]


# --- Memory --------------------------------------------------------------------------------------


def test_arrays_are_read_only(pcap: Callable[..., Path]) -> None:
    path = pcap(MIXED)
    one = plt.columns(path, ALL).table()
    joined = plt.columns([path, path], ALL).table()
    assert len(joined) == 12
    for table in (one, joined):
        for name in table:
            for array in (table[name], table.mask(name)):
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = array[1]
    with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
        one["proto"].flags.writeable = True
    with pytest.raises(TypeError, match="not writable"):
        ctypes.c_char.from_buffer(one._batches[0].values(0))


def test_rows_of_texts_of_which_there_are_none(pcap: Callable[..., Path]) -> None:
    """A column that never had a byte of text has no memory for it."""
    table = plt.columns(pcap(MIXED), ["tunnel.kind", "proto"]).table()
    for rows in (table, table[::-1], table[1:3], table[:0]):
        assert rows["tunnel.kind"].tolist() == [None] * len(rows)
        assert rows.mask("tunnel.kind").all()
    assert table[::-1]["proto"].tolist() == table["proto"].tolist()[::-1]


def test_no_one_writes_to_a_column(pcap: Callable[..., Path]) -> None:
    """By the buffer protocol neither, as files and sockets read into what they are given."""
    table = plt.columns(pcap([TCP4] * 3), ["src_port"]).table()
    column = table._batches[0].values(0)
    assert len(column) == 3
    for write in (io.BytesIO(b"changed").readinto, lambda to: struct.pack_into("<H", to, 0, 9)):
        with pytest.raises(TypeError, match="read-write bytes-like object"):
            write(column)
    assert memoryview(column).tolist() == [49152] * 3


def test_columns_by_any_request_of_the_buffer_protocol(pcap: Callable[..., Path]) -> None:
    """Without format, shape or strides too: the bytes alone (PyBUF_SIMPLE), as hashes ask for."""
    batch = plt.columns(pcap([TCP4] * 3), ["src_port", "src"]).table()._batches[0]
    address = ip_address(pk.V4[0]).packed.ljust(16, b"\0")
    for column, content in ((0, struct.pack("=3H", *[49152] * 3)), (1, address * 3)):
        values = batch.values(column)
        assert hashlib.sha256(values).digest() == hashlib.sha256(content).digest()
        assert b"".join([values]) == bytes(values) == content


def test_arrays_share_the_memory_of_the_batch(pcap: Callable[..., Path]) -> None:
    batch = next(iter(plt.columns(pcap(MIXED), ALL)))
    for n, name in enumerate(ALL):
        if batch[name].dtype == object:  # a str each, made of the batch's text
            continue
        assert np.shares_memory(batch[name], np.asarray(memoryview(batch._batches[0].values(n))))


def test_arrays_outlive_all_else(pcap: Callable[..., Path]) -> None:
    trace = plt.trace(pcap(numbered(1000)))
    trace.start()
    columns = plt.columns(trace, ("src_port", "time"))
    batch = next(iter(columns))
    port, time, mask = batch["src_port"][10:20], batch["time"], batch.mask("src_port")
    view = memoryview(batch._batches[0].values(0))[990:]
    columns.close()
    trace.close()
    del trace, columns, batch
    gc.collect()
    others = [plt.columns(pcap(numbered(1000, 5000)), ("src_port",)).table() for _ in range(3)]
    assert port.tolist() == list(range(10, 20))
    assert time[999] - time[0] == np.timedelta64(999, "s")
    assert view.tolist() == list(range(990, 1000))
    assert not mask.any()
    assert len(others) == 3


def test_one_iterator_for_several_threads(pcap: Callable[..., Path]) -> None:
    """Each row is given once, whoever asks."""
    columns = plt.columns(
        [pcap(numbered(2000, n * 2000)) for n in range(4)], ("src_port",), batch=7
    )
    found: list[list[int]] = []

    def take() -> None:
        found.append([port for batch in columns for port in ports(batch)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(port for part in found for port in part) == list(range(8000))


def test_a_source_that_holds_its_reader_is_collected() -> None:
    data = io.BytesIO(pk.pcap([pk.ethernet()]))
    source = pk.Holder((data, {}))
    kind = plt._plt._KIND_ADDRESS
    source[1]["reader"] = plt._plt._ColumnReader(source, ("time",), None, -1, 1, kind, False, 0)
    gone = weakref.ref(data)
    del source, data
    gc.collect()
    assert gone() is None
