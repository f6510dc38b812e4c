"""What tests need of the system: without it they are skipped, and fail in CI."""

import os
import shutil

import pytest


def missing(what: str) -> None:
    """Skip the test that lacks WHAT; fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} (and CI=true: this test must not be skipped)")
    pytest.skip(what)


def tool(name: str) -> str:
    """The path of a program."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    return path
