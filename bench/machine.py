"""The machine that measures: what it is, which versions it has, and what else it does meanwhile."""

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import programs

#: The tools that ours are compared with: packages of PyPI; and programs, each with its package of
#: Debian's.
PACKAGES = ("cypcap", "dnspython", "dpkt", "nfstream", "numpy", "pyarrow", "scapy", "zlib-ng")
PROGRAMS = {
    "dnscap": "dnscap",
    "dnsjit": "dnsjit",
    "gzip": "gzip",
    "nfpcapd": "nfdump",
    "softflowd": "softflowd",
    "tcpdump": "tcpdump",
    "traceanon": "libtrace-tools",
    "tshark": "tshark",
    "xz": "xz-utils",
    "zstd": "zstd",
}
GOPACKET = "golang-github-google-gopacket-dev"  # sources, which go compiles
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
    sources = [programs.GO_SOURCES / "src" / name for name in programs.GO_PACKAGES]
    if not shutil.which("go") or not all(path.is_dir() for path in sources):
        lacks.append("gopacket")
    for name in PACKAGES:
        try:
            version(name)
        except PackageNotFoundError:
            lacks.append(name)
    return lacks


def processors(count: int) -> list[int]:
    """The first ones that this process may use."""
    return sorted(os.sched_getaffinity(0))[:count]


def told(command: list[str], pattern: str) -> str:
    """What a program says of its version."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    found = re.search(pattern, run.stdout)
    return found[1] if found else ""


def of_debian(package: str) -> str:
    """A package's version, without what Debian adds to it; empty where it is not installed."""
    return told(["dpkg-query", "-W", "-f", "${Version}", package], r"^(?:\d+:)?([^-+~]+)")


def processor() -> str:
    """The processor's name, as the kernel has it."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def described() -> str:
    """A sentence on the machine, and one on the tools."""
    cores = os.cpu_count() or 1
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    lacks = missing()
    versions = {name: version(name) for name in PACKAGES if name not in lacks}
    versions |= {
        name: of_debian(package) for name, package in PROGRAMS.items() if name not in lacks
    }
    if "gopacket" not in lacks:
        versions["gopacket"] = of_debian(GOPACKET)
    tools = [f"{name} {versions[name]}".strip() for name in sorted(versions)]
    number = COUNTS[cores] if cores < len(COUNTS) else str(cores)
    return (
        f"Measured on {number} {'core' if cores == 1 else 'cores'} of {processor()} with {system}, "
        f"Python {platform.python_version()} and libtrace "
        f"{of_debian('libtrace3') or '(version not known)'}; compared with {', '.join(tools)}."
    )
