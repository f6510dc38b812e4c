"""natkit.CryptoPan against libtrace's traceanon: the same key, the same addresses.

traceanon 3 sets the outer checksums to 0, and leaves IPv6, ARP, tunnels and redirects' gateways as
they are; all else must agree byte for byte.
"""

import struct
import subprocess
from pathlib import Path

import pytest
from present import tool

import plt
from ipp import from_s
from natkit import CryptoPan

TRACES = Path(__file__).resolve().parents[2] / "tutorial" / "traces"
EDGE = TRACES / "edge-10k.pcap.gz"

KEYS = [
    b"k",
    b"fish go moo, oh yes they do",
    "clé".encode(),
    b"0123456789abcdef0123456789abcdef",
    bytes(range(224, 256)),
]


@pytest.fixture(scope="module")
def traceanon() -> str:
    return tool("traceanon")


def read(path: Path) -> list[plt.packet]:
    with plt.trace(f"pcapfile:{path}") as trace:
        return list(trace)


def run(traceanon: str, source: Path, folder: Path, *args: str | bytes) -> list[plt.packet]:
    """What traceanon makes of a trace."""
    to = folder / "anonymised.pcap"
    command = [traceanon, *args, f"pcapfile:{source}", f"pcapfile:{to}"]
    subprocess.run(command, check=True, capture_output=True)
    return read(to)


@pytest.mark.parametrize("key", KEYS)
def test_same_addresses(traceanon: str, tmp_path: Path, key: bytes) -> None:
    pan = CryptoPan(key)
    before = read(EDGE)
    after = run(traceanon, EDGE, tmp_path, "-s", "-d", "-c", key)
    assert len(before) == len(after) == 10_000
    compared = set()
    for ours, theirs in zip(before, after, strict=True):
        if ours.ip:
            ends = (ours.ip.src_prefix, ours.ip.dst_prefix)
            compared |= set(ends)
            wanted = (theirs.ip.src_prefix, theirs.ip.dst_prefix)
            assert tuple(map(pan.anonymise, ends)) == wanted
            assert tuple(map(pan.deanonymise, wanted)) == ends
    assert len(compared) > 40


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (bytes(range(1, 33)), bytes(range(1, 33))),
        # a defect there: the key ends at a zero byte
        (b"abc\0" + bytes(range(1, 29)), b"abc"),
    ],
)
def test_same_addresses_with_a_key_file(
    traceanon: str, tmp_path: Path, content: bytes, key: bytes
) -> None:
    (tmp_path / "key").write_bytes(content)
    pan = CryptoPan(key)
    after = run(traceanon, EDGE, tmp_path, "-s", "-d", "-f", f"{tmp_path / 'key'}")
    for ours, theirs in zip(read(EDGE), after, strict=True):
        if ours.ip:
            assert pan.anonymise(ours.ip.dst_prefix) == theirs.ip.dst_prefix


def test_longer_key_is_cut_there(traceanon: str, tmp_path: Path) -> None:
    """Which is why 33 bytes are an error here: the key would not be what it seems."""
    key = b"0123456789abcdef0123456789abcdefX"
    pan = CryptoPan(key[:32])
    after = run(traceanon, EDGE, tmp_path, "-s", "-c", key)
    for ours, theirs in zip(read(EDGE), after, strict=True):
        if ours.ip:
            assert pan.anonymise(ours.ip.src_prefix) == theirs.ip.src_prefix


def quotes_icmp(packet: plt.packet) -> bool:
    return bool(packet.icmp and packet.icmp.type in (3, 11) and packet.icmp.payload.icmp)


def without_checksums(packet: plt.packet) -> bytes:
    """The bytes of an IPv4 packet with 0 in the checksums that traceanon sets to 0.

    Those are the outer ones, and that of a quoted ICMP message.
    """
    data = bytearray(memoryview(packet))
    at = bytes(data).index(memoryview(packet.ip))
    data[at + 10 : at + 12] = b"\0\0"
    field = {6: 16, 17: 6, 1: 2}.get(packet.ip.proto)
    if field is not None and packet.transport is not None:
        end = at + packet.ip.hdr_len * 4 + field
        data[end : end + 2] = bytes(len(data[end : end + 2]))
    if quotes_icmp(packet):
        quoted = at + 28 + 20 + 2
        data[quoted : quoted + 2] = bytes(len(data[quoted : quoted + 2]))
    return bytes(data)


@pytest.mark.parametrize("flags", [("-s", "-d"), ("-s",), ("-d",)])
def test_same_packets(traceanon: str, tmp_path: Path, flags: tuple[str, ...]) -> None:
    """Quoted addresses included, and the quoted checksums of IPv4, TCP and UDP."""
    pan = CryptoPan("secret")
    compared = quotes = 0
    after = run(traceanon, EDGE, tmp_path, *flags, "-c", "secret")
    for ours, theirs in zip(read(EDGE), after, strict=True):
        if not ours.ip or ours.proto in (2, 4, 41, 47) or ours.ip.hdr_len != 5:
            continue
        pan.packet(ours, src="-s" in flags, dst="-d" in flags)
        mine, other = without_checksums(ours), without_checksums(theirs)
        quotes += bool(ours.icmp and ours.icmp.type in (3, 11))
        assert mine == other
        compared += 1
    assert compared > 5000
    assert quotes > 10


def test_ipv6_is_left_alone_there(traceanon: str, tmp_path: Path) -> None:
    """So that there is nothing to agree with."""
    after = run(traceanon, EDGE, tmp_path, "-s", "-d", "-c", "secret")
    pairs = [(a.ip6, b.ip6) for a, b in zip(read(EDGE), after, strict=True) if a.ip6]
    assert len(pairs) > 100
    assert all(a.src_prefix == b.src_prefix for a, b in pairs)


def addressed(ends: list[tuple[int, int]], path: Path) -> Path:
    """A trace of IPv4 headers with these sources and destinations."""
    written = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for i, pair in enumerate(ends):
        written.append(struct.pack("<IIII", i, 0, 20, 20) + bytes([0x45, 0, 0, 20]) + bytes(8))
        written.append(struct.pack(">II", *pair))
    path.write_bytes(b"".join(written))
    return path


def test_random_addresses(traceanon: str, tmp_path: Path) -> None:
    """Few prefixes in common: neither side remembers much."""
    ends = [(i * 2654435761 % 2**32, i * 2246822519 % 2**32) for i in range(1, 2000)]
    source = addressed(ends, tmp_path / "source.pcap")
    pan = CryptoPan("secret")
    after = run(traceanon, source, tmp_path, "-s", "-d", "-c", "secret")
    for ours, theirs in zip(read(source), after, strict=True):
        assert pan.packet(ours) == 2
        assert ours.ip.src_prefix == theirs.ip.src_prefix
        assert ours.ip.dst_prefix == theirs.ip.dst_prefix


def test_zero_is_left_alone_there_at_first(traceanon: str, tmp_path: Path) -> None:
    """A defect there: what 0.0.0.0 becomes depends on whether two others came before."""
    source = addressed([(0, 0), (0x01020304, 0x05060708), (0, 0)], tmp_path / "source.pcap")
    wanted = CryptoPan("secret").anonymise(from_s("0.0.0.0"))
    after = run(traceanon, source, tmp_path, "-s", "-d", "-c", "secret")
    assert [str(after[0].ip.src_prefix), str(after[0].ip.dst_prefix)] == ["0.0.0.0", "0.0.0.0"]
    assert (after[2].ip.src_prefix, after[2].ip.dst_prefix) == (wanted, wanted)
