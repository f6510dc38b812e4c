"""`plt flows`: a row a flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import click

import ipp
import natkit
import plt
from plt.cli import options
from plt.cli.listing import Listing
from plt.cli.programs import call, constant, decap_given, listing_program, read_fields
from plt.cli.progress import Tick, bar
from plt.cli.rows import LISTS, with_version
from plt.cli.show import Style
from plt.cli.sources import Reading, any_streaming
from plt.cli.words import SECOND, Failure, Filter
from plt.shared import Decap

FIELDS = (
    "first_time", "duration", "proto", "src_prefix", "src_port", "dst_prefix", "dst_port",
    "packets", "bytes", "state",
)  # fmt: skip
NARROW = tuple(name for name in FIELDS if name not in ("first_time", "duration"))
LEAST = ("src_prefix", "src_port", "dst_prefix", "dst_port", "bytes")  # and what is asked for
#: What is printed too where it is counted.
MORE: dict[str, tuple[str, ...]] = {
    "tcp": ("client_rtt", "server_rtt", "fwd_resent_segments", "rev_resent_segments"),
    "decap": ("tunnel_kind", "tunnel_id"),
    "first": LISTS,
    "statistics": ("size_mean", "size_std", "gap_mean"),
}


@dataclass(frozen=True)
class Counting:
    """What is counted of flows, and which packets are one."""

    home: tuple[str, ...] = ()
    idle_timeout: float | None = None
    active_timeout: float | None = None
    vlan: bool = False
    tcp: bool = False
    decap: Decap = False
    first: int | None = None
    statistics: bool = False

    def arguments(self) -> dict[str, Any]:
        """FlowTable's that are given, but for the home."""
        names = ("idle_timeout", "active_timeout", "vlan", "tcp", "decap", "first", "statistics")
        given = {name: getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value is not None}

    def table(self) -> natkit.FlowTable:
        """An empty table that counts so."""
        prefixes = list(map(home_prefix, self.home))
        home = natkit.FlowHome(*prefixes) if prefixes else None
        return natkit.FlowTable(home, **self.arguments())

    @property
    def more_fields(self) -> tuple[str, ...]:
        """Columns to print besides the usual."""
        return tuple(
            name for option, names in MORE.items() if getattr(self, option) for name in names
        )

    def check(self, names: Sequence[str]) -> None:
        """Failure where a column is that of an option that was not given."""
        there = self.table().columns().names
        for name in names:
            if name not in there:
                raise Failure(f"{name} is a column of plt flows --{option_of(name)}")

    def python_steps(self, names: list[str], filter: Filter) -> tuple[list[str], str]:
        """The lines of a Python program that count flows, and the tables that they make."""
        home = ["natkit.FlowHome(*map(ipp.from_s, HOME))"] if self.home else []
        words = decap_given(self.decap)[1]
        made = call("natkit.FlowTable", *home, *words, **{**self.arguments(), "decap": None})
        add = call("table.add_trace", "source", filter=filter)
        steps = [f"table = {made}", "for source in SOURCES:", f"    {add}", "table.flush()"]
        return steps, f"[table.expired().columns({read_fields(names)})]"


def home_prefix(text: str) -> ipp.IPprefix:
    """A home network; Failure where the text is none."""
    try:
        prefix = ipp.from_s(text)
    except ValueError as error:
        raise Failure(f"--home: {error}") from None
    if prefix.length is None:
        length = 24 if prefix.version == 4 else 64
        raise Failure(f"--home: {text} is an address: a network is {text}/{length}")
    return prefix


def option_of(name: str) -> str | None:
    """The option whose column it is; None for one that is always there."""
    if name in natkit.FlowTable().columns().names:
        return None
    options = (Counting(**{option: True}) for option in MORE)  # type: ignore[arg-type]
    found = (counting.table().columns().names for counting in options)
    return next(option for option, names in zip(MORE, found, strict=True) if name in names)


def known() -> list[str]:
    """The columns that there are."""
    return Counting(**dict.fromkeys(MORE, True)).table().columns().names  # type: ignore[arg-type]


@click.command(
    "flows",
    short_help="Print a row for each flow.",
    epilog=options.example(
        "plt flows --limit 10 trace.pcap.gz",
        "plt flows --home 192.0.2.0/24 --filter tcp --sort retransmits trace.pcap.gz",
        "plt flows --tcp --sort server_rtt --limit 10 trace.pcap.gz",
        "plt flows --first 6 --fields dst_port,first_ways,first_sizes trace.pcap.gz",
    ),
)
@options.sources
@options.filtered
@options.columns(known, "flows", FIELDS)
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
@options.tcp_quality
@options.decapsulated
@options.early_packets
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
    tcp: bool,
    decap: Decap,
    first: int | None,
    statistics: bool,
    limit: int | None,
    json: bool,
    header: bool,
    python: bool,
) -> int:
    """Print a row for each flow, both directions together: the most bytes first.

    Forward is the direction of a flow's first packet.
    """
    timeouts = seconds(idle_timeout), seconds(active_timeout)
    counting = Counting(home, *timeouts, vlan, tcp, decap, first, statistics)
    if sort in LISTS:
        raise Failure(f"--sort {sort}: its values are lists, which have no order")
    more = counting.more_fields
    style = Style(json, header, any_streaming(sources))
    usual: tuple[str, ...] = FIELDS
    if style.on_terminal and (first or statistics):  # there is no room for more
        usual = LEAST
        more = tuple(name for name in more if name != "first_gaps")
    listing = Listing.of(
        (*usual, *more),
        (*LEAST, *more) if more else NARROW,
        fields,
        sort or "bytes",
        reverse,
        limit,
        style,
    )
    counting.check(listing.names)
    if python:
        constants = [constant("SOURCES", sources), *decap_given(decap)[0]]
        if home:
            constants.append(constant("HOME", home))
        steps, batches = counting.python_steps(listing.names, filter)
        title = "Print a row for each flow."
        print(listing_program(title, ["natkit"], constants, steps, batches, listing), end="")
        return 0
    reading = Reading(sources, filter)
    table = counting.table()
    with bar(reading.sources) as tick:
        count(reading, table, filter, tick)
    listing.show(all_flows(table, with_version(listing.names)))
    return reading.code


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
