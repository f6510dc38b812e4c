"""natkit.FlowTable: flows that end, and fragments."""

import copy
import itertools
import pickle
import struct
import sys
from pathlib import Path

import pytest
from flow_traces import HERE, RST, SECOND, SYN, THERE, back, fragments, only, there, trace
from pace import effort
from packets import (
    EPOCH,
    RAW,
    enhanced,
    ethernet,
    icmp,
    interface,
    ipv4,
    ipv6,
    option,
    read,
    section,
    simple,
    udp,
    write,
)

import natkit
import plt
from natkit import FlowTable, IPflow

# --- Timeouts ------------------------------------------------------------------------------------


def test_idle_timeout(counted):
    table = counted([(0, there()), (10, back()), (20, there())], idle_timeout=10)
    assert only(table).packets == 3  # no longer than the timeout
    table = counted([(0, there()), (10.000000001, back()), (12, back())], idle_timeout=10)
    (old,) = table.expired()
    assert (old.packets, old.end_reason) == (1, 1)
    flow = only(table)
    assert (flow.packets, flow.src_port, flow.end_reason) == (2, 80, None)


def test_active_timeout(counted):
    table = counted(((n, there()) for n in range(8)), active_timeout=3)
    assert [(flow.number, flow.packets, flow.end_reason) for flow in table.expired()] == [(0, 4, 2)]
    assert only(table).number == 4


def test_the_earlier_of_the_timeouts_is_the_reason(counted):
    end = (100, there(port=7))
    for last, reason in ((4, 1), (6, 2)):
        sent = [(0, there()), (3, there()), (last, there()), end]
        (old,) = counted(sent, idle_timeout=5, active_timeout=10).expired()
        assert (old.packets, old.end_reason) == (3, reason)


def test_a_closed_connection_that_times_out_ended_before(counted):
    sent = [(0, there(flags=RST)), (50, there(port=7))]
    (old,) = counted(sent, idle_timeout=5).expired()
    assert old.end_reason == 3


def test_time_is_the_traces_and_never_goes_back(counted):
    table = counted([(0, there()), (9, there(port=2)), (3, there()), (12, there())], idle_timeout=5)
    # the packet of second 3 came when it was second 9: too late for the first flow
    assert [(flow.number, flow.packets) for flow in table.expired()] == [(0, 1)]
    assert [(flow.number, flow.packets) for flow in table] == [(1, 1), (2, 2)]
    assert table.time_ns == (EPOCH + 12) * SECOND
    assert [flow.duration_ns for flow in table] == [0, 9 * SECOND]


def test_ended_flows_are_in_the_order_of_their_first_packets(counted):
    sent = [(n / 10, there(port=n % 7 + 1)) for n in range(100)]
    sent += [(n / 10, there(port=n % 5 + 100)) for n in range(120, 200)]
    sent += [(60, there())]
    expired = counted(sent, idle_timeout=1, active_timeout=3.3).expired()
    numbers = [flow.number for flow in expired]
    assert numbers == sorted(numbers)
    assert sum(flow.packets for flow in expired) == len(sent) - 1


def test_nothing_is_over_without_timeouts(counted):
    table = counted([(0, there()), (1e9, there(port=2)), (2e9, there())])
    assert [flow.packets for flow in table] == [2, 1]
    assert (table.idle_timeout, table.active_timeout) == (None, None)
    assert len(table.expired()) == 0


def test_flush(counted):
    table = counted([(0, there()), (1, there(port=2, flags=RST)), (2, ipv6(udp()))], idle_timeout=9)
    table.flush()
    assert len(table) == 0
    assert [flow.end_reason for flow in table.expired()] == [4, 3, 4]
    for empty in (table, FlowTable()):
        empty.flush()
        assert list(empty) == list(empty.expired()) == []


def test_memory_is_bounded_by_what_is_active(tmp_path):
    """A hundred times the flows that are active at a time: all are handed over, few are kept."""
    sent = ((n / 1000, there(port=n % 50000)) for n in range(40_000))
    path = trace(tmp_path / "many.pcap", sent)
    sizes, table = [], FlowTable(idle_timeout=0.4)
    table.add_trace(path, on_expired=lambda flows: sizes.append((len(flows), len(table))))
    assert sum(ended for ended, _ in sizes) + len(table) == 40_000
    assert max(active for _, active in sizes) <= 500
    assert max(ended for ended, _ in sizes) < 5000
    assert len(table) == 401
    # a table of what is active: the ended are not in its bytes
    assert len(pickle.dumps(table)) < 401 * 300


def test_a_wrong_time_ends_flows_once(counted):
    """One packet is of the year 2100; a minute behind it, time counts as it is again."""
    sent = [(n / 10, there(port=n + 1)) for n in range(200)]
    sent[100] = (2_840_000_000 - 0.5, there(port=101))
    table = counted(sent, idle_timeout=1)
    ended = list(table.expired())
    # at the wrong time all before it end; of those behind it, those of the last second go on, and
    # that of the wrong time, for which it is not over
    assert [flow.number for flow in table] == [100, *range(189, 200)]
    assert [flow.number for flow in ended] == [*range(100), *range(101, 189)]
    assert table.time_ns == (EPOCH * 10 + 199) * SECOND // 10


def test_a_late_packet_does_not_turn_time_back(counted):
    """It may be a minute late; the clock of the timeouts stays where it is."""
    for late, clock in ((60, 100), (60.000000001, 39.999999999)):
        table = counted([(100, there()), (100 - late, there(port=2))], idle_timeout=1)
        assert table.time_ns == EPOCH * SECOND + round(clock * SECOND)


def test_no_flow_is_longer_than_the_active_timeout(counted):
    """The clock jumps back by an hour, as when it is set: those before and after are apart."""
    sent = [(3600 + n, there()) for n in range(0, 100, 10)] + [
        (n, there()) for n in range(0, 100, 10)
    ]
    table = counted(sent, active_timeout=60)
    flows = [*table, *table.expired()]
    assert sorted(flow.packets for flow in flows) == [3, 3, 7, 7]
    assert all(flow.duration_ns <= 60 * SECOND for flow in flows)
    assert sorted(str(flow.end_reason) for flow in flows) == ["2", "2", "2", "None"]
    # within the minute that a packet may be late too
    table = counted([(50, there()), (20, there())], active_timeout=10)
    assert [(flow.packets, flow.end_reason) for flow in table.expired()] == [(1, 2)]
    # a fragment that waited for its first one
    first, second, _ = fragments(1)
    other = ipv4(udp(b"u" * 16, ports=(5000, 53)), 17, src=HERE, dst=THERE)
    table = counted([(0, second), (5, other), (9, other), (10, first)], active_timeout=10)
    assert only(table).duration_ns == 10 * SECOND
    table = counted([(0, second), (9, first), (12, other)], active_timeout=10)
    assert [(flow.packets, flow.end_reason) for flow in table.expired()] == [(2, 2)]


@pytest.mark.parametrize("wrong", [*range(1000, 1020), 2_840_000_000])
def test_a_flow_ends_in_time_after_a_wrong_time(counted, wrong):
    """Its first packet has that time, its others the right one: these alone say when it ends.

    In a wheel of buckets a wrong time may be in any of them.
    """
    end = (11, there(port=7))
    # idle since second 5
    sent = [(wrong, there()), (0, there()), (5, there()), end]
    table = counted(sent, idle_timeout=5)
    assert [flow.number for flow in table] == [3]
    assert [(flow.packets, flow.end_reason) for flow in table.expired()] == [(3, 1)]
    assert len(counted([*sent[:3], (10, end[1])], idle_timeout=5)) == 2
    # the second packet, no more than the active timeout before the first, is of another flow
    table = counted(sent, active_timeout=10)
    assert [flow.number for flow in table] == [3]
    assert [(flow.packets, flow.end_reason) for flow in table.expired()] == [(1, 2), (2, 2)]
    assert len(counted([*sent[:3], (10, end[1])], active_timeout=10)) == 2
    # a new connection begins where the clock is before the old one's beginning
    syn = there(flags=SYN, seq=900_000_000)
    sent = [(wrong, there()), (0, there(port=9)), (1, syn), (12, there(port=7))]
    table = counted(sent, active_timeout=10)
    assert [flow.number for flow in table] == [3]
    assert [(flow.number, flow.packets) for flow in table.expired()] == [(0, 1), (1, 1), (2, 1)]


def test_what_a_flow_counts_goes_with_it_after_a_wrong_time(tmp_path, counted):
    """The same packets as without timeouts, in both ways, with TCP quality and statistics."""
    sent = [
        (1000, there(b"a" * 10, seq=5001)),
        (0, back(b"b" * 20, seq=2)),
        (1, there(b"a" * 10, seq=5001)),
        (2, there(b"c" * 10, seq=5011)),
    ]
    settings = {"tcp": True, "statistics": True, "first": 4}
    moved, still = (counted(sent, **settings, **more) for more in ({"idle_timeout": 5}, {}))
    flow, same = only(moved), only(still)
    assert (flow.fwd_packets, flow.rev_packets, flow.payload_bytes) == (3, 1, 50)
    assert flow.fwd_retransmits == 1
    assert (flow.first_ways, flow.first_sizes) == (
        (1, -1, 1, 1),
        (50, 60, 50, 50),
    )
    assert flow == same
    # where a packet is in its flow
    path = trace(tmp_path / "p.pcap", sent)
    places = natkit.packets(path, ["flow", "tcp.rel_seq"], idle_timeout=5).table()
    assert places["flow"].tolist() == [0, 0, 0, 0]
    assert places["tcp.rel_seq"].tolist() == [1, 1, 1, 11]


def test_a_flow_that_moves_again_and_again_takes_no_more_memory(counted):
    """Two clocks a hundred seconds apart, packet by packet: what the flow leaves is used again."""

    def flips(count):
        return [(n % 2 * 100 + n / 1000, there()) for n in range(count)]

    few, many = (counted(flips(count), idle_timeout=500) for count in (3000, 30_000))
    assert [flow.packets for flow in many] == [30_000]
    assert sys.getsizeof(many) == sys.getsizeof(few)


def test_slots_that_flows_leave_far_ahead_are_used_again():
    """Each flow begins an hour ahead, goes on at the right time, and ends where the next begins."""
    ahead, right = (
        plt.packet.from_bytes(there(), plt.TRACE_TYPE_NONE, (EPOCH + seconds) * SECOND)
        for seconds in (3600, 0)
    )

    def size(count):
        table = FlowTable(idle_timeout=5)
        for n in range(count):
            table.add(ahead)
            table.add(right)
            assert len(table.expired()) == (n > 0)
        return sys.getsizeof(table)

    assert size(12_000) < 2 * size(3000)


def test_what_is_far_ahead_is_looked_at_when_its_time_comes(tmp_path):
    """Many flows are an hour ahead; the clock goes there and back again and again.

    That takes not much longer than with few: when each was looked at each time, it took twenty
    times as long.
    """
    count = 6000

    def flips(ports):
        frames = [there(port=n + 100) for n in range(ports)]
        for n in range(count):
            yield 3600, frames[n % ports]
        for n in range(count):
            yield n % 2 * 3600, ipv4(udp())

    def effort_of(ports):
        path = trace(tmp_path / f"{ports}.pcap", flips(ports))
        tables = []

        def count_flows():
            tables.append(FlowTable(idle_timeout=10))
            tables[-1].add_trace(path)

        least = min(effort(count_flows) for _ in range(3))
        assert (len(tables[0]), len(tables[0].expired())) == (ports + 1, count // 2)
        return least

    assert effort_of(count) < 4 * effort_of(1)


def seconds_ng(sent: list[tuple[int, bytes]]) -> bytes:
    """A pcapng file of raw IP whose clock counts seconds (if_tsresol 0)."""
    options = option(9, b"\0") + option(0, b"")
    packets = b"".join(enhanced(packet, sec) for sec, packet in sent)
    return section() + interface(RAW, options=options) + packets


def test_a_time_that_nanoseconds_cannot_hold_is_missing(tmp_path):
    """Of pcapng, in seconds: the year 55,840 and the last second before 64 bits are too few."""
    syn, answer = there(flags=0x02), back(flags=0x12)
    late, last = 1_700_000_000_000, 9_223_372_035
    table = FlowTable(active_timeout=10)
    table.add_trace(write(tmp_path / "x.pcapng", seconds_ng([(late, syn), (late, answer)])))
    flow = only(table)
    assert (flow.first_time_ns, flow.last_time_ns, flow.duration_ns, flow.rtt_ns) == (None,) * 4
    assert (flow.fwd_first_time_ns, flow.packets, table.time_ns) == (None, 2, None)
    columns = table.columns()
    for name in ("first_time", "last_time", "duration"):
        assert columns.masked(name).mask.all()
    assert only(pickle.loads(pickle.dumps(table))) == flow
    # packets with a time tell the flow's, wherever they are
    table = FlowTable()
    sent = [(late, syn), (last - 5, syn), (late, answer), (last, answer), (late, answer)]
    table.add_trace(write(tmp_path / "y.pcapng", seconds_ng(sent)))
    flow = only(table)
    assert (flow.first_time_ns, flow.last_time_ns) == ((last - 5) * SECOND, last * SECOND)
    assert (flow.rev_first_time_ns, flow.duration_ns) == (last * SECOND, 5 * SECOND)
    assert (flow.rtt_ns, table.time_ns) == (5 * SECOND, last * SECOND)
    early, timeless = FlowTable(), FlowTable()
    early.add_trace(tmp_path / "y.pcapng")
    timeless.add_trace(write(tmp_path / "z.pcapng", seconds_ng([(late, syn)])))
    assert copy.copy(early).merge(timeless) is True
    for one, other in ((early, timeless), (timeless, copy.copy(early))):
        one.merge(other)
        assert only(one).last_time_ns == one.time_ns == last * SECOND


def test_a_duration_that_nanoseconds_cannot_hold_is_missing(tmp_path):
    """From 1684 to 2255, by the offset of a second interface: 570 years are 1.8e19 ns."""
    early = option(9, b"\0") + option(14, struct.pack("<q", -9_000_000_000)) + option(0, b"")
    late = option(9, b"\0") + option(14, struct.pack("<q", 9_000_000_000)) + option(0, b"")
    content = section() + interface(RAW, options=early) + interface(RAW, options=late)
    packets = enhanced(there(), 0, on=0) + enhanced(there(), 0, on=1)
    table = FlowTable()
    table.add_trace(write(tmp_path / "x.pcapng", content + packets))
    flow = only(table)
    assert flow.first_time_ns == -9_000_000_000 * SECOND
    assert flow.last_time_ns == 9_000_000_000 * SECOND
    assert flow.duration_ns is None
    assert table.columns(["duration"]).mask("duration").tolist() == [True]


def test_a_time_that_is_not_known_ends_nothing(tmp_path):
    """A flow's first packet has none: how long it goes on counts from that which has."""
    late, flow, other = 1_700_000_000_000, there(), there(port=7)
    sent = [(1, other), (late, flow), (4, flow), (11, flow)]
    table = FlowTable(active_timeout=10)
    table.add_trace(write(tmp_path / "x.pcapng", seconds_ng(sent)))
    assert [one.packets for one in table] == [1, 3]
    assert [one.duration_ns for one in table] == [0, 7 * SECOND]


@pytest.mark.parametrize("name", ["idle_timeout", "active_timeout"])
def test_flows_in_the_last_seconds_of_64_bits_do_not_time_out(tmp_path, name):
    """Their time would be up after all times that there are."""
    last = 9_223_372_035
    sent = [(last - 12, there(port=7)), (last - 1, there()), (last, back())]
    table = FlowTable(**{name: 10})
    table.add_trace(write(tmp_path / "x.pcapng", seconds_ng(sent)))
    assert [one.packets for one in table] == [2]
    assert [one.number for one in table.expired()] == [0]


# --- Fragments -----------------------------------------------------------------------------------


def fragments6(ident: int) -> list[bytes]:
    """Two fragments of an IPv6 packet (RFC 8200 section 4.5), behind hop-by-hop options."""
    out = []
    for offset, more, data in ((0, 1, udp(b"u" * 16, ports=(5000, 53))), (3, 0, b"v" * 8)):
        header = bytes([17, 0]) + (offset << 3 | more).to_bytes(2, "big") + ident.to_bytes(4, "big")
        out.append(ipv6(bytes([44, 0, 1, 4, 0, 0, 0, 0]) + header + data, 0))
    return out


def test_fragments_behind_an_authentication_header(counted):
    """Its length counts in words of 4 bytes, less 2 (RFC 4302 section 2.2)."""
    ah = bytes([44, 4]) + bytes(22)
    parts = [
        ipv6(ah + packet[48:56] + packet[56:], 51)
        for ident in (1, 2)
        for packet in fragments6(ident)
    ]
    table = counted(enumerate([parts[0], parts[1], parts[3]]))
    assert [(flow.src_port, flow.packets) for flow in table] == [(5000, 2), (0, 1)]


def test_later_fragments_count_in_the_first_ones_flow(counted):
    flow = only(counted(enumerate(fragments(1))))
    assert (flow.src_port, flow.dst_port, flow.packets) == (5000, 53, 3)
    assert (flow.ip_bytes, flow.payload_bytes) == (3 * 20 + 48, 16 + 16 + 8)
    flow = only(counted(enumerate(fragments6(1))))
    assert (flow.src_port, flow.packets, flow.payload_bytes) == (5000, 2, 24)
    assert flow.ip_bytes == 2 * (40 + 16) + 24 + 8
    flow = only(counted(enumerate(fragments(1, proto=1, begin=icmp(8, payload=b"p" * 16)))))
    assert (flow.proto, flow.packets, flow.payload_bytes) == (1, 3, 0)


def test_fragments_are_told_apart(counted):
    one, other, third = fragments(1), fragments(2), fragments(1, src="192.0.2.9")
    other[0] = ipv4(udp(ports=(6000, 53)), 17, src=HERE, dst=THERE, ident=2, fragment=0x2000)
    table = counted(
        enumerate(packet for three in zip(one, other, third, strict=True) for packet in three)
    )
    assert [(flow.src_port, flow.packets) for flow in table] == [(5000, 3), (6000, 3), (5000, 3)]
    one, other = fragments6(1), fragments6(2)
    table = counted(enumerate([one[0], other[1], one[1]]))
    assert [(flow.src_port, flow.packets) for flow in table] == [(5000, 2), (0, 1)]


def test_fragments_whose_first_is_not_known(counted):
    first, second, _ = fragments(1)
    table = counted([(0, second), (61, first), (121.1, second)])
    unknown, known = table
    # IPflow of such a fragment has no protocol, as python-libtrace's keys
    assert unknown.fwd_key == IPflow(plt.ip(second)).fwd_key
    assert (unknown.proto, unknown.src_port, unknown.packets) == (0, 0, 2)
    assert (known.src_port, known.packets) == (5000, 1)
    assert only(counted([(0, first), (60, second)])).packets == 2


def test_later_fragments_wait_for_the_first(counted):
    """Linux sends the last one first; the flow is the same in any order (RFC 8200 section 4.5)."""
    for packets in (fragments(1), fragments(1, proto=1, begin=icmp(8, payload=b"p" * 16))):
        forwards = only(counted(enumerate(packets)))
        for order in itertools.permutations(packets):
            flow = only(counted(enumerate(order)))
            assert (flow.fwd_key, flow.packets, flow.ip_bytes, flow.payload_bytes) == (
                forwards.fwd_key, 3, 3 * 20 + 48, forwards.payload_bytes)  # fmt: skip
            assert (flow.number, flow.first_time_ns) == (0, EPOCH * SECOND)
    flow = only(counted(enumerate(fragments6(1)[::-1])))
    assert (flow.src_port, flow.packets, flow.payload_bytes) == (5000, 2, 24)
    # forward is still the first packet's way
    answer = ipv4(udp(ports=(53, 5000)), 17, src=THERE, dst=HERE)
    first, second, _ = fragments(1)
    flow = only(counted(enumerate([second, answer, first])))
    assert (flow.src_port, flow.fwd_packets, flow.rev_packets, flow.number) == (5000, 2, 1, 0)


def test_how_long_they_wait(counted):
    first, second, _ = fragments(1)
    assert only(counted([(0, second), (60, first)])).packets == 2
    assert len(counted([(0, second), (60.000001, first)])) == 2
    for timeouts in ({"idle_timeout": 5}, {"active_timeout": 5}):
        assert len(counted([(0, second), (5, first)], **timeouts)) == 1
        apart = counted([(0, second), (5.000001, first)], **timeouts)
        assert [flow.src_port for flow in apart] == [0, 5000]
    # where the clock goes back they wait no longer
    assert len(counted([(1000, second), (0, first)])) == 2


def test_only_so_many_wait(counted):
    later = [fragments(n, src="10.0.0.1")[1] for n in range(4097)]
    first = fragments(0, src="10.0.0.1")[0]
    kept = counted((0, packet) for packet in [*later[:4095], first])
    assert sorted(flow.packets for flow in kept) == [2, 4094]
    gone = counted((0, packet) for packet in [*later[:4096], first])
    assert sorted(flow.packets for flow in gone) == [1, 4096]


def test_who_looks_at_a_table_sees_fragments_that_wait(tmp_path):
    first, second, _ = fragments(1)
    table = FlowTable()
    table.add_trace(trace(tmp_path / "a.pcap", [(0, second)]))
    later = copy.copy(table)
    assert len(table) == 1
    assert table[IPflow(plt.ip(second))].packets == 1
    table.add_trace(trace(tmp_path / "b.pcap", [(1, first)]))
    assert [flow.packets for flow in table] == [1, 1]
    # nobody looked at the copy
    later.expired()
    later.add_trace(tmp_path / "b.pcap")
    assert only(later).packets == 2


def test_only_so_many_fragments_are_remembered(counted):
    first, second, _ = fragments(0)
    others = [fragments(n % 65536, src=f"10.0.0.{n // 65536}")[0] for n in range(1, 8193)]
    kept = counted((0, packet) for packet in [first, *others[1:], second])
    assert next(iter(kept)).packets == 2
    gone = counted((0, packet) for packet in [first, *others, second])
    assert gone[IPflow(plt.ip(second))].packets == 1


def test_packets_without_a_time_are_counted_at_none(tmp_path: Path) -> None:
    """pcapng's simple packet blocks: their flow goes on, and has no gap before or after them."""
    frame = ethernet(ipv4(udp(b"x")))
    timed = [enhanced(frame, (EPOCH + n) * 10**6) for n in range(2)]
    content = section() + interface()
    content += timed[0] + simple(frame) + timed[1]
    path = write(tmp_path / "t.pcapng", content)
    table = natkit.FlowTable(idle_timeout=60, statistics=True, first=3)
    table.add_trace(path)
    (flow,) = table
    assert flow.packets == 3
    assert (flow.first_time_ns, flow.duration_ns) == (EPOCH * 10**9, 10**9)
    assert (flow.gap_min_ns, flow.gap_max_ns) == (10**9, 10**9)
    assert flow.first_gaps_ns == (0, None, 10**9)
    columns = plt.columns(path, ["time", "time_ns", "seconds"]).table()
    assert columns.mask("time").tolist() == columns.mask("time_ns").tolist() == [False, True, False]
    assert [packet.time_ns for packet in read(path)][1] == 0
