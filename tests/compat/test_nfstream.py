"""FlowTable(first=20, statistics=True) against nfstream, on every flow that both see alike.

nfstream's times are whole milliseconds.  A difference has its reason in the list below, which stays
true: what is in it and does not differ fails too.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from packets import environment

from natkit import Flow, FlowTable

pytest.importorskip("nfstream")

MILLISECOND = 10**6
WAYS = {"": "bidirectional", "fwd_": "src2dst", "rev_": "dst2src"}
FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")

FORGED = (
    "the header's length is more than the frame has: nfstream takes it, ip_bytes what the frame has"
)
BACK = "packets are not in the order of time: nfstream has their gaps as 0"
FAR = "times after the year 2262 are unknown here"
TUNNEL = "nfstream counts what is in the tunnel"

#: names of fields that differ in some flow of a trace
DIFFERENT = {
    "ajp.pcap": ({"gap", "gaps"}, BACK),
    "avast_securedns.pcapng": ({"gap", "gaps"}, BACK),
    "badpackets.pcap": ({"size", "sizes"}, FORGED),
    "dhcp_big_endian.pcapng": ({"gap", "gaps"}, FAR),
    "reasm_crash_anon.pcapng": ({"size", "sizes"}, FORGED),
}

#: traces of which nfstream has less than half of the flows' packets in the same flows
OTHER_FLOWS = {
    "4in4tunnel.pcap": TUNNEL,
    "4in6tunnel.pcap": TUNNEL,
    "6in4tunnel.pcap": TUNNEL,
    "ajp.pcap": "nfstream takes most frames in Cisco FabricPath for others",
}


@pytest.fixture(scope="module")
def theirs(corpus: Path) -> dict[str, Any]:
    """nfstream's flows of each trace, None where it reads none."""
    paths = sorted(path for path in (corpus / "traces").iterdir() if path.suffix != ".tsv")
    program = Path(__file__).with_name("nfstream_flows.py")
    run = subprocess.run(
        [sys.executable, program, *map(str, paths)],
        env=environment(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    lines = map(json.loads, run.stdout.splitlines())
    return {Path(line["path"]).name: line["flows"] for line in lines}


def our_flows(uri: str) -> dict[tuple[Any, ...], list[Flow]]:
    table = FlowTable(first=20, statistics=True, vlan=True)
    table.add_trace(uri)
    table.flush()
    found = defaultdict(list)
    for flow in table.expired():
        ends = (
            str(flow.src_prefix).split("/")[0],
            flow.src_port,
            str(flow.dst_prefix).split("/")[0],
            flow.dst_port,
        )
        found[*ends, flow.proto, flow.vlan_id].append(flow)
    return found


def differences(flow: Flow, their: dict[str, Any]) -> set[str]:
    """The names of what is not the same: a field's without its direction and its figure."""
    found = set()

    def check(name: str, ours: float | None, value: float, tolerance: float = 0) -> None:
        if abs((ours or 0) - value) > tolerance:
            found.add(name)

    for way, prefix in WAYS.items():
        for figure, word in (("min", "min"), ("mean", "mean"), ("std", "stddev"), ("max", "max")):
            size, gap = their[f"{prefix}_{word}_ps"], their[f"{prefix}_{word}_piat_ms"]
            check("size", getattr(flow, f"{way}size_{figure}"), size, 1e-6 * size)
            gap_ns = getattr(flow, f"{way}gap_{figure}_ns") or 0
            check("gap", gap_ns / MILLISECOND, gap, 2 if figure == "std" else 1)
        for flag in FLAGS:
            packets = getattr(flow, f"{way}{flag}_packets")
            check(flag, packets, their[f"{prefix}_{flag}_packets"])
    ways = [{0: 1, 1: -1}[way] for way in their["splt_direction"] if way != -1]
    sizes = [size for size in their["splt_ps"] if size != -1]
    gaps = their["splt_piat_ms"][: len(ways)]
    if flow.first_ways != tuple(ways):
        found.add("ways")
    if flow.first_sizes != tuple(sizes):
        found.add("sizes")
    for gap_ns, gap in zip(flow.first_gaps_ns, gaps, strict=True):
        check("gaps", (gap_ns or 0) / MILLISECOND, gap, 1)  # None where there is no time
    return found


def compare(uri: str, theirs: list[dict[str, Any]]) -> tuple[set[str], int]:
    """What differs in a trace's flows of which both have the same packets; how many these have."""
    ours = our_flows(uri)
    found, packets = set(), 0
    for their in theirs:
        key = tuple(
            their[name]
            for name in ("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "vlan_id")
        )
        flows = ours.get(key, [])
        if len(flows) == 1 and flows[0].packets == their["bidirectional_packets"]:
            found |= differences(flows[0], their)
            packets += flows[0].packets
    return found, packets


def test_flows_of_the_corpus(corpus: Path, trace_name: str, theirs: dict[str, Any]) -> None:
    flows = theirs[trace_name]
    if not flows:
        pytest.skip("nfstream reads no flow of it")
    found, packets = compare(str(corpus / "traces" / trace_name), flows)
    expected, reason = DIFFERENT.get(trace_name, (set(), ""))
    assert found == expected, reason
    all_packets = sum(flow["bidirectional_packets"] for flow in flows)
    assert (packets < all_packets / 2) == (trace_name in OTHER_FLOWS)
