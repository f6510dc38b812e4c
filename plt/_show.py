"""Tables as text and as HTML: their first and last rows."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ipp.shared import html_table, printable

if TYPE_CHECKING:
    from . import _plt
    from ._table import Table

__all__ = ["cells", "isoformat", "seconds", "table_html", "table_text"]

#: Rows that are shown of each end of a table.
ENDS = 5
#: How wide a table of text may be, and a cell.
WIDTH, CELL = 100, 42
#: Columns that HTML shows of each end of a table.
COLUMNS = 20

_TIMES = ("datetime[ns, UTC]", "duration[ns]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The seconds of 400 years, after which the calendar is the same.
_CYCLE = 146_097 * 86_400


def isoformat(ns: int, between: str = "T") -> str:
    """A time in nanoseconds since the epoch as ISO 8601 has it, in UTC, without the zone.

    A year that has no four digits has a sign.
    """
    whole, fraction = divmod(ns, 10**9)
    cycles, rest = divmod(whole, _CYCLE)
    moment = (_EPOCH + timedelta(seconds=rest)).replace(tzinfo=None)
    year = moment.year + 400 * cycles
    written = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
    return f"{written}{moment.isoformat(between)[4:]}.{fraction:09d}"


def seconds(ns: int) -> str:
    """A duration in nanoseconds as seconds, exactly."""
    whole, fraction = divmod(abs(ns), 10**9)
    return f"{'-' if ns < 0 else ''}{whole}.{fraction:09d}"


def _lower(value: object) -> str:
    return str(value).lower()


#: How a value is written, by the type of its column; others by str().
_WRITERS: dict[str, Callable[[Any], str]] = {
    "datetime[ns, UTC]": isoformat,
    "duration[ns]": seconds,
    "bool": _lower,
    "float64": repr,
    "bytes[16]": bytes.hex,
}


def cells(table: Table, name: str, missing: str = "") -> list[str]:
    """The values of a column as text; NumPy isn't needed."""
    n = table._number(name)
    kind = table.schema[name]
    write = _WRITERS.get(kind, str)
    found: list[str] = []
    for batch in table._batches:
        if kind in ("address", "str"):
            found += [missing if text is None else text for text in batch.strings(n)]
            continue
        mask = batch.mask(n)
        if kind.startswith("list"):
            found += _list_cells(batch, n, kind)
            continue
        absent: Iterable[int] = memoryview(mask) if mask is not None else bytes(len(batch))
        values: Iterable[Any] = memoryview(batch.values(n)).tolist()
        if kind == "bytes[16]":
            values = map(bytes, values)
        found += [
            missing if gone else write(value) for value, gone in zip(values, absent, strict=True)
        ]
    return found


def _list_cells(batch: _plt._Batch, n: int, kind: str) -> list[str]:
    """Lists as text: their items with blanks between."""
    write = _seconds_or_null if kind == "list[duration[ns]]" else str
    items = list(map(write, memoryview(batch.items(n)).tolist()))
    ends = memoryview(batch.values(n)).tolist()
    return [" ".join(items[begin:end]) for begin, end in pairwise(ends)]


def _seconds_or_null(ns: int) -> str:
    return "null" if ns == -(2**63) else seconds(ns)


def _ends(table: Table) -> tuple[list[list[str]], bool]:
    """The cells of the first and last rows, column by column; whether there are more between."""
    more = len(table) > 2 * ENDS
    parts = [table[:ENDS], table[-ENDS:]] if more else [table]
    columns = [
        [printable(cell) for part in parts for cell in cells(part, name, "null")] for name in table
    ]
    kinds = zip(columns, table.schema.values(), strict=True)
    return [_without_zeros(c) if kind in _TIMES else c for c, kind in kinds], more


def _without_zeros(column: list[str]) -> list[str]:
    """Times without the digits that are 0 in all of them, three at a time."""
    digits = 9
    while digits > 0 and all(cell.endswith("000") or cell == "null" for cell in column):
        digits -= 3
        end = -3 if digits else -4  # the point goes, too
        column = [cell if cell == "null" else cell[:end] for cell in column]
    return column


def _is_number(kind: str) -> bool:
    return kind.startswith(("int", "uint")) or kind in ("float64", "duration[ns]")


def _title(table: Table) -> str:
    rows, columns = table.shape
    return f"{rows:,} row{'s' * (rows != 1)} and {columns:,} column{'s' * (columns != 1)}"


# --- Text ------------------------------------------------------------------------------------


def _cut(cell: str) -> str:
    return cell if len(cell) <= CELL else cell[: CELL - 1] + "…"


def _fitting(widths: Sequence[int]) -> tuple[int, int]:
    """How many columns of the left and of the right fit, the outer ones first."""
    most = WIDTH
    if sys.stdout is not None and sys.stdout.isatty():
        most = max(WIDTH, shutil.get_terminal_size().columns)
    if sum(widths) + 3 * len(widths) + 1 <= most:
        return len(widths), 0
    left, right, room = 0, 0, most - 1 - 4
    while True:  # they do not all fit
        from_left = left <= right
        width = widths[left if from_left else len(widths) - 1 - right] + 3
        if width > room:
            return left, right
        room -= width
        left, right = left + from_left, right + (not from_left)


def table_text(table: Table) -> str:
    """The first and last rows in a frame, the names and types of the columns above them."""
    columns, more = _ends(table)
    shown = [
        [name, kind, *map(_cut, column)]
        for (name, kind), column in zip(table.schema.items(), columns, strict=True)
    ]
    numeric = [_is_number(kind) for kind in table.schema.values()]
    left, right = _fitting([max(map(len, column)) for column in shown])
    if left + right < len(shown):
        dots = ["…"] * (len(shown[0]) if shown else 0)
        after = len(shown) - right
        shown = [*shown[:left], dots, *shown[after:]]
        numeric = [*numeric[:left], False, *numeric[after:]]
    lines = [_title(table)]
    if not shown:
        return lines[0]
    if more:
        for column in shown:
            column.insert(2 + ENDS, "…")
    widths = [max(map(len, column)) for column in shown]
    bars = ["─" * (width + 2) for width in widths]
    lines.append("┌" + "┬".join(bars) + "┐")
    for n, row in enumerate(zip(*shown, strict=True)):
        fitted = [
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numeric, strict=True)
        ]
        lines.append("│ " + " ┆ ".join(fitted) + " │")
        if n == 1:
            lines.append("╞" + "╪".join(bar.replace("─", "═") for bar in bars) + "╡")
    lines.append("└" + "┴".join(bars) + "┘")
    return "\n".join(lines)


# --- HTML ------------------------------------------------------------------------------------


def table_html(table: Table) -> str:
    """The first and last rows as a table of HTML."""
    columns, more = _ends(table)
    heads = [(name, kind, _is_number(kind)) for name, kind in table.schema.items()]
    if len(heads) > 2 * COLUMNS:
        dots = ["…"] * len(columns[0])
        heads = [*heads[:COLUMNS], ("…", "", False), *heads[-COLUMNS:]]
        columns = [*columns[:COLUMNS], dots, *columns[-COLUMNS:]]
    rows = [list(row) for row in zip(*columns, strict=True)]
    if more:
        rows.insert(ENDS, ["…"] * len(heads))
    return html_table(_title(table), heads, rows)
