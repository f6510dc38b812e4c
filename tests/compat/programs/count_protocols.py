#!/usr/bin/env python
# count ethertypes and protocols, total the bytes
import plt, sys

t = plt.trace(sys.argv[1])
t.start()

ethertypes = {}
protos4 = {}
protos6 = {}
n = 0
wire = 0
cap = 0
for pkt in t:
    n += 1
    wire += pkt.wire_len
    cap += pkt.capture_len
    et = pkt.ethertype
    ethertypes[et] = ethertypes.get(et, 0) + 1
    ip = pkt.ip
    if ip:
        if ip.proto in protos4:
            protos4[ip.proto] += 1
        else:
            protos4[ip.proto] = 1
    ip6 = pkt.ip6
    if not ip6:
        continue
    if not ip6.proto in protos6:
        protos6[ip6.proto] = 0
    protos6[ip6.proto] += 1

t.close()

print("%d packets, %d bytes on the wire, %d captured" % (n, wire, cap))
keys = list(ethertypes.keys())
keys.sort()
for et in keys:
    print(("%04x %6d" % (et, ethertypes[et])))
for pr in sorted(protos4):
    print("v4 proto %3d: %d (%.1f%%)" % (pr, protos4[pr], 100.0*protos4[pr]/n))
for pr in sorted(protos6):
    print("v6 proto %3d: %d" % (pr, protos6[pr]))
