"""Reloading of a daemon on SIGHUP: it reads its options again, and uses those that can change while it runs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from attrs import AttrsInstance
from twisted.application.service import Service
from twisted.logger import Logger

from patches.service.daemon import DaemonOptions
from patches.service.lifecycle.signals import ignore_signals, unblock_signals
from patches.service.log.log_level import LeastLevel
from patches.settings import BadSetting, differing, settings_of

log = Logger()

S = TypeVar("S", bound=AttrsInstance)


def _nothing(settings: object) -> None:
    """Use nothing of it: the daemon has no files that can change while it runs."""


class ReloadService(Service, Generic[S]):
    """
    Reads the options again on SIGHUP; an error is logged, and everything stays as it was. No signal of users ends it.

    Until it is started the signals are blocked, and from when it stops they are ignored; see
    :mod:`patches.service.lifecycle.signals`.

    :param options: the command line, which names the file of options.
    :param log_level: returns the log level of settings.
    :param least: the filter of the log.
    :param use: uses the files that settings name, all of them or none; raises :class:`BadSetting`.
    """

    def __init__(
        self,
        reactor: Any,
        options: DaemonOptions[S],
        log_level: Callable[[S], str],
        least: LeastLevel,
        use: Callable[[S], None] = _nothing,
    ) -> None:
        self.use = use
        self._options = options
        self._log_level = log_level
        self._least = least

        def reload(number: int, frame: Any) -> None:
            # A signal handler may interrupt the reactor anywhere, so it only wakes it up.
            reactor.callFromThread(self.reload)

        signal.signal(signal.SIGHUP, reload)

    def startService(self) -> None:
        """Handle SIGHUP, and ignore SIGUSR1 and SIGUSR2 unless twistd uses them: it rotates a log file on SIGUSR1."""
        super().startService()
        unblock_signals()

    def stopService(self) -> None:
        """Ignore the signals until the process has ended."""
        ignore_signals()
        super().stopService()

    def reload(self) -> None:
        """Read the options and their files again."""
        try:
            settings = self._options.resolved()
            self.use(settings)
        except BadSetting as error:
            log.error("Nothing was read again, and everything stays as it was: {why}", why=str(error))
            return
        self._least.level = self._log_level(settings)
        names = [setting.name for setting in settings_of(type(settings)) if setting.reloaded]
        log.info("Read again: {names}", names=", ".join(names))
        later = [setting.name for setting in differing(self._options.settings, settings) if not setting.reloaded]
        if later:
            log.warn("Changed, but used from the next start on: {names}", names=", ".join(later))
