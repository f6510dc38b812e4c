"""Build and test on every system, interpreter, compiler and processor; `make matrix` runs this.

usage: python tools/matrix.py [WORDS, WORDS...]      as root; all cells without WORDS

A cell runs where all words of a group are in its name: "sid clang, s390x".  Each cell has a root of
Debian below build/roots, which is made where it is missing, or this machine itself with another
interpreter.  What each found is a row of the table in doc/testing.md; logs are in build/matrix.
TESTS names test files to run in place of tests/unit: then no row is written.
"""

import datetime
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOTS = ROOT / "build" / "roots"
LOGS = ROOT / "build" / "matrix"
PAGE = ROOT / "doc" / "testing.md"

BARE = "python3,python3-venv,git,make,ca-certificates,procps,iproute2"
FOREIGN = (
    "python3-dev,python3-numpy,libtrace3-dev,libldns-dev,libpcap-dev,libssl-dev,libc6-dev,procps"
)
#: Between these stands the table.
BEGIN, END = "<!-- make matrix -->\n", "<!-- end of make matrix -->\n"
HEAD = ("cell", "Python", "compiler", "libtrace", "build", "demo", "tests/unit", "date")


@dataclass(frozen=True)
class Cell:
    """What is run where."""

    release: str  # of Debian; "machine" for the one that this runs on
    compiler: str = "gcc"
    python: str = "python3"
    arch: str = ""  # an emulated processor
    libtrace4: bool = False

    @property
    def name(self) -> str:
        """What the table calls it, and CELLS chooses by."""
        words = [self.release]
        if self.python != "python3":
            words.append(self.python)
        words.append(self.compiler)
        if self.arch:
            words.append(self.arch)
        if self.libtrace4:
            words.append("libtrace4")
        return " ".join(words)


CELLS = [
    *(
        Cell(release, compiler)
        for release in ("bookworm", "trixie", "sid")
        for compiler in ("gcc", "clang")
    ),
    Cell("sid", python="python3.15"),
    Cell("machine", python="python3.12"),
    Cell("bookworm", libtrace4=True),
    Cell("bookworm", arch="arm64"),
    Cell("bookworm", arch="armhf"),
    Cell("bookworm", arch="s390x"),
]


@dataclass
class Outcome:
    """What a cell found."""

    failed: bool = False
    skipped: str = ""  # why it did not run
    found: dict[str, str] = field(default_factory=dict)

    def read(self, log: str) -> None:
        """Take what the cell's script has said of itself."""
        for key, rest in re.findall(r"^matrix: (\S+) (.+?)(?: \d+ s)?$", log, re.MULTILINE):
            self.found[key] = rest
        counts = re.findall(r"^(.*\d+ (?:passed|failed).*) in [\d.]+s", log, re.MULTILINE)
        if counts and "tests" in self.found:
            self.found["tests"] = re.sub(r"[=\x1b]|, \d+ warnings?", "", counts[-1]).strip()

    def row(self, cell: Cell) -> str:
        """The row of the table."""
        if self.skipped:
            return f"| {cell.name} | " + " | ".join([""] * 6) + f" | not run: {self.skipped} |\n"
        values = [
            cell.name,
            self.found.get("python", ""),
            f"{cell.compiler} {self.found.get('compiler', '')}",
            self.found.get("libtrace", ""),
            self.found.get("build", "not reached"),
            self.found.get("demo", "not reached"),
            self.found.get("tests", "not reached"),
            datetime.date.today().isoformat(),
        ]
        return "| " + " | ".join(values) + " |\n"


def chosen(words: str) -> list[Cell]:
    """The cells whose names have all words of one of the groups."""
    groups = [set(group.split()) for group in words.split(",")] if words.strip() else [set[str]()]
    cells = [cell for cell in CELLS if any(group <= set(cell.name.split()) for group in groups)]
    if not cells:
        sys.exit(f"no cell has all of {words!r}; there are: {', '.join(c.name for c in CELLS)}")
    return cells


def tool(*words: str | Path, log: Path, **environment: str) -> int:
    """Run a command, with its output at the end of the log; its status."""
    with log.open("a") as out:
        run = subprocess.run(
            [str(word) for word in words],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env=os.environ | environment, check=False,
        )  # fmt: skip
    return run.returncode


def copy_tree(folder: Path) -> None:
    """The project's files as they are now, in place of what the folder had but its .venv."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name != ".venv":
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def python_here(name: str) -> str:
    """The path of an interpreter that runs on this machine, pyenv's among them; "" if none does."""
    version = name.removeprefix("python")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for path in (name, *map(str, sorted(pyenv.glob(f"{version}.*/bin/{name}"), reverse=True))):
        try:
            run = subprocess.run(
                [path, "-c", "import sys, venv; print(sys.executable)"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        except OSError:
            continue
        if run.returncode == 0:
            return run.stdout.strip()
    return ""


def sources_of_libtrace4(into: Path) -> str:
    """Copy libtrace 4's sources into a root; why they can't be, or ""."""
    for variable, name in (("LIBTRACE4", "libtrace4"), ("WANDIO", "wandio")):
        given = os.environ.get(variable)
        if not given:
            if variable == "LIBTRACE4":
                return "LIBTRACE4= names no sources"
            continue
        shutil.rmtree(into / name, ignore_errors=True)
        shutil.copytree(given, into / name, symlinks=True)
    return ""


def run_on_machine(cell: Cell, log: Path) -> Outcome:
    """Build and test with another interpreter of this machine."""
    outcome = Outcome()
    python = python_here(cell.python)
    if not python:
        return Outcome(skipped=f"there is no {cell.python}")
    tree = LOGS / "trees" / cell.python
    copy_tree(tree)
    cell_script = tree / "tools" / "matrix_cell.sh"
    outcome.failed = tool(cell_script, "native", python, cell.compiler, log=log) != 0
    return outcome


def run_in_root(cell: Cell, log: Path) -> Outcome:
    """Build and test in a root; of an emulated processor, test what this one has compiled."""
    root = ROOTS / cell.release
    if tool("tools/roots.sh", "make", cell.release, root, BARE, log=log):
        return Outcome(failed=True)
    if cell.libtrace4:
        # a root of its own: what is installed there would hide libtrace 3 from the others
        plain, root = root, ROOTS / f"{cell.release}-libtrace4"
        why = sources_of_libtrace4(root / "sources")
        if why:
            return Outcome(skipped=why)
        if not (root / ".made").exists() and tool("cp", "-a", f"{plain}/.", root, log=log):
            return Outcome(failed=True)
    copy_tree(root / "plt")
    enter: list[str | Path] = ["tools/roots.sh", "enter"]
    settings = [f"{name}={os.environ.get(name, '')}" for name in ("WARNINGS", "TESTS")]
    if cell.libtrace4:
        settings += [f"{name}=1" for name in ("LIBTRACE4", "WANDIO") if os.environ.get(name)]
    script = "/plt/tools/matrix_cell.sh"
    if not cell.arch:
        words: list[str | Path] = [
            root,
            "env",
            *settings,
            script,
            "native",
            cell.python,
            cell.compiler,
        ]
        return Outcome(failed=tool(*enter, *words, log=log) != 0)
    foreign = root / "foreign" / cell.arch
    steps: list[list[str | Path]] = [
        ["tools/roots.sh", "extract", cell.release, foreign, FOREIGN, cell.arch],
        ["tools/roots.sh", "emulate", cell.arch],
        [*enter, root, "env", *settings, script, "cross", cell.arch, f"/foreign/{cell.arch}"],
        [*enter, foreign, "env", *settings, "/bin/bash", script, "emulated"],
    ]
    return Outcome(failed=any(tool(*step, log=log) for step in steps))


def write_table(outcomes: dict[Cell, Outcome]) -> str:
    """Put the rows in the page, in place of older ones of the same cells; the table."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    rows = {line.split("|")[1].strip(): line + "\n" for line in old.splitlines()[2:] if line}
    for cell, outcome in outcomes.items():
        rows[cell.name] = outcome.row(cell)
    table = f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}\n"
    table += "".join(rows[cell.name] for cell in CELLS if cell.name in rows)
    PAGE.write_text(before + BEGIN + table + END + after)
    return table


def main(words: str) -> int:
    """Run the cells; 1 where one failed."""
    if os.geteuid() != 0:
        sys.exit("make matrix: only root can make roots and enter them")
    outcomes: dict[Cell, Outcome] = {}
    LOGS.mkdir(parents=True, exist_ok=True)
    for cell in chosen(words):
        log = LOGS / f"{cell.name.replace(' ', '-')}.log"
        log.write_text("")
        print(f"{cell.name}: see {log.relative_to(ROOT)}", flush=True)
        outcome = (run_on_machine if cell.release == "machine" else run_in_root)(cell, log)
        outcome.read(log.read_text(errors="replace"))
        outcomes[cell] = outcome
        if outcome.failed:
            print("".join(log.read_text(errors="replace").splitlines(keepends=True)[-15:]))
        if not os.environ.get("TESTS"):
            write_table({cell: outcome})
        print(outcome.row(cell), end="", flush=True)
    return int(any(outcome.failed for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
