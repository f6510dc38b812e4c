"""What p23 and p24 print, made from the files that they write and read, without our code."""

import contextlib
import gzip
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

from foreign_packets import at_home, packets_of
from foreign_tables import Seen, seen

NAME = b"\7example"


def raw(path: Path) -> list[bytes]:
    """The bytes of every packet of a pcap file of either byte order, or of pcapng."""
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return list(of_blocks(data))
    order = "<" if data[0] in (0xD4, 0x4D) else ">"
    packets, at = [], 24
    while at < len(data):
        kept = struct.unpack_from(order + "8xI", data, at)[0]
        packets.append(data[at + 16 : at + 16 + kept])
        at += 16 + kept
    return packets


def of_blocks(data: bytes) -> Iterator[bytes]:
    """Those of enhanced packet blocks (draft-ietf-opsawg-pcapng section 4.3), little-endian."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            kept = struct.unpack_from("<I", data, at + 20)[0]
            yield data[at + 28 : at + 28 + kept]
        at += length


def p23(before: Path, addresses: Path, cleared: Path) -> Iterator[str]:
    yield "           packets  of home  addresses  with names  MACs  times and lengths"
    was = {(row.time, row.packet.wire_len) for row in seen(before)}
    for what, path in (("as it was", before), ("addresses", addresses), ("cleared", cleared)):
        packets, data = packets_of(path), raw(path)
        ends = [[end for end in (p.src, p.dst) if end is not None] for p in packets]
        ours = sum(any(map(at_home, pair)) for pair in ends)
        hosts = {end for pair in ends for end in pair}
        names = sum(NAME in frame for frame in data)
        macs = {mac for frame in data for mac in (frame[:6], frame[6:12])}
        same = was & {(row.time, row.packet.wire_len) for row in seen(path)}
        line = f"{what:10} {len(packets):7} {ours:8} {len(hosts):10} {names:11} {len(macs):5}"
        yield f"{line}  {len(same)} as before"


QUESTIONS = {
    "What is in which file?  file  packets  bytes  seconds": """
        select file, count(*), sum(octets), (max(time) - min(time)) / 1000000000
        from packets group by file order by file""",
    "Which ports have the most bytes?  file  port  proto  bytes": """
        select file, min(src, dst) as port, proto, sum(octets) as n from packets
        where src is not null group by 1, 2, 3 order by n desc, 1, 2, 3 limit 5""",
    "Which ten seconds are the busiest?  file  second  packets": """
        select p.file, (time - first) / 10000000000 * 10 as second, count(*) as n from packets p
        join (select file, min(time) as first from packets group by file) q on p.file = q.file
        group by 1, 2 order by n desc, 1, 2 limit 3""",
    "What answers to a SYN?  file  port  packets": """
        select file, src, count(*) as n from packets where syn and src < 1024
        group by 1, 2 order by n desc, 1, 2 limit 5""",
}


def p24(traces: dict[str, list[Seen]]) -> Iterator[str]:
    """By SQLite; the traces' names are without their suffixes."""
    yield f"{len(traces)} traces, 7 columns"
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("create table packets (file, time, proto, src, dst, octets, syn)")
        for name, rows in traces.items():
            db.executemany(
                "insert into packets values (?, ?, ?, ?, ?, ?, ?)",
                [(name, row.time, row.packet.proto, *(row.packet.ports or (None, None)),
                  row.packet.wire_len, bool((row.flags or 0) & 2)) for row in rows],
            )  # fmt: skip
        for question, sql in QUESTIONS.items():
            yield question
            yield from ("    " + "  ".join(map(str, row)) for row in db.execute(sql))
