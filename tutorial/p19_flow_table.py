#!/usr/bin/env python3
"""p19: p15 in six lines: the largest flows, by natkit's own flow table.

Usage: python p19_flow_table.py [URI]
"""

import sys
from pathlib import Path

import natkit

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
TOP = 10

table = natkit.FlowTable()  # empty, and without timeouts: a flow goes on as long as the trace
n = table.add_trace(sys.argv[1] if len(sys.argv) > 1 else DEFAULT)  # reads all of it, in C
cut, ip = table.too_short, n - table.not_ip
print(f"{n} packets, {ip} of them IP; {cut} cut short; {len(table)} flows")
for flow in table.top(TOP):  # the most bytes both ways; by="packets", say, sorts by another number
    print(f"{flow.fwd_bytes:9} {flow.rev_bytes:9} {flow.state or '':11} {flow.ipflow}")

# The flows are fewer than p15's.  A fragment after the first has no ports, so p15 takes it for a
# flow of its own; the table remembers its first fragment, and counts it there.
# 'forward' is the direction of the flow's first packet, as in p15.  A state is that of a TCP
# connection, in the words of RFC 9293: the table has seen its SYNs, FINs and RSTs.
