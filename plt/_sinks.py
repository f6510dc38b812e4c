"""Where output traces go: files, compressed or not, and what an appended file holds already.

`open_sink()` is called by `output_trace.start_output()` for pcap files, which are written by a
writer of ours; every other format is libtrace's.
"""

from __future__ import annotations

import bz2
import gzip
import os
from typing import IO, Protocol

from . import _sources

__all__ = ["open_sink"]


class Sink(Protocol):
    """What a writer in C gives bytes to."""

    def write(self, data: memoryview, /) -> int | None: ...
    def close(self) -> None: ...


NO_COMPRESSION, ZLIB_COMPRESSION, BZIP2_COMPRESSION = 0, 1, 2

#: Without a level of the caller's: that of libtrace's own tools.
DEFAULT_LEVEL = 6


def header_of(path: str) -> bytes:
    """The pcap file header of a file that is to be appended to, none where it is empty or new."""
    try:
        stream = _sources.open_stream(path)
    except FileNotFoundError:
        return b""
    try:
        head = stream.peek(24)
    finally:
        stream.close()
    if head and (len(head) < 24 or not _sources.is_pcap(head)):
        raise OSError("what is there is no pcap file: nothing can be appended to it")
    return head


def open_sink(path: str, flags: int, compression: int, level: int) -> tuple[Sink, bytes]:
    """A file to write to, and the pcap header that it has already."""
    header = header_of(path) if flags & os.O_APPEND else b""
    if not flags & os.O_APPEND:
        flags |= os.O_TRUNC
    descriptor = os.open(path, flags | os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    file = os.fdopen(descriptor, "wb")
    level = DEFAULT_LEVEL if level < 0 else level
    if compression == ZLIB_COMPRESSION and level > 0:
        return Owning(gzip.GzipFile("", "wb", level, file, mtime=0), file), header
    if compression == BZIP2_COMPRESSION and level > 0:
        return Owning(bz2.BZ2File(file, "wb", compresslevel=level), file), header
    return file, header


class Owning:
    """A compressor, closed together with the file that it writes to."""

    def __init__(self, compressor: gzip.GzipFile | bz2.BZ2File, file: IO[bytes]) -> None:
        self.compressor = compressor
        self.file = file

    def write(self, data: memoryview, /) -> int:
        """Compress some bytes."""
        return self.compressor.write(data)

    def close(self) -> None:
        """Write what is left, and close the file."""
        try:
            self.compressor.close()
        finally:
            self.file.close()
