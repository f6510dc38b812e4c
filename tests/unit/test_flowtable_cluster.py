"""natkit.flows() on Dask workers, one of which is killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packets import EPOCH, RAW, Record, ipv4, pcap, tcp, write

import natkit
from natkit import FlowTable

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own are not ours


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
def files(tmp_path_factory) -> list[Path]:
    """A capture in twelve files: each flow is in all of them, and repeats what others have sent."""
    folder = tmp_path_factory.mktemp("capture")
    out = []
    for n in range(12):
        records = []
        for i in range(3000):
            client, seq = f"10.0.{i % 50}.1", (n * 3000 + i) // 50 * 10 - (10 if i % 7 == 0 else 0)
            data = tcp(b"x" * 10, ports=(1024 + i % 50, 443), seq=seq % 2**32)
            packet = ipv4(data, 6, src=client, dst="192.0.2.1")
            records.append(Record(packet, sec=EPOCH + n * 30 + i // 100))
        out.append(write(folder / f"{n:02}.pcap", pcap(records, RAW)))
    return out


def expected(files: list[Path], **settings: float) -> FlowTable:
    table = FlowTable(**settings)
    for path in files:
        table.add_trace(path)
    return table


def assert_same(table: FlowTable, whole: FlowTable) -> None:
    assert table.packets == whole.packets
    assert list(table.expired()) == list(whole.expired())
    assert list(table) == list(whole)


@pytest.mark.parametrize("settings", [{}, {"idle_timeout": 60}, {"active_timeout": 70}])
def test_flows_on_a_cluster(client, files, settings):
    assert_same(natkit.flows(files, client=client, **settings), expected(files, **settings))


def test_a_worker_is_killed(client, files, tmp_path):
    """What it was at and what it had is made again, and the result is the same."""
    marker = tmp_path / "killed"

    # a class within a function goes to the workers by value
    class Deadly(os.PathLike[str]):
        """A path that kills the first process that opens it."""

        def __fspath__(self) -> str:
            if not marker.exists():
                marker.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
            return str(files[9])

    before = set(client.run(os.getpid).values())
    sources = [*files[:9], Deadly(), *files[10:]]
    table = natkit.flows(sources, client=client, idle_timeout=60)
    assert int(marker.read_text()) in before
    assert_same(table, expected(files, idle_timeout=60))


def test_an_error_on_a_cluster(client, files, tmp_path):
    broken = write(tmp_path / "broken.pcap", files[1].read_bytes()[:-3])
    with pytest.raises(Exception, match="cut within") as raised:
        natkit.flows([files[0], broken, files[2]], client=client)
    assert raised.value.table.packets == 3000 + 2999
