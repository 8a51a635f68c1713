"""A crowd of bad sessions, on a small scale; ``python -m tests.chaos.load.crowd`` has the full one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.chaos.load.crowd import attack


@pytest.mark.parametrize("tls", [0, 1])
def test_crowd(tmp_path: Path, tls: int) -> None:
    """With 300 bad sessions at once, the server stays below its limit, and honest scans are served."""
    outcome = attack(Random(7), tmp_path, sessions=300, records=20_000, seconds=6, limit=176, window_kib=1024, tls=tls)
    print(outcome.text())
    assert outcome.holds, outcome.text()
