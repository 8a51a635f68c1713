"""Tests for :mod:`patches.cli.options`."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import frozen
from click.shell_completion import BashComplete
from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.options import options_of
from patches.setting_parsers import count, flag, one_of
from patches.settings import option


@frozen(kw_only=True)
class TeaSettings:
    """The settings of a command."""

    max_things: int = option("7", count, "The number of things.")
    quiet: bool = option("false", flag, "Print nothing.")
    reporter: str | None = option(None, str, "Where to report.", aliases=("old-reporter",))
    limit: str = option("never", str, "A limit.", implied="1")
    kinds: str | None = option(None, str, "Kinds of tea.", values=("green", "grey", "black"))
    cup: str = option("small", one_of("small", "large"), "The cup.")
    places: str | None = option(None, str, "Places.", is_repeatable=True)


class OptionsTests(SynchronousTestCase):
    """The options of a command."""

    def invoke(self, *words: str, env: dict[str, str] | None = None) -> Result:
        """Run a command that notes its settings and its argument. Return the result."""
        self.settings: TeaSettings | None = None

        @click.command()
        @click.argument("name", required=False)
        @options_of(TeaSettings)
        def command(settings: TeaSettings, name: str | None) -> None:
            """Note the settings."""
            self.settings, self.name = settings, name

        self.command = command
        return CliRunner().invoke(command, words, env=env)

    def told(self, *words: str) -> TeaSettings:
        """Return the settings of options that are accepted."""
        ran = self.invoke(*words)
        self.assertEqual((ran.exit_code, ran.output), (0, ""))
        assert self.settings is not None
        return self.settings

    def test_defaults(self) -> None:
        """Without options the values are the parsed defaults."""
        self.assertEqual(self.told(), TeaSettings(max_things=7, quiet=False, reporter=None, limit="never"))
        self.assertIsNone(self.name)

    def test_values(self) -> None:
        """Options are parsed by their settings; a flag has no value; arguments are passed beside the values."""
        settings = self.told("--max-things", "9", "--quiet", "--reporter", "x", "argument")
        self.assertEqual(settings, TeaSettings(max_things=9, quiet=True, reporter="x", limit="never"))
        self.assertEqual(self.name, "argument")

    def test_implied(self) -> None:
        """An option with an implied value may be given without one, before another option or at the end."""
        for words in (("--limit",), ("--limit", "--quiet"), ("--limit=1",)):
            self.assertEqual(self.told(*words).limit, "1")
        self.assertEqual(self.told("--limit=5").limit, "5")
        self.assertEqual(self.told("--limit", "5").limit, "5")

    def test_older_names(self) -> None:
        """An older name of an option is accepted; the current one takes precedence."""
        self.assertEqual(self.told("--old-reporter", "x").reporter, "x")

    def test_twice(self) -> None:
        """An option that is given twice is wrong usage, also by an older name: one of the values would be lost."""
        for words in (("--reporter", "x", "--reporter=y"), ("--old-reporter", "x", "--reporter", "y")):
            with self.assertRaisesRegex(AssertionError, "given 2 times"):
                self.told(*words)

    def test_file(self) -> None:
        """Options can be in a file; the command line takes precedence."""
        Path("options.toml").write_text('max-things = 8\nreporter = "x"\n')
        settings = self.told("--config", "options.toml", "--reporter", "y")
        self.assertEqual((settings.max_things, settings.reporter), (8, "y"))

    def test_wrong_usage(self) -> None:
        """An invalid value, an unknown option and an unreadable file are wrong usage, and the command does not run."""
        for words, said in (
            (["--max-things", "many"], "max-things"),
            (["--config", "absent.toml"], "absent.toml"),
            (["--unheard-of"], "--unheard-of"),
            (["--quiet=yes"], "--quiet"),
        ):
            ran = self.invoke(*words)
            self.assertEqual((ran.exit_code, self.settings), (2, None), words)
            self.assertIn(said, ran.stderr)

    def test_repeatable(self) -> None:
        """An option that may be repeated has each value in a line of its own."""
        self.assertEqual(self.told("--places", "a", "--places", "b,c").places, "a\nb,c")
        Path("options.toml").write_text('places = ["a", "b"]\n')
        self.assertEqual(self.told("--config", "options.toml").places, "a\nb")
        self.assertEqual(self.invoke("--places", "a\nb").exit_code, 2)

    def test_completion(self) -> None:
        """A shell completes the values of an option, the last one of several, and files where any text may be one."""
        self.invoke()
        complete = BashComplete(self.command, {}, "tea", "_TEA_COMPLETE").get_completions
        for words, begun, expected in (
            (["--kinds"], "gre", ["green", "grey"]),
            (["--kinds"], "black,gree", ["black,green"]),
            (["--cup"], "", ["small", "large"]),
        ):
            self.assertEqual([each.value for each in complete(words, begun)], expected)
        self.assertEqual([(each.type, each.value) for each in complete(["--reporter"], "x")], [("file", "x")])

    def test_help(self) -> None:
        """The help describes every option, in the order of the settings, with its default."""
        shown = self.invoke("--help").output
        positions = [shown.index(f"--{name}") for name in ("max-things", "quiet", "reporter", "config")]
        self.assertEqual(sorted(positions), positions)
        self.assertIn("The number of things.", shown)
        self.assertIn("7", shown)
