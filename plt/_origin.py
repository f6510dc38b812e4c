"""Whose an exception is: that of a stream that is read or written, or the user's.

A signal handler of the user's runs wherever Python or a system call looks for signals, also in the
midst of a read, and may raise what a read raises too: TimeoutError is an OSError.
"""

from __future__ import annotations

import traceback

__all__ = ["is_own"]

#: This package, and what it calls to compress and decompress.
OWN = {"plt", "gzip", "bz2", "lzma", "_compression", "compression", "backports", "lz4", "zlib_ng"}


def is_own(error: BaseException) -> bool:
    """Whether an exception comes from this package's own code, or from C that it called.

    A signal handler leaves its frame in the traceback. An exception that another thread sets
    (PyThreadState_SetAsyncExc) leaves none, but has nothing to say either, which ours always have.
    """
    modules = (
        frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)
    )
    return bool(error.args) and all(name.partition(".")[0] in OWN for name in modules)
