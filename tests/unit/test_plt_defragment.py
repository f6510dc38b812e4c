"""plt.defragment(): IP fragments put together."""

import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import (
    EPOCH,
    MAC,
    UDP,
    Record,
    enhanced,
    ethernet,
    interface,
    internet_sum,
    ipv4,
    ipv6,
    option,
    pcap,
    section,
    snap,
    udp,
    wireless,
    write,
)

import plt
from plt import _plt

MORE = 0x2000
FRAGMENT = 44
BODY = bytes(range(256)) * 12

Fragments = Callable[..., list[bytes]]


def part4(body: bytes, start: int, end: int, *, more: bool | None = None, **header: int) -> bytes:
    is_more = end < len(body) if more is None else more
    field = start // 8 | (MORE if is_more else 0)
    return ethernet(ipv4(body[start:end], UDP, fragment=field, **header))  # type: ignore[arg-type]


def part6(
    body: bytes, start: int, end: int, *, more: bool | None = None, ident: int = 9, hops: int = 64
) -> bytes:
    is_more = end < len(body) if more is None else more
    header = struct.pack(">BBHI", UDP, 0, start | is_more, ident)
    return ethernet(ipv6(header + body[start:end], FRAGMENT, hops=hops), 0x86DD)


def whole4(body: bytes) -> bytes:
    return ethernet(ipv4(body, UDP))


def whole6(body: bytes) -> bytes:
    return ethernet(ipv6(body, UDP), 0x86DD)


PARTS = pytest.mark.parametrize("part", [part4, part6])
FAMILIES = pytest.mark.parametrize(("part", "whole"), [(part4, whole4), (part6, whole6)])


def cut(part: Callable[..., bytes], body: bytes, size: int, **more: int) -> list[bytes]:
    return [part(body, at, min(at + size, len(body)), **more) for at in range(0, len(body), size)]


def put_together(folder: Path, packets: Iterable[bytes | Record], **settings: float) -> list[bytes]:
    path = write(folder / "trace.pcap", pcap(packets))
    return [bytes(packet.data) for packet in plt.defragment(path, **settings)]  # type: ignore[arg-type]


# --- Whole packets ----------------------------------------------------------------------------


@FAMILIES
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_packet_is_as_if_it_had_never_been_fragmented(
    tmp_path: Path, part: Fragments, whole: Callable[[bytes], bytes], order: tuple[int, ...]
) -> None:
    body = udp(BODY)
    fragments = cut(part, body, 1200)  # type: ignore[arg-type]
    assert len(fragments) == 3
    records = [Record(fragments[i], sec=EPOCH + at) for at, i in enumerate(order)]
    path = write(tmp_path / "trace.pcap", pcap(records))
    (packet,) = plt.defragment(path)
    assert bytes(packet.data) == whole(body)
    assert packet.time_ns == (EPOCH + 2) * 10**9
    assert bytes(packet.udp_payload) == BODY
    assert packet.wire_len == len(whole(body)) + 4  # with the FCS, as of any Ethernet packet
    assert packet.capture_len == len(whole(body))


def test_the_longest_packet_over_the_narrowest_link(tmp_path: Path) -> None:
    """RFC 791 section 3.2: of 68 bytes, 48 of them of 65,515."""
    body = udp(bytes(range(256)) * 256)[: 65535 - 20]
    parts = cut(part4, body, 48)
    assert len(parts) == 1365
    assert put_together(tmp_path, parts) == [whole4(body)]


def test_sources_are_files_folders_and_open_files(tmp_path: Path) -> None:
    fragments = cut(part4, udp(BODY), 1200)
    for name, held in (("1.pcap", fragments[:2]), ("2.pcap", fragments[2:])):
        write(tmp_path / name, pcap(held))
    for source in (tmp_path, str(tmp_path / "*.pcap")):
        assert [bytes(packet.data) for packet in plt.defragment(source)] == [whole4(udp(BODY))]
    with (tmp_path / "1.pcap").open("rb") as file:
        assert [bytes(packet.data) for packet in plt.defragment(file)] == fragments[:2]


def test_headers_are_those_of_the_first_fragment(tmp_path: Path) -> None:
    body = udp(BODY)
    first = part4(body, 0, 1600, ttl=9, tos=4)
    last = part4(body, 1600, len(body), ttl=200)
    (data,) = put_together(tmp_path, [last, first])
    header = data[14:34]
    assert (header[8], header[1]) == (9, 4)
    assert internet_sum(header) == 0  # RFC 1071: of a header with its right checksum
    assert struct.unpack(">HH", header[2:4] + header[6:8]) == (20 + len(body), 0)


def test_options_are_kept(tmp_path: Path) -> None:
    body = udp(BODY)
    options = bytes([7, 7, 4, 0, 0, 0, 0, 0])  # record route, not copied on fragmentation
    first = ethernet(ipv4(body[:1600], UDP, fragment=MORE, options=options))
    (data,) = put_together(tmp_path, [first, part4(body, 1600, len(body))])
    assert data == ethernet(ipv4(body, UDP, options=options))


def test_an_ipv6_header_before_the_fragment_header_is_kept(tmp_path: Path) -> None:
    body = udp(BODY)
    hop_by_hop = struct.pack(">BBBB4x", FRAGMENT, 0, 1, 4)  # PadN

    def part(start: int, end: int) -> bytes:
        header = struct.pack(">BBHI", UDP, 0, start | (end < len(body)), 3)
        return ethernet(ipv6(hop_by_hop + header + body[start:end], 0), 0x86DD)

    (data,) = put_together(tmp_path, [part(0, 1600), part(1600, len(body))])
    assert data == ethernet(ipv6(bytes([UDP]) + hop_by_hop[1:] + body, 0), 0x86DD)


def test_an_authentication_header_before_the_fragment_header_is_kept(tmp_path: Path) -> None:
    """Its length counts in words of 4 bytes, less 2 (RFC 4302 section 2.2)."""
    ah = bytes([FRAGMENT, 4]) + bytes(range(22))
    body = udp(BODY)

    def part(start: int, end: int) -> bytes:
        header = struct.pack(">BBHI", UDP, 0, start | (end < len(body)), 3)
        return ethernet(ipv6(ah + header + body[start:end], 51), 0x86DD)

    (data,) = put_together(tmp_path, [part(1600, len(body)), part(0, 1600)])
    assert data == ethernet(ipv6(bytes([UDP]) + ah[1:] + body, 51), 0x86DD)


def in_pppoe(packet: bytes, protocol: int = 0x0021) -> bytes:  # RFC 2516 section 4
    start = struct.pack(">BBHHH", 0x11, 0, 7, len(packet) + 2, protocol)
    return ethernet(start + packet, 0x8864)


def in_snap(packet: bytes) -> bytes:  # IEEE 802.3 section 3.2.6: a length in place of a type
    return ethernet(snap(packet), 8 + len(packet))


def in_tagged_snap(packet: bytes) -> bytes:
    return ethernet(struct.pack(">HH", 5, 8 + len(packet)) + snap(packet), 0x8100)


def in_aggregate(packet: bytes) -> bytes:  # IEEE 802.11-2020 section 9.3.2.2: an A-MSDU
    subframe = MAC + struct.pack(">H", 8 + len(packet)) + snap(packet)
    return wireless(subframe, 0x88, 0x02, b"\x80\0")


AROUND = {"PPPoE": in_pppoe, "SNAP": in_snap, "a tag": in_tagged_snap, "A-MSDU": in_aggregate}


@pytest.mark.parametrize("name", AROUND)
def test_lengths_before_the_ip_header_are_those_of_the_packet(tmp_path: Path, name: str) -> None:
    around = AROUND[name]
    body = udp(BODY[:1000])
    frames = [around(frame[14:]) for frame in cut(part4, body, 400)]
    path = write(tmp_path / "trace.pcap", pcap(frames, 105 if name == "A-MSDU" else 1))
    assert [bytes(packet.data) for packet in plt.defragment(path)] == [around(ipv4(body, UDP))]


def test_tshark_finds_the_lengths_right(tmp_path: Path, tshark: str) -> None:
    path = tmp_path / "whole.pcap"
    with plt.output_trace(f"pcapfile:{path}") as out:
        for around in (in_pppoe, in_snap, in_tagged_snap):
            body = udp(BODY[:1000], ports=(49152, 49153))
            frames = [around(frame[14:]) for frame in cut(part4, body, 400)]
            parts = write(tmp_path / "parts.pcap", pcap(frames))
            for packet in plt.defragment(parts):
                out.write_packet(packet)
    command = [tshark, "-n", "-r", str(path), "-Tfields", "-e", "udp.length", "-e", "_ws.expert"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["1008"] * 3


def test_a_length_that_can_not_be_said_or_was_wrong_stays(tmp_path: Path) -> None:
    body = udp(BODY)
    frames = [in_snap(frame[14:]) for frame in cut(part4, body, 1400)]
    (data,) = put_together(tmp_path, frames)
    assert data[:14] == frames[0][:14]  # above 1500 it would be a type: IEEE 802.3 section 3.2.6
    assert data[14:] == snap(ipv4(body, UDP))
    frames = [in_pppoe(frame[14:]) for frame in cut(part4, body, 1400)]
    frames[0] = frames[0][:18] + b"\0\7" + frames[0][20:]
    (data,) = put_together(tmp_path, frames)
    assert data[:20] == frames[0][:20]
    assert data[20:] == in_pppoe(ipv4(body, UDP))[20:]


@given(st.lists(st.integers(1, 300), max_size=8), st.randoms(), st.integers(1, 3000), st.booleans())
def test_any_fragmentation_gives_the_packet(
    tmp_path_factory: pytest.TempPathFactory,
    units: list[int],
    random: Random,
    size: int,
    v6: bool,
) -> None:
    part, whole = (part6, whole6) if v6 else (part4, whole4)
    body = random.randbytes(size + 8)
    cuts = sorted({8 * unit for unit in units if 8 * unit < len(body)})
    fragments = [part(body, *ends) for ends in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    random.shuffle(fragments)
    last = fragments.pop()
    fragments += random.sample(fragments, random.randint(0, len(fragments)))  # some twice
    random.shuffle(fragments)
    packets = [*fragments, last]
    expected = [whole(body)] if cuts else packets
    assert put_together(tmp_path_factory.mktemp("trace"), packets) == expected


def test_the_longest_packet(tmp_path: Path) -> None:
    body = bytes(65535 - 20)
    assert put_together(tmp_path, cut(part4, body, 1480)) == [whole4(body)]


def test_packets_of_the_same_number_are_told_apart_by_their_ends(tmp_path: Path) -> None:
    one, two = udp(b"1" * 100), udp(b"2" * 100)
    first = ipv4(one[:56], UDP, fragment=MORE, dst="192.0.2.77")
    last = ipv4(one[56:], UDP, fragment=7, dst="192.0.2.77")
    other = cut(part4, two, 56)
    result = put_together(tmp_path, [ethernet(first), *other, ethernet(last)])
    assert result == [whole4(two), ethernet(ipv4(one, UDP, dst="192.0.2.77"))]


def test_thousands_of_packets_at_once_are_told_apart(tmp_path: Path) -> None:
    """By their number, protocol, VLAN, addresses and version, each alone."""

    def packet(n: int, body: bytes, field: int) -> bytes:
        number = {"ident": n} if n < 2000 else {}
        proto = n - 2000 if 2000 <= n < 2200 else UDP
        src = f"10.9.{n // 256}.{n % 256}" if 3200 <= n < 4200 else "192.0.2.1"
        ip = ipv4(body, proto, fragment=field, src=src, **number)
        if 2200 <= n < 3200:
            return ethernet(struct.pack(">HH", n - 2199, 0x0800) + ip, 0x8100)
        return ethernet(ip)

    def halves(n: int) -> tuple[bytes, bytes, bytes]:
        body = struct.pack(">I", n) * 6
        if n >= 4200:
            parts = [part6(body, *ends, ident=n) for ends in ((0, 16), (16, 24))]
            return parts[0], parts[1], whole6(body)
        return packet(n, body[:16], MORE), packet(n, body[16:], 2), packet(n, body, 0)

    made = [halves(n) for n in range(5200)]
    assert len({first for first, _, _ in made}) == 5200
    records = [first for first, _, _ in made] + [last for _, last, _ in made]
    path = write(tmp_path / "trace.pcap", pcap(records))
    found = [bytes(packet) for packet in plt.defragment(path)]
    assert found == [whole for _, _, whole in made]


# --- What can't be put together ---------------------------------------------------------------


def test_other_packets_come_as_they_are(tmp_path: Path) -> None:
    packets = [whole4(udp(b"x")), MAC + b"\x08\x06" + bytes(28), whole6(udp(b"y"))]
    assert put_together(tmp_path, packets) == packets
    mine = [plt.packet]
    with pytest.raises(TypeError, match="takes packets"):
        list(plt.defragment(mine))  # type: ignore[arg-type]


@PARTS
def test_overlapping_fragments_come_as_they_came(tmp_path: Path, part: Fragments) -> None:
    body = udp(BODY)
    parts = [part(body, 0, 1600), part(body, 1592, 2400), part(body, 2400, len(body))]
    assert put_together(tmp_path, parts) == parts  # type: ignore[arg-type]
    other = bytes(len(body))
    twice = [part(body, 0, 1600), part(other, 0, 1600), part(body, 1600, len(body))]
    assert put_together(tmp_path, twice) == twice  # type: ignore[arg-type]
    shorter = [part(body, 0, 1600), part(body, 0, 800), part(body, 1600, len(body))]
    assert put_together(tmp_path, shorter) == shorter  # type: ignore[arg-type]


@FAMILIES
def test_a_fragment_that_comes_again_does_not_count(
    tmp_path: Path, part: Fragments, whole: Callable[[bytes], bytes]
) -> None:
    body = udp(BODY)
    one, two, three = cut(part, body, 1200)  # type: ignore[arg-type]
    assert put_together(tmp_path, [one, two, one, two, three]) == [whole(body)]


@PARTS
def test_an_end_that_changes_or_is_passed(tmp_path: Path, part: Fragments) -> None:
    body = udp(BODY)
    ends = [part(body, 800, 1600, more=False), part(body, 1600, 2000, more=False)]
    passed = [part(body, 0, 1600), part(body, 1600, 2400), part(body, 800, 1600, more=False)]
    assert put_together(tmp_path, [*ends, part(body, 0, 800)]) == [*ends, part(body, 0, 800)]  # type: ignore[comparison-overlap]
    assert put_together(tmp_path, passed) == passed  # type: ignore[arg-type]
    before = [part(body, 1600, 2400), part(body, 800, 1600, more=False)]
    assert put_together(tmp_path, before) == before  # type: ignore[arg-type]


@PARTS
@pytest.mark.parametrize("first", [False, True])
def test_the_same_bytes_once_as_the_last_are_no_copy(
    tmp_path: Path, part: Fragments, first: bool
) -> None:
    """They overlap (RFC 5722): where the packet ends is told in two ways."""
    body = udp(BODY)
    twice = [part(body, 800, 1600, more=first), part(body, 800, 1600, more=not first)]
    parts = [*twice, part(body, 0, 800), part(body, 1600, len(body))]
    assert put_together(tmp_path, parts) == parts  # type: ignore[arg-type]


def test_a_payload_that_does_not_fit_with_the_headers_before_it(tmp_path: Path) -> None:
    """65,535 bytes with the header of IPv4, or behind that of IPv6 with an extension header."""
    parts = cut(part4, bytes(65535 - 19), 1480)
    assert put_together(tmp_path, parts) == parts
    hop_by_hop = struct.pack(">BBBB4x", FRAGMENT, 0, 1, 4)

    def part(body: bytes, start: int, end: int) -> bytes:
        header = struct.pack(">BBHI", UDP, 0, start | (end < len(body)), 3)
        return ethernet(ipv6(hop_by_hop + header + body[start:end], 0), 0x86DD)

    parts = cut(part, bytes(65535 - 7), 1480)
    assert put_together(tmp_path, parts) == parts
    (data,) = put_together(tmp_path, cut(part, bytes(65535 - 8), 1480))
    assert len(data) == 14 + 40 + 65535


def test_a_packet_that_is_longer_than_any(tmp_path: Path) -> None:
    """RFC 791: 65,535 bytes with the header; the ping of death has more."""
    parts = [part4(b"x" * 1480, 0, 1480, more=True)]
    parts.append(ethernet(ipv4(b"y" * 1000, UDP, fragment=8189)))
    assert put_together(tmp_path, parts) == parts[::-1]


def test_malformed_and_cut_fragments_come_at_once(tmp_path: Path) -> None:
    body = udp(BODY)
    first = part4(body, 0, 800)
    uneven = part4(body, 800, 1604)  # more follow, but it is no multiple of 8
    empty = part4(b"", 0, 0, more=True)
    whole = part4(body, 800, 1600)
    short = Record(whole[:100], wire=len(whole))
    result = put_together(tmp_path, [first, uneven, empty, short])
    assert result == [uneven, empty, short.data, first]


def test_a_packet_waits_no_longer_than_timeout(tmp_path: Path) -> None:
    body = udp(BODY)
    first, last = part4(body, 0, 1600), part4(body, 1600, len(body))
    other = whole4(udp(b"x"))

    def trace(sec: int) -> list[Record]:
        return [Record(first), Record(other, sec=EPOCH + 1), Record(last, sec=EPOCH + sec)]

    assert put_together(tmp_path, trace(60)) == [other, whole4(body)]
    assert put_together(tmp_path, trace(5), timeout=5) == [other, whole4(body)]
    assert sorted(put_together(tmp_path, trace(5), timeout=4)) == sorted([other, first, last])
    alone = [Record(first), Record(other, sec=EPOCH + 61), Record(whole4(b"y"), sec=EPOCH + 62)]
    assert put_together(tmp_path, alone) == [other, first, whole4(b"y")]
    late = put_together(tmp_path, [*trace(61), Record(other, sec=EPOCH + 62)])
    assert sorted(late) == sorted([other, first, last, other])


def test_fragments_without_a_time_are_put_together(tmp_path: Path) -> None:
    """Their clock counts seconds, of the year 55,840: 64 bits of nanoseconds are too few."""
    options = option(9, b"\0") + option(0, b"")
    parts = cut(part4, udp(BODY), 1200)
    blocks = [enhanced(data, 1_700_000_000_000) for data in parts]
    content = section() + interface(options=options) + b"".join(blocks)
    (packet,) = plt.defragment(write(tmp_path / "trace.pcapng", content))
    assert bytes(packet.data) == whole4(udp(BODY))


def test_times_further_apart_than_64_bits_of_nanoseconds() -> None:
    body = udp(BODY)
    far = 9_000_000_000 * 10**9  # 285 years
    parts = [part4(body, 0, 1600), part4(body, 1600, len(body))]
    found = plt.defragment(
        plt.packet.from_bytes(data, plt.TRACE_TYPE_ETH, time)
        for data, time in zip(parts, (-far, far), strict=True)
    )
    assert [bytes(packet.data) for packet in found] == parts


def test_memory_is_bounded(tmp_path: Path) -> None:
    body = udp(BODY)
    firsts = [part4(body, 0, 1600, ident=i) for i in range(100)]
    ends = [part4(body, 1600, len(body), ident=i) for i in (0, 99)]
    result = put_together(tmp_path, firsts + ends, memory=20_000)
    assert len(result) == 101  # the newest became whole, the oldest had been given back
    assert result.index(firsts[0]) == 0
    assert sum(data == ethernet(ipv4(body, UDP, ident=99)) for data in result) == 1


def test_too_many_too_small_fragments(tmp_path: Path) -> None:
    parts = cut(part4, udp(bytes(1366 * 8 - 8)), 8)
    assert len(parts) == 1366
    assert put_together(tmp_path, parts) == parts


def test_fragments_that_come_as_they_came_keep_their_comments() -> None:
    parts = [plt.packet.from_bytes(part4(udp(BODY), at, at + 800)) for at in (0, 8, 1600)]
    parts[0].comment = "first \u2192"
    parts[1].comment = ""
    assert [packet.comment for packet in plt.defragment(parts)] == ["first \u2192", "", None]


# --- Sources ----------------------------------------------------------------------------------


def test_any_iterable_of_packets(tmp_path: Path) -> None:
    body = udp(BODY)
    path = write(tmp_path / "trace.pcap", pcap(cut(part4, body, 1200)))
    with plt.trace(path) as trace:
        packets = list(trace)
    with plt.trace(path) as trace:
        for source in (trace, packets, iter(packets), (p for p in packets), str(path)):
            assert [bytes(p.udp_payload) for p in plt.defragment(source)] == [BODY]
    assert list(plt.defragment([])) == []


def test_what_is_no_packet_of_a_trace_comes_as_it_is(tmp_path: Path) -> None:
    """Layers, the packet within a tunnel, and one into which nothing was read."""
    first = part4(udp(BODY), 0, 800)
    tunnelled = ethernet(ipv4(first[14:], 4))
    path = write(tmp_path / "trace.pcap", pcap([first, tunnelled]))
    with plt.trace(path) as trace:
        fragment, outer = trace
    others = [fragment.ip, outer.inner, plt.packet(), plt.ip(first[14:])]
    found = list(plt.defragment(others))
    assert all(one is other for one, other in zip(found, others, strict=True))


def test_before_an_error_comes_what_waits(tmp_path: Path) -> None:
    parts = cut(part4, udp(BODY), 1200)
    path = write(tmp_path / "trace.pcap", pcap(parts)[:-1])
    packets = plt.defragment(path)
    assert [bytes(next(packets).data) for _ in range(2)] == parts[:2]
    with pytest.raises(plt.LibtraceError, match="cut within a packet"):
        next(packets)
    assert list(packets) == []


def test_an_exception_of_the_iterable_comes_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "trace.pcap", pcap(cut(part4, udp(BODY), 1200)))

    def failing() -> Iterable[plt.packet]:
        with plt.trace(path) as trace:
            yield next(iter(trace))
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        next(plt.defragment(failing()))


def test_an_iterable_that_asks_for_the_packets_made_of_it(tmp_path: Path) -> None:
    path = write(tmp_path / "trace.pcap", pcap([whole4(udp(b"x"))]))
    refused = []

    def asking() -> Iterable[plt.packet]:
        with pytest.raises(RuntimeError, match="in use by another thread"):
            next(found)
        refused.append(True)
        with plt.trace(path) as trace:
            yield from trace

    found = plt.defragment(asking())
    assert [bytes(packet.udp_payload) for packet in found] == [b"x"]
    assert refused == [True]


def test_what_the_part_in_c_is_made_of() -> None:
    with pytest.raises(ValueError, match="a seed has 16 bytes, not 15"):
        _plt._Defragmented([], bytes(15), 0, 1)
    for wrong in ((), (5, bytes(16), 0, 1), ([], "x" * 16, 0, 1), ([], bytes(16), 0, None)):
        with pytest.raises(TypeError):
            _plt._Defragmented(*wrong)


def test_numbers_out_of_range(tmp_path: Path) -> None:
    for timeout in (0, -1, float("nan"), 1e10):
        with pytest.raises(ValueError, match="timeout is more than 0"):
            plt.defragment([], timeout=timeout)
    with pytest.raises(ValueError, match="memory is 0 to"):
        plt.defragment([], memory=-1)
    with pytest.raises(plt.LibtraceError):
        plt.defragment(tmp_path / "nothing")
    with pytest.raises(TypeError):
        plt.defragment(5)  # type: ignore[arg-type]
