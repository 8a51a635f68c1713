"""Tests for :mod:`patches.service.lifecycle.priority`."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from patches.service.lifecycle.priority import lower_priority, niceness

#: Lowers the priority of a process of its own twice, and prints it after each.
_SCRIPT = """
import os, sys
from patches.service.lifecycle.priority import lower_priority
for nice in map(int, sys.argv[1:]):
    lower_priority(nice)
    print(os.getpriority(os.PRIO_PROCESS, 0))
"""


class NicenessTests(SynchronousTestCase):
    """A niceness is a whole number from 0 to 19."""

    def test_parsed(self) -> None:
        """Numbers in this range are accepted, and all else is refused."""
        self.assertEqual([niceness(text) for text in ("0", " 10 ", "19")], [0, 10, 19])
        for text in ("20", "-1", "1.5", "", "low", "\\u0661"):
            with self.assertRaises(ValueError):
                niceness(text)


class LowerPriorityTests(SynchronousTestCase):
    """A process lowers its own priority."""

    def test_lowered(self) -> None:
        """The priority is lowered, and never raised."""
        now = os.getpriority(os.PRIO_PROCESS, 0)
        words = [sys.executable, "-c", _SCRIPT, "0", "19", "10"]
        ran = subprocess.run(words, capture_output=True, text=True, check=True)
        self.assertEqual(ran.stdout.split(), [str(max(now, 0)), "19", "19"])

    def test_forbidden(self) -> None:
        """A priority that cannot be set is a line in the log, and no more."""

        def refuse(*arguments: int) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        self.patch(os, "getpriority", lambda *arguments: 0)
        self.patch(os, "setpriority", refuse)
        with capturedLogs() as events:
            lower_priority(10)
        self.assertEqual(
            [formatEvent(event) for event in events], ["The priority cannot be lowered to 10: Operation not permitted"]
        )
