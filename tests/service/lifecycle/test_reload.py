"""Tests for :mod:`patches.service.lifecycle.reload`."""

from __future__ import annotations

import signal
from pathlib import Path

from attrs import frozen
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.service.daemon import DaemonOptions
from patches.service.lifecycle.reload import ReloadService
from patches.service.lifecycle.signals import block_signals
from patches.service.log.log_level import LeastLevel, LogSettings
from patches.setting_parsers import count
from patches.settings import BadSetting, group, option


@frozen(kw_only=True)
class KettleSettings:
    """The settings of a kettle."""

    cups: int = option("2", count, "How many.")
    log: LogSettings = group(LogSettings)


class KettleOptions(DaemonOptions[KettleSettings]):
    """The command line of a kettle."""

    program = "patches-kettle"
    declared = KettleSettings


class WakingReactor(Clock):
    """A clock that runs what a signal handler hands on."""

    def callFromThread(self, call: object, *args: object) -> None:
        """Call at the next turn."""
        self.callLater(0, call, *args)


class ReloadTests(SynchronousTestCase):
    """A daemon with a file of options."""

    def setUp(self) -> None:
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
            signal.signal(number, signal.SIG_DFL)
        self.config, self.reactor, self.least = Path(self.mktemp()), WakingReactor(), LeastLevel("info")
        self.config.write_text("")
        options = KettleOptions()
        options.parseOptions(["--config", str(self.config)])
        self.used: list[int] = []
        self.service = ReloadService(
            self.reactor, options, lambda settings: settings.log.log_level, self.least, self.use
        )
        self.observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def use(self, settings: KettleSettings) -> None:
        """Use new settings; nine cups are too many."""
        if settings.cups == 9:
            raise BadSetting("--cups 9: the file is not there")
        self.used.append(settings.cups)

    def hang_up(self, text: str) -> list[str]:
        """Change the options, and send SIGHUP. Return what was logged."""
        self.config.write_text(text)
        seen = len(self.observer)
        signal.raise_signal(signal.SIGHUP)
        self.reactor.advance(0)
        return [str(formatEvent(event)) for event in list(self.observer)[seen:]]

    def test_level(self) -> None:
        """The log level is read again; an option that is used at the start only is named if it has changed."""
        self.assertEqual(self.hang_up('log-level = "debug"'), ["Read again: log-level"])
        self.assertEqual(self.least.level, "debug")
        (_, later) = self.hang_up("cups = 3")
        self.assertEqual(later, "Changed, but used from the next start on: cups")
        self.assertEqual((self.least.level, self.used), ("info", [2, 3]))

    def test_bad(self) -> None:
        """If an option or a file cannot be used, that is one line, and everything stays as it was."""
        self.hang_up('log-level = "warn"')
        for text in ('log-level = "loud"', "log-level = ", "saucers = 1", 'cups = 9\nlog-level = "debug"'):
            (line,) = self.hang_up(text)
            self.assertTrue(line.startswith("Nothing was read again, and everything stays as it was: --"), line)
            self.assertNotIn("\n", line)
        self.config.unlink()
        seen = len(self.observer)
        self.service.reload()
        self.assertEqual((len(self.observer), self.least.level, self.used), (seen + 1, "warn", [2]))

    def test_held(self) -> None:
        """Before it is started a signal waits, and is handled then; after it has been stopped a signal is dropped."""
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        block_signals()
        self.assertEqual(self.hang_up("cups = 3"), [])
        self.service.startService()
        self.reactor.advance(0)
        self.assertEqual(self.used, [3])
        self.service.stopService()
        self.assertEqual(self.hang_up("cups = 4"), [])
