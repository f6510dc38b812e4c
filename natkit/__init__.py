"""Tools for network analysis: integers in bytes, sequence numbers and flows.

`IPflow(packet)` is the flow that a packet belongs to: its `fwd_key` and `rev_key` are bytes, for
the keys of a dict; it is false for a packet that is not IP. `FlowHome(prefix, ...)` makes IPflows
with respect to home networks: their `home_key` is the same for both directions. `FlowTable()`
counts the packets of whole traces in their flows, and `flows(uris)` those of many files at once.
`packets(source)` reads packets as columns that tell of their flows.
`community_id(flow)` is an IPflow's ID as Zeek and
Suricata have it. `streams(source)` puts the bytes of TCP connections in order.
`ba_get_short` and `ba_get_long` read integers in network order. The `seq_` functions compute with
32-bit sequence numbers; the `u32_` functions are the same under other names. `CryptoPan(key)`
anonymises addresses, arrays of them and packets. `natkit.plot` draws pictures of traces and flows.
"""

from natkit import plot
from natkit._anonymised import Anonymised
from natkit._flows import flows
from natkit._natkit import (
    CryptoPan,
    Flow,
    FlowHome,
    Flows,
    FlowTable,
    IPflow,
    Stream,
    StreamWay,
    ba_get_long,
    ba_get_short,
    community_id,
    seq_add,
    seq_ge,
    seq_gt,
    seq_le,
    seq_lt,
    seq_sub,
    u32_add,
    u32_ge,
    u32_gt,
    u32_le,
    u32_lt,
    u32_sub,
)
from natkit._packets import Packets, packet_fields, packets
from natkit._streams import streams

__all__ = [
    "Anonymised",
    "CryptoPan",
    "Flow",
    "FlowHome",
    "FlowTable",
    "Flows",
    "IPflow",
    "Packets",
    "Stream",
    "StreamWay",
    "ba_get_long",
    "ba_get_short",
    "community_id",
    "flows",
    "packet_fields",
    "packets",
    "plot",
    "seq_add",
    "seq_ge",
    "seq_gt",
    "seq_le",
    "seq_lt",
    "seq_sub",
    "streams",
    "u32_add",
    "u32_ge",
    "u32_gt",
    "u32_le",
    "u32_lt",
    "u32_sub",
]
