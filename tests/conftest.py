"""What pytest adds to the tests, which are trial's: a working folder of its own for each, as under trial."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``mktemp`` make its files outside the source tree."""
    monkeypatch.chdir(tmp_path)
