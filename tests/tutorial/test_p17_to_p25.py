"""The tutorial's third part prints what tshark, SQLite and plain loops say of the same traces.

The expected outputs of the committed traces lie in expected/; confirm_p17_to_p25.py makes them
without our code.  Further numbers are counted by hand on traces that are written here.
"""

import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import packets
import pytest
from confirm_p17_to_p25 import EXPECTED, RUNS, TUTORIAL, Run
from foreign_tables import p17, p18, p19, p20, p22, seen
from live import on_lo
from packets import Record

for module in ("numpy", "pyarrow", "duckdb"):
    pytest.importorskip(module)

BY_NAME = [run.name for run in RUNS]
SCRIPTS = {run.name: run.script for run in RUNS if "-" not in run.name}
# Traces of the corpus with tunnels, tags, fragments, damage, many connections
ODD = (
    "10_mpls_ip.pcap",
    "4in4tunnel.pcap",
    "6in4tunnel.pcap",
    "badpackets.pcap",
    "dns_fragmented.pcap",
    "iphone.pcap",
    "nats.pcap",
    "skype_no_unknown.pcap",
    "vlan.pcap",
    "zoom.pcap",
)


HOST, SERVER, AWAY, FAR = "192.0.2.10", "198.51.100.1", "203.0.113.7", "203.0.113.8"
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
MS = 1000  # microseconds: what the fraction of a pcap file's time counts


def segment(
    at: int, src: str, sport: int, dst: str, dport: int, flags: int, seq: int = 0, size: int = 0
) -> Record:
    """A TCP packet at so many milliseconds."""
    data = packets.tcp(bytes(size), ports=(sport, dport), seq=seq, flags=flags)
    frame = packets.ethernet(packets.ipv4(data, packets.TCP, src=src, dst=dst))
    return Record(frame, at // 1000, at % 1000 * MS)


def datagram(at: int, src: str, sport: int, dst: str, dport: int, payload: bytes = b"") -> Record:
    """A UDP packet at so many milliseconds."""
    data = packets.udp(payload, ports=(sport, dport))
    frame = packets.ethernet(packets.ipv4(data, packets.UDP, src=src, dst=dst))
    return Record(frame, at // 1000, at % 1000 * MS)


def message(ident: int, flags: int = 0, name: bytes = b"\1a") -> bytes:
    """A DNS message with a question for an address below example (RFC 1035 section 4.1)."""
    header = struct.pack("!6H", ident, flags, 1, 0, 0, 0)
    return header + name + b"\7example\0" + struct.pack("!HH", 1, 1)


@pytest.fixture
def output(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., list[str]]:
    """Run a program in this process on records, or on a path; the lines that it prints."""

    def run(name: str, trace: list[Record] | Path, *arguments: str) -> list[str]:
        if isinstance(trace, list):
            path = tmp_path / "x.pcap"
            path.write_bytes(packets.pcap(trace))
            # p24 takes a folder
            trace = tmp_path if name == "p24" else path
        monkeypatch.setattr(sys, "argv", [SCRIPTS[name], str(trace), *arguments])
        runpy.run_path(str(TUTORIAL / SCRIPTS[name]), run_name="__main__")
        out, err = capfd.readouterr()
        assert err == ""
        return out.splitlines()

    return run


@pytest.mark.parametrize("run", RUNS, ids=BY_NAME)
def test_output_on_the_committed_trace(run: Run, tmp_path: Path) -> None:
    done = subprocess.run(
        run.command(tmp_path), capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stderr == ""
    assert done.stdout == (EXPECTED / f"{run.name}.txt").read_text()
    assert done.returncode == 0


@pytest.mark.usefixtures("tshark")
@pytest.mark.parametrize("run", RUNS, ids=BY_NAME)
def test_expected_output_is_what_others_say(run: Run, tmp_path: Path) -> None:
    if run.name == "p23":  # what is looked at are the files that it writes
        subprocess.run(run.command(tmp_path), stdout=subprocess.DEVNULL, check=True)
    pinned = run.of((EXPECTED / f"{run.name}.txt").read_text())
    assert list(run.lines(tmp_path)) == pinned.splitlines()


NOTHING = {
    "p17": "0 packets: 0 IPv4, 0 IPv6, 0 neither; 0 cut short",
    "p18": "0 packets, 0 of them come in, 0 go out",
    "p19": "0 packets, 0 of them IP; 0 cut short; 0 flows",
    "p20": "0 packets; 0 connections, 0 servers",
    "p21": "0 messages: 0 queries, 0 of them answered",
    "p22": "0 packets; 0 addresses of the world began something at home",
    "p23": "           packets  of home  addresses  with names  MACs  times and lengths",
    "p24": "1 traces, 7 columns",
    "p25": "   0.0 s      0 packets         0 bytes     0 flows active     0 ended",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_trace_without_packets(name: str, output: Callable[..., list[str]]) -> None:
    assert output(name, [])[0] == NOTHING[name]


def test_a_folder_without_traces(output: Callable[..., list[str]], tmp_path: Path) -> None:
    assert output("p24", tmp_path) == ["0 traces, 7 columns"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_packets_cut_within_their_headers(name: str, output: Callable[..., list[str]]) -> None:
    """At every length: nothing but p17 says how many are cut, and none of the others fails."""
    whole = packets.ethernet(packets.ipv4(packets.tcp(b"x"), packets.TCP, src=AWAY, dst=HOST))
    cut = [Record(whole[:n], n, 0, len(whole)) for n in range(len(whole))]
    lines = output(name, cut)
    assert lines
    if name == "p17":
        # The protocol is byte 9 of IPv4's header, and the ports are its bytes 20 to 24
        first = 14 + 1
        assert lines[0] == f"55 packets: {55 - first} IPv4, 0 IPv6, {first} neither; 9 cut short"
        assert "55 packets, 19 of them TCP; 2 cut short; 2 ports" in lines


@pytest.mark.parametrize("name", ODD)
def test_output_on_odd_traces_is_what_others_say(
    name: str, output: Callable[..., list[str]], corpus: Path, tshark: str
) -> None:
    path = corpus / "traces" / name
    rows = seen(path, tshark)
    for of, lines in (("p17", p17), ("p18", p18), ("p19", p19), ("p20", p20), ("p22", p22)):
        assert output(of, path) == list(lines(rows)), of


def test_rates_of_another_home(output: Callable[..., list[str]]) -> None:
    """Each packet is 14 + 20 + 8 bytes, and 4 of frame check; seconds count from the first."""
    trace = [
        datagram(1500, AWAY, 1, FAR, 2),
        datagram(2400, AWAY, 1, HOST, 2, b"ab"),
        datagram(2499, HOST, 1, AWAY, 2),
        datagram(4500, FAR, 1, AWAY, 2),
        datagram(4600, SERVER, 1, HOST, 2),
    ]
    assert output("p18", trace, "203.0.113.0/24") == [
        "5 packets, 1 of them come in, 1 go out",
        "46 bytes in, 48 bytes out",
        "busiest: second 0 in, second 0 out",
        "second  bytes in bytes out",
        "     0        46        48",
        "     3         0         0",
    ]


def connection(at: int, server: str, network: int, wait: int, again: int = 0) -> list[Record]:
    """A handshake that takes `network` ms, and a request that the server thinks about for `wait`.

    The last byte of the request is sent once more `again` times; data are 2 bytes each way.
    """
    client = (HOST, 40000 + at % 1000)
    there, back = (*client, server, 80), (server, 80, *client)
    asked = at + network
    answered = asked + network + wait
    return [
        segment(at, *there, SYN, 10),
        segment(asked, *back, SYN | ACK, 20),
        segment(asked, *there, ACK, 11, 2),
        *(segment(asked, *there, ACK, 11, 2) for _ in range(again)),
        segment(answered, *back, ACK, 21, 2),
    ]


def test_what_is_slow(output: Callable[..., list[str]]) -> None:
    trace = [
        *connection(1, SERVER, 100, 5),
        *connection(1002, SERVER, 140, 7),
        *connection(2003, SERVER, 120, 3),
        *connection(3004, AWAY, 10, 500),
        *connection(4005, AWAY, 20, 300),
        *connection(5006, FAR, 10, 1, again=1),  # 1 of 5
        segment(9000, HOST, 1, FAR, 443, SYN, 5),  # has no answer
        segment(9001, HOST, 2, FAR, 443, SYN, 5),
        segment(9002, FAR, 443, HOST, 2, RST | ACK, 0),  # nor this
    ]
    assert output("p20", trace) == [
        "28 packets; 6 connections, 3 servers",
        "connections  network  server ms  again  slowest part  server",
        f"          3    120.0        5.0   0.0%  network       {SERVER} 80",
        f"          2     15.0      400.0   0.0%  server        {AWAY} 80",
        f"          1     10.0        1.0  20.0%  loss          {FAR} 80",
    ]


def test_who_asks_in_vain(output: Callable[..., list[str]]) -> None:
    response = 0x8000
    trace = [
        datagram(0, AWAY, 1000, HOST, 53, message(1)),
        datagram(30, HOST, 53, AWAY, 1000, message(1, response)),
        datagram(40, AWAY, 1000, HOST, 53, message(2)),
        datagram(50, HOST, 53, AWAY, 1000, message(2, response, b"\1b")),  # another question's
        datagram(60, FAR, 1000, HOST, 53, message(3)),
        datagram(70, HOST, 53, FAR, 1000, message(3, response)),
        *(datagram(100 + n, FAR, 1000, f"192.0.2.{20 + n}", 53, message(4)) for n in range(3)),
        datagram(200, HOST, 1000, SERVER, 53, message(5)),
        datagram(290, SERVER, 53, HOST, 1000, message(5, response)),
    ]
    assert output("p21", trace) == [
        "11 messages: 7 queries, 3 of them answered",
        "answers  median ms  95% ms   max ms  server",
        "      2       20.0    29.0     30.0  192.0.2.10",
        "      1       90.0    90.0     90.0  198.51.100.1",
        "3 hosts at home are asked and never answer, 1 do",
        "hosts asked  silent  queries unanswered  client",
        "          4       3                   3  203.0.113.8",
        "          1       0                   1  203.0.113.7",
    ]


def test_who_tries_doors(output: Callable[..., list[str]]) -> None:
    scan = [segment(n, AWAY, 999, HOST, 20 + n, SYN) for n in range(6)]
    scan += [segment(10 + n, HOST, 20 + n, AWAY, 999, RST | ACK) for n in range(5)]
    scan += [segment(20, HOST, 25, AWAY, 999, SYN | ACK)]
    sweep = [datagram(30 + n, FAR, 999, f"192.0.2.{n + 1}", 161) for n in range(5)]
    both = [segment(40 + n, SERVER, 1, f"192.0.2.{n % 2 + 1}", n, SYN) for n in range(7)]
    # Neither who is asked, nor who tries four, nor what passes by, is a scanner
    asked = [datagram(50 + n, HOST, n + 1, "198.51.100.9", 53) for n in range(9)]
    asked += [datagram(60 + n, "198.51.100.9", 53, HOST, n + 1) for n in range(9)]
    few = [datagram(70 + n, "198.51.100.8", 1, HOST, n) for n in range(4)]
    transit = [datagram(80 + n, AWAY, 1, FAR, n) for n in range(9)]
    assert output("p22", [*scan, *sweep, *both, *asked, *few, *transit]) == [
        "55 packets; 4 addresses of the world began something at home",
        "3 of them tried 5 doors or more that did not open",
        "doors  open  kind      address",
        f"    7     0  both      {SERVER}",
        f"    6     1  one host  {AWAY}",
        f"    5     0  one port  {FAR}",
    ]


def test_the_shared_files_have_no_address_of_home(
    output: Callable[..., list[str]], tmp_path: Path
) -> None:
    """An A record tells the address of a host at home: only clearing the payload hides it."""
    host = socket.inet_aton(HOST)
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + host
    answer = message(1, 0x8000)[:6] + b"\0\1" + message(1)[8:] + record
    trace = [
        datagram(0, AWAY, 1000, HOST, 53, message(1)),
        datagram(9, HOST, 53, AWAY, 1000, answer),
    ]
    lines = output("p23", trace, str(tmp_path))
    assert lines[1:] == [
        "as it was        2        2          2           2     2  2 as before",
        "addresses        2        0          2           2     2  2 as before",
        "cleared          2        0          2           0     2  2 as before",
    ]
    assert (tmp_path / "x.pcap").read_bytes().count(host) == 3
    assert (tmp_path / "addresses.pcapng").read_bytes().count(host) == 1
    assert (tmp_path / "cleared.pcapng").read_bytes().count(host) == 0


def test_a_trace_of_several_link_types_is_shared(
    output: Callable[..., list[str]], tmp_path: Path
) -> None:
    """As pcapng holds: Ethernet, and a packet without a link layer."""
    data = packets.ipv4(packets.udp(message(1), ports=(1000, 53)), packets.UDP, src=HOST, dst=AWAY)
    blocks = [packets.section(), packets.interface(), packets.interface(packets.RAW)]
    blocks += [packets.enhanced(packets.ethernet(data)), packets.enhanced(data, 1, on=1)]
    path = packets.write(tmp_path / "mixed.pcapng", b"".join(blocks))
    lines = output("p23", path, str(tmp_path))
    # the first twelve bytes of IPv4 are taken for two more MAC addresses
    assert [line.split()[-8:-3] for line in lines[1:2]] == [["2", "2", "2", "2", "4"]]
    assert [line.split()[1:3] for line in lines[2:]] == [["2", "0"]] * 2
    assert all(line.endswith("2 as before") for line in lines[1:])


def test_the_parquet_files_stay_where_they_are_wanted(
    output: Callable[..., list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "parquet"
    out.mkdir()
    (tmp_path / "day-2.pcap").write_bytes(packets.pcap([datagram(0, AWAY, 7, HOST, 53)] * 3))
    lines = output("p24", [segment(0, HOST, 80, AWAY, 7, SYN | ACK)], str(out))
    assert lines[:4] == [
        "2 traces, 7 columns",
        "What is in which file?  file  packets  bytes  seconds",
        "    day-2  3  138  0",  # 3 * (14 + 20 + 8 + 4)
        "    x  1  58  0",
    ]
    assert lines[-2:] == ["What answers to a SYN?  file  port  packets", "    x  80  1"]
    assert sorted(path.name for path in out.iterdir()) == ["day-2.parquet", "x.parquet"]


# --- p25 live ---------------------------------------------------------------------------------


def watch(uri: str, *seconds: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(TUTORIAL / SCRIPTS["p25"]), uri, *seconds]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_reports_come_while_the_pipe_is_open() -> None:
    """A flow of 3 packets ends 5 seconds after its last one; the next report is one for all."""
    times = [0, 1000, 2000, 12_000, 47_000]
    ends = (AWAY, 1, HOST, 2)
    content = packets.pcap([datagram(at, *ends) for at in times[:4]])
    with watch("pcapfile:-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(content)
        process.stdin.flush()
        lines = [process.stdout.readline().decode() for _ in range(2)]
        last = packets.pcap([datagram(times[4], *ends)])[24:]
        rest, err = process.communicate(last)
    assert err == b""
    flow = f"UDP {AWAY} port 1 to {HOST} port 2"
    assert [*lines, *rest.decode().splitlines(keepends=True)] == [
        "  12.0 s      3 packets       138 bytes     1 flows active     0 ended\n",
        f"         largest active: {flow}: 3 packets, 138 bytes\n",
        "  47.0 s      1 packets        46 bytes     1 flows active     1 ended\n",
        f"         largest active: {flow}: 1 packets, 46 bytes\n",
        "  47.0 s      1 packets        46 bytes     1 flows active     1 ended\n",
        f"         largest active: {flow}: 1 packets, 46 bytes\n",
    ]


@on_lo
def test_live_until_ctrl_c() -> None:
    done = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.1", 0))
            while not done.wait(0.01):
                sender.sendto(b"x" * 7, ("127.0.0.1", 9))

    sending = threading.Thread(target=send)
    sending.start()
    try:
        with watch("int:lo", "0.1") as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(4)]
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate()
    finally:
        done.set()
        sending.join()
    assert err == b""
    reports = [float(line.split()[0]) for line in lines if b" ended" in line]
    assert reports == sorted(reports)
    assert len(reports) > 1
    assert rest.startswith(b"interrupted\n") or b"\ninterrupted\n" in rest
    assert b" flows active" in rest.rpartition(b"interrupted")[2]
