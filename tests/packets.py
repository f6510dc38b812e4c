"""Headers and trace files for the tests, packed from the descriptions in RFCs and formats alone."""

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import plt

#: 2010-01-01 00:00:00 UTC: a time that any format can hold.
EPOCH = 1_262_304_000
V4 = ("192.0.2.1", "198.51.100.2")
V6 = ("2001:db8::1", "2001:db8:1::2")
MAC = bytes.fromhex("020000000001 020000000002")

ICMP, TCP, UDP, ICMP6, SCTP = 1, 6, 17, 58, 132
ETH, RAW = 1, 101


def internet_sum(data: bytes) -> int:
    """The checksum of RFC 1071: the complement of the one's complement sum of 16-bit words."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


# --- Headers ---------------------------------------------------------------------------------


def ethernet(payload: bytes = b"", ethertype: int = 0x0800) -> bytes:
    return MAC + struct.pack(">H", ethertype) + payload


def snap(payload: bytes, ethertype: int = 0x0800, oui: int = 0) -> bytes:  # RFC 1042
    return b"\xaa\xaa\x03" + oui.to_bytes(3, "big") + struct.pack(">H", ethertype) + payload


def wireless(body: bytes, frame: int, flags: int, more: bytes = b"") -> bytes:
    """An IEEE 802.11 frame: control, duration, three addresses, sequence, what else there is."""
    return bytes([frame, flags, 0, 0]) + MAC + MAC[:6] + b"\x10\0" + more + body


def ipv4(  # RFC 791 section 3.1
    payload: bytes = b"",
    proto: int = UDP,
    *,
    src: str = V4[0],
    dst: str = V4[1],
    tos: int = 0,
    ident: int = 0x1234,
    fragment: int = 0,
    ttl: int = 64,
    options: bytes = b"",
    length: int | None = None,
    checksum: int | None = None,
) -> bytes:
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if length is None else length
    start = struct.pack(">BBHHHBB", 0x40 | words, tos, total & 0xFFFF, ident, fragment, ttl, proto)
    rest = ip_address(src).packed + ip_address(dst).packed + options
    if checksum is None:
        checksum = internet_sum(start + b"\0\0" + rest)
    return start + struct.pack(">H", checksum) + rest + payload


def ipv6(  # RFC 8200 section 3
    payload: bytes = b"",
    next_header: int = UDP,
    *,
    src: str = V6[0],
    dst: str = V6[1],
    traffic_class: int = 0,
    flow: int = 0,
    hops: int = 64,
    length: int | None = None,
) -> bytes:
    first = 6 << 28 | traffic_class << 20 | flow
    size = len(payload) if length is None else length
    start = struct.pack(">IHBB", first, size & 0xFFFF, next_header, hops)
    return start + ip_address(src).packed + ip_address(dst).packed + payload


def tcp(  # RFC 9293 section 3.1
    payload: bytes = b"",
    *,
    ports: tuple[int, int] = (49152, 80),
    seq: int = 1,
    ack: int = 2,
    flags: int = 0x10,
    window: int = 8192,
    checksum: int = 0,
    urgent: int = 0,
    options: bytes = b"",
    doff: int | None = None,
) -> bytes:
    words = 5 + len(options) // 4 if doff is None else doff
    start = struct.pack(">HHIIH", *ports, seq, ack, words << 12 | flags)
    return start + struct.pack(">HHH", window, checksum, urgent) + options + payload


def udp(  # RFC 768
    payload: bytes = b"",
    *,
    ports: tuple[int, int] = (49152, 53),
    length: int | None = None,
    checksum: int = 0,
) -> bytes:
    size = 8 + len(payload) if length is None else length
    return struct.pack(">HHHH", *ports, size & 0xFFFF, checksum) + payload


def icmp(kind: int, code: int = 0, rest: bytes = b"\0\0\0\0", payload: bytes = b"") -> bytes:
    """ICMP (RFC 792) without pseudo-header: type, code, checksum, 4 bytes, the rest."""
    message = struct.pack(">BBH", kind, code, 0) + rest + payload
    return message[:2] + struct.pack(">H", internet_sum(message)) + message[4:]


def pseudo4(proto: int, length: int, src: str = V4[0], dst: str = V4[1]) -> bytes:
    """The pseudo-header of RFC 9293 section 3.1."""
    return ip_address(src).packed + ip_address(dst).packed + struct.pack(">BBH", 0, proto, length)


def pseudo6(proto: int, length: int, src: str = V6[0], dst: str = V6[1]) -> bytes:
    """The pseudo-header of RFC 8200 section 8.1."""
    return ip_address(src).packed + ip_address(dst).packed + struct.pack(">II", length, proto)


# --- Files -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """A packet of a file: its bytes, its time, its length on the wire where that is another."""

    data: bytes
    sec: int = EPOCH
    fraction: int = 0  # in the format's own unit
    wire: int | None = None

    @property
    def wire_len(self) -> int:
        return len(self.data) if self.wire is None else self.wire


def pcap(
    records: Iterable[Record | bytes],
    dlt: int = ETH,
    *,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
) -> bytes:
    """A pcap file (draft-ietf-opsawg-pcap); lengths swapped before version 2.3, as then.

    And in version 543.0, which tcpdump of DG/UX writes.
    """
    out = [struct.pack(order + "IHHiIII", magic, *version, 0, 0, 262144, dlt)]
    for item in records:
        record = item if isinstance(item, Record) else Record(item)
        lengths = [len(record.data), record.wire_len]
        if version < (2, 3) or version == (543, 0):
            lengths.reverse()
        out.append(struct.pack(order + "IIII", record.sec, record.fraction, *lengths))
        if magic == 0xA1B2CD34:
            out.append(struct.pack(order + "IHBB", 3, 0x0800, 0, 0))  # interface, protocol, type
        out.append(record.data)
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block (draft-ietf-opsawg-pcapng section 3.1)."""
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order: str = "<", options: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    start = struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1)
    return block(0x0A0D0D0A, start + options, order)


def interface(dlt: int = ETH, order: str = "<", options: bytes = b"", snaplen: int = 0) -> bytes:
    return block(1, struct.pack(order + "HHI", dlt, 0, snaplen) + options, order)


def enhanced(
    data: bytes,
    ticks: int = 0,
    order: str = "<",
    *,
    on: int = 0,
    wire: int | None = None,
    options: bytes = b"",
) -> bytes:
    """An enhanced packet block."""
    length = len(data) if wire is None else wire
    fields = struct.pack(order + "IIIII", on, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length)
    return block(6, fields + data + b"\0" * (-len(data) % 4) + options, order)


def simple(data: bytes, order: str = "<", wire: int | None = None) -> bytes:
    """A simple packet block: no interface, no time, no captured length."""
    return block(3, struct.pack(order + "I", len(data) if wire is None else wire) + data, order)


def erf(
    kind: int,
    data: bytes,
    *,
    sec: int = EPOCH,
    fraction: int = 0,
    wire: int | None = None,
    flags: int = 4,
    lost: int = 0,
    extensions: bytes = b"",
    padding: int = 0,
) -> bytes:
    """An ERF record; data begins behind the header, with Ethernet's two bytes of padding."""
    length = 16 + len(extensions) + len(data) + padding
    wire_len = len(data) if wire is None else wire
    clock = struct.pack("<II", fraction, sec)
    start = clock + struct.pack(">BBHHH", kind, flags, length, lost, wire_len)
    return start + extensions + data + b"\0" * padding


def tsh(packet: bytes, sec: int = EPOCH, usec: int = 0, direction: int = 1) -> bytes:
    """A time sequenced header: 8 bytes of time and interface, then 36 from the IP header on."""
    return struct.pack(">II", sec, direction << 24 | usec) + packet[:36].ljust(36, b"\0")


class Watched(io.BytesIO):
    """A file that calls something whenever it is read, but for the first time: to be opened."""

    def __init__(self, content: bytes, look: Callable[[], object]) -> None:
        super().__init__(content)
        self.look = look
        self.reads = 0

    def read1(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > 1:
            self.look()
        return super().read1(size)


class Holder(tuple[io.BytesIO, dict[str, object]]):
    """A file that can hold what reads it: it lets go of nothing, as one with attributes does."""

    __slots__ = ()

    def read(self, size: int) -> bytes:
        return self[0].read(size)


# --- Reading ---------------------------------------------------------------------------------


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def read(uri: str | Path) -> list[plt.packet]:
    """All packets of a trace."""
    with plt.trace(uri) as trace:
        return list(trace)


def read_bytes(content: bytes, folder: Path, prefix: str = "") -> list[plt.packet]:
    """All packets of a file with this content."""
    path = write(folder / "trace", content)
    return read(f"{prefix}{path}")


def packet_of(data: bytes, folder: Path, dlt: int = ETH, wire: int | None = None) -> plt.packet:
    """The packet of a pcap file that holds just that one."""
    return read_bytes(pcap([Record(data, wire=wire)], dlt), folder, "pcapfile:")[0]


def until_error(uri: str | Path) -> tuple[list[plt.packet], str]:
    """What a trace gives before its end or error, and the message of that, "" where it ends well.

    The error may come from start() already.
    """
    packets: list[plt.packet] = []
    trace = plt.trace(uri)
    try:
        trace.start()
        packets.extend(trace)
    except plt.LibtraceError as error:
        return packets, str(error)
    finally:
        trace.close()
    return packets, ""


# --- Other processes -------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """The environment of a program that imports this module."""
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))}


def child(code: str, *args: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program that may end the interpreter, or that is to be measured from outside."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def count_to_error(uri: Path | str) -> tuple[int, str]:
    """How many packets a loop over a trace gives, and the error that it ends with."""
    count = 0
    try:
        with plt.trace(uri) as trace:
            for _ in trace:
                count += 1
    except plt.LibtraceError as error:
        return count, str(error)
    return count, ""
