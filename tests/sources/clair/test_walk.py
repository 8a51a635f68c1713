"""Tests for :mod:`patches.sources.clair.walk`; what happens to a walk in :mod:`tests.sources.clair.test_following`."""

from __future__ import annotations

from patches.errors import SourceError
from patches.platforms import Platform
from patches.sources.clair import walk as clair_walk
from patches.sources.clair.walk import Names, walk
from tests.sources.clair_in_memory import Meddling, MemoryCase, named

DEBIAN = Platform.from_name("debian-9")


class WalkTests(MemoryCase):
    """Walks along the names of a list."""

    def walk(self, page_size: int = 2) -> Names:
        """Return the names."""
        return self.successResultOf(self.deferred(walk(self.source(page_size=page_size)._api, "debian:9", DEBIAN)))

    def test_pages(self) -> None:
        """The names of all pages, in their order, and the last page with its token."""
        self.double.load("debian:9", named("c", "b", "a", "e", "d"))
        names = self.walk()
        self.assertEqual((names.all, names.last_page, names.nameless), (["c", "b", "a", "e", "d"], ("d",), 0))
        self.assertIsNotNone(names.end)
        self.assertIsNone(self.walk(page_size=5).end)
        self.assertEqual(self.double.requests, {"list": 4})

    def test_moved(self) -> None:
        """A name that is met twice has changed meanwhile: it has the later place."""
        self.double.load("debian:9", named("a", "b", "c"))
        asked: list[str] = []

        def meddle(target: str) -> None:
            asked.append(target)
            if len(asked) == 2:
                self.double.change("debian:9", {"Name": "a", "Severity": "High"})

        self.resource = Meddling(self.double.resource(), meddle)
        self.assertEqual(self.walk(page_size=1).all, ["b", "c", "a"])

    def test_odd_entries(self) -> None:
        """Entries without a name are counted; those with a slash are told."""
        self.double.load("debian:9", named("a", "", "b/c"))
        names = self.walk()
        self.assertEqual((names.all, names.nameless, list(names.told)), (["a", "b/c"], 1, ["b/c"]))

    def test_too_many(self) -> None:
        """A list with more names than any Clair has is an error."""
        self.patch(clair_walk, "MOST_NAMES", 3)
        self.double.load("debian:9", named(*"abcdef"))
        failure = self.failureResultOf(
            self.deferred(walk(self.source(page_size=2)._api, "debian:9", DEBIAN)), SourceError
        )
        self.assertIn("does not end", self.message(failure))
