"""What `make soak` runs, with few packets and few sizes of disks."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)


def test_every_way_counts_right() -> None:
    """How much memory there is says something after many more packets only."""
    done = run(HERE / "run.py", "--packets", 120_000)
    rows = [line.split(" | ")[:2] for line in done.stdout.splitlines()[3:]]
    ways = ("loop", "columns", "flowtable", "streams", "dns")
    assert (rows, done.stderr) == ([[f"| {way}", "right"] for way in ways], "")


def test_a_few_full_disks() -> None:
    done = run(HERE / "full.py", "--step", 20_011)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "a limit on files: " in done.stdout
