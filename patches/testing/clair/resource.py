"""The double over HTTP: statuses, headers, compression and lengths as Clair sends them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from patches.testing.clair.answers import JSON, TEXT, Reply
from patches.testing.clair.tokens import HandlerPanic

if TYPE_CHECKING:
    from patches.testing.clair.double import ClairDouble

#: Go's server sends longer bodies in chunks, without a length.
MAX_COUNTED_BYTES = 2048


class ClairResource(Resource):
    """Serves a double; it reads the target of a request as received, before any decoding."""

    isLeaf = True

    def __init__(self, double: ClairDouble) -> None:
        super().__init__()
        self._double = double

    def render(self, request: Request) -> int:
        """Respond to any request, now or after the double's delay."""
        over = request.notifyFinish()
        waiting: Deferred[None] | None = None
        if self._double.delay:
            waiting = deferLater(self._double.clock, self._double.delay, lambda: None)
        over.addBoth(self._over, waiting)
        try:
            reply = self._double.begin(request.method.decode("ascii", "replace"), request.uri.decode("latin-1"))
        except HandlerPanic:
            request.loseConnection()
            return NOT_DONE_YET
        if waiting is None:
            _send(request, reply)
        else:
            waiting.addCallback(lambda _: _send(request, reply))
            waiting.addErrback(lambda failure: failure.trap(CancelledError))
        return NOT_DONE_YET

    def _over(self, result: Failure | None, waiting: Deferred[None] | None) -> None:
        self._double.end()
        if waiting is not None:
            waiting.cancel()


def _send(request: Request, reply: Reply) -> None:
    request.setResponseCode(reply.status)
    headers = request.responseHeaders
    headers.removeHeader("Server")
    headers.setRawHeaders("Content-Type", [reply.content_type])
    if reply.content_type == JSON:
        headers.setRawHeaders("Server", ["clair"])
    elif reply.status in (404, 405) and reply.content_type == TEXT:
        headers.setRawHeaders("X-Content-Type-Options", ["nosniff"])
    if reply.location is not None:
        headers.setRawHeaders("Location", [reply.location])
    if reply.close:
        headers.setRawHeaders("Connection", ["close"])
        request.channel.persistent = False
    body = _compressed(request, reply)
    if len(body) <= MAX_COUNTED_BYTES:
        headers.setRawHeaders("Content-Length", [str(len(body))])
    request.write(body)
    request.finish()


def _compressed(request: Request, reply: Reply) -> bytes:
    """Compress if the first ``Accept-Encoding`` contains ``gzip``, even to refuse it, as Clair does."""
    asked = request.requestHeaders.getRawHeaders("Accept-Encoding") or [""]
    if reply.content_type != JSON or "gzip" not in asked[0]:
        return reply.body
    request.responseHeaders.setRawHeaders("Content-Encoding", ["gzip"])
    return gzip.compress(reply.body, compresslevel=6)
