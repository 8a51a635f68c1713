"""Tests for :mod:`patches.sources.ids`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.ids import NamedId, bare, cves, errata, ghsas, named_ids, split_ids, vulnerability_ids
from patches.vulnerability import FixedPackage, Vulnerability


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


class NameTests(SynchronousTestCase):
    """Names that sources give to vulnerabilities."""

    def test_named(self) -> None:
        """A name consists of an id, a note, and other ids in the note."""
        for text, name, note, aliases in (
            ("CVE-2018-14461 (LDP)", "CVE-2018-14461", "LDP", set()),
            ("CVE-2018-14466 (AFS/RX)", "CVE-2018-14466", "AFS/RX", set()),
            ("CVE-2016-6258 XSA-182", "CVE-2016-6258", "XSA-182", {"XSA-182"}),
            ("cve_2017_2616: XSA-7", "CVE-2017-2616", None, {"XSA-7"}),
            ("XSA-207 (first part) of two", "XSA-207", "(first part) of two", set()),
            ("RHSA-2024:0002: curl security update (Moderate)", "RHSA-2024:0002", None, set()),
            ("CVE-2024-0001 on Ubuntu 22.04 LTS (jammy) - low.", "CVE-2024-0001", None, set()),
            ("CVE-2024-0001 é", "CVE-2024-0001", "\\xe9", set()),
        ):
            self.assertEqual(named_ids(text), [NamedId(name, note, frozenset(aliases))], text)

    def test_bare_names(self) -> None:
        """A name that is an id, of whatever form, or has no id, is kept as it is."""
        for text in (
            *("CVE-2024-0001", "RHSA-2015:1193", "ELSA-2015-1193", "SUSE-SU-2024:0001-1", "ALAS2KERNEL-5.10-2022-001"),
            *("TEMP-0000000-ABCDEF", "GHSA-abcd-1234-efgh", "x/y", "made up", "!followed"),
        ):
            self.assertEqual(named_ids(text), [NamedId(text)], text)

    def test_several(self) -> None:
        """A name with several CVEs is several vulnerabilities; each says which others its name had."""
        expected = [NamedId("CVE-2024-1111", "CVE-2024-2222"), NamedId("CVE-2024-2222", "CVE-2024-1111")]
        self.assertEqual(named_ids("CVE-2024-1111 CVE-2024-2222"), expected)

    def test_long_note(self) -> None:
        """A note that is cut does not end in a blank."""
        (found,) = named_ids(f"CVE-2024-0001 {'x' * 119} y")
        self.assertEqual(found.note, "x" * 119)

    def test_vulnerability(self) -> None:
        """A vulnerability gets its bare id as its name; its own note and aliases are kept."""
        whole = Vulnerability(
            "CVE-2016-6258 XSA-182", "alpine-3.8", (FixedPackage("xen", "1"),), aliases=("A-1",), note="odd"
        )
        (found,) = bare(whole)
        self.assertEqual((found.name, found.note, found.aliases), ("CVE-2016-6258", "XSA-182; odd", ("A-1", "XSA-182")))
        self.assertEqual((found.fixed_in, found.platform), (whole.fixed_in, whole.platform))
        self.assertEqual(list(bare(found)), [found])
