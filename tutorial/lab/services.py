"""The services: what the servers serve, their configuration, and starting them."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import plan
import zones
from packages import tsctp
from sandbox import CONF, STATE, WWW, ZONES, inside, run, start_daemon

HERE = Path(__file__).parent
PAGES = 40

RESOLVER_AT_HOME, PUBLIC_RESOLVER = "h1", "s7"
WEB_SERVERS = ("s1", "s2", "s9", "s11")
PLAIN_WEB_SERVERS = {"s3": 80, "h2": 80}
# Both on s8: a web server that thinks, and one that takes one group of RFC 8446 only.
SLOW_PORT, TLS_PORT = 8080, 8443

NGINX = """
user root;
worker_processes 1;
daemon off;
pid {state}/nginx.{node}.pid;
error_log {state}/nginx.{node}.errors;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {state}/{node}.body;
    proxy_temp_path {state}/{node}.proxy;
    fastcgi_temp_path {state}/{node}.fastcgi;
    uwsgi_temp_path {state}/{node}.uwsgi;
    scgi_temp_path {state}/{node}.scgi;
    keepalive_timeout 4;
    client_max_body_size 5m;
    server {{
        listen 80 default_server;
        listen [::]:80 default_server;
        listen 443 ssl;
        listen [::]:443 ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {conf}/certificate.pem;
        ssl_certificate_key {conf}/key.pem;
        root {www};
        location /up {{ dav_methods PUT; alias {state}/up.{node}/; }}
    }}
}}
"""

NSD = """
server:
    ip-address: {v4}
    ip-address: {v6}
    username: ""
    database: ""
    server-count: 1
    zonesdir: {zones}
    pidfile: {state}/nsd.{node}.pid
    xfrdfile: {state}/nsd.{node}.xfrd
    zonelistfile: {state}/nsd.{node}.list
    xfrdir: {state}
    identity: "{node}.lab"
    version: "lab"
remote-control:
    control-enable: no
"""

UNBOUND = """
server:
    interface: {v4}
    interface: {v6}
    chroot: ""
    username: ""
    directory: {conf}
    pidfile: {state}/unbound.{node}.pid
    use-syslog: no
    do-daemonize: no
    num-threads: 1
    root-hints: {conf}/root.hints
    trust-anchor-file: {conf}/root.ds
    module-config: "validator iterator"
    tls-cert-bundle: ""
    cache-max-ttl: 60
    edns-buffer-size: 1232
    # Answers over UDP are never in fragments.
    max-udp-size: 1232
    # The lab's reverse zones are ranges that a resolver answers for itself otherwise (RFC 6303).
    unblock-lan-zones: yes
    local-zone: "2.0.192.in-addr.arpa." nodefault
    local-zone: "100.51.198.in-addr.arpa." nodefault
    identity: "{node}.lab"
    version: "lab"
    {access}
remote-control:
    control-enable: no
"""

ACCESS = {
    RESOLVER_AT_HOME: (
        "access-control: 192.0.2.0/24 allow\n    access-control: 2001:db8:1::/64 allow"
    ),
    PUBLIC_RESOLVER: "access-control: 0.0.0.0/0 allow\n    access-control: ::/0 allow",
}

CHRONY = """
local stratum 1
allow
port 123
cmdport 0
bindcmdaddress /
pidfile {state}/chrony.pid
"""

# Everything that an agent would tell of its machine is said here instead.
SNMPD = """
rocommunity public
rocommunity6 public
sysDescr A router of the lab
sysName edge.lab
sysLocation lab
sysContact hostmaster@example.com
agentaddress udp:161,udp6:161
"""

RADVD_AT_HOME = """
interface lan0 {
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    prefix 2001:db8:1::/64 { };
    RDNSS 2001:db8:1::53 { };
};
"""

RADVD_AT_PROVIDER = """
interface isp0 {
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 7;
    AdvLinkMTU 1500;
};
"""


def write_pages(generator: random.Random) -> None:
    """Web pages of many sizes."""
    for number in range(PAGES):
        size = int(min(160_000, max(300, generator.lognormvariate(8.85, 1.25))))
        body = zones.text(generator, size)
        (WWW / f"p{number}.html").write_text(f"<html><body>{body}</body></html>\n")
    (WWW / "index.html").write_text(f"<html>{zones.text(generator, 900)}</html>\n")
    (WWW / "large.html").write_text("lorem ipsum " * 8000)
    (WWW / "upload.bin").write_bytes(generator.randbytes(60_000))


def write_names() -> None:
    """Each node's resolver file and the hosts file of all."""
    (CONF / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    at_home, public = plan.pair(RESOLVER_AT_HOME), plan.pair(PUBLIC_RESOLVER)
    nameservers = {"h2": at_home.v4, "h3": at_home.v4, "h4": at_home.v6, "h6": public.v6}
    for node in plan.NODES:
        nameserver = nameservers.get(node, public.v4)
        (CONF / f"resolv.{node}").write_text(f"nameserver {nameserver}\noptions timeout:3\n")


def write_configuration() -> None:
    """The daemons' configuration files, and a certificate."""
    for node in WEB_SERVERS:
        (STATE / f"up.{node}").mkdir()
        settings = NGINX.format(node=node, conf=CONF, state=STATE, www=WWW)
        (CONF / f"nginx.{node}").write_text(settings)
    for node, served in zones.SERVED.items():
        pair = plan.pair(node)
        settings = NSD.format(node=node, v4=pair.v4, v6=pair.v6, zones=ZONES, state=STATE)
        for zone in served:
            settings += f"zone:\n    name: {zone}\n    zonefile: {zone}zone.signed\n"
            settings += "    provide-xfr: 0.0.0.0/0 NOKEY\n" if zone == "example.org." else ""
        (CONF / f"nsd.{node}").write_text(settings)
    for node, access in ACCESS.items():
        pair = plan.pair(node)
        settings = UNBOUND.format(
            node=node, v4=pair.v4, v6=pair.v6, conf=CONF, state=STATE, access=access
        )
        (CONF / f"unbound.{node}").write_text(settings)
    (CONF / "chrony").write_text(CHRONY.format(state=STATE))
    (CONF / "snmpd").write_text(SNMPD)
    (CONF / "radvd.edge").write_text(RADVD_AT_HOME)
    (CONF / "radvd.isp").write_text(RADVD_AT_PROVIDER)
    (CONF / "mime.types").write_text("text/html html\n")
    key, certificate = f"{CONF}/key.pem", f"{CONF}/certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365"]
    run(*request, "-subj", "/CN=shop.example.com", "-keyout", key, "-out", certificate)


def commands() -> list[tuple[str, str, list[str]]]:
    """Every daemon: its name, its node, its command."""
    talk = [sys.executable, str(HERE / "talk.py")]
    nsd, unbound = ["nsd", "-d", "-c"], ["unbound", "-d", "-c"]
    files = [sys.executable, "-m", "http.server", "--directory", str(WWW), "--bind", "::"]
    quic = ["gtlsserver", "-q", "-d", str(WWW), "--mime-types-file", f"{CONF}/mime.types"]
    quic += ["*", "443", f"{CONF}/key.pem", f"{CONF}/certificate.pem"]
    tls = ["openssl", "s_server", "-quiet", "-key", f"{CONF}/key.pem"]
    tls += ["-cert", f"{CONF}/certificate.pem"]
    chronyd = ["chronyd", "-d", "-x", "-u", "root", "-f", f"{CONF}/chrony"]
    radvd = ["radvd", "-n", "-m", "stderr"]
    rows = [
        ("radvd", "edge", [*radvd, "-C", f"{CONF}/radvd.edge", "-p", f"{STATE}/radvd.edge"]),
        ("radvd", "isp", [*radvd, "-C", f"{CONF}/radvd.isp", "-p", f"{STATE}/radvd.isp"]),
        ("quic", "s2", quic),
        ("iperf3", "s8", ["iperf3", "-s"]),
        ("chronyd", "s8", chronyd),
        ("snmpd", "s8", ["snmpd", "-f", "-C", "-c", f"{CONF}/snmpd", "-Lo"]),
        ("sctp", "s8", [tsctp(), "-E", "0", "-U", "0", "-p", "5001"]),
        ("echo", "s8", [*talk, "echo", "::", "7"]),
        ("slow", "s8", [*talk, "think", "::", str(SLOW_PORT)]),
        ("tls", "s8", [*tls, "-accept", str(TLS_PORT), "-groups", "P-384", "-www"]),
    ]
    rows += [
        ("nginx", n, ["nginx", "-p", f"{STATE}", "-c", f"{CONF}/nginx.{n}"]) for n in WEB_SERVERS
    ]
    rows += [("web", n, [*files, str(port)]) for n, port in PLAIN_WEB_SERVERS.items()]
    rows += [("nsd", n, [*nsd, f"{CONF}/nsd.{n}"]) for n in zones.SERVED]
    rows += [("unbound", n, [*unbound, f"{CONF}/unbound.{n}"]) for n in ACCESS]
    return rows


def start(generator: random.Random) -> dict[str, subprocess.Popen[bytes]]:
    """Write everything and start the daemons; they run when this returns."""
    write_pages(generator)
    write_names()
    zones.build(generator)
    write_configuration()
    started = {
        f"{name}.{node}": start_daemon(f"{name}.{node}", *inside(node, *command))
        for name, node, command in commands()
    }
    time.sleep(3)
    for name, process in started.items():
        if process.poll() is not None:
            said = (STATE / f"{name}.log").read_text()
            raise SystemExit(f"{name} ended with status {process.returncode}:\n{said}")
    return started
