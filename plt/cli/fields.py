"""`plt fields`: which columns there are."""

from __future__ import annotations

import inspect
import re

import click

import natkit
import pldns
import plt
from plt.cli import flows, options, streams
from plt.cli.show import TIMES, Style, show


@click.command(
    "fields",
    short_help="List the columns that there are.",
    epilog=options.example("plt fields flows", "plt fields packets | grep tcp"),
)
@click.argument("table", type=click.Choice(["packets", "flows", "streams", "dns"]))
@options.as_json
@options.header
def command(table: str, json: bool, header: bool) -> int:
    """List the columns of packets, flows, TCP streams or DNS messages, and what they hold."""
    if table == "flows":
        rows = {name: of_flow(name) for name in flows.known()}
    elif table == "streams":
        rows = streams.COLUMNS
    else:
        rows = (plt if table == "packets" else pldns).column_fields()
    show(("name", "what"), rows.items(), Style(json, header))
    return 0


def of_flow(name: str) -> str:
    """What a column of flows holds: a time has the name of its attribute without the unit."""
    option = flows.option_of(name)
    what = described(name)
    return f"{what} (--{option})" if option else what


def described(name: str) -> str:
    """The docstring of its attribute."""
    attribute = getattr(natkit.Flow, name, None) or getattr(natkit.Flow, f"{name}_ns")
    text = re.sub(r"(\w)_ns\b", r"\1", " ".join((inspect.getdoc(attribute) or "").split()))
    if name in TIMES:
        return re.sub(r": nanoseconds( since the epoch)?| Nanoseconds since the epoch,", "", text)
    text = text.replace("whole nanoseconds", "seconds").replace("Nanoseconds", "Seconds")
    return text.replace("nanoseconds", "seconds")
