"""Community IDs are those that the specification publishes, tshark's, and hashlib's SHA-1."""

import base64
import hashlib
import pickle
import random
import subprocess
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import packets as pk
import pytest
from tshark_exceptions import UNREADABLE

import natkit
import plt

pytest.importorskip("numpy")

TRACES = Path(__file__).resolve().parents[2] / "tutorial/traces"
TCP, UDP, SCTP, ICMP, ICMP6, RSVP = 6, 17, 132, 1, 58, 46
V4 = ("1.2.3.4", "5.6.7.8")
V6 = ("fe80:1:203:405:607:809:a0b:c0d", "fe80:1011:1213:1415:1617:1819:1a1b:1c1d")

#: The baseline of the specification (corelight/community-id-spec): protocol, addresses, ports or
#: type and code, the ID with a seed of 0 and of 1.
BASELINE = [
    (TCP, *V4, 1122, 3344, "wCb3OG7yAFWelaUydu0D+125CLM=", "HhA1B+6CoLbiKPEs5nhNYN4XWfk="),
    (UDP, *V4, 1122, 3344, "0Mu9InQx6z4ZiCZM/7HXi2WMhOg=", "OShq+iKDAMVouh/4bMxB9Sz4amw="),
    (SCTP, *V4, 1122, 3344, "EKt4MsxuyaE6mL+hmrEkQ9csDD8=", "uitchpn5MMGAQKBJh7bIr/bAr7s="),
    (ICMP, *V4, 8, 0, "crodRHL2FEsHjbv3UkRrfbs4bZ0=", "9pr4ZGTICiuZoIh90RRYE2RyXpU="),
    (ICMP, *V4[::-1], 0, 0, "crodRHL2FEsHjbv3UkRrfbs4bZ0=", "9pr4ZGTICiuZoIh90RRYE2RyXpU="),
    (ICMP, *V4, 11, 0, "f/YiSyWqczrTgfUCZlBUnvHRcPk=", "1DD7cWGC/Yg91YGsQeni8du3pIA="),
    (ICMP6, *V6, 128, 0, "0bf7hyMJUwt3fMED7z8LIfRpBeo=", "IO27GQzPuCtNnwFvjWALMHu5tJE="),
    (ICMP6, *V6[::-1], 129, 0, "0bf7hyMJUwt3fMED7z8LIfRpBeo=", "IO27GQzPuCtNnwFvjWALMHu5tJE="),
    (ICMP6, *V6, 146, 0, "fYC8+pz24E+EhANP1EZhpX0Dw10=", "Cv4IKJe56BNkF0MBW2YxQ3Nwc3s="),
    (RSVP, *V4, None, None, "ikv3kmf89luf73WPz1jOs49S768=", "/buhqeOmaRCopOZFy9HnoJd5XW8="),
    (RSVP, *V6, None, None, "wQ/2mwrnXP4lmJcHdGL5ePjR+e0=", "j6EyyfBzL4vWKHFXgUqb5Az3OxM="),
    (TCP, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
     "/qFaeAR+gFe1KYjMzVDsMv+wgU4=", "eJYTW6AOzFLlSUoESovMjnu7rMw="),
    (SCTP, "192.168.170.56", "192.168.170.8", 7, 7,
     "MP2EtRCAUIZvTw6MxJHLV7N7JDs=", "5w3ZRjeKBzqT3zsaEECDGjUbYeg="),
    (ICMP6, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0,
     "pkvHqCL88/tg1k4cPigmZXUtL00=", "K/ee5UCqAMAQXDorP5nSa2CGLjc="),
]  # fmt: skip


def frame(proto: int, src: str, dst: str, first: int | None, second: int | None) -> bytes:
    """A packet with these ends."""
    if first is None or second is None:
        payload = bytes(20)
    elif proto in (ICMP, ICMP6):
        payload = pk.icmp(first, second, payload=bytes(64))
    elif proto == TCP:
        payload = pk.tcp(b"", ports=(first, second))
    else:
        ends = first.to_bytes(2, "big") + second.to_bytes(2, "big")
        payload = pk.udp(b"", ports=(first, second)) if proto == UDP else ends + bytes(8)
    if ":" in src:
        return pk.ethernet(pk.ipv6(payload, proto, src=src, dst=dst), 0x86DD)
    return pk.ethernet(pk.ipv4(payload, proto, src=src, dst=dst))


def by_hashlib(proto: int, src: str, dst: str, ports: tuple[int, int] | None, seed: int = 0) -> str:
    """What the specification's pseudo code says of protocols without types."""
    ends = [(ip_address(src).packed, 0), (ip_address(dst).packed, 0)]
    if ports:
        ends = [(address, port) for (address, _), port in zip(ends, ports, strict=True)]
    (low, low_port), (high, high_port) = sorted(ends)
    message = seed.to_bytes(2, "big") + low + high + bytes([proto, 0])
    if ports:
        message += low_port.to_bytes(2, "big") + high_port.to_bytes(2, "big")
    digest = hashlib.sha1(message, usedforsecurity=False).digest()
    return "1:" + base64.b64encode(digest).decode()


@pytest.mark.parametrize("row", BASELINE)
def test_the_baseline(
    tmp_path: Path, row: tuple[int, str, str, int | None, int | None, str, str]
) -> None:
    *ends, zero, one = row
    path = pk.write(tmp_path / "x.pcap", pk.pcap([frame(*ends)]))
    [pkt] = pk.read(path)
    flow = natkit.IPflow(pkt)
    assert pkt.community_id == flow.community_id == natkit.community_id(flow) == f"1:{zero}"
    assert natkit.community_id(flow, 1) == natkit.community_id(flow, seed=1) == f"1:{one}"
    assert pickle.loads(pickle.dumps(flow)).community_id == f"1:{zero}"
    for seed, expected in enumerate((zero, one)):
        table = plt.columns(path, ["community_id"], community_seed=seed).table()
        assert table["community_id"].tolist() == [f"1:{expected}"]
    flows = natkit.FlowTable()
    flows.add_trace(path)
    found = None if ends[0] in (ICMP, ICMP6) else f"1:{zero}"
    assert [flow.community_id for flow in flows] == [found]
    assert flows.columns("community_id")["community_id"].tolist() == [found]
    assert "community_id" not in flows.columns()


def test_any_ends_against_hashlib(tmp_path: Path) -> None:
    rng = random.Random(5)
    frames, expected = [], []
    for _ in range(2000):
        size = rng.choice([4, 16])
        addresses = [rng.randbytes(size) for _ in range(3)]
        src, dst = (str(ip_address(address)) for address in rng.choices(addresses, k=2))
        proto = rng.choice([TCP, UDP, SCTP, RSVP, 33, 136])
        # UDP-Lite and DCCP have ports, and the specification has none of them
        ports = (rng.choice([1, 80, 65535]), rng.randrange(1, 65536))
        frames.append(frame(proto, src, dst, *ports))
        expected.append(by_hashlib(proto, src, dst, ports if proto in (TCP, UDP, SCTP) else None))
    path = pk.write(tmp_path / "x.pcap", pk.pcap(frames))
    table = plt.columns(path, ["community_id"]).table()
    assert table["community_id"].tolist() == expected
    assert [natkit.IPflow(pkt).community_id for pkt in pk.read(path)] == expected


def tshark_ids(path: Path, tshark: str) -> list[tuple[list[str], str]]:
    """The layers of each packet, and its ID."""
    command = [tshark, "-n", "-r", str(path), "--enable-protocol", "communityid", "-T", "fields"]
    command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    names = ("frame.encap_type", "frame.protocols", "communityid", "frame.cap_len", "frame.len")
    for name in names:
        command += ["-e", name]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    return [
        # of ICMP that is cut tshark makes one without types
        (layers.split(":"), text if "icmp" not in layers or captured == length else "")
        for encap, layers, text, captured, length in rows
        if encap
    ]


def differences(uri: str, path: Path, tshark: str) -> tuple[list[str], int]:
    """Where we differ, and how many IDs were compared.

    Those of packets within others are not, nor those of later fragments, for which tshark makes one
    without ports.
    """
    table = plt.columns(uri, ["community_id", "ip.frag_offset"]).table()
    missing = table.mask("community_id").tolist()
    offsets = table["ip.frag_offset"].tolist()
    rows = tshark_ids(path, tshark)
    assert len(rows) == len(table)
    found, compared = [], 0
    for at, (layers, text) in enumerate(rows):
        if (
            sum(layer in ("ip", "ipv6") for layer in layers) != 1
            or "wlan" in layers
            or not text
            or offsets[at]
        ):
            continue
        compared += 1
        us = None if missing[at] else table["community_id"][at]
        if us != text:
            found.append(f"packet {at + 1} ({':'.join(layers)}): {us}, not {text}")
    return found, compared


def test_every_type_of_icmp(tmp_path: Path, tshark: str) -> None:
    frames = []
    for kind in range(256):
        for src, dst in (("192.0.2.9", "192.0.2.1"), ("192.0.2.1", "192.0.2.9")):
            frames.append(frame(ICMP, src, dst, kind, 3))
            frames.append(frame(ICMP6, f"2001:db8::{src[8:]}", f"2001:db8::{dst[8:]}", kind, 3))
    path = pk.write(tmp_path / "x.pcap", pk.pcap(frames))
    found, compared = differences(str(path), path, tshark)
    assert found == []
    assert compared > 1000


@pytest.mark.parametrize("name", ["edge-10k", "links-3k", "dns-1k"])
def test_the_tutorials_traces(name: str, tshark: str) -> None:
    path = TRACES / f"{name}.pcap.gz"
    found, compared = differences(str(path), path, tshark)
    assert found == []
    assert compared > 900


def test_the_corpus(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str], tshark: str
) -> None:
    path = corpus / "traces" / trace_name
    if trace_name in UNREADABLE:
        pytest.skip(UNREADABLE[trace_name])
    assert differences(trace_uri(path), path, tshark)[0] == []


def test_what_has_no_id(tmp_path: Path) -> None:
    frames: list[pk.Record | bytes] = [
        pk.ethernet(bytes(28), 0x0806),
        pk.ethernet(pk.ipv4(bytes(16), UDP, fragment=3)),
        pk.Record(pk.ethernet(pk.ipv4(pk.tcp(b""), TCP))[: 14 + 20 + 3]),
        pk.Record(pk.ethernet(pk.ipv4(pk.icmp(8), ICMP))[: 14 + 20 + 1]),
        pk.Record(pk.ethernet(pk.ipv4(pk.tcp(b""), TCP))[: 14 + 18]),
    ]
    path = pk.write(tmp_path / "x.pcap", pk.pcap(frames))
    assert plt.columns(path, ["community_id"]).table().mask("community_id").all()
    pkts = pk.read(path)
    assert [pkt.community_id for pkt in pkts] == [None] * 5
    assert [natkit.IPflow(pkt).community_id for pkt in pkts[1:4]] == [None] * 3
    with pytest.raises(ValueError, match="not an IP packet"):
        _ = natkit.IPflow(pkts[0]).community_id
    key = natkit.IPflow(pk.packet_of(frame(ICMP, *V4, 8, 0), tmp_path)).fwd_key
    assert natkit.IPflow.from_key(key).community_id is None
    again = natkit.IPflow.from_key(key, icmp=b"\x08\0")
    assert again.community_id == "1:crodRHL2FEsHjbv3UkRrfbs4bZ0="


def test_bad_arguments(tmp_path: Path) -> None:
    pkt = pk.packet_of(frame(TCP, *V4, 1, 2), tmp_path)
    flow = natkit.IPflow(pkt)
    for seed in (-1, 65536):
        with pytest.raises(ValueError, match=r"seed must be in 0\.\.65535"):
            natkit.community_id(flow, seed)
        with pytest.raises(ValueError, match=r"community_seed must be in 0\.\.65535"):
            plt.columns("x.pcap", ["community_id"], community_seed=seed)
    with pytest.raises(TypeError):
        natkit.community_id(pkt)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two bytes"):
        natkit.IPflow.from_key(flow.fwd_key, icmp=b"\x08")
    with pytest.raises(ValueError, match="conditions do not compare texts such as this"):
        plt.where("community_id == 1")
