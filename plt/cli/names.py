"""What numbers are called on a terminal, and how values look there."""

from __future__ import annotations

from collections.abc import Callable

import pldns
import plt
from plt.cli.words import SECOND

ADDRESSES = ("src", "dst", "src_prefix", "dst_prefix")  # columns that are text by their version

#: IANA's protocol numbers, those that are seen.
PROTOCOLS = {
    0: "unknown", 1: "ICMP", 2: "IGMP", 4: "IPv4", 6: "TCP", 17: "UDP", 33: "DCCP", 41: "IPv6",
    46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 59: "no next header", 60: "Mobile",
    88: "EIGRP", 89: "OSPF", 103: "PIM", 108: "IPComp", 112: "VRRP", 115: "L2TP", 132: "SCTP",
    136: "UDP-Lite", 137: "MPLS",
}  # fmt: skip
ETHERTYPES = {
    0x0800: "IPv4 without a whole header", 0x0806: "ARP", 0x0842: "Wake-on-LAN", 0x8035: "RARP",
    0x86DD: "IPv6 without a whole header", 0x8809: "slow protocols", 0x8863: "PPPoE discovery",
    0x888E: "EAPOL", 0x88CC: "LLDP", 0x88E5: "MACsec", 0x88F7: "PTP", 0x8902: "CFM",
    0x9000: "loopback test",
}  # fmt: skip
LINK_TYPES = {
    plt.TRACE_TYPE_UNKNOWN: "other",
    plt.TRACE_TYPE_HDLC_POS: "HDLC",
    plt.TRACE_TYPE_ETH: "Ethernet",
    plt.TRACE_TYPE_ATM: "ATM",
    plt.TRACE_TYPE_80211: "802.11",
    plt.TRACE_TYPE_NONE: "raw IP",
    plt.TRACE_TYPE_LINUX_SLL: "Linux cooked",
    plt.TRACE_TYPE_PFLOG: "pflog",
    plt.TRACE_TYPE_POS: "PPP over SONET",
    plt.TRACE_TYPE_80211_PRISM: "802.11, Prism header",
    plt.TRACE_TYPE_AAL5: "AAL5",
    plt.TRACE_TYPE_DUCK: "DUCK",
    plt.TRACE_TYPE_80211_RADIO: "802.11, radiotap",
    plt.TRACE_TYPE_LLCSNAP: "LLC/SNAP",
    plt.TRACE_TYPE_PPP: "PPP",
    plt.TRACE_TYPE_METADATA: "metadata",
    plt.TRACE_TYPE_NONDATA: "no data",
    plt.TRACE_TYPE_OPENBSD_LOOP: "OpenBSD loopback",
}
WAYS = ("", "fwd_", "rev_")  # of columns that a flow has for both directions and for each
END_REASONS = {1: "idle", 2: "active", 3: "end of flow", 4: "forced"}  # RFC 5102


def protocol(number: int) -> str:
    """The name of an IP protocol, or its number."""
    return PROTOCOLS.get(number, str(number))


def ethertype(number: int) -> str:
    """The name of an ethertype, or its number."""
    return ETHERTYPES.get(number, f"ethertype 0x{number:04x}" if number else "no IP")


def link_type(number: int) -> str:
    """The name of a link type, or its number."""
    return LINK_TYPES.get(number, str(number))


def tcp_flags(flags: int) -> str:
    """A letter for each flag that is set, as tcpdump has them: SA is SYN and ACK."""
    return "".join(
        letter for bit, letter in zip((2, 1, 4, 8, 16, 32, 64, 128), "SFRPAUEW", strict=True)
        if flags & bit
    )  # fmt: skip


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def gap(seconds: float | None) -> str:
    """The time between two packets, one of which may have none."""
    return "null" if seconds is None else duration(seconds)


def time_of_day(time: str) -> str:
    """The time without its date and zone, to the microsecond."""
    return time[11:26]


def date_and_time(time: str) -> str:
    """The time to the microsecond."""
    return f"{time[:10]} {time[11:26]}"


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"


def rate(bits: float) -> str:
    """Bits a second as people read them."""
    for unit, size in (("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bits >= size:
            return f"{bits / size:.2f} {unit}"
    return f"{bits:.0f} bit/s"


def bar(part: float, whole: float, width: int = 24) -> str:
    """A bar that is as long as the part is of the whole."""
    eighths = round(8 * width * part / whole) if whole else 0
    return (
        "\u2588" * (eighths // 8)
        + " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"[eighths % 8].strip()
    )


def iso(time_ns: int) -> str:
    """Nanoseconds since the epoch as ISO 8601 in UTC."""
    import numpy as np  # noqa: PLC0415  few commands need it here

    seconds, rest = divmod(time_ns, SECOND)
    return f"{np.datetime64(seconds, 's')}.{rest:09d}Z"


#: What a column is called where there is little room.
HEADERS = {
    "number": "#", "src_port": "port", "dst_port": "port", "src_prefix": "source",
    "dst_prefix": "destination", "src": "source", "dst": "destination", "tcp.flags": "flags",
    "wire_len": "length", "first_time": "first", "response_time": "took", "retransmits": "again",
    "bits_per_second": "rate", "duration": "lasted", "client_rtt": "to client",
    "server_rtt": "to server", "fwd_resent_segments": "fwd again",
    "rev_resent_segments": "rev again", "tunnel_kind": "tunnel", "tunnel.kind": "tunnel",
    "tunnel_id": "id", "tunnel.id": "id", "fwd_bytes": "fwd bytes", "rev_bytes": "rev bytes",
    "first_ways": "ways", "first_sizes": "sizes", "first_gaps": "gaps",
    "fwd_missing": "fwd missing", "rev_missing": "rev missing",
}  # fmt: skip

#: How a terminal shows the values of a column; others as they are.
SHOWN: dict[str, Callable[[object], str]] = {}


def shown_as(function: Callable[..., str], *names: str) -> None:
    """Make a function the one that shows some columns."""
    SHOWN.update(dict.fromkeys(names, function))


shown_as(lambda number: protocol(number) if number else "", "proto")
shown_as(link_type, "linktype")
shown_as(tcp_flags, "tcp.flags", "fwd_tcp_flags", "rev_tcp_flags")
shown_as(
    duration, "duration", "rtt", "response_time", "interval", "client_rtt", "server_rtt",
    *(
        f"{way}_{name}"
        for way in ("fwd", "rev")
        for name in ("rtt_min", "rtt_mean", "rtt_max", "rtt_std", "longest_silence")
    ),
    *(
        f"{way}gap_{name}"
        for way in WAYS
        for name in ("min", "mean", "max", "std")
    ),
)  # fmt: skip
shown_as(lambda gaps: ", ".join(map(gap, gaps)), "first_gaps")
shown_as(lambda mean: f"{mean:.1f}", *(f"{w}size_{n}" for w in WAYS for n in ("mean", "std")))
shown_as(rate, "bits_per_second")
shown_as(pldns.typestr, "qtype")
shown_as(pldns.rcodestr, "rcode", "edns_rcode")
shown_as(pldns.opcodestr, "opcode")
shown_as(lambda is_response: "response" if is_response else "query", "qr")
shown_as(lambda reason: END_REASONS.get(reason, str(reason)), "end_reason")
shown_as(
    count, "packets", "bytes", "ip_bytes", "payload_bytes", "fwd_packets", "rev_packets",
    "fwd_bytes", "rev_bytes", "fwd_missing", "rev_missing", "wire_len",
    "capture_len", "payload_len", "retransmits",
)  # fmt: skip
