"""plt.where: conditions over the columns say what a mask over the columns says."""

import contextlib
import copy
import datetime
import functools
import operator
import pickle
import struct
import subprocess
import tempfile
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import numpy as np
import packets as p
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import natkit
import pldns
import plt

TRACES = Path(__file__).parents[2] / "tutorial/traces"
EDGE = TRACES / "edge-10k.pcap.gz"
DNS = TRACES / "dns-1k.pcap.gz"
LINKS = TRACES / "links-3k.pcap.gz"


def numbers(source: str | Path, condition: str | None) -> list[int]:
    """The arrival times of the packets for which a condition holds."""
    where = None if condition is None else plt.where(condition)
    return plt.columns(source, ["time_ns"], filter=where).table()["time_ns"].tolist()


# --- Against NumPy -----------------------------------------------------------------------------

OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: Columns of every integer kind; times are compared as integers by time_ns.
INTEGERS = {
    "proto": (0, 20), "dst_port": (0, 65535), "src_port": (0, 65535), "wire_len": (0, 1600),
    "vlan_id": (0, 2), "direction": (-2, 2), "linktype": (-1, 9), "ts_sec": (-5, 2**31),
    "ttl": (0, 255), "payload_len": (0, 1500), "tcp.flags": (0, 63), "tcp.syn_flag": (0, 2),
    "tcp.seq_nbr": (0, 2**32), "udp.len": (0, 600), "ip.ident": (0, 65535),
    "icmp.type": (0, 12), "icmp6.type": (128, 136), "erf_time": (-1, 2**64 - 1),
}  # fmt: skip
#: A field that is there whenever the header is.
HEADERS = {"tcp": "tcp.src_port", "udp": "udp.src_port", "icmp": "icmp.type"}
HEADERS |= {"icmp6": "icmp6.type", "sctp": "sctp.src_port"}
Mask = Callable[[plt.Table], "np.ndarray[tuple[int], np.dtype[np.bool_]]"]
Condition = tuple[str, Mask]


def present(table: plt.Table, name: str) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return ~table.mask(name)


@functools.cache
def as_objects(table: plt.Table, name: str) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """Python's integers: they compare right whatever their kinds."""
    return np.array([int(value) for value in table[name]], dtype=object)


def holds(values: object) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.asarray(values).astype(bool)


@st.composite
def integers(draw: st.DrawFn) -> tuple[str, int]:
    name = draw(st.sampled_from(sorted(INTEGERS)))
    return name, draw(st.integers(*INTEGERS[name]))


@st.composite
def comparisons(draw: st.DrawFn) -> Condition:
    name, value = draw(integers())
    sign = draw(st.sampled_from(sorted(OPERATORS)))
    mask = draw(st.one_of(st.none(), st.integers(0, 255)))
    text = f"{name} & {mask:#x}" if mask is not None else name

    def rule(table: plt.Table) -> object:
        values = as_objects(table, name)
        values = values if mask is None else values & mask
        return present(table, name) & holds(OPERATORS[sign](values, value))

    if draw(st.booleans()):
        return f"{text} {sign} {value}", rule  # type: ignore[return-value]
    mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(sign, sign)
    return f"{value} {mirrored} {text}", rule  # type: ignore[return-value]


@st.composite
def pairs(draw: st.DrawFn) -> Condition:
    left, right = (draw(st.sampled_from(sorted(INTEGERS))) for _ in "lr")
    sign = draw(st.sampled_from(sorted(OPERATORS)))

    def rule(table: plt.Table) -> object:
        both = present(table, left) & present(table, right)
        compared = OPERATORS[sign](as_objects(table, left), as_objects(table, right))
        return both & holds(compared)

    return f"{left} {sign} {right}", rule  # type: ignore[return-value]


@st.composite
def lists(draw: st.DrawFn) -> Condition:
    name, _ = draw(integers())
    ranges = draw(st.lists(st.tuples(*[st.integers(*INTEGERS[name])] * 2).map(sorted), max_size=20))
    items = [f"{low}" if low == high else f"{low}-{high}" for low, high in ranges]
    outside = draw(st.booleans())

    def rule(table: plt.Table) -> object:
        values = as_objects(table, name)
        found = np.zeros(len(values), dtype=bool)
        for low, high in ranges:
            found |= holds((values >= low) & (values <= high))
        return present(table, name) & (found ^ outside)

    return f"{name} {'not ' * outside}in ({', '.join(items)})", rule  # type: ignore[return-value]


@functools.cache
def addresses_of(table: plt.Table, name: str) -> list[object]:
    raw = [row.tobytes() for row in table[name]]
    versions = table["version"].tolist()
    return [
        ip_address(row[:4] if version == 4 else row)
        for row, version in zip(raw, versions, strict=True)
    ]


SEEN = addresses_of(plt.columns(EDGE, ["src", "version"]).table(), "src")


@st.composite
def prefixes(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(["src", "dst", "src_prefix", "dst_prefix"]))
    chosen = draw(st.lists(st.sampled_from(SEEN), min_size=1, max_size=12))
    nets = [
        ip_network((address, draw(st.integers(0, address.max_prefixlen))), strict=False)  # type: ignore[attr-defined]
        for address in chosen
    ]
    outside = draw(st.booleans())

    def rule(table: plt.Table) -> object:
        found = [any(a in net for net in nets) for a in addresses_of(table, name)]
        return present(table, name) & (np.array(found, dtype=bool) ^ outside)

    text = ", ".join(map(str, nets))
    return f"{name} {'not ' * outside}in [{text}]", rule  # type: ignore[return-value]


@st.composite
def truths(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from([*sorted(INTEGERS), *HEADERS]))

    def rule(table: plt.Table) -> object:
        if name in HEADERS:
            return present(table, HEADERS[name])
        return present(table, name) & holds(as_objects(table, name) != 0)

    return name, rule  # type: ignore[return-value]


def combined(children: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    def both(pair: tuple[Condition, Condition]) -> Condition:
        (left, one), (right, other) = pair
        return f"({left}) and {right}", lambda table: one(table) & other(table)

    def either(pair: tuple[Condition, Condition]) -> Condition:
        (left, one), (right, other) = pair
        return f"{left} or ({right})", lambda table: one(table) | other(table)

    def negated(one: Condition) -> Condition:
        return f"not ({one[0]})", lambda table: ~one[1](table)

    def bracketed(one: Condition) -> Condition:
        return f"({one[0]})", one[1]

    children = children.map(bracketed)
    two = st.tuples(children, children)
    return st.one_of(two.map(both), two.map(either), children.map(negated))


CONDITIONS = st.recursive(
    st.one_of(comparisons(), pairs(), lists(), prefixes(), truths()), combined, max_leaves=8
)
COLUMNS = [
    *dict.fromkeys([*INTEGERS, *HEADERS.values()]),
    *("src", "dst", "src_prefix", "dst_prefix", "version", "time_ns"),
]


def mixed_trace(folder: Path) -> Path:
    """Packets of both versions, whole and cut, with and without tags, and no IP at all."""
    frames = [
        p.ethernet(p.ipv4(p.tcp(), p.TCP)),
        p.ethernet(p.ipv4(p.udp(b"x" * 9))),
        p.ethernet(p.ipv6(p.udp(b"y"), p.UDP), 0x86DD),
        p.ethernet(struct.pack(">HH", 5, 0x0800) + p.ipv4(p.icmp(8), p.ICMP), 0x8100),
        p.ethernet(p.ipv4(p.tcp(), p.TCP, fragment=100)),
        p.ethernet(b"\0" * 28, 0x0806),
    ]
    frames += [frame[:cut] for frame in frames for cut in (13, 14, 20, 33, 36, 40, 47)]
    return p.write(folder / "mixed.pcap", p.pcap([p.Record(frame) for frame in frames]))


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, plt.Table]]:
    paths = [EDGE, DNS, mixed_trace(tmp_path_factory.mktemp("where"))]
    return [(path, plt.columns(path, COLUMNS, limit=1500).table()) for path in paths]


@settings(max_examples=300, deadline=None)
@given(condition=CONDITIONS)
def test_a_condition_is_a_mask_over_the_columns(
    traces: list[tuple[Path, plt.Table]], condition: Condition
) -> None:
    text, mask = condition
    where = plt.where(text)
    for path, table in traces:
        expected = table["time_ns"][mask(table)].tolist()
        found = plt.columns(path, ["time_ns"], filter=where).table()["time_ns"].tolist()
        assert found[: len(expected)] == expected, text
        if len(table["time_ns"]) < 1500:
            assert found == expected, text


@settings(max_examples=50, deadline=None)
@given(condition=CONDITIONS)
def test_packets_and_columns_agree(
    traces: list[tuple[Path, plt.Table]], condition: Condition
) -> None:
    where = plt.where(condition[0])
    path, _ = traces[2]
    matching = [pkt.time_ns for pkt in p.read(path) if where.matches(pkt)]
    assert matching == plt.columns(path, ["time_ns"], filter=where).table()["time_ns"].tolist()


# --- Against tshark ----------------------------------------------------------------------------

#: tshark also looks into what ICMP quotes, and into 6in4.
OUTER = "not (icmp and (tcp or udp)) and not (icmpv6 and (tcp or udp)) and not (ip and ipv6)"
SAME_IN_TSHARK = {
    "tcp.syn_flag and not tcp.ack_flag": "tcp.flags.syn == 1 and tcp.flags.ack == 0",
    "udp and dst_port == 53": "udp.dstport == 53",
    "src in 198.51.100.0/24 and not icmp": "ip.src == 198.51.100.0/24 and not icmp",
    "ip6 and hop_limit < 60 and not icmp6": "ipv6.hlim < 60 and not icmpv6",
    "tcp.window >= 60000": "tcp.window_size_value >= 60000",
    "icmp.type in (0, 8)": "icmp.type in {0, 8} and not icmp.type in {3, 11}",
    "ip.has_df and proto == 6": "ip.flags.df == 1 and ip.proto == 6",
    "dst_port in 1024-65535 and tcp": "tcp.dstport >= 1024",
    "tcp.flags & 0x12 == 0x12": "tcp.flags.syn == 1 and tcp.flags.ack == 1",
    "src_port == dst_port and udp": "udp.srcport == udp.dstport",
    "tcp.seq_nbr > tcp.ack_nbr": "tcp.seq_raw > tcp.ack_raw",
}


@pytest.mark.parametrize("condition", SAME_IN_TSHARK)
def test_a_condition_selects_the_packets_that_tshark_selects(tshark: str, condition: str) -> None:
    theirs = f"({SAME_IN_TSHARK[condition]}) and {OUTER}"
    command = [tshark, "-r", str(EDGE), "-Y", theirs]
    command += ["-T", "fields", "-e", "frame.number"]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    where = plt.where(condition)
    packets = enumerate(p.read(EDGE), 1)
    found = [str(n) for n, pkt in packets if where.matches(pkt) and pkt.proto != 41]
    assert found == rows


@pytest.mark.parametrize(
    ("condition", "theirs"),
    [
        ("tunnel.kind == 'vxlan'", "vxlan"),
        ("tunnel.kind in ('gre', 'geneve')", "gre or geneve"),
        ("tunnel.kind != 'vxlan'", "gre or geneve or (ip.proto == 41)"),
        ("tunnel.kind", "vxlan or gre or geneve or (ip.proto == 41)"),
        ("tunnel.id == 4021", "vxlan.vni == 4021"),
        ("not tunnel.depth", "not (vxlan or gre or geneve or (ip.proto == 41))"),
        ("tunnel.src != src", "frame.number == 0"),
        ("tunnel.dst == dst and tunnel.id in 800-900", "geneve.vni == 815"),
    ],
)
def test_tunnels(tshark: str, condition: str, theirs: str) -> None:
    command = [tshark, "-r", str(LINKS), "-Y", theirs, "-T", "fields", "-e", "frame.number"]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    found = plt.columns(LINKS, ["number"], filter=plt.where(condition)).table()["number"]
    assert [str(n) for n in found] == rows
    where = plt.where(condition)
    assert [str(n) for n, pkt in enumerate(p.read(LINKS), 1) if where.matches(pkt)] == rows


# --- Words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "same"),
    [
        ("proto == 6 && !(dst_port == 80 || dst_port == 443)", "tcp and dst_port not in (80, 443)"),
        ("NOT tcp OR dst_port IN {80}", "not tcp or dst_port == 80"),
        ("proto == 0x11", "proto == 17"),
        ("1024 <= src_port < 65536", "src_port in 1024..65535"),
        ("tcp.syn_flag == true", "tcp.syn_flag"),
        ("src == '198.51.100.101'", "src in (198.51.100.101/32,)"),
        ("src == 198.51.100.0/24", "src in 198.51.100.0-198.51.100.255"),
        ("src != 2001:db8::/32", "src not in [2001:db8::/32]"),
        ("src in ::/0", "version == 6"),
        ("not not not udp", "not udp"),
        ("wire_len > -1", "wire_len >= 0"),
        ("dst_port < 99999", "dst_port <= 65535"),
        ("dst_port != 99999", "dst_port in 0-65535"),
        ("seconds >= 0.5", "ts_sec >= 1"),
        ("seconds > -1.5", "ts_sec > -2"),
        ("wire_len > -0", "wire_len > 0"),
        ("proto == 0X11", "proto == 17"),
        ("layer2.src == '00:00:5e:00:53:1c'", "layer2.src == 00:00:5E:00:53:1C"),
        ("layer2.src == '00-00-5E-00-53-1c'", "layer2.src == 00:00:5e:00:53:1c"),
    ],
)
def test_words_for_the_same(condition: str, same: str) -> None:
    assert numbers(EDGE, condition) == numbers(EDGE, same)
    assert len(numbers(EDGE, condition)) > 0


def test_what_a_packet_lacks_compares_false() -> None:
    everything = len(numbers(EDGE, None))
    with_port = len(numbers(EDGE, "dst_port >= 0"))
    with_port_80 = len(numbers(EDGE, "dst_port == 80"))
    assert with_port < everything
    assert len(numbers(EDGE, "dst_port != 80")) == with_port - with_port_80
    assert len(numbers(EDGE, "dst_port not in ()")) == with_port
    assert len(numbers(EDGE, "not dst_port == 80")) == everything - with_port_80
    assert numbers(EDGE, "dst_port in ()") == []


def test_minus_zero_is_zero(tmp_path: Path) -> None:
    records = [p.Record(p.ethernet(), sec=n) for n in range(3)]
    path = p.write(tmp_path / "epoch.pcap", p.pcap(records))
    assert numbers(path, "seconds == -0.0") == [0]
    assert numbers(path, "seconds > -0.0") == [10**9, 2 * 10**9]


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("linktype in 9223372036854775808", 0),
        ("linktype in 0-9223372036854775808", 3),
        ("linktype in -9223372036854775809", 0),
        ("linktype in -9223372036854775809-9223372036854775808", 3),
        ("linktype > 9223372036854775808", 0),
        ("linktype < 9223372036854775808", 3),
        ("linktype < -9223372036854775809", 0),
        ("linktype > -9223372036854775809", 3),
        ("linktype <= 9223372036854775808", 3),
        ("linktype >= 9223372036854775808", 0),
        ("linktype <= -9223372036854775809", 0),
        ("linktype >= -9223372036854775809", 3),
        ("ts_sec in -5--1", 0),
        ("wire_len in -5--1", 0),
        ("wire_len < 0", 0),
        ("erf_time > 18446744073709551615", 0),
    ],
)
def test_numbers_that_no_column_holds(tmp_path: Path, condition: str, count: int) -> None:
    records = [p.Record(p.ethernet(), sec=p.EPOCH + n) for n in range(3)]
    path = p.write(tmp_path / "three.pcap", p.pcap(records))
    assert len(numbers(path, condition)) == count


def test_columns_of_which_one_is_negative(tmp_path: Path) -> None:
    """Times before 1970, by an interface's offset (draft-ietf-opsawg-pcapng section 4.2)."""
    offset = p.option(14, struct.pack("<q", -p.EPOCH - 5))
    frame = p.ethernet(p.ipv4(p.udp(), ttl=64))
    packets = [p.enhanced(frame, (p.EPOCH + second) * 10**6) for second in (0, 4, 5, 69, 70)]
    content = p.section() + p.interface(options=offset) + b"".join(packets)
    path = p.write(tmp_path / "early.pcapng", content)

    def seconds(condition: str) -> list[int]:
        return [time // 10**9 for time in numbers(path, condition)]

    assert seconds("time_ns < 0") == [-5, -1]
    assert seconds("ts_sec < ttl") == seconds("ttl > ts_sec") == [-5, -1, 0]
    assert seconds("ts_sec >= ttl") == seconds("ttl <= ts_sec") == [64, 65]
    assert seconds("ts_sec == ttl") == [64]
    assert seconds("ts_sec != ttl") == [-5, -1, 0, 65]
    assert seconds("ts_sec < time_ns") == [64, 65]
    assert seconds("time_ns <= ts_sec") == [-5, -1, 0]
    assert seconds("ts_sec < erf_time") == [-5, -1, 64, 65]  # which has no sign


def test_two_columns_of_addresses(tmp_path: Path) -> None:
    pairs = [("192.0.2.1", "192.0.2.1"), ("192.0.2.1", "192.0.2.2"), ("::1", "::1"), ("::1", "::2")]
    frames = [
        p.ethernet(p.ipv6(p.udp(), src=src, dst=dst), 0x86DD)
        if ":" in src
        else p.ethernet(p.ipv4(p.udp(), src=src, dst=dst))
        for src, dst in pairs
    ]
    frames.append(p.ethernet(bytes(28), 0x0806))
    records = [p.Record(frame, sec=n) for n, frame in enumerate(frames)]
    path = p.write(tmp_path / "land.pcap", p.pcap(records))
    assert numbers(path, "src == dst") == [0, 2 * 10**9]
    assert numbers(path, "src != dst") == [10**9, 3 * 10**9]


def test_two_columns_of_addresses_of_which_one_was_cut(tmp_path: Path) -> None:
    """Of IPv4's header (RFC 791) the source ends after 16 bytes, of IPv6's (RFC 8200) after 24."""
    for frame, end in (
        (p.ethernet(p.ipv4(p.udp())), 30),
        (p.ethernet(p.ipv6(p.udp()), 0x86DD), 38),
    ):
        pkt = p.packet_of(frame[:end], tmp_path, wire=len(frame))
        assert plt.where("src not in () and not (dst not in ())").matches(pkt)
        for condition in ("src == dst", "src != dst", "dst != src"):
            assert not plt.where(condition).matches(pkt)
            assert plt.where(f"not ({condition})").matches(pkt)


def test_gratuitous_arp(tmp_path: Path) -> None:
    """RFC 5227 section 1.1: an announcement has the same address at both places."""
    for target in ("192.0.2.1", "192.0.2.2"):
        message = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + p.MAC[:6]
        message += ip_address("192.0.2.1").packed + bytes(6) + ip_address(target).packed
        pkt = p.packet_of(p.ethernet(message, 0x0806), tmp_path)
        same = target == "192.0.2.1"
        assert plt.where("arp.sender_prefix == arp.target_prefix").matches(pkt) is same
        assert not plt.where("arp.sender_prefix == src").matches(pkt)
        assert not plt.where("src != arp.sender_prefix").matches(pkt)


def test_lists_of_many_ip6_addresses(tmp_path: Path) -> None:
    sources = [int(ip_address("2001:db8::")) + (n << 64) + n for n in range(40)]
    frames = [
        p.ethernet(p.ipv6(p.udp(), p.UDP, src=str(ip_address(source))), 0x86DD)
        for source in sources
    ]
    records = [p.Record(frame, sec=n) for n, frame in enumerate(frames)]
    path = p.write(tmp_path / "ip6.pcap", p.pcap(records))
    listed = {n for n in range(40) if n % 3 != 1}
    items = ", ".join(str(ip_address(sources[n])) for n in listed)
    times = [n * 10**9 for n in range(40)]
    assert numbers(path, f"src in ({items})") == [times[n] for n in sorted(listed)]
    assert numbers(path, f"src not in ({items})") == times[1::3]


@pytest.mark.parametrize(
    "prefixes", ["2001:db8::/64, 2001:db8::/32", "2001:db8::/32, 2001:db8::/64"]
)
def test_ip6_prefixes_within_each_other(prefixes: str, tmp_path: Path) -> None:
    for address, is_in in (("2001:db8::1", True), ("2001:db8:0:1::1", True), ("2001:db9::", False)):
        packet = p.packet_of(p.ethernet(p.ipv6(p.udp(), p.UDP, src=address), 0x86DD), tmp_path)
        assert plt.where(f"src in ({prefixes})").matches(packet) is is_in


def test_times(tmp_path: Path) -> None:
    utc = datetime.UTC
    records = [p.Record(p.ethernet(), sec=p.EPOCH + n) for n in range(5)]
    path = p.write(tmp_path / "times.pcap", p.pcap(records))

    def seconds(condition: str) -> list[int]:
        return [time // 10**9 - p.EPOCH for time in numbers(path, condition)]

    third = datetime.datetime.fromtimestamp(p.EPOCH + 2, utc)
    assert seconds(f'time >= "{third.isoformat()}"') == [2, 3, 4]
    assert seconds(f'time == "{third.isoformat().replace("+00:00", "Z")}"') == [2]
    east = third.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    assert seconds(f"ts > '{east.isoformat(' ')}'") == [3, 4]
    assert seconds("time > '2010-01-01T00:00:00.999999999Z'") == [1, 2, 3, 4]
    assert seconds("time > '2009-12-31Z' and time < '2010-01-02Z'") == [0, 1, 2, 3, 4]
    assert seconds(f"time_ns == {(p.EPOCH + 1) * 10**9}") == [1]
    assert seconds(f"seconds == {p.EPOCH + 4}") == [4]
    assert seconds("time > '0001-01-01Z' and time < '9999-12-31Z'") == [0, 1, 2, 3, 4]


#: RFC 3339 section 5.6, of which a date alone is a part; each is within a day of 2010-01-02.
GOOD_TIMES = {
    "2010-01-02T03:04:05Z": (2, 3, 4, 5),
    "2010-01-02t03:04:05z": (2, 3, 4, 5),
    "2010-01-02 03:04:05+00:00": (2, 3, 4, 5),
    "2010-01-02T23:59:60Z": (3, 0, 0, 0),  # a leap second
    "2010-01-02T03:04:05-05:30": (2, 8, 34, 5),
    "2010-01-02T03:04:05+23:59": (1, 3, 5, 5),
    "2010-01-02Z": (2, 0, 0, 0),
    "2010-01-02+02:00": (1, 22, 0, 0),
    "2010-01-02T03:04:05.0000000001234567Z": (2, 3, 4, 5),
}


@pytest.mark.parametrize("text", GOOD_TIMES)
def test_forms_of_times(text: str, tmp_path: Path) -> None:
    day, hour, minute, second = GOOD_TIMES[text]
    meant = p.EPOCH + ((day - 1) * 24 + hour) * 3600 + minute * 60 + second
    records = [p.Record(p.ethernet(), sec=meant + n) for n in (-1, 0, 1)]
    path = p.write(tmp_path / "times.pcap", p.pcap(records))
    assert numbers(path, f"time == '{text}'") == [meant * 10**9]


@pytest.mark.parametrize(
    "text",
    [
        *("", "2010", "2010-01", "2010-1-2Z", "2010/01/02Z", "0000-01-01Z", "201x-01-01Z"),
        *("2010-00-01Z", "2010-13-01Z", "2010-01-00Z", "2010-01-32Z", "2010-02-29Z", "2010-0101Z"),
        *("2010-01-01", "2010-01-01ZZ", "2010-01-01z ", "2010-01-01T", "2010-01-01TZ"),
        *("2010-01-01T24:00:00Z", "2010-01-01T-1:00:00Z", "2010-01-01T1:00:00Z"),
        *("2010-01-01T00:60:00Z", "2010-01-01T00:0x:00Z", "2010-01-01T0000:00Z"),
        *("2010-01-01T00:00:61Z", "2010-01-01T00:00:0Z", "2010-01-01T00:00Z"),
        *("2010-01-01T00:0000Z", "2010-01-01T00:00:00.", "2010-01-01T00:00:00,5Z"),
        *("2010-01-01T00:00:00+", "2010-01-01T00:00:00+5:00", "2010-01-01T00:00:00+24:00"),
        *("2010-01-01T00:00:00+00", "2010-01-01T00:00:00+0000", "2010-01-01T00:00:00+00:60"),
        *("2010-01-01T00:00:00+00:0", "2010-01-01T00:00:00+00:0x", "2010-01-01T00:00:00+00:000"),
        *("2010-01-01T00:00:00-x0:00", "2010-01-01T00:00:00.5", "2010-01-01T00:00:00.5Z+00:00"),
    ],
)
def test_texts_that_are_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="this is no time with its zone"):
        plt.where(f"time > '{text}'")


@given(st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 1, 1)))
@settings(deadline=None)
def test_dates_are_those_of_datetime(moment: datetime.datetime) -> None:
    text = moment.isoformat() + "Z"
    later = moment > datetime.datetime(2010, 1, 1)
    assert plt.where(f"time < '{text}'").matches(ONE_PACKET) == later


def one_packet() -> plt.packet:
    with tempfile.TemporaryDirectory() as folder:
        return p.packet_of(p.ethernet(p.ipv4(p.tcp(), p.TCP)), Path(folder))


ONE_PACKET = one_packet()

BAD = [
    ("", "the condition is empty", 0),
    ("  ", "the condition is empty", 2),
    ("proto == 6 and dst_prt == 80", "no column is named dst_prt; near: dst_port", 15),
    ("proto = 6", "= is no comparison: write ==", 6),
    ("proto ==", "a name or a value is to stand here", 8),
    ("src == 5", "an address or a prefix is compared here", 7),
    ("proto == 10.0.0.1", "a number is compared here", 9),
    ("(proto == 6", "this parenthesis is not closed", 0),
    ("proto == 6)", "and, or or the end is to stand here", 10),
    ("proto == 6 dst_port == 80", "and, or or the end is to stand here", 11),
    ("dst_port in (1,2", "a comma or the end of the list is to stand here", 16),
    ("src in 192.0.2.0/33", "this is no address or prefix", 7),
    ("src in 192.0.2.256", "this is no address or prefix", 7),
    ("src == 00:11:22:33:44:55", "this is no address or prefix", 7),
    ("time > '2010-01-01T00:00:00'", "this is no time with its zone", 7),
    ("time > '2010-02-30Z'", "this is no time with its zone", 7),
    ("time", "a time is to be compared", 0),
    ("src", "an address is to be compared", 0),
    ("tcp == 3", "a header is there or not", 0),
    ("3 == tcp", "a header is there or not", 5),
    ("dst_port == tcp", "a header is there or not", 12),
    ("dst_port in (80-tcp)", "a list holds values, and no names", 16),
    ("dst_port == 0x", "this is no number", 12),
    ("dst_port == 0y1", "this is no number", 12),
    ("seconds > 1.5x", "this is no number of up to 15 digits", 10),
    ("seconds > 1.2345678901234567890", "this is no number of up to 15 digits", 10),
    (f"seconds > 0.{'0' * 22}1", "this is no number of up to 15 digits", 10),
    ("dst_port in 9223372036854775808-80", "this range ends before it begins", 32),
    ("linktype in 9223372036854775809-9223372036854775808", "this range ends before", 32),
    ("dst_port in tcp", "a list holds values, and no names", 12),
    ("5 == 5", "two values are compared, and no name", 5),
    ("5", "this value is compared with nothing", 0),
    ("src < 192.0.2.1", "addresses are compared by ==, != and in", 6),
    ("src == dst_port", "an address and a number are not compared", 7),
    ("dst_port == 1.5", "an integer is compared here", 12),
    ("dst_port == 1x", "this is no number", 12),
    ("dst_port == 99999999999999999999", "this number is too large", 12),
    ("src & 3 == 1", "a mask is for integers", 4),
    ("dst_port & src", "an integer is to follow &", 11),
    ("dst_port in 90-80", "this range ends before it begins", 15),
    ("src in 192.0.2.9-192.0.2.1", "this range ends before it begins", 17),
    ("src in 192.0.2.1-::1", "a range is of addresses of one version", 17),
    ("dst_port not 80", "in is to follow not here", 13),
    ("'abc", "the quotation mark is not closed", 0),
    ("layer2.src == 5", "a MAC address is compared here", 14),
    ("layer2.src == 00:11:22:33:44", "this is no address or prefix", 14),
    ("layer2.src == '00:11:22:33:44:5g'", "a MAC address is compared here", 14),
    ("layer2.src == 'g0:11:22:33:44:55'", "a MAC address is compared here", 14),
    ("layer2.src == '00:11:22:33:44-55'", "a MAC address is compared here", 14),
    ("layer2.src == '00.11.22.33.44.55'", "a MAC address is compared here", 14),
    ("layer2.src == '00:11:22:33:44:5'", "a MAC address is compared here", 14),
    ("layer2.src", "a MAC address is to be compared", 0),
    ("tcp & 1", "a mask is for integers", 4),
    ("seconds & 1 == 1", "a mask is for integers", 8),
    ("layer2.src == ttl", "a MAC address is compared with MAC addresses only", 14),
    ("layer2.src & 1 == 1", "a mask is for integers", 11),
    ("ttl == 00:11:22:33:44:55", "a number is compared here", 7),
    ("tcp and ; udp", "this is neither a name nor a value nor an operator", 8),
    ("seconds == ts_sec", "this is compared with numbers only", 0),
    ("ts_sec == seconds", "this is compared with numbers only", 10),
    ("dst_port == src_port & 1", "a mask stands on the left side", 12),
    ("5 in (5)", "a column is to stand before in", 0),
    ("tcp in (5)", "a column is to stand before in", 0),
    ("src == ''", "an address or a prefix is compared here", 7),
    ("src == '192.0.2.0/'", "an address or a prefix is compared here", 7),
    ("src == '/24'", "an address or a prefix is compared here", 7),
    (f"src == '{'0' * 60}::'", "an address or a prefix is compared here", 7),
    ("src in 192.0.2.1-5", "an address or a prefix is compared here", 17),
    ("src == '192.0.2.0/x'", "an address or a prefix is compared here", 7),
    ("time > '201'", "this is no time with its zone", 7),
    ("time > '20x0-01-01Z'", "this is no time with its zone", 7),
    ("time > '2010-01-01T24:00:00Z'", "this is no time with its zone", 7),
    ("time > '2010-01-01T00:00:00.Z'", "this is no time with its zone", 7),
    ("dst_port & ; == 1", "this is neither a name nor a value nor an operator", 11),
    ("dst_port in (;)", "this is neither a name nor a value nor an operator", 13),
    ("dst_port in (80-;)", "this is neither a name nor a value nor an operator", 16),
    ("dst_port in (and)", "a name or a value is to stand here", 13),
    ("tcp or and", "a name or a value is to stand here", 7),
    ("dst_port in (80-and)", "a name or a value is to stand here", 16),
    ("tcp or ; == 1", "this is neither a name nor a value nor an operator", 7),
    ("dst_port == -;", "this is neither a name nor a value nor an operator", 13),
    ("dst_port == -tcp", "a number is to follow -", 13),
    ("not ;", "this is neither a name nor a value nor an operator", 4),
    ("(;)", "this is neither a name nor a value nor an operator", 1),
    ("(tcp udp)", "and, or or a closing parenthesis is to stand here", 5),
    ("(tcp) ;", "this is neither a name nor a value nor an operator", 6),
    ("dst_port in (1.5)", "an integer is compared here", 13),
    ("dst_port in 1-1.5", "an integer is compared here", 14),
    ("dst_port not ;", "this is neither a name nor a value nor an operator", 13),
    ("tcp or " * 40 + "; == 1", "this is neither a name nor a value nor an operator", 280),
    ("x" * 190 + " == 1", "no column is named " + "x" * 60, 0),
    ("community_id == '1:a='", "conditions do not compare texts such as this", 0),
    ("tunnel.kind == 'vxlam'", 'this is no kind of tunnel, as "vxlan" is one', 15),
    ("tunnel.kind == 5", 'this is no kind of tunnel, as "vxlan" is one', 15),
    ("tunnel.kind < 'gre'", "kinds of tunnels have no order", 14),
    ("tunnel.kind in ('gre'-'vxlan')", "kinds of tunnels have no order", 16),
    ("tunnel.kind == tunnel.id", "a kind of tunnel is compared with its name", 15),
    ("tunnel.id == tunnel.kind", "a kind of tunnel is compared with its name", 13),
    ("tunnel.kind & 1", "a mask is for integers", 12),
    ("tunnel.src", "an address is to be compared", 0),
    ("(" * 300 + "tcp" + ")" * 300, "more than 200 parentheses are open here", 200),
]


@pytest.mark.parametrize(("condition", "message", "at"), BAD)
def test_a_bad_condition_says_what_and_where(condition: str, message: str, at: int) -> None:
    with pytest.raises(ValueError, match=r"\^") as caught:
        plt.where(condition)
    first, line, marks = str(caught.value).split("\n")
    assert first.startswith(message)
    assert line == "    " + condition[max(0, at - 200) : at + 200]
    assert marks.index("^") == min(at, 200) + 4


def test_a_bad_condition_of_several_lines_shows_the_one_it_is_about() -> None:
    with pytest.raises(ValueError, match="no column is named prt") as caught:
        plt.where("tcp and (\n  dst_port == 80 or\n  prt == 443\n)")
    assert str(caught.value).split("\n")[1:] == ["      prt == 443", "      ^^^"]
    with pytest.raises(ValueError, match="a name or a value is to stand here") as caught:
        plt.where("tcp and\n")
    assert str(caught.value).split("\n")[1:] == ["    ", "    ^"]


@given(st.text(alphabet="tcp and(or)not in,<>=!&-.:/0123456789'\"srdtme_\n", max_size=60))
@settings(max_examples=2000, deadline=None)
def test_any_text_is_a_condition_or_a_value_error(text: str) -> None:
    where = None
    with contextlib.suppress(ValueError):
        where = plt.where(text)
    assert where is None or where.matches(ONE_PACKET) in (True, False)


def test_long_conditions() -> None:
    many = " or ".join(f"dst_port == {port}" for port in range(0, 65536, 2))
    assert numbers(DNS, many) == numbers(DNS, "dst_port & 1 == 0")
    ports = ",".join(map(str, range(1, 65536, 2)))
    assert numbers(DNS, f"dst_port in ({ports})") == numbers(DNS, "dst_port & 1 == 1")
    assert plt.where("not " * 100_000 + "tcp").matches(ONE_PACKET)
    with pytest.raises(ValueError, match="at most"):
        plt.where("tcp or " * 150_000 + "tcp")


# --- Wherever a filter is taken ----------------------------------------------------------------


def test_traces_columns_flows_and_dns_take_it() -> None:
    where = plt.where("udp and (src_port == 53 or dst_port == 53)")
    count = len(numbers(DNS, where.expression))
    with plt.trace(DNS) as trace:
        trace.conf_filter(where)
        assert sum(1 for _ in trace) == count
    table = natkit.FlowTable()
    assert table.add_trace(DNS, where) == count
    for workers in (1, 2):
        both = natkit.flows([DNS, DNS], filter=where, workers=workers)
        assert both.packets == 2 * count
        columns = plt.columns([DNS, DNS], ["time"], filter=where, workers=workers)
        assert len(columns.table()) == 2 * count
    idents = [pldns.ldns(pkt.udp_payload).ident for pkt in p.read(DNS) if where.matches(pkt)]
    assert pldns.columns(DNS, ["id"], filter=where).table()["id"].tolist() == idents
    assert isinstance(where, plt.filter)
    assert where.expression == "udp and (src_port == 53 or dst_port == 53)"


def test_headers_are_there_where_the_attributes_are(tmp_path: Path) -> None:
    for pkt in p.read(mixed_trace(tmp_path)):
        for name in ("arp", "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "sctp"):
            assert plt.where(name).matches(pkt) == (getattr(pkt, name) is not None)


def test_tags_are_looked_through(tmp_path: Path) -> None:
    echo = p.ipv4(p.icmp(8), p.ICMP)
    tagged = p.ethernet(struct.pack(">HH", 5, 0x0800) + echo, 0x8100)
    where = plt.where("vlan_id == 5 and icmp.type == 8")
    assert where.matches(p.packet_of(tagged, tmp_path))
    assert not where.matches(p.packet_of(p.ethernet(echo), tmp_path))


def test_conditions_are_values() -> None:
    where = plt.where("tcp and dst_port == 80")
    assert repr(where) == "plt.where('tcp and dst_port == 80')"
    assert pickle.loads(pickle.dumps(where)) == copy.copy(where) == where
    assert hash(plt.where("tcp and dst_port == 80")) == hash(where)
    assert where != plt.where("tcp")
    assert where != plt.filter("tcp and dst_port == 80")
    assert where.__init__("udp") is None  # type: ignore[misc]
    assert where.expression == "tcp and dst_port == 80"


def test_what_is_no_packet() -> None:
    where = plt.where("tcp")
    for other, kind in ((ONE_PACKET.tcp, "plt.tcp"), (5, "int")):
        with pytest.raises(TypeError, match=rf"matches\(\) takes a packet, not {kind}"):
            where.matches(other)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nothing was read"):
        where.matches(plt.packet())
    with pytest.raises(TypeError):
        plt.where(b"tcp")  # type: ignore[arg-type]
    for text in ("tcp\0", "größe == 1", "\udc80"):
        with pytest.raises(ValueError, match="ASCII text without NUL"):
            plt.where(text)
    with pytest.raises(ValueError, match="no expression"):
        plt.where.__new__(plt.where).matches(ONE_PACKET)


def test_one_that_was_not_initialised_equals_only_such() -> None:
    empty, other = (plt.where.__new__(plt.where) for _ in range(2))
    assert empty == other
    assert hash(empty) == hash(other)
    assert (empty != other) is False
    assert empty != plt.where("tcp")
    assert plt.where("tcp") != empty
    assert repr(empty) == "plt.where()"
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(empty))
