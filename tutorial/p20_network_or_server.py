#!/usr/bin/env python3
"""p20: slow or lossy: is it the network or the server?

Usage: python p20_network_or_server.py [URI]
"""

import sys
from pathlib import Path
from statistics import median

import natkit
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
TCP = 6
TOP = 10
LOSSY = 0.03  # of the packets; from there on loss is what we blame
MS = 1e6  # nanoseconds in a millisecond

uri = sys.argv[1] if len(sys.argv) > 1 else DEFAULT
# How much TCP or UDP carried in each packet: by the lengths in the headers, captured or not
carried = plt.columns(uri, ["payload_len"]).table()["payload_len"]

# Two flow tables: one of all packets, one of those that carry something.  The first tells how long
# the handshake took, which the network does alone: the kernel answers a SYN, whatever the server
# is busy with.  The second tells the time from the first byte of a request to that of the answer.
table, talk = natkit.FlowTable(), natkit.FlowTable()
with plt.trace(uri) as t:  # starts the trace, and closes it at the end
    for number, pkt in enumerate(t):
        table.add(pkt)
        if carried[number]:
            talk.add(pkt)

servers = {}  # (address, port) -> its connections
for flow in table:
    if flow.proto == TCP and flow.rtt_ns is not None:  # we saw SYN and SYN-ACK
        servers.setdefault((flow.dst_prefix, flow.dst_port), []).append(flow)

print(
    f"{len(carried)} packets; {sum(map(len, servers.values()))} connections, {len(servers)} servers"
)
print("connections  network  server ms  again  slowest part  server")
busiest = sorted(servers.items(), key=lambda kv: (-len(kv[1]), min(f.number for f in kv[1])))
for (addr, port), flows in busiest[:TOP]:
    network = median(f.rtt_ns for f in flows) / MS
    again = sum(f.retransmits for f in flows) / sum(f.packets for f in flows)
    waits = []  # of each connection: how long the server took, without the way there and back
    for f in flows:
        if f.fwd_key not in talk:
            continue
        said = talk[f.fwd_key]
        if said.fwd_key == f.fwd_key and said.rev_packets:  # the client spoke first, then both
            wait = said.rev_first_time_ns - said.fwd_first_time_ns - f.rtt_ns
            waits.append(max(wait, 0) / MS)  # below 0 where the handshake was the slower
    server = median(waits) if waits else 0
    blame = "loss" if again >= LOSSY else "server" if server > network else "network"
    print(f"{len(flows):11} {network:8.1f} {server:10.1f} {again:6.1%}  {blame:12}  {addr} {port}")
