"""What the jobs share."""

import zlib
from pathlib import Path

#: What a job found, to be compared with what others found: `count` is what it is timed by.
Result = dict[str, int]

FCS = 4  # bytes of Ethernet's frame check, which libtrace counts and no other does
KEY = "fish go moo, oh yes they do"  # that addresses are encrypted with


def port_summary(packets: int, sizes: dict[int, int]) -> Result:
    """What tells one dict of bytes by port from another."""
    weighted = sum(port * size for port, size in sizes.items())
    octets = sum(sizes.values())
    return {"count": packets, "ports": len(sizes), "bytes": octets, "weighted": weighted}


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
