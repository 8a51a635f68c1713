"""HTTP exchanges with our own servers, limited in time and size; each error is a text of one line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from attrs import evolve, frozen
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.web.client import ResponseNeverReceived
from twisted.web.http import _MalformedChunkedDataError
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent

from patches.http.access.certificates import TrustPolicy
from patches.http.access.proxies import Proxy
from patches.http.access.routed_agent import RoutedEndpoints, Routes, pooled_agent
from patches.http.access.tls_probe import speaks_tls
from patches.http.access.tunnels import TunnelRefused
from patches.http.cancellation import cancellable
from patches.http.codings import FirstEncoding, UndecodedAgent
from patches.http.connection_errors import causes, is_tls_port, is_untrusted, needs_tls, problem_of
from patches.http.connection_pool import HeadTooLong
from patches.http.headers import date, header_value, retry_after
from patches.http.response_body import BodyTooLong, read_body
from patches.http.urls import request_url
from patches.wire import MalformedJson, MalformedWire, digest, parse_json, parse_repr_digest, unpack_chunk
from patches.wording import one_line, printable

#: How long an exchange may take in addition to the time for which the server was asked to wait.
TIMEOUT_SECONDS = 30.0
#: The longest time to connect to an address.
CONNECT_SECONDS = 10.0
#: How many idle connections to a server are kept.
_MOST_IDLE = 2
#: How long a port may take to show that it speaks TLS, in seconds.
PROBE_SECONDS = 5.0
#: The longest pause that a server can request.
MAX_RETRY_AFTER_SECONDS = 3600.0


#: The words for what proxies answer in place of the server; the first two do not change by themselves.
_PROXY_STATUSES = {
    403: "it does not allow requests to this server",
    407: "it requires a user and a password, as in http://USER:PASSWORD@HOST:PORT",
    502: "it cannot reach the server",
    503: "it cannot reach the server",
    504: "the server did not answer it in time",
}
_NOT_ALLOWED = (403, 407)


#: The errors of a request that cannot be made as it is asked for: they say nothing about whether the server is there.
_OF_OUR_OWN = (ValueError, TypeError, LookupError, AttributeError, AssertionError)
#: The errors of responses that do not end where a response must.
_ENDLESS = (HeadTooLong, _MalformedChunkedDataError)


class Unreachable(Exception):
    """The server did not send a whole response; the text says why, in one line."""


class Unanswered(Unreachable):
    """The connection was closed before any response."""


class BadAnswer(Unreachable):
    """
    A response has no end within its limits, or is coded as it must not be, or the server cannot be spoken to as its URL
    says, or is not trusted: to ask again would not help.
    """


@frozen
class HttpResponse:
    """
    The response of a server.

    :ivar body: the whole body, with its content coding removed.
    :ivar received: the time of day of the response, in seconds since the epoch; a date in ``Retry-After`` is relative
        to it where the response has no ``Date``.
    """

    status: int
    headers: Headers
    body: bytes
    received: float = 0.0

    def header(self, name: str) -> str | None:
        """Return the last value of a header field; ``None`` if it is missing or empty."""
        return header_value(self.headers, name)

    def document(self) -> dict[str, Any] | None:
        """Return the JSON object in the body; ``None`` if the body is not one, or has a member twice."""
        try:
            document = parse_json(self.body)
        except MalformedJson:
            return None
        return document if isinstance(document, dict) else None

    @property
    def error_code(self) -> str | None:
        """The code of an error document; ``None`` if the body is not one of ours."""
        error = (self.document() or {}).get("error")
        code = error.get("code") if isinstance(error, dict) else None
        return code if isinstance(code, str) else None

    @property
    def error_message(self) -> str:
        """The message of an error document, printable and bounded; a text with the status if the body is not one."""
        error = (self.document() or {}).get("error")
        message = error.get("message", "") if isinstance(error, dict) else None
        return printable(message[:300]) if isinstance(message, str) else f"it answered {self.status}"

    @property
    def date(self) -> float | None:
        """The time of the response by the server's clock, in seconds since the epoch; ``None`` if it has no date."""
        return date(self.headers)

    @property
    def retry_after(self) -> float:
        """The seconds after which the server wants the next request; 0 if it does not say."""
        return min(retry_after(self.headers, self.received) or 0.0, MAX_RETRY_AFTER_SECONDS)


class HttpClient:
    """
    Sends requests to one base URL.

    :param http: a treq client.
    :param max_bytes: the size of a body beyond which the exchange fails.
    :param wall: returns the time in seconds since the epoch.
    :ivar proxy: the proxy that leads to it; ``None``: it is connected to directly.
    """

    def __init__(
        self,
        http: Any,
        base_url: str,
        clock: IReactorTime,
        max_bytes: int,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = http
        self._clock = clock
        self._max_bytes = max_bytes
        self._wall = wall
        self._has_answered = False
        self.proxy = http.proxy_of(self.base_url) if isinstance(http, RoutedClient) else None

    def seconds(self) -> float:
        """Return the time of the clock by which requests end."""
        return self._clock.seconds()

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None = None,
        fields: Mapping[str, str] | None = None,
        wait: float = 0,
        within: float | None = None,
    ) -> HttpResponse:
        """
        Send a request and return the response, whatever its status is.

        :param body: the body; a file is sent in pieces, and closed.
        :param wait: the seconds for which the server may delay its response (``Prefer: wait``, RFC 7240).
        :param within: the longest time of the exchange, in seconds, if it is shorter than usual; ``None``: as usual.
        :raises Unreachable: if no whole response is received in time.
        :raises BadAnswer: if the response is longer than allowed, or its coding is not accepted.
        :raises MemoryError: if there is no memory for it.
        """
        headers = dict(fields or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        if wait:
            headers["Prefer"] = f"wait={wait:.0f}"
        limit = TIMEOUT_SECONDS + wait if within is None else min(TIMEOUT_SECONDS + wait, within)
        pending = cancellable(Deferred.fromCoroutine(self._send(method, path, body, headers)))
        pending.addTimeout(limit, self._clock)
        try:
            return await pending
        except CancelledError:
            raise  # the caller gave up: that says nothing about the server
        except TimeoutError as error:
            raise Unreachable(f"{self.base_url} did not answer within {limit:.3g} s") from error
        except (BodyTooLong, BadAnswer, MalformedWire) as error:
            raise BadAnswer(f"{self.base_url}: {error}") from error
        except Exception as error:
            failure = self._failure(error)
            if isinstance(failure, Unanswered) and await self._needs_tls():
                failure = BadAnswer(f"{self.base_url} cannot be reached: {needs_tls(self.base_url)}")
            raise failure from error

    async def _needs_tls(self) -> bool:
        """
        Return whether a port that closes plain connections without a word speaks TLS; it is asked once.

        Whether its certificate is trusted does not matter for that.
        """
        if self._has_answered or not self.base_url.startswith("http://") or not isinstance(self._http, RoutedClient):
            return False
        self._has_answered = True
        asked = cancellable(Deferred.fromCoroutine(self._http.speaks_tls(self.base_url)))
        asked.addTimeout(PROBE_SECONDS, self._clock)
        try:
            return await asked
        except CancelledError:
            raise
        except Exception:
            return False  # whatever is there does not take a handshake

    def _failure(self, error: Exception) -> Exception:
        """Return what an error of an exchange says about the server."""
        if any(isinstance(each, MemoryError) for each in causes(error)):
            return MemoryError()  # which says nothing about it
        if isinstance(error, _OF_OUR_OWN):
            return BadAnswer(f"{self.base_url}: the request cannot be made: {one_line(error)}")
        if self.proxy is not None:
            for each in causes(error):
                if isinstance(each, TunnelRefused):
                    return self._proxy_failure(self.proxy, each.status, each.reason)
        problem = problem_of(error, self.base_url)
        if any(isinstance(each, _ENDLESS) for each in causes(error)):
            return BadAnswer(f"{self.base_url}: its response has no end: {problem.reason}")
        never = isinstance(error, ResponseNeverReceived)
        kind = BadAnswer if problem.is_final else Unanswered if never else Unreachable
        if isinstance(self._http, RoutedClient) and any(is_untrusted(each) for each in causes(error)):
            why = self._http.distrust_of(self.base_url)
            problem = problem if why is None else evolve(problem, reason=f"its certificate is not trusted: {why}")
        way = f" through the proxy {self.proxy.name}" if self.proxy is not None else ""
        return kind(f"{self.base_url} cannot be reached{way}: {problem.reason}")

    def _proxy_failure(self, proxy: Proxy, status: int | None, reason: str) -> Unreachable:
        """
        Return what a proxy says in place of the server.

        :param status: of its response; ``None``: there was no response.
        :param reason: what happened, in words.
        """
        words = _PROXY_STATUSES.get(status or 0)
        kind = BadAnswer if status in _NOT_ALLOWED else Unreachable
        told = f": {words}" if words is not None else ""
        return kind(f"{self.base_url} cannot be reached through the proxy {proxy.name}: {reason}{told}")

    async def _send(
        self, method: str, path: str, body: bytes | BinaryIO | None, headers: dict[str, str]
    ) -> HttpResponse:
        # unbuffered: treq otherwise keeps a copy of the whole body for further readers
        url = request_url(self.base_url + path)
        response = await self._http.request(
            method, url, data=body, headers=headers, allow_redirects=False, unbuffered=True
        )
        self._has_answered = True
        raw = await read_body(response, self._max_bytes)
        if is_tls_port(self.base_url, response.code, raw):
            raise BadAnswer(needs_tls(self.base_url))
        answer = HttpResponse(response.code, response.headers, _decoded(response.headers, raw), self._wall())
        is_plain = self.proxy is not None and self.base_url.startswith("http://")
        # our servers' errors are documents: any other of these may be the proxy's own
        if is_plain and answer.status in _PROXY_STATUSES and answer.error_code is None:
            raise TunnelRefused(f"it answered {answer.status}", answer.status)
        return answer


def _decoded(headers: Headers, raw: bytes) -> bytes:
    """
    Verify the digest of a body as it was sent, if it has one, and only then unpack it.

    :raises BadAnswer: if the digest differs, or the coding is not exactly one gzip or none.
    :raises MalformedWire: if it cannot be unpacked, or becomes longer than a chunk may be.
    """
    announced = header_value(headers, "Content-Digest")
    if announced is not None and parse_repr_digest(announced) != digest(raw):
        raise BadAnswer("its response is not the one that it announced: the digest of what was sent differs")
    fields = b",".join(headers.getRawHeaders(b"Content-Encoding") or ()).lower().split(b",")
    codings = [coding for field in fields if (coding := field.strip()) not in (b"", b"identity")]
    if not raw or not codings:
        return raw
    if codings not in ([b"gzip"], [b"x-gzip"]):
        raise BadAnswer(f"its response has a content coding other than gzip: {b', '.join(codings)[:60]!r}")
    return unpack_chunk(raw)


class RoutedClient(HTTPClient):
    """
    A treq client that knows by which ways it reaches servers.

    :param reactor: connects to them.
    :param routes: those of its agent.
    """

    def __init__(self, agent: IAgent, reactor: Any, routes: Routes) -> None:
        super().__init__(agent)
        self.routes = routes
        self._endpoints = RoutedEndpoints(reactor, routes, CONNECT_SECONDS)

    def proxy_of(self, url: str) -> Proxy | None:
        """Return the proxy by which a URL is reached; ``None``: it is connected to directly."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return self.routes.proxies.proxy_for(parts.scheme, parts.hostname or "", port)

    async def speaks_tls(self, url: str) -> bool:
        """Return whether the server of a URL speaks TLS, on a connection of its own."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        return await speaks_tls(self._endpoints.unencrypted("https", host, parts.port or 80), host)

    def distrust_of(self, url: str) -> str | None:
        """Return why the certificate of a server is not trusted, in words; ``None``: it is not known."""
        policy = self.routes.policy
        return policy.reason(urlsplit(url).hostname or "") if isinstance(policy, TrustPolicy) else None


def http_client(reactor: Any, routes: Routes | None = None) -> RoutedClient:
    """
    Create a treq client with persistent connections, which asks for gzip and unpacks nothing.

    :param routes: the ways to servers; ``None``: each is connected to directly, and the system's authorities are
        trusted.
    """
    routes = routes or Routes()
    agent = pooled_agent(reactor, _MOST_IDLE, CONNECT_SECONDS, routes)
    return RoutedClient(UndecodedAgent(FirstEncoding(agent)), reactor, routes)
