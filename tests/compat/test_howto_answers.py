"""The answers of doc/howto are those of the tutorial's programs, which other tools confirm."""

import re
import subprocess

import pytest
from command_line import EDGE, ROOT

HOWTO = ROOT / "doc" / "howto"
EXPECTED = ROOT / "tests" / "tutorial" / "expected"
OUTPUT = re.compile(r"^\{\.output\}\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not HOWTO.is_dir(), reason="the documentation is not here")


def answer(page: str) -> list[str]:
    """The lines that a page's programs print."""
    return "".join(OUTPUT.findall((HOWTO / f"{page}.md").read_text())).splitlines()


def pinned(program: str) -> list[list[str]]:
    """The words of each line that a program of the tutorial prints."""
    return [line.split() for line in (EXPECTED / f"{program}.txt").read_text().splitlines()]


def test_every_page_is_looked_at() -> None:
    pages = {path.stem for path in HOWTO.glob("*.md")} - {"index"}
    assert pages == {
        "protocols-and-ports", "rates", "largest-flows", "slow-or-lossy", "dns-times", "scans",
        "share", "parquet-and-sql", "watch-live",
    }  # fmt: skip


def test_ports_are_those_of_p17() -> None:
    rows = pinned("p17")
    packets = {row[1]: (row[2], row[4]) for row in rows if row[0] == "port"}
    protocols = {row[0]: int(row[2]) for row in rows[1:] if len(row) == 3}
    found = [line.split() for line in answer("protocols-and-ports")]
    assert [packets[row[1]] for row in found[4:]] == [(row[2], row[3]) for row in found[4:]]
    for proto in ("6", "17"):  # IPv4 and IPv6
        assert sum(int(row[2]) for row in found[:4] if row[1] == proto) == protocols[proto]


def test_rates_are_those_of_p18() -> None:
    total, busiest, first = answer("rates")
    text = (EXPECTED / "p18.txt").read_text()
    assert f"{total}\n{busiest}\n" in text
    seconds = [(int(row[1]), int(row[2])) for row in pinned("p18")[4:7]]
    assert first == str(seconds)


def test_the_largest_flows_are_those_of_p19() -> None:
    found = answer("largest-flows")
    for line, row in zip(found[:3], pinned("p19")[1:], strict=False):
        assert f"{int(row[0]) + int(row[1])} bytes" in line
        assert line.startswith(" ".join(row[3:]))


@pytest.mark.usefixtures("tshark")
def test_who_received_most_is_tsharks() -> None:
    for line in answer("largest-flows")[3:]:
        address, octets = line.split()
        words = ["-Y", f"ip.dst#1 == {address}", "-T", "fields", "-e", "frame.len"]
        done = subprocess.run(
            ["tshark", "-n", "-r", EDGE, *words], capture_output=True, text=True, check=True
        )
        assert int(octets) == sum(4 + int(length) for length in done.stdout.split())  # the FCS


def test_servers_are_those_of_p20() -> None:
    servers = {(row[5], row[6]): row[1:4] for row in pinned("p20-links")[2:]}
    found = answer("slow-or-lossy")
    assert len(found) == 4
    for line in found:
        row = re.fullmatch(r"(\S+) (\d+): network (\S+) ms, server (\S+) ms, again (\S+)", line)
        assert row
        assert servers[row[1], row[2]] == [row[3], row[4], row[5]]


def test_response_times_are_those_of_p21() -> None:
    *servers, count = answer("dns-times")
    rows = {row[4]: [row[0], row[1], row[3]] for row in pinned("p21")[2:7]}
    assert [rows[line.split()[0]] for line in servers] == [line.split()[1:] for line in servers]
    said = " ".join(pinned("p21")[0])
    queries, answered = re.findall(r"\d+", count)
    assert f"{queries} queries, {answered} of them answered" in said


def test_scanners_are_those_of_p22() -> None:
    rows = {row[-1]: row[:2] for row in pinned("p22")[3:]}
    for line in answer("scans"):
        address, doors, opened = re.fullmatch(r"(\S+): (\d+) doors, (\d+) open", line).groups()
        assert rows[address] == [doors, opened]


def test_what_is_shared_is_that_of_p23() -> None:
    before, _, cleared = pinned("p23")[1:]
    assert answer("share") == [
        f"{before[5]} addresses, {before[6]} packets with names",
        f"{cleared[3]} addresses, {cleared[4]} packets with names",
    ]


def test_parquet_has_what_p24_has() -> None:
    found = answer("parquet-and-sql")
    assert [line.split() for line in found[:3]] == [row[:3] for row in pinned("p24")[2:5]]
    recipes = (ROOT / "doc" / "recipes.md").read_text()  # whose answers a loop over bytes counts
    assert "\n".join(found[3:]) in recipes


def test_live_reports_are_sums_of_p25s() -> None:
    reports = [row for row in pinned("p25") if row[1] == "s"]
    wanted = [
        f"{int(a[2]) + int(b[2])} packets, {b[6]} flows active, {int(a[9]) + int(b[9])} ended"
        for a, b in zip(reports[:4:2], reports[1:4:2], strict=True)
    ]
    assert answer("watch-live") == wanted
