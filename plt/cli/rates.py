"""`plt rates`: packets and bytes in each interval of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import click
import numpy as np

import plt
from plt.cli import options
from plt.cli.names import bar as bar_of
from plt.cli.names import iso
from plt.cli.programs import call, constant, program
from plt.cli.progress import Tick, bar
from plt.cli.show import Style, show
from plt.cli.sources import Reading
from plt.cli.words import SECOND, Failure, Filter

FIELDS: Final = ("time_ns", "wire_len")
NAMES = ("time", "packets", "bytes", "bits_per_second")
MOST = 1_000_000  # intervals


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
    """Print packets, bytes and bits a second in each interval, also in those without packets."""
    if not interval:
        raise Failure("an interval is longer than 0")
    style = Style(json, header)
    if python:
        print(python_program(sources, filter, interval, style), end="")
        return 0
    reading = Reading(sources, filter)
    with bar(sources) as tick:
        packets, octets = counted(reading, filter, interval, tick)
    check_intervals(packets)
    found = rows(packets, octets, interval)
    if style.on_terminal:
        most = max(octets.values(), default=0)
        show((*NAMES, ""), ((*row, bar_of(row[2], most)) for row in found), style)
    else:
        show(NAMES, found, style)
    return reading.code


def counted(
    reading: Reading, filter: Filter, interval: int, tick: Tick
) -> tuple[Counter[int], Counter[int]]:
    """Packets and bytes by interval, numbered from the epoch on."""
    packets: Counter[int] = Counter()
    octets: Counter[int] = Counter()
    with plt.columns(reading.sources, FIELDS, filter=filter, batch=reading.batch) as columns:
        for batch in reading.batches(columns, tick):
            there = ~batch.mask("time_ns")
            numbers, which = np.unique(batch["time_ns"][there] // interval, return_inverse=True)
            counts = np.bincount(which, minlength=len(numbers))
            sums = np.bincount(which, batch["wire_len"][there], len(numbers))
            for n, number in enumerate(numbers.tolist()):
                packets[number] += int(counts[n])
                octets[number] += int(sums[n])
    return packets, octets


def check_intervals(packets: Counter[int]) -> None:
    """Failure where there would be too many rows: a damaged time may be far from the others."""
    intervals = max(packets) - min(packets) + 1 if packets else 0
    if intervals > MOST:
        raise Failure(f"that would be {intervals:,} intervals: choose a longer --interval")


def rows(
    packets: Counter[int], octets: Counter[int], interval: int
) -> Iterator[tuple[str, int, int, float]]:
    """A row for each interval from the first to the last."""
    if not packets:
        return
    for n in range(min(packets), max(packets) + 1):
        yield iso(n * interval), packets[n], octets[n], octets[n] * 8 * SECOND / interval


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
