"""Tables of what was measured."""

import statistics

from comparisons import Comparison
from measure import FLOOR, Job, Rounds, Run, Spread, load, ratios
from tables import DASH, Table

#: Which jobs the summary tells, by part.
SUMMARY: dict[str, dict[str, str]] = {
    "libtrace in C, reading alone": {
        "count": FLOOR, "ports": FLOOR, "columns": FLOOR, "flows": FLOOR,
    },
    "plt, natkit: a loop": {
        "count": "with_plt.count", "ports": "with_plt.ports", "flows": "with_natkit.flow_dict",
    },
    "plt.columns(), natkit.FlowTable": {
        "count": "with_columns.count", "ports": "with_columns.ports",
        "columns": "with_columns.table", "flows": "with_natkit.flow_table",
    },
    "dpkt": {
        "count": "with_dpkt.count", "ports": "with_dpkt.ports", "columns": "with_dpkt.columns",
        "flows": "with_dpkt.flows",
    },
    "nfstream": {"flows": "with_nfstream.flows"},
    "tshark": {
        "count": "with_tshark.count", "ports": "with_tshark.ports",
        "columns": "with_pyarrow.tshark", "flows": "with_tshark.flows",
    },
    "scapy": {
        "count": "with_scapy.count", "ports": "with_scapy.ports", "columns": "with_scapy.columns",
    },
}  # fmt: skip
SUMMED = ("count", "ports", "columns", "flows")


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
    return f"{number(of.median)}{unit} ({number(of.lowest, 2)}{DASH}{number(of.highest, 2)})"


def duration(of: Spread) -> str:
    """Of nanoseconds: in the unit that suits the median."""
    power = 1000 if of.median >= 999.5 else 1
    scaled = Spread(of.median / power, of.lowest / power, of.highest / power)
    return spread(scaled, " ns" if power == 1 else " µs")


def each(runs: list[Run]) -> float:
    """The median of nanoseconds for each."""
    return statistics.median(run.each for run in runs)


def peak(runs: list[Run]) -> str:
    """The median of their memory, in MB."""
    return f"{statistics.median(run.peak for run in runs) / 1e6:,.0f}"


def limit(job: Job, least: bool = False) -> str:
    """The most that is allowed, or the least."""
    return f"{'≥' if least else '≤'} {job.limit:g}" if job.limit else ""


def row(comparison: Comparison, job: Job, measured: Rounds) -> tuple[str, ...]:
    runs, base = measured[job], comparison.base(job)
    ratio = ratios(measured[base], runs) if comparison.rate else ratios(runs, measured[base])
    start = statistics.median(run.start for run in runs)
    return (
        job.title,
        quantity(runs[0].result["count"]),
        duration(Spread.of([run.each for run in runs])),
        "" if job is base else spread(ratio),
        limit(job, comparison.rate),
        peak(runs),
        f"{start:.2f}" if start else "",
    )


def compared(comparison: Comparison, measured: Rounds) -> Table:
    """A row for each job."""
    ratio = f"times {comparison.against}" + ("'s rate" if comparison.rate else "")
    header: tuple[str, ...] = ("", comparison.unit, "each", ratio, "limit", "MB", "start, s")
    rows = [row(comparison, job, measured) for job in measured]
    kept = [at for at, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    header, *rows = (tuple(line[at] for at in kept) for line in (header, *rows))
    return Table(comparison.title, header, rows, load(measured))


def summary(packets: int, parts: dict[str, Rounds]) -> Table:
    """The seconds that each tool takes for a trace of so many packets."""

    def seconds(part: str, wanted: str | None) -> str:
        found = [runs for job, runs in parts[part].items() if job.run == wanted]
        return f"{each(found[0]) * packets / 1e9:,.2f}" if found else ""

    rows = [
        (tool, *(seconds(part, jobs.get(part)) for part in SUMMED))
        for tool, jobs in SUMMARY.items()
    ]
    title = f"Seconds for {packets:,} packets"
    return Table(title, ("", "count", "bytes by port", "nine columns", "flows"), rows)
