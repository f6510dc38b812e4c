"""How commands end: exit codes, one line of what is wrong, and no file that is half-written."""

import errno
import gzip
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import DNS, EDGE, LINKS, ROOT, command, plt_process, plt_run

import plt

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")

import click

from plt.cli.run import COMMANDS, app


def one_line(text: str) -> str:
    """A text that is one line, without its end."""
    assert text.count("\n") == 1
    assert text.endswith("\n")
    return text[:-1]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """The first trace, with the last of its packets cut: 96 bytes each at most, 40 are missing."""
    path = tmp_path / "damaged.pcap"
    assert plt_run("convert", "-o", path, EDGE).code == 0
    path.write_bytes(path.read_bytes()[:-40])
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["info", "/nonexistent.pcap"], "plt: /nonexistent.pcap: No such file or directory"),
        (["packets", EDGE, "/nonexistent.pcap"], "plt: /nonexistent.pcap: No such file"),
        (["flows", "/"], "plt: /: it is a directory"),
        (["dns", __file__], f"plt: {__file__}: no trace of a format that is known"),
        (["packets", "--fields", "time,sorc", EDGE], "plt: no column is named 'sorc'; near: src"),
        (["flows", "--fields", "src", EDGE], "plt: no column is named 'src'; near: src_prefix"),
        (["packets", "--fields", "time,,src", EDGE], "plt: no column is named ''; plt fields pac"),
        (["flows", "--sort", "byts", EDGE], "plt: no column is named 'byts'; near: bytes"),
        (["dns", "--sort", "wire_le", DNS], "plt: no column is named 'wire_le'; near: wire_len"),
        (["convert", "--table", "dns", "--fields", "tcp.flags", "-o", "x.csv", DNS], "plt: no col"),
        (["packets", "--filter", "tcp porrt", EDGE], 'plt: Unable to compile the filter "tcp por'),
        (["info", "--where", "prto == 6", EDGE], "plt: --where: no column is named prto; near"),
        (["flows", "--home", "10.0.0.0/40", EDGE], "plt: --home: IPv4 length must be 0 t"),
        (["flows", "--home", "192.0.2.0", EDGE], "plt: --home: 192.0.2.0 is an address: a network"),
        (["flows", "--home", "2001:db8::", EDGE], "plt: --home: 2001:db8:: is an address: a netwo"),
        (["flows", "--home", "192.0.2.300", EDGE], "plt: --home: not an IPv4 or IPv6 address: "),
        (["info", "--where", "tcp prt 80", EDGE], "plt: --where: and, or or the end is to stand"),
        (["info", "--filter", "dst_port == 80", EDGE], "plt: --filter: conditions on columns are "),
        (["dns", "--ports", "70000", DNS], "plt: "),
        (["flows", "--sort", "client_rtt", EDGE], "plt: client_rtt is a column of plt flows --tcp"),
        (["flows", "--fields", "tunnel_id", EDGE], "plt: tunnel_id is a column of plt flows --dec"),
        (["flows", "--fields", "first_ways", EDGE], "plt: first_ways is a column of plt flows --f"),
        (["flows", "--sort", "gap_max", EDGE], "plt: gap_max is a column of plt flows --stat"),
        (["flows", "--first", "2", "--sort", "first_gaps", EDGE], "plt: --sort first_gaps: its va"),
        (["packets", "--tunnel-ports", "vxln=1", EDGE], "plt: decap: 'vxln' is no tunnel over UDP"),
        (["streams", "--follow", "60", LINKS], "plt: there is no stream 60: there are 59"),
        (["streams", "--write", "/dev/null/x", DNS], "plt: /dev/null/x: Not a directory"),
        (["streams", "--way-limit", "0", DNS], "plt: way_limit is 1 to 2**48 bytes, not 0"),
        (["streams", "--sort", "bytes", DNS], "plt: no column is named 'bytes'; near: "),
        (["convert", "--tcp", "-o", "x.csv", DNS], "plt: --tcp is for --table flows"),
        (["convert", "--first", "2", "-o", "x.csv", DNS], "plt: --first is for --table flows"),
        (["convert", "--reassemble", "-o", "x.csv", DNS], "plt: --reassemble is for --table dns"),
        (["convert", "--table", "flows", "--decap", "-o", "x.pcap", DNS], "plt: --decap is for t"),
        (["rates", "--interval", "0s", EDGE], "plt: an interval is longer than 0"),
        (["rates", "--interval", "1ns", EDGE], "plt: that would be 57,724,869,001 intervals: "),
        (["convert", "-o", "x.docx", EDGE], "plt: x.docx: its name tells no format"),
        (["merge", "-o", "x.csv", EDGE], "plt: x.csv: its name tells no format of traces"),
        (["cut", "-o", "/nonexistent/x.pcap", EDGE], "plt: /nonexistent/x.pcap: No such file"),
        (["convert", "-o", "/nonexistent/x.csv", EDGE], "plt: /nonexistent/x.csv: No such file"),
        (["convert", "-o", "x.parquet.gz", EDGE], "plt: x.parquet.gz: its name tells no format"),
        (["convert", "--table", "dns", "-o", "x.pcap", EDGE], "plt: --table and --fields are for"),
        (["split", "--packets", "1", "-o", "-", EDGE], "plt: standard output is one file"),
        (["cut", "-o", EDGE, EDGE], f"plt: {EDGE}: it is one of the sources"),
        (["anon", "-o", "x.pcap", "--key-file", "/dev/null", EDGE], "plt: CryptoPan(): the key"),
        (["anon", "-o", "x.pcap", "--key-file", "/nokey", EDGE], "plt: /nokey: No such file"),
        (["anon", "-o", "x.pcap", "--key-file", "-", "-"], "plt: the key and a trace can't both"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = plt_run(*arguments)
    assert done.code == 1
    assert one_line(done.err).startswith(said)
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pakets", EDGE], "plt: No such command 'pakets'. Did you mean 'packets'?"),
        (["packet", EDGE], "plt: No such command 'packet'. Did you mean 'packets'?"),
        (["Flows", EDGE], "plt: No such command 'Flows'. Did you mean 'flows'?"),
        (["xyzzy", EDGE], "plt: No such command 'xyzzy'. ("),
        (["info", "--top"], "plt info: Option '--top' requires an argument. (plt info --help"),
        (["--top"], "plt: No such option '--top'. (plt --help"),
        (["cut", "-o", "x.pcap", "--from", "+20s", "--to", "+10s", EDGE], "plt cut: --to must be "),
        (["cut", "-o", "x.pcap", "--from", "20", "--to", "20", EDGE], "plt cut: --to must be late"),
        (["packets"], "plt packets: Missing argument 'SOURCE...'."),
        (["packets", "--colour", EDGE], "plt packets: No such option '--colour'."),
        (["flows", "--limit", "ten", EDGE], "plt flows: Invalid value for '--limit'"),
        (["flows", "--first", "1025", EDGE], "plt flows: Invalid value for '--first'"),
        (["cut", EDGE], "plt cut: Missing option '-o'"),
        (["cut", "-o", "x.pcap", "--from", "noon", EDGE], "plt cut: Invalid value for '--from'"),
        (["cut", "-o", "x.pcap", "--packets", "0", EDGE], "plt cut: Invalid value for '--packets'"),
        (["split", "-o", "x.pcap", EDGE], "plt split: one of --every, --packets and --size"),
        (["split", "-o", "x.pcap", "--size", "0", EDGE], "plt split: --size must be more than 0"),
        (["split", "-o", "x.pcap", "--every", "0s", EDGE], "plt split: --every must be more than"),
        (
            ["split", "-o", "x.pcap", "--size", "1M", "--packets", "5", EDGE],
            "plt split: --packets and --size: give one of them",
        ),
        (["packets", "--limit", f"{10**20}", EDGE], "plt packets: Invalid value for '--limit'"),
        (["flows", "--limit", f"{10**20}", EDGE], "plt flows: Invalid value for '--limit'"),
        (["rates", "--interval", "2562048h", EDGE], "plt rates: Invalid value for '--interval'"),
        (["flows", "--active-timeout", "9999999999h", EDGE], "plt flows: Invalid value for '--act"),
        (["split", "-o", "x.pcap", "--size", "big", EDGE], "plt split: Invalid value for '--size'"),
        (["info", "--filter", "tcp", "--where", "tcp", EDGE], "plt info: --filter and --where: "),
        (
            ["packets", "--tunnel-ports", "vxlan", EDGE],
            "plt packets: Invalid value for '--tunnel-p",
        ),
        (["dns", "--ports", "53,domain", DNS], "plt dns: Invalid value for '--ports'"),
        (["streams", "--follow", "1", "--write", "x", EDGE], "plt streams: --follow and --write: "),
        (["streams", "--follow", "1", "--json", "--as", "raw", EDGE], "plt streams: --json has te"),
        (["streams", "--follow", "1", "--sort", "end", EDGE], "plt streams: --follow and --sort: "),
        (["streams", "--follow", "1", "--limit", "0", EDGE], "plt streams: --follow and --limit: "),
        (
            ["streams", "--follow", "1", "--fields", "end", EDGE],
            "plt streams: --follow and --field",
        ),
        (["streams", "--follow", "1", "--reverse", EDGE], "plt streams: --follow and --reverse: "),
        (["streams", "--follow", "1", "--no-header", EDGE], "plt streams: --follow and --no-head"),
        (["streams", "--as", "text", EDGE], "plt streams: --as is for --follow"),
        (["streams", "--write", "x", "--way", "fwd", EDGE], "plt streams: --way is for --follow"),
        (["streams", "--reverse", EDGE], "plt streams: --reverse is for --sort"),
        (["packets", "--reverse", EDGE], "plt packets: --reverse is for --sort"),
        (["dns", "--reverse", "--python", EDGE], "plt dns: --reverse is for --sort"),
        (["info", "--json", "--python", EDGE], "plt info: --json and --python: give one of them"),
    ],
)
def test_usage_errors(arguments: list[str], said: str) -> None:
    done = plt_run(*arguments)
    assert done.code == 2
    assert one_line(done.err).startswith(said)
    assert "--help" in done.err
    assert done.out == ""


def test_the_option_that_takes_the_other_language_is_named() -> None:
    done = plt_run("packets", "--where", "tcp port 80", EDGE)
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err).endswith(": 'tcp port 80'; tcpdump's language is for --filter")
    done = plt_run("packets", "--filter", "tcp and wire_len > 100", EDGE)
    assert (done.code, done.out) == (1, "")
    said = "plt: --filter: conditions on columns are for --where: 'tcp and wire_len > 100'"
    assert one_line(done.err) == said


def test_flows_are_sorted_without_being_asked() -> None:
    """By bytes, which --reverse turns round: those with the fewest first."""
    done = plt_run("flows", "--reverse", "--fields", "bytes", EDGE)
    assert done.code == 0
    octets = [int(row[0]) for row in done.rows]
    assert octets == sorted(octets)


def test_no_command_shows_the_help_as_an_error() -> None:
    done = plt_run()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: plt ")
    for name in ("info", "packets", "flows", "streams", "dns", "rates", "convert", "split", "merge",
                 "cut", "anon"):  # fmt: skip
        assert f"\n  {name} " in done.err
        shown = plt_run(name, "--help")
        assert (shown.code, shown.err) == (0, "")
        assert f"Example:\n    plt {name} " in shown.out


def test_the_version() -> None:
    import plt  # noqa: PLC0415

    assert plt_run("--version").out == f"plt {plt.__version__}\n"


# --- Damage ----------------------------------------------------------------------------------


def test_figures_up_to_the_damage(damaged: Path) -> None:
    said = f"plt: {damaged}: packet 10000: the trace is cut within a packet"
    packets = plt_run("packets", damaged)
    assert packets.code == 1
    assert one_line(packets.err).startswith(said)
    assert len(packets.rows) == 9999
    info = plt_run("info", damaged)
    assert info.code == 1
    assert one_line(info.err).startswith(said)
    assert "\npackets  9,999\n" in info.out
    assert "\ndamage   packet 10000: the trace is cut within a packet" in info.out
    flows = plt_run("flows", "--fields", "packets", damaged)
    assert (flows.code, one_line(flows.err)[: len(said)]) == (1, said)
    # tutorial/traces/README.md: 14 packets are ARP; the last one is TCP
    assert sum(int(row[0]) for row in flows.rows) == 9999 - 14


def test_what_follows_damage_is_read(damaged: Path) -> None:
    for name in ("packets", "flows", "rates"):
        done = plt_run(name, damaged, DNS)
        assert done.code == 1
        assert one_line(done.err).startswith(f"plt: {damaged}: packet 10000:")
        if name == "packets":
            assert len(done.rows) == 10_999
        elif name == "rates":
            assert sum(int(row[1]) for row in done.rows) == 10_999


@pytest.fixture
def bad(tmp_path: Path) -> list[tuple[Path, str]]:
    """Files that are no traces, and what is said of them."""
    empty, text, folder = (tmp_path / name for name in ("empty.pcap", "text.pcap", "folder.pcap"))
    empty.write_bytes(b"")
    text.write_text("hello\n")
    folder.mkdir()
    return [
        (empty, "the file is empty"),
        (text, "no trace of a format that is known"),
        (folder, "it is a directory"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [["info", "--json"], ["packets"], ["flows"], ["streams"], ["dns"], ["rates"]],
    ids=lambda arguments: arguments[0],
)
def test_files_that_are_no_traces_among_others(
    arguments: list[str], bad: list[tuple[Path, str]]
) -> None:
    """They are told, and what the others have is printed."""
    (one, _), *others = bad
    done = plt_run(*arguments, one, DNS, *(path for path, _ in others))
    assert done.code == 1
    said = done.err.splitlines()
    assert len(said) == len(bad)
    for line, (path, what) in zip(said, bad, strict=True):
        assert line.startswith(f"plt: {path}: {what}")
    assert done.out == plt_run(*arguments, DNS).out


@pytest.mark.parametrize("name", ["cut", "merge", "convert", "anon"])
def test_files_that_are_no_traces_leave_the_others_to_be_written(
    name: str, bad: list[tuple[Path, str]], tmp_path: Path
) -> None:
    out = tmp_path / "out.pcap"
    done = plt_run(name, "-o", out, bad[0][0], DNS, bad[1][0])
    assert (done.code, len(done.err.splitlines())) == (1, 2)
    assert len(plt_run("packets", out).rows) == 1000


def test_nothing_but_files_that_are_no_traces(bad: list[tuple[Path, str]], tmp_path: Path) -> None:
    out = tmp_path / "out.pcap"
    for words in (["info"], ["rates"], ["cut", "-o", out]):
        done = plt_run(*words, *(path for path, _ in bad))
        assert (done.code, done.out) == (1, "")
        assert len(done.err.splitlines()) == len(bad)
    assert not out.exists()


def test_a_file_that_is_not_there_stops_at_once(bad: list[tuple[Path, str]]) -> None:
    done = plt_run("info", bad[0][0], DNS, "/nonexistent.pcap")
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err) == "plt: /nonexistent.pcap: No such file or directory"


def test_a_pipe_with_no_trace_after_others(tmp_path: Path) -> None:
    """What comes through it can't be looked at first."""
    out = tmp_path / "out.pcap"
    done = plt_process("cut", "-o", out, DNS, "-", stdin=b"hello")
    assert done.code == 1
    assert one_line(done.err).startswith("plt: -: no trace of a format that is known")
    assert len(plt_run("packets", out).rows) == 1000
    for name in ("packets", "flows", "rates"):
        done = plt_process(name, DNS, "-", stdin=b"hello")
        assert done.code == 1
        assert one_line(done.err).startswith("plt: -: no trace of a format that is known")
        assert done.out == plt_run(name, DNS).out


def test_what_was_read_before_damage_is_written(damaged: Path, tmp_path: Path) -> None:
    for name in ("x.csv", "x.pcap"):
        done = plt_run("convert", "-o", tmp_path / name, damaged)
        assert (done.code, done.err.count("\n")) == (1, 1)
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 1 + 9999
    assert len(plt_run("packets", tmp_path / "x.pcap").rows) == 9999


# --- Pipes, full disks, Ctrl-C ---------------------------------------------------------------


def test_a_trace_from_standard_input() -> None:
    packed = Path(EDGE).read_bytes()
    for data in (packed, gzip.decompress(packed)):
        assert plt_process("packets", "-", stdin=data).out == plt_run("packets", EDGE).out
    shown = plt_process("info", "-", stdin=packed)
    assert (shown.code, shown.err) == (0, "")
    assert "\npackets  10,000\n" in shown.out


def read_a_little_of(words: list[str]) -> tuple[int, bytes]:
    """How a command ends whose output is read no further, and what it says of that."""
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stdout.read(10)) == 10
        process.stdout.close()
        said = process.stderr.read()
    return process.returncode, said


@pytest.mark.parametrize(
    "arguments",
    [
        ["packets", EDGE, EDGE, EDGE],
        ["packets", "--json", EDGE, EDGE],
        ["rates", "--interval", "1ms", EDGE],
        ["convert", "-o", "-", "--format", "csv", EDGE, EDGE, EDGE],
        ["convert", "-o", "-", "--format", "pcap", EDGE, EDGE, EDGE],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_who_reads_no_more_ends_it_silently(arguments: list[str]) -> None:
    """Each prints more than a megabyte, which no pipe holds."""
    assert read_a_little_of(command(*arguments)) == (-signal.SIGPIPE, b"")


@pytest.mark.parametrize(
    "arguments",
    [["packets"], ["convert", "-o", "-", "--format", "csv"],
     ["convert", "-o", "-", "--format", "pcap"]],
    ids=" ".join,
)  # fmt: skip
def test_who_reads_no_more_where_the_signal_is_blocked(arguments: list[str]) -> None:
    """SIGPIPE does not end such a process: its exit code does."""
    blocking = (
        "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE}); "
    )
    blocking += "from plt.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", blocking, *arguments, EDGE, EDGE, EDGE]
    assert read_a_little_of(words) == (1, b"")


@pytest.mark.parametrize(
    "arguments",
    [["info", EDGE], ["packets", "--limit", "1", EDGE], ["rates", EDGE], ["cut", "--python", EDGE,
     "-o", "x.pcap"], ["convert", "-o", "-", "--format", "csv", EDGE], ["--help"]],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_is_full(unbuffered: str, arguments: list[str]) -> None:
    """Whether that is found by what prints, or at the end by what has kept it till then."""
    env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(*arguments), stdout=full, stderr=subprocess.PIPE, env=env, check=False
        )
    assert done.returncode == 1
    said = one_line(done.stderr.decode())
    assert said.startswith("plt: ")
    assert said.endswith(os.strerror(errno.ENOSPC))


def test_standard_output_that_is_closed() -> None:
    closed = [
        sys.executable,
        "-c",
        "import os, sys; os.close(1); os.execv(sys.argv[1], sys.argv[1:])",
    ]
    done = subprocess.run(
        [*closed, *command("flows", EDGE)], stderr=subprocess.PIPE, env=os.environ, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"plt: standard output is closed\n")


WRITERS = [
    ["convert", "--format", "csv"], ["convert", "--format", "jsonl"],
    ["convert", "--format", "pcap"], ["convert", "--format", "parquet"], ["merge"], ["cut"],
    ["anon"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRITERS, ids=" ".join)
def test_a_device_that_is_full(arguments: list[str], tmp_path: Path) -> None:
    if "parquet" in arguments:
        pytest.importorskip("pyarrow")
    full = tmp_path / "x.pcap"
    full.symlink_to("/dev/full")
    done = plt_run(*arguments, "-o", full, EDGE)
    assert done.code == 1
    assert one_line(done.err).startswith(f"plt: {full}: ")
    assert os.strerror(errno.ENOSPC) in done.err


@pytest.fixture
def small_disk(tmp_path: Path) -> object:
    """A file system of 200,000 bytes or so."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)],
        capture_output=True, env=os.environ, check=False,
    ) if shutil.which("mount") else None  # fmt: skip
    if made is None or made.returncode:
        pytest.skip("a small file system can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], env=os.environ, check=True)


@pytest.mark.parametrize("arguments", WRITERS, ids=" ".join)
def test_a_full_disk_leaves_what_was_there(arguments: list[str], small_disk: Path) -> None:
    if "parquet" in arguments:
        pytest.importorskip("pyarrow")
    kept = small_disk / "x.pcap"
    kept.write_bytes(b"of before")
    done = plt_run(*arguments, "-o", kept, EDGE, DNS, EDGE, EDGE, EDGE)
    assert done.code == 1
    assert one_line(done.err).startswith(f"plt: {kept}: ")
    assert os.strerror(errno.ENOSPC) in done.err
    assert kept.read_bytes() == b"of before"
    assert list(small_disk.iterdir()) == [kept]


def test_parts_that_are_whole_stay_where_the_disk_is_full(small_disk: Path) -> None:
    done = plt_run("split", "--size", "90k", "-o", small_disk / "x.pcap", EDGE)
    assert done.code == 1
    assert one_line(done.err) == f"plt: {small_disk}/x-0003.pcap: {os.strerror(errno.ENOSPC)}"
    assert sorted(path.name for path in small_disk.iterdir()) == ["x-0001.pcap", "x-0002.pcap"]
    assert [row[0] for row in done.rows] == [str(p) for p in sorted(small_disk.iterdir())]
    counts = [len(plt_run("packets", path).rows) for path in sorted(small_disk.iterdir())]
    assert min(counts) > 900


def test_files_get_their_names_when_they_are_whole(tmp_path: Path) -> None:
    """The permissions of a file stay, a link to one goes on to be a link."""
    old = tmp_path / "old.csv"
    old.write_text("before")
    old.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to("old.csv")
    assert plt_run("convert", "-o", link, DNS).code == 0
    assert link.is_symlink()
    assert old.stat().st_mode & 0o777 == 0o640
    assert len(old.read_text().splitlines()) == 1 + 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "old.csv"]


@pytest.mark.parametrize(
    "arguments",
    [["packets"], ["info"], ["flows"], ["convert", "-o", "x.csv"], ["cut", "-o", "x.pcap"]],
    ids=lambda arguments: arguments[0],
)
def test_interrupts(arguments: list[str], tmp_path: Path) -> None:
    """Ctrl-C while a pipe that never ends is read: no word, and what came is written."""
    with subprocess.Popen(
        command(*arguments, "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=os.environ,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(Path(DNS).read_bytes()[:40_000])
        process.stdin.flush()
        while not waits_for(process.pid):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert (process.returncode, said) == (130, b"")
    assert [path.name for path in tmp_path.iterdir()] == arguments[2:]


def test_an_interrupt_while_a_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no file of some of its packets, and the one before stays."""
    read = plt.Columns.__iter__

    def interrupted(columns: plt.Columns) -> Iterator[plt.Batch]:
        yield next(read(columns))
        raise KeyboardInterrupt

    monkeypatch.setattr(plt.Columns, "__iter__", interrupted)
    out = tmp_path / "x.csv"
    out.write_text("before")
    done = plt_run("convert", "-o", out, DNS)
    assert (done.code, done.out, done.err) == (130, "", "")
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def waits_for(pid: int) -> bool:
    """Whether a process is in a read of its standard input: system call 0, descriptor 0."""
    try:
        call = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return True
    return call[:2] == ["0", "0x0"]


def test_parts_that_are_whole_are_listed_where_the_next_one_fails(tmp_path: Path) -> None:
    """A folder is in the place of the second."""
    (tmp_path / "x-0002.pcap").mkdir()
    done = plt_run("split", "--packets", "600", "-o", tmp_path / "x.pcap", DNS)
    assert done.code == 1
    assert done.err.startswith(f"plt: {tmp_path / 'x-0002.pcap'}: ")
    assert [row[:2] for row in done.rows] == [[str(tmp_path / "x-0001.pcap"), "600"]]
    assert len(plt_run("packets", tmp_path / "x-0001.pcap").rows) == 600


def test_a_name_that_says_what_closed_pipes_do(tmp_path: Path) -> None:
    """That is no closed pipe."""
    name = tmp_path / os.strerror(errno.EPIPE)
    done = plt_run("info", name)
    assert (done.code, done.err) == (1, f"plt: {name}: {os.strerror(errno.ENOENT)}\n")


def test_numbers_that_no_bound_was_thought_of_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An OverflowError is said in a line, too."""
    monkeypatch.setattr("plt.cli.info.Summary", lambda: (10**100).to_bytes(1))
    done = plt_run("info", EDGE)
    assert (done.code, done.err) == (1, "plt: int too big to convert\n")


def test_a_file_without_the_right_to_read_it(tmp_path: Path) -> None:
    """It is no usage error: the file is named, and the exit code is 1."""
    path = tmp_path / "a.pcap.gz"
    path.write_bytes(Path(EDGE).read_bytes())
    path.chmod(0)
    words = command("info", path)
    if os.access(path, os.R_OK):
        rights = "-dac_override,-dac_read_search"  # capabilities(7): root's to read everything
        words = ["setpriv", "--bounding-set", rights, "--inh-caps", rights, *words]
        if shutil.which("setpriv") is None:
            pytest.skip("this user may read everything")
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"plt: {path}: {os.strerror(errno.EACCES)}\n"


def test_rights_are_left_to_who_opens_a_file() -> None:
    """Where a user may read everything, click would not look at them."""
    for name in COMMANDS:
        command = app.get_command(click.Context(app), name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter.type, click.Path):
                assert not parameter.type.readable, (name, parameter.name)


def test_parts_do_not_replace_a_source(tmp_path: Path) -> None:
    source = tmp_path / "x-0002.pcap"
    assert plt_run("convert", "-o", source, DNS).code == 0
    before = source.read_bytes()
    done = plt_run("split", "--packets", "600", "-o", tmp_path / "x.pcap", source)
    assert (done.code, done.err) == (1, f"plt: {source}: it is one of the sources\n")
    assert source.read_bytes() == before


def test_names_of_any_bytes(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.pcap.gz"
    Path(os.fsdecode(name)).write_bytes(Path(DNS).read_bytes())
    done = subprocess.run(
        [*command("split", "--packets", "600", "-o", os.fsdecode(name)[:-8] + "-\udcfe.pcap"),
         name], capture_output=True, env=os.environ, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"-\xfe-0001.pcap\t600\t") == 1
    assert done.stdout.count(b"-\xfe-0002.pcap\t400\t") == 1


# --- What it needs ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["click", "rich", "numpy"])
def test_a_missing_extra_is_named(name: str) -> None:
    script = f"import sys; sys.modules[{name!r}] = None; from plt.cli import main; "
    script += f"sys.stdout.isatty = lambda: True; sys.exit(main(['flows', {EDGE!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=False
    )
    expected = f'plt: the command line needs {name}: pip install "python-libtrace[cli]"\n'
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


def test_parquet_without_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plt.cli import parquet  # noqa: PLC0415

    monkeypatch.setattr(parquet.importlib.util, "find_spec", lambda _name: None)
    done = plt_run("convert", "-o", tmp_path / "x.parquet", EDGE)
    assert done.code == 1
    assert done.err == "plt: Parquet needs pyarrow or polars: pip install pyarrow\n"
    assert list(tmp_path.iterdir()) == []


def test_parquet_by_polars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    from plt.cli import parquet  # noqa: PLC0415

    words = ["convert", "--fields", "time,src,dst,wire_len", EDGE, "-o"]
    assert plt_run(*words, tmp_path / "pyarrow.parquet").code == 0
    monkeypatch.setattr(parquet.importlib.util, "find_spec", "polars".__eq__)
    assert plt_run(*words, tmp_path / "polars.parquet").code == 0
    one, other = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("pyarrow", "polars"))
    assert one.columns == other.columns == ["time", "src", "dst", "wire_len"]
    assert one.rows() == other.rows()
    assert len(one) == 10_000


def test_the_script_is_the_command_line() -> None:
    project = ROOT / "pyproject.toml"
    if not project.is_file():
        pytest.skip("there is no pyproject.toml here")
    scripts = tomllib.loads(project.read_text())["project"]["scripts"]
    module, _, function = scripts["plt"].partition(":")
    main = getattr(importlib.import_module(module), function)
    assert main(["info", "--json", DNS]) == 0


def test_plt_alone_imports_no_command_line() -> None:
    script = "import plt, sys; print(sorted({'plt.cli', 'click', 'rich'} & {*sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True
    )
    assert done.stdout == "[]\n"


def test_names_that_are_imported_when_they_are_used_are_listed() -> None:
    assert {*plt.__all__} <= {*dir(plt)}


def test_a_module_that_is_run_does_nothing_where_it_is_imported(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As by what lists a package's modules."""
    importlib.import_module("plt.__main__")
    assert capfd.readouterr() == ("", "")


def test_plt_alone_imports_little() -> None:
    """What takes long to import comes when it is used."""
    script = (
        "import sys; before = {*sys.modules}; import plt; new = {*sys.modules} - before;"
        "heavy = {'dataclasses', 'inspect', 'pathlib', 'difflib', 'numpy', 'threading'};"
        "print(sorted(heavy & new), sorted(name for name in new if name.startswith('plt')));"
        "print([name for name in plt.__all__ if not hasattr(plt, name)]);"
        "print({*plt.__all__} - {*dir(plt)})"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
    )
    modules = "['plt', 'plt._plt', 'plt._tunnel', 'plt._version']"
    assert done.stdout == f"[] {modules}\n[]\nset()\n"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("plt pa", {"packets"}),
        ("plt flows --sor", {"--sort"}),
        ("plt packets --fields time,tcp.sy", {"time,tcp.syn_flag"}),
        ("plt dns --sort resp", {"response_time"}),
        ("plt convert --table f", {"flows"}),
        ("plt convert --fields time,qn", {"time,qname"}),
        ("plt convert --fields retr", {"retransmits"}),
    ],
)
def test_shell_completion(words: str, offered: set[str]) -> None:
    env = dict(os.environ, _PLT_COMPLETE="bash_complete", COMP_WORDS=words)
    env["COMP_CWORD"] = str(len(words.split()) - 1)
    done = subprocess.run(command(), capture_output=True, text=True, env=env, check=False)
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    done = plt_run("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "_PLT_COMPLETE" in done.out
    if shutil.which(shell):
        checked = subprocess.run(
            [shell, "-n"], input=done.out, text=True, env=os.environ, check=False
        )
        assert checked.returncode == 0
