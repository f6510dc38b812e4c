"""Every header field: its value, where it is cut, and what may be assigned to it."""

import random
from collections.abc import Callable

import packets
import pytest
from packets import V4, V6

import plt
from ipp import IPprefix, from_s

# type: field -> (first bit, bits), as the diagrams of the RFCs have them
IPV4 = {  # RFC 791 section 3.1
    "version": (0, 4),
    "hdr_len": (4, 4),
    "traffic_class": (8, 8),
    "pkt_len": (16, 16),
    "ident": (32, 16),
    "has_rf": (48, 1),
    "has_df": (49, 1),
    "has_mf": (50, 1),
    "frag_offset": (51, 13),
    "ttl": (64, 8),
    "hop_limit": (64, 8),
    "checksum": (80, 16),
    "hdr_checksum": (80, 16),
    "src_prefix": (96, 32),
    "dst_prefix": (128, 32),
}
IPV6 = {  # RFC 8200 section 3
    "version": (0, 4),
    "traffic_class": (4, 8),
    "flow_label": (12, 20),
    "payload_len": (32, 16),
    "next_hdr": (48, 8),
    "ttl": (56, 8),
    "hop_limit": (56, 8),
    "src_prefix": (64, 128),
    "dst_prefix": (192, 128),
}
TCP = {  # RFC 9293 section 3.1
    "src_port": (0, 16),
    "dst_port": (16, 16),
    "seq_nbr": (32, 32),
    "ack_nbr": (64, 32),
    "doff": (96, 4),
    "flags": (100, 12),
    "urg_flag": (106, 1),
    "ack_flag": (107, 1),
    "psh_flag": (108, 1),
    "rst_flag": (109, 1),
    "syn_flag": (110, 1),
    "fin_flag": (111, 1),
    "window": (112, 16),
    "checksum": (128, 16),
    "urg_ptr": (144, 16),
}
UDP = {"src_port": (0, 16), "dst_port": (16, 16), "len": (32, 16), "checksum": (48, 16)}
SCTP = {  # RFC 9260 section 3.1
    "src_port": (0, 16),
    "dst_port": (16, 16),
    "verification_tag": (32, 32),
    "checksum": (64, 32),
}
ARP = {  # RFC 826, of IPv4 over Ethernet
    "hardware_type": (0, 16),
    "protocol_type": (16, 16),
    "hardware_len": (32, 8),
    "protocol_len": (40, 8),
    "op": (48, 16),
    "sender_prefix": (112, 32),
    "target_prefix": (192, 32),
}
MESSAGE = {"type": (0, 8), "code": (8, 8), "checksum": (16, 16)}  # RFC 792, RFC 4443
ECHO = {"ident": (32, 16), "sequence": (48, 16)}

Make = Callable[[bytes], object]
TABLE: dict[str, tuple[Make, dict[str, tuple[int, int]], bytes]] = {
    "ip": (plt.ip, IPV4, b""),
    "ip6": (plt.ip6, IPV6, b""),
    "arp": (plt.arp, ARP, b"\0\1\x08\0\6\4"),
    "tcp": (plt.tcp, TCP, b""),
    "udp": (plt.udp, UDP, b""),
    "sctp": (plt.sctp, SCTP, b""),
    "icmp": (plt.icmp, MESSAGE, b""),
    "icmp6": (plt.icmp6, MESSAGE, b""),
    "echo": (lambda b: plt.icmp(b).echo, ECHO, b"\x08"),
    "echo6": (lambda b: plt.icmp6(b).echo, ECHO, b"\x80"),
    "toobig6": (lambda b: plt.icmp6(b).toobig, {"mtu": (32, 32)}, b"\x02"),
    "param6": (lambda b: plt.icmp6(b).param, {"pointer": (32, 32)}, b"\x04"),
    "redirect": (lambda b: plt.icmp(b).redirect, {"gateway": (32, 32)}, b"\x05"),
    "neighbour6": (
        lambda b: plt.icmp6(b).neighbour,
        {"target_prefix": (64, 128), "dest_prefix": (192, 128)},
        b"\x89",
    ),
}
CHUNK = {"type": (0, 8), "flags": (8, 8), "length": (16, 16)}  # RFC 9260 section 3.2
EVERY = [(kind, name) for kind, (_, fields, _) in TABLE.items() for name in fields]

WRITABLE = [
    ("ip", "traffic_class", 0, 255),
    ("ip", "hop_limit", 1, 255),
    ("ip", "ttl", 1, 255),
    ("ip", "checksum", 0, 65535),
    ("ip", "hdr_checksum", 0, 65535),
    ("ip6", "traffic_class", 0, 255),
    ("ip6", "hop_limit", 1, 255),
    ("ip6", "ttl", 1, 255),
    ("tcp", "checksum", 0, 65535),
    ("udp", "checksum", 0, 65535),
    ("icmp", "checksum", 0, 65535),
    ("icmp6", "checksum", 0, 65535),
]
READONLY = [
    (kind, name)
    for kind, name in EVERY
    if (kind, name) not in {row[:2] for row in WRITABLE}
    and not (kind in ("ip", "ip6") and name in ("src_prefix", "dst_prefix"))
]


def header_of(kind: str, seed: int) -> bytes:
    """Random bytes that begin as the header does."""
    start = {"ip": b"\x45", "ip6": b"\x60"}.get(kind, TABLE[kind][2])
    return start + random.Random(seed).randbytes(60 - len(start))


def expected(header: bytes, kind: str, name: str) -> object:
    """The bits of a field, by arithmetic on the header as one large number."""
    first, bits = TABLE[kind][1][name]
    value = int.from_bytes(header, "big") >> (8 * len(header) - first - bits) & ((1 << bits) - 1)
    if name.endswith("prefix") or name == "gateway":
        return IPprefix(4 if bits == 32 else 6, value.to_bytes(bits // 8, "big"))
    return bool(value) if bits == 1 else value


def test_every_row_is_in_the_table_above() -> None:
    rows = {(row["type"].__name__, row["name"]) for row in plt._plt._fields()}
    assert rows <= {*EVERY, *(("chunk", name) for name in CHUNK)}
    assert rows >= {("tcp", name) for name in TCP}
    for row in plt._plt._fields():
        writable = [w for w in WRITABLE if w[:2] == (row["type"].__name__, row["name"])]
        assert row["writable"] == bool(writable)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_value(kind: str, name: str) -> None:
    for seed in range(20):
        header = header_of(kind, seed)
        value = getattr(TABLE[kind][0](header), name)
        assert value == expected(header, kind, name)
        assert type(value) is type(expected(header, kind, name))


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_cut_anywhere_it_is_the_value_or_an_error(kind: str, name: str) -> None:
    make, fields, start = TABLE[kind]
    header = header_of(kind, 7)
    end = (sum(fields[name]) + 7) // 8
    for length in range(max(1, len(start)), len(header) + 1):
        layer = make(header[:length])
        if length < end:
            with pytest.raises(ValueError, match=f"^Data too short for {name}$"):
                getattr(layer, name)
        else:
            assert getattr(layer, name) == expected(header, kind, name)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, name in EVERY if not TABLE[kind][2]],
)
def test_of_no_bytes_every_field_is_an_error(kind: str, name: str) -> None:
    for nothing in (b"", bytearray(), memoryview(b"\x45")[1:]):
        with pytest.raises(ValueError, match=f"^Data too short for {name}$"):
            getattr(TABLE[kind][0](nothing), name)


def test_chunk() -> None:
    for seed in range(20):
        value = random.Random(seed).randbytes(2) + b"\0\x08" + bytes(4)
        [chunk] = plt.sctp(bytes(12) + value).chunks
        bits = int.from_bytes(value, "big")
        for name, (first, size) in CHUNK.items():
            assert getattr(chunk, name) == bits >> (64 - first - size) & ((1 << size) - 1)


def test_ipv6_has_no_header_length_and_no_packet_length() -> None:
    layer = plt.ip6(packets.ipv6(packets.udp()))
    assert layer.hdr_len is None
    assert layer.pkt_len is None


def test_layers_above_answer_for_the_ip_header() -> None:
    four = plt.ip(packets.ipv4(packets.udp(b"x"), tos=0xB8, ttl=3)).udp
    assert (four.version, four.hdr_len, four.pkt_len) == (4, 5, 29)
    assert (four.traffic_class, four.ttl, four.hop_limit, four.proto) == (0xB8, 3, 3, 17)
    assert (str(four.src_prefix), str(four.dst_prefix)) == V4
    six = plt.ip6(packets.ipv6(packets.tcp(), packets.TCP, traffic_class=0x28, hops=9)).tcp
    assert (six.version, six.hdr_len, six.pkt_len) == (6, None, None)
    assert (six.traffic_class, six.ttl, six.hop_limit, six.proto) == (0x28, 9, 9, 6)
    assert (str(six.src_prefix), str(six.dst_prefix)) == V6


# --- Assigning -------------------------------------------------------------------------------


def same_but(before: bytes, after: bytes, kind: str, name: str) -> bool:
    """Whether two headers agree in all bits but those of a field."""
    first, bits = TABLE[kind][1][name]
    mask = ((1 << bits) - 1) << (8 * len(before) - first - bits)
    return (int.from_bytes(before, "big") ^ int.from_bytes(after, "big")) & ~mask == 0


@pytest.mark.parametrize(("kind", "name", "low", "high"), WRITABLE)
def test_set_and_read_back(kind: str, name: str, low: int, high: int) -> None:
    before = header_of(kind, 3)
    shared = bytearray(before)
    layer = TABLE[kind][0](shared)
    for value in (low, high, (low + high) // 2, 1, 0x5A):
        setattr(layer, name, value)
        assert getattr(layer, name) == value
        assert expected(bytes(shared), kind, name) == value
        assert same_but(before, bytes(shared), kind, name)


@pytest.mark.parametrize(("kind", "name", "low", "high"), WRITABLE)
def test_set_refuses(kind: str, name: str, low: int, high: int) -> None:
    before = header_of(kind, 4)
    shared = bytearray(before)
    layer = TABLE[kind][0](shared)
    for value in (low - 1, high + 1, -(2**70), 2**70, 2**64 + low + 1):
        with pytest.raises(ValueError, match=f"^{name} must be in {low}..{high}$"):
            setattr(layer, name, value)
    for wrong in (None, "1", 1.0, b"\1", [1], IPprefix(4, b"\1")):
        with pytest.raises(TypeError, match=name):
            setattr(layer, name, wrong)
    with pytest.raises(TypeError, match=name):
        delattr(layer, name)
    frozen = TABLE[kind][0](before)
    with pytest.raises(TypeError, match=name):
        setattr(frozen, name, low)
    assert bytes(shared) == before == bytes(frozen)


@pytest.mark.parametrize(("kind", "name", "low", "high"), WRITABLE)
def test_set_of_a_cut_field_is_an_error(kind: str, name: str, low: int, high: int) -> None:
    end = (sum(TABLE[kind][1][name]) + 7) // 8
    for length in range(1, end):
        shared = bytearray(header_of(kind, 5)[:length])
        before = bytes(shared)
        for value in (low, high):
            with pytest.raises(ValueError, match=f"^Data too short for {name}$"):
                setattr(TABLE[kind][0](shared), name, value)
        assert shared == before


@pytest.mark.parametrize(("kind", "name"), READONLY)
def test_readonly(kind: str, name: str) -> None:
    shared = bytearray(header_of(kind, 6))
    before = bytes(shared)
    layer = TABLE[kind][0](shared)
    for value in (0, 1, True, None, "x"):
        with pytest.raises(TypeError):
            setattr(layer, name, value)
    with pytest.raises(TypeError):
        delattr(layer, name)
    assert shared == before


@pytest.mark.parametrize("kind", ["ip", "ip6"])
@pytest.mark.parametrize("name", ["src_prefix", "dst_prefix"])
def test_set_address(kind: str, name: str) -> None:
    before = header_of(kind, 8)
    shared = bytearray(before)
    layer = TABLE[kind][0](shared)
    new = from_s("203.0.113.77" if kind == "ip" else "2001:db8:ffff::77")
    setattr(layer, name, new)
    assert getattr(layer, name) == new == expected(bytes(shared), kind, name)
    assert same_but(before, bytes(shared), kind, name)
    after = bytes(shared)
    other = from_s("2001:db8::" if kind == "ip" else "203.0.113.77")
    for wrong in (other, None, 0, "203.0.113.77", b"\1\2\3\4", object()):
        with pytest.raises(TypeError):
            setattr(layer, name, wrong)
    with pytest.raises(TypeError):
        delattr(layer, name)
    with pytest.raises(TypeError):
        setattr(TABLE[kind][0](before), name, new)
    end = sum(TABLE[kind][1][name]) // 8
    with pytest.raises(ValueError, match=f"^Data too short for {name}$"):
        setattr(TABLE[kind][0](bytearray(before[: end - 1])), name, new)
    assert shared == after


def test_a_prefix_length_is_not_written_to_the_packet() -> None:
    layer = plt.ip(bytearray(packets.ipv4()))
    layer.src_prefix = from_s("203.0.113.0/24")
    assert layer.src_prefix.length is None
    assert str(layer.src_prefix) == "203.0.113.0"


def test_rows_that_can_be_set_have_two_bytes() -> None:
    """Setting stores two bytes: others have setters of their own."""
    widths = {row["name"]: row["width"] for row in plt._plt._fields() if row["writable"]}
    assert {"checksum", "hdr_checksum"} <= widths.keys()
    assert set(widths.values()) == {2}
