"""The matcher: every installed package below its fix is a finding, nothing else is, and nothing is skipped silently."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.matcher import Match, Matcher
from patches.scanner.matching.rules import Rule
from patches.versions.dpkg import sort_key
from patches.vulnerability import STATUSES, FixedPackage, Vulnerability

LIBC = Package("libc6", "2.36-9+deb12u4+b1", "amd64", "glibc", "2.36-9+deb12u4")
LIBC_DEV = Package("libc6-dev", "2.36-9+deb12u4+b1", "amd64", "glibc", "2.36-9+deb12u4")
TZDATA = Package("tzdata", "2024a-0", "all", "tzdata", "2024a-0")
ODD = Package("odd", "v1", "amd64", "odd", "v1")
INSTALLED = Inventory("dpkg", (LIBC, LIBC_DEV, TZDATA, ODD))


def vulnerability(*fixed: FixedPackage) -> Vulnerability:
    """Return a vulnerability of these packages."""
    return Vulnerability("CVE-2023-6246", "debian-12", fixed)


def found(*fixed: FixedPackage) -> list[str]:
    """Return the names of the installed packages that a vulnerability affects."""
    return [finding.package.name for finding in Matcher(INSTALLED).match(vulnerability(*fixed))]


def passed_over(*fixed: FixedPackage) -> dict[str, int]:
    """Check that a vulnerability has no match. Return how often it was not evaluated."""
    subject = Matcher(INSTALLED)
    assert list(subject.match(vulnerability(*fixed))) == []
    return dict(subject.not_evaluated)


class VerdictTests(SynchronousTestCase):
    """One fix and one host."""

    def test_finding(self) -> None:
        """A match contains the vulnerability, the installed package and the fix."""
        fixed = FixedPackage("tzdata", "2024b-0")
        self.assertEqual(
            list(Matcher(INSTALLED).match(vulnerability(fixed))),
            [Match(vulnerability(fixed), TZDATA, fixed, "2024a-0")],
        )

    def test_source(self) -> None:
        """The version of a source package is compared, for each package built from it."""
        self.assertEqual(found(FixedPackage("glibc", "2.36-9+deb12u5")), ["libc6", "libc6-dev"])
        self.assertEqual(found(FixedPackage("glibc", "2.36-9+deb12u4")), [])
        self.assertEqual(found(FixedPackage("glibc", "2.36-9+deb12u4+a")), ["libc6", "libc6-dev"])

    def test_binary(self) -> None:
        """A binary package is found by its own name and version only."""
        self.assertEqual(found(FixedPackage("libc6", "2.36-9+deb12u5", kind="binary")), ["libc6"])
        self.assertEqual(found(FixedPackage("libc6", "2.36-9+deb12u4+a", kind="binary")), [])
        self.assertEqual(found(FixedPackage("libc6", "99")), [])
        self.assertEqual(found(FixedPackage("glibc", "99", kind="binary")), [])

    def test_not_installed(self) -> None:
        """A package that is not installed is neither matched nor counted."""
        self.assertEqual(passed_over(FixedPackage("sudo", None), FixedPackage("sudo", "bad version")), {})

    def test_no_fix(self) -> None:
        """Without a fix every version is affected, even an invalid one, and the match has no fixed version."""
        findings = list(Matcher(INSTALLED).match(vulnerability(FixedPackage("odd", None, status="affected"))))
        self.assertEqual([(f.package, f.fixed.version) for f in findings], [(ODD, None)])

    def test_status(self) -> None:
        """Of the statuses only ``not_affected`` and ``unreadable`` exclude a match; the latter is not evaluated."""
        wanted = [status for status in STATUSES if found(FixedPackage("tzdata", None, status=status))]
        self.assertEqual(wanted, [status for status in STATUSES if status not in ("not_affected", "unreadable")])
        unread = FixedPackage("tzdata", None, status="unreadable", note="the version 1_r0 is not valid")
        self.assertEqual(passed_over(unread), {Rule.UNREADABLE.text: 1})

    def test_introduced(self) -> None:
        """Versions before the first affected one are not affected."""
        for introduced, expected in (("2024a-0", ["tzdata"]), ("2024a-1", []), ("2023a", ["tzdata"])):
            self.assertEqual(found(FixedPackage("tzdata", "2025a", introduced=introduced)), expected)
            self.assertEqual(found(FixedPackage("tzdata", None, introduced=introduced)), expected)

    def test_several_ranges(self) -> None:
        """A package in several ranges is matched once, with the highest fix that it is below."""
        ranges = [FixedPackage("tzdata", "2023a"), FixedPackage("tzdata", "2024b"), FixedPackage("tzdata", "2025a")]
        findings = list(Matcher(INSTALLED).match(vulnerability(*ranges)))
        self.assertEqual([finding.fixed.version for finding in findings], ["2025a"])

    def test_last_affected(self) -> None:
        """The last affected version is affected, and newer ones are not."""
        for last, expected in (("2024a-0", ["tzdata"]), ("2024a-1", ["tzdata"]), ("2023d-9", [])):
            self.assertEqual(found(FixedPackage("tzdata", None, last_affected=last)), expected, last)
        self.assertEqual(found(FixedPackage("tzdata", None, introduced="2024a-0", last_affected="2024a-0")), ["tzdata"])
        self.assertEqual(passed_over(FixedPackage("tzdata", None, last_affected="_")), {Rule.INVALID_LISTED.text: 1})

    def test_tracks(self) -> None:
        """A fix for subscribers is shown to every host that has no other fix; for subscribers it goes before others."""
        free, sold = FixedPackage("glibc", "99"), FixedPackage("glibc", "2.37+esm1", track="esm")
        no_fix, no_sold_fix = FixedPackage("glibc", None), FixedPackage("glibc", None, track="esm")
        has_it = FixedPackage("glibc", "2.36-9+deb12u4", track="esm")
        for fixes, tracks, expected in (
            ((no_fix, sold), (), "2.37+esm1"),
            ((sold,), (), "2.37+esm1"),
            ((free, sold), (), "99"),
            ((free, sold), ("esm",), "2.37+esm1"),
            ((free, has_it), ("esm",), None),
            ((no_fix, has_it), (), None),
            ((free, no_sold_fix), ("esm",), "99"),
            ((free, no_sold_fix), (), "99"),
            ((FixedPackage("glibc", "99", track="fips"),), ("fips",), None),
            ((FixedPackage("glibc", "99", track="eus-9.4"),), (), None),
        ):
            subject = Matcher(Inventory("dpkg", INSTALLED.packages, frozenset(tracks)))
            matches = list(subject.match(vulnerability(*fixes)))
            versions = {each.fixed.version for each in matches}
            self.assertEqual(versions, {expected} if expected else set(), (fixes, tracks))

    def test_arches(self) -> None:
        """A fix for other architectures does not apply; one for every architecture does."""
        for arches, expected in ((("amd64",), True), (("arm64", "i386"), False), (("all",), True), ((), False)):
            self.assertEqual(bool(found(FixedPackage("glibc", "99", arches=arches))), expected, arches)
        self.assertEqual(found(FixedPackage("tzdata", "2025a", arches=("arm64",))), ["tzdata"])

    def test_signed_kernel(self) -> None:
        """A signed kernel is judged as the kernel in the lists."""
        for source, name in (
            ("linux-signed-amd64", "linux"),
            ("linux-signed", "linux"),
            ("linux-signed-hwe-6.8", "linux-hwe-6.8"),
        ):
            image = Package("linux-image", "6.1.119-1", "amd64", source, "6.1.119+1")
            subject = Matcher(Inventory("dpkg", (image,)))
            self.assertEqual(len(list(subject.match(vulnerability(FixedPackage(name, "6.1.123-1"))))), 1, source)
            self.assertEqual(list(subject.match(vulnerability(FixedPackage(name, "6.1.119-1")))), [])


class NotEvaluatedTests(SynchronousTestCase):
    """Comparisons that are not possible are counted, and never count as clean."""

    def test_invalid_versions(self) -> None:
        """An invalid version on either side is counted for each installed package."""
        self.assertEqual(passed_over(FixedPackage("odd", "2")), {Rule.INVALID_INSTALLED.text: 1})
        self.assertEqual(passed_over(FixedPackage("glibc", "v99")), {Rule.INVALID_LISTED.text: 2})
        self.assertEqual(passed_over(FixedPackage("tzdata", None, introduced="_")), {Rule.INVALID_LISTED.text: 1})

    def test_module(self) -> None:
        """A fix within a module does not apply to a package outside it."""
        self.assertEqual(passed_over(FixedPackage("tzdata", "99", module="zones:1")), {})

    def test_own_fixes(self) -> None:
        """Builds with fixes of their own are not judged by the versions in the list."""
        for version in (
            "1.1.1f-1ubuntu2.fips.2.8",
            "1.1.1-1ubuntu2+Fips1",
            "2.28-1.ksplice1.el8",
            "1:1.1.1k-9.el8_6_fips",
        ):
            package = Package("openssl", version, "amd64", "openssl", version)
            subject = Matcher(Inventory("dpkg", (package,)))
            self.assertEqual(list(subject.match(vulnerability(FixedPackage("openssl", "99")))), [])
            self.assertIs(subject.reason_unjudged(package), Rule.NO_TRACK)

    def test_packages(self) -> None:
        """The packages that could not be judged are named, with the reasons."""
        subject = Matcher(INSTALLED)
        list(subject.match(vulnerability(FixedPackage("odd", "2"), FixedPackage("tzdata", "_"))))
        self.assertEqual(subject.unjudged, {ODD: {Rule.INVALID_INSTALLED.text}, TZDATA: {Rule.INVALID_LISTED.text}})

    def test_no_order(self) -> None:
        """Without a version order, only rules that need no order apply."""
        subject = Matcher(Inventory("pacman", (TZDATA,)))
        self.assertEqual(list(subject.match(vulnerability(FixedPackage("tzdata", "99")))), [])
        self.assertEqual(subject.not_evaluated, {Rule.NO_ORDER.text: 1})
        self.assertEqual(len(list(subject.match(vulnerability(FixedPackage("tzdata", None))))), 1)

    def test_adds_up(self) -> None:
        """Counts are summed over the vulnerabilities of a scan."""
        subject = Matcher(INSTALLED)
        for _ in range(3):
            list(subject.match(vulnerability(FixedPackage("odd", "2"))))
        self.assertEqual(subject.not_evaluated.total(), 3)


class LawTests(SynchronousTestCase):
    """Properties of all versions."""

    versions = st.from_regex(r"\A[0-9]\.[0-9a~]{1,3}(-[0-9])?\Z")

    @given(versions, st.none() | versions, st.none() | versions)
    @settings(deadline=None)
    def test_half_open(self, installed: str, introduced: str | None, fixed: str | None) -> None:
        """A package is affected from the introducing version up to, but not including, the fix."""
        subject = Matcher(Inventory("dpkg", (Package("p", installed, "amd64", "p", installed),)))
        hit = bool(list(subject.match(vulnerability(FixedPackage("p", fixed, introduced=introduced)))))
        key = sort_key(installed)
        after = introduced is None or sort_key(introduced) <= key
        self.assertEqual(hit, after and (fixed is None or key < sort_key(fixed)))
        self.assertEqual(subject.not_evaluated.total(), 0)
