"""DNS messages, and packets that carry them, put together by hand: RFC 1035."""

import struct
from typing import Any

import packets as made
from packets import EPOCH, V4, Record, ethernet, ipv4, tcp, udp

A, NS, AAAA, OPT = 1, 2, 28, 41
CLIENT = 40000
MILLISECOND = 1_000_000


def wire_name(text: str) -> bytes:
    labels = [label.encode("latin1") for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def message(
    name: str | None = "www.example.test",
    *,
    ident: int = 7,
    flags: int = 0x0100,
    qtype: int = A,
    counts: tuple[int, int, int] = (0, 0, 0),
    rest: bytes = b"",
) -> bytes:
    """A message with one question, or none; RFC 1035 section 4.1."""
    question = b"" if name is None else wire_name(name) + struct.pack(">HH", qtype, 1)
    return struct.pack(">6H", ident, flags, bool(question), *counts) + question + rest


def opt(size: int = 1232, ttl: int = 0) -> bytes:
    return b"\0" + struct.pack(">HHIH", OPT, size, ttl, 0)


def query(at: float = 0, name: str | None = "www.example.test", **kwargs: Any) -> Record:
    """From client to server by UDP, so many seconds after EPOCH."""
    return sent(udp(message(name, **kwargs), ports=(CLIENT, 53)), at)


def response(at: float = 0, name: str | None = "www.example.test", **kwargs: Any) -> Record:
    content = message(name, **{"flags": 0x8180, **kwargs})
    return sent(udp(content, ports=(53, CLIENT)), at, V4[1], V4[0])


def sent(
    transport: bytes, at: float = 0, src: str = V4[0], dst: str = V4[1], proto: int = made.UDP
) -> Record:
    sec, micros = divmod(round(at * 1_000_000), 1_000_000)
    return Record(ethernet(ipv4(transport, proto, src=src, dst=dst)), EPOCH + sec, micros)


def segment(
    data: bytes, seq: int = 1, *, flags: int = 0x18, ports: tuple[int, int] = (CLIENT, 53)
) -> Record:
    return sent(tcp(data, seq=seq, flags=flags, ports=ports), proto=made.TCP)


def framed(*messages: bytes) -> bytes:
    """Messages as TCP has them: RFC 1035 section 4.2.2."""
    return b"".join(struct.pack(">H", len(one)) + one for one in messages)
