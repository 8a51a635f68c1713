"""The manual pages: one for each command and daemon, with everything that ``--help`` has."""

from __future__ import annotations

import re

import click
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.main import main
from patches.scanner.service import Options as ScannerOptions
from patches.settings import settings_of
from tests.docs_extensions import import_extension


class ManualTests(SynchronousTestCase):
    """The sources of the pages."""

    def setUp(self) -> None:
        self.pages = import_extension("manual").manual_pages()

    def test_complete(self) -> None:
        """Every command and every daemon has a page, with a description in one line."""
        names = {"patches", *(f"patches-{name}" for name in main.list_commands(click.Context(main)))}
        self.assertEqual(set(self.pages), names | {"patches-server", "patches-scanner", "patches-reporter"})
        for name, (section, said, _) in self.pages.items():
            self.assertTrue(said and "\n" not in said, name)
            self.assertEqual(section, 8 if name in ("patches-server", "patches-scanner", "patches-reporter") else 1)

    def test_options(self) -> None:
        """Each option is there with its text, of commands, of commands within a group, and of daemons."""
        text = self.plain("patches-scan")
        command = main.get_command(click.Context(main), "scan")
        assert command is not None
        for option in command.params:
            assert isinstance(option, click.Option)
            self.assertIn("".join((option.help or "").split()), text, option.name)
        self.assertIn("Exit status", self.pages["patches-scan"][2])
        self.assertIn("patches catalogue publish", self.pages["patches-catalogue"][2])
        daemon = self.plain("patches-scanner")
        for setting in settings_of(ScannerOptions.declared):
            self.assertIn("".join(f"--{setting.name}".split()), daemon)
            self.assertIn("".join(setting.describe().split()), daemon)

    def plain(self, name: str) -> str:
        """Return the text of a page without escapes and blanks."""
        return "".join(re.sub(r"\\(.)", r"\1", self.pages[name][2]).split())
