"""Every scan ends, and says how: after its timeout, after a crash, and with clocks that differ."""

from __future__ import annotations

import gzip
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.output.document import outcome_document
from patches.scanner.output.table import summary
from patches.scanner.reporting.report import report_document
from patches.scanner.scan import Policy, scan
from patches.wire import rfc3339
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, chunk, document, end, session
from tests.scanner.test_scan import LIST

NOW = 1_700_000_000.0
HOUR = 3600.0


class EndsCase(SynchronousTestCase):
    """A host with two packages, and a server with scripted responses."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.folder = Path(self.mktemp())
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"sudo": "1.9-1", "bash": "5.1-9"})

    def start(self, *answers: Any, now: float = NOW, keep: bool = False, **options: Any) -> Deferred[Outcome]:
        """Start a scan."""
        self.http = http = CannedHTTP(*answers)
        limits = ClientSettings(contact=timedelta(0))
        client = PatchesClient(http, "http://server", self.clock, limits, lambda: 0.0, wall=lambda: now)
        target, policy = Target("web-1", "debian-12", self.root), Policy(timedelta(days=7))
        cache = ListCache(self.folder, "debian-12") if keep else None
        return ensureDeferred(scan(client, target, policy, wall=lambda: now, cache=cache, **options))

    def scan(self, *answers: Any, **options: Any) -> Outcome:
        """Scan the host."""
        return self.successResultOf(self.start(*answers, **options))


class TimeoutTests(EndsCase):
    """A scan that takes too long."""

    def test_wait(self) -> None:
        """A server that makes a scanner wait for ever, or never answers, makes the scan incomplete."""
        wait = document(202, {"state": "queued", "pollAfter": 1e-9})
        for answers in ((session("queued"), *[wait] * 5000), ()):
            scanning = self.start(*answers, timeout=timedelta(seconds=20))
            self.clock.pump([0.1] * 195)
            self.assertNoResult(scanning)
            self.clock.pump([0.1] * 10)
            outcome = self.successResultOf(scanning)
            self.assertEqual(
                (outcome.verdict, outcome.problem), (Verdict.INCOMPLETE, "the scan did not end within 20 s")
            )
            self.assertEqual(outcome.coverage.installed, 2)

    def test_default(self) -> None:
        """It is a quarter of an hour."""
        wait = Canned(202, b"{}")
        scanning = self.start(session("queued"), *[wait] * 2000)
        self.clock.pump([1.0] * 899)
        self.assertNoResult(scanning)
        self.clock.pump([1.0] * 2)
        self.assertIs(self.successResultOf(scanning).verdict, Verdict.INCOMPLETE)

    def test_polls(self) -> None:
        """A wait is at least a fifth of a second and at most a minute; what is no number of seconds is ignored."""
        for asked, seconds in (
            *(("1e-9", 0.2), ("0", 0.2), ("0.5", 0.5), ("1e6", 60.0)),
            *((each, 1.0) for each in ("-5", "NaN", "1e400", "1" + "0" * 400, "true", '"5"', "null", "[]")),
        ):
            wait = Canned(202, f'{{"pollAfter": {asked}}}'.encode())
            scanning = self.start(session("queued"), wait)
            pause = min(call.getTime() - self.clock.seconds() for call in self.clock.getDelayedCalls())
            self.assertAlmostEqual(pause, seconds, msg=asked)
            scanning.addErrback(lambda failure: None)
            scanning.cancel()


class SessionTests(EndsCase):
    """The session of a scan that does not receive the whole list."""

    def asked(self, *answers: Any, cancels: bool = False, **options: Any) -> list[str]:
        """Scan, and return the methods of the requests."""
        scanning = self.start(*answers, **options)
        if cancels:
            scanning.cancel()
            self.failureResultOf(scanning, CancelledError)
        self.clock.pump([1.0] * 40)
        return [asked.method for asked in self.http.asked]

    def test_closed(self) -> None:
        """It is closed if the scan is cancelled, in a poll or in a pause, takes too long, or fails."""
        wait, opened = document(202, {"state": "queued", "pollAfter": 30}), session("queued")
        self.assertEqual(self.asked(opened, cancels=True), ["POST", "GET", "DELETE"])
        self.assertEqual(self.asked(opened, wait, cancels=True), ["POST", "GET", "DELETE"])
        self.assertEqual(self.asked(opened, timeout=timedelta(seconds=20)), ["POST", "GET", "DELETE"])
        self.assertEqual(self.asked(session(), Canned(403)), ["POST", "GET", "DELETE"])

    def test_left(self) -> None:
        """There is nothing to close before it is open, after its end, or at a server that is away."""
        self.assertEqual(self.asked(cancels=True), ["POST"])
        self.assertEqual(self.asked(session(), chunk(LIST), end(LIST)), ["POST", "GET", "GET"])
        self.assertEqual(self.asked(session(), REFUSED, cancels=True), ["POST", "GET"])


class CrashTests(EndsCase):
    """Errors that nobody expected."""

    def test_crash(self) -> None:
        """Whatever goes wrong inside is in the outcome, in one line, and in the report."""
        for error, said in (
            (MemoryError(), "the scan failed: there is not enough memory"),
            (RecursionError("too deep"), "the scan failed: RecursionError: too deep"),
            (ValueError("[/b]\x1b[2J\nmore"), "the scan failed: ValueError: [/b]\\x1b[2J"),
        ):

            def crash(stream: Any, error: Exception = error) -> None:
                raise error

            outcome = self.scan(session(), chunk(LIST), watch=crash)
            self.assertEqual((outcome.verdict, outcome.problem), (Verdict.ERROR, said))
            self.assertEqual(report_document(outcome, 1)["scan"]["verdict"], "error")
            self.assertIn("not a clean result", summary(outcome))

    def test_nonsense(self) -> None:
        """Answers that cannot be read make the scan incomplete."""
        deep = b"[" * 100_000
        for answer in (
            Canned(201, deep),
            Canned(404, deep),
            document(201, {"session": ["s"]}),
            Canned(200, deep),
            Canned(503, b"\xff", {"Retry-After": "999999999"}),
        ):
            self.assertIs(self.scan(answer).verdict, Verdict.INCOMPLETE)
        deep_line = b'{"a":' * 50_000 + b"\n"
        outcome = self.scan(session(), chunk(deep_line))
        self.assertEqual((outcome.verdict, len(gzip.compress(deep_line)) < 10_000), (Verdict.INCOMPLETE, True))


class ClockTests(EndsCase):
    """The clocks of the server and of the host."""

    def served(self, checked: float, clock: float | None, **options: Any) -> Outcome:
        """Scan with a list that was checked at a time, by a server with a clock."""
        opened = session(snapshot={"revision": "r1", "checked": rfc3339(checked)})
        if clock is not None:
            opened.fields = {**opened.fields, "Date": formatdate(clock, usegmt=True)}
        return self.scan(opened, chunk(LIST), end(LIST), **options)

    def test_future(self) -> None:
        """A list that was checked in the future is stale; a few minutes are the clocks'."""
        for ahead, verdict in ((300.0, Verdict.FINDINGS), (HOUR, Verdict.STALE), (9000 * HOUR, Verdict.STALE)):
            for clock in (None, NOW):
                outcome = self.served(NOW + ahead, clock)
                self.assertIs(outcome.verdict, verdict)
        self.assertIn("in the future", str(outcome.problem))

    def test_skew(self) -> None:
        """Clocks that differ by more than ten minutes are said everywhere, and the age is by the server's clock."""
        for skew in (-9000 * HOUR, -HOUR, HOUR, 9000 * HOUR):
            outcome = self.served(NOW + skew - 60, NOW + skew)
            self.assertEqual((outcome.verdict, outcome.list_info.skew), (Verdict.FINDINGS, skew))
            self.assertIn("Clocks differ", summary(outcome))
            self.assertEqual(outcome_document(outcome)["list"]["skew"], skew)
            self.assertEqual(report_document(outcome, 1)["scan"]["skew"], skew)
            old = self.served(NOW + skew - 8 * 24 * HOUR, NOW + skew)
            self.assertIs(old.verdict, Verdict.STALE)
        for skew in (-500.0, 0.0, 500.0):
            self.assertIsNone(self.served(NOW, NOW + skew).list_info.skew)
        self.assertIsNone(self.served(NOW, None).list_info.skew)

    def test_unchanged(self) -> None:
        """This also holds for a list that has not changed; one that stands in is judged by the host's clock."""
        whole = self.scan(session(), chunk(LIST), end(LIST))
        told = {"revision": "r1", "vulnerabilities": 5, "chunks": 1, "digest": whole.list_info.digest}
        told["checked"] = rfc3339(NOW)
        self.scan(session(snapshot=told), chunk(LIST), end(LIST), keep=True)
        same = {"unchanged": True, "platform": "debian-12", "snapshot": {**told, "checked": rfc3339(NOW - 2 * HOUR)}}
        answer = document(200, same, Date=formatdate(NOW - HOUR, usegmt=True))
        outcome = self.scan(answer, keep=True)
        self.assertEqual((outcome.verdict, outcome.list_info.skew), (Verdict.FINDINGS, -HOUR))
        away = self.scan(REFUSED, keep=True)
        self.assertEqual((away.verdict, away.list_info.skew), (Verdict.FINDINGS, None))
