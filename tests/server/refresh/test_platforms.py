"""Tests for :mod:`patches.server.refresh.refresher`: start, stop, and the platforms that are served."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred

from patches.errors import SourceError
from patches.server.budget import REFRESH
from patches.server.catalogue.snapshot import Snapshot
from patches.server.errors import KnownEmpty, NotReady, UnknownPlatform
from patches.server.refresh.status import NO_SOURCE
from tests.server.fake_catalogue import lines, vulnerabilities
from tests.server.fake_source import HOUR, NOW, PutFeed, PutSource, RefreshCase


class RestartTests(RefreshCase):
    """A server that is restarted."""

    def setUp(self) -> None:
        super().setUp()
        self.tick()
        self.clock.advance(HOUR / 2)
        self.source.asked.clear()
        self.put("debian-12", 11)
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))

    def test_takes_up(self) -> None:
        """The lists of the catalogue are served at once, and are not read before they are due."""
        self.assertEqual(self.count(), 10)
        self.assertTrue(self.refresh.registry.ready)
        self.tick(HOUR / 2 - 1)
        self.assertNotIn("debian-12", self.source.asked)
        self.tick(1)
        self.assertEqual(self.count(), 11)

    def test_catalogue_lost(self) -> None:
        """A catalogue that is lost is rebuilt from the staged lists, without reading the sources."""
        self.open_catalogue(self.folder / "another.sqlite")
        self.refresh = self.create_refresher()
        self.tick()
        self.assertEqual((self.count(), self.source.asked), (10, ["offers"]))

    def test_clock_set_back(self) -> None:
        """A clock that is set back does not delay the next refresh beyond its interval."""
        self.clock = type(self.clock)()
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        self.tick(HOUR)
        self.assertEqual(self.count(), 11)

    def test_checked(self) -> None:
        """A new list is never older than the one it replaces, even if one of its sources has been away since."""
        second = PutSource("second")
        second.lists, second.states = {"debian-12": [*vulnerabilities(3)]}, {"debian-12": "same"}
        self.source.states["debian-12"] = "first"
        self.refresh = self.create_refresher(second)
        for _ in range(3):
            self.tick(HOUR)
        self.tick(10)
        before = self.refresh.registry.current("debian-12")
        self.refresh = self.create_refresher(second)
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        second.trouble = SourceError("away")
        self.put("debian-12", 20)
        self.source.states["debian-12"] = "second"
        self.tick(HOUR)
        after = self.refresh.registry.current("debian-12")
        self.assertEqual((before.vulnerabilities, after.vulnerabilities), (14, 23))
        self.assertEqual(before.checked, after.checked)

    def test_source_removed(self) -> None:
        """After a restart the lists of a source that is no longer configured are removed from disk and catalogue."""
        self.source.states["debian-12"] = "first"
        self.put("debian-12", 100)
        second = PutSource("second", 1)
        second.lists = {"debian-12": [*vulnerabilities(105)[100:]], "debian-11": [*vulnerabilities(3, "debian-11")]}
        self.refresh = self.create_refresher(second)
        self.tick(HOUR)
        self.assertEqual((self.count(), set(self.lists.facts("debian-12"))), (105, {"put", "second"}))
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        self.source.trouble = SourceError("away")
        self.tick(1)
        self.assertEqual(set(self.lists.facts("debian-12")), {"put", "second"})
        self.source.trouble = None
        self.tick(HOUR)
        self.assertEqual((self.count(), set(self.lists.facts("debian-12"))), (100, {"put"}))
        self.assertEqual(self.lists.facts("debian-11"), {})
        self.assertEqual((self.count("debian-11"), self.refresh.statuses["debian-11"].error), (3, NO_SOURCE))

    def test_prune(self) -> None:
        """A snapshot that was replaced is kept for a day, and while it is being read."""
        old = self.refresh.registry.current("debian-12").revision
        self.tick(HOUR / 2)
        for seconds, in_use, there in ((24 * HOUR, set(), True), (1, {old}, True), (0, set(), False)):
            self.clock.advance(seconds)
            self.successResultOf(ensureDeferred(self.refresh.registry.prune(in_use)))
            found = self.successResultOf(ensureDeferred(self.refresh.registry.find(old)))
            self.assertEqual(found is not None, there)


class PlatformTests(RefreshCase):
    """Platforms of the source, all of which are served."""

    def test_before(self) -> None:
        """No platform is unknown before the source was asked."""
        self.assertFalse(self.refresh.registry.ready)
        self.assertRaises(NotReady, self.refresh.registry.current, "debian-12")
        self.assertRaises(NotReady, self.refresh.registry.current, "amiga-3")

    def test_ready(self) -> None:
        """A server is ready with the first of its platforms."""
        self.put("alpine-3.20", 5)
        feed = PutFeed("feed", {name: [*vulnerabilities(5, name)] for name in ("debian-11", "debian-13")})
        feed.wanted = set(feed.lists)
        self.refresh = self.create_refresher(feed)
        ready = []
        publish = self.publisher.publish

        def noted(platform: str, *others: Any) -> Snapshot | None:
            ready.append(self.refresh.registry.ready)
            return publish(platform, *others)

        self.patch(self.publisher, "publish", noted)
        self.tick()
        self.assertEqual((ready, self.refresh.registry.ready), ([False, True, True, True], True))

    def test_nothing_listed(self) -> None:
        """If sources have no lists, no platform is unknown, and the problem is reported."""
        self.source.lists.clear()
        self.tick()
        self.assertRaises(NotReady, self.refresh.registry.current, "debian-12")
        self.assertEqual(
            (self.refresh.registry.ready, self.refresh.registry.problem),
            (False, "no source has a list of any platform"),
        )

    def test_after(self) -> None:
        """Once the source was asked, its platforms are known; one whose list is empty is known to be so."""
        self.put("alpine-3.20", 0)
        self.tick()
        self.assertRaises(UnknownPlatform, self.refresh.registry.current, "amiga-3")
        self.assertRaises(KnownEmpty, self.refresh.registry.current, "alpine-3.20")
        status = self.refresh.statuses["alpine-3.20"]
        self.assertEqual((status.is_empty, status.error, status.failed), (True, None, 0))
        self.put("alpine-3.20", 1)
        self.tick(10)
        self.assertEqual((self.count("alpine-3.20"), status.is_empty), (1, False))

    def test_is_ready(self) -> None:
        """One platform is ready or not, or unknown; it is not requested by the question."""
        registry = self.refresh.registry
        self.assertFalse(registry.is_ready("debian-12"))
        self.tick()
        self.assertTrue(registry.is_ready("debian-12"))
        self.assertRaises(UnknownPlatform, registry.is_ready, "amiga-3")

    def test_checked_elsewhere(self) -> None:
        """The time of a check comes from the sources of a list, or from the catalogue if it has no source."""
        self.tick()
        own = self.refresh.registry.current("debian-12").checked
        for later in (1000, 2000):
            self.catalogue.publish("centos-6", [b"{}\n"], {}, NOW + later)
            self.catalogue.publish("debian-12", lines(vulnerabilities(10)), {}, NOW + later)
            self.tick(10)
            self.assertEqual(self.refresh.registry.current("centos-6").checked, NOW + later)
            self.assertEqual(self.refresh.registry.current("debian-12").checked, own)


class ChosenPlatformTests(RefreshCase):
    """A server with chosen platforms."""

    platforms = ("debian-12", "rocky-9")

    def test_others(self) -> None:
        """Other platforms are unknown from the beginning, and are not read."""
        self.put("alpine-3.20", 5)
        self.assertRaises(UnknownPlatform, self.refresh.registry.current, "alpine-3.20")
        self.assertRaises(NotReady, self.refresh.registry.current, "rocky-9")
        self.tick()
        self.assertNotIn("alpine-3.20", self.source.asked)

    def test_not_there(self) -> None:
        """A chosen platform that no source has is not ready, and its status has the reason; later it is read."""
        self.tick()
        self.assertRaises(NotReady, self.refresh.registry.current, "rocky-9")
        self.assertIn("no source", str(self.refresh.statuses["rocky-9"].error))
        self.assertFalse(self.refresh.registry.is_ready("rocky-9"))
        self.put("rocky-9", 7)
        self.tick(10)
        self.assertEqual(self.count("rocky-9"), 7)
        self.assertTrue(self.refresh.registry.is_ready("rocky-9"))

    def test_left_in_the_catalogue(self) -> None:
        """Lists of other platforms in the catalogue are not served."""
        self.catalogue.publish("alpine-3.20", [b"{}\n"], {}, NOW)
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        self.assertRaises(UnknownPlatform, self.refresh.registry.current, "alpine-3.20")


class StoppingTests(RefreshCase):
    """A server that stops during an import."""

    def test_cancelled(self) -> None:
        """A refresh that is stopped ends at once; that is not a failure, and no other list is begun."""
        self.put("debian-12", 5, Deferred())
        self.put("alpine-3.20", 5, Deferred())
        self.tick()
        self.assertGreater(self.budget.used[REFRESH], 0)
        self.refresh.stop()
        self.assertEqual(self.source.asked, ["offers", "debian-12"])
        self.assertEqual(self.refresh.statuses["debian-12"].failed, 0)
        self.assertEqual(self.budget.used[REFRESH], 0)
        self.assertEqual(list(self.folder.glob("*.spool*")), [])
