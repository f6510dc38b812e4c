"""What a URI names, and the bytes of it: paths, formats, compression.

`open_source()` is called by `trace.start()`.  It answers with the name of a format whose reader is
in C, the bytes that were looked at already and a stream of the rest; or with "libtrace", nothing
and a URI for libtrace itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import sys
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, Protocol, TypeVar

from ._codecs import (
    DECOMPRESSORS,
    LIMIT,
    PIECES,
    Decompressor,
    compression,
    is_damage,
    whole,
)
from ._origin import is_own
from ._readahead import LOST_PLACE, ReadAhead
from ._threads import processors

__all__ = ["open_source", "open_stream", "is_pcap"]

T = TypeVar("T")

CHUNK = 1 << 16  # read at once

#: Formats that have a reader of ours, by their names in URIs.
FILE_FORMATS = {
    "pcapfile": "pcap",
    "pcap": "pcap",
    "pcapng": "pcapng",
    "erf": "erf",
    "rawerf": "erf",
    "tsh": "tsh",
    "duck": "duck",
    "legacyatm": "legacyatm",
    "legacyeth": "legacyeth",
    "legacypos": "legacypos",
}

#: Formats that libtrace reads itself.
LIBTRACE_FORMATS = {
    "int", "ring", "pcapint", "bpf", "rt", "dag", "dpdk", "wag", "wtf", "legacynzix", "atmhdr",
}  # fmt: skip


class Stream(Protocol):
    """What the readers in C take bytes from; a raw file with readinto() does as well."""

    def readinto1(self, buffer: memoryview, /) -> int: ...
    def close(self) -> None: ...


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

    def close(self) -> None:
        """Close the file, standard input excepted."""
        if not is_stdin(self.file):
            self.file.close()

    def readinto1(self, buffer: memoryview, /) -> int:
        """Read into a buffer, waiting for one read at most; 0 at the end."""
        if not self.ahead:
            readinto = getattr(self.file, "readinto1", None) or self.file.readinto  # type: ignore[attr-defined]
            return readinto(buffer) or 0
        size = min(len(buffer), len(self.ahead))
        buffer[:size] = self.ahead[:size]
        self.ahead = self.ahead[size:]
        return size


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
        self.more = False  # the decompressor has more to give of what it was given
        # what is wrong, made anew each time: a traceback would hold frames that hold the trace
        self.error: Callable[[], Exception] | None = None
        self.thread: ReadAhead | None = None

    def read_ahead(self) -> None:
        """Have a thread decompress from here on, where the file is long enough to be worth it."""
        if self.thread is None and processors() > 1 and self.is_long():
            with contextlib.suppress(RuntimeError):  # the system has no more threads
                self.thread = ReadAhead(self.read_some)

    def is_long(self) -> bool:
        """Whether it is a file of a megabyte or more, not a pipe, which could wait for ever."""
        try:
            found = os.fstat(self.file.fileno())
        except (OSError, ValueError) as error:
            if not is_own(error):
                raise
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size >= 1 << 20

    def close(self) -> None:
        """End the thread, and close the file."""
        if self.thread is not None:
            self.thread.stop()
        super().close()

    def read_in_turn(self) -> bytes:
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
            if not self.data and not self.more:
                self.data = self.source.ahead or self.source.read_some()
                self.source.ahead = b""
            if self.decompressor is None and not self.next_member():
                return b""
            ended = not self.data and not self.more
            out = self.step()
            if out:
                return out
            if ended and self.decompressor is not None and self.error is None:
                self.error = partial(EOFError, f"the {self.kind} data is cut")
        raise self.error()

    def next_member(self) -> bool:
        """Begin the next member, behind what padding there is; False at the end of the file."""
        member = self.data.lstrip(b"\0")
        self.at += len(self.data) - len(member)
        self.data = member
        if member:
            self.member, self.decompressor = self.at, self.new()
            return True
        self.data = self.source.read_some()
        return self.next_member() if self.data else False

    def step(self) -> bytes:
        """What the decompressor makes of a piece of the data; notes damage.

        A piece at a time, so that little memory is filled by data that expands a thousandfold.
        """
        assert self.decompressor is not None
        piece = b"" if self.more else self.data[: PIECES[self.kind]]
        try:
            out = whole(self.decompressor, piece)
        except Exception as error:
            if not (is_damage(error) and is_own(error)):
                raise
            self.error = partial(OSError, f"the {self.kind} data is damaged: {error}")
            return self.salvage()
        self.more = len(out) >= LIMIT
        used = len(piece)
        if self.decompressor.eof:
            used -= len(self.decompressor.unused_data or b"")
            self.decompressor = None
        self.at += used
        self.data = self.data[used:]
        return out

    def salvage(self) -> bytes:
        """What a piece holds before its damage: found by reading its member anew, at last bytewise.

        A file that can't be read anew, such as a pipe, loses that; so does xz, which finds damage
        only some way behind it.
        """
        if self.kind == "xz" or not self.file.seekable():
            return b""
        decompressor, out = self.new(), []
        self.file.seek(self.member)
        try:
            size = PIECES[self.kind]
            for start in range(self.member, self.at, size):
                whole(decompressor, self.file.read(min(size, self.at - start)))
            while byte := self.file.read(1):
                out.append(whole(decompressor, byte))
        except Exception as error:
            if not (is_damage(error) and is_own(error)):
                raise
        return b"".join(out)

    def readinto1(self, buffer: memoryview, /) -> int:
        """Read into a buffer; 0 at the end."""
        try:
            if not self.ahead:
                self.ahead = self.read_in_turn()
            return super().readinto1(buffer) if self.ahead else 0
        except BaseException as error:
            if not is_own(error):  # a signal's: how far the decompressor got is unknown
                self.error = partial(OSError, LOST_PLACE)
            raise


def open_stream(path: str) -> Plain:
    """The uncompressed bytes of a file, or of standard input for "-"."""
    if path == "-":
        if sys.stdin is None:
            raise OSError("this process has no standard input")
        return uncompressed(Plain(sys.stdin.buffer))
    # unbuffered: the readers in C have a buffer of their own
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115
    except ValueError as error:  # a name that no file can have
        if not is_own(error):
            raise
        raise OSError(str(error)) from None
    return closing(uncompressed, Plain(file))


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


# --- Which format it is ----------------------------------------------------------------------

PCAP_MAGIC = {0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34, 0x1C0001AC, 0x1C0001AB}


def is_pcap(head: bytes) -> bool:
    """Whether a file begins as a pcap file does."""
    return len(head) >= 4 and not PCAP_MAGIC.isdisjoint(
        (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))
    )


def is_pcapng(head: bytes) -> bool:
    """Whether a file begins with a pcapng section header."""
    return head.startswith(b"\x0a\x0d\x0d\x0a")


def is_duck(head: bytes) -> bool:
    """Whether a file begins with a version of DUCK records."""
    return len(head) >= 4 and int.from_bytes(head[:4], "little") in (13, 14, 19)


YEAR = 366 * 86_400

CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def plausible(seconds: int) -> bool:
    """Whether a time is of the years in which there were traces: 1990 to 2100."""
    return 631_152_000 < seconds < 4_102_444_800


def records(head: bytes, size: int) -> list[bytes]:
    """The first whole records of one size, eight at most."""
    return [head[at : at + size] for at in range(0, min(len(head), 8 * size) - size + 1, size)]


def is_tsh(head: bytes) -> bool:
    """Whether a file looks like 44-byte records with an IPv4 header each."""
    return bool(found := records(head, 44)) and all(
        plausible(int.from_bytes(r[:4], "big"))
        and int.from_bytes(r[5:8], "big") < 1_000_000
        and r[8] >> 4 == 4
        and r[8] & 15 >= 5
        for r in found
    )


def is_legacy(head: bytes, test: Callable[[bytes], bool]) -> bool:
    """Whether a file looks like 64-byte records of a legacy ERF format."""
    return bool(found := records(head, 64)) and all(
        plausible(int.from_bytes(r[4:8], "little")) and test(r) for r in found
    )


def is_legacypos(head: bytes) -> bool:
    """Whether each record has the slot length 64, then PPP or Cisco HDLC."""
    return is_legacy(head, lambda r: r[8:12] == b"\0\0\0\x40" and r[16] in (0xFF, 0x0F, 0x8F))


def is_legacyatm(head: bytes) -> bool:
    """Whether each record has an LLC/SNAP header behind its cell header."""
    return is_legacy(head, lambda r: r[16:19] == b"\xaa\xaa\x03")


def is_legacyeth(head: bytes) -> bool:
    """Whether each record has an Ethernet header of a known type."""
    known = (0x0800, 0x0806, 0x86DD, 0x8100)
    return is_legacy(
        head,
        lambda r: int.from_bytes(r[22:24], "big") in known
        and 20 < int.from_bytes(r[8:10], "little") < 9216,
    )


#: Types of ERF records: Endace's "ERF types", of which 29 to 47 are none.
ERF_TYPES = {*range(29), 48}
ERF_META, ERF_PAD = 27, 48
ERF_SLOT = 64  # what a record of fixed length may have after its packet, at most


def is_erf(head: bytes) -> bool:
    """Whether a file looks like ERF records: types, lengths and times, which are of one capture."""
    at, last, found = 0, 0, 0
    while found < 8 and len(head) - at >= 16:
        (time, kind) = struct.unpack_from("<QB", head, at)
        rlen, _, wlen = struct.unpack_from(">HHH", head, at + 10)
        seconds, extended, kind = time >> 32, kind & 0x80, kind & 0x7F
        size = rlen - (24 if extended else 16)
        if kind not in ERF_TYPES or size < 0:
            return False
        if kind not in (ERF_META, ERF_PAD) and size > wlen + ERF_SLOT:
            return False
        if kind != ERF_PAD:
            if not plausible(seconds) or (last and abs(seconds - last) > YEAR):
                return False
            last = seconds
        found += 1
        at += rlen
    return last > 0


def text_in(head: bytes) -> str | None:
    """The beginning of what is text, in UTF-8, Latin-1 or UTF-16; None where it is not.

    Text has no control characters but for blanks, ends of lines and pages, and escapes.
    """
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return text_of(head[2 : len(head) // 2 * 2], encoding)
    for zeros, encoding in ((head[1::2], "utf-16-le"), (head[::2], "utf-16-be")):
        if len(head) >= 8 and not zeros.strip(b"\0"):
            return text_of(head[: len(head) // 2 * 2], encoding)
    return text_of(head.removeprefix(b"\xef\xbb\xbf"), "utf-8")


def text_of(data: bytes, encoding: str) -> str | None:
    """What some bytes are in an encoding, None where they have control characters."""
    text = data.decode(encoding, errors="replace")
    return None if CONTROLS.search(text) or not text.strip() else text


#: Formats with a magic number, known from their first 4 bytes.
BY_MAGIC: dict[str, Callable[[bytes], bool]] = {
    "pcap": is_pcap,
    "pcapng": is_pcapng,
    "duck": is_duck,
}

#: Formats without one, known from several records, the surest first.
BY_RECORDS: dict[str, Callable[[bytes], bool]] = {
    "legacypos": is_legacypos,
    "legacyatm": is_legacyatm,
    "tsh": is_tsh,
    "erf": is_erf,
    "legacyeth": is_legacyeth,
}


def sniff(stream: Plain) -> str:
    """The format of a stream, from its first bytes; OSError where it is none."""
    for size, tests in ((4, BY_MAGIC), (4096, BY_RECORDS)):
        head = stream.peek(size)  # no more than needed: a pipe may hold no more yet
        if not head:
            raise OSError("the file is empty")
        for name, test in tests.items():
            if test(head) and (tests is BY_MAGIC or not text_in(head)):
                return name
    raise OSError(f"no trace of a format that is known: {beginning(head)}")


def beginning(head: bytes) -> str:
    """How a file begins, for who has to find out what it is."""
    text = text_in(head)
    shown = f", which is text: {text[:32]!r}" if text else ""
    return f"it begins with {head[:8].hex(' ')}{shown}"


def check(stream: Plain, name: str) -> str:
    """The format that a stream of a named format really has; OSError where it is another one."""
    head = stream.peek(4)
    if not head:
        raise OSError("the file is empty")
    if name in ("pcap", "pcapng"):
        # pcapfile: may be pcapng inside, as in libtrace 4, and the other way round
        if is_pcapng(head):
            return "pcapng"
        if is_pcap(head):
            return "pcap"
        raise OSError(f"not a {name} file: {beginning(stream.ahead)}")
    if text_in(stream.peek(16)):  # no more: a pipe may hold no more yet
        raise OSError(f"no {name} records: {beginning(stream.ahead)}")
    return name


def open_source(uri: str) -> tuple[str, bytes, Stream | BinaryIO | str]:
    """The format of a URI, its first bytes and a stream of the rest; or ("libtrace", b"", URI)."""
    prefix, colon, name = uri.partition(":")
    if colon and prefix in LIBTRACE_FORMATS:
        return "libtrace", b"", uri
    if colon and prefix in FILE_FORMATS:
        try:
            stream = open_stream(name)
        except FileNotFoundError as error:
            if prefix == "pcap" and "/" not in name and is_own(error):
                raise OSError(
                    f"no file of that name; live from an interface it is pcapint:{name}"
                ) from None
            raise
        return opened(closing(lambda s: check(s, FILE_FORMATS[prefix]), stream), stream)
    if not uri:
        raise OSError("it names no file")
    try:
        stream = open_stream(uri)
    except FileNotFoundError as error:
        if colon and "/" not in prefix and is_own(error):
            raise OSError(
                f"no file of that name, and {prefix!r} is no format that libtrace knows"
            ) from None
        raise
    except IsADirectoryError:
        raise OSError("it is a directory") from None
    return opened(closing(sniff, stream), stream)


def opened(name: str, stream: Plain) -> tuple[str, bytes, Stream | BinaryIO]:
    """What open_source() answers of a stream whose format is known."""
    ahead, stream.ahead = stream.ahead, b""
    # of a plain file the file itself: no Python code, and so no signal, comes between a read and
    # the C that takes what it gave
    plain = type(stream) is Plain and not is_stdin(stream.file)
    return name, ahead, stream.file if plain else stream
