#!/usr/bin/env python3
"""p05: count the FIN and RST flags of a trace's TCP packets.

Usage: python p05_tcp_fin_vs_reset.py [URI]
"""

import sys
from pathlib import Path

import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = n_tcp = fins = resets = cut = 0
for pkt in t:
    n += 1
    tcp = pkt.tcp  # the TCP header, or None where the packet has none
    if not tcp:
        continue
    n_tcp += 1
    try:
        fins += tcp.fin_flag  # True counts as 1, False as 0
        resets += tcp.rst_flag
    except ValueError:  # the header was cut off before its flags
        cut += 1

t.close()

print(f"{n} packets, {n_tcp} of them TCP; {cut} cut short")
print(f"{fins} FIN, {resets} RST")
