"""The programs: Debian packages that are fetched and unpacked into the sandbox, never installed.

To install some of them would start daemons or remove others from the machine. What the machine has
already is taken from there.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sandbox import LAB, ROOT, run

# Package -> one program of it that the lab uses.
PROGRAMS = {
    "bind9-dnsutils": "dig",
    "chrony": "chronyd",
    "curl": "curl",
    "iperf3": "iperf3",
    "iputils-ping": "ping",
    "iputils-tracepath": "tracepath",
    "ldnsutils": "ldns-signzone",
    "libusrsctp-examples": "tsctp",
    "mtr-tiny": "mtr",
    "nftables": "nft",
    "nginx-light": "nginx",
    "ngtcp2-client": "gtlsclient",
    "ngtcp2-server": "gtlsserver",
    "nsd": "nsd",
    "openssl": "openssl",
    "radvd": "radvd",
    "snmp": "snmpwalk",
    "snmpd": "snmpd",
    "tcpdump": "tcpdump",
    "traceroute": "traceroute.db",
    "unbound": "unbound",
    "wget": "wget",
}

NEEDED_OF_THE_MACHINE = ("apt-get", "dpkg", "ip", "mount", "setpriv", "tshark", "unshare")


def check_machine() -> None:
    """SystemExit that names what this machine lacks to run the lab at all."""
    missing = [p for p in NEEDED_OF_THE_MACHINE if shutil.which(p) is None]
    if missing:
        raise SystemExit("the lab needs these programs: " + ", ".join(missing))
    if not Path("/dev/net/tun").exists():
        raise SystemExit("the lab needs TUN/TAP of the kernel: there is no /dev/net/tun")


def fetch(cache: Path | None) -> None:
    """Fetch the packages and what they depend on and unpack them; keep them in `cache` if given."""
    debs = cache or LAB / "debs"
    (debs / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-y", "-q", "--no-install-recommends", "--no-upgrade", "--download-only"]
    # Fetching as root: apt's own user may not write to the folder.
    options += ["-o", f"Dir::Cache::archives={debs}", "-o", "APT::Sandbox::User=root"]
    try:
        run("apt-get", "install", *options, *PROGRAMS)
    except SystemExit as error:
        raise SystemExit(f"{error}\nDoes `apt-get update` help?") from None
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg", "-x", deb, ROOT], check=True)


def check_programs() -> None:
    """SystemExit that names the programs that the unpacked packages did not bring."""
    missing = [p for p in PROGRAMS.values() if p != "tsctp" and shutil.which(p) is None]
    if missing:
        raise SystemExit("not found in the packages: " + ", ".join(missing))


def tsctp() -> str:
    """The path of usrsctp's test program, which its package keeps off the search path."""
    folder = "usr/lib/usrsctp/tsctp"
    return str(next(p for p in (ROOT / folder, Path("/") / folder) if p.exists()))
