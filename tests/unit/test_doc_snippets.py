"""The programs in doc/ run, and print what the pages show.

A block marked {.runnable} runs in the namespace of its page, and what it prints is in the block
marked {.output} behind it.  The pages' numbers were counted by tshark, where it counts such things.
"""

import contextlib
import io
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "doc"
# what only some pages need, and none of the modules
OPTIONAL = {"numpy", "pandas", "polars", "pyarrow", "duckdb", "matplotlib"}
FENCE = re.compile(r"(?:^\{\.([a-z-]+)\}\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """A fenced block of a page: its mark, its language, and where it stands."""

    mark: str
    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page that name a language."""
    source = page.read_text()
    return [
        Block(m[1] or "", m[2], m[3], source.count("\n", 0, m.start(3)) + 1)
        for m in FENCE.finditer(source)
    ]


PAGES = {
    str(page.relative_to(DOC)): blocks(page)
    for page in sorted(DOC.rglob("*.md"))
    if "_build" not in page.parts
}
RUNNABLE = [name for name, found in PAGES.items() if any(b.mark == "runnable" for b in found)]


def run(block: Block, name: str, namespace: dict[str, Any]) -> str:
    """What a block prints."""
    printed = io.StringIO()
    # lines as they are in the page, for tracebacks
    code = compile("\n" * (block.line - 1) + block.text, str(DOC / name), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


def expected(found: list[Block], at: int) -> str:
    """What the page says that a block prints: nothing where no output follows."""
    follows = found[at + 1] if at + 1 < len(found) else None
    return follows.text if follows and follows.mark == "output" else ""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder from which the traces have the names that the pages use; times in UTC."""
    (tmp_path / "tutorial").symlink_to(ROOT / "tutorial")
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield tmp_path
    time.tzset()


def test_pages_have_programs() -> None:
    assert {"index.md", "first-steps.md", "packets.md", "columns.md", "recipes.md"} <= {*RUNNABLE}


@pytest.mark.parametrize("name", PAGES)
def test_no_program_is_left_out(name: str) -> None:
    """Each Python block runs here, or says that it does not; each output is that of a program."""
    found = PAGES[name]
    unmarked = [b.line for b in found if b.language == "python" and not b.mark]
    assert unmarked == []
    for at, block in enumerate(found):
        if block.mark == "output":
            assert at > 0
            assert found[at - 1].mark == "runnable", f"line {block.line}"


@pytest.mark.usefixtures("project")
@pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="there is no README here")
def test_the_readmes_programs_run() -> None:
    """The second one needs NumPy, which `make demo` installs."""
    first, second = (b for b in blocks(ROOT / "README.md") if b.language == "python")
    namespace: dict[str, Any] = {}
    # counted by tshark -Y tcp.flags.reset==1
    assert run(first, "README.md", namespace).count("\n") == 160
    pytest.importorskip("numpy")
    value = second.text.rstrip().rpartition("\n")
    exec(value[0], namespace)
    # capinfos' data size, and the FCS of 10,000 packets
    assert int(eval(value[2], namespace)) == 5_718_637 + 4 * 10_000


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", RUNNABLE)
def test_page_prints_what_it_shows(name: str) -> None:
    namespace: dict[str, Any] = {"__name__": f"page of {name}"}
    for at, block in enumerate(PAGES[name]):
        if block.mark != "runnable":
            continue
        try:
            printed = run(block, name, namespace)
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL:
                raise
            pytest.skip(f"{name} from line {block.line} on needs {error.name}")
        assert printed == expected(PAGES[name], at), f"{name}, line {block.line}"
