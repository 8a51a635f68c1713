"""Tests for :mod:`patches.server.refresh.refresher` with Clair: between full imports only the changes are read."""

from __future__ import annotations

import gzip
from itertools import islice
from typing import Any

from twisted.logger import formatEvent, globalLogPublisher

from patches.platforms import Platform
from patches.skipped import SLASH
from patches.sources.clair import listing as clair_listing
from patches.sources.clair.api import ClairAPI
from patches.sources.clair.walk import Names
from patches.testing import Trouble
from patches.wire import decode_lines
from tests.server.clair_case import HALF_HOUR, ClairCase
from tests.server.fake_source import HOUR
from tests.sources.clair_in_memory import named


class FollowedTests(ClairCase):
    """Lists of Clair of which only the changes are read."""

    def served(self, platform: str = "debian-9") -> dict[str, str]:
        """Return the fixed versions of the current list, by name."""
        snapshot = self.refresh.registry.current(platform)
        body = gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded)
        return {each.name: each.fixed_in[0].version or "" for each in decode_lines(body)}

    def test_unchanged(self) -> None:
        """An unchanged list costs two requests each half hour, plus one for all lists; nothing is written."""
        before = self.written()
        self.patch(self.catalogue, "publish", None)
        for number in range(1, 41):
            self.double.requests.clear()
            self.tick(HALF_HOUR)
            self.assertEqual(self.double.requests, {"namespaces": 1, "list": 2, "details": 2})
            self.assertEqual(self.refresh.registry.current("debian-9").checked, self.calm + number * HALF_HOUR)
        self.assertEqual(self.written(), before)

    def test_in_between(self) -> None:
        """Clair is not asked before half an hour has passed."""
        self.tick(HALF_HOUR - 1)
        self.assertEqual(self.double.requests.total(), 0)

    def test_changes(self) -> None:
        """A change is served within half an hour; only the changed list costs more requests."""
        self.change("CVE-07", "2.0-1")
        self.change("CVE-99", "3.0-1")
        other = self.refresh.registry.current("debian-10").revision
        self.tick(HALF_HOUR)
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 4, "details": 5})
        served = self.served()
        self.assertEqual(
            (len(served), served["CVE-07"], served["CVE-99"], served["CVE-08"]), (51, "2.0-1", "3.0-1", "1.0-1")
        )
        self.assertEqual(self.refresh.registry.current("debian-9").sources["clair"], {"read": 51, "skipped": {}})
        self.assertEqual(self.refresh.registry.current("debian-10").revision, other)

    def test_same_as_whole(self) -> None:
        """A list that is updated with changes is identical, byte for byte, to the whole list."""
        for number in range(20):
            self.change(f"CVE-{number * 3 % 60:02}", str(number))
            self.tick(HALF_HOUR)
        revision = self.refresh.registry.current("debian-9").revision
        self.tick(24 * HOUR)
        self.assertGreater(self.double.requests["details"], 50)
        self.assertEqual(self.refresh.registry.current("debian-9").revision, revision)

    def test_skipped(self) -> None:
        """Skipped records are counted for the whole list, not for its changes alone."""
        self.double.load("debian:9", named("a/b"))
        self.tick(HALF_HOUR)
        self.double.load("debian:9", named("a/b", "c/d"))
        self.tick(HALF_HOUR)
        self.assertEqual(
            self.refresh.registry.current("debian-9").sources["clair"], {"read": 52, "skipped": {SLASH: 2}}
        )

    def test_nothing_but_skipped(self) -> None:
        """An update whose records have no packages does not empty the list."""
        for _ in range(2):
            self.double.load("debian:9", named("a/b"))
            self.tick(HALF_HOUR)
            self.assertIsNone(self.refresh.statuses["debian-9"].error)
        self.assertEqual(self.refresh.registry.current("debian-9").vulnerabilities, 51)

    def test_failure(self) -> None:
        """A list whose update fails stays as it is; the same changes are read ten seconds later."""
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
        self.assertEqual(self.double.requests, {"list": 3, "details": 8})

    def test_deleted(self) -> None:
        """A record that was deleted in Clair is withdrawn within half an hour; nothing is read again."""
        self.double.delete("debian:9", "CVE-07")
        self.tick(HALF_HOUR - 1)
        self.assertIn("CVE-07", self.served())
        self.tick(1)
        self.assertEqual((len(self.served()), "CVE-07" in self.served()), (49, False))
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 4, "details": 3})

    def test_late(self) -> None:
        """A record of a slow writer, in the middle of the list, is served within half an hour; only it is read."""
        record = {"Name": "CVE-late", "FixedIn": [{"Name": "made-up", "Version": "3.0-1"}]}
        commit = self.double.begin_change("debian:9", record)
        self.change("CVE-98", "2.0-1")
        self.tick(HALF_HOUR)
        commit()
        self.double.requests.clear()
        self.tick(HALF_HOUR)
        self.assertEqual((len(self.served()), self.served()["CVE-late"]), (52, "3.0-1"))
        self.assertLessEqual(self.double.requests["details"], 6)

    def test_clair_restarted(self) -> None:
        """A restart of Clair costs no more than a check."""
        self.double.restart()
        self.tick(HALF_HOUR)
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 2, "details": 2})
        self.change("CVE-07", "2.0-1")
        self.double.restart()
        self.double.requests.clear()
        self.tick(HALF_HOUR)
        self.assertEqual((self.double.requests["details"], self.served()["CVE-07"]), (4, "2.0-1"))

    def test_clair_away(self) -> None:
        """No list counts as checked while Clair is away; if it returns within the hour, only changes are read."""
        self.double.fail(Trouble.DATABASE_DOWN, None)
        for _ in range(20):
            self.tick(HALF_HOUR / 20)
        self.double.requests.clear()
        for _ in range(10):
            self.tick(HALF_HOUR / 20)
        self.assertEqual(self.refresh.registry.current("debian-9").checked, self.calm)
        self.assertIn("500", str(self.refresh.statuses["debian-9"].error))
        self.assertEqual(set(self.double.requests), {"namespaces"})
        self.double.mend()
        self.change("CVE-07", "2.0-1")
        for _ in range(10):
            self.tick(HALF_HOUR / 20)
        self.assertEqual((self.double.requests["details"], self.served()["CVE-07"]), (6, "2.0-1"))
        self.assertIsNone(self.refresh.statuses["debian-9"].error)

    def test_server_restarted(self) -> None:
        """A server that is restarted walks the names of each list, and reads what is new."""
        self.tick(HALF_HOUR)
        self.start()
        self.double.requests.clear()
        self.tick()
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 2, "details": 2})
        self.change("CVE-07", "2.0-1")
        self.start()
        self.double.requests.clear()
        self.tick()
        self.assertEqual((self.double.requests["details"], self.served()["CVE-07"]), (4, "2.0-1"))

    def test_growing(self) -> None:
        """A list that is still growing is published, says so, and is read again within a minute."""
        self.patch(clair_listing, "GROWTH_SECONDS", 0.0)
        self.change("CVE-98", "2.0-1")
        growing = iter(range(100, 110))
        walked = clair_listing.walk

        async def walk(api: ClairAPI, namespace: str, platform: Platform) -> Names:
            if namespace == "debian:9":
                for number in islice(growing, 5):
                    self.change(f"CVE-{number}", "2.0-1")
            return await walked(api, namespace, platform)

        self.patch(clair_listing, "walk", walk)
        self.tick(HALF_HOUR)
        self.assertTrue(self.refresh.statuses["debian-9"].is_growing)
        self.assertFalse(self.refresh.statuses["debian-10"].is_growing)
        self.assertEqual(len(self.served()), 61)
        self.tick(59)
        self.assertTrue(self.refresh.statuses["debian-9"].is_growing)
        self.tick(1)
        self.assertFalse(self.refresh.statuses["debian-9"].is_growing)

    def test_bursts(self) -> None:
        """A Clair that is loaded in bursts, with pauses that look like the end, is followed within minutes."""
        for number in range(100, 160):
            self.change(f"CVE-{number}", "1.0-1")
            self.tick(60)
        self.assertEqual(len(self.served()), 60 + 50)

    def test_two_rows_of_one_id(self) -> None:
        """Two entries that have one id and no other note are both served."""
        for name, package in (("CVE_2019-2426", "openjdk7"), ("CVE-2019-2426", "openjdk8")):
            self.double.change("debian:9", {"Name": name, "FixedIn": [{"Name": package, "Version": "1"}]})
        self.tick(HALF_HOUR)
        snapshot = self.refresh.registry.current("debian-9")
        body = gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded)
        found = [each.fixed_in[0].name for each in decode_lines(body) if each.name == "CVE-2019-2426"]
        self.assertEqual(sorted(found), ["openjdk7", "openjdk8"])

    def test_killed_before_the_publication(self) -> None:
        """A list that was read, and not published before the server ended, is published by the next run."""
        self.change("CVE-98", "2.0-1")
        publish = self.catalogue.publish
        self.patch(self.catalogue, "publish", lambda *told: (_ for _ in ()).throw(RuntimeError("killed")))
        self.tick(HALF_HOUR)
        self.flushLoggedErrors(RuntimeError)
        self.assertNotIn("CVE-98", self.served())
        self.patch(self.catalogue, "publish", publish)
        self.start()
        self.double.requests.clear()
        self.tick()
        self.assertIn("CVE-98", self.served())
        self.assertLessEqual(self.double.requests["details"], 2)
        self.patch(self.catalogue, "publish", None)
        self.start()
        self.tick()

    def test_left_out(self) -> None:
        """Namespaces without a platform are told in the log, in the platforms and in the metrics."""
        for name in ("a:b:c", "opensuse.leap:15.1"):
            self.double.add_namespace(name)
        events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.tick(HALF_HOUR)
        self.tick(HALF_HOUR)
        told = [text for event in events if "left out" in (text := formatEvent(event))]
        self.assertEqual(told, ["clair: left out, as no platform has this name: a:b:c, opensuse.leap:15.1"])
        self.assertEqual(sorted(self.refresh.left_out["clair"]), ["a:b:c", "opensuse.leap:15.1"])

    def test_empty_namespace(self) -> None:
        """A namespace without a vulnerability is known and empty: no alarm; once it fills it is served."""
        self.double.add_namespace("debian:11")
        for _ in range(3):
            self.tick(HALF_HOUR)
            status = self.refresh.statuses["debian-11"]
            self.assertEqual((status.is_empty, status.error, status.alarm, status.failures), (True, None, None, 0))
        self.change("CVE-1", "1.0-1", "debian:11")
        self.tick(HALF_HOUR)
        self.assertEqual(len(self.served("debian-11")), 1)

    def test_lists_lost(self) -> None:
        """If the staged lists are lost, they are read completely."""
        self.lists.discard(1)
        self.lists._database.execute("DELETE FROM readings")
        self.tick(HALF_HOUR)
        self.assertEqual((len(self.served()), self.double.requests["details"]), (50, 56))
