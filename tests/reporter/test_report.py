"""A report is parsed whole, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.fields import MalformedReport
from patches.reporter.report import Installed, Report, parse_report
from patches.vulnerability import Severity
from tests.reporter.sample_reports import NOW, body, document, record


def parse(content: Any) -> Report:
    """Parse a report that was sent from 192.0.2.1."""
    return parse_report(content if isinstance(content, bytes) else json.dumps(content).encode(), "192.0.2.1", NOW)


class ReportTests(SynchronousTestCase):
    """The content of a valid report."""

    def test_whole(self) -> None:
        """Host, platform, scan and findings are parsed."""
        report = parse(body("CVE-2021-3156", number=7))
        self.assertEqual((report.host, report.platform), ("web1", "debian-12"))
        self.assertEqual((report.scan.id, report.scan.number, report.scan.complete), ("web1-7", 7, True))
        self.assertEqual(report.scan.finished, datetime(2026, 11, 22, 10, 7, 30, tzinfo=UTC))
        self.assertEqual((report.scan.revision, report.scan.digest, report.scan.served), ("r1", "0" * 64, 1200))
        finding = report.findings[0]
        self.assertEqual(finding.vulnerability.name, "CVE-2021-3156")
        self.assertIs(finding.vulnerability.severity, Severity.HIGH)
        self.assertEqual(finding.installed, Installed("sudo", "1.8", "amd64", "sudo", "1.8"))

    def test_no_snapshot(self) -> None:
        """The scan of a host without a list has neither revision nor digest."""
        report = parse(body(revision=None, digest=None, complete=False, served=0))
        self.assertEqual((report.scan.revision, report.scan.digest, report.findings), (None, None, ()))

    def test_not_judged(self) -> None:
        """The numbers of comparisons that were not possible and of missing fixes are parsed, and so is the problem."""
        told = {"complete": False, "problem": "the stream ended early", "unfixed": 3, "notEvaluated": {"a module": 2}}
        scan = parse(body(**told)).scan
        self.assertEqual((scan.problem, scan.unfixed, scan.not_evaluated), (told["problem"], 3, {"a module": 2}))

    def test_offset(self) -> None:
        """Times with any UTC offset are converted to UTC."""
        report = parse(body(finished="2026-11-22T12:00:00.5+01:30"))
        self.assertEqual(report.scan.finished, datetime(2026, 11, 22, 10, 30, 0, 500000, tzinfo=UTC))

    def test_bare(self) -> None:
        """The first scanner sends only vulnerabilities: the host is the sender, and the scan is complete and of now."""
        first = {name: value for name, value in record("CVE-2021-3156").items() if name not in ("installed", "source")}
        report = parse({"vulnerabilities": [first]})
        self.assertEqual((report.host, report.platform), ("192.0.2.1", "debian-12"))
        self.assertEqual((report.scan.finished, report.scan.complete), (NOW, True))
        self.assertIsNone(report.findings[0].installed)
        self.assertIsNone(parse({"vulnerabilities": []}).platform)


class RefusalTests(SynchronousTestCase):
    """Malformed reports, and the error messages."""

    def refused(self, content: Any, words: str) -> None:
        """Check that a body is refused, in one line with these words."""
        message = str(self.assertRaises(MalformedReport, parse, content))
        self.assertIn(words, message)
        self.assertNotIn("\n", message)

    def test_not_json(self) -> None:
        """A body is refused if it is not JSON, or could not be written as JSON again."""
        for content in (b"", b"{", b"\xff", b"[" * 100_000, b'{"vulnerabilities": [NaN]}', b'{"a": "\\ud800"}'):
            self.refused(content, "not JSON")

    def test_not_a_report(self) -> None:
        """A body that is JSON of another shape is refused."""
        self.refused([], "JSON object")
        self.refused({"vulnerabilities": {}}, '"vulnerabilities"')
        self.refused({"host": "web1"}, '"vulnerabilities"')

    def test_parts(self) -> None:
        """Each member that is missing or of a wrong type is named in the error."""
        cases: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
            (lambda d: d.pop("host"), '"host"'),
            (lambda d: d.update(host="a/b"), '"host"'),
            (lambda d: d.update(host=".."), '"host"'),
            (lambda d: d.update(host="x" * 254), '"host"'),
            (lambda d: d.pop("platform"), "platform"),
            (lambda d: d.update(platform="Debian 12"), "platform"),
            (lambda d: d.pop("scan"), '"scan"'),
            (lambda d: d["scan"].update(id=7), "scan.id"),
            (lambda d: d["scan"].update(id=""), "scan.id"),
            (lambda d: d["scan"].update(number=True), "scan.number"),
            (lambda d: d["scan"].update(number=-1), "scan.number"),
            (lambda d: d["scan"].update(number=2**63), "scan.number"),
            (lambda d: d["scan"].update(started="yesterday"), "scan.started"),
            (lambda d: d["scan"].update(finished="2026-11-22T10:00:00"), "scan.finished"),
            (lambda d: d["scan"].update(finished="0001-01-01T00:00:00+23:00"), "scan.finished"),
            (lambda d: d["scan"].update(complete=1), "scan.complete"),
            (lambda d: d["scan"].pop("served"), "scan.served"),
            (lambda d: d["scan"].update(unfixed="3"), "scan.unfixed"),
            (lambda d: d["scan"].update(notEvaluated=["x"]), "scan.notEvaluated"),
            (lambda d: d["scan"].update(notEvaluated={"x": -1}), "scan.notEvaluated"),
            (lambda d: d["scan"].update(problem={}), "scan.problem"),
            (lambda d: d["scan"].update(findings=2), "scan.findings is 2, but there are 1"),
            (lambda d: d["vulnerabilities"][0].pop("name"), "vulnerabilities[0]"),
            (lambda d: d["vulnerabilities"][0].update(name="a\nb"), "vulnerabilities[0].name"),
            (lambda d: d["vulnerabilities"][0].update(severityRating=9), "vulnerabilities[0]"),
            (lambda d: d["vulnerabilities"][0].pop("installed"), "installed"),
            (lambda d: d["vulnerabilities"][0].update(installed={}), "vulnerabilities[0].installed.name"),
            (lambda d: d["vulnerabilities"].insert(0, 3), "vulnerabilities[0]"),
        ]
        for change, words in cases:
            content = document("CVE-2021-3156")
            change(content)
            self.refused(content, words)

    @settings(deadline=None)
    @given(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5)
    )
    def test_anything(self, value: Any) -> None:
        """Whatever value replaces a member, the result is a report or a reason, never another error."""
        for part in ("host", "platform", "scan", "vulnerabilities"):
            try:
                parse({**document("CVE-2021-3156"), part: value})
            except MalformedReport:
                continue
            self.assertIn(part, ("host", "platform"))
            self.assertIsInstance(value, str)
