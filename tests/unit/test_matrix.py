"""What `make matrix` runs, and how what its cells found gets into the page."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    os.environ.get("PLT_INSTALLED") == "1", reason="the project's tools are not here"
)

LOG = """
making a root of Debian trixie
matrix: compiler 14.2.0
matrix: build passed 61 s
matrix: python 3.13.5
matrix: libtrace 3.0.22
matrix: demo passed 4 s
==== 3 failed, 2925 passed, 56 skipped, 2 warnings in 301.25s (0:05:01) ====
matrix: tests failed 305 s
"""


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The tool, with a page of the test's own."""
    spec = importlib.util.spec_from_file_location("matrix", ROOT / "tools" / "matrix.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, "matrix", module)  # for its dataclasses
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAGE", tmp_path / "testing.md")
    module.PAGE.write_text(f"before\n{module.BEGIN}{module.END}after\n")
    return module


def test_cells_are_chosen_by_words(matrix: Any) -> None:
    names = {words: [c.name for c in matrix.chosen(words)] for words in ("", "sid clang", "s390x")}
    assert names[""] == [cell.name for cell in matrix.CELLS]
    assert len(set(names[""])) == len(names[""])
    assert names["sid clang"] == ["sid clang"]
    assert names["s390x"] == ["bookworm gcc s390x"]
    two = [cell.name for cell in matrix.chosen("trixie clang, sid clang")]
    assert two == ["trixie clang", "sid clang"]
    with pytest.raises(SystemExit, match="no cell has all of 'sid tcc'; there are: bookworm gcc,"):
        matrix.chosen("sid tcc")


def test_all_that_is_supported_is_there(matrix: Any) -> None:
    """Three releases, two compilers, three other processors, libtrace 4."""
    names = [set(cell.name.split()) for cell in matrix.CELLS]
    for release in ("bookworm", "trixie", "sid"):
        for compiler in ("gcc", "clang"):
            assert {release, compiler} in names
    for word in ("arm64", "armhf", "s390x", "libtrace4", "python3.12"):
        assert any(word in name for name in names)


def test_rows_are_what_cells_say(matrix: Any) -> None:
    first, second = matrix.chosen("trixie gcc") + matrix.chosen("libtrace4")
    found = matrix.Outcome(failed=True)
    found.read(LOG)
    matrix.write_table({second: matrix.Outcome(skipped="LIBTRACE4= names no sources")})
    table = matrix.write_table({first: found}).splitlines()
    assert [row.split("|")[1:-2] for row in table[2:]] == [
        [" trixie gcc ", " 3.13.5 ", " gcc 14.2.0 ", " 3.0.22 ", " passed ", " passed ",
         " 3 failed, 2925 passed, 56 skipped "],
        [" bookworm gcc libtrace4 ", *["  "] * 6],
    ]  # fmt: skip
    assert table[-1].endswith("| not run: LIBTRACE4= names no sources |")
    page = matrix.PAGE.read_text()
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    # a later run of the same cell takes the row's place
    again = matrix.Outcome()
    again.read(LOG.replace("3 failed, 2925", "2928"))
    assert matrix.write_table({first: again}).count("trixie gcc") == 1
    assert "| 2928 passed, 56 skipped |" in matrix.PAGE.read_text()


def test_what_does_not_compile_is_failed(matrix: Any) -> None:
    [cell] = matrix.chosen("sid clang")
    found = matrix.Outcome(failed=True)
    found.read("matrix: compiler 22.1\nerror: no\nmatrix: build failed 3 s\n")
    assert "| clang 22.1 |  | failed | not reached | not reached |" in found.row(cell)
