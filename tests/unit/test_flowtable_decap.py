"""natkit.FlowTable(decap=True): the flows in tunnels, tenants with the same addresses apart."""

import contextlib
import copy
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path

import packets
import pytest
import tunnelled
from packets import Record, ethernet, ipv4, udp
from tunnelled import CASES, FRAME, INNER, inner4, inner6, over_ip, over_udp, vxlan

import natkit
from natkit import FlowTable

BACK = {"src": INNER[1], "dst": INNER[0]}


def trace(folder: Path, frames: Iterable[bytes | Record], name: str = "trace.pcap") -> Path:
    return packets.write(folder / name, packets.pcap(frames))


def table_of(path: Path, **settings: object) -> FlowTable:
    table = FlowTable(**settings)
    table.add_trace(path)
    return table


def rows(table: FlowTable) -> list[tuple[object, ...]]:
    """What tells each flow from others, its packets each way and its bytes."""
    return [
        (
            flow.tunnel_kind, flow.tunnel_id, str(flow.src_prefix), flow.src_port,
            str(flow.dst_prefix), flow.dst_port, flow.fwd_packets, flow.rev_packets, flow.bytes,
        )
        for flow in table
    ]  # fmt: skip


def there_and_back(wrap: Callable[[bytes], bytes], back: Callable[[bytes], bytes]) -> list[bytes]:
    """Two packets of one flow, one each way."""
    answer = ipv4(packets.tcp(b"seen", ports=(80, 40000)), 6, **BACK)
    return [wrap(inner4()), back(answer)]


def in_vxlan(packet: bytes, vni: int = 5) -> bytes:
    return over_udp(vxlan(ethernet(packet), vni), 4789)


def in_gtp(packet: bytes, teid: int) -> bytes:
    return over_udp(tunnelled.gtp(packet, teid), 2152, 2152)


# --- What a flow is


def test_two_hundred_connections_in_one_vxlan_are_two_hundred_flows(tmp_path: Path) -> None:
    frames = [in_vxlan(inner4(ports=(10000 + n, 80))) for n in range(200)]
    path = trace(tmp_path, frames)
    assert len(table_of(path, decap=True)) == 200
    # the outer packets have one five-tuple
    assert len(table_of(path)) == 1


def test_both_directions_in_a_tunnel_are_one_flow(tmp_path: Path) -> None:
    path = trace(tmp_path, there_and_back(in_vxlan, in_vxlan))
    # 14 of Ethernet, 20 of IP, 20 of TCP, 4 of payload
    assert rows(table_of(path, decap=True)) == [
        ("vxlan", 5, INNER[0], 40000, INNER[1], 80, 1, 1, 2 * 58)
    ]


def test_tenants_with_the_same_addresses_stay_apart(tmp_path: Path) -> None:
    frames = [in_vxlan(inner4(), vni) for vni in (5, 6, 5, 6, 5)]
    table = table_of(trace(tmp_path, frames), decap=True)
    assert [(flow.tunnel_id, flow.packets) for flow in table] == [(5, 3), (6, 2)]


def test_kinds_of_tunnels_and_no_tunnel_stay_apart(tmp_path: Path) -> None:
    frames = [in_vxlan(inner4()), FRAME, over_ip(inner4(), 4), FRAME, over_ip(inner4(), 4),
              over_udp(tunnelled.geneve(FRAME, 5, 0x6558), 6081)]  # fmt: skip
    table = table_of(trace(tmp_path, frames), decap=True)
    assert [(flow.tunnel_kind, flow.tunnel_id, flow.packets) for flow in table] == [
        ("vxlan", 5, 1), (None, None, 2), ("ipip", None, 2), ("geneve", 5, 1),
    ]  # fmt: skip


def test_ids_that_each_direction_has_its_own_of_keep_nothing_apart(tmp_path: Path) -> None:
    path = trace(tmp_path, there_and_back(lambda p: in_gtp(p, 7), lambda p: in_gtp(p, 8)))
    assert rows(table_of(path, decap=True)) == [
        ("gtp", 7, INNER[0], 40000, INNER[1], 80, 1, 1, 2 * 44)
    ]


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_tunnel(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    table = table_of(trace(tmp_path, [case.frame, case.frame]), decap=True)
    (flow,) = table
    assert (flow.tunnel_kind, flow.tunnel_id, flow.packets) == (case.kind, case.id, 2)
    assert (str(flow.src_prefix), str(flow.dst_prefix)) == case.inner
    assert (flow.proto, flow.src_port, flow.dst_port, flow.payload_bytes) == (6, 40000, 80, 8)
    assert table[flow] == flow


def test_padding_after_pppoe_is_not_counted(tmp_path: Path) -> None:
    frame = ethernet(tunnelled.pppoe(ipv4(b"", 59), 7), 0x8864).ljust(60, b"\0")
    (flow,) = table_of(trace(tmp_path, [frame]), decap=True)
    assert flow.bytes == 22  # RFC 2516 section 4: PPP's protocol, 2 bytes, and the IP header


def test_ipv6_in_tunnels(tmp_path: Path) -> None:
    frames = [over_udp(tunnelled.geneve(inner6(), vni, 0x86DD), 6081) for vni in (1, 2, 1)]
    frames.append(ethernet(inner6(), 0x86DD))
    table = table_of(trace(tmp_path, frames), decap=True)
    assert [(flow.tunnel_id, flow.packets, flow.version) for flow in table] == [
        (1, 2, 6), (2, 1, 6), (None, 1, 6),
    ]  # fmt: skip


def test_other_ports(tmp_path: Path) -> None:
    path = trace(tmp_path, [over_udp(vxlan(FRAME, 5), 5555)])
    assert [flow.proto for flow in table_of(path, decap=True)] == [17]
    table = table_of(path, decap={"vxlan": 5555})
    assert [flow.tunnel_kind for flow in table] == ["vxlan"]
    assert table.decap == {"vxlan": [5555]}
    assert FlowTable(decap=True).decap is True
    assert FlowTable().decap is False
    with pytest.raises(ValueError, match="'gre6' is no tunnel over UDP"):
        FlowTable(decap={"gre6": 1})


def test_what_is_in_a_tunnel_and_not_ip_is_not_ip(tmp_path: Path) -> None:
    table = table_of(trace(tmp_path, [over_udp(vxlan(ethernet(bytes(28), 0x0806), 1), 4789)]),
                     decap=True)  # fmt: skip
    assert (len(table), table.packets, table.not_ip) == (0, 1, 1)


def test_two_hundred_tunnels_in_each_other(tmp_path: Path) -> None:
    data = inner4()
    for n in range(200):
        data = ipv4(data, 4, src=f"10.1.0.{n}")
    (flow,) = table_of(trace(tmp_path, [ethernet(data)]), decap=True)
    assert (flow.proto, str(flow.src_prefix), flow.tunnel_kind) == (4, "10.1.0.183", "ipip")


def test_packets_one_at_a_time(tmp_path: Path) -> None:
    path = trace(tmp_path, [case.frame for case in CASES.values()])
    table = FlowTable(decap=True)
    for packet in packets.read(path):
        table.add(packet)
    assert rows(table) == rows(table_of(path, decap=True))


def fragment(vni: int, first: bool) -> bytes:
    """One of the two fragments of a packet in VXLAN."""
    whole = udp(bytes(40), ports=(1111, 2222))
    part = whole[:24] if first else whole[24:]
    return in_vxlan(
        ipv4(part, 17, src=INNER[0], dst=INNER[1], fragment=0x2000 if first else 3), vni
    )


def test_fragments_of_two_tenants(tmp_path: Path) -> None:
    """With the same addresses and identification: each later one belongs to its own first."""
    frames = [fragment(1, True), fragment(2, False), fragment(1, False), fragment(2, True)]
    table = table_of(trace(tmp_path, frames), decap=True)
    assert len(table) == 2
    assert [(flow.tunnel_id, flow.src_port, flow.packets) for flow in table] == [
        (1, 1111, 2), (2, 1111, 2),
    ]  # fmt: skip


# --- Keys, columns


def test_a_key_finds_the_flow_outside_tunnels(tmp_path: Path) -> None:
    table = table_of(trace(tmp_path, [in_vxlan(inner4()), FRAME, FRAME]), decap=True)
    inside, outside = table
    assert table[outside.fwd_key] == outside
    assert table[inside] == inside
    assert inside != outside
    assert inside.fwd_key == outside.fwd_key
    alone = table_of(trace(tmp_path, [in_vxlan(inner4())], "2"), decap=True)
    assert outside.fwd_key not in alone
    assert inside in alone


def test_columns(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    path = trace(tmp_path, [in_vxlan(inner4()), FRAME, in_gtp(inner4(), 9)])
    table = table_of(path, decap=True)
    columns = table.columns()
    assert list(columns)[-2:] == ["tunnel_kind", "tunnel_id"]
    assert columns["tunnel_kind"].tolist() == ["vxlan", None, "gtp"]
    assert columns["tunnel_id"].tolist() == [5, 0, 9]
    assert columns.mask("tunnel_id").tolist() == [False, True, False]
    assert [flow.tunnel_id for flow in table.top(3, "tunnel_id")] == [9, 5, None]
    table.flush()
    ended = table.expired()
    again = pickle.loads(pickle.dumps(ended))
    for flows in (ended, again, ended[:], again[::1]):
        assert flows.columns(["tunnel_kind"])["tunnel_kind"].tolist() == ["vxlan", None, "gtp"]
        assert "tunnel_id" in list(flows.columns())
    assert list(again) == list(ended)
    assert np.array_equal(ended.columns()["bytes"], columns["bytes"])


def test_columns_of_a_table_without_decap(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    table = table_of(trace(tmp_path, [FRAME]))
    assert "tunnel_kind" not in list(table.columns())
    assert next(iter(table)).tunnel_kind is None
    with pytest.raises(ValueError, match=r"counted by FlowTable\(decap=True\)"):
        table.columns(["tunnel_kind"])


def test_arrow(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    table = table_of(trace(tmp_path, [in_vxlan(inner4()), FRAME]), decap=True)
    arrow = pa.table(table)
    arrow.validate(full=True)
    assert arrow["tunnel_kind"].to_pylist() == ["vxlan", None]
    assert arrow["tunnel_id"].to_pylist() == [5, None]


# --- Timeouts, merging, pickles


def mixed() -> list[Record]:
    """Flows of tenants with the same addresses over ten minutes, some of which end."""
    frames = [
        case.frame for case in CASES.values()
    ] + [in_vxlan(inner4(), vni) for vni in range(20)] + [FRAME]  # fmt: skip
    return [
        Record(frame, packets.EPOCH + n)
        for n, frame in enumerate(frames * 8)
        if n % 7 or n < 100
    ]  # fmt: skip


def expected(records: list[Record], settings: dict[str, object], folder: Path) -> FlowTable:
    return table_of(trace(folder, records, "all.pcap"), decap=True, **settings)


@pytest.mark.parametrize("settings", [{}, {"idle_timeout": 50}])
@pytest.mark.parametrize("vlan", [False, True])
@pytest.mark.parametrize("tcp", [False, True])
def test_merging_says_what_one_table_says(
    settings: dict[str, object], vlan: bool, tcp: bool, tmp_path: Path
) -> None:
    records = mixed()
    settings = settings | {"vlan": vlan, "tcp": tcp}
    whole = expected(records, settings, tmp_path)
    half = len(records) // 2
    one = table_of(trace(tmp_path, records[:half], "1"), decap=True, **settings)
    two = table_of(trace(tmp_path, records[half:], "2"), decap=True, **settings)
    assert one.merge(two) or tcp  # a TCP connection across the border is not exact with tcp=True
    assert rows(one) == rows(whole)
    assert [flow.tunnel_id for flow in one.expired()] == [f.tunnel_id for f in whole.expired()]


def test_many_files(tmp_path: Path) -> None:
    records = mixed()
    parts = [trace(tmp_path, records[n::1][:60], f"{n}") for n in range(0, len(records), 60)]
    settings: dict[str, object] = {"idle_timeout": 30}
    whole = expected(records, settings, tmp_path)
    for workers in (1, 2):
        table = natkit.flows(parts, decap=True, workers=workers, **settings)
        assert rows(table) == rows(whole)
    ports = natkit.flows(parts, decap={"vxlan": [1, 2]}, **settings)
    assert ports.decap == {"vxlan": [1, 2]}


def test_other_tables_are_not_merged() -> None:
    for other in (FlowTable(), FlowTable(decap={"vxlan": 1})):
        with pytest.raises(ValueError, match="another decap"):
            FlowTable(decap=True).merge(other)


@pytest.mark.parametrize("settings", [{}, {"tcp": True}, {"vlan": True, "idle_timeout": 50}])
def test_pickles(settings: dict[str, object], tmp_path: Path) -> None:
    records = mixed()
    half = len(records) // 2
    ports = {"vxlan": [4444], "geneve": [5555, 5556]}
    table = table_of(trace(tmp_path, records[:half], "1"), decap=ports, **settings)
    again = pickle.loads(pickle.dumps(table))
    assert again.decap == ports
    assert rows(again) == rows(table)
    for each in (table, again):
        each.add_trace(trace(tmp_path, records[half:], "2"))
    assert rows(again) == rows(table)
    for flow in table:
        twin = copy.copy(flow)
        assert twin == flow
        assert (twin.tunnel_kind, twin.tunnel_id) == (flow.tunnel_kind, flow.tunnel_id)


def test_fragments_are_pickled(tmp_path: Path) -> None:
    """Of two tenants one waits for its first fragment, of the other the first is known."""
    table = table_of(trace(tmp_path, [fragment(1, True), fragment(2, False)]), decap=True)
    later = trace(tmp_path, [fragment(1, False), fragment(2, True)], "2")
    again = pickle.loads(pickle.dumps(table))
    for each in (table, again):
        each.add_trace(later)
        assert [(flow.tunnel_id, flow.src_port, flow.packets) for flow in each] == [
            (1, 1111, 2), (2, 1111, 2),
        ]  # fmt: skip


def test_mutated_pickles_do_not_crash(tmp_path: Path) -> None:
    table = table_of(trace(tmp_path, mixed()[:60]), decap={"vxlan": 9}, idle_timeout=20)
    state = table.__reduce__()[1][0]
    for at in range(0, len(state), 3):
        broken = bytearray(state)
        broken[at] ^= 0x55
        with contextlib.suppress(ValueError):
            rows(FlowTable._from_bytes(bytes(broken)))


def test_a_flow_in_a_tunnel_grows_by_a_word(tmp_path: Path) -> None:
    """Nothing is larger where tunnels are not asked for."""
    frames = [in_vxlan(inner4(ports=(n, 80))) for n in range(1000, 9000)]
    path = trace(tmp_path, frames)
    plain, deep = table_of(path, decap=False), table_of(path, decap=True)
    assert len(deep) == 8000
    assert FlowTable().__sizeof__() == FlowTable(decap=True).__sizeof__()
    assert plain.__sizeof__() < deep.__sizeof__() < 8000 * 250
