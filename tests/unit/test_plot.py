"""natkit.plot: what is drawn is read back from the Axes, and compared with tshark or by hand."""

import io
import re
import subprocess
import sys
import time as clock
import weakref
from collections import Counter
from datetime import timedelta, timezone
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from flow_traces import ACK, FIN, RST, SECOND, SYN, back, there, trace
from packets import (
    EPOCH,
    RAW,
    Record,
    child,
    enhanced,
    interface,
    ipv4,
    option,
    pcap,
    section,
    tcp,
    udp,
    write,
)

import ipp
import natkit
import pldns
import plt
from ipp import from_s
from natkit import FlowHome, FlowTable, plot

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
np = pytest.importorskip("numpy")

from matplotlib import pyplot  # noqa: E402  where it is missing, the tests are skipped

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "tutorial" / "traces"
EDGE, DNS = TRACES / "edge-10k.pcap.gz", TRACES / "dns-1k.pcap.gz"
FCS = 4  # tshark's frame.len is without it, plt's wire_len with it
HOME = ("192.0.2.0/24", "2001:db8:1::/64")
SHAPER = "192.0.2.13", 51712, "203.0.113.194", 80  # a flow of EDGE that lost segments

pytestmark = pytest.mark.skipif(not EDGE.is_file(), reason="the tutorial's traces are not here")


@pytest.fixture(autouse=True)
def no_figure_is_left():
    pyplot.close("all")
    yield
    pyplot.close("all")


@pytest.fixture
def fields(tshark):
    """The fields of the packets that a display filter lets through, the first of each, as text."""

    def read(path, *names, where="frame"):
        asked = [word for name in names for word in ("-e", name)]
        command = [tshark, "-n", "-r", path, "-Y", where, "-T", "fields", "-E", "occurrence=f"]
        found = subprocess.run([*command, *asked], capture_output=True, text=True, check=True)
        return [line.split("\t") for line in found.stdout.splitlines()]

    return read


@pytest.fixture
def statistics(tshark):
    """The lines of one of tshark's statistics."""

    def read(path, which):
        command = [tshark, "-n", "-q", "-r", path, "-z", which]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        return found.stdout.splitlines()

    return read


def lines(ax):
    """The lines of the Axes by the labels of the legend, without the counts there: x and y."""
    return {
        re.sub(r" \([\d,]+\)$", "", line.get_label()): (
            np.asarray(line.get_xdata(orig=True)),
            np.asarray(line.get_ydata(orig=True), dtype=float),
        )
        for line in ax.lines
    }


def bars(ax):
    """The bars: by the name of each row, the width of each part that the legend has."""
    rows = [label.get_text() for label in ax.get_yticklabels()]
    parts = {c.get_label(): [bar.get_width() for bar in c] for c in ax.containers}
    return {row: {part: w[i] for part, w in parts.items()} for i, row in enumerate(rows)}


def expanded(x, share, count):
    """All values of a distribution, from where its line rises."""
    ranks = np.rint(share * count / 100).astype(int)
    return np.repeat(x[1:], np.diff(ranks))


def nanoseconds(text):
    """A time of tshark as an integer."""
    whole, _, fraction = text.partition(".")
    return int(whole) * SECOND + int(fraction.ljust(9, "0"))


def at(*seconds, size=100):
    """A packet at each time after EPOCH."""
    return [(second, ipv4(udp(b"x" * (size - 28)))) for second in seconds]


# --- Rates ------------------------------------------------------------------------------------


def test_rates_are_those_of_io_stat(tmp_path, statistics):
    """Its intervals begin at the first packet: the trace begins at a whole second."""
    sent = [(n * n / 97, ipv4(udp(b"x" * (n * 37 % 1400)))) for n in range(60)]
    path = trace(tmp_path / "a.pcap", sent)
    row = re.compile(r"<> +[\w.]+ *\| +(\d+) \| +(\d+) \|")
    counted = [found for line in statistics(path, "io,stat,1") if (found := row.search(line))]
    frames, octets = ([int(found[n]) for found in counted] for n in (1, 2))
    assert sum(frames) == 60
    ((x, packets),) = lines(plot.rates(path, of="packets", interval=1)).values()
    ((_, bits),) = lines(plot.rates(path, interval=1)).values()
    assert packets.tolist() == frames
    assert bits.tolist() == [8 * n for n in octets]
    # each in the middle of its interval
    begins = np.datetime64("2010-01-01T00:00:00.500") + np.arange(len(frames)) * 1000
    assert (x == begins).all()


def test_rates_by_version(fields):
    expected = {"IPv4": Counter(), "IPv6": Counter(), "no version": Counter()}
    names = {"4": "IPv4", "6": "IPv6", "": "no version"}
    for time, length, version in fields(EDGE, "frame.time_epoch", "frame.len", "ip.version"):
        name = names[version]
        expected[name][nanoseconds(time) // (SECOND // 2)] += 8 * (int(length) + FCS) * 2
    drawn = lines(plot.rates(EDGE, by="version"))
    assert list(drawn) == ["IPv4", "IPv6", "no version"]
    for name, (x, y) in drawn.items():
        bins = x.astype("datetime64[ns]").astype(np.int64) // (SECOND // 2)
        assert {b: v for b, v in zip(bins.tolist(), y.tolist(), strict=True) if v} == expected[name]


def test_rates_by_home(fields):
    networks = [ip_network(text) for text in HOME]
    expected = Counter()
    for four, six, other_four, other_six in fields(
        EDGE, "ip.src", "ipv6.src", "ip.dst", "ipv6.dst"
    ):
        src, dst = (
            any(text and ip_address(text) in network for network in networks)
            for text in (four or six, other_four or other_six)
        )
        name = {(1, 0): "out of home", (0, 1): "into home", (1, 1): "within home"}
        expected[name.get((src, dst), "elsewhere")] += 1
    home = FlowHome(*map(from_s, HOME))
    drawn = lines(plot.rates(EDGE, of="packets", by=home, interval=1))
    assert {name: y.sum() for name, (_, y) in drawn.items()} == expected


def test_more_than_six_groups_have_a_line_for_the_rest(tmp_path):
    sent = [
        (port / 10, ipv4(udp(ports=(1000, port)))) for port in range(1, 10) for _ in range(port)
    ]
    drawn = lines(plot.rates(trace(tmp_path / "a.pcap", sent), of="packets", by="dst_port"))
    names = [f"dst_port {port}" for port in (9, 8, 7, 6, 5)]
    assert list(drawn) == [*names, "other"]
    # 0.8 s: 161 intervals of 5 ms
    assert {name: y.sum() / 200 for name, (_, y) in drawn.items()} == {
        **{name: int(name[-1]) for name in names},
        "other": 4 + 3 + 2 + 1,
    }


@pytest.mark.parametrize(
    ("last", "interval"),
    [
        (0.1, "1 ms"),
        (58.0, "500 ms"),
        (199.0, "1 s"),
        (200.0, "2 s"),
        (3600.0, "30 s"),
        (86400.0, "10 min"),
        (3 * 86400.0, "30 min"),
        (30 * 86400.0, "6 h"),
        (9 * 365 * 86400.0, "20 d"),
    ],
)
def test_interval_is_one_of_up_to_200(tmp_path, last, interval):
    """The first that a person would choose and that has no more: 200 s from 0 on are 201 of 1 s."""
    path = trace(tmp_path / "a.pcap", at(0, 0.001 * last, last / 3, last))
    ax = plot.rates(plt.columns(path, ["time", "wire_len"], batch=1))
    ((_, y),) = lines(ax).values()
    assert ax.get_title(loc="left") == f"Bits a second, over {interval}"
    number, unit = interval.split()
    seconds = int(number) * {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}[unit]
    assert len(y) <= 200
    assert y.sum() * seconds == pytest.approx(4 * 800)


def test_batches_make_no_difference():
    whole = lines(plot.rates(EDGE, by="proto"))
    with plt.trace(str(EDGE)) as opened:
        for source in (
            plt.columns(EDGE, ["time", "proto", "wire_len"], batch=7),
            plt.columns(EDGE).table(),
            opened,
        ):
            parts = lines(plot.rates(source, by="proto"))
            assert list(parts) == list(whole)
            for name, (x, y) in parts.items():
                assert (x == whole[name][0]).all()
                assert (y == whole[name][1]).all()


@pytest.mark.parametrize("draw", [plot.rates, plot.protocols, plot.talkers])
def test_few_batches_are_kept(monkeypatch, draw):
    """Of a trace of 100 batches those before are given up."""
    iterate, alive, most = plt.Columns.__iter__, weakref.WeakSet(), []

    def watched(columns):
        for part in iterate(columns):
            alive.add(part)
            most.append(len(alive))
            yield part

    monkeypatch.setattr(plt.Columns, "__iter__", watched)
    names = ["time", "wire_len", "version", "proto", "ethertype", "src_prefix", "dst_prefix"]
    draw(plt.columns(EDGE, names, batch=100))
    assert len(most) == 100
    assert max(most) <= 3


def test_a_batch_out_of_order_and_one_without_a_group(tmp_path):
    path = trace(tmp_path / "a.pcap", at(5, 3, 9))
    parts = plt.columns(path, ["time", "wire_len", "tcp.flags"], batch=1)
    drawn = lines(plot.rates(parts, of="packets", by="tcp.flags", interval=1))
    assert list(drawn) == ["no tcp.flags"]
    assert drawn["no tcp.flags"][1].tolist() == [1, 0, 1, 0, 0, 0, 1]


def test_one_interval_is_a_point(tmp_path):
    ax = plot.rates(trace(tmp_path / "a.pcap", at(0.5)), interval=1)
    assert ax.lines[0].get_marker() == "o"
    assert lines(ax)["all"][1].tolist() == [800]


def test_an_interval_of_nanoseconds_is_said_in_them(tmp_path):
    path = trace(tmp_path / "a.pcap", at(0, 0.000_01))
    ax = plot.rates(path, of="packets", interval=1.501e-6)
    assert ax.get_title(loc="left") == "Packets a second, over 1,501 ns"


def test_more_intervals_than_are_summed_at_once(tmp_path):
    """10,001 of a second, the first and the last of which have a packet: an interval that is given
    stays."""
    path = trace(tmp_path / "a.pcap", at(0, 10_000, 10_000))
    ((_, y),) = lines(plot.rates(path, of="packets", interval=1)).values()
    assert (len(y), y[0], y[-1], y.sum()) == (10_001, 1, 2, 3)


def test_sums_that_wait_are_joined(monkeypatch, tmp_path):
    """What waits at most is 3 sums in place of many: the sums are the same."""
    monkeypatch.setattr("natkit._tallies.MOST_PENDING", 3)
    path = trace(tmp_path / "a.pcap", at(*[n % 10 for n in range(50)]))
    parts = plt.columns(path, ["time", "wire_len"], batch=2)
    ((_, y),) = lines(plot.rates(parts, of="packets", interval=1)).values()
    assert y.tolist() == [5] * 10


def test_a_batch_without_a_time(tmp_path):
    """The time of the last packet does not fit in 64 bits of nanoseconds: the column has none."""
    records = [Record(ipv4(udp(b"x")), sec=EPOCH), Record(ipv4(udp(b"x")), sec=2**34)]
    blocks = b"".join(enhanced(r.data, r.sec * 10**6) for r in records)
    path = write(tmp_path / "a.pcapng", section() + interface(RAW) + blocks)
    parts = plt.columns(path, ["time", "wire_len"], batch=1)
    ((_, y),) = lines(plot.rates(parts, of="packets", interval=1)).values()
    assert y.tolist() == [1]


def test_a_scale_begins_at_0_and_may_become_logarithmic(tmp_path):
    ax = plot.rates(trace(tmp_path / "a.pcap", at(0, 0, 1, 2, 2)), of="packets", interval=1)
    ax.figure.canvas.draw()
    assert ax.get_ylim()[0] == 0
    ax.set_yscale("log")
    bottom, top = ax.get_ylim()
    assert 0 < bottom < 1
    assert top > 2


# --- Times of day -----------------------------------------------------------------------------


def ticks(ax):
    ax.figure.canvas.draw()
    return [label.get_text() for label in ax.get_xticklabels()]


@pytest.mark.parametrize(
    ("tz", "label", "hour"),
    [
        ("UTC", "time (UTC), on 2010-01-01", "00:01"),
        ("Pacific/Auckland", "time (Pacific/Auckland), on 2010-01-01", "13:01"),
        ("America/New_York", "time (America/New_York), on 2009-12-31", "19:01"),
        (timezone(timedelta(hours=-3, minutes=-30), "NST"), "time (NST), on 2009-12-31", "20:31"),
    ],
)
def test_times_are_those_of_a_zone(tmp_path, tz, label, hour):
    """EPOCH is midnight by UTC; Auckland was 13 hours ahead, New York 5 behind."""
    ax = plot.rates(trace(tmp_path / "a.pcap", at(0, 60, 120)), tz=tz)
    assert ax.get_xlabel() == label
    assert hour in ticks(ax)


@pytest.fixture
def half_past_five(monkeypatch):
    """A local time 5 hours and a half ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XST-5:30")
        clock.tzset()
        yield
    clock.tzset()


@pytest.mark.usefixtures("half_past_five")
def test_local_time(tmp_path):
    ax = plot.rates(trace(tmp_path / "a.pcap", at(0, 60, 120)), tz="local")
    assert ax.get_xlabel() == "time (XST), on 2010-01-01"
    assert "05:31" in ticks(ax)


def test_days(tmp_path):
    ax = plot.rates(trace(tmp_path / "a.pcap", at(0, 86400 * 3)))
    assert ax.get_xlabel() == "time (UTC), from 2010-01-01"


# --- Protocols and talkers --------------------------------------------------------------------


def test_protocols_are_those_that_tshark_finds(fields):
    """The first header of each kind is the packet's own; an IPv6 fragment has one more."""
    names = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "IPv6 in IP", 58: "ICMPv6", 132: "SCTP"}
    expected = Counter()
    for ethertype, tagged, four, *six in fields(
        EDGE,
        *("eth.type", "vlan.etype", "ip.proto"),
        *("ipv6.nxt", "ipv6.hopopts.nxt", "ipv6.fraghdr.nxt"),
    ):
        own = int((tagged or ethertype), 16)
        if own == 0x0806:
            expected["ARP", "not IP"] += 1
        elif own == 0x0800:
            expected[names[int(four)], "IPv4"] += 1
        else:
            after = [int(text) for text in six if text and int(text) not in (0, 44)]
            expected[names[after[0]], "IPv6"] += 1
    ax = plot.protocols(EDGE)
    drawn = {
        (row, part): share * 100  # of 10,000 packets: from percent
        for row, parts in bars(ax).items()
        for part, share in parts.items()
        if share
    }
    assert drawn == pytest.approx(dict(expected))
    assert list(bars(ax))[:2] == ["TCP", "UDP"]
    assert "71.9 %" in [text.get_text() for text in ax.texts]  # 7192 are TCP


def test_protocols_by_bytes_and_the_rest(tmp_path):
    """1000 bytes in all; what is not among the largest is one bar."""
    sizes = {17: 600, 6: 200, 50: 150, 47: 50}
    sent = [(proto, ipv4(b"\0" * (size - 20), proto)) for proto, size in sizes.items()]
    path = trace(tmp_path / "a.pcap", sent)
    drawn = bars(plot.protocols(path, of="bytes", n=2))
    assert drawn == {"UDP": {"IPv4": 60}, "TCP": {"IPv4": 20}, "other": {"IPv4": 20}}
    table = natkit.flows(path)
    assert bars(plot.protocols(table, of="bytes", n=2)) == drawn
    by_packets = bars(plot.protocols(path))
    assert by_packets == {name: {"IPv4": 25} for name in ("UDP", "TCP", "ESP", "GRE")}


def test_talkers_are_those_that_tshark_has(tshark):
    expected = {}
    fields = [part for name in ("ip.src", "ip.dst", "frame.len") for part in ("-e", name)]
    command = [tshark, "-n", "-r", DNS, "-Y", "ip", "-T", "fields", "-E", "occurrence=f", *fields]
    for line in subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.splitlines():
        src, dst, size = line.split("\t")
        for address, way in ((src, "sent"), (dst, "received")):
            expected.setdefault(address, {"sent": 0, "received": 0})[way] += int(size) + FCS
    ax = plot.talkers(DNS, n=1000)
    found = {name: parts for name, parts in bars(ax).items() if ":" not in name}
    assert found == expected
    sums = [sum(parts.values()) for parts in bars(ax).values()]
    assert sums == sorted(sums, reverse=True)
    ten = bars(plot.talkers(DNS))
    assert list(ten) == list(bars(ax))[:10]


@pytest.mark.parametrize("of", ["bytes", "packets"])
def test_talkers_of_flows_are_those_of_packets(of):
    """All of EDGE's flows, the ended ones too."""
    table = FlowTable(idle_timeout=5)
    table.add_trace(EDGE)
    ended = table.expired()
    assert len(ended) == 747
    assert bars(plot.talkers([table, ended], of=of)) == bars(plot.talkers(EDGE, of=of))


def test_talkers_of_addresses_that_are_texts():
    """Columns may have addresses as texts."""
    expected = bars(plot.talkers(EDGE))
    table = plt.columns(EDGE).table()

    class Texts(plt.Table):
        def __getitem__(self, name):
            found = super().__getitem__(name)
            if name not in ("src_prefix", "dst_prefix"):
                return found
            return np.array(ipp.format(found, super().__getitem__("version")), dtype=object)

    assert bars(plot.talkers(Texts(table._batches))) == expected


# --- Distributions ----------------------------------------------------------------------------


def conversations(statistics, which):
    """Frames and seconds of tshark's conversations."""
    found = []
    for line in statistics(DNS, f"conv,{which}"):
        if "<->" in line:
            numbers = re.findall(r"(\d+) +[\d,]+ ?(?:bytes|kB|MB)? *", line.partition("<->")[2])
            found.append((int(numbers[2]), float(line.split()[-1])))
    return found


UDP = "udp or (vlan and udp)"


def test_flow_sizes_and_durations_are_those_of_conversations(statistics):
    expected = conversations(statistics, "udp")
    ((x, share),) = lines(plot.flow_sizes(DNS, of="packets", filter=UDP)).values()
    assert expanded(x, share, len(expected)).tolist() == sorted(n for n, _ in expected)
    assert share[0] == 0
    assert share[-1] == 100
    ((x, share),) = lines(plot.flow_durations(DNS, filter=UDP)).values()
    durations = sorted(seconds for _, seconds in expected)
    # tshark prints four decimals
    assert expanded(x, share, len(expected)) == pytest.approx(durations, abs=0.00006)


def test_flows_come_from_tables_as_from_the_trace():
    table = FlowTable(idle_timeout=1e6)
    table.add_trace(EDGE)
    ended = table.expired()
    assert len(ended) > 0
    expected = lines(plot.flow_sizes(EDGE, by="proto"))
    assert list(expected) == ["UDP", "TCP", "ICMP", "ICMPv6", "SCTP", "IPv6 in IP"]
    for source in ([ended, table], [table, ended]):
        drawn = lines(plot.flow_sizes(source, by="proto"))
        assert list(drawn) == list(expected)
        for name, (x, y) in drawn.items():
            assert (x == expected[name][0]).all()
            assert (y == expected[name][1]).all()
    # a table of columns, and flows alone
    tcp_alone = plot.flow_sizes(ended).get_legend().get_texts()[0].get_text()
    assert tcp_alone == f"all ({len(ended)})"
    assert lines(plot.flow_sizes(ended.columns(["bytes"])))["all"][1][-1] == 100


def handshake(port, begin, took):
    return [
        (begin, there(flags=SYN, port=port)),
        (begin + took, back(flags=SYN | ACK, port=port)),
        (begin + took + 0.001, there(port=port, seq=2)),
    ]


def test_rtts(tmp_path):
    """A quarter of the handshakes took 10 ms, half 20 ms, a quarter 160 ms."""
    sent = [
        *handshake(1, 0, 0.020),
        *handshake(2, 1, 0.010),
        *handshake(3, 2, 0.160),
        *handshake(4, 3, 0.020),
        (4, there(flags=SYN, port=5)),  # nobody answers
    ]
    ax = plot.rtts(trace(tmp_path / "a.pcap", sent))
    x, share = lines(ax)["all"]
    assert x == pytest.approx([0.010, 0.010, 0.020, 0.160])
    assert share.tolist() == [0, 25, 75, 100]
    assert "100 ms" in ticks(ax)


def test_response_times_are_those_of_tshark(fields):
    times = sorted(float(time) for (time,) in fields(DNS, "dns.time", where="udp && dns.time"))
    x, share = lines(plot.response_times(DNS, filter=UDP))["all"]
    found = expanded(x, share, 330)  # tutorial/traces/README.md: responses over UDP
    assert found.tolist() == pytest.approx(times)


def test_response_times_by_code(fields):
    """Of the UDP responses; a table of columns gives the same as the trace."""
    codes = Counter(code for (code,) in fields(DNS, "dns.flags.rcode", where="udp && dns.time"))
    ax = plot.response_times(DNS, by="rcode", filter=UDP)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[:2] == [f"NOERROR ({codes['0']})", f"NXDOMAIN ({codes['3']})"]
    assert len(legend) == len(codes)
    table = pldns.columns(DNS, ["response_time", "rcode"], filter=UDP).table()
    again = plot.response_times(table, by="rcode")
    assert [text.get_text() for text in again.get_legend().get_texts()] == legend
    kinds = lines(plot.response_times(DNS, by="qtype"))
    assert "A" in kinds
    assert "other" in kinds


def test_a_distribution_of_many_values_has_few_points(tmp_path):
    """Of 12,000 sizes the points drawn are right, and the largest is among them."""
    sent = [
        (n, ipv4(udp(b"x" * (n // 12), ports=(10_000 + n, 53)), src=f"192.0.2.{n % 12}"))
        for n in range(12_000)
    ]
    path = trace(tmp_path / "a.pcap", sent)
    ((x, share),) = lines(plot.flow_durations(path)).values()
    assert x.tolist() == [0, 0]
    assert share.tolist() == [0, 100]
    table = natkit.flows(path).columns(["number", "bytes"])
    # a column with as many values as rows, as if it were a size

    class Renamed(plt.Table):
        def __getitem__(self, name):
            return super().__getitem__("number" if name == "bytes" else name)

    x, share = lines(plot.flow_sizes(Renamed(table._batches)))["all"]
    assert len(x) == 5001
    assert x[-1] == 11_999
    assert share[1:] == pytest.approx((x[1:] + 1) * 100 / 12_000)


# --- A TCP connection -------------------------------------------------------------------------


def flow_of(path, ends=SHAPER):
    src, sport, dst, dport = ends
    table = natkit.flows(path)
    (found,) = (
        flow
        for flow in table
        if (str(flow.src_prefix), flow.src_port, str(flow.dst_prefix), flow.dst_port)
        == (src, sport, dst, dport)
    )
    return found


def segments(ax):
    """Time, first and last sequence number of the segments sent first, and of those sent again."""
    return [
        [(line[0][0], int(line[0][1]), int(line[1][1])) for line in collection.get_segments()]
        for collection in ax.collections
    ]


def test_time_sequence_is_tsharks(fields):
    src, sport, dst, dport = SHAPER
    ends = f"ip.addr == {dst} and tcp.port == {sport} and tcp.port == {dport} and not icmp"
    analysis = ("retransmission", "fast_retransmission", "out_of_order")
    rows = fields(
        EDGE,
        *("frame.time_relative", "ip.src", "tcp.seq", "tcp.len", "tcp.ack"),
        *(f"tcp.analysis.{name}" for name in analysis),
        where=ends,
    )
    began = float(rows[0][0])
    expected, answers = [[], []], []
    for time, source, seq, length, ack, *flags in rows:
        seconds = pytest.approx(float(time) - began, abs=1e-7)
        if source != src:
            answers.append((seconds, int(ack)))
        elif int(length):
            expected[any(flags)].append((seconds, int(seq), int(seq) + int(length)))
    assert len(expected[1]) == 20
    ax = plot.time_sequence(EDGE, flow_of(EDGE))
    assert segments(ax) == expected
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert [tuple(point) for point in drawn["acknowledged"]] == answers
    assert drawn["SYN"] == [[0, 0]]
    assert len(drawn["sent again, or out of order"]) == 20
    assert f"{src} port {sport}" in ax.get_title(loc="left")
    assert ax.get_xlabel() == "seconds after 2026-11-22 22:31:20.013545 UTC"


def test_sequence_numbers_go_around(tmp_path):
    """From 100 below 2**32 on: 3 segments of 100 bytes, the last two of them again."""
    first = 2**32 - 100
    seq = [(first + n) % 2**32 for n in (0, 1, 101, 201, 101)]
    sent = [
        (0, there(flags=SYN, seq=seq[0])),
        (1, back(flags=SYN | ACK)),
        *((n, there(b"x" * 100, seq=seq[n - 1])) for n in (2, 3, 4, 5)),
    ]
    path = trace(tmp_path / "a.pcap", sent)
    ax = plot.time_sequence(path)
    assert segments(ax) == [[(2, 1, 101), (3, 101, 201), (4, 201, 301)], [(5, 101, 201)]]


def test_ticks_of_few_bytes_are_whole(tmp_path):
    sent = [(0, there(b"a", seq=1)), (1, there(b"b", seq=2))]
    ax = plot.time_sequence(trace(tmp_path / "a.pcap", sent))
    ax.figure.canvas.draw()
    ticks = [float(tick) for tick in ax.get_yticks()]
    assert ticks
    assert ticks == [round(tick) for tick in ticks]


def test_time_sequence_of_the_other_direction_and_of_keys():
    flow = flow_of(EDGE)
    rev = plot.time_sequence(EDGE, flow, direction="rev")
    sent = [segment for part in segments(rev) for segment in part]
    assert sum(end - begin for _, begin, end in sent) == flow.rev_payload_bytes
    assert rev.get_title(loc="left").startswith("TCP from 203.0.113.194 port 80\nto 192.0.2.13")
    fwd = segments(plot.time_sequence(EDGE, flow))
    for key in (flow.ipflow, flow.fwd_key):
        assert segments(plot.time_sequence(EDGE, key)) == fwd
    # of the key of the other direction: the one that carried more is drawn all the same
    names = ["time", *("version", "proto", "src_prefix", "dst_prefix", "src_port", "dst_port")]
    names += ["tcp.seq_nbr", "tcp.ack_nbr", "tcp.flags", "payload_len"]
    assert segments(plot.time_sequence(plt.columns(EDGE, names).table(), flow.rev_key)) == fwd


def test_time_sequence_without_a_flow_is_of_the_largest(tmp_path):
    """1 byte more makes the second the largest; the UDP flow is none of TCP."""
    sent = [
        *((n, there(b"x" * 500, seq=1 + 500 * n, port=1)) for n in range(4)),
        *((n, back(b"x" * 667, seq=1 + 667 * n, port=2)) for n in range(3)),
        (5, ipv4(udp(b"x" * 3000))),
    ]
    ax = plot.time_sequence(trace(tmp_path / "a.pcap", sent))
    assert ax.get_title(loc="left") == "TCP from 198.51.100.2 port 80\nto 192.0.2.1 port 2"
    assert segments(ax) == [[(0, 0, 667), (1, 667, 1334), (2, 1334, 2001)]]


def test_a_flow_is_drawn_in_its_own_time(tmp_path):
    """Another connection with the same ports follows 100 s later; a key stands for both."""
    sent = [
        (begin + n, there(payload, flags=flags, seq=isn + n))
        for begin, isn in ((0, 1000), (100, 5000))
        for n, (payload, flags) in enumerate([(b"", SYN), (b"x", ACK), (b"y", ACK | FIN)])
    ]
    path = trace(tmp_path / "a.pcap", sent)
    table = natkit.flows(path)
    for flow in (*table.expired(), *table):
        ax = plot.time_sequence(path, flow)
        assert segments(ax) == [[(1, 1, 2), (2, 2, 3)]]
        marks = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
        assert (marks["SYN"], marks["FIN"]) == ([[0, 0]], [[2, 3]])
    both = plot.time_sequence(path, flow.fwd_key)
    assert segments(both)[0][-1] == (102, 4002, 4003)


def test_one_way_alone(tmp_path):
    """Of an end whose segments were not captured there are the acknowledgements, from the first."""
    sent = [(n, ipv4(tcp(ack=5000 + 100 * n), 6)) for n in range(3)]
    path = trace(tmp_path / "a.pcap", sent)
    (flow,) = natkit.flows(path)
    ax = plot.time_sequence(path, flow, direction="rev")
    assert segments(ax) == [[]]
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn["acknowledged"] == [[0, 0], [1, 100], [2, 200]]


def test_a_reset(tmp_path):
    sent = [(0, there(b"x" * 10, seq=7)), (1, there(flags=RST, seq=0))]
    ax = plot.time_sequence(trace(tmp_path / "a.pcap", sent))
    marks = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert marks["RST"] == [[1, 10]]
    assert segments(ax) == [[(0, 0, 10)]]


def test_a_reset_alone(tmp_path):
    path = trace(tmp_path / "a.pcap", [(3, there(flags=RST, seq=77))])
    (flow,) = natkit.flows(path)
    ax = plot.time_sequence(path, flow, direction="fwd")
    assert segments(ax) == [[]]
    marks = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert marks["RST"] == [[0, 0]]
    assert marks["acknowledged"] == []


# --- Axes, and what is missing or wrong -------------------------------------------------------

ALL = {
    "rates": (plot.rates, EDGE),
    "protocols": (plot.protocols, EDGE),
    "talkers": (plot.talkers, EDGE),
    "flow_sizes": (plot.flow_sizes, EDGE),
    "flow_durations": (plot.flow_durations, EDGE),
    "rtts": (plot.rtts, EDGE),
    "response_times": (plot.response_times, DNS),
    "time_sequence": (plot.time_sequence, EDGE),
}


def test_all_are_here():
    assert set(ALL) == set(plot.__all__)


@pytest.mark.parametrize("name", ALL)
def test_axes_are_those_given_or_new(name):
    draw, source = ALL[name]
    _, (first, second) = pyplot.subplots(ncols=2)
    assert draw(source, ax=second) is second
    assert not first.has_data()
    ax = draw(source)
    assert ax.figure not in (first.figure, second.figure)
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()
    # all numbers have units: of time, bytes, percent, or what is counted
    units = r"UTC|\((B|s|%)\)|bit/s|packets"
    assert re.search(units, ax.get_xlabel())
    if ax.get_ylabel():
        assert re.search(units + r"|\(bytes\)", ax.get_ylabel())


@pytest.mark.parametrize("name", ALL)
def test_without_packets_the_axes_say_so(tmp_path, name):
    empty = write(tmp_path / "empty.pcap", pcap([], RAW))
    ax = ALL[name][0](empty)
    (text,) = ax.texts
    assert text.get_text().startswith("no packets")
    assert not ax.has_data()
    ax.figure.canvas.draw()


def test_rates_of_packets_without_a_time(tmp_path):
    seconds = option(9, b"\0") + option(0, b"")  # the clock's unit, of which 64 bits are too many
    content = section() + interface(RAW, options=seconds) + enhanced(ipv4(udp()), 2**63)
    ax = plot.rates(write(tmp_path / "a.pcapng", content))
    assert [text.get_text() for text in ax.texts] == ["no packets with a time"]


@pytest.mark.parametrize("draw", [plot.flow_sizes, plot.flow_durations, plot.rtts, plot.talkers])
def test_an_empty_flow_table(draw):
    assert draw(FlowTable()).texts[0].get_text().startswith("no packets")


def test_other_packets_are_none_of_the_flow():
    flow = flow_of(EDGE)
    assert plot.time_sequence(DNS, flow).texts[0].get_text() == "no packets of this flow"


def luminance(color):
    """Relative luminance (ITU-R BT.709) of a colour, that is the grey it is printed in."""
    red, green, blue = matplotlib.colors.to_rgb(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_lines_differ_without_colour(tmp_path):
    sent = [(port, ipv4(udp(ports=(9, port)))) for port in range(1, 10)]
    ax = plot.rates(trace(tmp_path / "a.pcap", sent), by="dst_port")
    dashes = {str(line._dash_pattern) for line in ax.lines}
    assert len(dashes) == len(ax.lines) == 6


def test_bars_differ_without_colour():
    for ax in (plot.protocols(EDGE), plot.talkers(EDGE)):
        hatches = {container[0].get_hatch() for container in ax.containers}
        greys = sorted(luminance(container[0].get_facecolor()) for container in ax.containers)
        assert len(hatches) == len(ax.containers) > 1
        assert min(np.diff(greys)) > 0.1


def test_a_figure_is_saved_without_a_screen(tmp_path):
    path = tmp_path / "a.png"
    plot.rates(EDGE, by="proto").figure.savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")


WITHOUT = """
import sys
import natkit
assert not {"matplotlib", "numpy", "pldns"} & set(sys.modules), "imported with natkit"
sys.modules["matplotlib"] = None  # as if it were not installed
for name in natkit.plot.__all__:
    try:
        getattr(natkit.plot, name)("no-such-trace.pcap")
    except ImportError as error:
        print(error)
"""


def test_without_matplotlib():
    told = child(WITHOUT)
    assert told.stderr == ""
    assert set(told.stdout.splitlines()) == {
        "natkit.plot needs matplotlib (no module named 'matplotlib'): "
        "pip install 'python-libtrace[plot]'"
    }
    assert told.stdout.count("\n") == len(ALL)


def columns(*names):
    return plt.columns(EDGE, names)


@pytest.mark.parametrize(
    ("draw", "error", "text"),
    [
        (lambda: plot.rates(EDGE, of="bytes"), ValueError, "of is one of 'bits', 'packets', not"),
        (lambda: plot.talkers(EDGE, of="bits"), ValueError, "of is one of 'bytes', 'packets', not"),
        (lambda: plot.flow_sizes(EDGE, of="x"), ValueError, "of is one of 'bytes', 'ip_bytes'"),
        (lambda: plot.time_sequence(EDGE, direction="x"), ValueError, "direction is one of 'fwd'"),
        (
            lambda: plot.rates(EDGE, by="protocol"),
            ValueError,
            "no column is named 'protocol'; near",
        ),
        (lambda: plot.rates(EDGE, by="src_prefix"), ValueError, "not grouped by 'src_prefix'"),
        (lambda: plot.rates(EDGE, tz="Mars/Olympus"), ValueError, "no time zone is named 'Mars/"),
        (lambda: plot.rates(EDGE, tz=5), TypeError, "tz is a str or a tzinfo, not int"),
        (lambda: plot.rates(EDGE, interval=0), ValueError, "an interval is at least 1e-9 seconds"),
        (lambda: plot.rates(EDGE, interval=float("nan")), ValueError, "an interval is at least"),
        (lambda: plot.rates(EDGE, interval=1e-5), ValueError, "intervals of 1e-05 s make 5,7"),
        (lambda: plot.rates(columns("time")), ValueError, r"rates\(\) needs columns that are not"),
        (lambda: plot.rates(columns("time").table()), ValueError, "that are not there: wire_len"),
        (lambda: plot.rates(columns("time"), filter="tcp"), TypeError, "filter= is for traces"),
        (
            lambda: plot.rates(FlowTable()),
            TypeError,
            r"rates\(\) draws packets: .* a FlowTable",
        ),
        (lambda: plot.response_times(FlowTable()), TypeError, "draws packets: .* not a FlowTable"),
        (lambda: plot.rtts(columns("time").table()), ValueError, "that are not there: rtt"),
        (lambda: plot.rtts(FlowTable(), filter="tcp"), TypeError, "filter= is for traces"),
        (lambda: plot.rtts([]), ValueError, "no sources to read"),
        (lambda: plot.rates("no-such.pcap"), plt.LibtraceError, "no-such.pcap"),
        (lambda: plot.time_sequence(columns("time")), TypeError, "needs a flow where"),
        (lambda: plot.time_sequence(plt.trace(str(EDGE))), TypeError, "needs a flow where"),
        (
            lambda: plot.time_sequence(io.BytesIO(EDGE.read_bytes())),
            TypeError,
            "needs a flow where",
        ),
        (lambda: plot.time_sequence(iter([EDGE])), TypeError, "needs a flow where"),
        (lambda: plot.time_sequence(EDGE, UDP_FLOW), ValueError, "this flow's protocol is 17"),
        (lambda: plot.time_sequence(EDGE, b"short"), ValueError, "5"),
    ],
)
def test_what_can_not_be_drawn(draw, error, text):
    with pytest.raises(error, match=text):
        draw()
    assert pyplot.get_fignums() == []


UDP_FLOW = bytes([4, 17, 0, 1, 0, 2, *b"\1\2\3\4", *b"\5\6\7\x08"])


def test_a_broken_trace_draws_nothing(tmp_path):
    records = [Record(packet, sec=EPOCH + n) for n, (_, packet) in enumerate(at(1, 2, 3))]
    whole = pcap(records, RAW)
    path = write(tmp_path / "cut.pcap", whole[:-1])
    for draw, _ in ALL.values():
        with pytest.raises(plt.LibtraceError):
            draw(path)
    assert pyplot.get_fignums() == []
    with pytest.raises(plt.LibtraceError) as caught:
        plt.columns(path).table()
    assert lines(plot.rates(caught.value.table, interval=1))["all"][1].tolist() == [800, 800]


# --- The documents' pictures ------------------------------------------------------------------


@pytest.mark.skipif(not (ROOT / "doc").is_dir(), reason="there are no documents here")
def test_pictures_of_the_documents_are_those_that_their_programs_draw(tmp_path):
    tool = ROOT / "tools" / "pictures.py"
    drawn = subprocess.run(
        [sys.executable, tool, tmp_path], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    names = {str(Path(name).relative_to(tmp_path)) for name in drawn}
    shown = re.compile(r"!\[[^]]+\]\((?:doc/)?(_static/plots/[^)]+)\)")
    assert set(shown.findall((ROOT / "doc" / "plots.md").read_text())) == names
    kept = {str(path.relative_to(ROOT / "doc")) for path in (ROOT / "doc").glob("_static/plots/*")}
    assert kept == names
    for page in (ROOT / "README.md", ROOT / "doc" / "index.md"):
        if page.is_file():
            (first,) = shown.findall(page.read_text())
            assert first in names
    for name in names:
        new, old = (pyplot.imread(folder / name) for folder in (tmp_path, ROOT / "doc"))
        assert old.std() > 0.1  # not blank
        # the same but for what another version of matplotlib or of its fonts moves
        assert abs(new.shape[1] / new.shape[0] - old.shape[1] / old.shape[0]) < 0.2
