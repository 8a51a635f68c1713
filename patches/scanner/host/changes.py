"""Tells when the packages of a host have changed, and the change has come to rest: then it is scanned again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from patches.scanner.inventory import databases
from patches.scanner.inventory.rootfs import resolve_inside

#: Of each file that is there: its inode, its size, and when it was written, in nanoseconds.
Fingerprint = tuple[tuple[str, int, int, int], ...]


def fingerprint(root: Path) -> Fingerprint:
    """Take the fingerprint of the package databases of a host, without reading them."""
    return tuple(_facts(root, (path for database in databases() for path in database.paths)))


def _facts(root: Path, paths: Iterable[str]) -> Iterable[tuple[str, int, int, int]]:
    for path in paths:
        try:
            facts = resolve_inside(root, path).stat()
        except OSError:
            continue
        if facts.st_size:  # rpm's log comes and goes, empty, with everyone who reads
            yield path, facts.st_ino, facts.st_size, facts.st_mtime_ns


class ChangeWatcher:
    """
    Watches fingerprints, and calls once for each run of changes.

    :param look: takes the fingerprint.
    :param settle: for how long there must be no further change: an upgrade writes its database again and again.
    :param changed: called then.
    :param seconds: tells the time.
    """

    def __init__(
        self,
        look: Callable[[], Fingerprint],
        settle: timedelta,
        changed: Callable[[], None],
        seconds: Callable[[], float],
    ) -> None:
        self._look = look
        self._settle = settle.total_seconds()
        self._changed = changed
        self._seconds = seconds
        self._told = self._last = look()
        self._since: float | None = None

    def tick(self) -> None:
        """Look again."""
        now, found = self._seconds(), self._look()
        if found != self._last:
            self._last, self._since = found, now
        elif self._since is not None and now - self._since >= self._settle:
            self._since = None
            if self._last != self._told:
                self._told = self._last
                self._changed()
