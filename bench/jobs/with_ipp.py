"""Many addresses with ipp, and with the standard library's ipaddress, one at a time."""

import ipaddress
from pathlib import Path

import traces
from clock import Clock
from shared import Result

import ipp

HOME = "192.0.2.0/24"
SOME = 100_000  # addresses that the standard library is given


def text(path: Path, clock: Clock) -> Result:
    array = traces.addresses(path)
    with clock:
        texts = ipp.format(array, 4)
    return {"count": len(texts)}


def parse(path: Path, clock: Clock) -> Result:
    texts = ipp.format(traces.addresses(path), 4)
    with clock:
        ipp.parse(texts)
    return {"count": len(texts)}


def contains(path: Path, clock: Clock) -> Result:
    array = traces.addresses(path)
    home = ipp.from_s(HOME)
    with clock:
        home.contains(array, 4)
    return {"count": len(array) // 16}


def packed(path: Path) -> list[bytes]:
    array = traces.addresses(path, SOME // 2)
    return [array[i : i + 4] for i in range(0, len(array), 16)]


def text_one_by_one(path: Path, clock: Clock) -> Result:
    some = packed(path)
    with clock:
        texts = [str(ipaddress.IPv4Address(one)) for one in some]
    return {"count": len(texts)}


def parse_one_by_one(path: Path, clock: Clock) -> Result:
    texts = [str(ipaddress.IPv4Address(one)) for one in packed(path)]
    with clock:
        found = [ipaddress.IPv4Address(one).packed for one in texts]
    return {"count": len(found)}


def contains_one_by_one(path: Path, clock: Clock) -> Result:
    some = packed(path)
    home = ipaddress.IPv4Network(HOME)
    with clock:
        inside = [ipaddress.IPv4Address(one) in home for one in some]
    return {"count": len(inside)}
