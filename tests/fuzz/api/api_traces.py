"""A file of any format: every packet's attributes and methods, columns, flow table, streams, DNS.

Columns have what attributes have, and a flow table counts what columns have rows for.
"""

import contextlib
import io
from collections.abc import Iterable

import natkit
import pldns
import plt

#: What reading may raise.  A packet's own values raise ValueError where too little was captured.
REFUSED = (plt.LibtraceError, plt.plt_exc_libtrace)
MOST = 8

VALUES = ("wire_len", "capture_len", "linktype", "vlan_id", "direction", "ethertype", "proto",
          "ts_sec", "erf_time", "time_ns")  # fmt: skip
#: What a column holds, where an attribute may have more: it is missing then.
LIMITS = {"time_ns": range(-(2**63), 2**63), "wire_len": range(2**32)}
FIELDS = [name for name, *_ in plt.column_fields() if "." in name and not name.startswith("tunnel")]
PAN = natkit.CryptoPan(b"a key of these words and no more")
WHERE = plt.where("tcp or udp.dst_port == 53 or ttl < 5")


def layers_of(packet: plt.packet) -> Iterable[object]:
    yield packet
    for name in (
        "ip",
        "ip6",
        "tcp",
        "udp",
        "icmp",
        "icmp6",
        "sctp",
        "layer2",
        "layer3",
        "transport",
    ):
        layer = getattr(packet, name, None)
        if layer is not None:
            yield layer


#: Methods that say all of a packet in words: of one packet alone, for they are slow.
WORDS = ("info", "dump", "_repr_html_")


def read_all(value: object) -> None:
    """Every attribute, what is in the packets and layers that some are, and a checksum's test."""
    for name in dir(value):
        if name.startswith("__") or name in ("from_bytes", *WORDS):
            continue
        with contextlib.suppress(ValueError, TypeError, AttributeError, *REFUSED):
            found = getattr(value, name)
            if name == "test_trans_cksm":
                found()
            elif isinstance(found, plt.Data):
                bytes(found.data), repr(found)


def packets_of(content: bytes) -> list[plt.packet]:
    found: list[plt.packet] = []
    with contextlib.suppress(*REFUSED), plt.trace(io.BytesIO(content), count=MOST) as trace:
        found.extend(trace)
    return found


def value_of(packet: plt.packet, name: str) -> int | None:
    """The attribute that a column is of, None where the column has no value."""
    holder: object = packet
    *layers, last = name.split(".")
    for layer in layers:
        holder = getattr(packet, layer)
        if holder is None:
            return None
    try:
        value = getattr(holder, last)
    except ValueError:
        return None
    if value is None or name not in LIMITS:
        return None if value is None else int(value)
    return int(value) if value in LIMITS[name] else None


def compare(content: bytes, found: list[plt.packet]) -> None:
    """Columns of the first packets with the packets' attributes."""
    names = [*VALUES, *FIELDS]
    if not found:
        return
    table = plt.columns(io.BytesIO(content), names, limit=len(found)).table()
    assert len(table) == len(found)
    for name in names:
        values, missing = table[name].tolist(), table.mask(name).tolist()
        for n, packet in enumerate(found):
            value = value_of(packet, name)
            told = None if missing[n] else int(values[n])
            if name == "time_ns" and told is None and value == 0:  # its source states no time
                continue
            assert told == value, (name, n, told, value)


def use(found: list[plt.packet]) -> None:
    for name in WORDS if found else ():
        getattr(found[0], name)()
    for packet in found:
        for layer in layers_of(packet):
            read_all(layer)
        packet.apply_filter(WHERE)
        inner = packet.inner
        if inner is not None:
            read_all(inner)
        with contextlib.suppress(ValueError):
            pldns.messages(packet.udp_payload or b"")
        with contextlib.suppress(ValueError):
            pldns.messages(packet.tcp_payload or b"")
    for packet in found:
        with contextlib.suppress(ValueError, TypeError):
            PAN.packet(packet, unknown="zero", payload="zero")


def one_input(content: bytes) -> None:
    """Read a file in every way."""
    found = packets_of(content)
    compare(content, found)
    table = natkit.FlowTable(tcp=True)
    with contextlib.suppress(*REFUSED):
        table.add_trace(io.BytesIO(content))
    if len(found) < MOST:
        assert table.packets == len(found)
    list(table), len(table), table.columns(), table.expired()
    with contextlib.suppress(*REFUSED):
        for stream in natkit.streams(plt.trace(io.BytesIO(content))):
            read_all(stream)
    with contextlib.suppress(*REFUSED):
        pldns.columns(io.BytesIO(content), reassemble=True).table()
    with contextlib.suppress(*REFUSED):
        for packet in plt.defragment(plt.trace(io.BytesIO(content), count=MOST)):
            bytes(packet)
    use(found)
