"""Flow tables in a dict, as the tutorial makes them, against the C reading floor.

    python bench/flow_dict.py [--packets N] [--rounds N]

Times reading alone in C (floor.c), the loop of p15 (fwd_key looked up, else rev_key, else a new
flow) and that of p16 (FlowHome, one lookup a packet), the three taking turns; prints the medians
and how many times the floor the loops take, and checks that both find the same bytes.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import floor
import make_trace

import ipp
import natkit
import plt

HOME = ("192.0.2.0/24", "2001:db8:1::/64")


class Flow:
    """A flow and its bytes in each direction."""

    def __init__(self, ipflow: natkit.IPflow) -> None:
        self.ipflow = ipflow
        self.fwd_bytes = 0
        self.rev_bytes = 0


Flows = dict[bytes | None, Flow]  # by key; a home_key is None without a FlowHome


def biggest_flows(uri: str) -> Flows:
    """The loop of p15: the forward direction is that of a flow's first packet."""
    flows: Flows = {}
    trace = plt.trace(uri)
    trace.start()
    for pkt in trace:
        internet = pkt.ip or pkt.ip6
        if not internet:
            continue
        ipflow = natkit.IPflow(internet)
        key = ipflow.fwd_key
        if key in flows:
            flows[key].fwd_bytes += internet.wire_len
            continue
        reverse = ipflow.rev_key
        if reverse in flows:
            flows[reverse].rev_bytes += internet.wire_len
        else:
            flow = flows[key] = Flow(ipflow)
            flow.fwd_bytes = internet.wire_len
    trace.close()
    return flows


def biggest_home_flows(uri: str) -> Flows:
    """The loop of p16: forward is into the home network."""
    home = natkit.FlowHome(*map(ipp.from_s, HOME))
    flows: Flows = {}
    trace = plt.trace(uri)
    trace.start()
    for pkt in trace:
        internet = pkt.ip or pkt.ip6
        if not internet:
            continue
        ipflow = home.flow(internet)
        key = ipflow.home_key
        flow = flows.get(key)
        if flow is None:
            flow = flows[key] = Flow(ipflow)
        if ipflow.dst_in_home:
            flow.fwd_bytes += internet.wire_len
        else:
            flow.rev_bytes += internet.wire_len
    trace.close()
    return flows


def timed(loop: Callable[[str], Flows], uri: str) -> tuple[float, list[int]]:
    """The seconds that a loop takes, and the sizes of the flows that it finds."""
    began = time.perf_counter()
    flows = loop(uri)
    seconds = time.perf_counter() - began
    return seconds, sorted(flow.fwd_bytes + flow.rev_bytes for flow in flows.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    uri = f"pcapfile:{make_trace.cached(args.packets)}"
    floor.read(uri)  # the file is in memory from here on

    rounds: list[tuple[float, float, float]] = []
    for _ in range(args.rounds):
        reading = floor.read(uri)
        p15, sizes = timed(biggest_flows, uri)
        p16, home_sizes = timed(biggest_home_flows, uri)
        assert reading.packets == args.packets
        assert sizes == home_sizes
        rounds.append((reading.seconds, p15, p16))

    print(f"{args.packets} packets, {len(sizes)} flows, {sum(sizes)} bytes; {args.rounds} rounds")
    for title, column in (("floor in C", 0), ("p15, IPflow", 1), ("p16, FlowHome", 2)):
        nanoseconds = statistics.median(row[column] for row in rounds) * 1e9 / args.packets
        # of each round, not of the medians: what else the machine does then weighs on all alike
        ratios = sorted(row[column] / row[0] for row in rounds)
        print(
            f"{title:14} {nanoseconds:6.1f} ns a packet, {statistics.median(ratios):4.2f} times "
            f"the floor ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
