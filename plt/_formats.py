"""The formats of traces: their names in URIs, and which one a file is of.

The table of formats is that of the C part, src/plt/formats.c.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._plt import _formats
from ._plt import _recognise as recognise

if TYPE_CHECKING:
    from ._streams import Plain

__all__ = ["FILE_FORMATS", "HEADERS", "LIBTRACE_FORMATS", "check", "NoTrace", "recognise", "sniff"]

_rows = _formats()

#: Formats that have a reader here, by their names in URIs.
FILE_FORMATS = {uri: row["name"] for row in _rows if row["is_file"] for uri in row["read_as"]}

#: Formats that libtrace or libpcap reads, interfaces among them.
LIBTRACE_FORMATS = {uri for row in _rows if not row["is_file"] for uri in row["read_as"]}

#: The bytes by which a file that is appended to is known, by its format.
HEADERS = {row["name"]: row["header"] for row in _rows if row["is_file"] and row["written_as"]}

#: Formats whose files begin with a header.  Of the others a trace of no packets is an empty file.
HEADED = ("pcap", "pcapng", "duck")

MAGIC = 4  # bytes of a magic number
SEVERAL_RECORDS = 4096  # bytes of those that tell a format without one

CONVERT = "editcap -F pcap, of Wireshark, makes pcap of it"

#: What else files may be, by how they begin: Wireshark's wiretap knows the captures among them.
OTHERS = {
    b"PAR1": "Parquet: read it by pyarrow, pandas or Polars",
    b"snoop\0\0\0": f"snoop (RFC 1761): {CONVERT}",
    b"RTSS": f"a Network Monitor 1 capture: {CONVERT}",
    b"GMBU": f"a Network Monitor 2 capture: {CONVERT}",
    b"TRSNIFF data": f"a Sniffer capture: {CONVERT}",
    b"XCP\0": f"a NetXRay or Windows Sniffer capture: {CONVERT}",
    b"\x05VNF": f"a Visual Networks capture: {CONVERT}",
}

CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


class NoTrace(OSError):
    """What a file is in place of a trace."""


def sniff(stream: Plain) -> str:
    """The format of a stream, from its first bytes; OSError where it is none."""
    for size in (MAGIC, SEVERAL_RECORDS):  # no more than needed: a pipe may hold no more yet
        head = stream.peek(size)
        if not head:
            raise NoTrace("the file is empty")
        name = recognise(head)
        if name is not None and (size == MAGIC or not text_in(head)):
            return name
    raise NoTrace(f"no trace of a format that is known: {beginning(head)}")


def check(stream: Plain, name: str) -> str:
    """The format of a stream that a URI says to be of one; OSError where it is of another."""
    head = stream.peek(4)
    if not head and name in HEADED:
        raise OSError("the file is empty")
    if name in ("pcap", "pcapng"):
        # pcapfile: may be pcapng inside, as in libtrace 4, and the other way round
        found = recognise(head)
        if found in ("pcap", "pcapng"):
            return found
        raise OSError(f"not a {name} file: {beginning(stream.ahead)}")
    if text_in(stream.peek(16)):  # no more: a pipe may hold no more yet
        raise OSError(f"no {name} records: {beginning(stream.ahead)}")
    return name


def beginning(head: bytes) -> str:
    """How a file begins, as an error says it."""
    text = text_in(head)
    what = f"text: {text[:32]!r}" if text else other_kind(head)
    return f"it begins with {head[:8].hex(' ')}{what and f', which is {what}'}"


def other_kind(head: bytes) -> str:
    """What a file is that other programs read; "" where that is not known."""
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            return what
    if head[257:262] == b"ustar":  # POSIX.1-2017, pax
        return "a tar archive: unpack it first"
    return ""


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
