"""natkit.CryptoPan, against the paper's sample, a plain AES, and packets made anew.

A packet's test makes it twice: with its addresses, and with what they become.  Anonymising the
first must give the second, checksums included, which the maker computes from scratch.
"""

import copy
import pickle
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from itertools import chain
from pathlib import Path

import packets
import pytest
from addressed import (
    PAN,
    SAMPLE_KEY,
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    Map,
    arp,
    as_is,
    gre,
    icmp4,
    icmp6,
    igmp,
    mapped,
    over4,
    over6,
    packed,
    rewritten,
    tcp4,
    tcp6,
    udp4,
    udp6,
    with_sum,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import ethernet, icmp, ipv4, ipv6, pseudo4, pseudo6, tcp, udp

import ipp
import natkit
import plt
from ipp import IPprefix, from_s
from natkit import CryptoPan

# lines of the trace that comes with the paper's program
SAMPLE = {
    "128.11.68.132": "135.242.180.132",
    "129.118.74.4": "134.136.186.123",
    "130.132.252.244": "133.68.164.234",
    "141.223.7.43": "141.167.8.160",
    "152.163.225.39": "151.140.114.167",
    "166.107.77.190": "160.132.178.185",
    "192.102.249.13": "252.138.62.131",
    "195.205.63.100": "255.186.223.5",
    "207.105.49.5": "241.118.205.138",
    "208.147.89.59": "227.237.98.191",
    "208.52.56.122": "227.8.63.165",
}
# of the same key, as other programs with IPv6 have it
SAMPLE6 = {
    "::1": "78ff:f001:9fc0:20df:8380:b1f1:704:ed",
    "::2": "78ff:f001:9fc0:20df:8380:b1f1:704:ef",
    "2001:db8::1": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e",
}

addresses4 = st.binary(min_size=4, max_size=4)
addresses6 = st.binary(min_size=16, max_size=16)
any_address = addresses4 | addresses6
keys = st.binary(min_size=1, max_size=32)


def prefix(addr: bytes) -> IPprefix:
    return IPprefix(4 if len(addr) == 4 else 6, addr)


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


@pytest.mark.parametrize("wrong", ["128.11.68.132", b"\1\2\3\4", None, ip_address("::1")])
def test_only_prefixes_are_mapped(wrong: object) -> None:
    for method in (PAN.anonymise, PAN.deanonymise):
        with pytest.raises(TypeError):
            method(wrong)


# --- Keys


def test_key_forms() -> None:
    wanted = mapped("192.0.2.1", CryptoPan("clé"))
    for same in ("clé".encode(), bytearray("clé".encode()), memoryview("clé".encode() + b"\0" * 9)):
        assert mapped("192.0.2.1", CryptoPan(same)) == wanted
    assert mapped("192.0.2.1", CryptoPan(key="cle")) != wanted
    # an argument that is no UTF-8, as sys.argv has it
    latin = b"cl\xe9"
    assert mapped("192.0.2.1", CryptoPan(latin.decode(errors="surrogateescape"))) == mapped(
        "192.0.2.1", CryptoPan(latin)
    )


@pytest.mark.parametrize(
    ("key", "size"), [("", 0), (b"", 0), ("k" * 33, 33), (b"k" * 33, 33), ("é" * 17, 34)]
)
def test_key_of_wrong_length(key: str | bytes, size: int) -> None:
    with pytest.raises(ValueError, match=f"must be 1 to 32 bytes, not {size}$"):
        CryptoPan(key)


@pytest.mark.parametrize("key", [None, 7, [1, 2], ("k",)])
def test_key_of_wrong_type(key: object) -> None:
    with pytest.raises(TypeError, match="str or bytes-like"):
        CryptoPan(key)


def test_key_does_not_leave() -> None:
    assert "secret" not in repr(CryptoPan("secret"))
    for take in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            take(CryptoPan("secret"))


# --- Arrays


def rows16(addrs: list[bytes]) -> bytes:
    return b"".join(addr.ljust(16, b"\0") for addr in addrs)


def one_by_one(addrs: list[bytes]) -> bytes:
    return rows16([bytes(PAN.anonymise(prefix(addr)).addr) for addr in addrs])


def test_array_of_both_versions() -> None:
    addrs = [ip_address(text).packed for text in (*SAMPLE, *SAMPLE6)]
    versions = bytes(4 if len(addr) == 4 else 6 for addr in addrs)
    array = memoryview(rows16(addrs)).cast("B", (len(addrs), 16))
    result = PAN.addresses(array, versions)
    assert result.shape == (len(addrs), 16)
    assert (result.format, result.contiguous, result.readonly) == ("B", True, False)
    assert result.tobytes() == one_by_one(addrs)
    texts = ipp.format(result, versions)
    assert texts == [*SAMPLE.values(), *SAMPLE6.values()]


@pytest.mark.parametrize("count", [1, 1023, 1024, 70_000])
@pytest.mark.parametrize("version", [4, 6])
def test_array_of_one_version(count: int, version: int) -> None:
    size = 4 if version == 4 else 16
    addrs = [(i * 0x9E3779B97F4A7C15 % 2**32).to_bytes(size, "big") for i in range(count)]
    result = PAN.addresses(rows16(addrs), version)
    assert result.shape == (16 * count,)
    step = max(1, count // 100)
    for i in range(0, count, step):
        wanted = PAN.anonymise(prefix(addrs[i])).addr.ljust(16, b"\0")
        assert result[16 * i : 16 * i + 16] == wanted
    packed = memoryview(b"".join(addrs)).cast("B", (count, size))
    short = PAN.addresses(packed)
    assert short.shape == (count, size)
    assert short.tobytes() == b"".join(
        result[16 * i : 16 * i + size].tobytes() for i in range(count)
    )


def test_missing_addresses_stay_zero() -> None:
    array = rows16([b"\1\2\3\4", b"\5\6\7\10"])
    assert PAN.addresses(array, b"\0\4")[:16] == bytes(16)


def test_array_without_rows() -> None:
    assert PAN.addresses(b"", 4).shape == (0,)
    empty = PAN.addresses(ipp.parse([])[0], b"")
    assert empty.shape == (0, 16)
    assert empty.tobytes() == b""


def test_arrays_of_columns(tmp_path: Path) -> None:
    frames = [ethernet(ipv4(udp(), src=src)) for src in SAMPLE]
    path = packets.write(tmp_path / "t", packets.pcap(frames))
    pytest.importorskip("numpy")
    table = plt.columns(path, ["version", "src_prefix"]).table()
    result = PAN.addresses(table["src_prefix"], table["version"])
    assert ipp.format(result, table["version"]) == [*SAMPLE.values()]


@pytest.mark.parametrize(
    ("array", "version", "error", "text"),
    [
        (b"x" * 15, 4, ValueError, "rows of 16 or 4 bytes"),
        (memoryview(b"x" * 16).cast("B", (2, 8)), 4, ValueError, "rows of 16 or 4 bytes"),
        (memoryview(b"x" * 16).cast("B", (1, 1, 16)), 4, ValueError, "rows of 16 or 4 bytes"),
        (memoryview(b"x" * 16).cast("I"), 4, ValueError, "items of 4 bytes"),
        (memoryview(b"x" * 64)[::2], 4, ValueError, "contiguous"),
        (b"x" * 16, 5, ValueError, "version must be 4 or 6"),
        (b"x" * 16, 2**70, ValueError, "version must be 4 or 6"),
        (b"x" * 16, b"", ValueError, "1 addresses and 0 versions"),
        (b"x" * 32, b"\4\5", ValueError, "address 1 of 16 bytes can't be of version 5"),
        (memoryview(b"x" * 4).cast("B", (1, 4)), 6, ValueError, "can't be IPv6"),
        (memoryview(b"x" * 4).cast("B", (1, 4)), b"\6", ValueError, "can't be of version 6"),
        ("1.2.3.4", 4, TypeError, "bytes-like"),
        (b"x" * 16, "4", TypeError, "bytes-like"),
    ],
)
def test_wrong_arrays(array: object, version: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        PAN.addresses(array, version)


def test_threads_share_a_mapping() -> None:
    array = rows16([i.to_bytes(4, "big") for i in range(50_000)])
    wanted = PAN.addresses(array, 4)
    results: list[memoryview] = []
    threads = [
        threading.Thread(target=lambda: results.append(PAN.addresses(array, 4))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [wanted] * 4


def test_ctrl_c_ends_a_large_array() -> None:
    class Interrupt(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupt

    array = b"".join(i.to_bytes(16, "little") for i in range(100_000)) * 20
    started = time.process_time()
    PAN.addresses(array, 6)
    whole = time.process_time() - started
    before = signal.signal(signal.SIGPROF, interrupt)
    try:
        signal.setitimer(signal.ITIMER_PROF, whole / 10)  # of processor time, as is the whole
        started = time.process_time()
        with pytest.raises(Interrupt):
            PAN.addresses(array, 6)
        assert time.process_time() - started < whole / 2
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    assert mapped("128.11.68.132") == SAMPLE["128.11.68.132"]


# --- Packets, made with addresses as they are or as they become


def routed6(m: Map, kind: int, left: int, hops: list[str], final: str) -> bytes:
    """UDP behind a routing header; RFC 8200 section 8.1 on the pseudo-header."""
    last = len(hops) - 1 if kind == 4 else 0
    header = bytes([17, 2 * len(hops), kind, left, last, 0, 0, 0])
    header += b"".join(packed(m(hop)) for hop in hops)
    message = udp(b"hello")
    summed = with_sum(message, 6, pseudo6(17, len(message), m(E), m(final)))
    return ipv6(header + summed, 43, src=m(E), dst=m(F))


def routed4(m: Map, options: bytes, final: str) -> bytes:
    message = udp(b"hello")
    summed = with_sum(message, 6, pseudo4(17, len(message), m(A), m(final)))
    return ipv4(summed, 17, src=m(A), dst=m(B), options=options)


def options6(m: Map) -> bytes:
    """Options of neighbour discovery: an Ethernet address, a prefix, servers."""
    link = b"\1\1" + packets.MAC[:6]
    network = bytearray(packed("2001:db8:1::"))
    network[:8] = packed(m("2001:db8:1::"))[:8]
    information = bytes([3, 4, 64, 0xC0]) + bytes(12) + network
    servers = bytes([25, 5, 0, 0]) + bytes(4) + packed(m(E)) + packed(m(F))
    return link + information + servers


def redirected6(m: Map) -> bytes:
    quoted = udp6(m, F, E)
    quoted += bytes(-len(quoted) % 8)
    return bytes([4, 1 + len(quoted) // 8]) + bytes(6) + quoted


def report6(m: Map) -> bytes:
    record = bytes([1, 1, 0, 2]) + packed(m(H)) + packed(m(E)) + packed(m(F)) + b"more"
    return bytes([0, 0, 0, 2]) + record + bytes([2, 0, 0, 0]) + packed(m(G))


def report4(m: Map) -> bytes:
    record = bytes([1, 1, 0, 1]) + packed(m(D)) + packed(m(B)) + b"more"
    return bytes([0x22, 0, 0, 0, 0, 0, 0, 2]) + record + bytes([2, 0, 0, 0]) + packed(m(C))


def five_deep(m: Map) -> bytes:
    packet = udp6(m)
    packet = ipv4(gre(packet, 0x86DD), 47, src=m(C), dst=m(D))
    packet = ipv6(packet, 4, src=m(E), dst=m(F))
    packet = ipv4(packet, 41, src=m(B), dst=m(C))
    return ipv4(packet, 4, src=m(A), dst=m(B))


PLAIN: dict[str, Callable[[Map], bytes]] = {
    "udp4": udp4,
    "tcp4": tcp4,
    "udp6": udp6,
    "tcp6": tcp6,
    "udp4 without checksum": lambda m: ipv4(udp(b"hello"), 17, src=m(A), dst=m(B)),
    "udp-lite": lambda m: over4(136, 6, udp(b"hello"), m(A), m(B)),
    "dccp": lambda m: over6(33, 6, bytes(range(16)), m(E), m(F)),
    "sctp": lambda m: ipv4(bytes(range(16)), 132, src=m(A), dst=m(B)),
    "echo": lambda m: icmp4(m, 8, b"ping"),
    "echo6": lambda m: icmp6(m, 128, b"\0\1\0\2ping"),
    "first fragment": lambda m: over4(17, 6, udp(b"hello"), m(A), m(B), fragment=0x2000),
    "later fragment": lambda m: ipv4(bytes(24), 17, src=m(A), dst=m(B), fragment=3),
    "options": lambda m: over4(6, 16, tcp(), m(A), m(B), options=b"\x94\4\0\0"),
}
NESTED: dict[str, Callable[[Map], bytes]] = {
    "unreachable": lambda m: icmp4(m, 3, udp4(m, A, B)),
    "unreachable, cut by the sender": lambda m: icmp4(m, 3, tcp4(m, A, B)[:28]),
    "time exceeded": lambda m: icmp4(m, 11, tcp4(m, A, B)),
    "parameter problem": lambda m: icmp4(m, 12, ipv4(b"", 6, src=m(A), dst=m(B))),
    "quote of a quote": lambda m: icmp4(m, 3, icmp4(m, 3, udp4(m, C, D))),
    "unreachable6": lambda m: icmp6(m, 1, bytes(4) + udp6(m, F, E)),
    "too big": lambda m: icmp6(m, 2, b"\0\0\5\0" + tcp6(m, F, E)[:60]),
    "parameter problem 6": lambda m: icmp6(m, 4, bytes(4) + udp6(m, G, E)),
    "4in4": lambda m: ipv4(tcp4(m, C, D), 4, src=m(A), dst=m(B)),
    "6in4": lambda m: ipv4(tcp6(m), 41, src=m(A), dst=m(B)),
    "4in6": lambda m: ipv6(udp4(m), 4, src=m(E), dst=m(F)),
    "6in6": lambda m: ipv6(udp6(m, F, G), 41, src=m(E), dst=m(F)),
    "gre": lambda m: ipv4(gre(tcp4(m, C, D)), 47, src=m(A), dst=m(B)),
    "gre6": lambda m: ipv4(gre(udp6(m), 0x86DD), 47, src=m(A), dst=m(B)),
    "gre with all fields": lambda m: ipv6(gre(tcp4(m), full=True), 47, src=m(E), dst=m(F)),
    "gre, Ethernet": lambda m: ipv4(
        gre(ethernet(udp4(m, C, D)), 0x6558, full=True), 47, src=m(A), dst=m(B)
    ),
    "error in a tunnel": lambda m: ipv4(icmp4(m, 3, tcp4(m)), 4, src=m(C), dst=m(D)),
    "error on a tunnel": lambda m: icmp4(m, 3, ipv4(tcp6(m), 41, src=m(A), dst=m(B))),
    "five deep": five_deep,
}


SIGNALLING: dict[str, Callable[[Map], bytes]] = {
    "redirect": lambda m: icmp4(m, 5, udp4(m, A, B), packed(m(D))),
    "router advertisement 4": lambda m: icmp4(
        m, 9, packed(m(B)) + bytes(4) + packed(m(C)) + bytes(4), b"\2\2\0\7"
    ),
    "router solicitation": lambda m: icmp6(m, 133, bytes(4) + options6(m)),
    "router advertisement": lambda m: icmp6(m, 134, bytes(12) + options6(m)),
    "neighbour solicitation": lambda m: icmp6(m, 135, bytes(4) + packed(m(G)) + options6(m), G, H),
    "neighbour advertisement": lambda m: icmp6(m, 136, bytes(4) + packed(m(G)), G, E),
    "redirect6": lambda m: icmp6(
        m, 137, bytes(4) + packed(m(G)) + packed(m(E)) + options6(m) + redirected6(m)
    ),
    "listener query": lambda m: icmp6(
        m, 130, bytes(4) + packed(m(H)) + b"\0\0\0\2" + packed(m(E)) + packed(m(F))
    ),
    "listener report": lambda m: icmp6(m, 131, bytes(4) + packed(m(H))),
    "listener report 2": lambda m: icmp6(m, 143, report6(m)),
    "igmp query": lambda m: igmp(
        m, b"\x11\0\0\0" + packed(m(D)) + b"\0\0\0\2" + packed(m(B)) + packed(m(C))
    ),
    "igmp report": lambda m: igmp(m, b"\x16\0\0\0" + packed(m(D))),
    "igmp report 3": lambda m: igmp(m, report4(m)),
    "record route": lambda m: routed4(
        m, bytes([7, 11, 8]) + packed(m(C)) + packed(m(D)) + b"\0", B
    ),
    "loose route": lambda m: routed4(m, bytes([1, 131, 11, 4]) + packed(m(C)) + packed(m(D)), D),
    "strict route, used up": lambda m: routed4(m, bytes([137, 7, 8]) + packed(m(C)) + b"\0", B),
    "timestamps": lambda m: routed4(m, bytes([68, 12, 13, 1]) + packed(m(C)) + bytes(4), B),
    "routing 0": lambda m: routed6(m, 0, 2, [G, H, E], E),
    "routing 0, used up": lambda m: routed6(m, 0, 0, [G, E], F),
    "routing 2": lambda m: routed6(m, 2, 1, [G], G),
    "segments": lambda m: routed6(m, 4, 1, [G, F], G),
}
PACKETS = PLAIN | NESTED | SIGNALLING


@pytest.mark.parametrize("name", PACKETS)
def test_packet_becomes_what_is_made_with_other_addresses(name: str) -> None:
    make = PACKETS[name]
    for key in (SAMPLE_KEY, b"secret", b"another"):
        pan = CryptoPan(key)
        assert rewritten(make(as_is), pan) == make(lambda a, pan=pan: mapped(a, pan))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(PACKETS)), keys)
def test_packet_with_any_key(name: str, key: bytes) -> None:
    pan = CryptoPan(key)
    assert rewritten(PACKETS[name](as_is), pan) == PACKETS[name](lambda a: mapped(a, pan))


def test_arp(tmp_path: Path) -> None:
    packet = packets.packet_of(ethernet(arp(as_is), 0x0806), tmp_path)
    assert PAN.packet(packet, signalling=False) == 0
    assert bytes(packet) == ethernet(arp(as_is), 0x0806)
    assert PAN.packet(packet) == 2
    assert bytes(packet) == ethernet(arp(mapped), 0x0806)


@pytest.mark.parametrize("name", SIGNALLING)
def test_signalling_can_be_left_alone(name: str) -> None:
    data = SIGNALLING[name](as_is)
    result = rewritten(data, src=False, dst=False, signalling=False)
    assert result == data
    size = 4 if data[0] >> 4 == 4 else 16
    at = 12 if size == 4 else 8
    partly = rewritten(data, signalling=False)
    assert partly[at : at + 2 * size] == rewritten(data)[at : at + 2 * size]
    assert partly != rewritten(data)


@pytest.mark.parametrize(("src", "dst"), [(True, False), (False, True)])
def test_one_end_alone(src: bool, dst: bool) -> None:
    """In a quote the ends change places: whose packet it was is who is told."""

    def ends(m_src: Map, m_dst: Map) -> list[bytes]:
        def simple(a: str, b: str) -> bytes:
            return over4(17, 6, udp(b"hello"), a, b)

        quoted = simple(m_dst(A), m_src(B))
        return [
            simple(m_src(A), m_dst(B)),
            ipv4(icmp(3, 0, bytes(4), quoted), 1, src=m_src(C), dst=m_dst(A)),
            ipv4(simple(m_src(C), m_dst(D)), 4, src=m_src(A), dst=m_dst(B)),
        ]

    wanted = ends(mapped if src else as_is, mapped if dst else as_is)
    assert [rewritten(data, src=src, dst=dst) for data in ends(as_is, as_is)] == wanted


def test_number_of_addresses(tmp_path: Path) -> None:
    frame = ethernet(NESTED["error in a tunnel"](as_is))
    assert PAN.packet(packets.packet_of(frame, tmp_path)) == 6
    assert PAN.packet(packets.packet_of(frame, tmp_path), src=False) == 3
    assert PAN.packet(packets.packet_of(ethernet(b"x" * 40, 0x88CC), tmp_path)) == 0
    assert PAN.packet(packets.packet_of(ethernet(), tmp_path)) == 0


def test_link_layers(tmp_path: Path) -> None:
    tag = struct.pack(">HH", 5, 0x0800)
    for start, dlt in (
        (packets.MAC + b"\x81\0" + tag, 1),  # 802.1Q
        (packets.MAC + b"\x88\x47\0\0\x11\x40", 1),  # MPLS
        (b"", 101),  # raw IP
        (bytes.fromhex("0000090000000000 00") + bytes.fromhex("0800" + "00" * 22), 127),
    ):
        if dlt == 127:  # radiotap of an odd length, before data in 802.11
            start += b"\xaa\xaa\3\0\0\0\x08\0"  # noqa: PLW2901
        packet = packets.packet_of(start + tcp4(as_is), tmp_path, dlt)
        assert packet.ip is not None
        PAN.packet(packet)
        assert bytes(packet) == start + tcp4(mapped)


def test_layers_stand_for_their_packet(tmp_path: Path) -> None:
    frame = ethernet(NESTED["unreachable"](as_is))
    for layer in ("layer2", "layer3", "transport", "ip", "icmp"):
        packet = packets.packet_of(frame, tmp_path)
        PAN.packet(getattr(packet, layer))
        assert bytes(packet) == ethernet(NESTED["unreachable"](mapped))
        assert str(packet.ip.src_prefix) == mapped(C)
    packet = packets.packet_of(frame, tmp_path)
    PAN.packet(packet.icmp.payload)
    assert bytes(packet)[14 + 28 :] == udp4(mapped)
    assert bytes(packet)[: 14 + 28] == frame[: 14 + 28]


# --- Checksums


def complement_difference(one: int, other: int) -> int:
    """How far two checksums are apart, in one's complement arithmetic."""
    return (one - other) % 0xFFFF


@given(st.integers(0, 0xFFFF), st.sampled_from(sorted(PLAIN)))
def test_wrong_checksums_stay_wrong_by_as_much(wrong: int, name: str) -> None:
    fields = {"udp4": [10, 26], "tcp4": [10, 36], "udp6": [46], "tcp6": [56], "echo": [10, 22]}
    fields |= {"echo6": [42], "udp-lite": [10, 26], "dccp": [46]}
    right, becomes = PLAIN[name](as_is), PLAIN[name](mapped)
    for at in fields.get(name, [10] if right[0] >> 4 == 4 else []):
        data = right[:at] + struct.pack(">H", wrong) + right[at + 2 :]
        result = rewritten(data)
        assert (result[:at], result[at + 2 :]) == (becomes[:at], becomes[at + 2 :])
        then, now = (int.from_bytes(d[at : at + 2], "big") for d in (data, result))
        if name.startswith("udp") and at != 10 and wrong == 0:
            assert now == 0
            continue
        off = complement_difference(then, int.from_bytes(right[at : at + 2], "big"))
        assert complement_difference(now, int.from_bytes(becomes[at : at + 2], "big")) == off


@given(addresses4, addresses4, st.binary(max_size=9), keys)
def test_checksums_of_any_addresses(src: bytes, dst: bytes, payload: bytes, key: bytes) -> None:
    """plt's own tests of checksums, on whatever comes."""
    pan = CryptoPan(key)
    data = over4(17, 6, udp(payload), str(ip_address(src)), str(ip_address(dst)))
    packet = plt.ip(bytearray(data))
    assert packet is not None
    assert (packet.test_l3_cksm(), packet.test_trans_cksm()) == (True, True)
    pan.packet(packet)
    assert packet.src_prefix == pan.anonymise(prefix(src))
    assert packet.dst_prefix == pan.anonymise(prefix(dst))
    assert (packet.test_l3_cksm(), packet.test_trans_cksm()) == (True, True)


CHECKSUMS = ("ip", "tcp", "udp", "icmp", "icmpv6", "gre", "igmp")


def statuses(tshark: str, path: Path) -> list[list[str]]:
    """What tshark says of all checksums of each packet: 1 good, 0 bad, 2 and more not told."""
    on = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
    fields = chain.from_iterable(("-e", f"{name}.checksum.status") for name in CHECKSUMS)
    run = subprocess.run(
        [tshark, "-r", path, *on, "-Tfields", *fields], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in run.stdout.splitlines()]


def anonymised(path: Path, to: Path) -> Path:
    with plt.trace(path) as trace, plt.output_trace(f"pcapfile:{to}") as output:
        for packet in trace:
            PAN.packet(packet)
            output.write_packet(packet)
    return to


def test_tshark_finds_all_checksums_as_they_were(tshark: str, tmp_path: Path) -> None:
    frames = []
    for make in PACKETS.values():
        data = make(as_is)
        frames.append(ethernet(data, 0x0800 if data[0] >> 4 == 4 else 0x86DD))
    path = packets.write(tmp_path / "before.pcap", packets.pcap(frames))
    before = statuses(tshark, path)
    assert len(before) == len(frames)
    assert sum("1" in status for line in before for status in line) > len(frames)
    assert statuses(tshark, anonymised(path, tmp_path / "after.pcap")) == before


def test_tshark_on_the_tutorials_trace(tshark: str, tmp_path: Path) -> None:
    path = Path(__file__).resolve().parents[2] / "tutorial" / "traces" / "edge-10k.pcap.gz"
    before = statuses(tshark, path)
    assert sum(line[0].startswith("1") for line in before) > 5000
    assert statuses(tshark, anonymised(path, tmp_path / "after.pcap")) == before


# --- Cut and made-up packets


def checksum_places(name: str) -> set[int]:
    """Where the packet and its anonymised form differ and no address is: in checksums."""
    data, becomes = PACKETS[name](as_is), PACKETS[name](mapped)
    places = {i for i in range(len(data)) if data[i] != becomes[i]}
    for address in (A, B, C, D, E, F, G, H):
        size = len(packed(address))
        for i in range(len(data) - size + 1):
            if data[i : i + size] == packed(address):
                places -= set(range(i, i + size))
    # a checksum of which one byte happens to stay
    places |= {i + 1 for i in places} | {i - 1 for i in places}
    # ICMP's, which stays where all within it was adjusted too
    if data[0] >> 4 == 4 and data[9] == 1:
        places |= {22, 23}
    return places


@pytest.mark.parametrize("name", PACKETS)
def test_packets_cut_anywhere(name: str) -> None:
    """What is left of the addresses becomes what it would in the whole packet."""
    data, becomes = PACKETS[name](as_is), PACKETS[name](mapped)
    places = checksum_places(name)
    if "router" in name or "redirect6" in name or "neighbour" in name:
        network = data.find(packed("2001:db8:1::"))
        places -= set(range(network, network + 16)) if network >= 0 else set()
    for length in range(1, len(data)):
        result = rewritten(data[:length])
        assert len(result) == length
        differing = {i for i in range(length) if result[i] != becomes[i]}
        assert differing <= places, length


def test_checksums_do_not_need_the_payload() -> None:
    for make, header in ((udp4, 28), (tcp4, 44), (udp6, 48), (tcp6, 60)):
        for length in range(header, len(make(as_is))):
            assert rewritten(make(as_is)[:length]) == make(mapped)[:length]


def test_depth_is_bounded() -> None:
    """Levels past the ninth are left; the time does not depend on how many there are."""

    def nested(outer: Map, inner: Map, levels: int) -> bytes:
        data = b""
        for level in range(levels, 0, -1):
            m = outer if level <= 9 else inner
            data = ipv4(data, 4, src=m(A), dst=m(B))
        return data

    assert rewritten(nested(as_is, as_is, 12)) == nested(mapped, as_is, 12)
    assert rewritten(nested(as_is, as_is, 3000)) == nested(mapped, as_is, 3000)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.sampled_from([4, 6]))
def test_random_bytes(data: bytes, version: int) -> None:
    data = bytes([data[0] & 0x0F | version << 4]) + data[1:]
    result = rewritten(data)
    assert len(result) == len(data)
    assert result[:8] == data[:8]
    size, at = (4, 12) if version == 4 else (16, 8)
    whole = data[at : at + size]
    if len(whole) == size:
        assert result[at : at + size] == PAN.anonymise(IPprefix(version, whole)).addr


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(PACKETS)), st.data())
def test_damaged_packets(name: str, data: st.DataObject) -> None:
    """Any few bytes overwritten: what comes out has the same length, and can be written again."""
    packet = bytearray(PACKETS[name](as_is))
    for _ in range(data.draw(st.integers(1, 6))):
        packet[data.draw(st.integers(1, len(packet) - 1))] = data.draw(st.integers(0, 255))
    length = data.draw(st.integers(1, len(packet)))
    once = rewritten(bytes(packet[:length]))
    assert len(once) == length
    assert once == rewritten(bytes(packet[:length]))


def test_ethernet_cut_anywhere(tmp_path: Path) -> None:
    frame = ethernet(NESTED["gre, Ethernet"](as_is))
    records = [packets.Record(frame[:length], wire=len(frame)) for length in range(len(frame))]
    path = packets.write(tmp_path / "t", packets.pcap(records))
    for length, packet in enumerate(packets.read(path)):
        PAN.packet(packet)
        assert len(bytes(packet)) == length
        assert bytes(packet)[:24] == frame[: min(24, length)]


# --- Wrong arguments


def test_read_only_packets() -> None:
    packet = plt.ip(udp4(as_is))
    with pytest.raises(TypeError, match="read-only"):
        PAN.packet(packet)
    assert bytes(packet) == udp4(as_is)


def test_what_is_no_packet() -> None:
    for wrong in (None, udp4(as_is), bytearray(udp4(as_is)), from_s("::1")):
        with pytest.raises(TypeError, match="takes a packet or layer object"):
            PAN.packet(wrong)
    with pytest.raises(ValueError, match="nothing was read"):
        PAN.packet(plt.packet())


def test_wrong_arguments_of_packet() -> None:
    packet = plt.ip(bytearray(udp4(as_is)))
    for args, kwargs in (((), {}), ((packet, True), {}), ((packet,), {"source": True})):
        with pytest.raises(TypeError):
            PAN.packet(*args, **kwargs)

    class Unsure:
        def __bool__(self) -> bool:
            raise KeyError("unsure")

    with pytest.raises(KeyError):
        PAN.packet(packet, src=Unsure())
    assert bytes(packet) == udp4(as_is)


def test_subclass() -> None:
    class Mine(natkit.CryptoPan):
        pass

    assert mapped("128.11.68.132", Mine(SAMPLE_KEY)) == SAMPLE["128.11.68.132"]
