"""Draw the pictures of doc/plots.md anew, of which one stands at the top of the README.

usage: python tools/pictures.py [FOLDER]

Runs the page's programs.  Where a picture follows one, the figure that it drew last is written
under the picture's name: into doc/, or FOLDER.
"""

import io
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "doc" / "plots.md"
STEP = re.compile(r"^\{\.runnable\}\n```python\n(.*?)^```$|^!\[[^]]*\]\((.*?)\)$", re.M | re.S)

DPI, COLOURS = 180, 64


def draw(folder: Path) -> list[Path]:
    """Write all pictures; returns their names."""
    namespace: dict[str, Any] = {"__name__": "plots"}
    written = []
    for program, picture in STEP.findall(PAGE.read_text()):
        if program:
            exec(compile(program, str(PAGE), "exec"), namespace)
        else:
            path = folder / picture
            path.parent.mkdir(parents=True, exist_ok=True)
            drawn = io.BytesIO()
            pyplot.savefig(drawn, dpi=DPI)
            # a few colours are all that there is: a third of the size
            Image.open(drawn).convert("RGB").quantize(COLOURS).save(path, optimize=True)
            written.append(path)
    return written


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    into = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "doc").resolve()
    os.chdir(ROOT)
    matplotlib.use("Agg")
    for name in draw(into):
        print(name)
