"""plt.filter, on traces and on packets, of several link types."""

from collections.abc import Callable, Sequence
from pathlib import Path

import packets
import pytest
from packets import TCP, UDP

import natkit
import pldns
import plt

FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(b"x", ports=(1000, 53)), src="10.0.0.1")),
    packets.ethernet(packets.ipv4(packets.tcp(ports=(2000, 80), flags=0x02), TCP)),
    packets.ethernet(packets.ipv6(packets.tcp(ports=(3000, 443), flags=0x11), TCP), 0x86DD),
    packets.ethernet(b"\0\1\x08\0\6\4\0\1" + bytes(20), 0x0806),
    packets.ethernet(b"\0\x07\x08\0" + packets.ipv4(packets.udp(ports=(4000, 53))), 0x8100),
    packets.ethernet(packets.ipv4(packets.udp(bytes(1400), ports=(5000, 6000)))),
]
# pcap-filter(7), by hand: which of FRAMES each one accepts
ACCEPTED = {
    "ip": {0, 1, 5},
    "ip6": {2},
    "arp": {3},
    "tcp": {1, 2},
    "udp port 53": {0},
    "vlan and udp port 53": {4},
    "vlan 7": {4},
    "vlan 8": set(),
    "host 10.0.0.1": {0},
    "src net 10.0.0.0/8": {0},
    "tcp[tcpflags] & tcp-syn != 0": {1},
    "ip6 and tcp dst port 443": {2},
    "greater 1000": {5},
    "less 60": {0, 1, 3, 4},
    "not ip": {2, 3, 4},
    "ether src 02:00:00:00:00:02": {0, 1, 2, 3, 4, 5},
    "ether[12:2] = 0x0806": {3},
    "": {0, 1, 2, 3, 4, 5},
}
BAD = ["no such thing", "tcp port", "host", "((ip)", "port 99999", "'", "ip\n\nx"]


@pytest.fixture
def trace(tmp_path: Path) -> plt.trace:
    return plt.trace(packets.write(tmp_path / "t.pcap", packets.pcap(FRAMES)))


@pytest.mark.parametrize("expression", ACCEPTED)
def test_on_a_trace_and_on_packets(expression: str, trace: plt.trace) -> None:
    wanted = plt.filter(expression)
    assert wanted.expression == expression
    trace.conf_filter(wanted)
    with trace:
        assert [bytes(packet) for packet in trace] == [FRAMES[i] for i in ACCEPTED[expression]]
        assert trace.pkt_accepts() == len(ACCEPTED[expression])
    every = packets.read(trace.uri)
    assert {i for i, p in enumerate(every) if p.apply_filter(wanted)} == ACCEPTED[expression]
    assert {type(p.apply_filter(wanted)) for p in every} == {bool}


def test_one_filter_for_several_link_types(tmp_path: Path) -> None:
    """libpcap compiles an expression for one link type: the filter must know of each."""
    ip = packets.ipv4(packets.udp(ports=(1, 53)))
    cooked = b"\0\0\0\1\0\6" + packets.MAC[:6] + b"\0\0\x08\0" + ip
    content = packets.section()
    links = [(1, packets.ethernet(ip)), (101, ip), (113, cooked), (9, b"\xff\x03\0\x21" + ip),
             (108, b"\0\0\0\2" + ip), (228, ip)]  # fmt: skip
    for dlt, _ in links:
        content += packets.interface(dlt)
    for i, (_, data) in enumerate(links * 3):
        content += packets.enhanced(data, on=i % len(links))
    path = packets.write(tmp_path / "t.pcapng", content)
    for expression, expected in (("udp dst port 53", 18), ("udp dst port 54", 0), ("tcp", 0)):
        found = plt.trace(path)
        found.conf_filter(plt.filter(expression))
        with found:
            assert len(list(found)) == expected


def of_several_links(tmp_path: Path, links: Sequence[int]) -> Path:
    """Three DNS queries from MAC[6:] for each link type in turn, in a pcapng file."""
    ip = packets.ipv4(packets.udp(bytes(12), ports=(1, 53)))
    cooked = b"\0\0\0\1\0\6" + packets.MAC[6:] + b"\0\0\x08\0" + ip
    frames = {1: packets.ethernet(ip), 101: ip, 113: cooked}
    content = packets.section() + b"".join(packets.interface(dlt) for dlt in links)
    for i in range(3 * len(links)):
        content += packets.enhanced(frames[links[i % len(links)]], on=i % len(links))
    return packets.write(tmp_path / "links.pcapng", content)


def counts(path: Path, expression: str) -> list[int]:
    """How many packets a filter lets through to a loop, columns, a flow table, DNS columns."""
    trace = plt.trace(path)
    trace.conf_filter(plt.filter(expression))
    with trace:
        found = [len(list(trace)), trace.pkt_accepts()]
    found.append(len(plt.columns(path, ["wire_len"], filter=expression).table()))
    found.append(natkit.FlowTable().add_trace(path, filter=expression))
    found.append(len(pldns.columns(path, ["id"], filter=expression).table()))
    trace = plt.trace(path)
    trace.conf_filter(plt.filter(expression))
    trace.start()
    found.append(len(plt.columns(trace, ["wire_len"]).table()))
    return found


ETHER = "ether src host " + packets.MAC[6:].hex(":")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (ETHER, 3),  # tcpdump: an address of Ethernet is not supported on raw IP, nor on cooked
        (f"not {ETHER}", 0),
        ("inbound", 3),  # only cooked packets have a direction that is filtered
        ("udp", 9),
        (f"udp and ({ETHER})", 3),
        ("vlan", 0),
    ],
)
@pytest.mark.parametrize("links", [(1, 101, 113), (101, 1, 113), (113, 101, 1)])
def test_a_filter_applies_where_it_can_be_compiled(
    expression: str, expected: int, links: tuple[int, ...], tmp_path: Path
) -> None:
    path = of_several_links(tmp_path, links)
    assert counts(path, expression) == [expected] * 6


@pytest.mark.parametrize("links", [(101,), (101, 101)])
def test_a_filter_that_none_of_the_link_types_takes_raises_at_the_end(
    links: tuple[int, ...], tmp_path: Path
) -> None:
    path = of_several_links(tmp_path, links)
    trace = plt.trace(path)
    trace.conf_filter(plt.filter(ETHER))
    with trace:
        for _ in range(2):
            with pytest.raises(plt.LibtraceError, match="Unable to compile the filter"):
                next(trace)
        trace.conf_filter(plt.filter("udp"))  # as another filter might, were there more packets
        assert list(trace) == []
    for read in (
        lambda: plt.columns(path, ["wire_len"], filter=ETHER).table(),
        lambda: pldns.columns(path, ["id"], filter=ETHER).table(),
        lambda: natkit.FlowTable().add_trace(path, filter=ETHER),
    ):
        with pytest.raises(plt.LibtraceError, match="Unable to compile the filter"):
            read()


def test_a_filter_that_means_nothing_raises_at_once(tmp_path: Path) -> None:
    trace = plt.trace(of_several_links(tmp_path, (101, 1)))
    trace.conf_filter(plt.filter("udp port nosuchport"))
    with trace, pytest.raises(plt.LibtraceError, match="nosuchport"):
        next(trace)
    # of one link type: at its first packet
    [packet] = packets.read_bytes(packets.pcap([packets.ipv4(packets.udp())], 101), tmp_path)
    with pytest.raises(plt.LibtraceError, match="Unable to compile the filter"):
        packet.apply_filter(plt.filter(ETHER))


def test_what_a_loop_and_columns_read_of_one_trace_is_one_use(tmp_path: Path) -> None:
    """The rest of a trace may be of a link type that the filter does not take."""
    path = of_several_links(tmp_path, (1, 101))
    trace = plt.trace(path)
    trace.conf_filter(plt.filter(ETHER))
    with trace:
        assert sum(1 for _ in zip(range(3), trace, strict=False)) == 3
        assert len(plt.columns(trace, ["wire_len"]).table()) == 0


def test_cisco_hdlc(tmp_path: Path) -> None:
    frame = b"\x0f\0\x08\0" + packets.ipv4(packets.udp(ports=(1, 53)))
    packet = packets.packet_of(frame, tmp_path, 104)
    assert packet.apply_filter(plt.filter("ip and udp dst port 53")) is True
    assert packet.apply_filter(plt.filter("tcp")) is False


def test_greater_is_about_the_length_on_the_wire(tmp_path: Path) -> None:
    packet = packets.packet_of(FRAMES[0], tmp_path, wire=1500)
    assert packet.apply_filter(plt.filter("greater 1500")) is True
    assert packet.apply_filter(plt.filter("less 1499")) is False


def test_link_types_that_libpcap_can_not_filter_are_filtered_from_ip_on(tmp_path: Path) -> None:
    ip = packets.ipv4(packets.udp(ports=(1, 53)))
    # nflog: 4 bytes, then attribute 9 is the packet
    content = packets.pcap([b"\2\0\0\0" + bytes([4 + len(ip), 0, 9, 0]) + ip], 239)
    [packet] = packets.read_bytes(content, tmp_path)
    assert packet.apply_filter(plt.filter("udp port 53")) is True
    assert packet.apply_filter(plt.filter("tcp")) is False


def test_a_link_type_of_its_own_is_filtered_from_ip_on(tmp_path: Path) -> None:
    """PPP and Cisco HDLC in ERF records, for which libpcap has no number."""
    ip = packets.ipv4(packets.udp(ports=(1, 53)))
    lcp = b"\xff\x03\xc0\x21" + bytes(20)  # RFC 1661 section 2: no IP
    content = packets.erf(1, b"\xff\x03\x00\x21" + ip) + packets.erf(1, lcp)
    found, other = packets.read_bytes(content, tmp_path, "erf:")
    for expression, expected in (("udp port 53", True), ("tcp", False), ("not tcp", True)):
        assert found.apply_filter(plt.filter(expression)) is expected
        assert other.apply_filter(plt.filter(expression)) is False
    for expression in (ETHER, "no such thing"):
        with pytest.raises(
            plt.LibtraceError, match=f'^Unable to compile the filter "{expression}"'
        ):
            found.apply_filter(plt.filter(expression))


def test_a_link_type_of_which_nothing_is_known_is_libpcap_s(tmp_path: Path) -> None:
    """LINKTYPE_USER0 is for anybody's use: libpcap loads its bytes, and knows no IP in it."""
    packet = packets.packet_of(b"\x07" + packets.ipv4(packets.udp(ports=(1, 53))), tmp_path, 147)
    assert packet.apply_filter(plt.filter("link[0] = 7")) is True
    assert packet.apply_filter(plt.filter("link[0] = 8")) is False
    assert packet.apply_filter(plt.filter("greater 29")) is True


@pytest.mark.parametrize("expression", BAD)
def test_a_bad_expression_raises_when_it_is_used(
    expression: str, trace: plt.trace, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = plt.filter(expression)
    trace.conf_filter(bad)
    trace.start()
    for _ in range(3):
        with pytest.raises(plt.LibtraceError, match=r"\w{3}"):
            next(trace)
    trace.close()
    [packet, *_] = packets.read(trace.uri)
    for _ in range(3):
        with pytest.raises(plt.LibtraceError, match=r"\w{3}"):
            packet.apply_filter(bad)
    assert packet.apply_filter(plt.filter("ip")) is True
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("way", ["next()", "read_packet()", "a loop", "columns"])
def test_no_packet_is_lost_to_a_bad_filter(way: str, trace: plt.trace) -> None:
    """It was not judged: it is the first that a better filter gets."""
    trace.conf_filter("udp porrt 53")
    trace.start()
    read = {
        "next()": lambda: next(trace),
        "read_packet()": lambda: trace.read_packet(plt.packet()),
        "a loop": lambda: list(trace),
        "columns": lambda: plt.columns(trace, "proto").table(),
    }[way]
    for _ in range(2):
        with pytest.raises(plt.LibtraceError, match="syntax error"):
            read()
    trace.conf_filter("ip")
    assert [p.proto for p in trace] == [UDP, TCP, UDP]
    assert trace.pkt_accepts() == 3
    trace.close()


@pytest.mark.parametrize(
    "read",
    [lambda trace: plt.columns(trace, "proto"), natkit.streams, natkit.packets, pldns.columns],
)
def test_a_bad_filter_ends_what_reads_a_trace(read: Callable, trace: plt.trace) -> None:
    trace.conf_filter("udp porrt 53")
    trace.start()
    reader = iter(read(trace))
    with pytest.raises(plt.LibtraceError, match="syntax error"):
        next(reader)
    assert next(reader, "the end") == "the end"


def test_the_message_is_libpcap_s(trace: plt.trace) -> None:
    trace.conf_filter(plt.filter("no such thing"))
    trace.start()
    with pytest.raises(plt.LibtraceError, match="syntax error"):
        next(trace)
    trace.close()


def test_making_one() -> None:
    assert plt.filter(bpf="tcp").expression == "tcp"
    assert repr(plt.filter("tcp")) == "plt.filter('tcp')"
    for wrong in (None, b"tcp", 3, ["tcp"], plt.filter("tcp")):
        with pytest.raises(TypeError):
            plt.filter(wrong)
    for args in ((), ("a", "b")):
        with pytest.raises(TypeError):
            plt.filter(*args)
    for odd in ("host \0", "host é", "\ud800", "日本"):
        with pytest.raises(ValueError, match=r"ASCII|surrogates"):
            plt.filter(odd)
    with pytest.raises(TypeError):
        plt.filter("tcp").expression = "udp"


def test_an_expression_does_not_change(trace: plt.trace) -> None:
    wanted = plt.filter("udp port 53")
    wanted.__init__("tcp")  # type: ignore[misc]
    assert wanted.expression == "udp port 53"
    trace.conf_filter(wanted)
    with trace:
        assert [bytes(packet) for packet in trace] == [FRAMES[0]]


def test_a_condition_that_was_initialised_as_a_filter_is_one(trace: plt.trace) -> None:
    wanted = plt.where.__new__(plt.where)
    plt.filter.__init__(wanted, "udp port 53")
    assert len(plt.columns(trace.uri, ["wire_len"], filter=wanted).table()) == 1
    assert natkit.FlowTable().add_trace(trace.uri, filter=wanted) == 1


def test_the_conditions_of_a_trace_and_of_its_reader_both_hold(trace: plt.trace) -> None:
    for own, more, expected in (("tcp", "ip6", [2]), ("ip", "udp", [0, 4, 5]), ("arp", "ip", [])):
        with plt.trace(trace.uri, filter=plt.where(own)) as opened:
            found = plt.columns(opened, ["number"], filter=plt.where(more)).table()
        assert (found["number"] - 1).tolist() == expected


@pytest.mark.parametrize("kind", [plt.filter, plt.where])
def test_one_that_was_not_initialised_filters_nothing(
    kind: type[plt.filter], trace: plt.trace
) -> None:
    empty = kind.__new__(kind)
    for read in (
        lambda: trace.conf_filter(empty),
        lambda: plt.trace(trace.uri, filter=empty),
        lambda: plt.columns(trace.uri, ["wire_len"], filter=empty).table(),
        lambda: natkit.FlowTable().add_trace(trace.uri, filter=empty),
        lambda: pldns.columns(trace.uri, ["id"], filter=empty).table(),
    ):
        with pytest.raises(ValueError, match="this filter has no expression"):
            read()


def test_applying_wrongly(trace: plt.trace) -> None:
    with trace:
        packet = next(trace)
    wanted = plt.filter("ip")
    for layer in (packet.layer2, packet.layer3, packet.ip, packet.udp, packet.udp.payload):
        with pytest.raises(TypeError, match="for packets, not for their layers"):
            layer.apply_filter(wanted)
    assert packet.apply_filter("ip") is True
    assert packet.apply_filter("tcp") is False
    with pytest.raises(plt.LibtraceError, match="syntax error"):
        packet.apply_filter("ip and")
    for wrong in (None, 3, packet):
        with pytest.raises(TypeError, match=r"takes a plt.filter"):
            packet.apply_filter(wrong)
    with pytest.raises(ValueError, match="nothing was read"):
        plt.packet().apply_filter(wanted)


def test_short_packets(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    frames = [b"", b"\0", FRAMES[0][:13], FRAMES[0][:30], FRAMES[0][:36]]
    got = packets.read_bytes(packets.pcap(frames), tmp_path)
    assert [p.apply_filter(plt.filter("ip")) for p in got] == [False, False, False, True, True]
    assert [p.apply_filter(plt.filter("udp src port 1000")) for p in got] == [False] * 4 + [True]
    assert [p.apply_filter(plt.filter("")) for p in got] == [True] * 5
    assert capfd.readouterr() == ("", "")


LARGE = """
import sys, packets, plt
from pathlib import Path
size, wire = int(sys.argv[2]), int(sys.argv[3])
frame = packets.ethernet(packets.ipv4(packets.udp(bytes(size - 42), ports=(1, 53))))
packet = packets.packet_of(frame, Path(sys.argv[1]), wire=wire)
print([packet.apply_filter(plt.filter(text)) for text in ("udp port 53", "tcp", "ip")])
"""


@pytest.mark.parametrize(
    ("size", "wire"),
    [
        (65_000, 65_000),
        (100, 65_531),
        (100, 65_532),
        (100, 70_000),
        (100, 2**32 - 1),
        (65_536, 65_536),
        (70_000, 70_000),
    ],
)
def test_large_packets(size: int, wire: int, tmp_path: Path) -> None:
    run = packets.child(LARGE, tmp_path, size, wire)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.strip() == "[True, False, True]"


def test_a_filter_outlives_and_is_outlived(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t.pcap", packets.pcap(FRAMES))
    trace = plt.trace(path)
    trace.conf_filter(plt.filter("udp port 53"))  # the trace alone holds it
    shared = plt.filter("tcp")
    others = [plt.trace(path) for _ in range(3)]
    for other in others:
        other.conf_filter(shared)
        other.start()
    trace.start()
    assert [len(list(t)) for t in (trace, *others)] == [1, 2, 2, 2]
    for t in (trace, *others):
        t.close()
    [*got] = packets.read(path)
    assert sum(p.apply_filter(shared) for p in got) == 2


def test_a_filter_may_be_exchanged_in_a_pause(trace: plt.trace) -> None:
    trace.conf_filter(plt.filter("tcp"))
    trace.start()
    assert next(trace).tcp.src_port == 2000
    trace.pause()
    trace.conf_filter(plt.filter("udp"))
    trace.start()
    assert [packet.udp.src_port for packet in trace if packet.proto == UDP] == [5000]
    trace.close()
