"""TLS connections that end in every way, on a small scale; see ``python -m tests.chaos.load.tls_connections``."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.chaos.load.tls_connections import attack


def test_tls_connections(tmp_path: Path) -> None:
    """Whatever way 200 connections end in, their memory is free again; 300 at once stay below the limit."""
    outcome = attack(Random(7), tmp_path, connections=200, at_once=300, limit=176)
    print(outcome.text())
    assert outcome.holds, outcome.text()
