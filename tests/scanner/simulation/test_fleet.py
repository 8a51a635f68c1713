"""Tests for :mod:`patches.scanner.simulation.fleet`, against small servers on loopback."""

from __future__ import annotations

import socket

from patches.scanner.simulation.fleet import Fleet
from patches.scanner.simulation.simulated_scanner import SimulatedScanner
from tests.scanner.simulation.serving_case import ServingCase
from tests.scanner.simulation.test_simulated_scanner import TEXTS, chunk, document, finished


class FleetTests(ServingCase):
    """Fleets, and how their connections end."""

    def run_fleet(self, port: int, scanners: int = 3, seconds: float = 10.0) -> list[SimulatedScanner]:
        """Run a fleet. Return its scanners."""
        fleet = [SimulatedScanner("h", "debian-12", True, 0.0) for _ in range(scanners)]
        Fleet((socket.AF_INET, ("127.0.0.1", port)), fleet).run(seconds)
        return fleet

    def test_whole(self) -> None:
        """Every scanner reads the whole list, also if it has to wait and to come back."""
        steps = [
            document("503 Service Unavailable", {"error": {}}, "Retry-After: 0"),
            document("201 Created", {"session": "t"}),
            document("202 Accepted", {"pollAfter": 0.05}),
            *map(chunk, TEXTS),
            finished(),
        ]
        for scanner in self.run_fleet(self.serve(lambda number: steps[number]), 100):
            self.assertEqual((scanner.problem, scanner.chunks, scanner.denials), ("", 2, 1))

    def test_closed(self) -> None:
        """A connection that the server closes is a problem of its scanner."""
        for scanner in self.run_fleet(self.serve(lambda number: b"")):
            self.assertEqual(scanner.problem, "the server closed the connection")

    def test_refused(self) -> None:
        """So is one that is refused."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        for scanner in self.run_fleet(port):
            self.assertIn("connection lost", scanner.problem)

    def test_bounded(self) -> None:
        """A scanner that has not ended in time has a problem, and the fleet ends."""
        answer = document("202 Accepted", {"pollAfter": 100})
        for scanner in self.run_fleet(self.serve(lambda number: answer), seconds=0.2):
            self.assertEqual(scanner.problem, "it did not end in time")
