"""One plain file whose parts are read at the same time: the same as one reader finds."""

import gc
import os
import random
import signal
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pace
import packets
import pytest
from asan import forks
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import EPOCH, ETH, RAW, Record, ethernet, ipv4, udp

import plt
from plt import _inparts, _parts, _plt
from plt._threads import ForkedError

FIELDS = ["time", "wire_len", "src_port", "udp.checksum", "linktype"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are split as large ones are."""
    monkeypatch.setattr(_parts, "LEAST", 1)
    monkeypatch.setattr(_parts, "SIZE", 1 << 14)
    monkeypatch.setattr(_parts, "WINDOWS", (1 << 12,) * 4)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, int | None, bool]]]:
    """The parts that were read: begin, end, and whether by a thread."""
    found: list[tuple[int, int | None, bool]] = []
    open_part = _parts.Part.open

    def noting(part: _parts.Part) -> Any:
        mine = threading.current_thread() is threading.main_thread()
        end = time.monotonic() + 1
        while mine and part_threads() and time.monotonic() < end:  # for the others to begin
            if any(by_thread for _, _, by_thread in found):
                break
            time.sleep(0.001)
        found.append((part.start, part.stop, not mine))
        return open_part(part)

    monkeypatch.setattr(_parts.Part, "open", noting)
    return found


def records(count: int, seed: int = 1, most: int = 300) -> list[Record]:
    rng = random.Random(seed)
    return [
        Record(
            ethernet(ipv4(udp(rng.randbytes(rng.randrange(most)), ports=(1 + i % 60000, 53)))),
            EPOCH + i // 10,
            i % 1000,
        )
        for i in range(count)
    ]


def pcapng(found: list[Record], order: str = "<", on: int = 0) -> bytes:
    return b"".join(
        packets.enhanced(one.data, one.sec * 1_000_000 + one.fraction, order, on=on)
        for one in found
    )


SOME = records(1000)
FILES = {
    "pcap": packets.pcap(SOME),
    "pcap, big-endian": packets.pcap(SOME, order=">"),
    "pcap, nanoseconds": packets.pcap(SOME, magic=0xA1B23C4D),
    "pcap, nanoseconds, big-endian": packets.pcap(SOME, magic=0xA1B23C4D, order=">"),
    "pcapng": packets.section() + packets.interface(ETH) + pcapng(SOME),
    "pcapng, big-endian": packets.section(">") + packets.interface(ETH, ">") + pcapng(SOME, ">"),
}


def read(source: Any, workers: int, **how: Any) -> tuple[int, bytes, str]:
    """How many packets columns give, what is in them, and the error at the end."""
    try:
        table, error = plt.columns(source, FIELDS, workers=workers, **how).table(), ""
    except plt.LibtraceError as raised:
        if not hasattr(raised, "table"):  # it can't be opened
            return 0, b"", str(raised)
        table, error = raised.table, str(raised)
    return len(table), b"".join(table[name].tobytes() for name in FIELDS), error


def read_by_batches(path: Path, **how: Any) -> tuple[int, bytes, str]:
    """The same, where batches of up to 100 rows are let go of one after another."""
    values: dict[str, list[bytes]] = {name: [] for name in FIELDS}
    count, error = 0, ""
    try:
        for batch in plt.columns(path, FIELDS, workers=2, batch=100, **how):
            assert 0 < len(batch) <= 100
            count += len(batch)
            for name in FIELDS:
                values[name].append(batch[name].tobytes())
    except plt.LibtraceError as raised:
        error = str(raised)
    return count, b"".join(b"".join(values[name]) for name in FIELDS), error


def same(path: Path, **how: Any) -> tuple[int, str]:
    """That all ways to read a file give the same; how many packets, and the error."""
    count, values, error = read(path, 1, **how)
    assert read(path, 2, **how) == (count, values, error)
    assert read_by_batches(path, **how) == (count, values, error)
    return count, error


@pytest.mark.parametrize("kind", FILES)
def test_parts_are_those_of_one_reader(
    kind: str, tmp_path: Path, used: list[tuple[int, int | None, bool]]
) -> None:
    path = packets.write(tmp_path / "trace", FILES[kind])
    assert read(path, 2) == read(path, 1)
    assert len(read(path, 2)[1]) == 1000 * (8 + 4 + 2 + 2 + 2)
    # a thread and this one read all parts, none twice, and each begins where the one before ends
    half = used[: len(used) // 2]
    assert len(half) > 5
    assert {by_thread for _, _, by_thread in half} == {True, False}
    half.sort()
    assert [start for start, _, _ in half[1:]] == [stop for _, stop, _ in half[:-1]]
    assert half[-1][1] is None


def test_parts_are_read_where_that_pays(
    tmp_path: Path, used: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plt._columns, "processors", lambda: 2)
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    records_tell = ["time", "time_ns", "ts", "seconds", "ts_sec", "erf_time", "wire_len"]
    assert len(plt.columns(path, [*records_tell, "capture_len"]).table()) == 1000
    assert used == []
    for how in (
        {"fields": [*records_tell, "src_port"]},
        {"fields": records_tell, "filter": plt.where("udp")},
        {"fields": records_tell, "decap": True},
        {"fields": records_tell, "workers": 2},
    ):
        assert len(plt.columns(path, **how).table()) == 1000
        assert len(used) > 5
        used.clear()


def test_threads_read_on_while_batches_are_looked_at(
    tmp_path: Path, used: list[tuple[int, int | None, bool]]
) -> None:
    """Also the part that they leave for the consumer, but no more than two parts a worker."""
    path = packets.write(tmp_path / "trace", packets.pcap(records(3000)))
    batches = iter(plt.columns(path, ["src_port"], workers=2, batch=10))
    found = next(batches)["src_port"].tolist()
    end = time.monotonic() + 10
    while len(used) < 4 and time.monotonic() < end:
        time.sleep(0.001)
    assert sum(by_thread for _, _, by_thread in used) >= 3
    time.sleep(0.01)
    assert len(used) == 4
    for batch in batches:
        found += batch["src_port"].tolist()
    assert found == list(range(1, 3001))


def test_kept_batches_keep_their_values_while_others_are_dropped(tmp_path: Path) -> None:
    """Threads that read parts use the memory of those again."""
    path = packets.write(tmp_path / "trace", packets.pcap(records(3000)))
    kept, start = [], 0
    for i, batch in enumerate(plt.columns(path, ["src_port"], batch=50, workers=2)):
        if i % 3 == 0:
            kept.append((start, batch))
        start += len(batch)
        del batch
    assert start == 3000
    assert len(kept) >= 20
    for start, batch in kept:
        assert batch["src_port"].tolist() == list(range(start + 1, start + len(batch) + 1))


@pytest.mark.parametrize("name", FILES)
def test_numbers_of_packets_are_those_in_the_file(name: str, tmp_path: Path) -> None:
    """They are known only where all packets before were counted."""
    path = packets.write(tmp_path / "some", FILES[name])
    found = plt.columns(path, ["number", "src_port"], workers=2).table()
    assert found["number"].tolist() == list(range(1, 1001))
    assert found["src_port"].tolist() == list(range(1, 1001))
    few = plt.columns(path, ["src_port"], workers=2, filter=plt.where("number > 990")).table()
    assert few["src_port"].tolist() == list(range(991, 1001))


def test_small_files_and_other_formats_are_not_split(
    tmp_path: Path, used: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = packets.write(tmp_path / "old", packets.pcap(SOME, version=(2, 2)))
    modified = packets.write(tmp_path / "modified", packets.pcap(SOME, magic=0xA1B2CD34))
    plain = packets.write(tmp_path / "plain", FILES["pcap"])
    erf = packets.write(tmp_path / "erf", b"".join(packets.erf(2, bytes(2) + r.data) for r in SOME))
    monkeypatch.setattr(_parts, "LEAST", len(FILES["pcap"]) + 1)
    assert same(plain) == (1000, "")
    monkeypatch.setattr(_parts, "LEAST", 1)
    for path in (old, modified, erf):
        assert same(path) == (1000, "")
    assert len(plt.columns(plain, FIELDS, limit=70, workers=2).table()) == 70
    with plain.open("rb") as file:
        assert read(file, 2)[0] == 1000
    with plt.trace(plain) as trace:
        assert read(trace, 2)[0] == 1000
    assert used == []


EIGHT = [Record(bytes(60), EPOCH + i) for i in range(8)]


@pytest.mark.parametrize(
    ("found", "is_split"),
    [
        ([*EIGHT, Record(b"next")], True),
        (EIGHT, False),  # what comes after them may say that they are longer
        (EIGHT[:7], False),
        ([*EIGHT[:7], Record(b"next"), Record(b"and another")], True),
        ([*EIGHT[:7], Record(b""), Record(b"next")], False),
        ([*EIGHT[:7], Record(b"data", wire=3), Record(b"next")], False),
        ([*EIGHT[:7], Record(b"data", fraction=10**6), Record(b"next")], False),
        ([*EIGHT[:7], Record(b"data", fraction=10**6 - 1), Record(b"next")], True),
        ([*EIGHT[:7], Record(bytes(262_145)), Record(b"next")], False),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_file_is_split_where_its_records_have_headers_of_the_usual_size(
    found: list[Record], is_split: bool, order: str, tmp_path: Path
) -> None:
    path = packets.write(tmp_path / "trace", packets.pcap(found, order=order))
    assert (_parts.splitting(path) is not None) == is_split
    assert same(path) == (len(found), "")


@pytest.mark.parametrize(
    "head",
    [
        packets.section()[:23],
        packets.section()[:8] + bytes(16),  # no byte-order magic
        packets.pcap(EIGHT * 2, magic=0x1C0001AC),
        packets.pcap(EIGHT * 2, version=(2, 3)),
        packets.pcap(EIGHT * 2, version=(543, 0)),
        packets.pcap(EIGHT)[:-3],
        packets.pcap(EIGHT)[: 24 + 3 * 76 + 40],
        packets.pcap(EIGHT * 2)[: 24 + 8 * 76 + 15],
    ],
)
def test_a_beginning_after_which_no_chain_is_sure(head: bytes) -> None:
    whole = packets.pcap(EIGHT * 2)
    assert _plt._chain_of(whole[: 24 + 8 * 76 + 16]) == 0
    assert _plt._chain_of(head) is None


def test_what_looks_like_records_everywhere_is_given_up() -> None:
    """Words of 12 are blocks of 12 bytes at each word: how often they are followed is bounded."""
    for count, found in ((100, 4 * 104), (60_000, None)):
        words = struct.pack(f"<{count + 4}I", *[12] * count, *[0] * 4)
        assert _plt._chain_find(_parts.PCAPNG, words) is None
        assert _plt._chain_find(_parts.PCAPNG, words + pcapng(SOME[:8])) == found


def test_chains_are_of_bytes() -> None:
    with pytest.raises(TypeError):
        _plt._chain_of("text")
    for wrong in ((), (0, "text"), ("0", b""), (0, b"", 1)):
        with pytest.raises(TypeError):
            _plt._chain_find(*wrong)
    for wrong in ((), (1, "text", 0, 5), (1, b"", 0), (1, b"", None, 5)):
        with pytest.raises(TypeError):
            _plt._chain_follow(*wrong)


def fake(kind: str) -> bytes:
    """What looks like records of their own, in a payload."""
    found = [Record(b"fake" * 10, EPOCH, 5) for _ in range(400)]
    return pcapng(found) if kind == "pcapng" else packets.pcap(found)[24:]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_records_in_payloads(
    kind: str, tmp_path: Path, used: list[tuple[int, int | None, bool]]
) -> None:
    """Chains of them, where parts begin by guess: what is wrongly taken for records is dropped."""
    inner = fake(kind)
    frames = [
        Record(ethernet(ipv4(udp(bytes(i % 4) + inner, ports=(i, 53)))), EPOCH + i)
        for i in range(1, 40)
    ]
    whole = packets.pcap(frames)
    if kind == "pcapng":
        whole = packets.section() + packets.interface(ETH) + pcapng(frames)
    path = packets.write(tmp_path / "trace", whole)
    assert same(path) == (39, "")
    assert any(by_thread for _, _, by_thread in used)
    header = 28 if kind == "pcapng" else 16
    true = {whole.index(frame.data) - header for frame in frames}
    split = _parts.splitting(path)
    assert split is not None
    assert not {part.start for part in split.parts()} <= true


def test_a_record_that_goes_over_whole_parts(tmp_path: Path) -> None:
    """Its payload has parts of its own, which are all passed over."""
    found = [*SOME[:100], Record(ethernet(fake("pcap") * 10), EPOCH), *SOME[100:]]
    assert len(found[100].data) > 10 * _parts.SIZE
    path = packets.write(tmp_path / "trace", packets.pcap(found))
    assert same(path) == (1001, "")


def test_sections_and_interfaces_between_packets(tmp_path: Path) -> None:
    """What says how packets are read may come anywhere: other link types, clocks, byte orders."""
    nanoseconds = packets.option(9, b"\x09")
    whole = (
        packets.section()
        + packets.interface(ETH)
        + pcapng(SOME[:300])
        + packets.interface(RAW, options=nanoseconds)
        + pcapng([Record(one.data[14:], one.sec) for one in SOME[:300]], on=1)
        + packets.section(">")
        + packets.interface(ETH, ">")
        + pcapng(SOME, ">")
        + packets.section()
        + packets.interface(ETH)
        + b"".join(packets.simple(one.data) for one in SOME)
    )
    path = packets.write(tmp_path / "trace", whole)
    assert same(path) == (2600, "")


@pytest.mark.parametrize("order", ["<", ">"])
def test_blocks_of_all_kinds_are_counted_for_what_they_are(order: str, tmp_path: Path) -> None:
    """Three kinds are packets; statistics, names and what is not known are none."""
    data = SOME[0].data
    fields = struct.pack(order + "HHIIII", 0, 0, 0, 0, len(data), len(data))
    obsolete = packets.block(2, fields + data, order)
    others = [
        packets.block(5, struct.pack(order + "III", 0, 0, 0), order),
        packets.block(4, bytes(4), order),
        packets.block(0x0BAD, b"anything", order),
    ]
    some = [packets.enhanced(data, 0, order), obsolete, packets.simple(data, order)]
    path = tmp_path / "trace"
    path.write_bytes(
        packets.section(order)
        + packets.interface(ETH, order)
        + b"".join(one for i in range(999) for one in (some[i % 3], others[i // 3 % 3]))
    )
    assert same(path) == (999, "")
    numbers = plt.columns(path, ["number"], workers=2).table()["number"]
    assert numbers.tolist() == list(range(1, 1000))


def test_no_record_is_found(tmp_path: Path, used: list[tuple[int, int | None, bool]]) -> None:
    """Where the times go back and forth no chain is believed: one reader reads what is left."""
    rng = random.Random(3)
    jumping = [Record(one.data, rng.randrange(1 << 31)) for one in SOME]
    path = packets.write(tmp_path / "trace", packets.pcap([*SOME, *jumping, *SOME]))
    assert same(path) == (3000, "")
    assert used[-1][1:] == (None, False)


@pytest.mark.parametrize("kind", FILES)
def test_reads_that_give_little(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their ends come anywhere, within headers too."""

    def little(self: _parts.Shared, buffer: memoryview, at: int) -> int:
        return os.preadv(self.file, [buffer[:97]], at)

    path = packets.write(tmp_path / "trace", FILES[kind])
    monkeypatch.setattr(_parts.Shared, "readinto", little)
    assert same(path) == (1000, "")


@pytest.mark.parametrize("by_thread", [False, True])
def test_a_file_that_is_cut_while_it_is_read(
    by_thread: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second part, at the end of a record: then that is the end of the trace."""
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    size = len(packets.pcap(SOME[:120]))
    assert _parts.SIZE < size < 2 * _parts.SIZE
    open_part = _parts.Part.open

    def cutting(part: _parts.Part) -> Any:
        if part.start > 24:
            os.truncate(path, size)
        return open_part(part)

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_parts.Part, "open", cutting)
    if by_thread:
        wait_for_threads(monkeypatch)
    else:
        monkeypatch.setattr(_inparts.Crew, "give", no_thread)
    assert len(plt.columns(path, FIELDS, workers=2).table()) == 120


@pytest.mark.parametrize("length", [0, 8, 11, 14, 101])
@pytest.mark.parametrize("kind", [1, 6])  # of an interface, of a packet
def test_a_block_whose_length_is_none(kind: int, length: int, tmp_path: Path) -> None:
    block = bytearray(packets.interface(ETH) if kind == 1 else packets.enhanced(SOME[0].data))
    block[4:8] = length.to_bytes(4, "little")
    whole = packets.section() + packets.interface(ETH) + pcapng(SOME[:500])
    path = packets.write(tmp_path / "trace", whole + block + pcapng(SOME[500:]))
    count, error = same(path)
    assert count == 500
    assert f"claims a length of {length} bytes" in error


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(list(FILES)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=3),
    cut=st.floats(0, 1) | st.just(1.0),
)
def test_a_damaged_file(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    changes: list[tuple[float, bytes]],
    cut: float,
) -> None:
    """The same packets, and the same error with the same number of a packet."""
    data = bytearray(FILES[kind])
    for at, new in changes:
        place = int(at * (len(data) - len(new)))
        data[place : place + len(new)] = new
    path = packets.write(tmp_path_factory.getbasetemp() / "changed", data[: int(cut * len(data))])
    same(path)


@pytest.mark.parametrize("place", [5000, 50_000, 150_000])
def test_the_number_of_a_damaged_packet(place: int, tmp_path: Path) -> None:
    """A capture length of 4 GB: the packets before it are those that end there."""
    sizes = [16 + len(one.data) for one in SOME]
    number = next(n for n in range(1000) if sum(sizes[:n]) > place)
    data = bytearray(FILES["pcap"])
    at = 24 + sum(sizes[:number]) + 8
    data[at : at + 4] = b"\xff" * 4
    path = packets.write(tmp_path / "trace", bytes(data))
    count, error = same(path)
    assert count == number
    assert f"packet {number + 1}: its header claims a capture length of 4294967295" in error


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_filters(kind: str, tmp_path: Path, used: list[Any]) -> None:
    path = packets.write(tmp_path / "trace", FILES[kind])
    assert same(path, filter=plt.where("udp.src_port < 101")) == (100, "")
    assert any(by_thread for _, _, by_thread in used)
    used.clear()
    assert same(path, filter="udp src portrange 1-100") == (100, "")
    # a filter of libpcap's is of one link type, and pcapng may have several
    assert bool(used) == (kind == "pcap")


def test_a_filter_that_the_link_type_has_not(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", packets.pcap(SOME, RAW))
    count, error = same(path, filter="ether host 02:00:00:00:00:01")
    assert count == 0
    assert "ether" in error  # libpcap's words


def test_what_was_opened_is_read(tmp_path: Path) -> None:
    """The file is the one that there was at the call, whatever becomes of its name."""
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    columns = plt.columns(path, FIELDS, workers=2)
    path.unlink()
    packets.write(path, b"another")
    assert len(columns.table()) == 1000


def test_arrow_gets_all_of_it(tmp_path: Path) -> None:
    """Whose batches are kept: a few large ones."""
    pa = pytest.importorskip("pyarrow")
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    found = pa.table(plt.columns(path, FIELDS, workers=2))
    ports = [struct.unpack(">H", one.data[34:36])[0] for one in SOME]
    assert found.column("src_port").to_pylist() == ports


def test_a_thread_without_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception is that of who asks for the batch."""
    next_of = _inparts.Readings.next_of

    def limited(self: _inparts.Readings, reader: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError("mine")
        return next_of(self, reader)

    wait_for_threads(monkeypatch)
    monkeypatch.setattr(_inparts.Readings, "next_of", limited)
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    with pytest.raises(MemoryError, match="mine"):
        plt.columns(path, FIELDS, workers=2).table()
    assert part_threads() == []


def wait_for_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The consumer reads no part before a thread has begun to read one."""
    begun = threading.Event()
    read, read_here = _inparts.Readings.read, _inparts.InParts._read_here

    def noting(self: _inparts.Readings, part: Any) -> Any:
        begun.set()
        return read(self, part)

    def waiting(self: _inparts.InParts, stop: int | None) -> None:
        assert begun.wait(pace.NEVER)
        read_here(self, stop)

    monkeypatch.setattr(_inparts.Readings, "read", noting)
    monkeypatch.setattr(_inparts.InParts, "_read_here", waiting)


def test_progress(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    told: list[tuple[int, int | None]] = []
    plt.columns(path, FIELDS, workers=2, progress=lambda *state: told.append(state)).table()
    assert told[-1] == (len(FILES["pcap"]), len(FILES["pcap"]))
    assert told == sorted(told)


def test_an_exception_of_progress(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", FILES["pcap"])

    def fail(_done: int, _total: int | None) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        plt.columns(path, FIELDS, workers=2, progress=fail).table()


def part_threads() -> list[threading.Thread]:
    return pace.threads("plt-parts")


def test_threads_end(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    columns = plt.columns(path, FIELDS, workers=2, batch=10)
    assert part_threads() == []  # none begins before the first batch is asked for
    batches = iter(columns)
    assert len(next(batches)) == 10
    assert part_threads()
    columns.close()
    assert part_threads() == []
    assert list(batches) == []
    batches = iter(plt.columns(path, FIELDS, workers=2, batch=10))
    next(batches)
    del batches
    gc.collect()
    assert part_threads() == []
    plt.columns(path, FIELDS, workers=2).table()
    assert part_threads() == []


def test_ctrl_c_keeps_what_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    take = _inparts.InParts._take
    calls = iter(range(100))

    def interrupted(self: _inparts.InParts) -> None:
        if next(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        take(self)

    monkeypatch.setattr(_inparts.InParts, "_take", interrupted)
    with pytest.raises(KeyboardInterrupt) as raised:
        plt.columns(path, FIELDS, workers=2).table()
    table = raised.value.table  # type: ignore[attr-defined]
    ports = [struct.unpack(">H", one.data[34:36])[0] for one in SOME]
    assert 0 < len(table) < 1000
    assert table["src_port"].tolist() == ports[: len(table)]
    assert part_threads() == []


@forks
def test_a_forked_process_reads_on(tmp_path: Path) -> None:
    """Its threads are in the parent: it reads what is left by itself."""
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    code = """
import os, sys
import plt
from plt import _parts
_parts.LEAST, _parts.SIZE, _parts.WINDOWS = 1, 1 << 14, (1 << 12,) * 4
batches = iter(plt.columns(sys.argv[1], ["wire_len"], workers=2, batch=10))
count = len(next(batches))
child = os.fork()
count += sum(len(batch) for batch in batches)
if not child:
    os._exit(count == 1000)
print(count, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    run = packets.child("import warnings; warnings.simplefilter('ignore')\n" + code, path)
    assert run.stdout.split() == ["1000", "1"], run.stderr


def test_what_a_thread_of_the_parent_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forked process does not wait for it: it reads that itself, and all after it."""
    wait_for_threads(monkeypatch)

    def forked(_crew: object, _work: object) -> None:
        raise ForkedError("the threads are in the process that was forked")

    path = packets.write(tmp_path / "trace", FILES["pcap"])
    with monkeypatch.context() as patch:
        patch.setattr(_inparts.Crew, "take", forked)
        assert len(plt.columns(path, FIELDS, workers=2).table()) == 1000


def test_no_file_stays_open(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", FILES["pcap"])
    gc.collect()
    before = os.listdir("/proc/self/fd")
    plt.columns(path, FIELDS, workers=2).table()
    plt.columns(path, FIELDS, workers=2).close()
    next(iter(plt.columns(path, FIELDS, workers=2)))
    gc.collect()
    assert os.listdir("/proc/self/fd") == before


class Bytes:
    """What is read at offsets."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int, at: int) -> bytes:
        return self.data[at : at + size]


def test_blocks_that_say_how_those_after_them_are_read() -> None:
    for order, layout in (("<", _parts.PCAPNG), (">", _parts.PCAPNG | _parts.BIG_ENDIAN)):
        section = packets.section(order)
        interface = packets.interface(order=order)
        state = _parts.State(layout, section)
        after = _parts.State(layout, section + interface)
        # a section begins anew, in whatever order of bytes the one before it was
        for other in (state, _parts.State(_parts.PCAPNG, b"other")):
            assert _parts.state_block(Bytes(section), 0, other) == (state, len(section))
        data = section + interface
        assert _parts.state_block(Bytes(data), len(section), state) == (after, len(interface))
        for cut in (0, 11, len(interface) - 1):
            assert _parts.state_block(Bytes(interface[:cut]), 0, state) is None
        for size in (8, len(interface) + 2, 1 << 31):
            sized = interface[:4] + struct.pack(order + "I", size) + interface[8:]
            assert _parts.state_block(Bytes(sized), 0, state) is None
        assert _parts.state_block(Bytes(section[:8] + bytes(20)), 0, state) is None
        record = packets.enhanced(bytes(20), order=order)
        assert _parts.state_block(Bytes(record), 0, state) is None
