"""Rows on standard output: a table on a terminal, tab-separated text elsewhere, or JSON lines."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plt.cli.names import ADDRESSES, HEADERS, SHOWN, date_and_time, time_of_day

if TYPE_CHECKING:
    from rich.console import Console

Row = Sequence[object]

CHUNK = 1000  # rows of a terminal's table that are laid out at a time
TIMES = (
    "time", "ts", "query_time", "first_time", "last_time", "fwd_first_time", "fwd_last_time",
    "rev_first_time", "rev_last_time",
)  # fmt: skip
ADDRESS_WIDTH = 15  # of IPv4
WIDE = 110  # columns of a terminal that has room for dates


@dataclass(frozen=True)
class Style:
    """How rows are to be printed."""

    json: bool = False
    header: bool = True

    @property
    def on_terminal(self) -> bool:
        """Whether people look at them."""
        return not self.json and sys.stdout.isatty()

    @property
    def narrow(self) -> bool:
        """Whether they look at them where there is little room."""
        return self.on_terminal and console().width < WIDE


def text(value: object) -> str:
    """A value in tab-separated text: nothing where there is none."""
    return "" if value is None else str(value)


def show(names: Sequence[str], rows: Iterable[Row], style: Style) -> None:
    """Print rows."""
    if style.json:
        for row in rows:
            print(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
    elif style.on_terminal:
        show_table(names, rows)
    else:
        if style.header:
            print(*names, sep="\t")
        for row in rows:
            print("\t".join(map(text, row)))


def console() -> Console:
    """The terminal."""
    from rich.console import Console  # noqa: PLC0415  pipes do without

    return Console(highlight=False)


def show_table(names: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows as tables of a terminal, one below the other where there are many."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    terminal = console()
    whole_time = date_and_time if terminal.width >= WIDE else time_of_day
    times = [
        name == "time" or (name.endswith("_time") and name != "response_time") for name in names
    ]
    show: list[Callable[[Any], str]] = [
        whole_time if timely else SHOWN.get(name, text)
        for name, timely in zip(names, times, strict=True)
    ]
    left = iter(rows)
    header = True
    while chunk := list(itertools.islice(left, CHUNK)):
        table = Table(
            box=None, padding=(0, 2 if terminal.width >= WIDE else 1, 0, 0), pad_edge=False,
            show_header=header, header_style="bold",
        )  # fmt: skip
        for n, (name, timely) in enumerate(zip(names, times, strict=True)):
            numeric = SHOWN.get(name) is None or name not in ("proto", "qr", "qtype", "rcode")
            number = numeric and all(isinstance(row[n], int | float | None) for row in chunk)
            table.add_column(
                Text(HEADERS.get(name, name)),
                justify="right" if number else "left",
                no_wrap=number or timely,
                overflow="fold",
                min_width=ADDRESS_WIDTH if name in ADDRESSES else None,
                style="dim" if timely or name == "number" else None,
            )
        for row in chunk:
            table.add_row(
                *(
                    Text("" if value is None else function(value))
                    for function, value in zip(show, row, strict=True)
                )
            )
        terminal.print(table)
        header = False
