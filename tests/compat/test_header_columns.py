"""The columns of tags, MAC addresses, ARP, traffic classes and TCP options are tshark's.

Compared is the outermost header of each kind: what tshark shows of packets within packets is left
alone.
"""

import subprocess
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import packets as pk
import pytest
from tshark_exceptions import UNREADABLE

import plt

pytest.importorskip("numpy")

TRACES = Path(__file__).resolve().parents[2] / "tutorial/traces"
#: Column -> tshark's fields, of which a packet has one.
FIELDS = {
    "number": ["frame.number"],
    "layer2.src": ["eth.src"],
    "layer2.dst": ["eth.dst"],
    "dscp": ["ip.dsfield.dscp", "ipv6.tclass.dscp"],
    "ecn": ["ip.dsfield.ecn", "ipv6.tclass.ecn"],
    "tcp.mss": ["tcp.options.mss_val"],
    "tcp.wscale": ["tcp.options.wscale.shift"],
    "tcp.sack_ok": ["tcp.options.sack_perm"],
    "tcp.ts_val": ["tcp.options.timestamp.tsval"],
    "tcp.ts_ecr": ["tcp.options.timestamp.tsecr"],
    "arp.op": ["arp.opcode"],
    "arp.hardware_type": ["arp.hw.type"],
    "arp.protocol_type": ["arp.proto.type"],
    "arp.hardware_len": ["arp.hw.size"],
    "arp.protocol_len": ["arp.proto.size"],
    "arp.sender_mac": ["arp.src.hw_mac"],
    "arp.sender_prefix": ["arp.src.proto_ipv4"],
    "arp.target_mac": ["arp.dst.hw_mac"],
    "arp.target_prefix": ["arp.dst.proto_ipv4"],
}
#: 802.1Q's and 802.1ad's fields, in the order of the tags where both are there.
TAGS = ["ieee8021ad.id", "ieee8021ad.priority", "vlan.id", "vlan.priority"]
OF_TAGS = ("vlan_id", "vlan_pcp", "inner_vlan_id", "inner_vlan_pcp")
OF_FRAME = ["frame.protocols", "frame.encap_type", "frame.cap_len", "frame.len", "tcp.srcport"]


def tshark_rows(path: Path, tshark: str) -> Iterator[dict[str, list[str]]]:
    """The fields of each packet, all occurrences of each."""
    names = [*dict.fromkeys([*chain.from_iterable(FIELDS.values()), *TAGS, *OF_FRAME])]
    command = [tshark, "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t"]
    command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    command += [word for name in names for word in ("-e", name)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        cells = line.split("\t")
        if cells[names.index("frame.encap_type")]:  # pcapng's custom blocks are no packets
            yield {n: c.split(",") if c else [] for n, c in zip(names, cells, strict=True)}


def theirs(row: dict[str, list[str]], name: str) -> str | None:
    """What tshark says, None where it shows nothing."""
    found = [value for field in FIELDS[name] for value in row[field]]
    if name == "tcp.sack_ok":
        return str(bool(found)) if row["tcp.srcport"] else None
    return found[0] if found else None


def their_tags(row: dict[str, list[str]]) -> list[str | None]:
    """The first two tags: 802.1ad's are outside of 802.1Q's."""
    tags = [*zip(row[TAGS[0]], row[TAGS[1]], strict=False)]
    tags += [*zip(row[TAGS[2]], row[TAGS[3]], strict=False)]
    outer, inner = [*tags, (None, None), (None, None)][:2]
    return [*outer, *inner]


def is_compared(name: str, row: dict[str, list[str]]) -> bool:
    """Whether the field that tshark shows first is of the packet's own header."""
    layers = ":".join(row["frame.protocols"]).split(":")
    addresses = sum(layer in ("ip", "ipv6") for layer in layers)
    if "cfp" in layers:  # tshark shows the Ethernet header within, and takes 4 bytes for an FCS
        return not name.startswith(("layer2.", "tcp."))
    if name.startswith("tcp."):
        return addresses == 1 and "tcp" in layers
    if name.startswith("arp."):  # after a length and LLC only IP is looked for
        return addresses == 0 and "llc" not in layers
    return True


def is_cut(row: dict[str, list[str]], doff: int) -> bool:
    """Whether tshark may have read less of a header than there is, or told nothing of the end."""
    return int(row["frame.cap_len"][0]) < int(row["frame.len"][0]) or doff < 5


def differences(uri: str, path: Path, tshark: str) -> tuple[list[str], dict[str, int]]:
    """Where we differ, and how many packets had a value in each column."""
    names = [*FIELDS, *OF_TAGS]
    table = plt.columns(uri, [*names, "tcp.doff"], addresses="text").table()
    rows = [*tshark_rows(path, tshark)]
    assert len(rows) == len(table)
    columns = {name: table[name].tolist() for name in [*names, "tcp.doff"]}
    absent = {name: table.mask(name).tolist() for name in names}
    wrong: list[str] = []
    had: dict[str, int] = dict.fromkeys(names, 0)
    for at, row in enumerate(rows):
        told = {name: theirs(row, name) for name in FIELDS if is_compared(name, row)}
        told |= dict(zip(OF_TAGS, their_tags(row), strict=True))
        told["vlan_id"] = told["vlan_id"] or "0"
        cut = is_cut(row, columns["tcp.doff"][at])
        for name, text in told.items():
            us = None if absent[name][at] else str(columns[name][at])
            them = str(int(text, 16)) if text is not None and "0x" in text else text
            had[name] += us not in (None, "0", "False")
            if us != them and not (name == "tcp.sack_ok" and us is None and cut):
                wrong.append(f"packet {at + 1}: {name} is {us}, not {them}")
    return wrong[:20], had


#: Traces on which tshark is no oracle for these columns.
LEFT_OUT = {
    "100_sll.pcap": "the cooked protocol 0x0060 holds Ethernet: libtrace opens it, tshark does not",
    "8021x.pcap": "two frames are cut within their Ethernet header: tshark shows none of it",
}
#: Columns of traces that differ, and why.
KNOWN = {
    "complex.pcapng": ("number", "tshark numbers pcapng's custom blocks too"),
    "reasm_crash_anon.pcapng": ("tcp.sack_ok", "a packet is shorter than its IP header says"),
}


@pytest.mark.parametrize("name", ["edge-10k", "links-3k", "dns-1k"])
def test_the_tutorials_traces(name: str, tshark: str) -> None:
    path = TRACES / f"{name}.pcap.gz"
    wrong, had = differences(str(path), path, tshark)
    assert wrong == []
    if name == "edge-10k":
        assert had["number"] == 10_000
        assert min(had[f"tcp.{of}"] for of in ("mss", "wscale", "sack_ok", "ts_val")) > 200


def test_the_corpus(
    trace_name: str, corpus: Path, trace_uri: Callable[[Path], str], tshark: str
) -> None:
    path = corpus / "traces" / trace_name
    if trace_name in UNREADABLE or trace_name in LEFT_OUT:
        pytest.skip(UNREADABLE.get(trace_name) or LEFT_OUT[trace_name])
    found = differences(trace_uri(path), path, tshark)[0]
    name, _ = KNOWN.get(trace_name, ("", ""))
    assert [text for text in found if f": {name} is " not in text] == []
    assert bool(found) == (trace_name in KNOWN)


def test_frames_that_are_cut_have_what_was_captured(corpus: Path) -> None:
    table = plt.columns(corpus / "traces" / "8021x.pcap", ["layer2.src", "layer2.dst"]).table()
    assert table["layer2.dst"][0] == "00:00:f5:81:80:00"
    assert table.mask("layer2.src")[0]


def tag(priority: int, vlan: int, ethertype: int) -> bytes:
    """The tag control information of IEEE 802.1Q section 9.6, and what follows."""
    return (priority << 13 | vlan).to_bytes(2, "big") + ethertype.to_bytes(2, "big")


def test_tags(tmp_path: Path, tshark: str) -> None:
    inside = pk.ipv4(pk.udp(b"x"), pk.UDP, tos=0xB9)
    frames = [
        pk.ethernet(inside),
        pk.ethernet(tag(5, 100, 0x0800) + inside, 0x8100),
        pk.ethernet(tag(7, 200, 0x8100) + tag(2, 4095, 0x0800) + inside, 0x88A8),
        pk.ethernet(tag(1, 7, 0x8100) + tag(0, 8, 0x8100) + tag(3, 9, 0x0800) + inside, 0x88A8),
        pk.ethernet(tag(6, 0, 0x0800) + inside, 0x8100),
    ]
    path = pk.write(tmp_path / "x.pcap", pk.pcap(frames))
    table = plt.columns(path, [*OF_TAGS, "dscp", "ecn"]).table()
    missing = None
    assert [
        tuple(missing if table.mask(name)[at] else int(table[name][at]) for name in OF_TAGS)
        for at in range(len(frames))
    ] == [
        (0, missing, missing, missing),
        (100, 5, missing, missing),
        (200, 7, 4095, 2),
        (7, 1, 8, 0),
        (0, 6, missing, missing),
    ]
    assert table["dscp"].tolist() == [46] * 5  # 0xb9 is 46 << 2 | 1
    assert table["ecn"].tolist() == [1] * 5
    assert differences(str(path), path, tshark)[0] == []
