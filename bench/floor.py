"""The C reading floor: how long libtrace alone takes to read a trace.

    python bench/floor.py TRACE

`read(path)` compiles floor.c with cc where that is not done yet, and runs it once.
"""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "data" / "floor"


class Reading(NamedTuple):
    """What reading a trace took."""

    packets: int
    seconds: float
    peak: int  # bytes of memory


def compiled() -> Path:
    """The program, compiled anew where its source is newer."""
    source = HERE / "floor.c"
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < source.stat().st_mtime:
        PROGRAM.parent.mkdir(exist_ok=True)
        subprocess.run(
            ["cc", "-std=c11", "-O2", "-o", PROGRAM, source, "-ltrace"],
            check=True,
        )
    return PROGRAM


def read(path: Path) -> Reading:
    """Read a trace with libtrace alone, timed by the program itself."""
    command = [str(compiled()), f"pcapfile:{path}"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    packets, seconds, kib = run.stdout.split()
    return Reading(int(packets), float(seconds), int(kib) * 1024)


if __name__ == "__main__":
    reading = read(Path(sys.argv[1]))
    print(f"{reading.packets} packets, {reading.seconds * 1e9 / reading.packets:.1f} ns each")
