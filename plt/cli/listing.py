"""Which rows and columns of a table are printed, in which order and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

import plt
from plt.cli.options import descending
from plt.cli.rows import in_order, in_turn
from plt.cli.show import Style, show, show_together


@dataclass(frozen=True)
class Listing:
    """The columns, the order, and the most rows; what it is sorted by is among the columns."""

    names: list[str]
    limit: int | None
    sort: str | None
    down: bool
    style: Style
    numbered: bool = False

    @classmethod
    def of(
        cls,
        default: Sequence[str],
        narrow: Sequence[str],
        fields: Sequence[str] | None,
        sort: str | None,
        reverse: bool,
        limit: int | None,
        style: Style,
        numbered: bool = False,
    ) -> Listing:
        """What the options of a command mean; a narrow terminal has fewer columns by default."""
        if reverse and sort is None:
            raise click.UsageError("--reverse is for --sort: it turns that order round")
        default = narrow if style.narrow else default
        names = list(dict.fromkeys([*(fields or default), *([sort] if sort else [])]))
        return cls(
            names, limit, sort, sort is not None and descending(sort, reverse), style, numbered
        )

    def show(self, batches: Iterable[plt.Table]) -> None:
        """Print the rows of tables."""
        names = ["number", *self.names] if self.numbered else self.names
        if self.sort:
            rows = in_order(batches, self.names, self.numbered, self.limit, self.sort, self.down)
            show(names, rows, self.style)
        else:
            parts = in_turn(batches, self.names, self.numbered, self.limit)
            show_together(names, parts, self.style)
