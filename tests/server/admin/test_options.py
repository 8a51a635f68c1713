"""Tests for :mod:`patches.server.admin.options`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server import options as server
from patches.server.admin.options import (
    EXPORT_SETTINGS,
    IMPORT_SETTINGS,
    PLACE_SETTINGS,
    PRUNE_SETTINGS,
    SHOW_SETTINGS,
    SHOWN_SETTINGS,
)
from patches.settings import BadSetting, Setting, resolve

ALL = (PLACE_SETTINGS, SHOWN_SETTINGS, SHOW_SETTINGS, PRUNE_SETTINGS, EXPORT_SETTINGS, IMPORT_SETTINGS)


class OptionTests(SynchronousTestCase):
    """The options of each command."""

    def test_place(self) -> None:
        """Every command finds the catalogue where the server has it by default, and no option is there twice."""
        defaults = resolve(server.SETTINGS, {})
        for settings in ALL:
            values = resolve(settings, {})
            for name in ("state-dir", "database"):
                self.assertEqual(values[name], defaults[name])
            names = [setting.name for setting in settings]
            self.assertEqual(len(set(names)), len(names))

    def test_secret(self) -> None:
        """The URL of the database, which may contain a password, is a secret."""
        for settings in ALL:
            self.assertEqual([setting.name for setting in settings if setting.secret], ["database"])

    def test_defaults(self) -> None:
        """Without options, all platforms are chosen, nothing is signed or verified, and a day is kept."""
        self.assertEqual(resolve(SHOW_SETTINGS, {})["platform"], None)
        self.assertEqual(resolve(SHOWN_SETTINGS, {})["format"], "table")
        self.assertEqual(resolve(PRUNE_SETTINGS, {})["keep"], timedelta(days=1))
        self.assertIsNone(resolve(EXPORT_SETTINGS, {})["signing-key"])
        values = resolve(IMPORT_SETTINGS, {})
        self.assertEqual((values["verify-key"], values["force"]), (None, False))

    def test_values(self) -> None:
        """Values are parsed to their types."""
        self.assertEqual(resolve(SHOW_SETTINGS, {"platform": "debian-12, wolfi"})["platform"], ("debian-12", "wolfi"))
        self.assertEqual(resolve(PRUNE_SETTINGS, {"keep": "90m"})["keep"], timedelta(minutes=90))
        self.assertEqual(resolve(EXPORT_SETTINGS, {"signing-key": "a/b"})["signing-key"], Path("a/b"))

    def test_refused(self) -> None:
        """Invalid values are refused with the name of the option."""
        refused: tuple[tuple[tuple[Setting, ...], str, str], ...] = (
            (SHOWN_SETTINGS, "format", "xml"),
            (SHOW_SETTINGS, "platform", ","),
            (PRUNE_SETTINGS, "keep", "0"),
            (PLACE_SETTINGS, "database", "mysql://x"),
            (IMPORT_SETTINGS, "force", "perhaps"),
        )
        for settings, name, text in refused:
            with self.assertRaisesRegex(BadSetting, name):
                resolve(settings, {name: text})
