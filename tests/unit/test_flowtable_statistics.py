"""natkit.FlowTable(first=20, statistics=True): sizes, gaps and TCP flags of packets."""

import copy
import csv
import itertools
import math
import pickle
import random
import statistics
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest
from flow_traces import ACK, FIN, HERE, PSH, SECOND, SYN, THERE, back, fragments, only, there, trace
from packets import EPOCH, RAW, enhanced, icmp, interface, ipv4, ipv6, option, section, tcp, udp

import natkit
import plt
from natkit import Flow, FlowTable, IPflow

TRACES = Path(__file__).parents[2] / "tutorial/traces"
FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")  # RFC 9293, RFC 3168
WAYS = ("", "fwd_", "rev_")
MILLISECOND = 10**6


def table_of(*paths: Path, **settings) -> FlowTable:
    table = FlowTable(**({"first": 20, "statistics": True} | settings))
    for path in paths:
        table.add_trace(path)
    return table


# --- What a flow should have, by the formulas of the documentation -------------------------------


@dataclass
class Packet:
    time: int | None
    way: int  # 1 forward, -1 back
    size: int
    flags: int | None = None


@dataclass
class Expected:
    packets: list[Packet] = field(default_factory=list)

    def some(self, way: str) -> list[Packet]:
        wanted = {"": (1, -1), "fwd_": (1,), "rev_": (-1,)}[way]
        return [packet for packet in self.packets if packet.way in wanted]

    def check(self, flow: Flow, most: int = 20) -> None:
        first = self.packets[:most]
        assert flow.first_ways == tuple(packet.way for packet in first)
        assert flow.first_sizes == tuple(packet.size for packet in first)
        assert flow.first_gaps_ns == tuple(gaps_before([packet.time for packet in first]))
        for way in WAYS:
            some = self.some(way)
            check_sizes(flow, way, [packet.size for packet in some])
            times = [packet.time for packet in some if packet.time is not None]
            check_gaps(flow, way, [later - time for time, later in itertools.pairwise(times)])
            for bit, name in enumerate(FLAGS):
                count = sum(packet.flags >> bit & 1 for packet in some if packet.flags is not None)
                expected = count if flow.proto == 6 else None
                assert getattr(flow, f"{way}{name}_packets") == expected


def gaps_before(times: list[int | None]) -> list[int | None]:
    gaps, last = [], None
    for time in times:
        gaps.append(None if time is None else 0 if last is None else time - last)
        last = last if time is None else time
    return gaps


def check_sizes(flow: Flow, way: str, sizes: list[int]) -> None:
    assert getattr(flow, f"{way}size_min") == min(sizes, default=None)
    assert getattr(flow, f"{way}size_max") == max(sizes, default=None)
    mean, std = getattr(flow, f"{way}size_mean"), getattr(flow, f"{way}size_std")
    assert mean == (float(Fraction(sum(sizes), len(sizes))) if sizes else None)
    assert std == (pytest.approx(statistics.stdev(sizes), rel=1e-12) if sizes[1:] else None)


def check_gaps(flow: Flow, way: str, gaps: list[int]) -> None:
    assert getattr(flow, f"{way}gap_min_ns") == min(gaps, default=None)
    assert getattr(flow, f"{way}gap_max_ns") == max(gaps, default=None)
    mean, std = getattr(flow, f"{way}gap_mean_ns"), getattr(flow, f"{way}gap_std_ns")
    assert mean == (int(Fraction(sum(gaps), len(gaps))) if gaps else None)
    if len(gaps) < 2:
        assert std is None
        return
    n = len(gaps)  # exactly, below 2**53 nanoseconds
    numerator = n * sum(gap * gap for gap in gaps) - sum(gaps) ** 2
    assert std == pytest.approx(math.isqrt(numerator // (n * (n - 1))), abs=1, rel=1e-15)


# --- By hand -------------------------------------------------------------------------------------


def test_a_connection_by_hand(tmp_path):
    # IP packets of 40 bytes and their payload, 1 to 4 milliseconds apart
    sent = [
        (0.000, there(flags=SYN)),
        (0.001, back(flags=SYN | ACK)),
        (0.003, there()),
        (0.006, there(b"x" * 60, flags=PSH | ACK, seq=2)),
        (0.010, back(flags=ACK | FIN)),
    ]
    flow = only(table_of(trace(tmp_path / "x.pcap", sent), first=4))
    assert flow.first_ways == (1, -1, 1, 1)
    assert flow.first_sizes == (40, 40, 40, 100)
    assert flow.first_gaps_ns == (0, MILLISECOND, 2 * MILLISECOND, 3 * MILLISECOND)
    assert (flow.size_min, flow.size_mean, flow.size_max) == (40, 52.0, 100)
    assert flow.size_std == pytest.approx(math.sqrt((4 * 12**2 + 48**2) / 4))
    assert (flow.fwd_size_mean, flow.rev_size_mean, flow.rev_size_std) == (60.0, 40.0, 0.0)
    assert (flow.gap_min_ns, flow.gap_max_ns) == (MILLISECOND, 4 * MILLISECOND)
    assert flow.gap_mean_ns == 2_500_000
    assert flow.gap_std_ns == 1_290_994  # sqrt((1.5**2 + 0.5**2 + 0.5**2 + 1.5**2) / 3) ms
    assert (flow.fwd_gap_mean_ns, flow.fwd_gap_std_ns) == (3 * MILLISECOND, 0)
    assert (flow.rev_gap_min_ns, flow.rev_gap_mean_ns) == (9 * MILLISECOND, 9 * MILLISECOND)
    assert flow.rev_gap_std_ns is None
    assert (flow.syn_packets, flow.fwd_syn_packets, flow.rev_syn_packets) == (2, 1, 1)
    assert (flow.ack_packets, flow.fwd_ack_packets, flow.rev_ack_packets) == (4, 2, 2)
    assert (flow.psh_packets, flow.fin_packets, flow.rev_fin_packets) == (1, 1, 1)
    assert (flow.rst_packets, flow.urg_packets, flow.ece_packets, flow.cwr_packets) == (0, 0, 0, 0)


def test_first_packets_alone(tmp_path):
    """Without statistics, over two traces of one flow."""
    paths = [
        trace(tmp_path / f"{n}.pcap", [(2 * n, there(b"x" * n)), (2 * n + 1, back(b"y" * n))])
        for n in (1, 2)
    ]
    flow = only(table_of(*paths, first=3, statistics=False))
    assert (flow.first_ways, flow.first_sizes) == ((1, -1, 1), (41, 41, 42))
    assert flow.first_gaps_ns == (0, SECOND, SECOND)
    assert flow.size_min is flow.gap_max_ns is flow.ack_packets is None


def test_forward_is_that_of_the_home(tmp_path):
    home = natkit.FlowHome(f"{HERE}/32")
    path = trace(tmp_path / "x.pcap", [(0, there(b"abc")), (1, back())])
    flow = only(table_of(path, home=home))
    assert (flow.first_ways, flow.first_sizes) == ((-1, 1), (43, 40))
    assert (flow.fwd_size_max, flow.rev_size_max) == (40, 43)


# --- Against a loop over packets -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["dns-1k", "edge-10k", "links-3k"])
def test_flows_of_the_tutorial(name):
    path = TRACES / f"{name}.pcap.gz"
    whole = "(ip and ip[6:2] & 0x3fff = 0) or (ip6 and ip6[6] != 44)"  # no fragments
    table = FlowTable(first=20, statistics=True)
    table.add_trace(path, filter=whole)
    flows: defaultdict[bytes, Expected] = defaultdict(Expected)
    reader = plt.trace(str(path))
    reader.conf_filter(plt.filter(whole))
    reader.start()
    for packet in reader:
        key = IPflow(packet)
        if not key:
            continue
        known = key.rev_key in flows
        header = bytes((packet.ip or packet.ip6).data)
        size = int.from_bytes(header[2:4] if packet.ip else header[4:6]) + 40 * (not packet.ip)
        segment = packet.tcp
        flags = segment and bytes(segment.data)[13]
        of = flows[key.rev_key if known else key.fwd_key]
        of.packets.append(Packet(packet.time_ns, -1 if known else 1, size, flags))
    assert len(flows) == len(table) > 50
    reused = {key for flow in table.expired() for key in (flow.fwd_key, flow.rev_key)}
    assert len(reused) < 20  # ports that another connection had before
    for key, expected in flows.items():
        if key not in reused:
            expected.check(table[key])


def random_packets(rand: random.Random, count: int) -> list[tuple[int, bytes, int, Packet]]:
    """Nanoseconds after EPOCH, a packet, its flow, and what should be counted of it."""
    made, clock = [], 0
    for _ in range(count):
        # now and then time goes back, or stands still
        clock = max(0, clock + rand.choice([0, 1, 999, 10**6, 10**9, -5, -(10**8), 40 * 10**9]))
        n, way = rand.randrange(6), rand.choice([1, -1])
        payload = bytes(rand.choice([0, 0, 1, 7, 500, 1400]))
        flags = rand.choice([ACK, ACK | PSH, 0xD0, 0x38]) if n < 3 else None
        ports = (1000 + n, 80)[::way]
        ends = dict(zip(("src", "dst"), (HERE, THERE)[::way], strict=True))
        if flags is not None:
            packet = ipv4(tcp(payload, ports=ports, flags=flags), 6, **ends)
        elif n < 5:
            packet = ipv4(udp(payload, ports=ports), 17, **ends)
        else:
            v6 = dict(zip(("src", "dst"), ("2001:db8::1", "2001:db8::2")[::way], strict=True))
            packet = ipv6(udp(payload, ports=ports), 17, **v6)
        time = EPOCH * SECOND + clock
        made.append((clock, packet, n, Packet(time, way, len(packet), flags)))
    return made


def write_packets(path: Path, made) -> Path:
    return trace(path, [(clock / SECOND, packet) for clock, packet, *_ in made])


def expected_flows(made) -> list[Expected]:
    """Of random packets, in the order of their first ones."""
    flows: dict[int, Expected] = {}
    for *_, n, packet in made:
        flows.setdefault(n, Expected()).packets.append(packet)
    for flow in flows.values():
        forward = flow.packets[0].way
        flow.packets = [
            Packet(packet.time, packet.way * forward, packet.size, packet.flags)
            for packet in flow.packets
        ]
    return list(flows.values())


@pytest.mark.parametrize("seed", range(8))
def test_random_packets_in_any_parts(tmp_path, seed):
    rand = random.Random(seed)
    made = random_packets(rand, rand.choice([2, 30, 400]))
    whole = table_of(write_packets(tmp_path / "whole.pcap", made), first=7)
    expected = expected_flows(made)
    assert len(whole) == len(expected)
    for flow, of in zip(whole, expected, strict=True):
        of.check(flow, 7)
    cuts = sorted(rand.choices(range(len(made) + 1), k=rand.randrange(1, 6)))
    bounds = list(itertools.pairwise([0, *cuts, len(made)]))
    paths = [
        write_packets(tmp_path / f"{n}.pcap", made[begin:end])
        for n, (begin, end) in enumerate(bounds)
    ]
    joined = natkit.flows(paths, first=7, statistics=True, workers=2)
    assert list(joined) == list(whole)
    # and without reading again: two by two, as a tree
    tables = [table_of(path, first=7) for path in paths]
    while len(tables) > 1:
        for one, later in zip(tables[::2], tables[1::2], strict=False):
            one.merge(later)
        tables = tables[::2]
    for flow, of in zip(tables[0], expected, strict=True):
        of.check(flow, 7)


def test_parts_of_a_flow_that_ended(tmp_path):
    made = [
        (0, ipv4(udp(b"a"))),
        (1, ipv4(udp(b"bb"))),
        (50, ipv4(udp(b"ccc"))),
        (51, ipv4(udp(b"dddd"))),
    ]
    whole = table_of(trace(tmp_path / "x.pcap", made), idle_timeout=10)
    for cut in range(1, len(made)):
        one = table_of(trace(tmp_path / "1.pcap", made[:cut]), idle_timeout=10)
        later = table_of(trace(tmp_path / "2.pcap", made[cut:]), idle_timeout=10)
        assert one.merge(later, exact=True)
        flows = [*pickle.loads(pickle.dumps(one)).expired(), *one]
        assert [flow.first_sizes for flow in flows] == [(29, 30), (31, 32)]
        assert [flow.first_gaps_ns for flow in flows] == [(0, SECOND)] * 2
        assert [flow.gap_mean_ns for flow in flows] == [SECOND] * 2
    assert [flow.size_mean for flow in whole.expired()] == [29.5]
    assert [(flow.size_mean, flow.gap_max_ns) for flow in whole] == [(31.5, SECOND)]


def test_fragments_that_wait_count_when_their_first_one_has_come(tmp_path):
    first, second, third = fragments(1)
    sent = [(0, second), (1, first), (3, third)]
    whole = table_of(trace(tmp_path / "x.pcap", sent))
    flow = only(whole)
    assert flow.first_sizes == (44, 36, 28)
    assert flow.first_gaps_ns == (0, -SECOND, 3 * SECOND)
    assert (flow.gap_min_ns, flow.gap_max_ns, flow.gap_mean_ns) == (-SECOND, 3 * SECOND, SECOND)
    paths = [
        trace(tmp_path / "1.pcap", sent[:1]),
        trace(tmp_path / "2.pcap", [(1, icmp_packet()), (2, icmp_packet())]),
    ]
    for settings, exact in (
        ({}, False),
        ({"first": 0}, False),
        ({"statistics": False}, False),
        ({"first": 0, "statistics": False}, True),
    ):
        waits, later = (table_of(path, **settings) for path in paths)
        assert waits.merge(later, exact=True) is exact


def icmp_packet() -> bytes:
    return ipv4(icmp(8), 1)


# --- Bad input -----------------------------------------------------------------------------------


def test_time_that_goes_back(tmp_path):
    sent = [(5, ipv4(udp())), (3, ipv4(udp())), (4, ipv4(udp()))]
    flow = only(table_of(trace(tmp_path / "x.pcap", sent)))
    assert flow.first_gaps_ns == (0, -2 * SECOND, SECOND)
    assert (flow.gap_min_ns, flow.gap_max_ns) == (-2 * SECOND, SECOND)
    assert flow.gap_mean_ns == -SECOND // 2
    assert flow.gap_std_ns == math.isqrt(9 * SECOND**2 // 2)  # (-1.5, 1.5) seconds from the mean
    assert flow.duration_ns == 2 * SECOND


def nanoseconds(path: Path, ticks: list[int]) -> Path:
    """A trace of one flow's packets at those 64 bits of nanoseconds."""
    head = section() + interface(RAW, options=option(9, b"\x09") + option(0, b""))
    path.write_bytes(head + b"".join(enhanced(ipv4(udp()), tick) for tick in ticks))
    return path


def test_times_that_are_not_known(tmp_path):
    unknown = 2**63  # more than signed 64 bits hold
    path = nanoseconds(tmp_path / "x.pcapng", [unknown, 1000, unknown, 1007, 1010])
    flow = only(table_of(path))
    assert flow.first_gaps_ns == (None, 0, None, 7, 3)
    assert (flow.gap_min_ns, flow.gap_mean_ns, flow.gap_max_ns) == (3, 5, 7)
    assert flow.gap_std_ns == 2  # sqrt(8)
    gaps = table_of(path).columns()["first_gaps"][0]
    assert [str(gap) for gap in gaps[:2]] == ["NaT", "0 nanoseconds"]
    pyarrow = pytest.importorskip("pyarrow")
    column = pyarrow.table(table_of(path))["first_gaps"]
    assert column.type == pyarrow.list_(pyarrow.duration("ns"))
    found = column.combine_chunks().flatten().cast(pyarrow.int64())
    assert found.to_pylist() == [None, 0, None, 7, 3]
    none = only(table_of(nanoseconds(tmp_path / "y.pcapng", [unknown] * 3)))
    assert none.first_gaps_ns == (None, None, None)
    assert none.gap_min_ns is none.gap_mean_ns is none.gap_std_ns is none.fwd_gap_max_ns is None
    assert (none.size_min, none.size_std) == (28, 0.0)


def test_squares_that_128_bits_do_not_hold(tmp_path):
    far = (2**63 // SECOND - 1) * SECOND + SECOND - 1  # the last whole second of 64 bits
    paths = [nanoseconds(tmp_path / f"{n}.pcapng", [0, far] * n) for n in (1, 2, 3)]
    few, some, many = (only(table_of(path)) for path in paths)
    assert (few.gap_min_ns, few.gap_max_ns, few.gap_mean_ns) == (far, far, far)
    assert few.gap_std_ns is None
    assert (some.gap_min_ns, some.gap_max_ns, some.gap_mean_ns) == (-far, far, far // 3)
    assert some.gap_std_ns is None  # of far, -far and far it is 2 / sqrt(3) * far: 64 bits and more
    assert (many.gap_min_ns, many.gap_max_ns, many.gap_mean_ns) == (-far, far, far // 5)
    assert many.gap_std_ns is None  # five squares of 2**126
    joined = natkit.flows([paths[1], paths[1]], first=20, statistics=True)
    assert only(joined).gap_std_ns is None
    half = only(table_of(nanoseconds(tmp_path / "half.pcapng", [0, far // 2] * 2)))
    assert half.gap_std_ns == pytest.approx(far / math.sqrt(3))


def at_times(times: list[int]) -> Flow:
    """The flow of packets that come at those nanoseconds."""
    table = table_of()
    for time in times:
        table.add(plt.packet.from_bytes(ipv4(udp()), plt.TRACE_TYPE_NONE, time))
    return only(table)


FAR = 9_000_000_000 * SECOND  # 285 years from 1970, each way


def test_gaps_that_64_bits_do_not_hold():
    """The nearest number is told, but for -2**63, which stands for unknown; or none at all."""
    back = at_times([FAR, -FAR])
    assert back.first_gaps_ns == (0, 1 - 2**63)
    assert (back.gap_min_ns, back.gap_max_ns) == (1 - 2**63, 1 - 2**63)
    assert back.gap_mean_ns is back.gap_std_ns is back.duration_ns is None
    still = at_times([-FAR, FAR, FAR])
    assert still.first_gaps_ns == (0, 2**63 - 1, 0)
    assert (still.gap_min_ns, still.gap_max_ns, still.gap_mean_ns) == (0, 2**63 - 1, FAR)
    assert still.gap_std_ns is None  # sqrt(2) * FAR: 64 bits and more
    # nine gaps of which one is 2 * FAR: sqrt((4 - 4 / 9) / 8) * FAR
    assert at_times([-FAR, *[FAR] * 9]).gap_std_ns == pytest.approx(FAR * 2 / 3, rel=1e-14)


def test_squares_of_128_bits_and_of_one_more():
    """The sum of two gaps' squares is one that they hold; then, by a carry, one too large."""
    one = 17 * 10**18 + 3
    other = math.isqrt(2**128 - one**2)
    stays = [-FAR + one - other] * 10
    gaps = [one, -other, *[0] * 9]
    most = at_times([-FAR, -FAR + one, *stays])
    variance = Fraction(sum(gap**2 for gap in gaps) - Fraction(sum(gaps) ** 2, 11), 10)
    assert most.gap_std_ns == pytest.approx(math.sqrt(variance), rel=1e-14)
    assert (one**2 % 2**64) + ((other + 1) ** 2 % 2**64) >= 2**64
    assert one**2 + (other + 1) ** 2 - 2**128 < 2**64
    assert at_times([-FAR, -FAR + one, *[time - 1 for time in stays]]).gap_std_ns is None


def doubled(table: FlowTable, times: int) -> Flow:
    """The flow of a table that is merged with its copy again and again."""
    for _ in range(times):
        table.merge(copy.copy(table))
    return only(table)


def test_squares_of_sizes_that_96_bits_do_not_hold():
    """Packets of 2**31 - 1 bytes (RFC 2675): 2**33 of them, and 2**35."""
    size = 2**31 - 1
    jumbo = bytes([17, 0, 0xC2, 4]) + (size - 40).to_bytes(4, "big")
    packet = ipv6(jumbo + udp(), 0, length=0)
    table = table_of()
    table.add(plt.packet.from_bytes(packet, plt.TRACE_TYPE_NONE, 0, size))
    flow = doubled(table, 33)
    assert (flow.packets, flow.size_min, flow.size_mean, flow.size_std) == (2**33, size, size, 0.0)
    flow = doubled(table, 2)
    assert (flow.packets, flow.size_max) == (2**35, size)
    assert flow.size_std is flow.fwd_size_std is None


def test_more_packets_without_a_time_than_are_counted(tmp_path):
    """Of 2**31 the gaps' number is known: the mean of 7 ns in all is below one.  Of 2**32 not."""
    table = table_of(nanoseconds(tmp_path / "x.pcapng", [2**63, 1000, 1007]))
    flow = doubled(table, 31)
    assert (flow.packets, flow.gap_mean_ns, flow.gap_max_ns) == (3 * 2**31, 0, 7)
    flow = doubled(table, 1)
    assert (flow.packets, flow.gap_max_ns) == (3 * 2**32, 7)
    assert flow.gap_mean_ns is flow.gap_std_ns is flow.fwd_gap_mean_ns is None


def test_one_packet_of_two_has_a_time(tmp_path):
    flow = only(table_of(nanoseconds(tmp_path / "x.pcapng", [2**63, 1000])))
    assert flow.first_gaps_ns == (None, 0)
    assert flow.gap_min_ns is flow.gap_mean_ns is flow.gap_std_ns is None


def test_lengths_that_are_forged(tmp_path):
    packet = ipv4(udp())
    empty = packet[:2] + struct.pack(">H", 0) + packet[4:]
    huge = packet[:2] + struct.pack(">H", 65535) + packet[4:]
    sent = [(n, data) for n, data in enumerate([empty, huge, empty, huge, packet])]
    path = trace(tmp_path / "x.pcap", sent)
    for flow in table_of(path):
        sizes = list(flow.first_sizes)
        assert sum(sizes) == flow.ip_bytes
        check_sizes(flow, "", sizes)
    assert sum(flow.packets for flow in table_of(path)) == 5


def test_headers_of_tcp_that_were_cut(tmp_path):
    segment = there(flags=SYN)
    flow = only(table_of(trace(tmp_path / "x.pcap", [(0, segment[:24]), (1, segment)])))
    assert (flow.packets, flow.syn_packets) == (2, 1)


# --- Opt-in, arguments, pickles ------------------------------------------------------------------


def test_only_where_it_is_asked_for(tmp_path):
    path = trace(tmp_path / "x.pcap", [(0, ipv4(udp()))])
    plain = FlowTable()
    plain.add_trace(path)
    first = table_of(path, statistics=False)
    counted = table_of(path, first=0)
    assert [(t.first, t.statistics) for t in (plain, first, counted)] == [
        (0, False),
        (20, False),
        (0, True),
    ]
    names = list(plain.columns())
    assert list(first.columns()) == [*names, "first_ways", "first_sizes", "first_gaps"]
    assert len(list(counted.columns())) == len(names) + 3 * (4 + 4 + 8)
    flow = only(plain)
    assert flow.first_ways is flow.first_sizes is flow.first_gaps_ns is flow.size_min is None
    with pytest.raises(ValueError, match=r"'fwd_gap_std' is counted by FlowTable\(statistics=True"):
        first.columns(["fwd_gap_std"])
    with pytest.raises(ValueError, match=r"'first_gaps_ns' is counted by FlowTable\(first=20\)"):
        counted.columns(["first_gaps_ns"])
    with pytest.raises(ValueError, match="first_sizes is no number to order flows by"):
        first.top(1, by="first_sizes")
    assert counted.top(1, by="size_std")[0].size_std is None
    for one, other in itertools.permutations([plain, first, counted], 2):
        with pytest.raises(ValueError, match="statistics, another first"):
            one.merge(other)


@pytest.mark.parametrize("first", [-1, 1025, 2**70])
def test_numbers_of_first_packets_that_are_refused(first):
    with pytest.raises(ValueError, match=f"first must be from 0 to 1024 packets, not {first}"):
        FlowTable(first=first)


def test_types_of_first():
    assert FlowTable(first=1024).first == 1024
    with pytest.raises(TypeError, match="first must be a number of packets, not str"):
        FlowTable(first="20")
    with pytest.raises(TypeError, match="first must be a number of packets, not NoneType"):
        FlowTable(first=None)


@pytest.fixture
def table(tmp_path):
    rand = random.Random(1)
    return table_of(write_packets(tmp_path / "x.pcap", random_packets(rand, 60)), first=5)


def test_pickles(table):
    again = pickle.loads(pickle.dumps(table))
    assert (again.first, again.statistics) == (5, True)
    assert list(again) == list(table)
    for flow in table:
        assert pickle.loads(pickle.dumps(flow)) == flow
    table.flush()
    flows = table.expired()
    assert list(pickle.loads(pickle.dumps(flows))) == list(flows)
    assert pickle.loads(pickle.dumps(flows)).columns().schema == flows.columns().schema
    assert list(flows[1:3]) == list(flows)[1:3]


def test_pickles_that_were_changed(table):
    _, (state, _) = table.__reduce__()
    flow = next(iter(table))
    _, (of_flow,) = flow.__reduce__()
    rand = random.Random(2)
    for _ in range(400):
        for good, read in ((state, FlowTable._from_bytes), (of_flow, Flow._from_bytes)):
            changed = bytearray(good)
            for _ in range(rand.choice([1, 3])):
                changed[rand.randrange(len(changed))] = rand.randrange(256)
            del changed[rand.choice([len(changed), rand.randrange(len(changed))]) :]
            try:
                found = read(bytes(changed))
            except ValueError:
                continue
            for one in found if isinstance(found, FlowTable) else [found]:
                assert len(one.first_sizes) == min(one.packets, table.first)
                _ = one.gap_std_ns, one.size_std, one.rev_gap_mean_ns


def test_a_flow_is_another_with_another_packet(tmp_path):
    paths = [
        trace(tmp_path / f"{n}.pcap", [(0, ipv4(udp())), (0.5 + n, ipv4(udp())), (2, ipv4(udp()))])
        for n in (0, 1)
    ]
    assert only(table_of(*paths[:1])) == only(table_of(*paths[:1]))
    assert only(table_of(*paths[:1])) != only(table_of(*paths[1:]))
    plain = [only(table_of(path, first=0, statistics=False)) for path in paths]
    assert plain[0] == plain[1]


# --- Columns -------------------------------------------------------------------------------------


def test_numpy(table):
    pytest.importorskip("numpy")
    columns = table.columns()
    flows = list(table)
    assert columns.schema["first_ways"] == "list[int8]"
    for name, attribute, kind in (
        ("first_ways", "first_ways", "int8"),
        ("first_sizes", "first_sizes", "uint32"),
        ("first_gaps", "first_gaps_ns", "timedelta64[ns]"),
    ):
        lists = columns[name]
        assert [array.dtype == kind for array in lists] == [True] * len(flows)
        assert [tuple(array.astype("int64")) for array in lists] == [
            getattr(f, attribute) for f in flows
        ]
        assert not lists[0].flags.writeable
        backwards = columns[::-2][name]
        assert [list(array) for array in backwards] == [list(array) for array in lists[::-2]]
        again = pickle.loads(pickle.dumps(columns))[name]
        assert [list(array) for array in again] == [list(array) for array in lists]
    with pytest.raises(TypeError, match="column first_ways is none of texts"):
        columns.text("first_ways")
    assert columns["size_mean"].tolist() == [flow.size_mean for flow in flows]
    described = columns[["first_ways", "size_std"]].describe()
    assert list(described.text("type")) == ["list[int8]", "float64"]


def test_pickled_lists_that_were_changed(table):
    state = table.columns(["first_gaps"])._batches[0].__reduce_ex__(2)[1][0]
    batch = type(table.columns()._batches[0])
    version, order, rows, ((name, kind, offsets, mask, items),) = state
    assert len(batch._from_state(state)) == rows
    ends = struct.unpack(f"{rows + 1}i", offsets)
    for wrong, text in (
        ((*ends[:-1], ends[-1] + 1), "an offset is not within"),
        ((*ends[:-1], ends[-2]), "the last offset is not the end"),
        ((1, *ends[1:]), "an offset is not within"),
        ((0, ends[2], *ends[1:-1]), "an offset is not within the text, or before the last one"),
    ):
        changed = (name, kind, struct.pack(f"{rows + 1}i", *wrong), mask, items)
        with pytest.raises(ValueError, match=text):
            batch._from_state((version, order, rows, (changed,)))
    with pytest.raises(ValueError, match="its last item is cut"):
        batch._from_state((version, order, rows, ((name, kind, offsets, mask, items[:-1]),)))
    with pytest.raises(ValueError, match="text goes with texts"):
        batch._from_state((version, order, rows, ((name, kind, offsets, mask, None),)))


def lists_of(table: FlowTable) -> list[tuple[list[int], list[int], list[int]]]:
    return [
        (list(flow.first_ways), list(flow.first_sizes), list(flow.first_gaps_ns)) for flow in table
    ]


def test_arrow_pandas_polars_and_parquet(table, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    polars = pytest.importorskip("polars")
    pytest.importorskip("pandas")
    columns = table.columns()
    arrow = pyarrow.table(columns)
    arrow.validate(full=True)
    assert arrow.schema == pyarrow.schema(table)
    assert arrow.schema.field("first_sizes").type == pyarrow.list_(
        pyarrow.field("item", pyarrow.uint32(), nullable=False)
    )
    gaps = arrow["first_gaps"].cast(pyarrow.list_(pyarrow.int64()))
    ways, sizes = arrow["first_ways"].to_pylist(), arrow["first_sizes"].to_pylist()
    expected = lists_of(table)
    assert list(zip(ways, sizes, gaps.to_pylist(), strict=True)) == expected
    columns.write_parquet(tmp_path / "x.parquet")
    read = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    assert read["first_ways"].to_pylist() == ways
    frame = polars.DataFrame(columns)
    assert frame["first_sizes"].to_list() == sizes
    assert frame.schema["first_gaps"] == polars.List(polars.Duration("ns"))
    pandas = columns.to_pandas()
    assert [list(one) for one in pandas["first_sizes"]] == sizes
    assert [one.first_sizes.tolist() for one in columns.__array__()] == sizes


def test_csv_and_text(tmp_path):
    made = [(0, there(flags=SYN)), (0.25, back(flags=SYN | ACK))]
    table = table_of(trace(tmp_path / "x.pcap", made))
    table.columns().write_csv(tmp_path / "x.csv")
    (row,) = csv.DictReader((tmp_path / "x.csv").read_text().splitlines())
    assert (row["first_ways"], row["first_sizes"]) == ("1 -1", "40 40")
    assert row["first_gaps"] == "0.000000000 0.250000000"
    assert (row["size_mean"], row["size_std"], row["fwd_size_std"]) == ("40.0", "0.0", "")
    assert (row["gap_mean"], row["syn_packets"]) == ("0.250000000", "2")
    assert "1 -1" in repr(table.columns(["first_ways"]))
    assert "1 -1" in table.columns(["first_ways"])._repr_html_()
    assert "0.000000000 0.250000000" in only(table)._repr_html_()
