"""Reads a trace of hundreds of millions of packets through a pipe, in every way there is.

    python run.py [--packets N] [NAME ...]

What `make soak` calls.  Each way runs in a process of its own.  What it counts has to be right by
arithmetic, and from a tenth of the packets on its memory has to stay what it is.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE)]

import traffic  # noqa: E402

import natkit  # noqa: E402
import pldns  # noqa: E402
import plt  # noqa: E402

#: What memory may grow by after the first tenth, in megabytes: a flow table's grows by nine, with
#: three million packets as with thirty million.
ROOM = 16

#: Of a group's packets, those of TCP.
SEGMENTS = len(traffic.CONNECTION)
PER_GROUP = len(traffic.GROUP)


def resident() -> int:
    """The memory that this process has, in kilobytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


class Memory:
    """Looks at the memory some hundred times: the most in the first tenth, and after it."""

    def __init__(self, packets: int) -> None:
        self.packets = packets
        self.due = 0
        self.early = self.late = 0

    def at(self, packets: int) -> None:
        if packets < self.due:
            return
        self.due = packets + self.packets // 300
        size = resident()
        if packets * 10 < self.packets:
            self.early = max(self.early, size)
        else:
            self.late = max(self.late, size)


# --- The ways ---------------------------------------------------------------------------------

Counts = dict[str, int]


def loop(memory: Memory) -> Counts:
    packets = segments = payload = 0
    with plt.trace("pcapfile:-") as trace:
        for packet in trace:
            packets += 1
            tcp = packet.tcp
            if tcp is not None:
                segments += 1
                data = tcp.payload
                payload += 0 if data is None else len(data)
            if not packets & 0xFFFF:
                memory.at(packets)
    return {"packets": packets, "segments": segments, "payload": payload}


def loop_expected(groups: int) -> Counts:
    return {
        "packets": groups * PER_GROUP,
        "segments": groups * SEGMENTS,
        "payload": groups * (len(traffic.REQUEST) + 2 * len(traffic.ANSWER)),
    }


def columns(memory: Memory) -> Counts:
    packets = length = segments = 0
    with plt.columns("pcapfile:-", ["time", "src", "dst", "proto", "pkt_len"]) as batches:
        for batch in batches:
            packets += len(batch)
            length += int(batch["pkt_len"].sum())
            segments += int((batch["proto"] == 6).sum())
            memory.at(packets)
    return {"packets": packets, "length": length, "segments": segments}


def columns_expected(groups: int) -> Counts:
    return {
        "packets": groups * PER_GROUP,
        "length": groups * sum(map(len, traffic.GROUP)),
        "segments": groups * SEGMENTS,
    }


def flowtable(memory: Memory) -> Counts:
    table = natkit.FlowTable(idle_timeout=10, active_timeout=60, tcp=True, statistics=True, first=3)
    found: Counter[str] = Counter()

    def ended(flows: natkit.Flows) -> None:
        rows = flows.columns(["proto", "packets", "fwd_payload_bytes", "rev_payload_bytes"])
        found["flows"] += len(flows)
        found["packets"] += int(rows["packets"].sum())
        found["connections"] += int((rows["proto"] == 6).sum())
        found["payload"] += int(rows["fwd_payload_bytes"].sum() + rows["rev_payload_bytes"].sum())
        memory.at(found["packets"])

    table.add_trace("pcapfile:-", on_expired=ended)
    table.flush()
    ended(table.expired())
    return dict(found)


def flowtable_expected(groups: int) -> Counts:
    lookup = len(traffic.QUERY) + 2 * len(traffic.RESPONSE)
    return {
        "flows": groups * 2,
        "packets": groups * PER_GROUP,
        "connections": groups,
        "payload": groups * (len(traffic.REQUEST) + 2 * len(traffic.ANSWER) + lookup),
    }


def streams(memory: Memory) -> Counts:
    found: Counter[str] = Counter()
    for stream in natkit.streams("pcapfile:-", idle_timeout=10):
        found["streams"] += 1
        found["whole"] += stream.fwd.is_whole and stream.rev.is_whole
        found["sent"] += len(stream.fwd.data)
        found["received"] += len(stream.rev.data)
        if not found["streams"] & 0xFFF:
            memory.at(found["streams"] * PER_GROUP)
    return dict(found)


def streams_expected(groups: int) -> Counts:
    return {
        "streams": groups,
        "whole": groups,
        "sent": groups * len(traffic.REQUEST),
        "received": groups * 2 * len(traffic.ANSWER),
    }


def dns(memory: Memory) -> Counts:
    messages = responses = matched = 0
    names = ["qr", "response_time"]
    with pldns.columns("pcapfile:-", names) as batches:
        for batch in batches:
            messages += len(batch)
            responses += int(batch["qr"].sum())
            matched += int(batch.mask("response_time").sum())
            memory.at(messages // 3 * PER_GROUP)
    return {"messages": messages, "responses": responses, "matched": matched}


def dns_expected(groups: int) -> Counts:
    return {"messages": groups * 3, "responses": groups * 2, "matched": groups * 2}


WAYS: dict[str, tuple[Callable[[Memory], Counts], Callable[[int], Counts]]] = {
    "loop": (loop, loop_expected),
    "columns": (columns, columns_expected),
    "flowtable": (flowtable, flowtable_expected),
    "streams": (streams, streams_expected),
    "dns": (dns, dns_expected),
}

# --- Running them -----------------------------------------------------------------------------


def read(name: str, groups: int) -> None:
    """What the process of a way does: it prints what it found."""
    memory = Memory(groups * PER_GROUP)
    began = time.process_time()
    counts = WAYS[name][0](memory)
    used = time.process_time() - began
    print(json.dumps({"counts": counts, "early": memory.early, "late": memory.late, "cpu": used}))


def ways(names: list[str], groups: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each way, and what its process printed."""
    for name in names:
        command = [sys.executable, HERE / "traffic.py", str(groups)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            run = subprocess.run(
                [sys.executable, HERE / "run.py", "--way", name, "--groups", str(groups)],
                stdin=writer.stdout, stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
        yield name, json.loads(run.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *WAYS], help="these alone")
    parser.add_argument("--packets", type=int, default=200_000_000)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--groups", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        read(options.way, options.groups)
        return 0
    groups = -(-options.packets // PER_GROUP)
    packets = groups * PER_GROUP
    print(f"{packets:,} packets of {groups:,} groups")
    print("| way | counts | MB at first | MB at the end | packets a second of processor time |")
    print("|---|---|---|---|---|", flush=True)
    wrong = 0
    for name, found in ways(options.names or list(WAYS), groups):
        expected = WAYS[name][1](groups)
        right = found["counts"] == expected
        early, late = found["early"] / 1024, found["late"] / 1024
        wrong += not right or not early or late - early > ROOM
        said = "right" if right else f"{found['counts']} instead of {expected}"
        rate = packets / found["cpu"] / 1e6
        print(f"| {name} | {said} | {early:.1f} | {late:.1f} | {rate:.2f} million |", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
