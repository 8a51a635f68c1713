"""Tests for :mod:`patches.scanner.simulation.simulate_command`."""

from __future__ import annotations

import socket
from contextlib import redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.simulation.fleet import Fleet
from patches.scanner.simulation.simulate_command import SimulateSettings, run_simulate
from patches.settings import BadSetting, resolve
from tests.scanner.simulation.serving_case import ServingCase
from tests.scanner.simulation.test_simulated_scanner import TEXTS, chunk, document, finished


class SimulateTests(ServingCase):
    """The command, against a small server."""

    def simulate(self, port: int, **options: object) -> int:
        """Run the command. Return its exit code."""
        return run_simulate(SimulateSettings(server=f"http://127.0.0.1:{port}", scanners=3, **options))  # type: ignore[arg-type]

    def test_command(self) -> None:
        """It prints what the fleet has seen; the exit code says whether everybody has read everything."""
        steps = [document("201 Created", {"session": "t"}), *map(chunk, TEXTS), finished()]
        self.assertEqual(self.simulate(self.serve(lambda number: steps[number]), format="json"), 0)
        self.assertEqual(self.simulate(self.serve(lambda number: b"")), 3)

    def test_unreachable(self) -> None:
        """A server that is not there, or is not reached by plain HTTP, is said in one line."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        self.assertEqual(self.simulate(port), 3)
        secure = SimulateSettings(server="https://127.0.0.1:1")
        self.assertRaisesRegex(BadSetting, "the address of the server itself", run_simulate, secure)


class SettingsTests(SynchronousTestCase):
    """The options."""

    def test_bounded(self) -> None:
        """A fleet has a bounded size."""
        self.assertEqual(resolve(SimulateSettings, {"scanners": "20000"}).scanners, 20_000)
        self.assertRaisesRegex(
            BadSetting, "--scanners '20001': must be 20000 or less", resolve, SimulateSettings, {"scanners": "20001"}
        )

    def test_interrupted(self) -> None:
        """A simulation that is interrupted prints what it has seen until then."""

        def run(*args: object) -> None:
            raise KeyboardInterrupt

        self.patch(Fleet, "run", run)
        output = StringIO()
        with socket.create_server(("127.0.0.1", 0)) as listening, redirect_stdout(output):
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self.assertEqual(run_simulate(SimulateSettings(server=url, scanners=3)), 130)
        self.assertIn("scanners", output.getvalue())
