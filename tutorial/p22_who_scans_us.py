#!/usr/bin/env python3
"""p22: who scans us: who in the world tries many doors at home, and finds them shut?

Usage: python p22_who_scans_us.py [URI [HOME ...]]
"""

import sys
from pathlib import Path

import ipp
import natkit

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
HOME = [ipp.from_s(a) for a in sys.argv[2:] or ("192.0.2.0/24", "2001:db8:1::/64")]
TCP, UDP = 6, 17
MANY = 5  # doors; who tries fewer may have mistyped an address

# With a FlowHome, forward is into home: fwd_ is what came in, rev_ what went out
table = natkit.FlowTable(natkit.FlowHome(*HOME))
n = table.add_trace(sys.argv[1] if len(sys.argv) > 1 else DEFAULT)


def at_home(addr):
    """Whether an address lies in one of our home networks."""
    return any(p.version == addr.version and p.is_prefix(addr) for p in HOME)


class Visitor:
    """What an address in the world tried at home.  A door is an address, a protocol and a port."""

    def __init__(self):
        self.doors, self.open = set(), set()

    def kind(self):
        """In one word: many ports of one host, one port of many hosts, or some of both."""
        hosts, ports = ({door[n] for door in self.doors} for n in (0, 2))
        if len(hosts) == 1:
            return "one host"
        return "one port" if len(ports) == 1 else "both"


visitors = {}  # address -> its Visitor
for flow in table:
    began = flow.fwd_first_time_ns  # None where nothing came in
    if flow.proto not in (TCP, UDP) or began is None:
        continue
    if at_home(flow.src_prefix) or not at_home(flow.dst_prefix):
        continue  # it does not cross the border
    if flow.rev_first_time_ns is not None and flow.rev_first_time_ns < began:
        continue  # someone at home began it
    door = (flow.dst_prefix, flow.proto, flow.dst_port)
    visitor = visitors.setdefault(flow.src_prefix, Visitor())
    visitor.doors.add(door)
    # An open door answers; one of TCP not with a reset: then the handshake takes a time
    if flow.rev_packets and (flow.proto == UDP or flow.rtt_ns is not None):
        visitor.open.add(door)

print(f"{n} packets; {len(visitors)} addresses of the world began something at home")
scanners = {a: v for a, v in visitors.items() if len(v.doors - v.open) >= MANY}
print(f"{len(scanners)} of them tried {MANY} doors or more that did not open")
print("doors  open  kind      address")
for addr, v in sorted(scanners.items(), key=lambda kv: (-len(kv[1].doors), kv[0].version, kv[0])):
    print(f"{len(v.doors):5} {len(v.open):5}  {v.kind():8}  {addr}")
# Many ports of one host may also be a traceroute: it sends each packet to another port of UDP.
