"""plt.defragment() against tshark, which puts fragments together too."""

import subprocess
from pathlib import Path

import pytest

import plt

#: Traces of the corpus with fragments outside tunnels, and how many packets they make.
TRACES = {
    "dns_fragmented.pcap": 7,
    "dnscrypt-v1-and-resolver-pings.pcap": 120,
    "vlan.pcap": 10,
}


def by_tshark(path: Path) -> list[int]:
    """The lengths of what the IP packets carry that tshark puts together."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields"]
    for field in ("ip.reassembled.length", "ipv6.reassembled.length"):
        command += ["-e", field]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [int(word) for line in printed.splitlines() for word in line.split()]


def ours(path: Path) -> list[int]:
    """The same of the packets that are not in the trace."""
    with plt.trace(path) as trace:
        known = {bytes(packet) for packet in trace}
    made = (p for p in plt.defragment(path) if bytes(p) not in known)
    # without the header of IPv4, or that of IPv6
    return [len(p.ip or p.ip6) - (20 if p.ip else 40) for p in made]


@pytest.mark.parametrize("name", TRACES)
def test_traces_of_the_corpus(name: str, corpus: Path) -> None:
    path = corpus / "traces" / name
    lengths = ours(path)
    assert len(lengths) == TRACES[name]
    assert lengths == by_tshark(path)
