"""Pictures of traces and flows, drawn with matplotlib: the extra `plot`.

Each function takes a trace, by name or open, or a table that was read already, draws on the Axes
`ax` or on those of a new figure, and returns them.  Packets are read a batch at a time, so that a
trace may be larger than memory.  Of a source without packets the Axes say so.  A trace that can't
be read to its end raises LibtraceError, and nothing is drawn.

Lines differ in their dashes and bars in their hatches too: pictures can be read in grey, and by the
colour-blind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import plt
from natkit import _drawing as drawing
from natkit._flows import Source, flows
from natkit._natkit import Flow, FlowHome, Flows, FlowTable, IPflow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from natkit._tallies import Connection, Group

__all__ = [
    "flow_durations",
    "flow_sizes",
    "protocols",
    "rates",
    "response_times",
    "rtts",
    "talkers",
    "time_sequence",
]

Packets = Source | Sequence[Source] | plt.Table | plt.Columns
FlowSource = Source | Sequence[Source] | plt.Table | FlowTable | Flows | Sequence[FlowTable | Flows]

TCP = 6
PROTOCOLS = {
    0: "no IP protocol",
    1: "ICMP",
    2: "IGMP",
    4: "IPv4 in IP",
    6: "TCP",
    17: "UDP",
    33: "DCCP",
    41: "IPv6 in IP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    115: "L2TP",
    132: "SCTP",
    136: "UDP-Lite",
}
ETHERTYPES = {
    0: "no ethertype",
    0x0800: "IPv4",
    0x0806: "ARP",
    0x86DD: "IPv6",
    0x8847: "MPLS",
    0x888E: "802.1X",
    0x88CC: "LLDP",
}
#: What groups of a column are called.
NAMES: dict[str, dict[int, str]] = {
    "proto": PROTOCOLS,
    "version": {4: "IPv4", 6: "IPv6"},
    "ethertype": ETHERTYPES,
    "vlan_id": {0: "no VLAN"},
    "direction": {
        plt.TRACE_DIR_OUTGOING: "outgoing",
        plt.TRACE_DIR_INCOMING: "incoming",
        plt.TRACE_DIR_OTHER: "other direction",
    },
}
#: The groups of a FlowHome, by the ends at home.
ENDS_AT_HOME = {0: "elsewhere", 1: "out of home", 2: "into home", 3: "within home"}
SIZES = {
    "bytes": "bytes on the wire (B)",
    "ip_bytes": "bytes of IP packets (B)",
    "payload_bytes": "bytes of TCP's or UDP's payload (B)",
    "packets": "packets",
}


# --- What is read -----------------------------------------------------------------------------


def _one_of(name: str, value: str | None, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{name} is one of {', '.join(map(repr, known))}, not {value!r}")


def _given(
    function: str, table: plt.Table | plt.Columns, fields: Sequence[str], filter: object
) -> None:
    """See that columns which were read before can be drawn."""
    if filter is not None:
        raise TypeError("filter= is for traces: here the packets were read before")
    names = table.names if isinstance(table, plt.Table) else table.fields
    if missing := [name for name in fields if name not in names]:
        raise ValueError(f"{function}() needs columns that are not there: {', '.join(missing)}")


def _packets(
    function: str, source: Any, fields: Sequence[str], filter: plt.filter | str | None
) -> Iterator[plt.Table]:
    """The columns of packets, a batch at a time."""
    if isinstance(source, (FlowTable, Flows)):
        kind = type(source).__name__
        raise TypeError(f"{function}() draws packets: a trace or columns of one, not a {kind}")
    if isinstance(source, (plt.Table, plt.Columns)):
        _given(function, source, fields, filter)
        return iter([source]) if isinstance(source, plt.Table) else iter(source)
    return iter(plt.columns(source, cast("Any", fields), filter=filter))


def _are_flows(source: Any) -> bool:
    first = source[0] if isinstance(source, (list, tuple)) and source else source
    return isinstance(first, (FlowTable, Flows))


def _flows(
    function: str, source: Any, fields: Sequence[str], filter: plt.filter | str | None
) -> Iterator[plt.Table]:
    """The columns of flows: those of tables, or of a whole trace."""
    if isinstance(source, plt.Table):
        _given(function, source, fields, filter)
        return iter([source])
    if not _are_flows(source):
        table = flows(source, filter=filter)
        source = [table.expired(), table]
    elif filter is not None:
        raise TypeError("filter= is for traces: here the packets were read before")
    parts = source if isinstance(source, (list, tuple)) else [source]
    return (part.columns(fields) for part in parts)


def _grouping(by: str | FlowHome | None) -> list[str]:
    """The columns that groups are made of."""
    if isinstance(by, FlowHome):
        return ["version", "src_prefix", "dst_prefix"]
    return [] if by is None else [by]


def _label(by: str | FlowHome | None, group: Group) -> str:
    """What a legend calls a group."""
    if by is None:
        return "all"
    if group is None:
        return f"no {by}"
    if isinstance(group, str):
        return group
    if isinstance(by, FlowHome):
        return ENDS_AT_HOME[group]
    if by in ("qtype", "rcode"):
        import pldns  # noqa: PLC0415  natkit alone needs no ldns

        return pldns.typestr(group) if by == "qtype" else pldns.rcodestr(group)
    number = f"{group:#06x}" if by == "ethertype" else str(group)
    return NAMES.get(by, {}).get(group, f"{by} {number}")


# --- Packets ----------------------------------------------------------------------------------


def rates(
    source: Packets,
    *,
    of: Literal["bits", "packets"] = "bits",
    by: str | FlowHome | None = None,
    interval: float | None = None,
    tz: str | tzinfo = "UTC",
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Bits or packets a second over time, as a line for all or one for each group.

    Bits are those of `wire_len`.  by is the name of a column of numbers, such as "proto", or a
    FlowHome: then the groups are into home, out of home and so on.  Of more than six groups the
    five largest have lines of their own, and "other" has the rest.  interval is in seconds; without
    it one is chosen that makes up to 200 points.  Intervals begin at multiples of their length, so
    that the first and the last may be partly outside the trace; a point is in the middle of its
    own.  tz is "UTC", "local", a name such as "Pacific/Auckland" or a tzinfo.
    """
    drawing.required()
    from natkit import _tallies as tallies  # noqa: PLC0415  it needs NumPy

    _one_of("of", of, ("bits", "packets"))
    width = None if interval is None else tallies.nanoseconds(interval)
    fields = dict.fromkeys(["time", *_grouping(by), *(["wire_len"] if of == "bits" else [])])
    series = tallies.over_time(_packets("rates", source, list(fields), filter), of, by, width)
    zone, zone_name = drawing.time_zone(tz, 0 if series is None else int(series.starts[0]))
    beside = ax is None
    title = f"{of.capitalize()} a second"
    if series is None:
        return drawing.empty(drawing.axes(ax, title), "no packets with a time")
    ax = drawing.axes(ax, f"{title}, over {drawing.spoken(series.interval)}")
    middle = (series.starts + series.interval // 2).view("datetime64[ns]")
    scale = (8e9 if of == "bits" else 1e9) / series.interval
    styles = drawing.styles([_label(by, group) for group in series.lines])
    for sums, style in zip(series.lines.values(), styles, strict=True):
        ax.plot(middle, sums * scale, marker="o" if len(middle) == 1 else None, **style)
    drawing.time_axis(ax, zone)
    ax.yaxis.set_major_formatter(drawing.si())
    ends = series.starts[[0, -1]]
    days = [f"{datetime.fromtimestamp(int(at) // 10**9, zone):%Y-%m-%d}" for at in ends]
    ax.set_xlabel(f"time ({zone_name}), {'on' if days[0] == days[-1] else 'from'} {days[0]}")
    ax.set_ylabel("bit/s" if of == "bits" else "packets/s")
    ax.set_ylim(bottom=0, auto=None)  # a logarithmic scale will find its own
    drawing.grid(ax, "y")
    if by is not None:
        drawing.legend(ax, "best", beside=beside)
    return ax


def protocols(
    source: Packets | FlowSource,
    *,
    of: Literal["bytes", "packets"] = "packets",
    n: int = 8,
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The share of each protocol, as bars: over IPv4, over IPv6 and without IP.

    What is not IP goes by its ethertype; flow tables do not have it.  All but the n largest are one
    bar, "other".
    """
    drawing.required()
    from natkit import _tallies as tallies  # noqa: PLC0415

    _one_of("of", of, ("bytes", "packets"))
    if _are_flows(source):
        fields = ["version", "proto", of]
        found = tallies.of_flows(_flows("protocols", source, fields, filter), of)
    else:
        fields = ["version", "proto", "ethertype", *(["wire_len"] if of == "bytes" else [])]
        found = tallies.of_packets(_packets("protocols", source, fields, filter), of)
    bars: dict[str, list[float]] = {}
    total = sum(found.values())
    for (version, kind), amount in found.items():
        name = _label("proto" if version else "ethertype", kind)
        bars.setdefault(name, [0, 0, 0])[(4, 6, 0).index(version)] += amount * 100 / total
    order = sorted(bars, key=lambda name: -sum(bars[name]))
    rows = {name: bars[name] for name in order[: max(n, 1)]}
    if rest := [bars[name] for name in order[max(n, 1) :]]:
        rows["other"] = [sum(parts) for parts in zip(*rest, strict=True)]
    ax = drawing.axes(ax, f"Protocols, by {of}")
    if not rows:
        return drawing.empty(ax)
    sums = [f"{sum(row):.3g} %" for row in rows.values()]
    drawing.bars(ax, rows, ("IPv4", "IPv6", "not IP"), sums)
    ax.set_xlabel(f"share of {total:,} {of} (%)")
    return ax


def talkers(
    source: Packets | FlowSource,
    *,
    of: Literal["bytes", "packets"] = "bytes",
    n: int = 10,
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The n addresses that sent and received the most: bytes on the wire, or packets."""
    drawing.required()
    from natkit import _tallies as tallies  # noqa: PLC0415

    _one_of("of", of, ("bytes", "packets"))
    fields = ["version", "src_prefix", "dst_prefix"]
    if _are_flows(source):
        fields += [f"fwd_{of}", f"rev_{of}"]
        sent, received = tallies.ends_of_flows(_flows("talkers", source, fields, filter), of)
    else:
        fields += ["wire_len"] if of == "bytes" else []
        sent, received = tallies.ends_of_packets(_packets("talkers", source, fields, filter), of)
    most = [address for address, _ in (sent + received).most_common(max(n, 1))]
    ax = drawing.axes(ax, f"Top talkers, by {of}")
    if not most:
        return drawing.empty(ax, "no packets of IP")
    bars = {tallies.address_text(a): (float(sent[a]), float(received[a])) for a in most}
    drawing.bars(ax, bars, ("sent", "received"))
    ax.xaxis.set_major_formatter(drawing.si("B" if of == "bytes" else ""))
    ax.set_xlabel(SIZES[of])
    return ax


# --- Distributions ----------------------------------------------------------------------------


class _Words(NamedTuple):
    """What the picture of a distribution says."""

    title: str
    x: str
    y: str
    unit: str
    nothing: str


def _distribution(
    parts: Iterator[plt.Table], name: str, by: str | None, words: _Words, ax: Axes | None
) -> Axes:
    """The cumulative distribution of a column on a logarithmic axis, a line for each group."""
    from natkit import _tallies as tallies  # noqa: PLC0415

    found = tallies.by_group(parts, name, by, 1e-9 if words.unit == "s" else 1.0)
    ax = drawing.axes(ax, words.title)
    if not found:
        return drawing.empty(ax, words.nothing)
    styles = drawing.styles([_label(by, group) for group, _ in found])
    for (_, values), style in zip(found, styles, strict=True):
        x, share = tallies.distribution(values)
        style["label"] += f" ({len(values):,})"
        ax.plot(x, share * 100, drawstyle="steps-post", **style)
    if any((values > 0).any() for _, values in found):
        ax.set_xscale("log")
    ax.xaxis.set_major_formatter(drawing.si(words.unit))
    ax.set(xlabel=words.x, ylabel=words.y, ylim=(0, 102))
    drawing.grid(ax, "both")
    drawing.legend(ax, "lower right")
    return ax


def flow_sizes(
    source: FlowSource,
    *,
    of: Literal["bytes", "ip_bytes", "payload_bytes", "packets"] = "bytes",
    by: str | None = None,
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How large flows are, as a cumulative distribution: the share of flows up to each size.

    Bytes and packets are of both directions.  by is the name of a column of flows, such as "proto";
    groups are as in rates().  A trace's flows are counted without timeouts.  Of a FlowTable those
    count that are in it: take the ended ones with its expired() and give both, as a list.
    """
    drawing.required()
    _one_of("of", of, ("bytes", "ip_bytes", "payload_bytes", "packets"))
    words = _Words(
        title="Flow sizes",
        x=SIZES[of],
        y="flows up to this size (%)",
        unit="" if of == "packets" else "B",
        nothing="no packets of IP",
    )
    fields = list(dict.fromkeys([of, *_grouping(by)]))
    return _distribution(_flows("flow_sizes", source, fields, filter), of, by, words, ax)


def flow_durations(
    source: FlowSource,
    *,
    by: str | None = None,
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How long flows last, as a cumulative distribution: the share of flows up to each duration.

    by, and which flows count, is as in flow_sizes().  Flows of one packet have a duration of 0,
    which a logarithmic axis does not have: the line comes from the left at their share.
    """
    drawing.required()
    words = _Words(
        title="Flow durations",
        x="duration (s)",
        y="flows up to this duration (%)",
        unit="s",
        nothing="no packets of IP",
    )
    fields = ["duration", *_grouping(by)]
    parts = _flows("flow_durations", source, fields, filter)
    return _distribution(parts, "duration", by, words, ax)


def rtts(
    source: FlowSource,
    *,
    by: str | None = None,
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Round-trip times of TCP handshakes, as a cumulative distribution.

    They are those from SYN to SYN-ACK: from where the trace was captured to the server and back.
    by, and which flows count, is as in flow_sizes().
    """
    drawing.required()
    words = _Words(
        title="Round-trip times of TCP handshakes",
        x="time from SYN to SYN-ACK (s)",
        y="handshakes up to this time (%)",
        unit="s",
        nothing="no packets of a TCP handshake",
    )
    return _distribution(
        _flows("rtts", source, ["rtt", *_grouping(by)], filter), "rtt", by, words, ax
    )


def response_times(
    source: Packets,
    *,
    by: str | None = None,
    ports: int | Sequence[int] = (53,),
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How long DNS responses took, as a cumulative distribution.

    source is a trace, or columns of pldns with response_time; by is the name of a column of those,
    such as "qtype", "rcode" or "proto".  Responses count whose query is in the trace.
    """
    drawing.required()
    import pldns  # noqa: PLC0415  natkit alone needs no ldns

    words = _Words(
        title="DNS response times",
        x="time from query to response (s)",
        y="responses up to this time (%)",
        unit="s",
        nothing="no packets with DNS responses",
    )
    fields = ["response_time", *_grouping(by)]
    if not isinstance(source, (plt.Table, plt.Columns, FlowTable, Flows)):
        names = cast("Any", fields)
        source, filter = pldns.columns(source, names, filter=filter, ports=ports), None
    parts = _packets("response_times", source, fields, filter)
    return _distribution(parts, "response_time", by, words, ax)


# --- One TCP connection -----------------------------------------------------------------------


def _largest(source: Any, filter: plt.filter | str | None) -> Flow | None:
    """The TCP flow that carried the most."""
    table = flows(source, filter=filter)
    found = (flow for flow in (*table.expired(), *table) if flow.proto == TCP)
    return max(found, key=lambda flow: flow.payload_bytes, default=None)


def _draw(ax: Axes, shown: Connection) -> None:
    """The segments, the acknowledgements, and the marks of SYN, FIN and RST."""
    blue: dict[str, Any] = {"color": drawing.BLUE, "lw": 2.2}
    red: dict[str, Any] = {"color": drawing.VERMILION, "lw": 2.2}
    times, ends, again = shown.time, shown.end, shown.again
    ax.step(shown.ack_time, shown.ack, "-", where="post", color=drawing.GREY, label="acknowledged")
    ax.vlines(times[~again], shown.begin[~again], ends[~again], label="sent", **blue)
    if again.any():
        ax.vlines(times[again], shown.begin[again], ends[again], **red)
        label = "sent again, or out of order"
        ax.plot(times[again], ends[again], "x", color=red["color"], ms=5, mew=1.4, label=label)
    for (name, (x, y)), marker in zip(shown.marks.items(), "^vD", strict=True):
        if len(x):
            ax.plot(x, y, marker, color=drawing.BLACK, ms=6, mfc="white", label=name)


def time_sequence(
    source: Packets,
    flow: Flow | IPflow | bytes | None = None,
    *,
    direction: Literal["fwd", "rev"] | None = None,
    filter: plt.filter | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """What one end of a TCP connection sent, and what the other acknowledged, over time.

    A segment is an upright line from its first sequence number to its last; one that begins below
    what was sent before (again, or out of order) is red and has a cross.  Sequence numbers count
    from the SYN's, or from the first where there is no SYN.

    flow is a Flow, an IPflow or a key.  Without it the TCP flow that carried the most is drawn, for
    which the trace is read twice: source must be its name then.  direction "fwd" is that of the
    flow; without it the one that carried more is drawn.
    """
    drawing.required()
    from natkit import _tallies as tallies  # noqa: PLC0415

    _one_of("direction", direction or "fwd", ("fwd", "rev"))
    if flow is None:
        once = (plt.Table, plt.Columns, plt.trace, FlowTable, Flows, Iterator)
        if isinstance(source, once) or hasattr(source, "read"):
            raise TypeError("time_sequence() needs a flow where the source is not a trace's name")
        flow = _largest(source, filter)
        if flow is None:
            return drawing.empty(drawing.axes(ax, "TCP time sequence"), "no packets of TCP")
    if isinstance(flow, Flow):
        ipflow, first, last = flow.ipflow, flow.first_time_ns, flow.last_time_ns
    else:
        ipflow, first, last = (
            flow if isinstance(flow, IPflow) else IPflow.from_key(flow),
            None,
            None,
        )
    if ipflow.proto != TCP:
        raise ValueError(f"time_sequence() draws TCP, and this flow's protocol is {ipflow.proto}")
    fields = ["time", *tallies.TUPLE, *tallies.SEGMENT]
    found = tallies.segments(
        _packets("time_sequence", source, fields, filter),
        ipflow,
        tallies.EARLIEST if first is None else first,
        tallies.LATEST if last is None else last,
    )
    sums = (found.length[found.forward].sum(), found.length[~found.forward].sum())
    forward = sums[0] >= sums[1] if direction is None else direction == "fwd"
    ends = [
        f"{ipflow.src_prefix} port {ipflow.src_port}",
        f"{ipflow.dst_prefix} port {ipflow.dst_port}",
    ]
    ax = drawing.axes(ax, "TCP from " + "\nto ".join(ends if forward else ends[::-1]))
    if len(found.time) == 0:
        return drawing.empty(ax, "no packets of this flow")
    _draw(ax, tallies.sequence(found, forward=bool(forward)))
    began = int(found.time.min())
    at = f"{datetime.fromtimestamp(began // 10**9, UTC):%Y-%m-%d %H:%M:%S}"
    fraction = f"{began % 10**9:09}".removesuffix("000")
    ax.set_xlabel(f"seconds after {at}.{fraction} UTC")
    ax.set_ylabel("sequence number (bytes)")
    drawing.whole_numbers(ax)
    ax.yaxis.set_major_formatter(drawing.si())
    drawing.grid(ax, "both")
    drawing.legend(ax, "best")
    return ax
