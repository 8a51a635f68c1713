"""``patches scan`` up to the scan: which options are wrong usage."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.host_commands import scan as command
from tests.integration.sample_host import write_host


class CommandTests(SynchronousTestCase):
    """The command up to the scan."""

    def run_scan(self, *words: str) -> Result:
        """Run ``patches scan``."""
        return CliRunner().invoke(command, words)

    def test_unknown_platform(self) -> None:
        """A platform that cannot be detected is unsupported in every format, and has exit code 4."""
        root = Path(self.mktemp())
        root.mkdir()
        ran = self.run_scan("--root", str(root), "--format", "json", "--host", "web-1")
        document = json.loads(ran.stdout)
        self.assertEqual((ran.exit_code, document["verdict"], document["platform"]), (4, "unsupported", None))
        self.assertIn("unknown platform", document["problem"])
        ran = self.run_scan("--root", str(root))
        self.assertEqual((ran.exit_code, "unknown platform" in " ".join(ran.stdout.split())), (4, True))
        for form in ("sarif", "cyclonedx", "openvex", "csv", "html", "junit", "gitlab", "github", "spdx"):
            self.assertEqual(self.run_scan("--root", str(root), "--format", form).exit_code, 4)

    def test_usage(self) -> None:
        """A file that cannot be read or written, and an invalid value, are wrong usage before the scan."""
        root = str(write_host(Path(self.mktemp()), "debian", "12", {"bash": "1"}))
        Path("bad.toml").write_text("[[ignore]]\ncve = 'CVE-1'\nexpires = 2026-01-01\n")
        for words, said in (
            (["--ignore", "bad.toml"], "bad.toml: entry 1: reason is missing"),
            (["--ignore", "none.toml"], "none.toml: there is no such file"),
            (["--output", "none/out.json"], "--output none/out.json: there is no such folder"),
            (["--format", "xml"], "must be one of table, json"),
            (["--fail-on", "worst"], "must be one of unknown"),
        ):
            ran = self.run_scan("--root", root, *words)
            self.assertEqual((ran.exit_code, ran.stdout), (2, ""))
            self.assertIn(said, ran.stderr)

    def test_file_of_options(self) -> None:
        """Flags in a file of options are true or false."""
        Path("scan.toml").write_text('quiet = true\nverbose = false\nformat = "json"\nroot = "."\n')
        ran = self.run_scan("--config", "scan.toml")
        self.assertEqual((ran.exit_code, json.loads(ran.stdout)["verdict"]), (4, "unsupported"))
        Path("scan.toml").write_text('quiet = "yes"\n')
        ran = self.run_scan("--config", "scan.toml")
        self.assertEqual((ran.exit_code, "quiet must be true or false" in ran.stderr), (2, True))
