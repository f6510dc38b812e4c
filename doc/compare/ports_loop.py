import sys
from collections import Counter

import plt

octets = Counter()
with plt.trace(sys.argv[1]) as trace:
    for packet in trace:
        ip, tcp = packet.ip or packet.ip6, packet.tcp
        if ip and tcp:
            length = ip.pkt_len if packet.ip else 40 + ip.payload_len
            for port in {tcp.src_port, tcp.dst_port}:
                octets[port] += length
for port, n in octets.most_common(5):
    print(port, n)
