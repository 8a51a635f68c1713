"""Tests for :mod:`patches.server.refresh.importer`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import ListChanged, SourceError
from patches.followed import followed_records
from patches.interfaces import Offer
from patches.server.refresh.importer import Importer
from patches.server.refresh.staging import StagingStore
from tests.server.fake_catalogue import vulnerabilities
from tests.server.fake_source import PutListing, PutSource


class PartialSource(PutSource):
    """
    A source whose listings are changes.

    :ivar since: the states from which changes were requested.
    """

    def __init__(self) -> None:
        super().__init__()
        self.since: list[str | None] = []

    def listing(self, key: str, since: str | None = None) -> PutListing:
        """Return the changes since a state."""
        self.since.append(since)
        listing = super().listing(key, since)
        listing.partial = since is not None
        return listing


class ImporterTests(SynchronousTestCase):
    """A staging store, and a source with one list."""

    def setUp(self) -> None:
        self.staging = StagingStore(Path(self.mktemp()))
        self.addCleanup(self.staging.close)
        self.source = PutSource()
        self.source.lists["debian-12"] = [*vulnerabilities(450)]

    def read(self, state: str | None = "s1", wanted: tuple[str, ...] | None = None) -> Deferred[set[str] | None]:
        """Read the list."""
        importer = Importer(self.staging, maybeDeferred, wanted)  # type: ignore[arg-type]
        return Deferred.fromCoroutine(importer.read(self.source, Offer("debian-12", state, "debian-12"), 1000.0))

    def names(self, platform: str = "debian-12") -> list[str]:
        """Return the names of the stored records."""
        return [name for name, _ in self.staging.lines(platform, "put")]

    def test_whole(self) -> None:
        """A list of several batches is stored whole, with its state, its counts and its time."""
        self.source.skipped = Counter({"withdrawn": 2})
        self.source.claimed = 452
        self.assertEqual(self.successResultOf(self.read()), {"debian-12"})
        self.assertEqual(self.names(), [each.name for each in vulnerabilities(450)])
        known = self.staging.known("put", "debian-12")
        assert known is not None
        self.assertEqual((known[0].state, known[0].claimed, known[0].checked), ("s1", 452, 1000.0))
        self.assertEqual(known[0].skipped, {"withdrawn": 2})

    def test_wanted(self) -> None:
        """Only the records of wanted platforms are stored."""
        self.source.lists["debian-12"] += vulnerabilities(3, "debian-13")
        self.assertEqual(self.successResultOf(self.read(wanted=("debian-13",))), {"debian-13"})
        self.assertEqual((len(self.names()), len(self.names("debian-13"))), (0, 3))

    def test_unwanted_is_not_empty(self) -> None:
        """A list without a record of a wanted platform is not an empty list."""
        self.assertEqual(self.successResultOf(self.read(wanted=("debian-13",))), set())

    def test_empty(self) -> None:
        """An empty list is refused, and the one before stays."""
        self.successResultOf(self.read())
        self.source.lists["debian-12"] = []
        self.failureResultOf(self.read("s2"), SourceError)
        self.assertEqual(len(self.names()), 450)

    def test_followed_only(self) -> None:
        """A list of nothing but followed packages is known to be empty, unless it had records before."""
        records = self.source.lists["debian-12"]
        self.source.lists["debian-12"] = [*followed_records("debian-12", ["curl"], "put")]
        self.assertIsNone(self.successResultOf(self.read()))
        self.assertEqual(self.names(), [])
        self.source.lists["debian-12"] = records
        self.successResultOf(self.read())
        self.source.lists["debian-12"] = [*followed_records("debian-12", ["curl"], "put")]
        self.assertEqual(str(self.failureResultOf(self.read(), SourceError).value), "the list is empty")

    def test_nothing_readable(self) -> None:
        """A list with entries, none of which could be read, is an error with the reasons."""
        self.source.lists["debian-12"] = []
        self.source.skipped = Counter({"not a record": 2})
        message = str(self.failureResultOf(self.read(), SourceError).value)
        self.assertEqual(message, "the list is empty: 2 records: not a record")

    def test_claimed(self) -> None:
        """A list with fewer or more entries than the source claims is refused, with both numbers."""
        for claimed in (449, 451):
            self.source.claimed = claimed
            error = self.failureResultOf(self.read(), SourceError)
            self.assertRegex(str(error.value), f"has {claimed} entries, but 450 were found")
        self.assertEqual((self.names(), self.staging.known("put", "debian-12")), ([], None))

    def test_failed(self) -> None:
        """If reading fails, whatever the reason, the list before stays whole."""
        self.successResultOf(self.read())
        for error in (SourceError("cut off"), KeyError("a bug")):
            self.source.lists["debian-12"] = [*vulnerabilities(300)[200:], error]
            self.failureResultOf(self.read("s2"), type(error))
            self.assertEqual(len(self.names()), 450)
        known = self.staging.known("put", "debian-12")
        self.assertEqual(known and known[0].state, "s1")

    def test_changed_meanwhile(self) -> None:
        """A list that changes while it is read is read again from its beginning."""
        self.source.lists["debian-12"] = [*vulnerabilities(5), ListChanged("it moved"), *vulnerabilities(9)[5:]]
        self.successResultOf(self.read())
        self.assertEqual((len(self.names()), self.source.asked), (9, ["debian-12"] * 2))

    def test_changes_forever(self) -> None:
        """After five attempts, a list that changes each time is an error."""
        self.source.lists["debian-12"] = [ListChanged(str(number)) for number in range(9)]
        error = self.failureResultOf(self.read(), SourceError)
        self.assertIn("5 attempts", str(error.value))
        self.assertEqual(len(self.source.asked), 5)

    def test_changes(self) -> None:
        """Changes since the known state are added to the list; none is not an empty list."""
        self.source = source = PartialSource()
        source.lists["debian-12"] = [*vulnerabilities(5)]
        self.successResultOf(self.read())
        source.lists["debian-12"] = [*vulnerabilities(7)[5:]]
        self.successResultOf(self.read("s2"))
        source.lists["debian-12"] = []
        self.successResultOf(self.read("s3"))
        self.assertEqual((len(self.names()), source.since), (7, [None, "s1", "s2"]))

    def test_cancelled(self) -> None:
        """A cancelled import stores nothing."""
        self.source.lists["debian-12"] = [*vulnerabilities(5), Deferred()]
        reading = self.read()
        self.assertNoResult(reading)
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.assertEqual(self.names(), [])

    def test_empty_says_why(self) -> None:
        """The problem of an empty list names the most frequent reasons to skip its entries."""
        self.source.lists["debian-12"] = []
        self.source.skipped = Counter({"unknown ecosystem: Photon OS": 222, "withdrawn": 1})
        problem = str(self.failureResultOf(self.read(), SourceError).value)
        told = "the list is empty: 222 records of the unknown ecosystem Photon OS, 1 record: withdrawn"
        self.assertEqual(problem, told)
