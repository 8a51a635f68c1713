"""The first Patches scanner, from its first request to the findings that the reporter shows, in simulated time."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import RESPONSES, SESSIONS, WINDOW
from tests.first_scanner_replay import RECORDED, OriginalScanner, Recorded, ReplayedReporter, ReplayedServer
from tests.reporter.sample_reports import document

HOST = "127.0.0.1"


class ReplayTests(SynchronousTestCase):
    """Whole scans, with lists of the sizes that Clair was recorded with."""

    def start(self, *recorded: Recorded) -> None:
        """Start a server with these lists, and a reporter."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        self.server = ReplayedServer(folder, [(each.platform, each.lines()) for each in recorded])
        self.addCleanup(self.server.close)
        self.reporter = ReplayedReporter(folder, self.server)
        self.addCleanup(self.reporter.close)

    def scanner(self, recorded: Recorded) -> OriginalScanner:
        """Create a scanner."""
        return OriginalScanner(self.server, self.reporter, recorded)

    def check(self, recorded: Recorded) -> OriginalScanner:
        """Check that a scan receives every record once, in a bounded silence, and that its findings are shown once."""
        self.start(recorded)
        ran = self.scanner(recorded).scan()
        expected = [f"CVE-2016-{number:05}" for number in range(recorded.records)]
        self.assertIsNone(ran.error)
        self.assertEqual((len(ran.received), ran.received), (recorded.records, expected))
        self.assertEqual(ran.requests, -(-recorded.records // 50) + 1)
        self.assertLess(ran.silence, 60)
        self.assertEqual(sum(ran.parts), recorded.packages)
        state = self.reporter.ask("GET", f"/v1/hosts/{HOST}/findings")
        shown = [each["name"] for each in state["vulnerabilities"]]
        self.assertEqual((len(shown), set(shown)), (recorded.affected, ran.found))
        told = state["unverified"]
        self.assertEqual((told["parts"], told["records"]), (len(ran.parts), recorded.packages))
        self.assertEqual((state["complete"], told["leftOut"]), (False, 0))
        used = {purpose: self.server.budget.used[purpose] for purpose in (SESSIONS, WINDOW, RESPONSES)}
        self.assertEqual(used, {SESSIONS: 0, WINDOW: 0, RESPONSES: 0})
        return ran

    def test_ubuntu(self) -> None:
        """All 13,595 records of Ubuntu 16.04 are received, with a ``dpkg`` that takes 10 ms."""
        ran = self.check(RECORDED[0])
        self.assertEqual((RECORDED[0].platform, len(ran.received)), ("ubuntu-16.04", 13_595))

    def test_centos(self) -> None:
        """All 2,601 records of CentOS 7 are received, with an ``rpm`` that takes 30 ms: an eleven minutes' scan."""
        ran = self.check(RECORDED[3])
        self.assertEqual((RECORDED[3].platform, len(ran.received)), ("centos-7", 2_601))
        self.assertGreater(ran.seconds, 660)
        self.assertEqual(len(ran.parts), 3)

    def test_slow(self) -> None:
        """A host whose processes take a second each is silent for minutes, and is served to the end all the same."""
        recorded = Recorded("centos-7", 300, 300, 1800, 200, 1.0)
        self.start(recorded)
        ran = self.scanner(recorded).scan()
        self.assertEqual((ran.error, len(ran.received)), (None, 300))
        self.assertGreater(ran.silence, 400)

    def test_dead(self) -> None:
        """A scanner that is never heard of again leaves nothing after 15 minutes."""
        self.start(RECORDED[2])
        self.server.ask("/vulns?platform=debian-9")
        self.assertEqual(len(self.server.sessions.first_scanner.sessions), 1)
        self.server.sleep(902)
        self.assertEqual(len(self.server.sessions.first_scanner.sessions), 0)
        self.assertEqual((self.server.budget.used[SESSIONS], self.server.sessions.revisions_in_use()), (0, set()))

    def test_verified_host(self) -> None:
        """A first scanner on a host that a verified scan has reported changes nothing of what that scan said."""
        recorded = Recorded("debian-9", 120, 110, 120, 2, 0.01)
        self.start(recorded)
        self.reporter.ask("POST", "/v1/reports", document("CVE-1", host=HOST))
        before = self.reporter.ask("GET", f"/v1/hosts/{HOST}/findings")
        self.scanner(recorded).scan()
        after = self.reporter.ask("GET", f"/v1/hosts/{HOST}/findings")
        self.assertGreater(len(after.pop("unverified")["vulnerabilities"]), 100)
        self.assertEqual(after, before)
