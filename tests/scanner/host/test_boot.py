"""Tests for :mod:`patches.scanner.host.boot`."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.host.boot import first_delay, host_id

MOST = timedelta(minutes=10)


class BootTests(SynchronousTestCase):
    """A fleet that boots together."""

    def test_spread(self) -> None:
        """The first scans are spread evenly over the longest delay, and each host has the same place every time."""
        delays = [first_delay(MOST, lambda: 0.0, lambda n=n: f"host-{n}") for n in range(1000)]
        again = [first_delay(MOST, lambda: 50.0, lambda n=n: f"host-{n}") for n in range(1000)]
        self.assertEqual(delays, again)
        self.assertTrue(all(timedelta(0) <= delay < MOST for delay in delays))
        tenths = [sum(delay // (MOST / 10) == tenth for delay in delays) for tenth in range(10)]
        self.assertTrue(all(70 < count < 130 for count in tenths), tenths)

    def test_running_host(self) -> None:
        """A daemon that is started on a host that runs scans at once."""
        self.assertEqual(first_delay(MOST, lambda: 600.0), timedelta(0))

    def test_id(self) -> None:
        """The id of a host is in its file; a host that has none is known by its name."""
        paths = [Path(self.mktemp()) for _ in range(3)]
        paths[1].write_text("\n")
        self.assertEqual(host_id(tuple(map(str, paths))), socket.gethostname())
        paths[2].write_text("0123456789abcdef\n")
        self.assertEqual(host_id(tuple(map(str, paths))), "0123456789abcdef")
