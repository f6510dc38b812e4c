"""Every packet of the corpus, decoded by us and by tshark: the two must agree.

Compared are the outermost IP header, the transport right above it, lengths and times.
What tshark prints of packets inside packets (tunnels, quotes in ICMP) is left alone.
The differences that are meant stand in tshark_exceptions.py.
"""

import contextlib
import ipaddress
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tshark_exceptions import EXCEPTIONS, UNREADABLE, Known
from tshark_fields import Frame, frames

import plt

CUT = "ValueError"  # what our side says of a field that was not captured


def words(octets: int) -> int:
    """Header lengths: tshark counts octets, we 4-byte words."""
    return octets // 4


# layer: our attribute -> tshark's field, and what turns tshark's number into ours
SAME: dict[str, dict[str, tuple[str, Callable[[int], Any]]]] = {
    "ip": {
        "hdr_len": ("ip.hdr_len", words),
        "pkt_len": ("ip.len", int),
        "traffic_class": ("ip.dsfield", int),
        "ident": ("ip.id", int),
        "has_df": ("ip.flags.df", bool),
        "has_mf": ("ip.flags.mf", bool),
        "frag_offset": ("ip.frag_offset", int),
        "ttl": ("ip.ttl", int),
        "checksum": ("ip.checksum", int),
    },
    "ip6": {
        "traffic_class": ("ipv6.tclass", int),
        "flow_label": ("ipv6.flow", int),
        "payload_len": ("ipv6.plen", int),
        "next_hdr": ("ipv6.nxt", int),
        "hop_limit": ("ipv6.hlim", int),
    },
    "tcp": {
        "src_port": ("tcp.srcport", int),
        "dst_port": ("tcp.dstport", int),
        "seq_nbr": ("tcp.seq", int),
        "ack_nbr": ("tcp.ack", int),
        "doff": ("tcp.hdr_len", words),
        "flags": ("tcp.flags", int),
        "window": ("tcp.window_size_value", int),
        "checksum": ("tcp.checksum", int),
        "urg_ptr": ("tcp.urgent_pointer", int),
    },
    "udp": {
        "src_port": ("udp.srcport", int),
        "dst_port": ("udp.dstport", int),
        "len": ("udp.length", int),
        "checksum": ("udp.checksum", int),
    },
    "sctp": {
        "src_port": ("sctp.srcport", int),
        "dst_port": ("sctp.dstport", int),
        "verification_tag": ("sctp.verification_tag", int),
        "checksum": ("sctp.checksum", int),
    },
    "icmp": {
        "type": ("icmp.type", int),
        "code": ("icmp.code", int),
        "checksum": ("icmp.checksum", int),
    },
    "icmp6": {
        "type": ("icmpv6.type", int),
        "code": ("icmpv6.code", int),
        "checksum": ("icmpv6.checksum", int),
    },
}


def theirs(frame: Frame) -> dict[str, Any]:
    """What tshark says of a packet, under our names; None for a field that it does not show."""
    found: dict[str, Any] = {
        "time_ns": frame.time_ns,
        "capture_len": frame.number("frame.cap_len"),
        "wire_len": frame.wire_len,
        "vlan_id": frame.number("ieee8021ad.id") or frame.number("vlan.id") or 0,
    }
    network = {4: "ip", 6: "ip6"}.get(frame.version)
    if network:
        found["ethertype"] = frame.ethertype
        found[f"{network}.version"] = frame.version
        found[f"{network}.proto"] = frame.proto
        for end in ("src", "dst"):
            address = frame.text(f"{'ip' if frame.version == 4 else 'ipv6'}.{end}")
            found[f"{network}.{end}_prefix"] = ipaddress.ip_address(address) if address else None
    for layer in filter(None, (network, frame.transport)):
        for attribute, (field, ours_of) in SAME[layer].items():
            number = frame.number(field)
            found[f"{layer}.{attribute}"] = None if number is None else ours_of(number)
    return found


def read(obj: Any, attribute: str) -> Any:
    """An attribute of plt; CUT where it raises ValueError; addresses as the standard library's."""
    try:
        value = getattr(obj, attribute)
    except ValueError:
        return CUT
    return ipaddress.ip_address(str(value)) if attribute.endswith("_prefix") else value


def ours(pkt: Any) -> dict[str, Any]:
    """What we say of a packet; a layer that it does not have gives no fields."""
    found = {name: read(pkt, name) for name in ("time_ns", "capture_len", "wire_len", "vlan_id")}
    for layer, fields in SAME.items():
        header = getattr(pkt, layer)
        if header is None:
            continue
        names = [*fields]
        if layer in ("ip", "ip6"):
            names += ["version", "proto", "src_prefix", "dst_prefix"]
            found["ethertype"] = read(pkt, "ethertype")
        found |= {f"{layer}.{name}": read(header, name) for name in names}
    return found


def differences(frame: Frame, pkt: Any) -> dict[str, tuple[Any, Any]]:
    """The fields on which we and tshark differ: our value and tshark's."""
    us, them = ours(pkt), theirs(frame)
    found = {}
    for name in us.keys() | them.keys():
        a, b = us.get(name), them.get(name)
        alike = a == b and type(a) is type(b)
        if not alike and not (a == CUT and b is None):
            found[name] = (a, b)
    return found


def test_agrees_with_tshark(
    trace_name: str,
    corpus: Path,
    packet_counts: dict[str, int],
    trace_uri: Callable[[Path], str],
    tshark: str,
) -> None:
    path = corpus / "traces" / trace_name
    if trace_name in UNREADABLE:
        found = None
        with contextlib.suppress(ValueError):  # or tshark takes it for a text file
            found = len(list(frames(path, tshark)))
        assert found != packet_counts[trace_name]
        return
    packets = list(frames(path, tshark))
    known = EXCEPTIONS.get(trace_name, ())
    met: set[Known] = set()
    bad: dict[str, list[str]] = defaultdict(list)
    count = 0
    trace = plt.trace(trace_uri(path))
    trace.start()
    for pkt in trace:
        count += 1
        assert count <= len(packets), f"tshark finds {len(packets)} packets, we find more"
        for name, (a, b) in differences(packets[count - 1], pkt).items():
            reasons = {k for k in known if k.covers(count, name)}
            met |= reasons
            if not reasons:
                bad[name].append(f"packet {count}, {name}: {a!r}, tshark {b!r}")
    trace.close()
    assert count == len(packets)
    assert not bad, "\n".join(f"{lines[0]} ({len(lines)} such)" for lines in bad.values())
    assert met == set(known), "an exception is listed that is none"


def test_exceptions_name_traces_of_the_corpus(packet_counts: dict[str, int]) -> None:
    assert EXCEPTIONS.keys() | UNREADABLE.keys() <= packet_counts.keys()
