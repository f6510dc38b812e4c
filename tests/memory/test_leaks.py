"""No public name leaves anything behind; `make leaks` calls each more often."""

import os
import subprocess
import sys
from pathlib import Path

import leaks
import pace
import packets
import pytest

import ipp
import natkit
import pldns
import plt


def child(*arguments: str) -> str:
    """What a Python prints whose memory is the C library's; it ends well and says nothing else."""
    run = subprocess.run(
        [sys.executable, *arguments],
        env=packets.environment() | {"PYTHONMALLOC": "malloc"},
        capture_output=True, text=True, timeout=4 * pace.NEVER, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    return run.stdout


def test_every_public_name_has_a_case(tmp_path: Path) -> None:
    """Those of the modules' __all__, and of their types: an attribute that is new is among them."""
    cases = {case.name for case in leaks.cases(leaks.Samples(tmp_path))}
    for module in (ipp, plt, natkit, pldns):
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                assert f"{module.__name__}.{name}" in cases
            bases = value.__mro__ if isinstance(value, type) else ()
            others = [base for base in bases if base.__module__ in sys.stdlib_module_names]
            for attribute in set(dir(value) if bases else ()) - set().union(*map(dir, others)):
                if not attribute.startswith("_"):
                    assert f"{module.__name__}.{name}.{attribute}" in cases


@pytest.mark.skipif("PLT_ASAN" in os.environ, reason="sanitizers have allocators of their own")
@pytest.mark.parametrize(
    ("call", "clean"),
    [("None", True), ("kept.append(object())", False), ("[kept, object()]", True)],
)
def test_what_is_left_is_noticed(call: str, clean: bool) -> None:
    program = f"""
import leaks
kept = []
print(leaks.is_clean(leaks.left_by(lambda: {call}, 2000), 2000))
"""
    assert child("-c", program) == f"{clean}\n"


@pytest.mark.skipif("PLT_ASAN" in os.environ, reason="sanitizers have allocators of their own")
@pytest.mark.parametrize("part", range(2))
def test_nothing_is_left(part: int, tmp_path: Path) -> None:
    """With few calls, and where Python is no debug build by memory alone."""
    child(leaks.__file__, str(tmp_path), "--count=25", f"--part={part}/2")
