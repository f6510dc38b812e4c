#!/usr/bin/env python3
"""p02: count the packets of each ethertype in a trace.

Usage: python p02_count_ethertypes.py [URI]
"""

import sys
from pathlib import Path

import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
NAMES = {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6"}

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = 0
ethertypes = {}  # a dictionary: ethertype -> how many packets
for pkt in t:
    n += 1
    et = pkt.ethertype  # of the packet's layer 3: VLAN tags are looked through
    if et in ethertypes:
        ethertypes[et] += 1
    else:
        ethertypes[et] = 1

t.close()

print(f"{n} packets")
for et in sorted(ethertypes):  # a dictionary's keys, in increasing order
    print(f"0x{et:04x} {NAMES.get(et, '?'):5} {ethertypes[et]:8}")
