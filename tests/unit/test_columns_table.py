"""plt.Table as a table: its text, its parts, and its way into other libraries and files."""

import csv
import io
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import packets as pk
import pytest

import natkit
import pldns
import plt

np = pytest.importorskip("numpy")

TRACE = Path(__file__).resolve().parents[2] / "tutorial/traces/edge-10k.pcap.gz"
SYN = pk.ethernet(pk.ipv4(pk.tcp(ports=(49152, 443), flags=0x02), pk.TCP))
DATAGRAM = pk.ethernet(pk.ipv6(pk.udp(b"abc", ports=(5353, 53))), 0x86DD)
ARP = pk.ethernet(bytes(28), 0x0806)
#: 2010-01-01 00:00:00 UTC, when the packets of tests/packets.py arrive.
ARRIVAL = "2010-01-01T00:00:00"
FIELDS = ["time", "src", "src_port", "tcp.syn_flag", "proto"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return pk.write(tmp_path / "t", pk.pcap([SYN, DATAGRAM, ARP]))


@pytest.fixture
def table(path: Path) -> plt.Table:
    return plt.columns(path, FIELDS).table()  # type: ignore[arg-type]


# --- Text ----------------------------------------------------------------------------------------


def test_text_of_few_rows(table: plt.Table) -> None:
    assert repr(table) == str(table)
    assert repr(table).splitlines() == [
        "3 rows and 5 columns",
        "┌─────────────────────┬─────────────┬──────────┬──────────────┬───────┐",
        "│ time                ┆ src         ┆ src_port ┆ tcp.syn_flag ┆ proto │",
        "│ datetime[ns, UTC]   ┆ address     ┆   uint16 ┆ bool         ┆ uint8 │",
        "╞═════════════════════╪═════════════╪══════════╪══════════════╪═══════╡",
        "│ 2010-01-01T00:00:00 ┆ 192.0.2.1   ┆    49152 ┆ true         ┆     6 │",
        "│ 2010-01-01T00:00:00 ┆ 2001:db8::1 ┆     5353 ┆ null         ┆    17 │",
        "│ 2010-01-01T00:00:00 ┆ null        ┆     null ┆ null         ┆     0 │",
        "└─────────────────────┴─────────────┴──────────┴──────────────┴───────┘",
    ]


def test_text_of_many_rows_has_the_first_and_the_last() -> None:
    table = plt.columns(TRACE, ["time", "wire_len"]).table()
    lines = repr(table).splitlines()
    assert lines[0] == "10,000 rows and 2 columns"
    lengths = [line.strip("│ ").split()[-1] for line in lines[5:-1]]
    values = [str(value) for value in table["wire_len"]]
    assert lengths == [*values[:5], "…", *values[-5:]]


def test_text_is_no_wider_than_100(path: Path) -> None:
    table = plt.columns(path, list(plt.column_fields())).table()  # type: ignore[arg-type]
    lines = repr(table).splitlines()
    assert max(map(len, lines)) <= 100
    assert len({len(line) for line in lines[1:]}) == 1
    names = [word.strip() for word in lines[2].strip("│").split("┆")]
    left = names.index("…")
    assert names[:left] == table.names[:left]
    assert names[left + 1 :] == table.names[left + 1 - len(names) :]


@pytest.mark.parametrize(("columns", "widest"), [("60", 100), ("150", 150), ("9999", 9999)])
def test_text_is_as_wide_as_a_terminal(
    columns: str, widest: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One column more would be too much, unless all are shown."""
    table = plt.columns(path, list(plt.column_fields())).table()  # type: ignore[arg-type]
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", columns)
    names = repr(table).splitlines()[2]
    assert len(names) <= widest
    if widest == 9999:
        assert names.strip("│ ").replace(" ", "").split("┆") == table.names
    else:
        assert "…" in names
        assert len(names) > widest - 45  # a column has up to 42 characters, and 3 around it


def test_text_of_nothing(path: Path) -> None:
    assert repr(plt.columns(path, ()).table()) == "3 rows and 0 columns"
    lines = repr(plt.columns(path, "proto", filter="port 1").table()).splitlines()
    assert (lines[0], len(lines)) == ("0 rows and 1 column", 6)


def test_text_of_each_kind() -> None:
    """By hand; a text that would upset a terminal is escaped."""
    batch = pldns._pldns._Batch
    order, three = sys.byteorder, 3
    numbers = b"".join(n.to_bytes(8, order, signed=True) for n in (-1, 1_500_000_000, 0))
    offsets = b"".join(n.to_bytes(4, order) for n in (0, 4, 9, 9))
    columns = (
        ("time", 0, numbers, b"\0\0\0", None),
        ("lasts", 11, numbers, b"\0\0\1", None),
        ("real", 9, np.array([0.1, 1e300, -2.0]).tobytes(), None, None),
        ("name", 12, offsets, b"\0\0\1", b"a.\x1b[b\0<c>"),
        ("raw", 14, bytes(range(16)) + bytes(32), b"\0\0\1", b"\6\4\0"),
    )
    table = plt.Table([batch._from_state((2, order, three, columns))])
    found = []
    for name in table:
        lines = repr(table[[name]]).splitlines()[5:-1]
        found.append(tuple(line.strip("│ ") for line in lines))
    assert found == [
        ("1969-12-31T23:59:59.999999999", "1970-01-01T00:00:01.500000000",
         "1970-01-01T00:00:00.000000000"),
        ("-0.000000001", "1.500000000", "null"),
        ("0.1", "1e+300", "-2.0"),
        (r"a.\x1b[", r"b\x00<c>", "null"),
        ("000102030405060708090a0b0c0d0e0f", "0" * 32, "null"),
    ]  # fmt: skip


def test_text_looks_at_the_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a table is: no more than ten rows are copied and put into words."""
    table = plt.columns([TRACE] * 20, ["time", "src", "wire_len"]).table()
    taken = []
    rows = plt.Table._rows

    def counted(self: plt.Table, wanted: range) -> plt.Table:
        taken.append(len(wanted))
        return rows(self, wanted)

    monkeypatch.setattr(plt.Table, "_rows", counted)
    monkeypatch.setattr(plt.Table, "_array", None)
    assert repr(table).startswith("200,000 rows and 3 columns")
    table._repr_html_()
    assert taken == [5, 5] * 2


def test_ipython_completes_names_of_columns() -> None:
    """After `table["`, by IPython's protocol for what has keys of its own."""
    table = plt.columns(TRACE, ["time", "src"]).table()
    assert table._ipython_key_completions_() == ["time", "src"]


# --- Parts ---------------------------------------------------------------------------------------


def test_shape_and_schema(table: plt.Table) -> None:
    assert table.shape == (3, 5)
    assert table.schema == {
        "time": "datetime[ns, UTC]",
        "src": "address",
        "src_port": "uint16",
        "tcp.syn_flag": "bool",
        "proto": "uint8",
    }


@pytest.mark.parametrize("batch", [1, 3, 4, 100])
def test_slices_are_those_of_lists(batch: int, tmp_path: Path) -> None:
    """Every slice of ten rows in batches of several sizes."""
    data = [pk.ethernet(pk.ipv4(pk.udp(ports=(n + 1, 53)), pk.UDP)) for n in range(10)]
    path = pk.write(tmp_path / "t", pk.pcap(data))
    parts = list(plt.columns(path, ["src_port", "src"], batch=batch))
    table = plt.Table([part._batches[0] for part in parts])
    ports = list(range(1, 11))
    bounds = (None, -11, -10, -3, 0, 2, 5, 9, 10, 12)
    for start, stop, step in itertools.product(bounds, bounds, (None, 1, 2, 3, 11, -1, -2, -7)):
        part = table[start:stop:step]
        assert part["src_port"].tolist() == ports[start:stop:step]
        assert part.text("src").tolist() == ["192.0.2.1"] * len(ports[start:stop:step])
    with pytest.raises(ValueError, match="step"):
        table[::0]
    assert table.head(2)["src_port"].tolist() == [1, 2]
    assert table.tail(2)["src_port"].tolist() == [9, 10]
    for n in (0, 5, 99):
        assert len(table.head(n)) == len(table.tail(n)) == min(n, 10)
    for end in (table.head, table.tail):
        assert len(end()) == 5
        with pytest.raises(ValueError, match="n must be 0 or more, not -1"):
            end(-1)


def test_slices_have_what_is_missing_and_texts() -> None:
    whole = pldns.columns(TRACE, ["qname", "qtype", "src", "response_time"]).table()
    part = whole[5:400:7]
    for name in whole:
        assert part.mask(name).tolist() == whole.mask(name)[5:400:7].tolist()
        assert part[name].tolist() == whole[name][5:400:7].tolist()
    assert part.text("src").tolist() == whole.text("src")[5:400:7].tolist()


def test_some_columns(table: plt.Table) -> None:
    part = table[["proto", "time"]]
    assert part.names == ["proto", "time"]
    assert part["proto"].tolist() == [6, 17, 0]
    assert part["proto"].ctypes.data == table["proto"].ctypes.data  # the same memory
    assert table[[]].shape == (3, 0)
    with pytest.raises(KeyError, match=r"'porto' is none of the columns .*; near: proto"):
        table[["porto"]]
    with pytest.raises(KeyError, match=r"'tcp.syn' is none of the columns .*; near: tcp.syn_flag"):
        table["tcp.syn"]
    with pytest.raises(ValueError, match="the column 'proto' is asked for twice"):
        table[["proto", "time", "proto"]]


def test_describe(tmp_path: Path) -> None:
    """By hand."""
    frames = [pk.ethernet(pk.ipv4(pk.udp(bytes(n)), pk.UDP)) for n in (10, 20, 60)]
    records = [pk.Record(frame, sec=10 + n) for n, frame in enumerate([*frames, ARP])]
    path = pk.write(tmp_path / "t", pk.pcap(records))
    found = plt.columns(path, ["time", "payload_len", "src", "tcp.syn_flag"]).table().describe()
    assert found.names == ["column", "type", "count", "missing", "min", "max", "mean"]
    assert list(zip(*(found[name].tolist() for name in found), strict=True)) == [
        ("time", "datetime[ns, UTC]", 4, 0, "1970-01-01T00:00:10.000000000",
         "1970-01-01T00:00:13.000000000", "1970-01-01T00:00:11.500000000"),
        ("payload_len", "uint32", 3, 1, "10", "60", "30"),
        ("src", "address", 3, 1, None, None, None),
        ("tcp.syn_flag", "bool", 0, 4, None, None, None),
    ]  # fmt: skip


def test_describe_flags_and_bytes(tmp_path: Path) -> None:
    """Of four flags one is set; bytes have no order that would tell something."""
    syn, ack = (pk.ethernet(pk.ipv4(pk.tcp(flags=flags), pk.TCP)) for flags in (0x02, 0x10))
    path = pk.write(tmp_path / "t", pk.pcap([syn, ack, ack, ack, ARP]))
    found = plt.columns(path, ["src", "tcp.syn_flag"], addresses="binary").table().describe()
    assert list(zip(*(found[name].tolist() for name in found), strict=True)) == [
        ("src", "bytes[16]", 4, 1, None, None, None),
        ("tcp.syn_flag", "bool", 4, 1, None, None, "0.25"),
    ]


def test_rows_say_their_values_by_name(path: Path) -> None:
    """A row has the columns' names, which need be no identifiers, and says its values by them."""
    fields = ["src", "tcp.syn_flag", "proto"]
    rows = np.asarray(plt.columns(path, fields, addresses="binary").table())  # type: ignore[arg-type]
    address = bytes([192, 0, 2, 1, *[0] * 12])
    assert [vars(row) for row in rows[::2]] == [
        {"src": address, "tcp.syn_flag": True, "proto": 6},
        {"src": None, "tcp.syn_flag": None, "proto": 0},
    ]
    assert repr(rows[0]) == f"Row(src={address!r}, tcp.syn_flag=True, proto=6)"
    assert (rows[0] == rows[0]) is True
    assert (rows[0] == rows[2]) is False


def test_text_is_asked_of_texts_alone(table: plt.Table) -> None:
    with pytest.raises(TypeError, match="column proto is none of texts"):
        table.text("proto")
    with pytest.raises(KeyError, match="none of the columns"):
        table.text("nonsense")


# --- Other libraries -----------------------------------------------------------------------------


def made(path: Path) -> dict[str, Callable[[], Any]]:
    """Whatever is a table to others: here of a packet each of TCP and UDP, both of one address."""
    flows = natkit.FlowTable(idle_timeout=1)
    flows.add_trace(path)
    ended = natkit.FlowTable()
    ended.add_trace(path)
    ended.flush()
    expired = ended.expired()
    fields = ["src_prefix", "proto"]
    return {
        "Table": lambda: plt.columns(path, fields).table(),  # type: ignore[arg-type]
        "Batch": lambda: next(iter(plt.columns(path, fields))),  # type: ignore[arg-type]
        "Columns": lambda: plt.columns(path, fields),  # type: ignore[arg-type]
        "FlowTable": lambda: flows,
        "Flows": lambda: expired,
    }


KINDS = ("Table", "Batch", "Columns", "FlowTable", "Flows")
ROWS = [("192.0.2.1", 6), ("192.0.2.1", 17)]


@pytest.fixture
def both(tmp_path: Path) -> Path:
    datagram = pk.ethernet(pk.ipv4(pk.udp(b"x"), pk.UDP))
    return pk.write(tmp_path / "both", pk.pcap([SYN, datagram]))


@pytest.mark.parametrize("kind", KINDS)
def test_pyarrow_table(kind: str, both: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    found = pa.table(made(both)[kind]())
    assert (
        list(zip(*found.select(["src_prefix", "proto"]).to_pydict().values(), strict=True)) == ROWS
    )


@pytest.mark.parametrize("kind", KINDS)
def test_polars_frame(kind: str, both: Path) -> None:
    pl = pytest.importorskip("polars")
    assert pl.DataFrame(made(both)[kind]()).select("src_prefix", "proto").rows() == ROWS


@pytest.mark.parametrize("kind", KINDS)
def test_pandas_frame(kind: str, both: Path) -> None:
    pd = pytest.importorskip("pandas")
    found = pd.DataFrame(made(both)[kind]())
    assert list(found[["src_prefix", "proto"]].itertuples(index=False, name=None)) == ROWS
    by_arrow = pytest.importorskip("pyarrow").table(made(both)[kind]())
    assert list(found) == by_arrow.column_names


@pytest.mark.parametrize("kind", KINDS)
def test_duckdb_by_name(kind: str, both: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    x = made(both)[kind]()
    assert x is not None  # DuckDB finds it by its name
    assert duckdb.sql("select src_prefix, proto from x").fetchall() == ROWS
    x = made(both)[kind]()
    assert len(duckdb.sql("from x").fetchall()) == 2


def test_pandas_frame_of_all_kinds(table: plt.Table) -> None:
    pd = pytest.importorskip("pandas")
    for found in (pd.DataFrame(table), table.to_pandas()):
        assert list(found) == FIELDS
        assert str(found["time"].dtype) == "datetime64[ns, UTC]"
        assert found["time"][0] == pd.Timestamp(ARRIVAL, tz="UTC")
        assert found["src"].astype(object)[:2].tolist() == ["192.0.2.1", "2001:db8::1"]
        assert found["src"].isna().tolist() == [False, False, True]
        assert found["src_port"].isna().tolist() == [False, False, True]
        assert found["src_port"][:2].tolist() == [49152, 5353]
        assert found["tcp.syn_flag"][0]
        assert found["tcp.syn_flag"].isna().tolist() == [False, True, True]
        assert found["proto"].tolist() == [6, 17, 0]


def test_to_pandas_keeps_types(table: plt.Table) -> None:
    pytest.importorskip("pandas")
    types = {name: str(dtype) for name, dtype in table.to_pandas().dtypes.items()}
    assert types == {
        "time": "datetime64[ns, UTC]",
        "src": "category",
        "src_port": "UInt16",
        "tcp.syn_flag": "boolean",
        "proto": "uint8",
    }
    frame = table.to_pandas()
    frame.loc[0, "src_port"] = 1  # the table's own memory is not the frame's
    assert table["src_port"][0] == 49152


def test_to_pandas_of_every_column() -> None:
    """The same as pyarrow gives, of packets, flows and messages."""
    pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    tables = [
        plt.columns(TRACE, list(plt.column_fields())).table(),  # type: ignore[arg-type]
        plt.columns(TRACE, ["src"], addresses="binary", limit=50).table(),
        pldns.columns(TRACE, list(pldns.column_fields())).table(),  # type: ignore[arg-type]
        natkit.flows(TRACE).columns(),
        plt.columns(TRACE, filter="port 1").table(),
    ]
    for table in tables:
        found, expected = table.to_pandas(), pa.table(table)
        assert list(found) == expected.column_names
        assert len(found) == len(table)
        for name in table:
            assert found[name].isna().tolist() == expected[name].is_null().to_pylist(), name
            some = found[name].dropna()
            if table.schema[name] not in ("datetime[ns, UTC]", "duration[ns]"):
                assert some.tolist() == expected[name].drop_null().to_pylist(), name
            else:
                numbers = expected[name].drop_null().cast("int64").to_pylist()
                assert some.astype("int64").tolist() == numbers


def test_to_arrow_and_to_polars(table: plt.Table) -> None:
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    assert table.to_arrow().equals(pa.table(table))
    assert table.to_polars().equals(pl.DataFrame(table))


def test_rows_as_objects(table: plt.Table) -> None:
    rows = np.asarray(table)
    assert rows.shape == (3,)
    assert vars(rows[1])["src"] == "2001:db8::1"
    assert vars(rows[2]) == {
        "time": vars(rows[0])["time"], "src": None, "src_port": None, "tcp.syn_flag": None,
        "proto": 0,
    }  # fmt: skip


MISSING = """
import sys
for name in ("pyarrow", "pyarrow.parquet", "polars", "pandas"):
    sys.modules[name] = None
import plt
table = plt.columns(sys.argv[1], ["proto"]).table()
for call in (table.to_arrow, table.to_polars, table.to_pandas, lambda: table.write_parquet("x")):
    try:
        call()
    except ModuleNotFoundError as error:
        print(error)
"""


def test_a_library_that_is_missing_is_named(path: Path) -> None:
    run = pk.child(MISSING, path)
    assert run.stderr == ""
    assert run.stdout.splitlines() == [
        "this needs pyarrow: pip install 'python-libtrace[pyarrow]'",
        "this needs polars: pip install 'python-libtrace[polars]'",
        "this needs pandas: pip install 'python-libtrace[pandas]'",
        "this needs pyarrow or polars: pip install 'python-libtrace[pyarrow]'",
    ]


# --- Files ---------------------------------------------------------------------------------------


def test_parquet(table: plt.Table, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    name = tmp_path / "t.parquet"
    table.write_parquet(name, compression="zstd")
    assert parquet.read_table(name).equals(table.to_arrow())
    assert parquet.read_metadata(name).row_group(0).column(0).compression == "ZSTD"
    assert parquet.read_schema(name).field("src_port").metadata[b"source"] == b"transport header"
    into = io.BytesIO()
    table.write_parquet(into)
    assert parquet.read_table(io.BytesIO(into.getvalue())).equals(table.to_arrow())


def test_parquet_by_polars(table: plt.Table, monkeypatch: Any, tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    table.write_parquet(tmp_path / "t.parquet")
    assert pl.read_parquet(tmp_path / "t.parquet")["src"].to_list() == [
        "192.0.2.1",
        "2001:db8::1",
        None,
    ]


def test_csv(table: plt.Table, tmp_path: Path) -> None:
    expected = (
        "time,src,src_port,tcp.syn_flag,proto\n"
        f"{ARRIVAL}.000000000Z,192.0.2.1,49152,true,6\n"
        f"{ARRIVAL}.000000000Z,2001:db8::1,5353,,17\n"
        f"{ARRIVAL}.000000000Z,,,,0\n"
    )
    table.write_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == expected
    into = io.StringIO()
    table.write_csv(into)
    assert into.getvalue() == expected
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_csv_is_read_by_others(tmp_path: Path) -> None:
    pl, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    pd = pytest.importorskip("pandas")
    table = plt.columns(TRACE, ["time", "src", "wire_len"]).table()
    name = tmp_path / "t.csv"
    table.write_csv(name)
    total = 5758637  # by tshark: the sum of frame.len, and 4 bytes of FCS for each of 10,000
    assert pl.read_csv(name)["wire_len"].sum() == total
    assert duckdb.sql(f"select sum(wire_len) from '{name}'").fetchall() == [(total,)]
    times = pd.read_csv(name, parse_dates=["time"])["time"]
    assert times.astype("datetime64[ns, UTC]").astype("int64").tolist() == (
        table["time"].astype("int64").tolist()
    )
    with open(name, newline="") as file:
        assert len(list(csv.reader(file))) == 10_001


def test_csv_of_columns_of_all_kinds(tmp_path: Path) -> None:
    table = pldns.columns(TRACE, ["qname", "response_time", "src"], addresses="binary").table()
    table.write_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    at = int(np.flatnonzero(~table.mask("response_time"))[0])
    ns = int(table["response_time"][at].astype("int64"))
    assert rows[at]["response_time"] == f"{ns // 10**9}.{ns % 10**9:09d}"
    assert rows[at]["src"] == table["src"][at].tobytes().hex()
    assert [row["qname"] for row in rows] == [name or "" for name in table["qname"].tolist()]


def test_a_file_stays_what_it_was_where_writing_fails(
    table: plt.Table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow.parquet")
    (tmp_path / "t").write_text("as it was")
    with pytest.raises(TypeError):
        table.write_parquet(tmp_path / "t", nonsense=1)
    monkeypatch.setattr("plt._frames.cells", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        table.write_csv(tmp_path / "t")
    with pytest.raises(FileNotFoundError):
        table.write_csv(tmp_path / "nowhere" / "t")
    assert [p.name for p in tmp_path.iterdir()] == ["t"]
    assert (tmp_path / "t").read_text() == "as it was"


def test_a_fifo_is_written_to(table: plt.Table, tmp_path: Path) -> None:
    fifo, whole = tmp_path / "fifo", tmp_path / "t"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as read:
        table.write_csv(fifo)
        table.write_csv(whole)
        assert read.communicate(timeout=60)[0] == whole.read_bytes()
    assert fifo.is_fifo()


def test_parquet_to_a_fifo(table: plt.Table, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as read:
        table.write_parquet(fifo)
        content = read.communicate(timeout=60)[0]
    assert parquet.read_table(io.BytesIO(content)).equals(table.to_arrow())
    assert fifo.is_fifo()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_one(table: plt.Table, tmp_path: Path, there: bool) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "t.csv", tmp_path / "link.csv"
    if there:
        target.write_text("as it was")
    link.symlink_to("folder/t.csv")
    table.write_csv(link)
    assert link.is_symlink()
    assert target.read_text().startswith("time,src,")
    assert [p.name for p in target.parent.iterdir()] == ["t.csv"]


def test_standard_output_that_is_a_file_is_written_to(path: Path, tmp_path: Path) -> None:
    code = "import plt; plt.columns({!r}, ['proto']).table().write_csv('/proc/self/fd/1')"
    with open(tmp_path / "out", "wb") as out:
        subprocess.run([sys.executable, "-c", code.format(str(path))], stdout=out, check=True)
        assert os.path.samestat(os.fstat(out.fileno()), os.stat(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "proto\n6\n17\n0\n"


def test_modes_of_files_that_are_written(table: plt.Table, tmp_path: Path) -> None:
    """That of the file before, whatever the umask; of a new one what open() gives it."""
    new, ours = tmp_path / "new", tmp_path / "ours"
    new.touch()
    table.write_csv(ours)
    assert ours.stat().st_mode == new.stat().st_mode
    for mode in (0o640, 0o666):
        ours.chmod(mode)
        table.write_csv(ours)
        assert ours.stat().st_mode & 0o777 == mode


def test_errors_name_the_path_that_was_given(
    table: plt.Table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, error in (("nowhere/t", FileNotFoundError), ("t/t", NotADirectoryError)):
        (tmp_path / "t").touch()
        with pytest.raises(error) as raised:
            table.write_csv(tmp_path / name)
        assert raised.value.filename == str(tmp_path / name)
    monkeypatch.setattr(os, "replace", lambda part, _: os.rename(part, tmp_path / "no" / "t"))
    with pytest.raises(FileNotFoundError) as raised:
        table.write_csv(tmp_path / "t")
    assert (raised.value.filename, raised.value.filename2) == (str(tmp_path / "t"), None)
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


# --- Types ---------------------------------------------------------------------------------------


def test_the_names_in_the_types_are_those_of_the_columns() -> None:
    from typing import get_args  # noqa: PLC0415

    import pldns._names  # noqa: PLC0415
    import plt._names  # noqa: PLC0415

    assert list(get_args(plt._names.ColumnName)) == list(plt.column_fields())
    assert list(get_args(pldns._names.ColumnName)) == list(pldns.column_fields())


WRONG = """
import natkit, pldns, plt
plt.columns("t", ["time", "porto"])
pldns.columns("t", "qnam")
natkit.FlowTable().top(3, by="byte")
natkit.FlowTable().columns(["packet"])
plt.columns("t", addresses="bytes")
"""
RIGHT = """
import natkit, pldns, plt
plt.columns("t", ["time", "proto"], addresses="text")
pldns.columns("t", "qname")
natkit.FlowTable().top(3, by="duration_ns")
natkit.FlowTable().columns(["packets", "src_prefix", "first_time"])
"""


def test_wrong_names_are_errors_of_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    if "PLT_ASAN" in os.environ:
        pytest.skip("mypy is slow under the sanitizers, and no matter of theirs")
    installed = "PLT_INSTALLED" in os.environ
    env = os.environ | ({} if installed else {"MYPYPATH": str(TRACE.parents[2])})
    for name, text in (("wrong", WRONG), ("right", RIGHT)):
        (tmp_path / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)]
    command += ["--follow-imports", "silent", "wrong.py", "right.py"]
    run = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    found = [line.partition(": error: ") for line in run.stdout.splitlines() if ": error: " in line]
    assert [where for where, *_ in found] == [f"wrong.py:{n}" for n in range(3, 8)], run.stdout
