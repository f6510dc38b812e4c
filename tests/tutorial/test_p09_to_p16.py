"""The tutorial's second half prints what tshark and dnspython say of the same traces.

The expected outputs of the committed traces lie in expected/; confirm_p09_to_p16.py makes them
without our code.  What a script does with what is cut short, sent twice, no DNS, or no IP is
checked on a trace written here, with numbers counted by hand.
"""

import os
import re
import runpy
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confirm_p09_to_p16 import EXPECTED, RUNS, TUTORIAL, Packet, Run, packets_of
from foreign_packets import response_lengths

BY_NAME = [run.name for run in RUNS]
SCRIPTS = {run.name: run.script for run in RUNS if "-" not in run.name}
# Traces of the corpus with tunnels, tags, fragments, IPv6 headers, DNS of several kinds, damage
ODD = (
    "100_packets.erf",
    "10_mpls_ip.pcap",
    "4in4tunnel.pcap",
    "6in4tunnel.pcap",
    "badpackets.pcap",
    "dns_fragmented.pcap",
    "nats.pcap",
    "vlan.pcap",
)

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
TCP, UDP = 6, 17
SYN, ACK = 0x02, 0x10
SERVER, HOST, CLIENT1, CLIENT2 = "192.0.2.10", "192.0.2.11", "198.51.100.1", "198.51.100.2"
AWAY, AUTHORITY = "203.0.113.7", "198.51.100.53"
SERVER6, CLIENT6 = "2001:db8:1::10", "2001:db8:ff::2"
RESPONSE, NXDOMAIN = 0x8000, 0x8003


def packet(src: str, dst: str, proto: int, segment: bytes) -> bytes:
    """An Ethernet frame with an IP packet."""
    if ":" in src:
        header = struct.pack("!IHBB", 6 << 28, len(segment), proto, 64)
        family, ethertype = socket.AF_INET6, IPV6
    else:
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, proto, 0)
        family, ethertype = socket.AF_INET, IPV4
    ends = socket.inet_pton(family, src) + socket.inet_pton(family, dst)
    return bytes(12) + struct.pack("!H", ethertype) + header + ends + segment


def udp(src: str, sport: int, dst: str, dport: int, payload: bytes) -> bytes:
    header = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    return packet(src, dst, UDP, header + payload)


def tcp(
    src: str, sport: int, dst: str, dport: int, seq: int, flags: int, payload: bytes = b""
) -> bytes:
    header = struct.pack("!HHIIBBHHH", sport, dport, seq, 1, 5 << 4, flags, 512, 0, 0)
    return packet(src, dst, TCP, header + payload)


def message(ident: int, flags: int = 0, answer: bytes = b"", authority: bytes = b"") -> bytes:
    """A DNS message that is, or responds to, a question for the address of a.example."""
    counts = (1, bool(answer), bool(authority), 0)
    question = b"\1a\7example\0" + struct.pack("!HH", 1, 1)
    return struct.pack("!6H", ident, flags, *counts) + question + answer + authority


def record(rr_type: int, rdata: bytes) -> bytes:
    """A record of a.example, by a pointer to the question's name."""
    return struct.pack("!HHHIH", 0xC00C, rr_type, 1, 60, len(rdata)) + rdata


def with_length(dns: bytes) -> bytes:
    return struct.pack("!H", len(dns)) + dns


A = record(1, bytes([192, 0, 2, 99]))
NSEC = record(47, b"\1b\0" + b"\0\1\x40")  # the next name is b, and a.example has an A
ASKED = message(1)  # 27 bytes
ANSWERED = message(1, RESPONSE, A)  # 43 bytes
DENIED = message(3, NXDOMAIN, authority=NSEC)  # 45 bytes
ISN = 0xFFFFFFF0  # the server's sequence numbers pass 2**32
BY_TCP = with_length(message(5, RESPONSE, A))  # 45 bytes: the first 17 end before \7example

WRITTEN = [  # packets, each with how many of its bytes are captured
    (udp(CLIENT1, 1001, SERVER, 53, ASKED), 999),
    (udp(SERVER, 53, CLIENT1, 1001, ANSWERED), 999),
    (udp(CLIENT1, 1001, SERVER, 53, message(2)), 999),  # has no answer
    (udp(CLIENT2, 1001, SERVER, 53, message(1)), 999),  # nor this: CLIENT1 had it before
    (udp(CLIENT6, 1001, SERVER6, 53, message(3)), 999),
    (udp(SERVER6, 53, CLIENT6, 1001, DENIED), 999),
    (udp(HOST, 1002, AUTHORITY, 53, message(4)), 999),
    (udp(AWAY, 7, SERVER, 53, b"hello"), 999),  # no DNS
    (bytes(12) + struct.pack("!H", ARP) + bytes(28), 999),
    (udp(CLIENT1, 1001, SERVER, 53, message(6)), 14 + 20 + 8 + 20),  # cut in its question
    (udp(CLIENT1, 1001, SERVER, 53, message(7)), 14 + 20 + 4),  # cut after its ports
    (udp(CLIENT1, 1001, SERVER, 53, message(8)), 14 + 18),  # cut in its destination
    (udp(CLIENT1, 7, AWAY, 9, b""), 999),
    (tcp(CLIENT1, 1003, SERVER, 53, 100, SYN), 999),
    (tcp(SERVER, 53, CLIENT1, 1003, ISN, SYN | ACK), 999),
    (tcp(CLIENT1, 1003, SERVER, 53, 101, ACK, with_length(message(5))), 999),
    (tcp(SERVER, 53, CLIENT1, 1003, 1, ACK, BY_TCP[16:]), 999),  # too early
    (tcp(SERVER, 53, CLIENT1, 1003, ISN + 1, ACK, BY_TCP[:16]), 999),
    (tcp(SERVER, 53, CLIENT1, 1003, ISN + 1, ACK, BY_TCP[:16]), 999),  # once more
    (tcp(SERVER, 53, AWAY, 1004, 7, ACK, b"\xff\xff\0\0"), 999),  # the end of something
]
# With 4 bytes of frame check, UDP packets have 46 bytes more than their payload, 66 with IPv6,
# and TCP packets 58 more.
WRITTEN_OUTPUT = {
    "p09": [
        "packet 1, by UDP",
        "  request 1, QUERY, NOERROR, flags: none",
        "  asks for a.example. A",
        "packet 2, by UDP",
        "  response 1, QUERY, NOERROR, flags: none",
        "  asks for a.example. A",
        "    answer     a.example. 60 A 192.0.2.99",
        "packet 6, by UDP",
        "  response 3, QUERY, NXDOMAIN, flags: none",
        "  asks for a.example. A",
        "    authority  a.example. 60 NSEC b. A",
        "packet 16, by TCP",
        "  request 5, QUERY, NOERROR, flags: none",
        "  asks for a.example. A",
        "20 packets; 1 cut short",
        "6 requests, 2 responses, 6 messages not whole",
    ],
    "p10": [
        "20 packets; 1 cut short",
        "2 responses, 6 messages not whole",
        "DNSSEC RRs in the",
        "authority section      1 responses",
        "answer section         0 responses",
        "any section            1 responses",
        "authority sections hold",
        " 47 NSEC               1",
    ],
    "p11": [
        "20 packets; 1 cut short, 6 messages across the border not whole",
        "2 addresses at home were asked, 2 of them answered",
        "192.0.2.10/32                                4 requests     1 answered    2 clients",
        "2001:db8:1::10/128                           1 requests     1 answered    1 clients",
    ],
    "p12": [
        "20 packets; 1 cut short",
        "192.0.2.10: 4 requests of 2 users; 2 messages not whole",
        "198.51.100.1                                  3",
        "198.51.100.2                                  1",
    ],
    "p13": [  # 43 and 45: each is a deviation from the mean, so the fourth moment is 1, less 3
        "20 packets; 0 cut short",
        "2 responses by UDP; 0 messages not whole",
        "lengths from 43 to 45 bytes",
        "mean 44.0, standard deviation 1.0",
        "quartiles 43.5 44.0 44.5, 95% up to 44.9",
        "skewness 0.000, kurtosis -2.000",
        "longer than  512:    0",
        "longer than 1232:    0",
    ],
    "p14": [
        "packet 1: IP version 4, protocol 17",
        "  from 198.51.100.1 port 1001",
        "  to   192.0.2.10 port 53",
        "  fwd_key 041103e90035c6336401c000020a",
        "  rev_key 0411003503e9c000020ac6336401",
        "packet 5: IP version 6, protocol 17",
        "  from 2001:db8:ff::2 port 1001",
        "  to   2001:db8:1::10 port 53",
        "  fwd_key 061103e9003520010db800ff0000000000000000000220010db8000100000000000000000010",
        "  rev_key 0611003503e920010db800010000000000000000001020010db800ff00000000000000000002",
        "packet 9 (ethertype 0x0806) has no flow: not an IP packet: ethertype 0x0806",
        "packet 12 (ethertype 0x0800) has no flow: Data too short for dst_prefix",
        "packet 14: IP version 4, protocol 6",
        "  from 198.51.100.1 port 1003",
        "  to   192.0.2.10 port 53",
        "  fwd_key 040603eb0035c6336401c000020a",
        "  rev_key 0406003503ebc000020ac6336401",
        "20 packets, 2 of them without a flow",
        "11 keys, 8 flows when both directions count as one",
    ],
    "p15": [
        "20 packets, 19 of them IP; 1 cut short; 8 flows",
        "fwd bytes rev bytes  flow",
        "      145       293  TCP    198.51.100.1 1003 -> 192.0.2.10 53",  # 58+87, 58+87+74+74
        "      292        89  UDP    198.51.100.1 1001 -> 192.0.2.10 53",  # 4 * 73
        "       93       111  UDP    2001:db8:ff::2 1001 -> 2001:db8:1::10 53",
        "       73         0  UDP    198.51.100.2 1001 -> 192.0.2.10 53",
        "       73         0  UDP    192.0.2.11 1002 -> 198.51.100.53 53",
        "       62         0  TCP    192.0.2.10 53 -> 203.0.113.7 1004",
        "       51         0  UDP    203.0.113.7 7 -> 192.0.2.10 53",
        "       46         0  UDP    198.51.100.1 7 -> 203.0.113.7 9",
    ],
    "p16": [
        "20 packets, 19 of them IP; 1 cut short; 1 do not cross the border",
        "7 flows between home and the world",
        " bytes in bytes out  flow",
        "      145       293  TCP    192.0.2.10 53 <-> 198.51.100.1 1003",
        "      292        89  UDP    192.0.2.10 53 <-> 198.51.100.1 1001",
        "       93       111  UDP    2001:db8:1::10 53 <-> 2001:db8:ff::2 1001",
        "       73         0  UDP    192.0.2.10 53 <-> 198.51.100.2 1001",
        "        0        73  UDP    192.0.2.11 1002 <-> 198.51.100.53 53",
        "        0        62  TCP    192.0.2.10 53 <-> 203.0.113.7 1004",
        "       51         0  UDP    192.0.2.10 53 <-> 203.0.113.7 7",
    ],
}


def pcap(path: Path, packets: list[tuple[bytes, int]]) -> str:
    """Write packets, each with how many of its bytes are captured, to PATH; its name."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for second, (data, snap) in enumerate(packets):
        caught = data[:snap]
        parts += [struct.pack("<IIII", second, 0, len(caught), len(data)), caught]
    path.write_bytes(b"".join(parts))
    return str(path)


@pytest.fixture
def output(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., list[str]]:
    """Run a script in this process, as python would; the lines that it prints."""
    monkeypatch.setenv("MPLBACKEND", "Agg")

    def run(script: str, *arguments: str) -> list[str]:
        if script == SCRIPTS["p13"] and len(arguments) == 1:
            arguments = (*arguments, str(tmp_path / "histogram.svg"))
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(TUTORIAL / script), run_name="__main__")
        out, err = capfd.readouterr()
        assert err == ""
        return out.splitlines()

    return run


@pytest.mark.parametrize("run", RUNS, ids=BY_NAME)
def test_output_on_the_committed_trace(run: Run, tmp_path: Path) -> None:
    command = [part.format(image=tmp_path / "x.png") for part in run.command()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stderr == ""
    assert done.stdout == (EXPECTED / f"{run.name}.txt").read_text()
    assert done.returncode == 0


@pytest.fixture(scope="module")
def committed(tshark: str) -> dict[str, list[Packet]]:
    """The committed traces' packets, by tshark."""
    names = {run.trace for run in RUNS}
    return {name: packets_of(TUTORIAL / "traces" / name, tshark) for name in names}


@pytest.mark.parametrize("run", RUNS, ids=BY_NAME)
def test_expected_output_is_what_others_say(run: Run, committed: dict[str, list[Packet]]) -> None:
    pinned = (EXPECTED / f"{run.name}.txt").read_text().splitlines()
    assert list(run.lines(committed[run.trace])) == pinned


@pytest.mark.parametrize("name", SCRIPTS)
def test_output_counted_by_hand(
    name: str, output: Callable[..., list[str]], tmp_path: Path
) -> None:
    uri = pcap(tmp_path / "x.pcap", WRITTEN)
    assert output(SCRIPTS[name], uri) == WRITTEN_OUTPUT[name]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_trace_without_packets(
    name: str, output: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert output(SCRIPTS[name], pcap(tmp_path / "x.pcap", []))[0].startswith("0 packets")


@pytest.mark.parametrize("name", ODD)
def test_output_on_odd_traces_is_what_others_say(
    name: str, output: Callable[..., list[str]], corpus: Path, tshark: str
) -> None:
    path = corpus / "traces" / name
    packets = packets_of(path, tshark)
    for run in RUNS:
        if run.name in SCRIPTS:
            assert output(run.script, str(path)) == list(run.lines(packets)), run.name


def test_home_and_server_may_be_named(output: Callable[..., list[str]], tmp_path: Path) -> None:
    uri = pcap(tmp_path / "x.pcap", WRITTEN)
    # Seen from 198.51.100.0/24 only HOST's question comes in
    assert output(SCRIPTS["p11"], uri, "198.51.100.0/24")[1:] == [
        "1 addresses at home were asked, 0 of them answered",
        "198.51.100.53/32                             1 requests     0 answered    1 clients",
    ]
    assert output(SCRIPTS["p12"], uri, "2001:0db8:1::0010")[1:] == [
        "2001:db8:1::10: 1 requests of 1 users; 0 messages not whole",
        "2001:db8:ff::2                                1",
    ]
    assert output(SCRIPTS["p16"], uri, "2001:db8::/32")[:2] == [
        "20 packets, 19 of them IP; 1 cut short; 18 do not cross the border",
        "0 flows between home and the world",
    ]


def test_only_the_response_to_a_request_answers_it(
    output: Callable[..., list[str]], tmp_path: Path
) -> None:
    packets = [
        (udp(CLIENT1, 1001, SERVER, 53, message(2)), 999),
        (udp(SERVER, 53, CLIENT1, 1001, message(9, RESPONSE)), 999),  # of another number
        (udp(SERVER, 53, CLIENT1, 1002, message(2, RESPONSE)), 999),  # to another port
        (tcp(SERVER, 53, CLIENT1, 1001, 1, ACK, with_length(message(2, RESPONSE))), 999),
        (udp(CLIENT2, 53, SERVER, 53, message(4, RESPONSE)), 999),  # is no request
    ]
    uri = pcap(tmp_path / "x.pcap", packets)
    assert output(SCRIPTS["p11"], uri)[1:] == [
        "1 addresses at home were asked, 0 of them answered",
        "192.0.2.10/32                                1 requests     0 answered    1 clients",
    ]
    assert output(SCRIPTS["p12"], uri)[1:] == [
        "192.0.2.10: 1 requests of 1 users; 0 messages not whole",
        "198.51.100.1                                  1",
    ]


def test_one_length_is_no_distribution(output: Callable[..., list[str]], tmp_path: Path) -> None:
    assert output(SCRIPTS["p13"], pcap(tmp_path / "x.pcap", WRITTEN[1:2])) == [
        "1 packets; 0 cut short",
        "1 responses by UDP; 0 messages not whole",
        "too few different lengths to speak of a distribution",
    ]


@pytest.fixture(scope="module")
def lengths_by_tcp() -> Callable[[str], tuple[list[int], int]]:
    """The function of the recipe for TCP, which reads what p13 leaves out."""
    page = (TUTORIAL.parent / "doc" / "recipes.md").read_text()
    code = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    recipe = next(block for block in code if "def response_lengths(" in block)
    namespace: dict[str, Any] = {}
    exec(code[0] + recipe.partition("\nlengths, unfinished =")[0], namespace)
    return namespace["response_lengths"]


def test_responses_by_tcp_counted_by_hand(
    lengths_by_tcp: Callable[[str], tuple[list[int], int]], tmp_path: Path
) -> None:
    """A response in two segments in the wrong order, one of them twice, past 2**32."""
    assert lengths_by_tcp(pcap(tmp_path / "x.pcap", WRITTEN)) == ([45 - 2], 0)
    hole = [WRITTEN[14], WRITTEN[16]]  # all but the first bytes of it
    assert lengths_by_tcp(pcap(tmp_path / "x.pcap", hole)) == ([], 1)
    assert lengths_by_tcp(pcap(tmp_path / "x.pcap", WRITTEN[15:])) == ([], 0)  # no SYN


def test_responses_by_tcp_are_what_tshark_says(
    lengths_by_tcp: Callable[[str], tuple[list[int], int]], tshark: str
) -> None:
    path = TUTORIAL / "traces" / "dns-1k.pcap.gz"
    wanted = response_lengths(path, tshark)
    assert len(wanted.tcp) > 20
    assert lengths_by_tcp(str(path)) == (wanted.tcp, wanted.unfinished)


def test_histogram_says_what_its_axes_are(output: Callable[..., list[str]], tmp_path: Path) -> None:
    image = tmp_path / "x.svg"
    output(SCRIPTS["p13"], pcap(tmp_path / "x.pcap", WRITTEN), str(image))
    drawn = image.read_text()
    for text in ("length of the message (bytes)", "responses in each 64 bytes"):
        assert f"<!-- {text} -->" in drawn  # what matplotlib draws as outlines it names so


def test_histogram_without_a_screen_says_so(tmp_path: Path) -> None:
    uri = pcap(tmp_path / "x.pcap", WRITTEN)
    command = [sys.executable, str(TUTORIAL / SCRIPTS["p13"]), uri]
    env = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert done.stderr == ""
    last = "no screen to show the histogram on: name a file for it"
    assert done.stdout.splitlines() == [*WRITTEN_OUTPUT["p13"], last]
