"""Tell which lines no test reaches, from the counts of tools/coverage.sh.

usage: python tools/unreached.py ROOT [--list] [--branches] [--check UNREACHED.txt]

ROOT is the copy of the project that was measured.  --list prints every line that was not reached,
--branches the lines of C that were, but for some of their branches, with how many: `2 of 4`.
--check fails where a line that was not reached is not in UNREACHED.txt, or the figures are below
those that it asks for.  That file has groups of lines: a heading `[name] reason`, below it a file's
name, below that, indented, `function: line`, with ` (2)` after it where the function has the same
line twice.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

GROUP = re.compile(r"\[(\w+)\] (.+)")
LEAST = re.compile(r"at least (\d+\.\d) % of (.+)")
LINE = re.compile(r" +(\w+): (.*?)(?: \((\d+)\))?")


class Line(NamedTuple):
    """A line that no test reaches, told by its text: numbers change with every edit above."""

    file: str
    function: str
    text: str


class Share(NamedTuple):
    """How many were reached, of how many."""

    reached: int
    all: int

    def percent(self) -> float:
        """Rounded down to a tenth, so that 100.0 is all."""
        return self.reached * 1000 // self.all / 10 if self.all else 100.0

    def __add__(self, other: Any) -> "Share":
        return Share(self.reached + other.reached, self.all + other.all)


class Counts(NamedTuple):
    """What was reached of one file."""

    lines: Share
    branches: Share
    unreached: list[tuple[int, Line]]
    half: list[tuple[str, Line]]  # branches that were not reached, of lines that were


def of_c(root: Path) -> Iterator[tuple[str, Counts]]:
    """The counts of each C file: a line or branch is reached where any module reaches it."""
    for entry in json.loads((root / "build/c.json").read_text())["files"]:
        text = (root / entry["file"]).read_text().splitlines()
        reached: Counter[int] = Counter()
        functions: dict[int, str] = {}
        branches: dict[tuple[int, int], int] = {}
        for line in entry["lines"]:
            if line.get("gcovr/excluded"):
                continue
            number = line["line_number"]
            reached[number] += line["count"]
            functions[number] = line.get("function_name", "")
            for place, branch in enumerate(line["branches"]):
                if branch.get("gcovr/excluded"):
                    continue
                key = (number, place)
                branches[key] = branches.get(key, 0) + branch["count"]
        unreached = [
            (number, Line(entry["file"], functions[number], text[number - 1].strip()))
            for number, count in sorted(reached.items())
            if count == 0
        ]
        half = []
        for number, count in sorted(reached.items()):
            ways = [count > 0 for (line, _), count in branches.items() if line == number]
            if count > 0 and not all(ways):
                line = Line(entry["file"], functions[number], text[number - 1].strip())
                half.append((f"{number}: {ways.count(False)} of {len(ways)}", line))
        yield (
            entry["file"],
            Counts(
                Share(len(reached) - len(unreached), len(reached)),
                Share(sum(count > 0 for count in branches.values()), len(branches)),
                unreached,
                half,
            ),
        )


def of_python(root: Path) -> Iterator[tuple[str, Counts]]:
    """The counts of each Python file."""
    for file, entry in json.loads((root / "build/python.json").read_text())["files"].items():
        text = (root / file).read_text().splitlines()
        functions = {
            number: name.rpartition(".")[2]
            for name, function in entry["functions"].items()
            for number in function["missing_lines"]
        }
        unreached = [
            (number, Line(file, functions[number] or "module", text[number - 1].strip()))
            for number in entry["missing_lines"]
        ]
        total = entry["summary"]
        yield (
            file,
            Counts(
                Share(total["covered_lines"], total["num_statements"]),
                Share(total["covered_branches"], total["num_branches"]),
                unreached,
                [],
            ),
        )


def known(path: Path) -> tuple[dict[str, float], Counter[Line], dict[Line, str]]:
    """The least shares that the file asks for, the lines that it lists, and their groups."""
    least: dict[str, float] = {}
    lines: Counter[Line] = Counter()
    groups: dict[Line, str] = {}
    group = file = ""
    for number, text in enumerate(path.read_text().splitlines(), 1):
        if not text or text.startswith("#"):
            continue
        if match := LEAST.fullmatch(text):
            least[match[2]] = float(match[1])
        elif match := GROUP.fullmatch(text):
            group = match[1]
        elif match := LINE.fullmatch(text):
            line = Line(file, match[1], match[2])
            lines[line] += int(match[3] or 1)
            groups[line] = group
        elif text.endswith((".c", ".h", ".py")):
            file = text
        else:
            raise SystemExit(f"{path}:{number}: neither a group nor a file nor a line: {text}")
    return least, lines, groups


def check(path: Path, shares: dict[str, Share], unreached: list[tuple[int, Line]]) -> int:
    """How much is worse than PATH says; each is printed."""
    least, listed, groups = known(path)
    faults = 0
    for what, percent in least.items():
        if shares[what].percent() < percent:
            print(f"{what}: {shares[what].percent()} %, less than {percent} %")
            faults += 1
    kinds: Counter[str] = Counter()
    left = listed.copy()
    for number, line in unreached:
        if left[line] > 0:
            left[line] -= 1
            kinds[groups[line]] += 1
        else:
            print(f"{line.file}:{number}: {line.function}: {line.text}: no test reaches this line")
            faults += 1
    for kind, count in kinds.most_common():
        print(f"{count:5} lines of the group {kind}")
    for line, count in left.items():
        if count > 0:
            print(f"{line.file}: {line.function}: {line.text}: is reached now, or is gone")
    return faults


def main() -> int:
    """Print the figures; the status is 1 where --check finds a line that it doesn't know."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("root", type=Path)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--branches", action="store_true")
    arguments.add_argument("--check", type=Path)
    given = arguments.parse_args()
    shares: dict[str, Share] = {}
    unreached: list[tuple[int, Line]] = []
    half: list[tuple[str, Line]] = []
    for language, counts in (("C", of_c(given.root)), ("Python", of_python(given.root))):
        lines, branches = Share(0, 0), Share(0, 0)
        folders: dict[str, list[Share]] = {}
        for file, count in counts:
            folder = folders.setdefault(str(Path(file).parent), [Share(0, 0), Share(0, 0)])
            folder[0] += count.lines
            folder[1] += count.branches
            lines += count.lines
            branches += count.branches
            unreached += count.unreached
            half += count.half
        shares |= {f"{language} lines": lines, f"{language} branches": branches}
        for name, (of_lines, of_branches) in sorted(folders.items()):
            print(f"{name:24} {of_lines.percent():5} % of {of_lines.all:5} lines, ", end="")
            print(f"{of_branches.percent():5} % of {of_branches.all:5} branches")
    for what, share in shares.items():
        print(f"{what}: {share.percent()} % ({share.reached} of {share.all})")
    if given.list:
        for number, line in unreached:
            print(f"{line.file}:{number}: {line.function}: {line.text}")
    if given.branches:
        for place, line in half:
            print(f"{line.file}:{place}: {line.function}: {line.text}")
    return 1 if given.check and check(given.check, shares, unreached) else 0


if __name__ == "__main__":
    sys.exit(main())
