"""The folders of a user: where the commands keep what is theirs, by the XDG Base Directory Specification."""

from __future__ import annotations

import os
from collections.abc import Mapping
from errno import ENOENT
from pathlib import Path

#: The folder of the project in each of them.
_NAME = "patches"
#: The folder of the scanner's state where it runs as a service.
SYSTEM_STATE = Path("/var/lib/patches-scanner")


class NoHomeFolder(OSError):
    """The user of this process has no home folder, and no variable names another folder."""

    def __str__(self) -> str:
        return str(self.strerror)


def cache_folder(environment: Mapping[str, str] = os.environ, uid: int | None = None) -> Path:
    """
    Return the folder of what can be made anew.

    :param uid: the user; ``None``: the one of this process. That of root is the system's.
    :raises NoHomeFolder: if there is none.
    """
    if (os.geteuid() if uid is None else uid) == 0:
        return Path("/var/cache") / _NAME
    return _of_user("XDG_CACHE_HOME", ".cache", environment)


def config_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """
    Return the folder of a user's own configuration.

    :raises NoHomeFolder: if there is none.
    """
    return _of_user("XDG_CONFIG_HOME", ".config", environment)


def state_folder(named: Path, environment: Mapping[str, str] = os.environ, uid: int | None = None) -> Path:
    """
    Return the folder of a user's state.

    :param named: the one that was chosen. The system's stands for the user's own where only others can write to it, so
        that a user can run the commands with the options of the service.
    :param uid: the user; ``None``: the one of this process.
    """
    is_root = (os.geteuid() if uid is None else uid) == 0
    if named != SYSTEM_STATE or is_root or os.access(named, os.W_OK | os.X_OK):
        return named
    try:
        return _of_user("XDG_STATE_HOME", ".local/state", environment)
    except NoHomeFolder:
        return named


def _of_user(variable: str, below_home: str, environment: Mapping[str, str]) -> Path:
    """Return a user's folder; a relative path in a variable is ignored, as the specification demands."""
    named = Path(environment.get(variable, ""))
    if named.is_absolute():
        return named / _NAME
    try:
        return Path.home() / below_home / _NAME
    except RuntimeError as error:
        raise NoHomeFolder(ENOENT, f"this user has no home folder: name one in HOME or {variable}") from error
