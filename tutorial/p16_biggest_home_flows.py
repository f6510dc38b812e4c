#!/usr/bin/env python3
"""p16: the largest flows between a home network and the world, with one lookup a packet.

Usage: python p16_biggest_home_flows.py [URI [HOME ...]]
"""

import sys
from pathlib import Path

import ipp
import natkit
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 41: "6in4", 58: "ICMPv6", 132: "SCTP"}
TOP = 10


class Flow:
    """What we know of a flow that crosses the border."""

    def __init__(self, ipf):
        self.ipf = ipf  # of the flow's first packet
        self.bytes_in = self.bytes_out = 0

    def count_in(self, length):
        """Count a packet that comes home."""
        self.bytes_in += length

    def count_out(self, length):
        """Count a packet that leaves home."""
        self.bytes_out += length

    def sort_key(self):
        """The flow's bytes, both ways."""
        return self.bytes_in + self.bytes_out

    def __str__(self):
        f = self.ipf
        ends = [f"{f.src_prefix} {f.src_port}", f"{f.dst_prefix} {f.dst_port}"]
        if f.dst_in_home:
            ends.reverse()  # the end at home always comes first
        proto = NAMES.get(f.proto, f.proto)
        return f"{self.bytes_in:9} {self.bytes_out:9}  {proto:6} {ends[0]} <-> {ends[1]}"


t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
HOME = [ipp.from_s(a) for a in sys.argv[2:] or ("192.0.2.0/24", "2001:db8:1::/64")]
home = natkit.FlowHome(*HOME)
t.start()

n = n_ip = cut = others = 0
flows = {}  # home_key -> Flow
for pkt in t:
    n += 1
    ip = pkt.ip or pkt.ip6
    if not ip:
        continue
    n_ip += 1
    try:
        ipf = home.flow(ip)
    except ValueError:  # the header was cut off before the end of its addresses
        cut += 1
        continue
    if not ipf.is_inward:  # both ends at home, or neither: it does not cross the border
        others += 1
        continue
    key = ipf.home_key  # the same for both directions: one lookup will do
    flow = flows.get(key)
    if not flow:
        flow = flows[key] = Flow(ipf)
    if ipf.dst_in_home:
        flow.count_in(pkt.wire_len)
    else:
        flow.count_out(pkt.wire_len)

t.close()

print(f"{n} packets, {n_ip} of them IP; {cut} cut short; {others} do not cross the border")
print(f"{len(flows)} flows between home and the world")
print(f"{'bytes in':>9} {'bytes out':>9}  flow")
for flow in sorted(flows.values(), key=lambda f: f.sort_key(), reverse=True)[:TOP]:
    print(flow)
