#!/usr/bin/env python
# handshake delay, sequence arithmetic, unacknowledged bytes, packets a minute
import plt, natkit
import sys

t = plt.trace(sys.argv[1])
t.start()
syns = {}
first = None
nxt = {}
bins = {}
for pkt in t:
    if not first:
        first = pkt.time              # datetime is here: plt imported it
        print(first.strftime("%Y-%m-%d %H:%M:%S"), first.microsecond)
    mins = int((pkt.time - first).total_seconds() / 60)
    bins[mins] = bins.get(mins, 0) + 1
    tcp = pkt.tcp
    if not tcp: continue
    if tcp.syn_flag and not tcp.ack_flag:
        ipf = natkit.IPflow(pkt)
        syns[ipf.fwd_key] = (pkt.seconds, tcp.seq_nbr)
        nxt[ipf.fwd_key] = natkit.seq_add(tcp.seq_nbr, 1)
    elif tcp.syn_flag:
        ipf = natkit.IPflow(pkt)
        if ipf == None: continue
        when, seq = syns[ipf.rev_key]
        print("handshake %.2f s, acks %d" % (pkt.seconds - when, natkit.seq_sub(tcp.ack_nbr, seq)))
    else:
        k = natkit.IPflow(tcp).fwd_key
        if k in nxt:
            pl = tcp.payload
            size = len(pl.data) if pl else 0
            if natkit.seq_lt(tcp.seq_nbr, nxt[k]):
                print("old")
            end = natkit.seq_add(tcp.seq_nbr, size)
            print("seq %d + %d = %d, ahead %s" % (tcp.seq_nbr, size, end, natkit.seq_gt(end, nxt[k])))
            nxt[k] = end
print(bins)
print(datetime.timedelta(seconds=90), pkt.time - first, pkt.ts_sec, pkt.erf_time >> 32)
print(natkit.u32_add(4294967295, 2), natkit.u32_sub(1, 2), natkit.u32_lt(4294967290, 3), natkit.u32_gt(1, 4294967295),
      natkit.u32_le(5, 5), natkit.u32_ge(4, 5))
ba = bytearray([1, 2, 3, 4, 5])
print(natkit.ba_get_short(ba, 1), natkit.ba_get_long(ba, 1), natkit.ba_get_long(ba, 2), natkit.ba_get_short(ba, 4))
