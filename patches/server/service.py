"""patches-server as a twistd plugin: it creates every part, and puts them together; no other module knows all parts."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.http import datetimeToString

from patches.http.bounded_request import BoundedRequest
from patches.interfaces import Run
from patches.server.budget import (
    Budget,
    MemoryLimitTooLow,
    budget_within,
    resident_bytes,
    worker_bytes,
)
from patches.server.catalogue import CATALOGUE
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.deltas import Deltas
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.catalogue.transactions import refresh_lock
from patches.server.configured_sources import ConfiguredSources, create_sources
from patches.server.errors import CatalogueError
from patches.server.http.api import Api
from patches.server.http.channel import ServerSite
from patches.server.http.metrics import Metrics
from patches.server.http.representations import DescribeSnapshot, snapshot_document
from patches.server.options import Options
from patches.server.refresh.leadership import Leadership
from patches.server.refresh.maintenance import Maintenance
from patches.server.refresh.on_demand import RequestedPlatforms
from patches.server.refresh.publisher import Guard, Publisher
from patches.server.refresh.refresher import Refresher
from patches.server.refresh.requests_table import RequestTable
from patches.server.refresh.schedule import Schedule
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.staging import StagingStore
from patches.server.sessions.chunk_response import ChunkResponse, create_response
from patches.server.sessions.sessions import SessionService
from patches.server.sessions.table import Limits, SessionTable
from patches.server.sessions.tokens import TokenKey
from patches.service.daemon import CleanEndService, ListeningService, allow_open_files, hold_folder, usable_folder
from patches.service.periodic import PeriodicService
from patches.service.threads import ThreadService
from patches.settings import BadSetting
from patches.wording import file_problem

PROGRAM = Options.program


log = Logger()

#: The number of files that are open at all times: the catalogue, spools, the log, connections to sources.
_OTHER_FILES = 64


@frozen
class Server:
    """
    A server, complete but not started.

    :ivar service: start and stop this service.
    :ivar listening: has the port, once it listens.
    """

    service: MultiService
    listening: ListeningService
    session_service: SessionService
    refresh: Refresher


def makeService(options: Options) -> MultiService:
    """Create the daemon's service from its options."""
    from twisted.internet import reactor

    server = create_server(reactor, options.resolved)
    hold_folder(PROGRAM, options.resolved["state-dir"])
    CleanEndService(reactor).setServiceParent(server.service)
    _allow_connections(options.resolved["max-active"] + options.resolved["max-queued"])
    return server.service


def _allow_connections(sessions: int) -> None:
    """Raise the limit of open files to one connection a session; log a warning if that is not possible."""
    allowed = allow_open_files(sessions + _OTHER_FILES)
    if allowed < sessions + _OTHER_FILES:
        log.warn(
            "Only {allowed} files may be open at once: fewer than sessions of one platform ({sessions}); "
            "raise the limit (systemd: LimitNOFILE)",
            allowed=allowed,
            sessions=sessions,
        )


def create_server(reactor: Any, values: Mapping[str, Any]) -> Server:
    """
    Create a server.

    :param values: by option name, as :func:`patches.settings.resolve` returns them.
    """
    folder = usable_folder(PROGRAM, values["state-dir"])
    threads = ThreadService(reactor)
    sources = _sources(reactor, values, threads.run, folder)
    engine = _database(values["database"] or folder / CATALOGUE)
    catalogue = Catalogue(engine)
    lock = refresh_lock(engine)
    leadership = Leadership(lock, threads.run) if lock is not None else None
    key = _key(values["session-key-file"] or folder / "session.key")
    budget = _budget(values)
    sources.workers.worker_bytes = worker_bytes(budget)
    table = SessionTable(_limits(values))
    session_service = SessionService(
        table, key, budget, partial(_load, threads.run, catalogue, reactor), values["window-bytes"], reactor
    )
    requested = RequestedPlatforms(RequestTable(engine), sources.public, threads.run, time.time)
    refresh = _refresh(reactor, values, sources, requested, catalogue, budget, threads.run, leadership)
    metrics = Metrics(session_service, refresh, budget, values["memory-limit"], time.time)
    deltas = Deltas(catalogue, DeltaStore(engine), budget, threads.run, reactor)
    describe = _describe(values["signing-key"])
    api = Api(session_service, refresh, deltas, key, budget, metrics, reactor, time.time, describe)
    site = ServerSite(api.app.resource(), budget, session_service.read_cached, reactor, requestFactory=BoundedRequest)
    listening = ListeningService(PROGRAM, reactor, values["listen"], site, partial(_drain, session_service, site))
    service = MultiService()
    threads.setServiceParent(service)
    maintenance = Maintenance(
        session_service.revisions_in_use, refresh, deltas, leadership, partial(threads.run, sources.forget_files)
    )
    for child in _periodic(reactor, session_service, maintenance, leadership):
        child.setServiceParent(service)
    listening.setServiceParent(service)
    return Server(service, listening, session_service, refresh)


def _refresh(
    reactor: Any,
    values: Mapping[str, Any],
    sources: ConfiguredSources,
    requested: RequestedPlatforms,
    catalogue: Catalogue,
    budget: Budget,
    run: Run,
    leadership: Leadership | None,
) -> Refresher:
    folder = values["state-dir"]
    staging = StagingStore(folder / "lists.sqlite")
    publisher = Publisher(catalogue, staging, Guard(values["most-shrink"]), folder)
    schedule = Schedule(
        values["refresh-interval"], values["platforms"] or (), sources.intervals, values["keep-replaced"]
    )
    leads = leadership.leads if leadership is not None else lambda: True
    return Refresher(
        SourceSet(sources.configured, sources.public),
        requested,
        catalogue,
        staging,
        publisher,
        schedule,
        budget,
        run,
        reactor,
        time.time,
        leads,
    )


def _sources(reactor: Any, values: Mapping[str, Any], run: Run, folder: Path) -> ConfiguredSources:
    try:
        return create_sources(reactor, values, run, folder)
    except BadSetting as error:
        sys.exit(f"{PROGRAM}: {error}")


def _periodic(
    reactor: Any, session_service: SessionService, maintenance: Maintenance, leadership: Leadership | None
) -> list[PeriodicService]:
    second = timedelta(seconds=1)
    leading = [PeriodicService("Leading", second, leadership.check, reactor)] if leadership is not None else []
    return [
        PeriodicService("Expiring sessions", second, session_service.tick, reactor),
        *leading,
        PeriodicService("Refreshing lists", second, maintenance.refresh, reactor),
        PeriodicService("Pruning the catalogue", timedelta(minutes=5), maintenance.prune, reactor),
    ]


async def _drain(session_service: SessionService, site: ServerSite) -> None:
    session_service.stop()
    await site.drain()


def _load(run: Run, catalogue: Catalogue, reactor: Any, revision: str, number: int) -> Deferred[ChunkResponse]:
    chunk = run(catalogue.chunk, revision, number)
    return chunk.addCallback(lambda chunk: create_response(chunk, datetimeToString(reactor.seconds())))


def _database(where: Any) -> Any:
    try:
        return open_database(where)
    except CatalogueError as error:
        sys.exit(f"{PROGRAM}: the catalogue cannot be used: {error}")


def _key(path: Path) -> TokenKey:
    try:
        return TokenKey.from_file(path)
    except OSError as error:
        sys.exit(f"{PROGRAM}: --session-key-file {path}: {file_problem(error)}")
    except ValueError as error:
        sys.exit(f"{PROGRAM}: --session-key-file {path}: {error}")


def _describe(signing_key: Path | None) -> DescribeSnapshot:
    """Return the function that describes snapshots; only a server that signs loads the library for it."""
    if signing_key is None:
        return snapshot_document
    from patches.server.http.signatures import SnapshotSigner
    from patches.signing import BadKey, SigningKey

    try:
        return SnapshotSigner(SigningKey.from_file(signing_key)).describe
    except BadKey as error:
        sys.exit(f"{PROGRAM}: --signing-key {error}")


def _budget(values: Mapping[str, Any]) -> Budget:
    try:
        return budget_within(values["memory-limit"], resident_bytes(), values["window-bytes"])
    except MemoryLimitTooLow as error:
        sys.exit(f"{PROGRAM}: --memory-limit {values['memory-limit'] // 2**20}MiB: {error}")


def _limits(values: Mapping[str, Any]) -> Limits:
    return Limits(
        max_active=values["max-active"],
        max_queued=values["max-queued"],
        session_timeout=values["session-timeout"].total_seconds(),
        queue_timeout=values["queue-timeout"].total_seconds(),
        chunk_timeout=values["chunk-timeout"].total_seconds(),
    )
