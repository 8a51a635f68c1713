"""The hostile server, with one case of each kind; the whole of it is a program."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.peers.hostile_server import CASES, DAEMON, attack

#: One case for each way in which memory or time could be lost, of those that end by themselves.
QUICK = (
    "gzip, gzip",
    "header fields without end",
    "1xx without end",
    "1 record said, then 1 MiB for ever",
    "deep JSON as a record",
    "Retry-After not UTF-8",
    "markup in messages",
    "no records",
    "speaks first, nonsense",
    "speaks first, a response",
)


class HostileServerTests(SynchronousTestCase):
    """A server that sends whatever a scanner must survive."""

    def test_quick(self) -> None:
        """A scan ends as incomplete, in little memory, without a traceback."""
        for outcome in attack(Random(7), Path(self.mktemp()), names=QUICK):
            self.assertTrue(outcome.holds, outcome.text())

    def test_names(self) -> None:
        """The cases that are named are there."""
        self.assertLessEqual({*QUICK, *DAEMON}, CASES.keys())
