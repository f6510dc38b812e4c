"""Types that scripts for python-libtrace 1.7 make subclasses of."""

import gc
import re
import struct
import weakref
from pathlib import Path
from typing import Any

import packets
import pytest
from packets import EPOCH, Record

import ipp
import natkit
import pldns
import plt

#: RFC 1035 section 4.1: a response to "a. A IN" with one address, which points to the question.
QUESTION = b"\1a\0" + struct.pack(">HH", 1, 1)
ANSWER = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 7])
MESSAGE = struct.pack(">6H", 7, 0x8180, 1, 1, 0, 0) + QUESTION + ANSWER


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    frame = packets.ethernet(packets.ipv4(packets.udp(MESSAGE, ports=(53, 1024))))
    return packets.write(tmp_path / "dns.pcap", packets.pcap([Record(frame, EPOCH)]))


KEPT = re.compile("layout differs|mutable types")
TYPES = [value for value in vars(plt).values() if isinstance(value, type)]
LAYERS = [kind for kind in TYPES if issubclass(kind, plt.packet)]


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_an_object_stays_of_its_type(kind: type, trace_file: Path) -> None:
    """What it was made with is what its type's code relies on: nothing was read into some."""
    (packet,) = packets.read(trace_file)
    objects = [plt.packet(), packet, packet.layer2, packet.ip, packet.udp, packet.udp.payload]
    for obj in objects:
        if type(obj) is not kind:
            with pytest.raises(TypeError, match=KEPT):
                obj.__class__ = kind

    class Empty(plt.packet):
        __slots__ = ()

    class Other(kind):
        __slots__ = ()

    empty = Empty()
    if kind is not plt.packet:
        with pytest.raises(TypeError, match=KEPT):
            empty.__class__ = Other
        with pytest.raises(TypeError, match=KEPT):
            Empty.__bases__ = (kind,)
    assert empty.ip is None


def test_a_filter_stays_one() -> None:
    for obj, kind in ((plt.filter("tcp"), plt.where), (plt.where("tcp"), plt.filter)):
        with pytest.raises(TypeError, match=KEPT):
            obj.__class__ = kind


def test_a_subclass_with_an_init_of_its_own(trace_file: Path, tmp_path: Path) -> None:
    class Trace(plt.trace):
        def __init__(self, uri: Path, label: str) -> None:
            plt.trace.__init__(self, uri)
            self.label = label

    class Filter(plt.filter):
        __slots__ = ("why",)

        def __init__(self, bpf: str, why: str = "") -> None:
            super().__init__(bpf)
            self.why = why

    class Output(plt.output_trace):
        written = 0

        def __init__(self, uri: str, limit: int) -> None:
            super().__init__(uri)
            self.limit = limit

        def write_packet(self, packet: plt.packet) -> None:
            self.written += 1
            super().write_packet(packet)

    class Packet(plt.packet):
        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    class Message(pldns.ldns):
        def __init__(self, payload: Any, server: str) -> None:
            super().__init__(payload)
            self.server = server

    class Flow(natkit.IPflow):
        def __init__(self, packet: plt.packet) -> None:
            natkit.IPflow.__init__(self, packet)
            self.octets = packet.wire_len

    class Prefix(ipp.IPprefix):
        def __init__(self, version: int, addr: bytes, length: int | None = None) -> None:
            ipp.IPprefix.__init__(self, version, addr, length)
            self.seen = 0

    trace = Trace(trace_file, "edge")
    trace.conf_filter(Filter("udp port 53", why="dns"))
    assert Filter(bpf="ip", why="x").why == "x"
    output = Output(f"pcapfile:{tmp_path / 'out.pcap'}", 10)
    packet = Packet(3)
    with trace, output:
        assert trace.read_packet(packet)
        assert packet.apply_filter(Filter("udp src port 53"))
        output.write_packet(packet)
        message = Message(packet.udp_payload, "192.0.2.1")
        assert (message.server, message.ident) == ("192.0.2.1", 7)
        assert [rr.rdata for rr in message.response_rr_list] == ["192.0.2.7"]
        assert Flow(packet).octets == len(bytes(packet)) + 4
        assert Flow(packet).src_port == 53
    assert (trace.label, packet.place, output.written, output.limit) == ("edge", 3, 1, 10)
    assert (tmp_path / "out.pcap").read_bytes() == trace_file.read_bytes()
    assert str(Prefix(4, bytes([192, 0, 2]), 24)) == "192.0.2.0/24"


@pytest.mark.parametrize("kind", ["filter", "output_trace", "ldns", "trace", "packet"])
def test_subclasses_are_collected(kind: str, tmp_path: Path) -> None:
    made = {
        "filter": (plt.filter, ("ip",)),
        "output_trace": (plt.output_trace, (f"pcapfile:{tmp_path / 'x'}",)),
        "ldns": (pldns.ldns, (MESSAGE,)),
        "trace": (plt.trace, ("x",)),
        "packet": (plt.packet, ()),
    }
    base, arguments = made[kind]
    subclass = type("Sub", (base,), {})
    thing = subclass(*arguments)
    thing.itself = thing
    thing.made_by = subclass
    found = weakref.ref(thing), weakref.ref(subclass)
    del thing, subclass
    gc.collect()
    assert [ref() for ref in found] == [None, None]


def test_the_records_of_a_message_of_a_subclass_keep_it() -> None:
    class Message(pldns.ldns):
        pass

    message = Message(MESSAGE)
    alive = weakref.ref(message)
    record = message.response_rr_list[0]
    del message
    gc.collect()
    assert alive() is not None
    assert str(record).split() == ["a.", "60", "IN", "A", "192.0.2.7"]
    del record
    gc.collect()
    assert alive() is None


def test_a_record_is_made_by_a_message_only() -> None:
    class Record_(pldns.ldnsrr):
        pass

    for make in (Record_, pldns.ldnsrr, lambda: object.__new__(Record_)):
        with pytest.raises(TypeError):
            make()
    assert not isinstance(pldns.ldns(MESSAGE).response_rr_list[0], Record_)


def test_wrong_arguments_stay_wrong() -> None:
    for wrong in (
        lambda: plt.filter("ip", 1),
        lambda: plt.filter(1),
        lambda: plt.trace(),
        lambda: plt.trace("a", "b"),
        lambda: plt.packet(1),
        lambda: pldns.ldns(),
        lambda: type("Sub", (plt.trace,), {})("a", "b"),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_an_empty_packet_has_no_layers() -> None:
    packet = plt.packet()
    for name in [
        "layer2",
        "layer3",
        "transport",
        "ip",
        "ip6",
        "tcp",
        "udp",
        "sctp",
        "icmp",
        "icmp6",
        "tcp_payload",
        "udp_payload",
    ]:
        assert getattr(packet, name) is None
    assert packet
    for name in ("data", "time", "wire_len"):
        with pytest.raises(ValueError, match="nothing was read into this packet"):
            getattr(packet, name)


def test_lzo_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    for uri in (f"pcapfile:{tmp_path / 'a'}", f"erf:{tmp_path / 'b'}"):
        output = plt.output_trace(uri)
        with pytest.raises(plt.LibtraceError, match="plain or with zlib or bzip2, not with LZO"):
            output.conf_compress_type(plt.LZO_COMPRESSION)
        output.conf_compress_type(plt.ZLIB_COMPRESSION)


def test_pcap_of_an_interface_names_pcapint() -> None:
    with pytest.raises(plt.LibtraceError, match=r"no file of that name; .* pcapint:no-such-file$"):
        plt.trace("pcap:no-such-file").start()


def test_an_init_that_makes_the_argument_itself(trace_file: Path, tmp_path: Path) -> None:
    class Port(plt.filter):
        def __init__(self, port: int) -> None:
            plt.filter.__init__(self, f"udp port {port}")

    class Edge(plt.trace):
        def __init__(self) -> None:
            super().__init__(uri=trace_file)

    class Numbered(plt.output_trace):
        def __init__(self, number: int) -> None:
            plt.output_trace.__init__(self, f"pcapfile:{tmp_path}/{number}.pcap")

    class Answer(pldns.ldns):
        def __init__(self, packet: plt.packet) -> None:
            pldns.ldns.__init__(self, packet.udp_payload)

    trace, output = Edge(), Numbered(3)
    with trace, output:
        [packet] = trace
        assert [packet.apply_filter(Port(n)) for n in (53, 54)] == [True, False]
        assert Port(53).expression == "udp port 53"
        output.write_packet(packet)
        assert Answer(packet).ident == 7
    assert (tmp_path / "3.pcap").read_bytes() == trace_file.read_bytes()
    # what was made stays: traces have filters, and records have messages
    for thing, other in ((trace, "x"), (output, "pcapfile:x"), (Answer(packet), packet)):
        before = repr(thing)
        type(thing).__mro__[1].__init__(thing, getattr(other, "udp_payload", other))
        assert repr(thing) == before


def test_an_init_that_does_not_call_the_type_s(trace_file: Path) -> None:
    def without_init(base: type) -> Any:
        return type("Sub", (base,), {"__init__": lambda _: None})()

    with pytest.raises(plt.LibtraceError, match="it names no file"):
        without_init(plt.trace).start()
    output = without_init(plt.output_trace)
    with pytest.raises(plt.LibtraceError, match="OutputTrace is closed"):
        output.start_output()
    output.close_output()
    message = without_init(pldns.ldns)
    assert not message.is_ok()
    with pytest.raises(ValueError, match="no response_rr_list: the DNS message is not ok"):
        _ = message.response_rr_list
    filter_ = without_init(plt.filter)
    assert repr(filter_) == "plt.filter()"
    with plt.trace(trace_file) as trace:
        packet = next(trace)
        for use in (
            lambda: trace.conf_filter(filter_),
            lambda: packet.apply_filter(filter_),
            lambda: filter_.expression,
            lambda: plt.columns(trace_file, ["time"], filter=filter_),
        ):
            with pytest.raises(ValueError, match=r"filter\.__init__\(\) was not called"):
                list(use() or ())
