"""natkit.flows() of one plain file whose parts are read at the same time."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import packets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import EPOCH, ETH, Record, ethernet, ipv4, tcp, udp

import natkit
import plt
from natkit import _flows
from plt import _parts

PACKETS = 2000


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are split as large ones are."""
    monkeypatch.setattr(_parts, "LEAST", 1)
    monkeypatch.setattr(_parts, "SIZE", 1 << 14)
    monkeypatch.setattr(_parts, "WINDOWS", (1 << 12,) * 4)
    monkeypatch.setattr(_flows, "PACKETS_OF_FLOW", 1)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Of each part that was read, whether by a thread."""
    found: list[bool] = []
    open_part = _parts.Part.open

    def noting(part: _parts.Part) -> Any:
        found.append(threading.current_thread() is not threading.main_thread())
        return open_part(part)

    monkeypatch.setattr(_parts.Part, "open", noting)
    return found


def records(seconds: float = 0.01) -> list[Record]:
    """Packets of 60 flows of UDP and 20 of TCP, whose segments follow each other."""
    rng = random.Random(8)
    sent = [1000] * 20
    found = []
    for n in range(PACKETS):
        port = rng.randrange(80)
        payload = rng.randbytes(rng.randrange(200))
        if port < 60:
            packet = ipv4(udp(payload, ports=(1000 + port, 53)), 17)
        else:
            packet = ipv4(tcp(payload, ports=(1000 + port, 80), seq=sent[port - 60]), 6)
            sent[port - 60] += len(payload)
        ticks = int(n * seconds * 1_000_000)
        found.append(Record(ethernet(packet), EPOCH + ticks // 1_000_000, ticks % 1_000_000))
    return found


SOME = records()
PCAP = packets.pcap(SOME)
PCAPNG = packets.section() + packets.interface(ETH)
PCAPNG += b"".join(packets.enhanced(one.data, one.sec * 1_000_000 + one.fraction) for one in SOME)


def read(path: Path, workers: int, **how: Any) -> tuple[Any, ...]:
    """All that a table says, and the error that came."""
    error = ""
    try:
        table = natkit.flows(path, workers=workers, **how)
    except plt.LibtraceError as raised:
        table, error = raised.table, str(raised)  # type: ignore[attr-defined]
    ended = [str(flow) for flow in table.expired()]
    columns = table.columns()
    values = {name: columns[name].tolist() for name in columns.names}
    return table.packets, table.not_ip, table.time_ns, ended, values, error


@pytest.mark.parametrize("content", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
def test_one_table(content: bytes, tmp_path: Path, used: list[bool]) -> None:
    path = packets.write(tmp_path / "trace", content)
    found = read(path, 2)
    assert found == read(path, 1)
    assert found[0] == PACKETS
    assert len(found[4]["packets"]) == 80
    # the first part tells whether it is worth it, others are read by threads, none is read twice
    assert used[0] is False
    assert len(used) > 5
    assert all(used[1:])


@pytest.mark.parametrize("how", [{"idle_timeout": 1.0}, {"active_timeout": 3.0}, {"tcp": True}])
def test_what_the_border_matters_to(how: dict[str, Any], tmp_path: Path, used: list[bool]) -> None:
    path = packets.write(tmp_path / "trace", packets.pcap(records(0.05)))
    found = read(path, 2, **how)
    assert found == read(path, 1, **how)
    assert found[0] == PACKETS
    assert bool(used) == ("tcp" not in how)  # which only one reader can tell


def test_many_flows_are_read_by_one(
    tmp_path: Path, used: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_flows, "PACKETS_OF_FLOW", 1000)
    path = packets.write(tmp_path / "trace", PCAP)
    assert read(path, 2) == read(path, 1)
    assert used == [False, False]  # the first part, and all that is left


@pytest.mark.parametrize("damage", [b"", b"\xff" * 16 + bytes(1 << 16)], ids=["", "damaged"])
def test_where_no_record_is_found_one_reads_all(damage: bytes, tmp_path: Path) -> None:
    """As in packets that are larger than what is looked through."""
    large = ethernet(ipv4(udp(bytes(1 << 14), ports=(1000, 53)), 17))
    records = [Record(large, EPOCH + n) for n in range(30)]
    path = packets.write(tmp_path / "trace", packets.pcap(records) + damage)
    found = read(path, 2)
    assert found == read(path, 1)
    assert (found[0], bool(found[-1])) == (30, bool(damage))


def test_with_files_before_and_after(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", PCAP)
    before, after = plt.trace(path), plt.trace(path)
    before.start()
    after.start()
    table = natkit.flows([before, path, after], workers=2)
    assert table.packets == 3 * PACKETS
    assert [flow.packets for flow in table] == [
        3 * flow.packets for flow in natkit.flows(path, workers=1)
    ]


@settings(max_examples=60, deadline=None)
@given(
    content=st.sampled_from([PCAP, PCAPNG]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=2),
    cut=st.floats(0.01, 1) | st.just(1.0),
)
def test_a_damaged_file(
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    changes: list[tuple[float, bytes]],
    cut: float,
) -> None:
    """The same flows, and the same error with the same number of a packet."""
    data = bytearray(content)
    for at, new in changes:
        place = int(at * (len(data) - len(new)))
        data[place : place + len(new)] = new
    path = packets.write(tmp_path_factory.getbasetemp() / "changed", data[: int(cut * len(data))])
    assert read(path, 2) == read(path, 1)


@pytest.mark.parametrize("size", [9, 10_000])
def test_records_in_payloads(size: int, tmp_path: Path) -> None:
    inner = packets.pcap([Record(b"fake" * 10, EPOCH, 5) for _ in range(size)])[24:][:60_000]
    found = [Record(ethernet(ipv4(udp(bytes(i % 4) + inner, ports=(9, 53))))) for i in range(60)]
    path = packets.write(tmp_path / "trace", packets.pcap([*found, *SOME]))
    found_by_two = read(path, 2)
    assert found_by_two == read(path, 1)
    assert found_by_two[0] == 60 + PACKETS


def test_a_record_that_goes_over_whole_parts(tmp_path: Path, used: list[bool]) -> None:
    """Its payload has records of its own, in parts that are passed over."""
    inner = packets.pcap([Record(b"fake" * 10, EPOCH, 5)] * 4000)[24:]
    whole = [*SOME[:100], Record(ethernet(inner), EPOCH), *SOME[100:]]
    assert len(inner) > 10 * _parts.SIZE
    path = packets.write(tmp_path / "trace", packets.pcap(whole))
    found = read(path, 2)
    assert found == read(path, 1)
    assert found[0] == PACKETS + 1
    assert any(used)


def test_progress(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "trace", PCAP)
    told: list[tuple[int, int | None]] = []
    natkit.flows(path, workers=2, progress=lambda *state: told.append(state))
    assert told[-1] == (len(PCAP), len(PCAP))
