"""The command ``patches scan``: one scan in a terminal or in a pipeline."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from attrs import define, evolve
from twisted.internet.defer import CancelledError

from patches.http.access.routed_agent import Routes
from patches.scanner.client.http_client import HttpClient, http_client
from patches.scanner.client.trust import Trust
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.host_scan import HostScan
from patches.scanner.list_origin import ListOrigin
from patches.scanner.options import ScanCommandSettings
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.output.exit_codes import ERROR, INTERRUPTED, USAGE, exit_code
from patches.scanner.output.screen import Screen
from patches.scanner.reporting.delivery import MAX_REPORTER_ANSWER, Delivery
from patches.scanner.reporting.outbox import Outbox
from patches.scanner.reporting.report import streamed_report
from patches.scanner.scan import Policy
from patches.scanner.scan_inputs import host_of, policy_of, routes_of, target_of, trust_of
from patches.scanner.scan_outputs import planned_outputs, view_of
from patches.service import one_shot
from patches.service.daemon import hold_folder, usable_folder
from patches.storage.atomic_file import Unwritable
from patches.wording import NO_FOLDER, counted, file_problem, one_line


def run_scan(settings: ScanCommandSettings) -> int:
    """
    Scan a host, print the outcome, and send a report if a reporter is given.

    :return: the exit code.
    :raises BadSetting: if a file that an option names cannot be used.
    """
    with ExitStack() as stack:
        policy, trust, routes = policy_of(settings.policy), trust_of(settings.access), routes_of(settings.access)
        output = settings.output
        screen = Screen(planned_outputs(output, stack), view_of(output), output.verbose, output.quiet)
        try:
            outcome = _outcome(settings, policy, trust, routes, screen)
        except Unwritable as error:
            screen.show_error(str(error))
            return ERROR
        if outcome is None:
            return INTERRUPTED
        fail_on = evolve(output.fail_on, allows_unknown=output.allow_unknown_severity)
        if (missing := fail_on.missing(outcome) or screen.view.missing(outcome)) is not None:
            screen.show_error(missing)
            return USAGE
        if (note := fail_on.note(outcome)) is not None:
            screen.note(note)
        return exit_code(outcome, fail_on, output.fail_on_unjudged, output.fail_on_eol)


def _outcome(
    settings: ScanCommandSettings, policy: Policy, trust: Trust | None, routes: Routes, screen: Screen
) -> Outcome | None:
    """Scan and show the outcome. Return it; ``None`` if the scan was interrupted."""
    started = time.time()
    try:
        target = target_of(settings.host)
    except UnknownPlatform as error:
        unknown = Outcome(host_of(settings.host), "", started, started, Verdict.UNSUPPORTED, problem=str(error))
        screen.show(unknown)
        return unknown
    except Exception as error:
        problem = f"the scan failed: {one_line(error)}"
        failed = Outcome(host_of(settings.host), "", started, started, Verdict.ERROR, problem=problem)
        screen.show(failed)
        return failed
    once = _Once(settings, target, policy, trust, routes, screen)
    once.open_outbox()
    try:
        one_shot.run(once.run)
    except SystemExit:
        sys.exit(ERROR)
    if once.unwritable is not None:
        raise once.unwritable
    return once.outcome


@define(eq=False)
class _Once:
    """
    One run of the reactor, with its results.

    The exit code depends on the outcome, which is read here after the reactor has stopped.

    :ivar outcome: the outcome; ``None`` until it was shown.
    :ivar unwritable: the error of the output file; ``None`` if there was no error.
    """

    settings: ScanCommandSettings
    target: Target
    policy: Policy
    trust: Trust | None
    routes: Routes
    screen: Screen
    outbox: Outbox | None = None
    outcome: Outcome | None = None
    unwritable: Unwritable | None = None

    def open_outbox(self) -> None:
        """Open the outbox, if there is a reporter; if that fails, the scan is made and shown all the same."""
        if self.settings.reporter is None:
            return
        try:
            state = usable_folder("patches scan", self.settings.access.state_dir)
            hold_folder("patches scan", state)
            self.outbox = Outbox(state / "outbox")
        except SystemExit as end:
            self.unwritable = Unwritable(f"the report cannot be stored: {end.code}")
        except OSError as error:
            why = f"the report cannot be stored: {error.filename}: {file_problem(error)}"
            self.unwritable = Unwritable(why)

    async def run(self, reactor: Any) -> int:
        """Scan, show the outcome and report it. The result is always 0: the exit code depends on the outcome."""
        http = http_client(reactor, self.routes)
        outcome = await self._scan(http, reactor)
        try:
            self.screen.show(outcome)
        except Unwritable as error:
            self.unwritable = error  # raised after the report, which must not be lost because of a full disk
        except Exception as error:
            self.unwritable = Unwritable(f"the outcome cannot be shown: {one_line(error)}")
        self._note_expired(outcome)
        self.outcome = outcome
        if self.outbox is not None and self.settings.reporter is not None:
            try:
                self.outbox.put(partial(streamed_report, outcome))
            except OSError as error:
                why = f"{self.settings.access.state_dir}: the report cannot be stored: {file_problem(error, NO_FOLDER)}"
                self.unwritable = self.unwritable or Unwritable(why)
                return 0
            reporter_http = HttpClient(http, self.settings.reporter, reactor, MAX_REPORTER_ANSWER)
            await self._send(Delivery(self.outbox, reporter_http, reactor))
        return 0

    async def _scan(self, http: Any, reactor: Any) -> Outcome:
        """Find the list and scan; both within the time of one scan."""
        settings = self.settings
        limit = reactor.seconds() + settings.access.timeout.total_seconds()
        origin = ListOrigin(
            settings.access, settings.standalone, self.trust, http, self.screen, reactor, settings.cache
        )
        try:
            client = await origin.find(self.target.platform)
            host = HostScan(settings.host, origin.folder)
            left = timedelta(seconds=max(1.0, limit - reactor.seconds()))
            with self.screen.progress(f"Scanning {self.target.host} as {self.target.platform}") as watch:
                outcome = await host.run(client, self.policy, watch, left)
            if origin.problem is None and outcome.cache_problem is not None:  # else it was said before
                self.screen.note(f"The list cannot be kept: {outcome.cache_problem}")
            problem = origin.problem or outcome.cache_problem or self._state_problem()
            return evolve(outcome, cache_problem=problem)
        finally:
            origin.close()

    def _state_problem(self) -> str | None:
        """Return why the state of the scanner cannot be stored; the scan is made all the same."""
        unrecorded = self.trust.seen.trouble.why if self.trust is not None else None
        if unrecorded is not None:
            self.screen.note(f"The newest list seen cannot be recorded: {unrecorded}")
        return unrecorded or (str(self.unwritable) if self.unwritable is not None else None)

    def _note_expired(self, outcome: Outcome) -> None:
        count = self.policy.ignores.expired(datetime.fromtimestamp(outcome.finished, UTC).date())
        if count:
            verb = "has expired and is" if count == 1 else "have expired and are"
            self.screen.note(f"{self.settings.policy.ignore}: {counted(count, 'entry')} {verb} not applied.")
        unidentified = self.policy.ignores.note()
        if unidentified is not None:
            self.screen.note(f"{self.settings.policy.ignore}: {unidentified}; no finding is ignored by it.")

    async def _send(self, delivery: Delivery) -> None:
        try:
            problem = await delivery.send_all()
        except CancelledError:
            problem = "interrupted"
        if problem is not None:
            self.screen.note(f"The report was not delivered and waits in {self.settings.access.state_dir}: {problem}")
        if delivery.rejected is not None:
            where = self.settings.access.state_dir / "outbox" / "rejected"
            self.screen.note(f"The reporter API rejected the report, which is kept in {where}: {delivery.rejected}")
