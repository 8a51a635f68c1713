"""Tests for :mod:`patches.scanner.host.end_of_life`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import FAMILIES, Platform
from patches.scanner.host.end_of_life import ENDS, ENDS_ESM, support_ended
from patches.scanner.host.os_release import support_end
from tests.integration.sample_host import write_host


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


class EndOfLifeTests(SynchronousTestCase):
    """The month in which the support of a platform ended."""

    def test_ended(self) -> None:
        """A platform has support until the end of the month in the table."""
        self.assertIsNone(support_ended("debian-11", date(2026, 8, 31)))
        self.assertEqual(support_ended("debian-11", date(2026, 9, 1)), "2026-08")
        self.assertIsNone(support_ended("made-up-1", date(2099, 1, 1)))

    def test_esm(self) -> None:
        """A subscriber has support for longer."""
        self.assertEqual(support_ended("ubuntu-18.04", date(2026, 1, 1)), "2023-05")
        self.assertIsNone(support_ended("ubuntu-18.04", date(2026, 1, 1), {"esm"}))
        self.assertEqual(support_ended("ubuntu-24.04", date(2030, 1, 1), {"esm"}), "2029-05")

    def test_told(self) -> None:
        """The end in the host's own files takes precedence."""
        self.assertEqual(support_ended("amazon-2", date(2026, 1, 1), told="2025-12"), "2025-12")
        self.assertIsNone(support_ended("amazon-2", date(2027, 1, 1), told="2027-06"))

    def test_support_end(self) -> None:
        """A host has the end in its os-release, as a date; any other value is ignored."""
        for value, expected in (("2028-06-15", "2028-06"), ("2028-13-01", None), ("soon", None)):
            root = write_host(Path(self.mktemp()), "amzn", "2023", {"bash": "1"})
            with (root / "etc/os-release").open("a") as file:
                file.write(f'SUPPORT_END="{value}"\n')
            self.assertEqual(support_end(root), expected)
        self.assertIsNone(support_end(Path(self.mktemp())))

    def test_table(self) -> None:
        """The table's months are months."""
        for platform, month in ENDS.items():
            date.fromisoformat(f"{month}-01")
            self.assertRegex(platform, r"\A[a-z-]+-\d")
