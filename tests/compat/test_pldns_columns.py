"""The columns of DNS messages are what pldns says of them one by one, and what tshark says."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tshark_fields import number

import pldns
import plt

pytest.importorskip("numpy")

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "tutorial" / "traces" / "dns-1k.pcap.gz"

#: The traces of the corpus in which tshark finds DNS at port 53 outside tunnels and quotes.
WITH_DNS = {
    "1kxun.pcap": 17, "KakaoTalk_chat.pcap": 36, "android.pcap": 42, "badpackets.pcap": 91,
    "capwap.pcap": 2, "dns_ambiguous_names.pcap": 20, "dns_fragmented.pcap": 43, "iphone.pcap": 38,
    "malformed_dns.pcap": 6, "malware.pcap": 2, "nintendo.pcap": 12, "skype_no_unknown.pcap": 143,
    "wa_voice.pcap": 8, "wechat.pcap": 33, "whatsapp_login_call.pcap": 4, "zoom.pcap": 12,
}  # fmt: skip

Row = dict[str, Any]


def rows(uri: object, fields: tuple[str, ...]) -> list[Row]:
    """The rows of a table as dicts, without what is missing; times in nanoseconds."""
    table = pldns.columns(uri, fields).table()  # type: ignore[arg-type]
    found: list[Row] = [{} for _ in range(len(table))]
    for name in fields:
        values, missing = table[name], table.mask(name).tolist()
        plain = values.view("int64") if values.dtype.kind in "mM" else values
        listed = [bytes(one) for one in plain] if values.ndim > 1 else plain.tolist()
        for row, value, absent in zip(found, listed, missing, strict=True):
            if not absent:
                row[name] = value
    return found


# --- Message by message ----------------------------------------------------------------------


def datagrams(uri: str) -> Iterator[tuple[plt.packet, bytes]]:
    """The packets and payloads of UDP at port 53, by the UDP header's length."""
    with plt.trace(uri) as trace:
        for pkt in trace:
            try:
                ports = {pkt.udp.src_port, pkt.udp.dst_port} if pkt.udp else set()
                size = pkt.udp.len - 8 if 53 in ports else 0
            except ValueError:  # cut within the header
                continue
            if size > 0:
                yield pkt, bytes(pkt.udp_payload or b"")[:size]


def of_message(pkt: plt.packet, payload: bytes) -> Row:
    """What the row of a message must have by pldns.ldns(): all of it if the message is ok."""
    internet = pkt.ip or pkt.ip6
    row = {
        "time": pkt.time_ns,
        "wire_len": pkt.wire_len,
        "version": internet.version,
        "src_prefix": bytes(internet.src_prefix.addr).ljust(16, b"\0"),
        "dst_prefix": bytes(internet.dst_prefix.addr).ljust(16, b"\0"),
        "src_port": pkt.udp.src_port,
        "dst_port": pkt.udp.dst_port,
        "length": pkt.udp.len - 8,
    }
    msg = pldns.ldns(payload)
    row["status"] = msg.status
    if not msg.is_ok():
        return row
    row |= {"id": msg.ident, "qr": msg.is_response}
    for name in ("opcode", "rcode", "aa", "tc", "rd", "ra", "ad", "cd"):
        row[name] = getattr(msg, name)
    counts = [len(msg.query_rr_list), len(msg.response_rr_list), len(msg.auth_rr_list)]
    row |= dict(zip(("qdcount", "ancount", "nscount"), counts, strict=True))
    for name in ("edns_udp_size", "edns_do", "edns_version", "edns_rcode"):
        if getattr(msg, name) is not None:
            row[name] = getattr(msg, name)
    if msg.question:
        question = msg.query_rr_list[0]
        row |= {"qname": question.owner, "qtype": question.type, "qclass": question.rr_class}
    return row


FIELDS = (
    "time", "wire_len", "version", "src_prefix", "dst_prefix", "src_port", "dst_port", "length",
    "id", "qr", "opcode", "rcode", "aa", "tc", "rd", "ra", "ad", "cd", "qdcount", "ancount",
    "nscount", "qname", "qtype", "qclass", "edns_udp_size", "edns_do", "edns_version", "edns_rcode",
    "status", "proto",
)  # fmt: skip


def check_datagrams(uri: str) -> tuple[int, int]:
    """Compare the rows of UDP with the messages; how many there are, and how many are ok."""
    ours = [row for row in rows(uri, FIELDS) if row.pop("proto") == 17]
    expected = [of_message(pkt, payload) for pkt, payload in datagrams(uri)]
    assert len(ours) == len(expected)
    for row, wanted in zip(ours, expected, strict=True):
        if wanted["status"] == 0:
            assert row == wanted
        else:
            assert wanted.items() <= row.items()
    return len(ours), sum(row["status"] == 0 for row in expected)


def test_datagrams_of_the_tutorials_trace() -> None:
    assert check_datagrams(str(TUTORIAL)) == (744, 744)


def test_datagrams_of_the_corpus(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str]
) -> None:
    count, _ = check_datagrams(trace_uri(corpus / "traces" / trace_name))
    assert count >= (WITH_DNS.get(trace_name, 0) > 0)


def test_whole_messages_in_tcp_segments() -> None:
    """Those that are whole in one segment, found by pldns.messages(), have rows that are ok."""
    expected = Counter()
    with plt.trace(str(TUTORIAL)) as trace:
        for pkt in trace:
            for msg in pldns.messages(pkt.tcp_payload) if pkt.tcp_payload else ():
                if msg.is_ok():
                    expected[pkt.time_ns, msg.ident, msg.question[0]] += 1
    fields = ("time", "id", "qname", "status", "proto")
    ours = Counter(
        (row["time"], row["id"], row["qname"])
        for row in rows(TUTORIAL, fields)
        if row["proto"] == 6 and row["status"] == 0
    )
    assert ours == expected
    assert ours.total() == 40


# --- tshark ----------------------------------------------------------------------------------


def dissected(tshark: str, path: Path) -> Iterator[tuple[Row, int | None]]:
    """tshark's DNS messages at port 53 and their response times in nanoseconds.

    TCP is put together, tunnels and what ICMP quotes are left out.
    """
    command = [tshark, "-r", path, "-Y", "dns && (udp.port == 53 || tcp.port == 53)", "-T", "pdml"]
    output = subprocess.run(command, capture_output=True, check=True).stdout
    for packet in ElementTree.fromstring(output):
        protocols = [proto.get("name") for proto in packet]
        if protocols.count("ip") + protocols.count("ipv6") > 1 or "icmp" in protocols:
            continue
        lower: dict[str | None, str | None] = {}
        for proto in packet:
            shown = {}
            for field in proto.iter("field"):
                shown.setdefault(field.get("name"), field.get("show"))
            if proto.get("name") == "dns":
                yield of_tshark(lower, shown)
            else:
                lower = {**shown, **lower}


def row_is_response(shown: dict[Any, Any]) -> bool:
    return bool(number(shown.get("dns.flags.response", "0")))


def of_tshark(lower: dict[Any, Any], shown: dict[Any, Any]) -> tuple[Row, int | None]:
    transport = "udp" if "udp.srcport" in lower else "tcp"
    row: Row = {
        "src_port": int(lower[f"{transport}.srcport"]),
        "dst_port": int(lower[f"{transport}.dstport"]),
    }
    numbers = {
        "id": ("dns.id",),
        "opcode": ("dns.flags.opcode",),
        "rcode": ("dns.flags.rcode",),
        "qtype": ("dns.qry.type",),
        "qdcount": ("dns.count.queries", "dns.count.zones"),
        "ancount": ("dns.count.answers", "dns.count.prerequisites"),
        "nscount": ("dns.count.auth_rr", "dns.count.updates"),
        "arcount": ("dns.count.add_rr",),
    }
    flags = {
        "qr": "response", "tc": "truncated", "rd": "recdesired", "aa": "authoritative",
        "ra": "recavail", "ad": "authenticated", "cd": "checkdisable",
    }  # fmt: skip
    for name, fields in numbers.items():
        for field in fields:
            if field in shown:
                row[name] = number(shown[field])
    for name, field in flags.items():
        # of AD in a query tshark shows now and then that it is not set
        if f"dns.flags.{field}" in shown and (row_is_response(shown) or name != "ad"):
            row[name] = bool(number(shown[f"dns.flags.{field}"]))
    if "dns.qry.name" in shown:
        name = shown["dns.qry.name"]
        row["qname"] = "." if name == "<Root>" else f"{name}."
    seconds = shown.get("dns.time")
    return row, None if seconds is None else round(float(seconds) * 1e9)


COMPARED = (
    "src_port", "dst_port", "id", "qr", "opcode", "rcode", "aa", "tc", "rd", "ra", "ad", "cd",
    "qname", "qtype", "qdcount", "ancount", "nscount", "arcount", "response_time", "proto",
)  # fmt: skip


def as_tshark_shows(row: Row) -> Row:
    """A row of pldns.columns() with what tshark shows in messages of its kind."""
    row = dict(row)
    hidden = () if row["qr"] else ("rcode", "aa", "ra", "ad")
    for name in (*hidden, "response_time", "proto"):
        row.pop(name, None)
    return row


def counted(found: list[Row]) -> Counter[tuple[tuple[str, Any], ...]]:
    return Counter(tuple(sorted(row.items())) for row in found)


def check_with_tshark(tshark: str, path: Path) -> tuple[int, int, int]:
    """Compare with tshark; how many messages, response times, and equal ones of these there are."""
    theirs, ours = list(dissected(tshark, path)), rows(path, COMPARED)
    # of a header that was cut we have the id only, also where it ends there: tshark has none then
    ids = Counter(row["id"] for row in ours if "id" in row)
    assert ids >= Counter(row["id"] for row, _ in theirs if "id" in row)
    theirs = [(row, time) for row, time in theirs if "arcount" in row]
    ours = [row for row in ours if "arcount" in row]
    shown = [as_tshark_shows(row) for row in ours]
    assert len(shown) == len(theirs)
    assert counted(shown) == counted([row for row, _ in theirs])
    key = ("src_port", "dst_port", "id")
    their_times = Counter((*(r[k] for k in key), t) for r, t in theirs if t is not None)
    our_times = Counter(
        (*(r[k] for k in key), r["response_time"]) for r in ours if "response_time" in r
    )
    return len(ours), our_times.total(), (our_times & their_times).total()


def test_tutorials_trace_with_tshark(tshark: str) -> None:
    """In 12 responses tshark counts to the last segment of a TCP message, we to its first."""
    with plt.trace(TUTORIAL) as trace:
        segmented = sum(
            1
            for pkt in trace
            for msg in (pldns.messages(pkt.tcp_payload) if pkt.tcp_payload else ())
            if not msg.is_ok()
        )
    assert segmented >= 12
    assert check_with_tshark(tshark, TUTORIAL) == (796, 356, 356 - 12)


@pytest.mark.parametrize("name", WITH_DNS)
def test_corpus_with_tshark(name: str, corpus: Path, tshark: str) -> None:
    """What tshark puts together of fragments it times at the last of them, we at the first."""
    count, timed, same = check_with_tshark(tshark, corpus / "traces" / name)
    cut = {"badpackets.pcap": 3}.get(name, 0)
    assert count == WITH_DNS[name] - cut
    assert timed - same == {"dns_fragmented.pcap": 7}.get(name, 0)
