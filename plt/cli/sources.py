"""Reading: sources that are checked first, and damage that is told and counted."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import plt
from plt.cli.progress import Tick, counting, ignore
from plt.cli.words import Failure, Filter, as_filter, complain, one_line

LIVE = ("int:", "ring:", "pcapint:", "bpf:")

BATCH = 1 << 16  # packets
T = TypeVar("T")


def is_live(source: str) -> bool:
    """Whether a source is an interface."""
    return source.startswith(LIVE)


def is_streaming(source: str) -> bool:
    """Whether packets come when somebody sends them: from an interface, a pipe or a socket.

    They can't be read again: Ctrl-C keeps what was read.
    """
    if is_live(source):
        return True
    path = path_of(source)
    try:
        mode = os.stat(0 if path == "-" else path).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def any_streaming(sources: Iterable[str]) -> bool:
    """Whether one of them is an interface, a pipe or a socket."""
    return any(map(is_streaming, sources))


def path_of(source: str) -> str:
    """The path in a source: that after libtrace's format, where there is one."""
    before, colon, after = source.partition(":")
    return after if colon and before.isalnum() and not os.path.exists(source) else source


class Unreadable(Failure):
    """What is wrong with a file that is there: the others are read."""


def check(source: str, filter: Filter = None) -> None:
    """Failure for a file that can't be read; LibtraceError for a filter that is none.

    Pipes and interfaces are not looked at: what is read from them is gone.
    """
    path = path_of(source)
    if os.path.isdir(path):
        raise Unreadable(f"{path}: it is a directory")
    is_there = os.path.exists(path)
    if is_live(source) or (is_there and not os.path.isfile(path)) or path == "-":
        return
    trace = plt.trace(source)
    try:
        trace.start()
    except plt.LibtraceError as error:
        raise (Unreadable if is_there else Failure)(one_line(error)) from error
    with trace:
        if filter and not compiles(filter, trace):
            tried = plt.trace(source)
            tried.conf_filter(as_filter(filter))
            with tried:
                next(tried, None)


def compiles(filter: plt.where | str, trace: plt.trace) -> bool:
    """Whether an expression is a filter for a trace's first packet: others may have other links."""
    try:
        packet = next(trace, None)
    except plt.LibtraceError:  # damage, which is told when it is read
        return True
    try:
        return packet is None or packet.apply_filter(as_filter(filter)) in (True, False)
    except plt.LibtraceError:
        return False


class Interrupts:
    """Ctrl-C while batches are read: at once in a read, else when a batch was dealt with.

    What is counted of a batch would be half of it otherwise.  A second Ctrl-C comes at once.
    """

    def __init__(self) -> None:
        self.pending = False
        self.reading = False
        self.before: object = None
        self.depth = 0  # of several sources that are read at the same time

    def __enter__(self) -> Interrupts:
        self.depth += 1
        # not where the process ignores it, as in the background of a script
        if (
            self.depth == 1
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self.before = signal.signal(signal.SIGINT, self.come)
        return self

    def __exit__(self, *error: object) -> None:
        self.depth -= 1
        if self.depth == 0 and self.before is not None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self.before = None

    def come(self, _number: int, _frame: object) -> None:
        """What Ctrl-C does."""
        if self.reading or self.pending:
            raise KeyboardInterrupt
        self.pending = True

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Where it interrupts."""
        self.reading = True
        try:
            yield
        finally:
            self.reading = False


class Reading:
    """Reads to the end of all sources. What is damaged is told, and makes the exit code 1.

    So does a file that is no trace, where another source is one; Failure where all are so, and for
    a file that is not there, whose name is likely misspelt.
    """

    def __init__(self, sources: Sequence[str], filter: Filter = None) -> None:
        self.code = 0
        self.damage: list[str] = []
        self.sources: list[str] = []
        bad: list[Unreadable] = []
        for source in sources:
            try:
                check(source, filter)
            except Unreadable as error:
                bad.append(error)
            else:
                self.sources.append(source)
        last = None if self.sources else bad.pop()
        for what in bad:
            self.tell(what)
        if last is not None:
            raise last
        self.streaming = any_streaming(self.sources)
        self.interrupts = Interrupts()

    def tell(self, error: plt.LibtraceError | Failure) -> None:
        """Say what is wrong with a source."""
        complain(error)
        self.damage.append(str(error))
        self.code = self.code or 1

    def batches(self, columns: plt.Columns, tick: Tick = ignore) -> Iterator[plt.Batch]:
        """The batches of columns; after damage those of the next source. Ctrl-C ends them."""
        rows = 0
        finish = columns._finish
        for batch in self.until_interrupted(iter(columns), after_damage=True, finish=finish):
            rows += len(batch)
            tick(rows)
            yield batch

    def packets(
        self, source: str, filter: Filter = None, snaplen: int | None = None
    ) -> Iterator[plt.packet]:
        """The packets of one source, up to damage; where one is streaming, up to Ctrl-C."""
        if self.interrupts.pending:  # another source's Ctrl-C
            return
        trace = plt.trace(source)
        if filter:
            trace.conf_filter(as_filter(filter))
        if snaplen is not None:
            trace.conf_snaplen(snaplen)
        packets = self.started(trace)
        if self.streaming:
            yield from self.until_interrupted(packets, after_damage=False)
            return
        try:
            yield from packets
        except plt.LibtraceError as error:
            self.tell(error)

    def started(self, trace: plt.trace) -> Iterator[plt.packet]:
        """The packets of a trace; Failure where it is the only one, and is none."""
        try:
            trace.start()
        except plt.LibtraceError as error:
            if len(self.sources) == 1:
                raise Failure(one_line(error)) from error
            raise
        with trace:
            yield from trace

    def until_interrupted(
        self,
        items: Iterator[T],
        *,
        after_damage: bool,
        finish: Callable[[], None] | None = None,
    ) -> Iterator[T]:
        """Items up to Ctrl-C, and up to damage or after it too.

        finish lets those come that were read when Ctrl-C came, and then the end.
        """
        interrupts = self.interrupts
        with interrupts:
            while not interrupts.pending:
                try:
                    with interrupts.at_once():
                        item = next(items)
                except StopIteration:
                    return
                except plt.LibtraceError as error:
                    self.tell(error)
                    if not after_damage:
                        return
                except KeyboardInterrupt:
                    interrupts.pending = True
                    if finish is not None:
                        finish()
                        with contextlib.suppress(plt.LibtraceError):
                            yield from items
                else:
                    yield item
        self.code = 130

    def all_packets(
        self,
        filter: Filter = None,
        snaplen: int | None = None,
        tick: Tick = ignore,
    ) -> Iterator[plt.packet]:
        """The packets of all sources in order."""
        packets = (self.packets(source, filter, snaplen) for source in self.sources)
        return counting(itertools.chain.from_iterable(packets), tick)
