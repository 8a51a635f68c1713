"""Tests for :mod:`patches.scanner.output.fail_on`."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import ListInfo
from patches.scanner.output.fail_on import FailOn
from patches.vulnerability import Facts, Severity
from tests.scanner.sample_outcomes import FINDINGS, UNFIXED, outcome

HIGH, UNKNOWN = FINDINGS[0], UNFIXED[1]


def known(finding: Finding, **facts: Any) -> Finding:
    """Return a finding whose record has more members."""
    return evolve(finding, records=(evolve(finding.records[0], **facts),))


class TextTests(SynchronousTestCase):
    """Values of the option."""

    def test_values(self) -> None:
        """A severity, KEV and a band of EPSS, in any order; each as it is written again."""
        for text, expected in {
            "unknown": FailOn(Severity.UNKNOWN),
            "high": FailOn(Severity.HIGH),
            "kev": FailOn(kev=True),
            "epss=0.9": FailOn(epss=0.9),
            "epss=0": FailOn(epss=0.0),
            "epss=0.5, kev ,critical": FailOn(Severity.CRITICAL, kev=True, epss=0.5),
            "never": FailOn(),
        }.items():
            self.assertEqual(FailOn.from_text(text), expected)
            self.assertEqual(FailOn.from_text(str(expected)), expected)
        self.assertEqual(str(FailOn.from_text("epss=0.5,kev,critical")), "critical,kev,epss=0.5")

    def test_others(self) -> None:
        """Anything else is refused: EPSS is known by tenths, and a limit is given once."""
        for text in (
            "",
            "7",
            "High",
            "epss",
            "epss=0.95",
            "epss=1",
            "epss=-1",
            "high,low",
            "never,kev",
            "kev,",
            "epss=0.1,epss=0.2",
        ):
            self.assertIn("must be one of unknown", str(self.assertRaises(ValueError, FailOn.from_text, text)))


class CountTests(SynchronousTestCase):
    """Findings that count."""

    def counts(self, text: str, finding: Finding) -> bool:
        """Return whether a finding counts for a value of the option."""
        return FailOn.from_text(text).counts(finding)

    def test_severity(self) -> None:
        """A limit counts what is as severe, and what has no known severity unless that is allowed."""
        self.assertEqual(
            [self.counts(text, HIGH) for text in ("medium", "high", "critical", "never")], [True, True, False, False]
        )
        self.assertEqual(
            [self.counts(text, UNKNOWN) for text in ("low", "urgent", "never", "kev")], [True, True, False, False]
        )
        allows = FailOn(Severity.LOW, allows_unknown=True)
        self.assertEqual((allows.counts(UNKNOWN), allows.counts(HIGH)), (False, True))
        self.assertTrue(FailOn(Severity.UNKNOWN, allows_unknown=True).counts(UNKNOWN))

    def test_facts(self) -> None:
        """KEV counts what has a date; EPSS what is in the band or above; of several any is enough."""
        exploited, likely = known(HIGH, kev="2022-04-06"), known(HIGH, epss=0.7)
        for text, expected in {
            "kev": (True, False, False),
            "epss=0.7": (False, True, False),
            "epss=0.8": (False, False, False),
            "epss=0": (False, True, False),
            "kev,epss=0.7": (True, True, False),
            "critical,kev": (True, False, False),
        }.items():
            self.assertEqual(
                (text, *(self.counts(text, each) for each in (exploited, likely, HIGH))), (text, *expected)
            )

    def test_advisory(self) -> None:
        """Of the ids of an advisory only the one counts that is exploited."""
        facts = (("CVE-2025-9230", Facts(epss=0.1)), ("CVE-2025-9231", Facts(kev="2025-12-01")))
        here = known(HIGH, kev="2025-12-01", epss=0.1, facts=facts)
        self.assertFalse(self.counts("kev", here))
        self.assertTrue(self.counts("kev", evolve(here, vulnerability_id="CVE-2025-9231")))


class ListTests(SynchronousTestCase):
    """Lists that were made with some facts, or without."""

    def missing(self, text: str, *enrichments: str) -> str | None:
        """Return why a list is not enough."""
        made = outcome(list_info=ListInfo(revision="r1", enrichments=enrichments))
        return FailOn.from_text(text).missing(made)

    def test_missing(self) -> None:
        """A list that was made without what is asked for is told, with the remedy."""
        self.assertEqual((self.missing("kev", "kev"), self.missing("high"), self.missing("never")), (None, None, None))
        self.assertIsNone(self.missing("kev,epss=0.9", "cvss", "epss", "kev"))
        why = "the list of debian-12 was made without KEV and EPSS: that needs a source of the kind kev and epss"
        self.assertEqual(self.missing("epss=0.9,kev", "cvss"), f"--fail-on kev,epss=0.9: {why}")
        self.assertIn("without EPSS: that needs a source of the kind epss", str(self.missing("epss=0.9", "kev")))
        self.assertIsNone(FailOn(kev=True).missing(outcome(list_info=ListInfo())))

    def test_note(self) -> None:
        """The number of findings of unknown severity is told where they matter."""
        some = outcome(with_unfixed=True)
        self.assertEqual(
            FailOn(Severity.HIGH).note(some),
            "1 finding of unknown severity: counted for --fail-on high, unless --allow-unknown-severity is given.",
        )
        allows = FailOn(Severity.HIGH, allows_unknown=True)
        not_counted = "1 finding of unknown severity: not counted for --fail-on high (--allow-unknown-severity)."
        self.assertEqual(allows.note(some), not_counted)
        self.assertIsNone(allows.note(outcome()))
        for limit in ("unknown", "never", "kev"):
            self.assertIsNone(FailOn.from_text(limit).note(some))
