"""Prefixes given as texts and as objects of the module ipaddress, and `in`, which that judges."""

import ipaddress
import itertools
import random

import pytest

import natkit
from ipp import IPprefix, from_s

ADDRESSES = (
    "0.0.0.0",
    "10.1.2.3",
    "10.255.0.1",
    "11.0.0.0",
    "::",
    "::ffff:10.1.2.3",
    "2001:db8::1",
)
LENGTHS = {4: (0, 1, 8, 9, 15, 24, 31, 32), 6: (0, 1, 7, 32, 64, 127, 128)}


class Network(IPprefix):
    """A subclass."""


@pytest.mark.parametrize("text", ["10.1.2.3", "10.1.2.3/8", "0.0.0.0/0", "::1", "2001:db8::1/32"])
@pytest.mark.parametrize("cls", [IPprefix, Network])
def test_from_one_text(cls: type[IPprefix], text: str) -> None:
    made = cls(text)
    theirs = ipaddress.ip_interface(text)
    assert type(made) is cls
    assert (made.version, bytes(made.addr)) == (theirs.version, theirs.packed)
    assert made.length == (theirs.network.prefixlen if "/" in text else None)
    assert str(made) == text


@pytest.mark.parametrize("text", ["192.0.2.7", "2001:db8::7"])
def test_from_one_ipaddress_object(text: str) -> None:
    bits = ipaddress.ip_address(text).max_prefixlen
    assert IPprefix(ipaddress.ip_address(text)).length is None
    interface = IPprefix(ipaddress.ip_interface(f"{text}/{bits - 8}"))
    assert (str(interface), interface.length) == (f"{text}/{bits - 8}", bits - 8)
    network = IPprefix(ipaddress.ip_network(f"{text}/{bits - 8}", strict=False))
    assert network.to_ipaddress() == ipaddress.ip_network(f"{text}/{bits - 8}", strict=False)


def test_from_another_prefix() -> None:
    first = from_s("192.0.2.7/24")
    second = IPprefix(first)
    first.length = 8
    assert str(second) == "192.0.2.7/24"


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0", "localhost", "::1%lo", "4"])
def test_texts_that_are_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match="IPv4"):
        IPprefix(text)
    with pytest.raises(ValueError, match="IPv4"):
        assert text not in from_s("10.0.0.0/8")


@pytest.mark.parametrize("obj", [None, 4, 4.0, b"\x0a\0\0\1", ["10.0.0.0/8"]])
def test_one_argument_of_another_type(obj: object) -> None:
    with pytest.raises(TypeError, match="addr"):
        IPprefix(obj)
    with pytest.raises(TypeError, match="an IPprefix, str or ipaddress object is required, not "):
        assert obj in from_s("10.0.0.0/8")


def test_one_argument_alone() -> None:
    with pytest.raises(ValueError, match="version must be 4 or 6"):
        IPprefix("10.0.0.0", 8)
    with pytest.raises(TypeError, match="with a length takes a version and an addr"):
        IPprefix("10.0.0.0", length=8)
    assert IPprefix(version="10.0.0.0/8") == from_s("10.0.0.0/8")


def test_addresses_in_prefixes_are_those_that_ipaddress_finds() -> None:
    rng = random.Random(11)
    for one, other in itertools.product(map(ipaddress.ip_address, ADDRESSES), repeat=2):
        for length in LENGTHS[one.version]:
            network = ipaddress.ip_network(f"{one}/{length}", strict=False)
            inside = other in network
            prefix = from_s(f"{one}/{length}")
            for x in (other, str(other), from_s(str(other))):
                assert (x in prefix) is inside
            near = ipaddress.ip_address(int(one) ^ 1 << rng.randrange(one.max_prefixlen))
            if near.version == one.version:
                assert (str(near) in prefix) is (near in network)


def test_prefixes_in_prefixes_are_those_that_ipaddress_finds() -> None:
    for version, address in ((4, "10.1.2.3"), (6, "2001:db8::1")):
        networks = [
            ipaddress.ip_network(f"{address}/{length}", strict=False) for length in LENGTHS[version]
        ]
        for one, other in itertools.product(networks, repeat=2):
            inside = other.subnet_of(one)
            prefix = from_s(str(one))
            assert (other in prefix) is (str(other) in prefix) is (from_s(str(other)) in prefix)
            assert (other in prefix) is inside


def test_host_bits_are_ignored() -> None:
    assert "10.9.9.9" in from_s("10.1.2.3/8")
    assert "10.9.9.9/16" in from_s("10.1.2.3/8")
    assert "10.9.9.9/7" not in from_s("10.1.2.3/8")


def test_nothing_is_in_an_address() -> None:
    with pytest.raises(AttributeError, match="length is not set"):
        assert "10.1.2.3" in from_s("10.1.2.3")


def test_home_of_texts_and_objects() -> None:
    texts = ("192.0.2.77/24", "2001:db8:1::ff/64")
    expected = natkit.FlowHome(*map(from_s, texts)).prefixes
    assert natkit.FlowHome(*texts).prefixes == expected
    assert natkit.FlowHome(*map(ipaddress.ip_interface, texts)).prefixes == expected
    networks = [ipaddress.ip_network(text, strict=False) for text in texts]
    assert natkit.FlowHome(*networks).prefixes == expected
    with pytest.raises(ValueError, match=r"argument 2 has no length: 198\.51\.100\.0"):
        natkit.FlowHome(texts[0], "198.51.100.0")
    with pytest.raises(ValueError, match="not an IPv4 or IPv6 address: 'home'"):
        natkit.FlowHome("home")


@pytest.mark.parametrize("text", ["192.0.2.77", "192.0.2.77/24", "2001:db8::1", "2001:db8::/32"])
def test_anonymising_texts_and_objects(text: str) -> None:
    pan = natkit.CryptoPan("a key")
    moved = pan.anonymise(from_s(text))
    obj = ipaddress.ip_interface(text) if "/" in text else ipaddress.ip_address(text)
    for x in (text, obj):
        assert pan.anonymise(x) == moved
        assert pan.anonymise(x).length == moved.length
    assert str(pan.deanonymise(str(moved))) == text
    with pytest.raises(TypeError, match="an IPprefix, str or ipaddress object is required, not "):
        pan.anonymise(b"1234")
    with pytest.raises(ValueError, match="not an IPv4 or IPv6 address"):
        pan.anonymise("localhost")
