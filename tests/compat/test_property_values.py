"""A packet says the same wherever it is asked: as attributes, in columns and in flow tables.

Lengths are told by the plain rule of lengths.py, and by tshark.
"""

import random
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import packets as pk
import per_packet
import pytest
from flowtable_reference import Reference, fragment_of
from lengths import ip_length, payload_length
from tshark_exceptions import UNREADABLE

import natkit
import plt

pytest.importorskip("numpy")

ALL = tuple(plt.column_fields())
TCP, UDP = 6, 17


# --- The comparison --------------------------------------------------------------------------


def is_later_fragment(pkt: plt.packet) -> bool:
    if pkt.layer3 is None or (pkt.ip or pkt.ip6) is None:
        return False
    found = fragment_of(pkt)
    return found is not None and bool(found[1])


def in_a_flow(pkt: plt.packet) -> dict[str, Any]:
    """What the flow of the packet alone must say, by its attributes and by plain Python."""
    later = is_later_fragment(pkt)
    length, payload, flags, _ = Reference().lengths(pkt, natkit.IPflow(pkt).fwd_key)
    assert length == ip_length(pkt)
    ip = pkt.ip or pkt.ip6
    known = pkt.proto if not later or pkt.ip6 else 0  # as IPflow has it
    if later and known not in (TCP, UDP):
        payload = 0
    ports = [per_packet.value(pkt, name) for name in ("src_port", "dst_port")]
    if later or None in ports:  # a key has both, or none
        ports = [0, 0]
    if known != TCP:
        flags = None
    elif flags is None:
        flags = 0
    time = per_packet.value(pkt, "time_ns") or None  # what states no time has one of 0
    return {
        "version": 4 if pkt.ip else 6,
        "proto": known,
        "src_prefix": ip.src_prefix,
        "dst_prefix": ip.dst_prefix,
        "src_port": ports[0],
        "dst_port": ports[1],
        "vlan_id": pkt.vlan_id,
        "first_time_ns": time,
        "last_time_ns": time,
        "packets": 1,
        "bytes": pkt.wire_len,
        "ip_bytes": length,
        "payload_bytes": payload,
        "fwd_tcp_flags": flags,
        "fwd_key": natkit.IPflow(pkt).fwd_key,
    }


def flow_differences(pkt: plt.packet) -> Iterator[str]:
    """Where a flow table does not say what the attributes do."""
    table = natkit.FlowTable()
    table.add(pkt)
    flows = list(table)
    try:
        expected = in_a_flow(pkt) if natkit.IPflow(pkt) else {}
    except ValueError:  # not IP, or too short for its addresses
        expected = {}
    if not expected or not flows:
        if expected or flows:
            yield f"flows are {flows}, not {expected}"
        return
    for name, value in expected.items():
        if getattr(flows[0], name) != value:
            yield f"{name} of the flow is {getattr(flows[0], name)!r}, not {value!r}"


def payload_differences(pkt: plt.packet) -> Iterator[str]:
    """Where payloads are not as long as payload_len says, as far as they were captured."""
    length = payload_length(pkt)
    for layer, name in ((pkt.tcp, "tcp_payload"), (pkt.udp, "udp_payload")):
        if layer is None or length is None:
            continue
        data = bytes(layer.data)
        header = (data[12] >> 4) * 4 if name == "tcp_payload" else 8
        payload = per_packet.attribute(pkt, name)
        expected = data[header : header + length]
        if (b"" if payload is None else bytes(payload.data)) != expected:
            yield f"{name} is {payload and bytes(payload.data)!r}, not {expected!r}"


def differences(uri: str, seen: list[plt.packet]) -> list[str]:
    table = plt.columns(uri, ALL).table()
    found = per_packet.differences(seen, table)
    for number, pkt in enumerate(seen):
        told = [*flow_differences(pkt), *payload_differences(pkt)]
        found += [f"packet {number}: {text}" for text in told]
    return found[:20]


def packets_of(uri: str) -> list[plt.packet]:
    with plt.trace(uri) as trace:
        return list(trace)


# --- The corpus ------------------------------------------------------------------------------


def test_the_corpus(trace_name: str, corpus: Path, trace_uri: Callable[[Path], str]) -> None:
    uri = trace_uri(corpus / "traces" / trace_name)
    assert differences(uri, packets_of(uri)) == []


def tshark_lengths(path: Path, tshark: str) -> list[list[str]]:
    """tcp.len, udp.length, ip.len, frame.len and the layers of each packet, all occurrences."""
    fields = ["tcp.len", "udp.length", "ip.len", "frame.len", "frame.protocols"]
    fields.append("frame.encap_type")
    command = [tshark, "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t"]
    command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    command += ["-o", "ip.tso_support:TRUE"]
    command += [word for field in fields for word in ("-e", field)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    return [row for row in rows if row[-1]]  # pcapng's custom blocks are no packets


def tshark_differences(seen: list[plt.packet], rows: list[list[str]]) -> tuple[list[str], int]:
    """Where lengths are not tshark's, and how many were compared.

    Left out is what one number of tshark's does not tell: packets in packets, and fragments.
    """
    found, compared = [], 0
    assert len(seen) == len(rows)
    for number, (pkt, (tcp, udp, ip, wire, layers, _)) in enumerate(zip(seen, rows, strict=True)):
        if "," in tcp + udp + ip or (pkt.ip or pkt.ip6) is None or layers.count(":ip") != 1:
            continue
        if pkt.ip is not None and ip:
            compared += 1
            room = int(wire) - (len(bytes(pkt)) - len(bytes(pkt.layer3.data)))
            if ip_length(pkt) != min(int(ip), room):
                found.append(f"packet {number}: ip.len is {ip} of {room}, not {ip_length(pkt)}")
        doff = per_packet.attribute(pkt.tcp, "doff")
        # of a header that is shorter than a header tshark takes all for data, and of FabricPath
        # the last 4 bytes for a check sequence, also where they are the IP packet's last
        if fragment_of(pkt) is not None or ":cfp:" in layers or (doff is not None and doff < 5):
            continue
        told = int(tcp) if tcp and pkt.tcp else int(udp) - 8 if udp and pkt.udp else None
        if told is not None:
            compared += 1
            if payload_length(pkt) != told:
                found.append(f"packet {number}: payload of {told}, not {payload_length(pkt)}")
    return found, compared


def test_lengths_are_tsharks(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str], tshark: str
) -> None:
    if trace_name in UNREADABLE:
        pytest.skip(UNREADABLE[trace_name])
    path = corpus / "traces" / trace_name
    seen = packets_of(trace_uri(path))
    assert tshark_differences(seen, tshark_lengths(path, tshark))[0] == []


# --- Packets that are built ------------------------------------------------------------------


def built(rng: random.Random) -> bytes:
    """A frame of any kind, whole and right."""
    payload = rng.randbytes(rng.choice([0, 1, 4, 30]))
    kind = rng.choice(["tcp", "tcp", "udp", "udp", "icmp", "sctp", "other", "arp"])
    if kind == "arp":
        return pk.ethernet(b"\0\1\x08\0\6\4\0\1" + rng.randbytes(20), 0x0806)
    all_of_a_syn = b"\2\4\5\xb4\1\3\3\7\4\2\x08\x0a" + rng.randbytes(8)  # RFC 9293, 7323, 2018
    options = rng.choice([b"", b"\1\1\1\1", b"\2\4\5\xb4", all_of_a_syn])
    if kind == "tcp":
        proto, above = 6, pk.tcp(payload, flags=rng.randrange(256), options=options)
    elif kind == "udp":
        proto, above = 17, pk.udp(payload)
    elif kind == "icmp":
        proto, above = 1, pk.icmp(8, payload=payload)
    else:
        proto, above = rng.choice([33, 136, 132, 41, 47, 4, 50, 59]), rng.randbytes(24)
    if rng.random() < 0.6:
        fragment = rng.choice([0, 0, 0, 0x4000, 0x2000, 3, 0x2003])
        packet, ethertype = pk.ipv4(above, proto, fragment=fragment), 0x0800
    else:
        if rng.random() < 0.3:
            header = rng.choice([0, 43, 44, 60])
            following = bytes([proto]) + (b"\0" if header != 44 else b"") + bytes(6)
            above, proto = following.ljust(8, b"\0") + above, header
        packet, ethertype = pk.ipv6(above, proto), 0x86DD
    for tag in range(rng.choice([0, 0, 0, 1, 2])):
        packet = rng.randrange(65536).to_bytes(2, "big") + ethertype.to_bytes(2, "big") + packet
        ethertype = 0x88A8 if tag else 0x8100
    return pk.ethernet(packet, ethertype)


def damaged(rng: random.Random, frame: bytes) -> bytes:
    """The same with a few bytes, or a length, that are anything."""
    out = bytearray(frame)
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        at = rng.randrange(12, len(out))
        out[at] = rng.choice([0, 1, 0xFF, out[at] ^ 1 << rng.randrange(8), rng.randrange(256)])
    if rng.random() < 0.4:  # IPv4's length, IPv6's, UDP's, TCP's data offset
        at = rng.choice([16, 18, 38, 46, 58])
        length = rng.choice([0, 1, 7, 8, 19, 20, 39, len(out), 0xFFFF, rng.randrange(200)])
        if at + 2 <= len(out):
            struct.pack_into(">H", out, at, length)
    return bytes(out)


def trace_of(path: Path, rng: random.Random, count: int, *, damage: bool) -> Path:
    """Frames that are padded, and cut, as those of a capture."""
    records = []
    for n in range(count):
        frame = built(rng)
        if damage:
            frame = damaged(rng, frame)
        if rng.random() < 0.5:
            frame = frame.ljust(60, b"\0") + rng.choice([b"", b"FCS!"])
        captured = rng.randrange(len(frame) + 1) if damage and rng.random() < 0.4 else len(frame)
        wire = len(frame) + (rng.choice([-9, 5, 1000]) if damage and rng.random() < 0.2 else 0)
        records.append(pk.Record(frame[:captured], sec=pk.EPOCH + n, wire=max(wire, 0)))
    return pk.write(path, pk.pcap(records, pk.ETH))


@pytest.mark.parametrize("seed", range(12))
def test_damaged_packets(tmp_path: Path, seed: int) -> None:
    path = trace_of(tmp_path / "x.pcap", random.Random(seed), 800, damage=True)
    assert differences(str(path), packets_of(str(path))) == []


@pytest.mark.parametrize("seed", range(3))
def test_whole_packets(tmp_path: Path, seed: int, tshark: str) -> None:
    path = trace_of(tmp_path / "x.pcap", random.Random(seed), 800, damage=False)
    seen = packets_of(str(path))
    assert differences(str(path), seen) == []
    found, compared = tshark_differences(seen, tshark_lengths(path, tshark))
    assert found == []
    assert compared > 300


@pytest.mark.parametrize("seed", range(3))
def test_conditions_say_what_columns_do(tmp_path: Path, seed: int) -> None:
    path = trace_of(tmp_path / "x.pcap", random.Random(seed), 400, damage=True)
    names = [
        *("number", "dscp", "ecn", "vlan_pcp", "inner_vlan_id", "inner_vlan_pcp", "arp.op"),
        *("tcp.mss", "tcp.wscale", "tcp.sack_ok", "tcp.ts_val", "tcp.ts_ecr"),
        *("layer2.src", "layer2.dst", "arp.sender_mac", "arp.target_prefix"),
    ]
    table = plt.columns(path, names, addresses="text").table()
    compared = 0
    for name in names:
        missing = table.mask(name).tolist()
        values = [
            None if absent else value
            for value, absent in zip(table[name].tolist(), missing, strict=True)
        ]
        for wanted in sorted({*values} - {None}, key=repr)[:5]:
            where = plt.where(f"{name} == {str(wanted).lower()}")
            found = plt.columns(path, ["number"], filter=where).table()["number"].tolist()
            assert found == [n for n, value in enumerate(values, 1) if value == wanted], where
            compared += 1
    assert compared > 40


def test_the_comparison_notices_a_difference(tmp_path: Path) -> None:
    path = trace_of(tmp_path / "x.pcap", random.Random(1), 50, damage=False)
    seen = packets_of(str(path))
    assert differences(str(path), [*seen[1:], seen[0]])
    assert not differences(str(path), seen)
