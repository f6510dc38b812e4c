"""The DNS messages of a trace, as bytes: what parsers are compared on."""

from pathlib import Path

import plt


def read(path: Path) -> list[bytes]:
    """The payloads of UDP port 53 that a trace has."""
    payloads = []
    with plt.trace(path) as trace:
        for packet in trace:
            udp = packet.udp
            if udp and 53 in (udp.src_port, udp.dst_port) and udp.payload:
                payloads.append(bytes(udp.payload))
    return payloads
