"""Names that an unknown one may stand for."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["near_names"]

#: What else columns are called, by other tables and tools; those that a table has are offered.
USUAL = {
    "src": ("src_prefix",),
    "dst": ("dst_prefix",),
    "source": ("src", "src_prefix"),
    "destination": ("dst", "dst_prefix"),
    "src_ip": ("src", "src_prefix"),
    "dst_ip": ("dst", "dst_prefix"),
    "saddr": ("src", "src_prefix"),
    "daddr": ("dst", "dst_prefix"),
    "sport": ("src_port",),
    "dport": ("dst_port",),
    "protocol": ("proto",),
    "timestamp": ("time", "first_time"),
    "time": ("first_time",),
    "start": ("first_time",),
    "flags": ("tcp.flags", "fwd_tcp_flags", "rev_tcp_flags"),
    "tcp.flags": ("fwd_tcp_flags", "rev_tcp_flags"),
    "wire_len": ("bytes", "fwd_bytes", "rev_bytes"),
    "length": ("wire_len", "bytes"),
    "len": ("wire_len", "length", "bytes"),
    "size": ("wire_len", "length", "bytes"),
    "bytes": ("wire_len",),
    "rtt": ("response_time",),
    "latency": ("response_time", "rtt"),
    "response_time": ("rtt",),
    "name": ("qname",),
    "type": ("qtype",),
}
MOST = 4  # names that are offered


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """The known names that are likeliest meant, the likeliest first."""
    asked = name.lower()
    folded = {one.lower(): one for one in known}
    found = [
        *(one for one in (asked, *USUAL.get(asked, ())) if one in folded),
        *(one for one in folded if asked and one.startswith(asked)),
        *(one for one in folded if asked and asked in one),
    ]
    if not found:
        import difflib  # noqa: PLC0415  few misspell a name

        found = difflib.get_close_matches(asked, folded, n=MOST, cutoff=0.5)
    return [folded[one] for one in dict.fromkeys(found)][:MOST]
