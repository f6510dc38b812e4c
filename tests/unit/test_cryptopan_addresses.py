"""natkit.CryptoPan on addresses, against the paper's sample and its definition on a plain AES."""

from ipaddress import ip_address

import pytest
from addressed import PAN, SAMPLE, SAMPLE6, SAMPLE_KEY, any_address, keys, mapped, prefix
from hypothesis import given, settings
from hypothesis import strategies as st

from ipp import from_s
from natkit import CryptoPan

# --- A plain AES-128 (FIPS 197), and the paper's definition on top of it


def times2(byte: int) -> int:
    return byte << 1 ^ (0x11B if byte & 0x80 else 0)


def s_box() -> list[int]:
    """FIPS 197 section 5.1.1: the inverse, then the affine transformation."""
    powers = [1]
    for _ in range(254):
        powers.append(powers[-1] ^ times2(powers[-1]))  # of the generator 3
    box = []
    for byte in range(256):
        inverse = powers[-powers.index(byte) % 255] if byte else 0
        rotated = inverse * 0x0101
        box.append((inverse ^ rotated >> 7 ^ rotated >> 6 ^ rotated >> 5 ^ rotated >> 4) & 255 ^ 99)
    return box


BOX = s_box()


def round_keys(key: bytes) -> list[bytes]:
    words = [key[i : i + 4] for i in range(0, 16, 4)]
    constant = 1
    for i in range(4, 44):
        word = words[-1]
        if i % 4 == 0:
            word = bytes(BOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = times2(constant)
        words.append(bytes(a ^ b for a, b in zip(word, words[-4], strict=True)))
    return [b"".join(words[i : i + 4]) for i in range(0, 44, 4)]


def aes(schedule: list[bytes], block: bytes) -> bytes:
    state = bytes(a ^ b for a, b in zip(block, schedule[0], strict=True))
    for number, key in enumerate(schedule[1:], 1):
        state = bytes(BOX[state[i * 5 % 16]] for i in range(16))  # with the rows shifted
        if number < 10:
            columns = [state[i : i + 4] for i in range(0, 16, 4)]
            state = bytes(
                times2(c[i]) ^ times2(c[i - 3]) ^ c[i - 3] ^ c[i - 2] ^ c[i - 1]
                for c in columns
                for i in range(4)
            )
        state = bytes(a ^ b for a, b in zip(state, key, strict=True))
    return state


def by_definition(key: bytes, addr: bytes) -> bytes:
    """Each bit flipped by the first bit of the AES of the bits before it and the pad's rest."""
    key = key.ljust(32, b"\0")
    schedule = round_keys(key[:16])
    pad = f"{int.from_bytes(aes(schedule, key[16:]), 'big'):0128b}"
    bits = "".join(f"{byte:08b}" for byte in addr)
    flips = ""
    for length in range(len(bits)):
        block = int(bits[:length] + pad[length:], 2).to_bytes(16, "big")
        flips += str(aes(schedule, block)[0] >> 7)
    return (int(bits, 2) ^ int(flips, 2)).to_bytes(len(addr), "big")


def test_plain_aes_is_that_of_fips_197() -> None:
    key = bytes.fromhex("000102030405060708090a0b0c0d0e0f")  # appendix C.1
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert aes(round_keys(key), block).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


# --- Addresses


@pytest.mark.parametrize(("raw", "sanitised"), [*SAMPLE.items(), *SAMPLE6.items()])
def test_published_samples(raw: str, sanitised: str) -> None:
    assert mapped(raw) == sanitised
    assert str(PAN.deanonymise(from_s(sanitised))) == raw


@settings(max_examples=20, deadline=None)
@given(keys, any_address)
def test_addresses_are_mapped_by_definition(key: bytes, addr: bytes) -> None:
    assert CryptoPan(key).anonymise(prefix(addr)).addr == by_definition(key, addr)


@pytest.mark.parametrize("addr", [bytes(4), bytes(16), b"\xff" * 4, b"\xff" * 16])
def test_extreme_addresses_are_mapped_by_definition(addr: bytes) -> None:
    pan = CryptoPan("secret")
    for _ in range(2):  # computed, then remembered
        assert pan.anonymise(prefix(addr)).addr == by_definition(b"secret", addr)


def common_bits(one: bytes, other: bytes) -> int:
    differing = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return len(one) * 8 - differing.bit_length()


@given(keys, st.data())
def test_prefixes_are_preserved(key: bytes, data: st.DataObject) -> None:
    pan = CryptoPan(key)
    one = data.draw(any_address)
    size = len(one)
    flipped = data.draw(st.integers(0, size * 8))
    mask = (1 << size * 8 - flipped) - 1 if flipped < size * 8 else 0
    noise = int.from_bytes(data.draw(st.binary(min_size=size, max_size=size)), "big")
    other = (int.from_bytes(one, "big") ^ noise & mask).to_bytes(size, "big")
    results = [bytes(pan.anonymise(prefix(addr)).addr) for addr in (one, other)]
    assert common_bits(*results) == common_bits(one, other)


@given(keys, any_address)
def test_the_key_undoes_it(key: bytes, addr: bytes) -> None:
    pan = CryptoPan(key)
    assert pan.deanonymise(pan.anonymise(prefix(addr))).addr == addr
    assert pan.anonymise(pan.deanonymise(prefix(addr))).addr == addr


def test_thousands_of_addresses_do_not_disturb_each_other() -> None:
    """More than are remembered: each is asked for twice, with all others in between."""
    texts = [f"10.{i % 7}.{i // 250}.{i % 250}" for i in range(40_000)]
    texts += [f"2001:db8::{i % 7:x}:{i:x}" for i in range(10_000)]
    prefixes = [from_s(text) for text in texts]
    first = [PAN.anonymise(one) for one in prefixes]
    assert [PAN.anonymise(one) for one in prefixes] == first
    fresh = CryptoPan(SAMPLE_KEY)
    for i in range(0, len(prefixes), 997):
        assert fresh.deanonymise(first[i]) == prefixes[i]


def test_lengths_stay_and_networks_hold_their_addresses() -> None:
    network = PAN.anonymise(from_s("128.11.0.0/16"))
    assert (network.version, network.length) == (4, 16)
    assert network.is_prefix(PAN.anonymise(from_s("128.11.68.132/32")))
    assert PAN.anonymise(from_s("::1")).length is None
    assert PAN.anonymise(from_s("::/0")).length == 0


def test_american_spelling() -> None:
    one = from_s("128.11.68.132")
    assert PAN.anonymize(one) == PAN.anonymise(one)
    assert PAN.deanonymize(PAN.anonymize(one)) == one


@pytest.mark.parametrize("same", ["128.11.68.132", ip_address("128.11.68.132")])
def test_texts_and_objects_of_ipaddress_are_mapped(same: object) -> None:
    mapped = PAN.anonymise(from_s("128.11.68.132"))
    assert PAN.anonymise(same) == mapped
    assert PAN.deanonymise(str(mapped)) == from_s("128.11.68.132")


@pytest.mark.parametrize("wrong", [b"\1\2\3\4", None, 4, ["128.11.68.132"]])
def test_only_prefixes_are_mapped(wrong: object) -> None:
    for method in (PAN.anonymise, PAN.deanonymise):
        with pytest.raises(TypeError):
            method(wrong)
