"""`plt split`: a trace in parts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

import plt
from plt.cli import options
from plt.cli.names import iso
from plt.cli.outputs import PACKED, check_output, needs_trace_format, write
from plt.cli.programs import constant, in_program, literal, opened_output, trace_program
from plt.cli.progress import bar
from plt.cli.show import Style, show
from plt.cli.sources import Reading
from plt.cli.words import Failure, Filter

NAMES = ("file", "packets", "time")
FILE, RECORD = 24, 16  # bytes of the headers of a pcap file


@click.command(
    "split",
    short_help="Write a trace in parts.",
    epilog=options.example(
        "plt split --every 1h -o hour.pcap.gz day.pcap.gz    # hour-0001.pcap.gz ...",
        "plt split --size 100M -o part.pcap trace.pcap",
    ),
)
@options.sources
@options.output("The parts to write: of part.pcap the first is part-0001.pcap.")
@click.option("--every", type=options.DURATION, metavar="TIME", help="A part for each such time.")
@click.option("--packets", type=click.IntRange(min=1), metavar="N", help="N packets a part.")
@click.option(
    "--size", type=options.SIZE, metavar="SIZE", help="So many bytes a part, before compression."
)
@options.filtered
@options.as_json
@options.header
@options.python
def command(
    sources: tuple[str, ...],
    output: str,
    every: int | None,
    packets: int | None,
    size: int | None,
    filter: Filter,
    json: bool,
    header: bool,
    python: bool,
) -> int:
    """Write the packets of traces into several files, and list these.

    Times count from the first packet. A part is never empty, and a packet that came late is in the
    part that is being written.
    """
    check_options({"--every": every, "--packets": packets, "--size": size})
    needs_trace_format(output)
    if output == "-":
        raise Failure("standard output is one file: parts need a name")
    if python:
        style = Style(json, header)
        print(python_program(sources, output, every, packets, size, filter, style), end="")
        return 0
    reading = Reading(sources, filter)
    rows: list[tuple[str, int, str]] = []
    try:
        with bar(reading.sources) as tick:
            found = numbered(reading.all_packets(filter, None, tick), every, packets, size)
            rows.extend(written(found, output, reading))
    except BaseException:
        if rows:  # these parts are whole, and stay
            show(NAMES, rows, Style(json, header))
        raise
    show(NAMES, rows, Style(json, header))
    return reading.code


def check_options(given: Mapping[str, int | None]) -> None:
    """UsageError where there is not one way to split, or where it makes no parts."""
    names = [name for name, value in given.items() if value is not None]
    if not names:
        raise click.UsageError("one of --every, --packets and --size is needed")
    if len(names) > 1:
        raise click.UsageError(f"{' and '.join(names)}: give one of them")
    if not given[names[0]]:
        raise click.UsageError(f"{names[0]} must be more than 0")


def numbered(
    packets: Iterable[plt.packet], every: int | None, most: int | None, size: int | None
) -> Iterator[tuple[int, plt.packet]]:
    """Packets, each with the number of its part."""
    part = begun = 0
    octets = FILE
    for number, packet in enumerate(packets):
        if every:
            begun = packet.time_ns if number == 0 else begun
            part = max(part, (packet.time_ns - begun) // every)
        elif most:
            part = number // most
        else:
            assert size is not None
            length = RECORD + packet.capture_len
            if octets > FILE and octets + length > size:
                part, octets = part + 1, FILE
            octets += length
        yield part, packet


def written(
    packets: Iterable[tuple[int, plt.packet]], output: str, reading: Reading
) -> Iterator[tuple[str, int, str]]:
    """Write each part; its name, its packets and the time of the first one."""
    parts = itertools.groupby(packets, key=lambda item: item[0])
    for number, (_, group) in enumerate(parts, 1):
        first = next(group)[1]
        rest = (packet for _, packet in group)
        name = part_name(output, number)
        check_output(name, reading.sources)
        count = write(itertools.chain([first], rest), name, reading)
        yield name, count, iso(first.time_ns)


def part_name(output: str, number: int) -> str:
    """The name of a part: a number before the name's endings."""
    path = Path(output)
    stem, ending = path.stem, path.suffix
    if ending in PACKED:
        stem, ending = Path(stem).stem, Path(stem).suffix + ending
    return str(path.with_name(f"{stem}-{number:04d}{ending}"))


def python_program(
    sources: tuple[str, ...],
    output: str,
    every: int | None,
    most: int | None,
    size: int | None,
    filter: Filter,
    style: Style,
) -> str:
    """The Python program that writes and prints the same."""
    if every:
        setup = ["part = begun = 0"]
        step = [
            "begun = pkt.time_ns if number == 0 else begun",
            f"part = max(part, (pkt.time_ns - begun) // {every})",
        ]
    elif most:
        setup = ["part = 0"]
        step = [f"part = number // {most}"]
    else:
        setup = [f"part, octets = 0, {FILE}  # the bytes of a pcap file's header"]
        step = [
            f"length = {RECORD} + pkt.capture_len",
            f"if octets > {FILE} and octets + length > {size}:",
            f"    part, octets = part + 1, {FILE}",
            "octets += length",
        ]
    counted = "number, pkt in enumerate(found)" if every or most else "pkt in found"
    opened = opened_output(part_name(output, 1))
    name = constant("NAME", part_name(output, 1).replace("{", "{{").replace("}", "}}"))
    name = "-{number:04d}".join(name.rsplit("-0001", 1))
    uri = opened[0].partition(":")[0].rpartition('"')[2]
    if style.json:
        printed = 'print(json.dumps({"file": name, "packets": count, "time": first}, '
        printed += "ensure_ascii=False))"
    else:
        printed = 'print(name, count, first, sep="\\t")'
    head = [f'print({", ".join(map(literal, NAMES))}, sep="\\t")']
    return trace_program(
        "Split traces into parts.",
        ["from itertools import chain, groupby", "import numpy as np", "json"],
        [constant("SOURCES", sources), name],
        None,
        "\n".join(
            [
                "",
                "def numbered(found):",
                '    """Packets, each with the number of its part."""',
                *(f"    {line}" for line in setup),
                f"    for {counted}:",
                *(f"        {line}" for line in step),
                "        yield part, pkt",
                "",
                f"{in_program(iso)}",
                "",
                "found = chain.from_iterable(map(packets, SOURCES))",
                "parts = groupby(numbered(found), key=lambda item: item[0])",
                *(head if style.header and not style.json else []),
                "for number, (_, group) in enumerate(parts, 1):",
                "    name, count = NAME.format(number=number), 0",
                f'    out = plt.output_trace("{uri}:" + name)',
                *(f"    {line}" for line in opened[1:]),
                "    with out:",
                "        for _, pkt in group:",
                "            out.write_packet(pkt)",
                "            count += 1",
                "            if count == 1:",
                "                first = iso(pkt.time_ns)",
                f"    {printed}",
            ]
        ),
        filter=filter,
    )
