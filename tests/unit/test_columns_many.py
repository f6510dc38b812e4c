"""plt.columns() of many files by threads: what it gives, how far ahead it reads, how it ends."""

import gc
import gzip
import itertools
import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pace
import packets as pk
import pytest
from asan import forks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import wait_until

import pldns
import plt
from plt._inorder import InThreads

np = pytest.importorskip("numpy")

#: For what never opens a source.
UNREAD: Any = None

THREADS = "plt-columns"


def numbered(start: int, count: int) -> list[bytes]:
    """Packets whose source ports count up; every third is of TCP, the others of UDP."""
    made = []
    for port in range(start, start + count):
        ports = (port, 53)
        made.append(
            pk.ipv4(pk.tcp(ports=ports), pk.TCP)
            if port % 3 == 0
            else pk.ipv4(pk.udp(ports=ports), pk.UDP)
        )
    return [pk.ethernet(packet) for packet in made]


def pcapng(packets: list[bytes]) -> bytes:
    return pk.section() + pk.interface() + b"".join(map(pk.enhanced, packets))


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[Path]]:
    """Writes so many files of so many packets; the source ports count up through all of them."""

    def write(count: int, each: int) -> list[Path]:
        return [
            pk.write(tmp_path / f"{n:03}.pcap", pk.pcap(numbered(n * each, each)))
            for n in range(count)
        ]

    return write


def ports(table: plt.Table) -> list[int]:
    found: list[int] = table["src_port"].tolist()
    return found


def all_ports(batches: Iterable[plt.Table]) -> list[int]:
    return [port for batch in batches for port in ports(batch)]


def events(columns: plt.Columns) -> list[list[int] | str]:
    """What iterating gives: the ports of each batch, the words of each error; reading goes on."""
    found: list[list[int] | str] = []
    batches = iter(columns)
    while True:
        try:
            found.append(ports(next(batches)))
        except plt.LibtraceError as error:
            found.append(str(error))
        except StopIteration:
            return found


def tables(columns: plt.Columns) -> list[list[int] | str]:
    """The same of table(), until there is no error."""
    found: list[list[int] | str] = []
    while True:
        try:
            found.append(ports(columns.table()))
        except plt.LibtraceError as error:
            found += [ports(getattr(error, "table", None)), str(error)]
        else:
            return found


def threads() -> list[threading.Thread]:
    return pace.threads(THREADS)


def wait_until_threads_wait() -> None:
    for thread in threads():
        pace.wait_until_it_waits(thread=thread.native_id)


def open_files() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:  # the folder's own
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No thread and no open trace behind any test, and no garbage needed for that."""
    before = open_files()
    gc.disable()
    try:
        yield
        wait_until(lambda: not threads())
        assert sorted(open_files()) == sorted(before)
    finally:
        gc.enable()


# --- The same as one after another ---------------------------------------------------------------

SOURCE = st.tuples(
    st.sampled_from(["pcap", "pcapng", "gz", "trace"]),
    st.integers(0, 40),  # packets
    st.sampled_from(["whole", "whole", "whole", "cut", "missing", "no trace"]),
)


@given(
    sources=st.lists(SOURCE, min_size=1, max_size=9),
    workers=st.integers(2, 5),
    batch=st.sampled_from([1, 3, 7, 1 << 16]),
    only_udp=st.booleans(),
    as_table=st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_one_thread_would_give(
    sources: list[tuple[str, int, str]], workers: int, batch: int, only_udp: bool, as_table: bool
) -> None:
    """By arithmetic: the ports of each file in batches, then the error of the file."""
    with tempfile.TemporaryDirectory() as folder:
        given: list[Path | str | plt.trace] = []
        expected: list[tuple[list[int], str]] = []
        for n, (form, count, state) in enumerate(sources):
            path = Path(folder) / f"{n}"
            known = list(range(n * 100, n * 100 + count))
            packets = numbered(n * 100, count)
            content = pcapng(packets) if form == "pcapng" else pk.pcap(packets)
            error = ""
            if state == "cut" and count:
                content, known, error = content[:-3], known[:-1], f"/{n}: packet {count}: "
            if state == "missing" and n > 0 and form != "trace":
                known, error = [], "No such file"
            elif state == "no trace" and n > 0 and form != "trace":
                pk.write(path, b"What is this?" * 9)
                known, error = [], f"/{n}: no trace of a format that is known"
            else:
                pk.write(path, gzip.compress(content) if form == "gz" else content)
            given.append(plt.trace(path) if form == "trace" else path)
            if isinstance(given[-1], plt.trace):
                given[-1].start()
            expected.append(([p for p in known if p % 3 or not only_udp], error))
        columns = plt.columns(
            given, ("src_port",), filter="udp" if only_udp else None, batch=batch, workers=workers
        )
        found = tables(columns) if as_table else events(columns)
        for trace in given:
            if isinstance(trace, plt.trace):
                trace.close()
    wanted: list[list[int] | str] = [[]] if as_table else []
    for rows, error in expected:
        if as_table:
            wanted[-1] += rows  # type: ignore[operator]
            wanted += [error, []] if error else []
        else:
            wanted += [rows[at : at + batch] for at in range(0, len(rows), batch)]
            wanted += [error] if error else []
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        assert got == want or (isinstance(got, str) and isinstance(want, str) and want in got)


@pytest.mark.parametrize("workers", [None, 1, 2, 3, 50])
def test_workers(workers: int | None, files: Callable[..., list[Path]]) -> None:
    paths = files(12, 5)
    columns = plt.columns(paths, ("src_port",), batch=2, workers=workers)
    found = [ports(batch) for batch in columns]
    assert [len(batch) for batch in found] == [2, 2, 1] * 12
    assert [port for batch in found for port in batch] == list(range(60))
    assert ports(plt.columns(paths, ("src_port",), workers=workers).table()) == list(range(60))


def test_workers_are_a_number_from_1(files: Callable[..., list[Path]]) -> None:
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"workers must be 1 or more, not {wrong}"):
            plt.columns(files(2, 1), workers=wrong)
    for none in ("2", 1.5):
        with pytest.raises(TypeError):
            plt.columns(files(2, 1), workers=none)  # type: ignore[arg-type]


def test_one_source_or_one_worker_needs_no_thread(files: Callable[..., list[Path]]) -> None:
    paths = files(3, 4)
    for columns, first in (
        (plt.columns(paths[0], batch=1, workers=4), 1),
        (plt.columns(paths, batch=1, workers=1), 1),
        (plt.columns(paths, batch=1, workers=4, limit=2), 1),
        (plt.columns(paths, batch=1, workers=4), 0),  # nothing is asked for
    ):
        assert sum(len(next(iter(columns))) for _ in range(first)) == first
        assert threads() == []


def test_table_behind_some_batches(files: Callable[..., list[Path]]) -> None:
    columns = plt.columns(files(9, 10), ("src_port",), batch=3, workers=3)
    batches = iter(columns)
    first = [ports(next(batches)) for _ in range(6)]
    assert first[-1] == [13, 14, 15]  # 10 rows are four batches
    assert ports(columns.table()) == list(range(16, 90))
    assert list(batches) == []
    assert len(columns.table()) == 0


def test_table_has_few_batches(files: Callable[..., list[Path]]) -> None:
    table = plt.columns(files(5, 10), ("src_port",), batch=3, workers=2).table()
    assert len(table._batches) == 5
    assert ports(table) == list(range(50))


def test_arrow(files: Callable[..., list[Path]]) -> None:
    pa = pytest.importorskip("pyarrow")
    paths = files(6, 10)
    table = pa.table(plt.columns(paths, ("src_port", "time"), batch=4, workers=3))
    assert table["src_port"].to_pylist() == list(range(60))
    assert table["src_port"].num_chunks == 18
    reader = pa.RecordBatchReader.from_stream(
        plt.columns([*paths[:2], paths[0].with_name("gone")], ("src_port",), workers=3)
    )
    assert [reader.read_next_batch().num_rows for _ in range(2)] == [10, 10]
    with pytest.raises(OSError, match="gone: No such file"):
        reader.read_next_batch()


def test_polars(files: Callable[..., list[Path]]) -> None:
    pl = pytest.importorskip("polars")
    columns = plt.columns(files(6, 10), ("src_port",), batch=4, workers=3)
    assert pl.DataFrame(columns)["src_port"].to_list() == list(range(60))


def test_a_first_source_that_can_not_be_read(files: Callable[..., list[Path]]) -> None:
    paths = files(2, 1)
    with pytest.raises(plt.LibtraceError, match="Couldn't start trace"):
        plt.columns([paths[0].with_name("gone"), *paths], workers=2)


def test_sources_that_are_none(files: Callable[..., list[Path]]) -> None:
    """TypeError in its turn, then the next."""
    paths = files(2, 3)
    batches = iter(plt.columns([paths[0], 5, paths[1]], ("src_port",), workers=3))  # type: ignore[list-item]
    assert ports(next(batches)) == [0, 1, 2]
    with pytest.raises(TypeError):
        next(batches)
    assert [ports(batch) for batch in batches] == [[3, 4, 5]]


def test_a_filter_that_does_not_parse(files: Callable[..., list[Path]]) -> None:
    """An error for each source, as one thread has it."""
    columns = plt.columns(files(4, 3), ("src_port",), filter="tcp prt 3", workers=2)
    assert len(found := events(columns)) == 4
    assert all("tcp prt 3" in str(error) for error in found)


# --- Sources that threads don't read -------------------------------------------------------------


def test_traces_are_read_by_the_caller_in_their_turn(files: Callable[..., list[Path]]) -> None:
    paths = files(6, 4)
    trace = plt.trace(paths[2])  # not started: that is told in its turn, not before
    columns = plt.columns([*paths[:2], trace, *paths[3:]], ("src_port",), workers=4)
    batches = iter(columns)
    assert [ports(next(batches)) for _ in range(2)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    trace.start()
    assert next(trace).udp.src_port == 8
    assert ports(next(batches)) == [9, 10, 11]
    trace.close()
    assert all_ports(batches) == list(range(12, 24))


def test_the_same_trace_again_and_again(files: Callable[..., list[Path]]) -> None:
    (path,) = files(1, 10)
    with plt.trace(path) as trace:
        columns = plt.columns([trace, path, trace, path], ("src_port",), workers=4)
        assert ports(columns.table()) == [*range(10)] * 3


def test_a_pipe_is_opened_in_its_turn(files: Callable[..., list[Path]], tmp_path: Path) -> None:
    paths = files(4, 3)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    columns = plt.columns([paths[0], fifo, paths[2], f"pcap:{paths[3]}"], ("src_port",), workers=4)
    batches = iter(columns)
    assert ports(next(batches)) == [0, 1, 2]
    feeder = threading.Thread(target=fifo.write_bytes, args=(paths[1].read_bytes(),))
    feeder.start()
    assert [ports(batch) for batch in batches] == [[3, 4, 5], [6, 7, 8], [9, 10, 11]]
    feeder.join()


def test_standard_input_is_read_once(files: Callable[..., list[Path]]) -> None:
    paths = files(3, 3)
    program = """
        import sys, plt
        columns = plt.columns(["-", *sys.argv[1:], "-"], ("src_port",), workers=4)
        try:
            columns.table()
        except plt.LibtraceError as error:
            print(error.table["src_port"].tolist(), error)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, paths[1:])],
        input=paths[0].read_bytes(),
        capture_output=True,
        check=True,
    )
    assert run.stdout.decode().startswith(f"{list(range(9))} Couldn't start trace: -: ")


# --- A limit over all sources --------------------------------------------------------------------


def test_limit(files: Callable[..., list[Path]]) -> None:
    paths = files(4, 5)
    sources = [*paths, paths[0].with_name("gone")]
    for limit in (0, 1, 4, 5, 6, 10, 19, 20):
        columns = plt.columns(sources, ("src_port",), limit=limit, batch=3)
        assert all_ports(columns) == list(range(limit))
        assert ports(plt.columns(sources, ("src_port",), limit=limit).table()) == list(range(limit))
    columns = plt.columns(sources, ("src_port",), limit=7, batch=3)
    assert ports(next(iter(columns))) == [0, 1, 2]
    assert ports(columns.table()) == [3, 4, 5, 6]
    with pytest.raises(plt.LibtraceError, match="gone"):
        plt.columns(sources, limit=21).table()
    table = plt.columns(sources, ("src_port",), limit=9, filter="udp").table()
    assert ports(table) == [1, 2, 4, 5, 7, 8, 10, 11, 13]


# --- How far ahead -------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_sources_are_opened_a_few_ahead(workers: int, files: Callable[..., list[Path]]) -> None:
    """No more are open, or read and kept, than there are workers."""
    paths = [*map(str, files(12, 4000))]
    columns = plt.columns(paths, ("src_port",), batch=1, workers=workers)
    batches = iter(columns)
    for n in (0, 4000, 4000 * 3):
        while ports(next(batches)) != [n]:
            pass
        at = n // 4000
        # a file of 4000 batches does not fit in what may be read ahead
        wait_until(lambda at=at: set(open_files()) >= set(paths[at + 1 : at + workers]))
        wait_until_threads_wait()
        assert set(paths) & set(open_files()) <= set(paths[at : at + workers])
        assert len(threads()) == workers
    columns.close()


def test_rows_that_are_kept_are_few(files: Callable[..., list[Path]]) -> None:
    """While the consumer waits, the threads end up waiting too: 1024 batches at most."""
    columns = plt.columns(files(6, 3000), ("src_port",), batch=1, workers=3)
    next(iter(columns))
    jobs = columns._batches.readers.jobs  # type: ignore[attr-defined]
    wait_until(lambda: all(job.work.out.qsize() == 1024 // 3 for job in list(jobs)[1:]))
    wait_until_threads_wait()
    assert len(jobs) == 3
    assert sum(job.work.out.qsize() for job in jobs) <= 1024
    assert len(columns.table()) == 6 * 3000 - 1


@pytest.mark.parametrize(
    ("batch", "workers", "each"),
    [(1, 2, 512), (1 << 16, 2, 32), (1 << 16, 16, 4), (1 << 16, 1000, 2), (1 << 40, 2, 2)],
)
def test_batches_that_a_thread_may_read_ahead(batch: int, workers: int, each: int) -> None:
    """Of 4,194,304 rows and 1,024 batches its part, but two."""
    ahead = InThreads(UNREAD, ["x"] * 1000, workers, batch)
    assert ahead.room == each


def test_the_source_in_turn_never_waits_for_later_ones(files: Callable[..., list[Path]]) -> None:
    """Whichever file is long, its batches come: the buffers of others are full meanwhile."""
    paths = files(40, 1)
    long = pk.write(paths[0].with_name("long"), pk.pcap(numbered(0, 2000)))
    for at in (0, 1, 5, 39):
        sources = [*paths[:at], long, *paths[at:], long]
        columns = plt.columns(sources, ("src_port",), batch=1, workers=2)
        expected = [*range(at), *range(2000), *range(at, 40), *range(2000)]
        assert all_ports(columns) == expected


# --- How it ends ---------------------------------------------------------------------------------


def test_close(files: Callable[..., list[Path]]) -> None:
    columns = plt.columns(files(8, 3000), ("src_port",), batch=1, workers=3)
    batches = iter(columns)
    assert ports(next(batches)) == [0]
    assert len(threads()) == 3
    columns.close()
    assert threads() == []
    assert list(batches) == []
    assert len(columns.table()) == 0
    columns.close()


def test_close_before_anything_was_read(files: Callable[..., list[Path]]) -> None:
    columns = plt.columns(files(8, 3), ("src_port",), workers=3)
    columns.close()
    assert list(columns) == []


def test_close_at_the_end(files: Callable[..., list[Path]]) -> None:
    with plt.columns(files(8, 3), ("src_port",), workers=3) as columns:
        assert len(list(columns)) == 8
    assert threads() == []


def test_with(files: Callable[..., list[Path]]) -> None:
    with plt.columns(files(8, 3000), ("src_port",), batch=1, workers=3) as columns:
        assert ports(next(iter(columns))) == [0]
    assert threads() == []


def test_dropped_half_way(files: Callable[..., list[Path]]) -> None:
    paths = files(8, 3000)
    for _ in range(20):
        for batch in plt.columns(paths, ("src_port",), batch=1, workers=3):
            assert ports(batch) == [0]
            break
        wait_until(lambda: not threads())


def test_dropped_in_a_cycle(files: Callable[..., list[Path]]) -> None:
    columns = plt.columns(files(8, 3000), ("src_port",), batch=1, workers=3)
    next(iter(columns))
    columns.itself = columns  # type: ignore[attr-defined]
    del columns
    assert len(threads()) == 3
    gc.collect()
    wait_until(lambda: not threads())


def test_an_exception_in_the_consumer(files: Callable[..., list[Path]]) -> None:
    def consume() -> None:
        for _ in plt.columns(files(8, 3000), ("src_port",), batch=1, workers=3):
            raise RuntimeError("the consumer's own")

    with pytest.raises(RuntimeError, match="the consumer's own"):
        consume()
    wait_until(lambda: not threads())


def test_errors_keep_nothing_alive(files: Callable[..., list[Path]]) -> None:
    """Behind an error that was dealt with, the Columns are dropped as ever."""
    paths = files(8, 3000)
    pk.write(paths[0], paths[0].read_bytes()[:-1])
    columns = plt.columns(paths, ("src_port",), workers=3)
    batches = iter(columns)
    assert len(next(batches)) == 2999
    with pytest.raises(plt.LibtraceError, match="packet 3000"):
        next(batches)
    del batches, columns
    wait_until(lambda: not threads())


def test_close_by_another_thread(files: Callable[..., list[Path]], tmp_path: Path) -> None:
    """The one that waits gets the end, or what it was about to get."""
    large = pk.write(
        tmp_path / "large", gzip.compress(pk.pcap(numbered(0, 30_000) * 10), compresslevel=1)
    )
    paths = [large, *files(3, 10)]
    columns = plt.columns(paths, ("src_port",), filter="port 9", workers=2)  # of no packet
    found: list[object] = []
    waiting = threading.Thread(target=lambda: found.extend(columns))
    waiting.start()
    wait_until(threads)
    columns.close()
    waiting.join(pace.NEVER)
    assert not waiting.is_alive()
    assert sum(len(batch) for batch in found) <= 10  # type: ignore[arg-type]


def test_several_consumers(files: Callable[..., list[Path]]) -> None:
    """Each row is given once, whoever asks."""
    columns = plt.columns(files(8, 1000), ("src_port",), batch=7, workers=3)
    found: list[list[int]] = []
    consumers = [
        threading.Thread(target=lambda: found.append(all_ports(columns))) for _ in range(4)
    ]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join()
    assert sorted(port for part in found for port in part) == list(range(8000))


def test_no_more_threads_are_to_be_had(
    files: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is enough; without one it is an error, and reading goes on when there is."""
    paths = files(6, 10)
    start = threading.Thread.start
    allowed = [0]

    def limited(thread: threading.Thread) -> None:
        if allowed[0] == 0:
            raise RuntimeError("can't start new thread")
        allowed[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with plt.trace(paths[0]) as trace:
        for sources in (paths, [trace, *paths[1:]]):
            allowed[0] = 0
            columns = plt.columns(sources, ("src_port",), batch=10, workers=3)
            batches = iter(columns)
            found = [] if sources is paths else ports(next(batches))
            for _ in range(3):
                with pytest.raises(RuntimeError, match="can't start new thread"):
                    next(batches)
            allowed[0] = 1
            found += ports(next(batches))
            assert len(threads()) == 1
            assert found + ports(columns.table()) == list(range(60))
            columns.close()


def test_a_thread_without_memory(
    files: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that did not start is not waited for."""

    def fails(_: threading.Thread) -> None:
        raise MemoryError

    paths = files(6, 10)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fails)
        batches = iter(plt.columns(paths, ("src_port",), batch=10, workers=2))
        for _ in range(4):
            with pytest.raises(MemoryError):
                next(batches)
    assert [port for batch in batches for port in ports(batch)] == list(range(60))


#: Reads argv[2:] in the way of argv[1], says when it begins and what it had worked at Ctrl-C.
INTERRUPTED = """
    import os, sys, threading, time, traceback
    import pace, plt

    way, *paths = sys.argv[1:]
    before = len(os.listdir("/proc/self/fd"))
    kept = plt.columns(paths, ("proto",), workers=3)

    def slowly():
        for _ in plt.columns(paths, ("proto",), batch=10, workers=3):
            time.sleep(60)

    ways = {
        "table": kept.table,
        "iteration": lambda: [len(batch) for batch in kept],
        "one batch": lambda: next(
            iter(plt.columns(paths, ("proto",), batch=1 << 40, filter="port 9", workers=3))
        ),
        "a slow consumer": slowly,
        "no interrupt": lambda: [next(iter(kept)), sys.exit()],
    }
    try:
        print("reading", flush=True)
        ways[way]()
        sys.exit("it was not interrupted")
    except KeyboardInterrupt as error:
        came = time.process_time()
        # it may come before the reading begins, as files are read ahead
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        begun = any("/plt/" in frame.f_code.co_filename for frame in frames)
        del frames
    assert not begun or way not in ("table", "iteration") or len(list(kept)) == 0
    kept.close()
    pace.wait_until(lambda: threading.active_count() == 1)
    assert len(os.listdir("/proc/self/fd")) == before
    print(came)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A hundred times a file of a GB, compressed: too much to be read to its end."""
    folder = tmp_path_factory.mktemp("large")
    content = pk.pcap(numbered(0, 20_000))
    member = gzip.compress(content[24:] * 30)
    content = gzip.compress(content[:24]) + member * 20
    return [pk.write(folder / f"{n}.gz", content) for n in range(5)] * 20


def interrupted(way: str, paths: list[Path]) -> tuple[float, str]:
    """What the program had worked when Ctrl-C was sent, and what it then said of it."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), way, *map(str, paths)],
        env=pk.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        sent = pace.processor_time(process.pid)
        if way != "no interrupt":
            pace.wait_until_it_reads(process.pid, paths)
            if way == "a slow consumer":
                pace.wait_until_it_waits(process.pid)
            sent = pace.processor_time(process.pid)
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=pace.NEVER)
    assert (process.returncode, err) == (0, "")
    return sent, out


@pytest.mark.parametrize("way", ["table", "iteration", "one batch", "a slow consumer"])
def test_ctrl_c(way: str, large: list[Path]) -> None:
    """It ends the reading at once, and no thread or file is left."""
    sent, out = interrupted(way, large)
    assert 0 <= pace.turns(float(out) - sent) < pace.PROMPT


def test_an_interrupt_at_any_time(files: Callable[..., list[Path]]) -> None:
    """Wherever it comes, what came before is whole, nothing hangs, and no thread is left."""
    paths = files(6, 3000)
    alarms = pace.Alarms(5)
    for n in itertools.takewhile(lambda _: alarms.came < 40, itertools.count()):
        found: list[plt.Batch] = []
        columns = plt.columns(paths, ("src_port",), batch=50, workers=3)

        def use(n: int = n, columns: plt.Columns = columns, found: list[plt.Batch] = found) -> None:
            if n % 4 == 0:
                columns.table()
            for batch in columns:
                found.append(batch)  # extend() would lose all of them

        alarms.during(use)
        assert n % 4 == 0 or all_ports(found) == list(range(50 * len(found)))
        columns.close()
        assert list(columns) == []
        wait_until(lambda: not threads())


def test_a_thread_that_opens_a_file_while_it_is_ended(
    files: Callable[..., list[Path]],
) -> None:
    """It reads nothing of it."""
    opening, go_on = threading.Event(), threading.Event()
    asked: list[str] = []

    class Slow:
        def rest(self) -> None:
            asked.append("rest")

        def __next__(self) -> None:
            asked.append("next")
            raise StopIteration

        def stop(self) -> None:
            asked.append("stop")

        def close(self) -> None:
            asked.append("close")

    def slow() -> Any:
        opening.set()
        assert go_on.wait(pace.NEVER)
        return Slow()

    columns = plt.columns(files(3, 10), ("src_port",), workers=2)
    job = columns._batches.readers.jobs[0]  # type: ignore[attr-defined]
    job.task.reader.close()
    job.task.reader = None
    job.task.open = slow
    reading = threading.Thread(target=list, args=(columns,))
    reading.start()
    assert opening.wait(pace.NEVER)
    job.work.stop()
    go_on.set()
    reading.join()
    columns.close()
    assert asked == ["close"]


def test_an_interrupt_while_a_thread_starts(
    files: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.13's threading.py waits with a lock that is not whole then, and says so instead."""
    started = threading.Thread.start

    def start(self: threading.Thread) -> None:
        started(self)
        try:
            raise KeyboardInterrupt
        finally:
            threading.Lock().release()

    columns = plt.columns(files(3, 10), ("src_port",), workers=2)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            columns.table()
    columns.close()
    wait_until(lambda: not threads())


def test_an_interrupt_while_threads_are_ended(
    files: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    columns = plt.columns(files(3, 3000), ("src_port",), batch=1, workers=2)
    next(iter(columns))
    assert threads()
    jobs = columns._batches.readers.jobs  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(type(jobs[0].work), "stop", interrupt)
        with pytest.raises(KeyboardInterrupt):
            columns.close()
    columns.close()
    wait_until(lambda: not threads())


def test_the_interpreter_ends_while_threads_read(large: list[Path]) -> None:
    """What it does before that is little of what there is to read."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert interrupted("no interrupt", large)[1] == ""
    worked = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert pace.turns(worked) < 1000


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # that is what it is for
@forks
def test_the_parent_of_a_fork_goes_on(files: Callable[..., list[Path]]) -> None:
    columns = plt.columns(files(8, 3000), ("src_port",), batch=1, workers=3)
    batches = iter(columns)
    assert ports(next(batches)) == [0]
    child = os.fork()
    if child == 0:
        columns.close()
        del columns, batches
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert len(columns.table()) == 8 * 3000 - 1


# --- Names ---------------------------------------------------------------------------------------


def test_messages_name_the_package(files: Callable[..., list[Path]]) -> None:
    (path,) = files(1, 1)
    for package in (plt, pldns):
        name = package.__name__
        with pytest.raises(ValueError, match=rf"\({name}\.column_fields\(\) lists all\)"):
            package.columns(path, ["nonsense"])
        assert repr(package.columns(path, ["time"])) == f"<{name}.columns of time>"


def test_small_files_are_not_handed_over(files: Callable[..., list[Path]], monkeypatch) -> None:
    """Where `workers` is not given: it takes longer than to read them."""
    names = files(6, 100)
    monkeypatch.setattr(plt._columns, "processors", lambda: 2)
    small, large = plt.columns(names, ["src_port"], batch=10), plt.columns(names, ["src_port"])
    monkeypatch.setattr(plt._columns, "WORTH_IT", 1)
    handed_over = plt.columns(names, ["src_port"], batch=10)
    for columns, started in ((small, False), (handed_over, True)):
        batches = iter(columns)
        next(batches)
        next(batches)
        assert bool(threads()) == started
        assert sum(map(len, batches)) == 580
    assert large.table()["src_port"].tolist() == list(range(600))
