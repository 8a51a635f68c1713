"""Tests for :mod:`patches.service.garbage`."""

from __future__ import annotations

import gc
import weakref

from twisted.trial.unittest import SynchronousTestCase

from patches.service.garbage import MOST_GROWTH, MOST_SKIPPED, THRESHOLDS, FullCollections


class Cycle:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.me = self


class CollectionTests(SynchronousTestCase):
    """When garbage is collected."""

    def setUp(self) -> None:
        before = gc.get_threshold()
        self.addCleanup(gc.set_threshold, *before)
        self.addCleanup(gc.unfreeze)
        self.quiet, self.unexplained = True, 0
        self.collections = FullCollections(lambda: self.quiet, lambda: self.unexplained)

    def is_collected(self) -> bool:
        """Return whether a tick collects a cycle."""
        gone = weakref.ref(Cycle())
        self.collections.tick()
        return gone() is None

    def test_start(self) -> None:
        """At the first tick what is there is set aside, and full collections become rare."""
        self.assertTrue(self.is_collected())
        self.assertGreater(gc.get_freeze_count(), 1000)
        self.assertEqual(gc.get_threshold(), THRESHOLDS)

    def test_quiet(self) -> None:
        """Garbage is collected while there are few clients; with many, after some ticks all the same."""
        self.collections.tick()
        gc.disable()
        self.addCleanup(gc.enable)
        self.assertEqual([self.is_collected() for _ in range(4)], [False, True, False, True])
        self.quiet = False
        self.assertEqual([self.is_collected() for _ in range(MOST_SKIPPED + 1)], [False] * MOST_SKIPPED + [True])

    def test_grown(self) -> None:
        """When the process has grown more than is explained, garbage is collected, however many clients there are."""
        self.collections.tick()
        gc.disable()
        self.addCleanup(gc.enable)
        self.quiet = False
        self.unexplained = MOST_GROWTH
        self.assertFalse(self.is_collected())
        self.unexplained = MOST_GROWTH + 1
        self.assertTrue(self.is_collected())
        self.assertFalse(self.is_collected())
