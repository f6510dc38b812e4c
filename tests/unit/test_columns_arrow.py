"""plt.columns() as Arrow, in the hands of pyarrow, polars, pandas and DuckDB."""

import contextlib
import ctypes
import gc
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import packets as pk
import pytest
from asan import by_size
from resident import resident

import natkit
import plt

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")

ALL = tuple(plt.column_fields())
TCP4 = pk.ethernet(pk.ipv4(pk.tcp(b"hello", ports=(49152, 443), flags=0x12), pk.TCP))
UDP6 = pk.ethernet(pk.ipv6(pk.udp(b"abc", ports=(5353, 53))), 0x86DD)
ARP = pk.ethernet(bytes(28), 0x0806)
MIXED = [TCP4, UDP6, ARP]
FIELDS = ("time", "src_prefix", "src_port", "tcp.syn_flag", "proto", "seconds")
#: What FIELDS hold of MIXED, a packet a row.
ROWS = [
    (pk.EPOCH * 10**9, "192.0.2.1", 49152, True, 6, pk.EPOCH),
    (pk.EPOCH * 10**9, str(ip_address(pk.V6[0])), 5353, None, 17, pk.EPOCH),
    (pk.EPOCH * 10**9, None, None, None, 0, pk.EPOCH),
]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return pk.write(tmp_path / "mixed", pk.pcap(MIXED))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Five packets, the last one cut."""
    return pk.write(tmp_path / "broken", pk.pcap([TCP4] * 5)[:-3])


def checked(table: "pa.Table") -> "pa.Table":
    """The table, after pyarrow has looked at every value of it."""
    table.validate(full=True)
    return table


def rows_of(table: "pa.Table") -> list[tuple[object, ...]]:
    """Its rows, times as nanoseconds."""
    columns = [
        (column.cast("int64") if pa.types.is_timestamp(column.type) else column).to_pylist()
        for column in table.columns
    ]
    return list(zip(*columns, strict=True))


# --- pyarrow -------------------------------------------------------------------------------------


def test_table_of_columns_of_a_table_and_of_a_batch(mixed: Path) -> None:
    columns = plt.columns(mixed, FIELDS)
    assert rows_of(checked(pa.table(columns))) == ROWS
    assert rows_of(checked(pa.table(columns))) == []  # each packet is given once
    table = plt.columns(mixed, FIELDS).table()
    assert rows_of(checked(pa.table(table))) == ROWS
    assert rows_of(checked(pa.table(table))) == ROWS
    batch = next(iter(plt.columns(mixed, FIELDS)))
    arrow = pa.record_batch(batch)
    arrow.validate(full=True)
    assert rows_of(pa.Table.from_batches([arrow])) == ROWS
    assert rows_of(checked(pa.table(batch))) == ROWS


def test_schema(mixed: Path) -> None:
    expected = pa.schema(
        [
            ("time", pa.timestamp("ns", "UTC")),
            ("src_prefix", pa.dictionary(pa.int32(), pa.string())),
            ("src_port", pa.uint16()),
            ("tcp.syn_flag", pa.bool_()),
            pa.field("proto", pa.uint8(), nullable=False),
            pa.field("seconds", pa.float64(), nullable=False),
        ]
    )
    columns = plt.columns(mixed, FIELDS)
    table = columns.table()
    assert pa.schema(columns) == pa.schema(table) == expected
    assert pa.table(table).schema == pa.table(plt.columns(mixed, FIELDS)).schema == expected


def test_types_of_all_columns(mixed: Path) -> None:
    table = plt.columns(mixed, ALL).table()
    arrow = checked(pa.table(table))
    assert arrow.column_names == list(ALL)
    for name in ALL:
        kind = table[name].dtype
        type_ = arrow.schema.field(name).type
        if kind.kind == "M":
            assert type_ == pa.timestamp("ns", "UTC")
        elif table[name].ndim == 2:
            assert type_ == pa.dictionary(pa.int32(), pa.string())
        elif kind.kind == "O":
            assert type_ == pa.utf8()
        else:
            assert type_ == pa.from_numpy_dtype(kind), name
        assert arrow[name].null_count == table.mask(name).sum()


def test_nulls_and_bools_across_the_borders_of_bytes(tmp_path: Path) -> None:
    """Bitmaps: every length up to some words, SYN set in every third, ARP every fifth packet."""
    kinds = [pk.ethernet(pk.ipv4(pk.tcp(flags=flags), pk.TCP)) for flags in (0x10, 0x02)]
    data = [ARP if n % 5 == 4 else kinds[n % 3 == 2] for n in range(131)]
    path = pk.write(tmp_path / "t", pk.pcap(data))
    expected = [None if n % 5 == 4 else n % 3 == 2 for n in range(131)]
    for size in range(131):
        batch = next(iter(plt.columns(path, ("tcp.syn_flag",), batch=size + 1)))
        column = pa.record_batch(batch)["tcp.syn_flag"]
        column.validate(full=True)
        assert column.to_pylist() == expected[: size + 1]
        assert column.null_count == expected[: size + 1].count(None)
    joined = checked(pa.table(plt.columns(path, ("tcp.syn_flag",), batch=9)))
    assert joined["tcp.syn_flag"].to_pylist() == expected


def test_numbers_are_not_copied(mixed: Path) -> None:
    batch = next(iter(plt.columns(mixed, ("time", "src_prefix", "src_port"), addresses="binary")))
    arrow = pa.record_batch(batch)
    for name in batch:
        assert arrow[name].buffers()[1].address == batch[name].ctypes.data


def test_stream_is_read_batch_by_batch(mixed: Path) -> None:
    trace = plt.trace(mixed)
    trace.start()
    reader = pa.RecordBatchReader.from_stream(plt.columns(trace, FIELDS, batch=1))
    assert reader.schema.names == list(FIELDS)
    assert rows_of(pa.Table.from_batches([reader.read_next_batch()])) == ROWS[:1]
    reader.close()
    assert next(trace).proto == 17


def test_several_sources(mixed: Path) -> None:
    arrow = checked(pa.table(plt.columns([mixed, mixed], FIELDS)))
    assert rows_of(arrow) == ROWS * 2
    assert arrow["proto"].num_chunks == 2
    assert rows_of(checked(pa.table(plt.columns([mixed, mixed], FIELDS).table()))) == ROWS * 2


def test_empty_and_without_columns(tmp_path: Path, mixed: Path) -> None:
    path = pk.write(tmp_path / "t", pk.pcap([]))
    for arrow in (pa.table(plt.columns(path, ALL)), pa.table(plt.columns(path, ALL).table())):
        assert checked(arrow).num_rows == 0
        assert arrow.column_names == list(ALL)
    assert pa.record_batch(next(iter(plt.columns(mixed, ())))).num_rows == 3


def test_parquet_there_and_back(mixed: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table(plt.columns(mixed, ALL)), tmp_path / "t.parquet")
    read = checked(parquet.read_table(tmp_path / "t.parquet"))
    assert read.equals(pa.table(plt.columns(mixed, ALL)))
    assert rows_of(read.select(FIELDS)) == ROWS


# --- Others --------------------------------------------------------------------------------------


def test_polars(mixed: Path) -> None:
    pl = pytest.importorskip("polars")
    columns, table = plt.columns(mixed, FIELDS), plt.columns(mixed, FIELDS).table()
    batch = next(iter(plt.columns(mixed, FIELDS)))
    series = pl.from_arrow(table)  # of structs, or a frame already: that is up to its version
    frames = [pl.DataFrame(source) for source in (columns, table, batch)]
    for frame in [*frames, series if isinstance(series, pl.DataFrame) else series.struct.unnest()]:
        assert frame.columns == list(FIELDS)
        assert frame["src_port"].to_list() == [row[2] for row in ROWS]
        assert frame["tcp.syn_flag"].to_list() == [row[3] for row in ROWS]
        assert frame["src_prefix"].to_list() == [row[1] for row in ROWS]
        assert frame["time"].to_physical().to_list() == [row[0] for row in ROWS]
        assert frame["proto"].dtype == pl.UInt8
    joined = pl.DataFrame(plt.columns([mixed] * 5, ("proto",), batch=2))
    assert joined["proto"].to_list() == [6, 17, 0] * 5


def test_pandas(mixed: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pa.table(plt.columns(mixed, FIELDS)).to_pandas()
    assert frame["src_port"].isna().tolist() == [False, False, True]
    assert frame["src_port"][:2].tolist() == [49152, 5353]
    assert frame["time"].tolist() == [pd.Timestamp(pk.EPOCH, unit="s", tz="UTC")] * 3
    if hasattr(pd.DataFrame, "from_arrow"):
        direct = pd.DataFrame.from_arrow(plt.columns(mixed, FIELDS))
        assert direct["proto"].tolist() == [6, 17, 0]


def test_duckdb(mixed: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        for source in (
            plt.columns([mixed] * 100, FIELDS),
            plt.columns([mixed] * 100, FIELDS).table(),
        ):
            connection.register("packets", source)
            rows = connection.execute(
                'select proto, count(*), count(src_port), max(src_port), bool_and("tcp.syn_flag") '
                "from packets group by proto order by proto"
            ).fetchall()
            assert rows == [(0, 100, 0, None, None), (6, 100, 100, 49152, True),
                            (17, 100, 100, 5353, None)]  # fmt: skip
            connection.unregister("packets")


# --- Threads, errors and lifetimes ---------------------------------------------------------------


def in_thread(work: Callable[[], object]) -> object:
    """What a function gives in another thread."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def test_stream_is_read_in_another_thread(mixed: Path) -> None:
    reader = pa.RecordBatchReader.from_stream(plt.columns([mixed] * 20, FIELDS, batch=1))
    first = rows_of(pa.Table.from_batches([reader.read_next_batch()]))
    rest = in_thread(reader.read_all)
    assert first + rows_of(checked(rest)) == ROWS * 20  # type: ignore[arg-type]


def test_what_one_thread_made_another_lets_go(mixed: Path) -> None:
    kept = [
        pa.table(plt.columns(mixed, FIELDS)),
        pa.RecordBatchReader.from_stream(plt.columns(mixed)),
    ]
    in_thread(lambda: [kept.pop() is None, kept.pop() is None, gc.collect()])
    assert kept == []
    assert rows_of(pa.table(plt.columns(mixed, FIELDS))) == ROWS


def test_stream_let_go_half_way(mixed: Path) -> None:
    trace = plt.trace(mixed)
    trace.start()
    reader = pa.RecordBatchReader.from_stream(plt.columns(trace, FIELDS, batch=1))
    batch = reader.read_next_batch()
    del reader
    assert [pkt.proto for pkt in trace] == [17, 0]
    trace.close()
    assert rows_of(pa.Table.from_batches([batch])) == ROWS[:1]


def test_capsules_that_nobody_takes(mixed: Path) -> None:
    columns = plt.columns(mixed, FIELDS)
    batch = next(iter(columns))
    for make in (
        columns.__arrow_c_stream__, columns.__arrow_c_schema__, batch.__arrow_c_array__,
        batch.__arrow_c_stream__, batch.__arrow_c_schema__,
    ):  # fmt: skip
        for _ in range(3):
            assert make()
    assert rows_of(pa.table(batch)) == ROWS


def test_array_outlives_all_else(mixed: Path) -> None:
    trace = plt.trace(mixed)
    trace.start()
    table = plt.columns(trace, FIELDS).table()
    column = pa.table(table)["src_port"]
    trace.close()
    del table, trace
    gc.collect()
    assert column.to_pylist() == [49152, 5353, None]
    column.validate(full=True)


def test_error_in_the_middle_of_a_stream(broken: Path) -> None:
    reader = pa.RecordBatchReader.from_stream(plt.columns(broken, FIELDS, batch=3))
    sizes = [reader.read_next_batch().num_rows, reader.read_next_batch().num_rows]
    assert sizes == [3, 1]
    with pytest.raises(OSError, match=r"broken: packet 5: the trace is cut within a packet"):
        reader.read_next_batch()
    with pytest.raises(OSError, match="packet 5"):
        pa.table(plt.columns(broken, FIELDS))


def test_error_has_the_whole_name(tmp_path: Path) -> None:
    """A long name, not all of it ASCII, one byte of it no UTF-8 at all."""
    folder = tmp_path / ("é" * 120) / ("ü" * 120) / "x\udcff"
    folder.mkdir(parents=True)
    path = pk.write(folder / "t", pk.pcap([TCP4] * 2)[:-1])
    reader = pa.RecordBatchReader.from_stream(plt.columns(path, FIELDS))
    assert reader.read_next_batch().num_rows == 1
    with pytest.raises(OSError, match=r"ü{120}/x\\udcff/t: packet 2: the trace is cut"):
        reader.read_next_batch()


@pytest.mark.parametrize("consumer", ["polars", "duckdb"])
def test_error_in_the_hands_of_others(consumer: str, broken: Path) -> None:
    module = pytest.importorskip(consumer)
    columns = plt.columns(broken, FIELDS, batch=2)
    read = {
        "polars": lambda: module.DataFrame(columns),
        "duckdb": lambda: module.from_arrow(columns).fetchall(),
    }[consumer]
    with pytest.raises(Exception, match="packet 5: the trace is cut"):
        read()


class Mute(Exception):
    """An error that has no words."""

    def __str__(self) -> str:
        raise ZeroDivisionError


def reader_before(error: BaseException, path: Path) -> Any:
    """What reads a stream of a batch without rows, and then an error; the batch was read."""

    def batches() -> Iterator[Any]:
        yield empty
        raise error

    empty = plt.columns(path, FIELDS)._empty
    reader = pa.RecordBatchReader._import_from_c_capsule(empty.arrow_c_stream(batches()))
    assert reader.read_next_batch().num_rows == 0
    return reader


@pytest.mark.parametrize(
    ("error", "becomes", "words"),
    [
        (ValueError(), OSError, r"ValueError\(\)"),
        (ValueError("of\udcff"), OSError, r"of\\udcff"),
        (Mute(), OSError, "Mute"),
        (MemoryError("all of it"), pa.ArrowMemoryError, "all of it"),
    ],
)
def test_what_becomes_of_errors(
    error: Exception, becomes: type[Exception], words: str, mixed: Path
) -> None:
    reader = reader_before(error, mixed)
    with pytest.raises(becomes, match=words):
        reader.read_next_batch()


def test_ctrl_c_comes_through_a_consumer_that_knows_no_exceptions(mixed: Path) -> None:
    reader = reader_before(KeyboardInterrupt(), mixed)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with contextlib.suppress(OSError):
            reader.read_next_batch()
        time.sleep(0)


def test_no_stream_but_of_batches(mixed: Path) -> None:
    empty = plt.columns(mixed, FIELDS)._empty
    reader = pa.RecordBatchReader._import_from_c_capsule(empty.arrow_c_stream([None]))
    with pytest.raises(OSError, match="none of batches"):
        reader.read_next_batch()
    with pytest.raises(TypeError):
        empty.arrow_c_stream(None)


# --- The C structs, as a consumer in C sees them -------------------------------------------------


class ArrowSchema(ctypes.Structure):
    pass


ArrowSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class ArrowArray(ctypes.Structure):
    pass


ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


def struct_of(capsule: object, name: bytes, kind: type[ctypes.Structure]) -> ctypes.Structure:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return kind.from_address(get(capsule, name))


def release(struct: ctypes.Structure) -> None:
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(struct.release)(ctypes.addressof(struct))


def moved(struct: ctypes.Structure) -> ctypes.Structure:
    """A struct moved as the specification says: copied, the old one marked as released."""
    copy = type(struct).from_buffer_copy(struct)
    struct.release = None
    return copy


def test_children_moved_out_outlive_their_parents(mixed: Path) -> None:
    batch = next(iter(plt.columns(mixed, FIELDS)))
    schema_capsule, array_capsule = batch.__arrow_c_array__()
    schema = struct_of(schema_capsule, b"arrow_schema", ArrowSchema)
    array = struct_of(array_capsule, b"arrow_array", ArrowArray)
    assert (schema.format, schema.n_children, array.n_children) == (b"+s", 6, 6)
    assert (array.length, array.null_count, array.n_buffers) == (3, 0, 1)
    port_schema, port = moved(schema.children[2][0]), moved(array.children[2][0])
    for struct in (schema, array):
        release(struct)
        assert not struct.release
    del batch, schema_capsule, array_capsule, schema, array
    gc.collect()
    assert (port_schema.name, port_schema.format, port_schema.flags) == (b"src_port", b"S", 2)
    assert (port.length, port.null_count, port.n_buffers) == (3, 1, 2)
    assert ctypes.c_uint8.from_address(port.buffers[0]).value & 7 == 0b011
    assert list((ctypes.c_uint16 * 3).from_address(port.buffers[1])) == [49152, 5353, 0]
    for struct in (port_schema, port):
        release(struct)
        assert not struct.release


def test_items_moved_out_of_a_list_outlive_it(tmp_path: Path) -> None:
    """The sizes of a flow's first packets: of 28 and 31 bytes, of IPv4 with UDP."""
    path = pk.write(
        tmp_path / "t", pk.pcap([pk.ethernet(pk.ipv4(pk.udp(b"x" * n))) for n in (0, 3)])
    )
    table = natkit.FlowTable(first=2)
    table.add_trace(path)
    batch = table.columns(["first_sizes"])._batches[0]
    schema_capsule, array_capsule = batch.arrow_c_array()
    schema = struct_of(schema_capsule, b"arrow_schema", ArrowSchema)
    array = struct_of(array_capsule, b"arrow_array", ArrowArray)
    item_schema = moved(schema.children[0][0].children[0][0])
    items = moved(array.children[0][0].children[0][0])
    for struct in (schema, array):
        release(struct)
    del table, batch, schema_capsule, array_capsule, schema, array
    gc.collect()
    assert (item_schema.format, items.length) == (b"I", 2)
    assert list((ctypes.c_uint32 * 2).from_address(items.buffers[1])) == [28, 31]
    for struct in (item_schema, items):
        release(struct)


def test_flags_of_the_schema(mixed: Path) -> None:
    capsule = plt.columns(mixed, FIELDS).__arrow_c_schema__()
    schema = struct_of(capsule, b"arrow_schema", ArrowSchema)
    children = [schema.children[n][0] for n in range(schema.n_children)]
    assert [child.name.decode() for child in children] == list(FIELDS)
    assert [child.format for child in children] == [b"tsn:UTC", b"i", b"S", b"b", b"C", b"g"]
    assert [child.flags for child in children] == [2, 2, 2, 2, 0, 0]


# --- Leaks ---------------------------------------------------------------------------------------


@by_size
def test_nothing_leaks(tmp_path: Path, broken: Path) -> None:
    """Fifty rounds of some 3 MB of columns each: what leaks shows."""
    path = pk.write(tmp_path / "t", pk.pcap(MIXED * 2000))

    def once() -> None:
        assert pa.table(plt.columns(path, ALL, batch=1000)).num_rows == 6000
        table = plt.columns(path, ALL).table()
        pa.table(table)
        table.__arrow_c_stream__()
        next(iter(plt.columns(path, ALL))).__arrow_c_array__()
        reader = pa.RecordBatchReader.from_stream(plt.columns(path, ALL, batch=1000))
        reader.read_next_batch()
        with pytest.raises(OSError, match="packet 5"):
            pa.table(plt.columns(broken, ALL, batch=2))

    for _ in range(5):
        once()
    gc.collect()
    before = resident()
    for _ in range(50):
        once()
    gc.collect()
    assert resident() - before < 20 << 20


def test_a_stream_may_be_left_to_the_end_of_the_interpreter(mixed: Path) -> None:
    program = f"""
        import ctypes, pyarrow as pa, plt
        columns = plt.columns({str(mixed)!r}, batch=1)
        reader = pa.RecordBatchReader.from_stream(columns)
        reader.read_next_batch()
        capsule = columns.__arrow_c_stream__()
        for kept in (reader, capsule):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("several", [False, True])
def test_who_takes_arrow_gets_large_batches(several: bool, tmp_path: Path) -> None:
    """They are kept, each with its own dictionaries, also those of files that threads read."""
    packet = pk.ethernet(pk.ipv4(pk.udp(b"")))
    path = pk.write(tmp_path / "trace", pk.pcap([pk.Record(packet)] * 70_000))
    paths = [path] * 2 if several else path
    arrow = pa.table(plt.columns(paths, ["src", "dst"], workers=2))
    sizes = [len(chunk) for chunk in arrow["src"].chunks]
    assert sum(sizes) == 140_000 if several else sizes == [65_536, 4_464]
    assert sizes[-2:] == [65_536, 4_464]
    few = pa.table(plt.columns(path, ["src", "dst"], batch=40_000))
    assert [len(chunk) for chunk in few["src"].chunks] == [40_000, 30_000]
