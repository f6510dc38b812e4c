#!/usr/bin/env python
# decode 6in4, headers from byte arrays, change bytes in them
import plt, natkit, ipp
import sys

t = plt.trace(sys.argv[1])
t.start()
pkt = plt.packet()
while t.read_packet(pkt):
    if not pkt.ip or pkt.ip.proto != 41:
        continue
    outer = pkt.ip
    for inner in (plt.ip6(outer.payload), plt.ip6(pkt.transport)):
        print("%s -> %s: %s -> %s port %d" % (outer.src_prefix, outer.dst_prefix,
            inner.src_prefix, inner.dst_prefix, inner.tcp.dst_port))
        print(inner.tcp.seq_nbr, inner.tcp.syn_flag, inner.tcp.test_trans_cksm())
        fl = natkit.IPflow(inner)
        print(len(fl.fwd_key), fl.version, fl.proto, fl.dst_port)
t.close()

# an IPv4 header by hand, its words sum up to 9931
ba = bytearray([0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
                0, 53, 0, 99, 0, 8, 0, 0])
ip = plt.ip(ba)
print(ip.src_prefix, ip.dst_prefix, ip.src_prefix.is_rfc1918, ip.udp.src_port, ip.udp.len, ip.udp.payload)
print(ip.checksum_ok())
ip.set_checksum()
print("%04x" % ip.checksum, ip.checksum_ok(), ba[10] * 256 + ba[11] == ip.hdr_checksum)
ba[8] = 3
print(ip.ttl, ip.checksum_ok())
ip.traffic_class = 16
print(ba[1])
udp = plt.udp(bytearray(b'\x00\x35\x04\x00\x00\x0a\x00\x00hi'))
print(udp.src_port, udp.dst_port, udp.len, udp.payload.data)
udp.checksum = 0xbeef
print("%x" % udp.checksum)
try:
    plt.tcp(bytearray(b'\0\x50')).dst_port
except ValueError as e:
    print(e)
try:
    plt.tcp('a string')
except ValueError as e:
    print(e)
udp.data = bytearray(b'\0\1\0\2')
print(udp.src_port, udp.dst_port, udp.len)
try:
    udp.data = bytearray(40)
except ValueError as e:
    print(e)
