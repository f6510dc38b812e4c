"""Files that have their names when they are whole."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

__all__ = ["whole"]

#: Names of what is open already, which is written to even if it is a file.
OPEN = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")


def _stat(path: str) -> os.stat_result | None:
    """What there is under a name, links followed; None where there is nothing."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _create(name: str, existing: os.stat_result | None) -> None:
    """Create a file with the mode of an existing one, or that of any new file."""
    mode = 0o666 if existing is None else stat.S_IMODE(existing.st_mode) & 0o777
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        if existing is not None and stat.S_IMODE(os.fstat(handle).st_mode) != mode:
            os.fchmod(handle, mode)
    finally:
        os.close(handle)


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[str]:
    """A name to write to, which becomes the right one when all is written.

    A link stays one, to the new file; FIFOs, devices and the like are written to themselves.
    """
    given = os.fspath(path)
    found = _stat(given)
    if found and (os.path.abspath(given).startswith(OPEN) or not stat.S_ISREG(found.st_mode)):
        yield given
        return
    target = os.path.realpath(given)
    folder, name = os.path.split(target)
    part = os.path.join(folder, f".{name}.{os.urandom(4).hex()}")
    try:
        _create(part, found)
        yield part
        os.replace(part, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(part)
        if isinstance(error, OSError) and error.filename == part:
            raise OSError(error.errno, error.strerror, given) from None
        raise
