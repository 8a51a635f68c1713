"""Messages of a daemon to systemd: that it has started, and that it stops (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger

log = Logger()

_VARIABLE = "NOTIFY_SOCKET"


class ReadinessService(Service):
    """
    Sends to systemd when the daemon has started and when it stops, if systemd asks for it (``Type=notify``).

    :param reactor: the daemon has started once it runs: by then all services have, and the port is bound.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        # Taken away: the children of the daemon are not the daemon.
        self._address = os.environ.pop(_VARIABLE, "")

    def startService(self) -> None:
        """Send that the daemon is ready once the reactor runs."""
        super().startService()
        self._reactor.callWhenRunning(self._send, "READY=1")

    def stopService(self) -> None:
        """Send that the daemon stops."""
        self._send("STOPPING=1")
        super().stopService()

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # "@" is the sign of an address in the abstract namespace, unix(7).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(state.encode(), address)
        except OSError as error:
            log.warn("systemd cannot be told {state}: {why}", state=state, why=error.strerror)
