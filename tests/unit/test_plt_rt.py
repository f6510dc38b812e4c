"""rt: traces, which libtrace reads from a server: here one of the test's own.

A message has a type, a length and a sequence number, in the order of the machine; the types are
libtrace.h's TRACE_RT_*, those of packets 2000 and the link type of pcap, or 1001 for ERF.
"""

import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pace
import packets as made
import pytest

import plt

pytestmark = pytest.mark.skipif(
    "PLT_ASAN" in os.environ, reason="libtrace moves its buffer's rest by memcpy(), over itself"
)

HELLO, START, STATUS, END, DENY, METADATA = 1, 2, 4, 6, 8, 18
WITHOUT_BODY = [12, 15, 16, 17]  # key change, lost connection, server start, client drop
PCAP, ERF = 2000, 1001


def message(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("=IHxxI", kind, len(body), 1) + body


def captured(dlt: int, data: bytes) -> bytes:
    """A packet with libpcap's header: a struct timeval and two lengths."""
    header = struct.pack("@llII", made.EPOCH, 0, len(data), len(data))
    return message(PCAP + dlt, header + data)


@contextlib.contextmanager
def server(serve: Callable[[socket.socket], None], clients: int = 1) -> Iterator[str]:
    """The URI of a server that takes one client, or several one after another."""

    def take() -> None:
        for _ in range(clients):
            with contextlib.suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    peer.settimeout(pace.NEVER)
                    serve(peer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=take)
        thread.start()
        yield f"rt:127.0.0.1:{listener.getsockname()[1]}"
        thread.join(pace.NEVER)


def started(peer: socket.socket) -> None:
    """Greet the client, which asks for packets then."""
    peer.sendall(message(HELLO, b"\1"))
    assert struct.unpack_from("=I", peer.recv(100)) == (START,)


def until_it_goes(peer: socket.socket) -> None:
    while peer.recv(1000):  # acknowledgements
        pass


def sending(*messages: bytes) -> Callable[[socket.socket], None]:
    def serve(peer: socket.socket) -> None:
        started(peer)
        for one in messages:
            peer.sendall(one)
        until_it_goes(peer)

    return serve


IP = made.ipv4(made.udp(b"hello"))
FRAME = made.ethernet(IP)
LLC = bytes.fromhex("aaaa03000000 0800")  # RFC 1042
DATA_80211 = b"\x08\0" + bytes(22) + LLC + IP  # IEEE 802.11 section 9.3.2.1
COOKED = bytes.fromhex("0000 0001 0006 0000000000000000 0800")

#: By kind: the message, libtrace's link type, the captured and the wire length.  Only Ethernet has
#: a frame check sequence, which libtrace counts; an ERF record says what the wire had.
PACKETS = {
    "Ethernet": (captured(1, FRAME), plt.TRACE_TYPE_ETH, 47, 51),
    "PPP": (captured(9, b"\xff\x03\0\x21" + IP), plt.TRACE_TYPE_PPP, 37, 37),
    "LLC of ATM": (captured(11, LLC + IP), plt.TRACE_TYPE_LLCSNAP, 41, 41),
    "raw IP": (captured(12, IP), plt.TRACE_TYPE_NONE, 33, 33),
    "802.11": (captured(105, DATA_80211), plt.TRACE_TYPE_80211, 65, 65),
    "ERF Ethernet": (message(ERF, made.erf(2, b"\0\0" + FRAME)), plt.TRACE_TYPE_ETH, 47, 49),
    "ERF HDLC": (
        message(ERF, made.erf(1, b"\x0f\0\x08\0" + IP)), plt.TRACE_TYPE_HDLC_POS, 37, 37,
    ),
    "ERF ATM": (message(ERF, made.erf(3, bytes(4) + LLC + IP)), plt.TRACE_TYPE_ATM, 45, 45),
    "ERF AAL5": (message(ERF, made.erf(4, bytes(4) + LLC + IP)), plt.TRACE_TYPE_AAL5, 45, 45),
}  # fmt: skip


@pytest.mark.parametrize("kind", PACKETS)
def test_packets_of_each_link_type(kind: str) -> None:
    sent, linktype, captured_length, wire_length = PACKETS[kind]
    with server(sending(sent)) as uri, plt.trace(uri) as trace:
        packet = next(trace)
        assert bytes(packet.udp.payload) == b"hello"
        assert (packet.linktype, packet.capture_len) == (linktype, captured_length)
        assert packet.wire_len == wire_length
        assert packet.seconds == made.EPOCH


@pytest.mark.parametrize("dlt", [113, 127])
def test_packets_whose_link_layer_has_a_header_before_it(dlt: int) -> None:
    """Linux cooked, and radiotap of eight bytes."""
    before = COOKED + IP if dlt == 113 else bytes.fromhex("0000 0800 00000000") + DATA_80211
    with server(sending(captured(dlt, before))) as uri, plt.trace(uri) as trace:
        packet = next(trace)
        assert bytes(packet.udp.payload) == b"hello"
        assert bytes(packet) == before


def test_a_packet_that_comes_in_parts() -> None:
    def serve(peer: socket.socket) -> None:
        started(peer)
        for one in (sent[:6], sent[6:30], sent[30:]):
            peer.sendall(one)
            time.sleep(0.05)
        until_it_goes(peer)

    sent = captured(1, FRAME)
    with server(serve) as uri, plt.trace(uri) as trace:
        assert bytes(next(trace)) == FRAME


def test_what_it_counts_and_how_it_waits() -> None:
    messages = [captured(1, FRAME)] * 3
    with server(sending(*messages)) as uri, plt.trace(uri) as trace:
        trace.conf_timeout(0.2)
        assert [bytes(next(trace)) for _ in range(3)] == [FRAME] * 3
        with pytest.raises(plt.LibtraceError, match=r"^timeout in trace read\(\)$"):
            next(trace)
        assert (trace.pkt_accepts(), trace.pkt_drops()) == (3, 0)


def test_a_filter() -> None:
    other = made.ethernet(made.ipv4(made.tcp(b""), made.TCP))
    messages = [captured(1, other), captured(1, FRAME), captured(1, other), captured(1, FRAME)]
    with server(sending(*messages)) as uri:
        trace = plt.trace(uri)
        trace.conf_filter(plt.filter("udp"))
        with trace:
            assert [bytes(next(trace)) for _ in range(2)] == [FRAME] * 2


@pytest.mark.parametrize("length", [20, 46, 47, 1000, 0])
def test_a_snap_length(length: int) -> None:
    with server(sending(captured(1, FRAME))) as uri:
        trace = plt.trace(uri)
        trace.conf_snaplen(length)
        with trace:
            packet = next(trace)
    assert bytes(packet) == FRAME[: length or 47]
    assert packet.wire_len == 51


@pytest.mark.parametrize("filter", [None, plt.filter("udp"), plt.where("udp")])
@pytest.mark.parametrize(
    "told",
    [message(STATUS, bytes(12)), message(METADATA, b"{}"), *(message(n) for n in WITHOUT_BODY)],
    ids=[STATUS, METADATA, *WITHOUT_BODY],
)
def test_messages_that_are_no_packets_are_passed(told: bytes, filter: plt.filter | None) -> None:
    sent = [told, captured(1, FRAME), told, told, captured(1, FRAME), told]
    with server(sending(*sent)) as uri, plt.trace(uri, filter=filter) as trace:
        assert [bytes(next(trace)) for _ in range(2)] == [FRAME] * 2
        trace.conf_timeout(0.2)
        with pytest.raises(plt.LibtraceError, match=r"^timeout in trace read\(\)$"):
            next(trace)
        assert trace.pkt_accepts() == 2


@pytest.mark.parametrize("count", [0, 3])
def test_the_end_of_a_server_s_data_is_the_end_of_the_trace(count: int) -> None:
    sent = [*[captured(1, FRAME)] * count, message(END)]
    with server(sending(*sent)) as uri, plt.trace(uri) as trace:
        trace.conf_timeout(pace.NEVER)
        assert [bytes(packet) for packet in trace] == [FRAME] * count
        assert next(trace, None) is None
    with server(sending(*sent)) as uri, plt.trace(uri) as trace:
        trace.conf_timeout(pace.NEVER)
        found = plt.columns(trace, ["capture_len"]).table()
    assert found["capture_len"].tolist() == [len(FRAME)] * count


def sending_messages_only(peer: socket.socket) -> None:
    started(peer)
    while True:
        peer.sendall(message(STATUS, bytes(12)))


def test_a_trace_ends_in_time_where_a_server_only_sends_messages() -> None:
    with server(sending_messages_only) as uri, plt.trace(uri, duration=0.2) as trace:
        assert list(trace) == []


def test_a_signal_comes_through_where_a_server_only_sends_messages() -> None:
    class Mine(Exception):
        pass

    def handler(*_: object) -> None:
        raise Mine

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with server(sending_messages_only) as uri, plt.trace(uri) as trace:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Mine):
                next(trace)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_promiscuous_mode_is_for_interfaces() -> None:
    def serve(peer: socket.socket) -> None:
        until_it_goes(peer)

    with server(serve) as uri:
        trace = plt.trace(uri)
        trace.conf_promisc(True)
        with pytest.raises(plt.LibtraceError, match=r"^Couldn't start trace: .*[Pp]romisc"):
            trace.start()
        socket.create_connection(("127.0.0.1", int(uri.rpartition(":")[2]))).close()
    with server(sending(captured(1, FRAME))) as uri:
        trace = plt.trace(uri)
        trace.start()
        assert bytes(next(trace)) == FRAME
        with pytest.raises(plt.LibtraceError, match=r"^Couldn't configure trace: .*[Pp]romisc"):
            trace.conf_promisc(True)
        assert repr(trace) == f"<plt.trace {uri!r}: paused, 1 packets read>"
        trace.close()


def test_a_message_that_is_not_known(capfd: pytest.CaptureFixture[str]) -> None:
    with server(sending(captured(1, FRAME), message(99))) as uri, plt.trace(uri) as trace:
        assert bytes(next(trace)) == FRAME
        for _ in range(2):
            with pytest.raises(
                plt.LibtraceError, match=r": libtrace says no more, after packet 1$"
            ):
                next(trace)
    ctypes.CDLL(None).fflush(None)
    assert "type for client receipt: 99" in capfd.readouterr().out  # libtrace prints it


def test_another_filter_connects_anew() -> None:
    """libtrace filters itself: what it has read with the one before is not read again."""
    other = made.ethernet(made.ipv4(made.tcp(b""), made.TCP))
    serve = sending(captured(1, other), captured(1, FRAME))
    with server(serve, clients=2) as uri, plt.trace(uri, filter="tcp") as trace:
        trace.conf_timeout(pace.NEVER)
        assert bytes(next(trace)) == other
        trace.conf_filter("udp")
        assert bytes(next(trace)) == FRAME


@pytest.mark.parametrize("reason", [1, 2, 3])
def test_a_server_that_denies_the_connection(reason: int) -> None:
    def serve(peer: socket.socket) -> None:
        peer.sendall(message(DENY, struct.pack("=I", reason)))

    with server(serve) as uri:
        trace = plt.trace(uri)
        with pytest.raises(plt.LibtraceError, match=f"^Couldn't start trace: {re.escape(uri)}: "):
            trace.start()
        trace.close()


def test_a_server_that_goes_away() -> None:
    """Packets that came before are read, then an error says that it ended there."""

    def serve(peer: socket.socket) -> None:
        started(peer)
        peer.sendall(captured(1, FRAME))

    with server(serve) as uri, plt.trace(uri) as trace:
        assert bytes(next(trace)) == FRAME
        with pytest.raises(plt.LibtraceError, match=rf"^{re.escape(uri)}: .*, after packet 1$"):
            next(trace)
