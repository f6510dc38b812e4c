"""plt.columns() with wrong names and filters, broken traces, signals, threads, forks, no memory."""

import contextlib
import gc
import gzip
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
from functools import partial
from pathlib import Path

import pace
import packets as pk
import per_packet
import pytest
from asan import forks

import plt

np = pytest.importorskip("numpy")

ALL = tuple(plt.column_fields())
ASAN = "PLT_ASAN" in os.environ
MIXED = [
    pk.ethernet(pk.ipv4(pk.tcp(b"hello", options=bytes(4)), pk.TCP)),
    pk.ethernet(pk.ipv6(pk.udp(b"abc")), 0x86DD),
    pk.ethernet(pk.ipv4(pk.icmp(8), pk.ICMP)),
    pk.ethernet(pk.ipv6(pk.icmp(128), pk.ICMP6), 0x86DD),
    pk.ethernet(pk.ipv4(bytes(12), pk.SCTP)),
    pk.ethernet(bytes(28), 0x0806),
]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return pk.write(tmp_path / "mixed", pk.pcap(MIXED))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def run(program: str, *arguments: object, timeout: float = 60) -> str:
    """What a program prints; it must end well and say nothing on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# --- Wrong arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("scr_port", ["src_port"]),
        ("sport", ["src_port"]),
        ("tcp_flags", ["tcp.flags"]),
        ("tcp.syn", ["tcp.syn_flag"]),
        ("payload", ["payload_len"]),
        ("wirelen", ["wire_len"]),
        ("Time", ["time"]),
        ("udp.length", ["udp.len"]),
        ("src_port ", ["src_port"]),
        ("src_port\0", ["src_port"]),
    ],
)
def test_unknown_names(name: str, near: list[str], mixed: Path) -> None:
    with pytest.raises(ValueError, match="no column is named") as caught:
        plt.columns(mixed, ["time", name])
    message = str(caught.value)
    assert repr(name) in message
    listed = re.search("near: (.*) \\(", message)
    assert listed is not None
    assert set(near) <= set(listed[1].split(", ")) <= set(ALL)


@pytest.mark.parametrize("name", ["", "x" * 100_000, 5, None, b"time", ("time",), "\udcff", "é"])
def test_names_like_no_other(name: object, mixed: Path) -> None:
    with pytest.raises(ValueError, match="no column is named"):
        plt.columns(mixed, [name])  # type: ignore[list-item]


def test_fields_that_are_none(mixed: Path) -> None:
    with pytest.raises(ValueError, match="'time' is asked for twice"):
        plt.columns(mixed, ["time", "proto", "time"])
    for wrong in (5, 1.5, object()):
        with pytest.raises(TypeError, match="not iterable"):
            plt.columns(mixed, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [5, None, 1.5, object(), {}, [5], [None], [[]]])
def test_sources_that_are_none(source: object) -> None:
    with pytest.raises(TypeError):
        plt.columns(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["", "nonsense:x", "/", "/nowhere/at/all", "erf:/nowhere"])
def test_sources_that_can_not_be_opened(source: str) -> None:
    before = open_files()
    with pytest.raises(plt.LibtraceError, match=r"Couldn't start trace|no trace in this folder"):
        plt.columns(source)
    assert open_files() == before


@pytest.mark.parametrize("expression", ["tcp prt 3", "no such thing", "(", "port 99999"])
def test_filters_that_do_not_parse(expression: str, mixed: Path) -> None:
    trace = plt.trace(mixed)
    trace.start()
    for filter_ in (expression, plt.filter(expression)):
        for source in (mixed, trace):
            columns = plt.columns(source, ("proto",), filter=filter_)
            with pytest.raises(plt.LibtraceError) as caught:
                columns.table()
            assert expression in str(caught.value)
            assert len(caught.value.table) == 0
            assert list(columns) == []
    assert next(trace).proto  # it is free again


@pytest.mark.parametrize("wrong", [5, b"tcp", ["tcp"], object()])
def test_filters_that_are_none(wrong: object, mixed: Path) -> None:
    with pytest.raises(TypeError, match=r"filter must be a plt\.filter or an expression, not"):
        plt.columns(mixed, filter=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("expression", ["tcp\0", "tcp é", "\udcff"])
def test_filters_that_are_no_text_for_libpcap(expression: str, mixed: Path) -> None:
    with pytest.raises(ValueError, match=r"ASCII|surrogates"):
        plt.columns(mixed, filter=expression)


ADDRESS = plt._plt._KIND_ADDRESS


def test_the_parts_in_c_used_wrongly(mixed: Path) -> None:
    reader = plt._plt._ColumnReader
    for arguments in (
        (),
        (mixed,),
        (mixed, ["time"], None, -1, 1, ADDRESS),
        (mixed, (), None, -1, 1),
    ):
        with pytest.raises(TypeError):
            reader(*arguments)
    with pytest.raises(ValueError, match="no column is named nonsense"):
        reader(mixed, ("nonsense",), None, -1, 1, ADDRESS)
    memory = plt._plt._ColumnReader(mixed, ("time",), None, -1, 1, ADDRESS)
    for wrong in (None, 5, object()):
        with pytest.raises(TypeError, match=r"memory must be what memory\(\) gives, not "):
            memory.expect_many(wrong)
    for wrong in (None, -1, 1 << 64):
        with pytest.raises((TypeError, OverflowError)):
            memory.set_batch(wrong)
    memory.set_batch(0)
    assert len(next(memory)) == 1
    empty = next(memory)
    for batches, size in ((1025, 1), (1, 0), (1, -1)):
        with pytest.raises(ValueError, match=f"memory for {batches} batches of {size} rows"):
            empty.memory(batches, size)
    memory.expect_many(empty.memory(1, 1))
    memory.expect_many(empty.select(()).memory(0, 1))
    assert len(next(memory)) == 1
    memory.close()
    memory.expect_many(empty.memory(1, 1))
    memory.set_batch(7)
    for wrong in (None, b"time"):
        with pytest.raises(TypeError):
            plt._plt._column_is_of_record(wrong)
    assert not plt._plt._column_is_of_record("nonsense")
    with pytest.raises(ValueError, match="193 columns are more than there are"):
        reader(mixed, ("time",) * 193, None, -1, 1, ADDRESS)
    for wrong in (5, None, b"time"):
        with pytest.raises(TypeError):
            reader(mixed, (wrong,), None, -1, 1, ADDRESS)
    batch = next(reader(mixed, ("time", "proto"), None, -1, sys.maxsize, ADDRESS))
    for part in (batch.values, batch.mask, batch.strings):
        for number in (-1, 2, sys.maxsize):
            with pytest.raises(IndexError):
                part(number)
        with pytest.raises((IndexError, OverflowError)):
            part(1 << 80)
        with pytest.raises(TypeError):
            part("time")
    assert batch.mask(1) is None
    with pytest.raises(TypeError, match="column time is none of texts"):
        batch.strings(0)
    for wrong in (-1, 0, 12, 15, 255, 1 << 20):
        with pytest.raises(ValueError, match="no kind of addresses"):
            reader(mixed, ("src",), None, -1, 1, wrong)
    for wrong in ((-1, 1, 1), (0, 99, 1), (0, 2, 1 << 62), (1 << 62, 1, 1), (0, 1, 0), (0, -1, 1)):
        with pytest.raises(IndexError, match="rows from"):
            batch.rows(*wrong)
    for wrong in ((2,), (-1,), ("time",), [0], None):
        with pytest.raises((IndexError, OverflowError, TypeError)):
            batch.select(wrong)
    for type_ in (type(batch), type(batch.values(0))):
        with pytest.raises(TypeError, match="cannot create"):
            type_()


def test_a_batch_in_c_used_wrongly(mixed: Path) -> None:
    for rows in (0, -1):
        with pytest.raises(ValueError, match="a batch has at least one row"):
            plt._plt._ColumnReader(mixed, ("time",), None, -1, rows, ADDRESS)
    batch = next(plt._plt._ColumnReader(mixed, ("time", "proto"), None, -1, 10, ADDRESS))
    for number in (-1, 2, sys.maxsize):
        with pytest.raises(IndexError):
            batch.items(number)
    with pytest.raises(TypeError, match="column time is none of lists"):
        batch.items(0)
    for use, wrong in (
        (batch.memory, [(), (1,), ("1", 1), (1, None)]),
        (batch.rows, [(), (0, 1), (0, 1, "1")]),
        (batch.select, [(), ((0,) * 193,), ((0, None),)]),
        (batch.strings, [(), (0, False, 1)]),
        (batch.__reduce_ex__, [(), ("5",), (None,)]),
    ):
        for arguments in wrong:
            with pytest.raises(TypeError):
                use(*arguments)
    for outside in ((0, 3, 1 << 62), (1, 2, sys.maxsize), (0, 2, -1), (0, 2, sys.maxsize)):
        with pytest.raises(IndexError, match="rows from"):
            batch.rows(*outside)
    with pytest.raises(IndexError, match=f"column {2**64 - 1} of 2"):
        batch.select((2**64 - 1,))


def test_numbers_of_rows_as_large_as_can_be(mixed: Path) -> None:
    reader = plt._plt._ColumnReader(mixed, ("number",), None, -1, 1, ADDRESS)
    reader.set_batch(2**64 - 1)
    assert len(next(reader)) == len(MIXED)
    reader = plt._plt._ColumnReader(mixed, ("number",), None, -1, 2, ADDRESS)
    reader.skip(2**64 - 1)
    assert next(reader, None) is None


# --- Broken traces -------------------------------------------------------------------------------


def columns_until_error(path: Path) -> tuple[plt.Table, str]:
    """What can be read of a trace, and the message of the error behind it."""
    try:
        return plt.columns(path, ALL).table(), ""
    except plt.LibtraceError as error:
        return getattr(error, "table", None), str(error)


def check_like_packets(path: Path) -> int:
    """The columns end where the packets do, in the same words; how many packets there are."""
    packets, message = pk.until_error(path)
    table, told = columns_until_error(path)
    assert told == message
    if table is None:  # not even opened
        assert packets == []
        return 0
    assert per_packet.differences(packets, table) == []
    rows = 0
    with contextlib.suppress(plt.LibtraceError):
        for batch in plt.columns(path, ("time",), batch=2):
            rows += len(batch)
    assert rows == len(packets)
    return len(packets)


def pcapng() -> bytes:
    return pk.section() + pk.interface() + b"".join(pk.enhanced(data) for data in MIXED)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pcap", pk.pcap(MIXED)),
        ("pcapng", pcapng()),
        ("pcap.gz", gzip.compress(pk.pcap(MIXED))),
        ("erf", b"".join(pk.erf(2, b"\0\0" + data) for data in MIXED)),
    ],
)
def test_traces_cut_anywhere(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    counts = set()
    for size in range(0, len(content) + 1, 1 if len(content) < 900 else 2):
        path.write_bytes(content[:size])
        counts.add(check_like_packets(path))
    path.write_bytes(content)
    assert check_like_packets(path) == len(MIXED)
    assert len(counts) > 2


@pytest.mark.parametrize("seed", range(60))
def test_traces_with_damaged_bytes(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    content = bytearray(dice.choice([pk.pcap(MIXED * 3), pcapng()]))
    for _ in range(dice.choice([1, 3, 30])):
        content[dice.randrange(24, len(content))] = dice.choice([0, 0xFF, dice.randrange(256)])
    check_like_packets(pk.write(tmp_path / "t", bytes(content)))


@pytest.mark.parametrize("dlt", [0, 1, 9, 12, 50, 101, 104, 105, 108, 113, 117, 119, 127, 228, 276])
def test_random_packets_of_any_link_type(dlt: int, tmp_path: Path) -> None:
    dice = random.Random(dlt)
    data: list[pk.Record | bytes] = [dice.randbytes(dice.randrange(120)) for _ in range(100)]
    path = pk.write(tmp_path / "t", pk.pcap([*data, *MIXED], dlt))
    assert check_like_packets(path) == len(data) + len(MIXED)


# --- Left half-way -------------------------------------------------------------------------------


def test_columns_dropped_half_way_leave_nothing_open(mixed: Path) -> None:
    before = open_files()
    for _ in range(50):
        for batch in plt.columns([mixed, mixed], ALL, batch=2):
            assert len(batch) == 2
            break
        next(iter(plt.columns(mixed, ALL, batch=4)))["time"]
        plt.columns(mixed).__arrow_c_stream__()
        plt.columns(mixed)
    assert open_files() == before


def test_batches_and_arrays_dropped_in_any_order(mixed: Path) -> None:
    dice = random.Random(7)
    for _ in range(30):
        batches = list(plt.columns([mixed] * 4, ALL, batch=5))
        kept = [(b[name], b.mask(name), b.masked(name)) for b in batches for name in ALL]
        expected = [[array.tolist() for array in row] for row in kept]
        dice.shuffle(batches)
        while batches:
            batches.pop()
            at = dice.randrange(len(kept))
            del kept[at], expected[at]
        gc.collect()
        assert [[array.tolist() for array in row] for row in kept] == expected


def test_the_same_trace_twice_at_once(mixed: Path) -> None:
    trace = plt.trace(mixed)
    trace.start()
    first = plt.columns(trace, batch=1)
    with pytest.raises(plt.LibtraceError, match="in use"):
        plt.columns(trace)
    with pytest.raises(plt.LibtraceError, match="in use"):
        plt.columns([mixed, trace]).table()
    assert len(first.table()) == len(MIXED)
    assert len(plt.columns([trace, trace]).table()) == 0


def test_an_exception_in_the_consumer_leaves_the_trace_usable(mixed: Path) -> None:
    trace = plt.trace(mixed)
    trace.start()

    def consume() -> None:
        for _ in plt.columns(trace, batch=2):
            raise RuntimeError("the consumer's own")

    with pytest.raises(RuntimeError, match="the consumer's own"):
        consume()
    assert len(plt.columns(trace).table()) == len(MIXED) - 2
    trace.close()


# --- Ctrl-C --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 50 GB of packets, compressed: too much to be read to its end."""
    path: Path = tmp_path_factory.mktemp("large") / "large.pcap.gz"
    content = pk.pcap([pk.ethernet(pk.ipv4(pk.tcp(b"x" * 20), pk.TCP))] * 20_000)
    member = gzip.compress(content[24:] * 30)
    return pk.write(path, gzip.compress(content[:24]) + member * 1000)


#: Reads argv[1] in the way of argv[2], says when it begins and, at Ctrl-C, what it had worked then.
INTERRUPTED = """
    import os, sys, time
    import plt

    path, way = sys.argv[1:]
    if way == "arrow":
        import pyarrow  # which may leave a file open
    trace = plt.trace(path)
    before = len(os.listdir("/proc/self/fd"))

    def arrow(columns):  # pyarrow.table() would look for pandas first, which takes its time
        return pyarrow.RecordBatchReader.from_stream(columns).read_all()

    ways = {
        "table": lambda: plt.columns(path, ("time", "proto")).table(),
        "several": lambda: plt.columns([path] * 9, ("proto",)).table(),
        "filter": lambda: plt.columns(path, ("proto",), filter="udp port 53").table(),
        "iteration": lambda: [len(batch) for batch in plt.columns(path, batch=1000)],
        "one batch": lambda: next(iter(plt.columns(path, ("proto",), batch=1 << 40))),
        "trace": lambda: (trace.start(), plt.columns(trace, ("proto",)).table()),
        "arrow": lambda: arrow(plt.columns(path, ("proto",))),
    }
    try:
        print("reading", flush=True)
        try:
            ways[way]()
        except OSError:  # Arrow's; Python's own comes as soon as it may
            time.sleep(0)
        sys.exit("it was not interrupted")
    except KeyboardInterrupt:
        came = time.process_time()
    trace.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(plt.columns(path, ("proto",), limit=100_000).table()) == 100_000
    print(came)
"""
WAYS = ["table", "several", "filter", "iteration", "one batch", "trace", "arrow"]


def turns_to_interrupt(path: Path, way: str) -> float:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), str(path), way],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        pace.wait_until_it_reads(process.pid, [path])
        sent = pace.processor_time(process.pid)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=pace.NEVER)
    assert (process.returncode, err) == (0, "")
    return pace.turns(float(out) - sent)


@pytest.mark.parametrize("way", WAYS)
def test_ctrl_c(way: str, large: Path) -> None:
    if way == "arrow":
        pytest.importorskip("pyarrow")
    assert 0 <= turns_to_interrupt(large, way) < pace.PROMPT


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_ctrl_c_never_shifts_what_is_read(suffix: str, tmp_path: Path) -> None:
    """Behind it a trace goes on with the next packet; a compressed one may say that it can not."""
    content = pk.pcap(MIXED)
    total = len(MIXED) * 100_000
    content = content[:24] + content[24:] * 100_000
    path = pk.write(tmp_path / f"t{suffix}", gzip.compress(content, 1) if suffix else content)
    alarms = pace.Alarms(3)
    while alarms.came < 15:
        with plt.trace(path) as trace:
            alarms.during(lambda trace=trace: plt.columns(trace, ("proto",)).table())
            try:
                rest = plt.columns(trace, ("proto",)).table()["proto"]
            except plt.LibtraceError as error:
                assert suffix
                assert "an interrupt lost the place" in str(error)  # noqa: PT017
                continue
            assert trace.pkt_accepts() == total
            counted = np.bincount(rest, minlength=133)[[6, 17, 1, 58, 132, 0]]
            assert counted.max() - counted.min() <= 1


def test_ctrl_c_while_waiting_for_a_pipe(tmp_path: Path) -> None:
    """It ends though nothing comes from the pipe, which stays open."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = """
        import sys
        import plt
        columns = plt.columns(sys.argv[1], ("proto",))
        try:
            print("reading", flush=True)
            columns.table()
        except KeyboardInterrupt:
            print("interrupted")
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(fifo)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        with fifo.open("wb", buffering=0) as feed:
            feed.write(pk.pcap(MIXED))
            assert process.stdout.readline() == "reading\n"
            pace.wait_until_it_waits(process.pid)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=pace.NEVER)
    assert process.returncode == 0
    assert out == "interrupted\n"


def test_an_exception_of_a_signal_handler_is_not_put_off(large: Path) -> None:
    """It is raised by the call that it came to; the next has what was read before it."""

    class Ring(BaseException):
        """No Exception: those of a stream are LibtraceErrors."""

    def ring(*_: object) -> None:
        raise Ring

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        columns = plt.columns(large, ("proto",), batch=1 << 40)
        with pytest.raises(Ring):
            next(iter(columns))
        assert len(list(columns)) <= 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- Threads and processes -----------------------------------------------------------------------


def test_a_reader_in_use_by_another_thread(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    holder: list[object] = []
    fields = ("proto",)

    def read() -> None:
        reader = plt._plt._ColumnReader(fifo, fields, None, -1, 1 << 20, plt._plt._KIND_ADDRESS)
        holder.append(reader)
        holder.append(len(reader.rest()))

    thread = threading.Thread(target=read)
    thread.start()
    with fifo.open("wb", buffering=0) as feed:
        feed.write(pk.pcap(MIXED))
        pace.wait_until(lambda: holder)
        pace.wait_until_it_waits(thread=thread.native_id)
        reader = holder[0]
        uses = [reader.rest, reader.close, partial(next, reader)]  # type: ignore[attr-defined, call-overload]
        uses += [partial(reader.set_batch, 5), partial(reader.skip, 5)]  # type: ignore[attr-defined]
        for use in uses:
            with pytest.raises(plt.LibtraceError, match="in use by another thread"):
                use()
    thread.join()
    assert holder[1] == len(MIXED)


def test_threads_that_read_and_close(mixed: Path) -> None:
    """Whatever they do to each other: rows, the end, or LibtraceError."""
    dice = random.Random(1)
    failures: list[BaseException] = []

    def use(columns: plt.Columns) -> None:
        try:
            for _ in range(dice.randrange(1, 20)):
                what = dice.randrange(12)
                if what == 0:
                    columns.close()
                elif what == 1:
                    columns.table()
                elif what == 2:
                    columns.__arrow_c_stream__()
                else:
                    next(iter(columns), None)
        except plt.LibtraceError as error:
            assert "in use by another thread" in str(error)  # noqa: PT017
        except BaseException as error:
            failures.append(error)

    for _ in range(30):
        columns = plt.columns([mixed] * 20, ALL, batch=2)
        threads = [threading.Thread(target=use, args=(columns,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


@forks
def test_fork(mixed: Path) -> None:
    """A child that lets go of half-read columns, or reads others, takes nothing from its parent."""
    program = """
        import os, sys
        import plt
        path = sys.argv[1]
        columns = plt.columns([path] * 10, ("proto",), batch=4, workers=1)
        table = plt.columns(path, ("proto",)).table()
        first = len(next(iter(columns)))
        child = os.fork()
        if child == 0:
            columns.close()
            del columns
            good = len(plt.columns(path, ("proto",)).table()) == len(table) == 6
            good = good and table["proto"].tolist() == [6, 17, 1, 58, 132, 0]
            os._exit(0 if good else 1)
        assert os.waitpid(child, 0)[1] == 0
        print(first, len(columns.table()), len(table))
    """
    assert run(program, mixed).split() == ["4", "56", "6"]


@pytest.mark.skipif(ASAN, reason="AddressSanitizer needs its terabytes of address space")
def test_no_memory(large: Path) -> None:
    program = """
        import resource, sys
        import numpy
        import plt
        path = sys.argv[1]
        trace = plt.trace(path)
        trace.start()
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (400 << 20), resource.RLIM_INFINITY))
        names = list(plt.column_fields())
        for source in (path, trace, path):
            try:
                plt.columns(source, names).table()
            except MemoryError:
                print("MemoryError")
        trace.close()
        print(len(plt.columns(path, names, limit=1000).table()))
    """
    assert run(program, large).split() == ["MemoryError"] * 3 + ["1000"]
