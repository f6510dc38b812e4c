"""What progress= tells: bytes read of those that files have, compressed or not."""

import gzip
import io
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import packets
import pytest
from packets import EPOCH, Record

import natkit
import pldns
import plt

State = tuple[int, int | None]


def content(count: int, size: int = 1000) -> bytes:
    """A pcap file of payloads by chance, always the same, which hardly compress."""
    dice = random.Random(size)
    frames = [packets.ethernet(packets.ipv4(packets.udp(dice.randbytes(size)))) for _ in range(100)]
    return packets.pcap([Record(frames[i % 100], EPOCH + i) for i in range(count)])


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [
        packets.write(tmp_path / "a.pcap", content(5000)),
        packets.write(tmp_path / "b.pcap.gz", gzip.compress(content(3000), 1)),
    ]


def in_columns(source: Any, **how: Any) -> int:
    return sum(len(batch) for batch in plt.columns(source, ["time"], batch=500, **how))


def in_table(source: Any, **how: Any) -> int:
    return len(plt.columns(source, ["time"], **how).table())


def in_dns_columns(source: Any, **how: Any) -> int:
    return len(pldns.columns(source, ["time"], **how).table())


def in_flows(source: Any, **how: Any) -> int:
    return natkit.flows(source, **how).packets


def in_merge(source: Any, workers: int = 1, **how: Any) -> int:  # noqa: ARG001  it has no threads
    return sum(1 for _ in plt.merge(source, **how))


READERS = [in_columns, in_table, in_dns_columns, in_flows]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("read", [*READERS, in_merge])
def test_a_function_gets_bytes(read: Callable[..., int], workers: int, paths: list[Path]) -> None:
    told: list[State] = []
    assert read(paths, workers=workers, progress=lambda *state: told.append(state)) == 8000
    total = sum(path.stat().st_size for path in paths)
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert {state[1] for state in told} == {total}


def test_of_one_trace(paths: list[Path]) -> None:
    for path, count in zip(paths, (5000, 3000), strict=True):
        told: list[State] = []
        table = natkit.FlowTable()
        assert table.add_trace(path, progress=lambda *state: told.append(state)) == count  # noqa: B023
        assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_open_files(paths: list[Path]) -> None:
    memory = io.BytesIO(b"before" + paths[0].read_bytes())
    memory.seek(6)
    size = paths[0].stat().st_size
    told: list[State] = []
    assert in_table(memory, progress=lambda *state: told.append(state)) == 5000
    assert told[-1] == (size, size)


def test_where_no_total_is_known(paths: list[Path]) -> None:
    reading, writing = os.pipe()

    def feed() -> None:
        with open(writing, "wb") as file:
            file.write(paths[0].read_bytes())

    thread = threading.Thread(target=feed)
    thread.start()
    told: list[State] = []
    with open(reading, "rb", buffering=0) as pipe:
        assert in_table(pipe, progress=lambda *state: told.append(state)) == 5000
    thread.join()
    assert told[-1] == (paths[0].stat().st_size, None)
    with plt.trace(paths[0]) as opened:
        told.clear()
        in_table([opened, paths[1]], progress=lambda *state: told.append(state))
    assert told[-1] == (paths[1].stat().st_size, None)


def test_at_most_ten_times_a_second(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**6))  # it goes on by a fiftieth of a second with each look at it
    monkeypatch.setattr("plt._progress.time.monotonic", lambda: next(clock) / 50)
    told: list[State] = []
    total = sum(path.stat().st_size for path in paths)
    in_columns(paths, workers=1, progress=lambda *state: told.append(state))
    looks = next(clock)
    # after each call at least five looks, of which the last calls again; and the one at the end
    assert len(told) <= looks // 5 + 2
    assert told[-1] == (total, total)


def test_what_it_raises_is_the_program_s(paths: list[Path]) -> None:
    class Enough(Exception):
        pass

    def stop(*_: object) -> None:
        raise Enough

    for read in READERS:
        for workers in (1, 2):
            with pytest.raises(Enough):
                read(paths, workers=workers, progress=stop)
    with pytest.raises(Enough):
        natkit.FlowTable().add_trace(paths[0], progress=stop)


def test_it_ends_once(paths: list[Path]) -> None:
    """The last call is that at the end, whoever closes what was read, and how often."""
    told: list[State] = []
    columns = plt.columns(paths, ["time"], progress=lambda *state: told.append(state))
    columns.table()
    count = len(told)
    columns.close()
    with columns:
        pass
    assert len(told) == count


def test_damage_is_found_where_it_is(paths: list[Path]) -> None:
    """For that a file is read anew, with progress as without."""
    data = bytearray(paths[1].read_bytes())
    data[len(data) // 2] ^= 0xFF
    packets.write(paths[1], bytes(data))
    count, error = packets.count_to_error(paths[1])
    assert "is damaged" in error
    for source in (paths[1], io.BytesIO(data)):
        told: list[State] = []
        with pytest.raises(plt.LibtraceError) as raised:
            in_table(source, progress=lambda *state: told.append(state))  # noqa: B023
        assert len(raised.value.table) == count
        assert str(raised.value).rpartition(": ")[2] == error.rpartition(": ")[2]
        assert told[-1][1] == len(data)


def test_a_file_that_is_not_there(paths: list[Path]) -> None:
    told: list[State] = []
    columns = plt.columns(
        [paths[0], paths[0].with_name("no.pcap"), paths[0]],
        ["time"],
        workers=1,
        progress=lambda *state: told.append(state),
    )
    with pytest.raises(plt.LibtraceError, match=r"no\.pcap: No such file"):
        columns.table()
    assert len(columns.table()) == 5000
    assert told[-1] == (2 * paths[0].stat().st_size,) * 2


def test_none_and_false_are_none(paths: list[Path]) -> None:
    for none in (None, False):
        assert in_table(paths, progress=none) == in_flows(paths, progress=none) == 8000
        assert natkit.FlowTable().add_trace(paths[0], progress=none) == 5000


@pytest.mark.parametrize("wrong", [1, "x", object()])
def test_what_is_no_progress(wrong: object, paths: list[Path]) -> None:
    for read in READERS:
        with pytest.raises(TypeError, match="progress must be True or callable, not "):
            read(paths, progress=wrong)
    for read in READERS:
        with pytest.raises(ValueError, match="not on a cluster"):
            read(paths, progress=True, client=object())


# --- tqdm ------------------------------------------------------------------------------------


def test_a_bar(paths: list[Path], capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm", reason="tqdm is not here")
    for read in [*READERS, in_merge]:
        assert read(paths, progress=True) == 8000
        shown = capfd.readouterr().err
        assert "100%" in shown
        assert shown.endswith("\n")
    natkit.FlowTable().add_trace(paths[0], progress=True)
    assert "100%" in capfd.readouterr().err


def test_without_tqdm(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    calls = [*READERS, lambda given, **how: natkit.FlowTable().add_trace(given[0], **how)]
    for read in calls:
        with pytest.raises(ImportError, match=r"pip install 'python-libtrace\[progress\]'"):
            read(paths, progress=True)


# --- Ctrl-C ----------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each read is told."""
    monkeypatch.setattr("plt._progress.EVERY", 0)


class Interrupt:
    """Ctrl-C, once, after so many bytes; it comes to the main thread."""

    def __init__(self, size: int) -> None:
        self.size: float = size

    def __call__(self, done: int, _total: int | None) -> None:
        if done > self.size:
            self.size = float("inf")
            signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("at_once")
def test_ctrl_c_gives_back_the_flows_so_far(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "long.pcap", content(20_000))
    with pytest.raises(KeyboardInterrupt) as error:
        natkit.flows(path, progress=Interrupt(path.stat().st_size // 2))
    assert 0 < error.value.table.packets < 20_000
    with pytest.raises(KeyboardInterrupt) as error:
        natkit.flows([path] * 3, workers=2, progress=Interrupt(path.stat().st_size * 3 // 2))
    assert error.value.table.packets % 20_000 == 0


@pytest.mark.usefixtures("at_once")
def test_ctrl_c_gives_back_the_rows_so_far(tmp_path: Path) -> None:
    paths = [packets.write(tmp_path / f"{i}.pcap", content(4000)) for i in range(3)]
    interrupt = Interrupt(paths[0].stat().st_size * 3 // 2)
    with pytest.raises(KeyboardInterrupt) as error:
        plt.columns(paths, ["time"], workers=1, progress=interrupt).table()
    assert 4000 <= len(error.value.table) < 8000


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_an_interrupt_lost_is_not_passed_over(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Bytes were read that nobody got: to read on would be to read what is no record."""
    path = packets.write(tmp_path / "long.pcap", compress(content(4000)))
    merged = plt.merge(path, progress=Interrupt(path.stat().st_size // 2))
    times = []
    for error, words in ((KeyboardInterrupt, None), (plt.LibtraceError, "lost the place in")):
        with pytest.raises(error, match=words):
            times.extend(pkt.ts_sec for pkt in merged)
    assert times == [EPOCH + i for i in range(len(times))]
    assert 0 < len(times) < 4000
