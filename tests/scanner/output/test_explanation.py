"""Tests for :mod:`patches.scanner.output.explanation`."""

from __future__ import annotations

import json
from pathlib import Path

from rich.text import Text

from patches.scanner.matching.explanation import Explanation, Step
from patches.scanner.matching.rules import Rule
from patches.scanner.outcome import Target
from patches.scanner.output.explanation import explanation_document, explanation_parts
from patches.service.terminal import plain
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from tests.scanner.matching.test_explanation import BASH, ExplanationCase

HOST = Target("web-1", "debian-12", Path("/"))


def explained(fixed: FixedPackage, rule: Rule | None = None, **record: object) -> Explanation:
    """Return an explanation of one comparison, with bash if there is a rule."""
    told = Vulnerability("CVE-1", "debian-12", (fixed,), Severity.LOW, source="debian", **record)  # type: ignore[arg-type]
    step = Step(told, fixed) if rule is None else Step(told, fixed, BASH, BASH.version, rule)
    return Explanation("CVE-1", None, (told,), (step,), rule is not None, {"revision": "r1", "vulnerabilities": 7})


def text_of(target: Target, explanation: Explanation) -> str:
    """Return an explanation as text with rich markup, its tables in single blanks."""
    lines: list[str] = []
    for part in explanation_parts(target, explanation):
        texts = [part] if isinstance(part, str) else [plain(" ".join(line.split())) for line, _ in part.lines()]
        lines.extend(texts)
    return "\n".join(lines)


class OutputTests(ExplanationCase):
    """Explanations as text and as JSON."""

    def test_text(self) -> None:
        """Both the text and the JSON contain record, source, versions and rule."""
        told = self.explain("CVE-2024-1111")
        text = text_of(Target("web-1", "debian-12", None), told)  # type: ignore[arg-type]
        for part in ("web-1 (debian-12)", "affected", "from debian", "below 3.0.12-1", "libssl3 3.0.11-1"):
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
        last = text_of(HOST, told).splitlines()[-1]
        self.assertEqual(last, "not installed zsh (binary) below 9 no binary package of this name is installed")

    def test_bounds(self) -> None:
        """The text contains the bounds of a range, else its status, and what restricts it."""
        for fixed, said in (
            (FixedPackage("bash", "9", introduced="5"), "bash (source) from 5 below 9 "),
            (FixedPackage("bash", None, last_affected="8"), "bash (source) up to 8 "),
            (FixedPackage("bash", None, status="will_not_fix"), "bash (source) will not fix "),
            (FixedPackage("bash", "9", module="m:1", track="esm"), "bash (source, module m:1, track esm) below 9 "),
        ):
            last = text_of(HOST, explained(fixed, Rule.BELOW_FIX)).splitlines()[-1]
            self.assertIn(said, last)
            self.assertTrue(last.startswith("affected bash ("), last)
            self.assertTrue(last.endswith(f" bash 5.2-1 {Rule.BELOW_FIX.text}"), last)

    def test_list(self) -> None:
        """The text names the list, and the time at which it was last checked, or created."""
        told = explained(FixedPackage("bash", "9"))
        for times, said in (({"created": "a"}, "a"), ({"created": "a", "checked": "b"}, "b")):
            told.snapshot.update(times)
            second = text_of(HOST, told).splitlines()[1]
            self.assertEqual(second, f"The list: revision r1, 7 records, last checked {said}")

    def test_facts(self) -> None:
        """The facts beside the severity are in a line, and the title in another."""
        known = {"title": "A made-up flaw", "score": 9.8, "kev": "2025-01-02", "epss": 0.9}
        text = text_of(HOST, explained(FixedPackage("bash", "9"), Rule.BELOW_FIX, **known))
        self.assertIn("  A made-up flaw\n", text)
        said = "CVSS 9.8, known to be exploited since 2025-01-02 (KEV), EPSS percentile 0.9 or more"
        self.assertIn(f"  {said}\n", text)

    def test_no_record(self) -> None:
        """Without a record there is the conclusion only."""
        told = Explanation("CVE-1", None, (), (), False)
        self.assertEqual(explanation_document(told)["records"], [])
        self.assertIn("not known to this list: it has no record of CVE-1", text_of(HOST, told).splitlines()[0])

    def test_markup(self) -> None:
        """Markup in a list is shown, not interpreted, in the text of a terminal."""
        told = explained(FixedPackage("[red]bash[/]", "9"), details_href="https://x.test/[bold]", aliases=("[i]",))
        shown = Text.from_markup(text_of(HOST, told)).plain
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
