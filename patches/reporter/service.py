"""patches-reporter as a twistd plugin: its options, and the functions that create and connect its parts."""

from __future__ import annotations

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
from patches.reporter.site import ReporterSite
from patches.reporter.store import ReportStore
from patches.service.daemon import CleanEndService, DaemonOptions, ListeningService, hold_folder, usable_folder
from patches.service.escaped_log import escape_logs
from patches.setting_parsers import endpoint, size
from patches.settings import option

#: Few threads, because each may have a whole report in memory.
_THREADS = 4


@frozen(kw_only=True)
class ReporterSettings:
    """Every option of the reporter."""

    listen: str = option("tcp:8090:interface=127.0.0.1", endpoint, "Where to listen: a Twisted endpoint string.")
    state_dir: Path = option("/var/lib/patches-reporter", Path, "The folder of the database with the reports.")
    max_body: int = option("16MiB", size, "The largest report that is accepted: a size in bytes, KiB or MiB.")


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
    hold_folder(Options.program, options.settings.state_dir)
    CleanEndService(reactor).setServiceParent(reporter.service)
    return reporter.service


def create_reporter(reactor: Any, run: Run, settings: ReporterSettings) -> Reporter:
    """
    Create a reporter without starting it.

    :param run: runs a blocking function in a thread.
    """
    folder = usable_folder(Options.program, settings.state_dir)
    api = Api(_store(folder / "reports.sqlite"), run, partial(datetime.now, UTC))
    site: Any = ReporterSite(RoutedResource(api.app), reactor, settings.max_body)
    listening = ListeningService(Options.program, reactor, settings.listen, site)
    service = MultiService()
    listening.setServiceParent(service)
    return Reporter(service, listening)


def _store(path: Path) -> ReportStore:
    try:
        return ReportStore(open_database(path))
    except StoreError as error:
        sys.exit(f"{Options.program}: the reports cannot be used: {error}")
