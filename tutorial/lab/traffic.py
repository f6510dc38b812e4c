"""The traffic, without that of nameservers: who does what, how often, with which program."""

from __future__ import annotations

import sys
from pathlib import Path

import plan
from packages import tsctp
from sandbox import STATE, WWW
from schedule import Schedule
from services import PAGES

TALK = (sys.executable, str(Path(__file__).parent / "talk.py"))
DOMAINS = ("example.com", "example.net", "example.org")
SITES = ("www", "shop", "img", "cdn", "blog", "static", "a", "api")
# Of these sites' servers, none speaks TLS.
PLAIN_SITES = ("img", "api")
GUESTS = ("h7", "h8")
TUNNEL_END = "2001:db8:41::2"


def page(schedule: Schedule) -> str:
    return f"p{schedule.random.randrange(PAGES)}.html"


def curl(schedule: Schedule, node: str, *urls: str, options: tuple[str, ...] = ()) -> None:
    """Get URLs over one connection where the server keeps it open, with a browser's patience."""
    patience = schedule.random.choice([2, 6, 8])
    outputs = [part for url in urls for part in ("-o", "/dev/null", url)]
    schedule.some_time(node, "curl", "-sk", "--max-time", patience, *options, *outputs)


def browsing(schedule: Schedule) -> None:
    """Web pages, plain and over TLS, IPv4 and IPv6, for hosts at home and at the neighbour's."""
    choice = schedule.random.choice
    # (nodes, how many sessions): home's weigh more than the neighbour's.
    for nodes, sessions in ((plan.HOME_HOSTS[1:], 74), (plan.NEIGHBOURS, 19)):
        for _ in schedule.times(sessions):
            site, domain = choice(SITES), choice(DOMAINS)
            tls = site not in PLAIN_SITES and schedule.random.random() < 0.4
            base = f"{'https' if tls else 'http'}://{site}.{domain}/"
            urls = [base + page(schedule) for _ in range(choice([1, 1, 2, 3]))]
            node = choice(nodes)
            options = choice([["-4"], ["-4"], ["-6"], []]) if node not in GUESTS else ["-4"]
            curl(schedule, node, *urls, options=(*options, *(["--http2"] if tls else [])))
    for _ in schedule.times(8):
        url = f"http://{choice(SITES)}.{choice(DOMAINS)}/{page(schedule)}"
        node = choice(["h3", "h4", "n1"])
        schedule.some_time(node, "wget", "-q", "-T4", "-t1", "-O", "/dev/null", url)
    for version in ("-4", "-6"):
        url = f"http://up.example.com/up/x{version}"
        curl(schedule, "h3", url, options=(version, "-T", f"{WWW}/upload.bin"))
    for server in ("2001:db8:ff::10", "2001:db8:ff::20"):
        for _ in schedule.times(3):
            url = f"https://[{server}]/{page(schedule)}"
            curl(schedule, "h5", url, options=("--interface", TUNNEL_END))
    for node, server in (
        ("h3", "198.51.100.20"),
        ("h6", "2001:db8:ff::20"),
        ("h8", "198.51.100.20"),
    ):
        urls = [f"https://shop.example.com/{page(schedule)}" for _ in range(2)]
        client = ("gtlsclient", "-q", "--exit-on-all-streams-close", "--timeout=3s")
        schedule.some_time(node, *client, server, 443, *urls, limit=6)


def from_outside(schedule: Schedule) -> None:
    """Visitors of the web server at home, and a scanner that tries ports of everyone."""
    choice = schedule.random.choice
    for _ in schedule.times(9):
        host = choice(["192.0.2.10", "192.0.2.10", "[2001:db8:1::10]"])
        curl(schedule, choice(["s1", "s2", "s9", "n1"]), f"http://{host}/{page(schedule)}")
    for port in (22, 23, 443, 3389, 8081):
        for host in (choice(["192.0.2.10", "192.0.2.53"]), choice(["192.0.2.13", "192.0.2.77"])):
            schedule.some_time("s10", *TALK, "refused", host, port)
    for port in (22, 5900):
        schedule.some_time("s10", *TALK, "refused", "2001:db8:1::10", port)
        schedule.some_time("s10", *TALK, "refused", plan.GUESTS_SEEN_AS, port)


def odd_connections(schedule: Schedule) -> None:
    """TCP connections that do not end, or go on, as usual."""
    choice = schedule.random.choice
    kinds = ["abort"] * 6 + ["half"] * 3 + ["idle"] * 2 + ["urgent"]
    for kind in kinds:
        host = choice(["198.51.100.10", "198.51.100.20", "2001:db8:ff::20"])
        schedule.some_time(choice(["h2", "h3", "h5", "n2"]), *TALK, kind, host, 80)
    for node, host in (("h2", "198.51.100.10"), ("n2", "198.51.100.20"), ("h3", "2001:db8:ff::20")):
        schedule.some_time(node, *TALK, "slow", host, 80)
    for _ in schedule.times(9):
        host = choice(["198.51.100.10", "2001:db8:ff::20", "203.0.113.10"])
        port = choice([25, 81, 8443])
        schedule.some_time(choice(["h2", "h4", "h8", "n1"]), *TALK, "refused", host, port)


def pings(schedule: Schedule) -> None:
    """Echo requests of ICMP and ICMPv6: some large, some never answered, some with options."""
    choice, randint = schedule.random.choice, schedule.random.randint
    ping = ("ping", "-n")
    for host in ("198.51.100.10", "203.0.113.194", "203.0.113.10", "198.51.100.66"):
        size, node = choice([56, 56, 200, 1000]), choice(["h2", "h4", "h8", "n1"])
        schedule.some_time(node, *ping, "-c", randint(6, 14), "-i", 0.5, "-s", size, host)
    for host in ("2001:db8:ff::10", "2001:db8:ff:9::194", "2001:db8:ff::30"):
        node = choice(["h2", "h4", "h6", "n2"])
        schedule.some_time(node, *ping, "-c", randint(5, 10), "-i", 0.5, host)
    schedule.some_time("s10", *ping, "-c", 4, "192.0.2.10")
    schedule.some_time("s10", *ping, "-c", 4, "2001:db8:1::10")
    schedule.some_time("h5", *ping, "-c", 8, "-i", 0.4, "-I", TUNNEL_END, "2001:db8:ff::30")
    schedule.some_time("h2", *ping, "-c", 3, "-R", "203.0.113.194")
    # Larger than the link to far takes, and not to be fragmented on the way.
    schedule.some_time("h2", *ping, "-c", 3, "-M", "do", "-s", 1450, "203.0.113.194")
    schedule.some_time("h4", *ping, "-c", 3, "-M", "do", "-s", 1430, "2001:db8:ff:9::194")
    # In fragments from the start.
    schedule.some_time("h4", *ping, "-c", 3, "-s", 3000, "198.51.100.20")
    schedule.some_time("h4", *ping, "-c", 3, "-s", 3000, "2001:db8:ff::20")
    for host in ("203.0.113.165", "203.0.113.210", "198.51.100.120"):
        schedule.some_time("h5", *ping, "-c", 3, "-W", 1, host)
    for host in ("2001:db8:bad::1", "2001:db8:dead::1", "2001:db8:ff::99"):
        schedule.some_time("h5", *ping, "-c", 3, "-W", 1, host)


def routes_traced(schedule: Schedule) -> None:
    """Traceroutes over UDP, TCP and ICMP: time exceeded and port unreachable."""
    trace = ("traceroute.db", "-n", "-w", 1)
    for node, host in (
        ("h3", "203.0.113.194"), ("h8", "198.51.100.20"), ("h3", "2001:db8:ff:9::194"),
        ("n1", "2001:db8:ff::30"), ("s9", "192.0.2.10"), ("s2", "2001:db8:1::10"),
    ):  # fmt: skip
        schedule.some_time(node, *trace, "-q", 2, host, limit=20)
    schedule.some_time("h4", *trace, "-T", "-p", 80, "-q", 1, "198.51.100.10", limit=20)
    schedule.some_time("h4", *trace, "-I", "-q", 1, "203.0.113.194", limit=20)
    schedule.some_time("h8", "mtr", "-n", "-r", "-c", 4, "-i", 0.5, "203.0.113.194", limit=20)
    schedule.some_time("h3", "tracepath", "-n", "-m", 8, "203.0.113.194", limit=20)


def other_udp(schedule: Schedule) -> None:
    """The time, network management, and a conversation that might be voice."""
    choice = schedule.random.choice
    for number, node in enumerate(("h2", "h3", "h4", "h5", "h8", "n2")):
        host = "203.0.113.80" if number % 2 else "ntp.example.com"
        once = ("chronyd", "-Q", "-t", 8, "-x", "-u", "root")
        settings = (f"server {host} iburst maxsamples 4", "cmdport 0", "bindcmdaddress /")
        schedule.some_time(node, *once, *settings, f"pidfile {STATE}/chrony.{node}.pid")
    for host in ("203.0.113.80", "udp6:[2001:db8:ff::80]"):
        options = ("-v2c", "-c", "public", "-r1", "-t2", host)
        schedule.some_time("h6", "snmpwalk", *options, ".1.3.6.1.2.1.1")
        schedule.some_time("h5", "snmpbulkwalk", *options, ".1.3.6.1.2.1.1.9")
    for host in ("203.0.113.80", "2001:db8:ff::80", "203.0.113.80"):
        schedule.some_time(choice(["h2", "h6", "h8"]), *TALK, "chat", host, 7)
    schedule.some_time("n2", *TALK, "chat", "203.0.113.80", 7)
    schedule.some_time("h3", *TALK, "chat", "203.0.113.80", 33999)


def bulk(schedule: Schedule) -> None:
    """Larger transfers, each way, and SCTP associations."""
    iperf = ("iperf3", "-c")
    v4, v6 = "203.0.113.80", "2001:db8:ff::80"
    schedule.at(3, "h4", *iperf, v4, "-t", 2, "-b", "1M", "-l", 1200, "-u", "-R")
    schedule.at(12, "h5", *iperf, v6, "-t", 2, "-b", "300k", "-l", 160, "-u")
    schedule.at(18, "h4", *iperf, v4, "-n", "450K")
    schedule.at(30, "n1", *iperf, v4, "-n", "400K", "-R")
    schedule.at(38, "h6", *iperf, v6, "-n", "450K", "-R")
    schedule.at(47, "h8", *iperf, v4, "-n", "400K", "-R", "-P", 2)
    for count, length in ((30, 1000), (12, 3000), (40, 100)):
        # tsctp does not leave when it is done.
        associate = (tsctp(), "-E", 0, "-U", 0, "-p", 5001, "-n", count, "-l", length, v4)
        schedule.some_time("h2", *associate, limit=8)


def plan_traffic(schedule: Schedule) -> None:
    """Add all of it to the schedule."""
    for kind in (browsing, from_outside, odd_connections, pings, routes_traced, other_udp, bulk):
        kind(schedule)
