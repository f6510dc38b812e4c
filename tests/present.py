"""What tests need of the system: without it they are skipped, and fail in CI."""

import os
import shutil
import time

import pytest


def missing(what: str) -> None:
    """Skip the test that lacks WHAT; fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} (and CI=true: this test must not be skipped)")
    pytest.skip(what)


def last_time() -> int:
    """The last second up to 2**32 - 1 that datetime has here.

    Its timestamp() looks at the days around, which have to be in the system's time_t.
    """
    try:
        time.localtime(2**32 - 1)
    except OverflowError:
        return 2**31 - 1 - 2 * 86400
    return 2**32 - 1


def tool(name: str) -> str:
    """The path of a program."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    return path
