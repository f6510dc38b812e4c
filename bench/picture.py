"""The picture of the page: CPU time a packet, ours, that of others, and the floor."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from report import SUMMED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE = Path(__file__).resolve().parents[1] / "doc" / "performance.svg"
OURS = ("plt", "natkit", "pldns")
FLOORS = ("read and hop, in C", "nine columns, in C")
#: By shape and by lightness, not by colour alone: filled, hollow, and a bar.
OUR_BLUE, GREY, BLACK = "#0b4f8a", "#777777", "#000000"
WIDTH, ROW, GAP = 7.5, 0.19, 0.5  # inches
SETTINGS = {
    "font.size": 8,
    "svg.hashsalt": "python-libtrace",  # the same numbers make the same file
    "svg.fonttype": "none",  # text stays text
}


def is_ours(tool: str) -> bool:
    return tool.startswith(OURS)


def short_name(tool: str, part: str) -> str:
    """Of a tool that has several names, by what it does."""
    if tool == "plt, natkit, pldns: a loop":
        return {"flows": "natkit, a loop", "dns": "pldns, a loop"}.get(part, "plt, a loop")
    if is_ours(tool):
        return {"flows": "natkit.FlowTable", "dns": "pldns.columns()"}.get(part, "plt.columns()")
    return tool


def panel(axes: "Axes", part: str, taken: dict[str, float]) -> None:
    """The tools of a part, the fastest on top."""
    tools = sorted(taken, key=lambda tool: taken[tool], reverse=True)
    for height, tool in enumerate(tools):
        value = taken[tool]
        if tool in FLOORS:
            style = {"marker": "|", "color": BLACK, "markersize": 9, "markeredgewidth": 2.5}
        elif is_ours(tool):
            style = {"marker": "o", "color": OUR_BLUE, "markersize": 6}
        else:
            style = {"marker": "s", "color": GREY, "markerfacecolor": "white", "markersize": 5}
        axes.plot([value], [height], linestyle="none", **style)
        text = f"{value:,.0f} ns" if value < 10_000 else f"{value / 1000:,.0f} µs"
        axes.annotate(text, (value, height), (8, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(tools)), [short_name(tool, part) for tool in tools])
    for label, tool in zip(axes.get_yticklabels(), tools, strict=True):
        label.set_fontweight("bold" if is_ours(tool) else "normal")
    axes.set_ylim(-0.7, len(tools) - 0.3)
    axes.set_title(SUMMED[part], loc="left", fontsize=9, fontweight="bold")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if FLOORS[0] in taken:
        axes.axvline(taken[FLOORS[0]], color=BLACK, linewidth=0.8, linestyle=":")


def draw(tools: dict[str, dict[str, float]], file: Path = FILE) -> None:
    """A panel for each part, on one axis of nanoseconds; nothing where there is no matplotlib."""
    try:
        import matplotlib  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        print("matplotlib is not installed: no picture (pip install matplotlib)")
        return
    parts = {
        part: {tool: taken[part] for tool, taken in tools.items() if part in taken}
        for part in SUMMED
    }
    parts = {part: taken for part, taken in parts.items() if taken}
    values = [value for taken in parts.values() for value in taken.values() if value > 0]
    heights = [len(taken) for taken in parts.values()]
    with matplotlib.rc_context(SETTINGS):
        size = sum(heights) * ROW + len(parts) * GAP + 0.4
        figure = Figure((WIDTH, size), layout="constrained", facecolor="white")
        every = figure.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, (part, taken) in zip(every[:, 0], parts.items(), strict=True):
            panel(axes, part, taken)
        last = every[-1, 0]
        last.set_xscale("log")
        last.set_xlim(10 ** math.floor(math.log10(min(values))), max(values) * 4)
        last.set_xlabel("CPU time for each packet or message, ns (logarithmic); dotted: the floor")
        figure.savefig(file, metadata={"Date": None})
