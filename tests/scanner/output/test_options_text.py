"""Tests for :mod:`patches.scanner.output.options_text`."""

from __future__ import annotations

import tomllib

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.options_text import options_text
from patches.setting_parsers import count, flag, url
from patches.settings import Given, option, settings_of


@frozen(kw_only=True)
class TeaSettings:
    """Options of each kind."""

    cups: int = option("2", count, "How many.")
    warm: bool = option("false", flag, "Warm.")
    shop: str | None = option(None, url, "Where from.", secret=True)
    milk: int | None = option(None, count, "How much.")


class OptionsTextTests(SynchronousTestCase):
    """The options as TOML."""

    def test_lines(self) -> None:
        """The text is a file of options; what may be secret is hidden."""
        found = {"shop": Given("http://me:secret@shop", "/etc/a.toml")}
        lines = list(options_text(settings_of(TeaSettings), {"warm": "true"}, found))
        self.assertEqual(
            lines,
            [
                'cups = "2"         # default',
                "warm = true        # command line",
                'shop = "(hidden)"  # /etc/a.toml',
                "#milk =",
            ],
        )
        self.assertEqual(tomllib.loads("\n".join(lines)), {"cups": "2", "warm": True, "shop": "(hidden)"})
