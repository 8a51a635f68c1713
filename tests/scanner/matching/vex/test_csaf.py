"""CSAF documents as files of decisions: which statuses of products are decisions, about which findings, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.vex.csaf import parse_csaf
from patches.scanner.matching.vex.statements import BadVex
from tests.scanner.matching.vex.samples import BASH_FLAW, SSL_FLAW, SSL_PURL, about, csaf, on_platform, part, product

TODAY = date(2026, 2, 28)
SSL = product("SSL", purl=SSL_PURL)


class CsafTests(SynchronousTestCase):
    """The decisions of documents."""

    def ignored(self, *vulnerabilities: Any, of: Finding = SSL_FLAW, **tree: Any) -> Ignored | None:
        """Return the decision of a document about a finding."""
        return parse_csaf(csaf(*vulnerabilities, **({"full_product_names": [SSL]} | tree))).of(of, TODAY)

    def test_statuses(self) -> None:
        """Products that are known not to be affected, or fixed, are decisions; others are not."""
        for status, expected in {
            "known_not_affected": "not_affected",
            "fixed": "fixed",
            "first_fixed": "fixed",
            "known_affected": None,
            "first_affected": None,
            "last_affected": None,
            "under_investigation": None,
            "recommended": None,
        }.items():
            found = self.ignored(about(status, "SSL"))
            self.assertEqual((status, found and found.status), (status, expected))
            self.assertIsNone(self.ignored(about(status, "SSL"), of=BASH_FLAW))

    def test_affected_wins(self) -> None:
        """A product that is affected according to another statement is not ignored, whatever their order is."""
        good, bad = about("known_not_affected", "SSL"), about("known_affected", "SSL")
        for statements in ((good, bad), (bad, good)):
            self.assertIsNone(self.ignored(*statements))
        both = {"known_affected": ["SSL"], "known_not_affected": ["SSL"]}
        self.assertIsNone(self.ignored({"cve": "CVE-2025-9230", "product_status": both}))

    def test_flags(self) -> None:
        """The label of a product's flag is the justification, by the product's id or by that of a group."""
        groups = [{"group_id": "G", "product_ids": ["SSL"]}]
        for names in ({"product_ids": ["SSL"]}, {"group_ids": ["G"]}):
            flags = [{"label": "component_not_present", "product_ids": ["X"]}]
            flags.append({"label": "vulnerable_code_not_in_execute_path", **names})
            found = self.ignored(about("known_not_affected", "SSL", flags=flags), product_groups=groups)
            reason = "vulnerable_code_not_in_execute_path"
            self.assertEqual(found, Ignored(reason, None, "not_affected", reason))

    def test_reasons(self) -> None:
        """The reason is the impact statement, else the remedy, the justification, a note, or the status."""
        flags = [{"label": "component_not_present", "product_ids": ["SSL"]}]
        remedy = {"category": "mitigation", "details": "Do not.", "product_ids": ["SSL"]}
        threats = [{"category": "impact", "details": "Not\n loaded.", "product_ids": ["SSL"]}]
        notes = [{"category": "summary", "text": "A flaw."}, {"category": "other", "text": "Seen."}]
        everything = {"flags": flags, "remediations": [remedy], "threats": threats, "notes": notes}
        for removed, reason in (
            ("", "Not loaded."),
            ("threats", "Do not."),
            ("remediations", "component_not_present"),
            ("flags", "Seen."),
            ("notes", "not affected, by VEX"),
        ):
            everything.pop(removed, None)
            found = self.ignored(about("known_not_affected", "SSL", **everything))
            self.assertEqual(found and found.reason, reason)
        fixed = self.ignored(about("fixed", "SSL", threats=threats, remediations=[remedy], flags=flags))
        self.assertEqual(fixed, Ignored("Do not.", None, "fixed"))
        other = [{"category": "exploit_status", "details": "None.", "product_ids": ["SSL"]}]
        found = self.ignored(about("known_not_affected", "SSL", threats=other))
        self.assertEqual(found and found.reason, "not affected, by VEX")

    def test_platforms(self) -> None:
        """A statement about a component on a platform holds on that platform only."""
        tree: dict[str, Any] = {
            "full_product_names": [
                product("ssl", purl="pkg:deb/debian/openssl"),
                product("D12", cpe="cpe:/o:debian:debian_linux:12"),
                product("D13", cpe="cpe:/o:debian:debian_linux:13"),
            ],
            "relationships": [part("D12:ssl", "ssl", "D12"), part("D13:ssl", "ssl", "D13")],
        }
        both = {"known_not_affected": ["D12:ssl"], "known_affected": ["D13:ssl"]}
        vulnerability = {"cve": "CVE-2025-9230", "product_status": both}
        self.assertIsNotNone(self.ignored(vulnerability, **tree))
        self.assertIsNone(self.ignored(vulnerability, of=on_platform(SSL_FLAW, "debian-13"), **tree))
        self.assertIsNone(self.ignored(about("known_not_affected", "D13:ssl"), **tree))

    def test_names(self) -> None:
        """A vulnerability without a CVE is named by another id; a number of a report of an error is no name."""
        renamed = {"cve": None, "ids": [{"system_name": "s", "text": "DSA-9230-1"}]}
        whole = {name: value for name, value in about("known_not_affected", "SSL", **renamed).items() if value}
        self.assertIsNotNone(self.ignored(whole))
        self.assertIsNotNone(self.ignored({**whole, "cve": "cve-2025-9230"}))
        numbered = about("known_not_affected", "SSL", ids=[{"system_name": "s", "text": "2259944"}])
        self.assertEqual(len(parse_csaf(csaf(numbered, full_product_names=[SSL])).decisions), 1)

    def test_unidentified(self) -> None:
        """Statements about products that are no packages of a distribution are counted; others of them are not."""
        names = [SSL, product("NPM", purl="pkg:npm/openssl"), product("NONE"), product("CPE", cpe="cpe:/a:openssl")]
        told = about("known_not_affected", "SSL", "NPM", "NONE", "CPE", "ABSENT", "ABSENT")
        found = parse_csaf(csaf(told, about("known_affected", "NONE"), full_product_names=names))
        self.assertEqual((len(found.decisions), found.unidentified), (1, 4))

    def test_withdrawn(self) -> None:
        """A document that its publisher has withdrawn has no decisions."""
        content = csaf(about("fixed", "SSL"), full_product_names=[SSL]).replace(b'"final"', b'"deleted"')
        self.assertEqual(parse_csaf(content).decisions, ())

    def test_refused(self) -> None:
        """A document of another version, or with an invalid part, is refused in one line that names the part."""
        flags = [{"label": "because", "product_ids": ["SSL"]}]
        for content, said in {
            csaf(version="3.0"): "CSAF 3.0 is not known",
            csaf(about("fine", "SSL")): "vulnerability 1: unknown product status 'fine'",
            csaf({"product_status": {}}): "vulnerability 1: cve or ids is missing",
            csaf({"cve": 7}): "Expected `str | null`, got `int` - at `$.vulnerabilities[0].cve`",
            csaf(about("known_not_affected", "SSL", flags=flags), full_product_names=[SSL]): "the label of a flag",
            b'{"document": 7}': "Expected `object`, got `int` - at `$.document`",
            b"[]": "Expected `object`, got `array`",
            b"{": "not JSON",
        }.items():
            text = str(self.assertRaises(BadVex, parse_csaf, content))
            self.assertIn(said, text)
            self.assertNotIn("\n", text)
