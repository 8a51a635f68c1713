"""Tests for :mod:`patches.cli.host_commands`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches.cli import host_commands
from patches.cli.main import main
from patches.service import one_shot


class HostCommandTests(SynchronousTestCase):
    """The commands of one host."""

    def test_exit_codes_told(self) -> None:
        """The help of a command that judges the host lists its exit codes."""
        for command in (host_commands.scan, host_commands.explain, host_commands.inventory, host_commands.config):
            self.assertIn("Exit codes: 0", CliRunner().invoke(command, ["--help"]).output)

    def test_wrong_usage(self) -> None:
        """A value that cannot be used is wrong usage, whichever command is given it."""
        for command, words in ((host_commands.scan, []), (host_commands.explain, ["CVE-2024-1"])):
            ran = CliRunner().invoke(command, [*words, "--patches-server", "ftp://example.com"])
            self.assertEqual(ran.exit_code, 2)
            self.assertIn("--patches-server", ran.output)

    def test_format_of_scans(self) -> None:
        """A format in a shared place that only ``scan`` has is passed over by the others, unless it is typed."""
        self.patch(one_shot, "run", lambda work: 3)  # a reactor runs once in a process
        path, cache = Path(self.mktemp()), self.mktemp()
        path.write_text('format = "sarif"\n')
        shared = ["--config", str(path)]
        offline = ["explain", "CVE-2024-1", "--platform", "debian-12", "--offline", "--cache", cache]
        for words in (offline, ["list", "status", "--cache", cache], ["doctor"], ["config"], ["inventory"]):
            given = shared if words != ["inventory"] else []
            ran = CliRunner().invoke(main, [*words, *given], env={"PATCHES_TIMEOUT": "5s"})
            self.assertNotIn("sarif': must", ran.output)
            self.assertNotEqual(ran.exit_code, 2, (words, ran.output))
        for words in (offline, ["list", "status", "--cache", cache]):
            ran = CliRunner().invoke(main, [*words, *shared, "--format", "sarif"])
            self.assertEqual((ran.exit_code, "--format 'sarif': must be" in ran.output), (2, True), ran.output)
            ran = CliRunner().invoke(main, words, env={"PATCHES_FORMAT": "sarif"})
            self.assertNotEqual(ran.exit_code, 2, ran.output)
