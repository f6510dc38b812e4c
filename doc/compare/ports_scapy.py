import sys
from collections import Counter

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.utils import PcapReader

octets = Counter()
with PcapReader(sys.argv[1]) as packets:
    for packet in packets:
        ip = packet.getlayer(IP) or packet.getlayer(IPv6)
        if ip and isinstance(ip.payload, TCP):
            length = ip.len if ip.version == 4 else 40 + ip.plen
            for port in {ip.payload.sport, ip.payload.dport}:
                octets[port] += length
for port, n in octets.most_common(5):
    print(port, n)
