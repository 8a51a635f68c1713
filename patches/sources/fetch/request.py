"""
One request for a file, until there is an answer that is no redirect.

What may pass by itself is told apart from what will not: only the former is worth another try.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from OpenSSL.SSL import Error as TLSError
from service_identity.exceptions import VerificationError
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.web.http import GONE, NOT_FOUND
from twisted.web.iweb import IResponse

from patches.http.headers import retry_after
from patches.interfaces import NotThere, SourceError
from patches.sources.fetch.body import discard_body
from patches.sources.fetch.redirects import REDIRECTS, redirected, same_server, without_credentials
from patches.sources.fetch.retry import (
    BROKEN,
    Client,
    FetchSettings,
    RequestTimedOut,
    TransientFailure,
    describe,
    is_cancellation,
    timed_out,
    times,
)
from patches.sources.fetch.tunnels import TunnelRefused


class RequestSender:
    """Sends requests for files."""

    def __init__(
        self, client: Client, clock: IReactorTime, headers: Mapping[str, str], settings: FetchSettings
    ) -> None:
        """
        Prepare; nothing is asked yet.

        :param headers: are sent to the server of a URL, but to no other that it redirects to.
        """
        self._client = client
        self._clock = clock
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._settings = settings

    async def ask(self, url: str, conditions: Mapping[str, str]) -> IResponse:
        """
        Send a request, and follow where it is redirected.

        :param conditions: headers that are sent wherever it leads.
        :raises TransientFailure: if no answer came.
        :raises SourceError: if it is redirected too often, or where it should not, or the server is not trusted.
        """
        target = url
        for _ in range(self._settings.redirects + 1):
            own = self._headers if same_server(url, target) else {}
            response = await self._request(target, {**own, **conditions, "accept-encoding": "identity"})
            location = response.headers.getRawHeaders(b"location")
            if response.code not in REDIRECTS or not location:
                return response
            discard_body(response)
            target = redirected(target, location[0])
        raise SourceError(f"is redirected more than {times(self._settings.redirects)}")

    async def _request(self, url: str, headers: Mapping[str, str]) -> IResponse:
        seconds = self._settings.timeout_seconds
        try:
            asking = self._client.get(url, headers=dict(headers), allow_redirects=False, unbuffered=True)
            response: IResponse = await asking.addTimeout(seconds, self._clock, onTimeoutCancel=timed_out)
        except (RequestTimedOut, *BROKEN) as error:
            raise_failure(error)
        except ValueError as error:
            raise SourceError(
                f"is, or is redirected to, a URL that no server can have: {without_credentials(url)}"
            ) from error
        return response

    def refuse(self, response: IResponse) -> NoReturn:
        """
        Give up an answer that has no file.

        :raises TransientFailure: if the server is in trouble, or busy.
        :raises NotThere: if it has no such file.
        :raises SourceError: if it is not, or for too long.
        """
        discard_body(response)
        reason = f"it answered {response.code}"
        if response.code in (NOT_FOUND, GONE):
            raise NotThere(reason)
        if not _may_pass(response.code):
            raise SourceError(reason)
        wait = retry_after(response.headers, self._clock.seconds())
        if wait is not None and wait > self._settings.max_retry_after_seconds:
            raise SourceError(f"{reason}, and wants not to be asked for {wait:.0f} s")
        raise TransientFailure(reason, wait)


def raise_failure(error: Exception) -> NoReturn:
    """
    Tell apart why a request failed, or the body of its answer.

    :param error: one of ``BROKEN``, or :class:`RequestTimedOut`.
    :raises TransientFailure: if it may pass.
    :raises SourceError: if the server is not the one that it should be, or the proxy does not want to.
    :raises CancelledError: if nobody waits for the answer any more.
    """
    if is_cancellation(error):
        raise CancelledError from error
    for reason in getattr(error, "reasons", None) or ():
        if reason.check(VerificationError):
            raise SourceError("its certificate is of another name") from error
        if reason.check(TLSError) and "certificate" in str(reason.value):
            raise SourceError("its certificate is not trusted") from error
    if isinstance(error, TunnelRefused) and error.status is not None and not _may_pass(error.status):
        raise SourceError(error.reason) from error
    raise TransientFailure(describe(error)) from error


def _may_pass(status: int) -> bool:
    return status == 429 or status >= 500
