"""Columns as pyarrow tables: those of plt, and those of what tshark prints."""

from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from clock import Clock
from shared import FCS, Result

import plt

from .with_columns import FIELDS, SUMS
from .with_tshark import fields, timed

TSHARK = (
    "frame.time_epoch", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.proto",
    "ipv6.nxt", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.flags",
)  # fmt: skip


def columns(path: Path, clock: Clock, addresses: Literal["auto", "binary"] = "auto") -> Result:
    pa.table(plt.columns(path, FIELDS, limit=1))  # pyarrow has imported what it needs
    with clock:
        whole = pa.table(plt.columns(path, FIELDS, addresses=addresses))
    return {"count": whole.num_rows} | {name: pc.sum(whole[name]).as_py() for name in SUMS}


def columns_of_bytes(path: Path, clock: Clock) -> Result:
    """Addresses as bytes, where `columns` has them as text."""
    return columns(path, clock, "binary")


def tshark(path: Path, clock: Clock) -> Result:
    """By pyarrow's CSV reader."""
    reading = pyarrow.csv.ReadOptions(column_names=TSHARK)
    parsing = pyarrow.csv.ParseOptions(delimiter="\t")
    with timed(clock, path, *fields(TSHARK)) as printed:
        table = pyarrow.csv.read_csv(printed, reading, parsing)

    def total(*names: str) -> int:
        return sum(pc.sum(table[name]).as_py() or 0 for name in names)

    return {
        "count": table.num_rows,
        "wire_len": total("frame.len") + table.num_rows * FCS,
        "proto": total("ip.proto", "ipv6.nxt"),
        "src_port": total("tcp.srcport", "udp.srcport"),
        "dst_port": total("tcp.dstport", "udp.dstport"),
        "tcp.flags": total("tcp.flags"),
    }
