"""Whole traces as columns."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

from . import _plt
from ._inorder import InThreads, InTurn, Limit, OneByOne, Reading, Rows
from ._names import ColumnName
from ._parts import FORMATS
from ._progress import Tell, measured
from ._sources import WORTH_IT, Source, Sources, sources_of
from ._table import Addresses, Batch, Table, address_kind, check_fields, empty_batch
from ._threads import processors

__all__ = [
    "Columns",
    "SharedFilter",
    "column_fields",
    "columns",
    "community_seed_of",
    "packet_batch",
    "read_columns",
    "rows_of",
    "shared_filter",
]

if TYPE_CHECKING:
    import numpy as np


#: Whether to look into tunnels, or at which ports too.
Decap: TypeAlias = bool | Mapping[str, int | Iterable[int]]

#: Rows of the batches that Arrow's consumers get, who keep most of them: each has its dictionaries.
ARROW_ROWS = 1 << 16

#: The largest seed of Community IDs, which has two bytes.
MOST_SEED = 0xFFFF

#: The columns that plt.columns() reads by default.
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
    return {name: doc for name, (_, _, doc, _) in _fields().items()}


@cache
def _fields() -> dict[str, tuple[str, int, str, bool]]:
    return {row[0]: row for row in _plt._column_fields()}


def packet_batch(
    names: Sequence[str], addresses: Addresses, more: Iterable[tuple[str, int, str, bool]]
) -> _plt._Batch:
    """A batch without rows, of columns of packets, and of more that a module has."""
    known = [*_fields().values(), *more]
    return empty_batch(_plt._Batch, known, names, addresses)


def rows_of(empty: _plt._Batch, batch: int | None) -> Rows:
    """The most rows of batches such as an empty one."""
    return Rows(empty.rows_in_cache(), ARROW_ROWS) if batch is None else Rows(batch)


def community_seed_of(seed: SupportsIndex) -> int:
    """A seed of Community IDs; ValueError where it is none."""
    number = operator.index(seed)
    if not 0 <= number <= MOST_SEED:
        raise ValueError(f"community_seed must be in 0..{MOST_SEED}, not {number}")
    return number


class Columns:
    """The columns of a trace, or of several in order, read as they are asked for.

    Iterating gives a Batch after another; `table()` gives all that is left as one Table; Arrow
    consumers take the object itself and read it batch by batch.  Each packet is given once.  A
    trace that was given is in use until the last of its packets was read, or `close()`.  After an
    error that breaks a trace off, reading goes on with the next source.
    """

    def __init__(
        self,
        batches: InTurn,
        fields: tuple[str, ...],
        empty: _plt._Batch,
        rows: Rows | None = None,
    ) -> None:
        self.fields = fields
        self._batches = batches
        self._empty = empty
        self._rows = rows

    def __iter__(self) -> Iterator[Batch]:
        return map(Batch, self._batches)

    def __enter__(self) -> Columns:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        package = type(self._empty).__module__.partition(".")[0]
        return f"<{package}.columns of {', '.join(self.fields) or 'no fields'}>"

    def _repr_html_(self) -> str:
        """The columns and what they hold, for notebooks; nothing is read."""
        from ipp.shared import html_rows  # noqa: PLC0415  what is seldom shown

        package = type(self._empty).__module__.partition(".")[0]
        known = {
            name: doc for name, _, doc, _ in sys.modules[f"{package}._{package}"]._column_fields()
        }
        rows = [(name, known[name]) for name in self.fields]
        return html_rows(f"{package}.columns, not read yet", rows)

    def close(self) -> None:
        """Read no more, close what was opened for this, and end the threads that read ahead."""
        self._batches.close()

    def _finish(self) -> None:
        """Read no more: what was read of a batch comes, and then the end."""
        self._batches.finish()

    def table(self) -> Table:
        """All that is left as one table.

        Where reading fails half-way, the LibtraceError, and after Ctrl-C the KeyboardInterrupt,
        has what came before as its `table`.
        """
        batches: list[_plt._Batch] = []
        try:
            batches.extend(self._batches.rest())
        except (_plt.LibtraceError, KeyboardInterrupt) as error:
            error.table = Table(batches or [self._empty])  # type: ignore[union-attr]
            raise
        return Table(batches or [self._empty])

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """What is left as an Arrow C stream (the PyCapsule protocol)."""
        if self._rows is not None and self._rows.most_kept:
            self._rows.keep()
            self._batches.set_batch(self._rows.most)
        return self._empty.arrow_c_stream(self._batches)

    def __arrow_c_schema__(self) -> object:
        """The Arrow C schema (the PyCapsule protocol)."""
        return self._empty.arrow_c_schema()

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """The rows that are left, as those of a Table: pandas.DataFrame() takes them."""
        return self.table().__array__()


#: What threads and machines can share of a filter.
SharedFilter: TypeAlias = _plt.where | str | None


def shared_filter(filter: _plt.filter | str | None) -> SharedFilter:
    """A filter for other threads and machines: its expression, which each compiles for itself.

    A plt.where never changes: they share it.
    """
    if isinstance(filter, str | _plt.where) or filter is None:
        return filter
    if isinstance(filter, _plt.filter):
        return filter.expression
    kind = type(filter).__name__
    raise TypeError(f"filter must be a plt.filter or an expression, not {kind}")


def read_columns(
    source: Sources,
    reading: Reading,
    names: tuple[str, ...],
    *,
    limit: int | None,
    batch: int,
    workers: int | None,
    client: Any,
    progress: Tell = None,
) -> Columns:
    """The columns of sources that are read in a way of a package's own."""
    if limit is not None and operator.index(limit) < 0:
        raise ValueError("limit must be 0 or more")
    if operator.index(batch) < 1:
        raise ValueError("a batch has at least one row")
    if workers is not None and operator.index(workers) < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    sources = sources_of(source)
    if not sources:
        raise ValueError("no sources to read")
    rows = Limit(limit)
    if client is not None and progress:
        raise ValueError("progress tells of what is read on this machine, not on a cluster")
    sources, told = measured(sources, progress)
    if client is not None:
        from ._cluster import OnCluster  # noqa: PLC0415  few have a cluster

        remote = OnCluster(client, reading, sources, 1 if limit is not None else workers, rows)
        return Columns(InTurn(remote, rows, remote.close), names, reading.empty, reading.batch)
    threads = 1 if limit is not None else workers or processors()
    if threads == 1 or len(sources) == 1:
        in_turn = InTurn(OneByOne(reading, sources, rows, threads), rows, progress=told)
        return Columns(in_turn, names, reading.empty, reading.batch)
    ahead = InThreads(reading, sources, threads, batch, WORTH_IT if workers is None else 0)
    return Columns(InTurn(ahead, rows, ahead.close, told), names, reading.empty, reading.batch)


def formats_to_split(filter: _plt.filter | str | None) -> Sequence[str]:
    """Formats of files whose parts may be read at the same time.

    A filter of libpcap's is compiled for the link types that come, of which pcapng may have
    several; where it can be for none, only who reads all of them can tell.  So it is with the
    number of a packet.
    """
    if isinstance(filter, _plt.where):
        return () if "number" in filter.expression else FORMATS
    return FORMATS if filter is None else FORMATS[:1]


def _reader(
    names: tuple[str, ...],
    filter: SharedFilter,
    batch: Rows,
    kind: int,
    decap: Decap,
    seed: int,
    source: Source,
    limit: int,
) -> _plt._ColumnReader:
    """What reads a source, in its turn or ahead of it: packets say nothing of each other."""
    return _plt._ColumnReader(source, names, filter, limit, batch.most, kind, decap, seed)


def columns(
    source: Sources,
    fields: Sequence[ColumnName] | ColumnName | None = None,
    *,
    addresses: Addresses = "auto",
    filter: _plt.filter | str | None = None,
    limit: int | None = None,
    batch: int | None = None,
    decap: Decap = False,
    community_seed: SupportsIndex = 0,
    workers: int | None = None,
    client: Any = None,
    progress: Tell = None,
) -> Columns:
    """Fields of packets as columns: NumPy arrays, and Arrow.

    source is a trace, a URI, path or URL, a folder, a pattern such as "day/*.pcap.gz", an open
    binary file, or several of these, read in order; fields are names of `column_fields()`; filter
    lets only packets through that match; limit ends after so many packets, of all sources together;
    batch is the most rows of each batch, without it as many as a processor's cache holds, 65,536 at
    most, which is what Arrow's consumers get; of a pipe, a socket or an interface it is handed over
    after 0.2 seconds, with the rows that there are.  ValueError on an unknown field; LibtraceError
    where a trace can't be read, after what was read before.  Ctrl-C ends the reading at once; the
    rows that were read of a batch are the next.

    With decap=True the columns are of the innermost packet of each packet, in whatever tunnels it
    is, and those named tunnel.* tell of the tunnel around it; filter is asked about the outer
    packet.  decap={"vxlan": [4790, 8473]} adds ports of tunnels over UDP.

    community_seed is that of the Community IDs in the column community_id, 0 to 65535.

    addresses="text" has addresses as str in NumPy and as text in Arrow, "binary" as 16 bytes in
    both.  With "auto" each has what it works with: NumPy bytes, as ipp's functions take them, and
    what reads Arrow (pandas, polars, DuckDB, Parquet) text.

    One plain pcap or pcapng file of 16 MB or more is read by `workers` threads, without it as many
    as there are processors; the consumer's own is one of them.  Each reads parts of it, whose
    batches come in order, as one reader finds them.  With a limit or workers=1 one thread reads it,
    and so pcapng with a filter of libpcap's; without `workers` also where records tell all columns,
    such as time and wire_len.

    Of several files `workers` threads read as many at once; without it as many as there are
    processors read those of 128 kB or more.  The batches come in the order of the files
    nevertheless.  While the consumer is at one file, the threads read ahead in the next:
    together at most 4,194,304 rows and 1,024 batches, but two batches each.  `table()` lets
    them read without that bound.  With a limit or workers=1 files are read one after another,
    and traces, pipes and interfaces always, by the consumer's own thread.  Ctrl-C, `close()`
    and dropping the Columns end the threads.

    progress=True shows a bar of tqdm's, with the bytes that were read of those that the files have;
    a function gets both, the second is None where it is not known, at most ten times a second and
    at the end, from a thread that reads.  Traces that are open, and interfaces, count nothing.

    With a client of dask.distributed its workers read the sources, which each of them must be able
    to open: as many at once as they have threads, or `workers`.  They keep the batches of a source
    until those were fetched, two at a time.
    """
    names = check_fields(DEFAULT_FIELDS if fields is None else fields, list(_fields()))
    kind = address_kind(addresses)
    empty = packet_batch(names, addresses, ())
    rows = rows_of(empty, batch)
    reader = partial(
        _reader, names, shared_filter(filter), rows, kind, decap, community_seed_of(community_seed)
    )
    # a packet's number is known only where all before it were counted
    splits = () if "number" in names else formats_to_split(filter)
    if workers is None and filter is None and not decap:
        # one thread has them as soon as several would
        splits = () if all(map(_plt._column_is_of_record, names)) else splits
    return read_columns(
        source,
        Reading(empty, reader, reader, splits=splits, batch=rows),
        names,
        limit=limit,
        batch=rows.most,
        workers=workers,
        client=client,
        progress=progress,
    )
