"""Columns of what comes through a pipe: rows are handed over while it is open, and none is lost."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
from packets import Record, ethernet, ipv4, pcap, tcp, write

import pldns
import plt

PACKETS = pcap([Record(ethernet(ipv4(tcp(), 6))) for _ in range(100)])
#: Seconds after which a pipe is closed at the latest: a test fails, and does not wait for ever.
PATIENCE = 30


@contextmanager
def sent(content: bytes) -> Iterator[BinaryIO]:
    """A pipe that has these bytes in it, and is open while it is used."""
    reads, writes = os.pipe()
    os.write(writes, content)
    closing = threading.Timer(PATIENCE, os.close, (writes,))
    closing.start()
    with open(reads, "rb", buffering=0) as file:
        yield file
        still_open = not closing.finished.is_set()
        closing.cancel()
        assert still_open, "the rows came when the pipe was closed"
        os.close(writes)


def test_the_rows_of_a_pipe_come_while_it_is_open() -> None:
    with sent(PACKETS) as file:
        batch = next(iter(plt.columns(file, ["wire_len"])))
        assert batch["wire_len"].tolist() == [58] * 100  # 14 + 20 + 20 and the FCS


def test_the_rows_of_a_socket_come_while_it_is_open() -> None:
    here, there = socket.socketpair()
    with here, there, here.makefile("rb") as file:
        there.sendall(PACKETS)
        closing = threading.Timer(PATIENCE, there.close)
        closing.start()
        assert len(next(iter(plt.columns(file, ["wire_len"])))) == 100
        assert not closing.finished.is_set()
        closing.cancel()


def test_standard_input() -> None:
    program = "import plt; print(len(next(iter(plt.columns('-', ['wire_len'])))), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(PACKETS)
        child.stdin.flush()
        closing = threading.Timer(PATIENCE, child.kill)
        closing.start()
        assert child.stdout.readline() == b"100\n"
        closing.cancel()


def test_a_cut_record_is_waited_for() -> None:
    """The rows before it come; what was there of it is not lost."""
    reads, writes = os.pipe()
    os.write(writes, PACKETS[:-3])
    with open(reads, "rb", buffering=0) as file:
        batches = iter(plt.columns(file, ["wire_len"]))
        assert len(next(batches)) == 99
        os.write(writes, PACKETS[-3:])
        os.close(writes)
        assert [len(batch) for batch in batches] == [1]


def test_a_table_of_a_pipe_is_all_of_it() -> None:
    reads, writes = os.pipe()
    os.write(writes, PACKETS[:4000])
    later = threading.Timer(0.5, lambda: (os.write(writes, PACKETS[4000:]), os.close(writes)))
    later.start()
    with open(reads, "rb", buffering=0) as file:
        assert len(plt.columns(file, ["wire_len"]).table()) == 100
    later.join()


def test_columns_that_are_to_finish_wait_for_nothing() -> None:
    """What the command line asks for where Ctrl-C comes between two reads."""
    with sent(PACKETS) as file:
        columns = plt.columns(file, ["wire_len"])
        columns._finish()
        assert sum(map(len, columns)) <= 100
        assert list(columns) == []


def test_columns_that_are_to_finish_end_what_is_read_ahead(tmp_path: Path) -> None:
    path = write(tmp_path / "t.pcap", PACKETS)
    columns = plt.columns([path] * 3, ["wire_len"], workers=3, batch=10)
    next(iter(columns))
    columns._finish()
    assert list(columns) == []


# --- Ctrl-C -----------------------------------------------------------------------------------


@contextmanager
def interrupted(packets: int) -> Iterator[BinaryIO]:
    """A pipe of which so many packets are read, and then Ctrl-C comes."""
    size = len(pcap([])) + packets * (len(PACKETS) - len(pcap([]))) // 100

    class File:
        """Gives the packets, then is interrupted."""

        def __init__(self) -> None:
            self.content = PACKETS[:size]

        def read(self, most: int) -> bytes:
            if not self.content:
                signal.raise_signal(signal.SIGINT)
            out, self.content = self.content[:most], self.content[most:]
            return out

    yield File()  # type: ignore[misc]


def test_ctrl_c_gives_a_table_of_what_was_read() -> None:
    with interrupted(60) as file, pytest.raises(KeyboardInterrupt) as raised:
        plt.columns(file, ["wire_len"]).table()
    assert len(raised.value.table) == 60  # type: ignore[attr-defined]


@pytest.mark.parametrize("rest", [False, True])
@pytest.mark.parametrize("others", [0, 1, 5])
def test_after_ctrl_c_come_the_rows_that_were_read(rest: bool, others: int) -> None:
    """Sources that follow are not opened: these are not there."""
    with interrupted(60) as file:
        sources = [file, *["/nonexistent.pcap"] * others]
        columns = plt.columns(sources, ["wire_len"], workers=3)
        with pytest.raises(KeyboardInterrupt):
            next(iter(columns))
        left = columns.table() if rest else next(iter(columns))
        assert len(left) == 60
        assert list(columns) == []


def test_ctrl_c_before_the_first_packet() -> None:
    with interrupted(0) as file:
        columns = pldns.columns(file, ["id"])
        with pytest.raises(KeyboardInterrupt) as raised:
            columns.table()
        assert len(raised.value.table) == 0  # type: ignore[attr-defined]
        assert list(columns) == []
