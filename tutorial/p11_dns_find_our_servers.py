#!/usr/bin/env python3
"""p11: find the nameservers in our home network: who is asked from outside, and who answers?

Usage: python p11_dns_find_our_servers.py [URI [HOME ...]]
"""

import sys
from pathlib import Path

import ipp
import pldns
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
DNS = 53
HOME = [ipp.from_s(a) for a in sys.argv[2:] or ("192.0.2.0/24", "2001:db8:1::/64")]


def at_home(addr):
    """Whether an address lies in one of our home networks."""
    addr.length = 32 if addr.version == 4 else 128  # is_prefix() compares prefixes
    return any(p.version == addr.version and p.is_prefix(addr) for p in HOME)


class Server:
    """How often a host at home was asked from outside."""

    def __init__(self):
        self.requests = self.answered = 0
        self.clients = set()  # who asked


t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = cut = not_whole = 0
servers = {}  # address -> its Server
waiting = {}  # request -> how many such have had no answer yet
for pkt in t:
    n += 1
    transport = pkt.udp or pkt.tcp
    try:
        if not transport or DNS not in (transport.src_port, transport.dst_port):
            continue
        payload = transport.payload
    except ValueError:  # the header was cut off before its end
        cut += 1
        continue
    if not payload:
        continue
    src, dst = transport.src_prefix, transport.dst_prefix
    incoming = at_home(dst) and not at_home(src)
    outgoing = at_home(src) and not at_home(dst)
    if not incoming and not outgoing:
        continue  # transit, or not seen from outside
    for msg in pldns.messages(payload):
        if not msg.is_ok():
            not_whole += 1
        elif incoming and not msg.is_response and transport.dst_port == DNS:
            server = servers.setdefault(dst, Server())  # makes one where there is none
            server.requests += 1
            server.clients.add(src)
            # A response has the number of its request, and its ends swapped.
            request = (src, transport.src_port, dst, bool(pkt.tcp), msg.ident)
            waiting[request] = waiting.get(request, 0) + 1
        elif outgoing and msg.is_response and transport.src_port == DNS:
            request = (dst, transport.dst_port, src, bool(pkt.tcp), msg.ident)
            if waiting.get(request):  # neither missing nor 0
                waiting[request] -= 1
                servers[src].answered += 1

t.close()

print(f"{n} packets; {cut} cut short, {not_whole} messages across the border not whole")
answering = sum(s.answered > 0 for s in servers.values())
print(f"{len(servers)} addresses at home were asked, {answering} of them answered")
# Most requests first; addresses have an order too
for addr, s in sorted(servers.items(), key=lambda kv: (-kv[1].requests, kv[0].version, kv[0])):
    print(f"{addr!s:40} {s.requests:5} requests {s.answered:5} answered {len(s.clients):4} clients")
