"""Documents for other programs: each follows its specification, and contains all that is known."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.outcome import Coverage, Outcome
from patches.scanner.output.formats import ROWS_ONLY, TEXT_WRITERS, WRITERS
from patches.scanner.output.tables.view import View
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.output.format_checks import everything, made, problems
from tests.scanner.sample_outcomes import failed, outcome, record

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)


def strange(name: str, version: str, text: str, reason: str) -> Outcome:
    """Return an outcome with unusual texts."""
    package = Package(name, version, "amd64", text, version, vendor=text)
    told = record(
        "CVE-1", Severity.HIGH, details_href=f"https://host/{text}", aliases=(text,), cvss=text, published=text
    )
    vulnerability_id = Finding(
        text, package, FixedPackage(name, version), (told,), ignored=Ignored(reason, None, "not_affected")
    )
    coverage = Coverage(1, (package,), {package: (reason,)}, {package: reason}, (package,), "dpkg")
    return outcome(findings=(vulnerability_id,), unfixed=(), coverage=coverage, host=text, problem=reason)


class EveryFormatTests(SynchronousTestCase):
    """Properties of all formats."""

    def test_valid(self) -> None:
        """Whatever the outcome is, the document is valid in its format, and plain ASCII."""
        self.assertGreater(len(list(everything())), 3)
        self.assertGreater(len(WRITERS), 3)
        for each in everything():
            for name, make in WRITERS.items():
                text = "".join(make(each))
                self.assertTrue(text.isascii(), name)
                self.assertFalse(text.endswith("\n"), name)
                self.assertEqual(problems(name, text), [], (name, each.verdict))
            for name, make_text in TEXT_WRITERS.items():
                text = "".join(make_text(each, View()))
                self.assertTrue(text.isascii() and not text.endswith("\n"), name)

    @settings(max_examples=40, deadline=None)
    @given(TEXTS, TEXTS, TEXTS, TEXTS)
    def test_strange_texts(self, name: str, version: str, text: str, reason: str) -> None:
        """Texts from lists and files are only ever texts in the document."""
        for form, make in WRITERS.items():
            self.assertEqual(problems(form, "".join(make(strange(name, version, text, reason)))), [], form)

    def test_schemas_refuse(self) -> None:
        """The schemas of these tests do refuse invalid documents."""
        sarif, vex = made("sarif", outcome()), made("openvex", outcome())
        sarif["runs"][0]["results"][0]["levels"] = "error"
        self.assertEqual(len(problems("sarif", json.dumps(sarif))), 1)
        for statement in vex["statements"]:
            statement.pop("action_statement", None)
        self.assertEqual(len(problems("openvex", json.dumps(vex))), 3)

    def test_not_clean(self) -> None:
        """An incomplete scan is reported as such in every format, with the reason."""
        for name, make in WRITERS.items():
            text = "".join(make(failed()))
            self.assertIn("incomplete", text, name)
            self.assertIn("Connection refused", text, name)
        for name, make_text in TEXT_WRITERS.items():
            text = "".join(make_text(failed(), View()))
            said = "incomplete" in text.lower() and "Connection refused" in text
            self.assertEqual(said, name not in ROWS_ONLY, name)
