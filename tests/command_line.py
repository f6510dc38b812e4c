"""Runs of the command line, in this process or in one of its own, and of what `--python` prints."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EDGE = str(ROOT / "tutorial" / "traces" / "edge-10k.pcap.gz")
LINKS = str(ROOT / "tutorial" / "traces" / "links-3k.pcap.gz")
DNS = str(ROOT / "tutorial" / "traces" / "dns-1k.pcap.gz")


@dataclass
class Run:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of tab-separated text, without the line of names."""
        return [line.split("\t") for line in self.out.splitlines()[1:]]

    @property
    def names(self) -> list[str]:
        """The line of names."""
        return self.out.splitlines()[0].split("\t")


def plt_run(*arguments: str | Path) -> Run:
    """Run a command here, as if its output went into a pipe."""
    from plt.cli import main  # noqa: PLC0415  tests that need no extra import this module too

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Run(code, out.getvalue(), err.getvalue())


def command(*arguments: str | Path) -> list[str]:
    """The words that start a command in a process of its own."""
    return [sys.executable, "-m", "plt", *map(str, arguments)]


def plt_process(*arguments: str | Path, stdin: bytes = b"") -> Run:
    """Run a command in a process of its own."""
    done = subprocess.run(
        command(*arguments), input=stdin, capture_output=True, env=os.environ, check=False
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def program_of(arguments: Sequence[str | Path]) -> str:
    """The program that a command prints."""
    made = plt_run(*arguments, "--python")
    assert (made.code, made.err) == (0, "")
    return made.out


def run_program(source: str) -> str:
    """What a program prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "<program>", "exec"), {"__name__": "__main__"})
    return out.getvalue()
