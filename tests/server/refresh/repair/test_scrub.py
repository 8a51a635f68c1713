"""Tests for :mod:`patches.server.refresh.repair.scrub`: damage is found before a scanner needs it."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from tests.server.refresh.repair.test_damaged_lists import FLIPPED
from tests.server.repair_case import RepairCase


class ScrubTests(RepairCase):
    """A server with nothing to do."""

    def test_whole(self) -> None:
        """A catalogue that is whole stays as it is."""
        before = self.catalogue.snapshots()
        self.scrub_all()
        self.assertEqual((self.catalogue.snapshots(), self.refresh.registry.noted), (before, {}))

    def test_chunk(self) -> None:
        """A damaged chunk is found, and its list made anew."""
        self.change(FLIPPED, revision=self.revision(), number=2)
        self.scrub_all()
        self.assertEqual(self.ready()["status"], 503)
        self.go_on()
        self.assertEqual(self.ready()["status"], 200)
        self.scrub_all()
        self.assertEqual(self.refresh.registry.noted, {})

    def test_pruned(self) -> None:
        """A list that was pruned in the meantime is not damaged."""
        self.successResultOf(ensureDeferred(self.maintenance.scrub()))
        self.change("DELETE FROM snapshots")
        self.change("DELETE FROM chunks")
        for _ in range(9):
            self.successResultOf(ensureDeferred(self.maintenance.scrub()))
        self.assertEqual(self.refresh.registry.noted, {})

    def test_staged(self) -> None:
        """A damaged staged line is found, and its list is read again at once."""
        self.lists._database.execute("UPDATE lines SET part = 'other' WHERE platform = 'alpine-3.20'")
        asked = self.source.asked.count("alpine-3.20")
        self.successResultOf(ensureDeferred(self.maintenance.scrub()))
        self.go_on()
        self.go_on()
        self.assertEqual(self.source.asked.count("alpine-3.20"), asked + 1)
        self.assertEqual(self.lists.facts("alpine-3.20")["put"]["read"], 5)

    def test_publications(self) -> None:
        """Ids and the revision of the current publication are compared with the list, once an hour."""
        rows = "SELECT platform, id, first, last FROM intervals ORDER BY platform, id"
        with self.catalogue._engine.connect() as connection:
            before = connection.exec_driver_sql(rows).all()
        self.change("UPDATE intervals SET id = 'CVE-9' WHERE platform = 'alpine-3.20' AND id = 'CVE-2024-000003'")
        self.change("UPDATE publications SET digest = 'x', revision = 'y'")
        for _ in range(3):
            self.successResultOf(ensureDeferred(self.maintenance.scrub()))
        with self.catalogue._engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql(rows).all(), before)
            found = connection.exec_driver_sql("SELECT revision FROM publications WHERE platform = 'debian-12'")
            self.assertEqual(found.scalar_one(), self.revision())
