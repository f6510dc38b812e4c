"""Where our answer and tshark's differ, trace by trace, and why.

UNREADABLE: traces that tshark has no reader for, so they are not compared.
EXCEPTIONS: for each trace, what may differ.  One that never comes up fails the test too:
the list stays true.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple


class Known(NamedTuple):
    """A known difference: the fields (a shell pattern), why, and how far it goes."""

    fields: str
    reason: str
    packets: tuple[int, ...] | None = None  # only these packets

    def covers(self, packet: int, field: str) -> bool:
        """Whether this is the reason for a difference in FIELD of PACKET."""
        return fnmatchcase(field, self.fields) and (self.packets is None or packet in self.packets)


UNREADABLE = {
    "100_packets.duck": "DUCK is a format of libtrace's own; tshark takes it for Commview",
    "10_packets.tsh.gz": "TSH (NLANR) has no reader in tshark",
    "5_packets.erf.bz2": "tshark does not read bzip2; 5_packets.erf.gz holds the same packets",
    "5_packets.erf.xz": "tshark does not read xz; 5_packets.erf.gz holds the same packets",
    "legacyatm.gz": "DAG's legacy ATM format has no reader in tshark",
    "legacyeth.gz": "DAG's legacy Ethernet format has no reader in tshark",
    "legacypos.gz": "DAG's legacy POS format has no reader in tshark",
}

HDLC = "the link type says PPP, the frames are Cisco HDLC: tshark guesses that, libtrace does not"
FABRICPATH = "Cisco FabricPath (ethertype 0x8903) is a link layer that tshark knows and we do not"
LOOPBACK = "the cooked protocol 0x0060 holds an Ethernet frame: libtrace opens it, tshark does not"
DOFF_0 = "the TCP header says that it is 0 bytes long: tshark reads no further, we do"
TIMELESS = "pcapng's simple packet block holds no time: tshark shows none, we say 0"

FABRICPATH_PACKETS = (3, 6, 8, 10, 11, 16, 22, 25, 27, 29, 30, 35)

EXCEPTIONS: dict[str, tuple[Known, ...]] = {
    "100_sll.pcap": (
        Known("ethertype", LOOPBACK),
        Known("ip.*", LOOPBACK),
        Known("tcp.*", LOOPBACK),
        Known("udp.*", LOOPBACK),
    ),
    "BGP_Cisco_hdlc_slarp.pcap": (
        Known("ethertype", HDLC),
        Known("ip.*", HDLC),
        Known("tcp.*", HDLC),
    ),
    "ajp.pcap": (
        Known("ethertype", FABRICPATH, FABRICPATH_PACKETS),
        Known("vlan_id", FABRICPATH, FABRICPATH_PACKETS),
        Known("ip.*", FABRICPATH, FABRICPATH_PACKETS),
        Known("tcp.*", FABRICPATH, FABRICPATH_PACKETS),
    ),
    "complex.pcapng": (Known("time_ns", TIMELESS, (3,)),),
    "reasm_crash_anon.pcapng": (Known("tcp.*", DOFF_0, (95,)),),
}
