"""Tools for network analysis: integers in bytes, sequence numbers and flows.

`IPflow(packet)` tells which flow a packet belongs to: its `fwd_key` and `rev_key` are bytes, for
the keys of a dict; of a packet that is not IP it is false. `FlowHome(prefix, ...)` makes IPflows
that know a home network: their `home_key` is one for both directions. `FlowTable()` counts the
packets of whole traces in their flows, and `flows(uris)` does so for many files at once.
`ba_get_short` and `ba_get_long` read integers in network order; the `seq_` functions, which have
names with `u32_` too, compute with 32-bit sequence numbers. `CryptoPan(key)` anonymises addresses,
arrays of them and packets. `natkit.plot` draws pictures of traces and flows.
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
    ba_get_long,
    ba_get_short,
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

__all__ = [
    "Anonymised",
    "CryptoPan",
    "Flow",
    "FlowHome",
    "FlowTable",
    "Flows",
    "IPflow",
    "ba_get_long",
    "ba_get_short",
    "flows",
    "plot",
    "seq_add",
    "seq_ge",
    "seq_gt",
    "seq_le",
    "seq_lt",
    "seq_sub",
    "u32_add",
    "u32_ge",
    "u32_gt",
    "u32_le",
    "u32_lt",
    "u32_sub",
]
