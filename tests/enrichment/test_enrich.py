"""Tests for :mod:`patches.enrichment.enrich`."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.enrichment.enrich import enriched, joined
from patches.vulnerability import Facts, Severity, Vulnerability

VECTOR, WORSE = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
NVD = Facts(Severity.HIGH, "nvd", VECTOR, 7.8)
CNA = Facts(Severity.CRITICAL, "cna", WORSE, 9.8)
SUDO = Vulnerability("CVE-2021-3156", "debian-12", source="debian")
ADVISORY = Vulnerability("DSA-4839-1", "debian-12", aliases=("CVE-2021-3156", "CVE-2021-23239", "CVE-2021-23240"))


class EnrichTests(SynchronousTestCase):
    """Records, and what is known about their ids."""

    def test_nothing_known(self) -> None:
        """A record about whose ids nothing is known is the same."""
        self.assertIs(enriched(SUDO, {}.get), SUDO)

    def test_fills(self) -> None:
        """An unknown severity is filled, and the record says by whom."""
        found = enriched(SUDO, {SUDO.name: evolve(NVD, kev="2022-04-06", epss=0.9)}.get)
        expected = evolve(SUDO, severity=Severity.HIGH, severity_source="nvd", cvss=VECTOR, score=7.8)
        self.assertEqual(found, evolve(expected, kev="2022-04-06", epss=0.9))

    def test_own_severity(self) -> None:
        """The severity of the record's own source stands, the lowest too; the score is added beside it."""
        for own in (Severity.NEGLIGIBLE, Severity.LOW, Severity.URGENT):
            found = enriched(evolve(SUDO, severity=own), {SUDO.name: CNA}.get)
            self.assertEqual((found.severity, found.severity_source, found.score), (own, None, 9.8))

    def test_own_vector(self) -> None:
        """A vector of the record's own source stands, with its score."""
        own = evolve(SUDO, cvss=VECTOR)
        self.assertEqual(enriched(own, {SUDO.name: CNA}.get).score, 7.8)
        self.assertEqual(enriched(own, {}.get), evolve(own, score=7.8))

    def test_own_facts(self) -> None:
        """An own list may have facts: the earlier date and the higher band hold."""
        own = evolve(SUDO, kev="2021-01-01", epss=0.5)
        found = enriched(own, {SUDO.name: Facts(kev="2022-04-06", epss=0.9)}.get)
        self.assertEqual((found.kev, found.epss), ("2021-01-01", 0.9))

    def test_no_rating(self) -> None:
        """Facts without a score leave the severity unknown."""
        found = enriched(SUDO, {SUDO.name: Facts(kev="2022-04-06")}.get)
        self.assertEqual((found.severity, found.severity_source, found.kev), (Severity.UNKNOWN, None, "2022-04-06"))

    def test_advisory(self) -> None:
        """An advisory has the worst of its ids, and keeps the facts of each id."""
        known = {"CVE-2021-3156": evolve(NVD, kev="2022-04-06", epss=0.9), "CVE-2021-23239": CNA}
        found = enriched(ADVISORY, known.get)
        self.assertEqual((found.severity, found.severity_source, found.score), (Severity.CRITICAL, "cna", 9.8))
        self.assertEqual((found.kev, found.epss), ("2022-04-06", 0.9))
        self.assertEqual(found.facts_of("CVE-2021-23239"), CNA)
        self.assertEqual(found.facts_of("CVE-2021-23240"), Facts())
        self.assertEqual(found.facts_of("CVE-2021-3156").kev, "2022-04-06")

    def test_rated_advisory(self) -> None:
        """The rating of the source is that of each id of its advisory."""
        found = enriched(evolve(ADVISORY, severity=Severity.LOW), {"CVE-2021-23239": CNA}.get)
        ratings = [found.facts_of(each).severity for each in found.vulnerability_ids]
        self.assertEqual(ratings, [Severity.LOW] * 3)


class JoinTests(SynchronousTestCase):
    """Several sources about one id."""

    def test_joined(self) -> None:
        """Each source adds what the ones before do not know; a vector and its score are of one source."""
        self.assertIsNone(joined(()))
        parts = (Facts(kev="2022-04-06"), NVD, CNA, Facts(epss=0.3), Facts(epss=0.9, kev="2020-01-01"))
        self.assertEqual(joined(parts), evolve(NVD, kev="2022-04-06", epss=0.3))
