"""natkit.FlowTable: what it counts, against arithmetic by hand and the RFCs."""

import ipaddress
import itertools
import json
import operator
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from packets import (
    EPOCH,
    ETH,
    RAW,
    Record,
    block,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    pcap,
    tcp,
    udp,
    write,
)

import natkit
import plt
from ipp import from_s
from natkit import FlowHome, FlowTable, IPflow

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
SECOND = 10**9
HERE, THERE = "192.0.2.1", "198.51.100.2"
NANOSECONDS = 0xA1B23C4D

Sent = tuple[float, bytes]  # seconds after EPOCH, and a packet from its IP header on


def trace(path: Path, sent: Iterable[Sent]) -> Path:
    """A trace of raw IP packets."""
    records = []
    for seconds, packet in sent:
        whole, fraction = divmod(round(seconds * SECOND), SECOND)
        records.append(Record(packet, sec=EPOCH + whole, fraction=fraction))
    return write(path, pcap(records, RAW, magic=NANOSECONDS))


@pytest.fixture
def counted(tmp_path):
    """Makes a table of packets."""

    def count(sent: Iterable[Sent], **settings) -> FlowTable:
        table = FlowTable(**settings)
        table.add_trace(trace(tmp_path / "counted.pcap", sent))
        return table

    return count


def there(payload: bytes = b"", flags: int = ACK, seq: int = 1, port: int = 1025) -> bytes:
    """A TCP segment to the server."""
    return ipv4(tcp(payload, ports=(port, 80), flags=flags, seq=seq), 6, src=HERE, dst=THERE)


def back(payload: bytes = b"", flags: int = ACK, seq: int = 1, port: int = 1025) -> bytes:
    """A TCP segment from the server."""
    return ipv4(tcp(payload, ports=(80, port), flags=flags, seq=seq), 6, src=THERE, dst=HERE)


def only(table: FlowTable) -> natkit.Flow:
    (flow,) = table
    return flow


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
    ],
)
def test_round_trips(counted, sent, rtt):
    assert only(counted(sent)).rtt_ns == (None if rtt is None else rtt * SECOND)


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


def test_a_syn_before_the_end_begins_none(counted):
    flow = only(counted(enumerate([there(), there(flags=SYN), there(flags=FIN | ACK)])))
    assert flow.packets == 3


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
    assert list(table) == list(table.expired()) == []


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


# --- Fragments -----------------------------------------------------------------------------------


def fragments(ident: int, src: str = HERE, proto: int = 17, begin: bytes = b"") -> list[bytes]:
    """Three fragments of an IPv4 packet of 24, 16 and 8 bytes."""
    begin = begin or udp(b"u" * 16, ports=(5000, 53))
    rest = {"proto": proto, "src": src, "dst": THERE, "ident": ident}
    return [
        ipv4(begin, fragment=0x2000, **rest),
        ipv4(b"v" * 16, fragment=0x2003, **rest),
        ipv4(b"w" * 8, fragment=0x0005, **rest),
    ]


def fragments6(ident: int) -> list[bytes]:
    """Two fragments of an IPv6 packet (RFC 8200 section 4.5), behind hop-by-hop options."""
    out = []
    for offset, more, data in ((0, 1, udp(b"u" * 16, ports=(5000, 53))), (3, 0, b"v" * 8)):
        header = bytes([17, 0]) + (offset << 3 | more).to_bytes(2, "big") + ident.to_bytes(4, "big")
        out.append(ipv6(bytes([44, 0, 1, 4, 0, 0, 0, 0]) + header + data, 0))
    return out


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
    table = counted([(0, second), (1, first), (61.1, second)])
    unknown, known = table
    # IPflow of such a fragment has no protocol, as python-libtrace's keys
    assert unknown.fwd_key == IPflow(plt.ip(second)).fwd_key
    assert (unknown.proto, unknown.src_port, unknown.packets) == (0, 0, 2)
    assert (known.src_port, known.packets) == (5000, 1)
    assert only(counted([(0, first), (60, second)])).packets == 2


def test_only_so_many_fragments_are_remembered(counted):
    first, second, _ = fragments(0)
    others = [fragments(n % 65536, src=f"10.0.0.{n // 65536}")[0] for n in range(1, 8193)]
    kept = counted((0, packet) for packet in [first, *others[1:], second])
    assert next(iter(kept)).packets == 2
    gone = counted((0, packet) for packet in [first, *others, second])
    assert gone[IPflow(plt.ip(second))].packets == 1


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
    with pytest.raises(ValueError, match="state is no number"):
        table.top(1, by="state")
    with pytest.raises(TypeError):
        table.top("1")


# --- Adding packets ------------------------------------------------------------------------------


def test_add_is_add_trace(tmp_path):
    sent = [(0, there(flags=SYN)), (1, back()), *enumerate(fragments(3)), (30, ipv6(udp()))]
    path = trace(tmp_path / "x", sent)
    one, other = FlowTable(idle_timeout=9), FlowTable(idle_timeout=9)
    with plt.trace(path) as opened:
        for pkt in opened:
            one.add(pkt)
    assert other.add_trace(path) == len(sent)
    assert (one.packets, list(one), list(one.expired())) == (
        len(sent),
        list(other),
        list(other.expired()),
    )


def test_add_a_quoted_packet(tmp_path):
    """The packet that an ICMP error quotes counts in its own flow."""
    quote = icmp(3, 1, payload=there()[:28])
    path = trace(tmp_path / "x", [(5, ipv4(quote, 1, src="203.0.113.9", dst=HERE))])
    table = FlowTable()
    with plt.trace(path) as opened:
        for pkt in opened:
            table.add(pkt.icmp.payload)
    flow = only(table)
    assert (flow.proto, flow.src_port, flow.dst_port) == (6, 1025, 80)
    assert flow.first_time_ns == (EPOCH + 5) * SECOND


def test_add_errors():
    table = FlowTable()
    with pytest.raises(ValueError, match="an object made from bytes has no arrival time"):
        table.add(plt.ip(there()))
    with pytest.raises(ValueError, match="nothing was read into this packet"):
        table.add(plt.packet())
    for bad in (None, there(), IPflow(plt.ip(there()))):
        with pytest.raises(ValueError, match="takes packet and layer objects of plt, not"):
            table.add(bad)
    assert (table.packets, table.time_ns) == (0, None)


def test_sources_and_filters(tmp_path):
    path = trace(tmp_path / "x.pcap", [(0, there()), (1, there(port=2)), (2, ipv6(udp()))])
    for source in (path, str(path), f"pcapfile:{path}"):
        table = FlowTable()
        assert table.add_trace(source, filter="tcp and port 2") == 1
        assert only(table).src_port == 2
    table = FlowTable()
    opened = plt.trace(path)
    opened.conf_filter(plt.filter("ip"))
    opened.start()
    next(opened)
    assert table.add_trace(source=opened, filter=plt.filter("tcp")) == 1
    assert only(table).src_port == 2
    with pytest.raises(plt.LibtraceError):
        table.add_trace(path, "no such filter")
    with pytest.raises(plt.LibtraceError):
        table.add_trace(tmp_path / "missing")
    with pytest.raises(TypeError):
        table.add_trace()
    assert table.packets == 1


def test_a_trace_that_breaks_off(tmp_path):
    path = trace(tmp_path / "x", ((n, there(port=n + 1)) for n in range(20)))
    path.write_bytes(path.read_bytes()[:-5])
    table = FlowTable()
    with pytest.raises(plt.LibtraceError, match="cut within"):
        table.add_trace(path)
    assert (table.packets, len(table)) == (19, 19)
    table.add_trace(trace(tmp_path / "y", [(30, there(port=1))]))
    assert table[IPflow(plt.ip(there(port=1)))].packets == 2


class Bar:
    """As much of a bar of tqdm's as is used."""

    def __init__(self) -> None:
        self.updates: list[int] = []

    def update(self, n: int) -> None:
        self.updates.append(n)


def test_progress(tmp_path):
    path = trace(tmp_path / "x", ((n / 1000, there()) for n in range(3000)))
    told, bar = [], Bar()
    FlowTable().add_trace(path, progress=told.append)
    assert told[-1] == 3000
    assert told == sorted(told)
    FlowTable().add_trace(path, progress=bar)
    assert sum(bar.updates) == 3000
    for bad in (1, "x"):
        with pytest.raises(TypeError, match="progress must be callable or have an update method"):
            FlowTable().add_trace(path, progress=bad)
        with pytest.raises(TypeError, match="on_expired must be callable, not"):
            FlowTable().add_trace(path, on_expired=bad)


def test_exceptions_of_callbacks(tmp_path):
    path = trace(tmp_path / "x", ((n, there(port=n + 1)) for n in range(100)))

    def fail(_: object) -> None:
        raise ZeroDivisionError

    for name in ("progress", "on_expired"):
        table = FlowTable(idle_timeout=2)
        with pytest.raises(ZeroDivisionError):
            table.add_trace(path, **{name: fail})
        assert table.packets == 100
        assert len(table) == 3
        assert len(table.expired()) == (97 if name == "progress" else 0)


def test_callbacks_may_use_the_table(tmp_path):
    path = trace(tmp_path / "x", ((n, there(port=n + 1)) for n in range(100)))
    other = trace(tmp_path / "y", [(200, there())])
    table, seen = FlowTable(idle_timeout=2), []
    table.add_trace(path, on_expired=lambda flows: seen.append((len(flows), len(table), *table)))
    assert seen[0][:2] == (97, 3)
    table.add_trace(other, progress=lambda _: table.add_trace(other))
    assert table.packets == 102


# --- Threads and Ctrl-C --------------------------------------------------------------------------


def test_a_second_thread_is_refused(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    content = trace(tmp_path / "x", ((n, there()) for n in range(10))).read_bytes()
    table, results = FlowTable(), []
    reader = threading.Thread(target=lambda: results.append(table.add_trace(f"pcapfile:{fifo}")))
    reader.start()
    with fifo.open("wb", buffering=0) as pipe:
        pipe.write(content[:100])
        limit = time.monotonic() + 10
        refused = 0
        while refused == 0 and time.monotonic() < limit:
            try:
                len(table)
            except RuntimeError:
                refused += 1
        for use in (iter, list, FlowTable.expired, FlowTable.columns, pickle.dumps):
            with pytest.raises(RuntimeError, match="the flow table is in use by another thread"):
                use(table)
        with pytest.raises(RuntimeError):
            FlowTable().merge(table)
        pipe.write(content[100:])
    reader.join()
    assert refused == 1
    assert results == [10]
    assert only(table).packets == 10


INTERRUPTED = """
import json, os, signal, sys, threading, time
import natkit
table, sent = natkit.FlowTable(idle_timeout=60), []
def later():
    while table.packets < 1:
        time.sleep(0.001)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=later, daemon=True).start()
try:
    while True:
        table.add_trace(sys.argv[1])
except KeyboardInterrupt:
    took = time.monotonic() - sent[0]
sums = [sum(getattr(f, n) for f in table) for n in ("packets", "bytes", "payload_bytes")]
print(json.dumps([took, table.packets, *sums]))
"""


def test_ctrl_c(tmp_path):
    """It ends within 0.2 seconds, and all that was counted is whole packets."""
    path = trace(tmp_path / "x", ((0, there(b"abc", port=n % 60000 + 1)) for n in range(100_000)))
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, path], capture_output=True, text=True, check=True
    )
    took, packets, counted, size, payload = json.loads(run.stdout)
    assert took < 0.2
    assert 0 < packets == counted
    assert (size, payload) == (43 * packets, 3 * packets)


# --- Settings and the module ---------------------------------------------------------------------


def test_settings():
    home = FlowHome(from_s("192.0.2.0/24"))
    table = FlowTable(home, 1.5, active_timeout=60)
    assert (table.home, table.idle_timeout, table.active_timeout) == (home, 1.5, 60.0)
    assert FlowTable().home is None
    for name in ("idle_timeout", "active_timeout"):
        for bad in (0, -1, float("nan"), float("inf"), 1e-10, 1e30):
            with pytest.raises(ValueError, match=f"{name} must be seconds above 0 or None, not"):
                FlowTable(**{name: bad})
        with pytest.raises(TypeError):
            FlowTable(**{name: "60"})
    for bad in ("192.0.2.0/24", from_s("192.0.2.0/24"), 4):
        with pytest.raises(TypeError, match="home must be a FlowHome or None, not"):
            FlowTable(bad)
    with pytest.raises(TypeError):
        FlowTable(idle=3)


def test_damaged_times_stay_within_their_type(tmp_path):
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
    assert table.time_ns == 2**63 - 1
    assert [flow.packets for flow in [*table.expired(), *table]] == [3]
