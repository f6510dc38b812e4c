"""Flows with programs that export them: nfpcapd writes files of nfdump's, softflowd sends them.

Each is given timeouts that no trace here reaches, and tells how many packets it saw.
"""

import re
import subprocess
import tempfile
from pathlib import Path

from clock import Clock
from shared import Result, read_count

from .program import timed


def nfpcapd(path: Path, clock: Clock) -> Result:
    """Its flows go one way each; a file for each hour."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = ["nfpcapd", "-t", "3600", "-l", folder, "-r"]
        with timed(clock, path, lambda one: [*command, str(one)], subprocess.STDOUT) as printed:
            return read_count(printed.read(), rb"Processed: (\d+)")


def softflowd(path: Path, clock: Clock) -> Result:
    """With flows of IPv6; they are counted, and sent to nobody."""
    command = ["softflowd", "-6", "-m", "1000000", "-d", "-c", "none", "-r"]
    with timed(clock, path, lambda one: [*command, str(one)], subprocess.STDOUT) as printed:
        text = printed.read()
    seen, ignored, flows = (
        int(re.findall(pattern, text)[0])
        for pattern in (
            rb"Packets processed: (\d+)",
            rb"Ignored packets: (\d+)",
            rb"expired: (\d+)",
        )
    )
    return {"count": seen + ignored, "flows": flows}
