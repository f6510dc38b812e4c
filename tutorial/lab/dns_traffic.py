"""The traffic of nameservers: resolving, asking authorities, visitors of the server at home, scans.

Queries cross the edge when the resolver at home asks authorities, when hosts ask the public
resolver or an authority themselves, and when outsiders ask the nameserver at home. What hosts ask
the resolver at home does not.
"""

from __future__ import annotations

import plan
from sandbox import STATE
from schedule import Schedule
from traffic import DOMAINS, GUESTS, TALK

AUTHORITIES = ("203.0.113.53", "198.51.100.54", "2001:db8:ff::54", "2001:db8:ff::5:53")
PUBLIC_RESOLVERS = ("203.0.113.9", "2001:db8:ff::9")
NAMESERVER_AT_HOME = ("192.0.2.10", "192.0.2.10", "2001:db8:1::10")
HOME_DOMAIN = "home.example.com"

COMMON_TYPES = ("A", "AAAA") * 3
TYPES = (
    *COMMON_TYPES, "MX", "TXT", "NS", "SOA", "DNSKEY", "CAA", "ANY", "SRV", "DS", "TLSA", "LOC",
    "HTTPS", "NSEC3PARAM", "TYPE65400",
)  # fmt: skip

# Names of a domain, with the one type to ask for where only one makes sense.
NAMES = (
    ("", ""), ("www.", ""), ("mail.", ""), ("blog.", ""), ("a.", ""), ("v4only.", ""),
    ("x.wild.", ""), ("www.old.", "A"), ("big.", "TXT"), ("big.", "TXT"), ("_sip._tcp.", "SRV"),
    ("_443._tcp.www.", "TLSA"), ("sel1._domainkey.", "TXT"), ("host.", "SSHFP"), ("host.", "HINFO"),
    ("host.", "RP"), ("_tel.", "NAPTR"), ("private.", "TYPE65400"), ("old.", "DNAME"),
)  # fmt: skip

EDNS = (
    "+dnssec", "+dnssec", "+dnssec", "+noedns +nocookie", "+nocookie", "+tcp", "+bufsize=4096",
    "+cookie", "+subnet=192.0.2.0/24", "+nsid", "+padding=128", "+cd +dnssec",
)  # fmt: skip


def question(schedule: Schedule) -> str:
    """A name, a type and options as dig takes them."""
    choice, randrange = schedule.random.choice, schedule.random.randrange
    domain = choice(DOMAINS)
    chance = schedule.random.random()
    if chance < 0.3:
        name, only = f"h{randrange(40)}.", ""
    elif chance < 0.45:
        name, only = f"nx{randrange(999)}.", ""
    else:
        name, only = choice(NAMES)
    return f"{name}{domain} {only or choice(TYPES)} {choice(EDNS)} +tries=2 +time=2"


def lookups(schedule: Schedule) -> None:
    """Batches of questions to authorities, the public resolver and the resolver at home."""
    choice, randint = schedule.random.choice, schedule.random.randint
    asking = (
        (("h3", "h4"), ("",), "", 8),
        (("h2", "h5", "h6", "h7", "n1", "n2"), PUBLIC_RESOLVERS, "", 9),
        (("h1", "h2", "h5", "h6", "h8", "n2"), AUTHORITIES, "+norec", 7),
    )
    for nodes, servers, options, batches in asking:
        for _ in schedule.times(batches):
            node = choice(nodes)
            usable = [s for s in servers if ":" not in s or node not in GUESTS]
            server = "@" + choice(usable) if servers[0] else ""
            questions = STATE / f"questions.{len(schedule.jobs)}"
            lines = [f"{server} {question(schedule)} {options}" for _ in range(randint(2, 7))]
            questions.write_text("\n".join(lines) + "\n")
            schedule.some_time(node, "dig", "-f", questions)


def special_questions(schedule: Schedule) -> None:
    """What is asked rarely: keys, transfers, other classes and opcodes, things that fail."""
    root, tld, leaf, resolver = "@198.51.100.53", "@203.0.113.53", "@198.51.100.54", "@203.0.113.9"
    for zone, server in ((".", root), ("com", tld), ("net", tld), ("org", tld)):
        schedule.some_time("h6", "dig", server, zone, "DNSKEY", "+dnssec")
    for arguments in (
        (root, "nosuchtld.", "A", "+dnssec"),
        (leaf, "nosuch.example.com", "A", "+dnssec", "+norec"),
        (leaf, "nosuch.example.net", "A", "+dnssec", "+norec"),
        (leaf, "refused.example", "A"),
        (leaf, "example.org", "AXFR"),
        (leaf, "example.net", "AXFR"),
        (leaf, "version.bind", "TXT", "CH"),
        (leaf, "example.com", "SOA", "+opcode=notify"),
        (leaf, "example.com", "A", "+opcode=status"),
        (leaf, "example.com", "A", "+edns=1", "+noednsnegotiation"),
        (leaf, "big.example.com", "TXT", "+ignore", "+norec"),
        (leaf, "example.com", "A", "+tcp", "+keepopen", "www.example.com", "AAAA", "+tcp"),
        (resolver, "bogus.example.net", "A", "+dnssec"),
        (resolver, "bogus.example.net", "A", "+cd"),
        (resolver, "-x", "198.51.100.10", "+dnssec"),
        (resolver, "-x", "192.0.2.10"),
        ("@198.51.100.10", "www.example.com", "+tries=2", "+time=1"),
        ("@203.0.113.80", "www.example.com", "+tcp", "+tries=1", "+time=1"),
    ):
        # In the part of the capture that the trace of nameservers covers.
        schedule.at(schedule.random.uniform(0, 50), "h6", "dig", *arguments)
    schedule.some_time("h5", *TALK, "pipeline", "198.51.100.54", 53)
    schedule.some_time("h2", *TALK, "pipeline", "2001:db8:ff::54", 53)


def visitors(schedule: Schedule) -> None:
    """Outsiders ask the nameserver at home for its own zones, and the resolver, which refuses."""
    choice = schedule.random.choice
    names = ("www", "resolver", "ns", "h3", "h4", "h6", "nosuch", "mail")
    for _ in schedule.times(46):
        name = choice(("", *(n + "." for n in names))) + HOME_DOMAIN
        kind, option = choice(TYPES), choice(EDNS)
        through = choice(["@203.0.113.9", "@" + choice(NAMESERVER_AT_HOME)])
        arguments = (through, name, kind, *option.split(), "+tries=2", "+time=2")
        schedule.some_time(choice(["s1", "s2", "s3", "s8", "s9"]), "dig", *arguments)
    for last in (10, 13, 14, 53, 99):
        reverse = ("-x", f"192.0.2.{last}", "+dnssec")
        schedule.some_time(choice(["s1", "s2", "s9"]), "dig", "@203.0.113.9", *reverse)
    for resolver in ("192.0.2.53", "2001:db8:1::53"):
        for node in ("s3", "s10"):
            arguments = ("www.example.com", "A", "+tries=1", "+time=2")
            schedule.some_time(node, "dig", "@" + resolver, *arguments)


def scans(schedule: Schedule) -> None:
    """Someone looks for open resolvers at home, from many addresses; few hosts answer at all."""
    choice = schedule.random.choice
    hosts = ["192.0.2.53", "192.0.2.10", plan.GUESTS_SEEN_AS, *["192.0.2.13", "192.0.2.14"] * 2]
    hosts += ["192.0.2.15", "192.0.2.16", *(f"192.0.2.{n}" for n in (20, 33, 77, 120, 200))]
    for _ in schedule.times(84):
        arguments = ("-b", choice(plan.SCANNER_ADDRESSES), "@" + choice(hosts))
        query = ("example.com", choice(["A", "ANY", "TXT"]), "+notcp", "+tries=1", "+time=1")
        schedule.some_time("s10", "dig", *arguments, *query)
    for host in ("2001:db8:1::10", "2001:db8:1::20", plan.slaac("h3"), plan.slaac("h6")):
        schedule.some_time("s10", "dig", "@" + host, "example.com", "+tries=2", "+time=1")


def plan_dns_traffic(schedule: Schedule) -> None:
    """Add all of it to the schedule."""
    for kind in (lookups, special_questions, visitors, scans):
        kind(schedule)
