"""Packets made from bytes."""

import ipaddress
from pathlib import Path

import numpy as np
import packets
import pytest
from packets import EPOCH

import natkit
import plt

IP = packets.ipv4(packets.udp(b"payload"))
IP6 = packets.ipv6(packets.udp(b"payload"))
FRAME = packets.ethernet(IP)


def test_it_is_the_packet_that_a_trace_gives(tmp_path: Path) -> None:
    content = packets.pcap([packets.Record(FRAME, EPOCH, 123_456_789, 1500)], magic=0xA1B23C4D)
    theirs = packets.read_bytes(content, tmp_path)[0]
    made = plt.packet.from_bytes(FRAME, plt.TRACE_TYPE_ETH, theirs.time_ns, theirs.wire_len)
    names = "data time_ns time seconds erf_time wire_len capture_len linktype ethertype direction"
    for name in [*names.split(), "vlan_id", "proto", "comment"]:
        assert getattr(made, name) == getattr(theirs, name), name
    assert made.udp.payload.data == b"payload"
    assert natkit.IPflow(made) == natkit.IPflow(theirs)


def test_what_is_not_given() -> None:
    made = plt.packet.from_bytes(FRAME)
    assert (made.linktype, made.time_ns) == (plt.TRACE_TYPE_ETH, 0)
    # libtrace's wire length counts the frame check sequence
    assert (made.wire_len, made.capture_len) == (len(FRAME) + 4, len(FRAME))
    assert plt.packet.from_bytes(IP, plt.TRACE_TYPE_NONE).wire_len == len(IP)
    assert bytes(plt.packet.from_bytes(b"")) == b""


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_the_bytes_are_copied(kind: type) -> None:
    source = bytearray(FRAME)
    made = plt.packet.from_bytes(kind(source))
    source[:6] = b"\xff" * 6
    made.ip.ttl = 7
    assert bytes(made)[:6] == FRAME[:6]
    assert source[22] == 64


@pytest.mark.parametrize("data", [IP, IP6])
def test_ip_without_a_link_layer(data: bytes) -> None:
    made = plt.packet.from_bytes(data, linktype=plt.TRACE_TYPE_NONE)
    version = data[0] >> 4
    layer = made.ip if version == 4 else made.ip6
    expected = ipaddress.ip_address((packets.V4 if version == 4 else packets.V6)[0])
    assert layer.src_prefix.to_ipaddress() == expected
    assert made.udp.payload.data == b"payload"


@pytest.mark.parametrize("time", [0, 1, -1, -(10**9), 10**18 + 1, 2**63 - 1, -(2**63)])
def test_times(time: int) -> None:
    assert plt.packet.from_bytes(FRAME, time_ns=time).time_ns == time


#: What each type is in files (https://www.tcpdump.org/linktypes.html).
IN_FILES = {
    plt.TRACE_TYPE_ETH: 1,
    plt.TRACE_TYPE_PPP: 9,
    plt.TRACE_TYPE_POS: 50,
    plt.TRACE_TYPE_LLCSNAP: 100,
    plt.TRACE_TYPE_NONE: 101,
    plt.TRACE_TYPE_HDLC_POS: 104,
    plt.TRACE_TYPE_80211: 105,
    plt.TRACE_TYPE_OPENBSD_LOOP: 108,
    plt.TRACE_TYPE_LINUX_SLL: 113,
    plt.TRACE_TYPE_PFLOG: 117,
    plt.TRACE_TYPE_80211_PRISM: 119,
    plt.TRACE_TYPE_80211_RADIO: 127,
}


def test_numbers_of_numpy(tmp_path: Path) -> None:
    """As columns have them."""
    time, length, small = np.int64(1_700_000_000_000_000_001), np.uint32(99), np.uint8(7)
    packet = plt.packet.from_bytes(FRAME, time_ns=time, wire_len=length)
    assert (packet.time_ns, packet.wire_len) == (time, length)
    packet.ip.ttl = small
    packet.ip.checksum = small
    assert (packet.ip.ttl, packet.ip.checksum) == (7, 7)
    with pytest.raises(TypeError, match=r"ttl must be an integer, not numpy\.float64"):
        packet.ip.ttl = np.float64(7)
    out = plt.output_trace(tmp_path / "out.pcap.gz")
    out.conf_compress_level(np.int32(1))
    out.start_output()
    out.close_output()
    trace = plt.trace(tmp_path / "out.pcap.gz")
    trace.conf_snaplen(np.int64(60))


@pytest.mark.parametrize(("linktype", "number"), IN_FILES.items())
def test_link_types_are_written_as_those_of_files(
    linktype: int, number: int, tmp_path: Path
) -> None:
    path = tmp_path / "x.pcap"
    with plt.output_trace(path) as out:
        out.write_packet(plt.packet.from_bytes(FRAME, linktype, time_ns=EPOCH * 10**9 + 5))
    assert path.read_bytes()[20:24] in (number.to_bytes(4, "little"), number.to_bytes(4, "big"))
    assert [(bytes(p), p.time_ns) for p in packets.read(path)] == [(FRAME, EPOCH * 10**9 + 5)]


class Mine(plt.packet):
    """A subclass."""


def test_subclasses() -> None:
    made = Mine.from_bytes(FRAME)
    assert type(made) is Mine
    for layer in (plt.Data, plt.ip, plt.udp):
        with pytest.raises(TypeError, match=r"is of plt\.packet"):
            layer.from_bytes(FRAME)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"data": "text"}, TypeError, "bytes-like"),
        ({"data": None}, TypeError, "bytes-like"),
        ({"linktype": 101}, ValueError, "linktype must be a TRACE_TYPE_.*not 101"),
        ({"linktype": -1}, ValueError, "linktype must be"),
        ({"linktype": plt.TRACE_TYPE_METADATA}, ValueError, "linktype must be"),
        ({"linktype": "ETH"}, TypeError, None),
        ({"time_ns": 2**63}, ValueError, "time_ns must be nanoseconds of 64 bits"),
        ({"time_ns": 1.5}, TypeError, "time_ns must be an integer"),
        ({"wire_len": -1}, ValueError, "wire_len must be in"),
        ({"wire_len": 2**32}, ValueError, "wire_len must be in"),
        ({"wire_len": 1.5}, TypeError, "wire_len must be an integer"),
    ],
)
def test_wrong_arguments(
    arguments: dict[str, object], error: type[Exception], words: str | None
) -> None:
    with pytest.raises(error, match=words):
        plt.packet.from_bytes(**({"data": FRAME} | arguments))
