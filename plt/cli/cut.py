"""`plt cut`: some packets of a trace, or the beginnings of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

import plt
from plt.cli import options, words
from plt.cli.outputs import check_output, needs_trace_format, write
from plt.cli.programs import constant, trace_program
from plt.cli.progress import bar
from plt.cli.sources import Reading
from plt.cli.words import Filter

WHEN = options.Quantity("time", words.when)
Moment = tuple[bool, int]
Ranges = list[tuple[int, int | None]]


@click.command(
    "cut",
    short_help="Write some packets of a trace.",
    epilog=options.example(
        "plt cut --from 2026-11-22T22:31:00Z --to 2026-11-22T22:31:10Z -o ten.pcap trace.pcap.gz",
        "plt cut --packets 1-100 --snaplen 80 -o head.pcap trace.pcap.gz",
    ),
)
@options.sources
@options.output("The trace to write.")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="Packets from this time on.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Packets before this time.")
@click.option(
    "--packets",
    type=options.RANGES,
    metavar="N-N,...",
    help="Packets by number, from 1: 1-10,20,30-.",
)
@options.filtered
@click.option(
    "--snaplen", type=click.IntRange(min=1), metavar="N", help="The first N bytes of each packet."
)
@options.python
def command(
    sources: tuple[str, ...],
    output: str,
    start: Moment | None,
    end: Moment | None,
    packets: Ranges | None,
    filter: Filter,
    snaplen: int | None,
    python: bool,
) -> int:
    """Write the packets that all of the options name.

    A time is ISO 8601 (UTC where it has no zone), seconds since 1970, or after the first packet:
    +10s. Numbers count the packets of all sources, of those that match where there is a filter.
    """
    if start and end and start[0] == end[0] and end[1] <= start[1]:
        raise click.UsageError("--to must be later than --from")
    needs_trace_format(output)
    if python:
        print(python_program(sources, output, start, end, packets, filter, snaplen), end="")
        return 0
    reading = Reading(sources, filter)
    check_output(output, sources)
    with bar(reading.sources) as tick:
        found = reading.all_packets(filter, snaplen, tick)
        write(chosen(found, start, end, packets), output, reading)
    return reading.code


def chosen(
    packets: Iterable[plt.packet], start: Moment | None, end: Moment | None, ranges: Ranges | None
) -> Iterator[plt.packet]:
    """The packets of a span of time and of some numbers."""
    last = None if ranges is None else max(words.endless(end) for _, end in ranges)
    from_ns = to_ns = 0
    for number, packet in enumerate(packets, 1):
        if number == 1:
            from_ns, to_ns = absolute(start, packet.time_ns), absolute(end, packet.time_ns)
        if (
            (start is None or packet.time_ns >= from_ns)
            and (end is None or packet.time_ns < to_ns)
            and (ranges is None or is_within(number, ranges))
        ):
            yield packet
        if number == last:
            return


def absolute(moment: Moment | None, first_ns: int) -> int:
    """Nanoseconds since the epoch of a time that may count from the first packet on."""
    if moment is None:
        return 0
    after_first, time_ns = moment
    return time_ns + (first_ns if after_first else 0)


def is_within(number: int, ranges: Ranges) -> bool:
    """Whether one of the ranges has a number."""
    return any(first <= number <= words.endless(last) for first, last in ranges)


def python_program(
    sources: tuple[str, ...],
    output: str,
    start: Moment | None,
    end: Moment | None,
    ranges: Ranges | None,
    filter: Filter,
    snaplen: int | None,
) -> str:
    """The Python program that writes the same."""
    tests = []
    for moment, sign in ((start, ">="), (end, "<")):
        if moment is not None:
            time = f"first + {moment[1]}" if moment[0] else str(moment[1])
            tests.append(f"pkt.time_ns {sign} {time}")
    if ranges:
        spans = [f"number >= {a}" if b is None else f"{a} <= number <= {b}" for a, b in ranges]
        together = " or ".join(spans)
        tests.append(f"({together})" if tests and len(spans) > 1 else together)
    loop = ["out.write_packet(pkt)"]
    if tests:
        loop = [f"if {' and '.join(tests)}:", "    out.write_packet(pkt)"]
    if relative := any(moment is not None and moment[0] for moment in (start, end)):
        loop = ["if number == 1:", "    first = pkt.time_ns", *loop]
    counted = "number, pkt in enumerate(found, 1)" if relative or ranges else "pkt in found"
    return trace_program(
        "Cut packets out of traces.",
        ["from itertools import chain"],
        [constant("SOURCES", sources)],
        output,
        "\n".join(
            [
                "",
                "found = chain.from_iterable(map(packets, SOURCES))",
                "with out:",
                f"    for {counted}:",
                *(f"        {line}" for line in loop),
            ]
        ),
        filter=filter,
        snaplen=snaplen,
    )
