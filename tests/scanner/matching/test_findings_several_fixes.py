"""Findings with several fixes: the fix and the installed version that are shown."""

from __future__ import annotations

import itertools

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.findings import Finding, Findings
from patches.scanner.matching.matcher import Match
from patches.vulnerability import FixedPackage, Vulnerability

SSL = Package("libssl3", "3.0.11-1+b1", "amd64", "openssl", "3.0.11-1")


def found(*fixes: FixedPackage, scheme: str = "dpkg", records: int = 1) -> Finding:
    """Return the finding of one vulnerability with one or several records that have these fixes."""
    subject = Findings(scheme)
    for number, fixed in enumerate(fixes):
        source = f"source-{number % records}"
        version = SSL.source_version if fixed.kind == "source" else SSL.version
        subject.add(Match(Vulnerability("CVE-2024-1111", "debian-12", fixes, source=source), SSL, fixed, version))
    [finding] = subject.all({})
    return finding


class SeveralFixesTests(SynchronousTestCase):
    """The highest fix in the native order."""

    def test_two(self) -> None:
        """Of exactly two fixes of one package in one record the highest is shown, not the first by name or position."""
        for versions in itertools.permutations(("3.0.9-1", "3.0.10-1")):
            for records in (1, 2):
                finding = found(*(FixedPackage("openssl", version) for version in versions), records=records)
                self.assertEqual((finding.fixed.version, len(finding.records)), ("3.0.10-1", records), versions)

    def test_native_order(self) -> None:
        """The order is that of the scheme: a tilde is before the end, an epoch before all."""
        for low, high in (("1.0~rc1", "1.0"), ("9.0", "1:1.0"), ("1.0", "1.0+b1")):
            for versions in ((low, high), (high, low)):
                self.assertEqual(found(*(FixedPackage("openssl", each) for each in versions)).fixed.version, high)

    def test_without_fix(self) -> None:
        """A fix takes precedence over a record without a fix; a last affected version counts by its own order."""
        none, fix = FixedPackage("openssl", None), FixedPackage("openssl", "3.0.12-1")
        last = FixedPackage("openssl", None, last_affected="3.0.13-1")
        for first, second, expected in ((none, fix, fix), (fix, none, fix), (last, fix, last), (fix, last, last)):
            self.assertEqual(found(first, second).fixed, expected)

    def test_not_valid(self) -> None:
        """An invalid version is below every valid one; with an unknown scheme the first fix is shown."""
        bad, good = FixedPackage("openssl", "_"), FixedPackage("openssl", "1")
        empty = FixedPackage("openssl", "")
        for low in (bad, empty):
            self.assertEqual([found(low, good).fixed, found(good, low).fixed], [good, good])
        other = FixedPackage("openssl", "2")
        self.assertEqual([found(good, other, scheme="x").fixed, found(other, good, scheme="x").fixed], [good, other])

    def test_one(self) -> None:
        """A single fix is shown as it is, valid or not."""
        for fixed in (FixedPackage("openssl", "_"), FixedPackage("openssl", None), FixedPackage("openssl", "1")):
            self.assertEqual(found(fixed).fixed, fixed)

    def test_installed(self) -> None:
        """The installed version is the package's own; what was compared stands beside it if it is another."""
        for kind, expected in (("source", "3.0.11-1"), ("binary", None)):
            finding = found(FixedPackage("openssl", "4", kind=kind))
            self.assertEqual((finding.installed_version, finding.compared_version), ("3.0.11-1+b1", expected))
