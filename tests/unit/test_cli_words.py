"""Times, sizes, ranges and columns' names; the expected numbers are counted by hand."""

import re

import pytest
from command_line import DNS, plt_run

pytest.importorskip("click")
pytest.importorskip("numpy")

import plt
from plt._near import USUAL
from plt.cli import words
from plt.cli.names import duration, rate, tcp_flags


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("10", 10 * 10**9),
        ("10s", 10 * 10**9),
        ("1.5m", 90 * 10**9),
        ("200ms", 2 * 10**8),
        ("0.25us", 250),
        ("2h", 7200 * 10**9),
        ("1d", 86_400 * 10**9),
        ("0.000000001", 1),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert words.duration_ns(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 s", "1w", "1e3", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        words.duration_ns(text)


@pytest.mark.parametrize("text", ["1000000000s", "277778h", "99999999999999999999"])
def test_a_duration_that_is_too_long(text: str) -> None:
    """FlowTable's timeouts are up to 10**9 seconds; 64 bits hold 292 years of nanoseconds."""
    with pytest.raises(ValueError, match="is too long"):
        words.duration_ns(text)
    assert words.duration_ns("999999999s") == 999_999_999 * 10**9


@pytest.mark.parametrize(
    ("text", "octets"),
    [("1000", 1000), ("100M", 10**8), ("64Ki", 65_536), ("2GB", 2 * 10**9), ("1TiB", 2**40)],
)
def test_sizes(text: str, octets: int) -> None:
    assert words.size_bytes(text) == octets


@pytest.mark.parametrize("text", ["", "M", "1.5M", "-3", "10X"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        words.size_bytes(text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        # `date -u -d 2026-11-22T22:30:52Z +%s` is 1795386652
        ("2026-11-22T22:30:52Z", 1_795_386_652 * 10**9),
        ("2026-11-22T22:30:52", 1_795_386_652 * 10**9),
        ("2026-11-22 23:30:52+01:00", 1_795_386_652 * 10**9),
        ("2026-11-22T22:30:52.615083123Z", 1_795_386_652_615_083_123),
        ("1795386652.5", 1_795_386_652_500_000_000),
        ("1970-01-02", 86_400 * 10**9),
        ("1969-12-31T23:59:59.75Z", -250_000_000),
    ],
)
def test_times(text: str, nanoseconds: int) -> None:
    assert words.time_ns(text) == nanoseconds
    assert words.when(text) == (False, nanoseconds)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01", "2026-11-22T25:00:00Z", "22:30", "1.2.3"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        words.time_ns(text)


def test_times_after_the_first_packet() -> None:
    assert words.when("+1.5m") == (True, 90 * 10**9)


def test_ranges() -> None:
    assert words.ranges("1-10,20, 30-") == [(1, 10), (20, 20), (30, None)]


def test_blanks_and_a_last_comma() -> None:
    assert words.listed("time, src ,") == ["time", "src"]
    assert words.listed("time,,src") == ["time", "", "src"]
    assert words.listed("") == [""]
    assert words.numbers("53, 5353,") == (53, 5353)
    assert words.ranges("1-10, 20,") == [(1, 10), (20, 20)]
    for fields in ("time, src", "time,src,"):
        assert plt_run("packets", "--fields", fields, "--limit", "1", DNS).names == ["time", "src"]
    for sort in ("time", " time "):
        assert plt_run("packets", "--sort", sort, "--limit", "1", DNS).code == 0


@pytest.mark.parametrize("text", ["", ",", "53,,5353", "53,dns"])
def test_what_are_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="are no numbers"):
        words.numbers(text)


@pytest.mark.parametrize("text", ["", "0", "5-3", "a", "1,,2", "-5", "1-2-3"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="is no range"):
        words.ranges(text)


def test_quantities_as_people_read_them() -> None:
    assert [duration(s) for s in (2.5, 0.042566, 0.0000021, 5e-9, 0.0)] == [
        "2.500 s", "42.566 ms", "2.100 µs", "5 ns", "0 ns",
    ]  # fmt: skip
    assert [rate(b) for b in (0.0, 999.0, 1500.0, 2e6, 1e10)] == [
        "0 bit/s", "999 bit/s", "1.50 kbit/s", "2.00 Mbit/s", "10.00 Gbit/s",
    ]  # fmt: skip
    # RFC 9293 section 3.1: FIN is the lowest bit, then SYN, RST, PSH, ACK
    assert [tcp_flags(f) for f in (0x02, 0x12, 0x18, 0x04)] == ["S", "SA", "PA", "R"]


@pytest.mark.parametrize(
    ("table", "one"),
    [("packets", "tcp.flags"), ("dns", "qname"), ("streams", "fwd_missing"), ("flows", "packets")],
)
def test_the_columns_that_are_listed_can_be_asked_for(table: str, one: str) -> None:
    listed = plt_run("fields", table).rows
    names = [name for name, what in listed if not re.search(r" \(--[\w ,-]+\)$", what)]
    shown = plt_run(table, "--fields", ",".join(names), "--limit", "2", DNS)
    assert (shown.code, shown.names) == (0, names)
    assert one in names


@pytest.mark.parametrize(
    ("table", "asked", "offered"),
    [
        ("packets", "SRC", ["src"]),
        ("packets", "Wire_Len", ["wire_len"]),
        ("packets", "bytes", ["wire_len"]),
        ("packets", "flag", ["tcp.flags"]),
        ("flows", "src", ["src_prefix"]),
        ("flows", "wire_len", ["bytes"]),
        ("flows", "time", ["first_time"]),
        ("flows", "packet", ["packets"]),
        ("flows", "byts", ["bytes"]),
        ("streams", "bytes", ["fwd_bytes", "rev_bytes"]),
        ("dns", "rtt", ["response_time"]),
        ("dns", "name", ["qname"]),
    ],
)
def test_columns_that_are_offered_for_others(table: str, asked: str, offered: list[str]) -> None:
    """The likeliest first, and the command that lists all of them."""
    done = plt_run(table, "--fields", asked, DNS)
    assert done.code == 1
    names = re.search(r"; near: ([^;]*); ", done.err)
    assert names
    assert names[1].split(", ")[: len(offered)] == offered
    command = re.search(r"; plt (fields \w+) lists all$", done.err)
    assert command
    assert offered[0] in [row[0] for row in plt_run(*command[1].split()).rows]


def test_columns_of_tables_are_offered_in_python_too() -> None:
    with pytest.raises(ValueError, match=r"no column is named 'Bytes'; near: wire_len \("):
        plt.columns(DNS, ["Bytes"])  # type: ignore[list-item]


def test_all_usual_names_are_of_columns() -> None:
    """A misspelt one in the table of them would never be offered."""
    known = {row[0] for name in ("packets", "flows", "streams", "dns")
             for row in plt_run("fields", name).rows}  # fmt: skip
    assert {name for names in USUAL.values() for name in names} <= known
