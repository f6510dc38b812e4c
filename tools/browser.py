"""A headless Chromium: pages opened at a size, in light or dark, asked by JavaScript, pictured.

It speaks the DevTools protocol, for which Chromium alone is needed, and no driver beside it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import websocket

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
HIGHEST = 16_000  # pixels of a picture, which grows with the page


class BrowserError(Exception):
    """What the browser or a page's script says is wrong."""


def chromium() -> str:
    """The browser's path; SystemExit where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise SystemExit("there is no Chromium: apt-get install chromium")
    return found


class Browser:
    """A Chromium process with one page."""

    def __init__(self) -> None:
        # its own processes may write there while they end
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which root has none of
        options = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        options += [f"--user-data-dir={self.folder.name}", "--remote-debugging-port=0"]
        self.process = subprocess.Popen(
            [chromium(), *sandbox, *options, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port, path = self.address()
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", suppress_origin=True, timeout=300
        )
        self.number = 0
        self.session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        self.call("Page.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def address(self) -> tuple[str, str]:
        """Where it listens, which it writes to a file."""
        file = Path(self.folder.name, "DevToolsActivePort")
        for _ in range(600):
            if file.exists() and len(lines := file.read_text().split()) == 2:
                return lines[0], lines[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise BrowserError(f"{self.process.args!r} did not start")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What a method of the protocol gives."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer: dict[str, Any] = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                break
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def size(self, width: int, height: int) -> None:
        """Give the page a size in pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def scheme(self, name: str) -> None:
        """Have pages be told that the reader wants light or dark."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        if "errorText" in (opened := self.call("Page.navigate", url=url)):
            raise BrowserError(f"{url}: {opened['errorText']}")
        self.until("document.readyState == 'complete'")

    def ask(self, script: str) -> Any:
        """The value of an expression, or what its promise comes to."""
        done = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in done:
            details = done["exceptionDetails"]
            said = details.get("exception", {}).get("description") or details["text"]
            raise BrowserError(said)
        return done["result"].get("value")

    def until(self, script: str, seconds: float = 60) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.ask(script):
            if time.monotonic() > end:
                raise BrowserError(f"after {seconds} seconds not true: {script}")
            time.sleep(0.1)

    def picture(self, path: Path, height: int) -> None:
        """Write a picture of the page down to a height, as a PNG."""
        width = self.ask("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, HIGHEST), "scale": 1}
        shot = self.call(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
        )
        path.write_bytes(base64.b64decode(shot["data"]))
