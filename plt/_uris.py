"""What the URI of a trace names: a path, or format:name.

`open_uri()` is called by `trace.start()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Protocol, TypeAlias

from ._formats import FILE_FORMATS, LIBTRACE_FORMATS, check, sniff
from ._origin import is_own
from ._parts import Part
from ._progress import Measured
from ._streams import Plain, as_it_is, closing, is_stdin, open_stream, stream_of

__all__ = ["open_uri"]


class Stream(Protocol):
    """What the readers in C take bytes from; a raw file with readinto() does as well."""

    def readinto1(self, buffer: memoryview, /) -> int: ...
    def close(self) -> None: ...


#: A format, the bytes that were looked at already, a stream of the rest, and what that waits on: a
#: descriptor, -1 where it does not wait.
Opened: TypeAlias = tuple[str, bytes, Stream | BinaryIO | None, int]


def open_uri(uri: str, origin: object = None) -> Opened:
    """What a URI names.

    The stream is None where the C part opens the URI itself.  origin is what the trace was made of,
    None where that is the URI: an open file is read in its place.
    """
    counted: Callable[[Any], Any] = as_it_is
    if isinstance(origin, Part):
        return origin.open()
    if isinstance(origin, Measured):
        counted, origin = origin.counted, origin.source
    if hasattr(origin, "read"):
        stream = stream_of(origin, counted)
        return opened(closing(sniff, stream), stream)
    prefix, colon, name = uri.partition(":")
    if colon and prefix in LIBTRACE_FORMATS:
        return prefix, b"", None, -1
    if colon and prefix in FILE_FORMATS:
        try:
            stream = open_stream(name, counted)
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
        stream = open_stream(uri, counted)
    except FileNotFoundError as error:
        if colon and "/" not in prefix and is_own(error):
            raise OSError(
                f"no file of that name, and {prefix!r} is no format that libtrace knows"
            ) from None
        raise
    except IsADirectoryError:
        raise OSError("it is a directory") from None
    return opened(closing(sniff, stream), stream)


def opened(name: str, stream: Plain) -> Opened:
    """What open_uri() answers of a stream whose format is known."""
    waits_on = closing(lambda s: s.waits_on(), stream)
    ahead, stream.ahead = stream.ahead, b""
    # of a plain file the file itself: no Python code, and so no signal, comes between a read and
    # the C that takes what it gave
    plain = type(stream) is Plain and not is_stdin(stream.file)
    return name, ahead, stream.file if plain else stream, waits_on
