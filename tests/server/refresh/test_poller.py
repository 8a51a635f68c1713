"""Tests for :mod:`patches.server.refresh.poller`: when a source is asked, and how its answer is used."""

from __future__ import annotations

from datetime import timedelta

from patches.errors import SourceError
from tests.server.fake_source import HOUR, NOW, RefreshCase


class AskingTests(RefreshCase):
    """A source that reports the state of its list."""

    def test_asked_sooner(self) -> None:
        """
        A source with a shorter interval is asked sooner; changed lists are read then, all others when they are due.
        """
        self.source.ask_within = timedelta(minutes=10)
        self.source.states["debian-12"] = "etag-1"
        self.put("alpine-3.20", 5)
        self.tick()
        self.source.asked.clear()
        for minutes in range(10, 60, 10):
            self.tick(600)
            self.assertEqual(self.source.asked, ["offers"])
            self.assertEqual(self.refresh.registry.current("debian-12").checked, NOW + minutes * 60)
            self.source.asked.clear()
        self.source.states["debian-12"] = "etag-2"
        self.tick(600)
        self.assertEqual(self.source.asked, ["offers", "debian-12", "alpine-3.20"])

    def test_source_away_with_states(self) -> None:
        """While a source is away its lists do not count as checked."""
        self.source.states["debian-12"] = "etag-1"
        self.tick()
        self.tick(HOUR)
        self.source.trouble = SourceError("away")
        for _ in range(20):
            self.tick(HOUR / 4)
        self.assertEqual(self.refresh.registry.current("debian-12").checked, NOW + HOUR)
        self.assertEqual(self.refresh.statuses["debian-12"].error, "put: away")
        self.source.trouble = None
        self.tick(HOUR)
        self.assertEqual(self.refresh.registry.current("debian-12").checked, NOW + 7 * HOUR)
        self.assertIsNone(self.refresh.statuses["debian-12"].error)

    def test_failed_though_asked(self) -> None:
        """A list that cannot be read is retried after its pause, however often the source is asked."""
        self.source.ask_within = timedelta(seconds=5)
        self.tick()
        self.source.states["debian-12"] = "etag-1"
        self.put("debian-12", 12, *(SourceError("away") for _ in range(3)))
        self.tick(HOUR)
        self.source.asked.clear()
        for _ in range(7):
            self.tick(5)
        self.assertEqual(self.source.asked, ["offers"] * 2 + ["debian-12"] + ["offers"] * 4 + ["debian-12", "offers"])
