"""The domain names: a root zone, three top-level domains, and below them zones of all kinds.

Signed zones hang together by DS records from the root down, so that a resolver can validate. They
differ in algorithm and in how they deny existence (NSEC or NSEC3). One zone's DS record is wrong.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import plan
from sandbox import CONF, ZONES, run

SIGNED_FROM, SIGNED_UNTIL = -86_400, 3650 * 86_400
ROOT_SERVER, TLD_SERVER, LEAF_SERVER, HOME_SERVER = "s4", "s5", "s6", "h2"
TEXT = (
    "packet trace sample edge router flow page index image style script data lorem ipsum dolor "
    "sit amet tempor magna aliqua veniam nostrud"
)
WORDS = TEXT.split()


@dataclass(frozen=True)
class Signing:
    """How a zone is signed: the algorithm, the key's bits, and whether with NSEC3."""

    algorithm: str
    bits: int
    nsec3: bool


SIGNED = {
    ".": Signing("RSASHA256", 2048, nsec3=False),
    "com.": Signing("ECDSAP256SHA256", 256, nsec3=True),
    "net.": Signing("RSASHA256", 1280, nsec3=True),
    "org.": Signing("RSASHA512", 2048, nsec3=False),
    "example.com.": Signing("ECDSAP256SHA256", 256, nsec3=False),
    "example.net.": Signing("RSASHA256", 2048, nsec3=True),
    "home.example.com.": Signing("ECDSAP384SHA384", 384, nsec3=True),
}

SERVED = {
    ROOT_SERVER: (".",),
    TLD_SERVER: ("com.", "net.", "org.", "example.com.", "example.net.", "example.org."),
    LEAF_SERVER: (
        "example.com.",
        "example.net.",
        "example.org.",
        "bogus.example.net.",
        "100.51.198.in-addr.arpa.",
    ),
    HOME_SERVER: ("home.example.com.", "2.0.192.in-addr.arpa."),
}


def text(generator: random.Random, length: int) -> str:
    """Words up to a length."""
    return " ".join(generator.choices(WORDS, k=length))[:length]


def hosts(name: str, node: str, ttl: int = 3600) -> str:
    """The address records of a name that a node has."""
    pair = plan.pair(node)
    return f"{name} {ttl} IN A {pair.v4}\n" + (
        f"{name} {ttl} IN AAAA {pair.v6}\n" if pair.v6 else ""
    )


def lies_in(name: str, zone: str) -> bool:
    return zone == "." or name.endswith("." + zone)


def start(zone: str, *servers: tuple[str, str]) -> str:
    """A zone's SOA and NS records, with the addresses of the servers that lie in it."""
    first = servers[0][0]
    lines = f"{zone} 3600 IN SOA {first} hostmaster.{zone.lstrip('.')} 1 7200 1800 604800 300\n"
    lines += "".join(f"{zone} 3600 IN NS {name}\n" for name, _ in servers)
    return lines + "".join(hosts(n, node) for n, node in servers if lies_in(n, zone))


def delegation(zone: str, *servers: tuple[str, str]) -> str:
    """What the zone above says of a zone: NS records and the servers' addresses."""
    lines = "".join(f"{zone} 86400 IN NS {name}\n" for name, _ in servers)
    return lines + "".join(hosts(n, node, 86400) for n, node in servers if lies_in(n, zone))


def leaf(zone: str, generator: random.Random) -> str:
    """The records of one of the example domains, of as many types as the tools can sign."""
    address = plan.pair("s1")
    lines = start(zone, *leaf_servers(zone)) + hosts(zone, "s1", 300)
    for name, node in (
        ("www", "s1"), ("shop", "s2"), ("img", "s3"), ("cdn", "s2"), ("mail", "s8"),
        ("mail2", "s3"), ("up", "s9"), ("ntp", "s8"), ("api", "s3"),
    ):  # fmt: skip
        lines += hosts(f"{name}.{zone}", node, 60)
    relative = f"""
@ 600 IN MX 10 mail
@ 600 IN MX 20 mail2
@ 600 IN TXT "v=spf1 mx ip4:198.51.100.0/24 ip6:2001:db8:ff::/48 -all"
@ 600 IN CAA 0 issue "ca.{zone}"
@ 600 IN LOC 36 51 0.000 S 174 46 0.000 E 20.00m
@ 600 IN TYPE65 \\# 3 000100
blog 120 IN CNAME www
static 120 IN CNAME cdn
a 60 IN CNAME b
b 60 IN CNAME shop
old 300 IN DNAME new
www.new 60 IN A {address.v4}
*.wild 60 IN A {address.v4}
v4only 60 IN A {address.v4}
_sip._tcp 300 IN SRV 10 60 5060 www
_443._tcp.www 300 IN TLSA 3 1 1 {generator.randbytes(32).hex()}
host 300 IN HINFO "PC" "LAB"
host 300 IN SSHFP 4 2 {generator.randbytes(32).hex()}
host 300 IN RP hostmaster.{zone} host.{zone}
private 300 IN TYPE65400 \\# 6 {generator.randbytes(6).hex()}
_tel 300 IN NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@{zone}!" .
sel1._domainkey 300 IN TXT "v=DKIM1; k=rsa; p={generator.randbytes(90).hex()}" "{"A" * 180}"
big 300 IN TXT {" ".join(f'"{text(generator, 200)}"' for _ in range(14))}
"""
    lines += f"$ORIGIN {zone}\n{relative}"
    for n in range(40):
        lines += f"h{n} 30 IN A 203.0.113.{10 + n}\n"
        lines += f"h{n} 30 IN AAAA 2001:db8:ff::{n:x}:1\n" if n % 2 else ""
    return lines


def leaf_servers(zone: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (f"ns1.{zone}", LEAF_SERVER), (f"ns2.{zone}", TLD_SERVER)


def home() -> str:
    """The zone of the home network, which one of its own hosts serves."""
    zone = "home.example.com."
    lines = start(zone, (f"ns.{zone}", HOME_SERVER)) + hosts(zone, HOME_SERVER)
    lines += f'{zone} 300 IN TXT "a small network"\n{zone} 300 IN MX 10 www.{zone}\n'
    for name, node in (("www", "h2"), ("resolver", "h1"), *((h, h) for h in ("h3", "h4", "h6"))):
        lines += hosts(f"{name}.{zone}", node)
    return lines


def reverse(zone: str, server: tuple[str, str], nodes: tuple[str, ...], domain: str) -> str:
    """PTR records for nodes whose IPv4 addresses lie in a reverse zone."""
    lines = start(zone, server)
    for node in nodes:
        lines += f"{plan.pair(node).v4.rsplit('.')[-1]}.{zone} 3600 IN PTR {node}.{domain}\n"
    return lines


def write(zone: str, records: str) -> str:
    """Write a zone's file, signed if it is to be; its DS record, or nothing."""
    name = ZONES / f"{zone}zone"
    name.write_text(records)
    signing = SIGNED.get(zone)
    if signing is None:
        name.rename(f"{name}.signed")
        return ""
    make = ["ldns-keygen", "-r", "/dev/urandom", "-a", signing.algorithm, "-b", str(signing.bits)]
    keys = [run(*make, *kind, zone, cwd=ZONES).strip() for kind in (["-k"], [])]
    stamps = [
        time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() // 86_400 * 86_400 + offset))
        for offset in (SIGNED_FROM, SIGNED_UNTIL)
    ]
    options = ["-i", stamps[0], "-e", stamps[1], "-f", f"{name}.signed"]
    options += ["-n", "-s", "abcdef", "-t", "5"] if signing.nsec3 else []
    run("ldns-signzone", *options, str(name), *keys, cwd=ZONES)
    return (ZONES / f"{keys[0]}.ds").read_text()


def build(generator: random.Random) -> None:
    """Write all zones from the leaves up, and the resolvers' hints and trust anchor."""
    write("2.0.192.in-addr.arpa.", reverse(
        "2.0.192.in-addr.arpa.", ("ns.home.example.com.", HOME_SERVER),
        ("h1", "h2", "h3", "h4", "h5", "h6"), "home.example.com.",
    ))  # fmt: skip
    write("100.51.198.in-addr.arpa.", reverse(
        "100.51.198.in-addr.arpa.", ("ns1.example.com.", LEAF_SERVER),
        ("s1", "s2", "s4", "s6", "s10"), "example.com.",
    ))  # fmt: skip
    bogus = "bogus.example.net."
    write(bogus, start(bogus, ("ns1.example.net.", LEAF_SERVER)) + hosts(bogus, "s1"))
    below = {
        "example.com.": delegation("home.example.com.", ("ns.home.example.com.", HOME_SERVER))
        + write("home.example.com.", home()),
        "example.net.": delegation(bogus, ("ns1.example.net.", LEAF_SERVER))
        + f"{bogus} 3600 IN DS 12345 13 2 {generator.randbytes(32).hex()}\n",
        "example.org.": "",
    }
    root = start(".", ("a.root-servers.net.", ROOT_SERVER))
    root += delegation("2.0.192.in-addr.arpa.", ("ns.home.example.com.", HOME_SERVER))
    root += delegation("100.51.198.in-addr.arpa.", ("ns1.example.com.", LEAF_SERVER))
    for zone, records in below.items():
        tld = zone.partition(".")[2]
        server = (f"a.nic.{tld}", TLD_SERVER)
        records_of_tld = start(tld, server) + delegation(zone, *leaf_servers(zone))
        records_of_tld += write(zone, leaf(zone, generator) + records)
        records_of_tld += "".join(
            f"zone{n}.{tld} 86400 IN NS ns1.example.{tld}\n" for n in range(20)
        )
        root += delegation(tld, server) + write(tld, records_of_tld)
    (CONF / "root.ds").write_text(write(".", root))
    (CONF / "root.hints").write_text(delegation(".", ("a.root-servers.net.", ROOT_SERVER)))
