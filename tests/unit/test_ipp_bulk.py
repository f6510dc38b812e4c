"""ipp's functions for many addresses, against the standard library's ipaddress."""

import array
import contextlib
import ctypes
import gc
import hashlib
import io
import ipaddress
import threading
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ipp

# fields of 0, 1 and ffff make the runs of zeros that random addresses don't have
sparse6 = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF]), min_size=8, max_size=8).map(
    lambda fields: ipaddress.IPv6Address(b"".join(f.to_bytes(2, "big") for f in fields))
)
addresses = st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), sparse6, st.none()))
# of few bits, so that many an address is inside
near = st.integers(0, 7).map(lambda n: ipaddress.IPv4Address(0xC0000200 | n << 22))
near6 = st.integers(0, 7).map(lambda n: ipaddress.IPv6Address(0x20010DB8 << 96 | n << 62))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def packed(rows: list[Address | None]) -> bytes:
    """Rows of 16 bytes, as plt's columns have them."""
    return b"".join((row.packed if row else b"").ljust(16, b"\0") for row in rows)


def versions(rows: list[Address | None]) -> bytes:
    return bytes(row.version if row else 0 for row in rows)


def text_of(address: Address) -> str:
    """RFC 5952; its section 5 for IPv4-mapped ones, which str() has only from Python 3.13 on."""
    if address.version == 6 and address.ipv4_mapped:
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)


# --- format --------------------------------------------------------------------------------------


@given(addresses)
def test_format(rows: list[Address | None]) -> None:
    expected = [text_of(row) if row else None for row in rows]
    assert ipp.format(packed(rows), versions(rows)) == expected


@given(st.lists(st.ip_addresses(v=4)))
def test_format_of_one_version_four(rows: list[ipaddress.IPv4Address]) -> None:
    expected = [str(row) for row in rows]
    assert ipp.format(packed(list(rows)), 4) == expected
    if rows:
        four = memoryview(b"".join(row.packed for row in rows)).cast("B", (len(rows), 4))
        assert ipp.format(four) == ipp.format(four, 4) == expected


@given(st.lists(st.ip_addresses(v=6)))
def test_format_of_one_version_six(rows: list[ipaddress.IPv6Address]) -> None:
    expected = [text_of(row) for row in rows]
    assert ipp.format(packed(list(rows))) == ipp.format(packed(list(rows)), 6) == expected


def test_format_takes_what_has_a_buffer() -> None:
    one = ipaddress.ip_address("2001:db8::1").packed
    for flat in (one, bytearray(one), memoryview(one), array.array("B", one)):
        assert ipp.format(flat) == ["2001:db8::1"]
    assert ipp.format(memoryview(one * 2).cast("B", (2, 16)), bytearray(b"\x06\x00")) == [
        "2001:db8::1",
        None,
    ]
    assert ipp.format(b"") == ipp.format(b"", b"") == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((b"\0" * 15,), ValueError, "16 bytes each, not 15 in all"),
        ((memoryview(bytes(16)).cast("B", (2, 8)),), ValueError, "rows of 16 or 4 bytes"),
        ((memoryview(bytes(16)).cast("B", (1, 1, 16)),), ValueError, "rows of 16 or 4 bytes"),
        ((memoryview(bytes(64))[::2],), ValueError, "addresses must be contiguous"),
        ((array.array("I", [1] * 4),), ValueError, "not items of 4 bytes"),
        ((5,), TypeError, "must be an array or bytes-like, not int"),
        (("192.0.2.1",), TypeError, "must be an array or bytes-like, not str"),
        ((bytes(16), 5), ValueError, "version must be 4 or 6"),
        ((bytes(16), 1 << 80), ValueError, "version must be 4 or 6"),
        ((bytes(16), "6"), TypeError, "version must be 4, 6, an array or bytes-like, not str"),
        ((bytes(16), [6]), TypeError, "not list"),
        ((bytes(16), ctypes.c_char(b"6")), TypeError, "cannot be interpreted as an integer"),
        ((bytes(16), b"\6\6"), ValueError, "there are 1 addresses and 2 versions"),
        ((bytes(16), array.array("I", [6])), ValueError, "versions must be bytes, not items of 4"),
        ((bytes(32), memoryview(b"\6\6\6\6")[::2]), ValueError, "versions must be contiguous"),
        ((bytes(48), b"\4\6\5"), ValueError, "address 2 of 16 bytes can't be of version 5"),
        ((memoryview(bytes(4)).cast("B", (1, 4)), 6), ValueError, "4 bytes can't be IPv6"),
        (
            (memoryview(bytes(8)).cast("B", (2, 4)), b"\4\6"),
            ValueError,
            "address 1 of 4 bytes can't be of version 6",
        ),
        ((), TypeError, "takes 1 or 2 arguments, not 0"),
        ((b"", 4, 4), TypeError, "takes 1 or 2 arguments, not 3"),
    ],
)
def test_format_of_bad_arguments(
    arguments: tuple[object, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ipp.format(*arguments)  # type: ignore[arg-type]


# --- parse ---------------------------------------------------------------------------------------


@given(addresses)
def test_parse(rows: list[Address | None]) -> None:
    bytes_, kinds = ipp.parse([str(row) if row else None for row in rows])
    assert (bytes_.shape, bytes_.format, bytes_.contiguous) == ((len(rows), 16), "B", True)
    assert (kinds.shape, kinds.format) == ((len(rows),), "B")
    assert bytes_.tobytes() == packed(rows)
    assert kinds.tobytes() == versions(rows)


def test_parse_takes_any_iterable() -> None:
    texts = ["192.0.2.1", "2001:DB8:0::1", "::ffff:192.0.2.1"]
    expected = [ipaddress.ip_address(text) for text in texts]
    for given_ in (texts, tuple(texts), iter(texts), dict.fromkeys(texts)):
        bytes_, kinds = ipp.parse(given_)
        assert bytes_.tobytes() == packed(expected)
        assert kinds.tolist() == [4, 6, 6]


@pytest.mark.parametrize(
    "bad",
    ["", "192.0.2", "192.0.2.01", "192.0.2.1/24", "::1/128", "::1%eth0", "1::2::3", "x\0", "é"],
)
def test_parse_names_the_bad_entry(bad: str) -> None:
    with pytest.raises(ValueError, match="entry 2 is no IPv4 or IPv6 address") as caught:
        ipp.parse(["::1", None, bad, "worse"])
    assert repr(bad) in str(caught.value)


def test_parse_of_arrays_of_texts() -> None:
    """Those of NumPy's kinds, and of objects, as columns have them."""
    np = pytest.importorskip("numpy")
    texts = ["::1", "192.0.2.1"]
    expected = [array.tobytes() for array in ipp.parse(texts)]
    for kind in ("U", "O"):
        assert [array.tobytes() for array in ipp.parse(np.array(texts, kind))] == expected
    with pytest.raises(TypeError, match="entry 0 must be a str or None, not bytes"):
        ipp.parse(np.array([b"::1"], "O"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (memoryview(b"::1"), "parse.. takes an iterable of str, not memoryview"),
        ("192.0.2.1", "parse.. takes an iterable of str, not str"),
        (b"192.0.2.1", "parse.. takes an iterable of str, not bytes"),
        (5, "int"),
        (["::1", 5], "entry 1 must be a str or None, not int"),
        ([b"::1"], "entry 0 must be a str or None, not bytes"),
    ],
)
def test_parse_of_what_is_no_list_of_str(bad: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ipp.parse(bad)  # type: ignore[arg-type]


def test_parse_of_a_list_that_changes_meanwhile() -> None:
    texts: list[str] = []

    class Hostile(str):
        """Empties the list when the message of the error asks for its repr."""

        def __repr__(self) -> str:
            texts.clear()
            return "gone"

    texts += [Hostile("x"), "::1"]
    with pytest.raises(ValueError, match="entry 0 is no IPv4 or IPv6 address: gone"):
        ipp.parse(texts)


# --- contains ------------------------------------------------------------------------------------


@given(
    st.lists(st.one_of(near, near6, st.ip_addresses(v=4), st.ip_addresses(v=6), st.none())),
    st.one_of(near, near6),
    st.integers(0, 128),
)
def test_contains(rows: list[Address | None], base: Address, length: int) -> None:
    length = min(length, base.max_prefixlen)
    prefix = ipp.IPprefix(base.version, base.packed, length)
    network = ipaddress.ip_network((base, length), strict=False)
    inside = prefix.contains(packed(rows), version=versions(rows))
    assert (inside.format, inside.shape) == ("?", (len(rows),))
    assert inside.tolist() == [row is not None and row in network for row in rows]


def test_contains_of_one_version() -> None:
    four = [ipaddress.ip_address(f"192.0.{n}.1") for n in range(4)]
    compact = memoryview(b"".join(row.packed for row in four)).cast("B", (4, 4))
    prefix = ipp.from_s("192.0.2.0/23")
    expected = [False, False, True, True]
    assert prefix.contains(compact).tolist() == expected
    assert prefix.contains(compact, 4).tolist() == expected
    assert prefix.contains(packed(list(four)), 4).tolist() == expected
    assert prefix.contains(packed(list(four)), 6).tolist() == [False] * 4
    assert ipp.from_s("::/0").contains(packed(list(four)), 4).tolist() == [False] * 4
    six = packed([ipaddress.ip_address("2001:db8::1"), ipaddress.ip_address("2001:db9::1")])
    assert ipp.from_s("2001:db8::/32").contains(six).tolist() == [True, False]


def test_contains_needs_a_length() -> None:
    with pytest.raises(AttributeError, match="length is not set"):
        ipp.from_s("192.0.2.1").contains(bytes(16), 4)


@pytest.mark.parametrize(
    ("prefix", "arguments", "error", "message"),
    [
        ("192.0.2.0/24", (bytes(16),), ValueError, "are IPv6 where no version is given"),
        (
            "::/0",
            (memoryview(bytes(4)).cast("B", (1, 4)),),
            ValueError,
            "are IPv4 where no version is given",
        ),
        (
            "::/0",
            (memoryview(bytes(4)).cast("B", (1, 4)), b"\6"),
            ValueError,
            "4 bytes can't be IPv6",
        ),
        ("::/0", (bytes(16), 5), ValueError, "version must be 4 or 6"),
        ("::/0", (bytes(17),), ValueError, "not 17 in all"),
        ("::/0", (bytes(16), b""), ValueError, "there are 1 addresses and 0 versions"),
        ("::/0", ("::1",), TypeError, "not str"),
        ("::/0", (), TypeError, "addresses"),
    ],
)
def test_contains_of_bad_arguments(
    prefix: str, arguments: tuple[object, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ipp.from_s(prefix).contains(*arguments)  # type: ignore[arg-type]


# --- memory --------------------------------------------------------------------------------------


def test_results_by_any_request_of_the_buffer_protocol() -> None:
    """Without format, shape or strides too: the bytes alone (PyBUF_SIMPLE), as hashes ask for."""
    bytes_, kinds = ipp.parse(["192.0.2.1", "2001:db8::1"])
    rows = packed([ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1")])
    for view, content in ((bytes_, rows), (kinds, b"\4\6")):
        assert hashlib.sha256(view.obj).digest() == hashlib.sha256(content).digest()
        assert b"".join([view.obj]) == content
        io.BytesIO(b"\0" * 99).readinto(view.obj)
        assert bytes(view.obj) == bytes(len(content))


def test_results_outlive_each_other() -> None:
    """A view keeps its memory, which is its own to change."""
    bytes_, kinds = ipp.parse(["192.0.2.1"] * 1000)
    tail = kinds[500:]
    del kinds
    gc.collect()
    assert tail.tolist() == [4] * 500
    bytes_[999, 3] = 7
    assert ipp.format(bytes_[:], 4)[998:] == ["192.0.2.1", "192.0.2.7"]
    assert not bytes_.readonly


def test_nothing_leaks() -> None:
    good, kinds = packed([ipaddress.ip_address("::1")] * 100), b"\6" * 100
    bad = b"\6" * 99 + b"\5"

    def once() -> None:
        for versions_ in (kinds, bad, b"", 6, "x"):
            for call in (ipp.format, ipp.from_s("::/0").contains):
                with contextlib.suppress(ValueError, TypeError):
                    call(good, versions_)  # type: ignore[operator]
        for last in ("::1", None, "x", 5):
            with contextlib.suppress(ValueError, TypeError):
                ipp.parse(["::1"] * 100 + [last])  # type: ignore[list-item]

    once()
    gc.collect()
    tracemalloc.start()
    try:
        once()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            once()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 2000
    finally:
        tracemalloc.stop()


def test_contains_runs_in_threads() -> None:
    rows = [ipaddress.ip_address(f"192.0.2.{n}") for n in range(256)]
    data = packed(list(rows)) * 200
    expected = ([True] * 128 + [False] * 128) * 200
    results: list[list[bool]] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(ipp.from_s("192.0.2.0/25").contains(data, 4).tolist())
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


# --- NumPy ---------------------------------------------------------------------------------------


def test_numpy_arrays() -> None:
    np = pytest.importorskip("numpy")
    texts = ["192.0.2.1", None, "2001:db8::1", "198.51.100.7"]
    views = ipp.parse(texts)
    bytes_, kinds = np.asarray(views[0]), np.asarray(views[1])
    assert (bytes_.shape, bytes_.dtype, kinds.dtype) == ((4, 16), np.uint8, np.uint8)
    assert np.shares_memory(bytes_, np.asarray(views[0]))
    assert ipp.format(bytes_, kinds) == texts
    assert ipp.format(bytes_[:1, :4].copy()) == ["192.0.2.1"]
    assert ipp.format(bytes_[:1], np.uint8(4)) == ["192.0.2.1"]
    with pytest.raises(ValueError, match="contiguous"):
        ipp.format(bytes_[:, :4], 4)
    with pytest.raises(ValueError, match="items of 8 bytes"):
        ipp.format(bytes_, kinds.astype(np.int64))
    inside = np.asarray(ipp.from_s("192.0.2.0/24").contains(bytes_, kinds))
    assert inside.dtype == np.bool_
    assert inside.tolist() == [True, False, False, False]
    assert np.asarray(ipp.parse([])[0]).shape == (0, 16)
