"""Compressed files of many members whose sizes are known: several threads decompress them.

A member is what decompresses by itself: a gzip member, a frame of Zstandard or LZ4.  BGZF, which
bgzip writes, has the size of a gzip member in its header; frames are made of blocks with sizes.
What a size says is only believed where the member ends there when it is decompressed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from ._compression import DECOMPRESSORS
from ._threads import Crew

__all__ = ["Members", "has_sizes"]

#: Compressed bytes that a thread is given at once, about, and those that a member has at most.
AT_ONCE = 1 << 18
MOST = 1 << 23
#: What these may expand to.
LIMIT = 1 << 24

#: The size of the member that data has at an offset; 0 where that can't be known, None where more
#: of the data is needed.
Sizer = Callable[[bytes | bytearray, int], int | None]


def little(data: bytes | bytearray, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def bgzf_size(data: bytes | bytearray, at: int) -> int | None:
    """Of a member of BGZF (section 4.1 of the SAM specification): a gzip header whose extra field
    has a subfield BC."""
    if len(data) - at < 18:
        return None
    is_bgzf = data[at : at + 4] == b"\x1f\x8b\x08\x04" and data[at + 10 : at + 16] == b"\6\0BC\2\0"
    return little(data, at + 16, 2) + 1 if is_bgzf else 0


def zstd_size(data: bytes | bytearray, at: int) -> int | None:
    """Of a frame of Zstandard: RFC 8878, section 3.1.1."""
    if len(data) - at < 18:  # the largest header
        return None
    if data[at : at + 4] != b"\x28\xb5\x2f\xfd":
        return 0
    flags = data[at + 4]
    is_single = flags >> 5 & 1
    content = (is_single, 2, 4, 8)[flags >> 6]
    end = at + 5 + (1 - is_single) + (0, 1, 2, 4)[flags & 3] + content
    is_last = False
    while not is_last:
        if len(data) - end < 3:
            return None
        header = little(data, end, 3)
        is_last = bool(header & 1)
        is_run = header >> 1 & 3 == 1  # its size is that of the byte repeated
        end += 3 + (1 if is_run else header >> 3)
    return end + 4 * (flags >> 2 & 1) - at


def lz4_size(data: bytes | bytearray, at: int) -> int | None:
    """Of a frame of LZ4, by the description of the frame format, version 1.6."""
    if len(data) - at < 19:  # the largest header
        return None
    if data[at : at + 4] != b"\x04\x22\x4d\x18":
        return 0
    flags = data[at + 4]
    end = at + 7 + 8 * (flags >> 3 & 1) + 4 * (flags & 1)
    while True:
        if len(data) - end < 4:
            return None
        size = little(data, end, 4) & 0x7FFFFFFF
        end += 4
        if size == 0:
            return end + 4 * (flags >> 2 & 1) - at
        end += size + 4 * (flags >> 4 & 1)


SIZERS: dict[str, Sizer] = {"gzip": bgzf_size, "Zstandard": zstd_size, "LZ4": lz4_size}


def has_sizes(kind: str, data: bytes) -> bool:
    """Whether the size of the member that begins with some data is known, or may be."""
    return kind in SIZERS and SIZERS[kind](data, 0) != 0


class Batch:
    """Some members in a row."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data = data
        self.sizes = sizes
        self.used = 0  # of the data, by members that are decompressed
        self.out: list[bytes] = []

    def decompressed(self, kind: str) -> Batch:
        """Itself, decompressed up to a member that is not as it should be."""
        room = LIMIT
        for size in self.sizes:
            decompressor = DECOMPRESSORS[kind]()
            most = max(1, room)  # for zlib 0 is no bound
            try:
                out = decompressor.decompress(self.data[self.used : self.used + size], most)
            except Exception:  # who reads it in its turn tells
                break
            if not decompressor.eof or decompressor.unused_data:
                break
            self.used += size
            room -= len(out)
            if out:
                self.out.append(out)
        return self


class Members:
    """What members hold, in order, up to one that is not as it should be or has no known size.

    data is what the file has from the first of them on, as far as it was read; read() gives more.
    """

    def __init__(self, kind: str, data: bytes, read: Callable[[], bytes], workers: int) -> None:
        self._kind = kind
        self._data = bytearray(data)  # what is in no batch
        self._read = read
        self._left = b""  # of a batch
        self._in_hand: deque[Batch] = deque()
        self._crew = Crew(workers, "plt-members")
        self._done = self._crew.in_order(self._decompressed, self._batches(), workers + 1)
        self._out: deque[bytes] = deque()
        self.used = 0  # of the file, by members that were decompressed
        #: What read() raised: it comes after what is left.
        self.error: Exception | None = None
        self.ended = False

    def _decompressed(self, batch: Batch) -> Batch:
        return batch.decompressed(self._kind)

    def read(self) -> bytes:
        """Some bytes; none where what comes is to be read in its turn."""
        while not (self._out or self.ended):
            batch = self._next()
            if batch is None:  # there is no more, or the threads were ended
                self.ended = True
                break
            self._in_hand.popleft()
            self._out.extend(batch.out)
            self.used += batch.used
            self._left = batch.data[batch.used :]
            self.ended = bool(self._left)
        return self._out.popleft() if self._out else b""

    def _next(self) -> Batch | None:
        try:
            return next(self._done, None)
        except RuntimeError:  # the system has no more threads
            return None

    def left(self) -> bytes:
        """The compressed bytes that were read of the file and not used."""
        left = self._left + b"".join(batch.data for batch in self._in_hand) + self._data
        self._left, self._data = b"", bytearray()
        self._in_hand.clear()
        self.close()
        return left

    def _batches(self) -> Iterator[Batch]:
        while batch := self._batch():
            self._in_hand.append(batch)
            yield batch

    def _batch(self) -> Batch | None:
        """The next members of known sizes; None where there is none."""
        sizes = []
        at = 0
        while at < AT_ONCE and (size := self._size(at)):
            sizes.append(size)
            at += size
        data = bytes(self._data[:at])
        del self._data[:at]
        return Batch(data, sizes) if sizes else None

    def _size(self, at: int) -> int:
        """The size of a member that was read as a whole, else 0."""
        while True:
            size = SIZERS[self._kind](self._data, at)
            if size is not None and at + size <= len(self._data):
                return size
            if len(self._data) - at > MOST or not self._read_more():
                return 0

    def _read_more(self) -> bool:
        try:
            more = b"" if self.error is not None else self._read()
        except Exception as error:
            self.error, more = error.with_traceback(None), b""
        self._data += more
        return bool(more)

    def close(self) -> None:
        """End the threads."""
        self._crew.stop()
