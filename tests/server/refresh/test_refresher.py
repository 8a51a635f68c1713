"""Tests for :mod:`patches.server.refresh.refresher`: the lists that are read, and those that are current."""

from __future__ import annotations

import gzip

from twisted.internet.defer import Deferred, ensureDeferred
from zope.interface.verify import verifyObject

from patches.errors import ListChanged, SourceError
from patches.interfaces import IListing, ISource
from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.vulnerability import Vulnerability
from patches.wire import decode_lines
from tests.server.fake_catalogue import vulnerabilities, vulnerability
from tests.server.fake_source import HOUR, NOW, PutSource, RefreshCase


class SourceTests(RefreshCase):
    """The source of these tests."""

    def test_interfaces(self) -> None:
        """The source and its listings implement the interfaces."""
        verifyObject(ISource, self.source)
        verifyObject(IListing, self.source.listing("debian-12"))


class ReadingTests(RefreshCase):
    """Lists that are read are served."""

    def test_whole(self) -> None:
        """A list is read, stored and made current; its snapshot states the records that were read and skipped."""
        self.source.skipped["no-version"] = 3
        self.tick()
        snapshot = self.refresh.registry.current("debian-12")
        body = gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded)
        self.assertEqual(list(decode_lines(body)), vulnerabilities(10))
        self.assertEqual(snapshot.sources, {"put": {"read": 10, "skipped": {"no-version": 3}}})
        self.assertEqual(snapshot.checked, NOW)
        self.assertEqual(self.budget.used[REFRESH], 0)

    def test_long(self) -> None:
        """A list of any length is read completely."""
        self.put("debian-12", 1001)
        self.tick()
        self.assertEqual(self.count(), 1001)

    def test_later_record_holds(self) -> None:
        """The later one of two records with the same name is served."""
        self.source.lists["debian-12"] = [vulnerability(1, href="old"), vulnerability(2), vulnerability(1, href="new")]
        self.tick()
        snapshot = self.refresh.registry.current("debian-12")
        records = list(decode_lines(gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded)))
        self.assertEqual([(r.name[-1], r.details_href) for r in records], [("1", "new"), ("2", "")])
        self.assertEqual(snapshot.sources["put"]["read"], 2)

    def test_nothing_left(self) -> None:
        """A scratch file is not left after a success, nor after a failure."""
        self.tick()
        self.put("debian-12", 5, SourceError("away"))
        self.tick(HOUR)
        self.assertEqual([path.name for path in self.folder.glob("*.spool*")], [])

    def test_list_changed(self) -> None:
        """A list that changes while it is read is read again from its beginning."""
        self.put("debian-12", 10, ListChanged("moved"))
        self.source.lists["debian-12"].insert(0, vulnerability(77))
        self.tick()
        self.assertEqual(self.count(), 11)
        self.assertEqual(self.source.asked, ["offers", "debian-12", "debian-12"])

    def test_void_after_change(self) -> None:
        """Records that were read before the change are not served."""
        session_service = [vulnerability(77), ListChanged("moved"), vulnerability(1)]
        self.source.lists["debian-12"] = session_service
        waiting: Deferred[None] = Deferred()
        session_service.insert(1, waiting)  # type: ignore[arg-type]
        done = ensureDeferred(self.refresh.tick())
        del session_service[0]
        self.successResultOf(done)  # no tick waits for a source
        waiting.callback(None)
        self.tick(1)
        self.assertEqual(self.count(), 1)

    def test_keeps_changing(self) -> None:
        """A list that changes during each attempt to read it fails in the end."""
        self.put("debian-12", 3, *(ListChanged("moved") for _ in range(5)))
        self.tick()
        status = self.refresh.statuses["debian-12"]
        self.assertIsNone(status.snapshot)
        self.assertIn("changed", str(status.error))
        self.assertEqual(self.source.asked.count("debian-12"), 5)

    def test_several_sources(self) -> None:
        """A platform of several sources has the records of all of them; the number of each source is reported."""
        second = PutSource("second")
        second.lists = {"debian-12": [*vulnerabilities(3)], "alpine-3.20": [*vulnerabilities(4, "alpine-3.20")]}
        self.refresh = self.create_refresher(second)
        self.tick()
        self.assertEqual((self.count(), self.count("alpine-3.20")), (13, 4))
        told = {name: facts["read"] for name, facts in self.refresh.registry.current("debian-12").sources.items()}
        self.assertEqual(told, {"put": 10, "second": 3})

    def test_one_source_fails(self) -> None:
        """A source that fails does not affect others; its own last list is still served."""
        second = PutSource("second")
        second.lists = {"debian-12": [*vulnerabilities(3)], "alpine-3.20": [*vulnerabilities(4, "alpine-3.20")]}
        self.refresh = self.create_refresher(second)
        self.tick()
        second.trouble = SourceError("away")
        self.put("debian-12", 12)
        self.tick(HOUR)
        self.assertEqual((self.count(), self.refresh.statuses["debian-12"].error), (15, "second: away"))
        self.assertEqual((self.count("alpine-3.20"), self.refresh.statuses["alpine-3.20"].error), (4, "second: away"))

    def test_unchanged(self) -> None:
        """A list whose state has not changed is neither read nor written, but counts as checked."""
        self.source.states["debian-12"] = "etag-1"
        self.tick()
        before = self.catalogue.current()
        self.put("debian-12", 11)
        self.tick(HOUR)
        self.assertEqual((self.source.asked, self.count()), (["offers", "debian-12", "offers"], 10))
        self.assertEqual(self.catalogue.current(), before)
        self.assertEqual(self.refresh.registry.current("debian-12").checked, NOW + HOUR)
        self.source.states["debian-12"] = "etag-2"
        self.tick(HOUR)
        self.assertEqual(self.count(), 11)

    def test_does_not_add_up(self) -> None:
        """A list that is shorter than its source claims is not published."""
        self.source.claimed = 11
        self.tick()
        self.assertIn("11 entries, but 10", str(self.refresh.statuses["debian-12"].error))
        self.assertIsNone(self.refresh.statuses["debian-12"].snapshot)
        self.source.skipped["no-version"] = 1
        self.tick(10)
        self.assertEqual(self.count(), 10)


class KeepingTests(RefreshCase):
    """Failures, which leave the current list unchanged."""

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
        """A source that fails in the middle leaves the last snapshot current; the status reports the error."""
        self.put("debian-12", 1000, SourceError("the database is away"))
        self.tick(HOUR)
        status = self.refresh.statuses["debian-12"]
        self.assertEqual(self.count(), 10)
        self.assertEqual((status.error, status.failures, status.failed), ("put: the database is away", 1, 1))
        self.assertEqual(self.budget.used[REFRESH], 0)
        self.tick(10)
        self.assertEqual(self.count(), 1000)
        self.assertEqual((status.error, status.failures, status.failed), (None, 0, 1))

    def test_backs_off(self) -> None:
        """A failed list is retried after ten seconds, twenty, and so on; at least every quarter of an hour."""
        self.put("debian-12", 1, *(SourceError("away") for _ in range(20)))
        self.tick(HOUR)
        pauses, last = [], self.clock.seconds()
        while len(pauses) < 11:
            before = self.refresh.statuses["debian-12"].failed
            self.tick(10)
            if self.refresh.statuses["debian-12"].failed > before:
                pauses.append(self.clock.seconds() - last)
                last = self.clock.seconds()
        self.assertEqual(pauses, [10, 20, 40, 80, 160, 320, 640, *[900] * 4])

    def test_bug(self) -> None:
        """A source that fails with an unexpected error leaves the list unchanged, and the error is logged."""
        self.put("debian-12", 5, ZeroDivisionError("oh"))
        self.tick(HOUR)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.count(), 10)
        self.assertNotIn("oh", str(self.refresh.statuses["debian-12"].error))
        self.assertEqual(self.budget.used[REFRESH], 0)

    def test_empty(self) -> None:
        """An empty list is a failure, and is not published."""
        self.put("debian-12", 0)
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        self.assertEqual(self.refresh.statuses["debian-12"].error, "put: the list is empty")

    def test_record_too_large(self) -> None:
        """A record that does not fit into a chunk does not cost the list; one whose name does not is a failure."""
        self.put("debian-12", 12, vulnerability(99, href="x" * 2_000_000))
        self.tick(HOUR)
        self.assertEqual(self.count(), 13)
        self.put("debian-12", 12, Vulnerability("x" * 2_000_000, "debian-12"))
        self.tick(HOUR)
        self.assertEqual(self.count(), 13)
        self.assertIn("too large", str(self.refresh.statuses["debian-12"].error))

    def test_source_away(self) -> None:
        """A source that cannot name its platforms is asked again later; its known lists are still refreshed."""
        self.source.trouble = SourceError("away")
        self.put("debian-12", 12)
        self.tick(HOUR)
        self.assertEqual(self.count(), 12)
        asked = self.source.asked.count("offers")
        self.tick(9)
        self.assertEqual(self.source.asked.count("offers"), asked)

    def test_source_broken(self) -> None:
        """A source whose platforms raise an unexpected error is asked again only after a pause."""
        self.source.trouble = RuntimeError("a bug")
        self.tick(HOUR)
        asked = self.source.asked.count("offers")
        self.tick(9)
        self.assertEqual(self.source.asked.count("offers"), asked)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.refresh.registry.problem, "put: internal error; see the log")

    def test_shrinks(self) -> None:
        """A list that has shrunk too much is held back and reported; once it is long again it is published."""
        self.put("debian-12", 100)
        self.tick(HOUR)
        self.put("debian-12", 89)
        self.tick(HOUR)
        status = self.refresh.statuses["debian-12"]
        self.assertEqual(self.count(), 100)
        self.assertIn("89 vulnerabilities, 11% less", str(status.alarm))
        self.assertEqual([held_back.vulnerabilities for held_back in self.catalogue.held_back()], [89])
        self.put("debian-12", 90)
        self.tick(HOUR)
        self.assertEqual((self.count(), status.alarm, self.catalogue.held_back()), (90, None, []))

    def test_accepted(self) -> None:
        """A list that an operator accepts is current; the time of its check is not that of the acceptance."""
        self.put("debian-12", 2)
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        accepted = self.catalogue.accept("debian-12", NOW + 9 * HOUR)
        self.assertEqual(accepted and (accepted.vulnerabilities, accepted.checked), (2, NOW + HOUR))
        self.assertIsNone(self.catalogue.accept("debian-12", NOW))
        self.assertEqual([each.vulnerabilities for each in self.catalogue.current()], [2])
        self.tick(10)
        self.assertEqual((self.count(), self.refresh.statuses["debian-12"].alarm), (2, None))
        self.assertEqual(self.refresh.registry.current("debian-12").checked, NOW + HOUR)

    def test_no_memory(self) -> None:
        """A refresh that cannot be granted memory waits."""
        self.put("debian-12", 12)
        self.budget.take(REFRESH, REFRESH_BYTES)
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        self.budget.release(REFRESH, REFRESH_BYTES)
        self.tick(1)
        self.assertEqual(self.count(), 12)

    def test_platform_gone(self) -> None:
        """A platform that its source no longer has keeps its snapshot, and its status reports the reason."""
        del self.source.lists["debian-12"]
        self.tick(HOUR)
        self.assertEqual(self.count(), 10)
        self.assertIn("no source", str(self.refresh.statuses["debian-12"].error))
        self.put("debian-12", 13)
        self.tick(10)
        self.assertEqual((self.count(), self.refresh.statuses["debian-12"].error), (13, None))


class HeldTests(RefreshCase):
    """A list that is held back while its sources keep delivering it."""

    def setUp(self) -> None:
        super().setUp()
        self.source.states["debian-12"] = "long"
        self.tick()
        self.put("debian-12", 2)
        self.source.states["debian-12"] = "short"
        self.tick(HOUR)

    def test_times(self) -> None:
        """The current list grows old while its sources no longer deliver it; the list that is held back does not."""
        for _ in range(5):
            self.tick(HOUR)
        self.tick(10)
        self.assertEqual(self.source.asked.count("debian-12"), 2)
        self.assertEqual(self.refresh.registry.current("debian-12").checked, NOW)
        self.assertEqual([each.checked for each in self.catalogue.held_back()], [NOW + 6 * HOUR])

    def test_restart(self) -> None:
        """After a restart a list that is held back is reported at once, before any source was asked."""
        alarm = self.refresh.statuses["debian-12"].alarm
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))
        self.assertIn("2 vulnerabilities, 80% less", str(alarm))
        self.assertEqual(self.refresh.statuses["debian-12"].alarm, alarm)
        self.tick(HOUR)
        self.assertEqual((self.count(), self.refresh.statuses["debian-12"].alarm), (10, alarm))
        self.assertEqual(self.refresh.registry.current("debian-12").checked, NOW)
