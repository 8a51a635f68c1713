"""Tests for :mod:`patches.setting_parsers`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.setting_parsers import (
    check_literal,
    count,
    count_up_to,
    endpoint,
    flag,
    minutes,
    one_of,
    platform_names,
    rate,
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
        "HTTP://my_clair.:80": "HTTP://my_clair.:80",
        "http://bücher.example": "http://bücher.example",
        "HTTP://clair": "HTTP://clair",
    },
    platform_names: {
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
        "http://::1:80",
        "http://[::1%eth0]",
        "http://[fe80::1%25eth0]:80",
        "http://[192.0.2.1]",
        "http://[clair]",
        "http://[::1]x:80",
        "http://[::1]:",
        "http://clair:",
        "http://a..b:80",
        "http://.a",
        "http://" + "a" * 64,
        "http://a\\b",
        "/path",
    ),
    platform_names: ("", ",", "Debian-12", "debian 12", "../etc", "a" * 65, "debian-12,-"),
    endpoint: ("", "tcp", "tcp:", ":8080", "-:8080", "tcp 8080"),
}
PARSERS = (flag, seconds, minutes, size, count, rate, url, platform_names, endpoint)


class LiteralTests(SynchronousTestCase):
    """Literal IPv6 addresses in URLs."""

    def test_reasons(self) -> None:
        """An address that cannot be used is refused with the reason."""
        for text, reason in (
            ("http://[fe80::1%eth0]:80/x", "without a zone"),
            ("http://[fe80::1%25eth0]", "without a zone"),
            ("http://2001:db8::1:80/x", "in brackets"),
            ("http://[::1::2]", "without an IPv6 address in them"),
            ("http://[]", "without an IPv6 address in them"),
        ):
            self.assertIn(reason, str(self.assertRaises(ValueError, url, text)))

    def test_allowed(self) -> None:
        """All others pass, with a user or without, and names are not looked at."""
        for text in ("http://[::1]:80", "http://me:secret@[2001:db8::1]/a:b:c", "http://a:1/", "x", "http://me:p:w@a"):
            check_literal(text)


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

    def test_count_up_to(self) -> None:
        """A whole number may have a largest value."""
        self.assertEqual(count_up_to(3)("3"), 3)
        for text in ("4", "0", "x", "99999999999"):
            self.assertRaises(ValueError, count_up_to(3), text)

    def test_one_of(self) -> None:
        """One of the listed words is accepted; another is refused, with a list of them."""
        parse = one_of("table", "json")
        self.assertEqual(parse(" json "), "json")
        with self.assertRaisesRegex(ValueError, "must be one of table, json"):
            parse("xml")
