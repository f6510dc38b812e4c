"""Columns in memory: NumPy arrays, and Arrow for everything that takes it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import _plt

__all__ = ["Batch", "Table", "check_fields", "empty_batch"]

if TYPE_CHECKING:
    import numpy as np


def check_fields(
    fields: Sequence[str], known: Sequence[str], package: str = "plt"
) -> tuple[str, ...]:
    """The fields as a tuple; ValueError on an unknown name, with near ones, and on a double one."""
    fields = (fields,) if isinstance(fields, str) else tuple(fields)
    for name in fields:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=4, cutoff=0.5)
            hint = f"; near: {', '.join(near)}" if near else ""
            listed = f"({package}.column_fields() lists all)"
            raise ValueError(f"no column is named {name!r}{hint} {listed}")
        if fields.count(name) > 1:
            raise ValueError(f"the column {name!r} is asked for twice")
    return fields


def empty_batch(
    batch: type[_plt._Batch], fields: Iterable[tuple[str, int, str, bool]], names: Sequence[str]
) -> _plt._Batch:
    """A batch of a module without rows, of some of the columns that its _column_fields() lists."""
    known = {name: (kind, can_be_missing) for name, kind, _, can_be_missing in fields}
    columns = []
    for name in names:
        kind, can_be_missing = known[name]
        is_text = kind == _plt._KIND_TEXT
        offsets = bytes(4) if is_text else b""
        mask = b"" if can_be_missing else None
        columns.append((name, kind, offsets, mask, b"" if is_text else None))
    return batch._from_state((1, sys.byteorder, 0, tuple(columns)))


class Table:
    """Columns of some packets: `table["src_port"]` is a NumPy array.

    Times are datetime64[ns], addresses arrays of n times 16 bytes (IPv4 in the first 4), flags
    bool, texts str, everything else integers of their natural width.  Where a packet has no such
    field, the value is 0, of a text None, and `mask(name)` is True.  The arrays are read-only and
    outlive the table.  Arrow consumers take the table itself: `pyarrow.table(t)`,
    `polars.DataFrame(t)`.  It can be pickled.
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

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} rows of {', '.join(self.names)}>"

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        if name not in self._cache:
            self._cache[name] = self._array(name)
        return self._cache[name]

    def _number(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(f"{name!r} is none of the columns {', '.join(self.names)}")
        return self.names.index(name)

    def _array(self, name: str) -> np.ndarray[Any, Any]:
        import numpy as np  # noqa: PLC0415  NumPy is no requirement of plt

        n = self._number(name)
        kind = self._columns[n][1]
        if kind == _plt._KIND_TEXT:
            return _joined([np.array(list(_texts(b, n)), dtype=object) for b in self._batches])
        array = _joined([np.asarray(memoryview(batch.values(n))) for batch in self._batches])
        if kind == _plt._KIND_TIME:
            return array.view("datetime64[ns]")
        return array.view("timedelta64[ns]") if kind == _plt._KIND_DURATION else array

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

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table as an Arrow C stream (the PyCapsule protocol)."""
        return self._batches[0].arrow_c_stream(iter(self._batches))

    def __arrow_c_schema__(self) -> object:
        """The table's Arrow C schema (the PyCapsule protocol)."""
        return self._batches[0].arrow_c_schema()


class Batch(Table):
    """Columns of one batch of packets; see Table."""

    def __init__(self, batch: _plt._Batch) -> None:
        super().__init__([batch])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._batches[0],)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """The batch as an Arrow C array (the PyCapsule protocol)."""
        return self._batches[0].arrow_c_array()


def _joined(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The arrays as one, read-only; no copy where there is just one."""
    import numpy as np  # noqa: PLC0415

    array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    array.flags.writeable = False
    return array


def _texts(batch: _plt._Batch, n: int) -> Iterator[str | None]:
    """The values of a column of texts, None where they are missing."""
    offsets = memoryview(batch.values(n))
    mask = batch.mask(n)
    missing = memoryview(mask) if mask is not None else None
    text = bytes(batch.text(n) or b"")
    for row in range(len(batch)):
        if missing is not None and missing[row]:
            yield None
        else:
            yield text[offsets[row] : offsets[row + 1]].decode()
