"""Texts of conditions and of tcpdump filters, asked of packets, traces and columns.

The first byte of an input says which of both it is.
"""

import io
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

import packets  # noqa: E402

import plt  # noqa: E402

FRAMES = [
    packets.ethernet(packets.ipv4(packets.tcp(b"x"), packets.TCP)),
    packets.ethernet(packets.ipv6(packets.udp(b"x")), 0x86DD),
    packets.ethernet(packets.ipv4(packets.udp(b"x" * 40), fragment=0x2000)),
    packets.ethernet(b"", 0x0806),
    b"",
]
FILE = packets.pcap(FRAMES)
with plt.trace(io.BytesIO(FILE)) as trace:
    PACKETS = list(trace)


def one_input(content: bytes) -> None:
    """Make a condition of a text, and ask it everywhere."""
    text = content[1:].decode("utf-8", "surrogateescape")
    try:
        made = plt.filter(text) if content[:1] == b"\1" else plt.where(text)
        answers = [packet.apply_filter(made) for packet in PACKETS]
    except (ValueError, plt.LibtraceError):
        return
    with plt.trace(io.BytesIO(FILE), filter=made) as trace:
        assert len(list(trace)) == sum(answers)
    table = plt.columns(io.BytesIO(FILE), ["time_ns"], filter=made).table()
    assert len(table) == sum(answers)
    assert repr(made)
