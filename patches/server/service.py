"""patches-server as a twistd plugin: it creates every part from its settings, and puts them together."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService
from twisted.logger import Logger

from patches.server.assembly.http import create_http
from patches.server.assembly.memory import create_governor, governing
from patches.server.assembly.refresh import create_refresh, verify_staged
from patches.server.assembly.sessions import create_sessions
from patches.server.assembly.shared import Shared, create_budget
from patches.server.assembly.storage import has_catalogue, open_storage
from patches.server.budget import SESSIONS, WINDOW, worker_bytes
from patches.server.catalogue.availability.watch import CatalogueWatch, WatchService
from patches.server.configured_sources import create_sources
from patches.server.options import Options, ServerSettings
from patches.server.refresh.refresher import Refresher
from patches.server.sessions.service import SessionService
from patches.service.budget import CONNECTIONS, Budget, resident_bytes
from patches.service.daemon import ListeningService, allow_open_files, hold_folder, usable_folder
from patches.service.garbage import FullCollections
from patches.service.lifecycle.preparation import prepare_daemon
from patches.service.periodic import PeriodicService
from patches.service.threads import ThreadService
from patches.settings import BadSetting

PROGRAM = Options.program


log = Logger()

#: The number of files that are open at all times: the catalogue, spools, the log, connections to sources.
_OTHER_FILES = 64
#: With so few sessions, a full garbage collection takes no time that anybody notices.
_FEW_SESSIONS = 100


@frozen
class Server:
    """
    A server, complete but not started.

    :ivar service: start and stop this service.
    :ivar reload: reads the files again that can change while it runs; raises :class:`BadSetting`.
    :ivar listening: has the port, once it listens.
    """

    service: MultiService
    reload: Callable[[ServerSettings], None]
    listening: ListeningService
    session_service: SessionService
    refresh: Refresher
    budget: Budget


def makeService(options: Options) -> MultiService:
    """Create the daemon's service from its options."""
    from twisted.internet import reactor

    prepared = prepare_daemon(reactor, options)
    settings = options.settings
    server = create_server(reactor, settings)
    hold_folder(PROGRAM, settings.catalogue.state_dir)
    prepared.reload.use = server.reload
    _collector(server, reactor).setServiceParent(server.service)
    _allow_connections(settings.sessions.max_active + settings.sessions.max_queued)
    return prepared.complete(server.service)


def _collector(server: Server, reactor: Any) -> PeriodicService:
    def is_quiet() -> bool:
        return len(server.session_service.sessions) < _FEW_SESSIONS

    def unexplained() -> int:
        return resident_bytes() - sum(server.budget.used[purpose] for purpose in (CONNECTIONS, SESSIONS, WINDOW))

    collections = FullCollections(is_quiet, unexplained)
    return PeriodicService("Collecting garbage", timedelta(seconds=5), collections.tick, reactor)


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


def create_server(reactor: Any, settings: ServerSettings) -> Server:
    """Create a server; if a setting cannot be used, end the process with one line."""
    try:
        return _assemble(reactor, settings)
    except BadSetting as error:
        sys.exit(f"{PROGRAM}: {error}")


def _assemble(reactor: Any, settings: ServerSettings) -> Server:
    folder = usable_folder(PROGRAM, settings.catalogue.state_dir)
    threads, asking = ThreadService(reactor), ThreadService(reactor, 1)
    may_have_lists = has_catalogue(settings.catalogue, folder)
    sources = create_sources(reactor, settings.sources, settings.refresh, threads.run, folder)
    if settings.sources.no_public_sources and not sources.configured and not may_have_lists:
        raise BadSetting("there is no vulnerability source: give --clair URL, --list FILE or a [source.NAME]")
    verify_staged(folder)
    storage = open_storage(settings.catalogue, folder, threads.run)
    budget = create_budget(settings.memory_limit, settings.sessions.window_bytes)
    sources.workers.worker_bytes = worker_bytes(budget)
    watch = CatalogueWatch(storage.connections, threads.run, asking.run, reactor)
    shared = Shared(reactor, threads.run, watch, budget, folder)
    sessions = create_sessions(settings.sessions, shared, storage.catalogue)
    refresh = create_refresh(settings.refresh, shared, storage, sources, sessions.revisions_in_use)
    sessions.note_damage_at(refresh.refresher.registry.note_damage)
    governor = create_governor(settings.memory_limit, shared, sources.workers.pids)
    http = create_http(settings.http, governor, shared, storage, sessions, refresh)
    service = MultiService()
    first = threads, asking, WatchService(watch, reactor)
    for part in (*first, governing(governor, shared), sessions.expiring, *refresh.services, *http.services):
        part.setServiceParent(service)

    def reload(changed: ServerSettings) -> None:
        http.reload(changed.http)

    return Server(service, reload, http.listening, sessions.service, refresh.refresher, budget)
