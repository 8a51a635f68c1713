"""Tests for :mod:`patches.server.refresh`: what is read, and what is current."""

from __future__ import annotations

import gzip

from twisted.internet.defer import Deferred, ensureDeferred
from zope.interface.verify import verifyObject

from patches.interfaces import IListing, ISource, ListChanged, SourceError
from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.server.refresh import NotReady, UnknownPlatform
from patches.wire import decode_lines
from tests.server.made_up import vulnerabilities, vulnerability
from tests.server.sources import HOUR, NOW, PutSource, RefreshCase


class SourceTests(RefreshCase):
    """The source of these tests."""

    def test_interfaces(self) -> None:
        """It is a source as any other."""
        verifyObject(ISource, self.source)
        verifyObject(IListing, self.source.listing("debian-12"))


class ReadingTests(RefreshCase):
    """What is read is what is served."""

    def test_whole(self) -> None:
        """A list is read, written and made current; its snapshot tells what was read and what was left out."""
        self.source.skipped["no-version"] = 3
        self.tick()
        snapshot = self.refresh.current("debian-12")
        body = gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded)
        self.assertEqual(list(decode_lines(body)), vulnerabilities(10))
        self.assertEqual(snapshot.sources, {"put": {"read": 10, "skipped": {"no-version": 3}}})
        self.assertEqual(snapshot.checked, NOW)
        self.assertEqual(self.budget.used[REFRESH], 0)

    def test_long(self) -> None:
        """A list of any length is read whole."""
        self.put("debian-12", 1001)
        self.tick()
        self.assertEqual(self.count(), 1001)

    def test_later_record_holds(self) -> None:
        """Of two records with the same name the later one is served."""
        self.source.lists["debian-12"] = [vulnerability(1, href="old"), vulnerability(2), vulnerability(1, href="new")]
        self.tick()
        snapshot = self.refresh.current("debian-12")
        records = list(decode_lines(gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded)))
        self.assertEqual([(r.name[-1], r.details_href) for r in records], [("1", "new"), ("2", "")])
        self.assertEqual(snapshot.sources["put"]["read"], 2)

    def test_nothing_left(self) -> None:
        """No scratch file is left, neither after a success nor after a failure."""
        self.tick()
        self.put("debian-12", 5, SourceError("away"))
        self.tick(HOUR)
        self.assertEqual([path.name for path in self.folder.glob("*.spool*")], [])

    def test_list_changed(self) -> None:
        """When the list changes while it is read, it is read again from its beginning."""
        self.put("debian-12", 10, ListChanged("moved"))
        self.source.lists["debian-12"].insert(0, vulnerability(77))
        self.tick()
        self.assertEqual(self.count(), 11)
        self.assertEqual(self.source.asked, ["platforms", "debian-12", "debian-12"])

    def test_void_after_change(self) -> None:
        """What was read before the change is not served."""
        reading = [vulnerability(77), ListChanged("moved"), vulnerability(1)]
        self.source.lists["debian-12"] = reading
        waiting: Deferred[None] = Deferred()
        reading.insert(1, waiting)  # type: ignore[arg-type]
        done = ensureDeferred(self.refresh.tick())
        del reading[0]
        waiting.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.count(), 1)

    def test_keeps_changing(self) -> None:
        """A list that changes under every reading is a failure in the end."""
        self.put("debian-12", 3, *(ListChanged("moved") for _ in range(5)))
        self.tick()
        status = self.refresh.statuses["debian-12"]
        self.assertIsNone(status.snapshot)
        self.assertIn("changed", str(status.error))
        self.assertEqual(self.source.asked.count("debian-12"), 5)

    def test_first_source(self) -> None:
        """A platform that several sources have is read from the first one."""
        second = PutSource("second")
        second.lists = {"debian-12": [*vulnerabilities(3)], "alpine-3.20": [*vulnerabilities(4, "alpine-3.20")]}
        self.refresh = self.make_refresh(second)
        self.tick()
        self.assertEqual((self.count(), self.count("alpine-3.20")), (10, 4))


class KeepingTests(RefreshCase):
    """A failure leaves what is there."""

    def setUp(self) -> None:
        super().setUp()
        self.tick()

    def test_due(self) -> None:
        """A list is read again when its interval has passed, and not before."""
        self.put("debian-12", 11)
        self.tick(HOUR - 1)
        self.assertEqual(self.count(), 10)
        self.tick(1)
        self.assertEqual(self.count(), 11)

    def test_error(self) -> None:
        """A source that fails in the middle leaves the last snapshot current; the status says what happened."""
        self.put("debian-12", 1000, SourceError("the database is away"))
        self.tick(HOUR)
        status = self.refresh.statuses["debian-12"]
        self.assertEqual(self.count(), 10)
        self.assertEqual((status.error, status.failures, status.failed), ("the database is away", 1, 1))
        self.assertEqual(self.budget.used[REFRESH], 0)
        self.tick(10)
        self.assertEqual(self.count(), 1000)
        self.assertEqual((status.error, status.failures, status.failed), (None, 0, 1))

    def test_backs_off(self) -> None:
        """It is tried again after ten seconds, twenty, and so on; never later than its interval."""
        self.put("debian-12", 1, *(SourceError("away") for _ in range(20)))
        self.tick(HOUR)
        pauses, last = [], self.clock.seconds()
        while len(pauses) < 11:
            before = self.refresh.statuses["debian-12"].failed
            self.tick(10)
            if self.refresh.statuses["debian-12"].failed > before:
                pauses.append(self.clock.seconds() - last)
                last = self.clock.seconds()
        self.assertEqual(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600])

    def test_bug(self) -> None:
        """So is a source that breaks in a way that nobody reckoned with; it is logged."""
        self.put("debian-12", 5, ZeroDivisionError("oh"))
        self.tick(HOUR)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.count(), 10)
        self.assertNotIn("oh", str(self.refresh.statuses["debian-12"].error))
        self.assertEqual(self.budget.used[REFRESH], 0)

    def test_empty(self) -> None:
        """An empty list is a failure: it is not published."""
        self.put("debian-12", 0)
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        self.assertEqual(self.refresh.statuses["debian-12"].error, "the list is empty")

    def test_record_too_large(self) -> None:
        """A record that no chunk can hold is a failure, and no bug."""
        self.put("debian-12", 3, vulnerability(9, href="x" * 2_000_000))
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        self.assertIn("too large", str(self.refresh.statuses["debian-12"].error))

    def test_source_away(self) -> None:
        """A source that cannot tell its platforms is asked again later; what is current stays, and is refreshed."""
        self.source.trouble = SourceError("away")
        self.put("debian-12", 12)
        self.tick(HOUR)
        self.assertEqual(self.count(), 12)
        asked = self.source.asked.count("platforms")
        self.tick(9)
        self.assertEqual(self.source.asked.count("platforms"), asked)

    def test_no_memory(self) -> None:
        """Without memory for it a refresh waits."""
        self.put("debian-12", 12)
        self.budget.take(REFRESH, REFRESH_BYTES)
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        self.budget.release(REFRESH, REFRESH_BYTES)
        self.tick(1)
        self.assertEqual(self.count(), 12)

    def test_platform_gone(self) -> None:
        """A platform that no source has any more keeps its snapshot, and its status says that it gets old."""
        del self.source.lists["debian-12"]
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        self.assertIn("no source", str(self.refresh.statuses["debian-12"].error))
        self.put("debian-12", 13)
        self.tick(10)
        self.assertEqual((self.count(), self.refresh.statuses["debian-12"].error), (13, None))


class RestartTests(RefreshCase):
    """A server that starts again."""

    def setUp(self) -> None:
        super().setUp()
        self.tick()
        self.clock.advance(HOUR / 2)
        self.source.asked.clear()
        self.put("debian-12", 11)
        self.refresh = self.make_refresh()
        self.successResultOf(ensureDeferred(self.refresh.start()))

    def test_takes_up(self) -> None:
        """What is in the catalogue is current at once, and no list is read before it is due."""
        self.assertEqual(self.count(), 10)
        self.assertTrue(self.refresh.ready)
        self.tick(HOUR / 2 - 1)
        self.assertNotIn("debian-12", self.source.asked)
        self.tick(1)
        self.assertEqual(self.count(), 11)

    def test_clock_set_back(self) -> None:
        """A clock that was set back does not put the next refresh off beyond its interval."""
        self.clock = type(self.clock)()
        self.refresh = self.make_refresh()
        self.successResultOf(ensureDeferred(self.refresh.start()))
        self.tick(HOUR)
        self.assertEqual(self.count(), 11)

    def test_prune(self) -> None:
        """A snapshot that was replaced stays for an hour, and as long as it is read."""
        old = self.refresh.current("debian-12").revision
        self.tick(HOUR / 2)
        for seconds, in_use, there in ((HOUR, set(), True), (1, {old}, True), (0, set(), False)):
            self.clock.advance(seconds)
            self.successResultOf(ensureDeferred(self.refresh.prune(in_use)))
            found = self.successResultOf(ensureDeferred(self.refresh.find(old)))
            self.assertEqual(found is not None, there)


class PlatformTests(RefreshCase):
    """Whatever the source has is served."""

    def test_before(self) -> None:
        """Before the source was asked nothing is known to be unknown."""
        self.assertFalse(self.refresh.ready)
        self.assertRaises(NotReady, self.refresh.current, "debian-12")
        self.assertRaises(NotReady, self.refresh.current, "amiga-3")

    def test_after(self) -> None:
        """Afterwards it is known which platforms there are; one whose list is not there is not ready."""
        self.put("alpine-3.20", 0)
        self.tick()
        self.assertRaises(UnknownPlatform, self.refresh.current, "amiga-3")
        self.assertRaises(NotReady, self.refresh.current, "alpine-3.20")
        self.assertFalse(self.refresh.ready)
        self.put("alpine-3.20", 1)
        self.tick(10)
        self.assertTrue(self.refresh.ready)


class ChosenPlatformTests(RefreshCase):
    """Only those are served that were chosen."""

    platforms = ("debian-12", "rocky-9")

    def test_others(self) -> None:
        """Others are unknown from the beginning, and not read."""
        self.put("alpine-3.20", 5)
        self.assertRaises(UnknownPlatform, self.refresh.current, "alpine-3.20")
        self.assertRaises(NotReady, self.refresh.current, "rocky-9")
        self.tick()
        self.assertNotIn("alpine-3.20", self.source.asked)

    def test_not_there(self) -> None:
        """One that no source has is not ready, and its status says why; when a source has it, it is read."""
        self.tick()
        self.assertRaises(NotReady, self.refresh.current, "rocky-9")
        self.assertIn("no source", str(self.refresh.statuses["rocky-9"].error))
        self.assertFalse(self.refresh.ready)
        self.put("rocky-9", 7)
        self.tick(10)
        self.assertEqual(self.count("rocky-9"), 7)
        self.assertTrue(self.refresh.ready)

    def test_left_in_the_catalogue(self) -> None:
        """What the catalogue still has of others is not served."""
        self.catalogue.publish("alpine-3.20", [b"{}\n"], {}, NOW)
        self.successResultOf(ensureDeferred(self.refresh.start()))
        self.assertRaises(UnknownPlatform, self.refresh.current, "alpine-3.20")


class StoppingTests(RefreshCase):
    """A server that stops while it reads."""

    def test_cancelled(self) -> None:
        """A refresh that is cancelled ends at once: it is no failure, and no other list is begun."""
        self.put("debian-12", 5, Deferred())
        self.put("alpine-3.20", 5, Deferred())
        ticking = ensureDeferred(self.refresh.tick())
        self.assertNoResult(ticking)
        ticking.cancel()
        self.failureResultOf(ticking)
        self.assertEqual(self.source.asked, ["platforms", "debian-12"])
        self.assertEqual(self.refresh.statuses["debian-12"].failed, 0)
        self.assertEqual(self.budget.used[REFRESH], 0)
        self.assertEqual(list(self.folder.glob("*.spool*")), [])
