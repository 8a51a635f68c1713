"""Changes of the package database are reported once the changes have ended, and only then."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.changes import ChangeWatcher, fingerprint
from patches.scanner.inventory import databases
from tests.integration.sample_host import write_host


class ChangesTests(SynchronousTestCase):
    """A host that is checked every ten seconds; changes must rest for a minute."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"bash": "5.2-1"})
        self.status = self.root / "var/lib/dpkg/status"
        self.told: list[float] = []
        self.subject = ChangeWatcher(
            lambda: fingerprint(self.root),
            timedelta(minutes=1),
            lambda: self.told.append(self.clock.seconds()),
            self.clock.seconds,
        )

    def go_on(self, seconds: int) -> None:
        """Advance the clock."""
        for _ in range(seconds // 10):
            self.clock.advance(10)
            self.subject.tick()

    def upgrade(self) -> None:
        """Write the database as dpkg does: a new file replaces the old one."""
        new = self.status.with_name("status-new")
        new.write_text(self.status.read_text() + "\n")
        new.replace(self.status)

    def test_nothing(self) -> None:
        """Without a change nothing is reported."""
        self.go_on(600)
        self.assertEqual(self.told, [])

    def test_settles(self) -> None:
        """A series of changes is reported once, a minute after the last one."""
        for _ in range(3):
            self.upgrade()
            self.go_on(30)
        self.go_on(600)
        self.assertEqual(self.told, [130])
        self.upgrade()
        self.go_on(100)
        self.assertEqual(len(self.told), 2)

    def test_undone(self) -> None:
        """A change that was undone before it settled is not reported; an empty log is not a change."""
        before = self.status.stat()
        log = self.root / "var/lib/rpm/rpmdb.sqlite-wal"
        log.parent.mkdir()
        log.touch()
        self.status.touch()
        self.go_on(20)
        os.utime(self.status, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.go_on(600)
        self.assertEqual(self.told, [])

    def test_gone(self) -> None:
        """The removal of a database is a change."""
        self.status.unlink()
        self.go_on(100)
        self.assertEqual(len(self.told), 1)

    def test_every_database(self) -> None:
        """Each kind of database names its files, and these are checked."""
        for database in databases():
            for path in database.paths:
                root = Path(self.mktemp())
                (root / path).parent.mkdir(parents=True)
                (root / path).write_text("x")
                self.assertEqual([facts[0] for facts in fingerprint(root)], [path])
