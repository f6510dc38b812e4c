"""Run the tutorial's notebooks in JupyterLab, in a headless Chromium, and picture each.

usage: tools/run_notebooks.py OUT [NOTEBOOK ...]

NOTEBOOK is a file; without any all of the tutorial's are run.  They are copies, so that those of
the project stay as they are.  Exit code 1 where a cell shows an error, or was not run.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browser import HIGHEST, Browser

TUTORIAL = Path(__file__).resolve().parent.parent / "tutorial"
WIDTH, HEIGHT = 1200, 900
PATIENCE = 300  # seconds that a notebook may take

#: No question of whether news are wanted.
SETTINGS = {"apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}

#: The number of cells that were run, and what errors say.
ASK = """(() => {
  const cells = [...jupyterapp.shell.currentWidget.content.model.sharedModel.cells]
    .filter((cell) => cell.cell_type === "code" && cell.source.trim());
  const outputs = cells.flatMap((cell) => cell.toJSON().outputs);
  return {
    cells: cells.length,
    run: cells.filter((cell) => cell.execution_count).length,
    errors: outputs.filter((o) => o.output_type === "error").map((o) => `${o.ename}: ${o.evalue}`),
  };
})()"""
OPENED = """(() => {
  const widget = jupyterapp.shell.currentWidget;
  return widget?.context?.path === PATH && widget.context.isReady
    && widget.sessionContext.isReady && widget.sessionContext.session?.kernel?.status === "idle";
})()"""
RUN = 'jupyterapp.commands.execute("notebook:run-all-cells")'
#: Without what stands beside the notebook; the cells out of sight are drawn too.
TALL = """(() => {
  jupyterapp.shell.collapseLeft();
  jupyterapp.shell.currentWidget.content.scrollToItem?.(0);
  const inner = document.querySelector(".jp-NotebookPanel .jp-WindowedPanel-inner");
  return Math.ceil(inner.getBoundingClientRect().height) + 160;
})()"""


@contextmanager
def lab(folder: Path) -> Iterator[tuple[str, str]]:
    """A JupyterLab for a folder: its address and its token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    settings = folder / ".settings"
    for name, values in SETTINGS.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values))
    words = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={folder}"]
    words += [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"]
    words += [f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"]
    if os.geteuid() == 0:
        words.append("--allow-root")
    env = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(settings), "TZ": "UTC"}
    log = folder / ".log"
    with log.open("wb") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said, env=env)
        try:
            address = f"http://127.0.0.1:{port}"
            wait(process, f"{address}/api/status?token={token}", log)
            yield address, token
        finally:
            process.terminate()
            process.wait()


def wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until a server answers; SystemExit with what it said where it ends."""
    for _ in range(600):
        try:
            urllib.request.urlopen(url).close()
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"JupyterLab did not start:\n{log.read_text()}")


def run(browser: Browser, address: str, token: str, name: str, picture: Path) -> dict[str, Any]:
    """Run all cells of a notebook in a window, and take a picture of it."""
    browser.size(WIDTH, HEIGHT)
    path = f"notebooks/{name}"
    browser.open(f"{address}/lab/workspaces/{Path(name).stem}/tree/{path}?token={token}&reset")
    browser.until("window.jupyterapp?.shell?.currentWidget != null", PATIENCE)
    browser.until(OPENED.replace("PATH", json.dumps(path)), PATIENCE)
    browser.ask(RUN)
    height = HEIGHT
    for _ in range(2):  # cells that come into sight may be taller than was thought
        height = min(browser.ask(TALL), HIGHEST)
        browser.size(WIDTH, height)
        time.sleep(1)  # for what is drawn then
    browser.picture(picture, height)
    found: dict[str, Any] = browser.ask(ASK)
    return found


def main(arguments: list[str]) -> int:
    """Run the notebooks; the exit code."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    notebooks = list(map(Path, arguments[1:])) or sorted(TUTORIAL.glob("notebooks/*.ipynb"))
    code = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        traces = list(TUTORIAL.glob("traces/*.pcap.gz"))
        for part, paths in (("notebooks", notebooks), ("traces", traces)):
            (folder / part).mkdir()
            for path in paths:
                shutil.copy(path, folder / part)
        with lab(folder) as (address, token), Browser() as browser:
            for path in notebooks:
                name = path.name
                found = run(browser, address, token, name, out / f"{path.stem}.png")
                wrong = found["errors"] or (found["run"] != found["cells"])
                code = 1 if wrong else code
                print(f"{name}: {found['run']} of {found['cells']} cells run", end="")
                print("".join(f"; {error}" for error in found["errors"]), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
