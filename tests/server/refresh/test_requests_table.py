"""Tests for :mod:`patches.server.refresh.requests_table`."""

from __future__ import annotations

from patches.server.catalogue.schema import open_database
from patches.server.refresh.requests_table import MOST_ABSENT, MOST_WANTED, RequestTable
from tests.server.databases import DatabaseCase, OnPostgreSQL
from tests.server.fake_catalogue import lines, vulnerabilities


class RequestTableTests(DatabaseCase):
    """The table of requested, absent and known platforms."""

    def setUp(self) -> None:
        self.engine = open_database(self.new_database())
        self.addCleanup(self.engine.dispose)
        self.request_table = RequestTable(self.engine)

    def test_wanted(self) -> None:
        """A requested platform is stored with its last request; an absent one stays absent when it is requested."""
        self.request_table.add_wanted({"debian-12": 1.0, "debian-99": 1.0})
        self.request_table.add_wanted({"debian-12": 5.0})
        self.request_table.mark_absent(["debian-99", "debian-1000"], 2.0)
        self.request_table.add_wanted({"debian-99": 6.0})
        self.assertEqual(self.request_table.read().wanted, {"debian-12": 5.0})
        self.assertEqual(self.request_table.read().absent, {"debian-99": 2.0})
        self.request_table.forget(["debian-12", "debian-99"])
        self.assertEqual((self.request_table.read().wanted, self.request_table.read().absent), ({}, {}))

    def test_known(self) -> None:
        """The known platforms are replaced as a whole."""
        for known in ({"a-1", "b-2"}, {"b-2", "c-3"}, set()):
            self.request_table.publish_known(known)
            self.assertEqual(self.request_table.read().known, known)

    def test_bounded(self) -> None:
        """The numbers of requested and absent platforms are limited; served and recently requested ones are kept."""
        from patches.server.catalogue.store import Catalogue

        Catalogue(self.engine).publish("debian-12", lines(vulnerabilities(3)), {}, 1.0)
        self.request_table.add_wanted({"debian-12": 0.0})
        for start in range(0, 2 * MOST_WANTED, 50):
            self.request_table.add_wanted(
                {f"debian-{number}": float(number) for number in range(start + 1000, start + 1050)}
            )
        wanted = self.request_table.read().wanted
        self.assertEqual((len(wanted), wanted.get("debian-12"), min(wanted.values())), (MOST_WANTED, 0.0, 0.0))
        self.assertIn(f"debian-{start + 1049}", wanted)
        self.assertNotIn("debian-1000", wanted)
        for number in range(0, 2 * MOST_ABSENT, 100):
            names = {f"debian-{each}": 10_000.0 for each in range(number, number + 100)}
            self.request_table.add_wanted(names)
            self.request_table.mark_absent(names, float(number))
        absent = self.request_table.read().absent
        self.assertEqual((len(absent), max(absent.values())), (MOST_ABSENT, float(number)))


class BoardOnPostgreSQLTests(OnPostgreSQL, RequestTableTests):
    """The same behaviour on PostgreSQL."""
