"""Tests for :mod:`patches.cli.catalogue`: the options and arguments of each command."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from patches.cli.catalogue import catalogue
from patches.cli.main import main
from tests.server.catalogue_case import CommandCase

#: The commands, with the number of their arguments.
COMMANDS = {
    "list": 0,
    "show": 1,
    "diff": 2,
    "check": 0,
    "publish": 1,
    "prune": 0,
    "export": 1,
    "import": 1,
    "keygen": 1,
}


class CatalogueTests(CommandCase):
    """The commands of ``patches catalogue``."""

    def test_commands(self) -> None:
        """Every command has help of its own."""
        self.assertEqual(set(catalogue.commands), set(COMMANDS))
        helps = {CliRunner().invoke(main, ["catalogue", name, "--help"]).output for name in COMMANDS}
        self.assertEqual(len(helps), len(COMMANDS))

    def test_arguments(self) -> None:
        """Too few arguments, and too many, are wrong usage."""
        for name, count in COMMANDS.items():
            for words in (["x"] * (count - 1) if count else None, ["x"] * (count + 1)):
                if words is not None:
                    ran = CliRunner().invoke(main, ["catalogue", name, *words])
                    self.assertEqual((ran.exit_code, "Usage:" in ran.stderr), (2, True), (name, words))

    def test_options(self) -> None:
        """An option that cannot be parsed is wrong usage, which names it."""
        for words in (
            ["list", "--format", "xml"],
            ["show", "CVE-1", "--platform", "a b"],
            ["prune", "--keep", "soon"],
            ["check", "--database", "mysql://x"],
        ):
            ran = CliRunner().invoke(main, ["catalogue", *words])
            self.assertEqual((ran.exit_code, words[-2].removeprefix("--") in ran.stderr), (2, True), ran.stderr)

    def test_codes(self) -> None:
        """The exit code of a command is that of the program."""
        for words, code in ((["list"], 0), (["check"], 0), (["show", "CVE-1"], 1), (["publish", "debian-12"], 2)):
            ran = CliRunner().invoke(main, ["catalogue", *words, "--state-dir", str(self.folder)])
            self.assertEqual(ran.exit_code, code, words)
        ran = CliRunner().invoke(main, ["catalogue", "list", "--state-dir", "absent"])
        self.assertEqual(ran.exit_code, 5)

    def test_keygen(self) -> None:
        """The keys are created at the given path."""
        ran = CliRunner().invoke(main, ["catalogue", "keygen", "key"])
        self.assertEqual((ran.exit_code, Path("key").is_file(), Path("key.pub").is_file()), (0, True, True))
        self.assertEqual(ran.stdout, "Private key: key (keep it secret). Public key: key.pub\n")
