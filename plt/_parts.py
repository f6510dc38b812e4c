"""Parts of a plain pcap or pcapng file, which several threads read at the same time.

Where a part begins is a guess: there is what looks like a record, and a chain of others after it.
The reader of the part before tells where it really begins: after the last record that begins before
the guess.  Where both are the same, the part is what one reader of the whole file would read there;
else it is read once more from its true beginning.  So payloads that look like records cost time,
but give no wrong packets.
"""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from . import _plt
from ._origin import is_own
from ._progress import MeasuredPath
from ._sources import Source, local_path

__all__ = ["FORMATS", "Part", "Splitting", "splitting"]

#: A file of fewer bytes is read as a whole.
LEAST = 1 << 24
#: Bytes of a part.
SIZE = 1 << 23
#: Those in which the beginning of one is looked for, one after another: packets of 64 kB need more.
WINDOWS = (1 << 17, 1 << 17, 1 << 19, 1 << 19)
#: Bytes that are read at once after the end of a part, for a record that goes over it.
OVER = 1 << 14
#: Bytes from which the layout of a file is told.
HEAD = 1 << 20

PCAP_HEADER = 24
SECTION, INTERFACE = 0x0A0D0D0A, 1  # types of blocks
BYTE_ORDER_MAGIC = 0x1A2B3C4D
PCAPNG, BIG_ENDIAN = 1, 2  # bits of a layout

#: The formats of files that can be split, by that bit.
FORMATS = ("pcap", "pcapng")

REACHED, MORE, STATE, DAMAGE = range(4)  # why following a chain of records ended


@dataclass(frozen=True)
class State:
    """What a reader knows when it comes to a record."""

    layout: int
    #: A file header, or the blocks of the section that say how the others are read.
    prefix: bytes


class Shared:
    """A file that several read at the same time, each at places of its own."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        closing = weakref.finalize(self, os.close, self.file)
        closing.atexit = False  # type: ignore[misc]  # not at exit: threads may still read then

    def read(self, size: int, at: int) -> bytes:
        """So many bytes from an offset on, fewer at the end."""
        return os.pread(self.file, size, at)

    def readinto(self, buffer: memoryview, at: int) -> int:
        return os.preadv(self.file, [buffer], at)


class Part:
    """A source: the records of a file that begin at an offset or later, and before another."""

    def __init__(
        self,
        source: Source,
        file: Shared,
        state: State,
        start: int,
        stop: int | None = None,
        packets: int = 0,
    ) -> None:
        self.source = source
        self.file = file
        self.state = state
        self.start = start
        self.stop = stop  # None for the end of the file
        self.packets = packets  # before it in the file
        #: What opened it, which knows where it really ended.
        self.stream: PartStream | None = None

    def __fspath__(self) -> str:
        return os.fsdecode(self.source)  # type: ignore[arg-type]

    def open(self) -> tuple[str, bytes, PartStream, int]:
        """The format, and the bytes of a file that has this part alone."""
        self.stream = PartStream(self)
        return FORMATS[self.state.layout & PCAPNG], b"", self.stream, -1


class PartStream:
    """The bytes of a part: those that say how it is read, then its records, of which it counts the
    packets.

    The reader of pcap tells where it came to; the blocks of pcapng are followed here, as they may
    change how those after them are read.
    """

    def __init__(self, part: Part) -> None:
        self.file = part.file
        #: Which the reader counts on from.
        self.packets_before = part.packets
        self.prefix = part.state.prefix
        self.at = part.start
        self.stop = part.stop
        self.next = part.start  # where the next record begins
        self.state = part.state  # for that
        self.packets = part.packets  # before that
        self.ended = False  # the file has, or the part
        #: Where the reader is to stop: before the first record that begins there or later, counted
        #: from the first byte that it gets.  None where it reads all.
        self.stop_at: int | None = None
        if part.stop is not None and not part.state.layout & PCAPNG:
            self.stop_at = len(self.prefix) + part.stop - part.start
        measured = part.source if isinstance(part.source, MeasuredPath) else None
        self.progress = measured.progress if measured is not None else None
        if self.progress is not None and part.start == len(self.prefix):
            self.progress.count(part.start)  # no other part has these bytes

    @property
    def end(self) -> int | None:
        """Where the first record after the part begins; None where that is not known."""
        return self.next if self.ended and self.at == self.next else None

    def readinto1(self, buffer: memoryview, /) -> int:
        """Read into a buffer; 0 at the end."""
        if self.prefix:
            size = min(len(buffer), len(self.prefix))
            buffer[:size] = self.prefix[:size]
            self.prefix = self.prefix[size:]
            return size
        if self.stop_at is not None:
            return self.read_for_reader(buffer)
        size = self.file.readinto(buffer, self.at)
        self.follow(buffer[:size])
        if self.stop is not None and self.next >= self.stop:
            size = min(size, self.next - self.at)
        self.ended = size == 0
        self.count(size)
        self.at += size
        return size

    def read_for_reader(self, buffer: memoryview) -> int:
        """Read up to the end of the part, then as much as may be missing of its last record."""
        assert self.stop is not None
        left = self.stop - self.at
        size = self.file.readinto(buffer[: left if left > 0 else OVER], self.at)
        if left > 0:
            self.count(size)
        self.at += size
        return size

    def was_read(self, size: int, packets: int) -> None:
        """How far the reader came of the bytes that it got, and the packets up to there."""
        assert self.stop is not None
        assert self.stop_at is not None
        over = size - self.stop_at
        if over >= 0:
            self.count(over)
            self.at = self.next = self.stop + over
            self.packets = packets
            self.ended = True

    def count(self, size: int) -> None:
        """Tell that so many bytes were read."""
        if self.progress is not None:
            self.progress.count(size)
            self.progress.tell()

    def follow(self, data: memoryview) -> None:
        """Find where the record after those begins that begin in some data."""
        if self.stop is None:
            self.next = max(self.next, self.at + len(data))
            return
        while self.next < min(self.stop, self.at + len(data)):
            why = self.step(data, self.at, self.stop)
            if why == MORE:
                header = self.file.read(16, self.next)
                why = self.step(header, self.next, self.next + 1)
            if why != REACHED and not (why == STATE and self.take_state()):
                raise OSError("it is not known where the next record begins")  # for one reader

    def step(self, data: memoryview | bytes, at: int, stop: int) -> int:
        """Follow the records in data from an offset of the file; why that ended."""
        place, packets, why = _plt._chain_follow(self.state.layout, data, self.next - at, stop - at)
        self.next = at + place
        self.packets += packets
        return why

    def take_state(self) -> bool:
        """Take a block that says how those after it are read; False where it is damaged."""
        found = state_block(self.file, self.next, self.state)
        if found is None:
            return False
        self.state, size = found
        self.next += size
        return True

    def close(self) -> None:
        """Leave it open for the others."""


def state_block(file: Shared, at: int, state: State) -> tuple[State, int] | None:
    """The state after a section header or interface block at an offset, and its size.

    None where there is none, or it is damaged.
    """
    head = file.read(12, at)
    if len(head) < 12:
        return None
    layout = state.layout
    is_section = int.from_bytes(head[:4], "little") == SECTION
    if is_section:
        orders = {BYTE_ORDER_MAGIC.to_bytes(4, "little"): PCAPNG}
        orders[BYTE_ORDER_MAGIC.to_bytes(4, "big")] = PCAPNG | BIG_ENDIAN
        if head[8:12] not in orders:
            return None
        layout = orders[head[8:12]]
    order: Literal["big", "little"] = "big" if layout & BIG_ENDIAN else "little"
    if not is_section and int.from_bytes(head[:4], order) != INTERFACE:
        return None
    size = int.from_bytes(head[4:8], order)
    if size < 12 or size % 4 or size > HEAD:
        return None
    block = file.read(size, at)
    if len(block) < size:
        return None
    return State(layout, block if is_section else state.prefix + block), size


# --- A file -----------------------------------------------------------------------------------


@dataclass
class Splitting:
    """A file that can be split."""

    source: Source
    file: Shared
    size: int
    state: State  # at the first record, then of the parts still to come: who reads them sets it
    start: int  # of the first record

    def parts(self, start: int | None = None, size: int | None = None) -> Iterator[Part]:
        """The parts of the file from a record on, up to the end or to where no record is found.

        Each has about so many bytes.
        """
        size = size or SIZE
        start = self.start if start is None else start
        while stop := self.find(start + size, size // 2):
            yield self.part(start, stop)
            start = stop
        if self.size - start <= 2 * size:
            yield self.part(start, None)

    def part(self, start: int, stop: int | None, packets: int = 0) -> Part:
        """The part from an offset on, in which a record begins that has so many packets before."""
        return Part(self.source, self.file, self.state, start, stop, packets)

    def find(self, at: int, least: int) -> int | None:
        """Where it seems that a record begins, at an offset or soon after it.

        None where there is none, and where fewer bytes than `least` would be left.
        """
        at += -at % 4
        for window in WINDOWS:
            if at + least > self.size:
                return None
            found = _plt._chain_find(self.state.layout, self.file.read(window, at))
            if found is not None:
                return at + found
            at += window
        return None


def splitting(source: Source, formats: Collection[str] = FORMATS) -> Splitting | None:
    """A file of some formats that can be split; None for all else, and for what is small."""
    path = local_path(source)
    if path is None or hasattr(source, "read"):
        return None
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size < LEAST:
            return None
        file = Shared(path)
        begun = beginning(file)
    except (OSError, ValueError) as error:  # which its reader tells
        if not is_own(error):
            raise
        return None
    if begun is None or FORMATS[begun[0].layout & PCAPNG] not in formats:
        return None
    return Splitting(source, file, found.st_size, *begun)


def beginning(file: Shared) -> tuple[State, int] | None:
    """The state at the first record, and where that begins; None where a file can't be split."""
    head = file.read(HEAD, 0)
    layout = _plt._chain_of(head)
    if layout is None:
        return None
    if not layout & PCAPNG:
        # of a version without longer packet headers, which the reader does not look for then
        minor = (5).to_bytes(2, "big" if layout & BIG_ENDIAN else "little")
        return State(layout, head[:6] + minor + head[8:PCAP_HEADER]), PCAP_HEADER
    state, at = State(layout, b""), 0
    while (found := state_block(file, at, state)) is not None:
        state, at = found[0], at + found[1]
    return (state, at) if state.prefix else None
