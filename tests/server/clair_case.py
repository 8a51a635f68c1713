"""A case with a refresher that reads from Clair."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import ensureDeferred

from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.service.budget import Budget
from patches.sources.clair.source import LISTS_BYTES, ClairSettings, ClairSource
from patches.sources.fetch.clients import FirstEncoding
from patches.sources.fetch.retry import FetchSettings
from patches.testing import ClairDouble
from tests.server.fake_source import RefreshCase
from tests.sources.clair_in_memory import named

HALF_HOUR = 1800.0


class ClairCase(RefreshCase):
    """A case with a Clair that has lists of two releases of Debian, and with a refresher that has read them."""

    interval = timedelta(hours=6)

    def setUp(self) -> None:
        super().setUp()
        self.budget = Budget(REFRESH_BYTES + LISTS_BYTES, {REFRESH: REFRESH_BYTES})
        self.double = ClairDouble(self.clock)
        self.ledgers = Path(self.mktemp())
        self.double.load("debian:9", named(*(f"CVE-{number:02}" for number in range(50))))
        self.double.load("debian:10", named("CVE-1", "CVE-2"))
        self.start()
        self.tick()
        for pause in (60, 120, 240, 480, 960):  # what was read is asked for again soon, and then less often
            self.tick(pause)
        self.calm = self.wall()
        self.double.requests.clear()

    def start(self) -> None:
        """Start a server, or restart it."""
        settings = ClairSettings(fetch=FetchSettings(tries=1), quiet_seconds=0.0)
        self.configured = [ClairSource(self.client(), "http://clair.test", self.clock, settings, folder=self.ledgers)]
        self.refresh = self.create_refresher()
        self.successResultOf(ensureDeferred(self.refresh.load_current()))

    def client(self) -> HTTPClient:
        """Create a client of the Clair."""
        return HTTPClient(FirstEncoding(RequestTraversalAgent(self.double.resource())))

    def change(self, name: str, version: str, namespace: str = "debian:9") -> None:
        """Change a vulnerability, or create one."""
        self.double.change(namespace, {"Name": name, "FixedIn": [{"Name": "made-up", "Version": version}]})

    def written(self) -> tuple[int, object]:
        """Return all that a write changes, except the time of a snapshot's check."""
        snapshots = [(each.revision, each.created, each.held_back) for each in self.catalogue.snapshots()]
        return self.lists._database.total_changes, snapshots
