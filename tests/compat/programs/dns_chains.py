#!/usr/bin/env python
# match DNS responses to requests, follow CNAMEs
import plt, pldns, sys
import datetime as dt

asked = {}
t = plt.trace(sys.argv[1])
t.conf_filter(plt.filter('port 53'))
t.start()
for pkt in t:
    udp = pkt.udp
    if not udp:
        continue
    pay = udp.payload
    if not pay:
        continue
    ldns_obj = pldns.ldns(pay)
    if not ldns_obj.is_ok():
        print("bad: " + ldns_obj.errorstr(ldns_obj.status))
        continue
    q = ldns_obj.query_rr_list[0]
    if not ldns_obj.is_response:
        asked[ldns_obj.ident] = pkt.time
        print("%04x ? %s %s (%s)" % (ldns_obj.ident, q.owner, pldns.typestr(q.type), pldns.opcodestr(ldns_obj.opcode)))
        continue
    d = pkt.time - asked[ldns_obj.ident]
    ms = d.microseconds / 1000.0
    print("%04x ! %s after %.1f ms" % (ldns_obj.ident, pldns.rcodestr(ldns_obj.rcode), ms))
    names = {}
    for rr in ldns_obj.response_rr_list:
        names[rr.owner] = rr
    name = q.owner
    while name in names:
        rr = names[name]
        print("    %s %d %s %s" % (rr.owner, rr.ttl, pldns.typestr(rr.type), rr.rdata))
        name = rr.rdata
    print("    auth %d addit %d" % (len(ldns_obj.auth_rr_list), len(ldns_obj.addit_rr_list)))
t.close()
