"""Crypto-PAn with libtrace's traceanon: a program of its own."""

import subprocess
import tempfile
from pathlib import Path

import traces
from clock import Clock
from make_trace import file_header
from shared import KEY, Result, ipv4_summary

FLAGS = ("-s", "-d", "-c", KEY)


def run(path: Path, to: Path, *flags: str) -> Clock:
    """A run, timed."""
    clock = Clock()
    with clock:
        subprocess.run(["traceanon", *flags, f"pcapfile:{path}", f"pcapfile:{to}"], check=True)
    return clock


def anonymise(path: Path, clock: Clock) -> Result:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        empty, written = Path(folder) / "empty.pcap", Path(folder) / "theirs.pcap"
        empty.write_bytes(file_header(65535))
        starting = run(empty, written, *FLAGS)
        with clock:
            run(path, written, *FLAGS)
        clock.start = starting.seconds
        clock.take_off(starting)
        return ipv4_summary(written)


def addresses(path: Path, clock: Clock) -> Result:
    """Those of a trace of IPv4 headers, less what it takes to copy that trace."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / "theirs.pcap"
        copying = run(path, written)
        with clock:
            run(path, written, *FLAGS)
    clock.take_off(copying)
    return {"count": len(traces.addresses(path)) // 16}
