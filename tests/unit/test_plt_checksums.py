"""Checksums against RFC 1071's arithmetic, done here, and against tshark's verdicts."""

import random
import struct
import subprocess
from ipaddress import ip_address
from pathlib import Path

import packets
import pytest
from packets import ICMP, ICMP6, SCTP, TCP, UDP, internet_sum, pseudo4, pseudo6

import plt

TRACES = Path(__file__).resolve().parents[2] / "tutorial" / "traces"
OFFSET = {TCP: 16, UDP: 6, ICMP: 2, ICMP6: 2}
CASES = [(4, TCP), (4, UDP), (4, ICMP), (6, TCP), (6, UDP), (6, ICMP6)]
BODIES = {
    TCP: lambda data: packets.tcp(data, options=b"\x01\x01\x01\x01"),
    UDP: packets.udp,
    ICMP: lambda data: packets.icmp(8, payload=data),
    ICMP6: lambda data: packets.icmp(128, payload=data),
}


def by_hand(version: int, proto: int, body: bytes) -> int:
    """The checksum of a transport header and its payload, the field itself taken as zero."""
    at = OFFSET[proto]
    zeroed = body[:at] + b"\0\0" + body[at + 2 :]
    pseudo = pseudo4 if version == 4 else pseudo6
    before = b"" if proto == ICMP else pseudo(proto, len(body))
    value = internet_sum(before + zeroed)
    return 0xFFFF if proto == UDP and value == 0 else value


def whole(version: int, proto: int, data: bytes, good: bool = True) -> bytes:
    """An IP packet, its transport checksum right or one bit off."""
    body = BODIES[proto](data)
    at = OFFSET[proto]
    value = by_hand(version, proto, body) ^ (0 if good else 0x0100)
    body = body[:at] + struct.pack(">H", value) + body[at + 2 :]
    return packets.ipv4(body, proto) if version == 4 else packets.ipv6(body, proto)


def layer_of(content: bytes | bytearray) -> plt.Internet:
    return (plt.ip if content[0] >> 4 == 4 else plt.ip6)(content)


def test_the_arithmetic_used_here_is_that_of_rfc_1071() -> None:
    # section 3: the sum of these is ddf2
    assert internet_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


def test_a_known_ipv4_header() -> None:
    known = bytearray.fromhex("45000073000040004011b861c0a80001c0a800c7")
    layer = plt.ip(known)
    assert (layer.checksum, layer.checksum_ok(), layer.test_l3_cksm()) == (0xB861, True, True)
    layer.checksum = 0
    assert (layer.checksum_ok(), layer.test_l3_cksm()) == (False, False)
    assert layer.set_checksum() is True
    assert known[10:12] == b"\xb8\x61"
    layer.ttl = 63
    assert layer.test_l3_cksm() is False
    assert layer.set_l3_cksm() is True
    assert layer.checksum == 0xB961  # RFC 1624: one less in the high byte of its word


@pytest.mark.parametrize(("version", "proto"), CASES)
def test_transport(version: int, proto: int) -> None:
    chance = random.Random(5)
    for size in (*range(9), 99, 100, 1399, 1400, 65_000):
        data = chance.randbytes(size)
        for good in (True, False):
            content = whole(version, proto, data, good)
            layer = layer_of(content)
            assert layer.test_trans_cksm() is good
            assert layer.transport.data == content[-len(layer.transport) :]
            shared = bytearray(content)
            layer = layer_of(shared)
            assert layer.set_trans_cksm() is True
            assert layer.test_trans_cksm() is True
            assert shared == whole(version, proto, data)


@pytest.mark.parametrize("version", [4, 6])
def test_a_udp_checksum_that_comes_out_as_zero_is_sent_as_ones(version: int) -> None:
    balanced = struct.pack(">H", by_hand(version, UDP, packets.udp(b"\0\0")))
    content = bytearray(whole(version, UDP, balanced))
    assert content[-4:-2] == b"\xff\xff"  # RFC 768
    layer = layer_of(content)
    assert layer.test_trans_cksm() is True
    layer.udp.checksum = 0x1111
    assert layer.set_trans_cksm() is True
    assert layer.udp.checksum == 0xFFFF
    # of TCP, zero is a checksum like any other
    at = packets.tcp(b"\0\0")
    balanced = struct.pack(">H", by_hand(version, TCP, at))
    body = packets.tcp(balanced)
    shared = bytearray(packets.ipv4(body, TCP) if version == 4 else packets.ipv6(body, TCP))
    assert layer_of(shared).test_trans_cksm() is True
    layer_of(shared).set_trans_cksm()
    assert layer_of(shared).tcp.checksum == 0


def test_no_udp_checksum() -> None:
    assert plt.ip(packets.ipv4(packets.udp(b"abc"))).test_trans_cksm() is None  # RFC 768
    assert plt.ip6(packets.ipv6(packets.udp(b"abc"))).test_trans_cksm() is False  # RFC 8200


@pytest.mark.parametrize(("version", "proto"), CASES)
def test_cut_anywhere_there_is_no_verdict(version: int, proto: int) -> None:
    content = whole(version, proto, b"some payload")
    header = 20 if version == 4 else 40
    for length in range(1, len(content)):
        shared = bytearray(content[:length])
        layer = layer_of(shared)
        assert layer.test_trans_cksm() is None
        assert layer.set_trans_cksm() is None
        assert layer.test_l3_cksm() is (True if version == 4 and length >= header else None)
        assert layer.set_l3_cksm() is (True if version == 4 and length >= header else None)
        assert shared == content[:length]


@pytest.mark.parametrize(
    "content",
    [
        packets.ipv4(packets.tcp(b"abcdefgh"), TCP, fragment=0x2000),
        packets.ipv4(packets.tcp(b"abcdefgh"), TCP, fragment=3),
        packets.ipv6(struct.pack(">BBHI", TCP, 0, 1, 9) + packets.tcp(b"abcdefgh"), 44),
        packets.ipv4(bytes(40), SCTP),
        packets.ipv4(bytes(40), 47),
        packets.ipv4(packets.icmp(128), ICMP6),
        packets.ipv6(packets.icmp(8), ICMP),
        packets.ipv4(packets.tcp(), TCP, length=0),  # segmentation offload
        packets.ipv4(packets.tcp(), TCP, length=30),
        packets.ipv4(packets.udp(b"abc", length=7)),
        packets.ipv4(packets.udp(b"abc", length=12)),
        packets.ipv6(packets.tcp(), TCP, length=0),
    ],
)
def test_there_is_no_transport_checksum(content: bytes) -> None:
    shared = bytearray(content)
    layer = layer_of(shared)
    assert layer.test_trans_cksm() is None
    assert layer.set_trans_cksm() is None
    assert shared == content


def test_ipv6_has_no_header_checksum() -> None:
    layer = plt.ip6(bytearray(packets.ipv6(packets.udp())))
    assert layer.test_l3_cksm() is None
    assert layer.set_l3_cksm() is None


@pytest.mark.parametrize("kind", [0, 2, 4])
@pytest.mark.parametrize("left", [0, 1])
def test_a_routing_header_holds_the_final_destination(kind: int, left: int) -> None:
    """RFC 8200 section 8.1: the pseudo-header has the last of the segments that are left."""
    final = "2001:db8:ffff::99"
    header = struct.pack(">BBBBI", UDP, 2, kind, left, 0) + ip_address(final).packed
    body = packets.udp(b"payload")
    pseudo = pseudo6(UDP, len(body), dst=final if left else packets.V6[1])
    body = body[:6] + struct.pack(">H", internet_sum(pseudo + body)) + body[8:]
    content = packets.ipv6(header + body, 43)
    assert plt.ip6(content).test_trans_cksm() is True


@pytest.mark.parametrize(
    "header",
    [
        struct.pack(">BBBBI", UDP, 2, 200, 1, 0) + bytes(16),
        struct.pack(">BBBBI", UDP, 0, 0, 1, 0),
    ],
    ids=["unknown kind", "no room for the segment that is left"],
)
def test_a_routing_header_without_a_known_destination_leaves_no_verdict(header: bytes) -> None:
    assert plt.ip6(packets.ipv6(header + packets.udp(b"x"), 43)).test_trans_cksm() is None


@pytest.mark.parametrize("kind", [131, 137])
@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("used", [False, True])
def test_a_source_route_holds_the_final_destination(kind: int, before: int, used: bool) -> None:
    """RFC 1122 section 3.2.1.8; at an odd offset as well."""
    hop, final = "203.0.113.77", "203.0.113.88"
    route = bytes([kind, 11, 12 if used else 4])
    route += ip_address(hop).packed + ip_address(final).packed
    options = (b"\1" * before + route).ljust(12, b"\0")
    body = packets.udp(b"payload")
    pseudo = pseudo4(UDP, len(body), dst=packets.V4[1] if used else final)
    body = body[:6] + struct.pack(">H", internet_sum(pseudo + body)) + body[8:]
    content = bytearray(packets.ipv4(body, options=options))
    good = bytes(content)
    layer = plt.ip(content)
    assert layer.test_trans_cksm() is True
    layer.udp.checksum = 1
    assert layer.test_trans_cksm() is False
    assert layer.set_trans_cksm() is True
    assert content == good


def test_a_home_address_stands_for_the_source() -> None:
    """RFC 6275 section 11.3.1, and a type 2 routing header for the way back."""
    home, final = "2001:db8:77::7", "2001:db8:88::8"
    options = bytes([43, 2, 1, 2, 0, 0, 0xC9, 16]) + ip_address(home).packed
    route = bytes([UDP, 2, 2, 1, 0, 0, 0, 0]) + ip_address(final).packed
    body = packets.udp(b"payload")
    pseudo = pseudo6(UDP, len(body), src=home, dst=final)
    body = body[:6] + struct.pack(">H", internet_sum(pseudo + body)) + body[8:]
    content = packets.ipv6(options + route + body, 60)
    assert plt.ip6(content).test_trans_cksm() is True
    cut = packets.ipv6(options[:20], 60)
    assert plt.ip6(cut).test_trans_cksm() is None


@pytest.mark.parametrize("before", [b"\0\0\0\0", b"\1\2\0\0", b"\xc9\2\0\0", b"\1\1\0\0"])
def test_a_home_address_among_other_options(before: bytes) -> None:
    """RFC 8200 section 4.2: padding of one byte, of more, an option that is malformed."""
    home = "2001:db8:77::7"
    options = bytes([UDP, 3, *before, 0xC9, 16]) + ip_address(home).packed + b"\1\6" + bytes(6)
    body = packets.udp(b"payload")
    pseudo = pseudo6(UDP, len(body), src=home)
    body = body[:6] + struct.pack(">H", internet_sum(pseudo + body)) + body[8:]
    assert plt.ip6(packets.ipv6(options + body, 60)).test_trans_cksm() is True


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        (0, bytes([UDP, 0, 1, 4, 0, 0, 0, 0])),
        (60, bytes([UDP, 0, 0xC9, 4, 0, 0, 0, 0])),
        (60, bytes([UDP, 1, 1, 2, 0, 0, 0xC9, 16]) + bytes(8)),  # an address longer than its header
        (60, bytes([UDP, 0, 1, 3, 0, 0, 0, 0xC9])),
        (44, bytes([UDP, 0, 0, 0, 0, 0, 0, 9])),  # RFC 6946: an atomic fragment
        (51, bytes([UDP, 4]) + bytes(22)),  # RFC 4302: in words, without the first two
        (135, bytes([UDP, 0]) + bytes(6)),
        (43, bytes([UDP, 2, 0, 0]) + bytes(20)),  # a route of which no segment is left
    ],
    ids=[
        "hop by hop",
        "options",
        "long option",
        "cut option",
        "fragment",
        "authentication",
        "mobility",
        "routing",
    ],
)
def test_extension_headers_that_do_not_change_the_ends(kind: int, header: bytes) -> None:
    body = packets.udp(b"payload")
    body = body[:6] + struct.pack(">H", internet_sum(pseudo6(UDP, len(body)) + body)) + body[8:]
    content = bytearray(packets.ipv6(header + body, kind))
    layer = plt.ip6(content)
    assert layer.test_trans_cksm() is True
    layer.udp.checksum = 1
    assert layer.test_trans_cksm() is False


def test_extension_headers_whose_length_was_changed_by_others_leave_no_verdict() -> None:
    """The bytes are the caller's, who may write to them between two questions."""
    body = packets.udp(b"payload")
    body = body[:6] + struct.pack(">H", internet_sum(pseudo6(UDP, len(body)) + body)) + body[8:]
    for kind, length, others in ((60, 0, (1, 200)), (51, 4, (3, 200))):
        header = bytes([UDP, length]) + bytes(6 if kind == 60 else 22)
        content = bytearray(packets.ipv6(header + body, kind))
        layer = plt.ip6(content)
        assert layer.test_trans_cksm() is True
        for other in others:
            content[41] = other
            assert layer.test_trans_cksm() is None
        content[41] = length
        assert layer.test_trans_cksm() is True


def test_a_jumbogram() -> None:
    """RFC 2675: the length is that of the jumbo option, in the pseudo-header too."""
    data = bytes(70_000)
    body = struct.pack(">HHHH", 1, 2, 0, 0) + data
    pseudo = pseudo6(UDP, len(body))
    body = body[:6] + struct.pack(">H", internet_sum(pseudo + body)) + body[8:]
    jumbo = bytes([UDP, 0, 0xC2, 4]) + struct.pack(">I", 8 + len(body))
    assert plt.ip6(packets.ipv6(jumbo + body, 0, length=0)).test_trans_cksm() is True


@pytest.mark.parametrize(
    "options",
    [
        b"\x83\x0b\4\0",
        b"\x83\3\4\0",
        b"\x83\xff\4\0",
        b"\x83\1\4\0",
        b"\1\1\x83\2",
        b"\1\1\1\x83",
        b"\x83\x07\x08" + bytes([203, 0, 113, 9, 0]),  # used up
    ],
)
def test_a_malformed_source_route_changes_nothing(options: bytes) -> None:
    body = packets.udp(b"x")
    body = body[:6] + struct.pack(">H", internet_sum(pseudo4(UDP, len(body)) + body)) + body[8:]
    assert plt.ip(packets.ipv4(body, options=options)).test_trans_cksm() is True


def test_the_link_layer_s_padding_is_not_summed(tmp_path: Path) -> None:
    frame = packets.ethernet(whole(4, UDP, b"abc")) + b"\x99" * 20
    packet = packets.packet_of(frame, tmp_path)
    assert packet.udp.test_trans_cksm() is True
    assert packet.ip.test_trans_cksm() is True


# --- set_checksums ---------------------------------------------------------------------------

TOO_SHORT = r"^Packet too short to set checksums$"


@pytest.mark.parametrize(("version", "proto"), CASES)
@pytest.mark.parametrize("of", ["layer3", "ip", "transport", "own"])
def test_set_checksums(version: int, proto: int, of: str, tmp_path: Path) -> None:
    content = bytearray(packets.ethernet(whole(version, proto, b"payload")))
    content[12:14] = b"\x08\x00" if version == 4 else b"\x86\xdd"
    good = bytes(content)
    header = 14 + (20 if version == 4 else 40)
    content[header + OFFSET[proto]] ^= 0xFF
    if version == 4:
        content[24] ^= 0xFF
    packet = packets.packet_of(bytes(content), tmp_path)
    own = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6"}[proto]
    names = {"ip": "ip" if version == 4 else "ip6", "own": own}
    assert getattr(packet, names.get(of, of)).set_checksums() is True
    assert bytes(packet) == good


def test_set_checksums_of_a_cut_packet_is_an_error(tmp_path: Path) -> None:
    content = packets.ethernet(whole(4, TCP, b"payload", good=False))
    packet = packets.packet_of(content[:-1], tmp_path, wire=len(content))
    for layer in (packet.layer3, packet.ip, packet.tcp, packet.transport):
        with pytest.raises(ValueError, match=TOO_SHORT):
            layer.set_checksums()
    assert bytes(packet) == content[:-1]


def test_set_checksums_of_a_cut_packet_in_a_whole_one(tmp_path: Path) -> None:
    """A quote of 28 bytes, a packet in a tunnel, bytes: each shorter than its header says."""
    inner = whole(4, UDP, b"payload", good=False)
    error = packets.ipv4(packets.icmp(11, payload=inner[:28]), ICMP)
    tunnel = packets.ipv4(inner[:-1], 4)
    for outer in (error, tunnel):
        content = packets.ethernet(outer)
        packet = packets.packet_of(content, tmp_path)
        cut = packet.icmp.payload if packet.icmp else plt.ip(packet.transport)
        with pytest.raises(ValueError, match=TOO_SHORT):
            cut.set_checksums()
        assert bytes(packet) == content
        assert packet.layer3.set_checksums() is True
    with pytest.raises(ValueError, match=TOO_SHORT):
        plt.ip(bytearray(inner[:-1])).set_checksums()


def test_set_checksums_of_a_whole_packet_in_another(tmp_path: Path) -> None:
    good = whole(4, UDP, b"payload")
    error = packets.ipv4(packets.icmp(3, payload=whole(4, UDP, b"payload", good=False)), ICMP)
    quote = packets.packet_of(packets.ethernet(error), tmp_path).icmp.payload
    assert quote.set_checksums() is True
    assert bytes(quote) == good


def test_set_checksums_where_there_is_no_ip(tmp_path: Path) -> None:
    packet = packets.packet_of(packets.ethernet(bytes(28), 0x0806), tmp_path)
    with pytest.raises(ValueError, match=TOO_SHORT):
        packet.layer3.set_checksums()
    for make in (plt.tcp, plt.udp, plt.icmp, plt.icmp6):
        with pytest.raises(ValueError, match=TOO_SHORT):
            make(bytearray(40)).set_checksums()
    for length in range(20):
        with pytest.raises(ValueError, match=TOO_SHORT):
            plt.ip(bytearray(packets.ipv4()[:length])).set_checksums()
    assert not hasattr(packet, "set_checksums")
    assert not hasattr(packet.layer2, "set_checksums")


# --- tshark ----------------------------------------------------------------------------------

PREFERENCES = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
STATUS = [f"{name}.checksum.status" for name in ("ip", "tcp", "udp", "icmp", "icmpv6")]
VERDICT = {"1": True, "0": False}  # else not verified, or not there


def verdicts(tshark: str, path: Path) -> list[tuple[bool | None, bool | None]]:
    """What tshark says of each packet's IPv4 and transport checksums."""
    out = subprocess.run(
        [tshark, "-r", path, *PREFERENCES, "-Tfields", "-Eoccurrence=f",
         *(f"-e{field}" for field in STATUS)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rows = [line.split("\t") for line in out.split("\n")[:-1]]
    return [(VERDICT.get(r[0]), next((VERDICT.get(s) for s in r[1:] if s), None)) for r in rows]


def ours(packet: plt.packet) -> tuple[bool | None, bool | None]:
    ip = packet.ip or packet.ip6
    return (ip.test_l3_cksm(), ip.test_trans_cksm()) if ip else (None, None)


@pytest.mark.parametrize("name", ["edge-10k.pcap.gz", "dns-1k.pcap.gz"])
def test_tshark_s_verdicts_on_the_tutorial_s_traces(name: str, tshark: str) -> None:
    theirs = verdicts(tshark, TRACES / name)
    packets_ = packets.read(TRACES / name)
    before = [bytes(packet) for packet in packets_]
    mine = [ours(packet) for packet in packets_]
    assert [i for i, (a, b) in enumerate(zip(mine, theirs, strict=True), 1) if a != b] == []
    assert [bytes(packet) for packet in packets_] == before  # a test never writes
    assert sum(verdict[1] is True for verdict in mine) > 100


def test_tshark_s_verdicts_on_good_and_bad_ones(tmp_path: Path, tshark: str) -> None:
    chance = random.Random(6)
    frames = []
    for version, proto in CASES * 20:
        content = whole(
            version, proto, chance.randbytes(chance.randrange(60)), chance.random() < 0.5
        )
        if version == 4 and chance.random() < 0.5:
            content = content[:10] + b"\x12\x34" + content[12:]
        frames.append(packets.ethernet(content, 0x0800 if version == 4 else 0x86DD))
    path = packets.write(tmp_path / "t.pcap", packets.pcap(frames))
    mine = [ours(packet) for packet in packets.read(path)]
    assert mine == verdicts(tshark, path)
    assert {verdict[1] for verdict in mine} == {True, False}


def test_tshark_finds_right_what_we_set(tmp_path: Path, tshark: str) -> None:
    changed = []
    for packet in packets.read(TRACES / "dns-1k.pcap.gz"):
        ip = packet.ip or packet.ip6
        if ip is None or packet.capture_len + 4 < packet.wire_len:
            continue
        ip.hop_limit = 33
        ip.set_checksums()
        changed.append(bytes(packet))
    path = packets.write(tmp_path / "t.pcap", packets.pcap(changed))
    assert len(changed) > 500
    theirs = verdicts(tshark, path)
    assert {verdict[0] for verdict in theirs} <= {True, None}
    assert {verdict[1] for verdict in theirs} <= {True, None}
    assert sum(verdict[1] is True for verdict in theirs) > 500


def test_the_checksum_of_a_jumbogram() -> None:
    """RFC 2675: both length fields are 0, and a hop-by-hop option has the packet's."""
    for size, length, known in ((70_000, 0, True), (70_000, 8, True), (60_000, 0, None)):
        data = bytes(range(250)) * (size // 250)
        datagram = packets.udp(data, length=length)
        covered = datagram if length == 0 else datagram[:8]
        pseudo = packets.pseudo6(packets.UDP, len(covered))
        checksum = packets.internet_sum(pseudo + covered)
        datagram = packets.udp(data, length=length, checksum=checksum)
        options = bytes([packets.UDP, 0, 0xC2, 4]) + struct.pack(">I", 8 + len(datagram))
        layer = plt.ip6(packets.ipv6(options + datagram, 0, length=0))
        assert layer.test_trans_cksm() is known
