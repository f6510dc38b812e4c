"""pldns.columns() of many files by threads and on Dask: what reading one after another would give,
though responses and TCP streams depend on the files before."""

import ctypes
import gc
import gzip
import io
import itertools
import os
import random
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pace
import pytest
from asan import forks
from dns_messages import CLIENT, MILLISECOND, framed, message, query, response, segment
from here import Here
from packets import Holder, Record, pcap, write

import pldns
import plt

np = pytest.importorskip("numpy")

pytestmark = pytest.mark.filterwarnings("default")  # Dask has some of its own

EVERY = [name for name in pldns.column_fields() if name not in ("ident", "is_response")]
THREADS = "plt-columns"
NAMES = itertools.count()


@pytest.fixture
def files(tmp_path: Path) -> Any:
    """Writes a file for each sequence of records."""

    def make(*parts: Sequence[Record]) -> list[Path]:
        return [write(tmp_path / f"{next(NAMES)}.pcap", pcap(part)) for part in parts]

    return make


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as connected,
    ):
        yield connected


def content(table: plt.Table) -> list[bytes | list[object]]:
    """Everything in a table: the values and the masks."""
    values = [table[name] for name in table]
    return [array.tolist() if array.dtype == object else array.tobytes() for array in values] + [
        table.mask(name).tobytes() for name in table
    ]


def milliseconds(batches: Iterable[plt.Table]) -> list[float | None]:
    """The response times of all rows."""
    found: list[float | None] = []
    for batch in batches:
        times = batch["response_time"].view("int64").tolist()
        missing = batch.mask("response_time").tolist()
        found += [None if m else t / MILLISECOND for t, m in zip(times, missing, strict=True)]
    return found


def events(columns: plt.Columns) -> list[Any]:
    """What iterating gives: the content of each batch, the words of each error."""
    found: list[Any] = []
    batches = iter(columns)
    while True:
        try:
            found.append(content(next(batches)))
        except plt.LibtraceError as error:
            found.append(str(error))
        except StopIteration:
            return found


def counted(path: Path, opened: list[Path]) -> os.PathLike[str]:
    """A path that notes when it is opened."""

    class Counted(os.PathLike[str]):
        def __fspath__(self) -> str:
            opened.append(path)
            return str(path)

    return Counted()


# --- Responses and their queries -----------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3, None])
def test_responses_match_queries_of_earlier_files(files: Any, workers: int | None) -> None:
    """A query in each file, its response in the next, 250 ms later; by arithmetic."""
    parts = [
        [query(n, f"n{n}.test", ident=n + 1)] + [response(n - 0.75, f"n{n - 1}.test", ident=n)] * n
        for n in range(6)
    ]
    paths = files(*parts)
    fields = ["id", "response_time"]
    expected: list[float | None] = []
    for n in range(6):  # the first response takes the query
        expected += [None, *[250.0, *[None] * 4][:n]]
    for batch in (1, 4, 1 << 16):
        columns = pldns.columns(paths, fields, workers=workers, batch=batch)
        assert milliseconds(columns) == expected
    assert milliseconds([pldns.columns(paths, fields, workers=workers).table()]) == expected


def test_queries_are_forgotten_over_files(files: Any) -> None:
    """After timeout seconds of the trace, and of 17 alike the earliest."""
    paths = files([query(0), query(1)], [response(9.5), response(12)], [response(12.5)])
    assert milliseconds(pldns.columns(paths, ["response_time"], workers=2, timeout=10)) == [
        None, None, 9500, None, None,
    ]  # fmt: skip
    many = files([query(n) for n in range(17)], [response(17)] * 17)
    found = milliseconds(pldns.columns(many, ["response_time"], workers=2, timeout=100))
    assert found[17:] == [1000.0 * n for n in range(16, 0, -1)] + [None]


def test_columns_that_matching_reads_are_not_given(files: Any) -> None:
    paths = files([query(0)], [response(1)])
    for fields in (["response_time"], ["query_time", "qname"], ["id", "response_time", "time"]):
        columns = pldns.columns(paths, fields, workers=2)
        assert [batch.names for batch in columns] == [fields, fields]
    table = pldns.columns(paths, ["query_time", "time"], workers=2).table()
    assert table["query_time"][1] == table["time"][0]
    with pytest.raises(ValueError, match="no column is named '_question'"):
        pldns.columns(paths, ["_question"])


# --- TCP streams ---------------------------------------------------------------------------------

LONG = message("long.test", ident=99, flags=0x8000, rest=b"y" * 900)


def ids(columns: plt.Columns) -> list[int]:
    return [one for batch in columns for one in batch["id"].tolist()]


def ids_of_each(columns: plt.Columns) -> list[object]:
    """The identifiers of all batches, and the errors among them."""
    found: list[object] = []
    batches = iter(columns)
    while True:
        try:
            found += next(batches)["id"].tolist()
        except plt.LibtraceError as error:
            found.append(error)
        except StopIteration:
            return found


def ids_of_tables(columns: plt.Columns) -> list[object]:
    """The same, by tables."""
    found: list[object] = []
    while True:
        try:
            found += columns.table()["id"].tolist()
        except plt.LibtraceError as error:
            found += [*getattr(error, "table", {})["id"].tolist(), error]
        else:
            return found


@pytest.mark.parametrize("way", ["threads", "cluster"])
def test_a_message_across_files(files: Any, way: str, request: Any) -> None:
    """Its second half begins no message, which is known of the first: the file is read again."""
    how = {"client": request.getfixturevalue("client")} if way == "cluster" else {"workers": 2}
    stream = framed(LONG, message(ident=1), message(ident=2))
    # what is left of the long message looks like the start of another
    trap = framed(message(ident=66))
    first = framed(message("trap.test", ident=5, rest=b"z" * 30 + trap))
    at = len(first) - len(trap)
    paths = files(
        [segment(stream[:400], 1), segment(first[:at], 1, ports=(CLIENT + 1, 53))],
        [segment(first[at:], 1 + at, ports=(CLIENT + 1, 53)), segment(stream[400:], 401)],
        [segment(framed(message(ident=3)), 1 + len(stream))],
    )
    assert ids(pldns.columns(paths, ["id"], batch=1, **how)) == [99, 5, 1, 2, 3]
    # the file alone begins with what looks like a message
    assert ids(pldns.columns(paths[1], ["id"])) == [66]


def test_many_streams_in_the_middle_of_a_file_read_ahead(files: Any) -> None:
    """One of a hundred depends on the file before; without it, all begin with a message."""
    stream = framed(LONG, message(ident=80))
    later = [segment(framed(message(ident=n)), 1, ports=(10_000 + n, 53)) for n in range(100)]
    later[80] = segment(stream[400:], 401, ports=(10_080, 53))
    paths = files([segment(stream[:400], 1, ports=(10_080, 53))], later)
    assert ids(pldns.columns(paths, ["id"], workers=2)) == [99, *range(100)]
    assert ids(pldns.columns(paths[1], ["id"])) == [n for n in range(100) if n != 80]


def test_half_a_length_at_the_end_of_a_file(files: Any) -> None:
    """The next file begins with what looks like a message: only the first tells that it is none.

    Its length is 0 0, then that of another is the rest: 0x22 of the length of 34, and 0 of the id.
    """
    whole = framed(message(ident=1))
    assert whole[:4] == b"\0\x22\0\1"
    paths = files([segment(whole + b"\0", 1)], [segment(whole, 2 + len(whole))])
    for workers in (1, 2):
        table = pldns.columns(paths, ["length"], workers=workers).table()
        assert table["length"].tolist() == [34, 0, 0x2200]


@pytest.mark.parametrize("addresses", ["text", "binary", "auto"])
def test_addresses_of_any_form_are_matched(files: Any, addresses: Any) -> None:
    paths = files([query(0)], [response(0.25)])
    fields = ["src_prefix", "response_time"]
    columns = pldns.columns(paths, fields, workers=2, addresses=addresses)
    assert milliseconds(columns) == [None, 250.0]


def test_only_files_that_depend_on_it_are_read_again(files: Any) -> None:
    """A stream that is at a message's start at the end of a file needs none of it."""
    whole = [framed(message(ident=n)) for n in range(4)]
    parts = []
    at = 1
    for one in whole:
        parts.append([segment(one, at)])
        at += len(one)
    parts[3] = [segment(whole[3][:1], parts[2][0].sec and at - len(whole[3]))]
    opened: list[Path] = []
    paths = files(*parts)
    sources = [counted(path, opened) for path in paths]
    assert ids(pldns.columns(sources, ["id"], workers=2)) == [0, 1, 2]
    # the last begins with half a length, which only the stream tells
    assert [opened.count(path) - opened.count(paths[0]) for path in paths] == [0, 0, 0, 1]


def test_rows_before_a_file_is_read_again_come_once(files: Any) -> None:
    """The batches before the one that depends on the earlier file were handed out already."""
    stream = framed(LONG, message(ident=1))
    before = [query(n / 100, ident=100 + n) for n in range(10)]
    after = [response(1, ident=100 + n) for n in range(10)]
    paths = files([segment(stream[:400], 1)], [*before, segment(stream[400:], 401), *after])
    expected = [99, *range(100, 110), 1, *range(100, 110)]
    for batch in (1, 3, 4, 100):
        columns = pldns.columns(paths, ["id", "response_time"], workers=2, batch=batch)
        batches = list(columns)
        assert [one for batch in batches for one in batch["id"].tolist()] == expected
        times = milliseconds(batches)
        assert times[:12] == [None] * 12
        assert times[12:] == [pytest.approx(1000 - n * 10) for n in range(10)]
        sizes = [len(one) for one in batches[1:]]
        assert sizes[:-1] == [batch] * (21 // batch - (21 % batch == 0))


def test_a_file_that_is_read_again_may_be_closed_half_way(files: Any) -> None:
    """By the thread that reads it again, which is that of the consumer."""
    stream = framed(LONG, message(ident=1))
    paths = files(
        [segment(stream[:400], 1)],
        [segment(stream[400:], 401), *[query(n, ident=100 + n) for n in range(10)]],
    )
    columns = pldns.columns(paths, ["id"], workers=2, batch=1)
    assert ids(itertools.islice(columns, 4)) == [99, 1, 100, 101]
    columns.close()
    assert list(columns) == []
    assert threads() == []


@pytest.mark.parametrize("limit", [1, 8, 11, 12, 15, 22, 30, None])
@pytest.mark.parametrize("batch", [1, 4, 100])
def test_a_limit_where_a_file_is_read_again(files: Any, limit: int | None, batch: int) -> None:
    """Of the file that is read again the rows that were handed out count once."""
    stream = framed(LONG, message(ident=1))
    before = [query(n / 100, ident=100 + n) for n in range(10)]
    after = [response(1, ident=100 + n) for n in range(10)]
    paths = files([segment(stream[:400], 1)], [*before, segment(stream[400:], 401), *after])
    expected = [99, *range(100, 110), 1, *range(100, 110)]
    how = {"limit": limit, "batch": batch, "client": Here()}
    assert ids(pldns.columns(paths, ["id", "response_time"], **how)) == expected[:limit]


def test_a_stream_without_rows_before_an_error(files: Any) -> None:
    """Only the file before tells that a message begins in the broken one."""
    first, second = framed(message(ident=1)), framed(message(ident=2))
    at = 1 + len(first)
    paths = files(
        [segment(first, 1)],
        [segment(second[:1], at), segment(second[1:], at + 1), query()],
        [query(ident=3)],
    )
    write(paths[1], paths[1].read_bytes()[:-3])
    for way in (ids_of_each, ids_of_tables):
        found = way(pldns.columns(paths, ["id"], workers=2))
        assert [one for one in found if isinstance(one, int)] == [1, 2, 3]
        assert f"{paths[1]}: packet 3: the trace is cut" in str(found[2])


# --- The same as one after another ---------------------------------------------------------------


def traffic(chance: random.Random, count: int) -> list[Record]:
    """Queries, responses and streams of TCP, some segments of which are lost or sent again."""
    streams = [
        [message(f"s{n}.test", ident=n, rest=b"x" * chance.randrange(400)) for _ in range(50)]
        for n in range(4)
    ]
    wires = [framed(*stream) for stream in streams]
    places = [0] * len(wires)
    records: list[Record] = []
    for n in range(count):
        what = chance.random()
        name, ident = f"q{n % 9}.test", n % 9
        if what < 0.3:
            records.append(query(n / 100, name, ident=ident))
        elif what < 0.6:
            records.append(response(n / 100, name, ident=ident))
        else:
            k = chance.randrange(len(wires))
            size = chance.choice([1, 2, 40, 300, 1400])
            again = min(places[k], chance.choice([0, 0, 0, 7]))
            data = wires[k][places[k] - again : places[k] + size]
            if data and chance.random() < 0.95:
                sequence = 1 + places[k] - again
                records.append(segment(data, sequence, ports=(CLIENT + k, 53)))
            places[k] += size
    return records


@pytest.mark.parametrize("seed", range(25))
def test_what_one_thread_would_give(tmp_path: Path, seed: int) -> None:
    """Batch by batch and error by error; and of whole files what one file of all would give."""
    chance = random.Random(seed)
    records = traffic(chance, 300)
    borders = sorted(chance.randrange(len(records)) for _ in range(chance.randrange(1, 8)))
    paths = []
    broken = chance.random() < 0.5
    for n, (start, end) in enumerate(itertools.pairwise([0, *borders, len(records)])):
        data = pcap(records[start:end])
        if broken and n > 0 and chance.random() < 0.3:
            data = data[:-3]
        if chance.random() < 0.3:
            data = gzip.compress(data)
        paths.append(write(tmp_path / f"{n}", data))
    batch = chance.choice([1, 5, 64, 1 << 16])
    workers = chance.randrange(2, 5)
    expected = events(pldns.columns(paths, EVERY, batch=batch, workers=1))
    assert events(pldns.columns(paths, EVERY, batch=batch, workers=workers)) == expected
    if not broken:
        one = write(tmp_path / "one", pcap(records))
        whole = content(pldns.columns(one, EVERY).table())
        assert content(pldns.columns(paths, EVERY, workers=workers).table()) == whole
        some = pldns.columns(paths, EVERY, batch=7, workers=workers)
        head = [next(iter(some)) for _ in range(2)]
        rest = some.table()
        for name in EVERY:
            joined = np.concatenate([*(part[name] for part in head), rest[name]])
            assert joined.tolist() == pldns.columns(one, [name]).table()[name].tolist()


def test_on_a_cluster(client: Any, tmp_path: Path) -> None:
    for seed in range(3):
        records = traffic(random.Random(100 + seed), 200)
        paths = [
            write(tmp_path / f"{seed}-{n}", pcap(records[n * 25 : n * 25 + 25])) for n in range(8)
        ]
        write(paths[5], paths[5].read_bytes()[:-3])
        for batch in (4, 1 << 16):
            expected = events(pldns.columns(paths, EVERY, batch=batch, workers=1))
            assert events(pldns.columns(paths, EVERY, batch=batch, client=client)) == expected
        for limit in (0, 1, 50, 77):
            limited = pldns.columns(paths[:5], EVERY, limit=limit, client=client).table()
            assert content(limited) == content(pldns.columns(paths[:5], EVERY, limit=limit).table())
    with pytest.raises(TypeError, match="no traces that are open here"):
        pldns.columns([plt.trace(paths[0])], client=client)


def test_traces_and_pipes_among_files(files: Any, tmp_path: Path) -> None:
    """Read in their turn by the caller, with what the files before them left."""
    parts = [[query(n, ident=n), *([response(n, ident=n - 1)] if n else [])] for n in range(6)]
    paths = files(*parts)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    feeder = threading.Thread(target=fifo.write_bytes, args=(paths[3].read_bytes(),))
    with plt.trace(paths[1]) as trace:
        sources = [paths[0], trace, paths[2], fifo, *paths[4:]]
        columns = pldns.columns(sources, ["response_time"], workers=3)
        feeder.start()
        assert milliseconds(columns) == [None, *[None, 1000] * 5]
    feeder.join()


# --- Limits, errors, the end ---------------------------------------------------------------------


def test_limit_is_of_all_sources_together(files: Any) -> None:
    paths = files(*([query(n, ident=n * 5 + k) for k in range(5)] for n in range(4)))
    for limit in (0, 1, 5, 6, 19, 20, 21):
        columns = pldns.columns(paths, ["id"], limit=limit, batch=3)
        assert ids(columns) == list(range(min(limit, 20)))


def test_errors_name_the_file(files: Any) -> None:
    """What came before, the error, then the next file."""
    paths = files(*([query(n, ident=n * 2 + k) for k in range(2)] for n in range(4)))
    write(paths[1], paths[1].read_bytes()[:-3])
    paths[2].unlink()
    for workers in (1, 3):
        batches = iter(pldns.columns(paths, ["id"], workers=workers))
        assert [next(batches)["id"].tolist() for _ in range(2)] == [[0, 1], [2]]
        with pytest.raises(plt.LibtraceError, match=f"{paths[1]}: packet 2: the trace is cut"):
            next(batches)
        with pytest.raises(plt.LibtraceError, match=f"{paths[2]}: No such file"):
            next(batches)
        assert [batch["id"].tolist() for batch in batches] == [[6, 7]]
        columns = pldns.columns(paths, ["id"], workers=workers)
        with pytest.raises(plt.LibtraceError, match=f"{paths[1]}: packet 2") as caught:
            columns.table()
        assert caught.value.table["id"].tolist() == [0, 1, 2]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"workers": 0}, ValueError, "workers must be 1 or more, not 0"),
        ({"workers": "2"}, TypeError, "integer"),
        ({"batch": 0}, ValueError, "a batch has at least one row"),
        ({"limit": -1}, ValueError, "limit must be 0 or more"),
        ({"filter": 5}, TypeError, r"filter must be a plt\.filter or an expression, not int"),
    ],
)
def test_arguments_that_can_not_be(files: Any, keywords: Any, error: Any, words: str) -> None:
    """The words are those of plt.columns()."""
    paths = files([query()], [query()])
    for package in (plt, pldns):
        with pytest.raises(error, match=words):
            package.columns(paths, **keywords)


def long_files(tmp_path: Path) -> list[Path]:
    """Files that take a while to read: a message each of many packets, compressed."""
    one = pcap([query(n / 1000, ident=n) for n in range(20_000)])
    content = gzip.compress(one[:24]) + gzip.compress(one[24:], 1) * 40
    return [write(tmp_path / f"long{n}", content) for n in range(3)] * 10


def threads() -> list[threading.Thread]:
    return pace.threads(THREADS)


def test_close_ends_the_threads(tmp_path: Path) -> None:
    columns = pldns.columns(long_files(tmp_path), workers=3, batch=100)
    assert len(next(iter(columns))) == 100
    assert len(threads()) == 3
    columns.close()
    assert threads() == []
    assert list(columns) == []


def test_dropped_columns_end_the_threads(tmp_path: Path) -> None:
    for _ in pldns.columns(long_files(tmp_path), workers=3, batch=100):
        break
    pace.wait_until(lambda: not threads())


def test_an_interrupt_between_two_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read ahead is lost then, and nothing comes after a gap."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for how in ({"workers": 3}, {"client": Here()}):
        columns = pldns.columns(long_files(tmp_path)[:4], batch=100, **how)
        batches = iter(columns)
        assert len(next(batches)) == 100
        with monkeypatch.context() as patch:
            patch.setattr("pldns._columns._InOrder._in_order", interrupted)
            with pytest.raises(KeyboardInterrupt):
                next(batches)
        assert list(batches) == []
        assert threads() == []


def child(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=pace.NEVER,
    )


def test_the_interpreter_ends_while_threads_read(tmp_path: Path) -> None:
    """Also where something of the user's still waits for the threads then."""
    program = """
import sys, pldns
columns = pldns.columns(sys.argv[1:], workers=3, batch=100)
print(len(next(iter(columns))))
"""
    run = child(program, *long_files(tmp_path))
    assert (run.returncode, run.stdout, run.stderr) == (0, "100\n", "")


@forks
def test_a_forked_process_is_told(tmp_path: Path) -> None:
    """It has no threads: what was read before may come, then an error; the parent reads on."""
    program = """
import os, sys, pldns, plt
columns = iter(pldns.columns(sys.argv[1:], ["id"], workers=2, batch=10))
count = len(next(columns))
if child := os.fork():
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(count + sum(map(len, columns)), status)
else:
    try:
        for batch in columns:
            count += len(batch)
    except plt.LibtraceError as error:
        os._exit(7 if "process that was forked" in str(error) and count < 6000 else 1)
    os._exit(2)
"""
    records = [query(n / 1000, ident=n) for n in range(2000)]
    paths = [write(tmp_path / f"{n}", pcap(records)) for n in range(20)]
    run = child(program, *paths)
    assert (run.stdout.split(), run.stderr) == (["40000", "7"], "")


# --- The parts in C ------------------------------------------------------------------------------


def test_the_parts_in_c_used_wrongly(files: Any) -> None:
    (path,) = files([query(0), response(1)])
    matcher = pldns._pldns._Matcher(10**10, bytes(16), True)
    for wrong in (b"x" * 47, "x" * 48, None):
        for use in (matcher.agrees, matcher.add_streams):
            with pytest.raises(ValueError, match="no streams of a matcher"):
                use(wrong)  # type: ignore[arg-type]
    reader = pldns._pldns._ColumnReader(
        path, ("id", "time"), None, -1, 10, plt._plt._KIND_ADDRESS, (53,), matcher
    )
    batch = next(reader)
    for count in (-1, 1, 3):
        with pytest.raises(ValueError, match="not the columns that matching reads"):
            matcher.match(batch, count)
    with pytest.raises(TypeError):
        matcher.match(5, 1)  # type: ignore[arg-type]
    assert matcher.streams() == matcher.assumed() == b""
    for rows in (-1, "2", 1.5):
        with pytest.raises((OverflowError, TypeError)):
            reader.skip(rows)  # type: ignore[arg-type]
    write(path, path.read_bytes()[:-1])
    reader = pldns._pldns._ColumnReader(
        path, ("id",), None, -1, 10, plt._plt._KIND_ADDRESS, (53,), matcher
    )
    with pytest.raises(plt.LibtraceError, match="packet 2: the trace is cut within a packet"):
        reader.skip(100)


def test_a_matcher_in_c_made_wrongly() -> None:
    with pytest.raises(TypeError):
        pldns._pldns._Matcher()  # type: ignore[call-arg]
    for timeout, seed in ((-1, bytes(16)), (1, bytes(15)), (1, bytes(17))):
        with pytest.raises(ValueError, match="timeout of 0 or more, and a seed of 16 bytes"):
            pldns._pldns._Matcher(timeout, seed)


def reader_in_c(source: Any, **how: Any) -> pldns._pldns._ColumnReader:
    """Of ids, all that there are, unless it is said otherwise."""
    given = {
        "names": ("id",),
        "limit": -1,
        "batch": 10,
        "kind": plt._plt._KIND_ADDRESS,
        "ports": (53,),
        "matcher": pldns._pldns._Matcher(10**10, bytes(16)),
    } | how
    names, limit, batch, kind, ports, matcher = given.values()
    return pldns._pldns._ColumnReader(source, names, None, limit, batch, kind, ports, matcher)


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"names": ("id", "nothing")}, ValueError, "no column is named nothing"),
        ({"names": ("qname", "qname")}, ValueError, "qname"),  # there is room for one text
        ({"names": ["id"]}, TypeError, "tuple"),
        ({"batch": 0}, ValueError, "at least one row"),
        ({"kind": 0}, ValueError, "0 is no kind of addresses"),
        ({"ports": (65536,)}, ValueError, "ports are 0 to 65535, not 65536"),
        ({"ports": (53, -1)}, ValueError, "ports are 0 to 65535, not -1"),
        ({"ports": (1 << 80,)}, OverflowError, "too large"),
        ({"ports": ("53",)}, TypeError, "integer"),
        ({"matcher": None}, TypeError, "_Matcher"),
    ],
)
def test_a_reader_in_c_made_wrongly(
    how: dict[str, Any], error: type[Exception], words: str, files: Any
) -> None:
    (path,) = files([query(0)])
    with pytest.raises(error, match=words):
        reader_in_c(path, **how)


def test_a_plt_with_another_version_of_its_c_interface_is_refused(
    files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are installed at once, but a folder of an older one may come first."""
    (path,) = files([query(0)])
    capsule = ctypes.c_char_p(b"plt._plt._C_API")  # its name, which the capsule points to
    version = ctypes.c_int(1)
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    with monkeypatch.context() as other:
        other.setattr(plt._plt, "_C_API", new(ctypes.addressof(version), capsule, None))
        with pytest.raises(ImportError, match=r"plt\._plt has version 1 of its C interface"):
            pldns.columns(path, "id").table()
    with monkeypatch.context() as other:
        other.setitem(sys.modules, "plt._plt", None)
        with pytest.raises(ImportError, match=r"plt\._plt"):
            reader_in_c(path)
    for name in ("_C_API", "LibtraceError", "trace"):
        with monkeypatch.context() as other:
            other.delattr(plt._plt, name)
            with pytest.raises(AttributeError, match=name):
                reader_in_c(path)
    assert len(pldns.columns(path, "id").table()) == 1


def test_a_matcher_is_not_to_be_asked_while_messages_are_read() -> None:
    """As another thread might; here it is the source that asks."""
    content = pcap([query(n, ident=n) for n in range(3)])
    data = io.BytesIO(content)
    matcher = pldns._pldns._Matcher(10**10, bytes(16), True)
    batch = next(reader_in_c(io.BytesIO(content)))
    told: list[str] = []

    class Source:
        def read(self, size: int) -> bytes:
            for use in uses:
                try:
                    use()
                except Exception as error:
                    told.append(f"{type(error).__name__}: {error}")
                else:
                    told.append("done")
            return data.read(min(size, 50))

    uses: list[Callable[[], object]] = []
    reader = reader_in_c(Source(), matcher=matcher)
    uses += [
        matcher.assumed,
        matcher.streams,
        lambda: matcher.agrees(b""),
        lambda: matcher.add_streams(b""),
        lambda: matcher.match(batch, 1),
        reader.__next__,
        reader.rest,
        reader.close,
    ]
    assert len(next(reader)) == 3
    matcher_is_busy = "RuntimeError: this is in use by another thread"
    reader_is_busy = "LibtraceError: these columns are in use by another thread"
    assert told[:8] == [matcher_is_busy] * 5 + [reader_is_busy] * 3
    assert matcher.agrees(b"")


def test_a_source_that_holds_its_reader_is_collected() -> None:
    data = io.BytesIO(pcap([query(0)]))
    source = Holder((data, {}))
    source[1]["reader"] = reader_in_c(source)
    gone = weakref.ref(data)
    del source, data
    gc.collect()
    assert gone() is None
