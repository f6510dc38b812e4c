"""Traces and tables for the tests of natkit.FlowTable."""

from collections.abc import Iterable
from pathlib import Path

from packets import EPOCH, RAW, Record, ipv4, pcap, tcp, udp, write

from natkit import Flow, FlowTable

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
SECOND = 10**9
HERE, THERE = "192.0.2.1", "198.51.100.2"
NANOSECONDS = 0xA1B23C4D

Sent = tuple[float, bytes]  # seconds after EPOCH, and a packet from its IP header on


def trace(path: Path, sent: Iterable[Sent]) -> Path:
    """A trace of raw IP packets."""
    records = []
    for seconds, packet in sent:
        whole, fraction = divmod(round(seconds * SECOND), SECOND)
        records.append(Record(packet, sec=EPOCH + whole, fraction=fraction))
    return write(path, pcap(records, RAW, magic=NANOSECONDS))


def there(payload: bytes = b"", flags: int = ACK, seq: int = 1, port: int = 1025) -> bytes:
    """A TCP segment to the server."""
    return ipv4(tcp(payload, ports=(port, 80), flags=flags, seq=seq), 6, src=HERE, dst=THERE)


def back(payload: bytes = b"", flags: int = ACK, seq: int = 1, port: int = 1025) -> bytes:
    """A TCP segment from the server."""
    return ipv4(tcp(payload, ports=(80, port), flags=flags, seq=seq), 6, src=THERE, dst=HERE)


def only(table: FlowTable) -> Flow:
    """The only flow of a table."""
    (flow,) = table
    return flow


def fragments(ident: int, src: str = HERE, proto: int = 17, begin: bytes = b"") -> list[bytes]:
    """Three fragments of an IPv4 packet of 24, 16 and 8 bytes."""
    begin = begin or udp(b"u" * 16, ports=(5000, 53))
    rest = {"proto": proto, "src": src, "dst": THERE, "ident": ident}
    return [
        ipv4(begin, fragment=0x2000, **rest),
        ipv4(b"v" * 16, fragment=0x2003, **rest),
        ipv4(b"w" * 8, fragment=0x0005, **rest),
    ]
