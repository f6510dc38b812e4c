"""The benchmarks: on traces whose numbers are known by hand, all tools' programs find the same.

Else what they take could not be compared.  Each program runs as it does when it is measured; those
whose tools are not installed are skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
if not BENCH.is_dir():
    pytest.skip("the benchmarks are not here", allow_module_level=True)
sys.path.append(str(BENCH))

import clock  # noqa: E402
import comparisons  # noqa: E402
import limits  # noqa: E402
import machine  # noqa: E402
import make_dns  # noqa: E402
import make_real  # noqa: E402
import make_trace  # noqa: E402
import measure  # noqa: E402
import picture  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import tables  # noqa: E402
import traces  # noqa: E402
from growth import GROWTH  # noqa: E402
from shared import Result  # noqa: E402

import plt  # noqa: E402

#: Files of jobs that all have limits, and others of which some have.
OURS = {"with_columns", "with_natkit", "with_pldns", "with_plt"}
PARTLY_OURS = {"with_getter", "with_ipp", "with_pyarrow"}

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
        "tcp_bytes": TO_443 + TO_1024,
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
    "filters": {"count": 7, "matching": 3},  # those to 443
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


def jobs_of(part: str) -> dict[str, measure.Job]:
    """By what each runs."""
    return {job.run: job for job in compared(part).jobs}


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
        make_dns.make_dns(self.dns, 6)
        self.pieces.mkdir()
        for at in range(4):
            write(self.pieces / f"{at}.pcap", make_trace.SNAP, slice(2 * at, 2 * at + 2))

    def path(self, part: str, job: measure.Job) -> Path:
        if part == "dns":
            return self.dns
        if "uncut" in job.path.name:
            return self.uncut
        return self.pieces if "-in-" in job.path.name else self.cut

    def found(self, part: str, run: str) -> Result:
        lacks = jobs_of(part)[run].needs() & self.lacks
        if lacks:
            pytest.skip(f"{', '.join(lacks)} is not installed")
        path = self.path(part, jobs_of(part)[run])
        return measure.run(measure.Job("a tool", run, path)).result


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize(
    ("part", "run"), [(part, run) for part in EXPECTED for run in jobs_of(part)]
)
def test_a_tool_finds_what_is_in_the_trace(tools: Programs, part: str, run: str) -> None:
    found = tools.found(part, run)
    common = EXPECTED[part].keys() & found.keys()
    assert "count" in common
    assert {name: found[name] for name in common} == {name: EXPECTED[part][name] for name in common}


@pytest.mark.parametrize("run", jobs_of("dns"))
def test_parsers_find_the_same_in_dns_messages(tools: Programs, run: str) -> None:
    found, wanted = tools.found("dns", run), tools.found("dns", "with_tshark.dns")
    common = found.keys() & wanted.keys()
    assert {name: found[name] for name in common} == {name: wanted[name] for name in common}
    if run == "with_dnsjit.dns_without_names":
        assert wanted.keys() - common == {"letters"}
    elif run not in {measure.FLOOR, "with_dnscap.dns", "with_pldns.batches"}:
        assert common == wanted.keys()


def test_programs_in_c_measure_themselves(tmp_path: Path) -> None:
    write(tmp_path / "seven.pcap", make_trace.SNAP)
    run = measure.run(measure.Job("floor", measure.FLOOR, tmp_path / "seven.pcap"))
    assert run.result == {"count": 7, "bytes": OCTETS}
    assert run.seconds >= 0.2  # it reads so small a file over and over
    assert run.turns > 1000
    assert run.cpu <= run.wall * 1.5  # one thread; the clocks' resolutions differ
    assert run.peak > 100_000


@pytest.mark.parametrize("program", ["hop", "nine_columns"])
def test_programs_in_c_say_where_a_file_ends_too_early(tmp_path: Path, program: str) -> None:
    path = tmp_path / "cut.pcap"
    write(path, make_trace.SNAP)
    path.write_bytes(path.read_bytes()[:-1])
    run = subprocess.run(
        programs.command(program, [path]), capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert f"{path}: ends within a record" in run.stderr
    path.write_bytes(b"not a trace" * 10)
    run = subprocess.run(
        programs.command(program, [path]), capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "not a pcap file of Ethernet" in run.stderr


def test_a_clock_counts_children_too() -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    timed = clock.Clock()
    with timed:
        subprocess.run([sys.executable, "-c", busy], check=True)
    assert timed.user + timed.system >= 0.25
    other = clock.Clock()
    other.seconds, other.user, other.system = timed.seconds / 2, timed.user / 4, timed.system + 1
    seconds, user = timed.seconds, timed.user
    timed.take_off(other)
    assert (timed.seconds, timed.user) == (seconds / 2, user * 3 / 4)
    assert timed.system == pytest.approx(-1.0)  # not hidden


def test_a_job_may_have_one_processor(tmp_path: Path) -> None:
    one = measure.Job("t", "with_plt.count", tmp_path / "x.pcap", processors=1)
    first = min(os.sched_getaffinity(0))
    assert one.command()[:3] == ["taskset", "-c", str(first)]


def test_tools_that_disagree_are_not_compared() -> None:
    job = measure.Job("a tool", "with_tool.count", Path("some.pcap"))
    measure.check(job, {"count": 7, "flows": 3}, {"count": 7, "bytes": 90})
    with pytest.raises(measure.Disagreement, match=r"a tool .* count 6 in some\.pcap, where 7 are"):
        measure.check(job, {"count": 6}, {"count": 7})


def test_what_lacks_its_tool_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "missing", lambda: ["dnspython", "dnsjit", "gopacket"])
    assert compared("messages").feasible() == ()  # nor is there anything to compare with
    left = {job.run for job in compared("dns").feasible()}
    assert not {"with_dnspython.loop", "with_dnsjit.dns", "with_gopacket.dns"} & left
    assert {measure.FLOOR, "with_pldns.loop"} < left


def test_every_tool_that_a_job_needs_is_looked_for() -> None:
    known = {*machine.PACKAGES, *machine.PROGRAMS, "gopacket"}
    assert {*measure.MODULES.values(), *measure.EXTRAS.values()} <= known


@pytest.mark.parametrize("part", comparisons.COMPARISONS)
def test_jobs_of_a_part_are_told_apart_and_have_something_to_compare_with(part: str) -> None:
    comparison = compared(part)
    assert comparison.has_floor or comparison.against
    titles = [job.title for job in comparison.jobs]
    assert len({*titles}) == len(titles)
    for job in comparison.jobs:
        module = job.run.partition(".")[0]
        assert job.ours == (module in OURS) or module in PARTLY_OURS
        if comparison.has_floor:
            assert comparison.floor(job) in comparison.jobs


def runs(*nanoseconds: float) -> list[measure.Run]:
    """Of ten packets, on the wall's clock; half of that is user time, a quarter system time."""
    return [
        measure.Run(1e-8 * one, 5e-9 * one, 2.5e-9 * one, 0.0, 5_000_000, 1, {"count": 10}, {}, 0.5)
        for one in nanoseconds
    ]


def test_ratios_are_of_cpu_time_in_the_runs_of_a_round() -> None:
    path = Path("x")
    floor, own = measure.Job("floor", measure.FLOOR, path), comparisons.ours("own", "own", path)
    comparison = comparisons.Comparison("t", (floor, own), None)
    measured = {floor: runs(100, 200, 400), own: runs(200, 200, 200)}
    table = report.compared(comparison, measured, {"own": 1.5})
    header = ("", "packets", "each, wall", "CPU", "system", "times the floor", "limit", "MB")
    assert table.header == header  # none has a start
    cells = ("floor", "10", "200 ns (100\u2013400)", "150 ns", "50.0 ns", "", "", "5")
    assert table.rows[0] == cells
    assert table.rows[1][2:6] == (
        "200 ns (200\u2013200)",
        "150 ns",
        "50.0 ns",
        "1.00 (0.50\u20132.0)",
    )
    assert table.rows[1][6] == "≤ 1.5"
    assert "50%" in table.note
    assert report.regressions(comparison, measured, {"own": 1.5}) == []
    assert report.regressions(comparison, measured, {"own": 0.99}) == ["t: own: 1 > 0.99"]
    assert report.new_limits(comparison, measured) == {"own": 1.15}


def test_what_is_lost_in_the_start_is_not_given_as_a_number() -> None:
    path = Path("x")
    floor, own = measure.Job("floor", measure.FLOOR, path), measure.Job("t", "with_t.count", path)
    comparison = comparisons.Comparison("t", (floor, own), None)
    measured = {floor: runs(100, 100, 100), own: runs(-20, 200, 200)}
    row = report.compared(comparison, measured).rows[1]
    assert row[2] == row[5] == report.UNRESOLVED
    starts = [clock.Clock() for _ in range(3)]
    for one, seconds in zip(starts, (9.0, 1.0, 2.0), strict=True):
        one.seconds = seconds
    assert clock.typical(starts).seconds == 2.0


def test_rates_have_least_values_and_groups_their_own_rival() -> None:
    path = Path("x")
    names = ("a", "b", "c", "d")
    jobs = tuple(comparisons.ours(name, name, path) for name in names)
    comparison = comparisons.Comparison(
        "t", jobs, None, against="the first", rate=True, wall=True, group=2
    )
    measured = dict(zip(jobs, map(runs, (100, 50, 300, 100)), strict=True))
    table = report.compared(comparison, measured, {"b": 1.7})
    at = table.header.index("times the first's rate")
    assert [row[at] for row in table.rows] == ["", "2.00 (2.0\u20132.0)", "", "3.00 (3.0\u20133.0)"]
    assert table.rows[1][at + 1] == "≥ 1.7"
    assert report.new_limits(comparison, measured) == {"b": 1.74, "d": 2.61}  # 2 and 3 by 1.15
    assert report.regressions(comparison, measured, {"d": 3.1}) == ["t: d: 3 < 3.1"]


def test_limits_are_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "limits.json"
    assert limits.load(file) == {}
    limits.save({"part": {"title": 1.15}}, file)
    assert limits.load(file) == {"part": {"title": 1.15}}


def test_limits_are_of_jobs_that_there_are() -> None:
    for part, by_title in limits.load().items():
        ours = {job.title for job in compared(part).jobs if job.ours}
        # a job that reads .zst is there where the program zstd can make one
        known = {title for title in by_title if shutil.which("zstd") or "zst" not in title}
        assert known <= ours


def test_sections_of_the_page_are_replaced_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\n\n% bench: a\n\nold\n\n% end\n\ntwo\n\n% bench: b\n\nkept\n\n% end\n")
    tables.rewrite({"a": tables.Table("", ("", "n"), [("x", "1 s")]).markdown()}, page)
    new = "|  | n |\n| --- | ---: |\n| x | 1\u00a0s |"
    assert page.read_text() == (
        f"one\n\n% bench: a\n\n{new}\n\n% end\n\ntwo\n\n% bench: b\n\nkept\n\n% end\n"
    )
    with pytest.raises(ValueError, match="no mark 'bench: c'"):
        tables.rewrite({"c": ""}, page)
    page.write_text("<!-- bench: a -->\n\nold\n\n<!-- end -->\n")
    tables.rewrite({"a": "new"}, page)
    assert page.read_text() == "<!-- bench: a -->\n\nnew\n\n<!-- end -->\n"


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


@pytest.mark.parametrize("part", [*comparisons.COMPARISONS, *GROWTH, "summary", "goals", "machine"])
def test_the_page_has_a_place_for_each_part(part: str) -> None:
    assert tables.marked(part).search((ROOT / "doc" / "performance.md").read_text())


def test_the_readme_has_a_place_for_its_table() -> None:
    assert tables.marked("short").search((ROOT / "README.md").read_text())


def test_the_summaries_tell_of_jobs_that_there_are() -> None:
    pairs = {pair for jobs in report.SUMMARY.values() for pair in jobs.items()}
    for part, run in pairs | {*report.SHORT.values()}:
        assert run in jobs_of(part)


def test_goals_are_of_jobs_that_there_are() -> None:
    for goal in report.GOALS:
        assert goal.job in {job.title for job in compared(goal.part).jobs}
        assert compared(goal.floor).has_floor
    assert {*report.TWICE[:2]} <= {job.title for job in compared("processors").jobs}


def test_the_table_of_goals_tells_what_is_met() -> None:
    floor = measure.Job("floor", measure.FLOOR, Path("x"))
    parts: dict[str, measure.Rounds] = {part: {floor: runs(20)} for part in report.GOAL_PARTS}
    for goal in report.GOALS:
        parts[goal.part][measure.Job(goal.job, "own", Path("x"))] = runs(40)
    for title, each in zip(report.TWICE[:2], (190, 100), strict=True):
        parts["processors"][measure.Job(title, "own", Path("x"))] = runs(each)
    rows = {row[0]: row[1:] for row in report.goals(parts).rows}
    assert rows["nine columns"] == ("≤ 1.5", "2.00", "≤ 30 ns", "30.0 ns", "no")
    assert rows["DNS columns, a message"] == ("≤ 3.3", "2.00", "≤ 70 ns", "30.0 ns", "yes")
    # the wall's 40 ns by the floor's 15 ns of CPU time
    gz = ("≤ 4.8", "2.67", "≤ 100 ns", "40.0 ns", "yes")
    assert rows["nine columns of gz, wall, on two processors"] == gz
    two = ("≥ 1.8", "1.90", "", "", "yes")
    assert rows["nine columns on two processors, times one's rate"] == two


def test_the_picture_has_every_tool_and_is_made_the_same_again(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    tools = {"read and hop, in C": {"count": 20.0}, "plt.columns()": {"count": 25.0, "dns": 250.0}}
    for name in ("one.svg", "two.svg"):
        picture.draw(tools | {"dpkt": {"count": 1600.0}}, tmp_path / name)
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    assert [
        word for word in ("dpkt", "read and hop, in C", "25 ns", "250 ns") if word not in text
    ] == []


def test_made_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "DATA", tmp_path)
    whole = traces.mixed(20_000).read_bytes()
    assert len(whole) == 24 + 20_000 * (16 + 80)
    # what slow tools get is the beginning of what fast ones get
    assert traces.mixed(10_000).read_bytes() == whole[: 24 + 10_000 * (16 + 80)]
    pieces = [path.read_bytes() for path in traces.files(traces.mixed_pieces(20_000))]
    assert [len(piece) for piece in pieces] == [24 + 5_000 * (16 + 80)] * 4
    assert whole[:24] + b"".join(piece[24:] for piece in pieces) == whole


def hits(path: Path, condition: str) -> int:
    """The packets that tshark's display filter finds."""
    run = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-Y", condition],
        capture_output=True,
        check=True,
    )
    return run.stdout.count(b"\n")


def test_real_packets_have_their_shares(tmp_path: Path) -> None:
    if "tshark" in machine.missing():
        pytest.skip("tshark is not installed")
    path, packets = tmp_path / "real.pcap", 10_000
    make_real.make_real(path, packets)
    assert 600 < (path.stat().st_size - 24) / packets - 16 < 700
    shares = {
        "frame": (1, 1),
        "ipv6": (0.3, 0.35),
        "vlan": (0.1, 0.15),
        "gre or vxlan or ip.proto == 41": (0.01, 0.03),
        "ip.flags.mf == 1 or ip.frag_offset > 0 or ipv6.fraghdr": (0.003, 0.008),
        "dns": (0.02, 0.05),
        "ip.checksum.status == 0": (0, 0),
        "tcp.analysis.retransmission or tcp.analysis.lost_segment": (0, 0),
    }
    for condition, (least, most) in shares.items():
        assert least <= hits(path, condition) / packets <= most, condition


def read(path: Path) -> list[tuple[int, bytes]]:
    with plt.trace(path) as trace:
        return [(packet.time_ns, bytes(packet.data)) for packet in trace]


def test_formats_have_the_same_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "DATA", tmp_path)
    packets = read(traces.mixed(50))
    assert len(packets) == 50
    lacks = machine.missing()
    for suffix in traces.FORMATS:
        if suffix != "zst" or "zstd" not in lacks:
            assert read(traces.mixed_as(50, suffix)) == packets


def test_a_large_file_repeats_the_same_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "DATA", tmp_path)
    once = traces.real(20).read_bytes()
    path = traces.larger(20, 3 * len(once))
    assert path.read_bytes() == once[:24] + 4 * once[24:]


def test_tshark_finds_no_retransmissions_in_made_traces(tmp_path: Path) -> None:
    if "tshark" in machine.missing():
        pytest.skip("tshark is not installed")
    make_trace.make_trace(tmp_path / "made.pcap", 2000, flows=20)
    resent = "tcp.analysis.retransmission or tcp.analysis.out_of_order or tcp.analysis.lost_segment"
    assert hits(tmp_path / "made.pcap", resent) == 0
    assert hits(tmp_path / "made.pcap", "tcp or udp") == 2000
