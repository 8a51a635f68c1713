"""Real documents of feeds, parsed, with counts that were made in another way."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.archive.decompress import open_feed
from patches.sources.csaf.parser import parse_csaf
from patches.sources.debian_tracker.parser import parse_tracker
from patches.sources.parse_context import ParseContext
from patches.sources.updateinfo.parser import parse_updateinfo
from patches.vulnerability import FixedPackage, Vulnerability
from tests.shared_data import shared

KERNELS = ("kernel", "kernel-rt")
ARCHES = {"aarch64", "i686", "x86_64"}


def builds(packages: list[FixedPackage]) -> int:
    """Return the number of builds: packages with their architectures."""
    return sum(len(package.arches or ("noarch",)) for package in packages)


class VexTests(SynchronousTestCase):
    """VEX documents of Red Hat."""

    def packages(self, document: str, platform: str, *statuses: str, track: str | None = None) -> list[FixedPackage]:
        """Return the packages of a release with one of these statuses, in one track."""
        context = ParseContext("redhat")
        content = shared(f"data/csaf-vex/{document}.json").read_bytes()
        (release,) = [each for each in parse_csaf([(document, content)], context) if each.platform == platform]
        self.assertEqual(context.skipped, {})
        return [each for each in release.fixed_in if each.track == track and each.status in statuses]

    def test_several_fixes(self) -> None:
        """CVE-2023-38545: 96 fixed builds for RHEL 9, 48 each of two minor releases; 48 more for EUS of 9.0."""
        found = self.packages("cve-2023-38545", "rhel-9", "fixed")
        self.assertEqual(builds(found), 96)
        tags = Counter((each.version or "").rpartition(".el")[2][:3] for each in found)
        self.assertEqual(tags, {"9_2": 10, "9_3": 10})
        longer = self.packages("cve-2023-38545", "rhel-9", "fixed", track="eus-9.0")
        self.assertEqual((builds(longer), all(".el9_0" in str(each.version) for each in longer)), (48, True))

    def test_modules(self) -> None:
        """CVE-2025-40907: 48 modular builds of perl-FCGI:0.78 on the main line of RHEL 8."""
        found = self.packages("cve-2025-40907-perl", "rhel-8", "fixed")
        self.assertEqual(({each.module for each in found}, builds(found)), ({"perl-FCGI:0.78"}, 48))
        for track in ("e4s-8.6", "aus-8.2", "tus-8.8"):
            longer = self.packages("cve-2025-40907-perl", "rhel-8", "fixed", track=track)
            self.assertEqual({each.module for each in longer}, {"perl-FCGI:0.78"})

    def test_states(self) -> None:
        """CVE-2024-0727: RHEL 9 has 42 fixed builds and 15 + 4 not affected; RHEL 8 has 8 packages without a fix."""
        self.assertEqual(builds(self.packages("cve-2024-0727-openssl", "rhel-9", "fixed")), 42)
        sound = self.packages("cve-2024-0727-openssl", "rhel-9", "not_affected")
        self.assertEqual(builds([each for each in sound if each.kind == "binary"]), 15)
        self.assertEqual(builds([each for each in sound if each.kind == "source"]), 4)
        unfixed = self.packages("cve-2024-0727-openssl", "rhel-8", "deferred", "will_not_fix")
        self.assertEqual(len([each for each in unfixed if each.name != "edk2"]), 8)  # edk2 is a source package

    def test_without_urls(self) -> None:
        """Documents of 2023 name packages by the ids of components: kernels of RHEL 8 and 9, vim of all releases."""
        for platform in ("rhel-8", "rhel-9"):
            found = self.packages("cve-2023-0045", platform, "will_not_fix", "affected")
            self.assertEqual({(each.name, each.kind) for each in found}, {(name, "source") for name in KERNELS})
            (vim,) = self.packages("cve-2023-0049", platform, "will_not_fix")
            self.assertEqual((vim.name, vim.version), ("vim", None))
        (vim,) = self.packages("cve-2023-0049", "rhel-6", "end_of_life")

    def test_unfixed(self) -> None:
        """CVE-2026-2673: no package has a fix."""
        for platform, count in (("rhel-8", 8), ("rhel-9", 7), ("rhel-10", 6)):
            self.assertEqual(len(self.packages("cve-2026-2673", platform, "deferred")), count)


class AdvisoryTests(SynchronousTestCase):
    """``updateinfo.xml`` of Amazon and Rocky."""

    def read(self, name: str, platform: str) -> tuple[list[Vulnerability], dict[str, int]]:
        """Return the vulnerabilities of a file, and the counts of skipped entries."""
        context = ParseContext("updateinfo")
        with open_feed(shared(f"data/updateinfo/{name}")) as stream:
            return list(parse_updateinfo(stream, platform, context)), dict(context.skipped)

    def test_amazon(self) -> None:
        """One advisory with 61 packages on three architectures."""
        (advisory,), skipped = self.read("amazon-2023.xml.gz", "amazon-2023")
        self.assertEqual((builds(list(advisory.fixed_in)), skipped), (61, {}))
        self.assertEqual({arch for each in advisory.fixed_in for arch in each.arches or ()} - {"noarch"}, ARCHES)

    def test_rocky(self) -> None:
        """Four updates, three of them about security."""
        found, skipped = self.read("rocky-8.xml", "rocky-8")
        self.assertEqual((len(found), skipped), (3, {"not security": 1}))


class TrackerTests(SynchronousTestCase):
    """The Debian tracker."""

    def test_sample(self) -> None:
        """25 entries of source packages, vulnerabilities and releases; one without releases is unreadable in each."""
        context = ParseContext("debian")
        with shared("data/debian-security-tracker/tracker-sample.json").open("rb") as stream:
            found = [each for each in parse_tracker(stream, context) if not each.followed]
        self.assertEqual((len(found), context.skipped), (32, {"unreadable": 7}))
