"""A report is parsed whole, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.fields import MalformedReport
from patches.reporter.report import BareReport, Installed, Report, fingerprint
from patches.vulnerability import FOLLOWED, FixedPackage, Severity, Vulnerability
from tests.reporter.sample_reports import bare_record, body, document, parsed


def parse_any(content: Any) -> Report | BareReport:
    """Parse a report of any kind that was sent from 192.0.2.1."""
    return parsed(content if isinstance(content, bytes) else json.dumps(content).encode(), "192.0.2.1")


def parse(content: Any) -> Report:
    """Parse a report that has a scan."""
    report = parse_any(content)
    assert isinstance(report, Report), report
    return report


def bare(*records: Any) -> BareReport:
    """Parse a report of the first scanner with these records."""
    report = parse_any({"vulnerabilities": list(records)})
    assert isinstance(report, BareReport), report
    return report


class ReportTests(SynchronousTestCase):
    """The content of a valid report."""

    def test_whole(self) -> None:
        """Host, platform, scan and findings are parsed."""
        report = parse(body("CVE-2021-3156", number=7))
        self.assertEqual((report.host, report.platform), ("web1", "debian-12"))
        self.assertEqual((report.scan.id, report.scan.number, report.scan.complete), ("web1-7", 7, True))
        self.assertEqual(report.scan.finished, datetime(2026, 11, 22, 10, 7, 30, tzinfo=UTC))
        self.assertEqual((report.scan.revision, report.scan.digest, report.scan.served), ("r1", "0" * 64, 1200))
        (finding,) = report.findings
        self.assertEqual(finding.vulnerability.name, "CVE-2021-3156")
        self.assertIs(finding.vulnerability.severity, Severity.HIGH)
        self.assertEqual(finding.installed, Installed("sudo", "1.8", "amd64", "sudo", "1.8"))

    def test_no_snapshot(self) -> None:
        """The scan of a host without a list has neither revision nor digest."""
        report = parse(body(revision=None, digest=None, complete=False, served=0))
        self.assertEqual((report.scan.revision, report.scan.digest, list(report.findings)), (None, None, []))

    def test_not_judged(self) -> None:
        """The numbers of comparisons that were not possible and of missing fixes are parsed, and so is the problem."""
        told = {"complete": False, "problem": "the stream ended early", "unfixed": 3, "notEvaluated": {"a module": 2}}
        scan = parse(body(**told)).scan
        self.assertEqual((scan.problem, scan.unfixed, scan.not_evaluated), (told["problem"], 3, {"a module": 2}))

    def test_offset(self) -> None:
        """Times with any UTC offset are converted to UTC."""
        report = parse(body(finished="2026-11-22T12:00:00.5+01:30"))
        self.assertEqual(report.scan.finished, datetime(2026, 11, 22, 10, 30, 0, 500000, tzinfo=UTC))


class BareReportTests(SynchronousTestCase):
    """Reports of the first scanner."""

    def test_bare(self) -> None:
        """The first scanner sends only vulnerabilities: the host is the sender; copies are left as they are."""
        report = bare(bare_record("CVE-1"), bare_record("CVE-1"), bare_record("CVE-2"))
        self.assertEqual((report.host, report.platform, report.unreadable), ("192.0.2.1", "debian-12", 0))
        self.assertEqual([each.name for each in report.findings], ["CVE-1", "CVE-1", "CVE-2"])
        nothing = bare()
        self.assertEqual((nothing.host, nothing.platform, list(nothing.findings)), ("192.0.2.1", None, []))

    def test_odd(self) -> None:
        """The first scanner never sends a part again: odd records are left out and counted, the others are taken."""
        platform, name = {"affectedPlatform": "Debian 12"}, {"name": ""}
        odd = (3, None, {}, bare_record("CVE-2") | platform, bare_record("CVE-2") | name)
        report = bare(bare_record("CVE-1"), *odd)
        self.assertEqual(([each.name for each in report.findings], report.unreadable), (["CVE-1"], 5))

    def test_of_go(self) -> None:
        """A fix that does not exist yet comes back as an empty text, and an absent list as null."""
        first, second = bare_record("CVE-1"), bare_record("CVE-2")
        first["fixedInPackages"][0]["version"] = ""
        second["fixedInPackages"] = None
        report = bare(first, second)
        first_found, second_found = report.findings
        self.assertEqual([each.version for each in first_found.fixed_in], [None])
        self.assertEqual(second_found.fixed_in, ())

    def test_followed(self) -> None:
        """The record of the packages that a source follows is about no vulnerability."""
        report = bare(bare_record(FOLLOWED))
        self.assertEqual((list(report.findings), len(report.findings)), ([], 0))

    def test_fingerprint(self) -> None:
        """Copies of a finding have one fingerprint, whatever their severity and link; others have another one."""
        packages = FixedPackage("a", "1"), FixedPackage("b", None)
        one = Vulnerability("CVE-1", "debian-12", packages)
        same = (
            *(evolve(one, severity=Severity.HIGH), evolve(one, details_href="x")),
            *(evolve(one, fixed_in=packages[::-1]), evolve(one, fixed_in=(packages[0], FixedPackage("b", "")))),
        )
        others = evolve(one, name="CVE-2"), evolve(one, platform="debian-13"), evolve(one, fixed_in=packages[:1])
        self.assertEqual({fingerprint(each) for each in same}, {fingerprint(one)})
        self.assertEqual(len({fingerprint(each) for each in (one, *others)}), 4)


class RefusalTests(SynchronousTestCase):
    """Malformed reports, and the error messages."""

    def refused(self, content: Any, words: str) -> None:
        """Check that a body is refused, in one line with these words."""
        message = str(self.assertRaises(MalformedReport, parse, content))
        self.assertIn(words, message)
        self.assertNotIn("\n", message)

    def test_not_json(self) -> None:
        """A body is refused if it is not JSON, or could not be written as JSON again."""
        for content in (b"", b"{", b"\xff", b"[" * 100_000, b'{"vulnerabilities": [NaN]}'):
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
            (lambda d: d["vulnerabilities"][0].update(name=""), "vulnerabilities[0].name"),
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
