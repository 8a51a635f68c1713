"""OpenVEX documents as files of decisions: findings that a statement settles are ignored, others are not."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.ignore_files import read_ignores
from patches.scanner.matching.vex.openvex import parse_vex
from patches.scanner.matching.vex.statements import BadVex
from patches.scanner.output.formats import WRITERS
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.sample_outcomes import BASH, FINDINGS, NOT_AFFECTED, SSL, finding, outcome, record

TODAY = date(2026, 2, 28)
SSL_FLAW, BASH_FLAW, _, _ = FINDINGS


def vex(*statements: Any, **changes: Any) -> bytes:
    """Return an OpenVEX document."""
    whole = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex-1",
        "author": "We",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": list(statements),
    }
    return json.dumps({**whole, **changes}).encode()


def statement(*products: Any, **changes: Any) -> dict[str, Any]:
    """Return a statement that the vulnerability of these tests does not affect some products."""
    told = {
        "vulnerability": {"name": "CVE-2025-9230"},
        "products": list(products or ("pkg:deb/debian/openssl",)),
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    }
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


class VexTests(SynchronousTestCase):
    """OpenVEX documents."""

    def ignored(self, *statements: Any, of: Finding = SSL_FLAW) -> Ignored | None:
        """Return the decision of a document with these statements about a finding."""
        return parse_vex(vex(*statements)).of(of, TODAY)

    def test_products(self) -> None:
        """A package is named by the product's identifier, its purl, or a subcomponent's; others do not match."""
        purl = "pkg:deb/debian/libssl3@3.0.16-1~deb12u1?arch=amd64"
        for product in (
            purl,
            {"@id": purl},
            {"@id": "https://example.org/host", "identifiers": {"purl": purl}},
            {"@id": "pkg:oci/web", "subcomponents": [{"@id": purl}]},
            {"subcomponents": [{"identifiers": {"purl": purl}}]},
        ):
            self.assertIsNotNone(self.ignored(statement(product)), product)
            self.assertIsNone(self.ignored(statement(product), of=BASH_FLAW), product)

    def test_no_package(self) -> None:
        """A product that is no package, such as an image of somebody else, says nothing about this host's."""
        for product in (
            {"@id": "https://example.org/web-1"},
            "pkg:oci/web-1",
            {"identifiers": {"cpe23": "cpe:2.3:o:x"}},
        ):
            self.assertIsNone(self.ignored(statement(product)), product)
            self.assertEqual(parse_vex(vex(statement(product))).unidentified, 1)

    def test_other_products(self) -> None:
        """Another version, another distribution, and a package of a programming language do not match."""
        for product in (
            "pkg:deb/debian/openssl@3.0.17-1",
            "pkg:deb/ubuntu/openssl",
            "pkg:rpm/redhat/openssl",
            "pkg:npm/openssl",
            {"@id": "https://example.org/app", "subcomponents": ["pkg:npm/openssl"]},
        ):
            self.assertIsNone(self.ignored(statement(product)), product)

    def test_status(self) -> None:
        """The statuses "not affected" and "fixed" are ignored; "affected" and "under investigation" are not."""
        for status, holds in {
            "not_affected": True,
            "fixed": True,
            "affected": False,
            "under_investigation": False,
        }.items():
            self.assertEqual((status, self.ignored(statement(status=status)) is not None), (status, holds))

    def test_reason(self) -> None:
        """The reason is the impact statement, else the notes, else the justification; the decision does not expire."""
        said = self.ignored(statement(impact_statement="Not loaded.", status_notes="n"))
        self.assertEqual(said, Ignored("Not loaded.", None, "not_affected", "vulnerable_code_not_in_execute_path"))
        for changes, reason in (
            ({"status_notes": "Looked."}, "Looked."),
            ({}, "vulnerable_code_not_in_execute_path"),
            ({"justification": None}, "not affected, by VEX"),
        ):
            ignored = self.ignored(statement(**changes))
            self.assertEqual(ignored and ignored.reason, reason)

    def test_names(self) -> None:
        """A vulnerability is named by its name or an alias; an alias that is an advisory does not cover other ones."""
        renamed = {"vulnerability": {"name": "GHSA-1", "aliases": ["CVE-2025-9230"]}}
        self.assertIsNotNone(self.ignored(statement(**renamed)))
        self.assertIsNotNone(self.ignored(statement(vulnerability="CVE-2025-9230")))
        advisory = record("RHSA-1", Severity.HIGH, aliases=("CVE-2026-1", "CVE-2026-2"))
        one, other = (Finding(f, SSL, FixedPackage("openssl", "9"), (advisory,)) for f in ("CVE-2026-1", "CVE-2026-2"))
        about = statement(vulnerability={"name": "CVE-2026-1", "aliases": ["RHSA-1"]})
        self.assertIsNotNone(self.ignored(about, of=one))
        self.assertIsNone(self.ignored(about, of=other))
        self.assertIsNotNone(self.ignored(statement(vulnerability={"name": "RHSA-1"}), of=other))

    def test_later(self) -> None:
        """A later statement about the same vulnerability and product replaces an earlier one, in any order."""
        old, new = ({"timestamp": f"2026-01-0{day}T00:00:00Z"} for day in (2, 3))
        affected = {"status": "affected", "justification": None}
        self.assertIsNone(self.ignored(statement(**old), statement(**affected, **new)))
        self.assertIsNone(self.ignored(statement(**affected, **new), statement(**old)))
        self.assertIsNotNone(self.ignored(statement(**affected, **old), statement(**new)))
        self.assertIsNone(self.ignored(statement(), statement(**affected)))

    def test_refused(self) -> None:
        """A document that is not OpenVEX, or an invalid statement, is refused with the statement's number."""
        for content, said in {
            b"{": "not JSON",
            b"{}": "not an OpenVEX document",
            vex({}): "statement 1: status",
            vex(statement(status="fine")): "statement 1: status",
            vex(statement(), statement(vulnerability=None)): "statement 2: vulnerability.name",
            vex(statement(products=None)): "statement 1: products",
            vex(statement(justification="because")): "statement 1: justification",
            vex(statement("pkg:")): "statement 1: not a purl",
            vex(statement(7)): "statement 1: a product",
            vex(statement(timestamp="yesterday")): "statement 1: not a time",
            vex(7): "statement 1: must be an object",
            vex(statements=7): "statements must be a list",
        }.items():
            text = str(self.assertRaises(BadVex, parse_vex, content))
            self.assertIn(said, text)
            self.assertNotIn("\n", text)

    def test_found_by_content(self) -> None:
        """A file that begins like JSON is parsed as OpenVEX, whatever its name is."""
        path = Path(self.mktemp())
        path.write_bytes(b"\n " + vex(statement()))
        self.assertIsNotNone(read_ignores(path).of(SSL_FLAW, TODAY))

    def test_round_trip(self) -> None:
        """The OpenVEX output of a scan can be the input of the next one: only settled findings are ignored."""
        told = parse_vex("".join(WRITERS["openvex"](outcome())).encode())
        ssl, bash, sudo, kernel = (told.of(each, TODAY) for each in FINDINGS)
        self.assertEqual((ssl, bash, sudo), (None, None, None))
        self.assertEqual(kernel, NOT_AFFECTED)

    @given(st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2)))
    def test_anything(self, value: Any) -> None:
        """Whatever value replaces a member, the document is parsed or refused."""
        fields = ("vulnerability", "products", "status", "justification", "impact_statement", "timestamp")
        for content in (vex(value), *(vex(statement(**{name: value})) for name in fields)):
            try:
                parse_vex(content)
            except BadVex:
                continue

    def test_unrelated(self) -> None:
        """A decision about one vulnerability does not apply to another."""
        other = finding("CVE-2026-9999", BASH, FixedPackage("bash", "9"), Severity.LOW)
        self.assertIsNone(self.ignored(statement("https://example.org/web-1"), of=other))
