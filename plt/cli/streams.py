"""`plt streams`: the bytes of TCP connections, put in order."""

from __future__ import annotations

import itertools
import json as json_module
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

import ipp
import natkit
from plt.cli import follow, options
from plt.cli.listing import Listing
from plt.cli.names import ADDRESSES, iso
from plt.cli.outputs import check_output, whole
from plt.cli.programs import call, constant, in_program, program, rows_program
from plt.cli.progress import Tick, bar
from plt.cli.rows import first
from plt.cli.show import Style, show
from plt.cli.sources import Reading, any_streaming
from plt.cli.words import Failure, Filter, as_filter

#: The columns, and what they hold.
COLUMNS = {
    "number": "The number of the stream, from 1, in the order in which streams end.",
    "first_time": "Arrival time of the first packet.",
    "last_time": "Arrival time of the last packet.",
    "duration": "From the first packet to the last: seconds.",
    "version": "4 or 6.",
    "src_prefix": "Address of the end that opened the connection: forward is from it.",
    "src_port": "Port of that end.",
    "dst_prefix": "Address of the other end.",
    "dst_port": "Port of the other end.",
    "fwd_bytes": "Bytes that are there, forward.",
    "rev_bytes": "The same of the other direction.",
    "fwd_gaps": "Gaps: places where bytes are missing, forward.",
    "rev_gaps": "The same of the other direction.",
    "fwd_missing": "Bytes that are missing there.",
    "rev_missing": "The same of the other direction.",
    "fwd_dropped": "Bytes that came and were not kept, forward.",
    "rev_dropped": "The same of the other direction.",
    "is_whole": "Whether all that both ends sent is there.",
    "response_time": "From the first byte forward to the first byte back: seconds.",
    "end": "Why it is over: closed, reset, reused, timeout, memory, last.",
}
FIELDS = (
    "number", "first_time", "src_prefix", "src_port", "dst_prefix", "dst_port", "fwd_bytes",
    "rev_bytes", "fwd_missing", "rev_missing", "end",
)  # fmt: skip
NARROW = tuple(name for name in FIELDS if name not in ("first_time", "fwd_missing", "rev_missing"))


def known() -> list[str]:
    """The columns that there are."""
    return list(COLUMNS)


@click.command(
    "streams",
    short_help="List TCP streams, follow one, or write them to files.",
    epilog=options.example(
        "plt streams --sort rev_bytes --limit 10 trace.pcap.gz",
        "plt streams --follow 3 trace.pcap.gz",
        "plt streams --filter 'tcp port 80' --write http trace.pcap.gz    # http/0001.fwd ...",
    ),
)
@options.sources
@options.filtered
@options.columns(known, "streams", FIELDS)
@click.option(
    "--follow",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="Print what the ends of stream N said, in turn: > forward, < back.",
)
@click.option(
    "--as",
    "form",
    type=click.Choice(["text", "hex", "raw"]),
    help="How it is printed, without it as text; raw are the bytes alone, missing ones as zeros.",
)
@click.option(
    "--way",
    type=click.Choice(["both", "fwd", "rev"]),
    help="Follow one end only, without it both.",
)
@click.option(
    "--write",
    "folder",
    type=options.PATH,
    metavar="FOLDER",
    help="Write the bytes of all streams: of stream 1 to FOLDER/0001.fwd and 0001.rev.",
)
@click.option(
    "--way-limit",
    type=options.SIZE,
    metavar="SIZE",
    help="How many bytes of each way are kept, the first ones; by default 16Mi.",
)
@options.rows_printed
@options.python
def command(
    sources: tuple[str, ...],
    filter: Filter,
    fields: tuple[str, ...] | None,
    sort: str | None,
    reverse: bool,
    number: int | None,
    form: str | None,
    way: str | None,
    folder: str | None,
    way_limit: int | None,
    limit: int | None,
    json: bool,
    header: bool,
    python: bool,
) -> int:
    """List the TCP streams of traces: bytes each way, put in order, and what is missing.

    Forward is from the end that opened the connection. A stream comes when it is over.
    """
    check_options(
        number is not None,
        following={"--as": form, "--way": way},
        listing={
            "--write": folder, "--fields": fields, "--sort": sort, "--reverse": reverse,
            "--limit": limit, "--no-header": not header,
        },
    )  # fmt: skip
    form, way = form or "text", way or "both"
    if json and form == "raw":
        raise click.UsageError("--json has text or hex, not raw bytes")
    style = Style(json, header, any_streaming(sources))
    listing = Listing.of(FIELDS, NARROW, fields, sort, reverse, limit, style)
    named = {"filter": filter, "way_limit": way_limit}
    if python:
        opened = call("natkit.streams", "SOURCES", **named)
        constants = [constant("SOURCES", sources)]
        if number is not None:
            made = follow_program(opened, constants, number, form, way, json)
        elif folder is not None:
            made = write_program(opened, [*constants, constant("FOLDER", folder)], listing)
        else:
            made = list_program(opened, constants, listing)
        print(made, end="")
        return 0
    reading = Reading(sources, filter)
    more: dict[str, Any] = {} if way_limit is None else {"way_limit": way_limit}
    chosen = None if filter is None else as_filter(filter)
    found = natkit.streams(reading.sources, filter=chosen, **more)
    with bar(reading.sources, printing=not sort) as tick:
        read = streams(reading, found, tick)
        if number is not None:
            return followed(reading, read, number, form, way, json)
        if folder is not None:
            read = written(read, folder, reading)
        rows: Iterable[dict[str, Any]] = itertools.starmap(described, enumerate(read, 1))
        if folder is not None:  # all are written, whatever is printed
            rows = list(rows)
        shown = in_order(([row[name] for name in listing.names] for row in rows), listing)
        show(listing.names, itertools.islice(shown, limit), style)
    return reading.code


def check_options(
    follow: bool, following: Mapping[str, object], listing: Mapping[str, object]
) -> None:
    """UsageError for an option that has no effect on one stream, or on the list of them."""
    for name, value in (listing if follow else following).items():
        if value is not None and value is not False:
            if follow:
                raise click.UsageError(f"--follow and {name}: give one of them")
            raise click.UsageError(f"{name} is for --follow")


def streams(
    reading: Reading, found: Iterator[natkit.Stream], tick: Tick
) -> Iterator[natkit.Stream]:
    """Streams, those before damage and after it, up to Ctrl-C."""
    for stream in reading.until_interrupted(found, after_damage=True):
        tick(0)
        yield stream


def described(number: int, stream: natkit.Stream) -> dict[str, Any]:
    """All that a row may have of a stream."""
    ways = {"fwd": stream.fwd, "rev": stream.rev}
    row = {
        "number": number,
        "first_time": iso(stream.first_time_ns),
        "last_time": iso(stream.last_time_ns),
        "duration": (stream.last_time_ns - stream.first_time_ns) / 1e9,
        "version": stream.version,
        "src_prefix": str(stream.src_prefix),
        "src_port": stream.src_port,
        "dst_prefix": str(stream.dst_prefix),
        "dst_port": stream.dst_port,
    }
    begun: list[int | None] = []
    for name, way in ways.items():
        gaps = way.gaps
        missing = sum(size for _, size in gaps)
        row[f"{name}_bytes"] = len(way) - missing
        row[f"{name}_gaps"] = len(gaps)
        row[f"{name}_missing"] = missing
        row[f"{name}_dropped"] = way.dropped
        begun.append(way.time_at(0) if len(way) else None)
    row["is_whole"] = stream.fwd.is_whole and stream.rev.is_whole
    asked, answered = begun
    row["response_time"] = None
    if asked is not None and answered is not None:
        row["response_time"] = (answered - asked) / 1e9
    row["end"] = stream.end
    return row


def key_of(value: Any, name: str) -> Any:
    """What a value is sorted by."""
    if name in ADDRESSES:
        prefix = ipp.from_s(value)
        return prefix.version, prefix
    return value


def in_order(rows: Iterable[Sequence[Any]], listing: Listing) -> Iterator[Sequence[Any]]:
    """The rows, sorted where that is asked for."""
    if listing.sort is None:
        yield from rows
        return
    kept = list(rows)
    at = listing.names.index(listing.sort)
    found = [None if row[at] is None else key_of(row[at], listing.sort) for row in kept]
    for n in first(found, listing.down, listing.limit):
        yield kept[n]


# --- One stream, and files -------------------------------------------------------------------


def followed(
    reading: Reading, read: Iterator[natkit.Stream], number: int, form: str, way: str, json: bool
) -> int:
    """Print a stream; Failure where there are fewer."""
    last = 0
    for last, stream in enumerate(read, 1):  # noqa: B007  it tells how many there are
        if last == number:
            break
    else:
        if reading.code == 130:
            return 130
        raise Failure(f"there is no stream {number}: there are {last}")
    if form == "raw":
        for mark, _, _, content in follow.turns(stream):
            if way in (mark, "both"):
                for part in content:
                    sys.stdout.buffer.write(bytes(part))  # of a number, so many zeros
    elif json:
        for line in json_lines(stream, way, form == "hex"):
            print(line)
    else:
        for line in follow.lines(stream, way, form == "hex"):
            print(line)
    return reading.code


def json_lines(stream: natkit.Stream, way: str, hexadecimal: bool) -> Iterator[str]:
    """An object a turn, or for what follows a gap."""
    for mark, time, offset, content in follow.turns(stream):
        for at, part in follow.parts(offset, content) if way in (mark, "both") else ():
            row = {"way": mark, "time": iso(time), "offset": at}
            if isinstance(part, int):
                row["missing"] = part
            else:
                row["data"] = part.hex() if hexadecimal else follow.as_text(part)
            yield json_module.dumps(row, ensure_ascii=False)


def written(
    read: Iterator[natkit.Stream], folder: str, reading: Reading
) -> Iterator[natkit.Stream]:
    """Streams, each written to the files of its number; none for an end that sent nothing."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror}") from None
    for number, stream in enumerate(read, 1):
        for mark, way in (("fwd", stream.fwd), ("rev", stream.rev)):
            if not len(way):
                continue
            name = os.path.join(folder, f"{number:04}.{mark}")
            check_output(name, reading.sources)
            with whole(name) as part, open(part, "wb") as file:
                file.write(way.data)
        yield stream


# --- The same in Python ----------------------------------------------------------------------


def list_program(opened: str, constants: list[str], listing: Listing) -> str:
    """A program that prints the rows."""
    steps = [
        f"streams = {opened}",
        "found = (described(n, s) for n, s in enumerate(streams, 1))",
        "found = ([row[name] for name in FIELDS] for row in found)",
    ]
    functions = [in_program(iso), in_program(described)]
    imports = ["natkit", "import numpy as np"]
    title = "List TCP streams."
    return rows_program(title, imports, constants, functions, steps, listing)


def write_program(opened: str, constants: list[str], listing: Listing) -> str:
    """A program that writes all streams, and prints the rows."""
    functions = [in_program(iso), in_program(described)]
    steps = [
        "os.makedirs(FOLDER, exist_ok=True)",
        "found = []",
        f"streams = {opened}",
        "for number, stream in enumerate(streams, 1):",
        '    for name, way in (("fwd", stream.fwd), ("rev", stream.rev)):',
        "        if len(way):",
        '            with open(f"{FOLDER}/{number:04}.{name}", "wb") as file:',
        "                file.write(way.data)",
        "    row = described(number, stream)",
        "    found.append([row[name] for name in FIELDS])",
    ]
    imports = ["os", "natkit", "import numpy as np"]
    title = "Write the bytes of TCP streams to files."
    return rows_program(title, imports, constants, functions, steps, listing)


def follow_program(
    opened: str, constants: list[str], number: int, form: str, way: str, json: bool
) -> str:
    """A program that prints one stream."""
    functions: list[Callable[..., object]] = [follow.turns]
    imports = ["from itertools import islice", "natkit"]
    steps = [f"streams = {opened}", f"stream = next(islice(streams, {number - 1}, None))"]
    if form == "raw":
        imports.append("sys")
        steps += [
            "for mark, _, _, content in turns(stream):",
            *([] if way == "both" else [f'    if mark != "{way}":', "        continue"]),
            "    for part in content:",
            "        sys.stdout.buffer.write(bytes(part))",
        ]
    elif json:
        functions += [follow.parts, follow.as_text, iso, json_lines]
        imports += ["json", "import numpy as np"]
        steps += [f'for line in json_lines(stream, "{way}", {form == "hex"}):', "    print(line)"]
    else:
        functions += [follow.parts, follow.as_text, follow.as_hex, follow.lines]
        steps += [f'for line in lines(stream, "{way}", {form == "hex"}):', "    print(line)"]
    texts = [
        in_program(f).replace("follow.", "").replace("json_module.", "json.") for f in functions
    ]
    main = "\n" + "\n".join(steps)
    title = f"Print what both ends of TCP stream {number} said."
    return program(title, imports, "\n".join(constants), *texts, main)
