"""The table of formats: names in URIs, how a file is recognised, what an interface can send."""

import re
import struct
import subprocess
import sysconfig
from pathlib import Path

import packets
import pytest
from packets import EPOCH, Record
from present import tool

import plt
from plt import _output, _plt

ROOT = Path(__file__).resolve().parents[2]
FORMATS = _plt._formats()
FRAME = packets.ethernet(packets.ipv4(packets.udp(b"data")))


def test_a_name_is_of_one_format() -> None:
    for names in ("read_as", "written_as"):
        found = [name for row in FORMATS for name in row[names]]
        assert sorted(set(found)) == sorted(found)
    assert all(set(row["written_as"]) <= set(row["read_as"]) for row in FORMATS)


def test_documented_names_are_those_of_the_table() -> None:
    """In doc/traces.md a row of the table of files has the names as `name:` in its second cell;
    the names of what libtrace and libpcap read are in a paragraph."""
    text = (ROOT / "doc" / "traces.md").read_text()
    paragraph = text.partition("### What libtrace reads\n\n")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+):`", paragraph))
    assert named == {name for row in FORMATS if not row["is_file"] for name in row["read_as"]}
    table = text.partition("| format | URI |")[2].partition("\n\n")[0]
    cells = [line.split("|")[2] for line in table.splitlines()[2:]]
    named = {name for cell in cells for name in re.findall(r"`(\w+):`", cell)}
    assert named == {name for row in FORMATS if row["is_file"] for name in row["read_as"]}


@pytest.mark.parametrize(
    "name", [name for row in FORMATS if row["is_file"] for name in row["read_as"]]
)
def test_an_empty_file_of_each_name(name: str, tmp_path: Path) -> None:
    """A name that were none would be looked for as a file.

    libtrace's tracepktdump finds no packets in those of formats whose files have no header, and
    says of the others that they can't be read.
    """
    path = tmp_path / "empty"
    path.touch()
    if name in ("erf", "rawerf", "tsh", "legacyeth", "legacyatm", "legacypos"):
        assert packets.read(f"{name}:{path}") == []
        assert len(plt.columns(f"{name}:{path}", ["time_ns"]).table()) == 0
    else:
        with pytest.raises(plt.LibtraceError, match=r"the file is empty$"):
            plt.trace(f"{name}:{path}").start()


def test_an_empty_file_whose_format_is_not_named(tmp_path: Path) -> None:
    """Its first bytes can't tell that it is one of ERF."""
    path = tmp_path / "empty.erf"
    path.touch()
    with pytest.raises(plt.LibtraceError, match=r"the file is empty$"):
        plt.trace(path).start()


@pytest.mark.parametrize("prefix", ["pcapfile", "pcapng", "erf"])
def test_an_output_of_no_packets_is_a_trace_of_none(prefix: str, tmp_path: Path) -> None:
    for name in ("plain", "packed"):
        output = plt.output_trace(f"{prefix}:{tmp_path / name}")
        if name == "packed":
            output.conf_compress_type(plt.ZLIB_COMPRESSION)
        output.start_output()
        output.close_output()
        assert packets.read(f"{prefix}:{tmp_path / name}") == []


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\x0d\0", "the trace is cut within its file header: 2 of 4 bytes are there"),
        (
            b"\x0d\0\0\0" + bytes(111),
            "the trace is cut within a record: 111 of 112 bytes are there",
        ),
        (b"\x0c\0\0\0" + bytes(112), "not a DUCK file: it begins with version 12"),
        (b"\x0d\0\0\0", ""),
    ],
)
def test_duck_files_that_are_cut_or_of_another_version(
    content: bytes, error: str, tmp_path: Path
) -> None:
    got, message = packets.until_error(f"duck:{packets.write(tmp_path / 'duck', content)}")
    assert got == []
    assert message.rpartition("packet 1: ")[2] == error


# --- Magic numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("a1b2c3d4", "pcap"),  # draft-ietf-opsawg-pcap section 4, and its swapped forms
        ("d4c3b2a1", "pcap"),
        ("a1b23c4d", "pcap"),
        ("4d3cb2a1", "pcap"),
        ("a1b2cd34", "pcap"),  # Kuznetzov's, Ixia's: Wireshark's wiretap/libpcap.h
        ("34cdb2a1", "pcap"),
        ("1c0001ac", "pcap"),
        ("ac01001c", "pcap"),
        ("1c0001ab", "pcap"),
        ("ab01001c", "pcap"),
        ("0a0d0d0a", "pcapng"),  # draft-ietf-opsawg-pcapng section 4.1
        ("0d000000", "duck"),  # libtrace: versions 2.4, 2.5, 5.0 of DAG, little-endian
        ("0e000000", "duck"),
        ("13000000", "duck"),
        ("a1b2c3", None),
        ("a1b2c3d5", None),
        ("0000000d", None),
        ("0c000000", None),
        ("14000000", None),
        ("", None),
    ],
)
def test_magic_numbers(head: str, name: str | None) -> None:
    assert _plt._recognise(bytes.fromhex(head)) == name
    rest = bytes(60) if len(head) == 8 else b""
    assert _plt._recognise(memoryview(bytes.fromhex(head) + rest)) == name


def test_recognise_takes_bytes() -> None:
    with pytest.raises(TypeError):
        _plt._recognise("a1b2c3d4")


# --- Records ---------------------------------------------------------------------------------


def erf(kind: int = 2, sec: int = EPOCH, size: int = 60, rlen: int = 0, wlen: int = 0) -> bytes:
    """A record of Endace's ERF: time, type, flags, rlen, losses, wlen."""
    header = struct.pack("<IIB", 0, sec, kind) + bytes(1)
    return header + struct.pack(">HHH", rlen or 16 + size, 0, wlen or size) + bytes(size)


DAY, YEAR = 86_400, 366 * 86_400
PAD, META = 48, 27  # ERF's types of padding and of provenance records


@pytest.mark.parametrize(
    ("head", "is_erf"),
    [
        (erf(), True),
        (erf()[:16], True),
        (erf()[:15], False),
        (erf(kind=0), True),
        (erf(kind=28), True),
        (erf(kind=29), False),
        (erf(kind=47), False),
        (erf(kind=49), False),
        (erf(kind=PAD) + erf(), True),
        (erf(kind=PAD), False),  # no record has a time
        (erf(kind=0x80 | 2, size=8, rlen=24), True),
        (erf(kind=0x80 | 2, size=8, rlen=23), False),
        (erf(rlen=15), False),
        (erf(wlen=1, rlen=16 + 65), True),  # as many bytes after the packet as a slot has
        (erf(wlen=1, rlen=16 + 66), False),
        (erf(kind=META, wlen=1, rlen=16 + 66), True),
        (erf(sec=0), False),
        (erf() + erf(sec=EPOCH + YEAR), True),
        (erf() + erf(sec=EPOCH + YEAR + 1), False),
        (erf() + erf(sec=EPOCH - YEAR - 1), False),
        (erf() * 8 + erf(kind=29), True),  # eight are enough
        (erf() * 7 + erf(kind=29), False),
    ],
)
def test_erf_is_known_by_its_records(head: bytes, is_erf: bool) -> None:
    assert _plt._recognise(head) == ("erf" if is_erf else None)


def tsh(sec: int = EPOCH, usec: int = 999_999, version: int = 0x45) -> bytes:
    """44 bytes: seconds, interface and microseconds, an IPv4 header and 16 bytes more."""
    return struct.pack(">IIB", sec, 3 << 24 | usec, version) + bytes(35)


@pytest.mark.parametrize(
    ("head", "is_tsh"),
    [
        (tsh(), True),
        (tsh()[:43], False),
        (tsh(usec=1_000_000), False),
        (tsh(version=0x44), False),
        (tsh(version=0x65), False),
        (tsh(sec=DAY), False),
        (tsh() + tsh(version=0), False),
    ],
)
def test_tsh_is_known_by_its_records(head: bytes, is_tsh: bool) -> None:
    assert _plt._recognise(head) == ("tsh" if is_tsh else None)


def legacy(body: bytes, sec: int = EPOCH) -> bytes:
    """64 bytes: a little-endian time of 32.32 bits, then what a format has."""
    return (struct.pack("<II", 0, sec) + body).ljust(64, b"\0")


def legacyeth(ethertype: int = 0x0800, length: int = 60) -> bytes:
    return legacy(struct.pack("<H", length) + packets.ethernet(b"", ethertype))


CISCO = b"\x0f\0\x08\0"
SNAP = bytes.fromhex("aaaa03 000000 0800")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (legacyeth(), "legacyeth"),
        (legacyeth(0x86DD), "legacyeth"),
        (legacyeth(0x1234), None),
        (legacyeth(length=20), None),
        (legacyeth(length=9216), None),
        (legacyeth()[:63], None),
        (legacy(struct.pack(">II", 64, 60) + CISCO), "legacypos"),
        (legacy(struct.pack(">II", 64, 60) + b"\xff\x03"), "legacypos"),
        (legacy(struct.pack(">II", 64, 60) + b"\x8f\x00\x08\x00"), "legacypos"),
        # neither PPP nor HDLC: an ERF record of type 0 and 64 bytes
        (legacy(struct.pack(">II", 64, 60) + b"\x0e\x00\x08\x00"), "erf"),
        (legacy(struct.pack("<II", 64, 60) + CISCO), None),
        (legacy(bytes(8) + SNAP), "legacyatm"),
        (legacy(bytes(8) + SNAP, sec=0), None),
        (legacy(bytes(8) + SNAP[1:]), None),
    ],
)
def test_legacy_formats_are_known_by_their_records(head: bytes, name: str | None) -> None:
    assert _plt._recognise(head) == name


# --- Interfaces ------------------------------------------------------------------------------


class Socket:
    """What takes the packets that an interface would."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> int:
        self.sent.append(data)
        return len(data)

    def close(self) -> None:
        pass


#: Link types of pcap files (tcpdump.org/linktypes.html) by the kernel's numbers of hardware
#: (linux/if_arp.h): Ethernet, loopback, 802.11, radiotap; PPP and a GRE tunnel take IP packets.
SENDS = {1: {1}, 772: {1}, 801: {105}, 803: {127}, 512: {101, 228, 229}, 778: {101, 228, 229}}


@pytest.mark.parametrize("hardware", SENDS)
def test_what_an_interface_can_send(
    hardware: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = Socket()
    monkeypatch.setattr(_output, "open_interface", lambda _: (socket, hardware))
    with plt.output_trace("int:none") as output:
        for link in (1, 9, 101, 105, 113, 127, 228, 229):
            content = packets.pcap([Record(FRAME, EPOCH, 0, len(FRAME))], link)
            (packet,) = packets.read_bytes(content, tmp_path)
            if link in SENDS[hardware]:
                output.write_packet(packet)
                assert socket.sent.pop() == FRAME
            else:
                with pytest.raises(plt.LibtraceError, match=rf"link type {link} can't go to this"):
                    output.write_packet(packet)
    assert socket.sent == []


def test_an_interface_that_can_not_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(Socket):
        def close(self) -> None:
            raise InterruptedError("mine")

    monkeypatch.setattr(_output, "open_interface", lambda _: (Stuck(), 1))
    output = plt.output_trace("int:none")
    output.start_output()
    with pytest.raises(InterruptedError, match="mine"):
        output.close_output()
    assert "closed" in repr(output)
    output.close_output()


# --- Other systems ---------------------------------------------------------------------------


def test_headers_of_linux_are_asked_for_on_linux_only(tmp_path: Path) -> None:
    """Files that include them, and all that ask which system it is, compile without __linux__.

    Python's own headers may need it, so they come first.
    """
    names = [
        path for path in sorted((ROOT / "src").rglob("*.c"))
        if re.search(r"<linux/|__linux__", path.read_text())
    ]  # fmt: skip
    assert names
    first = tmp_path / "first.h"
    first.write_text("#include <Python.h>\n#undef __linux__\n")
    include = sysconfig.get_path("include")
    for path in names:
        made = subprocess.run(
            [tool("gcc"), "-std=c11", "-include", first, "-w", "-E", f"-I{ROOT / 'src'}",
             f"-isystem{include}", path],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        assert "/linux/if_packet.h" not in made.stdout
