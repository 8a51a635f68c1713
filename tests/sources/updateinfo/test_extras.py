"""Tests for :mod:`patches.sources.updateinfo.extras`."""

from __future__ import annotations

import json

from patches.errors import SourceError
from patches.sources.feed import FeedListing
from patches.sources.updateinfo.extras import ExtrasFetch
from patches.sources.updateinfo.lists import Topic, is_extras_index, read_topics
from patches.vulnerability import Vulnerability
from tests.sources.feed_case import run
from tests.sources.updateinfo.test_fetch import BASE, RepositoryCase
from tests.sources.updateinfo.test_parser import document, package, update
from tests.sources.updateinfo.test_repomd import repomd

CATALOGUE = "https://cdn.test/2/extras-catalog-x86_64.json"


class ExtrasCase(RepositoryCase):
    """A catalogue with topics, in the form of Amazon's; of its fields only the name of a topic is read."""

    def catalogue(self, *names: str) -> None:
        """Publish a catalogue, and the list of mirrors of each topic."""
        topics = [{"n": name, "inst": [name], "versions": ["1.0"], "deprecated-at": None} for name in names]
        self.site.files[CATALOGUE] = json.dumps({"motd": "", "topics": topics, "whitelists": {}}).encode()
        for name in names:
            mirrors = f"https://cdn.test/2/extras/{name}/latest/x86_64/mirror.list"
            self.site.files[mirrors] = f"https://cdn.test/{name}\n".encode()


class ExtrasTests(ExtrasCase):
    """The index of topics."""

    def topics(self) -> dict[str, Topic]:
        """Fetch a catalogue. Return its topics by name."""
        fetch = ExtrasFetch(self.site, self.fetch, run, self.folder / "new" / "extras")
        return {topic.name: topic for topic in read_topics(self.had(fetch(CATALOGUE)).path)}

    def test_topics(self) -> None:
        """Each topic has its advisories, or none were published, or it cannot be read."""
        self.catalogue("docker", "emacs", "kernel-5.10")
        self.publish(document(update(package("docker"))), "https://cdn.test/docker")
        self.site.files["https://cdn.test/emacs/repodata/repomd.xml"] = repomd().replace(
            b'type="updateinfo"', b'type="group"'
        )
        found = self.topics()
        self.assertEqual(sorted(found), ["docker", "emacs", "kernel-5.10"])
        self.assertEqual((found["docker"].problem, found["emacs"]), (None, Topic("emacs")))
        self.assertTrue(found["docker"].path)
        self.assertIn("404", found["kernel-5.10"].problem or "")

    def test_no_catalogue(self) -> None:
        """A catalogue that cannot be read is reported like a topic."""
        for content in (None, b"<html>", b"{}", b'{"topics": [{"n": "../x"}, 7]}'):
            if content is not None:
                self.site.files[CATALOGUE] = content
            self.assertIn("extras-catalog", self.topics()["catalogue"].problem or "")

    def test_locations(self) -> None:
        """Other locations are repositories."""
        self.assertTrue(is_extras_index(CATALOGUE))
        self.assertTrue(is_extras_index("/mirror/2/extras-catalog.json"))
        self.assertFalse(is_extras_index(BASE))

    def test_damaged_index(self) -> None:
        """An index that is damaged is refused."""
        path = self.folder / "index"
        for content in (b"", b"7", b"[7]"):
            path.write_bytes(content)
            with self.assertRaises(SourceError):
                list(read_topics(path))


class SourceTests(ExtrasCase):
    """The core repository and the extras, as one list."""

    def test_tracks(self) -> None:
        """The builds of an extra are in its track; one that cannot be read is counted, and fails nothing else."""
        self.catalogue("docker", "kernel-5.10")
        advisory = update(package("kernel"), name="ALAS2KERNEL-5.10-2022-001")
        self.publish(document(advisory), "https://cdn.test/kernel-5.10")
        source = self.source(kind="updateinfo", url=[BASE, CATALOGUE], platforms=["amazon-2"])
        (offer,) = self.had(source.offers())
        listing = source.listing(offer.key)
        found = self.had(listed(listing))
        tracks = {each.name: {package.track for package in each.fixed_in} for each in found}
        self.assertEqual(tracks, {"ALAS2023-2023-001": {None}, "ALAS2KERNEL-5.10-2022-001": {"kernel-5.10"}})
        self.assertEqual(listing.skipped, {"unread extra: docker": 1})


async def listed(listing: FeedListing) -> list[Vulnerability]:
    """Return the vulnerabilities of a listing."""
    return [each async for each in listing]
