"""packet.fields() and packet.as_dict(): the layers of packets as lists and dicts."""

import json
from pathlib import Path
from typing import Any

import packets as pk
import pytest

import plt

TRACES = Path(__file__).resolve().parents[2] / "tutorial/traces"


def first(tmp_path: Path, data: bytes, **settings: Any) -> plt.packet:
    with plt.trace(pk.write(tmp_path / "t", pk.pcap([data], **settings))) as trace:
        return next(trace)


def test_a_datagram(tmp_path: Path) -> None:
    """Every value by hand, from what the packet was made with and RFC 791 and RFC 768."""
    packet = pk.ethernet(pk.ipv4(pk.udp(b"abc", ports=(5353, 53)), pk.UDP, src="192.0.2.1"))
    found = first(tmp_path, packet).as_dict()
    ip, udp = found.pop("ip"), found.pop("udp")
    assert found == {
        "number": 1,
        "time_ns": pk.EPOCH * 10**9,
        "wire_len": 14 + 20 + 8 + 3 + 4,  # the FCS is counted
        "capture_len": 14 + 20 + 8 + 3,
        "linktype": plt.TRACE_TYPE_ETH,
        "direction": plt.TRACE_DIR_UNKNOWN,
        "vlan_id": 0,
        "ethertype": 0x0800,
        "proto": 17,
        "payload": b"abc",
    }
    assert ip["version"] == 4
    assert ip["hdr_len"] == 5
    assert ip["pkt_len"] == 20 + 8 + 3
    assert ip["src_prefix"] == "192.0.2.1"
    assert ip["ttl"] == packet[14 + 8]
    assert ip["checksum"] == int.from_bytes(packet[24:26])
    checksum = int.from_bytes(packet[40:42])
    assert udp == {"src_port": 5353, "dst_port": 53, "len": 11, "checksum": checksum}


def test_the_shape_of_fields(tmp_path: Path) -> None:
    packet = pk.ethernet(pk.ipv6(pk.udp(b"abc", ports=(5353, 53))), 0x86DD)
    layers = first(tmp_path, packet).fields()
    assert [(layer["layer"], layer["start"], layer["end"]) for layer in layers] == [
        ("packet", None, None),
        ("layer2", 0, 14),
        ("ip6", 14, 54),
        ("udp", 54, 62),
    ]
    places = {f["name"]: (f["start"], f["end"]) for f in layers[2]["fields"]}
    assert places == {  # RFC 8200 section 3
        "version": (14, 15),
        "traffic_class": (14, 16),
        "dscp": (14, 16),
        "ecn": (14, 16),
        "flow_label": (14, 18),
        "payload_len": (18, 20),
        "next_hdr": (20, 21),
        "hop_limit": (21, 22),
        "src_prefix": (22, 38),
        "dst_prefix": (38, 54),
    }
    (length,) = (f for f in layers[3]["fields"] if f["name"] == "len")
    assert length == {
        "name": "len",
        "value": 11,
        "start": 58,
        "end": 60,
        "doc": "Length in bytes of header and payload.",
        "unit": "bytes",
    }


def test_options_and_icmp(tmp_path: Path) -> None:
    options = bytes([2, 4, 5, 0xB4])  # a maximum segment size of 1460: RFC 9293 section 3.7.1
    syn = pk.ethernet(pk.ipv4(pk.tcp(flags=2, options=options), pk.TCP))
    found = first(tmp_path, syn).as_dict()
    assert found["tcp"]["options_data"] == options
    assert found["tcp"]["doff"] == 6
    assert found["tcp"]["syn_flag"] is True
    assert "payload" not in found
    echo = pk.ethernet(pk.ipv4(bytes([8, 0, 0, 0, 0, 7, 0, 9]), 1))
    icmp = first(tmp_path, echo).as_dict()["icmp"]
    assert icmp == {"type": 8, "code": 0, "checksum": 0, "ident": 7, "sequence": 9}
    redirect = pk.ethernet(pk.ipv4(bytes([5, 1, 0, 0, 192, 0, 2, 254]), 1))
    icmp = first(tmp_path, redirect).as_dict()["icmp"]
    assert icmp == {"type": 5, "code": 1, "checksum": 0, "gateway": "192.0.2.254"}
    solicitation = bytes([135, 0, 0, 0, 0, 0, 0, 0]) + bytes([0x20, 1, 0xD, 0xB8]) + bytes(12)
    neighbour = pk.ethernet(pk.ipv6(solicitation, 58), 0x86DD)
    icmp6 = first(tmp_path, neighbour).as_dict()["icmp6"]
    assert icmp6 == {"type": 135, "code": 0, "checksum": 0, "target_prefix": "2001:db8::"}


def test_what_was_not_captured_is_left_out(tmp_path: Path) -> None:
    packet = pk.ethernet(pk.ipv4(pk.tcp(ports=(49152, 80)), pk.TCP))
    for size in range(len(packet) + 1):
        cut = pk.Record(packet[:size], wire=len(packet))
        with plt.trace(pk.write(tmp_path / "t", pk.pcap([cut]))) as trace:
            pkt = next(trace, None)
        if pkt is None:
            continue
        found = pkt.as_dict()
        assert ("src_port" in found.get("tcp", {})) == (size >= 34 + 2)
        assert ("window" in found.get("tcp", {})) == (size >= 34 + 16)
        assert ("dst_prefix" in found.get("ip", {})) == (size >= 14 + 20)
        ends = [field["end"] for layer in pkt.fields()[1:] for field in layer["fields"]]
        assert all(end <= size for end in ends)


def test_objects_without_layers(tmp_path: Path) -> None:
    assert plt.packet().fields() == []
    assert plt.packet().as_dict() == {}
    pkt = first(tmp_path, pk.ethernet(pk.ipv4(pk.udp(b"abc"), pk.UDP)))
    assert pkt.udp_payload is not None
    assert pkt.udp_payload.fields() == []
    assert pkt.udp is not None
    assert list(pkt.udp.as_dict()) == [
        *("number", "time_ns", "wire_len", "capture_len", "linktype", "direction", "vlan_id"),
        *("ethertype", "proto", "udp", "payload"),
    ]
    made = plt.ip(bytes(pkt)[14:])
    assert made is not None
    assert "time_ns" not in made.as_dict()
    assert made.as_dict()["ip"] == pkt.as_dict()["ip"]


@pytest.mark.parametrize("name", [path.name for path in sorted(TRACES.glob("*.pcap*"))])
def test_values_are_those_of_the_attributes(name: str) -> None:
    """Of every twentieth packet; and JSON takes them, bytes aside."""
    with plt.trace(TRACES / name) as trace:
        for n, pkt in enumerate(trace):
            if n % 20:
                continue
            for layer in pkt.fields():
                if "icmp" in layer["layer"]:  # whose kinds of messages have objects of their own
                    continue
                obj = pkt if layer["layer"] == "packet" else getattr(pkt, layer["layer"])
                for field in layer["fields"]:
                    value = getattr(obj, field["name"])
                    is_plain = isinstance(value, (int, float, bytearray))
                    assert field["value"] == (value if is_plain else str(value))
            assert json.loads(json.dumps(pkt.as_dict(), default=bytes.hex))
