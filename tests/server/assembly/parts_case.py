"""A case with what the parts of a server share, in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.assembly.shared import Shared
from patches.server.assembly.storage import open_storage
from patches.server.catalogue.availability.watch import CatalogueWatch
from patches.server.options import CatalogueSettings
from patches.service.budget import Budget
from tests.server.fake_connections import FakeConnections


class PartsCase(SynchronousTestCase):
    """A case with a reactor, a budget, a state folder, and the database in it."""

    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        reactor: Any = MemoryReactorClock()
        run: Any = maybeDeferred
        self.connections = FakeConnections()
        self.watch = CatalogueWatch(self.connections, run, run, reactor)
        self.shared = Shared(reactor, run, self.watch, Budget(1 << 24), folder)
        self.storage = open_storage(CatalogueSettings(), folder, run)
        self.addCleanup(self.storage.catalogue.close)
