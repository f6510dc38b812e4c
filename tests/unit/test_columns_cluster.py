"""plt.columns() on Dask workers, one of which is killed."""

import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pace
import packets as pk
import pytest

import plt

np = pytest.importorskip("numpy")
distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own are not ours

FIELDS = ("src_port", "time", "src_prefix", "tcp.syn_flag")
EACH = 500  # packets of a file


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as connected,
    ):
        yield connected


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ten files; the source ports of their packets count up through all."""
    folder = tmp_path_factory.mktemp("capture")
    out = []
    for n in range(10):
        packets = [
            pk.ethernet(pk.ipv4(pk.tcp(ports=(port, 53), flags=port % 3), pk.TCP))
            for port in range(n * EACH, (n + 1) * EACH)
        ]
        out.append(pk.write(folder / f"{n}.pcap", pk.pcap(packets)))
    return out


def ports(table: plt.Table) -> list[int]:
    found: list[int] = table["src_port"].tolist()
    return found


def assert_same(table: plt.Table, other: plt.Table) -> None:
    assert table.names == other.names
    for name in table:
        assert table[name].tolist() == other[name].tolist()
        assert table.mask(name).tolist() == other.mask(name).tolist()


def deadly(path: Path, marker: Path) -> os.PathLike[str]:
    """A path that kills the first process that opens it."""

    # a class within a function goes to the workers by value
    class Deadly(os.PathLike[str]):
        def __fspath__(self) -> str:
            if not marker.exists():
                marker.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
            return str(path)

    return Deadly()


def marked(path: Path) -> os.PathLike[str]:
    """A path that leaves a file beside its own when a worker opens it."""

    class Marked(os.PathLike[str]):
        def __fspath__(self) -> str:
            path.with_suffix(".opened").touch()
            return str(path)

    return Marked()


def test_batches(client: Any, files: list[Path]) -> None:
    columns = plt.columns(files, FIELDS, batch=200, client=client)
    batches = list(columns)
    assert [len(batch) for batch in batches] == [200, 200, 100] * 10
    assert [port for batch in batches for port in ports(batch)] == list(range(10 * EACH))
    assert list(columns) == []
    assert len(columns.table()) == 0


def test_table(client: Any, files: list[Path]) -> None:
    here = plt.columns(files, FIELDS, workers=1).table()
    assert_same(plt.columns(files, FIELDS, client=client).table(), here)
    assert_same(plt.columns(files, FIELDS, client=client, workers=1).table(), here)
    assert_same(
        plt.columns(files[0], FIELDS, client=client).table(), plt.columns(files[0], FIELDS).table()
    )


def test_filter(client: Any, files: list[Path]) -> None:
    expression = "port 501 or port 1002"
    where = plt.where("src_port in (501, 1002)")
    for filter_ in (expression, plt.filter(expression), where):
        assert ports(plt.columns(files, FIELDS, filter=filter_, client=client).table()) == [
            501, 1002,
        ]  # fmt: skip


def test_limit(client: Any, files: list[Path]) -> None:
    columns = plt.columns(files, FIELDS, limit=EACH + 7, batch=300, client=client)
    assert [len(batch) for batch in columns] == [300, 200, 7]
    assert ports(plt.columns(files, FIELDS, limit=3, client=client).table()) == [0, 1, 2]


def test_arrow(client: Any, files: list[Path]) -> None:
    pa = pytest.importorskip("pyarrow")
    columns = plt.columns(files[:3], FIELDS, client=client)
    assert pa.schema(columns) == pa.schema(plt.columns(files[:3], FIELDS))
    table = pa.table(columns)
    table.validate(full=True)
    assert table["src_port"].to_pylist() == list(range(3 * EACH))


def test_schema_of_all_columns(client: Any, files: list[Path]) -> None:
    """That of a source that was not opened is the same."""
    pa = pytest.importorskip("pyarrow")
    every = list(plt.column_fields())
    assert pa.schema(plt.columns("nowhere", every, client=client)) == pa.schema(
        plt.columns(files[0], every)
    )


def test_a_worker_is_killed(client: Any, files: list[Path], tmp_path: Path) -> None:
    """What it was at and what it had is made again, and the result is the same."""
    marker = tmp_path / "killed"
    before = set(client.run(os.getpid).values())
    sources = [*files[:3], deadly(files[3], marker), *files[4:]]
    table = plt.columns(sources, FIELDS, batch=100, client=client).table()
    assert int(marker.read_text()) in before
    assert_same(table, plt.columns(files, FIELDS, workers=1).table())


def test_a_worker_is_killed_while_it_has_batches(client: Any, files: list[Path]) -> None:
    """The batches that were not fetched yet come from another."""
    columns = plt.columns(files, FIELDS, batch=100, client=client, workers=3)
    batches = iter(columns)
    found = [ports(next(batches)) for _ in range(2)]
    holders = {worker for where in client.who_has().values() for worker in where}
    pids = client.run(os.getpid)
    os.kill(pids[min(holders)], signal.SIGKILL)
    found += [ports(batch) for batch in batches]
    assert [port for batch in found for port in batch] == list(range(10 * EACH))


def test_errors(client: Any, files: list[Path], tmp_path: Path) -> None:
    """As on one machine: what came before, the error, then the next source."""
    cut = pk.write(tmp_path / "cut.pcap", files[1].read_bytes()[:-3])
    sources = [files[0], cut, tmp_path / "gone", files[2]]
    columns = plt.columns(sources, FIELDS, batch=300, client=client)
    found: list[int | str] = []
    batches = iter(columns)
    while len(found) < 20:
        try:
            found.append(len(next(batches)))
        except plt.LibtraceError as error:
            found.append(str(error))
        except StopIteration:
            break
    assert found[:4] == [300, 200, 300, 199]
    assert f"cut.pcap: packet {EACH}: the trace is cut" in str(found[4])
    assert "gone: No such file" in str(found[5])
    assert found[6:] == [300, 200]
    columns = plt.columns(sources, FIELDS, client=client)
    with pytest.raises(plt.LibtraceError, match="packet 500: the trace is cut") as caught:
        columns.table()
    assert ports(caught.value.table) == list(range(2 * EACH - 1))
    with pytest.raises(plt.LibtraceError, match="gone: No such file") as caught:
        columns.table()
    assert len(caught.value.table) == 0
    assert ports(columns.table()) == ports(plt.columns(files[2], FIELDS).table())


def test_a_first_source_that_is_not_there(client: Any, files: list[Path]) -> None:
    """It is looked for by the workers, when the first batch is asked for."""
    columns = plt.columns(["/nowhere/at/all", files[0]], FIELDS, client=client)
    with pytest.raises(plt.LibtraceError, match="No such file"):
        next(iter(columns))
    assert ports(columns.table()) == list(range(EACH))


def test_what_a_cluster_can_not_read(client: Any, files: list[Path]) -> None:
    with pytest.raises(TypeError, match="no traces that are open here"):
        plt.columns([plt.trace(files[0]), files[1]], client=client)
    with pytest.raises(TypeError, match=r"filter must be a plt\.filter or an expression, not int"):
        plt.columns(files, filter=5, client=client)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a batch has at least one row"):
        plt.columns(files, batch=0, client=client)


@pytest.mark.parametrize("workers", [None, 3])
def test_sources_are_read_a_few_ahead(
    workers: int | None, client: Any, files: list[Path], tmp_path: Path
) -> None:
    """As many as the workers have threads, two here, or as are asked for; none at first."""
    # a test before this one killed a worker, which Dask starts anew
    pace.wait_until(lambda: sum(client.nthreads().values()) == 2)
    paths = [pk.write(tmp_path / path.name, path.read_bytes()) for path in files]

    def opened() -> int:
        return len(list(tmp_path.glob("*.opened")))

    columns = plt.columns([marked(path) for path in paths], FIELDS, client=client, workers=workers)
    assert opened() == 0
    batches = iter(columns)
    for n in range(4):
        assert ports(next(batches))[0] == n * EACH
        pace.wait_until(lambda n=n: opened() >= n + (workers or 2))
        pace.assert_stays(lambda n=n: opened() == n + (workers or 2))


def test_ctrl_c(client: Any, files: list[Path], tmp_path: Path) -> None:
    """It ends the waiting for a worker that goes on; nothing more is read."""
    first, second, third = files[:3]
    interrupted = tmp_path / "interrupted"

    class Slow(os.PathLike[str]):
        def __fspath__(self) -> str:
            pace.wait_until(interrupted.exists)
            return str(second)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    columns = plt.columns([first, Slow(), third], FIELDS, client=client)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            columns.table()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        interrupted.touch()
    assert list(columns) == []


def tasks(client: Any) -> int:
    number: int = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
    return number


@pytest.mark.parametrize("way", ["close", "drop", "to the end"])
def test_nothing_is_left_on_the_cluster(way: str, client: Any, files: list[Path]) -> None:
    columns = plt.columns(files, FIELDS, batch=100, client=client)
    batches = iter(columns)
    assert len(next(batches)) == 100
    if way == "close":
        columns.close()
        assert list(batches) == []
        assert len(columns.table()) == 0
    elif way == "to the end":
        assert len(list(batches)) == 49
    else:
        del batches, columns
    pace.wait_until(lambda: not tasks(client))


def test_tables_travel(client: Any, files: list[Path]) -> None:
    """What a task of one's own gives may be a table."""
    here = plt.columns(files[0], FIELDS).table()
    there = client.submit(lambda path: plt.columns(path, FIELDS).table(), str(files[0])).result()
    assert_same(there, here)
    assert pickle.loads(pickle.dumps(there)).names == list(FIELDS)
    assert client.submit(lambda table: int(table["src_port"].sum()), here).result() == sum(
        range(EACH)
    )
