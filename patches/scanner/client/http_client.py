"""HTTP exchanges with our own servers, limited in time and size; each error is a text of one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.error import ConnectionRefusedError, NoRouteError
from twisted.internet.interfaces import IReactorTime
from twisted.web.client import Agent
from twisted.web.http_headers import Headers

from patches.http.connection_pool import QuietConnectionPool
from patches.http.headers import header_value, retry_after
from patches.http.response_body import BodyTooLong, read_body

#: How long an exchange may take in addition to the time for which the server was asked to wait.
TIMEOUT_SECONDS = 30.0
#: The longest pause that a server can request.
MAX_RETRY_AFTER_SECONDS = 3600.0


#: Errors whose texts in Twisted have the reason twice: "Connection was refused by other side: 111: Connection refused."
_TWICE = ((ConnectionRefusedError, "connection refused"), (NoRouteError, "no route to host"))


class Unreachable(Exception):
    """The server did not send a whole response; the text says why, in one line."""


@frozen
class HttpResponse:
    """
    The response of a server.

    :ivar body: the whole body, with its content encoding removed.
    :ivar received: the time of the response, in seconds since the epoch; a date in ``Retry-After`` is relative to it.
    """

    status: int
    headers: Headers
    body: bytes
    received: float = 0.0

    def header(self, name: str) -> str | None:
        """Return the last value of a header field; ``None`` if it is missing or empty."""
        return header_value(self.headers, name)

    def document(self) -> dict[str, Any] | None:
        """Return the JSON object in the body; ``None`` if the body is not one."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    @property
    def error_code(self) -> str | None:
        """The code of an error document; ``None`` if the body is not one of ours."""
        error = (self.document() or {}).get("error")
        return str(error["code"]) if isinstance(error, dict) and "code" in error else None

    @property
    def error_message(self) -> str:
        """The message of an error document, at most 300 characters; a text with the status if the body is not one."""
        error = (self.document() or {}).get("error")
        return str(error.get("message", ""))[:300] if isinstance(error, dict) else f"it answered {self.status}"

    @property
    def retry_after(self) -> float:
        """The seconds after which the server wants the next request; 0 if it does not say."""
        return min(retry_after(self.headers, self.received) or 0.0, MAX_RETRY_AFTER_SECONDS)


class HttpClient:
    """
    Sends requests to one base URL.

    :param http: a treq client.
    :param max_bytes: the size of a body beyond which the exchange fails.
    """

    def __init__(self, http: Any, base_url: str, clock: IReactorTime, max_bytes: int) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = http
        self._clock = clock
        self._max_bytes = max_bytes

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        fields: Mapping[str, str] | None = None,
        wait: float = 0,
    ) -> HttpResponse:
        """
        Send a request and return the response, whatever its status is.

        :param wait: the seconds for which the server may delay its response (``Prefer: wait``, RFC 7240).
        :raises Unreachable: if no whole response is received in time.
        """
        headers = dict(fields or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        if wait:
            headers["Prefer"] = f"wait={wait:.0f}"
        limit, started = TIMEOUT_SECONDS + wait, self._clock.seconds()
        pending = Deferred.fromCoroutine(self._send(method, path, body, headers))
        pending.addTimeout(limit, self._clock)
        try:
            return await pending
        except CancelledError:
            raise  # the caller gave up: that says nothing about the server
        except TimeoutError as error:
            raise Unreachable(f"{self.base_url} did not answer within {limit:g} s") from error
        except BodyTooLong as error:
            raise Unreachable(f"{self.base_url}: {error}") from error
        except Exception as error:
            if not _was_cancelled(error):
                raise Unreachable(f"{self.base_url} cannot be reached: {_reason(error)}") from error
            if self._clock.seconds() - started < limit:
                raise CancelledError from error
            raise Unreachable(f"{self.base_url} did not answer within {limit:g} s") from error

    async def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> HttpResponse:
        # unbuffered: treq otherwise keeps a copy of the whole body for further readers
        response = await self._http.request(
            method, self.base_url + path, data=body, headers=headers, allow_redirects=False, unbuffered=True
        )
        body = await read_body(response, self._max_bytes)
        return HttpResponse(response.code, response.headers, body, self._clock.seconds())


def _was_cancelled(error: BaseException) -> bool:
    """Return whether a request failed because it was cancelled: Twisted reports that as a failure of the connection."""
    reasons = getattr(error, "reasons", None) or ()
    return isinstance(error, CancelledError) or any(_was_cancelled(reason.value) for reason in reasons)


def _reason(error: BaseException) -> str:
    """Return the first line of an error; Twisted nests the errors of a connection in lists of failures."""
    reasons = getattr(error, "reasons", None)
    if reasons:
        return _reason(reasons[0].value)
    for kind, text in _TWICE:
        if isinstance(error, kind):
            return text
    return (str(error).strip().rstrip(".").splitlines() or [type(error).__name__])[0]


def http_client(reactor: Any) -> HTTPClient:
    """Create a treq client with persistent connections."""
    return HTTPClient(Agent(reactor, connectTimeout=10, pool=QuietConnectionPool(reactor)))
