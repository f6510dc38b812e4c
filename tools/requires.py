"""Print what pyproject.toml requires, a line each, for `pip install -r`.

usage: python tools/requires.py build|EXTRA...
"""

import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def requires(what: str) -> list[str]:
    """The requirements of the build, or of the extra of that name."""
    config = tomllib.loads(PYPROJECT.read_text())
    if what == "build":
        found: list[str] = config["build-system"]["requires"]
    else:
        found = config["project"]["optional-dependencies"][what]
    return found


if __name__ == "__main__":
    print("\n".join(line for what in sys.argv[1:] for line in requires(what)))
