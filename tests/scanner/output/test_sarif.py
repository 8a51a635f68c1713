"""SARIF: one rule for each vulnerability, one result for each finding."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest import SkipTest

from attrs import evolve
from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output import sarif
from patches.scanner.output.formats import WRITERS
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import FINDINGS, SUDO, failed, finding, outcome


class SarifTests(SynchronousTestCase):
    """SARIF."""

    def run_of(self, of: Outcome) -> Any:
        """Return the only run of the document."""
        (run,) = made("sarif", of)["runs"]
        return run

    def test_rules(self) -> None:
        """There is one rule for each vulnerability, with the score of its vector, or else of its severity."""
        run = self.run_of(outcome(with_unfixed=True))
        rules = run["tool"]["driver"]["rules"]
        self.assertEqual(len(rules), len({rule["id"] for rule in rules}))
        scores = {rule["id"]: rule["properties"].get("security-severity") for rule in rules}
        self.assertEqual(
            (scores["CVE-2025-9230"], scores["CVE-2026-2000"], scores["CVE-2026-4000"]), ("9.8", "9.5", None)
        )
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])

    def test_score_of_list(self) -> None:
        """The score that the list has goes before one that is computed here."""
        one = evolve(FINDINGS[0], records=(evolve(FINDINGS[0].records[0], score=6.1),))
        (rule,) = self.run_of(outcome(findings=(one,)))["tool"]["driver"]["rules"]
        self.assertEqual(rule["properties"]["security-severity"], "6.1")

    def test_results(self) -> None:
        """There is one result for each finding, which names the package and its database."""
        results = self.run_of(outcome())["results"]
        self.assertEqual([result["level"] for result in results], ["error", "warning", "note", "error"])
        location = results[0]["locations"][0]
        self.assertEqual(location["physicalLocation"]["artifactLocation"]["uri"], "var/lib/dpkg/status")
        self.assertEqual(PackageURL.from_string(location["logicalLocations"][0]["fullyQualifiedName"]).name, "libssl3")
        prints = [json.dumps(result["partialFingerprints"]) for result in results]
        self.assertEqual(len(set(prints)), 4)
        again = self.run_of(outcome(scan_id="f" * 32, finished=0.0))["results"]
        self.assertEqual([json.dumps(result["partialFingerprints"]) for result in again], prints)

    def test_suppressions(self) -> None:
        """An ignored finding stays, suppressed with its reason; others have an empty list of suppressions."""
        open_one, _, accepted, vex = (result["suppressions"] for result in self.run_of(outcome())["results"])
        self.assertEqual(open_one, [])
        self.assertEqual(accepted[0]["justification"], "Nobody but root logs in.")
        self.assertEqual(accepted[0]["properties"], {"expires": "2026-03-01"})
        self.assertEqual(vex[0]["status"], "accepted")

    def test_unjudged(self) -> None:
        """The packages without a verdict are named with their reasons, and counted in notifications."""
        run = made("sarif", outcome())["runs"][0]
        reasons = {each["package"].partition("@")[0]: each["reason"] for each in run["properties"]["unjudged"]}
        expected = {
            "pkg:deb/debian/linux-image-6.1.0-18-amd64": "the listed version is not valid",
            "pkg:deb/debian/docker-ce": "from Docker",
        }
        self.assertEqual(reasons, expected)
        texts = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
        self.assertIn("not judged: 1 package: not covered: not from the distribution", texts)
        self.assertIn("support for debian-12 ended in 2025-12", texts)

    def test_invocation(self) -> None:
        """An invocation is successful if the verdict is clean or findings; otherwise it has a note with the reason."""
        for verdict in Verdict:
            (invocation,) = self.run_of(outcome(verdict=verdict))["invocations"]
            self.assertEqual(invocation["executionSuccessful"], verdict in (Verdict.CLEAN, Verdict.FINDINGS), verdict)
        (invocation,) = self.run_of(failed())["invocations"]
        notes = [(note["level"], note["message"]["text"]) for note in invocation["toolExecutionNotifications"]]
        self.assertEqual(notes, [("error", "incomplete: Connection refused")])

    def test_help(self) -> None:
        """A rule has a full description and a help text, as GitHub requires; Markdown in a text has no meaning."""
        rule = self.run_of(outcome())["tool"]["driver"]["rules"][0]
        described = (
            "CVE-2025-9230 affects openssl, bash. Its severity is high according to debian. It is also known as "
        )
        self.assertEqual(rule["fullDescription"]["text"], f"{described}DSA-9230-1.")
        link = "https://security-tracker.debian.org/tracker/CVE-2025-9230"
        self.assertIn("Upgrade libssl3 (source package openssl) to 3.0.17-1 or later.\n", rule["help"]["text"])
        self.assertTrue(rule["help"]["text"].endswith(link))
        odd = finding("CVE-1", evolve(SUDO, name="a[b](c)<i>_*"), FixedPackage("sudo", "2"), Severity.LOW)
        (rule,) = self.run_of(outcome(findings=(odd,)))["tool"]["driver"]["rules"]
        self.assertIn(r"a\[b\]\(c\)\<i\>\_\*", rule["help"]["markdown"])
        self.assertLess(len(rule["help"]["markdown"]), 1001)

    def test_many(self) -> None:
        """Many findings are several runs, each with its own rules and its own category; the rest is told."""
        self.patch(sarif, "MOST_RESULTS", 2)
        self.patch(sarif, "MOST_RUNS", 2)
        of = outcome(with_unfixed=True)
        first, second = made("sarif", of)["runs"]
        self.assertEqual([len(run["results"]) for run in (first, second)], [2, 2])
        ids = [run["automationDetails"]["id"] for run in (first, second)]
        self.assertEqual(ids, ["patches/debian-12/web-1/", "patches/debian-12/web-1/part-2/"])
        for run in (first, second):
            rules = run["tool"]["driver"]["rules"]
            self.assertEqual({rule["id"] for rule in rules}, {each["ruleId"] for each in run["results"]})
            for result in run["results"]:
                self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
            texts = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
            self.assertIn("left out, as a file has at most 2 runs: 2 findings", texts)

    def test_scale(self) -> None:
        """26,000 findings are two runs of at most 25,000, which GitHub accepts."""
        many = tuple(evolve(FINDINGS[0], vulnerability_id=f"CVE-2099-{n:05d}") for n in range(26_000))
        document = made("sarif", outcome(findings=many))
        self.assertEqual([len(run["results"]) for run in document["runs"]], [25_000, 1_000])

    def said_by_multitool(self, document: str) -> list[str]:
        """Return the errors and warnings of Microsoft's validator, with its own rules and those for GitHub."""
        tool = shutil.which("sarif-multitool")
        if tool is None:
            raise SkipTest("sarif-multitool is not installed: npm install --global @microsoft/sarif-multitool")
        path = Path(self.mktemp()).with_suffix(".sarif")
        path.write_text(document)
        words = [tool, "validate", str(path), "--rule-kind", "'Sarif;Ghas'"]  # npm's wrapper passes words to a shell
        ran = subprocess.run(words, capture_output=True, text=True, timeout=120)
        return [line for line in (ran.stdout + ran.stderr).splitlines() if re.search(r": (error|warning) ", line)]

    def test_multitool(self) -> None:
        """Microsoft's validator finds nothing, and does find a rule without help."""
        for number, of in enumerate((outcome(with_unfixed=True), outcome(findings=()), failed())):
            self.assertEqual(self.said_by_multitool("".join(WRITERS["sarif"](of))), [], number)
        document = made("sarif", outcome())
        del document["runs"][0]["tool"]["driver"]["rules"][0]["help"]
        (said,) = self.said_by_multitool(json.dumps(document))
        self.assertIn("GH2012", said)

    def test_escapes(self) -> None:
        """A text that looks like a placeholder or a link is escaped in the message."""
        odd = finding("CVE-1", evolve(SUDO, name="a{0}[b](c)"), FixedPackage("sudo", "2"), Severity.LOW)
        (result,) = self.run_of(outcome(findings=(odd,)))["results"]
        self.assertIn("a{{0}}\\[b\\](c)", result["message"]["text"])
