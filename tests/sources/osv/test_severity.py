"""Tests for :mod:`patches.sources.osv.severity`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.vulnerability import Severity
from tests.sources.osv_records import affected, only, record

V2 = {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:N/I:N/A:N"}
V3 = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
V4 = {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}


def severity(record_id: str, *entries: dict[str, Any], **rest: Any) -> Severity:
    """Return the severity of a record's only vulnerability."""
    return only(record(record_id, *entries, **rest)).severity


class SeverityTests(SynchronousTestCase):
    """Ratings and vectors."""

    def test_ubuntu(self) -> None:
        """Ubuntu's own rating is used, in either place, and not the vector beside it."""
        entry, name = affected("Ubuntu:22.04:LTS", "curl"), "UBUNTU-CVE-2024-1234"
        words = {"negligible": Severity.NEGLIGIBLE, "medium": Severity.MEDIUM, "critical": Severity.CRITICAL}
        for word, expected in words.items():
            self.assertEqual(severity(name, entry, severity=[V3, {"type": "Ubuntu", "score": word}]), expected)
            older = affected("Ubuntu:22.04:LTS", "curl", ecosystem_specific={"ubuntu_priority": word})
            self.assertEqual(severity(name, older, severity=[V3]), expected)
        self.assertEqual(severity(name, entry, severity=[{"type": "Ubuntu", "score": "untriaged"}]), Severity.UNKNOWN)

    def test_summaries(self) -> None:
        """AlmaLinux, Rocky and Red Hat begin the summary with the rating; Debian's summaries begin with a package."""
        words = {"Critical": Severity.CRITICAL, "Important": Severity.HIGH, "Moderate": Severity.MEDIUM}
        for word, expected in words.items():
            found = severity("ALSA-1:1", affected("AlmaLinux:9", "curl", "1-1"), summary=f"{word}: curl:1 update")
            self.assertEqual(found, expected)
        self.assertEqual(severity("ALSA-1:1", affected("AlmaLinux:9", "curl", "1-1"), summary="Low"), Severity.UNKNOWN)
        debian = affected("Debian:12", "critical", "1-1")
        self.assertEqual(severity("DSA-1-1", debian, summary="critical: security update"), Severity.UNKNOWN)

    def test_database(self) -> None:
        """Azure Linux has the rating in the database-specific part."""
        found = severity("AZL-1", affected("Azure Linux:3", "curl", "1-1"), database_specific={"severity": "High"})
        self.assertEqual(found, Severity.HIGH)

    def test_debian(self) -> None:
        """
        For Debian a vector is used, unless the record is unimportant in all packages; without a vector, the urgency.
        """
        name = "DEBIAN-CVE-2024-1234"
        unimportant = affected("Debian:12", "a", ecosystem_specific={"urgency": "unimportant"})
        low = affected("Debian:12", "b", ecosystem_specific={"urgency": "low**"})
        open_entry = affected("Debian:12", "c", ecosystem_specific={"urgency": "not yet assigned"})
        self.assertEqual(severity(name, unimportant, severity=[V3]), Severity.NEGLIGIBLE)
        self.assertEqual(severity(name, unimportant, open_entry, severity=[V3]), Severity.CRITICAL)
        self.assertEqual(severity(name, unimportant, low), Severity.LOW)
        self.assertEqual(severity(name, open_entry), Severity.UNKNOWN)

    def test_vectors(self) -> None:
        """The vector of version 3 is kept and scored before others; version 4 has no score."""
        entry = affected("Rocky Linux:9", "curl", "1-1")
        found = only(record("RLSA-1:1", entry, severity=[V2, V4, V3]))
        self.assertEqual((found.cvss, found.severity), (V3["score"], Severity.CRITICAL))
        found = only(record("RLSA-1:1", entry, severity=[V2, V4]))
        self.assertEqual((found.cvss, found.severity), (V4["score"], Severity.NEGLIGIBLE))
        found = only(record("RLSA-1:1", affected("Rocky Linux:9", "curl", "1-1", severity=[V4])))
        self.assertEqual((found.cvss, found.severity), (V4["score"], Severity.CRITICAL))
        found = only(record("RLSA-1:1", entry, severity=[{"type": "CVSS_V3", "score": "7.5 or so"}, {"type": []}]))
        self.assertEqual((found.cvss, found.severity), (None, Severity.UNKNOWN))
