"""GitLab's container scanning report: the findings that count, each with a stable id."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Verdict
from tests.scanner.output.format_checks import made, problems
from tests.scanner.sample_outcomes import failed, outcome


class GitLabTests(SynchronousTestCase):
    """GitLab."""

    def test_vulnerabilities(self) -> None:
        """Each finding that counts is a vulnerability with its package, its ids and what to upgrade."""
        first, _ = made("gitlab", outcome())["vulnerabilities"]
        self.assertEqual((first["name"], first["severity"]), ("CVE-2025-9230 in openssl", "High"))
        self.assertIn("Upgrade libssl3 (source package openssl) to 3.0.17-1", first["solution"])
        ids = [(each["type"], each["value"]) for each in first["identifiers"]]
        self.assertEqual(ids, [("cve", "CVE-2025-9230"), ("dsa", "DSA-9230-1")])
        self.assertEqual(first["location"]["image"], "web-1:debian-12")
        self.assertEqual(first["location"]["dependency"]["version"], "3.0.16-1~deb12u1")

    def test_stable(self) -> None:
        """An id is the same in the next scan of the host, and another on another host or in another package."""
        ids = [each["id"] for each in made("gitlab", outcome())["vulnerabilities"]]
        again = made("gitlab", outcome(scan_id="f" * 32, finished=0.0))["vulnerabilities"]
        self.assertEqual([each["id"] for each in again], ids)
        other = [each["id"] for each in made("gitlab", outcome(host="web-2"))["vulnerabilities"]]
        self.assertEqual(len({*ids, *other}), 4)

    def test_messages(self) -> None:
        """Unjudged packages, and findings that do not count, are messages."""
        scan = made("gitlab", outcome())["scan"]
        self.assertEqual(scan["status"], "success")
        self.assertIn(
            {"level": "info", "value": "not in this report, as they do not count: 2 findings"}, scan["messages"]
        )
        self.assertEqual(sum(each["level"] == "warn" for each in scan["messages"]), 3)
        scan = made("gitlab", failed())["scan"]
        told = [{"level": "fatal", "value": "incomplete: Connection refused"}]
        self.assertEqual((scan["status"], scan["messages"]), ("failure", told))
        self.assertEqual(made("gitlab", outcome(verdict=Verdict.STALE))["scan"]["status"], "failure")

    def test_image(self) -> None:
        """The name of any host is a valid image."""
        from patches.scanner.output.formats import WRITERS

        for host in ("[::1]:80", ":", "a:b:c:d"):
            text = "".join(WRITERS["gitlab"](evolve(outcome(), host=host, platform="")))
            self.assertEqual(problems("gitlab", text), [], host)
