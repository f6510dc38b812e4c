"""The console examples of doc/cli.md print what the page shows.

PLT_WRITE_DOC=1 writes what they print into the page, for who changes one: look at the difference.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")

PAGE = ROOT / "doc" / "cli.md"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def printed(block: str, folder: Path) -> str:
    """The commands of a block, each with what it prints in a folder of its own."""
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    wrapper = folder / "plt"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m plt "$@"\n')
    wrapper.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
    env = {**os.environ, "PATH": path, "LC_ALL": "C", "PYTHONUTF8": "1"}
    shown = []
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        shown.append(f"{line}\n")
        if line == "$ cd tutorial/traces":
            continue
        done = subprocess.run(
            ["sh", "-c", line[2:].replace("/tmp/", f"{scratch}/")],
            cwd=ROOT / "tutorial" / "traces",
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == "", line
        shown.append(done.stdout.replace(f"{scratch}/", "/tmp/"))
    return "".join(shown)


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here")
def test_examples_print_what_the_page_shows(tmp_path: Path) -> None:
    if any(shutil.which(name) is None for name in ("sh", "gunzip", "sort", "uniq", "head")):
        pytest.skip("a program of the examples is not installed")
    pytest.importorskip("pyarrow")
    page = PAGE.read_text()
    made = BLOCK.sub(lambda block: printed(block[0], tmp_path), page)
    if os.environ.get("PLT_WRITE_DOC"):
        PAGE.write_text(made)
    assert made.count("\n$ plt ") > 20
    assert made == page
