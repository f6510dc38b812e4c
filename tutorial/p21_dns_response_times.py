#!/usr/bin/env python3
"""p21: how fast do nameservers answer, and who asks those who never do, the puzzle of p11?

Usage: python p21_dns_response_times.py [URI [HOME ...]]

It needs what `pip install numpy` installs.
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np

import ipp
import pldns

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
HOME = [ipp.from_s(a) for a in sys.argv[2:] or ("192.0.2.0/24", "2001:db8:1::/64")]
FIELDS = ["time", "version", "src_prefix", "dst_prefix", "src_port", "id", "qr"]
FIELDS += ["query_time", "response_time"]
TOP = 5

# A row for each DNS message.  A response's row also has when its query was sent, and how long ago
table = pldns.columns(sys.argv[1] if len(sys.argv) > 1 else DEFAULT, FIELDS).table()
src, dst = (ipp.format(table[name], table["version"]) for name in ("src_prefix", "dst_prefix"))

query = ~table["qr"] & ~table.mask("qr")
matched = ~table.mask("query_time")
print(f"{len(table)} messages: {query.sum()} queries, {matched.sum()} of them answered")

servers = {}  # address -> its response times in milliseconds
for row in np.flatnonzero(matched):  # the places where matched is True
    servers.setdefault(src[row], []).append(table["response_time"][row] / np.timedelta64(1, "ms"))
print("answers  median ms  95% ms   max ms  server")
for addr in sorted(servers, key=lambda a: (-len(servers[a]), a))[:TOP]:
    half, most, worst = np.percentile(servers[addr], (50, 95, 100))
    print(f"{len(servers[addr]):7} {half:10.1f} {most:7.1f} {worst:8.1f}  {addr}")

# The puzzle: p11 found queries to hosts at home that nobody answers.  Which queries were answered?
# Those whose time, client and id a matched response names.
asked_at, ident = table["time"], table["id"]
answered = {(table["query_time"][r], dst[r], ident[r]) for r in np.flatnonzero(matched)}
comes_in = np.zeros(len(table), bool)
for prefix in HOME:
    comes_in |= np.asarray(prefix.contains(table["dst_prefix"], table["version"]))
    comes_in &= ~np.asarray(prefix.contains(table["src_prefix"], table["version"]))

servers_of, unanswered, alive = {}, Counter(), set()
for row in np.flatnonzero(query & comes_in):
    servers_of.setdefault(src[row], set()).add(dst[row])
    if (asked_at[row], src[row], ident[row]) in answered:
        alive.add(dst[row])
    else:
        unanswered[src[row]] += 1
silent = set().union(*servers_of.values()) - alive
print(f"{len(silent)} hosts at home are asked and never answer, {len(alive)} do")
# A client knows where its nameserver is.  Who asks many hosts, most of them silent, is looking
print("hosts asked  silent  queries unanswered  client")
for addr in sorted(servers_of, key=lambda a: (-len(servers_of[a] & silent), -unanswered[a], a)):
    hosts = servers_of[addr]
    print(f"{len(hosts):11} {len(hosts & silent):7} {unanswered[addr]:19}  {addr}")
