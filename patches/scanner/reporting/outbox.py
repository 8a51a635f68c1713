"""
The outbox: a folder that stores reports until the reporter API has accepted them.

Each report is one file, written under another name and then renamed, so that a crash leaves it whole or not at all. Its
name is its number; numbers only grow, even across restarts. Beside it is its digest, by which it is verified
before it is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.logger import Logger

from patches.scanner.json_pieces import json_pieces
from patches.storage.atomic_file import replacing, sync_folder, write_atomically

log = Logger()

#: The most reports that are stored. A report is the whole state of a host, so the newest one matters most.
MOST_PENDING = 100

#: The file with the number of the last report that was accepted; its time is that of the acceptance.
_ACCEPTED = "last-accepted"


@frozen
class OutboxFacts:
    """
    The state of an outbox.

    :ivar pending: how many reports wait.
    :ivar oldest: when the oldest of them was stored, in seconds since the epoch; ``None``: no report waits.
    :ivar rejected: how many were set aside.
    :ivar accepted: when the last one was accepted; ``None``: it is not known.
    :ivar accepted_number: its number; ``None``: it is not known.
    """

    folder: Path
    pending: int = 0
    oldest: float | None = None
    rejected: int = 0
    accepted: float | None = None
    accepted_number: int | None = None


def outbox_facts(folder: Path) -> OutboxFacts:
    """Return the state of an outbox, of which nothing is changed or created; a missing one is empty."""
    times, accepted, number = [], None, None
    pending = sorted(folder.glob("[0-9]*.json"))
    for path in pending:
        try:
            times.append(path.stat().st_mtime)
        except OSError:  # it was sent meanwhile
            continue
    try:
        accepted = (folder / _ACCEPTED).stat().st_mtime
        number = int((folder / _ACCEPTED).read_text()[:20])
    except (OSError, ValueError):
        pass
    rejected = sum(1 for _ in (folder / "rejected").glob("[0-9]*.json"))
    return OutboxFacts(folder, len(pending), min(times, default=None), rejected, accepted, number)


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
        written = hashlib.sha256()
        with replacing(path) as file:
            for piece in json_pieces(make(number), compact=True):
                content = piece.encode("utf-8", "surrogatepass")
                file.write(content)
                written.update(content)
            write_atomically(_digest_file(path), f"{written.hexdigest()}\n".encode())
        for old in self.pending()[:-MOST_PENDING]:
            log.warn("The outbox is full: dropping {name}, which later reports replace", name=old.name)
            self._remove(old)
        return path

    def is_whole(self, path: Path) -> bool:
        """Return whether a report is the one that was stored; one of an earlier version has no digest."""
        try:
            expected = _digest_file(path).read_bytes().strip()
        except FileNotFoundError:
            return True
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().encode() == expected

    def pending(self) -> list[Path]:
        """Return the files of the pending reports, the oldest first."""
        return sorted(self._folder.glob("[0-9]*.json"))

    def accepted(self, path: Path) -> None:
        """Remove a report that the reporter API has accepted, and note its number."""
        self._remove(path)
        try:
            write_atomically(self._folder / _ACCEPTED, f"{int(path.stem)}\n".encode())
        except OSError as error:  # it is only shown
            log.debug("The number of the accepted report cannot be noted: {error}", error=error)

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        _digest_file(path).unlink(missing_ok=True)

    def reject(self, path: Path) -> None:
        """Move a report that the reporter API will never accept to the folder ``rejected``, for inspection."""
        path.replace(self._rejected / path.name)
        _digest_file(path).unlink(missing_ok=True)
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


def _digest_file(path: Path) -> Path:
    return path.with_suffix(".sha256")
