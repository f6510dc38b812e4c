"""What the jobs share."""

import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from make_trace import file_header

#: What a job found, to be compared with what others found: `count` is what it is timed by.
Result = dict[str, int]

FCS = 4  # bytes of Ethernet's frame check, which libtrace counts and no other does
WEB = "tcp and (dst port 80 or dst port 443)"
BPF = f"({WEB}) or (vlan and {WEB})"
KEY = "fish go moo, oh yes they do"  # that addresses are encrypted with


@contextmanager
def empty_trace() -> Iterator[Path]:
    """A trace without packets: to read it takes what a tool needs to start, imports included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.pcap"
        path.write_bytes(file_header(65535))
        yield path


def port_summary(packets: int, sizes: dict[int, int]) -> Result:
    """What tells one dict of bytes by port from another."""
    weighted = sum(port * size for port, size in sizes.items())
    octets = sum(sizes.values())
    return {"count": packets, "ports": len(sizes), "tcp_bytes": octets, "weighted": weighted}


def read_count(text: bytes, pattern: bytes) -> Result:
    """A number that a program prints."""
    return {"count": int(re.findall(pattern, text)[0])}


def ipv4_summary(path: Path) -> Result:
    """The packets of a little-endian pcap file of Ethernet, and all their IPv4 addresses."""
    content = path.read_bytes()
    at, packets, crc = 24, 0, 0
    while at < len(content):
        frame = content[at + 16 : at + 16 + int.from_bytes(content[at + 8 : at + 12], "little")]
        at += 16 + len(frame)
        packets += 1
        if frame[12:14] == b"\x08\x00":
            crc = zlib.crc32(frame[26:34], crc)
    return {"count": packets, "addresses": crc}
