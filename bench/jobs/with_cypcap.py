"""Loops over packets with cypcap, in Cython over libpcap."""

from pathlib import Path

import cypcap
import traces
from clock import Clock
from shared import BPF, FCS, Result


def count_all(path: Path, clock: Clock) -> Result:
    """Of all files of a folder."""
    packets = octets = 0
    with clock:
        for one in traces.files(path):
            with cypcap.open_offline(one) as capture:
                for about, _ in capture:
                    packets += 1
                    octets += about.len + FCS
    return {"count": packets, "bytes": octets}


def count(path: Path, clock: Clock) -> Result:
    return count_all(path, clock)


def bpf(path: Path, clock: Clock) -> Result:
    matching = 0
    with clock, cypcap.open_offline(path) as capture:
        capture.setfilter(BPF)
        for _ in capture:
            matching += 1
    return {"count": traces.packets_of_mixed(path), "matching": matching}
