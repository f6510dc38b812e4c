#!/usr/bin/env python
# start a trace, set a filter, change it as we go
import sys
import plt

t = plt.trace('pcapfile:' + sys.argv[1])
t.start()
t.conf_filter(plt.filter('tcp'))

n = 0
for pkt in t:
    n += 1
    tcp = pkt.tcp
    print("%2d: %.2f  %5d > %-5d" % (n, pkt.seconds - 1262304000, tcp.src_port, tcp.dst_port))
    if n == 4:
        break

t.conf_filter(plt.filter('udp port 53'))     # on the fly
pkt = plt.packet()
while t.read_packet(pkt):
    n += 1
    print("%2d: %.2f  %5d > %-5d" % (n, pkt.seconds - 1262304000, pkt.udp.src_port, pkt.udp.dst_port))
    if pkt.ip6:
        break

t.pause()
f = plt.filter('icmp or icmp6')
t.conf_filter(f)
t.start()
for pkt in t:
    n += 1
    if pkt.icmp:
        print("%2d: %.2f  icmp type %d" % (n, pkt.seconds - 1262304000, pkt.icmp.type))
    else:
        print("%2d: %.2f  icmp6 type %d" % (n, pkt.seconds - 1262304000, pkt.icmp6.type))

print("accepted %d, dropped %d" % (t.pkt_accepts(), t.pkt_drops()))
t.close()
