"""What commands make of sources that are not as most are: empty, out of order, of other formats."""

import concurrent.futures
import contextlib
import io
import json
import os
import pty
import random
import signal
import subprocess
import sys
from pathlib import Path

import lz4.frame
import pytest
from command_line import DNS, EDGE, Run, command, plt_run, program_of, run_program
from pace import wait_until_it_waits
from packets import (
    EPOCH,
    RAW,
    Record,
    enhanced,
    erf,
    ethernet,
    interface,
    ipv4,
    pcap,
    section,
    simple,
    tcp,
    tsh,
    udp,
    write,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")

PACKET = ipv4(udp(b"x"), 17)


def of_bytes(*arguments: str | Path) -> tuple[int, bytes]:
    """The exit code and what is printed as bytes, here and not in another process."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out):
        done = plt_main(*arguments)
    out.flush()
    return done, out.buffer.getvalue()  # type: ignore[attr-defined]


def plt_main(*arguments: str | Path) -> int:
    from plt.cli import main  # noqa: PLC0415  what it needs may be missing

    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (erf(2, ethernet(PACKET)) * 3, "erf"),
        (tsh(PACKET) * 3, "tsh"),
        (pcap([PACKET] * 3, RAW), "pcap, microseconds"),
    ],
    ids=["erf", "tsh", "pcap"],
)
def test_the_format_of_a_file(content: bytes, format: str, tmp_path: Path) -> None:
    """By its first bytes, or where these have no mark by what follows them."""
    path = write(tmp_path / "file", content)
    source = f"tsh:{path}" if format == "tsh" else str(path)
    done = plt_run("info", "--json", source)
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert (found["format"], found["packets"]) == (format, 3)


@pytest.mark.parametrize("packed", ["zstd", "lz4"])
def test_the_format_of_a_compressed_file_without_a_mark(packed: str, tmp_path: Path) -> None:
    """Also of one that is damaged at once."""
    compress = zstd.compress if packed == "zstd" else lz4.frame.compress
    record = erf(2, ethernet(PACKET))
    for content, packets, code in (
        (record * 3, 3, 0),
        (record * 3 + b"x", 3, 1),
        (record[:-1], 0, 1),
    ):
        done = plt_run("info", "--json", write(tmp_path / "file", compress(content)))
        found = json.loads(done.out)
        assert (found["format"], found["compression"]) == ("erf", packed)
        assert (found["packets"], done.code) == (packets, code)


def test_the_format_of_a_file_that_is_gone(tmp_path: Path) -> None:
    """Or was emptied, since it was read."""
    from plt.cli.formats import format_of  # noqa: PLC0415  what it needs may be missing

    assert format_of(str(tmp_path / "none")) == (None, None)
    assert format_of(str(write(tmp_path / "file", b""))) == (None, None)
    assert format_of(f"tsh:{tmp_path / 'file'}") == ("tsh", None)
    assert format_of("int:lo") == ("live", None)


def test_the_format_of_what_is_no_trace(tmp_path: Path) -> None:
    path = write(tmp_path / "file", random.Random(1).randbytes(100))
    done = plt_run("info", path)
    assert done.code == 1
    assert done.err.startswith(f"plt: {path}: no trace of a format that is known")


def test_packets_out_of_order_are_counted(tmp_path: Path) -> None:
    """Of 5, 3, 9, 8 seconds two are earlier than the one before."""
    records = [Record(PACKET, EPOCH + second) for second in (5, 3, 9, 8)]
    path = write(tmp_path / "a.pcap", pcap(records, RAW))
    done = plt_run("info", path)
    assert "\norder    2 packets are earlier than the one before\n" in done.out


def test_a_trace_without_a_packet(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.pcap", pcap([], RAW))
    rates = plt_run("rates", path)
    assert (rates.code, rates.err, rates.rows) == (0, "", [])
    info = plt_run("info", path)
    assert (info.code, info.err) == (0, "")
    assert "\npackets  0\n" in info.out
    done = plt_run("convert", "--fields", "time,src", "-o", tmp_path / "x.csv", path)
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "x.csv").read_text().splitlines() == ["time,src"]


def test_a_packet_out_of_order_is_one(tmp_path: Path) -> None:
    records = [Record(PACKET, EPOCH + second) for second in (5, 3, 9)]
    done = plt_run("info", write(tmp_path / "a.pcap", pcap(records, RAW)))
    assert "\norder    1 packet is earlier than the one before\n" in done.out


def test_packets_without_a_time_that_fits(tmp_path: Path) -> None:
    """2**34 seconds are more nanoseconds than 64 bits hold; a packet without a time is one."""
    blocks = enhanced(PACKET, 2**34 * 10**6)
    path = write(tmp_path / "a.pcapng", section() + interface(RAW) + blocks)
    done = plt_run("info", path)
    assert (done.code, done.err) == (0, "")
    assert "\npackets  1\n" in done.out
    assert "\nfirst " not in done.out
    assert "\ntime     1 packet without one\n" in done.out


def test_packets_without_a_time_are_left_out_of_times(tmp_path: Path) -> None:
    """A simple packet block has none. The other two are 2 s apart: 1 packet/s."""
    blocks = [enhanced(PACKET, EPOCH * 10**6), simple(PACKET), simple(PACKET)]
    blocks.append(enhanced(PACKET, (EPOCH + 2) * 10**6))
    path = write(tmp_path / "a.pcapng", section() + interface(RAW) + b"".join(blocks))
    found = json.loads(plt_run("info", "--json", path).out)
    assert (found["packets"], found["without_time"], found["out_of_order"]) == (4, 2, 0)
    assert found["seconds"] == 2
    assert found["packets_per_second"] == 1
    assert found["bits_per_second"] == len(PACKET) * 8
    shown = plt_run("info", path).out
    assert "\ntime     2 packets without one, left out of first, last and rate\n" in shown


def test_a_time_of_0_in_a_trace_that_begins_there(tmp_path: Path) -> None:
    """Its times count from its start: this is one."""
    path = write(tmp_path / "a.pcap", pcap([Record(PACKET, n) for n in range(3)], RAW))
    found = json.loads(plt_run("info", "--json", path).out)
    assert (found["without_time"], found["seconds"]) == (0, 2)
    assert found["first"] == "1970-01-01T00:00:00.000000000Z"


def test_a_link_type_that_libtrace_does_not_name(tmp_path: Path) -> None:
    """LINKTYPE_NULL, BSD's loopback (doc/linktypes.md)."""
    path = write(tmp_path / "a.pcap", pcap([PACKET], 0))
    assert "\nlink     other (1)\n" in plt_run("info", path).out


def test_one_packet_as_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = write(tmp_path / "a.pcap", pcap([PACKET], RAW))
    done = plt_run("convert", "--fields", "wire_len", "-o", tmp_path / "x.parquet", path)
    assert (done.code, done.err) == (0, "")
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.to_pydict() == {"wire_len": [len(PACKET)]}


def test_a_filter_where_the_first_packet_is_damaged(tmp_path: Path) -> None:
    """Whether it is a filter can't be told by a packet: what is wrong is the trace."""
    path = write(tmp_path / "a.pcap", pcap([PACKET], RAW)[:-3])
    done = plt_run("packets", "--filter", "udp", path)
    assert (done.code, done.rows) == (1, [])
    # of the record's header of 16 bytes and the packet
    there = 16 + len(PACKET)
    cut = f"the trace is cut within a packet: {there - 3} of {there} bytes are there"
    assert done.err == f"plt: {path}: packet 1: {cut}\n"


def test_parts_of_a_trace_that_begins_at_0(tmp_path: Path) -> None:
    """As one does whose times count from its start: the first part ends after a second."""
    path = write(tmp_path / "a.pcap", pcap([Record(PACKET, n, 500_000 * n) for n in range(3)], RAW))
    split = ["split", "--every", "1s", "-o", tmp_path / "b.pcap", path]
    assert [row[1:] for row in plt_run(*split).rows] == [
        ["1", "1970-01-01T00:00:00.000000000Z"],
        ["1", "1970-01-01T00:00:01.500000000Z"],
        ["1", "1970-01-01T00:00:03.000000000Z"],
    ]
    parts = sorted(tmp_path.glob("b-*"))
    contents = [part.read_bytes() for part in parts]
    for part in parts:
        part.unlink()
    run_program(program_of(split))
    assert [part.read_bytes() for part in sorted(tmp_path.glob("b-*"))] == contents


# --- Ctrl-C, and what comes live ---------------------------------------------------------------


def test_an_interrupt_that_is_ignored_goes_on_to_be() -> None:
    """As in the background of a script; nor does a thread, which has no signals, change that."""
    rows = ["packets", "--limit", "3", EDGE]
    expected = plt_run(*rows)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert plt_run(*rows) == expected
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(plt_run, *rows).result() == expected
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_ends_what_comes_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came before it is written."""
    path = write(tmp_path / "a.pcap", pcap([PACKET] * 3, RAW)[:-1])
    monkeypatch.setattr("plt.cli.sources.is_live", lambda _: True)
    done = plt_run("cut", "-o", tmp_path / "b.pcap", path)
    assert done.code == 1
    assert "packet 3: the trace is cut" in done.err
    assert (tmp_path / "b.pcap").read_bytes() == pcap([PACKET] * 2, RAW)


# --- Standard output -------------------------------------------------------------------------


def test_a_table_into_standard_output(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", pcap([PACKET] * 2, RAW))
    done = plt_run("convert", "--fields", "wire_len,proto", "--format", "csv", "-o", "-", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == ["wire_len,proto", *[f"{len(PACKET)},17"] * 2]


def test_standard_output_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """sys.stdout is None where a process was started without it."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", said)
    assert plt_main("info", EDGE) == 1
    assert said.getvalue() == "plt: standard output is closed\n"


def test_standard_error_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is not said among the rows then, but by the exit code."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "stdout", out)
    assert plt_main("packets", "/nonexistent.pcap") == 1
    assert out.getvalue() == ""


def test_what_was_not_searched_is_told_on_a_terminal(tmp_path: Path) -> None:
    """By `plt anon`: protocol 253 (RFC 3692) is known to nobody."""
    path = write(tmp_path / "a.pcap", pcap([ipv4(bytes(20), 253)] * 2, RAW))
    ours, its = pty.openpty()
    done = subprocess.run(
        command("anon", "-o", tmp_path / "b.pcap", path), stderr=its, env=os.environ, check=False
    )
    os.close(its)
    said = os.read(ours, 1000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert said == "2 packets; layers that were cleared: IP protocol 253 (2)\r\n"


# --- Streams ---------------------------------------------------------------------------------


def sent(payload: bytes, seq: int, flags: int = 0x18) -> bytes:
    return ipv4(tcp(payload, ports=(1025, 80), seq=seq, flags=flags), 6)


def test_a_gap_and_an_end_that_was_not_captured(tmp_path: Path) -> None:
    """Of 3 bytes, 4 that are missing, 2, and 5 of whose end only the FIN tells."""
    packets = [sent(b"", 99, 0x02), sent(b"abc", 100), sent(b"hi", 107), sent(b"", 114, 0x11)]
    records = [Record(packet, EPOCH + n) for n, packet in enumerate(packets)]
    path = write(tmp_path / "a.pcap", pcap(records, RAW))
    done = plt_run("streams", "--follow", "1", "--json", path)
    assert (done.code, done.err) == (0, "")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(row["offset"], row.get("data"), row.get("missing")) for row in found] == [
        (0, "abc", None),
        (3, None, 4),
        (7, "hi", None),
        (9, None, 5),
    ]
    assert {row["way"] for row in found} == {"fwd"}
    code, raw = of_bytes("streams", "--follow", "1", "--as", "raw", path)
    assert (code, raw) == (0, b"abc" + bytes(4) + b"hi" + bytes(5))


def test_a_stream_of_which_nothing_was_captured(tmp_path: Path) -> None:
    """Only the FIN tells that there were 5 bytes."""
    packets = [sent(b"", 99, 0x02), sent(b"", 105, 0x11)]
    path = write(tmp_path / "a.pcap", pcap(packets, RAW))
    done = plt_run("streams", "--follow", "1", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1:] == ["> [5 bytes missing]"]


def test_ctrl_c_before_the_stream_to_follow(tmp_path: Path) -> None:
    """There may be so many yet: no word of how many there are."""
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with (
        subprocess.Popen(
            command("streams", "--follow", "5", fifo),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ,
        ) as process,
        open(fifo, "wb", buffering=0) as pipe,
    ):
        pipe.write(pcap([sent(b"abc", 100)], RAW))
        wait_until_it_waits(process.pid)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


# --- The package -----------------------------------------------------------------------------


def test_ctrl_c_while_modules_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("plt.cli.run.run", interrupted)
    assert plt_run("info", EDGE) == Run(130, "", "")


def test_a_module_that_is_none_of_the_extra_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it is missing is no matter of this project's."""

    def broken(_arguments: object) -> int:
        raise ModuleNotFoundError("No module named 'nonsense'", name="nonsense")

    monkeypatch.setattr("plt.cli.run.run", broken)
    with pytest.raises(ModuleNotFoundError, match="nonsense"):
        plt_run("info", DNS)
