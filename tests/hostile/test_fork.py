"""os.fork() in the midst of everything: the child works, or is told why not; nobody hangs."""

import gzip
from pathlib import Path

import asan
import pace
import packets
import pytest
from live import on_lo

import plt

pytestmark = asan.forks

COUNT = 60_000
FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(b"x" * 30, ports=(1 + i % 5000, 53))))
    for i in range(5000)
]

# What each program begins with.  forked() runs a function in a child process, and gives what it
# returns, or the name and text of its exception.
COMMON = """
import os, sys, threading, warnings
import pace, packets
import plt, ipp, natkit, pldns
warnings.simplefilter("ignore")  # of a fork beside threads, which is what this is about
path, folder = sys.argv[1:3]

def forked(work):
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        with open(reading) as answer:
            text = answer.read()
        assert os.waitpid(child, 0)[1] == 0, text
        return text
    status = 1
    try:
        try:
            text = str(work())
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writing, text.encode())
        status = 0
    finally:
        os._exit(status)

def counts(source):
    # how many packets each way of reading sees
    with plt.trace(source) as trace:
        loop = sum(1 for _ in trace)
    columns = len(plt.columns(source, ["udp.src_port"]).table())
    messages = len(pldns.columns(source, ["id"]).table())
    table = natkit.FlowTable()
    return loop, columns, messages, table.add_trace(source), len(table)

def started(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
"""
WHOLE = f"({COUNT}, {COUNT}, {COUNT}, {COUNT}, 5000)"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of several megabytes."""
    records = packets.pcap(FRAMES)
    folder = tmp_path_factory.mktemp("fork")
    return packets.write(folder / "t.pcap", records + records[24:] * (COUNT // len(FRAMES) - 1))


@pytest.fixture(scope="module")
def compressed(path: Path) -> Path:
    """The same, compressed: columns and flow tables have a thread decompress it."""
    name = path.with_suffix(".pcap.gz")
    name.write_bytes(gzip.compress(path.read_bytes(), 0))
    return name


def lines(code: str, *args: object) -> list[str]:
    """What a program prints, which ends by itself and says nothing else."""
    run = packets.child(COMMON + code, *args, timeout=pace.NEVER)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.splitlines()


def test_a_child_of_a_loop_reads_a_trace_of_its_own(path: Path, tmp_path: Path) -> None:
    code = """
with plt.trace(path) as trace:
    for n, packet in zip(range(1000), trace):
        pass
    print(forked(lambda: (packet.udp.src_port, packet.udp.dst_port, packet.wire_len)))
    print(forked(lambda: counts(path)))
    print(forked(trace.close))
    print(forked(trace.pause))
    print(n + 1 + sum(1 for _ in trace))
"""
    port, own, closed, paused, rest = lines(code, path, tmp_path)
    assert port == f"(1000, 53, {14 + 20 + 8 + 30 + 4})"  # the wire has the checksum of a frame
    assert (own, closed, paused) == (WHOLE, "None", "None")
    assert int(rest) == COUNT  # a child that does not read takes nothing away


@pytest.mark.parametrize("kind", ["path", "compressed"])
def test_a_child_of_a_loop_that_reads_on(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Both share the place in the file, of which each has a buffer: a part, or what is wrong."""
    code = """
with plt.trace(path) as trace:
    next(trace)
    print(forked(lambda: sum(1 for _ in trace)))
    try:
        print(sum(1 for _ in trace))
    except plt.LibtraceError as error:
        print(f"LibtraceError: {error}")
"""
    for line in lines(code, request.getfixturevalue(kind), tmp_path):
        assert line.startswith("LibtraceError: ") or 0 < int(line) < COUNT


@pytest.mark.parametrize("kind", ["path", "compressed"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_child_with_columns_half_read(
    kind: str, threads: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(kind)
    code = f"""
def begun(reading):
    rows = iter(reading)
    next(rows)
    return rows
paths = [path] * 6
readings = [
    begun(plt.columns(paths, ["udp.src_port"], batch=1000, workers={threads})),
    begun(pldns.columns(paths, ["id"], batch=1000)),
    begun(natkit.packets(paths, ["udp.src_port"], batch=1000)),
    begun(plt.columns(path, ["udp.src_port"], batch=1000)),
]
for reading in readings:
    print(forked(lambda: sum(len(batch) for batch in reading)))
print(forked(lambda: counts(path)))
"""
    *read, own = lines(code, source, tmp_path)
    for line in read:
        assert (
            (line.isdecimal() and int(line) < 6 * COUNT)
            or "process that was forked" in line
            or line.startswith("LibtraceError: ")
        )
    assert own == WHOLE


def test_a_table_that_another_thread_fills_is_not_the_child_s(path: Path, tmp_path: Path) -> None:
    code = """
table = natkit.FlowTable()
stop = threading.Event()
told = threading.Event()
def fill():
    class Bar:
        def update(self, count):
            told.set()
    while not stop.is_set():
        try:
            table.add_trace(path, progress=Bar())
        except RuntimeError:
            pass
thread = started(fill)
def look():
    return len(table)
assert told.wait(pace.NEVER)
found = {forked(look) for _ in range(20)}
print(sorted({"number" if text.isdecimal() else text for text in found}))
print(forked(lambda: counts(path)))
stop.set()
thread.join()
print(len(table))
"""
    found, own, flows = lines(code, path, tmp_path)
    told = "RuntimeError: the flow table is in use by another thread"
    assert found in (str([told]), str([told, "number"]), str(["number", told]))
    assert (own, flows) == (WHOLE, "5000")


def test_a_merge_in_another_thread(path: Path, tmp_path: Path) -> None:
    code = """
tables = [natkit.FlowTable() for _ in range(2)]
for table in tables:
    table.add_trace(path)
stop = threading.Event()
def merge():
    while not stop.is_set():
        tables[0].merge(tables[1])
thread = started(merge)
found = {forked(lambda: len(tables[0])) for _ in range(20)}
stop.set()
thread.join()
print(sorted(found), len(tables[0]))
"""
    [found] = lines(code, path, tmp_path)
    busy = "RuntimeError: the flow table is in use by another thread"
    assert found in {f"{sorted(x)} 5000" for x in ([busy], ["5000"], [busy, "5000"])}


def test_children_of_a_process_whose_threads_do_everything(
    path: Path, compressed: Path, tmp_path: Path
) -> None:
    """Whatever lock of theirs is taken at that moment, no child needs it."""
    code = """
compressed = sys.argv[3]
stop = threading.Event()
def again(work):
    def loop():
        while not stop.is_set():
            work()
    return started(loop)
def loop():
    with plt.trace(compressed, count=2000) as trace:
        assert sum(packet.udp.dst_port == 53 for packet in trace) == 2000
def spare():
    for batch in plt.columns(path, ["udp.src_port", "src"], batch=500):
        if stop.is_set():
            break
works = (
    loop, spare,
    lambda: plt.columns([path] * 3, ["udp.src_port"], workers=3).table(),
    lambda: natkit.flows([path] * 3, workers=2),
    lambda: pldns.columns(compressed, ["id"]).table(),
    lambda: ipp.parse(["10.0.0.%d" % n for n in range(200)]),
)
for work in works:  # a child would wait for a thread that was importing a module: CPython's locks
    work()
counts(path)
threads = [again(work) for work in works]
print({forked(lambda: counts(path)) for _ in range(12)})
print({forked(lambda: len(natkit.flows([path, compressed], workers=2))) for _ in range(4)})
print({forked(lambda: len(plt.columns([path] * 3, ["udp.src_port"], workers=3).table()))
       for _ in range(4)})
stop.set()
for thread in threads:
    thread.join()
"""
    assert lines(code, path, tmp_path, compressed) == [
        str({WHOLE}), "{'5000'}", str({str(3 * COUNT)}),
    ]  # fmt: skip


def test_a_pool_of_forked_processes(path: Path, tmp_path: Path) -> None:
    code = """
import multiprocessing
plt.columns([path] * 3, ["udp.src_port"], workers=2).table()  # threads that were, and are no more
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(set(pool.map(counts, [path] * 6)))
    pool.close()
    pool.join()
"""
    assert lines(code, path, tmp_path) == [str({(COUNT, COUNT, COUNT, COUNT, 5000)})]


def test_progress_of_a_forked_reading(path: Path, tmp_path: Path) -> None:
    code = """
told = []
def progress(done, total):
    told.append((done, total))
rows = iter(plt.columns([path] * 4, ["udp.src_port"], batch=1000, workers=2, progress=progress))
next(rows)
def rest():
    told.clear()
    try:
        for _ in rows:
            pass
    except plt.LibtraceError as error:
        assert "process that was forked" in str(error), error
    size = 4 * os.path.getsize(path)
    return all(done <= total == size for done, total in told)
print(forked(rest))
rest()
print(told[-1] == (4 * os.path.getsize(path),) * 2)
"""
    assert lines(code, path, tmp_path) == ["True", "True"]


@pytest.mark.parametrize("name", ["out.pcap", "out.pcapng", "out.pcap.gz", "out.erf"])
def test_an_output_trace_that_the_child_leaves_alone(name: str, path: Path, tmp_path: Path) -> None:
    code = """
import itertools
with plt.trace(path) as trace:
    kept = list(itertools.islice(trace, 3000))
output = plt.output_trace(os.path.join(folder, sys.argv[3]))
output.start_output()
for packet in kept[:1500]:
    output.write_packet(packet)
def own():
    name = os.path.join(folder, "own-" + sys.argv[3])
    with plt.output_trace(name) as written:
        for packet in kept:
            written.write_packet(packet)
    with plt.trace(name) as again:
        return sum(1 for _ in again)
print(forked(own))
for packet in kept[1500:]:
    output.write_packet(packet)
output.close_output()
"""
    assert lines(code, path, tmp_path, name) == ["3000"]
    with plt.trace(str(tmp_path / name)) as trace:
        assert sum(1 for _ in trace) == 3000


# --- Captures ------------------------------------------------------------------------------------

CAPTURE = """
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def send(port, count=1):
    for _ in range(count):
        sender.sendto(b"x", ("127.0.0.1", port))
def captures(port):
    # a capture of the child's own
    trace = plt.trace(sys.argv[3])
    trace.conf_filter(f"udp dst port {port}")
    trace.conf_timeout(pace.NEVER)
    with trace:
        send(port)
        return next(trace).udp.dst_port
"""


@on_lo
@pytest.mark.parametrize("uri", ["int:lo", "ring:lo", "pcapint:lo"])
def test_a_capture_that_has_begun(uri: str, path: Path, tmp_path: Path) -> None:
    code = """
trace = plt.trace(sys.argv[3])
trace.conf_filter("udp dst port 47001")
trace.conf_timeout(pace.NEVER)
with trace:
    send(47001)
    print(next(trace).udp.dst_port)
    print(forked(lambda: captures(47002)))
    print(forked(trace.close))
    print(forked(lambda: trace.pkt_drops() >= 0))
    print(forked(lambda: counts(path)))
    send(47001)
    print(next(trace).udp.dst_port)
"""
    found = lines(CAPTURE + code, path, tmp_path, uri)
    assert found == ["47001", "47002", "None", "True", WHOLE, "47001"]


@on_lo
@pytest.mark.parametrize("uri", ["int:lo", "ring:lo", "pcapint:lo"])
def test_a_capture_that_another_thread_waits_for(uri: str, path: Path, tmp_path: Path) -> None:
    code = """
trace = plt.trace(sys.argv[3])
trace.conf_filter("udp dst port 47003 or udp dst port 47005")
seen = set()  # the loopback interface gives a packet twice
def read():
    with trace:
        for packet in trace:
            seen.add(packet.udp.dst_port)
            if 47005 in seen:
                break
thread = started(read)
pace.wait_until(lambda: "started" in repr(trace))
pace.wait_until_it_waits(thread=thread.native_id)
send(47003)
pace.wait_until(lambda: seen)
pace.wait_until_it_waits(thread=thread.native_id)
print(forked(lambda: next(trace)))
print(forked(trace.close))
print(forked(lambda: captures(47004)))
print(forked(lambda: counts(path)))
send(47005)
thread.join(pace.NEVER)
print(sorted(seen))
"""
    found = lines(CAPTURE + code, path, tmp_path, uri)
    assert found[2:] == ["47004", WHOLE, "[47003, 47005]"]
    assert ["in use by another thread" in line for line in found[:2]] == [True, True]
