"""CryptoPan.packet() on the corpus' tunnels, which were made without regard to this project."""

import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest

import plt
from ipp import from_s
from natkit import CryptoPan

TEXTS = (
    "203.0.113.77 203.0.113.88 192.0.2.1 198.51.100.2 2001:db8:77::7 2001:db8:88::8 "
    "2001:db8::1 2001:db8:1::2"
)
ADDRESSES = [ip_address(text).packed for text in TEXTS.split()]
# a mapping keeps the prefix of router advertisements, whose last 64 bits are no address' bits
ADDRESSES.append(ip_address("2001:db8:77::").packed[:8])

LAYERS = ("ip", "tcp", "udp", "icmp", "icmpv6", "igmp", "gre", "vrrp", "sctp")
CHECKED = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]


@pytest.fixture(scope="module")
def tunnels(corpus: Path) -> Path:
    path = corpus / "cases" / "14_anon_tunnels.pcap"
    if not path.is_file():
        pytest.skip("the corpus has no cases/14_anon_tunnels.pcap")
    return path


def read(path: Path) -> list[plt.packet]:
    with plt.trace(path) as trace:
        return list(trace)


def other_order(data: bytes) -> bytes:
    """The same 16-bit words, each with its bytes swapped."""
    return bytes(data[i ^ 1] for i in range(len(data)))


@pytest.mark.parametrize("key", ["secret", "another", bytes(range(32))])
def test_no_address_is_left(tunnels: Path, key: str | bytes) -> None:
    pan = CryptoPan(key)
    named = tunnels.with_suffix(".names").read_text().split()
    told = {}
    held = 0
    for name, packet in zip(named, read(tunnels), strict=False):
        held += sum(address in bytes(packet) for address in ADDRESSES)
        told[name] = pan.packet(packet).unknown
        data = bytes(packet)
        for address in ADDRESSES:
            assert address not in data, name
            assert other_order(address) not in data, name
    assert held > 150
    assert {name: unknown for name, unknown in told.items() if unknown} == {
        "udp_frag2": ("later fragment",),
        "ipcomp": ("IPComp",),
    }


def fields(tshark: str, path: Path, *names: str) -> list[list[str]]:
    """Some fields of each packet, as tshark finds them."""
    args = [arg for name in names for arg in ("-e", name)]
    command = [tshark, "-r", path, *CHECKED, "-Tfields", *args]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in run.stdout.splitlines()]


def test_checksums_and_addresses_as_tshark_finds_them(
    tshark: str, tunnels: Path, tmp_path: Path
) -> None:
    """All checksums as good as before, and all addresses those of the one mapping."""
    pan = CryptoPan("secret")
    after = tmp_path / "after.pcap"
    with plt.output_trace(f"pcapfile:{after}") as output:
        for packet in read(tunnels):
            pan.packet(packet)
            output.write_packet(packet)
    status = [f"{layer}.checksum.status" for layer in LAYERS]
    assert fields(tshark, after, *status) == fields(tshark, tunnels, *status)
    ends = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst")
    compared = 0
    for was, now in zip(fields(tshark, tunnels, *ends), fields(tshark, after, *ends), strict=True):
        for old, new in zip(was, now, strict=True):
            wanted = [str(pan.anonymise(from_s(text))) for text in old.split(",") if text]
            assert new == ",".join(wanted)
            compared += len(wanted)
    assert compared > 130
