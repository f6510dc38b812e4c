"""plt.ip(x) and its like: what they find in packets, layers and bytes, and what they share."""

import copy
import gc
import weakref
from pathlib import Path

import numpy as np
import packets
import pytest
from packets import ICMP, ICMP6, SCTP, TCP, UDP

import plt
from ipp import from_s

INNER6 = packets.ipv6(packets.tcp(b"inner", ports=(1111, 2222)), TCP)
INNER4 = packets.ipv4(packets.udp(b"inner", ports=(3333, 4444)), src="10.1.1.1", dst="10.2.2.2")


def of(data: bytes, folder: Path) -> plt.packet:
    return packets.packet_of(packets.ethernet(data), folder)


def test_of_a_packet(tmp_path: Path) -> None:
    packet = of(packets.ipv4(packets.tcp(b"payload"), TCP), tmp_path)
    assert plt.ip(packet).src_prefix == from_s(packets.V4[0])
    assert bytes(plt.tcp(packet)) == packets.tcp(b"payload")
    for make in (plt.ip6, plt.udp, plt.icmp, plt.icmp6, plt.sctp):
        assert make(packet) is None


@pytest.mark.parametrize(
    ("make", "proto", "content"),
    [
        (plt.tcp, TCP, packets.tcp()),
        (plt.udp, UDP, packets.udp()),
        (plt.icmp, ICMP, packets.icmp(8)),
        (plt.sctp, SCTP, bytes(12)),
        (plt.icmp6, ICMP6, packets.icmp(128)),
    ],
)
def test_of_any_layer_of_a_packet(make: type, proto: int, content: bytes, tmp_path: Path) -> None:
    packet = of(packets.ipv4(content, proto), tmp_path)
    for obj in (packet, packet.layer2, packet.layer3, packet.transport, packet.ip):
        found = make(obj)
        assert type(found) is make
        assert bytes(found) == content
        assert bytes(make(found)) == content
        assert bytes(plt.ip(found)) == packets.ipv4(content, proto)


def test_6in4_by_transport_and_by_payload(tmp_path: Path) -> None:  # RFC 4213
    packet = of(packets.ipv4(INNER6, 41), tmp_path)
    assert packet.ip.proto == 41
    for inner in (plt.ip6(packet.transport), plt.ip6(packet.ip.payload)):
        assert str(inner.src_prefix) == packets.V6[0]
        assert (inner.tcp.src_port, inner.tcp.dst_port) == (1111, 2222)
        assert bytes(inner.tcp.payload) == b"inner"
        assert inner.proto == TCP
    assert packet.ip6 is None
    assert packet.tcp is None


def test_4in4_and_4in6(tmp_path: Path) -> None:  # RFC 2003, RFC 2473
    for outer in (packets.ipv4(INNER4, 4), packets.ipv6(INNER4, 4)):
        packet = packets.packet_of(
            packets.ethernet(outer, 0x0800 if outer[0] == 0x45 else 0x86DD), tmp_path
        )
        inner = plt.ip(packet.transport)
        assert str(inner.src_prefix) == "10.1.1.1"
        assert (inner.udp.src_port, inner.udp.dst_port) == (3333, 4444)
        # the header that the layer itself is of comes before the one within
        outer_layer = packet.ip if outer[0] == 0x45 else packet.ip6
        assert str(plt.Internet.src_prefix.__get__(outer_layer)) != "10.1.1.1"


def test_a_transport_that_carries_no_packet_of_the_version(tmp_path: Path) -> None:
    """The header is that which the transport itself is of."""
    for outer in (packets.ipv4(packets.udp(b"x")), packets.ipv4(INNER6, 41)):
        assert bytes(plt.ip(of(outer, tmp_path).transport)) == outer
    assert plt.ip6(of(packets.ipv4(packets.udp(b"x")), tmp_path).transport) is None
    outer = packets.ipv6(INNER4, 4)
    packet = packets.packet_of(packets.ethernet(outer, 0x86DD), tmp_path)
    assert bytes(plt.ip6(packet.transport)) == outer


def test_6in4_whose_inner_packet_is_cut(tmp_path: Path) -> None:
    """The transport is the inner packet's where that is there, else the outer one's."""
    whole = packets.ethernet(packets.ipv4(INNER6, 41))
    for length in range(34, len(whole)):
        packet = packets.packet_of(whole[:length], tmp_path, wire=len(whole))
        inner_transport_at = 14 + 20 + 40
        at = inner_transport_at if length >= inner_transport_at else 34
        assert bytes(packet.transport or b"") == whole[at:length]


def test_a_payload_is_no_carrier_of_packets(tmp_path: Path) -> None:
    """That of UDP begins with an IP header here, which no protocol number says."""
    packet = of(packets.ipv4(packets.udp(INNER4)), tmp_path)
    for payload in (packet.udp.payload, packet.udp_payload):
        assert bytes(payload) == INNER4
        assert bytes(plt.ip(payload)) == packets.ipv4(packets.udp(INNER4))


def test_a_transport_that_was_overwritten_by_a_later_fragment(tmp_path: Path) -> None:
    """Which has no transport: there is no packet in it."""
    packet = of(packets.ipv4(INNER4, 4), tmp_path)
    transport = packet.transport
    assert bytes(plt.ip(transport)) == INNER4
    later = packets.ipv4(INNER4, 4, fragment=3)
    packet.data = packets.ethernet(later)
    assert bytes(plt.ip(transport)) == later


def test_6in6(tmp_path: Path) -> None:  # RFC 2473
    packet = packets.packet_of(packets.ethernet(packets.ipv6(INNER6, 41), 0x86DD), tmp_path)
    inner = plt.ip6(packet.transport)
    assert inner.tcp.dst_port == 2222
    assert bytes(inner) == INNER6


def test_time_and_lengths_of_an_inner_packet_are_the_outer_one_s(tmp_path: Path) -> None:
    packet = of(packets.ipv4(INNER6, 41), tmp_path)
    inner = plt.ip6(packet.transport)
    assert inner.ts_sec == packet.ts_sec == packets.EPOCH
    assert inner.wire_len == packet.wire_len == len(INNER6) + 20 + 14 + 4


def test_a_change_to_an_inner_packet_is_seen_in_the_outer_one(tmp_path: Path) -> None:
    packet = of(packets.ipv4(INNER6, 41), tmp_path)
    plt.ip6(packet.transport).hop_limit = 7
    assert packet.ip.payload[7] == 7
    plt.ip6(packet.ip.payload).hop_limit = 9  # a bytearray of its own
    assert packet.ip.payload[7] == 7


def test_bytes_given_to_a_tunnelled_packet_are_the_outer_one_s() -> None:
    """PPPoE (RFC 2516), in which both have the same IP header."""
    inside = b"\0\x21" + packets.ipv4(packets.udp(b"data"))
    session = b"\x11\0\0\7" + len(inside).to_bytes(2, "big")
    packet = plt.packet.from_bytes(packets.ethernet(session + inside, 0x8864))
    assert packet.proto == UDP
    packet.inner.data = b"\0\x21" + packets.ipv4(packets.udp(b"data"), TCP)
    assert (packet.proto, packet.ip.proto, packet.udp) == (TCP, TCP, None)


def test_not_a_packet() -> None:
    for make in (plt.ip, plt.ip6, plt.tcp, plt.udp, plt.icmp, plt.icmp6, plt.sctp):
        for wrong in (None, 1, "text", 1.5, [1, 2], object(), plt.trace("x"), from_s("::1"), plt):
            with pytest.raises(ValueError, match=r"^Not a Data, Packet or ByteArray object$"):
                make(wrong)
        for call in (lambda f: f(), lambda f: f(b"", b""), lambda f: f(x=b"")):
            with pytest.raises(TypeError):
                call(make)


def test_no_keyword_arguments_are_none() -> None:
    none: dict[str, object] = {}
    assert plt.ip(INNER4, **none).udp.dst_port == 4444
    assert len(plt.packet(**none)) == 0


def test_a_layer_whose_packet_was_overwritten_by_one_of_another_protocol(tmp_path: Path) -> None:
    packet = of(packets.ipv4(packets.tcp(b"data"), TCP), tmp_path)
    segment = packet.tcp
    assert bytes(segment.payload) == b"data"
    packet.data = packets.ethernet(packets.ipv4(packets.udp(b"data")))
    with pytest.raises(ValueError, match="Data too short for payload"):
        _ = segment.payload


def test_bytes_begin_with_the_header_whatever_they_say() -> None:
    odd = plt.ip(b"\x65" + bytes(19))
    assert (odd.version, odd.hdr_len) == (6, 5)
    assert plt.ip6(b"\x45" + bytes(39)).version == 4


def test_an_icmp_message_by_itself_has_its_checksum() -> None:
    """RFC 792: it covers the message alone.  Those of UDP and ICMPv6 need an IP header."""
    message = bytearray(packets.icmp(8, payload=b"ping"))
    layer = plt.icmp(message)
    assert layer.test_trans_cksm() is True
    message[-1] ^= 1
    assert layer.test_trans_cksm() is False
    assert layer.set_trans_cksm() is True
    assert packets.internet_sum(bytes(message)) == 0
    assert plt.icmp6(message).test_trans_cksm() is None
    assert plt.udp(message).test_trans_cksm() is None


def test_arp_begins_with_its_first_field() -> None:
    """RFC 826: the kind of hardware, of 2 bytes."""
    frame = packets.ethernet(b"\0\1", 0x0806)
    assert plt.packet.from_bytes(frame).arp.hardware_type == 1
    for length in (14, 15):
        packet = plt.packet.from_bytes(frame[:length])
        assert packet.arp is None
        assert not plt.where("arp").matches(packet)


def test_an_arp_packet_of_no_bytes() -> None:
    layer = plt.arp(b"")
    assert (layer.ethertype, layer.data, len(layer)) == (0x0806, b"", 0)
    assert (layer.sender_mac, layer.target_prefix) == (None, None)
    with pytest.raises(ValueError, match="too short for op"):
        _ = layer.op


def test_memory_is_shared_both_ways() -> None:
    shared = bytearray(packets.ipv4(packets.udp(b"abc"), ttl=9))
    layer = plt.ip(shared)
    shared[8] = 77
    assert layer.ttl == 77
    layer.ttl = 5
    assert shared[8] == 5
    layer.udp.checksum = 0xABCD
    assert shared[26:28] == b"\xab\xcd"
    memoryview(layer)[0] = 0x46
    assert shared[0] == 0x46


def test_memory_is_kept_alive() -> None:
    class Owner(bytearray):
        pass

    owner = Owner(packets.ipv4(packets.udp(b"abc")))
    gone = weakref.ref(owner)
    payload = plt.ip(owner).udp.payload
    del owner
    gc.collect()
    assert gone() is not None
    assert bytes(payload) == b"abc"
    del payload
    gc.collect()
    assert gone() is None


def test_bytes_are_read_only() -> None:
    content = packets.ipv4(packets.udp(b"abc"))
    layer = plt.ip(content)
    for action in (
        lambda: setattr(layer, "ttl", 3),
        lambda: setattr(layer, "checksum", 3),
        lambda: setattr(layer, "src_prefix", from_s("10.0.0.1")),
        lambda: setattr(layer, "data", b"x"),
        lambda: setattr(layer.udp, "checksum", 3),
        layer.set_l3_cksm,
        layer.set_trans_cksm,
        layer.set_checksum,
        layer.set_checksums,
    ):
        with pytest.raises(TypeError, match="read-only"):
            action()
    assert memoryview(layer).readonly
    assert bytes(layer) == content
    for readonly in (memoryview(bytearray(content)).toreadonly(), np.frombuffer(content, np.uint8)):
        readonly_view = plt.ip(readonly)
        assert bytes(readonly_view) == content
        with pytest.raises(TypeError, match="read-only"):
            readonly_view.ttl = 3


def test_made_from_bytes_there_is_no_time() -> None:
    layer = plt.udp(packets.udp())
    for name in ("time", "seconds", "ts_sec", "time_ns", "erf_time", "wire_len"):
        with pytest.raises(ValueError, match=f"no {name}: this object was made from bytes"):
            getattr(layer, name)
    assert layer.kind == "string"
    assert layer.capture_len == layer.size == len(layer) == 8
    for name in ("layer2", "layer3", "ip", "ip6", "tcp", "icmp", "icmp6", "sctp"):
        assert getattr(layer, name) is None
    with pytest.raises(ValueError, match="src_prefix"):
        _ = layer.src_prefix


def test_subclasses(tmp_path: Path) -> None:
    class Mine(plt.ip):
        note = "mine"

        def home(self) -> bool:
            return str(self.src_prefix) == packets.V4[0]

    packet = of(packets.ipv4(packets.udp()), tmp_path)
    for found in (Mine(packet), Mine(packets.ipv4(packets.udp()))):
        assert type(found) is Mine
        assert isinstance(found, plt.Internet)
        assert found.home()
        found.extra = 1
        assert found.extra == 1
        assert type(found.udp) is plt.udp
    assert Mine(of(packets.ipv6(b"")[:40], tmp_path)) is None


def test_inheritance() -> None:
    parents = {
        plt.Data: plt.packet,
        plt.Layer2: plt.Data,
        plt.Layer3: plt.Data,
        plt.Transport: plt.Layer3,
        plt.arp: plt.Data,
        plt.Internet: plt.Data,
        plt.ip: plt.Internet,
        plt.ip6: plt.Internet,
        plt.tcp: plt.Internet,
        plt.udp: plt.Internet,
        plt.sctp: plt.Internet,
        plt.icmp: plt.ip,
        plt.icmp6: plt.ip6,
        plt.echo: plt.icmp,
        plt.redirect: plt.icmp,
        plt.echo6: plt.icmp6,
        plt.toobig6: plt.icmp6,
        plt.param6: plt.icmp6,
        plt.neighbour6: plt.icmp6,
        plt.chunk: plt.sctp,
    }
    assert {kind: kind.__base__ for kind in parents} == parents
    assert issubclass(plt.LibtraceError, SystemError)
    assert plt.libtrace_exc is plt.plt_exc_libtrace is plt.LibtraceError


def test_objects_are_true_and_have_a_length(tmp_path: Path) -> None:
    [packet] = packets.read_bytes(packets.pcap([b""]), tmp_path)
    assert packet
    assert len(packet) == packet.size == 0
    assert plt.ip(b"")
    assert len(plt.tcp(bytes(33))) == 33


def test_copies_have_bytes_of_their_own(tmp_path: Path) -> None:
    packet = of(packets.ipv4(packets.udp(b"abc"), ttl=9), tmp_path)
    for layer in (packet, packet.ip, packet.udp, plt.udp(bytearray(8))):
        twin = copy.copy(layer)
        assert type(twin) is type(layer)
        assert bytes(twin) == bytes(layer)
        assert (layer.kind, twin.kind)[1] == "copy"
    twin = copy.copy(packet)
    twin.ip.ttl = 3
    assert (packet.ip.ttl, twin.ip.ttl) == (9, 3)
    assert (twin.time_ns, twin.wire_len) == (packet.time_ns, packet.wire_len)
    thawed = copy.copy(plt.ip(packets.ipv4(ttl=9)))
    thawed.ttl = 8
    assert thawed.ttl == 8


def test_a_copy_of_an_inner_packet_keeps_the_time(tmp_path: Path) -> None:
    packet = of(packets.ipv4(INNER6, 41), tmp_path)
    inner = plt.ip6(packet.transport)
    assert copy.copy(inner).ts_sec == inner.ts_sec == packets.EPOCH
