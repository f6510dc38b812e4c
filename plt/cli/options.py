"""What several commands take."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

import plt
from plt._near import near_names
from plt.cli import words
from plt.cli.names import ADDRESSES
from plt.cli.show import TIMES
from plt.cli.words import Failure

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # before 8.4 it takes no type

F = TypeVar("F", bound=Callable[..., Any])


class Quantity(ParamType):
    """A text that a function of `words` reads."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text says; a usage error where it says nothing."""
        try:
            return self.read(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


DURATION = Quantity("time", words.duration_ns)
SIZE = Quantity("size", words.size_bytes)
RANGES = Quantity("numbers", words.ranges)
NUMBERS = Quantity("numbers", words.numbers)


class Names(ParamType):
    """Names of columns, separated by commas, that a shell completes."""

    name = "names"

    def __init__(self, known: Callable[[], Sequence[str]], table: str | None = None) -> None:
        """Names of a table's columns; where it is None, they are checked by who takes them."""
        self.known = known
        self.table = table

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002  click's own
        ctx: click.Context | None,  # noqa: ARG002
    ) -> tuple[str, ...]:
        """The names; Failure where one is unknown."""
        names = tuple(words.listed(value)) if isinstance(value, str) else tuple(value)
        if self.table is not None:
            for name in names:
                known_name(name, self.known(), self.table)
        return names

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  click's own
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[Any]:
        """The names that begin as what was typed after the last comma."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  for shells only

        before, comma, begun = incomplete.rpartition(",")
        return [
            CompletionItem(f"{before}{comma}{name}")
            for name in self.known()
            if name.startswith(begun)
        ]


def known_name(name: str, known: Sequence[str], table: str) -> str:
    """The name of a table's column; Failure, with near ones, where it is none."""
    if name in known:
        return name
    near = near_names(name, known)
    hint = f"near: {', '.join(near)}; " if near else ""
    raise Failure(f"no column is named {name!r}; {hint}plt fields {table} lists all")


def all_of(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several decorators as one, the first one's option first in the help."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


#: A file; that it can't be read is said when it is opened, as of other sources.
PATH = click.Path(readable=False)
sources = click.argument("sources", nargs=-1, required=True, type=PATH, metavar="SOURCE...")


def filtered(function: F) -> F:
    """The packets that a command takes: its argument is an expression or a condition."""

    @click.option(
        "--filter",
        metavar="EXPR",
        help="Only packets that match: tcpdump's language, 'tcp port 80'.",
    )
    @click.option(
        "--where",
        metavar="COND",
        help="The same by columns: 'tcp and dst_port == 80'; it sees through VLAN tags.",
    )
    @functools.wraps(function)
    def command(*args: object, filter: str | None, where: str | None, **named: object) -> object:
        if filter is not None and where is not None:
            raise click.UsageError("--filter and --where: give one of them")
        # an expression may have names of hosts, which are looked up when it is compiled
        if filter is not None and is_condition(filter) and not is_expression(filter):
            raise Failure(f"--filter: conditions on columns are for --where: {filter!r}")
        chosen = filter if where is None else condition(where)
        return function(*args, filter=chosen, **named)

    return cast(F, command)


def condition(text: str) -> plt.where:
    """A condition; an error is told in one line."""
    try:
        return plt.where(text)
    except ValueError as error:
        hint = "; tcpdump's language is for --filter" if is_expression(text) else ""
        what = str(error).splitlines()[0]
        raise Failure(f"--where: {what}: {text!r}{hint}") from None


def is_condition(text: str) -> bool:
    """Whether --where takes a text."""
    try:
        plt.where(text)
    except ValueError:
        return False
    return True


def is_expression(text: str) -> bool:
    """Whether --filter takes a text, at least for Ethernet."""
    try:
        plt.packet.from_bytes(bytes(14)).apply_filter(plt.filter(text))
    except (ValueError, plt.LibtraceError):
        return False
    return True


class TunnelPorts(ParamType):
    """A kind of tunnel and the ports that it is at too: vxlan=4790,8473."""

    name = "ports"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, list[int]]:
        """The kind, and its ports; a usage error where the text is none."""
        kind, _, ports = value.partition("=")
        try:
            return kind, list(words.numbers(ports))
        except ValueError as error:
            return self.fail(f"{error}: {kind or 'vxlan'}=4790 is what it takes", param, ctx)


def decapsulated(function: F) -> F:
    """Whether tunnels are looked through, and the ports that they are at besides the usual."""

    @click.option(
        "--decap",
        is_flag=True,
        help="What is inside tunnels (VXLAN, GRE, GTP-U, 6in4 ...); a filter is asked outside.",
    )
    @click.option(
        "--tunnel-ports",
        multiple=True,
        type=TunnelPorts(),
        metavar="KIND=N,...",
        help="The same, with more UDP ports: vxlan=4790. May be given several times.",
    )
    @functools.wraps(function)
    def command(
        *args: object, decap: bool, tunnel_ports: Sequence[tuple[str, list[int]]], **named: object
    ) -> object:
        ports: dict[str, list[int]] = {}
        for kind, numbers in tunnel_ports:
            ports.setdefault(kind, []).extend(numbers)
        return function(*args, decap=ports or decap, **named)

    return cast(F, command)


tcp_quality = click.option(
    "--tcp",
    is_flag=True,
    help="Count TCP's quality too: round-trip times, segments sent again, windows, who closed.",
)
early_packets = all_of(
    click.option(
        "--first",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Direction, size and gap of the first N packets of each flow.",
    ),
    click.option(
        "--statistics",
        is_flag=True,
        help="Minimum, mean, deviation and maximum of sizes and gaps, and packets by TCP flag.",
    ),
)
reassembled = click.option(
    "--reassemble",
    is_flag=True,
    help="Put DNS messages together that TCP segments or IP fragments carry in pieces.",
)
python = click.option(
    "--python", is_flag=True, help="Print the Python program that does the same, and do nothing."
)
as_json = click.option("--json", is_flag=True, help="Print JSON, an object a line.")
header = click.option(
    "--header/--no-header", default=True, help="A first line of names in tab-separated text."
)
limited = click.option(
    "--limit", type=click.IntRange(0, sys.maxsize), metavar="N", help="No more than N rows."
)


def output(what: str) -> Callable[[F], F]:
    """Where a command writes to."""
    return click.option("-o", "--output", required=True, type=PATH, metavar="FILE", help=what)


def columns(
    known: Callable[[], Sequence[str]], table: str, default: Sequence[str]
) -> Callable[[F], F]:
    """Which columns of a table are printed, and by which the rows are sorted."""

    class Name(Names):
        name = "name"

        def convert(self, value: Any, param: Any, ctx: Any) -> Any:
            return super().convert([value.strip()], param, ctx)[0]

    return all_of(
        click.option(
            "--fields",
            type=Names(known, table),
            metavar="NAME,...",
            help=f"The columns. Without it {', '.join(default)}.",
        ),
        click.option(
            "--sort",
            type=Name(known, table),
            metavar="NAME",
            help="By a column: numbers from the largest, times, texts, addresses from the first.",
        ),
        click.option("--reverse", is_flag=True, help="Sort the other way round."),
    )


def descending(sort: str, reverse: bool) -> bool:
    """Whether the largest comes first."""
    upward = sort in (
        *TIMES,
        *ADDRESSES,
        "time_ns",
        "seconds",
        "ts_sec",
        "erf_time",
        "qname",
        "state",
    )
    return upward == reverse


rows_printed = all_of(limited, as_json, header)


def example(*lines: str) -> str:
    """The end of a command's help."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
