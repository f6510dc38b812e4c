"""plt.trace: starting, reading, pausing, closing, configuring; what stays of what was read."""

import gc
import importlib
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import packets
import present
import pytest
from packets import EPOCH, Record

import natkit
import plt
from ipp import from_s


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Five UDP packets with ports 1 to 5, a second apart."""
    records = [
        Record(packets.ethernet(packets.ipv4(packets.udp(b"x" * i, ports=(i, 53)))), EPOCH + i)
        for i in range(1, 6)
    ]
    return packets.write(tmp_path / "five.pcap", packets.pcap(records))


def ports(found: list[plt.packet]) -> list[int]:
    return [packet.udp.src_port for packet in found]


def test_iterating(five: Path) -> None:
    trace = plt.trace(five)
    trace.start()
    assert iter(trace) is trace
    assert ports([next(trace), next(trace)]) == [1, 2]
    assert ports(list(trace)) == [3, 4, 5]
    assert list(trace) == []
    with pytest.raises(StopIteration):
        next(trace)
    assert trace.pkt_accepts() == 5
    assert trace.pkt_drops() == 0
    trace.close()
    assert trace.pkt_accepts() == 5


def test_read_packet(five: Path) -> None:
    packet = plt.packet()
    seen = []
    with plt.trace(five) as trace:
        while trace.read_packet(packet):
            seen.append(packet.udp.src_port)
        assert trace.read_packet(packet) is False
    assert seen == [1, 2, 3, 4, 5]
    assert packet.udp.src_port == 5  # what was read last stays


def test_read_packet_takes_a_packet(five: Path) -> None:
    with plt.trace(five) as trace:
        first = next(trace)
        for wrong in (None, b"", first.ip, first.layer2, plt.ip(b""), object()):
            with pytest.raises(TypeError, match=r"read_packet\(\) takes a plt.packet"):
                trace.read_packet(wrong)
        assert trace.read_packet(first) is True
        assert first.udp.src_port == 2


def test_layers_keep_what_they_were_got_from(five: Path) -> None:
    packet = plt.packet()
    with plt.trace(five) as trace:
        held = []
        while trace.read_packet(packet):
            held.append((packet.udp, packet.ip, packet.udp.payload, memoryview(packet)))
    assert [udp.src_port for udp, *_ in held] == [1, 2, 3, 4, 5]
    for i, (udp, ip, payload, view) in enumerate(held, 1):
        assert (udp.len, ip.pkt_len, len(payload), len(view)) == (8 + i, 28 + i, i, 42 + i)
        assert view[34:36] == i.to_bytes(2, "big")
        assert udp.ts_sec == EPOCH + i


def test_packets_stay_what_they_are(five: Path) -> None:
    trace = plt.trace(five)
    trace.start()
    kept = list(trace)
    layers = [packet.ip for packet in kept]
    del trace
    gc.collect()
    assert len({id(packet) for packet in kept}) == 5
    assert ports(kept) == [1, 2, 3, 4, 5]
    assert [layer.udp.src_port for layer in layers] == [1, 2, 3, 4, 5]


def test_every_other_packet_may_be_kept(five: Path) -> None:
    with plt.trace(five) as trace:
        kept = [packet for i, packet in enumerate(trace) if i % 2 == 0]
    assert ports(kept) == [1, 3, 5]


def test_layers_outlive_packet_and_trace(five: Path) -> None:
    with plt.trace(five) as trace:
        payloads = [packet.udp.payload for packet in trace]
    del trace
    gc.collect()
    assert [bytes(payload) for payload in payloads] == [b"x" * i for i in range(1, 6)]
    assert [payload.seconds for payload in payloads] == [EPOCH + i for i in range(1, 6)]
    assert str(payloads[0].ip.src_prefix) == packets.V4[0]


def test_a_memoryview_pins_its_packet(five: Path) -> None:
    with plt.trace(five) as trace:
        views = [memoryview(packet)[34:36] for packet in trace]
    assert [int.from_bytes(view, "big") for view in views] == [1, 2, 3, 4, 5]
    packet = plt.packet()
    with plt.trace(five) as trace:
        trace.read_packet(packet)
        view = memoryview(packet)
        trace.read_packet(packet)
        assert view[35] == 1
        assert packet.udp.src_port == 2
        view[35] = 77  # writable, and the old packet's
        assert packet.udp.src_port == 2


def test_a_memoryview_is_no_copy(five: Path) -> None:
    with plt.trace(five) as trace:
        packet = next(trace)
    udp = packet.udp
    with memoryview(udp) as view:
        assert (view.itemsize, view.ndim, view.readonly, view.nbytes) == (1, 1, False, 9)
        view[0:2] = b"\x12\x34"
    assert udp.src_port == 0x1234
    assert bytes(packet)[34:36] == b"\x12\x34"


# --- States ----------------------------------------------------------------------------------


def test_nothing_is_opened_before_start() -> None:
    trace = plt.trace("pcapfile:/no/such/file")
    for action in (
        lambda: next(trace),
        lambda: list(trace),
        lambda: trace.read_packet(plt.packet()),
        trace.pause,
    ):
        with pytest.raises(plt.LibtraceError, match=r"^Trace not started$"):
            action()
    assert (trace.pkt_accepts(), trace.pkt_drops()) == (0, 0)
    with pytest.raises(plt.LibtraceError, match=r"^Couldn't start trace: .*No such file"):
        trace.start()


@pytest.mark.parametrize("close", ["close", "exit"])
def test_closed(five: Path, close: str) -> None:
    trace = plt.trace(five)
    if close == "exit":
        with trace:
            first = next(trace)
    else:
        trace.start()
        first = next(trace)
        trace.close()
    for action in (lambda: next(trace), lambda: trace.read_packet(plt.packet()), trace.pause):
        with pytest.raises(plt.LibtraceError, match=r"^Trace not started$"):
            action()
    for action in (trace.start, lambda: trace.conf_snaplen(9), trace.__enter__):
        with pytest.raises(plt.LibtraceError, match="closed"):
            action()
    trace.close()
    trace.close()
    assert first.udp.src_port == 1
    assert "closed" in repr(trace)


def test_closing_closes_the_file(five: Path) -> None:
    def opened() -> int:
        return sum(path.is_symlink() and path.exists() for path in Path("/proc/self/fd").iterdir())

    before = opened()
    for _ in range(3):
        with plt.trace(five) as trace:
            next(trace)
            assert opened() == before + 1
        assert opened() == before
        trace = plt.trace(five)
        trace.start()
        del trace
        assert opened() == before
        with pytest.raises(plt.LibtraceError):
            packets.read(f"pcapfile:{__file__}")
        assert opened() == before


def test_start_twice_and_pause(five: Path) -> None:
    trace = plt.trace(five)
    trace.start()
    trace.start()
    assert next(trace).udp.src_port == 1
    trace.pause()
    with pytest.raises(plt.LibtraceError, match=r"^Trace not started$"):
        next(trace)
    assert "paused" in repr(trace)
    trace.conf_filter(plt.filter("udp src port 4"))
    trace.start()
    assert ports(list(trace)) == [4]
    trace.close()


def test_an_exception_in_the_loop_closes_the_trace(five: Path) -> None:
    class Mine(Exception):
        pass

    trace = plt.trace(five)

    def loop() -> None:
        with trace:
            for _ in trace:
                raise Mine

    with pytest.raises(Mine):
        loop()
    assert "closed" in repr(trace)


def port_filter(*numbers: int) -> plt.filter:
    return plt.filter(" or ".join(f"udp src port {number}" for number in numbers))


@pytest.mark.parametrize("paused", [False, True])
def test_a_filter_after_start_holds_from_the_next_packet_on(five: Path, paused: bool) -> None:
    with plt.trace(five) as trace:
        seen = ports([next(trace)])
        for numbers in ((1, 3, 4), (1, 4, 5)):
            if paused:
                trace.pause()
            trace.conf_filter(port_filter(*numbers))
            if paused:
                trace.start()
            seen += ports([next(trace)])
        assert seen == [1, 3, 4]
        assert ports(list(trace)) == [5]
        assert trace.pkt_accepts() == 4


def test_a_filter_after_start_for_read_packet_columns_and_flow_tables(five: Path) -> None:
    packet = plt.packet()
    with plt.trace(five) as trace:
        trace.conf_filter(port_filter(2, 4, 5))
        assert trace.read_packet(packet)
        assert packet.udp.src_port == 2
        trace.conf_filter(port_filter(3, 5))
        [batch] = plt.columns(trace, ["src_port"])
        assert list(batch["src_port"]) == [3, 5]
    with plt.trace(five) as trace:
        trace.conf_filter(port_filter(3, 5))
        table = natkit.FlowTable()
        assert table.add_trace(trace) == 2
        assert sorted(flow.src_port for flow in table) == [3, 5]


def test_a_bad_filter_after_start_raises_when_it_is_used(five: Path) -> None:
    with plt.trace(five) as trace:
        next(trace)
        trace.conf_filter(plt.filter("udp prt 2"))
        with pytest.raises(plt.LibtraceError, match="syntax error"):
            next(trace)
        trace.conf_filter(port_filter(4, 5))
        assert ports(list(trace)) == [4, 5]


def test_a_filter_may_be_changed_from_within_the_loop(five: Path) -> None:
    seen = []
    with plt.trace(five) as trace:
        for packet in trace:
            seen.append(packet.udp.src_port)
            trace.conf_filter(port_filter(2 * seen[-1]))
    assert seen == [1, 2, 4]


def test_a_trace_that_columns_read_is_not_configured(five: Path) -> None:
    with plt.trace(five) as trace:
        reading = iter(plt.columns(trace, ["src_port"], batch=1))
        next(reading)
        for action in CONFIGURING:
            with pytest.raises(plt.LibtraceError, match="in use by another thread, or by columns"):
                action(trace)
        del reading
        for action in CONFIGURING:
            action(trace)


CONFIGURING = (
    lambda trace: trace.conf_filter(plt.filter("ip")),
    lambda trace: trace.conf_snaplen(100),
    lambda trace: trace.conf_promisc(True),
    lambda trace: trace.conf_timeout(1.5),
)


def test_a_trace_that_a_flow_table_reads_is_not_configured(five: Path) -> None:
    refused = []

    def progress(*_: object) -> None:
        for action in CONFIGURING:
            with pytest.raises(plt.LibtraceError, match="in use by another thread, or by columns"):
                action(trace)
            refused.append(action)

    with plt.trace(five) as trace:
        natkit.FlowTable().add_trace(trace, progress=progress)
    assert set(refused) == set(CONFIGURING)


def test_configuring_between_pause_and_start_or_without(five: Path) -> None:
    for paused in (False, True):
        with plt.trace(five) as trace:
            if paused:
                trace.pause()
            for action in CONFIGURING:
                action(trace)
            trace.start()
            assert ports(list(trace)) == [1, 2, 3, 4, 5]
        for action in CONFIGURING:
            with pytest.raises(plt.LibtraceError, match="a closed trace can't be configured"):
                action(trace)


def test_configuring_with_wrong_values() -> None:
    trace = plt.trace("x")
    for wrong in (None, "9", 1.5, b""):
        with pytest.raises(TypeError):
            trace.conf_snaplen(wrong)
    for wrong in (-1, 2**31, 2**70):
        with pytest.raises(ValueError, match="snap length"):
            trace.conf_snaplen(wrong)
    for wrong in (None, "9", b"", []):
        with pytest.raises(TypeError):
            trace.conf_timeout(wrong)
    for wrong in (None, 9, b"", []):
        with pytest.raises(TypeError):
            trace.conf_filter(wrong)
    for wrong in (-1, -1.0, float("nan"), float("inf"), 1e300):
        with pytest.raises(ValueError, match="timeout"):
            trace.conf_timeout(wrong)

    class Odd:
        def __bool__(self) -> bool:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trace.conf_promisc(Odd())
    with pytest.raises(TypeError):
        trace.conf_snaplen()
    with pytest.raises(TypeError):
        trace.start(1)


def test_a_snap_length_cuts_a_file_s_packets(five: Path) -> None:
    """As libtrace does it: trace_read_packet() cuts what its filter let through."""
    trace = plt.trace(five)
    trace.conf_snaplen(20)
    trace.conf_filter(port_filter(1, 2, 4, 5))  # which needs more than 20 bytes
    trace.conf_timeout(0.001)
    trace.conf_promisc(1)
    trace.start()
    kept = [next(trace)]
    trace.conf_snaplen(45)
    kept += [next(trace), next(trace)]
    trace.conf_snaplen(0)
    kept += trace
    assert [packet.capture_len for packet in kept] == [20, 44, 45, 47]
    assert [len(bytes(packet)) for packet in kept] == [20, 44, 45, 47]
    assert [packet.wire_len for packet in kept] == [47, 48, 50, 51]  # with the FCS
    trace.close()


def test_a_snap_length_cuts_what_columns_and_flow_tables_read(five: Path) -> None:
    trace = plt.trace(five)
    trace.conf_snaplen(43)
    with trace:
        [batch] = plt.columns(trace, ["capture_len", "wire_len"])
        assert list(batch["capture_len"]) == [43] * 5
        assert list(batch["wire_len"]) == [47, 48, 49, 50, 51]
    trace = plt.trace(five)
    trace.conf_snaplen(33)  # within the destination address
    with trace:
        table = natkit.FlowTable()
        table.add_trace(trace)
    assert (len(table), table.too_short) == (0, 5)


def test_attributes_of_a_trace_are_read_only(five: Path) -> None:
    trace = plt.trace(five)
    assert trace.uri == str(five)
    with pytest.raises(TypeError):
        trace.uri = "other"
    with pytest.raises(AttributeError):
        trace.other = 1
    assert repr(trace) == f"<plt.trace {str(five)!r}: not started, 0 packets read>"


def test_a_subclass(five: Path) -> None:
    class Mine(plt.trace):
        seen = 0

        def __next__(self) -> plt.packet:
            packet = super().__next__()
            self.seen += 1
            return packet

    with Mine(five) as trace:
        assert ports(list(trace)) == [1, 2, 3, 4, 5]
        assert trace.seen == 5


# --- Time, data, text ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "Pacific/Auckland",
        "America/St_Johns",
        "Europe/Lisbon",
        "Antarctica/Troll",  # two hours
        "Australia/Lord_Howe",  # half an hour
        "AAA12BBB-11,J100,J200",  # 23 hours
    ],
)
def test_time_is_local_and_exact(
    zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the zone's own words, and at both of two equal hours when summer time ends."""
    seconds = [EPOCH, 1_270_303_199, 1_270_303_200, 1_288_486_800, 1_288_490_400, 0]
    seconds.append(present.last_time())
    seconds += range(1_270_900_000, 1_271_000_000, 1800)  # summer time begins, or ends in the south
    seconds += range(1_279_400_000, 1_279_500_000, 1800)
    seconds += range(1_288_400_000, 1_288_500_000, 1800)
    records = [Record(b"", sec, 123_456) for sec in seconds]
    path = packets.write(tmp_path / "t", packets.pcap(records))
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for packet, sec in zip(packets.read(path), seconds, strict=True):
            expected = datetime.fromtimestamp(sec).replace(microsecond=123_456)
            assert (packet.time, packet.time.fold) == (expected, expected.fold)
            assert packet.time.tzinfo is None
            assert packet.time.timestamp() == sec + 0.123456
    finally:
        monkeypatch.undo()
        time.tzset()


def test_erf_time_of_another_clock(tmp_path: Path) -> None:
    [packet] = packets.read_bytes(packets.pcap([Record(b"", EPOCH, 250_000)]), tmp_path)
    assert packet.erf_time == EPOCH << 32 | 1 << 30


def test_data_is_a_copy_and_may_be_assigned(five: Path) -> None:
    with plt.trace(five) as trace:
        packet = next(trace)
    data = packet.data
    assert type(data) is bytearray
    assert bytes(data) == bytes(packet)
    data[34] = 0xFF
    assert packet.udp.src_port == 1
    packet.udp.data = b"\0\x07\0\x09"
    assert (packet.udp.src_port, packet.udp.dst_port, packet.udp.len) == (7, 9, 9)
    for longer in (packet, packet.udp, packet.udp.payload):
        with pytest.raises(ValueError, match=r"^Replacement data can't be longer than original$"):
            longer.data = bytes(len(longer) + 1)
    other = packets.ethernet(packets.ipv4(packets.tcp()[:9], packets.TCP))
    packet.data = memoryview(other)
    assert packet.udp is None
    assert packet.tcp.src_port == 49152
    packet.data = packet
    packet.data = b""
    assert bytes(packet) == other
    for wrong in (None, 3, "text", [1]):
        with pytest.raises(TypeError):
            packet.data = wrong
    with pytest.raises(TypeError, match="deleted"):
        del packet.data


def test_text(five: Path) -> None:
    with plt.trace(five) as trace:
        packet = next(trace)
    assert packet.info() == "Packet, 43 bytes: UDP 192.0.2.1 port 1 to 198.51.100.2 port 53"
    assert repr(packet.ip) == f"<plt.ip: {packet.ip.info()}>"
    assert packet.udp.dump().split() == ["00000000", "00", "01", "00", "35", "00", "09", "00", "00",
                                         "78", "...5....x"]  # fmt: skip
    kinds = {"packet": "Packet", "layer2": "Layer2", "ip": "IP", "udp": "UDP"}
    for name, kind in kinds.items():
        assert getattr(packet, name, packet).type == kind
    assert packet.kind == "packet"


def test_importing_offers_names_to_the_script() -> None:
    code = "import plt; print(ipp.from_s('::1'), datetime.date(2010, 1, 2))"
    shadowed = "ipp = 3; import plt; print(ipp)"
    for program, expected in ((code, "::1 2010-01-02"), (shadowed, "3")):
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        assert run.stdout.decode().strip() == expected
    assert plt.ipp.from_s("::1") == from_s("::1")
    assert plt.IPprefix is type(from_s("::1"))
    assert plt.version() == "1.7"


# --- Filters after start() on every kind of file ---------------------------------------------


def frame_to(port: int) -> bytes:
    return packets.ethernet(packets.ipv4(packets.udp(b"x" * port, ports=(port, 53))))


def content_of(kind: str) -> bytes:
    """Five datagrams from the ports 1 to 5."""
    frames = [frame_to(port) for port in range(1, 6)]
    if kind == "pcapng":
        return packets.section() + packets.interface() + b"".join(map(packets.simple, frames))
    if kind == "erf":
        return b"".join(packets.erf(2, b"\0\0" + frame) for frame in frames)
    if kind == "tsh":
        return b"".join(packets.tsh(frame[14:]) for frame in frames)
    content = packets.pcap([Record(frame, EPOCH) for frame in frames])
    return importlib.import_module(kind).compress(content) if kind else content


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("kind", ["", "pcapng", "erf", "tsh", "gzip", "bz2", "lzma"])
def test_a_filter_is_changed_in_files_of_every_kind(
    kind: str, paused: bool, tmp_path: Path
) -> None:
    path = packets.write(tmp_path / "trace", content_of(kind))
    packet = plt.packet()
    with plt.trace(f"tsh:{path}" if kind == "tsh" else path) as trace:
        assert trace.read_packet(packet)
        seen = [packet.udp.src_port]
        for numbers in ((1, 3, 4), (1, 4, 5)):
            if paused:
                trace.pause()
            trace.conf_filter(port_filter(*numbers))
            if paused:
                trace.start()
            assert trace.read_packet(packet)
            seen.append(packet.udp.src_port)
        trace.conf_filter(plt.filter(""))  # accepts all
        assert seen + ports(list(trace)) == [1, 3, 4, 5]
