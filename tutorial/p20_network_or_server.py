#!/usr/bin/env python3
"""p20: slow or lossy: is it the network or the server?

Usage: python p20_network_or_server.py [URI]
"""

import sys
from pathlib import Path
from statistics import median

import natkit

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
TCP = 6
TOP = 10
LOSSY = 0.03  # of the packets; from there on loss is what we blame
MS = 1e6  # nanoseconds in a millisecond

uri = sys.argv[1] if len(sys.argv) > 1 else DEFAULT
# With tcp=True the table also tells when each end first sent data, and more of TCP's quality
table = natkit.FlowTable(tcp=True)
n = table.add_trace(uri)

# A handshake takes the network's time alone: the kernel answers a SYN, whatever the server is busy
# with.  From the first byte of a request to that of the answer it is the network's and the server's
# time together.
servers = {}  # (address, port) -> its connections
for flow in table:
    if flow.proto == TCP and flow.rtt_ns is not None:  # we saw SYN and SYN-ACK
        servers.setdefault((flow.dst_prefix, flow.dst_port), []).append(flow)

print(f"{n} packets; {sum(map(len, servers.values()))} connections, {len(servers)} servers")
print("connections  network  server ms  again  slowest part  server")
busiest = sorted(servers.items(), key=lambda kv: (-len(kv[1]), min(f.number for f in kv[1])))
for (addr, port), flows in busiest[:TOP]:
    network = median(f.rtt_ns for f in flows) / MS
    again = sum(f.retransmits for f in flows) / sum(f.packets for f in flows)
    waits = []  # of each connection: how long the server took, without the way there and back
    for f in flows:
        asked, answered = f.fwd_first_payload_time_ns, f.rev_first_payload_time_ns
        if asked and answered and asked < answered:  # the client spoke first, then both
            wait = answered - asked - f.rtt_ns
            waits.append(max(wait, 0) / MS)  # below 0 where the handshake was the slower
    server = median(waits) if waits else 0
    blame = "loss" if again >= LOSSY else "server" if server > network else "network"
    print(f"{len(flows):11} {network:8.1f} {server:10.1f} {again:6.1%}  {blame:12}  {addr} {port}")
