"""Compressed traces that are read in bulk: a thread decompresses ahead."""

import bz2
import gc
import gzip
import lzma
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import lz4.frame
import pace
import pytest
from asan import forks
from packets import RAW, Record, count_to_error, ipv4, pcap, udp, write

import natkit
import plt
from plt._readahead import ReadAhead

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKETS = 20_000


@pytest.fixture(scope="module")
def content() -> bytes:
    """A trace that does not compress: its payloads are random."""
    rng = random.Random(9)
    return pcap([Record(ipv4(udp(rng.randbytes(100)), 17)) for _ in range(PACKETS)], RAW)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> Path:
    return write(tmp_path_factory.mktemp("ahead") / "whole.pcap.gz", gzip.compress(content, 1))


def ahead_threads() -> list[threading.Thread]:
    return pace.threads("plt-read-ahead")


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, bz2.compress, lzma.compress, zstd.compress, lz4.frame.compress],
)
def test_it_is_the_same_trace(tmp_path, content, compress):
    compressed = write(tmp_path / "x", compress(content))
    plain = write(tmp_path / "x.pcap", content)
    fields = ["time", "wire_len", "udp.checksum"]
    one, other = (plt.columns(path, fields).table() for path in (compressed, plain))
    assert len(one) == PACKETS
    for name in fields:
        assert one[name].tobytes() == other[name].tobytes()
    assert ahead_threads() == []


def test_a_loop_goes_on_where_columns_ended(whole):
    with plt.trace(whole) as trace:
        table = plt.columns(trace, ["wire_len"], limit=300).table()
        assert len(ahead_threads()) == (len(os.sched_getaffinity(0)) > 1)
        assert len(table) + sum(1 for _ in trace) == PACKETS
    assert ahead_threads() == []


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize("damage", [False, True])
def test_what_comes_before_damage_is_read(tmp_path, whole, cut, damage):
    """As many packets as a loop reads, which has no such thread, and the same error."""
    data = bytearray(whole.read_bytes())
    at = int(len(data) * cut)
    if damage:
        data[at : at + 64] = bytes(64)
    else:
        del data[at:]
    path = write(tmp_path / "x.gz", bytes(data))
    count, error = count_to_error(path)
    assert count > PACKETS * cut * 0.9
    table = natkit.FlowTable()
    with pytest.raises(plt.LibtraceError) as raised:
        table.add_trace(path)
    assert (table.packets, str(raised.value)) == (count, error)
    assert ahead_threads() == []


def test_dropping_it_ends_the_thread(whole):
    columns = plt.columns(whole, ["wire_len"], batch=100)
    assert len(next(iter(columns))) == 100
    del columns
    gc.collect()
    assert ahead_threads() == []


def test_two_at_once(whole):
    first, second = (iter(plt.columns(whole, ["wire_len"], batch=1000)) for _ in range(2))
    assert [len(batch) for pair in zip(first, second, strict=True) for batch in pair] == [1000] * 40


FORKED = """
import os, sys
import plt
columns = iter(plt.columns(sys.argv[1], ["wire_len"], batch=100))
count = len(next(columns))
if child := os.fork():
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(count + sum(len(batch) for batch in columns), status)
else:
    try:
        for batch in columns:
            pass
    except plt.LibtraceError as error:
        os._exit(7 if "process that was forked" in str(error) else 1)
    os._exit(2)
"""


@pytest.mark.filterwarnings("default")
@forks
def test_a_forked_process_is_told(whole):
    """The thread is in the parent: what was read ahead may come, then an error."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, whole],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    expected = "7" if len(os.sched_getaffinity(0)) > 1 else "2"
    assert run.stdout.split() == [str(PACKETS), expected]


def test_the_end_of_the_interpreter(whole):
    program = f"import plt; c = iter(plt.columns({str(whole)!r}, batch=9)); next(c)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    )
    assert run.stderr == b""


AT_EXIT = """
import atexit, sys, threading, plt
def late():
    for thread in threading.enumerate():
        if thread.name == "plt-read-ahead":
            thread.join(10)  # it ends at once, if it was told to
            assert not thread.is_alive()
    print(sum(map(len, batches)))
atexit.register(late)  # called after what later imports register
batches = iter(plt.columns(sys.argv[1], batch=9))
next(batches)
"""


def test_the_thread_ends_before_the_interpreter(whole):
    """Python 3.13 stops daemon threads where they are; what waits for one then waits for ever."""
    run = subprocess.run(
        [sys.executable, "-c", AT_EXIT, whole],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert (run.stdout, run.stderr) == (f"{PACKETS - 9}\n", "")


def test_who_waits_as_it_is_stopped_gets_what_is_read_by_then():
    """As at the interpreter's end, in the midst of a read."""
    is_waiting = threading.Event()
    pieces = [b"", b"some"]

    def read_some() -> bytes:
        if len(pieces) == 2:
            assert is_waiting.wait(60)
            ahead._crew.stop()  # waits for the others, of which there are none
        return pieces.pop()

    def get() -> object:
        is_waiting.set()
        return wait()

    ahead = ReadAhead(read_some)
    wait, ahead._work.get = ahead._work.get, get
    assert bytes(ahead.get()) == b"some"
    assert ahead.get() is None


TRACES = """
import gc, sys, plt
from plt._streams import Compressed
def loop():
    for _ in trace:
        pass
def columns():
    for _ in plt.columns(trace, ["time"], batch=50):
        pass
for read in loop, columns:
    for _ in range(3):
        trace = plt.trace(sys.argv[1])
        trace.start()
        try:
            read()
        except plt.LibtraceError:
            try:
                next(trace)
            except plt.LibtraceError:
                pass
        del trace
gc.collect()
print(sum(isinstance(found, Compressed) for found in gc.get_objects()))
"""


@pytest.mark.parametrize("packets", [50, PACKETS])
def test_a_cut_trace_that_is_not_closed_is_freed(tmp_path, packets):
    """What is kept of an error must not hold the frames of who read."""
    rng = random.Random(4)
    content = pcap([Record(ipv4(udp(rng.randbytes(100)), 17)) for _ in range(packets)], RAW)
    cut = write(tmp_path / "cut.pcap.gz", gzip.compress(content, 1)[:-100])
    run = subprocess.run(
        [sys.executable, "-c", TRACES, cut], capture_output=True, text=True, check=True, timeout=60
    )
    assert (run.stdout, run.stderr) == ("0\n", "")
