"""The batches of columns of several sources in order, read by the workers of a Dask cluster."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from . import _plt
from ._manycolumns import Reader, Source

#: What a task makes of a source: its batches, and the error that came behind them.
_Part = tuple[list[_plt._Batch], Exception | None]


def _read_part(source: Source, *settings: Any) -> _Part:
    batches: list[_plt._Batch] = []
    try:
        batches.extend(_plt._ColumnReader(source, *settings))
    except Exception as error:
        return batches, error.with_traceback(None)
    return batches, None


def _what_is_in(part: _Part) -> tuple[int, Exception | None]:
    return len(part[0]), part[1]


def _batch_of(part: _Part, n: int) -> _plt._Batch:
    return part[0][n]


class _Remote:
    """The consumer's end of a source that a worker of the cluster reads: a reader."""

    def __init__(self, owner: OnCluster) -> None:
        self.owner = owner
        self.part: Any = None  # the future
        self.fetched: deque[Any] = deque()  # futures of batches, of the next ones alone
        self.asked = self.count = 0
        self.error: Exception | None = None
        self.begun = False

    def __next__(self) -> _plt._Batch:
        submit = self.owner.submit
        if not self.begun:
            self.begun = True
            self.part = self.owner.look_ahead()
            self.count, self.error = submit(_what_is_in, self.part).result()
        while self.asked < self.count and len(self.fetched) < 2:
            self.fetched.append(submit(_batch_of, self.part, self.asked))
            self.asked += 1
        if self.fetched:
            batch: _plt._Batch = self.fetched.popleft().result()
            return batch
        self.part = None
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None
        raise StopIteration

    def rest(self) -> _plt._Batch | None:
        return next(self, None)

    def empty(self) -> _plt._Batch:
        return self.owner.empty

    def close(self) -> None:
        self.begun, self.asked, self.count, self.error = True, 0, 0, None
        self.part = None
        self.fetched.clear()


def _empty_batch(names: tuple[str, ...]) -> _plt._Batch:
    """A batch without rows: there is no reader here that would give one."""
    known = {name: (kind, missing) for name, kind, _, missing in _plt._column_fields()}
    columns = tuple(
        (name, known[name][0], b"", b"" if known[name][1] else None, None) for name in names
    )
    return _plt._Batch._from_state((1, sys.byteorder, 0, columns))


class OnCluster:
    """Readers of sources that the workers of a dask.distributed Client read, a task for each."""

    def __init__(
        self,
        client: Any,
        sources: Sequence[Source],
        most: int | None,
        settings: tuple[tuple[str, ...], _plt.filter | str | None, Callable[[], int], int],
    ) -> None:
        names, filter_, self._rows, self._batch = settings
        if any(isinstance(source, _plt.trace) for source in sources):
            raise TypeError("a cluster reads files, no traces that are open here")
        if not isinstance(filter_, (str, _plt.filter, type(None))):
            kind = type(filter_).__name__
            raise TypeError(f"filter must be a plt.filter or an expression, not {kind}")
        self.submit = partial(client.submit, pure=False)
        self.empty = _empty_batch(names)
        self._names = names
        self._filter = filter_.expression if isinstance(filter_, _plt.filter) else filter_
        self._sources = deque(sources)
        # tasks whose batches were not all fetched
        self._most = most or max(1, sum(client.nthreads().values()))
        self._parts: deque[Any] = deque()
        self._begun = False

    def __iter__(self) -> Iterator[Reader]:
        return self

    def __next__(self) -> Reader:
        if self._begun:
            if self._parts:
                self._parts.popleft()
            if not (self._parts or self._sources):
                raise StopIteration
        self._begun = True
        return _Remote(self)

    def look_ahead(self) -> Any:
        """Submit as many tasks as may be; the future of the first."""
        while self._sources and len(self._parts) < self._most:
            settings = self._names, self._filter, self._rows(), self._batch
            self._parts.append(self.submit(_read_part, self._sources.popleft(), *settings))
        return self._parts[0]

    def close(self) -> None:
        """Let go of what was submitted: the scheduler drops what nobody waits for."""
        self._sources.clear()
        self._parts.clear()
