#!/usr/bin/env python
"""copy_packets: copy those packets of a trace that match a filter

usage: copy_packets.py [-f filter] [-c count] [-z level] [-o out] trace
"""
import getopt
import os
import sys
import plt

def copy(inp, out, expr, count, level):
    t = plt.trace(inp)
    t.start()
    if expr:
        t.conf_filter(plt.filter(expr))
    o = plt.output_trace(out)
    if level > 0:
        o.conf_compress_type(plt.ZLIB_COMPRESSION)
        o.conf_compress_level(level)
    o.start_output()
    n = 0
    pkt = plt.packet()
    while t.read_packet(pkt):
        o.write_packet(pkt)
        n += 1
        if n == count:
            break
    o.close_output()
    t.close()
    return n

def main(argv):
    expr = None; count = -1; level = 0; out = 'pcapfile:copy.pcap'
    try:
        opts, args = getopt.getopt(argv, 'f:c:z:o:h', ['filter=', 'count='])
    except getopt.GetoptError as err:
        print(err)
        return 2
    for o, a in opts:
        if o in ('-f', '--filter'):
            expr = a
        elif o in ('-c', '--count'):
            count = int(a)
        elif o == '-z':
            level = int(a)
        elif o == '-o':
            out = 'pcapfile:' + a
        elif o == '-h':
            print(__doc__)
            return 0
    if len(args) != 1:
        print(__doc__)
        return 2
    try:
        n = copy(args[0], out, expr, count, level)
    except plt.libtrace_exc as e:
        print("libtrace said: %s" % str(e).split(':')[0])
        return 1
    print("%d packets copied, file of %s bytes" % (n, os.path.getsize(out[9:]) if not level else '?'))
    return 0

src = sys.argv[1]
# 24 bytes of file header, 16 for each packet
print(main([src]))
print(main(['-f', 'udp port 53', '-o', 'dns.pcap', src]))
print(main(['-c', '3', '--filter=tcp', '-o', 'tcp3.pcap', src]))
print(main(['-z', '6', '-o', 'tcp.pcap.gz', '-f', 'tcp', src]))
print(main(['-o', 'none.pcap', '-f', 'no filter', src]))
print(main(['-q', src]))
print(main(['no-such-trace']))
with open(src, 'rb') as a, open('copy.pcap', 'rb') as b:
    print(a.read() == b.read())
for name in ('dns.pcap', 'tcp3.pcap', 'tcp.pcap.gz'):
    t = plt.trace(name)
    t.start()
    print(name, [p.wire_len for p in t])
    t.close()
