"""The benchmarks: on traces whose numbers are known by hand, all tools' programs find the same.

Else what they take could not be compared.  Each program runs as it does when it is measured; those
whose tools are not installed are skipped.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
if not BENCH.is_dir():
    pytest.skip("the benchmarks are not here", allow_module_level=True)
sys.path.append(str(BENCH))

import comparisons  # noqa: E402
import machine  # noqa: E402
import make_others  # noqa: E402
import make_trace  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import tables  # noqa: E402
import traces  # noqa: E402
from growth import GROWTH  # noqa: E402

A, B = ("192.0.2.1", 1024), ("198.51.100.7", 443)
A6, B6 = ("2001:db8:1::1", 1024), ("2001:db8:ff::1", 443)
CLIENT, SERVER = ("192.0.2.1", 4000), ("198.51.100.53", 53)
#: Source, destination, protocol, bytes on the wire without the frame check.
PACKETS = (
    (A, B, 6, 80),
    (B, A, 6, 1514),
    (A, B, 6, 120),
    (A6, B6, 6, 580),
    (B6, A6, 6, 1514),
    (CLIENT, SERVER, 17, 80),
    (SERVER, CLIENT, 17, 120),
)
FCS = 4
OCTETS = 80 + 1514 + 120 + 580 + 1514 + 80 + 120 + 7 * FCS
TO_443, TO_1024 = 80 + 120 + 580 + 3 * FCS, 1514 + 1514 + 2 * FCS
EXPECTED = {
    "count": {"count": 7, "bytes": OCTETS, "captured": 7 * 80},
    "ports": {
        "count": 7,
        "ports": 2,
        "bytes": TO_443 + TO_1024,
        "weighted": 443 * TO_443 + 1024 * TO_1024,
    },
    "columns": {
        "count": 7,
        "wire_len": OCTETS,
        "proto": 5 * 6 + 2 * 17,
        "src_port": 3 * 1024 + 2 * 443 + 4000 + 53,
        "dst_port": 3 * 443 + 2 * 1024 + 4000 + 53,
        "tcp.flags": 5 * 0x10,
    },
    "flows": {"count": 7, "bytes": OCTETS, "flows": 3},
    "joined": {"count": 7, "flows": 3},
    "dns": {"count": 6, "responses": 3},  # of six messages half are responses
    "fields": {"count": 2_000_000, "value": 443},  # the first packet's port, read so many times
}


def compared(part: str) -> comparisons.Comparison:
    """A part, without making its traces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traces, "kept", lambda name, _: Path(name))
        return comparisons.COMPARISONS[part](comparisons.QUICK)


def programs(part: str) -> dict[str, measure.Job]:
    return {job.run: job for job in compared(part).jobs if job.run != measure.FLOOR}


def write(path: Path, snap: int, which: slice = slice(None)) -> None:
    """The packets above, as a trace."""
    content = make_trace.file_header(snap)
    for at, (src, dst, proto, size) in [*enumerate(PACKETS)][which]:
        one = make_trace.record(src, dst, proto, size, 0, snap)
        numbers = bytes(8) if one.after else b""
        time = (make_trace.START + at).to_bytes(4, "little") + bytes(4)
        content += time + one.before + numbers + one.after
    path.write_bytes(content)


class Programs:
    """Runs the programs that can run on small traces; tells what each found."""

    def __init__(self, folder: Path) -> None:
        self.lacks = {*machine.missing()}
        self.cut, self.uncut, self.dns = (folder / f"{n}.pcap" for n in ("cut", "uncut", "dns"))
        self.pieces = folder / "pieces"
        write(self.cut, make_trace.SNAP)
        write(self.uncut, traces.WHOLE)
        make_others.make_dns(self.dns, 6)
        self.pieces.mkdir()
        for at in range(4):
            write(self.pieces / f"{at}.pcap", make_trace.SNAP, slice(2 * at, 2 * at + 2))

    def path(self, part: str, job: measure.Job) -> Path:
        if part == "dns":
            return self.dns
        if "uncut" in job.path.name:
            return self.uncut
        return self.pieces if "-in-" in job.path.name else self.cut

    def found(self, part: str, run: str) -> dict[str, object]:
        lacks = programs(part)[run].needs() & self.lacks
        if lacks:
            pytest.skip(f"{', '.join(lacks)} is not installed")
        path = self.path(part, programs(part)[run])
        command = [sys.executable, str(BENCH / "job.py"), run, str(path)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        measured: dict[str, object] = json.loads(done.stdout)
        return measured


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize(
    ("part", "run"), [(part, run) for part in EXPECTED for run in programs(part)]
)
def test_a_tool_finds_what_is_in_the_trace(tools: Programs, part: str, run: str) -> None:
    measured = tools.found(part, run)
    found = measured["result"]
    assert isinstance(found, dict)
    common = EXPECTED[part].keys() & found.keys()
    assert "count" in common
    assert {name: found[name] for name in common} == {name: EXPECTED[part][name] for name in common}


@pytest.mark.parametrize("run", programs("dns"))
def test_parsers_find_the_same_in_dns_messages(tools: Programs, run: str) -> None:
    assert tools.found("dns", run)["result"] == tools.found("dns", "with_tshark.dns")["result"]


def test_the_floor_counts_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "seven.pcap", make_trace.SNAP)
    monkeypatch.setattr("floor.PROGRAM", tmp_path / "data" / "floor")
    run = measure.run(measure.Job("floor", measure.FLOOR, tmp_path / "seven.pcap"))
    assert run.result == {"count": 7}
    assert run.seconds > 0
    assert run.peak > 100_000


def test_tools_that_disagree_are_not_compared() -> None:
    job = measure.Job("a tool", "with_tool.count", Path("some.pcap"))
    measure.check(job, {"count": 7, "flows": 3}, {"count": 7, "bytes": 90})
    with pytest.raises(measure.Disagreement, match=r"a tool .* count 6 in some\.pcap, where 7 are"):
        measure.check(job, {"count": 6}, {"count": 7})


def test_what_lacks_its_tool_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "missing", lambda: ["dnspython"])
    assert compared("messages").feasible() == ()  # nor is there anything to compare with
    left = {job.run for job in compared("dns").feasible()}
    assert "with_dnspython.loop" not in left
    assert {"floor", "with_pldns.loop"} < left


def test_a_ratio_is_of_the_runs_of_a_round() -> None:
    jobs = [measure.Job(title, title, Path("x"), 2.0) for title in ("base", "own")]
    seconds = {jobs[0]: (1e-6, 2e-6, 4e-6), jobs[1]: (2e-6, 2e-6, 2e-6)}
    measured = {
        job: [measure.Run(one, 0.0, 5_000_000, 1, {"count": 10}, {}, 0.5) for one in times]
        for job, times in seconds.items()
    }
    table = report.compared(comparisons.Comparison("t", (*jobs,), None, "base"), measured)
    assert table.header == ("", "packets", "each", "times base", "limit", "MB")  # none has a start
    assert table.rows[0] == ("base", "10", "200 ns (100\u2013400)", "", "≤ 2", "5")
    assert table.rows[1][2:4] == ("200 ns (200\u2013200)", "1.00 (0.50\u20132.0)")
    assert "50%" in table.note
    rates = comparisons.Comparison("t", (*jobs,), None, "base", rate=True)
    measured[jobs[1]] = [measure.Run(1e-6, 0.0, 1, 2, {"count": 10}, {}, 0.0)] * 3  # two turns
    assert report.compared(rates, measured).rows[1][2:5] == (
        "50.0 ns (50\u201350)",
        "4.00 (2.0\u20138.0)",
        "≥ 2",
    )


def test_sections_of_the_page_are_replaced_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\n\n% bench: a\n\nold\n\n% end\n\ntwo\n\n% bench: b\n\nkept\n\n% end\n")
    tables.rewrite({"a": tables.Table("", ("", "n"), [("x", "1 s")]).markdown()}, page)
    new = "|  | n |\n| --- | ---: |\n| x | 1\u00a0s |"
    assert page.read_text() == (
        f"one\n\n% bench: a\n\n{new}\n\n% end\n\ntwo\n\n% bench: b\n\nkept\n\n% end\n"
    )
    with pytest.raises(ValueError, match="no mark '% bench: c'"):
        tables.rewrite({"c": ""}, page)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.5, 3, "1,234"),
        (99.96, 3, "100"),
        (99.94, 3, "99.9"),
        (9.996, 3, "10.0"),
        (0.666, 3, "0.67"),
        (12.34, 2, "12"),
        (9.96, 2, "10"),
        (1.26, 2, "1.3"),
        (0.126, 2, "0.13"),
    ],
)
def test_numbers_have_the_digits_that_count(value: float, digits: int, text: str) -> None:
    assert report.number(value, digits) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(2_000_000, "2 M"), (200_000, "200 k"), (1000, "1 k"), (744, "744"), (1500, "1,500")],
)
def test_round_quantities_are_short(count: int, text: str) -> None:
    assert report.quantity(count) == text


@pytest.mark.parametrize("part", [*comparisons.COMPARISONS, *GROWTH, "summary", "machine"])
def test_the_page_has_a_place_for_each_part(part: str) -> None:
    assert tables.marked(part).search((ROOT / "doc" / "performance.md").read_text())


def test_the_summary_tells_of_jobs_that_there_are() -> None:
    for jobs in report.SUMMARY.values():
        for part, run in jobs.items():
            assert run in {job.run for job in compared(part).jobs}


def test_made_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "DATA", tmp_path)
    whole = traces.mixed(20_000).read_bytes()
    assert len(whole) == 24 + 20_000 * (16 + 80)
    # what slow tools get is the beginning of what fast ones get
    assert traces.mixed(10_000).read_bytes() == whole[: 24 + 10_000 * (16 + 80)]
    pieces = [path.read_bytes() for path in traces.files(traces.mixed_pieces(20_000))]
    assert [len(piece) for piece in pieces] == [24 + 5_000 * (16 + 80)] * 4
    assert whole[:24] + b"".join(piece[24:] for piece in pieces) == whole


def test_tshark_finds_no_retransmissions_in_made_traces(tmp_path: Path) -> None:
    if "tshark" in machine.missing():
        pytest.skip("tshark is not installed")
    make_trace.make_trace(tmp_path / "made.pcap", 2000, flows=20)
    resent = "tcp.analysis.retransmission or tcp.analysis.out_of_order or tcp.analysis.lost_segment"
    command = ["tshark", "-n", "-r", str(tmp_path / "made.pcap"), "-Y"]
    for condition, packets in ((resent, 0), ("tcp or udp", 2000)):
        run = subprocess.run([*command, condition], capture_output=True, check=True)
        assert run.stdout.count(b"\n") == packets
