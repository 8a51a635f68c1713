"""Tests for :mod:`patches.server.assembly.memory`."""

from __future__ import annotations

import os

from twisted.web.resource import Resource

from patches.http.bounded_site import BoundedSite
from patches.server.assembly.memory import create_governor, governing, shedders
from patches.server.assembly.sessions import create_sessions
from patches.server.options import SessionSettings
from patches.service.budget import CONNECTIONS, resident_bytes
from tests.server.assembly.parts_case import PartsCase
from tests.server.memory_transport import Wire


class GovernorTests(PartsCase):
    """The governor of a server."""

    def test_measures(self) -> None:
        """The memory of workers counts."""
        governor = create_governor(1 << 40, self.shared, lambda: (os.getpid(),))
        self.assertGreater(governor.measure(), 1.9 * resident_bytes())

    def test_governs(self) -> None:
        """While it runs, a process above its limit accepts nothing new, and lets go of what it can."""
        governor = create_governor(1, self.shared, tuple)
        site = BoundedSite(Resource(), self.shared.budget, self.shared.reactor)
        sessions = create_sessions(SessionSettings(), self.shared, self.storage.catalogue)
        governor.shedders = shedders(site, sessions.service)
        wire = Wire(site.buildProtocol(None))
        service = governing(governor, self.shared)
        service.startService()
        self.addCleanup(service.stopService)
        self.assertFalse(wire.connected)
        self.assertIn(CONNECTIONS, self.shared.budget.closed)
        names = ["half-read requests", "idle connections", "queued sessions", "active sessions"]
        self.assertEqual([shedder.what for shedder in governor.shedders], names)
