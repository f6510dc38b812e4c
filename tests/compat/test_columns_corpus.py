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


def test_arrow_has_what_the_arrays_have(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str]
) -> None:
    pa = pytest.importorskip("pyarrow")
    uri = trace_uri(corpus / "traces" / trace_name)
    table = plt.columns(uri, ALL).table()
    arrow = pa.table(plt.columns(uri, ALL, batch=7, addresses="binary"))
    arrow.validate(full=True)
    assert arrow.column_names == list(ALL)
    for name in ALL:
        values = table[name]
        if values.dtype.kind == "M":
            values = values.view("int64")
        plain = [bytes(row) for row in values] if values.ndim == 2 else values.tolist()
        masked = zip(plain, table.mask(name).tolist(), strict=True)
        column = arrow[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast("int64")
        assert column.to_pylist() == [None if absent else one for one, absent in masked], name


def test_the_comparison_notices_a_difference(corpus: Path) -> None:
    """One packet against the column of another: each column that differs is told."""
    packets = packets_of(str(corpus / "traces" / "1kxun.pcap"))
    table = plt.columns(str(corpus / "traces" / "1kxun.pcap"), ALL).table()
    told = "\n".join(per_packet.differences([*packets[1:], packets[0]], table))
    for name in ("time", "wire_len", "src_prefix", "src_port", "tcp.seq_nbr", "payload_len"):
        assert f" {name} is " in told


@pytest.mark.parametrize("name", ["1kxun.pcap", "wechat.pcap", "rdp.pcap", "quic_t51.pcap"])
def test_payload_length_is_what_tshark_says(name: str, corpus: Path, tshark: str) -> None:
    path = corpus / "traces" / name
    table = plt.columns(
        path, ("version", "proto", "ip.frag_offset", "ip.has_mf", "payload_len")
    ).table()
    fields = ["tcp.len", "udp.length"]
    run = subprocess.run(
        [tshark, "-r", path, "-T", "fields", *(word for f in fields for word in ("-e", f))],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = list(csv.reader(io.StringIO(run.stdout), delimiter="\t"))
    assert len(rows) == len(table)
    compared = 0
    for n, (tcp, udp) in enumerate(rows):
        fragment = table["ip.frag_offset"][n] or table["ip.has_mf"][n]
        # two of a kind are a packet in a packet, and a UDP length is of all fragments together
        if fragment or "," in tcp + udp or bool(tcp) == bool(udp):
            continue
        assert not table.mask("payload_len")[n]
        assert table["payload_len"][n] == (int(tcp) if tcp else int(udp) - 8), f"packet {n + 1}"
        compared += 1
    assert compared > 100
