"""Tests for :mod:`patches.scanner.host.end_of_life`."""

from __future__ import annotations

import re
from datetime import date

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import FAMILIES, Platform
from patches.scanner.host.end_of_life import ENDS, ENDS_ESM, support_ended


class EndTests(SynchronousTestCase):
    """The end of support."""

    def test_month(self) -> None:
        """Support has ended from the first day of the month after the last one."""
        for today, expected in (
            (date(2024, 6, 30), None),
            (date(2024, 7, 1), "2024-06"),
            (date(2026, 1, 1), "2024-06"),
        ):
            self.assertEqual(support_ended("debian-10", today), expected)

    def test_not_known(self) -> None:
        """The support of a platform without a known end has not ended."""
        for platform in ("debian-unstable", "own-1", "wolfi"):
            self.assertIsNone(support_ended(platform, date(2999, 1, 1)))

    def test_esm(self) -> None:
        """Subscribers have support for longer, where a platform offers it."""
        today = date(2026, 1, 1)
        self.assertEqual(
            (support_ended("ubuntu-18.04", today), support_ended("ubuntu-18.04", today, {"esm"})), ("2023-05", None)
        )
        self.assertEqual(support_ended("ubuntu-18.04", date(2028, 5, 1), {"esm"}), "2028-04")
        self.assertEqual(support_ended("ubuntu-22.10", today, {"esm"}), "2023-07")
        self.assertEqual(support_ended("ubuntu-18.04", today, {"fips"}), "2023-05")

    def test_told(self) -> None:
        """The end in the host's own files takes precedence, whether it is earlier or later."""
        self.assertEqual(support_ended("debian-10", date(2026, 1, 1), told="2030-01"), None)
        self.assertEqual(support_ended("debian-13", date(2026, 1, 1), told="2025-12"), "2025-12")

    def test_table(self) -> None:
        """Each end is a month, of a platform of a known family; subscribers never have less."""
        self.assertGreater(len(ENDS), 50)
        for platform, end in (*ENDS.items(), *ENDS_ESM.items()):
            self.assertTrue(re.fullmatch(r"20[12345]\d-(0[1-9]|1[012])", end), platform)
            self.assertIn(Platform.from_name(platform).family, FAMILIES)
        self.assertTrue(all(ENDS[platform] < end for platform, end in ENDS_ESM.items()))
