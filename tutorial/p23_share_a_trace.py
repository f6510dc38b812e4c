#!/usr/bin/env python3
"""p23: share a trace: anonymise it, and see what it still tells.

Usage: python p23_share_a_trace.py [URI [FOLDER]]

FOLDER is where addresses.pcapng and cleared.pcapng go; without it they are looked at and forgotten.
"""

import secrets
import sys
import tempfile
from pathlib import Path

import ipp
import natkit
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
HOME = [ipp.from_s(a) for a in ("192.0.2.0/24", "2001:db8:1::/64")]
NAME = b"\7example"  # as DNS has it: a label's length, and the label

# Whoever has the key can undo it: this one is made for the day, and thrown away.  To give the same
# hosts the same new addresses in the next trace, keep it.
secret = natkit.CryptoPan(secrets.token_bytes(32))


def share(uri, name, payload):
    """Write a copy of a trace with other addresses, application data kept or cleared to zeros."""
    with plt.trace(uri) as t, plt.output_trace(f"pcapng:{name}") as out:
        for pkt in t:
            # In place: in all headers, tunnels and ICMP errors.  Layers that may hold addresses and
            # can't be searched are cleared too.
            secret.packet(pkt, unknown="zero", payload=payload)
            out.write_packet(pkt)


def look(uri):
    """What a stranger may read in a trace."""
    n = ours = names = 0
    hosts, macs, shapes = set(), set(), set()
    with plt.trace(uri) as t:
        for pkt in t:
            n += 1
            ip = pkt.ip or pkt.ip6
            try:
                ends = (ip.src_prefix, ip.dst_prefix) if ip else ()
            except ValueError:  # the header was cut off before the end of its addresses
                ends = ()
            hosts.update(ends)
            ours += any(p.version == a.version and p.is_prefix(a) for p in HOME for a in ends)
            raw = bytes(pkt)  # from the link layer on
            macs.update((raw[:6], raw[6:12]))  # of Ethernet
            names += NAME in raw
            shapes.add((pkt.time_ns, pkt.wire_len))
    return n, ours, len(hosts), names, len(macs), shapes


uri = sys.argv[1] if len(sys.argv) > 1 else DEFAULT
with tempfile.TemporaryDirectory() as scratch:
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else scratch)
    for what, payload in (("addresses", "keep"), ("cleared", "zero")):
        share(uri, folder / f"{what}.pcapng", payload)
    seen = {"as it was": look(uri)}
    seen |= {what: look(folder / f"{what}.pcapng") for what in ("addresses", "cleared")}

print("           packets  of home  addresses  with names  MACs  times and lengths")
for what, (n, ours, hosts, names, macs, shapes) in seen.items():
    same = len(shapes & seen["as it was"][-1])
    print(f"{what:10}{n:8}{ours:9}{hosts:11}{names:12}{macs:6}  {same} as before")
# Names go with the application data.  The number of hosts stays, and so do MAC addresses, times and
# lengths: whoever saw one packet finds it again, and with it who is who.
