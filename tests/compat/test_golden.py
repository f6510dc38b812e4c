"""The golden dumps: what the original said of its traces, every attribute of every packet.

The comparing tool, part of the corpus, names the fields on which the documented API departs from
the original on purpose; nothing else may differ.
"""

import subprocess
import sys
from pathlib import Path


def test_nothing_differs_from_the_golden_dumps(corpus: Path) -> None:
    tool = corpus / "tools" / "compare_golden.py"
    dumps = len([*(corpus / "golden").glob("*.jsonl.gz")])
    run = subprocess.run([sys.executable, str(tool)], capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    assert f"{dumps} traces agree, 0 differ, 0 not found" in said, said
    assert run.returncode == 0, said
