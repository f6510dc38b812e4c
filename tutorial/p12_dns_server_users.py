#!/usr/bin/env python3
"""p12: count the users of a nameserver: the hosts that send it requests.

Usage: python p12_dns_server_users.py [URI [SERVER]]
"""

import sys
from pathlib import Path

import ipp
import pldns
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
DNS = 53

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
server = ipp.from_s(sys.argv[2] if len(sys.argv) > 2 else "192.0.2.10")
t.start()

n = cut = requests = not_whole = 0
users = {}  # host -> how many requests it sent
for pkt in t:
    n += 1
    transport = pkt.udp or pkt.tcp
    try:
        if not transport or transport.dst_port != DNS or transport.dst_prefix != server:
            continue
        payload = transport.payload
    except ValueError:  # the header was cut off before its end
        cut += 1
        continue
    if not payload:
        continue
    for msg in pldns.messages(payload):
        if not msg.is_ok():
            not_whole += 1
        elif not msg.is_response:
            requests += 1
            h = str(transport.src_prefix)  # as a string it can be printed and sorted
            users[h] = users.get(h, 0) + 1

t.close()

print(f"{n} packets; {cut} cut short")
print(f"{server}: {requests} requests of {len(users)} users; {not_whole} messages not whole")
for h in sorted(users, key=lambda h: (-users[h], h)):  # most requests first
    print(f"{h:40} {users[h]:6}")
