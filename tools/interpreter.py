"""Say of the Python that runs this what the set-up must know of it.

usage: python tools/interpreter.py path|include|lacks
"""

import importlib.util
import os
import sys
import sysconfig

OLDEST = (3, 11)


def path() -> str:
    """The interpreter's real path, also where the link of a virtual environment is running."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def include() -> str:
    """The folder of Python.h."""
    return sysconfig.get_path("include")


def lacks() -> str:
    """What the set-up needs and this Python comes without, by the names of Debian's packages."""
    if sys.version_info < OLDEST:
        sys.exit(f"{path()} is too old: Python {OLDEST[0]}.{OLDEST[1]} or later is needed")
    parts = {
        "dev": os.path.exists(os.path.join(include(), "Python.h")),
        "venv": importlib.util.find_spec("ensurepip") is not None,
    }
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return " ".join(f"{name}-{part}" for part, found in parts.items() if not found)


if __name__ == "__main__":
    print({"path": path, "include": include, "lacks": lacks}[sys.argv[1]]())
