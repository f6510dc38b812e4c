#!/usr/bin/env python
# which flows do ICMP messages complain about?
import plt, natkit, sys

t = plt.trace(sys.argv[1])
t.start()
for pkt in t:
    icmp = pkt.icmp
    if icmp and icmp.type in (3, 11):
        quoted = icmp.payload            # an ip object
        ipf = natkit.IPflow(quoted)
        if not ipf:
            print("no flow"); continue
        print("ICMP %d/%d from %s: %s %d -> %s %d proto %d" % (
            icmp.type, icmp.code, pkt.ip.src_prefix,
            ipf.src_prefix, ipf.src_port, ipf.dst_prefix, ipf.dst_port, ipf.proto))
        if quoted.udp:
            print("  udp len %d" % quoted.udp.len)
        elif quoted.tcp:
            print("  tcp seq %d" % quoted.tcp.seq_nbr)
            try:
                print("  flags %x" % quoted.tcp.flags)
            except ValueError as e:
                print("  " + str(e))
    elif icmp:
        e = icmp.echo
        print("echo %d ident %d seq %d, %d bytes" % (icmp.type, e.ident, e.sequence, len(icmp.payload)))
    icmp6 = pkt.icmp6
    if not icmp6:
        continue
    if icmp6.type == 2:
        ip6 = icmp6.payload
        print("too big, mtu %d: %s -> %s port %d" % (
            icmp6.toobig.mtu, ip6.src_prefix, ip6.dst_prefix, ip6.udp.dst_port))
    elif icmp6.type == 135:
        print("who has %s" % icmp6.neighbour.target_prefix)
