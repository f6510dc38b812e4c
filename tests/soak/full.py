"""Writes to a disk that is full after each possible block, in every format.

    python full.py [--step BYTES]

What `make soak` calls.  The disk is a small tmpfs of each size where this process may mount one
(root), which says "No space left on device"; else, and for every step of bytes, a limit on the size
of files, which says "File too large".  What is written has to be whole, or an exception has to name
it; and what is there has to be the packets from the first on.
"""

import argparse
import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent)]

import packets as made  # noqa: E402

import plt  # noqa: E402

COUNT = 150
BLOCK = os.sysconf("SC_PAGE_SIZE")

#: The file's names, and whether a part of such a file can be read to its end.
FILES = {
    "a.pcap": True,
    "a.pcapng": True,
    "a.erf": True,
    "a.pcap.gz": True,
    "a.erf.gz": True,
    "a.pcap.bz2": False,
    "a.pcap.xz": False,
    "a.pcap.zst": False,
    "a.pcap.lz4": False,
    "a.csv": False,
    "a.parquet": False,
}


def source(folder: Path) -> Path:
    """A trace that compresses badly, whose packets end with their number."""
    dice = random.Random(5)
    data = [dice.randbytes(dice.randrange(20, 1000)) + n.to_bytes(2, "big") for n in range(COUNT)]
    records = [made.ethernet(made.ipv4(made.udp(one))) for one in data]
    return made.write(folder / "source.pcap", made.pcap(records))


def write(path: Path, packets: list[plt.packet], table: plt.Table) -> str:
    """Write a file; what went wrong, "" for nothing."""
    try:
        if path.suffix == ".csv":
            table.write_csv(path)
        elif path.suffix == ".parquet":
            table.write_parquet(path)
        else:
            write_trace(path, packets)
    except (plt.LibtraceError, OSError) as error:
        return str(error) or repr(error)
    return ""


def write_trace(path: Path, packets: list[plt.packet]) -> None:
    output = plt.output_trace(path)
    output.start_output()
    try:
        for one in packets:
            output.write_packet(one)
    finally:
        output.close_output()
        output.close_output()


def numbers(path: Path) -> tuple[list[int], str]:
    """The numbers of a trace's packets, and the error that it ends with."""
    found: list[int] = []
    try:
        with plt.trace(path) as trace:
            found.extend(int.from_bytes(bytes(one.udp.payload)[-2:], "big") for one in trace)
    except plt.LibtraceError as error:
        return found, str(error)
    return found, ""


def problems(path: Path, error: str, reason: str, whole: bytes) -> Iterator[str]:
    """What is not as it should be after a file was written."""
    content = path.read_bytes() if path.exists() else b""
    if not error and content != whole:
        yield f"nothing is said, and {len(content)} of {len(whole)} bytes are there"
    if error and reason not in error:
        yield f"says {error!r}"
    if not error or path.suffix in (".csv", ".parquet"):
        return
    found, damage = numbers(path)
    if found != list(range(len(found))):
        yield f"has packets {found}"
    if FILES[path.name] and damage and content and "no format" not in damage:
        yield f"can't be read to its end: {damage}"


def limits(size: int, step: int) -> range:
    """A size for each place where a file of this size may be cut."""
    return range(0, size + step, step)


@contextlib.contextmanager
def small_files(_: Path, limit: int) -> Iterator[str]:
    """Files that can't grow beyond a limit; why."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield "File too large"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def small_disk(folder: Path, limit: int) -> Iterator[str]:
    """A disk of some blocks, filled up to a limit; why nothing more fits."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={limit + BLOCK}", "full", folder], check=True
    )
    try:
        (folder / "others").write_bytes(bytes(BLOCK))  # a size of 0 would be no limit
        yield "No space left on device"
    finally:
        subprocess.run(["umount", folder], check=True)


Place = Callable[[Path, int], contextlib.AbstractContextManager[str]]


def tried(folder: Path, place: Place, step: int, tally: Counter[str]) -> Iterator[str]:
    """Write every file to a disk of every size."""
    trace = source(folder)
    packets = made.read(trace)
    table = plt.columns(trace).table()
    room = folder / "disk"
    room.mkdir()
    for name in FILES:
        good = folder / name
        assert not write(good, packets, table)
        whole = good.read_bytes()
        for limit in limits(len(whole), step):
            path = room / name
            files = len(os.listdir("/proc/self/fd"))
            with place(room, limit) as reason:
                error = write(path, packets, table)
                found = list(problems(path, error, reason, whole))
                path.unlink(missing_ok=True)
            tally[name] += 1
            if len(os.listdir("/proc/self/fd")) > files:
                found.append("a file is left open")
            yield from (f"{name} on {limit} bytes: {one}" for one in found)
    room.rmdir()


def may_mount() -> bool:
    """Whether this process may mount a disk of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=4096", "full", folder]
        try:
            if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
                return False
        except FileNotFoundError:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", type=int, default=512, help="of the limit on files, in bytes")
    options = parser.parse_args()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    places: list[tuple[str, Place, int]] = [("a limit on files", small_files, options.step)]
    if may_mount():
        places.append(("a full tmpfs", small_disk, BLOCK))
    else:
        print("no tmpfs of each size: this process may not mount one")
    wrong = 0
    for name, place, step in places:
        tally: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            for one in tried(Path(folder), place, step, tally):
                wrong += 1
                if wrong <= 40:
                    print(one, flush=True)
        print(f"{name}: {tally.total():,} files, in steps of {step} bytes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
