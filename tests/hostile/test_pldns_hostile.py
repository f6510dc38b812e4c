"""pldns on bad input: a right value or a named exception; no crash, hang, leak or print."""

import contextlib
import gc
import re
import struct
import time

import pace
import pytest
from asan import by_size
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from resident import resident

import pldns

HEADER_INCOMPLETE = "header section incomplete"
SECTIONS = ("question", "answer", "authority", "additional")
MESSAGE = [name for name in dir(pldns.ldns) if not name.startswith("_")]
RECORD = [name for name in dir(pldns.ldnsrr) if not name.startswith("_")]
LISTS = ("query_rr_list", "response_rr_list", "auth_rr_list", "addit_rr_list")
OF_ANY_MESSAGE = {"is_ok", "errorstr", "status"}


def name(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner: bytes, rr_type: int, rdata: bytes, size: int | None = None) -> bytes:
    length = len(rdata) if size is None else size
    return owner + struct.pack(">HHIH", rr_type, 1, 300, length) + rdata


def header(*counts: int) -> bytes:
    return struct.pack(">HHHHHH", 7, 0x8180, *counts)


def exercise(wire: bytes) -> pldns.ldns:
    """Reads all of a message: values of the right types, or ValueError where it is not ok."""
    msg = pldns.ldns(wire)
    repr(msg)
    if not msg.is_ok():
        words = msg.errorstr(msg.status)
        for attribute in set(MESSAGE) - OF_ANY_MESSAGE:
            with pytest.raises(ValueError, match=re.escape(words)):
                getattr(msg, attribute)
        return msg
    for attribute in set(MESSAGE) - OF_ANY_MESSAGE - {"edns_options"}:
        getattr(msg, attribute)
    with contextlib.suppress(ValueError):  # an option may be cut short in a good message
        assert msg.edns_options is None or isinstance(msg.edns_options, list)
    records = [rr for section in LISTS for rr in getattr(msg, section)]
    for rr in [*records, *([msg.tsig] if msg.tsig else [])]:
        assert isinstance(rr.ttl, int)
        assert 0 <= rr.type < 65536
        assert 0 <= rr.rr_class < 65536
        assert rr.owner.endswith(".")
        assert rr.owner.isascii()
        assert rr.str.startswith(rr.owner + "\t")
        assert "\n" not in rr.str
        assert isinstance(rr.rdata, str)
        assert all(isinstance(field, str) for field in rr.rdata_fields)
        assert repr(rr).startswith("<pldns.ldnsrr ")
    return msg


# One message with many kinds of record; PARTS are the ends of its sections.
OWNER = name(b"www", b"example", b"test")
QUESTION = OWNER + struct.pack(">HH", 255, 1)
POINTER = b"\xc0\x0c"
ANSWERS = [
    record(POINTER, 1, b"\xc0\0\2\1"),
    record(POINTER, 5, b"\3two" + POINTER),
    record(POINTER, 6, POINTER + POINTER + struct.pack(">IIIII", 1, 2, 3, 4, 5)),
    record(POINTER, 15, b"\0\x0a" + POINTER),
    record(POINTER, 16, b"\2hi\0"),
    record(POINTER, 28, b"\x20\1" + b"\0" * 14),
    record(POINTER, 46, struct.pack(">HBBIIIH", 1, 8, 2, 3, 1, 2, 9) + name(b"test") + b"sig"),
    record(POINTER, 48, b"\1\1\3\x08\3\1\0\1key"),
    record(POINTER, 65, b"\0\1\0" + b"\0\1\0\3\2h2" + b"\0\4\0\4\xc0\0\2\1"),
    record(POINTER, 42, b"\0\1\x18\3\xc0\0\2"),
    record(POINTER, 29, b"\0\x12\x16\x13" + struct.pack(">III", 2**31 + 1, 2**31 - 1, 10**7)),
    record(POINTER, 55, b"\2\2\0\3hikey\3rvs\0"),
    record(POINTER, 45, b"\1\3\2" + name(b"gw") + b"key"),
]
AUTHORITIES = [
    record(POINTER, 2, b"\2ns" + POINTER),
    record(POINTER, 47, name(b"next") + b"\0\1\x40"),
    record(POINTER, 50, b"\1\0\0\1\2\xab\xcd\4\1\2\3\4\0\1\x40"),
]
TSIG = record(name(b"key"), 250, name(b"hmac") + b"\0" * 6 + b"\0\1\0\2ab" + b"\0\7\0\0\0\0")
ADDITIONALS = [
    record(POINTER, 1, b"\1\2\3\4"),
    record(b"\0", 41, b"\0\x0a\0\2ab"),
    TSIG,
]
PARTS = [b"".join(part) for part in ([QUESTION], ANSWERS, AUTHORITIES, ADDITIONALS)]
WIRE = header(1, len(ANSWERS), len(AUTHORITIES), len(ADDITIONALS)) + b"".join(PARTS)


def test_the_whole_message_is_ok() -> None:
    msg = exercise(WIRE)
    assert msg.is_ok()
    assert [len(getattr(msg, section)) for section in LISTS] == [1, 13, 3, 1]


def test_cut_at_every_byte() -> None:
    ends = [12]
    for part in PARTS:
        ends.append(ends[-1] + len(part))
    for cut in range(len(WIRE)):
        msg = exercise(WIRE[:cut])
        assert not msg.is_ok(), cut
        words = msg.errorstr(msg.status)
        if cut < 12:
            assert words == HEADER_INCOMPLETE
        else:
            section = SECTIONS[sum(cut >= end for end in ends) - 1]
            assert words in (f"{section} section incomplete", "Label length overflow"), (cut, words)
        with pytest.raises(ValueError, match="no ident"):
            _ = msg.ident


@pytest.mark.parametrize("offset", range(4, 12, 2))
def test_wrong_counts(offset: int) -> None:
    for count in (255, 65535):
        wrong = WIRE[:offset] + struct.pack(">H", count) + WIRE[offset + 2 :]
        assert exercise(wrong).is_ok() is False
    fewer = exercise(WIRE[:10] + b"\0\0" + WIRE[12:])
    assert fewer.is_ok()
    assert fewer.addit_rr_list == []


def test_65535_of_each_count_in_twelve_bytes() -> None:
    assert exercise(header(*[65535] * 4)).errorstr(47) == "question section incomplete"
    assert pldns.ldns(header(*[65535] * 4)).status == 47


@pytest.mark.parametrize(
    "owner",
    [
        b"\xc0\x0c",  # to itself
        b"\xc0\x0e\xc0\x0c",  # each to the other
        b"\1a\xc0\x0c",  # to its own start
        b"\xc0\0",  # to the header's start
        b"\xff\xff",  # past the end
        b"\xc0",  # half a pointer
        b"\x3f" + b"a" * 10,  # a label longer than what is left
        b"\x40" + b"a" * 64 + b"\0",  # no kind of label that there is
        b"\x80\0",
        b"",
    ],
)
def test_pointers_and_labels_that_lead_nowhere(owner: bytes) -> None:
    began = time.process_time()
    assert exercise(header(1, 0, 0, 0) + owner).is_ok() is False
    for rr_type in (2, 6, 15, 47, 55, 65):
        wire = header(0, 1, 0, 0) + record(b"\0", rr_type, b"\0\1" + owner)
        exercise(wire)
    assert pace.turns(time.process_time() - began) < 50


def test_a_long_chain_of_pointers_in_every_record_ends_soon() -> None:
    chain = b"".join(struct.pack(">H", 0xC000 | 23 + 2 * i) for i in range(8000))
    wire = header(0, 4000, 0, 0) + record(b"\0", 10, b"\0" + chain[:-2] + b"\0\0")
    wire += b"".join(record(b"\xc0\x18", 1, b"\1\2\3\4") for _ in range(3000))
    assert pace.effort(lambda: exercise(wire)) < 200


def test_names_over_255_bytes() -> None:
    longest = name(*[b"a" * 63] * 3, b"b" * 61)
    assert len(longest) == 255
    tail = struct.pack(">HH", 1, 1)
    msg = exercise(header(1, 0, 0, 0) + longest + tail)
    assert msg.question == [".".join(["a" * 63] * 3 + ["b" * 61]) + "."]
    for labels in ([b"a" * 63] * 3 + [b"b" * 62], [b"a"] * 128, [b"a" * 63] * 9):
        msg = exercise(header(1, 0, 0, 0) + name(*labels) + tail)
        assert msg.errorstr(msg.status) == "Domainname length overflow"
    # by pointers: every name one label longer than the one before
    wire = b"\1a\0" + tail
    for start in range(200):
        wire += b"\1a" + struct.pack(">H", 0xC000 | 12 + (0 if start == 0 else 7 + (start - 1) * 8))
        wire += tail
    assert exercise(header(201, 0, 0, 0) + wire).is_ok() is False
    assert exercise(header(100, 0, 0, 0) + wire).is_ok() is True


def test_labels_of_any_byte() -> None:
    # RFC 1035 section 5.1: a quoted character, or three decimal digits
    for byte in range(256):
        char = chr(byte)
        if char in ".;()\\":
            text = "\\" + char
        elif 33 <= byte < 127:
            text = char
        else:
            text = f"\\{byte:03d}"
        wire = header(1, 1, 0, 0) + name(bytes([byte])) + struct.pack(">HH", 1, 1)
        msg = exercise(wire + record(b"\xc0\x0c", 16, bytes([1, byte])))
        assert msg.question == [text + "."], byte


def test_strings_of_any_byte() -> None:
    msg = exercise(header(0, 1, 0, 0) + record(b"\0", 16, b"\xff" + bytes(range(255))))
    (field,) = msg.response_rr_list[0].rdata_fields
    assert field.startswith('"\\000\\001')
    assert field.endswith('\\253\\254"')
    assert field.isprintable() or "\t" in field


def test_every_type_with_junk() -> None:
    junk = [b"", b"\0", b"\xff", b"\0" * 40, b"\xff" * 40, bytes(range(80)), b"\xc0\x0c" * 9]
    for rr_type in [*range(300), 32768, 32769, 65280, 65535]:
        for rdata in junk:
            wire = header(0, 2, 0, 0) + record(b"\1x\0", rr_type, rdata)
            msg = exercise(wire + record(b"\0", 1, b"\1\2\3\4"))
            if msg.is_ok():
                assert msg.response_rr_list[1].rdata == "1.2.3.4", (rr_type, rdata)


def test_every_class() -> None:
    for rr_class in (0, 1, 2, 254, 255, 65535):
        wire = header(1, 0, 0, 0) + b"\0" + struct.pack(">HH", 1, rr_class)
        assert exercise(wire).query_rr_list[0].rr_class == rr_class


def test_fields_that_end_before_the_data_does() -> None:
    # RDLENGTH rules: the record's bytes are all shown, the next record is found
    wire = header(0, 2, 0, 0) + record(b"\0", 1, b"\1\2\3\4\5\6") + record(b"\0", 1, b"\1\2\3\4")
    first, second = exercise(wire).response_rr_list
    assert first.rdata == "\\# 6 010203040506"
    assert first.rdata_fields == ["\\# 6 010203040506"]
    assert second.rdata == "1.2.3.4"


def test_a_name_that_runs_out_of_its_data() -> None:
    wire = header(0, 2, 0, 0) + record(b"\0", 5, b"\3abc\0", size=2) + b"bc\0"
    assert exercise(wire).is_ok() is False
    after = record(b"\0", 1, b"\1\2\3\4")
    msg = exercise(header(0, 2, 0, 0) + record(b"\0", 5, b"\x01") + after)
    assert [rr.rdata for rr in msg.response_rr_list] == ["\\# 1 01", "1.2.3.4"]


def test_two_opts_and_two_tsigs_lose_nothing() -> None:
    opts = record(b"\0", 41, b"\0\1\0\0") + record(b"\0", 41, b"\0\2\0\0")
    msg = exercise(header(0, 0, 0, 4) + opts + TSIG + TSIG)
    assert msg.edns_options == [(1, b"")]
    assert [rr.type for rr in msg.addit_rr_list] == [41, 250]
    assert msg.tsig is not None


def test_wks_asks_no_services() -> None:
    wire = header(0, 1, 0, 0) + record(b"\0", 11, b"\xc0\0\2\1\6" + b"\xff" * 8192)
    began = time.process_time()
    (rr,) = exercise(wire).response_rr_list
    assert rr.rdata == "\\# 8197 c000020106" + "ff" * 8192
    assert rr.str == ".\t300\tIN\tWKS\t" + rr.rdata
    assert rr.rdata_fields == [rr.rdata]
    assert pace.turns(time.process_time() - began) < 50


def test_a_txt_of_empty_strings_takes_no_gigabytes() -> None:
    before = resident()
    msg = pldns.ldns(header(0, 1, 0, 0) + record(b"\0", 16, b"\0" * 65000))
    assert resident() - before < 50e6
    assert msg.response_rr_list[0].rdata == "\\# 65000 " + "00" * 65000
    for owner in (b"\x40a\0", b"\x80\0", b"\xc0\x0c"):  # and of a name that there can't be
        assert not exercise(header(0, 1, 0, 0) + record(owner, 16, b"\0" * 65000)).is_ok()
    honest = record(b"\0", 16, (b"\xff" + b"a" * 255) * 255)
    (rr,) = exercise(header(0, 1, 0, 0) + honest).response_rr_list
    assert rr.rdata_fields == ['"' + "a" * 255 + '"'] * 255


@pytest.mark.parametrize(
    "payload",
    [
        b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + b"\x01" * 100,
        b"\xff" * 500,
        b"a" * 512,
        b"\0" * 3,
        b"",
    ],
)
def test_what_is_not_dns(payload: bytes) -> None:
    assert exercise(payload).is_ok() is False


def test_zeros_are_an_empty_message() -> None:
    msg = exercise(b"\0" * 500)
    assert msg.is_ok()
    assert msg.question == []


def test_streams_of_junk() -> None:
    assert len(pldns.messages(b"\0" * 65535)) == 32768
    assert [msg.is_ok() for msg in pldns.messages(b"\xff" * 70000)] == [False, False]
    assert [msg.is_ok() for msg in pldns.messages(b"\0")] == [False]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(WIRE) - 1), st.integers(0, 255)), max_size=8))
def test_mutations_do_not_crash(changes: list[tuple[int, int]]) -> None:
    wire = bytearray(WIRE)
    for offset, value in changes:
        wire[offset] = value
    exercise(bytes(wire))


@settings(max_examples=300, deadline=None)
@given(st.tuples(*[st.integers(0, 3)] * 4), st.binary(max_size=200))
def test_random_bytes_do_not_crash(counts: tuple[int, ...], body: bytes) -> None:
    exercise(header(*counts) + body)
    for msg in pldns.messages(body):
        repr(msg)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for cut in range(0, len(WIRE), 3):
        exercise(WIRE[:cut])
    for offset in range(len(WIRE)):
        exercise(WIRE[:offset] + b"\xff" + WIRE[offset + 1 :])
    assert capfd.readouterr() == ("", "")


@by_size
def test_nothing_leaks() -> None:
    bad = [WIRE[:cut] for cut in range(0, len(WIRE), 17)]
    odd = [WIRE[:offset] + b"\xff" + WIRE[offset + 1 :] for offset in range(0, len(WIRE), 11)]
    twice = header(0, 0, 0, 40) + TSIG * 40

    def turn() -> None:
        for wire in [WIRE, twice, *bad, *odd]:
            exercise(wire)
            pldns.messages(wire)

    for _ in range(5):
        turn()
    gc.collect()
    before = resident()
    for _ in range(40):
        turn()
    gc.collect()
    # 40 turns of 100 messages: a leaked record each would be over 2 MB
    assert resident() - before < 1e6
