"""A producer that sends a file as a response, as fast as its client reads it."""

from __future__ import annotations

from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

_BLOCK = 64 * 1024


@implementer(IPushProducer)
class FileProducer:
    """
    Sends the rest of a file; one block of it is in memory.

    :param request: the request to answer, whose header fields are set.
    :ivar done: fires with whether the whole file was sent: the client may hang up.
    """

    def __init__(self, file: BinaryIO, request: Any) -> None:
        self._file = file
        self._request = request
        self._is_paused = False
        self.done: Deferred[bool] = Deferred()

    def start(self) -> Deferred[bool]:
        """Begin to send."""
        self._request.registerProducer(self, True)
        self.resumeProducing()
        return self.done

    def resumeProducing(self) -> None:
        """Send until the connection has enough."""
        self._is_paused = False
        while not self._is_paused and not self.done.called:
            block = self._file.read(_BLOCK)
            if block:
                self._request.write(block)
            else:
                self._request.unregisterProducer()
                self.done.callback(True)

    def pauseProducing(self) -> None:
        """Wait until the connection has sent what it has."""
        self._is_paused = True

    def stopProducing(self) -> None:
        """End, as the client has hung up."""
        self._is_paused = True
        if not self.done.called:
            self.done.callback(False)
