"""Crypto-PAn against libtrace's traceanon, with the same key on the same trace.

    python bench/cryptopan.py [--packets N] [--rounds N]

Packets: traceanon's whole run; and a loop that reads, anonymises and writes every packet, in a
Python of its own, start and imports included.  Addresses: traceanon on a trace of IPv4 headers with
random addresses, less what it takes to copy that trace; and CryptoPan on the same addresses as an
array, and IPv6 ones beside.  All take turns; the medians are printed, and of each round how many
times traceanon's rate ours is.
"""

import argparse
import random
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import make_trace

from natkit import CryptoPan

KEY = "fish go moo, oh yes they do"
LIMIT = 3.0  # times traceanon's rate, at least

LOOP = f"""
import sys, natkit, plt
pan = natkit.CryptoPan({KEY!r})
with plt.trace(sys.argv[1]) as trace, plt.output_trace(sys.argv[2]) as output:
    anonymise, write = pan.packet, output.write_packet
    for pkt in trace:
        anonymise(pkt)
        write(pkt)
"""


def random_headers(path: Path, count: int) -> bytes:
    """A trace of IPv4 headers, no address twice but by chance; the addresses, 16 bytes each."""
    ends = random.Random(1).randbytes(8 * count)
    start = struct.pack("<IIII", make_trace.START, 0, 20, 20) + b"\x45\0\0\x14" + bytes(8)
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        out.write(b"".join(start + ends[i : i + 8] for i in range(0, len(ends), 8)))
    return b"".join(ends[i : i + 4] + bytes(12) for i in range(0, len(ends), 4))


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def traceanon(source: Path, to: Path, *flags: str) -> float:
    """The seconds of a run of traceanon."""
    command = ["traceanon", *flags, f"pcapfile:{source}", f"pcapfile:{to}"]
    return seconds(lambda: subprocess.run(command, check=True))


def report(title: str, count: int, times: list[float], than: list[float] | None = None) -> None:
    line = f"{title:34} {statistics.median(times) * 1e9 / count:7.1f} ns each"
    if than:
        ratios = sorted(theirs / ours for ours, theirs in zip(times, than, strict=True))
        line += f", {statistics.median(ratios):5.1f} times the rate"
        line += f" ({ratios[0]:.1f} to {ratios[-1]:.1f}, limit {LIMIT})"
    print(line)


def packets(count: int, rounds: int) -> None:
    """Whole traces."""
    source = make_trace.cached(count)
    theirs, ours = make_trace.DATA / "theirs.pcap", make_trace.DATA / "ours.pcap"
    command = [sys.executable, "-c", LOOP, f"pcapfile:{source}", f"pcapfile:{ours}"]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        times[0].append(traceanon(source, theirs, "-s", "-d", "-c", KEY))
        times[1].append(seconds(lambda: subprocess.run(command, check=True)))
    assert theirs.stat().st_size == ours.stat().st_size
    report("packets, traceanon", count, times[0])
    report("packets, read, packet(), write", count, times[1], times[0])
    theirs.unlink()
    ours.unlink()


def addresses(count: int, rounds: int) -> None:
    """Addresses alone, none of them remembered."""
    source, to = make_trace.DATA / "headers.pcap", make_trace.DATA / "theirs.pcap"
    array = random_headers(source, count // 2)
    longer = random.Random(2).randbytes(16 * count)
    times: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        pan = CryptoPan(KEY)
        copying = traceanon(source, to)
        times[0].append(traceanon(source, to, "-s", "-d", "-c", KEY) - copying)
        times[1].append(seconds(lambda pan=pan: pan.addresses(array, 4)))
        times[2].append(seconds(lambda pan=pan: pan.addresses(longer, 6)))
    report("random IPv4 addresses, traceanon", count, times[0])
    report("random IPv4 addresses, addresses()", count, times[1], times[0])
    report("random IPv6 addresses, addresses()", count, times[2])
    source.unlink()
    to.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"{args.packets} packets, {args.packets // 2} random addresses; {args.rounds} rounds")
    packets(args.packets, args.rounds)
    addresses(args.packets // 2, args.rounds)


if __name__ == "__main__":
    main()
