"""Tests for :mod:`patches.service.log.trouble_log`."""

from __future__ import annotations

from typing import Any

from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.service.log.trouble_log import TroubleLog


class TroubleLogTests(SynchronousTestCase):
    """A trouble that begins, changes, and ends."""

    def test_lines(self) -> None:
        """One line for each change, however often it is noted."""
        said: list[str | None] = []

        def note(event: Any) -> None:
            said.append(formatEvent(event))

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        trouble = TroubleLog("Nothing can be stored", "All can be stored again")
        trouble.end()
        for why in ("full", "full", "broken", "broken"):
            trouble.begin(why)
        trouble.end()
        trouble.end()
        trouble.begin("broken")
        begun = [f"Nothing can be stored: {why}" for why in ("full", "broken")]
        self.assertEqual(said, [*begun, "All can be stored again", begun[1]])
