"""The numbers that natkit.plot draws: sums over time and over addresses, shares, TCP segments.

Sums are taken a batch of columns at a time, so that what they need does not grow with the packets.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ipp
import plt
from natkit._natkit import FlowHome, IPflow

Array = NDArray[Any]
#: What a row belongs to: a number or a text of a column, or None where it has none.
Group = int | str | bool | None
#: An address: its version, and its 16 bytes as two numbers.
Address = tuple[int, int, int]

MILLISECOND, SECOND = 10**6, 10**9
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND

#: Widths in which packets are summed until the span of the trace is known: each divides the next.
WIDTHS = (
    *(MILLISECOND, 10 * MILLISECOND, 100 * MILLISECOND, SECOND, 10 * SECOND),
    *(MINUTE, 10 * MINUTE, HOUR),
    *(DAY * 10**n for n in range(6)),
)
MOST_SUMS = 8192

#: Intervals that a person would choose, and how many points a line has where nobody chose.
INTERVALS = (
    *(n * 10**e * MILLISECOND for e in range(3) for n in (1, 2, 5)),
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * 10**e * DAY for e in range(6) for n in (1, 2, 5)),
)
POINTS = 200
MOST_POINTS = 1_000_000

#: Lines of a picture that is split into groups.
MOST_LINES = 6

#: Points of a distribution that a picture can still show.
MOST_STEPS = 5000

#: Sums by group that wait to be joined.
MOST_PENDING = 1 << 18

#: Times that the columns of packets can have, in nanoseconds.
EARLIEST, LATEST = -(2**63), 2**63 - 1

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


# --- Columns ----------------------------------------------------------------------------------


def values(table: plt.Table, name: str) -> Array:
    """A column, times and durations as numbers of nanoseconds."""
    array = table[name]
    return array.view(np.int64) if array.dtype.kind in "mM" else array


def addresses(table: plt.Table, name: str) -> tuple[Array, Array]:
    """Rows of 16 bytes and their versions, 0 where there is no address."""
    array = table[name]
    if array.ndim == 1:  # texts
        rows, of_texts = ipp.parse(array.tolist())
        return np.asarray(rows), np.asarray(of_texts)
    return array, np.where(table.mask(name), np.uint8(0), table["version"])


def amounts(table: plt.Table, of: str) -> Array:
    """What each packet counts: its bytes or bits on the wire in bytes, or 1."""
    return np.ones(len(table), np.int64) if of == "packets" else table["wire_len"].astype(np.int64)


def _inside(table: plt.Table, name: str, prefixes: Iterable[ipp.IPprefix]) -> Array:
    rows, versions = addresses(table, name)
    found = np.zeros(len(table), bool)
    for prefix in prefixes:
        found |= np.asarray(prefix.contains(rows, versions))  # type: ignore[arg-type]
    return found


def groups(table: plt.Table, by: str | FlowHome | None) -> tuple[Array, list[Group]]:
    """The group of each row as an index into a list of groups.

    Those of a FlowHome are numbered by the ends that are at home: 1 the source, 2 the destination.
    """
    if by is None:
        return np.zeros(len(table), np.int64), [None]
    if isinstance(by, FlowHome):
        src, dst = (_inside(table, name, by.prefixes) for name in ("src_prefix", "dst_prefix"))
        return src + 2 * dst, [0, 1, 2, 3]
    missing, array = table.mask(by), table[by]
    if array.ndim > 1 or array.dtype.kind in "mM":
        raise ValueError(f"packets and flows are not grouped by {by!r}, but by numbers or texts")
    known, of_each = np.unique(array[~missing], return_inverse=True)
    index = np.full(len(table), len(known), np.int64)
    index[~missing] = of_each
    return index, [*known.tolist(), None]


def largest(names: Sequence[Group], totals: Array) -> tuple[list[Group], Array]:
    """The largest groups in order, "other" last where there are more; and the place of each."""
    order = np.argsort(-totals, kind="stable")
    keep = len(order) if len(order) <= MOST_LINES else MOST_LINES - 1
    place = np.full(len(order), keep, np.int64)
    place[order[:keep]] = np.arange(keep)
    chosen = [names[i] for i in order[:keep]]
    return (chosen if keep == len(order) else [*chosen, "other"]), place


# --- Over time --------------------------------------------------------------------------------


def nanoseconds(interval: float) -> int:
    """An interval of seconds in whole nanoseconds; ValueError where it is none."""
    if not (math.isfinite(interval) and round(interval * SECOND) > 0):
        raise ValueError(f"an interval is at least 1e-9 seconds, not {interval}")
    return round(interval * SECOND)


def _summed(bins: Array, of: Array, sums: Array) -> tuple[Array, Array, Array]:
    """The same with one row for each pair of a bin and a group."""
    order = np.lexsort((of, bins))
    bins, of, sums = bins[order], of[order], sums[order]
    new = np.ones(len(bins), bool)
    new[1:] = (bins[1:] != bins[:-1]) | (of[1:] != of[:-1])
    first = np.flatnonzero(new)
    return bins[first], of[first], np.add.reduceat(sums, first)


@dataclass
class Series:
    """Sums for each interval of a span: the times at which they begin, and a line a group."""

    starts: Array
    interval: int
    lines: dict[Group, Array]


class OverTime:
    """Sums of packets in intervals of time that begin at multiples of their length, by UTC.

    Without an interval they are summed in narrow ones, which are joined when there are too many,
    and at the end in one that gives at most POINTS.
    """

    def __init__(self, interval: int | None = None) -> None:
        self.interval = interval
        self.widths = iter(WIDTHS)
        self.width = interval or next(self.widths)
        self.first, self.last = 0, 0  # nanoseconds
        self.groups: dict[Group, int] = {}
        self.parts: list[tuple[Array, Array, Array]] = []
        self.pending = self.kept = 0

    def add(self, times: Array, sums: Array, of: Array, names: Sequence[Group]) -> None:
        """Count rows at these times; `of` says which of the names each belongs to."""
        if len(times) == 0:
            return
        first, last = int(times.min()), int(times.max())
        self.first = min(self.first, first) if self.parts else first
        self.last = max(self.last, last) if self.parts else last
        self._widen()
        number = np.zeros(len(names), np.int64)
        for i in np.unique(of):
            number[i] = self.groups.setdefault(names[i], len(self.groups))
        part = _summed(times // self.width, number[of], sums)
        self.parts.append(part)
        self.pending += len(part[0])
        if self.pending > 2 * self.kept + MOST_PENDING:
            self._join()

    def _widen(self) -> None:
        """Make the intervals so wide that not too many cover the span."""
        while (points := self.last // self.width - self.first // self.width + 1) > MOST_SUMS:
            if self.interval is not None:
                if points <= MOST_POINTS:
                    return
                span = (self.last - self.first) / SECOND
                raise ValueError(
                    f"intervals of {self.interval / SECOND:.9g} s make {points:,} points of "
                    f"{span:.9g} s, more than the {MOST_POINTS:,} that are drawn"
                )
            wider = next(self.widths)
            joined = wider // self.width
            self.parts = [_summed(bins // joined, of, sums) for bins, of, sums in self.parts]
            self.width = wider

    def _join(self) -> None:
        bins, of, sums = (np.concatenate([part[n] for part in self.parts]) for n in range(3))
        self.parts = [_summed(bins, of, sums)]
        self.pending = self.kept = len(self.parts[0][0])

    def series(self) -> Series | None:
        """What was counted; None where nothing was."""
        if not self.parts:
            return None
        self._join()
        bins, of, sums = self.parts[0]
        interval = self.interval or next(
            n
            for n in INTERVALS
            if n % self.width == 0 and self.last // n - self.first // n < POINTS
        )
        first = self.first // interval
        names, line = largest(list(self.groups), np.bincount(of, sums, len(self.groups)))
        counts = np.zeros((len(names), self.last // interval - first + 1), np.int64)
        np.add.at(counts, (line[of], bins * self.width // interval - first), sums)
        starts = (first + np.arange(counts.shape[1])) * interval
        return Series(starts, interval, dict(zip(names, counts, strict=True)))


def over_time(
    parts: Iterable[plt.Table], of: str, by: str | FlowHome | None, interval: int | None
) -> Series | None:
    """The bytes or packets of each interval and group."""
    over = OverTime(interval)
    for part in parts:
        there = ~part.mask("time")
        index, names = groups(part, by)
        over.add(values(part, "time")[there], amounts(part, of)[there], index[there], names)
    return over.series()


# --- Over protocols and addresses -------------------------------------------------------------


def _count(into: Counter[Any], keys: Sequence[Array], sums: Array) -> None:
    """Add to a counter, whose keys are tuples of the keys' values."""
    if len(sums) == 0:
        return
    order = np.lexsort(keys[::-1])
    new = np.zeros(len(order), bool)
    new[0] = True
    for key in keys:
        new[1:] |= np.diff(key[order]) != 0
    first = np.flatnonzero(new)
    found = zip(*(key[order[first]].tolist() for key in keys), strict=True)
    totals = np.add.reduceat(sums[order].astype(np.int64), first).tolist()
    for name, total in zip(found, totals, strict=True):
        into[name] += total


def of_packets(parts: Iterable[plt.Table], of: str) -> Counter[tuple[int, int]]:
    """What packets count by version and protocol; by 0 and ethertype where they are not IP."""
    found: Counter[tuple[int, int]] = Counter()
    for part in parts:
        version = np.where(part.mask("version"), 0, part["version"])
        kind = np.where(version == 0, part["ethertype"], part["proto"])
        _count(found, (version, kind), amounts(part, of))
    return found


def of_flows(parts: Iterable[plt.Table], of: str) -> Counter[tuple[int, int]]:
    """What flows count by version and protocol."""
    found: Counter[tuple[int, int]] = Counter()
    for part in parts:
        _count(found, (part["version"], part["proto"]), part[of])
    return found


def _count_addresses(into: Counter[Address], found: tuple[Array, Array], sums: Array) -> None:
    rows, versions = found
    known = versions != 0
    halves = np.ascontiguousarray(rows[known]).view(">u8").astype(np.uint64)
    _count(into, (versions[known], halves[:, 0], halves[:, 1]), sums[known])


def ends_of_packets(
    parts: Iterable[plt.Table], of: str
) -> tuple[Counter[Address], Counter[Address]]:
    """What each address sent, and what it received."""
    sent, received = Counter[Address](), Counter[Address]()
    for part in parts:
        sums = amounts(part, of)
        _count_addresses(sent, addresses(part, "src_prefix"), sums)
        _count_addresses(received, addresses(part, "dst_prefix"), sums)
    return sent, received


def ends_of_flows(parts: Iterable[plt.Table], of: str) -> tuple[Counter[Address], Counter[Address]]:
    """What each address sent in flows, and what it received."""
    sent, received = Counter[Address](), Counter[Address]()
    for part in parts:
        for name, out, back in (("src_prefix", "fwd", "rev"), ("dst_prefix", "rev", "fwd")):
            found = addresses(part, name)
            _count_addresses(sent, found, part[f"{out}_{of}"])
            _count_addresses(received, found, part[f"{back}_{of}"])
    return sent, received


def address_text(address: Address) -> str:
    """The text of an address that was counted."""
    version, high, low = address
    data = high.to_bytes(8, "big") + low.to_bytes(8, "big")
    return str(ipp.IPprefix(version, data[:4] if version == 4 else data))


# --- Distributions ----------------------------------------------------------------------------


def by_group(
    tables: Iterable[plt.Table], name: str, by: str | None, scale: float
) -> list[tuple[Group, Array]]:
    """The values of a column in each group, times a scale; the largest groups first."""
    found: dict[Group, list[Array]] = {}
    for table in tables:
        index, names = groups(table, by)
        there = ~table.mask(name)
        column = values(table, name) * scale
        for i in np.unique(index[there]):
            found.setdefault(names[i], []).append(column[there & (index == i)])
    joined = [np.concatenate(parts) for parts in found.values()]
    chosen, place = largest(list(found), np.array([len(part) for part in joined]))
    return [
        (group, np.concatenate([p for at, p in zip(place, joined, strict=True) if at == line]))
        for line, group in enumerate(chosen)
    ]


def distribution(found: Array) -> tuple[Array, Array]:
    """Values in their order, and the share of all that are not above each, from 0 on.

    Of more values than a picture can show, those that divide them evenly.
    """
    ordered = np.sort(found.astype(np.float64))
    rank = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # the last of equal ones
    if len(rank) > MOST_STEPS:
        rank = rank[np.linspace(0, len(rank) - 1, MOST_STEPS).round().astype(np.int64)]
    return ordered[np.append(0, rank)], np.append(0.0, (rank + 1) / len(ordered))


# --- Segments of a TCP connection -------------------------------------------------------------

TUPLE = ("version", "proto", "src_prefix", "dst_prefix", "src_port", "dst_port")
SEGMENT = ("tcp.seq_nbr", "tcp.ack_nbr", "tcp.flags", "payload_len")


@dataclass
class Segments:
    """The TCP segments of a flow in the order of the trace; those that are `forward` in it."""

    time: Array
    forward: Array
    seq: Array
    ack: Array
    flags: Array
    length: Array


def _between(table: plt.Table, flow: IPflow, *, forward: bool) -> Array:
    """The packets of one direction of a flow."""
    ends = [(flow.src_prefix, flow.src_port), (flow.dst_prefix, flow.dst_port)]
    (src, src_port), (dst, dst_port) = ends if forward else ends[::-1]
    found: Array = (table["version"] == flow.version) & (table["proto"] == flow.proto)
    found &= (table["src_port"] == src_port) & (table["dst_port"] == dst_port)
    if found.any():
        for name, end in (("src_prefix", src), ("dst_prefix", dst)):
            address = ipp.IPprefix(end.version, end.addr, 32 if end.version == 4 else 128)
            found &= _inside(table, name, [address])
    return found


def segments(parts: Iterable[plt.Table], flow: IPflow, first: int, last: int) -> Segments:
    """The segments of a flow between two times."""
    found: list[list[Array]] = [[np.zeros(0, np.int64)] for _ in range(6)]
    for part in parts:
        forward = _between(part, flow, forward=True)
        time = values(part, "time")
        chosen = forward | _between(part, flow, forward=False)
        chosen &= ~part.mask("tcp.flags") & ~part.mask("time") & (time >= first) & (time <= last)
        columns = (time, forward, *(part[name] for name in SEGMENT))
        for kept, column in zip(found, columns, strict=True):
            kept.append(column[chosen].astype(np.int64))
    time, forward, seq, ack, flags, length = (np.concatenate(kept) for kept in found)
    return Segments(time, forward.astype(bool), seq, ack, flags, length)


def unwrapped(numbers: Array, base: int) -> Array:
    """Sequence numbers as distances from one, beyond 32 bits where they went around."""
    steps: Array = np.diff(numbers, prepend=base)
    distances: Array = np.cumsum((steps + 2**31) % 2**32 - 2**31)
    return distances


@dataclass
class Connection:
    """One direction of a TCP connection: what was sent, and what the other end acknowledged.

    Times are seconds after the first segment; sequence numbers count from that of the SYN, or from
    the first that there is.  A segment was sent `again` that begins below what was sent before.
    """

    time: Array
    begin: Array
    end: Array
    again: Array
    ack_time: Array
    ack: Array
    marks: dict[str, tuple[Array, Array]]


def sequence(of: Segments, *, forward: bool) -> Connection:
    """What one direction sent, of a flow that has segments."""
    mine = of.forward == forward
    fin, syn, rst, ack = (of.flags & bit != 0 for bit in (FIN, SYN, RST, ACK))
    sent = mine & ~rst & ((of.length > 0) | syn | fin)
    answers = ~mine & ack & ~rst
    base = 0
    if sent.any():
        base = int(of.seq[sent][np.argmax(syn[sent])])
    elif answers.any():
        base = int(of.ack[answers][0])
    seconds = (of.time - of.time.min()) / SECOND
    at = np.zeros(len(of.time), np.int64)
    at[sent] = unwrapped(of.seq[sent], base)
    data = sent & (of.length > 0)
    begin = at[data] + syn[data]  # the SYN is before the data that it brings
    end = begin + of.length[data]
    before = np.maximum.accumulate(np.append(begin[:1], end[:-1]))
    marks = {
        name: (seconds[which], at[which] + of.length[which])
        for name, which in (("SYN", sent & syn), ("FIN", sent & fin))
    }
    highest = int(end.max()) if len(end) else 0
    resets = mine & rst  # drawn at the top: their own numbers may be any
    marks["RST"] = seconds[resets], np.full(int(resets.sum()), highest)
    return Connection(
        time=seconds[data],
        begin=begin,
        end=end,
        again=begin < before[: len(begin)],
        ack_time=seconds[answers],
        ack=unwrapped(of.ack[answers], base),
        marks=marks,
    )
