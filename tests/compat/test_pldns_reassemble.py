"""pldns.columns(reassemble=True) against tshark, which puts messages together too."""

import subprocess
from pathlib import Path

import pytest

import pldns

pytest.importorskip("numpy")

ROOT = Path(__file__).resolve().parents[2]
FIELDS = ("frame.time_epoch", "dns.id", "dns.flags.response", "dns.count.answers")
AT_PORT = "dns && (udp.port == 53 || tcp.port == 53)"

Message = tuple[int, int, bool, int]


def by_tshark(path: Path) -> list[Message]:
    """Time of the packet that made it whole, identifier, whether a response, answers."""
    command = ["tshark", "-n", "-r", str(path), "-Y", AT_PORT, "-T", "fields"]
    for preference in ("ip.defragment:TRUE", "tcp.reassemble_out_of_order:TRUE"):
        command += ["-o", preference]
    for field in FIELDS:
        command += ["-e", field]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    out = []
    for line in printed.splitlines():
        time, *rest = line.split("\t")
        seconds, _, fraction = time.partition(".")
        nanoseconds = int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
        for ident, flag, answers in zip(*(field.split(",") for field in rest), strict=True):
            is_response = flag in ("1", "True")
            out.append((nanoseconds, int(ident, 16), is_response, int(answers)))
    return sorted(out)


def ours(path: Path) -> list[Message]:
    names = ["time", "id", "qr", "ancount"]
    table = pldns.columns(path, names, reassemble=True).table()
    columns = [table[name].view("int64") if name == "time" else table[name] for name in names]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_the_tutorials_trace() -> None:
    path = ROOT / "tutorial" / "traces" / "dns-1k.pcap.gz"
    found = ours(path)
    assert len(found) == 796
    assert found == by_tshark(path)


def test_fragments(corpus: Path) -> None:
    path = corpus / "traces" / "dns_fragmented.pcap"
    assert ours(path) == by_tshark(path)
