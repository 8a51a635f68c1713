"""Tests for :mod:`patches.scanner.lists.list_options`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.lists.list_options import ListShowSettings, ListStatusSettings, ListUpdateSettings
from patches.scanner.options import FAMILY
from patches.settings import settings_of


class ListOptionsTests(SynchronousTestCase):
    """The options of the commands."""

    def test_shared(self) -> None:
        """Each option that a file may have for a scan has the same meaning here; --accept is of one command only."""
        known = {each.name: each for each in FAMILY.settings}
        for kind in (ListUpdateSettings, ListStatusSettings, ListShowSettings):
            own = {each.name for each in settings_of(kind)} - known.keys()
            self.assertEqual(own, {"accept"} if kind is ListUpdateSettings else set())
