"""Programs as users of python-libtrace 1.7 wrote them, run as they are.

Each programs/NAME.py is run on the trace of program_trace.py and must print programs/NAME.expected,
which was worked out by hand from the packets in that file.  test_as_tshark_sees_it() shows that the
trace is what its comments say.
"""

import os
import subprocess
import sys
from pathlib import Path

import packets
import program_trace
import pytest
from packets import ICMP, ICMP6, SCTP, TCP, UDP

FOLDER = Path(__file__).parent / "programs"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py"))
ROOT = Path(__file__).parents[2]

#: Per packet of the trace: the length without frame check, the protocols of IPv4 and IPv6.
SIZES = [42, 74, 62, 60, 72, 154, 54, 54, 75, 120, 98, 98, 74, 74, 70, 70, 78, 110, 82, 56, 58, 58]
SIZES += [94, 54, 64]
PROTOCOLS = [0, *[TCP] * 7, *[UDP] * 4, *[ICMP] * 4, *[ICMP6] * 2, SCTP, *[UDP] * 3, 41, TCP, TCP]

#: Of tshark: check the checksums, and a filter for those that are wrong, and malformed packets.
CHECKED = [
    word for protocol in ("ip", "tcp", "udp") for word in ("-o", f"{protocol}.check_checksum:TRUE")
]
BAD = " || ".join(
    ["_ws.malformed"]
    + [f"{protocol}.checksum.status == 0" for protocol in ("ip", "tcp", "udp", "icmp", "icmpv6")]
)


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    return packets.write(tmp_path / "trace.pcap", packets.pcap(program_trace.records()))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_what_it_should(name: str, trace_file: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "dev", FOLDER / f"{name}.py", trace_file.name],
        cwd=trace_file.parent,
        env={**os.environ, "TZ": "UTC", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (run.stderr, run.returncode) == ("", 0)
    assert run.stdout == (FOLDER / f"{name}.expected").read_text()


def test_every_program_has_its_expected_output() -> None:
    assert len(PROGRAMS) >= 12
    assert sorted(path.stem for path in FOLDER.glob("*.expected")) == PROGRAMS


def tshark(path: Path, *arguments: str) -> list[str]:
    try:
        run = subprocess.run(
            ["tshark", "-n", "-r", path, *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("tshark is not installed")
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_as_tshark_sees_it(trace_file: Path) -> None:
    lines = tshark(
        trace_file, "-T", "fields", "-E", "occurrence=f",
        "-e", "frame.len", "-e", "ip.proto", "-e", "ipv6.nxt",
    )  # fmt: skip
    rows = [line.split("\t") for line in lines]
    assert [int(row[0]) for row in rows] == SIZES
    assert [int(row[1] or row[2] or 0) for row in rows] == PROTOCOLS
    assert [len(record.data) for record in program_trace.records()] == SIZES
    assert tshark(trace_file, *CHECKED, "-Y", BAD) == []


def test_tshark_finds_right_what_a_program_rewrote(trace_file: Path) -> None:
    """The checksums in programs/rewrite.expected are those that tshark shows and finds good."""
    test_a_program_prints_what_it_should("rewrite", trace_file)
    hidden = trace_file.with_name("hidden.pcap")
    assert tshark(hidden, *CHECKED, "-Y", BAD) == []
    lines = tshark(
        hidden, "-Y", "frame.number in {2, 10, 12}", "-T", "fields",
        "-e", "tcp.checksum", "-e", "udp.checksum",
    )  # fmt: skip
    assert [line.strip() for line in lines] == ["0x2088", "0x5d30", "0xa4d5"]
