"""Tables of what was measured."""

import statistics
from dataclasses import dataclass

import limits
from comparisons import Comparison
from measure import FLOOR, Job, Rounds, Run, Spread, load, ratios
from tables import DASH, Table

#: Which jobs the summary tells, by part.
SUMMARY: dict[str, dict[str, str]] = {
    "read and hop, in C": {
        "count": FLOOR, "ports": FLOOR, "columns": FLOOR, "flows": FLOOR, "dns": FLOOR,
    },
    "nine columns, in C": {"columns": "c.nine_columns"},
    "plt.columns(), natkit.FlowTable, pldns.columns()": {
        "count": "with_columns.count", "ports": "with_columns.ports",
        "columns": "with_columns.batches", "flows": "with_natkit.flow_table",
        "dns": "with_pldns.batches",
    },
    "plt, natkit, pldns: a loop": {
        "count": "with_plt.count", "ports": "with_plt.ports", "flows": "with_natkit.flow_dict",
        "dns": "with_pldns.loop",
    },
    "libtrace, in C": {"count": "c.libtrace"},
    "dnsjit": {
        "count": "with_dnsjit.count", "ports": "with_dnsjit.ports", "dns": "with_dnsjit.dns",
    },
    "dnsjit, without names": {"dns": "with_dnsjit.dns_without_names"},
    "gopacket": {
        "count": "with_gopacket.count", "ports": "with_gopacket.ports",
        "flows": "with_gopacket.flows", "dns": "with_gopacket.dns",
    },
    "tcpdump": {"count": "with_tcpdump.count", "columns": "with_tcpdump.text"},
    "cypcap": {"count": "with_cypcap.count"},
    "nfpcapd": {"flows": "with_exporters.nfpcapd"},
    "softflowd": {"flows": "with_exporters.softflowd"},
    "dnscap": {"dns": "with_dnscap.dns"},
    "dpkt": {
        "count": "with_dpkt.count", "ports": "with_dpkt.ports", "columns": "with_dpkt.columns",
        "flows": "with_dpkt.flows", "dns": "with_dpkt.dns",
    },
    "nfstream": {"flows": "with_nfstream.flows"},
    "tshark": {
        "count": "with_tshark.count", "ports": "with_tshark.ports",
        "columns": "with_pyarrow.tshark", "flows": "with_tshark.flows", "dns": "with_tshark.dns",
    },
    "scapy": {
        "count": "with_scapy.count", "ports": "with_scapy.ports", "columns": "with_scapy.columns",
    },
}  # fmt: skip
SUMMED = {
    "count": "count",
    "ports": "bytes by port",
    "columns": "nine columns",
    "flows": "flows",
    "dns": "DNS",
}
#: The rows of README's table: a part and a job of it.
SHORT = {
    "count packets and bytes, as columns": ("count", "with_columns.count"),
    "loop over packets and count them": ("count", "with_plt.count_packets"),
    "loop, and look into each TCP header": ("ports", "with_plt.ports"),
    "read nine fields of each packet as columns": ("columns", "with_columns.batches"),
    "build a flow table": ("flows", "with_natkit.flow_table"),
    "read header and question of each DNS message as columns": ("dns", "with_pldns.batches"),
}


@dataclass(frozen=True)
class Goal:
    """What the project wants a job to take."""

    title: str
    part: str
    job: str  # its title
    most: float  # times the floor
    ns: int  # what that was where the floor took 21 ns, and 83 of whole packets
    what: str = "cpu"
    floor: str = "count"  # the part whose floor it is


#: Of packets of 80 bytes where not told.
GOALS = (
    Goal("one column, the length", "count", "plt.columns()", 1.2, 25),
    Goal("nine columns", "columns", "plt.columns(), by batches", 1.5, 30),
    Goal("nine columns of whole packets", "real", "plt.columns(), by batches", 1.2, 100,
         floor="real"),
    Goal("a flow table with TCP state, on one processor", "processors",
         "natkit.FlowTable(tcp=True), plain, on 1", 2.1, 45),
    Goal("a loop with pkt.tcp.dst_port", "ports", "plt, loop, pkt.tcp.dst_port alone", 4.5, 95),
    Goal("DNS columns, a message", "dns", "pldns.columns(), by batches", 3.3, 70),
    Goal("nine columns of gz, wall, on two processors", "processors",
         "plt.columns(), by batches, gz, on 2", 4.8, 100, what="wall"),
)  # fmt: skip
GOAL_PARTS = ("processors", *(goal.part for goal in GOALS), *(goal.floor for goal in GOALS))
#: And how many times as fast two processors should be as one, on a plain file.
TWICE = ("plt.columns(), by batches, plain, on 1", "plt.columns(), by batches, plain, on 2", 1.8)


#: What took no longer than the start that is taken off, in one round at least.
UNRESOLVED = "too short"


def number(value: float, digits: int = 3) -> str:
    """With so many digits or more, and at most two after the point."""
    places = next((n for n in (2, 1) if round(value, n) < 10 ** (digits - n)), 0)
    return f"{value:,.{places}f}"


def quantity(count: int) -> str:
    """In thousands or millions, where it is a round number."""
    for size, unit in ((1_000_000, " M"), (1000, " k")):
        if count and count % size == 0:
            return f"{count // size:,}{unit}"
    return f"{count:,}"


def spread(of: Spread, unit: str = "") -> str:
    if of.lowest <= 0:
        return UNRESOLVED
    return f"{number(of.median)}{unit} ({number(of.lowest, 2)}{DASH}{number(of.highest, 2)})"


def duration(nanoseconds: float) -> str:
    """In the unit that suits it."""
    if nanoseconds < 0:
        return UNRESOLVED
    if nanoseconds < 999.5:
        return f"{number(nanoseconds)} ns"
    return f"{number(nanoseconds / 1000)} µs"


def durations(of: Spread) -> str:
    """Of nanoseconds: in the unit that suits the median."""
    if of.lowest <= 0:
        return UNRESOLVED
    power = 1000 if of.median >= 999.5 else 1
    scaled = Spread(of.median / power, of.lowest / power, of.highest / power)
    return spread(scaled, " ns" if power == 1 else " µs")


def median(runs: list[Run], what: str = "cpu") -> float:
    """Of nanoseconds for each: `wall`, `cpu` or `kernel`."""
    return float(statistics.median(getattr(run, what) for run in runs))


def peak(runs: list[Run]) -> str:
    """The median of their memory, in MB."""
    return f"{statistics.median(run.peak for run in runs) / 1e6:,.0f}"


@dataclass(frozen=True)
class Ratio:
    """What a job's limit is of: the times it takes the floor's time, or another's rate."""

    spread: Spread
    rate: bool


def to_floor(comparison: Comparison, job: Job, measured: Rounds) -> Spread | None:
    floor = comparison.floor(job)
    if floor is None or floor is job:
        return None
    return ratios(measured[job], measured[floor])


def to_rival(comparison: Comparison, job: Job, measured: Rounds) -> Spread | None:
    rival = comparison.rival(job)
    if rival is None or rival is job:
        return None
    what = "wall" if comparison.wall else "cpu"
    if comparison.rate:
        return ratios(measured[rival], measured[job], what)
    return ratios(measured[job], measured[rival], what)


def limited(comparison: Comparison, job: Job, measured: Rounds) -> Ratio | None:
    """To the floor, where there is one."""
    if not job.ours:
        return None
    if comparison.has_floor:
        of = to_floor(comparison, job, measured)
        return Ratio(of, rate=False) if of else None
    of = to_rival(comparison, job, measured)
    return Ratio(of, comparison.rate) if of else None


def new_limits(comparison: Comparison, measured: Rounds) -> dict[str, float]:
    """By title."""
    by_title = {job.title: limited(comparison, job, measured) for job in measured}
    return {
        title: limits.above(ratio.spread.median, ratio.rate)
        for title, ratio in by_title.items()
        if ratio
    }


def regressions(comparison: Comparison, measured: Rounds, allowed: dict[str, float]) -> list[str]:
    """What is beyond its limit, as lines."""
    lines = []
    for job in measured:
        ratio = limited(comparison, job, measured)
        limit = allowed.get(job.title)
        if ratio and limit and limits.broken(ratio.spread.median, limit, ratio.rate):
            sign = "<" if ratio.rate else ">"
            lines.append(
                f"{comparison.title}: {job.title}: {ratio.spread.median:.3g} {sign} {limit:g}"
            )
    return lines


def row(
    comparison: Comparison, job: Job, measured: Rounds, allowed: dict[str, float]
) -> tuple[str, ...]:
    runs = measured[job]
    floor, rival = (to(comparison, job, measured) for to in (to_floor, to_rival))
    limit, ratio = allowed.get(job.title), limited(comparison, job, measured)
    start = statistics.median(run.start for run in runs)
    return (
        job.title,
        quantity(runs[0].result["count"]),
        durations(Spread.of([run.wall for run in runs])),
        duration(median(runs)),
        duration(median(runs, "kernel")),
        spread(floor) if floor else "",
        spread(rival) if rival else "",
        f"{'≥' if ratio.rate else '≤'} {limit:g}" if limit and ratio else "",
        peak(runs),
        f"{start:.2f}" if start else "",
    )


def compared(
    comparison: Comparison, measured: Rounds, allowed: dict[str, float] | None = None
) -> Table:
    """A row for each job."""
    rate = "'s rate" if comparison.rate else ""
    header: tuple[str, ...] = (
        "", comparison.unit, "each, wall", "CPU", "system", "times the floor",
        f"times {comparison.against}{rate}", "limit", "MB", "start, s",
    )  # fmt: skip
    rows = [row(comparison, job, measured, allowed or {}) for job in measured]
    kept = [at for at, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    header, *rows = (tuple(line[at] for at in kept) for line in (header, *rows))
    return Table(comparison.title, header, rows, load(measured))


def found(parts: dict[str, Rounds], part: str, run: str | None) -> list[Run] | None:
    """The runs of a part's job; None where it was left out."""
    return next((runs for job, runs in parts[part].items() if job.run == run), None)


def of_tools(parts: dict[str, Rounds]) -> dict[str, dict[str, float]]:
    """The summary's numbers: CPU nanoseconds a packet, by tool and part."""
    return {
        tool: {
            part: median(runs)
            for part, run in jobs.items()
            if (runs := found(parts, part, run)) and min(run.cpu for run in runs) > 0
        }
        for tool, jobs in SUMMARY.items()
    }


def summary(tools: dict[str, dict[str, float]]) -> Table:
    """What each tool takes for a packet, by `of_tools`."""
    rows = [
        (tool, *(duration(taken[part]) if part in taken else "" for part in SUMMED))
        for tool, taken in tools.items()
        if taken
    ]
    return Table("CPU time for each packet", ("", *SUMMED.values()), rows)


def titled(parts: dict[str, Rounds], part: str, title: str) -> list[Run]:
    return next(runs for job, runs in parts[part].items() if job.title == title)


def goals(parts: dict[str, Rounds]) -> Table:
    """What the project wants, and how far it is."""
    rows = []
    for goal in GOALS:
        floor = next(iter(parts[goal.floor].values()))
        took = median(titled(parts, goal.part, goal.job), goal.what)
        times = took / median(floor)
        met = "yes" if times <= goal.most else "no"
        by_ratio = f"≤ {goal.most:g}", number(times)
        rows.append((goal.title, *by_ratio, f"≤ {goal.ns} ns", duration(took), met))
    one, two = (median(titled(parts, "processors", title), "wall") for title in TWICE[:2])
    met = "yes" if one / two >= TWICE[2] else "no"
    title = "nine columns on two processors, times one's rate"
    rows.append((title, f"≥ {TWICE[2]:g}", number(one / two), "", "", met))
    header = ("", "times the floor", "measured", "time", "measured", "met")
    return Table("Goals", header, rows)


def short(parts: dict[str, Rounds]) -> Table:
    """README's table."""
    rows = []
    for title, (part, run) in SHORT.items():
        runs, floor = found(parts, part, run), found(parts, part, FLOOR)
        if runs and floor:
            rows.append((title, duration(median(runs)), number(ratios(runs, floor).median, 2)))
    header = ("what a program does", "CPU time a packet", "times the floor")
    return Table("In short", header, rows)
