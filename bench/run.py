"""Run all benchmarks, one after another: each prints its medians and ratios.

    python bench/run.py [NAME...]

A name is that of a script beside this one, without its .py.  Numbers taken while the machine does
other work are worth little: the C reading floor has a second thread, and suffers more than we do.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = ("reading", "flow_dict", "columns", "pldns_vs_dnspython", "dns_columns", "cryptopan")


def main(names: list[str]) -> None:
    """Run the scripts of these names, else all."""
    unknown = set(names) - set(SCRIPTS)
    if unknown:
        sys.exit(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(SCRIPTS)}")
    for name in names or SCRIPTS:
        print(f"\n{name}\n{'-' * len(name)}", flush=True)
        subprocess.run([sys.executable, HERE / f"{name}.py"], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
