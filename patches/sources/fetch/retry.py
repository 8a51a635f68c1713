"""
Requests to HTTP servers, repeated until there is a response: bounded in time, tries, size and parallel requests.

Transient failures are tried again, after a pause that doubles: no connection, a connection closed during a request, a
time-out, and the statuses in :data:`TRANSIENT`. Any other response is returned to the caller; redirects are not
followed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, Protocol, TypeVar

from attrs import field, frozen
from attrs.validators import ge, gt
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.error import (
    ConnectError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    DNSLookupError,
)
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.client import (  # type: ignore[attr-defined]  # RequestNotSent is not in its __all__
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseFailed,
)
from twisted.web.iweb import IResponse

from patches.errors import SourceError
from patches.http.access.tunnels import TunnelRefused
from patches.http.cancellation import cancellable
from patches.http.connection_errors import is_tls_port, needs_tls, problem_of
from patches.http.headers import retry_after
from patches.http.response_body import read_body
from patches.http.urls import request_url
from patches.service.backoff import Backoff
from patches.sources.fetch.checks.addresses import AddressForbidden
from patches.sources.fetch.redirects import without_credentials

log = Logger()
T = TypeVar("T")

TRANSIENT = frozenset({429, 500, 502, 503, 504})
#: The failures of a request that received no complete response.
BROKEN = (
    ConnectError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    DNSLookupError,
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseFailed,
)


class RequestFailed(SourceError):
    """A request that received no usable response, in any of its tries."""


class RequestTimedOut(Exception):
    """A request that was not answered in time."""


class Client(Protocol):
    """The part of treq's ``HTTPClient`` that is used here."""

    @property
    def get(self) -> Callable[..., Deferred[Any]]:
        """Send a GET request."""


class TransientFailure(Exception):
    """
    A try failed for a reason that may pass by itself.

    :ivar retry_after: the seconds after which to try again; ``None``: the server did not say.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@frozen
class FetchSettings:
    """
    The limits of requests to sources, of Clair's API and of downloads alike.

    :ivar tries: the number of tries of a request, the first included.
    :ivar timeout_seconds: the time for one try, its body included; of a download, how long the server may send nothing.
    :ivar pause_seconds: the longest pause before the second try; it doubles with each further one.
    :ivar max_pause_seconds: the pause at which doubling stops.
    :ivar parallel: the number of requests that may be in progress at once.
    :ivar rate: the highest number of requests a second, evenly spaced, repeated ones included; ``None``: no limit.
    :ivar max_bytes: the longest file that is downloaded.
    :ivar max_retry_after_seconds: the longest pause that a server may ask for; a longer one ends the request.
    :ivar redirects: the number of redirects that are followed in one try.
    """

    tries: int = field(default=6, validator=ge(1))
    timeout_seconds: float = field(default=60.0, validator=gt(0))
    pause_seconds: float = 1.0
    max_pause_seconds: float = 30.0
    parallel: int = field(default=4, validator=ge(1))
    rate: float | None = None
    max_bytes: int = field(default=4 << 30, validator=ge(0))
    max_retry_after_seconds: float = 120.0
    redirects: int = 5


async def retrying(
    url: str,
    attempt: Callable[[], Awaitable[T]],
    settings: FetchSettings,
    clock: IReactorTime,
    jitter: Callable[[], float],
) -> T:
    """
    Call *attempt* until it returns: the one retry loop of all sources.

    :param url: for the log, where its credentials are omitted.
    :param attempt: one try; it raises :class:`TransientFailure` where another try may succeed.
    :param jitter: returns a number in [0, 1).
    :raises RequestFailed: if the last try failed too.
    """
    backoff = Backoff(settings.pause_seconds, settings.max_pause_seconds, jitter)
    for number in range(1, settings.tries + 1):
        try:
            return await attempt()
        except TransientFailure as failure:
            reason, at_least = str(failure), failure.retry_after or 0.0
        if number < settings.tries:
            seconds = backoff.pause(number, at_least)
            log.info(
                "{url}: {reason}; retrying in {seconds:.1f} s (try {next} of {tries})",
                url=without_credentials(url),
                reason=reason,
                seconds=seconds,
                next=number + 1,
                tries=settings.tries,
            )
            await deferLater(clock, seconds)
    raise RequestFailed(f"{reason} (asked {times(settings.tries)})")


@frozen
class Response:
    """A response, with its body read to the end."""

    status: int
    body: bytes


class RetryingClient:
    """Sends GET requests within the limits of its settings."""

    def __init__(
        self,
        client: Client,
        clock: IReactorTime,
        settings: FetchSettings,
        jitter: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """
        Create a client; no request is sent yet.

        :param jitter: returns a number in [0, 1) that shortens pauses, down to their half.
        :param wall: returns the time in seconds since the epoch.
        """
        self._client = client
        self._clock = clock
        self._settings = settings
        self._jitter = jitter
        self._wall = wall
        self._slots = DeferredSemaphore(settings.parallel)
        self._pace = RateLimiter(clock, settings.rate)

    async def get(self, url: str, max_bytes: int, headers: Mapping[str, str] | None = None) -> Response:
        """
        Send a GET request until there is a response.

        :param max_bytes: the longest body that is accepted, decompressed.
        :raises RequestFailed: if the last try failed too.
        :raises SourceError: if the server asks for too long a pause.
        :raises BodyTooLong: as soon as the body is too long; this is not tried again.
        """

        async def attempt() -> Response:
            try:
                answer = await self._attempt(url, max_bytes, dict(headers or {}))
            except (RequestTimedOut, *BROKEN) as error:
                raise_failure(error, url)
            if is_tls_port(url, answer.status, answer.body):
                raise RequestFailed(needs_tls(url))
            return answer

        return await retrying(url, attempt, self._settings, self._clock, self._jitter)

    async def _attempt(self, url: str, max_bytes: int, headers: dict[str, str]) -> Response:
        async with self._slots:
            await self._pace.wait_turn()
            pending = cancellable(Deferred.fromCoroutine(self._send(url, max_bytes, headers)))
            return await pending.addTimeout(self._settings.timeout_seconds, self._clock, onTimeoutCancel=timed_out)

    async def _send(self, url: str, max_bytes: int, headers: dict[str, str]) -> Response:
        response: IResponse = await self._client.get(
            request_url(url), headers=headers, allow_redirects=False, unbuffered=True
        )
        body = await read_body(response, max_bytes)
        if response.code in TRANSIENT:
            raise_transient(response, self._settings, self._wall())
        return Response(response.code, body)


def raise_transient(response: IResponse, settings: FetchSettings, now: float) -> NoReturn:
    """
    Raise the failure of a response whose status may pass.

    :param now: seconds since 1970.
    :raises TransientFailure: with the pause that the server asks for.
    :raises SourceError: if that pause is longer than the settings allow.
    """
    reason = f"it answered {response.code}"
    wait = retry_after(response.headers, now)
    if wait is not None and wait > settings.max_retry_after_seconds:
        raise SourceError(f"{reason}, and asks for a pause of {wait:.0f} s")
    raise TransientFailure(reason, wait)


def timed_out(result: Any, seconds: float) -> Any:
    """
    Raise the time-out of a request; for :meth:`Deferred.addTimeout`.

    :raises RequestTimedOut: always.
    """
    raise RequestTimedOut(seconds)


def raise_failure(error: Exception, url: str) -> NoReturn:
    """
    Raise the reason why a request, or the body of its response, failed.

    :param error: one of ``BROKEN``, or :class:`RequestTimedOut`.
    :raises TransientFailure: if another try may succeed.
    :raises RequestFailed: if not: the server's certificate is not trusted or not valid for it, it does not speak as its
        URL says, the proxy refuses to connect, or the source may not lead to its address.
    """
    if isinstance(error, RequestTimedOut):
        raise TransientFailure(f"it did not answer within {error.args[0]:g} s") from error
    if isinstance(error, AddressForbidden):
        raise RequestFailed(error.reason) from error
    if isinstance(error, TunnelRefused):
        passes = error.status is None or may_pass(error.status)
        raise (TransientFailure if passes else RequestFailed)(error.reason) from error
    problem = problem_of(error, url)
    if problem.is_final:
        raise RequestFailed(problem.reason) from error
    if isinstance(error, ResponseFailed):
        raise TransientFailure("it closed the connection before the end of its answer") from error
    raise TransientFailure(f"it cannot be reached ({problem.reason})") from error


def may_pass(status: int) -> bool:
    """Return whether a status may be another one soon."""
    return status == 429 or status >= 500


def times(number: int) -> str:
    """Format a number of times: ``once``, ``3 times``."""
    return "once" if number == 1 else f"{number} times"


class RateLimiter:
    """Limits the rate of requests: turns are evenly spaced, in order of arrival."""

    def __init__(self, clock: IReactorTime, rate: float | None) -> None:
        """
        Create a limiter; the first turn is free at once.

        :param rate: turns per second; ``None``: no limit.
        """
        if rate is not None and rate <= 0:
            raise ValueError(f"a rate is a positive number of requests a second, not {rate:g}")
        self._clock = clock
        self._distance = 1 / rate if rate is not None else 0.0
        self._next = 0.0

    async def wait_turn(self) -> None:
        """Wait for the next turn."""
        if not self._distance:
            return
        now = self._clock.seconds()
        at = max(now, self._next)
        # The turn is taken before the wait, so that concurrent callers queue up behind it.
        self._next = at + self._distance
        if at > now:
            await deferLater(self._clock, at - now)
