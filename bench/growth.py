"""How time and memory grow: with the packets of a trace, with the flows that are active."""

import statistics

import traces
from comparisons import Sizes
from measure import FLOOR, Job, Rounds, load, ratios, rounds
from report import median, number, peak, quantity, spread
from tables import Table

TIMES = (1, 4, 16)
FEWEST = 10_000  # flows
MOST_KEPT = 270  # bytes of a packet in a list, besides its own
ACTIVE = {
    "reading alone": FLOOR,
    "new": "with_natkit.new_flows",
    "known": "with_natkit.known_flows",
}


def packets(sizes: Sizes) -> Table:
    """1, 4 and 16 times the packets."""
    does = {
        "the floor: read and hop, in C": FLOOR,
        "plt, loop, bytes by TCP port": "with_plt.ports",
        "plt.columns(), by batches": "with_columns.batches",
        "natkit.FlowTable": "with_natkit.flow_table",
    }
    numbers = [sizes.packets // 4 * times for times in TIMES]
    jobs = {
        title: [Job(title, run, traces.mixed(number)) for number in numbers]
        for title, run in does.items()
    }
    measured = rounds([job for row in jobs.values() for job in row], sizes.rounds)
    rows = []
    for title, row in jobs.items():
        runs = [measured[job] for job in row]
        cost = spread(ratios(runs[-1], runs[0]))
        rows.append(
            (title, *(number(median(one)) for one in runs), cost, peak(runs[0]), peak(runs[-1]))
        )
    header = (
        "",
        *(f"CPU ns each of {quantity(number)}" for number in numbers),
        f"times, of {TIMES[-1]} times as many",
        "MB",
        "MB of the longest",
    )
    return Table("More packets, of the same flows", header, rows, load(measured))


def flow_numbers(most: int) -> list[int]:
    numbers = [FEWEST]
    while numbers[-1] * 10 <= most:
        numbers.append(numbers[-1] * 10)
    return numbers


def active_flows(sizes: Sizes) -> Table:
    """Ten thousand flows, all active, and ten times as many again and again."""
    numbers = flow_numbers(sizes.flows)
    jobs = {
        number: [Job(title, run, traces.many_flows(number)) for title, run in ACTIVE.items()]
        for number in numbers
    }
    measured: Rounds = rounds([job for row in jobs.values() for job in row], sizes.rounds)
    rows = []
    few = [measured[job] for job in jobs[FEWEST]]
    for flows, row in jobs.items():
        reading, new, known = (measured[job] for job in row)
        size = statistics.median(run.notes["bytes"] for run in new)
        rows.append(
            (
                f"{flows:,}",
                number(median(reading)),
                number(median(new)),
                "" if flows == FEWEST else spread(ratios(new, few[1])),
                number(median(known)),
                "" if flows == FEWEST else spread(ratios(known, few[2])),
                f"{size:.0f}",
                peak(known),
            )
        )
    header = (
        "active flows",
        "floor, CPU ns",
        "a new flow, CPU ns",
        f"times that of {FEWEST:,}",
        "a known flow, CPU ns",
        f"times that of {FEWEST:,}",
        "bytes a flow",
        "MB",
    )
    note = "Limits: 2 times the cost of a packet at ten thousand flows, and 200 bytes a flow.\n"
    return Table("More active flows", header, rows, note + load(measured))


def memory(sizes: Sizes) -> Table:
    """What a loop takes."""
    path = traces.mixed(sizes.packets)
    jobs = [
        Job("a loop grows by, from packet 1,000 on", "with_plt.drop", path),
        Job("a kept packet takes, besides its bytes", "with_plt.keep", path),
    ]
    measured = rounds(jobs, sizes.rounds)
    rows = []
    for job, runs in measured.items():
        grown = statistics.median(run.notes["bytes"] for run in runs)
        packets = quantity(runs[0].result["count"])
        limit = f"≤ {MOST_KEPT}" if job is jobs[-1] else ""
        rows.append((job.title, packets, f"{grown:,.0f} bytes", limit, peak(runs)))
    return Table("Memory of loops", ("", "packets", "", "limit", "MB"), rows)


GROWTH = {"packets": packets, "active-flows": active_flows, "memory": memory}
