"""patches-reporter as a twistd plugin: its options, and the functions that create and connect its parts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import MultiService
from twisted.internet.threads import deferToThreadPool

from patches.interfaces import Run
from patches.reporter.api import Api
from patches.reporter.schema import StoreError, open_database
from patches.reporter.site import ReporterSite
from patches.reporter.store import ReportStore
from patches.service.daemon import CleanEndService, DaemonOptions, ListeningService, hold_folder, usable_folder
from patches.settings import Setting, endpoint, size

SETTINGS = (
    Setting("listen", "tcp:8090:interface=127.0.0.1", endpoint, "Where to listen: a Twisted endpoint string."),
    Setting("state-dir", "/var/lib/patches-reporter", Path, "The folder of the database with the reports."),
    Setting("max-body", "16MiB", size, "The largest report that is accepted: a size in bytes, KiB or MiB."),
)

#: Few threads, because each may have a whole report in memory.
_THREADS = 4


class Options(DaemonOptions):
    """The command line of ``twistd patches-reporter``."""

    program = "patches-reporter"
    settings = SETTINGS
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

    reactor: Any = installed
    reactor.suggestThreadPoolSize(_THREADS)
    run = partial(deferToThreadPool, reactor, reactor.getThreadPool())
    reporter = create_reporter(reactor, run, options.resolved)
    hold_folder(Options.program, options.resolved["state-dir"])
    CleanEndService(reactor).setServiceParent(reporter.service)
    return reporter.service


def create_reporter(reactor: Any, run: Run, values: Mapping[str, Any]) -> Reporter:
    """
    Create a reporter without starting it.

    :param run: runs a blocking function in a thread.
    :param values: by option name, as :func:`patches.settings.resolve` returns them.
    """
    folder = usable_folder(Options.program, values["state-dir"])
    api = Api(_store(folder / "reports.sqlite"), run, partial(datetime.now, UTC))
    site: Any = ReporterSite(api.app.resource(), reactor, values["max-body"])
    listening = ListeningService(Options.program, reactor, values["listen"], site)
    service = MultiService()
    listening.setServiceParent(service)
    return Reporter(service, listening)


def _store(path: Path) -> ReportStore:
    try:
        return ReportStore(open_database(path))
    except StoreError as error:
        sys.exit(f"{Options.program}: the reports cannot be used: {error}")
