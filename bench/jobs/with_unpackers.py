"""Compressed files unpacked by their own programs, to nowhere: what reading them can't do without.

The packets are counted beforehand: what is measured knows of none.
"""

import subprocess
from pathlib import Path

from clock import Clock
from payloads import packets_of
from shared import Result


def unpack(path: Path, clock: Clock, *command: str) -> Result:
    packets = packets_of(path)
    with clock:
        subprocess.run([*command, str(path)], stdout=subprocess.DEVNULL, check=True)
    return {"count": packets}


def gzip(path: Path, clock: Clock) -> Result:
    return unpack(path, clock, "gzip", "-dc")


def xz(path: Path, clock: Clock) -> Result:
    return unpack(path, clock, "xz", "-dc", "-T1")


def zstd(path: Path, clock: Clock) -> Result:
    return unpack(path, clock, "zstd", "-dcq", "-T1")
