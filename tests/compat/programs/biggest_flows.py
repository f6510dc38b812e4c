#!/usr/bin/env python
# flow table: bytes in each direction, only packets that have a flow
import plt, natkit
import sys

class Flow:
    def __init__(self, ipf):
        self.src = str(ipf.src_prefix)
        self.dst = str(ipf.dst_prefix)
        self.proto = ipf.proto
        self.sp = ipf.src_port;  self.dp = ipf.dst_port
        self.fwd = self.rev = 0

    def __cmp__(self, other):   # never called by Python 3
        return cmp(self.fwd + self.rev, other.fwd + other.rev)

flows = {}
n = noflow = 0
t = plt.trace(sys.argv[1]);  t.start()
for pkt in t:
    n += 1
    ipf = natkit.IPflow(pkt)
    if not ipf:
        noflow += 1
        continue
    if ipf.fwd_key in flows:
        flows[ipf.fwd_key].fwd += pkt.wire_len
    elif ipf.rev_key in flows:
        flows[ipf.rev_key].rev += pkt.wire_len
    else:
        fl = flows[ipf.fwd_key] = Flow(ipf)
        fl.fwd += pkt.wire_len
t.close()

print("%d packets, %d without flow, %d flows" % (n, noflow, len(flows)))
tab = sorted(list(flows.values()), key=lambda f: (-(f.fwd+f.rev), f.src, f.dst, f.sp))
for f in tab[0:8]:
    print("%5d %5d  %3d  %s:%d > %s:%d" % (f.fwd, f.rev, f.proto, f.src, f.sp, f.dst, f.dp))
