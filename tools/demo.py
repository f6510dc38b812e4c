"""Run tutorial programs on their default trace, each under a heading of its name and purpose.

usage: python tools/demo.py PROGRAM...
"""

import ast
import subprocess
import sys
from pathlib import Path


def heading(program: Path) -> str:
    """The program's name and the first line of its docstring, underlined."""
    doc = ast.get_docstring(ast.parse(program.read_text())) or ""
    title = ": ".join(part for part in (program.name, doc.partition("\n")[0]) if part)
    return f"\n{title}\n{'-' * len(title)}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(heading(Path(name)), flush=True)
        if subprocess.run([sys.executable, name], check=False).returncode:
            sys.exit(f"{name} failed")
