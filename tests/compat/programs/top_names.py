#!/usr/bin/env python
# the class way: a trace that counts, a histogram, itemgetter, sorted items
import plt, pldns
import sys
from operator import itemgetter
from collections import defaultdict

class Port(plt.filter):
    def __init__(self, port):
        plt.filter.__init__(self, 'udp port %d' % port)

class Message(pldns.ldns):
    def __init__(self, pkt):
        pldns.ldns.__init__(self, pkt.udp_payload)
        self.when = pkt.seconds

class DnsTrace(plt.trace):
    def __init__(self, uri, port=53):
        plt.trace.__init__(self, uri)
        self.port = port
        self.n = 0
        self.bad = 0

    def messages(self):
        self.conf_filter(Port(self.port))
        self.start()
        for pkt in self:
            self.n += 1
            m = Message(pkt)
            if m.is_ok():
                yield pkt, m
            else:
                self.bad += 1
        self.close()

def tld(name):
    return name.rstrip('.').split('.')[-1].lower()

counts = defaultdict(int)
sizes = {}
d = DnsTrace(sys.argv[1])
for pkt, m in d.messages():
    for rr in m.query_rr_list + m.response_rr_list:
        counts[tld(rr.owner)] += 1
    sizes[len(pkt.udp_payload.data)] = sizes.get(len(pkt.udp_payload.data), 0) + 1
    if m.is_response:
        for rr in m.response_rr_list:
            print(rr.str.replace('\t', ' '))
            if str(rr) != rr.str: print("?")
        print(m.response_type, pldns.rcodestr(m.response_type), m.ident)
print(d.n, d.bad, d.port)
for k, v in sorted(iter(counts.items()), key=itemgetter(1), reverse=True):
    print("%-4s %s" % (k, '#' * v))
print(sorted(sizes.items()))

m = pldns.ldns(bytearray(b'\0\1\2'))
print(m.is_ok(), m.status != 0, len(m.errorstr(m.status)) > 0)
try:
    m.ident
except ValueError:
    print("no ident")
try:
    pldns.ldns(3)
except ValueError:
    print("no payload")
print(pldns.typestr(15), pldns.rcodestr(2), pldns.opcodestr(5))
