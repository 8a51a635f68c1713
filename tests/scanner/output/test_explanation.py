"""Tests for :mod:`patches.scanner.output.explanation`."""

from __future__ import annotations

import json
from pathlib import Path

from rich.text import Text

from patches.scanner.matching.explanation import Explanation, Step
from patches.scanner.matching.rules import Rule
from patches.scanner.outcome import Target
from patches.scanner.output.explanation import explanation_document, explanation_text
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from tests.scanner.matching.test_explanation import BASH, ExplanationCase

HOST = Target("web-1", "debian-12", Path("/"))


def explained(fixed: FixedPackage, rule: Rule | None = None, **record: object) -> Explanation:
    """Return an explanation of one comparison, with bash if there is a rule."""
    told = Vulnerability("CVE-1", "debian-12", (fixed,), Severity.LOW, source="debian", **record)  # type: ignore[arg-type]
    step = Step(told, fixed) if rule is None else Step(told, fixed, BASH, BASH.version, rule)
    return Explanation("CVE-1", None, (told,), (step,), rule is not None, {"revision": "r1", "vulnerabilities": 7})


class OutputTests(ExplanationCase):
    """Explanations as text and as JSON."""

    def test_text(self) -> None:
        """Both the text and the JSON contain record, source, versions and rule."""
        told = self.explain("CVE-2024-1111")
        text = explanation_text(Target("web-1", "debian-12", None), told)  # type: ignore[arg-type]
        for part in ("web-1 (debian-12)", "affected", "from debian", "fixed in 3.0.12-1", "libssl3 has 3.0.11-1"):
            self.assertIn(part, text)
        document = explanation_document(told)
        comparison = document["records"][0]["comparisons"][0]
        self.assertEqual((comparison["affected"], comparison["compared"]), (True, "3.0.11-1"))
        self.assertEqual((document["affected"], comparison["rule"]), (True, Rule.BELOW_FIX.text))

    def test_not_installed(self) -> None:
        """A package that is not installed is shown as such, in both forms."""
        told = explained(FixedPackage("zsh", "9", "binary"))
        (comparison,) = explanation_document(told)["records"][0]["comparisons"]
        self.assertEqual((comparison["installed"], comparison["compared"], comparison["affected"]), (None, None, False))
        self.assertEqual(comparison["rule"], "no binary package of this name is installed")
        last = explanation_text(HOST, told).splitlines()[-1]
        self.assertEqual(last, "  binary package zsh, fixed in 9: no binary package of this name is installed")

    def test_bounds(self) -> None:
        """The text contains the bounds of a range, else its status, and what restricts it."""
        for fixed, said in (
            (FixedPackage("bash", "9", introduced="5"), "source package bash, from 5, fixed in 9;"),
            (FixedPackage("bash", None, last_affected="8"), "source package bash, up to 8;"),
            (FixedPackage("bash", None, status="will_not_fix"), "source package bash, will not fix;"),
            (FixedPackage("bash", "9", module="m:1", track="esm"), "bash, module m:1, track esm, fixed in 9;"),
        ):
            last = explanation_text(HOST, explained(fixed, Rule.BELOW_FIX)).splitlines()[-1]
            self.assertIn(said, last)
            self.assertTrue(last.endswith(f"; bash has 5.2-1: affected, {Rule.BELOW_FIX.text}"), last)

    def test_list(self) -> None:
        """The text names the list, and the time at which it was last checked, or created."""
        told = explained(FixedPackage("bash", "9"))
        for times, said in (({"created": "a"}, "a"), ({"created": "a", "checked": "b"}, "b")):
            told.snapshot.update(times)
            second = explanation_text(HOST, told).splitlines()[1]
            self.assertEqual(second, f"The list: revision r1, 7 records, last checked {said}")

    def test_no_record(self) -> None:
        """Without a record there is the conclusion only."""
        told = Explanation("CVE-1", None, (), (), False)
        self.assertEqual(explanation_document(told)["records"], [])
        self.assertIn("not known to this list: it has no record of CVE-1", explanation_text(HOST, told).splitlines()[0])

    def test_markup(self) -> None:
        """Markup in a list is shown, not interpreted, in the text of a terminal."""
        told = explained(FixedPackage("[red]bash[/]", "9"), details_href="https://x.test/[bold]", aliases=("[i]",))
        shown = Text.from_markup(explanation_text(HOST, told)).plain
        for part in ("[red]bash[/]", "https://x.test/[bold]", "([i])"):
            self.assertIn(part, shown)

    def test_json(self) -> None:
        """The document is JSON, with every field of a record and of a comparison."""
        document = json.loads(json.dumps(explanation_document(self.explain("CVE-2024-1111", "openssl"))))
        self.assertEqual((document["flaw"], document["package"]), ("CVE-2024-1111", "openssl"))
        first, second = document["records"]
        self.assertEqual(
            (first["name"], first["severity"], second["aliases"]), ("CVE-2024-1111", "high", ["CVE-2024-1111"])
        )
        named = {"name": "openssl", "kind": "source", "module": None, "track": None}
        comparison = second["comparisons"][0]
        self.assertEqual((comparison["named"], comparison["installed"]["name"]), (named, "libssl3"))
        self.assertEqual(
            (comparison["fixed"], comparison["status"], comparison["affected"]), ("3.0.10-1", "fixed", False)
        )
