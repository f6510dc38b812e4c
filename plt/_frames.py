"""Tables for other libraries and as files."""

from __future__ import annotations

import contextlib
import csv
import importlib
import os
import sys
from dataclasses import fields, make_dataclass
from typing import IO, TYPE_CHECKING, Any

from . import _plt
from ._show import cells, isoformat, seconds
from ._whole import whole

if TYPE_CHECKING:
    import numpy as np

    from ._table import Table

__all__ = ["described", "needed", "row_objects", "to_pandas", "write_csv", "write_parquet"]

#: Rows that become text at once.
ROWS = 1 << 16


def needed(*names: str) -> Any:
    """The first of some libraries that is there; ModuleNotFoundError with pip's line."""
    for name in names:
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    extra = names[0].partition(".")[0]
    wanted = " or ".join(name.partition(".")[0] for name in names)
    raise ModuleNotFoundError(
        f"this needs {wanted}: pip install 'python-libtrace[{extra}]'", name=extra
    )


# --- pandas ----------------------------------------------------------------------------------


def _categories(table: Table, n: int) -> tuple[list[str], np.ndarray[Any, Any]]:
    """The distinct addresses of a column, and the number of each row's, -1 without."""
    import numpy as np  # noqa: PLC0415

    found: dict[str, int] = {}
    codes = []
    for batch in table._batches:
        texts, numbers = batch.strings(n, True)
        places = [found.setdefault(text, len(found)) for text in texts]
        codes.append(np.array([*places, -1], np.int32)[np.frombuffer(numbers, np.int32)])
    return list(found), np.concatenate(codes)


def to_pandas(table: Table) -> Any:
    """The columns by NumPy, with NA where values are missing."""
    pd = needed("pandas")
    columns: dict[str, Any] = {}
    for n, (name, kind) in enumerate(table.schema.items()):
        if kind == "address":
            categories, codes = _categories(table, n)
            columns[name] = pd.Categorical.from_codes(codes, categories=categories)
        elif kind == "str":
            columns[name] = pd.Series(table.text(name).tolist(), dtype="str")
        elif kind.startswith("list"):
            columns[name] = table[name].copy()
        else:
            columns[name] = _pandas_array(pd, table, name, kind)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(table)), copy=False)


def _pandas_array(pd: Any, table: Table, name: str, kind: str) -> Any:
    values, mask = table[name].copy(), table.mask(name)
    if kind in ("datetime[ns, UTC]", "duration[ns]"):
        values[mask] = "NaT"
        moments = pd.Series(values)
        return moments.dt.tz_localize("UTC") if kind == "datetime[ns, UTC]" else moments
    if kind == "bytes[16]":
        return [None if gone else bytes(row) for row, gone in zip(values, mask, strict=True)]
    if kind == "float64":
        values[mask] = "nan"
        return values
    if table._batches[0].mask(table._number(name)) is None:
        return values
    kinds = pd.arrays.BooleanArray if kind == "bool" else pd.arrays.IntegerArray
    return kinds(values, mask.copy())


def row_objects(table: Table) -> np.ndarray[Any, Any]:
    """A dataclass for each row: of all that pandas.DataFrame() takes, they alone have names."""
    import numpy as np  # noqa: PLC0415

    row: Any = make_dataclass(
        "Row",
        [f"column{n}" for n in range(len(table.names))],
        namespace={"__repr__": _row_text},
        repr=False,
        eq=False,
    )
    for name, field in zip(table, fields(row), strict=True):
        field.name = name  # which need be no identifier
    columns = [_row_values(table, name) for name in table]
    rows = np.empty(len(table), dtype=object)
    for n, values in enumerate(zip(*columns, strict=True)):
        rows[n] = item = row.__new__(row)
        item.__dict__.update(zip(table, values, strict=True))
    return rows


def _row_text(row: Any) -> str:
    """The values by the columns' names, which what dataclasses make of a class does not know."""
    return f"Row({', '.join(f'{name}={value!r}' for name, value in row.__dict__.items())})"


def _row_values(table: Table, name: str) -> list[Any]:
    """The values of a column, None where they are missing; times with their zone in pandas."""
    kind = table.schema[name]
    if kind in ("address", "str"):
        return list(table.text(name))
    values = list(table[name])
    if kind == "datetime[ns, UTC]" and "pandas" in sys.modules:
        values = list(needed("pandas").to_datetime(table[name], utc=True))
    elif kind == "bytes[16]":
        values = [bytes(value) for value in values]
    elif kind not in ("duration[ns]", "datetime[ns, UTC]") and not kind.startswith("list"):
        values = table[name].tolist()
    return [None if gone else value for value, gone in zip(values, table.mask(name), strict=True)]


# --- What is in the columns ------------------------------------------------------------------


def described(table: Table) -> _plt._Batch:
    """Some figures of each column, as columns of texts and counts."""
    rows = [_figures(table, name) for name in table]
    columns: list[tuple[Any, ...]] = []
    for n, name in enumerate(("column", "type", "count", "missing", "min", "max", "mean")):
        values = [row[n] for row in rows]
        if name in ("count", "missing"):
            octets = b"".join(value.to_bytes(8, sys.byteorder) for value in values)
            columns.append((name, _KIND_UINT64, octets, None, None))
        else:
            columns.append((name, _plt._KIND_TEXT, *_text_column(values)))
    return _plt._Batch._from_state((2, sys.byteorder, len(rows), tuple(columns)))


_KIND_UINT64 = next(kind for name, kind, *_ in _plt._column_fields() if name == "erf_time")


def _text_column(values: list[str | None]) -> tuple[bytes, bytes, bytes]:
    """The offsets, the mask and the UTF-8 of a column of texts."""
    ends = [0]
    for value in values:
        ends.append(ends[-1] + len((value or "").encode()))
    offsets = b"".join(end.to_bytes(4, sys.byteorder) for end in ends)
    text = "".join(value or "" for value in values)
    return offsets, bytes(value is None for value in values), text.encode()


def _figures(table: Table, name: str) -> list[Any]:
    """Name, type, count, missing, least, greatest and mean of a column."""
    kind = table.schema[name]
    mask = table.mask(name)
    missing = int(mask.sum())
    figures = [name, kind, len(table) - missing, missing]
    if missing == len(table) or kind.startswith(("address", "str", "bytes", "list")):
        return [*figures, None, None, None]
    values = table[name][~mask] if missing else table[name]
    if kind == "bool":
        return [*figures, None, None, f"{values.mean():.6g}"]
    if kind in ("datetime[ns, UTC]", "duration[ns]"):
        import numpy as np  # noqa: PLC0415

        write = isoformat if kind == "datetime[ns, UTC]" else seconds
        numbers = values.view(np.int64)
        low, high = int(numbers.min()), int(numbers.max())
        # differences are small enough for a float to be exact in
        mean = low + round(float((numbers - low).mean()))
        return [*figures, write(low), write(high), write(mean)]
    return [*figures, str(values.min()), str(values.max()), f"{values.mean():.6g}"]


# --- Files -----------------------------------------------------------------------------------


def write_parquet(
    table: Table, file: str | os.PathLike[str] | IO[bytes], options: dict[str, Any]
) -> None:
    """Write Parquet by the library that is there."""
    library = needed("pyarrow.parquet", "polars")

    def write(destination: Any) -> None:
        if library.__name__ == "polars":
            library.DataFrame(table).write_parquet(destination, **options)
        else:
            library.write_table(table.to_arrow(), destination, **options)

    if isinstance(file, (str, os.PathLike)):
        # of a name pyarrow would take it that it can go back in what it wrote
        with whole(file) as part, open(part, "wb") as opened:
            write(opened)
    else:
        write(file)


def write_csv(table: Table, file: str | os.PathLike[str] | IO[str]) -> None:
    """Write CSV, some rows at a time."""
    if isinstance(file, (str, os.PathLike)):
        with whole(file) as part, open(part, "w", encoding="utf-8", newline="") as opened:
            write_csv(table, opened)
        return
    out = csv.writer(file, lineterminator="\n")
    out.writerow(table.names)
    times = [kind == "datetime[ns, UTC]" for kind in table.schema.values()]
    for begin in range(0, len(table), ROWS):
        part_ = table[begin : begin + ROWS]
        columns = [cells(part_, name) for name in table]
        for n, is_time in enumerate(times):
            if is_time:
                columns[n] = [cell and f"{cell}Z" for cell in columns[n]]
        out.writerows(zip(*columns, strict=True))
