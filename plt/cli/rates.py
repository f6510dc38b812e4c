"""`plt rates`: packets and bytes in each interval of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import click
import numpy as np

import plt
from plt.cli import options
from plt.cli.names import bar as bar_of
from plt.cli.names import iso
from plt.cli.programs import call, constant, program
from plt.cli.progress import Tick, bar
from plt.cli.show import Style, show
from plt.cli.sources import BATCH, Reading, any_streaming
from plt.cli.words import SECOND, Failure, Filter

FIELDS: Final = ("time_ns", "wire_len")
NAMES = ("time", "packets", "bytes", "bits_per_second")
MOST = 1_000_000  # intervals
Row: TypeAlias = tuple[str, int, int, float]


@click.command(
    "rates",
    short_help="Print packets and bytes a second.",
    epilog=options.example(
        "plt rates --interval 10s trace.pcap.gz",
        "plt rates --interval 100ms --filter 'host 192.0.2.10' trace.pcap.gz",
    ),
)
@options.sources
@options.filtered
@click.option(
    "--interval",
    type=options.DURATION,
    default="1s",
    show_default=True,
    metavar="TIME",
    help="How long each interval is; they begin at multiples of that.",
)
@options.as_json
@options.header
@options.python
def command(
    sources: tuple[str, ...],
    filter: Filter,
    interval: int,
    json: bool,
    header: bool,
    python: bool,
) -> int:
    """Print packets, bytes and bits a second in each interval, also in those without packets.

    Of an interface or a pipe a row is printed when the first packet of a later interval comes; a
    packet that comes late then counts in the interval that is being counted.
    """
    if not interval:
        raise Failure("an interval is longer than 0")
    as_they_come = len(sources) == 1 and any_streaming(sources)
    style = Style(json, header, live=as_they_come)
    if python:
        print(python_program(sources, filter, interval, style), end="")
        return 0
    reading = Reading(sources, filter)
    with bar(reading.sources, printing=as_they_come) as tick:
        found = counted(reading, filter, interval, tick)
        if as_they_come:
            print_rows(rows_in_turn(found, interval), style)
            return reading.code
        rows = rows_at_end(found, interval)
    print_rows(rows, style, most=max((octets for _, _, octets, _ in rows), default=0))
    return reading.code


def print_rows(rows: Iterable[Row], style: Style, most: int = 0) -> None:
    """Print rows; on a terminal with bars, which are as long as the most bytes until then say."""
    if style.on_terminal:
        show((*NAMES, ""), with_bars(rows, most), style)
    else:
        show(NAMES, rows, style)


def counted(
    reading: Reading, filter: Filter, interval: int, tick: Tick
) -> Iterator[list[tuple[int, int, int]]]:
    """The intervals of each batch, in order: number from the epoch on, packets and bytes."""
    with plt.columns(reading.sources, FIELDS, filter=filter, batch=BATCH) as columns:
        for batch in reading.batches(columns, tick):
            there = ~batch.mask("time_ns")
            numbers, which = np.unique(batch["time_ns"][there] // interval, return_inverse=True)
            counts = np.bincount(which, minlength=len(numbers))
            sums = np.bincount(which, batch["wire_len"][there], len(numbers)).astype(np.int64)
            yield list(zip(numbers.tolist(), counts.tolist(), sums.tolist(), strict=True))


def rows_at_end(found: Iterable[list[tuple[int, int, int]]], interval: int) -> list[Row]:
    """A row for each interval from the first to the last, once all are counted."""
    packets: Counter[int] = Counter()
    octets: Counter[int] = Counter()
    for batch in found:
        for number, count, size in batch:
            packets[number] += count
            octets[number] += size
    if not packets:
        return []
    first, last = min(packets), max(packets)
    check_intervals(first, last)
    return [row(n, packets[n], octets[n], interval) for n in range(first, last + 1)]


def rows_in_turn(found: Iterable[list[tuple[int, int, int]]], interval: int) -> Iterator[Row]:
    """A row for each interval when a later one begins, and for the last one at the end."""
    current: int | None = None
    packets = octets = 0
    for batch in found:
        for number, count, size in batch:
            if current is None:
                current = number
            check_intervals(current, number)
            while current < number:
                yield row(current, packets, octets, interval)
                current, packets, octets = current + 1, 0, 0
            packets += count
            octets += size
    if current is not None:
        yield row(current, packets, octets, interval)


def check_intervals(first: int, last: int) -> None:
    """Failure where there would be too many rows: a damaged time may be far from the others."""
    intervals = last - first + 1
    if intervals > MOST:
        raise Failure(f"that would be {intervals:,} intervals: choose a longer --interval")


def row(number: int, packets: int, octets: int, interval: int) -> Row:
    """The row of an interval."""
    return iso(number * interval), packets, octets, octets * 8 * SECOND / interval


def with_bars(rows: Iterable[Row], most: int) -> Iterator[tuple[object, ...]]:
    """Rows with a bar each."""
    for found in rows:
        most = max(most, found[2])
        yield (*found, bar_of(found[2], most))


def python_program(sources: tuple[str, ...], filter: Filter, interval: int, style: Style) -> str:
    """The Python program that prints the same."""
    columns = call("plt.columns", "SOURCES", '["time_ns", "wire_len"]', filter=filter)
    json_line = "json.dumps(dict(zip(NAMES, row)), ensure_ascii=False)"
    printed = json_line if style.json else '*row, sep="\\t"'
    names = 'print(*NAMES, sep="\\t")\n' if style.header and not style.json else ""
    return program(
        "Print packets and bytes in each interval.",
        [
            "from collections import Counter",
            "import numpy as np",
            "plt",
            *(["json"] if style.json else []),
        ],
        "\n".join(
            [
                constant("SOURCES", sources),
                f"INTERVAL = {interval}  # nanoseconds",
                constant("NAMES", NAMES),
            ]
        ),
        f"""
packets, octets = Counter(), Counter()
for batch in {columns}:
    there = ~batch.mask("time_ns")
    numbers, which = np.unique(batch["time_ns"][there] // INTERVAL, return_inverse=True)
    packets.update(dict(zip(numbers.tolist(), np.bincount(which).tolist())))
    sums = np.bincount(which, batch["wire_len"][there]).astype(int)
    octets.update(dict(zip(numbers.tolist(), sums.tolist())))
{names}for n in range(min(packets), max(packets) + 1) if packets else ():
    seconds, rest = divmod(n * INTERVAL, 10**9)
    text = f"{{np.datetime64(seconds, 's')}}.{{rest:09d}}Z"
    row = text, packets[n], octets[n], octets[n] * 8 * 10**9 / INTERVAL
    print({printed})
""",
    )
