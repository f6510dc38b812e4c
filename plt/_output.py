"""Where output traces go: files, compressed or not, standard output, and interfaces.

`open_file()` and `open_interface()` are what `output_trace.start_output()` calls.
"""

from __future__ import annotations

import io
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import BinaryIO, Protocol

from ._columns import columns
from ._compression import COMPRESSORS, Compressor
from ._formats import FILE_FORMATS, HEADERS, LIBTRACE_FORMATS, recognise
from ._paths import home_path
from ._plt import BZIP2_COMPRESSION, NO_COMPRESSION, ZLIB_COMPRESSION, LibtraceError
from ._streams import Compressed, open_stream

__all__ = ["format_of", "open_file", "open_interface"]


class File(Protocol):
    """What a writer in C gives bytes to: a file without a buffer, which may take only some."""

    def write(self, data: bytes, /) -> int | None: ...
    def close(self) -> None: ...


#: The formats of files by the end of their names.
SUFFIXES = {".pcap": "pcap", ".pcapng": "pcapng", ".erf": "erf"}

#: Compression by what follows that.
COMPRESSED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "Zstandard", ".lz4": "LZ4"}

#: Compression by the constants.
CONFIGURED = {NO_COMPRESSION: None, ZLIB_COMPRESSION: "gzip", BZIP2_COMPRESSION: "bzip2"}


def format_of(path: str) -> tuple[str, str]:
    """The format that a path's end names, and the path; ValueError where it names none."""
    prefix, _, rest = path.partition(":")
    if rest and (prefix in FILE_FORMATS or prefix in LIBTRACE_FORMATS):
        raise ValueError(f"Couldn't create outputTrace: {path}: there is no writer for this format")
    name = PurePath(path)
    if name.suffix in COMPRESSED:
        name = name.with_suffix("")
    found = SUFFIXES.get(name.suffix)
    if found is not None:
        return found, home_path(path)
    raise ValueError(
        f"Couldn't create outputTrace: {path}: no format is written to a file of that name: it "
        f"ends with {', '.join(SUFFIXES)}, and then {', '.join(COMPRESSED)} to be compressed; "
        "or name the format: pcapfile:, pcapng:, erf:, int:, ring:"
    )


def header_of(path: str, format: str) -> tuple[bytes, str | None]:
    """What a file that is to be appended to begins with, and its compression.

    The first is empty where the file is empty or new, or a pipe, a device.  The file is read to its
    end: what comes after a packet that is cut could not be read.
    """
    size = HEADERS[format]
    if not Path(path).is_file():
        return b"", None
    stream = open_stream(path)
    try:
        head = stream.peek(size)
    finally:
        stream.close()
    if not head:
        return b"", None
    if len(head) < size or recognise(head) != format:
        raise OSError(f"what is there is no {format} file: nothing can be appended to it")
    try:
        for _ in columns(f"{format}:{path}", "wire_len", workers=1):
            pass
    except LibtraceError as error:
        raise OSError(f"what would be appended could not be read: {error}") from None
    return head, stream.kind if isinstance(stream, Compressed) else None


class Kept:
    """Standard output where a program has put something else in its place: it stays open."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, data: bytes, /) -> int:
        """Write it; how much was, which is all where the file does not say."""
        written: int | None = self.file.write(data)
        self.file.flush()
        return len(data) if written is None else written

    def close(self) -> None:
        """Leave it open."""


def standard_output() -> File:
    """Standard output as a file without a buffer."""
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        raise OSError("this process has no standard output that takes bytes")
    sys.stdout.flush()  # what was printed before comes before
    try:
        return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)
    except io.UnsupportedOperation:
        return Kept(binary)


def open_file(
    path: str, format: str, flags: int, compression: int, level: int, by_name: bool
) -> tuple[File, Callable[[], Compressor] | None, bool, bytes]:
    """A file, what makes compressors, whether it may have several streams, how it begins.

    A compression below 0 is not set: what is appended has that of the file, and by_name has the end
    of the path tell that of a new one.  Level 0 is plain.
    """
    kind = CONFIGURED.get(compression)
    if compression < 0 and by_name:
        kind = COMPRESSED.get(PurePath(path).suffix)
    header, there = header_of(path, format) if flags & os.O_APPEND and path != "-" else (b"", None)
    if header and compression < 0:
        kind = there
    if not level:
        kind = None
    if header and there != kind:
        plain = "not compressed"
        raise OSError(f"what is there is {there or plain}, what would be appended {kind or plain}")
    # before there is a file: a package may be missing
    compressor = COMPRESSORS[kind](level) if kind else None
    file: File
    if path == "-":
        file = standard_output()
    else:
        if not flags & os.O_APPEND:
            flags |= os.O_TRUNC
        flags = flags & ~os.O_ACCMODE | os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        # an opener leaves no descriptor open where no file object can be made
        file = open(  # noqa: SIM115
            path, "wb", buffering=0, opener=lambda path, _: os.open(path, flags, 0o666)
        )
    return file, compressor, kind is None or kind == "gzip", header


# --- Interfaces ------------------------------------------------------------------------------


def open_interface(name: str) -> tuple[socket.socket, int]:
    """A socket that sends packets to an interface, and its hardware as packet(7) numbers that."""
    if not hasattr(socket, "AF_PACKET"):
        raise OSError("this system has no packet sockets")
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        needs = f"{error.strerror}: sending needs the capability CAP_NET_RAW"
        raise PermissionError(error.errno, needs) from None
    try:
        opened.bind((name, 0))
        hardware = opened.getsockname()[3]
    except BaseException:
        opened.close()
        raise
    return opened, hardware
