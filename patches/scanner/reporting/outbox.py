"""
The outbox: reports on disk, until the reporter API has accepted them.

A report is one file, written beside its place and moved there, so that a crash leaves it whole or not at all. Its name
is its number; numbers only grow, across restarts too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from patches.storage.atomic_file import write_atomically
from patches.wire import encode_json

log = Logger()

#: A report is the whole state of a host, so the newest is what matters; no more than these wait.
MOST_PENDING = 100


class Outbox:
    """
    A folder of reports that wait.

    :param folder: is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rejected = folder / "rejected"
        for made in (self._folder, self._rejected):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, make: Callable[[int], dict[str, Any]]) -> Path:
        """
        Keep a report.

        :param make: makes it, given its number.
        """
        number = self._take_number()
        path = self._folder / f"{number:010d}.json"
        write_atomically(path, encode_json(make(number)))
        for old in self.pending()[:-MOST_PENDING]:
            log.warn("The outbox is full; {name} is dropped, as later reports hold more", name=old.name)
            old.unlink(missing_ok=True)
        return path

    def pending(self) -> list[Path]:
        """Give what waits, the oldest first."""
        return sorted(self._folder.glob("[0-9]*.json"))

    def accepted(self, path: Path) -> None:
        """Let a report go."""
        path.unlink(missing_ok=True)

    def reject(self, path: Path) -> None:
        """Put a report aside that the reporter API will never accept; it can be looked at in ``rejected``."""
        path.replace(self._rejected / path.name)
        for old in sorted(self._rejected.glob("[0-9]*.json"))[:-MOST_PENDING]:
            old.unlink(missing_ok=True)

    def _take_number(self) -> int:
        counter = self._folder / "last-number"
        try:
            last = int(counter.read_text())
        except (FileNotFoundError, ValueError):
            last = 0
        last = max([last, *(int(path.stem) for path in self.pending())])
        write_atomically(counter, b"%d\n" % (last + 1))
        return last + 1
