"""What plt.columns() must give, asked of the packets one by one."""

from collections.abc import Iterable
from typing import Any

from lengths import ip_length, payload_length

import plt

PORTS_ONLY = (33, 136)  # DCCP (RFC 4340) and UDP-Lite (RFC 3828): no layer objects
ALIASES = {"ts": "time", "src": "src_prefix", "dst": "dst_prefix"}
INTERNET = {
    "version", "traffic_class", "dscp", "ecn", "hop_limit", "ttl", "hdr_len", "pkt_len",
    "src_prefix", "dst_prefix",
}  # fmt: skip


#: Columns that are missing where a source states no time, for which the attribute is 0.
TIMES = ("time", "time_ns", "ts")


def attribute(obj: object, name: str) -> Any:
    """An attribute of a layer; None where there is no layer, or it raises ValueError."""
    if obj is None:
        return None
    try:
        return getattr(obj, name)
    except ValueError:
        return None


def within(value: int, low: int, high: int) -> int | None:
    """The value where a column of that range holds it."""
    return value if low <= value <= high else None


def of_tunnel(pkt: plt.packet, name: str) -> Any:
    """What the column of the innermost tunnel must hold."""
    if name == "depth":
        return len(pkt.tunnels)
    found = getattr(pkt.tunnels[-1], name) if pkt.tunnels else None
    return bytes(found.addr).ljust(16, b"\0") if name in ("src", "dst") and found else found


def value(pkt: plt.packet, name: str) -> Any:
    """What a column of this name must hold for the packet, None where that is missing.

    An address is its 16 bytes, a time its nanoseconds since the epoch.
    """
    name = ALIASES.get(name, name)
    if name in {"time", "time_ns"}:
        return within(pkt.time_ns, -(2**63) + 2 * 10**9, 2**63 - 2 * 10**9)
    if name == "wire_len":
        return within(pkt.wire_len, 0, 2**32 - 1)
    if name == "payload_len":
        return payload_length(pkt)
    if name in ("src_port", "dst_port"):
        layer = pkt.tcp or pkt.udp or pkt.sctp
        if layer is None and pkt.proto in PORTS_ONLY and pkt.transport is not None:
            at = 0 if name == "src_port" else 2
            data = bytes(pkt.transport.data)
            length = ip_length(pkt) - (len(bytes(pkt.layer3.data)) - len(data))
            port = data[: max(length, 0)][at : at + 2]
            return int.from_bytes(port, "big") if len(port) == 2 else None
        return attribute(layer, name)
    if name in INTERNET:
        found = attribute(pkt.ip or pkt.ip6, name)
        return bytes(found.addr).ljust(16, b"\0") if name.endswith("_prefix") and found else found
    if name.startswith("tunnel."):
        return of_tunnel(pkt, name.removeprefix("tunnel."))
    layer, dot, field = name.partition(".")
    if not dot:
        return getattr(pkt, name)
    found = attribute(getattr(pkt, layer), f"{field}_mac" if layer == "layer2" else field)
    return bytes(found.addr).ljust(16, b"\0") if field.endswith("_prefix") and found else found


def differences(packets: Iterable[plt.packet], table: plt.Table) -> list[str]:
    """Where a table is not what the packets say; the first few of each column."""
    found: list[str] = []
    packets = list(packets)
    if len(packets) != len(table):
        return [f"{len(packets)} packets, {len(table)} rows"]
    for name in table:
        values, missing = table[name], table.mask(name)
        if values.dtype.kind == "M":
            values = values.view("int64")
        got = [bytes(row) for row in values] if values.ndim == 2 else values.tolist()
        wrong = 0
        for number, (pkt, one, absent) in enumerate(
            zip(packets, got, missing.tolist(), strict=True)
        ):
            expected = value(pkt, name)
            if absent and expected == 0 and name in TIMES:  # what states no time has one of 0
                continue
            blank = bytes(16) if values.ndim == 2 else None if values.dtype == object else 0
            if absent != (expected is None) or one != (blank if expected is None else expected):
                wrong += 1
                if wrong <= 3:
                    seen = "missing" if absent else one
                    found.append(f"packet {number}: {name} is {seen!r}, not {expected!r}")
    return found
