"""The HTTP API of a server, and the service that listens for it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from patches.http.bounded_request import BoundedRequest
from patches.http.routes import RoutedResource
from patches.server.assembly.refresh import Refresh
from patches.server.assembly.sessions import SessionParts
from patches.server.assembly.shared import Shared
from patches.server.assembly.storage import Storage
from patches.server.first_scanner.metrics import FirstScannerMetrics
from patches.server.http.api import Api
from patches.server.http.channel import ServerSite
from patches.server.http.client_addresses import ClientAddresses
from patches.server.http.metrics import Metrics
from patches.server.http.representations import DescribeSnapshot, snapshot_document
from patches.server.http.vulnerabilities import VulnerabilityLookup
from patches.server.http.vulns import VulnsRoute
from patches.server.options import HttpSettings, Options
from patches.service.daemon import ListeningService
from patches.settings import BadSetting


def create_http(
    settings: HttpSettings,
    memory_limit: int,
    shared: Shared,
    storage: Storage,
    sessions: SessionParts,
    refresh: Refresh,
) -> ListeningService:
    """
    Create the service that listens, and serves the API.

    :param memory_limit: the limit that the metrics show.
    :raises BadSetting: if the signing key cannot be used.
    """
    addresses = ClientAddresses(settings.trusted_proxies or ())
    of_first = FirstScannerMetrics(sessions.first_scanner, lambda: refresh.refresher.statuses)
    metrics = Metrics(sessions.service, refresh.refresher, shared.budget, memory_limit, time.time, (of_first,))
    api = Api(
        sessions.service,
        refresh.refresher,
        refresh.deltas,
        shared.budget,
        metrics,
        addresses,
        time.time,
        _describe(settings.signing_key),
        vulnerabilities=VulnerabilityLookup(storage.publication_store, shared.run),
        vulns=VulnsRoute(sessions.first_scanner, refresh.refresher.registry, shared.budget, addresses),
    )
    site = ServerSite(
        RoutedResource(api.app),
        shared.budget,
        sessions.service.read_cached,
        shared.reactor,
        fast_path=not settings.no_fast_path,
        requestFactory=BoundedRequest,
    )
    drain = partial(_drain, sessions, site)
    return ListeningService(Options.program, shared.reactor, settings.listen, site, drain)


async def _drain(sessions: SessionParts, site: ServerSite) -> None:
    sessions.stop()
    await site.drain()


def _describe(signing_key: Path | None) -> DescribeSnapshot:
    """Return the function that describes snapshots; only a server that signs loads the library for it."""
    if signing_key is None:
        return snapshot_document
    from patches.server.http.signatures import SnapshotSigner
    from patches.signing import BadKey, SigningKey

    try:
        return SnapshotSigner(SigningKey.from_file(signing_key)).describe
    except BadKey as error:
        raise BadSetting(f"--signing-key {error}") from error
