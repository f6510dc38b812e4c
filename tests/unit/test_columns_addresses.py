"""Addresses in columns: text and bytes, in NumPy, Arrow, pandas, polars, DuckDB and Parquet."""

import pickle
import random
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import packets as pk
import pytest

import natkit
import pldns
import plt

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")

TRACES = Path(__file__).resolve().parents[2] / "tutorial/traces"
TRACE = TRACES / "edge-10k.pcap.gz"
#: Who sent most, by tshark -T fields -E occurrence=f -e ip.src -e ipv6.src -e frame.len, with 4
#: bytes of FCS for each packet, which wire_len has.
TALKERS = [("203.0.113.80", 1384504), ("198.51.100.20", 712923), ("2001:db8:ff::80", 575915)]
TEXT = pa.dictionary(pa.int32(), pa.string())

#: By hand, from RFC 5952: the longest run of zeroes, the first of equal ones, no run of one, lower
#: case, IPv4-mapped addresses in mixed notation (its section 5).
WRITTEN = {
    "2001:0db8:0000:0000:0000:0000:0000:0001": "2001:db8::1",
    "2001:0db8:0000:0001:0001:0001:0001:0001": "2001:db8:0:1:1:1:1:1",
    "2001:0db8:0000:0000:0001:0000:0000:0001": "2001:db8::1:0:0:1",
    "2001:0DB8:0001:0000:0000:0002:0000:0000": "2001:db8:1::2:0:0",
    "0000:0000:0000:0000:0000:0000:0000:0000": "::",
    "0000:0000:0000:0000:0000:ffff:c000:0201": "::ffff:192.0.2.1",
}


def sent(*pairs: tuple[str, str]) -> list[bytes]:
    """Packets from one address to another."""
    return [
        pk.ethernet(pk.ipv4(src=src, dst=dst))
        if "." in src and ":" not in src
        else pk.ethernet(pk.ipv6(src=src, dst=dst), 0x86DD)
        for src, dst in pairs
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An IPv4 packet, an IPv6 packet whose first 4 bytes are the same, and one without IP."""
    data = sent(("32.1.13.184", "192.0.2.1"), ("2001:db8::", "2001:db8::1"))
    return pk.write(tmp_path / "t", pk.pcap([*data, pk.ethernet(bytes(28), 0x0806)]))


def test_what_each_word_means(path: Path) -> None:
    octets = [ip_address(text).packed.ljust(16, b"\0") for text in ("32.1.13.184", "2001:db8::")]
    texts = ["32.1.13.184", "2001:db8::", None]
    assert octets[0] == octets[1]
    for word, kind, in_numpy, in_arrow in (
        ("auto", TEXT, [*octets, bytes(16)], texts),
        ("text", TEXT, texts, texts),
        ("binary", pa.binary(16), [*octets, bytes(16)], [*octets, None]),
    ):
        columns = plt.columns(path, ["src"], addresses=word)  # type: ignore[arg-type]
        assert pa.schema(columns).field("src").type == kind
        table = columns.table()
        arrow = pa.table(table)
        arrow.validate(full=True)
        assert arrow["src"].to_pylist() == in_arrow
        found = table["src"]
        assert [x if found.dtype == object else x.tobytes() for x in found] == in_numpy
        assert table.text("src").tolist() == texts
        assert table.mask("src").tolist() == [False, False, True]
    assert plt.columns(path, ["src"]).table()["src"].ndim == 2


def test_text_is_that_of_rfc_5952(tmp_path: Path) -> None:
    path = pk.write(tmp_path / "t", pk.pcap(sent(*[(long, long) for long in WRITTEN])))
    table = plt.columns(path, ["src"]).table()
    assert table.text("src").tolist() == list(WRITTEN.values())


def test_text_is_that_of_the_standard_library(tmp_path: Path) -> None:
    """6,000 addresses, few of them twice, with zeroes at random: more than a table begins with."""
    dice = random.Random(10)
    pairs = []
    for _ in range(3000):
        groups = [dice.choice([0, 0, 1, dice.getrandbits(16)]) for _ in range(7)]
        long = ":".join(f"{group:x}" for group in [0x2000, *groups])
        pairs.append((long, long))
        short = str(ip_address(dice.getrandbits(32)))
        pairs.append((short, short))
    path = pk.write(tmp_path / "t", pk.pcap(sent(*pairs)))
    expected = [
        socket.inet_ntop(socket.AF_INET6 if ":" in src else socket.AF_INET, ip_address(src).packed)
        for src, _ in pairs
    ]
    arrow = pa.table(plt.columns(path, ["src"]))["src"]
    assert arrow.to_pylist() == expected
    assert plt.columns(path, ["src"]).table().text("src").tolist() == expected
    (chunk,) = arrow.chunks
    assert chunk.dictionary.to_pylist() == list(dict.fromkeys(expected))


def test_a_dictionary_has_each_address_once(tmp_path: Path) -> None:
    one, two = ("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1")
    path = pk.write(tmp_path / "t", pk.pcap(sent(one, one, two, one, two)))
    (chunk,) = pa.table(plt.columns(path, ["src"]))["src"].chunks
    assert chunk.dictionary.to_pylist() == ["192.0.2.1", "192.0.2.2"]
    assert chunk.indices.to_pylist() == [0, 0, 1, 0, 1]


def test_all_missing_and_no_rows(tmp_path: Path) -> None:
    path = pk.write(tmp_path / "t", pk.pcap([pk.ethernet(bytes(28), 0x0806)] * 3))
    for filter, expected in ((None, [None] * 3), ("tcp", [])):
        arrow = pa.table(plt.columns(path, ["src"], filter=filter).table())
        arrow.validate(full=True)
        assert arrow["src"].to_pylist() == expected


def test_pickled(path: Path) -> None:
    for word in ("auto", "text", "binary"):
        table = plt.columns(path, ["src", "dst"], addresses=word).table()  # type: ignore[arg-type]
        back = pickle.loads(pickle.dumps(table))
        assert pa.table(back).equals(pa.table(table))
        assert back.text("dst").tolist() == ["192.0.2.1", "2001:db8::1", None]


@pytest.mark.parametrize("wrong", ["Text", "bytes", None, 4, b"text"])
def test_other_words(wrong: Any, path: Path) -> None:
    table = natkit.FlowTable()
    for make in (lambda **given: plt.columns(path, **given), table.columns):
        with pytest.raises(ValueError, match=r"addresses are 'auto', 'text' or 'binary', not"):
            make(addresses=wrong)
    with pytest.raises(ValueError, match=r"addresses are 'auto', 'text' or 'binary', not"):
        pldns.columns(path, addresses=wrong)


def test_flows(path: Path) -> None:
    table = natkit.flows(path)
    expected = ["32.1.13.184", "2001:db8::"]
    assert pa.table(table)["src_prefix"].to_pylist() == expected
    assert table.columns(["src_prefix"], addresses="text")["src_prefix"].tolist() == expected
    octets = table.columns("src_prefix", addresses="binary")
    assert pa.table(octets).schema.field("src_prefix").type == pa.binary(16)
    table.flush()
    ended = table.expired()
    assert pa.table(ended)["src_prefix"].to_pylist() == expected
    assert ended.columns(addresses="text")["dst_prefix"].tolist() == ["192.0.2.1", "2001:db8::1"]


def test_dns_of_many_files() -> None:
    """Responses and queries are matched by the bytes of addresses, whatever is shown of them."""
    trace = TRACES / "dns-1k.pcap.gz"
    fields = ("src", "dst", "response_time")
    whole = pa.table(pldns.columns([trace, trace], fields, workers=1))
    side_by_side = pa.table(pldns.columns([trace, trace], fields, workers=2, addresses="text"))
    assert side_by_side.to_pylist() == whole.to_pylist()
    assert whole["response_time"].null_count < len(whole)
    octets = pldns.columns(trace, "src", addresses="binary").table()
    assert octets.text("src").tolist() == whole["src"].to_pylist()[: len(octets)]


# --- Units, sources ------------------------------------------------------------------------------


def notes(schema: Any, name: str) -> dict[str, str]:
    return {k.decode(): v.decode() for k, v in (schema.field(name).metadata or {}).items()}


def test_fields_tell_units_and_sources() -> None:
    schema = pa.schema(plt.columns(TRACE, ["time", "wire_len", "tcp.doff", "proto", "src"]))
    assert schema.field("time").type == pa.timestamp("ns", "UTC")
    assert notes(schema, "time")["unit"] == "ns"
    assert notes(schema, "wire_len")["unit"] == "bytes"
    assert notes(schema, "tcp.doff") == {
        "description": plt.column_fields()["tcp.doff"],
        "unit": "4 bytes",
        "source": "TCP header (RFC 9293)",
    }
    assert "unit" not in notes(schema, "proto")
    flows = pa.schema(natkit.FlowTable())
    assert notes(flows, "rtt")["unit"] == "ns"
    assert notes(flows, "fwd_bytes")["unit"] == "bytes"
    messages = pa.schema(pldns.columns(TRACE, ["response_time", "edns_udp_size"]))
    assert notes(messages, "response_time")["unit"] == "ns"
    assert notes(messages, "edns_udp_size")["source"] == "OPT record (RFC 6891)"


@pytest.mark.parametrize("package", [plt, pldns])
def test_every_column_has_a_description_and_a_source(package: Any) -> None:
    known = package.column_fields()
    schema = pa.schema(package.columns(TRACE, list(known)))
    for name, doc in known.items():
        assert notes(schema, name)["description"] == doc
        assert notes(schema, name)["source"]


# --- Top talkers ---------------------------------------------------------------------------------


def test_top_talkers_in_sql() -> None:
    duckdb = pytest.importorskip("duckdb")
    packets = plt.columns(TRACE, ["src", "wire_len"])
    question = "select src, sum(wire_len) as n from packets where src is not null group by src"
    found = duckdb.sql(f"{question} order by n desc limit 3").fetchall()
    assert packets is not None  # DuckDB finds it by its name
    assert found == TALKERS


def test_top_talkers_in_polars() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(plt.columns(TRACE, ["src", "wire_len"])).drop_nulls()
    octets = frame.group_by("src").agg(pl.col("wire_len").cast(pl.UInt64).sum())
    assert octets.sort("wire_len", descending=True).head(3).rows() == TALKERS


def test_top_talkers_in_pandas() -> None:
    pytest.importorskip("pandas")
    frame = plt.columns(TRACE, ["src", "wire_len"]).table().to_pandas()
    octets = frame.groupby("src", observed=True)["wire_len"].sum()
    assert list(octets.nlargest(3).items()) == TALKERS


@pytest.mark.parametrize("batch", [1 << 16, 1000])
def test_top_talkers_of_parquet(batch: int, tmp_path: Path) -> None:
    """Also of batches that have a dictionary each."""
    parquet = pytest.importorskip("pyarrow.parquet")
    pl, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    name = tmp_path / "t.parquet"
    parquet.write_table(pa.table(plt.columns(TRACE, ["src", "wire_len"], batch=batch)), name)
    lazy = pl.scan_parquet(name).drop_nulls().group_by("src")
    octets = lazy.agg(pl.col("wire_len").cast(pl.UInt64).sum()).collect()
    assert octets.sort("wire_len", descending=True).head(3).rows() == TALKERS
    question = f"select src, sum(wire_len) n from '{name}' where src is not null group by src"
    assert duckdb.sql(f"{question} order by n desc limit 3").fetchall() == TALKERS


@pytest.mark.parametrize("batch", [1 << 16, 1000])
def test_batches_with_a_dictionary_each(batch: int) -> None:
    """In pyarrow, pandas by pyarrow, polars and DuckDB."""
    pl, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    pytest.importorskip("pandas")
    table = plt.columns(TRACE, ["src"], batch=batch, addresses="text")
    arrow = pa.table(table)
    expected = plt.columns(TRACE, ["src"]).table().text("src").tolist()
    assert arrow["src"].to_pylist() == expected
    assert arrow["src"].unify_dictionaries().to_pylist() == expected
    by_pandas = arrow.to_pandas()["src"].astype(object)
    assert by_pandas.where(by_pandas.notna(), None).tolist() == expected
    assert pl.DataFrame(arrow)["src"].to_list() == expected
    assert [row[0] for row in duckdb.sql("select src from arrow").fetchall()] == expected
