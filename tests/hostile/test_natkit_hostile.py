"""natkit and bad input: an answer or a named exception, nothing printed, nothing lost."""

import contextlib
import gc
import ipaddress
import re
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pace
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipp
import natkit
import plt
from ipp import from_s
from natkit import FlowHome, IPflow

HOME = FlowHome(from_s("192.0.2.0/24"), from_s("2001:db8:1::/64"))
SRC4, DST4 = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])
SRC6, DST6 = (ipaddress.ip_address(a).packed for a in ("2001:db8:1::1", "2001:db8:ff::2"))
PORTS = struct.pack(">HH", 1025, 53)
UDP = PORTS + bytes([0, 12, 0, 0]) + b"data"
IP4 = bytes([0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0]) + SRC4 + DST4 + UDP
FRAGMENT = bytes([17, 0, 0, 1, 0, 0, 0, 9])
IP6 = bytes([0x60, 0, 0, 0, 0, 20, 44, 64]) + SRC6 + DST6 + FRAGMENT + UDP
ATTRIBUTES = [
    *("version", "proto", "src_port", "dst_port", "src_prefix", "dst_prefix"),
    *("fwd_key", "rev_key", "home_key", "src_in_home", "dst_in_home", "is_inward"),
]


def exercise(obj: object) -> IPflow | None:
    """Ask all of an object's flow; None where it has none."""
    try:
        flow = IPflow(obj)
    except ValueError as error:
        message = str(error)
    else:
        message = ""
    if message:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            HOME.flow(obj)
        return None
    at_home = HOME.flow(obj)
    if not flow:
        assert str(at_home) == str(flow)
        for name in ATTRIBUTES:
            with pytest.raises(ValueError, match=f"^{re.escape(str(flow))}$"):
                getattr(at_home, name)
        return None
    for one in (flow, at_home):
        values = [getattr(one, name) for name in ATTRIBUTES]
        assert len(values[6]) == len(values[7]) == (14 if flow.version == 4 else 38)
        assert values[6][:2] == values[7][:2]
        assert repr(one)
        hash(one)
    assert flow == at_home
    assert at_home.home_key in (flow.fwd_key, flow.rev_key)
    return flow


def trace_of(path: Path, frames: list[bytes]) -> list[plt.packet]:
    """Packets of a pcap file of Ethernet frames, each captured only so far."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            out.write(struct.pack("<IIII", 0, 0, len(frame), 1500) + frame)
    with plt.trace(str(path)) as trace:
        return list(trace)


@pytest.mark.parametrize(
    ("make", "data", "src", "ports"), [(plt.ip, IP4, 12, 20), (plt.ip6, IP6, 8, 48)]
)
def test_cut_at_every_byte(make, data, src, ports):
    size = (ports - src) // 2 if make is plt.ip else 16
    for cut in range(len(data) + 1):
        packet = make(data[:cut])
        flow = exercise(packet)
        if cut < src + 2 * size:
            assert flow is None
            end = "src" if cut < src + size else "dst"
            if not cut:
                assert str(IPflow(packet)) == "not an IP packet: ethertype 0x0000"
                continue
            with pytest.raises(ValueError, match=f"short for {end}_prefix"):
                IPflow(packet)
            continue
        addresses = data[src : src + 2 * size]
        assert flow.fwd_key[6:] == addresses
        # both ports or none
        assert flow.fwd_key[2:6] == (PORTS if cut >= ports + 4 else bytes(4))


def test_cut_at_every_byte_in_a_trace(tmp_path):
    for ethertype, data in ((b"\x08\0", IP4), (b"\x86\xdd", IP6)):
        whole = bytes(12) + ethertype + data
        frames = [whole[:cut] for cut in range(1, len(whole) + 1)]
        packets = trace_of(tmp_path / "cut.pcap", frames)
        flows = [exercise(packet) for packet in packets]
        least = 14 + (20 if data is IP4 else 40)
        assert [flow is not None for flow in flows] == [len(frame) >= least for frame in frames]
        for packet in packets:
            for layer in (packet.layer2, packet.layer3, packet.transport, packet.ip, packet.ip6):
                if layer is not None:
                    exercise(layer)


def test_wrong_lengths():
    for length in (0, 1, 19, 20, 21, 23, 24, 65535):
        data = IP4[:2] + length.to_bytes(2, "big") + IP4[4:]
        # 0 is no length, what was captured counts; after one below the header's nothing follows
        ports = PORTS if length == 0 or length >= 24 else bytes(4)
        assert exercise(plt.ip(data)).fwd_key[2:6] == ports
    for words in range(16):
        data = bytes([0x40 | words]) + IP4[1:]
        ports = data[words * 4 : words * 4 + 4] if 5 <= words <= 7 else bytes(4)
        assert exercise(plt.ip(data)).fwd_key[2:6] == ports
    for length in (0, 1, 8, 11, 12, 65535):
        data = IP6[:4] + length.to_bytes(2, "big") + IP6[6:]
        assert exercise(plt.ip6(data)).fwd_key[2:6] == (bytes(4) if 1 <= length < 12 else PORTS)


def test_chains_of_extension_headers():
    for size in (0, 1, 255):
        chain = bytes([0, size, 1, 4, 0, 0, 0, 0]) * 200
        head = bytes([0x60, 0, 0, 0]) + len(chain).to_bytes(2, "big") + b"\0\x40" + SRC6 + DST6
        flow = exercise(plt.ip6(head + chain))
        assert (flow.proto, flow.src_port, flow.dst_port) == (0, 0, 0)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=120))
def test_random_bytes(data):
    for make in (plt.ip, plt.ip6, plt.tcp, plt.udp, plt.icmp, plt.icmp6, plt.sctp):
        exercise(make(data))
    for key in (data, data[:14], data[:38], b"\4" + data[:13], b"\6" + data[:37]):
        try:
            flow = IPflow.from_key(key)
        except ValueError:
            continue
        assert flow.fwd_key == key


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([IP4, IP6]),
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 255)), max_size=6),
)
def test_mutations(data, changes):
    wire = bytearray(data)
    for offset, value in changes:
        wire[offset % len(wire)] = value
    exercise((plt.ip if data is IP4 else plt.ip6)(wire))


def test_objects_that_are_not_made():
    with pytest.raises(TypeError):
        IPflow.__new__(IPflow)
    with pytest.raises(TypeError):
        FlowHome.__new__(FlowHome)
    for cls in (IPflow, FlowHome):
        with pytest.raises(TypeError):
            cls.__new__(object)
        with pytest.raises(TypeError):
            object.__new__(cls)
        with pytest.raises(TypeError):
            cls.note = 1


def test_a_subclass_of_ipprefix_is_a_prefix():
    class Odd(ipp.IPprefix):
        """One whose attributes are wrong; its value counts."""

        length = 0
        version = 99

    home = FlowHome(Odd(4, SRC4, 32))
    assert [str(prefix) for prefix in home.prefixes] == ["192.0.2.1/32"]


def test_an_index_that_changes_the_bytes():
    ba = bytearray(b"abcdefgh")

    class Shrinks:
        def __index__(self):
            ba.clear()
            return 2

    assert natkit.ba_get_short(ba, Shrinks()) is None
    with pytest.raises(ZeroDivisionError):
        natkit.seq_add(1, type("Bad", (), {"__index__": lambda self: 1 // 0})())  # noqa: ARG005


def test_many_prefixes_are_found_fast():
    nets = [ipp.IPprefix(4, bytes([10, i >> 8, i & 255]), 24) for i in range(0, 65536, 2)]
    nets += [ipp.IPprefix(6, b"\x20\1" + i.to_bytes(4, "big"), 48) for i in range(0, 65536, 2)]
    packets = [
        plt.ip(IP4[:12] + bytes([10, i % 256, i % 7, 1]) + DST4 + UDP) for i in range(20_000)
    ]
    began = time.process_time()
    home = FlowHome(*nets)
    flows = [home.flow(packet) for packet in packets]
    assert pace.turns(time.process_time() - began) < 100
    assert [flow.src_in_home for flow in flows] == [(i % 7) % 2 == 0 for i in range(20_000)]
    assert len(home.prefixes) == len(nets)


def test_packets_read_into_while_flows_are_made(tmp_path):
    frames = [bytes(12) + b"\x08\0" + IP4[:12] + bytes([10, 0, 0, i]) + DST4 for i in range(200)]
    trace_of(tmp_path / "many.pcap", frames)
    trace = plt.trace(str(tmp_path / "many.pcap"))
    trace.start()
    packet = plt.packet()
    flows = []
    while trace.read_packet(packet):
        flows.append(IPflow(packet))
    trace.close()
    del trace, packet
    gc.collect()
    assert [flow.src_prefix.addr[3] for flow in flows] == list(range(200))


def test_threads_share_a_home():
    packet = plt.ip(IP4)
    wrong = []

    def work() -> None:
        for _ in range(3000):
            flow = HOME.flow(packet)
            if flow.home_key != flow.rev_key or hash(flow) != hash(flow.fwd_key):
                wrong.append(flow)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_objects_that_live_until_the_interpreter_ends():
    program = f"""
import builtins, ipp, natkit, plt, sys
packet = plt.ip({IP4!r})
home = natkit.FlowHome(ipp.from_s("192.0.2.0/24"))
class Last:
    def __init__(self):
        self.flow, self.home, self.packet = home.flow(packet), home, packet
    def __del__(self):
        assert self.flow.src_port == 1025
        for ask in (lambda: self.home.flow(self.packet), lambda: self.flow.src_prefix):
            try:
                ask()
            except (RuntimeError, ValueError):
                pass
builtins.last = Last()
builtins.cycle = [Last()]
builtins.cycle.append(builtins.cycle)
for name in ("natkit", "natkit._natkit", "plt", "plt._plt", "ipp", "ipp._ipp"):
    del sys.modules[name]
del natkit, plt, ipp
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_nothing_is_printed(capfd):
    for cut in range(len(IP4)):
        exercise(plt.ip(IP4[:cut]))
    for cut in range(len(IP6)):
        exercise(plt.ip6(IP6[:cut]))
    assert capfd.readouterr() == ("", "")


def test_nothing_leaks():
    good, cut, other = plt.ip(IP4), plt.ip(IP4[:15]), plt.tcp(UDP)
    prefixes = [from_s(f"10.{i}.0.0/16") for i in range(20)]

    def turn() -> None:
        for obj in (good, cut, other, None):
            for make in (IPflow, HOME.flow):
                with contextlib.suppress(ValueError):
                    flow = make(obj)
                    for name in ATTRIBUTES:
                        getattr(flow, name)
                    repr(flow)
                    hash(flow)
        for args in (prefixes, [*prefixes, None], [*prefixes, from_s("::1")]):
            with contextlib.suppress(TypeError, ValueError):
                FlowHome(*args).__reduce__()
        IPflow.from_key(IPflow(good).fwd_key).__reduce__()
        natkit.ba_get_long(bytearray(1000), 4)

    tracemalloc.start()
    try:
        for _ in range(50):
            turn()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(1000):
            turn()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 1000 turns: an object lost in each would be 32 kB at least
    assert after - before < 10_000


@pytest.mark.parametrize("name", ["IPflow", "FlowHome"])
def test_types_lose_no_references(name):
    cls = getattr(natkit, name)
    make = (lambda: IPflow(plt.ip(IP4))) if name == "IPflow" else (lambda: FlowHome(*HOME.prefixes))
    before = sys.getrefcount(cls)
    for _ in range(100):
        make()
        with pytest.raises((TypeError, ValueError)):
            cls(None)
    assert sys.getrefcount(cls) == before
