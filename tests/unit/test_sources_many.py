"""Sources that stand for several files: folders, patterns, lists; home folders and URLs."""

import bz2
import errno
import gzip
import io
import lzma
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import packets
import pytest
from packets import EPOCH, Record

import natkit
import pldns
import plt

PACKET = packets.ethernet(packets.ipv4(packets.udp(b"x")))


def content(seconds: int, count: int) -> bytes:
    return packets.pcap([Record(PACKET, EPOCH + seconds + i) for i in range(count)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three traces whose order by name is not that in which they are made, and what is none."""
    found = tmp_path / "day"
    (found / "older").mkdir(parents=True)
    packets.write(found / "c.pcap", content(30, 3))
    packets.write(found / "a.pcap.gz", gzip.compress(content(10, 1)))
    packets.write(found / "b.trace", content(20, 2))
    packets.write(found / "README", b"Traces of one day.\n")
    # of matplotlib; its version would be a time of ERF, and what follows a length
    packets.write(found / "figure.pdf", b"%PDF-1.4\n%\xac\xdc \xab\xba\n" + bytes(2000))
    packets.write(found / "empty.pcap", b"")
    packets.write(found / ".hidden.pcap", content(0, 1))
    packets.write(found / "older" / "z.pcap", content(5, 1))
    return found


TIMES = [EPOCH + seconds for seconds in (10, 20, 21, 30, 31, 32)]


def seconds(source: Any) -> list[int]:
    """The packets' times, as each of the readers gives them."""
    whole, threads = (
        [t // 10**9 for t in plt.columns(source, ["time"], workers=n).table()["time"].tolist()]
        for n in (1, 3)
    )
    assert whole == threads
    assert [pkt.ts_sec for pkt in plt.merge(source)] == sorted(whole)
    assert natkit.flows(source).packets == len(whole)
    assert natkit.flows(source, workers=3).packets == len(whole)
    assert len(pldns.columns(source, ["time"]).table()) == len(whole)  # all are from port 53
    return whole


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_a_folder_has_its_traces_by_name(folder: Path, kind: Callable[[Path], Any]) -> None:
    assert seconds(kind(folder)) == TIMES


def test_patterns(folder: Path) -> None:
    assert seconds(f"{folder}/[ab].*") == TIMES[:3]
    assert seconds(f"{folder}/**/z.pcap") == [EPOCH + 5]
    assert seconds(f"pcapfile:{folder}/?.pcap") == TIMES[3:]


def test_rotated_files_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """tcpdump -C writes cap.pcap, cap.pcap1, cap.pcap2 ... cap.pcap10."""
    for number in (10, 2, 9, 1, 11):
        packets.write(tmp_path / f"cap.pcap{number}", content(number, 1))
    packets.write(tmp_path / "cap.pcap", content(0, 1))
    packets.write(tmp_path / "a02.pcap", content(-2, 1))
    packets.write(tmp_path / "a10.pcap", content(-1, 1))
    times = [EPOCH + number for number in (-2, -1, 0, 1, 2, 9, 10, 11)]
    assert seconds(tmp_path) == times
    assert seconds(f"{tmp_path}/*") == times
    pytest.importorskip("fsspec")
    assert seconds(f"file://{tmp_path}/cap*") == times[2:]


def test_lists_of_all_of_them(folder: Path) -> None:
    assert seconds([folder / "older", str(folder)]) == [EPOCH + 5, *TIMES]
    assert seconds((folder / "c.pcap", f"{folder}/[ab]*")) == [*TIMES[3:], *TIMES[:3]]
    found = plt.columns((p for p in [folder / "c.pcap", folder / "b.trace"]), ["time"]).table()
    assert len(found) == 5
    with plt.trace(folder / "c.pcap") as opened, open(folder / "b.trace", "rb") as file:
        found = plt.columns([opened, file, folder / "older"], ["time"]).table()
    assert [t // 10**9 for t in found["time"].tolist()] == [*TIMES[3:], *TIMES[1:3], EPOCH + 5]


def test_a_file_whose_name_is_a_pattern_is_that_file(tmp_path: Path) -> None:
    packets.write(tmp_path / "[a].pcap", content(1, 1))
    packets.write(tmp_path / "a.pcap", content(2, 1))
    assert seconds(tmp_path / "[a].pcap") == [EPOCH + 1]


def test_a_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert seconds("~") == TIMES
    assert seconds("~/older/z.pcap") == [EPOCH + 5]
    assert len(packets.read("~/c.pcap")) == len(packets.read("pcapfile:~/c.pcap")) == 3
    with plt.output_trace("~/new.pcap") as out:
        out.write_packet(packets.read("~/c.pcap")[0])
    assert (folder / "new.pcap").exists()
    monkeypatch.chdir(folder)
    packets.write(folder / "~", content(7, 1))
    assert seconds("~") == [EPOCH + 7]


def every_reader(source: Any) -> list[Callable[[], object]]:
    return [
        lambda: plt.columns(source),
        lambda: pldns.columns(source),
        lambda: natkit.flows(source),
        lambda: plt.merge(source),
    ]


def test_what_stands_for_nothing(folder: Path) -> None:
    for read in every_reader(f"{folder}/*.erf"):
        with pytest.raises(plt.LibtraceError, match=r"\*\.erf: no file matches"):
            read()
    (folder / "none").mkdir()
    for read in every_reader(folder / "none"):
        with pytest.raises(plt.LibtraceError, match=r"none: no trace in this folder$"):
            read()
    packets.write(folder / "none" / "README", b"Nothing here.\n")
    for read in every_reader(folder / "none"):
        with pytest.raises(plt.LibtraceError, match=r"no trace in this folder: .*README: .* text"):
            read()
    for read in every_reader([]):
        with pytest.raises(ValueError, match="no sources to read"):
            read()


def test_a_trace_that_can_not_be_read_is_no_reason_to_leave_it_out(folder: Path) -> None:
    whole = gzip.compress(content(40, 1))
    packets.write(folder / "d.pcap.gz", whole[:-9])
    with pytest.raises(plt.LibtraceError, match=r"d\.pcap\.gz: .*cut"):
        plt.columns(folder, ["time"]).table()


@pytest.mark.parametrize(
    "compress", [gzip.compress, bz2.compress, lzma.compress, lz4.frame.compress]
)
def test_nor_is_one_whose_first_bytes_can_not_be_read(
    compress: Callable[[bytes], bytes], folder: Path
) -> None:
    """Cut, or damaged, before anything of it can be decompressed."""
    whole = compress(content(5, 1))
    for changed, words in ((whole[:12], "is cut"), (whole[:12] + bytes(500), "is damaged|is cut")):
        packets.write(folder / "0.pcap", changed)
        for read in (plt.columns, plt.merge, natkit.flows, pldns.columns):
            with pytest.raises(plt.LibtraceError, match=rf"0\.pcap: the .* data ({words})"):
                list(read(folder))


def test_a_folder_that_may_not_be_read(folder: Path) -> None:
    """By root, too, who may do all that the capabilities are left for."""
    code = "import sys, plt\ntry:\n    plt.columns(sys.argv[1])\n"
    code += "except plt.LibtraceError as error:\n    print(error)"
    folder.chmod(0)
    command = [sys.executable, "-c", code, str(folder)]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not here")
        caps = "-dac_override,-dac_read_search"
        command = ["setpriv", "--bounding-set", caps, "--inh-caps", caps, *command]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=True)
    folder.chmod(0o700)
    assert run.stdout == f"{folder}: {os.strerror(errno.EACCES)}\n"


# --- URLs ------------------------------------------------------------------------------------


@pytest.fixture
def memory(folder: Path) -> str:
    """A URL of a folder in memory."""
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not here")
    system = fsspec.filesystem("memory")
    for path in sorted(folder.glob("*.*")):
        system.pipe_file(f"/plt-tests/{path.name}", path.read_bytes())
    return "memory://plt-tests"


def test_urls(memory: str) -> None:
    assert seconds(f"{memory}/c.pcap") == TIMES[3:]
    assert seconds([f"{memory}/a.pcap.gz", f"pcapfile:{memory}/c.pcap"]) == [TIMES[0], *TIMES[3:]]
    assert len(packets.read(f"{memory}/a.pcap.gz")) == 1
    assert seconds(f"{memory}/[abc].*") == TIMES


def test_a_local_url(folder: Path, memory: str) -> None:
    assert memory
    assert seconds(f"file://{folder}/c.pcap") == TIMES[3:]


def test_urls_that_can_not_be_opened(memory: str) -> None:
    for url, words in (
        (f"{memory}/nowhere.pcap", "there is no such file"),
        ("nosuch://x/y", "Protocol not known"),
        (f"{memory}/README", "there is no such file"),
    ):
        with pytest.raises(plt.LibtraceError, match=f"^Couldn't start trace: {url}: .*{words}"):
            plt.trace(url).start()
    for read in every_reader(f"{memory}/*.erf"):
        with pytest.raises(plt.LibtraceError, match=r"\*\.erf: no file matches"):
            read()


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(plt.LibtraceError, match=r"pip install 'python-libtrace\[remote\]'"):
        plt.trace("s3://bucket/x.pcap").start()
    with pytest.raises(plt.LibtraceError, match=r"pip install 'python-libtrace\[remote\]'"):
        plt.columns("s3://bucket/*.pcap")


def damaged_url(folder: Path, memory: str) -> tuple[str, int, str]:
    """One of a damaged file, how many packets of it can be read, and what is wrong with it."""
    import fsspec  # noqa: PLC0415

    data = bytearray(gzip.compress(content(0, 3000)))
    data[len(data) // 2] ^= 0xFF
    count, error = packets.count_to_error(packets.write(folder / "x.pcap.gz", bytes(data)))
    fsspec.filesystem("memory").pipe_file("/plt-tests/x.pcap.gz", bytes(data))
    return f"{memory}/x.pcap.gz", count, error.partition("gz: ")[2]


def test_damage_at_a_url_is_found_where_it_is(folder: Path, memory: str) -> None:
    """A file there is read anew as one here is."""
    url, count, error = damaged_url(folder, memory)
    assert "is damaged" in error
    assert 0 < count < 3000
    found, words = packets.count_to_error(url)
    assert (found, words.partition("gz: ")[2]) == (count, error)


def test_a_server_that_can_not_read_anew(
    folder: Path, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, count, _ = damaged_url(folder, memory)

    class WithoutRanges(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise RuntimeError("the server has no ranges")

    class Opened:
        def open(self) -> WithoutRanges:
            return WithoutRanges((folder / "x.pcap.gz").read_bytes())

    monkeypatch.setattr("fsspec.open", lambda *_: Opened())
    found, error = packets.count_to_error(url)
    assert 0 < found <= count
    assert "the gzip data is damaged: the server has no ranges" in error


class Broken:
    """What a file system gives of a file whose server goes away."""

    size = 100

    def __init__(self, data: bytes) -> None:
        self.data = [data]

    def seekable(self) -> bool:
        return False

    def read(self, _size: int) -> bytes:
        if self.data:
            return self.data.pop()
        raise RuntimeError("the server went away")

    def close(self) -> None:
        """Nothing to close."""


def test_a_server_that_goes_away(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec  # noqa: PLC0415

    class Opened:
        def open(self) -> Broken:
            return Broken(content(0, 2)[:-1])

    monkeypatch.setattr(fsspec, "open", lambda *_: Opened())
    found, error = packets.until_error(f"{memory}/x.pcap")
    assert len(found) == 1
    assert error.endswith("x.pcap: the server went away, after packet 1")
