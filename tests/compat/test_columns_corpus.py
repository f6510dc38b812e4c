"""Every column of every trace is what the packets say one by one, and what tshark says."""

import csv
import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import per_packet
import pytest

import plt

pytest.importorskip("numpy")

ALL = tuple(plt.column_fields())


def packets_of(uri: str) -> list[plt.packet]:
    with plt.trace(uri) as trace:
        return list(trace)


def test_columns_are_what_the_packets_say(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str], packet_counts: dict[str, int]
) -> None:
    uri = trace_uri(corpus / "traces" / trace_name)
    table = plt.columns(uri, ALL).table()
    assert len(table) == packet_counts[trace_name]
    assert per_packet.differences(packets_of(uri), table) == []
