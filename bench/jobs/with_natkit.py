"""Flows with natkit, by its table and by dicts; and its Crypto-PAn."""

import random
import sys
import tempfile
from pathlib import Path

import traces
from clock import Clock
from shared import KEY, Result, empty_trace, ipv4_summary

import ipp
import natkit
import plt

from .with_columns import FIELDS

HOME = ("192.0.2.0/24", "2001:db8:1::/64")
ENOUGH = 2_000_000  # packets that tables of few flows are given, over and over

with empty_trace() as nothing:  # what natkit imports only here is part of the start
    natkit.flows(nothing)

# --- Flows


def found(table: natkit.FlowTable) -> Result:
    flows = table.columns(["packets", "bytes"])
    octets = int(flows["bytes"].sum())
    return {"count": int(flows["packets"].sum()), "bytes": octets, "flows": len(flows)}


def _table(path: Path, clock: Clock, **settings: int) -> Result:
    with clock:
        table = natkit.FlowTable(**settings)
        for one in traces.files(path):
            table.add_trace(one)
    return found(table)


def flow_table(path: Path, clock: Clock) -> Result:
    return _table(path, clock)


def flow_table_decap(path: Path, clock: Clock) -> Result:
    return _table(path, clock, decap=True)


def flow_table_tcp(path: Path, clock: Clock) -> Result:
    return _table(path, clock, tcp=True)


def flow_table_first(path: Path, clock: Clock) -> Result:
    return _table(path, clock, first=20)


def flow_table_statistics(path: Path, clock: Clock) -> Result:
    return _table(path, clock, statistics=True)


def columns_and_table(path: Path, clock: Clock) -> Result:
    """Both of them, one after the other, which tells no packet its flow."""
    with clock:
        packets = sum(len(batch) for batch in plt.columns(path, FIELDS))
        table = natkit.FlowTable()
        table.add_trace(path)
        flows = len(table)
    return {"count": packets, "flows": flows}


def packets(path: Path, clock: Clock) -> Result:
    with clock:
        columns = natkit.packets(path, (*FIELDS, "flow", "way", "tcp.rel_seq", "tcp.rel_ack"))
        packets = sum(len(batch) for batch in columns)
        flows = len(columns.flows(["packets"]))
    return {"count": packets, "flows": flows}


def whole_flow_table(path: Path, clock: Clock, **settings: bool) -> Result:
    """Of a trace that has other packets too: what is counted is all that were read."""
    with clock:
        table = natkit.FlowTable(**settings)
        packets = table.add_trace(path)
    return {"count": packets, "flows": len(table)}


def whole_flow_table_tcp(path: Path, clock: Clock) -> Result:
    return whole_flow_table(path, clock, tcp=True)


def flows_1_worker(path: Path, clock: Clock) -> Result:
    with clock:
        table = natkit.flows(traces.files(path), workers=1)
    return found(table)


def flows_2_workers(path: Path, clock: Clock) -> Result:
    with clock:
        table = natkit.flows(traces.files(path), workers=2)
    return found(table)


def parts_2_workers(path: Path, clock: Clock) -> Result:
    """Of one file, in parts."""
    with clock:
        table = natkit.flows(path, workers=2)
    return found(table)


def streams(path: Path, clock: Clock) -> Result:
    octets = 0
    with clock:
        for stream in natkit.streams(path):
            octets += len(stream.fwd.data) + len(stream.rev.data)
    return {"bytes": octets, "count": octets // 1448}


class Flow:
    """A flow: its packets and bytes in each direction."""

    def __init__(self, ipflow: natkit.IPflow) -> None:
        self.ipflow = ipflow
        self.fwd_packets = self.rev_packets = self.fwd_bytes = self.rev_bytes = 0


def summary(flows: dict[bytes | None, Flow]) -> Result:
    packets = sum(flow.fwd_packets + flow.rev_packets for flow in flows.values())
    octets = sum(flow.fwd_bytes + flow.rev_bytes for flow in flows.values())
    return {"count": packets, "bytes": octets, "flows": len(flows)}


def flow_dict(path: Path, clock: Clock) -> Result:
    """The loop of the tutorial's p15: forward is the direction of a flow's first packet."""
    flows: dict[bytes | None, Flow] = {}
    with clock, plt.trace(path) as trace:
        for pkt in trace:
            internet = pkt.ip or pkt.ip6
            if not internet:
                continue
            ipflow = natkit.IPflow(internet)
            key = ipflow.fwd_key
            if (flow := flows.get(key)) is None:
                if flow := flows.get(ipflow.rev_key):
                    flow.rev_packets += 1
                    flow.rev_bytes += internet.wire_len
                    continue
                flow = flows[key] = Flow(ipflow)
            flow.fwd_packets += 1
            flow.fwd_bytes += internet.wire_len
    return summary(flows)


def home_dict(path: Path, clock: Clock) -> Result:
    """The loop of p16: forward is into the home network."""
    home = natkit.FlowHome(*map(ipp.from_s, HOME))
    flows: dict[bytes | None, Flow] = {}
    with clock, plt.trace(path) as trace:
        for pkt in trace:
            internet = pkt.ip or pkt.ip6
            if not internet:
                continue
            ipflow = home.flow(internet)
            key = ipflow.home_key
            if not (flow := flows.get(key)):
                flow = flows[key] = Flow(ipflow)
            if ipflow.dst_in_home:
                flow.fwd_packets += 1
                flow.fwd_bytes += internet.wire_len
            else:
                flow.rev_packets += 1
                flow.rev_bytes += internet.wire_len
    return summary(flows)


# --- Many flows: all of them active, whichever packet comes


def new_flows(path: Path, clock: Clock) -> Result:
    """Each packet is the first of its flow; and the memory that a flow takes."""
    table = natkit.FlowTable(idle_timeout=86400)
    with clock:
        packets = table.add_trace(path)
    # by sys.getsizeof(), which a test compares with the kernel's number: a process has other memory
    # too, which would count for much with few flows
    clock.notes["bytes"] = sys.getsizeof(table) / len(table)
    clock.turns = max(ENOUGH // packets, 1)
    for _ in range(clock.turns - 1):
        del table  # untimed, and before the next is made
        table = natkit.FlowTable(idle_timeout=86400)
        with clock:
            table.add_trace(path)
    return {"count": packets, "flows": len(table)}


def known_flows(path: Path, clock: Clock) -> Result:
    """Each packet is of a flow that is there."""
    table = natkit.FlowTable(idle_timeout=86400)
    packets = table.add_trace(path)
    clock.turns = max(ENOUGH // packets, 1)
    with clock:
        for _ in range(clock.turns):
            table.add_trace(path)
    return {"count": packets, "flows": len(table)}


# --- Crypto-PAn


def anonymise(path: Path, clock: Clock) -> Result:
    """Read, anonymise and write each packet."""
    pan = natkit.CryptoPan(KEY)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / "ours.pcap"
        with clock, plt.trace(path) as trace, plt.output_trace(f"pcapfile:{written}") as output:
            for pkt in trace:
                pan.packet(pkt)
                output.write_packet(pkt)
        return ipv4_summary(written)


def addresses(path: Path, clock: Clock) -> Result:
    """The addresses of a trace of IPv4 headers, as an array; none is remembered."""
    array = traces.addresses(path)
    pan = natkit.CryptoPan(KEY)
    with clock:
        pan.addresses(array, 4)
    return {"count": len(array) // 16}


def addresses_ipv6(path: Path, clock: Clock) -> Result:
    """As many IPv6 addresses as the trace has addresses."""
    array = random.Random(2).randbytes(len(traces.addresses(path)))
    pan = natkit.CryptoPan(KEY)
    with clock:
        pan.addresses(array, 6)
    return {"count": len(array) // 16}
