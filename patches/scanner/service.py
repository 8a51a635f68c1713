"""patches-scanner as a twistd plugin: creates the client, the schedule and the delivery, and connects them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.client.http_client import HttpClient, http_client
from patches.scanner.host.changes import ChangeWatcher, fingerprint
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.matching.ignore_files import BadIgnores
from patches.scanner.options import Options, cache_of, policy_of, target_of, trust_of
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.reporting.delivery import MAX_REPORTER_ANSWER, Delivery
from patches.scanner.reporting.outbox import Outbox
from patches.scanner.reporting.report import report_document
from patches.scanner.scan import Policy, scan
from patches.scanner.schedule import ScanSchedule
from patches.service.daemon import CleanEndService, usable_folder
from patches.service.periodic import PeriodicService
from patches.settings import BadSetting

log = Logger()

PROGRAM = Options.program
#: How often the package databases are checked for changes.
_POLL_SECONDS = timedelta(seconds=10)


def makeService(options: Options) -> MultiService:
    """Create the daemon's service from its options; exit with a message of one line if an option cannot be used."""
    from twisted.internet import reactor

    try:
        service = create_scanner(reactor, options.resolved)
    except UnknownPlatform as error:
        sys.exit(f"{PROGRAM}: {error}")
    except BadIgnores as error:
        sys.exit(f"{PROGRAM}: --ignore {error}")
    except BadSetting as error:
        sys.exit(f"{PROGRAM}: {error}")
    CleanEndService(reactor).setServiceParent(service)
    return service


def create_scanner(reactor: Any, values: Mapping[str, Any]) -> MultiService:
    """
    Create the service tree of a scanner.

    :param values: by option name, as :func:`patches.settings.resolve` returns them.
    :raises UnknownPlatform: if the platform cannot be detected.
    :raises BadIgnores: if the file of decisions is invalid.
    :raises BadSetting: if another file that an option names cannot be used.
    """
    http = http_client(reactor)
    settings = ClientSettings(patience=values["patience"])
    client = PatchesClient(http, values["patches-server"], reactor, settings, trust=trust_of(values))
    outbox = None
    service = MultiService()
    if values["reporter"] is not None:
        outbox = Outbox(usable_folder(PROGRAM, values["state-dir"]) / "outbox")
        delivery = Delivery(outbox, HttpClient(http, values["reporter"], reactor, MAX_REPORTER_ANSWER), reactor)
        PeriodicService("Sending reports", timedelta(seconds=1), delivery.tick, reactor).setServiceParent(service)
    target = target_of(values)
    once = partial(_scan_once, client, target, policy_of(values), cache_of(values, target), outbox)
    schedule = ScanSchedule(once, values["scan-frequency"], values["jitter"], reactor)
    schedule.setServiceParent(service)
    watching = _watch(values["root"], values["settle"], schedule, reactor)
    watching.setServiceParent(service)
    return service


def _watch(root: Path, settle: timedelta, schedule: ScanSchedule, clock: IReactorTime) -> PeriodicService:
    def scan_soon() -> None:
        log.info("Scanning again: the packages of this host have changed")
        schedule.request_scan()

    changes = ChangeWatcher(partial(fingerprint, root), settle, scan_soon, clock.seconds)
    return PeriodicService("Looking for changed packages", _POLL_SECONDS, changes.tick, clock)


async def _scan_once(
    client: PatchesClient, target: Target, policy: Policy, cache: ListCache | None, outbox: Outbox | None
) -> bool:
    outcome = await scan(client, target, policy, cache=cache)
    _log_outcome(outcome)
    expired = policy.ignores.expired(datetime.fromtimestamp(outcome.finished, UTC).date())
    if expired:
        log.warn("The ignore file has {count} expired entries, which are not applied", count=expired)
    if outbox is not None:
        outbox.put(partial(report_document, outcome))
    return outcome.complete


def _log_outcome(outcome: Outcome) -> None:
    if outcome.verdict is Verdict.STALE:
        log.warn("{platform}: stale: {why}", platform=outcome.platform, why=outcome.problem)
    if outcome.complete:
        log.info(
            "{platform}: {served} vulnerabilities, {packages} packages, {findings} findings, {unfixed} without a fix",
            platform=outcome.platform,
            served=outcome.list_info.served,
            packages=outcome.coverage.installed,
            findings=len(outcome.counted),
            unfixed=len(outcome.unfixed),
        )
    else:
        log.error(
            "{platform}: {verdict}: {why}", platform=outcome.platform, verdict=outcome.verdict, why=outcome.problem
        )
