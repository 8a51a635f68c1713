"""Tests for :mod:`patches.scanner.doctor.doctor_options`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.doctor.doctor_options import DoctorSettings
from patches.scanner.options import FAMILY
from patches.settings import settings_of


class DoctorOptionsTests(SynchronousTestCase):
    """The options of the command."""

    def test_shared(self) -> None:
        """Each option is one of a scan: the same file and variables are read."""
        self.assertEqual(
            {each.name for each in settings_of(DoctorSettings)} - {each.name for each in FAMILY.settings}, set()
        )
