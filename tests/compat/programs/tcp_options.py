#!/usr/bin/env python
# options of SYNs; payload sizes; flags
import plt, sys, natkit

names = {2: 'MSS', 3: 'WSCALE', 4: 'SACK', 8: 'TS'}

t = plt.trace(sys.argv[1])
t.conf_filter(plt.filter('tcp'))
t.start()
total = 0
for pkt in t:
    tcp = pkt.tcp
    if tcp.syn_flag:
        nbrs = tcp.option_numbers
        if nbrs:
            s = ' '.join([names[o] for o in nbrs])
        else:
            s = 'none'
        line = "SYN%s doff %d window %d options: %s" % (
            '-ACK' if tcp.ack_flag else '', tcp.doff, tcp.window, s)
        mss = tcp.option(2)
        if mss:
            line += ", mss %d" % natkit.ba_get_short(mss, 0)
        ts = tcp.option(8)
        if ts != False:
            line += ", ts %d" % natkit.ba_get_long(ts, 0)
        if tcp.option(4) is True:
            line += ", sack ok"
        if tcp.option(3):
            line += ", scale by %d" % (1 << tcp.option(3)[0])
        print(line)
    pl = tcp.payload
    if pl:
        total += len(pl.data)
        print("  %d bytes: %s" % (len(pl.data), pl.data[0:5].decode('ascii')))
    if tcp.fin_flag or tcp.rst_flag:
        print("  %s %s %x" % (tcp.fin_flag, tcp.rst_flag, tcp.flags))
print(total)
