"""The notebooks run from a clean state, and come to the same numbers as the programs.

What the programs print is pinned in expected/, and was confirmed without our code.
"""

import json
import os
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import nbformat
import pytest
from foreign_packets import tshark_rows
from foreign_tables import TCP, UDP, flows, seen
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
TUTORIAL = HERE.parent.parent / "tutorial"
EDGE, LINKS = "edge-10k.pcap.gz", "links-3k.pcap.gz"
NOTEBOOKS = sorted(
    (TUTORIAL / "notebooks").glob("*.ipynb"), key=lambda path: int(path.stem.partition("_")[0])
)

# For each notebook: of its variables, lines that are together in expected/NAME.txt
PINNED = {
    "1_reading": """{
        "p01": [f"{n} packets, {captured} bytes captured"],
        "p02": [f"0x{e:04x} {NAMES.get(e, '?'):5} {ethertypes[e]:8}" for e in sorted(ethertypes)],
    }""",
    "2_protocols": """{
        "p03": [
            f"{n} packets: {n_ip} IPv4, {n_ip6} IPv6, {n - n_ip - n_ip6} neither; {cut} cut short",
            *[f"{p:3} {NAMES.get(p, '?'):12} {protocols[p]:8}" for p in order],
        ],
        "p04": [
            f"home {home}: {directions['leaving']} leaving, {directions['entering']} entering, "
            f"{directions['inside']} inside, {directions['transit']} in transit"
        ],
    }""",
    "3_tcp": """{
        "p05": [
            f"{n} packets, {n_tcp} of them TCP; 0 cut short",
            f"{fins} FIN, {resets} RST",
        ],
        "p06": [
            f"{k + ':':6} {p:6} packets {f:6} FIN {r:6} RST" for k, (p, f, r) in counts.items()
        ],
        "p07": [
            f"port {k.port:5} {k.packets:8} packets {k.bytes:10} bytes" for k in by_bytes[:10]
        ],
        "p08": [
            f"port {k.port:5} {k.packets:8} packets {k.fins:5} FIN {k.resets:5} RST"
            for k in by_packets[:10]
        ],
    }""",
    "4_dns": """{
        "p09": [f"{requests} requests, {responses} responses, {not_whole} messages not whole"],
        "p10": [
            f"authority section {in_authority:6} responses",
            f"answer section    {in_answer:6} responses",
            f"any section       {in_any:6} responses",
        ],
        "p11": [
            f"{a!s:40} {servers[a].requests:5} requests {servers[a].answered:5} answered "
            f"{len(servers[a].clients):4} clients"
            for a in order
        ],
        "p12": [f"{h:40} {users[h]:6}" for h in sorted(users, key=lambda h: (-users[h], h))],
        "p13": [
            f"lengths from {lengths.min()} to {lengths.max()} bytes",
            f"mean {lengths.mean():.1f}, standard deviation {lengths.std():.1f}",
        ],
    }""",
    "5_flows": """{
        "p14": [
            f"{n} packets, {no_flow} of them without a flow",
            f"{n_keys} keys, {n_flows} flows when both directions count as one",
        ],
        "p15": [
            f"{f.fwd_bytes:9} {f.rev_bytes:9}  {NAMES.get(f.ipf.proto, f.ipf.proto):6} "
            + " -> ".join(ends(f.ipf))
            for f in biggest[:10]
        ],
        "p16": [
            f"{f.bytes_in:9} {f.bytes_out:9}  {NAMES.get(f.ipf.proto, f.ipf.proto):6} "
            + " <-> ".join(home_first(f.ipf))
            for f in home_biggest[:10]
        ],
    }""",
    "6_columns": """{
        "p17": [
            f"port {p:5} {packets_of[p]:8} packets {bytes_of[p]:10} bytes" for p in ports[:10]
        ],
        "p18": [
            f"{n} packets, {comes_in.sum()} of them come in, {goes_out.sum()} go out",
            f"{total_in} bytes in, {total_out} bytes out",
            f"busiest: second {bytes_in.argmax()} in, second {bytes_out.argmax()} out",
            "second  bytes in bytes out",
            *[f"{s:6} {bytes_in[s]:9} {bytes_out[s]:9}" for s in np.unique(second)],
        ],
    }""",
    "7_flow_tables": """{
        "p19": [
            f"{n} packets, {n_ip} of them IP; {flows.too_short} cut short; {n_flows} flows",
            *[f"{f.fwd_bytes:9} {f.rev_bytes:9} {f.state or '':11} {f.ipflow}" for f in biggest],
        ],
        **{
            name: [
                f"{c:11} {network:8.1f} {server:10.1f} {again:6.1%}  {blame:12}  {a} {p}"
                for a, p, c, network, server, again, blame in found[:10]
            ]
            for name, found in (("p20", edge_verdicts), ("p20-links", links_verdicts))
        },
    }""",
    "8_who_asks": """{
        "p21": [
            f"{len(silent)} hosts at home are asked and never answer, {len(alive)} do",
            "hosts asked  silent  queries unanswered  client",
            *[
                f"{len(hosts_of[a]):11} {len(hosts_of[a] & silent):7} {unanswered[a]:19}  {a}"
                for a in clients
            ],
        ],
        "p22": [
            f"{len(doors[a]):5} {len(opened[a]):5}  {kind(a):8}  {a}" for a in scanners
        ],
    }""",
    "9_share_and_watch": """{
        "p23": [
            f"{what:10}{n:8}{ours:9}{hosts:11}{names:12}{macs:6}  {same[what]} as before"
            for what, (n, ours, hosts, names, macs, _) in seen.items()
        ],
        "p24": ["  ".join(["  ", *map(str, row)]) for row in by_port],
        "p25": [
            f"{at / 1e9:6.1f} s {packets:6} packets {octets:9} bytes "
            f"{active:5} flows active {ended:5} ended"
            for at, packets, octets, active, ended in reports
        ],
    }""",
    "10_packets_and_flows": "{}",  # no program does this: see ANSWERS
}

# What the answers to the exercises come to.  Where nothing else is said tshark counts so many:
# tutorial/traces/README.md has the display filters.
ANSWERS = {
    "6_columns": (
        "[int(in_vlan.sum()), dict(zip(map(str, kinds), map(int, how_many))), int(ipv6_in.sum())]",
        [2903, {"0": 47, "3": 98, "8": 62, "11": 15}, 1357],
    ),
    # The first and the last are put together by hand, see below
    "7_flow_tables": ("[n_reset, n_gre, longest.packets, n_again]", [40, 423, 214, 53]),
    "8_who_asks": (
        "[int(n_nxdomain), int(n_refused), n_worst, str(worst)]",
        [32, 13, 12, "198.51.100.96/28"],  # the scanner's twelve: tutorial/lab/plan.py
    ),
    "9_share_and_watch": (
        "[before, after, cleared, [list(row) for row in port_80 if row[0] == 'edge-10k']]",
        # 10 and 53 differ in bit 2; a file's header, records' headers, packets without the FCS; p07
        [26, 26, 24 + 1000 * 16 + 223_639 - 1000 * 4, [["edge-10k", 3162, 1_927_671]]],
    ),
    # See test_packets_and_flows_are_what_tshark_says
    "10_packets_and_flows": (
        "[len(again), len(syns), len(quick), len(slow), early, n_too_big, syns_again, n_psh, "
        "n_kinds]",
        [
            76,
            21,
            41,
            14,
            {"2001:db8:1::10": 1, "203.0.113.194": 4, "2001:db8:ff:9::194": 4},
            [12, 14],  # "fragmentation needed" and "packet too big"
            [185, 318, 482, 1132, 1145, 2490, 2527, 2933],
            680,
            {
                "edge QUIC hello": 2,
                "edge TLS hello": 28,
                "edge bulk": 39,
                "edge nothing asked": 43,
                "edge other UDP": 226,
                "edge question and answer": 305,
                "edge small request": 86,
                "links QUIC hello": 8,
                "links TLS hello": 31,
                "links bulk": 10,
                "links nothing asked": 4,
                "links small request": 46,
            },
        ],
    ),
}


def test_every_notebook_is_pinned() -> None:
    assert [path.stem for path in NOTEBOOKS] == list(PINNED)


def test_the_notebooks_cover_all_programs() -> None:
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for program in TUTORIAL.glob("p*.py"):
        assert f"`{program.name}`" in text
        assert f"\n## {program.name[:3]}: " in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert [cell.execution_count for cell in code] == [None] * len(code)


@pytest.mark.parametrize("name", ANSWERS)
def test_three_exercises_have_answers_that_are_folded_away(name: str) -> None:
    notebook = nbformat.read(TUTORIAL / "notebooks" / f"{name}.ipynb", as_version=4)
    questions = [
        found
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for found in re.findall(r"^\*\*(\d)\.\*\* ", cell.source, re.MULTILINE)
    ]
    assert questions == ["1", "2", "3"]
    folded = [cell for cell in notebook.cells if "hide-cell" in cell.metadata.get("tags", ())]
    assert len(folded) == 3
    for cell in folded:  # JupyterLab goes by these, the documentation by the tag
        assert cell.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}


@pytest.mark.usefixtures("tshark")
def test_answers_of_flow_tables_are_what_others_say() -> None:
    edge, links = (flows(seen(TUTORIAL / "traces" / name)) for name in (EDGE, LINKS))
    found = ANSWERS["7_flow_tables"][1]
    assert sum(flow.state == "reset" for flow in edge) == found[0]
    assert sum(flow.again for flow in links if flow.key[1] == TCP) == found[3]


class Segment(NamedTuple):
    """A packet of TCP or UDP, the innermost where there are tunnels, as tshark has it."""

    number: int
    time: Decimal
    proto: int
    stream: tuple[int, int]  # tshark's, and which connection of it
    ports: tuple[int, int]
    server: str
    headers: int  # of IP without options, and of UDP
    size: int  # of the IP packet
    seq: int | None
    length: int | None
    flags: int | None


def segments(trace: str, tshark: str) -> list[Segment]:
    """The packets of TCP and UDP that ICMP does not quote.

    A SYN after a reset opens another connection for a flow table; for tshark, where it has the
    same sequence number as the SYN before, none.
    """
    options = ["-Y", "(tcp or udp) and not (icmp or icmpv6 or arp)"]
    options += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    options += ["--disable-protocol", "snmp"]  # it makes two streams of a request and its answer
    names = ("frame.number", "frame.time_epoch", "frame.protocols", "ip.dst", "ip.len", "ipv6.dst")
    names += ("ipv6.plen", "tcp.seq", "tcp.len", "tcp.flags")
    for what in ("stream", "srcport", "dstport"):
        names += (f"tcp.{what}", f"udp.{what}")
    found = []
    over, opened = set(), Counter[int]()
    for row in tshark_rows(TUTORIAL / "traces" / trace, names, *options, tshark=tshark):
        cells = [cell[-1] if cell else "" for cell in row]
        number, time, protocols, dst4, size4, dst6, size6, seq, length, flags, *rest = cells
        layers = protocols.split(":")
        ip = next(name for name in reversed(layers) if name in ("ip", "ipv6"))
        is_udp = next(name for name in reversed(layers) if name in ("tcp", "udp")) == "udp"
        if "" in rest[is_udp::2]:
            continue  # in a tunnel, with a header that was cut off
        stream, src, dst = map(int, rest[is_udp::2])
        size = int(size4) if ip == "ip" else 40 + int(size6)
        headers = 28 if ip == "ip" else 48
        server = dst4 if ip == "ip" else dst6
        of_tcp = (None, None, None) if is_udp else (int(seq), int(length), int(flags, 16))
        if not is_udp and of_tcp[2] & 0x02 and stream in over:
            opened[stream] += 1
            over.discard(stream)
        if not is_udp and of_tcp[2] & 0x04:
            over.add(stream)
        connection = (stream, 0 if is_udp else opened[stream])
        proto = UDP if is_udp else TCP
        place = (int(number), Decimal(time), proto, connection, (src, dst), server)
        found.append(Segment(*place, headers, size, *of_tcp))
    return found


def conversations(found: list[Segment]) -> list[list[Segment]]:
    """The packets of each stream."""
    streams: dict[tuple[int, tuple[int, int]], list[Segment]] = {}
    for segment in found:
        streams.setdefault((segment.proto, segment.stream), []).append(segment)
    return list(streams.values())


def kind(conversation: list[Segment]) -> str:
    """What a flow seems to be, by the rules of the notebook."""
    start = conversation[0]
    ways = [segment.ports == start.ports for segment in conversation]
    if start.proto == UDP:
        if start.size - start.headers >= 1200:
            return "QUIC hello"
        is_answered = len(ways) > 1 and not any(ways[1:8])
        return "question and answer" if is_answered else "other UDP"
    sizes = [segment.size for segment in conversation]
    more = [size - min(sizes) for size, way in zip(sizes[:8], ways[:8], strict=True) if way]
    asked = next((size for size in more if size > 20), None)
    if asked is None:
        return "nothing asked"
    return "TLS hello" if asked >= 150 else "bulk" if mean(sizes) >= 600 else "small request"


def round_trip(conversation: list[Segment]) -> Decimal | None:
    """From the SYN to the ACK after its answer; None where a SYN was sent again (Karn's rule)."""
    syns = [segment for segment in conversation if segment.flags & 0x02]
    if [bool(segment.flags & 0x10) for segment in syns] != [False, True]:
        return None
    asked, answer = syns
    for segment in conversation:
        if segment.ports == asked.ports and segment.number > answer.number:
            return segment.time - asked.time
    return None


def again(found: list[Segment]) -> list[tuple[Segment, Decimal]]:
    """The segments that were sent again, and how long after the first copy."""
    first: dict[tuple[object, ...], Decimal] = {}
    result = []
    for segment in found:
        if segment.proto != TCP or not (segment.flags & 0x02 or segment.length > 1):
            continue
        key = segment.stream, segment.ports, segment.seq
        if key in first:
            result.append((segment, segment.time - first[key]))
        first.setdefault(key, segment.time)
    return result


def test_packets_and_flows_are_what_tshark_says(tshark: str) -> None:
    n_again, n_syns, n_quick, n_slow, early, too_big, syns, n_psh, kinds = ANSWERS[
        "10_packets_and_flows"
    ][1]
    edge, links = segments(EDGE, tshark), segments(LINKS, tshark)
    repeated = again(edge)
    assert len(repeated) == n_again
    assert sum(bool(segment.flags & 0x02) for segment, _ in repeated) == n_syns
    connections = [of_one for of_one in conversations(edge) if of_one[0].proto == TCP]
    round_trips = {of_one[0].stream: round_trip(of_one) for of_one in connections}
    servers = {of_one[0].stream: of_one[0].server for of_one in connections}
    waits = [
        (segment, wait, round_trips[segment.stream])
        for segment, wait in repeated
        if round_trips[segment.stream] is not None and not segment.flags & 0x02
    ]
    assert sum(wait < Decimal("0.2") for _, wait, _ in waits) == n_quick
    assert sum(wait >= Decimal("0.2") for _, wait, _ in waits) == n_slow
    soon = Counter(servers[s.stream] for s, wait, rtt in waits if wait < rtt / 2)
    assert soon == early
    for condition, n in zip(
        ("icmp.type == 3 and icmp.code == 4", "icmpv6.type == 2"), too_big, strict=True
    ):
        path = TUTORIAL / "traces" / EDGE
        rows = tshark_rows(path, ("frame.number",), "-Y", condition, tshark=tshark)
        assert len(list(rows)) == n
    opened = {segment.stream: segment.ports for segment in reversed(links) if segment.proto == TCP}
    by_clients = [s for s, _ in again(links) if s.flags & 0x02 and s.ports == opened[s.stream]]
    assert [segment.number for segment in by_clients] == syns
    assert sum(bool((segment.flags or 0) & 0x08) for segment in links) == n_psh
    for trace, found in (("edge", edge), ("links", links)):
        counted = Counter(f"{trace} {kind(of_one)}" for of_one in conversations(found))
        assert counted == {name: n for name, n in kinds.items() if name.startswith(trace)}


def test_hellos_by_size_are_those_of_tls(tshark: str) -> None:
    """The streams that seem to begin with a TLS hello are those in which tshark finds one."""
    condition = ("-Y", "tls.handshake.type == 1 and tcp")
    path = TUTORIAL / "traces" / LINKS
    rows = tshark_rows(path, ("tcp.stream",), *condition, tshark=tshark)
    hellos = {int(row[0][-1]) for row in rows}
    found = conversations(segments(LINKS, tshark))
    assert {of_one[0].stream[0] for of_one in found if kind(of_one) == "TLS hello"} == hellos
    assert len(hellos) == 31


@pytest.mark.skipif("PLT_ASAN" in os.environ, reason="the kernel is a process of its own")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_agrees_with_the_programs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody's own configuration or history changes the outcome
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = nbformat.read(path, as_version=4)
    answers, right = ANSWERS.get(path.stem, ("[]", []))
    asked = f"import json; print(json.dumps([{PINNED[path.stem]}, {answers}]))"
    notebook.cells.append(nbformat.v4.new_code_cell(asked))
    # A cell that fails raises CellExecutionError, with its traceback
    NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert [out.text for out in outputs if out.get("name") == "stderr"] == []
    answer = notebook.cells[-1].outputs  # what is printed may come in pieces
    found, answered = json.loads("".join(out.text for out in answer))
    assert answered == right
    assert found or right
    for name, lines in found.items():
        assert lines, name
        pinned = (HERE / "expected" / f"{name}.txt").read_text().splitlines()
        # p25 names flows between its reports
        pinned = [line for line in pinned if "largest active" not in line]
        text = "\n".join(["", *lines, ""])
        assert text in "\n".join(["", *pinned, ""]), name
    images = sum("image/png" in out.get("data", {}) for out in outputs)
    tables = sum(bool(re.match(r"\| .*\|\n\| ---", table_of(out))) for out in outputs)
    assert images >= 1
    assert tables >= 2


def table_of(output: nbformat.NotebookNode) -> str:
    """The table that a cell shows, as Markdown; "" where it shows something else."""
    return output.get("data", {}).get("text/markdown", "")
