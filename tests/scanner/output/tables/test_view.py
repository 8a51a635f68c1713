"""The rows of the table: by upgrade or by finding, filtered and sorted, with columns that a user names."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import ListInfo, Outcome
from patches.scanner.output.tables.view import FINDING, BadView, View
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.sample_outcomes import FINDINGS, SSL, SUDO, finding, outcome

LONG = finding(
    "openSUSE-SU-2024:12345-1-and-more",
    evolve(SUDO, name="a-package-with-quite-a-long-name-doc", version="1:20240101.1234.5-0ubuntu0.24.04.1~esm3"),
    FixedPackage("sudo", "1:20240102.1234.5-0ubuntu0.24.04.1~esm3", "binary"),
    Severity.NEGLIGIBLE,
)


def shown(view: View, of: Outcome, width: int | None = None) -> list[str]:
    """Return the lines of a table."""
    return [" ".join(line.split()) for line, _ in view.table(of).lines(width)]


FIX = FixedPackage("sudo", "1.9-2", "binary")


def rated(name: str, package: Package, **facts: Any) -> Finding:
    """Return a finding of high severity with facts about its id."""
    made = finding(name, package, FixedPackage("openssl", "3.0.17-1"), Severity.HIGH)
    return evolve(made, records=(evolve(made.records[0], **facts),))


class ViewTests(SynchronousTestCase):
    """The rows that a user wants to see."""

    def test_upgrades(self) -> None:
        """A row by upgrade has what to upgrade, to which version, and how many ids that repairs."""
        lines = shown(View(), outcome())
        self.assertEqual(lines[0], "Severity Package Installed Upgrade to Ids By severity Worst")
        self.assertEqual(lines[1], "high openssl 3.0.16-1~deb12u1 3.0.17-1 1 1 high CVE-2025-9230")
        self.assertEqual(len(lines), 3)

    def test_not_broken(self) -> None:
        """At every width each name, version and id is whole, and in one line."""
        of = outcome(findings=(*FINDINGS, LONG), with_unfixed=True)
        for by in ("upgrade", FINDING):
            for width in (20, 60, 80, 100, None):
                words = {word for line in shown(View(by), of, width) for word in line.split()}
                counted = of.counted if by == "upgrade" else of.shown
                for each in counted:
                    self.assertIn(each.installed_version, words, width)
                    self.assertTrue(by == "upgrade" or each.vulnerability_id in words, width)
                    name = each.package.source if by == "upgrade" else each.package.name
                    self.assertTrue(any(word.strip(",") == name for word in words), (name, words))

    def test_findings(self) -> None:
        """A row by finding is marked if it is ignored, not running, or without a fix; it has its page and score."""
        lines = shown(View(FINDING), outcome(with_unfixed=True))
        self.assertEqual(lines[0], "Severity Package Installed Fixed in Vulnerability CVSS Link")
        text = "\n".join(lines)
        for mark in ("low (ignored)", "not running", "will not fix", "no fix yet", "after 5.2.15-2", " 9.8 https://"):
            self.assertIn(mark, text)
        self.assertNotIn("no fix yet", "\n".join(shown(View(FINDING), outcome())))
        self.assertNotIn("Link", shown(View(FINDING), outcome(), 90)[0])

    def test_exploited(self) -> None:
        """Ids that are known to be exploited are marked, go before others of their severity, and can be shown alone."""
        known = ListInfo(19, "r1", enrichments=("epss", "kev"))
        first, second, third = (
            rated(f"CVE-2025-000{number}", SSL, kev=kev, epss=epss)
            for number, kev, epss in ((1, "2025-02-03", 0.9), (2, None, 0.5), (3, "2025-01-02", None))
        )
        of = outcome(findings=(first, second, third, finding("CVE-2026-1", SUDO, FIX, Severity.LOW)), list_info=known)
        lines = shown(View(), of)
        self.assertEqual(lines[0], "Severity Package Installed Upgrade to Ids By severity Worst Exploited (KEV)")
        self.assertTrue(lines[1].endswith("3 high CVE-2025-0003 CVE-2025-0001 +1"), lines[1])
        self.assertTrue(lines[2].endswith("1 low CVE-2026-1"), lines[2])
        by_id = View(FINDING, ("id", "kev", "epss"), sort_by="kev", only_kev=True)
        self.assertEqual(shown(by_id, of)[1:], ["CVE-2025-0003 2025-01-02", "CVE-2025-0001 2025-02-03 0.9"])
        self.assertEqual(len(shown(View(only_kev=True), of)), 2)
        self.assertIsNone(by_id.missing(of))
        without = "--kev: the list of debian-12 was made without KEV: that needs a source of the kind kev"
        self.assertEqual(by_id.missing(outcome()), without)
        self.assertIsNone(View().missing(outcome()))

    def test_title(self) -> None:
        """A row by finding ends with what the vulnerability is, where a source says it; a narrow terminal drops it."""
        told = rated("CVE-2025-0001", SSL, title="A flaw in the made-up parser of libssl3 leads to a crash")
        lines = shown(View(FINDING), outcome(findings=(told,)))
        self.assertTrue(lines[0].endswith("Link Title") and lines[1].endswith(" leads to a crash"), lines)
        self.assertNotIn("crash", "".join(shown(View(FINDING), outcome(findings=(told,)), 120)))

    def test_architectures(self) -> None:
        """A finding in two architectures is one row that names both; two versions are two rows."""
        first = FINDINGS[0]
        other = evolve(first, package=evolve(first.package, arch="i386"))
        newer = evolve(first, package=evolve(first.package, arch="i386", version="3.0.16-2"))
        lines = shown(View(FINDING), outcome(findings=(first, newer, other)))
        self.assertEqual(len(lines), 3)
        self.assertIn("libssl3 (openssl) [amd64, i386] 3.0.16-1~deb12u1", lines[1])

    def test_tracks(self) -> None:
        """A fix that is for subscribers says so, and the version that was compared stands beside the installed one."""
        fixed = FixedPackage("openssl", "3.0.17-1+esm1", track="esm")
        sold = evolve(FINDINGS[0], fixed=fixed, track="esm", compared="3.0.15-1", remark="a remark")
        text = "\n".join(shown(View(FINDING), outcome(findings=(sold,))))
        self.assertIn("3.0.17-1+esm1 for Ubuntu Pro (a remark)", text)
        self.assertIn("3.0.16-1~deb12u1 (as 3.0.15-1)", text)
        self.assertIn("3.0.15-1 3.0.17-1+esm1 for Ubuntu Pro (a remark)", shown(View(), outcome(findings=(sold,)))[1])

    def test_columns(self) -> None:
        """A user names the columns, their order, and the one by which rows are sorted."""
        view = View(FINDING, ("id", "package"), sort_by="package")
        expected = [
            "Vulnerability Package",
            "CVE-2025-9230 bash",
            "CVE-2025-9230 libssl3 (openssl)",
            "CVE-2026-2000 linux-image-6.1.0-18-amd64 (linux-signed-amd64), not running",
            "CVE-2026-1000 sudo",
        ]
        self.assertEqual(shown(view, outcome()), expected)
        every = View("upgrade", ("package", "binaries", "arch", "findings", "cvss", "link"), sort_by="package")
        self.assertEqual(shown(every, outcome())[2].split()[:5], ["openssl", "libssl3", "amd64", "1", "9.8"])
        for bad in (View(columns=("id",)), View(FINDING, sort_by="ids")):
            self.assertRaisesRegex(BadView, "rows by (upgrade|finding) have no column '(id|ids)', but", bad.check)
        every.check()

    def test_filters(self) -> None:
        """Rows below a severity, or without a fix, are left out on request."""
        of = outcome(with_unfixed=True)
        self.assertEqual(len(shown(View(FINDING), of)), 7)
        self.assertEqual(len(shown(View(FINDING, lowest=Severity.HIGH), of)), 3)
        self.assertEqual(len(shown(View(FINDING, only_fixed=True), of)), 5)
        self.assertEqual([len(shown(View(only_fixed=each), of)) for each in (False, True)], [5, 3])
