#!/usr/bin/env python3
"""p04: count the IPv4 packets that transit a 'home' network: from and to somewhere else.

Usage: python p04_transit_ip_pkts.py [URI [HOME]]
"""

import sys
from pathlib import Path

import ipp  # plt makes its prefixes with it
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
home = ipp.from_s(sys.argv[2] if len(sys.argv) > 2 else "192.0.2.0/24")
t.start()

n = n_ip = leaving = entering = inside = transit = cut = 0
seen = set()  # the pairs of foreign addresses that we have printed
for pkt in t:
    n += 1
    ip = pkt.ip
    if not ip:
        continue  # we ignore IPv6 (and all else) here
    n_ip += 1
    try:
        src, dst = ip.src_prefix, ip.dst_prefix
    except ValueError:  # the header was cut off before its addresses
        cut += 1
        continue
    src.length = dst.length = 32  # an address is a prefix of all its bits
    from_home, to_home = home.is_prefix(src), home.is_prefix(dst)
    if from_home and to_home:
        inside += 1
    elif from_home:
        leaving += 1
    elif to_home:
        entering += 1
    else:
        transit += 1
        if (src, dst) not in seen:
            seen.add((src, dst))
            print(f"foreign: {src!s:18} -> {dst}")

t.close()

print(f"{n} packets, {n_ip} of them IPv4; {cut} cut short")
print(f"home {home}: {leaving} leaving, {entering} entering, {inside} inside, {transit} in transit")
