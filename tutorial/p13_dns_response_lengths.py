#!/usr/bin/env python3
"""p13: the distribution of the lengths of DNS responses, as numbers and as a histogram.

Usage: python p13_dns_response_lengths.py [URI [IMAGE]]

IMAGE is the file to save the histogram to (x.png, x.svg, x.pdf); without it a window shows it.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import scipy.stats
from matplotlib import pyplot  # mostly called plt: a name that we need for another

import pldns
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
IMAGE = sys.argv[2] if len(sys.argv) > 2 else ""
DNS = 53
BIN = 64  # bytes: the width of the histogram's bars

t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = cut = not_whole = 0
response_lengths = []  # a list, to which each response adds its length
for pkt in t:
    n += 1
    udp = pkt.udp  # TCP may spread a response over several packets: doc/recipes.md joins them
    try:
        if not udp or udp.src_port != DNS:  # only servers respond
            continue
        payload = udp.payload
    except ValueError:  # the header was cut off before its end
        cut += 1
        continue
    if not payload:
        continue
    msg = pldns.ldns(payload)
    if not msg.is_ok():
        not_whole += 1
    elif msg.is_response:
        response_lengths.append(len(payload))

t.close()

print(f"{n} packets; {cut} cut short")
print(f"{len(response_lengths)} responses by UDP; {not_whole} messages not whole")

if len(set(response_lengths)) < 2:
    print("too few different lengths to speak of a distribution")
else:
    lengths = np.array(response_lengths)  # numpy computes with whole arrays
    print(f"lengths from {lengths.min()} to {lengths.max()} bytes")
    print(f"mean {lengths.mean():.1f}, standard deviation {lengths.std():.1f}")
    quarter, median, three_quarters, most = np.percentile(lengths, (25, 50, 75, 95))
    print(f"quartiles {quarter:.1f} {median:.1f} {three_quarters:.1f}, 95% up to {most:.1f}")
    skewness, kurtosis = scipy.stats.skew(lengths), scipy.stats.kurtosis(lengths)
    print(f"skewness {skewness:.3f}, kurtosis {kurtosis:.3f}")
    for limit in (512, 1232):  # DNS' own for UDP (RFC 1035), and what most ask for today
        print(f"longer than {limit:4}: {np.count_nonzero(lengths > limit):4}")

    if IMAGE:
        matplotlib.use("Agg")  # needs no screen
    pyplot.hist(lengths, np.arange(0, lengths.max() + BIN + 1, BIN), edgecolor="white")
    pyplot.title("Lengths of DNS responses by UDP")
    pyplot.xlabel("length of the message (bytes)")
    pyplot.ylabel(f"responses in each {BIN} bytes")
    if IMAGE:
        pyplot.savefig(IMAGE)
    elif pyplot.get_backend().lower() == "agg":  # matplotlib has found no screen
        print("no screen to show the histogram on: name a file for it")
    else:
        pyplot.show()
    pyplot.close()
