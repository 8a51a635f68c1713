"""The Clair source and the double of Clair over real TCP connections, and the double as a process of its own."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.task import react
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from patches.sources.clair.source import clair_source
from patches.testing import ClairDouble
from tests import processes
from tests.integration.loopback import LOOPBACK, URL_HOST

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = (sys.executable, "-m")
NAMES = [f"CVE-{number}" for number in range(200)]


class CountingSite(Site):
    """A site that counts its connections."""

    connections = 0

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        self.connections += 1
        return super().buildProtocol(addr)


async def walk(reactor: Any) -> None:
    """Serve the double, read it with the source, and print the result."""
    double = ClairDouble(reactor)
    double.load("debian:9", [{"Name": name} for name in NAMES])
    site = CountingSite(double.resource(), timeout=None)
    port = reactor.listenTCP(0, site, interface=LOOPBACK)
    source = clair_source(reactor, f"http://{URL_HOST}:{port.getHost().port}/")
    names = [vulnerability.name async for vulnerability in source.listing("debian-9")]
    platforms = await source.platforms()
    print(json.dumps({"names": names, "platforms": platforms, "connections": site.connections}))
    await port.stopListening()


class ProcessTests(SynchronousTestCase):
    """The double in separate processes."""

    def test_connections_are_kept(self) -> None:
        """A traversal of hundreds of requests uses four connections."""
        ran = subprocess.run([*PYTHON, __name__], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.stderr, "")
        result = json.loads(ran.stdout)
        self.assertEqual((result["names"], result["platforms"]), (NAMES, ["debian-9"]))
        self.assertLessEqual(result["connections"], 4)

    def test_program(self) -> None:
        """The double runs as a program, prints its port, and serves the lists that it was started with."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = Path(folder.name) / "made-up.jsonl.gz"
        lines = "".join(json.dumps({"Name": name}) + "\n" for name in NAMES)
        file.write_bytes(gzip.compress(lines.encode()))
        command = [*PYTHON, "patches.testing.clair", "--interface", LOOPBACK, "--load", f"centos:7={file}"]
        with processes.running(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            port = int(program.stdout.readline())
            with urlopen(f"http://{URL_HOST}:{port}/v1/namespaces", timeout=10) as answer:
                expected = {"Namespaces": [{"Name": "centos:7", "VersionFormat": "rpm"}]}
                self.assertEqual(json.load(answer), expected)
            target = f"http://{URL_HOST}:{port}/v1/namespaces/centos:7/vulnerabilities?limit=1000"
            with urlopen(target, timeout=10) as answer:
                self.assertEqual(len(json.load(answer)["Vulnerabilities"]), 200)

    def test_program_with_bad_options(self) -> None:
        """Options that make no sense are refused with a line that says so."""
        command = [*PYTHON, "patches.testing.clair", "--interface", LOOPBACK, "--load", "nothing"]
        ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
        self.assertNotEqual(ran.returncode, 0)
        self.assertIn("--load takes NAMESPACE=FILE", ran.stderr)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(walk(reactor)))
