"""Tests for :mod:`patches.cli.doctor`; its checks are tested in ``tests/scanner/doctor``."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.main import main


class DoctorTests(SynchronousTestCase):
    """The command."""

    def test_help(self) -> None:
        """It says what its exit codes mean."""
        result = CliRunner().invoke(main, ["doctor", "--help"])
        self.assertEqual(result.exit_code, 0)
        self.assertIn("Exit codes: 0", " ".join(result.output.split()))

    def test_wrong_usage(self) -> None:
        """A format that it does not have is wrong usage, in one line."""
        result = CliRunner().invoke(main, ["doctor", "--format", "xml"])
        self.assertEqual(result.exit_code, 2, result.output)
        self.assertIn("--format", result.output)
