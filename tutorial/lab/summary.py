#!/usr/bin/env python3
"""What is in the traces, counted by tshark: `summary.py FOLDER` prints Markdown tables.

Each row's count is the number of lines of `tshark -n -r TRACE -Y FILTER`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOME, HOME_6 = "192.0.2.0/24", "2001:db8:1::/64"
# "#1" is the packet's own header: neither one in a tunnel nor one that an ICMP error quotes.
FROM, TO = f"ip.src#1 == {HOME}", f"ip.dst#1 == {HOME}"
FROM_6, TO_6 = f"ipv6.src#1 == {HOME_6}", f"ipv6.dst#1 == {HOME_6}"

EDGE_ROWS = (
    ("all packets", "frame"),
    ("IPv4, inside a tag or not", "ip"),
    ("IPv6, inside a tag or a tunnel or not", "ipv6"),
    ("ARP", "arp"),
    ("802.1Q, VLAN 20", "vlan.id == 20"),
    ("6in4", "ip.proto == 41"),
    ("IPv4 out of home", f"{FROM} and not {TO}"),
    ("IPv4 into home", f"{TO} and not {FROM}"),
    ("IPv4 in transit", f"ip and not {FROM} and not {TO}"),
    ("IPv6 out of home", f"not ip and {FROM_6} and not {TO_6}"),
    ("IPv6 into home", f"not ip and {TO_6} and not {FROM_6}"),
    ("IPv6 in transit or on the link", f"not ip and ipv6 and not {FROM_6} and not {TO_6}"),
    ("of guests behind NAT", "ip.addr == 192.0.2.126"),
    ("TCP", "tcp"),
    ("TCP of IPv4", "ip and tcp"),
    ("UDP", "udp"),
    ("UDP of IPv4", "ip and udp"),
    ("ICMP", "icmp"),
    ("ICMPv6", "icmpv6"),
    ("SCTP", "sctp"),
    ("SYN", "tcp.flags.syn == 1"),
    ("FIN", "tcp.flags.fin == 1"),
    ("RST", "tcp.flags.reset == 1"),
    ("TCP port 80", "tcp.port == 80"),
    ("TCP port 443", "tcp.port == 443"),
    ("QUIC, UDP port 443", "udp.port == 443"),
    ("port 53", "udp.port == 53 or tcp.port == 53"),
    ("NTP, UDP port 123", "udp.port == 123"),
    ("SNMP, UDP port 161", "udp.port == 161"),
    ("TCP retransmissions", "tcp.analysis.retransmission or tcp.analysis.fast_retransmission"),
    ("TCP out of order", "tcp.analysis.out_of_order"),
    ("TCP duplicate acknowledgements", "tcp.analysis.duplicate_ack"),
    ("TCP zero windows", "tcp.window_size_value == 0 and tcp.flags.reset == 0"),
    ("TCP keep-alives", "tcp.analysis.keep_alive"),
    ("TCP urgent data", "tcp.flags.urg == 1"),
    ("TCP with ECN echo", "tcp.flags.ece == 1"),
    ("fragments of IPv4", "ip.flags.mf == 1 or ip.frag_offset > 0"),
    ("fragments of IPv6", "ipv6.fraghdr"),
    ("IPv4 with options", "ip.hdr_len > 20"),
    ("ICMP errors: destination unreachable", "icmp.type == 3"),
    ("of them, fragmentation needed", "icmp.type == 3 and icmp.code == 4"),
    ("ICMP errors: time exceeded", "icmp.type == 11"),
    ("ICMPv6 errors: destination unreachable", "icmpv6.type == 1"),
    ("ICMPv6 errors: packet too big", "icmpv6.type == 2"),
    ("ICMPv6 errors: time exceeded", "icmpv6.type == 3"),
    ("router advertisements", "icmpv6.type == 134"),
    ("neighbour solicitations and advertisements", "icmpv6.type == 135 or icmpv6.type == 136"),
)

IN_TUNNELS = "vxlan or geneve or gre or ip.proto#1 == 41"
ECHO = "icmp.type == 8 or icmp.type == 0 or icmpv6.type == 128 or icmpv6.type == 129"
# RFC 8446, section 4.1.3: a server hello with this random asks for another client hello.
HELLO_RETRY = (
    "tls.handshake.random == cf:21:ad:74:e5:9a:61:11:be:1d:8c:02:1e:65:b8:91:"
    "c2:a2:11:16:7a:bb:8c:5e:07:9e:09:e2:c8:a8:33:9c"
)
RESPONSE = "dns.flags.response == 1"
TYPES = (
    ("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("PTR", 12), ("HINFO", 13), ("MX", 15),
    ("TXT", 16), ("RP", 17), ("AAAA", 28), ("LOC", 29), ("SRV", 33), ("NAPTR", 35), ("DNAME", 39),
    ("OPT", 41), ("DS", 43), ("SSHFP", 44), ("RRSIG", 46), ("NSEC", 47), ("DNSKEY", 48),
    ("NSEC3", 50), ("NSEC3PARAM", 51), ("TLSA", 52), ("HTTPS", 65), ("CAA", 257),
    ("private TYPE65400", 65400),
)  # fmt: skip

DNS_ROWS = (
    ("all packets", "frame"),
    ("UDP", "udp"),
    ("TCP", "tcp"),
    ("IPv4", "ip"),
    ("IPv6", "ipv6"),
    ("802.1Q", "vlan"),
    ("with a DNS message", "dns"),
    ("queries", "dns.flags.response == 0"),
    ("responses", RESPONSE),
    ("queries over UDP", "udp and dns.flags.response == 0"),
    ("responses over UDP", f"udp and {RESPONSE}"),
    ("queries over TCP", "tcp and dns.flags.response == 0"),
    ("responses over TCP", f"tcp and {RESPONSE}"),
    ("queries into home", f"dns.flags.response == 0 and ip.dst == {HOME}"),
    ("responses out of home", f"{RESPONSE} and ip.src == {HOME}"),
    ("queries to 192.0.2.10, a nameserver", "dns.flags.response == 0 and ip.dst == 192.0.2.10"),
    (
        "queries to 2001:db8:1::10, the same",
        "dns.flags.response == 0 and ipv6.dst == 2001:db8:1::10",
    ),
    ("queries to 192.0.2.53, a resolver", "dns.flags.response == 0 and ip.dst == 192.0.2.53"),
    ("queries to 203.0.113.9, a resolver", "dns.flags.response == 0 and ip.dst == 203.0.113.9"),
    ("NOERROR", f"{RESPONSE} and dns.flags.rcode == 0"),
    ("SERVFAIL", f"{RESPONSE} and dns.flags.rcode == 2"),
    ("NXDOMAIN", f"{RESPONSE} and dns.flags.rcode == 3"),
    ("NXDOMAIN with NSEC", "dns.flags.rcode == 3 and dns.resp.type == 47"),
    ("NXDOMAIN with NSEC3", "dns.flags.rcode == 3 and dns.resp.type == 50"),
    ("NOTIMP", f"{RESPONSE} and dns.flags.rcode == 4"),
    ("REFUSED", f"{RESPONSE} and dns.flags.rcode == 5"),
    ("responses with AA", f"{RESPONSE} and dns.flags.authoritative == 1"),
    ("responses with AD", f"{RESPONSE} and dns.flags.authenticated == 1"),
    ("truncated responses", "dns.flags.truncated == 1"),
    ("queries with DO", "dns.flags.response == 0 and dns.resp.z.do == 1"),
    ("queries with an EDNS cookie", "dns.flags.response == 0 and dns.opt.code == 10"),
    ("queries with an EDNS client subnet", "dns.flags.response == 0 and dns.opt.code == 8"),
    *((f"messages with {name}", f"dns.resp.type == {number}") for name, number in TYPES),
)

LINKS_ROWS = (
    ("all packets", "frame"),
    ("VXLAN, UDP port 4789", "vxlan"),
    ("Geneve, UDP port 6081, over IPv6", "geneve"),
    ("GRE", "gre"),
    ("6in4", "ip.proto#1 == 41"),
    ("802.1Q, VLAN 20", "vlan.id == 20"),
    ("IPv4 in IPv4", "ip.src#2 and not icmp.type == 3 and not icmp.type == 11"),
    ("IPv6 in IPv4", "ip and ipv6"),
    ("ARP in tunnels", "arp and (vxlan or geneve)"),
    ("ICMP and ICMPv6 echo in tunnels", f"({IN_TUNNELS}) and ({ECHO})"),
    ("TCP in tunnels", f"({IN_TUNNELS}) and tcp"),
    ("TCP", "tcp"),
    ("UDP, and not only around a tunnel", "udp and not vxlan and not geneve"),
    ("TLS client hellos", "tls.handshake.type == 1 and tcp"),
    ("of them, with a server's name", "tls.handshake.extensions_server_name and tcp"),
    ("of them, with ALPN", "tls.handshake.type == 1 and tls.handshake.extensions_alpn_str and tcp"),
    ("TLS server hellos", "tls.handshake.type == 2 and tcp"),
    ("of them, hello retry requests", HELLO_RETRY),
    ("QUIC, UDP port 443", "udp.port == 443"),
    ("QUIC client hellos", "quic and tls.handshake.type == 1"),
    ("QUIC version negotiation", "quic.version == 0"),
    ("HTTP requests", "http.request"),
    ("HTTP requests in tunnels", f"({IN_TUNNELS}) and http.request"),
    ("to and from 198.51.100.11, behind the lossy link", "ip.addr == 198.51.100.11"),
    ("to and from 2001:db8:ff::11, the same", "ipv6.addr == 2001:db8:ff::11"),
    ("to and from port 8080 of the slow server", "tcp.port == 8080"),
    ("TCP retransmissions", "tcp.analysis.retransmission or tcp.analysis.fast_retransmission"),
    ("TCP out of order", "tcp.analysis.out_of_order"),
    ("TCP with SACK blocks", "tcp.options.sack_le"),
    ("port 53", "udp.port == 53 or tcp.port == 53"),
    ("DNS messages over TCP", "tcp and dns"),
    ("of them, reassembled from several segments", "tcp.segments and dns"),
)

TRACES = {
    "edge-10k.pcap.gz": EDGE_ROWS,
    "dns-1k.pcap.gz": DNS_ROWS,
    "links-3k.pcap.gz": LINKS_ROWS,
}


def count(trace: Path, display_filter: str) -> int:
    """How many packets of a trace pass a display filter."""
    # tshark's own statistics leave out packets that the snap length cut amid a header.
    command = ["tshark", "-n", "-r", str(trace), "-Y", display_filter, "-T", "fields"]
    done = subprocess.run(
        [*command, "-e", "frame.number"], capture_output=True, text=True, check=True
    )
    return len(done.stdout.splitlines())


def table(trace: Path, rows: tuple[tuple[str, str], ...]) -> str:
    """A Markdown table of what is in a trace."""
    lines = ["| what | display filter | packets |", "|---|---|---:|"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = list(pool.map(lambda row: count(trace, row[1]), rows))
    lines += [
        f"| {what} | `{text}` | {n:,} |" for (what, text), n in zip(rows, counts, strict=True)
    ]
    return "\n".join(lines)


def summary(folder: Path) -> str:
    """The tables of the traces that are there."""
    there = {name: rows for name, rows in TRACES.items() if (folder / name).exists()}
    return "\n\n".join(f"### {name}\n\n{table(folder / name, r)}" for name, r in there.items())


if __name__ == "__main__":
    print(summary(Path(sys.argv[1])))
