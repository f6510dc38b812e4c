"""Traces merged by time, which mergecap judges, and packets that come from and go to others."""

import importlib
import random
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import packets
import pytest
from packets import EPOCH, Record

import plt


def frame(text: str) -> bytes:
    return packets.ethernet(packets.ipv4(packets.udp(text.encode())))


def trace(path: Path, sent: Iterable[tuple[float, str]]) -> Path:
    """A pcap file of datagrams with a text, at some quarters of seconds after EPOCH."""
    records = [Record(frame(text), EPOCH + int(at), int(at % 1 * 1_000_000)) for at, text in sent]
    return packets.write(path, packets.pcap(records))


def texts(found: Iterable[plt.packet]) -> list[str]:
    return [bytes(packet.udp.payload).decode() for packet in found]


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [
        trace(tmp_path / "a.pcap", [(1, "a1"), (4, "a4"), (6, "a6")]),
        trace(tmp_path / "b.pcap", [(0.5, "b0.5"), (4, "b4"), (4, "b4 too"), (9, "b9")]),
        trace(tmp_path / "c.pcap", []),
    ]


IN_ORDER = ["b0.5", "a1", "a4", "b4", "b4 too", "a6", "b9"]


def test_by_time_and_ties_in_the_order_of_sources(three: list[Path]) -> None:
    assert texts(plt.merge(three)) == IN_ORDER
    turned = ["b0.5", "a1", "b4", "b4 too", "a4", "a6", "b9"]
    assert texts(plt.merge(three[::-1])) == turned
    assert texts(plt.merge(three[0])) == ["a1", "a4", "a6"]


def test_a_folder_and_a_pattern(three: list[Path]) -> None:
    folder = three[0].parent
    three[2].unlink()
    assert texts(plt.merge(folder)) == texts(plt.merge(f"{folder}/*.pcap")) == IN_ORDER


def test_a_time_that_goes_back_keeps_its_order(tmp_path: Path) -> None:
    back = trace(tmp_path / "back", [(1, "1"), (5, "5"), (2, "2"), (3, "3"), (8, "8")])
    other = trace(tmp_path / "other", [(4, "other 4"), (6, "other 6")])
    expected = ["1", "other 4", "5", "2", "3", "other 6", "8"]
    assert texts(plt.merge([back, other])) == expected


@pytest.mark.skipif(shutil.which("mergecap") is None, reason="mergecap is not here")
def test_as_mergecap_merges(tmp_path: Path) -> None:
    rng = random.Random(3)
    paths = []
    for i in range(5):
        times = sorted(rng.sample(range(4000), 300))  # of one file, no two the same
        paths.append(trace(tmp_path / f"{i}.pcap", [(t / 4, f"{i} {t}") for t in times]))
    out = tmp_path / "theirs.pcap"
    subprocess.run(["mergecap", "-F", "pcap", "-w", out, *paths], check=True)
    ours, theirs = list(plt.merge(paths)), packets.read(out)
    assert [p.time_ns for p in ours] == [p.time_ns for p in theirs]
    assert sorted(texts(ours)) == sorted(texts(theirs))


def test_a_filter(three: list[Path]) -> None:
    longer = f"udp and len > {len(frame('b4'))}"
    assert texts(plt.merge(three, filter=longer)) == ["b0.5", "b4 too"]
    with plt.trace(three[1]) as given:
        merged = plt.merge([three[0], given], filter=plt.filter(longer))
        assert texts(merged) == ["b0.5", "b4 too"]


def test_traces_that_are_given_stay_open(three: list[Path]) -> None:
    given = plt.trace(three[0])
    with plt.merge([given, three[1]]) as merged:
        assert texts([next(merged), next(merged)]) == ["b0.5", "a1"]
    assert list(merged) == []
    # its next packet was not read yet, as nobody had asked for one after a1
    assert texts(given) == ["a4", "a6"]
    given.close()


def test_the_packets_may_be_kept(three: list[Path]) -> None:
    assert texts(list(plt.merge(three))) == IN_ORDER


def test_of_damage_the_other_traces_go_on(three: list[Path], tmp_path: Path) -> None:
    cut = three[0].read_bytes()[:-3]
    merged = plt.merge([packets.write(tmp_path / "cut", cut), tmp_path / "missing", three[1]])
    found, errors = [], []
    while True:
        try:
            found.append(next(merged))
        except plt.LibtraceError as error:
            errors.append(str(error))
        except StopIteration:
            break
    assert texts(found) == ["b0.5", "a1", "a4", "b4", "b4 too", "b9"]
    assert len(errors) == 2
    assert "missing: No such file or directory" in errors[0]
    assert "packet 3: the trace is cut" in errors[1]


def test_nothing_to_merge() -> None:
    with pytest.raises(ValueError, match="no sources to read"):
        plt.merge([])
    with pytest.raises(TypeError):
        plt.merge([None])
    assert repr(plt.merge(["a", "b"])) == "<plt.merge of 2 traces>"
    assert repr(plt.merge("a")) == "<plt.merge of 1 trace>"


# --- scapy and dpkt --------------------------------------------------------------------------


def test_to_and_from_scapy() -> None:
    pytest.importorskip("scapy", reason="scapy is not here")
    pytest.importorskip("scapy.layers.inet")  # Ethernet carries IP only where this is known
    scapy = importlib.import_module("scapy.layers.l2")
    theirs = scapy.Ether(frame("to scapy"))
    theirs.time = EPOCH + 0.5
    ours = plt.packet.from_bytes(bytes(theirs), time_ns=int(theirs.time * 10**9))
    assert texts([ours]) == ["to scapy"]
    assert ours.time_ns == EPOCH * 10**9 + 500_000_000
    again = scapy.Ether(bytes(ours))
    assert (again["IP"].src, again["UDP"].dport) == (packets.V4[0], ours.udp.dst_port)
    assert bytes(again) == bytes(ours)


def test_to_and_from_dpkt() -> None:
    dpkt = pytest.importorskip("dpkt", reason="dpkt is not here")
    ours = plt.packet.from_bytes(frame("to dpkt"), time_ns=EPOCH * 10**9)
    theirs = dpkt.ethernet.Ethernet(bytes(ours))
    assert theirs.data.data.data == b"to dpkt"
    assert texts([plt.packet.from_bytes(bytes(theirs))]) == ["to dpkt"]
