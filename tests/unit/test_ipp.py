"""ipp, against the standard library's ipaddress, socket.inet_ntop and the RFCs' examples."""

import array
import copy
import ctypes
import inspect
import ipaddress
import pickle
import socket
import sys

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import ipp
from ipp import IPprefix, from_s

V4 = from_s("192.0.2.1/24")
V6 = from_s("2001:db8::1/64")
VERSIONS = "versions must be the same \\(4 or 6\\)"


class Sub(IPprefix):
    """A subclass with a __dict__; at module level so that pickle finds it."""

    note = ""


class Slotted(IPprefix):
    """A subclass with a slot."""

    __slots__ = ("note",)


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
# fields of 0, 1 and ffff make the runs of zeros that random addresses don't have
sparse6 = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF]), min_size=8, max_size=8).map(
    lambda fields: ipaddress.IPv6Address(b"".join(f.to_bytes(2, "big") for f in fields))
)


@st.composite
def values(draw, version=None, unset=True):
    """(version, packed address, length or, if unset, None), addresses often near each other."""
    version = version or draw(st.sampled_from([4, 6]))
    bits = 32 if version == 4 else 128
    number = draw(st.one_of(st.integers(0, 3), st.integers(0, 2**bits - 1)))
    number <<= draw(st.integers(0, bits))
    packed = (number % 2**bits).to_bytes(bits // 8, "big")
    lengths = st.integers(0, bits)
    return version, packed, draw(st.none() | lengths if unset else lengths)


def pairs(unset=True):
    """Two values of one version."""
    return st.sampled_from([4, 6]).flatmap(
        lambda version: st.tuples(values(version, unset), values(version, unset))
    )


def bits_of(packed):
    """The address as a text of 0s and 1s."""
    return "".join(f"{byte:08b}" for byte in packed)


# --- the module ----------------------------------------------------------------------------------


def test_module():
    assert ipp.version() == "1.9"
    assert set(ipp.__all__) == {
        "IPprefix", "format", "from_s", "parse", "rfc1918s8", "rfc1918s12", "rfc1918s16", "version",
    }  # fmt: skip
    private = [ipp.rfc1918s8, ipp.rfc1918s12, ipp.rfc1918s16]
    assert [str(p) for p in private] == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    assert [p.length for p in private] == [8, 12, 16]


def test_every_name_has_a_docstring_and_a_signature():
    assert IPprefix.__doc__
    assert list(inspect.signature(IPprefix).parameters) == ["version", "addr", "length"]
    assert list(inspect.signature(from_s).parameters) == ["text"]
    for name, member in vars(IPprefix).items():
        if not name.startswith("_"):
            assert member.__doc__, name
            if callable(member):
                assert inspect.signature(getattr(V4, name)) is not None, name


# --- making one ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((4, b"\xc0\0\2\1"), "192.0.2.1"),
        ((4, b"\xc0\0\2\1", None), "192.0.2.1"),
        ((4, bytearray(b"\xc0\0\2\1"), 24), "192.0.2.1/24"),
        ((4, memoryview(b"\xc0\0\2\1"), 32), "192.0.2.1/32"),
        ((4, array.array("B", [192, 0, 2, 1]), 0), "192.0.2.1/0"),
        ((4, b"\x0a"), "10.0.0.0"),
        ((4, b""), "0.0.0.0"),
        ((6, b""), "::"),
        ((6, bytearray()), "::"),
        ((6, b"\x20\x01\x0d\xb8", 32), "2001:db8::/32"),
        ((6, b"\xfe\x80" + bytes(13) + b"\1", 128), "fe80::1/128"),
        ((6, bytes(16), 0), "::/0"),
    ],
)
def test_constructor(args, text):
    prefix = IPprefix(*args)
    assert str(prefix) == text
    assert str(IPprefix(**dict(zip(("version", "addr", "length"), args, strict=False)))) == text


class Indexes:
    """An integer that is no int, as NumPy's are."""

    def __index__(self):
        return 4


class BadIndex:
    """An integer whose value can't be had."""

    def __index__(self):
        raise ZeroDivisionError


def test_constructor_takes_integers_that_are_no_int():
    prefix = IPprefix(Indexes(), b"\x0a", Indexes())
    assert (prefix.version, prefix.length) == (4, 4)


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ((5, b""), ValueError, "version must be 4 or 6"),
        ((-1, b""), ValueError, "version must be 4 or 6"),
        ((2**64 + 4, b""), ValueError, "version must be 4 or 6"),
        ((-(2**64), b""), ValueError, "version must be 4 or 6"),
        (("4", b""), ValueError, "version must be 4 or 6"),
        ((4.0, b""), ValueError, "version must be 4 or 6"),
        ((None, b""), ValueError, "version must be 4 or 6"),
        ((BadIndex(), b""), ZeroDivisionError, None),
        ((4, "1234"), ValueError, "addr must be bytes-like, not str"),
        ((4, None), ValueError, "addr must be bytes-like, not NoneType"),
        ((4, 1234), ValueError, "addr must be bytes-like, not int"),
        ((4, [1, 2, 3, 4]), ValueError, "addr must be bytes-like, not list"),
        ((4, memoryview(b"12345678")[::2]), ValueError, "contiguous"),
        ((4, b"12345"), AttributeError, "IPv4 addr must be at most 4 bytes, not 5"),
        ((6, bytes(17)), AttributeError, "IPv6 addr must be at most 16 bytes, not 17"),
        ((4, b"1234", 33), AttributeError, "IPv4 length must be <= 32"),
        ((6, b"1234", 129), AttributeError, "IPv6 length must be <= 128"),
        ((4, b"1234", -1), AttributeError, "length must be >= 0"),
        ((4, b"1234", 2**70), AttributeError, "IPv4 length must be <= 32"),
        ((4, b"1234", -(2**70)), AttributeError, "length must be >= 0"),
        ((4, b"1234", "24"), TypeError, "length must be an integer"),
        ((4, b"1234", 24.0), TypeError, "length must be an integer"),
        ((4, b"1234", BadIndex()), ZeroDivisionError, None),
        ((4,), TypeError, "addr"),
        ((), TypeError, "version"),
        ((4, b"1234", 24, 1), TypeError, "at most 3"),
    ],
)
def test_constructor_errors(args, error, words):
    with pytest.raises(error, match=words):
        IPprefix(*args)


def test_no_other_keyword():
    with pytest.raises(TypeError):
        IPprefix(4, b"", width=3)


# --- text ----------------------------------------------------------------------------------------


@given(st.one_of(addresses, sparse6))
@example(ipaddress.ip_address("::"))
@example(ipaddress.ip_address("1::"))
@example(ipaddress.ip_address("::102:304"))
@example(ipaddress.ip_address("0:1:0:1:0:1:0:1"))
@example(ipaddress.ip_address("1:0:0:1:0:0:1:1"))
def test_str_is_ipaddress_str(address):
    assume(address.version == 4 or address.ipv4_mapped is None)
    assert str(IPprefix(address.version, address.packed)) == str(address)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    if address.version == 4 or int(address) >= 2**32:  # inet_ntop writes ::/96 in mixed notation
        assert str(IPprefix(address.version, address.packed)) == socket.inet_ntop(
            family, address.packed
        )


@given(st.ip_addresses(v=4))
def test_str_of_ipv4_mapped(address):
    packed = bytes(10) + b"\xff\xff" + address.packed
    assert (
        str(IPprefix(6, packed)) == f"::ffff:{address}" == socket.inet_ntop(socket.AF_INET6, packed)
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # RFC 5952 sections 1 and 2: forms of one address
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:0:1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"),  # 4.2.2
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  # 4.2.2: not one field alone
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  # 4.2.3: the longest run
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),  # 4.2.1
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),  # 5
        ("::ffff:c000:0201", "::ffff:192.0.2.1"),
        ("0:0:0:0:0:FFFF:192.0.2.1/100", "::ffff:192.0.2.1/100"),
        ("0000:0000:0000:0000:0000:ffff:255.255.255.255/128", "::ffff:255.255.255.255/128"),
        ("::192.0.2.1", "::c000:201"),  # deprecated: RFC 4291 section 2.5.5.1
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",) * 2,
        ("::/0", "::/0"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("255.255.255.255/32", "255.255.255.255/32"),
        ("192.168.1.1", "192.168.1.1"),
        ("fe80::20d:60ff:fe38:18b/64", "fe80::20d:60ff:fe38:18b/64"),
    ],
)
def test_from_s(text, written):
    prefix = from_s(text)
    assert str(prefix) == written
    assert repr(prefix) == f"IPprefix('{written}')"
    address, _, length = text.partition("/")
    assert prefix.addr == ipaddress.ip_address(address).packed
    assert prefix.length == (int(length) if length else None)


@given(values())
def test_text_and_back(value):
    version, packed, length = value
    back = from_s(str(IPprefix(*value)))
    assert (back.version, back.addr, back.length) == (version, packed, length)


BAD_TEXTS = [
    "", " ", "/", "/24", "1", "1.2.3", "1.2.3.", ".1.2.3.4", "1.2.3.4.", "1.2.3.4.5", "1..2.3",
    "256.1.1.1", "010.1.1.1", "00.1.1.1", "1.2.3.4000", "0x7f.0.0.1", "-1.2.3.4", "+1.2.3.4",
    "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4\0", "\x001.2.3.4", "1.2\x00.3.4", "1.2.3.4\0/24",
    "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3.4/ 8", "1.2.3.4/8 ", "1.2.3.4/8\0",
    "1.2.3.4/08", "1.2.3.4/00", "1.2.3.4/8/8", "1.2.3.4//8", "1.2.3.4/x", "1.2.3.4/0x8",
    "1.2.3.4/255.0.0.0", "1.2.3.4/4294967304", "1.2.3.4/18446744073709551624",
    "::/129", "::/-1", "::/", "::/1000", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", ":1:2:3:4:5:6:7:8", "12345::",
    "00001::", "g::", "fe80::1%eth0", "fe80::1%1/64", "%", "[::1]", "::1.2.3", "::01.2.3.4",
    "::1.2.3.4.5", "1.2.3.4::", "::1.2.3.4:5", "localhost", "example.net", "1" * 1000, "1:" * 1000,
    "\u0661.2.3.4", "1.2.3.4/\u0668", "\uff11.2.3.4", "1.2.3.4\u20028", "\ud800", "\U0001f4a9",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_from_s_errors(text):
    with pytest.raises(ValueError, match=r"^(not an IPv4 or IPv6 address|IPv[46] length must be )"):
        from_s(text)


def test_from_s_error_says_what():
    with pytest.raises(ValueError, match=r"^not an IPv4 or IPv6 address: '1\.2\.3'$"):
        from_s("1.2.3")
    with pytest.raises(ValueError, match=r"^IPv4 length must be 0 to 32: '1\.2\.3\.4/33'$"):
        from_s("1.2.3.4/33")
    with pytest.raises(ValueError, match="not an IPv4") as caught:
        from_s("1" * 100_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("obj", [None, 1, b"1.2.3.4", bytearray(b"::"), 1.5, [], V4])
def test_from_s_takes_str_only(obj):
    with pytest.raises(TypeError, match="must be a str, not "):
        from_s(obj)


def stdlib_takes(text):
    """Whether ipaddress takes the text: but for scope ids, netmasks and zeros before a length."""
    length = text.partition("/")[2]
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    # the standard library takes a netmask, or leading zeros, for a length
    return "%" not in text and "." not in length and (length == str(int(length or 0)) or not length)


@given(
    st.one_of(
        st.text(alphabet="0123456789abcdefABCDEF:./", max_size=50),
        st.text(),
        st.lists(st.sampled_from(["0", "1", "ffff", "::", ":", ".", "/", "25", "256"])).map(
            "".join
        ),
    )
)
def test_from_s_takes_what_ipaddress_takes(text):
    if stdlib_takes(text):
        assert from_s(text).addr == ipaddress.ip_interface(text).packed
    else:
        with pytest.raises(ValueError, match=r"not an IP|length must be"):
            from_s(text)


@given(values(), st.data())
def test_from_s_of_nearly_good_text(value, data):
    """One character of a good text changed, put in or taken out."""
    text = str(IPprefix(*value))
    at = data.draw(st.integers(0, len(text)))
    end = at + data.draw(st.integers(0, 1))
    text = text[:at] + data.draw(st.text("0123456789af:./%x \0", max_size=1)) + text[end:]
    if stdlib_takes(text):
        assert from_s(text).addr == ipaddress.ip_interface(text).packed
    else:
        with pytest.raises(ValueError, match=r"not an IP|length must be"):
            from_s(text)


def test_repr_names_the_subclass():
    assert repr(Sub(4, b"\x0a", 8)) == "Sub('10.0.0.0/8')"


# --- attributes ----------------------------------------------------------------------------------


def test_addr_is_a_new_bytearray_each_time():
    first = V4.addr
    assert type(first) is bytearray
    first[0] = 0
    first.append(1)
    assert V4.addr == b"\xc0\0\2\1"
    assert len(V6.addr) == 16


@pytest.mark.parametrize(
    ("text", "lengths"), [("192.0.2.1", range(1, 33)), ("2001:db8::1", range(1, 129))]
)
def test_length_may_be_set(text, lengths):
    prefix = from_s(text)
    assert prefix.length is None
    for length in lengths:
        prefix.length = length
        assert prefix.length == length
        assert prefix.width == length - 1
        assert str(prefix) == f"{text}/{length}"
    prefix.length = Indexes()
    assert prefix.length == 4


@pytest.mark.parametrize(
    ("prefix", "length", "error", "words"),
    [
        (V4, 33, ValueError, "^IPv4 length must be <= 32$"),
        (V6, 129, ValueError, "^IPv6 length must be <= 128$"),
        (V4, 2**100, ValueError, "^IPv4 length must be <= 32$"),
        (V4, 0, ValueError, "^length must be > 0$"),
        (V4, -1, ValueError, "^length must be > 0$"),
        (V6, -(2**100), ValueError, "^length must be > 0$"),
        (V4, None, TypeError, "^length must be an integer$"),
        (V4, "24", TypeError, "^length must be an integer$"),
        (V4, 24.0, TypeError, "^length must be an integer$"),
        (V4, b"\x18", TypeError, "^length must be an integer$"),
        (V4, V6, TypeError, "^length must be an integer$"),
        (V4, BadIndex(), ZeroDivisionError, None),
    ],
)
def test_length_errors(prefix, length, error, words):
    before = prefix.length
    with pytest.raises(error, match=words):
        prefix.length = length
    assert prefix.length == before


@pytest.mark.parametrize("name", ["version", "addr"])
@pytest.mark.parametrize("value", [4, 6, b"1234", None])
def test_version_and_addr_are_read_only(name, value):
    with pytest.raises(AttributeError, match=r"^version and addr are READONLY$"):
        setattr(V4, name, value)
    with pytest.raises(AttributeError, match=r"^version and addr are READONLY$"):
        delattr(V4, name)
    assert str(V4) == "192.0.2.1/24"


@pytest.mark.parametrize("name", ["width", "complement", "is_rfc1918", "equal", "nothing"])
def test_nothing_else_can_be_set_or_deleted(name):
    with pytest.raises(AttributeError, match=name):
        setattr(V4, name, 1)
    with pytest.raises(AttributeError, match=name):
        delattr(V4, name)


def test_length_can_not_be_deleted():
    prefix = from_s("10.0.0.0/8")
    with pytest.raises(TypeError, match="length"):
        del prefix.length
    assert prefix.length == 8


def test_the_type_can_not_be_changed():
    with pytest.raises(TypeError, match="IPprefix"):
        IPprefix.extra = 1


def test_width_needs_a_length():
    with pytest.raises(AttributeError, match="length is not set"):
        _ = from_s("10.0.0.1").width
    assert from_s("10.0.0.0/0").width == -1


@given(values())
def test_complement(value):
    version, packed, length = value
    prefix = IPprefix(*value)
    assert prefix.complement.addr == bytes(255 - byte for byte in packed)
    assert (prefix.complement.version, prefix.complement.length) == (version, length)
    assert prefix.complement.complement == prefix
    assert prefix.addr == packed


def test_complement_by_hand():
    assert str(from_s("10.1.2.3/8").complement) == "245.254.253.252/8"
    assert str(from_s("::").complement) == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    # nothing of an IPv4 address is left in the bytes behind it
    assert from_s("10.1.2.3").complement == from_s("245.254.253.252")
    assert hash(from_s("10.1.2.3").complement) == hash(from_s("245.254.253.252"))


PRIVATE = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


@given(values(4))
@example((4, b"\x0a\xff\xff\xff", None))
@example((4, b"\xac\x10\x00\x00", 12))
@example((4, b"\xac\x10\x00\x00", 11))
@example((4, b"\xac\x1f\xff\xff", 32))
@example((4, b"\xac\x20\x00\x00", None))
@example((4, b"\xac\x0f\xff\xff", None))
@example((4, b"\xc0\xa8\x01\x01", 16))
@example((4, b"\xc0\xa8\x01\x01", 15))
@example((4, b"\xc0\xa9\x00\x00", None))
@example((4, b"\x0a\x00\x00\x00", 7))
@example((4, b"\x0b\x00\x00\x00", 8))
def test_is_rfc1918(value):
    _, packed, length = value
    network = ipaddress.ip_network((packed, 32 if length is None else length), strict=False)
    assert IPprefix(*value).is_rfc1918 is any(network.subnet_of(private) for private in PRIVATE)


def test_is_rfc1918_is_of_ipv4():
    for text in ("a00::", "::10.0.0.1", "::ffff:10.0.0.1", "fd00::1"):
        assert from_s(text).is_rfc1918 is False
    assert all(p.is_rfc1918 is True for p in (ipp.rfc1918s8, ipp.rfc1918s12, ipp.rfc1918s16))


# --- methods -------------------------------------------------------------------------------------


@given(pairs())
def test_equal(pair):
    a, b = pair
    assert IPprefix(*a).equal(IPprefix(*b)) is (a[1] == b[1])
    assert IPprefix(*a).equal(IPprefix(a[0], a[1])) is True


@given(values())
def test_has_bit_set(value):
    prefix = IPprefix(*value)
    bits = bits_of(value[1])
    assert "".join("01"[prefix.has_bit_set(n)] for n in range(len(bits))) == bits


def test_has_bit_set_outside():
    for text in ("0.0.0.0", "255.255.255.255/8", "::", "ffff::/1"):
        prefix = from_s(text)
        for n in (-1, -(2**31), -(2**100)):
            assert prefix.has_bit_set(n) is True
        for n in (8 * len(prefix.addr), 2**31, 2**100):
            assert prefix.has_bit_set(n) is False
    assert from_s("255.255.255.255").has_bit_set(31) is True


@pytest.mark.parametrize("n", [None, "1", 1.0, b"1", V4])
def test_has_bit_set_takes_an_integer(n):
    with pytest.raises(TypeError, match="integer"):
        V4.has_bit_set(n)
    with pytest.raises(ZeroDivisionError):
        V4.has_bit_set(BadIndex())


@pytest.mark.parametrize(
    ("a", "b", "bit"),
    [
        ("10.0.0.0/8", "11.0.0.0/8", 7),
        ("10.0.0.0/8", "10.1.0.0/16", 8),  # agree as far as the shorter goes
        ("10.1.0.0/16", "10.0.0.0/8", 8),
        ("10.0.0.0/32", "10.0.0.0/32", 32),
        ("0.0.0.0/1", "128.0.0.0/1", 0),
        ("10.0.0.0/0", "10.0.0.0/32", 0),
        ("192.0.2.1/32", "192.0.2.2/32", 30),
        ("192.0.2.1/24", "192.0.2.2/32", 24),
        ("2001:db8::/32", "2001:db9::/32", 31),
        ("2001:db8::/128", "2001:db8::1/128", 127),
    ],
)
def test_first_bit_different(a, b, bit):
    assert from_s(a).first_bit_different(from_s(b)) == bit


@given(pairs(unset=False))
def test_first_bit_different_is_that_of_the_bits(pair):
    a, b = pair
    shorter = min(a[2], b[2])
    ours, theirs = bits_of(a[1])[:shorter], bits_of(b[1])[:shorter]
    expected = next((i for i in range(shorter) if ours[i] != theirs[i]), shorter)
    assert IPprefix(*a).first_bit_different(IPprefix(*b)) == expected


@given(pairs(unset=False))
def test_is_prefix_is_supernet_of(pair):
    a, b = pair
    outer = ipaddress.ip_network((a[1], a[2]), strict=False)
    inner = ipaddress.ip_network((b[1], b[2]), strict=False)
    assert IPprefix(*a).is_prefix(IPprefix(*b)) is outer.supernet_of(inner)


def test_is_prefix_as_in_the_tutorial():
    home = from_s("192.0.2.0/24")
    inside, outside = from_s("192.0.2.77"), from_s("192.0.3.77")
    inside.length = outside.length = 32
    assert home.is_prefix(inside) is True
    assert home.is_prefix(outside) is False
    assert home.is_prefix(home) is True
    assert inside.is_prefix(home) is False
    assert from_s("0.0.0.0/0").is_prefix(outside) is True


@pytest.mark.parametrize("name", ["first_bit_different", "is_prefix"])
def test_methods_that_need_lengths(name):
    for a, b in (("10.0.0.1", "10.0.0.0/8"), ("::", "::")):
        with pytest.raises(AttributeError, match="length is not set"):
            getattr(from_s(a), name)(from_s(b))


def test_an_argument_without_a_length_is_a_whole_address():
    home, host = from_s("10.0.0.0/8"), from_s("10.1.2.3")
    assert home.is_prefix(host) is True
    assert host.length is None
    assert home.is_prefix(from_s("11.0.0.0")) is False
    assert from_s("10.1.2.3/32").is_prefix(host) is True
    assert from_s("2001:db8::1/128").is_prefix(from_s("2001:db8::1")) is True
    assert from_s("2001:db8::/32").is_prefix(from_s("2001:db9::")) is False
    assert home.first_bit_different(host) == 8  # they agree as far as home goes
    assert from_s("10.1.2.2/32").first_bit_different(host) == 31
    assert from_s("10.1.2.3/32").first_bit_different(host) == 32
    assert from_s("::/128").first_bit_different(from_s("::1")) == 127


@pytest.mark.parametrize("name", ["equal", "first_bit_different", "is_prefix"])
def test_methods_of_two(name):
    for a, b in ((V4, V6), (V6, V4)):
        with pytest.raises(AttributeError, match=VERSIONS):
            getattr(a, name)(b)
    for obj in (None, 1, "192.0.2.1", b"1234", V4.addr, V4.to_ipaddress(), IPprefix):
        with pytest.raises(TypeError, match="an IPprefix is required, not "):
            getattr(V4, name)(obj)
    with pytest.raises(TypeError):
        getattr(V4, name)()
    assert getattr(V4, name)(Sub(4, V4.addr, 24)) in (True, 24)


# --- equality, hash and order --------------------------------------------------------------------


@given(pairs())
def test_order(pair):
    (version, a_addr, a_length), (_, b_addr, b_length) = pair
    a, b = IPprefix(version, a_addr, a_length), IPprefix(version, b_addr, b_length)
    if a_length is None or b_length is None:
        left, right = (a_addr, 0), (b_addr, 0)
    else:
        left, right = (a_addr, -a_length), (b_addr, -b_length)
    assert (a < b, a <= b, a == b, a != b, a > b, a >= b) == (
        left < right, left <= right, left == right, left != right, left > right, left >= right,
    )  # fmt: skip
    if a == b:
        assert hash(a) == hash(b)


def test_equality_with_and_without_lengths():
    """An unset length equals any, so == is not transitive; the hash leaves lengths out."""
    plain, long, short = from_s("10.0.0.0"), from_s("10.0.0.0/16"), from_s("10.0.0.0/8")
    assert plain == long
    assert plain == short
    assert long != short
    assert len({hash(plain), hash(long), hash(short)}) == 1
    assert plain == from_s("10.0.0.0")
    assert plain != from_s("10.0.0.1")


def test_equality_between_versions_and_types():
    zero4, zero6 = from_s("0.0.0.0"), from_s("::")
    assert (zero4 == zero6, zero4 != zero6) == (False, True)
    for other in (None, 0, "192.0.2.1/24", b"", V4.addr, V4.to_ipaddress(), object()):
        assert V4.__eq__(other) is NotImplemented
        assert [V4, other].index(other) == 1
        assert other != V4
        assert not other == V4  # noqa: SIM201


@pytest.mark.parametrize("op", ["__lt__", "__le__", "__gt__", "__ge__"])
def test_order_errors(op):
    with pytest.raises(AttributeError, match=VERSIONS):
        getattr(V4, op)(V6)
    assert getattr(V4, op)("192.0.2.1") is NotImplemented
    with pytest.raises(TypeError, match="not supported between"):
        V4 < 1  # noqa: B015
    with pytest.raises(TypeError, match="not supported between"):
        sorted([V4, None])


def test_sorting():
    texts = [
        "10.0.0.0/8",
        "9.255.0.0/16",
        "10.0.0.0/16",
        "192.0.2.1/32",
        "10.0.0.0/32",
        "0.0.0.0/0",
    ]
    assert [str(p) for p in sorted(map(from_s, texts))] == [
        "0.0.0.0/0", "9.255.0.0/16", "10.0.0.0/32", "10.0.0.0/16", "10.0.0.0/8", "192.0.2.1/32",
    ]  # fmt: skip


@given(st.lists(values(6, unset=False)))
def test_sorting_is_that_of_the_numbers(many):
    ordered = sorted(IPprefix(*value) for value in many)
    keys = [(int.from_bytes(p.addr, "big"), -p.length) for p in ordered]
    assert keys == sorted((int.from_bytes(addr, "big"), -length) for _, addr, length in many)


def test_dict_keys():
    counts = {}
    for text in ("10.0.0.1", "::1", "10.0.0.1", "10.0.0.2", "0:0::1", "0.0.0.1"):
        key = from_s(text)
        counts[key] = counts.get(key, 0) + 1
    assert {str(key): n for key, n in counts.items()} == {
        "10.0.0.1": 2, "::1": 2, "10.0.0.2": 1, "0.0.0.1": 1,
    }  # fmt: skip
    assert counts[from_s("10.0.0.1/32")] == 2


def test_a_key_is_found_after_its_length_is_set():
    key = from_s("10.0.0.1")
    table = {key: 1}
    key.length = 32
    assert table[key] == table[from_s("10.0.0.1/32")] == 1
    assert from_s("10.0.0.1/31") not in table


def test_hashes_differ():
    assert len({hash(from_s(f"10.0.{i >> 8}.{i & 255}")) for i in range(10_000)}) > 9_990


# --- copies --------------------------------------------------------------------------------------

COPIERS = [copy.copy, copy.deepcopy] + [
    lambda obj, protocol=protocol: pickle.loads(pickle.dumps(obj, protocol))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
]


@pytest.mark.parametrize("copier", COPIERS)
@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1/8", "0.0.0.0/0", "::", "2001:db8::1/128"])
def test_copies(copier, text):
    prefix = from_s(text)
    twin = copier(prefix)
    assert type(twin) is IPprefix
    assert twin is not prefix
    assert str(twin) == text
    if twin.length:
        twin.length = 1
        assert str(prefix) == text


@pytest.mark.parametrize("copier", COPIERS)
@pytest.mark.parametrize("cls", [Sub, Slotted])
def test_copies_of_subclasses(copier, cls):
    prefix = cls(6, b"\xfe\x80", 10)
    prefix.note = "link-local"
    twin = copier(prefix)
    assert type(twin) is cls
    assert (str(twin), twin.note) == ("fe80::/10", "link-local")


# --- the standard library's objects --------------------------------------------------------------


@given(values())
def test_from_and_to_ipaddress(value):
    version, packed, length = value
    prefix = IPprefix(*value)
    theirs = prefix.to_ipaddress()
    address = ipaddress.ip_address(packed)
    if length is None:
        assert type(theirs) is type(address)
        assert theirs == address
        back = IPprefix.from_ipaddress(theirs)
        assert (back.version, back.addr, back.length) == value
    else:
        assert theirs == ipaddress.ip_network((packed, length), strict=False)
        back = IPprefix.from_ipaddress(theirs)
        assert (back.version, back.addr, back.length) == (
            version, theirs.network_address.packed, length,
        )  # fmt: skip
        interface = ipaddress.ip_interface((packed, length))
        back = IPprefix.from_ipaddress(interface)
        assert (back.version, back.addr, back.length) == value


def test_from_ipaddress_makes_the_subclass():
    for theirs, text in (
        (ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
        (ipaddress.ip_network("2001:db8::/32"), "2001:db8::/32"),
        (ipaddress.ip_interface("10.0.0.1/8"), "10.0.0.1/8"),
    ):
        prefix = Sub.from_ipaddress(theirs)
        assert type(prefix) is Sub
        assert str(prefix) == text


@pytest.mark.parametrize("obj", [None, 1, "10.0.0.1", b"1234", V4, ipaddress.IPv4Address, object()])
def test_from_ipaddress_errors(obj):
    with pytest.raises(TypeError, match="not an ipaddress address, interface or network"):
        IPprefix.from_ipaddress(obj)


def test_from_ipaddress_has_no_room_for_scope_ids():
    for text in ("fe80::1%eth0", "fe80::1%1"):
        with pytest.raises(ValueError, match="scope id"):
            IPprefix.from_ipaddress(ipaddress.IPv6Address(text))
        with pytest.raises(ValueError, match="scope id"):
            IPprefix.from_ipaddress(ipaddress.IPv6Interface(text + "/64"))


def test_from_ipaddress_of_a_liar():
    class Liar(ipaddress.IPv4Address):
        packed = b"12345"

    class Worse(ipaddress.IPv4Network):
        prefixlen = 2**40

    class Worst(ipaddress.IPv6Network):
        prefixlen = 2**80

    class Broken(ipaddress.IPv6Address):
        @property
        def packed(self):
            raise ZeroDivisionError

    class Text(ipaddress.IPv4Network):
        prefixlen = "8"

    class Lost(ipaddress.IPv4Network):
        @property
        def prefixlen(self):
            raise ZeroDivisionError

    class Negative(ipaddress.IPv6Network):
        prefixlen = -1

    class Scopeless(ipaddress.IPv6Address):
        @property
        def scope_id(self):
            raise ZeroDivisionError

    with pytest.raises(TypeError, match="integer"):
        IPprefix.from_ipaddress(Text("10.0.0.0/8"))
    with pytest.raises(ZeroDivisionError):
        IPprefix.from_ipaddress(Lost("10.0.0.0/8"))
    with pytest.raises(ValueError, match="prefixlen out of range: -1"):
        IPprefix.from_ipaddress(Negative("::/8"))
    with pytest.raises(ZeroDivisionError):
        IPprefix.from_ipaddress(Scopeless("::1"))
    nowhere = ipaddress.ip_interface("::1/8")
    del nowhere.network
    with pytest.raises(AttributeError, match="network"):
        IPprefix.from_ipaddress(nowhere)

    class Wordy(ipaddress.IPv4Address):
        packed = "1234"

    class Placeless(ipaddress.IPv4Network):
        @property
        def network_address(self):
            return Wordy("10.0.0.0")

        @network_address.setter
        def network_address(self, value):
            pass

    with pytest.raises(TypeError, match="packed must be 4 bytes"):
        IPprefix.from_ipaddress(Wordy("10.0.0.1"))
    with pytest.raises(TypeError, match="packed must be 4 bytes"):
        IPprefix.from_ipaddress(Placeless("10.0.0.0/8"))
    with pytest.raises(TypeError, match="packed must be 4 bytes"):
        IPprefix.from_ipaddress(Liar("10.0.0.1"))
    with pytest.raises(ValueError, match=f"prefixlen out of range: {2**40}"):
        IPprefix.from_ipaddress(Worse("10.0.0.0/8"))
    with pytest.raises(ValueError, match=f"prefixlen out of range: {2**80}"):
        IPprefix.from_ipaddress(Worst("::/8"))
    with pytest.raises(ZeroDivisionError):
        IPprefix.from_ipaddress(Broken("::1"))


def test_from_ipaddress_without_the_module_or_one_of_its_classes(monkeypatch):
    address = ipaddress.ip_address("192.0.2.1")
    prefix = from_s("192.0.2.0/24")
    with monkeypatch.context() as patch:
        patch.setattr(ipaddress, "IPv4Interface", 5)
        with pytest.raises(TypeError):
            IPprefix.from_ipaddress(address)
    with monkeypatch.context() as patch:
        patch.delattr(ipaddress, "IPv4Interface")
        with pytest.raises(AttributeError, match="IPv4Interface"):
            IPprefix.from_ipaddress(address)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ipaddress", None)
        for use in (lambda: IPprefix.from_ipaddress(address), prefix.to_ipaddress):
            with pytest.raises(ImportError):
                use()
    assert IPprefix.from_ipaddress(address) == from_s("192.0.2.1")
    assert prefix.to_ipaddress() == ipaddress.ip_network("192.0.2.0/24")


def test_copies_of_what_has_no_state(monkeypatch):
    class Stateless(IPprefix):
        def __getstate__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        copy.copy(Stateless(4, b"\xc0\0\2\1"))
    monkeypatch.setitem(sys.modules, "copyreg", None)
    with pytest.raises(ImportError):
        from_s("192.0.2.1").__reduce__()


# --- the capsule ---------------------------------------------------------------------------------


class Value(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_uint8),
        ("length", ctypes.c_int16),
        ("addr", ctypes.c_uint8 * 16),
    )


class Api(ctypes.Structure):
    _fields_ = (
        ("api_version", ctypes.c_int),
        ("prefix_type", ctypes.c_void_p),
        (
            "prefix_new",
            ctypes.PYFUNCTYPE(
                ctypes.py_object, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int
            ),
        ),
        (
            "prefix_value",
            ctypes.PYFUNCTYPE(
                ctypes.c_int, ctypes.c_void_p, ctypes.py_object, ctypes.POINTER(Value)
            ),
        ),
    )


@pytest.fixture
def api():
    """The struct that the capsule points at."""
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
    capsule = sys.modules["ipp._ipp"]._C_API
    return Api.from_address(get_pointer(capsule, b"ipp._ipp._C_API"))


def test_capsule_names_the_type(api):
    assert api.api_version == 2
    assert api.prefix_type == id(IPprefix)


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1/8", "0.0.0.0/0", "::1", "2001:db8::1/128"])
def test_capsule_makes_and_reads(api, text):
    theirs = ipaddress.ip_interface(text)
    length = theirs.network.prefixlen if "/" in text else -1
    prefix = api.prefix_new(ctypes.addressof(api), theirs.version, theirs.packed, length)
    assert type(prefix) is IPprefix
    assert str(prefix) == text
    value = Value()
    for obj in (prefix, Sub(theirs.version, theirs.packed, None if length < 0 else length)):
        assert api.prefix_value(ctypes.addressof(api), obj, ctypes.byref(value)) == 0
        assert (value.version, value.length) == (theirs.version, length)
        assert bytes(value.addr) == theirs.packed.ljust(16, b"\0")


@pytest.mark.parametrize("obj", [None, "10.0.0.1", b"1234", IPprefix])
def test_capsule_reads_nothing_else(api, obj):
    with pytest.raises(TypeError, match="an IPprefix is required"):
        api.prefix_value(ctypes.addressof(api), obj, ctypes.byref(Value()))
