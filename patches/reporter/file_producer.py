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
    :ivar done: fires when the whole file was sent. It never does if the client hangs up: its request is then cancelled.
    """

    def __init__(self, file: BinaryIO, request: Any) -> None:
        self._file = file
        self._request = request
        self._is_paused = self._is_over = False
        self.done: Deferred[None] = Deferred()

    def start(self) -> Deferred[None]:
        """Begin to send."""
        self._request.registerProducer(self, True)
        self.resumeProducing()
        return self.done

    def resumeProducing(self) -> None:
        """Send until the connection has enough."""
        self._is_paused = self._is_over
        while not self._is_paused and not self.done.called:
            block = self._file.read(_BLOCK)
            if block:
                self._request.write(block)
            else:
                self._request.unregisterProducer()
                self.done.callback(None)

    def pauseProducing(self) -> None:
        """Wait until the connection has sent what it has."""
        self._is_paused = True

    def stopProducing(self) -> None:
        """End, as the client has hung up: nothing more is written, and the request is not finished."""
        self._is_paused = self._is_over = True
