"""The text of records: right for good data, RFC 3597's form for malformed data, never a crash."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import dns.exception
import dns.rdata
import dns.rdatatype
import dns_damage
import pytest

import pldns

TYPES = {"first": (0, 63), "SVCB": (64, 65), "more": (66, 248), "last": (249, 65535)}


@pytest.mark.parametrize("chosen", TYPES)
def test_structured_damage_of_every_type(chosen: str) -> None:
    first, last = TYPES[chosen]
    command = [sys.executable, dns_damage.__file__, str(first), str(last)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    tried = [str(rr_type) for rr_type in dns_damage.TYPES if first <= rr_type <= last]
    assert (run.returncode, run.stderr) == (0, ""), run.stdout[-20:]
    assert run.stdout.split() == tried  # and nothing else was printed


def text_of(rr_type: int, rdata: bytes) -> str | None:
    """The record's data as text, None where the message is not ok."""
    msg = pldns.ldns(dns_damage.message(rr_type, rdata))
    return msg.response_rr_list[0].rdata if msg.is_ok() else None


# dnspython's own: no text of a TKEY is specified (RFC 2930), a LOC's metres are rounded down
NO_ROUND_TRIP = {29, 249}


def is_type_of_dnspython(name: str) -> bool:
    try:
        return dns.rdatatype.from_text(name) is not None
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        return False


TYPE_NAMES = {
    pldns.typestr(getattr(pldns, name)) for name in pldns.__all__ if name.startswith("TYPE_")
}
# names of types that dnspython does not know or take in a bitmap, and times before 1970, which are
# such by serial number arithmetic (RFC 4034 section 3.1.5)
UNKNOWN_NAMES = sorted(name for name in TYPE_NAMES if not is_type_of_dnspython(name))
NOT_READ = re.compile(
    rf" (TYPE0|{'|'.join(UNKNOWN_NAMES)}|MB|MG|MR|NULL|WKS|MINFO|NXT|A6|19[0-6]\d{{11}})\b"
)


def test_text_read_by_dnspython_is_the_data_again() -> None:
    agreed = set()
    for rr_type in set(dns_damage.FIELDS) - NO_ROUND_TRIP:
        for rdata in dns_damage.damaged(rr_type):
            text = text_of(rr_type, rdata) if len(rdata) < 1000 else None
            if not text or text.startswith("\\# ") or NOT_READ.search(text):
                continue
            if rr_type == 25 and rdata[0] & 0xC0 == 0xC0:  # RFC 2535 section 3.1.2: no key
                continue
            try:
                known = dns.rdata.from_wire(1, rr_type, rdata, 0, len(rdata))
            except dns.exception.DNSException:
                continue
            if not isinstance(known, dns.rdata.GenericRdata):
                assert dns.rdata.from_text(1, rr_type, text).to_wire() == rdata, (rr_type, text)
                agreed.add(rr_type)
    assert {1, 2, 6, 15, 16, 28, 33, 35, 42, 43, 46, 47, 48, 50, 62, 64, 65, 256, 257} <= agreed


def test_types_in_a_list_have_the_names_that_typestr_has() -> None:
    # NSEC, next name the root; windows 0 (A, NXNAME) and 1 (URI, WALLET), RFC 4034 section 4.1.2
    bitmap = bytes.fromhex("00 00 11 40" + 15 * "00" + "80" + "01 01 82")
    assert text_of(47, bitmap) == ". A NXNAME URI WALLET"
    assert [pldns.typestr(number) for number in (128, 262)] == ["NXNAME", "WALLET"]


def test_good_data_of_a_known_type_is_not_in_the_generic_form() -> None:
    # of these ldns 1.8.3 knows no fields; NULL has none, WKS and NSAP-PTR are not asked for
    generic = {10, 11, 23, 38, 40, 41, 56, 57, 66, 258, 259, 260, 261, 262, 30, 32768}
    for rr_type in set(dns_damage.FIELDS) - generic:
        text = text_of(rr_type, b"".join(dns_damage.FIELDS[rr_type]))
        assert text
        assert "\\#" not in text, (rr_type, text)


@pytest.mark.parametrize(
    ("rdata", "text"),
    [  # RFC 9460 appendix D.1 and D.2, figures 2 to 10
        ("0000 03666f6f 076578616d706c65 03636f6d 00", "0 foo.example.com."),
        ("0001 00", "1 ."),
        (
            "0010 03666f6f 076578616d706c65 03636f6d 00 0003 0002 0035",
            "16 foo.example.com. port=53",
        ),
        (
            "0001 03666f6f 076578616d706c65 03636f6d 00 029b 0005 68656c6c6f",
            "1 foo.example.com. key667=hello",
        ),
        (
            "0001 03666f6f 076578616d706c65 03636f6d 00 029b 0009 68656c6c6fd2716f6f",
            "1 foo.example.com. key667=hello\\210qoo",
        ),
        (
            "0001 03666f6f 076578616d706c65 03636f6d 00 0006 0020"
            "20010db8000000000000000000000001 20010db8000000000000000000530001",
            "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1",
        ),
        (
            "0001 076578616d706c65 03636f6d 00 0006 0010 20010db8012203440000 0000c0000221",
            "1 example.com. ipv6hint=2001:db8:122:344::c000:221",
        ),
        (
            "0010 03666f6f 076578616d706c65 036f7267 00 0000 0004 00010004"
            "0001 0009 026832 0568332d3139 0004 0004 c0000201",
            "16 foo.example.org. mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1",
        ),
        (
            "0010 03666f6f 076578616d706c65 036f7267 00 0001 000c 08 665c6f6f2c626172 026832",
            r"16 foo.example.org. alpn=f\\\\oo\\,bar,h2",
        ),
    ],
)
@pytest.mark.parametrize("rr_type", [64, 65])
def test_examples_of_rfc_9460(rr_type: int, rdata: str, text: str) -> None:
    wire = bytes.fromhex(rdata)
    (rr, _) = pldns.ldns(dns_damage.message(rr_type, wire)).response_rr_list
    assert rr.rdata == text
    assert rr.rdata_fields == [part for part in text.split(" ", 2) if part]
    assert rr.str == f"x.\t300\tIN\t{pldns.typestr(rr_type)}\t{text}"


def test_quotes_where_a_value_would_end_the_word() -> None:
    # RFC 9460 section 2.1 and appendix A: quoted, or every such character escaped
    value = b'a b;"\\,()\t'
    rdata = b"\0\1\0" + struct.pack(">HH", 100, len(value)) + value
    assert text_of(65, rdata) == r'1 . key100="a b;\"\\,()\009"'
    rdata = b"\0\1\0" + struct.pack(">HH", 1, 6) + b"\2a \2;b"
    assert text_of(65, rdata) == '1 . alpn="a ,;b"'


@pytest.mark.parametrize("byte", range(256))
def test_quotes_are_for_what_ends_a_word(byte: int) -> None:
    """RFC 9460 appendix A: a word of other characters needs none; RFC 1035 section 5.1: \\DDD."""
    char = chr(byte)
    text = f"\\{byte:03d}"
    if char in '"\\':
        text = "\\" + char
    elif 32 <= byte < 127:
        text = char
    quote = '"' if char in " ();" else ""
    rdata = b"\0\1\0" + struct.pack(">HH", 100, 3) + b"a" + bytes([byte]) + b"b"
    assert text_of(65, rdata) == f"1 . key100={quote}a{text}b{quote}"


def test_mandatory_keys_without_number() -> None:
    keys = range(1, 2001)
    value = struct.pack(">2000H", *keys)
    rdata = b"\0\1\0" + struct.pack(">HH", 0, len(value)) + value
    names = ["alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"]
    names += [f"key{key}" for key in keys[8:]]
    assert text_of(65, rdata) == "1 . mandatory=" + ",".join(names)
    for bad in ([], [0], [1, 1], [2, 1]):  # RFC 9460 section 8
        value = struct.pack(f">{len(bad)}H", *bad)
        rdata = b"\0\1\0" + struct.pack(">HH", 0, len(value)) + value
        assert text_of(65, rdata) == f"\\# {len(rdata)} {rdata.hex()}"


@pytest.mark.parametrize(
    "params",
    [
        "0003 0002 0001 0001 0003 026832",  # RFC 9460 section 2.2: out of order
        "0001 0003 026832 0001 0003 026832",  # twice
        "0001 0003 0268",  # cut
        "0001 00",
        "0001 0002 0268",  # an identifier longer than the list
        "0001 0001 00",  # an empty one
        "0001 0000",
        "0002 0001 00",  # no-default-alpn has no value
        "0003 0001 35",
        "0003 0000",
        "0004 0000",  # no address
        "0004 0005 c000020101",
        "0005 0000",  # RFC 9848: a list that is not empty
        "0006 0004 c0000201",
        "0008 0001 00",  # RFC 9540: ohttp has no value
    ],
)
def test_parameters_that_are_malformed(params: str) -> None:
    rdata = b"\0\1\0" + bytes.fromhex(params)
    generic = f"\\# {len(rdata)} {rdata.hex()}"
    (rr, _) = pldns.ldns(dns_damage.message(64, rdata)).response_rr_list
    assert (rr.rdata, rr.rdata_fields) == (generic, [generic])
    assert rr.str == "x.\t300\tIN\tSVCB\t" + generic


@pytest.mark.parametrize(
    ("rr_type", "rdata", "text"),
    [
        # RFC 4034 section 4.3, without its TYPE1234; RFC 5155 appendix A; RFC 7477 section 2.1.2
        (47, b"\4host\0\0\6\x40\1\0\0\0\3", "host. A MX RRSIG NSEC"),
        (47, b"\4host\0", "host."),
        (
            50,
            bytes.fromhex("0101000c04aabbccdd14174eb2409fe28bcb4887a1836f957f0a8425e27b")
            + bytes.fromhex("000722010000000290"),
            "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX RRSIG DNSKEY NSEC3PARAM",
        ),
        (50, b"\1\0\0\0\0\2ab", "1 0 0 - c5h0"),
        (51, bytes.fromhex("0100000c04aabbccdd"), "1 0 12 aabbccdd"),
        (51, bytes.fromhex("0100000c00"), "1 0 12 -"),
        (62, bytes.fromhex("00000042 0003 0004 60000008"), "66 3 A NS AAAA"),
        (62, bytes.fromhex("00000042 0003"), "66 3"),  # no types
        (25, bytes.fromhex("c000 03 05"), "49152 3 5"),  # RFC 2535 section 3.1.2: no key
        (257, b"\0\5issue", '0 issue ""'),  # RFC 8659 section 4.2: an empty value
        # RFC 3123 section 5, with the IPv6 address as ldns prints it
        (
            42,
            bytes.fromhex("0001 15 03 c0a820 0001 1c 83 c0a826"),
            "1:192.168.32.0/21 !1:192.168.38.0/28",
        ),
        (
            42,
            bytes.fromhex("0001 04 01 e0 0002 08 01 ff"),
            "1:224.0.0.0/4 2:ff00:0000:0000:0000:0000:0000:0000:0000/8",
        ),
    ],
)
def test_single_blanks(rr_type: int, rdata: bytes, text: str) -> None:
    (rr, _) = pldns.ldns(dns_damage.message(rr_type, rdata)).response_rr_list
    assert rr.rdata == text
    assert " ".join(rr.rdata_fields) == text
    # the line stays ldns's
    assert rr.str.startswith(f"x.\t300\tIN\t{pldns.typestr(rr_type)}\t")


def test_text_in_a_locale_of_single_bytes(tmp_path: Path) -> None:
    """There ldns prints letters above 127 as they are; a Latin one and a pound sign here."""
    name = "latin.ISO-8859-1"
    made = subprocess.run(
        ["localedef", "-i", "en_US", "-f", "ISO-8859-1", tmp_path / name], check=False
    )
    if made.returncode != 0:
        pytest.skip("localedef can't make en_US: Debian's locales has it")
    program = (
        "import locale, sys\n"
        "import pldns\n"
        f"locale.setlocale(locale.LC_ALL, {name!r})\n"
        "msg = pldns.ldns(bytes.fromhex(sys.argv[1]))\n"
        "print(msg.response_rr_list[0].rdata, msg.response_rr_list[0].str)\n"
    )
    message = dns_damage.message(16, b"\4a\xe4\xa3z")
    done = subprocess.run(
        [sys.executable, "-c", program, message.hex()],
        env={**os.environ, "LOCPATH": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    text = rb'"a\228\163z"'
    assert done.stdout == text + b" x.\t300\tIN\tTXT\t" + text + b"\n"


def test_a_window_without_a_type_is_an_empty_field() -> None:
    """RFC 4034 section 4.1.2: there must be none, and nothing is to be told of it."""
    (rr, _) = pldns.ldns(dns_damage.message(47, b"\4host\0\0\1\0")).response_rr_list
    assert rr.rdata == "host."
    assert rr.rdata_fields == ["host.", ""]


@pytest.mark.parametrize(
    ("rr_type", "rdata"),
    [
        (15, "000a"),  # a record that ends after a field, before its last
        (6, "00"),
        (47, "0161000004400000"),  # RFC 4034 section 4.1.2: a bitmap longer than is there
        (47, "016100000021" + "40" * 33),
        (47, "01610000000000"),
        (47, "0161000101400001 40"),  # windows out of order
        (42, "00012103c00002"),  # RFC 3123: a prefix longer than an address
        (42, "00011805c000020101"),
        (42, "00031803c00002"),  # an address family without text
        (29, "01121613800000008000000000989680"),  # RFC 1876 section 2: version
        (29, "00a21613800000008000000000989680"),  # the digit of a size
        (29, "001a1613800000008000000000989680"),  # its power of ten
        (29, "0012161a800000008000000000989680"),  # that of a precision
        (29, "00121613ffffffff8000000000989680"),  # latitude
        (29, "0012161380000000ffffffff00989680"),  # longitude
        (30, "016100 40000008"),  # ldns does not know the bitmap of NXT
        (45, "010102c00002"),  # an IPv4 gateway that is cut
        (45, "010202" + "20" * 15),
        (45, "010402aabb"),  # RFC 4025 section 2.3: a gateway of unknown length
        (23, "0161 00"),  # RFC 1706: a name, to ldns a string
        (50, "0100800000 00 000120"),  # RFC 5155 section 3.2: a hash of no bytes
    ],
)
def test_data_malformed_for_its_type_is_of_rfc_3597(rr_type: int, rdata: str) -> None:
    wire = bytes.fromhex(rdata)
    (rr, following) = pldns.ldns(dns_damage.message(rr_type, wire)).response_rr_list
    generic = f"\\# {len(wire)} {wire.hex()}"
    assert (rr.rdata, rr.rdata_fields) == (generic, [generic])
    assert rr.str.split("\t")[4] == generic
    assert following.rdata == "192.0.2.1"


def test_typestr_knows_the_constants() -> None:
    agreed = 0
    for name in pldns.__all__:
        if name.startswith("TYPE_"):
            number = getattr(pldns, name)
            # IANA's "Resource Record (RR) TYPEs" writes one name with a dash
            assert pldns.typestr(number) == name.removeprefix("TYPE_").replace("_", "-")
            known = dns.rdatatype.to_text(number)
            assert known in (pldns.typestr(number), f"TYPE{number}")
            agreed += known == pldns.typestr(number)
    assert agreed > 80
    assert pldns.typestr(258) == "AVC"
    assert pldns.typestr(65279) == "TYPE65279"
