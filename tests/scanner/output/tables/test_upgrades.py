"""Upgrades: the findings that one new version repairs are one row, whatever their packages and architectures."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.output.phrases import score_of_finding
from patches.scanner.output.tables.upgrades import Upgrade, arches_of, upgrades_of
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.sample_outcomes import CVSS, FINDINGS, UNFIXED, finding

LIBC = Package("libc6", "2.36-9+deb12u4", "amd64", "glibc", "2.36-9+deb12u4")
LOCALES = evolve(LIBC, name="locales", arch="all")
LIBC_32 = evolve(LIBC, arch="i386")


def glibc(number: int, fixed: str, severity: Severity, package: Package = LIBC, **more: str) -> object:
    """Return a finding of glibc."""
    return finding(f"CVE-2026-{number:04d}", package, FixedPackage("glibc", fixed), severity, **more)


class UpgradeTests(SynchronousTestCase):
    """Upgrades."""

    def of(self, *findings: object, scheme: str = "dpkg") -> list[Upgrade]:
        """Return the upgrades of findings."""
        return upgrades_of(findings, scheme)  # type: ignore[arg-type]

    def test_highest(self) -> None:
        """An upgrade is to the highest fixed version, in the order of the native tool, which repairs all."""
        (row,) = self.of(
            glibc(1, "2.36-9+deb12u6", Severity.HIGH),
            glibc(2, "2.36-9+deb12u10", Severity.LOW),
            glibc(2, "2.36-9+deb12u10", Severity.LOW, LOCALES),
        )
        self.assertEqual((row.source, row.installed, row.fixed), ("glibc", "2.36-9+deb12u4", "2.36-9+deb12u10"))
        self.assertEqual((row.findings, len(row.ids), row.severity), (3, 2, Severity.HIGH))
        self.assertEqual([package.name for package in row.packages], ["libc6", "locales"])
        self.assertEqual(row.worst.vulnerability_id, "CVE-2026-0001")

    def test_architectures(self) -> None:
        """Two architectures are one row, both named; those for every machine are not."""
        both = [glibc(1, "2.36-9+deb12u6", Severity.HIGH, each) for each in (LIBC, LIBC_32, LOCALES)]
        (row,) = self.of(*both)
        self.assertEqual((row.name, arches_of(row.packages)), ("glibc (amd64, i386)", ["amd64", "i386"]))
        self.assertEqual(self.of(both[0])[0].name, "glibc")

    def test_apart(self) -> None:
        """Two installed versions, two tracks, and findings with and without a fix are rows of their own."""
        older = evolve(LIBC, version="2.36-9", source_version="2.36-9")
        sold = evolve(glibc(3, "2.36-9+esm1", Severity.LOW), track="esm")  # type: ignore[misc]
        rows = self.of(
            glibc(1, "2.36-9+deb12u6", Severity.HIGH),
            glibc(1, "2.36-9+deb12u6", Severity.HIGH, older),
            sold,
            finding("CVE-2026-0004", LIBC, FixedPackage("glibc", None, status="will_not_fix"), Severity.LOW),
            finding("CVE-2026-0005", LIBC, FixedPackage("glibc", None, status="affected"), Severity.LOW),
        )
        fixes = {(row.installed, row.fixed) for row in rows}
        expected = {
            ("2.36-9+deb12u4", "2.36-9+deb12u6"),
            ("2.36-9", "2.36-9+deb12u6"),
            ("2.36-9+deb12u4", "2.36-9+esm1 for Ubuntu Pro"),
            ("2.36-9+deb12u4", "will not fix"),
            ("2.36-9+deb12u4", "no fix yet"),
        }
        self.assertEqual((fixes, len(rows)), (expected, 5))

    def test_own_versions(self) -> None:
        """Binary packages with versions of their own are compared with fixes of their own: the source's name leads."""
        perl = Package("perl", "4:5.32.1-481.el9", "x86_64", "perl", "5.32.1-481.el9")
        errno = evolve(perl, name="perl-Errno", version="0:1.30-481.el9")
        (row,) = self.of(
            finding("CVE-2026-0001", errno, FixedPackage("perl-Errno", "0:1.30-483.el9", "binary"), Severity.HIGH),
            finding("CVE-2026-0001", perl, FixedPackage("perl", "4:5.32.1-483.el9", "binary"), Severity.HIGH),
            scheme="rpm",
        )
        self.assertEqual((row.installed, row.fixed), ("4:5.32.1-481.el9", "4:5.32.1-483.el9"))
        self.assertEqual([package.name for package in row.packages], ["perl", "perl-Errno"])

    def test_order(self) -> None:
        """The row with the most ids of the highest severity is first, and the worst id has the highest score."""
        rows = self.of(*FINDINGS[:2], *UNFIXED, glibc(1, "2.36-9+deb12u6", Severity.HIGH), glibc(2, "9", Severity.HIGH))
        self.assertEqual([row.source for row in rows], ["glibc", "openssl", "bash", "bash", "bash"])
        (row,) = self.of(glibc(1, "9", Severity.HIGH, cvss=CVSS), glibc(2, "9", Severity.HIGH))
        self.assertEqual((row.worst.vulnerability_id, score_of_finding(row.worst)), ("CVE-2026-0001", 9.8))

    def test_scale(self) -> None:
        """As many findings as a long list has are as many rows as there are source packages."""
        packages = [evolve(LIBC, name=f"lib{n}", source=f"source{n}", arch=arch) for n in range(50) for arch in "ab"]
        many = [glibc(number, "3", Severity.LOW, package) for package in packages for number in range(40)]
        rows = self.of(*many)
        self.assertEqual((len(many), len(rows), sum(row.findings for row in rows)), (4000, 50, 4000))
