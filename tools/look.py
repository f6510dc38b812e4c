"""Pictures of the documentation's pages, wide and narrow, light and dark, and what is wrong there.

usage: tools/look.py HTML OUT [PAGE ...]

A page is a name such as columns or api/plt.  What a reader can't read ends it with exit code 1: a
page that is wider than the window, a picture that is missing, text whose contrast with what is
under it is less than 4.5, as WCAG 2.1 has it (1.4.3; 3 for large text).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from browser import Browser

PAGES = (
    "index", "tutorial/index", "tutorial/programs", "columns", "flows", "cli", "performance",
    "plots", "comparison", "notebooks/6_columns", "api/plt",
)  # fmt: skip
WIDTHS = (1200, 390)
SCHEMES = ("light", "dark")

#: What a page's script finds: a list of texts.
FAULTS = Path(__file__).with_name("faults.js")


def look(browser: Browser, page: Path, out: Path, width: int, scheme: str) -> list[str]:
    """Take a picture of a page; what is wrong with it."""
    browser.size(width, 900)
    browser.scheme(scheme)
    browser.open(page.as_uri())
    height: int = browser.ask("document.documentElement.scrollHeight")
    browser.picture(out, height)
    found: list[str] = browser.ask(FAULTS.read_text())
    return found


def main(arguments: list[str]) -> int:
    """Look at the pages; the exit code."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    html, out = Path(arguments[0]).resolve(), Path(arguments[1])
    out.mkdir(parents=True, exist_ok=True)
    faults: dict[str, Any] = {}
    with Browser() as browser:
        for name in arguments[2:] or PAGES:
            page = html / f"{name}.html"
            if not page.is_file():
                print(f"{page} is not there: make docs", file=sys.stderr)
                return 1
            for width in WIDTHS:
                for scheme in SCHEMES:
                    picture = out / f"{name.replace('/', '-')}-{width}-{scheme}.png"
                    faults[picture.name] = look(browser, page, picture, width, scheme)
    for picture_name, found in faults.items():
        for fault in found:
            print(f"{picture_name}: {fault}")
    print(f"{len(faults)} pictures in {out}, {sum(map(len, faults.values()))} faults")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
