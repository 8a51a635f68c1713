"""Tests for :mod:`patches.server.refresh.maintenance`: an unavailable catalogue is logged once."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.logger import globalLogPublisher

from patches.errors import SourceError
from patches.server.budget import REFRESH
from patches.server.catalogue.publication_store import PublicationStore
from patches.server.errors import CatalogueError
from patches.server.refresh.leadership import Leadership
from patches.server.refresh.maintenance import Maintenance, RefreshService
from patches.server.refresh.repair.scrub import Scrub
from tests.server.fake_source import HOUR
from tests.server.refresh.test_leadership import MemoryLock, Mutex
from tests.server.server_case import ServerCase


class MaintenanceTests(ServerCase):
    """The periodic maintenance of a server that shares its catalogue."""

    def setUp(self) -> None:
        super().setUp()
        self.lock = MemoryLock(Mutex())
        leadership = Leadership(self.lock, maybeDeferred)
        self.refresh.leads = leadership.leads
        self.forgotten: list[float] = []
        self.maintenance = self.create_maintenance(leadership)
        self.said: list[str] = []
        globalLogPublisher.addObserver(self.note)
        self.addCleanup(globalLogPublisher.removeObserver, self.note)

    def create_maintenance(self, leadership: Leadership) -> Maintenance:
        """Create the maintenance of a server that starts."""
        stores = self.catalogue, self.store, PublicationStore(self.catalogue._engine)
        scrub = Scrub(*stores, self.lists, self.refresh.registry, maybeDeferred, self.clock)
        in_use = self.session_service.revisions_in_use
        more = self.forget_files, self.repair, scrub, self.watch.note
        return Maintenance(in_use, self.refresh, self.deltas, leadership, *more)

    async def repair(self) -> bool:
        """Replace nothing."""
        return False

    def test_stop(self) -> None:
        """A service that is stopped interrupts the lists that are being read; what they had reserved is released."""
        waits: Deferred[None] = Deferred(lambda _: interrupted.append(True))
        interrupted: list[bool] = []
        service = RefreshService(self.maintenance, self.refresh, self.clock)
        self.put("rocky-9", 3, waits)
        self.clock.advance(2 * HOUR)
        service.startService()
        self.assertGreater(self.budget.used[REFRESH], 0)
        self.assertEqual(interrupted, [])
        stopped = service.stopService()
        assert stopped is not None
        self.successResultOf(stopped)
        self.assertEqual((interrupted, self.budget.used[REFRESH]), ([True], 0))

    def note(self, event: dict[str, Any]) -> None:
        """Note what is logged about the catalogue."""
        if "catalogue" in (event.get("log_format") or ""):
            self.said.append(str(event.get("error", "fine")))

    def go_on(self, seconds: float = 11) -> None:
        """Advance the time, and run the maintenance once."""
        self.clock.advance(seconds)
        self.successResultOf(ensureDeferred(self.maintenance.refresh()))

    async def forget_files(self) -> None:
        """Note the time at which files of feeds are removed."""
        self.forgotten.append(self.clock.seconds())

    def test_files(self) -> None:
        """The leader removes files only after it has asked its sources, so that the files in use are known."""
        self.start()
        leadership = Leadership(self.lock, maybeDeferred)
        self.maintenance = self.create_maintenance(leadership)
        self.prune()
        self.assertEqual(self.forgotten, [])
        self.go_on()
        self.prune()
        self.assertEqual(len(self.forgotten), 1)
        self.refresh.leads = lambda: False
        self.prune()
        self.go_on()
        self.refresh.leads = lambda: True
        self.prune()
        self.assertEqual(len(self.forgotten), 1)
        self.source.trouble = SourceError("away")
        self.go_on()
        self.prune()
        self.assertEqual(len(self.forgotten), 2)

    def prune(self) -> None:
        """Delete old snapshots and files."""
        self.successResultOf(ensureDeferred(self.maintenance.prune()))

    def test_leads_at_once(self) -> None:
        """A server that starts alone refreshes its lists in the first run."""
        self.put("debian-12", 12)
        self.go_on(3600)
        self.assertEqual(self.count(), 12)

    def test_away(self) -> None:
        """An unavailable catalogue is logged when it fails, when the reason changes, and when it recovers."""
        self.go_on()
        current = self.catalogue.current
        for reason in ("refused", "refused", "starting", "starting"):
            self.patch(self.catalogue, "current", self.failing(reason))
            self.go_on()
        self.patch(self.catalogue, "current", current)
        self.go_on()
        self.go_on()
        self.assertEqual(self.said, ["refused", "starting", "fine"])

    def failing(self, reason: str) -> Any:
        """Return a function that fails."""

        def fail() -> None:
            raise CatalogueError(reason)

        return fail
