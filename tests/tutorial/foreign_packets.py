"""Packets and DNS messages as tshark and dnspython see them, for confirm_p09_to_p16.py.

Nothing in here uses our code: what it tells is held against what the tutorial's scripts print.
"""

import ipaddress
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.message
import dns.rdata
from tshark_fields import PREFERENCES, Frame, frames, number

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = ("tcp", "udp", "sctp")
HOME = tuple(ipaddress.ip_network(n) for n in ("192.0.2.0/24", "2001:db8:1::/64"))


def at_home(address: Address) -> bool:
    """Whether the address lies in the home network of the committed traces."""
    return any(address in network for network in HOME)


class Packet(NamedTuple):
    """What p09 to p16 look at of a packet; None where it is not there or was cut off."""

    number: int
    wire_len: int
    ethertype: int | None
    version: int | None
    proto: int
    src: Address | None
    dst: Address | None
    transport: str | None
    ports: tuple[int, int] | None  # source and destination
    header_whole: bool  # the TCP or UDP header was captured to its end
    payload: bytes

    @property
    def key(self) -> bytes | None:
        """What an IPflow has for fwd_key, None where the packet is of no flow."""
        if self.src is None or self.dst is None:
            return None
        ports = self.ports or (0, 0)
        head = struct.pack("!BBHH", self.version, self.proto, *ports)
        return head + self.src.packed + self.dst.packed

    @property
    def messages(self) -> list[bytes]:
        """The payload cut up into DNS messages; those of TCP have their length before them."""
        if self.transport == "udp":
            return [self.payload] if self.payload else []
        found, rest = [], self.payload
        while rest:
            end = 2 + int.from_bytes(rest[:2], "big") if len(rest) > 1 else len(rest)
            found.append(rest[2:end])
            rest = rest[end:]
        return found


def tshark_rows(
    path: Path, fields: tuple[str, ...], *options: str, tshark: str = "tshark"
) -> Iterator[list[list[str]]]:
    """Each packet's fields, each a list of all its occurrences."""
    command = [tshark, "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t"]
    command += ["-E", "occurrence=a", "-E", "aggregator=;", *options]
    command += [part for name in fields for part in ("-e", name)]
    with tempfile.TemporaryDirectory() as empty:  # nobody's own preferences change the answer
        env = dict(os.environ, WIRESHARK_CONFIG_DIR=empty, HOME=empty, LC_ALL="C.UTF-8", TZ="UTC")
        run = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    for row in run.stdout.splitlines():
        yield [cell.split(";") if cell else [] for cell in row.split("\t")]


def header_whole(frame: Frame) -> bool:
    """Whether the TCP or UDP header of an Ethernet frame was captured to its end."""
    if frame.transport == "udp":
        return frame.number("udp.checksum") is not None  # the header's last field
    size = frame.number("tcp.hdr_len")
    if size is None:
        return False
    extensions, _ = frame.above_ip()
    if extensions not in ([], ["ipv6.fraghdr"]):
        raise NotImplementedError(f"the length of {extensions}")
    ip_size = frame.number("ip.hdr_len") if frame.version == 4 else 40 + 8 * len(extensions)
    tags = 4 * len(frame.cells.get("vlan.id", ()))
    return frame.number("frame.cap_len") >= 14 + tags + ip_size + size


def address(frame: Frame, end: str) -> Address | None:
    """The outermost source or destination address."""
    text = frame.text(f"ip.{end}" if frame.version == 4 else f"ipv6.{end}")
    return ipaddress.ip_address(text) if frame.version and text else None


def packet_of(frame: Frame, payloads: dict[str, str]) -> Packet:
    transport = frame.transport
    ports = None
    if transport in PORTS:
        ends = frame.number(f"{transport}.srcport"), frame.number(f"{transport}.dstport")
        ports = None if None in ends else ends
    # natkit gives IPv4 fragments but the first no protocol
    later = frame.version == 4 and frame.number("ip.frag_offset")
    return Packet(
        number=frame.number("frame.number"),
        wire_len=frame.wire_len,
        ethertype=frame.ethertype,
        version=frame.version,
        proto=0 if later else frame.proto or 0,
        src=address(frame, "src"),
        dst=address(frame, "dst"),
        transport=transport,
        ports=ports,
        # Nothing but the DNS programs asks, and they only of packets to and from port 53
        header_whole=53 in (ports or ()) and transport != "sctp" and header_whole(frame),
        payload=bytes.fromhex(payloads.get(transport, "")),
    )


def packets_of(path: Path, tshark: str = "tshark") -> list[Packet]:
    """Every packet of the trace PATH."""
    options = [part for name in PREFERENCES for part in ("-o", name)]
    fields = ("frame.number", "udp.payload", "tcp.payload")
    rows = {
        int(number[0]): {
            name: hexes[0] for name, hexes in zip(("udp", "tcp"), rest, strict=True) if hexes
        }
        for number, *rest in tshark_rows(path, fields, *options, tshark=tshark)
    }
    return [packet_of(f, rows[f.number("frame.number")]) for f in frames(path, tshark)]


def read(wire: bytes) -> dns.message.Message | None:
    """The DNS message, None where dnspython can't read all of it."""
    try:
        return dns.message.from_wire(wire, ignore_trailing=True, one_rr_per_rrset=True)
    except dns.exception.DNSException:
        return None


def records(section: list) -> Iterator[tuple[str, int, dns.rdata.Rdata]]:
    """Owner, time to live and data of each record of a section."""
    for rrset in section:
        for rdata in rrset:
            yield rrset.name.to_text(), rrset.ttl, rdata


class Lengths(NamedTuple):
    """The lengths of a trace's DNS responses, in the order in which their last packets came."""

    udp: list[int]
    tcp: list[int]
    unfinished: int  # directions of TCP connections with bytes that are part of no message


def response_lengths(path: Path, tshark: str = "tshark") -> Lengths:
    """What tshark says, which joins TCP segments itself."""
    fields = (
        "dns.flags.response", "udp.length", "dns.length", "tcp.stream", "tcp.srcport", "tcp.seq",
        "tcp.len",
    )  # fmt: skip
    udp, tcp = [], []
    sent: dict[tuple[str, str], int] = {}
    told: dict[tuple[str, str], int] = {}
    options = ("-o", "tcp.reassemble_out_of_order:TRUE")
    for responses, udp_length, lengths, stream, port, seq, size in tshark_rows(
        path, fields, *options, tshark=tshark
    ):
        answers = [bool(number(text)) for text in responses]
        if udp_length and answers == [True]:
            udp.append(int(udp_length[0]) - 8)
        elif stream:
            found = [int(length) for length in lengths]
            tcp += [n for n, answer in zip(found, answers, strict=True) if answer]
            end = (stream[0], port[0])
            # Sequence numbers are relative: SYN, of length 0, has 0, and the first byte 1
            here = int(seq[0]) - 1 + int(size[0]) if int(size[0]) else 0
            sent[end] = max(sent.get(end, 0), here)
            told[end] = told.get(end, 0) + sum(2 + n for n in found)
    servers = [end for end in sent if end[1] == "53"]
    return Lengths(udp, tcp, sum(sent[end] != told[end] for end in servers))
