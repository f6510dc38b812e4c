#!/usr/bin/env python
# walk through the layers of each packet, look at bytes
import plt, natkit
import struct, sys

t = plt.trace(sys.argv[1])
t.start()
n = 0
kept = []
for pkt in t:
    n += 1
    kept.append(pkt)
    l2 = pkt.layer2
    l3 = pkt.layer3
    tr = pkt.transport
    if pkt.linktype != plt.TRACE_TYPE_ETH:
        print("what?")
    mac = ':'.join(['%02x' % x for x in l2.data[6:12]])
    if n == 1:
        print("from %s, type %04x %04x, direction %d" % (
            mac, natkit.ba_get_short(pkt.data, 12), l3.ethertype, pkt.direction))
        print(pkt.ip, pkt.ip6, pkt.tcp, tr, pkt.proto)
    if pkt.vlan_id:
        print("%d: vlan %d ethertype %04x size %d" % (n, pkt.vlan_id, pkt.ethertype, pkt.capture_len))
    if n in (5, 21, 22, 23):
        print("%d: %s l3 %d bytes, %s, proto %d, id %04x mf %s off %d" % (
            n, mac, len(l3.data), tr and len(tr.data), pkt.ip.proto, pkt.ip.ident, pkt.ip.has_mf, pkt.ip.frag_offset))
    if n == 5:
        sp, dp, seq = struct.unpack('!HHL', bytes(pkt.tcp.data[0:8]))
        print(sp == pkt.tcp.src_port, dp, seq)
        print(pkt.tcp_payload.data.decode().split('\r\n')[0], pkt.udp_payload)
        print(pkt.tcp.src_prefix, pkt.tcp.ttl, pkt.tcp.pkt_len, pkt.tcp.hdr_len, pkt.tcp.version)
    if n == 11:
        ip6 = pkt.ip6
        print("%d %d %d %d %d" % (ip6.version, ip6.traffic_class, ip6.flow_label, ip6.payload_len, ip6.next_hdr))
        print(len(ip6.payload), len(pkt.udp.payload.data), pkt.udp.len, pkt.udp.hop_limit)
        print(pkt.udp.test_trans_cksm(), pkt.udp.test_l3_cksm())
t.close()

# packets live longer than their trace
print(n, [p.capture_len for p in kept[2:5]], kept[4].tcp.seq_nbr)
f = plt.filter('tcp[tcpflags] & tcp-syn != 0')
print([kept.index(p) + 1 for p in kept if p.apply_filter(f)])
