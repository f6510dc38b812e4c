"""The limits of our own jobs: 15 % above the ratios that were measured when they were set.

They are kept in limits.json, by part and title; `python bench/run.py --set-limits` sets them.
"""

import json
from pathlib import Path

FILE = Path(__file__).resolve().parent / "limits.json"
SLACK = 1.15

Limits = dict[str, dict[str, float]]  # by part, then by title


def load(file: Path = FILE) -> Limits:
    limits: Limits = json.loads(file.read_text()) if file.exists() else {}
    return limits


def save(limits: Limits, file: Path = FILE) -> None:
    file.write_text(json.dumps(limits, indent=2, sort_keys=True) + "\n")


def above(ratio: float, rate: bool = False) -> float:
    """The limit for what was measured: the most, or of a rate the least; three digits."""
    return float(f"{ratio / SLACK if rate else ratio * SLACK:.3g}")


def broken(ratio: float, limit: float, rate: bool = False) -> bool:
    return ratio < limit if rate else ratio > limit
