"""Tests for :mod:`patches.server.refresh.refresher` with a Clair: between full walks, what changed is read."""

from __future__ import annotations

import gzip

from patches.sources.clair.listing import SLASH
from patches.testing import Trouble
from patches.wire import decode_lines
from tests.server.clair_case import HALF_HOUR, ClairCase
from tests.server.fake_source import HOUR, NOW
from tests.sources.clair_in_memory import named


class FollowedTests(ClairCase):
    """Lists that are followed."""

    def served(self, platform: str = "debian-9") -> dict[str, str]:
        """Return what is current: versions by name."""
        snapshot = self.refresh.current(platform)
        body = gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded)
        return {each.name: each.fixed_in[0].version or "" for each in decode_lines(body)}

    def test_unchanged(self) -> None:
        """While nothing changes, each half hour costs three requests a list and one; nothing is written."""
        before = self.written()
        self.patch(self.catalogue, "publish", None)
        for number in range(1, 41):
            self.double.requests.clear()
            self.tick(HALF_HOUR)
            self.assertEqual(self.double.requests, {"namespaces": 1, "list": 4, "details": 2})
            self.assertEqual(self.refresh.current("debian-9").checked, NOW + number * HALF_HOUR)
        self.assertEqual(self.written(), before)

    def test_in_between(self) -> None:
        """In between it is not asked."""
        self.tick(HALF_HOUR - 1)
        self.assertEqual(self.double.requests.total(), 0)

    def test_changes(self) -> None:
        """What changed is served after half an hour at most, for as many requests as it takes, and others for few."""
        self.change("CVE-07", "2.0-1")
        self.change("CVE-99", "3.0-1")
        other = self.refresh.current("debian-10").revision
        self.tick(HALF_HOUR)
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 6, "details": 4})
        served = self.served()
        self.assertEqual(
            (len(served), served["CVE-07"], served["CVE-99"], served["CVE-08"]), (51, "2.0-1", "3.0-1", "1.0-1")
        )
        self.assertEqual(self.refresh.current("debian-9").sources["clair"], {"read": 51, "skipped": {}})
        self.assertEqual(self.refresh.current("debian-10").revision, other)

    def test_same_as_whole(self) -> None:
        """What is made of changes is what would be made of the whole list, to the byte."""
        for number in range(20):
            self.change(f"CVE-{number * 3 % 60:02}", str(number))
            self.tick(HALF_HOUR)
        revision = self.refresh.current("debian-9").revision
        self.tick(24 * HOUR)
        self.assertGreater(self.double.requests["details"], 50)
        self.assertEqual(self.refresh.current("debian-9").revision, revision)

    def test_skipped(self) -> None:
        """What was left out is counted of the whole list, and shown so."""
        self.double.load("debian:9", named("a/b"))
        self.tick(HALF_HOUR)
        self.double.load("debian:9", named("a/b", "c/d"))
        self.tick(HALF_HOUR)
        self.assertEqual(self.refresh.current("debian-9").sources["clair"], {"read": 50, "skipped": {SLASH: 2}})

    def test_nothing_but_skipped(self) -> None:
        """When all that changed cannot be had, that is no empty list."""
        for _ in range(2):
            self.double.load("debian:9", named("a/b"))
            self.tick(HALF_HOUR)
            self.assertIsNone(self.refresh.statuses["debian-9"].error)
        self.assertEqual(len(self.served()), 50)

    def test_failure(self) -> None:
        """When it fails, the list stays as it is; ten seconds later the same changes are read."""
        for number in range(5):
            self.change(f"CVE-0{number}", "2.0-1")
        self.double.fail(Trouble.DATABASE, None, "details")
        self.tick(HALF_HOUR)
        self.assertIn("500", str(self.refresh.statuses["debian-9"].error))
        self.assertEqual(set(self.served().values()), {"1.0-1"})
        self.double.mend()
        self.double.requests.clear()
        self.tick(10)
        self.assertEqual(sorted(self.served().values()).count("2.0-1"), 5)
        self.assertEqual(self.double.requests, {"list": 4, "details": 7})

    def test_deleted(self) -> None:
        """What was deleted is served for a day at most."""
        self.double.delete("debian:9", "CVE-07")
        for _ in range(47):
            self.tick(HALF_HOUR)
            self.assertIn("CVE-07", self.served())
        self.tick(HALF_HOUR)
        self.assertNotIn("CVE-07", self.served())

    def test_clair_restarted(self) -> None:
        """When Clair was started anew, its lists are read whole, and followed again."""
        self.change("CVE-07", "2.0-1")
        self.double.restart()
        self.tick(HALF_HOUR)
        self.assertEqual((self.double.requests["details"], self.served()["CVE-07"]), (52, "2.0-1"))
        self.double.requests.clear()
        self.change("CVE-08", "3.0-1")
        self.tick(HALF_HOUR)
        self.assertEqual((self.double.requests["details"], self.served()["CVE-08"]), (3, "3.0-1"))

    def test_clair_away(self) -> None:
        """While Clair is away no list counts as checked; when it is back within the hour, it is followed as before."""
        self.double.fail(Trouble.DATABASE_DOWN, None)
        for _ in range(20):
            self.tick(HALF_HOUR / 20)
        self.double.requests.clear()
        for _ in range(10):
            self.tick(HALF_HOUR / 20)
        self.assertEqual(self.refresh.current("debian-9").checked, NOW)
        self.assertIn("500", str(self.refresh.statuses["debian-9"].error))
        self.assertEqual(set(self.double.requests), {"namespaces"})
        self.double.mend()
        self.change("CVE-07", "2.0-1")
        for _ in range(10):
            self.tick(HALF_HOUR / 20)
        self.assertEqual((self.double.requests["details"], self.served()["CVE-07"]), (3, "2.0-1"))
        self.assertIsNone(self.refresh.statuses["debian-9"].error)

    def test_server_restarted(self) -> None:
        """A server that starts anew knows no tails; it reads the lists whole when they are due, and not before."""
        self.tick(HALF_HOUR)
        self.start()
        self.double.requests.clear()
        self.tick()
        self.assertEqual(self.double.requests, {"namespaces": 1})
        self.tick(5.5 * HOUR)
        self.assertEqual(self.double.requests["details"], 52)
        self.double.requests.clear()
        self.tick(HALF_HOUR)
        self.assertEqual(self.double.requests["details"], 2)

    def test_lists_lost(self) -> None:
        """When what was read is lost, the lists are read whole."""
        self.lists.discard(1)
        self.lists._database.execute("DELETE FROM readings")
        self.tick(HALF_HOUR)
        self.assertEqual((len(self.served()), self.double.requests["details"]), (50, 54))
