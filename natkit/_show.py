"""Flows and flow tables as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ipp.shared import html_rows, html_table
from plt.shared import isoformat, seconds

if TYPE_CHECKING:
    from natkit._natkit import Flow, Flows, FlowTable, IPflow

__all__ = ["flow_html", "flows_html", "ipflow_html", "table_html"]

#: Flows that are shown of a table, and of each end of a sequence.
TOP, ENDS = 10, 5
#: What is shown of each: the attribute, and whether it is a number.
SHOWN = (
    ("proto", True), ("src_prefix", False), ("src_port", True), ("dst_prefix", False),
    ("dst_port", True), ("first_time_ns", False), ("duration_ns", True), ("packets", True),
    ("bytes", True), ("state", False),
)  # fmt: skip


def _text(flow: Flow, name: str) -> str:
    """An attribute as text; times and durations of nanoseconds as in tables."""
    value = getattr(flow, name)
    if isinstance(value, tuple):
        return " ".join(_item(item, name) for item in value)
    return _item(value, name)


def _item(value: Any, name: str) -> str:
    if value is None:
        return "null"
    if name.endswith("_time_ns"):
        return isoformat(value)
    return seconds(value) if name.endswith("_ns") else str(value)


def _units(name: str) -> str:
    if name.endswith("_time_ns"):
        return "UTC"
    return "seconds" if name.endswith("_ns") else ""


def _flows(caption: str, flows: Iterable[Flow], more: int | None = None) -> str:
    """Some flows, with dots before the one of a number."""
    heads = [(name.removesuffix("_ns"), _units(name), number) for name, number in SHOWN]
    rows = [[_text(flow, name) for name, _ in SHOWN] for flow in flows]
    if more is not None:
        rows.insert(more, ["…"] * len(SHOWN))
    return html_table(caption, heads, rows)


def _count(flows: Any) -> str:
    return f"{len(flows):,} flow{'s' * (len(flows) != 1)}"


def table_html(table: FlowTable) -> str:
    """The largest flows of a table."""
    shown = f"; by bytes the first {TOP}:" if len(table) > TOP else ", by bytes:"
    caption = f"natkit.FlowTable: {_count(table)}, {table.packets:,} packets"
    return _flows(caption + shown * (len(table) > 0), table.top(TOP))


def flows_html(flows: Flows) -> str:
    """The first and last flows of a sequence."""
    caption = f"natkit.Flows: {_count(flows)}"
    if len(flows) <= 2 * ENDS:
        return _flows(caption, flows)
    return _flows(caption, [*flows[:ENDS], *flows[-ENDS:]], ENDS)


def flow_html(flow: Flow) -> str:
    """All that was counted of a flow."""
    kinds = vars(type(flow)).items()
    names = [name for name, kind in kinds if type(kind).__name__ == "getset_descriptor"]
    rows = [
        (f"{name.removesuffix('_ns')} {_units(name)}".strip(), _text(flow, name))
        for name in names
        if name not in ("fwd_key", "rev_key", "ipflow") and getattr(flow, name) is not None
    ]
    return html_rows(f"natkit.Flow {flow.ipflow}", rows)


def ipflow_html(flow: IPflow) -> str:
    """The ends of a flow."""
    if not flow:
        return html_rows(repr(flow).strip("<>"), [])
    names = ("version", "proto", "src_prefix", "src_port", "dst_prefix", "dst_port", "is_inward")
    rows = [(name, getattr(flow, name)) for name in names]
    return html_rows(
        f"natkit.IPflow {flow}", [(name, value) for name, value in rows if value is not None]
    )
