"""Traces changed by chance, any bytes as any link type, headers in headers without end."""

import contextlib
import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pace
import packets
import pytest
from packets import EPOCH, block, enhanced, interface, option, section, simple, until_error

import plt

FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(bytes([i]) * i, ports=(i, 53)))) for i in range(1, 6)
]
IP = packets.ipv4(packets.tcp(b"payload"), packets.TCP)
PAD2 = b"\0\0"
WHOLE = {
    "pcap": packets.pcap(FRAMES),
    "pcapng": section()
    + interface()
    + b"".join(enhanced(f, options=option(1, b"comment")) for f in FRAMES)
    + simple(FRAMES[0])
    + block(5, bytes(12)),
    "erf": b"".join(packets.erf(2, PAD2 + f, padding=3) for f in FRAMES),
    "tsh": packets.tsh(IP) * 5,
    "legacyeth": b"".join(
        (struct.pack("<IIH", 0, EPOCH, len(f)) + f).ljust(64, b"\0") for f in FRAMES
    ),
}


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing here may print, neither we nor libtrace."""
    yield
    assert capfd.readouterr() == ("", "")


# --- Chance ----------------------------------------------------------------------------------

ATTRIBUTES = [name for name in dir(plt.packet) if not name.startswith("__")]


def read_everything(found: list[plt.packet]) -> None:
    for packet in found:
        for name in ATTRIBUTES:
            try:
                value = getattr(packet, name)
            except ValueError:
                continue
            if name in ("info", "dump", "_repr_html_"):
                assert type(value()) is str
            elif isinstance(value, plt.Internet):
                assert value.test_trans_cksm() in (True, False, None)
                with contextlib.suppress(ValueError, TypeError):  # cut, or None
                    bytes(value.payload) if hasattr(value, "payload") else value.chunks


@pytest.mark.parametrize("name", WHOLE)
def test_bytes_changed_by_chance_do_not_crash(name: str, tmp_path: Path) -> None:
    chance = random.Random(name)
    original = WHOLE[name]
    path = tmp_path / "t"
    for _ in range(400):
        content = bytearray(original)
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(len(content))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)) :]
        path.write_bytes(content)
        found, message = until_error(f"{name}:{path}")
        assert not message or str(path) in message
        read_everything(found)


def test_bytes_by_chance_on_every_link_type_do_not_crash(tmp_path: Path) -> None:
    chance = random.Random(1)
    dlts = [*range(300), 65000, 0x3FFFFFF]
    for _ in range(3):
        content = section()
        content += b"".join(interface(dlt & 0xFFFF) for dlt in dlts)
        for i in range(len(dlts)):
            content += enhanced(chance.randbytes(chance.randrange(90)), on=i)
            content += enhanced(
                bytes(chance.choice((0, 1, 8, 0x45, 0x60, 0xAA)) for _ in range(64)), on=i
            )
        found = packets.read_bytes(content, tmp_path)
        assert len(found) == 2 * len(dlts)
        read_everything(found)


# --- Depth -----------------------------------------------------------------------------------

MEGABYTE = 1 << 20
BOMBS = {
    "mpls": packets.ethernet(b"\0\x01\0\x40" * (MEGABYTE // 4), 0x8847),
    "mpls in ethernet": packets.ethernet(
        (b"\0\x01\x01\x40" + bytes(4) + packets.MAC + b"\x88\x47") * (MEGABYTE // 22), 0x8847
    ),
    "vlan": packets.ethernet(b"\0\x01\x81\0" * (MEGABYTE // 4), 0x8100),
    "qinq": packets.ethernet(b"\0\x01\x88\xa8" * (MEGABYTE // 4), 0x88A8),
    "snap": packets.ethernet(b"\xaa\xaa\x03\0\0\0\x88\x47\0\x01\x01\x40" * (MEGABYTE // 12), 100),
    "ipv6 options": packets.ethernet(packets.ipv6(b"\x3c\0" * (MEGABYTE // 2), 60), 0x86DD),
    "6in6": packets.ethernet(
        packets.ipv6(b"", 41, length=0xFFFF) * (MEGABYTE // 40), 0x86DD
    ),
    "4in4": packets.ethernet(packets.ipv4(b"", 4, length=0xFFFF) * (MEGABYTE // 20)),
    "icmp": packets.ethernet(
        (packets.ipv4(b"", packets.ICMP, length=0xFFFF) + packets.icmp(3)) * (MEGABYTE // 28)
    ),
    "sctp": packets.ethernet(
        packets.ipv4(bytes(12) + b"\1\0\0\4" * (MEGABYTE // 4), packets.SCTP, length=0)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_headers_in_headers_without_end(name: str, tmp_path: Path) -> None:
    """Neither the stack nor the time may grow with them."""
    [packet] = packets.read_bytes(packets.pcap([BOMBS[name]]), tmp_path)
    start = time.process_time()
    read_everything([packet])
    if name == "sctp":
        assert len(packet.sctp.chunks) == MEGABYTE // 4
    if name in ("6in6", "4in4"):
        make, layer = (plt.ip6, packet.ip6) if name == "6in6" else (plt.ip, packet.ip)
        for _ in range(2000):
            layer = make(layer.transport)
        assert layer.version == int(name[0])
    if name == "icmp":
        layer = packet.ip
        for _ in range(2000):
            layer = layer.icmp.payload
        assert layer.icmp.type == 3
    assert pace.turns(time.process_time() - start) < 200
