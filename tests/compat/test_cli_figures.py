"""The command line's figures are those of capinfos, tshark, editcap and mergecap."""

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from command_line import DNS, EDGE, LINKS, plt_run
from tshark_fields import Frame, frames

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")

TRACES = [EDGE, DNS]
SECOND = 10**9
PCAP_HEADER = 24


def tool(*words: str | Path) -> str:
    """What a program of Wireshark's prints; the test is skipped where it is not installed."""
    if shutil.which(str(words[0])) is None:
        pytest.skip(f"{words[0]} is not installed")
    with tempfile.TemporaryDirectory() as empty:
        env = dict(os.environ, WIRESHARK_CONFIG_DIR=empty, HOME=empty, LC_ALL="C.UTF-8", TZ="UTC")
        return subprocess.run(
            [str(word) for word in words], capture_output=True, text=True, env=env, check=True
        ).stdout


def tshark(trace: str | Path, *words: str) -> str:
    """What tshark prints of a trace."""
    return tool("tshark", "-n", "-r", trace, *words)


@pytest.fixture(scope="module")
def edge() -> list[Frame]:
    """The first trace as tshark has it."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    return list(frames(Path(EDGE)))


def ns(text: str) -> int:
    """Nanoseconds of seconds with a fraction."""
    return int(Decimal(text) * SECOND)


def iso_ns(text: str) -> int:
    """Nanoseconds since the epoch of a time that a command printed."""
    import numpy as np  # noqa: PLC0415  an extra

    assert text.endswith("Z")
    return int(np.datetime64(text[:-1], "ns").astype(int))


# --- info ------------------------------------------------------------------------------------


def info_is_that_of_capinfos(trace: Path) -> None:
    """Packets, sizes, times and order; bytes where all packets have an FCS, or none has."""
    try:
        printed = tool(
            "capinfos", "-T", "-M", "-r", "-t", "-c", "-s", "-d", "-a", "-e", "-o", "-S", trace
        )
    except subprocess.CalledProcessError:
        pytest.skip("capinfos can't read it")
    if trace.suffix == ".duck":
        pytest.skip("capinfos 4.4 takes it for CommView's format")
    _, kind, packets, size, octets, first, last, order = printed.rstrip("\n").split("\t")
    done = plt_run("info", "--json", trace)
    if done.code == 1 and "cut" in done.err:
        pytest.skip("it is damaged, of which capinfos has another opinion")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["file_bytes"] == int(size)
    assert found["format"].startswith({"erf": "erf", "pcapng": "pcapng"}.get(kind, "pcap"))
    assert found["packets"] == int(packets)
    if found["packets"]:
        if first == "n/a" or ns(last) >= 2**63:
            assert first == "n/a" or found["first"] is None  # 64 bits can't hold it
        else:
            assert (iso_ns(found["first"]), iso_ns(found["last"])) == (ns(first), ns(last))
            assert (found["out_of_order"] == 0) == (order == "True")
        names = {entry["name"] for entry in found["link_types"]}
        if names == {"Ethernet"} and kind != "erf":
            assert found["wire_bytes"] == int(octets) + 4 * int(packets)
        elif names == {"raw IP"}:
            assert found["wire_bytes"] == int(octets)


@pytest.mark.parametrize("trace", TRACES, ids=os.path.basename)
def test_info_is_that_of_capinfos(trace: str) -> None:
    info_is_that_of_capinfos(Path(trace))


def test_info_of_the_corpus(trace_name: str, corpus: Path) -> None:
    info_is_that_of_capinfos(corpus / "traces" / trace_name)


def test_info_knows_formats(trace_name: str, corpus: Path) -> None:
    """That which the corpus' manifest says."""
    rows = (corpus / "traces" / "MANIFEST.tsv").read_text().splitlines()[1:]
    kind = next(row.split("\t")[1] for row in rows if row.split("\t")[0] == trace_name)
    known = ("pcap", "pcapng", "erf", "tsh", "duck", "legacyeth", "legacyatm", "legacypos")
    if kind not in known:
        pytest.skip(f"the manifest says {kind}")
    found = json.loads(plt_run("info", "--json", corpus / "traces" / trace_name).out)
    assert found["format"].partition(",")[0].partition(" ")[0] == kind


def test_protocols_and_ports_are_those_of_tshark(edge: list[Frame]) -> None:
    protocols: Counter[tuple[int | None, int | None]] = Counter()
    octets: Counter[tuple[int | None, int | None]] = Counter()
    ports: Counter[tuple[int, int]] = Counter()
    for frame in edge:
        key = (frame.version, frame.proto if frame.version else frame.ethertype)
        protocols[key] += 1
        octets[key] += frame.wire_len
        if frame.transport in ("tcp", "udp"):
            field = frame.transport
            both = {frame.number(f"{field}.srcport"), frame.number(f"{field}.dstport")}
            ports.update(({"tcp": 6, "udp": 17}[field], port) for port in both - {None})
    found = json.loads(plt_run("info", "--json", "--top", "5", EDGE).out)
    assert {(x["ip_version"], x["number"]): x["packets"] for x in found["protocols"]} == protocols
    assert {(x["ip_version"], x["number"]): x["bytes"] for x in found["protocols"]} == octets
    # port 7 over UDP is in later fragments too, which have none of their own
    assert [(x["proto"], x["port"], x["packets"]) for x in found["ports"]] == [
        (*key, n) for key, n in ports.most_common(5)
    ]


# --- Rows ------------------------------------------------------------------------------------


def test_packets_are_those_of_tshark(edge: list[Frame]) -> None:
    fields = "time,version,proto,src,dst,tcp.src_port,udp.dst_port,tcp.flags,ip.ident,wire_len"
    rows = plt_run("packets", "--fields", fields, EDGE).rows

    def text(value: object) -> str:
        return "" if value is None else str(value)

    assert len(rows) == len(edge) == 10_000
    for row, frame in zip(rows, edge, strict=True):
        tcp, udp = frame.transport == "tcp", frame.transport == "udp"
        address = {4: "ip", 6: "ipv6", None: "none"}[frame.version]
        assert iso_ns(row[0]) == frame.time_ns
        assert row[1:] == [
            text(frame.version),
            text(frame.proto or 0),
            text(frame.text(f"{address}.src")),
            text(frame.text(f"{address}.dst")),
            text(frame.number("tcp.srcport") if tcp else None),
            text(frame.number("udp.dstport") if udp else None),
            text(frame.number("tcp.flags") if tcp else None),
            text(frame.number("ip.id") if frame.version == 4 else None),
            text(frame.wire_len),
        ]


def test_a_filter_is_that_of_tcpdump(edge: list[Frame]) -> None:
    """libpcap's `tcp port 80` sees no tags."""
    wanted = [
        frame.time_ns
        for frame in edge
        if "vlan.id" not in frame.cells
        and frame.transport == "tcp"
        and "80" in (frame.text("tcp.srcport"), frame.text("tcp.dstport"))
    ]
    rows = plt_run("packets", "--filter", "tcp port 80", "--fields", "time", EDGE).rows
    assert [iso_ns(row[0]) for row in rows] == wanted


def test_the_largest_packets_come_first(edge: list[Frame]) -> None:
    rows = plt_run("packets", "-n", "--sort", "wire_len", "--fields", "wire_len", EDGE).rows
    wanted = sorted(enumerate(edge, 1), key=lambda item: -item[1].wire_len)
    assert rows == [[str(number), str(frame.wire_len)] for number, frame in wanted]
    few = plt_run(
        "packets", "-n", "--sort", "wire_len", "--limit", "70", "--fields", "wire_len", EDGE
    )
    assert few.rows == rows[:70]
    last = plt_run("packets", "-n", "--sort", "wire_len", "--reverse", "--fields", "wire_len", EDGE)
    assert last.rows[0] == next(
        [str(number), str(frame.wire_len)]
        for number, frame in enumerate(edge, 1)
        if frame.wire_len == min(f.wire_len for f in edge)
    )


def test_sorted_by_address_and_missing_ones_last(edge: list[Frame]) -> None:
    from ipaddress import ip_address  # noqa: PLC0415

    rows = plt_run("packets", "--sort", "src", "--fields", "src", EDGE).rows
    addresses = [
        f.text("ip.src") if f.version == 4 else f.text("ipv6.src") for f in edge if f.version
    ]
    wanted = sorted(map(ip_address, addresses), key=lambda a: (a.version, int(a)))
    assert [row[0] for row in rows] == [str(a) for a in wanted] + [""] * 14


def test_flows_are_conversations_of_tshark() -> None:
    """The conversations of TCP with the most bytes; tshark's have no FCS."""
    fields = "src_prefix,src_port,dst_prefix,dst_port,packets,bytes"
    tcp = "tcp or (vlan and tcp)"
    rows = plt_run("flows", "--limit", "3", "--fields", fields, "--filter", tcp, EDGE).rows
    assert len(rows) == 3
    for source, source_port, destination, destination_port, packets, octets in rows:
        family = "ipv6" if ":" in source else "ip"
        condition = (
            f"{family}.addr == {source} and {family}.addr == {destination} and "
            f"tcp.port == {source_port} and tcp.port == {destination_port}"
        )
        lengths = tshark(EDGE, "-Y", condition, "-T", "fields", "-e", "frame.len").split()
        assert len(lengths) == int(packets)
        assert sum(map(int, lengths)) + 4 * len(lengths) == int(octets)


def test_all_packets_of_ip_are_in_flows() -> None:
    """14 packets are ARP: tutorial/traces/README.md."""
    for more in ([], ["--idle-timeout", "1s"], ["--active-timeout", "5s", "--vlan"]):
        rows = plt_run("flows", "--fields", "packets", *more, EDGE).rows
        assert sum(int(row[0]) for row in rows) == 10_000 - 14


def test_round_trips_are_those_of_tshark() -> None:
    """tshark's initial RTT is that of the SYN and its answer, and of the ACK after it."""
    ends = [word for name in ("ip", "ipv6") for word in ("-e", f"{name}.src", "-e", f"{name}.dst")]
    printed = tshark(
        LINKS, "-Y", "tcp.analysis.initial_rtt", "-T", "fields", "-E", "occurrence=l",
        "-e", "tcp.srcport", "-e", "tcp.dstport", "-e", "tcp.analysis.initial_rtt", *ends,
    )  # fmt: skip
    theirs = {}
    for line in printed.splitlines():
        source, destination, rtt, *_ = line.split("\t")
        theirs[frozenset((source, destination))] = float(rtt)
    fields = "src_port,dst_port,client_rtt,server_rtt"
    rows = plt_run("flows", "--tcp", "--decap", "--fields", fields, LINKS).rows
    compared = 0
    for source, destination, client, server, _ in rows:
        if client and server:
            both = float(client) + float(server)
            assert both == pytest.approx(theirs[frozenset((source, destination))], abs=1e-9)
            compared += 1
    assert compared > 80


def test_first_packets_and_statistics_are_those_of_tshark() -> None:
    """A size is that of the IP packet; a stream's forward direction is that of its first packet."""
    condition = "tcp.port in {443, 5201} and not icmp and not icmpv6 and not ip.proto == 41"
    names = ("tcp.stream", "tcp.srcport", "frame.time_epoch", "ip.len", "ipv6.plen")
    words = [word for name in names for word in ("-e", name)]
    streams: dict[str, list[tuple[str, int, int]]] = {}
    for line in tshark(EDGE, "-Y", condition, "-T", "fields", *words).splitlines():
        stream, port, time, v4, v6 = line.split("\t")
        size = int(v4) if v4 else 40 + int(v6)  # RFC 8200: the length of what follows 40 bytes
        streams.setdefault(stream, []).append((port, ns(time), size))
    wanted = []
    for packets in streams.values():
        ports, times, sizes = zip(*packets, strict=True)
        ways = [1 if port == ports[0] else -1 for port in ports]
        gaps = [0, *(later - time for time, later in pairwise(times))]
        figures = [statistics.mean(sizes), statistics.stdev(sizes), statistics.mean(gaps[1:]) / 1e9]
        wanted.append((ways[:5], list(sizes[:5]), gaps[:5], figures))
    assert len(wanted) > 40
    fields = "first_ways,first_sizes,first_gaps,size_mean,size_std,gap_mean"
    where = "tcp and (src_port in (443, 5201) or dst_port in (443, 5201))"
    options = ["--sort", "first_time", "--where", where]
    rows = plt_run("flows", "--first", "5", "--statistics", "--fields", fields, *options, EDGE).rows
    assert len(rows) == len(wanted)
    for (ways, sizes, gaps, *figures, _), theirs in zip(rows, wanted, strict=True):
        assert [int(way) for way in ways.split(" ")] == theirs[0]
        assert [int(size) for size in sizes.split(" ")] == theirs[1]
        assert [round(float(gap) * SECOND) for gap in gaps.split(" ")] == theirs[2]
        assert [float(figure) for figure in figures] == pytest.approx(theirs[3], abs=1e-9)


def test_packets_in_tunnels_are_those_of_tshark() -> None:
    names = ("ip.src", "ipv6.src", "tcp.srcport")
    printed = tshark(
        LINKS, "-Y", "(vxlan or geneve or gre) and tcp", "-T", "fields", "-E", "occurrence=l",
        "-e", "frame.protocols", *[word for name in names for word in ("-e", name)],
    )  # fmt: skip
    wanted = []
    for line in printed.splitlines():
        protocols, v4, v6, port = line.split("\t")
        names = protocols.split(":")
        kind = next(name for name in names if name in ("vxlan", "geneve", "gre"))
        inside = [name for name in names if name in ("ip", "ipv6")][-1]
        wanted.append([kind, v4 if inside == "ip" else v6, port])
    fields = "tunnel.kind,src,src_port,proto"
    rows = plt_run("packets", "--decap", "--fields", fields, LINKS).rows
    tunnelled = ("vxlan", "geneve", "gre")
    assert [row[:3] for row in rows if row[0] in tunnelled and row[3] == "6"] == wanted
    assert len(wanted) > 900


def test_reassembled_messages_are_those_of_tshark() -> None:
    """tutorial/traces/README.md has 52 messages over TCP of tshark's."""
    printed = tshark(DNS, "-Y", "dns and tcp", "-T", "fields", "-e", "dns.id", "-e", "dns.length")
    theirs = Counter(
        (int(ident, 0), int(length))
        for line in printed.splitlines()
        for ident, length in zip(*(cell.split(",") for cell in line.split("\t")), strict=True)
    )
    rows = plt_run("dns", "--reassemble", "--where", "tcp", "--fields", "id,length", DNS).rows
    assert Counter((int(ident), int(length)) for ident, length in rows) == theirs
    assert theirs.total() == 52


def test_streams_are_followed_as_by_tshark() -> None:
    """What both ends said in turn: tshark prints hexadecimal numbers, those back after a tab."""
    listed = plt_run("streams", "--fields", "number,src_port,dst_port,fwd_gaps,rev_gaps", LINKS)
    whole = 0
    for number, source, destination, *gaps in [row for row in listed.rows if row[3:] == ["0", "0"]]:
        follow = plt_run("streams", "--follow", number, "--json", "--as", "hex", LINKS)
        turns = [json.loads(line) for line in follow.out.splitlines()]
        condition = f"tcp.port == {source} and tcp.port == {destination}"
        stream = tshark(LINKS, "-Y", condition, "-T", "fields", "-e", "tcp.stream").split()[0]
        printed = tshark(LINKS, "-q", "-z", f"follow,tcp,raw,{stream}").splitlines()
        theirs: list[tuple[str, str]] = []
        for line in printed:
            if re.fullmatch(r"\t?[0-9a-f]+", line):
                way = "rev" if line.startswith("\t") else "fwd"
                before = theirs.pop()[1] if theirs and theirs[-1][0] == way else ""
                theirs.append((way, before + line.strip()))
        assert [(turn["way"], turn["data"]) for turn in turns] == theirs, (number, gaps)
        whole += 1
    assert whole > 50


def test_dns_messages_are_those_of_tshark() -> None:
    """Over UDP: identifiers, names, types, codes, and times from query to response."""
    names = (
        "dns.id",
        "dns.qry.name",
        "dns.qry.type",
        "dns.flags.response",
        "dns.flags.rcode",
        "dns.time",
    )
    printed = tshark(
        DNS, "-Y", "dns and udp", "-T", "fields", "-E", "occurrence=f",
        *[word for name in names for word in ("-e", name)],
    )  # fmt: skip
    fields = "id,qname,qtype,qr,rcode,response_time"
    rows = plt_run("dns", "--filter", "udp or (vlan and udp)", "--fields", fields, DNS).rows
    wanted = [line.split("\t") for line in printed.splitlines()]
    assert len(rows) == len(wanted) == 744
    compared = 0
    for row, (ident, name, kind, response, code, took) in zip(rows, wanted, strict=True):
        assert int(row[0]) == int(ident, 0)
        assert (row[3] == "True") == (response in ("1", "True"))
        if response in ("1", "True"):
            assert int(row[4]) == int(code)
        if name and row[1]:
            asked = "" if name == "<Root>" else name
            assert row[1].removesuffix(".").lower() == asked.lower()
            assert int(row[2]) == int(kind)
        if took and row[5]:
            assert float(row[5]) == pytest.approx(float(took), abs=1e-9)
            compared += 1
    assert compared > 300


def test_rates_are_sums_of_tsharks(edge: list[Frame]) -> None:
    for text, interval in (("1s", SECOND), ("250ms", SECOND // 4), ("7s", 7 * SECOND)):
        packets: Counter[int] = Counter()
        octets: Counter[int] = Counter()
        for frame in edge:
            assert frame.time_ns is not None
            packets[frame.time_ns // interval] += 1
            octets[frame.time_ns // interval] += frame.wire_len
        rows = plt_run("rates", "--interval", text, EDGE).rows
        numbers = range(min(packets), max(packets) + 1)
        assert [iso_ns(row[0]) for row in rows] == [n * interval for n in numbers]
        assert [int(row[1]) for row in rows] == [packets[n] for n in numbers]
        assert [int(row[2]) for row in rows] == [octets[n] for n in numbers]
        rates = [octets[n] * 8 / (interval / SECOND) for n in numbers]
        assert [float(row[3]) for row in rows] == pytest.approx(rates)


# --- Files -----------------------------------------------------------------------------------


def records(path: Path) -> bytes:
    """A pcap file without its header."""
    return path.read_bytes()[PCAP_HEADER:]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The first trace as mergecap rewrites it, not compressed."""
    path = tmp_path / "plain.pcap"
    tool("mergecap", "-F", "pcap", "-w", path, EDGE)
    return path


def test_convert_copies_a_trace(plain: Path, tmp_path: Path) -> None:
    assert plt_run("convert", "-o", tmp_path / "x.pcap", EDGE).code == 0
    assert records(tmp_path / "x.pcap") == records(plain)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["--packets", "5-100,9000-"], ["-r", "5-100", "9000-10000"]),
        (["--snaplen", "40"], ["-s", "40"]),
        (
            ["--from", "2026-11-22T22:31:00Z", "--to", "2026-11-22T22:31:10.5Z"],
            ["-A", "2026-11-22T22:31:00Z", "-B", "2026-11-22T22:31:10.5Z"],
        ),
    ],
    ids=["packets", "snaplen", "time"],
)
def test_cut_is_editcap(ours: list[str], theirs: list[str], plain: Path, tmp_path: Path) -> None:
    options, ranges = theirs[:1], theirs[1:]
    if theirs[0] == "-r":
        words = [*options, plain, tmp_path / "theirs.pcap", *ranges]
    else:
        words = [*theirs, plain, tmp_path / "theirs.pcap"]
    tool("editcap", "-F", "pcap", *words)
    assert plt_run("cut", *ours, "-o", tmp_path / "ours.pcap", EDGE).code == 0
    assert len(records(tmp_path / "ours.pcap")) > 10_000
    assert records(tmp_path / "ours.pcap") == records(tmp_path / "theirs.pcap")


def test_merge_is_mergecap(tmp_path: Path) -> None:
    """The second trace has packets of the first one, at the same times: those come in pairs."""
    tool("mergecap", "-F", "pcap", "-w", tmp_path / "theirs.pcap", EDGE, DNS)
    assert plt_run("merge", "-o", tmp_path / "ours.pcap", EDGE, DNS).code == 0
    times = tshark(tmp_path / "ours.pcap", "-T", "fields", "-e", "frame.time_epoch").split()
    assert len(times) == 11_000
    assert times == sorted(times, key=Decimal)
    assert (
        times == tshark(tmp_path / "theirs.pcap", "-T", "fields", "-e", "frame.time_epoch").split()
    )
    assert len(records(tmp_path / "ours.pcap")) == len(records(tmp_path / "theirs.pcap"))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(["--packets", "3000"], ["-c", "3000"]), (["--every", "10s"], ["-i", "10"])],
)
def test_split_is_editcap(ours: list[str], theirs: list[str], plain: Path, tmp_path: Path) -> None:
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
    tool("editcap", "-F", "pcap", *theirs, plain, tmp_path / "theirs" / "x.pcap")
    done = plt_run("split", *ours, "-o", tmp_path / "ours" / "x.pcap", EDGE)
    assert done.code == 0
    by_us = sorted((tmp_path / "ours").iterdir())
    by_them = [path for path in sorted((tmp_path / "theirs").iterdir()) if records(path)]
    assert [records(path) for path in by_us] == [records(path) for path in by_them]
    assert [row[0] for row in done.rows] == [str(path) for path in by_us]
    assert [row[1] for row in done.rows] == [
        tool("capinfos", "-T", "-M", "-r", "-c", path).split()[-1] for path in by_us
    ]


def test_split_by_size(plain: Path, tmp_path: Path) -> None:
    assert plt_run("split", "--size", "100k", "-o", tmp_path / "x.pcap", EDGE).code == 0
    parts = sorted(path for path in tmp_path.iterdir() if path.name.startswith("x-"))
    assert b"".join(map(records, parts)) == records(plain)
    sizes = [path.stat().st_size for path in parts]
    # a packet of this trace takes 96 bytes at most
    assert all(100_000 - 96 < size <= 100_000 for size in sizes[:-1])


def test_anon_leaves_no_address_behind(tmp_path: Path) -> None:
    out = tmp_path / "x.pcap.gz"
    assert plt_run("anon", "-o", out, EDGE).code == 0
    lab = "ip.addr == 192.0.2.0/24 or ip.addr == 198.51.100.0/24 or ip.addr == 203.0.113.0/24"
    lab += " or ipv6.addr == 2001:db8::/32 or arp.src.proto_ipv4 == 192.0.2.0/24"
    count = ("-T", "fields", "-e", "frame.number")
    assert len(tshark(EDGE, "-Y", lab, *count).split()) > 9900
    assert tshark(out, "-Y", lab, *count) == ""
    with_key = tmp_path / "key"
    with_key.write_text("a key")
    for name in ("a.pcap", "b.pcap"):
        assert plt_run("anon", "--key-file", with_key, "-o", tmp_path / name, EDGE).code == 0
    assert (tmp_path / "a.pcap").read_bytes() == (tmp_path / "b.pcap").read_bytes()


# --- Tables ----------------------------------------------------------------------------------


def test_parquet_by_either_library(edge: list[Frame], tmp_path: Path) -> None:
    from plt.cli import parquet  # noqa: PLC0415

    duckdb = pytest.importorskip("duckdb")
    for name, writer, batch in (
        ("pyarrow", parquet.by_pyarrow, 1 << 16),
        ("pyarrow", parquet.by_pyarrow, 1000),  # fewer than the packets: written while it reads
        ("polars", parquet.by_polars, 1 << 16),
    ):
        pytest.importorskip(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parquet, "writer", lambda writer=writer: writer)
            patch.setattr(parquet, "BATCH", batch)
            path = tmp_path / f"{name}.parquet"
            assert plt_run("convert", "-o", path, EDGE).code == 0
        top = duckdb.sql(
            f"select src, count(*), sum(wire_len) from '{path}' group by src order by 2 desc, 1"
        ).fetchall()
        packets: Counter[str | None] = Counter()
        octets: Counter[str | None] = Counter()
        for frame in edge:
            address = {4: "ip.src", 6: "ipv6.src", None: "none"}[frame.version]
            packets[frame.text(address)] += 1
            octets[frame.text(address)] += frame.wire_len
        assert {source: n for source, n, _ in top} == packets
        assert {source: n for source, _, n in top} == octets
        # the first and the last packet as tshark has them, in UTC
        first, last = duckdb.sql(
            f"select epoch_ns(min(time)), epoch_ns(max(time)) from '{path}'"
        ).fetchall()[0]
        assert (first, last) == (edge[0].time_ns, edge[-1].time_ns)


def test_csv_and_json_lines(edge: list[Frame], tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    for name in ("x.csv", "x.csv.gz", "x.jsonl"):
        assert (
            plt_run("convert", "--fields", "time,src,wire_len", "-o", tmp_path / name, EDGE).code
            == 0
        )
    tables = [pl.read_csv(tmp_path / "x.csv"), pl.read_csv(tmp_path / "x.csv.gz")]
    tables.append(pl.read_ndjson(tmp_path / "x.jsonl"))
    for table in tables:
        assert table.columns == ["time", "src", "wire_len"]
        assert table["wire_len"].to_list() == [frame.wire_len for frame in edge]
        assert [iso_ns(text) for text in table["time"]] == [frame.time_ns for frame in edge]
        assert table["src"].null_count() == 14
