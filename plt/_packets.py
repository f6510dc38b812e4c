"""The layers of packets and their fields: as lists, as dicts, and as HTML to be unfolded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from ipp.shared import CELL, html_rows, printable

from . import _plt
from ._show import isoformat

__all__ = ["packet_as_dict", "packet_fields", "packet_html", "trace_html"]

Field = dict[str, Any]
Layer = dict[str, Any]

#: The layers that a packet may have, from the outermost on.
LAYERS = ("layer2", "arp", "ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6")
#: What is of the packet and in no header of it.
OF_PACKET = (
    "number", "time_ns", "wire_len", "capture_len", "linktype", "direction", "vlan_id", "vlan_pcp",
    "inner_vlan_id", "inner_vlan_pcp", "ethertype", "proto",
)  # fmt: skip
#: Fields that have two names: the second, and that of the other IP version.
SECOND_NAMES = {"ip": ("hdr_checksum", "hop_limit"), "ip6": ("ttl",)}
#: The length of a header that does not tell it.
LENGTHS = {"arp": 28, "ip6": 40, "udp": 8, "sctp": 12, "icmp": 8, "icmp6": 8}
#: The attributes of kinds of messages.
MESSAGES = {
    "icmp": ("echo", "redirect"),
    "icmp6": ("echo", "toobig", "param", "neighbour"),
}
#: Addresses in the messages of ICMP, which no row has: RFC 792, RFC 4861 section 4.
WITHOUT_ROW = (
    (_plt.redirect, "gateway", 4, 4),
    (_plt.neighbour6, "target_prefix", 8, 16),
)
#: Bytes that HTML shows of a layer.
SHOWN = 512


@cache
def _rows() -> tuple[list[Field], list[Field]]:
    """The rows of header fields and of properties."""
    return _plt._fields(), _plt._properties()


def _value(value: object) -> object:
    """A value as a type of Python's own."""
    if isinstance(value, bytearray):
        return bytes(value)
    return value if isinstance(value, (int, float)) else str(value)


def _field(obj: _plt.packet, row: Field, start: int | None, end: int | None) -> Iterator[Field]:
    """The field of a row, nothing where it was not captured."""
    try:
        value = getattr(obj, row["name"])
    except ValueError:
        return
    if value is not None:
        yield {
            "name": row["name"], "value": _value(value), "start": start, "end": end,
            "doc": row["doc"], "unit": row["unit"],
        }  # fmt: skip


def _packet_layer(pkt: _plt.packet) -> Layer:
    """What is of the packet itself."""
    rows = {row["name"]: row for row in _rows()[1]}
    fields = [field for name in OF_PACKET for field in _field(pkt, rows[name], None, None)]
    return {"layer": "packet", "start": None, "end": None, "fields": fields}


def _header_fields(name: str, layer: Any, start: int) -> list[Field]:
    """The fields of a header in the order of its bytes."""
    header_rows, properties = _rows()
    header = getattr(_plt, name)
    second = SECOND_NAMES.get(name, ())
    fields: list[Field] = []
    for row in properties:
        place = row.get(name)
        if place and row["name"] not in second and hasattr(type(layer), row["name"]):
            at = start + place[0]
            fields += _field(layer, row, at, at + place[1])
    parts = [layer, *_messages(name, layer)]
    for row in header_rows:
        # an icmp is an ip to Python, but its header is another
        if not issubclass(row["type"], header) or row["name"] in second:
            continue
        obj = next((part for part in parts if type(part) is row["type"]), None)
        if obj is not None:
            at = start + row["offset"]
            fields += _field(obj, row, at, at + row["width"])
    for kind, name_of, offset, width in WITHOUT_ROW:
        obj = next((part for part in parts if type(part) is kind), None)
        if obj is not None:
            doc = getattr(kind, name_of).__doc__.partition("\n")[0]
            row = {"name": name_of, "doc": doc, "unit": None}
            fields += _field(obj, row, start + offset, start + offset + width)
    if name == "tcp" and layer.options_data:
        options = bytes(layer.options_data)
        row = {"name": "options_data", "doc": "The options (RFC 9293 section 3.2).", "unit": None}
        fields += _field(layer, row, start + 20, start + 20 + len(options))
    return sorted(fields, key=lambda field: (field["start"], field["end"]))


def _messages(name: str, layer: Any) -> Iterator[Any]:
    """What an ICMP message is beside its first 4 bytes, as objects of its kind."""
    for attribute in MESSAGES.get(name, ()):
        part = getattr(layer, attribute)
        if part is not None:
            yield part


def _header_length(name: str, layer: Any) -> int:
    try:
        if name == "ip":
            return int(layer.hdr_len) * 4
        if name == "tcp":
            return int(layer.doff) * 4
    except ValueError:  # it was cut
        return len(memoryview(layer))
    return LENGTHS.get(name, 0)


def _layers(pkt: _plt.packet) -> list[tuple[Layer, int]]:
    """The layers of a packet, and where each one's bytes end: where the next begins."""
    size = len(pkt)
    found = []
    for name in LAYERS:
        layer = getattr(pkt, name)
        if layer is not None and len(layer) <= size:
            found.append((name, layer, size - len(layer)))
    made = []
    for n, (name, layer, start) in enumerate(found):
        after = found[n + 1][2] if n + 1 < len(found) else size
        end = after if name == "layer2" else min(after, start + _header_length(name, layer))
        fields = [] if name == "layer2" else _header_fields(name, layer, start)
        made.append(
            ({"layer": name, "start": start, "end": max(start, end), "fields": fields}, after)
        )
    return made


def packet_fields(pkt: _plt.packet) -> list[Layer]:
    """What packet.fields() gives."""
    if not _is_packet(pkt):
        return []
    return [_packet_layer(pkt), *(layer for layer, _ in _layers(pkt))]


def _is_packet(pkt: _plt.packet) -> bool:
    """Whether the object has layers: not where nothing was read, nor what a header carries."""
    if isinstance(pkt, (_plt.Transport, _plt.chunk)) or type(pkt) is _plt.Data:
        return False
    return len(pkt) > 0


def packet_as_dict(pkt: _plt.packet) -> dict[str, Any]:
    """What packet.as_dict() gives."""
    made: dict[str, Any] = {}
    for layer in packet_fields(pkt):
        values = {field["name"]: field["value"] for field in layer["fields"]}
        if layer["layer"] == "packet":
            made.update(values)
        elif layer["layer"] != "layer2":
            made[layer["layer"]] = values
    payload = (pkt.tcp_payload or pkt.udp_payload) if made else None
    if payload is not None:
        made["payload"] = bytes(payload)
    return made


# --- HTML ------------------------------------------------------------------------------------

_CELLS = f'style="{CELL}text-align:left"'
_MONO = f'style="{CELL}text-align:left;font-family:monospace"'
_DETAILS = '<details style="margin-left:1em"{}><summary style="cursor:pointer">'
_PRE = '<pre style="margin:.3em 1em;padding:0;background:transparent;color:inherit">'


def _shown(field: Field) -> str:
    """A field's value as text."""
    value = field["value"]
    if field["name"] == "time_ns":
        return f"{value} = {isoformat(value, ' ')} UTC"
    if field["name"] in ("checksum", "ethertype", "flags") and isinstance(value, int):
        return f"0x{value:04x}"
    if isinstance(value, bytes):
        return value.hex(" ")
    return f"{value} {field['unit']}" if field["unit"] == "bytes" else str(value)


def _html_fields(fields: list[Field], octets: bytes) -> str:
    """Names, values and bytes, the docstrings where the mouse rests."""
    rows = []
    for field in fields:
        under = octets[field["start"] : field["end"]].hex(" ") if field["start"] is not None else ""
        rows.append(
            f'<tr title="{escape(field["doc"])}"><th {_CELLS}>{escape(field["name"])}</th>'
            f"<td {_CELLS}>{escape(printable(_shown(field)))}</td><td {_MONO}>{under}</td></tr>"
        )
    return f'<table style="border-collapse:collapse;margin-left:1em">{"".join(rows)}</table>'


def _dump(octets: bytes) -> str:
    """Bytes as lines of hexadecimal and ASCII."""
    lines = []
    for at in range(0, min(len(octets), SHOWN), 16):
        line = octets[at : at + 16]
        text = "".join(chr(c) if 32 <= c < 127 else "." for c in line)
        lines.append(f"{at:04x}  {line.hex(' '):<47}  {text}")
    if len(octets) > SHOWN:
        lines.append(f"... {len(octets) - SHOWN} more")
    return f"{_PRE}{escape(chr(10).join(lines))}</pre>"


def _html_layer(title: str, body: str, is_open: bool = False) -> str:
    return f"{_DETAILS.format(' open' if is_open else '')}{title}</summary>{body}</details>"


def _extent(start: int, end: int) -> str:
    size = end - start
    return f'<small style="opacity:.7">{size} byte{"s" * (size != 1)} from {start}</small>'


def packet_html(pkt: _plt.packet) -> str:
    """A packet as layers that unfold."""
    summary = f'<summary style="cursor:pointer">{escape(printable(pkt.info()))}</summary>'
    octets = bytes(pkt) if len(pkt) > 0 else b""
    parts = []
    if _is_packet(pkt):
        layers = _layers(pkt)
        parts.append(_html_layer("packet", _html_fields(_packet_layer(pkt)["fields"], octets)))
        for layer, _ in layers:
            start, end = layer["start"], layer["end"]
            body = _html_fields(layer["fields"], octets) if layer["fields"] else ""
            if not body:
                body = _dump(octets[start:end])
            parts.append(_html_layer(f"{layer['layer']} {_extent(start, end)}", body))
        rest = layers[-1][0]["end"] if layers else 0
        parts += _html_rest(pkt, octets, rest)
    elif octets:
        parts.append(_dump(octets))
    return f"<details open>{summary}{''.join(parts)}</details>"


def _html_rest(pkt: _plt.packet, octets: bytes, start: int) -> Iterator[str]:
    """What comes after the last header: the payload, and what is after that."""
    payload = pkt.tcp_payload or pkt.udp_payload
    end = min(len(octets), start + len(payload)) if payload is not None else start
    if end > start:
        yield _html_layer(f"payload {_extent(start, end)}", _dump(octets[start:end]))
    if end < len(octets):
        yield _html_layer(f"rest {_extent(end, len(octets))}", _dump(octets[end:]))


def trace_html(trace: _plt.trace) -> str:
    """A trace: its name, its state, and how many packets were read and lost."""
    state = repr(trace).rpartition(": ")[2].rstrip(">").partition(",")[0]
    rows = [
        ("state", state),
        ("packets read", f"{trace.pkt_accepts():,}"),
        ("packets lost", f"{trace.pkt_drops():,}"),
    ]
    return html_rows(f"plt.trace {trace.uri}", rows)
