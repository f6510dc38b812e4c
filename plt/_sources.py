"""The sources that a call names: one or several, folders, and patterns of names."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from . import _plt
from ._formats import FILE_FORMATS, LIBTRACE_FORMATS, NoTrace, sniff
from ._paths import home_path, is_url, natural
from ._plt import LibtraceError

if TYPE_CHECKING:
    from pathlib import PurePath
    from typing import TypeGuard

__all__ = ["WORTH_IT", "Readable", "Source", "Sources", "is_file", "local_path", "sources_of"]


#: Bytes of a file that is worth handing over to a thread, where the number of threads is not given.
WORTH_IT = 1 << 17


class Readable(Protocol):
    """An open binary file."""

    def read(self, size: int, /) -> bytes | None: ...


#: What one trace is read from: a trace, a URI or path, or an open binary file.
Source: TypeAlias = str | bytes | os.PathLike[str] | _plt.trace | Readable

#: What several are read from.
Sources: TypeAlias = Source | Iterable[Source]


def split_uri(uri: str) -> tuple[str, str]:
    """The format that a URI begins with, with its colon, or none; and what follows."""
    prefix, colon, path = uri.partition(":")
    if colon and (prefix in FILE_FORMATS or prefix in LIBTRACE_FORMATS):
        return prefix + colon, path
    return "", uri


def names_file(prefix: str) -> bool:
    """Whether it is files that follow a format in a URI."""
    return prefix[:-1] not in LIBTRACE_FORMATS


def local_path(source: Source) -> str | None:
    """The path of a source on this machine, None where it is something else."""
    if isinstance(source, _plt.trace):
        return None
    try:
        prefix, path = split_uri(os.fsdecode(source))  # type: ignore[arg-type]
    except Exception:  # its reader says what is wrong, in its turn
        return None
    return home_path(path) if names_file(prefix) and path != "-" and not is_url(path) else None


def is_file(source: Source, least: int = 0) -> bool:
    """Whether a source is a file of so many bytes or more.

    Files open at once, and are read by nobody else.
    """
    path = local_path(source)
    try:
        found = os.stat(path) if path is not None else None
    except (OSError, ValueError):  # its reader says what is wrong, in its turn
        return False
    return found is not None and stat.S_ISREG(found.st_mode) and found.st_size >= least


def sources_of(given: Sources) -> list[Source]:
    """The sources in order: lists one after another, folders and patterns by name and number.

    LibtraceError for a pattern that nothing matches and a folder without a trace.
    """
    if isinstance(given, str | bytes | os.PathLike | _plt.trace) or hasattr(given, "read"):
        return found_in(cast(Source, given))
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        return [cast(Source, given)]
    return [source for one in given for source in found_in(cast(Source, one))]


def found_in(source: Source) -> list[Source]:
    """What a source stands for: itself, or the files of a folder or pattern."""
    # a path of a type of its own is asked by who opens it, which may be on another machine
    if not (isinstance(source, str | bytes) or is_pathlib(source)):
        return [source]
    uri = os.fsdecode(source)
    prefix, path = split_uri(uri)
    if not names_file(prefix):
        return [source]
    if is_url(path):
        from ._urls import matching_urls  # noqa: PLC0415  few have URLs

        names = matching_urls(path) if glob.has_magic(path) else None
    else:
        path = home_path(path)
        names = traces_in(path, prefix) if os.path.isdir(path) else matching(path)
    if names is None:
        return [source]
    if not names:
        raise LibtraceError(f"{uri}: no file matches")
    return [prefix + name for name in names]


def is_pathlib(source: object) -> TypeGuard[PurePath]:
    """Whether it is a path of pathlib's, which takes long to import."""
    pathlib = sys.modules.get("pathlib")
    return pathlib is not None and isinstance(source, pathlib.PurePath)


def matching(pattern: str) -> list[str] | None:
    """The files that a pattern matches, sorted; None where it is a file's name, or no pattern."""
    if not glob.has_magic(pattern) or os.path.lexists(pattern):
        return None
    names = (name for name in glob.glob(pattern, recursive=True) if not os.path.isdir(name))
    return sorted(names, key=natural)


def traces_in(folder: str, prefix: str) -> list[str]:
    """The traces in a folder, sorted: not hidden files, nor what is no trace or empty.

    With a format's prefix all files are taken for traces, which is for those without a mark.
    """
    try:
        names = sorted(
            (
                entry.path
                for entry in os.scandir(folder)
                if not entry.name.startswith(".") and entry.is_file()
            ),
            key=natural,
        )
    except OSError as error:
        raise LibtraceError(f"{folder}: {error.strerror}") from None
    reasons = {name: None if prefix else why_no_trace(name) for name in names}
    traces = [name for name, reason in reasons.items() if reason is None]
    if traces:
        return traces
    first = next((f": {name}: {reason}" for name, reason in reasons.items()), "")
    raise LibtraceError(f"{folder}: no trace in this folder{first}")


def why_no_trace(path: str) -> str | None:
    """Why a file is no trace; None where it is one, or can't be read, which its reader tells."""
    from ._streams import open_stream  # noqa: PLC0415  what decompresses is slow to import

    try:
        stream = open_stream(path)
        try:
            sniff(stream)
        finally:
            stream.close()
    except NoTrace as error:
        return str(error)
    except (OSError, EOFError):  # EOFError where compressed data is cut
        pass
    return None
