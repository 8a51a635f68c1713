"""The end of a daemon on SIGTERM: clean, in time, and from before it listens."""

from __future__ import annotations

import signal
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger

from patches.service.lifecycle.signals import interruptible

log = Logger()

#: The seconds after SIGTERM within which all parts of a daemon must have ended; then it ends without them.
END_SECONDS = 1.5


class CleanEndService(Service):
    """
    Makes SIGTERM stop the reactor with exit code 0, where twistd would end by the signal itself.

    Each part of a daemon ends within a second. One that does not, for whatever reason, is not waited for: a service
    that hangs at its end would be killed by systemd, and until then nothing would replace it.

    :param reactor: the reactor that runs the daemon.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._is_stopping = False
        # Before anything listens: who sees the port may stop the daemon.
        self._take_over()

    def startService(self) -> None:
        """Replace the reactor's handlers once it has installed them."""
        super().startService()
        self._reactor.addSystemEventTrigger("before", "startup", interruptible)
        self._reactor.callWhenRunning(self._take_over)

    def _take_over(self) -> None:
        def end(number: int, frame: Any) -> None:
            # A signal handler may interrupt the reactor anywhere, so it only wakes it up; before it runs, it stops as
            # soon as it does.
            self._reactor.callFromThread(self._stop)

        signal.signal(signal.SIGTERM, end)

    def _stop(self) -> None:
        if self._reactor.running and not self._is_stopping:
            self._is_stopping = True
            # A second signal changes nothing, also when the interpreter has taken its handlers away at its end.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            log.info("Stopping")
            self._reactor.callLater(END_SECONDS, self._leave)
            self._reactor.stop()

    def _leave(self) -> None:
        log.error("A part of the daemon has not ended within {seconds:g} s, and is not waited for", seconds=END_SECONDS)
        self._reactor.crash()
