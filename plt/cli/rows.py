"""Rows of tables as Python values, in order, and what they are called."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

import ipp
import plt
from plt.cli.names import ADDRESSES

Row = tuple[object, ...]
#: The columns whose values are lists.
LISTS = ("first_ways", "first_sizes", "first_gaps")


class Columnar(Protocol):
    """What a plt.Table has of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...
    def masked(self, name: str, /) -> Any: ...


def values(rows: Columnar, name: str) -> list[Any]:
    """A column as Python values, None where a row has none."""
    if name in ("src", "dst", "src_prefix", "dst_prefix"):
        return list(ipp.format(rows[name], rows["version"]))
    if name in ("first_ways", "first_sizes"):
        return [numbers.tolist() for numbers in rows[name]]
    if name == "first_gaps":
        return [np.ma.MaskedArray(g.astype(int) / 1e9, np.isnat(g)).tolist() for g in rows[name]]
    column = rows.masked(name)
    if column.dtype.kind == "M":  # times: in UTC
        text = np.datetime_as_string(column.data, timezone="UTC")
        column = np.ma.MaskedArray(text, column.mask)
    elif column.dtype.kind == "m":  # durations: in seconds
        column = column.astype(int) / 1e9
    return list(column.tolist())


def with_version(fields: Sequence[str]) -> list[str]:
    """The columns to read for some fields: the text of an address needs the version."""
    more = ["version"] if {*ADDRESSES} & {*fields} and "version" not in fields else []
    return [*fields, *more]


def in_turn(
    batches: Iterable[plt.Table], fields: Sequence[str], numbered: bool, limit: int | None
) -> Iterator[list[Row]]:
    """The rows of each batch, with their numbers from 1 before them if asked for."""
    at = 0
    for batch in batches:
        columns = [values(batch, name) for name in fields]
        if numbered:
            columns.insert(0, list(range(at + 1, at + 1 + len(batch))))
        yield list(zip(*columns, strict=True))[: None if limit is None else limit - at]
        at += len(batch)
        if limit is not None and at >= limit:
            return


class Picked:
    """Some rows of a table."""

    def __init__(self, table: Columnar, rows: np.ndarray[Any, Any]) -> None:
        self.table, self.rows = table, rows

    def __getitem__(self, name: str, /) -> Any:
        return self.table[name][self.rows]

    def masked(self, name: str, /) -> Any:
        """A column of them."""
        return self.table.masked(name)[self.rows]


def keys(rows: Columnar, name: str) -> list[Any]:
    """What the rows are sorted by, None where a row has no value."""
    if name in ADDRESSES:
        octets, missing = rows[name].tobytes(), np.ma.getmaskarray(rows.masked("version"))
        return [
            None if gone else (version, octets[at : at + 16])
            for at, version, gone in zip(
                range(0, len(octets), 16), rows["version"].tolist(), missing, strict=True
            )
        ]
    column = rows.masked(name)
    timely = column.dtype.kind in "Mm"
    return list((column.astype(np.int64) if timely else column).tolist())


def first(found: Sequence[Any], descending: bool, limit: int | None) -> list[int]:
    """Where the first ones are in order: equal ones as they came, missing ones last."""
    present = [at for at, key in enumerate(found) if key is not None]
    if limit is None:
        order = sorted(present, key=found.__getitem__, reverse=descending)
    else:
        pick = heapq.nlargest if descending else heapq.nsmallest
        order = pick(limit, present, key=found.__getitem__)
    return (order + [at for at, key in enumerate(found) if key is None])[:limit]


def in_order(
    batches: Iterable[plt.Table],
    fields: Sequence[str],
    numbered: bool,
    limit: int | None,
    sort: str,
    descending: bool,
) -> list[Row]:
    """The rows of batches in the order of a column; no more than the limit are kept."""
    kept: list[tuple[Any, Row]] = []
    number = 1
    for batch in batches:
        by = keys(batch, sort)
        at = first(by, descending, limit)
        picked = Picked(batch, np.array(at, np.intp))
        columns = [values(picked, name) for name in fields]
        if numbered:
            columns.insert(0, [number + n for n in at])
        kept += zip([by[n] for n in at], zip(*columns, strict=True), strict=True)
        if limit is not None:
            kept = [kept[n] for n in first([key for key, _ in kept], descending, limit)]
        number += len(batch)
    return [kept[n][1] for n in first([key for key, _ in kept], descending, None)]
