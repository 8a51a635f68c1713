"""Tests for :mod:`patches.service.places.setting_places`."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from patches.service.places.setting_places import Family, applicable, found_settings, resolved_settings
from patches.setting_parsers import count, flag, one_of
from patches.settings import BadSetting, Given, option, resolve, settings_of


@frozen(kw_only=True)
class PotSettings:
    """The daemon."""

    cups: int = option("2", count, "How many.")
    keep_warm: bool = option("false", flag, "Warm.")


@frozen(kw_only=True)
class PourSettings:
    """A command."""

    cups: int = option("2", count, "How many.")
    sugar: int = option("1", count, "How much.")
    milk: int | None = option(None, count, "How much.")


@frozen(kw_only=True)
class MenuSettings:
    """A command with options of the same names, and other values."""

    cups: str = option("few", one_of("few", "many"), "How many.")
    sugar: int | None = option(None, lambda text: None if text == "none" else count(text), "How much.")


class FoundTests(SynchronousTestCase):
    """Options of a daemon and of a command."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.system, self.user = self.folder / "system.toml", self.folder / "user.toml"
        self.family = Family((PotSettings, PourSettings), lambda: (self.system, self.user))
        self.warned: list[str] = []

    def found(self, config: str | None = None, **environment: str) -> dict[str, Given]:
        """Return what is found."""
        variables = {"HOME": "/", **{f"PATCHES_{name}": text for name, text in environment.items()}}
        return found_settings(self.family, config, self.warned.append, variables)

    def refused(self, said: str, **environment: str) -> None:
        """Check an error."""
        error = str(self.assertRaises(BadSetting, self.found, None, **environment))
        self.assertEqual(error, said)

    def test_applicable(self) -> None:
        """A value that only another program can use is passed over; one that none can use stays, and is an error."""
        family = Family((PotSettings, PourSettings, MenuSettings), lambda: (self.system,))
        for cups, kept in (("3", {PotSettings, PourSettings}), ("few", {MenuSettings}), ("lots", None)):
            found = {"cups": Given(cups, "the file"), "sugar": Given("1", "the file")}
            for kind in (PotSettings, PourSettings, MenuSettings):
                left = applicable(kind, family, found)
                self.assertIs("cups" in left, kept is None or kind in kept, (cups, kind))
                self.assertIn("sugar", left)
                if kept is None:
                    self.assertRaises(BadSetting, resolve, kind, {}, left)
        none = {"sugar": Given("none", "the file")}
        self.assertEqual(applicable(MenuSettings, family, none), none)
        self.assertEqual(applicable(PourSettings, family, none), {})

    def test_places(self) -> None:
        """The user's file takes precedence over the system's, and a variable over both; the command line over all."""
        self.assertEqual(self.found(), {})
        self.system.write_text("cups = 3\nsugar = 3\nmilk = 3\n")
        self.user.write_text("sugar = 4\nmilk = 4\n")
        found = self.found(MILK="5")
        origins = {name: (each.text, each.origin) for name, each in found.items()}
        expected = {"cups": ("3", str(self.system)), "sugar": ("4", str(self.user)), "milk": ("5", "PATCHES_MILK")}
        self.assertEqual(origins, expected)
        settings = resolve(PourSettings, {"milk": "6", "cups": None}, found)
        self.assertEqual(settings, PourSettings(cups=3, sugar=4, milk=6))
        self.assertEqual(resolve(PotSettings, {}, found), PotSettings(cups=3))

    def test_named(self) -> None:
        """A file that is named is read in place of those that are found; the variables still count."""
        self.system.write_text("cups = 3\nsugar = 3\n")
        named = self.folder / "named.toml"
        named.write_text("keep-warm = true\n")
        self.assertEqual(self.found(str(named), SUGAR="2").keys(), {"keep-warm", "sugar"})

    def test_unknown(self) -> None:
        """An option that no program has is an error in a file, with the nearest name, and a warning in a variable."""
        self.user.write_text("keep_warm = true\n")
        self.refused(f"{self.user}: there is no option 'keep_warm'; is 'keep-warm' meant?")
        self.user.write_text("zzz = 1\n")
        self.refused(f"{self.user}: there is no option 'zzz'")
        self.user.unlink()
        self.assertEqual(self.found(SUGGAR="1"), {})
        self.assertEqual(self.warned, ["PATCHES_SUGGAR is set, but there is no option 'suggar'"])

    def test_bad(self) -> None:
        """A value that cannot be used is named with its place."""
        self.refused("PATCHES_KEEP_WARM: keep-warm must be true or false", KEEP_WARM="yes")
        self.system.write_text("cups = 'many'\n")
        found = self.found()
        error = str(self.assertRaises(BadSetting, resolve, PotSettings, {}, found))
        self.assertTrue(error.startswith(f"{self.system}: --cups 'many': "), error)
        self.system.write_text("cups = [")
        self.assertRaises(BadSetting, self.found)

    def test_resolved(self) -> None:
        """Each option is told with its text and its place."""
        found = {"sugar": Given("4", "a file")}
        told = [(each.text, each.origin) for each in resolved_settings(settings_of(PourSettings), {"cups": "9"}, found)]
        self.assertEqual(told, [("9", "command line"), ("4", "a file"), (None, "default")])
