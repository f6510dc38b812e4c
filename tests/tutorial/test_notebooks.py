"""The notebooks run from a clean state, and come to the same numbers as the programs.

What the programs print is pinned in expected/, and was confirmed without our code.
"""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
TUTORIAL = HERE.parent.parent / "tutorial"
NOTEBOOKS = sorted((TUTORIAL / "notebooks").glob("*.ipynb"))

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
}


def test_every_notebook_is_pinned() -> None:
    assert [path.stem for path in NOTEBOOKS] == list(PINNED)


def test_the_notebooks_cover_all_programs() -> None:
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for program in [*TUTORIAL.glob("p0*.py"), *TUTORIAL.glob("p1[0-6]*.py")]:
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


@pytest.mark.skipif("PLT_ASAN" in os.environ, reason="the kernel is a process of its own")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_agrees_with_the_programs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody's own configuration or history changes the outcome
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = nbformat.read(path, as_version=4)
    asked = f"import json; print(json.dumps({PINNED[path.stem]}))"
    notebook.cells.append(nbformat.v4.new_code_cell(asked))
    # A cell that fails raises CellExecutionError, with its traceback
    NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert [out.text for out in outputs if out.get("name") == "stderr"] == []
    found = json.loads(outputs[-1].text)
    assert found
    for name, lines in found.items():
        assert lines, name
        text = "\n".join(["", *lines, ""])
        assert text in "\n" + (HERE / "expected" / f"{name}.txt").read_text(), name
    images = sum("image/png" in out.get("data", {}) for out in outputs)
    tables = sum(bool(re.match(r"\| .*\|\n\| ---", table_of(out))) for out in outputs)
    assert images >= 1
    assert tables >= 2


def table_of(output: nbformat.NotebookNode) -> str:
    """The table that a cell shows, as Markdown; "" where it shows something else."""
    return output.get("data", {}).get("text/markdown", "")
