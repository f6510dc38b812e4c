"""What the fuzzers of tests/fuzz found: each input, and what it should have given."""

import io
import struct
from pathlib import Path

import flow_traces
import packets
import pytest
import tunnelled

import natkit
import plt

# --- saved.c -----------------------------------------------------------------------------------

#: A saved flow (src/flowtable/save.c, flow.h): a header, whose last 8 bytes are the word of its
#: tunnel, then the flow.  Its marks are after a way of 56 bytes, the key, four times, three
#: references, the VLAN, two words of flags and two bytes of events.
TUNNEL_BEFORE, MARKS_AT = 8, 56 + 16 + 4 * 8 + 3 * 4 + 2 + 2 * 2 + 2
SIZES = {"IPv4": 184, "IPv6": 208}
MARK_TUNNELS = 128


@pytest.mark.parametrize("protocol", ["IPv4", "IPv6"])
def test_a_pickled_flow_with_the_mark_of_tunnels_is_refused(protocol: str) -> None:
    """By its mark there is a tunnel after the flow, where a pickle has none."""
    payload = packets.udp(b"x")
    packet = packets.ipv4(payload) if protocol == "IPv4" else packets.ipv6(payload)
    table = natkit.FlowTable()
    table.add_trace(io.BytesIO(packets.pcap([packet], packets.RAW)))
    (flow,) = table
    for value in (table, flow):
        make, (good, *rest) = value.__reduce__()[:2]
        bad = bytearray(good)
        start = len(bad) - SIZES[protocol]
        bad[start + MARKS_AT] |= MARK_TUNNELS
        bad[start - TUNNEL_BEFORE : start] = b"\xff" * TUNNEL_BEFORE
        with pytest.raises(ValueError, match="a flow has no such marks"):
            make(bytes(bad), *rest)


# --- link.c ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["6in4", "Teredo"])
def test_the_layers_of_a_tunnelled_packet_end_where_it_does(how: str) -> None:
    """Its extension header is longer than the packet, after which there are other bytes.

    Of such a header only its number is known (RFC 8200 section 4): 0, hop-by-hop options.
    """
    hop_by_hop = struct.pack(">BB", packets.UDP, 1) + bytes(14)
    inner = packets.ipv6(hop_by_hop + packets.udp(b"x" * 20), 0, length=4)
    frame = tunnelled.over_ip(inner, 41) if how == "6in4" else tunnelled.over_udp(inner, 3544)
    content = packets.pcap([frame])
    table = plt.columns(io.BytesIO(content), ["proto", "src_port"], decap=True).table()
    with plt.trace(io.BytesIO(content)) as trace:
        (packet,) = trace
    assert len(packet.inner.data) == 44
    assert packet.inner.proto == 0
    assert table["proto"].tolist() == [0]
    assert table.mask("src_port").tolist() == [True]


# --- flowtable.c --------------------------------------------------------------------------------

ACTIVE_TIMEOUT = 2  # RFC 5102 section 5.11.3, flowEndReason


def test_merged_parts_end_by_the_active_timeout_as_one_table(tmp_path: Path) -> None:
    """A packet comes a minute late: from it to the last one are 61.001 s, no packet is missing."""
    packet = packets.ipv4(packets.udp(b"x"))
    sent = [(100 + late, packet) for late in (0, 0.001, -59.999, 1.001, 1.002)]
    tables = []
    for part in (sent, sent[:1], sent[1:]):
        table = natkit.FlowTable(idle_timeout=5, active_timeout=61)
        table.add_trace(flow_traces.trace(tmp_path / "t", part))
        tables.append(table)
    whole, one, other = tables
    assert one.merge(other, exact=True) is True
    for table in (whole, one):
        (ended,) = table.expired()
        assert (ended.packets, ended.end_reason) == (4, ACTIVE_TIMEOUT)
        assert [flow.packets for flow in table] == [1]


END_OF_FLOW = 3  # the same: the end was detected


def test_a_new_syn_ends_a_flow_of_merged_parts_as_of_one_table(tmp_path: Path) -> None:
    """The SYN of another connection comes within the active timeout, what follows it after that."""
    syns = [
        packets.ipv4(packets.tcp(flags=0x02, seq=number), packets.TCP)
        for number in (1000, 900_000_000)
    ]
    data = packets.ipv4(packets.tcp(b"x", seq=900_000_001), packets.TCP)
    sent = [(100, syns[0]), (105, syns[1]), (114, data)]
    tables = []
    for part in (sent, sent[:1], sent[1:]):
        table = natkit.FlowTable(active_timeout=10)
        table.add_trace(flow_traces.trace(tmp_path / "t", part))
        tables.append(table)
    whole, one, other = tables
    assert one.merge(other, exact=True) is True
    for table in (whole, one):
        (ended,) = table.expired()
        assert (ended.packets, ended.end_reason) == (1, END_OF_FLOW)
        assert [flow.packets for flow in table] == [2]
