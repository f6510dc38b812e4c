import gzip
import sys
from collections import Counter

import dpkt

octets = Counter()
with gzip.open(sys.argv[1]) as file:
    for _, data in dpkt.pcap.Reader(file):
        ip = dpkt.ethernet.Ethernet(data).data
        if isinstance(ip, dpkt.ip.IP):
            length = ip.len
        elif isinstance(ip, dpkt.ip6.IP6):
            length = 40 + ip.plen
        else:
            continue
        if isinstance(ip.data, dpkt.tcp.TCP):
            for port in {ip.data.sport, ip.data.dport}:
                octets[port] += length
for port, n in octets.most_common(5):
    print(port, n)
