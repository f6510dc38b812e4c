#!/usr/bin/env python3
"""p03: count the packets of each IP or IPv6 protocol, the most frequent first.

Usage: python p03_count_protos.py [URI]
"""

import sys
from pathlib import Path

import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "IPv6 tunnel", 58: "ICMPv6", 132: "SCTP"}

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = n_ip = n_ip6 = cut = 0
protocols = {}  # protocol number -> how many packets
for pkt in t:
    n += 1
    ip = pkt.ip  # the IPv4 header, or None where there is none
    if ip:
        n_ip += 1
    else:
        ip = pkt.ip6  # the IPv6 header, or None
        if ip:
            n_ip6 += 1
        else:
            continue  # neither: ARP, say
    try:
        proto = ip.proto  # for IPv6 that of the transport, after any extension headers
    except ValueError:  # the header was cut off before its protocol field
        cut += 1
        continue
    protocols[proto] = protocols.get(proto, 0) + 1  # get(): 0 for a new one

t.close()

print(f"{n} packets: {n_ip} IPv4, {n_ip6} IPv6, {n - n_ip - n_ip6} neither; {cut} cut short")
# key= wants a function that gives the value to sort by: protocols.get does
for proto in sorted(protocols, key=protocols.get, reverse=True):
    print(f"{proto:3} {NAMES.get(proto, '?'):12} {protocols[proto]:8}")
