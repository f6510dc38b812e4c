#!/usr/bin/env python
# what goes wrong, and how it is told
import plt, sys, os, struct

def attempt(what, f, *args):
    try:
        r = f(*args)
    except plt.plt_exc_libtrace as e:
        print("%s: libtrace: %s" % (what, str(e)[:24]))
    except (ValueError, TypeError, AttributeError) as e:
        print("%s: %s" % (what, e.__class__.__name__))
    else:
        print("%s: %s" % (what, r))

t = plt.trace('pcapfile:no-such-file.pcap')
attempt('missing', t.start)
attempt('no format', plt.trace('nothing:here').start)
t = plt.trace(sys.argv[1])
pkt = plt.packet()
attempt('early', t.read_packet, pkt)
print(pkt.tcp, pkt.ip, pkt.layer3, pkt.udp_payload)
try:
    for p in t: pass
except plt.LibtraceError:
    print("early loop")
t.start()
t.start()
n = 0
while t.read_packet(pkt):
    n += 1
    try:
        sp = pkt.udp.src_port
    except AttributeError:           # None has no ports
        continue
print(n, t.read_packet(pkt), t.read_packet(pkt))
t.close()
t.close()
attempt('late', t.read_packet, pkt)
attempt('output', plt.output_trace, 'rubbish')
o = plt.output_trace('pcapfile:o.pcap')
attempt('write', o.write_packet, pkt)
o.start_output(); o.write_packet(pkt); o.close_output()
print(os.path.getsize('o.pcap'), issubclass(plt.LibtraceError, SystemError), plt.libtrace_exc is plt.LibtraceError)

# a trace that ends within a packet
f = open(sys.argv[1], 'rb'); data = f.read(); f.close()
f = open('cut.pcap', 'wb'); f.write(data[0:200]); f.close()
n = 0
t = plt.trace('cut.pcap'); t.start()
try:
    for pkt in t:
        n += 1
except plt.LibtraceError as e:
    print("error after %d" % n)

# headers cut off
t = plt.trace(sys.argv[1]); t.conf_snaplen(44); t.start()
for pkt in t:
    tcp = pkt.tcp
    if tcp and pkt.ip:
        print(tcp.src_port, tcp.seq_nbr)
        for a in ('ack_nbr', 'flags', 'window', 'payload'):
            try:
                print(a, getattr(tcp, a))
            except ValueError as e:
                print(e)
        try:
            pkt.layer3.set_checksums()
        except ValueError as e:
            print(e)
        break
