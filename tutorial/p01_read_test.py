#!/usr/bin/env python3
"""p01: read a trace and count its packets.

Usage: python p01_read_test.py [URI]
"""

import sys
from pathlib import Path

import plt

# A file's name is enough: plt finds out its format, and decompresses it.
uri = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"  # beside this script

# Another trace may be named.  A URI can tell its format too (pcapfile:x.pcap.gz, erf:x.erf), or
# name an interface (int:eth0).
if len(sys.argv) > 1:
    uri = sys.argv[1]

t = plt.trace(uri)  # makes a trace object; nothing is opened yet
t.start()  # opens the trace: must come before reading

n = captured = 0
for pkt in t:  # a trace hands out its packets, one after the other
    n += 1
    captured += pkt.capture_len  # how many of the packet's bytes are in the trace

t.close()

print(f"{n} packets, {captured} bytes captured")
