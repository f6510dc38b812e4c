#!/usr/bin/env python
# list the chunks of SCTP packets
import plt, sys
names = {0: 'DATA', 1: 'INIT', 2: 'INIT ACK', 3: 'SACK', 4: 'HEARTBEAT', 5: 'HEARTBEAT ACK'}
t = plt.trace(sys.argv[1])
t.start()
for pkt in t:
    s = pkt.sctp
    if not s:
        continue
    print("%d > %d  tag %08x  proto %d" % (s.src_port, s.dst_port, s.verification_tag, s.proto))
    for ch in s.chunks:
        print("  %-9s flags %d length %2d ok %s" % (names.get(ch.type, 'other'), ch.flags, ch.length, ch.is_ok))
        print("    " + ''.join(['%02x' % b for b in ch.bytes]))
t.close()

# the same, with less of each packet
t = plt.trace(sys.argv[1])
t.conf_snaplen(70)
t.start()
for pkt in t:
    if pkt.sctp:
        print([(ch.type, ch.is_ok, len(ch.bytes)) for ch in pkt.sctp.chunks], pkt.capture_len, pkt.wire_len)
