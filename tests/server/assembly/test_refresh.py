"""Tests for :mod:`patches.server.assembly.refresh`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve

from patches.server.assembly.refresh import create_refresh
from patches.server.configured_sources import ConfiguredSources
from patches.server.options import RefreshSettings
from patches.server.refresh.leadership import Leadership
from patches.server.refresh.schedule import NoPublicSources
from patches.sources.fetch.cache import FileCache
from patches.sources.worker.workers import Workers
from tests.server.assembly.parts_case import PartsCase
from tests.server.fake_catalogue import vulnerabilities
from tests.server.fake_source import PutSource


class RefreshTests(PartsCase):
    """The refresh of a server."""

    def setUp(self) -> None:
        super().setUp()
        self.source = PutSource()
        self.source.lists = {"debian-12": [*vulnerabilities(3)]}
        self.forgotten = 0

    def sources(self) -> ConfiguredSources:
        """Create sources that count when files are to be forgotten."""

        def forget() -> None:
            self.forgotten += 1

        return ConfiguredSources(
            (self.source,), NoPublicSources(), {}, forget, Workers(self.shared.reactor, 0), FileCache(Path())
        )

    def test_runs(self) -> None:
        """While its services run, the lists of the sources are published, and unused files are forgotten."""
        refresh = create_refresh(RefreshSettings(), self.shared, self.storage, self.sources(), set)
        for service in refresh.services:
            service.startService()
            self.addCleanup(service.stopService)
        self.shared.reactor.pump([1.0] * 301)
        self.assertEqual([each.platform for each in self.storage.catalogue.current()], ["debian-12"])
        self.assertEqual(refresh.refresher.registry.current("debian-12").vulnerabilities, 3)
        self.assertGreater(self.forgotten, 0)

    def test_platforms(self) -> None:
        """The platforms are those of the settings."""
        settings = RefreshSettings(platforms=("debian-12", "alpine-3.20"))
        refresh = create_refresh(settings, self.shared, self.storage, self.sources(), set)
        self.assertEqual(set(refresh.refresher.statuses), {"debian-12", "alpine-3.20"})

    def test_leads(self) -> None:
        """On a shared database, a server that is not the leader refreshes nothing."""

        class Taken:
            """The lock of another server."""

            def acquire(self) -> bool:
                """Return that it is held elsewhere."""
                return False

        lock: Any = Taken()
        shared = evolve(self.storage, leadership=Leadership(lock, self.shared.run))
        refresh = create_refresh(RefreshSettings(), self.shared, shared, self.sources(), set)
        self.assertEqual(len(refresh.services), 5)
        for service in refresh.services:
            service.startService()
            self.addCleanup(service.stopService)
        self.shared.reactor.pump([1.0] * 20)
        self.assertEqual(self.storage.catalogue.current(), [])
