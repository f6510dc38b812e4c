"""The traces that are measured with: made when they are first asked for, and kept in bench/data."""

import gzip
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import make_others
import make_trace

DATA = Path(__file__).resolve().parent / "data"
TUTORIAL = DATA.parents[1] / "tutorial" / "traces"
WHOLE = 65535  # a snap length that no packet reaches


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder of that name, made where it is not there."""
    path = DATA / name
    if not path.exists():
        DATA.mkdir(exist_ok=True)
        part = DATA / f"part-of-{name}"
        make(part)
        part.replace(path)
    return path


def mixed(packets: int, snap: int = make_trace.SNAP) -> Path:
    """TCP and UDP, IPv4 and IPv6, 5,000 flows."""
    uncut = "-uncut" if snap == WHOLE else ""
    name = f"mixed-{packets}{uncut}.pcap"
    return kept(name, lambda path: make_trace.make_trace(path, packets, snap=snap))


def mixed_gz(packets: int) -> Path:
    """The same, compressed."""

    def compress(path: Path) -> None:
        with mixed(packets).open("rb") as plain, gzip.open(path, "wb", 6) as out:
            shutil.copyfileobj(plain, out, 1 << 20)

    return kept(f"mixed-{packets}.pcap.gz", compress)


def mixed_pieces(packets: int, pieces: int = 4) -> Path:
    """The same in files, one after another, in a folder."""

    def split(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        size = 16 + make_trace.SNAP  # of each record: no packet is shorter than the snap length
        with mixed(packets).open("rb") as whole:
            header = whole.read(24)
            for number in range(pieces):
                data = whole.read(packets // pieces * size if number < pieces - 1 else -1)
                (folder / f"{number}.pcap").write_bytes(header + data)

    return kept(f"mixed-{packets}-in-{pieces}", split)


def dns(messages: int) -> Path:
    """Queries and responses over UDP."""
    return kept(f"dns-messages-{messages}.pcap", lambda path: make_others.make_dns(path, messages))


def streams(packets: int) -> Path:
    """Full segments of TCP, in order."""
    return kept(f"streams-{packets}.pcap", lambda path: make_others.make_streams(path, packets))


def many_flows(flows: int) -> Path:
    """A packet of each of so many flows."""
    make = make_others.make_many_flows
    return kept(f"many-flows-{flows}.pcap", lambda path: make(path, flows))


def random_headers(packets: int) -> Path:
    """IPv4 headers with random addresses."""
    make = make_others.make_headers
    return kept(f"headers-{packets}.pcap", lambda path: make(path, packets))


def tutorial_dns() -> Path:
    """A thousand packets of real resolvers and servers, that the tutorial has."""
    return TUTORIAL / "dns-1k.pcap.gz"


def files(path: Path) -> list[Path]:
    """A trace's files: itself, or those of a folder."""
    return sorted(path.iterdir()) if path.is_dir() else [path]


def addresses(path: Path, most: int | None = None) -> bytes:
    """The addresses in a trace of IPv4 headers, 16 bytes each, as columns have them."""
    content = path.read_bytes()
    starts = range(24 + 16 + 12, len(content), 36)
    pairs = (content[at : at + 8] for at in islice(starts, most))
    return b"".join(pair[i : i + 4] + bytes(12) for pair in pairs for i in (0, 4))
