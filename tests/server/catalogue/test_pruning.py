"""Tests for :mod:`patches.server.catalogue.pruning`: the exact limits of age and number."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.pruning import MinimumAge
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from tests.server.fake_catalogue import lines, vulnerabilities


class PruningTests(SynchronousTestCase):
    """Ten lists in succession, at times 1, 2, … 10: the last is current, the others were replaced at 2, … 10."""

    def setUp(self) -> None:
        engine = open_database(Path(self.mktemp()))
        self.catalogue, self.deltas = Catalogue(engine), DeltaStore(engine)
        self.addCleanup(self.catalogue.close)
        self.revisions = [
            self.catalogue.publish("debian-12", lines(vulnerabilities(count)), {}, float(count)).revision
            for count in range(1, 11)
        ]

    def left(self, any_before: float, surplus_before: float, in_use: frozenset[str] = frozenset()) -> list[int]:
        """Prune the catalogue; return the numbers of the lists that remain."""
        before = len(self.catalogue.snapshots())
        gone = self.catalogue.prune(in_use, MinimumAge(any_before, surplus_before))
        there = {snapshot.revision for snapshot in self.catalogue.snapshots()}
        self.assertEqual(before - gone, len(there))
        return [number for number, revision in enumerate(self.revisions, 1) if revision in there]

    def test_any(self) -> None:
        """A list that was replaced before the limit is deleted; one that was replaced exactly at it is kept."""
        self.assertEqual(self.left(5.0, 0.0), [4, 5, 6, 7, 8, 9, 10])
        self.assertEqual(self.left(5.1, 0.0), [5, 6, 7, 8, 9, 10])

    def test_surplus(self) -> None:
        """The ninth replaced list is deleted only if it was replaced before the limit for surplus lists."""
        self.assertEqual(self.left(0.0, 2.0), list(range(1, 11)))
        self.assertEqual(self.left(0.0, 2.1), list(range(2, 11)))
        self.assertEqual(self.left(0.0, 100.0), list(range(2, 11)))

    def test_clock_is_set(self) -> None:
        """A list is as old as the process's own time says, whatever the time of day was when it was replaced."""
        self.catalogue.publish("debian-12", lines(vulnerabilities(11)), {}, -3.2e7, steady=11.0)
        self.assertEqual(self.left(10.0, 0.0), [9, 10])
        (current,) = self.catalogue.current()
        self.assertEqual(current.created, -3.2e7)

    def test_in_use(self) -> None:
        """A list in use is kept whatever its age; so is the current list."""
        kept = frozenset(self.revisions[:1])
        self.assertEqual(self.left(100.0, 100.0, kept), [1, 10])
        self.assertEqual(self.left(100.0, 100.0), [10])

    def test_deltas(self) -> None:
        """A delta is kept while its target list is kept, whether or not its base is."""
        first, middle, last = self.revisions[0], self.revisions[4], self.revisions[-1]
        for since, revision in ((first, middle), (first, last), (middle, last), (first, "unknown")):
            self.deltas.put(since, revision, [])
        self.assertEqual(self.targets(), [last, last, middle, "unknown"])
        self.left(6.0, 0.0)
        self.assertEqual(self.targets(), [last, last, middle])
        self.left(6.1, 0.0)
        self.assertEqual(self.targets(), [last, last])

    def targets(self) -> list[str]:
        """Return the target lists of the stored deltas."""
        found = [self.deltas.target(name) for name in self.deltas.names()]
        order = [self.revisions[-1], self.revisions[4], "unknown"]
        return sorted((each for each in found if each is not None), key=order.index)
