"""Tests for :mod:`patches.service.log.log_level`."""

from __future__ import annotations

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import ILogFilterPredicate, Logger, LogLevel, LogPublisher, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.service.log.log_level import LeastLevel, LogSettings, filter_logs
from patches.settings import BadSetting, resolve


class LevelTests(SynchronousTestCase):
    """A publisher whose observers are filtered."""

    def setUp(self) -> None:
        self.least, self.publisher = LeastLevel("info"), LogPublisher()
        self.before, self.observer = EventLoggingObserver(), EventLoggingObserver()
        self.publisher.addObserver(self.before)
        filter_logs(self.least, self.publisher)
        self.publisher.addObserver(self.observer)
        self.log = Logger("patches.test", observer=self.publisher)

    def logged(self) -> list[str]:
        """Log an event of each level, and one without. Return those that reach the observer."""
        seen = len(self.observer)
        for level in LogLevel.iterconstants():
            self.log.emit(level, level.name)
        self.publisher({"log_format": "without", "log_time": 0.0})
        return [str(formatEvent(event)) for event in list(self.observer)[seen:]]

    def test_predicate(self) -> None:
        """It is a predicate of Twisted's filters."""
        verifyObject(ILogFilterPredicate, self.least)

    def test_levels(self) -> None:
        """Events of the level and above are logged, and those without a level; the level can be changed."""
        for level, expected in (
            ("info", ["info", "warn", "error", "critical", "without"]),
            ("error", ["error", "critical", "without"]),
            ("debug", ["debug", "info", "warn", "error", "critical", "without"]),
            ("warn", ["warn", "error", "critical", "without"]),
        ):
            self.least.level = level
            self.assertEqual(self.logged(), expected)

    def test_earlier_observers(self) -> None:
        """An observer that was there before, such as one that escapes events, has all of them."""
        self.logged()
        self.assertEqual(len(self.before), 6)

    def test_removed(self) -> None:
        """An observer is removed as it was added."""
        self.publisher.removeObserver(self.observer)
        self.publisher.removeObserver(self.before)
        self.assertEqual((self.logged(), len(self.before)), ([], 0))

    def test_setting(self) -> None:
        """The level is an option with a known name."""
        self.assertEqual(LogSettings().log_level, "info")
        self.assertRaises(BadSetting, resolve, LogSettings, {"log-level": "loud"})
