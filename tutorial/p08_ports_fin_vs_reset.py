#!/usr/bin/env python3
"""p08: count the FIN and RST flags of each TCP port, the busiest ports first.

Usage: python p08_ports_fin_vs_reset.py [URI]
"""

import sys
from pathlib import Path

import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
TOP = 10


class PortCounts:
    """What we know of one port."""

    def __init__(self, port):
        self.port = port
        self.packets = self.fins = self.resets = 0

    def count(self, fin, reset):
        """Add a packet to the counts."""
        self.packets += 1
        self.fins += fin  # True counts as 1, False as 0
        self.resets += reset

    def __str__(self):
        return f"port {self.port:5} {self.packets:8} packets {self.fins:5} FIN {self.resets:5} RST"


t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = n_tcp = cut = 0
ports = {}  # port number -> its PortCounts
for pkt in t:
    n += 1
    tcp = pkt.tcp
    if not tcp:
        continue
    n_tcp += 1
    try:
        ends = {tcp.src_port, tcp.dst_port}
        fin, reset = tcp.fin_flag, tcp.rst_flag
    except ValueError:  # the header was cut off: count this packet nowhere
        cut += 1
        continue
    for port in ends:
        if port not in ports:
            ports[port] = PortCounts(port)
        ports[port].count(fin, reset)

t.close()

print(f"{n} packets, {n_tcp} of them TCP; {cut} cut short; {len(ports)} ports")
for counts in sorted(ports.values(), key=lambda k: (-k.packets, k.port))[:TOP]:
    print(counts)
