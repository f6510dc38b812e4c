"""The tutorial's first half prints what tshark says of the same traces.

The expected outputs of the committed trace lie in expected/; confirm_with_tshark.py makes
them from tshark's fields alone.  What a script does with packets that are cut short, are no
IP, or are only IPv6 is checked on traces written here, with numbers counted by hand.
"""

import runpy
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from confirm_with_tshark import EXPECTED, RUNS, TUTORIAL, Frame, Run, frames

BY_NAME = {run.name: run for run in RUNS}
SCRIPTS = [run for run in RUNS if not run.arguments]
# Traces of the corpus with tunnels, tags, fragments, odd link layers, cut and damaged packets
ODD = (
    "100_packets.erf",
    "10_mpls_ip.pcap",
    "4in4tunnel.pcap",
    "6in4tunnel.pcap",
    "badpackets.pcap",
    "complex.pcapng",
    "dns_fragmented.pcap",
    "nats.pcap",
    "sll.pcap.gz",
    "vlan.pcap",
)

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
FIN, RST, ACK = 0x01, 0x04, 0x10
HOME1, HOME2, AWAY1, AWAY2 = "192.0.2.1", "192.0.2.2", "198.51.100.1", "203.0.113.1"


def ethernet(ethertype: int, payload: bytes) -> bytes:
    return bytes(12) + struct.pack("!H", ethertype) + payload


def ipv4(src: str, dst: str, proto: int, payload: bytes) -> bytes:
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, proto, 0)
    return ethernet(IPV4, header + socket.inet_aton(src) + socket.inet_aton(dst) + payload)


def ipv6(proto: int, payload: bytes) -> bytes:
    header = struct.pack("!IHBB", 6 << 28, len(payload), proto, 64)
    return ethernet(IPV6, header + bytes(15) + b"\1" + bytes(15) + b"\2" + payload)


def tcp(src_port: int, dst_port: int, flags: int) -> bytes:
    return struct.pack("!HHIIBBHHH", src_port, dst_port, 1, 2, 5 << 4, flags, 512, 0, 0)


def udp(src_port: int, dst_port: int) -> bytes:
    return struct.pack("!HHHH", src_port, dst_port, 8, 0)


def pcap(path: Path, packets: list[tuple[bytes, int]]) -> str:
    """Write packets, each with how many of its bytes are captured, to PATH; its name."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for second, (packet, caught) in enumerate(packets):
        parts += [struct.pack("<IIII", second, 0, caught, len(packet)), packet[:caught]]
    path.write_bytes(b"".join(parts))
    return str(path)


MIXED = [
    (ethernet(ARP, bytes(28)), 42),
    (ethernet(38, bytes.fromhex("424203") + bytes(43)), 60),  # 802.3: a spanning tree message
    (ipv6(6, tcp(50000, 80, FIN | ACK)), 74),
    (ipv4("10.0.0.1", HOME1, 6, tcp(80, 50000, RST | ACK)), 54),
    (ipv4("10.0.0.1", HOME1, 6, tcp(80, 50000, RST | ACK)), 14 + 8),  # cut before its protocol
    (ipv4("10.0.0.1", HOME1, 6, tcp(80, 50000, RST | ACK)), 14 + 18),  # in its destination
    (ipv4(HOME1, AWAY1, 6, tcp(443, 50001, FIN | ACK)), 14 + 20 + 4),  # after its ports
    (ipv4(HOME1, AWAY1, 6, tcp(443, 50001, FIN | ACK)), 14 + 20 + 2),  # between them
    (ipv4(AWAY1, AWAY2, 17, udp(7, 9)), 42),
    (ipv4(AWAY1, AWAY2, 17, udp(7, 9)), 42),
    (ipv4(HOME1, HOME2, 17, udp(7, 9)), 42),
]
MIXED_OUTPUT = {
    "p01": ["11 packets, 484 bytes captured"],
    "p02": [
        "11 packets",
        "0x0026 ?            1",
        "0x0800 IPv4         8",
        "0x0806 ARP          1",
        "0x86dd IPv6         1",
    ],
    "p03": [
        "11 packets: 8 IPv4, 1 IPv6, 2 neither; 1 cut short",
        "  6 TCP                 5",
        " 17 UDP                 3",
    ],
    "p04": [
        "foreign: 198.51.100.1/32    -> 203.0.113.1/32",
        "11 packets, 8 of them IPv4; 2 cut short",
        "home 192.0.2.0/24: 2 leaving, 1 entering, 1 inside, 2 in transit",
    ],
    "p05": ["11 packets, 4 of them TCP; 2 cut short", "1 FIN, 1 RST"],
    "p06": [
        "11 packets, 4 of them TCP; 2 cut short",
        "HTTP:       2 packets      1 FIN      1 RST",
        "other:      0 packets      0 FIN      0 RST",
    ],
    "p07": [  # wire lengths: 74, 54 and 54, each with 4 bytes of frame check
        "11 packets, 4 of them TCP; 1 cut short; 4 ports",
        "port    80        2 packets        136 bytes",
        "port 50000        2 packets        136 bytes",
        "port   443        1 packets         58 bytes",
        "port 50001        1 packets         58 bytes",
    ],
    "p08": [
        "11 packets, 4 of them TCP; 2 cut short; 2 ports",
        "port    80        2 packets     1 FIN     1 RST",
        "port 50000        2 packets     1 FIN     1 RST",
    ],
}
ONLY_IPV6 = [(ipv6(17, udp(1, 53)), 62), (ipv6(17, udp(1, 53)), 14 + 6), (ipv6(58, bytes(8)), 62)]
ONLY_IPV6_OUTPUT = {
    "p01": ["3 packets, 144 bytes captured"],
    "p02": ["3 packets", "0x86dd IPv6         3"],
    "p03": [
        "3 packets: 0 IPv4, 3 IPv6, 0 neither; 1 cut short",
        " 17 UDP                 1",
        " 58 ICMPv6              1",
    ],
    "p04": [
        "3 packets, 0 of them IPv4; 0 cut short",
        "home 192.0.2.0/24: 0 leaving, 0 entering, 0 inside, 0 in transit",
    ],
    "p05": ["3 packets, 0 of them TCP; 0 cut short", "0 FIN, 0 RST"],
    "p06": [
        "3 packets, 0 of them TCP; 0 cut short",
        "HTTP:       0 packets      0 FIN      0 RST",
        "other:      0 packets      0 FIN      0 RST",
    ],
    "p07": ["3 packets, 0 of them TCP; 0 cut short; 0 ports"],
    "p08": ["3 packets, 0 of them TCP; 0 cut short; 0 ports"],
}
WRITTEN = {"mixed": (MIXED, MIXED_OUTPUT), "only-ipv6": (ONLY_IPV6, ONLY_IPV6_OUTPUT)}


@pytest.fixture
def output(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Run a script in this process, as python would; the lines that it prints."""

    def run(script: str, *arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(TUTORIAL / script), run_name="__main__")
        out, err = capfd.readouterr()
        assert err == ""
        return out.splitlines()

    return run


@pytest.mark.parametrize("run", RUNS, ids=BY_NAME)
def test_output_on_the_committed_trace(run: Run, tmp_path: Path) -> None:
    done = subprocess.run(run.command(), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stderr == ""
    assert done.stdout == (EXPECTED / f"{run.name}.txt").read_text()
    assert done.returncode == 0


@pytest.fixture(scope="module")
def edge(tshark: str) -> list[Frame]:
    """The committed trace's packets, by tshark."""
    return list(frames(TUTORIAL / "traces" / "edge-10k.pcap.gz", tshark))


@pytest.mark.parametrize("run", RUNS, ids=BY_NAME)
def test_expected_output_is_what_tshark_says(run: Run, edge: list[Frame]) -> None:
    assert list(run.lines(edge)) == (EXPECTED / f"{run.name}.txt").read_text().splitlines()


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("run", SCRIPTS, ids=lambda run: run.name)
def test_output_counted_by_hand(
    run: Run, written: str, output: Callable[..., list[str]], tmp_path: Path
) -> None:
    packets, expected = WRITTEN[written]
    assert output(run.script, pcap(tmp_path / "x.pcap", packets)) == expected[run.name]


@pytest.mark.parametrize("run", SCRIPTS, ids=lambda run: run.name)
def test_a_trace_without_packets(
    run: Run, output: Callable[..., list[str]], tmp_path: Path
) -> None:
    first = [line for line in output(run.script, pcap(tmp_path / "x.pcap", [])) if "pack" in line]
    assert first[0].startswith("0 packets")


@pytest.mark.parametrize("name", ODD)
def test_output_on_odd_traces_is_what_tshark_says(
    name: str,
    output: Callable[..., list[str]],
    corpus: Path,
    tshark: str,
) -> None:
    path = corpus / "traces" / name
    packets = list(frames(path, tshark))
    for run in SCRIPTS:
        assert output(run.script, str(path)) == list(run.lines(packets)), run.name
