"""The shared reference data, which may lie beside the repository; without it, tests that need it are skipped."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import SkipTest

REPOSITORY = Path(__file__).resolve().parent.parent


def shared(path: str) -> Path:
    """
    Give a file or folder of the shared data: in ``PATCHES_SHARED``, else in ``shared`` beside the repository.

    :raises SkipTest: if it is not there.
    """
    found = Path(os.environ.get("PATCHES_SHARED") or REPOSITORY.parent / "shared") / path
    if not found.exists():
        raise SkipTest(f"no shared {path} beside the repository; PATCHES_SHARED can say where the shared data is")
    return found


def shared_json_lines(path: str) -> Iterator[Any]:
    """Read the values in a compressed file of JSON lines."""
    with gzip.open(shared(path), "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
