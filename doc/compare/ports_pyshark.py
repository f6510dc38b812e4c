import sys
from collections import Counter

import pyshark

# tshark dissects what tunnels carry and what ICMP quotes, too
ONLY = "tcp and not (icmp or icmpv6 or vxlan or geneve or gre) and not (ip and ipv6)"

octets = Counter()
with pyshark.FileCapture(sys.argv[1], display_filter=ONLY, keep_packets=False) as packets:
    for packet in packets:
        length = int(packet.ip.len) if "IP" in packet else 40 + int(packet.ipv6.plen)
        for port in {int(packet.tcp.srcport), int(packet.tcp.dstport)}:
            octets[port] += length
for port, n in octets.most_common(5):
    print(port, n)
