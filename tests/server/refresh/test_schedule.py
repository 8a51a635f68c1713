"""Tests for :mod:`patches.server.refresh.schedule`."""

from __future__ import annotations

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from patches.server.refresh.schedule import NoPublicSources, Schedule


class ScheduleTests(SynchronousTestCase):
    """The times of refreshes, and the sources without public feeds."""

    def test_defaults(self) -> None:
        """By default all platforms of the sources are served, and replaced snapshots are kept for a day."""
        schedule = Schedule(timedelta(hours=6))
        self.assertEqual((schedule.platforms, dict(schedule.intervals)), ((), {}))
        self.assertEqual((schedule.interval, schedule.keep), (timedelta(hours=6), timedelta(days=1)))
        self.assertIsNot(Schedule(timedelta(1)).intervals, Schedule(timedelta(1)).intervals)

    def test_no_public(self) -> None:
        """Without public sources no platform is available from them."""
        self.assertIs(NoPublicSources().has("debian-12"), False)
        self.assertEqual(NoPublicSources().sources(["debian-12"]), {})
