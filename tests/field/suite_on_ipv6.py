"""
The whole integration suite on ``::1``: daemons that listen and connect there, and nowhere else.

The promise: IPv6 alone is enough.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from unittest import SkipTest

from tests.chaos.attack import Outcome, program
from tests.integration.loopback import has_ipv6

FOLDER = Path(__file__).parent.parent / "integration"
_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


def attack(rng: Random, folder: Path, workers: int) -> Outcome:
    """
    Run the suite.

    :param workers: how many tests run at once.
    """
    if not has_ipv6():
        raise SkipTest("there is no ::1")
    command = [sys.executable, "-m", "pytest", "--no-header", "-p", "no:cacheprovider", "-n", str(workers), str(FOLDER)]
    environment = {**os.environ, "TEST_LOOPBACK": "::1"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    last = (ran.stdout.strip().splitlines() or [""])[-1]
    counts = {kind.rstrip("s"): int(count) for count, kind in _COUNT.findall(last)}
    failed = tuple(line[:200] for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR")))
    bad = counts.get("failed", 0) + counts.get("error", 0)
    return Outcome(
        "all daemons: IPv6 alone is enough",
        "the integration suite on ::1",
        f"{bad} failed, {counts.get('skipped', 0)} skipped",
        ran.returncode == 0 and counts.get("passed", 0) > 0,
        failed,
        times=counts.get("passed", 0) + bad,
    )


if __name__ == "__main__":
    program(__doc__, attack, workers=3)
