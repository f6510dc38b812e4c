#!/usr/bin/env python3
"""p14: what natkit's IPflow tells of a packet, and what it does with packets that are not IP.

Usage: python p14_ipflow_demo.py [URI]
"""

import sys
from pathlib import Path

import natkit
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = no_flow = 0
kinds = set()  # the kinds of which we have printed a packet
keys = set()  # every fwd_key that we met
flows = set()  # the same, but one for both directions
for pkt in t:
    n += 1
    try:
        ipf = natkit.IPflow(pkt)
        fwd_key, rev_key = ipf.fwd_key, ipf.rev_key
    except ValueError as e:  # no IP in it, or cut off before the end of its addresses
        no_flow += 1
        if pkt.ethertype not in kinds:
            kinds.add(pkt.ethertype)
            print(f"packet {n} (ethertype 0x{pkt.ethertype:04x}) has no flow: {e}")
        continue
    keys.add(fwd_key)
    # Keys are bytes, and bytes can be compared: min() is the same for either direction.
    flows.add(min(fwd_key, rev_key))
    if (ipf.version, ipf.proto) not in kinds:
        kinds.add((ipf.version, ipf.proto))
        print(f"packet {n}: IP version {ipf.version}, protocol {ipf.proto}")
        print(f"  from {ipf.src_prefix} port {ipf.src_port}")
        print(f"  to   {ipf.dst_prefix} port {ipf.dst_port}")
        # version, protocol, source port, destination port, source address, destination address
        print(f"  fwd_key {fwd_key.hex()}")
        print(f"  rev_key {rev_key.hex()}")  # source and destination swapped

t.close()

print(f"{n} packets, {no_flow} of them without a flow")
print(f"{len(keys)} keys, {len(flows)} flows when both directions count as one")
