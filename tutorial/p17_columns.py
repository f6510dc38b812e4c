#!/usr/bin/env python3
"""p17: p03 and p07 again without a loop: protocols and TCP ports, from columns.

Usage: python p17_columns.py [URI]

It needs what `pip install numpy` installs.
"""

import sys
from pathlib import Path

import numpy as np

import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "IPv6 tunnel", 58: "ICMPv6", 132: "SCTP"}
TOP = 10
FIELDS = ["version", "proto", "tcp.src_port", "tcp.dst_port", "wire_len"]

# Reads the whole trace: a column is an array with a value for each packet, and no Python object
# is made for any packet.
table = plt.columns(sys.argv[1] if len(sys.argv) > 1 else DEFAULT, FIELDS).table()

# p03.  What is said of an array is said of each of its values: this one is True or False
version, proto = table["version"], table["proto"]
n_ip, n_ip6 = np.sum(version == 4), np.sum(version == 6)
is_ip = version != 0  # a packet without the field has 0
known = is_ip & (proto != 0)  # & is the 'and' of arrays
neither, cut = len(table) - n_ip - n_ip6, np.sum(is_ip & ~known)  # and ~ their 'not'
print(f"{len(table)} packets: {n_ip} IPv4, {n_ip6} IPv6, {neither} neither; {cut} cut short")
# An array of True and False in the brackets picks the packets where it is True
protocols, counts = np.unique(proto[known], return_counts=True)  # each value once, in order
for i in np.argsort(-counts, kind="stable"):  # the places of the largest first
    print(f"{protocols[i]:3} {NAMES.get(int(protocols[i]), '?'):12} {counts[i]:8}")

# p07.  mask() is True where a packet lacks the field: port 0 is a port too
is_tcp = ~table.mask("tcp.src_port")
whole = ~table.mask("tcp.dst_port")
src, dst = table["tcp.src_port"][whole], table["tcp.dst_port"][whole]
octets = table["wire_len"][whole]
other = src != dst  # a packet counts once where both its ports are the same
ends = np.concatenate([src, dst[other]])
weights = np.concatenate([octets, octets[other]])
packets_of = np.bincount(ends)  # how many times each number is there: a place for each port
bytes_of = np.bincount(ends, weights).astype(int)  # the sum of the weights at each port
n_tcp, ports = np.sum(is_tcp), np.flatnonzero(packets_of)
print(f"{len(table)} packets, {n_tcp} of them TCP; {n_tcp - np.sum(whole)} cut short; ", end="")
print(f"{len(ports)} ports")
for port in sorted(ports, key=lambda p: (-bytes_of[p], p))[:TOP]:
    print(f"port {port:5} {packets_of[port]:8} packets {bytes_of[port]:10} bytes")
