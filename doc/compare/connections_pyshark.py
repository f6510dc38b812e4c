import sys

import pyshark

# tshark dissects what tunnels carry and what ICMP quotes, too
ONLY = "tcp and not (icmp or icmpv6 or vxlan or geneve or gre) and not (ip and ipv6)"

flows = {}
with pyshark.FileCapture(sys.argv[1], display_filter=ONLY, keep_packets=False) as packets:
    for packet in packets:
        ip, tcp = packet.ip if "IP" in packet else packet.ipv6, packet.tcp
        length = int(ip.len) if "IP" in packet else 40 + int(ip.plen)
        there = ip.src, tcp.srcport, ip.dst, tcp.dstport
        back = there[2:] + there[:2]
        if back in flows:
            flows[back][1] += length
        else:
            flows.setdefault(there, [0, 0])[0] += length
for flow in sorted(flows, key=lambda flow: sum(flows[flow]), reverse=True)[:5]:
    print(*flow, *flows[flow])
