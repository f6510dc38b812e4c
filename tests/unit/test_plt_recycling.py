"""Memory of packets and layers is used again: what a script holds never shows it."""

import gc
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import packets
import pytest
from packets import EPOCH, Record

import natkit
import plt

#: More than there are places for the memory of objects that are no more.
COUNT = 40


def port(i: int) -> int:
    """The source port of packet i: all have the same lowest byte."""
    return 256 * i + 7


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """UDP packets, each with a port, a length and a source address of its own."""
    records = [
        Record(
            packets.ethernet(
                packets.ipv4(packets.udp(bytes([i]) * i, ports=(port(i), 53)), src=source(i))
            ),
            EPOCH + i,
        )
        for i in range(1, COUNT + 1)
    ]
    return packets.write(tmp_path / "t.pcap", packets.pcap(records))


def opened(path: Path) -> plt.trace:
    trace = plt.trace(path)
    trace.start()
    return trace


def touch(packet: plt.packet) -> None:
    """Make and drop objects of several types."""
    assert packet.udp.dst_port == packet.ip.udp.dst_port == 53
    assert packet.layer2.kind == packet.layer3.kind == packet.udp.payload.kind == "packet"
    assert packet.ip.src_prefix.version == 4
    assert natkit.IPflow(packet).dst_port == 53


def go_on(trace: plt.trace) -> int:
    """Read the rest of a trace as a script does; the number of packets."""
    number = 0
    for packet in trace:
        touch(packet)
        number += 1
    return number


Held = tuple[Callable[[plt.packet], Any], Callable[[Any], Any], Callable[[int], Any]]


def source(i: int) -> str:
    return f"192.0.2.{i}"


#: What to take of a packet, what to look at in it, and what that is for packet i.
HELD: dict[str, Held] = {
    "packet": (lambda packet: packet, lambda packet: packet.udp.src_port, port),
    "layer": (lambda packet: packet.udp, lambda udp: udp.src_port, port),
    "its time": (lambda packet: packet.udp, lambda udp: udp.seconds, lambda i: EPOCH + i),
    "layer of a layer": (lambda packet: packet.ip.udp, lambda udp: udp.src_port, port),
    "Data": (lambda packet: packet.udp.payload, bytes, lambda i: bytes([i]) * i),
    "Layer2": (lambda packet: packet.layer2, len, lambda i: 42 + i),
    "copy": (lambda packet: packet.udp.__copy__(), lambda udp: udp.src_port, port),
    "port": (lambda packet: packet.udp.src_port, int, port),
    "prefix": (lambda packet: packet.ip.src_prefix, str, source),
    "flow": (natkit.IPflow, lambda flow: str(flow.src_prefix), source),
}


@pytest.mark.parametrize("kind", HELD)
@pytest.mark.parametrize("every", [1, 2, 3, 20])
def test_what_is_held_stays(kind: str, every: int, path: Path) -> None:
    take, look, expected = HELD[kind]
    held = []
    for i, packet in enumerate(opened(path), 1):
        touch(packet)
        if i % every == 0:
            held.append((i, take(packet)))
        touch(packet)
        for number, thing in held:
            assert look(thing) == expected(number)
    assert len({id(thing) for _, thing in held}) == len(held) == COUNT // every


@pytest.mark.parametrize("kind", [kind for kind in HELD if kind != "port"])
def test_what_a_closure_holds_stays(kind: str, path: Path) -> None:
    take, look, expected = HELD[kind]

    def closed_over(thing: Any) -> Callable[[], Any]:
        return lambda: look(thing)

    trace = opened(path)
    calls = [closed_over(take(packet)) for packet, _ in zip(trace, range(5), strict=False)]
    go_on(trace)
    assert [call() for call in calls] == [expected(i) for i in range(1, 6)]


def test_what_a_traceback_holds_stays(path: Path) -> None:
    def fail(packet: plt.packet) -> None:
        udp = packet.udp
        raise ValueError(udp.len)

    trace = opened(path)
    with pytest.raises(ValueError, match=r"^9$") as caught:
        fail(next(trace))
    assert go_on(trace) == COUNT - 1
    names = caught.tb.tb_next.tb_frame.f_locals
    assert names["udp"].src_port == names["packet"].udp.src_port == port(1)


def test_what_a_suspended_generator_holds_stays(path: Path) -> None:
    def ports(trace: plt.trace) -> Iterator[int]:
        for packet in trace:
            udp = packet.udp
            yield udp.src_port
            yield udp.src_port + packet.udp.len

    trace = opened(path)
    first, second = ports(trace), ports(trace)
    assert next(first) == port(1)
    assert next(second) == port(2)
    assert go_on(trace) == COUNT - 2
    assert next(first) == port(1) + 9
    assert next(second) == port(2) + 10
    assert list(first) == list(second) == []


def test_two_traces_in_turns(path: Path) -> None:
    first, second = opened(path), opened(path)
    assert go_on(opened(path)) == COUNT
    next(second)
    for i, (one, other) in enumerate(zip(first, second, strict=False), 1):
        udp, later = one.udp, other.udp
        assert (udp.src_port, later.src_port) == (port(i), port(i + 1))
        assert (one.udp is udp, one.udp.len, other.udp.len) == (False, 8 + i, 9 + i)


def test_a_trace_is_closed_in_its_loop(path: Path) -> None:
    trace = opened(path)
    packet = next(trace)
    for packet in trace:
        udp = packet.udp
        trace.close()
        break
    del trace
    assert go_on(opened(path)) == COUNT
    assert udp.src_port == packet.udp.src_port == port(2)


def test_threads(path: Path) -> None:
    found: list[list[int]] = []

    def work() -> None:
        found.append([packet.udp.src_port for _ in range(5) for packet in opened(path)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert found == [[port(i) for i in range(1, COUNT + 1)] * 5] * 4


def test_the_collector_sees_the_holders_alone(path: Path) -> None:
    trace = opened(path)
    held = [next(trace).udp]
    dropped = next(trace).udp
    del dropped
    gc.collect()
    found = [thing for thing in gc.get_referrers(held[0]) if thing is not sys._getframe()]
    assert len(found) == 1
    assert found[0] is held
    assert not any(isinstance(thing, plt.packet) for thing in gc.get_objects())


def test_references_to_types_are_counted(path: Path) -> None:
    kinds = [plt.packet, plt.udp, plt.ip, plt.Data, plt.Layer2, natkit.IPflow]
    go_on(opened(path))
    before = [sys.getrefcount(kind) for kind in kinds]
    for _ in range(3):
        go_on(opened(path))
    assert [sys.getrefcount(kind) for kind in kinds] == before


# --- Types that scripts make, or change --------------------------------------------------------


class Udp(plt.udp):
    """A layer type with an attribute of its own, and one in place of another."""

    __slots__ = ("__weakref__", "note")

    @property
    def len(self) -> str:
        return "mine"


class Open(plt.udp):
    def __getattr__(self, name: str) -> str:
        return f"no {name}"


class Closed(plt.udp):
    def __getattribute__(self, name: str) -> str:
        return f"any {name}"


def test_objects_of_a_subclass_are_as_new(path: Path) -> None:
    trace = opened(path)
    seen = []
    for i, packet in enumerate(trace, 1):
        udp = Udp(packet)
        assert type(udp) is Udp
        assert not hasattr(udp, "note")
        udp.note = i
        alive = weakref.ref(udp, seen.append)
        assert alive() is udp
        assert (udp.src_port, udp.len, packet.udp.len) == (port(i), "mine", 8 + i)
        assert type(packet.udp) is plt.udp
        del udp
        assert alive() is None
    assert len(seen) == COUNT


def test_layers_have_no_weak_references_nor_attributes_of_their_own(path: Path) -> None:
    udp = next(opened(path)).udp
    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(udp)
    with pytest.raises(AttributeError):
        udp.note = 1
    for name in ("note", "__dict__", "srcport"):
        with pytest.raises(AttributeError) as caught:
            getattr(udp, name)
        assert caught.value.args == (f"'plt.udp' object has no attribute '{name}'",)
        assert (caught.value.name, caught.value.obj) == (name, udp)
    assert getattr(udp, "no" + "te", None) is None


def test_attributes_by_getattr_and_getattribute_of_a_subclass(path: Path) -> None:
    packet = next(opened(path))
    for _ in range(2):
        assert (Open(packet).src_port, Open(packet).note) == (port(1), "no note")
        assert (Closed(packet).src_port, Closed(packet).note) == ("any src_port", "any note")
        assert plt.udp.src_port.__get__(Closed(packet)) == port(1)
    opens = Open(packet)
    opens.__dict__["src_port"] = 1  # a data descriptor goes before
    opens.__dict__["other"] = 2
    assert (opens.src_port, opens.other) == (port(1), 2)


def test_a_subclass_that_a_script_changes(path: Path) -> None:
    """An attribute is looked up anew after each change of its type or of a base."""
    packet = next(opened(path))

    class Below(Open):
        pass

    subclassed, below = Open(packet), Below(packet)

    def found() -> tuple[Any, Any, Any]:
        return subclassed.src_port, below.src_port, subclassed.wire_len

    before = found()
    assert before == (port(1), port(1), 47)
    try:
        Open.src_port = property(lambda self: -self.dst_port)
        assert found() == (-53, -53, 47)
        Open.src_port = 5
        assert found() == (5, 5, 47)
        Open.wire_len = plt.udp.dst_port
        assert found() == (5, 5, 53)
        Below.src_port = plt.udp.len
        assert found() == (5, 9, 53)
        assert packet.udp.src_port == port(1)
    finally:
        del Open.src_port
        if "wire_len" in Open.__dict__:
            del Open.wire_len
    assert found() == (port(1), 9, 47)


def test_a_finalizer_that_a_script_adds_to_a_subclass(path: Path) -> None:
    dropped: list[int] = []
    packet = next(opened(path))
    Udp.__del__ = lambda self: dropped.append(self.src_port)
    try:
        assert packet.udp.len == 9
        assert dropped == []
        held, sub = Udp(packet), Udp(packet)
        del sub
        assert dropped == [port(1)]
        del held
        assert dropped == [port(1)] * 2
    finally:
        del Udp.__del__
    assert Udp(packet).len == "mine"
    assert dropped == [port(1)] * 2


def test_a_finalizer_that_keeps_its_object(path: Path) -> None:
    """The object lives on (PEP 442), and goes when it is let go of again."""
    kept: list[plt.udp] = []
    trace = opened(path)
    packet = next(trace)
    sub = Udp(packet)
    Udp.__del__ = lambda self: kept.append(self)
    try:
        del sub
        assert [udp.src_port for udp in kept] == [port(1)]
    finally:
        del Udp.__del__
    assert go_on(trace) == COUNT - 1
    [udp] = kept
    assert (udp.src_port, bytes(udp.payload)) == (port(1), bytes([1]))
    kept.clear()
    other = Udp(packet)
    assert sys.getrefcount(udp) == sys.getrefcount(other)  # of which a name is all that there is


def test_all_attributes_of_all_layers(path: Path) -> None:
    """There are more names than are remembered: each is what its descriptor gives."""

    def outcome(get: Callable[..., Any], *args: Any) -> str:
        try:
            value = get(*args)
        except ValueError as error:
            return str(error)
        return str(bytes(value) if isinstance(value, plt.packet) else value)

    packet = next(opened(path))
    layers = [packet, packet.layer2, packet.layer3, packet.transport, packet.ip, packet.udp]
    layers += [plt.tcp(b"\x45" * 40), plt.icmp(b"\x08" * 40), plt.icmp6(b"\x87" * 40)]
    layers += [plt.sctp(b"\1" * 40), plt.ip6(b"\x60" * 60), packet.udp.payload]
    compared = 0
    for layer in layers * 2:
        for name in dir(type(layer)):
            descriptor = getattr(type(layer), name)
            if isinstance(descriptor, types.GetSetDescriptorType) and not name.startswith("__"):
                assert outcome(getattr, layer, name) == outcome(descriptor.__get__, layer), name
                compared += 1
    assert compared > 2 * 256


def test_an_empty_packet_has_attributes_too() -> None:
    packet = plt.packet()
    for _ in range(2):
        assert packet.udp is None
        with pytest.raises(ValueError, match="nothing was read into this packet"):
            _ = packet.wire_len
        with pytest.raises(AttributeError, match="has no attribute 'note'"):
            _ = packet.note


# --- Flows --------------------------------------------------------------------------------------


def test_hashes_are_those_of_keys(path: Path) -> None:
    sizes: dict[natkit.IPflow, int] = {}
    for _ in range(2):
        for packet in opened(path):
            flow = natkit.IPflow(packet)
            sizes[flow] = sizes.get(flow, 0) + packet.udp.len
            again = natkit.IPflow.from_key(flow.fwd_key)
            assert hash(again) == hash(flow) == hash(natkit.IPflow(packet))
    assert sorted(sizes.values()) == [2 * (8 + i) for i in range(1, COUNT + 1)]


def test_a_flow_of_a_subclass_is_hashed_as_others_are(path: Path) -> None:
    class Flow(natkit.IPflow):
        pass

    packet = next(opened(path))
    flow, other = Flow(packet), natkit.IPflow(packet)
    assert (flow == other, other == flow, hash(flow) == hash(other)) == (True, True, True)
    assert {flow: 1}[other] == 1


# --- Memory that is given back ------------------------------------------------------------------


@pytest.mark.parametrize("small", [0, 1, 60])
def test_a_small_packet_after_large_ones_is_kept(small: int, tmp_path: Path) -> None:
    """It was read into memory of the large one before, of which it needs little."""
    frames = [bytes([i]) * (9000 if i < 3 else small) for i in range(9)]
    path = packets.write(tmp_path / "t.pcap", packets.pcap(frames))
    kept = [packet for packet in opened(path) if packet.capture_len == small]
    assert [bytes(packet) for packet in kept] == frames[3:]


def test_a_packet_is_read_into_the_inner_one_of_a_tunnel(tmp_path: Path) -> None:
    """It is a packet of its own then; the outer one, and what else was got from it, stay."""
    inner = packets.ipv4(packets.udp(b"inner", ports=(7, 8)))
    frames = [packets.ethernet(packets.ipv4(inner, 4)), packets.ethernet(inner)]
    trace = opened(packets.write(tmp_path / "t.pcap", packets.pcap(frames)))
    outer = next(trace)
    packet, other = outer.inner, outer.inner
    assert bytes(packet) == bytes(other) == inner
    assert trace.read_packet(packet) is True
    assert bytes(packet) == frames[1]
    assert (bytes(outer), bytes(other)) == (frames[0], inner)
    assert packet.inner is None


def test_a_name_that_is_made_while_the_program_runs(path: Path) -> None:
    """Only names of a program's text are remembered."""
    packet = next(opened(path))
    for _ in range(3):
        assert getattr(packet.udp, "".join(["src", "_port"])) == port(1)
        with pytest.raises(AttributeError):
            getattr(packet.udp, "".join(["no", "_port"]))
