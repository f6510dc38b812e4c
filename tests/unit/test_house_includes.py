"""The C files of src/: which include which, and which do without Python."""

import re
import subprocess
from pathlib import Path

import pytest
from present import tool

SRC = Path(__file__).resolve().parents[2] / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
INCLUDE_PYTHON = re.compile(r'^\s*#\s*include\s+[<"]Python\.h[>"]', re.MULTILINE)

#: Folders whose C needs no Python, and no module of it.
WITHOUT_PYTHON = ["flowtable", "packet"]
#: Circles that are to be cut: each a set of files, by their names without suffix.
CIRCLES_LEFT: list[set[str]] = []

pytestmark = pytest.mark.skipif(not SRC.exists(), reason="there are no sources")


def included(file: Path) -> list[Path]:
    """The project's headers that a file includes: beside it, else from src/."""
    found = []
    for name in INCLUDE.findall(file.read_text()):
        places = [place for place in (file.parent / name, SRC / name) if place.exists()]
        assert places, f"{file.relative_to(SRC)} includes {name}, which is nowhere"
        found.append(places[0].resolve())
    return found


def unit(file: Path) -> str:
    """A .c file and the header of the same name are one: the name without suffix."""
    return file.relative_to(SRC).with_suffix("").as_posix()


def units() -> dict[str, set[str]]:
    """All units, and those that each includes."""
    graph: dict[str, set[str]] = {}
    for file in sorted(SRC.rglob("*.[ch]")):
        graph.setdefault(unit(file), set()).update(unit(header) for header in included(file))
    return {name: others - {name} for name, others in graph.items()}


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """What a unit includes, directly or through others."""
    found: set[str] = set()
    waiting = set(graph[start])
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= graph[name] - found
    return found


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Sets of units each of which includes all others of its set."""
    reach = {name: reached(graph, name) for name in graph}
    found: list[set[str]] = []
    for name in graph:
        circle = {other for other in reach[name] if name in reach[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str]()}
    assert circles(graph) == [{"b", "c"}]


def test_no_circle_of_includes() -> None:
    assert circles(units()) == CIRCLES_LEFT


@pytest.mark.parametrize("folder", WITHOUT_PYTHON)
def test_no_file_includes_python(folder: str) -> None:
    graph = units()
    inside = [name for name in graph if name.startswith(f"{folder}/")]
    assert inside
    needed = set(inside).union(*(reached(graph, name) for name in inside))
    files = [file for file in sorted(SRC.rglob("*.[ch]")) if unit(file) in needed]
    assert [unit(file) for file in files if INCLUDE_PYTHON.search(file.read_text())] == []
    # what it stands on is as free of modules
    folders = {name.partition("/")[0] for name in needed}
    assert folders <= {*WITHOUT_PYTHON, "common"}


def says_without_python(file: Path) -> bool:
    """Whether the opening comment of a file, or of its header, has "No Python here."."""
    files = [each for each in (file, file.with_suffix(".h")) if each.exists()]
    openings = [each.read_text().split("*/")[0].replace("\n *", " ") for each in files]
    return any("No Python here." in " ".join(opening.split()) for opening in openings)


def files_without_python() -> list[Path]:
    """The C of the folders above, and what says so in other folders."""
    files = sorted(SRC.rglob("*.c"))
    return [
        file
        for file in files
        if unit(file).partition("/")[0] in WITHOUT_PYTHON or says_without_python(file)
    ]


def test_parts_of_natkit_need_no_python() -> None:
    names = {unit(file) for file in files_without_python()}
    assert {"natkit/ipflow/home", "natkit/anonymise/layers", "packet/decode"} <= names


@pytest.mark.parametrize("file", files_without_python(), ids=unit)
def test_compiles_without_python(file: Path) -> None:
    """With src/ alone where headers are looked for besides the system's."""
    command = [tool("cc"), "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{SRC}"]
    run = subprocess.run(
        [*command, str(file)], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
