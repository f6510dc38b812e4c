"""Packets with tcpdump, which libpcap reads for: counted, and filtered to nowhere."""

from pathlib import Path

import traces
from clock import Clock
from shared import BPF, Result, read_count

from .program import timed


def count(path: Path, clock: Clock) -> Result:
    with timed(clock, path, lambda one: ["tcpdump", "-r", str(one), "--count"]) as printed:
        return read_count(printed.read(), rb"(\d+) packet")


def bpf(path: Path, clock: Clock) -> Result:
    with timed(clock, path, lambda one: ["tcpdump", "-r", str(one), "--count", BPF]) as printed:
        matching = read_count(printed.read(), rb"(\d+) packet")["count"]
    return {"count": traces.packets_of_mixed(path), "matching": matching}


def text(path: Path, clock: Clock) -> Result:
    """A line for each packet."""
    command = ["tcpdump", "-nn", "-tt", "-q", "-r"]
    packets = 0
    with timed(clock, path, lambda one: [*command, str(one)]) as printed:
        for _ in printed:
            packets += 1
    return {"count": packets}
