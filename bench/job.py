"""Run one job, in this process, which is its own: print what it measured as a line of JSON.

    python bench/job.py MODULE.FUNCTION TRACE [BEGAN]

MODULE is one of bench/jobs.  BEGAN is when the process was asked for, by time.perf_counter().
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from clock import Clock
from shared import Result

Job = Callable[[Path, Clock], Result]
MEASURED = ("seconds", "user", "system", "start", "peak", "turns", "notes")


def main(name: str, path: str, began: str = "") -> None:
    module, _, function = name.partition(".")
    job: Job = getattr(importlib.import_module(f"jobs.{module}"), function)
    clock = Clock(time.perf_counter() - float(began) if began else 0.0)
    result = job(Path(path), clock)
    measured = {name: getattr(clock, name) for name in MEASURED}
    print(json.dumps(measured | {"result": result}))


if __name__ == "__main__":
    main(*sys.argv[1:])
