#!/usr/bin/env python3
"""p25: watch what goes on, live on an interface or in a pipe, or a trace as if it were live.

Usage: python p25_watch_live.py [URI [SECONDS]]

URI may be int:eth0 (as root) or pcapfile:- for a pipe; SECONDS is the time between reports (10).
"""

import sys
from pathlib import Path

import natkit
import plt

DEFAULT = Path(__file__).resolve().parent / "traces" / "edge-10k.pcap.gz"
EVERY = round(float(sys.argv[2]) * 1e9) if len(sys.argv) > 2 else 10_000_000_000  # nanoseconds

# With timeouts a flow ends: when no packet came for 5 seconds, and when it is a minute old.  Then
# it leaves the table, so that memory depends on what is active, not on how long we watch.
table = natkit.FlowTable(idle_timeout=5, active_timeout=60)
t = plt.trace(sys.argv[1] if len(sys.argv) > 1 else DEFAULT)
t.start()


def report(seconds):
    """Print what went on since the last report."""
    ended = table.expired()  # takes the flows that ended out of the table
    # flush: who watches through a pipe wants to see it now
    print(f"{seconds:6.1f} s {packets:6} packets {octets:9} bytes", end=" ")
    print(f"{len(table):5} flows active {len(ended):5} ended", flush=True)
    if len(table):
        print(f"{'':9}largest active: {table.top(1)[0]}", flush=True)


packets = octets = start = now = due = 0
try:
    for pkt in t:
        now = pkt.time_ns  # the clock is that of the packets: a report comes with the next one
        if not table.packets:
            start, due = now, now + EVERY
        if now >= due:
            report((now - start) / 1e9)
            packets = octets = 0
            due += ((now - due) // EVERY + 1) * EVERY  # one report is enough for a long silence
        table.add(pkt)
        packets += 1
        octets += pkt.wire_len
except KeyboardInterrupt:  # Ctrl-C ends the watch, also while it waits for a packet
    print("interrupted")
t.close()

report((now - start) / 1e9)
