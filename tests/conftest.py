"""
Fixtures of pytest for the tests, which are trial's: a working folder for each test, as under trial, groups of tests
that run on one worker, and the profiles of hypothesis.

The groups are defined by the names of tests, as the process that distributes tests knows only the names.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import twisted.internet.tcp  # noqa: F401 # before any command: one whose traffic is plain would withhold TLS from tests
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

#: Tests that share something expensive: a server that has read many lists, PostgreSQL, parsed feeds.
GROUPS = {
    "feeds": re.compile(r"integration/test_feeds\.py"),
    "memory": re.compile(r"integration/test_memory\.py"),
    "osv": re.compile(r"osv/test_feeds\.py|test_matcher_oracles\.py|test_other_scanners\.py"),
    "postgresql": re.compile(r"OnPostgreSQL|test_on_postgresql\.py"),
}

# The gate tries the same examples each time, so that it fails because of a change only, not by chance. ``search`` finds
# more: HYPOTHESIS_PROFILE=search make test
BUSY = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}  # other tests run at the same time
settings.register_profile("gate", derandomize=True, **BUSY)
settings.register_profile("search", max_examples=1000, **BUSY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test in a temporary folder, so that ``mktemp`` creates its files outside the source tree."""
    monkeypatch.chdir(tmp_path)


class Groups(LoadScopeScheduling):
    """Distributes tests one by one, and those of a group to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return next((name for name, found in GROUPS.items() if found.search(nodeid)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Return the scheduler that distributes tests to workers."""
    return Groups(config, log)
