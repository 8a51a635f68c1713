"""Tests for :mod:`patches.sources.registry`: every kind of source is created from its configuration."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from patches.interfaces import ISource
from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.local import LocalFiles
from patches.sources.registry import KINDS, create_source
from tests.sources.clair_export.test_parser import DEBIAN, entry, lines
from tests.sources.csaf.test_fetch import archive, path_of, vex
from tests.sources.feed_case import FeedCase, run
from tests.sources.updateinfo.test_fetch import repomd
from tests.sources.updateinfo.test_parser import document, package, update


class RegistryCase(FeedCase):
    """A case with files in a folder."""

    def made(self, wanted: frozenset[str] | None = None, **section: Any) -> ISource:
        """Create a source that reads local files."""
        files = FileCache(self.folder / "kept")
        context = SourceContext(
            reactor=None, run=run, folder=self.folder, fetcher=lambda config: LocalFiles(run), files=files
        )
        return create_source(SourceConfig.from_section("made-up", section), context, wanted)

    def write(self, name: str, content: bytes) -> str:
        """Write a file. Return its folder."""
        path = self.folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(self.folder / "files")


class ConfigurationTests(RegistryCase):
    """Valid and invalid configurations."""

    def refused(self, **section: Any) -> str:
        """Return the message with which a configuration is refused, which must be a single line."""
        with self.assertRaises(BadSetting) as caught:
            self.made(**section)
        text = str(caught.exception)
        self.assertTrue(text.startswith("[source.made-up]: "), text)
        self.assertNotIn("\n", text)
        return text

    def test_unknown_kind(self) -> None:
        """An unknown kind is refused, and the message contains the known ones."""
        text = self.refused(kind="made-up", url="https://x.test")
        for kind in KINDS:
            self.assertIn(kind, text)

    def test_no_place(self) -> None:
        """Every kind needs a location."""
        for kind in KINDS:
            self.assertIn("neither", self.refused(kind=kind))

    def test_one_platform(self) -> None:
        """A kind whose files do not name their platform needs exactly one in its configuration."""
        for kind, url in (("updateinfo", "https://x.test"), ("secdb", "https://x.test/security.json")):
            for platforms in ({}, {"platforms": ["amazon-2", "amazon-2023"]}):
                self.assertIn('"platforms"', self.refused(kind=kind, url=url, **platforms))

    def test_one_place(self) -> None:
        """Documents with an archive and changes have one location."""
        self.assertIn("one place", self.refused(kind="csaf-vex", url=["https://a.test", "https://b.test"]))

    def test_rank(self) -> None:
        """A vendor's own data takes precedence over converted data, unless the configuration says otherwise."""
        url, one = "https://x.test", {"platforms": ["amazon-2"]}
        ranks = {kind: self.made(kind=kind, url=url, **one).rank for kind in ("clair-export", "csaf-vex", "updateinfo")}
        self.assertEqual(ranks, {"clair-export": 1, "csaf-vex": 0, "updateinfo": 0})
        self.assertEqual(self.made(kind="csaf-vex", url=url, rank=3).rank, 3)
        self.assertEqual(self.made(kind="clair-export", url=url, rank=0).rank, 0)


class LocalTests(RegistryCase):
    """Copies of feeds in a folder are read like the feeds."""

    def names(self, **section: Any) -> list[tuple[str, str]]:
        """Read a source. Return names and platforms."""
        return [(each.name, each.platform) for each in self.read(self.made(**section))]

    def test_updateinfo(self) -> None:
        """A copy of a repository."""
        content = document(update(package("curl")))
        self.write("repodata/updateinfo.xml", content)
        told = ("checksum", "sha256", hashlib.sha256(content).hexdigest())
        folder = self.write("repodata/repomd.xml", repomd(told, href="repodata/updateinfo.xml"))
        expected = [("ALAS2023-2023-001", "amazon-2023")]
        self.assertEqual(self.names(kind="updateinfo", path=folder, platforms=["amazon-2023"]), expected)
        file = f"{folder}/repodata/updateinfo.xml"
        self.assertEqual(self.names(kind="updateinfo", path=file, platforms=["amazon-2023"]), expected)

    def test_clair_export(self) -> None:
        """An export."""
        folder = self.write("export.json", lines(entry("debian/updater", "CVE-2024-0001", distribution=DEBIAN)))
        expected = [("CVE-2024-0001", "debian-12")]
        self.assertEqual(self.names(kind="clair-export", path=f"{folder}/export.json"), expected)
        self.assertEqual(self.names(kind="clair-export", path=f"{folder}/export.json", platforms=["debian-11"]), [])

    def test_csaf_vex(self) -> None:
        """A copy of a provider's folder, and its archive alone."""
        self.write("csaf_vex_2026-11-20.tar.zst", archive(**{path_of(1): vex(1)}))
        self.write("archive_latest.txt", b"csaf_vex_2026-11-20.tar.zst\n")
        self.write("deletions.csv", b"")
        self.write(path_of(2), vex(2))
        folder = self.write("changes.csv", f'"{path_of(2)}","2026-11-20T01:00:00+00:00"\n'.encode())
        both = [("CVE-2024-0001", "rhel-9"), ("CVE-2024-0002", "rhel-9")]
        self.assertEqual(self.names(kind="csaf-vex", path=folder), both)
        self.assertEqual(self.names(kind="csaf-vex", path=f"{folder}/csaf_vex_2026-11-20.tar.zst"), both[:1])

    def test_scratch_is_gone(self) -> None:
        """The scratch file is deleted."""
        folder = self.write("export.json", lines(entry("debian/updater", "CVE-2024-0001", distribution=DEBIAN)))
        self.names(kind="clair-export", path=f"{folder}/export.json")
        self.assertEqual([path.name for path in Path(self.folder).glob("*gathering*")], [])
