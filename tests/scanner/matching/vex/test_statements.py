"""Tests for :mod:`patches.scanner.matching.vex.statements`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.ignores import Ignores
from patches.scanner.matching.vex.statements import (
    FIRST,
    LONGEST_REASON,
    MOST_PAIRS,
    BadVex,
    NamedProduct,
    PackagePurls,
    Statement,
    decisions_of,
    is_package,
    reason_of,
    shortened,
    time_in,
    unidentified_in,
)
from tests.scanner.sample_outcomes import FINDINGS

BASH = NamedProduct(PackageURL.from_string("pkg:deb/debian/bash"))


def named(purl: str) -> NamedProduct:
    """Return a product."""
    return NamedProduct(PackageURL.from_string(purl))


def statement(status: str, *products: NamedProduct, number: int = 0, told: datetime = FIRST) -> Statement:
    """Return a statement about one vulnerability."""
    return Statement(number, status, ("CVE-1", "GHSA-1"), products, "why", None, told)


class StatementTests(SynchronousTestCase):
    """Statements, and the decisions that follow."""

    def test_decisions(self) -> None:
        """A settled statement is a decision for each name and product; names after the first are aliases."""
        other = NamedProduct(BASH.purl, "debian-12")
        found = list(decisions_of([statement("fixed", BASH, other)]))
        pairs = [(each.vulnerability_id, each.alias, each.platform) for each in found]
        aliases = [("GHSA-1", True, None), ("GHSA-1", True, "debian-12")]
        self.assertEqual(pairs, [("CVE-1", False, None), ("CVE-1", False, "debian-12"), *aliases])

    def test_newest(self) -> None:
        """The newest statement about a pair holds; of two with the same time, the later one, or that of "affected"."""
        bad, good = statement("affected", BASH), statement("fixed", BASH, number=1)
        later = statement("fixed", BASH, told=datetime(2026, 1, 1, tzinfo=UTC))
        for statements, is_ordered, revokes in (
            ([bad, good], True, False),
            ([good, bad], True, False),
            ([bad, good], False, True),
            ([bad, later], False, False),
        ):
            found = list(decisions_of(statements, is_ordered))
            self.assertEqual([each.revokes for each in found], [revokes] * 2)

    def test_revoked(self) -> None:
        """A package that is affected later, or at the same time, revokes, in whichever way it is named."""
        names = ("pkg:deb/debian/openssl", "pkg:deb/debian/libssl3", "pkg:deb/debian/libssl3@3.0.16-1~deb12u1")
        early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
        flaw = FINDINGS[0]
        for good, bad in product(names, names):
            for told, is_ignored in ((late, False), (early, False), (FIRST, True)):
                statements = [
                    Statement(2, "not_affected", (flaw.vulnerability_id,), (named(good),), "why", None, early),
                    Statement(1, "affected", (flaw.vulnerability_id,), (named(bad),), "why", None, told),
                ]
                found = Ignores(tuple(decisions_of(statements))).of(flaw, date(2026, 3, 1))
                self.assertEqual(found is not None, is_ignored, (good, bad, told))

    def test_bound(self) -> None:
        """More pairs of a vulnerability and a product than may be kept are refused."""
        many = (NamedProduct(PackageURL("deb", "debian", f"p{number}")) for number in range(MOST_PAIRS // 2 + 1))
        statements = [statement("affected", *many)]
        self.assertRaises(BadVex, list, decisions_of(statements))

    def test_unidentified(self) -> None:
        """Only statements that would be decisions are counted."""
        self.assertEqual(unidentified_in([statement("fixed"), statement("affected"), statement("fixed", BASH)]), 1)

    def test_reason(self) -> None:
        """A reason is one line, and not long."""
        self.assertEqual(reason_of((None, " \n", " a\n b "), "fixed"), "a b")
        self.assertEqual(reason_of((), "not_affected"), "not affected, by VEX")
        self.assertEqual(len(reason_of(("x" * 10_000,), "fixed")), LONGEST_REASON)

    def test_purls(self) -> None:
        """A purl is parsed once; one that is invalid is refused, in one short line."""
        purls = PackagePurls()
        self.assertIs(purls.parse("pkg:deb/debian/bash", "w"), purls.parse("pkg:deb/debian/bash", "w"))
        self.assertTrue(is_package(purls.parse("pkg:apk/alpine/bash", "w")))
        self.assertFalse(is_package(purls.parse("pkg:npm/bash", "w")))
        for text in ("pkg:", "pkg:deb", "bash", "pkg:deb/" + "\n" * 1_000):
            said = str(self.assertRaises(BadVex, purls.parse, text, "statement 1"))
            self.assertTrue(said.startswith("statement 1: not a purl: "), said)
            self.assertLess(len(said), 150)

    def test_times(self) -> None:
        """A time without a zone is UTC."""
        self.assertIsNone(time_in(None, "w"))
        self.assertEqual(time_in("2026-01-01T00:00:00", "w"), datetime(2026, 1, 1, tzinfo=UTC))
        for value in (7, "now", [], "x" * 1_000):
            self.assertLess(len(str(self.assertRaises(BadVex, time_in, value, "w"))), 150)
        self.assertEqual(len(shortened("x" * 1_000)), 100)
