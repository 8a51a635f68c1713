"""SPDX: every package with its purl, its source and its advisories."""

from __future__ import annotations

from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import PACKAGES, failed, outcome


class SpdxTests(SynchronousTestCase):
    """SPDX."""

    def test_packages(self) -> None:
        """The host contains each package, which has its purl, its source package and its maker."""
        document = made("spdx", outcome())
        host, *packages = document["packages"]
        self.assertEqual((host["versionInfo"], host["primaryPackagePurpose"]), ("debian-12", "OPERATING-SYSTEM"))
        self.assertEqual([each["name"] for each in packages], [each.name for each in PACKAGES])
        known = PackageURL.from_string(packages[1]["externalRefs"][0]["referenceLocator"])
        self.assertEqual((known.name, packages[1]["sourceInfo"]), ("libssl3", "built from openssl 3.0.16-1~deb12u1"))
        self.assertEqual(packages[4]["supplier"], "Organization: Docker")
        described, *contained = document["relationships"]
        self.assertEqual(
            (described["spdxElementId"], described["relatedSpdxElement"]), ("SPDXRef-DOCUMENT", host["SPDXID"])
        )
        self.assertEqual([each["relatedSpdxElement"] for each in contained], [each["SPDXID"] for each in packages])

    def test_advisories(self) -> None:
        """A package refers to the pages of the findings that count, with what to upgrade."""
        packages = made("spdx", outcome())["packages"]
        _, advisory = packages[2]["externalRefs"]
        self.assertEqual(advisory["referenceLocator"], "https://security-tracker.debian.org/tracker/CVE-2025-9230")
        self.assertTrue(advisory["comment"].startswith("CVE-2025-9230: Upgrade libssl3"))
        self.assertEqual(len(packages[3]["externalRefs"]), 1)

    def test_verdict(self) -> None:
        """The comment of the creation has the verdict, and how many packages were not judged."""
        self.assertEqual(made("spdx", outcome())["creationInfo"]["comment"], "verdict findings; 2 packages not judged")
        said = made("spdx", failed())["creationInfo"]["comment"]
        self.assertEqual(said, "verdict incomplete: Connection refused; 0 packages not judged")
