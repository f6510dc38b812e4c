"""The machine that measures: what it is, which versions it has, and what else it does meanwhile."""

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: The tools that ours are compared with: the package of PyPI, or the program, that each is.
PACKAGES = ("dpkt", "scapy", "nfstream", "dnspython", "numpy", "pyarrow")
PROGRAMS = ("tshark", "traceanon")
COUNTS = ("no", "one", "two", "three", "four")


class Others:
    """How much of the processors' time other programs take, from now on (Linux)."""

    def __init__(self) -> None:
        self.start = self.read()

    @staticmethod
    def read() -> tuple[float, float]:
        """The ticks that the processors could give so far, and those that others took."""
        ticks = [int(word) for word in Path("/proc/stat").read_text().split()[1:9]]
        total, idle = sum(ticks), ticks[3] + ticks[4]
        own = sum(os.times()[:4]) * os.sysconf("SC_CLK_TCK")  # ours and our children's
        return total, total - idle - own

    def share(self) -> float:
        """Their share since this was made, 0 to 1."""
        total, others = (now - then for now, then in zip(self.read(), self.start, strict=True))
        return max(others, 0.0) / total if total else 0.0


def missing() -> list[str]:
    """The tools that are not there."""
    lacks = [name for name in PROGRAMS if not shutil.which(name)]
    for name in PACKAGES:
        try:
            version(name)
        except PackageNotFoundError:
            lacks.append(name)
    return lacks


def told(command: list[str], pattern: str) -> str:
    """What a program says of its version."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    found = re.search(pattern, run.stdout)
    return found[1] if found else ""


def processor() -> str:
    """The processor's name, as the kernel has it."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def described() -> str:
    """A sentence on the machine, and one on the tools."""
    cores = os.cpu_count() or 1
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    libtrace = told(["dpkg-query", "-W", "-f", "${Version}", "libtrace3"], r"([\d.]+)")
    lacks = missing()
    tools = [f"{name} {version(name)}" for name in PACKAGES if name not in lacks]
    if "tshark" not in lacks:
        tools.insert(0, f"tshark {told(['tshark', '--version'], r'([0-9.]+[0-9])')}")
    number = COUNTS[cores] if cores < len(COUNTS) else str(cores)
    return (
        f"Measured on {number} {'core' if cores == 1 else 'cores'} of {processor()} with {system}, "
        f"Python {platform.python_version()} and libtrace {libtrace or '(version not known)'}; "
        f"compared with {', '.join(tools)}."
    )
