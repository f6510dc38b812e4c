"""`plt convert`: traces as Parquet, CSV, JSON lines or another trace format."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, Any

import click

import pldns
import plt
from plt.cli import dns, flows, options, packets, parquet
from plt.cli.outputs import (
    TRACES,
    check_output,
    check_terminal,
    trace_format,
    whole,
    write,
)
from plt.cli.programs import call, constant, decap_given, file_program, read_fields, trace_program
from plt.cli.progress import Tick, bar
from plt.cli.rows import LISTS, in_turn, with_version
from plt.cli.show import text
from plt.cli.sources import BATCH, Reading
from plt.cli.words import Failure, Filter, one_line
from plt.shared import Decap

#: Formats of tables by the end of a file's name.
ENDINGS = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip
KNOWN = {"packets": packets.known, "flows": flows.known, "dns": dns.known}
#: The tables that an option is for.
TABLES = {
    "tcp": ("flows",), "decap": ("packets", "flows"), "first": ("flows",),
    "statistics": ("flows",), "reassemble": ("dns",),
}  # fmt: skip
DEFAULT = {"packets": packets.FIELDS, "flows": flows.FIELDS, "dns": dns.FIELDS}


def known() -> list[str]:
    """The columns of all tables."""
    names = [*packets.known(), *flows.known(), *dns.known()]
    return list(dict.fromkeys(names))


@click.command(
    "convert",
    short_help="Write Parquet, CSV, JSON lines or a trace.",
    epilog=options.example(
        "plt convert -o trace.parquet trace.pcap.gz",
        "plt convert --table flows -o flows.csv trace.pcap.gz",
        "plt convert -o trace.pcap trace.erf.gz",
    ),
)
@options.sources
@options.output("The file to write; - is standard output.")
@click.option(
    "--format",
    "wanted",
    type=click.Choice(["parquet", "csv", "tsv", "jsonl", "pcap", "pcapng", "erf"]),
    help="Its format, which otherwise the end of its name tells, as in x.csv.gz.",
)
@click.option(
    "--table",
    type=click.Choice([*KNOWN]),
    default="packets",
    show_default=True,
    help="What a row is.",
)
@click.option(
    "--fields", type=options.Names(known), metavar="NAME,...", help="The columns of the table."
)
@options.filtered
@options.tcp_quality
@options.decapsulated
@options.early_packets
@options.reassembled
@options.python
def command(
    sources: tuple[str, ...],
    output: str,
    wanted: str | None,
    table: str,
    fields: tuple[str, ...] | None,
    filter: Filter,
    tcp: bool,
    decap: Decap,
    first: int | None,
    statistics: bool,
    reassemble: bool,
    python: bool,
) -> int:
    """Write traces in another format: a table of packets, flows or DNS messages, or a trace.

    Addresses are text. Times are ISO 8601 in UTC, in Parquet timestamps with their zone.
    """
    kind = format_wanted(output, wanted)
    options_given = {
        "tcp": tcp, "decap": decap, "first": first, "statistics": statistics,
        "reassemble": reassemble,
    }  # fmt: skip
    more = {name: value for name, value in options_given.items() if value}
    for option in more:
        if table not in TABLES[option]:
            raise Failure(f"--{option} is for --table {' and '.join(TABLES[option])}")
    if kind in TRACES.values():
        if more:
            raise Failure(f"--{next(iter(more))} is for tables: a trace has whole packets")
        if fields or table != "packets":
            raise Failure("--table and --fields are for tables: a trace has whole packets")
        return to_trace(sources, output, kind, filter, python)
    counting = flows.Counting(tcp=tcp, decap=decap, first=first, statistics=statistics)
    usual = [*DEFAULT[table], *(counting.more_fields if table == "flows" else ())]
    if decap and table == "packets":
        usual += packets.TUNNEL
    names = list(fields or usual)
    for name in names:
        options.known_name(name, KNOWN[table](), table)
    if table == "flows":
        counting.check(names)
    if python:
        print(python_program(sources, output, kind, table, names, filter, more), end="")
        return 0
    write_table = None
    if kind == "parquet":
        check_terminal(output)
        write_table = parquet.writer()
    reading = Reading(sources, filter)
    check_output(output, sources)
    with bar(reading.sources) as tick, whole(output, reading) as part:
        found = tables(reading, table, with_version(names), filter, tick, more)
        if write_table is None:
            with text_file(part, output) as file:
                rows = chain.from_iterable(in_turn(found, names, False, None))
                write_text(file, kind, names, rows)
        else:
            write_table(part, names, found)
    return reading.code


def format_wanted(output: str, wanted: str | None) -> str:
    """The format that is asked for: by --format, else by the name; Failure where there is none."""
    if wanted is not None:
        return {"pcap": "pcapfile"}.get(wanted, wanted)
    path = Path(output)
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    found = ENDINGS.get(ending) or trace_format(output)
    if found is None or (found == "parquet" and path.suffix == ".gz"):
        known = ", ".join([*ENDINGS, *TRACES])
        raise Failure(f"{output}: its name tells no format ({known}): --format says which")
    return found


def to_trace(sources: tuple[str, ...], output: str, kind: str, filter: Filter, python: bool) -> int:
    """Write a trace."""
    if python:
        steps = "\nwith out:\n    for pkt in chain.from_iterable(map(packets, SOURCES)):\n"
        steps += "        out.write_packet(pkt)\n"
        imports, names = ["from itertools import chain"], [constant("SOURCES", sources)]
        title = "Convert traces."
        made = trace_program(title, imports, names, output, steps, filter=filter, kind=kind)
        print(made, end="")
        return 0
    reading = Reading(sources, filter)
    check_output(output, sources)
    with bar(reading.sources) as tick:
        write(reading.all_packets(filter, None, tick), output, reading, kind)
    return reading.code


def tables(
    reading: Reading,
    table: str,
    names: list[str],
    filter: Filter,
    tick: Tick,
    more: Mapping[str, Any],
) -> Iterator[plt.Table]:
    """The tables of packets, flows or messages, one at least."""
    if table == "flows":
        counted = flows.Counting(**more).table()
        flows.count(reading, counted, filter, tick)
        yield from flows.all_flows(counted, names)
        return
    package = plt if table == "packets" else pldns
    try:
        read = package.columns(reading.sources, names, filter=filter, batch=BATCH, **more)
    except plt.LibtraceError as error:  # a pipe's, which is no matter of the file to write
        raise Failure(one_line(error)) from error
    with read as columns:
        empty = True
        for batch in reading.batches(columns, tick):
            empty = False
            yield batch
        if empty and reading.code != 130:
            yield columns.table()


@contextlib.contextmanager
def text_file(part: str, name: str) -> Iterator[IO[str]]:
    """A file of text to write, compressed where its right name says so."""
    if part == "-":
        yield sys.stdout
        sys.stdout.flush()
    elif name.endswith(".gz"):
        with gzip.open(part, "wt", encoding="utf-8", newline="") as packed:
            yield packed
    else:
        with open(part, "w", encoding="utf-8", newline="") as file:
            yield file


def python_program(
    sources: tuple[str, ...],
    output: str,
    kind: str,
    table: str,
    names: list[str],
    filter: Filter,
    more: Mapping[str, Any],
) -> str:
    """The Python program that writes the same table."""
    ports, words = decap_given(more.get("decap", False))
    constants = [constant("SOURCES", sources), constant("OUTPUT", output), *ports]
    package = {"packets": "plt", "flows": "natkit", "dns": "pldns"}[table]
    if table == "flows":
        steps, batches = flows.Counting(**more).python_steps(names, filter)
    else:
        read = read_fields(names)
        named = {**more, "filter": filter, "decap": None}
        steps, batches = [], call(f"{package}.columns", "SOURCES", read, *words, **named)
    title = f"Write {table} as {kind}."
    return file_program(title, [package], constants, steps, batches, names, kind, output)


def write_text(
    file: IO[str], kind: str, names: list[str], rows: Iterable[tuple[object, ...]]
) -> None:
    """Write rows as CSV, tab-separated text or JSON lines."""
    if kind == "jsonl":
        for row in rows:
            print(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False), file=file)
        return
    writer = csv.writer(file, delimiter="\t" if kind == "tsv" else ",", lineterminator="\n")
    writer.writerow(names)
    if {*LISTS} & {*names}:
        rows = (tuple(map(text, row)) for row in rows)
    writer.writerows(rows)
