"""The DNS messages of whole traces as columns: NumPy arrays and Arrow, as those of plt."""

from __future__ import annotations

import io
import math
import operator
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

from . import _pldns

__all__ = ["column_fields", "columns"]

if TYPE_CHECKING:
    import plt
    from plt.shared import Addresses, Lane, Rows, SharedFilter, Source, Sources, Tell

    from ._names import ColumnName

#: What the matching of responses to queries reads of a file that was read ahead; ahead.c needs it.
MATCHING = (
    "time",
    "version",
    "proto",
    "src_prefix",
    "dst_prefix",
    "src_port",
    "dst_port",
    "id",
    "qr",
    "_question",
)

#: A pcap file without packets.
NO_PACKETS = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)

#: The columns that pldns.columns() reads by default.
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


def _nanoseconds(timeout: float) -> int:
    """A timeout in whole nanoseconds; TypeError or ValueError where it is none."""
    if not isinstance(timeout, SupportsFloat):
        raise TypeError(f"a timeout is a number of seconds, not {timeout!r}")
    if not 0 < timeout < 1e9:
        raise ValueError(f"a timeout is more than 0 seconds and less than 10**9, not {timeout}")
    return math.ceil(timeout * 1e9)


def _ports(ports: SupportsIndex | Iterable[SupportsIndex]) -> tuple[int, ...]:
    """Port numbers; TypeError or ValueError where one is none."""
    given = (ports,) if isinstance(ports, SupportsIndex) else ports
    try:
        numbers = tuple(operator.index(port) for port in given)
    except TypeError:
        raise TypeError(f"ports are an int or several, not {ports!r}") from None
    for number in numbers:
        if not 0 <= number <= 65535:
            raise ValueError(f"ports are 0 to 65535, not {number}")
    return numbers


def columns(
    source: Sources,
    fields: Sequence[ColumnName] | ColumnName | None = None,
    *,
    addresses: Addresses = "auto",
    filter: plt.filter | str | None = None,
    limit: int | None = None,
    batch: int | None = None,
    workers: int | None = None,
    client: Any = None,
    progress: Tell = None,
    ports: int | Iterable[int] = (53,),
    timeout: float = 10.0,
    reassemble: bool = False,
) -> plt.Columns:
    """The DNS messages of packets as columns, a row each: NumPy arrays, and Arrow.

    source is one or more traces as plt.columns() takes them, read in order as one; fields are names
    of `column_fields()`; filter lets only packets through that match; limit ends after so many
    messages, of all sources together; batch is the most rows of each batch, without it as many as a
    processor's cache holds, 65,536 at most, which is what Arrow's consumers get, or fewer of a pipe
    or an interface, as for plt.columns().  Messages are the UDP payloads, and those in TCP
    payloads, from or to one of the ports.  What iterates is a plt.Columns; addresses are "text",
    "binary" or "auto", as for plt.columns().

    A row has what was captured of its message: the id where its two bytes are there, other header
    fields where the header is whole, qname, qtype and qclass where there is a first question and it
    is whole, EDNS where there is an OPT record and all before it is whole.  All else is missing.
    Only `status` tells whether the whole message could be read.

    Of a TCP message there is one row, at its first segment and with what that has of it: its times
    are those of that segment.  Segments sent again or out of order give no rows.  Nor does a
    connection whose start, or a segment of which, is missing, until one begins with a message.

    With reassemble fragments of UDP are put together, and so are the segments of TCP: a row has the
    whole message, and comes with the packet that makes it whole and its time.  Where bytes are
    missing the message has what is there, as soon as they are known to be lost: they were not
    captured or the receiver has them, 128 KiB came after them, or the connection is over.  It, and
    those that waited for it, have the time of their own last byte, and no wire_len where that is
    another packet's.  All sources are read in order then, by one thread: ValueError with workers or
    a client.

    response_time and query_time match a response to the earliest query (RFC 8618 section 10) that
    waits with the same addresses, ports, protocol and id, and, where both have one, the same first
    question, no matter the case of its name.  So of a query sent twice and answered once, the time
    counts from the first.  A query waits for timeout seconds of the trace's time; at most 1,048,576
    wait at once, and of these 16 that differ in the question alone: then the earliest is forgotten.
    A response captured before its query has none, and where the clock of the trace steps back a
    response_time may be below 0.

    Of several files `workers` threads read as many at once, or with a client of dask.distributed
    its workers, as for plt.columns().  The rows are those of reading one file after another: a
    response is matched to its query in an earlier file, and a TCP stream goes on from there.  A
    file that begins in the middle of a message of such a stream is read again in its turn.

    progress is that of plt.columns().

    ValueError on an unknown field, port or timeout; LibtraceError where a trace can't be read,
    after what was read before.  Ctrl-C ends the reading at once.
    """
    from plt.shared import (  # noqa: PLC0415  pldns alone needs no plt
        Reading,
        address_kind,
        check_fields,
        empty_batch,
        read_columns,
        rows_of,
        shared_filter,
        sources_of,
    )

    names = check_fields(
        DEFAULT_FIELDS if fields is None else fields, list(column_fields()), "pldns.column_fields()"
    )
    numbers = _ports(ports)
    if reassemble and (client is not None or workers not in (None, 1)):
        raise ValueError("to reassemble, one thread reads all sources in order")
    countdown = None
    if reassemble:
        source = sources_of(source)
        countdown = _Countdown(len(source))
    known = _pldns._column_fields()
    empty = empty_batch(_pldns._Batch, known, names, addresses)  # type: ignore[arg-type]
    rows = rows_of(empty, batch)
    settings = _Settings(
        names,
        shared_filter(filter),
        rows,
        address_kind(addresses),
        numbers,
        _nanoseconds(timeout),
        os.urandom(16),
        countdown,
    )
    matcher = settings.matcher()
    return read_columns(
        source,
        Reading(
            empty,
            partial(settings.reader_in_turn, matcher),
            partial(_Ahead, settings),
            partial(_InOrder, settings, matcher),
            batch=rows,
        ),
        names,
        limit=limit,
        batch=rows.most,
        workers=1 if reassemble else workers,
        client=client,
        progress=progress,
    )


# --- Files that are read ahead of earlier ones --------------------------------------------------


class _Countdown:
    """Of sources that are opened one after another."""

    def __init__(self, sources: int) -> None:
        self.sources = self.left = sources

    def is_last(self) -> bool:
        """Whether the one that is opened now is the last."""
        self.left -= 1
        return self.left == 0


class _Held:
    """What the sources before the last one left, then the error for which that can't be opened."""

    def __init__(self, reader: _pldns._ColumnReader, error: Exception) -> None:
        self.reader = reader
        self.error: Exception | None = error
        self.close = reader.close

    def __next__(self) -> _pldns._Batch:
        batch = self._batch(next(self.reader, None))
        if batch is None:
            raise StopIteration
        return batch

    def rest(self) -> _pldns._Batch | None:
        return self._batch(self.reader.rest())

    def _batch(self, batch: _pldns._Batch | None) -> _pldns._Batch | None:
        if batch is None and self.error is not None:
            error, self.error = self.error, None
            raise error
        return batch


@dataclass(frozen=True)
class _Settings:
    """What all sources are read with."""

    names: tuple[str, ...]
    filter: SharedFilter
    rows: Rows
    address_kind: int
    ports: tuple[int, ...]
    timeout: int
    seed: bytes
    reassembled: _Countdown | None = None  # the sources, where messages are put together

    def matcher(self, ahead: bool = False) -> _pldns._Matcher:
        return _pldns._Matcher(self.timeout, self.seed, ahead, self.reassembled is not None)

    def reader(
        self,
        matcher: _pldns._Matcher,
        names: tuple[str, ...],
        source: Source,
        limit: int,
        is_last: bool = False,
    ) -> _pldns._ColumnReader:
        return _pldns._ColumnReader(
            source,
            names,
            self.filter,
            limit,
            self.rows.most,
            self.address_kind,
            self.ports,
            matcher,
            is_last,
        )

    def reader_in_turn(
        self, matcher: _pldns._Matcher, source: Source, limit: int
    ) -> _pldns._ColumnReader | _Held:
        """What reads a source whose turn has come."""
        if self.reassembled is None or not self.reassembled.is_last():
            return self.reader(matcher, self.names, source, limit)
        try:
            return self.reader(matcher, self.names, source, limit, is_last=True)
        except Exception as error:
            if self.reassembled.sources == 1:
                raise
            nothing = io.BytesIO(NO_PACKETS)
            held = self.reader(matcher, self.names, nothing, limit, is_last=True)
            return _Held(held, error)

    def ahead_names(self) -> tuple[str, ...]:
        """The columns to read ahead: where responses are to be matched, with all that takes."""
        if not {"response_time", "query_time"} & set(self.names):
            return self.names
        return self.names + tuple(name for name in MATCHING if name not in self.names)


#: What is read ahead: a batch, the streams that were taken to be new, and at the end all streams.
_Item = tuple[Any, bytes, "bytes | None"]


class _Ahead:
    """What reads a source before it is known what those before it hold."""

    def __init__(
        self, settings: _Settings, source: Source, limit: int, streams: bytes = b"", skip: int = 0
    ) -> None:
        self.matcher = settings.matcher(ahead=True)
        self.matcher.add_streams(streams)
        self.reader = settings.reader(self.matcher, settings.ahead_names(), source, limit)
        self.reader.skip(skip)
        self.error: Exception | None = None
        self.ended = False
        self.stop = self.reader.stop
        self.close = self.reader.close

    def __next__(self) -> _Item:
        item = self._item(lambda: next(self.reader, None))
        if item is None:
            raise StopIteration
        return item

    def rest(self) -> _Item | None:
        return self._item(self.reader.rest)

    def _item(self, read: Any) -> _Item | None:
        if self.ended:
            return None
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        try:
            batch = read()
        except Exception as error:
            # streams without a row may have led to it
            assumed = self.matcher.assumed()
            if not assumed:
                raise
            self.error = error.with_traceback(None)
            return None, assumed, None
        self.ended = batch is None
        return batch, self.matcher.assumed(), self.matcher.streams() if self.ended else None


class _InOrder:
    """The batches of a source that was read ahead, once those before it were read."""

    def __init__(self, settings: _Settings, matcher: _pldns._Matcher, lane: Lane) -> None:
        self.matcher = matcher
        self.lane = lane
        self.count = len(settings.names)
        self.is_matched = settings.ahead_names() != settings.names
        self.rows = 0  # handed out
        self.checked = True  # what is assumed of streams, else it is known
        self.close = lane.close

    def __next__(self) -> Any:
        batch = self._batch(lambda: next(self.lane, None))
        if batch is None:
            raise StopIteration
        return batch

    def rest(self) -> Any:
        return self._batch(self.lane.rest)

    def _batch(self, read: Any) -> Any:
        while (item := read()) is not None:
            try:
                done, batch = self._in_order(*item)
            except BaseException:  # a signal's, or there is no memory: what was read is lost
                self.lane.give_up()
                raise
            if not done:
                self.checked = False
                self.lane.again(streams=self.matcher.streams(), skip=self.rows)
            elif batch is not None:
                return batch
        return None

    def _in_order(self, batch: Any, assumed: bytes, streams: bytes | None) -> tuple[bool, Any]:
        """Whether an item holds after the sources before it, and the batch of it."""
        if self.checked and not self.matcher.agrees(assumed):
            return False, None
        if streams is not None:
            self.matcher.add_streams(streams)
        if batch is not None:
            self.rows += len(batch)
            if self.is_matched:
                batch = self.matcher.match(batch, self.count)
        return True, batch
