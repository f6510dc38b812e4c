"""The third trace's traffic: tunnels, hellos of TLS and QUIC, a lossy link, DNS in segments."""

from __future__ import annotations

from sandbox import CONF
from schedule import Schedule
from services import SLOW_PORT, TLS_PORT
from traffic import GUESTS, TALK, TUNNEL_END, curl, page

# Of each tunnel: the node at home, the other end's addresses inside.
INSIDE = (
    ("h2", ("198.51.100.130", "[2001:db8:42::1]")),
    ("h6", ("198.51.100.138", "[2001:db8:43::1]")),
    ("h1", ("198.51.100.146", "[2001:db8:44::1]")),
)
LOSSY = ("198.51.100.11", "[2001:db8:ff::11]")
NAMES = ("www.example.com", "shop.example.net", "cdn.example.org", "a.example.com")
CLIENTS = ("h2", "h3", "h4", "h6", "n1", *GUESTS)

# What a TLS client may offer, as `openssl s_client` takes it.
OFFERS = (
    ("-tls1_3",), ("-tls1_3", "-alpn", "h2,http/1.1"), ("-tls1_2",),
    ("-tls1_2", "-alpn", "http/1.1", "-cipher", "ECDHE+AESGCM"),
    ("-alpn", "h2"), ("-curves", "P-256:X25519"), ("-tls1_3", "-ciphersuites",
    "TLS_CHACHA20_POLY1305_SHA256"), ("-status", "-alpn", "http/1.1"),
)  # fmt: skip

# A version of QUIC that is reserved, so that the server names those that it speaks (RFC 9000, 15).
RESERVED_VERSION = "0x1a2a3a4a"


def in_tunnels(schedule: Schedule) -> None:
    """Echo requests and web pages, plain and over TLS, inside every tunnel."""
    for node, addresses in INSIDE:
        for address in addresses:
            host = address.strip("[]")
            schedule.some_time(node, "ping", "-n", "-c", 5, "-i", 0.4, "-s", 120, host)
            for scheme in ("http", "http", "http", "https", "https"):
                curl(schedule, node, f"{scheme}://{address}/{page(schedule)}")
    for server in ("2001:db8:ff::10", "2001:db8:ff::20"):
        source = ("--interface", TUNNEL_END)
        curl(schedule, "h5", f"http://[{server}]/{page(schedule)}", options=source)
        curl(schedule, "h5", f"https://[{server}]/{page(schedule)}", options=source)
    schedule.some_time("h5", "ping", "-n", "-c", 5, "-I", TUNNEL_END, "2001:db8:ff::30")


def hellos(schedule: Schedule) -> None:
    """TLS of many kinds, once with a server that asks for another hello, and QUIC."""
    choice = schedule.random.choice
    servers = ("198.51.100.10:443", "198.51.100.20:443", "[2001:db8:ff::10]:443")
    # With nothing to say it leaves after the handshake.
    client = ("openssl", "s_client", "-CAfile", f"{CONF}/certificate.pem")
    for offer in (*OFFERS, *OFFERS):
        node = choice(CLIENTS)
        server = servers[0] if node in GUESTS else choice(servers)
        named = ("-servername", choice(NAMES))
        schedule.some_time(node, *client, "-connect", server, *named, *offer, limit=2)
    schedule.some_time("h2", *client, "-connect", servers[1], "-noservername", limit=2)
    for name in NAMES[:2]:
        again = ("-connect", f"203.0.113.80:{TLS_PORT}", "-servername", name)
        schedule.some_time("h3", *client, *again, "-curves", "X25519:P-384", limit=2)
    quic = ("gtlsclient", "-q", "--exit-on-all-streams-close", "--timeout=2s")
    for number, name in enumerate((*NAMES, *NAMES)):
        node = choice(["h3", "h6", "h8", "n2"])
        server = "2001:db8:ff::20" if node in ("h6", "n2") else "198.51.100.20"
        version = ("--version", RESERVED_VERSION) if number == 5 else ()
        url = f"https://{name}/{page(schedule)}"
        schedule.some_time(node, *quic, *version, server, 443, url, limit=5)


def slow_and_lossy(schedule: Schedule) -> None:
    """Pages over a link that loses and reorders, and of a server that takes its time."""
    for number in range(16):
        node = ("h2", "h3", "h4", "n1", "h6")[number % 5]
        name = "large.html" if number < 8 else page(schedule)
        url = f"http://{LOSSY[number % 2]}/{name}"
        schedule.some_time(node, "curl", "-s", "--max-time", 9, "-o", "/dev/null", url)
    for _ in range(8):
        node = schedule.random.choice(["h2", "h3", "h5", "n2"])
        url = f"http://203.0.113.80:{SLOW_PORT}/{page(schedule)}"
        schedule.some_time(node, "curl", "-s", "--max-time", 5, "-o", "/dev/null", url)


def dns_in_segments(schedule: Schedule) -> None:
    """DNS over TCP: queries in pieces and several at once, answers of several segments."""
    authority, other = "198.51.100.54", "2001:db8:ff::54"
    for node, server in (("h2", authority), ("h4", other), ("h3", authority), ("n1", authority)):
        schedule.some_time(node, *TALK, "pieces", server, 53)
        schedule.some_time(node, *TALK, "pipeline", server, 53)
    for name, kind in (
        ("big.example.org", "TXT"),
        ("example.com", "DNSKEY"),
        ("example.net", "ANY"),
    ):
        for node, server in (("h5", authority), ("h6", other)):
            schedule.some_time(node, "dig", "+tcp", "+dnssec", f"@{server}", name, kind)
    for node in ("h2", "n2"):
        schedule.some_time(node, "dig", f"@{authority}", "example.org", "AXFR")


def plan_link_traffic(schedule: Schedule) -> None:
    """Add all of it to the schedule."""
    for kind in (in_tunnels, hellos, slow_and_lossy, dns_in_segments):
        kind(schedule)
