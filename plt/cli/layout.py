"""Tables of a terminal: columns as wide as they need to be and as there is room for.

rich lays tables out too, at half a millisecond a row: too slow for all packets of a trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
LEAST = 4  # characters of a column, where there is no room for more


@dataclass(frozen=True)
class Column:
    """How a column is laid out; the texts of one that folds may be broken into lines."""

    header: str
    right: bool = False
    folds: bool = False
    least: int = LEAST
    dim: bool = False


def folded(text: str, width: int) -> list[str]:
    """A text in pieces; between words where it has some."""
    pieces = []
    while len(text) > width:
        at = text.rfind(" ", 0, width + 1)
        if at <= 0:
            pieces.append(text[:width])
            text = text[width:]
        else:
            pieces.append(text[:at])
            text = text[at + 1 :]
    return [*pieces, text]


@dataclass(frozen=True)
class Layout:
    """How a table is laid out."""

    columns: Sequence[Column]
    gap: int
    colours: bool

    def widths(
        self, cells: Sequence[Sequence[str]], width: int, before: Sequence[int] = ()
    ) -> list[int]:
        """As wide as the texts, and as the part of the table before, where there is room.

        Where there is not, columns that fold give some up first.
        """
        columns = self.columns
        found = [
            max(len(column.header), old)
            for column, old in zip(columns, before or [0] * len(columns), strict=True)
        ]
        for row in cells:
            found = [max(width, len(text)) for width, text in zip(found, row, strict=True)]
        room = width - self.gap * (len(columns) - 1)
        folding = [n for n, column in enumerate(columns) if column.folds]
        for candidates, least in (
            (folding, [max(column.least, 8) for column in columns]),
            (folding, [LEAST] * len(columns)),
            (range(len(columns)), [LEAST] * len(columns)),
        ):
            while sum(found) > room:
                widest = max(candidates, key=lambda n: found[n] - least[n], default=None)
                if widest is None or found[widest] <= least[widest]:
                    break
                found[widest] -= 1
        return found

    def lines(
        self, cells: Sequence[Sequence[str]], wide: Sequence[int], *, header: bool
    ) -> Iterator[str]:
        """The lines of a table."""
        between = " " * self.gap
        if header:
            for line in self.of_row([column.header for column in self.columns], wide):
                text = between.join(line).rstrip()
                yield f"{BOLD}{text}{PLAIN}" if self.colours else text
        dim = [n for n, column in enumerate(self.columns) if column.dim and self.colours]
        for row in cells:
            for line in self.of_row(row, wide):
                for n in dim:
                    line[n] = f"{DIM}{line[n]}{PLAIN}"
                yield between.join(line).rstrip()

    def of_row(self, row: Sequence[str], wide: Sequence[int]) -> Iterator[list[str]]:
        """The padded cells of a row, in as many lines as its longest one needs."""
        pieces = [
            [text] if len(text) <= width else folded(text, width)
            for text, width in zip(row, wide, strict=True)
        ]
        for line in zip_longest(*pieces, fillvalue=""):
            yield [
                text.rjust(width) if column.right else text.ljust(width)
                for text, column, width in zip(line, self.columns, wide, strict=True)
            ]
