"""Go the way of a newcomer where a wheel was installed: the command line, SQL, the first notebook.

usage: python3 try_newcomer.py FOLDER      as root: it brings lo up, for the notebook's kernel

FOLDER has tutorial/ as the project has it.  The wheel is installed with its extras `cli` and
`tutorial`, and nbclient.
"""

import importlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from try_wheel import bring_up

import plt

# by name: mypy looks at this where they are not installed
duckdb: Any = importlib.import_module("duckdb")
nbclient: Any = importlib.import_module("nbclient")
nbformat: Any = importlib.import_module("nbformat")

#: What capinfos says of the trace.
PACKETS, OCTETS = 10_000, 5_758_637


def ask_the_command(trace: Path) -> None:
    """Have `plt info` count the packets of a trace."""
    printed = subprocess.run(
        ["plt", "info", "--json", trace], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    told = json.loads(printed)
    if (told["packets"], told["wire_bytes"]) != (PACKETS, OCTETS):
        sys.exit(f"plt info prints {printed}")
    print(f"plt info: {told['packets']:,} packets, {told['wire_bytes']:,} bytes")


def ask_in_sql(trace: Path) -> None:
    """Ask DuckDB who sends most, and a loop over the packets, too."""
    packets = plt.columns(trace, ["src", "wire_len"]).table()  # noqa: F841  found by SQL
    found = duckdb.sql(
        "select src, sum(wire_len) from packets where src is not null group by 1 "
        "order by 2 desc limit 5"
    ).fetchall()
    looped: Counter[str] = Counter()
    with plt.trace(trace) as read:
        for packet in read:
            ip = packet.ip or packet.ip6
            if ip:
                looped[str(ip.src_prefix)] += packet.wire_len
    if found != looped.most_common(5):
        sys.exit(f"in SQL {found} send most, in a loop {looped.most_common(5)}")
    print(f"in SQL: {found[0][0]} sends most, {found[0][1]:,} bytes")


def run_the_notebook(path: Path) -> None:
    """Run all of its cells: one that fails ends this, with its traceback."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    shown = sum(len(cell.get("outputs", ())) for cell in notebook.cells)
    if not shown:
        sys.exit(f"{path.name} shows nothing")
    print(f"{path.name}: {len(notebook.cells)} cells, {shown} outputs")


if __name__ == "__main__":
    tutorial = Path(sys.argv[1]) / "tutorial"
    edge = tutorial / "traces" / "edge-10k.pcap.gz"
    ask_the_command(edge)
    ask_in_sql(edge)
    bring_up("lo")
    run_the_notebook(tutorial / "notebooks" / "1_reading.ipynb")
