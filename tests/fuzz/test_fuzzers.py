"""Every fuzzer has seeds and is described; those of the API read their seeds without a crash."""

import importlib
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "api")]

import run  # noqa: E402
import seeds  # noqa: E402

LARGEST = 4096


def test_every_fuzzer_is_described_and_has_seeds() -> None:
    page = (HERE / "README.md").read_text().partition("## What is here")[0]
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted([*run.PLAIN, *run.API])
    assert sorted(seeds.FUZZERS) == sorted(rows)


@pytest.mark.parametrize("name", seeds.FUZZERS)
def test_seeds_are_small_and_differ(name: str) -> None:
    made = list(seeds.FUZZERS[name]())
    assert len(made) > 2
    assert len(set(made)) > len(made) // 2
    assert sum(len(each) <= LARGEST for each in made) > len(made) // 2


@pytest.mark.parametrize("name", run.API)
def test_seeds_of_the_api_do_not_crash(name: str) -> None:
    pytest.importorskip("pyarrow")
    one_input = importlib.import_module(name).one_input
    for content in seeds.FUZZERS[name]():
        assert one_input(content[:LARGEST]) is None


def test_a_fuzzer_runs_until_it_has_had_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With that of earlier runs; a finding ends it, and the next run goes on."""
    rounds = [
        run.Outcome(100, 40.0, 7, 9, []),
        run.Outcome(50, 30.0, 6, 11, ["dns-crash-1"]),
        run.Outcome(10, 60.0, 8, 10, []),
    ]
    monkeypatch.setattr(run, "KEPT", tmp_path)
    monkeypatch.setattr(run, "fuzz", lambda *_: rounds.pop(0))
    assert run.fuzz_for("dns", 300, 0.5) == (100, 40.0, 7, 9, [])
    assert run.fuzz_for("dns", 300, 2) == (150, 70.0, 7, 11, ["dns-crash-1"])
    assert run.fuzz_for("dns", 300, 2) == (160, 130.0, 8, 11, [])
    assert run.fuzz_for("dns", 300, 2) == (160, 130.0, 8, 11, [])
    assert rounds == []
