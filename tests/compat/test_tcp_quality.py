"""FlowTable(tcp=True) against tcptrace and tshark, on every TCP connection they agree to be one.

A difference has a rule below, or it is in a list, with its reason.  The lists stay true: what is in
them and does not differ fails too.
"""

import gzip
import ipaddress
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tshark_exceptions import UNREADABLE

import plt
from natkit import Flow, FlowTable

TUTORIAL = Path(__file__).resolve().parents[2] / "tutorial" / "traces"
MILLISECOND = 10**6

# --- tcptrace --------------------------------------------------------------------------------

#: what tcptrace -l prints, and the attribute that is the same of each direction
NUMBERS = {
    "unique bytes sent": "unique_bytes",
    "rexmt data pkts": "resent_segments",
    "outoforder pkts": "out_of_order",
    "sacks sent": "sack_blocks",
    "dsack pkts sent": "dsacks",
    "mss requested": "mss",
    "adv wind scale": "window_scale",
    "max win adv": "window_max",
    "min win adv": "window_min",
    "zero win adv": "zero_windows",
    "RTT samples": "rtt_count",
}
TIMES = {
    "RTT min": "rtt_min_ns",
    "RTT max": "rtt_max_ns",
    "RTT avg": "rtt_mean_ns",
    "RTT stdev": "rtt_std_ns",
}
OTHERS = ("rexmt data bytes", "idletime max", "RTT from 3WHS")

TIMED = "more than 16 segments wait for their ACKs: the others are not measured"
LATE = "segments fill gaps of what was lost before the capture: tcptrace measures them"
PROBE = "tcptrace counts the byte of a keep-alive as sent again"
PARTS = "an ACK is in the midst of a segment: tcptrace does not measure the ACK of its end"
FIN = "tcptrace counts the number of a FIN as a byte where no SYN was seen"
SIGN = "tcptrace takes an MSS of 0xffd7 for a negative number"
MORE = "a segment has bytes that were sent before and new ones: tcptrace measures it, against Karn"
FEW = "most segments were not captured: tcptrace measures two ACKs of what is missing"
ZERO = "for tcptrace a round trip of 0 is none"
TWICE = (
    "a second SYN with ACK has another number: tcptrace counts its number as a byte out of order"
)

COUNT = ("RTT samples",)
RTT = ("RTT samples", "RTT min", "RTT max", "RTT avg", "RTT stdev")
EDGE = "edge-10k.pcap"
#: trace, client's and server's ports, direction: the rows that may differ, and why
TCPTRACE: dict[tuple[str, int, int, str], tuple[tuple[str, ...], str]] = {
    (EDGE, 41790, 80, "rev"): (RTT, TIMED),
    (EDGE, 40440, 5201, "fwd"): (RTT, TIMED),
    (EDGE, 51712, 80, "fwd"): (RTT, TIMED),
    (EDGE, 55774, 80, "fwd"): (RTT, TIMED),
    (EDGE, 49054, 443, "rev"): (COUNT, LATE),
    (EDGE, 47400, 80, "rev"): (COUNT, LATE),
    (EDGE, 57946, 80, "rev"): (RTT, LATE),
    (EDGE, 38840, 5201, "rev"): (COUNT, LATE),
    **{
        ("1kxun.pcap", port, 80, "fwd"): (("rexmt data pkts",), PROBE)
        for port in (49581, *range(49597, 49605))
    },
    ("1kxun.pcap", 49596, 443, "fwd"): (("rexmt data pkts", "rexmt data bytes"), PROBE),
    ("KakaoTalk_chat.pcap", 80, 35922, "fwd"): (("unique bytes sent",), FIN),
    ("KakaoTalk_chat.pcap", 35503, 443, "rev"): (("outoforder pkts", "unique bytes sent"), TWICE),
    ("WebattackSQLinj.pcap", 36202, 80, "rev"): (RTT, PARTS),
    ("android.pcap", 36888, 443, "rev"): (RTT, LATE),
    ("bittorrent.pcap", 52915, 60163, "rev"): (RTT, FEW),
    ("forticlient.pcap", 61820, 10443, "fwd"): (RTT, TIMED),
    ("google_ssl.pcap", 42835, 443, "rev"): (RTT, LATE),
    ("kerberos.pcap", 49165, 49155, "rev"): (("RTT min",), ZERO),
    ("memcached.cap", 59604, 11211, "fwd"): (("mss requested",), SIGN),
    ("memcached.cap", 59604, 11211, "rev"): (("mss requested",), SIGN),
    ("skype_no_unknown.pcap", 51314, 14506, "fwd"): (RTT, MORE),
    ("vnc.pcap", 59791, 6900, "fwd"): (COUNT, TIMED),
    ("whatsapp_voice_and_message.pcap", 42241, 5222, "rev"): (RTT, MORE),
    ("zoom.pcap", 54871, 443, "fwd"): (RTT, TIMED),
}


class Connection(NamedTuple):
    ends: tuple[tuple[str, int], ...]
    packets: int
    rows: dict[str, tuple[float, ...]]  # of both directions, the first end's first


def end(host: str, port: str) -> tuple[str, int]:
    """An end as natkit writes it; tcptrace's IPv6 addresses have zeroes in front."""
    plain = ":".join(word.lstrip("0") or word[:1] for word in host.split(":"))
    return str(ipaddress.ip_address(plain if ":" in host else host)), int(port)


def connections(tcptrace: str, path: Path) -> Iterator[Connection]:
    """What `tcptrace -lr` says of each connection."""
    out = subprocess.run([tcptrace, "-lrn", path], capture_output=True, text=True, check=False)
    for text in re.split(r"^TCP connection \d+:\n", out.stdout, flags=re.M)[1:]:
        ends = tuple(end(*found) for found in re.findall(r"host \w+:\s+(\S+):(\d+)\n", text))
        packets = int(re.search(r"total packets:\s+(\d+)", text)[1])
        rows = {}
        for row in (*NUMBERS, *TIMES, *OTHERS):
            found = re.search(rf"^ +{row}: +([\d.]+|NA)\b.*?{row}: +([\d.]+|NA)\b", text, re.M)
            if found:
                rows[row] = tuple(0.0 if word == "NA" else float(word) for word in found.groups())
        yield Connection(ends, packets, rows)


class Trace(NamedTuple):
    end: int  # the latest time
    syn_windows: dict[tuple[str, int], set[int]]  # by who sent them


def read(path: Path) -> Trace:
    """What the rules need of a trace."""
    end, windows = 0, defaultdict(set)
    with plt.trace(path) as trace:
        for packet in trace:
            end = max(end, packet.time_ns)
            tcp = packet.tcp
            if tcp and tcp.syn_flag:
                layer = packet.ip or packet.ip6
                windows[str(layer.src_prefix), tcp.src_port].add(tcp.window)
    return Trace(end, windows)


def flows_of(path: Path) -> list[Flow]:
    table = FlowTable(tcp=True)
    table.add_trace(path)
    table.flush()
    return [flow for flow in table.expired() if flow.proto == 6]


def ends_of(flow: Flow) -> tuple[tuple[str, int], ...]:
    return (str(flow.src_prefix), flow.src_port), (str(flow.dst_prefix), flow.dst_port)


def is_same(row: str, theirs: float, flow: Flow, way: str, trace: Trace) -> bool:
    """Whether what tcptrace says of a direction is what we do, or is so by a rule."""
    syn_windows = trace.syn_windows[ends_of(flow)[way == "rev"]]
    if row in NUMBERS:
        ours = getattr(flow, f"{way}_{NUMBERS[row]}")
        if row in ("max win adv", "min win adv"):
            # tcptrace: with those of SYNs, not scaled where no SYN tells the scale, without zeroes
            return theirs == ours or theirs in syn_windows or not ours
        if row == "adv wind scale" and theirs == 0:
            return True  # tcptrace: where the other end has none
        if row == "mss requested" and ours is None:
            return theirs == 0
        return theirs == (ours or 0)
    if row == "rexmt data bytes":  # tcptrace: with the numbers of SYN and FIN, and keep-alives
        extra = theirs - getattr(flow, f"{way}_resent_bytes")
        return 0 <= extra <= 2 * max(1, getattr(flow, f"{way}_resent_segments"))
    if row == "RTT stdev" and getattr(flow, f"{way}_rtt_count") <= 2:
        return theirs == 0  # tcptrace: of three or more
    if row == "idletime max":  # tcptrace: also from the last packet to the trace's
        last = getattr(flow, f"{way}_last_time_ns")
        ours = max(getattr(flow, f"{way}_longest_silence_ns") or 0, 0)
        tail = trace.end - last if last else 0
        return any(abs(theirs - time / MILLISECOND) < 0.11 for time in (ours, tail))
    if row == "RTT from 3WHS":
        ours = flow.server_rtt_ns if way == "fwd" else flow.client_rtt_ns
        if ours is None and theirs > 0:  # tcptrace: by a RST too, and where ports were used again
            return flow.closed_how in ("reset", "fin_reset")
    else:
        ours = getattr(flow, f"{way}_{TIMES[row]}")
    # it prints tenths, cut, and has sums in floats of 24 bits
    return abs(theirs - (ours or 0) / MILLISECOND) < 0.11 + theirs * 2e-4


def tcptrace_differences(tcptrace: str, path: Path) -> tuple[int, dict[tuple, set[str]]]:
    """How many connections were compared, and the rows that differ."""
    flows = defaultdict(list)
    differences = defaultdict(set)
    compared = 0
    trace = read(path)
    for flow in flows_of(path):
        flows[frozenset(ends_of(flow))].append(flow)
    for connection in connections(tcptrace, path):
        same = flows[frozenset(connection.ends)]
        flow = same.pop(0) if same else None
        if flow is None or flow.packets != connection.packets:
            continue  # in a tunnel, or the same ports used again
        compared += 1
        ways = ("fwd", "rev") if connection.ends == ends_of(flow) else ("rev", "fwd")
        for row, values in connection.rows.items():
            for way, theirs in zip(ways, values, strict=True):
                if not is_same(row, theirs, flow, way, trace):
                    differences[path.name, flow.src_port, flow.dst_port, way].add(row)
    return compared, differences


@pytest.fixture(scope="module")
def edge(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tutorial") / "edge-10k.pcap"
    path.write_bytes(gzip.decompress((TUTORIAL / "edge-10k.pcap.gz").read_bytes()))
    return path


def check(found: dict[tuple, set[str]], known: dict[tuple, tuple[tuple[str, ...], str]]) -> None:
    unknown = {
        key: rows for key, rows in found.items() if not rows <= set(known.get(key, ((),))[0])
    }
    assert not unknown
    assert not set(known) - set(found) - ONLY_OLDER


def of_tutorial(known: dict, inside: bool) -> dict:
    return {key: value for key, value in known.items() if (key[0] == EDGE) == inside}


def corpus_traces(corpus: Path) -> list[Path]:
    """The traces that tcptrace reads."""
    return sorted(
        path
        for path in (corpus / "traces").iterdir()
        if path.suffix in (".pcap", ".cap") and path.name not in UNREADABLE
    )


def test_tutorial_is_as_tcptrace_says(tcptrace, edge):
    compared, found = tcptrace_differences(tcptrace, edge)
    assert compared > 180
    check(found, of_tutorial(TCPTRACE, True))


def test_corpus_is_as_tcptrace_says(tcptrace, corpus):
    everything, total = {}, 0
    for path in corpus_traces(corpus):
        compared, found = tcptrace_differences(tcptrace, path)
        everything |= found
        total += compared
    assert total > 500
    check(everything, of_tutorial(TCPTRACE, False))


# --- tshark ----------------------------------------------------------------------------------

FIELDS = (
    *("frame.number", "frame.cap_len", "frame.len", "tcp.stream"),
    *("ip.src", "ipv6.src", "tcp.srcport", "tcp.analysis.duplicate_ack"),
    *("tcp.analysis.zero_window", "tcp.analysis.retransmission"),
    *("tcp.analysis.out_of_order", "tcp.analysis.initial_rtt"),
)

ACKED = (
    "tshark takes the number of a pure ACK for sent, and so what comes after it for a repetition"
)
SYN_TWICE = "a second SYN with ACK has another number: after it tshark takes all for sent again"
AGAIN = "the packets of this trace are in it twice, and tshark takes part of the copies for others"

#: trace, ports, direction: the fields that may differ, and why
TSHARK: dict[tuple[str, int, int, str], tuple[tuple[str, ...], str]] = {
    ("KakaoTalk_chat.pcap", 35503, 443, "rev"): (("again",), SYN_TWICE),
    ("ajp.pcap", 38856, 8009, "fwd"): (("again",), AGAIN),
    ("ajp.pcap", 38856, 8009, "rev"): (("again",), AGAIN),
    ("nintendo.pcap", 41517, 443, "rev"): (("again",), ACKED),
    ("nintendo.pcap", 31329, 443, "rev"): (("again",), ACKED),
}
#: Of these, what tshark 4.4 or 4.6 says as we do.
ONLY_OLDER = {
    ("KakaoTalk_chat.pcap", 35503, 443, "rev"),
    ("ajp.pcap", 38856, 8009, "fwd"),
    ("ajp.pcap", 38856, 8009, "rev"),
}


class Stream:
    """What tshark says of a TCP connection."""

    def __init__(self, number: int, sender: tuple[str, str]) -> None:
        self.number, self.sender = number, sender
        self.packets = 0
        self.cut = False
        self.counts = Counter()
        self.initial_rtt = 0.0


def streams(tshark: str, path: Path) -> Iterator[Stream]:
    command = [tshark, "-r", path, "-Y", "tcp", "-T", "fields", "-E", "occurrence=f"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = {}
    for line in out.splitlines():
        row = dict(zip(FIELDS, line.split("\t"), strict=True))
        sender = row["ip.src"] + row["ipv6.src"], row["tcp.srcport"]
        number = int(row["frame.number"])
        stream = found.setdefault(row["tcp.stream"], Stream(number, sender))
        way = "fwd" if sender == stream.sender else "rev"
        stream.packets += 1
        stream.cut |= row["frame.cap_len"] != row["frame.len"]
        stream.counts[way, "dup_acks"] += bool(row["tcp.analysis.duplicate_ack"])
        stream.counts[way, "zero_windows"] += bool(row["tcp.analysis.zero_window"])
        stream.counts[way, "again"] += bool(
            row["tcp.analysis.retransmission"] or row["tcp.analysis.out_of_order"]
        )
        if row["tcp.analysis.initial_rtt"]:
            stream.initial_rtt = float(row["tcp.analysis.initial_rtt"])
    yield from found.values()


def stream_differences(stream: Stream, flow: Flow) -> Iterator[tuple[str, str]]:
    """Direction and field of what tshark says otherwise."""
    for way in ("fwd", "rev"):
        again = getattr(flow, f"{way}_resent_segments") + getattr(flow, f"{way}_out_of_order")
        if again != stream.counts[way, "again"]:
            yield way, "again"
        if getattr(flow, f"{way}_zero_windows") != stream.counts[way, "zero_windows"]:
            yield way, "zero_windows"
        # RFC 5681: something must be outstanding, which tshark does not ask for
        if getattr(flow, f"{way}_dup_acks") > stream.counts[way, "dup_acks"]:
            yield way, "dup_acks"
    rtts = (flow.server_rtt_ns, flow.client_rtt_ns)
    if None not in rtts and abs(sum(rtts) - stream.initial_rtt * 1e9) > 1000:
        yield "fwd", "handshake"


def test_corpus_is_as_tshark_says(tshark, corpus):
    found, compared = defaultdict(set), 0
    for path in corpus_traces(corpus):
        flows = {flow.number + 1: flow for flow in flows_of(path)}
        for stream in streams(tshark, path):
            flow = flows.get(stream.number)
            # in a tunnel, of ports used again, or of headers that tshark does not read as cut
            if flow is None or flow.packets != stream.packets or stream.cut:
                continue
            compared += 1
            for way, field in stream_differences(stream, flow):
                found[path.name, flow.src_port, flow.dst_port, way].add(field)
    assert compared > 400
    check(found, TSHARK)
