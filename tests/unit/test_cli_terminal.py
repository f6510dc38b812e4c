"""What a terminal shows: tables that fit its width, names for numbers, and a progress bar."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import DNS, EDGE, command, plt_run

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_terminal(
    arguments: Sequence[str | Path], columns: int, stdout: int | None = None, **more: str
) -> tuple[int, str]:
    """The exit code of a command on a terminal of so many columns, and all that it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        if name not in more:
            env.pop(name, None)
    with subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env=env,
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # Linux's end of a terminal
                break
            if not piece:
                break
            written += piece
    os.close(ours)
    return process.returncode, written.decode()


def lines(text: str) -> list[str]:
    """The lines of a screen, without colours."""
    return [line.rstrip() for line in ESCAPES.sub("", text).replace("\r", "").splitlines()]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ["packets", "--limit", "40", EDGE],
        ["packets", "-n", "--fields", "time,src,dst,tcp.flags,seconds,ip6.flow_label", EDGE],
        ["flows", "--limit", "40", EDGE],
        ["flows", "--first", "12", "--statistics", "--limit", "40", EDGE],
        ["dns", "--limit", "40", DNS],
        ["rates", "--interval", "1s", EDGE],
        ["info", EDGE],
        ["fields", "flows"],
        ["--help"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_tables_fit_the_terminal(arguments: list[str], columns: int) -> None:
    code, text = on_terminal(arguments, columns)
    assert code == 0
    shown = lines(text)
    assert len(shown) > 10
    assert max(map(len, shown)) <= columns


@pytest.mark.parametrize("columns", [24, 30, 40, 60])
def test_numbers_are_whole_where_there_is_little_room(columns: int) -> None:
    """tshark's counts of tutorial/traces/README.md: shares are left out first."""
    _, text = on_terminal(["info", "--top", "1", EDGE], columns)
    shown = lines(text)
    assert max(map(len, shown)) <= columns
    assert "\u2026" not in text
    (tcp,) = [line.split() for line in shown if "3,060,021" in line]
    assert "4,452" in tcp
    assert ("%" in tcp) == (columns == 60)


def test_packets() -> None:
    """The first packets as `tshark -t u` has them; the first is 114 bytes and an FCS of 4 long."""
    _, text = on_terminal(["packets", "--limit", "2", EDGE], 80)
    head, first, second = lines(text)
    assert head.split() == [
        "time", "source", "port", "destination", "port", "proto", "flags", "length",
    ]  # fmt: skip
    assert first.split() == [
        "22:30:52.615083", "2001:db8:ff::66", "39913", "2001:db8:1::20", "53", "UDP", "118",
    ]  # fmt: skip
    assert second.split()[1:5] == ["198.51.100.101", "47509", "192.0.2.14", "53"]
    _, text = on_terminal(["packets", "--limit", "2", EDGE], 120)
    assert lines(text)[1].startswith("2026-11-22 22:30:52.615083  2001:db8:ff::66")


def test_ipv4_addresses_are_not_broken() -> None:
    for name, trace in (("flows", EDGE), ("dns", DNS), ("packets", DNS)):
        _, text = on_terminal([name, "--filter", "ip", "--limit", "30", trace], 80)
        shown = lines(text)
        assert len(shown) > 30
        assert all(len(re.findall(r"\d+\.\d+\.\d+\.\d+", line)) == 2 for line in shown[1:31:10])


def test_names_for_numbers() -> None:
    # tshark -Y 'dns.flags.response == 1' -T fields -e dns.qry.name -e dns.time -c 5: 0.030921
    _, text = on_terminal(["dns", "--limit", "5", DNS], 80)
    answer = next(line for line in lines(text) if "response" in line)
    assert answer.split()[2:] == ["response", "com.", "A", "NOERROR", "30.921", "ms"]
    _, text = on_terminal(["flows", "--limit", "1", EDGE], 120)
    # the values of the same flow in doc/flowtables.md
    assert "711  580,071  closed" in lines(text)[1]
    fields = ["--first", "2", "--statistics", "--fields", "first_gaps,size_mean,gap_max"]
    _, text = on_terminal(["flows", *fields, "--limit", "1", EDGE], 120)
    assert lines(text)[1].split()[:5] == ["0", "ns,", "42.622", "ms", "793.9"]


def test_colours_only_where_they_are_wanted() -> None:
    assert "\x1b[1m" in on_terminal(["packets", "--limit", "1", EDGE], 80)[1]
    plain = on_terminal(["packets", "--limit", "1", EDGE], 80, NO_COLOR="1", TERM="dumb")[1]
    assert "\x1b" not in plain
    assert "\x1b" not in plt_run("info", EDGE).out


@pytest.mark.parametrize(
    "words",
    [["cut"], ["merge"], ["anon"], ["convert", "--format", "pcap"],
     ["convert", "--format", "parquet"]],
    ids=" ".join,
)  # fmt: skip
def test_bytes_are_not_written_to_a_terminal(words: list[str]) -> None:
    code, text = on_terminal([*words, "-o", "-", EDGE], 80)
    assert code == 1
    said = "plt: standard output is a terminal: give -o a file, or pipe it to what reads it"
    assert lines(text) == [said]


def test_text_is_written_to_a_terminal() -> None:
    code, text = on_terminal(["convert", "--format", "csv", "-o", "-", DNS], 200)
    assert (code, len(lines(text))) == (0, 1 + 1000)


def test_json_and_pipes_are_the_same_on_a_terminal() -> None:
    arguments = ["packets", "--json", "--limit", "5", EDGE]
    assert on_terminal(arguments, 80)[1].replace("\r\n", "\n") == plt_run(*arguments).out


#: Writes a file to another in 2 seconds.
SLOWLY = """
import sys, time
data = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "wb", buffering=0) as out:
    for at in range(0, len(data), len(data) // 10):
        out.write(data[at : at + len(data) // 10])
        time.sleep(0.2)
"""


@pytest.mark.parametrize("arguments", [["flows", "--limit", "1"], ["info"]])
def test_a_bar_where_it_takes_long(arguments: list[str], tmp_path: Path) -> None:
    """A fifo that is filled slowly: the bar counts packets, and is gone at the end."""
    fifo = tmp_path / "slow.pcap.gz"
    os.mkfifo(fifo)
    with subprocess.Popen([sys.executable, "-c", SLOWLY, EDGE, str(fifo)], env=os.environ):
        code, text = on_terminal([*arguments, fifo], 80)
    assert code == 0
    assert re.search(r"[\d,]+ packets", ESCAPES.sub("", text))
    assert "\x1b[?25l" in text  # the bar hides the cursor
    assert "\x1b[?25h" in text  # and shows it again


def test_no_bar_amid_rows(tmp_path: Path) -> None:
    arguments = ["packets", "--filter", "ip", *[EDGE] * 3]  # whose addresses need one line
    code, text = on_terminal(arguments, 80)
    assert code == 0
    assert "\x1b[?25l" not in text
    assert len(lines(text)) == 1 + len(plt_run(*arguments).rows)
    with open(tmp_path / "rows.tsv", "wb") as file:
        code, text = on_terminal(["packets", EDGE], 80, stdout=file.fileno())
    assert (code, text) == (0, "")
    assert (tmp_path / "rows.tsv").read_text() == plt_run("packets", EDGE).out


def test_the_bar_knows_how_far_files_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plt.cli import progress  # noqa: PLC0415

    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        path.write_bytes(bytes(1000))
    told: list[tuple[object, object]] = []

    class Shown:
        task_ids = (0,)

        def update(self, _task: int, *, completed: int, packets: str) -> None:
            told.append((completed, packets))

    monkeypatch.setattr(progress, "shown", lambda total: told.append(("of", total)) or Shown())
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    bar = progress.Bar([str(path) for path in paths])
    with paths[0].open("rb", buffering=0) as file:
        file.read(300)
        bar(1234)
    with paths[1].open("rb", buffering=0) as file:
        file.read(500)
        bar(5678)
    assert told == [("of", 2000), (300, "1,234"), (1500, "5,678")]
