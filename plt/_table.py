"""Columns in memory: NumPy arrays, and Arrow for everything that takes it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias, overload

from . import _plt
from ._near import near_names

__all__ = ["Addresses", "Batch", "Table", "address_kind", "check_fields", "empty_batch", "near"]

if TYPE_CHECKING:
    import numpy as np

#: What addresses are in columns: text, rows of 16 bytes, or what suits who takes them.
Addresses: TypeAlias = Literal["auto", "text", "binary"]

_ADDRESS_KINDS = {
    "auto": _plt._KIND_ADDRESS,
    "text": _plt._KIND_ADDRESS_TEXT,
    "binary": _plt._KIND_ADDRESS_BYTES,
}
#: Kinds whose NumPy arrays are of str.
_TEXTS = (_plt._KIND_TEXT, _plt._KIND_ADDRESS_TEXT)
#: What `schema` calls the kinds, in the order of their numbers.
_TYPES = (
    "datetime[ns, UTC]", "bool", "int8", "int16", "int64", "uint8", "uint16", "uint32", "uint64",
    "float64", "address", "duration[ns]", "str", "address", "bytes[16]",
    "list[int8]", "list[uint32]", "list[duration[ns]]",
)  # fmt: skip


def address_kind(addresses: Addresses) -> int:
    """The kind of columns of addresses; ValueError where there is none of that name."""
    if addresses not in _ADDRESS_KINDS:
        raise ValueError(f"addresses are 'auto', 'text' or 'binary', not {addresses!r}")
    return _ADDRESS_KINDS[addresses]


def near(name: object, known: Sequence[str]) -> str:
    """The names that an unknown one may stand for, as the end of a message."""
    found = near_names(str(name), known)
    return f"; near: {', '.join(found)}" if found else ""


def check_fields(
    fields: Sequence[str], known: Sequence[str], lists: str = "plt.column_fields()"
) -> tuple[str, ...]:
    """The fields as a tuple; ValueError on an unknown name, with near ones, and on a double one.

    The message names the function that lists those that are known.
    """
    fields = (fields,) if isinstance(fields, str) else tuple(fields)
    for name in fields:
        if name not in known:
            raise ValueError(f"no column is named {name!r}{near(name, known)} ({lists} lists all)")
        if fields.count(name) > 1:
            raise ValueError(f"the column {name!r} is asked for twice")
    return fields


def empty_batch(
    batch: type[_plt._Batch],
    fields: Iterable[tuple[str, int, str, bool]],
    names: Sequence[str],
    addresses: Addresses = "auto",
) -> _plt._Batch:
    """A batch of a module without rows, of some of the columns that its _column_fields() lists."""
    known = {name: (kind, can_be_missing) for name, kind, _, can_be_missing in fields}
    columns = []
    for name in names:
        kind, can_be_missing = known[name]
        is_text, is_address = kind == _plt._KIND_TEXT, kind == _plt._KIND_ADDRESS
        offsets = bytes(4) if is_text else b""
        mask = b"" if can_be_missing else None
        more = b"" if is_text or is_address else None
        columns.append((name, address_kind(addresses) if is_address else kind, offsets, mask, more))
    return batch._from_state((2, sys.byteorder, 0, tuple(columns)))


class Table:
    """Columns of some packets: `table["src_port"]` is a NumPy array.

    Times are datetime64[ns], in UTC, flags bool, everything else integers of their natural width.
    Addresses are rows of 16 bytes, IPv4 in the first 4, or with addresses="text" str;
    `table.text("src")` is str in any case.  Where a packet has no such field, the value is 0 or
    None and `mask(name)` is True.  A column of lists is an array of arrays.  The arrays are
    read-only and outlive the table.

    `table[10:20]` and `table[["src", "dst"]]` are tables of some rows and of some columns.  Arrow
    consumers take the table itself: `pyarrow.table(t)`, `polars.DataFrame(t)`, and so does DuckDB.
    It can be pickled.
    """

    def __init__(self, batches: list[_plt._Batch]) -> None:
        try:
            of_each = [batch.columns() for batch in batches]
        except (AttributeError, TypeError):  # a pickle may have anything here
            of_each = []
        if not of_each or any(columns != of_each[0] for columns in of_each):
            raise ValueError("a table is made of batches that have the same columns")
        self._batches = batches
        self._columns = of_each[0]
        self.names = [name for name, _ in self._columns]
        self._cache: dict[str, np.ndarray[Any, Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._batches,)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + sum(map(sys.getsizeof, self._batches))

    def __len__(self) -> int:
        return sum(len(batch) for batch in self._batches)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def _ipython_key_completions_(self) -> list[str]:
        """What IPython completes after `table["`."""
        return list(self.names)

    def __repr__(self) -> str:
        from ._show import table_text  # noqa: PLC0415  what is seldom shown

        return table_text(self)

    def _repr_html_(self) -> str:
        """The first and last rows, for notebooks."""
        from ._show import table_html  # noqa: PLC0415

        return table_html(self)

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and how many columns there are."""
        return len(self), len(self.names)

    @property
    def schema(self) -> dict[str, str]:
        """The type of each column by its name, such as "datetime[ns, UTC]" or "uint16"."""
        return {name: _TYPES[kind] for name, kind in self._columns}

    # --- Parts

    @overload
    def __getitem__(self, name: str) -> np.ndarray[Any, Any]: ...
    @overload
    def __getitem__(self, name: slice | list[str]) -> Table: ...
    def __getitem__(self, name: str | slice | list[str]) -> np.ndarray[Any, Any] | Table:
        if isinstance(name, slice):
            return self._rows(range(len(self))[name])
        if isinstance(name, list):
            return self._select(name)
        if name not in self._cache:
            self._cache[name] = self._array(name)
        return self._cache[name]

    def head(self, n: int = 5) -> Table:
        """The first n rows; ValueError where n is below 0."""
        if n < 0:
            raise ValueError(f"n must be 0 or more, not {n}")
        return self[:n]

    def tail(self, n: int = 5) -> Table:
        """The last n rows; ValueError where n is below 0."""
        if n < 0:
            raise ValueError(f"n must be 0 or more, not {n}")
        return self[max(0, len(self) - n) :]

    def _select(self, names: list[str]) -> Table:
        """Some columns, which share their memory with this table's."""
        numbers = tuple(map(self._number, names))
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"the column {twice!r} is asked for twice")
        return Table([batch.select(numbers) for batch in self._batches])

    def _rows(self, wanted: range) -> Table:
        """Some rows, copied but where they are all of a batch."""
        rising = wanted if wanted.step > 0 else wanted[::-1]
        parts, begin = [], 0
        for batch in self._batches:
            end = begin + len(batch)
            low, high = (
                min(max(0, -((rising.start - bound) // rising.step)), len(rising))
                for bound in (begin, end)
            )
            part = rising[low:high]
            if wanted.step < 0:
                part = part[::-1]
            if len(part) == len(batch) and part.step == 1:
                parts.append(batch)
            elif part:
                parts.append(batch.rows(part[0] - begin, len(part), part.step))
            begin = end
        if wanted.step < 0:
            parts.reverse()
        return Table(parts or [self._batches[0].rows(0, 0, 1)])

    def _number(self, name: object) -> int:
        if name not in self.names:
            raise KeyError(
                f"{name!r} is none of the columns {', '.join(self.names)}{near(name, self.names)}"
            )
        return self.names.index(name)  # type: ignore[arg-type]

    # --- NumPy

    def _array(self, name: str) -> np.ndarray[Any, Any]:
        import numpy as np  # noqa: PLC0415  NumPy is no requirement of plt

        n = self._number(name)
        kind = self._columns[n][1]
        if kind in _TEXTS:
            return self.text(name)
        if _TYPES[kind].startswith("list"):
            return _joined([_lists(batch, n) for batch in self._batches])
        array = _joined([np.asarray(memoryview(batch.values(n))) for batch in self._batches])
        if kind == _plt._KIND_TIME:
            return array.view("datetime64[ns]")
        return array.view("timedelta64[ns]") if kind == _plt._KIND_DURATION else array

    def text(self, name: str) -> np.ndarray[Any, Any]:
        """A column of addresses or texts as str, None where they are missing: an object array.

        Addresses are as RFC 5952 writes them.  TypeError for a column that is neither.
        """
        import numpy as np  # noqa: PLC0415

        n = self._number(name)
        return _joined([np.array(batch.strings(n), dtype=object) for batch in self._batches])

    def mask(self, name: str) -> np.ndarray[Any, Any]:
        """Where a column has no value: a bool array, True where it is missing."""
        import numpy as np  # noqa: PLC0415

        n = self._number(name)
        masks = [(batch.mask(n), len(batch)) for batch in self._batches]
        return _joined(
            [
                np.zeros(rows, bool) if mask is None else np.asarray(memoryview(mask))
                for mask, rows in masks
            ]
        )

    def masked(self, name: str) -> np.ma.MaskedArray[Any, Any]:
        """A column as a masked array."""
        import numpy as np  # noqa: PLC0415

        values, mask = self[name], self.mask(name)
        if values.ndim > 1:
            mask = np.broadcast_to(mask[:, None], values.shape)
        return np.ma.MaskedArray(values, mask)

    def describe(self) -> Table:
        """A row for each column: its name and type, how many values there are, how many missing.

        Of numbers, times and durations the least, the greatest and the mean, as text; of all others
        None.
        """
        from ._frames import described  # noqa: PLC0415

        return Table([described(self)])

    # --- Other libraries, and files

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table as an Arrow C stream (the PyCapsule protocol)."""
        return self._batches[0].arrow_c_stream(iter(self._batches))

    def __arrow_c_schema__(self) -> object:
        """The table's Arrow C schema (the PyCapsule protocol)."""
        return self._batches[0].arrow_c_schema()

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """The rows as an array of objects, a dataclass each: pandas.DataFrame(table) takes them.

        That is slow; to_pandas() is not.
        """
        from ._frames import row_objects  # noqa: PLC0415

        return row_objects(self)

    def to_arrow(self) -> Any:
        """The table as pyarrow's; ModuleNotFoundError without pyarrow (the extra pyarrow)."""
        from ._frames import needed  # noqa: PLC0415

        return needed("pyarrow").table(self)

    def to_polars(self) -> Any:
        """The table as polars's; ModuleNotFoundError without polars (the extra polars)."""
        from ._frames import needed  # noqa: PLC0415

        return needed("polars").DataFrame(self)

    def to_pandas(self) -> Any:
        """The table as pandas's; ModuleNotFoundError without pandas (the extra pandas).

        Times are in UTC.  Columns whose values may be missing have pandas' types with NA, addresses
        are categories.
        """
        from ._frames import to_pandas  # noqa: PLC0415

        return to_pandas(self)

    def write_parquet(self, file: str | os.PathLike[str] | IO[bytes], **options: Any) -> None:
        """Write Parquet by pyarrow, or else by polars; options are theirs.

        A file under this name is replaced once all is written, a FIFO or device is written to.
        ModuleNotFoundError where neither is there (the extra pyarrow).
        """
        from ._frames import write_parquet  # noqa: PLC0415

        write_parquet(self, file, options)

    def write_csv(self, file: str | os.PathLike[str] | IO[str]) -> None:
        """Write CSV: a line of names, then a line a row; UTF-8, no library needed.

        Times are ISO 8601 in UTC, durations seconds, flags true and false, bytes hexadecimal;
        nothing where a value is missing.  A file under this name is replaced once all is written,
        a FIFO or device is written to.
        """
        from ._frames import write_csv  # noqa: PLC0415

        write_csv(self, file)


class Batch(Table):
    """Columns of one batch of packets; see Table."""

    def __init__(self, batch: _plt._Batch) -> None:
        super().__init__([batch])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._batches[0],)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """The batch as an Arrow C array (the PyCapsule protocol)."""
        return self._batches[0].arrow_c_array()


def _lists(batch: _plt._Batch, n: int) -> np.ndarray[Any, Any]:
    """The lists of a column, each an array, read-only as the others."""
    import numpy as np  # noqa: PLC0415

    offsets = memoryview(batch.values(n)).tolist()
    items = np.asarray(memoryview(batch.items(n)))
    if _TYPES[batch.columns()[n][1]] == "list[duration[ns]]":
        items = items.view("timedelta64[ns]")
    items.flags.writeable = False
    lists = np.empty(len(batch), dtype=object)
    for row in range(len(batch)):
        lists[row] = items[offsets[row] : offsets[row + 1]]
    return lists


def _joined(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The arrays as one, read-only; no copy where there is just one."""
    import numpy as np  # noqa: PLC0415

    array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    array.flags.writeable = False
    return array
