"""The command line on the loopback interface: rows as they come, and Ctrl-C that keeps them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Run, command, plt_run
from live import on_lo

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")


pytestmark = on_lo


@contextlib.contextmanager
def sent() -> Iterator[int]:
    """Datagrams of 7 bytes that are sent again and again meanwhile, to the port that this gives."""
    over = threading.Event()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
    ):
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]

        def send() -> None:
            while not over.wait(0.002):
                source.sendto(b"payload", ("127.0.0.1", port))

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield port
        finally:
            over.set()
            thread.join()


def interrupted(*arguments: str | Path, lines: int = 0, until: Path | None = None) -> Run:
    """A command that gets Ctrl-C when it has printed some lines, or written to a file."""
    with subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ,
        bufsize=0,  # communicate() does not see what readline() has read ahead
    ) as process:
        assert process.stdout is not None
        before = b"".join(process.stdout.readline() for _ in range(lines))
        while until is not None and not any(
            part.stat().st_size for part in until.parent.glob(f".{until.name}.*")
        ):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    return Run(process.returncode, (before + out).decode(), err.decode())


@pytest.mark.parametrize("kind", ["int", "ring", "pcapint"])
def test_rows_come_when_their_packets_do(kind: str) -> None:
    with sent() as port:
        words = ["--filter", f"udp dst port {port}", "--fields", "dst,dst_port,payload_len"]
        done = interrupted("packets", *words, f"{kind}:lo", lines=4)
    assert (done.code, done.err) == (130, "")
    assert len(done.rows) >= 3
    assert {tuple(row) for row in done.rows} == {("127.0.0.1", str(port), "7")}


def test_rates_come_when_their_intervals_are_over() -> None:
    """10 ms each, of which some are printed before Ctrl-C and the last one is after it."""
    with sent() as port:
        words = ["--interval", "10ms", "--filter", f"udp dst port {port}"]
        done = interrupted("rates", *words, "pcapint:lo", lines=4)
    assert (done.code, done.err) == (130, "")
    assert len(done.rows) >= 4
    # 14 bytes of Ethernet and an FCS of 4, 20 of IPv4, 8 of UDP, 7 of payload
    assert all(int(row[2]) == int(row[1]) * (14 + 20 + 8 + 7 + 4) for row in done.rows)
    times = [row[0] for row in done.rows]
    assert times == sorted(set(times))


def test_a_limit_ends_a_capture() -> None:
    with sent() as port:
        done = plt_run("packets", "--filter", f"udp dst port {port}", "--limit", "5", "pcapint:lo")
    assert (done.code, len(done.rows)) == (0, 5)


def captures(pid: int) -> bool:
    """Whether a process has a packet socket: those are listed with their inodes, packet(7)."""
    listed = Path("/proc/net/packet").read_text().splitlines()[1:]
    sockets = {f"socket:[{line.split()[-1]}]" for line in listed}
    with contextlib.suppress(OSError):
        return any(os.readlink(fd) in sockets for fd in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_ctrl_c_shows_what_was_counted(tmp_path: Path) -> None:
    """`plt info` prints nothing before its end: it gets Ctrl-C once another capture is done."""
    with sent() as port:
        wanted = ["--filter", f"udp dst port {port}", "pcapint:lo"]
        with subprocess.Popen(
            command("info", "--json", *wanted), stdout=subprocess.PIPE, env=os.environ
        ) as process:
            while not captures(process.pid):
                assert process.poll() is None
            other = tmp_path / "other.pcap"
            assert plt_run("cut", "--packets", "1-100", "-o", other, *wanted).code == 0
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate()
    assert process.returncode == 130
    found = json.loads(out)
    assert found["format"] == "live"
    assert found["packets"] > 0
    # 14 bytes of Ethernet, 20 of IPv4, 8 of UDP (RFC 894, 791, 768), 7 of payload
    assert found["captured_bytes"] == found["packets"] * (14 + 20 + 8 + 7)
    assert [x["name"] for x in found["protocols"]] == ["IPv4 UDP"]


def test_ctrl_c_keeps_a_capture(tmp_path: Path) -> None:
    out = tmp_path / "live.csv"
    with sent() as port:
        words = ["--filter", f"udp dst port {port}", "-o", out]
        done = interrupted("convert", *words, "pcapint:lo", until=out)
    assert (done.code, done.err) == (130, "")
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert {row[rows[0].index("dst_port")] for row in rows[1:]} == {str(port)}
    assert list(tmp_path.iterdir()) == [out]
