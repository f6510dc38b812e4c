"""plt.columns() against the C reading floor.

    python bench/columns.py [--packets N] [--rounds N]

Reading alone in C (floor.c), nine columns in batches, the same as one table and the same into a
pyarrow table take turns; the medians are printed, and how many times the floor they take.  Then how
fast ipp formats, parses and tests the addresses.

The floor reads in a thread of libtrace's own beside that which asks, the columns in one: where
other programs want the cores the floor loses more, and the ratios come out too small.  The share of
the processors that others took is printed; numbers are good where it is near 0.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import floor
import make_trace
import pyarrow

import ipp
import plt

FIELDS = (
    "time", "wire_len", "src_prefix", "dst_prefix", "version", "proto", "src_port", "dst_port",
    "tcp.flags",
)  # fmt: skip


class Others:
    """How much of the processors' time other programs take, from now on (Linux)."""

    def __init__(self) -> None:
        self.start = self.read()

    @staticmethod
    def read() -> tuple[float, float]:
        """The ticks that the processors could give so far, and those that others took."""
        ticks = [int(word) for word in Path("/proc/stat").read_text().split()[1:9]]
        total, idle = sum(ticks), ticks[3] + ticks[4]
        own = sum(os.times()[:4]) * os.sysconf("SC_CLK_TCK")  # ours and our children's
        return total, total - idle - own

    def share(self) -> float:
        """Their share since this was made, 0 to 1."""
        total, others = (now - then for now, then in zip(self.read(), self.start, strict=True))
        return max(others, 0.0) / total


def batches(uri: str) -> int:
    """Batch after batch, each dropped."""
    return sum(len(batch) for batch in plt.columns(uri, FIELDS))


def table(uri: str) -> int:
    """All as one table."""
    return len(plt.columns(uri, FIELDS).table())


def arrow(uri: str) -> int:
    """Into a pyarrow table."""
    rows: int = pyarrow.table(plt.columns(uri, FIELDS)).num_rows
    return rows


READERS: dict[str, Callable[[str], int]] = {"batches": batches, "table": table, "pyarrow": arrow}
LIMITS = {"batches": 2.2, "pyarrow": 2.2}


def against_the_floor(uri: str, packets: int, rounds: int) -> None:
    """Time the floor and the readers in turns, and print ratios."""
    seconds: dict[str, list[float]] = {"floor in C": [], **{name: [] for name in READERS}}
    others = Others()
    for _ in range(rounds):
        seconds["floor in C"].append(floor.read(uri).seconds)
        for name, reader in READERS.items():
            start = time.perf_counter()
            assert reader(uri) == packets
            seconds[name].append(time.perf_counter() - start)
    print(f"other programs took {others.share():.0%} of the processors")
    for name, times in seconds.items():
        # of each round, not of the medians: what else the machine does then weighs on all alike
        ratios = sorted(t / f for t, f in zip(times, seconds["floor in C"], strict=True))
        limit = f", limit {LIMITS[name]}" if name in LIMITS else ""
        print(
            f"{name:12} {statistics.median(times) * 1e9 / packets:6.1f} ns a packet, "
            f"{statistics.median(ratios):4.2f} times the floor "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}{limit})"
        )


def addresses(uri: str, rounds: int) -> None:
    """Print how many addresses a second ipp's functions for many take."""
    source = plt.columns(uri, ("src_prefix", "version"), limit=1_000_000).table()
    rows, versions = source["src_prefix"], source["version"]
    texts = ipp.format(rows, versions)
    home = ipp.from_s("192.0.2.0/24")
    calls: dict[str, Callable[[], object]] = {
        "ipp.format": lambda: ipp.format(rows, versions),
        "ipp.parse": lambda: ipp.parse(texts),
        "contains": lambda: home.contains(rows, versions),
    }
    for name, call in calls.items():
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        rate = len(rows) / statistics.median(times) / 1e6
        print(f"{name:12} {rate:6.1f} million addresses a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    uri = f"pcapfile:{make_trace.cached(args.packets)}"
    floor.read(uri)  # the file is in memory from here on
    arrow(uri)  # and pyarrow has imported what it needs
    print(f"{args.packets} packets, {len(FIELDS)} columns; medians of {args.rounds} rounds")
    against_the_floor(uri, args.packets, args.rounds)
    addresses(uri, args.rounds)


if __name__ == "__main__":
    main()
