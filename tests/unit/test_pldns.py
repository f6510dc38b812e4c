"""pldns: messages put together by hand here, from the RFCs' layouts and examples."""

import array
import base64
import inspect
import mmap
import struct
from collections.abc import Callable

import pytest

import pldns
from pldns import _pldns

# what a message that is not ok has no value for
ATTRIBUTES = [
    *("ident", "is_response", "opcode", "rcode", "response_type"),
    *("aa", "tc", "rd", "ra", "ad", "cd"),
    *("question", "query_rr_list", "response_rr_list", "auth_rr_list", "addit_rr_list", "tsig"),
    *("edns_udp_size", "edns_do", "edns_version", "edns_rcode", "edns_options"),
]


def name(text: str) -> bytes:
    """A name on the wire, uncompressed (RFC 1035 section 3.1)."""
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(owner: bytes, rr_type: int, rr_class: int = 1) -> bytes:
    return owner + struct.pack(">HH", rr_type, rr_class)


def record(owner: bytes, rr_type: int, rdata: bytes, ttl: int = 300, rr_class: int = 1) -> bytes:
    return owner + struct.pack(">HHIH", rr_type, rr_class, ttl, len(rdata)) + rdata


def message(
    *sections: list[bytes], ident: int = 0x1234, flags: int = 0x8180, counts: tuple[int, ...] = ()
) -> bytes:
    """A message of up to four lists: question, answer, authority, additional."""
    numbers = [len(section) for section in sections] + [0] * (4 - len(sections))
    header = struct.pack(">HHHHHH", ident, flags, *(counts or numbers))
    return header + b"".join(b"".join(section) for section in sections)


def answer(rr_type: int, rdata: bytes, **kwargs: int) -> pldns.ldnsrr:
    """The record of a response that holds nothing else."""
    wire = message([], [record(name("a.test"), rr_type, rdata, **kwargs)])
    return pldns.ldns(wire).response_rr_list[0]


class Payload(bytes):
    """As a payload of plt: bytes, and how they travelled."""

    _pldns_transport: object = 17


class TcpPayload(Payload):
    _pldns_transport = 6


class NoPayload(Payload):
    _pldns_transport = None


# RFC 1035 section 4.1.4: F.ISI.ARPA, FOO with a pointer to it, ARPA by a pointer into it, root
RFC1035 = (
    message([], counts=(4, 0, 0, 0))
    + question(name("F.ISI.ARPA"), 1)
    + question(b"\3FOO\xc0\x0c", 2)
    + question(b"\xc0\x12", 5)
    + question(b"\0", 6)
)


def test_names_compressed_as_in_rfc_1035() -> None:
    msg = pldns.ldns(RFC1035)
    assert msg.is_ok()
    assert msg.question == ["F.ISI.ARPA.", "FOO.F.ISI.ARPA.", "ARPA.", "."]
    assert [rr.type for rr in msg.query_rr_list] == [1, 2, 5, 6]


def test_header() -> None:
    # QR, opcode 5, AA, RD, rcode 9: 1 0101 1 0 1 0 000 1001
    msg = pldns.ldns(message(flags=0b1010_1101_0000_1001, ident=65535))
    assert (msg.status, msg.ident, msg.is_response, msg.opcode) == (0, 65535, True, 5)
    assert (msg.rcode, msg.response_type) == (9, 9)
    assert [msg.aa, msg.tc, msg.rd, msg.ra, msg.ad, msg.cd] == [True, False, True] + [False] * 3


@pytest.mark.parametrize(
    ("flag", "bit"), [("aa", 10), ("tc", 9), ("rd", 8), ("ra", 7), ("ad", 5), ("cd", 4)]
)
def test_each_flag_is_its_bit(flag: str, bit: int) -> None:
    alone = pldns.ldns(message(flags=1 << bit))
    others = pldns.ldns(message(flags=0xFFFF & ~(1 << bit)))
    assert getattr(alone, flag) is True
    assert getattr(others, flag) is False
    assert alone.is_response is False
    assert sum(getattr(alone, other) for other in ("aa", "tc", "rd", "ra", "ad", "cd")) == 1


def test_sections() -> None:
    owner = name("www.example")
    msg = pldns.ldns(
        message(
            [question(owner, 28)],
            [record(b"\xc0\x0c", 28, bytes.fromhex("20010db8000000000000000000000001"), ttl=7)],
            [record(b"\0", 2, name("ns.example")), record(b"\0", 2, b"\xc0\x0c")],
            [record(name("ns.example"), 1, bytes([192, 0, 2, 1]), ttl=0xFFFFFFFF)],
        )
    )
    (asked,) = msg.query_rr_list
    assert (asked.owner, asked.type, asked.rr_class, asked.rdata) == ("www.example.", 28, 1, "")
    assert asked.rdata_fields == []
    assert asked.str == "www.example.\tIN\tAAAA"
    (got,) = msg.response_rr_list
    assert (got.owner, got.type, got.ttl, got.rdata) == ("www.example.", 28, 7, "2001:db8::1")
    assert got.str == str(got) == "www.example.\t7\tIN\tAAAA\t2001:db8::1"
    assert repr(got) == "<pldns.ldnsrr www.example. 7 IN AAAA 2001:db8::1>"
    assert [rr.rdata for rr in msg.auth_rr_list] == ["ns.example.", "www.example."]
    (glue,) = msg.addit_rr_list
    assert (glue.rdata, glue.ttl) == ("192.0.2.1", 2**32 - 1)
    assert repr(msg) == "<pldns.ldns response 4660: query 1, response 1, auth 2, addit 1>"


def test_sections_do_not_hang_on_the_question() -> None:
    msg = pldns.ldns(message([], [record(name("a"), 1, b"\1\2\3\4")]))
    assert msg.question == []
    assert msg.query_rr_list == []
    assert [rr.rdata for rr in msg.response_rr_list] == ["1.2.3.4"]
    assert msg.auth_rr_list == []
    assert msg.addit_rr_list == []


# A record's data on the wire, and the presentation form of the RFC named.
MX = struct.pack(">H", 10) + name("mail.test")
SOA = name("ns.test") + name("root.test") + struct.pack(">IIIII", 2024010101, 7200, 900, 86400, 60)
SRV = struct.pack(">HHH", 1, 2, 443) + name("srv.test")
DS = struct.pack(">HBB", 60485, 5, 1) + bytes.fromhex("2bb183af5f22588179a53b0a98631fad1a292118")
CAA = b"\x00\x05issue" + b"ca.test"
NSEC = name("host.example.com") + bytes.fromhex("0006400100000003041b") + b"\0" * 26 + b"\x20"


@pytest.mark.parametrize(
    ("rr_type", "rdata", "fields"),
    [
        (15, MX, ["10", "mail.test."]),  # RFC 1035
        (6, SOA, ["ns.test.", "root.test.", "2024010101", "7200", "900", "86400", "60"]),
        (16, b'\3one\0\3t"o', ['"one"', '""', '"t\\"o"']),
        (33, SRV, ["1", "2", "443", "srv.test."]),  # RFC 2782
        (43, DS, ["60485", "5", "1", "2bb183af5f22588179a53b0a98631fad1a292118"]),  # RFC 4034 5.4
        (257, CAA, ["0", "issue", '"ca.test"']),  # RFC 8659
        (47, NSEC, ["host.example.com.", "A MX RRSIG NSEC TYPE1234"]),  # RFC 4034 section 4.3
        (65280, b"\xde\xad", ["\\# 2 dead"]),  # RFC 3597
    ],
)
def test_rdata_by_type(rr_type: int, rdata: bytes, fields: list[str]) -> None:
    rr = answer(rr_type, rdata)
    assert rr.rdata_fields == fields
    assert rr.rdata == " ".join(fields)
    assert rr.str.split("\t")[4].rstrip() == rr.rdata
    assert rr.type == rr_type


def test_dnskey_with_key_tag_of_rfc_4034() -> None:
    key = (
        "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMm"
        "mAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
    )
    rr = answer(48, struct.pack(">HBB", 256, 3, 5) + base64.b64decode(key))
    assert rr.rdata_fields == ["256", "3", "5", key]
    assert rr.str.endswith(";{id = 60485 (zsk), size = 1024b}")


def test_rr_class_and_unknown_numbers() -> None:
    rr = answer(16, b"\4test", rr_class=3)
    assert (rr.rr_class, rr.str.split("\t")[2]) == (pldns.CLASS_CH, "CH")
    rr = answer(999, b"", rr_class=4660)
    assert (rr.type, rr.rr_class, rr.rdata, rr.rdata_fields) == (999, 4660, "", [])
    assert rr.str == "a.test.\t300\tCLASS4660\tTYPE999\t\\# 0"


def test_edns() -> None:
    # RFC 6891 section 6.1.3: rcode 1 above the header's, version 0, DO; cookie and padding
    options = struct.pack(">HH", 10, 8) + b"\1\2\3\4\5\6\7\x08" + struct.pack(">HH", 12, 0)
    opt = record(b"\0", 41, options, ttl=0x01008000, rr_class=1232)
    msg = pldns.ldns(message([question(name("a"), 1)], [], [], [opt], flags=0x8180))
    assert (msg.edns_udp_size, msg.edns_do, msg.edns_version) == (1232, True, 0)
    assert (msg.rcode, msg.edns_rcode) == (0, pldns.RCODE_BADVERS)
    assert msg.edns_options == [(10, b"\1\2\3\4\5\6\7\x08"), (12, b"")]
    assert msg.addit_rr_list == []
    plain = pldns.ldns(message([], [], [], [record(b"\0", 41, b"", ttl=0x00010000, rr_class=512)]))
    assert (plain.edns_udp_size, plain.edns_do, plain.edns_version) == (512, False, 1)
    assert plain.edns_options == []


def test_without_edns() -> None:
    msg = pldns.ldns(message([question(name("a"), 1)]))
    assert [getattr(msg, name) for name in ATTRIBUTES if name.startswith("edns_")] == [None] * 5
    assert msg.tsig is None


@pytest.mark.parametrize(
    ("options", "at"),
    [
        (b"\0\x0a\0\x08\1\2", 0),
        (b"\0", 0),
        (b"\0\x0a\0", 0),
        (b"\0\x0a\0\2\1\2\0\x0c\0", 6),
        (b"\0\x0a\0\0\0\x0c\0\1", 4),
    ],
)
def test_edns_option_cut_short(options: bytes, at: int) -> None:
    opt = record(b"\0", 41, options, rr_class=1232)
    msg = pldns.ldns(message([], [], [], [opt]))
    with pytest.raises(ValueError, match=f"cut short at byte {at} of {len(options)}"):
        _ = msg.edns_options


def test_tsig_is_taken_out_of_the_additional_section() -> None:
    # RFC 8945 section 4.2: algorithm, time (48 bits), fudge, MAC, original ID, error, other
    rdata = name("hmac-sha256") + struct.pack(">HIHH", 0, 1700000000, 300, 4) + b"\1\2\3\4"
    rdata += struct.pack(">HHH", 0x1234, 16, 0)
    key = record(name("key"), 250, rdata, ttl=0, rr_class=255)
    msg = pldns.ldns(message([], [], [], [record(name("a"), 1, b"\1\2\3\4"), key]))
    assert [rr.type for rr in msg.addit_rr_list] == [1]
    assert msg.tsig is not None
    assert (msg.tsig.owner, msg.tsig.type, msg.tsig.rr_class) == ("key.", 250, 255)
    assert msg.tsig.rdata_fields[:3] == ["hmac-sha256.", "1700000000", "300"]


def test_tcp_payload_has_a_length_before_it() -> None:
    wire = message([question(name("tcp.test"), 1)])
    framed = struct.pack(">H", len(wire)) + wire
    assert pldns.ldns(TcpPayload(framed)).question == ["tcp.test."]
    assert pldns.ldns(TcpPayload(framed + framed)).question == ["tcp.test."]
    assert pldns.ldns(Payload(wire)).question == ["tcp.test."]


def test_bytes_like_objects_are_messages_without_a_length() -> None:
    wire = message([question(name("bytes.test"), 1)])
    for obj in (wire, bytearray(wire), memoryview(wire), array.array("B", wire)):
        assert pldns.ldns(obj).question == ["bytes.test."]
    assert pldns.ldns(payload=wire).ident == 0x1234


def test_messages_of_a_stream() -> None:
    wires = [message([question(name(f"n{i}.test"), 1)], ident=i) for i in range(5)]
    stream = b"".join(struct.pack(">H", len(wire)) + wire for wire in wires)
    for obj in (stream, TcpPayload(stream)):
        assert [msg.ident for msg in pldns.messages(obj)] == [0, 1, 2, 3, 4]
        assert [msg.question[0] for msg in pldns.messages(obj)] == [f"n{i}.test." for i in range(5)]
    assert [msg.ident for msg in pldns.messages(Payload(wires[3]))] == [3]
    assert pldns.messages(b"") == []


def test_messages_end_with_the_one_cut_short() -> None:
    wire = message([question(name("a.test"), 1)])
    framed = struct.pack(">H", len(wire)) + wire
    for cut in range(1, len(framed)):
        msgs = pldns.messages(TcpPayload(framed + framed[:cut]))
        assert [msg.is_ok() for msg in msgs] == [True, False], cut
    assert [msg.is_ok() for msg in pldns.messages(b"\0\0" + framed)] == [False, True]


@pytest.mark.parametrize("obj", [None, 1, "text", 1.5, [1], NoPayload(b"x" * 20), object()])
def test_anything_else_is_a_value_error(obj: object) -> None:
    with pytest.raises(ValueError, match=r"not a UDP or TCP payload.*" + type(obj).__name__):
        pldns.ldns(obj)
    with pytest.raises(ValueError, match="not a UDP or TCP payload"):
        pldns.messages(obj)


def test_bytes_with_gaps_are_a_value_error() -> None:
    with pytest.raises(ValueError, match="not contiguous"):
        pldns.ldns(memoryview(b"x" * 40)[::2])


def test_an_object_that_lends_its_bytes_no_more_says_why() -> None:
    memory = mmap.mmap(-1, 40)
    memory.close()
    for read in (pldns.ldns, pldns.messages):
        with pytest.raises(ValueError, match="mmap closed"):
            read(memory)


def test_an_error_of_the_attribute_comes_through() -> None:
    class Broken(bytes):
        @property
        def _pldns_transport(self) -> int:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        pldns.ldns(Broken(b"x"))


def test_not_ok_says_why() -> None:
    msg = pldns.ldns(b"\0" * 11)
    assert msg.is_ok() is False
    assert msg.errorstr(msg.status) == pldns.errorstr(msg.status) == "header section incomplete"
    assert repr(msg) == "<pldns.ldns not ok: header section incomplete>"
    for attribute in ATTRIBUTES:
        with pytest.raises(ValueError, match=rf"^no {attribute}: .*header section incomplete"):
            getattr(msg, attribute)


def test_attributes_are_read_only() -> None:
    msg = pldns.ldns(message([question(name("a"), 1)]))
    rr = msg.query_rr_list[0]
    pairs: list[tuple[object, str]] = [(msg, n) for n in [*ATTRIBUTES, "status"]]
    pairs += [(rr, n) for n in ("owner", "type", "rr_class", "ttl", "rdata", "rdata_fields", "str")]
    for obj, attribute in pairs:
        with pytest.raises(TypeError, match=f"{attribute} of pldns.* is read-only"):
            setattr(obj, attribute, 1)
        with pytest.raises(TypeError, match="cannot be deleted"):
            delattr(obj, attribute)
    with pytest.raises(AttributeError):
        msg.no_such_attribute = 1  # type: ignore[attr-defined]


def test_types_are_closed() -> None:
    with pytest.raises(TypeError, match="cannot create"):
        pldns.ldnsrr()
    for args in ((), (b"", b"")):
        with pytest.raises(TypeError):
            pldns.ldns(*args)


def test_a_record_keeps_its_message() -> None:
    wire = bytearray(message([], [record(name("kept.test"), 16, b"\4kept") for _ in range(3)]))
    rrs = pldns.ldns(wire).response_rr_list
    wire[:] = b"\0" * len(wire)
    last = rrs.pop()
    del rrs
    assert (last.owner, last.rdata) == ("kept.test.", '"kept"')


def test_lists_are_new_each_time() -> None:
    msg = pldns.ldns(message([question(name("a"), 1)]))
    msg.query_rr_list.clear()
    assert len(msg.query_rr_list) == 1


@pytest.mark.parametrize(
    ("function", "number", "text"),
    [
        (pldns.opcodestr, 0, "QUERY"),
        (pldns.opcodestr, 4, "NOTIFY"),
        (pldns.opcodestr, 15, "OPCODE15"),
        (pldns.rcodestr, 0, "NOERROR"),
        (pldns.rcodestr, 3, "NXDOMAIN"),
        (pldns.opcodestr, 6, "DSO"),
        (pldns.rcodestr, 4, "NOTIMPL"),
        (pldns.rcodestr, 11, "DSOTYPENI"),
        (pldns.rcodestr, 16, "BADVERS"),
        (pldns.rcodestr, 23, "BADCOOKIE"),
        (pldns.rcodestr, 65535, "RCODE65535"),
        (pldns.typestr, 1, "A"),
        (pldns.typestr, 28, "AAAA"),
        (pldns.typestr, 255, "ANY"),
        (pldns.typestr, 0, "TYPE0"),
        (pldns.typestr, 65280, "TYPE65280"),
        (pldns.typestr, True, "A"),
        (pldns.errorstr, 0, "All OK"),
    ],
)
def test_names_of_numbers(function: Callable[[int], str], number: int, text: str) -> None:
    assert function(number) == text


@pytest.mark.parametrize(
    ("function", "top"),
    [(pldns.opcodestr, 15), (pldns.rcodestr, 65535), (pldns.typestr, 65535), (pldns.errorstr, 500)],
)
def test_numbers_out_of_range(function: Callable[[object], str], top: int) -> None:
    for number in (-1, top + 1, 2**31, 2**64, -(2**64)):
        with pytest.raises(ValueError, match=str(number)):
            function(number)
    for other in ("1", 1.0, None):
        with pytest.raises(TypeError):
            function(other)


def test_constants_are_those_of_iana() -> None:
    # of IANA's registry "Domain Name System (DNS) Parameters"
    known = {
        "TYPE_A": 1, "TYPE_SOA": 6, "TYPE_MX": 15, "TYPE_AAAA": 28, "TYPE_SRV": 33, "TYPE_OPT": 41,
        "TYPE_DS": 43, "TYPE_RRSIG": 46, "TYPE_NSEC": 47, "TYPE_DNSKEY": 48, "TYPE_NSEC3": 50,
        "TYPE_NSEC3PARAM": 51, "TYPE_TLSA": 52, "TYPE_HTTPS": 65, "TYPE_EUI64": 109,
        "TYPE_TSIG": 250, "TYPE_AXFR": 252, "TYPE_ANY": 255, "TYPE_URI": 256, "TYPE_CAA": 257,
        "TYPE_DLV": 32769, "CLASS_IN": 1, "CLASS_CH": 3, "CLASS_HS": 4, "CLASS_ANY": 255,
        "OPCODE_QUERY": 0, "OPCODE_UPDATE": 5, "OPCODE_DSO": 6, "RCODE_NOERROR": 0,
        "RCODE_SERVFAIL": 2, "RCODE_NXDOMAIN": 3, "RCODE_REFUSED": 5, "RCODE_BADVERS": 16,
        "RCODE_BADSIG": 16, "RCODE_BADCOOKIE": 23,
    }  # fmt: skip
    assert {key: getattr(pldns, key) for key in known} == known


#: NOTIMPL is ldns's; BADSIG and BADVERS are one number.
OTHER_NAMES = {"NOTIMP": "NOTIMPL", "NSAP_PTR": "NSAP-PTR", "BADSIG": "BADVERS"}


def test_numbers_have_the_names_of_the_constants() -> None:
    kinds = {"TYPE_": pldns.typestr, "OPCODE_": pldns.opcodestr, "RCODE_": pldns.rcodestr}
    for constant in pldns.__all__:
        for prefix, function in kinds.items():
            if constant.startswith(prefix):
                short = constant.removeprefix(prefix)
                assert function(getattr(pldns, constant)) == OTHER_NAMES.get(short, short)


def test_the_package_offers_all_of_the_module() -> None:
    public = {name for name in dir(_pldns) if not name.startswith("_")}
    assert sorted(pldns.__all__) == sorted(public | {"column_fields", "columns"})
    assert all(getattr(pldns, name) is getattr(_pldns, name) for name in public)


def test_every_public_name_has_a_docstring_and_signatures_parse() -> None:
    for public in ("ldns", "ldnsrr", "messages", "opcodestr", "rcodestr", "typestr", "errorstr"):
        assert getattr(pldns, public).__doc__
    for cls in (pldns.ldns, pldns.ldnsrr):
        for attribute, value in vars(cls).items():
            assert attribute.startswith("__") or value.__doc__
    assert list(inspect.signature(pldns.ldns).parameters) == ["payload"]
    assert list(inspect.signature(pldns.messages).parameters) == ["payload"]
    assert list(inspect.signature(pldns.ldns.errorstr).parameters) == ["self", "status"]


def test_the_bits_of_mdns_in_the_class() -> None:
    # RFC 6762 sections 5.4 and 10.2: the top bit, of a question and of a record
    owner = name("printer.local")
    address = record(owner, 1, bytes([192, 0, 2, 1]), rr_class=0x8001)
    opt = record(b"\0", 41, b"", rr_class=0x8400)  # of an OPT the class is a size
    msg = pldns.ldns(message([question(owner, 1, 0x8001)], [address], [opt], flags=0x8400))
    (asked,), (told,), (size,) = msg.query_rr_list, msg.response_rr_list, msg.auth_rr_list
    assert (asked.rr_class, asked.unicast_response, asked.cache_flush) == (0x8001, True, False)
    assert (told.rr_class, told.unicast_response, told.cache_flush) == (0x8001, False, True)
    assert (size.rr_class, size.unicast_response, size.cache_flush) == (0x8400, False, False)
    plain = pldns.ldns(message([question(owner, 1)], [record(owner, 1, bytes(4))]))
    assert not plain.query_rr_list[0].unicast_response
    assert not plain.response_rr_list[0].cache_flush


def test_docstrings_tell_which_rcodes_are_extended() -> None:
    # RFC 6891 section 6.1.3: BADVERS is 16, of which the header has the lower four bits, 0
    opt = record(b"\0", 41, b"", ttl=1 << 24, rr_class=1232)
    msg = pldns.ldns(message([], [], [], [opt]))
    assert (msg.rcode, msg.edns_rcode) == (0, pldns.RCODE_BADVERS)
    assert "edns_rcode" in str(pldns.ldns.rcode.__doc__)
    assert "above 15" in str(pldns.ldns.edns_rcode.__doc__)
    assert "edns_rcode" in str(pldns.rcodestr.__doc__)
