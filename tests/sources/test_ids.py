"""Tests for :mod:`patches.sources.ids`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.ids import cves, errata, ghsas, split_ids, vulnerability_ids


class IdTests(SynchronousTestCase):
    """Ids in texts."""

    def test_cves(self) -> None:
        """CVE ids are found in either form and case, and returned in MITRE's notation; similar texts are not."""
        text = "cve_2017_2616, (CVE-2024-12345)CVE-2024-0001."
        self.assertEqual(list(cves(text)), ["CVE-2017-2616", "CVE-2024-12345", "CVE-2024-0001"])
        for other in ("CVE-2024-123", "XCVE-2024-1234", "CVE-24-1234", "CVE-2024-" + "1" * 20, "CVE 2024 1234"):
            self.assertEqual(list(cves(other)), [], other)

    def test_ghsas(self) -> None:
        """GitHub's ids are returned in lower case after their prefix."""
        self.assertEqual(list(ghsas("ghsa-ABCD-1234-efgh, GHSA-a-b-c")), ["GHSA-abcd-1234-efgh"])
        self.assertEqual(list(ghsas("GHSA-abcd-1234-efghi")), [])

    def test_errata(self) -> None:
        """Red Hat's advisories are of three kinds."""
        text = "RHSA-2024:0001 RHBA-2024:12345 RHEA-2024:123456 RHXA-2024:0001 RHSA-2024:001 RHSA-2024:1234567"
        self.assertEqual(errata(text), ["RHSA-2024:0001", "RHBA-2024:12345", "RHEA-2024:123456"])

    def test_flaw_names(self) -> None:
        """Ids of several texts are returned once each, sorted."""
        texts = ["CVE-2024-2222 GHSA-abcd-1234-efgh", "CVE-2024-1111", "CVE-2024-2222"]
        self.assertEqual(vulnerability_ids(texts), ("CVE-2024-1111", "CVE-2024-2222", "GHSA-abcd-1234-efgh"))

    def test_names_in(self) -> None:
        """A CVE takes precedence over GitHub's id, and that over others; the rest are aliases."""
        for text, names, others in (
            ("CVE-2016-6258 XSA-182", ["CVE-2016-6258"], {"XSA-182"}),
            ("XSA-182", ["XSA-182"], set()),
            ("GHSA-abcd-1234-efgh RUSTSEC-2020-0146", ["GHSA-abcd-1234-efgh"], {"RUSTSEC-2020-0146"}),
            ("CVE-2024-1111 CVE-2024-1111 CVE-2024-2222", ["CVE-2024-1111", "CVE-2024-2222"], set()),
            ("nothing here", [], set()),
        ):
            self.assertEqual(split_ids(text), (names, others), text)
