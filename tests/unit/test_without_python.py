"""C files that say "No Python here" compile where Python's headers are not found."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAIM = "No Python here."
COMPILER = os.environ.get("CC", "cc").split()

pytestmark = [
    pytest.mark.skipif(os.environ.get("PLT_INSTALLED") == "1", reason="there are no sources"),
    pytest.mark.skipif(shutil.which(COMPILER[0]) is None, reason="there is no C compiler"),
]


def claims(path: Path) -> bool:
    """Whether the opening comment of the file, or of the header of its name, says so."""
    files = [each for each in (path, path.with_suffix(".h")) if each.exists()]
    openings = [each.read_text().split("*/")[0].replace("\n *", " ") for each in files]
    return any(CLAIM in " ".join(opening.split()) for opening in openings)


SOURCES = sorted(path for path in (ROOT / "src").rglob("*.[ch]") if claims(path))


def test_the_parts_that_need_no_python_say_so() -> None:
    named = {str(path.relative_to(ROOT / "src")) for path in SOURCES}
    assert {"packet/decode.c", "natkit/ipflow/home.c", "natkit/anonymise/layers.c"} <= named


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_compiles_without_python(path: Path) -> None:
    run = subprocess.run(
        [*COMPILER, "-std=c11", "-fsyntax-only", "-x", "c", "-Isrc", str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
