"""Tests for :mod:`patches.server.refresh.publication.publisher`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.refresh.publication.publisher import Guard, Publisher, Stopped, describe_source
from patches.server.refresh.publication.staged_lists import StagedLists
from patches.server.refresh.staging import ImportResult, StagingStore
from tests.server.fake_catalogue import snapshot, vulnerabilities
from tests.server.fake_source import PutSource


class GuardTests(SynchronousTestCase):
    """Lists that have shrunk too much."""

    def test_limit(self) -> None:
        """A list may shrink by exactly the limit; one vulnerability less is held back with a reason."""
        current = evolve(snapshot(), vulnerabilities=1000)
        for most, count, held_back in (
            (0.1, 900, False),
            (0.1, 899, True),
            (0.0, 1000, False),
            (0.0, 999, True),
            (1.0, 0, False),
        ):
            reason = Guard(most).objection(current, count)
            self.assertEqual(reason is not None, held_back, (most, count))
        self.assertIn("899 vulnerabilities, 10% less than", str(Guard().objection(current, 899)))

    def test_first(self) -> None:
        """The first list is accepted whatever its length; a longer list is always accepted."""
        self.assertIsNone(Guard(0.0).objection(None, 0))
        self.assertIsNone(Guard(0.0).objection(snapshot(), 10**9))


class PublisherTests(SynchronousTestCase):
    """Staged lists are published as a snapshot."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.catalogue = Catalogue(open_database(self.folder / "catalogue.sqlite"))
        self.lists = StagingStore(self.folder / "lists.sqlite")
        self.addCleanup(self.catalogue.close)
        self.addCleanup(self.lists.close)
        self.sources = [PutSource("late", rank=9), PutSource("first"), PutSource("absent")]
        self.subject = Publisher(self.catalogue, self.lists, Guard(), self.folder)

    def read(self, source: str, count: int) -> None:
        """Stage a list of a source."""
        reading = self.lists.begin(source, "all")
        self.lists.add(reading, vulnerabilities(count))
        self.lists.commit(reading, ImportResult(None, None, {}, 5.0))

    def test_nothing(self) -> None:
        """Without a list of the platform no snapshot is published."""
        self.read("first", 3)
        self.assertIsNone(self.subject.publish("debian-13", self.sources, 5.0, 6.0))
        self.assertEqual(self.catalogue.snapshots(), [])

    def test_published(self) -> None:
        """The lists of the sources are merged and current, with the facts of each; no scratch file is left."""
        self.read("first", 20)
        self.read("late", 30)
        made = self.subject.publish("debian-12", self.sources, 5.0, 6.0)
        assert made is not None
        self.assertEqual(self.catalogue.current(), [made])
        self.assertEqual((made.created, made.checked, set(made.sources)), (6.0, 5.0, {"first", "late"}))
        self.assertEqual(list(self.folder.glob("*.merge*")), [])

    def test_log(self) -> None:
        """A published snapshot is logged in words, with what was read of each source."""
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.read("late", 3)
        self.read("first", 1)
        made = self.subject.publish("debian-12", self.sources, 5.0, 6.0)
        assert made is not None
        (line,) = [formatEvent(event) for event in observer if event["log_namespace"].endswith("publisher")]
        sources = "first: 1 entry read; late: 3 entries read"
        self.assertEqual(
            line, f"debian-12: 4 vulnerabilities in 1 chunk, revision {made.revision}: the first list; {sources}"
        )
        self.read("late", 5)
        again = self.subject.publish("debian-12", self.sources, 7.0, 8.0)
        assert again is not None
        line = [formatEvent(event) for event in observer if event["log_namespace"].endswith("publisher")][-1]
        self.assertIn(f"{again.revision}: 2 added, 0 changed, 0 withdrawn; ", str(line))

    def test_stopped(self) -> None:
        """A publication that is stopped in the middle leaves the catalogue as it was, and none begins after that."""
        self.read("first", 3)
        self.subject.publish("debian-12", self.sources, 5.0, 6.0)
        self.read("first", 9)
        lines = StagedLists.lines

        def stop_in_the_middle(view: StagedLists, platform: str, source: str) -> Iterator[tuple[str, bytes]]:
            for number, line in enumerate(lines(view, platform, source)):
                if number == 5:
                    self.subject.stop()
                yield line

        self.patch(StagedLists, "lines", stop_in_the_middle)
        for _ in range(2):
            self.assertRaises(Stopped, self.subject.publish, "debian-12", self.sources, 7.0, 8.0)
            self.assertEqual([each.vulnerabilities for each in self.catalogue.current()], [3])

    def test_source_in_words(self) -> None:
        """The skipped entries have their reasons, the most frequent first, and the announced number is shown."""
        facts = {"read": 40, "claimed": 43, "skipped": {"withdrawn": 1, "invalid version": 2}}
        expected = "osv: 40 entries read of 43, 3 skipped (2 invalid version, 1 withdrawn)"
        self.assertEqual(describe_source("osv", facts), expected)

    def test_held(self) -> None:
        """A list that has shrunk too much is held back beside the current list."""
        self.read("first", 20)
        current = self.subject.publish("debian-12", self.sources, 5.0, 6.0)
        self.read("first", 10)
        held_back = self.subject.publish("debian-12", self.sources, 7.0, 8.0)
        assert held_back is not None
        self.assertIn("50% less", str(held_back.held_back))
        self.assertEqual((self.catalogue.current(), self.catalogue.held_back()), ([current], [held_back]))
