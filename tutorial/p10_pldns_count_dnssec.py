#!/usr/bin/env python3
"""p10: count the DNS responses that carry DNSSEC's resource records (RRs).

Usage: python p10_pldns_count_dnssec.py [URI]
"""

import sys
from pathlib import Path

import pldns
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
DNS = 53
# A tuple of type numbers.  pldns has names for them: TYPE_DS is 43, and so on.
DNSSEC = (
    pldns.TYPE_DS,
    pldns.TYPE_RRSIG,
    pldns.TYPE_NSEC,
    pldns.TYPE_DNSKEY,
    pldns.TYPE_NSEC3,
    pldns.TYPE_NSEC3PARAM,
)


def has_dnssec(rr_list):
    """Whether there is an RR of one of DNSSEC's types in the list."""
    return any(rr.type in DNSSEC for rr in rr_list)  # any() stops at the first


t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = cut = responses = not_whole = 0
in_answer = in_authority = in_any = 0
types = {}  # RR type -> how many RRs of it were in authority sections
for pkt in t:
    n += 1
    transport = pkt.udp or pkt.tcp
    try:
        if not transport or DNS not in (transport.src_port, transport.dst_port):
            continue
        payload = transport.payload
    except ValueError:  # the header was cut off before its end
        cut += 1
        continue
    if not payload:
        continue
    for msg in pldns.messages(payload):
        if not msg.is_ok():
            not_whole += 1
            continue
        if not msg.is_response:
            continue
        responses += 1
        answer, authority = has_dnssec(msg.response_rr_list), has_dnssec(msg.auth_rr_list)
        in_answer += answer  # True counts as 1, False as 0
        in_authority += authority
        in_any += answer or authority or has_dnssec(msg.addit_rr_list)
        for rr in msg.auth_rr_list:
            if rr.type in DNSSEC:
                types[rr.type] = types.get(rr.type, 0) + 1

t.close()

print(f"{n} packets; {cut} cut short")
print(f"{responses} responses, {not_whole} messages not whole")
print("DNSSEC RRs in the")
print(f"authority section {in_authority:6} responses")
print(f"answer section    {in_answer:6} responses")
print(f"any section       {in_any:6} responses")
print("authority sections hold")
for rr_type in sorted(types):
    print(f"{rr_type:3} {pldns.typestr(rr_type):13} {types[rr_type]:6}")
