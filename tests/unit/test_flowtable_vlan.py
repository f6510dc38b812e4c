"""natkit.FlowTable(vlan=True): the same five-tuple on several VLANs."""

import copy
import pickle
import struct
from pathlib import Path

import pytest
from flow_traces import HERE, THERE, fragments
from packets import ETH, ethernet, ipv4, ipv6, pcap, udp, write

import natkit
from natkit import FlowTable


def tagged(packet: bytes, *vlans: int, ethertype: int = 0x0800) -> bytes:
    """A frame with 802.1Q tags (IEEE 802.1Q section 9.3), the outermost first."""
    tags = b"".join(vlan.to_bytes(2, "big") + b"\x81\0" for vlan in vlans)[:-2]
    return ethernet(tags + ethertype.to_bytes(2, "big") + packet, 0x8100)


def table_of(path: Path, frames: list[bytes], **settings) -> FlowTable:
    table = FlowTable(**settings)
    table.add_trace(write(path, pcap(frames, ETH)))
    return table


UDP4 = ipv4(udp(b"data", ports=(5000, 53)), 17, src=HERE, dst=THERE)
UDP6 = ipv6(udp(b"data", ports=(5000, 53)), 17)
BACK = ipv4(udp(b"data", ports=(53, 5000)), 17, src=THERE, dst=HERE)


def counts(table: FlowTable) -> list[tuple[int, int]]:
    return [(flow.vlan_id, flow.packets) for flow in table]


def test_vlans_are_kept_apart(tmp_path):
    frames = [
        tagged(UDP4, 100),
        tagged(UDP4, 4095),
        ethernet(UDP4),
        tagged(BACK, 100),
        tagged(UDP4, 0x6064),  # VLAN 100 with a priority
        tagged(UDP4, 0xE000),  # a priority tag has no VLAN (IEEE 802.1Q section 6.9.1)
        tagged(UDP6, 100, ethertype=0x86DD),
        tagged(UDP6, 200, ethertype=0x86DD),
    ]
    table = table_of(tmp_path / "x.pcap", frames, vlan=True)
    assert table.vlan is True
    assert counts(table) == [(100, 3), (4095, 1), (0, 2), (100, 1), (200, 1)]
    flow = next(iter(table))
    assert (flow.src_port, flow.dst_port, flow.fwd_packets, flow.rev_packets) == (5000, 53, 2, 1)
    assert (str(flow.src_prefix), str(flow.dst_prefix)) == (HERE, THERE)
    assert table.columns(["vlan_id"])["vlan_id"].tolist() == [100, 4095, 0, 100, 200]
    together = table_of(tmp_path / "x.pcap", frames)
    assert together.vlan is False
    assert counts(together) == [(100, 6), (100, 2)]


def test_the_outermost_tag_counts(tmp_path):
    """As vlan_id does of packets: of a stack (802.1ad) the provider's."""
    frames = [tagged(UDP4, 10, 30), tagged(UDP4, 20, 30), tagged(UDP4, 10, 40), tagged(UDP4, 10)]
    assert counts(table_of(tmp_path / "x.pcap", frames, vlan=True)) == [(10, 3), (20, 1)]


def test_looking_one_up(tmp_path):
    frames = [tagged(UDP4, 100), tagged(UDP4, 200), ethernet(UDP4), tagged(UDP4, 200)]
    table = table_of(tmp_path / "x.pcap", frames, vlan=True)
    one, other, untagged = table
    for key in (one.fwd_key, one.rev_key, one.ipflow):
        assert table[key] == untagged
        assert [table[key, vlan] for vlan in (100, 200, 0)] == [one, other, untagged]
        assert (key, 300) not in table
        assert (key, -1) not in table
        assert (key, 4096) not in table
    assert [table[flow] for flow in table] == [one, other, untagged]
    for wrong in ((one.fwd_key, "100"), (one.fwd_key, 100, 100), (one.fwd_key,), ()):
        with pytest.raises(TypeError):
            table[wrong]
    for wrong in (b"\6" + one.fwd_key[1:], b"\4" + bytes(37), one.fwd_key[:-1], b""):
        assert wrong not in table
    together = table_of(tmp_path / "x.pcap", frames)
    assert together[one].packets == 4  # flows of the one find those of the other
    assert table[next(iter(together))] == one
    with pytest.raises(TypeError, match="flows are looked up by a key or an IPflow, not tuple"):
        together[one.fwd_key, 100]


def test_fragments_find_those_of_their_vlan(tmp_path):
    first, second, third = fragments(1)
    other = ipv4(
        udp(b"u" * 16, ports=(6000, 53)), 17, src=HERE, dst=THERE, ident=1, fragment=0x2000
    )
    frames = [tagged(third, 10), tagged(third, 20), tagged(first, 10), tagged(other, 20)]
    frames += [tagged(second, 20), tagged(second, 10)]
    table = table_of(tmp_path / "x.pcap", frames, vlan=True)
    found = [(flow.vlan_id, flow.src_port, flow.packets) for flow in table]
    assert found == [(10, 5000, 3), (20, 6000, 3)]


def test_pickles_and_merging(tmp_path):
    first, second, _ = fragments(1)
    before = [tagged(UDP4, 100), tagged(UDP4, 200), tagged(second, 300), tagged(UDP6, 5)]
    after = [tagged(BACK, 200), tagged(first, 300), tagged(UDP4, 100), tagged(UDP4, 50)]
    whole = table_of(tmp_path / "whole.pcap", before + after, vlan=True)
    early = table_of(tmp_path / "a.pcap", before, vlan=True)
    late = table_of(tmp_path / "b.pcap", after, vlan=True)
    for table in (pickle.loads(pickle.dumps(early)), copy.copy(early)):
        assert table.vlan is True
        again = copy.copy(table)
        again.add_trace(tmp_path / "b.pcap")
        assert list(again) == list(whole)
    assert early.merge(late, exact=True) is False  # a fragment waits for the later table's
    early = table_of(tmp_path / "a.pcap", before[:2], vlan=True)
    assert early.merge(late) is True
    assert list(early) == list(table_of(tmp_path / "c.pcap", before[:2] + after, vlan=True))
    for flow in whole:
        assert pickle.loads(pickle.dumps(flow)) == flow
    with pytest.raises(ValueError, match="or one is by VLAN"):
        FlowTable().merge(whole)
    with pytest.raises(ValueError, match="or one is by VLAN"):
        whole.merge(FlowTable())


def test_many_files_are_one_table(tmp_path):
    first, second, _ = fragments(1)
    before = [tagged(UDP4, 100), tagged(second, 300), tagged(UDP4, 200)]
    after = [tagged(BACK, 200), tagged(first, 300), tagged(UDP4, 50)]
    names = [tmp_path / "a.pcap", tmp_path / "b.pcap"]
    for name, frames in zip(names, (before, after), strict=True):
        write(name, pcap(frames, ETH))
    whole = table_of(tmp_path / "whole.pcap", before + after, vlan=True)
    for workers in (1, 2):
        assert list(natkit.flows(names, vlan=True, workers=workers)) == list(whole)
    assert counts(whole) == [(100, 1), (300, 2), (200, 2), (50, 1)]


def test_pickles_with_another_vlan_than_the_key(tmp_path):
    table = table_of(tmp_path / "x.pcap", [tagged(UDP4, 0x123)], vlan=True)
    _, (state, *_) = table.__reduce__()
    vlan = struct.pack("=H", 0x123)
    assert state.count(vlan) == 2
    place = state.rindex(vlan)
    with pytest.raises(ValueError, match="no pickled flow table: a flow has"):
        FlowTable._from_bytes(state[:place] + struct.pack("=H", 0x124) + state[place + 2 :])
    place = state.index(vlan)
    with pytest.raises(ValueError, match="no pickled flow table: a flow has"):
        FlowTable._from_bytes(state[:place] + b"\0\0" + state[place + 2 :])
