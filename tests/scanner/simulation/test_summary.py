"""Tests for :mod:`patches.scanner.simulation.summary`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.simulation.simulated_scanner import SimulatedScanner
from patches.scanner.simulation.summary import Summary, percentile


class SummaryTests(SynchronousTestCase):
    """The summary of a fleet."""

    def test_percentile(self) -> None:
        """The value that a fraction does not exceed."""
        values = [float(n) for n in range(1, 101)]
        found = [percentile(values, fraction) for fraction in (0.0, 0.5, 0.99, 1.0)]
        self.assertEqual(found, [1.0, 50.0, 99.0, 100.0])
        self.assertEqual((percentile([], 0.5), percentile([3.0], 0.99)), (0.0, 3.0))

    def test_sums(self) -> None:
        """Times and sizes are those of the scanners that read the whole list; the others are named by their problem."""
        fleet = [SimulatedScanner("h", "debian-12", n == 0, 1.0) for n in range(4)]
        for number, scanner in enumerate(fleet):
            scanner.chunks, scanner.received, scanner.denials = 2, 1 << 20, number
            scanner.ended = 2.0 + number
        fleet[3].problem = "410 expired: silent"
        summary = Summary.of(fleet)
        self.assertEqual((summary.scanners, summary.complete, summary.verified, summary.denials), (4, 3, 1, 6))
        self.assertEqual((summary.seconds, summary.p50, summary.longest), (4.0, 2.0, 3.0))
        self.assertEqual(summary.problems, {"410 expired: silent": 1})
        text = "\n".join(summary.lines())
        self.assertIn("3 scanners of 4 read the whole list", text)
        self.assertIn("4.0 MiB in 8 chunks, 2 a second; 6 denials", text)
        self.assertIn("1 failed: 410 expired: silent", text)
        self.assertEqual(summary.document()["max"], 3.0)

    def test_nobody(self) -> None:
        """A fleet of which nobody has read anything has a summary, too."""
        lost = SimulatedScanner("h", "debian-12", False, 1.0)
        lost.end("connection refused", 1.0)
        document = Summary.of([lost]).document()
        self.assertEqual((document["complete"], document["p50"], document["max"]), (0, None, None))
        self.assertNotIn("half of them", "\n".join(Summary.of([lost]).lines()))
        self.assertEqual(Summary.of([lost]).lines()[-1], "1 failed: connection refused")
