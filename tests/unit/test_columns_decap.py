"""plt.columns(..., decap=True): the columns of the packets in tunnels."""

import struct
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import packets
import pytest
import tunnelled
from packets import ethernet, ipv4, tcp, udp
from tunnelled import CASES, FRAME, INNER, OUTER, inner4, over_ip, over_udp, vxlan

import plt

np = pytest.importorskip("numpy")

TUNNEL = ("tunnel.kind", "tunnel.id", "tunnel.depth", "tunnel.src", "tunnel.dst")
FIELDS = ("src", "dst", "proto", "dst_port", "wire_len", "payload_len", *TUNNEL)


def trace(folder: Path, frames: list[bytes]) -> Path:
    return packets.write(folder / "trace.pcap", packets.pcap(frames))


def packed(address: str) -> bytes:
    return ip_address(address).packed.ljust(16, b"\0")


def row(table: plt.Table, n: int) -> dict[str, object]:
    """A row, None for what is missing."""
    return {
        name: None if table.mask(name)[n] else
        bytes(table[name][n]) if table[name].ndim == 2 else table[name][n]
        for name in table
    }  # fmt: skip


def test_each_kind_of_tunnel(tmp_path: Path) -> None:
    path = trace(tmp_path, [case.frame for case in CASES.values()])
    table = plt.columns(path, FIELDS, decap=True).table()
    for n, (name, case) in enumerate(CASES.items()):
        source, destination = map(packed, case.outer) if case.outer else (None, None)
        found = row(table, n)
        wire_len = found.pop("wire_len")
        assert found == {
            "src": packed(case.inner[0]), "dst": packed(case.inner[1]),
            "proto": 6, "dst_port": 80, "payload_len": 4,
            "tunnel.kind": case.kind, "tunnel.id": case.id, "tunnel.depth": 1,
            "tunnel.src": source, "tunnel.dst": destination,
        }, name  # fmt: skip
        assert wire_len == packets.packet_of(case.frame, tmp_path).inner.wire_len


def test_without_decap_the_other_columns_are_of_the_outer_packet(tmp_path: Path) -> None:
    path = trace(tmp_path, [CASES["VXLAN"].frame, FRAME])
    table = plt.columns(path, FIELDS).table()
    assert row(table, 0) == {
        "src": packed(OUTER[0]), "dst": packed(OUTER[1]), "proto": 17, "dst_port": 4789,
        # 8 of VXLAN, 14 of Ethernet, 20 of IP, 20 of TCP, 4
        "payload_len": 66, "wire_len": 14 + 20 + 8 + 66 + 4,  # libtrace counts an FCS
        "tunnel.kind": "vxlan", "tunnel.id": 5001, "tunnel.depth": 1,
        "tunnel.src": packed(OUTER[0]), "tunnel.dst": packed(OUTER[1]),
    }  # fmt: skip
    assert [row(table, 1)[name] for name in TUNNEL] == [None, None, 0, None, None]


def test_a_packet_in_no_tunnel_is_as_without_decap(tmp_path: Path) -> None:
    arp = ethernet(bytes(28), 0x0806)
    path = trace(tmp_path, [FRAME, arp, ethernet(ipv4(udp(b"x")))])
    fields = [name for name in plt.column_fields() if not name.startswith("tunnel.")]
    plain, inside = plt.columns(path, fields).table(), plt.columns(path, fields, decap=True).table()
    for name in fields:
        assert np.array_equal(plain[name], inside[name])
        assert np.array_equal(plain.mask(name), inside.mask(name))


def test_the_tunnel_is_the_innermost(tmp_path: Path) -> None:
    mirrored = over_ip(tunnelled.gre(tunnelled.erspan2(over_udp(vxlan(FRAME, 3), 4789), 2),
                                     0x88BE, seq=1), 47)  # fmt: skip
    found = row(plt.columns(trace(tmp_path, [mirrored]), FIELDS, decap=True).table(), 0)
    assert [found[name] for name in TUNNEL[:3]] == ["vxlan", 3, 2]
    assert found["src"] == packed(INNER[0])


def test_two_hundred_tunnels_in_each_other(tmp_path: Path) -> None:
    data = inner4()
    for n in range(200):
        data = ipv4(data, 4, src=f"10.1.0.{n}")
    found = row(plt.columns(trace(tmp_path, [ethernet(data)]), FIELDS, decap=True).table(), 0)
    assert (found["tunnel.depth"], found["proto"]) == (16, 4)
    # the outermost has 199; that at depth 16 has 183, and is in that of 184
    assert found["src"] == packed("10.1.0.183")
    assert found["tunnel.src"] == packed("10.1.0.184")


def test_other_ports(tmp_path: Path) -> None:
    frames = [over_udp(vxlan(FRAME, n), port) for n, port in enumerate((4789, 5555, 5556, 5557))]
    path = trace(tmp_path, frames)

    def depths(decap: object) -> list[int]:
        return plt.columns(path, ["tunnel.depth"], decap=decap).table()["tunnel.depth"].tolist()

    assert depths(True) == [1, 0, 0, 0]
    assert depths({}) == [1, 0, 0, 0]
    assert depths({"vxlan": 5555}) == [1, 1, 0, 0]
    assert depths({"vxlan": [5555, 5557]}) == [1, 1, 0, 1]
    assert depths({"vxlan": (5556,), "geneve": [5555]}) == [1, 0, 1, 0]
    assert depths({"geneve": 4789}) == [0, 0, 0, 0]  # what is said of a port goes first


class Unpaired(dict[str, int]):
    """A mapping whose items are no pairs."""

    def items(self) -> Any:
        return ["vxlan"]


class Halved(dict[str, int]):
    """A mapping whose items are no pairs, but tuples."""

    def items(self) -> Any:
        return [("vxlan",)]


class Unread(dict[str, int]):
    """A mapping that can't be read."""

    def items(self) -> Any:
        raise ZeroDivisionError("they can't be read")


@pytest.mark.parametrize(
    ("decap", "error", "message"),
    [
        ({"vxlam": 1}, ValueError, "'vxlam' is no tunnel over UDP; those are: gre,"),
        ({"etherip": 1}, ValueError, "'etherip' is no tunnel over UDP"),
        ({7: 1}, ValueError, "7 is no tunnel over UDP"),
        ({"vxlan": 0}, ValueError, "a port is 1 to 65535, not 0"),
        ({"vxlan": [4789, 65536]}, ValueError, "a port is 1 to 65535, not 65536"),
        ({"vxlan": 1 << 80}, ValueError, "a port is 1 to 65535"),
        ({"vxlan": 4789.0}, TypeError, "not iterable"),
        ({"vxlan": ["4789"]}, TypeError, "integer"),
        ({"vxlan": range(1, 66)}, ValueError, "more than 64 ports"),
        ("vxlan", TypeError, "decap must be a bool or a dict of kinds and ports, not str"),
        (["vxlan"], TypeError, "not list"),
        (1, TypeError, "not int"),
        (None, TypeError, "not NoneType"),
        ({"vxlan\udcff": 1}, UnicodeEncodeError, "surrogates not allowed"),
        (Unpaired(), TypeError, r"its items\(\) are no pairs"),
        (Halved(), TypeError, "2 arguments"),
        (Unread(), ZeroDivisionError, "they can.t be read"),
    ],
)
def test_bad_decap(decap: object, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        plt.columns(trace(tmp_path, [FRAME]), ["proto"], decap=decap)


def test_many_files_side_by_side(tmp_path: Path) -> None:
    path = trace(tmp_path, [CASES["Geneve"].frame] * 3)
    table = plt.columns([path] * 4, FIELDS, decap=True, workers=2).table()
    assert table["tunnel.kind"].tolist() == ["geneve"] * 12
    assert table["dst_port"].tolist() == [80] * 12


def test_a_condition_is_asked_about_the_outer_packet(tmp_path: Path) -> None:
    path = trace(tmp_path, [CASES["VXLAN"].frame, FRAME])
    for condition in ("dst_port == 4789", "tunnel.kind == 'vxlan' and dst_port == 4789"):
        table = plt.columns(path, FIELDS, decap=True, filter=plt.where(condition)).table()
        assert table["dst_port"].tolist() == [80]


def test_arrow_has_text_and_nulls(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    path = trace(tmp_path, [FRAME, CASES["GRE"].frame, CASES["Geneve"].frame])
    table = pa.table(plt.columns(path, TUNNEL, decap=True))
    table.validate(full=True)
    assert table["tunnel.kind"].to_pylist() == [None, "gre", "geneve"]
    assert table["tunnel.id"].to_pylist() == [None, None, 8]
    assert table["tunnel.depth"].to_pylist() == [0, 1, 1]


def test_tshark_has_the_same_inner_ports(tshark: str, tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415

    frames = [
        over_udp(vxlan(ethernet(inner4(bytes(n), (1000 + n, 2000 + n))), n), 4789)
        for n in range(50)
    ]
    path = trace(tmp_path, frames)
    table = plt.columns(path, ["src_port", "dst_port", "payload_len", "tunnel.id"], decap=True)
    table = table.table()
    fields = [f for name in ("tcp.srcport", "tcp.dstport", "tcp.len", "vxlan.vni")
              for f in ("-e", name)]  # fmt: skip
    done = subprocess.run(
        [tshark, "-n", "-r", str(path), "-Tfields", *fields],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = [tuple(map(int, line.split("\t"))) for line in done.stdout.splitlines()]
    assert list(zip(*(table[name].tolist() for name in table), strict=True)) == theirs


def test_headers_of_the_inner_packet(tmp_path: Path) -> None:
    inner = ipv4(tcp(b"", ports=(1, 2), seq=77, flags=2), 6, ttl=3)
    path = trace(tmp_path, [over_udp(vxlan(ethernet(inner), 1), 4789)])
    table = plt.columns(path, ["ttl", "tcp.seq_nbr", "tcp.syn_flag", "udp.len"], decap=True).table()
    assert (table["ttl"][0], table["tcp.seq_nbr"][0], table["tcp.syn_flag"][0]) == (3, 77, True)
    assert table.mask("udp.len")[0]


def test_pppoe_ends_before_padding(tmp_path: Path) -> None:
    frame = ethernet(tunnelled.pppoe(ipv4(b"", 59), 7), 0x8864).ljust(60, b"\0")
    found = row(plt.columns(trace(tmp_path, [frame]), ("wire_len", "capture_len"), decap=True)
                .table(), 0)  # fmt: skip
    # RFC 2516 section 4: the length counts PPP's protocol, 2 bytes, and the IP header
    assert found == {"wire_len": 22, "capture_len": 22}


def test_vlan_and_link_type_are_the_inner_ones(tmp_path: Path) -> None:
    tagged = packets.MAC + struct.pack(">HHH", 0x8100, 42, 0x0800) + inner4()
    path = trace(tmp_path, [over_udp(vxlan(tagged, 1), 4789), over_ip(inner4(), 4)])
    table = plt.columns(path, ["vlan_id", "linktype"], decap=True).table()
    assert table["vlan_id"].tolist() == [42, 0]
    assert table["linktype"].tolist()[0] == plt.TRACE_TYPE_ETH
