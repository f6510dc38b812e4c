"""The programs of doc/comparison.md print the same, each with its own library."""

import gzip
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import LINKS, ROOT

PAGE = ROOT / "doc" / "comparison.md"
PROGRAMS = sorted((ROOT / "doc" / "compare").glob("*.py"))
NEEDED = {"columns": "duckdb", "loop": "plt", "flows": "natkit"}

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here")


def shown(task: str) -> str:
    """What the page says that the programs of a task print."""
    section = {"ports": "Bytes by TCP port", "connections": "Connections, with bytes each way"}[
        task
    ]
    found = re.search(rf"^## {section}\n.*?^```text\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert found
    return found[1]


def printed(program: Path, trace: str, folder: Path) -> str:
    """What a program prints in a process of its own."""
    library = program.stem.partition("_")[2]
    if importlib.util.find_spec(NEEDED.get(library, library)) is None:
        pytest.skip(f"{library} is not installed")
    if library == "pyshark" and shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    done = subprocess.run(
        [sys.executable, str(program), trace],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_6in4(port: int) -> int:
    """Bytes of IPv6 packets in IPv4 ones that have a TCP port: tshark's."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    only = f"ip.proto#1 == 41 and tcp.port == {port}"
    words = ["tshark", "-n", "-r", LINKS, "-Y", only, "-T", "fields", "-e", "ipv6.plen"]
    lengths = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return sum(40 + int(length) for length in lengths)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_programs_print_the_same(program: Path, tmp_path: Path) -> None:
    task, _, library = program.stem.partition("_")
    wanted = shown(task)
    found = printed(program, LINKS, tmp_path)
    if (task, library) == ("ports", "nfstream"):
        port, octets = map(int, found.split()[:2])
        assert octets == 792_067  # as the page says
        found = found.replace(f"{port} {octets}", f"{port} {octets - in_6in4(port)}")
    assert found == wanted


def test_the_page_shows_every_program() -> None:
    page = PAGE.read_text()
    assert len(PROGRAMS) == 11
    for program in PROGRAMS:
        assert f"{{literalinclude}} compare/{program.name}\n" in page


def test_nfstream_drops_cut_ipv6(tmp_path: Path) -> None:
    """Of edge-10k.pcap.gz, cut at 80 bytes; dpkt counts it all, and the page says so."""
    pytest.importorskip("nfstream")
    dpkt = pytest.importorskip("dpkt")
    edge = ROOT / "tutorial" / "traces" / "edge-10k.pcap.gz"
    program = tmp_path / "versions.py"
    program.write_text(
        "import sys\n"
        "from nfstream import NFStreamer\n"
        "flows = [f for f in NFStreamer(sys.argv[1], n_dissections=0) if f.protocol == 6]\n"
        "for version in 4, 6:\n"
        "    print(sum(f.bidirectional_packets for f in flows if f.ip_version == version))\n"
    )
    plain = tmp_path / "edge.pcap"
    plain.write_bytes(gzip.decompress(edge.read_bytes()))
    words = [sys.executable, str(program), str(plain)]
    done = subprocess.run(words, env=os.environ, capture_output=True, text=True, check=True)
    v4, v6 = map(int, done.stdout.split())
    there = 0
    with plain.open("rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(data).data
            there += isinstance(ip, dpkt.ip6.IP6) and isinstance(ip.data, dpkt.tcp.TCP)
    assert there == 2740  # tshark's: doc/cli.md
    assert v6 < there / 2
    assert v4 > 4000
