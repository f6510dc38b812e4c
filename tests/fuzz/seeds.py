"""Write the inputs that fuzzing begins with: a folder for each fuzzer.

usage: python tests/fuzz/seeds.py FOLDER

They come of the packets that the tests build and of the tutorial's traces, and are small.
"""

import gzip
import pickle
import re
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
ROOT = TESTS.parent
sys.path[:0] = [str(TESTS), str(TESTS / "unit"), str(TESTS / "hostile")]

import addressed  # noqa: E402
import catalogue  # noqa: E402
import dns_damage  # noqa: E402
import dns_messages  # noqa: E402
import flow_traces  # noqa: E402
import packets  # noqa: E402
import test_plt_chance  # noqa: E402
import test_plt_links  # noqa: E402
import tunnelled  # noqa: E402

import ipp  # noqa: E402
import natkit  # noqa: E402
import plt  # noqa: E402

TRACES = ROOT / "tutorial" / "traces"
LARGEST = 4096

# --- Packets, as packets.h has them ---------------------------------------------------------------

ETHERNET, IP = 0, 1
#: What of times[] in packets.c is a millisecond.
MILLISECOND = 3


def link_numbers() -> dict[int, int]:
    """Of each number of a link type that of its row, as packet_record() counts them."""
    text = (ROOT / "src" / "packet" / "linktypes.h").read_text()
    table = text[text.index("#define LINK_TYPES(X)") : text.index("#define LINKTYPE_ENUM")]
    numbers = [int(found, 0) for found in re.findall(r"\bX\(\w+, (\w+),", table)]
    return {number: row + 2 for row, number in enumerate(numbers)}


def packet(data: bytes, link: int = ETHERNET, time: int = MILLISECOND) -> bytes:
    return struct.pack("<BBH", time, link, len(data)) + data


def records(name: str) -> list[tuple[int, bytes]]:
    """The packets of a trace of the tutorial, with their times in nanoseconds."""
    with plt.trace(TRACES / name) as trace:
        return [(each.time_ns, bytes(each)) for each in trace]


def code_of(step: int) -> int:
    """About so many nanoseconds, as a number of times[] in packets.c."""
    for code, limit in enumerate((1, 1_000, 1_000_000, 500_000_000, 10**9)):
        if step < limit:
            return code
    return 5


def conversations(name: str, most: int) -> Iterator[bytes]:
    """The first packets of some pairs of addresses and ports, a sequence each."""
    found: dict[object, list[tuple[int, bytes]]] = {}
    with plt.trace(TRACES / name) as trace:
        for each in trace:
            network, transport = each.ip or each.ip6, each.tcp or each.udp
            if network is None or transport is None:
                continue
            ends = frozenset(
                [
                    (str(network.src_prefix), transport.src_port),
                    (str(network.dst_prefix), transport.dst_port),
                ]
            )
            if len(found) < most or ends in found:
                found.setdefault(ends, []).append((each.time_ns, bytes(each)))
    for sequence in found.values():
        before = sequence[0][0]
        out = b""
        for time, data in sequence[:16]:
            out += packet(data[:300], time=code_of(max(time - before, 0)))
            before = time
        yield out


def sequences() -> Iterator[bytes]:
    """Packets that belong together: connections, streams in pieces, fragments, tunnels."""
    yield from conversations("edge-10k.pcap.gz", 40)
    yield from conversations("dns-1k.pcap.gz", 10)
    syn, ack, fin = flow_traces.SYN, flow_traces.ACK, flow_traces.FIN
    there, back = flow_traces.there, flow_traces.back
    shake = [there(b"", syn, 0), back(b"", syn | ack, 100), there(b"", ack, 1)]
    data = [there(b"a" * 100, ack, 1), there(b"c" * 100, ack, 201), there(b"b" * 150, ack, 101)]
    close = [there(b"", fin | ack, 301), back(b"", fin | ack, 101), there(b"", ack, 302)]
    parts = flow_traces.fragments(7)
    for sent in (shake + data + close, data, parts, parts[::-1], shake + parts + shake):
        yield b"".join(packet(each, IP) for each in sent)
    yield b"".join(packet(case.frame) for case in list(tunnelled.CASES.values())[:12])
    messages = dns_messages.framed(dns_messages.message(), dns_messages.message("other.test"))
    stream = [dns_messages.segment(messages[:30], 1), dns_messages.segment(messages[30:], 31)]
    asked = [dns_messages.query(), dns_messages.response(), *stream]
    yield b"".join(packet(each.data) for each in asked)


def frames() -> Iterator[tuple[int, bytes]]:
    """Single packets: a link type, and the bytes."""
    rows = link_numbers()
    for dlt, data, _, _ in test_plt_links.FOUND.values():
        if dlt in rows:
            yield rows[dlt], data
    for case in tunnelled.CASES.values():
        yield ETHERNET, case.frame
    for make in catalogue.PACKETS.values():
        yield IP, make(addressed.as_is)


# --- The fuzzers of C ---------------------------------------------------------------------------


def link() -> Iterator[bytes]:
    for number, data in frames():
        yield bytes([number, 0]) + data


def anonymise() -> Iterator[bytes]:
    for number, data in frames():
        yield bytes([number, 0]) + data
        yield bytes([number, 0x38]) + data


def flowtable() -> Iterator[bytes]:
    for settings in (0, 0x3F, 0x7F):
        for sequence in sequences():
            yield bytes([settings, 4]) + sequence


def streams() -> Iterator[bytes]:
    for limits in (0, 7):
        for sequence in sequences():
            yield bytes([limits]) + sequence


def dnspackets() -> Iterator[bytes]:
    for sequence in sequences():
        yield b"\0" + sequence


def tables() -> Iterator[natkit.FlowTable]:
    """Flow tables of part of a trace, with each of their settings."""
    packets_of = records("edge-10k.pcap.gz")[:12]
    for kwargs in ({}, {"tcp": True}, {"vlan": True, "idle_timeout": 1}, {"decap": True}):
        table = natkit.FlowTable(**kwargs)
        with plt.trace(TRACES / "edge-10k.pcap.gz", count=len(packets_of)) as trace:
            table.add_trace(trace)
        yield table


def saved() -> Iterator[bytes]:
    for table in tables():
        yield from parts_of_pickle(table)
        yield from parts_of_pickle(next(iter(table)))
        table.flush()
        yield from parts_of_pickle(table)


def parts_of_pickle(value: object) -> Iterator[bytes]:
    """The bytes that an object is made of again."""
    reduced = value.__reduce_ex__(4)
    assert isinstance(reduced, tuple)
    for argument in reduced[1]:
        if isinstance(argument, bytes):
            yield argument


def dns() -> Iterator[bytes]:
    for kind in dns_damage.TYPES:
        for fields in [
            *([dns_damage.FIELDS[kind]] if kind in dns_damage.FIELDS else []),
            *dns_damage.VARIANTS.get(kind, []),
        ]:
            yield dns_damage.message(kind, b"".join(fields))
    for _, data in records("dns-1k.pcap.gz")[:60]:
        yield data[42:]
    yield dns_messages.message(counts=(0, 0, 1), rest=dns_messages.opt())


def pcapng() -> Iterator[bytes]:
    frame = packets.ethernet(packets.ipv4(packets.udp(b"hello")))
    for order in "<>":
        options = packets.option(9, b"\x09", order) + packets.option(14, bytes(8), order)
        drops = packets.option(5, bytes(8), order)
        yield (
            packets.section(order)
            + packets.interface(1, order, options)
            + packets.interface(101, order, packets.option(13, b"\4", order), 30)
            + packets.enhanced(frame, 1, order, options=packets.option(1, b"a note", order))
            + packets.enhanced(frame[14:], 2, order, on=1)
            + packets.simple(frame, order)
            + packets.block(5, struct.pack(order + "III", 0, 0, 0) + drops, order)
            + packets.block(4, b"names", order)
            + packets.section(order)
        )
    yield test_plt_chance.WHOLE["pcapng"]


def file_formats() -> Iterator[tuple[int, bytes]]:
    """Files, and which of the readers in files.c each is for."""
    ip = packets.ipv4(packets.tcp(b"payload"), packets.TCP)
    plain = [packets.ethernet(ip), packets.ethernet(packets.ipv4(packets.udp(b"u")))]
    for order in "<>":
        for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34, 0x1C0001AC):
            yield 0, packets.pcap(plain, order=order, magic=magic)
        yield 0, packets.pcap(plain, order=order, version=(2, 2))
    for kind in (1, 2, 3, 22, 27, 48):
        yield 1, packets.erf(kind, b"\0\0" + plain[0]) * 2
    yield 1, packets.erf(0x80 | 2, b"\0\0" + plain[0], extensions=bytes(8))
    yield 2, packets.tsh(ip) * 3
    for reader in (3, 4, 5, 6):
        yield reader, test_plt_chance.WHOLE["legacyeth"][:256]


def files() -> Iterator[bytes]:
    for reader, content in file_formats():
        yield bytes([reader, 7]) + content


CONDITIONS = (
    "proto == 6 and dst_port in (80, 443) and src in 192.0.2.0/24",
    "tcp", "not (udp or ip6)", "tcp.flags & 0x12 == 0x02", "src_port in 1024-65535",
    "src != dst", "time < '2012-03-23T12:00:00Z'", "seconds >= 1.5e9", "ttl in 1..64, 255",
    "src_port == dst_port or wire_len > capture_len", "dst in (2001:db8::/32, ::1)",
    "icmp.type == 8 and vlan_id == 5", "src_port not in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)",
    "direction == -1", "linktype < 0", "erf_time > 0xffffffffffffffff",
)  # fmt: skip

FILTERS = (
    "tcp port 80", "vlan 5 and ip6", "ether[0] & 1 = 0", "not host 192.0.2.1",
    "tcp[tcpflags] & tcp-syn != 0", "ip[8] > 64 or less 100", "mpls && pppoes",
)  # fmt: skip


def where() -> Iterator[bytes]:
    frame = packets.ethernet(packets.ipv4(packets.tcp(b"x"), packets.TCP))
    for text in CONDITIONS:
        yield b"\0" + text.encode() + b"\0" + frame


def addresses() -> Iterator[bytes]:
    zero = bytes(16)
    yield b"\1" + bytes([192, 0, 2, 1]) + bytes(12) + b"\2" + zero + b"\0" + zero
    yield b"\2" + bytes(10) + b"\xff\xff\xc0\0\2\1"
    yield b"\2" + bytes.fromhex("20010db8000000000001000000000001")


# --- Those of the API -----------------------------------------------------------------------------


def api_traces() -> Iterator[bytes]:
    yield from pcapng()
    for _, content in file_formats():
        yield content
    for name in sorted(TRACES.glob("*.pcap.gz")):
        content = gzip.decompress(name.read_bytes())
        for first in range(0, 40, 8):
            yield first_packets(content, first, 8)
    for case in tunnelled.CASES.values():
        yield packets.pcap([case.frame])


def first_packets(content: bytes, first: int, count: int) -> bytes:
    """Some packets of a pcap file in little endian, cut."""
    out, at = content[:24], 24
    for n in range(first + count):
        length = struct.unpack_from("<I", content, at + 8)[0]
        if n >= first:
            kept = min(length, 300)
            head = content[at : at + 8] + struct.pack("<I", kept) + content[at + 12 : at + 16]
            out += head + content[at + 16 : at + 16 + kept]
        at += 16 + length
    return out


def api_pickles() -> Iterator[bytes]:
    small = ["time", "src", "dst_port", "tcp.flags"]
    columns = plt.columns(TRACES / "edge-10k.pcap.gz", small, limit=3).table()
    values: list[object] = [
        columns, plt.where("tcp"), natkit.FlowHome(ipp.from_s("192.0.2.0/24")),
        addressed.prefix(b"\xc0\0\2\1"),
    ]  # fmt: skip
    for table in tables():
        flow = next(iter(table))
        values += [table, flow, table.columns(["src_prefix", "packets"])]
        table.flush()
        values.append(table.expired())
    for value in values:
        for protocol in (2, 5):
            yield pickle.dumps(value, protocol)


def api_conditions() -> Iterator[bytes]:
    for text in CONDITIONS:
        yield b"\0" + text.encode()
    for text in FILTERS:
        yield b"\1" + text.encode()


def api_arrays() -> Iterator[bytes]:
    for function in range(8):
        yield bytes([function, 1, 2, 0, 3]) + bytes(range(64))
        yield bytes([function, 0, 1, 4, 1]) + bytes(range(200))


FUZZERS: dict[str, Callable[[], Iterable[bytes]]] = {
    each.__name__: each
    for each in (
        link, anonymise, flowtable, streams, dnspackets, saved, dns, pcapng, files, where,
        addresses, api_traces, api_pickles, api_conditions, api_arrays,
    )
}  # fmt: skip


def main() -> None:
    """Write the inputs of all fuzzers."""
    out = Path(sys.argv[1])
    for name, inputs in FUZZERS.items():
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        for n, content in enumerate(inputs()):
            (folder / f"{n:03}").write_bytes(content[:LARGEST])


if __name__ == "__main__":
    main()
