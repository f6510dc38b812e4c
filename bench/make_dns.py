"""A made-up trace of DNS over UDP, as a resolver of many clients sees it.

Names have 9 to 72 letters, 27 in the mean.  A few are asked for very often, most of them seldom.
They are made of syllables, under .example, .test and .arpa.  Queries are for types in shares such
as resolvers see; responses have CNAMEs, addresses, no such name, or no such type with the zone's
SOA, and no signatures, which dpkt can't read.  One packet in five is IPv6.
"""

import random
import struct
from ipaddress import ip_address
from itertools import accumulate
from pathlib import Path

from make_trace import START, file_header

WAITING = 100  # queries, before the first response
NAMES = 20_000
SYLLABLES = [first + second for first in "bdfglmnprstv" for second in ("a", "e", "ix", "o", "un")]
A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, HTTPS = 1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 65
#: How many in a hundred queries ask for which type.
TYPES = {A: 52, AAAA: 25, HTTPS: 11, PTR: 5, TXT: 2, MX: 2, SRV: 2, NS: 1}
EDNS = struct.pack(">BHHIH", 0, OPT, 1232, 0, 0)
POINTER = b"\xc0\x0c"  # to the question's name
NO_ERROR, NO_SUCH_NAME = 0, 3

Query = tuple[str, str, int, int, bytes, int]  # client, server, port, id, name, type


def wire(labels: list[str]) -> bytes:
    """A name, as messages have it."""
    return b"".join(bytes([len(one)]) + one.encode() for one in labels) + b"\0"


def word(rng: random.Random, syllables: int) -> str:
    return "".join(rng.choices(SYLLABLES, k=syllables))


def any_name(rng: random.Random) -> bytes:
    zone = [word(rng, rng.randint(2, 4)), rng.choice(("example", "example", "test"))]
    kind = rng.random()
    if kind < 0.45:
        return wire([rng.choice(("www", "api", "m", "img", "cdn", "mail", "login")), *zone])
    if kind < 0.6:
        return wire(zone)
    if kind < 0.85:  # of a content network
        host = f"{word(rng, 2)}-{rng.randrange(10**6)}"
        return wire([host, word(rng, rng.randint(1, 3)), f"edge{rng.randrange(30)}", *zone])
    if kind < 0.95:  # that carries a key
        return wire([f"{rng.getrandbits(128):032x}", word(rng, 2), *zone])
    return wire([f"_{word(rng, 2)}", "_tcp", *zone])


def reverse(rng: random.Random) -> bytes:
    if rng.random() < 0.25:
        return wire([*f"{rng.getrandbits(128):032x}", "ip6", "arpa"])
    return wire([*(str(rng.randrange(256)) for _ in range(4)), "in-addr", "arpa"])


def record(owner: bytes, kind: int, data: bytes, ttl: int = 300) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def answers(rng: random.Random, kind: int) -> tuple[int, list[bytes], list[bytes]]:
    """A response's code, its answers, its authorities."""
    soa = wire(["ns1", "example"]) + wire(["hostmaster", "example"]) + struct.pack(">5I", *range(5))
    if rng.random() < 0.15:
        return NO_SUCH_NAME, [], [record(POINTER, SOA, soa)]
    if kind == HTTPS or (kind == AAAA and rng.random() < 0.4):
        return NO_ERROR, [], [record(POINTER, SOA, soa)]
    if kind == PTR:
        return NO_ERROR, [record(POINTER, PTR, any_name(rng))], []
    if kind == NS:
        return NO_ERROR, [record(POINTER, NS, wire([f"ns{n}", "example"])) for n in (1, 2)], []
    if kind == MX:
        return NO_ERROR, [record(POINTER, MX, b"\0\n" + wire(["mx", "example"]))], []
    if kind == TXT:
        text = word(rng, rng.randint(8, 60)).encode()
        return NO_ERROR, [record(POINTER, TXT, bytes([len(text)]) + text)], []
    if kind == SRV:
        data = struct.pack(">HHH", 1, 1, 5061) + wire(["sip", "example"])
        return NO_ERROR, [record(POINTER, SRV, data)], []
    owner, found = POINTER, []
    if rng.random() < 0.4:
        owner = any_name(rng)
        found.append(record(POINTER, CNAME, owner))
    size = 4 if kind == A else 16
    found += [record(owner, kind, rng.randbytes(size), 60) for _ in range(rng.choice((1, 1, 2, 4)))]
    return NO_ERROR, found, []


def udp_frame(payload: bytes, src: str, dst: str, ports: tuple[int, int]) -> bytes:
    """An Ethernet frame of a UDP datagram; checksums are 0."""
    from_, to, size = ip_address(src), ip_address(dst), 8 + len(payload)
    if from_.version == 6:
        kind, network = b"\x86\xdd", struct.pack(">IHBB", 6 << 28, size, 17, 64)
    else:
        kind, network = b"\x08\x00", struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 1, 0, 64, 17, 0)
    transport = struct.pack(">HHHH", *ports, size, 0)
    return bytes(12) + kind + network + from_.packed + to.packed + transport + payload


def make_dns(path: Path, messages: int) -> None:
    """Queries at port 53, and as many responses."""
    rng = random.Random(1)
    names = [any_name(rng) for _ in range(NAMES)]
    chances = list(accumulate(1 / (rank + 20) for rank in range(NAMES)))
    types = list(accumulate(TYPES.values()))
    waiting: list[Query] = []

    def query() -> bytes:
        host, server = rng.randrange(1, 255), rng.randrange(1, 9)
        ends = (f"192.0.2.{host}", f"198.51.100.{server}")
        if rng.random() < 0.2:
            ends = (f"2001:db8:1::{host:x}", f"2001:db8:ff::{server:x}")
        kind = rng.choices([*TYPES], cum_weights=types)[0]
        name = reverse(rng) if kind == PTR else rng.choices(names, cum_weights=chances)[0]
        one = (*ends, rng.randrange(1024, 65536), rng.randrange(65536), name, kind)
        waiting.append(one)
        edns = EDNS if rng.random() < 0.7 else b""
        head = struct.pack(">6H", one[3], 0x0100, 1, 0, 0, bool(edns))
        return udp_frame(head + name + struct.pack(">HH", kind, 1) + edns, *ends, (one[2], 53))

    def response() -> bytes:
        chosen = rng.randrange(len(waiting)) if len(waiting) > WAITING else 0
        client, server, port, ident, name, kind = waiting.pop(chosen)
        code, found, authorities = answers(rng, kind)
        head = struct.pack(">6H", ident, 0x8180 | code, 1, len(found), len(authorities), 1)
        question = name + struct.pack(">HH", kind, 1)
        payload = head + question + b"".join(found + authorities) + EDNS
        return udp_frame(payload, server, client, (53, port))

    with path.open("wb") as out:
        out.write(file_header(65535))
        for n in range(messages):
            early = n < min(WAITING, messages // 2)
            late = n >= messages - min(WAITING, messages // 2)
            data = query() if early or (not late and (n - WAITING) % 2 == 0) else response()
            seconds, micros = divmod(n * 20, 1_000_000)
            out.write(struct.pack("<IIII", START + seconds, micros, len(data), len(data)) + data)
