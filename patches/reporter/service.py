"""patches-reporter as a twistd plugin: its options, and the functions that create and connect its parts."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService

from patches.http.routes import RoutedResource
from patches.interfaces import Run
from patches.reporter.api import Api
from patches.reporter.schema import StoreError, open_database
from patches.reporter.site import ReporterSite
from patches.reporter.spool import MOST_BODIES
from patches.reporter.store import ReportStore
from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, LEAST_ABOVE_START, Budget, resident_bytes
from patches.service.clocks import SteadyTime
from patches.service.daemon import (
    DaemonOptions,
    ListeningService,
    allow_open_files,
    hold_folder,
    usable_folder,
)
from patches.service.lifecycle.preparation import prepare_daemon
from patches.service.log.log_level import LogSettings
from patches.service.memory_governor import CLOSE_PART, MEASURE_SECONDS, MemoryGovernor, Shedder
from patches.service.periodic import PeriodicService
from patches.service.threads import ThreadService
from patches.setting_parsers import count, endpoint, size
from patches.settings import group, option

#: Few threads: two read reports, others read the database.
_THREADS = 4
#: A report that is sent compressed may be this many times as long as ``max-body``; findings are twenty times.
_UNPACKED = 16
#: The most connections.
MOST_CONNECTIONS = 4096
#: Of the limit, what the database and two reports that are being read need.
_WORK_BYTES = 16 * 1024 * 1024
#: The files that are open at all times: the database, the log.
_OTHER_FILES = 64


@frozen(kw_only=True)
class ReporterSettings:
    """Every option of the reporter."""

    listen: str = option("tcp:8090:interface=127.0.0.1", endpoint, "Where to listen: a Twisted endpoint string.")
    state_dir: Path = option("/var/lib/patches-reporter", Path, "The folder of the database with the reports.")
    max_body: int = option("16MiB", size, "The largest report that is accepted: a size in bytes, KiB or MiB.")
    memory_limit: int = option("256MiB", size, "The memory that this process may use: a size in bytes, KiB or MiB.")
    reports_per_minute: int = option("6000", count, "The reports a minute that are accepted from one address.")
    log: LogSettings = group(LogSettings)


class Options(DaemonOptions[ReporterSettings]):
    """The command line of ``twistd patches-reporter``."""

    program = "patches-reporter"
    declared = ReporterSettings
    longdesc = "Accepts the reports of scanners, stores the last one of each host, and lists its findings."


@frozen
class Reporter:
    """
    The parts of a reporter that is not started yet.

    :ivar service: the service to start and stop.
    :ivar listening: the service that has the port after it has started.
    """

    service: MultiService
    listening: ListeningService
    site: ReporterSite
    budget: Budget


def makeService(options: Options) -> MultiService:
    """Create the daemon's service from its options."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    prepared = prepare_daemon(reactor, options)
    threads = ThreadService(reactor, _THREADS)
    limit, resident = options.settings.memory_limit, resident_bytes()
    reporter = create_reporter(reactor, threads.run, options.settings, create_budget(limit, resident))
    for part in (threads, *_watching(limit, reporter.budget, reporter.site, reactor)):
        part.setServiceParent(reporter.service)
    allow_open_files(MOST_CONNECTIONS + 2 * MOST_BODIES + _OTHER_FILES)
    hold_folder(Options.program, options.settings.state_dir)
    return prepared.complete(reporter.service)


def create_reporter(reactor: Any, run: Run, settings: ReporterSettings, budget: Budget) -> Reporter:
    """
    Create a reporter without starting it.

    :param run: runs a blocking function in a thread.
    :param budget: grants the memory of connections.
    """
    folder = usable_folder(Options.program, settings.state_dir)
    spool = _spool(folder)
    api = Api(_store(folder / "reports.sqlite"), run, partial(datetime.now, UTC), spool, _UNPACKED * settings.max_body)
    resource = RoutedResource(api.app)
    site = ReporterSite(resource, budget, reactor, settings.max_body, spool, settings.reports_per_minute)
    listening = ListeningService(Options.program, reactor, settings.listen, site, site.drain)
    service = MultiService()
    listening.setServiceParent(service)
    return Reporter(service, listening, site, budget)


def create_budget(limit: int, resident: int) -> Budget:
    """Return the budget of connections; end the process with one line if the limit leaves no room to work."""
    least = resident + LEAST_ABOVE_START
    if limit < least:
        needed = f"must be {-(-least // 2**20)}MiB or more on this machine"
        sys.exit(f"{Options.program}: --memory-limit {limit // 2**20}MiB: {needed}")
    return Budget(min(MOST_CONNECTIONS * CONNECTION_BYTES, int(CLOSE_PART * limit) - resident - _WORK_BYTES))


def _watching(limit: int, budget: Budget, site: ReporterSite, reactor: Any) -> tuple[PeriodicService, ...]:
    """Create the services that watch the connections and the memory."""
    governor = MemoryGovernor(limit, resident_bytes, budget, (CONNECTIONS,), reactor)
    governor.shedders = (
        Shedder("half-read reports", site.spool.shed),
        Shedder("half-read requests", site.shed_half_read),
        Shedder("idle connections", site.shed_idle),
    )
    measure = timedelta(seconds=MEASURE_SECONDS)
    return (
        PeriodicService("Measuring memory", measure, governor.tick, reactor),
        PeriodicService("Watching connections", timedelta(seconds=1), site.tick, reactor),
    )


def _spool(folder: Path) -> Path:
    """Return the folder of bodies and answers in progress: files without names, which end with the process."""
    return usable_folder(Options.program, folder / "spool")


def _store(path: Path) -> ReportStore:
    try:
        return ReportStore(open_database(path), SteadyTime())
    except StoreError as error:
        sys.exit(f"{Options.program}: the reports cannot be used: {error}")
