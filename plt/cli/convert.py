"""`plt convert`: traces as Parquet, CSV, JSON lines or another trace format."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import click

import natkit
import pldns
import plt
from plt.cli import dns, flows, options, packets, parquet
from plt.cli.outputs import TRACES, check_output, trace_format, whole, write
from plt.cli.programs import call, constant, file_program, read_fields, trace_program
from plt.cli.progress import Tick, bar
from plt.cli.rows import in_turn, with_version
from plt.cli.sources import Reading
from plt.cli.words import Failure, Filter

#: Formats of tables by the end of a file's name.
ENDINGS = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip
KNOWN = {"packets": packets.known, "flows": flows.known, "dns": dns.known}
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
    help="Its format, which otherwise its name tells; .gz after it compresses.",
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
@options.python
def command(
    sources: tuple[str, ...],
    output: str,
    wanted: str | None,
    table: str,
    fields: tuple[str, ...] | None,
    filter: Filter,
    python: bool,
) -> int:
    """Write traces in another format: a table of packets, flows or DNS messages, or a trace.

    Addresses are text. Times are ISO 8601 in UTC, in Parquet timestamps with their zone.
    """
    kind = format_wanted(output, wanted)
    if kind in TRACES.values():
        if fields or table != "packets":
            raise Failure("--table and --fields are for tables: a trace has whole packets")
        return to_trace(sources, output, kind, filter, python)
    names = list(fields or DEFAULT[table])
    for name in names:
        options.known_name(name, KNOWN[table]())
    if python:
        print(python_program(sources, output, kind, table, names, filter), end="")
        return 0
    write_table = parquet.writer() if kind == "parquet" else None
    reading = Reading(sources, filter)
    check_output(output, sources)
    with bar(sources) as tick, whole(output, reading) as part:
        found = tables(reading, table, with_version(names), filter, tick)
        if write_table is None:
            with text_file(part, output) as file:
                write_text(file, kind, names, in_turn(found, names, False, None))
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
    with bar(sources) as tick:
        write(reading.all_packets(filter, None, tick), output, reading, kind)
    return reading.code


def tables(
    reading: Reading, table: str, names: list[str], filter: Filter, tick: Tick
) -> Iterator[plt.Table]:
    """The tables of packets, flows or messages, one at least."""
    if table == "flows":
        counted = natkit.FlowTable()
        flows.count(reading, counted, filter, tick)
        yield from flows.all_flows(counted, names)
        return
    package = plt if table == "packets" else pldns
    with package.columns(reading.sources, names, filter=filter, batch=reading.batch) as columns:
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
) -> str:
    """The Python program that writes the same table."""
    constants = [constant("SOURCES", sources), constant("OUTPUT", output)]
    package = {"packets": "plt", "flows": "natkit", "dns": "pldns"}[table]
    if table == "flows":
        steps, batches = flows.python_steps(names, filter)
    else:
        read = read_fields(names)
        steps, batches = [], call(f"{package}.columns", "SOURCES", read, filter=filter)
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
    writer.writerows(rows)
