"""Tests for :mod:`patches.sources.debian_tracker.source`."""

from __future__ import annotations

import json

from tests.sources.debian_tracker.test_parser import flaw, release
from tests.sources.feed_case import FeedCase

URL = "https://tracker.test/data/json"


class SourceTests(FeedCase):
    """A source of the kind ``debian-tracker``."""

    def setUp(self) -> None:
        super().setUp()
        document = {
            "curl": {"CVE-2024-0001": flaw(bookworm=release("open"), trixie=release("open"))},
            "wget": {"CVE-2024-0001": flaw(bookworm=release("open"))},
        }
        self.site.files[URL] = json.dumps(document).encode()

    def test_read(self) -> None:
        """One file is the list of all releases; the packages of a vulnerability are merged on each platform."""
        source = self.source(kind="debian-tracker", url=URL)
        (offer,) = self.had(source.offers())
        self.assertEqual((offer.key, offer.platform), ("json", None))
        found = {each.platform: [package.name for package in each.fixed_in] for each in self.read(source)}
        self.assertEqual(found, {"debian-12": ["curl", "wget"], "debian-13": ["curl"]})
        self.assertEqual(list(self.folder.glob("*.regroup*")), [])

    def test_wanted(self) -> None:
        """Only the wanted releases are read."""
        source = self.source(frozenset({"debian-13"}), kind="debian-tracker", url=URL)
        self.assertEqual([each.platform for each in self.read(source)], ["debian-13"])

    def test_unreachable(self) -> None:
        """A tracker that cannot be fetched is an error, not an empty list."""
        self.site.files.clear()
        self.assertIn("404", self.refusal(self.source(kind="debian-tracker", url=URL).offers()))

    def test_rank(self) -> None:
        """The tracker is Debian's own data, which takes precedence over converted data."""
        self.assertEqual(self.source(kind="debian-tracker", url=URL).rank, 0)
