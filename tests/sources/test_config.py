"""Tests for :mod:`patches.sources.config`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.settings import BadSetting
from patches.sources.config import SourceConfig

FEED = {"kind": "osv", "url": "https://feeds.test/all.zip"}


class SectionTests(SynchronousTestCase):
    """Sections of the configuration file."""

    def refused(self, section: dict[str, Any], name: str = "made-up") -> str:
        """Return the reason to refuse a section, which is a single line that begins with its name."""
        with self.assertRaises(BadSetting) as caught:
            SourceConfig.from_section(name, section)
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        self.assertTrue(text.startswith(f"[source.{name}]: "), text)
        return text.removeprefix(f"[source.{name}]: ")

    def test_least(self) -> None:
        """A kind and a location suffice; every other option has its default."""
        config = SourceConfig.from_section("made-up", FEED)
        self.assertEqual(config, SourceConfig("made-up", "osv", ("https://feeds.test/all.zip",)))
        self.assertEqual((config.platforms, config.rank, config.interval, config.headers), (None, None, None, {}))

    def test_complete(self) -> None:
        """Every option is parsed to its type."""
        section = {
            "kind": " osv ",
            "url": ["https://feeds.test", "https://mirror.test/a"],
            "path": "/srv/osv.zip",
            "platforms": ["debian-12", "debian-13"],
            "ecosystems": ["Debian", "Rocky Linux"],
            "interval": 60,
            "full-walk": "3600",
            "rank": 0,
            "ca": "/etc/ca.pem",
            "proxy": "http://proxy.test:3128",
            "headers": {"Authorization": "Bearer x"},
        }
        config = SourceConfig.from_section("osv-1", section)
        self.assertEqual((config.name, config.kind), ("osv-1", "osv"))
        self.assertEqual(config.locations, ("https://feeds.test", "https://mirror.test/a", "/srv/osv.zip"))
        self.assertEqual((config.platforms, config.rank), (("debian-12", "debian-13"), 0))
        self.assertEqual(config.ecosystems, ("Debian", "Rocky Linux"))
        self.assertEqual((config.interval, config.full_walk), (timedelta(minutes=1), timedelta(hours=1)))
        self.assertEqual((config.ca, config.proxy), (Path("/etc/ca.pem"), "http://proxy.test:3128"))
        self.assertEqual(config.headers, {"Authorization": "Bearer x"})

    def test_names(self) -> None:
        """A name consists of at most 32 lower-case letters, digits and hyphens, the first of them a letter."""
        for name in ("a", "a" * 32, "red-hat-9"):
            self.assertEqual(SourceConfig.from_section(name, FEED).name, name)
        for name in ("", "a" * 33, "9a", "-a", "Osv", "a_b", "a.b", "a/b", "é"):
            self.assertEqual(self.refused(FEED, name), "a name consists of lower-case letters, digits and hyphens")

    def test_missing(self) -> None:
        """A section without a kind or without a location is refused."""
        self.assertEqual(self.refused({"url": "https://feeds.test"}), 'has no "kind"')
        for section in ({"kind": "osv"}, {"kind": "osv", "url": []}):
            self.assertEqual(self.refused(section), 'has neither "url" nor "path"')

    def test_unknown_option(self) -> None:
        """An unknown option is refused and named, so that a misspelled one is not ignored."""
        self.assertEqual(self.refused({**FEED, "urls": [], "Kind": "osv"}), "there is no option 'Kind'")
        self.assertEqual(self.refused({**FEED, "full_walk": 1}), "there is no option 'full_walk'")

    def test_invalid_values(self) -> None:
        """A value of the wrong type, or outside of its limits, is refused with the name of its option."""
        for option, values in {
            "kind": (7, "", " ", ["osv"]),
            "url": ("feeds.test", "ftp://feeds.test", 7, ["https://feeds.test", ""]),
            "path": (7, "", [None]),
            "platforms": (7, ["a b"], [[]]),
            "ecosystems": ("", [7]),
            "interval": ("soon", -1, [], "nan"),
            "full-walk": ("", None),
            "rank": (-1, "0", 1.0, True, None),
            "ca": (7, " "),
            "proxy": (7, "socks5://proxy.test", "http://", "http://proxy.test:x"),
            "headers": ("a: b", ["a"], {"a": 7}, {"a": ""}, {"a b": "c"}, {"a": "b\nc"}, {"a": "b\x00"}),
        }.items():
            for value in values:
                self.assertTrue(self.refused({**FEED, option: value}).startswith(f"{option}: "), (option, value))

    def test_secrets(self) -> None:
        """Neither the password of a proxy nor a header is in the text of a configuration, or of an error."""
        section = {**FEED, "proxy": "http://me:secret@proxy.test", "headers": {"Authorization": "secret"}}
        self.assertNotIn("secret", repr(SourceConfig.from_section("made-up", section)))
        self.assertNotIn("secret", self.refused({**FEED, "proxy": "socks5://me:secret@proxy.test"}))
        self.assertNotIn("secret", self.refused({**FEED, "headers": {"Authorization": "secret\r\nx: y"}}))
