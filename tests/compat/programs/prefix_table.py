#!/usr/bin/env python
# longest match in a list of prefixes; counts in a dictionary keyed by address
import plt, sys
from ipp import IPprefix, from_s
import ipp

table = [from_s(s) for s in ('198.51.100.0/24', '192.0.2.0/28', '192.0.2.0/24', '203.0.113.0/24', '0.0.0.0/0')]
table.sort()
print(' '.join([str(p) for p in table]))

table6 = sorted([ipp.from_s('2001:db8:1::/48'), ipp.from_s('2001:db8::/32'), ipp.from_s('2001:db8::/64')])
print(' '.join(map(str, table6)))

def longest(addr, tab):
    best = None
    for p in tab:
        if p.is_prefix(addr):
            if not best or p.length > best.length:
                best = p
    return best

counts = {}
t = plt.trace(sys.argv[1])
t.start()
for pkt in t:
    if pkt.ip:
        a = pkt.ip.src_prefix
    elif pkt.ip6:
        a = pkt.ip6.src_prefix
    else:
        continue
    if a in counts:
        counts[a] += 1
    else:
        counts[a] = 1

v4 = [a for a in counts if a.version == 4]
v4.sort()
for a in v4:
    p = longest(a, table)
    print("%-13s %2d in %s, bit %d set: %s, rfc1918 %s" % (
        a, counts[a], p, p.width, a.has_bit_set(p.width), a.is_rfc1918))
v6 = [a for a in list(counts.keys()) if a.version == 6]
for a in sorted(v6):
    print("%s %d in %s" % (a, counts[a], longest(a, table6)))

n24 = IPprefix(4, bytearray([192, 0, 2]), 24)
print(n24, n24.first_bit_different(from_s('192.0.3.0/24')), n24.first_bit_different(from_s('192.0.2.9')))
print(n24 == from_s('192.0.2.0/24'), n24.equal(from_s('192.0.2.0/28')), n24 < from_s('192.0.2.0/28'))
print(n24.complement, ipp.rfc1918s16, ipp.rfc1918s12, ipp.rfc1918s8)
n24.length = 20
print(n24, len(n24.addr), n24.addr[0])
try:
    n24.length = 33
except ValueError as e:
    print(e)
try:
    from_s('192.0.2.1').is_prefix(n24)
except AttributeError:
    print("no length")
try:
    from_s('not an address')
except ValueError:
    print("not an address")
