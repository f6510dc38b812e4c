"""DNS messages a second: pldns.columns(), tshark and dnspython on the same trace.

    python bench/dns_columns.py [TRACE] [--messages N] [--rounds N]

TRACE is a pcap file, not compressed, of Ethernet, with DNS over UDP at port 53; without one, one of
N messages is made (default 200,000: queries with EDNS, and responses with one to three records).
Each round times, one after the other: reading alone in C (floor.c), the columns of time, addresses,
ports, header and question; the same with the response time; the same with ldns's status of all of
the message too; then tshark's fields of the like; then dnspython's messages, of the first 20,000
packets.  Prints the medians, and how many times the columns are faster.  dnspython is needed:
pip install dnspython.
"""

import argparse
import random
import statistics
import struct
import subprocess
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import dns.exception
import dns.message
import floor

import pldns
import plt

DATA = Path(__file__).resolve().parent / "data"
START = 1_700_000_000
SLOW = 20_000  # packets that dnspython reads

PLAIN = (
    "time", "src_prefix", "dst_prefix", "src_port", "dst_port", "id", "qr", "opcode", "rcode",
    "qname", "qtype", "ancount",
)  # fmt: skip
TIMED = (*PLAIN, "response_time")
CHECKED = (*TIMED, "edns_udp_size", "edns_do", "status")
TSHARK = (
    "frame.time_epoch", "ip.src", "ip.dst", "udp.srcport", "udp.dstport", "dns.id",
    "dns.flags.response", "dns.flags.opcode", "dns.flags.rcode", "dns.qry.name", "dns.qry.type",
    "dns.count.answers", "dns.time",
)  # fmt: skip


def frame(payload: bytes, src: bytes, dst: bytes, ports: tuple[int, int]) -> bytes:
    """An Ethernet frame of a UDP datagram; checksums are 0."""
    size = 28 + len(payload)
    network = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 1, 0, 64, 17, 0, src, dst)
    transport = struct.pack(">HHHH", *ports, size - 20, 0)
    return bytes(12) + b"\x08\x00" + network + transport + payload


def make(path: Path, messages: int) -> None:
    """Write a trace of so many messages, half of them queries, the other half their responses."""
    rng = random.Random(1)
    opt = b"\0" + struct.pack(">HHIH", 41, 1232, 0x8000, 0)
    names = []
    for n in range(10_000):
        labels = [b"host%d" % n, b"zone%d" % rng.randrange(500), b"example", b"test"]
        names.append(b"".join(bytes([len(one)]) + one for one in labels) + b"\0")
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        waiting: list[tuple[bytes, bytes, int, int, bytes]] = []
        for n in range(messages):
            if n % 2 == 0:
                client = bytes([192, 0, 2, rng.randrange(1, 255)])
                server = bytes([198, 51, 100, rng.randrange(1, 9)])
                question = rng.choice(names) + struct.pack(">HH", rng.choice([1, 28, 65]), 1)
                one = (client, server, rng.randrange(1024, 65536), rng.randrange(65536), question)
                waiting.append(one)
                head = struct.pack(">6H", one[3], 0x0100, 1, 0, 0, 1)
                data = frame(head + question + opt, client, server, (one[2], 53))
            else:
                one = waiting.pop(rng.randrange(len(waiting)) if len(waiting) > 100 else 0)
                client, server, port, ident, question = one
                count = rng.randrange(1, 4)
                record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 300, 4) + b"\xcb\0\x71\x05"
                head = struct.pack(">6H", ident, 0x8180, 1, count, 0, 1)
                data = frame(head + question + record * count + opt, server, client, (53, port))
            at = n * 20
            stamp = (START + at // 1_000_000, at % 1_000_000, len(data), len(data))
            file.write(struct.pack("<IIII", *stamp) + data)


def head_of(path: Path, packets: int) -> Path:
    """The first packets of a trace, as a trace."""
    short = DATA / f"{path.stem}-first-{packets}.pcap"
    with plt.trace(f"pcapfile:{path}") as trace, plt.output_trace(f"pcapfile:{short}") as out:
        for pkt in islice(trace, packets):
            out.write_packet(pkt)
    return short


def columns(fields: tuple[str, ...]) -> Callable[[Path], int]:
    return lambda path: len(pldns.columns(path, fields).table())


def tshark(path: Path) -> int:
    fields = [word for name in TSHARK for word in ("-e", name)]
    command = ["tshark", "-n", "-r", path, "-Y", "dns", "-T", "fields", *fields]
    run = subprocess.run(command, capture_output=True, check=True)
    return run.stdout.count(b"\n")


def dnspython(path: Path) -> int:
    """The messages of a little-endian pcap file of Ethernet and IPv4 without options."""
    content = path.read_bytes()
    at, messages = 24, 0
    while at < len(content):
        size = int.from_bytes(content[at + 8 : at + 12], "little")
        payload = content[at + 16 + 42 : at + 16 + size]
        at += 16 + size
        try:
            message = dns.message.from_wire(payload)
        except (dns.exception.DNSException, ValueError):
            continue
        messages += 1
        if message.question:
            message.question[0].name.to_text()
    return messages


def timed(work: Callable[[Path], int], path: Path) -> tuple[float, int]:
    """Seconds a message, and how many messages."""
    began = time.perf_counter()
    messages = work(path)
    return (time.perf_counter() - began) / messages, messages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("trace", type=Path, nargs="?")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    DATA.mkdir(exist_ok=True)
    path = args.trace or DATA / f"dns-{args.messages}.pcap"
    if not path.exists():
        make(path, args.messages)
    short = head_of(path, SLOW)
    works: dict[str, tuple[Callable[[Path], int], Path]] = {
        "columns": (columns(PLAIN), path),
        "and response time": (columns(TIMED), path),
        "and EDNS, status": (columns(CHECKED), path),
        "tshark": (tshark, path),
        "dnspython": (dnspython, short),
    }
    floors: list[float] = []
    rounds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(args.rounds):
        reading = floor.read(f"pcapfile:{path}")
        floors.append(reading.seconds / reading.packets)
        for name, (work, trace) in works.items():
            rounds[name].append(timed(work, trace)[0])
    print(f"reading alone: {statistics.median(floors) * 1e9:.0f} ns a packet")
    for name, seconds in rounds.items():
        median = statistics.median(seconds)
        # of each round, not of the medians: what else the machine does then weighs on all alike
        ratios = [
            statistics.median(other / own for other, own in zip(rounds[slow], seconds, strict=True))
            for slow in ("tshark", "dnspython")
        ]
        print(
            f"{name:18} {1 / median:12,.0f} messages/s  {median * 1e9:8.0f} ns each, "
            f"{ratios[0]:6.1f} times tshark, {ratios[1]:6.1f} times dnspython"
        )


if __name__ == "__main__":
    main()
