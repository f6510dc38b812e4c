import sys

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.utils import PcapReader

flows = {}
with PcapReader(sys.argv[1]) as packets:
    for packet in packets:
        ip = packet.getlayer(IP) or packet.getlayer(IPv6)
        if not ip or not isinstance(ip.payload, TCP):
            continue
        length = ip.len if ip.version == 4 else 40 + ip.plen
        there = ip.src, ip.payload.sport, ip.dst, ip.payload.dport
        back = there[2:] + there[:2]
        if back in flows:
            flows[back][1] += length
        else:
            flows.setdefault(there, [0, 0])[0] += length
for flow in sorted(flows, key=lambda flow: sum(flows[flow]), reverse=True)[:5]:
    print(*flow, *flows[flow])
