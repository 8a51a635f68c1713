"""Documents for other programs: each keeps to its specification, and says all that is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attrs import evolve
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.findings import Finding, Ignored
from patches.scanner.formats import DOCUMENTS
from patches.scanner.formats.cvss import base_score
from patches.scanner.formats.links import links_of
from patches.scanner.inventory import Package
from patches.scanner.outcome import Judged, Outcome, Verdict
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.outcomes import BASH, FINDINGS, KERNEL, SSL, SUDO, failed, finding, outcome, record
from tests.scanner.schemas import OPENVEX, SARIF

CYCLONEDX = JsonStrictValidator(SchemaVersion.V1_6)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)


def made(name: str, of: Outcome) -> Any:
    """Make a document, and read it."""
    return json.loads(DOCUMENTS[name](of))


def everything() -> Iterator[Outcome]:
    """Give outcomes of every kind."""
    yield outcome()
    yield outcome(with_unfixed=True)
    yield outcome(verdict=Verdict.CLEAN, findings=(), unfixed=(), not_evaluated={}, kernels=None, end_of_life=None)
    yield outcome(verdict=Verdict.STALE, problem="the list was last checked 9 days ago")
    yield failed()
    yield failed(Verdict.ERROR, "no package database found under /")
    yield evolve(failed(Verdict.UNSUPPORTED, "unknown platform (no ID in os-release)"), platform="")


def problems(name: str, text: str) -> list[str]:
    """Tell what a document's specification says against it."""
    if name == "cyclonedx":
        errors = CYCLONEDX.validate_str(text, all_errors=True)
        return [str(error) for error in errors or ()]
    schemas = {"sarif": SARIF, "openvex": OPENVEX}
    if name not in schemas:
        return []
    return [error.message for error in Draft202012Validator(schemas[name]).iter_errors(json.loads(text))]


def strange(name: str, version: str, text: str, reason: str) -> Outcome:
    """Make an outcome out of texts that nobody expects."""
    package = Package(name, version, "amd64", text, version, vendor=text)
    told = record(
        "CVE-1", Severity.HIGH, details_href=f"https://host/{text}", aliases=(text,), cvss=text, published=text
    )
    flaw = Finding(text, package, FixedPackage(name, version), (told,), ignored=Ignored(reason, None, "not_affected"))
    judged = Judged(1, (package,), {package: (reason,)}, (package,), (package,), "dpkg")
    return outcome(findings=(flaw,), unfixed=(), judged=judged, host=text, problem=reason)


class EveryFormatTests(SynchronousTestCase):
    """What holds for all."""

    def test_valid(self) -> None:
        """Whatever came of a scan, the document is one of its format, and plain ASCII."""
        for each in everything():
            for name, make in DOCUMENTS.items():
                text = make(each)
                self.assertTrue(text.isascii(), name)
                self.assertFalse(text.endswith("\n"), name)
                self.assertEqual(problems(name, text), [], (name, each.verdict))

    @settings(max_examples=40, deadline=None)
    @given(TEXTS, TEXTS, TEXTS, TEXTS)
    def test_strange_texts(self, name: str, version: str, text: str, reason: str) -> None:
        """Texts of lists and of files are only ever texts in the document."""
        for form, make in DOCUMENTS.items():
            self.assertEqual(problems(form, make(strange(name, version, text, reason))), [], form)

    def test_schemas_refuse(self) -> None:
        """The schemas of these tests do refuse what is wrong."""
        sarif, vex = made("sarif", outcome()), made("openvex", outcome())
        sarif["runs"][0]["results"][0]["levels"] = "error"
        self.assertEqual(len(problems("sarif", json.dumps(sarif))), 1)
        for statement in vex["statements"]:
            statement.pop("action_statement", None)
        self.assertEqual(len(problems("openvex", json.dumps(vex))), 3)

    def test_not_clean(self) -> None:
        """A scan that could not see the whole list says so in every format, with the reason."""
        for name, make in DOCUMENTS.items():
            text = make(failed())
            self.assertIn("incomplete", text, name)
            self.assertIn("Connection refused", text, name)


class OwnFormTests(SynchronousTestCase):
    """Our own JSON."""

    def test_facts(self) -> None:
        """What is known of the scan, the list, the kernels and the packages is there."""
        document = made("json", outcome())
        self.assertEqual(
            (document["verdict"], document["host"], document["platform"]), ("findings", "web-1", "debian-12")
        )
        self.assertEqual((document["started"], document["endOfLife"]), ("2026-01-01T00:00:00Z", "2025-12"))
        self.assertEqual(document["kernels"]["rebootPending"], True)
        self.assertEqual(document["list"]["checked"], "2026-01-01T00:00:00Z")
        self.assertEqual(document["notEvaluated"], {"the listed version is not valid": 3})
        packages = document["packages"]
        self.assertEqual((packages["installed"], packages["affected"], packages["fine"]), (5, 3, 0))
        self.assertEqual([package["name"] for package in packages["notCovered"]], ["docker-ce"])
        self.assertEqual(packages["notEvaluated"][0]["reasons"], ["the listed version is not valid"])

    def test_finding(self) -> None:
        """A finding has the version that was compared, the fix, its records and the decision about it."""
        ssl, _, sudo, kernel = made("json", outcome())["findings"]
        self.assertEqual((ssl["flaw"], ssl["severity"], ssl["fixed"]), ("CVE-2025-9230", "high", "3.0.17-1"))
        self.assertEqual(ssl["package"]["sourceVersion"], SSL.source_version)
        self.assertEqual(ssl["records"][0]["cvss"], FINDINGS[0].records[0].cvss)
        self.assertEqual((ssl["ignored"], ssl["running"]), (None, None))
        self.assertEqual(sudo["ignored"], {"reason": "Nobody but root logs in.", "expires": "2026-03-01"})
        self.assertEqual((kernel["installed"], kernel["running"]), ("6.1.76+1", False))

    def test_unfixed(self) -> None:
        """What has no fix is counted, and shown if that is asked for."""
        self.assertEqual(made("json", outcome())["unfixedCount"], 2)
        self.assertNotIn("unfixed", made("json", outcome()))
        shown = made("json", outcome(with_unfixed=True))
        self.assertEqual(
            ([each["status"] for each in shown["unfixed"]], shown["unfixedCount"]), (["will_not_fix", "affected"], 2)
        )

    def test_nothing_is_fine(self) -> None:
        """Of a scan that is not complete, no package is said to be fine."""
        self.assertIsNone(made("json", failed())["packages"]["fine"])


class SarifTests(SynchronousTestCase):
    """SARIF."""

    def run_of(self, of: Outcome) -> Any:
        """Give the one run of the document."""
        (run,) = made("sarif", of)["runs"]
        return run

    def test_rules(self) -> None:
        """There is one rule for each flaw, with the score of its vector, else one for its rating."""
        run = self.run_of(outcome(with_unfixed=True))
        rules = run["tool"]["driver"]["rules"]
        self.assertEqual(len(rules), len({rule["id"] for rule in rules}))
        scores = {rule["id"]: rule["properties"].get("security-severity") for rule in rules}
        self.assertEqual(
            (scores["CVE-2025-9230"], scores["CVE-2026-2000"], scores["CVE-2026-4000"]), ("9.8", "9.5", None)
        )
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])

    def test_results(self) -> None:
        """There is one result for each finding, which names the package and the database in which it stands."""
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
        """What is ignored stays, suppressed with its reason; of the rest it is said that it is not."""
        open_one, _, accepted, vex = (result["suppressions"] for result in self.run_of(outcome())["results"])
        self.assertEqual(open_one, [])
        self.assertEqual(accepted[0]["justification"], "Nobody but root logs in.")
        self.assertEqual(accepted[0]["properties"], {"expires": "2026-03-01"})
        self.assertEqual(vex[0]["status"], "accepted")

    def test_invocation(self) -> None:
        """An invocation is successful if the scan ended in clean or findings, and else notes why not."""
        for verdict in Verdict:
            (invocation,) = self.run_of(outcome(verdict=verdict))["invocations"]
            self.assertEqual(invocation["executionSuccessful"], verdict in (Verdict.CLEAN, Verdict.FINDINGS), verdict)
        (invocation,) = self.run_of(failed())["invocations"]
        notes = [(note["level"], note["message"]["text"]) for note in invocation["toolExecutionNotifications"]]
        self.assertEqual(notes, [("error", "incomplete: Connection refused")])

    def test_escapes(self) -> None:
        """What looks like a placeholder or a link in a text is none in the message."""
        odd = finding("CVE-1", evolve(SUDO, name="a{0}[b](c)"), FixedPackage("sudo", "2"), Severity.LOW)
        (result,) = self.run_of(outcome(findings=(odd,)))["results"]
        self.assertIn("a{{0}}\\[b\\](c)", result["message"]["text"])


class CycloneDxTests(SynchronousTestCase):
    """CycloneDX."""

    def test_components(self) -> None:
        """Every package that is installed is a component, with its purl; what was not judged is marked."""
        components = {each["name"]: each for each in made("cyclonedx", outcome())["components"]}
        self.assertLessEqual({package.name for package in outcome().judged.packages}, components.keys())
        self.assertEqual(PackageURL.from_string(components["bash"]["purl"]).version, BASH.version)
        marks = {each["name"] for each in components[KERNEL.name]["properties"]}
        self.assertIn("patches:notEvaluated", marks)
        self.assertIn("patches:notCovered", {each["name"] for each in components["docker-ce"]["properties"]})

    def test_references(self) -> None:
        """Whatever a vulnerability affects is a component of the document."""
        document = made("cyclonedx", outcome(with_unfixed=True))
        refs = {each["bom-ref"] for each in document["components"]}
        affected = {target["ref"] for each in document["vulnerabilities"] for target in each["affects"]}
        self.assertLessEqual(affected, refs)
        self.assertEqual(len(affected), 4)

    def test_ratings(self) -> None:
        """A rating has its source's severity, and the score of its vector."""
        flaws = {each["id"]: each for each in made("cyclonedx", outcome(with_unfixed=True))["vulnerabilities"]}
        scores = [(each["severity"], each.get("score")) for each in flaws["CVE-2025-9230"]["ratings"]]
        self.assertEqual(sorted(scores, key=str), [("high", 9.8), ("medium", None)])
        self.assertEqual(flaws["CVE-2026-3000"]["ratings"][0]["severity"], "info")

    def test_analysis(self) -> None:
        """A decision is an analysis: accepted is still exploitable, and a VEX statement keeps what it said."""
        flaws = {each["id"]: each for each in made("cyclonedx", outcome())["vulnerabilities"]}
        self.assertNotIn("analysis", flaws["CVE-2025-9230"])
        accepted = flaws["CVE-2026-1000"]["analysis"]
        self.assertEqual((accepted["state"], accepted["response"]), ("exploitable", ["will_not_fix"]))
        self.assertIn("until 2026-03-01: Nobody", accepted["detail"])
        settled = flaws["CVE-2026-2000"]["analysis"]
        self.assertEqual((settled["state"], settled["justification"]), ("not_affected", "code_not_reachable"))

    def test_two_decisions(self) -> None:
        """A flaw that is ignored in one package and not in another is there twice."""
        both = (FINDINGS[0], evolve(FINDINGS[1], ignored=Ignored("It is fine.", None)))
        document = made("cyclonedx", outcome(findings=both))
        self.assertEqual([each["id"] for each in document["vulnerabilities"]], ["CVE-2025-9230"] * 2)
        self.assertEqual(["analysis" in each for each in document["vulnerabilities"]].count(True), 1)


class OpenVexTests(SynchronousTestCase):
    """OpenVEX."""

    def test_statements(self) -> None:
        """Each finding is a statement about its package: affected, with what to do."""
        first = made("openvex", outcome())["statements"][0]
        self.assertEqual(first["vulnerability"]["aliases"], ["DSA-9230-1"])
        self.assertEqual(PackageURL.from_string(first["products"][0]["@id"]).name, "libssl3")
        self.assertEqual((first["status"], "3.0.17-1" in first["action_statement"]), ("affected", True))

    def test_decisions(self) -> None:
        """What was accepted is affected still; what a VEX statement settled is passed on as it was."""
        _, _, accepted, settled = made("openvex", outcome())["statements"]
        self.assertEqual((accepted["status"], settled["status"]), ("affected", "not_affected"))
        self.assertIn("Nobody but root logs in.", accepted["action_statement"])
        self.assertEqual(settled["justification"], "vulnerable_code_not_in_execute_path")
        self.assertNotIn("impact_statement", settled)
        fixed = evolve(FINDINGS[0], ignored=Ignored("Patched live.", None, "fixed"))
        plain = evolve(FINDINGS[1], ignored=Ignored("Not used.", None, "not_affected"))
        fixed_one, plain_one = made("openvex", outcome(findings=(fixed, plain)))["statements"]
        self.assertEqual((fixed_one["status"], fixed_one["status_notes"]), ("fixed", "Patched live."))
        self.assertEqual(plain_one["impact_statement"], "Not used.")

    def test_verdict(self) -> None:
        """A document without statements tells whether that is a clean result."""
        self.assertIn("verdict incomplete: Connection refused", made("openvex", failed())["tooling"])
        self.assertIn("verdict clean", made("openvex", outcome(verdict=Verdict.CLEAN, findings=()))["tooling"])


class PartTests(SynchronousTestCase):
    """What the formats share."""

    def test_scores(self) -> None:
        """Scores are those of the calculators of FIRST; what has none has none."""
        for vector, score in {
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 9.8,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H": 10.0,
            "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H": 9.9,
            "CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H": 7.8,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": 6.1,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N": 0.0,
            "AV:N/AC:M/Au:N/C:P/I:P/A:P": 6.8,
            "AV:N/AC:L/Au:N/C:C/I:C/A:C": 10.0,
            "AV:N/AC:L/Au:N/C:N/I:N/A:N": 0.0,
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": None,
            "CVSS:3.1/AV:N": None,
            "CVSS:3.1/": None,
            "high": None,
        }.items():
            self.assertEqual((vector, base_score(vector)), (vector, score))

    @given(st.text())
    def test_any_vector(self, text: str) -> None:
        """Whatever a list has for a vector, there is a score from 0 to 10, or none."""
        for vector in (text, f"CVSS:3.1/{text}", f"AV:{text}"):
            score = base_score(vector)
            self.assertTrue(score is None or 0 <= score <= 10)

    def test_links(self) -> None:
        """Only an address on the web is a link."""
        good = ["https://example.org/CVE-1?a=b&c=%20#d", "http://[::1]:80/"]
        bad = [
            "",
            "ftp://example.org",
            "javascript:alert(1)",
            "https://exa mple.org",
            "https://e.org/%zz",
            "https://e/[a]",
        ]
        found = [
            evolve(
                FINDINGS[0],
                records=tuple(record(f"CVE-{n}", Severity.LOW, details_href=href) for n, href in enumerate(bad + good)),
            )
        ]
        self.assertEqual(links_of(found), good)
