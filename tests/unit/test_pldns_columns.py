"""pldns.columns(): traces put together here; what must come out is told by how they were made."""

import random
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import packets as made
import pytest
from dns_messages import (
    AAAA,
    CLIENT,
    MILLISECOND,
    A,
    framed,
    message,
    opt,
    query,
    response,
    segment,
    sent,
    wire_name,
)
from packets import EPOCH, V4, V6, Record, ethernet, ipv4, ipv6, pcap, tcp, udp, write

import pldns
import plt

np = pytest.importorskip("numpy")


@pytest.fixture
def trace(tmp_path: Path) -> Any:
    """Makes a pcap file of records, and gives its path."""
    made_so_far = iter(range(1000))

    def make(*records: Record, **kwargs: Any) -> Path:
        return write(tmp_path / f"{next(made_so_far)}.pcap", pcap(records, **kwargs))

    return make


def rows(path: Path, fields: Sequence[str], **kwargs: Any) -> list[tuple[Any, ...]]:
    """The rows of a table, None for what is missing."""
    table = pldns.columns(path, fields, **kwargs).table()
    columns: list[Iterable[Any]] = []
    for name in fields:
        values = table[name]
        plain = values.view("int64") if values.dtype.kind in "mM" else values
        pairs = zip(plain.tolist(), table.mask(name).tolist(), strict=True)
        columns.append([None if missing else value for value, missing in pairs])
    return list(zip(*columns, strict=True))


def column(path: Path, field: str, **kwargs: Any) -> list[Any]:
    return [row[0] for row in rows(path, [field], **kwargs)]


# --- Values ----------------------------------------------------------------------------------


def test_import_needs_no_plt() -> None:
    code = "import pldns, sys; assert 'plt' not in sys.modules; pldns.column_fields()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_header_and_question(trace: Any) -> None:
    path = trace(
        query(0, "A.b.test", ident=0x1234, flags=0x2930, qtype=AAAA, counts=(1, 2, 3)),
        response(0.25, flags=0x8680 | 3, counts=(0, 0, 0)),
    )
    header = ["id", "qr", "opcode", "aa", "tc", "rd", "ra", "ad", "cd", "rcode"]
    assert rows(path, header) == [
        (0x1234, False, 5, False, False, True, False, True, True, 0),
        (7, True, 0, True, True, False, True, False, False, 3),
    ]
    counts = ["qdcount", "ancount", "nscount", "arcount"]
    assert rows(path, counts) == [(1, 1, 2, 3), (1, 0, 0, 0)]
    assert rows(path, ["qname", "qtype", "qclass", "length"]) == [
        ("A.b.test.", AAAA, 1, 12 + 10 + 4),
        ("www.example.test.", A, 1, 12 + 18 + 4),
    ]
    assert rows(path, ["src_port", "dst_port", "version", "proto"]) == [
        (CLIENT, 53, 4, 17),
        (53, CLIENT, 4, 17),
    ]
    start = EPOCH * 1000 * MILLISECOND
    assert column(path, "time") == [start, start + 250 * MILLISECOND]
    table = pldns.columns(path, ["src_prefix", "dst"]).table()
    assert bytes(table["src_prefix"][0]) == bytes([192, 0, 2, 1]) + bytes(12)
    assert bytes(table["dst"][0]) == bytes([198, 51, 100, 2]) + bytes(12)


def test_the_bit_of_mdns_in_a_question_s_class(trace: Any) -> None:
    # RFC 6762 section 5.4: the top bit wants a unicast response
    wanting = struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + b"\1a\5local\0\0\1\x80\1"
    path = trace(Record(ethernet(ipv4(udp(wanting, ports=(5353, 5353))))), query(1, "a.local"))
    fields = ["qclass", "unicast_response"]
    assert rows(path, fields, ports=[53, 5353]) == [(0x8001, True), (1, False)]


def test_ip6(trace: Any) -> None:
    path = trace(Record(ethernet(ipv6(udp(message())), 0x86DD)))
    table = pldns.columns(path).table()
    assert table["version"].tolist() == [6]
    assert bytes(table["dst_prefix"][0]) == made.ip_address(V6[1]).packed
    assert table["qname"].tolist() == ["www.example.test."]


def test_every_column_has_a_sentence_and_a_name_of_its_own() -> None:
    fields = pldns.column_fields()
    assert all(doc.endswith(".") for doc in fields.values())
    for alias, name in (("ident", "id"), ("is_response", "qr"), ("src", "src_prefix")):
        assert {alias, name} <= set(fields)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"a.b", r"a\.b."),
        (b"\\", "\\\\."),
        (b"\0\x1f \x7f\xff", r"\000\031\032\127\255."),
        (b"x;(y)", r"x\;\(y\)."),
        (b'"$@*_-', '"$@*_-.'),
    ],
)
def test_names_are_escaped(trace: Any, label: bytes, text: str) -> None:
    """RFC 1035 section 5.1, as ldns does."""
    wire = message(label.decode("latin1").replace(".", "?")).replace(b"?", b".")
    path = trace(sent(udp(wire)))
    assert column(path, "qname") == [text]
    assert pldns.ldns(wire).question == [text]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (b"\0", "."),
        (b"\x01a\xc0\x14\0\1\0\1\1b\0", "a.b."),  # the target lies behind the question
        (b"\xc0\x0c", None),  # points to itself
        (b"\x01a\xc0\x0c", None),  # in a circle
        (b"\xc0\xff", None),  # out of the message
        (b"\x40a\0", None),  # a kind of label that is none
        (b"\x05ab", None),
        (b"\x3f" + b"x" * 63, None),
        (
            (b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"y" * 61 + b"\0",
            ("x" * 63 + ".") * 3 + "y" * 61 + ".",
        ),
        ((b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"y" * 62 + b"\0", None),  # 256 bytes
        (b"\x01a\xc0\x14\0\1\0\1\x05ab", None),  # the target is cut
        # three labels by a pointer, and one more that makes it 255 bytes or 256
        (
            b"\xc0\x12\0\1\0\1" + (b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"y" * 61 + b"\0",
            ("x" * 63 + ".") * 3 + "y" * 61 + ".",
        ),
        (b"\xc0\x12\0\1\0\1" + (b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"y" * 62 + b"\0", None),
    ],
)
def test_odd_names(trace: Any, question: bytes, text: str | None) -> None:
    """RFC 1035 sections 2.3.4 and 4.1.4."""
    wire = struct.pack(">6H", 9, 0, 1, 0, 0, 0) + question
    if b"\0\1\0\1" not in question:
        wire += b"\0\1\0\1"
    path = trace(sent(udp(wire)))
    assert rows(path, ["id", "qname"]) == [(9, text)]
    status = column(path, "status")
    assert status == [pldns.ldns(wire).status]
    assert (status == [0]) == (text is not None)


def chance_name(chance: random.Random) -> bytes:
    """A name of labels of any size, most of them of letters alone."""
    odd = chance.random() < 0.3
    name = b""
    while chance.random() < 0.8:
        size = chance.choice([chance.randrange(1, 20), chance.randrange(1, 64)])
        letters = bytearray(chance.choices(b"abcxyzABCXYZ0189-_", k=size))
        if odd:
            letters[chance.randrange(size)] = chance.choice(
                [*b".;\\() ,-/~", 0, 1, 45, 0x7F, chance.randrange(256)]
            )
        if len(name) + 1 + size + 1 > 255:
            break
        name += bytes([size]) + letters
    return name + b"\0"


@pytest.mark.parametrize("seed", range(4))
def test_names_are_those_that_ldns_prints(trace: Any, seed: int) -> None:
    """Of all sizes, at the end of a message and before more: ldns prints a record's line."""
    chance = random.Random(seed)
    names = [bytes([n]) + b"n" * n + b"\0" for n in range(1, 64)]
    names += [chance_name(chance) for _ in range(2000)]
    wires = [struct.pack(">6H", 9, 0, 1, 0, 0, 0) + name + b"\0\1\0\1" for name in names]
    printed = [str(pldns.ldns(wire).query_rr_list[0]).split()[0] for wire in wires]
    assert len({len(name) for name in names}) > 200
    assert any("\\" in text for text in printed)
    assert column(trace(*(sent(udp(wire)) for wire in wires)), "qname") == printed
    longer = [wire + bytes(chance.randrange(30)) for wire in wires]
    assert column(trace(*(sent(udp(wire)) for wire in longer)), "qname") == printed


def test_edns(trace: Any) -> None:
    record = wire_name("a.test") + struct.pack(">HHIH", A, 1, 60, 4) + b"\1\2\3\4"
    path = trace(
        query(rest=opt(4096, 0x8000), counts=(0, 0, 1)),
        query(rest=record + opt(512, 0x01050000), counts=(0, 0, 2), flags=0x8009),
        query(rest=opt(), counts=(1, 0, 0)),  # an OPT among the answers is none
        query(rest=record[:-1], counts=(0, 0, 2)),
        query(rest=record * 2, counts=(2, 0, 0)),
        query(),
    )
    fields = ["edns_udp_size", "edns_do", "edns_version", "edns_rcode"]
    none = (None,) * 4
    assert rows(path, fields) == [
        (4096, True, 0, 0),
        (512, False, 5, 0x19),
        *[none] * 4,
    ]


def test_what_was_captured_is_what_there_is(trace: Any) -> None:
    whole = message(rest=opt(), counts=(0, 0, 1))
    frame = ethernet(ipv4(udp(whole)))
    before = len(frame) - len(whole)
    cuts = [before, before + 1, before + 2, before + 11, before + 12, before + 20, before + 34]
    cuts += [len(frame) - 1, len(frame)]
    path = trace(*(Record(frame[:cut], wire=len(frame)) for cut in cuts))
    fields = ["length", "id", "qname", "edns_udp_size"]
    n, name = len(whole), "www.example.test."
    assert rows(path, fields) == [
        (n, None, None, None),
        (n, None, None, None),
        (n, 7, None, None),
        (n, 7, None, None),
        (n, 7, None, None),
        (n, 7, None, None),
        (n, 7, name, None),
        (n, 7, name, None),
        (n, 7, name, 1232),
    ]
    assert [status == 0 for status in column(path, "status")] == [False] * 8 + [True]


def test_only_the_ports_that_are_asked_for(trace: Any) -> None:
    path = trace(
        *(
            sent(udp(message(ident=n), ports=ports))
            for n, ports in enumerate([(53, 9), (9, 53), (5353, 5353), (9, 10)])
        )
    )
    assert column(path, "id") == [0, 1]
    assert column(path, "id", ports=5353) == [2]
    assert column(path, "id", ports=[53, 5353]) == [0, 1, 2]
    assert column(path, "id", ports=range(65536)) == [0, 1, 2, 3]
    assert column(path, "id", ports=()) == []


def test_what_is_no_message_gives_no_row(trace: Any) -> None:
    path = trace(
        sent(udp(b"")),
        sent(udp(message())[:7]),
        sent(tcp(b"", ports=(9, 53)), proto=made.TCP),
        sent(made.icmp(8, payload=message()), proto=made.ICMP),
        Record(ethernet(b"", 0x0806)),
        Record(ethernet(ipv4(udp(message()), fragment=5))),
    )
    assert len(pldns.columns(path).table()) == 0


# --- Responses and their queries -------------------------------------------------------------


def times(path: Path, **kwargs: Any) -> list[float | None]:
    """Response times in milliseconds."""
    found = column(path, "response_time", **kwargs)
    return [None if one is None else one / MILLISECOND for one in found]


def test_response_time(trace: Any) -> None:
    path = trace(query(1), response(1.025))
    assert times(path) == [None, 25]
    start = EPOCH * 1000 * MILLISECOND
    assert column(path, "query_time") == [None, start + 1000 * MILLISECOND]
    table = pldns.columns(path).table()
    assert table["response_time"].dtype == "timedelta64[ns]"


def test_a_query_sent_again_counts_from_the_first(trace: Any) -> None:
    """RFC 8618 section 10: the earliest that waits; each query has one response."""
    path = trace(query(0), query(2), response(2.5), response(2.75), response(2.875))
    assert times(path) == [None, None, 2500, 750, None]


def test_queries_of_one_id_are_told_apart_by_their_questions(trace: Any) -> None:
    path = trace(
        query(0, "a.test"),
        query(1, "B.Test"),
        query(2, "b.test", qtype=AAAA),
        response(3, "b.test"),
        response(3, "c.test"),
        response(3, "b.test", qtype=AAAA),
        response(3, None),  # a response without question is of any
    )
    assert times(path)[3:] == [2000, None, 1000, 3000]


@pytest.mark.parametrize(
    "other",
    [
        sent(udp(message(ident=8, flags=0x8000), ports=(53, CLIENT)), 1, V4[1], V4[0]),
        sent(udp(message(flags=0x8000), ports=(53, CLIENT + 1)), 1, V4[1], V4[0]),
        sent(udp(message(flags=0x8000), ports=(53, CLIENT)), 1, V4[1], "192.0.2.9"),
        sent(udp(message(flags=0x8000), ports=(53, CLIENT)), 1, "192.0.2.9", V4[0]),
        sent(udp(message(flags=0x8000), ports=(CLIENT, 53)), 1),  # not the other way round
        sent(tcp(framed(message(flags=0x8000)), ports=(53, CLIENT)), 1, V4[1], V4[0], made.TCP),
    ],
    ids=["id", "port", "client", "server", "direction", "protocol"],
)
def test_only_the_right_response_matches(trace: Any, other: Record) -> None:
    assert times(trace(query(0), other, response(2))) == [None, None, 2000]


def test_timeout(trace: Any) -> None:
    path = trace(query(0), response(10), query(20), response(30.000001))
    assert times(path) == [None, 10_000, None, None]
    assert times(path, timeout=11) == [None, 10_000, None, 10_000.001]
    assert times(path, timeout=9.5) == [None] * 4


def test_a_clock_that_steps_back(trace: Any) -> None:
    assert times(trace(query(5), response(4))) == [None, -1000]
    assert times(trace(query(50), response(4))) == [None, None]


def test_matching_goes_on_over_batches_and_sources(trace: Any) -> None:
    records = [query(n / 8, f"n{n}.test", ident=n) for n in range(40)]
    records += [response(5 + n / 8, f"n{n}.test", ident=n) for n in range(40)]
    expected = [None] * 40 + [5000.0] * 40
    assert times(trace(*records)) == expected
    assert times(trace(*records), batch=7) == expected
    files = [trace(*records[:30]), trace(*records[30:])]
    assert times(files) == expected  # type: ignore[arg-type]


def test_a_query_without_a_question_waits_for_any_response(trace: Any) -> None:
    assert times(trace(query(0, None), response(1), response(2))) == [None, 1000, None]


def test_a_new_query_after_others_were_answered(trace: Any) -> None:
    """As many wait as there is room for at first; one is answered, and another asked."""
    asked = [query(0, ident=n) for n in range(256)]
    path = trace(*asked, response(1, ident=5), query(2, ident=999), response(3, ident=999))
    assert times(path) == [None] * 256 + [1000, None, 1000]
    answers = [response(4, ident=n) for n in range(256)]
    found = times(trace(*asked, response(1, ident=5), query(2, ident=999), *answers))[258:]
    assert found == [4000] * 5 + [None] + [4000] * 250


def test_a_time_that_nanoseconds_do_not_hold_is_missing(tmp_path: Path) -> None:
    """Of 64 bits, since 1970: from 1677 to 2262.  The file has whole seconds."""
    whole_seconds = made.option(9, b"\0")
    early = made.option(14, struct.pack("<q", -(2**63) // 10**9 - 1))  # if_tsoffset
    content = made.section() + made.interface(options=whole_seconds + early)
    content += made.enhanced(query().data)
    assert column(write(tmp_path / "early.pcapng", content), "time") == [None]
    content = made.section() + made.interface(options=whole_seconds)
    seconds = [2**63 // 10**9 - 1, 2**63 // 10**9 + 1]
    for at in seconds:
        content += made.enhanced(query().data, at) + made.enhanced(response().data, at)
    path = write(tmp_path / "late.pcapng", content)
    fields = ["time", "response_time", "id"]
    last = seconds[0] * 10**9
    expected = [(last, None, 7), (last, 0, 7), (None, None, 7), (None, None, 7)]
    assert rows(path, fields) == expected
    names = ["time", "query_time"]
    assert pldns.columns([path] * 2, names, workers=2).table().mask("query_time").tolist() == [
        *[True, False, True, True] * 2
    ]


def test_many_queries_alike_do_not_pile_up(trace: Any) -> None:
    """16 with the same ends and id are remembered: the last; and quickly so."""
    path = trace(*(query(n / 10_000) for n in range(50_000)), *[response(5)] * 17)
    assert times(path, timeout=60)[50_000:] == [pytest.approx((16 - n) / 10) for n in range(16)] + [
        None
    ]


def test_the_table_of_queries_grows_and_forgets(trace: Any) -> None:
    count = 3000
    asked = [query(n / 100, ident=n) for n in range(count)]
    answered = [response(30, ident=n) for n in range(count)]
    found = times(trace(*asked, *answered), timeout=1000)[count:]
    assert found == [pytest.approx(30_000 - n * 10) for n in range(count)]
    late = times(trace(*asked, *answered), timeout=10)[count:]
    assert late == [None] * 2000 + [pytest.approx(10_000 - n * 10) for n in range(1000)]


# --- TCP -------------------------------------------------------------------------------------

MESSAGES = [message(f"name{n}.test", ident=n, rest=b"x" * (n * 37 % 300)) for n in range(40)]
IDS = list(range(40))
SYN = segment(b"", 0, flags=0x02)


def test_several_messages_in_a_segment(trace: Any) -> None:
    path = trace(segment(framed(*MESSAGES[:5])))
    assert rows(path, ["id", "length", "proto"]) == [(n, len(MESSAGES[n]), 6) for n in range(5)]
    assert column(path, "id", batch=2) == IDS[:5]
    assert column(path, "id", limit=3) == IDS[:3]


@pytest.mark.parametrize("read", [2, 6])
def test_a_trace_that_is_lent_goes_on_after_the_last_packet_that_was_read(
    trace: Any, read: int
) -> None:
    """Packet 1 has five messages: 2 rows are read of it alone, 6 of it and of the next."""
    packets = [segment(framed(*MESSAGES[:5])), *(query(n, ident=90 + n) for n in range(80))]
    for way in ({"limit": read}, {"batch": read}):
        with plt.trace(trace(*packets)) as source:
            columns = pldns.columns(source, "id", **way)
            batch = next(iter(columns))
            assert batch["id"].tolist() == [*range(5), 90][:read]
            columns.close()
            left = [packet.udp.payload.data for packet in source]
            first = 90 if read == 2 else 91
            assert [int.from_bytes(bytes(data)[:2]) for data in left] == [*range(first, 170)]


def test_a_trace_that_is_lent_for_many_rows_is_read_by_blocks(trace: Any) -> None:
    path = trace(*(query(n, ident=n) for n in range(300)))
    with plt.trace(path) as source:
        assert pldns.columns(source, "id", batch=1 << 24).table()["id"].tolist() == [*range(300)]
        assert list(source) == []


def test_records_around_a_block_are_all_read(trace: Any) -> None:
    """63 to 129 packets, and batches that end within what is read at once."""
    for count in (63, 64, 65, 128, 129):
        path = trace(*(query(n, ident=n) for n in range(count)))
        for batch in (1, 63, 64, 65, 1000):
            assert column(path, "id", batch=batch) == list(range(count))
            found = [n for part in pldns.columns(path, "id", batch=batch) for n in part["id"]]
            assert found == list(range(count))


def test_a_message_longer_than_a_segment_has_a_row_where_it_begins(trace: Any) -> None:
    long = message("long.test", ident=99, flags=0x8000, rest=b"y" * 900)
    stream = framed(long, MESSAGES[0])
    path = trace(*(segment(stream[at : at + 300], 1 + at) for at in range(0, len(stream), 300)))
    assert rows(path, ["id", "length", "qname"]) == [
        (99, len(long), "long.test."),
        (0, len(MESSAGES[0]), "name0.test."),
    ]
    # no start, no third segment: known again from the one that begins with a message
    path = trace(
        segment(stream[300:600], 301),
        segment(stream[900:], 901),
        segment(framed(*MESSAGES[:2]), 5000),
    )
    assert column(path, "id") == [0, 1]


@pytest.mark.parametrize(
    ("flags", "questions", "rr_class", "begins"),
    [
        (0x0100, 1, 1, True),
        (0x0100, 1, 3, True),
        (0x0100, 1, 4, True),
        (0x0100, 1, 255, True),
        (0x0100, 1, 0, False),
        (0x0100, 1, 2, False),
        (0x0100, 1, 254, False),
        (0x0100, 1, 0x8001, False),
        (0x0100 | 6 << 11, 1, 1, True),
        (0x0100 | 7 << 11, 1, 1, False),
        (0x0140, 1, 1, False),
        (0x0100, 2, 1, False),
        (0x0100, 0, 1, False),
    ],
)
def test_a_message_that_a_connection_without_a_start_is_known_by(
    trace: Any, flags: int, questions: int, rr_class: int, begins: bool
) -> None:
    """Longer than its segment, it has one question, of a class and opcode that there are, and the
    bit that is to be zero (RFC 1035 sections 3.2.4, 4.1.1; RFC 8490)."""
    long = struct.pack(">6H", 7, flags, questions, 0, 0, 0) + wire_name("long.test")
    long += struct.pack(">HH", A, rr_class) + bytes(900)
    path = trace(segment(framed(long)[:300], 5000))
    assert column(path, "id") == [7] * begins


def test_a_message_of_no_bytes_at_the_end_of_a_segment(trace: Any) -> None:
    """A length that is the last of a segment: of 0 there is no more, else the bytes come next."""
    none, one = framed(b""), framed(MESSAGES[1])
    first = len(framed(MESSAGES[0]))
    path = trace(
        SYN,
        segment(framed(MESSAGES[0]) + none, 1),
        segment(one[:2], 1 + first + 2),
        segment(one[2:], 1 + first + 4),
    )
    expected = [(0, len(MESSAGES[0])), (None, 0), (1, len(MESSAGES[1]))]
    assert rows(path, ["id", "length"]) == expected
    assert rows(path, ["id", "length"], reassemble=True) == expected


def test_data_in_the_segment_that_opens_a_connection(trace: Any) -> None:
    """RFC 7413: the data follows the number of the SYN itself."""
    stream = framed(*MESSAGES[:3])
    records = [segment(stream[:50], 99, flags=0x02), segment(stream[50:], 150)]
    assert column(trace(*records), "id") == [0, 1, 2]
    both = [trace(query(ident=9)), trace(*records)]
    assert column(both, "id", workers=2) == [9, 0, 1, 2]  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_streams_cut_anywhere_have_each_message_once(trace: Any, seed: int) -> None:
    """Segments of any size, some sent again, in part or whole."""
    chance = random.Random(seed)
    stream, start, at = framed(*MESSAGES), chance.getrandbits(32), 0
    records = [segment(b"", start - 1 & 0xFFFFFFFF, flags=0x02)]
    while at < len(stream):
        size = chance.choice([1, 2, 3, chance.randrange(1, 50), chance.randrange(1, 1400)])
        again = min(at, chance.choice([0, 0, 0, 5, 400]))
        data = stream[at - again : at + size]
        records.append(segment(data, start + at - again & 0xFFFFFFFF))
        if chance.random() < 0.2:
            records.append(records[-1])
        at += size
    path = trace(*records)
    assert column(path, "length") == [len(one) for one in MESSAGES]
    known = [one for one in column(path, "id") if one is not None]
    assert len(known) >= 10
    assert known == [n for n in IDS if n in known]


def test_segments_lost_inside_a_message_lose_no_other(trace: Any) -> None:
    stream = framed(message(rest=b"z" * 1000), MESSAGES[3])
    path = trace(SYN, segment(stream[:100], 1), segment(stream[900:], 901))
    assert column(path, "id") == [7, 3]


def test_snapped_segments(trace: Any) -> None:
    """Where the prefix of a message was not captured, its stream begins anew."""
    frame = ethernet(ipv4(tcp(framed(*MESSAGES[:3]), ports=(CLIENT, 53), seq=1), made.TCP))
    size = len(framed(*MESSAGES[:3]))
    cut = len(frame) - len(MESSAGES[2]) - len(MESSAGES[1]) - 2  # behind the second's prefix
    path = trace(SYN, Record(frame[:cut], wire=len(frame)), segment(framed(MESSAGES[4]), 1 + size))
    assert column(path, "id") == [0, None, 4]
    assert column(path, "length") == [len(MESSAGES[n]) for n in (0, 1, 4)]


def test_ports_used_again(trace: Any) -> None:
    one, other = framed(MESSAGES[1]), framed(MESSAGES[2])
    path = trace(
        SYN, segment(one[:20], 1), segment(b"", 70_000, flags=0x02), segment(other, 70_001)
    )
    assert column(path, "id") == [1, 2]


@pytest.mark.parametrize(("others", "ids"), [(65_535, [1, 2]), (65_536, [1])])
def test_of_many_streams_the_one_seen_longest_ago_is_forgotten(
    trace: Any, others: int, ids: list[int]
) -> None:
    """65,536 are remembered: of one that is not, a segment within a message tells nothing."""
    stream = framed(message(ident=1, rest=b"y" * 900), message(ident=2))
    opening = SYN.data  # of others by their source address
    between = [
        Record(opening[:26] + struct.pack(">I", 0x0A000000 + n) + opening[30:])
        for n in range(others)
    ]
    path = trace(SYN, segment(stream[:300], 1), *between, segment(stream[300:], 301))
    assert column(path, "id") == ids


def test_padding_is_no_message(trace: Any) -> None:
    """Ethernet pads short frames: of TCP without data that is no payload."""
    frame = ethernet(ipv4(tcp(b"", ports=(CLIENT, 53)), made.TCP))
    assert len(pldns.columns(trace(Record(frame.ljust(60, b"\0")))).table()) == 0


# --- Use and bad input -----------------------------------------------------------------------


def test_tables_are_those_of_plt(trace: Any) -> None:
    path = trace(*(query(n, ident=n) for n in range(10)))
    columns = pldns.columns(path, "id", batch=4)
    assert isinstance(columns, plt.Columns)
    assert [len(batch) for batch in columns] == [4, 4, 2]
    with plt.trace(path) as source:
        assert pldns.columns(source, ["id"], limit=2).table()["id"].tolist() == [0, 1]
    matching = pldns.columns(path, ["id"], filter="dst port 53 and less 1000").table()
    assert len(matching) == 10


def test_arrow(trace: Any) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    path = trace(query(0), response(0.5), sent(udp(b"??")))
    table = pyarrow.table(pldns.columns(path, ["qname", "qr", "response_time", "query_time"]))
    assert table.column("qname").to_pylist() == ["www.example.test."] * 2 + [None]
    assert table.column("qr").to_pylist() == [False, True, None]
    assert table.schema.field("response_time").type == pyarrow.duration("ns")
    assert table.column("response_time").null_count == 2


def test_an_error_comes_behind_what_was_read(tmp_path: Path) -> None:
    whole = pcap([query(n, ident=n) for n in range(5)])
    path = write(tmp_path / "cut.pcap", whole[:-3])
    with pytest.raises(plt.LibtraceError) as caught:
        pldns.columns(path, ["id"]).table()
    assert caught.value.table["id"].tolist() == [0, 1, 2, 3]  # type: ignore[attr-defined]
    parts = pldns.columns(path, ["id"])
    assert next(iter(parts))["id"].tolist() == [0, 1, 2, 3]
    with pytest.raises(plt.LibtraceError):
        next(iter(parts))


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"fields": ["qnam"]}, r"no column is named 'qnam'; near: qname.* \(pldns.column_fields"),
        ({"fields": ["id", "id"]}, "asked for twice"),
        ({"limit": -1}, "limit"),
        ({"batch": 0}, "at least one row"),
        ({"ports": [65536]}, "ports are 0 to 65535, not 65536"),
        ({"ports": -1}, "ports"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"source": []}, "no sources"),
    ],
)
def test_wrong_arguments(trace: Any, kwargs: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pldns.columns(**{"source": trace(), **kwargs})


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"ports": "53"}, "ports are an int or several, not '53'"),
        ({"ports": 53.0}, "ports are an int or several, not 53.0"),
        ({"ports": [53, None]}, "ports are an int or several"),
        ({"timeout": None}, "a timeout is a number of seconds, not None"),
        ({"timeout": "5"}, "a timeout is a number of seconds, not '5'"),
    ],
)
def test_arguments_of_a_wrong_type(trace: Any, kwargs: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        pldns.columns(trace(), **kwargs)


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(plt.LibtraceError):
        pldns.columns(tmp_path / "none.pcap")


def test_threads_share_columns(trace: Any) -> None:
    path = trace(*(query(n / 1000, ident=n) for n in range(20_000)))
    columns = pldns.columns(path, ["id"], batch=100)
    found: list[int] = []

    def work() -> None:
        for batch in columns:
            found.extend(batch["id"].tolist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(20_000))


@pytest.mark.parametrize("seed", range(10))
def test_mutated_messages_are_what_ldns_says(trace: Any, seed: int) -> None:
    """Bytes changed, cut and moved: the status is ldns's, and what it can read is the same."""
    chance = random.Random(seed)
    wires: list[bytes] = []
    for n in range(500):
        wire = bytearray(message(f"w{n}.a.test", rest=opt(ttl=0x8000), counts=(0, 0, 1)))
        wire += b"\xc0\x0c" * chance.randrange(3)
        for _ in range(chance.randrange(4)):
            wire[chance.randrange(len(wire))] = chance.choice(
                [0, 1, 0xC0, 0x0C, 0xFF, chance.randrange(256)]
            )
        wires.append(bytes(wire[: chance.choice([len(wire), chance.randrange(1, len(wire))])]))
    fields = ["id", "qr", "opcode", "rcode", "qname", "edns_udp_size", "edns_do", "status"]
    got = rows(trace(*(sent(udp(wire)) for wire in wires)), fields)
    assert len(got) == len(wires)
    good = 0
    for row, wire in zip(got, wires, strict=True):
        msg = pldns.ldns(wire)
        assert row[-1] == msg.status
        if msg.is_ok():
            good += 1
            first = msg.question[0] if msg.question else None
            head = (msg.ident, msg.is_response, msg.opcode, msg.rcode)
            assert row[:-1] == (*head, first, msg.edns_udp_size, msg.edns_do)
    assert 50 < good < 500


@pytest.mark.parametrize("seed", range(5))
def test_mutated_streams_do_not_crash(trace: Any, seed: int) -> None:
    """TCP with bytes changed anywhere, headers too: rows of TCP and UDP only, all with a status."""
    chance = random.Random(seed)
    records = []
    for n in range(400):
        data = bytearray(segment(framed(*MESSAGES[n % 30 : n % 30 + 3]), n * 5000 + 1).data)
        for _ in range(chance.randrange(6)):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        records.append(Record(bytes(data[: chance.randrange(14, len(data) + 1)]), wire=len(data)))
    table = pldns.columns(trace(*records), list(pldns.column_fields()), ports=range(65536)).table()
    assert len(table) > 50
    assert set(table["proto"].tolist()) <= {6, 17}
    assert not table.mask("status").any()
