"""Whole traces as columns: NumPy arrays, and Arrow for everything that takes it."""

from __future__ import annotations

import difflib
import operator
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import _plt
from ._manycolumns import InThreads, InTurn, Limit, Reader, Source

__all__ = ["Batch", "Columns", "Source", "Table", "check_fields", "column_fields", "columns"]

if TYPE_CHECKING:
    import numpy as np

KIND_TIME, KIND_ADDRESS, KIND_DURATION, KIND_TEXT = 0, 10, 11, 12

#: What plt.columns() reads where it is not told.
DEFAULT_FIELDS = (
    "time",
    "wire_len",
    "version",
    "proto",
    "src_prefix",
    "dst_prefix",
    "src_port",
    "dst_port",
    "tcp.flags",
    "payload_len",
)


def column_fields() -> dict[str, str]:
    """The names of all columns, each with one sentence on what it holds."""
    return {name: doc for name, _, doc, _ in _plt._column_fields()}


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


class Table:
    """Columns of some packets: `table["src_port"]` is a NumPy array.

    Times are datetime64[ns], addresses arrays of n times 16 bytes (IPv4 in the first 4), flags
    bool, everything else integers of their natural width.  Where a packet has no such field, the
    value is 0 and `mask(name)` is True.  The arrays are read-only and outlive the table.  Arrow
    consumers take the table itself: `pyarrow.table(t)`, `polars.DataFrame(t)`.  It can be pickled.
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
        if kind == KIND_TEXT:
            return np.array([t for b in self._batches for t in _texts(b, n)], dtype=object)
        array = _joined([np.asarray(memoryview(batch.values(n))) for batch in self._batches])
        if kind == KIND_TIME:
            return array.view("datetime64[ns]")
        return array.view("timedelta64[ns]") if kind == KIND_DURATION else array

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


class Columns:
    """The columns of a trace, or of several in order, read as they are asked for.

    Iterating gives a Batch after another; `table()` gives all that is left as one Table; Arrow
    consumers take the object itself and read it batch by batch.  Each packet is given once.  A
    trace that was given is in use until the last of its packets was read, or `close()`.  Behind an
    error that breaks a trace off, reading goes on with the next source.
    """

    def __init__(self, readers: Iterator[Reader] | InTurn, fields: tuple[str, ...]) -> None:
        self.fields = fields
        self._batches = readers if isinstance(readers, InTurn) else InTurn(readers)
        self._empty = self._batches.reader.empty()

    def __iter__(self) -> Iterator[Batch]:
        return map(Batch, self._batches)

    def __enter__(self) -> Columns:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        package = type(self._empty).__module__.partition(".")[0]
        return f"<{package}.columns of {', '.join(self.fields)}>"

    def close(self) -> None:
        """Read no more, close what was opened for this, and end the threads that read ahead."""
        self._batches.close()

    def table(self) -> Table:
        """All that is left as one table.

        Where reading fails half-way, the LibtraceError has what came before as its `table`.
        """
        batches: list[_plt._Batch] = []
        try:
            batches.extend(self._batches.rest())
        except _plt.LibtraceError as error:
            error.table = Table(batches or [self._empty])  # type: ignore[attr-defined]
            raise
        return Table(batches or [self._empty])

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """What is left as an Arrow C stream (the PyCapsule protocol)."""
        return self._empty.arrow_c_stream(self._batches)

    def __arrow_c_schema__(self) -> object:
        """The Arrow C schema (the PyCapsule protocol)."""
        return self._empty.arrow_c_schema()


def columns(
    source: Source | Sequence[Source],
    fields: Sequence[str] | None = None,
    *,
    filter: _plt.filter | str | None = None,
    limit: int | None = None,
    batch: int = 1 << 16,
    workers: int | None = None,
    client: Any = None,
) -> Columns:
    """Fields of packets as columns: NumPy arrays, and Arrow.

    source is a trace or URI, or a list of these, read in order; fields are names of
    `column_fields()`; filter lets only packets through that match; limit ends after so many
    packets, of all sources together; batch is the rows of each batch.  ValueError on an unknown
    field; LibtraceError where a trace can't be read, after what was read before.  Ctrl-C ends the
    reading at once.

    Of several files `workers` threads read as many at once; without it as many as there are
    processors.  The batches come in the order of the files nevertheless.  While the consumer is at
    one file, the threads read ahead in the next: together at most 4,194,304 rows and 1,024 batches,
    but two batches each.  `table()` lets them read without that bound.  With a limit or workers=1
    files are read one after another, and traces, pipes and interfaces always, by the consumer's own
    thread.  Ctrl-C, `close()` and dropping the Columns end the threads.

    With a client of dask.distributed its workers read the sources, which each of them must be able
    to open: as many at once as they have threads, or `workers`.  They keep the batches of a source
    until those were fetched, two at a time.
    """
    known = list(column_fields())
    names = check_fields(DEFAULT_FIELDS if fields is None else fields, known)
    if limit is not None and operator.index(limit) < 0:
        raise ValueError("limit must be 0 or more")
    if operator.index(batch) < 1:
        raise ValueError("a batch has at least one row")
    if workers is not None and operator.index(workers) < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    sources = list(source) if isinstance(source, (list, tuple)) else [source]
    if not sources:
        raise ValueError("no sources to read")
    left = None if limit is None else Limit(limit)

    def rows() -> int:
        return -1 if left is None else left.left

    def reader(one: Source) -> Reader:
        return _plt._ColumnReader(one, names, filter, rows(), batch)

    if client is not None:
        from ._clustercolumns import OnCluster  # noqa: PLC0415  few have a cluster

        most = 1 if left is not None else workers
        remote = OnCluster(client, sources, most, (names, filter, rows, batch))
        return Columns(InTurn(remote, left, remote.close), names)
    threads = 1 if left is not None else workers or os.cpu_count() or 1
    if threads == 1 or len(sources) == 1:
        # a generator would not go on behind an exception
        return Columns(InTurn(map(reader, sources), left), names)
    ahead = InThreads(reader, sources, threads, batch)
    return Columns(InTurn(ahead, stop=ahead.close), names)
