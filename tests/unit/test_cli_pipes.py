"""The command line on pipes that go on: Ctrl-C keeps what came through them."""

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from command_line import EDGE, command, plt_process, plt_run
from pace import wait_until_it_waits
from packets import EPOCH, RAW, Record, ipv4, pcap, read, udp

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")

from plt.cli.rates import rows_in_turn
from plt.cli.show import Style, show_together
from plt.cli.sources import is_streaming

PACKETS = [Record(ipv4(udp(b"%d" % n), 17), EPOCH + n) for n in range(6)]
TRACE = pcap(PACKETS, RAW)


def interrupted(
    arguments: Sequence[str | Path], *pipes: tuple[Path, bytes], stdin: bytes = b""
) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a command that gets Ctrl-C when all is read of its pipes."""
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                command(*arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ,
            )
        )
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.flush()
        for path, content in pipes:
            pipe = stack.enter_context(open(path, "wb", buffering=0))
            pipe.write(content)
        wait_until_it_waits(process.pid)
        process.send_signal(signal.SIGINT)
        # it is not communicate() that ends the pipes, which would end the reading too
        code = process.wait()
        assert process.stdout is not None
        assert process.stderr is not None
        return code, process.stdout.read(), process.stderr.read()


@pytest.mark.parametrize("name", ["cut", "convert", "merge", "anon"])
def test_ctrl_c_keeps_what_was_written(name: str, tmp_path: Path) -> None:
    """Payloads of `plt anon` stay: the addresses are others."""
    out = tmp_path / "kept.pcap"
    more = ["--payload", "keep"] if name == "anon" else []
    code, printed, said = interrupted([name, *more, "-o", out, "-"], stdin=TRACE)
    assert (code, printed, said) == (130, b"", b"")
    assert list(tmp_path.iterdir()) == [out]
    if name == "anon":
        assert [p.data[-1:] for p in read(out)] == [b"%d" % n for n in range(6)]
    else:
        assert out.read_bytes() == TRACE


def test_ctrl_c_keeps_the_parts(tmp_path: Path) -> None:
    code, printed, said = interrupted(
        ["split", "--packets", "4", "-o", tmp_path / "part.pcap", "-"], stdin=TRACE
    )
    assert (code, said) == (130, b"")
    rows = [line.split(b"\t") for line in printed.splitlines()[1:]]
    assert [row[1] for row in rows] == [b"4", b"2"]
    parts = [(tmp_path / f"part-000{n}.pcap").read_bytes() for n in (1, 2)]
    assert parts == [pcap(PACKETS[:4], RAW), pcap(PACKETS[4:], RAW)]


def test_ctrl_c_once_ends_all_pipes_that_are_merged(tmp_path: Path) -> None:
    pipes = [tmp_path / "one", tmp_path / "two"]
    for pipe in pipes:
        os.mkfifo(pipe)
    out = tmp_path / "kept.pcap"
    halves = [pcap(PACKETS[0::2], RAW), pcap(PACKETS[1::2], RAW)]
    code, _, said = interrupted(["merge", "-o", out, *pipes], *zip(pipes, halves, strict=True))
    assert (code, said) == (130, b"")
    assert out.read_bytes() == TRACE


def test_ctrl_c_ends_the_sources_that_follow(tmp_path: Path) -> None:
    """They are not opened: nobody may ever write to such a pipe."""
    pipes = [tmp_path / "one", tmp_path / "two"]
    for pipe in pipes:
        os.mkfifo(pipe)
    out = tmp_path / "kept.pcap"
    code, _, said = interrupted(["cut", "-o", out, *pipes], (pipes[0], TRACE))
    assert (code, said) == (130, b"")
    assert out.read_bytes() == TRACE
    code, printed, said = interrupted(["packets", "--fields", "src", *pipes], (pipes[0], TRACE))
    assert (code, said) == (130, b"")
    assert len(printed.splitlines()) == 1 + len(PACKETS)


@pytest.fixture
def standard_input() -> Iterator[None]:
    """Standard input that is put back at the end."""
    before = os.dup(0)
    yield
    os.dup2(before, 0)
    os.close(before)


def test_what_is_streaming(tmp_path: Path, standard_input: None) -> None:  # noqa: ARG001
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert is_streaming(str(fifo))
    assert is_streaming(f"pcapfile:{fifo}")
    assert is_streaming("pcapint:lo")
    assert not is_streaming(EDGE)
    assert not is_streaming(str(tmp_path))
    assert not is_streaming(str(tmp_path / "none"))
    ours, theirs = socket.socketpair()
    ends = os.pipe()
    with ours, theirs:
        for fd in (ours.fileno(), ends[0]):
            os.dup2(fd, 0)
            assert is_streaming("-")
            assert is_streaming("pcapfile:-")
    for fd in ends:
        os.close(fd)
    with open(EDGE, "rb") as file:  # plt info - < FILE: it can be read again
        os.dup2(file.fileno(), 0)
        assert not is_streaming("-")
    os.close(0)
    assert not is_streaming("-")


@pytest.mark.parametrize("style", [Style(live=True), Style(json=True, live=True)])
def test_rows_that_come_together_are_seen_before_the_next(
    style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a pipe would get is kept until there is a block of it, otherwise."""
    seen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(seen)))
    counts = []

    def parts() -> Iterator[list[tuple[int]]]:
        for n in (1, 3):
            counts.append(seen.getvalue().count(b"\n"))
            yield [(n,), (n + 1,)]

    show_together(["n"], parts(), style)
    head = 0 if style.json else 1
    assert counts == [head, head + 2]
    assert seen.getvalue().count(b"\n") == head + 4


@pytest.mark.parametrize(
    ("name", "out"),
    [("cut", "x.pcap"), ("merge", "x.pcap"), ("anon", "x.pcap"), ("split", "x.pcap"),
     ("convert", "x.pcap"), ("convert", "x.csv"), ("convert", "x.parquet")],
)  # fmt: skip
def test_what_is_no_trace_leaves_no_file(name: str, out: str, tmp_path: Path) -> None:
    """The error is that of the source."""
    if out.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    more = ["--packets", "1"] if name == "split" else []
    done = plt_process(name, *more, "-o", tmp_path / out, "-", stdin=b"hi\n")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("plt: -: no trace of a format that is known")
    assert list(tmp_path.iterdir()) == []


# --- Rates -----------------------------------------------------------------------------------


def test_a_row_comes_with_the_first_packet_of_a_later_interval() -> None:
    """Of intervals of 10 ns: 5, 5, none, 7; then 8 is one before and counts in that of 9."""
    asked = []

    def batches() -> Iterator[list[tuple[int, int, int]]]:
        for batch in (
            [(5, 1, 100), (7, 2, 50)],
            [(9, 1, 60)],
            [(8, 1, 40), (9, 1, 1)],
            [(10, 1, 3)],
        ):
            asked.append(len(printed))
            yield batch

    printed: list[tuple[object, ...]] = []
    for row in rows_in_turn(batches(), 10):
        printed.append(row[:3])
    epoch = "1970-01-01T00:00:00.000000"
    assert printed == [
        (f"{epoch}050Z", 1, 100),
        (f"{epoch}060Z", 0, 0),
        (f"{epoch}070Z", 2, 50),
        (f"{epoch}080Z", 0, 0),
        (f"{epoch}090Z", 3, 101),
        (f"{epoch}100Z", 1, 3),
    ]
    assert asked == [0, 2, 4, 4]


@pytest.mark.parametrize("style", [[], ["--json"], ["--no-header"]])
def test_rates_of_a_pipe_are_those_of_the_file(style: list[str]) -> None:
    content = Path(EDGE).read_bytes()
    for source in (["-"], ["-", EDGE]):
        piped = plt_process("rates", *style, *source, stdin=content)
        assert piped == plt_run("rates", *style, *[EDGE] * len(source))


def test_a_pipe_without_packets_has_no_rates() -> None:
    piped = plt_process("rates", "--no-header", "-", stdin=pcap([], RAW))
    assert (piped.code, piped.out, piped.err) == (0, "", "")


def test_a_time_far_from_the_one_before(tmp_path: Path) -> None:
    """What came before it is printed: 2 seconds and the packet at the first of them."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(
        command("rates", "--interval", "1s", fifo),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ,
    ) as process:  # fmt: skip
        fifo.write_bytes(pcap([PACKETS[0], PACKETS[1], Record(b"", EPOCH + 10**9)], RAW))
        out, err = process.communicate()
    assert process.returncode == 1
    assert err == b"plt: that would be 1,000,000,000 intervals: choose a longer --interval\n"
    assert len(out.splitlines()) == 1 + 1


@pytest.mark.parametrize("name", ["packets", "dns"])
def test_rows_are_seen_while_the_pipe_is_open(name: str) -> None:
    """Six UDP packets; of `plt dns` they are six messages, from port 53."""
    trace = pcap(
        [Record(ipv4(udp(b"%d" % n, ports=(53, 5)), 17), EPOCH + n) for n in range(6)], RAW
    )
    with subprocess.Popen(
        command(name, "--fields", "time", "-"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(trace)
        process.stdin.flush()
        lines = [process.stdout.readline() for _ in range(7)]
        assert lines[1:] == [b"2010-01-01T00:00:0%d.000000000Z\n" % n for n in range(6)]
        assert process.poll() is None
        process.stdin.close()
        assert process.wait() == 0


def test_ctrl_c_shows_what_was_counted() -> None:
    code, printed, said = interrupted(["info", "--json", "-"], stdin=TRACE)
    assert (code, said) == (130, b"")
    assert json.loads(printed)["packets"] == 6
