"""Tests for :mod:`patches.scanner.client.kept_lists`."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.kept_lists import KeptLists
from patches.scanner.client.verified_stream import NotCovered, ServerAway, VerifiedStream


async def _read(stream: VerifiedStream) -> None:
    async for _ in stream:
        pass


class KeptListsTests(SynchronousTestCase):
    """Lists without a server."""

    def test_absent(self) -> None:
        """A list that is not there is no empty list: its stream fails, with the reason."""
        for kept, kind, said in (
            (KeptLists(Clock(), None), ServerAway, "no list of debian-12 is kept"),
            (KeptLists(Clock(), "its name cannot be resolved"), ServerAway, "its name cannot be resolved"),
            (KeptLists(Clock(), "no source has it", is_covered=False), NotCovered, "no source has it"),
        ):
            error = self.failureResultOf(ensureDeferred(_read(kept.stream("debian-12"))), kind)
            self.assertEqual(str(error.value), said)
