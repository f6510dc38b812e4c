#!/usr/bin/env python3
"""p09: read the DNS messages of a trace, and print one of each kind.

Usage: python p09_pldns_demo.py [URI]
"""

import sys
from pathlib import Path

import pldns  # not a part of plt: it has to be imported too
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
DNS = 53  # the port of nameservers
WIDTH = 76  # some records are longer than a line


def show(msg):
    """Print a message: its header, its question, and the records of its three sections."""
    kind = "response" if msg.is_response else "request"
    names = [name for name in ("aa", "tc", "rd", "ra", "ad", "cd") if getattr(msg, name)]
    codes = f"{pldns.opcodestr(msg.opcode)}, {pldns.rcodestr(msg.rcode)}"
    print(f"  {kind} {msg.ident}, {codes}, flags: {' '.join(names) or 'none'}")
    for rr in msg.query_rr_list:  # a list of ldnsrr objects
        print(f"  asks for {rr.owner} {pldns.typestr(rr.type)}")
    sections = {
        "answer": msg.response_rr_list,
        "authority": msg.auth_rr_list,
        "additional": msg.addit_rr_list,
    }
    for section, rr_list in sections.items():
        for rr in rr_list:
            text = f"{rr.owner} {rr.ttl} {pldns.typestr(rr.type)} {' '.join(rr.rdata_fields)}"
            print(f"    {section:10} {text if len(text) <= WIDTH else text[:WIDTH] + '...'}")


t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = cut = requests = responses = not_whole = 0
kinds = set()  # the kinds of which we have printed a message
for pkt in t:
    n += 1
    transport = pkt.udp or pkt.tcp  # whichever the packet has
    try:
        if not transport or DNS not in (transport.src_port, transport.dst_port):
            continue
        payload = transport.payload
    except ValueError:  # the header was cut off before its end
        cut += 1
        continue
    if not payload:
        continue  # TCP sends packets without data too
    # A UDP payload is a message: pldns.ldns(payload) would do.  A TCP payload may hold several,
    # each with its length before it, and messages() gives a list of them.
    for msg in pldns.messages(payload):
        if not msg.is_ok():  # cut off, in more than one TCP packet, or no DNS at all
            not_whole += 1
            continue
        if msg.is_response:
            responses += 1
        else:
            requests += 1
        kind = (bool(pkt.tcp), msg.is_response, msg.opcode, msg.rcode)
        if kind not in kinds:
            kinds.add(kind)
            print(f"packet {n}, by {'TCP' if pkt.tcp else 'UDP'}")
            show(msg)

t.close()

print(f"{n} packets; {cut} cut short")
print(f"{requests} requests, {responses} responses, {not_whole} messages not whole")
