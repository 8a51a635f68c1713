"""Tests for :mod:`patches.sources.osv.rules`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.osv.rules import Ecosystem
from patches.sources.osv.table import TABLE


class RefusalTests(SynchronousTestCase):
    """Records that are skipped by their ids."""

    def test_refusal(self) -> None:
        """A record is skipped if it repeats others, is not about security, or is not the ecosystem's."""
        rows = {row.name: row for row in TABLE}
        for ecosystem, record_id, reason in (
            ("Ubuntu", "UBUNTU-CVE-2024-1", None),
            ("Ubuntu", "USN-1-1", "repeats other records"),
            ("AlmaLinux", "ALSA-2024:1", None),
            ("AlmaLinux", "ALBA-2024:1", "not security"),
            ("AlmaLinux", "alsa-2024:1", "not a record of AlmaLinux"),
            ("SUSE", "SUSE-RU-2024:1-1", "not security"),
            ("Rocky Linux", "", "not a record of Rocky Linux"),
        ):
            self.assertEqual(rows[ecosystem].refusal(record_id), reason)
        self.assertIsNone(Ecosystem("X", (), "rpm", "binary").refusal("ANYTHING-1"))
