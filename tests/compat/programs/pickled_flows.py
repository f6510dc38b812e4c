#!/usr/bin/env python
# count packets and bytes by flow key, save them, load them again
import pickle
import sys
import natkit, ipp
from plt import *
from natkit import *

home = FlowHome(ipp.from_s('192.0.2.0/24'), ipp.from_s('2001:db8::/48'))
tab = {}
last = {}
n = 0
t = trace(sys.argv[1])
t.start()
for pkt in t:
    n = n + 1
    f = home.flow(pkt)
    if not f: continue
    k = f.home_key
    if not k in tab:
        tab[k] = [0, 0, 0, 0]
    v = tab[k]
    if f.is_inward:
        v[0] += 1;  v[1] += pkt.wire_len
    else:
        v[2] += 1;  v[3] += pkt.wire_len
    last[k] = f
t.close()

f = open('flows.pickle', 'wb')
pickle.dump(tab, f)
pickle.dump(last, f, 2)
f.close()

f = open('flows.pickle', 'rb')
tab2 = pickle.load(f)
last2 = pickle.load(f)
f.close()
print(tab2 == tab, len(tab2))
for k in sorted(tab2.keys()):
    f = last2[k]
    print("v%d %3d %5d %5d  %s" % (f.version, f.proto, natkit.ba_get_short(k, 2), ba_get_short(k, 4), tab2[k]))
    if f.home_key != k:
        print("?")
one = last2[sorted(tab2)[0]]
print(str(one.src_prefix), str(one.dst_prefix), one.src_in_home, one.dst_in_home)
print(len(one.fwd_key), one.fwd_key[6:10] == one.rev_key[10:], one.fwd_key[10:] == one.rev_key[6:10])
