"""Pickled flow tables and flows, forged field by field: each says what can't be."""

import struct
from collections.abc import Iterable
from pathlib import Path

import pytest
from packets import EPOCH, ETH, Record, ethernet, ipv4, pcap, tcp, udp, write
from tunnelled import gtp, over_udp, vxlan

import natkit
from natkit import Flow, FlowTable

NO_TIME = -(2**63)


class Part:
    """Fields of the C structs in src/flowtable/, by name: where each begins, and its format."""

    def __init__(self, fields: str) -> None:
        self.size = 0
        self.fields = {}
        for field in fields.split():
            name, _, code = field.partition(":")
            self.fields[name] = self.size, f"={code}"
            self.size += struct.calcsize(f"={code}")

    def changed(self, state: bytes, at: int, name: str, value: int) -> bytes:
        """The bytes of all with another value in the part that begins there."""
        place, code = self.fields[name]
        changed = bytearray(state)
        struct.pack_into(code, changed, at + place, value)
        assert bytes(changed) != state
        return bytes(changed)


HEADER = Part(
    "magic:16s version:I byte_order:I idle:q active:q begin:q earliest:q clock:q went_back:Q"
    " packets:Q not_ip:Q too_short:Q handed_out:Q flows:Q fragments:Q held:Q orphans:Q"
    " orphans_lost:Q by_vlan:Q tracks_tcp:Q decap:Q statistics:Q early:Q"
    " ports:I port:H kind:B unused:B others:256s"
)
WAY = "{0}packets:Q {0}bytes:Q {0}ip_bytes:Q {0}payload_bytes:Q {0}first:q {0}last:q"
WAY += " {0}seq_end:I {0}retransmits:I "
FLOW = Part(
    "v6:B logged:B tracked:B unused:5s tunnel:Q "
    + WAY.format("")
    + "key0:Q key1:Q started:q seen:q number:Q handshake:q next:I log:I first_seq_end:I vlan:H"
    " tcp_flags:H back_tcp_flags:H events:B back_events:B marks:B end_reason:B handshake_kind:B"
    " logged_now:B " + WAY.format("back_")
)
KEY = "{0}key0:Q {0}key1:Q {0}key2:Q {0}key3:Q {0}key4:Q {0}tunnel:Q "
FIRST = Part(KEY.format("") + "clock:q older:Q src_port:H dst_port:H proto:B unused:B more:H")
HELD = Part(
    KEY.format("")
    + KEY.format("flow_")
    + "time:q clock:q number:Q bytes:Q older:Q word:Q ip_bytes:I payload_bytes:I vlan:H way:B v6:B"
    " found:B unused:B more:H"
)
ORPHAN = Part(KEY.format("") + "clock:q")
QUALITY_WAY = "{0}unique:Q {0}silence:q {0}window_min:H {0}window_max:H {0}rtt_count:I {0}rtt_sum:Q"
QUALITY_WAY += " {0}rtt_min:Q {0}rtt_max:Q {0}squares:16s {0}first_payload:q {0}mss:H {0}scale:B"
QUALITY_WAY += " {0}options:B {0}unused:I {0}counters:48s "
QUALITY = (
    QUALITY_WAY.format("") + QUALITY_WAY.format("back_") + "rtts:16s closed:B unused_after:7s "
)
TRACK_WAY = "{0}last_time:q {0}numbers:12s {0}window:H {0}marks:B {0}hole_count:B {0}timed_first:B"
TRACK_WAY += " {0}timed_count:B {0}gap:6s {0}timed:192s {0}holes:64s {0}padding:32s "
TRACK = Part(
    TRACK_WAY.format("track_")
    + TRACK_WAY.format("back_track_")
    + QUALITY
    + "syn_time:q syn_ack_end:I handshake:B client_way:B rest:26s"
)
GAPS = "{0}last_time:q {0}min:q {0}max:q {0}squares:Q {0}squares_high:Q "
SIZES = (
    "{0}size_squares:Q {0}high:I {0}untimed:I {0}size_min:I {0}size_max:I {0}fin:Q {0}flags:56s "
)
STATISTICS = Part(
    GAPS.format("way_")
    + SIZES.format("")
    + GAPS.format("back_")
    + SIZES.format("back_")
    + GAPS.format("")
    + "first_time:q way_first_time:q back_first_time:q"
)


def state_of(table: FlowTable) -> bytes:
    return table.__reduce__()[1][0]


def table_of(folder: Path, frames: Iterable[bytes], **settings) -> FlowTable:
    records = [Record(frame, sec=EPOCH + n) for n, frame in enumerate(frames)]
    table = FlowTable(**settings)
    table.add_trace(write(folder / "x.pcap", pcap(records, ETH)))
    return table


def refused(state: bytes, what: str, kind: type[FlowTable | Flow] = FlowTable) -> None:
    with pytest.raises(ValueError, match=f"^no pickled flow table: {what}"):
        kind._from_bytes(state)


def test_the_sizes_are_those_of_the_c_structs(tmp_path):
    assert len(state_of(FlowTable())) == HEADER.size
    segment = ethernet(ipv4(tcp(b"x"), 6))
    sizes = {"tcp": TRACK.size, "statistics": STATISTICS.size, "vlan": 0}
    for name, more in sizes.items():
        state = state_of(table_of(tmp_path, [segment], **{name: True}))
        assert len(state) == HEADER.size + FLOW.size + more + 8 * state[HEADER.size + 1]


# --- Tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("idle", 0), ("idle", -1), ("idle", 4 * 10**18 + 1), ("active", 0), ("active", 2**62),
        ("earliest", (EPOCH + 1) * 10**9), ("clock", 0), ("went_back", 2), ("not_ip", 2),
        ("too_short", 2), ("flows", 2), ("by_vlan", 2), ("tracks_tcp", 2), ("decap", 2),
        ("statistics", 2), ("early", 1025), ("ports", 1), ("port", 1),
    ],
)  # fmt: skip
def test_headers_that_can_not_be(tmp_path, name, value):
    state = state_of(table_of(tmp_path, [ethernet(ipv4(udp()))], idle_timeout=9))
    assert FlowTable._from_bytes(HEADER.changed(state, 0, "idle", 4 * 10**18)).idle_timeout == 4e9
    refused(HEADER.changed(state, 0, name, value), "its counters can't be")


def test_kinds_and_ports_of_tunnels():
    """Those that FlowTable() takes, and no others."""
    state = state_of(FlowTable(decap={"geneve": 9}))
    for name, value in (("port", 0), ("ports", 65)):
        refused(HEADER.changed(state, 0, name, value), "its counters can't be")
    own = state[HEADER.fields["kind"][0]]
    names = {"geneve"}
    for kind in {*range(256)} - {own}:
        try:
            table = FlowTable._from_bytes(HEADER.changed(state, 0, "kind", kind))
        except ValueError:
            continue
        assert FlowTable(decap=table.decap).decap == table.decap
        names.update(table.decap)
    # UDP ports: RFC 7348, 3GPP TS 29.281, RFC 4380, RFC 8086 and RFC 7510 have one, others none
    assert {"vxlan", "gtp", "teredo", "gre", "mpls"} <= names
    assert not names & {"ipip", "6in4", "pppoe", "nsh", "none"}


# --- Flows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"v6": 2}, "a flow is cut or begins wrongly"),
        ({"logged": 25}, "a flow is cut or begins wrongly"),
        ({"tracked": 2}, "a flow is cut or begins wrongly"),
        ({"tunnel": 1}, "a flow has no such tunnel"),
        ({"marks": 1}, "a flow has no such marks"),
        ({"marks": 128}, "a flow has no such marks"),
        ({"key0": 0}, "a flow has no key"),
        ({"tcp_flags": 0x1000}, "a flow has no such counters"),
        ({"seq_end": 1}, "a flow has no such counters"),
        ({"retransmits": 1}, "a flow has no such counters"),
        ({"last": 0}, "a flow has no such counters"),
        ({"back_bytes": 1}, "a flow has no such counters"),
        ({"back_first": 1}, "a flow has no such counters"),
        ({"back_last": 1}, "a flow has no such counters"),
        ({"back_events": 1}, "a flow has no such counters"),
        ({"back_tcp_flags": 1}, "a flow has no such counters"),
        (dict.fromkeys(("packets", "bytes", "ip_bytes", "payload_bytes", "first", "last"), 0),
         "a flow has no such counters"),
        ({"end_reason": 5}, "a flow has no such state"),
        ({"handshake_kind": 4}, "a flow has no such state"),
        ({"handshake": 1}, "a flow has no such state"),
        ({"next": 1}, "a flow has no such state"),
        ({"log": 1}, "a flow has no such state"),
        ({"logged_now": 1}, "a flow has no such state"),
        ({"first_seq_end": 1}, "a flow has no such state"),
        ({"number": 1}, "its flows are in no order"),
    ],
)  # fmt: skip
def test_flows_that_can_not_be(tmp_path, changes, what):
    # from the lower end to the higher, so that it is the first way that has packets
    packet = ethernet(ipv4(udp(b"x"), src="192.0.2.1", dst="192.0.2.2"))
    state = state_of(table_of(tmp_path, [packet]))
    assert len(FlowTable._from_bytes(state)) == 1
    for name, value in changes.items():
        state = FLOW.changed(state, HEADER.size, name, value)
    refused(state, what)


TRACK_FIELDS = [
    ("track_marks", 128), ("track_hole_count", 9), ("track_timed_first", 16),
    ("back_track_timed_count", 17), ("handshake", 4), ("client_way", 2),
]  # fmt: skip
QUALITY_FIELDS = [
    ("scale", 15), ("back_options", 128), ("rtt_min", 2**63), ("unused", 1), ("back_unused", 1),
    ("closed", 3), ("closed", 4), ("closed", 7),
]  # fmt: skip


def test_tracks_that_can_not_be(tmp_path):
    segment, datagram = (ethernet(ipv4(data, n)) for data, n in ((tcp(), 6), (udp(), 17)))
    state = state_of(table_of(tmp_path, [segment], tcp=True))
    at = HEADER.size + FLOW.size
    for name, value in [*TRACK_FIELDS, *QUALITY_FIELDS]:
        refused(TRACK.changed(state, at, name, value), "a flow has no such TCP")
    for name in ("track_gap", "back_track_padding", "unused_after", "rest"):
        place, code = TRACK.fields[name]
        last = at + place + struct.calcsize(code) - 1
        refused(state[:last] + b"\1" + state[last + 1 :], "a flow has no such TCP")
    refused(HEADER.changed(state, 0, "tracks_tcp", 0), "a flow has no such TCP")
    state = state_of(table_of(tmp_path, [datagram], tcp=True))
    refused(
        FLOW.changed(state, HEADER.size, "tracked", 1) + bytes(TRACK.size), "a flow has no such"
    )


def test_qualities_of_flows_alone_that_can_not_be(tmp_path):
    segment, datagram = (ethernet(ipv4(data, n)) for data, n in ((tcp(), 6), (udp(), 17)))
    of_tcp, of_udp = table_of(tmp_path, [segment, datagram], tcp=True)
    state = of_tcp.__reduce__()[1][0]
    assert Flow._from_bytes(state) == of_tcp
    part, at = Part(QUALITY), HEADER.size + FLOW.size
    assert len(state) == at + part.size
    for name, value in QUALITY_FIELDS:
        refused(part.changed(state, at, name, value), "a flow has no such TCP", Flow)
    refused(state[:-1], "a flow has no such TCP", Flow)
    state = FLOW.changed(of_udp.__reduce__()[1][0], HEADER.size, "tracked", 1)
    refused(state + bytes(part.size), "a flow has no such TCP", Flow)
    state = HEADER.changed(state, 0, "tracks_tcp", 1)
    refused(state + bytes(part.size), "a flow has no such TCP", Flow)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size_min", 2**32 - 1), ("back_size_min", 0), ("untimed", 2), ("fin", 2),
        ("way_last_time", NO_TIME), ("way_first_time", NO_TIME), ("back_last_time", 0),
        ("last_time", NO_TIME), ("first_time", NO_TIME),
    ],
)  # fmt: skip
def test_statistics_that_can_not_be(tmp_path, name, value):
    packet = ethernet(ipv4(tcp(b"x", flags=0x11), 6, src="192.0.2.1", dst="192.0.2.2"))
    table = table_of(tmp_path, [packet], statistics=True)
    (flow,) = table
    at = HEADER.size + FLOW.size
    for state, kind in ((state_of(table), FlowTable), (flow.__reduce__()[1][0], Flow)):
        refused(STATISTICS.changed(state, at, name, value), "a flow has no such statistics", kind)


def test_sums_of_squares_of_which_the_lower_half_is_full(tmp_path):
    """All ones in both halves stand for a sum that is too large; in one half they are a number."""
    packet = ethernet(ipv4(udp(b"x"), src="192.0.2.1", dst="192.0.2.2"))
    (flow,) = table_of(tmp_path, [packet] * 3, statistics=True)
    state = flow.__reduce__()[1][0]
    squares = 2**64 - 1
    for name in ("size_squares", "squares"):
        state = STATISTICS.changed(state, HEADER.size + FLOW.size, name, squares)
    forged = Flow._from_bytes(state)
    # three packets of 29 bytes, two gaps of a second
    sizes, gaps = (3 * squares - (3 * 29) ** 2) / 6, (2 * squares - (2 * 10**9) ** 2) / 2
    assert forged.size_std == pytest.approx(sizes**0.5, rel=1e-12)
    assert forged.gap_std_ns == pytest.approx(gaps**0.5, rel=1e-9)
    full = state
    for name, value in (("high", 2**32 - 1), ("squares_high", squares)):
        full = STATISTICS.changed(full, HEADER.size + FLOW.size, name, value)
    assert Flow._from_bytes(full).size_std is Flow._from_bytes(full).gap_std_ns is None


def test_a_way_of_first_packets_that_can_not_be(tmp_path):
    table = table_of(tmp_path, [ethernet(ipv4(udp()))], first=3)
    (flow,) = table
    for state, kind in ((state_of(table), FlowTable), (flow.__reduce__()[1][0], Flow)):
        early = Part("time:q size:I way:I")
        wrong = early.changed(state, HEADER.size + FLOW.size, "way", 2)
        refused(wrong, "a flow has no such first packets", kind)


# --- Fragments -----------------------------------------------------------------------------------


def fragments(vlan: int | None) -> list[bytes]:
    """The first fragment of one packet, and a later one of another."""
    ips = [ipv4(udp(b"u" * 16), ident=1, fragment=0x2000), ipv4(b"v" * 8, ident=2, fragment=3)]
    if vlan is None:
        return [ethernet(ip) for ip in ips]
    return [ethernet(struct.pack(">HH", vlan, 0x0800) + ip, 0x8100) for ip in ips]


#: Where the first fragment, that which waits and the orphan begin, from the end on.
PLACES = {
    "first": (FIRST, -FIRST.size - HELD.size - ORPHAN.size),
    "held": (HELD, -HELD.size - ORPHAN.size),
    "orphan": (ORPHAN, -ORPHAN.size),
}


@pytest.mark.parametrize("vlan", [False, True])
@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("first", "key1", 5), ("first", "key1", 1 << 32 | 4), ("first", "key2", 1),
        ("first", "key4", 1 << 8 | 6), ("first", "tunnel", 1), ("first", "older", 1),
        ("first", "unused", 1), ("first", "more", 1), ("first", "more", 256),
        ("held", "key1", 5), ("held", "flow_key0", 5), ("held", "flow_tunnel", 1),
        ("held", "word", 1), ("held", "number", 2), ("held", "older", 1), ("held", "way", 2),
        ("held", "v6", 1), ("held", "v6", 2), ("held", "found", 1), ("held", "unused", 1),
        ("held", "vlan", 0x1064), ("orphan", "key1", 5), ("orphan", "tunnel", 1),
    ],
)  # fmt: skip
def test_fragments_that_can_not_be(tmp_path, vlan, part, name, value):
    table = table_of(tmp_path, fragments(100 if vlan else None), vlan=vlan)
    state = state_of(table)
    assert state_of(FlowTable._from_bytes(state)) == state
    fields, at = PLACES[part]
    refused(fields.changed(state, len(state) + at, name, value), "its fragments can't be")


def test_a_fragment_with_another_vlan_than_its_key(tmp_path):
    state = state_of(table_of(tmp_path, fragments(100), vlan=True))
    wrong = HELD.changed(state, len(state) + PLACES["held"][1], "vlan", 101)
    refused(wrong, "its fragments can't be")


@pytest.mark.parametrize(
    ("name", "value"), [("fragments", 8193), ("held", 4097), ("orphans", 4097), ("orphans_lost", 4)]
)
def test_more_fragments_than_there_can_be(tmp_path, name, value):
    state = state_of(table_of(tmp_path, fragments(None)))
    refused(HEADER.changed(state, 0, name, value), "it has too many fragments")


def test_tunnels_of_fragments_that_can_not_be(tmp_path):
    """What tells a tunnel of GTP apart is not in keys, for each direction has another."""
    inside = [over_udp(vxlan(frame, 5), 4789) for frame in fragments(None)]
    other = over_udp(gtp(ipv4(udp(ports=(7, 8))), 77), 2152, 2152)
    table = table_of(tmp_path, [other, *inside], decap=True)
    state = state_of(table)
    assert state_of(FlowTable._from_bytes(state)) == state
    of_gtp = struct.unpack_from("=Q", state, HEADER.size + FLOW.fields["tunnel"][0])[0]
    assert of_gtp & 0xFFFFFFFF == 77
    unknown = 255 << 40
    for part, (fields, at) in PLACES.items():
        for tunnel in (of_gtp, unknown):
            forged = fields.changed(state, len(state) + at, "tunnel", tunnel)
            if part == "held":
                forged = fields.changed(forged, len(state) + at, "flow_tunnel", tunnel)
                forged = fields.changed(forged, len(state) + at, "word", tunnel)
            refused(forged, "its fragments can't be")
    held, at = PLACES["held"]
    refused(held.changed(state, len(state) + at, "word", of_gtp), "its fragments can't be")
    refused(held.changed(state, len(state) + at, "word", unknown), "its fragments can't be")


def test_all_that_a_flow_tells_of_what_can_be(tmp_path):
    """A flow of any numbers that are not refused is a flow like others."""
    packet = ethernet(ipv4(tcp(b"x"), 6, src="192.0.2.1", dst="192.0.2.2"))
    (flow,) = table_of(tmp_path, [packet], statistics=True)
    state = flow.__reduce__()[1][0]
    for name, value in (("packets", 2**64 - 1), ("last", 2**63 - 1), ("first", NO_TIME + 1)):
        state = FLOW.changed(state, HEADER.size, name, value)
    forged = Flow._from_bytes(state)
    assert (forged.packets, forged.duration_ns) == (2**64 - 1, None)
    for name in natkit.Flow.__dict__:
        if not name.startswith("_"):
            getattr(forged, name)
