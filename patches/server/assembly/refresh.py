"""The refresh of a server: the refresher, the deltas, and the services that run both and prune the catalogue."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from attrs import frozen

from patches.server.assembly.shared import Shared
from patches.server.assembly.storage import Storage, maintain_publications
from patches.server.catalogue.deltas import Deltas
from patches.server.configured_sources import ConfiguredSources
from patches.server.errors import CatalogueError
from patches.server.options import RefreshSettings
from patches.server.refresh.maintenance import Maintenance, RefreshService
from patches.server.refresh.on_demand import RequestedPlatforms
from patches.server.refresh.platforms import PlatformRegistry
from patches.server.refresh.poller import Poller
from patches.server.refresh.publication.enriching import EnrichedPlatforms
from patches.server.refresh.publication.publisher import ACCEPTING, Guard, Publisher
from patches.server.refresh.publication.queue import PublicationQueue
from patches.server.refresh.refresher import Refresher
from patches.server.refresh.repair.scrub import Scrub
from patches.server.refresh.schedule import RefreshContext, Schedule
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.staging import StagingStore
from patches.service.periodic import PeriodicService
from patches.settings import BadSetting

_STAGED = "lists.sqlite"
_SECOND, _PRUNE_INTERVAL = timedelta(seconds=1), timedelta(minutes=5)


@frozen
class Refresh:
    """
    The refresh of a server.

    :ivar services: run the refresh and prune the catalogue; on a shared database also try to become the leader.
    """

    refresher: Refresher
    deltas: Deltas
    services: tuple[PeriodicService, ...]


def verify_staged(folder: Path) -> None:
    """
    Verify that the staged lists are not of a later version, before anything in the folder is changed.

    :param folder: the state folder.
    :raises BadSetting: if they are.
    """
    try:
        StagingStore(folder / _STAGED).verify_version()
    except CatalogueError as error:
        raise BadSetting(str(error)) from error


def create_refresh(
    settings: RefreshSettings,
    shared: Shared,
    storage: Storage,
    sources: ConfiguredSources,
    revisions_in_use: Callable[[], set[str]],
    accepting: str = ACCEPTING,
) -> Refresh:
    """
    Create the refresh of a server.

    :param revisions_in_use: returns the revisions that sessions read, which are kept.
    :param accepting: the command that accepts a list which is held back.
    """
    staging = StagingStore(shared.folder / _STAGED)
    publisher = Publisher(storage.catalogue, staging, Guard(settings.most_shrink, accepting), shared.folder)
    refresher = _refresher(settings, shared, storage, sources, staging, publisher)
    registry = refresher.registry
    deltas = Deltas(storage.catalogue, storage.delta_store, shared.budget, shared.run, shared.reactor, shared.watch.run)
    forget_files = partial(shared.run, sources.forget_files)
    repair = partial(shared.run, storage.file.repair)
    stores = storage.catalogue, storage.delta_store, storage.publication_store
    scrub = Scrub(*stores, staging, registry, shared.run, shared.reactor)
    work = forget_files, repair, scrub, shared.watch.note
    maintenance = Maintenance(revisions_in_use, refresher, deltas, storage.leadership, *work)
    return Refresh(refresher, deltas, _services(shared, storage, maintenance, refresher))


def _refresher(
    settings: RefreshSettings,
    shared: Shared,
    storage: Storage,
    sources: ConfiguredSources,
    staging: StagingStore,
    publisher: Publisher,
) -> Refresher:
    context = _context(settings, shared, storage, sources)
    source_set = SourceSet(sources.configured, sources.public)
    requested = RequestedPlatforms(storage.request_table, sources.public, shared.run, shared.steady)
    queue = PublicationQueue(context, publisher)
    registry = PlatformRegistry(context, storage.catalogue, source_set, requested)
    enriched = EnrichedPlatforms(context, storage.catalogue, staging, source_set)
    return Refresher(context, source_set, registry, Poller(context, staging, shared.budget, queue), queue, enriched)


def _context(settings: RefreshSettings, shared: Shared, storage: Storage, sources: ConfiguredSources) -> RefreshContext:
    schedule = Schedule(
        settings.refresh_interval,
        settings.platforms or (),
        sources.intervals,
        settings.keep_replaced,
        settings.parallel_sources,
    )
    read = shared.watch.run
    context = RefreshContext(schedule, shared.run, shared.reactor, time.time, steady=shared.steady, read=read)
    if storage.leadership is not None:
        context.leads = storage.leadership.leads
    return context


def _services(
    shared: Shared, storage: Storage, maintenance: Maintenance, refresher: Refresher
) -> tuple[PeriodicService, ...]:
    leading = (
        (PeriodicService("Leading", _SECOND, storage.leadership.check, shared.reactor),)
        if storage.leadership is not None
        else ()
    )
    prune_publications = partial(shared.run, maintain_publications, storage.publication_store, shared.steady)
    return (
        *leading,
        RefreshService(maintenance, refresher, shared.reactor),
        PeriodicService("Verifying what is stored", _SECOND, maintenance.scrub, shared.reactor),
        PeriodicService("Pruning the catalogue", _PRUNE_INTERVAL, maintenance.prune, shared.reactor),
        PeriodicService("Pruning publications", _PRUNE_INTERVAL, prune_publications, shared.reactor),
    )
