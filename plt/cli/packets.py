"""`plt packets`: a row a packet."""

from __future__ import annotations

from typing import Any, cast

import click

import plt
from plt.cli import options
from plt.cli.listing import Listing
from plt.cli.programs import call, constant, decap_given, listing_program, read_fields
from plt.cli.progress import bar
from plt.cli.rows import with_version
from plt.cli.show import Style
from plt.cli.sources import BATCH, Reading, any_streaming
from plt.cli.words import Filter
from plt.shared import Decap

FIELDS = ("time", "src", "src_port", "dst", "dst_port", "proto", "tcp.flags", "wire_len")
TUNNEL = ("tunnel.kind", "tunnel.id")  # printed too where tunnels are looked through


def known() -> list[str]:
    """The columns that there are."""
    return list(plt.column_fields())


@click.command(
    "packets",
    epilog=options.example(
        "plt packets --filter 'udp port 53' --limit 10 trace.pcap.gz",
        "plt packets --fields src,wire_len --sort wire_len trace.pcap.gz | head",
        "plt packets --decap --fields tunnel.kind,tunnel.id,src,dst trace.pcap.gz",
    ),
)
@options.sources
@options.filtered
@options.decapsulated
@options.columns(known, "packets", FIELDS)
@click.option(
    "-n",
    "--number",
    is_flag=True,
    help="Number the packets from 1: those that match a filter, of all sources.",
)
@options.rows_printed
@options.python
def command(
    sources: tuple[str, ...],
    filter: Filter,
    decap: Decap,
    fields: tuple[str, ...] | None,
    sort: str | None,
    reverse: bool,
    number: bool,
    limit: int | None,
    json: bool,
    header: bool,
    python: bool,
) -> int:
    """Print a row for each packet."""
    default = (*FIELDS, *TUNNEL) if decap else FIELDS
    style = Style(json, header, any_streaming(sources))
    listing = Listing.of(default, default, fields, sort, reverse, limit, style, number)
    most = None if sort else limit
    if python:
        read = read_fields(listing.names)
        ports, words = decap_given(decap)
        columns = call("plt.columns", "SOURCES", read, *words, filter=filter, limit=most)
        title = "Print a row for each packet."
        constants = [constant("SOURCES", sources), *ports]
        print(listing_program(title, (), constants, (), columns, listing), end="")
        return 0
    reading = Reading(sources, filter)
    names = with_version(listing.names)
    columns_read = plt.columns(
        reading.sources,
        cast("Any", names),
        filter=filter,
        limit=most,
        batch=BATCH,
        decap=decap,
    )
    with columns_read as batches, bar(reading.sources, printing=not sort) as tick:
        listing.show(reading.batches(batches, tick))
    return reading.code
