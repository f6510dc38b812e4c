"""What notebooks show, of all packages: HTML that is well formed and escaped."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import packets as pk
import pytest

import ipp
import natkit
import pldns
import plt

pytest.importorskip("numpy")

TRACES = Path(__file__).resolve().parents[2] / "tutorial/traces"
GET = pk.ethernet(
    pk.ipv4(pk.tcp(b"GET <b> & co", ports=(49152, 80), flags=0x18), pk.TCP, src="192.0.2.1")
)
VOID = ("br",)


class Reader(HTMLParser):
    """The rows of cells, and whether every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.texts: list[str] = []
        self.summaries: list[str] = []
        self.titles: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "b", "img")
        self.titles += [value or "" for name, value in attrs if name == "title"]
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "summary":
            self.summaries.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        elif "summary" in self.open:
            self.summaries[-1] += data


def shown(obj: Any) -> Reader:
    return Reader(obj._repr_html_())


def named(obj: Any) -> dict[str, str]:
    """The rows of a name and a value."""
    return {row[0]: row[1] for row in shown(obj).rows}


@pytest.fixture
def pkt(tmp_path: Path) -> Iterator[plt.packet]:
    with plt.trace(pk.write(tmp_path / "t", pk.pcap([GET]))) as trace:
        yield next(trace)


def test_packet_layers_values_and_bytes(pkt: plt.packet) -> None:
    """Ethernet 14 bytes, IPv4 20, TCP 20, payload 12: RFC 791 and RFC 9293 say which are where."""
    found = shown(pkt)
    assert [re.sub(r"\s+", " ", text) for text in found.summaries] == [
        pkt.info(),
        "packet",
        "layer2 14 bytes from 0",
        "ip 20 bytes from 14",
        "tcp 20 bytes from 34",
        "payload 12 bytes from 54",
    ]
    rows = {row[0]: row[1:] for row in found.rows}
    assert rows["src_prefix"] == ["192.0.2.1", "c0 00 02 01"]
    assert rows["hdr_len"] == ["5", "45"]
    assert rows["src_port"] == ["49152", "c0 00"]
    assert rows["flags"] == ["0x0018", "50 18"]
    assert rows["syn_flag"] == ["False", "18"]
    assert rows["time_ns"] == [f"{pk.EPOCH * 10**9} = 2010-01-01 00:00:00.000000000 UTC", ""]
    assert "Time to live, IPv6's hop limit." in found.titles
    text = "".join(found.texts)
    assert f"0000  {b'GET <b> & co'.hex(' '):<47}  GET <b> & co" in text


def test_packet_within_and_payload(pkt: plt.packet) -> None:
    assert pkt.tcp is not None
    assert [text.split(" ")[0] for text in shown(pkt.tcp).summaries[1:]] == [
        "packet",
        "tcp",
        "payload",
    ]
    assert pkt.tcp_payload is not None
    assert "GET <b> & co" in "".join(shown(pkt.tcp_payload).texts)
    assert shown(plt.packet()).summaries == ["Packet: nothing was read into it"]


def test_long_payloads_are_cut(tmp_path: Path) -> None:
    path = pk.write(tmp_path / "t", pk.pcap([pk.ethernet(pk.ipv4(pk.udp(bytes(1000)), pk.UDP))]))
    with plt.trace(path) as trace:
        text = "".join(shown(next(trace)).texts)
    assert text.count("00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00") == 512 // 16
    assert "... 488 more" in text


@pytest.mark.parametrize("name", [path.name for path in sorted(TRACES.glob("*.pcap*"))])
def test_all_packets_of_the_tutorial(name: str) -> None:
    """Well formed, whatever the packet; the bytes of the layers are all of it, in order."""
    with plt.trace(TRACES / name) as trace:
        for n, pkt in enumerate(trace):
            if n % 20 == 0:
                found = shown(pkt)
                extents = re.findall(r"(\d+) bytes? from (\d+)", " ".join(found.summaries))
                at = 0
                for size, start in extents:
                    assert int(start) >= at
                    at = int(start) + int(size)
                assert at == len(pkt)


def test_trace(tmp_path: Path) -> None:
    path = pk.write(tmp_path / "<t>", pk.pcap([GET] * 3))
    trace = plt.trace(path)
    assert named(trace) == {"state": "not started", "packets read": "0", "packets lost": "0"}
    assert f"plt.trace {path}" in shown(trace).texts
    with trace:
        next(trace)
        assert named(trace)["state"] == "started"
    assert named(trace) == {"state": "closed", "packets read": "1", "packets lost": "0"}


def test_table_and_columns() -> None:
    table = plt.columns(TRACES / "edge-10k.pcap.gz", ["src", "wire_len"]).table()
    found = shown(table)
    assert "10,000 rows and 2 columns" in found.texts
    assert found.rows[0] == ["srcaddress", "wire_lenuint32"]
    lengths = [str(value) for value in table["wire_len"]]
    assert [row[1] for row in found.rows[1:]] == [*lengths[:5], "…", *lengths[-5:]]
    assert [row[0] for row in found.rows[1:6]] == [
        "null" if text is None else text for text in table.text("src")[:5]
    ]
    columns = plt.columns(TRACES / "edge-10k.pcap.gz", ["src", "wire_len"])
    assert named(columns) == {name: plt.column_fields()[name] for name in ("src", "wire_len")}
    assert len(columns.table()) == 10_000  # nothing was read before
    assert "pldns.columns, not read yet" in shown(pldns.columns(TRACES / "dns-1k.pcap.gz")).texts


def test_tables_of_many_columns(tmp_path: Path) -> None:
    path = pk.write(tmp_path / "t", pk.pcap([GET]))
    found = shown(plt.columns(path, list(plt.column_fields())).table())  # type: ignore[arg-type]
    assert {len(row) for row in found.rows} == {41}


def test_texts_are_escaped() -> None:
    table = pldns.columns(TRACES / "dns-1k.pcap.gz", ["qname"], limit=1).table()
    batch = type(table._batches[0])
    state = list(table._batches[0].__reduce_ex__(2)[1][0])
    name, kind, _, _, _ = state[3][0]
    text = b"<script>\x07</script>"
    offsets = b"".join(n.to_bytes(4, state[1]) for n in (0, len(text)))
    state[2:] = [1, ((name, kind, offsets, b"\0", text),)]
    found = plt.Table([batch._from_state(tuple(state))])
    assert shown(found).rows[1] == [r"<script>\x07</script>"]


def test_flows() -> None:
    table = natkit.flows(TRACES / "edge-10k.pcap.gz")
    (largest,) = table.top(1)
    found = shown(table)
    assert f"natkit.FlowTable: {len(table):,} flows, 10,000 packets; by bytes the first 10:" in (
        found.texts
    )
    assert [row[8] for row in found.rows[1:]] == [str(flow.bytes) for flow in table.top(10)]
    assert found.rows[1][1] == str(largest.src_prefix)
    values = named(largest)
    assert values["bytes"] == str(largest.bytes)
    assert values["src_prefix"] == str(largest.src_prefix)
    assert largest.duration_ns is not None
    whole, fraction = divmod(largest.duration_ns, 10**9)
    assert values["duration seconds"] == f"{whole}.{fraction:09d}"
    table.flush()
    flows = table.expired()
    numbers = [str(flow.packets) for flow in flows]
    assert [row[7] for row in shown(flows).rows[1:]] == [*numbers[:5], "…", *numbers[-5:]]
    assert len(shown(flows[:7]).rows) == 8
    assert len(shown(natkit.FlowTable()).rows) == 1


def test_ipflow(pkt: plt.packet, tmp_path: Path) -> None:
    flow = natkit.IPflow(pkt)
    assert named(flow) == {
        "version": "4",
        "proto": "6",
        "src_prefix": "192.0.2.1",
        "src_port": "49152",
        "dst_prefix": str(flow.dst_prefix),
        "dst_port": "80",
    }
    home = natkit.FlowHome(ipp.from_s("192.0.2.0/24"))
    assert named(home.flow(pkt))["is_inward"] == "True"
    path = pk.write(tmp_path / "arp", pk.pcap([pk.ethernet(bytes(28), 0x0806)]))
    with plt.trace(path) as trace:
        assert shown(natkit.IPflow(next(trace))).rows == []


def test_prefixes() -> None:
    """Of 10.0.0.0/8: 2**24 addresses."""
    assert named(ipp.from_s("10.1.2.3/8")) == {
        "IP version": "4",
        "first": "10.0.0.0",
        "last": "10.255.255.255",
        "addresses": "16777216",
    }
    assert named(ipp.from_s("2001:db8::/32"))["addresses"] == str(2**96)
    assert named(ipp.from_s("2001:db8::1")) == {"IP version": "6"}


def test_messages_and_records() -> None:
    with plt.trace(TRACES / "dns-1k.pcap.gz") as trace:
        payloads = (pkt.udp_payload for pkt in trace)
        messages = (pldns.ldns(payload) for payload in payloads if payload is not None)
        message = next(m for m in messages if m.is_ok() and m.is_response and m.response_rr_list)
    found = shown(message)
    sections = (
        message.query_rr_list,
        message.response_rr_list,
        message.auth_rr_list,
        message.addit_rr_list,
    )
    assert [row[1] for row in found.rows[1:]] == [rr.owner for list in sections for rr in list]
    assert found.rows[1][0] == "question"
    assert found.texts[0].startswith(f"DNS response {message.ident}, QUERY, ")
    with plt.trace(TRACES / "dns-1k.pcap.gz") as trace:
        query = next(pldns.ldns(pkt.udp_payload) for pkt in trace if pkt.udp.dst_port == 53)
    title = shown(query).texts[0]
    assert title.startswith(f"DNS query {query.ident}, QUERY")
    assert "NOERROR" not in title  # which a response says
    record = message.response_rr_list[0]
    assert named(record)["rdata"] == record.rdata
    assert named(record)["type"] == f"{record.type} ({pldns.typestr(record.type)})"
    malformed = pldns.ldns(b"x")
    assert named(malformed) == {"status": f"{malformed.status}: {pldns.errorstr(malformed.status)}"}
