"""What a trace has: its packets, and its DNS messages as bytes, which parsers are compared on."""

from pathlib import Path

import plt


def packets_of(path: Path) -> int:
    """How many there are."""
    return sum(len(batch) for batch in plt.columns(path, ["wire_len"]))


def read(path: Path) -> list[bytes]:
    """The payloads of UDP port 53 that a trace has."""
    payloads = []
    with plt.trace(path) as trace:
        for packet in trace:
            udp = packet.udp
            if udp and 53 in (udp.src_port, udp.dst_port) and udp.payload:
                payloads.append(bytes(udp.payload))
    return payloads
