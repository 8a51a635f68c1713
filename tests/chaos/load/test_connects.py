"""Many connections at once, on a small scale; ``python -m tests.chaos.load.connects`` has the full one."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.chaos.load.connects import attack


def test_connects(tmp_path: Path) -> None:
    """The kernel drops none of 1,000 connections that come at once."""
    outcome = attack(Random(7), tmp_path, connections=1_000)
    print(outcome.text())
    assert outcome.holds, outcome.text()
