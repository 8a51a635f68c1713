"""patches-reporter as a twistd plugin: its options, and the functions that create and connect its parts."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService
from twisted.internet.threads import deferToThreadPool

from patches.http.routes import RoutedResource
from patches.interfaces import Run
from patches.reporter.api import Api
from patches.reporter.schema import StoreError, open_database
from patches.reporter.site import MOST_CONNECTIONS, ReporterSite
from patches.reporter.spool import MOST_BODIES
from patches.reporter.store import ReportStore
from patches.service.daemon import (
    CleanEndService,
    DaemonOptions,
    ListeningService,
    allow_open_files,
    hold_folder,
    usable_folder,
)
from patches.service.escaped_log import escape_logs
from patches.setting_parsers import count, endpoint, size
from patches.settings import option

#: Few threads: two read reports, others read the database.
_THREADS = 4
#: A report that is sent compressed may be this many times as long as ``max-body``; findings are twenty times.
_UNPACKED = 16
#: The memory that must be left of the limit at the start.
_LEAST_FREE_BYTES = 64 * 1024 * 1024
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


def makeService(options: Options) -> MultiService:
    """Create the daemon's service from its options."""
    from twisted.internet import reactor as installed

    escape_logs()
    reactor: Any = installed
    reactor.suggestThreadPoolSize(_THREADS)
    run = partial(deferToThreadPool, reactor, reactor.getThreadPool())
    reporter = create_reporter(reactor, run, options.settings)
    _check_memory(options.settings.memory_limit, resident_bytes())
    allow_open_files(MOST_CONNECTIONS + 2 * MOST_BODIES + _OTHER_FILES)
    hold_folder(Options.program, options.settings.state_dir)
    CleanEndService(reactor).setServiceParent(reporter.service)
    return reporter.service


def create_reporter(reactor: Any, run: Run, settings: ReporterSettings) -> Reporter:
    """
    Create a reporter without starting it.

    :param run: runs a blocking function in a thread.
    """
    folder = usable_folder(Options.program, settings.state_dir)
    spool = _spool(folder)
    api = Api(_store(folder / "reports.sqlite"), run, partial(datetime.now, UTC), spool, _UNPACKED * settings.max_body)
    site: Any = ReporterSite(RoutedResource(api.app), reactor, settings.max_body, spool, settings.reports_per_minute)
    listening = ListeningService(Options.program, reactor, settings.listen, site)
    service = MultiService()
    listening.setServiceParent(service)
    return Reporter(service, listening)


def _check_memory(limit: int, resident: int) -> None:
    """End the process with one line if a limit leaves no room to work."""
    least = resident + _LEAST_FREE_BYTES
    if limit < least:
        needed = f"must be {-(-least // 2**20)}MiB or more on this machine"
        sys.exit(f"{Options.program}: --memory-limit {limit // 2**20}MiB: {needed}")


def resident_bytes() -> int:
    """Return the number of bytes of this process that are resident now (``/proc/self/statm``, Linux)."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _spool(folder: Path) -> Path:
    """Return the folder of bodies and answers in progress: files without names, which end with the process."""
    return usable_folder(Options.program, folder / "spool")


def _store(path: Path) -> ReportStore:
    try:
        return ReportStore(open_database(path))
    except StoreError as error:
        sys.exit(f"{Options.program}: the reports cannot be used: {error}")
