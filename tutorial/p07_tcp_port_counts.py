#!/usr/bin/env python3
"""p07: find the TCP ports that carried the most bytes.

Usage: python p07_tcp_port_counts.py [URI]
"""

import sys
from pathlib import Path

import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
TOP = 10


class PortCounts:
    """What we know of one port."""

    def __init__(self, port):  # runs when PortCounts(80) makes an object
        self.port = port  # self. makes it the object's own variable
        self.packets = 0
        self.bytes = 0

    def __str__(self):  # what print() shows of the object
        return f"port {self.port:5} {self.packets:8} packets {self.bytes:10} bytes"


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
        ends = {tcp.src_port, tcp.dst_port}  # a set: one port if both are the same
    except ValueError:  # the header was cut off before its ports
        cut += 1
        continue
    for port in ends:
        if port not in ports:
            ports[port] = PortCounts(port)
        ports[port].packets += 1
        # The length on the wire, not what was captured; with Ethernet's 4-byte frame check.
        ports[port].bytes += pkt.wire_len

t.close()

print(f"{n} packets, {n_tcp} of them TCP; {cut} cut short; {len(ports)} ports")
# lambda makes a function without a name: here most bytes first, then the lower port
for counts in sorted(ports.values(), key=lambda k: (-k.bytes, k.port))[:TOP]:
    print(counts)
