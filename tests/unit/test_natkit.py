"""natkit, against struct, ipaddress and packets put together by hand here."""

import array
import copy
import importlib.util
import inspect
import ipaddress
import operator
import pickle
import re
import struct
import sys
from pathlib import Path

import packets as made
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ipp
import natkit
import plt
from ipp import from_s
from natkit import FlowHome, FlowTable, IPflow

A4, B4 = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("198.51.100.2")
A6, B6 = ipaddress.ip_address("2001:db8:1::1"), ipaddress.ip_address("2001:db8:ff::2")
HOME = (from_s("192.0.2.0/24"), from_s("2001:db8:1::/64"))
NO_HOME = {"home_key": None, "src_in_home": None, "dst_in_home": None, "is_inward": None}
# 192.0.2.1 port 1025 to 198.51.100.2 port 80, TCP: section 5 of API.md, byte after byte
KEY4 = bytes.fromhex("04 06 0401 0050 c0000201 c6336402")
REVERSE4 = bytes.fromhex("04 06 0050 0401 c6336402 c0000201")
KEY6 = bytes.fromhex(
    "06 11 0401 0035 20010db8000100000000000000000001 20010db800ff00000000000000000002"
)


def ip4(proto, payload, src=A4, dst=B4, fragment=0, length=None):
    """An IPv4 packet (RFC 791 section 3.1)."""
    length = 20 + len(payload) if length is None else length
    head = struct.pack(">BBHHHBBH", 0x45, 0, length, 7, fragment, 64, proto, 0)
    return head + src.packed + dst.packed + payload


def ip6(proto, payload, src=A6, dst=B6):
    """An IPv6 packet (RFC 8200 section 3)."""
    return (
        struct.pack(">IHBB", 6 << 28, len(payload), proto, 64) + src.packed + dst.packed + payload
    )


def tcp(src=1025, dst=80):
    return struct.pack(">HHIIBBHHH", src, dst, 1, 2, 5 << 4, 0x10, 512, 0, 0)


def udp(src=1025, dst=53, payload=b"x" * 4):
    return struct.pack(">HHHH", src, dst, 8 + len(payload), 0) + payload


def flow4(*args, **kwargs):
    return IPflow(plt.ip(ip4(*args, **kwargs)))


def flow6(*args, **kwargs):
    return IPflow(plt.ip6(ip6(*args, **kwargs)))


def ports(flow):
    return flow.src_port, flow.dst_port


def packets(folder: Path, *frames: tuple[int, bytes]):
    """Packets read from a pcap file of Ethernet frames: (ethertype, what it carries)."""
    path = folder / "made.pcap"
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for ethertype, payload in frames:
            data = b"\2\0\0\0\0\1\2\0\0\0\0\2" + struct.pack(">H", ethertype) + payload
            out.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)
    with plt.trace(str(path)) as trace:
        return list(trace)


# --- bytes and sequence numbers ------------------------------------------------------------------


def test_integers_in_bytes():
    ba = bytearray.fromhex("00 01 fe dc ba 98")
    assert [natkit.ba_get_short(ba, i) for i in range(7)] == [
        0x0001, 0x01FE, 0xFEDC, 0xDCBA, 0xBA98, None, None,
    ]  # fmt: skip
    assert [natkit.ba_get_long(ba, i) for i in range(4)] == [
        0x0001FEDC,
        0x01FEDCBA,
        0xFEDCBA98,
        None,
    ]


@given(st.binary(max_size=12), st.integers(0, 14))
def test_integers_are_those_of_struct(data, i):
    short = struct.unpack_from(">H", data, i)[0] if i + 2 <= len(data) else None
    long = struct.unpack_from(">I", data, i)[0] if i + 4 <= len(data) else None
    assert natkit.ba_get_short(data, i) == short
    assert natkit.ba_get_long(data, i) == long


def test_integers_of_any_bytes_like():
    data = ip4(6, tcp())
    for ba in (data, bytearray(data), memoryview(data), array.array("B", data), plt.ip(data)):
        assert natkit.ba_get_short(ba, 20) == 1025
        assert natkit.ba_get_long(ba, 12) == int(A4)


@pytest.mark.parametrize("get", [natkit.ba_get_short, natkit.ba_get_long])
def test_integers_where_there_are_none(get):
    for i in (2**31, 2**63 - 1, 2**63, 2**100):
        assert get(b"abcdef", i) is None
    for i in (-1, -(2**63), -(2**100)):
        with pytest.raises(IndexError, match=f"{get.__name__}.*not {i}"):
            get(b"abcdef", i)
    with pytest.raises(TypeError, match="bytes-like object is required, not 'str'"):
        get("abcdef", 0)
    for i in ("0", 0.0, None):
        with pytest.raises(TypeError):
            get(b"abcdef", i)
    with pytest.raises(BufferError):
        get(memoryview(b"abcdef")[::2], 0)
    for args in ((), (b"abcdef",), (b"abcdef", 0, 0)):
        with pytest.raises(TypeError, match=f"{len(args)} arguments"):
            get(*args)


def test_sequence_numbers_wrap():
    assert natkit.seq_add(0xFFFFFFFF, 2) == natkit.u32_add(0xFFFFFFFF, 2) == 1
    assert natkit.seq_sub(1, 2) == natkit.u32_sub(1, 2) == 0xFFFFFFFF
    # 10 bytes before the wrap is before 10 bytes behind it
    assert natkit.seq_lt(0xFFFFFFF6, 10)
    assert natkit.seq_gt(10, 0xFFFFFFF6)
    assert not natkit.seq_ge(0xFFFFFFF6, 10)
    assert not natkit.seq_le(10, 0xFFFFFFF6)


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
@example(0, 2**31)
@example(2**31, 0)
@example(0, 2**31 - 1)
@example(5, 5 + 2**32)
@example(-1, -1)
def test_sequence_numbers_are_modulo_2_to_the_32(a, b):
    assert natkit.seq_add(a, b) == natkit.u32_add(a, b) == (a + b) % 2**32
    assert natkit.seq_sub(a, b) == natkit.u32_sub(a, b) == (a - b) % 2**32
    (difference,) = struct.unpack("<i", struct.pack("<I", (a - b) % 2**32))
    assert natkit.seq_lt(a, b) is natkit.u32_lt(a, b) is (difference < 0)
    assert natkit.seq_le(a, b) is natkit.u32_le(a, b) is (difference <= 0)
    assert natkit.seq_gt(a, b) is natkit.u32_gt(a, b) is (difference > 0)
    assert natkit.seq_ge(a, b) is natkit.u32_ge(a, b) is (difference >= 0)


@pytest.mark.parametrize(
    "name",
    [
        f"{kind}_{name}"
        for kind in ("seq", "u32")
        for name in ("add", "sub", "lt", "le", "gt", "ge")
    ],
)
def test_sequence_numbers_are_integers(name):
    function = getattr(natkit, name)
    for args in ((1.0, 2), (1, "2"), (None, 2), (1, b"2")):
        with pytest.raises(TypeError, match="takes integers, not"):
            function(*args)
    for args in ((), (1,), (1, 2, 3)):
        with pytest.raises(TypeError, match=f"takes 2 numbers, not {len(args)}"):
            function(*args)
    assert list(inspect.signature(function).parameters) == ["a", "b"]


# --- IPflow: its values --------------------------------------------------------------------------


def test_flow_of_ip4():
    flow = flow4(6, tcp())
    assert (flow.version, flow.proto, flow.src_port, flow.dst_port) == (4, 6, 1025, 80)
    assert (flow.src_prefix, flow.dst_prefix) == (from_s(str(A4)), from_s(str(B4)))
    assert flow.src_prefix.length is None
    assert isinstance(flow.src_prefix, ipp.IPprefix)
    assert (flow.fwd_key, flow.rev_key) == (KEY4, REVERSE4)
    assert type(flow.fwd_key) is type(flow.rev_key) is bytes
    assert {name: getattr(flow, name) for name in NO_HOME} == NO_HOME


def test_flow_of_ip6():
    flow = flow6(17, udp())
    assert (flow.version, flow.proto, flow.src_port, flow.dst_port) == (6, 17, 1025, 53)
    assert (str(flow.src_prefix), str(flow.dst_prefix)) == (str(A6), str(B6))
    assert flow.fwd_key == KEY6
    assert flow.rev_key == flow6(17, udp(53, 1025), B6, A6).fwd_key


@pytest.mark.parametrize("proto", [6, 17, 33, 132, 136])
def test_ports(proto):
    """TCP, UDP, DCCP (RFC 4340), SCTP (RFC 9260) and UDP-Lite (RFC 3828) begin with them."""
    assert ports(flow4(proto, tcp(1, 65535))) == (1, 65535)
    assert ports(flow6(proto, tcp(65534, 2))) == (65534, 2)


@pytest.mark.parametrize("proto", [1, 2, 4, 41, 47, 50, 58, 89, 255])
def test_no_ports(proto):
    flow = flow4(proto, b"\1" * 40)
    assert (flow.proto, *ports(flow)) == (proto, 0, 0)
    assert flow.fwd_key == bytes([4, proto, 0, 0, 0, 0]) + A4.packed + B4.packed


def test_fragments():
    first = flow4(17, udp(), fragment=0x2000)
    assert (first.proto, *ports(first)) == (17, 1025, 53)
    # the golden dumps have protocol 0 for such of IPv4, and what the header says for IPv6
    later = flow4(17, udp(), fragment=0x2001)
    assert (later.proto, *ports(later)) == (0, 0, 0)
    first6 = flow6(44, bytes([17, 0, 0, 1, 0, 0, 0, 9]) + udp())
    assert (first6.proto, *ports(first6)) == (17, 1025, 53)
    later6 = flow6(44, bytes([17, 0, 0, 8, 0, 0, 0, 9]) + udp())
    assert (later6.proto, *ports(later6)) == (17, 0, 0)


def test_extension_headers_are_passed():
    options = bytes([43, 0, 1, 4, 0, 0, 0, 0])  # hop-by-hop, a PadN; then routing, RFC 8200
    routing = bytes([6, 2, 0, 0]) + bytes(20)
    flow = flow6(0, options + routing + tcp())
    assert (flow.proto, *ports(flow)) == (6, 1025, 80)


def test_a_tcp_header_that_says_it_has_options():
    options = bytes([0x46]) + ip4(6, b"", length=44)[1:20] + b"\1\1\1\0" + tcp(7, 8)
    assert ports(IPflow(plt.ip(options))) == (7, 8)


def test_padding_is_no_port(tmp_path):
    # 46 bytes are the least that Ethernet carries: behind 22 of IP come 24 of padding
    padded = ip4(6, tcp(), length=22) + bytes(6)
    (packet,) = packets(tmp_path, (0x0800, padded))
    assert ports(IPflow(packet)) == (0, 0)
    # a length of 0 is that of segmentation offload: the packet ends where the capture does
    (packet,) = packets(tmp_path, (0x0800, ip4(6, tcp(), length=0)))
    assert ports(IPflow(packet)) == (1025, 80)


# --- IPflow: what it is made from ----------------------------------------------------------------


def test_every_object_of_a_packet_has_its_flow(tmp_path):
    (packet,) = packets(tmp_path, (0x0800, ip4(6, tcp() + b"payload")))
    objects = [packet, packet.layer2, packet.layer3, packet.transport, packet.ip, packet.tcp]
    objects += [packet.tcp.payload, packet.tcp_payload, packet.ip.tcp]
    assert [IPflow(obj).fwd_key for obj in objects] == [KEY4] * len(objects)


def test_quoted_packets_have_their_own_flow(tmp_path):
    unreachable = bytes([3, 3, 0, 0, 0, 0, 0, 0]) + ip4(6, tcp())
    (packet,) = packets(tmp_path, (0x0800, ip4(1, unreachable, B4, A4)))
    assert IPflow(packet).fwd_key == bytes([4, 1, 0, 0, 0, 0]) + B4.packed + A4.packed
    assert IPflow(packet.icmp).fwd_key == IPflow(packet).fwd_key
    assert IPflow(packet.icmp.payload).fwd_key == KEY4
    assert IPflow(packet.icmp.payload.tcp).fwd_key == KEY4


def test_tunnelled_packets_have_their_own_flow(tmp_path):
    (packet,) = packets(tmp_path, (0x0800, ip4(41, ip6(17, udp()))))
    assert IPflow(packet).fwd_key == bytes([4, 41, 0, 0, 0, 0]) + A4.packed + B4.packed
    assert IPflow(plt.ip6(packet.transport)).fwd_key == KEY6
    assert IPflow(plt.ip6(packet.ip.payload).udp).fwd_key == KEY6


def test_flows_outlive_their_packet():
    data = bytearray(ip4(6, tcp()))
    flow = IPflow(plt.ip(data))
    data[:] = bytes(len(data))
    assert flow.fwd_key == KEY4


ATTRIBUTES = (
    "version", "proto", "src_port", "dst_port", "src_prefix", "dst_prefix", "fwd_key", "rev_key",
    "home_key", "src_in_home", "dst_in_home", "is_inward",
)  # fmt: skip

#: What needs a key, of an IPflow that has none.
USES = (
    hash,
    lambda flow: flow < IPflow.from_key(KEY4),
    lambda flow: flow >= 4,
    lambda flow: IPflow.from_key(KEY4) > flow,
    lambda flow: sorted([flow, flow]),
    lambda flow: {flow: 1},
    copy.copy,
    pickle.dumps,
    lambda flow: flow in FlowTable(),
    lambda flow: FlowTable()[flow],
)


def test_what_is_not_ip(tmp_path):
    arp, lldp = packets(tmp_path, (0x0806, bytes(28)), (0x88CC, bytes(50)))
    home = FlowHome(*HOME)
    for make in (IPflow, home.flow, Noted):
        for obj, ethertype in ((arp, 0x0806), (lldp.layer3, 0x88CC), (plt.tcp(tcp()), 0)):
            flow, words = make(obj), f"not an IP packet: ethertype 0x{ethertype:04x}"
            assert isinstance(flow, IPflow)
            assert not flow
            assert str(flow) == words
            assert repr(flow).removeprefix("<natkit.") in (f"IPflow: {words}>", f"<Noted: {words}>")
            for use in (*map(operator.attrgetter, ATTRIBUTES), *USES):
                with pytest.raises(ValueError, match=f"^{words}$"):
                    use(flow)
            assert [flow].index(flow) == 0
            assert flow != make(obj)
            assert flow not in (4, IPflow(plt.ip(ip4(6, tcp()))))
            assert operator.eq(flow, None)  # which 1.7 gave
            assert not operator.ne(flow, None)
    flow = IPflow(plt.ip(ip4(6, tcp())))
    assert operator.ne(flow, None)
    assert not operator.eq(flow, None)


def test_what_is_ip_is_true():
    for flow in (flow4(6, tcp()), flow6(17, udp()), IPflow.from_key(KEY4)):
        assert flow


def test_what_is_no_packet():
    home = FlowHome(*HOME)
    for obj in (ip4(6, tcp()), bytearray(20), None, 4, "192.0.2.1", IPflow, from_s("::1")):
        for make in (IPflow, home.flow):
            with pytest.raises(ValueError, match=f"not {type(obj).__name__}$|not .*IPprefix$"):
                make(obj)
    with pytest.raises(ValueError, match="nothing was read"):
        IPflow(plt.packet())


def test_ipflow_takes_one_argument():
    packet = plt.ip(ip4(6, tcp()))
    for args, kwargs in (((), {}), ((packet, packet), {}), ((), {"obj": packet})):
        with pytest.raises(TypeError):
            IPflow(*args, **kwargs)
    with pytest.raises(TypeError):
        IPflow(packet, home=None)


# --- IPflow: as an object ------------------------------------------------------------------------


class Noted(IPflow):
    """A subclass with a __dict__; at module level so that pickle finds it."""


class Slotted(IPflow):
    __slots__ = ("note",)


def test_attributes_are_read_only():
    flow = flow4(6, tcp())
    for name in ("version", "proto", "src_port", "src_prefix", "fwd_key", "rev_key", *NO_HOME):
        with pytest.raises(AttributeError):
            setattr(flow, name, 1)
    with pytest.raises(AttributeError):
        flow.note = 1


def test_equality_is_that_of_the_forward_key():
    flow, same = flow4(6, tcp()), flow4(6, tcp() + b"more")
    others = [
        flow4(6, tcp(), B4, A4), flow4(6, tcp(80, 1025)), flow4(17, tcp()), flow4(6, tcp(1025, 81)),
        flow6(6, tcp()), flow6(6, tcp(), B6, A6),
    ]  # fmt: skip
    assert flow == same
    assert (flow != same) is False
    assert hash(flow) == hash(same)
    assert {flow == other for other in others} == {False}
    assert {flow != other for other in others} == {True}
    assert len({flow, same, *others}) == 1 + len(others)
    # also one of a FlowHome: it is the same packets' flow
    assert FlowHome(*HOME).flow(plt.ip(ip4(6, tcp()))) == flow
    assert flow != KEY4
    assert flow != None  # noqa: E711
    with pytest.raises(TypeError):
        flow < same  # noqa: B015


def test_text():
    assert str(flow4(6, tcp())) == "TCP 192.0.2.1 port 1025 to 198.51.100.2 port 80"
    assert str(flow6(17, udp())) == "UDP 2001:db8:1::1 port 1025 to 2001:db8:ff::2 port 53"
    assert str(flow4(1, bytes(8))) == "IPv4 protocol 1, 192.0.2.1 to 198.51.100.2"
    assert str(flow6(58, bytes(8))) == "IPv6 protocol 58, 2001:db8:1::1 to 2001:db8:ff::2"
    names = [str(flow4(proto, tcp())).split()[0] for proto in (33, 132, 136)]
    assert names == ["DCCP", "SCTP", "UDP-Lite"]
    assert repr(flow4(1, b"")) == "<natkit.IPflow: IPv4 protocol 1, 192.0.2.1 to 198.51.100.2>"


def state(flow):
    return flow.fwd_key, flow.src_in_home, flow.dst_in_home


def copies(obj):
    """What copy and pickle, by all its protocols, make of obj."""
    yield copy.copy(obj)
    yield copy.deepcopy(obj)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(obj, protocol))


def test_copies_and_pickles():
    packet4, packet6 = plt.ip(ip4(6, tcp())), plt.ip6(ip6(17, udp()))
    for packet in (packet4, packet6):
        for flow in (IPflow(packet), FlowHome(*HOME).flow(packet), FlowHome(HOME[0]).flow(packet)):
            for again in copies(flow):
                assert type(again) is IPflow
                assert again == flow
                assert state(again) == state(flow)


def test_copies_and_pickles_of_subclasses():
    packet = plt.ip(ip4(6, tcp()))
    for flow in (Noted(packet), Slotted(packet)):
        flow.note = ["kept"]
        for again in (copy.copy(flow), pickle.loads(pickle.dumps(flow))):
            assert type(again) is type(flow)
            assert (again.fwd_key, again.note) == (KEY4, ["kept"])
        assert flow == IPflow(packet)
        assert hash(flow) == hash(IPflow(packet))


def test_flows_of_keys():
    flow = IPflow.from_key(KEY4)
    assert flow == flow4(6, tcp())
    assert flow.home_key is None
    assert IPflow.from_key(bytearray(KEY6)) == flow6(17, udp())
    inward = IPflow.from_key(KEY4, src_in_home=False, dst_in_home=True)
    assert (inward.home_key, inward.is_inward) == (KEY4, True)
    outward = IPflow.from_key(KEY4, True, False)
    assert (outward.home_key, outward.is_inward) == (REVERSE4, True)


def test_flows_of_what_is_no_key():
    bad = [b"", KEY4[:-1], KEY4 + b"\0", KEY6[:14], b"\6" + KEY4[1:], b"\4" + KEY6[1:], bytes(14)]
    for key in bad:
        with pytest.raises(ValueError, match=f"not these {len(key)}"):
            IPflow.from_key(key)
    with pytest.raises(TypeError):
        IPflow.from_key("key")
    for ends in ((True, None), (None, False)):
        with pytest.raises(ValueError, match="both or neither"):
            IPflow.from_key(KEY4, *ends)
    with pytest.raises(TypeError, match="dst_in_home must be True, False or None, not int"):
        IPflow.from_key(KEY4, True, 1)
    with pytest.raises(TypeError, match="src_in_home must be True, False or None, not int"):
        IPflow.from_key(KEY4, 1, True)
    for icmp in (b"", b"\x08", b"\x08\0\0"):
        with pytest.raises(
            ValueError, match=f"icmp is two bytes, a type and a code, not {len(icmp)}"
        ):
            IPflow.from_key(KEY4, icmp=icmp)
    with pytest.raises(TypeError, match="bytes-like"):
        IPflow.from_key(KEY4, icmp="\x08\0")
    for arguments in ((), (KEY4, None, None, None, None)):
        with pytest.raises(TypeError):
            IPflow.from_key(*arguments)


def test_a_flow_of_icmp_keeps_its_type_and_code_in_copies():
    """Of which its community id is made; a key alone has none."""
    flow = IPflow(plt.ip(ip4(1, made.icmp(8))))
    assert flow.community_id is not None
    assert {again.community_id for again in copies(flow)} == {flow.community_id}
    assert IPflow.from_key(flow.fwd_key, icmp=b"\x08\0").community_id == flow.community_id
    assert IPflow.from_key(flow.fwd_key).community_id is None
    assert flow4(6, tcp()).community_id == IPflow.from_key(KEY4).community_id


# --- FlowHome ------------------------------------------------------------------------------------


def seen(home, src, dst):
    """What a FlowHome says of a packet from src to dst, and of the answer to it."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    make, new = (plt.ip, ip4) if src.version == 4 else (plt.ip6, ip6)
    out = home.flow(make(new(6, tcp(1025, 80), src, dst)))
    back = home.flow(make(new(6, tcp(80, 1025), dst, src)))
    assert out.fwd_key == back.rev_key
    return out, back


@pytest.mark.parametrize(("inside", "outside"), [(A4, B4), (A6, B6)])
def test_both_directions_of_a_flow_have_one_home_key(inside, outside):
    out, back = seen(FlowHome(*HOME), inside, outside)
    assert (out.src_in_home, out.dst_in_home, out.is_inward) == (True, False, True)
    assert (back.src_in_home, back.dst_in_home, back.is_inward) == (False, True, True)
    # into the home network: from the server's port 80 to 1025 at home
    version = inside.version
    key = bytes([version, 6, 0, 80, 4, 1]) + outside.packed + inside.packed
    assert out.home_key == back.home_key == key
    assert type(out) is IPflow


def test_flows_that_do_not_cross_the_border():
    home = FlowHome(*HOME)
    for src, dst, at_home in (
        ("192.0.2.1", "192.0.2.2", True),
        ("198.51.100.1", "203.0.113.1", False),
        ("2001:db8:1::1", "2001:db8:1::2", True),
        ("2001:db8:2::1", "2001:db8:3::2", False),
    ):
        for flow in seen(home, src, dst):
            assert (flow.src_in_home, flow.dst_in_home) == (at_home, at_home)
            assert flow.is_inward is False
            assert flow.home_key == (flow.fwd_key if at_home else flow.rev_key)


def test_versions_are_told_apart():
    # 192.0.2.0/24 and c000:0200::/24 begin with the same bits
    like4 = ipaddress.IPv6Address("c000:0200::1")
    flow, _ = seen(FlowHome(from_s("192.0.2.0/24")), like4, B6)
    assert (flow.src_in_home, flow.is_inward) == (False, False)
    flow, _ = seen(FlowHome(from_s("c000:0200::/24")), A4, B4)
    assert (flow.src_in_home, flow.is_inward) == (False, False)


def test_host_bits_are_ignored():
    home = FlowHome(from_s("192.0.2.77/24"), from_s("2001:db8:1::ff/64"))
    assert [str(prefix) for prefix in home.prefixes] == ["192.0.2.0/24", "2001:db8:1::/64"]
    for inside, outside in ((A4, B4), (A6, B6)):
        assert seen(home, inside, outside)[0].src_in_home is True


def test_a_length_that_changes_later_changes_nothing():
    prefix = from_s("192.0.2.0/24")
    home = FlowHome(prefix)
    prefix.length = 32
    assert seen(home, A4, B4)[0].src_in_home is True


@st.composite
def networks(draw, version):
    """A network of ipaddress; many are near each other, so that they nest and touch."""
    bits = 32 if version == 4 else 128
    number = draw(st.one_of(st.integers(0, 7), st.integers(0, 2**bits - 1))) << draw(
        st.sampled_from([0, 0, 1, 8, bits - 3])
    )
    length = draw(st.one_of(st.integers(0, bits), st.integers(bits - 4, bits)))
    packed = (number % 2**bits).to_bytes(bits // 8, "big")
    return ipaddress.ip_network((packed, length), strict=False)


either = st.sampled_from([4, 6])


@given(
    st.lists(either.flatmap(networks), min_size=1, max_size=12),
    either.flatmap(lambda version: st.lists(networks(version), min_size=2, max_size=2)),
)
def test_home_is_what_ipaddress_says(nets, ends):
    home = FlowHome(*[ipp.IPprefix.from_ipaddress(net) for net in nets])
    # the first and last addresses of networks and those beside them are where errors are
    spots = [net[0] for net in ends] + [end for net in nets for end in (net[0], net[-1])]
    spots += [spot + 1 for spot in spots if int(spot) + 1 < 2**spot.max_prefixlen]
    spots += [spot - 1 for spot in spots if int(spot)]
    expected = {spot: any(spot in net for net in nets) for spot in spots}
    for src in spots:
        dst = next(spot for spot in reversed(spots) if spot.version == src.version)
        flow, back = seen(home, src, dst)
        assert (flow.src_in_home, flow.dst_in_home) == (expected[src], expected[dst])
        assert back.is_inward is flow.is_inward is (expected[src] != expected[dst])


def test_prefixes_within_others_are_left_out():
    names = ["10.1.0.0/16", "::/0", "10.0.0.0/8", "10.0.0.0/8", "2001:db8::/32", "9.0.0.0/8"]
    home = FlowHome(*map(from_s, names))
    assert [str(prefix) for prefix in home.prefixes] == ["9.0.0.0/8", "10.0.0.0/8", "::/0"]
    assert isinstance(home.prefixes[0], ipp.IPprefix)


def test_home_errors():
    with pytest.raises(TypeError, match="needs an IPprefix at least"):
        FlowHome()
    with pytest.raises(ValueError, match=r"argument 2 has no length: 198\.51\.100\.0"):
        FlowHome(HOME[0], from_s("198.51.100.0"))
    for bad in (b"\xc0\0\2\0", None, 24, HOME):
        with pytest.raises(TypeError, match="argument 3 must be an IPprefix, str or ipaddress"):
            FlowHome(*HOME, bad)
    with pytest.raises(TypeError, match="no keyword arguments"):
        FlowHome(HOME[0], other=HOME[1])
    none: dict[str, object] = {}
    assert FlowHome(*HOME, **none).prefixes == HOME
    for args in ((), (1, 2)):
        with pytest.raises(TypeError):
            FlowHome(*HOME).flow(*args)


class Place(FlowHome):
    """A subclass with a __dict__; at module level so that pickle finds it."""


def test_home_as_an_object():
    home = Place(*HOME)
    home.name = "lab"
    for again in copies(home):
        assert type(again) is Place
        assert (again.name, again.prefixes) == ("lab", HOME)
        assert seen(again, A4, B4)[0].src_in_home is True
    assert repr(FlowHome(HOME[0])) == "<natkit.FlowHome: 192.0.2.0/24>"
    assert repr(FlowHome(*HOME)) == "<natkit.FlowHome: 192.0.2.0/24, 2001:db8:1::/64>"
    many = FlowHome(*[from_s(f"10.{i}.0.0/16") for i in range(200)])
    assert repr(many) == "<natkit.FlowHome: 10.0.0.0/16, 10.1.0.0/16 and 198 more>"
    with pytest.raises(AttributeError):
        home.prefixes = ()


def test_module():
    assert set(natkit.__all__) == {
        "Anonymised", "CryptoPan", "plot",
        "Flow", "FlowHome", "FlowTable", "Flows", "IPflow", "ba_get_long", "ba_get_short", "flows",
        "Stream", "StreamWay", "streams", "community_id", "Packets", "packets", "packet_fields",
        "seq_add", "seq_ge", "seq_gt", "seq_le", "seq_lt", "seq_sub",
        "u32_add", "u32_ge", "u32_gt", "u32_le", "u32_lt", "u32_sub",
    }  # fmt: skip
    assert (IPflow.__module__, FlowHome.__module__) == ("natkit", "natkit")
    assert str(inspect.signature(IPflow)) == "(obj, /)"
    assert str(inspect.signature(FlowHome)) == "(*prefixes)"


OF_ANOTHER_VERSION = """
import ctypes, importlib, sys
name, user = sys.argv[1:]
module = importlib.import_module(name)
new = ctypes.pythonapi.PyCapsule_New
new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
version, capsule = ctypes.c_int(99), f"{name}._C_API".encode()
module._C_API = new(ctypes.addressof(version), capsule, None)
try:
    importlib.import_module(user)
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(("name", "user"), [("ipp._ipp", "plt"), ("plt._plt", "natkit")])
def test_modules_of_other_versions_are_not_used_together(name: str, user: str) -> None:
    """Files of several versions in one place: what is found where something else is looked for."""
    run = made.child(OF_ANOTHER_VERSION, name, user)
    assert run.stderr == ""
    words = f"{name} has version 99 of its C interface, {user} needs version "
    assert re.fullmatch(f"{re.escape(words)}\\d+\n", run.stdout)


ELSEWHERE = """
import gc, importlib.util, sys, types
def load(name):
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
offered = load("ipp._ipp")
other = types.ModuleType("ipp._ipp")
other._C_API = offered._C_API
importlib.util.find_spec("plt._plt")  # imports the packages
sys.modules["ipp._ipp"] = other
if sys.argv[1] == "before":
    del offered
    gc.collect()
try:
    user = load("plt._plt")
except ImportError as error:
    print(error)
else:
    offered = None
    del other._C_API
    gc.collect()
    header = bytes([69, 0, 0, 20]) + bytes(8) + bytes([192, 0, 2, 1, 192, 0, 2, 2])
    print(user.ip(header).src_prefix)
"""


@pytest.mark.parametrize(
    ("goes", "said"),
    [("before", "the ipp._ipp that plt needs is gone\n"), ("after", "192.0.2.1\n")],
)
def test_another_module_has_the_capsule_of_one_that_goes(goes: str, said: str) -> None:
    run = made.child(ELSEWHERE, goes)
    assert (run.stdout, run.stderr) == (said, "")


@pytest.mark.parametrize(
    ("name", "user"),
    [("ipp._ipp", "plt._plt"), ("ipp._ipp", "natkit._natkit"), ("plt._plt", "natkit._natkit")],
)
def test_a_module_without_one_that_it_needs_is_not_imported(monkeypatch, name, user) -> None:
    spec = importlib.util.find_spec(user)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=name):
        spec.loader.exec_module(module)


# IPv4's addresses end 16 and 20 bytes after its start (RFC 791 section 3.1), IPv6's 24 and 40
# (RFC 8200 section 3); the Ethernet header before them has 14.
@pytest.mark.parametrize(
    ("frame", "source", "destination"),
    [
        (made.ethernet(made.ipv4(made.udp())), 30, 34),
        (made.ethernet(made.ipv6(made.udp()), 0x86DD), 38, 54),
    ],
)
def test_a_flow_of_a_header_that_was_cut(tmp_path, frame, source, destination):
    for size in range(14, destination):
        packet = made.packet_of(frame[:size], tmp_path, wire=len(frame))
        name = "src_prefix" if size < source else "dst_prefix"
        for part in filter(None, (packet, packet.layer3, packet.ip or packet.ip6)):
            with pytest.raises(ValueError, match=f"^Data too short for {name}$"):
                IPflow(part)
    assert IPflow(made.packet_of(frame[:destination], tmp_path, wire=len(frame))).proto == 17
