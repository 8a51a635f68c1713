"""The snapshot for GitHub's dependency submission: every package once, and the job that made it."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import PACKAGES, failed, outcome

VARIABLES = {
    "GITHUB_SHA": "ce587453ced02b1526dfb4cb910479d431683101",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_WORKFLOW": "scan",
    "GITHUB_JOB": "host",
    "GITHUB_RUN_ID": "7",
}


class GitHubTests(SynchronousTestCase):
    """GitHub."""

    def test_packages(self) -> None:
        """Each package is named by its purl."""
        resolved = made("github", outcome())["manifests"]["debian-12"]["resolved"]
        self.assertEqual(len(resolved), len(PACKAGES))
        for purl, package in resolved.items():
            self.assertEqual(package, {"package_url": purl, "relationship": "direct", "scope": "runtime"})
        self.assertNotIn("resolved", made("github", failed())["manifests"]["debian-12"])

    def test_job(self) -> None:
        """The commit and the job are those of the action; two hosts of one job do not replace each other."""
        for name, value in VARIABLES.items():
            before = os.environ.get(name)
            self.addCleanup(os.environ.pop, name, None)
            if before is not None:
                self.addCleanup(os.environ.__setitem__, name, before)
            os.environ[name] = value
        document = made("github", outcome())
        self.assertEqual((document["sha"], document["ref"]), (VARIABLES["GITHUB_SHA"], "refs/heads/main"))
        self.assertEqual(document["job"], {"correlator": "scan_host_web-1", "id": "7"})

    def test_verdict(self) -> None:
        """The metadata have the verdict."""
        told = made("github", failed())["metadata"]
        expected = {"patches:verdict": "incomplete", "patches:problem": "Connection refused", "patches:host": "web-1"}
        self.assertEqual(told, expected)
