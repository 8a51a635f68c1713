"""Tests for :mod:`patches.settings`."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from attrs.exceptions import FrozenInstanceError
from twisted.trial.unittest import SynchronousTestCase

from patches.setting_parsers import count, endpoint, flag, platform_names, rate, url
from patches.settings import BadSetting, Sections, group, option, resolve, settings_of, tables


@frozen(kw_only=True)
class ClairSettings:
    """A group of options."""

    url: str | None = option(None, url, "Which.", name="clair")
    clair_rate: float | None = option(None, rate, "How often.")


@frozen(kw_only=True)
class TeaSettings:
    """The settings of a program."""

    listen: str = option("tcp:8080", endpoint, "Where.")
    max_active: int = option("10", count, "How many.")
    clair: ClairSettings = group(ClairSettings)
    platforms: tuple[str, ...] | None = option(None, platform_names, "What.", aliases=("distributions",))
    quiet: bool = option("false", flag, "Be quiet.")
    source: Sections = tables("From where.")
    password: int | None = option(None, count, "A number that nobody may see.", secret=True)


class SecretTests(SynchronousTestCase):
    """Messages about texts that may have a password."""

    def test_hidden(self) -> None:
        """A user with a password, and a query, are not repeated."""
        for text in ("http://user:hush@host:1", "http://host/x?token=hush", "https://u:hush@h/?a=hush"):
            said = str(self.assertRaises(BadSetting, resolve, ClairSettings, {"clair": text}))
            self.assertNotIn("hush", said)
            self.assertIn("--clair 'http", said)


class ResolveTests(SynchronousTestCase):
    """The origins of values."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def config(self, text: str) -> dict[str, str | None]:
        """Write a file of options. Return the option that names it."""
        self.path.write_text(text)
        return {"config": str(self.path)}

    def refusal(self, given: dict[str, str | None]) -> str:
        """Return the message with which an option is refused: one line."""
        text = str(self.assertRaises(BadSetting, resolve, TeaSettings, given))
        self.assertNotIn("\n", text)
        return text

    def test_defaults(self) -> None:
        """An option that is not given has its default, or ``None`` without one; so has one that is not set in code."""
        expected = TeaSettings(
            listen="tcp:8080",
            max_active=10,
            clair=ClairSettings(url=None, clair_rate=None),
            platforms=None,
            quiet=False,
            source={},
            password=None,
        )
        self.assertEqual(resolve(TeaSettings, {}), expected)
        names = [setting.name for setting in settings_of(TeaSettings)]
        self.assertEqual(resolve(TeaSettings, dict.fromkeys(names)), expected)
        self.assertEqual(TeaSettings(), expected)
        self.assertEqual(TeaSettings(clair=ClairSettings(clair_rate=2.0)).clair, ClairSettings(clair_rate=2.0))

    def test_frozen(self) -> None:
        """Settings do not change."""
        with self.assertRaises(FrozenInstanceError):
            resolve(TeaSettings, {}).max_active = 3  # type: ignore[misc]

    def test_command_line(self) -> None:
        """A value on the command line is used, also in a group."""
        settings = resolve(TeaSettings, {"max-active": "3", "clair": "http://c"})
        self.assertEqual((settings.max_active, settings.clair.url), (3, "http://c"))

    def test_file(self) -> None:
        """A file contains options by the same names, as texts, numbers or lists."""
        given = self.config(
            'max-active = 7\nclair = "http://c"\nplatforms = ["debian-12", "alpine-3.20"]\nclair-rate = 2.5'
        )
        settings = resolve(TeaSettings, given)
        self.assertEqual((settings.max_active, settings.clair), (7, ClairSettings(url="http://c", clair_rate=2.5)))
        self.assertEqual(settings.platforms, ("debian-12", "alpine-3.20"))
        self.assertEqual(settings.listen, "tcp:8080")

    def test_precedence(self) -> None:
        """The command line wins over the file, the file over the default."""
        given = self.config('max-active = 7\nlisten = "tcp:9"')
        settings = resolve(TeaSettings, {**given, "max-active": "3", "listen": None})
        self.assertEqual((settings.max_active, settings.listen), (3, "tcp:9"))

    def test_tables(self) -> None:
        """Tables stay as they are in the file, and are not accepted in another form."""
        settings = resolve(TeaSettings, self.config('[source.osv]\nkind = "osv"'))
        self.assertEqual(settings.source, {"osv": {"kind": "osv"}})
        for text in ("source = 3", "source = {osv = 3}", 'source = "osv"'):
            self.assertIn("source must be tables", self.refusal(self.config(text)))

    def test_secret(self) -> None:
        """A secret is in no message."""
        for options in ({"password": "s3cret"}, self.config('password = "s3cret"')):
            text = self.refusal(options)
            self.assertIn("--password: ", text)
            self.assertNotIn("s3cret", text)

    def test_bad_value(self) -> None:
        """The message about an invalid value contains the value and its option, wherever it was given."""
        for options in ({"max-active": "many"}, self.config('max-active = "many"')):
            text = self.refusal(options)
            self.assertIn("--max-active", text)
            self.assertIn("many", text)

    def test_empty(self) -> None:
        """An empty text is not a value, and does not count as an option that is not given."""
        self.assertIn("--clair", self.refusal({"clair": ""}))

    def test_unknown_option(self) -> None:
        """An unknown option is refused, by its name."""
        self.assertIn("max-actvie", self.refusal(self.config("max-actvie = 3")))
        self.assertIn("config", self.refusal(self.config('config = "other.toml"')))

    def test_large_file(self) -> None:
        """A file that is too large, or without an end, is refused."""
        self.assertIn("is larger than 1048576 bytes", self.refusal({"config": "/dev/zero"}))

    def test_one_line(self) -> None:
        """A message is one line, whatever it repeats."""
        text = self.refusal({"config": "/absent/a\nb\x1b[2J"})
        self.assertIn("a\\nb\\x1b[2J", text)
        self.assertTrue(text.isprintable())

    def test_wrong_type(self) -> None:
        """A value that is not a text, a number or a list of texts is refused."""
        for value in ("true", "[1, 2]", "{a = 1}", "1979-05-27", "[[]]"):
            self.assertIn("max-active", self.refusal(self.config(f"max-active = {value}")))

    def test_flags(self) -> None:
        """A flag is true or false in a file, and nothing else."""
        for text, value in {"true": True, "false": False}.items():
            self.assertIs(resolve(TeaSettings, self.config(f"quiet = {text}")).quiet, value)
        for text in ('"true"', "1", '"yes"', "[true]"):
            self.assertRaises(BadSetting, resolve, TeaSettings, self.config(f"quiet = {text}"))
        self.assertIs(resolve(TeaSettings, {**self.config("quiet = false"), "quiet": "true"}).quiet, True)

    def test_no_file(self) -> None:
        """A file that does not exist, or is not TOML, is refused, by its path."""
        self.assertIn(str(self.path), self.refusal({"config": str(self.path)}))
        self.assertIn("TOML", self.refusal(self.config("max-active: 3")))
        self.path.write_bytes(b'clair = "\xff"')
        self.assertIn("TOML", self.refusal({"config": str(self.path)}))


class DeclarationTests(SynchronousTestCase):
    """The options of a settings class."""

    def test_order(self) -> None:
        """They are in the order of the fields; the options of a group are at its place, and have no prefix."""
        names = ["listen", "max-active", "clair", "clair-rate", "platforms", "quiet", "source", "password"]
        self.assertEqual([setting.name for setting in settings_of(TeaSettings)], names)

    def test_describe(self) -> None:
        """The help text contains the default, unless it is a flag's."""
        texts = [setting.describe() for setting in settings_of(TeaSettings)]
        self.assertEqual(texts[:4], ["Where. [tcp:8080]", "How many. [10]", "Which.", "How often."])
        self.assertEqual(texts[5], "Be quiet.")

    def test_kinds(self) -> None:
        """Flags and tables are recognised."""
        declared = settings_of(TeaSettings)
        self.assertEqual([setting.name for setting in declared if setting.is_flag], ["quiet"])
        self.assertEqual([setting.name for setting in declared if setting.is_table], ["source"])
        self.assertEqual([setting.aliases for setting in declared if setting.aliases], [("distributions",)])

    def test_inherited(self) -> None:
        """A class has the options of its base, and its own after them."""

        @frozen(kw_only=True)
        class MoreSettings(ClairSettings):
            """More options."""

            max_active: int = option("3", count, "How many.")

        self.assertEqual([each.name for each in settings_of(MoreSettings)], ["clair", "clair-rate", "max-active"])
        self.assertEqual(resolve(MoreSettings, {"clair-rate": "1"}), MoreSettings(clair_rate=1.0, max_active=3))
