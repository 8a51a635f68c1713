"""One scan: findings are reported, and an incomplete comparison is never clean."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.matching.ignores import Ignore, Ignores
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.output.table import summary
from patches.scanner.reporting.report import report_document
from patches.scanner.scan import Policy, scan
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import encode_line, from_wire
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import REFUSED, CannedHTTP, chunk, end, error, session

LIST = b"".join(
    encode_line(Vulnerability(name, "debian-12", (FixedPackage(package, version),), severity))
    for name, package, version, severity in (
        ("CVE-1", "sudo", "1.9-2", Severity.LOW),
        ("CVE-2", "sudo", "1.8-9", Severity.HIGH),
        ("CVE-3", "bash", "5.2-1", Severity.CRITICAL),
        ("CVE-4", "absent", "9", Severity.CRITICAL),
        ("CVE-5", "bash", None, Severity.LOW),
    )
)


class ScanTests(SynchronousTestCase):
    """A host with two packages, and a server with scripted responses."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.root = write_host(Path(self.mktemp()), "debian", "12", {"sudo": "1.9-1", "bash": "5.1-9"})

    def scan(self, *answers: object, root: Path | None = None, policy: Policy | None = None) -> Outcome:
        """Scan the host."""
        self.http = CannedHTTP(*answers)  # type: ignore[arg-type]
        settings = ClientSettings(contact=timedelta(0), patience=timedelta(seconds=1))
        client = PatchesClient(self.http, "http://server", self.clock, settings, jitter=lambda: 0.0)
        target = Target("web-1", "debian-12", root or self.root)
        scanning = ensureDeferred(scan(client, target, policy, wall=lambda: 1000.0))
        self.clock.pump([1] * 5)
        return self.successResultOf(scanning)

    def test_enrichments(self) -> None:
        """The facts that the list was made with are those that its description names, and that are known here."""
        told: tuple[object, ...] = (["kev", "cvss", "later"], None, "kev", {"kev": 1}, [["kev"]])
        for value in told:
            snapshot = {"revision": "r1", "enrichments": value}
            outcome = self.scan(session(snapshot=snapshot), chunk(LIST), end(LIST))
            expected = ("cvss", "kev") if value is told[0] else ()
            self.assertEqual((outcome.list_info.enrichments, outcome.verdict), (expected, Verdict.FINDINGS))

    def test_findings(self) -> None:
        """Findings are packages below their fix, the most severe first; those without a fix are counted separately."""
        outcome = self.scan(session(), chunk(LIST), end(LIST))
        found = [(finding.vulnerability_id, finding.package.name) for finding in outcome.findings]
        self.assertEqual(found, [("CVE-3", "bash"), ("CVE-1", "sudo")])
        self.assertEqual(
            (outcome.verdict, [finding.vulnerability_id for finding in outcome.unfixed]), (Verdict.FINDINGS, ["CVE-5"])
        )
        self.assertEqual((outcome.list_info.served, outcome.coverage.installed, outcome.coverage.fine), (5, 2, 0))

    def test_ignored(self) -> None:
        """An ignored finding is shown but does not count; if all are ignored the scan is clean."""
        decisions = tuple(Ignore(None, name, "why", date(1970, 1, 2)) for name in ("sudo", "bash"))
        outcome = self.scan(session(), chunk(LIST), end(LIST), policy=Policy(ignores=Ignores(decisions[:1])))
        self.assertEqual([finding.package.name for finding in outcome.counted], ["bash"])
        self.assertEqual((len(outcome.findings), outcome.verdict), (2, Verdict.FINDINGS))
        outcome = self.scan(session(), chunk(LIST), end(LIST), policy=Policy(ignores=Ignores(decisions)))
        self.assertEqual((len(outcome.findings), outcome.counted, outcome.verdict), (2, (), Verdict.CLEAN))
        expired = tuple(Ignore(None, name, "why", date(1970, 1, 1)) for name in ("sudo", "bash"))
        outcome = self.scan(session(), chunk(LIST), end(LIST), policy=Policy(ignores=Ignores(expired)))
        self.assertEqual((len(outcome.counted), outcome.verdict), (2, Verdict.FINDINGS))

    def test_with_unfixed(self) -> None:
        """If findings without a fix are shown, they count, are sorted with the others, and are reported."""
        decision = Ignores((Ignore("CVE-1", None, "why", None), Ignore("CVE-3", None, "why", None)))
        for shown, verdict, names in ((False, Verdict.CLEAN, []), (True, Verdict.FINDINGS, ["CVE-5"])):
            policy = Policy(ignores=decision, with_unfixed=shown)
            outcome = self.scan(session(), chunk(LIST), end(LIST), policy=policy)
            self.assertEqual(
                (outcome.verdict, [finding.vulnerability_id for finding in outcome.counted]), (verdict, names)
            )
            report = report_document(outcome, 1)
            self.assertEqual([record["name"] for record in report["vulnerabilities"]], names)
            facts = (report["scan"]["findings"], report["scan"]["ignored"], report["scan"]["unfixed"])
            self.assertEqual(facts, (len(names), 2, 0 if shown else 1))
        self.assertEqual([finding.vulnerability_id for finding in outcome.shown], ["CVE-3", "CVE-5", "CVE-1"])

    def test_packages(self) -> None:
        """All packages are in the outcome with their version scheme, even if the scan is incomplete."""
        for answers in ([session(), chunk(LIST), end(LIST)], [session(), *[REFUSED] * 9]):
            coverage = self.scan(*answers).coverage
            self.assertEqual(
                ([package.name for package in coverage.packages], coverage.scheme), (["sudo", "bash"], "dpkg")
            )
            self.assertEqual(coverage.installed, len(coverage.packages))

    def test_cut_short(self) -> None:
        """A scan that did not read the whole list is incomplete, and its summary says nothing else."""
        outcome = self.scan(session(), chunk(LIST), *[REFUSED] * 9)
        self.assertEqual(
            (outcome.complete, outcome.verdict, outcome.list_info.digest), (False, Verdict.INCOMPLETE, None)
        )
        self.assertIn("Incomplete", summary(outcome))
        self.assertIn("not a clean result", summary(outcome))

    def test_corrupt(self) -> None:
        """A stream that cannot be verified makes the scan incomplete."""
        outcome = self.scan(session(), chunk(LIST, announced=b"0" * 32))
        self.assertFalse(outcome.complete)

    def test_session_lost(self) -> None:
        """If a session is lost the scan starts again: no finding is repeated, and none is from another list."""
        outcome = self.scan(
            *(session(), chunk(LIST), error(410, "expired"), error(410, "expired")),
            *(session(token="s2", revision="r1"), chunk(LIST), end(LIST)),
        )
        self.assertTrue(outcome.complete)
        self.assertEqual((len(outcome.findings), outcome.list_info.served), (2, 5))

    def test_session_lost_for_ever(self) -> None:
        """If sessions are lost again and again the scan is incomplete."""
        outcome = self.scan(*[session(), error(410, "expired"), error(410, "expired")] * 9)
        self.assertEqual((outcome.complete, outcome.verdict), (False, Verdict.INCOMPLETE))
        self.assertEqual([asked.method for asked in self.http.asked].count("POST"), 6)

    def test_unknown_platform(self) -> None:
        """A platform that the server does not serve is reported as unsupported, not as clean."""
        outcome = self.scan(error(404, "unknown-platform"))
        self.assertEqual((outcome.complete, outcome.verdict), (False, Verdict.UNSUPPORTED))

    def test_no_inventory(self) -> None:
        """A host whose packages cannot be read is not clean, and no request is sent."""
        outcome = self.scan(session(), root=Path(self.mktemp()))
        self.assertEqual((outcome.complete, outcome.verdict), (False, Verdict.ERROR))
        self.assertEqual(self.http.asked, [])

    def test_report(self) -> None:
        """A report contains the findings in the wire format, the installed packages, and the facts of the scan."""
        report = report_document(self.scan(session(), chunk(LIST), end(LIST)), 7)
        self.assertEqual([from_wire(record).name for record in report["vulnerabilities"]], ["CVE-3", "CVE-1"])
        installed = {"name": "sudo", "version": "1.9-1", "source": "sudo", "sourceVersion": "1.9-1", "arch": "amd64"}
        self.assertEqual(report["vulnerabilities"][1]["installed"], installed)
        self.assertEqual((report["host"], report["platform"]), ("web-1", "debian-12"))
        facts = {name: report["scan"][name] for name in ("number", "started", "complete", "served", "findings")}
        started = "1970-01-01T00:16:40Z"
        self.assertEqual(facts, {"number": 7, "started": started, "complete": True, "served": 5, "findings": 2})

    def test_inventory_stays(self) -> None:
        """The server receives only the platform's name, and nothing about the installed packages."""
        self.scan(session(), chunk(LIST), end(LIST))
        said = b"".join(f"{asked.url}{asked.fields}".encode() + (asked.body or b"") for asked in self.http.asked)
        self.assertIn(b"debian-12", said)
        for secret in (b"sudo", b"bash", b"1.9-1", b"5.1-9", b"web-1"):
            self.assertNotIn(secret, said)
