"""The flows of many traces: files read side by side, their tables merged in order."""

from __future__ import annotations

import copy
import operator
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import groupby
from typing import Any, SupportsIndex

import plt
from natkit._natkit import FlowHome, FlowTable
from plt.shared import (
    WORTH_IT,
    Crew,
    Decap,
    Part,
    SharedFilter,
    Source,
    Sources,
    Splitting,
    Tell,
    formats_to_split,
    is_file,
    measured,
    processors,
    shared_filter,
    sources_of,
    splitting,
)

__all__ = ["Source", "flows"]

#: Seconds that threads get to end after an error; one that waits for a disk is left to itself.
PATIENCE = 0.1

#: Parts of a file for each thread: each takes time to be merged.
PARTS = 3

#: Packets that flows have on average, at least, where merging takes less than it saves.
PACKETS_OF_FLOW = 8


@dataclass(frozen=True)
class _Settings:
    """What the tables of all files have in common."""

    home: FlowHome | None
    idle_timeout: float | None
    active_timeout: float | None
    filter: SharedFilter
    vlan: bool = False
    tcp: bool = False
    decap: Decap = False
    first: int = 0
    statistics: bool = False

    def table(self) -> FlowTable:
        return FlowTable._to_be_merged(**self.words())

    def words(self) -> dict[str, Any]:
        """FlowTable's arguments."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "filter"
        }


@dataclass
class _Part:
    """The table of some files in a row, and the error that the last one ended with."""

    table: FlowTable
    uris: tuple[Source, ...]
    error: Exception | None = None


class _Stop:
    """A bar that ends the reading in other threads, where Ctrl-C does not come."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def update(self, _packets: int, /) -> None:
        if self.event.is_set():
            raise KeyboardInterrupt


def _read_on(part: _Part, uris: Iterable[Source], settings: _Settings, stop: Any = None) -> None:
    """Read files into a table, up to the first that is broken."""
    for uri in uris:
        if part.error is None:
            try:
                part.table.add_trace(uri, settings.filter, stop)
            except Exception as error:
                part.error = error.with_traceback(None)  # its frames would keep the table


def _read(uri: Source, settings: _Settings, stop: Any = None) -> _Part:
    part = _Part(settings.table(), (uri,))
    _read_on(part, part.uris, settings, stop)
    return part


def _join(part: _Part, later: _Part, settings: _Settings, stop: Any = None) -> None:
    """Add a later part to one: by merging, or where only the packets can tell, by reading on."""
    if part.error is None:
        if part.table.merge(later.table, exact=True):
            part.error = later.error
        else:
            _read_on(part, later.uris, settings, stop)
    part.uris += later.uris


def _joined(part: _Part, later: _Part, settings: _Settings) -> _Part:
    """The same as a task of a cluster, which may run again: it changes nothing that it is given."""
    result = _Part(copy.copy(part.table), part.uris, part.error)
    _join(result, later, settings)
    return result


# --- On this machine --------------------------------------------------------------------------


def _side_by_side(whole: _Part, uris: Sequence[Source], settings: _Settings, workers: int) -> None:
    """Have threads read files, a few ahead, and add each to the whole in its turn.

    They are waited for but for a moment: where one is stuck in a read, Ctrl-C and the end of the
    interpreter get by it.
    """
    stop = _Stop()
    crew = Crew(workers, "natkit-flows", PATIENCE)
    try:
        read = partial(_read, settings=settings, stop=stop)
        for later in crew.in_order(read, uris, workers + 1):
            if whole.table.packets == 0:
                whole.table, whole.error = later.table, later.error
                whole.table._merged()
            else:
                _join(whole, later, settings)
            if whole.error is not None:
                break
    finally:
        stop.event.set()
        crew.close()


def _parts_read(
    file: Splitting, settings: _Settings, workers: int, crew: Crew, stop: _Stop
) -> Iterator[_Part]:
    """The parts of a file, read side by side; the first tells whether that is worth it."""
    first = next(file.parts(), None)
    if first is None:  # no record is found, as where packets are large
        return
    found = _read(first, settings)
    yield found
    if first.stop is None or len(found.table) * PACKETS_OF_FLOW > found.table.packets:
        return
    size = max(first.stop - first.start, (file.size - first.stop) // (PARTS * workers))
    read = partial(_read, settings=settings, stop=stop)
    yield from crew.in_order(read, file.parts(first.stop, size), workers + 1)


def _parts_side_by_side(whole: _Part, file: Splitting, settings: _Settings, workers: int) -> None:
    """The same with the parts of one file.

    A part that is not what reading on would come to is read once more, from where that is; what
    can't be merged exactly, and all after it, is read on.
    """
    stop = _Stop()
    crew = Crew(workers, "natkit-flows", PATIENCE)
    at, packets = file.start, 0
    try:
        for read in _parts_read(file, settings, workers, crew, stop):
            found, part = read, read.uris[0]
            assert isinstance(part, Part)
            if part.stop is not None and part.stop <= at:
                continue  # one packet goes over all of it
            if (part.start, part.state) != (at, file.state):
                part = file.part(at, part.stop)
                found = _read(part, settings)
            stream = part.stream
            if found.error is not None or stream is None or stream.end is None:
                break
            if whole.table.packets == 0:
                whole.table = found.table
                whole.table._merged()
            elif not whole.table.merge(found.table, exact=True):
                break
            at, file.state = stream.end, stream.state
            packets += stream.packets
            if part.stop is None:
                return
    finally:
        stop.event.set()
        crew.close()
    _read_on(whole, [file.part(at, None, packets)], settings)


def _here(
    whole: _Part,
    sources: Sequence[Source],
    settings: _Settings,
    workers: int,
    least: int,
    tell: Tell,
) -> None:
    """Read the sources into the whole; after Ctrl-C the exception has what was read."""
    sources, progress = measured(sources, tell)
    try:
        _read_here(whole, sources, settings, workers, least)
    except KeyboardInterrupt as error:
        error.table = whole.table  # type: ignore[attr-defined]
        raise
    finally:
        if progress is not None:
            progress.close()


def _read_here(
    whole: _Part, sources: Sequence[Source], settings: _Settings, workers: int, least: int
) -> None:
    # most files begin in the midst of connections, whose quality merging can't tell
    if settings.tcp:
        workers = 1
    for are_files, run in groupby(sources, partial(is_file, least=least)):
        uris = list(run)
        if whole.error is None and are_files and workers > 1 and len(uris) > 1:
            _side_by_side(whole, uris, settings, min(workers, len(uris)))
            continue
        file = None
        if whole.error is None and are_files and workers > 1:
            file = splitting(uris[0], formats_to_split(settings.filter))
        if file is not None:
            _parts_side_by_side(whole, file, settings, workers)
        else:
            _read_on(whole, uris, settings)


# --- On a cluster -----------------------------------------------------------------------------


def _on_cluster(uris: Sequence[Source], settings: _Settings, client: Any) -> _Part:
    """A task for each file, then one for each two neighbours, until one is left."""
    parts = [client.submit(_read, uri, settings, pure=False) for uri in uris]
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        joined = [client.submit(_joined, *pair, settings, pure=False) for pair in pairs]
        parts = joined + parts[len(joined) * 2 :]
    result: _Part = parts[0].result()
    result.table._merged()
    return result


def flows(
    uris: Sources,
    *,
    home: FlowHome | None = None,
    idle_timeout: float | None = None,
    active_timeout: float | None = None,
    vlan: bool = False,
    tcp: bool = False,
    decap: Decap = False,
    first: int = 0,
    statistics: bool = False,
    filter: plt.filter | str | None = None,
    workers: SupportsIndex | None = None,
    client: Any = None,
    progress: Tell = None,
) -> FlowTable:
    """The FlowTable of many traces, flow for flow that which reading them in order would give.

    uris are one or more traces as plt.columns() takes them, of one capture after another; home,
    idle_timeout, active_timeout, vlan, tcp, decap, first and statistics are FlowTable's.  On this
    machine `workers` threads read files, by default those of 128 kB or more by as many as there are
    processors; pipes, interfaces, URLs, and traces and files that are open are read in their
    turn.  Of one plain pcap or pcapng file of 16 MB or more they read parts, where it has many
    packets for each flow.  With a client of dask.distributed its workers read, each of which
    must be able to read the files.  The tables are merged; where merge() can't be exact, the
    later files are read again into the earlier table: see FlowTable.merge().  With tcp=True
    those are most, and on this machine the files are read in order at once, by a thread that
    reads and one that counts.

    progress=True shows a bar of tqdm's, and a function gets the bytes read and those that there
    are, as for plt.columns().

    ValueError where there are no uris and for fewer than one worker; TypeError for a trace object
    with a client.  LibtraceError where a trace can't be read, and KeyboardInterrupt after Ctrl-C:
    it has what came before, in order, as its `table`.
    """
    sources = sources_of(uris)
    if not sources:
        raise ValueError("no sources to read")
    threads = processors() if workers is None else operator.index(workers)
    if threads < 1:
        raise ValueError(f"workers must be 1 or more, not {threads}")
    shared = shared_filter(filter)
    settings = _Settings(
        home, idle_timeout, active_timeout, shared, vlan, tcp, decap, first, statistics
    )
    if client is None:
        whole = _Part(FlowTable(**settings.words()), tuple(sources))
        # a table of its own for a small file takes longer than reading it
        least = WORTH_IT if workers is None else 0
        _here(whole, sources, settings, threads, least, progress)
    elif progress:
        raise ValueError("progress tells of what is read on this machine, not on a cluster")
    elif not all(isinstance(source, str | bytes | os.PathLike) for source in sources):
        raise TypeError("a cluster reads URIs and paths, not plt.trace objects or open files")
    else:
        whole = _on_cluster(sources, settings, client)
    if isinstance(whole.error, plt.LibtraceError):
        whole.error.table = whole.table  # type: ignore[attr-defined]
    if whole.error is not None:
        raise whole.error
    return whole.table
