"""Bodies of HTTP responses, read to the end up to a limit."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse


class BodyTooLong(Exception):
    """A response body that exceeds its limit."""


class _Body(Protocol):
    """Collects a body; its end or a failure fires ``finished``; cancelling that closes the connection."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # One buffer: a body may come byte by byte, and each piece would be an object.
        self._received = bytearray()
        self._over = False
        self.finished: Deferred[bytes] = Deferred(self._cancel)

    def dataReceived(self, data: bytes) -> None:
        """Append a piece of the body."""
        if self._over:
            return
        self._received += data
        if len(self._received) > self._max_bytes:
            # Stopped first: connectionLost, which follows, must not fire ``finished`` again.
            self._stop()
            self.finished.errback(BodyTooLong(f"its response is longer than {self._max_bytes} bytes"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fire ``finished`` with the body if it is complete as far as HTTP can tell, else with the failure."""
        if self._over:
            return
        self._over = True
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(bytes(self._received))
        else:
            self.finished.errback(reason)

    def _cancel(self, finished: Deferred[bytes]) -> None:
        self._stop()

    def _stop(self) -> None:
        self._over = True
        self._received.clear()
        if self.transport is not None:
            # loseConnection waits until unsent data is written; not every transport can abort.
            close = getattr(self.transport, "abortConnection", self.transport.loseConnection)
            close()


def read_body(response: IResponse, max_bytes: int) -> Deferred[bytes]:
    """
    Read the body of a response.

    :param max_bytes: the limit; the connection is closed as soon as it is exceeded.
    :raises BodyTooLong: if the limit is exceeded.
    """
    body = _Body(max_bytes)
    response.deliverBody(body)
    return body.finished
