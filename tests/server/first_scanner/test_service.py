"""The service of first scanners, on a catalogue, with threads that a test controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import SESSION_BYTES, SESSIONS
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import BadToken, Denied, SessionExpired
from patches.server.first_scanner.service import MOST_READS, FirstScannerService
from patches.server.first_scanner.slice_sessions import SliceLimits
from patches.server.first_scanner.slices import ListSlice
from patches.server.sessions.tokens import TokenKey
from patches.service.budget import Budget
from tests.server.fake_catalogue import lines, vulnerabilities


class ServiceTests(SynchronousTestCase):
    """Requests of scanners."""

    def setUp(self) -> None:
        self.catalogue = Catalogue(open_database(Path(self.mktemp())))
        self.addCleanup(self.catalogue.close)
        self.list = self.catalogue.publish("debian-12", lines(vulnerabilities(70)), {}, 0.0)
        self.clock, self.key, self.budget = Clock(), TokenKey(b"k" * 32), Budget(10 * SESSION_BYTES)
        self.threads: list[tuple[Deferred[Any], Any]] = []
        self.service = FirstScannerService(
            SliceLimits(places=5), self.key, self.budget, self.catalogue, self.run_later, self.clock
        )

    def run_later(self, call: Any, *arguments: Any) -> Deferred[Any]:
        """Run a call when the test says so."""
        waiting: Deferred[Any] = Deferred()
        self.threads.append((waiting, lambda: call(*arguments)))
        return waiting

    def ask(self, token: str, sequence: str | None = None) -> Deferred[ListSlice | None]:
        """Send a request."""
        return ensureDeferred(self.service.read(token, sequence))

    def finish(self) -> None:
        """Complete the oldest read."""
        waiting, call = self.threads.pop(0)
        waiting.callback(call())

    def serve(self, token: str, sequence: str | None = None) -> int:
        """Send a request, and serve its answer. Return the number of its records."""
        asked = self.ask(token, sequence)
        self.finish()
        found = self.successResultOf(asked)
        assert found is not None
        self.service.serve(token, found, sequence)
        return len(found.lines)

    def test_walk(self) -> None:
        """A session is served to its end, and each event is counted."""
        token = self.service.open(self.list, "")
        self.assertEqual(self.key.read(token), ("debian-12", self.list.revision))
        self.assertEqual(self.service.revisions_in_use(), {self.list.revision})
        self.assertEqual([self.serve(token, each) for each in "1123"], [50, 50, 20, 0])
        self.assertEqual(self.serve(token, "3"), 0)
        self.assertEqual(self.service.events, {"opened": 1, "slices": 3, "repeated": 1, "completed": 1})

    def test_one_read(self) -> None:
        """A second request of a session is not answered while the first one reads; it asks again."""
        token = self.service.open(self.list, "")
        first = self.ask(token)
        self.assertIsNone(self.successResultOf(self.ask(token)))
        self.finish()
        self.assertIsNotNone(self.successResultOf(first))

    def test_hang_up(self) -> None:
        """A scanner that hangs up while its slice is read loses nothing: the slice is not served."""
        token = self.service.open(self.list, "")
        asked = self.ask(token)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.threads.clear()
        self.assertEqual([self.serve(token), self.serve(token)], [50, 20])

    def test_few_reads(self) -> None:
        """A few slices are read at once, in the order of the requests; the others wait, and take no memory."""
        tokens = [self.service.open(self.list, "") for _ in range(4)]
        before = dict(self.budget.used)
        asked = [self.ask(token) for token in tokens]
        self.assertEqual((len(self.threads), MOST_READS), (2, 2))
        self.assertEqual(self.budget.used, before)
        for waiting in asked:
            self.assertNoResult(waiting)
            self.finish()
            self.assertIsNotNone(self.successResultOf(waiting))

    def test_expiry(self) -> None:
        """A silent session ends after 15 minutes, also one whose slice was being read."""
        token = self.service.open(self.list, "")
        asked = self.ask(token)
        self.clock.advance(900)
        self.service.tick()
        self.assertEqual(len(self.service.sessions), 1)
        self.clock.advance(1)
        self.service.tick()
        self.finish()
        self.failureResultOf(asked, SessionExpired)
        self.assertEqual((self.service.events["expired"], self.budget.used[SESSIONS]), (1, 0))

    def test_reopened(self) -> None:
        """A session of before a restart begins again, so that its scanner gets the whole list."""
        token = self.key.create("debian-12", self.list.revision)
        for _ in range(2):
            self.successResultOf(ensureDeferred(self.service.reopen(token, self.find, "")))
        self.assertEqual([self.serve(token) for _ in range(3)], [50, 20, 0])
        self.assertEqual((self.service.events["reopened"], self.budget.used[SESSIONS]), (1, SESSION_BYTES))

    def test_not_reopened(self) -> None:
        """A token of another key, and a list that is gone, are refused."""
        for token, error in (("x", BadToken), (self.key.create("debian-12", "gone"), SessionExpired)):
            self.failureResultOf(ensureDeferred(self.service.reopen(token, self.find, "")), error)
        self.assertEqual(len(self.service.sessions), 0)

    async def find(self, revision: str) -> Snapshot | None:
        """Find a list in the catalogue."""
        return self.catalogue.find(revision)

    def test_denied(self) -> None:
        """A session that is denied is counted, and one that is closed leaves nothing."""
        tokens = [self.service.open(self.list, "") for _ in range(5)]
        self.assertRaises(Denied, self.service.open, self.list, "")
        self.assertEqual(self.service.events["denied"], 1)
        for token in tokens:
            self.service.close(token)
        self.assertEqual((self.service.revisions_in_use(), self.budget.used[SESSIONS]), (set(), 0))

    def test_stop(self) -> None:
        """When the server stops, a request that waits gets an error."""
        asked = self.ask(self.service.open(self.list, ""))
        self.service.stop()
        self.finish()
        self.assertEqual(self.failureResultOf(asked, Denied).value.code, "stopping")
