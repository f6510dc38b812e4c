"""Every option of columns, flow tables, packets and streams, on real traces and changed ones."""

import os
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

import natkit
import plt

TUTORIAL = Path(__file__).resolve().parents[2] / "tutorial" / "traces"
ALL: dict[str, Any] = {"tcp": True, "decap": True, "vlan": True, "first": 5, "statistics": True}
FIELDS = [
    "number",
    "tunnel.kind",
    "arp.op",
    "tcp.mss",
    "community_id",
    "flow",
    "way",
    "tcp.rel_seq",
]
LARGEST = 1 << 20


def traces() -> list[Path]:
    """Those of the tutorial, and of the corpus where it is here."""
    found = sorted(TUTORIAL.glob("*.pcap*"))
    corpus = os.environ.get("PLT_CORPUS")
    if corpus:
        found += sorted(p for p in Path(corpus, "traces").iterdir() if p.suffix != ".tsv")
    return [path for path in found if path.stat().st_size <= LARGEST]


def until_damage(read: Any) -> Any:
    """What was read of a trace, until the first damage in it."""
    try:
        return read()
    except plt.LibtraceError as error:
        return getattr(error, "table", None)


def check(path: Path) -> None:
    """All of them find the same packets, in as many flows."""
    count = until_damage(lambda: len(plt.columns(path, ["wire_len"], workers=1).table()))
    if not isinstance(count, int):  # damaged: the rows before that
        count = 0 if count is None else len(count)
    table = natkit.FlowTable(**ALL)
    until_damage(lambda: table.add_trace(path))
    try:
        joined = natkit.packets(path, FIELDS, tcp=True, decap=True, vlan=True)
    except plt.LibtraceError:  # it can't be opened
        assert count == len(table) == 0
        return
    rows, numbers = 0, set()
    try:
        for batch in joined:
            rows += len(batch)
            numbers.update(batch["flow"][~batch.mask("flow")].tolist())
    except plt.LibtraceError:
        pass
    assert rows == count
    flows = joined.flows(["packets"])
    assert numbers == set(range(len(flows)))
    assert int(flows["packets"].sum()) <= count
    in_table = sum(flow.packets for flow in [*table, *table.expired()])
    assert in_table <= count
    octets = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for stream in natkit.streams(path):
                for way in (stream.fwd, stream.rev):
                    octets += sum(length for _, length, _ in way.pieces)
        except plt.LibtraceError:
            pass
    assert octets <= count * 65_535


@pytest.mark.parametrize("how", ["as they are", "changed", "cut"])
def test_every_option(how: str, tmp_path: Path) -> None:
    rng = random.Random(how)
    for path in traces():
        content = bytearray(path.read_bytes())
        if how == "changed":
            for _ in range(1 + len(content) // 500):
                content[rng.randrange(len(content))] = rng.randrange(256)
        elif how == "cut":
            del content[rng.randrange(len(content)) :]
        made = tmp_path / path.name
        made.write_bytes(content)
        check(made)
        made.unlink()
