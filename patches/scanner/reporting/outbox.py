"""
The outbox: a folder that stores reports until the reporter API has accepted them.

Each report is one file, written under another name and then renamed, so that a crash leaves it whole or not at all. Its
name is its number; numbers only grow, even across restarts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from patches.scanner.json_pieces import json_pieces
from patches.storage.atomic_file import replacing, sync_folder, write_atomically

log = Logger()

#: The most reports that are stored. A report is the whole state of a host, so the newest one matters most.
MOST_PENDING = 100


class Outbox:
    """
    A folder of pending reports.

    :param folder: it is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rejected = folder / "rejected"
        for made in (self._folder, self._rejected):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, make: Callable[[int], dict[str, Any]]) -> Path:
        """
        Store a report; drop the oldest ones if too many are pending.

        :param make: returns the report with the number that it is called with; see :mod:`patches.scanner.json_pieces`.
        :return: the file of the report.
        """
        number = self._take_number()
        path = self._folder / f"{number:010d}.json"
        with replacing(path) as file:
            for piece in json_pieces(make(number), compact=True):
                file.write(piece.encode("utf-8", "surrogatepass"))
        for old in self.pending()[:-MOST_PENDING]:
            log.warn("The outbox is full: dropping {name}, which later reports replace", name=old.name)
            old.unlink(missing_ok=True)
        return path

    def pending(self) -> list[Path]:
        """Return the files of the pending reports, the oldest first."""
        return sorted(self._folder.glob("[0-9]*.json"))

    def accepted(self, path: Path) -> None:
        """Remove a report that the reporter API has accepted."""
        path.unlink(missing_ok=True)

    def reject(self, path: Path) -> None:
        """Move a report that the reporter API will never accept to the folder ``rejected``, for inspection."""
        path.replace(self._rejected / path.name)
        sync_folder(self._rejected)
        for old in sorted(self._rejected.glob("[0-9]*.json"))[:-MOST_PENDING]:
            old.unlink(missing_ok=True)

    def _take_number(self) -> int:
        counter = self._folder / "last-number"
        try:
            last = int(counter.read_text())
        except (FileNotFoundError, ValueError):
            last = 0
        # the counter may be missing or damaged: its number must not be lower than that of a pending report
        last = max([last, *(int(path.stem) for path in self.pending())])
        write_atomically(counter, b"%d\n" % (last + 1))
        return last + 1
