"""Where a packet's payload ends, the same as attributes, as columns and in flow tables.

The expected lengths are sums of the sizes that each packet was built with.
"""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import packets as pk
import pytest

import natkit
import pldns
import plt

QUERY = bytes.fromhex("1234010000010000000000000377777707657861 6d706c6503636f6d0000010001")
JUMBO = bytes([pk.TCP, 0, 0xC2, 4]) + struct.pack(">I", 80_000 - 40)  # RFC 2675 section 2


@pytest.fixture
def pcap(tmp_path: Path) -> Callable[..., Path]:
    """Makes a pcap file of these packets."""
    return lambda frames: pk.write(tmp_path / "t", pk.pcap(frames))


def read_one(path: Path) -> plt.packet:
    (packet,) = pk.read(path)
    return packet


def flow_of(path: Path) -> natkit.Flow:
    table = natkit.FlowTable()
    table.add_trace(path)
    (flow,) = table
    return flow


@pytest.mark.parametrize("trailer", [0, 1, 6, 18])
def test_ethernet_padding_is_no_payload(trailer: int, pcap: Callable[..., Path]) -> None:
    ack = pk.ethernet(pk.ipv4(pk.tcp(b""), pk.TCP) + bytes(trailer))
    path = pcap([ack])
    packet = read_one(path)
    assert packet.tcp.payload is None
    assert packet.tcp_payload is None
    assert len(packet.ip.payload) == 20
    assert len(bytes(packet)) == 14 + 40 + trailer
    assert len(packet.tcp.data) == 20 + trailer  # data is all that was captured
    assert plt.columns(path, ("payload_len",)).table()["payload_len"].tolist() == [0]
    assert flow_of(path).payload_bytes == 0


def test_a_padded_datagram_ends_where_udp_ends(pcap: Callable[..., Path]) -> None:
    frame = pk.ethernet(pk.ipv4(pk.udp(QUERY)) + bytes(9))
    packet = read_one(pcap([frame]))
    assert bytes(packet.udp.payload) == QUERY
    assert bytes(packet.udp_payload) == QUERY
    assert bytes(packet.ip.payload) == bytes(packet.udp.data)[: 8 + len(QUERY)]
    assert pldns.ldns(packet.udp_payload).ident == 0x1234


def test_a_padded_ipv6_packet(pcap: Callable[..., Path]) -> None:
    packet = read_one(pcap([pk.ethernet(pk.ipv6(pk.udp(b"123"), pk.UDP) + bytes(7), 0x86DD)]))
    assert bytes(packet.udp.payload) == b"123"
    assert len(packet.ip6.payload) == 11


def test_padded_icmp(pcap: Callable[..., Path]) -> None:
    quoted = pk.ipv4(pk.udp(b"12345678"))[:28]
    echo = pk.ipv4(pk.icmp(8, payload=b"ping"), pk.ICMP)
    error = pk.ipv4(pk.icmp(3, 3, payload=quoted), pk.ICMP)
    one, other = pk.read(pcap([pk.ethernet(echo + bytes(14)), pk.ethernet(error + bytes(4))]))
    assert bytes(one.icmp.payload) == b"ping"
    assert bytes(other.icmp.payload) == quoted
    assert other.icmp.payload.udp.payload is None


def test_padding_holds_no_header(pcap: Callable[..., Path]) -> None:
    """An IP packet that ends with its own header, followed by what looks like TCP."""
    path = pcap([pk.ethernet(pk.ipv4(pk.tcp(b"12345"), pk.TCP, length=20))])
    assert read_one(path).tcp is None
    table = plt.columns(path, ("src_port", "payload_len", "tcp.seq_nbr")).table()
    assert all(table.mask(name).tolist() == [True] for name in table)
    flow = flow_of(path)
    assert (flow.src_port, flow.ip_bytes, flow.payload_bytes) == (0, 20, 0)


@pytest.mark.parametrize("length", [1, 19, 20, 22, 23])
def test_padding_holds_no_ports(length: int, pcap: Callable[..., Path], tshark: str) -> None:
    """RFC 791 section 3.1: the total length counts the header; tshark takes less for bogus."""
    segment = pk.tcp(b"padding", ports=(61166, 61166))
    path = pcap([pk.ethernet(pk.ipv4(segment, pk.TCP, length=length))])
    packet = read_one(path)
    assert "port" not in repr(packet)
    assert "61166" not in packet.info() + str(packet)
    assert (packet.tcp is None) == (length < 22)
    assert packet.tcp_payload is None
    table = plt.columns(path, ("dst_port", "payload_len")).table()
    assert (table.mask("dst_port").tolist(), table.mask("payload_len").tolist()) == ([True], [True])
    command = [tshark, "-n", "-r", path, "-T", "fields", "-e", "tcp.dstport"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == ""


@pytest.mark.parametrize("length", [1, 7, 8])
def test_a_datagram_shorter_than_its_header_carries_nothing(
    length: int, pcap: Callable[..., Path]
) -> None:
    """RFC 768: the length includes the header, 8 bytes.  0 alone means that of the IP packet."""
    path = pcap([pk.ethernet(pk.ipv4(pk.udp(QUERY, length=length)))])
    packet = read_one(path)
    assert (packet.udp.len, packet.udp.payload, packet.udp_payload) == (length, None, None)
    assert plt.columns(path, "payload_len").table()["payload_len"].tolist() == [0]
    assert flow_of(path).payload_bytes == 0
    assert plt.packet.from_bytes(
        pk.ethernet(pk.ipv4(pk.udp(QUERY, length=0)))
    ).udp_payload.data == bytearray(QUERY)
    cut = plt.packet.from_bytes(pk.ethernet(pk.ipv4(pk.udp(QUERY, length=length), length=27)))
    assert cut.udp_payload is None  # the IP packet ends within the header
    with pytest.raises(ValueError, match="too short"):
        _ = cut.udp.payload


@pytest.mark.parametrize("proto", [pk.TCP, pk.UDP])
def test_a_header_that_was_cut_has_no_payload(proto: int) -> None:
    """A loop asks each packet; of the header itself it is an error."""
    segment = pk.tcp(b"data") if proto == pk.TCP else pk.udp(b"data")
    whole = pk.ethernet(pk.ipv4(segment, proto))
    size = 34 + (20 if proto == pk.TCP else 8)
    for length in range(36, size):
        packet = plt.packet.from_bytes(whole[:length], wire_len=len(whole) + 4)
        layer = packet.tcp or packet.udp
        assert (packet.tcp_payload, packet.udp_payload) == (None, None)
        if proto == pk.TCP:
            with pytest.raises(ValueError, match="too short"):
                _ = layer.payload


def test_padding_holds_no_tcp_options(pcap: Callable[..., Path]) -> None:
    """A data offset of 8 words in an IP packet that ends after TCP's first 20 bytes."""
    options = b"\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x01\0\0"  # 1460, SACK permitted
    ip = pk.ipv4(pk.tcp(options=options), pk.TCP, length=40)
    tcp = read_one(pcap([pk.ethernet(ip)])).tcp
    assert tcp.doff == 8
    assert (tcp.options_data, tcp.option_numbers, tcp.option(2)) == (False, False, False)
    assert (tcp.mss, tcp.sack_ok) == (None, None)
    with pytest.raises(ValueError, match=r"^Data too short for payload$"):
        _ = tcp.payload
    whole = pk.ipv4(pk.tcp(options=options), pk.TCP)
    assert read_one(pcap([pk.ethernet(whole + bytes(4))])).tcp.options_data == options


def test_padding_holds_no_part_of_icmp(pcap: Callable[..., Path]) -> None:
    """Messages of which 4 bytes are in the IP packet."""
    for kind in (5, 8):
        message = pk.icmp(kind, rest=b"\xcb\0\x71\x09", payload=bytes(30))
        packet = read_one(pcap([pk.ethernet(pk.ipv4(message, pk.ICMP, length=24))]))
        part = packet.icmp.redirect or packet.icmp.echo
        for layer, name in ((part, "gateway" if kind == 5 else "ident"), (packet.icmp, "payload")):
            with pytest.raises(ValueError, match=f"^Data too short for {name}$"):
                getattr(layer, name)


def test_padding_holds_no_part_of_neighbour_discovery(pcap: Callable[..., Path]) -> None:
    """Of a redirect the IP packet has 23 or 39 of the 40 bytes with the two addresses."""
    message = pk.icmp(137, payload=bytes(32))
    for length, names in ((39, ["dest_prefix"]), (23, ["dest_prefix", "target_prefix"])):
        ip = pk.ipv6(message, pk.ICMP6, length=length)
        part = read_one(pcap([pk.ethernet(ip, 0x86DD)])).icmp6.neighbour
        for name in names:
            with pytest.raises(ValueError, match=f"^Data too short for {name}$"):
                getattr(part, name)
    ip = pk.ipv6(message[:6], pk.ICMP6, length=6)
    with pytest.raises(ValueError, match=r"^Data too short for payload$"):
        _ = read_one(pcap([pk.ethernet(ip + bytes(9), 0x86DD)])).icmp6.payload


def test_nothing_follows_extension_headers_that_are_longer_than_their_packet(
    pcap: Callable[..., Path],
) -> None:
    """8 bytes of options in a packet whose payload is said to have 4 (RFC 8200 section 3)."""
    options = bytes([pk.TCP, 0, 1, 4, 0, 0, 0, 0])
    path = pcap([pk.ethernet(pk.ipv6(options + pk.tcp(b"12345"), 0, length=4), 0x86DD)])
    assert read_one(path).tcp is None
    table = plt.columns(path, ("src_port", "payload_len", "tcp.seq_nbr", "tcp.syn_flag")).table()
    assert all(table.mask(name).tolist() == [True] for name in table)
    assert not plt.where("tcp.seq_nbr >= 0").matches(read_one(path))


@pytest.mark.parametrize(
    ("ip", "ethertype", "total", "payload"),
    [
        (pk.ipv4(pk.tcp(b"x" * 50), pk.TCP, length=0), 0x0800, 2016, 1976),
        (pk.ipv6(pk.tcp(b"x" * 50), pk.TCP, length=0), 0x86DD, 80_060, 80_000),
        (pk.ipv6(JUMBO + pk.tcp(b"x" * 50), 0, length=0), 0x86DD, 80_000, 80_000 - 40 - 8 - 20),
    ],
    ids=["offload", "BIG TCP", "jumbogram"],
)
def test_a_length_of_0_in_a_cut_packet(
    ip: bytes, ethertype: int, total: int, payload: int, pcap: Callable[..., Path]
) -> None:
    path = pcap([pk.Record(pk.ethernet(ip, ethertype), wire=14 + total)])
    packet = read_one(path)
    assert bytes(packet.tcp.payload) == b"x" * 50
    assert plt.columns(path, ("payload_len",)).table()["payload_len"].tolist() == [payload]
    flow = flow_of(path)
    assert (flow.ip_bytes, flow.payload_bytes) == (total, payload)


TOLD = b"\xc2\4" + struct.pack(">I", 80_000 - 40)


@pytest.mark.parametrize(
    ("options", "total"),
    [
        (b"\0\0\0\0" + TOLD + b"\1\2\0\0", 80_000),
        (b"\5\2\0\0" + TOLD + b"\1\2\0\0", 80_000),  # RFC 2711: a router alert
        (b"\1\4\0\0\0\0", 90_000),
        (b"\xc2\5" + bytes(5) + b"\1\5" + bytes(5), 90_000),
        (b"\1\2\0\0" + TOLD[:2], 90_000),
        (bytes(5) + TOLD[:1], 90_000),
        (b"\xc2\4\0\0\0\0", 90_000),  # less than the header it is of
    ],
    ids=["padding", "another option", "none", "another length", "cut", "one byte", "0"],
)
def test_a_jumbo_length_is_an_option_among_others(
    options: bytes, total: int, pcap: Callable[..., Path]
) -> None:
    header = bytes([pk.TCP, (2 + len(options)) // 8 - 1]) + options
    frame = pk.ethernet(pk.ipv6(header + pk.tcp(b"x" * 50), 0, length=0), 0x86DD)
    path = pcap([pk.Record(frame, wire=14 + 90_000)])
    assert flow_of(path).ip_bytes == total


@pytest.mark.parametrize("size", range(40, 48))
def test_a_jumbogram_that_was_cut_before_its_length(size: int, pcap: Callable[..., Path]) -> None:
    frame = pk.ethernet(pk.ipv6(JUMBO + pk.tcp(), 0, length=0)[:size], 0x86DD)
    assert flow_of(pcap([pk.Record(frame, wire=14 + 90_000)])).ip_bytes == 90_000


def test_a_jumbogram_that_was_cut_after_its_length(pcap: Callable[..., Path]) -> None:
    # RFC 2675 section 2: 16 bytes of hop-by-hop options, of which the first 8 were captured
    options = bytes([pk.TCP, 1]) + JUMBO[2:] + b"\1\6" + bytes(6)
    frame = pk.ethernet(pk.ipv6(options, 0, length=0)[:48], 0x86DD)
    path = pcap([pk.Record(frame, wire=14 + 90_000)])
    assert flow_of(path).ip_bytes == 80_000


def test_a_length_past_the_wire_counts_what_the_wire_allows(pcap: Callable[..., Path]) -> None:
    path = pcap([pk.ethernet(pk.ipv4(pk.udp(b"1234", length=65_515), length=65_535))])
    assert bytes(read_one(path).udp.payload) == b"1234"
    assert plt.columns(path, ("payload_len",)).table()["payload_len"].tolist() == [4]
    flow = flow_of(path)
    assert (flow.ip_bytes, flow.payload_bytes) == (32, 4)


@pytest.mark.parametrize("proto", [33, 136])
def test_dccp_and_udp_lite_have_ports(proto: int, pcap: Callable[..., Path]) -> None:
    """RFC 4340 section 5.1, RFC 3828 section 3.1: two ports come first."""
    header = struct.pack(">HH", 5001, 5002) + bytes(12)
    path = pcap([pk.ethernet(pk.ipv4(header, proto))])
    table = plt.columns(path, ("src_port", "dst_port")).table()
    assert (table["src_port"].tolist(), table["dst_port"].tolist()) == ([5001], [5002])
    flow = flow_of(path)
    assert (flow.src_port, flow.dst_port) == (5001, 5002)


@pytest.mark.parametrize("header", sorted(Path(__file__).parents[2].glob("src/packet/*.[ch]")))
def test_what_a_packet_says_needs_no_python(header: Path) -> None:
    assert "Python.h" not in header.read_text()
