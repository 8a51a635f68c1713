"""Tests for :mod:`patches.sources.registry`: every kind of source is created from its configuration."""

from __future__ import annotations

from typing import Any

from patches.settings import BadSetting
from patches.sources.registry import KINDS
from tests.sources.feed_case import LocalCase


class ConfigurationTests(LocalCase):
    """Valid and invalid configurations."""

    def refused(self, **section: Any) -> str:
        """Return the message with which a configuration is refused, which must be a single line."""
        with self.assertRaises(BadSetting) as caught:
            self.made(**section)
        text = str(caught.exception)
        self.assertTrue(text.startswith("[source.made-up]: "), text)
        self.assertNotIn("\n", text)
        return text

    def test_unknown_kind(self) -> None:
        """An unknown kind is refused, and the message contains the known ones."""
        text = self.refused(kind="made-up", url="https://x.test")
        for kind in KINDS:
            self.assertIn(kind, text)

    def test_no_place(self) -> None:
        """Every kind needs a location."""
        for kind in KINDS:
            self.assertIn("neither", self.refused(kind=kind))

    def test_one_platform(self) -> None:
        """A kind whose files do not name their platform needs exactly one in its configuration."""
        for kind, url in (("updateinfo", "https://x.test"), ("secdb", "https://x.test/security.json")):
            for platforms in ({}, {"platforms": ["amazon-2", "amazon-2023"]}):
                self.assertIn('"platforms"', self.refused(kind=kind, url=url, **platforms))

    def test_one_place(self) -> None:
        """A kind that reads one location refuses several."""
        urls = ["https://a.test", "https://b.test"]
        for kind in ("csaf-vex", "clair", "debian-tracker", "secdb"):
            self.assertIn("one place", self.refused(kind=kind, url=urls))
        self.assertIn("one place", self.refused(kind="osv", url=urls, ecosystems=["Ubuntu"]))

    def test_rank(self) -> None:
        """A vendor's own data takes precedence over converted data, unless the configuration says otherwise."""
        url, one = "https://x.test", {"platforms": ["amazon-2"]}
        ranks = {kind: self.made(kind=kind, url=url, **one).rank for kind in ("clair-export", "csaf-vex", "updateinfo")}
        self.assertEqual(ranks, {"clair-export": 1, "csaf-vex": 0, "updateinfo": 0})
        self.assertEqual(self.made(kind="csaf-vex", url=url, rank=3).rank, 3)
        self.assertEqual(self.made(kind="clair-export", url=url, rank=0).rank, 0)
