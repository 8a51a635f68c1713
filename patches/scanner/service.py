"""patches-scanner as a twistd plugin: creates the client, the schedule and the delivery, and connects them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.scanner.client.client import PatchesClient
from patches.scanner.client.http_client import HttpClient, http_client
from patches.scanner.host.boot import first_delay
from patches.scanner.host.changes import ChangeWatcher, Fingerprint, fingerprint
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.host.network import NetworkService
from patches.scanner.host_scan import HostFacts, HostScan
from patches.scanner.list_watch import ComparedList, ListWatch
from patches.scanner.matching.watched_ignores import WatchedIgnores
from patches.scanner.memory_wall import set_memory_wall
from patches.scanner.options import FAMILY, ScannerSettings
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.reporting.delivery import MAX_REPORTER_ANSWER, Delivery
from patches.scanner.reporting.outbox import Outbox
from patches.scanner.reporting.report import streamed_report
from patches.scanner.scan import failed_outcome
from patches.scanner.scan_inputs import ReloadedInputs, client_of, policy_of, routes_of, trust_of
from patches.scanner.schedule import ScanSchedule
from patches.service.daemon import DaemonOptions, hold_folder, usable_folder
from patches.service.lifecycle.preparation import prepare_daemon
from patches.service.lifecycle.priority import lower_priority
from patches.service.log.trouble_log import TroubleLog
from patches.service.periodic import PeriodicService
from patches.settings import BadSetting
from patches.wording import NO_FOLDER, file_problem, one_line

log = Logger()

PROGRAM = "patches-scanner"
#: The folder of kept lists in the state folder, unless another one is named.
_LISTS = "lists"
#: How often the package databases and the file of decisions are checked for changes.
_POLL_SECONDS = timedelta(seconds=10)


class Options(DaemonOptions[ScannerSettings]):
    """The command line of ``twistd patches-scanner``."""

    program = PROGRAM
    declared = ScannerSettings
    family = FAMILY
    longdesc = "Scans this host at startup and then on a schedule, and reports the findings."


class ScannerService(MultiService):
    """
    The service tree of a scanner.

    :param inputs: the inputs of its scans that can be read again.
    """

    def __init__(self, inputs: ReloadedInputs, schedule: ScanSchedule) -> None:
        super().__init__()
        self._inputs = inputs
        self._schedule = schedule

    def reload(self, settings: ScannerSettings) -> None:
        """
        Read files again; scan again if the decisions about findings have changed.

        :raises BadSetting: if a file cannot be used; then all stay as they were.
        """
        if self._inputs.reload(settings.access, settings.policy):
            self._schedule.request_scan()


def makeService(options: Options) -> MultiService:
    """Create the daemon's service from its options; exit with a message of one line if an option cannot be used."""
    from twisted.internet import reactor

    prepared = prepare_daemon(reactor, options)
    try:
        service = create_scanner(reactor, options.settings)
    except (UnknownPlatform, BadSetting) as error:
        sys.exit(f"{PROGRAM}: {error}")
    set_memory_wall()
    lower_priority(options.settings.nice)
    prepared.reload.use = service.reload
    return prepared.complete(service)


def create_scanner(reactor: Any, settings: ScannerSettings) -> ScannerService:
    """
    Create the service tree of a scanner.

    :raises UnknownPlatform: if the platform cannot be detected.
    :raises BadSetting: if a file that an option names cannot be used.
    """
    http = http_client(reactor, routes_of(settings.access))
    client = client_of(settings.access, http, trust_of(settings.access), reactor)
    watched = WatchedIgnores(settings.policy.ignore)  # before the file is read
    inputs = ReloadedInputs(settings.access, client, policy_of(settings.policy), watched)
    host = HostScan(settings.host, settings.cache or settings.access.state_dir / _LISTS)
    host.facts()  # a platform that cannot be detected ends the start
    outbox, delivery = None, None
    if settings.reporter is not None or settings.access.verify_key is not None:
        hold_folder(PROGRAM, usable_folder(PROGRAM, settings.access.state_dir))
    if settings.reporter is not None:
        outbox = Outbox(settings.access.state_dir / "outbox")
        delivery = Delivery(outbox, HttpClient(http, settings.reporter, reactor, MAX_REPORTER_ANSWER), reactor)
    storing = TroubleLog("The report of the scan cannot be stored", "The report of the scan is stored again")
    list_watch = _list_watch(client, settings.check_frequency, lambda: schedule.request_scan(), reactor)
    once = partial(_scan_once, inputs, host, outbox, storing, settings.access.timeout, list_watch)
    splay = first_delay(settings.jitter)
    schedule = ScanSchedule(once, settings.scan_frequency, settings.jitter, reactor, splay=splay)
    watching = _watch(host, inputs, settings, schedule, reactor)
    service = ScannerService(inputs, schedule)
    for part in (_sending(delivery, reactor), schedule, list_watch, watching, _network(delivery, schedule, reactor)):
        if part is not None:
            part.setServiceParent(service)
    return service


def _sending(delivery: Delivery | None, reactor: Any) -> PeriodicService | None:
    if delivery is None:
        return None
    return PeriodicService("Sending reports", timedelta(seconds=1), delivery.tick, reactor)


def _list_watch(
    client: PatchesClient, frequency: timedelta | None, when_changed: Callable[[], None], reactor: Any
) -> ListWatch | None:
    return ListWatch(client.has_changed, frequency, reactor, when_changed) if frequency is not None else None


def _network(delivery: Delivery | None, schedule: ScanSchedule, reactor: Any) -> NetworkService:
    def came() -> None:
        schedule.hurry()
        if delivery is not None:
            delivery.hurry()

    return NetworkService(reactor, came)


def _watch(
    host: HostScan, inputs: ReloadedInputs, settings: ScannerSettings, schedule: ScanSchedule, clock: IReactorTime
) -> PeriodicService:
    root, settle = settings.host.root, settings.settle

    def poll() -> tuple[Fingerprint, HostFacts | None]:
        try:
            return fingerprint(root), host.facts()
        except UnknownPlatform:
            return fingerprint(root), None

    def scan_soon() -> None:
        log.info("Scanning again: the packages of this host, or its platform, tracks or name, have changed")
        schedule.request_scan()

    def use_decisions() -> None:
        if inputs.read_changed():
            log.info("Scanning again: the decisions of the ignore file have changed")
            schedule.request_scan()

    changes = ChangeWatcher(poll, settle, scan_soon, clock.seconds)
    decisions = ChangeWatcher(inputs.ignore_state, settle, use_decisions, clock.seconds)

    def tick() -> None:
        try:
            decisions.tick()
        finally:
            changes.tick()

    return PeriodicService("Looking for changed packages and decisions", _POLL_SECONDS, tick, clock)


async def _scan_once(
    inputs: ReloadedInputs,
    host: HostScan,
    outbox: Outbox | None,
    trouble: TroubleLog,
    timeout: timedelta,
    list_watch: ListWatch | None,
) -> bool:
    inputs.read_changed()
    policy = inputs.policy
    if list_watch is not None:
        list_watch.compared = None
    outcome = await host.run(inputs.client, policy, timeout=timeout)
    listed = outcome.list_info
    if list_watch is not None and outcome.complete and listed.revision is not None:
        list_watch.compared = ComparedList(outcome.platform, listed.revision, is_confirmed=listed.away is None)
    _log_outcome(outcome)
    _log_skew(outcome)
    expired = policy.ignores.expired(datetime.fromtimestamp(outcome.finished, UTC).date())
    if expired:
        log.warn("The ignore file has {count} expired entries, which are not applied", count=expired)
    if policy.ignores.unidentified:
        log.info("{note}", note=policy.ignores.note())
    return outcome.complete if outbox is None else _store_report(outbox, outcome, trouble)


def _store_report(outbox: Outbox, outcome: Outcome, trouble: TroubleLog) -> bool:
    """Store the report of a scan, or one that says why not. Return whether the scan is complete, and stored."""
    try:
        outbox.put(partial(streamed_report, outcome))
    except OSError as error:  # a report of this would not be written either
        trouble.begin(file_problem(error, NO_FOLDER))
        return False
    except Exception as error:
        log.failure("The report of a scan cannot be written")
        problem = f"the report cannot be written: {one_line(error)}"
        times = outcome.started, outcome.finished
        outbox.put(partial(streamed_report, failed_outcome(outcome.host, outcome.platform, problem, times)))
        return False
    trouble.end()
    return outcome.complete


def _log_skew(outcome: Outcome) -> None:
    if outcome.list_info.skew is not None:
        log.warn("The server's clock is {skew} s ahead of this host's", skew=outcome.list_info.skew)


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
