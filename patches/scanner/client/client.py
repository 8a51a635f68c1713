"""The client of patches-server: opens streams."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from patches.scanner.client.cache import CachedList, ListWriter
from patches.scanner.client.http_client import HttpClient
from patches.scanner.client.patience import Patience
from patches.scanner.client.stream import VulnerabilityStream
from patches.scanner.client.trust import Trust
from patches.wire import MAX_CHUNK_BYTES


@frozen
class ClientSettings:
    """
    How hard to try.

    :ivar contact: for how long to try to open a session with a server that does not answer.
    :ivar patience: for how long to go on without progress, once there was contact; also while it is denied.
    """

    contact: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(minutes=10)


class PatchesClient:
    """
    Opens streams.

    :param http: a treq client.
    :param base_url: of the server.
    :ivar trust: by whom lists must be signed; ``None``: by nobody.
    """

    def __init__(
        self,
        http: Any,
        base_url: str,
        clock: IReactorTime,
        settings: ClientSettings | None = None,
        jitter: Callable[[], float] = random.random,
        trust: Trust | None = None,
    ) -> None:
        self.trust = trust
        self._server_http = HttpClient(http, base_url, clock, MAX_CHUNK_BYTES)
        self._clock = clock
        self._settings = settings or ClientSettings()
        self._jitter = jitter

    def stream(
        self, platform: str, since: CachedList | None = None, keep: ListWriter | None = None
    ) -> VulnerabilityStream:
        """
        Begin a pass over the current list of a platform; nothing is asked yet.

        :param since: the list that is here, if there is one.
        :param keep: where this one is kept.
        """
        contact, patience = (
            Patience(limit, self._clock, self._jitter) for limit in (self._settings.contact, self._settings.patience)
        )
        return VulnerabilityStream(self._server_http, platform, contact, patience, since, keep, self.trust)
