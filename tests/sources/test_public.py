"""Tests for :mod:`patches.sources.public`."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.refresh.schedule import PublicSourceProvider
from patches.sources.context import SourceContext
from patches.sources.fetch.cache import FileCache
from patches.sources.public import PUBLIC, PublicSources


class PublicSourcesTests(SynchronousTestCase):
    """Public sources."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        context = SourceContext.create(Clock(), maybeDeferred, folder, FileCache(folder / "files"), {})  # type: ignore[arg-type]
        self.public: PublicSourceProvider = PublicSources(context)

    def wanted(self, *platforms: str) -> dict[str, list[str]]:
        """Return the platforms that each source reads when these are wanted."""
        found = self.public.sources(platforms)
        return {source.name: sorted(source.wanted) for source in found.values()}  # type: ignore[attr-defined]

    def test_has(self) -> None:
        """Every name of a family with a public feed has a source, and no other name."""
        for name in ("debian-12", "debian-99", "wolfi", "amazon-2023", "opensuse-leap-15.6"):
            self.assertTrue(self.public.has(name), name)
        for name in ("amazon-2018", "amiga-3", "Debian 12", "", "debian-" + "9" * 64, "photon-5", "-", "\n"):
            self.assertFalse(self.public.has(name), name)
            self.assertEqual(self.public.sources([name]), {})

    def test_all(self) -> None:
        """Every source of the table can be created, and reads the wanted platforms."""
        names = [name if name.partition("-")[2].isdecimal() else f"{name}-1" for name in PUBLIC]
        names = [name.removesuffix("-1") if name in ("wolfi-1", "chainguard-1") else name for name in names]
        found = self.wanted(*names)
        self.assertEqual(found.keys(), {config.name for config in PUBLIC.values()})
        self.assertEqual(sorted(name for each in found.values() for name in each), sorted(names))

    def test_enriching(self) -> None:
        """KEV and EPSS are read with the others: the same objects each time."""
        found = self.public.enriching()
        self.assertEqual([(source.name, source.enriches) for source in found], [("kev", "kev"), ("epss", "epss")])
        self.assertIs(self.public.enriching()[0], found[0])

    def test_exactly(self) -> None:
        """
        The sources read the platforms that are wanted now only; a source that is always wanted stays the same object.
        """
        first = self.public.sources(["debian-12", "wolfi"])["debian-12"]
        self.assertEqual(
            self.wanted("debian-11", "debian-12", "alpine-3.20"),
            {"debian-tracker": ["debian-11", "debian-12"], "alpine-secdb": ["alpine-3.20"]},
        )
        self.assertIs(self.public.sources(["debian-11"])["debian-11"], first)
        self.assertEqual(self.wanted("debian-11"), {"debian-tracker": ["debian-11"]})
        self.assertEqual(self.wanted(), {})
