"""tools/look.py tells what can't be read on a page, tools/run_notebooks.py which cells fail."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"

pytestmark = [
    pytest.mark.skipif(not (TOOLS / "look.py").is_file(), reason="the tools are not here"),
    pytest.mark.skipif(
        not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
        reason="there is no Chromium",
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("websocket") is None, reason="websocket-client is not installed"
    ),
    pytest.mark.skipif("PLT_ASAN" in os.environ, reason="nothing of it is in C"),
]


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(TOOLS / name), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)


def page(body: str, style: str = "") -> str:
    css = f"body {{ background: #fff; color: #000 }} {style}"
    return f"<!doctype html><title>x</title><style>{css}</style><body>{body}</body>"


STYLE = """
body { margin: 8px }
@media (prefers-color-scheme: dark) { .c { background: #000 } }
.a { color: #777 }  /* of contrast 4.48 on white, #767676 of 4.54: WCAG 2.1, 1.4.3 */
.b { color: #767676 }
.w { width: 600px }
"""
FAULTY = """
<p class=a>too light</p><p class=b>dark enough</p><p class=c>black</p>
<div class=w>as wide as a table</div>
<div style="overflow-x: auto"><p class=w>wide, but it scrolls</p></div>
<img src="none.png" alt="">
"""


def test_faults_of_pages(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text(page("<h1>Title</h1><p>Words that are read.</p>"))
    (tmp_path / "faulty.html").write_text(page(FAULTY, STYLE))
    out = tmp_path / "out"
    done = tool("look.py", tmp_path, out, "good", "faulty")
    assert (done.returncode, done.stderr) == (1, "")
    *faults, last = done.stdout.splitlines()
    assert last == f"8 pictures in {out}, {len(faults)} faults"
    found = [line.split(".png: ") for line in faults]
    picture = f"no picture: {(tmp_path / 'none.png').as_uri()}"
    grey = "contrast 4.48 of p.a: too light"
    black, wide = "contrast 1.00 of p.c: black", "608 pixels wide: div.w"  # 8 are the margin
    assert found == [
        *[["faulty-1200-light", fault] for fault in (picture, grey)],
        *[["faulty-1200-dark", fault] for fault in (picture, grey, black)],
        *[["faulty-390-light", fault] for fault in (wide, picture, grey)],
        *[["faulty-390-dark", fault] for fault in (wide, picture, grey, black)],
    ]
    assert (out / "good-390-dark.png").read_bytes().startswith(b"\x89PNG")


def test_pages_that_are_not_there(tmp_path: Path) -> None:
    done = tool("look.py", tmp_path, tmp_path / "out", "nowhere")
    assert done.returncode == 1
    assert "nowhere.html is not there: make docs" in done.stderr


@pytest.mark.skipif(
    importlib.util.find_spec("jupyterlab") is None, reason="jupyterlab is not installed"
)
def test_cells_that_fail(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in ("1 + 1", "1 / 0", "2 + 2")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for name, chosen in (("right", cells[:1]), ("wrong", cells)):
        notebook = nbformat.v4.new_notebook(cells=chosen, metadata=metadata)
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    paths = [tmp_path / "right.ipynb", tmp_path / "wrong.ipynb"]
    done = tool("run_notebooks.py", tmp_path / "out", *paths)
    assert done.stdout.splitlines() == [
        "right.ipynb: 1 of 1 cells run",
        "wrong.ipynb: 2 of 3 cells run; ZeroDivisionError: division by zero",
    ]
    assert done.returncode == 1
