"""Rows on standard output: a table on a terminal, tab-separated text elsewhere, or JSON lines."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plt.cli.layout import LEAST, Column, Layout
from plt.cli.names import ADDRESSES, HEADERS, SHOWN, date_and_time, time_of_day

if TYPE_CHECKING:
    from rich.console import Console

Row = Sequence[object]

CHUNK = 1000  # rows of a terminal's table that are laid out at a time
TIMES = (
    "time", "ts", "query_time", "first_time", "last_time", "fwd_first_time", "fwd_last_time",
    "rev_first_time", "rev_last_time", "fwd_first_payload_time", "rev_first_payload_time",
)  # fmt: skip
ADDRESS_WIDTH = 15  # of IPv4
NAMED = ("proto", "qr", "qtype", "rcode", "opcode", "linktype", "tcp.flags")  # numbers as names
WIDE = 110  # columns of a terminal that has room for dates


@dataclass(frozen=True)
class Style:
    """How rows are to be printed."""

    json: bool = False
    header: bool = True
    live: bool = False  # rows are to be seen when they come

    @property
    def on_terminal(self) -> bool:
        """Whether people look at them."""
        return not self.json and sys.stdout.isatty()

    @property
    def narrow(self) -> bool:
        """Whether they look at them where there is little room."""
        return self.on_terminal and console().width < WIDE


def text(value: object) -> str:
    """A value in tab-separated text: nothing where there is none, blanks between a list's."""
    if isinstance(value, list):
        return " ".join("null" if item is None else str(item) for item in value)
    return "" if value is None else str(value)


def show(names: Sequence[str], rows: Iterable[Row], style: Style) -> None:
    """Print rows."""
    left, size = iter(rows), 1 if style.live else CHUNK
    show_together(names, iter(lambda: list(itertools.islice(left, size)), []), style)


def show_together(names: Sequence[str], parts: Iterable[Sequence[Row]], style: Style) -> None:
    """Print rows that come some at a time."""
    if style.on_terminal:
        show_table(names, parts)
        return
    if style.header and not style.json:
        print(*names, sep="\t", flush=style.live)
    for part in parts:
        for row in part:
            if style.json:
                print(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
            else:
                print("\t".join(map(text, row)))
        if style.live:
            sys.stdout.flush()


def console() -> Console:
    """The terminal."""
    from rich.console import Console  # noqa: PLC0415  pipes do without

    return Console(highlight=False)


def show_table(names: Sequence[str], parts: Iterable[Sequence[Row]]) -> None:
    """Print rows as a table, laid out some rows at a time."""
    terminal = console()
    roomy = terminal.width >= WIDE
    whole_time = date_and_time if roomy else time_of_day
    functions: list[Callable[[Any], str]] = [
        whole_time if name in TIMES else SHOWN.get(name, text) for name in names
    ]
    wide: list[int] = []
    chunks = (part[at : at + CHUNK] for part in parts for at in range(0, len(part), CHUNK))
    for chunk in chunks:
        cells = [
            [
                "" if value is None else function(value)
                for function, value in zip(functions, row, strict=True)
            ]
            for row in chunk
        ]
        columns = [column_of(name, [row[n] for row in chunk]) for n, name in enumerate(names)]
        layout = Layout(columns, 2 if roomy else 1, terminal.color_system is not None)
        before, wide = wide, layout.widths(cells, terminal.width, wide)
        for line in layout.lines(cells, wide, header=not before):
            print(line)


def column_of(name: str, values: Sequence[object]) -> Column:
    """How a column of some values is laid out."""
    number = name not in NAMED and all(isinstance(value, int | float | None) for value in values)
    return Column(
        HEADERS.get(name, name),
        right=number,
        folds=not number and name not in TIMES,
        least=ADDRESS_WIDTH if name in (*ADDRESSES, "qname") else LEAST,
        dim=name in TIMES or name == "number",
    )
