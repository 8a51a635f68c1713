"""Tests for :mod:`patches.standalone.sources`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.standalone.sources import sources_of


class SourcesTests(SynchronousTestCase):
    """The settings of the sources."""

    def section(self, platform: str, **section: str) -> dict[str, object]:
        """Return the section of the only source."""
        settings = sources_of(platform, section, None)
        self.assertTrue(settings.no_public_sources)
        ((name, made),) = settings.source.items()
        self.assertEqual((name, made["kind"], made["platforms"]), (section["kind"], section["kind"], platform))
        return {key: value for key, value in made.items() if key not in ("kind", "platforms")}

    def test_public(self) -> None:
        """Without any, public feeds are read; a list is the only source."""
        public, own = sources_of("debian-12", None, None), sources_of("debian-12", None, Path("a.ndjson"))
        self.assertEqual((public.no_public_sources, public.source, public.list_file), (False, {}, None))
        self.assertEqual((own.no_public_sources, own.source, own.list_file), (True, {}, Path("a.ndjson")))

    def test_one(self) -> None:
        """A source is read for the platform of the host only."""
        self.assertEqual(self.section("alpine-3.20", kind="secdb", url="http://a/"), {"url": "http://a/"})

    def test_buckets(self) -> None:
        """OSV: in a bucket the ecosystems of the platform are read; an archive is one list."""
        bucket = self.section("rocky-9", kind="osv", url="https://feeds.example")
        self.assertEqual(bucket, {"url": "https://feeds.example", "ecosystems": ["Rocky Linux"]})
        archive = {"url": "https://feeds.example/osv.tar.xz"}
        self.assertEqual(self.section("rocky-9", kind="osv", **archive), archive)
        folder = Path(self.mktemp())
        (folder / "Debian").mkdir(parents=True)
        self.assertEqual(self.section("debian-12", kind="osv", path=str(folder)), {"path": str(folder)})
        (folder / "Debian/all.zip").touch()
        copied = self.section("debian-12", kind="osv", path=str(folder))
        self.assertEqual(copied, {"path": str(folder), "ecosystems": ["Debian"]})
        self.assertEqual(self.section("alpine-3.20", kind="osv", path=str(folder)), {"path": str(folder)})
