"""plt's loops against the C reading floor, and what they cost in memory.

    python bench/reading.py [--packets N] [--rounds N]

Reading alone in C (floor.c), `for pkt in trace` counting, and the loop that adds `wire_len` by
`tcp.dst_port` into a dict take turns; the medians are printed, and how many times the floor the
loops take.  Then: what a table-driven field read costs against a getter written by hand (getter.c),
by how much memory a loop grows, and what a kept packet takes.
"""

import argparse
import importlib.util
import statistics
import subprocess
import sys
import sysconfig
import time
import timeit
from pathlib import Path
from types import ModuleType

import floor
import make_trace

import plt

HERE = Path(__file__).resolve().parent
SRC = HERE.parent / "src"

LIMITS = {"count": 2.0, "tcp ports": 4.2}


def count(uri: str) -> int:
    """Iterate and count."""
    trace = plt.trace(uri)
    trace.start()
    packets = 0
    for _ in trace:
        packets += 1
    return packets


def tcp_ports(uri: str) -> int:
    """Bytes by TCP destination port."""
    trace = plt.trace(uri)
    trace.start()
    sizes: dict[int, int] = {}
    packets = 0
    for pkt in trace:
        packets += 1
        tcp = pkt.tcp
        if tcp:
            port = tcp.dst_port
            sizes[port] = sizes.get(port, 0) + pkt.wire_len
    return packets


LOOPS = {"count": count, "tcp ports": tcp_ports}


def loops(uri: str, packets: int, rounds: int) -> None:
    """Time the floor and the loops in turns, and print ratios."""
    seconds: dict[str, list[float]] = {"floor in C": [], **{name: [] for name in LOOPS}}
    for _ in range(rounds):
        seconds["floor in C"].append(floor.read(uri).seconds)
        for name, loop in LOOPS.items():
            start = time.perf_counter()
            assert loop(uri) == packets
            seconds[name].append(time.perf_counter() - start)
    for name, times in seconds.items():
        ratios = sorted(t / f for t, f in zip(times, seconds["floor in C"], strict=True))
        limit = f", limit {LIMITS[name]}" if name in LIMITS else ""
        print(
            f"{name:12} {statistics.median(times) * 1e9 / packets:6.1f} ns a packet, "
            f"{statistics.median(ratios):4.2f} times the floor "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}{limit})"
        )


def compiled_getter() -> ModuleType:
    """The module of getter.c, compiled as the project is."""
    path = HERE / "data" / f"getter{sysconfig.get_config_var('EXT_SUFFIX')}"
    decoders = [SRC / "plt" / name for name in ("network.c", "link.c", "ieee80211.c", "linktype.c")]
    command = ["cc", "-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden"]
    command += [f"-I{SRC / 'common'}", f"-I{SRC / 'plt'}", f"-I{sysconfig.get_path('include')}"]
    subprocess.run([*command, "-o", path, HERE / "getter.c", *decoders], check=True)
    spec = importlib.util.spec_from_file_location("getter", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def getters(uri: str, rounds: int) -> None:
    """What a field read costs, by table and by hand."""
    compiled_getter().attach(plt.tcp)
    trace = plt.trace(uri)
    trace.start()
    tcp = next(pkt.tcp for pkt in trace if pkt.tcp)
    assert tcp.dst_port == tcp.dst_port_by_hand
    times: dict[str, list[float]] = {"dst_port": [], "dst_port_by_hand": []}
    for _ in range(rounds):
        for name, found in times.items():
            timer = timeit.Timer("; ".join([f"tcp.{name}"] * 20), globals={"tcp": tcp})
            found.append(timer.timeit(100_000) / 2_000_000)
    table, hand = (statistics.median(found) * 1e9 for found in times.values())
    print(f"field read   {table:6.1f} ns by table, {hand:.1f} by hand: {table / hand:.2f} times")


MEMORY = """
import resource, sys, plt
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
trace = plt.trace(sys.argv[1])
trace.start()
keep = []
before = 0
for n, pkt in enumerate(trace, 1):
    if sys.argv[2] == "keep":
        keep.append(pkt)
    if n == 1000:
        before = peak()
    if n == {packets}:
        break
print(peak() - before)
"""


def memory(uri: str) -> None:
    """By how much a loop grows, and what a kept packet takes."""
    grown = {}
    for mode, packets in (("loop", 2_000_000), ("keep", 500_000)):
        program = MEMORY.replace("{packets}", str(packets))
        run = subprocess.run(
            [sys.executable, "-c", program, uri, mode], check=True, capture_output=True, text=True
        )
        grown[mode] = int(run.stdout)
    kept = grown["keep"] / 499_000 - make_trace.SNAP
    print(f"memory       the loop grows by {grown['loop'] / 1024:.0f} KiB from packet 1,000 on;")
    print(f"             a kept packet of 80 bytes takes {kept:.0f} bytes beyond them (limit 600)")


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    uri = f"pcapfile:{make_trace.cached(args.packets)}"
    floor.read(uri)  # the file is in memory from here on
    loops(uri, args.packets, args.rounds)
    getters(uri, args.rounds)
    memory(uri)


if __name__ == "__main__":
    main()
