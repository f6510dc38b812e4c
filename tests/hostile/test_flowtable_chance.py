"""Flow tables of packets by chance, most of them fragments: one table in many ways is the same.

Fragments come in any order, of packets that others share the number of, in tunnels and VLANs; the
clock goes back, and some times are not known.
"""

import copy
import itertools
import pickle
import random
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from packets import (
    EPOCH,
    ETH,
    enhanced,
    ethernet,
    interface,
    ipv4,
    ipv6,
    option,
    section,
    tcp,
    udp,
    write,
)
from tunnelled import gtp, over_udp, vxlan

import plt
from natkit import Flow, FlowTable

SECOND = 10**9
UNKNOWN = 2**63  # more than signed 64 bits hold
SETTINGS = {
    "idle_timeout": [None, None, 0.5, 30, 90],
    "active_timeout": [None, None, None, 2, 70],
    "vlan": [False, True],
    "decap": [False, True],
    "tcp": [False, True],
    "statistics": [False, True],
    "first": [0, 3],
}

Sent = tuple[int, bytes]  # nanoseconds, and a frame


def fragments(rng: random.Random, ends: dict[str, str], v6: bool, message: bytes) -> list[bytes]:
    """A packet in up to four fragments, in any order, now and then with one too many."""
    proto, ident = rng.choice([6, 17, 17]), rng.randrange(3)
    units = len(message) // 8
    cuts = sorted(rng.sample(range(1, units), rng.choice([1, 1, 2, 3])))
    parts = []
    for start, end in itertools.pairwise([0, *cuts, None]):
        data, more = message[8 * start : None if end is None else 8 * end], end is not None
        if v6:
            header = struct.pack(">BBHI", proto, 0, start << 3 | more, ident)
            parts.append(ipv6(header + data, 44, **ends))
        else:
            field = start | more << 13
            parts.append(ipv4(data, proto, ident=ident, fragment=field, **ends))
    rng.shuffle(parts)
    return parts[rng.randrange(2) :] + rng.choices(parts, k=rng.randrange(2))


def packets(rng: random.Random) -> list[bytes]:
    """One packet of few flows, or its fragments."""
    v6 = rng.random() < 0.4
    hosts = ("fd00::1", "fd00::2") if v6 else ("10.0.0.1", "10.0.0.2")
    src, dst = rng.sample(hosts, 2)
    ends, ports = {"src": src, "dst": dst}, (rng.choice([80, 443]), rng.choice([1000, 1001]))
    if rng.random() < 0.6:
        message = udp(bytes(48), ports=ports) if rng.random() < 0.5 else tcp(bytes(40), ports=ports)
        return fragments(rng, ends, v6, message)
    flags, seq = rng.choice([2, 18, 16, 24, 24, 17, 4]), rng.choice([1, 1, 9, 17, 2**31])
    data = tcp(bytes(rng.choice([0, 1, 8])), ports=ports, flags=flags, seq=seq, ack=seq)
    return [ipv6(data, 6, **ends) if v6 else ipv4(data, 6, **ends)]


def frame(rng: random.Random, packet: bytes) -> Callable[[bytes], bytes]:
    """What puts the packets of one into frames: a tunnel, a tag, or nothing."""
    number, kind = rng.choice([1, 2]), rng.random()
    ethertype = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    if kind < 0.3:
        return lambda ip: over_udp(vxlan(ethernet(ip, ethertype), number), 4789)
    if kind < 0.4:
        return lambda ip: over_udp(gtp(ip, number), 2152, 2152)
    if kind < 0.6:
        return lambda ip: ethernet(struct.pack(">HH", number, ethertype) + ip, 0x8100)
    return lambda ip: ethernet(ip, ethertype)


def traffic(rng: random.Random, count: int) -> list[Sent]:
    frames: list[bytes] = []
    while len(frames) < count:
        some = packets(rng)
        wrap = frame(rng, some[0])
        place = rng.randrange(max(0, len(frames) - 6), len(frames) + 1)
        frames[place:place] = [wrap(packet) for packet in some]
    steps = rng.choice([[0, 1000], [10**6, 10**8, SECOND], [10**8, 20 * SECOND]])
    back = rng.choice([0, 0, 0.03])
    now, sent = EPOCH * SECOND, []
    for data in frames:
        now += rng.choice(steps)
        if rng.random() < back:
            now -= rng.choice([1, SECOND, 61 * SECOND, 10**6 * SECOND])
        unknown = back > 0 and rng.random() < 0.03
        cut = rng.randrange(14, len(data)) if rng.random() < 0.03 else len(data)
        sent.append((UNKNOWN if unknown else now, data[:cut]))
    return sent


def trace(path: Path, sent: Iterable[Sent]) -> Path:
    head = section() + interface(ETH, options=option(9, b"\x09") + option(0, b""))
    return write(path, head + b"".join(enhanced(data, time) for time, data in sent))


def chosen(rng: random.Random) -> dict[str, Any]:
    return {name: rng.choice(values) for name, values in SETTINGS.items()}


def flows_of(table: FlowTable) -> list[Flow]:
    """All of them, in the order of their first packets."""
    return sorted([*table, *table.expired()], key=lambda flow: flow.number)


def counters(table: FlowTable) -> tuple[int, ...]:
    return table.packets, table.not_ip, table.too_short


def halves(rng: random.Random, path: Path, sent: list[Sent], count: int) -> list[Path]:
    """The traces of parts."""
    cuts = sorted(rng.randrange(len(sent) + 1) for _ in range(count - 1))
    bounds = itertools.pairwise([0, *cuts, len(sent)])
    return [trace(path / f"{n}.pcapng", sent[begin:end]) for n, (begin, end) in enumerate(bounds)]


@pytest.mark.parametrize("seed", range(100))
def test_one_table_in_any_way(tmp_path, seed):
    """Read at once, packet by packet, pickled in between, and merged where that is exact."""
    rng = random.Random(seed)
    settings, sent = chosen(rng), traffic(rng, rng.choice([10, 60, 300]))
    whole, single, resumed, merged = (FlowTable(**settings) for _ in range(4))
    path = trace(tmp_path / "whole.pcapng", sent)
    assert whole.add_trace(path) == len(sent)
    with plt.trace(path) as opened:
        for packet in opened:
            single.add(packet)
    for part in halves(rng, tmp_path, sent, rng.choice([2, 4])):
        resumed = pickle.loads(pickle.dumps(resumed))
        resumed.add_trace(part)
        later = FlowTable(**settings)
        later.add_trace(part)
        if not merged.merge(copy.copy(later) if rng.random() < 0.5 else later, exact=True):
            merged.add_trace(part)
    expected = flows_of(whole)
    lost = whole.not_ip + whole.too_short
    assert sum(flow.packets for flow in expected) == len(sent) - lost
    for table in (single, resumed, merged):
        assert counters(table) == counters(whole)
        assert table.time_ns == whole.time_ns
        assert flows_of(table) == expected


@pytest.mark.parametrize("seed", range(60))
def test_what_merging_is_not_exact_for_is_still_all_there(tmp_path, seed):
    """Packets and bytes are those of the parts, and each flow is found."""
    rng = random.Random(seed)
    settings, sent = chosen(rng), traffic(rng, rng.choice([20, 200]))
    tables = []
    for part in halves(rng, tmp_path, sent, rng.choice([2, 5])):
        table = FlowTable(**settings)
        table.add_trace(part)
        tables.append(table)
    apart = [flow for table in tables for flow in flows_of(copy.copy(table))]
    while len(tables) > 1:
        at = rng.randrange(len(tables) - 1)
        exact = copy.copy(tables[at]).merge(tables[at + 1], exact=True)
        assert tables[at].merge(tables[at + 1]) is exact
        del tables[at + 1]
    (whole,) = tables
    again = pickle.loads(pickle.dumps(whole))
    for table in (whole, again):
        for flow in table:
            assert table[flow] == flow
        table.flush()
        flows = flows_of(table)
        assert len({flow.number for flow in flows}) == len(flows)
        for name in ("packets", "bytes", "ip_bytes"):
            assert sum(getattr(f, name) for f in flows) == sum(getattr(f, name) for f in apart)
        assert sum(flow.packets for flow in flows) == table.packets - table.not_ip - table.too_short
        if table.active_timeout:
            known = [flow.duration_ns for flow in flows if flow.duration_ns is not None]
            assert all(duration <= table.active_timeout * SECOND for duration in known)
