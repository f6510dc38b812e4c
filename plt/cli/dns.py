"""`plt dns`: a row a DNS message."""

from __future__ import annotations

from typing import Any, cast

import click

import pldns
from plt.cli import options
from plt.cli.listing import Listing
from plt.cli.programs import call, constant, listing_program, read_fields
from plt.cli.progress import bar
from plt.cli.rows import with_version
from plt.cli.show import Style
from plt.cli.sources import BATCH, Reading, any_streaming
from plt.cli.words import SECOND, Filter

FIELDS = ("time", "src", "dst", "qr", "qname", "qtype", "rcode", "response_time")
NARROW = FIELDS[1:]


def known() -> list[str]:
    """The columns that there are."""
    return list(pldns.column_fields())


@click.command(
    "dns",
    short_help="Print a row for each DNS message.",
    epilog=options.example(
        "plt dns --sort response_time --limit 10 trace.pcap.gz",
        "plt dns --ports 53,5353 --fields qname,qtype --no-header trace.pcap.gz | sort | uniq -c",
        "plt dns --reassemble --where tcp trace.pcap.gz",
    ),
)
@options.sources
@options.filtered
@options.columns(known, "dns", FIELDS)
@click.option(
    "--ports",
    type=options.NUMBERS,
    default="53",
    show_default=True,
    metavar="N,...",
    help="The ports that DNS is at.",
)
@click.option(
    "--timeout",
    type=options.DURATION,
    default="10s",
    show_default=True,
    metavar="TIME",
    help="How long a query waits for its response.",
)
@options.reassembled
@options.rows_printed
@options.python
def command(
    sources: tuple[str, ...],
    filter: Filter,
    fields: tuple[str, ...] | None,
    sort: str | None,
    reverse: bool,
    ports: tuple[int, ...],
    timeout: int,
    reassemble: bool,
    limit: int | None,
    json: bool,
    header: bool,
    python: bool,
) -> int:
    """Print a row for each DNS message of UDP and TCP, with the response times."""
    listing = Listing.of(
        FIELDS, NARROW, fields, sort, reverse, limit, Style(json, header, any_streaming(sources))
    )
    if python:
        read = read_fields(listing.names)
        seconds = None if timeout == 10 * SECOND else timeout / SECOND
        numbers = None if ports == (53,) else list(ports)
        columns = call(
            "pldns.columns",
            "SOURCES",
            read,
            filter=filter,
            ports=numbers,
            timeout=seconds,
            reassemble=reassemble,
        )
        title = "Print a row for each DNS message."
        made = listing_program(
            title, ["pldns"], [constant("SOURCES", sources)], (), columns, listing
        )
        print(made, end="")
        return 0
    reading = Reading(sources, filter)
    columns_read = pldns.columns(
        reading.sources,
        cast("Any", with_version(listing.names)),
        filter=filter,
        batch=BATCH,
        ports=ports,
        timeout=timeout / SECOND,
        reassemble=reassemble,
    )
    with columns_read as batches, bar(reading.sources, printing=not sort) as tick:
        listing.show(reading.batches(batches, tick))
    return reading.code
