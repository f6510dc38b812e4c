"""Streams of the bytes in files: plain or decompressed, with a look at the first ones."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, TypeVar

from ._compression import (
    AT_ONCE,
    DECOMPRESSORS,
    LATE,
    LIMIT,
    PIECES,
    REFERENCES,
    Decompressor,
    compression,
    is_damage,
    whole,
)
from ._members import Members, has_sizes
from ._origin import is_own
from ._paths import home_path, is_url
from ._readahead import LOST_PLACE, ReadAhead
from ._threads import processors
from ._urls import open_url

__all__ = ["Plain", "as_it_is", "closing", "is_stdin", "open_stream", "stream_of"]

T = TypeVar("T")

CHUNK = 1 << 16  # read at once


def is_sent(mode: int) -> bool:
    """Whether a file of that mode is one that others send bytes through."""
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)


def is_stdin(file: BinaryIO) -> bool:
    """Whether a file is standard input, which a process may lack."""
    return sys.stdin is not None and file is sys.stdin.buffer


class Plain:
    """A file as it is, with a look at its first bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.ahead = b""

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without consuming them, fewer at the end."""
        while len(self.ahead) < size:
            more = self.read_some()
            if not more:
                break
            self.ahead += more
        return self.ahead[:size]

    def read_some(self) -> bytes:
        """Some bytes, as soon as there are any; none at the end."""
        read = getattr(self.file, "read1", self.file.read)  # a raw file's read() waits but once
        return read(CHUNK) or b""

    def waits_on(self) -> int:
        """The descriptor of a pipe, socket or terminal, whose bytes come when they are sent; -1."""
        try:
            descriptor: int = self.file.fileno()
            mode = os.fstat(descriptor).st_mode
        except (AttributeError, OSError, ValueError) as error:  # a file of a program's own
            if not is_own(error):
                raise
            return -1
        return descriptor if is_sent(mode) else -1

    def close(self) -> None:
        """Close the file, standard input excepted."""
        if not is_stdin(self.file):
            self.file.close()

    def readinto1(self, buffer: memoryview, /) -> int:
        """Read what comes after `ahead`, waiting for one read at most; 0 at the end."""
        readinto = getattr(self.file, "readinto1", None) or self.file.readinto  # type: ignore[attr-defined]
        return readinto(buffer) or 0


class Compressed(Plain):
    """A compressed file, of one member or of several."""

    def __init__(self, source: Plain, kind: str) -> None:
        super().__init__(source.file)
        self.source = source
        self.kind = kind
        self.new = DECOMPRESSORS[kind]
        self.decompressor: Decompressor | None = None
        self.data = b""  # compressed bytes that were not used yet
        self.at = 0  # of the first of these in the file
        self.member = 0  # where the member that is read begins in the file
        self.given = 0  # of what the member holds
        self.piece = 0  # where what the decompressor was given last begins in the file
        self.more = False  # the decompressor may have more to give of what it was given
        # what is wrong, made anew each time: a traceback would hold frames that hold the trace
        self.error: Callable[[], Exception] | None = None
        self.thread: ReadAhead | None = None
        self.part: bytes | memoryview = b""  # of what it gave: what was not used yet
        self.members: Members | None = None  # that other threads decompress
        self.shared = False  # there are such, or were
        self.failure: Exception | None = None  # that of reading, which comes after the data

    def read_ahead(self) -> bool:
        """Have a thread decompress from here on, where the file is long enough to be worth it.

        Returns whether there is one.
        """
        if self.thread is None and processors() > 1 and self.is_long():
            with contextlib.suppress(RuntimeError):  # the system has no more threads
                self.thread = ReadAhead(self.read_some)
        return self.thread is not None

    def is_long(self) -> bool:
        """Whether it is a file of a megabyte or more, not a pipe, which could wait for ever."""
        try:
            found = os.fstat(self.file.fileno())
        except (AttributeError, OSError, ValueError) as error:  # a file of a program's own
            if not is_own(error):
                raise
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size >= 1 << 20

    def close(self) -> None:
        """End the threads, and close the file."""
        if self.thread is not None:
            self.thread.stop()
        if self.members is not None:
            self.members.close()
        super().close()

    def next_part(self) -> bytes | memoryview:
        """What `read_some()` gives, or the thread that calls it."""
        if self.thread is not None:
            some = self.thread.get()
            if some is not None:
                return some
            self.thread = None
        return self.read_some()

    def read_some(self) -> bytes:
        """Some bytes of what was compressed, none at the end.

        What comes before damage is given out first; EOFError where the file is cut.
        """
        while self.error is None:
            if self.members is not None and (out := self.read_members()):
                return out
            if not self.data and not self.more:
                self.data = self.read_compressed()
            if self.decompressor is None and not self.next_member():
                return b""
            if self.decompressor is None:  # threads took it
                continue
            ended = not self.data and not self.more
            out = self.step()
            if out:
                self.given += len(out)
                return out
            if ended and self.decompressor is not None and self.error is None:
                self.error = partial(EOFError, f"the {self.kind} data is cut")
        raise self.error()

    def read_compressed(self) -> bytes:
        """Some bytes of the file, none at its end."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        data, self.source.ahead = self.source.ahead, b""
        return data or self.source.read_some()

    def next_member(self) -> bool:
        """Begin the next member, after any padding; False at the end of the file."""
        member = self.data.lstrip(b"\0")
        self.at += len(self.data) - len(member)
        self.data = member
        if not member:
            self.data = self.read_compressed()
            return self.next_member() if self.data else False
        if self.thread is not None and not self.shared and has_sizes(self.kind, member):
            self.shared = True
            self.members = Members(self.kind, member, self.read_compressed, processors())
            self.data = b""
        else:
            self.member, self.given, self.decompressor = self.at, 0, self.new()
        return True

    def read_members(self) -> bytes:
        """Some of what other threads decompressed; none where they come no further."""
        assert self.members is not None
        out = self.members.read()
        if not out:
            self.at += self.members.used
            self.data = self.members.left()
            self.failure = self.members.error
            self.members = None
        return out

    def step(self) -> bytes:
        """What the decompressor makes of a piece of the data; notes damage.

        A piece at a time, so that little memory is filled by data that expands a thousandfold.
        """
        assert self.decompressor is not None
        piece = b""
        if not self.more:
            piece, self.piece = self.data[: PIECES[self.kind]], self.at
        try:
            if self.kind in LATE:
                out = whole(self.decompressor, piece)
                self.more = len(out) >= LIMIT
            else:
                out = self.decompressor.decompress(piece, AT_ONCE)
                self.more = bool(out)
        except Exception as error:
            if not (is_damage(error) and is_own(error)):
                raise
            return self.damaged(error)
        self.at += len(piece)
        self.data = self.data[len(piece) :]
        if self.decompressor.eof:
            unused = self.decompressor.unused_data or b""
            self.at -= len(unused)
            self.data = unused + self.data
            self.decompressor, self.more = None, False
        return out

    def damaged(self, error: Exception) -> bytes:
        """Note damage; what comes before it, and was not given yet.

        It is found by reading the member anew, at last bytewise.  A file that can't be read anew,
        such as a pipe, loses that; so does xz, which notices damage only some bytes later.
        """
        out: list[bytes] = []
        if self.kind != "xz" and self.file.seekable():
            try:
                for some in self.anew():
                    out.append(some)
            except Exception as found:
                if not (is_damage(found) and is_own(found)):
                    raise
                error = found
        self.error = partial(OSError, f"the {self.kind} data is damaged: {error}")
        return b"".join(out)

    def anew(self) -> Iterator[bytes]:
        """What comes after what was given of the member, up to its damage, which is raised."""
        decompressor = REFERENCES.get(self.kind, self.new)()
        given, at = self.given, self.member
        self.file.seek(at)
        while data := self.file.read(max(1, min(self.piece - at, PIECES[self.kind]))):
            at += len(data)
            some = whole(decompressor, data)
            yield some[given:]
            given = max(0, given - len(some))

    def readinto1(self, buffer: memoryview, /) -> int:
        """Read into a buffer; 0 at the end."""
        try:
            if not self.part:
                self.part = self.next_part()
            size = min(len(buffer), len(self.part))
            buffer[:size] = self.part[:size]
            self.part = self.part[size:]
            if not self.part and self.thread is not None:
                self.thread.free()
            return size
        except BaseException as error:
            if not is_own(error):  # a signal's: how far the decompressor got is unknown
                self.error = partial(OSError, LOST_PLACE)
            raise


def as_it_is(file: Any) -> Any:
    """What does not count a file's bytes."""
    return file


def open_stream(path: str, counted: Callable[[Any], Any] = as_it_is) -> Plain:
    """The uncompressed bytes of a file, of one at a URL, or of standard input for "-".

    counted wraps the file in one that counts what is read of it.
    """
    if path == "-":
        if sys.stdin is None:
            raise OSError("this process has no standard input")
        return uncompressed(Plain(sys.stdin.buffer))
    if is_url(path):
        return closing(uncompressed, Plain(counted(open_url(path))))
    path = home_path(path)
    # unbuffered: the readers in C have a buffer of their own
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:  # a name that no file can have
        raise OSError(str(error)) from None
    file = open(path, "rb", buffering=0)  # noqa: SIM115
    return closing(uncompressed, Plain(counted(file)))


#: Types of files whose readinto() is done with the memory that it gets when it returns.
DONE_WITH_MEMORY = (io.BufferedReader, io.FileIO, io.BytesIO)


class Lent(io.RawIOBase):
    """A file that a program has opened: it begins where it stands, and is not closed."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.start = file.tell() if self.seekable() else 0

    def seekable(self) -> bool:
        seekable = getattr(self.file, "seekable", None)
        return seekable is not None and bool(seekable())

    def seek(self, at: int, _whence: int = os.SEEK_SET, /) -> int:
        return self.file.seek(self.start + at) - self.start

    def fileno(self) -> int:
        return self.file.fileno()

    def readinto(self, buffer: Any, /) -> int:
        readinto = getattr(self.file, "readinto1", None) or getattr(self.file, "readinto", None)
        data: bytes | bytearray
        if readinto is None:
            data = self.file.read(len(buffer)) or b""
            count = len(data)
        elif type(self.file) in DONE_WITH_MEMORY:
            return readinto(buffer) or 0
        else:
            data = bytearray(len(buffer))
            count = readinto(data) or 0
        if not 0 <= count <= len(buffer):
            raise OSError(f"the file was asked for {len(buffer)} bytes and says it read {count}")
        buffer[:count] = memoryview(data)[:count]
        return count

    def close(self) -> None:
        """Leave it open."""


def stream_of(file: Any, counted: Callable[[Any], Any] = as_it_is) -> Plain:
    """The uncompressed bytes of a file that a program has opened."""
    if isinstance(file, io.TextIOBase):
        raise OSError("the file was opened as text: open it with mode 'rb'")
    return uncompressed(Plain(counted(Lent(file))))


def uncompressed(stream: Plain) -> Plain:
    """A stream of what is in a file that may be compressed."""
    kind = compression(stream.peek)
    return stream if kind is None else Compressed(stream, kind)


def closing(function: Callable[[Plain], T], stream: Plain) -> T:
    """What a function makes of a stream, which is closed where it fails."""
    try:
        return function(stream)
    except BaseException:
        stream.close()
        raise
