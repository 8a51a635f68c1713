"""Tests for :mod:`patches.sources.csaf.source`."""

from __future__ import annotations

from patches.settings import BadSetting
from patches.vulnerability import Vulnerability
from tests.sources.csaf.test_fetch import BASE, ProviderCase, archive, path_of, vex
from tests.sources.feed_case import LocalCase


class SourceTests(ProviderCase):
    """A source of the kind ``csaf-vex``."""

    def test_read(self) -> None:
        """All documents form one list of all releases, and are counted."""
        source = self.source(kind="csaf-vex", url=BASE)
        (offer,) = self.had(source.offers())
        listing = source.listing(offer.key)

        async def read() -> list[Vulnerability]:
            return [vulnerability async for vulnerability in listing]

        found = self.had(read())
        self.assertEqual(
            {(each.name, each.platform, each.affected_package) for each in found},
            {
                ("CVE-2024-0001", "rhel-9", "curl"),
                ("CVE-2024-0002", "rhel-9", "changed"),
                ("CVE-2024-0004", "rhel-9", "curl"),
            },
        )
        self.assertEqual((listing.found, listing.skipped), (3, {}))

    def test_wanted(self) -> None:
        """Only served platforms are read; without a release of Red Hat among them nothing is fetched."""
        self.assertEqual(self.read(self.source(frozenset({"rhel-8"}), kind="csaf-vex", url=BASE)), [])
        self.site.news()
        self.assertEqual(self.read(self.source(frozenset({"debian-12"}), kind="csaf-vex", url=BASE)), [])
        self.assertEqual(self.site.news(), [])

    def test_one_place(self) -> None:
        """An archive and its changes have one location."""
        for url in (["https://a.test", "https://b.test"], [BASE, BASE]):
            with self.assertRaisesRegex(BadSetting, r"^\[source.made-up\]: what it reads is in one place: "):
                self.source(kind="csaf-vex", url=url)


class LocalTests(LocalCase):
    """Copies of a provider's folder."""

    def test_csaf_vex(self) -> None:
        """A copy of a provider's folder, its archive alone, and a folder of documents alone."""
        self.write("csaf_vex_2026-11-20.tar.zst", archive(**{path_of(1): vex(1)}))
        self.write("archive_latest.txt", b"csaf_vex_2026-11-20.tar.zst\n")
        self.write("deletions.csv", b"")
        self.write(path_of(2), vex(2))
        folder = self.write("changes.csv", f'"{path_of(2)}","2026-11-20T01:00:00+00:00"\n'.encode())
        both = [("CVE-2024-0001", "rhel-9"), ("CVE-2024-0002", "rhel-9")]
        self.assertEqual(self.names(kind="csaf-vex", path=folder), both)
        self.assertEqual(self.names(kind="csaf-vex", path=f"{folder}/csaf_vex_2026-11-20.tar.zst"), both[:1])
        self.assertEqual(self.names(kind="csaf-vex", path=f"{folder}/2024"), both[1:])

    def test_unusable(self) -> None:
        """A single document and a folder that does not exist are refused in one line."""
        folder = self.write("2024/cve-2024-0001.json", b"{}")
        for path, problem in (
            (
                f"{folder}/2024/cve-2024-0001.json",
                "this is one document; an archive or a folder of documents is needed",
            ),
            (f"{folder}/absent", "there is no such folder"),
        ):
            self.assertEqual(self.refusal(self.made(kind="csaf-vex", path=path).offers()), f"{path}: {problem}")
