"""Tests for :mod:`patches.server.catalogue.snapshot`."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.snapshot import revision_of
from tests.server.fake_catalogue import snapshot


class SnapshotTests(SynchronousTestCase):
    """Snapshots and their revisions."""

    def test_revision(self) -> None:
        """A revision depends on platform and digest only, so that it is the same on every machine."""
        self.assertEqual(revision_of("debian-12", "00"), "d22d0d37f15cc7befa9254fd6b01f4ef")
        names = {revision_of(*pair) for pair in (("debian-12", "00"), ("debian-12", "01"), ("debian-13", "00"))}
        self.assertEqual((len(names), {len(name) for name in names}), (3, {32}))

    def test_enrichments(self) -> None:
        """The facts that were added follow from the sources; what no source can add is ignored."""
        odd: dict[str, Any] = {"x": {"enriches": "all"}, "y": {"enriches": []}, "z": None, "put": {"read": 1}}
        sources = {"b": {"enriches": "kev"}, "a": {"enriches": "cvss"}, "c": {"enriches": "kev"}, **odd}
        subject = evolve(snapshot(), sources=sources)
        self.assertEqual((subject.enrichments, subject.enriching_sources), (("cvss", "kev"), {"a", "b", "c"}))
        self.assertEqual((snapshot().enrichments, snapshot().enriching_sources), ((), frozenset()))

    def test_frozen(self) -> None:
        """A snapshot is immutable; without a reason it is not held back."""
        subject = snapshot()
        self.assertIsNone(subject.held_back)
        with self.assertRaises(FrozenInstanceError):
            subject.held_back = "why"  # type: ignore[misc]
