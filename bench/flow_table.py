"""Flow tables against the C reading floor: time and memory, as packets and flows grow.

    python bench/flow_table.py [--rounds N] [--packets N] [--flows N]

First the ratio to the floor (floor.c) on the benchmarks' trace, the two taking turns; then the time
a packet for 1, 4 and 16 times as many packets; then the time a packet and the memory a flow with
ten thousand active IPv4 flows and ten times as many again and again, up to --flows.  Each packet of
those traces is of another flow than those around it: the processor's caches are of no use.
"""

import argparse
import multiprocessing
import statistics
import struct
import time
from collections.abc import Callable
from pathlib import Path

import floor
import make_trace

import natkit

SPREAD = 2_654_435_761  # a prime: its multiples come to all flows, far from each other
CHUNK = 100_000


def flow_packet(number: int) -> bytes:
    """A record of flow `number` without its time: a TCP segment of 10 bytes, snapped to 54."""
    client = struct.pack(">I", 0x0A000000 | number >> 8) + b"\xc6\x33\x64\x01"
    network = b"\x45\0\0\x32\0\1\x40\0\x40\6\0\0" + client
    transport = struct.pack(">HHIIBBHHH", 1024 + (number & 0xFF), 443, 1, 1, 5 << 4, 0x10, 0, 0, 0)
    link = bytes.fromhex("0200000000010200000000020800")
    return struct.pack("<II", 54, 64) + link + network + transport


def make_many_flows(path: Path, flows: int) -> None:
    """A pcap file with one packet of each of so many flows."""
    written = path.with_name(path.name + ".part")
    with written.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 54, 1))
        for first in range(0, flows, CHUNK):
            stamp = struct.pack("<II", make_trace.START + first // CHUNK, 0)
            numbers = (n * SPREAD % flows for n in range(first, min(first + CHUNK, flows)))
            out.write(b"".join(stamp + flow_packet(number) for number in numbers))
    written.replace(path)


def many_flows(flows: int) -> Path:
    """Such a file, made when it is first asked for."""
    path = make_trace.DATA / f"many-flows-{flows}.pcap"
    if not path.exists():
        make_trace.DATA.mkdir(exist_ok=True)
        make_many_flows(path, flows)
    return path


def resident() -> int:
    """The memory that this process has, in bytes."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise OSError("the kernel tells of no Rss")


def timed(call: Callable[[], int]) -> float:
    """Nanoseconds that each of the packets takes that a call counts."""
    began = time.perf_counter()
    packets = call()
    return (time.perf_counter() - began) * 1e9 / packets


def floor_ns(path: Path) -> float:
    """Nanoseconds a packet that reading alone takes."""
    reading = floor.read(f"pcapfile:{path}")
    return reading.seconds * 1e9 / reading.packets


def compare_with_floor(packets: int, rounds: int) -> None:
    path = make_trace.cached(packets)
    floor_ns(path)  # the file is in memory from here on
    rows = []
    for _ in range(rounds):
        table = natkit.FlowTable(idle_timeout=60)
        rows.append((floor_ns(path), timed(lambda table=table: table.add_trace(path))))
    ratios = sorted(ours / base for base, ours in rows)
    base, ours = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"{packets} packets, {len(table)} flows: "
        f"floor {base:.1f} ns, table {ours:.1f} ns a packet, "
        f"{statistics.median(ratios):.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


def measure_flows(flows: int, rounds: int) -> tuple[float, float, float, float]:
    """Floor, time a packet when its flow is new and when it is known, bytes a flow."""
    path = many_flows(flows)
    base = statistics.median(floor_ns(path) for _ in range(rounds))
    natkit.FlowTable(idle_timeout=86400).add_trace(path)  # what reading takes is there from here on
    before = resident()
    table = natkit.FlowTable(idle_timeout=86400)
    new = timed(lambda: table.add_trace(path))
    used = (resident() - before) / len(table)
    known = statistics.median(timed(lambda: table.add_trace(path)) for _ in range(rounds))
    assert len(table) == flows
    return base, new, known, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--flows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    compare_with_floor(args.packets, args.rounds)
    for factor in (1, 4, 16):
        compare_with_floor(args.packets // 4 * factor, args.rounds)
    flows = 10_000
    while flows <= args.flows:
        # a process of its own: memory that another table left would not count
        with multiprocessing.Pool(1) as pool:
            base, new, known, used = pool.apply(measure_flows, (flows, args.rounds))
        print(
            f"{flows} flows: floor {base:.1f} ns, a new flow {new:.1f} ns, "
            f"a known one {known:.1f} ns a packet; {used:.0f} bytes a flow"
        )
        flows *= 10


if __name__ == "__main__":
    main()
