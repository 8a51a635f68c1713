"""Tests for :mod:`patches.enrichment.facts`."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.enrichment.facts import MalformedFacts, facts_by_id, facts_from_wire, facts_to_wire, is_date, rare_members
from patches.vulnerability import Facts, Severity, Vulnerability
from patches.wire import MalformedWire, from_wire, to_wire

KNOWN = Facts(Severity.HIGH, "nvd", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8, "2022-04-06", 0.9)


class MemberTests(SynchronousTestCase):
    """Facts as members of JSON."""

    def test_round_trip(self) -> None:
        """Each known fact is a member; others are absent."""
        document = {
            "severityRating": 4,
            "cvss": KNOWN.cvss,
            "severitySource": "nvd",
            "cvssScore": 7.8,
            "kev": "2022-04-06",
            "epss": 0.9,
        }
        self.assertEqual((facts_to_wire(KNOWN), facts_to_wire(Facts())), (document, {}))
        self.assertEqual((facts_from_wire(document | {"later": []}), facts_from_wire({})), (KNOWN, Facts()))

    def test_record_without(self) -> None:
        """A record of which nothing more is known has the members that it always had."""
        self.assertEqual(rare_members(Vulnerability("CVE-2021-3156", "debian-10")), {})

    def test_malformed(self) -> None:
        """A value that cannot be is refused, and the record with it."""
        for name, value in (
            ("severitySource", 1),
            ("severitySource", "x" * 65),
            ("cvssScore", "7.8"),
            ("cvssScore", 10.1),
            ("cvssScore", True),
            ("kev", "yesterday"),
            ("kev", "2022-13-01"),
            ("kev", 2022),
            ("epss", -0.1),
            ("epss", 2),
            ("facts", []),
            ("facts", {"CVE-2021-3156": 1}),
            ("facts", {"CVE-2021-3156": {"severityRating": 7}}),
            ("facts", {"CVE-2021-3156": {"severityRating": True}}),
            ("facts", {"CVE-2021-3156": {"cvss": 1}}),
        ):
            record = to_wire(Vulnerability("CVE-2021-3156", "debian-10")) | {name: value}
            error = self.assertRaises(MalformedWire, from_wire, record)
            self.assertIn("must be", str(error))
            if name != "facts":
                self.assertRaises(MalformedFacts, facts_from_wire, {name: value})

    def test_dates(self) -> None:
        """A date is a day of the calendar in the form of RFC 3339."""
        dates: tuple[Any, ...] = ("2021-11-03", "2021-11-3", "2021-00-03", "2021-11-03T00:00:00Z", "", None, 3)
        self.assertEqual([is_date(each) for each in dates], [True, *[False] * 6])


class RecordTests(SynchronousTestCase):
    """Facts in records."""

    def test_advisory(self) -> None:
        """The facts of each id of an advisory travel with it."""
        record = Vulnerability("DSA-1", "debian-10", facts=(("CVE-2021-3156", KNOWN), ("CVE-2021-2", Facts(epss=0.0))))
        document = json.loads(json.dumps(to_wire(record)))
        self.assertEqual(document["facts"]["CVE-2021-2"], {"epss": 0.0})
        self.assertEqual((from_wire(document), facts_by_id(None)), (record, ()))
