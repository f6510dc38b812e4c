"""natkit.FlowTable(tcp=True): the quality of TCP connections, by hand."""

import copy
import math
import pickle
import random
import struct
from pathlib import Path

import pytest
from flow_traces import HERE, SECOND, THERE, only, trace
from packets import EPOCH, RAW, enhanced, interface, ipv4, option, section, tcp, udp, write

import natkit
from natkit import Flow, FlowTable

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
MSS, SACK_OK = b"\x02\x04\x05\xb4", b"\x04\x02\x01\x01"  # 1460
TIMESTAMPS = b"\x08\x0a" + bytes(8) + b"\x01\x01"
CLIENT, SERVER = 1000, 5000  # the numbers of their SYNs


def scale(shift: int) -> bytes:
    return bytes([3, 3, shift, 1])


def sack(*blocks: tuple[int, int]) -> bytes:
    words = b"".join(struct.pack(">II", *block) for block in blocks)
    return b"\x01\x01\x05" + bytes([2 + len(words)]) + words


def there(seq: int = 1, ack: int = 1, payload: bytes = b"", flags: int = ACK, **rest) -> bytes:
    """A segment to the server, numbers counted from the SYNs."""
    numbers = {"seq": (CLIENT + seq) % 2**32, "ack": SERVER + ack if flags & ACK else 0}
    data = tcp(payload, ports=(1025, 80), flags=flags, **numbers, **rest)
    return ipv4(data, 6, src=HERE, dst=THERE)


def back(seq: int = 1, ack: int = 1, payload: bytes = b"", flags: int = ACK, **rest) -> bytes:
    numbers = {"seq": (SERVER + seq) % 2**32, "ack": CLIENT + ack if flags & ACK else 0}
    data = tcp(payload, ports=(80, 1025), flags=flags, **numbers, **rest)
    return ipv4(data, 6, src=THERE, dst=HERE)


@pytest.fixture
def flow(tmp_path):
    """Makes the flow of packets, one each 10 ms or with their times in seconds."""

    def make(*sent: bytes | tuple[float, bytes]) -> Flow:
        timed = [one if isinstance(one, tuple) else (n * 0.01, one) for n, one in enumerate(sent)]
        table = FlowTable(tcp=True)
        table.add_trace(trace(tmp_path / "x.pcap", timed))
        return only(table)

    return make


# --- Opt-in --------------------------------------------------------------------------------------


def test_only_where_it_is_asked_for(tmp_path):
    path = trace(tmp_path / "x.pcap", [(0, there(payload=b"x")), (1, ipv4(udp()))])
    plain, with_tcp = FlowTable(), FlowTable(tcp=True)
    plain.add_trace(path)
    with_tcp.add_trace(path)
    assert (plain.tcp, with_tcp.tcp) == (False, True)
    names = list(plain.columns())
    assert list(with_tcp.columns())[: len(names)] == names
    assert len(list(with_tcp.columns())) == len(names) + 19 * 2 + 6
    of_tcp, of_udp = with_tcp
    assert (of_tcp.fwd_unique_bytes, of_udp.fwd_unique_bytes) == (1, None)
    assert next(iter(plain)).fwd_unique_bytes is None
    for use in (lambda: plain.columns(["fwd_dsacks"]), lambda: plain.top(1, by="fwd_dsacks")):
        with pytest.raises(ValueError, match=r"'fwd_dsacks' is counted by FlowTable\(tcp=True\)"):
            use()
    with pytest.raises(ValueError, match="has tcp"):
        plain.merge(with_tcp)


# --- The handshake and its options ---------------------------------------------------------------


def test_handshake(flow):
    one = flow(
        (0.0, there(0, flags=SYN, options=MSS + SACK_OK + TIMESTAMPS + scale(7), window=500)),
        (0.03, back(0, flags=SYN | ACK, options=MSS + SACK_OK + scale(2), window=600)),
        (0.05, there(window=100)),
        (0.06, there(payload=b"abc", window=90)),
        (0.09, back(ack=4, window=50)),
        (0.10, back(ack=4, window=70)),
    )
    assert (one.server_rtt_ns, one.client_rtt_ns) == (30_000_000, 20_000_000)
    assert (one.sack, one.timestamps) == (True, False)
    assert (one.fwd_mss, one.rev_mss) == (1460, 1460)
    assert (one.fwd_window_scale, one.rev_window_scale) == (7, 2)
    assert (one.fwd_window_min, one.fwd_window_max) == (90 << 7, 100 << 7)
    assert (one.rev_window_min, one.rev_window_max) == (50 << 2, 70 << 2)
    assert (one.fwd_first_payload_time_ns - EPOCH * SECOND) == 60_000_000
    assert one.rev_first_payload_time_ns is None
    assert (one.fwd_longest_silence_ns, one.rev_longest_silence_ns) == (50_000_000, 60_000_000)
    # forward the SYN and the data, back the SYN with ACK
    assert (one.fwd_rtt_count, one.rev_rtt_count) == (2, 1)
    assert (one.fwd_rtt_min_ns, one.fwd_rtt_max_ns) == (30_000_000, 30_000_000)
    assert one.fwd_rtt_std_ns == 0
    assert one.rev_rtt_std_ns is None


def test_windows_are_scaled_where_both_syns_say_so(flow):
    one = flow(there(0, flags=SYN, options=scale(7)), back(0, flags=SYN | ACK), there(window=9))
    assert (one.fwd_window_scale, one.fwd_window_max, one.sack) == (7, 9, False)
    unseen = flow(there(window=9), back(window=8))
    assert (unseen.fwd_window_max, unseen.rev_window_min, unseen.sack) == (None, None, None)


def test_a_scale_above_14_counts_as_14(flow):  # RFC 7323 section 2.3
    syns = there(0, flags=SYN, options=scale(200)), back(0, flags=SYN | ACK, options=scale(15))
    one = flow(*syns, there(window=1), back(window=1))
    assert (one.fwd_window_max, one.rev_window_max) == (1 << 14, 1 << 14)


def test_a_syn_that_came_twice_tells_no_round_trip(flow):
    one = flow(there(0, flags=SYN), there(0, flags=SYN), back(0, flags=SYN | ACK), there())
    assert (one.server_rtt_ns, one.client_rtt_ns) == (None, 10_000_000)
    assert (one.fwd_rtt_count, one.fwd_resent_segments, one.fwd_resent_bytes) == (0, 1, 0)
    other = flow(
        *(there(0, flags=SYN), back(0, flags=SYN | ACK), back(0, flags=SYN | ACK), there())
    )
    assert (other.server_rtt_ns, other.client_rtt_ns) == (10_000_000, None)


def test_a_syn_or_an_answer_that_comes_again_later_changes_nothing(flow):
    """Nor does a segment without ACK end the handshake."""
    one = flow(
        (0.00, there(0, flags=SYN)),
        (0.01, back(0, flags=SYN | ACK)),
        (0.02, there(0, flags=SYN)),
        (0.03, there(payload=b"x", flags=0)),
        (0.04, there(2)),
        (0.05, back(0, flags=SYN | ACK)),
        (0.06, there(2)),
    )
    assert (one.server_rtt_ns, one.client_rtt_ns) == (10_000_000, 30_000_000)


def test_a_handshake_whose_time_goes_back_tells_no_round_trip(flow):
    one = flow((5, there(0, flags=SYN)), (4, back(0, flags=SYN | ACK)), (4.5, there()))
    assert (one.server_rtt_ns, one.client_rtt_ns) == (None, 500_000_000)
    other = flow((4, there(0, flags=SYN)), (5, back(0, flags=SYN | ACK)), (4.5, there()))
    assert (other.server_rtt_ns, other.client_rtt_ns) == (1_000_000_000, None)


@pytest.mark.parametrize(
    "options",
    [
        b"\x02\x03\x05\x01" + b"\x04\x03\x01\x01" + b"\x03\x04\x07\x01",  # too long or too short
        b"\x08\x09" + bytes(7) + b"\x01\x01\x01",
        b"\x02\x02\x04\x04\x01\x01\x03\x02",
    ],
)
def test_options_of_a_wrong_length_are_none(flow, options):
    """RFC 9293 section 3.2: MSS has 4 bytes; RFC 7323: scale 3, timestamps 10; RFC 2018: 2."""
    right = MSS + SACK_OK + TIMESTAMPS + scale(3)
    syns = there(0, flags=SYN, options=options), back(0, flags=SYN | ACK, options=right)
    one = flow(*syns, there(window=5), back(window=6))
    assert (one.fwd_mss, one.rev_mss) == (None, 1460)
    assert (one.sack, one.timestamps) == (False, False)
    assert (one.fwd_window_scale, one.rev_window_scale) == (None, 3)
    assert (one.fwd_window_max, one.rev_window_max) == (5, 6)


def test_options_that_belong_to_a_syn_are_none_elsewhere(flow):
    """RFC 9293 section 3.2, RFC 7323 section 2.2, RFC 2018 section 2."""
    syns = there(0, flags=SYN), back(0, flags=SYN | ACK)
    one = flow(*syns, there(window=5, options=MSS + SACK_OK + scale(3) + TIMESTAMPS))
    assert (one.fwd_mss, one.sack, one.timestamps) == (None, False, False)
    assert one.fwd_window_max == 5


# --- Round trips ---------------------------------------------------------------------------------


def test_round_trips_of_seconds(flow):
    """5, 10 and 30 s: a mean of 15 s and a deviation of sqrt((100 + 25 + 225) / 2)."""
    one = flow(
        (0, there(1, payload=b"a")),
        (5, back(ack=2)),
        (100, there(2, payload=b"b")),
        (110, back(ack=3)),
        (200, there(3, payload=b"c")),
        (230, back(ack=4)),
    )
    assert (one.fwd_rtt_count, one.fwd_rtt_mean_ns) == (3, 15 * SECOND)
    assert one.fwd_rtt_std_ns == pytest.approx(math.sqrt(175) * SECOND, abs=1)


@pytest.mark.parametrize(("acked", "count"), [(9.9, 0), (10, 1), (1109, 1), (1110, 0)])
def test_an_ack_before_its_segment_or_long_after_tells_no_round_trip(flow, acked, count):
    """2**40 nanoseconds, the longest, are 1099.5 s."""
    one = flow((10, there(1, payload=b"a")), (acked, back(ack=2)))
    assert one.fwd_rtt_count == count
    assert one.fwd_rtt_max_ns == (round(acked - 10) * SECOND if count else None)


def untimed(path: Path, sent: list[tuple[int | None, bytes]]) -> Path:
    """A trace of packets at nanoseconds; None is one that signed 64 bits don't hold."""
    head = section() + interface(RAW, options=option(9, b"\x09") + option(0, b""))
    blocks = [enhanced(data, 2**63 if time is None else time) for time, data in sent]
    return write(path, head + b"".join(blocks))


def test_segments_whose_times_are_not_known(tmp_path):
    def make(*sent: tuple[int | None, bytes]) -> Flow:
        table = FlowTable(tcp=True)
        table.add_trace(untimed(tmp_path / "x.pcapng", list(sent)))
        return only(table)

    syn, answer = there(0, flags=SYN), back(0, flags=SYN | ACK)
    one = make((None, syn), (20, answer), (50, there()))
    assert (one.server_rtt_ns, one.client_rtt_ns, one.fwd_rtt_count) == (None, 30, 0)
    assert one.fwd_longest_silence_ns is None
    one = make((10, syn), (None, answer), (50, there()))
    assert (one.server_rtt_ns, one.client_rtt_ns) == (None, None)
    assert (one.fwd_rtt_count, one.rev_rtt_count, one.fwd_longest_silence_ns) == (0, 0, 40)
    segments = [there(n, payload=b"a") for n in (1, 2, 3)]
    acks = [back(ack=n) for n in (2, 3, 4)]
    one = make(
        (None, segments[0]), (5, acks[0]),
        (10, segments[1]), (None, acks[1]),
        (20, segments[2]), (27, acks[2]),
    )  # fmt: skip
    assert (one.fwd_rtt_count, one.fwd_rtt_max_ns) == (1, 7)
    assert one.fwd_first_payload_time_ns == 10


def test_round_trips(flow):
    """Mean and deviation of 10, 20 and 60 ms: 30 ms and sqrt((400 + 100 + 900) / 2)."""
    one = flow(
        (0.000, there(1, payload=b"a")),
        (0.010, back(ack=2)),
        (0.100, there(2, payload=b"b")),
        (0.110, there(3, payload=b"c")),
        (0.130, back(ack=4)),  # of the last that it acknowledges
        (0.200, there(4, payload=b"d")),
        (0.260, back(ack=5)),
    )
    assert one.fwd_rtt_count == 3
    assert (one.fwd_rtt_min_ns, one.fwd_rtt_max_ns) == (10_000_000, 60_000_000)
    assert one.fwd_rtt_mean_ns == 30_000_000
    assert one.fwd_rtt_std_ns == pytest.approx(math.sqrt(700) * 1e6, abs=1)


def test_karn(flow):
    """No round trip of a segment sent again, nor of one that waited for it; one of the first."""
    one = flow(
        (0.00, there(1, payload=b"aaaa")),
        (0.01, there(5, payload=b"bbbb")),
        (0.02, there(9, payload=b"cccc")),
        (0.03, there(5, payload=b"bbbb")),
        (0.04, back(ack=5)),
        (0.05, back(ack=9)),
        (0.06, back(ack=13)),
    )
    assert (one.fwd_rtt_count, one.fwd_rtt_min_ns) == (1, 40_000_000)
    assert (one.fwd_resent_segments, one.fwd_resent_bytes, one.fwd_unique_bytes) == (1, 4, 12)


def test_an_ack_in_the_midst_of_a_segment_tells_nothing(flow):
    one = flow(there(1, payload=b"aaaa"), back(ack=3), back(ack=5))
    assert (one.fwd_rtt_count, one.fwd_rtt_max_ns) == (1, 20_000_000)


def test_sixteen_segments_are_waited_for(flow):
    sent = [there(1 + n, payload=b"a") for n in range(20)]
    acks = [back(ack=2 + n) for n in range(20)]
    assert flow(*sent, *acks).fwd_rtt_count == 16
    assert flow(*(one for pair in zip(sent, acks, strict=True) for one in pair)).fwd_rtt_count == 20


# --- Sequence numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("first", [CLIENT, 2**32 - 5, 2**31 - 5])
@pytest.mark.parametrize(
    ("ranges", "resent", "resent_bytes", "unique", "late"),
    [
        ([(1, 11), (11, 21)], 0, 0, 20, 0),
        ([(1, 11), (1, 11)], 1, 10, 10, 0),
        ([(1, 11), (6, 16)], 1, 5, 15, 0),  # half of it is new
        ([(1, 11), (21, 31), (11, 21)], 0, 0, 30, 1),  # late
        ([(1, 11), (21, 31), (11, 21), (11, 21)], 1, 10, 30, 1),
        ([(1, 11), (31, 41), (16, 26), (11, 31)], 1, 10, 40, 1),  # both ends of the gap are new
        ([(1, 11), (31, 41), (6, 36)], 1, 10, 40, 0),  # more than the gap
        ([(1, 11), (31, 41), (31, 51), (11, 31)], 1, 10, 50, 1),
        ([(1, 11), (10, 11)], 0, 0, 10, 0),  # a keep-alive
        ([(1, 11), (9, 10)], 1, 1, 10, 0),
    ],
)
def test_ranges(flow, monkeypatch, first, ranges, resent, resent_bytes, unique, late):
    monkeypatch.setattr(f"{__name__}.CLIENT", first)
    one = flow(*(there(start, payload=b"x" * (end - start)) for start, end in ranges))
    assert (one.fwd_resent_segments, one.fwd_resent_bytes) == (resent, resent_bytes)
    assert (one.fwd_unique_bytes, one.fwd_out_of_order) == (unique, late)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_segments(flow, seed):
    """Against a set of all numbers that were seen, with no more gaps than are remembered."""
    rng = random.Random(seed)
    seen, sent = set(), []
    resent = resent_bytes = late = 0
    for _ in range(60):
        start = rng.randrange(0, 60, 5) if sent else 0
        numbers = set(range(start, start + rng.randrange(2, 12)))
        below = {number for number in numbers if seen and number <= max(seen)}
        resent += bool(below & seen)
        resent_bytes += len(below & seen)
        late += bool(below) and not below & seen
        seen |= numbers
        sent.append(there(1 + start, payload=b"x" * len(numbers)))
    one = flow(*sent)
    assert (one.fwd_resent_segments, one.fwd_resent_bytes) == (resent, resent_bytes)
    assert (one.fwd_out_of_order, one.fwd_unique_bytes) == (late, len(seen))


def test_gaps_beyond_the_eighth_are_forgotten(flow):
    gaps = [there(1 + 20 * n, payload=b"x" * 10) for n in range(11)]  # ten gaps
    late = [there(11 + 20 * n, payload=b"x" * 10) for n in range(10)]
    one = flow(*gaps, *late)
    assert (one.fwd_out_of_order, one.fwd_resent_segments) == (8, 2)


def test_a_syn_with_a_byte_that_comes_again(flow):  # RFC 7413
    one = flow(there(0, payload=b"x", flags=SYN), there(0, payload=b"x", flags=SYN))
    assert (one.fwd_resent_segments, one.fwd_resent_bytes, one.fwd_unique_bytes) == (1, 1, 1)


def test_an_answer_with_a_number_past_those_that_were_sent_is_forged(flow):
    """No SYN comes after what a connection has sent: the numbers before it are not late."""
    one = flow(
        back(1, payload=b"x" * 10),
        back(40, flags=SYN | ACK),
        back(11, payload=b"x" * 10),
    )
    assert (one.fwd_unique_bytes, one.fwd_out_of_order, one.fwd_resent_segments) == (20, 0, 0)


def test_forged_numbers(flow):
    """One far away changes nothing; two that follow each other do."""
    far = 2**30
    one = flow(
        there(1, payload=b"x" * 10),
        there(far, payload=b"x" * 10),
        there(-far, payload=b"x" * 10),
        there(11, payload=b"x" * 10),
        there(11, payload=b"x" * 10),
    )
    assert (one.fwd_unique_bytes, one.fwd_resent_segments) == (20, 1)
    other = flow(
        there(1, payload=b"x" * 10),
        there(far, payload=b"x" * 10),
        there(far + 10, payload=b"x" * 10),
        there(far + 10, payload=b"x" * 10),
    )
    assert (other.fwd_unique_bytes, other.fwd_resent_segments) == (20, 1)


# --- ACKs ----------------------------------------------------------------------------------------


def test_duplicate_acks(flow):
    """RFC 5681 section 2, each of its conditions."""
    outstanding = there(1, payload=b"x" * 10)
    repeated = [back(ack=1), back(ack=1), back(ack=1)]
    assert flow(outstanding, *repeated).rev_dup_acks == 2
    assert flow(*repeated).rev_dup_acks == 0  # nothing is outstanding
    assert flow(outstanding, back(ack=11), back(ack=11)).rev_dup_acks == 0
    assert flow(outstanding, back(ack=1), back(ack=1, window=9)).rev_dup_acks == 0
    assert flow(outstanding, back(ack=1), back(ack=1, payload=b"y")).rev_dup_acks == 0
    assert flow(outstanding, back(ack=1), back(ack=1, flags=ACK | FIN)).rev_dup_acks == 0
    assert flow(outstanding, back(ack=5), back(ack=1)).rev_dup_acks == 0


def test_sack(flow):
    """RFC 2018, and RFC 2883 section 4: a first block below the ACK, or within the second."""
    base = CLIENT
    one = flow(
        there(1, payload=b"x" * 100),
        back(ack=11, options=sack((base + 21, base + 31))),
        back(ack=11, options=sack((base + 41, base + 51), (base + 21, base + 31))),
        back(ack=11, options=sack((base + 1, base + 6))),
        back(ack=11, options=sack((base + 25, base + 28), (base + 21, base + 31))),
        back(ack=11, options=sack((base + 21, base + 31), (base + 41, base + 51))),
    )
    assert (one.rev_sack_blocks, one.rev_dsacks) == (8, 2)


def test_zero_windows(flow):
    one = flow(back(window=0), back(window=0), back(window=0, flags=RST), back(window=5))
    assert one.fwd_zero_windows == 2
    assert flow(back(window=0, flags=ACK | FIN)).fwd_zero_windows == 0


# --- The end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "by", "how"),
    [
        ([there()], None, None),
        ([there(flags=FIN | ACK)], "fwd", "half"),
        ([there(), back(flags=FIN | ACK), there(flags=FIN | ACK)], "rev", "fin"),
        ([there(), back(flags=RST)], "rev", "reset"),
        ([there(flags=FIN | ACK), back(flags=RST)], "fwd", "fin_reset"),
    ],
)
def test_who_closed(flow, sent, by, how):
    one = flow(*sent)
    assert (one.closed_by, one.closed_how) == (by, how)


# --- Parts ---------------------------------------------------------------------------------------


def conversation(rng: random.Random) -> list[tuple[float, bytes]]:
    """Packets of three connections and of UDP, some of them late, lost or twice."""
    sent, now = [], 0.0
    for _ in range(80):
        now += rng.choice([0.001, 0.02])
        kind = rng.randrange(6)
        ack = rng.randrange(1, 60)
        if kind == 0:
            sent.append((now, ipv4(udp())))
        elif kind == 1:
            sent.append((now, there(0, flags=SYN, options=MSS + scale(3))))
        elif kind == 2:
            sent.append((now, back(1, ack, flags=rng.choice([ACK, ACK, ACK, FIN | ACK]))))
        else:
            payload = b"x" * rng.randrange(20)
            sent.append((now, there(rng.randrange(1, 60), ack, payload)))
    return sent


def flows_of(table: FlowTable) -> list[Flow]:
    return sorted([*table, *table.expired()], key=lambda flow: flow.number)


@pytest.mark.parametrize("seed", range(25))
def test_files_cut_anywhere(tmp_path, seed):
    """natkit.flows() of parts, tables pickled in between, and merging where it is exact."""
    rng = random.Random(seed)
    sent = conversation(rng)
    settings = {"tcp": True, "idle_timeout": rng.choice([None, 0.015])}
    whole = FlowTable(**settings)
    whole.add_trace(trace(tmp_path / "whole.pcap", sent))
    cuts = sorted(rng.sample(range(1, len(sent)), 3))
    parts = [
        trace(tmp_path / f"{n}.pcap", sent[start:end])
        for n, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(sent)], strict=True))
    ]
    expected = flows_of(whole)
    assert flows_of(natkit.flows(parts, **settings, workers=2)) == expected
    resumed = FlowTable(**settings)
    merged = FlowTable(**settings)
    for path in parts:
        resumed.add_trace(path)
        resumed = pickle.loads(pickle.dumps(resumed))
        later = FlowTable(**settings)
        later.add_trace(path)
        if not merged.merge(later, exact=True):
            merged.add_trace(path)
    assert flows_of(resumed) == expected
    assert flows_of(merged) == expected


def test_a_connection_across_the_border_is_not_exact(tmp_path):
    one, other = FlowTable(tcp=True), FlowTable(tcp=True)
    one.add_trace(trace(tmp_path / "0.pcap", [(0, there(1, payload=b"x"))]))
    other.add_trace(trace(tmp_path / "1.pcap", [(1, there(1, payload=b"x" * 10))]))
    assert one.merge(other, exact=True) is False
    assert only(one).fwd_unique_bytes == 1
    assert one.merge(other) is False
    assert only(one).packets == 2
    apart = FlowTable(tcp=True)
    apart.add_trace(trace(tmp_path / "2.pcap", [(2, ipv4(udp()))]))
    assert one.merge(apart) is True


def shorter(start: float) -> list[tuple[float, bytes]]:
    """Round trips of 10 ms each way, a window of 100."""
    return [
        (start, there(0, flags=SYN)),
        (start + 0.01, back(0, flags=SYN | ACK)),
        (start + 0.02, there(window=100)),
    ]


def longer(start: float) -> list[tuple[float, bytes]]:
    """Round trips of 30 and 20 ms forward and 20 ms back, windows of 50 and 200."""
    return [
        (start, there(0, flags=SYN)),
        (start + 0.03, back(0, flags=SYN | ACK)),
        (start + 0.05, there(window=50)),
        (start + 0.06, there(payload=b"abc", window=200)),
        (start + 0.08, back(ack=4, window=70)),
    ]


@pytest.mark.parametrize(
    ("earlier", "later", "server_rtt"), [(shorter, longer, 10), (longer, shorter, 30)]
)
def test_connections_of_the_same_ports_are_joined(tmp_path, earlier, later, server_rtt):
    one, other = FlowTable(tcp=True), FlowTable(tcp=True)
    one.add_trace(trace(tmp_path / "0.pcap", earlier(0)))
    other.add_trace(trace(tmp_path / "1.pcap", later(1)))
    one.merge(other)
    joined = only(one)
    assert joined.packets == 8
    assert (joined.fwd_rtt_count, joined.rev_rtt_count) == (3, 2)
    assert (joined.fwd_rtt_min_ns, joined.fwd_rtt_max_ns) == (10_000_000, 30_000_000)
    assert joined.fwd_rtt_mean_ns == 20_000_000
    assert (joined.rev_rtt_min_ns, joined.rev_rtt_max_ns) == (10_000_000, 20_000_000)
    assert (joined.fwd_window_min, joined.fwd_window_max) == (50, 200)
    assert (joined.rev_window_min, joined.rev_window_max) == (70, 70)
    assert joined.server_rtt_ns == server_rtt * 1_000_000


def test_round_trips_are_counted_up_to_32_bits(tmp_path):
    """A connection that is joined with itself again and again, and then goes on."""
    table = FlowTable(tcp=True)
    sent = [(0, there(1, payload=b"x")), (0.01, back(ack=2))]
    table.add_trace(trace(tmp_path / "0.pcap", sent))
    for doublings, count in ((31, 2**31), (2, 2**32 - 1)):
        for _ in range(doublings):
            table.merge(copy.copy(table))
        assert only(table).fwd_rtt_count == count
    more = [(1, there(2, payload=b"y")), (1.005, back(ack=3))]
    table.add_trace(trace(tmp_path / "1.pcap", more))
    flow = only(table)
    assert (flow.packets, flow.fwd_unique_bytes) == (2 * 2**33 + 2, 2**33 + 1)
    assert (flow.fwd_rtt_count, flow.fwd_rtt_min_ns) == (2**32 - 1, 10_000_000)


def test_flows_are_copied_and_pickled(flow):
    one = flow(there(1, payload=b"abc"), back(ack=4))
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert again.fwd_rtt_mean_ns == 10_000_000
    assert one != flow(there(1, payload=b"abc"), back(ack=4), back(ack=4))


def test_flows_that_ended_keep_their_quality(tmp_path):
    table = FlowTable(tcp=True, idle_timeout=1)
    sent = [(5.0 * n, there(1 + 10 * n, payload=b"x" * (n + 1))) for n in range(4)]
    table.add_trace(trace(tmp_path / "x.pcap", sent))
    ended = table.expired()
    assert [one.fwd_unique_bytes for one in ended] == [1, 2, 3]
    assert [one.fwd_unique_bytes for one in ended[1:]] == [2, 3]
    assert ended.columns(["fwd_unique_bytes"])["fwd_unique_bytes"].tolist() == [1, 2, 3]
    assert [one.fwd_unique_bytes for one in pickle.loads(pickle.dumps(ended))] == [1, 2, 3]


# --- Adversaries ---------------------------------------------------------------------------------


def test_a_track_does_not_grow(tmp_path: Path):
    """Segments of any number, window and option take no more memory than one."""
    rng = random.Random(7)

    def packet() -> bytes:
        flags = rng.randrange(4096)
        options = rng.randbytes(rng.randrange(11) * 4)
        numbers = {"seq": rng.randrange(2**32), "ack": rng.randrange(2**32)}
        data = tcp(bytes(rng.randrange(3)), ports=(1025, 80), flags=flags & ~SYN, options=options,
                   window=rng.randrange(65536), **numbers)  # fmt: skip
        return ipv4(data, 6, src=HERE, dst=THERE)

    one, many = FlowTable(tcp=True), FlowTable(tcp=True)
    one.add_trace(trace(tmp_path / "one.pcap", [(0, there())]))
    many.add_trace(trace(tmp_path / "many.pcap", [(n * 1e-6, packet()) for n in range(20000)]))
    assert only(many).packets == 20000
    assert abs(many.__sizeof__() - one.__sizeof__()) < 4096
    assert pickle.loads(pickle.dumps(many))[only(many).fwd_key] == only(many)


def test_slots_of_flows_that_were_handed_over_are_used_anew(tmp_path):
    """Nothing of an earlier connection is left in a later one, and memory does not grow."""
    table = FlowTable(tcp=True, idle_timeout=1)
    sizes = set()
    for n in range(40):
        start = n * 10
        sent = [
            (start, there(0, flags=SYN, options=MSS)),
            (start + 0.02, back(0, flags=SYN | ACK, options=MSS)),
            (start + 0.05, there(1, payload=b"x" * (n + 1))),
            (start + 0.06, there(1, payload=b"x" * (n + 1))),  # sent twice
        ]
        ended = []
        table.add_trace(trace(tmp_path / f"{n}.pcap", sent))
        ended = list(table.expired())
        if n == 0:
            assert ended == []
        else:
            [flow] = ended
            assert (flow.packets, flow.fwd_payload_bytes, flow.fwd_unique_bytes) == (4, 2 * n, n)
            assert (flow.server_rtt_ns, flow.client_rtt_ns) == (SECOND // 50, SECOND * 3 // 100)
        del ended
        sizes.add(table.__sizeof__())
    assert len(sizes) <= 2


def test_a_syn_of_another_number_begins_relative_numbers_anew(tmp_path):
    """RFC 9293 section 3.4.1: a SYN takes the number before the first byte's."""
    answers = [
        (0, there(0, flags=SYN)),  # CLIENT
        (0.1, back(0, flags=SYN | ACK)),
        (0.2, there(1, payload=b"x")),
        (0.3, there(5000, flags=SYN)),  # CLIENT + 5000: another connection of the same ends
        (0.4, back(9000, 5001, flags=SYN | ACK)),
        (0.5, there(5001, 9001, payload=b"y")),
    ]
    columns = natkit.packets(
        trace(tmp_path / "t.pcap", answers), ["flow", "tcp.rel_seq", "tcp.rel_ack"], tcp=True
    ).table()
    assert columns["tcp.rel_seq"].tolist() == [0, 0, 1, 0, 0, 1]
    assert columns["tcp.rel_ack"].tolist()[-1] == 1


def test_an_older_syn_begins_relative_numbers_anew_where_the_flow_goes_on(tmp_path):
    """Its number was passed, so that it may be the same connection's; that of its answer counts.

    One of the same number begins nothing.
    """
    sent = [
        (0, there(5000, flags=SYN)),
        (0.1, back(0, 5001, flags=SYN | ACK)),
        (0.12, there(5000, flags=SYN)),
        (0.14, back(7, 5001, payload=b"x")),
        (0.2, there(4000, flags=SYN)),
        (0.3, back(700, 4001, flags=SYN | ACK)),
        (0.4, there(4001, 701, payload=b"y")),
    ]
    found = natkit.packets(
        trace(tmp_path / "t.pcap", sent), ["flow", "tcp.rel_seq", "tcp.rel_ack"]
    ).table()
    assert found["flow"].tolist() == [0] * 7
    assert found["tcp.rel_seq"].tolist() == [0, 0, 0, 7, 0, 0, 1]
    assert found["tcp.rel_ack"].tolist()[5:] == [1, 1]


def test_more_flows_than_there_is_room_for_at_first(tmp_path):
    """Each packet keeps the number of its flow, in the order in which they began."""
    sent = [(n / 1000, ipv4(udp(ports=(n + 1, 53)))) for n in range(5000)]
    found = natkit.packets(trace(tmp_path / "t.pcap", sent + sent), ["flow"]).table()
    assert found["flow"].tolist() == [*range(5000), *range(5000)]
