"""natkit.streams() against tshark, which follows TCP streams and puts messages together itself."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import natkit

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "tutorial" / "traces"
#: What tshark writes for bytes that are missing.
MISSING = re.compile(rb"\[\d+ bytes missing in capture file\]\.?\0?")
#: Traces of the corpus that have TCP, but not all within tunnels.
CORPUS = ["1kxun.pcap", "8021x.pcap", "EAQ.pcap", "WebattackSQLinj.pcap", "ajp.pcap"]

Followed = tuple[tuple[str, int], tuple[str, int], bytes, bytes]


def tshark(path: Path, *arguments: str) -> str:
    run = subprocess.run(
        ["tshark", "-n", "-r", str(path), *arguments], capture_output=True, text=True, check=False
    )
    return run.stdout


def node(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


def followed(path: Path, count: int) -> Iterator[Followed]:
    """The first streams of a trace: both ends, and what each sent, as tshark follows them."""
    each = (word for i in range(count) for word in ("-z", f"follow,tcp,raw,{i}"))
    for part in tshark(path, "-q", *each).split("Follow: tcp,raw")[1:]:
        lines = part.splitlines()
        ends = [node(line.split(": ", 1)[1]) for line in lines if line.startswith("Node ")]
        sent: list[bytes] = [b"", b""]
        for line in lines:
            if re.fullmatch(r"\t?[0-9a-f]+", line):
                sent[line.startswith("\t")] += bytes.fromhex(line.strip())
        yield ends[0], ends[1], sent[0], sent[1]


def without_gaps(way: natkit.StreamWay) -> bytes:
    data = way.data
    for start, length in reversed(way.gaps):
        data = data[:start] + data[start + length :]
    return data


def ours(path: Path) -> list[Followed]:
    """The same of natkit.streams(), one that begins first before others."""
    found = sorted(
        natkit.streams(path, idle_timeout=1e8, way_limit=1 << 30), key=lambda s: s.first_time_ns
    )
    return [
        (
            (str(s.src_prefix), s.src_port),
            (str(s.dst_prefix), s.dst_port),
            without_gaps(s.fwd),
            without_gaps(s.rev),
        )
        for s in found
    ]


def compared(streams: list[Followed]) -> list[tuple[frozenset[tuple[str, int]], bytes, bytes]]:
    """Without those that carry nothing, and no matter which end comes first."""
    out = []
    for one, other, *both in streams:
        sent, received = (MISSING.sub(b"", data) for data in (both if one <= other else both[::-1]))
        if sent or received:
            out.append((frozenset((one, other)), sent, received))
    return sorted(out, key=lambda stream: (sorted(stream[0]), stream[1:]))


def stream_count(path: Path) -> int:
    """How many TCP streams tshark finds; in tunnels there may be several in a packet."""
    numbers = tshark(path, "-T", "fields", "-e", "tcp.stream").replace(",", "\n").split()
    return max(map(int, numbers)) + 1


def test_the_dns_trace() -> None:
    path = TUTORIAL / "dns-1k.pcap.gz"
    count = stream_count(path)
    assert count == 22
    assert compared(ours(path)) == compared(list(followed(path, count)))


def test_the_edge_trace() -> None:
    """Its packets are cut.  Of those that come out of order tshark leaves some out."""
    path = TUTORIAL / "edge-10k.pcap.gz"
    mine = compared(ours(path))
    theirs = compared(list(followed(path, stream_count(path))))
    assert [stream[0] for stream in mine] == [stream[0] for stream in theirs]
    differ = [(one, other) for one, other in zip(mine, theirs, strict=True) if one != other]
    assert len(differ) == 3
    for one, other in differ:
        assert len(one[1]) >= len(other[1])
        assert len(one[2]) >= len(other[2])


@pytest.mark.parametrize("name", CORPUS)
def test_traces_of_the_corpus(name: str, corpus: Path) -> None:
    path = corpus / "traces" / name
    assert compared(ours(path)) == compared(list(followed(path, stream_count(path))))
