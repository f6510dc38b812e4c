#!/usr/bin/env python
# one output trace a protocol, opened again to append; then merge two by time
import plt, sys

outs = {}
def out(name, flags=None):
    o = plt.output_trace('pcapfile:%s.pcap' % name)
    if flags is not None:
        o.conf_file_flags(flags)
    o.start_output()
    return o

t = plt.trace(sys.argv[1]); t.start()
for pkt in t:
    name = 'other'
    if pkt.tcp: name = 'tcp'
    elif pkt.udp: name = 'udp'
    if not name in outs:
        outs[name] = out(name)
    outs[name].write_packet(pkt)
t.close()
for name in list(outs.keys()):
    outs[name].close_output()

o = out('tcp', plt.O_APPEND)
t = plt.trace('pcapfile:other.pcap')
t.conf_filter(plt.filter('arp'))
t.start()
for pkt in t:
    o.write_packet(pkt)
o.close_output()

def count(name):
    t = plt.trace(name); t.start()
    n = sum([1 for p in t])
    t.close()
    return n
print([(name, count(name + '.pcap')) for name in sorted(outs)])

a = plt.trace('tcp.pcap'); a.start()
b = plt.trace('udp.pcap'); b.start()
pa, pb = plt.packet(), plt.packet()
more_a, more_b = a.read_packet(pa), b.read_packet(pb)
order = ''
while more_a or more_b:
    if more_a and (not more_b or pa.seconds <= pb.seconds):
        order += pa.tcp and 'T' or '-'
        more_a = a.read_packet(pa)
    else:
        order += 'U'
        more_b = b.read_packet(pb)
print(order)
