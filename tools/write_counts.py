"""Has modules that were built for coverage write their counts before a process is ended hard.

libgcov writes at exit(), which neither os._exit() nor a signal calls; and pytest-xdist kills a
worker that takes longer than ten seconds to end.  tools/coverage.sh gives each module the function
write_counts(), and has each interpreter import this.  pytest has it as a plugin too, and may not
warn that it is imported already: PYTEST_DONT_REWRITE.
"""

import ctypes
import os
import signal
import sys
from typing import Any, NoReturn

import coverage

end, kill = os._exit, os.kill


def write_counts() -> None:
    """Write the counts of the modules that this process has imported."""
    for name in ("ipp", "plt", "natkit", "pldns"):
        module = sys.modules.get(f"{name}._{name}")
        if module is not None and module.__file__ is not None:
            ctypes.CDLL(module.__file__).write_counts()


def write_all() -> None:
    """And what coverage.py has counted."""
    write_counts()
    measuring: Any = coverage.Coverage.current()
    if measuring is not None:
        measuring.save()


def write_and_end(status: int) -> NoReturn:
    """In place of os._exit(), in which coverage.py saves its own."""
    write_counts()
    end(status)


def write_and_kill(process: int, number: int) -> None:
    """In place of os.kill(): a process may end itself by a signal."""
    if process == os.getpid() and signal.getsignal(number) == signal.SIG_DFL:
        write_all()
    kill(process, number)


def pytest_sessionfinish() -> None:
    """Before a worker says that it has finished."""
    write_all()


os._exit, os.kill = write_and_end, write_and_kill
