"""Messages that pldns reads where they are, without ldns, are what ldns makes of them."""

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import packets as made
import pytest
from dns_messages import CLIENT, message, opt, query, response, sent, wire_name
from hypothesis import given
from hypothesis import strategies as st
from packets import Record, ethernet, ipv4, ipv6, pcap, udp, write

import pldns
import plt

#: A record of a type for private use (RFC 6895 section 3.1): only ldns reads a message with it.
MARK = b"\0" + struct.pack(">HHIH", 65280, 1, 0, 0)
CONTENT = message("www.example.test", rest=opt(), counts=(0, 0, 1))
SECTIONS = ("query_rr_list", "response_rr_list", "auth_rr_list", "addit_rr_list")
HEADER = ("ident", "is_response", "opcode", "rcode", "aa", "tc", "rd", "ra", "ad", "cd")
EDNS = ("edns_udp_size", "edns_do", "edns_version", "edns_rcode")
RECORD = ("owner", "type", "rr_class", "ttl", "cache_flush", "unicast_response", "rdata", "str")


def options(msg: pldns.ldns) -> object:
    try:
        return msg.edns_options
    except ValueError as error:
        return str(error)


def content(msg: pldns.ldns) -> list[Any]:
    """All that a message says, record by record."""
    records = [
        [tuple(getattr(rr, name) for name in RECORD) for rr in getattr(msg, section)]
        for section in SECTIONS
    ]
    header = [getattr(msg, name) for name in (*HEADER, *EDNS)]
    return [*header, options(msg), msg.question, *records]


def marked(wire: bytes) -> bytes:
    """The message with one additional record at its end."""
    count = int.from_bytes(wire[10:12], "big") + 1
    return wire[:10] + count.to_bytes(2, "big") + wire[12:] + MARK


def ends_of(wire: bytes) -> Iterator[int]:
    """Where a message that is ok may end, whatever comes after it.

    ldns takes a name at the end of the bytes without its last 0, so that the first need not be it.
    """
    low, high = 12, len(wire)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if pldns.ldns(wire[:middle]).is_ok() else (middle + 1, high)
    yield from range(low, len(wire) + 1)


def is_as_ldns_has_it(wire: bytes) -> bool:
    """Check that a message is what ldns makes of it, record after record; whether it is ok."""
    msg = pldns.ldns(wire)
    if not msg.is_ok() or wire[10:12] == b"\xff\xff":
        return False
    own = content(msg)
    for end in ends_of(wire):
        whole = pldns.ldns(marked(wire[:end]))
        if whole.is_ok() and [rr.type for rr in whole.addit_rr_list][-1:] == [65280]:
            of_ldns = content(whole)
            *records, _ = of_ldns[-1]
            assert own == [*of_ldns[:-1], records], wire.hex()
            return True
    raise AssertionError(f"ldns does not read {wire.hex()}")


# --- Messages made by chance


def name(chance: random.Random, places: list[int]) -> bytes:
    """Labels of any length and bytes, then the root or a pointer to an earlier place."""
    size = chance.choice([1, 3, 3, 7, 20, 63])
    letters = b"abcXYZ019-_" if chance.random() < 0.9 else bytes(range(256))
    labels = [bytes(chance.choices(letters, k=size)) for _ in range(chance.randrange(5))]
    start = b"".join(bytes([len(label)]) + label for label in labels)
    if places and chance.random() < 0.7:
        return start + struct.pack(">H", 0xC000 | chance.choice(places))
    return start + b"\0"


def data(chance: random.Random, rr_type: int, places: list[int]) -> bytes:
    """The data of a record by the RFC of its type: 1035, 2782, 3596, 4034, 6672, 9460."""

    def some(least: int, most: int) -> bytes:
        return chance.randbytes(chance.randint(least, most))

    def one() -> bytes:
        return name(chance, places)

    match rr_type:
        case 1:
            return some(4, 4)
        case 28:
            return some(16, 16)
        case 2 | 5 | 12 | 39:
            return one()
        case 6:
            return one() + one() + some(20, 20)
        case 15:
            return some(2, 2) + one()
        case 16:
            strings = [some(0, 20) for _ in range(chance.randint(1, 4))]
            return b"".join(bytes([len(text)]) + text for text in strings)
        case 33:
            return some(6, 6) + one()
        case 46:
            return some(18, 18) + one() + some(1, 9)
        case 47:
            return one() + b"\0\1\x40"
        case 64 | 65:
            return some(2, 2) + one() + b"\0\1\0\3\2h2"
        case _:
            return some(5, 30)


TYPES = (1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 43, 46, 47, 48, 64, 65)


def made_by(chance: random.Random) -> bytes:
    """A good message of common records, most with compressed names."""
    wire = bytearray(12)
    places: list[int] = []
    counts = [chance.choice([0, 1, 1, 1, 2]), *(chance.randrange(4) for _ in range(3))]
    edns = chance.choice([0, 0, 1, 1, 2])
    for section, count in enumerate(counts):
        for _ in range(count):
            at = len(wire)
            wire += name(chance, places)
            rr_type = chance.choice(TYPES)
            wire += struct.pack(">HH", rr_type, chance.choice([1, 1, 0x8001, 3]))
            places.append(at)
            if section > 0:
                rdata = data(chance, rr_type, places)
                wire += struct.pack(">IH", chance.getrandbits(32), len(rdata)) + rdata
    for _ in range(edns):
        wire += opt(ttl=chance.getrandbits(32))[:-2] + chance.choice([b"\0\0", b"\0\6\0\x0a\0\2ab"])
    counts[3] += edns
    wire[:12] = struct.pack(">6H", chance.getrandbits(16), chance.getrandbits(16), *counts)
    return bytes(wire)


def damaged(wire: bytes, chance: random.Random) -> bytes:
    """Bytes changed or cut off."""
    changed = bytearray(wire)
    for _ in range(chance.randrange(1, 4)):
        changed[chance.randrange(4, len(wire))] = chance.choice(
            [0, 1, 4, 12, 63, 64, 0xC0, 0xFF, chance.randrange(256)]
        )
    end = chance.choice([len(wire), len(wire), chance.randrange(12, len(wire) + 1)])
    return bytes(changed[:end])


@given(st.integers(0, 2**64), st.binary(max_size=20))
def test_good_messages(seed: int, after: bytes) -> None:
    wire = made_by(random.Random(seed))
    if pldns.ldns(wire).is_ok():  # else chance made a name longer than 255 bytes
        assert is_as_ldns_has_it(wire)
        assert content(pldns.ldns(wire + after)) == content(pldns.ldns(wire))


@pytest.mark.parametrize("seed", range(20))
def test_damaged_messages(seed: int) -> None:
    chance = random.Random(seed)
    good = sum(is_as_ldns_has_it(damaged(made_by(chance), chance)) for _ in range(200))
    assert 20 < good < 180


class Subclass(pldns.ldns):
    """A type of its own, whose objects are not made in memory of others."""


def said(msg: pldns.ldns) -> object:
    return content(msg) if msg.is_ok() else msg.status


def test_objects_made_after_others_have_nothing_of_them() -> None:
    """Messages and records are dropped in any order; those that stay, and new ones, are right."""
    chance = random.Random(1)
    wires = [made_by(chance) for _ in range(30)]
    wires += [marked(wire) for wire in wires] + [wire[:20] for wire in wires] + [b"", wires[0] * 40]
    expected = [said(pldns.ldns(wire)) for wire in wires]
    alive: list[tuple[int, pldns.ldns, list[pldns.ldnsrr]]] = []
    for _ in range(3000):
        number = chance.randrange(len(wires))
        msg = chance.choice([pldns.ldns, pldns.ldns, Subclass])(wires[number])
        alive.append((number, msg, msg.addit_rr_list if msg.is_ok() else []))
        if len(alive) > 40:
            del alive[chance.randrange(len(alive)) :]
        if alive:
            number, msg, records = chance.choice(alive)
            assert said(msg) == expected[number]
            texts = [tuple(getattr(rr, name) for name in RECORD) for rr in records]
            assert texts == (content(msg)[-1] if msg.is_ok() else [])


def test_a_message_of_a_keyword_and_of_wrong_arguments() -> None:
    assert pldns.ldns(payload=CONTENT).ident == 7
    for arguments, keywords in [
        ((), {}),
        ((CONTENT, 1), {}),
        ((), {"wire": CONTENT}),
        ((CONTENT,), {"payload": CONTENT}),
        ((CONTENT,), {"wire": CONTENT}),
    ]:
        with pytest.raises(TypeError):
            pldns.ldns(*arguments, **keywords)


def question(owner: bytes) -> bytes:
    return struct.pack(">6H", 7, 0, 1, 0, 0, 0) + owner + b"\0\1\0\1"


def answer(owner: bytes) -> bytes:
    record = owner + struct.pack(">HHIH", 1, 1, 300, 4) + b"\xc0\0\2\1"
    return struct.pack(">6H", 7, 0, 1, 1, 0, 0) + wire_name("a.test") + b"\0\1\0\1" + record


@pytest.mark.parametrize(
    "wire",
    [
        question(b"\xc0\x0c"),  # a pointer to itself
        question(b"\1a\xc0\x0c"),  # to its own start
        question(b"\xc0\x0e\xc0\x0c"),  # to each other
        question(b"\xc0\0"),  # to the header
        question(b"\xc0\4"),
        question(b"\x40a\0"),  # a kind of label that there is not
        question(b"\x3f" + b"a" * 63 + b"\0"),
        question((b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"),  # 255 bytes
        question((b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0"),  # 256
        answer(b"\xc0\x0c"),
        answer(b"\1b\xc0\x0e"),
        answer(b"\xc0\x18"),  # to itself
        answer(b"\xc0\x1a"),  # forward
        answer(b"\xff\xff"),
        answer((b"\x3f" + b"a" * 63) * 3 + b"\x34" + b"a" * 52 + b"\xc0\x0c"),  # 253 with a.test
        answer((b"\x3f" + b"a" * 63) * 3 + b"\x37" + b"a" * 55 + b"\xc0\x0c"),  # 256
    ],
)
def test_odd_names(wire: bytes) -> None:
    is_as_ldns_has_it(wire)
    for end in range(12, len(wire)):
        assert not pldns.ldns(wire[:end]).is_ok()


def test_a_first_name_that_points_into_itself() -> None:
    """To ldns it is a good one: a label that ends with a label and a root."""
    header = struct.pack(">6H", 7, 0, 1, 8, 0, 0)
    name = b"\4\1a\0z\xc0\x0d"  # the pointer leads to the second byte
    record = b"\xc0\x0c" + struct.pack(">HHI", 1, 1, 300) + b"\0\4\xc0\0\2\1"
    is_as_ldns_has_it(header + name + b"\0\1\0\1" + record * 8)


def test_lengths_of_names() -> None:
    """RFC 1035 section 2.3.4: at most 255 bytes, the lengths and the root's counted in."""
    labels = (b"\x3f" + b"a" * 63) * 3
    assert pldns.ldns(question(labels + b"\x3d" + b"a" * 61 + b"\0")).is_ok()
    assert not pldns.ldns(question(labels + b"\x3e" + b"a" * 62 + b"\0")).is_ok()
    assert pldns.ldns(answer(labels + b"\x36" + b"a" * 54 + b"\xc0\x0c")).is_ok()
    assert not pldns.ldns(answer(labels + b"\x37" + b"a" * 55 + b"\xc0\x0c")).is_ok()


# --- Messages of traces


def wires(path: Path) -> Iterator[bytes]:
    """Of UDP and TCP, from or to the ports of DNS, mDNS and LLMNR; also what is no DNS."""
    try:
        with plt.trace(path) as trace:
            for packet in trace:
                header = packet.udp or packet.tcp
                payload = packet.udp_payload or packet.tcp_payload
                if payload and {header.src_port, header.dst_port} & {53, 5353, 5355, 137}:
                    yield bytes(payload)
    except (plt.LibtraceError, ValueError):
        return


def test_messages_of_the_corpus(corpus: Path) -> None:
    good = 0
    for path in sorted((corpus / "traces").glob("*.pcap*")):
        for _, wire in zip(range(300), wires(path), strict=False):
            good += is_as_ldns_has_it(wire)
    assert good > 500


# --- Text of names


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=6), st.binary(max_size=12))
def test_names_in_columns_are_printed_by_rfc_1035(
    tmp_path_factory: pytest.TempPathFactory, labels: list[bytes], after: bytes
) -> None:
    owner = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    wire = question(owner) + after
    pytest.importorskip("numpy")
    path = write(tmp_path_factory.mktemp("trace") / "a.pcap", pcap([sent(udp(wire))]))
    table = pldns.columns(path, ["qname", "qtype"], ports=range(65536)).table()
    if len(owner) > 255:
        assert table.mask("qname").tolist() == table.mask("qtype").tolist() == [True]
        return
    # section 5.1: a backslash before what has a meaning in master files, \DDD for the rest
    text = "".join(
        "".join(
            f"\\{chr(byte)}"
            if byte in b".;()\\"
            else chr(byte)
            if 0x20 < byte < 0x7F
            else f"\\{byte:03}"
            for byte in label
        )
        + "."
        for label in labels
    )
    assert table["qname"].tolist() == [text or "."]
    msg = pldns.ldns(wire)
    assert msg.question == [text or "."]
    assert msg.query_rr_list[0].owner == (text or ".")


# --- Packets


FIELDS = (
    "version",
    "proto",
    "src",
    "dst",
    "src_port",
    "dst_port",
    "length",
    "id",
    "qname",
    "qtype",
)


def odd_packets(chance: random.Random) -> Iterator[Record]:
    """Packets that are Ethernet, IP and UDP in the plainest way, and that are nearly so."""
    datagram = udp(CONTENT, ports=(CLIENT, 53))
    yield from (query(), response())
    for length in (None, 0, 20, 27, 28, 40, 60, 65535):
        yield Record(ethernet(ipv4(datagram, length=length)))
    for fragment in (0x4000, 0x2000, 1, 0x8000):
        yield Record(ethernet(ipv4(datagram, fragment=fragment)))
    yield Record(ethernet(ipv4(datagram, options=b"\1\1\1\1")))
    yield Record(ethernet(ipv6(datagram), 0x86DD))
    yield Record(ethernet(b"\0\5\x08\0" + ipv4(datagram), 0x8100))
    yield Record(ethernet(ipv4(datagram), 0x86DD))
    yield Record(ethernet(ipv4(datagram) + b"\0" * 18))
    for whole in (ethernet(ipv4(datagram)), ethernet(ipv6(datagram), 0x86DD)):
        for end in range(12, len(whole)):
            yield Record(whole[:end], wire=len(whole))
            yield Record(whole[:end], wire=end)
        for _ in range(400):
            changed = bytearray(whole)
            for _ in range(chance.randrange(1, 4)):
                changed[chance.randrange(12, 62)] = chance.choice([0, 6, 17, chance.randrange(256)])
            yield Record(bytes(changed))


@pytest.mark.parametrize("linktype", [made.ETH, made.RAW])
def test_packets_are_found_as_all_decoders_find_them(tmp_path: Path, linktype: int) -> None:
    """A condition has the layers found by all decoders first; without it they are not asked."""
    pytest.importorskip("numpy")
    records = list(odd_packets(random.Random(1)))
    if linktype == made.RAW:
        records = [Record(record.data[14:] or b"\x45", wire=record.wire) for record in records]
    path = write(tmp_path / "a.pcap", pcap(records, dlt=linktype))
    tables = [
        pldns.columns(path, FIELDS, filter=condition, ports=range(65536)).table()
        for condition in (None, plt.where("udp or tcp"))
    ]
    first, second = ([table[name].tolist() for name in FIELDS] for table in tables)
    assert first == second
    assert len(tables[0]) > 500


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("batch", [1, 64, 100, 1 << 16])
def test_rows_at_the_ends_of_batches(tmp_path: Path, count: int, batch: int) -> None:
    pytest.importorskip("numpy")
    path = write(
        tmp_path / "a.pcap", pcap([query(ident=n, name=f"n{n}.test") for n in range(count)])
    )
    rows = [
        row
        for part in pldns.columns(path, ["id", "qname", "edns_do"], batch=batch)
        for row in zip(
            part["id"].tolist(), part["qname"].tolist(), part.mask("edns_do").tolist(), strict=True
        )
    ]
    assert rows == [(n, f"n{n}.test.", True) for n in range(count)]
