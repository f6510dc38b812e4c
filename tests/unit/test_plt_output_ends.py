"""What output traces leave, and say, where a disk is full or a pipe is closed; standard output."""

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import packets
import pytest
from packets import EPOCH, Record
from present import tool

import plt
from plt import _output

PREFIXES = ["pcapfile", "erf"]
COMPRESSIONS = [plt.NO_COMPRESSION, plt.ZLIB_COMPRESSION, plt.BZIP2_COMPRESSION]

FULL = """
import random, resource, sys, packets, plt
from pathlib import Path
folder, uri, compression, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rng = random.Random(3)
frames = [
    packets.ethernet(packets.ipv4(packets.udp(rng.randbytes(956) + i.to_bytes(2, "big"))))
    for i in range(1000)
]
source = packets.read_bytes(packets.pcap([packets.Record(f) for f in frames]), folder)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
output = plt.output_trace(uri)
output.conf_compress_type(compression)
output.start_output()
errors = []
try:
    for packet in source[:int(sys.argv[5])]:
        output.write_packet(packet)
except plt.LibtraceError as error:
    errors.append(str(error))
try:
    output.close_output()
except plt.LibtraceError as error:
    errors.append(str(error))
output.close_output()
assert all(uri in error for error in errors)
print(errors[0] if errors else "no error")
"""


def pack(prefix: str, count: int) -> int:
    """Bytes of a plain file of `count` frames of 1000 bytes."""
    return 24 + 1016 * count if prefix == "pcapfile" else 1018 * count


needs_dev_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)


@needs_dev_full
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("count", [1, 1000])
def test_dev_full(prefix: str, compression: int, count: int, tmp_path: Path) -> None:
    """Also where all that was written is in a buffer until the trace is closed."""
    run = packets.child(FULL, tmp_path, f"{prefix}:/dev/full", compression, 0, count)
    assert (run.returncode, run.stderr) == (0, "")
    assert "No space left on device" in run.stdout


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("limit", [200_000, 261_144])
def test_a_full_disk_leaves_a_whole_trace(
    prefix: str, compression: int, limit: int, tmp_path: Path
) -> None:
    """A file that may not grow beyond a limit: it takes a part of what is written, then nothing."""
    path = tmp_path / "out"
    run = packets.child(FULL, tmp_path, f"{prefix}:{path}", compression, limit, 1000)
    assert (run.returncode, run.stderr) == (0, "")
    assert "File too large" in run.stdout
    got, error = packets.until_error(f"{prefix}:{path}")
    numbers = [int.from_bytes(bytes(packet)[998:1000], "big") for packet in got]
    assert numbers == list(range(len(got)))
    if compression == plt.NO_COMPRESSION:
        room = (limit - pack(prefix, 0)) // (pack(prefix, 1) - pack(prefix, 0))
        assert (len(got), path.stat().st_size, error) == (room, pack(prefix, room), "")
    elif compression == plt.ZLIB_COMPRESSION:
        assert (len(got) > 0, error) == (True, "")
        subprocess.run(["gzip", "-t", path], check=True)


@needs_dev_full
def test_an_interface_block_that_a_full_disk_does_not_take(tmp_path: Path) -> None:
    """A packet of another link type needs one: it is refused as the packets before it."""
    large = packets.packet_of(bytes(60_000), tmp_path)
    raw = packets.packet_of(packets.ipv4(packets.udp(b"x")), tmp_path, packets.RAW)
    output = plt.output_trace("pcapng:/dev/full")
    output.start_output()
    output.write_packet(large)
    for packet in (large, raw, raw, large):
        with pytest.raises(plt.LibtraceError, match=r"^Couldn't write packet: .*No space left"):
            output.write_packet(packet)
    with pytest.raises(plt.LibtraceError, match=r"^Couldn't close outputTrace: .*No space left"):
        output.close_output()


@needs_dev_full
@pytest.mark.parametrize("told", [False, True])
def test_an_output_that_is_dropped_where_the_disk_is_full(
    told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not written is told, as Python tells it of a file, unless write_packet() has."""
    seen: list[tuple[type[BaseException], object]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: seen.append((it.exc_type, it.object)))
    large = packets.packet_of(bytes(60_000), tmp_path)
    output = plt.output_trace("pcapfile:/dev/full")
    output.start_output()
    output.write_packet(large)
    if told:
        with pytest.raises(plt.LibtraceError, match="No space left"):
            output.write_packet(large)
    del output
    assert seen == ([] if told else [(OSError, "pcapfile:/dev/full")])


class Failing:
    """A compressor of gzip that fails once it is told to."""

    told = False

    def __init__(self) -> None:
        self.inner = zlib.compressobj(6, zlib.DEFLATED, 31)

    def compress(self, data: bytes) -> bytes:
        if Failing.told:
            raise TimeoutError("mine")
        return self.inner.compress(data)

    def flush(self) -> bytes:
        return self.inner.flush()


def test_after_an_error_of_the_compressor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a signal's in one that is Python: nothing is added, and what is whole stays."""
    monkeypatch.setitem(_output.COMPRESSORS, "gzip", lambda _: Failing)
    monkeypatch.setattr(Failing, "told", False)
    path = tmp_path / "out.pcap.gz"
    records = [Record(os.urandom(1000), EPOCH + i) for i in range(200)]
    source = packets.read_bytes(packets.pcap(records), tmp_path)
    output = plt.output_trace(path)
    output.start_output()
    for packet in source:
        output.write_packet(packet)
    monkeypatch.setattr(Failing, "told", True)

    def write_on() -> None:
        for _ in range(70):
            output.write_packet(source[0])

    with pytest.raises(TimeoutError, match="mine"):
        write_on()
    monkeypatch.setattr(Failing, "told", False)
    for _ in range(2):
        with pytest.raises(plt.LibtraceError, match="nothing can be added after an error of the"):
            output.write_packet(source[0])
    with pytest.raises(plt.LibtraceError, match=r"^Couldn't close outputTrace: .* after an error"):
        output.close_output()
    output.close_output()
    subprocess.run(["gzip", "-t", path], check=True)
    got = packets.read(path)
    assert 0 < len(got) < 200
    assert [packet.ts_sec for packet in got] == list(range(EPOCH, EPOCH + len(got)))


def test_an_output_that_is_dropped_after_an_error_of_the_compressor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told: nothing more is."""
    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: seen.append(it.exc_value))
    monkeypatch.setitem(_output.COMPRESSORS, "gzip", lambda _: Failing)
    monkeypatch.setattr(Failing, "told", True)
    packet = packets.packet_of(bytes(60_000), tmp_path)
    output = plt.output_trace(tmp_path / "out.pcap.gz")
    output.start_output()
    output.write_packet(packet)
    with pytest.raises(TimeoutError, match="mine"):
        output.write_packet(packet)
    del output
    assert seen == []


def test_a_member_that_ends_with_the_trace_is_the_last(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap.gz"
    with plt.output_trace(path) as output:
        output.write_packet(packets.packet_of(bytes(70_000), tmp_path))
    member = zlib.decompressobj(wbits=31)
    assert len(member.decompress(path.read_bytes())) == 24 + 16 + 70_000
    assert (member.eof, member.unused_data) == (True, b"")


@pytest.mark.parametrize("name", ["out.erf.gz", "out.pcap.gz"])
def test_no_memory_for_a_compressor(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace without packets needs one at its end."""

    def none() -> Failing:
        raise MemoryError

    monkeypatch.setitem(_output.COMPRESSORS, "gzip", lambda _: none)
    output = plt.output_trace(tmp_path / name)
    output.start_output()
    with pytest.raises(MemoryError):
        output.close_output()
    assert "closed" in repr(output)
    assert (tmp_path / name).read_bytes() == b""


def test_a_compressor_that_gives_no_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_output.COMPRESSORS, "gzip", lambda _: Failing)
    monkeypatch.setattr(Failing, "compress", lambda _, data: data.hex())
    output = plt.output_trace(tmp_path / "out.pcap.gz")
    output.start_output()
    with pytest.raises(TypeError, match="a compressor gives bytes"):
        output.close_output()


def test_a_compressor_that_can_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is whole stays: here nothing, for it is one member."""

    def flush(_: Failing) -> bytes:
        raise TimeoutError("mine")

    monkeypatch.setitem(_output.COMPRESSORS, "gzip", lambda _: Failing)
    monkeypatch.setattr(Failing, "flush", flush)
    path = tmp_path / "out.pcap.gz"
    output = plt.output_trace(path)
    output.start_output()
    output.write_packet(packets.packet_of(os.urandom(60_000), tmp_path))
    with pytest.raises(TimeoutError, match="mine"):
        output.close_output()
    assert path.read_bytes() == b""


def test_gzip_members_of_a_long_trace_grow_to_a_bound(tmp_path: Path) -> None:
    """So that little is lost of a short one on a full disk, and little room in a long one."""
    packet = packets.packet_of(bytes(60_000), tmp_path)
    with plt.output_trace(tmp_path / "out.pcap.gz") as output:
        for _ in range(400):
            output.write_packet(packet)
    data = (tmp_path / "out.pcap.gz").read_bytes()
    sizes = []
    while data:
        member = zlib.decompressobj(wbits=31)
        sizes.append(len(member.decompress(data)))
        data = member.unused_data
    assert sum(sizes) == 24 + 400 * 60_016
    assert len(sizes) > 3
    largest = sizes.index(max(sizes))
    assert sizes[:largest] == sorted(sizes[:largest])
    assert sizes[0] < max(sizes) / 8
    assert max(sizes) < sum(sizes) / 3


class Asking:
    """A file that asks for more of the output trace that writes to it, as another thread would."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self.ask = ask
        self.data = b""

    def write(self, data: bytes) -> int:
        self.ask()
        self.data += data
        return len(data)

    def close(self) -> None:
        """Nothing is open."""


def test_an_output_that_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = packets.packet_of(bytes(60_000), tmp_path)
    output = plt.output_trace("pcapfile:out")
    refused: list[str] = []

    def ask(*actions: Callable[[], object]) -> None:
        for action in actions:
            with pytest.raises(plt.LibtraceError, match="OutputTrace is in use by another thread"):
                action()
            refused.append("it was")

    file = Asking(lambda: ask(lambda: output.write_packet(packet), output.close_output))

    def opened(*_: object) -> tuple[Asking, None, bool, bytes]:
        ask(output.start_output, output.close_output)
        return file, None, True, b""

    monkeypatch.setattr(_output, "open_file", opened)
    output.start_output()
    assert len(refused) == 2
    for _ in range(3):
        output.write_packet(packet)
    assert len(refused) == 6
    monkeypatch.setattr(file, "ask", lambda: None)
    output.close_output()
    assert file.data[24:] == packets.pcap([Record(bytes(60_000))] * 3, order="=")[24:]


def test_a_file_that_takes_nothing_now_and_can_not_be_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would block, as None says (io.RawIOBase.write()), and has no descriptor."""
    file = Asking(lambda: None)
    answers = [None, None]
    monkeypatch.setattr(file, "write", lambda data: answers.pop() if answers else len(data))
    monkeypatch.setattr(_output, "open_file", lambda *_: (file, None, True, b""))
    packet = packets.packet_of(bytes(60_000), tmp_path)
    output = plt.output_trace("pcapfile:out")
    output.start_output()
    output.write_packet(packet)
    with pytest.raises(TypeError, match="fileno"):
        output.write_packet(packet)
    monkeypatch.setattr(file, "fileno", lambda: 1, raising=False)
    output.write_packet(packet)
    output.close_output()
    assert answers == []


class Closing(Asking):
    """A file that can't be closed."""

    def close(self) -> None:
        raise BlockingIOError("not closed")


def test_a_file_that_can_not_be_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error is told where there was none before."""

    def refuse() -> None:
        raise TimeoutError("not written")

    packet = packets.packet_of(bytes(60_000), tmp_path)
    for ask, error in ((lambda: None, BlockingIOError), (refuse, TimeoutError)):
        file = Closing(ask)
        monkeypatch.setattr(_output, "open_file", lambda *_, file=file: (file, None, True, b""))
        output = plt.output_trace("pcapfile:out")
        output.start_output()
        output.write_packet(packet)
        with pytest.raises(error, match="not "):
            output.close_output()
        assert "closed" in repr(output)


INTO_THE_MIDDLE = """
import resource, sys, packets, plt
from pathlib import Path
packet = packets.packet_of(bytes(60_000), Path(sys.argv[1]))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
output = plt.output_trace("pcapfile:-")
output.start_output()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
try:
    for _ in range(10):
        output.write_packet(packet)
except plt.LibtraceError as error:
    print(error, file=sys.stderr)
if sys.argv[2] == "theirs":
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with open(sys.argv[3], "ab") as other:
        other.write(b"theirs")
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
try:
    output.close_output()
except plt.LibtraceError as error:
    print(error, file=sys.stderr)
"""


@pytest.mark.parametrize("theirs", [False, True])
def test_a_file_with_something_else_in_it_is_not_cut(theirs: bool, tmp_path: Path) -> None:
    """It had more before, or somebody has written to it since: the half packet stays."""
    path = tmp_path / "out"
    before = b"" if theirs else bytes(range(250)) * 4000
    path.write_bytes(before)
    with path.open("r+b") as out:
        run = subprocess.run(
            [sys.executable, "-c", INTO_THE_MIDDLE, tmp_path, "theirs" if theirs else "", path],
            env=packets.environment(), stdout=out, stderr=subprocess.PIPE, text=True, timeout=60,
            check=False,
        )  # fmt: skip
    assert run.returncode == 0
    assert run.stderr.count("File too large") == 2
    data = path.read_bytes()
    assert data[24:200_000] == packets.pcap([bytes(60_000)] * 4, order="=")[24:200_000]
    assert data[200_000:] == (b"theirs" if theirs else before[200_000:])


APPENDED = """
import os, resource, sys, packets, plt
from pathlib import Path
found = [packets.Record(os.urandom(1000)) for _ in range(400)]
source = packets.read_bytes(packets.pcap(found), Path(sys.argv[1]))
limit = Path(sys.argv[2]).stat().st_size + 150_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
output = plt.output_trace(sys.argv[2])
output.conf_file_flags(plt.O_APPEND)
output.start_output()
try:
    for packet in source:
        output.write_packet(packet)
    output.close_output()
except plt.LibtraceError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["out.pcap", "out.pcap.gz"])
def test_a_full_disk_leaves_a_whole_trace_that_was_appended_to(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    small = packets.packet_of(bytes(100), tmp_path)
    with plt.output_trace(path) as output:
        for _ in range(3):
            output.write_packet(small)
    run = packets.child(APPENDED, tmp_path, path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "File too large" in run.stdout
    got, error = packets.until_error(path)
    assert [packet.capture_len for packet in got[:3]] == [100] * 3
    assert {packet.capture_len for packet in got[3:]} == {1000}
    assert error == ""


def test_appending_nothing_to_a_compressed_file_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "out.erf.gz"
    with plt.output_trace(path) as output:
        output.write_packet(packets.packet_of(packets.ethernet(b"x" * 60), tmp_path))
    before = path.read_bytes()
    output = plt.output_trace(path)
    output.conf_file_flags(plt.O_APPEND)
    with output:
        pass
    assert path.read_bytes() == before


CLOSED = """
import sys, packets, plt
from pathlib import Path
packet = packets.packet_of(bytes(60_000), Path(sys.argv[1]))
output = plt.output_trace(sys.argv[2])
output.conf_compress_type(int(sys.argv[3]))
output.start_output()
try:
    for _ in range(int(sys.argv[4])):
        output.write_packet(packet)
    output.close_output()
except plt.LibtraceError as error:
    print(error, file=sys.stderr)
"""


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("count", [1, 100])
def test_a_pipe_that_is_closed(prefix: str, compression: int, count: int, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        run = subprocess.run(
            [sys.executable, "-c", CLOSED, tmp_path, f"{prefix}:-", str(compression), str(count)],
            env=packets.environment(),
            stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert run.returncode == 0
    assert run.stderr.count("\n") == 1
    assert "Broken pipe" in run.stderr
    assert f"{prefix}:-" in run.stderr


TO_STDOUT = """
import os, sys, packets, plt
from pathlib import Path
print("before")
source = packets.read(sys.argv[1])
if sys.argv[3] == "nonblocking":
    os.set_blocking(1, False)
with plt.output_trace(sys.argv[2]) as output:
    for packet in source:
        output.write_packet(packet)
os.set_blocking(1, True)
print("after")
"""


@pytest.mark.parametrize("mode", ["blocking", "nonblocking"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_standard_output(prefix: str, mode: str, tmp_path: Path) -> None:
    """It stays open, and what is printed before and after keeps its place."""
    frames = [
        packets.ethernet(packets.ipv4(packets.udp(bytes([i % 251]) * 1000))) for i in range(999)
    ]
    path = packets.write(tmp_path / "in.pcap", packets.pcap([Record(frame) for frame in frames]))
    file = tmp_path / "file"
    with plt.output_trace(f"{prefix}:{file}") as output:
        for packet in packets.read(path):
            output.write_packet(packet)
    run = subprocess.run(
        [sys.executable, "-c", TO_STDOUT, path, f"{prefix}:-", mode],
        env=packets.environment(),
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout == b"before\n" + file.read_bytes() + b"after\n"


def test_standard_output_that_a_program_replaced(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    packet = packets.packet_of(packets.ethernet(packets.ipv4()), tmp_path)
    with plt.output_trace("pcapfile:-") as output:
        output.write_packet(packet)
    assert packets.read_bytes(capsysbinary.readouterr().out, tmp_path) != []
    print("it is open")


# --- ERF records -----------------------------------------------------------------------------

IP = packets.ipv4(packets.udp(b"x" * 30))
IP6 = packets.ipv6(packets.udp(b"x" * 30))
COOKED = struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x0800)
COOKED2 = struct.pack(">HHIHBB8s", 0x86DD, 0, 1, 1, 0, 6, bytes(8))


@pytest.mark.parametrize(
    ("dlt", "data", "kind", "body"),
    [
        (1, packets.ethernet(IP), 2, b"\0\0" + packets.ethernet(IP)),
        (101, IP, 22, IP),
        (101, IP6, 23, IP6),
        (228, IP, 22, IP),
        (229, IP6, 23, IP6),
        (9, b"\xff\x03\x00\x21" + IP, 1, b"\xff\x03\x00\x21" + IP),
        (104, b"\x0f\x00\x08\x00" + IP, 1, b"\x0f\x00\x08\x00" + IP),
        (50, b"\x0f\x00\x08\x00" + IP, 1, b"\x0f\x00\x08\x00" + IP),
        (50, b"\xff\x03\x00\x21" + IP, 1, b"\xff\x03\x00\x21" + IP),
        (113, COOKED + IP, 22, IP),
        (276, COOKED2 + IP6, 23, IP6),
    ],
)
def test_erf_records(
    dlt: int, data: bytes, kind: int, body: bytes, tmp_path: Path, tshark: str
) -> None:
    """As the ERF types reference has them, and tshark and libtrace's own tool read them."""
    content = packets.pcap([Record(data, EPOCH, 500_000, len(data) + 10)], dlt)
    [packet] = packets.read_bytes(content, tmp_path)
    path = tmp_path / "out.erf"
    with plt.output_trace(f"erf:{path}") as output:
        output.write_packet(packet)
    record = path.read_bytes()
    assert record[:8] == struct.pack("<II", 1 << 31, EPOCH)
    strip = len(data) - len(body) if len(body) < len(data) else 0
    wire = packet.wire_len - strip
    assert record[8] == kind
    assert record[10:16] == struct.pack(">HHH", len(record), 0, wire)
    assert record[16:] == body
    [again] = packets.read(f"erf:{path}")
    assert bytes(again.ip or again.ip6) == bytes(packet.ip or packet.ip6)
    assert (again.time_ns, again.udp.src_port) == (packet.time_ns, packet.udp.src_port)
    out = subprocess.run(
        [tshark, "-r", path, "-Tfields", "-eudp.length", "-eframe.time_epoch"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert out == f"38\t{EPOCH}.500000000\n"


@pytest.mark.parametrize(
    ("dlt", "data"),
    [
        (9, b"\x00\x21" + IP),  # PPP without address and control: readers would take it for another
        (50, b"\x00\x21" + IP),
        (9, b"\x0f\x00\x08\x00" + IP),  # Cisco HDLC is link type 50's only
        (113, COOKED[:-2] + b"\x08\x06" + bytes(28)),  # ARP
        (113, COOKED[:-1]),
        (276, COOKED2[:-1]),
        (105, bytes(40)),
        (0x10000, b"\xff\x03\x00\x21" + IP),  # of no link type that is known
    ],
)
def test_packets_for_which_erf_has_no_record(dlt: int, data: bytes, tmp_path: Path) -> None:
    packet = packets.packet_of(data, tmp_path, dlt)
    output = plt.output_trace(f"erf:{tmp_path / 'out'}")
    output.start_output()
    with pytest.raises(plt.LibtraceError, match="ERF has no record type for this packet of link"):
        output.write_packet(packet)
    output.close_output()
    assert (tmp_path / "out").read_bytes() == b""


def test_short_packets_in_erf_records(tmp_path: Path) -> None:
    """Nothing of one was captured, of another only the header that has no place in a record."""
    path = tmp_path / "out.erf"
    with plt.output_trace(f"erf:{path}") as output:
        output.write_packet(packets.packet_of(b"", tmp_path, packets.RAW, wire=40))
        output.write_packet(packets.packet_of(COOKED, tmp_path, 113, wire=len(COOKED)))
        output.write_packet(packets.packet_of(b"\x8f\x00\x08\x00" + IP, tmp_path, 50))
    record, cooked, multicast = (path.read_bytes()[at:] for at in (0, 16, 32))
    assert record[8:16] == struct.pack(">BBHHH", 22, 1, 16, 0, 40)
    assert cooked[8:9] + cooked[10:16] == struct.pack(">BHHH", 22, 16, 0, 0)
    assert multicast[8:9] == b"\x01"
    assert multicast[16:] == b"\x8f\x00\x08\x00" + IP


def in_vxlan(frame: bytes) -> bytes:
    datagram = packets.udp(b"\x08\0\0\0\0\0\5\0" + frame, ports=(49152, 4789))  # RFC 7348
    return packets.ethernet(packets.ipv4(datagram))


def of_pcapng(data: bytes, folder: Path, wire: int, fcs: int) -> plt.packet:
    """A packet of an interface with if_fcslen (draft-ietf-opsawg-pcapng section 4.2)."""
    options = packets.option(13, bytes([fcs])) + packets.option(0, b"")
    content = packets.section() + packets.interface(options=options)
    [packet] = packets.read_bytes(content + packets.enhanced(data, wire=wire), folder)
    return packet


@pytest.mark.parametrize(
    ("origin", "wire"),
    [
        ("pcap", 4),  # by how much longer than what was captured it is
        ("pcap, fewer on the wire", 4),
        ("tunnel", 4),
        ("pcapng, no FCS", 4),
        ("pcapng, no FCS, fewer on the wire", 4),
        ("pcapng, FCS of 2 bytes", 2),
        ("pcapng, FCS of 4 bytes", 0),
        ("pcapng, FCS of 8 bytes", 0),  # of which the reader takes the first half for padding
        ("pcapng, cut", 104),
    ],
)
def test_an_ethernet_frame_ends_before_the_fcs_that_erf_counts(
    origin: str, wire: int, tmp_path: Path, tshark: str
) -> None:
    """Nothing of the packet is taken for an FCS, and an FCS that was captured is one."""
    frame = packets.ethernet(packets.ipv4(packets.udp(b"hello")))
    size = len(frame)
    made = {
        "pcap": lambda: packets.packet_of(frame, tmp_path),
        "pcap, fewer on the wire": lambda: packets.packet_of(frame, tmp_path, wire=10),
        "tunnel": lambda: packets.packet_of(in_vxlan(frame), tmp_path).inner,
        "pcapng, no FCS": lambda: of_pcapng(frame, tmp_path, size, 0),
        "pcapng, no FCS, fewer on the wire": lambda: of_pcapng(frame, tmp_path, size - 1, 0),
        "pcapng, FCS of 2 bytes": lambda: of_pcapng(frame + bytes(2), tmp_path, size + 2, 2),
        "pcapng, FCS of 4 bytes": lambda: of_pcapng(frame + bytes(4), tmp_path, size + 4, 4),
        "pcapng, FCS of 8 bytes": lambda: of_pcapng(frame + bytes(8), tmp_path, size + 8, 8),
        "pcapng, cut": lambda: of_pcapng(frame, tmp_path, size + 100, 0),
    }
    packet = made[origin]()
    path = tmp_path / "out.erf"
    with plt.output_trace(f"erf:{path}") as output:
        output.write_packet(packet)
    record = path.read_bytes()
    captured = len(bytes(packet))
    assert struct.unpack(">HHH", record[10:16]) == (16 + 2 + captured, 0, captured + wire)
    [again] = packets.read(f"erf:{path}")
    assert bytes(again) == bytes(packet)
    assert bytes(again.udp.payload) == b"hello"
    command = [tshark, "-r", path, "-Tfields", "-eudp.payload"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out == b"hello".hex() + "\n"


def test_libtrace_reads_erf_records(tmp_path: Path) -> None:
    dump = tool("tracepktdump")
    frames = [
        packets.ethernet(packets.ipv4(packets.udp(bytes(i), ports=(i, 53)))) for i in range(1, 9)
    ]
    source = packets.read_bytes(packets.pcap([Record(frame) for frame in frames]), tmp_path)
    with plt.output_trace(f"erf:{tmp_path / 'out.erf'}") as output:
        for packet in source:
            output.write_packet(packet)
    run = subprocess.run(
        [dump, f"erf:{tmp_path / 'out.erf'}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lengths = [line.split()[3] for line in run.stdout.splitlines() if "Packet Length" in line]
    assert lengths == [f"{42 + i}/{46 + i}" for i in range(1, 9)]
    assert run.stdout.count("45 00 00") == 8  # where each IP header begins


@pytest.mark.parametrize("stdout", [io.StringIO(), None])
def test_standard_output_without_bytes(stdout: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(plt.LibtraceError, match="no standard output that takes bytes"):
        plt.output_trace("pcapfile:-").start_output()
