"""Tests for :mod:`patches.cli.lists`."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.lists import kept_list
from patches.cli.main import main


class ListsTests(SynchronousTestCase):
    """The commands of ``patches list``."""

    def test_commands(self) -> None:
        """Every command has help of its own."""
        self.assertEqual(set(kept_list.commands), {"update", "status", "show"})
        helps = {CliRunner().invoke(main, ["list", name, "-h"]).output for name in kept_list.commands}
        self.assertEqual((len(helps), all("Exit codes" in each for each in helps)), (3, True))

    def test_usage(self) -> None:
        """A value that cannot be used is wrong usage, which names the option."""
        for words in (["status", "--format", "xml"], ["update", "--platform", "a b"], ["show", "--accept"]):
            ran = CliRunner().invoke(main, ["list", *words])
            self.assertEqual((ran.exit_code, words[1] in ran.stderr), (2, True), ran.stderr)
