"""The flows of many traces: files read side by side, their tables merged in order."""

from __future__ import annotations

import copy
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import plt
from natkit._natkit import FlowHome, FlowTable

Source = str | os.PathLike[str]


@dataclass(frozen=True)
class _Settings:
    """What the tables of all files have in common."""

    home: FlowHome | None
    idle_timeout: float | None
    active_timeout: float | None
    filter: str | None

    def table(self) -> FlowTable:
        return FlowTable._to_be_merged(self.home, self.idle_timeout, self.active_timeout)


@dataclass
class _Part:
    """The table of some files in a row, and the error that the last one ended with."""

    table: FlowTable
    uris: tuple[Source, ...]
    error: plt.LibtraceError | None = None


class _Stop:
    """A progress function that ends the reading in other threads, where Ctrl-C does not come."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self, _packets: int) -> None:
        if self.event.is_set():
            raise KeyboardInterrupt


def _read_on(part: _Part, uris: Iterable[Source], settings: _Settings, stop: Any = None) -> None:
    """Read files into a table, up to the first that is broken."""
    for uri in uris:
        if part.error is None:
            try:
                part.table.add_trace(uri, settings.filter, stop)
            except plt.LibtraceError as error:
                part.error = error


def _read(uri: Source, settings: _Settings, stop: Any = None) -> _Part:
    part = _Part(settings.table(), (uri,))
    _read_on(part, part.uris, settings, stop)
    return part


def _join(part: _Part, later: _Part, settings: _Settings) -> None:
    """Add a later part to one: by merging, or where only the packets can tell, by reading on."""
    if part.error is None:
        if part.table.merge(later.table, exact=True):
            part.error = later.error
        else:
            _read_on(part, later.uris, settings)
    part.uris += later.uris


def _joined(part: _Part, later: _Part, settings: _Settings) -> _Part:
    """The same as a task of a cluster, which may run again: it changes nothing that it is given."""
    result = _Part(copy.copy(part.table), part.uris, part.error)
    _join(result, later, settings)
    return result


# --- On this machine --------------------------------------------------------------------------


def _in_threads(uris: Sequence[Source], settings: _Settings, workers: int) -> _Part:
    """Read in threads, a few files ahead; merge in this one, each as its turn comes."""
    stop = _Stop()
    whole = _Part(settings.table(), ())
    with ThreadPoolExecutor(workers, thread_name_prefix="natkit-flows") as pool:
        waiting: deque[Future[_Part]] = deque()
        to_read: Iterator[Source] = iter(uris)
        try:
            for _ in uris:
                for uri in to_read:
                    waiting.append(pool.submit(_read, uri, settings, stop))
                    if len(waiting) > workers:
                        break
                part = waiting.popleft().result()
                _join(whole, part, settings)
                if whole.error is not None:
                    break
        finally:
            stop.event.set()
            for future in waiting:
                future.cancel()
    return whole


# --- On a cluster -----------------------------------------------------------------------------


def _on_cluster(uris: Sequence[Source], settings: _Settings, client: Any) -> _Part:
    """A task for each file, then one for each two neighbours, until one is left."""
    parts = [client.submit(_read, uri, settings, pure=False) for uri in uris]
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        joined = [client.submit(_joined, *pair, settings, pure=False) for pair in pairs]
        parts = joined + parts[len(joined) * 2 :]
    result: _Part = parts[0].result()
    return result


def flows(
    uris: Source | Sequence[Source],
    *,
    home: FlowHome | None = None,
    idle_timeout: float | None = None,
    active_timeout: float | None = None,
    filter: plt.filter | str | None = None,
    workers: int | None = None,
    client: Any = None,
) -> FlowTable:
    """The FlowTable of many traces, flow for flow that which reading them in order would give.

    uris are URIs or paths, of one capture after another; home, idle_timeout and active_timeout are
    FlowTable's.  On this machine `workers` threads read, as many as there are processors where it
    is not told; with a client of dask.distributed its workers do, each of which must be able to
    read the files.  The tables are merged; where merge() can't be exact, the later files are read
    again into the earlier table: see FlowTable.merge().

    ValueError where there are no uris and for fewer than one worker.  LibtraceError where a trace
    can't be read: it has what came before, in order, as its `table`.
    """
    sources = [uris] if isinstance(uris, (str, os.PathLike)) else list(uris)
    if not sources:
        raise ValueError("no sources to read")
    threads = (os.cpu_count() or 1) if workers is None else workers
    if threads < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    expression = filter.expression if isinstance(filter, plt.filter) else filter
    settings = _Settings(home, idle_timeout, active_timeout, expression)
    if client is not None:
        whole = _on_cluster(sources, settings, client)
    elif threads == 1 or len(sources) == 1:
        whole = _Part(FlowTable(home, idle_timeout, active_timeout), tuple(sources))
        _read_on(whole, sources, settings)
    else:
        whole = _in_threads(sources, settings, min(threads, len(sources)))
    if whole.error is not None:
        whole.error.table = whole.table  # type: ignore[attr-defined]
        raise whole.error
    return whole.table
