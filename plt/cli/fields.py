"""`plt fields`: which columns there are."""

from __future__ import annotations

import inspect

import click

import natkit
import pldns
import plt
from plt.cli import flows, options
from plt.cli.show import TIMES, Style, show


@click.command(
    "fields",
    short_help="List the columns that there are.",
    epilog=options.example("plt fields flows", "plt fields packets | grep tcp"),
)
@click.argument("table", type=click.Choice(["packets", "flows", "dns"]))
@options.as_json
@options.header
def command(table: str, json: bool, header: bool) -> int:
    """List the columns of packets, flows or DNS messages, and what they hold."""
    if table == "flows":
        rows = {name: of_flow(name) for name in flows.known()}
    else:
        rows = (plt if table == "packets" else pldns).column_fields()
    show(("name", "what"), rows.items(), Style(json, header))
    return 0


def of_flow(name: str) -> str:
    """What a column of flows holds: a time has the name of its attribute without the unit."""
    attribute = getattr(natkit.Flow, name, None) or getattr(natkit.Flow, f"{name}_ns")
    text = " ".join((inspect.getdoc(attribute) or "").split()).replace("_time_ns", "_time")
    if name in TIMES:
        return text.replace(": nanoseconds since the epoch", "").replace(": nanoseconds", "")
    return text.replace("nanoseconds", "seconds")
