"""Packets, flows and DNS with gopacket: rivals/gopacket.go."""

from pathlib import Path

import programs
from clock import Clock
from shared import Result

from .program import found_as_json


def run(job: str, path: Path, clock: Clock) -> Result:
    program = str(programs.in_go("gopacket"))
    return found_as_json(clock, path, lambda one: [program, job, str(one)])


def count(path: Path, clock: Clock) -> Result:
    return run("count", path, clock)


def ports(path: Path, clock: Clock) -> Result:
    return run("ports", path, clock)


def all_ports(path: Path, clock: Clock) -> Result:
    """Of a trace with tunnels and fragments, where tools need not find the same ports."""
    return {"count": ports(path, clock)["count"]}


def flows(path: Path, clock: Clock) -> Result:
    return run("flows", path, clock)


def dns(path: Path, clock: Clock) -> Result:
    return run("dns", path, clock)
