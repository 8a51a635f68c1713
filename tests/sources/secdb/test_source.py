"""Tests for :mod:`patches.sources.secdb.source`."""

from __future__ import annotations

from patches.settings import BadSetting
from patches.sources.secdb.source import ALPINE
from tests.sources.feed_case import FeedCase, LocalCase
from tests.sources.secdb.test_parser import document

BASE = "https://secdb.test"


class AlpineTests(FeedCase):
    """Alpine's security database, which has two files per branch."""

    def publish(self, branch: str, main: bytes, community: bytes) -> list[str]:
        """Publish the files of a branch. Return their URLs."""
        urls = [f"{BASE}/{branch}/main.json", f"{BASE}/{branch}/community.json"]
        self.site.files.update(zip(urls, (main, community), strict=True))
        return urls

    def test_two_files(self) -> None:
        """The two repositories of a branch are one list, in which the packages of a vulnerability are merged."""
        urls = self.publish("v3.20", document(a={"1-r0": ["CVE-2024-0001"]}), document(b={"2-r0": ["CVE-2024-0001"]}))
        source = self.source(frozenset({"alpine-3.20"}), kind="secdb", url=f"{BASE}/")
        self.assertEqual([(offer.key, offer.platform) for offer in self.had(source.offers())], [("alpine-3.20",) * 2])
        self.assertEqual(self.site.news(), urls)
        (found,) = self.read(source)
        self.assertEqual((found.platform, [each.name for each in found.fixed_in]), ("alpine-3.20", ["a", "b"]))

    def test_branches(self) -> None:
        """The folder of the rolling branch has another form; other distributions have no branch."""
        urls = self.publish("edge", document(a={"1-r0": ["CVE-2024-0001"]}), document())
        source = self.source(frozenset({"alpine-edge", "debian-12", "wolfi"}), kind="secdb", url=BASE)
        self.assertEqual([each.platform for each in self.read(source)], ["alpine-edge"])
        self.assertEqual(self.site.news(), urls)

    def test_all(self) -> None:
        """If all platforms are wanted, every known branch is fetched; a missing one does not affect the others."""
        self.publish("v3.3", document(), document())
        offers = self.had(self.source(kind="secdb", url=BASE).offers())
        self.assertEqual(tuple(offer.key for offer in offers), ALPINE)
        self.assertEqual([offer.key for offer in offers if offer.state is not None], ["alpine-3.3"])

    def test_half(self) -> None:
        """A branch without one of its files fails, as its list would be incomplete."""
        self.publish("v3.20", document(a={"1-r0": ["CVE-2024-0001"]}), document())
        del self.site.files[f"{BASE}/v3.20/community.json"]
        source = self.source(frozenset({"alpine-3.20"}), kind="secdb", url=BASE)
        self.assertIn("community.json: it answered 404", self.refusal(source.offers()))


class OneFileTests(FeedCase):
    """The security database of a rolling distribution: one file, which does not name its platform."""

    def test_read(self) -> None:
        """The file is the list of the configured platform."""
        self.site.files[f"{BASE}/security.json"] = document(a={"1-r0": ["CVE-2024-0001"]})
        source = self.source(kind="secdb", url=f"{BASE}/security.json", platforms=["wolfi"])
        self.assertEqual([(each.name, each.platform) for each in self.read(source)], [("CVE-2024-0001", "wolfi")])

    def test_platform(self) -> None:
        """The source is refused when it is created unless exactly one platform is configured."""
        for platforms in ({}, {"platforms": ["wolfi", "chainguard"]}):
            with self.assertRaisesRegex(BadSetting, r'^\[source.made-up\]: needs exactly one platform in "platforms"$'):
                self.source(kind="secdb", url=f"{BASE}/security.json", **platforms)


class LocalTests(LocalCase):
    """Copies of a security database in a folder."""

    def test_branches(self) -> None:
        """The branches are those in the folder; other folders and files are ignored."""
        for branch in ("v3.19", "edge", "v3", "stats"):
            self.write(f"{branch}/main.json", document(a={"1-r0": ["CVE-2024-0001"]}))
            folder = self.write(f"{branch}/community.json", document())
        self.assertEqual(
            self.names(kind="secdb", path=folder), [("CVE-2024-0001", "alpine-edge"), ("CVE-2024-0001", "alpine-3.19")]
        )
