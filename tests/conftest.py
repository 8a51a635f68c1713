"""
What pytest adds to the tests, which are trial's: a working folder of its own for each, as under trial, groups of tests
that run on one worker, and hypothesis' profiles.

A group is a module's ``pytestmark = pytest.mark.xdist_group(…)``, or follows from what a test uses.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.server.databases import OnPostgreSQL

# The gate tries the same examples each time, so that it fails for a change only, and not by chance. ``search`` is for
# who wants to find more: HYPOTHESIS_PROFILE=search make test
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``mktemp`` make its files outside the source tree."""
    monkeypatch.chdir(tmp_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what runs on PostgreSQL on one worker, which starts it once."""
    for item in items:
        if isinstance(item, pytest.Function) and isinstance(item.cls, type) and issubclass(item.cls, OnPostgreSQL):
            item.add_marker(pytest.mark.xdist_group("postgresql"))
