"""The command line `plt`, which is `python -m plt` too.

A command is a module of its own.  What they share: `options` (what is typed), `sources` (reading),
`rows` (tables as text), `show` (printing), `outputs` (writing files), `programs` (`--python`).
Nothing here is imported by `import plt`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

#: What the extra `cli` brings.
EXTRA = ("click", "numpy", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code."""
    try:
        from plt.cli.run import run  # noqa: PLC0415  a package that it needs may be missing

        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # while modules are imported
        return 130
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in EXTRA:
            raise
        extra = 'pip install "python-libtrace[cli]"'
        print(f"plt: the command line needs {name}: {extra}", file=sys.stderr)
        return 1
