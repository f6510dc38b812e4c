"""Flow tables of every trace of the corpus: as plain Python counts them, and as tshark does."""

import random
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from flow_traces import ACK, RST, SYN, there, trace
from flowtable_reference import Reference, all_facts
from tshark_exceptions import UNREADABLE

import natkit
import plt
from ipp import from_s

SECOND = 10**9
HOME = ("10.0.0.0/8", "192.168.0.0/16", "fe80::/10", "2001::/16")

#: idle timeout and active timeout in nanoseconds, whether there is a home, and whether by VLAN
SETTINGS = {
    "plain": (None, None, False, False),
    "idle": (SECOND // 2, None, False, False),
    "both": (3 * SECOND, 5 * SECOND, False, False),
    "active": (None, 2 * SECOND, False, False),
    "home": (None, None, True, False),
    "vlan": (3 * SECOND, 60 * SECOND, False, True),
}


#: traces whose conversations tshark sees otherwise, and why
OTHER_CONVERSATIONS = {
    **UNREADABLE,
    "100_sll.pcap": "the cooked protocol holds an Ethernet frame: tshark does not open it",
    "4in4tunnel.pcap": "tshark counts what is in the tunnel",
    "4in6tunnel.pcap": "tshark counts what is in the tunnel",
    "6in4tunnel.pcap": "tshark counts what is in the tunnel",
    "ajp.pcap": "tshark's conversations count only some of the frames in Cisco FabricPath",
    "capwap.pcap": "tshark counts what is in the tunnel",
    "reasm_crash_anon.pcapng": "two TCP headers have wrong lengths, and tshark counts neither",
    "complex.pcapng": "its interfaces are of several link types, with and without an FCS",
}


@pytest.mark.parametrize("settings", SETTINGS)
def test_flows_are_those_of_plain_python(
    corpus: Path, trace_uri: Callable[[Path], str], trace_name: str, settings: str
) -> None:
    uri = trace_uri(corpus / "traces" / trace_name)
    idle, active, at_home, by_vlan = SETTINGS[settings]
    home = natkit.FlowHome(*map(from_s, HOME)) if at_home else None
    reference = Reference(home, idle, active, by_vlan)
    table = natkit.FlowTable(
        home,
        idle_timeout=None if idle is None else idle / SECOND,
        active_timeout=None if active is None else active / SECOND,
        vlan=by_vlan,
    )
    with plt.trace(uri) as trace:
        reference.read(trace)
    assert table.add_trace(uri) == reference.packets
    assert (table.packets, table.not_ip, table.too_short) == (
        reference.packets,
        reference.not_ip,
        reference.too_short,
    )
    assert len(table) == len(reference.flows)
    assert all_facts(table) == reference.everything()


#: idle timeout and active timeout in seconds
TIMEOUTS = [(0.5, None), (3, None), (5, 61), (None, 70), (500, None), (200, 900), (1e6, 2e6)]


@pytest.mark.parametrize(("idle", "active"), TIMEOUTS)
def test_flows_whose_clock_goes_back_are_those_of_plain_python(
    tmp_path: Path, idle: float | None, active: float | None
) -> None:
    """It goes back and forward, by less and more than a turn of the wheel."""
    dice = random.Random(f"{idle} {active}")
    sent = []
    for begin in dice.choices([0, 90, 300, 1000, 3600, 10_000, 10**7], k=60):
        seconds = begin + dice.random()
        for _ in range(dice.randrange(1, 12)):
            seconds += dice.expovariate(1)
            flags = dice.choice([ACK, ACK, ACK, SYN, RST])
            sent.append((seconds, there(port=dice.randrange(1, 25), flags=flags)))
    path = str(trace(tmp_path / "back.pcap", sent))
    reference = Reference(
        idle=None if idle is None else round(idle * SECOND),
        active=None if active is None else round(active * SECOND),
    )
    with plt.trace(path) as packets:
        reference.read(packets)
    table = natkit.FlowTable(idle_timeout=idle, active_timeout=active)
    table.add_trace(path)
    assert len(table) == len(reference.flows)
    assert all_facts(table) == reference.everything()


# --- tshark ----------------------------------------------------------------------------------

CONVERSATION = re.compile(
    r"^(?P<one>\S+):(?P<one_port>\d+) +<-> (?P<other>\S+):(?P<other_port>\d+)"
    + r" +(\d+) (\d+) (bytes|kB|MB)" * 3
)
NO_LATER_FRAGMENTS = "not ip[6:2] & 0x1fff != 0 and not (ip6[6] = 44 and ip6[42:2] & 0xfff8 != 0)"
UNITS = {"bytes": 1, "kB": 1000, "MB": 1000_000}


def conversations(tshark: str, path: Path, protocol: str) -> dict[tuple[str, ...], list[int]]:
    """tshark's table: from a sender and a receiver to frames, bytes, and how exact these are."""
    options = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-z", f"conv,{protocol}"]
    run = subprocess.run(
        [tshark, "-n", "-q", *options, "-r", path], capture_output=True, text=True, check=False
    )
    found: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in run.stdout.splitlines():
        match = CONVERSATION.match(line)
        if match is None:
            continue
        one = (match["one"], match["one_port"])
        other = (match["other"], match["other_port"])
        # the columns are those to the first end, then those from it
        for ends, column in (((*other, *one), 5), ((*one, *other), 8)):
            frames, size, unit = match.group(column, column + 1, column + 2)
            found[ends][0] += int(frames)
            found[ends][1] += int(size) * UNITS[unit]
            found[ends][2] += 0 if unit == "bytes" else UNITS[unit]
    return {ends: size for ends, size in found.items() if size[0]}


def ours(table: natkit.FlowTable, protocol: int, fcs: int) -> dict[tuple[str, ...], list[int]]:
    """The same of a flow table."""
    found: dict[tuple[str, ...], list[int]] = {}
    for flow in [*table.expired(), *table]:
        if flow.proto != protocol:
            continue
        src = (str(flow.src_prefix), str(flow.src_port))
        dst = (str(flow.dst_prefix), str(flow.dst_port))
        for ends, frames, size in (
            ((*src, *dst), flow.fwd_packets, flow.fwd_bytes),
            ((*dst, *src), flow.rev_packets, flow.rev_bytes),
        ):
            if frames:
                row = found.setdefault(ends, [0, 0])
                row[0] += frames
                row[1] += size - fcs * frames
    return found


@pytest.mark.parametrize(("protocol", "number"), [("tcp", 6), ("udp", 17)])
def test_tshark_counts_the_same_conversations(
    corpus: Path,
    trace_uri: Callable[[Path], str],
    trace_name: str,
    tshark: str,
    protocol: str,
    number: int,
) -> None:
    if trace_name in OTHER_CONVERSATIONS:
        pytest.skip(OTHER_CONVERSATIONS[trace_name])
    path = corpus / "traces" / trace_name
    table = natkit.FlowTable()
    # tshark counts a fragmented packet once, as far as it goes; plain Python, above, all fragments
    table.add_trace(trace_uri(path), filter=NO_LATER_FRAGMENTS)
    with plt.trace(trace_uri(path)) as trace:
        ethernet = next(iter(trace)).linktype == plt.TRACE_TYPE_ETH
    fcs = 4 if ethernet and path.suffixes[0] != ".erf" else 0  # an ERF record tells of its own
    theirs = conversations(tshark, path, protocol)
    mine = ours(table, number, fcs)
    assert {ends: row[0] for ends, row in mine.items()} == {
        ends: row[0] for ends, row in theirs.items()
    }
    for ends, (_, size, cut) in theirs.items():
        assert size <= mine[ends][1] <= size + cut
