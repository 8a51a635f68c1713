"""The newest list of each platform that this host has seen, so that an older one does not pass for it later."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import asdict, frozen

_MOST_BYTES = 4096


class CannotRemember(Exception):
    """What was seen cannot be read or written; its text says why, in one line."""


@frozen
class Seen:
    """
    A list that was seen.

    :ivar checked: when its sources had last given it, in seconds since the epoch.
    """

    revision: str
    checked: float


class SeenLists:
    """
    A small file for each platform.

    :param folder: is made when something is seen first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, platform: str) -> Seen | None:
        """
        Give the newest list of a platform that was seen.

        :raises CannotRemember: if there is a file, and it cannot be understood: then nobody knows what was seen.
        """
        path = self._path(platform)
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(_MOST_BYTES))
            return Seen(str(found["revision"]), float(found["checked"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CannotRemember(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CannotRemember(f"{path} is damaged; delete it to trust the next list whatever its age") from error

    def note(self, platform: str, seen: Seen) -> None:
        """
        Remember a list.

        :raises CannotRemember: if that fails.
        """
        path = self._path(platform)
        new = path.with_name(path.name + ".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            new.write_text(json.dumps(asdict(seen)))
            new.replace(path)
        except OSError as error:
            raise CannotRemember(f"{path}: {error.strerror}") from error

    def _path(self, platform: str) -> Path:
        return self._folder / f"{platform}.json"
