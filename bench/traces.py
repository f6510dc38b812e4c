"""The traces that are measured with: made when they are first asked for, and kept in bench/data."""

import gzip
import lzma
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import make_dns
import make_others
import make_real
import make_trace

DATA = Path(__file__).resolve().parent / "data"
TUTORIAL = DATA.parents[1] / "tutorial" / "traces"
WHOLE = 65535  # a snap length that no packet reaches
RECORD = 16 + make_trace.SNAP  # bytes of each in `mixed`: no packet is shorter than the snap length
CHUNK = 1 << 20  # bytes copied at once


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
    """TCP and UDP, IPv4 and IPv6, 5,000 flows, records of one length."""
    uncut = "-uncut" if snap == WHOLE else ""
    name = f"mixed-{packets}{uncut}.pcap"
    return kept(name, lambda path: make_trace.make_trace(path, packets, snap=snap))


def real(packets: int) -> Path:
    """Whole packets of many kinds."""
    return kept(f"real-{packets}.pcap", lambda path: make_real.make_real(path, packets))


def mixed_as(packets: int, suffix: str) -> Path:
    """`mixed` in another format: pcapng, or compressed."""
    source = mixed(packets)
    name = f"mixed-{packets}.{'pcapng' if suffix == 'pcapng' else f'pcap.{suffix}'}"
    return kept(name, lambda path: FORMATS[suffix](source, path))


def to_gz(source: Path, path: Path) -> None:
    with source.open("rb") as plain, gzip.open(path, "wb", 6) as out:
        shutil.copyfileobj(plain, out, CHUNK)


def to_xz(source: Path, path: Path) -> None:
    with source.open("rb") as plain, lzma.open(path, "wb", preset=2) as out:
        shutil.copyfileobj(plain, out, CHUNK)


def to_zst(source: Path, path: Path) -> None:
    subprocess.run(["zstd", "-q", "-f", source, "-o", path], check=True)


def to_pcapng(source: Path, path: Path) -> None:
    """A section, an interface of Ethernet with microseconds, and a block for each packet."""
    with source.open("rb") as plain, path.open("wb") as out:
        snap, link = struct.unpack("<16xII", plain.read(24))
        out.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
        out.write(struct.pack("<IIHHII", 1, 20, link, 0, snap, 20))
        while head := plain.read(16):
            seconds, micros, captured, wire = struct.unpack("<IIII", head)
            data = plain.read(captured).ljust((captured + 3) // 4 * 4, b"\0")
            high, low = divmod(seconds * 1_000_000 + micros, 1 << 32)
            size = 32 + len(data)
            out.write(struct.pack("<IIIIIII", 6, size, 0, high, low, captured, wire) + data)
            out.write(struct.pack("<I", size))


FORMATS = {"pcapng": to_pcapng, "gz": to_gz, "xz": to_xz, "zst": to_zst}


def mixed_pieces(packets: int, pieces: int = 4) -> Path:
    """`mixed` in files, one after another, in a folder."""

    def split(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        with mixed(packets).open("rb") as whole:
            header = whole.read(24)
            for number in range(pieces):
                data = whole.read(packets // pieces * RECORD if number < pieces - 1 else -1)
                (folder / f"{number:05}.pcap").write_bytes(header + data)

    return kept(f"mixed-{packets}-in-{pieces}", split)


def larger(packets: int, size: int) -> Path:
    """`real` over and over, until the file is larger than so many bytes."""

    def repeat(path: Path) -> None:
        with real(packets).open("rb") as once, path.open("wb") as out:
            out.write(once.read(24))
            while out.tell() < size:
                once.seek(24)
                shutil.copyfileobj(once, out, CHUNK)

    return kept("larger-than-memory.pcap", repeat)


def dns(messages: int) -> Path:
    """Queries and responses over UDP."""
    return kept(f"dns-{messages}.pcap", lambda path: make_dns.make_dns(path, messages))


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


def packets_of_mixed(path: Path) -> int:
    """How many a trace has whose records are all of the length of `mixed`."""
    return (path.stat().st_size - 24) // RECORD


def read_through(path: Path) -> None:
    """So that a trace is in memory from here on."""
    for one in files(path):
        with one.open("rb", buffering=0) as file:
            while file.read(CHUNK):
                pass


def room() -> int:
    """Bytes that are free on the disk of the traces."""
    DATA.mkdir(exist_ok=True)
    return shutil.disk_usage(DATA).free


def memory() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def addresses(path: Path, most: int | None = None) -> bytes:
    """The addresses in a trace of IPv4 headers, 16 bytes each, as columns have them."""
    content = path.read_bytes()
    starts = range(24 + 16 + 12, len(content), 36)
    pairs = (content[at : at + 8] for at in islice(starts, most))
    return b"".join(pair[i : i + 4] + bytes(12) for pair in pairs for i in (0, 4))
