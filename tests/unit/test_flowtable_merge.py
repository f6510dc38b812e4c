"""Merging flow tables, and natkit.flows(): the flows of one table over the packets in order."""

import copy
import os
import pickle
import random
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from flowtable_reference import Reference, all_facts
from here import Here
from packets import (
    EPOCH,
    RAW,
    TCP,
    Record,
    enhanced,
    icmp,
    interface,
    ipv4,
    ipv6,
    option,
    pcap,
    section,
    tcp,
    udp,
    write,
)

import natkit
import plt
from ipp import from_s
from natkit import FlowHome, FlowTable

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
SECOND = 10**9
HERE, THERE = "192.0.2.1", "198.51.100.2"

Sent = tuple[int, bytes]  # nanoseconds after EPOCH, and a packet from its IP header on


def trace(path: Path, sent: Sequence[Sent]) -> Path:
    records = [Record(data, sec=EPOCH + t // SECOND, fraction=t % SECOND) for t, data in sent]
    return write(path, pcap(records, RAW, magic=0xA1B23C4D))


def segment(flags: int = ACK, seq: int = 1, payload: bytes = b"", way: int = 0) -> bytes:
    """A TCP segment of one connection, from its client (way 0) or from its server."""
    ends = (HERE, THERE)[:: -1 if way else 1]
    ports = (1025, 80)[:: -1 if way else 1]
    return ipv4(tcp(payload, ports=ports, flags=flags, seq=seq), 6, src=ends[0], dst=ends[1])


def first_fragment(ident: int, src: str = HERE) -> bytes:
    return ipv4(udp(b"u" * 16, ports=(5000, 53)), 17, src=src, ident=ident, fragment=0x2000)


def later_fragment(ident: int, src: str = HERE) -> bytes:
    return ipv4(b"v" * 16, 17, src=src, ident=ident, fragment=0x0003)


def flows_of(table: FlowTable) -> list[natkit.Flow]:
    """All of them, in the order of their first packets."""
    return sorted([*list(table), *table.expired()], key=lambda flow: flow.number)


@pytest.fixture
def parts(tmp_path):
    """Makes a table for each of some parts of a trace, and one for the whole."""

    def make(*sent: Sequence[Sent], **settings) -> tuple[list[FlowTable], FlowTable]:
        tables = [FlowTable(**settings) for _ in sent]
        whole = FlowTable(**settings)
        for n, (table, part) in enumerate(zip(tables, sent, strict=True)):
            path = trace(tmp_path / f"{n}.pcap", part)
            table.add_trace(path)
            whole.add_trace(path)
        return tables, whole

    return make


# --- Two tables ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # the handshake, and its end
        ([segment(SYN, 9)], [segment(SYN | ACK, 4, way=1), segment(ACK, 10)]),
        ([segment(SYN, 9), segment(SYN | ACK, 4, way=1)], [segment(ACK, 10)]),
        ([segment(FIN | ACK, 9)], [segment(FIN | ACK, 4, way=1), segment(ACK, 10)]),
        ([segment(FIN | ACK), segment(FIN | ACK, way=1)], [segment(ACK)]),
        ([segment(FIN | ACK), segment(FIN | ACK, way=1)], [segment(SYN), segment(SYN)]),
        ([segment(RST)], [segment(ACK), segment(ACK)]),
        # what was sent before the border is sent again behind it
        ([segment(payload=b"abcd")], [segment(payload=b"abcd"), segment(seq=5, payload=b"ef")]),
        (
            [segment(payload=b"x" * 90)],
            [segment(seq=n * 9 + 1, payload=b"y" * 9) for n in range(12)],
        ),
        ([segment(seq=2**32 - 9, payload=b"x" * 20)], [segment(seq=2**32 - 3, payload=b"y" * 20)]),
        ([segment(seq=9, payload=b"ab")], [segment(seq=10, payload=b"b"), segment(payload=b"ab")]),
        # a SYN behind the border is another connection's, or comes again
        ([segment(SYN, 9), segment(seq=10, payload=b"ab")], [segment(SYN, 9), segment(seq=12)]),
        ([segment(SYN | ACK, 9)], [segment(SYN | ACK, 9), segment(seq=10, payload=b"ab")]),
        ([segment(SYN, 2**27), segment(seq=2**27 + 1, payload=b"ab")], [segment(SYN, 9)]),
        ([segment(seq=2**27, payload=b"ab")], [segment(SYN, 9), segment(SYN | ACK, 4, way=1)]),
        ([segment(seq=2**27, payload=b"ab")], [segment(SYN, 2**27 - 1)]),
        ([segment(ACK, 9), segment(seq=9, payload=b"ab", way=1)], [segment(SYN, 9)]),
        ([segment(ACK, 9, way=1)], [segment(SYN, 9), segment(SYN, 9)]),
        # the first packet behind the border comes back
        ([segment(payload=b"ab")], [segment(payload=b"cd", way=1), segment(payload=b"cd", way=1)]),
    ],
)
def test_a_connection_across_the_border(parts, before, after):
    sent = [(n * SECOND, data) for n, data in enumerate(before + after)]
    (one, other), whole = parts(sent[: len(before)], sent[len(before) :])
    assert one.merge(other) is True
    assert (one.packets, one.time_ns) == (whole.packets, whole.time_ns)
    assert flows_of(one) == flows_of(whole)


@pytest.mark.parametrize("gap", [4, 5, 5.000000001, 6])
def test_timeouts_at_the_border(parts, gap):
    sent = [(0, segment()), (SECOND, segment()), (round((1 + gap) * SECOND), segment())]
    (one, other), whole = parts(sent[:2], sent[2:], idle_timeout=5)
    assert one.merge(other) is True
    flows = flows_of(one)
    assert [flow.packets for flow in flows] == ([3] if gap <= 5 else [2, 1])
    assert flows == flows_of(whole)


def test_the_reason_is_that_of_the_whole(parts):
    """The parts would have been idle first; the whole is too old before."""
    sent = [(0, segment()), (4 * SECOND, segment()), (8 * SECOND, segment())]
    late = [(60 * SECOND, segment(seq=7))]
    (one, other), whole = parts(sent[:2], sent[2:] + late, idle_timeout=5, active_timeout=10)
    assert one.merge(other) is True
    ended = list(one.expired())
    assert [(flow.packets, flow.end_reason) for flow in ended] == [(3, 2)]
    assert ended == list(whole.expired())
    assert list(one) == list(whole)


def test_what_is_not_exact(parts):
    """Nothing changes with exact=True; without it the flows are joined all the same."""
    long = [(n * SECOND, segment()) for n in range(40)]
    fin = [(0, segment(FIN | ACK))]
    ack = [(0, segment(ACK, 9))]
    late_syn = [(SECOND, segment(payload=b"a")), (2 * SECOND, segment(SYN, 0))]
    then_syn = [(SECOND, segment(FIN | ACK, way=1)), (2 * SECOND, segment(SYN))]
    syn = [(0, segment(SYN, 9))]
    syn_with_data = [(SECOND, segment(SYN, 9, b"data"))]  # RFC 7413
    as_far_as_a_repeated_syn = [(0, segment(seq=10 + 2**17 - 2, payload=b"a"))]
    syn_and_data = [(SECOND, segment(SYN, 9)), (2 * SECOND, segment(seq=10, payload=b"data"))]
    # the SYN has room before the active timeout, a packet that comes later and was sent before none
    late_in_both = [(100 * SECOND, segment(seq=2**27)), (SECOND * 79 // 2, segment(seq=2**27))]
    then_earlier = [(SECOND * 79 // 2, segment(SYN, 9)), (SECOND * 77 // 2, segment(seq=10))]
    answer = [(0, segment(SYN | ACK, 2**20))]
    stray_answer = [(SECOND, segment(SYN | ACK, 2**21)), (2 * SECOND, segment(ACK, 2**20, b"a"))]
    data_and_stray_answer = [(SECOND, segment(ACK, 2**20 - 9, b"a")), stray_answer[0]]
    first = ipv4(udp(b"u" * 16), 17, ident=5, fragment=0x2000)
    later = ipv4(b"v" * 16, 17, ident=5, fragment=0x0003)
    ahead = [(0, segment(payload=b"x" * 1000))]
    behind = [(n, segment(seq=n * 2 + 1, payload=b"xx")) for n in range(1, 60)]
    for before, after, settings in (
        (long[:20], long[20:], {"active_timeout": 25}),
        (fin, then_syn, {}),
        (ack, late_syn, {}),
        (syn, syn_with_data, {}),
        (as_far_as_a_repeated_syn, syn_and_data, {}),
        (late_in_both, then_earlier, {"active_timeout": 61}),
        (answer, stray_answer, {}),
        (answer, data_and_stray_answer, {}),
        ([(0, first)], [(SECOND, later)], {}),
        (ahead, behind, {}),
        (long[20:], long[:20], {"idle_timeout": 90}),
    ):
        (one, other), _ = parts(before, after, **settings)
        unchanged = pickle.dumps(one)
        assert one.merge(other, exact=True) is False
        assert pickle.dumps(one) == unchanged
        assert one.merge(other, False) is False
        assert one.packets == len(before) + len(after)
        assert sum(flow.packets for flow in flows_of(one)) == one.packets


def test_fragments_too_late_for_a_table_that_ended_before(parts):
    """70 seconds behind the first packet of its table: that matters where the tables overlap."""
    first = ipv4(udp(b"u" * 16), 17, ident=5, fragment=0x2000)
    later = ipv4(b"v" * 16, 17, ident=5, fragment=0x0003)
    other = ipv4(udp(ports=(5, 6)), 17)
    before = [(0, other), (95 * SECOND, first), (100 * SECOND, other)]
    after = [(100 * SECOND, other), (170 * SECOND, later)]
    (one, two), whole = parts(before, after)
    assert one.merge(two, exact=True) is True
    assert flows_of(one) == flows_of(whole)
    early = [(50 * SECOND, other), (120 * SECOND, later)]
    for tables in (parts(before, early)[0], map(copy.copy, parts(before, early)[0])):
        one, two = tables
        assert one.merge(two, exact=True) is False


def test_a_connection_that_both_parts_close(parts):
    """One FIN in each: the later part alone was too old, the whole is closed."""
    before = [(0, segment(FIN | ACK))]
    after = [(SECOND, segment(FIN | ACK, way=1)), (30 * SECOND, ipv4(udp()))]
    (one, other), whole = parts(before, after, active_timeout=10)
    assert [flow.end_reason for flow in copy.copy(other).expired()] == [2]
    assert one.merge(other, exact=True) is True
    ended = list(one.expired())
    assert [(flow.packets, flow.end_reason) for flow in ended] == [(2, 3)]
    assert ended == list(whole.expired())
    assert list(one) == list(whole)


def test_a_flow_that_began_before_the_clock_has_less_room(parts):
    """Its first packet came 5 seconds late, of second 45 when the clock was at 50.

    With one of second 56 it would be 11 seconds long, by one more than the active timeout.
    """
    before = [(50 * SECOND, ipv4(udp())), (45 * SECOND, segment())]
    (one, other), whole = parts(before, [(56 * SECOND, segment())], active_timeout=10)
    assert one.merge(other, exact=True) is False
    assert one.merge(other) is False
    flows = flows_of(one)
    assert [(flow.number, flow.packets, flow.end_reason) for flow in flows] == [
        (0, 1, None), (1, 1, 2), (2, 1, None),
    ]  # fmt: skip
    assert flows == flows_of(whole)


def test_a_flow_ends_in_time_after_a_wrong_time_in_the_earlier_part(parts):
    """Its first packet has that time; the later part goes on where the clock went back to."""
    other = ipv4(udp())
    before, after = [(1000 * SECOND, segment()), (0, other)], [(5 * SECOND, segment())]
    (one, later), whole = parts(before, after, idle_timeout=50)
    assert one.merge(later, exact=True) is False
    one.merge(later)
    for seconds, ended in ((55, []), (56, [(0, 2, 1)])):
        packet = plt.packet.from_bytes(other, plt.TRACE_TYPE_NONE, (EPOCH + seconds) * SECOND)
        for table in (one, whole):
            table.add(packet)
            flows = [flow for flow in table.expired() if flow.proto == TCP]
            assert [(flow.number, flow.packets, flow.end_reason) for flow in flows] == ended


def test_numbers_half_way_around_are_in_no_order(parts):
    """RFC 9293 section 3.4 compares numbers modulo 2**32: 2**31 is neither before nor after."""
    half = segment(seq=1 + 2**31, payload=b"xx")
    (one, other), _ = parts([(0, segment(payload=b"xx"))], [(1, half)])
    assert one.merge(other, exact=True) is False
    one.merge(other)
    assert [flow.packets for flow in flows_of(one)] == [2]


def in_seconds(path: Path, *sent: tuple[int | None, bytes], **settings) -> FlowTable:
    """A table of packets so many seconds after EPOCH; None is the year 55,840.

    That is more than 64 bits of nanoseconds hold: such a packet has no time.
    """
    options = option(9, b"\0") + option(0, b"")
    blocks = [
        enhanced(packet, 1_700_000_000_000 if seconds is None else EPOCH + seconds)
        for seconds, packet in sent
    ]
    write(path, section() + interface(RAW, options=options) + b"".join(blocks))
    table = FlowTable(**settings)
    table.add_trace(path)
    return table


def test_a_later_table_without_times(tmp_path):
    """When its fragments came is not known, and so not which were too late."""
    path = trace(tmp_path / "x.pcap", [(0, segment())])
    for packet, settings, exact in (
        (segment(), {}, True),
        (segment(), {"active_timeout": 5}, False),
        (first_fragment(5), {}, False),
        (later_fragment(5), {}, False),
    ):
        other = in_seconds(tmp_path / "x.pcapng", (None, packet), **settings)
        one = FlowTable(**settings)
        one.add_trace(path)
        assert one.merge(other, exact=True) is exact
        assert one.packets == 1 + exact
        if not exact:
            assert one.merge(other) is False
            assert sum(flow.packets for flow in flows_of(one)) == one.packets == 2


@pytest.mark.parametrize(
    ("sent", "settings", "packets"),
    [
        ([(None, segment()), (1, segment())], {"idle_timeout": 5}, [1, 2]),
        ([(None, segment()), (1, segment())], {"active_timeout": 5}, [1, 2]),
        ([(None, later_fragment(5)), (1, first_fragment(5))], {}, [1, 2]),
        ([(None, first_fragment(5)), (1, later_fragment(5))], {}, [1, 2]),
    ],
    ids=["idle", "active", "later fragment", "first fragment"],
)
def test_a_later_table_that_begins_without_times(tmp_path, sent, settings, packets):
    """At its first packets the clock of a table of all is that of the earlier one's end."""
    first = (0, ipv4(udp()))
    one = in_seconds(tmp_path / "1.pcapng", first, **settings)
    other = in_seconds(tmp_path / "2.pcapng", *sent, **settings)
    whole = in_seconds(tmp_path / "x.pcapng", first, *sent, **settings)
    for later in (other, pickle.loads(pickle.dumps(other))):
        assert one.merge(later, exact=True) is False
    assert [flow.packets for flow in flows_of(whole)] == packets
    files = natkit.flows([tmp_path / "1.pcapng", tmp_path / "2.pcapng"], workers=2, **settings)
    assert [flow.packets for flow in flows_of(files)] == packets
    # nor is it of a table that was merged
    early = in_seconds(tmp_path / "0.pcapng", (None, ipv4(udp())), **settings)
    early.merge(one)
    early.merge(other)
    assert one.merge(early, exact=True) is False


@pytest.mark.parametrize("settings", [{"idle_timeout": 90}, {"active_timeout": 90}])
def test_a_later_table_that_begins_before_the_end(parts, settings):
    before, after = [(0, segment()), (9 * SECOND, ipv4(udp()))], [(5 * SECOND, segment(RST))]
    (one, other), whole = parts(before, after)
    assert one.merge(other, exact=True) is True
    assert flows_of(one) == flows_of(whole)
    (one, other), _ = parts(before, after, **settings)
    assert one.merge(other, exact=True) is False


def test_many_flows_into_a_table_of_few(parts):
    many = [(SECOND + n, ipv4(udp(ports=(n + 1, 53)))) for n in range(5000)]
    (one, other), whole = parts([(0, segment())], many)
    assert one.merge(other, exact=True) is True
    assert len(one) == 5001
    assert flows_of(one) == flows_of(whole)


@pytest.mark.parametrize(("seconds", "exact"), [(30, False), (60, False), (61, True)])
def test_a_first_fragment_that_others_have_waited_for(parts, seconds, exact):
    """60 seconds (RFC 8200 section 4.5): one that comes after that is not theirs."""
    waits = [(0, later_fragment(n)) for n in range(2000)]
    firsts = [(seconds * SECOND, first_fragment(n, "192.0.2.7")) for n in range(4000)]
    firsts.append((seconds * SECOND, first_fragment(7)))
    (one, other), whole = parts(waits, firsts)
    assert one.merge(other, exact=True) is exact
    if exact:
        assert flows_of(one) == flows_of(whole)
    assert [flow.packets for flow in whole if flow.src_port == 0] == [2000 if exact else 1999]


def test_a_first_fragment_from_before_the_clock_went_back(parts):
    """The later one is 70 seconds behind the border, and yet not behind its first one."""
    before = [(1000 * SECOND, first_fragment(5)), (0, ipv4(udp()))]
    after = [(SECOND, ipv4(udp())), (71 * SECOND, later_fragment(5))]
    (one, other), whole = parts(before, after)
    assert [flow.packets for flow in flows_of(whole)] == [2, 2]
    assert one.merge(other, exact=True) is False


def test_a_fragment_that_waited_in_vain_makes_no_other_flow(parts):
    """In one table its time is up at second 70, in two parts that is seen at second 80."""
    after = [(70 * SECOND, ipv4(udp())), (80 * SECOND, ipv4(udp()))]
    (one, other), whole = parts([(0, later_fragment(5))], after)
    assert one.merge(other, exact=True) is True
    assert flows_of(one) == flows_of(whole)


@pytest.mark.parametrize(
    ("before", "after", "exact"),
    [
        # more that wait than there is room for
        ([(0, later_fragment(n)) for n in range(2000)],
         [(1, later_fragment(n + 2000)) for n in range(2095)], True),
        ([(0, later_fragment(n)) for n in range(2000)],
         [(1, later_fragment(n + 2000)) for n in range(2096)], False),
        # in one table some would have given way to those whose first one came
        ([(0, later_fragment(n)) for n in range(2000)],
         [(1, later_fragment(n + 2000)) for n in range(2096)]
         + [(2, first_fragment(n + 2000)) for n in range(2096)], False),
        # more first ones, or more that were too late for them, than are remembered
        ([(0, later_fragment(0))], [(1, first_fragment(n + 1)) for n in range(8193)], False),
        ([(0, later_fragment(0))],
         [(1, later_fragment(n + 1)) for n in range(4097)]
         + [(62 * SECOND, later_fragment(5000))], False),
        ([(0, first_fragment(0))], [(1, later_fragment(n + 1)) for n in range(4096)], True),
        ([(0, first_fragment(0))], [(1, later_fragment(n + 1)) for n in range(4097)], False),
    ],
)  # fmt: skip
def test_more_fragments_than_are_remembered(parts, before, after, exact):
    (one, other), whole = parts(before, after)
    apart = copy.copy(one)
    assert one.merge(other, exact=True) is exact
    assert apart.merge(other) is exact
    assert apart.packets == whole.packets == len(before) + len(after)
    assert sum(flow.packets for flow in flows_of(apart)) == apart.packets
    if exact:
        assert flows_of(one) == flows_of(whole)


def test_flows_that_were_taken_out_are_missing(parts):
    sent = [(0, segment())], [(SECOND, segment()), (60 * SECOND, segment())]
    (one, other), _ = parts(*sent, idle_timeout=5)
    assert len(other.expired()) == 1
    assert one.merge(other, exact=True) is False


def test_empty_tables(parts):
    (one, empty), whole = parts([(0, segment())], [])
    assert one.merge(empty) is True
    assert flows_of(one) == flows_of(whole)
    assert empty.merge(one) is True
    assert flows_of(empty) == flows_of(whole)


def test_merging_leaves_the_other_as_it_is(parts):
    sent = [(n * SECOND // 2, segment(SYN if n % 5 == 0 else RST, n)) for n in range(40)]
    (one, other), _ = parts(sent[:20], sent[20:], idle_timeout=3)
    before = pickle.dumps(other)
    one.merge(other)
    assert pickle.dumps(other) == before


def test_merge_errors():
    table = FlowTable()
    with pytest.raises(ValueError, match="can't be merged with itself"):
        table.merge(table)
    home = FlowHome(from_s("192.0.2.0/24"))
    for other in (FlowTable(idle_timeout=4), FlowTable(active_timeout=4), FlowTable(home)):
        with pytest.raises(ValueError, match="other homes or timeouts"):
            table.merge(other)
        with pytest.raises(ValueError, match="other homes or timeouts"):
            other.merge(table)
    assert FlowTable(home).merge(FlowTable(FlowHome(from_s("192.0.2.7/24")))) is True
    with pytest.raises(TypeError):
        table.merge([])


# --- Any traffic in any parts --------------------------------------------------------------------


def traffic(rng: random.Random, count: int) -> list[Sent]:
    """Packets of few flows with all that makes merging hard."""
    hosts = [f"10.0.0.{n}" for n in range(1, rng.choice([2, 3, 5]) + 1)]
    ports = [1000, 1001, 80][: rng.choice([2, 3])]
    spread = rng.choice([3, 2000, 2**31, 2**32 - 1])
    seqs: dict[tuple[str, str, int, int], int] = {}
    sent, now = [], 0
    for _ in range(count):
        now += int(rng.choice([1, 1000, 10**6, 10**8, 10**9]) * rng.random())
        src, dst = rng.sample(hosts, 2)
        pair = (rng.choice(ports), rng.choice(ports))
        kind = rng.random()
        proto = 17
        if kind < 0.8:
            proto = 6
            flags = rng.choice([2, 18, 16, 16, 16, 24, 17, 17, 4, 20, 0, 1, 41])
            flags = flags if rng.random() < 0.5 else rng.choice([16, 24])
            end = (src, dst, *pair)
            seq = seqs.get(end, rng.randrange(2**32))
            if rng.random() < 0.3:
                seq = (seq + rng.randrange(spread) - spread // 2) % 2**32
            size = rng.choice([0, 1, 2, 100])
            seqs[end] = (seq + size) % 2**32
            data = tcp(b"x" * size, ports=pair, seq=seq, flags=flags)
        elif kind < 0.9:
            data = udp(b"y" * rng.choice([0, 30]), ports=pair)
        else:
            data = udp(b"z" * 16, ports=pair) if rng.random() < 0.7 else icmp(8)
        if kind < 0.9 and rng.random() < 0.2:
            packet = ipv6(data, proto, src=src.replace("10.0.0.", "fd00::"), dst="fd00::9")
        else:
            fragment = rng.choice([0x2000, 0x2001, 1, 3]) if kind >= 0.9 else 0
            ident = rng.choice([1, 2])
            packet = ipv4(data, proto, src=src, dst=dst, ident=ident, fragment=fragment)
        sent.append((now, b"\0" + packet if rng.random() < 0.02 else packet))
    if rng.random() < 0.2:  # time goes back now and then
        sent = [(max(0, t - rng.choice([0, 0, 0, SECOND])), packet) for t, packet in sent]
    if rng.random() < 0.2:  # some times are wrong, or the clock is set
        back = rng.choice([30, 61, 10**6]) * SECOND
        sent = [(t + (back if rng.random() < 0.03 else 0), packet) for t, packet in sent]
    return sent


@pytest.mark.parametrize("seed", range(120))
def test_any_parts_are_the_whole(tmp_path, seed):
    rng = random.Random(seed)
    sent = traffic(rng, rng.choice([5, 20, 60, 200]))
    idle = rng.choice([None, None, SECOND // 10, SECOND, 10 * SECOND])
    active = rng.choice([None, None, None, SECOND, 20 * SECOND])
    settings = {
        "idle_timeout": idle and idle / SECOND,
        "active_timeout": active and active / SECOND,
    }
    cuts = sorted(rng.randrange(len(sent) + 1) for _ in range(rng.choice([1, 2, 4])))
    paths = [
        trace(tmp_path / f"{n}.pcap", sent[start:end])
        for n, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(sent)], strict=True))
    ]
    nodes = [(FlowTable(**settings), [path]) for path in paths]
    for table, (path,) in nodes:
        table.add_trace(path)
    reference = Reference(None, idle, active)
    with plt.trace(trace(tmp_path / "all.pcap", sent)) as opened:
        reference.read(opened)
    while len(nodes) > 1:
        at = rng.randrange(len(nodes) - 1)
        (table, files), (later, later_files) = nodes[at : at + 2]
        if rng.random() < 0.3:
            table, later = copy.copy(table), pickle.loads(pickle.dumps(later))
        if not table.merge(later, exact=True):
            for path in later_files:
                table.add_trace(path)
        nodes[at : at + 2] = [(table, files + later_files)]
    table = nodes[0][0]
    counters = (reference.packets, reference.not_ip, reference.too_short, len(reference.flows))
    assert (table.packets, table.not_ip, table.too_short, len(table)) == counters
    assert all_facts(table) == reference.everything()


# --- natkit.flows() ------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """A capture in ten files, with flows across all borders."""
    sent = sorted(
        ((traffic_time, packet) for seed in range(6) for traffic_time, packet in
         traffic(random.Random(seed * 5 + 1), 400)), key=lambda item: item[0],
    )  # fmt: skip
    each = len(sent) // 10
    return [trace(tmp_path / f"{n:02}.pcap", sent[n * each : (n + 1) * each]) for n in range(10)]


def in_order(paths: Sequence[Path], **settings) -> FlowTable:
    table = FlowTable(**settings)
    for path in paths:
        table.add_trace(path)
    return table


SETTINGS = [
    {},
    {"idle_timeout": 0.5},
    {"active_timeout": 3},
    {"idle_timeout": 5, "active_timeout": 60},
]


@pytest.mark.parametrize("workers", [None, 1, 2, 7])
@pytest.mark.parametrize("settings", SETTINGS)
def test_flows_in_threads(files, settings, workers):
    table = natkit.flows(files, workers=workers, **settings)
    whole = in_order(files, **settings)
    assert table.packets == whole.packets
    assert list(table.expired()) == list(whole.expired())
    assert list(table) == list(whole)


def test_flows_of_one_file_and_with_all_settings(files):
    home = FlowHome(from_s("10.0.0.1/32"))
    expected = FlowTable(home, 2.0)
    expected.add_trace(files[0], "tcp")
    for uris in (str(files[0]), files[0], [files[0]], (f"pcapfile:{files[0]}",)):
        for chosen in ("tcp", plt.filter("tcp")):
            table = natkit.flows(uris, home=home, idle_timeout=2, filter=chosen)
            assert flows_of(copy.copy(table)) == flows_of(copy.copy(expected))


def test_flows_of_a_broken_file(files):
    """The error is that of the first broken file; what came before it is in its table."""
    files[4].write_bytes(files[4].read_bytes()[:-7])
    files[7].write_bytes(files[7].read_bytes()[:-7])
    whole = in_order(files[:4])
    with pytest.raises(plt.LibtraceError, match="cut within") as expected:
        whole.add_trace(files[4])
    for how in ({"workers": 1}, {"workers": 3}, {"client": Here()}):
        with pytest.raises(plt.LibtraceError) as raised:
            natkit.flows(files, **how)
        assert str(raised.value) == str(expected.value)
        assert "04.pcap" in str(raised.value)
        assert list(raised.value.table) == list(whole)


def test_flows_of_what_can_be_read_once(files, tmp_path):
    """A pipe and an open trace among files are read in their turn, and no second time."""
    pipes = [tmp_path / "one", tmp_path / "two"]
    settings = {"active_timeout": 3}  # with which merging is often not exact
    whole = in_order(files, **settings)

    def write_all() -> None:
        for pipe, path in zip(pipes, (files[3], files[4]), strict=True):
            pipe.write_bytes(path.read_bytes())

    for workers in (1, 2):
        for pipe in pipes:
            os.mkfifo(pipe)
        writer = threading.Thread(target=write_all, daemon=True)
        writer.start()
        with plt.trace(files[6]) as opened:
            sources = [*files[:3], *pipes, os.fsencode(files[5]), opened, *files[7:]]
            table = natkit.flows(sources, workers=workers, **settings)
        writer.join()
        assert flows_of(table) == flows_of(copy.copy(whole))
        for pipe in pipes:
            pipe.unlink()


def test_flows_of_one_open_trace(files):
    with plt.trace(files[0]) as opened:
        table = natkit.flows(opened)
        assert list(table) == list(in_order(files[:1]))
        with pytest.raises(TypeError, match=r"not plt\.trace objects"):
            natkit.flows([opened], client=object())
    assert list(natkit.flows(os.fsencode(files[0]))) == list(table)


def test_flows_gives_a_table_like_any_other(files):
    """What was kept for merging alone is gone, and a long trace gets its second thread."""
    table, whole = natkit.flows(files, workers=2), in_order(files)
    assert sys.getsizeof(table) <= sys.getsizeof(whole) + 2**16
    for path in files[:2]:
        assert table.add_trace(path) == whole.add_trace(path)
    assert list(table) == list(whole)


def test_flows_errors(files):
    with pytest.raises(ValueError, match="no sources to read"):
        natkit.flows([])
    with pytest.raises(ValueError, match="workers must be 1 or more, not 0"):
        natkit.flows(files, workers=0)
    for workers in (2.5, "2"):
        with pytest.raises(TypeError):
            natkit.flows(files, workers=workers)
    with pytest.raises(ValueError, match="idle_timeout must be seconds above 0"):
        natkit.flows(files, idle_timeout=-1)
    with pytest.raises(TypeError, match="home must be a FlowHome or None"):
        natkit.flows(files, home="192.0.2.0/24", workers=2)
    with pytest.raises(plt.LibtraceError):
        natkit.flows([*files, files[0].with_name("missing")], workers=2)
    # no thread stays behind
    assert not [t for t in threading.enumerate() if t.name.startswith("natkit-flows")]
