"""Bodies of HTTP answers, read to the end, but never further than they may be long."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse


class BodyTooLong(Exception):
    """An answer that is longer than it may be."""


class _Body(Protocol):
    """Collects a body; its end, or a failure, fires ``finished``, whose cancellation closes the connection."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._over = False
        self.finished: Deferred[bytes] = Deferred(self._cancel)

    def dataReceived(self, data: bytes) -> None:
        """Keep a piece."""
        if self._over:
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._max_bytes:
            self._stop()
            self.finished.errback(BodyTooLong(f"its answer is longer than {self._max_bytes} bytes"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand over what was kept, if it is whole as far as HTTP can tell."""
        if self._over:
            return
        self._over = True
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(b"".join(self._pieces))
        else:
            self.finished.errback(reason)

    def _cancel(self, finished: Deferred[bytes]) -> None:
        self._stop()

    def _stop(self) -> None:
        self._over = True
        self._pieces.clear()
        if self.transport is not None:
            close = getattr(self.transport, "abortConnection", self.transport.loseConnection)
            close()


def read_body(response: IResponse, max_bytes: int) -> Deferred[bytes]:
    """
    Read the body of an answer.

    :param max_bytes: the connection is closed as soon as there are more.
    :raises BodyTooLong: then.
    """
    body = _Body(max_bytes)
    response.deliverBody(body)
    return body.finished
