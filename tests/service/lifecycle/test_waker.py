"""Tests for :mod:`patches.service.lifecycle.waker`."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

_SHORT = """
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from patches.service.lifecycle.waker import keep_awake

kind = next(each for each in type(reactor.waker).__mro__ if "doRead" in vars(each))
whole, reads = kind.doRead, []

def short(waker):
    reads.append(len(reads))
    if len(reads) < 4:
        raise MemoryError
    return whole(waker)

kind.doRead = short
keep_awake(reactor)
keep_awake(reactor)
results = []

def again(number):
    results.append(number)
    if number == 9:
        reactor.stop()
    else:
        deferToThread(lambda: number + 1).addCallback(again)

reactor.callWhenRunning(again, 0)
reactor.callLater(20, reactor.stop)
reactor.run()
print(results, len(reads) > 3)
"""


class WakerTests(SynchronousTestCase):
    """A reactor without memory for a moment."""

    def test_kept(self) -> None:
        """The results of threads arrive all the same, also afterwards."""
        ran = subprocess.run([sys.executable, "-c", _SHORT], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual((ran.stdout, ran.stderr), (f"{list(range(10))} True\n", ""))
