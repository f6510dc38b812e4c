"""Packets and DNS with dnsjit: rivals/dnsjit.lua."""

from pathlib import Path

from clock import Clock
from shared import Result

from .program import found_as_json

SCRIPT = Path(__file__).resolve().parents[1] / "rivals" / "dnsjit.lua"


def run(job: str, path: Path, clock: Clock) -> Result:
    return found_as_json(clock, path, lambda one: ["dnsjit", str(SCRIPT), job, str(one)])


def count(path: Path, clock: Clock) -> Result:
    return run("count", path, clock)


def ports(path: Path, clock: Clock) -> Result:
    return run("ports", path, clock)


def all_ports(path: Path, clock: Clock) -> Result:
    """Of a trace with tunnels and fragments, where tools need not find the same ports."""
    return {"count": ports(path, clock)["count"]}


def dns(path: Path, clock: Clock) -> Result:
    return run("dns", path, clock)


def dns_without_names(path: Path, clock: Clock) -> Result:
    """The question is read, and no string made of its name."""
    return run("dns_without_names", path, clock)
