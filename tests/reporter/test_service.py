"""The reporter's service: its options, its parts, and the requests that its port accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.service import (
    Options,
    Reporter,
    ReporterSettings,
    create_budget,
    create_reporter,
)
from patches.service.budget import CONNECTION_BYTES, Budget
from tests.reporter.sample_reports import body

MIB = 1024 * 1024


def given(*arguments: str) -> ReporterSettings:
    """Parse a command line."""
    options = Options()
    options.parseOptions(list(arguments))
    return options.settings


class OptionsTests(SynchronousTestCase):
    """The command line."""

    def test_defaults(self) -> None:
        """By default it listens only on the loopback, and accepts 16 MiB."""
        settings = given()
        self.assertEqual((settings.listen, settings.max_body), ("tcp:8090:interface=127.0.0.1", 16 * 2**20))

    def test_config(self) -> None:
        """Options can be in a file; the command line takes precedence."""
        path = Path(self.mktemp())
        path.write_text('listen = "tcp:9000"\nmax-body = "1MiB"\n')
        settings = given("--config", str(path), "--listen", "tcp:9001")
        self.assertEqual((settings.listen, settings.max_body), ("tcp:9001", 2**20))

    def test_bad(self) -> None:
        """An invalid value ends the program with one line."""
        error = self.assertRaises(SystemExit, given, "--max-body", "much")
        self.assertIn("patches-reporter: --max-body", str(error.code))


class MemoryTests(SynchronousTestCase):
    """The limit of memory."""

    def test_too_low(self) -> None:
        """A limit that leaves less than 64 MiB is refused at the start, with the least that is possible."""
        error = self.assertRaises(SystemExit, create_budget, 128 * MIB, 64 * MIB + 1)
        self.assertEqual(error.code, "patches-reporter: --memory-limit 128MiB: must be 129MiB or more on this machine")

    def test_connections(self) -> None:
        """Connections have what is left, up to 4,096 of them."""
        self.assertGreater(create_budget(128 * MIB, 64 * MIB).limit, 1000 * CONNECTION_BYTES)
        self.assertEqual(create_budget(512 * MIB, 64 * MIB).limit, 4096 * CONNECTION_BYTES)


class ServiceTests(SynchronousTestCase):
    """The daemon, on an in-memory reactor."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.reactor: Any = MemoryReactorClock()

    def make(self) -> Reporter:
        """Create the reporter."""
        settings = given("--state-dir", str(self.folder), "--max-body", "4096")
        return create_reporter(self.reactor, maybeDeferred, settings, Budget(1 << 24))

    def send(self, content: bytes, *head: bytes) -> StringTransport:
        """Send a report over a connection. Return the client's end of it."""
        factory = self.reactor.tcpServers[0][1]
        protocol, transport = factory.buildProtocol(None), StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(b"\r\n".join((b"POST /v1/reports HTTP/1.1", b"Host: reporter", *head, b"", content)))
        return transport

    def answer(self, transport: StringTransport) -> tuple[bytes, Any]:
        """Return the status line and the JSON of a response."""
        answer, _, document = transport.value().partition(b"\r\n\r\n")
        return answer.split(b"\r\n")[0], json.loads(document)

    def start(self) -> None:
        """Start a reporter."""
        reporter = self.make()
        reporter.service.privilegedStartService()
        reporter.service.startService()
        self.addCleanup(reporter.service.stopService)

    def test_report(self) -> None:
        """A report arrives at the given port, and is stored in the given folder."""
        self.start()
        self.assertEqual(self.reactor.tcpServers[0][0], 8090)
        content = body("CVE-1")
        status, answer = self.answer(self.send(content, b"Content-Length: %d" % len(content)))
        self.assertEqual((status, answer["outcome"]), (b"HTTP/1.1 200 OK", "stored"))
        self.assertTrue((self.folder / "reports.sqlite").exists())

    def test_too_large(self) -> None:
        """A body that is too long, with or without Content-Length, is refused after its end, when the sender reads."""
        self.start()
        for head, content in (
            (b"Content-Length: 5000", b"x" * 5000),
            (b"Transfer-Encoding: chunked", b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"),
        ):
            self.assertEqual(self.send(content[:4500], head).value(), b"")
            transport = self.send(content, head)
            status, answer = self.answer(transport)
            self.assertIn(b" 413 ", status)
            self.assertEqual(answer["error"]["code"], "too-large")
            self.assertTrue(transport.disconnecting)

    def test_endless(self) -> None:
        """A body that does not end is not read forever."""
        self.start()
        transport = self.send(b"x" * 8 * 4096 + b"x", b"Content-Length: 999999999")
        self.assertTrue(transport.disconnected)

    def test_unusable(self) -> None:
        """An unusable folder or database ends the program with one line."""
        self.folder.mkdir()
        (self.folder / "reports.sqlite").mkdir()
        self.assertIn("the reports cannot be used", str(self.assertRaises(SystemExit, self.make).code))
        (self.folder / "file").touch()
        self.folder = self.folder / "file" / "folder"
        self.assertIn("--state-dir", str(self.assertRaises(SystemExit, self.make).code))
