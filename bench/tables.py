"""Tables as aligned text and as Markdown, and the page that has them between marks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NO_BREAK_SPACE, JOINER, DASH = "\u00a0", "\u2060", "\u2013"
ROOT = Path(__file__).resolve().parents[1]
PAGE, README = ROOT / "doc" / "performance.md", ROOT / "README.md"
#: Around what is rewritten: comments of MyST's, and of HTML in a page that others read.
MARKS = (("% bench: {}", "% end"), ("<!-- bench: {} -->", "<!-- end -->"))


def unbroken(cell: str) -> str:
    """Words that stay on a line."""
    return cell.replace(" ", NO_BREAK_SPACE).replace(DASH, f"{JOINER}{DASH}{JOINER}")


@dataclass(frozen=True)
class Table:
    """Rows of cells: the first column is words, the others numbers."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""

    def text(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        printed = [
            "  ".join(
                cell.rjust(width) if number else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        printed.insert(1, "-" * (sum(widths) + 2 * len(widths) - 2))
        return "\n".join([f"\n{self.title}\n", *printed, *filter(None, [self.note])])

    def markdown(self) -> str:
        rule = ("---", *["---:"] * (len(self.header) - 1))
        lines = [
            self.header,
            rule,
            *((title, *map(unbroken, cells)) for title, *cells in self.rows),
        ]
        printed = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return printed + (f"\n\n{self.note}" if self.note else "")


def marked(name: str) -> re.Pattern[str]:
    """What stands between the marks of that name."""
    between = (
        rf"(?<=^{re.escape(begin.format(name))}\n\n).*?(?=\n\n{re.escape(end)}$)"
        for begin, end in MARKS
    )
    return re.compile("|".join(between), re.MULTILINE | re.DOTALL)


def rewrite(sections: dict[str, str], page: Path = PAGE) -> None:
    """Put sections between their marks on the page; what has no marks there raises."""
    text = page.read_text()
    for name, section in sections.items():
        found = marked(name).search(text)
        if not found:
            raise ValueError(f"{page.name} has no mark 'bench: {name}'")
        text = text[: found.start()] + section + text[found.end() :]
    page.write_text(text)
