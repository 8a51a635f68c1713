"""The HTTP API of a server, and the service that listens for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.application.service import Service
from twisted.logger import Logger

from patches.http.routes import RoutedResource
from patches.server.assembly.memory import shedders
from patches.server.assembly.refresh import Refresh
from patches.server.assembly.sessions import SessionParts
from patches.server.assembly.shared import Shared
from patches.server.assembly.storage import Storage
from patches.server.first_scanner.metrics import FirstScannerMetrics
from patches.server.http.api import Api
from patches.server.http.channel import ServerSite
from patches.server.http.client_addresses import ClientAddresses
from patches.server.http.memory_metrics import MemoryMetrics
from patches.server.http.metrics import Metrics
from patches.server.http.representations import DescribeSnapshot, snapshot_document
from patches.server.http.vulnerabilities import VulnerabilityLookup
from patches.server.http.vulns import VulnsRoute
from patches.server.options import HttpSettings, Options
from patches.server.refresh.platforms import PlatformRegistry
from patches.service.daemon import ListeningService
from patches.service.memory_governor import MemoryGovernor
from patches.service.periodic import PeriodicService
from patches.settings import BadSetting

if TYPE_CHECKING:
    from patches.signing import SigningKey

log = Logger()

#: The time between two looks for current lists that are not in memory yet.
_KEEP_INTERVAL = timedelta(seconds=5)
_AT_START = "Whether lists are signed (--signing-key) changes at the next start only"


@frozen
class HttpParts:
    """
    The API of a server.

    :ivar watching: ends requests that are not whole in time, while it runs.
    :ivar keeping: keeps current lists in memory, while it runs.
    :ivar reload: reads the signing key again; raises :class:`BadSetting`, and then the key stays.
    """

    listening: ListeningService
    watching: PeriodicService
    keeping: PeriodicService
    reload: Callable[[HttpSettings], None]

    @property
    def services(self) -> tuple[Service, ...]:
        """The services to start."""
        return self.watching, self.keeping, self.listening


def create_http(
    settings: HttpSettings,
    governor: MemoryGovernor,
    shared: Shared,
    storage: Storage,
    sessions: SessionParts,
    refresh: Refresh,
) -> HttpParts:
    """
    Create the API of a server, and what serves it.

    :param governor: it lets go of connections and sessions from now on.
    :raises BadSetting: if the signing key cannot be used.
    """
    describe, reload = _describing(settings)
    addresses = ClientAddresses(settings.trusted_proxies or ())
    of_first = FirstScannerMetrics(sessions.first_scanner, lambda: refresh.refresher.statuses)
    metrics = Metrics(sessions.service, refresh.refresher, time.time, (of_first,), shared.watch)
    api = Api(
        sessions.service,
        refresh.refresher,
        refresh.deltas,
        shared.budget,
        metrics,
        addresses,
        time.time,
        describe,
        watch=shared.watch,
        vulnerabilities=VulnerabilityLookup(storage.publication_store, shared.watch.run),
        vulns=VulnsRoute(sessions.first_scanner, refresh.refresher.registry, shared.budget, addresses),
    )
    site = ServerSite(
        RoutedResource(api.app),
        shared.budget,
        sessions.service.read_cached,
        shared.reactor,
        fast_path=not settings.no_fast_path,
        revision_of=refresh.refresher.registry.revision_of,
    )
    metrics.add(MemoryMetrics(shared.budget, governor, site))
    governor.shedders = shedders(site, sessions.service)
    drain = partial(_drain, sessions, site)
    listening = ListeningService(Options.program, shared.reactor, settings.listen, site, drain)
    keeping = _keeping(shared, sessions, refresh.refresher.registry)
    watching = PeriodicService("Watching connections", timedelta(seconds=1), site.tick, shared.reactor)
    return HttpParts(listening, watching, keeping, reload)


def _keeping(shared: Shared, sessions: SessionParts, registry: PlatformRegistry) -> PeriodicService:
    def keep() -> None:
        if shared.watch.problem is None:
            sessions.service.keep(registry.servable())

    return PeriodicService("Keeping lists in memory", _KEEP_INTERVAL, keep, shared.reactor)


async def _drain(sessions: SessionParts, site: ServerSite) -> None:
    sessions.stop()
    await site.drain()


def _describing(settings: HttpSettings) -> tuple[DescribeSnapshot, Callable[[HttpSettings], None]]:
    """
    Return the function that describes snapshots, and the one that reads the signing key again.

    Only a server that signs loads the library for it.
    """
    if settings.signing_key is None:
        return snapshot_document, _do_not_sign
    from patches.server.http.signatures import SnapshotSigner

    signer = SnapshotSigner(_read_key(settings.signing_key))

    def reload(changed: HttpSettings) -> None:
        if changed.signing_key is None:
            log.error(_AT_START)
        else:
            signer.use(_read_key(changed.signing_key))

    return signer.describe, reload


def _do_not_sign(changed: HttpSettings) -> None:
    if changed.signing_key is not None:
        log.error(_AT_START)


def _read_key(path: Path) -> SigningKey:
    from patches.signing import BadKey, SigningKey

    try:
        return SigningKey.from_file(path)
    except BadKey as error:
        raise BadSetting(f"--signing-key {error}") from error
