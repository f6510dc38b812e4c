"""Tables and batches as pickles and copies, of all modules that have them; malformed pickles."""

import copy
import pickle
import random
import struct
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

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)
TIME, BOOL, UINT16, ADDRESS, TEXT, INT8_LIST = 0, 1, 6, 10, 12, 15  # of enum column_kind


def question(name: bytes) -> bytes:
    """A DNS query for the address of a name of one label (RFC 1035 section 4.1)."""
    header = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0)
    return header + bytes([len(name)]) + name + b"\0" + struct.pack(">2H", 1, 1)


PACKETS = [
    pk.ethernet(pk.ipv4(pk.tcp(b"x", ports=(1024, 443), flags=2), pk.TCP)),
    pk.ethernet(bytes(28), 0x0806),
    pk.ethernet(pk.ipv4(pk.udp(question(b"example"), ports=(1024, 53)), pk.UDP)),
    pk.ethernet(pk.ipv6(pk.udp(b"short", ports=(1024, 53)), pk.UDP), 0x86DD),
    pk.ethernet(pk.ipv4(pk.udp(question(b"other"), ports=(1024, 53)), pk.UDP)),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pk.write(tmp_path_factory.mktemp("pickle") / "t", pk.pcap(PACKETS))


def plt_table(path: Path, addresses: Any = "auto") -> plt.Table:
    return plt.columns(
        [path, path], list(plt.column_fields()), workers=1, addresses=addresses
    ).table()


def pldns_table(path: Path) -> plt.Table:
    return pldns.columns([path, path], list(pldns.column_fields())).table()


def natkit_table(path: Path) -> plt.Table:
    table = natkit.FlowTable()
    table.add_trace(path)
    return table.columns()


TABLES = {"plt": plt_table, "pldns": pldns_table, "natkit": natkit_table}


def assert_same(one: plt.Table, other: plt.Table) -> None:
    assert type(one) is type(other)
    assert one._columns == other._columns
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert one[name].tolist() == other[name].tolist()
        assert one.mask(name).tolist() == other.mask(name).tolist()
    assert [len(batch) for batch in one._batches] == [len(batch) for batch in other._batches]


# --- There and back ------------------------------------------------------------------------------


def test_the_kinds_of_columns_that_are_tested(path: Path) -> None:
    """All that there are, with and without missing values."""
    kinds = {kind for make in TABLES.values() for _, kind in make(path)._columns}
    assert kinds == {*range(13)}
    table = pldns_table(path)
    assert table["qname"].tolist() == ["example.", None, "other."] * 2
    assert table.mask("qname").tolist() == [False, True, False] * 2


@pytest.mark.parametrize("package", TABLES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tables(package: str, protocol: int, path: Path) -> None:
    table = TABLES[package](path)
    back = pickle.loads(pickle.dumps(table, protocol))
    assert_same(back, table)
    for batch in back._batches:
        assert type(batch) is type(table._batches[0])
        assert type(batch).__module__ == f"{package}._{package}"


@pytest.mark.parametrize("package", TABLES)
def test_out_of_band(package: str, path: Path) -> None:
    table = TABLES[package](path)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(table, 5, buffer_callback=buffers.append)
    rows = table._batches[0]
    address = table.names.index(next(name for name, kind in table._columns if kind == ADDRESS))
    assert bytes(rows.values(address)) in [buffer.raw().tobytes() for buffer in buffers]
    for given in (buffers, [bytearray(b.raw()) for b in buffers], [b.raw() for b in buffers]):
        assert_same(pickle.loads(data, buffers=given), table)
    # what the owner of a buffer does to it later is not seen
    own = [bytearray(buffer.raw()) for buffer in buffers]
    back = pickle.loads(data, buffers=own)
    for buffer in own:
        buffer[:] = b"\xff" * len(buffer)
    assert_same(back, table)
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(data, buffers=buffers[:-1])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_batches(protocol: int, path: Path) -> None:
    for batch in plt.columns(path, batch=2):
        back = pickle.loads(pickle.dumps(batch, protocol))
        assert isinstance(back, plt.Batch)
        assert_same(back, batch)


def test_copies(path: Path) -> None:
    for make in TABLES.values():
        table = make(path)
        for copied in (copy.copy(table), copy.deepcopy(table)):
            assert_same(copied, table)
    (batch,) = plt.columns(path, ["time"])
    assert_same(copy.deepcopy(batch), batch)
    assert len(copy.copy(batch._batches[0])) == len(PACKETS)


def test_empty_and_without_columns(path: Path) -> None:
    empty = plt.columns(path, list(plt.column_fields()), filter="port 1").table()
    assert len(empty) == 0
    assert_same(pickle.loads(pickle.dumps(empty)), empty)
    bare = plt.columns(path, ()).table()
    assert len(pickle.loads(pickle.dumps(bare))) == len(PACKETS)


def test_arrow_takes_what_comes_back(path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    for make in TABLES.values():
        table = make(path)
        back = pa.table(pickle.loads(pickle.dumps(table)))
        back.validate(full=True)
        assert back.equals(pa.table(table))


def test_sizes(path: Path) -> None:
    """What a cluster goes by: some 3 bytes a row for a port and whether it is there."""
    batch = next(iter(plt.columns(path, ["src_port"])))
    room = 256  # of the first batch
    assert room * 3 < sys.getsizeof(batch._batches[0]) < room * 3 + 1000
    assert sys.getsizeof(batch) > sys.getsizeof(batch._batches[0])
    few = pickle.loads(pickle.dumps(batch))
    assert sys.getsizeof(few._batches[0]) < 1000


# --- Malformed pickles ---------------------------------------------------------------------------

make_plt: Callable[[Any], Any] = plt._plt._Batch._from_state
ORDER = sys.byteorder
#: Rows whose bytes are near the highest number of the machine.
LARGE = (sys.maxsize + 1) >> 6
PORTS = ("src_port", UINT16, struct.pack("=2H", 1, 0), b"\0\1", None)


def text(offsets: list[int], data: bytes, mask: bytes | None = None) -> tuple[Any, ...]:
    return ("qname", TEXT, struct.pack(f"={len(offsets)}i", *offsets), mask, data)


def state(*columns: Any, rows: Any = 2, version: Any = 2, order: Any = ORDER) -> tuple[Any, ...]:
    return version, order, rows, columns


def test_states_that_can_be() -> None:
    """What the ones below are made of is good."""
    assert plt.Batch(make_plt(state(PORTS))).masked("src_port").tolist() == [1, None]
    for columns, expected in (
        (text([0, 1, 3], "aé".encode()), ["a", "é"]),
        (text([0, 0, 3], b"abc", b"\1\0"), [None, "abc"]),
        (text([0, 0, 0], b""), ["", ""]),
    ):
        assert plt.Batch(make_plt(state(columns)))["qname"].tolist() == expected
    assert len(make_plt(state(rows=5))) == 5


def test_rows_of_columns_that_can_be() -> None:
    """Of texts and lists without any byte, with and without values that are missing."""
    for column, expected in (
        (text([0, 1, 3], "aé".encode()), ["é", "a"]),
        (text([0, 0, 3], b"abc", b"\1\0"), ["abc", None]),
        (text([0, 0, 0], b"", b"\1\0"), ["", None]),
        (text([0, 0, 0], b""), ["", ""]),
    ):
        batch = plt.Batch(make_plt(state(column)))
        assert batch[::-1]["qname"].tolist() == batch["qname"].tolist()[::-1] == expected
        assert batch[:0]["qname"].tolist() == []
    for offsets, items, mask, expected in (
        ([0, 1, 3], b"\1\2\3", None, [[2, 3], [1]]),
        ([0, 0, 2], b"\1\2", b"\1\0", [[1, 2], []]),
        ([0, 0, 0], b"", b"\0\0", [[], []]),
        ([0, 0, 0], b"", None, [[], []]),
    ):
        column = ("ways", INT8_LIST, struct.pack("=3i", *offsets), mask, items)
        batch = plt.Batch(make_plt(state(column)))
        found = batch[::-1]
        assert [list(array) for array in found["ways"]] == expected
        assert found.mask("ways").tolist() == batch.mask("ways").tolist()[::-1]


def test_texts_have_no_distinct_ones() -> None:
    batch = make_plt(state(text([0, 1, 2], b"aa")))
    assert batch.strings(0) == ["a", "a"]
    with pytest.raises(TypeError, match="column qname is none of texts"):
        batch.strings(0, True)


def test_protocols_before_the_first_and_after_the_last() -> None:
    """pickle asks with its own number only; who calls it may give any."""
    batch = make_plt(state(PORTS))
    for protocol, kind in ((-1, bytes), (0, bytes), (99, pickle.PickleBuffer)):
        columns = batch.__reduce_ex__(protocol)[1][0][3]
        assert {type(part) for part in columns[0][2:4]} == {kind}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "no tuple of 4"),
        ([], "no tuple of 4"),
        ((), "no tuple of 4"),
        ((2, ORDER, 2), "no tuple of 4"),
        (state(PORTS, version=1), "version 1, not 2"),
        (state(PORTS, version="2"), "version '2', not 2"),
        (state(PORTS, version=None), "version None"),
        (state(PORTS, version=1 << 100), "version 1"),
        (state(PORTS, order="big" if ORDER == "little" else "little"), "another byte order"),
        (state(PORTS, order=None), "another byte order"),
        (state(PORTS, rows=-1), "-1 is no number of rows"),
        (state(PORTS, rows=1 << 62), "is no number of rows"),
        (state(PORTS, rows=1 << 64), "is no number of rows"),
        (state(PORTS, rows=2.0), "2.0 is no number of rows"),
        (state(PORTS, rows=1), "4 bytes where 2 should be"),
        (state(PORTS, rows=3), "4 bytes where 6 should be"),
        (state(PORTS, rows=LARGE), f"4 bytes where {2 * LARGE} should be"),
        ((2, ORDER, 2, [PORTS]), "no tuple of up to 192 columns"),
        ((2, ORDER, 2, None), "no tuple of up to 192 columns"),
        (state(*[PORTS] * 193), "no tuple of up to 192 columns"),
        (state(None), "a column is no tuple of 5"),
        (state(PORTS[:4]), "a column is no tuple of 5"),
        (state(list(PORTS)), "a column is no tuple of 5"),
        (state((b"src_port", *PORTS[1:])), "no name of a column"),
        (state((None, *PORTS[1:])), "no name of a column"),
        (state(("", *PORTS[1:])), "no name of a column"),
        (state(("x" * 40, *PORTS[1:])), "no name of a column"),
        (state(("é" * 20, *PORTS[1:])), "no name of a column"),
        (state(("a\0b", *PORTS[1:])), "no name of a column"),
        (state(("\udcff", *PORTS[1:])), "no name of a column"),
        (state(("a", -1, *PORTS[2:])), "a: -1 is no kind"),
        (state(("a", 18, *PORTS[2:])), "a: 18 is no kind"),
        (state(("a", 1 << 70, *PORTS[2:])), "is no kind"),
        (state(("a", "6", *PORTS[2:])), "a: '6' is no kind"),
        (state(("a", UINT16, "ab", None, None)), "what should be bytes is none"),
        (state(("a", UINT16, None, None, None)), "what should be bytes is none"),
        (state(("a", UINT16, 4, None, None)), "what should be bytes is none"),
        (state(("a", UINT16, b"abc", None, None)), "3 bytes where 4 should be"),
        (state(("a", UINT16, b"", None, None)), "0 bytes where 4 should be"),
        (state(("a", ADDRESS, bytes(31), None, b"\4\4")), "31 bytes where 32 should be"),
        (state(("a", TIME, bytes(16), b"\0", None)), "1 bytes where 2 should be"),
        (state(("a", TIME, bytes(16), b"\0\0\0", None)), "3 bytes where 2 should be"),
        (state(("a", TIME, bytes(16), 5, None)), "what should be bytes is none"),
        (state(("a", TIME, bytes(16), b"\0\2", None)), "neither 0 nor 1"),
        (state(("a", TIME, bytes(15) + b"\1", b"\0\1", None)), "a missing value is not 0"),
        (state(("a", ADDRESS, bytes(31) + b"\1", b"\0\1", b"\4\0")), "a missing value is not 0"),
        (state(("a", BOOL, b"\1\2", None, None)), "neither 0 nor 1"),
        (state(("a", BOOL, b"\1\1", b"\0\1", None)), "a missing value is not 0"),
        (state(("a", BOOL, b"\1\1", None, b"")), "text goes with texts, versions with addresses"),
        (state((*text([0, 0, 0], b"")[:4], None)), "text goes with texts, versions with addresses"),
        (state((*text([0, 0, 0], b"")[:4], "")), "what should be bytes is none"),
        (state(("a", ADDRESS, bytes(32), None, None)), "versions with addresses"),
        (state(("a", ADDRESS, bytes(32), None, b"\4")), "1 bytes where 2 should be"),
        (state(("a", ADDRESS, bytes(32), None, b"\4\0")), "neither 4 nor 6"),
        (state(("a", ADDRESS, bytes(32), None, b"\4\5")), "neither 4 nor 6"),
        (state(("a", ADDRESS, bytes(32), b"\0\1", b"\4\4")), "of a missing address"),
        (state(("a", ADDRESS, bytes(20) + b"\1" + bytes(11), None, b"\4\4")), "more than 4"),
        (state(("a", UINT16, bytes(4), None, b"\4\4")), "versions with addresses"),
        (state(text([0, 0], b"")), "8 bytes where 12 should be"),
        (state(text([0, 0, 0, 0], b"")), "16 bytes where 12 should be"),
        (state(text([0, 2, 1], b"a")), "not within the text"),
        (state(text([0, 2, 1], b"ab")), "before the last one"),
        (state(text([1, 1, 2], b"ab")), "an offset"),
        (state(text([-1, 0, 2], b"ab")), "an offset"),
        (state(text([0, -5, 2], b"ab")), "an offset"),
        (state(text([0, 2**31 - 1, 2**31 - 1], b"ab")), "not within the text"),
        (state(text([0, 1, 3], b"ab")), "not within the text"),
        (state(text([0, 1, 1], b"ab")), "not the end of the text"),
        (state(text([0, 0, 0], b"a")), "not the end of the text"),
        (state(text([0, 1, 2], "é".encode())), "within a character"),
        (state(text([0, 1, 2], b"a\xff")), "no UTF-8"),
        (state(text([0, 1, 2], b"a\xc3")), "no UTF-8"),
        (state(text([0, 3, 3], b"\xed\xa0\x80")), "no UTF-8"),
        (state(text([0, 1, 2], b"ab", b"\0\1")), "a missing value has a text"),
    ],
)
def test_states_that_can_not_be(wrong: Any, message: str) -> None:
    for batch in (plt._plt._Batch, natkit._natkit._Batch, pldns._pldns._Batch):
        with pytest.raises(ValueError, match=f"no pickled columns: .*{message}"):
            batch._from_state(wrong)


def use(table: plt.Table) -> None:
    """All that reads a table; it must hold whatever is in it."""
    for name in table:
        assert len(table[name]) == len(table.mask(name)) == len(table)
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].table(table).validate(full=True)


@pytest.mark.parametrize("package", TABLES)
def test_states_changed_by_chance(package: str, path: Path) -> None:
    """ValueError, or a batch that can be used."""
    pytest.importorskip("pyarrow")
    batch = TABLES[package](path)._batches[0]
    make, (good,) = batch.__reduce_ex__(2)
    dice = random.Random(package)
    odd: list[Any] = [None, b"", b"\0", bytes(48), -1, 0, 1, 12, 1 << 31, 1 << 62, "", "x", (), []]
    refused = 0
    for _ in range(5000):
        columns = [list(column) for column in good[3]]
        for _ in range(dice.choice([1, 1, 2])):
            column = dice.choice(columns)
            at = dice.randrange(5)
            if isinstance(column[at], bytes) and column[at] and dice.random() < 0.8:
                changed = bytearray(column[at])
                changed[dice.randrange(len(changed))] = dice.choice([0, 1, 0x80, 0xFF])
                column[at] = bytes(changed[: dice.choice([None, None, None, -1])])
            else:
                column[at] = dice.choice(odd)
        rows = good[2] if dice.random() < 0.95 else dice.choice(odd)
        try:
            made = make((2, ORDER, rows, tuple(map(tuple, columns))))
        except ValueError:
            refused += 1
        else:
            use(plt.Batch(made))
    assert 1000 < refused < 4900


def test_tables_that_can_not_be(path: Path) -> None:
    one, other = (next(iter(plt.columns(path, [name])))._batches[0] for name in ("time", "proto"))
    for wrong in ([], [one, other], [other, one], [None], [one, None], [5]):
        with pytest.raises(ValueError, match="batches that have the same columns"):
            plt.Table(wrong)
    with pytest.raises(ValueError, match="batches that have the same columns"):
        plt.Batch(None)  # type: ignore[arg-type]


def test_a_stream_of_batches_that_are_not_alike() -> None:
    """Arrow's consumers go by the schema alone."""
    pa = pytest.importorskip("pyarrow")
    good = state(("a", UINT16, bytes(4), None, None))
    batch = make_plt(good)
    for other in (
        state(("a", TIME, bytes(16), None, None)),
        state(("b", UINT16, bytes(4), None, None)),
        state(("a", UINT16, bytes(4), bytes(2), None)),
        state(),
        state(*[("a", UINT16, bytes(4), None, None)] * 2),
    ):
        stream = batch.arrow_c_stream([make_plt(good), make_plt(other)])
        reader = pa.RecordBatchReader._import_from_c_capsule(stream)
        assert reader.read_next_batch().num_rows == 2
        with pytest.raises(OSError, match="columns are not the same"):
            reader.read_next_batch()


def test_the_other_type_of_a_module_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for other in (int, None, plt._plt._Batch):
        monkeypatch.setattr(plt._plt, "_Column", other)
        with pytest.raises(TypeError, match="_Column is another type"):
            make_plt(state(PORTS))
    monkeypatch.delattr(plt._plt, "_Column")
    with pytest.raises(AttributeError, match="_Column"):
        make_plt(state(PORTS))


NO_MEMORY = """
import pickle, sys
import _testcapi
import plt
batch = next(iter(plt.columns(sys.argv[1], ["time", "src"])))
for protocol in 2, 5:
    pickle.dumps(batch, protocol)
    for n in range(100):
        _testcapi.set_nomemory(n, n + 1)
        try:
            pickle.dumps(batch, protocol)
        except (MemoryError, pickle.PicklingError):  # the latter is what pickle makes of it
            pass
        finally:
            _testcapi.remove_mem_hooks()
"""


def test_memory_runs_out_while_pickling(tmp_path: Path) -> None:
    pytest.importorskip("_testcapi")
    path = pk.write(tmp_path / "t", pk.pcap([pk.ethernet(pk.ipv4())]))
    run = pk.child(NO_MEMORY, path)
    assert (run.returncode, run.stderr) == (0, "")
