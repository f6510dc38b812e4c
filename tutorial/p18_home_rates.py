#!/usr/bin/env python3
"""p18: how much goes in and out of home each second?

Usage: python p18_home_rates.py [URI [HOME ...]]

It needs what `pip install numpy` installs.
"""

import sys
from pathlib import Path

import numpy as np

import ipp
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
HOME = [ipp.from_s(a) for a in sys.argv[2:] or ("192.0.2.0/24", "2001:db8:1::/64")]
FIELDS = ["time", "version", "src_prefix", "dst_prefix", "wire_len"]
SECOND = np.timedelta64(1, "s")

table = plt.columns(sys.argv[1] if len(sys.argv) > 1 else DEFAULT, FIELDS).table()


def at_home(name):
    """Which packets have this address in one of our home networks: an array of True and False."""
    found = np.zeros(len(table), bool)
    for prefix in HOME:  # of the prefixes there are two, whatever the number of packets
        found |= np.asarray(prefix.contains(table[name], table["version"]))
    return found


src, dst = at_home("src_prefix"), at_home("dst_prefix")
comes_in, goes_out = dst & ~src, src & ~dst
octets = table["wire_len"].astype(np.int64)  # the sums need more than its 32 bits
print(f"{len(table)} packets, {comes_in.sum()} of them come in, {goes_out.sum()} go out")
print(f"{octets[comes_in].sum()} bytes in, {octets[goes_out].sum()} bytes out")

if len(table):
    # A time less a time is a time span, and a span divided by a span is a number
    number = (table["time"] - table["time"].min()) // SECOND
    # The seconds that have packets; and for each packet, which of them is its own
    seconds, row = np.unique(number, return_inverse=True)
    bytes_in = np.bincount(row, octets * comes_in).astype(int)  # True counts as 1, False as 0
    bytes_out = np.bincount(row, octets * goes_out).astype(int)
    print(
        f"busiest: second {seconds[bytes_in.argmax()]} in, second {seconds[bytes_out.argmax()]} out"
    )
    print("second  bytes in bytes out")
    for second, n_in, n_out in zip(seconds, bytes_in, bytes_out, strict=True):
        print(f"{second:6} {n_in:9} {n_out:9}")
