"""What tests need of the system, and are skipped without."""

import shutil

import pytest


def tool(name: str) -> str:
    """The path of a program."""
    path = shutil.which(name)
    if not path:
        pytest.skip(f"there is no {name}")
    return path
