#!/usr/bin/env python3
"""p06: count FIN and RST flags as p05 does, HTTP's apart from all others.

Usage: python p06_http_fin_vs_reset.py [URI]
"""

import sys
from pathlib import Path

import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
HTTP = 80

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = n_tcp = cut = 0
http_pkts = http_fins = http_resets = 0
other_pkts = other_fins = other_resets = 0
for pkt in t:
    n += 1
    tcp = pkt.tcp
    if not tcp:
        continue
    n_tcp += 1
    try:
        is_http = HTTP in (tcp.src_port, tcp.dst_port)  # to a server or from one
        fin, reset = tcp.fin_flag, tcp.rst_flag
    except ValueError:  # the header was cut off: count this packet nowhere
        cut += 1
        continue
    if is_http:
        http_pkts += 1
        http_fins += fin
        http_resets += reset
    else:
        other_pkts += 1
        other_fins += fin
        other_resets += reset

t.close()

print(f"{n} packets, {n_tcp} of them TCP; {cut} cut short")
print(f"HTTP:  {http_pkts:6} packets {http_fins:6} FIN {http_resets:6} RST")
print(f"other: {other_pkts:6} packets {other_fins:6} FIN {other_resets:6} RST")
