"""Requests that never end, on a small scale; ``python -m tests.chaos.load.half_requests`` has the full one."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.chaos.load.half_requests import attack


def test_half_requests(tmp_path: Path) -> None:
    """With 1,500 half requests at once, the server stays below its limit, and honest scans are served."""
    outcome = attack(Random(7), tmp_path, connections=1_500, seconds=4, limit=176, records=5_000, settle=3)
    print(outcome.text())
    assert outcome.holds, outcome.text()
