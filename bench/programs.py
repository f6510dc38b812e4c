"""The programs that the benchmarks compile when they are first needed, in the folder data.

    python bench/programs.py NAME TRACE...

The C programs measure themselves and print what bench/job.py prints; the one in Go prints what it
found.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
GO_SOURCES = Path("/usr/share/gocode")  # where Debian's packages put them
#: What rivals/gopacket.go is made of.
GO_PACKAGES = ("github.com/google/gopacket", "golang.org/x/net", "golang.org/x/sys")
LIBRARIES = {"libtrace": ["-ltrace"]}


def compiled(source: Path, command: Sequence[str | Path], **environment: str) -> Path:
    """The program of a source, compiled anew where that, or a header beside it, is newer."""
    program = DATA / source.stem
    newest = max(file.stat().st_mtime for file in (source, *HERE.glob("*.h")))
    if not program.exists() or program.stat().st_mtime < newest:
        DATA.mkdir(exist_ok=True)
        subprocess.run(
            [*command, "-o", program, source, *LIBRARIES.get(source.stem, ())],
            check=True,
            env={**os.environ, **environment} if environment else None,
        )
    return program


def in_c(name: str) -> Path:
    return compiled(HERE / f"{name}.c", ["cc", "-std=c11", "-O2"])


def in_go(name: str) -> Path:
    """By sources of Debian's, without a network."""
    return compiled(
        HERE / "rivals" / f"{name}.go",
        ["go", "build"],
        GO111MODULE="off",
        GOPATH=str(GO_SOURCES),
        GOCACHE=str(DATA / "go-cache"),
    )


def command(name: str, files: Sequence[Path]) -> list[str]:
    """What runs a C program on traces."""
    words = [str(file) for file in files]
    if name == "libtrace":
        words = [f"pcapfile:{word}" for word in words]
    return [str(in_c(name)), *words]


if __name__ == "__main__":
    subprocess.run(command(sys.argv[1], [Path(word) for word in sys.argv[2:]]), check=True)
