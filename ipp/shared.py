"""HTML for notebooks: what the other packages use of ipp beside its public names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipp import IPprefix

__all__ = ["CELL", "html_rows", "html_table", "prefix_html", "printable"]

#: Nothing has a colour of its own: a notebook's theme, light or dark, sets it.
CELL = (
    "padding:.15em .6em;border-bottom:1px solid rgba(128,128,128,.35);"
    "white-space:nowrap;vertical-align:top;"
)
_LEFT = f'style="{CELL}text-align:left"'
_RIGHT = f'style="{CELL}text-align:right;font-variant-numeric:tabular-nums"'
_TABLE = '<table style="border-collapse:collapse">'
_CAPTION = '<caption style="text-align:left;caption-side:top;white-space:nowrap">'
_SMALL = '<small style="opacity:.7;font-weight:normal">'


def printable(text: str) -> str:
    """Text on one line, in which what does not print is escaped."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def html_rows(caption: str, rows: Iterable[tuple[str, object]]) -> str:
    """A table of names and values, all escaped here."""
    body = "".join(
        f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(printable(str(value)))}</td></tr>"
        for name, value in rows
    )
    return f"{_TABLE}{_CAPTION}{escape(printable(caption))}</caption>{body}</table>"


def html_table(
    caption: str, heads: Sequence[tuple[str, str, bool]], rows: Iterable[Sequence[str]]
) -> str:
    """A table with a head of names, types and whether they are numbers; all escaped here."""
    styles = [_RIGHT if is_number else _LEFT for _, _, is_number in heads]
    named = "".join(
        f"<th {style}>{escape(name)}<br>{_SMALL}{escape(kind)}</small></th>"
        for (name, kind, _), style in zip(heads, styles, strict=True)
    )
    lines = [
        "<tr>"
        + "".join(
            f"<td {style}>{escape(printable(cell))}</td>"
            for cell, style in zip(row, styles, strict=True)
        )
        + "</tr>"
        for row in rows
    ]
    return (
        f'<div style="overflow-x:auto">{_TABLE}{_CAPTION}{escape(printable(caption))}</caption>'
        f"<thead><tr>{named}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def prefix_html(prefix: IPprefix) -> str:
    """A prefix with the addresses that it has."""
    address = ipaddress.ip_address(bytes(prefix.addr))
    rows: list[tuple[str, object]] = [("IP version", prefix.version)]
    if prefix.length is None:
        return html_rows(str(prefix), rows)
    network = ipaddress.ip_network((address, prefix.length), strict=False)
    rows += [("first", network[0]), ("last", network[-1]), ("addresses", network.num_addresses)]
    return html_rows(str(prefix), rows)
