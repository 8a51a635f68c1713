"""Pipelining by many connections, on a small scale; ``python -m tests.chaos.load.pipelining`` has the full one."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.chaos.load.pipelining import attack


def test_pipelining(tmp_path: Path) -> None:
    """An honest request is answered soon while 300 connections pipeline."""
    outcome = attack(Random(5), tmp_path, connections=300, seconds=3)
    print(outcome.text())
    assert outcome.holds, outcome.text()
