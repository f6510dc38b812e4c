"""decap=True on every trace of the corpus: the columns are what `inner` of each packet says."""

from collections.abc import Callable
from pathlib import Path

import per_packet
import pytest

import natkit
import plt

np = pytest.importorskip("numpy")

FIELDS = [name for name in plt.column_fields() if not name.startswith("tunnel.")]


def innermost(packet: plt.packet) -> plt.packet:
    while (inner := packet.inner) is not None:
        packet = inner
    return packet


def test_columns_are_what_the_inner_packets_say(
    corpus: Path, trace_name: str, trace_uri: Callable[[Path], str]
) -> None:
    uri = trace_uri(corpus / "traces" / trace_name)
    outer: list[plt.packet] = []
    try:
        with plt.trace(uri) as trace:
            outer.extend(trace)
    except plt.LibtraceError:
        return  # what comes before damage is tested without decap
    columns = plt.columns(uri, FIELDS, decap=True)
    assert per_packet.differences(map(innermost, outer), columns.table()) == []


def test_flows_are_those_of_the_inner_packets(
    corpus: Path, trace_name: str, trace_uri: Callable[[Path], str]
) -> None:
    """A table without decap that is given the innermost packets counts the same in all."""
    uri = trace_uri(corpus / "traces" / trace_name)
    table, expected = natkit.FlowTable(decap=True), natkit.FlowTable()
    try:
        table.add_trace(uri)
    except plt.LibtraceError:
        return
    with plt.trace(uri) as trace:
        for packet in trace:
            expected.add(innermost(packet))
    assert (table.packets, table.not_ip, table.too_short) == (
        expected.packets, expected.not_ip, expected.too_short
    )  # fmt: skip
    one, other = table.columns(["packets", "bytes"]), expected.columns(["packets", "bytes"])
    for name in ("packets", "bytes"):
        assert one[name].sum() == other[name].sum()
