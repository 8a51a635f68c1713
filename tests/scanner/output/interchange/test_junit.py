"""JUnit XML: a test for the verdict, and one for each finding."""

from __future__ import annotations

from xml.etree import ElementTree

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Outcome
from patches.scanner.output.interchange.junit import junit_pieces
from patches.vulnerability import FixedPackage, Severity
from tests.control_characters import HARMFUL
from tests.scanner.output.format_checks import everything
from tests.scanner.sample_outcomes import FINDINGS, SUDO, failed, finding, outcome


def suite_of(of: Outcome) -> ElementTree.Element:
    """Return the only suite of the document of an outcome."""
    (suite,) = ElementTree.fromstring("".join(junit_pieces(of)))
    return suite


class JUnitTests(SynchronousTestCase):
    """JUnit."""

    def test_numbers(self) -> None:
        """The numbers of a suite are those of its tests, whatever the outcome is."""
        for of in everything():
            suite = suite_of(of)
            for name, element in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
                self.assertEqual(int(suite.get(name, "")), len(list(suite.iter(element))), (name, of.verdict))
            self.assertEqual(int(suite.get("skipped", "")), len(list(suite.iter("skipped"))))

    def test_cases(self) -> None:
        """A finding that counts has failed; one that does not is skipped, with the reason."""
        suite = suite_of(outcome(findings=(*FINDINGS, evolve(FINDINGS[0], is_old_kernel=True))))
        verdict, first, _, accepted, _, old = suite
        self.assertEqual((verdict.get("name"), verdict.findtext("system-out")), ("verdict", "verdict findings"))
        self.assertEqual(
            (first.get("classname"), first.get("name")), ("libssl3 3.0.16-1~deb12u1 amd64", "CVE-2025-9230")
        )
        failure = first.find("failure")
        assert failure is not None
        self.assertEqual(failure.get("type"), "high")
        self.assertIn("to 3.0.17-1 or later.", failure.get("message", ""))
        self.assertIn("Nobody but root logs in.", accepted.find("skipped").get("message"))  # type: ignore[union-attr, arg-type]
        self.assertEqual(old.find("skipped").get("message"), "A newer kernel is running.")  # type: ignore[union-attr]

    def test_not_clean(self) -> None:
        """An incomplete scan is an error."""
        (case,) = suite_of(failed())
        error = case.find("error")
        assert error is not None
        self.assertEqual((error.get("type"), error.get("message")), ("incomplete", "Connection refused"))

    def test_escapes(self) -> None:
        """Markup and characters that XML does not have are only ever text."""
        for text in (*HARMFUL, "\"<&>'", "ä\ufffe"):
            odd = finding(f"CVE-{text}", evolve(SUDO, name=text), FixedPackage("sudo", "2"), Severity.LOW)
            case = suite_of(outcome(findings=(odd,), host=text))[1]
            self.assertTrue(case.get("name", "").startswith("CVE-"))
