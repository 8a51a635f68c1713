"""Tests for :mod:`patches.cli.main`."""

from __future__ import annotations

import json
from pathlib import Path

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches import __version__
from patches.cli import main as main_module
from patches.cli.catalogue import catalogue
from patches.cli.lists import kept_list
from patches.cli.main import Commands, main
from patches.scanner.output.exit_codes import INTERRUPTED, UNSUPPORTED
from tests.integration.sample_host import write_host

COMMANDS = {name: main.get_command(click.Context(main), name) or main for name in main_module.COMMANDS}


class MainTests(SynchronousTestCase):
    """The console command."""

    def test_version(self) -> None:
        """The version is that of the package."""
        self.assertIn(__version__, CliRunner().invoke(main, ["--version"]).output)

    def test_commands(self) -> None:
        """Every command has help, with -h too."""
        self.assertEqual(
            set(COMMANDS), {"scan", "explain", "inventory", "config", "simulate", "demo", "doctor", "catalogue", "list"}
        )
        for name in COMMANDS:
            for option in ("-h", "--help"):
                ran = CliRunner().invoke(main, [name, option])
                self.assertEqual((ran.exit_code, "Usage:" in ran.output), (0, True), ran.output)

    def test_short_help(self) -> None:
        """A list of commands has a whole sentence about each, of at most 45 characters."""
        self.assertEqual(
            {name: command.short_help for name, command in COMMANDS.items()},
            {name: line for name, (_, line) in main_module.COMMANDS.items()},
        )
        for group in (COMMANDS, catalogue.commands, kept_list.commands):
            for name, command in group.items():
                text = command.short_help or ""
                self.assertTrue(0 < len(text) <= 45 and text.endswith("."), (name, text))
        for words in (["--help"], ["catalogue", "--help"], ["list", "--help"]):
            _, _, listed = CliRunner().invoke(main, words, env={"COLUMNS": "80"}).output.partition("Commands:")
            self.assertTrue(listed)
            self.assertNotIn("...", listed)

    def test_alone(self) -> None:
        """A command that is run by itself has the same options for help as within its group."""
        for name, command in COMMANDS.items():
            self.assertEqual(CliRunner().invoke(command, ["-h"]).exit_code, 0, name)

    def test_unknown(self) -> None:
        """An unknown command is wrong usage."""
        self.assertEqual(CliRunner().invoke(main, ["unheard-of"]).exit_code, 2)

    def test_interrupted(self) -> None:
        """A command that is interrupted ends with an exit code of its own."""

        @click.group(cls=Commands)
        def group() -> None:
            """Run commands."""

        @group.command()
        def interrupted() -> None:
            """Be interrupted."""
            raise KeyboardInterrupt

        self.assertEqual(CliRunner().invoke(group, ["interrupted"]).exit_code, INTERRUPTED)

    def test_inventory(self) -> None:
        """The exit code of a command is that of the program, and its options are resolved."""
        root = write_host(Path(self.mktemp()), "debian", "12", {"bash": "5"})
        ran = CliRunner().invoke(main, ["inventory", "--root", str(root), "--format", "json"])
        self.assertEqual((ran.exit_code, json.loads(ran.stdout)["platform"]), (0, "debian-12"))
        (root / "etc/os-release").unlink()
        for words in (["inventory"], ["explain", "CVE-1"], ["scan", "--quiet"]):
            self.assertEqual(CliRunner().invoke(main, [*words, "--root", str(root)]).exit_code, UNSUPPORTED, words)

    def test_config(self) -> None:
        """The options that hold are shown with their places; one that cannot be used is wrong usage."""
        environment = {"PATCHES_MAX_AGE": "3d", "PATCHES_NO_OPTION": "1", "XDG_CONFIG_HOME": str(Path(self.mktemp()))}
        ran = CliRunner().invoke(main, ["config", "--fail-on", "high"], env=environment)
        lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
        self.assertIn('max-age = "3d" # PATCHES_MAX_AGE', lines)
        self.assertIn('fail-on = "high" # command line', lines)
        self.assertIn('scan-frequency = "12h" # default', lines)
        self.assertEqual(
            (ran.exit_code, ran.stderr), (0, "Warning: PATCHES_NO_OPTION is set, but there is no option 'no-option'\n")
        )
        for name, text in (("PATCHES_MAX_AGE", "soon"), ("PATCHES_SCAN_FREQUENCY", "0")):
            ran = CliRunner().invoke(main, ["config"], env={name: text})
            self.assertEqual((ran.exit_code, name in ran.stderr), (2, True), ran.stderr)

    def test_explain_needs_a_name(self) -> None:
        """The explanation of nothing is wrong usage."""
        self.assertEqual(CliRunner().invoke(main, ["explain"]).exit_code, 2)
