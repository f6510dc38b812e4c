"""The DNS messages of whole traces as columns: NumPy arrays and Arrow, as those of plt."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from . import _pldns

__all__ = ["column_fields", "columns"]

__all__ = ["column_fields", "columns"]

if TYPE_CHECKING:
    import plt
    from plt._columns import Source

#: What pldns.columns() reads where it is not told.
DEFAULT_FIELDS = (
    "time",
    "version",
    "proto",
    "src_prefix",
    "dst_prefix",
    "src_port",
    "dst_port",
    "length",
    "id",
    "qr",
    "opcode",
    "rcode",
    "qname",
    "qtype",
    "ancount",
    "response_time",
)


def column_fields() -> dict[str, str]:
    """The names of all columns of DNS messages, each with one sentence on what it holds."""
    return {name: doc for name, _, doc, _ in _pldns._column_fields()}


def _checked_fields(fields: Sequence[str]) -> tuple[str, ...]:
    from plt._columns import check_fields  # noqa: PLC0415  pldns alone needs no plt

    return check_fields(fields, list(column_fields()), "pldns")


def _nanoseconds(timeout: float) -> int:
    """A timeout in whole nanoseconds; ValueError where it is none."""
    if not 0 < timeout < 1e9:
        raise ValueError(f"a timeout is more than 0 seconds and less than 10**9, not {timeout}")
    return math.ceil(timeout * 1e9)


def columns(
    source: Source | Sequence[Source],
    fields: Sequence[str] | None = None,
    *,
    filter: plt.filter | str | None = None,
    limit: int | None = None,
    batch: int = 1 << 16,
    ports: int | Iterable[int] = (53,),
    timeout: float = 10.0,
) -> plt.Columns:
    """The DNS messages of packets as columns, a row each: NumPy arrays, and Arrow.

    source is a trace or URI, or a list of these, read in order as one; fields are names of
    `column_fields()`; filter lets only packets through that match; limit ends after so many
    messages; batch is the rows of each batch.  Messages are the UDP payloads, and those in TCP
    payloads, from or to one of the ports.  What iterates is a plt.Columns.

    A row has what was captured of its message: the id where its two bytes are there, other header
    fields where the header is whole, qname, qtype and qclass where there is a first question and it
    is whole, EDNS where there is an OPT record and all before it is whole.  All else is missing.
    Only `status` tells whether the whole message could be read.

    Of a TCP message there is one row, at its first segment and with what that has of it: its times
    are those of that segment.  Segments sent again or out of order give no rows.  Nor does a
    connection whose start, or a segment of which, is missing, until one begins with a message.

    response_time and query_time match a response to the earliest query (RFC 8618 section 10) that
    waits with the same addresses, ports, protocol and id, and, where both have one, the same first
    question, no matter the case of its name.  So of a query sent twice and answered once, the time
    counts from the first.  A query waits for timeout seconds of the trace's time; at most 1,048,576
    wait at once, and of these 16 that differ in the question alone: then the earliest is forgotten.
    A response captured before its query has none, and where the clock of the trace steps back a
    response_time may be below 0.

    ValueError on an unknown field, port or timeout; LibtraceError where a trace can't be read,
    after what was read before.  Ctrl-C ends the reading at once.
    """
    import plt  # noqa: PLC0415  pldns alone needs no plt

    names = _checked_fields(DEFAULT_FIELDS if fields is None else fields)
    numbers = (ports,) if isinstance(ports, int) else tuple(ports)
    if limit is not None and limit < 0:
        raise ValueError("limit must be 0 or more")
    sources = list(source) if isinstance(source, (list, tuple)) else [source]
    if not sources:
        raise ValueError("no sources to read")
    if limit is not None and len(sources) > 1:
        raise ValueError("a limit is for one source, not for several")
    rows = -1 if limit is None else limit
    matcher = _pldns._Matcher(_nanoseconds(timeout), os.urandom(16))

    def reader(one: Source) -> _pldns._ColumnReader:
        return _pldns._ColumnReader(one, names, filter, rows, batch, numbers, matcher)

    # plt's Columns asks of a reader no more than what this has in common with plt's own
    return plt.Columns(cast("Iterator[Any]", map(reader, sources)), names)
