"""
One request for a file, with its redirects followed.

Failures are divided into transient ones, which are worth another try, and permanent ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import BAD_REQUEST, FORBIDDEN, GONE, NOT_FOUND, UNAUTHORIZED
from twisted.web.iweb import IResponse

from patches.errors import AccessRefused, NotThere, SourceError
from patches.http.cancellation import cancellable
from patches.http.connection_errors import is_tls_port, needs_tls
from patches.http.response_body import BodyTooLong, read_body
from patches.http.urls import request_url
from patches.sources.fetch.body import discard_body
from patches.sources.fetch.redirects import REDIRECTS, redirected, same_server, without_credentials
from patches.sources.fetch.retry import (
    BROKEN,
    Client,
    FetchSettings,
    RequestTimedOut,
    may_pass,
    raise_failure,
    raise_transient,
    timed_out,
    times,
)

#: The longest page of an error that is looked at, in bytes.
_MOST_REFUSAL = 16 * 1024


class RequestSender:
    """Sends requests for files."""

    def __init__(
        self,
        client: Client,
        clock: IReactorTime,
        headers: Mapping[str, str],
        settings: FetchSettings,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """
        Create a sender; no request is sent yet.

        :param headers: sent to the server of a URL, but not to another server that it redirects to.
        :param wall: returns the time in seconds since the epoch.
        """
        self._client = client
        self._clock = clock
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._settings = settings
        self._wall = wall

    async def ask(self, url: str, conditions: Mapping[str, str]) -> IResponse:
        """
        Send a request and follow its redirects.

        :param conditions: headers that are sent to redirect targets too.
        :raises TransientFailure: if no response arrived.
        :raises SourceError: if there are too many redirects, a redirect is not allowed, or the server is not trusted.
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
            get = self._client.get(request_url(url), headers=dict(headers), allow_redirects=False, unbuffered=True)
            asking = cancellable(get)
            response: IResponse = await asking.addTimeout(seconds, self._clock, onTimeoutCancel=timed_out)
        except (RequestTimedOut, *BROKEN) as error:
            raise_failure(error, url)
        except ValueError as error:
            raise SourceError(f"is, or is redirected to, an invalid URL: {without_credentials(url)}") from error
        if response.code == BAD_REQUEST and url.startswith("http://"):
            await self._refuse_plain(response, url)
        return response

    async def _refuse_plain(self, response: IResponse, url: str) -> NoReturn:
        """Raise the reason for which a server does not take a plain request."""
        pending = cancellable(read_body(response, _MOST_REFUSAL))
        try:
            body = await pending.addTimeout(self._settings.timeout_seconds, self._clock, onTimeoutCancel=timed_out)
        except (RequestTimedOut, BodyTooLong, *BROKEN):
            body = b""
        raise SourceError(needs_tls(url) if is_tls_port(url, response.code, body) else f"it answered {response.code}")

    def refuse(self, response: IResponse) -> NoReturn:
        """
        Discard a response that does not contain the file, and raise the reason.

        :raises TransientFailure: if the server is busy or has an internal error.
        :raises NotThere: if it has no such file.
        :raises AccessRefused: if it does not give the file to this client.
        :raises SourceError: if the failure is permanent, or the server asks for too long a pause.
        """
        discard_body(response)
        reason = f"it answered {response.code}"
        if response.code in (NOT_FOUND, GONE):
            raise NotThere(reason)
        if response.code in (UNAUTHORIZED, FORBIDDEN):
            raise AccessRefused(reason)
        if not may_pass(response.code):
            raise SourceError(reason)
        raise_transient(response, self._settings, self._wall())
