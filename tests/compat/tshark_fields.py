"""Packets as tshark sees them, for tests that hold our own decoding against it.

tshark prints a row of fields for each packet.  A field occurs more than once where
headers are nested (tunnels, the packet that an ICMP error quotes); `frame.protocols`
lists the layers from the outside in, and tells which occurrence is the outermost.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Each packet is judged by its own bytes: nothing is reassembled, made relative or presumed.
PREFERENCES = (
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "ip.tso_support:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
    "udp.process_info:FALSE",
)
EXTENSION_NEXT = {
    "ipv6.hopopts": "ipv6.hopopts.nxt",
    "ipv6.routing": "ipv6.routing.nxt",
    "ipv6.fraghdr": "ipv6.fraghdr.nxt",
    "ipv6.dstopts": "ipv6.dstopts.nxt",
    "ah": "ah.next_header",
}
#: A field that each header has, from the outside in.
FIELD_OF = {
    "eth": "eth.type", "ip": "ip.hdr_len", "ipv6": "ipv6.plen", "tcp": "tcp.srcport",
    "udp": "udp.srcport", "sctp": "sctp.srcport", "icmp": "icmp.type", "icmpv6": "icmpv6.type",
}  # fmt: skip
ETHERNET, RADIOTAP = 1, 23  # frame.encap_type
TRANSPORTS = {"tcp": "tcp", "udp": "udp", "sctp": "sctp", "icmp": "icmp", "icmpv6": "icmp6"}
LISTED = """
frame.number frame.time_epoch frame.cap_len frame.len frame.encap_type frame.protocols
eth.type eth.len vlan.id vlan.etype vlan.len
ieee8021ad.id sll.etype sll.ltype
ip.src ip.dst ip.hdr_len ip.dsfield ip.len ip.id ip.flags.df ip.flags.mf ip.frag_offset
ip.ttl ip.proto ip.checksum
ipv6.src ipv6.dst ipv6.tclass ipv6.flow ipv6.plen ipv6.nxt ipv6.hlim
tcp.srcport tcp.dstport tcp.seq tcp.ack tcp.hdr_len tcp.flags tcp.window_size_value
tcp.checksum tcp.urgent_pointer
udp.srcport udp.dstport udp.length udp.checksum
sctp.srcport sctp.dstport sctp.verification_tag sctp.checksum
icmp.type icmp.code icmp.checksum icmpv6.type icmpv6.code icmpv6.checksum
"""
FIELDS = (*LISTED.split(), *EXTENSION_NEXT.values())


def number(text: str) -> int:
    """A number of tshark's: decimal, hexadecimal, or True and False, as from 4.2 on for flags."""
    return int(text == "True") if text in ("True", "False") else int(text, 0)


class Frame:
    """One packet: its fields, each a list of the texts that tshark printed, outermost first."""

    def __init__(self, row: str) -> None:
        cells = row.split("\t")
        if len(cells) != len(FIELDS):
            raise ValueError(f"tshark printed {len(cells)} fields, not {len(FIELDS)}: {row!r}")
        self.cells = {
            name: cell.split(";") for name, cell in zip(FIELDS, cells, strict=True) if cell
        }
        self.protocols = self.listed()

    def listed(self) -> list[str]:
        """The layers, also those that tshark 4.4 dissects and does not list."""
        text = self.text("frame.protocols")
        if text is None:
            return [name for name, field in FIELD_OF.items() if field in self.cells]
        protocols = text.split(":")
        if "mpls" in protocols and "ip" not in protocols and FIELD_OF["ip"] in self.cells:
            protocols.insert(len(protocols) - protocols[::-1].index("mpls"), "ip")
        return protocols

    def text(self, field: str) -> str | None:
        """The outermost occurrence of FIELD, None where there is none."""
        return self.cells.get(field, [None])[0]

    def number(self, field: str) -> int | None:
        """The outermost occurrence of FIELD as a number, None where there is none."""
        text = self.text(field)
        return None if text is None else number(text)

    @property
    def time_ns(self) -> int | None:
        """The time of arrival in nanoseconds, None where the trace holds none."""
        text = self.text("frame.time_epoch")
        if text is None:
            return None
        seconds, _, fraction = text.partition(".")
        return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))

    @property
    def version(self) -> int | None:
        """The version of the outermost network layer: 4, 6, or None where it is not IP."""
        found = (p for p in self.protocols if p in ("ip", "ipv6"))
        return {"ip": 4, "ipv6": 6}.get(next(found, ""))

    def above_ip(self) -> tuple[list[str], list[str]]:
        """The extension headers that follow the outermost IP header, and the layers after them."""
        rest = self.protocols[self.protocols.index("ip" if self.version == 4 else "ipv6") + 1 :]
        extensions = []
        while self.version == 6 and rest and rest[0] in EXTENSION_NEXT:
            extensions.append(rest.pop(0))
        return extensions, rest

    @property
    def proto(self) -> int | None:
        """The protocol above the outermost IP header and its extension headers."""
        if self.version != 6:
            return self.number("ip.proto") if self.version == 4 else None
        extensions, _ = self.above_ip()
        if not extensions:
            return self.number("ipv6.nxt")
        # The same kind may come twice (destination options): take the last one's field.
        kind = extensions[-1]
        texts = self.cells.get(EXTENSION_NEXT[kind], [])
        nth = extensions.count(kind) - 1
        return number(texts[nth]) if nth < len(texts) else None

    @property
    def transport(self) -> str | None:
        """Our name for the transport right above the outermost IP layer, None where unknown."""
        if self.version is None:
            return None
        _, rest = self.above_ip()
        return TRANSPORTS.get(rest[0]) if rest else None

    @property
    def ethertype(self) -> int | None:
        """The ethertype of layer 3, or the length that an 802.3 frame has in its place."""
        if self.version is not None:
            return {4: 0x0800, 6: 0x86DD}[self.version]
        for field in ("vlan.len", "vlan.etype", "eth.type", "eth.len", "sll.etype"):
            if field in self.cells:
                return number(self.cells[field][-1])
        return None

    @property
    def wire_len(self) -> int:
        """libtrace's wire length: it counts the 4-byte FCS that tshark's frame lacks."""
        loopback = self.number("sll.ltype") == 0x0060
        counted = self.number("frame.encap_type") in (ETHERNET, RADIOTAP) or loopback
        return self.number("frame.len") + (4 if counted else 0)


def frames(path: Path, tshark: str = "tshark") -> Iterator[Frame]:
    """Every packet of the trace PATH; ValueError with tshark's words where it can't read it.

    tshark shows some records that are no packets (pcapng's custom blocks): they have no
    encapsulation, and are left out.
    """
    command = [tshark, "-n", "-r", str(path), "-T", "fields"]
    command += ["-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=;"]
    command += [part for name in PREFERENCES for part in ("-o", name)]
    command += [part for name in FIELDS for part in ("-e", name)]
    with tempfile.TemporaryDirectory() as empty:  # nobody's own preferences change the answer
        env = dict(os.environ, WIRESHARK_CONFIG_DIR=empty, HOME=empty, LC_ALL="C.UTF-8", TZ="UTC")
        run = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if run.returncode:
        raise ValueError(run.stderr.strip())
    rows = (Frame(row) for row in run.stdout.splitlines())
    yield from (frame for frame in rows if "frame.encap_type" in frame.cells)
