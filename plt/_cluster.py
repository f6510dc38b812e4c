"""The batches of columns of several sources in order, read by the workers of a Dask cluster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ._inorder import AheadReader, Limit, Reader, Reading
from ._sources import Source

#: What a task makes of a source: what its reader gave and raised, in order.
_Part = list[Any]


def _read_part(
    ahead: Callable[..., AheadReader], source: Source, limit: int, settings: dict[str, Any]
) -> _Part:
    part: _Part = []
    try:
        reader = ahead(source, limit, **settings)
    except Exception as error:
        return [error.with_traceback(None)]
    while True:
        try:
            part.append(next(reader))
        except StopIteration:
            return part
        except Exception as error:
            part.append(error.with_traceback(None))


def _size_of(part: _Part) -> int:
    return len(part)


def _item_of(part: _Part, n: int) -> Any:
    return part[n]


class _ClusterLane:
    """The consumer's end of a source that a worker of the cluster reads."""

    def __init__(self, owner: OnCluster) -> None:
        self.owner = owner
        self.part: Any = None  # the future
        self.fetched: deque[Any] = deque()  # futures of items, of the next ones alone
        self.asked = self.size = 0
        self.begun = False

    def __next__(self) -> Any:
        if not self.begun:
            self.begun = True
            self._begin(self.owner.look_ahead())
        while self.asked < self.size and len(self.fetched) < 2:
            self.fetched.append(self.owner.submit(_item_of, self.part, self.asked))
            self.asked += 1
        if not self.fetched:
            self.part = None
            raise StopIteration
        item = self.fetched.popleft().result()
        if isinstance(item, Exception):
            try:
                raise item
            finally:
                del item  # or it and this frame would keep each other
        return item

    def _begin(self, part: Any) -> None:
        self.part = part
        self.size = self.owner.submit(_size_of, part).result()

    def rest(self) -> Any:
        return next(self, None)

    def again(self, **settings: Any) -> None:
        self.close()
        self._begin(self.owner.again(settings))

    def give_up(self) -> None:
        self.owner.close()
        self.close()

    def close(self) -> None:
        self.begun = True
        self.asked = self.size = 0
        self.part = None
        self.fetched.clear()


class OnCluster:
    """Readers of sources that the workers of a dask.distributed Client read, a task for each."""

    def __init__(
        self,
        client: Any,
        reading: Reading,
        sources: Sequence[Source],
        most: int | None,
        limit: Limit,
    ) -> None:
        if not all(isinstance(source, str | bytes | os.PathLike) for source in sources):
            raise TypeError("a cluster reads files, no traces that are open here")
        self.submit = partial(client.submit, pure=False)
        self._reading = reading
        self._limit = limit
        self._sources = deque(sources)
        # tasks whose items were not all fetched
        self._most = most or max(1, sum(client.nthreads().values()))
        self._parts: deque[tuple[Source, Any]] = deque()
        self._begun = False

    def __next__(self) -> Reader:
        if self._begun:
            if self._parts:
                self._parts.popleft()
            if not (self._parts or self._sources):
                raise StopIteration
        self._begun = True
        return self._reading.in_order(_ClusterLane(self))

    def look_ahead(self) -> Any:
        """Submit as many tasks as may be; the future of the first."""
        while self._sources and len(self._parts) < self._most:
            source = self._sources.popleft()
            self._parts.append((source, self._task(source, self._limit.left(), {})))
        return self._parts[0][1]

    def again(self, settings: dict[str, Any]) -> Any:
        """Submit the first task again, with these settings, in place of what it gave."""
        source, _ = self._parts[0]
        limit = self._limit.left()
        if limit >= 0:
            limit += settings.get("skip", 0)  # which count no second time
        self._parts[0] = source, self._task(source, limit, settings)
        return self._parts[0][1]

    def _task(self, source: Source, limit: int, settings: dict[str, Any]) -> Any:
        return self.submit(_read_part, self._reading.ahead, source, limit, settings)

    def close(self) -> None:
        """Let go of what was submitted: the scheduler drops what nobody waits for."""
        self._sources.clear()
        self._parts.clear()
