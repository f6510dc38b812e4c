#!/usr/bin/env python3
"""p15: build a flow table, and print the largest flows.

Usage: python p15_find_biggest_flows.py [URI]
"""

import sys
from pathlib import Path

import natkit
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "6in4", 58: "ICMPv6", 132: "SCTP"}
TOP = 10


class Flow:
    """What we know of a flow: its IPflow, and the bytes that went each way."""

    def __init__(self, ipf, length):
        self.ipf = ipf  # of the flow's first packet: its direction is 'forward'
        self.fwd_bytes = length
        self.rev_bytes = 0

    def __str__(self):
        f = self.ipf
        proto = NAMES.get(f.proto, f.proto)
        ends = f"{f.src_prefix} {f.src_port} -> {f.dst_prefix} {f.dst_port}"
        return f"{self.fwd_bytes:9} {self.rev_bytes:9}  {proto:6} {ends}"


t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = n_ip = cut = 0
flows = {}  # fwd_key of its first packet -> Flow
for pkt in t:
    n += 1
    try:
        ipf = natkit.IPflow(pkt)
    except ValueError:  # IP, but cut off before the end of its addresses
        cut += 1
        continue
    if not ipf:  # not IP: such an IPflow is false
        continue
    n_ip += 1
    # Matching as RFC 2722 has it: look for a flow with this packet's key; then for one with its
    # ends swapped, which this packet belongs to the other way round; then it is a new flow's first.
    if flow := flows.get(ipf.fwd_key):
        flow.fwd_bytes += pkt.wire_len  # on the wire, with Ethernet's 4-byte frame check
    elif flow := flows.get(ipf.rev_key):
        flow.rev_bytes += pkt.wire_len
    else:
        flows[ipf.fwd_key] = Flow(ipf, pkt.wire_len)

t.close()

print(f"{n} packets, {n_ip + cut} of them IP; {cut} cut short; {len(flows)} flows")
print(f"{'fwd bytes':>9} {'rev bytes':>9}  flow")
# sorted() leaves what is equal in its order: the flow that began first
for flow in sorted(flows.values(), key=lambda f: f.fwd_bytes + f.rev_bytes, reverse=True)[:TOP]:
    print(flow)
