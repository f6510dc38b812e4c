#!/usr/bin/env python3
"""p24: put a folder of traces into Parquet files, and ask them in SQL.

Usage: python p24_parquet_and_sql.py [FOLDER [OUT]]

OUT is the folder for the Parquet files; without it they are gone at the end.

It needs what `pip install duckdb pyarrow` installs.
"""

import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import plt

DEFAULT = Path(__file__).resolve().parent / "traces"
FIELDS = ["time", "version", "proto", "src_port", "dst_port", "wire_len", "tcp.syn_flag"]
BATCH = 4096  # packets that are in memory at a time, whatever the length of a trace


def convert(trace, parquet):
    """Write the columns of a trace to a Parquet file, batch by batch."""
    # Arrow hands over a batch without a copy
    reader = pa.RecordBatchReader.from_stream(plt.columns(trace, FIELDS, batch=BATCH))
    with pq.ParquetWriter(parquet, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


# Each question is asked of all files at once, and DuckDB reads only the columns that it needs.
QUESTIONS = {
    "What is in which file?": """
        select file, count(*) as packets, sum(wire_len) as bytes,
               (epoch_ns(max(time)) - epoch_ns(min(time))) // 1_000_000_000 as seconds
        from packets group by file order by file""",
    "Which ports have the most bytes?": """
        select file, least(src_port, dst_port) as port, proto, sum(wire_len) as bytes
        from packets where src_port is not null
        group by all order by bytes desc, file, port, proto limit 5""",
    "Which ten seconds are the busiest?": """
        select file, (epoch_ns(time) - first) // 10_000_000_000 * 10 as second, count(*) as packets
        from packets join (
            select file, min(epoch_ns(time)) as first from packets group by file
        ) using (file)
        group by all order by packets desc, file, second limit 3""",
    "What answers to a SYN?": """
        select file, src_port as port, count(*) as packets
        from packets where "tcp.syn_flag" and src_port < 1024
        group by all order by packets desc, file, port limit 5""",
}

traces = sorted(Path(sys.argv[1] if len(sys.argv) > 1 else DEFAULT).glob("*.pcap*"))
print(f"{len(traces)} traces, {len(FIELDS)} columns")
with tempfile.TemporaryDirectory() as scratch:
    out = Path(sys.argv[2] if len(sys.argv) > 2 else scratch)
    files = [out / f"{trace.name.partition('.pcap')[0]}.parquet" for trace in traces]
    for trace, parquet in zip(traces, files, strict=True):
        convert(trace, parquet)
    if files:
        db = duckdb.connect()  # in memory: the Parquet files are the database
        whole = db.read_parquet([str(f) for f in files], filename=True)
        whole.project("*, parse_filename(filename, true) as file").create_view("packets")
        for question, sql in QUESTIONS.items():
            answer = db.sql(sql)
            print(question, *answer.columns, sep="  ")
            for row in answer.fetchall():
                print("  ", *row, sep="  ")
