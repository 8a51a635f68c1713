"""Tests for :mod:`patches.cli.host_commands`."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches.cli import host_commands


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
