#!/usr/bin/env python
# hide the host's address, lower the ttl, mend the checksums, write it all to another trace
import plt
import ipp
import sys

host = ipp.from_s('192.0.2.1')
fake = ipp.from_s('203.0.113.200')
fake6 = ipp.IPprefix(6, bytearray(b'\x20\x01\x0d\xb8\xff'))

t = plt.trace(sys.argv[1])
t.start()
out = plt.output_trace('pcapfile:hidden.pcap')
out.start_output()
changed = wrong = 0
for pkt in t:
    ip = pkt.ip
    if ip:
        hit = False
        if ip.src_prefix == host:
            ip.src_prefix = fake;  hit = True
        if ip.dst_prefix.equal(host):
            ip.dst_prefix = fake;  hit = True
        ip.ttl = ip.ttl - 1
        if hit:
            changed += 1
        if ip.checksum_ok() is False:
            wrong += 1
        try:
            ip.set_checksums()
        except AttributeError:
            pkt.layer3.set_checksums()
    elif pkt.ip6:
        pkt.ip6.src_prefix = fake6
        pkt.ip6.hop_limit = 17
        pkt.layer3.set_checksums()
    out.write_packet(pkt)
out.close_output()
t.close()
print("%d changed, %d headers had to be summed anew" % (changed, wrong))

n = 0
good = [0, 0, 0]   # l3, transport, neither
t = plt.trace('pcapfile:hidden.pcap')
t.start()
for pkt in t:
    n += 1
    obj = pkt.tcp or pkt.udp or pkt.icmp or pkt.icmp6 or pkt.sctp or pkt.ip or pkt.ip6
    if not obj:
        continue
    l3 = obj.test_l3_cksm()
    tr = obj.test_trans_cksm()
    if l3: good[0] += 1
    if tr: good[1] += 1
    if tr == None: good[2] += 1
    if n in (2, 10, 12):
        print("%s -> %s ttl %d" % (obj.src_prefix, obj.dst_prefix, obj.ttl))
        print("%04x" % obj.checksum)
print(n, good)
try:
    pkt.ip.src_prefix = '10.1.1.1'
except TypeError as e:
    print("not an IPprefix")
try:
    pkt.ip.src_prefix = fake6
except TypeError as e:
    print("wrong version")
try:
    pkt.wire_len = 3
except TypeError as e:
    print("read only")
