"""One TCP stream as text or hexadecimal numbers: what each end said, in turn.

These functions have no need of each other's module: `--python` prints them as they are here.
"""

from __future__ import annotations

from collections.abc import Iterator

import natkit

Turn = tuple[str, int, int, list[bytes | int]]


def turns(stream: natkit.Stream) -> Iterator[Turn]:
    """What the ends said in turn: way, time, offset, and bytes or how many are missing."""
    pieces = []  # in the order in which a receiver gets them, which waits for what is before
    for way, mark in ((stream.fwd, "fwd"), (stream.rev, "rev")):
        received = 0
        for offset, size, time in way.pieces:
            received = max(received, time)
            pieces.append((received, mark, offset, size, time))
    pieces.sort(key=lambda piece: piece[0])
    data = {"fwd": stream.fwd.data, "rev": stream.rev.data}
    ends = {"fwd": 0, "rev": 0}
    turn: Turn | None = None
    for _, mark, offset, size, time in pieces:
        if turn is None or turn[0] != mark:
            if turn:
                yield turn
            turn = mark, time, ends[mark], []
        if offset > ends[mark]:
            turn[3].append(offset - ends[mark])
        turn[3].append(data[mark][offset : offset + size])
        ends[mark] = offset + size
    if turn:
        yield turn
    for mark, way in (("fwd", stream.fwd), ("rev", stream.rev)):
        if ends[mark] < len(way):  # a FIN, or what was cut off, tells of more
            yield mark, stream.last_time_ns, ends[mark], [len(way) - ends[mark]]


def parts(offset: int, content: list[bytes | int]) -> Iterator[tuple[int, bytes | int]]:
    """What a turn consists of, each with its offset: bytes that follow each other are joined."""
    there: list[bytes] = []
    for part in [*content, 0]:
        if isinstance(part, bytes):
            there.append(part)
            continue
        if there:
            data = b"".join(there)
            yield offset, data
            offset += len(data)
            there.clear()
        if part:
            yield offset, part
            offset += part


def as_text(data: bytes) -> str:
    """Bytes as text, with a dot for what can't be printed."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(c if c in "\n\t" or (c.isprintable() and c != "\ufffd") else "." for c in text)


def as_hex(data: bytes, offset: int) -> Iterator[str]:
    """Lines of sixteen bytes: offset, hexadecimal numbers, and ASCII."""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{offset + at:08x}  {row[:8].hex(' '):23}  {row[8:].hex(' '):23}  |{letters}|"


def lines(stream: natkit.Stream, way: str, hexadecimal: bool) -> Iterator[str]:
    """What is printed of a stream: > before what the opener said, < before the answers."""
    ends = [
        f"{prefix} port {port}"
        for prefix, port in (
            (stream.src_prefix, stream.src_port),
            (stream.dst_prefix, stream.dst_port),
        )
    ]
    yield f"{ends[0]} to {ends[1]}, {stream.end}"
    for mark, _, offset, content in turns(stream):
        if way not in (mark, "both"):
            continue
        before = {"fwd": ">", "rev": "<"}[mark]
        for at, part in parts(offset, content):
            if isinstance(part, int):
                found = [f"[{part} bytes missing]"]
            else:
                found = list(as_hex(part, at)) if hexadecimal else as_text(part).splitlines()
            for line in found:
                yield f"{before} {line}".rstrip()
