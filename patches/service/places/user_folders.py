"""The folders of a user: where the commands keep what is theirs, by the XDG Base Directory Specification."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: The folder of the project in each of them.
_NAME = "patches"


def cache_folder(environment: Mapping[str, str] = os.environ, uid: int | None = None) -> Path:
    """
    Return the folder of what can be made anew.

    :param uid: the user; ``None``: the one of this process. That of root is the system's.
    """
    if (os.geteuid() if uid is None else uid) == 0:
        return Path("/var/cache") / _NAME
    return _of_user("XDG_CACHE_HOME", ".cache", environment)


def config_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of a user's own configuration."""
    return _of_user("XDG_CONFIG_HOME", ".config", environment)


def _of_user(variable: str, below_home: str, environment: Mapping[str, str]) -> Path:
    """Return a user's folder; a relative path in a variable is ignored, as the specification demands."""
    named = Path(environment.get(variable, ""))
    return (named if named.is_absolute() else Path.home() / below_home) / _NAME
