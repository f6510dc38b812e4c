"""Packets, flows and DNS with tshark: a program of its own, which dissects all of a packet."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from clock import Clock
from shared import FCS, Result, port_summary

from . import program

DNS = (
    "frame.time_epoch", "ip.src", "ip.dst", "udp.srcport", "udp.dstport", "dns.id",
    "dns.flags.response", "dns.flags.opcode", "dns.flags.rcode", "dns.qry.name", "dns.qry.type",
    "dns.count.answers", "dns.time",
)  # fmt: skip


def timed(clock: Clock, path: Path, *args: str) -> AbstractContextManager[IO[bytes]]:
    """What tshark prints of a trace."""
    return program.timed(clock, path, lambda one: ["tshark", "-n", "-r", str(one), *args])


def fields(names: tuple[str, ...]) -> list[str]:
    return ["-T", "fields", *(word for name in names for word in ("-e", name))]


def count(path: Path, clock: Clock) -> Result:
    with timed(clock, path, "-q", "-z", "io,stat,0") as printed:
        text = printed.read().decode()
    number, octets = map(int, re.findall(r"<> *[\d.]+ *\| *(\d+) *\| *(\d+)", text)[0])
    return {"count": number, "bytes": octets + number * FCS}


def ports(path: Path, clock: Clock) -> Result:
    number = 0
    sizes: dict[int, int] = {}
    with timed(clock, path, *fields(("tcp.dstport", "frame.len"))) as printed:
        for line in printed:
            number += 1
            port, size = line.split(b"\t")
            if port:
                sizes[int(port)] = sizes.get(int(port), 0) + int(size) + FCS
    return port_summary(number, sizes)


def flows(path: Path, clock: Clock) -> Result:
    """Its bytes are rounded where they are many, so only packets and flows are compared."""
    with timed(clock, path, "-q", "-z", "conv,tcp", "-z", "conv,udp") as printed:
        lines = printed.read().decode().splitlines()
    totals = [total(line) for line in lines if "<->" in line]
    return {"count": sum(totals), "flows": len(totals)}


def total(line: str) -> int:
    """The packets in both directions, of a line such as

    A:1 <-> B:2   3 687 kB   4 688 kB   7 1375 kB   0.005133000   12.7345
    """
    cells = line.split("<->")[1].split()
    return int([cell for cell in cells[1:] if cell.isdigit()][4])


def dns(path: Path, clock: Clock) -> Result:
    messages = responses = answers = letters = 0
    with timed(clock, path, *fields(DNS)) as printed:
        for line in printed:
            cells = line.split(b"\t")
            messages += 1
            responses += cells[6] in (b"1", b"True")  # tshark 4.2 and later print True
            answers += int(cells[11])
            letters += len(cells[9])
    return {"count": messages, "responses": responses, "answers": answers, "letters": letters}
