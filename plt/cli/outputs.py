"""Files that are there when they are whole, and traces that are written."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import plt
from plt import _whole
from plt.cli.sources import Reading, path_of
from plt.cli.words import Failure, one_line

#: Formats of traces by the end of a file's name: libtrace's name of what writes them.
TRACES = {
    ".pcap": "pcapfile",
    ".pcapng": "pcapng",
    ".cap": "pcapfile",
    ".dmp": "pcapfile",
    ".erf": "erf",
}
PACKED = {".gz": plt.ZLIB_COMPRESSION, ".bz2": plt.BZIP2_COMPRESSION}


def trace_format(name: str, packed_too: bool = True) -> str | None:
    """libtrace's name of the trace format that a file's name asks for, None where it asks none."""
    path = Path(name)
    if packed_too and path.suffix in PACKED:
        path = path.with_suffix("")
    return TRACES.get(path.suffix)


def needs_trace_format(name: str) -> str:
    """The same for a file that must be a trace: pcap to standard output; Failure for others."""
    found = "pcapfile" if name == "-" else trace_format(name)
    if found is None:
        known = ", ".join(TRACES)
        raise Failure(
            f"{name}: its name tells no format of traces: {known}, and .gz or .bz2 after it"
        )
    return found


def check_terminal(name: str) -> None:
    """Failure where bytes that are no text would be printed to a terminal."""
    if name == "-" and sys.stdout.isatty():
        raise Failure("standard output is a terminal: give -o a file, or pipe it to what reads it")


def check_output(name: str, sources: Iterable[str]) -> None:
    """Failure where a file to write is one of those to read."""
    for source in sources:
        path = path_of(source)
        if os.path.isfile(name) and os.path.exists(path) and os.path.samefile(path, name):
            raise Failure(f"{name}: it is one of the sources")


@contextlib.contextmanager
def whole(name: str, reading: Reading | None = None) -> Iterator[str]:
    """A name to write to; what is there gets the right name at the end, and goes on an error.

    Ctrl-C keeps what came from an interface or through a pipe, and nothing else.
    """
    if name == "-":
        with named(name, name):
            yield name
        return
    with named(name, name), _whole.whole(name) as part, named(part, name):
        yield part
        if reading and reading.code == 130 and not reading.streaming:
            raise KeyboardInterrupt


@contextlib.contextmanager
def named(part: str, name: str) -> Iterator[None]:
    """Failure, with the file's right name, of what can't be written.

    BrokenPipeError where its reader is gone, for which libraries that write have their own errors.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, plt.LibtraceError) as error:
        text = one_line(error).replace(part, name)
        if text.endswith(os.strerror(errno.EPIPE)):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        raise Failure(text if name in text else f"{name}: {text}") from error


def trace_to(part: str, name: str, kind: str | None = None) -> plt.output_trace:
    """An output trace that writes to a file what its right name, or a format's name, asks for."""
    out = plt.output_trace(f"{kind or needs_trace_format(name)}:{part}")
    packed = PACKED.get(Path(name).suffix)
    if packed is not None:
        out.conf_compress_type(packed)
    return out


def write(
    packets: Iterable[plt.packet], name: str, reading: Reading, kind: str | None = None
) -> int:
    """Write packets to a file that is there when it is whole; how many they were."""
    written = 0
    check_terminal(name)
    with whole(name, reading) as part, trace_to(part, name, kind) as out:
        for packet in packets:
            out.write_packet(packet)
            written += 1
    return written
