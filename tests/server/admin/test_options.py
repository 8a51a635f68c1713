"""Tests for :mod:`patches.server.admin.options`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.server.admin.options import ExportSettings, ImportSettings, ListSettings, PruneSettings, ShowSettings
from patches.server.options import CatalogueSettings, ServerSettings
from patches.settings import BadSetting, resolve, settings_of

ALL: tuple[type[Any], ...] = (ListSettings, ShowSettings, PruneSettings, ExportSettings, ImportSettings)


class OptionTests(SynchronousTestCase):
    """The options of each command."""

    def test_place(self) -> None:
        """Every command finds the catalogue where the server has it by default, and no option is there twice."""
        for declared in ALL:
            self.assertEqual(resolve(declared, {}).catalogue, ServerSettings().catalogue)
        for declared in (*ALL, CatalogueSettings, ServerSettings):
            names = [setting.name for setting in settings_of(declared)]
            self.assertEqual(len(set(names)), len(names))

    def test_secret(self) -> None:
        """The URL of the database, which may contain a password, is a secret."""
        for declared in (*ALL, CatalogueSettings):
            self.assertEqual([each.name for each in settings_of(declared) if each.secret], ["database"])

    def test_defaults(self) -> None:
        """Without options, all platforms are chosen, nothing is signed or verified, and a day is kept."""
        self.assertIsNone(resolve(ShowSettings, {}).choice.platforms)
        self.assertEqual(resolve(ListSettings, {}).output.format, "table")
        self.assertEqual(resolve(PruneSettings, {}).keep, timedelta(days=1))
        self.assertIsNone(resolve(ExportSettings, {}).signing_key)
        settings = resolve(ImportSettings, {})
        self.assertEqual((settings.verify_key, settings.force), (None, False))

    def test_values(self) -> None:
        """Values are parsed to their types."""
        chosen = resolve(ShowSettings, {"platform": "debian-12, wolfi"}).choice
        self.assertEqual(chosen.platforms, ("debian-12", "wolfi"))
        self.assertEqual(resolve(PruneSettings, {"keep": "90m"}).keep, timedelta(minutes=90))
        self.assertEqual(resolve(ExportSettings, {"signing-key": "a/b"}).signing_key, Path("a/b"))

    def test_refused(self) -> None:
        """Invalid values are refused with the name of the option."""
        refused: tuple[tuple[type[Any], str, str], ...] = (
            (ListSettings, "format", "xml"),
            (ShowSettings, "platform", ","),
            (PruneSettings, "keep", "0"),
            (CatalogueSettings, "database", "mysql://x"),
            (ImportSettings, "force", "perhaps"),
        )
        for declared, name, text in refused:
            with self.assertRaisesRegex(BadSetting, name):
                resolve(declared, {name: text})
