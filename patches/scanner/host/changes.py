"""Detection of changes of a host, such as of its installed packages, after which it is scanned again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from patches.scanner.inventory import databases
from patches.scanner.inventory.rootfs import resolve_inside

#: For each existing file of a database: its path, inode, size in bytes and modification time in nanoseconds.
Fingerprint = tuple[tuple[str, int, int, int], ...]


def fingerprint(root: Path) -> Fingerprint:
    """Return the fingerprint of the package databases of a host, without reading their content."""
    return tuple(_facts(root, (path for database in databases() for path in database.paths)))


def _facts(root: Path, paths: Iterable[str]) -> Iterable[tuple[str, int, int, int]]:
    for path in paths:
        try:
            facts = resolve_inside(root, path).stat()
        except OSError:
            continue
        if facts.st_size:  # each reader of an rpm database creates and removes an empty log, which is not a change
            yield path, facts.st_ino, facts.st_size, facts.st_mtime_ns


class ChangeWatcher:
    """
    Compares states of the host and calls a function once for each series of changes.

    :param poll: returns the current state, such as a fingerprint.
    :param settle: how long there must be no further change: an upgrade writes the database many times.
    :param changed: called when the state has changed and the changes have ended.
    :param seconds: returns the time in seconds.
    """

    def __init__(
        self,
        poll: Callable[[], object],
        settle: timedelta,
        changed: Callable[[], None],
        seconds: Callable[[], float],
    ) -> None:
        self._poll = poll
        self._settle = settle.total_seconds()
        self._changed = changed
        self._seconds = seconds
        self._told = self._last = poll()
        self._since: float | None = None

    def tick(self) -> None:
        """Compare the current state with the last one; call *changed* if a series of changes has ended."""
        now, found = self._seconds(), self._poll()
        if found != self._last:
            self._last, self._since = found, now
        elif self._since is not None and now - self._since >= self._settle:
            self._since = None
            if self._last != self._told:
                self._told = self._last
                self._changed()
