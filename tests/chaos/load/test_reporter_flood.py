"""Tests that the floods of :mod:`tests.chaos.load.reporter_flood`, on a small scale, do not fill a reporter."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.chaos.load.reporter_flood import attack


def test_floods(tmp_path: Path) -> None:
    """The reporter stays below its limit, and accepts an honest host's reports, under each flood."""
    outcomes = attack(Random(1), tmp_path, body_mib=4, half_bodies_count=12, connection_count=300, findings=4000)
    assert all(outcome.holds for outcome in outcomes), "\n".join(outcome.text() for outcome in outcomes)
