"""`plt flows`: a row a flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import click

import ipp
import natkit
import plt
from plt.cli import options
from plt.cli.listing import Listing
from plt.cli.programs import call, constant, listing_program, read_fields
from plt.cli.progress import Tick, bar
from plt.cli.rows import with_version
from plt.cli.show import Style
from plt.cli.sources import Reading, any_live
from plt.cli.words import SECOND, Filter

FIELDS = (
    "first_time", "duration", "proto", "src_prefix", "src_port", "dst_prefix", "dst_port",
    "packets", "bytes", "state",
)  # fmt: skip
NARROW = tuple(name for name in FIELDS if name not in ("first_time", "duration"))


def known() -> list[str]:
    """The columns that there are."""
    return natkit.FlowTable().columns().names


@click.command(
    "flows",
    short_help="Print a row for each flow.",
    epilog=options.example(
        "plt flows --limit 10 trace.pcap.gz",
        "plt flows --home 192.0.2.0/24 --filter tcp --sort retransmits trace.pcap.gz",
    ),
)
@options.sources
@options.filtered
@options.columns(known, FIELDS)
@click.option(
    "--home",
    multiple=True,
    metavar="PREFIX",
    help="The home network: forward is into it. May be given several times.",
)
@click.option(
    "--idle-timeout",
    type=options.DURATION,
    metavar="TIME",
    help="End a flow when no packet came for so long.",
)
@click.option(
    "--active-timeout", type=options.DURATION, metavar="TIME", help="End a flow that is so old."
)
@click.option("--vlan", is_flag=True, help="Keep flows of several VLANs apart.")
@options.rows_printed
@options.python
def command(
    sources: tuple[str, ...],
    filter: Filter,
    fields: tuple[str, ...] | None,
    sort: str | None,
    reverse: bool,
    home: tuple[str, ...],
    idle_timeout: int | None,
    active_timeout: int | None,
    vlan: bool,
    limit: int | None,
    json: bool,
    header: bool,
    python: bool,
) -> int:
    """Print a row for each flow, both directions together: the most bytes first.

    Forward is the direction of a flow's first packet.
    """
    listing = Listing.of(
        FIELDS,
        NARROW,
        fields,
        sort or "bytes",
        reverse,
        limit,
        Style(json, header, any_live(sources)),
    )
    prefixes = [ipp.from_s(prefix) for prefix in home]
    idle, active = seconds(idle_timeout), seconds(active_timeout)
    if python:
        constants = [constant("SOURCES", sources)]
        if home:
            constants.append(constant("HOME", home))
        steps, batches = python_steps(listing.names, filter, home, idle, active, vlan)
        title = "Print a row for each flow."
        print(listing_program(title, ["natkit"], constants, steps, batches, listing), end="")
        return 0
    reading = Reading(sources, filter)
    table = natkit.FlowTable(natkit.FlowHome(*prefixes) if home else None, idle, active, vlan)
    with bar(sources) as tick:
        count(reading, table, filter, tick)
    listing.show(all_flows(table, with_version(listing.names)))
    return reading.code


def python_steps(
    names: list[str],
    filter: Filter,
    home: tuple[str, ...] = (),
    idle: float | None = None,
    active: float | None = None,
    vlan: bool = False,
) -> tuple[list[str], str]:
    """The lines of a Python program that count flows, and the tables that they make."""
    made = call(
        "natkit.FlowTable",
        *(["natkit.FlowHome(*map(ipp.from_s, HOME))"] if home else []),
        idle_timeout=idle,
        active_timeout=active,
        vlan=vlan or None,
    )
    add = call("table.add_trace", "source", filter=filter)
    steps = [f"table = {made}", "for source in SOURCES:", f"    {add}", "table.flush()"]
    return steps, f"[table.expired().columns({read_fields(names)})]"


def seconds(time: int | None) -> float | None:
    """Nanoseconds as seconds."""
    return None if time is None else time / SECOND


def count(reading: Reading, table: natkit.FlowTable, filter: Filter, tick: Tick) -> None:
    """Count all packets in their flows: those before damage too, and before Ctrl-C."""
    for source in reading.sources:
        read = table.packets
        try:
            table.add_trace(source, filter, Packets(tick, read))
        except plt.LibtraceError as error:
            reading.tell(error)
        except KeyboardInterrupt:
            reading.code = 130
            return


class Packets:
    """Tells of the packets read of several sources."""

    def __init__(self, tick: Tick, read: int) -> None:
        self.tick = tick
        self.read = read

    def update(self, packets: int, /) -> None:
        """So many more."""
        self.read += packets
        self.tick(self.read)


def all_flows(table: natkit.FlowTable, names: list[str]) -> Iterator[plt.Table]:
    """All flows of a table, those that go on too, in one table of columns."""
    table.flush()
    yield table.expired().columns(cast("Any", names))
