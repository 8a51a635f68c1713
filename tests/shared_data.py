"""The shared data of the tests: real hosts, vulnerability lists, and recorded results of the native tools."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import SkipTest

SHARED = Path(os.environ.get("TEST_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def shared(relative: str) -> Path:
    """
    Return the path of a shared file or folder.

    :raises SkipTest: if it does not exist.
    """
    path = SHARED / relative
    if not path.exists():
        raise SkipTest(f"no shared data: {path} is absent (set TEST_SHARED)")
    return path
