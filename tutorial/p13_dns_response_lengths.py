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

import natkit
import pldns
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "dns-1k.pcap.gz"
DNS = 53
BIN = 64  # bytes: the width of the histogram's bars


class Stream:
    """What one end of a TCP connection sends: messages, each with its length before it."""

    def __init__(self, seq):
        self.next_seq = seq  # the sequence number of the byte that comes next
        self.early = {}  # sequence number -> payload that came before its turn
        self.data = bytearray()  # what we have of the next message

    def add(self, seq, payload):
        """Take a packet's payload; the list of messages that are complete now."""
        if natkit.seq_lt(seq, self.next_seq):  # 32-bit numbers: they begin again at 0
            return []  # we had it: it was sent twice
        self.early[seq] = payload
        while self.next_seq in self.early:
            payload = self.early.pop(self.next_seq)
            self.data += payload
            self.next_seq = natkit.seq_add(self.next_seq, len(payload))
        messages = []
        while len(self.data) >= 2 + (length := natkit.ba_get_short(self.data, 0) or 0):
            messages.append(self.data[2 : 2 + length])
            del self.data[: 2 + length]
        return messages


def describe(lengths):
    """Print what numpy and scipy say of an array of numbers."""
    print(f"lengths from {lengths.min()} to {lengths.max()} bytes")
    print(f"mean {lengths.mean():.1f}, standard deviation {lengths.std():.1f}")
    quarter, median, three_quarters, most = np.percentile(lengths, (25, 50, 75, 95))
    print(f"quartiles {quarter:.1f} {median:.1f} {three_quarters:.1f}, 95% up to {most:.1f}")
    skewness, kurtosis = scipy.stats.skew(lengths), scipy.stats.kurtosis(lengths)
    print(f"skewness {skewness:.3f}, kurtosis {kurtosis:.3f}")
    for limit in (512, 1232):  # DNS' own for UDP (RFC 1035), and what most ask for today
        print(f"longer than {limit:4}: {np.count_nonzero(lengths > limit):4}")


def draw(udp_lengths, tcp_lengths, image):
    """Draw the histogram, into a file where one is named."""
    if image:
        matplotlib.use("Agg")  # needs no screen
    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    bins = np.arange(0, max(udp_lengths + tcp_lengths) + BIN + 1, BIN)
    axes.hist([udp_lengths, tcp_lengths], bins, stacked=True, label=["UDP", "TCP"])
    axes.set_title("Lengths of DNS responses")
    axes.set_xlabel("length of the message (bytes)")
    axes.set_ylabel(f"responses in each {BIN} bytes")
    axes.legend()
    if image:
        figure.savefig(image)
    elif pyplot.get_backend().lower() == "agg":  # matplotlib has found no screen
        print("no screen to show the histogram on: name a file for it")
    else:
        pyplot.show()
    pyplot.close(figure)


t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
t.start()

n = cut = not_whole = 0
udp_lengths, tcp_lengths = [], []
streams = {}  # fwd_key -> Stream
for pkt in t:
    n += 1
    transport = pkt.udp or pkt.tcp
    try:
        if not transport or transport.src_port != DNS:  # only servers respond
            continue
        payload = transport.payload
    except ValueError:  # the header was cut off before its end
        cut += 1
        continue
    messages = []
    if pkt.udp:
        messages = [payload.data] if payload else []  # the payload is the message
    else:
        key = natkit.IPflow(pkt).fwd_key
        if transport.syn_flag:  # a connection begins; SYN itself counts as a byte
            streams[key] = Stream(natkit.seq_add(transport.seq_nbr, 1))
        elif payload and key in streams:
            messages = streams[key].add(transport.seq_nbr, payload.data)
        elif payload:
            not_whole += 1  # it began before the trace did: where are its messages' ends?
    for message in messages:
        msg = pldns.ldns(message)
        if not msg.is_ok():
            not_whole += 1
        elif msg.is_response:
            (tcp_lengths if pkt.tcp else udp_lengths).append(len(message))

t.close()

unfinished = sum(1 for s in streams.values() if s.data or s.early)
print(f"{n} packets; {cut} cut short")
print(f"{len(udp_lengths)} responses by UDP, {len(tcp_lengths)} by TCP", end="; ")
print(f"{not_whole} messages not whole, {unfinished} TCP streams unfinished")

lengths = np.array(udp_lengths + tcp_lengths)  # + joins lists; numpy computes with arrays
if len(np.unique(lengths)) > 1:
    describe(lengths)
    draw(udp_lengths, tcp_lengths, sys.argv[2] if len(sys.argv) > 2 else "")
else:
    print("too few different lengths to speak of a distribution")
