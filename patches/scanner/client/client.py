"""The client of patches-server, which creates streams of vulnerabilities."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from patches.http.validators import weak_tag
from patches.scanner.client.cache import CachedList, ListWriter
from patches.scanner.client.http_client import HttpClient, Unreachable
from patches.scanner.client.patience import Patience
from patches.scanner.client.stream import VulnerabilityStream
from patches.scanner.client.trust import Trust
from patches.wire import MAX_CHUNK_BYTES

#: How long a server that does not answer is waited for, by a daemon, and where a kept list can stand in for its list.
CONTACT = timedelta(seconds=5)


class NotTold(Unreachable):
    """
    The server does not say which list it has; the text says why, in one line.

    :ivar retry_after: the seconds after which it wants to be asked again; 0 if it does not say.
    """

    def __init__(self, why: str, retry_after: float) -> None:
        super().__init__(why)
        self.retry_after = retry_after


@frozen
class ClientSettings:
    """
    The time limits after which a stream fails.

    :ivar contact: how long to try to open a session with a server that does not answer; where a kept list can stand in
        for its list, 5 s at most.
    :ivar patience: how long to go on without progress after the server has answered; this limits also how long to
        retry while the session is denied.
    """

    contact: timedelta = CONTACT
    patience: timedelta = timedelta(minutes=10)


class PatchesClient:
    """
    A factory of streams from one server.

    :param http: a treq client.
    :param base_url: the URL of the server.
    :param wall: returns the time in seconds since the epoch.
    :param tell: called with the reason why a stream waits.
    :ivar trust: the key that must have signed each list; ``None`` if lists need no signature.
    """

    def __init__(
        self,
        http: Any,
        base_url: str,
        clock: IReactorTime,
        settings: ClientSettings | None = None,
        jitter: Callable[[], float] = random.random,
        trust: Trust | None = None,
        wall: Callable[[], float] = time.time,
        tell: Callable[[str], object] = lambda reason: None,
    ) -> None:
        self._tell = tell
        self.trust = trust
        self._wall = wall
        self._server_http = HttpClient(http, base_url, clock, MAX_CHUNK_BYTES, wall)
        self.clock = clock
        self._settings = settings or ClientSettings()
        self._jitter = jitter

    def stream(
        self, platform: str, since: CachedList | None = None, keep: ListWriter | None = None
    ) -> VulnerabilityStream:
        """
        Return a stream of a platform's current list. No request is sent before the stream is iterated.

        :param since: the cached list, if there is one.
        :param keep: the writer that caches the new list; ``None`` if it is not cached.
        """
        limits = self._contact(since), self._settings.patience
        contact, patience = (Patience(limit, self.clock, self._jitter, self._tell) for limit in limits)
        return VulnerabilityStream(self._server_http, platform, contact, patience, since, keep, self.trust, self._wall)

    async def has_changed(self, platform: str, revision: str) -> bool:
        """
        Ask whether the current list of a platform is another one; the answer is not signed.

        :param revision: that of the list that is known.
        :raises Unreachable: if the server cannot be asked.
        :raises NotTold: if it does not say.
        """
        known = {"If-None-Match": weak_tag(revision)}
        answer = await self._server_http.ask("GET", f"/v1/platforms/{platform}", fields=known)
        if answer.status == 304:
            return False
        told = (answer.document() or {}).get("revision") if answer.status == 200 else None
        if not isinstance(told, str):
            raise NotTold(f"{self._server_http.base_url}: {answer.error_message}", answer.retry_after)
        return told != revision

    def _contact(self, since: CachedList | None) -> timedelta:
        """Return how long to try to open a session with a server that does not answer."""
        return self._settings.contact if since is None else min(CONTACT, self._settings.contact)
