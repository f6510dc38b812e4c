import gzip
import sys

import dpkt
from dpkt.utils import inet_to_str

flows = {}
with gzip.open(sys.argv[1]) as file:
    for _, data in dpkt.pcap.Reader(file):
        ip = dpkt.ethernet.Ethernet(data).data
        if not isinstance(ip, (dpkt.ip.IP, dpkt.ip6.IP6)) or not isinstance(ip.data, dpkt.tcp.TCP):
            continue
        length = ip.len if isinstance(ip, dpkt.ip.IP) else 40 + ip.plen
        there = ip.src, ip.data.sport, ip.dst, ip.data.dport
        back = there[2:] + there[:2]
        if back in flows:
            flows[back][1] += length
        else:
            flows.setdefault(there, [0, 0])[0] += length
for flow in sorted(flows, key=lambda flow: sum(flows[flow]), reverse=True)[:5]:
    print(inet_to_str(flow[0]), flow[1], inet_to_str(flow[2]), flow[3], *flows[flow])
