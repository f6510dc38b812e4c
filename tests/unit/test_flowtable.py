"""natkit.FlowTable: what it counts, against arithmetic by hand and the RFCs."""

import ipaddress
import itertools
import operator
import pickle
from random import Random

import pytest
from flow_traces import (
    ACK,
    FIN,
    HERE,
    PSH,
    RST,
    SECOND,
    SYN,
    THERE,
    back,
    only,
    there,
    trace,
)
from packets import (
    EPOCH,
    ETH,
    Record,
    block,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    pcap,
    udp,
    write,
)

import natkit
import plt
from ipp import from_s
from natkit import FlowHome, FlowTable, IPflow

# --- Counting ------------------------------------------------------------------------------------


def test_a_connection(counted):
    flow = only(
        counted(
            [
                (0.0, there(flags=SYN, seq=100)),
                (0.25, back(flags=SYN | ACK, seq=500)),
                (0.5, there(seq=101)),
                (1.0, there(b"GET /", ACK | PSH, 101)),
                (1.5, back(b"x" * 1000, ACK, 501)),
                (2.0, there(seq=106)),
            ]
        )
    )
    assert (flow.version, flow.proto, flow.src_port, flow.dst_port) == (4, 6, 1025, 80)
    assert (str(flow.src_prefix), str(flow.dst_prefix)) == (HERE, THERE)
    assert flow.src_prefix.length is None
    key = bytes([4, 6, 4, 1, 0, 80]) + ipaddress.ip_address(HERE).packed
    assert flow.fwd_key == key + ipaddress.ip_address(THERE).packed
    assert flow.ipflow == IPflow.from_key(flow.fwd_key)
    assert flow.rev_key == flow.ipflow.rev_key
    assert (flow.packets, flow.fwd_packets, flow.rev_packets) == (6, 4, 2)
    # headers are 40 bytes, and raw IP has no link layer
    assert (flow.fwd_ip_bytes, flow.rev_ip_bytes) == (4 * 40 + 5, 2 * 40 + 1000)
    assert (flow.fwd_bytes, flow.rev_bytes) == (4 * 40 + 5, 2 * 40 + 1000)
    assert (flow.fwd_payload_bytes, flow.rev_payload_bytes) == (5, 1000)
    assert (flow.bytes, flow.ip_bytes, flow.payload_bytes) == (1245, 1245, 1005)
    assert (flow.fwd_tcp_flags, flow.rev_tcp_flags) == (SYN | ACK | PSH, SYN | ACK)
    begin = EPOCH * SECOND
    assert (flow.first_time_ns, flow.last_time_ns) == (begin, begin + 2 * SECOND)
    assert (flow.fwd_first_time_ns, flow.fwd_last_time_ns) == (begin, begin + 2 * SECOND)
    assert flow.rev_first_time_ns == begin + SECOND // 4
    assert flow.rev_last_time_ns == begin + 3 * SECOND // 2
    assert flow.duration_ns == 2 * SECOND
    assert flow.rtt_ns == SECOND // 4
    assert (flow.state, flow.end_reason, flow.number, flow.vlan_id) == ("established", None, 0, 0)
    assert (flow.retransmits, flow.fwd_retransmits, flow.rev_retransmits) == (0, 0, 0)
    assert str(flow) == f"TCP {HERE} port 1025 to {THERE} port 80: 6 packets, 1245 bytes"
    assert repr(flow) == f"<natkit.Flow: {flow}>"


def test_udp_over_ipv6_one_way(counted):
    packet = ipv6(udp(b"q" * 30, ports=(4000, 53)), 17)
    flow = only(counted([(0, packet), (1, packet)]))
    assert (flow.version, flow.proto, flow.fwd_packets, flow.rev_packets) == (6, 17, 2, 0)
    assert (flow.fwd_ip_bytes, flow.fwd_payload_bytes) == (2 * (40 + 8 + 30), 60)
    assert (flow.rev_first_time_ns, flow.rev_last_time_ns) == (None, None)
    tcp_only = ("state", "rtt_ns", "fwd_tcp_flags", "rev_tcp_flags", "retransmits")
    assert [getattr(flow, name) for name in tcp_only] == [None] * 5
    assert len(flow.fwd_key) == 38


def test_what_is_on_the_wire_beside_what_ip_says(tmp_path):
    padded = ethernet(ipv4(udp(b"ab"), 17)).ljust(60, b"\0")
    path = write(tmp_path / "x.pcap", pcap([Record(padded[:44], wire=60)], ETH))
    table = FlowTable()
    assert table.add_trace(path) == 1
    flow = only(table)
    # 60 and 4 of the FCS; 20 of IP, 8 of UDP and 2
    assert (flow.bytes, flow.ip_bytes, flow.payload_bytes) == (64, 30, 2)


@pytest.mark.parametrize(
    ("changed", "sizes"),
    [
        # a total length past the end of the frame: what was captured counts
        (lambda p: p[:2] + b"\xff\xff" + p[4:], (32, 4)),
        # none, as a network card hands over what it is still to cut into segments
        (lambda p: p[:2] + b"\0\0" + p[4:], (32, 4)),
        # less than the headers
        (lambda p: p[:2] + b"\0\x15" + p[4:], (21, 0)),
    ],
)
def test_wrong_lengths(counted, changed, sizes):
    flow = only(counted([(0, changed(ipv4(udp(b"abcd"), 17)))]))
    assert (flow.ip_bytes, flow.payload_bytes) == sizes
    assert flow.bytes == 32


def test_no_next_header(tmp_path):
    """An empty IPv6 packet (RFC 8200 section 4.7) in the shortest Ethernet frame."""
    path = write(
        tmp_path / "x.pcap", pcap([Record(ethernet(ipv6(b"", 59), 0x86DD).ljust(60, b"\0"))], ETH)
    )
    table = FlowTable()
    table.add_trace(path)
    assert only(table).ip_bytes == 40


def test_what_is_in_no_flow(tmp_path):
    packets = [
        ethernet(b"arp", 0x0806),
        ethernet(ipv4(udp())[:17]),
        ethernet(ipv4(udp())),
        ethernet(ipv6(udp())[:30], 0x86DD),
    ]
    table = FlowTable()
    assert table.add_trace(write(tmp_path / "x.pcap", pcap(packets, ETH))) == 4
    assert (table.packets, table.not_ip, table.too_short, len(table)) == (4, 1, 2, 1)
    assert only(table).number == 2
    assert repr(table) == "<natkit.FlowTable: 1 flows, 4 packets>"


def test_vlan_of_the_first_packet(tmp_path):
    packets = [ethernet(bytes([0, vlan]) + b"\x08\x00" + ipv4(udp()), 0x8100) for vlan in (7, 9)]
    table = FlowTable()
    table.add_trace(write(tmp_path / "x.pcap", pcap(packets, ETH)))
    assert (only(table).vlan_id, only(table).packets) == (7, 2)


def test_protocols_without_ports(counted):
    table = counted(
        [
            (0, ipv4(icmp(8), 1, src=HERE, dst=THERE)),
            (1, ipv4(icmp(0), 1, src=THERE, dst=HERE)),
            (2, ipv4(b"gre.", 47, src=HERE, dst=THERE)),
        ]
    )
    ping, gre = table
    assert (ping.proto, ping.src_port, ping.fwd_packets, ping.rev_packets) == (1, 0, 1, 1)
    assert (gre.proto, gre.packets, gre.payload_bytes) == (47, 1, 0)
    assert str(ping) == f"IPv4 protocol 1, {HERE} to {THERE}: 2 packets, 56 bytes"


def test_both_ends_the_same(counted):
    same = ipv4(udp(ports=(7, 7)), 17, src=HERE, dst=HERE)
    flow = only(counted([(0, same), (1, same)]))
    assert (flow.fwd_packets, flow.rev_packets) == (2, 0)
    assert flow.fwd_key == flow.rev_key


@pytest.mark.parametrize("version", [4, 6])
def test_every_order_of_the_ends(counted, version):
    """The lower end may be source or destination, by address or by port: it makes no difference."""
    addresses = (HERE, THERE) if version == 4 else ("2001:db8::1", "2001:db8::2")
    make = ipv4 if version == 4 else ipv6
    for src, dst in itertools.product(addresses, addresses):
        for ports in ((1, 2), (2, 1), (256, 1), (255, 256)):
            out = make(udp(ports=ports), 17, src=src, dst=dst)
            answer = make(udp(b"xy", ports=ports[::-1]), 17, src=dst, dst=src)
            flow = only(counted([(0, out), (1, answer), (2, answer)]))
            assert (str(flow.src_prefix), str(flow.dst_prefix)) == (src, dst)
            assert (flow.src_port, flow.dst_port) == ports
            assert (flow.fwd_packets, flow.rev_packets, flow.rev_payload_bytes) == (1, 2, 4)


# --- Direction -----------------------------------------------------------------------------------


def test_forward_is_into_the_home_network(counted):
    home = FlowHome(from_s("192.0.2.0/24"))
    for sent in ([there(), back()], [back(), there()]):
        table = counted(enumerate([*sent, back()]), home=home)
        flow = only(table)
        assert (str(flow.src_prefix), str(flow.dst_prefix)) == (THERE, HERE)
        assert (flow.fwd_packets, flow.rev_packets) == (2, 1)
        assert table.home is home


def test_flows_that_do_not_cross_the_border_have_the_first_packets_home_key(counted):
    for prefix in ("0.0.0.0/0", "203.0.113.0/24"):
        home = FlowHome(from_s(prefix))
        for packet in (there(), back()):
            flow = only(counted([(0, packet)], home=home))
            assert flow.fwd_key == home.flow(plt.ip(packet)).home_key


# --- TCP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "state", "reason"),
    [
        ([there(flags=SYN)], "syn_sent", None),
        ([there(flags=SYN), back(flags=SYN | ACK)], "syn_received", None),
        ([there(flags=SYN), back(flags=SYN | ACK), there()], "established", None),
        ([there(b"middle")], "established", None),
        ([there(), there(flags=FIN | ACK)], "fin_wait", None),
        ([there(flags=FIN | ACK), back()], "fin_wait", None),
        ([there(flags=FIN | ACK), back(flags=FIN | ACK)], "closing", 3),
        ([there(flags=FIN | ACK), back(flags=FIN | ACK), there()], "closed", 3),
        ([there(flags=FIN | ACK), back(), back(flags=FIN | ACK), there()], "closed", 3),
        ([there(flags=SYN), back(flags=RST | ACK)], "reset", 3),
        ([there(flags=0)], None, None),
    ],
)
def test_states(counted, sent, state, reason):
    flow = only(counted(enumerate(sent)))
    assert (flow.state, flow.end_reason) == (state, reason)


@pytest.mark.parametrize(
    ("sent", "rtt"),
    [
        ([(0, there(flags=SYN)), (3, there(flags=SYN)), (3.5, back(flags=SYN | ACK))], 0.5),
        ([(0, there(flags=SYN)), (1, back(flags=SYN | ACK)), (2, back(flags=SYN | ACK))], 1),
        ([(0, back(flags=SYN | ACK)), (1, there(flags=SYN)), (2, back(flags=SYN | ACK))], None),
        ([(0, there(flags=SYN)), (1, back(flags=RST | ACK))], None),
        ([(0, there()), (1, back())], None),
        # the clock was set back in between
        ([(1, there(flags=SYN)), (0.9, back(flags=SYN | ACK)), (2, back(flags=SYN | ACK))], None),
    ],
)
def test_round_trips(counted, sent, rtt):
    assert only(counted(sent)).rtt_ns == (None if rtt is None else rtt * SECOND)


def test_a_round_trip_that_64_bits_of_nanoseconds_do_not_hold():
    far = 9_000_000_000 * SECOND  # 285 years
    table = FlowTable()
    for packet, time in ((there(flags=SYN), -far), (back(flags=SYN | ACK), far)):
        table.add(plt.packet.from_bytes(packet, plt.TRACE_TYPE_NONE, time))
    flow = only(table)
    assert (flow.first_time_ns, flow.last_time_ns) == (-far, far)
    assert flow.rtt_ns is flow.duration_ns is None


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        ([there(b"abcd", seq=1), there(b"abcd", seq=1)], 1),
        ([there(b"abcd", seq=1), there(b"cdef", seq=3)], 0),  # two of its bytes are new
        ([there(b"abcd", seq=5), there(b"abcd", seq=1)], 1),  # late: no different from again
        ([there(b"abcd", seq=0xFFFFFFFE), there(b"efgh", seq=2)], 0),  # across 2**32
        ([there(b"abcd", seq=0xFFFFFFFE), there(b"efgh", seq=2), there(b"ab", seq=0xFFFFFFFE)], 1),
        ([there(flags=SYN), there(flags=SYN)], 1),
        ([there(b"ab", FIN | ACK, 1), there(b"ab", FIN | ACK, 1), there(flags=FIN, seq=3)], 2),
        ([there(b"abcd", seq=1), there(b"d", seq=4)], 0),  # RFC 9293 section 3.8.4
        ([there(b"abcd", seq=1), there(seq=4), there(seq=5)], 0),  # nothing is in them
        ([there(b"abcd", seq=1), back(b"abcd", seq=1)], 0),  # the other way
        # a stray answer, ahead of all that was sent: RFC 9293 section 3.10.7.4 has it ignored
        (
            [
                there(flags=SYN | ACK, seq=9),
                there(flags=SYN | ACK, seq=10**8),
                there(b"ab", seq=10),
                there(b"cd", seq=12),
                there(b"cd", seq=12),
            ],
            1,
        ),
        ([there(flags=SYN | ACK, seq=9), there(flags=SYN | ACK, seq=9)], 1),
    ],
)
def test_retransmits(counted, sent, count):
    flow = only(counted(enumerate(sent)))
    assert (flow.retransmits, flow.fwd_retransmits, flow.rev_retransmits) == (count, count, 0)


def test_a_syn_after_the_end_begins_a_flow(counted):
    closed = [there(flags=FIN | ACK), back(flags=FIN | ACK), there()]
    table = counted(enumerate([*closed, back(flags=SYN), there(flags=SYN | ACK), back()]))
    flow = only(table)
    assert (flow.number, flow.packets, flow.state, flow.src_port) == (3, 3, "established", 80)
    (old,) = table.expired()
    assert (old.number, old.packets, old.state, old.end_reason) == (0, 3, "closed", 3)
    assert list(table.expired()) == []


@pytest.mark.parametrize(
    ("before", "syn", "flows"),
    [
        ([there(flags=SYN, seq=9)], there(flags=SYN, seq=9), 1),  # repeated
        ([there(flags=SYN, seq=9), there(b"abc", seq=10)], there(flags=SYN, seq=9), 1),
        # its number wrapped around meanwhile
        (
            [there(flags=SYN, seq=2**32 - 1), there(b"abc", seq=0)],
            there(flags=SYN, seq=2**32 - 1),
            1,
        ),
        ([there(flags=SYN, seq=9), there(b"abc", seq=10)], there(flags=SYN, seq=10**6), 2),
        ([there(flags=SYN, seq=9), there(b"abc", seq=10)], there(flags=SYN, seq=10**9), 2),
        ([there(flags=SYN, seq=9)], there(b"early", flags=SYN, seq=9), 1),  # RFC 7413
        ([there(b"early", flags=SYN, seq=9)], there(flags=SYN, seq=9), 1),
        ([back(b"abc", seq=10)], there(flags=SYN, seq=10**9), 1),  # the other way
        # any other number, before those that were sent
        ([there(flags=SYN, seq=2**27), there(b"abc", seq=2**27 + 1)], there(flags=SYN, seq=9), 2),
        # how far before the end of the first segment, which may have data: 128 KiB
        ([there(flags=SYN, seq=2**27)], there(flags=SYN, seq=2**27 - 2**17), 1),
        ([there(flags=SYN, seq=2**27)], there(flags=SYN, seq=2**27 - 2**17 - 1), 2),
        ([there(flags=SYN, seq=2**27)], there(flags=SYN, seq=2**27 + 1), 2),
        # the first SYN was not captured, or comes late
        ([there(b"abc", seq=2**27)], there(flags=SYN, seq=9), 2),
        (
            [there(b"abc", seq=2**27), there(b"x" * 9, seq=2**27 + 3)],
            there(flags=SYN, seq=2**27 - 1),
            1,
        ),
        ([back(flags=SYN | ACK, seq=5)], there(flags=SYN, seq=9), 1),
        # ACKs alone were
        ([back(b"abc", seq=10), there(seq=2**27)], there(flags=SYN, seq=10**9), 2),
    ],
)
def test_a_syn_of_another_connection_begins_a_flow(counted, before, syn, flows):
    """RFC 9293 section 3.4.1: a connection's first number is one that older ones are not at."""
    table = counted(enumerate([*before, syn]))
    ended = list(table.expired())
    assert len(ended) + len(table) == flows
    assert [flow.end_reason for flow in ended] == [3] * (flows - 1)
    assert all(flow.retransmits == 0 for flow in [*ended, *table] if flows == 2)


@pytest.mark.parametrize("tcp", [False, True])
def test_the_same_ports_again_with_any_number(tcp):
    """Of two numbers of 32 bits, chosen at random, one in 16 is up to 2**28 before the other."""
    table = natkit.FlowTable(tcp=tcp)
    random = Random(2)
    for _ in range(500):
        isn, answer = random.getrandbits(32), random.getrandbits(32)
        for packet in (
            there(flags=SYN, seq=isn),
            back(flags=SYN | ACK, seq=answer),
            there(b"get", seq=(isn + 1) % 2**32),
            back(b"ok", seq=(answer + 1) % 2**32),
        ):
            table.add(plt.packet.from_bytes(packet, plt.TRACE_TYPE_NONE, 0))
    flows = [*table.expired(), *table]
    assert len(flows) == 500
    assert {(flow.packets, flow.retransmits) for flow in flows} == {(4, 0)}


def test_a_syn_before_the_end_begins_none(counted):
    sent = [there(b"a", seq=1), there(flags=SYN), there(flags=FIN | ACK, seq=2)]
    flow = only(counted(enumerate(sent)))
    assert flow.packets == 3


# --- Looking into a table ------------------------------------------------------------------------


def test_look_up_in_either_direction(counted):
    table = counted([(0, there()), (1, ipv6(udp()))])
    first, second = table
    for flow in (first, second):
        for key in (flow, flow.ipflow, flow.fwd_key, flow.rev_key, bytearray(flow.rev_key)):
            assert key in table
            assert table[key] == flow
        assert IPflow.from_key(flow.rev_key) in table
    assert table[IPflow(plt.ip(back()))] == first
    missing = IPflow(plt.ip(there(port=9)))
    for key in (missing, missing.fwd_key, b"", b"no key", first.fwd_key[:-1]):
        assert key not in table
        with pytest.raises(KeyError):
            table[key]
    for key in (None, 4, "key"):
        with pytest.raises(TypeError, match="looked up by a key or an IPflow"):
            operator.contains(table, key)


def test_iterating_while_the_table_changes(tmp_path):
    table = FlowTable(idle_timeout=10)
    table.add_trace(trace(tmp_path / "1", [(n / 10, there(port=n + 1)) for n in range(10)]))
    flows = iter(table)
    assert next(flows).number == 0
    # all but flow 5 end, and others take their place
    table.add_trace(trace(tmp_path / "2", [(8, there(port=6))]))
    table.add_trace(trace(tmp_path / "3", [(15, there(port=n + 50)) for n in range(10)]))
    assert [flow.number for flow in flows] == [5]
    assert [flow.number for flow in table] == [5, *range(11, 21)]


def test_a_flow_stays_as_it_was(counted, tmp_path):
    table = counted([(0, there())])
    flow = only(table)
    table.add_trace(trace(tmp_path / "more", [(1, there())]))
    assert (flow.packets, only(table).packets) == (1, 2)
    assert flow != only(table)
    assert flow == pickle.loads(pickle.dumps(flow))
    assert hash(flow) == hash(pickle.loads(pickle.dumps(flow)))
    assert flow != "flow"
    with pytest.raises(AttributeError):
        flow.packets = 2
    with pytest.raises(TypeError):
        natkit.Flow()


def test_flows_are_compared_by_what_was_counted(tmp_path):
    path = trace(tmp_path / "x", [(0, there(b"abc")), (1, back()), (2, there())])
    flows = []
    for settings in ({}, {"tcp": True}, {"statistics": True}, {"first": 1}, {"first": 2}):
        for _ in range(2):
            table = FlowTable(**settings)
            table.add_trace(path)
            flows.append(only(table))
    for n, flow in enumerate(flows):
        assert [flow == other for other in flows] == [n // 2 == m // 2 for m in range(10)]
        assert [flow != other for other in flows] == [n // 2 != m // 2 for m in range(10)]
        assert hash(flow) == hash(flows[0])
        for order in (operator.lt, operator.le, operator.gt, operator.ge):
            with pytest.raises(TypeError, match="not supported between"):
                order(flow, flows[0])


def test_a_place_that_another_flow_took_is_passed_over(tmp_path):
    """Of flows that ended while they were iterated over, and went."""
    path = trace(tmp_path / "x", [(0, there(port=n + 1)) for n in range(3)])
    table = FlowTable()
    table.add_trace(path)
    flows = iter(table)
    assert next(flows).number == 0
    table.flush()
    table.expired()
    table.add_trace(path)
    assert [flow.number for flow in table] == [3, 4, 5]
    assert list(flows) == []


def test_top(counted):
    sent = [(n, there(b"x" * n, port=port)) for port in range(1, 20) for n in range(port % 7)]
    sent.sort(key=lambda item: item[0])
    table = counted(sent)
    flows = list(table)
    for by in ("bytes", "packets", "fwd_payload_bytes", "duration", "last_time", "src_port"):
        name = by + "_ns" if by in ("duration", "last_time") else by
        ranked = sorted(flows, key=lambda flow, name=name: (-getattr(flow, name), flow.number))
        for n in (0, 1, 2, 5, len(flows) - 1, len(flows), 100, 10**30):
            assert table.top(n, by=by) == ranked[:n]
    assert table.top(3) == table.top(3, "bytes")
    # flows without a value come last
    assert [flow.number for flow in table.top(2, "rtt")] == [flow.number for flow in flows[:2]]


def test_top_errors(counted):
    table = counted([(0, there())])
    with pytest.raises(ValueError, match="n must be 0 or more, not -1"):
        table.top(-1)
    with pytest.raises(ValueError, match="a flow has no 'packet'; near: packets"):
        table.top(1, by="packet")
    for name in ("state", "src_prefix", "community_id"):
        with pytest.raises(ValueError, match=f"{name} is no number to order flows by"):
            table.top(1, by=name)
    for name in ("bytes\ud800", "\udcff"):
        with pytest.raises(UnicodeEncodeError):
            table.top(1, by=name)
    for arguments in (("1",), (), (1, None), (1, "bytes", 2)):
        with pytest.raises(TypeError):
            table.top(*arguments)


# --- Settings and the module ---------------------------------------------------------------------


class Unsure:
    """A number that can't be told."""

    def __float__(self) -> float:
        raise ZeroDivisionError

    def __index__(self) -> int:
        raise ZeroDivisionError


def test_settings():
    home = FlowHome(from_s("192.0.2.0/24"))
    table = FlowTable(home, 1.5, active_timeout=60)
    assert (table.home, table.idle_timeout, table.active_timeout) == (home, 1.5, 60.0)
    assert FlowTable().home is None
    for name in ("idle_timeout", "active_timeout"):
        for bad in (0, -1, float("nan"), float("inf"), 1e-10, 1e30):
            with pytest.raises(
                ValueError,
                match=f"{name} must be seconds above 0 and up to 4000000000, or None, not",
            ):
                FlowTable(**{name: bad})
        with pytest.raises(TypeError, match=f"{name} must be a number of seconds or None, not str"):
            FlowTable(**{name: "60"})
        with pytest.raises(ZeroDivisionError):
            FlowTable(**{name: Unsure()})
    with pytest.raises(ZeroDivisionError):
        FlowTable(first=Unsure())
    for bad in ("192.0.2.0/24", from_s("192.0.2.0/24"), 4):
        with pytest.raises(TypeError, match="home must be a FlowHome or None, not"):
            FlowTable(bad)
    with pytest.raises(TypeError):
        FlowTable(idle=3)


@pytest.mark.parametrize("seed", [b"", bytes(15), bytes(17), "0" * 16, None])
def test_no_table_without_random_numbers(monkeypatch, seed):
    """Else who knows them could choose packets whose flows are all found slowly."""
    monkeypatch.setattr("os.urandom", lambda _: seed)
    with pytest.raises(SystemError, match=r"os\.urandom\(\) gave no 16 bytes"):
        FlowTable()
    monkeypatch.delattr("os.urandom")
    with pytest.raises(AttributeError, match="urandom"):
        FlowTable()


def test_times_past_their_type_are_missing(tmp_path):
    """An enhanced packet block (draft-ietf-opsawg-pcapng section 4.3) of a time past int64."""
    order = "<"
    section = block(0x0A0D0D0A, bytes.fromhex("4d3c2b1a01000000ffffffffffffffff"), order)
    interface = block(1, bytes.fromhex("6500000000000000"), order)
    packet = there()
    ticks = (2**64 - 1).to_bytes(8, "little")
    fields = bytes(4) + ticks[4:] + ticks[:4] + len(packet).to_bytes(4, "little") * 2
    enhanced = block(6, fields + packet, order)
    table = FlowTable(idle_timeout=1, active_timeout=1)
    table.add_trace(write(tmp_path / "x.pcapng", section + interface + enhanced * 3))
    assert table.time_ns is None
    assert [(flow.packets, flow.last_time_ns) for flow in [*table, *table.expired()]] == [(3, None)]
