"""Tests for :mod:`patches.settings`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.settings import (
    BadSetting,
    Setting,
    count,
    endpoint,
    flag,
    minutes,
    one_of,
    platforms,
    rate,
    resolve,
    seconds,
    size,
    url,
)

ACCEPTED: dict[Callable[[str], Any], dict[str, Any]] = {
    seconds: {
        "30": timedelta(seconds=30),
        "1.5": timedelta(seconds=1.5),
        "500ms": timedelta(milliseconds=500),
        "30s": timedelta(seconds=30),
        " 10 m ": timedelta(minutes=10),
        "6h": timedelta(hours=6),
        "366d": timedelta(days=366),
    },
    minutes: {"30": timedelta(minutes=30), "30s": timedelta(seconds=30), "0.5": timedelta(seconds=30)},
    flag: {"true": True, "false": False},
    size: {
        "65536": 65536,
        "64KiB": 65536,
        "64 kib": 65536,
        "1MiB": 1 << 20,
        "2GiB": 2 << 30,
        "5B": 5,
        "1kb": 1000,
        "3MB": 3_000_000,
        "1GB": 10**9,
    },
    count: {"1": 1, " 1024 ": 1024},
    rate: {"0.5": 0.5, "10": 10.0, "1e3": 1000.0},
    url: {
        "http://127.0.0.1:6060": "http://127.0.0.1:6060",
        "https://clair.example.org/base/": "https://clair.example.org/base",
        " http://[::1]:80/ ": "http://[::1]:80",
        "HTTP://clair": "HTTP://clair",
    },
    platforms: {
        "debian-12": ("debian-12",),
        " debian-12, ubuntu-24.04,,debian-12 ": ("debian-12", "ubuntu-24.04"),
        "opensuse-leap-15.6": ("opensuse-leap-15.6",),
    },
    endpoint: {
        "8080": "tcp:8080",
        "tcp:8080:interface=127.0.0.1": "tcp:8080:interface=127.0.0.1",
        "unix:/run/x": "unix:/run/x",
        " tcp:1 ": "tcp:1",
    },
}
REFUSED: dict[Callable[[str], Any], tuple[str, ...]] = {
    seconds: ("", "0", "0s", "-1", "1w", "s", "1h30m", "367d", "inf", "nan", "1e3", "0.0001ms", "9" * 400),
    minutes: ("", "0", "1w"),
    flag: ("", "yes", "1", "True"),
    size: ("", "-1", "1.5MiB", "MiB", "1TB", "1KiBs", "0x10", "9" * 5000),
    count: ("", "0", "-1", "1.5", "one", "1_000", "²", "9" * 5000),
    rate: ("", "0", "-1", "inf", "nan", "fast"),
    url: (
        "",
        "clair:6060",
        "http://a:b@host",
        "http://ho st",
        "ftp://clair",
        "http://",
        "http://clair:0",
        "http://clair:99999",
        "http://clair:x",
        "http://clair?a=b",
        "http://clair#a",
        "http://[::1",
        "/path",
    ),
    platforms: ("", ",", "Debian-12", "debian 12", "../etc", "a" * 65, "debian-12,-"),
    endpoint: ("", "tcp", "tcp:", ":8080", "-:8080", "tcp 8080"),
}
PARSERS = (flag, seconds, minutes, size, count, rate, url, platforms, endpoint)


class ParserTests(SynchronousTestCase):
    """The texts that each kind of option accepts."""

    def test_accepted(self) -> None:
        """Each parser accepts its texts and returns their values."""
        for parse, table in ACCEPTED.items():
            for text, value in table.items():
                self.assertEqual((parse.__name__, text, parse(text)), (parse.__name__, text, value))

    def test_refused(self) -> None:
        """Each parser refuses all other texts, in one short line."""
        for parse, texts in REFUSED.items():
            for text in texts:
                error = self.refusal(parse, text)
                self.assertNotIn("\n", error)

    def refusal(self, parse: Callable[[str], Any], text: str) -> str:
        """Return the message with which a text is refused."""
        try:
            value = parse(text)
        except ValueError as error:
            return str(error)
        return self.fail(f"{parse.__name__} took {text[:30]!r} for {value!r}")

    @given(st.sampled_from(PARSERS), st.text())
    def test_anything(self, parse: Callable[[str], Any], text: str) -> None:
        """Each parser accepts or refuses any text."""
        try:
            parse(text)
        except ValueError:
            return


SETTINGS = (
    Setting("listen", "tcp:8080", endpoint, "Where."),
    Setting("max-active", "10", count, "How many."),
    Setting("clair", None, url, "Which."),
    Setting("platforms", None, platforms, "What."),
    Setting("clair-rate", None, rate, "How often."),
)


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
        text = str(self.assertRaises(BadSetting, resolve, SETTINGS, given))
        self.assertNotIn("\n", text)
        return text

    def test_defaults(self) -> None:
        """An option that is not given has its default, or ``None`` without one."""
        expected = {"listen": "tcp:8080", "max-active": 10, "clair": None, "platforms": None, "clair-rate": None}
        self.assertEqual(resolve(SETTINGS, {}), expected)
        self.assertEqual(resolve(SETTINGS, dict.fromkeys(expected)), expected)

    def test_command_line(self) -> None:
        """A value on the command line is used."""
        self.assertEqual(resolve(SETTINGS, {"max-active": "3"})["max-active"], 3)

    def test_file(self) -> None:
        """A file contains options by the same names, as texts, numbers or lists."""
        given = self.config(
            'max-active = 7\nclair = "http://c"\nplatforms = ["debian-12", "alpine-3.20"]\nclair-rate = 2.5'
        )
        values = resolve(SETTINGS, given)
        self.assertEqual((values["max-active"], values["clair"], values["clair-rate"]), (7, "http://c", 2.5))
        self.assertEqual(values["platforms"], ("debian-12", "alpine-3.20"))
        self.assertEqual(values["listen"], "tcp:8080")

    def test_precedence(self) -> None:
        """The command line wins over the file, the file over the default."""
        given = self.config('max-active = 7\nlisten = "tcp:9"')
        values = resolve(SETTINGS, {**given, "max-active": "3", "listen": None})
        self.assertEqual((values["max-active"], values["listen"]), (3, "tcp:9"))

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

    def test_wrong_type(self) -> None:
        """A value that is not a text, a number or a list of texts is refused."""
        for value in ("true", "[1, 2]", "{a = 1}", "1979-05-27", "[[]]"):
            self.assertIn("max-active", self.refusal(self.config(f"max-active = {value}")))

    def test_flags(self) -> None:
        """A flag is true or false in a file, and nothing else."""
        settings = (Setting("quiet", "false", flag, "Be quiet."),)
        for text, value in {"true": True, "false": False}.items():
            self.assertIs(resolve(settings, self.config(f"quiet = {text}"))["quiet"], value)
        for text in ('"true"', "1", '"yes"', "[true]"):
            self.assertRaises(BadSetting, resolve, settings, self.config(f"quiet = {text}"))
        self.assertIs(resolve(settings, {**self.config("quiet = false"), "quiet": "true"})["quiet"], True)
        self.assertEqual((settings[0].is_flag, settings[0].describe()), (True, "Be quiet."))

    def test_one_of(self) -> None:
        """One of the listed words is accepted; another is refused, with a list of them."""
        parse = one_of("table", "json")
        self.assertEqual(parse(" json "), "json")
        with self.assertRaisesRegex(ValueError, "must be one of table, json"):
            parse("xml")

    def test_no_file(self) -> None:
        """A file that does not exist, or is not TOML, is refused, by its path."""
        self.assertIn(str(self.path), self.refusal({"config": str(self.path)}))
        self.assertIn("TOML", self.refusal(self.config("max-active: 3")))
        self.path.write_bytes(b'clair = "\xff"')
        self.assertIn("TOML", self.refusal({"config": str(self.path)}))

    def test_describe(self) -> None:
        """The help text contains the default."""
        self.assertEqual(SETTINGS[1].describe(), "How many. [10]")
        self.assertEqual(SETTINGS[2].describe(), "Which.")
