"""Tables as Parquet, by pyarrow or by polars."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import plt
from plt.cli.names import ADDRESSES
from plt.cli.sources import BATCH
from plt.cli.words import Failure

Writer = Callable[[str, Sequence[str], Iterable[plt.Table]], None]


def writer() -> Writer:
    """What writes Parquet with the library that is installed; Failure where none is."""
    if importlib.util.find_spec("pyarrow"):
        return by_pyarrow
    if importlib.util.find_spec("polars"):
        return by_polars
    raise Failure("Parquet needs pyarrow or polars: pip install pyarrow")


def destination(name: str) -> Any:
    """What a library writes to: the name, or standard output."""
    return sys.stdout.buffer if name == "-" else name


def by_pyarrow(name: str, fields: Sequence[str], tables: Iterable[plt.Table]) -> None:
    """Write tables one after another, with no more than one in memory."""
    pq: Any = importlib.import_module("pyarrow.parquet")

    pa: Any = importlib.import_module("pyarrow")
    out: Any = None
    some: list[Any] = []  # tables of a few rows, where they come through a pipe or live
    with contextlib.ExitStack() as stack:
        for table in tables:
            some.append(arrow_table(table, fields))
            if out is None:
                out = stack.enter_context(pq.ParquetWriter(destination(name), some[0].schema))
            if sum(map(len, some)) >= BATCH:
                out.write_table(pa.concat_tables(some))
                some.clear()
        if some:
            out.write_table(pa.concat_tables(some))


def arrow_table(table: plt.Table, fields: Sequence[str]) -> Any:
    """The columns of a table, with addresses as text."""
    pa: Any = importlib.import_module("pyarrow")

    found = pa.table(table)
    texts = {name: found[name].cast(pa.string()) for name in fields if name in ADDRESSES}
    schema = pa.schema(
        [pa.field(n, pa.string()) if n in texts else found.schema.field(n) for n in fields]
    )
    return pa.table([texts.get(n, found[n]) for n in fields], schema=schema)


def by_polars(name: str, fields: Sequence[str], tables: Iterable[plt.Table]) -> None:
    """Write tables as one."""
    pl: Any = importlib.import_module("polars")

    pl.concat([polars_frame(table, fields) for table in tables]).write_parquet(destination(name))


def polars_frame(table: plt.Table, fields: Sequence[str]) -> Any:
    """The columns of a table, with addresses as text."""
    pl: Any = importlib.import_module("polars")

    texts = [pl.col(name).cast(pl.String) for name in fields if name in ADDRESSES]
    return pl.DataFrame(table).with_columns(texts).select(fields)
