"""Tests for :mod:`patches.scanner.matching.package_tracks`: Amazon Linux 2, with and without a repository."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.findings import Findings
from patches.scanner.matching.matcher import Matcher
from patches.scanner.matching.rules import Rule
from patches.vulnerability import FixedPackage, Vulnerability


def package(name: str, version: str, repository: str | None = None, source: str | None = None) -> Package:
    """Return a package of Amazon Linux 2."""
    return Package(name, f"0:{version}.amzn2", "x86_64", source or name, f"{version}.amzn2", repository=repository)


def advisory(name: str, *fixed: tuple[str, str]) -> Vulnerability:
    """Return an advisory that fixes binary packages."""
    fixes = tuple(FixedPackage(each, f"0:{version}.amzn2", "binary") for each, version in fixed)
    return Vulnerability(name, "amazon-2", fixes, aliases=("CVE-2024-1",))


CORE = advisory("ALAS2-2024-1", ("nginx", "1.12.2-2"), ("kernel", "4.14.355-276.618"), ("bash", "5-1"))
NGINX = advisory("ALASNGINX1-2024-1", ("nginx", "1.22.1-1"))
KERNEL = advisory("ALASKERNEL-5.10-2024-7", ("kernel", "5.10.230-223.885"))
LISTED = (CORE, NGINX, KERNEL)


class AmazonTests(SynchronousTestCase):
    """The track of a package of Amazon Linux 2, and what follows."""

    def judged(self, installed: Package, *listed: Vulnerability) -> tuple[list[str | None], Rule | None]:
        """Return the fixes of the findings, and why the package is unjudged."""
        matcher, findings = Matcher(Inventory("rpm", (installed,), platform="amazon-2")), Findings("rpm")
        for each in listed:
            for match in matcher.match(each):
                findings.add(match)
        reason = matcher.reason_unjudged(installed)
        found = findings.all({}, (), matcher.counts)
        return [each.fixed.version for each in found], reason

    def test_repository(self) -> None:
        """The recorded repository decides: a package of the core is compared with the core's fixes only."""
        for name, version, repository, expected in (
            ("nginx", "1.12.2-2", "amzn2-core", ([], None)),
            ("nginx", "1.12.2-1", "amzn2-core", (["0:1.12.2-2.amzn2"], None)),
            ("nginx", "1.20.0-1", "amzn2extra-nginx1", (["0:1.22.1-1.amzn2"], None)),
            ("nginx", "1.22.1-1", "amzn2extra-nginx1", ([], None)),
            ("nginx", "1.12.2-1", "amzn2extra-nginx1.12", ([], Rule.NO_TRACK)),
            ("docker", "20.10-1", "amzn2extra-docker", ([], Rule.NO_TRACK)),
            ("bash", "4-1", "amzn2-core", (["0:5-1.amzn2"], None)),
        ):
            found = self.judged(package(name, version, repository), *LISTED)
            self.assertEqual(found, expected, (name, version, repository))

    def test_series(self) -> None:
        """A kernel is of the extra of its series, or of the core, without a repository too."""
        for version, expected in (
            ("4.14.355-276.618", ([], None)),
            ("4.14.300-1", (["0:4.14.355-276.618.amzn2"], None)),
            ("5.10.230-223.885", ([], None)),
            ("5.10.50-1", (["0:5.10.230-223.885.amzn2"], None)),
            ("5.4.1-1", ([], Rule.NO_TRACK)),
        ):
            self.assertEqual(self.judged(package("kernel", version), *LISTED), expected, version)

    def test_exact_build(self) -> None:
        """Without a repository, an advisory that lists exactly the build decides."""
        newer = advisory("ALASNGINX1-2025-9", ("nginx", "1.24.0-1"))
        listed = (CORE, NGINX, newer)
        self.assertEqual(self.judged(package("nginx", "1.22.1-1"), *listed), (["0:1.24.0-1.amzn2"], None))
        self.assertEqual(self.judged(package("nginx", "1.12.2-2"), *listed), ([], None))

    def test_not_known(self) -> None:
        """Without either, a package whose name is in extras too is not evaluated; any other is of the core."""
        for name, version, listed, expected in (
            ("nginx", "1.12.1-1", LISTED, ([], Rule.NO_REPOSITORY)),
            ("docker", "20.10-1", (CORE,), ([], Rule.NO_REPOSITORY)),
            ("made-up", "1-1", (advisory("ALASX-2024-1", ("made-up", "2-1")),), ([], Rule.NO_REPOSITORY)),
            ("bash", "4-1", LISTED, (["0:5-1.amzn2"], None)),
            ("bash", "5-1", LISTED, ([], None)),
        ):
            self.assertEqual(self.judged(package(name, version), *listed), expected, (name, version))

    def test_other_platforms(self) -> None:
        """Amazon Linux 2023 has one repository; its packages are not open."""
        installed = Package("docker", "0:25-1.amzn2023", "x86_64", "docker", "25-1.amzn2023")
        matcher = Matcher(Inventory("rpm", (installed,), platform="amazon-2023"))
        self.assertIsNone(matcher.reason_unjudged(installed))
