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

LOOPBACK = "the cooked protocol 0x0060 holds an Ethernet frame: libtrace opens it, tshark does not"
DOFF_0 = "the TCP header says that it is 0 bytes long: tshark reads no further, we do"
TIMELESS = "pcapng's simple packet block holds no time: tshark shows none, we say 0"

EXCEPTIONS: dict[str, tuple[Known, ...]] = {
    "100_sll.pcap": (
        Known("ethertype", LOOPBACK),
        Known("ip.*", LOOPBACK),
        Known("tcp.*", LOOPBACK),
        Known("udp.*", LOOPBACK),
    ),
    "complex.pcapng": (Known("time_ns", TIMELESS, (3,)),),
    "reasm_crash_anon.pcapng": (Known("tcp.*", DOFF_0, (95,)),),
}
