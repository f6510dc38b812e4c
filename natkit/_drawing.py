"""How natkit.plot's pictures look: Axes, colours, dashes, hatches, legends, units and time zones.

Colours are those of M. Okabe and K. Ito, which the colour-blind tell apart.  Lines differ in their
dashes and bars in their hatches too, so that a picture says the same in grey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import cycle
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLACK, BLUE, VERMILION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
ORANGE, PURPLE, GREY, FAINT = "#E69F00", "#CC79A7", "#8C8C8C", "#D9D9D9"

#: Lines, in an order in which neighbours differ in grey too.
LINES: tuple[tuple[str, Any], ...] = (
    (BLUE, "-"),
    (VERMILION, (0, (5, 1.5))),
    (BLACK, (0, (1, 1.2))),
    (GREEN, (0, (6, 1.5, 1, 1.5))),
    (ORANGE, (0, (9, 3))),
    (PURPLE, (0, (4, 1.5, 1, 1.5, 1, 1.5))),
)
#: Parts of a bar.
FILLS = ((BLUE, ""), (ORANGE, "////"), ("#FFFFFF", "...."))

UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def required() -> None:
    """ImportError where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401, PLC0415  an extra
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"natkit.plot needs matplotlib (no module named {error.name!r}): "
            "pip install 'python-libtrace[plot]'",
            name=error.name,
        ) from error


def axes(ax: Axes | None, title: str) -> Axes:
    """The Axes to draw on, those of a new figure where there are none."""
    if ax is None:
        from matplotlib import pyplot  # noqa: PLC0415

        _, ax = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    ax.set_title(title, loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def empty(ax: Axes, what: str = "no packets") -> Axes:
    """Say in the middle of the Axes that there is nothing to draw."""
    ax.text(0.5, 0.5, what, transform=ax.transAxes, ha="center", va="center", color="#595959")
    ax.set(xticks=[], yticks=[])
    return ax


def grid(ax: Axes, axis: Literal["x", "y", "both"]) -> None:
    """Faint lines at the ticks, under what is drawn."""
    ax.grid(visible=True, axis=axis, color=FAINT, linewidth=0.6)
    ax.set_axisbelow(True)


def si(unit: str = "") -> Any:
    """A formatter of ticks with SI prefixes."""
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415

    return EngFormatter(unit=unit)


def whole_numbers(ax: Axes) -> None:
    """Ticks of the upright axis at whole numbers alone."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    ax.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))


def legend(ax: Axes, loc: Any, *, beside: bool = False) -> None:
    """A legend in the Axes, or to the right of them."""
    if beside:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, handlelength=3)
    else:
        ax.legend(loc=loc, framealpha=0.85, edgecolor="none", handlelength=3, fontsize="small")


def styles(labels: Sequence[str]) -> list[dict[str, Any]]:
    """How the line of each label is drawn."""
    return [
        {
            "label": label,
            "color": GREY if label == "other" else color,
            "linestyle": dashes,
            "linewidth": 1.6,
        }
        for label, (color, dashes) in zip(labels, cycle(LINES), strict=False)
    ]


def bars(
    ax: Axes, rows: Mapping[str, Sequence[float]], parts: Sequence[str], sums: Sequence[str] = ()
) -> None:
    """Horizontal bars of stacked parts, the first on top, with their sums in words at the end."""
    left = [0.0] * len(rows)
    for i, part in enumerate(parts):
        width = [float(row[i]) for row in rows.values()]
        if any(width):
            color, hatch = FILLS[i]
            ax.barh(
                range(len(rows)),
                width,
                left=left,
                height=0.7,
                label=part,
                color=color,
                hatch=hatch,
                edgecolor=BLACK,
                linewidth=0.7,
            )
        left = [a + b for a, b in zip(left, width, strict=True)]
    for y, (end, text) in enumerate(zip(left, sums, strict=False)):
        ax.annotate(
            text, (end, y), (4, 0), textcoords="offset points", va="center", fontsize="small"
        )
    ax.set_xlim(0, max(left) * (1.18 if sums else 1.05))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.invert_yaxis()
    grid(ax, "x")
    legend(ax, "best")


def time_zone(tz: str | tzinfo, at: int) -> tuple[tzinfo, str]:
    """A time zone, and its name at a time in nanoseconds; ValueError for an unknown one."""
    if not isinstance(tz, str | tzinfo):
        raise TypeError(f"tz is a str or a tzinfo, not {type(tz).__name__}")
    if isinstance(tz, tzinfo):
        zone = tz
    elif tz == "UTC":
        zone = UTC
    elif tz == "local":
        from dateutil.tz import tzlocal  # type: ignore[import-untyped]  # noqa: PLC0415

        zone = tzlocal()
    else:
        from zoneinfo import ZoneInfo  # noqa: PLC0415  few need it

        try:
            zone = ZoneInfo(tz)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone is named {tz!r}") from None
    name = getattr(zone, "key", None) or datetime.fromtimestamp(at // 10**9, zone).tzname()
    return zone, name or str(zone)


def time_axis(ax: Axes, zone: tzinfo) -> None:
    """Ticks of an axis of times, in a zone."""
    from matplotlib import dates  # noqa: PLC0415

    locator: Any = dates.AutoDateLocator(tz=zone)  # type: ignore[no-untyped-call]
    formatter: Any = dates.ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        tz=zone,
        show_offset=False,  # the label tells the date
    )
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(formatter)


def spoken(interval: int) -> str:
    """A number of nanoseconds with the largest unit that leaves no fraction."""
    for seconds, unit in UNITS:
        if interval % (seconds * 10**9) == 0:
            return f"{interval // (seconds * 10**9)} {unit}"
    for size, unit in ((10**6, "ms"), (10**3, "µs")):
        if interval % size == 0:
            return f"{interval // size} {unit}"
    return f"{interval:,} ns"
