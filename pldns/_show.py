"""DNS messages and records as HTML, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipp.shared import html_rows, html_table

from . import _pldns

if TYPE_CHECKING:
    from ._pldns import ldns, ldnsrr

__all__ = ["message_html", "record_html"]

SECTIONS = (
    ("question", "query_rr_list"),
    ("answer", "response_rr_list"),
    ("authority", "auth_rr_list"),
    ("additional", "addit_rr_list"),
)
FLAGS = ("aa", "tc", "rd", "ra", "ad", "cd")


def message_html(message: ldns) -> str:
    """The header's values, and a row for each record."""
    if not message.is_ok():
        reason = _pldns.errorstr(message.status)
        return html_rows("pldns.ldns", [("status", f"{message.status}: {reason}")])
    kind = "response" if message.is_response else "query"
    words = [f"DNS {kind} {message.ident}", _pldns.opcodestr(message.opcode)]
    if message.is_response:
        words.append(_pldns.rcodestr(message.rcode))
    words += [flag for flag in FLAGS if getattr(message, flag)]
    heads = [("section", "", False), ("owner", "", False), ("type", "", False)]
    heads += [("ttl", "seconds", True), ("data", "", False)]
    rows = []
    for section, name in SECTIONS:
        for record in getattr(message, name):
            ttl = "" if section == "question" else str(record.ttl)
            row = [section, record.owner, _pldns.typestr(record.type), ttl, record.rdata]
            rows.append(row)
    return html_table(", ".join(words), heads, rows)


def record_html(record: ldnsrr) -> str:
    """The fields of a record."""
    names = ("owner", "type", "rr_class", "ttl", "rdata")
    values = {name: getattr(record, name) for name in names}
    values["type"] = f"{record.type} ({_pldns.typestr(record.type)})"
    return html_rows("pldns.ldnsrr", values.items())
