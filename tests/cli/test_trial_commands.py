"""Tests for :mod:`patches.cli.trial_commands`."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches.cli import trial_commands


class TrialCommandTests(SynchronousTestCase):
    """The commands with which Patches is tried."""

    def test_help(self) -> None:
        """Each has help, and takes no argument."""
        for command in (trial_commands.simulate, trial_commands.demo):
            self.assertIn("Usage:", CliRunner().invoke(command, ["--help"]).output)
            self.assertEqual(CliRunner().invoke(command, ["argument"]).exit_code, 2)
