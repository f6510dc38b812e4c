"""The golden dumps: what the original said of 118 traces, every attribute of every packet."""

import subprocess
import sys
from pathlib import Path


def test_no_golden_dump_differs(corpus: Path) -> None:
    tool = corpus / "tools" / "compare_golden.py"
    run = subprocess.run([sys.executable, str(tool)], capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    assert "118 traces agree, 0 differ, 0 not found" in said, said
    assert run.returncode == 0, said
