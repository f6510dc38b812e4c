"""plt.columns() and NumPy."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import traces
from clock import Clock
from shared import BPF, Result, empty_trace, port_summary

import plt

FIELDS = (
    "time", "wire_len", "src_prefix", "dst_prefix", "version", "proto", "src_port", "dst_port",
    "tcp.flags",
)  # fmt: skip
SUMS = ("wire_len", "proto", "src_port", "dst_port", "tcp.flags")

with empty_trace() as nothing:  # what plt imports only here is part of the start
    list(plt.columns(nothing, FIELDS))


def count(path: Path, clock: Clock) -> Result:
    packets = octets = 0
    with clock:
        for batch in plt.columns(path, ["wire_len"]):
            packets += len(batch)
            octets += int(batch["wire_len"].sum())
    return {"count": packets, "bytes": octets}


def ports(path: Path, clock: Clock) -> Result:
    packets = 0
    totals = np.zeros(1 << 16)  # a float is exact up to 2**53 bytes
    with clock:
        for batch in plt.columns(path, ["proto", "dst_port", "wire_len"]):
            packets += len(batch)
            tcp = (batch["proto"] == 6) & ~batch.mask("dst_port")
            sizes = batch["wire_len"][tcp]
            totals += np.bincount(batch["dst_port"][tcp], weights=sizes, minlength=1 << 16)
        found = {int(port): int(totals[port]) for port in np.flatnonzero(totals)}
    return port_summary(packets, found)


def batches(path: Path, clock: Clock) -> Result:
    """Batch after batch, each dropped."""
    with clock:
        packets = sum(len(batch) for batch in plt.columns(path, FIELDS))
    return {"count": packets}


def batches_1_worker(path: Path, clock: Clock) -> Result:
    """The same, where a large file is not read in parts."""
    with clock:
        packets = sum(len(batch) for batch in plt.columns(path, FIELDS, workers=1))
    return {"count": packets}


def all_batches(path: Path, clock: Clock) -> Result:
    """Of all files of a folder."""
    paths = traces.files(path)
    with clock:
        packets = sum(len(batch) for batch in plt.columns(paths, FIELDS))
    return {"count": packets}


WHERE = plt.where("tcp and dst_port in (80, 443)")


def _filtered(path: Path, clock: Clock, fields: Sequence[str], chosen: plt.where | str) -> Result:
    with clock:
        matching = sum(len(batch) for batch in plt.columns(path, fields, filter=chosen))
    return {"count": traces.packets_of_mixed(path), "matching": matching}


def bpf(path: Path, clock: Clock) -> Result:
    return _filtered(path, clock, ["wire_len"], BPF)


def where(path: Path, clock: Clock) -> Result:
    return _filtered(path, clock, ["wire_len"], WHERE)


def bpf_nine(path: Path, clock: Clock) -> Result:
    return _filtered(path, clock, FIELDS, BPF)


def where_nine(path: Path, clock: Clock) -> Result:
    return _filtered(path, clock, FIELDS, WHERE)


def decap_batches(path: Path, clock: Clock) -> Result:
    with clock:
        packets = sum(len(batch) for batch in plt.columns(path, FIELDS, decap=True))
    return {"count": packets}


def table(path: Path, clock: Clock) -> Result:
    with clock:
        whole = plt.columns(path, FIELDS).table()
    return {"count": len(whole)} | {name: int(whole[name].sum()) for name in SUMS}
