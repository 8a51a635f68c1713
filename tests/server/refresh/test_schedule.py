"""Tests for :mod:`patches.server.refresh.schedule`."""

from __future__ import annotations

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from patches.server.refresh.schedule import NoPublicSources, Schedule


class ScheduleTests(SynchronousTestCase):
    """When to refresh, and whom to ask."""

    def test_defaults(self) -> None:
        """Without more words every platform of the sources is served, and what was replaced is kept for a day."""
        schedule = Schedule(timedelta(hours=6))
        self.assertEqual((schedule.platforms, dict(schedule.intervals)), ((), {}))
        self.assertEqual((schedule.interval, schedule.keep), (timedelta(hours=6), timedelta(days=1)))
        self.assertIsNot(Schedule(timedelta(1)).intervals, Schedule(timedelta(1)).intervals)

    def test_no_public(self) -> None:
        """Where nobody is to be asked no platform is to be had."""
        self.assertIs(NoPublicSources().has("debian-12"), False)
        self.assertEqual(NoPublicSources().sources(["debian-12"]), {})
